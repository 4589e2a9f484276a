"""Who may do what: every permission of every function, on this page and nowhere else.

The roles take no grants from CDK (see `functions.py`), so what is not written here is denied.
A DynamoDB transaction needs the actions of its items, no action of its own. Resources are
exact; the "*" are X-Ray's and ses:GetAccount's, which know no narrower resource.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Everything that a permission can name."""

    contacts: dynamodb.ITable
    events: dynamodb.ITable
    forms: dynamodb.ITable
    throttle: dynamodb.ITable
    campaigns: dynamodb.ITable
    ledger: dynamodb.ITable
    standings: dynamodb.ITable
    cases: dynamodb.ITable
    received: dynamodb.ITable
    contact_key_arn: str
    link_keys_arn: str
    data_key: kms.IKey
    secrets_key: kms.IKey
    mail_key: kms.IKey
    operations_key: kms.IKey
    inbound_bucket: s3.IBucket
    inbound_mail: sqs.IQueue
    case_jobs: sqs.IQueue
    inbound_failures: sqs.IQueue
    case_failures: sqs.IQueue
    campaign_jobs: sqs.IQueue
    campaign_failures: sqs.IQueue
    campaign_starts_role: iam.IRole
    schedules_arn: str
    feedback_failures: sqs.IQueue
    standings_failures: sqs.IQueue
    mail_identity_arn: str
    configuration_set_arn: str


def form_intake(r: Resources) -> list[iam.PolicyStatement]:
    """One cached read of the form, one transaction per post."""
    return [
        _table(r.forms, "GetItem"),
        _table(r.events, "PutItem"),
        _table(r.contacts, "UpdateItem"),
        _table(r.throttle, "UpdateItem"),
        _data_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
        *_secret(r, r.contact_key_arn),
    ]


def unsubscribe(r: Resources) -> list[iam.PolicyStatement]:
    """Reads one contact for the page, one transaction per post."""
    return [
        _table(r.contacts, "GetItem", "UpdateItem"),
        _table(r.events, "PutItem"),
        _data_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
        *_secret(r, r.link_keys_arn),
    ]


def staff_api(r: Resources) -> list[iam.PolicyStatement]:
    """Finds one contact at a time, the pending ones, and for a dry run the mailing list.

    Never lists all contacts: how many stand where, and samples, it reads from the standings.

    Sends tests of a campaign, asks SES whether its sender is verified; has Scheduler start one
    later, with a role that may do no more.
    Answers requests; what they need done, and every erasure, the case worker does. Raw mail it
    reads to make a request of one that nobody answered, and to sign links to single ones.
    """
    return [
        _table(r.contacts, "BatchGetItem", "GetItem", "UpdateItem"),
        _index(r.contacts, "mailing_list", "Query"),
        _index(r.contacts, "pending", "Query"),
        _index(r.standings, "by_place", "Query"),
        _table(r.events, "PutItem", "Query"),
        _index(r.events, "stops", "Query"),
        _table(r.forms, "GetItem", "PutItem", "Scan"),
        _table(r.campaigns, "GetItem", "PutItem", "Scan", "UpdateItem"),
        _table(r.ledger, "BatchGetItem", "Query"),
        _table(r.cases, "DeleteItem", "GetItem", "PutItem", "Query"),
        _index(r.cases, "by_contact", "Query"),
        _index(r.cases, "closed", "Query"),
        _index(r.cases, "queue", "Query"),
        _table(r.received, "GetItem", "UpdateItem"),
        _index(r.received, "filtered", "Query"),
        _raw_mail(r, "GetObject"),
        # Without it S3 calls an object that is gone a forbidden one.
        _allow(r.inbound_bucket.bucket_arn, "s3:ListBucket"),
        _mail_key(r),
        _allow(r.case_jobs.queue_arn, "sqs:SendMessage"),
        _data_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
        *_secret(r, r.contact_key_arn),
        _allow(r.link_keys_arn, "secretsmanager:GetSecretValue"),
        _allow(r.campaign_jobs.queue_arn, "sqs:SendMessage"),
        _operations_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
        _allow(r.mail_identity_arn, "ses:GetEmailIdentity", "ses:SendEmail"),
        _allow(r.configuration_set_arn, "ses:SendEmail"),
        _allow(r.schedules_arn, "scheduler:CreateSchedule", "scheduler:DeleteSchedule"),
        _allow(
            r.campaign_starts_role.role_arn,
            "iam:PassRole",
            conditions={"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
        ),
    ]


def campaign_sender(r: Resources) -> list[iam.PolicyStatement]:
    """Walks the mailing list, claims recipients in the ledger, hands them to SES in batches.

    A claim holds the contact to what was judged (ConditionCheckItem); it changes no contact.
    Other campaigns are listed (Scan) only for the frequency cap.
    """
    return [
        _table(r.campaigns, "GetItem", "Scan", "UpdateItem"),
        _table(r.contacts, "BatchGetItem", "ConditionCheckItem", "GetItem"),
        _index(r.contacts, "mailing_list", "Query"),
        _table(r.ledger, "BatchGetItem", "PutItem", "Query", "UpdateItem"),
        _table(r.throttle, "UpdateItem"),
        _data_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
        *_secret(r, r.link_keys_arn),
        # The rest of a campaign goes back as a new job.
        _consume(r.campaign_jobs, "sqs:SendMessage"),
        _operations_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
        # As the domain and with the configuration set that reports.
        _allow(r.mail_identity_arn, "ses:SendBulkEmail"),
        _allow(r.configuration_set_arn, "ses:SendBulkEmail"),
        _allow("*", "ses:GetAccount"),
    ]


def ses_feedback(r: Resources) -> list[iam.PolicyStatement]:
    """Notes what became of a mail and of its reader, and pauses campaigns received too badly.

    What fails thrice goes to its dead-letter queue. A contact's history is read where mail
    bounced softly; the contact key, where a notice names people only by their address.
    """
    return [
        _table(r.contacts, "UpdateItem"),
        _table(r.events, "PutItem", "Query"),
        _table(r.campaigns, "GetItem", "Scan", "UpdateItem"),
        _table(r.ledger, "GetItem", "Query", "UpdateItem"),
        _data_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
        *_secret(r, r.contact_key_arn),
        _allow(r.feedback_failures.queue_arn, "sqs:SendMessage"),
        _operations_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
    ]


def standings(r: Resources) -> list[iam.PolicyStatement]:
    """Follows the changes of contacts and keeps count; it cannot ask for a contact itself."""
    return [
        _allow(
            r.contacts.table_stream_arn or "",
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ),
        _table(r.standings, "BatchGetItem", "PutItem", "UpdateItem"),
        _data_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
        _allow(r.standings_failures.queue_arn, "sqs:SendMessage"),
        _operations_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
    ]


def mail_intake(r: Resources) -> list[iam.PolicyStatement]:
    """Reads one mail, notes what it means for its writer, opens a case; sends no mail.

    It deletes what SES brings once more of somebody who was erased.
    """
    return [
        _raw_mail(r, "DeleteObject", "GetObject"),
        # Without it S3 calls an object that is gone a forbidden one.
        _allow(r.inbound_bucket.bucket_arn, "s3:ListBucket"),
        _mail_key(r),
        _table(r.received, "GetItem", "UpdateItem"),
        _table(r.cases, "GetItem", "PutItem"),
        _table(r.contacts, "GetItem", "UpdateItem"),
        _table(r.events, "PutItem", "Query"),
        _data_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
        *_secret(r, r.contact_key_arn),
        _allow(r.link_keys_arn, "secretsmanager:GetSecretValue"),
        _consume(r.inbound_mail),
        _allow(r.case_jobs.queue_arn, "sqs:SendMessage"),
        _operations_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
    ]


def case_worker(r: Resources) -> list[iam.PolicyStatement]:
    """Mails what a case owes, and erases; the raw mail it deletes it cannot read."""
    return [
        _table(r.cases, "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
        _index(r.cases, "by_contact", "Query"),
        _index(r.cases, "queue", "Query"),
        _table(r.received, "BatchGetItem", "UpdateItem"),
        _index(r.received, "by_contact", "Query"),
        _table(r.contacts, "GetItem", "UpdateItem"),
        _table(r.events, "PutItem", "Query", "UpdateItem"),
        _table(r.throttle, "GetItem", "PutItem", "UpdateItem"),
        _raw_mail(r, "DeleteObject"),
        _data_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
        *_secret(r, r.contact_key_arn),
        _allow(r.link_keys_arn, "secretsmanager:GetSecretValue"),
        _consume(r.case_jobs, "sqs:SendMessage"),
        # An erasure also takes what nobody could take in.
        _allow(r.inbound_failures.queue_arn, "sqs:DeleteMessage", "sqs:ReceiveMessage"),
        _operations_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
        _allow(r.mail_identity_arn, "ses:SendEmail"),
        _allow(r.configuration_set_arn, "ses:SendEmail"),
    ]


def case_link(r: Resources) -> list[iam.PolicyStatement]:
    """What a person does with the link they were mailed; the file gathers what is held."""
    return [
        _table(r.cases, "DeleteItem", "GetItem", "PutItem", "Query"),
        _index(r.cases, "by_contact", "Query"),
        _table(r.received, "BatchGetItem"),
        _index(r.received, "by_contact", "Query"),
        _table(r.contacts, "GetItem", "UpdateItem"),
        _table(r.events, "PutItem", "Query"),
        _table(r.campaigns, "Scan"),
        _table(r.ledger, "BatchGetItem"),
        _data_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
        *_secret(r, r.link_keys_arn),
        _allow(r.case_jobs.queue_arn, "sqs:SendMessage"),
        _operations_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
    ]


def console(_: Resources) -> list[iam.PolicyStatement]:
    """Nothing: it has only what the signed-in person's token opens in the staff API."""
    return []


def campaign_starts(r: Resources) -> list[iam.PolicyStatement]:
    """EventBridge Scheduler, when a campaign's time has come: one message, or a failure."""
    return [
        _allow(r.campaign_jobs.queue_arn, "sqs:SendMessage"),
        _allow(r.campaign_failures.queue_arn, "sqs:SendMessage"),
        _operations_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
    ]


def case_sweep(r: Resources) -> list[iam.PolicyStatement]:
    """EventBridge Scheduler, every hour: one message, or a failure."""
    return [
        _allow(r.case_jobs.queue_arn, "sqs:SendMessage"),
        _allow(r.case_failures.queue_arn, "sqs:SendMessage"),
        _operations_key(r, "kms:Decrypt", "kms:GenerateDataKey"),
    ]


PERMISSIONS: Mapping[str, Callable[[Resources], list[iam.PolicyStatement]]] = {
    "form_intake": form_intake,
    "unsubscribe": unsubscribe,
    "staff_api": staff_api,
    "campaign_sender": campaign_sender,
    "ses_feedback": ses_feedback,
    "standings": standings,
    "mail_intake": mail_intake,
    "case_worker": case_worker,
    "case_link": case_link,
    "console": console,
}


def telemetry(log_group: logs.ILogGroup) -> list[iam.PolicyStatement]:
    """Every function's own log group, and traces."""
    return [
        _allow(log_group.log_group_arn, "logs:CreateLogStream", "logs:PutLogEvents"),
        _allow("*", "xray:PutTelemetryRecords", "xray:PutTraceSegments"),
    ]


def _allow(
    resource: str, *actions: str, conditions: Mapping[str, object] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=[resource], conditions=conditions)


def _table(table: dynamodb.ITable, *actions: str) -> iam.PolicyStatement:
    return _allow(table.table_arn, *(f"dynamodb:{action}" for action in actions))


def _index(table: dynamodb.ITable, index: str, *actions: str) -> iam.PolicyStatement:
    return _allow(f"{table.table_arn}/index/{index}", *(f"dynamodb:{action}" for action in actions))


def _consume(queue: sqs.IQueue, *more: str) -> iam.PolicyStatement:
    """What Lambda does with a queue in the function's name."""
    return _allow(
        queue.queue_arn,
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        *more,
    )


def _raw_mail(r: Resources, *actions: str) -> iam.PolicyStatement:
    return _allow(r.inbound_bucket.arn_for_objects("*"), *(f"s3:{action}" for action in actions))


def _key(key: kms.IKey, service: str, *actions: str) -> iam.PolicyStatement:
    """The key, and only through the service that stores with it."""
    via = {"kms:ViaService": f"{service}.{cdk.Stack.of(key).region}.amazonaws.com"}
    return _allow(key.key_arn, *actions, conditions={"StringEquals": via})


def _data_key(r: Resources, *actions: str) -> iam.PolicyStatement:
    return _key(r.data_key, "dynamodb", *actions)


def _operations_key(r: Resources, *actions: str) -> iam.PolicyStatement:
    return _key(r.operations_key, "sqs", *actions)


def _mail_key(r: Resources) -> iam.PolicyStatement:
    return _key(r.mail_key, "s3", "kms:Decrypt")


def _secret(r: Resources, secret_arn: str) -> list[iam.PolicyStatement]:
    return [
        _allow(secret_arn, "secretsmanager:GetSecretValue"),
        _key(r.secrets_key, "secretsmanager", "kms:Decrypt"),
    ]
