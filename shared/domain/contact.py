"""A contact's state: the projection of its events.

The state is a set of *registers*. Each event writes a fixed few of them, and in each the
latest write wins, by the event's key. So the state does not depend on the order in which
events arrive nor on how often: a form post or an unsubscribe is recorded by one blind,
conditional write without reading first, and a rebuild from events gives the same state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from shared.domain.events import Event, EventKind, Source, parse_stamp


class Register(StrEnum):
    """The names under which the latest facts are kept."""

    ADDRESS = "address"
    OPTED_IN = "opted_in"
    UNTICKED = "unticked"
    NOTIFIED = "notified"
    EXPLICIT_YES = "explicit_yes"
    IMPORTED_YES = "imported_yes"  # grants, but never lifts a refusal
    BASIS = "basis"
    REFUSED = "refused"
    BOUNCED = "bounced"
    BOUNCE_LIFTED = "bounce_lifted"
    MOVED = "moved"  # to another address, or from one to this
    RESIDENCE = "residence"
    AWAITING = "awaiting_advisor"  # an opt-in waits for confirmation (A3)
    LISTING = "listing"  # may be eligible: worth judging by a campaign


# What holds a contact, where it is no case: mail did not arrive, again and again (manual U1).
SOFT_BOUNCES = "soft_bounces"
# A hold has two registers of its own: nothing but what placed it lifts it.
_HELD, _RELEASED = "held_", "released_"


def hold_of(event: Event) -> str:
    """Which hold a ``HELD`` or ``RELEASED`` is about: its case's, or ``SOFT_BOUNCES``."""
    return event.details.get("case_id", SOFT_BOUNCES)


@dataclass(frozen=True, slots=True)
class Mark:
    """What one register holds: which fact wrote it last, with the few values rules need."""

    key: str
    kind: EventKind
    source: Source
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def at(self) -> datetime:
        """When the fact counts from."""
        return parse_stamp(self.key.partition("#")[0])

    @property
    def event_id(self) -> str:
        """The event that wrote it."""
        return self.key.partition("#")[2]


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact as its events left it. ``version`` counts the recorded events.

    ``registers`` are those of ``Register``, and two for each hold.
    """

    contact_id: str
    registers: Mapping[str, Mark] = field(default_factory=lambda: MappingProxyType({}))
    version: int = 0

    def get(self, register: Register) -> Mark | None:
        """The mark in a register, or None where nothing was ever written."""
        return self.registers.get(register)

    def _value(self, register: Register, name: str) -> str:
        mark = self.get(register)
        return mark.values.get(name, "") if mark else ""

    @property
    def address(self) -> str:
        """The address mail is sent to; empty after an erasure."""
        return self._value(Register.ADDRESS, "used")

    @property
    def typed(self) -> str:
        """The address as the person typed it; empty after an erasure."""
        return self._value(Register.ADDRESS, "typed")

    @property
    def address_kind(self) -> str:
        """``AddressKind`` value, empty after an erasure."""
        return self._value(Register.ADDRESS, "kind")

    @property
    def name(self) -> str:
        """The person's name as they gave it with the address; empty after an erasure."""
        return self._value(Register.ADDRESS, "name")

    @property
    def organization(self) -> str:
        """The organisation they gave with the address; empty after an erasure."""
        return self._value(Register.ADDRESS, "organization")

    @property
    def explicit_yes(self) -> Mark | None:
        """The yes the person gave, to us or by an import's evidence."""
        return self.get(Register.EXPLICIT_YES) or self.get(Register.IMPORTED_YES)

    @property
    def region(self) -> str:
        """Where the person is known to live (``EU`` for EU, EEA and UK), else empty."""
        return self._value(Register.RESIDENCE, "region")

    @property
    def holds(self) -> Mapping[str, Mark]:
        """The holds that stand, by what placed them. In one moment the hold wins."""
        standing = {}
        for register, mark in self.registers.items():
            if register.startswith(_HELD):
                hold = register.removeprefix(_HELD)
                released = self.registers.get(_RELEASED + hold)
                if released is None or released.at <= mark.at:
                    standing[hold] = mark
        return standing

    @property
    def moved_to(self) -> str:
        """The contact that the person changed to and has not come back from, else empty."""
        return self._value(Register.MOVED, "to")

    def erased_since(self, at: datetime) -> bool:
        """Whether what is from that moment or before was erased: it may not be kept any more."""
        return any(
            mark.kind is EventKind.ERASED and mark.at >= at for mark in self.registers.values()
        )

    @property
    def is_pending(self) -> bool:
        """An opt-in waits for an advisor's confirmation (A3)."""
        return self._value(Register.AWAITING, "on") == "yes"

    @property
    def is_listed(self) -> bool:
        """Worth judging by a campaign. Only an index: ``eligibility.judge`` decides.

        Never false for an eligible contact; may be true for one that is not.
        """
        return self._value(Register.LISTING, "on") == "yes"


_REFUSALS = frozenset(
    {
        EventKind.UNSUBSCRIBED,
        EventKind.PHONE_REFUSED,
        EventKind.IN_PERSON_REFUSED,
        EventKind.COMPLAINED,
        EventKind.ERASED,
    }
)
_EXPLICIT = frozenset(
    {
        EventKind.REGISTERED,
        EventKind.PHONE_ACCEPTED,
        EventKind.IN_PERSON_ACCEPTED,
        EventKind.RESUBSCRIBED,
    }
)
_NOTICES = frozenset({EventKind.NOTIFIED, EventKind.IMPORTED_NOTICE})
# Elsewhere only a yes grants: a municipal form needs the box (A1), the phone an answer (A5).
_NOTICE_SUFFICES = frozenset({Source.WEB_FORM, Source.IN_PERSON})
# What takes a contact off the index of those worth judging, and what puts it back. For every
# condition of the rule that fails by a later fact there is one of each, so that whoever is
# eligible is listed, and a campaign reads hardly anybody else.
_DELISTS = _REFUSALS | {EventKind.BOUNCED, EventKind.HELD}  # and moving away
_LISTS = (
    _EXPLICIT | _NOTICES | {EventKind.IMPORTED_CONSENT, EventKind.BOUNCE_LIFTED, EventKind.RELEASED}
)

_REGISTER_OF: Mapping[EventKind, Register] = MappingProxyType(
    {
        EventKind.OPTED_IN: Register.OPTED_IN,
        EventKind.BOX_LEFT_UNTICKED: Register.UNTICKED,
        EventKind.BASIS_RECORDED: Register.BASIS,
        EventKind.RESIDENCE_STATED: Register.RESIDENCE,
        EventKind.IMPORTED_CONSENT: Register.IMPORTED_YES,
        EventKind.BOUNCED: Register.BOUNCED,
        EventKind.BOUNCE_LIFTED: Register.BOUNCE_LIFTED,
        EventKind.MOVED: Register.MOVED,
        **dict.fromkeys(_REFUSALS, Register.REFUSED),
        **dict.fromkeys(_EXPLICIT, Register.EXPLICIT_YES),
        **dict.fromkeys(_NOTICES, Register.NOTIFIED),
    }
)
_KEPT_VALUES = ("form_id", "municipality", "campaign_id", "reason", "region", "operator", "basis")
_KEPT_OF_A_MOVE = ("to", "from")
# What people said of themselves in a form, by which a campaign may address them.
_SAID_OF_ONESELF = {
    "name": ("field.name",),
    "organization": ("field.organization", "field.company"),
}
_LONGEST_NAME = 100
_ON = MappingProxyType({"on": "yes"})
_OFF = MappingProxyType({"on": "no"})


def marks_of(event: Event) -> dict[str, Mark]:
    """The registers an event writes, and what it writes there."""
    kind = event.kind
    leaves = _moves_away(event)
    marks: dict[str, Mark] = {}
    register = _register_of(event)
    if register is not None:
        key = event.consent_key if register is Register.EXPLICIT_YES else event.key
        names = _KEPT_OF_A_MOVE if kind is EventKind.MOVED else _KEPT_VALUES
        kept = {name: event.details[name] for name in names if name in event.details}
        marks[register] = Mark(key, kind, event.source, MappingProxyType(kept))
    if "address" in event.personal or kind is EventKind.ERASED or leaves:
        marks[Register.ADDRESS] = _switch(event, _address_values(event))
    if kind in _LISTS or (kind is EventKind.MOVED and not leaves):
        # By the moment of the yes, as the rule counts it: an index by any other could hide one.
        marks[Register.LISTING] = Mark(event.consent_key, kind, event.source, _ON)
    elif kind in _DELISTS or leaves:
        marks[Register.LISTING] = _switch(event, _OFF)
    if kind is EventKind.OPTED_IN:
        marks[Register.AWAITING] = _switch(event, _ON)
    elif kind is EventKind.REGISTERED or kind in _REFUSALS:
        marks[Register.AWAITING] = _switch(event, _OFF)
    return marks


def _moves_away(event: Event) -> bool:
    return event.kind is EventKind.MOVED and "to" in event.details


def _register_of(event: Event) -> str | None:
    if event.kind is EventKind.HELD:
        return _HELD + hold_of(event)
    if event.kind is EventKind.RELEASED:
        return _RELEASED + hold_of(event)
    if event.kind is EventKind.NOTIFIED and event.source not in _NOTICE_SUFFICES:
        return None
    return _REGISTER_OF.get(event.kind)


def _switch(event: Event, values: Mapping[str, str]) -> Mark:
    return Mark(event.key, event.kind, event.source, values)


def _address_values(event: Event) -> Mapping[str, str]:
    if event.kind is EventKind.ERASED or _moves_away(event):
        return MappingProxyType({})
    values = {
        "used": event.personal["address"],
        "typed": event.personal["typed"],
        "kind": event.personal["address_kind"],
    }
    for name, fields in _SAID_OF_ONESELF.items():
        if said := next((event.personal[field] for field in fields if field in event.personal), ""):
            values[name] = said[:_LONGEST_NAME]
    return MappingProxyType(values)


def newer(contact: Contact, marks: Mapping[str, Mark]) -> dict[str, Mark]:
    """Those of ``marks`` that are later than what the contact holds."""
    return {
        register: mark
        for register, mark in marks.items()
        if (held := contact.registers.get(register)) is None or held.key < mark.key
    }


def apply(contact: Contact, event: Event) -> Contact:
    """The contact after one more event. Not idempotent in ``version``: apply each event once."""
    registers = {**contact.registers, **newer(contact, marks_of(event))}
    return Contact(contact.contact_id, MappingProxyType(registers), contact.version + 1)


def project(contact_id: str, events: Iterable[Event]) -> Contact:
    """Rebuild a contact from its whole history, given in any order, duplicates allowed."""
    contact = Contact(contact_id)
    for event in {event.key: event for event in events}.values():
        contact = apply(contact, event)
    return contact
