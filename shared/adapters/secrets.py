"""Keys from Secrets Manager, kept in memory for the life of the process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from shared.adapters.aws import translated
from shared.domain.links import LinkKeys

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class Secrets:
    """Reads the two secrets. Only what a function's role allows can be read through it."""

    def __init__(self, client: SecretsManagerClient) -> None:
        self._client = client
        self._cache: dict[str, str] = {}

    def contact_key(self, secret_id: str) -> bytes:
        """The key of contact ids. Never rotates: lookups and suppression depend on it."""
        return self._read(secret_id).encode()

    def link_keys(self, secret_id: str, *, fresh: bool = False) -> LinkKeys:
        """Every unsubscribe link key; ``fresh`` asks again (a key may have been added)."""
        if fresh:
            self._cache.pop(secret_id, None)
        ring = json.loads(self._read(secret_id))
        current = ring.pop("current")
        return LinkKeys(current, {key_id: key.encode() for key_id, key in ring.items()})

    def _read(self, secret_id: str) -> str:
        if secret_id not in self._cache:
            with translated("secrets"):
                answer = self._client.get_secret_value(SecretId=secret_id)
            self._cache[secret_id] = answer["SecretString"]
        return self._cache[secret_id]
