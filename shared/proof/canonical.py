"""One spelling of a record as bytes (RFC 8785), and its SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping


def canonical_json(record: Mapping[str, object]) -> str:
    """The record's one spelling: members sorted, no white space, nothing escaped but what must be.

    For records of text, whole numbers, booleans, lists and objects with ASCII names this is
    RFC 8785.

    Raises:
        TypeError: another kind of value.
    """
    _check(record)
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sha256(text: str) -> str:
    """Hex SHA-256 of the UTF-8 text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _check(value: object) -> None:
    if isinstance(value, Mapping):
        for name, each in value.items():
            if not (isinstance(name, str) and name.isascii()):
                raise TypeError("names are ASCII")
            _check(each)
    elif isinstance(value, list):
        for each in value:
            _check(each)
    elif value is not None and not isinstance(value, (str, bool, int)):
        raise TypeError(f"not in a record: {type(value).__name__}")
