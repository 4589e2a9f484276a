"""A change of address takes along what was granted and refused, and nothing else (R1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain import holds
from shared.domain.address import parse_address
from shared.domain.audience import origin_of
from shared.domain.contact import SOFT_BOUNCES, hold_of, project
from shared.domain.eligibility import Profile, judge
from shared.domain.events import Event, EventKind, Source
from shared.domain.moving import CARRIED, followed, follows, moves
from shared.domain.registration import confirmation
from tests.unit.naive import naive_eligible
from tests.unit.populations import KINDS, events_of

OLD, NEW = "a" * 32, "b" * 32
CASE, OTHER_CASE = "1" * 32, "2" * 32
START = datetime(2026, 9, 1, tzinfo=UTC)
AT = START + timedelta(days=100)
ADDRESS = parse_address("New.Taro@example.com")
PERSONAL = {
    "address": "taro@example.jp", "typed": "taro@example.jp", "address_kind": "standard",
    "field.name": "山田太郎", "field.company": "山田商店", "source_ip": "192.0.2.1",
}  # fmt: skip


def move(history: Sequence[Event], at: datetime = AT, **more: Any) -> list[Event]:
    return moves(
        history,
        **{"old_id": OLD, "new_id": NEW, "address": ADDRESS, "case_id": CASE, **more},
        at=at,
    )


def fact(kind: EventKind, day: int, who: str = OLD, **more: Any) -> Event:
    at = START + timedelta(days=day)
    return Event(who, f"{kind}{day}", kind, at, more.pop("source", Source.WEB_FORM), **more)


def of(contact_id: str, events: Sequence[Event]) -> list[Event]:
    return [event for event in events if event.contact_id == contact_id]


def test_every_kind_is_carried_or_stays_for_a_reason() -> None:
    stays = {
        EventKind.BOUNCED, EventKind.SOFT_BOUNCED, EventKind.BOUNCE_LIFTED,  # of the mailbox
        EventKind.HELD, EventKind.RELEASED,  # only what stands is carried
        EventKind.UNSUBSCRIBE_REASON,  # decides nothing
        EventKind.MOVED,
    }  # fmt: skip
    assert set(EventKind) - CARRIED == stays


def test_the_new_address_and_the_name_come_with_it_and_nothing_personal_else() -> None:
    history = [fact(EventKind.NOTIFIED, 0, personal=PERSONAL, details={"form_id": "f"})]
    events = move(history)
    assert [e.kind for e in events] == [EventKind.MOVED, EventKind.NOTIFIED, EventKind.MOVED]
    old = project(OLD, [*history, *of(OLD, events)])
    assert (old.address, old.moved_to, old.is_listed) == ("", NEW, False)
    assert judge(old, Profile.MANUAL).reason == "moved"
    new = project(NEW, of(NEW, events))
    assert new.address == ADDRESS.used == "New.Taro@example.com"
    assert (new.name, new.organization) == ("山田太郎", "山田商店")
    assert judge(new, Profile.MANUAL).eligible
    before, after = origin_of(project(OLD, history)), origin_of(new)
    assert before == after, "who came by a form still did"
    assert not any("192.0.2.1" in repr(e) or "taro@example.jp" in repr(e) for e in events)
    assert "example" not in repr([e.details for e in events])
    assert {e.source for e in events if e.kind is EventKind.MOVED} == {Source.REPLY}


def test_nothing_of_oneself_said_nothing_carried() -> None:
    personal = {name: PERSONAL[name] for name in ("address", "typed", "address_kind")}
    new = project(NEW, of(NEW, move([fact(EventKind.NOTIFIED, 0, personal=personal)])))
    assert (new.name, new.organization) == ("", "")


def test_a_retry_writes_the_same_wherever_it_broke_off() -> None:
    history = [
        fact(EventKind.NOTIFIED, 0, personal=PERSONAL),
        fact(EventKind.HELD, 1, details={"case_id": OTHER_CASE}),
    ]
    events = move(history)
    assert events[0].contact_id == OLD, "first of all the old address is left"
    for written in range(1, len(events) + 1):
        recorded = of(OLD, events[:written])
        assert move([*history, *recorded], AT + timedelta(hours=1)) == events


def test_an_opt_in_can_still_be_confirmed_and_a_confirmation_keeps_its_moment() -> None:
    """A3."""
    ticked = fact(EventKind.OPTED_IN, 0, source=Source.MUNICIPAL_LP, personal=PERSONAL)
    new = of(NEW, move([ticked]))
    contact = project(NEW, new)
    assert contact.is_pending
    confirmed = confirmation(contact, new, new[0].event_id, operator="cs-1", now=AT)
    assert judge(project(NEW, [*new, confirmed]), Profile.MANUAL).eligible
    registered = confirmation(
        project(OLD, [ticked]), [ticked], ticked.event_id, operator="cs-1", now=AT
    )
    new = of(NEW, move([ticked, registered], AT + timedelta(days=1)))
    assert confirmation(project(NEW, new), new, new[0].event_id, operator="x", now=AT) == new[1]
    assert new[1].consent_at == ticked.at
    assert new[1].wording is ticked.wording


def test_a_refusal_moves_too_and_loses_nobody_twice() -> None:
    """S4; figures count a stop by its campaign, and it was the old address's."""
    history = [
        fact(EventKind.NOTIFIED, 0, personal=PERSONAL),
        fact(EventKind.UNSUBSCRIBED, 1, details={"campaign_id": "c", "message_id": "m"}),
    ]
    new = of(NEW, move(history))
    assert judge(project(NEW, new), Profile.MANUAL).reason == "unsubscribed"
    assert dict(new[1].details) == {"moved_from": OLD}
    erased = [*history[:1], fact(EventKind.ERASED, 1), fact(EventKind.NOTIFIED, 2)]
    new = of(NEW, move(erased))
    assert judge(project(NEW, new), Profile.MANUAL).reason == "unsubscribed"
    assert EventKind.ERASED not in {e.kind for e in new}, "nothing was erased there"


def test_what_was_said_at_the_new_address_since_stands() -> None:
    there = [fact(EventKind.UNSUBSCRIBED, 5, NEW)]
    earlier_yes = [fact(EventKind.PHONE_ACCEPTED, 1, personal=PERSONAL)]
    later_yes = [fact(EventKind.PHONE_ACCEPTED, 9, personal=PERSONAL)]
    for yes, reason in ((earlier_yes, "unsubscribed"), (later_yes, "eligible")):
        events = [*there, *of(NEW, move(yes))]
        assert judge(project(NEW, events), Profile.MANUAL).reason == reason


def test_the_holds_of_other_cases_move_and_the_mailboxs_stays() -> None:
    history = [
        fact(EventKind.PHONE_ACCEPTED, 0, personal=PERSONAL),
        fact(EventKind.HELD, 1, details={"case_id": CASE}),
        fact(EventKind.HELD, 2, details={"case_id": OTHER_CASE}),
        fact(EventKind.HELD, 3, details={"case_id": "3" * 32}),
        fact(EventKind.RELEASED, 4, details={"case_id": "3" * 32}),
        fact(EventKind.HELD, 5, details={"reason": SOFT_BOUNCES}),
        fact(EventKind.BOUNCED, 6),
    ]
    new = of(NEW, move(history))
    assert holds.standing(new) == {OTHER_CASE}
    released = holds.released(new, OTHER_CASE, contact_id=NEW, at=AT, source=Source.STAFF)
    assert released is not None
    assert judge(project(NEW, [*new, released]), Profile.MANUAL).eligible


def test_another_spelling_of_the_same_address() -> None:
    history = [fact(EventKind.NOTIFIED, 0, personal=PERSONAL)]
    [arrival] = move(history, new_id=OLD)
    contact = project(OLD, [*history, arrival])
    assert (contact.address, contact.name) == ("New.Taro@example.com", "山田太郎")
    assert judge(contact, Profile.MANUAL).eligible


def test_back_again_and_on_from_where_one_has_left() -> None:
    first = [fact(EventKind.PHONE_ACCEPTED, 0, personal=PERSONAL)]
    there = move(first)
    back = move(of(NEW, there), AT + timedelta(days=1), old_id=NEW, new_id=OLD, case_id=OTHER_CASE)
    old = [*first, *of(OLD, there), *of(OLD, back)]
    assert judge(project(OLD, old), Profile.MANUAL).eligible
    assert [e.kind for e in back] == [EventKind.MOVED, EventKind.MOVED], "it was theirs before"
    new = project(NEW, [*of(NEW, there), *of(NEW, back)])
    assert judge(new, Profile.MANUAL).reason == "moved"
    # The old mailbox asks once more, for a third address: the permission is with the new one.
    third = "c" * 32
    left = [*first, *of(OLD, there), fact(EventKind.UNSUBSCRIBED, 50)]
    on = move(left, AT + timedelta(days=2), new_id=third, case_id=OTHER_CASE)
    assert [e.kind for e in of(third, on)] == [EventKind.UNSUBSCRIBED, EventKind.MOVED]


draws = st.tuples(st.sampled_from(KINDS), st.just("seminar"), st.integers(0, 90))
histories = st.lists(draws, max_size=8)
_ID = re.compile("^0{20}.{4}$")
OF_THE_MAILBOX = {EventKind.BOUNCED, EventKind.BOUNCE_LIFTED}


@settings(max_examples=600, deadline=None, print_blob=True)
@given(histories, histories)
def test_eligibility_moves_and_combines_by_time(
    old: list[tuple[EventKind, str, int]], new: list[tuple[EventKind, str, int]]
) -> None:
    """As if all that the person ever said had been said at the new address."""
    old_history, there = events_of(OLD, old), events_of(NEW, new)
    moved = move(old_history)
    assert not judge(project(OLD, [*old_history, *of(OLD, moved)]), Profile.MANUAL).eligible
    after = [*there, *of(NEW, moved)]
    has_left = judge(project(OLD, old_history), Profile.MANUAL).reason == "moved"
    said = [
        replace(
            event,
            contact_id=NEW,
            event_id=f"old-{event.event_id}",
            details={name: _ID.sub("old-\\g<0>", told) for name, told in event.details.items()},
            personal={},
        )
        for event in old_history
        if event.kind not in {*OF_THE_MAILBOX, EventKind.MOVED}
        and not (event.kind is EventKind.HELD and hold_of(event) == SOFT_BOUNCES)
        and not (has_left and event.kind in _GRANTS)
    ]
    for profile in Profile:
        expected = naive_eligible(
            NEW, [*there, *said, moved[-1]], statute=profile is Profile.STATUTE
        )
        assert judge(project(NEW, after), profile).eligible == expected
    contact = project(NEW, after)
    assert contact.is_listed or not judge(contact, Profile.MANUAL).eligible


_GRANTS = CARRIED - {
    EventKind.UNSUBSCRIBED, EventKind.PHONE_REFUSED, EventKind.IN_PERSON_REFUSED,
    EventKind.COMPLAINED, EventKind.ERASED,
}  # fmt: skip


def test_a_stop_follows_the_person_and_an_erasure_is_the_address_own() -> None:
    kinds = {kind for kind in EventKind if follows(fact(kind, 1))}
    assert kinds == {
        EventKind.UNSUBSCRIBED, EventKind.PHONE_REFUSED, EventKind.IN_PERSON_REFUSED,
        EventKind.COMPLAINED,
    }  # fmt: skip
    stop = fact(EventKind.UNSUBSCRIBED, 1, personal=PERSONAL, details={"campaign_id": "c"})
    copy = followed(stop, NEW)
    assert (copy.contact_id, copy.kind, copy.at) == (NEW, stop.kind, stop.at)
    assert (copy.details, copy.personal) == ({"moved_from": OLD}, {})
    assert copy == followed(stop, NEW)
