"""A campaign's mail as it arrives: Markdown, variables, headers and bytes, through a bulk call."""

from __future__ import annotations

import re
from email import message_from_bytes, policy

import pytest

from tests.e2e.mail import check_mail
from tests.e2e.product import Product, unique

pytestmark = pytest.mark.e2e

BODY = """\
# 秋の空き家セミナー

{{name|ご担当者}} 様

**10月10日**に開きます。

- 相続の手続き
- 空き家バンク

[くわしくはこちら](https://www.example.jp/seminar)

1 < 2 & {中かっこ} <script>alert(1)</script>
"""


def test_a_mail_as_it_arrives(product: Product) -> None:
    """Everybody's own name, link and headers from one template."""
    field = {"name": "name", "label_ja": "お名前", "label_en": "Name"}
    form_id = product.new_form("web_form", fields=[field])
    known, unknown, tricky = (product.address(who) for who in ("known", "unknown", "tricky"))
    name, trick = product.note(unique("山田")), product.note(unique("<b>{{link}}</b>"))
    for address, typed in ((known, name), (unknown, ""), (tricky, trick)):
        entry = {"email": address, **({"name": typed} if typed else {})}
        assert product.site.post_form(f"/forms/{form_id}", entry).status == 201
    subject = unique("ご案内")
    product.staff("CS").campaign(
        f"{{{{name|皆}}}}様への{subject}", BODY, audience={"form_ids": [form_id]}
    )

    mails = {}
    for address, called, greeted in (
        (known, name, name),
        (unknown, "ご担当者", "皆"),
        (tricky, trick, trick),
    ):
        mail = mails[address] = product.mail(address, f"{greeted}様への{subject}")
        check_mail(product, mail, body="に開きます。")
        assert f"{called} 様" in mail["text"]
        assert "<h1" in mail["html"]
        assert re.search(r"<strong[^>]*>10月10日</strong>", mail["html"])
        assert len(re.findall(r"<li[ >]", mail["html"])) == 2
        assert re.search(r'<a [^>]*href="https://www\.example\.jp/seminar"', mail["html"])
        assert "https://www.example.jp/seminar" in mail["text"]
        assert "**" not in mail["text"]
        assert "{中かっこ}" in mail["text"]
        assert "<script" not in mail["html"]
        assert "{{" not in mail["text"].replace(trick, "")
        assert "prefers-color-scheme: dark" in mail["html"]
    assert "<b>" not in mails[tricky]["html"].partition("<body")[2].partition("様")[0]

    # One link each, and one Message-ID each; everybody's campaign is the same.
    for header, different in (("List-Unsubscribe", 3), ("Message-ID", 3), ("Feedback-ID", 1)):
        assert len({mail["headers"][header] for mail in mails.values()}) == different

    # On the wire: no line too long, nothing but ASCII, and Japanese read back as it was.
    raw = product.wire(mails[known])
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    parts = list(message_from_bytes(raw, policy=policy.default).iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert {part.get_content_charset() for part in parts} == {"utf-8"}


def test_a_text_part_edited_by_hand_is_sent_as_it_is(product: Product) -> None:
    audience, [reader] = product.readers(1)
    subject = unique("手書き")
    product.staff("CS").campaign(
        subject, "**太字**の本文", text="手で書いた、{{name|ご担当者}}様への本文", audience=audience
    )
    mail = product.mail(reader, subject)
    assert mail["text"].startswith("手で書いた、ご担当者様への本文")
    assert "太字" not in mail["text"]
    assert "太字" in mail["html"]
    assert product.link_in(mail) in mail["text"]
