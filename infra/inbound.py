"""Mail that comes in: SES puts it into a bucket and tells a topic, a queue brings it to us."""

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.alarms import Alarms
from infra.config import Config

MAILBOXES = ("optin", "reply", "stop")
"""The local parts people write to. A rule for an address also takes it with a label
("stop+token@"): "Creating receipt rules for Amazon SES email receiving", Developer Guide."""

RULE = "optin"


class InboundBucket(Construct):
    """Raw mail, for a short time and in one version: what is deleted is gone."""

    def __init__(self, scope: Construct, id_: str, *, config: Config, key: kms.Key) -> None:
        super().__init__(scope, id_)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=not config.local,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=cdk.Duration.days(config.raw_mail_days),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                )
            ],
            removal_policy=config.removal_policy,
        )
        Validations.of(self.bucket).acknowledge(
            Acknowledgment(
                id="AwsSolutions-S1",
                reason="Two roles may read; what they read they log, staff's reading with the "
                "operator. A log bucket would be one more store to erase from.",
            )
        )
        conditions = _only_our_rule(self, config)
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("ses.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[self.bucket.arn_for_objects("*")],
                conditions=conditions,
            )
        )
        # Decrypt too: S3 asks for it where an object comes in parts.
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("ses.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions=conditions,
            )
        )

    def holds_mail_for(self, *policies: iam.Policy) -> None:
        """Whose policies, in another stack, name every object of the bucket."""
        stack = cdk.Stack.of(self)
        export = stack.resolve(stack.export_value(self.bucket.bucket_arn))["Fn::ImportValue"]
        for policy in policies:
            Validations.of(policy).acknowledge(
                Acknowledgment(
                    id=f"AwsSolutions-IAM5[Resource::{export}/*]",
                    reason="One object per mail, named by SES; the bucket holds nothing else.",
                )
            )


class ReceivedMail(Construct):
    """The topic SES publishes each receipt to: its verdicts and where the mail lies."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Config,
        key: kms.IKey,
        queue: sqs.Queue,
        failures: sqs.Queue,
    ) -> None:
        super().__init__(scope, id_)
        self.topic = sns.Topic(self, "Topic", master_key=key, enforce_ssl=not config.local)
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("ses.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions=_only_our_rule(self, config),
            )
        )
        queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": self.topic.topic_arn}},
            )
        )
        # The subscription's own way, not the queue's: that would add to the key's policy, and
        # the key stands in a stack that may not know this one.
        subscription = sns.Subscription(
            self,
            "Subscription",
            topic=self.topic,
            protocol=sns.SubscriptionProtocol.SQS,
            endpoint=queue.queue_arn,
            dead_letter_queue=failures,
        )
        policy = queue.node.try_find_child("Policy")
        if policy is not None:
            subscription.node.add_dependency(policy)


class Receiving(Construct):
    """The receipt rule, in a rule set of our own or in the one the account already uses.

    One rule set is active per account and region, and CloudFormation cannot say which:
    `python -m local.receiving` does, at the end of `make deploy`.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Config,
        bucket: s3.IBucket,
        topic: sns.Topic,
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, id_)
        rule = ses.CfnReceiptRule(
            self,
            "Rule",
            rule_set_name=config.rule_set,
            rule=ses.CfnReceiptRule.RuleProperty(
                name=RULE,
                enabled=True,
                recipients=[f"{mailbox}@{config.mail_domain}" for mailbox in MAILBOXES],
                scan_enabled=True,
                tls_policy="Require",
                actions=[
                    ses.CfnReceiptRule.ActionProperty(
                        s3_action=ses.CfnReceiptRule.S3ActionProperty(
                            bucket_name=bucket.bucket_name, topic_arn=topic.topic_arn
                        )
                    )
                ],
            ),
        )
        if not config.receipt_rule_set:
            rule.add_resource_dependency(
                ses.CfnReceiptRuleSet(self, "RuleSet", rule_set_name=config.rule_set)
            )
        # SES tries whether it may publish when the rule is made.
        policy = topic.node.try_find_child("Policy")
        if policy is not None:
            rule.node.add_dependency(policy)
        # SES tries for hours; then the mail came but was never told of.
        alarms.watch(
            id_,
            cloudwatch.Metric(
                namespace="AWS/SES",
                metric_name="PublishExpired",
                dimensions_map={"RuleName": RULE},
                statistic="Sum",
                period=cdk.Duration.minutes(5),
            ),
            description="SES could not hand over mail it had received",
        )


def _only_our_rule(scope: Construct, config: Config) -> dict[str, dict[str, str]]:
    """SES may act for this rule of this account, not for anybody's."""
    stack = cdk.Stack.of(scope)
    rule = stack.format_arn(
        service="ses",
        resource="receipt-rule-set",
        resource_name=f"{config.rule_set}:receipt-rule/{RULE}",
    )
    return {"StringEquals": {"aws:SourceAccount": stack.account, "aws:SourceArn": rule}}
