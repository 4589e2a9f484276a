"""The eligibility rule said again, from the requirements, one sentence at a time.

Nothing here knows registers, marks or projections: each sentence of the rule is asked of the
whole list of events. It is slow, and was written before ``eligibility.py`` was read.
Two moments within one millisecond are the same moment: there a refusal, bounce or hold wins
over what would lift it ("unsubscribe always wins"; default deny, U1). Which of two statements
of one kind is the last is then for the event's key, the documented total order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared.domain.address import AddressKind
from shared.domain.events import Event, EventKind, Source, stamp

REFUSALS = {
    EventKind.UNSUBSCRIBED,
    EventKind.PHONE_REFUSED,
    EventKind.IN_PERSON_REFUSED,
    EventKind.COMPLAINED,
    EventKind.ERASED,
}
YES_IN_PERSON = {
    EventKind.PHONE_ACCEPTED,
    EventKind.IN_PERSON_ACCEPTED,
    # Not in the rule's list; the issue calls the undo of an unsubscribe "an explicit yes".
    EventKind.RESUBSCRIBED,
}


def naive_eligible(contact_id: str, events: Iterable[Event], *, statute: bool) -> bool:
    """May this address receive a campaign? All of the rule's sentences must hold."""
    history = [event for event in events if event.contact_id == contact_id]
    return (
        _there_is_an_address(history)
        and _a_permission_stands(history)
        and _no_refusal_stands(history)
        and _is_deliverable(history)
        and _overseas_said_yes(history)
        and (not statute or _statute(history))
    )


def _there_is_an_address(history: Sequence[Event]) -> bool:
    """ "Erasing removes the address": there is one if one was given since.

    Changing to another address removes it too, whatever brings it back, until the person says
    yes at this one again or changes back.
    """
    last = _last_about_the_address(history)
    moves = [event for event in history if event.kind is EventKind.MOVED]
    moved = max(moves, key=lambda event: event.key, default=None)
    return (
        last is not None
        and "address" in last.personal
        and (
            moved is None
            or not _moves_away(moved)
            or any(yes > stamp(moved.at) for yes in _moments_of_yes(history))
        )
    )


def _moves_away(event: Event) -> bool:
    return event.kind is EventKind.MOVED and "to" in event.details


def _last_about_the_address(history: Sequence[Event]) -> Event | None:
    facts = [
        event
        for event in history
        if "address" in event.personal or event.kind is EventKind.ERASED or _moves_away(event)
    ]
    return max(facts, key=lambda event: event.key, default=None)


def _a_permission_stands(history: Sequence[Event]) -> bool:
    """1. Confirmed box, notice on a web form or in person, yes on the phone, or import."""
    return bool(_moments_of_yes(history)) or any(
        event.kind in {EventKind.IMPORTED_CONSENT, EventKind.IMPORTED_NOTICE}
        or (
            event.kind is EventKind.NOTIFIED and event.source in {Source.WEB_FORM, Source.IN_PERSON}
        )
        for event in history
    )


def _no_refusal_stands(history: Sequence[Event]) -> bool:
    """2, 3. After each refusal there is a new explicit yes. In one moment the refusal wins."""
    return all(
        any(yes > stamp(refusal.at) for yes in _moments_of_yes(history))
        for refusal in history
        if refusal.kind in REFUSALS
    )


def _moments_of_yes(history: Sequence[Event]) -> list[str]:
    """Each explicit yes of the person, at the moment they gave it.

    "A ticked box (confirmed)" is a yes from when it was ticked: the person said it then.
    """
    said = _times(history, *YES_IN_PERSON)
    for ticked in history:
        confirmed = any(
            event.kind is EventKind.REGISTERED
            and event.details.get("submission_id") == ticked.event_id
            for event in history
        )
        if ticked.kind is EventKind.OPTED_IN and confirmed:
            said.append(stamp(ticked.at))
    return said


def _is_deliverable(history: Sequence[Event]) -> bool:
    """4. Every hard bounce was lifted later, every hold released later by what placed it.

    An old docomo or au form is kept but not mailed (law-and-mail E1).
    """
    lifted = _times(history, EventKind.BOUNCE_LIFTED)
    last = _last_about_the_address(history)
    return (
        all(any(later > b for later in lifted) for b in _times(history, EventKind.BOUNCED))
        and not naive_holds(history)
        and not (last and last.personal.get("address_kind") == AddressKind.LEGACY_CARRIER)
    )


def naive_holds(history: Iterable[Event]) -> set[str]:
    """The holds that were never ended by what placed them: cases, or repeated soft bounces."""
    history = list(history)
    return {
        placed.details.get("case_id", "soft_bounces")
        for placed in history
        if placed.kind is EventKind.HELD
        and not any(
            ended.kind is EventKind.RELEASED
            and ended.details.get("case_id") == placed.details.get("case_id")
            and stamp(ended.at) > stamp(placed.at)
            for ended in history
        )
    }


def _overseas_said_yes(history: Sequence[Event]) -> bool:
    """5. Known to be in the EU, EEA or UK by the last statement: an explicit yes is needed."""
    statements = [event for event in history if event.kind is EventKind.RESIDENCE_STATED]
    last = max(statements, key=lambda event: event.key, default=None)
    return last is None or last.details["region"] != "EU" or _ever_said_yes(history)


def _statute(history: Sequence[Event]) -> bool:
    """6. A notice alone never grants: an explicit yes, or a business relationship or writing."""
    return _ever_said_yes(history) or bool(_times(history, EventKind.BASIS_RECORDED))


def _ever_said_yes(history: Sequence[Event]) -> bool:
    """Also to a former keeper of the list. (Whether it still stands is 2 and 3.)"""
    return bool(_moments_of_yes(history) or _times(history, EventKind.IMPORTED_CONSENT))


def _times(history: Sequence[Event], *kinds: EventKind) -> list[str]:
    return [stamp(event.at) for event in history if event.kind in kinds]
