"""Keys from Secrets Manager, kept in memory for the life of the process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.adapters.aws import translated
from shared.domain.links import LinkKeys

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


_REREAD_AFTER_SECONDS = 10


class Secrets:
    """Reads the two secrets. Only what a function's role allows can be read through it."""

    def __init__(
        self, client: SecretsManagerClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._clock = clock
        self._cache: dict[str, str] = {}
        self._reread_at: dict[str, float] = {}

    def contact_key(self, secret_id: str) -> bytes:
        """The key of contact ids. Never rotates: lookups and suppression depend on it."""
        return self._read(secret_id).encode()

    def link_keys(self, secret_id: str, *, fresh: bool = False) -> LinkKeys:
        """Every unsubscribe link key; ``fresh`` asks again (a key may have been added).

        Forged links want fresh keys too, as often as they please: so not more often than every
        few seconds, and what is known stays known where asking fails.
        """
        ring = json.loads(self._reread(secret_id) if fresh else self._read(secret_id))
        current = ring.pop("current")
        return LinkKeys(current, {key_id: key.encode() for key_id, key in ring.items()})

    def _read(self, secret_id: str) -> str:
        if secret_id not in self._cache:
            self._ask(secret_id)
        return self._cache[secret_id]

    def _reread(self, secret_id: str) -> str:
        last, now = self._reread_at.get(secret_id), self._clock()
        if last is None or now - last >= _REREAD_AFTER_SECONDS:
            self._reread_at[secret_id] = now
            self._ask(secret_id)
        return self._read(secret_id)

    def _ask(self, secret_id: str) -> None:
        with translated("secrets"):
            answer = self._client.get_secret_value(SecretId=secret_id)
        self._cache[secret_id] = answer["SecretString"]
