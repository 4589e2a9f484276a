"""Unsubscribe tokens in a text, whatever mail programs did to the link around them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.domain.links import TOKEN_LENGTH

MAX_TOKENS = 10

# A line break may stand between any two characters: with a soft break of quoted-printable, with
# a header's indent, with the marks of a quotation. Link checkers write %2F.
_BREAK = r"(?:=?\r?\n[> \t]{0,20})?"
_LINK = re.compile(
    rf"(?:(?:/|%2F){_BREAK}u{_BREAK}(?:/|%2F)|stop(?:\+|%2B)){_BREAK}"
    rf"((?:[\w-]{_BREAK}){{{TOKEN_LENGTH - 1}}}[\w-])(?![\w-])",
    re.IGNORECASE | re.ASCII,
)
_BROKEN = re.compile(r"[^\w-]", re.ASCII)


def tokens_in(texts: Iterable[str]) -> tuple[str, ...]:
    """The distinct tokens, in their order, at most ``MAX_TOKENS``."""
    found: dict[str, None] = {}
    for text in texts:
        for match in _LINK.finditer(text):
            found.setdefault(_BROKEN.sub("", match[1]))
            if len(found) == MAX_TOKENS:
                return tuple(found)
    return tuple(found)
