"""The one logger and the one metrics sink. Neither ever carries personal data.

An address appears in a log only as its contact id (a keyed hash). Tracing is Lambda's own
(active X-Ray mode, set in ``infra``): the SDK would cost more than a whole cold start.
"""

from __future__ import annotations

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

logger = Logger()


def refused(code: str, status: int) -> None:
    """Record an answer that is an error; where the failure is ours, at that level."""
    say = logger.error if status >= 500 else logger.info
    say("refused", extra={"code": code, "status": status}, stacklevel=3)


def count(name: str, number: int = 1) -> None:
    """Add to a CloudWatch metric (embedded metric format, no call)."""
    with single_metric(name=name, unit=MetricUnit.Count, value=number):
        pass


def seconds(name: str, value: float) -> None:
    """Record a duration in seconds."""
    with single_metric(name=name, unit=MetricUnit.Seconds, value=value):
        pass
