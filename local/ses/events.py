"""What SES tells about a message afterwards, put where its EventBridge rule sends it.

PutEvents refuses sources that begin with `aws.`, in AWS and in the emulator alike, so the rules
are asked here which of them an event matches and their targets are called as EventBridge would.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.aws import Aws
from local.config import ACCOUNT, REGION
from local.ses.message import Outgoing

_LOG = logging.getLogger(__name__)
_DETAIL_TYPES = {
    "Send": "Email Sent",
    "Delivery": "Email Delivered",
    "Bounce": "Email Bounced",
    "Complaint": "Email Complaint Received",
}
_MATCHING = {"Send": "SEND", "Delivery": "DELIVERY", "Bounce": "BOUNCE", "Complaint": "COMPLAINT"}
_RULES_AGE = 2.0  # seconds; a deployment may change them


_WORKERS = 2  # each keeps a process of the function busy, with 50 MB
_TRIES = 3  # as often as Lambda tries an asynchronous event


@dataclass(frozen=True, slots=True)
class _Target:
    arn: str
    dead_letters: str


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: str
    targets: tuple[_Target, ...]


class Feedback:
    """A queue and its workers, so that sending never waits for feedback."""

    def __init__(self, aws: Aws, clock: Callable[[], datetime]) -> None:
        self._aws = aws
        self._clock = clock
        self._queue: asyncio.Queue[tuple[Outgoing, str]] = asyncio.Queue()
        self._rules: tuple[float, Sequence[_Rule]] = (-_RULES_AGE, ())
        self._wanted: dict[str, tuple[float, frozenset[str]]] = {}

    def report(self, message: Outgoing, *kinds: str) -> None:
        """Queue events of these kinds (Send, Delivery, Bounce, Complaint), in this order."""
        if message.configuration_set:
            for kind in kinds:
                self._queue.put_nowait((message, kind))

    async def work(self) -> None:
        """Publish for ever."""
        await asyncio.gather(*(self._work() for _ in range(_WORKERS)))

    async def _work(self) -> None:
        while True:
            message, kind = await self._queue.get()
            try:
                await asyncio.to_thread(self._publish, message, kind)
            except (BotoCoreError, ClientError):
                _LOG.exception("SES event %s of %s could not be published", kind, message)
            finally:
                self._queue.task_done()

    async def drain(self, seconds: float) -> None:
        """Wait until all is published, at most so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._queue.join(), seconds)

    def _publish(self, message: Outgoing, kind: str) -> None:
        if _MATCHING[kind] not in self._wanted_kinds(message.configuration_set):
            return
        event = json.dumps(describe(message, kind, self._clock()))
        for rule in self._current_rules():
            matches = self._aws.events.test_event_pattern(EventPattern=rule.pattern, Event=event)
            if matches["Result"]:
                for target in rule.targets:
                    self._deliver(target, event)

    def _deliver(self, target: _Target, event: str) -> None:
        service = target.arn.split(":")[2]
        if service == "sqs":
            self._queue_up(target.arn, event)
        elif service != "lambda":
            _LOG.warning("SES events do not reach %s here", target.arn)
        # Called to the end, one by one: the emulator starts a process for each event in flight.
        elif not any(self._invoked(target.arn, event) for _ in range(_TRIES)):
            _LOG.warning("%s failed %d times on an SES event", target.arn, _TRIES)
            if target.dead_letters:
                self._queue_up(target.dead_letters, event)

    def _invoked(self, function: str, event: str) -> bool:
        answer = self._aws.functions.invoke(FunctionName=function, Payload=event.encode())
        return "FunctionError" not in answer

    def _queue_up(self, queue: str, event: str) -> None:
        url = self._aws.sqs.get_queue_url(QueueName=queue.rsplit(":", 1)[1])["QueueUrl"]
        self._aws.sqs.send_message(QueueUrl=url, MessageBody=event)

    def _current_rules(self) -> Sequence[_Rule]:
        read_at, rules = self._rules
        if time.monotonic() - read_at < _RULES_AGE:
            return rules
        events = self._aws.events
        fresh = [
            _Rule(
                pattern=rule["EventPattern"],
                targets=tuple(
                    _Target(
                        arn=target["Arn"],
                        dead_letters=target.get("DeadLetterConfig", {}).get("Arn", ""),
                    )
                    for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
                ),
            )
            for rule in events.list_rules()["Rules"]
            if rule.get("State") == "ENABLED" and rule.get("EventPattern")
        ]
        self._rules = (time.monotonic(), fresh)
        return fresh

    def _wanted_kinds(self, configuration_set: str) -> frozenset[str]:
        """What the configuration set publishes to EventBridge."""
        read_at, kinds = self._wanted.get(configuration_set, (-_RULES_AGE, frozenset()))
        if time.monotonic() - read_at < _RULES_AGE:
            return kinds
        answer = self._aws.ses.get_configuration_set_event_destinations(
            ConfigurationSetName=configuration_set
        )
        kinds = frozenset(
            kind
            for destination in answer["EventDestinations"]
            if destination.get("Enabled") and destination.get("EventBridgeDestination")
            for kind in destination["MatchingEventTypes"]
        )
        self._wanted[configuration_set] = (time.monotonic(), kinds)
        return kinds


def describe(message: Outgoing, kind: str, now: datetime) -> dict[str, Any]:
    """The EventBridge event of one thing that happened to one message."""
    stamp = _stamp(now)
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": _DETAIL_TYPES[kind],
        "source": "aws.ses",
        "account": ACCOUNT,
        "time": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [
            f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/{message.configuration_set}"
        ],
        "detail": {
            "eventType": kind,
            "mail": _mail(message, stamp),
            kind.lower(): _particulars(message, kind, stamp),
        },
    }


def _mail(message: Outgoing, stamp: str) -> dict[str, Any]:
    mail = message_from_bytes(message.raw, policy=policy.default)
    return {
        "timestamp": stamp,
        "source": message.sender,
        "sendingAccountId": ACCOUNT,
        "messageId": message.message_id,
        "destination": list(message.recipients),
        "headersTruncated": False,
        "headers": [{"name": name, "value": str(value)} for name, value in mail.items()],
        "commonHeaders": {
            "from": [str(mail["From"])],
            "to": [str(mail["To"])],
            "messageId": message.message_id,
            "subject": str(mail["Subject"]),
        },
        "tags": {
            "ses:configuration-set": [message.configuration_set],
            **{name: [value] for name, value in message.tags.items()},
        },
    }


def _particulars(message: Outgoing, kind: str, stamp: str) -> Mapping[str, Any]:
    if kind == "Delivery":
        return {
            "timestamp": stamp,
            "processingTimeMillis": 1,
            "recipients": list(message.recipients),
            "smtpResponse": "250 OK",
            "reportingMTA": "localhost",
        }
    if kind == "Bounce":
        return {
            "feedbackId": str(uuid.uuid4()),
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [
                {
                    "emailAddress": address,
                    "action": "failed",
                    "status": "5.1.1",
                    "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                }
                for address in message.recipients
            ],
            "timestamp": stamp,
            "reportingMTA": "dns; localhost",
        }
    if kind == "Complaint":
        return {
            "feedbackId": str(uuid.uuid4()),
            "complaintSubType": None,
            "complainedRecipients": [{"emailAddress": address} for address in message.recipients],
            "timestamp": stamp,
            "userAgent": "Local stand-in",
            "complaintFeedbackType": "abuse",
            "arrivalDate": stamp,
        }
    return {}


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
