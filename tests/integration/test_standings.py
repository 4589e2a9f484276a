"""The counts behind the contacts: the same change twice, late or broken, and they still add up."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions import standings
from shared.adapters.standings import StandingStore
from shared.domain.contact import Contact
from shared.domain.errors import Unavailable
from shared.domain.events import EventKind, Source
from shared.domain.standings import Group, moves, standing_of
from tests.integration.fakes import Died, Faults, Meanwhile, Mode
from tests.integration.world import LambdaContext, World, id_of, payload
from tests.unit.populations import events_of, histories

PROPERTY = settings(
    max_examples=25,
    deadline=None,
    print_blob=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
EMAILS = ("hanako@example.jp", "taro@example.jp", "jiro@example.jp")
Record = dict[str, Any]


def change(image: dict[str, Any] | None, number: int = 1) -> Record:
    """One record of the stream; an image of None is a deletion."""
    known = {"NewImage": image} if image is not None else {}
    return {
        "eventName": "MODIFY" if image is not None else "REMOVE",
        "eventSource": "aws:dynamodb",
        "dynamodb": {"SequenceNumber": f"{number:021d}", "Keys": {}, **known},
    }


def deliver(world: World, records: Sequence[Record], wrap: Any = None) -> list[str]:
    """One invocation; the sequence numbers it answers with."""
    deps = world.standings(wrap) if wrap else world.standings()
    answer = standings.handler({"Records": list(records)}, LambdaContext(), deps)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def stream_of(world: World, population: Sequence[Any]) -> list[Record]:
    """Lets these histories happen, and tells each change as the table's stream would."""
    records: list[Record] = []
    for number, drawn in enumerate(population):
        contact_id = id_of(email := f"p{number}@example.jp")
        for event in events_of(contact_id, drawn, email):
            world.contacts.record(event)
            # A stop is also recorded where the person has moved to.
            moved_to = world.contacts.get(contact_id).moved_to
            for changed in (contact_id, moved_to) if moved_to else (contact_id,):
                item = world.dynamodb.get_item(
                    TableName="contacts", Key={"contact_id": {"S": changed}}
                )
                if "Item" in item:
                    records.append(change(item["Item"], len(records)))
    return records


def everyone(world: World) -> list[Contact]:
    return list(held_contacts(world).values())


def held_contacts(world: World) -> dict[str, Contact]:
    ids = [item["contact_id"]["S"] for item in world.table("contacts")]
    return world.contacts.get_many(ids)


def counts(world: World) -> dict[Group, dict[str, int]]:
    """Without the zeros that a move leaves behind."""
    found = {
        group: {reason: count for reason, count in by_reason.items() if count}
        for group, by_reason in store(world).counts().items()
    }
    return {group: by_reason for group, by_reason in found.items() if by_reason}


def store(world: World) -> StandingStore:
    return world.standings().standings


def expected(world: World) -> dict[Group, dict[str, int]]:
    """Counted by reading the whole table."""
    return moves((None, standing_of(contact)) for contact in everyone(world))


def test_the_stream_record_in_events(world: World) -> None:
    assert deliver(world, payload("standings")["Records"]) == []
    [(group, by_reason)] = counts(world).items()
    assert by_reason == {"opt_in_unconfirmed": 1}
    assert (group.month, group.form_id, group.municipality) == (
        "2026-11",
        "sakura-city",
        "さくら市",
    )


@PROPERTY
@given(population=st.lists(histories, min_size=1, max_size=6), seed=st.integers(0, 999))
def test_any_order_and_any_repetition_ends_the_same(
    small_world: World, population: list[Any], seed: int
) -> None:
    small_world.begin()
    records = stream_of(small_world, population)
    chance = random.Random(seed)
    told = records + chance.choices(records, k=len(records))
    chance.shuffle(told)
    size = chance.randint(1, len(told))
    for start in range(0, len(told), size):
        assert deliver(small_world, told[start : start + size]) == []
    assert counts(small_world) == expected(small_world)


def test_more_than_fit_one_transaction(world: World) -> None:
    """A hundred contacts, each in a group of its own: the most one batch can bring."""
    for number in range(100):
        world.happened(
            f"p{number}@example.jp",
            EventKind.NOTIFIED,
            details={"form_id": f"form-{number}", "municipality": ""},
        )
    records = [change(item) for item in world.table("contacts")]
    faults = Faults()
    deliver(world, records, faults.wrap)
    assert faults.calls.count("transact_write_items") == 4
    assert counts(world) == expected(world)
    for number in range(100):
        world.happened(f"p{number}@example.jp", EventKind.UNSUBSCRIBED, source=Source.LINK)
    deliver(world, [change(item) for item in world.table("contacts")])
    assert counts(world) == expected(world)


@pytest.mark.parametrize(
    "poison",
    [
        {"contact_id": {"S": "a" * 32}},
        {"contact_id": {"S": "a" * 32}, "version": {"N": "one"}},
        {"contact_id": {"S": "a" * 32}, "version": {"N": "1"}, "refused": {"M": {}}},
        {"contact_id": {"S": "a" * 32}, "version": {"N": "1"}, "refused": "?"},
    ],
)
def test_a_poisoned_change_is_named_and_the_others_are_counted(
    world: World, poison: dict[str, Any]
) -> None:
    for email in EMAILS:
        world.confirmed(email)
    first, second, third = (change(item) for item in world.table("contacts"))
    assert deliver(world, [first, change(poison, 7), second, change(poison, 8), third]) == [
        f"{7:021d}"
    ]
    assert counts(world) == expected(world)


def test_a_deletion_changes_nothing(world: World) -> None:
    assert deliver(world, [change(None)]) == []
    assert world.table("standings") == []


def test_someone_else_counts_the_same_change_meanwhile(world: World) -> None:
    world.confirmed(EMAILS[0])
    records = [change(item) for item in world.table("contacts")]
    other = Meanwhile("transact_write_items", lambda: deliver(world, records))
    assert deliver(world, records, other.wrap) == []
    assert counts(world) == expected(world)


def test_contention_that_does_not_end_is_told(world: World) -> None:
    world.confirmed(EMAILS[0])
    records = [change(item) for item in world.table("contacts")]
    always = Faults(dict.fromkeys(range(1, 99, 2), Mode.CONFLICT))
    with pytest.raises(Unavailable, match="contention"):
        deliver(world, records, always.wrap)
    assert world.table("standings") == []


def test_keys_that_are_left_unread_are_asked_for_again(world: World) -> None:
    for email in EMAILS:
        world.confirmed(email)
    records = [change(item) for item in world.table("contacts")]
    deliver(world, records)
    deliver(world, records, _OneKeyAtATime)
    assert counts(world) == expected(world)


class _OneKeyAtATime:
    """A client that answers a batch of keys in small parts, as DynamoDB may."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> Any:  # noqa: N803
        [(table, request)] = RequestItems.items()
        first, *later = request["Keys"]
        answer = self._client.batch_get_item(RequestItems={table: {**request, "Keys": [first]}})
        if later:
            answer["UnprocessedKeys"] = {table: {**request, "Keys": later}}
        return answer


@pytest.mark.parametrize("known", [False, True])
def test_one_fault_at_every_call(
    small_world: World, cases: Callable[[str, int], None], known: bool
) -> None:
    """Each call fails in every way, then the stream delivers again: the counts are right."""
    number = 0
    for call in range(2):
        for mode in Mode:
            if (mode is Mode.CONFLICT) and call == 0:
                continue
            small_world.begin()
            for email in EMAILS:
                small_world.confirmed(email)
            if known:
                deliver(small_world, [change(item) for item in small_world.table("contacts")])
                small_world.happened(EMAILS[0], EventKind.UNSUBSCRIBED, source=Source.LINK)
                small_world.happened(EMAILS[1], EventKind.BOUNCED, source=Source.SES)
            records = [change(item) for item in small_world.table("contacts")]
            faults = Faults({call: mode})
            try:
                deliver(small_world, records, faults.wrap)
            except (Unavailable, Died):
                deliver(small_world, records, faults.wrap)
            assert faults.struck == 1
            assert counts(small_world) == expected(small_world), (call, mode)
            number += 1
    cases("single faults: standings", number)


def test_what_the_stream_never_told_of_is_counted_anew(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also beside what it did tell of, and twice."""
    monkeypatch.setattr("shared.adapters.standings._PAGE", 2)
    for email in EMAILS:
        world.confirmed(email)
    world.happened(EMAILS[0], EventKind.UNSUBSCRIBED, source=Source.LINK)
    key = {"contact_id": {"S": id_of(EMAILS[1])}}
    told = world.dynamodb.get_item(TableName="contacts", Key=key)["Item"]
    assert deliver(world, [change(dict(told))]) == []
    monkeypatch.setattr("shared.adapters.aws.dynamodb", lambda: world.dynamodb)
    for _ in range(2):
        standings.main(["contacts", "standings"])
        assert capsys.readouterr().out.endswith("3 contacts\n")
        counts = StandingStore(world.dynamodb, "standings").counts()
        by_reason = Counter[str]()
        for group in counts.values():
            by_reason.update(group)
        assert +by_reason == {"eligible": 2, "unsubscribed": 1}
