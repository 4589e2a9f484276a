"""Queues that functions are fed from, and what Scheduler puts on them."""

import json
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.alarms import Alarms
from infra.config import Config
from infra.functions import FUNCTIONS


class FailureQueue(Construct):
    """A dead-letter queue: kept two weeks, one message in it is an alarm."""

    def __init__(
        self, scope: Construct, id_: str, *, config: Config, key: kms.IKey, alarms: Alarms
    ) -> None:
        super().__init__(scope, id_)
        self.queue = encrypted_queue(
            self, "Queue", config=config, key=key, retention_period=cdk.Duration.days(14)
        )
        alarms.watch(
            id_,
            self.queue.metric_approximate_number_of_messages_visible(
                period=cdk.Duration.minutes(5), statistic="Maximum"
            ),
            description=f"something lies in {id_}",
        )


class Jobs(Construct):
    """Jobs for one function; one that fails five times goes to `failures`."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Config,
        key: kms.IKey,
        failures: sqs.IQueue,
        worker: str,
    ) -> None:
        super().__init__(scope, id_)
        self._config = config
        self.queue = encrypted_queue(
            self,
            "Queue",
            config=config,
            key=key,
            visibility_timeout=cdk.Duration.seconds(6 * FUNCTIONS[worker].timeout),
            dead_letter_queue=sqs.DeadLetterQueue(queue=failures, max_receive_count=5),
        )

    def feed(self, function: lambda_.Function) -> None:
        """One job at a time to a few at once: senders share the account's rate.

        Eight have the sixteen shards of a campaign done in two rounds.
        """
        lambda_.EventSourceMapping(
            self,
            "Feed",
            target=function,
            event_source_arn=self.queue.queue_arn,
            batch_size=1,
            max_concurrency=2 if self._config.local else 8,
            report_batch_item_failures=True,
        )


class SchedulerRole(Construct):
    """Who EventBridge Scheduler is for one kind of schedule; its permissions come later."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        stack = cdk.Stack.of(self)
        group = stack.format_arn(
            service="scheduler", resource="schedule-group", resource_name="default"
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                # For our own schedules only, not for those of another account.
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account, "aws:SourceArn": group}
                },
            ),
        )

    def permit(self, statements: Sequence[iam.PolicyStatement]) -> iam.Policy:
        """All that the role may do."""
        return iam.Policy(self, "Policy", roles=[self.role], statements=list(statements))


class CaseSweep(SchedulerRole):
    """Every hour a job that looks through the cases: what is due, overdue, or was left."""

    def start(
        self, *, jobs: sqs.IQueue, failures: sqs.IQueue, statements: Sequence[iam.PolicyStatement]
    ) -> None:
        """Sends the job from now on; one that does not get there within the hour is kept."""
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description="optin: looks through the cases",
            schedule_expression="rate(1 hour)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=jobs.queue_arn,
                role_arn=self.role.role_arn,
                input=json.dumps({"sweep": True}),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=failures.queue_arn
                ),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=185
                ),
            ),
        )
        schedule.node.add_dependency(self.permit(statements))


class CampaignStarts(SchedulerRole):
    """The schedules that start campaigns, and who Scheduler is when it does."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        self.schedules_arn = cdk.Stack.of(self).format_arn(
            service="scheduler", resource="schedule", resource_name="default/optin-*"
        )

    def are_made_by(self, policy: iam.Policy) -> None:
        """Whose policy names the schedules to come by the beginning of their names."""
        stack = cdk.Stack.of(self)
        unknown = cdk.Token.is_unresolved(stack.account)
        account = "<AWS::AccountId>" if unknown else stack.account
        arn = f"arn:aws:scheduler:{stack.region}:{account}:schedule/default/optin-*"
        Validations.of(policy).acknowledge(
            Acknowledgment(
                id=f"AwsSolutions-IAM5[Resource::{arn}]",
                reason="One schedule per start of a campaign; all begin with optin-.",
            )
        )


def encrypted_queue(
    scope: Construct,
    id_: str,
    *,
    config: Config,
    key: kms.IKey,
    retention_period: cdk.Duration | None = None,
    visibility_timeout: cdk.Duration | None = None,
    dead_letter_queue: sqs.DeadLetterQueue | None = None,
) -> sqs.Queue:
    """A queue under our key that refuses plain HTTP, which is all the stand-in speaks."""
    return sqs.Queue(
        scope,
        id_,
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        enforce_ssl=not config.local,
        retention_period=retention_period,
        visibility_timeout=visibility_timeout,
        dead_letter_queue=dead_letter_queue,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
