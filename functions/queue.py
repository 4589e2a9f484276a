"""What the functions behind queues share: message after message, each succeeding by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from shared.telemetry import logger


def worked_through(
    event: dict[str, Any], context: Any, work: Callable[[str], None]
) -> PartialItemFailureResponse:
    """Do ``work`` on each message's body; what fails is delivered again, then dead-lettered."""

    def one(record: SQSRecord) -> None:
        try:
            work(record.body)
        except Exception:
            # The batch processor only counts it.
            logger.exception("message failed", extra={"message_id": record.message_id})
            raise

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, one, processor, context)
