"""Who got which campaign, who did not, and why, in DynamoDB.

The ledger holds one line per recipient and is what makes a mail go out once: a line is
written, on condition that none exists and that the contact is still the one that was judged,
in the transaction that claims up to fifty recipients as one batch.

What SES answered is written once per batch, beside the lines (``~batch#…``): a claimed line
has the outcome that its batch says, under its number, and none while the batch says nothing.
So a mail costs one write, and whatever reads lines here has them with their outcomes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.adapters.aws import cancellation_reasons, error_code, translated
from shared.adapters.contacts import contact_of, shard_prefix
from shared.domain.campaigns import Entry, Outcome
from shared.domain.contact import Contact
from shared.domain.errors import Unavailable
from shared.domain.events import parse_stamp, stamp

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH = 50
"""Recipients in a claim: two actions each, of the hundred a transaction may have."""

_BATCH_KEY = "~batch#"  # after every contact id, which are hex
_AFTER_IDS = "g"
_ACTIONS = 100
_KEYS = 100
_PAGE = 2_000  # a megabyte of lines would be ten megabytes of memory
_TRIES = 6
_CODES: Mapping[Outcome, str] = {
    Outcome.SENT: "s",
    Outcome.RETRY: "r",
    Outcome.REJECTED: "x",
    Outcome.CLAIMED: "?",
}
_OUTCOMES = {code: outcome for outcome, code in _CODES.items()}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Someone to claim, as judged; ``held`` is the open line that is taken over, if any."""

    contact: Contact
    held: Entry | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """Someone who gets nothing, and why; ``held`` is the open line that ends so, if any."""

    contact_id: str
    reason: str
    held: Entry | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a claim did not go through; nobody was claimed.

    ``taken`` have another line than expected. ``changed`` are no longer as judged: how they are
    now, None where that was not said. Neither: another transaction was under way.
    """

    taken: frozenset[str]
    changed: Mapping[str, Contact | None]


@dataclass(frozen=True, slots=True)
class Result:
    """What a batch says of one of its recipients. CLAIMED: SES's answer is not known."""

    outcome: Outcome
    message_id: str = ""
    reason: str = ""


@dataclass
class Ledger:
    """Who got which campaign, who did not, and why."""

    client: DynamoDBClient
    table: str
    contacts_table: str = ""

    # --- the sender

    def claim(
        self, campaign_id: str, batch: str, candidates: Sequence[Candidate], now: datetime
    ) -> Refused | None:
        """Claim up to ``BATCH`` recipients that were judged eligible; all of them, or nobody.

        The transaction holds each contact to the version that was judged, so a refusal that
        was committed before it always prevents the mail. None where all are ours.

        Raises:
            Unavailable: the store could not be asked.
        """
        actions: list[dict[str, Any]] = []
        for number, candidate in enumerate(candidates):
            actions += (
                self._unchanged(candidate.contact),
                self._claiming(campaign_id, candidate, f"{batch}.{number}", now),
            )
        reasons = self._transact(actions)
        if reasons is None:
            return None
        taken: set[str] = set()
        changed: dict[str, Contact | None] = {}
        for candidate, contact, line in zip(candidates, reasons[::2], reasons[1::2], strict=True):
            contact_id = candidate.contact.contact_id
            if _failed(line):
                taken.add(contact_id)
            elif _failed(contact):
                item = contact.get("Item")
                changed[contact_id] = contact_of(item) if item else None
        return Refused(frozenset(taken), changed)

    def _unchanged(self, judged: Contact) -> dict[str, Any]:
        return {
            "ConditionCheck": {
                "TableName": self.contacts_table,
                "Key": {"contact_id": {"S": judged.contact_id}},
                "ConditionExpression": "version = :judged",
                "ExpressionAttributeValues": {":judged": {"N": str(judged.version)}},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _claiming(
        self, campaign_id: str, candidate: Candidate, slot: str, now: datetime
    ) -> dict[str, Any]:
        contact_id = candidate.contact.contact_id
        entry = Entry(campaign_id, contact_id, Outcome.CLAIMED, now, slot=slot)
        if candidate.held is None:
            return self._putting(entry)
        return self._updating(
            candidate.held,
            "SET slot = :new, #at = :now, failures = :failures",
            {
                ":new": {"S": slot},
                ":now": {"S": stamp(now)},
                ":failures": {"N": str(candidate.held.failed_before)},
            },
            {"#at": "at"},
        )

    def _putting(self, entry: Entry) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self.table,
                "Item": _entry_item(entry),
                "ConditionExpression": "attribute_not_exists(contact_id)",
            }
        }

    def _updating(
        self,
        held: Entry,
        expression: str,
        values: Mapping[str, Any],
        names: Mapping[str, str],
    ) -> dict[str, Any]:
        """Change an open line, if nobody did meanwhile."""
        return {
            "Update": {
                "TableName": self.table,
                "Key": _entry_key(held.campaign_id, held.contact_id),
                "UpdateExpression": expression,
                "ConditionExpression": "outcome = :claimed AND slot = :slot",
                "ExpressionAttributeNames": dict(names),
                "ExpressionAttributeValues": {
                    **values,
                    ":claimed": {"S": Outcome.CLAIMED},
                    ":slot": {"S": held.slot},
                },
            }
        }

    def record(
        self, campaign_id: str, batch: str, results: Sequence[Result], now: datetime
    ) -> None:
        """Write what SES answered for each recipient of a batch, in the order of the claim."""
        reasons = {str(n): {"S": r.reason} for n, r in enumerate(results) if r.reason}
        with translated("ledger"):
            self.client.put_item(
                TableName=self.table,
                Item={
                    **_batch_key(campaign_id, batch),
                    "at": {"S": stamp(now)},
                    "codes": {"S": "".join(_CODES[result.outcome] for result in results)},
                    "ids": {"S": " ".join(result.message_id for result in results)},
                    **({"reasons": {"M": reasons}} if reasons else {}),
                },
            )

    def skip(self, campaign_id: str, skips: Sequence[Skip], now: datetime) -> None:
        """Record why recipients got nothing, unless the ledger already says something else."""
        for start in range(0, len(skips), _ACTIONS):
            self._skip(
                [self._skipping(campaign_id, s, now) for s in skips[start : start + _ACTIONS]]
            )

    def _skip(self, actions: list[dict[str, Any]]) -> None:
        for _ in range(_TRIES):
            reasons = self._transact(actions)
            if reasons is None:
                return
            actions = [
                action
                for action, reason in zip(actions, reasons, strict=True)
                if not _failed(reason)
            ]
            if not actions:
                return
        raise Unavailable("ledger:contention")

    def _skipping(self, campaign_id: str, skip: Skip, now: datetime) -> dict[str, Any]:
        if skip.held is None:
            return self._putting(
                Entry(campaign_id, skip.contact_id, Outcome.SKIPPED, now, skip.reason)
            )
        return self._updating(
            skip.held,
            "SET outcome = :skipped, reason = :reason REMOVE slot",
            {":skipped": {"S": Outcome.SKIPPED}, ":reason": {"S": skip.reason}},
            {},
        )

    def _transact(self, actions: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
        """None where it went through, else the reasons, one per action."""
        for action in actions:
            for write in action.values():
                if not write.get("ExpressionAttributeNames", True):
                    del write["ExpressionAttributeNames"]
        with translated("ledger"):
            try:
                self.client.transact_write_items(TransactItems=actions)  # type: ignore[arg-type]
            except ClientError as error:
                if error_code(error) != "TransactionCanceledException":
                    raise
                return cancellation_reasons(error)
        return None

    # --- SES's own record

    def note_sent(self, campaign_id: str, contact_id: str, slot: str, message_id: str) -> bool:
        """SES says that it has the mail of this slot: written only where our record does not.

        ``slot`` is the tag ``batch`` of SES's event. Whether anything was written.
        """
        batch, _, number = slot.partition(".")
        if self._says_sent(campaign_id, batch, number):
            return False
        with translated("ledger"):
            try:
                self.client.update_item(
                    TableName=self.table,
                    Key=_entry_key(campaign_id, contact_id),
                    UpdateExpression="SET outcome = :sent, message_id = :id",
                    ConditionExpression="outcome = :claimed AND slot = :slot",
                    ExpressionAttributeValues={
                        ":sent": {"S": Outcome.SENT},
                        ":id": {"S": message_id},
                        ":claimed": {"S": Outcome.CLAIMED},
                        ":slot": {"S": slot},
                    },
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                return False
        return True

    def _says_sent(self, campaign_id: str, batch: str, number: str) -> bool:
        with translated("ledger"):
            answer = self.client.get_item(
                TableName=self.table,
                Key=_batch_key(campaign_id, batch),
                ProjectionExpression="codes",
            )
        codes = answer.get("Item", {}).get("codes", {}).get("S", "")
        place = int(number) if number.isdecimal() else len(codes)
        return codes[place : place + 1] == _CODES[Outcome.SENT]

    def settle(
        self,
        campaign_id: str,
        contact_id: str,
        outcome: Outcome,
        *,
        reason: str = "",
        message_id: str = "",
    ) -> None:
        """Record an outcome of a claimed recipient. What SES has sent stays sent.

        A line that is not (or no longer) open is left as it is: a duplicate or late answer
        is harmless.
        """
        with translated("ledger"):
            try:
                self.client.update_item(
                    TableName=self.table,
                    Key=_entry_key(campaign_id, contact_id),
                    UpdateExpression="SET outcome = :outcome, reason = :reason, message_id = :id",
                    ConditionExpression="outcome = :claimed",
                    ExpressionAttributeValues={
                        ":outcome": {"S": outcome},
                        ":reason": {"S": reason},
                        ":id": {"S": message_id},
                        ":claimed": {"S": Outcome.CLAIMED},
                    },
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise

    # --- reading

    def recipients(self, campaign_id: str, shard: str = "", *, after: str = "") -> Iterator[Entry]:
        """Every ledger line of a campaign, or of one shard of the list, by contact id."""
        prefix = shard_prefix(shard) if shard else ""
        query: dict[str, Any] = {
            "KeyConditionExpression": "campaign_id = :v AND contact_id BETWEEN :from AND :to",
            "ExpressionAttributeValues": {
                ":v": {"S": campaign_id},
                # An id with something behind it comes after that id and before the next.
                ":from": {"S": f"{after}!" if after else prefix or "0"},
                ":to": {"S": f"{prefix}{_AFTER_IDS}"},
            },
        }
        known: dict[str, _Batch] = {}
        while True:
            with translated("ledger"):
                answer = self.client.query(
                    TableName=self.table, ConsistentRead=True, Limit=_PAGE, **query
                )
            known = self._batches(answer["Items"], known)
            for item in answer["Items"]:
                yield _resolved(_entry_of(item), known)
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def open_entries(self, campaign_id: str, shard: str) -> Iterator[Entry]:
        """Lines of one mailing-list shard that have no outcome yet."""
        for entry in self.recipients(campaign_id, shard):
            if entry.outcome in {Outcome.CLAIMED, Outcome.RETRY}:
                yield entry

    def of_contact(self, contact_id: str, campaign_ids: Iterable[str]) -> Iterator[Entry]:
        """What became of a contact in each of these campaigns, where the ledger has it."""
        yield from self._lines([_entry_key(name, contact_id) for name in campaign_ids])

    def received(
        self, campaign_ids: Sequence[str], contact_ids: Sequence[str], since: datetime
    ) -> Counter[str]:
        """How many of these campaigns each contact was sent, or is being sent, since then."""
        keys = [_entry_key(name, contact) for name in campaign_ids for contact in contact_ids]
        return Counter(
            entry.contact_id
            for entry in self._lines(keys)
            if entry.outcome in {Outcome.SENT, Outcome.CLAIMED, Outcome.RETRY} and entry.at >= since
        )

    def _lines(self, keys: Sequence[dict[str, Any]]) -> Iterator[Entry]:
        items = list(self._get_many(keys))
        known = self._batches(items, {})
        for item in items:
            yield _resolved(_entry_of(item), known)

    def _batches(
        self, lines: Iterable[Mapping[str, Any]], known: Mapping[str, _Batch]
    ) -> dict[str, _Batch]:
        """The batches these lines wait for."""
        wanted = {
            (line["campaign_id"]["S"], line["slot"]["S"].partition(".")[0])
            for line in lines
            if "slot" in line and line["outcome"]["S"] == Outcome.CLAIMED
        }
        found = {batch: known[batch] for _, batch in wanted if batch in known}
        keys = [_batch_key(name, batch) for name, batch in sorted(wanted) if batch not in found]
        for item in self._get_many(keys):
            found[item["contact_id"]["S"].removeprefix(_BATCH_KEY)] = _Batch(
                item["codes"]["S"], item["ids"]["S"].split(" "), item.get("reasons", {"M": {}})["M"]
            )
        return found

    def _get_many(self, keys: Sequence[dict[str, Any]]) -> Iterator[Mapping[str, Any]]:
        for start in range(0, len(keys), _KEYS):
            left: Any = {
                self.table: {"Keys": list(keys[start : start + _KEYS]), "ConsistentRead": True}
            }
            while left:
                with translated("ledger"):
                    answer = self.client.batch_get_item(RequestItems=left)
                yield from answer["Responses"].get(self.table, [])
                left = answer.get("UnprocessedKeys")


@dataclass(frozen=True, slots=True)
class _Batch:
    codes: str
    ids: Sequence[str]
    reasons: Mapping[str, Any]

    def result(self, number: int) -> Result:
        return Result(
            _OUTCOMES[self.codes[number]],
            self.ids[number],
            self.reasons.get(str(number), {"S": ""})["S"],
        )


def _resolved(entry: Entry, known: Mapping[str, _Batch]) -> Entry:
    """The line with what its batch says, where it is open and the batch says something."""
    batch, _, number = entry.slot.partition(".")
    if entry.outcome is not Outcome.CLAIMED or batch not in known:
        return entry
    result = known[batch].result(int(number))
    return replace(
        entry, outcome=result.outcome, message_id=result.message_id, reason=result.reason
    )


def _entry_key(campaign_id: str, contact_id: str) -> dict[str, Any]:
    return {"campaign_id": {"S": campaign_id}, "contact_id": {"S": contact_id}}


def _batch_key(campaign_id: str, batch: str) -> dict[str, Any]:
    return _entry_key(campaign_id, f"{_BATCH_KEY}{batch}")


def _entry_item(entry: Entry) -> dict[str, Any]:
    texts = {"reason": entry.reason, "message_id": entry.message_id, "slot": entry.slot}
    return {
        **_entry_key(entry.campaign_id, entry.contact_id),
        "outcome": {"S": entry.outcome},
        "at": {"S": stamp(entry.at)},
        **{name: {"S": text} for name, text in texts.items() if text},
    }


def _entry_of(item: Mapping[str, Any]) -> Entry:
    none = {"S": ""}
    return Entry(
        campaign_id=item["campaign_id"]["S"],
        contact_id=item["contact_id"]["S"],
        outcome=Outcome(item["outcome"]["S"]),
        at=parse_stamp(item["at"]["S"]),
        reason=item.get("reason", none)["S"],
        message_id=item.get("message_id", none)["S"],
        slot=item.get("slot", none)["S"],
        failures=int(item.get("failures", {"N": "0"})["N"]),
    )


def _failed(reason: Mapping[str, Any]) -> bool:
    return reason.get("Code") == "ConditionalCheckFailed"
