"""Plain values as DynamoDB attributes and back: text, whole numbers, booleans, lists, maps,
sets of text.

boto3 has this, but importing any part of boto3 loads S3's transfer manager with it, which
is a third of a cold start; and it would read numbers as decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def to_attribute(value: object) -> dict[str, Any]:
    """One value as DynamoDB wants it.

    Raises:
        TypeError: a kind of value that is not stored here.
    """
    if isinstance(value, str):
        return {"S": str(value)}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, Mapping):
        return {"M": to_item(value)}
    if isinstance(value, frozenset):
        return {"SS": sorted(value)}
    if isinstance(value, (list, tuple)):
        return {"L": [to_attribute(each) for each in value]}
    raise TypeError(f"not stored: {type(value).__name__}")


def to_item(values: Mapping[str, object]) -> dict[str, Any]:
    """A mapping as an item or map attribute."""
    return {name: to_attribute(value) for name, value in values.items()}


def from_attribute(attribute: Mapping[str, Any]) -> Any:
    """Inverse of ``to_attribute``; a set of text reads as a frozenset."""
    ((kind, value),) = attribute.items()
    if kind == "M":
        return from_item(value)
    if kind == "L":
        return [from_attribute(each) for each in value]
    if kind == "N":
        return int(value)
    return frozenset(value) if kind == "SS" else value


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Inverse of ``to_item``."""
    return {name: from_attribute(value) for name, value in item.items()}
