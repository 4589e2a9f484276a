"""One campaign's mail with places for what differs: as SES's bulk call wants it, and filled here.

SES fills a template with Handlebars. The only expressions in ours are triple-stash places
``{{{v_…}}}``, whose values are escaped beforehand; every brace and backslash that an author, a
company name or a value brings is spelled so that Handlebars takes it for text. What ``fill``
makes is therefore, byte for byte, what SES makes of the same data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import Final

from shared.mail.variables import value_of

LINK: Final = "v_link"
"""The key of the signed end of the unsubscribe link."""

# Text has no entities, so each gets a place of its own. Two opening braces would begin an
# expression, a closing one after a place ends something else, a backslash before one quotes it.
_LITERALS: Mapping[str, str] = MappingProxyType({"{": "v_open", "}": "v_close", "\\": "v_back"})
_SPECIAL = re.compile(r"[{}\\]")
_ANGLE = re.compile(r"[<>]")
_TAG = re.compile(r"""<[a-z][^>"]*(?:"[^"]*"[^>"]*)*>""")
_PLACE = re.compile(r"\{\{\{(v_\w+)\}\}\}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a variable's value goes: under ``key`` as text, under ``html_key`` escaped."""

    key: str
    name: str
    default: str

    @property
    def html_key(self) -> str:
        """The name of the place in the HTML part."""
        return f"{self.key}_h"


@dataclass(frozen=True, slots=True)
class Template:
    """Subject and both parts with places, and which places there are."""

    subject: str
    text: str
    html: str
    places: tuple[Place, ...]
    keys: frozenset[str]

    def data(self, token: str, values: Mapping[str, str]) -> dict[str, str]:
        """What fills the places for one recipient. A blank value gives way to the default."""
        data = {key: char for char, key in _LITERALS.items() if key in self.keys}
        data[LINK] = token
        for place in self.places:
            value = value_of(place.name, values) or place.default
            data[place.key] = value
            data[place.html_key] = escape(value)
        return data

    def fill(self, data: Mapping[str, str]) -> tuple[str, str, str]:
        """Subject, text and HTML as SES makes them of ``data``."""

        def value(match: re.Match[str]) -> str:
            return data[match[1]]

        return (
            _PLACE.sub(value, self.subject),
            _PLACE.sub(value, self.text),
            _PLACE.sub(value, self.html),
        )


def in_text(written: str) -> str:
    """Text that Handlebars leaves as it is."""
    return _SPECIAL.sub(lambda match: _stash(_LITERALS[match[0]]), written)


def in_html(written: str) -> str:
    """HTML that Handlebars leaves as it is, and that no mail program misreads.

    A serialiser may leave ``<`` and ``>`` as they are in an attribute: not every reader copes.
    """
    tags = _TAG.sub(lambda tag: tag[0][0] + _ANGLE.sub(_entity, tag[0][1:-1]) + tag[0][-1], written)
    return _SPECIAL.sub(_entity, tags)


def places_in(*parts: str) -> frozenset[str]:
    """The keys of every place in some parts."""
    return frozenset(key for part in parts for key in _PLACE.findall(part))


def marked(text: str, marks: Mapping[str, str]) -> str:
    """``text`` with a place wherever a mark stands; ``marks`` maps words to keys."""
    return re.sub("|".join(marks), lambda match: _stash(marks[match[0]]), text)


def _stash(key: str) -> str:
    return f"{{{{{{{key}}}}}}}"


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"
