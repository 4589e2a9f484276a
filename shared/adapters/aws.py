"""Clients for AWS, built lazily and once, and the translation of their errors.

Everything above this package sees domain errors only. The clients are those boto3 gives,
taken from botocore directly: ``import boto3`` would load S3's transfer manager, a third of a
cold start, for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import JSONParser, ResponseParserFactory

from shared.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sqs import SQSClient

    from shared.adapters.scheduler import SchedulerClient

# Checking parameters costs a fifth of a sender's processor; the tests' clients do check them.
# Three tries of at most 2 + 1 s stay below every function's own timeout (10 s and more).
_CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 3},
    parameter_validation=False,
)
SEND_SECONDS = 12
"""SES has answered after that, or the answer is lost. Less than the sender's settle_seconds."""

# People wait, and go on without the answer: twice (1 + 2) s is all of it.
_ASK_BRIEFLY = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 2}))

# A lost answer is not a failure: the sender must never repeat this call by itself.
_SEND_ONCE = Config(
    connect_timeout=2,
    read_timeout=SEND_SECONDS - 2,
    retries={"total_max_attempts": 1},
    parameter_validation=False,
)


class _Parser(JSONParser):
    """Takes DynamoDB's items as they come, which saves a sender a third of its processor.

    botocore would build each attribute anew, and decode binary ones. None is binary here
    (``attributes``), so what it would build is equal to what came.
    """

    def _handle_map(self, shape: Any, value: Any) -> Any:
        if shape.value.name == "AttributeValue":
            return value
        return super()._handle_map(shape, value)  # type: ignore[misc]


class _Parsers(ResponseParserFactory):
    def create_parser(self, protocol_name: str) -> Any:
        if protocol_name == "json":
            return _Parser(**self._defaults)  # type: ignore[attr-defined]
        return super().create_parser(protocol_name)


@cache
def _session() -> botocore.session.Session:
    session = botocore.session.get_session()
    session.register_component("response_parser_factory", _Parsers())
    return session


def _client(service: str, config: Config) -> Any:
    return _session().create_client(service, config=config)


@cache
def dynamodb() -> DynamoDBClient:
    """The DynamoDB client."""
    client: DynamoDBClient = _client("dynamodb", _CONFIG)
    return client


@cache
def secretsmanager() -> SecretsManagerClient:
    """The Secrets Manager client."""
    client: SecretsManagerClient = _client("secretsmanager", _CONFIG)
    return client


@cache
def sqs() -> SQSClient:
    """The SQS client."""
    client: SQSClient = _client("sqs", _CONFIG)
    return client


@cache
def s3() -> S3Client:
    """The S3 client."""
    # What is encrypted by a key of ours is given out only by this signature, and a link for
    # people has to name the region's host: the global one redirects, and newer regions lack it.
    config = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
    client: S3Client = _client("s3", _CONFIG.merge(config))
    return client


@cache
def scheduler() -> SchedulerClient:
    """The client of EventBridge Scheduler."""
    client: SchedulerClient = _client("scheduler", _CONFIG)
    return client


@cache
def sesv2() -> SESV2Client:
    """The SES client, without retries."""
    client: SESV2Client = _client("sesv2", _SEND_ONCE)
    return client


@cache
def sesv2_questions() -> SESV2Client:
    """The SES client for what may be asked again, and must not take long."""
    client: SESV2Client = _client("sesv2", _ASK_BRIEFLY)
    return client


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
