"""Every code the API can answer with has its Japanese words in the console."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from functions.console import strings
from functions.console.render import clause, day, lasting, when, word
from functions.staff_api.schemas import Channel
from shared.adapters import mailer
from shared.domain import eligibility
from shared.domain.address import AddressKind
from shared.domain.campaigns import SES_FAILED, CampaignStatus, Outcome, PauseReason
from shared.domain.cases import CaseKind, CaseState, StepKind, Task
from shared.domain.contact import Contact
from shared.domain.eligibility import Profile, judge
from shared.domain.events import UNSUBSCRIBE_REASONS, EventKind, Source
from shared.domain.feedback import REFUSALS_BY_SES
from shared.domain.figures import Fate
from shared.domain.forms import FormKind
from shared.domain.inbound import Mailbox
from shared.domain.recipient import Finding
from shared.inbox import read
from shared.texts.consent import Language, TextId

CONDITIONS = [condition.name for condition in judge(Contact("0" * 32), Profile.STATUTE).conditions]
RULES = Path(eligibility.__file__).read_text("utf-8")
UNMET = re.findall(r'"\w+", False, "(\w+)"', RULES)
REFUSALS = re.findall(r"EventKind\.(\w+): \(", RULES.partition("_REFUSAL_WORDS = {")[2])
REFUSED = [EventKind[name] for name in REFUSALS]
REFUSED_BY_SES = [
    code
    for codes in (mailer._OF_STATUS, mailer._OF_ERROR)
    for code, fate in codes.items()
    if fate is mailer.Fate.REFUSED
] + [f"ses_{kind}" for kind in REFUSALS_BY_SES]
# As the reader of mail explains them.
UNREAD = re.findall(r"``(\w+)``", str(read.__doc__).partition("``unread``:")[2])


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (strings.EVENTS, EventKind),
        (strings.SOURCES, Source),
        (strings.OUTCOMES, Outcome),
        (strings.STATUSES, CampaignStatus),
        (strings.PAUSE_REASONS, PauseReason),
        (strings.RECEIVED, [*Fate, "unsubscribed"]),
        (strings.REQUEST_KINDS, CaseKind),
        (strings.REQUEST_HINTS, CaseKind),
        (strings.REQUEST_STATES, CaseState),
        (strings.MAILBOXES, [*Mailbox, ""]),
        (strings.TASKS, set(Task) - {Task.NONE}),
        (strings.UNREAD, UNREAD),
        (strings.FINDINGS, Finding),
        (strings.FORM_KINDS, FormKind),
        (strings.TEXTS, TextId),
        (strings.LANGUAGES, Language),
        (strings.ADDRESS_KINDS, AddressKind),
        (strings.CHANNELS, Channel),
        (strings.UNSUBSCRIBE_REASONS, UNSUBSCRIBE_REASONS),
        (strings.CONDITIONS, CONDITIONS),
        (strings.REASONS, [*UNMET, *REFUSED, "frequency_cap", SES_FAILED, *REFUSED_BY_SES]),
    ],
)
def test_every_code_has_words_and_no_words_are_left_over(
    words: Mapping[str, str], codes: Iterable[str]
) -> None:
    assert set(words) == set(codes)
    assert all(text.strip() for text in words.values())


def test_the_reasons_were_found() -> None:
    assert len(UNMET) >= 9
    assert len(REFUSED) == 5


def test_what_cannot_be_read_was_found() -> None:
    assert len(UNREAD) >= 13


def test_tones_are_of_events_and_steps() -> None:
    assert set(strings.TONES) <= set(EventKind)
    assert set(strings.STEP_TONES) <= set(StepKind)


def test_an_unknown_code_shows_itself() -> None:
    assert word("new_code", strings.REASONS) == "new_code"


def test_times_are_japans() -> None:
    assert "2026年1月1日(木) 00:30" in when("2025-12-31T15:30:00Z")
    assert "2025年12月31日(水)" in day("2025-12-31")
    assert when("2025-12-31T15:30:00Z").startswith('<time datetime="2025-12-31T15:30:00Z">')


def test_clauses_name_their_source() -> None:
    assert clause("A3") == "マニュアル A3"
    assert clause("法3条1項1号") == "法3条1項1号"


def test_durations_are_rounded_up() -> None:
    assert [lasting(seconds) for seconds in (0, 60, 61, 3600, 3661)] == [
        "1分以内", "1分以内", "約2分", "約1時間0分", "約1時間2分",
    ]  # fmt: skip
