"""A campaign and what becomes of each recipient."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.audience import EVERYONE, Audience
from shared.domain.errors import FieldProblem, Unprocessable


class CampaignStatus(StrEnum):
    """Life of a campaign; what leads where is ``lifecycle``."""

    DRAFT = "draft"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


class PauseReason(StrEnum):
    """Why no further recipient is claimed for now."""

    STAFF = "staff"
    REPUTATION = "reputation"  # too many bounces or complaints
    ACCOUNT = "account"  # SES refuses everything: paused, unverified, suspended


class Outcome(StrEnum):
    """What the ledger holds for one recipient of one campaign."""

    CLAIMED = "claimed"  # ours to send; whether SES has it is not yet recorded
    RETRY = "retry"  # SES surely does not have it (throttled); send again
    SENT = "sent"  # SES has it
    SKIPPED = "skipped"  # not eligible at the moment of sending
    REJECTED = "rejected"  # SES refused this recipient for good


@dataclass(frozen=True, slots=True)
class Campaign:
    """One bulk mail: subject and Markdown body, for whom, and how far it has come.

    ``text`` is the hand-edited text part, empty where it is made from ``body``. ``authors``
    are all who edited it, ``edited_by`` is the last of them. ``version``
    counts the saves, so that nobody overwrites what somebody else saved meanwhile.
    """

    campaign_id: str
    subject: str
    body: str
    created_by: str
    created_at: datetime
    status: CampaignStatus = CampaignStatus.DRAFT
    text: str = ""
    audience: Audience = EVERYONE
    edited_by: str = ""
    authors: frozenset[str] = frozenset()
    tested_hash: str = ""
    approved_by: str = ""
    approved_at: datetime | None = None
    scheduled_for: datetime | None = None
    started_at: datetime | None = None
    pause_reason: PauseReason | None = None
    cloned_from: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One ledger line: what became of ``contact_id`` in ``campaign_id``, since ``at``."""

    campaign_id: str
    contact_id: str
    outcome: Outcome
    at: datetime
    reason: str = ""
    message_id: str = ""


class Step(StrEnum):
    """What the sender does next about a recipient that already has a ledger line."""

    NOTHING = "nothing"
    WAIT = "wait"
    SEND = "send"


def next_step(entry: Entry, now: datetime, settle: timedelta) -> Step:
    """Decide about a recipient that was claimed before.

    A claim without an outcome means the sender died, or SES's answer was lost. Whether SES
    accepted is then known only to SES, whose send event settles the entry. Only when none has
    come for ``settle`` was it never accepted, and only then is it sent again.
    """
    if entry.outcome is Outcome.RETRY:
        return Step.SEND
    if entry.outcome is not Outcome.CLAIMED:
        return Step.NOTHING
    return Step.SEND if now - entry.at >= settle else Step.WAIT


_MAX_SUBJECT = 100
# Controls, line and paragraph separators, lone surrogates. (Not ``str.isprintable``: it would
# refuse the ideographic space and composed emoji, both common in subjects.)
_NOT_TEXT = frozenset({"Cc", "Zl", "Zp", "Cs"})
_MAX_BODY = 20_000


def check_content(subject: str, body: str, text: str = "") -> None:
    """Refuse a campaign whose own text cannot be sent.

    Raises:
        Unprocessable: naming ``subject``, ``body`` or ``text``.
    """
    problems: dict[str, FieldProblem] = {}
    if not subject.strip() or len(subject) > _MAX_SUBJECT or not _is_text(subject):
        problems["subject"] = FieldProblem(
            "subject",
            f"件名を1行、1〜{_MAX_SUBJECT}文字で入力してください。",
            f"Enter a subject of one line, 1 to {_MAX_SUBJECT} characters.",
        )
    if not body.strip() or len(body) > _MAX_BODY or not _is_text(body, also="\t\r\n"):
        problems["body"] = FieldProblem(
            "body",
            f"本文を1〜{_MAX_BODY}文字で入力してください。",
            f"Enter a body of 1 to {_MAX_BODY} characters.",
        )
    if len(text) > _MAX_BODY or not _is_text(text, also="\t\r\n"):
        problems["text"] = FieldProblem(
            "text",
            f"テキスト版の本文は{_MAX_BODY}文字以内で入力してください。",
            f"Enter a text part of at most {_MAX_BODY} characters, or none.",
        )
    if problems:
        raise Unprocessable(problems)


def _is_text(text: str, *, also: str = "") -> bool:
    return all(c in also or unicodedata.category(c) not in _NOT_TEXT for c in text)
