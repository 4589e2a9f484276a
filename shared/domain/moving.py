"""A person changes to another address: what is on record for both (manual R1).

The old contact keeps its history and loses its address. What the person granted and refused
is recorded for the new one as well, with its times, wordings and channels, so that a refusal
moves too and neither undoes what was said at the new address since. What is about the mailbox
stays with it: bounces, and the hold for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from shared.domain import holds
from shared.domain.address import Address
from shared.domain.contact import SOFT_BOUNCES, Contact, hold_of, project
from shared.domain.eligibility import left
from shared.domain.events import Event, EventKind, Source, event_id

# The person's own word and what goes with it.
_REFUSING = frozenset(
    {
        EventKind.UNSUBSCRIBED,
        EventKind.PHONE_REFUSED,
        EventKind.IN_PERSON_REFUSED,
        EventKind.COMPLAINED,
        EventKind.ERASED,  # carried as a stop: nothing was erased at the new address
    }
)
CARRIED = _REFUSING | {
    EventKind.OPTED_IN,
    EventKind.BOX_LEFT_UNTICKED,
    EventKind.NOTIFIED,
    EventKind.REGISTERED,
    EventKind.PHONE_ACCEPTED,
    EventKind.IN_PERSON_ACCEPTED,
    EventKind.IMPORTED_CONSENT,
    EventKind.IMPORTED_NOTICE,
    EventKind.BASIS_RECORDED,
    EventKind.RESIDENCE_STATED,
    EventKind.RESUBSCRIBED,
}
# About mail to the old address: a campaign would seem to have lost two people.
_OF_THE_MAIL = frozenset({"campaign_id", "message_id"})


def moves(
    old_history: Iterable[Event],
    *,
    old_id: str,
    new_id: str,
    address: Address,
    at: datetime,
    case_id: str,
) -> list[Event]:
    """What is recorded, in the order in which to record it. Doing it again gives the same.

    First the old contact loses its address, so that a crash in between leaves nobody mailed
    at both. Holds of other cases stand at both: whoever releases one does so at
    ``Contact.moved_to`` too. An address that is only spelled otherwise is the same contact.
    """
    history = sorted(old_history, key=lambda event: event.key)
    before = [event for event in history if not _is_of(event, case_id)]
    at = next((event.at for event in history if _is_of(event, case_id)), at)
    contact = project(old_id, before)
    arrival = Event(
        contact_id=new_id,
        event_id=event_id(case_id, EventKind.MOVED, "from"),
        kind=EventKind.MOVED,
        at=at,
        source=Source.REPLY,
        details={"from": old_id, "case_id": case_id},
        personal=_personal(contact, address),
    )
    if old_id == new_id:
        return [arrival]
    departure = Event(
        contact_id=old_id,
        event_id=event_id(case_id, EventKind.MOVED, "to"),
        kind=EventKind.MOVED,
        at=at,
        source=Source.REPLY,
        details={"to": new_id, "case_id": case_id},
    )
    # Where the person has left already, the permission has gone with them.
    kinds = _REFUSING if left(contact) else CARRIED
    said = [event for event in before if event.kind in kinds] + _holding(before, case_id)
    carried = [
        _carried(event, old_id, new_id, case_id)
        for event in said
        if event.details.get("moved_from") != new_id  # it was theirs to begin with
    ]
    return [departure, *carried, arrival]


def follows(event: Event) -> bool:
    """Whether a fact about an address counts for the person, wherever they have moved to.

    A stop does: the link in a mail from before the move must still stop all mail (manual S4).
    """
    return event.kind in _REFUSING and event.kind is not EventKind.ERASED


def followed(event: Event, to: str) -> Event:
    """The same fact for the contact that the person moved to."""
    return _carried(event, event.contact_id, to, event.contact_id)


def _is_of(event: Event, case_id: str) -> bool:
    return event.kind is EventKind.MOVED and event.details.get("case_id") == case_id


def _personal(contact: Contact, address: Address) -> dict[str, str]:
    """The new address, with what a campaign may address the person by."""
    personal = {
        "address": address.used,
        "typed": address.typed,
        "address_kind": address.kind.value,
    }
    if contact.name:
        personal["field.name"] = contact.name
    if contact.organization:
        personal["field.organization"] = contact.organization
    return personal


def _holding(history: Iterable[Event], case_id: str) -> list[Event]:
    """The last of each hold that stands for another case: this one is being decided."""
    history = list(history)
    standing = holds.standing(history) - {SOFT_BOUNCES, case_id}
    last = {hold_of(event): event for event in history if event.kind is EventKind.HELD}
    return [last[hold] for hold in sorted(standing)]


def _carried(event: Event, old_id: str, new_id: str, case_id: str) -> Event:
    details = {name: said for name, said in event.details.items() if name not in _OF_THE_MAIL}
    details["moved_from"] = old_id
    if "submission_id" in details:
        details["submission_id"] = event_id(case_id, details["submission_id"])
    kind = EventKind.UNSUBSCRIBED if event.kind is EventKind.ERASED else event.kind
    return replace(
        event,
        contact_id=new_id,
        event_id=event_id(case_id, event.event_id),
        kind=kind,
        details=details,
        personal={},
    )
