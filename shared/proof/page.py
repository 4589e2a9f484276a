"""The record as one page for people: complete in itself, no script, made to be printed.

It shows what the record says and nothing else, and carries the record's own bytes, so that
the JSON file can be taken out of the page.
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from shared import pages
from shared.domain.events import parse_stamp
from shared.domain.retention import JAPAN
from shared.proof.canonical import canonical_json, sha256
from shared.proof.sentences import moment
from shared.proof.spelling import Record
from shared.proof.strings import STRINGS
from shared.words import ACTORS

_HERE = Path(__file__).parent
_PUBLIC = Path(pages.__file__).parent  # the look is the public pages'


class Page(NamedTuple):
    """A page and the Content-Security-Policy it works under, which it also states itself."""

    html: str
    policy: str


def proof_page(record: Record) -> Page:
    """The page of a record."""
    text = canonical_json(record)
    digest = sha256(text)
    css = _css().replace("SHA-256-OF-THE-RECORD", digest)
    style = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"
    html = (
        _environment()
        .get_template("proof.html")
        .render(
            record=record,
            digest=digest,
            policy=policy,
            css=css,
            t=STRINGS,
            actors=ACTORS,
            file_name=f"optin-proof-{digest[:16]}.json",
            data=f"data:application/json;base64,{base64.b64encode(text.encode()).decode()}",
        )
    )
    return Page(html, policy)


def when(stamp: str) -> Markup:
    """A time to the second in Japan, and as the record has it."""
    at = parse_stamp(stamp)
    shown = f"{moment(at).ja}:{at.astimezone(JAPAN):%S}"
    return Markup('<time datetime="{0}">{1}</time> <span class="utc">{0}</span>').format(
        stamp, shown
    )


def day(text: str) -> Markup:
    """A day in Japanese."""
    at = date.fromisoformat(text)
    return Markup('<time datetime="{}">{}年{}月{}日</time>').format(text, at.year, at.month, at.day)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader([_HERE / "templates", _PUBLIC / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(when=when, day=day)
    return environment


@cache
def _css() -> str:
    """The public pages' style sheet and what this page adds, without comments."""
    files = (_PUBLIC / "style.css", _HERE / "templates" / "proof.css")
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    return re.sub(r"/\*.*?\*/|\n\s*", "", text, flags=re.DOTALL)
