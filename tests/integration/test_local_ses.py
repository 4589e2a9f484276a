"""The SES stand-in: what it refuses, what goes over the wire, what it tells afterwards."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

import pytest

from local.ses.events import describe
from local.ses.message import BadRequest, Entry, Outgoing, build, build_bulk

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


def bulk(*entries: dict[str, Any], **content: str) -> list[Entry]:
    content = {
        "Subject": "{{{name}}}様へ",
        "Text": "{{{name}}}",
        "Html": "<p>{{name}}</p>",
    } | content
    request = {
        "FromEmailAddress": "news@mail.example.jp",
        "ReplyToAddresses": ["reply@mail.example.jp"],
        "ConfigurationSetName": "set",
        "DefaultEmailTags": [{"Name": "campaign", "Value": "c1"}],
        "DefaultContent": {
            "Template": {
                "TemplateContent": content,
                "TemplateData": '{"name": "お客"}',
                "Headers": [
                    {"Name": "List-Unsubscribe", "Value": "<https://example.jp/u/all>"},
                    {"Name": "X-Kept", "Value": "kept"},
                ],
            }
        },
        "BulkEmailEntries": list(entries),
    }
    numbers = iter(range(99))
    return build_bulk(request, message_ids=lambda: f"id-{next(numbers)}", now=NOW)


def one(to: str, headers: dict[str, str] | None = None, **data: str) -> dict[str, Any]:
    replacement = {"ReplacementTemplateData": json.dumps(data)}
    return {
        "Destination": {"ToAddresses": [to]},
        "ReplacementEmailContent": {"ReplacementTemplate": replacement},
        "ReplacementHeaders": [{"Name": n, "Value": v} for n, v in (headers or {}).items()],
        "ReplacementTags": [{"Name": "batch", "Value": "b1.0"}],
    }


def test_each_entry_of_a_bulk_request_is_a_mail_of_its_own() -> None:
    own = {"list-unsubscribe": UNSUBSCRIBE}
    first, second = bulk(one("a@example.jp", own, name="<&太郎>"), one("b@example.jp"))
    assert first.message is not None
    assert second.message is not None
    assert first.message.tags == {"campaign": "c1", "batch": "b1.0"}
    assert [first.message.recipients, second.message.recipients] == [
        ("a@example.jp",), ("b@example.jp",),
    ]  # fmt: skip
    mail = message_from_bytes(first.message.raw, policy=policy.default)
    assert mail["Subject"] == "<&太郎>様へ"
    assert mail.get_all("List-Unsubscribe") == [UNSUBSCRIBE]
    assert mail["X-Kept"] == "kept"
    assert mail["Reply-To"] == "reply@mail.example.jp"
    assert "id-0" in mail["Message-ID"]
    parts = {part.get_content_type(): part.get_content() for part in mail.iter_parts()}
    assert parts["text/plain"].strip() == "<&太郎>"
    assert parts["text/html"].strip() == "<p>&lt;&amp;太郎&gt;</p>"
    mail = message_from_bytes(second.message.raw, policy=policy.default)
    assert mail["Subject"] == "お客様へ"
    assert mail["List-Unsubscribe"] == "<https://example.jp/u/all>"


def test_a_bad_entry_harms_no_other() -> None:
    entries = bulk(
        one("a@example.jp"), one("漢字@example.jp"), one("c@example.jp", {"X-漢": "x"}), Text="本文"
    )
    assert [entry.status for entry in entries] == [
        "SUCCESS", "INVALID_PARAMETER", "INVALID_PARAMETER",
    ]  # fmt: skip


def test_what_a_template_needs_and_does_not_get_is_named() -> None:
    [entry] = bulk(one("a@example.jp"), Text="{{{v_link}}}")
    assert (entry.message, entry.error) == (None, "Not in the rendering data: v_link")


def test_a_bulk_request_that_is_wrong_as_a_whole() -> None:
    with pytest.raises(BadRequest):
        bulk()
    with pytest.raises(BadRequest):
        bulk(*[one("a@example.jp")] * 51)
