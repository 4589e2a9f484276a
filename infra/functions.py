"""The Lambda functions: what each is, and the construct that makes one."""

import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import permissions
from infra.alarms import Alarms
from infra.config import Config

LOG_RETENTION = logs.RetentionDays.ONE_YEAR


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One function: entry point, seconds it may take, MB of memory (and CPU with it)."""

    handler: str
    timeout: int
    memory: int


FUNCTIONS: Mapping[str, Spec] = {
    "form_intake": Spec(handler="functions.form_intake.handler", timeout=10, memory=1024),
    "unsubscribe": Spec(handler="functions.unsubscribe.handler", timeout=10, memory=1024),
    "staff_api": Spec(handler="functions.staff_api.app.handler", timeout=10, memory=1024),
    # Longer than the staff API's limit, which it calls; shorter than its own API's 30 s.
    "console": Spec(handler="functions.console.app.handler", timeout=15, memory=1024),
    "campaign_sender": Spec(handler="functions.campaign_sender.handler", timeout=120, memory=512),
    "ses_feedback": Spec(handler="functions.ses_feedback.handler", timeout=30, memory=512),
    "standings": Spec(handler="functions.standings.handler", timeout=60, memory=512),
    # Memory for a mail of 40 MB, the most SES takes.
    "mail_intake": Spec(handler="functions.mail_intake.handler", timeout=60, memory=1024),
    "case_worker": Spec(handler="functions.case_worker.handler", timeout=60, memory=512),
    "case_link": Spec(handler="functions.case_link.handler", timeout=10, memory=1024),
}
"""HTTP APIs give up after 30 s."""


class OptinFunction(Construct):
    """One function with its own role, log group and alarms."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Config,
        name: str,
        code: lambda_.Code,
        environment: Mapping[str, str],
        statements: Sequence[iam.PolicyStatement],
        operations_key: kms.IKey,
        alarms: Alarms,
        dead_letter_queue: sqs.IQueue | None = None,
    ) -> None:
        super().__init__(scope, id_)
        spec = FUNCTIONS[name]
        log_group = logs.LogGroup(
            self,
            "Logs",
            encryption_key=operations_key,
            retention=LOG_RETENTION,
            removal_policy=config.removal_policy,
        )
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.policy = iam.Policy(
            self,
            "Policy",
            roles=[role],
            statements=[*statements, *permissions.telemetry(log_group)],
        )
        Validations.of(self.policy).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="X-Ray's two actions and ses:GetAccount know no narrower resource.",
            )
        )
        runtime, architecture = _runtime(config)
        self.function = lambda_.Function(
            self,
            "Function",
            description=f"optin: {name}",
            code=code,
            handler=spec.handler,
            runtime=runtime,
            architecture=architecture,
            timeout=cdk.Duration.seconds(spec.timeout),
            memory_size=spec.memory,
            environment=dict(environment),
            log_group=log_group,
            # CDK would add permissions of its own to a role that took them.
            role=role.without_policy_updates(),
            tracing=lambda_.Tracing.ACTIVE,
            dead_letter_queue=dead_letter_queue,
        )
        self.function.node.add_dependency(self.policy)
        Validations.of(self.function).acknowledge(
            Acknowledgment(
                id="AwsSolutions-L1",
                reason="Python 3.13 is chosen and its wheels pinned; supported to 2029-06.",
            )
        )
        minutes = cdk.Duration.minutes(5)
        alarms.watch(
            f"{id_}Errors",
            self.function.metric_errors(period=minutes),
            description=f"{name} failed",
        )
        alarms.watch(
            f"{id_}Throttles",
            self.function.metric_throttles(period=minutes),
            description=f"{name} was throttled",
        )


def _runtime(config: Config) -> tuple[lambda_.Runtime, lambda_.Architecture]:
    """Python 3.13 on arm64; the stand-in runs the interpreter that runs itself."""
    if not config.local:
        return lambda_.Runtime.PYTHON_3_13, lambda_.Architecture.ARM_64
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    arm = platform.machine() in ("arm64", "aarch64")
    return (
        lambda_.Runtime(name, lambda_.RuntimeFamily.PYTHON),
        lambda_.Architecture.ARM_64 if arm else lambda_.Architecture.X86_64,
    )
