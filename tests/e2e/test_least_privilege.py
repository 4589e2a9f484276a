"""Each role may do exactly what its function does: take one action away and it is missed.

For each function one action is taken from its role on the stand-in. The call is really denied:
the caller is told so in plain words, nothing is half done, the log says what was denied; and
with the action given back, the same works.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.e2e.product import (
    Product,
    acting_as,
    eventually,
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
    staff, address, since = product.staff("CS"), product.subscriber("denied"), time.time()
    subject = unique("待ち行列")
    campaign_id = staff.approved_campaign(subject)
    with without(product, "staff_api", "sqs:SendMessage", "sqs:SendMessageBatch"):
        staff.post_json(f"/campaigns/{campaign_id}/send", {}).problem(503)
    denial_in_log(product, "staff_api", since)
    assert product.mails(address, subject) == []
    assert staff.post_json(f"/campaigns/{campaign_id}/send", {}).status == 200
    staff.done(campaign_id)
    product.mail(address, subject)


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
    staff, address, since = product.staff("CS"), product.subscriber("denied"), time.time()
    subject = unique("送れない")
    campaign_id = staff.approved_campaign(subject)
    with without(product, "campaign_sender", "ses:SendBulkEmail"):
        assert staff.post_json(f"/campaigns/{campaign_id}/send", {}).status == 200
        denial_in_log(product, "campaign_sender", since)
        entries = eventually(
            lambda: [e for e in staff.held(address)["campaigns"] if e["outcome"] != "claimed"],
            "the denial in the ledger",
        )
        assert [e["outcome"] for e in entries] == ["retry"]
        assert product.mails(address) == []
    # It concerns everybody, so the campaign waits for a person.
    assert staff.post_json(f"/campaigns/{campaign_id}/resume", {}).status == 200
    staff.done(campaign_id)
    product.mail(address, subject)
    assert [e["outcome"] for e in staff.held(address)["campaigns"]] == ["sent"]


def test_campaign_sender_without_a_right_to_claim_sends_nothing(product: Product) -> None:
    staff, address, since = product.staff("CS"), product.subscriber("denied"), time.time()
    subject = unique("記録できない")
    campaign_id = staff.approved_campaign(subject)
    with without(product, "campaign_sender", "dynamodb:PutItem"):
        assert staff.post_json(f"/campaigns/{campaign_id}/send", {}).status == 200
        denial_in_log(product, "campaign_sender", since)
    assert product.mails(address, subject) == []
    # The failed jobs come back only after the queue's visibility timeout; sending again is quicker.
    assert staff.post_json(f"/campaigns/{campaign_id}/send", {}).status == 200
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


def secret(variable: str, of: str) -> Call:
    def read(product: Product, session: boto3.Session) -> Any:
        config = product.aws.functions.get_function_configuration(FunctionName=product.function(of))
        return _client(product, session, "secretsmanager").get_secret_value(
            SecretId=config["Environment"]["Variables"][variable]
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
        "contact key": contact_key,
        "link keys": link_keys,  # of tests of a campaign
    },
    "campaign_sender": {
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
        **READ_EVERYBODY,
        "delete a contact": delete("contacts"),
    },
    "campaign_sender": {
        "scan contacts": scan("contacts"),
        "scan events": scan("events"),
        "a contact's history": query("events"),
        "delete a contact": delete("contacts"),
        "contact key": contact_key,
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


@pytest.mark.parametrize("function", DENIED)
def test_a_function_may_do_its_own_work_and_no_other(product: Product, function: str) -> None:
    with acting_as(product, function) as session:
        for call in ALLOWED.get(function, {}).values():
            call(product, session)
        for what, call in DENIED[function].items():
            with pytest.raises(ClientError) as refused:
                call(product, session)
            code = refused.value.response["Error"]["Code"]
            assert code in {"AccessDenied", "AccessDeniedException"}, what
