"""What SES reports about mail, by EventBridge: each fact goes to whom and what it is about.

A send event settles what the sender could not know. A permanent bounce makes the address
undeliverable, repeated soft ones hold it, a complaint stops it (manual S4, U1). Where bounces
or complaints pass a limit, every running campaign pauses.

Events may come twice, late, or in any order; each is harmless: facts are named after what is
reported, marks and counts move once with them, and a campaign pauses once for what it has got.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.soft_bounces import hold_if_repeated
from shared.adapters import aws
from shared.adapters.campaigns import CampaignStore
from shared.adapters.contacts import ContactStore
from shared.adapters.figures import Figures
from shared.adapters.ledger import Ledger
from shared.adapters.secrets import Secrets
from shared.domain import lifecycle
from shared.domain.address import AddressError, contact_id, parse_address
from shared.domain.campaigns import Campaign, CampaignStatus, PauseReason
from shared.domain.errors import Conflict, Unavailable
from shared.domain.events import Event, EventKind
from shared.domain.feedback import (
    FATE_OF,
    PROOFS_OF_SENDING,
    REFUSALS_BY_SES,
    Breach,
    Counts,
    Limits,
    Notice,
    NoticeKind,
    Recipient,
    breach,
    facts_of,
    is_ours,
    read,
)
from shared.domain.figures import Fate
from shared.settings import SesFeedbackSettings, load
from shared.telemetry import count, logger

_TRIES = 5
_HARMFUL = frozenset({EventKind.BOUNCED, EventKind.COMPLAINED})


@dataclass(frozen=True)
class Deps:
    """What the handler works with."""

    settings: SesFeedbackSettings
    contacts: ContactStore
    campaigns: CampaignStore
    ledger: Ledger
    figures: Figures
    secrets: Secrets


@cache
def _deps() -> Deps:
    settings = load(SesFeedbackSettings, os.environ)
    dynamodb = aws.dynamodb()
    return Deps(
        settings,
        ContactStore(dynamodb, settings.contacts_table, settings.events_table),
        CampaignStore(dynamodb, settings.campaigns_table),
        Ledger(dynamodb, settings.ledger_table, settings.contacts_table),
        Figures(dynamodb, settings.ledger_table, settings.events_table),
        Secrets(aws.secretsmanager()),
    )


@logger.inject_lambda_context
def handler(event: Mapping[str, Any], _context: object, deps: Deps | None = None) -> None:
    """Note one event. What is not about our mail, or means nothing here, is ignored."""
    deps = deps or _deps()
    if not is_ours(event, deps.settings.configuration_set, deps.settings.mail_domain):
        logger.warning("not ours", extra={"source": str(event.get("source"))[:50]})
        return
    notice = read(event["detail"])
    if notice is None:
        logger.info("ignored")
        return
    logger.info(
        "notice",
        extra={
            "kind": notice.kind,
            "type": notice.type,
            "sub_type": notice.sub_type,
            "message_id": notice.message_id,
            "campaign_id": notice.campaign_id,
        },
    )
    if notice.campaign_id and notice.contact_id and notice.slot:
        _note_on_ledger(notice, deps)
    facts = facts_of(notice, _people(notice, deps))
    for fact in facts:
        _record(notice, fact, deps)
    if notice.campaign_id and any(f.kind in _HARMFUL for f in facts):
        _guard_reputation(notice.campaign_id, deps)


def _note_on_ledger(notice: Notice, deps: Deps) -> None:
    """What SES did with one recipient's mail. A mail of no batch is a test: it has no line."""
    campaign, contact, slot = notice.campaign_id, notice.contact_id, notice.slot
    if notice.kind in REFUSALS_BY_SES:
        deps.figures.reject(campaign, contact, slot, f"ses_{notice.kind}")
    if notice.kind in PROOFS_OF_SENDING:
        deps.ledger.note_sent(campaign, contact, slot, notice.message_id)
    if notice.kind is NoticeKind.DELIVERY:
        deps.figures.mark(campaign, slot, Fate.DELIVERED)


def _people(notice: Notice, deps: Deps) -> list[tuple[str, Recipient]]:
    """The contacts a bounce or complaint is about.

    A message to one person names them by a tag, which survives forwarding. Otherwise the
    address that SES reports is looked up as every address is, by its keyed hash.
    """
    if notice.kind not in {NoticeKind.BOUNCE, NoticeKind.COMPLAINT}:
        return []
    if notice.contact_id:
        return [(notice.contact_id, notice.recipients[0])]
    key = deps.secrets.contact_key(deps.settings.contact_key_secret)
    found = []
    for recipient in notice.recipients:
        try:
            address = parse_address(recipient.address)
        except AddressError:
            logger.error("no address", extra={"message_id": notice.message_id})
            continue
        found.append((contact_id(address.lookup, key), recipient))
    return found


def _record(notice: Notice, fact: Event, deps: Deps) -> None:
    """The fact with its count; then its mark on the ledger, and what follows from many."""
    deps.contacts.record(fact, also=deps.figures.count(notice.campaign_id, fact.kind))
    count(f"Feedback_{fact.kind}")
    logger.info("recorded", extra={"contact_id": fact.contact_id, "event": fact.kind})
    if notice.campaign_id and notice.contact_id and notice.slot:
        deps.figures.mark(notice.campaign_id, notice.slot, FATE_OF[fact.kind])
    hold_if_repeated(
        deps.contacts,
        fact,
        bounces=deps.settings.soft_bounces,
        days=deps.settings.soft_bounce_days,
    )


def _guard_reputation(campaign_id: str, deps: Deps) -> None:
    """Pause every running campaign where this one's mail is received too badly."""
    settings = deps.settings
    limits = Limits(
        settings.bounces_per_thousand, settings.complaints_per_thousand, settings.reputation_minimum
    )
    reception = deps.figures.reception(campaign_id)
    now = reception.now
    found = breach(now.since(reception.at_pause), limits)
    if found or now.sent - reception.at_pause.sent < limits.minimum:
        # `sent` only grows: if what was counted last suffices, counting again changes nothing.
        now = Counts(deps.figures.count_sent(campaign_id), now.bounced, now.complained)
        found = breach(now.since(reception.at_pause), limits)
    if found:
        _alarm(campaign_id, found, now)
        for campaign in deps.campaigns.all():
            if campaign.status is CampaignStatus.SENDING:
                _pause(campaign, deps)
        deps.figures.note_pause(campaign_id, now)


def _alarm(campaign_id: str, found: Breach, counts: Counts) -> None:
    count("ReputationBreach")
    logger.error(
        "reputation",
        extra={
            "campaign_id": campaign_id,
            "breach": found,
            "sent": counts.sent,
            "bounced": counts.bounced,
            "complained": counts.complained,
        },
    )


def _pause(campaign: Campaign, deps: Deps) -> None:
    for _ in range(_TRIES):
        try:
            deps.campaigns.save(campaign, lifecycle.paused(campaign, PauseReason.REPUTATION))
        except Conflict:
            campaign = deps.campaigns.get(campaign.campaign_id)
            if campaign.status is not CampaignStatus.SENDING:
                return
        else:
            logger.warning("paused", extra={"campaign_id": campaign.campaign_id})
            return
    raise Unavailable("feedback:contention")
