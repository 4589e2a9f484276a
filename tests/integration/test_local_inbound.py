"""Mail to the product: judged, stamped, stored and told of as SES does it."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime
from email import message_from_bytes
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.mailbox.inbound import Inbound
from local.mailbox.receipt import EICAR, GTUBE, Receipt, judge, notification, stamped

DOMAIN = "mail.example.jp"
TARO = "taro@example.jp"


def mail(*headers: str, body: bytes = b"stop\r\n", sender: str = TARO) -> bytes:
    lines = [f"From: Taro <{sender}>", f"To: optin@{DOMAIN}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


# ---- verdicts ----


@pytest.mark.parametrize(
    ("envelope", "verdict"),
    [
        (TARO, "PASS"),
        ("Taro@EXAMPLE.jp", "PASS"),
        ("bounce@news.example.jp", "PASS"),
        ("attacker@example.com", "FAIL"),
        ("attacker@notexample.jp", "FAIL"),
        ("attacker@jp", "FAIL"),
        ("attacker", "FAIL"),
        ("", "GRAY"),
    ],
)
def test_an_honest_mail_comes_from_where_it_says(envelope: str, verdict: str) -> None:
    found = judge(mail(), envelope)
    assert (found.dmarc, found.spf) == (verdict, verdict)
    assert (found.spam, found.virus, found.dkim) == ("PASS", "PASS", "GRAY")


def test_a_sender_above_the_envelope_is_of_one_organisation() -> None:
    assert judge(mail(sender="taro@office.example.jp"), TARO).dmarc == "PASS"


@pytest.mark.parametrize(
    "raw",
    [
        b"To: optin@mail.example.jp\r\n\r\nstop",
        b"From: a@example.jp, b@example.jp\r\n\r\nstop",
        b"From: a@example.jp\r\nFrom: b@example.jp\r\n\r\nstop",
        b"From: \xff\x1b$B\r\n\r\nstop",
        b"",
    ],
)
def test_nobody_vouches_for_no_one_sender(raw: bytes) -> None:
    assert judge(raw, TARO).dmarc == "FAIL"


def test_scanners_know_their_test_strings() -> None:
    assert judge(mail(body=GTUBE), TARO).spam == "FAIL"
    assert judge(mail(body=b"attached: " + EICAR), TARO).virus == "FAIL"
    attached = base64.encodebytes(EICAR).replace(b"\n", b"\r\n")
    assert judge(mail(body=attached), TARO).virus == "FAIL"


@pytest.mark.parametrize(
    ("header", "field", "verdict"),
    [
        ("Authentication-Results: mx; dmarc=fail", "dmarc", "FAIL"),
        ("Authentication-Results: mx; spf=pass; dmarc=none", "dmarc", "GRAY"),
        ("Authentication-Results: mx;\r\n spf=softfail", "spf", "FAIL"),
        ("Authentication-Results: mx; dkim=permerror", "dkim", "FAIL"),
        ("X-SES-Spam-Verdict: FAIL", "spam", "FAIL"),
        ("X-SES-Spam-Verdict: GRAY", "spam", "GRAY"),
        ("X-SES-Virus-Verdict: FAIL", "virus", "FAIL"),
        ("X-SES-Virus-Verdict: nonsense", "virus", "PASS"),
    ],
)
def test_a_header_of_the_mail_can_make_a_verdict_worse(
    header: str, field: str, verdict: str
) -> None:
    assert getattr(judge(mail(header), TARO), field) == verdict


def test_a_header_of_the_mail_cannot_make_a_verdict_better() -> None:
    praise = "Authentication-Results: mx; spf=pass; dkim=pass; dmarc=pass"
    spotless = ("X-SES-Spam-Verdict: PASS", "X-SES-Virus-Verdict: PASS")
    found = judge(mail(praise, *spotless, body=GTUBE + EICAR), "attacker@example.com")
    assert (found.spam, found.virus, found.spf, found.dmarc) == ("FAIL",) * 4
    assert found.dkim == "GRAY"
    # What stands in the text is no header.
    assert judge(mail(body=b"\r\nX-SES-Spam-Verdict: FAIL\r\n"), TARO).spam == "PASS"


# ---- what is stored and told ----


def receipt(raw: bytes, sender: str = TARO, *to: str) -> Receipt:
    at = datetime(2026, 11, 24, 1, 2, 3, 456_000, tzinfo=UTC)
    return Receipt("abc123", at, sender, to or (f"optin@{DOMAIN}",), judge(raw, sender))


def test_ses_headers_come_first_and_the_mail_is_whole_behind_them() -> None:
    raw = mail("X-SES-Spam-Verdict: GRAY")
    stored = stamped(raw, receipt(raw))
    assert stored.endswith(raw)
    read = message_from_bytes(stored)
    assert read.get_all("X-SES-Spam-Verdict") == ["GRAY", "GRAY"]
    assert read["Return-Path"] == f"<{TARO}>"
    assert "inbound-smtp.ap-northeast-1.amazonaws.com with SMTP id abc123" in read["Received"]
    assert "dmarc=pass header.from=example.jp" in read["Authentication-Results"]
    assert read["From"] == f"Taro <{TARO}>"
    bounce = stamped(raw, receipt(raw, ""))
    assert message_from_bytes(bounce)["Return-Path"] == "<>"


def test_the_notification_names_the_object_the_envelope_and_the_verdicts() -> None:
    raw = mail("Subject: =?utf-8?b?6YWN5L+h5YGc5q2i?=", "Message-ID: <1@example.jp>")
    to = (f"reply@{DOMAIN}", f"stop+token@{DOMAIN}")
    told = notification(
        raw, receipt(raw, "attacker@example.com", *to), bucket="b", key="k", topic="t"
    )
    assert told["notificationType"] == "Received"
    assert told["mail"]["source"] == "attacker@example.com"
    assert told["mail"]["messageId"] == "abc123"
    assert told["mail"]["timestamp"] == "2026-11-24T01:02:03.456Z"
    assert told["receipt"]["recipients"] == list(to)
    assert told["receipt"]["dmarcVerdict"] == {"status": "FAIL"}
    assert told["receipt"]["dmarcPolicy"] == "none"
    assert told["receipt"]["virusVerdict"] == {"status": "PASS"}
    assert told["receipt"]["action"] | {"objectKeyPrefix": ""} == {
        "type": "S3",
        "topicArn": "t",
        "bucketName": "b",
        "objectKeyPrefix": "",
        "objectKey": "k",
    }
    assert told["mail"]["commonHeaders"]["messageId"] == "<1@example.jp>"
    assert not told["mail"]["headersTruncated"]


def test_huge_and_broken_headers_are_told_of_in_part() -> None:
    raw = mail(*(f"X-Long-{n}: {'a' * 900}" for n in range(20))) + b"\xff"
    told = notification(raw, receipt(raw), bucket="b", key="k", topic="t")
    assert told["mail"]["headersTruncated"]
    assert len(json.dumps(told)) < 20_000
    raw = b"Subject: \xff\x1b$B\xfe\r\nX: \x00\r\n\r\n"
    json.dumps(notification(raw, receipt(raw), bucket="b", key="k", topic="t")).encode()


# ---- delivery ----


class Emulator:
    """The two clients that deliveries use."""

    def __init__(self, *, fails: str = "") -> None:
        self.s3 = self.sns = self
        self.objects: dict[str, bytes] = {}
        self.published: list[dict[str, Any]] = []
        self._fails = fails

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        self._may("PutObject")
        assert Bucket == "bucket"
        self.objects[Key] = Body

    def publish(self, *, TopicArn: str, Subject: str, Message: str) -> None:  # noqa: N803
        self._may("Publish")
        assert (TopicArn, Subject) == ("topic", "Amazon SES Email Receipt Notification")
        self.published.append(json.loads(Message))

    def _may(self, operation: str) -> None:
        if operation == self._fails:
            raise ClientError({"Error": {"Code": "500", "Message": "down"}}, operation)


def inbound(emulator: Emulator) -> Inbound:
    made = Inbound(emulator, DOMAIN)  # type: ignore[arg-type]
    made.open_to(bucket="bucket", topic="topic")
    return made


@pytest.mark.parametrize(
    ("address", "accepted"),
    [
        (f"optin@{DOMAIN}", True),
        (f"OPTIN@{DOMAIN.upper()}", True),
        (f"reply+x@{DOMAIN}", True),
        (f"stop+k1.AbC_d-e@{DOMAIN}", True),
        (f"stop+@{DOMAIN}", True),
        (f"sales@{DOMAIN}", False),
        (f"stopp@{DOMAIN}", False),
        ("optin@example.jp", False),
        (f"optin@sub.{DOMAIN}", False),
        ("optin", False),
    ],
)
def test_the_rule_takes_three_mailboxes_with_any_label(address: str, accepted: bool) -> None:
    assert inbound(Emulator()).accepts(address) is accepted


def test_one_mail_to_several_is_one_object_and_one_notification(apart: Any) -> None:
    emulator = Emulator()
    to = [f"optin@{DOMAIN}", f"reply@{DOMAIN}"]
    apart(inbound(emulator).take(mail(), TARO, to))
    [(key, stored)] = emulator.objects.items()
    assert stored.endswith(mail())
    [told] = emulator.published
    assert told["receipt"]["action"]["objectKey"] == key
    assert told["receipt"]["recipients"] == to


def test_mail_before_the_deployment_waits_for_it(apart: Any) -> None:
    emulator = Emulator()
    early = Inbound(emulator, DOMAIN)  # type: ignore[arg-type]

    async def exchange() -> None:
        taking = asyncio.create_task(early.take(mail(), TARO, [f"optin@{DOMAIN}"]))
        await asyncio.sleep(0)
        assert not emulator.objects
        early.open_to(bucket="bucket", topic="topic")
        await taking

    apart(exchange())
    assert len(emulator.published) == 1


@pytest.mark.parametrize("operation", ["PutObject", "Publish"])
def test_what_fails_is_not_taken(apart: Any, operation: str) -> None:
    emulator = Emulator(fails=operation)
    with pytest.raises(ClientError):
        apart(inbound(emulator).take(mail(), TARO, [f"optin@{DOMAIN}"]))
    assert not emulator.published
