"""What DynamoDB bills: the size of an item in bytes, and request units.

As "DynamoDB item sizes and formats" and "DynamoDB throughput capacity" of the Developer Guide
count them: names and values in UTF-8, numbers a byte for two digits and one more, three bytes
for each map and list and one more for each of its elements. A unit writes 1 kB or reads 4 kB;
eventually consistent reads cost half, transactions twice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def size(item: Mapping[str, Any]) -> int:
    """Bytes of a stored item."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(attribute: Mapping[str, Any]) -> int:
    [(kind, value)] = attribute.items()
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _value_size(v) for name, v in value.items())
    if kind == "L":
        return 3 + sum(1 + _value_size(each) for each in value)
    if kind == "SS":
        return sum(len(each.encode()) for each in value)
    if kind == "N":
        return math.ceil(len(value) / 2) + 1
    return len(value.encode()) if kind == "S" else 1


def written(size_: float) -> int:
    """Write units for an item of so many bytes."""
    return max(1, math.ceil(size_ / 1024))


def read(size_: float) -> int:
    """Read units, strongly consistent, for an item or a query's page of so many bytes."""
    return max(1, math.ceil(size_ / 4096))
