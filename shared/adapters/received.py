"""What came in and what became of it, in DynamoDB: one line for each mail, none of its words.

The line is written before anything is done about the mail and finished afterwards, so that a
second delivery, or another object with the same mail, finds what was done. For each object
that was erased a mark stays, so that its notification may come again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.adapters.attributes import from_item, to_item
from shared.adapters.aws import cancellation_reasons, error_code, translated
from shared.domain.errors import NotFound, Unavailable
from shared.domain.events import parse_stamp, stamp
from shared.domain.inbound import Mailbox

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_FILTERED = "1"
_ACTIONS = 100  # of one transaction
_KEYS = 100  # of one BatchGetItem


@dataclass(frozen=True, slots=True)
class Line:
    """One mail. ``outcome`` is empty until everything about it is done."""

    mail_id: str
    received_at: datetime
    mailbox: Mailbox | None
    contact_id: str
    object_keys: frozenset[str]
    expires_at: int
    outcome: str = ""
    reason: str = ""
    case_id: str = ""
    erased: bool = False


@dataclass(frozen=True, slots=True)
class LinePage:
    """Some lines and where to go on; ``after`` is empty at the end."""

    lines: tuple[Line, ...]
    after: str = ""


@dataclass
class ReceivedStore:
    """The lines. ``keep``: how long."""

    client: DynamoDBClient
    table: str
    keep: timedelta = timedelta(days=400)

    def begin(
        self,
        mail_id: str,
        object_key: str,
        at: datetime,
        *,
        contact_id: str,
        mailbox: Mailbox | None,
    ) -> Line:
        """Note that a mail is there, in this object; the line as it is then.

        What the first delivery said of its time and its writer stands.
        """
        with translated("received"):
            answer = self.client.update_item(
                TableName=self.table,
                Key=_key(mail_id),
                UpdateExpression="ADD object_keys :key SET received_at ="
                " if_not_exists(received_at, :at), contact_id = if_not_exists(contact_id, :who),"
                " mailbox = if_not_exists(mailbox, :mailbox),"
                " expires_at = if_not_exists(expires_at, :expires)",
                ExpressionAttributeValues=to_item(
                    {
                        ":key": frozenset({object_key}),
                        ":at": stamp(at),
                        ":who": contact_id,
                        ":mailbox": mailbox or "",
                        ":expires": int((at + self.keep).timestamp()),
                    }
                ),
                ReturnValues="ALL_NEW",
            )
        return _line(answer["Attributes"])

    def finish(
        self,
        line: Line,
        *,
        outcome: str,
        reason: str,
        filtered: bool = False,
        case_id: str = "",
        also_about: Iterable[str] = (),
    ) -> None:
        """Note what became of it. ``also_about``: contacts beside the writer whom it concerns.

        ``filtered``: staff find it among the mails nobody was to answer.
        """
        values = {"outcome": outcome, "reason": reason, "case_id": case_id}
        if filtered:
            values["filtered"] = _FILTERED
        actions = [_setting(self.table, line.mail_id, values)]
        actions += [
            _setting(
                self.table,
                f"{line.mail_id}#{contact_id}",
                {
                    "contact_id": contact_id,
                    "received_at": stamp(line.received_at),
                    "expires_at": line.expires_at,
                    "same_as": line.mail_id,
                },
            )
            for contact_id in sorted(set(also_about) - {line.contact_id})[: _ACTIONS - 1]
        ]
        with translated("received"):
            self.client.transact_write_items(TransactItems=actions)  # type: ignore[arg-type]

    def get(self, mail_id: str) -> Line:
        """One line.

        Raises:
            NotFound: no such mail.
            Unavailable: the store could not be asked.
        """
        item = self._get(mail_id)
        if item is None or "object_keys" not in item:
            raise NotFound("unknown_mail", "このメールは見つかりません。", "There is no such mail.")
        return _line(item)

    def is_erased(self, object_key: str) -> bool:
        """Whether the mail in this object was erased on purpose."""
        return self._get(_mark_of(object_key)) is not None

    def opened(self, line: Line, case_id: str) -> None:
        """Staff made a case of a mail that nobody was to answer."""
        with translated("received"):
            self.client.update_item(
                TableName=self.table,
                Key=_key(line.mail_id),
                UpdateExpression="SET case_id = :case REMOVE filtered",
                ExpressionAttributeValues={":case": {"S": case_id}},
            )

    def filtered(self, *, limit: int, after: str = "") -> LinePage:
        """Mails that nobody was to answer, the newest first."""
        start: dict[str, Any] = {}
        if after:
            mail_id, _, at = after.partition("@")
            start["ExclusiveStartKey"] = to_item(
                {"mail_id": mail_id, "filtered": _FILTERED, "received_at": at}
            )
        with translated("received"):
            answer = self.client.query(
                TableName=self.table,
                IndexName="filtered",
                KeyConditionExpression="filtered = :f",
                ExpressionAttributeValues={":f": {"S": _FILTERED}},
                ScanIndexForward=False,
                Limit=limit,
                **start,
            )
        last = answer.get("LastEvaluatedKey")
        return LinePage(
            tuple(map(_line, answer["Items"])),
            f"{last['mail_id']['S']}@{last['received_at']['S']}" if last else "",
        )

    def of_contact(self, contact_id: str) -> list[Line]:
        """Every mail a contact wrote or that concerns it, the oldest first."""
        lines: list[Line] = []
        others: list[str] = []
        start: dict[str, Any] = {}
        while True:
            with translated("received"):
                answer = self.client.query(
                    TableName=self.table,
                    IndexName="by_contact",
                    KeyConditionExpression="contact_id = :c",
                    ExpressionAttributeValues={":c": {"S": contact_id}},
                    **start,
                )
            for item in answer["Items"]:
                if "same_as" in item:
                    others.append(item["same_as"]["S"])
                else:
                    lines.append(_line(item))
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return sorted([*lines, *self._several(others)], key=lambda line: line.received_at)

    def erase(self, lines: Sequence[Line]) -> None:
        """The objects of these mails are gone: mark them, and list the mails nowhere."""
        actions: list[dict[str, Any]] = []
        for line in lines:
            actions += (
                _setting(self.table, _mark_of(key), {"expires_at": line.expires_at})
                for key in sorted(line.object_keys)
            )
            actions.append(
                {
                    "Update": {
                        "TableName": self.table,
                        "Key": _key(line.mail_id),
                        "UpdateExpression": "SET erased = :yes REMOVE filtered",
                        "ExpressionAttributeValues": {":yes": {"BOOL": True}},
                    }
                }
            )
        for start in range(0, len(actions), _ACTIONS):
            with translated("received"):
                self.client.transact_write_items(
                    TransactItems=actions[start : start + _ACTIONS]  # type: ignore[arg-type]
                )

    def _get(self, mail_id: str) -> Mapping[str, Any] | None:
        with translated("received"):
            answer = self.client.get_item(
                TableName=self.table, Key=_key(mail_id), ConsistentRead=True
            )
        return answer.get("Item")

    def _several(self, mail_ids: Sequence[str]) -> list[Line]:
        found: list[Line] = []
        for start in range(0, len(mail_ids), _KEYS):
            keys = list(map(_key, mail_ids[start : start + _KEYS]))
            request: Any = {self.table: {"Keys": keys, "ConsistentRead": True}}
            while request:
                with translated("received"):
                    answer = self.client.batch_get_item(RequestItems=request)
                found += map(_line, answer["Responses"].get(self.table, []))
                request = answer.get("UnprocessedKeys")
        return found


@dataclass
class Answers:
    """At most one automatic answer per mailbox and day (RFC 3834), and so many in an hour.

    Counted in the throttle table.
    """

    client: DynamoDBClient
    table: str

    def allow(
        self,
        mailbox: str,
        day: str,
        about: str,
        expires: datetime,
        *,
        hour: str = "",
        most: int = 0,
    ) -> bool:
        """Whether this day's answer may be about that; asking again gives the same answer.

        ``hour``: counted with all others of that hour, of which ``most`` are allowed.

        Raises:
            Unavailable: the table could not be asked.
        """
        until = int(expires.timestamp())
        line = {"key": f"answer#{mailbox}#{day}", "about": about, "expires_at": until}
        put: Any = {
            "TableName": self.table,
            "Item": to_item(line),
            "ConditionExpression": "attribute_not_exists(about)",
        }
        add: Any = {
            "TableName": self.table,
            "Key": {"key": {"S": f"answers#{hour}"}},
            "UpdateExpression": "ADD answered :one SET expires_at = :until",
            "ConditionExpression": "attribute_not_exists(answered) OR answered < :most",
            "ExpressionAttributeValues": to_item({":one": 1, ":until": until, ":most": most}),
        }
        with translated("answers"):
            try:
                self.client.transact_write_items(
                    TransactItems=[{"Put": put}, {"Update": add}] if hour else [{"Put": put}]
                )
            except ClientError as error:
                if error_code(error) != "TransactionCanceledException":
                    raise
                failed = [reason.get("Code") for reason in cancellation_reasons(error)]
            else:
                return True
            if failed[0] == "ConditionalCheckFailed":
                found = self.client.get_item(
                    TableName=self.table, Key={"key": {"S": line["key"]}}, ConsistentRead=True
                )
                return from_item(found.get("Item", {})).get("about") == about
        if "ConditionalCheckFailed" not in failed:
            raise Unavailable("answers:contention")
        return False


def _key(mail_id: str) -> dict[str, Any]:
    return {"mail_id": {"S": mail_id}}


def _mark_of(object_key: str) -> str:
    return f"object#{object_key}"


def _setting(table: str, mail_id: str, values: Mapping[str, object]) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": table,
            "Key": _key(mail_id),
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
            "ExpressionAttributeNames": {f"#{name}": name for name in values},
            "ExpressionAttributeValues": to_item({f":{n}": value for n, value in values.items()}),
        }
    }


def _line(item: Mapping[str, Any]) -> Line:
    plain = from_item(item)
    return Line(
        mail_id=plain["mail_id"],
        received_at=parse_stamp(plain["received_at"]),
        mailbox=Mailbox(plain["mailbox"]) if plain["mailbox"] else None,
        contact_id=plain["contact_id"],
        object_keys=plain["object_keys"],
        expires_at=plain["expires_at"],
        outcome=plain.get("outcome", ""),
        reason=plain.get("reason", ""),
        case_id=plain.get("case_id", ""),
        erased=plain.get("erased", False),
    )
