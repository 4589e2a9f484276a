"""What a dry run reads: the real route over 100,000 contacts, on a store that only counts.

Read units are those DynamoDB bills: half a unit per 4 kB of a query's page, or of an item of a
batch, both eventually consistent. The emulator's own numbers are constant, and moto would take
hours; so the store here answers the calls the dry run makes, from items made on the way.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.units import size
from functions.staff_api import app as staff_api
from functions.staff_api.context import Deps
from shared.adapters.attributes import to_item
from shared.adapters.contacts import SHARDS, ContactStore, _mark_map, shard_of
from shared.adapters.standings import StandingStore, count_item, standing_item
from shared.domain.contact import Contact, project
from shared.domain.eligibility import Profile
from shared.domain.events import Event, EventKind, Source
from shared.domain.standings import ELIGIBLE, Group, standing_of

CONTACTS = 100_000
PAGE_BYTES = 1_048_576
_START = datetime(2026, 1, 10, tzinfo=UTC)
_FORMS = ("sakura-city", "ume-town", "matsu-village", "take-city")
# How the rest became the rest.
_FATES: tuple[tuple[EventKind, ...], ...] = (
    (EventKind.OPTED_IN,),
    (EventKind.OPTED_IN,),
    (EventKind.OPTED_IN,),
    (EventKind.BOX_LEFT_UNTICKED,),
    (EventKind.BOX_LEFT_UNTICKED,),
    (EventKind.BOX_LEFT_UNTICKED,),
    (EventKind.OPTED_IN, EventKind.REGISTERED, EventKind.UNSUBSCRIBED),
    (EventKind.OPTED_IN, EventKind.REGISTERED, EventKind.UNSUBSCRIBED),
    (EventKind.OPTED_IN, EventKind.REGISTERED, EventKind.BOUNCED),
    (EventKind.OPTED_IN, EventKind.REGISTERED, EventKind.COMPLAINED),
)
_ELIGIBLE = (EventKind.OPTED_IN, EventKind.REGISTERED)


def cost_ratio() -> tuple[float, int]:
    """Read units per eligible contact at 1 % eligible over those at 100 %; and the contacts."""
    few, all_ = (_units_per_eligible(CONTACTS // 100), _units_per_eligible(CONTACTS))
    return few / all_, CONTACTS


def _units_per_eligible(eligible: int) -> float:
    store = _Store(eligible)
    answer = _ask(store)
    told = (answer["eligible"], answer["eligible_is_exact"], answer["not_eligible"])
    if told != (eligible, True, CONTACTS - eligible):
        raise AssertionError(f"the dry run says {told}")
    return store.units / eligible


def _ask(store: _Store) -> Any:
    client: Any = store
    used: dict[str, Any] = {
        "settings": _Settings(),
        "contacts": ContactStore(client, "contacts", ""),
        "standings": StandingStore(client, "standings"),
    }
    every: dict[str, Any] = {each.name: used.get(each.name) for each in fields(Deps)}
    deps = Deps(**every)
    answer = staff_api.handler(_event(), _Context(), deps)  # type: ignore[arg-type]
    if answer["statusCode"] != 200:
        raise AssertionError(answer["body"])
    return json.loads(answer["body"])


@dataclass(frozen=True)
class _Settings:
    eligibility_profile: Profile = Profile.MANUAL


class _Context:
    function_name = "bench"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:ap-northeast-1:000000000000:function:bench"
    aws_request_id = "bench"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 60_000


def _event() -> dict[str, Any]:
    return {
        "version": "2.0",
        "rawPath": "/audience/dry-run",
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "isBase64Encoded": False,
        "body": "{}",
        "requestContext": {
            "stage": "$default",
            "requestId": "bench",
            "timeEpoch": 1_800_000_000_000,
            "http": {"method": "POST", "path": "/audience/dry-run"},
            "authorizer": {"jwt": {"claims": {"username": "bench", "cognito:groups": "[CS]"}}},
        },
    }


@dataclass
class _Store:
    """A DynamoDB that answers what a dry run asks, and adds up what that costs."""

    eligible: int
    units: float = 0.0
    _kinds: dict[tuple[int, bool], _Kind] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._counts: dict[Group, dict[str, int]] = {}
        self._places: dict[str, list[int]] = {}
        self._lists: dict[str, list[int]] = {shard: [] for shard in SHARDS}
        for number in range(CONTACTS):
            kind = self._kind(number)
            standing = kind.standing
            by_reason = self._counts.setdefault(standing.group, {})
            by_reason[standing.reason] = by_reason.get(standing.reason, 0) + 1
            place = f"{kind.place}@{standing.group.month}"
            self._places.setdefault(place, []).append(number)
            if kind.listed:
                self._lists[shard_of(_id(number))].append(number)

    def query(self, **request: Any) -> dict[str, Any]:
        """One page."""
        values = request["ExpressionAttributeValues"]
        if request["IndexName"] == "mailing_list":
            after = request.get("ExclusiveStartKey", {}).get("contact_id", {}).get("S", "")
            numbers = self._lists[values[":s"]["S"]]
            skip = next((n for n, each in enumerate(numbers) if _id(each) > after), len(numbers))
            items = (self._contact(number) for number in numbers[skip if after else 0 :])
        elif values[":place"]["S"] == "~counts":
            items = (count_item(group, counts) for group, counts in self._counts.items())
        else:
            place = f"{values[':place']['S']}@{values[':first']['S']}"
            items = (self._line(number) for number in self._places.get(place, ()))
        return self._page(items, request.get("Limit", CONTACTS))

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        """Items by key; each is billed by itself."""
        [(table, request)] = RequestItems.items()
        items = [self._contact(_number(key["contact_id"]["S"])) for key in request["Keys"]]
        self.units += sum(_half_units(size(item)) for item in items)
        return {"Responses": {table: items}}

    def _page(self, items: Iterator[dict[str, Any]], limit: int) -> dict[str, Any]:
        page: list[dict[str, Any]] = []
        read = 0
        more = False
        for item in items:
            bytes_ = size(item)
            if len(page) == limit or read + bytes_ > PAGE_BYTES:
                more = True
                break
            page.append(item)
            read += bytes_
        self.units += _half_units(read)
        return {"Items": page, **({"LastEvaluatedKey": page[-1]} if more else {})}

    def _kind(self, number: int) -> _Kind:
        good = number < self.eligible
        key = (number % 480, good)
        if key not in self._kinds:
            self._kinds[key] = _Kind.of(number % 480, eligible=good)
        return self._kinds[key]

    def _contact(self, number: int) -> dict[str, Any]:
        contact_id = _id(number)
        item = {**self._kind(number).item, "contact_id": {"S": contact_id}}
        if "list_shard" in item:
            item["list_shard"] = {"S": shard_of(contact_id)}
        return item

    def _line(self, number: int) -> dict[str, Any]:
        return {**standing_item(self._kind(number).standing), "contact_id": {"S": _id(number)}}


@dataclass(frozen=True)
class _Kind:
    """Contacts that differ in nothing but their id."""

    item: dict[str, Any]
    standing: Any
    place: str
    listed: bool

    @staticmethod
    def of(number: int, *, eligible: bool) -> _Kind:
        history = _history(_ELIGIBLE if eligible else _FATES[number % len(_FATES)], number)
        contact = project("0" * 32, history)
        standing = standing_of(contact)
        if (standing.reason == ELIGIBLE) != eligible:
            raise AssertionError(standing.reason)
        place = standing_item(standing)["place"]["S"]
        return _Kind(_stored(contact), standing, place, contact.is_listed)


def _history(kinds: Sequence[EventKind], number: int) -> list[Event]:
    """One contact's events: one of four forms, one of twelve months."""
    form_id = _FORMS[number // 10 % 4]
    began = _START + timedelta(days=30 * (number // 40))
    events: list[Event] = []
    for step, kind in enumerate(kinds):
        details = {"form_id": form_id, "municipality": "さくら市"}
        address = "hanako.yamada@mail.example.jp"
        personal = {"address": address, "typed": address, "address_kind": "standard"}
        events.append(
            Event(
                "0" * 32,
                f"{step:024x}",
                kind,
                began + timedelta(hours=step),
                Source.MUNICIPAL_LP if kind in _ASKED else Source.STAFF,
                details=details,
                personal=personal if kind in _ASKED else {},
                consent_at=began if kind is EventKind.REGISTERED else None,
            )
        )
    return events


_ASKED = {EventKind.OPTED_IN, EventKind.BOX_LEFT_UNTICKED}


def _stored(contact: Contact) -> dict[str, Any]:
    """As ContactStore leaves it in the table."""
    marks = {str(register): _mark_map(mark) for register, mark in contact.registers.items()}
    keys = {"list_shard": "00"} if contact.is_listed else {}
    return to_item({"contact_id": "0" * 32, "version": contact.version, **marks, **keys})


def _id(number: int) -> str:
    """In every shard alike, and in order within it."""
    return f"{number % 16:x}{number:031x}"


def _number(contact_id: str) -> int:
    return int(contact_id[1:], 16)


def _half_units(bytes_: int) -> float:
    return 0.5 * math.ceil(bytes_ / 4096)
