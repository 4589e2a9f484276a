"""What differs from recipient to recipient: ``{{name|ご担当者}}`` in subject, body and text.

A variable is one of ``VARIABLES``; what follows the bar stands in where a recipient has no
value. Reading them is strict (anything else in double braces is refused with its name), so that
no recipient ever sees half a variable.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from shared.domain.errors import FieldProblem


@dataclass(frozen=True, slots=True)
class Variable:
    """What a variable stands for, for the people who write mails."""

    ja: str
    en: str


VARIABLES: Mapping[str, Variable] = MappingProxyType(
    {
        "name": Variable("お名前", "The person's name"),
        "organization": Variable("会社名・所属", "The person's company or organisation"),
        "municipality": Variable("自治体名", "The municipality of the form"),
    }
)


@dataclass(frozen=True, slots=True)
class Use:
    """A variable as an author wrote it. ``default`` is None where there is no bar."""

    name: str
    default: str | None = None


_LOOSE = re.compile(r"\{\{|\}\}|｛｛|｝｝")
# A full-width bar is what a Japanese keyboard gives.
_USE = re.compile(r"\s*([^|｜{}\s]+)\s*(?:[|｜]([^{}\r\n]*))?")
_MAX_VALUE = 200
# Names of sites may have any letters before the dot, and a Japanese full stop for it.
_LINK_LIKE = re.compile(r"//|@|[\w-][.。](?:[a-z]{2,}|みんな|コム)", re.IGNORECASE)


def replace(
    source: str, field: str, put: Callable[[Use], str], problems: dict[str, FieldProblem]
) -> str:
    """``source`` with ``put``'s answer for every variable; what is wrong goes to ``problems``."""
    wrong: list[str] = []
    filled: list[str] = []
    literals, insides = _split(source)
    for literal, inside in zip(literals, [*insides, None], strict=True):
        filled.append(literal)
        if inside is None:
            continue
        use = _USE.fullmatch(inside)
        if use is None or use[1] not in VARIABLES:
            wrong.append(_shown(f"{{{{{inside}}}}}"))
        else:
            filled.append(put(Use(use[1], None if use[2] is None else one_line(use[2]))))
    loose = next((match for text in literals if (match := _LOOSE.search(text))), None)
    if wrong:
        problems[field] = _unknown(wrong)
    elif loose:
        problems[field] = _unbalanced(
            _shown(loose.string[max(loose.start() - 5, 0) : loose.end() + 20])
        )
    return "".join(filled)


def _split(source: str) -> tuple[list[str], list[str]]:
    """What stands outside double braces and what inside: one literal more than insides."""
    literals: list[str] = []
    insides: list[str] = []
    at = 0
    while (opens := source.find("{{", at)) >= 0 and (closes := source.find("}}", opens + 2)) >= 0:
        literals.append(source[at:opens])
        insides.append(source[opens + 2 : closes])
        at = closes + 2
    return [*literals, source[at:]], insides


def one_line(value: str) -> str:
    """A value on one line, of bounded length, without anything that is not text.

    What could break a header (line breaks, controls), a UTF-8 encoder (lone surrogates) or the
    look of the words around it (direction overrides) is gone.
    """
    kept = "".join(_kept(char) for char in value[: _MAX_VALUE * 4])
    return " ".join(filter(None, kept.split(" ")))[:_MAX_VALUE].strip()


def value_of(use: str, values: Mapping[str, str]) -> str:
    """A recipient's value, or nothing where it is blank or would become a link.

    People type these values into public forms, for whatever address they like: a name like
    ``見て www.example.com`` must not turn our mail into somebody else's advertisement.
    """
    value = one_line(values.get(use, ""))
    return "" if _LINK_LIKE.search(unicodedata.normalize("NFKC", value)) else value


def uses(source: str) -> list[Use]:
    """Every variable in ``source``."""
    found: list[Use] = []

    def put(use: Use) -> str:
        found.append(use)
        return ""

    replace(source, "", put, {})
    return found


def lines(text: str) -> str:
    """A text of an author's, likewise, in as many lines as it has."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char if char in "\n\t" else _kept(char) for char in text)


_SPACES = frozenset({"Cc", "Zl", "Zp"})
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _kept(char: str) -> str:
    category = unicodedata.category(char)
    if category in _SPACES:
        return " "
    return "" if category == "Cs" or char in _OVERRIDES else char


def _shown(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= 40 else text[:40] + "…"


def _unknown(wrong: list[str]) -> FieldProblem:
    named = "、".join(f"「{use}」" for use in dict.fromkeys(wrong))
    known = "、".join(f"{{{{{name}}}}}({variable.ja})" for name, variable in VARIABLES.items())
    return FieldProblem(
        "unknown_variable",
        f"差し込み {named} は使えません。使えるのは {known} で、"
        "{{name|ご担当者}} のように「|」のあとに値がないときの言葉を書けます。",
        f"Unknown variable: {', '.join(dict.fromkeys(wrong))}. "
        f"Known ones: {', '.join(f'{{{{{name}}}}}' for name in VARIABLES)}.",
    )


def _unbalanced(near: str) -> FieldProblem:
    return FieldProblem(
        "unbalanced_braces",
        f"差し込みのかっこが合っていません(「{near}」の付近)。"
        "半角の {{ と }} で {{name|ご担当者}} のように囲んでください。",
        f"Unbalanced braces near “{near}”: write {{{{name|default}}}}.",
    )
