"""Mail as programs really write it is read as people meant it."""

# ruff: noqa: E501 (a mail is not broken for the editor's sake)
from __future__ import annotations

import base64
from email.header import Header

import pytest

from shared.domain.inbound import Report, ReportKind
from shared.inbox import read
from shared.texts.consent import Language
from tests.unit.inbox_mails import (
    DSN,
    FOOTER,
    HTML_OURS,
    MARKED,
    OTHER,
    OURS,
    SAMPLES,
    TOKEN,
    VENDOR,
    VENDOR_JIS,
    Sample,
    delivery,
    feedback,
    html,
    mail,
    multipart,
    nested,
    part,
    parts,
)


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_words_are_what_the_person_wrote(sample: Sample) -> None:
    found = read(sample.raw)
    assert found.words == sample.words
    assert [text for text in sample.quoted if text not in found.quoted] == []
    assert set(found.unread) <= {"signature"}


@pytest.mark.parametrize(
    "name", [name for name, sample in SAMPLES.items() if TOKEN.encode() in sample.raw]
)
def test_tokens_are_found_in_quotations(name: str) -> None:
    assert read(SAMPLES[name].raw).tokens == (TOKEN,)


# --- characters ---------------------------------------------------------------------------------

STOP = "配信停止をお願いします。"
ALL_OF_IT = f"{STOP}①髙﨑㈱Ⅲ～"


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        (VENDOR_JIS, "iso-2022-jp", VENDOR),
        (VENDOR_JIS, "ISO-2022-JP-MS", VENDOR),
        (VENDOR_JIS, "cp50221", VENDOR),
        (VENDOR_JIS, "utf-8", VENDOR),
        (VENDOR_JIS, "us-ascii", VENDOR),
        (VENDOR_JIS, "shift_jis", VENDOR),
        (VENDOR_JIS, "", VENDOR),
        (STOP.encode("iso2022_jp"), "iso-2022-jp", STOP),
        (b'\x1b$@$"\x1b(J~\\a\x1b(B', "iso-2022-jp", "あ~\\a"),
        (b'\x1b$B$"\nabc \x1b$B$$\x1b(B', "iso-2022-jp", "あ\nabc い"),
        (b"a\x0e16\x0fb\x1b(B", "iso-2022-jp", "aｱｶb"),
        ("丂".encode("iso2022_jp_1"), "iso-2022-jp-1", "丂"),
        ("𠂉".encode("iso2022_jp_2004"), "iso-2022-jp-2004", "𠂉"),
        (ALL_OF_IT.encode("cp932"), "shift_jis", ALL_OF_IT),
        (ALL_OF_IT.encode("cp932"), "windows-31j", ALL_OF_IT),
        (ALL_OF_IT.encode("cp932"), "utf-8", ALL_OF_IT),
        (ALL_OF_IT.encode("cp932"), "iso-2022-jp", ALL_OF_IT),
        (ALL_OF_IT.encode("cp932"), "iso-8859-1", ALL_OF_IT),
        (ALL_OF_IT.encode("cp932"), "", ALL_OF_IT),
        (ALL_OF_IT.encode("cp932"), "euc-jp", ALL_OF_IT),
        (STOP.encode("euc_jp") + b"\xad\xa1\xfc\xe2\x8e\xb1", "euc-jp", STOP + "①髙ｱ"),
        (STOP.encode("euc_jp"), "", STOP),
        (STOP.encode("euc_jp"), "us-ascii", STOP),
        ("丂".encode("euc_jp"), "euc-jp", "丂"),
        (ALL_OF_IT.encode(), "utf-8", ALL_OF_IT),
        (ALL_OF_IT.encode(), "shift_jis", ALL_OF_IT),
        (ALL_OF_IT.encode(), "iso-2022-jp", ALL_OF_IT),
        (ALL_OF_IT.encode(), "us-ascii", ALL_OF_IT),
        (ALL_OF_IT.encode(), "x-unknown", ALL_OF_IT),
        ("\ufeff停止".encode(), "utf-8", "停止"),
        ("café 12€".encode("cp1252"), "windows-1252", "café 12€"),
        ("café".encode("latin-1"), "iso-8859-1", "café"),
        ("停止".encode("gb2312"), "gb2312", "停止"),
        ("停止".encode("utf-16"), "utf-16", "停止"),
        ("停止".encode("utf-7"), "utf-7", "停止"),
    ],
)  # fmt: skip
def test_characters_come_out_right(data: bytes, label: str, text: str) -> None:
    kind = f'text/plain; charset="{label}"' if label else "text/plain"
    found = read(mail(base64.encodebytes(data), content_type=kind, encoding="base64"))
    assert (found.words, found.unread) == (text, ())
    if label != "utf-16":
        subject = f"=?{label or 'us-ascii'}?B?{base64.b64encode(data).decode()}?="
        assert read(mail("", subject=subject.encode())).subject == " ".join(text.split())
    if not {b"\n", b"\x0e"} & {data[i : i + 1] for i in range(len(data))} and label not in {
        "utf-16",
        "utf-7",
        "gb2312",
    } | {
        "windows-1252",
        "iso-8859-1",
    }:
        assert read(mail("", subject=data)).subject == text  # raw, in the header itself


def test_every_row_is_what_windows_shows() -> None:
    """Every character of cp932's double bytes that has a place in JIS comes out as itself."""
    for row in range(0x21, 0x7F):
        lead = (row - 0x21) // 2 + 0x81
        lead += 0x40 * (lead > 0x9F)
        for cell in range(0x21, 0x7F):
            trail = cell + (0x7E if row % 2 == 0 else 0x1F + (cell > 0x5F))
            try:
                expected = bytes([lead, trail]).decode("cp932")
            except UnicodeDecodeError:
                continue
            jis = b"\x1b$B" + bytes([row, cell]) + b"\x1b(B"
            words = read(mail(b"x" + jis, content_type="text/plain; charset=iso-2022-jp")).words
            assert words.strip() == f"x{expected}".strip(), jis


@pytest.mark.parametrize(
    "data", [b"abc \xff\xfe\xfd \xf5\xf8 \x80", b"\xe3\x81\x82" * 9 + b"\xff\xfe\xe3x" * 9]
)
def test_lost_characters_are_named(data: bytes) -> None:
    found = read(mail(data))
    assert "charset" in found.unread
    assert found.words


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        ("停止希望".encode()[:-1], "utf-8", "停止希"),
        ("停止希望".encode("cp932")[:-1], "shift_jis", "停止希"),
        ("停止希望".encode("cp932")[:-1], "", "停止希"),
        (b"\x1b$B" + "停止".encode("iso2022_jp")[3:7] + b"!", "iso-2022-jp", "停止!"),
        (b"\x1b$Ba b\x1b\x1b$(E!!\x1b(B\xff", "iso-2022-jp", "a b\ufffd\ufffd"),
        ("①停止".encode("cp932") * 9 + b"\xfd", "shift_jis", "①停止" * 9 + "\ufffd"),
        (b"caf\x81\xe9\xff!", "windows-1252", "caf\ufffdéÿ!"),
        (b"caf\x81\xe9\xff!", "big5", "caf\ufffd\ufffd\ufffd!"),
        (b"\xe3\x81\xff\xe3\x81\x82\xff", "", "\ufffd\ufffdあ\ufffd"),
    ],
)
def test_as_much_as_can_be_is_read_of_what_was_cut_or_damaged(
    data: bytes, label: str, text: str
) -> None:
    kind = f"text/plain; charset={label}" if label else "text/plain"
    assert read(mail(data, content_type=kind)).words == text


def test_a_damaged_byte_does_not_change_the_rest() -> None:
    found = read(mail(STOP.encode() * 9 + b"\xff" + STOP.encode() * 9))
    assert found.words.startswith(STOP)
    assert found.words.endswith(STOP)
    assert found.unread == ("charset",)


@pytest.mark.parametrize(
    ("text", "subject", "language"),
    [
        ("停止", "Stop", Language.JA),
        ("ﾃｲｼ", "Stop", Language.JA),
        ("Please stop", "Re: お知らせ", Language.EN),
        ("", "Re: お知らせ", Language.JA),
        ("", "Stop", Language.EN),
        ("> 停止\n", "Stop", Language.EN),
    ],
)
def test_language_is_of_the_own_words(text: str, subject: str, language: Language) -> None:
    assert read(mail(text, subject=Header(subject, "utf-8").encode().encode())).language is language


def test_control_characters_and_surrogates_go() -> None:
    found = read(mail("停\0止\x08\u202e\x85!", subject=b"a\0b\x1bc =?utf-8?Q?d=0D=0ABcc:_x=00?="))
    assert (found.words, found.subject) == ("停止!", "abc d Bcc: x")


# --- headers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sender", "senders"),
    [
        ("taro@example.jp", ("taro@example.jp",)),
        ("山田 <taro@example.jp>", ("taro@example.jp",)),
        ("<taro@example.jp>", ("taro@example.jp",)),
        ('"Yamada, Taro" <taro@example.jp>', ("taro@example.jp",)),
        ("Yamada, Taro <taro@example.jp>", ("taro@example.jp",)),
        ("taro@example.jp <taro@example.jp>", ("taro@example.jp",)),
        ("victim@example.jp <evil@example.com>", ("evil@example.com",)),
        ('"victim@example.jp" <evil@example.com>', ("evil@example.com",)),
        ("evil@example.com (victim@example.jp)", ("evil@example.com",)),
        ("(<victim@example.jp>) evil@example.com", ("evil@example.com",)),
        ("a (b (c) d) <taro@example.jp> (e)", ("taro@example.jp",)),
        ("taro@example.jp (unclosed", ("taro@example.jp",)),
        ('"unclosed <taro@example.jp>', ("taro@example.jp",)),
        ("a@example.jp, b@example.jp", ("a@example.jp", "b@example.jp")),
        ("A <a@example.jp> B <b@example.jp>", ("a@example.jp", "b@example.jp")),
        ("a@example.jp b@example.jp", ("a@example.jp", "b@example.jp")),
        ("taro@example.jp, TARO@EXAMPLE.JP", ("taro@example.jp",)),
        ("Group: a@example.jp, B <b@example.jp>;", ("a@example.jp", "b@example.jp")),
        ("undisclosed-recipients:;", ()),
        ("", ()),
        ("<>", ()),
        ("just a name", ()),
        ("@example.jp, taro@, <@>", ()),
        ("<@evil.example:victim@example.jp>", ()),  # others may read the first of the two
        ("T < @evil.example,@b.example:victim@example.jp>", ()),
        ("@evil.example:victim@example.jp", ()),
        ("taro@example.jp, <@evil.example:victim@example.jp>", ()),
        ("taro@example.jp\r\nFrom: <@evil.example:victim@example.jp>", ()),
        ("@taro <taro@example.jp>", ("taro@example.jp",)),
        ("taro @ example.jp", ("taro@example.jp",)),
        ('"taro..y."@docomo.ne.jp', ("taro..y.@docomo.ne.jp",)),
        ('T <"taro..y."@docomo.ne.jp>', ("taro..y.@docomo.ne.jp",)),
        ("=?utf-8?Q?victim=40example.jp=2C?= <taro@example.jp>", ("taro@example.jp",)),
        ("=?utf-8?Q?=3Cvictim@example.jp=3E?= <taro@example.jp>", ("taro@example.jp",)),
        ("=?utf-8?B?dGFyb0BleGFtcGxlLmpw?=", ()),
        ("taro@example.jp\r\nFrom: b@example.jp", ("taro@example.jp", "b@example.jp")),
        ("taro@example.jp\r\nFROM : b@example.jp", ("taro@example.jp", "b@example.jp")),
        ("taro@example.jp\r\n x", ("taro@example.jp",)),
        ("T\r\n <taro@example.jp>", ("taro@example.jp",)),
        (f"{'a' * 400}@example.jp", ()),
        (", ".join(f"x{n}@example.jp" for n in range(50)), tuple(f"x{n}@example.jp" for n in range(10))),
    ],
)  # fmt: skip
def test_senders(sender: str, senders: tuple[str, ...]) -> None:
    found = read(mail("x", sender=sender.encode()))
    assert found.senders == senders
    assert found.sender == (senders[0] if len(senders) == 1 else "")


def test_a_raw_japanese_name_hides_no_address() -> None:
    """In raw ISO-2022-JP a kanji's bytes may look like < or @."""
    name = b'\x1b$B<"@<>,\x1b(B'
    assert read(mail("x", sender=name + b" <taro@example.jp>")).senders == ("taro@example.jp",)


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (b"=?ISO-2022-JP?B?" + base64.b64encode(VENDOR_JIS) + b"?=", VENDOR),
        (b"=?utf-8?B?5YGc?=\r\n =?utf-8?B?5q2i?=", "停止"),
        (b"=?utf-8?B?5YGc5q0=?= =?utf-8?B?og==?=", "停止"),  # cut inside a character
        (b"=?utf-8?q?=E5=81=9C?= and =?iso-2022-jp?q?=1B$B;=5F=1B(B?=", "停 and 止"),
        (b"Re: =?utf-8*ja?Q?a_b?=!", "Re: a b!"),
        (b"=?utf-8?B?5YGc5q2i", "=?utf-8?B?5YGc5q2i"),
        (b"=?utf-8?B?!!!?= =?nonsense?B?YQ?= =?utf-8?B?YWJjZ?=", "aabc"),
        (b"a\r\n\tb", "a b"),
        (b"x" * 3_000, "x" * 500),
        (b"", ""),
    ],
)
def test_subjects(subject: bytes, text: str) -> None:
    assert read(mail("x", subject=subject)).subject == text


def test_ids_and_nothing_else_of_the_thread() -> None:
    found = read(
        b"Message-Id: junk <m1@example.jp> more\r\nReferences: <a@b>\r\n\t<c@d> x <e\r\n f@g>\r\n"
        b"In-Reply-To: <z@z>\r\n\r\nx"
    )
    assert (found.message_id, found.references) == ("<m1@example.jp>", "<a@b> <c@d>")
    assert read(b"In-Reply-To: <z@z> (x) <y@y>\r\n\r\n").references == "<z@z>"
    many = b"".join(b" <%d@example.jp>" % n for n in range(500))
    references = read(b"References:" + many + b"\r\n\r\n").references
    assert references.endswith("<499@example.jp>")
    assert len(references) <= 2_000


def test_signals_are_the_first_of_each() -> None:
    found = read(
        b"AUTO-SUBMITTED: auto-replied\r\nAuto-Submitted: no\r\nPrecedence : bulk\r\n"
        b"X-Loop: " + b"x" * 5_000 + b"\r\nX-Other: y\r\nList-Id: =?utf-8?Q?a?= <b>\r\n\r\nx"
    )
    assert dict(found.signals) == {
        "auto-submitted": "auto-replied",
        "precedence": "bulk",
        "x-loop": "x" * 1_000,
        "list-id": "=?utf-8?Q?a?= <b>",
    }


def test_the_same_mail_twice_is_one() -> None:
    raw = mail("停止")
    again = b"Received: from elsewhere\r\nX-Trace: 2\r\n" + raw.replace(b"id abc", b"id xyz")
    assert read(raw).mail_id == read(again).mail_id
    assert len(read(raw).mail_id) == 32
    others = [
        raw.replace("停止".encode(), "開示".encode()),
        raw.replace(b"20261124@", b"20261125@"),
        raw.replace(b"<taro@", b"<jiro@"),
        raw.replace(b"Subject: Re", b"Subject: Fw"),
        raw + b"x",
    ]
    assert len({read(each).mail_id for each in [raw, *others]}) == 6


def test_a_cut_mail_twice_is_one() -> None:
    raw = mail("x\n" * 1_500_000)
    again = b"Received: from elsewhere\r\n" + raw
    ids = {read(each[:2_000_000], complete=False).mail_id for each in (raw, again)}
    assert len(ids) == 1
    assert "too_large" in read(raw[:2_000_000], complete=False).unread


# --- tokens -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"https://mail.example.jp/u/{TOKEN}",
        f"<https://mail.example.jp/u/{TOKEN}>です",
        f"> > https://mail.example.jp/u/{TOKEN[:30]}\n> > {TOKEN[30:]}\n> > abc",
        f"https://mail.example.jp/u/{TOKEN[:1]}\n{TOKEN[1:]}\n\nabc",
        f"https://mail.example.jp/u/\n> {TOKEN}",
        f"https://mail.example.jp/u/{TOKEN[:30]}=\n{TOKEN[30:]}",
        f"mailto:stop+{TOKEN}@mail.example.jp",
        f"mailto:stop%2B{TOKEN}@mail.example.jp",
        f"https://safe.example/?url=https%3A%2F%2Fmail.example.jp%2Fu%2F{TOKEN}&data=x",
        f"/u/{TOKEN} /u/{TOKEN}?x=1 /u/{TOKEN}\n",
    ],
)
@pytest.mark.parametrize("encoding", ["8bit", "base64"])
def test_tokens(text: str, encoding: str) -> None:
    body = base64.encodebytes(text.encode()) if encoding == "base64" else text.encode()
    assert read(mail(body, encoding=encoding)).tokens == (TOKEN,)


def test_tokens_across_soft_breaks_and_in_links() -> None:
    folded = f"https://mail.example.jp/u/{TOKEN[:9]}=\n{TOKEN[9:]}"
    assert read(mail(folded, encoding="quoted-printable")).tokens == (TOKEN,)
    link = f'<a href="https://mail.example.jp/u/{TOKEN}">x</a><a href="mailto:stop+{OTHER}@x">y</a>'
    assert read(html(link)).tokens == (TOKEN, OTHER)


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"/u/{TOKEN}A",
        f"/u/{TOKEN[:-1]}",
        f"/u/{TOKEN[:-1]}!",
        f"stop {TOKEN}",
        f"/v/{TOKEN}",
    ],
)
def test_no_token(text: str) -> None:
    assert read(mail(text)).tokens == ()


def test_ten_tokens_at_most() -> None:
    assert len(read(mail("\n".join(f"/u/{n:02}{TOKEN[2:]}" for n in range(30)))).tokens) == 10


# --- parts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "attachments"),
    [
        (SAMPLES["mixed_with_alternative"].raw, 1),
        (SAMPLES["attached_text_is_not_read"].raw, 1),
        (SAMPLES["attached_message"].raw, 0),
        (multipart("mixed", part("x", "text/calendar"), part("x", "image/png"), part("y")), 2),
        (mail("JVBERi0", content_type="application/pdf", encoding="base64"), 1),
        (mail("x"), 0),
    ],
)
def test_attachments_are_counted(raw: bytes, attachments: int) -> None:
    assert read(raw).attachments == attachments


def test_an_attached_message_is_quoted_whole() -> None:
    found = read(SAMPLES["attached_message"].raw)
    assert OURS.replace("\n\n", "\n") in found.quoted.replace("\n\n", "\n")
    digest = multipart("digest", f"\nSubject: a\n\n{FOOTER}\n")
    assert (read(digest).words, read(digest).quoted) == ("", FOOTER)


@pytest.mark.parametrize(
    ("raw", "words", "unread"),
    [
        (multipart("encrypted", part("Version: 1", "application/pgp-encrypted"), part("x")), "", {"encrypted"}),
        (mail("MII", content_type="application/pkcs7-mime; smime-type=enveloped-data"), "", {"encrypted"}),
        (mail("MII", content_type="application/x-pkcs7-mime; smime-type=signed-data"), "", {"signed"}),
        (
            multipart("signed", part("停止"), part("MII", "application/pkcs7-signature; name=smime.p7s")),
            "停止",
            {"signature"},
        ),
        (SAMPLES["pgp_signed"].raw, "開示希望", {"signature"}),
        (mail("-----BEGIN PGP MESSAGE-----\nabc\n-----END PGP MESSAGE-----\n"), "", {"encrypted"}),
        (multipart("mixed", part("x"), part("eJ8", "application/ms-tnef")), "x", {"tnef"}),
        (mail("%PDF", content_type="application/pdf"), "", {"no_text"}),
        (mail("停止", content_type="multipart/mixed; boundary=none"), "停止", {"broken_mime"}),
        (mail("停止", content_type="multipart/mixed"), "停止", {"broken_mime"}),
        (mail("停止", content_type="multipart/alternative; boundary="), "停止", {"broken_mime"}),
        (mail("停止です。" * 9, encoding="base64"), "停止です。" * 9, {"encoding"}),
        (mail("begin 644 x\n", encoding="x-uuencode"), "begin 644 x", {"encoding"}),
        (mail("5YGc5q2i" * 9 + "\n--\n", encoding="base64"), "停止" * 9, {"encoding"}),
    ],
)  # fmt: skip
def test_what_could_not_be_read_is_named(raw: bytes, words: str, unread: set[str]) -> None:
    found = read(raw)
    assert (found.words, set(found.unread)) == (words, unread)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("preamble\n--b\n\na\n--b\n\nb\n--b--\nepilogue\n--b\n\nc", "a\nb"),
        ("--b\n\na\n--bb\n--b \t\n\nb", "a\n--bb\nb"),  # a longer one, white space, no end
        ("--b\n\na\n --b\nx --b\n--b--", "a\n--b\nx --b"),
        ("--b--\n--b\n\nc", "--b--\n--b\n\nc"),  # ended before it began
        ("--b\n--b\n--b--", ""),
        ("--b", ""),
        ("--b\nContent-Type: text/plain\nno empty line\n--b--", "no empty line"),
    ],
)
def test_boundaries(body: str, words: str) -> None:
    assert read(mail(body, content_type="multipart/mixed; boundary=b")).words == words


def test_an_inner_part_ends_with_the_outer_one() -> None:
    inner = 'Content-Type: multipart/mixed; boundary="=_b1_"\n\n--=_b1_\n\na\n'
    assert read(multipart("mixed", inner, part("b"))).words == "a\nb"
    assert (
        read(multipart("mixed", nested("mixed", part("a"), boundary="=_b"), part("b"))).words
        == "a\nb"
    )


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/mixed;\r\n\tboundary="=_b1"',
        "Multipart/Mixed ; x=y; BOUNDARY==_b1; charset=utf-8",
        'multipart/mixed; boundary="=\\_b1"',
        'multipart/mixed; boundary="=_b1',
        "multipart/mixed; boundary*0==_b1",
    ],
)
def test_content_types_as_they_are_written(content_type: str) -> None:
    found = read(mail(parts(part("a")), content_type=content_type))
    assert "a" in found.words


@pytest.mark.parametrize(
    ("raw", "words", "subject"),
    [
        (b"From taro Tue Nov 24\nSubject: a\n\nb", "b", "a"),
        (b"Subject: a\nb is no header\nc", "b is no header\nc", "a"),
        (b"Subject: a\n \t\nb", "b", "a"),
        (b"\nb", "b", ""),
        (b"b", "b", ""),
        (b"Subject: a", "", "a"),
        (b"", "", ""),
        (b" continued\nSubject: a\n\nb", "continued\nSubject: a\n\nb", ""),
    ],
)
def test_where_headers_end(raw: bytes, words: str, subject: str) -> None:
    found = read(raw)
    assert (found.words, found.subject) == (words, subject)


# --- reports ------------------------------------------------------------------------------------


def test_a_delivery_report() -> None:
    assert read(DSN).report == Report(
        kind=ReportKind.BOUNCE,
        recipient="gone@example.jp",
        status="5.1.1",
        diagnostic="smtp; 550 5.1.1 User unknown",
        tokens=(TOKEN,),
    )


@pytest.mark.parametrize(
    ("action", "status", "diagnostic", "kind"),
    [
        ("failed", "5.1.1", "", ReportKind.BOUNCE),
        ("Failed (gone)", "5.2.2 (full)", "", ReportKind.BOUNCE),
        ("failed", "4.2.2", "", ReportKind.SOFT_BOUNCE),
        ("failed", "", "smtp; 550 no such user", ReportKind.BOUNCE),
        ("failed", "", "smtp; 452 full", ReportKind.SOFT_BOUNCE),
        ("failed", "", "", ReportKind.SOFT_BOUNCE),
        ("delayed", "4.4.1", "", ReportKind.DELAY),
        ("delivered", "2.1.5", "", ReportKind.OTHER),
        ("relayed", "2.0.0", "", ReportKind.OTHER),
        ("nonsense", "5.0.0", "", ReportKind.OTHER),
    ],
)
def test_delivery_reports(action: str, status: str, diagnostic: str, kind: ReportKind) -> None:
    report = read(delivery(action, status, diagnostic)).report
    assert report is not None
    assert (report.kind, report.recipient, report.tokens) == (kind, "x@example.jp", ())


@pytest.mark.parametrize(
    ("feedback_type", "kind"),
    [
        ("abuse", ReportKind.COMPLAINT),
        ("Abuse", ReportKind.COMPLAINT),
        ("fraud", ReportKind.COMPLAINT),
        ("not-spam", ReportKind.OTHER),
        ("auth-failure", ReportKind.OTHER),
    ],
)
def test_feedback_reports(feedback_type: str, kind: ReportKind) -> None:
    report = read(feedback(feedback_type)).report
    assert report == Report(
        kind=kind, recipient="user@example.com", diagnostic=feedback_type.lower(), tokens=(TOKEN,)
    )


def test_read_receipts_say_nothing_of_delivery() -> None:
    fields = part(
        "Disposition: manual-action/MDN-sent-manually; displayed",
        "message/disposition-notification",
    )
    report = read(multipart("report", part("read"), fields)).report
    assert report == Report(kind=ReportKind.OTHER)


def test_a_report_may_return_headers_only_or_nothing_known() -> None:
    returned = part("MIME", "image/png")
    report = read(
        multipart("report", part("x"), part("Action: failed", "message/delivery-status"), returned)
    )
    assert report.report == Report(kind=ReportKind.SOFT_BOUNCE)
    assert report.attachments == 1


def test_an_empty_report() -> None:
    for kind, expected in (
        ("delivery-status", ReportKind.OTHER),
        ("feedback-report", ReportKind.OTHER),
    ):
        report = read(multipart("report", part("x"), part("", f"message/{kind}"))).report
        assert report == Report(kind=expected)


@pytest.mark.parametrize(
    "raw",
    [
        mail("Hi. This is the qmail-send program.\n<gone@example.jp>:\nSorry, no mailbox here\n"),
        multipart(
            "mixed", part("見てください"), part("Action: failed\n", "message/delivery-status")
        ),
        multipart("mixed", part("x"), part(DSN.decode(), "message/rfc822")),
        mail(MARKED),
        html(HTML_OURS),
    ],
)
def test_what_is_no_report(raw: bytes) -> None:
    assert read(raw).report is None
