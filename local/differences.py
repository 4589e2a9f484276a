"""What must be set by hand after a deployment, because the emulator differs from AWS.

Each difference is named where it is made up for. None of this exists in AWS.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local.aws import Aws
from local.config import Config

# In AWS the single action covers its batch; the emulator asks for one of the batch's own name.
_BATCHES = {
    "sqs:SendMessage": "sqs:SendMessageBatch",
    "sqs:DeleteMessage": "sqs:DeleteMessageBatch",
    "sqs:ChangeMessageVisibility": "sqs:ChangeMessageVisibilityBatch",
}
_POLICY = "emulator-batch-actions"


def make_up_for(config: Config, aws: Aws) -> None:
    """Bring the deployed stacks to what their templates say."""
    for stack, resources in _templates(config):
        for logical_id, resource in resources.items():
            kind = resource["Type"]
            if kind in ("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table"):
                _restore_table(aws, _physical(aws, stack, logical_id), resource["Properties"])
            elif kind == "AWS::S3::Bucket":
                _restore_bucket(aws, stack, logical_id, resource["Properties"])
            elif kind == "AWS::IAM::Role":
                _allow_batches(aws, _physical(aws, stack, logical_id))


def _templates(config: Config) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted((config.state / "cdk.out").glob("*.template.json")):
        yield file.name.removesuffix(".template.json"), json.loads(file.read_text())["Resources"]


def _physical(aws: Aws, stack: str, logical_id: str) -> str:
    detail = aws.cloudformation.describe_stack_resource(
        StackName=stack, LogicalResourceId=logical_id
    )
    return detail["StackResourceDetail"]["PhysicalResourceId"]


def _restore_table(aws: Aws, name: str, properties: Mapping[str, Any]) -> None:
    """Its CloudFormation accepts recovery and expiry of tables and then forgets them."""
    aws.dynamodb.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    expiry = properties.get("TimeToLiveSpecification")
    if not expiry:
        return
    current = aws.dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if current.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
        aws.dynamodb.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={
                "Enabled": bool(expiry["Enabled"]),
                "AttributeName": expiry["AttributeName"],
            },
        )


def _restore_bucket(aws: Aws, stack: str, bucket: str, properties: Mapping[str, Any]) -> None:
    """Its CloudFormation accepts that objects are encrypted and expire and then forgets it."""
    name = _physical(aws, stack, bucket)
    [encryption] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    key, _ = encryption["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]["Fn::GetAtt"]
    aws.s3.put_bucket_encryption(
        Bucket=name,
        ServerSideEncryptionConfiguration={
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": {
                        "SSEAlgorithm": "aws:kms",
                        "KMSMasterKeyID": _physical(aws, stack, key),
                    },
                    "BucketKeyEnabled": encryption["BucketKeyEnabled"],
                }
            ]
        },
    )
    rules = properties["LifecycleConfiguration"]["Rules"]
    aws.s3.put_bucket_lifecycle_configuration(
        Bucket=name,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": f"expire-{number}",
                    "Status": rule["Status"],
                    "Filter": {"Prefix": ""},
                    "Expiration": {"Days": int(rule["ExpirationInDays"])},
                }
                for number, rule in enumerate(rules)
            ]
        },
    )


def _allow_batches(aws: Aws, role: str) -> None:
    names = aws.iam.list_role_policies(RoleName=role)["PolicyNames"]
    granted = [
        {"Effect": "Allow", "Action": batches, "Resource": statement["Resource"]}
        for name in names
        if name != _POLICY
        for statement in _statements(aws, role, name)
        if (batches := batch_actions(statement))
    ]
    if granted:
        document = json.dumps({"Version": "2012-10-17", "Statement": granted})
        aws.iam.put_role_policy(RoleName=role, PolicyName=_POLICY, PolicyDocument=document)
    elif _POLICY in names:
        aws.iam.delete_role_policy(RoleName=role, PolicyName=_POLICY)


def _statements(aws: Aws, role: str, policy: str) -> Sequence[Mapping[str, Any]]:
    document = aws.iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    parsed: Mapping[str, Any] = json.loads(document) if isinstance(document, str) else document
    statements = parsed["Statement"]
    return [statements] if isinstance(statements, Mapping) else statements


def batch_actions(statement: Mapping[str, Any]) -> list[str]:
    """The batch actions that an allowing statement covers in AWS."""
    if statement.get("Effect") != "Allow":
        return []
    actions = statement.get("Action", [])
    listed = [actions] if isinstance(actions, str) else actions
    return [_BATCHES[action] for action in listed if action in _BATCHES]
