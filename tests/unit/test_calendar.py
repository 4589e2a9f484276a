"""Business days in Japan and the terms of law (R1, S4)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.calendar import BusinessCalendar, Terms, gdpr_month, japan_date, warn_on

NATIONAL = BusinessCalendar()
COMPANY = BusinessCalendar(frozenset({"12-29", "12-30", "12-31", "01-02", "01-03", "2026-11-24"}))
days = st.dates(date(2024, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2026, 11, 20), True),  # Friday
        (date(2026, 11, 21), False),  # Saturday
        (date(2026, 11, 22), False),  # Sunday
        (date(2026, 11, 23), False),  # 勤労感謝の日
        (date(2026, 5, 6), False),  # 振替休日: the 3rd was a Sunday
        (date(2026, 9, 22), False),  # 国民の休日: between two holidays
        (date(2026, 11, 24), True),
        (date(2026, 12, 29), True),
    ],
)
def test_national_holidays_and_weekends(day: date, is_open: bool) -> None:
    assert NATIONAL.is_open(day) is is_open


def test_company_days_off_every_year_or_once() -> None:
    assert not COMPANY.is_open(date(2026, 12, 29))
    assert not COMPANY.is_open(date(2027, 12, 29))
    assert not COMPANY.is_open(date(2026, 11, 24))
    assert COMPANY.is_open(date(2027, 11, 24))


@pytest.mark.parametrize("wrong", ["1-2", "2026-1-2", "12-32", "13-01", "12/29", "", "26-12-29"])
def test_a_day_off_that_cannot_be_read_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="MM-DD"):
        BusinessCalendar(frozenset({"12-29", wrong}))


def test_a_company_that_never_works_is_refused() -> None:
    first = date(2026, 1, 1)
    every = frozenset(f"{first + timedelta(days=n):%m-%d}" for n in range(365))
    with pytest.raises(ValueError, match="day is left"):
        BusinessCalendar(every)
    BusinessCalendar(frozenset(f"{first + timedelta(days=n)}" for n in range(365)))


@pytest.mark.parametrize(
    "received", [date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22), date(2026, 11, 23)]
)
def test_the_day_of_receipt_does_not_count_whatever_day_it_is(received: date) -> None:
    """民法 140条: from Friday, the weekend or the holiday, Tuesday is the first day."""
    assert NATIONAL.after(received, 1) == date(2026, 11, 24)
    assert NATIONAL.after(received, 4) == date(2026, 11, 27)
    assert NATIONAL.after(received, 5) == date(2026, 11, 30)


def test_over_the_end_of_the_year() -> None:
    terms = Terms(8)
    assert terms.due(date(2026, 12, 25), COMPANY) == date(2027, 1, 13)
    assert terms.due(date(2026, 12, 25), NATIONAL) == date(2027, 1, 7)


@given(days, st.integers(1, 40))
def test_so_many_open_days_and_no_others_lie_between(day: date, count: int) -> None:
    end = COMPANY.after(day, count)
    between = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert sum(map(COMPANY.is_open, between)) == count
    assert COMPANY.is_open(end)


def test_the_day_is_japans() -> None:
    assert japan_date(datetime(2026, 11, 30, 14, 59, tzinfo=UTC)) == date(2026, 11, 30)
    assert japan_date(datetime(2026, 11, 30, 15, 0, tzinfo=UTC)) == date(2026, 12, 1)


def test_day_10() -> None:
    """個人情報保護法 39条."""
    assert warn_on(date(2026, 11, 24)) == date(2026, 12, 4)


@pytest.mark.parametrize(
    ("received", "last"),
    [
        (date(2027, 3, 5), date(2027, 4, 5)),
        (date(2027, 1, 31), date(2027, 2, 28)),
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2028, 1, 29), date(2028, 2, 29)),
        (date(2027, 8, 31), date(2027, 9, 30)),
        (date(2027, 2, 28), date(2027, 3, 28)),
        (date(2026, 12, 31), date(2027, 1, 31)),
        (date(2026, 12, 1), date(2027, 1, 1)),
    ],
)
def test_gdprs_month(received: date, last: date) -> None:
    """The same date of the next month, or its last day (Regulation 1182/71, article 3)."""
    assert gdpr_month(received) == last


@given(days)
def test_gdprs_month_is_the_next_and_never_longer_than_the_calendars(received: date) -> None:
    last = gdpr_month(received)
    assert (last.year * 12 + last.month) - (received.year * 12 + received.month) == 1
    assert timedelta(days=28) <= last - received <= timedelta(days=31)
