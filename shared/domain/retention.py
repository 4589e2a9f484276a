"""How long the record of a consent must be kept (law-and-mail A5, A6).

Two terms run from the day of the last campaign sent to the address, and the longer one counts:

    特定電子メール法 施行規則 4条2項   one month
    特定商取引法                       three years, where it applies

Days are Japan's. A term begins on the day after (民法 140条) and ends with the day before the
one that corresponds to its first day, or with the month where there is no such day (143条):
one month from 31 January is 28 February, and one month from 28 February is 31 March.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from shared.domain.campaigns import Entry, Outcome

JAPAN = timezone(timedelta(hours=9))
EMAIL_ACT_MONTHS = 1
COMMERCE_ACT_MONTHS = 36
# A claim without an outcome may have been sent: kept as long as if it was.
MAY_HAVE_GONE = frozenset({Outcome.CLAIMED, Outcome.SENT})


@dataclass(frozen=True, slots=True)
class Retention:
    """Until the end of which day (in Japan) the record must be kept, by each law and by both."""

    last_sent_on: date
    email_act_until: date
    commerce_act_until: date

    @property
    def keep_until(self) -> date:
        """The longer of the two."""
        return max(self.email_act_until, self.commerce_act_until)


def retention(entries: Iterable[Entry]) -> Retention | None:
    """The terms that run from the last campaign sent; None while there has been none.

    Each further campaign moves them. While campaigns may still follow, they have not begun.
    """
    sent = [entry.at for entry in entries if entry.outcome in MAY_HAVE_GONE]
    if not sent:
        return None
    day = japanese_day(max(sent))
    return Retention(day, term_end(day, EMAIL_ACT_MONTHS), term_end(day, COMMERCE_ACT_MONTHS))


def japanese_day(at: datetime) -> date:
    """The day in Japan."""
    return at.astimezone(JAPAN).date()


def term_end(day: date, months: int) -> date:
    """The last day of a term of whole months counted from ``day`` (民法 140条, 143条)."""
    first = day + timedelta(days=1)
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    begin = date(year, month + 1, 1)
    next_year, next_month = divmod(year * 12 + month + 1, 12)
    length = (date(next_year, next_month + 1, 1) - begin).days
    if first.day > length:
        return begin + timedelta(days=length - 1)
    return begin + timedelta(days=first.day - 2)
