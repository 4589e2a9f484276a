"""moto's transactions without its copying: it copies whole tables once for each action.

A backup for the rollback needs the items that the transaction touches, and no others.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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
