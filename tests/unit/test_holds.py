"""A hold belongs to what placed it, and only that ends it (S2, U1)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain import holds
from shared.domain.contact import SOFT_BOUNCES, project
from shared.domain.eligibility import Profile, judge
from shared.domain.errors import Conflict
from shared.domain.events import Event, EventKind, Source, stamp
from shared.domain.feedback import hold_after, liftings
from tests.unit.naive import naive_holds

WHO = "a" * 32
CASES = ("1" * 32, "2" * 32, "3" * 32)
START = datetime(2026, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def is_held(history: Sequence[Event]) -> bool:
    conditions = judge(project(WHO, history), Profile.MANUAL).conditions
    return not next(each for each in conditions if each.name == "hold").met


def release(history: Sequence[Event], hold: str, at: datetime) -> Event | None:
    return holds.released(history, hold, contact_id=WHO, at=at, source=Source.STAFF)


def test_a_case_holds_until_it_is_decided() -> None:
    held = holds.held(WHO, CASES[0], START, Source.REPLY)
    assert (held.kind, held.source, dict(held.details)) == (
        EventKind.HELD, Source.REPLY, {"case_id": CASES[0]},
    )  # fmt: skip
    assert held == holds.held(WHO, CASES[0], START, Source.REPLY), "a retry is the same fact"
    assert holds.standing([held]) == {CASES[0]}
    assert release([held], CASES[1], START + HOUR) is None
    assert release([held], SOFT_BOUNCES, START + HOUR) is None
    released = release([held], CASES[0], START + HOUR)
    assert released is not None
    assert (released.kind, released.at) == (EventKind.RELEASED, START + HOUR)
    assert holds.standing([held, released]) == frozenset()
    assert release([held, released], CASES[0], START + 2 * HOUR) is None, "done already"
    again = holds.held(WHO, CASES[0], START + 3 * HOUR, Source.STAFF)
    assert again.event_id != held.event_id
    assert holds.standing([held, released, again]) == {CASES[0]}


def test_a_release_counts_even_where_the_clock_of_the_hold_was_ahead() -> None:
    held = holds.held(WHO, CASES[0], START + HOUR, Source.REPLY)
    for at in (START, START + HOUR):
        released = release([held], CASES[0], at)
        assert released is not None
        assert stamp(released.at) > stamp(held.at)
        assert not is_held([held, released])


def test_a_release_says_who_decided() -> None:
    held = holds.held(WHO, CASES[0], START, Source.REPLY)
    released = holds.released(
        [held], CASES[0], contact_id=WHO, at=START + HOUR, source=Source.STAFF,
        details={"operator": "cs-1", "case_id": CASES[1]},
    )  # fmt: skip
    assert released is not None
    assert dict(released.details) == {"operator": "cs-1", "case_id": CASES[0]}


# What may happen, and how many hours after what happened before.
happenings = st.lists(
    st.tuples(
        st.sampled_from(("held", "held", "released", "bounce", "bounce", "bounce", "lift")),
        st.sampled_from(CASES),
        st.integers(-2, 5),
    ),
    max_size=25,
)


def life(drawn: Sequence[tuple[str, str, int]]) -> list[Event]:
    """What is recorded while this happens, each fact decided on what was known by then."""
    history: list[Event] = []
    now = START
    for number, (what, case_id, hours) in enumerate(drawn):
        now += hours * HOUR
        if what == "held":
            history.append(holds.held(WHO, case_id, now, Source.REPLY))
        elif what == "released":
            released = release(history, case_id, now)
            history += [released] if released else []
        elif what == "bounce":
            details = {"message_id": str(number)}
            bounce = Event(WHO, f"b{number}", EventKind.SOFT_BOUNCED, now, Source.SES, details)
            hold = hold_after(history, bounce, bounces=2, within=timedelta(days=1))
            history += [bounce, hold] if hold else [bounce]
        else:
            with suppress(Conflict):
                history += liftings(
                    WHO, history, operator="cs-1", reason="r", request_id=str(number), now=now
                )
            assert SOFT_BOUNCES not in naive_holds(history)
    return history


@settings(max_examples=600, deadline=None, print_blob=True)
@given(happenings, st.randoms(use_true_random=False))
def test_held_as_long_as_any_hold_stands_in_whatever_order_facts_arrive(
    drawn: list[tuple[str, str, int]], random: Any
) -> None:
    history = life(drawn)
    standing = naive_holds(history)
    arrived = [*history, *random.choices(history, k=len(history))] if history else []
    random.shuffle(arrived)
    assert holds.standing(arrived) == standing
    assert set(project(WHO, arrived).holds) == standing
    assert is_held(arrived) == bool(standing)
    # Ending each of them, in any order, frees the contact only with the last.
    order = sorted(standing)
    random.shuffle(order)
    for hold in order:
        assert is_held(arrived)
        released = release(arrived, hold, START)
        assert released is not None
        arrived.insert(random.randrange(len(arrived) + 1), released)
    assert not is_held(arrived)
