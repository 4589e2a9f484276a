"""The way a mail comes in: mail server, bucket, topic, queue; and where it ends if nobody can
take it in. What the product makes of a mail is told in other files.
"""

from __future__ import annotations

import json
import smtplib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.product import Json, Product, acting_as, eventually, impatient, unique
from tests.e2e.writing import letter, post

pytestmark = pytest.mark.e2e


def stored(product: Product, words: str) -> Json | None:
    """The object with a mail that has these words, and its content."""
    bucket = product.output("InboundBucketName")
    for page in product.aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for each in page.get("Contents", []):
            found = product.aws.s3.get_object(Bucket=bucket, Key=each["Key"])
            raw = found["Body"].read()
            if words.encode() in raw:
                return {**found, "key": each["Key"], "raw": raw}
    return None


def test_a_mail_is_stored_encrypted_with_what_ses_says_of_it(product: Product) -> None:
    sender, words = product.address("letter"), product.note(unique("hello"))
    mail = letter(product, sender, "optin", words, headers=[("X-SES-Spam-Verdict", "FAIL")])
    post(product, mail, envelope_from=sender)
    found = stored(product, words)
    assert found is not None
    assert found["ServerSideEncryption"] == "aws:kms"
    head = found["raw"].decode().partition("From:")[0]
    assert f"Return-Path: <{sender}>" in head
    assert "X-SES-Spam-Verdict: FAIL" in head
    assert "dmarc=pass" in head


def test_a_mail_is_taken_in_and_off_the_queue(product: Product) -> None:
    sender, words = product.address("letter"), product.note(unique("hello"))
    post(product, letter(product, sender, "optin", words), envelope_from=sender)
    found = stored(product, words)
    assert found is not None

    def noted() -> Any:
        pages = product.aws.dynamodb.get_paginator("scan").paginate(
            TableName=product.output("ReceivedTable")
        )
        lines = [line for page in pages for line in page["Items"]]
        return [
            line
            for line in lines
            if found["key"] in line.get("object_keys", {"SS": ()})["SS"] and "outcome" in line
        ]

    assert len(eventually(noted, "the mail's line")) == 1


def test_mail_to_nobody_is_refused_at_the_door(product: Product) -> None:
    sender, words = product.address("letter"), product.note(unique("hello"))
    mail = letter(product, sender, "sales", words)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        post(product, mail, envelope_from=sender)
    assert stored(product, words) is None


def test_what_nobody_can_take_in_is_kept_with_the_failures(product: Product) -> None:
    poison = unique("poison")
    failures = product.output("InboundFailuresUrl")

    def look() -> Any:
        found = product.aws.sqs.receive_message(
            QueueUrl=failures, VisibilityTimeout=0, MaxNumberOfMessages=10
        )
        for message in found.get("Messages", []):
            if json.loads(message["Body"])["Message"] == poison:
                return message
        return None

    with impatient(product, "InboundQueueUrl"):
        product.aws.sns.publish(TopicArn=product.output("ReceivedMailTopicArn"), Message=poison)
        message = eventually(look, "the poisoned message")
    product.aws.sqs.delete_message(QueueUrl=failures, ReceiptHandle=message["ReceiptHandle"])


@pytest.mark.parametrize(
    "function", ["mail_intake", "case_worker", "case_link", "staff_api", "form_intake"]
)
def test_no_function_may_bring_mail(product: Product, function: str) -> None:
    """The receipt vouches for the sender: whoever could write one could speak for anybody."""
    endpoint = product.stack["aws"]["endpoint_url"]
    with acting_as(product, function) as session:
        with pytest.raises(ClientError, match="AccessDenied"):
            session.client("s3", endpoint_url=endpoint).put_object(
                Bucket=product.output("InboundBucketName"), Key="forged", Body=b""
            )
        with pytest.raises(ClientError, match="AuthorizationError"):
            session.client("sns", endpoint_url=endpoint).publish(
                TopicArn=product.output("ReceivedMailTopicArn"), Message="{}"
            )
        with pytest.raises(ClientError, match="AccessDenied"):
            session.client("sqs", endpoint_url=endpoint).send_message(
                QueueUrl=product.output("InboundQueueUrl"), MessageBody="{}"
            )


def test_raw_mail_is_read_where_it_is_taken_in_and_deleted_where_it_is_erased(
    product: Product,
) -> None:
    sender, words = product.address("letter"), product.note(unique("hello"))
    post(product, letter(product, sender, "reply", words), envelope_from=sender)
    found = stored(product, words)
    assert found is not None
    where = {"Bucket": product.output("InboundBucketName"), "Key": found["key"]}
    endpoint = product.stack["aws"]["endpoint_url"]
    with acting_as(product, "mail_intake") as session:
        reader = session.client("s3", endpoint_url=endpoint)
        assert reader.get_object(**where)["Body"].read() == found["raw"]
    with acting_as(product, "case_worker") as session:
        eraser = session.client("s3", endpoint_url=endpoint)
        with pytest.raises(ClientError, match="AccessDenied"):
            eraser.get_object(**where)
        eraser.delete_objects(
            Bucket=where["Bucket"], Delete={"Objects": [{"Key": found["key"]}], "Quiet": True}
        )
    assert stored(product, words) is None


def test_raw_mail_expires(product: Product) -> None:
    """The stand-in's deployment forgets it; it is set afterwards."""
    rules = product.aws.s3.get_bucket_lifecycle_configuration(
        Bucket=product.output("InboundBucketName")
    )["Rules"]
    assert [(rule["Status"], rule["Expiration"]["Days"]) for rule in rules] == [("Enabled", 30)]
