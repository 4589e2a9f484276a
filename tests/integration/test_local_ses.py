"""The SES stand-in: what it refuses, what goes over the wire, what it tells afterwards."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

import pytest

from local.ses.events import describe
from local.ses.message import BadRequest, Outgoing, build

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
UNSUBSCRIBE = (
    "<http://127.0.0.1:8080/u/k1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA>, "
    "<mailto:optin@mail.example.jp?subject=unsubscribe%20k1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA>"
)


def simple(**changes: Any) -> dict[str, Any]:
    request: dict[str, Any] = {
        "FromEmailAddress": "=?utf-8?b?56m644GN5a625rS755So?= <optin@mail.example.jp>",
        "Destination": {"ToAddresses": ["taro@example.jp"]},
        "ConfigurationSetName": "set",
        "EmailTags": [
            {"Name": "campaign", "Value": "c1"},
            {"Name": "contact", "Value": "0f" * 16},
        ],
        "Content": {
            "Simple": {
                "Subject": {"Data": "空き家セミナーのご案内" * 4, "Charset": "UTF-8"},
                "Body": {
                    "Text": {"Data": "こんにちは、㈱髙橋です。\n" * 50},
                    "Html": {"Data": "<p>こんにちは</p>"},
                },
                "Headers": [
                    {"Name": "List-Unsubscribe", "Value": UNSUBSCRIBE},
                    {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
                ],
            }
        },
    }
    return request | changes


def sent(request: dict[str, Any]) -> Outgoing:
    return build(request, message_id="id-1", now=NOW)


def test_unsubscribe_header_stands_on_one_line_as_it_was_given() -> None:
    assert f"\r\nList-Unsubscribe: {UNSUBSCRIBE}\r\n".encode() in sent(simple()).raw


@pytest.mark.parametrize("address", ["a..b@docomo.ne.jp", "a.@ezweb.ne.jp", "o'neil+x@example.jp"])
def test_old_mobile_addresses_are_sent_to(address: str) -> None:
    assert sent(simple(Destination={"ToAddresses": [address]})).recipients == (address,)


def test_japanese_survives_and_every_byte_is_ascii() -> None:
    message = sent(simple())
    mail = message_from_bytes(message.raw, policy=policy.default)
    assert message.raw.isascii()
    assert mail["Subject"] == "空き家セミナーのご案内" * 4
    assert mail["From"].addresses[0].display_name == "空き家活用"
    assert mail["Message-ID"] == "<id-1@ap-northeast-1.amazonses.com>"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == "こんにちは、㈱髙橋です。\n" * 50
    assert html.get_content().strip() == "<p>こんにちは</p>"


def test_raw_message_arrives_byte_for_byte_with_ses_own_message_id() -> None:
    sender, rest = b"From: a@example.jp\r\n", b"To: b@example.jp\r\nX-A: \r\n 1\r\n\r\nBody\r\n"
    given = sender + b"Message-ID: <x@y>\r\n" + rest
    request = {"Content": {"Raw": {"Data": base64.b64encode(given).decode()}}}
    message = sent(request)
    assert message.recipients == ("b@example.jp",)
    assert message.raw.endswith(sender + rest)
    assert message.raw.count(b"Message-ID:") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"Destination": {}},
        {"Destination": {"ToAddresses": ["太郎@example.jp"]}},
        {"Destination": {"ToAddresses": ["no-at-sign"]}},
        {"Destination": {"ToAddresses": [f"a{number}@example.jp" for number in range(51)]}},
        {"FromEmailAddress": "空き家活用 <optin@mail.example.jp>"},
        {"FromEmailAddress": None},
        {"EmailTags": [{"Name": "campaign", "Value": "日本"}]},
        {"Content": {}},
        {"Content": {"Raw": {"Data": "***"}}},
        {"Content": {"Simple": {"Subject": {"Data": "a"}, "Body": {}}}},
    ],
)
def test_refuses_what_ses_refuses(changes: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        sent(simple(**changes))


@pytest.mark.parametrize(
    "header",
    [
        {"Name": "Subject", "Value": "twice"},
        {"Name": "X Y", "Value": "space in the name"},
        {"Name": "X-A", "Value": "改行"},
        {"Name": "X-A", "Value": "a\r\nBcc: victim@example.jp"},
        {"Name": "X-A", "Value": "x" * 996},
    ],
)
def test_refuses_headers_ses_refuses(header: dict[str, str]) -> None:
    request = simple()
    request["Content"]["Simple"]["Headers"] = [header]
    with pytest.raises(BadRequest):
        sent(request)


@pytest.mark.parametrize(
    ("kind", "detail_type"),
    [
        ("Send", "Email Sent"),
        ("Delivery", "Email Delivered"),
        ("Bounce", "Email Bounced"),
        ("Complaint", "Email Complaint Received"),
    ],
)
def test_events_carry_message_id_tags_and_destination(kind: str, detail_type: str) -> None:
    event = describe(sent(simple()), kind, NOW)
    assert (event["source"], event["detail-type"]) == ("aws.ses", detail_type)
    mail = event["detail"]["mail"]
    assert event["detail"]["eventType"] == kind
    assert mail["messageId"] == "id-1"
    assert mail["destination"] == ["taro@example.jp"]
    assert mail["tags"] == {
        "ses:configuration-set": ["set"],
        "campaign": ["c1"],
        "contact": ["0f" * 16],
    }
