"""Each role may do exactly what its function does: take one action away and it is missed.

For each function one action is taken from its role on the stand-in. The call is really denied:
the caller is told so in plain words, nothing is half done, the log says what was denied; and
with the action given back, the same works.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from shared.adapters.jobs import CaseJob, Job
from tests.e2e.product import (
    BROWSER,
    TESTER,
    Json,
    Product,
    acting_as,
    by_hand,
    eventually,
    hand,
    impatient,
    in_role,
    settings,
    taken_off,
    unique,
    without,
)
from tests.e2e.test_requests_by_mail import (
    change,
    link_in,
    press,
    request_of,
    requests_of,
    steps,
)
from tests.e2e.writing import answer, letter, post, write

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


# ---- mail_intake ----


def received(product: Product, words: str) -> list[str]:
    """What became of the mails with these words: the outcome in each one's line."""
    keys = {name for name, raw in raw_mails(product) if words.encode() in raw}
    pages = product.aws.dynamodb.get_paginator("scan").paginate(
        TableName=product.output("ReceivedTable")
    )
    return [
        line.get("outcome", {"S": ""})["S"]
        for page in pages
        for line in page["Items"]
        if keys & set(line.get("object_keys", {"SS": []})["SS"])
    ]


def raw_mails(product: Product) -> Iterator[tuple[str, bytes]]:
    """Every object of the bucket that mail comes into."""
    bucket, s3 = product.output("InboundBucketName"), product.aws.s3
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for each in page.get("Contents", []):
            found = s3.get_object(Bucket=bucket, Key=each["Key"])
            yield each["Key"], found["Body"].read()


def test_mail_intake_without_any_of_its_rights_has_not_taken_the_mail_in(
    product: Product,
) -> None:
    """The same mail again and again, another right missing each time: nothing is done twice."""
    staff, person = product.staff("IT"), product.subscriber("denied")
    words = product.note(unique("Please delete all my personal data."))
    with (
        by_hand(product, "mail_intake"),
        # A fresh process: no key is in its memory.
        settings(product, "mail_intake", FRESH=unique("process")),
    ):
        write(product, person, "optin", words)
        body = taken_off(product, "InboundQueueUrl")
        for action in (
            "secretsmanager:GetSecretValue",
            "s3:GetObject",
            "dynamodb:UpdateItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
        ):
            since = time.time()
            with without(product, "mail_intake", action):
                assert not hand(product, "mail_intake", body), action
            denial_in_log(product, "mail_intake", since)
            assert "held" not in staff.kinds(person), action
            assert requests_of(staff, person) == [], action
        since = time.time()
        with without(product, "mail_intake", "sqs:SendMessage", "sqs:SendMessageBatch"):
            assert not hand(product, "mail_intake", body)  # so the worker will be told
        denial_in_log(product, "mail_intake", since)
        assert received(product, words) == [""]
        assert hand(product, "mail_intake", body)
        assert hand(product, "mail_intake", body)
    assert received(product, words) == ["case"]
    request = request_of(staff, person, "erasure", "identity_asked")
    assert [request["case_id"]] == [each["case_id"] for each in requests_of(staff, person)]
    assert steps(request).count("opened") == 1
    assert [words in mail["words"] for mail in request["mails"]] == [True]
    assert staff.kinds(person) == ["notified", "held"]
    assert len(product.mails(person)) == 1


def test_mail_that_was_denied_comes_again_by_itself(product: Product) -> None:
    staff, person, since = product.staff("CS"), product.subscriber("denied"), time.time()
    with impatient(product, "InboundQueueUrl"):
        with without(product, "mail_intake", "dynamodb:PutItem"):
            write(product, person, "reply", "配信停止してください。")
            denial_in_log(product, "mail_intake", since)
            assert staff.eligible(person)
        eventually(lambda: "unsubscribed" in staff.kinds(person), "the stop after all")
    assert staff.kinds(person).count("unsubscribed") == 1


def test_mail_intake_without_a_right_to_the_history_counts_a_bounce_once(
    product: Product,
) -> None:
    """Whether several soft bounces hold an address is asked after the fact is noted."""
    staff, (person, link) = product.staff("CS"), product.subscriber_with_link()
    to = f"reply@{product.stack['mail_domain']}"
    report = (
        f"From: MAILER-DAEMON@mx.example.jp\r\nTo: {to}\r\nSubject: Undelivered\r\n"
        'Content-Type: multipart/report; boundary="b"; report-type=delivery-status\r\n\r\n'
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        f"Final-Recipient: rfc822; {person}\r\nAction: failed\r\nStatus: 4.2.2\r\n\r\n"
        "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"List-Unsubscribe: <{product.stack['public_url']}{link}>\r\n\r\n--b--\r\n"
    )
    product.note(link.rpartition("/")[2])
    since = time.time()
    with by_hand(product, "mail_intake"):
        post(product, report.encode(), envelope_from="", to=[to])
        body = taken_off(product, "InboundQueueUrl")
        with without(product, "mail_intake", "dynamodb:Query"):
            assert not hand(product, "mail_intake", body)
        denial_in_log(product, "mail_intake", since)
        assert hand(product, "mail_intake", body)
    assert staff.kinds(person) == ["notified", "soft_bounced"]
    assert staff.eligible(person)


# ---- case_worker ----


def test_case_worker_without_its_rights_mails_and_erases_nothing_by_halves(
    product: Product,
) -> None:
    """Only what is wholly erased is certified, and mail that comes once more is deleted."""
    staff, (person, link) = product.staff("IT"), product.subscriber_with_link()
    token = product.note(link.rpartition("/")[2])
    words = product.note(unique("私の個人情報をすべて削除してください。"))
    message = letter(product, person, "optin", words)
    # A mail that concerns them beside their own.
    other = letter(product, product.address("other"), f"stop+{token}", " ", subject="unsubscribe")
    before = len(product.mails(person))
    with (
        by_hand(product, "case_worker"),
        settings(product, "case_worker", FRESH=unique("process")),
    ):
        post(product, other, envelope_from="program@elsewhere.example.com")
        post(product, message, envelope_from=person)
        request = request_of(staff, person, "erasure", "received")
        job = CaseJob(request["case_id"]).body

        def denied(*actions: str) -> None:
            since = time.time()
            with without(product, "case_worker", *actions):
                assert not hand(product, "case_worker", job), actions
            denial_in_log(product, "case_worker", since)

        def now() -> Json:
            found: Json = staff.get(f"/requests/{request['case_id']}").json()
            return found

        for action in (
            "secretsmanager:GetSecretValue",
            "dynamodb:GetItem",
            "dynamodb:PutItem",  # the day's one answer
        ):
            denied(action)
        since = time.time()
        # What SES does not take is put off, and where that cannot be noted the job comes again.
        with without(product, "case_worker", "ses:SendEmail"):
            assert hand(product, "case_worker", job)
            with without(product, "case_worker", "sqs:SendMessage", "sqs:SendMessageBatch"):
                assert not hand(product, "case_worker", job)
        denial_in_log(product, "case_worker", since)
        assert now() == request
        assert len(product.mails(person)) == before
        assert hand(product, "case_worker", job)
        press(product, answer(product, person, "ご本人確認のお願い"))
        change(staff, request, "approve")

        approved = now()
        for action in ("dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:UpdateItem"):
            denied(action)
            assert staff.held(person)["address"] == person, action
        denied("s3:DeleteObject")
        assert len(product.mails(person)) == before + 1
        assert [name for name, raw in raw_mails(product) if words.encode() in raw] != []
        # Of what says that this request is open: when it is closed, after the certificate.
        denied("dynamodb:DeleteItem")
        assert now()["version"] == approved["version"]
        assert hand(product, "case_worker", job)
        assert now()["state"] == "done"
        with without(product, "case_worker", "dynamodb:Query"):
            assert not hand(product, "case_worker", CaseJob(sweep=True).body)
        assert hand(product, "case_worker", CaseJob(sweep=True).body)
    answer(product, person, "削除")
    assert staff.held(person)["address"] == ""
    assert [name for name, raw in raw_mails(product) if words.encode() in raw] == []

    with by_hand(product, "mail_intake"):
        post(product, message, envelope_from=person)
        body = taken_off(product, "InboundQueueUrl")
        with without(product, "mail_intake", "s3:DeleteObject"):
            assert not hand(product, "mail_intake", body)
        assert hand(product, "mail_intake", body)
        assert [name for name, raw in raw_mails(product) if words.encode() in raw] == []
        assert hand(product, "mail_intake", body)


# ---- case_link ----


def asked(product: Product, person: str, kind: str) -> tuple[str, str]:
    """A request on the phone: its path, and that of the link which was mailed for it."""
    content = {"kind": kind, "email": person, "words": product.note(unique("お電話"))}
    opened = product.staff("IT").post_json("/requests", content)
    assert opened.status == 200, opened.text
    link = link_in(product, answer(product, person, "ご本人確認のお願い"))
    product.note(link.rpartition("/")[2])
    return f"/requests/{opened.json()['case_id']}", link


def test_case_link_without_a_right_confirms_nothing_and_says_so(product: Product) -> None:
    person, staff = product.subscriber("denied"), product.staff("IT")
    path, link = asked(product, person, "erasure")
    request = staff.get(path).json()
    # A fresh process: the keys are not in its memory.
    with settings(product, "case_link", FRESH=unique("process")):
        for action in (
            "secretsmanager:GetSecretValue",
            "dynamodb:GetItem",
            "dynamodb:UpdateItem",
            "dynamodb:PutItem",
        ):
            since = time.time()
            with without(product, "case_link", action):
                page = product.site.post_form(link, {}, BROWSER)
                assert (page.status, page.type) == (503, "text/html"), action
                assert "ただいま処理できませんでした" in page.text
                product.site.post_form(link, {}).problem(503)
            denial_in_log(product, "case_link", since)
            assert staff.get(path).json() == request, action
            assert staff.kinds(person) == ["notified", "held"], action
        since = time.time()
        # What the worker cannot be told now, it finds.
        with without(product, "case_link", "sqs:SendMessage", "sqs:SendMessageBatch"):
            assert product.site.post_form(link, {}, BROWSER).status == 200
        denial_in_log(product, "case_link", since)
    assert staff.get(path).json()["state"] == "verified"
    assert staff.kinds(person) == ["notified", "held", "unsubscribed"]


def test_case_link_without_a_right_keeps_the_file_for_later(product: Product) -> None:
    (person, _), staff = product.subscriber_with_link(), product.staff("IT")
    path, link = asked(product, person, "disclosure")
    assert product.site.post_form(link, {}, BROWSER).status == 200
    link = link_in(product, answer(product, person, "ファイル"))
    product.note(link.rpartition("/")[2])
    request = staff.get(path).json()
    for action in (
        "dynamodb:Query",
        "dynamodb:Scan",
        "dynamodb:BatchGetItem",
        "dynamodb:DeleteItem",
    ):
        since = time.time()
        with without(product, "case_link", action):
            refused = product.site.post_form(link, {}, BROWSER)
            assert refused.status == 503, action
            assert person not in refused.text
        denial_in_log(product, "case_link", since)
        assert staff.get(path).json() == request, action
    file = product.site.post_form(link, {}, BROWSER)
    assert file.status == 200
    assert person in file.text
    assert staff.get(path).json()["state"] == "done"


# ---- what no function may do, asked with its own rights ----

Call = Callable[[Product, boto3.Session], Any]


def _client(product: Product, session: boto3.Session, service: Any) -> Any:
    return session.client(service, endpoint_url=product.stack["aws"]["endpoint_url"])


_NONE: Mapping[str, Mapping[str, str]] = {
    "contacts": {"contact_id": "0" * 32},
    "standings": {"contact_id": "0" * 32},
    "forms": {"form_id": "none"},
    "campaigns": {"campaign_id": "0" * 12},
    "cases": {"case_id": "0" * 32, "item": "case"},
    "received": {"mail_id": "none"},
}
"""A key of each table that nothing has."""


def _none(table: str) -> dict[str, Any]:
    return {name: {"S": value} for name, value in _NONE[table].items()}


def get(table: str) -> Call:
    return lambda product, session: _client(product, session, "dynamodb").get_item(
        TableName=product.output(f"{table.title()}Table"), Key=_none(table)
    )


def scan(table: str) -> Call:
    return lambda product, session: _client(product, session, "dynamodb").scan(
        TableName=product.output(f"{table.title()}Table")
    )


def delete(table: str) -> Call:
    return lambda product, session: _client(product, session, "dynamodb").delete_item(
        TableName=product.output(f"{table.title()}Table"), Key=_none(table)
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


def raw_mail(method: str, **more: str) -> Call:
    """Something with the bucket that mail comes into."""
    return lambda product, session: getattr(_client(product, session, "s3"), method)(
        Bucket=product.output("InboundBucketName"), **more
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
READ_ALL_REQUESTS = {
    "scan requests": scan("cases"),
    "read the closed requests": query("cases", "closed", "1", "closed"),
    "read what came in": scan("received"),
    "read what nobody answered": query("received", "filtered", "1", "filtered"),
}
READ_RAW_MAIL = {
    "read raw mail": raw_mail("get_object", Key="none"),
    "list raw mail": raw_mail("list_objects_v2"),
}
ALLOWED: Mapping[str, Mapping[str, Call]] = {
    "form_intake": {"read a form": get("forms"), "contact key": contact_key},
    "unsubscribe": {"read a contact": get("contacts"), "link keys": link_keys},
    "staff_api": {
        "read a contact": get("contacts"),
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
    "mail_intake": {
        "read a contact": get("contacts"),
        "a contact's history": query("events"),
        "read a request": get("cases"),
        "read a mail's line": get("received"),
        "contact key": contact_key,
        "link keys": link_keys,
    },
    "case_worker": {
        "read a contact": get("contacts"),
        "a contact's history": query("events"),
        "a contact's requests": query("cases", index="by_contact"),
        "the open requests": query("cases", "queue", "IT", "queue"),
        "a contact's mails": query("received", index="by_contact"),
        "contact key": contact_key,
        "link keys": link_keys,
    },
    "case_link": {
        "read a contact": get("contacts"),
        "a contact's history": query("events"),
        "a contact's requests": query("cases", index="by_contact"),
        "a contact's mails": query("received", index="by_contact"),
        "list campaigns": scan("campaigns"),
        "link keys": link_keys,
    },
}
DENIED: Mapping[str, Mapping[str, Call]] = {
    "form_intake": {
        **READ_EVERYBODY,
        "read a contact": get("contacts"),
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
        "read a lone standing": get("standings"),
        "change a schedule of another": schedule("other"),
    },
    "campaign_sender": {
        "scan contacts": scan("contacts"),
        "scan events": scan("events"),
        "a contact's history": query("events"),
        "delete a contact": delete("contacts"),
        "contact key": contact_key,
        "scan the ledger": scan("ledger"),
        "read a standing": get("standings"),
        "send one mail": mail,
        "make a schedule": schedule("optin-e2e"),
    },
    "standings": {
        "scan contacts": scan("contacts"),
        "read a contact": get("contacts"),
        "a contact's history": query("events"),
        "read a campaign": get("campaigns"),
        "contact key": contact_key,
        "link keys": link_keys,
        "send mail": mail,
        "start sending": queue,
        "make a schedule": schedule("optin-e2e"),
    },
    "ses_feedback": {
        **READ_EVERYBODY,
        "read a contact": get("contacts"),
        "delete a contact": delete("contacts"),
        "link keys": link_keys,
        "send mail": mail,
        "start sending": queue,
    },
    "mail_intake": {
        **READ_EVERYBODY,
        **READ_ALL_REQUESTS,
        "a contact's requests": query("cases", index="by_contact"),
        "delete a contact": delete("contacts"),
        "delete a request": delete("cases"),
        "delete a mail's line": delete("received"),
        "list forms": scan("forms"),
        "read a campaign": get("campaigns"),
        "list campaigns": scan("campaigns"),
        "the ledger": query("ledger", "campaign_id", "0" * 12),
        "send mail": mail,
        "start sending": queue,
        "make a schedule": schedule("optin-e2e"),
    },
    "case_worker": {
        **READ_EVERYBODY,
        **READ_ALL_REQUESTS,
        **READ_RAW_MAIL,
        "delete a contact": delete("contacts"),
        "delete a mail's line": delete("received"),
        "list forms": scan("forms"),
        "read a campaign": get("campaigns"),
        "list campaigns": scan("campaigns"),
        "the ledger": query("ledger", "campaign_id", "0" * 12),
        "start sending": queue,
        "make a schedule": schedule("optin-e2e"),
    },
    "case_link": {
        **READ_EVERYBODY,
        **READ_ALL_REQUESTS,
        **READ_RAW_MAIL,
        "delete raw mail": raw_mail("delete_object", Key="none"),
        "the open requests": query("cases", "queue", "IT", "queue"),
        "delete a contact": delete("contacts"),
        "list forms": scan("forms"),
        "scan the ledger": scan("ledger"),
        "contact key": contact_key,
        "send mail": mail,
        "start sending": queue,
        "make a schedule": schedule("optin-e2e"),
    },
    "console": {
        **READ_EVERYBODY,
        **READ_ALL_REQUESTS,
        **READ_RAW_MAIL,
        "read a contact": get("contacts"),
        "read a form": get("forms"),
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
