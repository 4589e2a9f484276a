"""Keeps the counts that a dry run answers from, behind every change of a contact.

Fed by the contacts table's stream. The same change twice, or an older one after a newer, changes
nothing; one that cannot be read does not hold up the others, and ends in the dead-letter queue.

``python -m functions.standings CONTACTS_TABLE STANDINGS_TABLE`` counts anew what the stream never
told of, in the name of whoever runs it: the function itself may not read the contacts. After a
restore of the contacts to an earlier moment the standings table has to be empty first, because it
holds later versions.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from shared.adapters import aws
from shared.adapters.contacts import contact_of
from shared.adapters.standings import StandingStore
from shared.domain.contact import Contact
from shared.domain.standings import standing_of
from shared.settings import StandingsSettings, load
from shared.telemetry import logger


@dataclass(frozen=True)
class Deps:
    """What the handler works with."""

    standings: StandingStore


@cache
def _deps() -> Deps:
    settings = load(StandingsSettings, os.environ)
    return Deps(StandingStore(aws.dynamodb(), settings.standings_table))


@logger.inject_lambda_context
def handler(
    event: Mapping[str, Any], _context: object, deps: Deps | None = None
) -> dict[str, list[dict[str, str]]]:
    """Take every contact in a batch to where it stands now.

    Answers with the first record that could not be read: the stream goes on from there, and
    what came after it is done again, harmlessly.
    """
    deps = deps or _deps()
    contacts: list[Contact] = []
    unreadable: list[str] = []
    for record in event["Records"]:
        try:
            contacts += _contact_in(record)
        except (AttributeError, KeyError, TypeError, ValueError):
            number = record["dynamodb"]["SequenceNumber"]
            logger.exception("unreadable change", extra={"sequence_number": number})
            unreadable.append(number)
    deps.standings.advance(map(standing_of, contacts))
    logger.info("advanced", extra={"contacts": len(contacts)})
    return {"batchItemFailures": [{"itemIdentifier": number} for number in unreadable[:1]]}


def _contact_in(record: Mapping[str, Any]) -> list[Contact]:
    """The contact as the change left it. Contacts are never deleted, only emptied."""
    image = record["dynamodb"].get("NewImage")
    return [contact_of(image)] if image else []


def main(arguments: list[str]) -> None:
    """Count anew."""
    contacts_table, standings_table = arguments
    seen = StandingStore(aws.dynamodb(), standings_table).rebuild(contacts_table)
    sys.stdout.write(f"{seen} contacts\n")


if __name__ == "__main__":
    main(sys.argv[1:])
