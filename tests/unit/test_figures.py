"""Figures of a campaign: every person counted once, and how long it still takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.domain.campaigns import Outcome
from shared.domain.figures import (
    DIGITS,
    BatchRecord,
    CampaignFigures,
    Fate,
    Progress,
    progress,
)

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def figures(*batches: BatchRecord, lines: int = 0) -> CampaignFigures:
    made = CampaignFigures(lines=lines)
    for batch in batches:
        made.add_batch(batch)
    return made


def test_everyone_is_counted_once() -> None:
    made = figures(BatchRecord("b1", NOW, "ssx?r"), BatchRecord("b2", NOW, "s"), lines=9)
    made.add_line(Outcome.SKIPPED, "unsubscribed", "")
    made.add_line(Outcome.SKIPPED, "unsubscribed", "")
    made.add_line(Outcome.SENT, "", "b1.3")  # SES's own event said so
    made.add_line(Outcome.REJECTED, "ses_reject", "b2.0")  # taken, then not sent
    made.add_line(Outcome.SENT, "", "b3.0")  # of a batch whose record was never written
    made.add_line(Outcome.SENT, "", "b1.0")  # both say it
    made.add_line(Outcome.REJECTED, "ses_reject", "b1.2")
    assert (made.sent, made.rejected, made.undecided) == (4, 2, 1)
    assert made.skipped == {"unsubscribed": 2}
    assert made.eligible == 7
    assert made.outcomes == {"sent": 4, "rejected": 2, "claimed": 1, "skipped": 2}
    assert figures().outcomes == {}
    assert made.sent + made.rejected + made.undecided + made.skipped.total() == made.lines


def test_fates() -> None:
    made = figures()
    made.add_fates({Fate.DELIVERED: 2, Fate.BOUNCED: 1})
    made.add_fates({Fate.DELIVERED: 3, Fate.SOFT_BOUNCED: 4, Fate.COMPLAINED: 5})
    made.unsubscribed = 6
    assert made.received == {
        "delivered": 5, "bounced": 1, "soft_bounced": 4, "complained": 5, "unsubscribed": 6,
    }  # fmt: skip
    assert (made.delivered, made.bounced, made.soft_bounced, made.complained) == (5, 1, 4, 5)


def test_progress_by_how_far_each_shard_is() -> None:
    made = figures(BatchRecord("b1", NOW - timedelta(seconds=10), "s" * 50), lines=50)
    half = dict.fromkeys(DIGITS, "08" + "0" * 30)
    found = progress(made, DIGITS, {d: d + "8" + "0" * 30 for d in half}, NOW)
    assert found == Progress(0.5, 5.0, 10)
    # Closed shards are through; one that has not begun is at its beginning.
    found = progress(made, "01", {"0": "0" + "8" + "0" * 30}, NOW)
    assert found.fraction == (14 + 0.5) / 16


def test_progress_where_nothing_moves() -> None:
    made = figures(BatchRecord("b1", NOW - timedelta(hours=1), "s"), lines=1)
    assert progress(made, (), {}, NOW) == Progress(1.0, 0.0, 0)
    assert progress(made, DIGITS, {}, NOW) == Progress(0.0, 0.0, None)
    assert progress(made, "0", {}, NOW) == Progress(15 / 16, 0.0, None)
    just_now = figures(BatchRecord("b1", NOW, "ss"), lines=2)
    assert progress(just_now, DIGITS, {}, NOW) == Progress(0.0, 2.0, None)
