"""How long a consent's record is kept: month ends, leap years, the day in Japan."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.campaigns import Entry, Outcome
from shared.domain.retention import japanese_day, retention, term_end


def entry(outcome: Outcome, at: datetime) -> Entry:
    return Entry("c", "p", outcome, at)


@pytest.mark.parametrize(
    ("sent", "month", "three_years"),
    [
        ("2026-11-24", "2026-12-24", "2029-11-24"),
        ("2026-12-31", "2027-01-31", "2029-12-31"),
        ("2027-01-27", "2027-02-27", "2030-01-27"),
        ("2027-01-28", "2027-02-28", "2030-01-28"),
        ("2027-01-29", "2027-02-28", "2030-01-29"),
        ("2027-01-30", "2027-02-28", "2030-01-30"),
        ("2027-01-31", "2027-02-28", "2030-01-31"),
        ("2028-01-29", "2028-02-29", "2031-01-29"),
        ("2028-01-30", "2028-02-29", "2031-01-30"),
        ("2028-01-31", "2028-02-29", "2031-01-31"),
        ("2027-02-27", "2027-03-27", "2030-02-27"),
        ("2027-02-28", "2027-03-31", "2030-02-28"),  # the term begins on 1 March
        ("2025-02-28", "2025-03-31", "2028-02-29"),
        ("2028-02-28", "2028-03-28", "2031-02-28"),  # begins on 29 February: none in 2031
        ("2028-02-29", "2028-03-31", "2031-02-28"),
        ("2027-04-30", "2027-05-31", "2030-04-30"),
        ("2027-05-30", "2027-06-30", "2030-05-30"),
        ("2027-05-31", "2027-06-30", "2030-05-31"),
    ],
)
def test_terms(sent: str, month: str, three_years: str) -> None:
    day = date.fromisoformat(sent)
    assert term_end(day, 1) == date.fromisoformat(month)
    assert term_end(day, 36) == date.fromisoformat(three_years)


@given(st.dates(date(2020, 1, 1), date(2099, 12, 31)), st.integers(1, 60))
def test_a_term_is_never_shorter_than_its_months(day: date, months: int) -> None:
    """The end lies in the month counted to, never before the day of the same number there."""
    end = term_end(day, months)
    counted = (end.year * 12 + end.month) - (day.year * 12 + day.month)
    assert counted == months
    following = end + timedelta(days=1)
    assert end.day >= day.day or following.day == 1
    assert term_end(day + timedelta(days=1), months) >= end


def test_the_last_mail_counts_and_the_longer_term() -> None:
    kept = retention(
        [
            entry(Outcome.SENT, datetime(2026, 11, 2, 3, tzinfo=UTC)),
            entry(Outcome.SENT, datetime(2026, 11, 24, 3, tzinfo=UTC)),
            entry(Outcome.SKIPPED, datetime(2026, 12, 24, 3, tzinfo=UTC)),
            entry(Outcome.REJECTED, datetime(2026, 12, 24, 3, tzinfo=UTC)),
        ]
    )
    assert kept is not None
    assert kept.last_sent_on == date(2026, 11, 24)
    assert kept.email_act_until == date(2026, 12, 24)
    assert kept.keep_until == kept.commerce_act_until == date(2029, 11, 24)


def test_a_mail_that_may_have_gone_counts() -> None:
    kept = retention([entry(Outcome.CLAIMED, datetime(2026, 11, 24, tzinfo=UTC))])
    assert kept is not None


def test_nothing_sent_no_term() -> None:
    assert retention([]) is None
    assert retention([entry(Outcome.SKIPPED, datetime(2026, 11, 24, tzinfo=UTC))]) is None


def test_days_are_japans() -> None:
    assert japanese_day(datetime(2026, 12, 31, 15, 0, tzinfo=UTC)) == date(2027, 1, 1)
    assert japanese_day(datetime(2026, 12, 31, 14, 59, tzinfo=UTC)) == date(2026, 12, 31)
