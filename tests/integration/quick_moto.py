"""What costs moto most, done quicker: its transactions' copying, and spelling items in answers.

It copies whole tables once for each action. A backup for the rollback needs the items that the
transaction touches, and no others. And in an answer it looks for each of ten possible types of
each attribute under several names.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb import models
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table


@contextmanager
def quick_transactions() -> Iterator[None]:
    """While this lasts, a transaction costs what it touches."""
    loaded: Any = models
    backend = loaded.DynamoDBBackend
    slow, module = backend.transact_write_items, loaded.copy

    def transact(self: Any, transact_items: list[Any]) -> None:
        touched = [next(iter(action.values())) for action in transact_items]
        loaded.copy = _Copier(touched)
        try:
            slow(self, transact_items)
        finally:
            loaded.copy = module

    backend.transact_write_items = transact
    try:
        yield
    finally:
        backend.transact_write_items = slow


@contextmanager
def quick_answers() -> Iterator[None]:
    """While this lasts, an attribute is spelled as what it is."""
    serializer: Any = BaseJSONSerializer
    slow = serializer._serialize_type_structure

    def structure(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == "AttributeValue":
            serialized[key] = _spelled(value)
        else:
            slow(self, serialized, value, shape, key)

    serializer._serialize_type_structure = structure
    try:
        yield
    finally:
        serializer._serialize_type_structure = slow


def _spelled(attribute: Any) -> dict[str, Any]:
    if isinstance(attribute, DynamoType):
        kind, value = attribute.type, attribute.value
    else:
        [(kind, value)] = attribute.items()
    if kind == "M":
        return {kind: {name: _spelled(each) for name, each in value.items()}}
    return {kind: [_spelled(each) for each in value] if kind == "L" else value}


class _Copier:
    """In place of the module ``copy``: a table is copied once, and only where it is touched."""

    def __init__(self, touched: list[dict[str, Any]]) -> None:
        self._touched = touched
        self._made: dict[str, Table] = {}

    def deepcopy(self, thing: Any) -> Any:
        if not isinstance(thing, Table):
            return copy.deepcopy(thing)
        if thing.name not in self._made:
            self._made[thing.name] = self._backup(thing)
        return self._made[thing.name]

    def _backup(self, table: Table) -> Table:
        made = copy.copy(table)
        items: Any = {
            key: held if isinstance(held, Item) else dict(held) for key, held in table.items.items()
        }
        made.items = type(table.items)(getattr(table.items, "default_factory", None), items)
        for action in self._touched:
            if action["TableName"] == table.name:
                self._own(made, action.get("Key") or action["Item"])
        return made

    @staticmethod
    def _own(table: Table, key: dict[str, Any]) -> None:
        held: Any = table.items
        for name in table.table_key_attrs:
            part = DynamoType(key[name])
            if part not in held:
                return
            if isinstance(held[part], Item):
                held[part] = copy.deepcopy(held[part])
            else:
                held = held[part]
