"""Stand-ins that behave: a clock, SES and SQS as a Lambda sees them, and AWS's bad days.

moto is the AWS of these tests, but its SES keeps neither headers nor tags nor sends events,
and its SQS cannot be told what time it is. Requests are checked by botocore's own model here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import StrEnum
from functools import cache
from typing import Any

import botocore.session
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    ReadTimeoutError,
)
from botocore.validate import ParamValidator

from local.ses.events import describe
from local.ses.message import BadRequest, Entry, Outgoing, build, build_bulk

START = datetime(2026, 11, 24, 0, 40, tzinfo=UTC)


@dataclass
class Clock:
    """Time as the tests tell it."""

    time: datetime = START

    def now(self) -> datetime:
        return self.time

    def advance(self, **by: float) -> datetime:
        self.time += timedelta(**by)
        return self.time

    def sleep(self, seconds: float) -> None:
        self.advance(seconds=seconds)

    def tick(self) -> datetime:
        """A millisecond passes: no two things happen at once unless a test says so."""
        return self.advance(milliseconds=1)


def client_error(code: str, status: int = 400, operation: str = "Any") -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": "as asked for by the test"},
            "ResponseMetadata": {"HTTPStatusCode": status},  # type: ignore[typeddict-item]
        },
        operation,
    )


@cache
def _validator(service: str, operation: str) -> Callable[[Mapping[str, Any]], str]:
    model = botocore.session.get_session().get_service_model(service)
    shape = model.operation_model(operation).input_shape
    assert shape is not None
    validator = ParamValidator()
    return lambda request: str(validator.validate(request, shape).generate_report())


def check_request(service: str, operation: str, request: Mapping[str, Any]) -> None:
    """What botocore refuses to send."""
    report = _validator(service, operation)(request)
    if report:
        raise AssertionError(f"{operation}: {report}")


@dataclass
class FakeSes:
    """Keeps what it accepts, refuses what SES refuses, and tells what it sent afterwards."""

    clock: Clock
    mails: list[Outgoing] = field(default_factory=list)
    rejects: set[str] = field(default_factory=set)
    throttles: dict[str, int] = field(default_factory=dict)  # how many times still
    breaks: dict[str, int] = field(default_factory=dict)  # answers 500, has not taken the mail
    loses: dict[str, int] = field(default_factory=dict)  # takes the mail, the answer is lost
    statuses: dict[str, str] = field(default_factory=dict)  # of bulk entries, as long as it stands
    refuses: str = ""  # every call, with this error
    bad: set[str] = field(default_factory=set)  # a bulk call with one of them is refused whole
    rate: float = 1_000.0
    quota: float = -1.0  # unlimited
    quota_hours: float = 24.0
    verified: bool = True
    silent: str = ""  # GetEmailIdentity answers with this error
    untold: list[dict[str, Any]] = field(default_factory=list)
    sent_at: list[datetime] = field(default_factory=list)
    ids: int = 0

    def send_email(self, **request: Any) -> dict[str, Any]:
        check_request("sesv2", "SendEmail", request)
        to = request["Destination"]["ToAddresses"][0]
        if _use_up(self.throttles, to):
            raise client_error("TooManyRequestsException", 429, "SendEmail")
        if _use_up(self.breaks, to):
            raise client_error("InternalFailure", 500, "SendEmail")
        if to in self.rejects:
            raise client_error("MessageRejected", 400, "SendEmail")
        message_id = self._next_id()
        try:
            mail = build(request, message_id=message_id, now=self.clock.now())
        except BadRequest as error:
            raise client_error("BadRequestException", 400, "SendEmail") from error
        self.mails.append(mail)
        self.untold.append(describe(mail, "Send", self.clock.now()))
        if _use_up(self.loses, to):
            raise ReadTimeoutError(endpoint_url="https://email.invalid")
        return {"MessageId": message_id}

    def get_account(self) -> dict[str, Any]:
        return {
            "SendingEnabled": True,
            "EnforcementStatus": "HEALTHY",
            "SendQuota": {
                "Max24HourSend": self.quota,
                "MaxSendRate": self.rate,
                "SentLast24Hours": float(self.used()),
            },
        }

    def get_email_identity(self, **request: Any) -> dict[str, Any]:
        check_request("sesv2", "GetEmailIdentity", request)
        if self.silent:
            raise client_error(self.silent, 400, "GetEmailIdentity")
        return {"IdentityType": "DOMAIN", "VerifiedForSendingStatus": self.verified}

    def used(self) -> int:
        """Mails that count against the quota now."""
        since = self.clock.now() - timedelta(hours=self.quota_hours)
        return sum(at > since for at in self.sent_at)

    def send_bulk_email(self, **request: Any) -> dict[str, Any]:
        check_request("sesv2", "SendBulkEmail", request)
        people = [entry["Destination"]["ToAddresses"][0] for entry in request["BulkEmailEntries"]]
        if self.refuses:
            raise client_error(self.refuses, 400, "SendBulkEmail")
        if self.bad & set(people):
            raise client_error("BadRequestException", 400, "SendBulkEmail")
        if sum(_use_up(self.breaks, to) for to in people):
            raise client_error("InternalFailure", 500, "SendBulkEmail")
        entries = build_bulk(request, message_ids=self._next_id, now=self.clock.now())
        results = [self._bulk_result(*pair) for pair in zip(people, entries, strict=True)]
        if sum(_use_up(self.loses, to) for to in people):
            raise ReadTimeoutError(endpoint_url="https://email.invalid")
        return {"BulkEmailEntryResults": results}

    def _next_id(self) -> str:
        self.ids += 1
        return f"0106-{self.ids:08d}"

    def _bulk_result(self, to: str, entry: Entry) -> dict[str, Any]:
        status = self.statuses.get(to, "MESSAGE_REJECTED" if to in self.rejects else entry.status)
        if _use_up(self.throttles, to):
            status = "ACCOUNT_THROTTLED"
        elif 0 <= self.quota <= self.used():
            status = "ACCOUNT_DAILY_QUOTA_EXCEEDED"
        if status != "SUCCESS" or entry.message is None:
            return {"Status": status, "Error": entry.error or status}
        self.mails.append(entry.message)
        self.sent_at.append(self.clock.now())
        self.untold.append(describe(entry.message, "Send", self.clock.now()))
        return {"Status": status, "MessageId": entry.message.message_id}

    def to(self, address: str) -> list[Outgoing]:
        return [mail for mail in self.mails if mail.recipients == (address,)]

    def tell(self) -> list[dict[str, Any]]:
        """The send events EventBridge has not delivered yet."""
        told, self.untold = self.untold, []
        return told


def _use_up(times: dict[str, int], key: str) -> bool:
    left = times.get(key, 0)
    times[key] = max(0, left - 1)
    return left > 0


def read(mail: Outgoing) -> EmailMessage:
    return message_from_bytes(mail.raw, policy=policy.default)


@dataclass
class QueuedMessage:
    """One SQS message."""

    number: int
    body: str
    visible_at: datetime
    received: int = 0


@dataclass
class FakeQueue:
    """A standard queue on the tests' clock. What is not deleted is delivered again."""

    clock: Clock
    url: str
    messages: list[QueuedMessage] = field(default_factory=list)
    ever: int = 0
    refuse_from: int | None = None  # entries of a batch that fail, from this one on

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        check_request("sqs", "SendMessageBatch", request)
        assert request["QueueUrl"] == self.url
        entries = request["Entries"]
        assert 1 <= len(entries) <= 10
        assert len({entry["Id"] for entry in entries}) == len(entries)
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for number, entry in enumerate(entries):
            if self.refuse_from is not None and number >= self.refuse_from:
                answer["Failed"].append({"Id": entry["Id"], "SenderFault": False, "Code": "Oops"})
                continue
            assert 0 <= entry["DelaySeconds"] <= 900
            self.ever += 1
            at = self.clock.now() + timedelta(seconds=entry["DelaySeconds"])
            self.messages.append(QueuedMessage(self.ever, entry["MessageBody"], at))
            answer["Successful"].append({"Id": entry["Id"], "MessageId": str(self.ever)})
        return answer

    def receive(self) -> QueuedMessage | None:
        """The next message; time passes until one is visible. None where the queue is empty."""
        if not self.messages:
            return None
        message = min(self.messages, key=lambda message: (message.visible_at, message.number))
        self.clock.time = max(self.clock.time, message.visible_at)
        message.received += 1
        return message

    def delete(self, message: QueuedMessage) -> None:
        self.messages.remove(message)


class Mode(StrEnum):
    """How one AWS call goes wrong."""

    THROTTLED = "throttled"
    BROKEN = "5xx"
    BROKEN_LATE = "5xx, but done"
    LOST = "answer lost"
    DIES_BEFORE = "dies before"
    DIES_AFTER = "dies after"
    CONFLICT = "another transaction"  # of transactions only


class Died(BaseException):
    """The process is gone: out of memory, time or power. No code under test may catch it."""


@dataclass
class Faults:
    """Counts AWS calls and makes the planned ones fail; calls are numbered from 0."""

    plan: Mapping[int, Mode] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    struck: int = 0

    def wrap(self, client: Any) -> Any:
        return _Proxy(self, client)

    def call(self, name: str, method: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        number = len(self.calls)
        self.calls.append(name)
        mode = self.plan.get(number)
        if mode is None:
            return method(**request)
        self.struck += 1
        if mode in {Mode.LOST, Mode.BROKEN_LATE, Mode.DIES_AFTER}:
            method(**request)  # an error of its own comes through: it was the answer
        raise self._failure(mode, number, request)

    def _failure(self, mode: Mode, number: int, request: Mapping[str, Any]) -> BaseException:
        if mode is Mode.CONFLICT:
            return _conflict(len(request["TransactItems"]))
        if mode is Mode.THROTTLED:
            return client_error("ThrottlingException", 400)
        if mode in {Mode.BROKEN, Mode.BROKEN_LATE}:
            code = ("InternalServerError", 500) if number % 2 else ("ServiceUnavailable", 503)
            return client_error(*code)
        if mode is Mode.LOST:
            return _LOST[number % len(_LOST)](endpoint_url="https://aws.invalid")
        return Died()


_LOST = (ConnectionClosedError, ConnectTimeoutError, ReadTimeoutError)


def _conflict(items: int) -> ClientError:
    """DynamoDB's answer where another transaction holds the last of the items."""
    error = client_error("TransactionCanceledException")
    reasons: Any = [{"Code": "None"}] * (items - 1) + [{"Code": "TransactionConflict"}]
    error.response["CancellationReasons"] = reasons
    return error


class _Proxy:
    """A client of which any call may fail."""

    def __init__(self, faults: Faults, client: Any) -> None:
        self._faults = faults
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        return lambda **request: self._faults.call(name, method, request)


class Meanwhile:
    """A client before whose first call of ``name`` something else happens, once."""

    def __init__(self, name: str, happens: Callable[[], object]) -> None:
        self._name = name
        self._happens: Callable[[], object] | None = happens

    def wrap(self, client: Any) -> Any:
        return _Interrupted(self, client)

    def before(self, name: str) -> None:
        if name == self._name and self._happens is not None:
            happens, self._happens = self._happens, None
            happens()


class _Interrupted:
    def __init__(self, meanwhile: Meanwhile, client: Any) -> None:
        self._meanwhile = meanwhile
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(**request: Any) -> Any:
            self._meanwhile.before(name)
            return method(**request)

        return call
