"""One recipient's mail: what the law and the manual want in it, in both parts (U2, S1)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr
from html import unescape
from html.parser import HTMLParser

import pytest

from local.ses.message import build
from shared.domain.campaigns import Campaign
from shared.domain.company import Company
from shared.domain.contact import Contact, project
from shared.domain.events import Event, EventKind, Source
from shared.domain.links import Link, LinkKeys, verify
from shared.mail.compose import Composer, Message
from shared.texts import consent
from shared.texts.consent import TextId

KEYS = LinkKeys("k1", {"k1": bytes(range(32))})
PUBLIC_URL = "https://abcdefghij.execute-api.ap-northeast-1.amazonaws.com"
COMPANY = Company(
    "株式会社テスト & <友>",
    "Test & Co.",
    "東京都千代田区1-1 <ビル>",
    "03-0000-0000 / info@example.jp",
)
COMPOSER = Composer(COMPANY, "mail.example.jp", PUBLIC_URL, KEYS)
CAMPAIGN = Campaign(
    "c0ffee123456",
    '秋の相談会 <b>無料</b> & "特別"',
    "こんにちは。\r\n<script>alert('x')</script>\r\n\r\n"
    "二段落目 {{name|ご担当者}} & \\{\\{ 続き \\}\\}\n",
    "cs-1",
    datetime(2026, 12, 1, tzinfo=UTC),
)


def contact(address: str = "Taro+x@example.jp") -> Contact:
    personal = {"address": address, "typed": address, "address_kind": "standard"}
    at = datetime(2026, 12, 1, tzinfo=UTC)
    event = Event("a1" * 16, "e", EventKind.NOTIFIED, at, Source.WEB_FORM, personal=personal)
    return project("a1" * 16, [event])


@pytest.fixture
def message() -> Message:
    return COMPOSER.compose(CAMPAIGN, contact())


class _Page(HTMLParser):
    """The words a reader sees, and the links and images there are."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.words, self.links, self.tags = "", list[str](), set[str]()
        self._hidden = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._hidden = tag in {"title", "style"} or (self._hidden and tag == "meta")
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag in {"p", "br"}:
            self.words += "\n"

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words += data


def link_of(message: Message) -> str:
    found = re.fullmatch(r"<(https://[^>]+)>, <mailto:[^>]+>", message.headers["List-Unsubscribe"])
    assert found
    return found[1]


def test_every_statutory_item_is_text_in_both_parts(message: Message) -> None:
    """U2; 特定電子メール法 4条: sender, address, complaints, wording, link, reply address."""
    page = _Page(message.html)
    notice = consent.current(TextId.UNSUBSCRIBE_NOTICE)
    for part in (message.text, page.words):
        for item in (
            COMPANY.name, COMPANY.name_en, COMPANY.address, COMPANY.contact,
            notice.ja, notice.en, "reply@mail.example.jp", "送信者", "住所", "お問い合わせ・苦情",
            "Sender", "Address", "Contact", "Unsubscribe",
        ):  # fmt: skip
            assert item in part, item
    assert link_of(message) in message.text
    assert link_of(message) in page.links
    assert not page.tags & {"img", "script", "svg", "form", "link", "iframe"}


def test_the_unsubscribe_wording_stands_right_above_the_link(message: Message) -> None:
    """規則9: the notice of refusal right before the address to refuse at."""
    notice = consent.current(TextId.UNSUBSCRIBE_NOTICE)
    for words, link in ((notice.ja, "配信停止: "), (notice.en, "Unsubscribe: ")):
        assert f"{words}\n{link}{link_of(message)}\n" in message.text
        after = message.html.split(words)[1]
        assert re.match(rf"\s*</p>\s*<p[^>]*><a [^>]*href=\"{re.escape(link_of(message))}\"", after)


def test_headers_are_exact(message: Message) -> None:
    """RFC 2369, RFC 8058; Gmail's feedback loop: at most four fields, the last of 5 to 15."""
    token = link_of(message).removeprefix(f"{PUBLIC_URL}/u/")
    assert message.headers == {
        "List-Unsubscribe": (f"<{PUBLIC_URL}/u/{token}>, <mailto:stop+{token}@mail.example.jp>"),
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Feedback-ID": "c0ffee123456:campaign:optin:7aaa600bffeb",
    }
    assert all(value.isascii() and len(value) <= 995 for value in message.headers.values())


def test_the_link_is_signed_for_this_person_and_campaign(message: Message) -> None:
    """S1: no address in it, under 120 characters."""
    link = link_of(message)
    assert len(link) < 120
    assert verify(link.rpartition("/")[2], KEYS) == Link("a1" * 16, "c0ffee123456")
    for secret in ("taro", "example.jp"):
        assert secret not in link.lower()
    assert COMPOSER.compose(CAMPAIGN, contact("other@example.jp")).headers == message.headers


def test_addressed_to_one_person_who_appears_nowhere_else(message: Message) -> None:
    assert message.to == "Taro+x@example.jp"
    everything_else = repr(replace(message, to=""))
    assert "Taro+x" not in everything_else


def test_sender(message: Message) -> None:
    """No false From; replies reach the mail domain."""
    assert parseaddr(message.sender)[1] == "news@mail.example.jp"
    assert message.reply_to == "reply@mail.example.jp"


@pytest.mark.parametrize(
    "name",
    [
        "株式会社テスト & <友>",
        "一般社団法人日本結婚支援協会連合会東京都千代田区本部" * 3,
        "Plain Co., Ltd.",
        'The "Best"',
    ],
)
def test_sender_name_survives_its_encoding(name: str) -> None:
    """RFC 2047: no encoded word over 75 characters, and the name reads back."""
    composer = replace(COMPOSER, company=replace(COMPANY, name=name))
    sender = composer.compose(CAMPAIGN, contact()).sender
    words, address = parseaddr(sender)
    assert str(make_header(decode_header(words))) == name
    assert address == "news@mail.example.jp"
    assert all(len(word) <= 75 for word in sender.split(" ") if word.startswith("=?"))
    assert sender.isascii()
    assert "\n" not in sender


def test_html_escapes_whatever_was_written(message: Message) -> None:
    page = _Page(message.html)
    assert "script" not in page.tags
    assert "b" not in page.tags
    title = re.search("<title>(.*)</title>", message.html)
    assert title
    assert unescape(title[1]) == CAMPAIGN.subject
    assert "<script>alert('x')</script>" in page.words
    assert "<b>" not in message.html


def test_text_is_not_escaped_and_no_template(message: Message) -> None:
    """The staff's text is data: nothing in it is evaluated, nothing is turned into entities."""
    assert "<script>alert('x')</script>" in message.text
    for part in (message.text, _Page(message.html).words):
        assert "ご担当者 & {{ 続き }}" in part
    assert "&amp;" not in message.text
    assert message.subject == CAMPAIGN.subject
    assert "\r" not in message.text + message.html


def test_paragraphs_and_line_breaks(message: Message) -> None:
    body = message.html.split('<div class="foot"')[0]
    assert body.count("<p ") == 2
    assert body.count("<br>") == 1


def test_a_text_part_of_the_authors_own() -> None:
    """It stands for the body, with variables and without Markdown; the footer stays."""
    campaign = replace(CAMPAIGN, text="**手書き** {{name|皆さま}}へ\r\n\r\n続き\n")
    message = COMPOSER.compose(campaign, contact(), {"name": "山田"})
    assert message.text.startswith("**手書き** 山田へ\n\n続き\n\n──")
    assert "こんにちは" not in message.text
    assert "こんにちは" in message.html
    assert COMPANY.address in message.text


def test_a_contact_that_is_an_address_is_a_link() -> None:
    company = replace(COMPANY, contact="https://example.jp/contact?a&b")
    message = replace(COMPOSER, company=company).compose(CAMPAIGN, contact())
    assert 'href="https://example.jp/contact?a&amp;b"' in message.html
    assert "苦情 / Contact: https://example.jp/contact?a&b\n" in message.text


def test_the_page_is_well_made(message: Message) -> None:
    """Language, dark mode, styles in the elements; nothing is loaded from anywhere."""
    head, body = message.html.split("<body")
    assert message.html.startswith('<!DOCTYPE html><html lang="ja">')
    assert '<meta name="color-scheme" content="light dark">' in head
    assert head.count("<style>") == 1
    assert "prefers-color-scheme: dark" in head
    assert "<style" not in body
    assert len(re.findall(r"<(?:p|a|h1|ul|li|div)(?: [^>]*)? style=", body)) > 10
    assert not re.search(r"<p(?![^>]* style=)", body)
    assert not re.search(r"url\(|@import|src=", message.html)


def test_what_goes_over_the_wire(message: Message) -> None:
    """The stand-in writes what SES would: the Japanese subject and the headers survive."""
    campaign = replace(CAMPAIGN, subject="【ご案内】①髙﨑㈱ 秋の空き家相談会のお知らせ🍁" * 3)
    message = COMPOSER.compose(campaign, contact("taro@example.jp"))
    request = {
        "FromEmailAddress": message.sender,
        "ReplyToAddresses": [message.reply_to],
        "Destination": {"ToAddresses": [message.to]},
        "Content": {
            "Simple": {
                "Subject": {"Data": message.subject},
                "Body": {"Text": {"Data": message.text}, "Html": {"Data": message.html}},
                "Headers": [{"Name": n, "Value": v} for n, v in message.headers.items()],
            }
        },
    }
    raw = build(request, message_id="m", now=datetime(2026, 12, 1, tzinfo=UTC)).raw
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail["Subject"] == message.subject
    assert parseaddr(str(mail["From"])) == (COMPANY.name, "news@mail.example.jp")
    assert b"\r\nList-Unsubscribe: " + message.headers["List-Unsubscribe"].encode() in raw
    assert mail["Feedback-ID"] == message.headers["Feedback-ID"]
    assert "Auto-Submitted" not in mail
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain
    assert html
    assert plain.get_content().replace("\r\n", "\n") == message.text
    assert html.get_content().replace("\r\n", "\n").strip() == message.html.strip()


def test_tags_come_back_from_ses(message: Message) -> None:
    """SES takes letters, digits, - and _ in message tags."""
    assert message.tags == {"campaign": "c0ffee123456", "contact": "a1" * 16}
    for name, value in message.tags.items():
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,256}", name)
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value)
