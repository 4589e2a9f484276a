"""Days and times as people say them."""

from __future__ import annotations

from datetime import date, datetime

from shared.texts.consent import Language

_WEEKDAYS = "月火水木金土日"


def day(on: date, language: Language) -> str:
    """2026年11月27日(金) / Friday, 27 November 2026."""
    if language is Language.JA:
        return f"{on.year}年{on.month}月{on.day}日({_WEEKDAYS[on.weekday()]})"
    return f"{on:%A}, {on.day} {on:%B %Y}"


def moment(here: datetime, language: Language) -> str:
    """The same with the time of day. ``here`` is Japan's time already."""
    if language is Language.JA:
        half = "午前" if here.hour < 12 else "午後"
        return f"{day(here, language)} {half}{here.hour % 12}時{here.minute:02}分"
    return f"{day(here, language)}, {here:%H:%M} (Japan time)"
