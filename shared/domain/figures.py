"""A campaign in numbers: how many got it, who did not and why, how long it still takes.

Opens and clicks are not among them: see ``docs/decisions.md``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.campaigns import Outcome

DIGITS = "0123456789abcdef"
"""The first digits of contact ids: one for each shard of the mailing list."""

_RECENT = timedelta(minutes=5)


class Fate(StrEnum):
    """What SES reported about a mail it has."""

    DELIVERED = "delivered"
    BOUNCED = "bounced"
    SOFT_BOUNCED = "soft_bounced"
    COMPLAINED = "complained"


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """What SES answered for a batch: a letter for each recipient ("s" sent, "x" rejected)."""

    batch: str
    at: datetime
    codes: str

    def code(self, number: str) -> str:
        """The letter of one recipient."""
        return self.codes[int(number) : int(number) + 1]


@dataclass(slots=True)
class CampaignFigures:
    """Added up from what is stored; every person is in exactly one of
    ``sent``, ``rejected``, ``undecided`` and ``skipped``."""

    lines: int = 0  # people whose turn has come
    sent: int = 0
    rejected: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    fates: Counter[Fate] = field(default_factory=Counter)
    unsubscribed: int = 0
    batches: dict[str, BatchRecord] = field(default_factory=dict)

    def add_batch(self, batch: BatchRecord) -> None:
        """SES's answers to one call."""
        self.batches[batch.batch] = batch
        self.sent += batch.codes.count("s")
        self.rejected += batch.codes.count("x")

    def add_fates(self, fates: Mapping[Fate, int]) -> None:
        """What became of the mails of one batch."""
        self.fates.update(fates)

    def add_line(self, outcome: Outcome, reason: str, slot: str) -> None:
        """A person whose own line says more than their batch. After all batches."""
        if outcome is Outcome.SKIPPED:
            self.skipped[reason] += 1
            return
        name, _, number = slot.partition(".")
        batch = self.batches.get(name)
        code = batch.code(number) if batch else ""
        self.sent += (outcome is Outcome.SENT) - (code == "s")
        self.rejected += (outcome is Outcome.REJECTED) - (code == "x")

    @property
    def delivered(self) -> int:
        """Their mail servers took it."""
        return self.fates[Fate.DELIVERED]

    @property
    def bounced(self) -> int:
        """Came back for good."""
        return self.fates[Fate.BOUNCED]

    @property
    def soft_bounced(self) -> int:
        """Did not arrive this time."""
        return self.fates[Fate.SOFT_BOUNCED]

    @property
    def complained(self) -> int:
        """Reported it as spam."""
        return self.fates[Fate.COMPLAINED]

    @property
    def outcomes(self) -> dict[Outcome, int]:
        """Everybody whose turn has come, by what became of it; without zeros."""
        found = {
            Outcome.SENT: self.sent,
            Outcome.REJECTED: self.rejected,
            Outcome.CLAIMED: self.undecided,
            Outcome.SKIPPED: self.skipped.total(),
        }
        return {outcome: number for outcome, number in found.items() if number}

    @property
    def received(self) -> dict[str, int]:
        """What was heard of it afterwards."""
        return {**{fate: self.fates[fate] for fate in Fate}, "unsubscribed": self.unsubscribed}

    @property
    def eligible(self) -> int:
        """Those who were to get it when their turn came."""
        return self.lines - self.skipped.total()

    @property
    def undecided(self) -> int:
        """Claimed, and not known yet whether SES has it."""
        return max(self.eligible - self.sent - self.rejected, 0)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far sending has come. ``seconds_left`` is None where nothing moves."""

    fraction: float
    per_second: float
    seconds_left: int | None


def progress(
    figures: CampaignFigures,
    open_digits: Collection[str],
    reached: Mapping[str, str],
    now: datetime,
) -> Progress:
    """How far, how fast, how much longer.

    Contact ids are keyed hashes, so they are spread evenly, and each shard of the list is
    walked in their order: ``reached``, the last id with a line in each open shard, says which
    part of it is done. So nobody needs to be counted beforehand.
    """
    if not open_digits:
        return Progress(1.0, 0.0, 0)
    parts = [_part(reached.get(digit, "")) if digit in open_digits else 1.0 for digit in DIGITS]
    fraction = sum(parts) / len(parts)
    per_second = _rate(figures.batches.values(), now)
    if not fraction or not per_second:
        return Progress(fraction, per_second, None)
    left = figures.eligible * (1 - fraction) / fraction
    return Progress(fraction, per_second, round(left / per_second))


def _part(last: str) -> float:
    return int(last[1:9], 16) / 16**8 if last else 0.0


def _rate(batches: Collection[BatchRecord], now: datetime) -> float:
    """Mails a second over the last minutes, from the first batch in them."""
    recent = [batch for batch in batches if now - batch.at <= _RECENT]
    if not recent:
        return 0.0
    seconds = max((now - min(batch.at for batch in recent)).total_seconds(), 1.0)
    return sum(len(batch.codes) for batch in recent) / seconds
