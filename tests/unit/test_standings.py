"""How the table stands: every contact in one place, the counts the sum of the places."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.audience import EVERYONE, Audience, matches
from shared.domain.contact import Contact
from shared.domain.eligibility import Profile, judge
from shared.domain.events import Source
from shared.domain.standings import (
    ELIGIBLE,
    Group,
    Standing,
    asks_for_whole_months,
    months,
    moves,
    reason_under,
    standing_of,
    tally,
)
from tests.unit.populations import START, audiences, contact_of_draws, histories

ME = "a" * 32
PROPERTY = settings(deadline=None, max_examples=500)
JST = timezone(timedelta(hours=9))
month_starts = st.sampled_from([datetime(2026, month, 1, tzinfo=JST) for month in (9, 10, 11, 12)])


@PROPERTY
@given(histories)
def test_a_standing_means_the_verdict_of_either_profile(drawn: Any) -> None:
    contact = contact_of_draws(ME, drawn)
    standing = standing_of(contact)
    assert (standing.contact_id, standing.version) == (ME, contact.version)
    for profile in Profile:
        assert reason_under(profile, standing.reason) == judge(contact, profile).reason


@PROPERTY
@given(
    st.lists(histories, min_size=1, max_size=8),
    audiences,
    st.none() | month_starts,
    st.none() | month_starts,
    st.sampled_from(Profile),
)
def test_the_counts_are_those_of_counting_everyone(
    population: list[Any], asked: Audience, start: Any, end: Any, profile: Profile
) -> None:
    """Exactly, where dates are whole months."""
    audience = Audience(asked.sources, asked.form_ids, asked.municipalities, start, end)
    assert asks_for_whole_months(audience)
    contacts = [contact_of_draws(f"{n:032x}", drawn) for n, drawn in enumerate(population)]
    counts = moves((None, standing_of(contact)) for contact in contacts)
    told = {
        reason: sum(groups.values()) for reason, groups in tally(counts, audience, profile).items()
    }
    assert told == Counter(
        judge(contact, profile).reason for contact in contacts if matches(contact, audience)
    )


@PROPERTY
@given(st.lists(histories, min_size=1, max_size=5), audiences, st.sampled_from(Profile))
def test_a_part_of_a_month_counts_as_the_month(
    population: list[Any], audience: Audience, profile: Profile
) -> None:
    """Never fewer than are meant."""
    contacts = [contact_of_draws(f"{n:032x}", drawn) for n, drawn in enumerate(population)]
    counts = moves((None, standing_of(contact)) for contact in contacts)
    told = tally(counts, audience, profile)
    meant = Counter(judge(c, profile).reason for c in contacts if matches(c, audience))
    assert all(sum(told[reason].values()) >= count for reason, count in meant.items())


def test_a_move_takes_from_one_place_and_gives_to_another() -> None:
    here, there = (Group("2026-11", "phone", "", ""), Group("2026-12", "phone", "", ""))
    was = Standing(ME, ELIGIBLE, here, 1)
    assert moves([(None, was)]) == {here: {ELIGIBLE: 1}}
    assert moves([(was, Standing(ME, "bounced", here, 2))]) == {here: {ELIGIBLE: -1, "bounced": 1}}
    assert moves([(was, Standing(ME, ELIGIBLE, there, 2))]) == {
        here: {ELIGIBLE: -1},
        there: {ELIGIBLE: 1},
    }
    assert moves([(was, Standing(ME, ELIGIBLE, here, 2))]) == {}, "nothing that counts changed"


def test_contacts_of_which_nothing_is_known_have_a_place_too() -> None:
    standing = standing_of(Contact(ME))
    assert standing == Standing(ME, "no_address", Group("", "", "", ""), 0)
    counts = moves([(None, standing)])
    assert tally(counts, EVERYONE, Profile.MANUAL) == {"no_address": {standing.group: 1}}
    for asked in (
        Audience(sources=frozenset({Source.PHONE})),
        Audience(registered_from=START),
        Audience(registered_until=START),
    ):
        assert tally(counts, asked, Profile.MANUAL) == {}


def test_what_is_not_above_zero_is_not_told() -> None:
    """Counts can be read while they move: the index is behind, item by item."""
    group = Group("2026-11", "phone", "", "")
    assert tally({group: {"bounced": 0, ELIGIBLE: -1}}, EVERYONE, Profile.MANUAL) == {}


@pytest.mark.parametrize(
    ("start", "end", "expected", "whole"),
    [
        (None, None, ("", ""), True),
        (datetime(2026, 11, 1, tzinfo=JST), None, ("2026-11", ""), True),
        (datetime(2026, 10, 31, 15, tzinfo=UTC), None, ("2026-11", ""), True),
        (datetime(2026, 11, 1, tzinfo=UTC), None, ("2026-11", ""), False),
        (None, datetime(2026, 12, 1, tzinfo=JST), ("", "2026-11"), True),
        (None, datetime(2026, 12, 1, 0, 0, 1, tzinfo=JST), ("", "2026-12"), False),
        (
            datetime(2026, 11, 24, tzinfo=JST),
            datetime(2027, 1, 1, tzinfo=JST),
            ("2026-11", "2026-12"),
            False,
        ),
    ],
)
def test_months_of_an_audience(start: Any, end: Any, expected: tuple[str, str], whole: Any) -> None:
    audience = Audience(registered_from=start, registered_until=end)
    assert months(audience) == expected
    assert asks_for_whole_months(audience) is whole
