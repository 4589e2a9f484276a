"""What happened to a contact: append-only facts, the only source of truth (manual A2, D4).

A contact's state (``contact.py``) is a projection of its events and can be rebuilt from them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from shared.texts.consent import Wording


class EventKind(StrEnum):
    """Every kind of fact, in the manual's order."""

    # Acquisition, articles A1 to A6
    OPTED_IN = "opted_in"  # municipal form, box ticked; not yet confirmed
    BOX_LEFT_UNTICKED = "box_left_unticked"  # municipal form, box not ticked: neither yes nor no
    NOTIFIED = "notified"  # web form or in person, notice given
    REGISTERED = "registered"  # an advisor confirmed an opt-in (A3)
    PHONE_ACCEPTED = "phone_accepted"
    PHONE_REFUSED = "phone_refused"
    IN_PERSON_ACCEPTED = "in_person_accepted"
    IN_PERSON_REFUSED = "in_person_refused"
    IMPORTED_CONSENT = "imported_consent"  # import row with evidence of an explicit yes
    IMPORTED_NOTICE = "imported_notice"  # import row with evidence of a notice
    BASIS_RECORDED = "basis_recorded"  # business relationship or written notice (法3条1項)
    RESIDENCE_STATED = "residence_stated"  # the person is known to live in ``region``
    # Refusal, articles S1 to S4
    UNSUBSCRIBED = "unsubscribed"
    UNSUBSCRIBE_REASON = "unsubscribe_reason"  # optional, gates nothing (規8)
    RESUBSCRIBED = "resubscribed"  # explicit yes by the person's own link
    COMPLAINED = "complained"
    # Whether mail arrives
    BOUNCED = "bounced"  # permanent
    SOFT_BOUNCED = "soft_bounced"  # transient: one of these says little, several hold
    BOUNCE_LIFTED = "bounce_lifted"  # staff or a later delivery proved the address works
    HELD = "held"  # a message that may mean "stop" is undecided, or mail keeps bouncing
    RELEASED = "released"
    # Requests, article R1
    MOVED = "moved"  # the person changed the address: ``to`` another contact, or ``from`` one
    ERASED = "erased"


class Source(StrEnum):
    """The channel a fact came through."""

    MUNICIPAL_LP = "municipal_lp"
    WEB_FORM = "web_form"
    IN_PERSON = "in_person"
    PHONE = "phone"
    IMPORT = "import"
    LINK = "link"  # the page behind the signed link
    ONE_CLICK = "one_click"  # RFC 8058
    REPLY = "reply"
    STAFF = "staff"
    SES = "ses"


# Why a person stopped, if they care to say; it gates nothing (規則 8条).
UNSUBSCRIBE_REASONS = ("too_many", "not_relevant", "never_asked", "content", "other")

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Event:
    """One fact about one contact.

    ``details`` is what proves the fact and stays after an erasure (ids, versions, operator).
    ``personal`` is what erasure removes (typed address, IP address, user agent, form fields).
    ``wording`` is the exact text that was shown or spoken.
    ``consent_at`` is set where the yes is older than the fact: a registration confirms the
    opt-in it refers to, so its yes counts from that moment and not from the confirmation.
    """

    contact_id: str
    event_id: str
    kind: EventKind
    at: datetime
    source: Source
    details: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    personal: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    wording: Wording | None = None
    consent_at: datetime | None = None

    @property
    def key(self) -> str:
        """Sort key: time, then id. Total order of a contact's events."""
        return f"{stamp(self.at)}#{self.event_id}"

    @property
    def consent_key(self) -> str:
        """Where the yes of this event stands in the order."""
        return f"{stamp(self.consent_at or self.at)}#{self.event_id}"


def stamp(at: datetime) -> str:
    """UTC, milliseconds, fixed width, so that text order is time order.

    Raises:
        ValueError: ``at`` has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError("times carry a time zone")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_stamp(text: str) -> datetime:
    """Inverse of ``stamp``."""
    return datetime.fromisoformat(text)


def from_epoch_ms(epoch_ms: int) -> datetime:
    """The moment a gateway stamped a request with (milliseconds since 1970)."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=epoch_ms)


def event_id(*parts: str) -> str:
    """An id that depends only on what is being recorded, so that a retry writes the same fact.

    ``parts`` name the fact: the gateway's request id and the kind, for instance.
    """
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]
