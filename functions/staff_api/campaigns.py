"""Campaigns: write one, send it once, see what became of it (manual U1, U2)."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.staff_api.context import call_of
from functions.staff_api.schemas import CampaignIn, CampaignOut, CampaignPath, CampaignsOut
from shared.adapters.contacts import SHARDS
from shared.adapters.jobs import Job
from shared.domain import lifecycle
from shared.domain.campaigns import Campaign, Outcome, check_content
from shared.domain.events import event_id
from shared.domain.teams import Permission
from shared.telemetry import logger

router = Router()  # type: ignore[no-untyped-call]
_call = partial(call_of, router)


@router.get("/campaigns", summary="Every campaign", tags=["campaigns"])
def every() -> CampaignsOut:
    """The newest first, without figures."""
    call = _call(Permission.READ_CAMPAIGNS)
    return CampaignsOut(campaigns=[CampaignOut.of(c) for c in call.deps.campaigns.all()])


@router.post("/campaigns", summary="Write a campaign", tags=["campaigns"])
def create(body: Annotated[CampaignIn, Body()]) -> CampaignOut:
    """A draft. The same request twice makes one campaign."""
    call = _call(Permission.SEND_CAMPAIGNS)
    check_content(body.subject, body.body)
    campaign = Campaign(
        campaign_id=event_id(call.request.request_id, "campaign")[:12],
        subject=body.subject,
        body=body.body,
        created_by=call.operator,
        created_at=call.request.at,
    )
    call.deps.campaigns.create(campaign)
    logger.info("campaign created", extra={"campaign_id": campaign.campaign_id})
    return CampaignOut.of(campaign)


@router.get("/campaigns/<campaign_id>", summary="A campaign with figures", tags=["campaigns"])
def show(campaign_id: CampaignPath) -> CampaignOut:
    """How many were sent, skipped (by reason) or are still open."""
    call = _call(Permission.READ_CAMPAIGNS)
    out = CampaignOut.of(call.deps.campaigns.get(campaign_id))
    figures: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    for entry in call.deps.ledger.recipients(campaign_id):
        figures[entry.outcome] += 1
        if entry.outcome is Outcome.SKIPPED:
            skipped[entry.reason] += 1
    return out.model_copy(update={"figures": dict(figures), "skipped": dict(skipped)})


@router.post("/campaigns/<campaign_id>/send", summary="Send a campaign, once", tags=["campaigns"])
def send(campaign_id: CampaignPath) -> CampaignOut:
    """Start sending. Repeating it while it runs changes nothing; once done it is refused."""
    call = _call(Permission.SEND_CAMPAIGNS)
    campaign = call.deps.campaigns.get(campaign_id)
    call.deps.campaigns.save(
        campaign, lifecycle.started(campaign, now=call.request.at), open_shards=SHARDS
    )
    call.deps.jobs.put([Job(campaign_id, shard) for shard in SHARDS])
    logger.info("campaign started", extra={"campaign_id": campaign_id, "operator": call.operator})
    return CampaignOut.of(call.deps.campaigns.get(campaign_id))
