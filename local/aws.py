"""Clients for the emulator, as its root user."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config as BotoConfig

from local.config import AWS_KEY, REGION

if TYPE_CHECKING:
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


class Aws:
    """Lazily made clients of one emulator."""

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._session = boto3.Session(
            aws_access_key_id=AWS_KEY, aws_secret_access_key=AWS_KEY, region_name=REGION
        )
        self._config = BotoConfig(
            retries={"max_attempts": 2, "mode": "standard"}, connect_timeout=5, read_timeout=60
        )

    @cached_property
    def apigateway(self) -> ApiGatewayV2Client:
        return self._session.client(
            "apigatewayv2", endpoint_url=self._endpoint_url, config=self._config
        )

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        return self._session.client(
            "cloudformation", endpoint_url=self._endpoint_url, config=self._config
        )

    @cached_property
    def cognito(self) -> CognitoIdentityProviderClient:
        return self._session.client(
            "cognito-idp", endpoint_url=self._endpoint_url, config=self._config
        )

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return self._session.client(
            "dynamodb", endpoint_url=self._endpoint_url, config=self._config
        )

    @cached_property
    def events(self) -> EventBridgeClient:
        return self._session.client("events", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def functions(self) -> LambdaClient:
        return self._session.client("lambda", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def iam(self) -> IAMClient:
        return self._session.client("iam", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def s3(self) -> S3Client:
        return self._session.client("s3", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def ses(self) -> SESV2Client:
        return self._session.client("sesv2", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def sns(self) -> SNSClient:
        return self._session.client("sns", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def sqs(self) -> SQSClient:
        return self._session.client("sqs", endpoint_url=self._endpoint_url, config=self._config)
