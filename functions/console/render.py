"""Templates in, one complete page out, under a policy that allows no script at all."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from functions.console import strings
from functions.console.session import Person
from functions.console.settings import ConsoleSettings
from shared import pages
from shared.adapters.http import html_response, respond

_TEMPLATES = Path(__file__).parent / "templates"
_PUBLIC = Path(pages.__file__).parent  # the look is the public pages', with a few rules more
_JST = timezone(timedelta(hours=9))
_WEEKDAYS = "月火水木金土日"


def page(
    template: str,
    settings: ConsoleSettings,
    person: Person | None,
    *,
    status: int = 200,
    **context: object,
) -> dict[str, Any]:
    """A page as a response. ``person`` is None where nobody is signed in."""
    html = (
        _environment()
        .get_template(template)
        .render(base=settings.prefix, company=settings.company_name, person=person, **context)
    )
    return html_response(status, html, "'self'", settings.sign_in_origin)


def style() -> dict[str, Any]:
    """The style sheet. Its address changes with it, so browsers keep it for good."""
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return respond(200, _css(), "text/css; charset=utf-8", kept)


@cache
def style_path() -> str:
    """Where the style sheet is."""
    return f"/style-{hashlib.sha256(_css().encode()).hexdigest()[:12]}.css"


def redirect(location: str, cookies: tuple[str, ...] = ()) -> dict[str, Any]:
    """See other."""
    return {**respond(303, headers={"Location": location}), "cookies": list(cookies)}


def when(text: str) -> Markup:
    """``2026-11-24T06:04:00Z`` as ``2026年11月24日(火) 15:04`` in Japan."""
    at = datetime.fromisoformat(text).astimezone(_JST)
    return Markup('<time datetime="{}">{} {:%H:%M}</time>').format(text, _day(at), at)


def day(text: str) -> Markup:
    """``2026-11-24`` as ``2026年11月24日(火)``."""
    on = date.fromisoformat(text)
    return Markup('<time datetime="{}">{}</time>').format(text, _day(on))


def _day(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日({_WEEKDAYS[on.weekday()]})"


def word(code: str, words: Mapping[str, str]) -> str:
    """The Japanese for a code; the code itself where there is none yet."""
    return words.get(code, code)


def lasting(seconds: int) -> str:
    """``3700`` as ``約1時間2分``."""
    minutes = -(-seconds // 60)
    if minutes <= 1:
        return "1分以内"
    hours, rest = divmod(minutes, 60)
    return f"約{hours}時間{rest}分" if hours else f"約{minutes}分"


def clause(name: str) -> str:
    """``A3`` is the manual's; an article of the law already says so."""
    return f"マニュアル {name}" if name.isascii() else name


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader([_TEMPLATES, _PUBLIC / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(when=when, day=day, word=word, clause=clause, lasting=lasting)
    environment.globals.update(words=strings, style=style_path())
    return environment


@cache
def _css() -> str:
    """The public pages' style sheet and what the console adds, without comments."""
    files = (_PUBLIC / "style.css", _TEMPLATES / "console.css")
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    return re.sub(r"/\*.*?\*/|\n\s*", "", text, flags=re.DOTALL)
