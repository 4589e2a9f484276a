"""Each role's exact actions and resources, once more and independently of infra/permissions.py.

D1, D2: a role that could do more than its function needs is a finding here, not in an audit.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from tests.infrastructure.assembly import Assembly

CONTACTS, EVENTS, FORMS = "TablesContacts", "TablesEvents", "TablesForms"
THROTTLE, CAMPAIGNS, LEDGER = "TablesThrottle", "TablesCampaigns", "TablesLedger"
STANDINGS, STANDINGS_FAILURES = "TablesStandings", "StandingsFailuresQueue"
CONTACT_KEY, LINK_KEYS = "SecretsContactKey", "SecretsLinkKeys"
CASES, RECEIVED = "TablesCases", "TablesReceived"
BUCKET, INBOUND = "InboundBucket", "InboundMailQueue"
CASE_JOBS, CASE_FAILURES = "CaseJobsQueue", "CaseFailuresQueue"
INBOUND_FAILURES = "InboundFailuresQueue"
JOBS, FEEDBACK_FAILURES = "CampaignJobsQueue", "FeedbackFailuresQueue"
TABLES_KEY = "KeysData by dynamodb"
SECRETS_KEY = "KeysSecrets by secretsmanager"
QUEUES_KEY = "KeysOperations by sqs"
SES = "arn:aws:ses:ap-northeast-1:AWS::AccountId:"
SCHEDULER = "arn:aws:scheduler:ap-northeast-1:AWS::AccountId:"

READ_SECRET = {"secretsmanager:GetSecretValue"}
USE_TABLES = {TABLES_KEY: {"kms:Decrypt", "kms:GenerateDataKey"}}
USE_QUEUES = {QUEUES_KEY: {"kms:Decrypt", "kms:GenerateDataKey"}}
READ_RAW_MAIL = {"KeysMail by s3": {"kms:Decrypt"}}
CONSUME = {
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
}
USE_SECRETS = {SECRETS_KEY: {"kms:Decrypt"}}

GRANTED: dict[str, dict[str, set[str]]] = {
    "FormIntake": {
        FORMS: {"dynamodb:GetItem"},
        EVENTS: {"dynamodb:PutItem"},
        CONTACTS: {"dynamodb:UpdateItem"},
        THROTTLE: {"dynamodb:UpdateItem"},
        CONTACT_KEY: READ_SECRET,
        **USE_TABLES,
        **USE_SECRETS,
    },
    "Unsubscribe": {
        CONTACTS: {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        EVENTS: {"dynamodb:PutItem"},
        LINK_KEYS: READ_SECRET,
        **USE_TABLES,
        **USE_SECRETS,
    },
    "StaffApi": {
        CONTACTS: {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:UpdateItem"},
        f"{CONTACTS}/index/mailing_list": {"dynamodb:Query"},
        f"{CONTACTS}/index/pending": {"dynamodb:Query"},
        f"{STANDINGS}/index/by_place": {"dynamodb:Query"},
        EVENTS: {"dynamodb:PutItem", "dynamodb:Query"},
        f"{EVENTS}/index/stops": {"dynamodb:Query"},
        FORMS: {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"},
        CAMPAIGNS: {
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Scan",
            "dynamodb:UpdateItem",
        },
        LEDGER: {"dynamodb:BatchGetItem", "dynamodb:Query"},
        CASES: {
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
        },
        f"{CASES}/index/by_contact": {"dynamodb:Query"},
        f"{CASES}/index/closed": {"dynamodb:Query"},
        f"{CASES}/index/queue": {"dynamodb:Query"},
        RECEIVED: {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        f"{RECEIVED}/index/filtered": {"dynamodb:Query"},
        f"{BUCKET}/*": {"s3:GetObject"},
        BUCKET: {"s3:ListBucket"},
        **READ_RAW_MAIL,
        CASE_JOBS: {"sqs:SendMessage"},
        CONTACT_KEY: READ_SECRET,
        LINK_KEYS: READ_SECRET,
        JOBS: {"sqs:SendMessage"},
        f"{SES}identity/MailIdentity": {"ses:GetEmailIdentity", "ses:SendEmail"},
        f"{SES}configuration-set/MailConfigurationSet": {"ses:SendEmail"},
        f"{SCHEDULER}schedule/default/optin-*": {
            "scheduler:CreateSchedule",
            "scheduler:DeleteSchedule",
        },
        "CampaignStartsRole to scheduler.amazonaws.com": {"iam:PassRole"},
        **USE_TABLES,
        **USE_SECRETS,
        **USE_QUEUES,
    },
    "CampaignSender": {
        CAMPAIGNS: {"dynamodb:GetItem", "dynamodb:Scan", "dynamodb:UpdateItem"},
        CONTACTS: {
            "dynamodb:BatchGetItem",
            "dynamodb:ConditionCheckItem",
            "dynamodb:GetItem",
        },
        f"{CONTACTS}/index/mailing_list": {"dynamodb:Query"},
        LEDGER: {
            "dynamodb:BatchGetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        },
        THROTTLE: {"dynamodb:UpdateItem"},
        LINK_KEYS: READ_SECRET,
        JOBS: CONSUME | {"sqs:SendMessage"},
        f"{SES}identity/MailIdentity": {"ses:SendBulkEmail"},
        f"{SES}configuration-set/MailConfigurationSet": {"ses:SendBulkEmail"},
        **USE_TABLES,
        **USE_SECRETS,
        **USE_QUEUES,
    },
    "SesFeedback": {
        CONTACTS: {"dynamodb:UpdateItem"},
        EVENTS: {"dynamodb:PutItem", "dynamodb:Query"},
        CAMPAIGNS: {"dynamodb:GetItem", "dynamodb:Scan", "dynamodb:UpdateItem"},
        LEDGER: {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"},
        CONTACT_KEY: READ_SECRET,
        FEEDBACK_FAILURES: {"sqs:SendMessage"},
        **USE_TABLES,
        **USE_SECRETS,
        **USE_QUEUES,
    },
    "Standings": {
        f"{CONTACTS}.StreamArn": {
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        },
        STANDINGS: {"dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
        STANDINGS_FAILURES: {"sqs:SendMessage"},
        **USE_TABLES,
        **USE_QUEUES,
    },
    "MailIntake": {
        f"{BUCKET}/*": {"s3:DeleteObject", "s3:GetObject"},
        BUCKET: {"s3:ListBucket"},
        **READ_RAW_MAIL,
        RECEIVED: {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        CASES: {"dynamodb:GetItem", "dynamodb:PutItem"},
        CONTACTS: {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        EVENTS: {"dynamodb:PutItem", "dynamodb:Query"},
        CONTACT_KEY: READ_SECRET,
        LINK_KEYS: READ_SECRET,
        INBOUND: CONSUME,
        CASE_JOBS: {"sqs:SendMessage"},
        **USE_TABLES,
        **USE_SECRETS,
        **USE_QUEUES,
    },
    "CaseWorker": {
        CASES: {
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        },
        f"{CASES}/index/by_contact": {"dynamodb:Query"},
        f"{CASES}/index/queue": {"dynamodb:Query"},
        RECEIVED: {"dynamodb:BatchGetItem", "dynamodb:UpdateItem"},
        f"{RECEIVED}/index/by_contact": {"dynamodb:Query"},
        CONTACTS: {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        EVENTS: {"dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"},
        THROTTLE: {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
        f"{BUCKET}/*": {"s3:DeleteObject"},
        CONTACT_KEY: READ_SECRET,
        LINK_KEYS: READ_SECRET,
        CASE_JOBS: CONSUME | {"sqs:SendMessage"},
        INBOUND_FAILURES: {"sqs:DeleteMessage", "sqs:ReceiveMessage"},
        f"{SES}identity/MailIdentity": {"ses:SendEmail"},
        f"{SES}configuration-set/MailConfigurationSet": {"ses:SendEmail"},
        **USE_TABLES,
        **USE_SECRETS,
        **USE_QUEUES,
    },
    "CaseLink": {
        CASES: {
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
        },
        f"{CASES}/index/by_contact": {"dynamodb:Query"},
        RECEIVED: {"dynamodb:BatchGetItem"},
        f"{RECEIVED}/index/by_contact": {"dynamodb:Query"},
        CONTACTS: {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        EVENTS: {"dynamodb:PutItem", "dynamodb:Query"},
        CAMPAIGNS: {"dynamodb:Scan"},
        LEDGER: {"dynamodb:BatchGetItem"},
        LINK_KEYS: READ_SECRET,
        CASE_JOBS: {"sqs:SendMessage"},
        **USE_TABLES,
        **USE_SECRETS,
        **USE_QUEUES,
    },
    "Console": {},
}
SCHEDULER_ROLES = {
    "CampaignStarts": {JOBS: {"sqs:SendMessage"}, "CampaignFailuresQueue": {"sqs:SendMessage"}},
    "CaseSweep": {CASE_JOBS: {"sqs:SendMessage"}, CASE_FAILURES: {"sqs:SendMessage"}},
}


@pytest.mark.parametrize("target", ["aws", "local"])
@pytest.mark.parametrize("function", GRANTED)
def test_a_role_may_do_exactly_this(
    function: str, target: str, request: pytest.FixtureRequest
) -> None:
    assembly: Assembly = request.getfixturevalue(target)
    policy = assembly.properties("AWS::IAM::Policy")[f"{function}Policy"]
    telemetry = {
        f"{function}Logs": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "*": {"xray:PutTelemetryRecords", "xray:PutTraceSegments"},
    }
    if function == "CampaignSender":
        telemetry["*"].add("ses:GetAccount")
    assert granted(assembly, policy) == GRANTED[function] | telemetry
    assert [assembly.spell(role) for role in policy["Roles"]] == [f"{function}Role"]


def granted(assembly: Assembly, policy: dict[str, Any]) -> dict[str, set[str]]:
    """A policy as {resource: actions}; a key is named with the one service that may use it,
    a role that is passed with the one that gets it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for statement in policy["PolicyDocument"]["Statement"]:
        assert statement["Effect"] == "Allow"
        resource = assembly.spell(statement["Resource"])
        if condition := statement.get("Condition"):
            assert set(condition) == {"StringEquals"}
            [(name, through)] = condition["StringEquals"].items()
            if name == "iam:PassedToService":
                resource = f"{resource} to {through}"
            else:
                assert name == "kms:ViaService"
                service = through.removesuffix(".ap-northeast-1.amazonaws.com")
                resource = f"{resource} by {service}"
        actions = statement["Action"]
        found[resource] |= {actions} if isinstance(actions, str) else set(actions)
    return dict(found)


def test_there_are_no_other_roles_and_no_other_ways_to_get_permissions(aws: Assembly) -> None:
    roles = aws.properties("AWS::IAM::Role")
    known = {*GRANTED, *SCHEDULER_ROLES}
    assert set(roles) == {f"{name}Role" for name in known}
    assert set(aws.of_type("AWS::IAM::Policy")) == {f"{name}Policy" for name in known}
    assert not aws.of_type("AWS::IAM::ManagedPolicy")
    for name, role in roles.items():
        assert set(role) <= {"AssumeRolePolicyDocument", "Tags"}
        [trust] = role["AssumeRolePolicyDocument"]["Statement"]
        service = "scheduler" if name.removesuffix("Role") in SCHEDULER_ROLES else "lambda"
        assert trust["Principal"] == {"Service": f"{service}.amazonaws.com"}


@pytest.mark.parametrize("target", ["aws", "local"])
@pytest.mark.parametrize("name", SCHEDULER_ROLES)
def test_scheduler_may_only_queue_jobs_and_only_for_us(
    name: str, target: str, request: pytest.FixtureRequest
) -> None:
    assembly: Assembly = request.getfixturevalue(target)
    policy = assembly.properties("AWS::IAM::Policy")[f"{name}Policy"]
    assert granted(assembly, policy) == SCHEDULER_ROLES[name] | USE_QUEUES
    role = assembly.properties("AWS::IAM::Role")[f"{name}Role"]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Action"] == "sts:AssumeRole"
    [(operator, condition)] = trust["Condition"].items()
    assert operator == "StringEquals"
    assert {name: assembly.spell(value) for name, value in condition.items()} == {
        "aws:SourceAccount": "AWS::AccountId",
        "aws:SourceArn": f"{SCHEDULER}schedule-group/default",
    }


def test_each_function_has_its_own_role(aws: Assembly) -> None:
    functions = aws.properties("AWS::Lambda::Function")
    assert {name: aws.spell(function["Role"]) for name, function in functions.items()} == {
        f"{name}Function": f"{name}Role" for name in GRANTED
    }


def test_only_named_services_may_use_the_keys(aws: Assembly) -> None:
    """Beside IAM (the account) only services, each for what it stores for us."""
    services: dict[str, set[str]] = {}
    for name, key in aws.properties("AWS::KMS::Key").items():
        services[name] = set()
        for statement in key["KeyPolicy"]["Statement"]:
            principal = statement["Principal"]
            if "AWS" in principal:
                assert aws.spell(principal["AWS"]) == "arn:aws:iam::AWS::AccountId:root"
                continue
            assert statement["Condition"]
            named = principal["Service"]
            services[name] |= {named} if isinstance(named, str) else set(named)
    assert services == {
        "KeysData": set(),
        "KeysSecrets": set(),
        "KeysMail": {"ses.amazonaws.com"},
        "KeysOperations": {
            "cloudwatch.amazonaws.com",
            "events.amazonaws.com",
            "logs.ap-northeast-1.amazonaws.com",
            "ses.amazonaws.com",
            "sns.amazonaws.com",
        },
    }
