"""The queue that campaigns are sent from."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
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


class CampaignJobs(Construct):
    """Jobs for the sender; one that fails five times goes to `failures`."""

    def __init__(
        self, scope: Construct, id_: str, *, config: Config, key: kms.IKey, failures: sqs.IQueue
    ) -> None:
        super().__init__(scope, id_)
        self.queue = encrypted_queue(
            self,
            "Queue",
            config=config,
            key=key,
            visibility_timeout=cdk.Duration.seconds(6 * FUNCTIONS["campaign_sender"].timeout),
            dead_letter_queue=sqs.DeadLetterQueue(queue=failures, max_receive_count=5),
        )

    def feed(self, function: lambda_.Function) -> None:
        """One job at a time to at most two senders: SES's rate is the limit, not ours."""
        lambda_.EventSourceMapping(
            self,
            "Feed",
            target=function,
            event_source_arn=self.queue.queue_arn,
            batch_size=1,
            max_concurrency=2,
            report_batch_item_failures=True,
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
