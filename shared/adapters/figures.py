"""How a campaign is received, in DynamoDB.

What SES reports about a mail is kept as a set of numbers per batch and kind (``~fate#…``): the
number of the recipient within the batch. Adding to a set twice, or late, is harmless, so
nothing is counted twice; it is one small write per mail, and a count of the whole campaign
reads one small item per fifty mails. Counting lines would read fifty times as much, counters
kept in transactions would cost four writes per delivery.

Beside them one item per campaign, ``~feedback``, holds the counts of bounces and complaints
that decide whether sending pauses; these move in the transaction that records the event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.adapters.aws import error_code, translated
from shared.domain.campaigns import Entry, Outcome
from shared.domain.events import EventKind, parse_stamp
from shared.domain.feedback import Counts
from shared.domain.figures import BatchRecord, CampaignFigures, Fate

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_FEEDBACK = "~feedback"
_FATE = "~fate#"
_BATCH = "~batch#"  # the ledger's own
_AFTER_IDS = "g"  # contact ids are hex
_COUNTER_OF = {EventKind.BOUNCED: "bounced", EventKind.COMPLAINED: "complained"}
_KEYS = 100


@dataclass(frozen=True, slots=True)
class Reception:
    """The counts of a campaign now (``sent`` as last counted), and at its last pause."""

    now: Counts
    at_pause: Counts


@dataclass
class Figures:
    """Counts for people and for the pause. ``events_table`` is needed for people's only."""

    client: DynamoDBClient
    ledger_table: str
    events_table: str = ""

    # ---- what the feedback handler writes

    def mark(self, campaign_id: str, slot: str, fate: Fate) -> None:
        """Note what became of the mail of a slot. Repeating it changes nothing."""
        batch, _, number = slot.partition(".")
        with translated("figures"):
            self.client.update_item(
                TableName=self.ledger_table,
                Key=_key(campaign_id, f"{_FATE}{batch}"),
                UpdateExpression="ADD #fate :number",
                ExpressionAttributeNames={"#fate": fate},
                ExpressionAttributeValues={":number": {"NS": [number]}},
            )

    def reject(self, campaign_id: str, contact_id: str, slot: str, reason: str) -> None:
        """SES took a mail and then would not send it: said on the line itself."""
        with translated("figures"):
            try:
                self.client.update_item(
                    TableName=self.ledger_table,
                    Key=_key(campaign_id, contact_id),
                    UpdateExpression="SET outcome = :rejected, reason = :reason",
                    ConditionExpression="outcome IN (:claimed, :sent) AND slot = :slot",
                    ExpressionAttributeValues={
                        ":rejected": {"S": Outcome.REJECTED},
                        ":reason": {"S": reason},
                        ":claimed": {"S": Outcome.CLAIMED},
                        ":sent": {"S": Outcome.SENT},
                        ":slot": {"S": slot},
                    },
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise

    def count(self, campaign_id: str, kind: EventKind) -> list[dict[str, Any]]:
        """The write that counts an event, for the transaction that records it."""
        counter = _COUNTER_OF.get(kind)
        if not campaign_id or counter is None:
            return []
        return [
            {
                "Update": {
                    "TableName": self.ledger_table,
                    "Key": _key(campaign_id, _FEEDBACK),
                    "UpdateExpression": "ADD #counter :one",
                    "ExpressionAttributeNames": {"#counter": counter},
                    "ExpressionAttributeValues": {":one": {"N": "1"}},
                }
            }
        ]

    # ---- for the pause

    def reception(self, campaign_id: str) -> Reception:
        """The counts as they are stored: one read, whatever the size of the campaign."""
        with translated("figures"):
            answer = self.client.get_item(
                TableName=self.ledger_table, Key=_key(campaign_id, _FEEDBACK), ConsistentRead=True
            )
        item = answer.get("Item", {})
        return Reception(_counts(item, ""), _counts(item, "paused_"))

    def count_sent(self, campaign_id: str) -> int:
        """Count the mails SES has by our record, and keep the number for ``reception``."""
        sent = sum(batch.codes.count("s") for batch in self._batches(campaign_id))
        self._set(campaign_id, {"sent": sent})
        return sent

    def note_pause(self, campaign_id: str, counts: Counts) -> None:
        """From here on the campaign is judged anew, if somebody resumes it."""
        self._set(
            campaign_id,
            {
                "paused_sent": counts.sent,
                "paused_bounced": counts.bounced,
                "paused_complained": counts.complained,
            },
        )

    def _set(self, campaign_id: str, values: Mapping[str, int]) -> None:
        with translated("figures"):
            self.client.update_item(
                TableName=self.ledger_table,
                Key=_key(campaign_id, _FEEDBACK),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
                ExpressionAttributeNames={f"#{name}": name for name in values},
                ExpressionAttributeValues={
                    f":{name}": {"N": str(value)} for name, value in values.items()
                },
            )

    # ---- for people

    def of(self, campaign_id: str) -> CampaignFigures:
        """Everything about a campaign, from its batches, their fates, and its other lines."""
        figures = CampaignFigures()
        for batch in self._batches(campaign_id):
            figures.add_batch(batch)
        for item in self._items(campaign_id, _FATE):
            figures.add_fates({fate: len(item[fate]["NS"]) for fate in Fate if fate in item})
        for line in self._own_lines(campaign_id, figures):
            figures.add_line(
                Outcome(line["outcome"]["S"]),
                line.get("reason", {"S": ""})["S"],
                line.get("slot", {"S": ""})["S"],
            )
        figures.unsubscribed = self._stopped_by(campaign_id)
        return figures

    def reached(self, campaign_id: str, digits: Iterable[str]) -> dict[str, str]:
        """The last contact id with a line, for each first digit asked for."""
        found: dict[str, str] = {}
        for digit in digits:
            with translated("figures"):
                answer = self.client.query(
                    TableName=self.ledger_table,
                    KeyConditionExpression="campaign_id = :c AND begins_with(contact_id, :d)",
                    ProjectionExpression="contact_id",
                    ExpressionAttributeValues={":c": {"S": campaign_id}, ":d": {"S": digit}},
                    ScanIndexForward=False,
                    Limit=1,
                )
            for item in answer["Items"]:
                found[digit] = item["contact_id"]["S"]
        return found

    def fates(self, entries: Sequence[Entry]) -> list[frozenset[Fate]]:
        """What SES reported about each of these mails, in their order."""
        keys = {
            (entry.campaign_id, f"{_FATE}{entry.slot.partition('.')[0]}")
            for entry in entries
            if entry.slot
        }
        items: dict[tuple[str, str], Mapping[str, Any]] = {
            (item["campaign_id"]["S"], item["contact_id"]["S"]): item
            for item in self._get_many([_key(*key) for key in sorted(keys)])
        }
        found = []
        for entry in entries:
            batch, _, number = entry.slot.partition(".")
            item = items.get((entry.campaign_id, f"{_FATE}{batch}"), {})
            found.append(
                frozenset(fate for fate in Fate if number in item.get(fate, {"NS": ()})["NS"])
            )
        return found

    def _get_many(self, keys: Sequence[dict[str, Any]]) -> Iterator[Mapping[str, Any]]:
        for start in range(0, len(keys), _KEYS):
            left: Any = {self.ledger_table: {"Keys": keys[start : start + _KEYS]}}
            while left:
                with translated("figures"):
                    answer = self.client.batch_get_item(RequestItems=left)
                yield from answer["Responses"].get(self.ledger_table, [])
                left = answer.get("UnprocessedKeys")

    def _batches(self, campaign_id: str) -> Iterator[BatchRecord]:
        for item in self._items(campaign_id, _BATCH, "contact_id, #at, codes", {"#at": "at"}):
            yield BatchRecord(
                item["contact_id"]["S"].removeprefix(_BATCH),
                parse_stamp(item["at"]["S"]),
                item["codes"]["S"],
            )

    def _items(
        self, campaign_id: str, prefix: str, attributes: str = "",
        names: Mapping[str, str] | None = None,
    ) -> Iterator[Mapping[str, Any]]:  # fmt: skip
        query: dict[str, Any] = {
            "TableName": self.ledger_table,
            "KeyConditionExpression": "campaign_id = :c AND begins_with(contact_id, :p)",
            "ExpressionAttributeValues": {":c": {"S": campaign_id}, ":p": {"S": prefix}},
        }
        if attributes:
            query |= {"ProjectionExpression": attributes, "ExpressionAttributeNames": names}
        for answer in self._pages(query):
            yield from answer["Items"]

    def _own_lines(self, campaign_id: str, figures: CampaignFigures) -> Iterator[Mapping[str, Any]]:
        """Lines that say more than their batch does: skipped, or settled one by one."""
        query = {
            "TableName": self.ledger_table,
            "KeyConditionExpression": "campaign_id = :c AND contact_id < :after",
            "FilterExpression": "outcome <> :claimed",
            "ProjectionExpression": "outcome, reason, slot",
            "ExpressionAttributeValues": {
                ":c": {"S": campaign_id},
                ":after": {"S": _AFTER_IDS},
                ":claimed": {"S": Outcome.CLAIMED},
            },
        }
        for answer in self._pages(query):
            figures.lines += answer["ScannedCount"]
            yield from answer["Items"]

    def _stopped_by(self, campaign_id: str) -> int:
        """People, not posts: who presses twice is one."""
        query = {
            "TableName": self.events_table,
            "IndexName": "stops",
            "KeyConditionExpression": "stopped_by = :c",
            "ExpressionAttributeValues": {":c": {"S": campaign_id}},
        }
        return len(
            {item["contact_id"]["S"] for page in self._pages(query) for item in page["Items"]}
        )

    def _pages(self, query: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            with translated("figures"):
                answer = self.client.query(**query, **start)
            yield answer
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _key(campaign_id: str, contact_id: str) -> dict[str, Any]:
    return {"campaign_id": {"S": campaign_id}, "contact_id": {"S": contact_id}}


def _counts(item: Mapping[str, Any], prefix: str) -> Counts:
    values = (
        int(item.get(f"{prefix}{name}", {}).get("N", 0))
        for name in ("sent", "bounced", "complained")
    )
    return Counts(*values)
