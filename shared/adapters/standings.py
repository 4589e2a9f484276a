"""The standings table: where each contact stands, and how many stand where.

Two kinds of item in one table. A contact's line, by contact id, holds its place as of one
version of the contact. A count's line (its id begins with "~") holds the numbers of one group
by reason. They move in one transaction, on condition that the contact's line is still what was
read: so the counts are always the sum of the lines, whatever is delivered twice or late.
The index ``by_place`` lists the counts, and the contacts of one group and reason.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.adapters.aws import cancellation_reasons, error_code, translated
from shared.adapters.contacts import contact_of
from shared.domain.errors import Unavailable
from shared.domain.standings import Group, Standing, moves, standing_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# One item per contact and at most two per move of a count: within DynamoDB's 100 a transaction.
_BATCH = 33
_PAGE = 1_000
_TRIES = 6
_FIRST_WAIT_SECONDS = 0.05
_COUNTS = "~counts"
_N = "n_"  # before a reason, where it names a number
_MET_ANOTHER = {"ConditionalCheckFailed", "TransactionConflict"}


@dataclass
class StandingStore:
    """Moves contacts from place to place, and says how many stand where."""

    client: DynamoDBClient
    table: str
    wait: Callable[[float], None] = field(default=time.sleep)

    def advance(self, standings: Iterable[Standing]) -> None:
        """Take contacts to where they stand now. Whatever is not news changes nothing.

        Raises:
            Unavailable: the store could not be asked; doing it again is harmless.
        """
        newest: dict[str, Standing] = {}
        for standing in standings:
            known = newest.get(standing.contact_id)
            if known is None or known.version < standing.version:
                newest[standing.contact_id] = standing
        every = list(newest.values())
        for start in range(0, len(every), _BATCH):
            self._advance(every[start : start + _BATCH])

    def rebuild(self, contacts_table: str) -> int:
        """Take every contact there is to where it stands; how many there are.

        For contacts that the stream never told of. Harmless while it goes on telling, and again.
        """
        seen = 0
        start: dict[str, Any] = {}
        while True:
            with translated("standings"):
                answer = self.client.scan(
                    TableName=contacts_table, ConsistentRead=True, Limit=_PAGE, **start
                )
            self.advance(standing_of(contact_of(item)) for item in answer["Items"])
            seen += len(answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return seen
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _advance(self, batch: Sequence[Standing]) -> None:
        for attempt in range(_TRIES):
            held = self._held([standing.contact_id for standing in batch])
            news = [
                (was, standing)
                for standing in batch
                if (was := held.get(standing.contact_id)) is None or was.version < standing.version
            ]
            if not news or self._move(news):
                return
            self.wait(_FIRST_WAIT_SECONDS * 2**attempt)
        raise Unavailable("standings:contention")

    def _held(self, contact_ids: Sequence[str]) -> dict[str, Standing]:
        held: dict[str, Standing] = {}
        request: Any = {
            self.table: {
                "Keys": [{"contact_id": {"S": contact_id}} for contact_id in contact_ids],
                "ConsistentRead": True,
            }
        }
        while request:
            with translated("standings"):
                answer = self.client.batch_get_item(RequestItems=request)
            for item in answer["Responses"].get(self.table, []):
                standing = _standing_of(item)
                held[standing.contact_id] = standing
            request = answer.get("UnprocessedKeys")
        return held

    def _move(self, news: Sequence[tuple[Standing | None, Standing]]) -> bool:
        """False where something changed meanwhile, or another transaction was in the way."""
        items = [
            *(self._line(was, now) for was, now in news),
            *(self._count(group, changes) for group, changes in moves(news).items()),
        ]
        with translated("standings"):
            try:
                self.client.transact_write_items(TransactItems=items)  # type: ignore[arg-type]
            except ClientError as error:
                if error_code(error) != "TransactionCanceledException":
                    raise
                codes = {reason.get("Code") for reason in cancellation_reasons(error)}
                if codes.isdisjoint(_MET_ANOTHER):
                    raise
                return False
        return True

    def _line(self, was: Standing | None, now: Standing) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self.table, "Item": standing_item(now)}
        if was is None:
            put["ConditionExpression"] = "attribute_not_exists(contact_id)"
        else:
            put["ConditionExpression"] = "version = :was"
            put["ExpressionAttributeValues"] = {":was": {"N": str(was.version)}}
        return {"Put": put}

    def _count(self, group: Group, changes: Mapping[str, int]) -> dict[str, Any]:
        names = {f"#{number}": f"{_N}{reason}" for number, reason in enumerate(changes)}
        values = {f":{number}": {"N": str(n)} for number, n in enumerate(changes.values())}
        adds = ", ".join(f"#{number} :{number}" for number in range(len(changes)))
        key = count_item(group, {})
        return {
            "Update": {
                "TableName": self.table,
                "Key": {"contact_id": key["contact_id"]},
                "UpdateExpression": f"ADD {adds} SET place = :place, #m = :month",
                "ExpressionAttributeNames": {**names, "#m": "month"},
                "ExpressionAttributeValues": {
                    **values,
                    ":place": key["place"],
                    ":month": key["month"],
                },
            }
        }

    def counts(self, first: str = "", last: str = "") -> dict[Group, dict[str, int]]:
        """How many stand in each group, by reason; of the months from ``first`` to ``last``."""
        found: dict[Group, dict[str, int]] = {}
        start: dict[str, Any] = {}
        while True:
            answer = self._query(_COUNTS, first, last, **start)
            found.update(map(_count_of, answer["Items"]))
            if "LastEvaluatedKey" not in answer:
                return found
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def some(self, group: Group, reason: str, *, limit: int) -> list[str]:
        """Ids of a few contacts of one group that stand there for one reason."""
        month = group.month or _UNKNOWN_MONTH
        answer = self._query(_place(group, reason), month, month, Limit=limit)
        return [item["contact_id"]["S"] for item in answer["Items"]]

    def _query(self, place: str, first: str, last: str, **more: Any) -> Any:
        with translated("standings"):
            return self.client.query(
                TableName=self.table,
                IndexName="by_place",
                KeyConditionExpression="place = :place AND #m BETWEEN :first AND :last",
                ExpressionAttributeNames={"#m": "month"},
                ExpressionAttributeValues={
                    ":place": {"S": place},
                    ":first": {"S": first or _UNKNOWN_MONTH},
                    ":last": {"S": last or _AFTER_ALL},
                },
                **more,
            )


# Of an index key, which is never empty: sorts before every month, and after.
_UNKNOWN_MONTH = "-"
_AFTER_ALL = "~"


def _place(group: Group, reason: str) -> str:
    return json.dumps([reason, *_way(group)], ensure_ascii=False)


def _way(group: Group) -> list[str]:
    return [group.source, group.form_id, group.municipality]


def standing_item(standing: Standing) -> dict[str, Any]:
    """A contact's line as it is stored."""
    return {
        "contact_id": {"S": standing.contact_id},
        "version": {"N": str(standing.version)},
        "place": {"S": _place(standing.group, standing.reason)},
        "month": {"S": standing.group.month or _UNKNOWN_MONTH},
    }


def _standing_of(item: Mapping[str, Any]) -> Standing:
    reason, *way = json.loads(item["place"]["S"])
    month = item["month"]["S"].removeprefix(_UNKNOWN_MONTH)
    return Standing(item["contact_id"]["S"], reason, Group(month, *way), int(item["version"]["N"]))


def count_item(group: Group, by_reason: Mapping[str, int]) -> dict[str, Any]:
    """A group's counts as they are stored."""
    name = json.dumps([group.month, *_way(group)], ensure_ascii=False)
    return {
        "contact_id": {"S": f"~{name}"},
        "place": {"S": _COUNTS},
        "month": {"S": group.month or _UNKNOWN_MONTH},
        **{f"{_N}{reason}": {"N": str(count)} for reason, count in by_reason.items()},
    }


def _count_of(item: Mapping[str, Any]) -> tuple[Group, dict[str, int]]:
    group = Group(*json.loads(item["contact_id"]["S"][1:]))
    return group, {
        name.removeprefix(_N): int(value["N"])
        for name, value in item.items()
        if name.startswith(_N)
    }
