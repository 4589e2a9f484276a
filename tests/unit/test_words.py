"""Every code has its words, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pytest

from shared import words
from shared.domain.cases import CaseKind, CaseState, StepKind
from shared.domain.events import EventKind, Source
from shared.domain.inbound import Mailbox
from shared.words import Words, detail_words, words_of

TABLES = {
    name: table for name, table in vars(words).items() if name.isupper() and isinstance(table, dict)
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_words_are_in_both_languages(table: Mapping[str, Words]) -> None:
    for code, (ja, en) in table.items():
        assert re.search(r"[ぁ-んァ-ヶ一-龠]", ja), code
        assert en, code
        assert en.isascii(), code


@pytest.mark.parametrize(
    ("codes", "table"),
    [
        (CaseKind, words.CASE_KINDS),
        (CaseState, words.CASE_STATES),
        (StepKind, words.CASE_STEPS),
        ([*Mailbox, ""], words.MAILBOXES),
        (EventKind, words.EVENTS),
        (Source, words.SOURCES),
    ],
)
def test_every_code_has_words(codes: Iterable[str], table: Mapping[str, Words]) -> None:
    assert set(table) == set(codes)


def test_an_unknown_code_shows_itself() -> None:
    assert words_of("new_code", words.REASONS) == ("new_code", "new_code")


def test_a_forms_own_field_is_named() -> None:
    assert detail_words("field.name") == ("入力欄 name", "Field name")
    assert detail_words("operator").ja == "担当者"
    assert detail_words("new") == ("new", "new")
