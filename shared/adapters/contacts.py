"""Contacts and their events in DynamoDB: the one home of raw addresses.

One event is one transaction: the event is appended and the registers it writes move with it.
The write is blind: its conditions hold the rule "in each register the latest write wins",
so nothing is read first and the answer takes the same time whether or not the contact exists.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.adapters.attributes import from_item, to_item
from shared.adapters.aws import cancellation_reasons, error_code, translated
from shared.domain import moving
from shared.domain.contact import Contact, Mark, Register, marks_of, newer
from shared.domain.errors import Conflict, TooMany, Unavailable
from shared.domain.events import Event, EventKind, Source, parse_stamp, stamp
from shared.texts.consent import Language, TextId, Wording

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SHARDS = tuple(f"{number:02x}" for number in range(16))
_PENDING = "1"
_TRIES = 6
_KEYS = 100  # of one BatchGetItem
_ACTIONS = 100  # of one transaction
_FIRST_WAIT_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Counter:
    """A limit checked and counted in the same transaction: at most ``limit`` until ``expires``."""

    key: str
    limit: int
    expires: datetime
    retry_after: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some contacts and where to go on; ``after`` is empty at the end."""

    contacts: tuple[Contact, ...]
    after: str = ""


class StaleContactError(Conflict):
    """The contact changed since it was read: read it again and decide again."""

    def __init__(self) -> None:
        super().__init__(
            "changed_meanwhile",
            "ほかの操作で内容が変わりました。もう一度お試しください。",
            "Something changed meanwhile. Please try again.",
        )


@dataclass
class ContactStore:
    """Reads and appends. ``throttle_table`` is needed only where counters are used."""

    client: DynamoDBClient
    contacts_table: str
    events_table: str
    throttle_table: str = ""
    wait: Callable[[float], None] = field(default=time.sleep)

    def record(
        self,
        event: Event,
        counters: Sequence[Counter] = (),
        *,
        also: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Append an event and move the contact's registers, in one transaction.

        Recording the same event again changes nothing and succeeds. Without contention this
        is exactly one call. ``also``: writes without conditions that happen with the event,
        so just as often as the event, which is once. A stop is recorded where the person has
        moved to as well. What comes late, after an erasure, is recorded without what is personal.

        Raises:
            TooMany: a counter is at its limit; nothing was stored.
            Unavailable: the store could not be asked.
        """
        update = self._blind_update(event)
        for attempt in range(_TRIES):
            items = [self._append(event), {"Update": update}, *map(self._count, counters), *also]
            reasons = self._transact(items)
            if reasons is None or _failed(reasons[0]):
                return
            for counter, reason in zip(counters, reasons[2:], strict=False):
                if _failed(reason):
                    raise TooMany("too_many_posts", counter.retry_after)
            if _failed(reasons[1]):
                # Something later is already held: write only what is still news.
                held = contact_of(reasons[1]["Item"])
                if held.erased_since(event.at):
                    event = _impersonal(event)
                if held.moved_to and moving.follows(event):
                    # First, so that what is repeated after a crash finds it done or does it.
                    self.record(moving.followed(event, held.moved_to))
                update = self._exact_update(event, held)
            else:
                self.wait(_FIRST_WAIT_SECONDS * 2**attempt)
        raise Unavailable("contacts:contention")

    def record_if_unchanged(self, event: Event, judged: Contact) -> None:
        """Append an event that was decided on ``judged``, if the contact is still that.

        Raises:
            StaleContactError: it changed meanwhile; nothing was stored.
            Unavailable: the store could not be asked.
        """
        update = self._exact_update(event, judged)
        for attempt in range(_TRIES):
            reasons = self._transact([self._append(event), {"Update": update}])
            if reasons is None or _failed(reasons[0]):
                return
            if _failed(reasons[1]):
                raise StaleContactError
            self.wait(_FIRST_WAIT_SECONDS * 2**attempt)
        raise Unavailable("contacts:contention")

    def get(self, contact_id: str) -> Contact:
        """The contact as it is now; one without events where nothing is held."""
        with translated("contacts"):
            answer = self.client.get_item(
                TableName=self.contacts_table,
                Key={"contact_id": {"S": contact_id}},
                ConsistentRead=True,
            )
        item = answer.get("Item")
        return contact_of(item) if item else Contact(contact_id)

    def get_many(
        self, contact_ids: Iterable[str], *, consistent: bool = True
    ) -> dict[str, Contact]:
        """As ``get``, for any number of contacts; ``consistent`` costs twice as much."""
        found = {contact_id: Contact(contact_id) for contact_id in contact_ids}
        ids = list(found)
        for start in range(0, len(ids), _KEYS):
            keys = [{"contact_id": {"S": each}} for each in ids[start : start + _KEYS]]
            left: Any = {self.contacts_table: {"Keys": keys, "ConsistentRead": consistent}}
            while left:
                with translated("contacts"):
                    answer = self.client.batch_get_item(RequestItems=left)
                for item in answer["Responses"].get(self.contacts_table, []):
                    found[item["contact_id"]["S"]] = contact_of(item)
                left = answer.get("UnprocessedKeys")
        return found

    def history(self, contact_id: str) -> list[Event]:
        """Every event of a contact, oldest first."""
        events: list[Event] = []
        start: dict[str, Any] = {}
        while True:
            with translated("events"):
                answer = self.client.query(
                    TableName=self.events_table,
                    KeyConditionExpression="contact_id = :c",
                    ExpressionAttributeValues={":c": {"S": contact_id}},
                    ConsistentRead=True,
                    **start,
                )
            events += map(event_of, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return events
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def wipe(self, contact_id: str, events: Iterable[Event]) -> None:
        """Remove what is personal in recorded events of an erased contact, and nothing else.

        Doing it again is harmless.

        Raises:
            Unavailable: not everything is surely removed.
        """
        wiped = [(event, _impersonal(event)) for event in events]
        changed = [after for before, after in wiped if after != before]
        retold = [after for before, after in wiped if after.details != before.details]
        for attempt in range(_TRIES):
            actions = [*self._wiping_marks(contact_id, retold), *map(self._wiping, changed)]
            if all(
                self._transact(actions[start : start + _ACTIONS]) is None
                for start in range(0, len(actions), _ACTIONS)
            ):
                return
            self.wait(_FIRST_WAIT_SECONDS * 2**attempt)
        raise Unavailable("contacts:contention")

    def _wiping(self, event: Event) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self.events_table,
                "Key": {"contact_id": {"S": event.contact_id}, "event_key": {"S": event.key}},
                "UpdateExpression": "SET details = :kept REMOVE personal",
                "ExpressionAttributeValues": to_item({":kept": dict(event.details)}),
            }
        }

    def _wiping_marks(self, contact_id: str, retold: Sequence[Event]) -> list[dict[str, Any]]:
        """The marks that these events left, without what goes from the events' details."""
        if not retold:
            return []
        held = self.get(contact_id)
        marks = {
            register: mark
            for event in retold
            for register, mark in marks_of(event).items()
            if (was := held.registers.get(register)) and was.key == mark.key and was != mark
        }
        if not marks:
            return []
        update = {
            "TableName": self.contacts_table,
            "Key": {"contact_id": {"S": contact_id}},
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in marks),
            "ConditionExpression": "version = :version",
            "ExpressionAttributeNames": {f"#{name}": str(name) for name in marks},
            "ExpressionAttributeValues": to_item(
                {
                    ":version": held.version,
                    **{f":{name}": _mark_map(mark) for name, mark in marks.items()},
                }
            ),
        }
        return [{"Update": update}]

    def pending(self, *, limit: int, after: str = "") -> Page:
        """Contacts whose opt-in waits for an advisor, the longest waiting first."""
        query: dict[str, Any] = {}
        if after:
            contact_id, _, since = after.partition("@")
            query["ExclusiveStartKey"] = {
                "contact_id": {"S": contact_id},
                "pending": {"S": _PENDING},
                "pending_since": {"S": since},
            }
        with translated("contacts"):
            answer = self.client.query(
                TableName=self.contacts_table,
                IndexName="pending",
                KeyConditionExpression="pending = :p",
                ExpressionAttributeValues={":p": {"S": _PENDING}},
                Limit=limit,
                **query,
            )
        last = answer.get("LastEvaluatedKey")
        return Page(
            tuple(map(contact_of, answer["Items"])),
            f"{last['contact_id']['S']}@{last['pending_since']['S']}" if last else "",
        )

    def listed(self, shard: str, *, limit: int, after: str = "") -> Page:
        """Contacts of one shard of the mailing list that are worth judging, by id."""
        query: dict[str, Any] = {}
        if after:
            query["ExclusiveStartKey"] = {
                "contact_id": {"S": after},
                "list_shard": {"S": shard},
            }
        with translated("contacts"):
            answer = self.client.query(
                TableName=self.contacts_table,
                IndexName="mailing_list",
                KeyConditionExpression="list_shard = :s",
                ExpressionAttributeValues={":s": {"S": shard}},
                Limit=limit,
                **query,
            )
        last = answer.get("LastEvaluatedKey")
        return Page(
            tuple(map(contact_of, answer["Items"])),
            last["contact_id"]["S"] if last else "",
        )

    def _transact(self, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
        """None where it went through, else the reasons, one per item."""
        with translated("contacts"):
            try:
                self.client.transact_write_items(TransactItems=items)  # type: ignore[arg-type]
            except ClientError as error:
                if error_code(error) != "TransactionCanceledException":
                    raise
                return cancellation_reasons(error)
        return None

    def _append(self, event: Event) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self.events_table,
                "Item": event_item(event),
                "ConditionExpression": "attribute_not_exists(contact_id)",
            }
        }

    def _blind_update(self, event: Event) -> dict[str, Any]:
        marks = marks_of(event)
        latest_wins = [
            f"(attribute_not_exists(#{register}) OR #{register}.#k < :{register}_k)"
            for register in marks
        ]
        if moving.follows(event):
            latest_wins.append("attribute_not_exists(moved.v.#to)")
        return self._update(
            event.contact_id,
            marks,
            " AND ".join(latest_wins),
            {f":{register}_k": mark.key for register, mark in marks.items()},
        )

    def _exact_update(self, event: Event, held: Contact) -> dict[str, Any]:
        known = held.version > 0
        condition = "version = :version" if known else "attribute_not_exists(version)"
        values = {":version": held.version} if known else {}
        return self._update(event.contact_id, newer(held, marks_of(event)), condition, values)

    def _update(
        self,
        contact_id: str,
        marks: Mapping[str, Mark],
        condition: str,
        values: Mapping[str, Any],
    ) -> dict[str, Any]:
        sets = {f"#{register}": f":{register}" for register in marks}
        names = {f"#{register}": str(register) for register in marks}
        values = {
            **values,
            **{f":{register}": _mark_map(mark) for register, mark in marks.items()},
            ":one": 1,
        }
        if "#k" in condition:
            names["#k"] = "k"
        if "#to" in condition:
            names["#to"] = "to"
        removes: list[str] = []
        for attribute, value in _index_attributes(contact_id, marks).items():
            if value is None:
                removes.append(attribute)
            else:
                sets[attribute] = f":{attribute}"
                values[f":{attribute}"] = value
        expression = "ADD version :one"
        if sets:
            expression += " SET " + ", ".join(f"{name} = {value}" for name, value in sets.items())
        if removes:
            expression += " REMOVE " + ", ".join(removes)
        update = {
            "TableName": self.contacts_table,
            "Key": {"contact_id": {"S": contact_id}},
            "UpdateExpression": expression,
            "ExpressionAttributeValues": to_item(values),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if names:
            update["ExpressionAttributeNames"] = names
        if condition:
            update["ConditionExpression"] = condition
        return update

    def _count(self, counter: Counter) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self.throttle_table,
                "Key": {"key": {"S": counter.key}},
                "UpdateExpression": "ADD seen :one SET expires_at = :expires",
                "ConditionExpression": "attribute_not_exists(seen) OR seen < :limit",
                "ExpressionAttributeValues": {
                    ":one": {"N": "1"},
                    ":limit": {"N": str(counter.limit)},
                    ":expires": {"N": str(int(counter.expires.timestamp()))},
                },
            }
        }


def shard_of(contact_id: str) -> str:
    """The mailing-list shard a contact belongs to: ids are uniform, so the first digit will do."""
    return SHARDS[int(contact_id[0], 16)]


def shard_prefix(shard: str) -> str:
    """The first digit of every contact id in a shard: inverse of ``shard_of``."""
    return f"{SHARDS.index(shard):x}"


def _index_attributes(contact_id: str, marks: Mapping[str, Mark]) -> dict[str, str | None]:
    """Sparse index keys that follow from the registers being written; None removes one."""
    attributes: dict[str, str | None] = {}
    if pending := marks.get(Register.AWAITING):
        on = pending.values["on"] == "yes"
        attributes["pending"] = _PENDING if on else None
        attributes["pending_since"] = stamp(pending.at) if on else None
    if listing := marks.get(Register.LISTING):
        attributes["list_shard"] = shard_of(contact_id) if listing.values["on"] == "yes" else None
    return attributes


def _mark_map(mark: Mark) -> dict[str, Any]:
    return {
        "k": mark.key,
        "kind": str(mark.kind),
        "source": str(mark.source),
        "v": dict(mark.values),
    }


def contact_of(item: Mapping[str, Any]) -> Contact:
    """A stored contact."""
    plain = from_item(item)
    registers = {
        name: Mark(
            value["k"],
            EventKind(value["kind"]),
            Source(value["source"]),
            MappingProxyType(value["v"]),
        )
        for name, value in plain.items()
        if isinstance(value, dict)
    }
    return Contact(plain["contact_id"], MappingProxyType(registers), plain["version"])


def event_item(event: Event) -> dict[str, Any]:
    """An event as it is stored."""
    plain: dict[str, Any] = {
        "contact_id": event.contact_id,
        "event_key": event.key,
        "kind": str(event.kind),
        "source": str(event.source),
        "details": dict(event.details),
    }
    if event.kind is EventKind.UNSUBSCRIBED and "campaign_id" in event.details:
        # Key of the sparse index `stops`: who left because of which campaign.
        plain["stopped_by"] = event.details["campaign_id"]
    if event.personal:
        plain["personal"] = dict(event.personal)
    if event.consent_at is not None:
        plain["consent_at"] = stamp(event.consent_at)
    if event.wording is not None:
        plain["wording"] = {
            "text_id": str(event.wording.text_id),
            "version": event.wording.version,
            "language": str(event.wording.language),
            "text": event.wording.text,
            "sha256": event.wording.sha256,
        }
    return to_item(plain)


def event_of(item: Mapping[str, Any]) -> Event:
    """A stored event."""
    plain = from_item(item)
    at, _, event_id = plain["event_key"].partition("#")
    event = Event(
        contact_id=plain["contact_id"],
        event_id=event_id,
        kind=EventKind(plain["kind"]),
        at=parse_stamp(at),
        source=Source(plain["source"]),
        details=MappingProxyType(plain["details"]),
        personal=MappingProxyType(plain.get("personal", {})),
    )
    if "consent_at" in plain:
        event = replace(event, consent_at=parse_stamp(plain["consent_at"]))
    if wording := plain.get("wording"):
        event = replace(
            event,
            wording=Wording(
                TextId(wording["text_id"]),
                wording["version"],
                Language(wording["language"]),
                wording["text"],
            ),
        )
    return event


def _impersonal(event: Event) -> Event:
    """What stays of an event after an erasure: not what people typed, staff included."""
    details = dict(event.details)
    if "operator" in details:
        details.pop("reason", None)
    if "page_url" in details:
        details["page_url"] = details["page_url"].partition("?")[0].partition("#")[0]
    return replace(event, details=details, personal={})


def _failed(reason: Mapping[str, Any]) -> bool:
    return reason.get("Code") == "ConditionalCheckFailed"
