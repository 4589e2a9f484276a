"""Does what cases owe: mails, stops, erasures; and looks after all open cases every hour."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from shared.adapters import aws
from shared.adapters.cases import CaseStore
from shared.adapters.contacts import ContactStore
from shared.adapters.jobs import CaseJob, JobQueue
from shared.adapters.mailer import Mailer
from shared.adapters.rawmail import RawMail
from shared.adapters.received import Answers, ReceivedStore
from shared.adapters.secrets import Secrets
from shared.settings import CaseWorkerSettings, load
from shared.telemetry import logger


@dataclass(frozen=True)
class Deps:
    """What the handler works with."""

    settings: CaseWorkerSettings
    contacts: ContactStore
    cases: CaseStore
    received: ReceivedStore
    rawmail: RawMail
    answers: Answers
    jobs: JobQueue
    mailer: Mailer
    secrets: Secrets
    now: Callable[[], datetime]


@cache
def _deps() -> Deps:
    settings = load(CaseWorkerSettings, os.environ)
    dynamodb = aws.dynamodb()
    return Deps(
        settings,
        ContactStore(dynamodb, settings.contacts_table, settings.events_table),
        CaseStore(dynamodb, settings.cases_table),
        ReceivedStore(dynamodb, settings.received_table),
        RawMail(aws.s3(), settings.inbound_bucket),
        Answers(dynamodb, settings.throttle_table),
        JobQueue(aws.sqs(), settings.case_queue_url),
        Mailer(aws.sesv2(), settings.configuration_set),
        Secrets(aws.secretsmanager()),
        lambda: datetime.now(UTC),
    )


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: Any, deps: Deps | None = None
) -> PartialItemFailureResponse:
    """Work through queue messages; one that fails is delivered again, then dead-lettered."""
    ready = deps or _deps()

    def work(record: SQSRecord) -> None:
        try:
            _work(ready, CaseJob.parse(record.body))
        except Exception:
            # The batch processor only counts it.
            logger.exception("job failed", extra={"message_id": record.message_id})
            raise

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, work, processor, context)


def _work(deps: Deps, job: CaseJob) -> None:
    raise NotImplementedError
