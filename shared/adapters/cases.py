"""Cases and the words of their mails in DynamoDB: saved only if they are still what was read.

An item ``open#{contact}#{kind}`` points at the one open case of its contact and kind; it moves
in the transaction that opens, changes or closes the case. The index ``queue`` holds the open
cases of each team, and those that are closed while the system still owes something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from shared.adapters.attributes import from_item, to_item
from shared.adapters.aws import cancellation_reasons, error_code, translated
from shared.domain import cases
from shared.domain.cases import (
    Case,
    CaseKind,
    CaseState,
    LinkState,
    Step,
    StepKind,
    Task,
)
from shared.domain.errors import Conflict, NotFound, Unavailable
from shared.domain.events import parse_stamp, stamp
from shared.domain.inbound import Mailbox
from shared.domain.links import NOBODY
from shared.domain.teams import Team
from shared.texts.consent import Language

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

LONGEST_WORDS = 20_000
_CASE = "case"
_MAIL = "mail#"
_POINTER = "open"
_OWED = "owed"  # in place of a team, where the case is closed and the system is not done
_CLOSED = "1"
_ACTIONS = 100  # of one transaction
_TRIES = 6


@dataclass(frozen=True, slots=True)
class CaseMail:
    """One mail of a case. ``words`` and ``subject`` are personal and go with an erasure.

    ``direction``: ``in``, ``out`` where staff wrote it, ``note`` where they did for each other.
    ``by``: who of staff wrote it, or wrote down what was said.
    """

    mail_id: str
    received_at: datetime
    words: str
    subject: str = ""
    attachments: int = 0
    unread: tuple[str, ...] = ()
    direction: str = "in"
    by: str = ""


@dataclass(frozen=True, slots=True)
class CasePage:
    """Some cases and where to go on; ``after`` is empty at the end."""

    cases: tuple[Case, ...]
    after: str = ""


@dataclass
class CaseStore:
    """Cases. What may follow what is ``domain.cases``'; here it is only kept."""

    client: DynamoDBClient
    table: str

    def create(self, case: Case, words: CaseMail | None = None) -> Case:
        """Store a new case with its first mail; or join the open one of its contact and kind.

        The case as it is stored then. Creating it again gives the same.

        Raises:
            Unavailable: the store could not be asked.
        """
        for _ in range(_TRIES):
            saved = replace(case, version=1)
            actions = [self._put(_item(saved), "attribute_not_exists(case_id)")]
            if words is not None:
                actions.append(self._put(_mail_item(case.case_id, words)))
            if _has_pointer(case):
                actions.append(self._put(_pointer_item(case), "attribute_not_exists(case_id)"))
            reasons = self._transact(actions)
            if reasons is None:
                return saved
            if _failed(reasons[0]):
                return self.get(case.case_id)
            if _failed(reasons[-1]):
                joined = self._join(case, words)
                if joined is not None:
                    return joined
        raise Unavailable("cases:contention")

    def _join(self, case: Case, words: CaseMail | None) -> Case | None:
        """The open case of the same contact and kind, with one more mail; None: it moved on."""
        item = self._get(_pointer_id(case), _POINTER)
        if item is None:
            return None
        found = self.get(item["points_at"]["S"])
        if not found.is_open or found.kind is not case.kind:
            return None
        if words is None:
            return found
        if cases.is_full(found):
            with suppress(Conflict):  # it is noted by the next then
                found = self.save(
                    found, cases.joined(found, mail_id=words.mail_id, now=words.received_at)
                )
            return found
        saved = replace(
            cases.joined(found, mail_id=words.mail_id, now=words.received_at),
            version=found.version + 1,
        )
        reasons = self._transact(
            [
                self._put(_item(saved), "version = :read", found.version),
                self._put(
                    _mail_item(found.case_id, words),
                    "attribute_not_exists(case_id)",
                ),
            ]
        )
        if reasons is None:
            return saved
        # It is in it already: this is a retry.
        return self.get(found.case_id) if _failed(reasons[1]) else None

    def get(self, case_id: str) -> Case:
        """One case.

        Raises:
            NotFound: no such case.
            Unavailable: the store could not be asked.
        """
        item = self._get(case_id, _CASE)
        if item is None:
            raise NotFound(
                "unknown_request", "この依頼は見つかりません。", "There is no such request."
            )
        return _case(item)

    def save(self, read: Case, changed: Case, mail: CaseMail | None = None) -> Case:
        """Save ``changed`` if the stored one is still ``read``; ``mail`` is added with it.

        Saving what is already stored (a retry after a lost answer) succeeds.

        Raises:
            Conflict: somebody saved something else meanwhile, or the contact already has an
                open case of the new kind.
            Unavailable: the store could not be asked.
        """
        if changed == read and mail is None:
            return read
        saved = replace(changed, version=read.version + 1)
        actions = [self._put(_item(saved), "version = :read", read.version)]
        if mail is not None:
            actions.append(self._put(_mail_item(read.case_id, mail)))
        had, has = _has_pointer(read), _has_pointer(saved)
        if had and (not has or saved.kind is not read.kind):
            actions.append(
                {
                    "Delete": {
                        "TableName": self.table,
                        "Key": _key(_pointer_id(read), _POINTER),
                    }
                }
            )
        if has and (not had or saved.kind is not read.kind):
            actions.append(self._put(_pointer_item(saved), "attribute_not_exists(case_id)"))
        for _ in range(_TRIES):
            reasons = self._transact(actions)
            if reasons is None:
                return saved
            if _failed(reasons[0]):
                if _item(self.get(read.case_id)) == _item(saved):
                    return saved
                raise Conflict(
                    "changed_meanwhile",
                    "ほかの操作で内容が変わりました。もう一度お試しください。",
                    "Something changed meanwhile. Please try again.",
                )
            if _failed(reasons[-1]):
                raise Conflict(
                    "already_open",
                    "この方の同じ種類の依頼がすでにあります。",
                    "There already is an open request of this kind by this person.",
                )
        raise Unavailable("cases:contention")

    def queue(self, *, team: Team | None, limit: int, after: str = "") -> CasePage:
        """Open cases of a team, or of all, the first due first."""
        teams: Iterable[str] = sorted(set(cases.TEAM_OF.values())) if team is None else [team]
        return self._page(teams, limit, after)

    def owed(self, *, limit: int, after: str = "") -> CasePage:
        """Cases that are closed while the system still owes something."""
        return self._page([_OWED], limit, after)

    def closed(self, *, limit: int, after: str = "") -> CasePage:
        """Closed cases, the newest first."""
        names, values = {}, {":c": {"S": _CLOSED}}
        condition = "closed = :c"
        if after:
            condition += " AND #at < :after"
            names["#at"] = "closed_at"
            values[":after"] = {"S": after}
        items = self._query("closed", condition, values, names, limit + 1, forward=False)
        return _cut(items, "closed_at", limit)

    def of_contact(self, contact_id: str) -> list[Case]:
        """Every case of a contact, the oldest first."""
        values = {":c": {"S": contact_id}}
        items = self._query("by_contact", "contact_id = :c", values, {}, None)
        return [_case(item) for item in items]

    def mails(self, case_id: str) -> list[CaseMail]:
        """The mails of a case, the oldest first."""
        return [_mail(item) for item in self._mail_items(case_id)]

    def take_back(self, case_id: str, mail: CaseMail) -> None:
        """Remove a mail that was not sent after all; one that is gone does no harm."""
        with translated("cases"):
            self.client.delete_item(TableName=self.table, Key=_key(case_id, _mail_name(mail)))

    def forget(self, case: Case, *, now: datetime) -> Case:
        """Remove what is personal in a case and its mails; that they were there stays.

        Raises:
            Conflict: somebody saved something else meanwhile.
        """
        self.forget_mails(case.case_id)
        return self.save(case, cases.forgotten(case, now=now))

    def forget_mails(self, case_id: str) -> None:
        """Remove the words of a case's mails."""
        actions = [
            {
                "Update": {
                    "TableName": self.table,
                    "Key": _key(case_id, item["item"]["S"]),
                    "UpdateExpression": "REMOVE words, subject",
                }
            }
            for item in self._mail_items(case_id)
            if "words" in item
        ]
        for start in range(0, len(actions), _ACTIONS):
            with translated("cases"):
                self.client.transact_write_items(
                    TransactItems=actions[start : start + _ACTIONS]  # type: ignore[arg-type]
                )

    # --- plumbing

    def _get(self, case_id: str, item: str) -> Mapping[str, Any] | None:
        with translated("cases"):
            answer = self.client.get_item(
                TableName=self.table, Key=_key(case_id, item), ConsistentRead=True
            )
        return answer.get("Item")

    def _put(self, item: Mapping[str, Any], condition: str = "", read: int = -1) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self.table, "Item": item}
        if condition:
            put["ConditionExpression"] = condition
        if read >= 0:
            put["ExpressionAttributeValues"] = {":read": {"N": str(read)}}
        return {"Put": put}

    def _transact(self, actions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
        """None where it went through, else the reasons, one per action."""
        with translated("cases"):
            try:
                self.client.transact_write_items(TransactItems=actions)  # type: ignore[arg-type]
            except ClientError as error:
                if error_code(error) != "TransactionCanceledException":
                    raise
                return cancellation_reasons(error)
        return None

    def _page(self, queues: Iterable[str], limit: int, after: str) -> CasePage:
        """By due date over all these queues; ``after`` is the last one's key."""
        items: list[Mapping[str, Any]] = []
        for name in queues:
            values = {":q": {"S": str(name)}, ":after": {"S": after or " "}}
            condition = "#queue = :q AND due_key > :after"
            items += self._query("queue", condition, values, {"#queue": "queue"}, limit + 1)
        items.sort(key=lambda item: str(item["due_key"]["S"]))
        return _cut(items, "due_key", limit)

    def _query(
        self,
        index: str,
        condition: str,
        values: Mapping[str, Any],
        names: Mapping[str, str],
        limit: int | None,
        *,
        forward: bool = True,
    ) -> list[Mapping[str, Any]]:
        """All items, or the first ``limit``."""
        found: list[Mapping[str, Any]] = []
        more: dict[str, Any] = {"ExpressionAttributeNames": dict(names)} if names else {}
        if limit is not None:
            more["Limit"] = limit
        if index:
            more["IndexName"] = index
        else:
            more["ConsistentRead"] = True
        while True:
            with translated("cases"):
                answer = self.client.query(
                    TableName=self.table,
                    KeyConditionExpression=condition,
                    ExpressionAttributeValues=dict(values),
                    ScanIndexForward=forward,
                    **more,
                )
            found += answer["Items"]
            if "LastEvaluatedKey" not in answer or (limit is not None and len(found) >= limit):
                return found
            more["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _mail_items(self, case_id: str) -> list[Mapping[str, Any]]:
        return self._query(
            "",
            "case_id = :c AND begins_with(#item, :mail)",
            {":c": {"S": case_id}, ":mail": {"S": _MAIL}},
            {"#item": "item"},
            None,
        )


def _cut(items: Sequence[Mapping[str, Any]], key: str, limit: int) -> CasePage:
    shown = items[:limit]
    after = str(shown[-1][key]["S"]) if len(items) > limit else ""
    return CasePage(tuple(map(_case, shown)), after)


def _key(case_id: str, item: str) -> dict[str, Any]:
    return {"case_id": {"S": case_id}, "item": {"S": item}}


def _has_pointer(case: Case) -> bool:
    """Nobody's cases have nothing in common."""
    return case.is_open and case.contact_id != NOBODY


def _pointer_id(case: Case) -> str:
    return f"open#{case.contact_id}#{case.kind}"


def _pointer_item(case: Case) -> dict[str, Any]:
    return {**_key(_pointer_id(case), _POINTER), "points_at": {"S": case.case_id}}


def _mail_name(mail: CaseMail) -> str:
    return f"{_MAIL}{stamp(mail.received_at)}#{mail.mail_id}"


def _mail_item(case_id: str, mail: CaseMail) -> dict[str, Any]:
    return to_item(
        {
            "case_id": case_id,
            "item": _mail_name(mail),
            "mail_id": mail.mail_id,
            "received_at": stamp(mail.received_at),
            "words": mail.words[:LONGEST_WORDS],
            "subject": mail.subject,
            "attachments": mail.attachments,
            "unread": mail.unread,
            "direction": mail.direction,
            "by": mail.by,
        }
    )


def _mail(item: Mapping[str, Any]) -> CaseMail:
    plain = from_item(item)
    return CaseMail(
        mail_id=plain["mail_id"],
        received_at=parse_stamp(plain["received_at"]),
        words=plain.get("words", ""),
        subject=plain.get("subject", ""),
        attachments=plain["attachments"],
        unread=tuple(plain["unread"]),
        direction=plain["direction"],
        by=plain["by"],
    )


def _index_attributes(case: Case) -> dict[str, str]:
    """Keys of the sparse indexes."""
    attributes: dict[str, str] = {}
    if case.is_open:
        attributes["queue"] = cases.TEAM_OF[case.kind]
    elif case.task is not Task.NONE or case.holds:
        attributes["queue"] = _OWED
    if "queue" in attributes:
        attributes["due_key"] = f"{case.due_on.isoformat()}#{case.case_id}"
    if not case.is_open:
        attributes["closed"] = _CLOSED
        attributes["closed_at"] = f"{stamp(case.steps[-1].at)}#{case.case_id}"
    return attributes


def _item(case: Case) -> dict[str, Any]:
    return to_item(
        {
            **_key_names(case),
            **_index_attributes(case),
            "kind": case.kind,
            "state": case.state,
            "contact_id": case.contact_id,
            "language": case.language,
            "mailbox": case.mailbox or "",
            "opened_at": stamp(case.opened_at),
            "due_on": case.due_on.isoformat(),
            "warn_on": case.warn_on.isoformat(),
            "legal_on": case.legal_on.isoformat() if case.legal_on else "",
            "reason": case.reason,
            "confidence": case.confidence,
            "reply_to": case.reply_to,
            "subject": case.subject,
            "in_reply_to": case.in_reply_to,
            "holds": case.holds,
            "also": case.also,
            "vouched": case.vouched,
            "task": case.task,
            "links": {name: _plain_link(link) for name, link in case.links.items()},
            "hand_by": case.hand_by,
            "hand_reason": case.hand_reason,
            "new_address": case.new_address,
            "approved_by": case.approved_by,
            "refusal": case.refusal,
            "steps": [
                {
                    "at": stamp(step.at),
                    "kind": step.kind,
                    "by": step.by,
                    "details": dict(step.details),
                }
                for step in case.steps
            ],
            "version": case.version,
        }
    )


def _key_names(case: Case) -> dict[str, str]:
    return {"case_id": case.case_id, "item": _CASE}


def _plain_link(link: LinkState) -> dict[str, str]:
    return {
        "nonce": link.nonce,
        "expires_at": stamp(link.expires_at),
        "used_at": stamp(link.used_at) if link.used_at else "",
    }


def _case(item: Mapping[str, Any]) -> Case:
    plain = from_item(item)
    return Case(
        case_id=plain["case_id"],
        kind=CaseKind(plain["kind"]),
        state=CaseState(plain["state"]),
        contact_id=plain["contact_id"],
        language=Language(plain["language"]),
        mailbox=_unless_empty(plain["mailbox"], Mailbox),
        opened_at=parse_stamp(plain["opened_at"]),
        due_on=date.fromisoformat(plain["due_on"]),
        warn_on=date.fromisoformat(plain["warn_on"]),
        legal_on=_unless_empty(plain["legal_on"], date.fromisoformat),
        reason=plain["reason"],
        confidence=plain["confidence"],
        reply_to=plain["reply_to"],
        subject=plain["subject"],
        in_reply_to=plain["in_reply_to"],
        holds=plain["holds"],
        also=tuple(plain["also"]),
        vouched=plain["vouched"],
        task=Task(plain["task"]),
        links=MappingProxyType(
            {
                name: LinkState(
                    link["nonce"],
                    parse_stamp(link["expires_at"]),
                    _unless_empty(link["used_at"], parse_stamp),
                )
                for name, link in plain["links"].items()
            }
        ),
        hand_by=plain["hand_by"],
        hand_reason=plain["hand_reason"],
        new_address=plain["new_address"],
        approved_by=plain["approved_by"],
        refusal=plain["refusal"],
        steps=tuple(
            Step(
                parse_stamp(step["at"]),
                StepKind(step["kind"]),
                step["by"],
                MappingProxyType(step["details"]),
            )
            for step in plain["steps"]
        ),
        version=plain["version"],
    )


def _unless_empty(text: str, read: Callable[[str], T]) -> T | None:
    return read(text) if text else None


def _failed(reason: Mapping[str, Any]) -> bool:
    return reason.get("Code") == "ConditionalCheckFailed"
