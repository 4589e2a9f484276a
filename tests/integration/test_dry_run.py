"""A dry run says whom an audience would reach and why not the rest, and touches nobody (U1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.staff_api import app as staff_api
from shared.adapters.ledger import Candidate, Result
from shared.domain.audience import Audience
from shared.domain.campaigns import Campaign, Outcome
from shared.domain.contact import project
from shared.domain.eligibility import Profile, judge
from shared.domain.events import Event, EventKind, Source, stamp
from shared.domain.standings import asks_for_whole_months
from tests.integration.test_standings import change, deliver, stream_of
from tests.integration.world import MUNICIPAL, WEB, Answer, LambdaContext, World, id_of
from tests.unit.naive import naive_eligible
from tests.unit.populations import audiences, events_of, histories, naive_matches

CAMPAIGN, EARLIER = "5f2b8c0d9e71", "0a1b2c3d4e5f"
PEOPLE = tuple(f"p{number}@example.jp" for number in range(8))


def counted(world: World) -> None:
    """The stream has told everything."""
    deliver(world, [change(item) for item in world.table("contacts")])


def dry_run(world: World, **audience: Any) -> Any:
    answer = world.ask_staff("POST", "/audience/dry-run", audience)
    assert answer.status == 200, answer.text
    return answer.json


def plain(audience: Audience) -> dict[str, Any]:
    dates = {"from": audience.registered_from, "until": audience.registered_until}
    return {
        "sources": sorted(audience.sources),
        "form_ids": sorted(audience.form_ids),
        "municipalities": sorted(audience.municipalities),
        **{f"registered_{name}": stamp(at) for name, at in dates.items() if at},
    }


def told(answer: Any) -> dict[str, int]:
    return {part["reason"]: part["count"] for part in answer["rest"]}


def by_counting_everyone(
    people: dict[str, Sequence[Event]], audience: Audience, profile: Profile
) -> tuple[int, Counter[str]]:
    """Eligible, and the rest by reason: every history read, every rule said in words."""
    meant = {name: events for name, events in people.items() if naive_matches(events, audience)}
    statute = profile is Profile.STATUTE
    good = {name for name, e in meant.items() if naive_eligible(name, e, statute=statute)}
    rest = Counter(
        judge(project(name, events), profile).reason
        for name, events in meant.items()
        if name not in good
    )
    return len(good), rest


def _has_some_time(audience: Audience) -> bool:
    start, end = audience.registered_from, audience.registered_until
    return start is None or end is None or start < end


@settings(
    max_examples=40,
    deadline=None,
    print_blob=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    population=st.lists(histories, min_size=1, max_size=7),
    audience=audiences.filter(_has_some_time),
    profile=st.sampled_from(Profile),
)
def test_it_equals_counting_everyone(
    small_world: World, population: list[Any], audience: Audience, profile: Profile
) -> None:
    world = small_world
    world.begin()
    world.settings["eligibility_profile"] = profile
    deliver(world, stream_of(world, population))
    people: dict[str, Sequence[Event]] = {
        (name := id_of(email := f"p{number}@example.jp")): events_of(name, drawn, email)
        for number, drawn in enumerate(population)
    }
    before = world.tables()
    answer = dry_run(world, **plain(audience))
    assert world.tables() == before, "a dry run touches nobody"
    eligible, rest = by_counting_everyone(people, audience, profile)
    assert answer["eligible"] == eligible
    assert answer["eligible_is_exact"]
    assert answer["not_eligible"] == sum(told(answer).values())
    if asks_for_whole_months(audience):
        assert told(answer) == rest
    else:
        assert all(told(answer)[reason] >= count for reason, count in rest.items())
    for part in answer["rest"]:
        assert len(part["samples"]) <= 3
        assert len(part["samples"]) >= min(3, rest[part["reason"]]) or not asks_for_whole_months(
            audience
        )
        for sample in part["samples"]:
            history = people[sample["contact_id"]]
            assert naive_matches(history, audience)
            assert judge(project(sample["contact_id"], history), profile).reason == part["reason"]


def test_reasons_with_words_and_masked_samples(world: World) -> None:
    for email in PEOPLE[:2]:
        world.confirmed(email)
    for email in PEOPLE[2:7]:
        world.happened(email, EventKind.OPTED_IN)
    world.confirmed(PEOPLE[7])
    world.happened(PEOPLE[7], EventKind.UNSUBSCRIBED, source=Source.LINK)
    counted(world)
    answer = dry_run(world)
    assert (answer["eligible"], answer["not_eligible"]) == (2, 6)
    waiting, stopped = answer["rest"]
    assert (waiting["reason"], waiting["count"]) == ("opt_in_unconfirmed", 5)
    assert (stopped["reason"], stopped["count"]) == ("unsubscribed", 1)
    assert waiting["reason_ja"] != "opt_in_unconfirmed"
    assert len({sample["contact_id"] for sample in waiting["samples"]}) == 3
    assert [sample["contact_id"] for sample in stopped["samples"]] == [id_of(PEOPLE[7])]
    text = str(answer)
    assert not any(email in text for email in PEOPLE)
    assert stopped["samples"][0]["address"] == "p***@***.jp"
    assert [note["code"] for note in answer["notes"]] == ["rest_may_lag"]


def test_an_empty_audience_says_so(world: World) -> None:
    answer = dry_run(world, form_ids=["no-such-form"])
    assert (answer["eligible"], answer["not_eligible"], answer["rest"]) == (0, 0, [])
    assert answer["eligible_is_exact"]
    assert answer["notes"][0]["code"] == "nobody_eligible"


def test_of_a_campaign(world: World) -> None:
    world.confirmed(PEOPLE[0])
    world.happened(PEOPLE[1], EventKind.NOTIFIED, details={"form_id": WEB})
    audience = Audience(form_ids=frozenset({WEB}))
    world.campaigns.create(
        Campaign(CAMPAIGN, "件名", "本文", "cs-someone", world.clock.now(), audience=audience)
    )
    answer = world.ask_staff("POST", f"/campaigns/{CAMPAIGN}/dry-run")
    assert answer.json["eligible"] == 1
    unknown = world.ask_staff("POST", f"/campaigns/{EARLIER}/dry-run")
    assert (unknown.status, unknown.json["title"]) == (404, "Not Found")


def test_one_erased_has_no_address_to_mask(world: World) -> None:
    world.confirmed(PEOPLE[0])
    world.happened(PEOPLE[0], EventKind.ERASED, source=Source.STAFF)
    counted(world)
    [part] = dry_run(world)["rest"]
    assert part["samples"] == [{"contact_id": id_of(PEOPLE[0]), "address": ""}]


def test_one_who_moved_on_is_no_sample(world: World) -> None:
    """The counts may be behind; a sample never is."""
    world.happened(PEOPLE[0], EventKind.OPTED_IN)
    counted(world)
    world.confirmed(PEOPLE[0])
    answer = dry_run(world)
    assert answer["eligible"] == 1
    assert [(part["count"], part["samples"]) for part in answer["rest"]] == [(1, [])]


def test_too_many_to_judge_in_time_are_counted(world: World) -> None:
    for email in PEOPLE[:3]:
        world.confirmed(email)
    world.happened(PEOPLE[3], EventKind.OPTED_IN)
    counted(world)
    event = world.staff("POST", "/audience/dry-run", {})
    out_of_time = LambdaContext(3_000)
    answer = Answer.of(staff_api.handler(event, out_of_time, world.staff_api()))  # type: ignore[arg-type]
    assert (answer.json["eligible"], answer.json["not_eligible"]) == (3, 1)
    assert not answer.json["eligible_is_exact"]
    assert answer.json["notes"][0]["code"] == "eligible_from_counts"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sources": ["letter"]}, "sources.0"),
        ({"registered_from": "2026-11-24T00:00:00"}, "registered_from"),
        ({"registered_from": "never"}, "registered_from"),
        ({"received": "../"}, "received"),
        ({"munipalities": []}, "munipalities"),
        (
            {
                "registered_from": "2026-11-24T00:00:00Z",
                "registered_until": "2026-11-24T00:00:00Z",
            },
            "body",
        ),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused(
    world: World, body: dict[str, Any], field: str
) -> None:
    answer = world.ask_staff("POST", "/audience/dry-run", body)
    assert answer.status == 422
    assert [problem["field"] for problem in answer.json["errors"]] == [field]


def test_an_unknown_earlier_campaign_is_a_mistake_and_not_an_empty_audience(world: World) -> None:
    answer = world.ask_staff("POST", "/audience/dry-run", {"received": EARLIER})
    assert (answer.status, answer.json["code"]) == (404, "unknown_campaign")


def test_earlier_campaigns_narrow_the_eligible_and_the_notes_say_what_they_do_not(
    world: World,
) -> None:
    for email in PEOPLE[:3]:
        world.confirmed(email)
    now = world.clock.now()
    world.campaigns.create(Campaign(EARLIER, "件名", "本文", "cs-someone", now))
    reached = Candidate(world.contacts.get(id_of(PEOPLE[0])))
    failed = Candidate(world.contacts.get(id_of(PEOPLE[1])))
    world.ledger.claim(EARLIER, "b1", [reached, failed], now)
    world.ledger.record(EARLIER, "b1", [Result(Outcome.SENT, "m1"), Result(Outcome.REJECTED)], now)
    answer = dry_run(world, received=EARLIER)
    assert answer["eligible"] == 1
    assert "rest_ignores_campaigns" in [note["code"] for note in answer["notes"]]
    assert dry_run(world, not_received=EARLIER)["eligible"] == 2
    assert dry_run(world, received=EARLIER, not_received=EARLIER)["eligible"] == 0


def test_source_and_dates(world: World) -> None:
    world.confirmed(PEOPLE[0])
    world.happened(PEOPLE[1], EventKind.NOTIFIED)
    assert dry_run(world, sources=["municipal_lp"])["eligible"] == 1
    assert dry_run(world, sources=["web_form"], form_ids=[MUNICIPAL])["eligible"] == 1
    assert dry_run(world, sources=["web_form", "municipal_lp"])["eligible"] == 2
    tomorrow = world.clock.now().replace(day=25)
    assert dry_run(world, registered_from=stamp(tomorrow))["eligible"] == 0
    partly = dry_run(world, registered_until=stamp(tomorrow))
    assert partly["eligible"] == 2
    assert "rest_by_month" in [note["code"] for note in partly["notes"]]
