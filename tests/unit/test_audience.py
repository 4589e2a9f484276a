"""Whom a campaign is meant for: sources, forms, municipalities, dates, earlier campaigns."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.audience import EVERYONE, Audience, matches, origin_of
from shared.domain.contact import Contact
from shared.domain.events import EventKind, Source
from tests.unit.populations import (
    START,
    audiences,
    contact_of_draws,
    events_of,
    histories,
    naive_matches,
)

ME = "a" * 32
OPTED_IN = (EventKind.OPTED_IN, "sakura-city", 1)
REGISTERED = (EventKind.REGISTERED, "sakura-city", 5)
STOPPED = (EventKind.UNSUBSCRIBED, "", 7)
CAME_BACK = (EventKind.RESUBSCRIBED, "", 9)


@settings(deadline=None, max_examples=1_000)
@given(histories, audiences)
def test_an_audience_is_what_its_words_say(drawn: Any, audience: Audience) -> None:
    expected = naive_matches(events_of(ME, drawn), audience)
    assert matches(contact_of_draws(ME, drawn), audience) == expected


@settings(deadline=None)
@given(
    histories, audiences, st.sampled_from([field.name for field in dataclasses.fields(Audience)])
)
def test_a_condition_less_takes_nobody_out(drawn: Any, audience: Audience, name: str) -> None:
    contact = contact_of_draws(ME, drawn)
    fewer = replace(audience, **{name: getattr(EVERYONE, name)})
    assert matches(contact, fewer) or not matches(contact, audience)
    assert matches(contact, EVERYONE)


def test_a_confirmed_opt_in_came_by_its_form_when_the_box_was_ticked() -> None:
    origin = origin_of(contact_of_draws(ME, [OPTED_IN, REGISTERED]))
    assert origin is not None
    assert (origin.source, origin.form_id, origin.municipality) == (
        Source.MUNICIPAL_LP,
        "sakura-city",
        "さくら市",
    )
    assert origin.at == START + timedelta(days=1)


def test_an_undo_takes_nobody_out_of_an_audience() -> None:
    origin = origin_of(contact_of_draws(ME, [OPTED_IN, REGISTERED, STOPPED, CAME_BACK]))
    assert origin is not None
    assert (origin.source, origin.form_id) == (Source.MUNICIPAL_LP, "sakura-city")
    assert origin.at == START + timedelta(days=9, milliseconds=3), "the permission is a new one"


def test_one_who_only_came_back_came_by_the_link() -> None:
    origin = origin_of(contact_of_draws(ME, [CAME_BACK]))
    assert origin is not None
    assert (origin.source, origin.form_id) == (Source.LINK, "")


def test_one_who_waits_for_an_advisor_counts_by_the_form_post() -> None:
    waiting = contact_of_draws(ME, [OPTED_IN])
    assert matches(waiting, Audience(form_ids=frozenset({"sakura-city"})))
    assert not matches(waiting, Audience(form_ids=frozenset({"seminar"})))


@pytest.mark.parametrize(
    "asked",
    [
        {"sources": frozenset({Source.PHONE})},
        {"form_ids": frozenset({"seminar"})},
        {"municipalities": frozenset({"さくら市"})},
        {"registered_from": START},
        {"registered_until": START},
    ],
)
def test_one_of_whom_nothing_is_known_is_meant_only_where_nothing_is_asked(
    asked: dict[str, Any],
) -> None:
    for nobody in (Contact(ME), contact_of_draws(ME, [STOPPED])):
        assert origin_of(nobody) is None
        assert matches(nobody, EVERYONE)
        assert not matches(nobody, Audience(**asked))


@pytest.mark.parametrize(
    ("received", "wanted", "unwanted", "meant"),
    [
        ([], "c1", "", False),
        (["c1"], "c1", "", True),
        (["c2"], "c1", "", False),
        ([], "", "c1", True),
        (["c1"], "", "c1", False),
        (["c1", "c2"], "c1", "c2", False),
        (["c1"], "c1", "c2", True),
    ],
)
def test_earlier_campaigns(received: list[str], wanted: str, unwanted: str, meant: bool) -> None:
    audience = Audience(received=wanted, not_received=unwanted)
    assert matches(contact_of_draws(ME, [OPTED_IN, REGISTERED]), audience, received) is meant


def test_dates_are_from_inclusive_until_exclusive() -> None:
    contact = contact_of_draws(ME, [(EventKind.NOTIFIED, "seminar", 1)])
    day, moment = START + timedelta(days=1), timedelta(milliseconds=1)
    assert matches(contact, Audience(registered_from=day))
    assert not matches(contact, Audience(registered_from=day + moment))
    assert not matches(contact, Audience(registered_until=day))
    assert matches(contact, Audience(registered_until=day + moment))
