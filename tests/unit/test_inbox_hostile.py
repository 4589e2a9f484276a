"""Mail made to break its reader: every one is read, and says what was left."""

# ruff: noqa: E501 (a mail is not broken for the editor's sake)
from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.inbox import markup, read
from tests.unit.inbox_mails import ALL, SAMPLES, TOKEN, html, mail, multipart, part

CHARACTERS = 200_000


def depth_bomb(levels: int, *, kind: str = "multipart/mixed") -> bytes:
    """Parts in parts, each with a boundary of its own."""
    return b"".join(
        b"Content-Type: %s; boundary=b%d\r\n\r\n--b%d\r\n" % (kind.encode(), level, level)
        for level in range(levels)
    )


@pytest.mark.parametrize(
    ("raw", "codes"),
    [
        (depth_bomb(1_000), {"too_deep"}),
        (depth_bomb(100_000), {"too_deep"}),
        (depth_bomb(1_000, kind="multipart/report"), {"too_deep"}),
        (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 1_000, {"broken_mime"}),
        (b"Content-Type: message/rfc822\r\n\r\n" * 1_000, {"too_deep"}),
        (multipart("mixed", *[part("a")] * 999), set()),
        (multipart("mixed", *[part("a")] * 5_000), {"too_many_parts"}),
        (mail("--b\n" * 1_000_000, content_type="multipart/mixed; boundary=b"), {"too_many_parts"}),
        (mail("--bx" * 1_000_000, content_type="multipart/mixed; boundary=b"), {"broken_mime"}),
        (mail("\n" * 3_000_000), {"text_cut"}),
        (mail("あ" * 1_000_000), {"text_cut"}),
        (html("<p>a</p>" * 100_000), {"text_cut"}),
        (multipart("mixed", *[part("a" * 900_000)] * 4), {"text_cut"}),
        (mail("words " * 10_000), {"text_cut"}),
        (mail("> words\n" * 13_000), {"text_cut"}),
        (b"a: b\r\n" * 1_000_000, {"headers_cut", "text_cut"}),
        (b"Subject: " + b"x" * 1_000_000, {"headers_cut", "text_cut"}),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else "-".join(sorted(value)),
)  # fmt: skip
def test_what_is_left_is_named(raw: bytes, codes: set[str]) -> None:
    assert set(read(raw).unread) - {"charset"} >= codes


def test_a_thousand_parts_are_read_to_the_end() -> None:
    assert read(multipart("mixed", *[part("a")] * 998, part("the end"))).words.endswith("the end")


def test_only_what_is_inside_counts_as_deep() -> None:
    assert "too_deep" not in read(depth_bomb(19) + b"\r\nhello").unread
    assert read(depth_bomb(19) + b"\r\nhello").words == "hello"


def test_forty_megabytes_cut() -> None:
    raw = multipart(
        "mixed", part("停止"), part("QUJD\r\n" * 6_700_000, "application/zip", "X: y\n")
    )
    found = read(raw[:40_000_000], complete=False)
    assert (found.words, found.attachments, found.unread) == ("停止", 1, ("too_large",))


# Made to keep backtracking expressions and stacks busy: a quadratic one would not come back.
NASTY = {
    "lines": "\n" * CHARACTERS,
    "short lines": "a\n" * (CHARACTERS // 2),
    "spaces": " " * CHARACTERS,
    "wide spaces": " \u3000" * (CHARACTERS // 2),
    "introductions": ("On " + "a " * 300 + "\n") * 300,
    "introductions that nearly are": ("On 2026" + "wrote" * 60 + "\n") * 600,
    "long introduction": "On " + "a wrote " * 20_000,
    "japanese introductions": ("2026年1月1日(火) 10:00 x" + " <a>:" * 60 + "\n") * 500,
    "long japanese introduction": "2026年1月1日(火) 10:00 x" + " <a@b>:" * 20_000,
    "apple": ("2026/11/24 10:00" + "のメール" * 90 + "\n") * 500,
    "header blocks": "From: a\n" * (CHARACTERS // 8),
    "header blocks apart": "差出人:\n\n" * (CHARACTERS // 6),
    "header with spaces": ("From:" + " *" * 200 + "\n") * 400,
    "header after stars": ("* " * 200 + "From:\n") * 400,
    "marks": ">" * CHARACTERS,
    "lines of marks": (">" * 200 + "\n") * 1_000,
    "marks between": "> a\nb\n" * (CHARACTERS // 6),
    "dashes": "-" * CHARACTERS,
    "lines of dashes": "--\n" * (CHARACTERS // 3),
    "ruled": ("x\n\n" + "_" * 40 + "\n") * 4_000,
    "disclaimers": (".CAUTION:mail" * 30 + "\n") * 500,
    "signatures": ("-" * 5 + " a" * 100 + "\n") * 900,
    "colons": ("2026/1/1 " + ":" * 380 + "\n") * 500,
    "quotes": '"\\' * (CHARACTERS // 2),
    "links": "/u/" * (CHARACTERS // 3),
    "broken token": "stop+" + "a\n> " * (CHARACTERS // 4),
    "tags": "<" * CHARACTERS,
    "deep tags": "<div>" * (CHARACTERS // 5),
    "deep links": "<a><div>" * (CHARACTERS // 8),
    "deep quotations": "<blockquote class=gmail_quote>" * (CHARACTERS // 30),
    "attributes": "<p " + " ".join(f"a{n}=1" for n in range(CHARACTERS // 8)) + ">",
    "entities": "&amp" * (CHARACTERS // 4),
    "comments": "<!--" * (CHARACTERS // 4),
    "pgp": "-----BEGIN PGP MESSAGE-----" * (CHARACTERS // 27),
    "escapes": "\x1b$B" * (CHARACTERS // 3),
    "flowed": "a \n" * (CHARACTERS // 3),
}


@pytest.mark.parametrize("kind", ["plain; format=flowed", "html"])
@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
def test_nasty_texts_are_read(text: str, kind: str) -> None:
    assert_bounded(mail(text, content_type=f"text/{kind}"))


@pytest.mark.parametrize(
    "value",
    [b"(" * 9_000, b'"\\' * 4_500, b"<" * 9_000, b"=?utf-8?q?" * 900, b"=?utf-8?b?YQ==?= " * 500,
     b";a=" * 3_000, b'x; boundary="' + b"\\" * 9_000, b"@" * 9_000, b" " * 9_000, b'"@' * 4_500,
     b"\r\n " * 50_000, b"\x1b$B" * 3_000, b"=?" + b"\xff" * 90 + b"?b?YQ==?=", b"=?idna?b?YQ==?=",
     b"=?\0?q?a?=", b"=?utf-16?q?a?=", b"=?hex?q?6?=", b"=?undefined?q?a?=", b"=?zip?b?eJw=?="],
)  # fmt: skip
@pytest.mark.parametrize(
    "name", [b"From", b"Subject", b"Content-Type", b"References", b"Content-Disposition"]
)
def test_nasty_headers_are_read(name: bytes, value: bytes) -> None:
    assert_bounded((name + b": " + value + b"\r\n") * 20 + b"\r\nx")


@pytest.mark.parametrize(
    "html_text", ["<div>" * 1_001, "<p " + "a=1 " * 1_001 + ">", "<b><p>" * 2_000]
)
def test_markup_beyond_any_mail_is_taken_away_unparsed(html_text: str) -> None:
    assert markup.text_of(f"{html_text}停止").strip() == "停止"


def test_nesting_that_people_have_is_parsed() -> None:
    inside = "<div>" * 300 + "<blockquote>a</blockquote>停止" + "</div>" * 300
    assert markup.text_of(inside + "<br>".join(["x"] * 2_000)).startswith("> a\n停止\nx")


# --- by chance ----------------------------------------------------------------------------------

settings.register_profile("inbox", print_blob=True, deadline=None)
FUZZ = settings(settings.get_profile("inbox"), max_examples=500)
TRIED = {"random bytes": 0, "mutated mails": 0, "random trees": 0}


@pytest.fixture(scope="module", autouse=True)
def _say_how_many(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    told = ", ".join(f"{count:,} {kind}" for kind, count in TRIED.items())
    capture = request.config.pluginmanager.get_plugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        print(f"\nthe mail reader was given {told}")


def assert_bounded(raw: bytes, *, complete: bool = True) -> None:
    """It is read; whatever it says is short, of text that can be stored, and the same again."""
    found = read(raw, complete=complete)
    texts = [found.subject, found.words, found.quoted, found.message_id, found.references,
             *found.senders, *found.tokens, *found.signals.values()]  # fmt: skip
    if found.report:
        report = found.report
        texts += [report.recipient, report.status, report.diagnostic, *report.tokens]
        assert len(report.tokens) <= 10
        assert max(map(len, (report.recipient, report.status, report.diagnostic))) <= 500
    for text in texts:
        text.encode()
        assert "\0" not in text
        assert "\x1b" not in text
        assert "\r" not in text
    assert len(found.words) <= 20_000
    assert len(found.quoted) <= 100_000
    assert max(len(found.subject), len(found.message_id)) <= 500
    assert len(found.references) <= 2_000
    assert len(found.senders) <= 10
    assert all("@" in sender and len(sender) <= 320 for sender in found.senders)
    assert all(len(token) == 54 for token in found.tokens)
    assert len(found.tokens) <= 10
    assert all(len(value) <= 1_000 for value in found.signals.values())
    assert 0 <= found.attachments <= 1_000
    assert list(found.unread) == sorted(set(found.unread))
    assert ("too_large" in found.unread) is not complete
    again = read(
        b"Received: from a.example by b.example;\r\n\tsome day\r\n" + raw, complete=complete
    )
    # A trace header changes nothing, unless there was no header to stand before.
    if raw[:1].isalpha() and raw.split(b"\n")[0].count(b": "):
        assert again.mail_id == found.mail_id
        assert again.words == found.words


@given(st.binary(max_size=2_000), st.booleans())
@example(b"", True)
@example(b"\n", True)
@example(b"\r", False)
@example(b"From:\0", True)
@FUZZ
def test_random_bytes(raw: bytes, complete: bool) -> None:
    TRIED["random bytes"] += 1
    assert_bounded(raw, complete=complete)


PIECES = [
    b"", b"\0", b"\r\n", b"\r\n\r\n", b"\n\n", b"--", b"--=_b1", b"--=_b1--", b"--=_b2\r\n", b">", b"> ", b"\x1b$B",
    b"\x1b(B", b"\x1b(I", b"\x0e", b"=?utf-8?B?", b"?=", b"\xff", b"\x82\xa0", b"\xa4\xa2", b"\xe3\x81", b"=\r\n",
    b"=", b"<", b">", b"</div>", b"<blockquote>", b"<!--", b"]]>", b"&#0;", b"&#xd800;", b'"', b"(", b"\\", b";",
    b"boundary=", b"charset=utf-7", b"charset=utf-16", b'Content-Type: multipart/mixed; boundary="=_b1"\r\n',
    b"Content-Type: message/rfc822\r\n\r\n", b"Content-Type: text/html\r\n", b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n", b"From: x@y, z@w\r\n", b"-- \r\n", b"-----Original Message-----",
    "2026年11月24日(火) 10:00 X <x@y>:\r\n".encode(), "差出人: x\r\n件名: y\r\n".encode(), f"/u/{TOKEN}".encode(),
]  # fmt: skip
edits = st.lists(
    st.tuples(
        st.integers(0, 10_000),
        st.integers(0, 80),
        st.one_of(st.sampled_from(PIECES), st.binary(max_size=6)),
    ),
    min_size=1,
    max_size=8,
)


@given(st.sampled_from(ALL), edits, st.sampled_from(ALL), st.booleans())
@settings(FUZZ, max_examples=2_000)
def test_mutated_mails(
    raw: bytes,
    changes: list[tuple[int, int, bytes]],
    other: bytes,
    grafted: bool,
) -> None:
    """Real mails with bytes taken out, put in and moved, and pieces of another one."""
    TRIED["mutated mails"] += 1
    for at, length, piece in changes:
        start = at % (len(raw) + 1)
        raw = raw[:start] + piece + raw[start + length :]
    if grafted:
        at = changes[0][0] % (len(raw) + 1)
        raw = raw[:at] + other[changes[0][0] % len(other) :] + raw[at:]
    assert_bounded(raw)


texts = st.one_of(
    st.text(max_size=60),
    st.sampled_from([sample.words for sample in SAMPLES.values()]),
    st.lists(st.sampled_from([piece.decode("latin-1") for piece in PIECES]), max_size=6).map(
        "".join
    ),
)
leaf_types = st.sampled_from(
    ["text/plain", "text/html", "text/plain; charset=iso-2022-jp", "text/plain; format=flowed", "image/png",
     "application/pkcs7-mime", "message/delivery-status", "message/feedback-report", "text/rfc822-headers",
     "text/html; charset=shift_jis", "garbage", "", "text/calendar"]
)  # fmt: skip
container_types = st.sampled_from(
    ["mixed", "alternative", "related", "report", "signed", "encrypted", "digest", "x"]
)
boundaries = st.sampled_from(["b", "bb", "b--", "=_b1", " ", "", "あ", "b b", "'()+_,-./:=?"])
more = st.sampled_from(
    ["", "Content-Transfer-Encoding: base64\n", "Content-Transfer-Encoding: quoted-printable\n",
     "Content-Disposition: attachment\n", "Content-ID: <x>\n", "Subject: x\nFrom: a@b\n"]
)  # fmt: skip


def _container(kind: str, boundary: str, inside: list[str], head: str, end: str) -> str:
    body = "".join(f"--{boundary}\n{one}\n" for one in inside)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\n{head}\n{body}{end}'


trees = st.recursive(
    st.builds(part, texts, leaf_types, more),
    lambda inner: st.one_of(
        st.builds(
            _container, container_types, boundaries, st.lists(inner, max_size=4), more,
            st.sampled_from(["", "--b--\n", "--bb--", "epilogue"]),
        ),
        st.builds(lambda inside, head: part(inside, "message/rfc822", head), inner, more),
    ),
    max_leaves=12,
)  # fmt: skip


@given(trees, st.sampled_from(["utf-8", "utf-16-le", "latin-1", "iso2022_jp", "cp932"]))
@FUZZ
def test_random_trees(tree: str, encoding: str) -> None:
    TRIED["random trees"] += 1
    head = "From: taro@example.jp\nMessage-ID: <a@b>\nSubject: x\n"
    assert_bounded((head + tree).encode(encoding, "replace"))
