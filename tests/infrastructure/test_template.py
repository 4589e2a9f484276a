"""What AWS is asked for: encryption, recovery, limits, logs, alarms, sign-in, settings."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from typing import Any

import pytest

from functions.console.settings import ConsoleSettings
from shared import settings
from tests.infrastructure.assembly import Assembly, Synthesise

FUNCTIONS = {
    "FormIntake": "functions.form_intake.handler",
    "Unsubscribe": "functions.unsubscribe.handler",
    "StaffApi": "functions.staff_api.app.handler",
    "Console": "functions.console.app.handler",
    "CampaignSender": "functions.campaign_sender.handler",
    "SesFeedback": "functions.ses_feedback.handler",
    "Standings": "functions.standings.handler",
    "MailIntake": "functions.mail_intake.handler",
    "CaseWorker": "functions.case_worker.handler",
    "CaseLink": "functions.case_link.handler",
}
FAILURES = ("Campaign", "Feedback", "Standings", "Inbound", "Case")
OUR_RULE = "arn:aws:ses:ap-northeast-1:AWS::AccountId:receipt-rule-set/optin:receipt-rule/optin"

# ---- data ----


def test_keys_rotate(aws: Assembly) -> None:
    keys = aws.properties("AWS::KMS::Key")
    assert set(keys) == {"KeysData", "KeysSecrets", "KeysMail", "KeysOperations"}
    assert all(key["EnableKeyRotation"] for key in keys.values())


def test_tables_have_these_keys(aws: Assembly) -> None:
    tables = aws.properties("AWS::DynamoDB::Table")
    assert {name: _keys(table) for name, table in tables.items()} == {
        "TablesContacts": {
            "": ["contact_id"],
            "pending": ["pending", "pending_since"],
            "mailing_list": ["list_shard", "contact_id"],
        },
        "TablesEvents": {
            "": ["contact_id", "event_key"],
            "stops": ["stopped_by", "contact_id"],
        },
        "TablesForms": {"": ["form_id"]},
        "TablesThrottle": {"": ["key"]},
        "TablesCampaigns": {"": ["campaign_id"]},
        "TablesLedger": {"": ["campaign_id", "contact_id"]},
        "TablesStandings": {"": ["contact_id"], "by_place": ["place", "month"]},
        "TablesCases": {
            "": ["case_id", "item"],
            "by_contact": ["contact_id", "opened_at"],
            "queue": ["queue", "due_key"],
            "closed": ["closed", "closed_at"],
        },
        "TablesReceived": {
            "": ["mail_id"],
            "by_contact": ["contact_id", "received_at"],
            "filtered": ["filtered", "received_at"],
        },
    }
    expiring = {
        name: table["TimeToLiveSpecification"]
        for name, table in tables.items()
        if "TimeToLiveSpecification" in table
    }
    assert set(expiring) == {"TablesThrottle", "TablesReceived"}
    for expiry in expiring.values():
        assert expiry == {"AttributeName": "expires_at", "Enabled": True}


def _keys(table: dict[str, Any]) -> dict[str, list[str]]:
    indexes = table.get("GlobalSecondaryIndexes", [])
    for index in indexes:
        whole = "KEYS_ONLY" if index["IndexName"] == "stops" else "ALL"
        assert index["Projection"] == {"ProjectionType": whole}
    return {"": _names(table)} | {index["IndexName"]: _names(index) for index in indexes}


def _names(keyed: dict[str, Any]) -> list[str]:
    return [part["AttributeName"] for part in keyed["KeySchema"]]


def test_tables_are_encrypted_recoverable_and_protected(aws: Assembly) -> None:
    for name, table in aws.of_type("AWS::DynamoDB::Table").items():
        properties = table["Properties"]
        encryption = properties["SSESpecification"]
        assert (encryption["SSEEnabled"], encryption["SSEType"]) == (True, "KMS"), name
        assert aws.spell(encryption["KMSMasterKeyId"]) == "KeysData"
        assert properties["PointInTimeRecoverySpecification"] == {
            "PointInTimeRecoveryEnabled": True
        }
        assert properties["DeletionProtectionEnabled"]
        assert properties["BillingMode"] == "PAY_PER_REQUEST"


def test_what_people_entrusted_outlives_its_stack_in_aws_only(
    aws: Assembly, local: Assembly
) -> None:
    lasting = (
        "AWS::DynamoDB::Table",
        "AWS::S3::Bucket",
        "AWS::KMS::Key",
        "AWS::SecretsManager::Secret",
        "AWS::Cognito::UserPool",
        "AWS::Logs::LogGroup",
    )
    for assembly, policy in ((aws, "Retain"), (local, "Delete")):
        for kind in lasting:
            for name, resource in assembly.of_type(kind).items():
                assert resource["DeletionPolicy"] == policy, name
                assert resource["UpdateReplacePolicy"] == policy, name
    stacks = json.loads((aws.folder / "manifest.json").read_text())["artifacts"]
    for stack in ("OptinData", "OptinIdentity"):
        assert stacks[stack]["properties"]["terminationProtection"]


def test_secrets_are_generated_and_stand_nowhere_else(aws: Assembly, local: Assembly) -> None:
    for assembly in (aws, local):
        secrets = assembly.properties("AWS::SecretsManager::Secret")
        assert set(secrets) == {"SecretsContactKey", "SecretsLinkKeys"}
        for secret in secrets.values():
            assert "SecretString" not in secret
            assert secret["GenerateSecretString"]["PasswordLength"] == 64
            assert assembly.spell(secret["KmsKeyId"]) == "KeysSecrets"
        link_keys = secrets["SecretsLinkKeys"]["GenerateSecretString"]
        assert json.loads(link_keys["SecretStringTemplate"]) == {"current": "k1"}
        assert link_keys["GenerateStringKey"] == "k1"
        text = json.dumps(assembly.templates)
        assert "resolve:secretsmanager" not in text
        assert not any("Secret" in name for name in assembly.outputs())


# ---- people ----


def test_sign_in_needs_a_second_factor_and_a_long_password(aws: Assembly) -> None:
    [pool] = aws.properties("AWS::Cognito::UserPool").values()
    assert pool["MfaConfiguration"] == "ON"
    assert pool["EnabledMfas"] == ["SOFTWARE_TOKEN_MFA"]
    policy = pool["Policies"]["PasswordPolicy"]
    assert policy["MinimumLength"] >= 12
    assert all(value for name, value in policy.items() if name.startswith("Require"))
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert pool["UserPoolAddOns"] == {"AdvancedSecurityMode": "ENFORCED"}
    assert pool["DeletionProtection"] == "ACTIVE"


def test_the_teams_are_the_only_groups(aws: Assembly) -> None:
    groups = aws.properties("AWS::Cognito::UserPoolGroup").values()
    assert {group["GroupName"] for group in groups} == {"CS", "GS", "IT"}


def test_the_console_signs_in_by_code_and_without_a_secret(aws: Assembly, local: Assembly) -> None:
    [client] = aws.properties("AWS::Cognito::UserPoolClient").values()
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["GenerateSecret"] is False
    assert client["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]
    assert [aws.spell(url) for url in client["CallbackURLs"]] == [
        "ConsoleFrontApi.ApiEndpoint/callback"
    ]
    [client] = local.properties("AWS::Cognito::UserPoolClient").values()
    assert client["ExplicitAuthFlows"] == ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    assert client["CallbackURLs"] == ["http://127.0.0.1:8080/console/callback"]


# ---- APIs ----


def test_routes(aws: Assembly) -> None:
    found: dict[str, set[str]] = {}
    for route in aws.properties("AWS::ApiGatewayV2::Route").values():
        target = aws.spell(route["Target"]).removeprefix("integrations/")
        found.setdefault(f"{target} {route['AuthorizationType']}", set()).add(route["RouteKey"])
    assert found == {
        "PublicFrontFormIntake NONE": {
            "GET /forms/{form_id}",
            "POST /forms/{form_id}",
            "OPTIONS /forms/{form_id}",
            "ANY /forms/{form_id}",
            "GET /forms/{form_id}/thanks",
            "ANY /forms/{form_id}/thanks",
            "GET /forms/{form_id}/embed",
            "ANY /forms/{form_id}/embed",
            "GET /health",
            "ANY /health",
            "$default",
        },
        "PublicFrontUnsubscribe NONE": {
            "GET /u/{token}",
            "POST /u/{token}",
            "ANY /u/{token}",
            "POST /u/{token}/undo",
            "ANY /u/{token}/undo",
            "POST /u/{token}/reason",
            "ANY /u/{token}/reason",
        },
        "PublicFrontCaseLink NONE": {"GET /v/{token}", "POST /v/{token}", "ANY /v/{token}"},
        "StaffFrontStaffApi JWT": {"ANY /{proxy+}", "$default"},
        "StaffFrontStaffApi NONE": {"GET /openapi.json"},
        "ConsoleFrontConsole NONE": {"ANY /{proxy+}", "ANY /"},
    }


def test_the_staff_api_trusts_tokens_of_our_pool_for_our_client(aws: Assembly) -> None:
    [authorizer] = aws.properties("AWS::ApiGatewayV2::Authorizer").values()
    assert aws.spell(authorizer["ApiId"]) == "StaffFrontApi"
    token = authorizer["JwtConfiguration"]
    assert aws.spell(token["Issuer"]) == (
        "https://cognito-idp.ap-northeast-1.amazonaws.com/StaffPool"
    )
    assert [aws.spell(audience) for audience in token["Audience"]] == ["StaffClient"]


def test_every_route_may_call_its_function(aws: Assembly) -> None:
    allowed = {
        (aws.spell(permission["FunctionName"]), aws.spell(permission["SourceArn"]))
        for permission in aws.properties("AWS::Lambda::Permission").values()
    }
    arn = "arn:aws:execute-api:ap-northeast-1:AWS::AccountId:"
    assert allowed == {
        ("FormIntakeFunction", f"{arn}PublicFrontApi/*/*"),
        ("UnsubscribeFunction", f"{arn}PublicFrontApi/*/*"),
        ("CaseLinkFunction", f"{arn}PublicFrontApi/*/*"),
        ("StaffApiFunction", f"{arn}StaffFrontApi/*/*"),
        ("ConsoleFunction", f"{arn}ConsoleFrontApi/*/*"),
        ("SesFeedbackFunction", "MailEventsRule"),
    }


def test_apis_are_throttled_and_log_nothing_personal(aws: Assembly) -> None:
    stages = aws.properties("AWS::ApiGatewayV2::Stage")
    assert len(stages) == 3
    for stage in stages.values():
        limits = stage["DefaultRouteSettings"]
        assert 0 < limits["ThrottlingRateLimit"] <= limits["ThrottlingBurstLimit"] <= 200
        log = stage["AccessLogSettings"]
        assert aws.spell(log["DestinationArn"]).endswith("FrontAccessLogs")
        # Not: path (tokens), query string, identity.* (address of the visitor), claims.
        assert set(re.findall(r"\$context\.([\w.]+)", log["Format"])) == {
            "requestId",
            "requestTime",
            "routeKey",
            "protocol",
            "status",
            "responseLatency",
            "responseLength",
            "integration.status",
            "integrationErrorMessage",
            "authorizer.error",
        }


# ---- functions ----


def test_functions_run_on_python_313_and_arm_in_aws(aws: Assembly, local: Assembly) -> None:
    functions = aws.properties("AWS::Lambda::Function")
    assert {name: function["Handler"] for name, function in functions.items()} == {
        f"{name}Function": handler for name, handler in FUNCTIONS.items()
    }
    for function in functions.values():
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert function["TracingConfig"] == {"Mode": "Active"}
    here = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for function in local.properties("AWS::Lambda::Function").values():
        assert function["Runtime"] == here


def test_who_waits_waits_longer(aws: Assembly) -> None:
    timeouts = {
        name: function["Timeout"]
        for name, function in aws.properties("AWS::Lambda::Function").items()
    }
    api_gives_up = 30
    assert timeouts["FormIntakeFunction"] <= 10
    assert timeouts["UnsubscribeFunction"] <= 10
    assert timeouts["StaffApiFunction"] < timeouts["ConsoleFunction"] < api_gives_up
    queues = aws.properties("AWS::SQS::Queue")
    for queue, worker in (
        ("CampaignJobs", "CampaignSender"),
        ("InboundMail", "MailIntake"),
        ("CaseJobs", "CaseWorker"),
    ):
        timeout = queues[f"{queue}Queue"]["VisibilityTimeout"]
        assert timeout == 6 * timeouts[f"{worker}Function"]


@pytest.mark.parametrize(
    ("function", "model"),
    [
        ("FormIntake", settings.FormIntakeSettings),
        ("Unsubscribe", settings.UnsubscribeSettings),
        ("StaffApi", settings.StaffApiSettings),
        ("CampaignSender", settings.CampaignSenderSettings),
        ("SesFeedback", settings.SesFeedbackSettings),
        ("Standings", settings.StandingsSettings),
        ("MailIntake", settings.MailIntakeSettings),
        ("CaseWorker", settings.CaseWorkerSettings),
        ("CaseLink", settings.CaseLinkSettings),
        ("Console", ConsoleSettings),
    ],
)
def test_a_function_gets_the_settings_that_it_reads_and_no_others(
    function: str, model: Any, aws: Assembly, local: Assembly
) -> None:
    read = {field.name.upper() for field in dataclasses.fields(model)}
    for assembly in (aws, local):
        given = _environment(assembly, function)
        ours = {name for name in given if not name.startswith(("POWERTOOLS_", "AWS_"))}
        assert ours == read
        assert all(given.values())


def test_the_console_knows_addresses_and_no_tables(aws: Assembly, local: Assembly) -> None:
    there, here = _environment(aws, "Console"), _environment(local, "Console")
    assert not [name for name in {**there, **here} if "TABLE" in name or "SECRET" in name]
    assert there["STAFF_API_URL"] == "StaffFrontApi.ApiEndpoint"
    assert there["CONSOLE_URL"] == "ConsoleFrontApi.ApiEndpoint"
    assert there["COGNITO_DOMAIN"] == (
        "https://StaffPoolDomain.auth.ap-northeast-1.amazoncognito.com"
    )
    assert here["STAFF_API_URL"] == "http://127.0.0.1:8080/staff"
    assert here["COGNITO_DOMAIN"] == "http://127.0.0.1:8080"


def test_only_local_senders_are_pointed_to_another_ses(aws: Assembly, local: Assembly) -> None:
    for function in FUNCTIONS:
        assert "AWS_ENDPOINT_URL_SESV2" not in _environment(aws, function)
        sends = function in {"CampaignSender", "StaffApi", "CaseWorker"}
        expected = "http://127.0.0.1:9000" if sends else None
        assert _environment(local, function).get("AWS_ENDPOINT_URL_SESV2") == expected


def test_limits_of_posts_differ_by_target(aws: Assembly, local: Assembly) -> None:
    assert _environment(aws, "FormIntake")["POSTS_PER_MINUTE_PER_SOURCE"] == "60"
    assert int(_environment(local, "FormIntake")["POSTS_PER_MINUTE_PER_SOURCE"]) >= 600


def test_how_a_campaign_is_started_later(aws: Assembly, local: Assembly) -> None:
    """On Japan's clock; the stand-in knows only UTC. What cannot start is kept."""
    for assembly, zone in ((aws, "Asia/Tokyo"), (local, "UTC")):
        variables = _environment(assembly, "StaffApi")
        assert variables["SCHEDULE_TIME_ZONE"] == zone
        assert variables["CAMPAIGN_QUEUE_ARN"] == "CampaignJobsQueue"
        assert variables["SCHEDULE_ROLE_ARN"] == "CampaignStartsRole"
        assert variables["SCHEDULE_FAILURES_ARN"] == "CampaignFailuresQueue"


def test_who_approves_and_where_tests_go(
    aws: Assembly, local: Assembly, synthesise: Synthesise
) -> None:
    assert _environment(aws, "StaffApi")["TEST_MAIL_DOMAINS"] == "mail.example.jp"
    assert _environment(local, "StaffApi")["TEST_MAIL_DOMAINS"] == "mail.example.jp,example.jp"
    assert _environment(aws, "StaffApi")["AUTHOR_MAY_APPROVE"] == "false"
    relaxed = synthesise(author_may_approve="true", test_mail_domains="company.example")
    assert _environment(relaxed, "StaffApi")["AUTHOR_MAY_APPROVE"] == "true"
    assert _environment(relaxed, "StaffApi")["TEST_MAIL_DOMAINS"] == (
        "mail.example.jp,company.example"
    )


def _environment(assembly: Assembly, function: str) -> dict[str, str]:
    properties = assembly.properties("AWS::Lambda::Function")[f"{function}Function"]
    variables = properties["Environment"]["Variables"]
    return {name: assembly.spell(value) for name, value in variables.items()}


# ---- operations ----


def test_logs_are_kept_for_a_time_and_encrypted(aws: Assembly) -> None:
    groups = aws.properties("AWS::Logs::LogGroup")
    assert set(groups) == {f"{function}Logs" for function in FUNCTIONS} | {
        f"{api}FrontAccessLogs" for api in ("Public", "Staff", "Console")
    }
    for group_properties in groups.values():
        assert group_properties["RetentionInDays"] == 365
        assert aws.spell(group_properties["KmsKeyId"]) == "KeysOperations"
    for name, function in aws.properties("AWS::Lambda::Function").items():
        group = aws.spell(function["LoggingConfig"]["LogGroup"])
        assert group == name.removesuffix("Function") + "Logs"


def test_queues_are_encrypted_and_failures_are_kept(aws: Assembly) -> None:
    queues = aws.properties("AWS::SQS::Queue")
    jobs = {"CampaignJobs": "Campaign", "InboundMail": "Inbound", "CaseJobs": "Case"}
    failures = {f"{name}FailuresQueue" for name in FAILURES}
    assert set(queues) == {f"{name}Queue" for name in jobs} | failures
    for queue in queues.values():
        assert aws.spell(queue["KmsMasterKeyId"]) == "KeysOperations"
    for name in failures:
        assert queues[name]["MessageRetentionPeriod"] == 14 * 24 * 3600
    for name, kept in jobs.items():
        redrive = queues[f"{name}Queue"]["RedrivePolicy"]
        assert aws.spell(redrive["deadLetterTargetArn"]) == f"{kept}FailuresQueue"
        assert redrive["maxReceiveCount"] == 5
    denied = [
        statement
        for policy in aws.properties("AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
    ]
    assert len(denied) == len(queues)
    assert all(
        statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} for statement in denied
    )


@pytest.mark.parametrize(
    ("jobs", "function"),
    [
        ("CampaignJobs", "CampaignSender"),
        ("InboundMail", "MailIntake"),
        ("CaseJobs", "CaseWorker"),
    ],
)
def test_workers_are_fed_one_job_at_a_time(aws: Assembly, jobs: str, function: str) -> None:
    feed = aws.properties("AWS::Lambda::EventSourceMapping")[f"{jobs}Feed"]
    assert aws.spell(feed["EventSourceArn"]) == f"{jobs}Queue"
    assert aws.spell(feed["FunctionName"]) == f"{function}Function"
    assert feed["BatchSize"] == 1
    assert feed["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert feed["ScalingConfig"]["MaximumConcurrency"] <= 8


def test_changes_of_contacts_are_counted_and_a_poisoned_one_holds_up_nobody(
    aws: Assembly,
) -> None:
    tables = aws.properties("AWS::DynamoDB::Table")
    assert {name: table.get("StreamSpecification") for name, table in tables.items()} == {
        **dict.fromkeys(tables),
        "TablesContacts": {"StreamViewType": "NEW_IMAGE"},
    }
    feed = aws.properties("AWS::Lambda::EventSourceMapping")["ContactChangesFeed"]
    assert aws.spell(feed["EventSourceArn"]) == "TablesContacts.StreamArn"
    assert aws.spell(feed["FunctionName"]) == "StandingsFunction"
    assert feed["StartingPosition"] == "TRIM_HORIZON"
    assert feed["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert feed["BisectBatchOnFunctionError"]
    assert 0 < feed["MaximumRetryAttempts"] <= 20
    failures = feed["DestinationConfig"]["OnFailure"]["Destination"]
    assert aws.spell(failures) == "StandingsFailuresQueue"


def test_what_ses_reports_arrives_or_is_kept(aws: Assembly) -> None:
    [rule] = aws.properties("AWS::Events::Rule").values()
    assert rule["EventPattern"]["source"] == ["aws.ses"]
    tags = rule["EventPattern"]["detail"]["mail"]["tags"]
    assert aws.spell(tags["ses:configuration-set"][0]) == "MailConfigurationSet"
    [target] = rule["Targets"]
    assert aws.spell(target["Arn"]) == "SesFeedbackFunction"
    assert aws.spell(target["DeadLetterConfig"]["Arn"]) == "FeedbackFailuresQueue"
    function = aws.properties("AWS::Lambda::Function")["SesFeedbackFunction"]
    assert aws.spell(function["DeadLetterConfig"]["TargetArn"]) == "FeedbackFailuresQueue"
    [destination] = aws.properties("AWS::SES::ConfigurationSetEventDestination").values()
    events = destination["EventDestination"]
    assert aws.spell(events["EventBridgeDestination"]["EventBusArn"]).endswith("event-bus/default")
    assert set(events["MatchingEventTypes"]) == {
        "send", "delivery", "bounce", "complaint", "reject", "renderingFailure", "deliveryDelay",
    }  # fmt: skip


def test_nobody_but_our_rule_may_tell_of_mail(aws: Assembly) -> None:
    """The events are authenticated by construction: one permission, of one rule."""
    permissions = [
        permission
        for permission in aws.properties("AWS::Lambda::Permission").values()
        if aws.spell(permission["FunctionName"]) == "SesFeedbackFunction"
    ]
    [permission] = permissions
    assert permission["Principal"] == "events.amazonaws.com"
    assert aws.spell(permission["SourceArn"]) == "MailEventsRule"


def test_ses_takes_in_mail_to_our_mailboxes_and_tells_the_topic(aws: Assembly) -> None:
    """Issue 4: encrypted on the way, checked for spam and viruses, with or without a label."""
    [rule_set] = aws.properties("AWS::SES::ReceiptRuleSet").values()
    assert rule_set == {"RuleSetName": "optin"}
    [(name, resource)] = aws.of_type("AWS::SES::ReceiptRule").items()
    assert name == "ReceivingRule"
    assert resource["Properties"]["RuleSetName"] == "optin"
    rule = resource["Properties"]["Rule"]
    assert rule["Recipients"] == [f"{name}@mail.example.jp" for name in ("optin", "reply", "stop")]
    assert (rule["Enabled"], rule["ScanEnabled"], rule["TlsPolicy"]) == (True, True, "Require")
    [action] = rule["Actions"]
    assert {key: aws.spell(value) for key, value in action["S3Action"].items()} == {
        "BucketName": "InboundBucket",
        "TopicArn": "ReceivedMailTopic",
    }
    # SES tries at once whether it may.
    assert any(each.startswith("ReceivedMailTopicPolicy") for each in resource["DependsOn"])


def test_our_rule_may_join_a_rule_set_that_the_account_uses(
    synthesise: Synthesise, local: Assembly
) -> None:
    joined = synthesise(receipt_rule_set="company-mail")
    assert not joined.of_type("AWS::SES::ReceiptRuleSet")
    [rule] = joined.properties("AWS::SES::ReceiptRule").values()
    assert rule["RuleSetName"] == "company-mail"
    [statement] = _statements(joined, "AWS::S3::BucketPolicy", "InboundBucketPolicy", "Allow")
    assert joined.spell(statement["Condition"]["StringEquals"]["aws:SourceArn"]).endswith(
        ":receipt-rule-set/company-mail:receipt-rule/optin"
    )
    assert not local.of_type("AWS::SES::ReceiptRule")  # the stand-in has none


def test_raw_mail_is_encrypted_private_and_soon_gone(
    aws: Assembly, local: Assembly, synthesise: Synthesise
) -> None:
    for assembly in (aws, local):
        [bucket] = assembly.properties("AWS::S3::Bucket").values()
        [encryption] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        by_default = encryption["ServerSideEncryptionByDefault"]
        assert by_default["SSEAlgorithm"] == "aws:kms"
        assert assembly.spell(by_default["KMSMasterKeyID"]) == "KeysMail"
        assert encryption["BucketKeyEnabled"]
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert "VersioningConfiguration" not in bucket  # deleted is gone
        assert _expiry(bucket) == 30
    [shorter] = synthesise(raw_mail_days=7).properties("AWS::S3::Bucket").values()
    assert _expiry(shorter) == 7


def _expiry(bucket: dict[str, Any]) -> int:
    [rule] = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["Status"] == "Enabled"
    assert "Prefix" not in rule
    return int(rule["ExpirationInDays"])


def test_only_ses_and_only_for_our_rule_may_bring_mail(aws: Assembly) -> None:
    """The receipt vouches for a sender: whoever could write one could speak for anybody."""
    only_our_rule = {"aws:SourceAccount": "AWS::AccountId", "aws:SourceArn": OUR_RULE}
    for kind, name, actions in (
        ("AWS::S3::BucketPolicy", "InboundBucketPolicy", "s3:PutObject"),
        ("AWS::SNS::TopicPolicy", "ReceivedMailTopicPolicy", "sns:Publish"),
    ):
        [allowed] = _statements(aws, kind, name, "Allow")
        assert allowed["Principal"] == {"Service": "ses.amazonaws.com"}
        assert allowed["Action"] == actions
        assert _spelt(aws, allowed["Condition"]) == {"StringEquals": only_our_rule}
        [denied] = _statements(aws, kind, name, "Deny")
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    [use] = [
        statement
        for statement in aws.properties("AWS::KMS::Key")["KeysMail"]["KeyPolicy"]["Statement"]
        if "Service" in statement["Principal"]
    ]
    assert set(use["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey*"}
    assert _spelt(aws, use["Condition"]) == {"StringEquals": only_our_rule}
    [allowed] = _statements(aws, "AWS::SQS::QueuePolicy", "InboundMailQueuePolicy", "Allow")
    assert allowed["Principal"] == {"Service": "sns.amazonaws.com"}
    assert allowed["Action"] == "sqs:SendMessage"
    assert _spelt(aws, allowed["Condition"]) == {
        "ArnEquals": {"aws:SourceArn": "ReceivedMailTopic"}
    }


def test_what_is_told_of_received_mail_is_queued_whole_or_kept(aws: Assembly) -> None:
    subscription = aws.properties("AWS::SNS::Subscription")["ReceivedMailSubscription"]
    assert aws.spell(subscription["TopicArn"]) == "ReceivedMailTopic"
    assert (subscription["Protocol"], aws.spell(subscription["Endpoint"])) == (
        "sqs",
        "InboundMailQueue",
    )
    assert "RawMessageDelivery" not in subscription
    kept = aws.spell(subscription["RedrivePolicy"]["deadLetterTargetArn"])
    assert kept == "InboundFailuresQueue"


def test_cases_are_looked_through_every_hour(aws: Assembly, local: Assembly) -> None:
    for assembly in (aws, local):
        [schedule] = assembly.properties("AWS::Scheduler::Schedule").values()
        assert schedule["ScheduleExpression"] == "rate(1 hour)"
        assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
        target = schedule["Target"]
        assert json.loads(target["Input"]) == {"sweep": True}
        assert assembly.spell(target["Arn"]) == "CaseJobsQueue"
        assert assembly.spell(target["RoleArn"]) == "CaseSweepRole"
        assert assembly.spell(target["DeadLetterConfig"]["Arn"]) == "CaseFailuresQueue"


def test_when_answers_are_due_is_configured(aws: Assembly, synthesise: Synthesise) -> None:
    for function in ("MailIntake", "StaffApi"):
        given = _environment(aws, function)
        assert given["CASE_BUSINESS_DAYS"] == "8"
        assert given["DAYS_OFF"] == "12-29,12-30,12-31,01-02,01-03"
    for function in ("CaseLink", "StaffApi"):
        assert _environment(aws, function)["ERASURE_RUNS_BY_ITSELF"] == "false"
    changed = synthesise(case_business_days=5, days_off=["2027-05-06"], erasure_runs_by_itself=True)
    given = _environment(changed, "StaffApi")
    assert given["CASE_BUSINESS_DAYS"] == "5"
    assert given["DAYS_OFF"] == "2027-05-06"
    assert given["ERASURE_RUNS_BY_ITSELF"] == "true"


def _statements(assembly: Assembly, kind: str, name: str, effect: str) -> list[dict[str, Any]]:
    statements = assembly.properties(kind)[name]["PolicyDocument"]["Statement"]
    return [statement for statement in statements if statement["Effect"] == effect]


def _spelt(assembly: Assembly, condition: dict[str, dict[str, Any]]) -> dict[str, dict[str, str]]:
    return {
        operator: {name: assembly.spell(value) for name, value in compared.items()}
        for operator, compared in condition.items()
    }


def test_a_lifted_bounce_is_not_held_by_ses(aws: Assembly) -> None:
    """law-and-mail E5: staff may lift it; SES keeps only those who complained."""
    [configuration] = aws.properties("AWS::SES::ConfigurationSet").values()
    assert configuration["SuppressionOptions"] == {"SuppressedReasons": ["COMPLAINT"]}


def test_mail_leaves_as_the_configured_domain(aws: Assembly) -> None:
    [identity] = aws.properties("AWS::SES::EmailIdentity").values()
    assert identity["EmailIdentity"] == "mail.example.jp"
    assert aws.spell(identity["ConfigurationSetAttributes"]["ConfigurationSetName"]) == (
        "MailConfigurationSet"
    )


def test_alarms(aws: Assembly, synthesise: Synthesise) -> None:
    watched = set()
    for alarm in aws.properties("AWS::CloudWatch::Alarm").values():
        [dimension] = alarm["Dimensions"]
        watched.add((alarm["MetricName"], aws.spell(dimension["Value"])))
        assert alarm["Threshold"] == 1
        assert [aws.spell(action) for action in alarm["AlarmActions"]] == ["AlarmsTopic"]
    functions = {
        (metric, f"{function}Function")
        for metric in ("Errors", "Throttles")
        for function in FUNCTIONS
    }
    queues = {
        ("ApproximateNumberOfMessagesVisible", f"{name}FailuresQueue.QueueName")
        for name in FAILURES
    }
    apis = {("5xx", f"{api}FrontApi") for api in ("Public", "Staff", "Console")}
    ours = {("ReputationBreach", "ses_feedback")} | {
        (metric, "case_worker") for metric in ("CasesOverdue", "CaseMailsStuck", "Case_warned")
    }
    receiving = {("PublishExpired", "optin")}
    assert watched == functions | queues | apis | ours | receiving
    for topic in aws.properties("AWS::SNS::Topic").values():
        assert aws.spell(topic["KmsMasterKeyId"]) == "KeysOperations"
    assert set(aws.of_type("AWS::SNS::Subscription")) == {"ReceivedMailSubscription"}


def test_outputs_have_the_names_others_use(aws: Assembly, local: Assembly) -> None:
    tables = {"Contacts", "Events", "Forms", "Throttle", "Campaigns", "Ledger", "Standings"}
    tables |= {"Cases", "Received"}
    expected = (
        {"PublicApiId", "PublicUrl", "StaffApiId", "StaffApiUrl", "ConsoleApiId", "ConsoleUrl"}
        | {"UserPoolId", "UserPoolClientId", "UserPoolDomain"}
        | {"CampaignQueueUrl", "CampaignFailuresUrl", "FeedbackFailuresUrl"}
        | {"StandingsFailuresUrl", "InboundQueueUrl", "InboundFailuresUrl"}
        | {"InboundBucketName", "ReceivedMailTopicArn", "CaseQueueUrl", "CaseFailuresUrl"}
        | {"ConfigurationSet", "MailEventsRule", "AlarmTopicArn"}
        | {f"{table}Table" for table in tables}
        | {f"{function}Function" for function in FUNCTIONS}
    )
    assert set(local.outputs()) == expected
    zone = {"DkimRecord1", "DkimRecord2", "DkimRecord3", "MxRecord"}
    assert set(aws.outputs()) == expected | zone
    assert aws.outputs()["MxRecord"] == (
        "mail.example.jp MX 10 inbound-smtp.ap-northeast-1.amazonaws.com"
    )
    assert local.outputs()["PublicUrl"] == "http://127.0.0.1:8080"
    assert aws.outputs()["PublicUrl"] == "PublicFrontApi.ApiEndpoint"


# ---- anywhere ----


def test_it_fits_any_account_and_region_by_context(synthesise: Synthesise) -> None:
    elsewhere = synthesise(
        account="111122223333",
        region="eu-central-1",
        mail_domain="news.example.org",
        alarm_email="ops@example.org",
        public_url="https://optin.example.org/",
        company='{"name":"別会社","name_en":"Other","address":"大阪","contact":"a@example.org"}',
        eligibility_profile="statute",
    )
    text = json.dumps(elsewhere.templates)
    assert "ap-northeast-1" not in text
    assert "arn:aws:ses:eu-central-1:111122223333" in text
    assert _environment(elsewhere, "CampaignSender")["PUBLIC_URL"] == "https://optin.example.org"
    assert _environment(elsewhere, "StaffApi")["COMPANY_NAME"] == "別会社"
    assert _environment(elsewhere, "StaffApi")["ELIGIBILITY_PROFILE"] == "statute"
    subscriptions = elsewhere.properties("AWS::SNS::Subscription").values()
    assert ("email", "ops@example.org") in [
        (subscription["Protocol"], subscription["Endpoint"]) for subscription in subscriptions
    ]


def test_the_stand_in_deploys_without_bootstrap_roles(local: Assembly) -> None:
    artifacts = json.loads((local.folder / "manifest.json").read_text())["artifacts"]
    for name in ("OptinData", "OptinIdentity", "OptinApp"):
        assert "assumeRoleArn" not in artifacts[name]["properties"]
