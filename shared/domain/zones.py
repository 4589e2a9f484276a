"""Time zones that moments are written in. Japan has kept one offset since 1951, so no database
of zones is needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

TOKYO = timezone(timedelta(hours=9), "Asia/Tokyo")


class Zone(StrEnum):
    """A zone by the name AWS knows it by."""

    TOKYO = "Asia/Tokyo"
    UTC = "UTC"

    def wall_clock(self, at: datetime) -> str:
        """What a clock there shows, to the second: ``2026-12-01T10:00:00``."""
        local = at.astimezone(TOKYO if self is Zone.TOKYO else UTC)
        return local.replace(tzinfo=None).isoformat(timespec="seconds")


def in_tokyo(at: datetime) -> datetime:
    """A moment written without a zone is meant in Japan."""
    return at if at.tzinfo else at.replace(tzinfo=TOKYO)
