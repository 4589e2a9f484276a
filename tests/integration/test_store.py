"""The contact store: one call an event, and state that is what the events say, in any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.adapters import aws
from shared.adapters.contacts import (
    SHARDS,
    ContactStore,
    Counter,
    StaleContactError,
    contact_of,
    event_item,
    event_of,
    shard_of,
)
from shared.domain.address import parse_address
from shared.domain.contact import Contact, project
from shared.domain.eligibility import Profile, judge
from shared.domain.errors import TooMany, Unavailable
from shared.domain.events import Event, EventKind, Source
from shared.domain.moving import moves
from tests.integration.fakes import START, Faults, Mode
from tests.integration.world import World, fact, held, id_of, projected

EMAIL = "hanako.yamada@example.jp"
ME = id_of(EMAIL)
SHARED = settings(
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_PERSONAL = {"address": EMAIL, "typed": EMAIL, "address_kind": "standard"}


def _no_wait(_seconds: float) -> None:
    """Tests do not sleep."""


@pytest.fixture
def sent(world: World) -> list[str]:
    """The operations that left for DynamoDB, as botocore itself reports them."""
    operations: list[str] = []

    def note(model: Any, **_more: Any) -> None:
        operations.append(model.name)

    world.dynamodb.meta.events.register("before-call.dynamodb", note, unique_id="count")
    return operations


def test_the_functions_client_reads_what_boto3_reads(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes items as they come, also those that say why a transaction was cancelled."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    client: Any = aws._session.__wrapped__().create_client("dynamodb")
    world.confirmed(EMAIL)
    key = {"contact_id": {"S": ME}}
    refused = {
        "ConditionCheck": {
            "TableName": "contacts",
            "Key": key,
            "ConditionExpression": "attribute_not_exists(contact_id)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }
    asked: tuple[Callable[[Any], Any], ...] = (
        lambda c: c.get_item(TableName="contacts", Key=key)["Item"],
        lambda c: c.scan(TableName="events")["Items"],
        lambda c: c.scan(TableName="forms")["Items"],  # lists, sets, numbers, booleans
        lambda c: c.batch_get_item(RequestItems={"contacts": {"Keys": [key]}})["Responses"],
    )
    for ask in asked:
        assert ask(client) == ask(world.dynamodb) != []
    with pytest.raises(ClientError) as error:
        client.transact_write_items(TransactItems=[refused])
    [reason] = aws.cancellation_reasons(error.value)
    assert contact_of(reason["Item"]) == world.contacts.get(ME)


def test_an_event_is_one_call_for_a_new_and_for_a_known_contact(
    world: World, sent: list[str]
) -> None:
    limits = [Counter("a", 9, START, 60), Counter("b", 9, START, 60)]
    store = world.contacts
    store.record(fact(ME, EventKind.OPTED_IN, world.clock.tick(), email=EMAIL), limits)
    assert sent == ["TransactWriteItems"]
    store.record(fact(ME, EventKind.OPTED_IN, world.clock.tick(), email=EMAIL), limits)
    store.record(fact(ME, EventKind.UNSUBSCRIBED, world.clock.tick()))
    assert sent == ["TransactWriteItems"] * 3
    world.dynamodb.meta.events.unregister("before-call.dynamodb", unique_id="count")


def test_what_is_stored_is_what_was_recorded(world: World) -> None:
    event = fact(ME, EventKind.OPTED_IN, world.clock.tick(), email=EMAIL)
    confirmed = fact(ME, EventKind.REGISTERED, world.clock.tick(), consent_at=event.at)
    for recorded in (event, confirmed):
        assert event_of(event_item(recorded)) == recorded
        world.contacts.record(recorded)
    assert world.contacts.history(ME) == [event, confirmed]
    assert world.contacts.get(ME) == project(ME, [event, confirmed])
    assert world.contacts.get("0" * 32) == Contact("0" * 32)


def test_a_limit_stores_nothing_and_repeats_do_not_count(world: World) -> None:
    limit = [Counter("a", 1, START + timedelta(hours=1), 77)]
    first = fact(ME, EventKind.NOTIFIED, world.clock.tick(), email=EMAIL)
    world.contacts.record(first, limit)
    before = world.tables()
    world.contacts.record(first, limit)
    assert world.tables() == before
    with pytest.raises(TooMany) as refused:
        world.contacts.record(fact(ME, EventKind.NOTIFIED, world.clock.tick(), email=EMAIL), limit)
    assert refused.value.retry_after == 77
    assert world.tables() == before


def test_a_decision_on_something_that_changed_is_not_stored(world: World) -> None:
    judged = world.contacts.get(ME)
    world.happened(EMAIL, EventKind.NOTIFIED)
    before = world.tables()
    with pytest.raises(StaleContactError):
        world.contacts.record_if_unchanged(
            fact(ME, EventKind.UNSUBSCRIBED, world.clock.tick()), judged
        )
    assert world.tables() == before


@pytest.mark.parametrize("conflicts", [1, 5, 6])
def test_contention_is_waited_out_a_while(world: World, conflicts: int) -> None:
    waits: list[float] = []
    faults = Faults(dict.fromkeys(range(conflicts), Mode.CONFLICT))
    store = ContactStore(faults.wrap(world.dynamodb), "contacts", "events", wait=waits.append)
    event = fact(ME, EventKind.UNSUBSCRIBED, world.clock.tick())
    before = world.tables()
    if conflicts < 6:
        store.record(event)
        assert held(world.tables()) == projected(world.tables())
    else:
        with pytest.raises(Unavailable):
            store.record(event)
        assert world.tables() == before
    assert waits == sorted(waits)
    assert sum(waits) < 2


@pytest.mark.parametrize("kind", EventKind)
def test_every_kind_is_recorded_blindly_late_and_decided(world: World, kind: EventKind) -> None:
    """Each kind's registers, in each of the three ways to write them."""
    late = fact(ME, kind, world.clock.tick(), email=EMAIL)
    for _ in range(2):
        world.contacts.record(fact(ME, kind, world.clock.tick(), email=EMAIL))
    world.contacts.record(late)
    decided = fact(ME, kind, world.clock.tick(), email=EMAIL)
    world.contacts.record_if_unchanged(decided, world.contacts.get(ME))
    assert world.contacts.get(ME) == project(ME, world.contacts.history(ME))
    assert world.contacts.get(ME).version == 4


# --- any history, in any order

_KINDS = st.sampled_from(EventKind)


@st.composite
def _histories(draw: st.DrawFn) -> list[Event]:
    """Events of one contact as they reach the store: out of order, some of them twice."""
    events: list[Event] = []
    for number in range(draw(st.integers(1, 7))):
        kind = draw(_KINDS)
        at = START + timedelta(seconds=draw(st.integers(0, 6)))
        changes: dict[str, Any] = {"source": draw(st.sampled_from(Source))}
        changes["details"] = {"n": str(number), "region": draw(st.sampled_from(["EU", "JP"]))}
        if kind in {EventKind.PHONE_ACCEPTED, EventKind.IMPORTED_CONSENT}:
            changes["personal"] = _PERSONAL
        if kind is EventKind.REGISTERED:
            changes["consent_at"] = at - timedelta(seconds=draw(st.integers(0, 4)))
        event = fact(ME, kind, at, email=EMAIL, **changes)
        object.__setattr__(event, "event_id", f"{number:x}" + event.event_id[1:])
        events.append(event)
    repeats = draw(st.lists(st.sampled_from(events), max_size=2))
    return draw(st.permutations(events + repeats))


@pytest.mark.parametrize("kind", [EventKind.UNSUBSCRIBED, EventKind.COMPLAINED])
def test_a_stop_at_an_address_left_stops_the_person(world: World, kind: EventKind) -> None:
    """Mails from before a move still carry its links (S4); whoever moved twice is found too."""
    first, second, third = (id_of(f"{name}@example.jp") for name in ("first", "second", "third"))
    for number, (left, new) in enumerate(((first, second), (second, third))):
        at = START + timedelta(days=number)
        world.contacts.record(fact(left, EventKind.NOTIFIED, at, email=f"{number}@example.jp"))
        for event in moves(
            world.contacts.history(left), old_id=left, new_id=new,
            address=parse_address(f"new{number}@example.jp"), at=at, case_id=f"{number}" * 32,
        ):  # fmt: skip
            world.contacts.record(event)
    assert judge(world.contacts.get(third), Profile.MANUAL).eligible
    stop = fact(first, kind, START + timedelta(days=9), details={"campaign_id": "5f2b8c0d9e71"})
    for _ in range(2):
        world.contacts.record(stop)
        assert judge(world.contacts.get(third), Profile.MANUAL).reason == kind
        assert not any(
            judge(world.contacts.get(left), Profile.MANUAL).eligible for left in (first, second)
        )
    assert [e.kind for e in world.contacts.history(third)].count(kind) == 1
    # A campaign's figures count the stop once.
    assert world.contacts.history(first)[-1].details == stop.details
    assert "campaign_id" not in world.contacts.history(third)[-1].details


def _without_personal(event: Event, erased: str) -> Event:
    return replace(event, personal={}) if event.key < erased else event


@settings(SHARED, max_examples=60)
@given(arrivals=_histories(), reads=st.sets(st.integers(0, 9)))
def test_state_is_the_projection_of_history(
    small_world: World,
    cases: Callable[[str, int], None],
    arrivals: Sequence[Event],
    reads: set[int],
) -> None:
    """Blind and decided writes mixed; and the indexes follow, whatever came last."""
    world = small_world
    world.begin()
    for number, event in enumerate(arrivals):
        if number in reads:
            world.contacts.record_if_unchanged(event, world.contacts.get(ME))
        else:
            world.contacts.record(event)
    distinct = {event.key: event for event in arrivals}
    contact = world.contacts.get(ME)
    assert contact == project(ME, distinct.values())
    # What came before an erasure and is recorded after it leaves nothing personal.
    erased = max((e.key for e in distinct.values() if e.kind is EventKind.ERASED), default="")
    assert [_without_personal(e, erased) for e in world.contacts.history(ME)] == [
        _without_personal(distinct[key], erased) for key in sorted(distinct)
    ]
    assert contact.version == len(distinct)

    [item] = world.table("contacts")
    assert ("list_shard" in item) == contact.is_listed
    assert ("pending" in item) == ("pending_since" in item) == contact.is_pending
    for profile in Profile:
        if judge(contact, profile).eligible:
            assert [
                c.contact_id for c in world.contacts.listed(shard_of(ME), limit=9).contacts
            ] == [ME]
    cases("histories in random order", 1)


def test_every_contact_can_be_rebuilt_from_its_events(world: World) -> None:
    """contacts is lost; the events are not."""
    for number in range(6):
        world.confirmed(f"p{number}@example.jp")
    world.happened("p1@example.jp", EventKind.UNSUBSCRIBED, source=Source.LINK)
    world.happened("p2@example.jp", EventKind.NOTIFIED)
    world.happened("p3@example.jp", EventKind.ERASED, source=Source.STAFF)
    world.happened("p4@example.jp", EventKind.OPTED_IN)
    lost = world.table("contacts")
    events = [event_of(item) for item in world.table("events")]
    world.restore(world.empty)
    for event in reversed(events):
        world.contacts.record(event)
    assert world.table("contacts") == lost
    assert held(world.tables()) == projected(world.tables())


def test_shards_together_list_everyone_once_page_by_page(world: World) -> None:
    people = [f"p{n}@example.jp" for n in range(40)]
    for email in people:
        world.happened(email, EventKind.NOTIFIED)
    world.happened(people[0], EventKind.UNSUBSCRIBED, source=Source.LINK)
    listed: list[str] = []
    for shard in SHARDS:
        after = ""
        while True:
            page = world.contacts.listed(shard, limit=2, after=after)
            listed += [contact.contact_id for contact in page.contacts]
            if not page.after:
                break
            after = page.after
    assert sorted(listed) == sorted(map(id_of, people[1:]))


@pytest.mark.parametrize("mode", [Mode.THROTTLED, Mode.BROKEN, Mode.LOST])
def test_whatever_aws_raises_is_unavailable(world: World, mode: Mode) -> None:
    def store() -> ContactStore:
        faults = Faults({0: mode})
        return ContactStore(faults.wrap(world.dynamodb), "contacts", "events", wait=_no_wait)

    event = fact(ME, EventKind.UNSUBSCRIBED, world.clock.tick())
    calls: list[Callable[[], object]] = [
        lambda: store().get(ME),
        lambda: store().history(ME),
        lambda: store().pending(limit=1),
        lambda: store().listed("00", limit=1),
        lambda: store().record(event),
    ]
    for call in calls:
        with pytest.raises(Unavailable):
            call()


def test_contact_items_from_the_future_are_read(world: World) -> None:
    """An attribute this version does not know is left alone."""
    world.happened(EMAIL, EventKind.NOTIFIED)
    [item] = world.table("contacts")
    assert contact_of({**item, "something_new": {"S": "x"}}) == contact_of(item)
