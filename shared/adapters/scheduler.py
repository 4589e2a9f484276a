"""Scheduled starts of campaigns: one-time schedules of EventBridge Scheduler.

A schedule puts the job that begins a campaign on the campaign queue, and deletes itself. It
is named by campaign, version and moment: the same start has the same name, another start
another one. So creating one twice is harmless, deleting one never takes away another, and
none has ever to be changed. One that is left behind starts nothing (``lifecycle.is_due``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from botocore.exceptions import ClientError

from shared.adapters.aws import error_code, translated
from shared.adapters.jobs import Job
from shared.domain.campaigns import Campaign
from shared.domain.zones import Zone

# After that a start is no longer what people expect: it goes to the failures, with an alarm.
_LATEST_SECONDS = 3600


class SchedulerClient(Protocol):
    """What is used of boto3's client."""

    def create_schedule(self, **request: Any) -> Any:
        """A new one; ConflictException where the name is taken."""

    def delete_schedule(self, **request: Any) -> Any:
        """Gone; ResourceNotFoundException where there is none."""


@dataclass
class Schedules:
    """Starts to come. ``role_arn``: in whose name Scheduler writes to the queue."""

    client: SchedulerClient
    role_arn: str
    queue_arn: str
    failures_arn: str
    zone: Zone

    def put(self, campaign: Campaign) -> None:
        """Have a scheduled campaign begun at its moment. Repeating it is harmless.

        Raises:
            Unavailable: it is not surely scheduled.
        """
        with translated("scheduler"):
            try:
                self.client.create_schedule(
                    Name=_name(campaign),
                    ScheduleExpression=f"at({self.zone.wall_clock(_moment(campaign))})",
                    ScheduleExpressionTimezone=self.zone.value,
                    FlexibleTimeWindow={"Mode": "OFF"},
                    ActionAfterCompletion="DELETE",
                    Target={
                        "Arn": self.queue_arn,
                        "RoleArn": self.role_arn,
                        "Input": Job(campaign.campaign_id, "").body,
                        "DeadLetterConfig": {"Arn": self.failures_arn},
                        "RetryPolicy": {
                            "MaximumEventAgeInSeconds": _LATEST_SECONDS,
                            "MaximumRetryAttempts": 185,
                        },
                    },
                )
            except ClientError as error:
                if error_code(error) != "ConflictException":
                    raise

    def remove(self, campaign: Campaign) -> None:
        """Take back the start of a campaign as it was read. Repeating it is harmless.

        Raises:
            Unavailable: it may still be there; it will start nothing.
        """
        with translated("scheduler"):
            try:
                self.client.delete_schedule(Name=_name(campaign))
            except ClientError as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise


def _name(campaign: Campaign) -> str:
    moment = Zone.UTC.wall_clock(_moment(campaign)).replace(":", "").replace("-", "")
    return f"optin-{campaign.campaign_id}-{campaign.version}-{moment}"


def _moment(campaign: Campaign) -> datetime:
    if campaign.scheduled_for is None:
        raise ValueError("the campaign is not scheduled")
    return campaign.scheduled_for
