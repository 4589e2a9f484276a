"""Takes in one mail that came to optin@, reply@ or stop@ (manual R1, S2)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
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
from shared.adapters.jobs import JobQueue
from shared.adapters.rawmail import RawMail
from shared.adapters.received import ReceivedStore
from shared.adapters.secrets import Secrets
from shared.settings import MailIntakeSettings, load
from shared.telemetry import logger


@dataclass(frozen=True)
class Deps:
    """What the handler works with."""

    settings: MailIntakeSettings
    contacts: ContactStore
    cases: CaseStore
    received: ReceivedStore
    rawmail: RawMail
    jobs: JobQueue
    secrets: Secrets


@cache
def _deps() -> Deps:
    settings = load(MailIntakeSettings, os.environ)
    dynamodb = aws.dynamodb()
    return Deps(
        settings,
        ContactStore(dynamodb, settings.contacts_table, settings.events_table),
        CaseStore(dynamodb, settings.cases_table),
        ReceivedStore(dynamodb, settings.received_table, timedelta(days=settings.received_days)),
        RawMail(aws.s3(), settings.inbound_bucket),
        JobQueue(aws.sqs(), settings.case_queue_url),
        Secrets(aws.secretsmanager()),
    )


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: Any, deps: Deps | None = None
) -> PartialItemFailureResponse:
    """Take in the mails of some queue messages; one that fails comes again, then dead-letters."""
    ready = deps or _deps()

    def work(record: SQSRecord) -> None:
        try:
            _take_in(ready, record.body)
        except Exception:
            # The batch processor only counts it.
            logger.exception("mail failed", extra={"message_id": record.message_id})
            raise

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, work, processor, context)


def _take_in(deps: Deps, body: str) -> None:
    raise NotImplementedError
