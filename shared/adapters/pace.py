"""All senders together keep to the account's rate and 24-hour quota, by one DynamoDB item.

The item says until when the account's rate is spoken for. A sender moves that on by a few
batches' worth in one conditional write and then sends those batches in their time; the same
write takes them off what is left of the quota. What a sender reserved and never sent is lost,
which only makes the whole a little slower.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.adapters.aws import error_code, translated
from shared.adapters.mailer import Quota
from shared.domain.errors import TooMany, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = {"key": {"S": "ses-pace"}}
_AHEAD_SECONDS = 2.0  # a sender waits no longer than this for others: waiting costs money
_RESERVED_BATCHES = 5
_FULL_SECONDS = 900
_TRIES = 6


@dataclass(frozen=True, slots=True)
class Grant:
    """Permission for so many mails, in so many seconds."""

    mails: int
    wait: float


@dataclass
class Pace:
    """One sender's share of the account's rate."""

    client: DynamoDBClient
    table: str
    now: Callable[[], datetime]
    _quota: Quota = field(default_factory=lambda: Quota(enabled=False, rate=1, left=0), init=False)
    _publish: bool = field(default=False, init=False)
    _idle: bool = field(default=True, init=False)
    _reserved: int = field(default=0, init=False)
    _next: float = field(default=0.0, init=False)

    def begin(self, quota: Quota) -> None:
        """Go by this quota from now on."""
        self._quota = quota
        self._publish = quota.fresh
        self._reserved = 0

    @property
    def batch(self) -> int:
        """How many to send at once: what SES takes in a second, at least one."""
        return max(1, math.floor(self._quota.rate))

    def take(self, mails: int) -> Grant:
        """Permission for up to ``mails`` mails.

        Raises:
            TooMany: the quota is full, or others have the rate; ``retry_after`` seconds.
            Unavailable: the store could not be asked.
        """
        if not self._reserved:
            self._reserve(mails)
        granted = min(mails, self._reserved)
        wait = max(0.0, self._next - self.now().timestamp())
        self._reserved -= granted
        self._next += granted / self._quota.rate
        return Grant(granted, wait)

    def _reserve(self, mails: int) -> None:
        wanted = min(_RESERVED_BATCHES * mails, max(mails, math.floor(2 * self._quota.rate)))
        for _ in range(_TRIES):
            if self._publish:
                wanted = min(wanted, self._quota.left)
            if wanted < 1:
                raise TooMany("quota_full", _FULL_SECONDS)
            now = self.now().timestamp()
            held = self._move(now, wanted)
            if held is None:
                return
            until = float(held.get("until", {"N": "0"})["N"]) / 1000
            if until > now + _AHEAD_SECONDS:
                raise TooMany("rate_taken", math.ceil(until - now))
            self._idle = until <= now
            if "quota_left" not in held:
                self._publish = True
            elif not self._publish:
                wanted = min(wanted, int(held["quota_left"]["N"]))
        raise Unavailable("pace:contention")

    def _move(self, now: float, wanted: int) -> Mapping[str, Any] | None:
        """None where the reservation is ours, else the item as it is."""
        cost = math.ceil(wanted / self._quota.rate * 1000)
        moment = math.ceil(now * 1000)
        values = {":now": moment, ":mails": wanted}
        if self._idle:
            sets = ["#until = :next"]
            conditions = ["(attribute_not_exists(#until) OR #until <= :now)"]
            values[":next"] = moment + cost
        else:
            sets = ["#until = #until + :cost"]
            conditions = ["#until > :now AND #until <= :ahead"]
            values |= {":cost": cost, ":ahead": moment + math.floor(_AHEAD_SECONDS * 1000)}
        if self._publish:
            sets.append("quota_left = :left")
            values[":left"] = self._quota.left - wanted
            del values[":mails"]
        else:
            sets.append("quota_left = quota_left - :mails")
            conditions.append("quota_left >= :mails")
        with translated("pace"):
            try:
                answer = self.client.update_item(
                    TableName=self.table,
                    Key=_KEY,
                    UpdateExpression="SET " + ", ".join(sets),
                    ConditionExpression=" AND ".join(conditions),
                    ExpressionAttributeNames={"#until": "until"},
                    ExpressionAttributeValues={
                        name: {"N": str(value)} for name, value in values.items()
                    },
                    ReturnValues="UPDATED_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                held: Mapping[str, Any] = error.response.get("Item", {})  # type: ignore[assignment]
                return held
        self._next = (int(answer["Attributes"]["until"]["N"]) - cost) / 1000
        self._reserved = wanted
        self._publish = False
        return None
