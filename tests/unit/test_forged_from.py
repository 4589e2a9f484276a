"""Whose mail it is: nobody but who SES judged, and no mail is taken for an older one (S2, R1)."""

from __future__ import annotations

import random

import pytest

from shared.inbox import read

VICTIM, OTHER = b"hanako@example.jp", b"x@evil.example"


def senders(value: bytes) -> tuple[str, ...]:
    return read(b"From: " + value + b"\r\nMessage-ID: <1@x>\r\n\r\nstop\r\n").senders


@pytest.mark.parametrize(
    "value",
    [
        VICTIM + b" (" + b"x" * 2_500 + b") <" + OTHER + b">",
        VICTIM + b" " * 3_000 + b"<" + OTHER + b">",
        VICTIM + b" \x1b$B<ab@evil.example>\x1b(B",
        VICTIM + b" \x1b(I<ab@evil.example>\x1b(B",
        VICTIM + b" \x1b$B<ab@evil.example>",
    ],
)
def test_no_sender_where_others_may_see_another(value: bytes) -> None:
    """DMARC would pass for the other one: such a mail is read by people."""
    assert senders(value) == ()


def test_a_groups_name_is_no_place_to_hide_in() -> None:
    assert senders(OTHER + b": " + VICTIM + b";") == (OTHER.decode(), VICTIM.decode())
    assert senders(b"Friends: " + VICTIM + b";") == (VICTIM.decode(),)


def test_no_sender_where_the_headers_go_on_for_ever() -> None:
    """Another From may follow where nobody reads any more."""
    padding = b"".join(b"X-%d: %s\r\n" % (n, b"x" * 900) for n in range(400))
    raw = b"From: " + VICTIM + b"\r\n" + padding + b"From: " + OTHER + b"\r\n\r\nstop\r\n"
    mail = read(raw)
    assert mail.senders == ()
    assert "headers_cut" in mail.unread


def test_names_in_raw_kanji_disguise_nobody() -> None:
    letters = [chr(code) for code in (*range(0x3041, 0x3094), *range(0x30A1, 0x30F5))]
    letters += [
        bytes((row, cell)).decode("euc_jp")
        for row in range(0xB0, 0xCF)
        for cell in range(0xA1, 0xFF)
    ]
    chosen = random.Random(4)
    for _ in range(5_000):
        name = "".join(chosen.choices(letters, k=chosen.randint(2, 20)))
        value = name.encode("iso2022_jp") + b" <" + VICTIM + b">"
        assert senders(value) == (VICTIM.decode(),), name


def test_the_same_words_on_another_day_are_another_mail() -> None:
    """Not every program gives its mails an id."""
    first, again, later = (
        read(b"From: hanako@example.jp\r\nDate: %s\r\n\r\nstop\r\n" % date).mail_id
        for date in (
            b"Tue, 24 Nov 2026 09:40:00 +0900",
            b"Tue, 24 Nov 2026 09:40:00 +0900",
            b"Fri, 27 Nov 2026 09:40:00 +0900",
        )
    )
    assert first == again != later
