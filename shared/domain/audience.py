"""Whom a campaign is meant for: a filter over contacts that are eligible anyway.

A filter only ever narrows. Who may receive mail at all is ``eligibility``'s business.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from shared.domain.contact import Contact, Mark, Register
from shared.domain.events import Source


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
    return (
        contact.get(Register.EXPLICIT_YES)
        or contact.get(Register.IMPORTED_YES)
        or contact.get(Register.NOTIFIED)
    )


def matches(contact: Contact, audience: Audience, received: Collection[str] = ()) -> bool:
    """Whether a contact is meant. ``received`` are those named campaigns it was sent."""
    permission = permission_of(contact)
    if permission is None:
        return audience == EVERYONE
    values, at = permission.values, permission.at
    return (
        (not audience.sources or _source_of(contact, permission) in audience.sources)
        and (not audience.form_ids or values.get("form_id") in audience.form_ids)
        and (not audience.municipalities or values.get("municipality") in audience.municipalities)
        and (audience.registered_from is None or at >= audience.registered_from)
        and (audience.registered_until is None or at < audience.registered_until)
        and (not audience.received or audience.received in received)
        and (not audience.not_received or audience.not_received not in received)
    )


def _source_of(contact: Contact, permission: Mark) -> Source:
    """Where the address came from: a registration by staff stands for the form it confirms."""
    opted_in = contact.get(Register.OPTED_IN)
    if permission.source is Source.STAFF and opted_in is not None:
        return opted_in.source
    return permission.source
