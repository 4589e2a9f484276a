"""The linter: each rule speaks when it should and is silent when it should be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mail import markdown
from shared.mail.compose import Composer
from shared.mail.content import Content
from shared.mail.lint import RULES, Finding, Rendered, Severity, inspect, lint, render
from shared.mail.markdown import Image
from shared.texts import consent
from shared.texts.consent import TextId
from tests.unit.test_compose import COMPANY, COMPOSER

VERIFIED = frozenset({"mail.example.jp"})
SOUND = Content(
    "秋の無料相談会のご案内",
    "# 空き家の無料相談会\n\n{{name|ご担当者}} 様\n\n**12月1日**に[開きます](https://example.jp/a)。\n\n"
    "![会場の写真](https://example.jp/a.png)\n",
)
NOTICE = consent.current(TextId.UNSUBSCRIBE_NOTICE)
DOCS = Path(__file__).resolve().parents[2] / "docs" / "mail-rules.md"


def found(
    content: Content, composer: Composer = COMPOSER, verified: frozenset[str] | None = VERIFIED
) -> list[Finding]:
    findings = lint(content, composer, verified_domains=verified)
    for finding in findings:
        assert finding.ja
        assert finding.en
        assert "{what}" not in finding.ja + finding.en
    return findings


def names(content: Content, composer: Composer = COMPOSER) -> list[tuple[str, str]]:
    return [(finding.rule, finding.field) for finding in found(content, composer)]


def body(source: str) -> Content:
    return replace(SOUND, body=source)


def subject(words: str) -> Content:
    return replace(SOUND, subject=words)


def mail(content: Content = SOUND) -> Rendered:
    return render(content, COMPOSER, VERIFIED)


def told(rendered: Rendered) -> list[tuple[str, str]]:
    return [(finding.rule, finding.field) for finding in inspect(rendered)]


def test_a_sound_mail_has_no_findings() -> None:
    assert found(SOUND) == []
    assert found(replace(SOUND, text="手書き {{name|皆さま}}\nhttps://example.jp/a")) == []


def test_every_rule_is_in_the_docs_and_there_are_no_others() -> None:
    listed = [line for line in DOCS.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert listed == [
        f"| `{rule.name}` | {rule.severity} | {rule.ja.removesuffix(': {what}').format(what='N')}"
        f" | {rule.en.removesuffix(': {what}').format(what='N')} |"
        for rule in RULES
    ]
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_errors_come_first() -> None:
    findings = found(replace(SOUND, subject="あ" * 41, body="[x](http://example.jp)"))
    assert [finding.severity for finding in findings] == [Severity.ERROR, Severity.WARNING]


# ---- variable-unknown ----


@pytest.mark.parametrize("field", ["subject", "body", "text"])
@pytest.mark.parametrize("written", ["{{nmae}}", "{{name", "}}"])
def test_variable_unknown(field: str, written: str) -> None:
    [finding] = found(replace(SOUND, **{field: written}))
    assert (finding.rule, finding.field, finding.severity) == ("variable-unknown", field, "error")


def test_variable_in_a_link() -> None:
    assert names(body("[x](https://a.jp/{{name|x}})")) == [("variable-unknown", "body")]


# ---- 特定電子メール法 4条 ----

ITEMS = [
    COMPANY.name, COMPANY.name_en, COMPANY.address, COMPANY.contact, NOTICE.ja, NOTICE.en,
    "reply@mail.example.jp",
]  # fmt: skip


@pytest.mark.parametrize("item", ITEMS)
@pytest.mark.parametrize("with_what", ["", "別のもの"])
def test_item_missing_in_the_text_part(item: str, with_what: str) -> None:
    sound = mail()
    assert ("item-missing", "body") in told(
        replace(sound, text=sound.text.replace(item, with_what))
    )


@pytest.mark.parametrize("item", ITEMS)
@pytest.mark.parametrize("with_what", ["", "別のもの"])
def test_item_missing_in_the_html_part(item: str, with_what: str) -> None:
    sound = mail()
    written = item.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert written in sound.html
    html = sound.html.replace(written, with_what)
    assert ("item-missing", "body") in told(replace(sound, html=html))


def test_item_missing_where_the_reader_does_not_see_it() -> None:
    """A title or a comment is not among the words."""
    sound = mail()
    html = sound.html.replace("東京都千代田区1-1", "").replace(
        "<title>", "<title>東京都千代田区1-1"
    )
    html = html.replace("</body>", "<!-- 東京都千代田区1-1 --></body>")
    assert told(replace(sound, html=html)) == [("item-missing", "body")]


def test_the_unsubscribe_link_is_an_item() -> None:
    sound = mail()
    for changed in (
        replace(sound, text=sound.text.replace(sound.link, sound.link[:-5])),
        replace(sound, html=sound.html.replace(sound.link, "https://example.jp/")),
    ):
        assert ("item-missing", "body") in told(changed)


@pytest.mark.parametrize("field", ["name", "name_en", "address", "contact"])
@pytest.mark.parametrize("value", ["", " \u3000"])
def test_item_missing_in_the_settings(field: str, value: str) -> None:
    composer = replace(COMPOSER, company=replace(COMPANY, **{field: value}))
    assert ("item-missing", "company") in names(SOUND, composer)


def test_item_only_in_image() -> None:
    sound = mail()
    picture = '<img src="https://example.jp/a.png" alt="住所 東京都千代田区1-1 &lt;ビル&gt;">'
    html = sound.html.replace("東京都千代田区1-1 &lt;ビル&gt;", picture)
    assert told(replace(sound, html=html)) == [("item-only-in-image", "body")]
    both = sound.html.replace("</div>", f"{picture}</div>", 1)
    assert told(replace(sound, html=both)) == []


def test_notice_apart() -> None:
    sound = mail()
    for words in (NOTICE.ja, NOTICE.en):
        html = sound.html.replace(words, f"{words}<br>ただし、その前に広告をご覧ください。<br>")
        assert told(replace(sound, html=html)) == [("notice-apart", "body")]
        text = sound.text.replace(words, f"{words}\nただし、その前に広告をご覧ください。\n")
        assert told(replace(sound, text=text)) == [("notice-apart", "body")]
    assert told(sound) == []


@pytest.mark.parametrize(
    "words",
    [
        "配信停止: https://example.jp/",
        "  Unsubscribe : here",
        "住所 / Address: 大阪市",
        "送信者 / Sender: だれか",
        "お問い合わせ・苦情 / Contact： なし",
        NOTICE.ja,
    ],
)
def test_footer_repeated(words: str) -> None:
    assert ("footer-repeated", "text") in names(
        replace(SOUND, text=f"本文 https://example.jp/a\n{words}")
    )
    assert ("footer-repeated", "body") in names(body(f"本文\n{words}"))


@pytest.mark.parametrize(
    "words", ["会場の住所: さくら市1-1", "お問い合わせ: 03-0000-0000", "配信停止について"]
)
def test_footer_not_repeated(words: str) -> None:
    assert names(body(f"本文\n{words}")) == []


# ---- sender ----


@pytest.mark.parametrize(
    ("sender", "reply_to"),
    [
        ("=?utf-8?b?5qCq?= <news@evil.example>", "reply@mail.example.jp"),
        ("{sound}", "reply@evil.example"),
        ("news@bank.example <news@mail.example.jp>", "reply@mail.example.jp"),
        ("news@mail.example.jp", "reply@mail.example.jp"),
    ],
)
def test_sender_forged(sender: str, reply_to: str) -> None:
    sound = mail()
    forged = replace(sound, sender=sender.format(sound=sound.sender), reply_to=reply_to)
    assert ("sender-forged", "sender") in told(forged)


def test_sender_with_an_address_for_a_name() -> None:
    composer = replace(COMPOSER, company=replace(COMPANY, name="info@bank.example"))
    assert ("sender-forged", "sender") in names(SOUND, composer)


@pytest.mark.parametrize("verified", [[], ["example.com"], ["jp.example.com"], ["il.example.jp"]])
def test_sender_unverified(verified: list[str]) -> None:
    findings = found(SOUND, verified=frozenset(verified))
    assert [finding.rule for finding in findings] == ["sender-unverified"]


def test_sender_unchecked() -> None:
    """Nobody could say: shown, and said once."""
    [finding] = found(SOUND, verified=None)
    assert (finding.rule, finding.severity) == ("sender-unchecked", Severity.WARNING)
    assert "mail.example.jp" in finding.ja


@pytest.mark.parametrize("verified", [["mail.example.jp"], ["example.jp"], ["x", "EXAMPLE.jp"]])
def test_sender_verified(verified: list[str]) -> None:
    assert found(SOUND, verified=frozenset(verified)) == []


# ---- subject and size ----


@pytest.mark.parametrize("words", ["", " \u3000", "\n", "{{name|}}"])
def test_subject_empty(words: str) -> None:
    assert names(subject(words)) == [("subject-empty", "subject")]


def test_subject_length() -> None:
    assert names(subject("あ" * 40)) == []
    assert names(subject("あ" * 41)) == [("subject-long", "subject")]
    assert names(subject("あ" * 100)) == [("subject-long", "subject")]
    assert names(subject("あ" * 101)) == [("subject-over-100", "subject")]
    assert names(subject("あ" * 30 + "{{name|い}}" * 10)) == []


def test_size() -> None:
    """Both parts as they are, before their encoding for the wire."""
    footer = len(mail(body("あ")).text.encode()) + len(mail(body("あ")).html.encode())
    text = replace(SOUND, body="あ")
    for kilobytes, rules in ((79, []), (81, ["size-over-80kb"]), (101, ["size-over-100kb"])):
        content = replace(text, text="x" * (kilobytes * 1000 - footer))
        assert [finding.rule for finding in found(content)] == rules


# ---- links ----


def test_link_insecure() -> None:
    assert names(body("[x](http://example.jp/)")) == [("link-insecure", "body")]
    assert names(body("![x](http://example.jp/a.png) 本文")) == [("link-insecure", "body")]
    assert names(body("本文 http://example.jp/")) == [("link-insecure", "body")]
    text = "http://example.jp/ https://example.jp/a"
    assert names(replace(SOUND, text=text)) == [("link-insecure", "text")]
    assert names(body("[x](https://example.jp/)")) == []


def test_our_own_links_are_https_too() -> None:
    contact = replace(COMPOSER, company=replace(COMPANY, contact="http://example.jp/"))
    assert names(SOUND, contact) == [("link-insecure", "company")]
    link = replace(COMPOSER, public_url="http://example.jp")
    assert names(SOUND, link) == [("link-insecure", "company")]
    for here in ("http://127.0.0.1:8080", "http://localhost:8080"):
        assert names(SOUND, replace(COMPOSER, public_url=here)) == []


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "tel:0312345678", "/a", "data:,x", "#a", ""]
)
def test_link_refused(target: str) -> None:
    assert names(body(f"[言葉]({target})")) == [("link-refused", "body")]


def test_link_mailto() -> None:
    assert names(body("<info@example.jp>")) == [("link-mailto", "body")]
    assert names(body("info@example.jp")) == []


@pytest.mark.parametrize(
    ("words", "target"),
    [
        ("https://bank.example/login", "https://evil.example/"),
        ("https://bank.example", "https://bank.example.evil.example/"),
        ("bank.co.jp", "https://evil.example/"),
        ("BANK.CO.JP/login", "https://evil.example/"),
        ("ｂａｎｋ．ｃｏ．ｊｐ", "https://evil.example/"),
        ("こちら www.bank.example をどうぞ", "https://evil.example/"),
        ("**https://bank.example**", "https://evil.example/"),
        ("info@bank.example", "mailto:info@evil.example"),
        ("info@bank.example", "https://evil.example/"),
        ("こちら", "https://bank.example@evil.example/"),
        ("https://日本語.jp/", "https://evil.example/"),
    ],
)
def test_link_other_host(words: str, target: str) -> None:
    assert ("link-other-host", "body") in names(body(f"[{words}]({target})"))


@pytest.mark.parametrize(
    ("words", "target"),
    [
        ("https://example.jp/a", "https://example.jp/a?b"),
        ("example.jp", "https://www.example.jp/"),
        ("www.example.jp", "https://example.jp/"),
        ("example.jp", "https://shop.example.jp/"),
        ("申込書.pdf", "https://example.jp/"),
        ("さくら市の案内。詳しくは", "https://example.jp/"),
        ("https://日本語.jp/", "https://日本語.jp/"),
        ("Ver.2.0 の説明", "https://example.jp/"),
    ],
)
def test_link_same_host(words: str, target: str) -> None:
    assert names(body(f"[{words}]({target})")) == []


def test_an_address_linked_to_itself_is_the_same_host() -> None:
    assert names(body("[info@example.jp](mailto:info@example.jp)")) == [("link-mailto", "body")]


# ---- reading ----


def test_image_without_alt() -> None:
    assert names(body("本文 ![](https://example.jp/a.png)")) == [("image-without-alt", "body")]
    assert names(body("本文 ![会場](https://example.jp/a.png)")) == []


def test_image_only() -> None:
    assert names(body("![会場](https://example.jp/a.png)")) == [("image-only", "body")]
    linked = "[![会場](https://example.jp/a.png)](https://example.jp/)"
    assert names(body(linked)) == [("image-only", "body")]
    assert names(body(f"{linked}\n\n本文")) == []


@pytest.mark.parametrize("field", ["subject", "body", "text"])
def test_variable_without_default(field: str) -> None:
    link = " https://example.jp/a" if field == "text" else ""
    for written, rules in (
        ("{{name}} 様へ", [("variable-without-default", field)]),
        ("{{name|}} 様へ", []),
        ("{{name|皆さま}} へ", []),
    ):
        assert names(replace(SOUND, **{field: written + link})) == rules


@pytest.mark.parametrize(
    "written", ["**「重要」**です", "#見出し", "[x] (https://a.jp) **太字", "-項目\n-項目"]
)
def test_markup_left(written: str) -> None:
    assert ("markup-left", "body") in names(body(written))


@pytest.mark.parametrize(
    "written", ["**重要** です", "5 * 3 = 15", "`**x**`", "# 見出し", "* 項目", "※ 注意 #1"]
)
def test_no_markup_left(written: str) -> None:
    assert names(body(written)) == []


def test_text_lacks_link() -> None:
    assert names(replace(SOUND, text="手書き")) == [("text-lacks-link", "text")]
    assert names(replace(SOUND, text="手書き https://example.jp/a")) == []
    assert names(replace(SOUND, body="リンクなし", text="手書き")) == []


@given(st.text(max_size=60), st.text(max_size=200), st.text(max_size=60))
def test_it_never_fails(words: str, source: str, text: str) -> None:
    found(Content(words, source, text))


@given(
    st.lists(
        st.sampled_from(
            [
                "[",
                "](",
                ")",
                "<",
                ">",
                "https://",
                "http://[",
                "a.jp",
                "@",
                "//",
                "![",
                "mailto:",
                "www.",
                ".",
                "\\",
                "xn--",
                "%",
                ":99999",
                " ",
            ]
        )
    )
)
def test_it_never_fails_on_odd_links(pieces: list[str]) -> None:  # fmt: skip
    found(body("".join(pieces)))


def test_images_are_seen_as_they_are() -> None:
    assert markdown.convert("![会 **場**](https://a.jp/x.png)").images == (
        Image("会 場", "https://a.jp/x.png"),
    )
