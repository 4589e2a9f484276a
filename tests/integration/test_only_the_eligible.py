"""No mail leaves for an ineligible address, whatever happened to it before (U1).

Random histories of many people are recorded in the order they arrive, a campaign is sent
through the real sender to all of them, and who got a mail is held against the naive
re-statement of the rule, which knows nothing of registers, indexes or ledgers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.adapters.contacts import shard_of
from shared.adapters.jobs import Job, JobQueue
from shared.domain.eligibility import Profile
from shared.domain.events import Event, EventKind
from tests.integration.fakes import START
from tests.integration.test_faults import Run, work_off
from tests.integration.world import World, fact, id_of
from tests.unit.naive import naive_eligible

CAMPAIGN = "5f2b8c0d9e71"
PEOPLE = tuple(f"person-{number}@example.jp" for number in range(4))
# Grants more often than chance would have it, or hardly anybody got a mail.
KINDS = (
    *EventKind,
    *(EventKind.NOTIFIED, EventKind.OPTED_IN, EventKind.REGISTERED, EventKind.RESUBSCRIBED) * 6,
)

Happening = tuple[str, EventKind, int]
happenings: st.SearchStrategy[list[Happening]] = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(KINDS), st.integers(0, 40)),
    max_size=16,
)


def _histories(happened: Sequence[Happening]) -> list[Event]:
    """In the order of arrival; times may run backwards. A registration confirms an opt-in."""
    events: list[Event] = []
    for email, kind, moment in happened:
        contact, at = id_of(email), START + timedelta(milliseconds=moment)
        ticks = [e for e in events if e.contact_id == contact and e.kind is EventKind.OPTED_IN]
        if kind is EventKind.REGISTERED and not ticks:
            kind = EventKind.OPTED_IN  # noqa: PLW2901 (the staff API makes no orphan)
        more: dict[str, Any] = {}
        if kind is EventKind.REGISTERED:
            at = max(at, ticks[-1].at)
            more = {"consent_at": ticks[-1].at, "details": {"submission_id": ticks[-1].event_id}}
        elif kind is EventKind.RESIDENCE_STATED:
            more = {"details": {"region": "EU"}}
        events.append(fact(contact, kind, at, email=email, **more))
    return events


@settings(
    deadline=None,
    print_blob=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(happened=happenings, statute=st.booleans())
def test_who_gets_the_mail_is_who_the_rule_names(
    small_world: World,
    cases: Callable[[str, int], None],
    happened: list[Happening],
    statute: bool,
) -> None:
    world = small_world
    world.begin()
    world.settings["eligibility_profile"] = Profile.STATUTE if statute else Profile.MANUAL
    events = _histories(happened)
    for event in events:
        world.contacts.record(event)
    shards = sorted({shard_of(id_of(email)) for email in PEOPLE})
    world.under_way(CAMPAIGN, shards)
    jobs = JobQueue(cast("Any", world.queue), world.queue.url)
    jobs.put([Job(CAMPAIGN, shard) for shard in shards])
    work_off(Run(world))
    named = {
        email
        for email in PEOPLE
        if naive_eligible(
            id_of(email),
            [event for event in events if event.contact_id == id_of(email)],
            statute=statute,
        )
    }
    assert world.mails_per_person() == dict.fromkeys(named, 1)
    cases("people whose mail the naive rule decided", len(PEOPLE))
    cases("mails among them", len(named))
