"""Queues of work: one job is one shard of one campaign from one place on, or what a case owes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol

from shared.adapters.aws import translated
from shared.domain.errors import BadRequest, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class Work(Protocol):
    """Anything that goes on a queue."""

    @property
    def body(self) -> str:
        """The queue message."""


@dataclass(frozen=True, slots=True)
class Job:
    """Send ``campaign_id`` to the contacts of ``shard`` after ``after``.

    Without a shard: begin a scheduled campaign. A ``settling`` job claims nobody new: it only
    looks at recipients without an outcome. ``tries`` counts those in a row that SES put off.
    """

    campaign_id: str
    shard: str
    after: str = ""
    settling: bool = False
    tries: int = 0

    @property
    def body(self) -> str:
        """The queue message."""
        return json.dumps(asdict(self))

    @staticmethod
    def parse(body: str) -> Job:
        """Read a queue message.

        Raises:
            BadRequest: it is not one of ours (it will end in the dead-letter queue).
        """
        try:
            fields = json.loads(body)
            return Job(
                str(fields["campaign_id"]),
                str(fields["shard"]),
                str(fields["after"]),
                fields["settling"] is True,
                int(fields.get("tries", 0)),
            )
        except (ValueError, KeyError, TypeError):
            raise BadRequest("bad_job", "ジョブの形式が正しくありません。") from None


@dataclass(frozen=True, slots=True)
class CaseJob:
    """Do what the case owes; or look through all cases (``sweep``); or answer a mail that
    needed no case: ``answer`` says how, to whom and on which day. ``tries``: put off so often.
    """

    case_id: str = ""
    sweep: bool = False
    answer: str = ""
    contact_id: str = ""
    mail_id: str = ""
    in_reply_to: str = ""
    language: str = ""
    day: str = ""
    tries: int = 0

    @property
    def body(self) -> str:
        """The queue message: what is not empty."""
        return json.dumps({name: value for name, value in asdict(self).items() if value})

    @staticmethod
    def parse(body: str) -> CaseJob:
        """Read a queue message.

        Raises:
            BadRequest: it is not one of ours (it will end in the dead-letter queue).
        """
        try:
            job = CaseJob(**json.loads(body))
        except (ValueError, TypeError):
            job = CaseJob()
        if sum(map(bool, (job.case_id, job.sweep, job.answer))) != 1:
            raise BadRequest("bad_job", "ジョブの形式が正しくありません。")
        return job


@dataclass
class JobQueue:
    """Puts jobs on a queue."""

    client: SQSClient
    url: str

    def put(self, jobs: Sequence[Work], *, delay_seconds: int = 0) -> None:
        """Queue jobs, ten a call.

        Raises:
            Unavailable: not every job is surely queued; doing it again is harmless.
        """
        for start in range(0, len(jobs), 10):
            batch = jobs[start : start + 10]
            with translated("queue"):
                answer = self.client.send_message_batch(
                    QueueUrl=self.url,
                    Entries=[
                        {
                            "Id": str(number),
                            "MessageBody": job.body,
                            "DelaySeconds": delay_seconds,
                        }
                        for number, job in enumerate(batch)
                    ],
                )
            if answer.get("Failed"):
                raise Unavailable("queue:partial")
