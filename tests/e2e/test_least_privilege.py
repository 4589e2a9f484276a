"""Each role may do exactly what its function does: take one action away and it is missed.

For each function one action is taken from its role on the stand-in. The call is really denied:
the caller is told so in plain words, nothing is half done, the log says what was denied; and
with the action given back, the same works.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from shared.adapters.jobs import Job
from tests.e2e.product import (
    TESTER,
    Product,
    acting_as,
    eventually,
    in_role,
    settings,
    unique,
    without,
)

pytestmark = pytest.mark.e2e


def denial_in_log(product: Product, function: str, since: float) -> None:
    """Its log says what went wrong."""
    eventually(
        lambda: next((li for li in product.log(function, since) if "AccessDenied" in li), None),
        f"a denial in the log of {function}",
    )


# ---- form_intake ----


def test_form_intake_without_a_right_to_append_stores_nothing(product: Product) -> None:
    form_id, address, since = product.new_form(), product.address("denied"), time.time()
    with without(product, "form_intake", "dynamodb:PutItem"):
        answer = product.site.post_json(f"/forms/{form_id}", {"email": address, "opt_in": True})
        answer.problem(503)
        assert product.staff("CS").contact(address) is None
    denial_in_log(product, "form_intake", since)
    product.submit(form_id, address, ticked=True)
    assert product.staff("CS").kinds(address) == ["opted_in"]


@pytest.mark.parametrize(
    "action", ["dynamodb:UpdateItem", "secretsmanager:GetSecretValue", "dynamodb:GetItem"]
)
def test_form_intake_without_any_other_right_stores_nothing(product: Product, action: str) -> None:
    form_id, address, since = product.new_form(), product.address("denied"), time.time()
    # A fresh process: neither the form nor the key is in its memory.
    with (
        settings(product, "form_intake", FRESH=unique("process")),
        without(product, "form_intake", action),
    ):
        answer = product.site.post_json(f"/forms/{form_id}", {"email": address, "opt_in": True})
        answer.problem(503)
        assert product.staff("CS").contact(address) is None
    denial_in_log(product, "form_intake", since)
    product.submit(form_id, address, ticked=True)


# ---- unsubscribe ----


@pytest.mark.parametrize("action", ["dynamodb:UpdateItem", "dynamodb:PutItem"])
def test_unsubscribe_without_a_right_to_write_says_that_it_failed(
    product: Product, action: str
) -> None:
    address, link = product.subscriber_with_link()
    since = time.time()
    with without(product, "unsubscribe", action):
        product.site.post_form(link, {"List-Unsubscribe": "One-Click"}).problem(503)
        page = product.site.post_form(link, {}, {"Accept": "text/html"})
        assert (page.status, page.type) == (503, "text/html")
        assert "ただいま処理できませんでした" in page.text
        assert product.staff("CS").kinds(address) == ["notified"]
    denial_in_log(product, "unsubscribe", since)
    assert product.site.post_form(link, {"List-Unsubscribe": "One-Click"}).status == 200
    assert not product.staff("CS").eligible(address)


# ---- staff_api ----


def test_staff_api_without_a_right_to_queue_sends_nothing_and_can_go_on(product: Product) -> None:
    staff, (audience, [address]), since = product.staff("CS"), product.readers(1), time.time()
    subject = unique("待ち行列")
    campaign_id = staff.approved_campaign(subject, audience=audience)
    with without(product, "staff_api", "sqs:SendMessage", "sqs:SendMessageBatch"):
        staff.post_json(f"/campaigns/{campaign_id}/send", {}).problem(503)
    denial_in_log(product, "staff_api", since)
    assert product.mails(address, subject) == []
    staff.act(campaign_id, "send")
    staff.done(campaign_id)
    product.mail(address, subject)


def test_staff_api_without_a_right_to_mail_has_tested_nothing(product: Product) -> None:
    staff, since = product.staff("CS"), time.time()
    campaign_id = staff.write_campaign(unique("テストできない"))
    with without(product, "staff_api", "ses:SendEmail"):
        staff.post_json(f"/campaigns/{campaign_id}/test", {"to": TESTER}).problem(503)
    denial_in_log(product, "staff_api", since)
    assert staff.show(campaign_id)["tested"] is False
    staff.try_out(campaign_id)
    assert staff.show(campaign_id)["tested"] is True


def test_staff_api_without_a_right_to_schedule_leaves_it_approved(product: Product) -> None:
    staff, since = product.staff("CS"), time.time()
    campaign_id = staff.approved_campaign(unique("予約できない"))
    tomorrow = {"at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    with without(product, "staff_api", "scheduler:CreateSchedule"):
        staff.post_json(f"/campaigns/{campaign_id}/schedule", tomorrow).problem(503)
    denial_in_log(product, "staff_api", since)
    assert staff.show(campaign_id)["status"] == "approved"
    assert staff.act(campaign_id, "schedule", **tomorrow)["status"] == "scheduled"
    since = time.time()
    with without(product, "staff_api", "scheduler:DeleteSchedule"):
        # What was asked for is done; the start that is left over starts nothing.
        assert staff.act(campaign_id, "cancel")["status"] == "cancelled"
    denial_in_log(product, "staff_api", since)


def test_staff_api_without_a_right_to_read_the_history_shows_nothing(product: Product) -> None:
    address, since = product.subscriber("denied"), time.time()
    with without(product, "staff_api", "dynamodb:Query"):
        told = product.staff("CS").post_json("/contacts/lookup", {"email": address})
        told.problem(503)
    denial_in_log(product, "staff_api", since)
    assert product.staff("CS").kinds(address) == ["notified"]


# ---- campaign_sender ----


def test_campaign_sender_without_a_right_to_send_holds_it_against_nobody(
    product: Product,
) -> None:
    """Nobody gets mail, nobody is struck off; given back, everybody gets one."""
    staff, (audience, [address]), since = product.staff("CS"), product.readers(1), time.time()
    subject = unique("送れない")
    campaign_id = staff.approved_campaign(subject, audience=audience)
    with without(product, "campaign_sender", "ses:SendBulkEmail"):
        staff.act(campaign_id, "send")
        denial_in_log(product, "campaign_sender", since)
        entries = eventually(
            lambda: [e for e in staff.held(address)["campaigns"] if e["outcome"] != "claimed"],
            "the denial in the ledger",
        )
        assert [e["outcome"] for e in entries] == ["retry"]
        assert product.mails(address) == []
        # It concerns everybody, so the campaign waits for a person.
        eventually(lambda: staff.show(campaign_id)["pause_reason"] == "account", "the pause")
    staff.act(campaign_id, "resume")
    staff.done(campaign_id)
    product.mail(address, subject)
    assert [e["outcome"] for e in staff.held(address)["campaigns"]] == ["sent"]


@pytest.mark.parametrize(
    "action",
    [
        "dynamodb:PutItem",  # a line in the ledger
        "dynamodb:ConditionCheckItem",  # on the permission as it was judged
        "dynamodb:UpdateItem",  # the account's pace
        "ses:GetAccount",  # its limits
    ],
)
def test_campaign_sender_without_a_right_to_claim_sends_nothing(
    product: Product, action: str
) -> None:
    staff, (audience, [address]), since = product.staff("CS"), product.readers(1), time.time()
    subject = unique("記録できない")
    campaign_id = staff.approved_campaign(subject, audience=audience)
    # A fresh process: it does not remember the limits.
    with (
        settings(product, "campaign_sender", FRESH=unique("process")),
        without(product, "campaign_sender", action),
    ):
        staff.act(campaign_id, "send")
        denial_in_log(product, "campaign_sender", since)
    assert product.mails(address, subject) == []
    # The failed jobs come back only after the queue's visibility timeout; sending again is quicker.
    staff.act(campaign_id, "send")
    staff.done(campaign_id)
    product.mail(address, subject)


# ---- ses_feedback ----


def test_ses_feedback_without_a_right_to_write_fails_and_is_tried_again(
    product: Product,
) -> None:
    """It must fail, not pass over it: what fails is retried and then kept in a queue."""
    tags = {"campaign": ["0" * 12], "contact": ["0" * 32], "batch": ["none.0"]}
    about = {
        "messageId": "m",
        "timestamp": "2026-11-24T00:00:00.000Z",
        "destination": ["nobody@example.jp"],
        "tags": {"ses:configuration-set": [product.output("ConfigurationSet")], **tags},
    }
    event = {"source": "aws.ses", "detail": {"eventType": "Delivery", "mail": about}}
    payload = json.dumps(event).encode()
    function, since = product.function("ses_feedback"), time.time()
    invoke = product.aws.functions.invoke
    with without(product, "ses_feedback", "dynamodb:UpdateItem"):
        assert "FunctionError" in invoke(FunctionName=function, Payload=payload)
    denial_in_log(product, "ses_feedback", since)
    assert "FunctionError" not in invoke(FunctionName=function, Payload=payload)


# ---- standings ----


def test_standings_without_a_right_to_write_are_brought_up_to_date_later(
    product: Product,
) -> None:
    """It fails, and the same changes come again: no count is lost."""
    staff, form_id, since = product.staff("CS"), product.new_form(), time.time()
    with without(product, "standings", "dynamodb:UpdateItem"):
        product.submit(form_id, product.address("denied"), ticked=True)
        denial_in_log(product, "standings", since)
    eventually(
        lambda: staff.dry_run({"form_ids": [form_id]})["not_eligible"] == 1, "the count after all"
    )


# ---- what no function may do, asked with its own rights ----

Call = Callable[[Product, boto3.Session], Any]


def _client(product: Product, session: boto3.Session, service: Any) -> Any:
    return session.client(service, endpoint_url=product.stack["aws"]["endpoint_url"])


def get(table: str, key: str) -> Call:
    names = {"contact_id": "0" * 32, "form_id": "none", "campaign_id": "0" * 12, "key": "none"}
    return lambda product, session: _client(product, session, "dynamodb").get_item(
        TableName=product.output(f"{table.title()}Table"), Key={key: {"S": names[key]}}
    )


def scan(table: str) -> Call:
    return lambda product, session: _client(product, session, "dynamodb").scan(
        TableName=product.output(f"{table.title()}Table")
    )


def delete(table: str) -> Call:
    return lambda product, session: _client(product, session, "dynamodb").delete_item(
        TableName=product.output(f"{table.title()}Table"), Key={"contact_id": {"S": "0" * 32}}
    )


def query(table: str, key: str = "contact_id", value: str = "0" * 32, index: str = "") -> Call:
    return lambda product, session: _client(product, session, "dynamodb").query(
        TableName=product.output(f"{table.title()}Table"),
        KeyConditionExpression="#k = :v",
        ExpressionAttributeNames={"#k": key},
        ExpressionAttributeValues={":v": {"S": value}},
        **({"IndexName": index} if index else {}),
    )


def mail(product: Product, session: boto3.Session) -> Any:
    return _client(product, session, "sesv2").send_email(
        FromEmailAddress=f"news@{product.stack['mail_domain']}",
        Destination={"ToAddresses": ["nobody@example.jp"]},
        Content={"Simple": {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}},
    )


def queue(product: Product, session: boto3.Session) -> Any:
    return _client(product, session, "sqs").send_message(
        QueueUrl=product.output("CampaignQueueUrl"), MessageBody="{}"
    )


def limits(product: Product, session: boto3.Session) -> Any:
    """Of SES's stand-in, which asks IAM as SES would."""
    url = product.variables("campaign_sender")["AWS_ENDPOINT_URL_SESV2"]
    return session.client("sesv2", endpoint_url=url).get_account()


def schedule(name: str) -> Call:
    return lambda product, session: _client(product, session, "scheduler").create_schedule(
        Name=name,
        ScheduleExpression="at(2099-01-01T00:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:sqs:ap-northeast-1:0:q", "RoleArn": "arn:aws:iam::0:role/r"},
    )


def secret(variable: str, of: str) -> Call:
    def read(product: Product, session: boto3.Session) -> Any:
        return _client(product, session, "secretsmanager").get_secret_value(
            SecretId=product.variables(of)[variable]
        )

    return read


contact_key = secret("CONTACT_KEY_SECRET", "form_intake")
link_keys = secret("LINK_KEYS_SECRET", "unsubscribe")

READ_EVERYBODY = {
    "scan contacts": scan("contacts"),
    "scan events": scan("events"),
    "read the mailing list": query("contacts", "list_shard", "00", "mailing_list"),
}
ALLOWED: Mapping[str, Mapping[str, Call]] = {
    "form_intake": {"read a form": get("forms", "form_id"), "contact key": contact_key},
    "unsubscribe": {"read a contact": get("contacts", "contact_id"), "link keys": link_keys},
    "staff_api": {
        "read a contact": get("contacts", "contact_id"),
        "a contact's history": query("events"),
        "list forms": scan("forms"),
        "read the mailing list": READ_EVERYBODY["read the mailing list"],  # dry runs judge it
        "contact key": contact_key,
        "link keys": link_keys,  # of tests of a campaign
        "counts and samples": query("standings", "place", "~counts", "by_place"),
    },
    "campaign_sender": {
        "the account's limits": limits,
        "the ledger": query("ledger", "campaign_id", "0" * 12),
        "read the mailing list": READ_EVERYBODY["read the mailing list"],
        "link keys": link_keys,
    },
}
DENIED: Mapping[str, Mapping[str, Call]] = {
    "form_intake": {
        **READ_EVERYBODY,
        "read a contact": get("contacts", "contact_id"),
        "a contact's history": query("events"),
        "list forms": scan("forms"),
        "link keys": link_keys,
        "send mail": mail,
        "start sending": queue,
    },
    "unsubscribe": {
        **READ_EVERYBODY,
        "a contact's history": query("events"),
        "contact key": contact_key,
        "send mail": mail,
        "start sending": queue,
    },
    "staff_api": {
        "scan contacts": scan("contacts"),
        "scan events": scan("events"),
        "delete a contact": delete("contacts"),
        "scan the ledger": scan("ledger"),
        "read a lone standing": get("standings", "contact_id"),
        "change a schedule of another": schedule("other"),
    },
    "campaign_sender": {
        "scan contacts": scan("contacts"),
        "scan events": scan("events"),
        "a contact's history": query("events"),
        "delete a contact": delete("contacts"),
        "contact key": contact_key,
        "scan the ledger": scan("ledger"),
        "read a standing": get("standings", "contact_id"),
        "send one mail": mail,
        "make a schedule": schedule("optin-e2e"),
    },
    "standings": {
        "scan contacts": scan("contacts"),
        "read a contact": get("contacts", "contact_id"),
        "a contact's history": query("events"),
        "read a campaign": get("campaigns", "campaign_id"),
        "contact key": contact_key,
        "link keys": link_keys,
        "send mail": mail,
        "start sending": queue,
        "make a schedule": schedule("optin-e2e"),
    },
    "ses_feedback": {
        **READ_EVERYBODY,
        "read a contact": get("contacts", "contact_id"),
        "delete a contact": delete("contacts"),
        "link keys": link_keys,
        "send mail": mail,
        "start sending": queue,
    },
    "console": {
        **READ_EVERYBODY,
        "read a contact": get("contacts", "contact_id"),
        "read a form": get("forms", "form_id"),
        "contact key": contact_key,
        "link keys": link_keys,
        "send mail": mail,
        "start sending": queue,
    },
}


def _is_refused(product: Product, session: boto3.Session, calls: Mapping[str, Call]) -> None:
    for what, call in calls.items():
        with pytest.raises(ClientError) as refused:
            call(product, session)
        code = refused.value.response["Error"]["Code"]
        assert code in {"AccessDenied", "AccessDeniedException"}, what


@pytest.mark.parametrize("function", DENIED)
def test_a_function_may_do_its_own_work_and_no_other(product: Product, function: str) -> None:
    with acting_as(product, function) as session:
        for call in ALLOWED.get(function, {}).values():
            call(product, session)
        _is_refused(product, session, DENIED[function])


def test_a_scheduled_start_may_queue_a_job_and_nothing_else(product: Product) -> None:
    """The stand-in's Scheduler asks nobody for its role's rights, so they are tried here.

    What it queues begins nothing by itself: a campaign that waits for no start is left alone.
    """
    staff, since = product.staff("CS"), time.time()
    draft = staff.write_campaign(unique("予約されていない"))
    role = product.variables("staff_api")["SCHEDULE_ROLE_ARN"].rpartition("/")[2]
    with in_role(product, role) as session:
        _client(product, session, "sqs").send_message(
            QueueUrl=product.output("CampaignQueueUrl"),
            MessageBody=json.dumps(asdict(Job(draft, ""))),
        )
        calls = DENIED["standings"]
        _is_refused(product, session, {w: c for w, c in calls.items() if c is not queue})
    eventually(
        lambda: any("not due" in line for line in product.log("campaign_sender", since)),
        "the start that came to nothing",
    )
    assert staff.show(draft)["status"] == "draft"
