"""Mails to one person: what each kind says, and what none of them may give away."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.utils import parseaddr
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.ses.message import build
from shared.domain.cases import CaseKind
from shared.domain.company import Company
from shared.mail.compose import Message
from shared.mail.replies import FACTS, WITH_LINK, ReplyKind, reply
from shared.texts import dates
from shared.texts.consent import Language
from shared.texts.replies import REPLIES, WISHES

COMPANY = Company(
    "株式会社見本 & <友>", "Mihon & Co.", "東京都千代田区1-1 <ビル>", "https://example.jp/c?a&b"
)
TO = "hanako.yamada@example.jp"
TOKEN = "Ab-_" * 15 + "xyz"
PUBLIC_URL = "https://abcdefghij.execute-api.ap-northeast-1.amazonaws.com"
LINK = f"{PUBLIC_URL}/v/{TOKEN}"
UNTIL = datetime(2026, 11, 27, 8, 5, tzinfo=UTC)
CASE_ID = "0123456789abcdef" * 2
FILLED = {
    "kind": "erasure",
    "at": "2026-11-30T15:00:00.000Z",
    "events": "41",
    "mails": "17",
    "cases": "3",
}
AUTOMATIC = frozenset(ReplyKind) - {ReplyKind.STAFF}
PARAMETERS = [
    pytest.param(kind, language, id=f"{kind}-{language}")
    for kind in ReplyKind
    for language in Language
]


def made(kind: ReplyKind, language: Language = Language.JA, **changes: Any) -> Message:
    values: dict[str, Any] = {
        "to": TO,
        "language": language,
        "company": COMPANY,
        "mail_domain": "mail.example.jp",
        "public_url": PUBLIC_URL,
        "link": TOKEN if kind in WITH_LINK else "",
        "expires_at": UNTIL if kind in WITH_LINK else None,
        "case_id": CASE_ID,
        "in_reply_to": "<their.mail@example.jp>",
        "due_on": date(2026, 12, 4),
        "text": "担当の佐藤です。\n<b>承りました</b>。",
        "facts": FILLED,
    } | changes
    return reply(kind, **values)


class Read(HTMLParser):
    """The words in an HTML part by language, its links and its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words = ""
        self.links = list[str]()
        self.tags = list[str]()
        self.languages = set[str]()
        self._hidden = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._hidden = tag in {"title", "style"}
        found = dict(attrs)
        self.links += [found["href"] or ""] if "href" in found else []
        self.languages |= {found["lang"] or ""} if "lang" in found else set()
        if tag in {"p", "br", "li", "h1", "h2"}:
            self.words += "\n"

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        self.words += "" if self._hidden else data


def wire(message: Message) -> bytes:
    """The bytes SES would send."""
    request = {
        "FromEmailAddress": message.sender,
        "ReplyToAddresses": [message.reply_to],
        "Destination": {"ToAddresses": [message.to]},
        "EmailTags": [{"Name": name, "Value": value} for name, value in message.tags.items()],
        "Content": {
            "Simple": {
                "Subject": {"Data": message.subject},
                "Body": {"Text": {"Data": message.text}, "Html": {"Data": message.html}},
                "Headers": [{"Name": n, "Value": v} for n, v in message.headers.items()],
            }
        },
    }
    return build(request, message_id="m", now=UNTIL).raw


# ---- what every mail has ----
def test_every_kind_has_its_words_and_every_case_its_name() -> None:
    assert set(REPLIES) == set(ReplyKind)
    assert set(WISHES) == {*CaseKind, ""}


@pytest.mark.parametrize(("kind", "language"), PARAMETERS)
def test_both_parts_say_the_same_in_both_languages(kind: ReplyKind, language: Language) -> None:
    message = made(kind, language)
    page = Read(message.html)
    own, other = REPLIES[kind] if language is Language.JA else reversed(REPLIES[kind])
    assert message.subject == own.subject
    assert page.languages == {"ja", "en"}
    lines = [line for line in message.text.split("\n") if not line.startswith(("─", "▼"))]
    for line in filter(None, (re.sub(r"^[■・]\s?", "", line) for line in lines)):
        assert line in page.words, line
    for brief in other.brief:
        assert brief.partition("{")[0] in message.text
    if kind is not ReplyKind.STAFF:
        assert other.brief
        assert not [*re.finditer(r"\{\w*\}", message.text + page.words)]


@pytest.mark.parametrize(("kind", "language"), PARAMETERS)
def test_who_sends_and_where_to_turn_stands_in_both_parts(
    kind: ReplyKind, language: Language
) -> None:
    message = made(kind, language)
    page = Read(message.html)
    for part in (message.text, page.words):
        for item in (COMPANY.name, COMPANY.name_en, COMPANY.address, COMPANY.contact, CASE_ID):
            assert item in part, item
        assert ("返信" if language is Language.JA else "reply") in part
    assert parseaddr(message.sender)[1] == message.reply_to == "optin@mail.example.jp"
    assert message.to == TO
    assert message.tags == {"case": CASE_ID}


@pytest.mark.parametrize(("kind", "language"), PARAMETERS)
def test_links_lead_to_the_one_page_and_nowhere_else(kind: ReplyKind, language: Language) -> None:
    message = made(kind, language)
    page = Read(message.html)
    expected = [LINK] * 3 if kind in WITH_LINK else []
    assert page.links == [*expected, COMPANY.contact]
    in_text = re.findall(r"https?://\S+", message.text)
    assert in_text == [*expected[1:], COMPANY.contact]
    assert not {"img", "script", "svg", "form", "link", "iframe"} & set(page.tags)
    assert not re.search(r"url\(|@import|src=", message.html)


@pytest.mark.parametrize(("kind", "language"), PARAMETERS)
def test_nothing_personal_but_the_masked_address(kind: ReplyKind, language: Language) -> None:
    message = made(kind, language)
    for part in (message.subject, message.text, message.html, repr(message.headers)):
        for secret in ("hanako", "yamada", "example.jp>", TO):
            assert secret not in part.replace("<their.mail@example.jp>", "").lower()


@pytest.mark.parametrize(("kind", "language"), PARAMETERS)
def test_the_html_is_well_made(kind: ReplyKind, language: Language) -> None:
    html = made(kind, language).html
    head, body = html.split("<body")
    assert html.startswith(f'<!DOCTYPE html><html lang="{language}">')
    assert '<meta name="color-scheme" content="light dark">' in head
    assert "prefers-color-scheme: dark" in head
    assert "<style" not in body
    assert not re.search(r"<p(?![^>]* style=)", body)
    assert "&lt;ビル&gt;" in body
    assert Read(html).tags.count("h1") == 1


@pytest.mark.parametrize(("kind", "language"), PARAMETERS)
def test_it_goes_over_the_wire(kind: ReplyKind, language: Language) -> None:
    message = made(kind, language)
    raw = wire(message)
    mail = message_from_bytes(raw, policy=policy.SMTP.clone(max_line_length=998))
    assert mail["Subject"] == message.subject
    assert parseaddr(str(mail["From"])) == (COMPANY.name, "optin@mail.example.jp")
    assert mail["X-Optin-Loop"] == "1"
    assert mail["In-Reply-To"] == mail["References"] == "<their.mail@example.jp>"
    assert "List-Unsubscribe" not in mail
    assert "Precedence" not in mail
    for part, content in (("plain", message.text), ("html", message.html)):
        body = mail.get_body((part,))
        assert body
        assert body.get_content().replace("\r\n", "\n").strip() == content.strip()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))


# ---- what to press, until when, and that nothing happens otherwise ----
@pytest.mark.parametrize("kind", sorted(WITH_LINK))
def test_the_button_its_end_and_what_happens_without_it(kind: ReplyKind) -> None:
    ja, en = made(kind, Language.JA), made(kind, Language.EN)
    assert f"▼ {REPLIES[kind].ja.button}\n{LINK}\n" in ja.text
    for text in (ja.text, en.text):
        assert "2026年11月27日(金) 午後5時05分(日本時間)まで" in text
        assert "until Friday, 27 November 2026, 17:05 (Japan time)" in text
    if kind is not ReplyKind.DISCLOSURE_READY:
        assert "何もしなくてかまいません" in ja.text
        assert "you need not do anything" in en.text
    else:
        assert "1回だけ" in ja.text
        assert "only once" in en.text


@pytest.mark.parametrize("kind", [ReplyKind.ASK_IDENTITY, ReplyKind.RECEIVED, ReplyKind.HELD])
def test_the_day_promised(kind: ReplyKind) -> None:
    assert "2026年12月4日(金)までに" in made(kind).text
    assert "by Friday, 4 December 2026" in made(kind, Language.EN).text
    without = made(kind, due_on=None).text
    assert "までにお返事" not in without


def test_being_asked_for_identity_says_nothing_about_what_is_held() -> None:
    """The mail depends on the kind asked for, the link and the day; on nothing that is stored."""
    text = made(ReplyKind.ASK_IDENTITY).text
    assert "お預かりしているかどうかを示すものではありません" in text
    assert "登録内容の削除のご依頼" in text
    bare = made(ReplyKind.ASK_IDENTITY, facts={"kind": "erasure"}, text="")
    assert bare == made(ReplyKind.ASK_IDENTITY)


@pytest.mark.parametrize("kind", CaseKind)
def test_what_was_asked_for_is_named(kind: CaseKind) -> None:
    for language, words in zip(Language, WISHES[kind], strict=True):
        assert words in made(ReplyKind.DONE, language, facts={"kind": kind}).text


def test_the_certificate_says_what_went_what_stays_and_why() -> None:
    ja, en = made(ReplyKind.ERASED).text, made(ReplyKind.ERASED, Language.EN).text
    for text, items in (
        (
            ja,
            (
                "41件",
                "メール17通",
                "3件",
                "2026年12月1日(火) 午前0時00分",
                "符号",
                "種類と日時",
                "メールの配信",
                "最長35日",
            ),
        ),
        (ja, ("ハッシュ値", "特定電子メール法 施行規則4条", "個人情報保護法22条・35条", CASE_ID)),
        (ja, ("h***@***.jp", "削除したもの", "残したもの", "残した理由")),
        (en, ("records: 41", "texts: 17", "inquiries: 3", "1 December 2026, 00:00", "code made")),
        (
            en,
            (
                "hashes",
                "e-mails sent",
                "within 35 days",
                "Ordinance art. 4",
                "art. 22 and 35",
                CASE_ID,
                "What is kept",
            ),
        ),
    ):
        for item in items:
            assert item in text, item
    assert set(FILLED) == set(FACTS)


def test_staffs_words_are_text_with_their_lines() -> None:
    message = made(
        ReplyKind.STAFF, text="一行目\r\n　二行目\rthree\x00\x1b[0m <i>&amp;\n\n次\ud800"
    )
    assert "一行目\n　二行目\nthree[0m <i>&amp;\n\n次\n" in message.text
    assert "一行目<br>　二行目<br>three[0m &lt;i&gt;&amp;amp;<br><br>次</p>" in message.html


def test_what_was_not_said_leaves_no_hole() -> None:
    text = made(ReplyKind.DONE, text="", case_id="", facts={}).text
    assert "個人情報についてのご依頼について、対応が終わりました" in text
    assert "\n\n\n" not in text
    assert "受付番号" not in text
    assert made(ReplyKind.DONE, case_id="").tags == {}
    assert "件" not in made(ReplyKind.ERASED, facts={}).text
    unreadable = made(ReplyKind.STOPPED, to="not an address")
    assert "停止したメールアドレス" not in unreadable.text


def test_a_contact_that_is_no_page_is_no_link() -> None:
    company = Company("見本", "", "東京", "03-0000-0000")
    message = made(ReplyKind.RECEIVED, Language.EN, company=company)
    assert Read(message.html).links == []
    assert "A message from 見本\n" in message.text


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": ReplyKind.ASK_IDENTITY, "link": ""},
        {"kind": ReplyKind.ASK_IDENTITY, "expires_at": None},
        {"kind": ReplyKind.ASK_IDENTITY, "link": "", "expires_at": None},
        {"kind": ReplyKind.RECEIVED, "link": TOKEN},
        {"kind": ReplyKind.RECEIVED, "expires_at": UNTIL},
        {"kind": ReplyKind.ASK_IDENTITY, "link": "https://evil.example/"},
        {"kind": ReplyKind.ASK_IDENTITY, "link": "a\r\nBcc: x"},
    ],
)
def test_a_kind_and_its_link_belong_together(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="link"):
        made(changes.pop("kind"), **changes)


# ---- headers ----
@pytest.mark.parametrize("kind", ReplyKind)
def test_other_programs_are_told_not_to_answer(kind: ReplyKind) -> None:
    """RFC 3834; what a person at the company writes is no automatic answer."""
    answered = made(kind).headers.get("Auto-Submitted")
    of_itself = made(kind, in_reply_to="").headers.get("Auto-Submitted")
    automatic = kind in AUTOMATIC
    assert answered == ("auto-replied" if automatic else None)
    assert of_itself == ("auto-generated" if automatic else None)
    assert made(kind, in_reply_to="").headers.keys() <= {"X-Optin-Loop", "Auto-Submitted"}


@pytest.mark.parametrize(
    ("in_reply_to", "references", "expected"),
    [
        ("<c@x>", "<a@x> <b@x>", "<a@x> <b@x> <c@x>"),
        ("<c@x>", "<a@x>\r\n\t<b@x>\r\nBcc: <evil@x.jp>", "<a@x> <b@x> <evil@x.jp> <c@x>"),
        ("<c@x>", "<c@x> <c@x>", "<c@x>"),
        ("<c@x>\r\nBcc: evil@x.jp", "", "<c@x>"),
        (" <c@x> (comment)", "nothing", "<c@x>"),
        ("<c\r\nBcc: evil@x.jp>", "<a@x>", None),
        ("<日本@x>", "<a@x>", None),
        ("<no-at-sign>", "", None),
        ("<c d@x>", "", None),
        ("<" + "a" * 300 + "@x>", "", None),
        ("c@x", "", None),
    ],
)
def test_only_message_ids_get_into_headers(
    in_reply_to: str, references: str, expected: str | None
) -> None:
    headers = made(ReplyKind.RECEIVED, in_reply_to=in_reply_to, references=references).headers
    assert headers.get("References") == expected
    assert headers.get("In-Reply-To") == (expected and expected.rpartition(" ")[2])
    assert headers["Auto-Submitted"] == ("auto-replied" if expected else "auto-generated")


def test_of_a_long_thread_the_first_and_the_last_are_kept() -> None:
    ids = [f"<{number:03}.{'x' * 50}@example.jp>" for number in range(40)]
    headers = made(ReplyKind.RECEIVED, in_reply_to=ids[-1], references=" ".join(ids)).headers
    kept = headers["References"].split()
    assert kept == [ids[0], *ids[-len(kept) + 1 :]]
    assert 800 < len(headers["References"]) <= 900


@given(st.text(st.sampled_from("<>@ab \r\n\t:;é\x00")), st.text())
def test_whatever_they_send_the_headers_are_one_line_each(ours: str, theirs: str) -> None:
    message = made(ReplyKind.RECEIVED, in_reply_to=ours, references=theirs, text=theirs)
    for name, value in message.headers.items():
        assert re.fullmatch(r"[ -~]{1,995}", value), name
    mail = message_from_bytes(wire(message), policy=policy.default)
    assert not mail.defects
    assert set(mail.keys()) <= {
        "From", "To", "Reply-To", "Subject", "Message-ID", "Date", "MIME-Version",
        "Content-Type", "X-Optin-Loop", "Auto-Submitted", "In-Reply-To", "References",
    }  # fmt: skip


# ---- days ----
@pytest.mark.parametrize(
    ("here", "ja", "en"),
    [
        ((2026, 1, 4, 0, 0), "2026年1月4日(日) 午前0時00分", "Sunday, 4 January 2026, 00:00"),
        ((2026, 1, 5, 12, 9), "2026年1月5日(月) 午後0時09分", "Monday, 5 January 2026, 12:09"),
        ((2028, 2, 29, 23, 59), "2028年2月29日(火) 午後11時59分", "29 February 2028, 23:59"),
    ],
)
def test_moments(here: tuple[int, int, int, int, int], ja: str, en: str) -> None:
    at = datetime(*here, tzinfo=UTC)
    assert dates.moment(at, Language.JA) == ja
    assert en in dates.moment(at, Language.EN)
