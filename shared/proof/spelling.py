"""How codes and sentences stand in the record: each with its words in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.words import Words, words_of

Record = dict[str, Any]


def coded(name: str, code: str, table: Mapping[str, Words]) -> Record:
    """A code, and what it is called."""
    told = words_of(code, table)
    return {name: str(code), f"{name}_ja": told.ja, f"{name}_en": told.en}


def both(told: Words, prefix: str = "") -> Record:
    """A sentence in both languages."""
    return {f"{prefix}ja": told.ja, f"{prefix}en": told.en}
