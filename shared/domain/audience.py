"""Whom a campaign is meant for: a filter over contacts that are eligible anyway.

A filter only ever narrows. Who may receive mail at all is ``eligibility``'s business.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.contact import Contact, Mark, Register
from shared.domain.events import EventKind, Source


@dataclass(frozen=True, slots=True)
class Audience:
    """All conditions that are given must hold; an empty one asks nothing.

    ``registered_from`` and ``registered_until`` bound the moment the permission was given
    (from inclusive, until exclusive). ``received`` and ``not_received`` name an earlier
    campaign that the contact was, or was not, sent.
    """

    sources: frozenset[Source] = frozenset()
    form_ids: frozenset[str] = frozenset()
    municipalities: frozenset[str] = frozenset()
    registered_from: datetime | None = None
    registered_until: datetime | None = None
    received: str = ""
    not_received: str = ""


EVERYONE = Audience()


def permission_of(contact: Contact) -> Mark | None:
    """The fact that lets mail be sent: the explicit yes where there is one, else the notice."""
    return contact.explicit_yes or contact.get(Register.NOTIFIED)


def variables_of(contact: Contact) -> Mapping[str, str]:
    """What a campaign's text may say of a person; nothing after an erasure."""
    origin = origin_of(contact) if contact.address else None
    return {
        "name": contact.name,
        "organization": contact.organization,
        "municipality": origin.municipality if origin else "",
    }


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an address came from: what a filter asks about.

    ``at`` is when the permission was given; where there is none, when the address came.
    """

    source: Source
    form_id: str
    municipality: str
    at: datetime


def origin_of(contact: Contact) -> Origin | None:
    """Where an address came from; None where neither a permission nor a form post is held.

    Somebody who stopped and came back through the link in a mail still came from the form
    they once filled in, so that an undo takes nobody out of an audience.
    """
    permission = permission_of(contact)
    fact = permission
    if permission is None or permission.kind is EventKind.RESUBSCRIBED:
        fact = _latest_acquisition(contact) or permission
    if fact is None:
        return None
    return Origin(
        _source_of(contact, fact),
        fact.values.get("form_id", ""),
        fact.values.get("municipality", ""),
        (permission or fact).at,
    )


_ACQUISITIONS = (Register.OPTED_IN, Register.UNTICKED, Register.NOTIFIED, Register.IMPORTED_YES)


def _latest_acquisition(contact: Contact) -> Mark | None:
    marks = [mark for register in _ACQUISITIONS if (mark := contact.get(register))]
    return max(marks, key=lambda mark: mark.key, default=None)


def _source_of(contact: Contact, fact: Mark) -> Source:
    """A registration by an advisor stands for the form it confirms."""
    opted_in = contact.get(Register.OPTED_IN)
    return opted_in.source if fact.kind is EventKind.REGISTERED and opted_in else fact.source


def matches(contact: Contact, audience: Audience, received: Collection[str] = ()) -> bool:
    """Whether a contact is meant. ``received`` are those named campaigns it was sent."""
    return (
        _comes_from(origin_of(contact), audience)
        and (not audience.received or audience.received in received)
        and (not audience.not_received or audience.not_received not in received)
    )


def _comes_from(origin: Origin | None, audience: Audience) -> bool:
    if origin is None:
        return not (
            audience.sources
            or audience.form_ids
            or audience.municipalities
            or audience.registered_from
            or audience.registered_until
        )
    return (
        (not audience.sources or origin.source in audience.sources)
        and (not audience.form_ids or origin.form_id in audience.form_ids)
        and (not audience.municipalities or origin.municipality in audience.municipalities)
        and (audience.registered_from is None or origin.at >= audience.registered_from)
        and (audience.registered_until is None or origin.at < audience.registered_until)
    )
