"""Life of a campaign, as pure transitions.

    draft ── test sent ── approved ── scheduled ──┐
                             └──────────────── sending ⇄ paused ── done
    draft, approved, scheduled, sending, paused ── cancelled

Editing after approval withdraws it, and taking back a schedule leads back to approved. A
campaign is sent once: nothing leads out of done or cancelled, and a clone is a new campaign.
A scheduled start means nothing by itself: when it arrives, ``is_due`` asks whether the
campaign (still) waits for it. Each transition takes the campaign as it was read
and gives it as it should be; the store saves it only if it is still what was read, so of two
people at once one succeeds and the other is told.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.audience import Audience
from shared.domain.campaigns import Campaign, CampaignStatus, PauseReason
from shared.domain.errors import Conflict, FieldProblem, NotAllowed, Unprocessable
from shared.domain.events import stamp

LATEST_START = timedelta(days=365)
# Clocks differ, and EventBridge Scheduler starts within a minute.
_TOLERANCE = timedelta(minutes=1)
_BEFORE_SENDING = frozenset(
    {CampaignStatus.DRAFT, CampaignStatus.APPROVED, CampaignStatus.SCHEDULED}
)
_ENDED = frozenset({CampaignStatus.DONE, CampaignStatus.CANCELLED})


def content_hash(campaign: Campaign) -> str:
    """What a test and an approval refer to: subject, body, hand-edited text and audience.

    The same in every process: sets are sorted, moments spelt in UTC.
    """
    audience = campaign.audience
    parts = (
        campaign.subject,
        campaign.body,
        campaign.text,
        sorted(audience.sources),
        sorted(audience.form_ids),
        sorted(audience.municipalities),
        stamp(audience.registered_from) if audience.registered_from else "",
        stamp(audience.registered_until) if audience.registered_until else "",
        audience.received,
        audience.not_received,
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def edited(
    campaign: Campaign,
    *,
    subject: str,
    body: str,
    text: str,
    audience: Audience,
    actor: str,
) -> Campaign:
    """A new content. Whatever was approved or scheduled before is a draft again.

    Raises:
        Conflict: sending has begun, or the campaign has ended.
    """
    _require(campaign, _BEFORE_SENDING, "edit")
    return replace(
        campaign,
        subject=subject,
        body=body,
        text=text,
        audience=audience,
        edited_by=actor,
        authors=campaign.authors | {actor},
        status=CampaignStatus.DRAFT,
        approved_by="",
        approved_at=None,
        scheduled_for=None,
    )


def tested(campaign: Campaign) -> Campaign:
    """A test of exactly this content was sent.

    Raises:
        Conflict: sending has begun, or the campaign has ended.
    """
    _require(campaign, _BEFORE_SENDING, "test")
    return replace(campaign, tested_hash=content_hash(campaign))


def approved(
    campaign: Campaign, *, actor: str, now: datetime, author_may_approve: bool
) -> Campaign:
    """Approved for sending. Approving again by the same person changes nothing.

    Raises:
        NotAllowed: the approver wrote or edited it, and the setting asks for somebody else.
        Conflict: not a draft, or no test of this content was sent.
    """
    if campaign.status is CampaignStatus.APPROVED and campaign.approved_by == actor:
        return campaign
    _require(campaign, {CampaignStatus.DRAFT}, "approve")
    if actor in campaign.authors | {campaign.created_by} and not author_may_approve:
        raise NotAllowed(
            "author_cannot_approve",
            "作成・編集した本人は承認できません。ほかの担当者に承認を依頼してください。",
            "Whoever wrote or edited a campaign cannot approve it.",
        )
    if campaign.tested_hash != content_hash(campaign):
        raise Conflict(
            "not_tested",
            "承認の前に、この内容でテスト送信をしてください。",
            "Send a test of this content before it is approved.",
        )
    return replace(campaign, status=CampaignStatus.APPROVED, approved_by=actor, approved_at=now)


def scheduled(campaign: Campaign, *, at: datetime, now: datetime) -> Campaign:
    """To be started at a moment in the future.

    Raises:
        Unprocessable: ``at`` is past, or more than a year ahead.
        Conflict: not approved.
    """
    _require(campaign, {CampaignStatus.APPROVED, CampaignStatus.SCHEDULED}, "schedule")
    if not now < at <= now + LATEST_START:
        raise Unprocessable(
            {
                "at": FieldProblem(
                    "not_in_future",
                    "配信日時は、これから1年以内の日時を指定してください。",
                    "Give a moment within the coming year.",
                )
            }
        )
    return replace(campaign, status=CampaignStatus.SCHEDULED, scheduled_for=at)


def unscheduled(campaign: Campaign) -> Campaign:
    """Approved still, but nothing starts by itself. Repeating it changes nothing.

    Raises:
        Conflict: it is neither scheduled nor approved.
    """
    if campaign.status is CampaignStatus.APPROVED:
        return campaign
    _require(campaign, {CampaignStatus.SCHEDULED}, "unschedule")
    return replace(campaign, status=CampaignStatus.APPROVED, scheduled_for=None)


def is_due(campaign: Campaign, *, now: datetime) -> bool:
    """Whether a scheduled start that arrives now is the one the campaign waits for.

    A start that was left behind (edited, moved, taken back, cancelled or sent since) is not.
    """
    return (
        campaign.status is CampaignStatus.SCHEDULED
        and campaign.scheduled_for is not None
        and campaign.scheduled_for - _TOLERANCE <= now
    )


def started(campaign: Campaign, *, now: datetime) -> Campaign:
    """Sending begins. Starting one that is sending changes nothing.

    Raises:
        Conflict: not approved, paused, or ended.
    """
    if campaign.status is CampaignStatus.SENDING:
        return campaign
    _require(campaign, {CampaignStatus.APPROVED, CampaignStatus.SCHEDULED}, "send")
    return replace(campaign, status=CampaignStatus.SENDING, started_at=now)


def paused(campaign: Campaign, reason: PauseReason) -> Campaign:
    """No further recipient is claimed until it is resumed.

    Raises:
        Conflict: it is not sending.
    """
    if campaign.status is CampaignStatus.PAUSED:
        return campaign
    _require(campaign, {CampaignStatus.SENDING}, "pause")
    return replace(campaign, status=CampaignStatus.PAUSED, pause_reason=reason)


def resumed(campaign: Campaign) -> Campaign:
    """Sending goes on where it stopped. Resuming one that is sending changes nothing.

    Raises:
        Conflict: it is not paused.
    """
    if campaign.status is CampaignStatus.SENDING:
        return campaign
    _require(campaign, {CampaignStatus.PAUSED}, "resume")
    return replace(campaign, status=CampaignStatus.SENDING, pause_reason=None)


def cancelled(campaign: Campaign) -> Campaign:
    """Nobody further gets it, ever. Cancelling twice changes nothing.

    Raises:
        Conflict: it is done.
    """
    if campaign.status is CampaignStatus.CANCELLED:
        return campaign
    _require(campaign, set(CampaignStatus) - _ENDED, "cancel")
    return replace(campaign, status=CampaignStatus.CANCELLED, scheduled_for=None)


def cloned(campaign: Campaign, *, campaign_id: str, actor: str, now: datetime) -> Campaign:
    """A new draft with the same content."""
    return Campaign(
        campaign_id=campaign_id,
        subject=campaign.subject,
        body=campaign.body,
        text=campaign.text,
        audience=campaign.audience,
        created_by=actor,
        created_at=now,
        cloned_from=campaign.campaign_id,
    )


_SENDS = frozenset({"send", "approve", "schedule", "resume"})
_NAMES = {
    CampaignStatus.DRAFT: "下書き",
    CampaignStatus.APPROVED: "承認済み",
    CampaignStatus.SCHEDULED: "予約済み",
    CampaignStatus.SENDING: "送信中",
    CampaignStatus.PAUSED: "一時停止中",
    CampaignStatus.CANCELLED: "中止",
    CampaignStatus.DONE: "送信済み",
}


def _require(
    campaign: Campaign, allowed: set[CampaignStatus] | frozenset[CampaignStatus], action: str
) -> None:
    if campaign.status in allowed:
        return
    if campaign.status in _ENDED and action in _SENDS:
        raise Conflict(
            "already_sent",
            f"この配信は「{_NAMES[campaign.status]}」です。同じ配信を二度送ることはできません。"
            "複製して新しい配信を作ってください。",
            f"The campaign is {campaign.status}; it cannot be sent twice. Clone it instead.",
        )
    raise Conflict(
        f"cannot_{action}",
        f"この配信は「{_NAMES[campaign.status]}」のため、この操作はできません。",
        f"The campaign is {campaign.status}; it cannot be changed this way.",
    )
