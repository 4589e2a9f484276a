"""Clients for AWS, built lazily and once, and the translation of their errors.

Everything above this package sees domain errors only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shared.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sqs import SQSClient

# Three tries of at most 2 + 1 s stay below every function's own timeout (10 s and more).
_CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 3},
)
# A lost answer is not a failure: the sender must never repeat this call by itself.
_SEND_ONCE = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1})


@cache
def _session() -> boto3.session.Session:
    return boto3.session.Session()


@cache
def dynamodb() -> DynamoDBClient:
    """The DynamoDB client."""
    return _session().client("dynamodb", config=_CONFIG)


@cache
def secretsmanager() -> SecretsManagerClient:
    """The Secrets Manager client."""
    return _session().client("secretsmanager", config=_CONFIG)


@cache
def sqs() -> SQSClient:
    """The SQS client."""
    return _session().client("sqs", config=_CONFIG)


@cache
def sesv2() -> SESV2Client:
    """The SES client, without retries."""
    return _session().client("sesv2", config=_SEND_ONCE)


def error_code(error: ClientError) -> str:
    """AWS's name for what went wrong."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn whatever AWS or the network raises into ``Unavailable`` (fail closed).

    Callers catch the few errors that mean something to them inside the block.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        code = error_code(error) if isinstance(error, ClientError) else type(error).__name__
        raise Unavailable(f"{what}:{code}") from error


def cancellation_reasons(error: ClientError) -> list[dict[str, Any]]:
    """Why a DynamoDB transaction was cancelled, one entry per item, in the request's order."""
    response: dict[str, Any] = dict(error.response)
    return list(response.get("CancellationReasons", []))
