"""SES's own record of what it sent, by EventBridge: settles what the sender could not know.

Events may come twice, late, or in any order; each is harmless.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from shared.adapters import aws
from shared.adapters.ledger import Ledger
from shared.domain.campaigns import Outcome
from shared.settings import SesFeedbackSettings, load
from shared.telemetry import logger

# Each of these proves that SES has the mail.
_PROOFS_OF_SENDING = frozenset({"Send", "Delivery", "Bounce", "Complaint", "DeliveryDelay"})


@dataclass(frozen=True)
class Deps:
    """What the handler works with."""

    ledger: Ledger


@cache
def _deps() -> Deps:
    settings = load(SesFeedbackSettings, os.environ)
    return Deps(Ledger(aws.dynamodb(), settings.ledger_table))


@logger.inject_lambda_context
def handler(event: Mapping[str, Any], _context: object, deps: Deps | None = None) -> None:
    """Settle the ledger line a send event speaks of. An event that names none is ignored."""
    deps = deps or _deps()
    detail = event["detail"]
    mail = detail["mail"]
    tags = mail.get("tags", {})
    campaign, contact = tags.get("campaign"), tags.get("contact")
    if detail["eventType"] not in _PROOFS_OF_SENDING or not campaign or not contact:
        logger.info("ignored", extra={"event_type": detail["eventType"]})
        return
    deps.ledger.settle(campaign[0], contact[0], Outcome.SENT, message_id=mail["messageId"])
    logger.info("settled", extra={"campaign_id": campaign[0], "contact_id": contact[0]})
