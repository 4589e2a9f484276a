"""What must be kept: encryption keys, tables, secrets."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.config import Config


class Keys(Construct):
    """One key per kind of thing, so that a role which may read one cannot read the others."""

    def __init__(self, scope: Construct, id_: str, *, config: Config, app_stack: str) -> None:
        super().__init__(scope, id_)
        self._config = config
        self.data = self._key("Data", "optin: tables")
        self.secrets = self._key("Secrets", "optin: secrets")
        self.mail = self._key("Mail", "optin: raw mail")
        self.operations = self._key("Operations", "optin: logs, queues, topics, alarms")
        self._allow_services(app_stack)

    def _key(self, id_: str, description: str) -> kms.Key:
        return kms.Key(
            self,
            id_,
            description=description,
            enable_key_rotation=True,
            pending_window=cdk.Duration.days(7 if self._config.local else 30),
            removal_policy=self._config.removal_policy,
        )

    def _allow_services(self, app_stack: str) -> None:
        """CloudWatch, EventBridge, SES and SNS use the operations key by themselves."""
        stack = cdk.Stack.of(self)
        log_groups = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"{app_stack}-*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        self.operations.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                actions=[
                    "kms:Decrypt",
                    "kms:Describe*",
                    "kms:Encrypt",
                    "kms:GenerateDataKey*",
                    "kms:ReEncrypt*",
                ],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
            )
        )
        self.operations.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[
                    iam.ServicePrincipal("cloudwatch.amazonaws.com"),
                    iam.ServicePrincipal("events.amazonaws.com"),
                    iam.ServicePrincipal("ses.amazonaws.com"),
                ],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            )
        )
        # From our topics to our queues.
        topics = stack.format_arn(service="sns", resource=f"{app_stack}-*")
        self.operations.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={"ArnLike": {"aws:SourceArn": topics}},
            )
        )


class Tables(Construct):
    """Nine tables: the addresses we mail are in `contacts` only, others know contact ids.

    What a person wrote to us is in `cases` until it is answered.
    """

    def __init__(self, scope: Construct, id_: str, *, config: Config, key: kms.IKey) -> None:
        super().__init__(scope, id_)
        self._config = config
        self._key = key
        contacts = self._table("Contacts", "contact_id", stream=dynamodb.StreamViewType.NEW_IMAGE)
        _index(contacts, "pending", "pending", "pending_since")
        _index(contacts, "mailing_list", "list_shard", "contact_id")
        ledger = self._table("Ledger", "campaign_id", "contact_id")
        events = self._table("Events", "contact_id", "event_key")
        # Sparse: who stopped because of which campaign. Keys say it; the rest stays in one place.
        _index(events, "stops", "stopped_by", "contact_id", dynamodb.ProjectionType.KEYS_ONLY)
        standings = self._table("Standings", "contact_id")
        _index(standings, "by_place", "place", "month")
        cases = self._table("Cases", "case_id", "item")
        _index(cases, "by_contact", "contact_id", "opened_at")
        # Sparse: open cases, and closed ones.
        _index(cases, "queue", "queue", "due_key")
        _index(cases, "closed", "closed", "closed_at")
        received = self._table("Received", "mail_id", expires="expires_at")
        _index(received, "by_contact", "contact_id", "received_at")
        _index(received, "filtered", "filtered", "received_at")
        self.by_name = {
            "contacts": contacts,
            "events": events,
            "forms": self._table("Forms", "form_id"),
            "throttle": self._table("Throttle", "key", expires="expires_at"),
            "campaigns": self._table("Campaigns", "campaign_id"),
            "ledger": ledger,
            "standings": standings,
            "cases": cases,
            "received": received,
        }

    def _table(
        self,
        id_: str,
        partition: str,
        sort: str | None = None,
        *,
        expires: str | None = None,
        stream: dynamodb.StreamViewType | None = None,
    ) -> dynamodb.Table:
        # Not TableV2: with a customer's key it cannot be synthesised for any account.
        return dynamodb.Table(
            self,
            id_,
            partition_key=_string(partition),
            sort_key=_string(sort) if sort else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self._key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=not self._config.local,
            removal_policy=self._config.removal_policy,
            time_to_live_attribute=expires,
            stream=stream,
        )


def _index(
    table: dynamodb.Table,
    name: str,
    partition: str,
    sort: str,
    projection: dynamodb.ProjectionType = dynamodb.ProjectionType.ALL,
) -> None:
    table.add_global_secondary_index(
        index_name=name,
        partition_key=_string(partition),
        sort_key=_string(sort),
        projection_type=projection,
    )


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _arn(secret: secretsmanager.Secret) -> str:
    """Its Id, which is the ARN everywhere; its Ref is the ARN in AWS only, not in the stand-in."""
    return cast("secretsmanager.CfnSecret", secret.node.default_child).attr_id


class Secrets(Construct):
    """Generated in AWS; no template, output or log ever holds them."""

    def __init__(self, scope: Construct, id_: str, *, config: Config, key: kms.IKey) -> None:
        super().__init__(scope, id_)
        contact_key = secretsmanager.Secret(
            self,
            "ContactKey",
            description="optin: HMAC key that turns an address into a contact id",
            encryption_key=key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=64, exclude_punctuation=True
            ),
            removal_policy=config.removal_policy,
        )
        Validations.of(contact_key).acknowledge(
            Acknowledgment(
                id="AwsSolutions-SMG4",
                reason="Contact ids are made with this key and stored for good: a new key would "
                "orphan every consent and every refusal.",
            )
        )
        link_keys = secretsmanager.Secret(
            self,
            "LinkKeys",
            description="optin: keys that sign unsubscribe links, by key id; current signs",
            encryption_key=key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template='{"current":"k1"}',  # noqa: S106
                generate_string_key="k1",
                password_length=64,
                exclude_punctuation=True,
            ),
            removal_policy=config.removal_policy,
        )
        Validations.of(link_keys).acknowledge(
            Acknowledgment(
                id="AwsSolutions-SMG4",
                reason="Links in sent mail must work for ever, so keys are added (k2, k3, …) and "
                "never replaced: a person does that, a schedule must not.",
            )
        )
        self.contact_key_arn = _arn(contact_key)
        self.link_keys_arn = _arn(link_keys)
