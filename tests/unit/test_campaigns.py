"""Campaign content, and what to do about a recipient that was claimed before (U1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.campaigns import Entry, Outcome, Step, check_content, next_step
from shared.domain.errors import Unprocessable

NOW = datetime(2026, 12, 1, tzinfo=UTC)
SETTLE = timedelta(minutes=15)


def step(outcome: Outcome, age: timedelta = timedelta(0)) -> Step:
    return next_step(Entry("c0ffee123456", "a" * 32, outcome, NOW - age), NOW, SETTLE)


@pytest.mark.parametrize("age", [timedelta(0), SETTLE, timedelta(days=9)])
def test_what_is_settled_is_left_alone(age: timedelta) -> None:
    """No second mail, however late the retry."""
    for outcome in (Outcome.SENT, Outcome.SKIPPED, Outcome.REJECTED):
        assert step(outcome, age) is Step.NOTHING


def test_what_ses_surely_does_not_have_is_sent_again() -> None:
    assert step(Outcome.RETRY) is Step.SEND


def test_an_unknown_outcome_waits_for_ses_then_sends() -> None:
    assert step(Outcome.CLAIMED) is Step.WAIT
    assert step(Outcome.CLAIMED, SETTLE - timedelta(microseconds=1)) is Step.WAIT
    assert step(Outcome.CLAIMED, SETTLE) is Step.SEND
    assert step(Outcome.CLAIMED, -timedelta(hours=1)) is Step.WAIT


def test_every_outcome_has_a_next_step() -> None:
    assert {step(outcome) for outcome in Outcome} == set(Step)


def wrong(subject: str, body: str) -> set[str]:
    with pytest.raises(Unprocessable) as refused:
        check_content(subject, body)
    for problem in refused.value.fields.values():
        assert problem.ja.endswith("。")
        assert problem.en.endswith(".")
    return set(refused.value.fields)


def test_sound_content() -> None:
    check_content("秋の無料相談会のご案内 🍁", "本文\n\n二段落目\r\n続き")
    check_content("秋の相談会　ご案内(家族👨‍👩‍👧)", "本文\tと　全角空白")
    check_content("あ" * 100, "い" * 20_000)


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "   ",
        "あ" * 101,
        "a\nBcc: x@example.jp",
        "a\r\nb",
        "a\0",
        "a\u2028b",
        "a\tb",
        "a\x85b",
        "\ud800",
    ],
)
def test_subject(subject: str) -> None:
    """One line: nothing that could become a header of its own."""
    assert wrong(subject, "本文") == {"subject"}


@pytest.mark.parametrize("body", ["", " \n ", "い" * 20_001, "a\0b", "a\x1b[31m", "\ud800"])
def test_body(body: str) -> None:
    assert wrong("件名", body) == {"body"}


def test_both() -> None:
    assert wrong("", "") == {"subject", "body"}


@pytest.mark.parametrize("text", ["い" * 20_001, "a\0b", "a\x1b[31m", "\ud800"])
def test_text_part(text: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        check_content("件名", "本文", text)
    assert set(refused.value.fields) == {"text"}


def test_a_text_part_of_ones_own_is_optional() -> None:
    check_content("件名", "本文", "")
    check_content("件名", "本文", "一行目\n二行目")
