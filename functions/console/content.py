"""What a campaign says and to whom, between the form's fields and the API's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from functions.console import strings
from functions.console.api import Json
from shared.domain.events import Source
from shared.domain.zones import TOKYO, in_tokyo

# Those through which people give a permission; the others of ``Source`` take it away.
SOURCES = (Source.MUNICIPAL_LP, Source.WEB_FORM, Source.IN_PERSON, Source.PHONE, Source.IMPORT)
_CHOICES = ("sources", "form_ids", "municipalities")
_NOTHING: Json = {
    "sources": [],
    "form_ids": [],
    "municipalities": [],
    "registered_from": None,
    "registered_until": None,
    "received": "",
    "not_received": "",
}


def empty() -> Json:
    """A content nobody has written yet."""
    return {"subject": "", "body": "", "text": "", "audience": dict(_NOTHING)}


def read(fields: Mapping[str, str]) -> Json:
    """The form's fields as the API takes them. What is no date goes on as it is: the API says so.

    A choice of several has one field for each, ``sources.phone``.
    """
    until = fields.get("registered_until", "").strip()
    return {
        "subject": fields.get("subject", ""),
        "body": _lines(fields.get("body", "")),
        "text": _lines(fields.get("text", "")),
        "audience": {
            **{name: _chosen(fields, name) for name in _CHOICES},
            "registered_from": _moment(fields.get("registered_from", "").strip()),
            "registered_until": _moment(until, days=0 if "T" in until else 1),
            "received": fields.get("received", ""),
            "not_received": fields.get("not_received", ""),
        },
    }


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _chosen(fields: Mapping[str, str], name: str) -> list[str]:
    return sorted(key.partition(".")[2] for key in fields if key.startswith(f"{name}."))


def _moment(text: str, *, days: int = 0) -> str | None:
    """A day, or a moment, in Japan."""
    if not text:
        return None
    try:
        return (in_tokyo(datetime.fromisoformat(text)) + timedelta(days=days)).isoformat()
    except (ValueError, OverflowError):
        return text


def shown_moment(text: str | None, *, last: bool) -> str:
    """What a date field shows: a day where it is a whole one, else the moment itself.

    ``last``: the day is the last one of those meant, while the API names the moment after it.
    """
    if not text:
        return ""
    try:
        at = datetime.fromisoformat(text).astimezone(TOKYO)
    except (ValueError, OverflowError):
        return text
    if (at.hour, at.minute, at.second, at.microsecond) != (0, 0, 0, 0):
        return at.replace(tzinfo=None).isoformat()
    return (at - timedelta(days=1 if last else 0)).date().isoformat()


def told(audience: Json, forms: Mapping[str, str], subjects: Mapping[str, str]) -> list[Json]:
    """The conditions of an audience for people to read; none where it is everyone."""
    start = shown_moment(audience["registered_from"], last=False)
    end = shown_moment(audience["registered_until"], last=True)
    period = f"{_dated(start)} から" if start else ""
    period += f"{' ' if start else ''}{_dated(end)} まで" if end else ""
    found = [
        ("同意の経路", _joined(strings.SOURCES.get(each, each) for each in audience["sources"])),
        ("フォーム", _joined(forms.get(each, each) for each in audience["form_ids"])),
        ("自治体", _joined(audience["municipalities"])),
        ("登録日", period),
        ("受け取った方", _subject(audience["received"], subjects)),
        ("受け取っていない方", _subject(audience["not_received"], subjects)),
    ]
    return [{"name": name, "value": value} for name, value in found if value]


def _joined(values: Iterable[str]) -> str:
    return "、".join(values)


def _subject(campaign_id: str, subjects: Mapping[str, str]) -> str:
    return f"「{subjects.get(campaign_id, campaign_id)}」" if campaign_id else ""


def _dated(shown: str) -> str:
    """``2026-11-24`` as ``2026年11月24日``; a moment with its time."""
    day, _, time = shown.partition("T")
    parts = day.split("-")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        return shown
    year, month, date = (int(part) for part in parts)
    return f"{year}年{month}月{date}日{f' {time}' if time else ''}"
