"""Days that count: business days in Japan, and the terms laws set (manual R1, S4).

In a term of days or business days the day of receipt does not count, whatever day it is
(民法 140条): what comes in on a Friday, on the weekend or on a holiday has the next open day for
its first. Where GDPR applies, its month ends on the same date of the next month, or with that
month where there is no such date (Regulation 1182/71, article 3); it is not moved off weekends
and holidays, so it is never later than any reading of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import jpholiday

from shared.domain.retention import japanese_day

WARN_DAYS = 10  # 個人情報保護法 39条: after two weeks the person may go to court
_DAY = timedelta(days=1)
_SATURDAY = 5
_DAY_OFF = re.compile(r"(\d{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_MOST_YEARLY = 200


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """Weekdays that are neither national holidays nor days off of the company.

    ``days_off``: ``MM-DD`` is off every year, ``YYYY-MM-DD`` once.

    Raises:
        ValueError: a day off is written otherwise, or hardly a day is left.
    """

    days_off: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if wrong := sorted(day for day in self.days_off if not _DAY_OFF.fullmatch(day)):
            raise ValueError(f"days off are MM-DD or YYYY-MM-DD: {', '.join(wrong)}")
        if sum(len(day) == len("MM-DD") for day in self.days_off) > _MOST_YEARLY:
            raise ValueError("hardly a day is left to work on")

    def is_open(self, day: date) -> bool:
        """Whether people work that day."""
        iso = day.isoformat()
        return not (
            day.weekday() >= _SATURDAY
            or jpholiday.is_holiday(day)
            or iso in self.days_off
            or iso[5:] in self.days_off
        )

    def after(self, day: date, business_days: int) -> date:
        """The so-manieth open day after ``day``, which does not count itself."""
        for _ in range(business_days):
            day += _DAY
            while not self.is_open(day):
                day += _DAY
        return day


@dataclass(frozen=True, slots=True)
class Terms:
    """What is promised."""

    business_days: int

    def due(self, received: date, calendar: BusinessCalendar) -> date:
        """The last day on which it is still done in time."""
        return calendar.after(received, self.business_days)


def japan_date(at: datetime) -> date:
    """The day it is in Japan."""
    return japanese_day(at)


def warn_on(received: date) -> date:
    """Day 10."""
    return received + WARN_DAYS * _DAY


def gdpr_month(received: date) -> date:
    """The last day of GDPR's month (article 12(3))."""
    first = (received.replace(day=1) + 31 * _DAY).replace(day=1)
    last = (first + 31 * _DAY).replace(day=1) - _DAY
    return first.replace(day=min(received.day, last.day))
