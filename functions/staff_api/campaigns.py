"""Campaigns: write one, test it, have it approved, send it once, see what became of it (U1, U2).

What may follow what is ``lifecycle``'s. A change is saved only if nobody else made one
meanwhile; what has to be done outside the store is ordered so that a crash in between never
sends anything: a schedule is made before the campaign waits for it, and taken away after the
campaign has ceased to. A schedule that is left over starts nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.staff_api.context import Call, Deps, call_of
from functions.staff_api.schemas import (
    ApprovalIn,
    CampaignEdit,
    CampaignIn,
    CampaignOut,
    CampaignPath,
    CampaignsOut,
    CampaignTestIn,
    FindingsOut,
    ProgressOut,
    ScheduleIn,
)
from shared.adapters.contacts import SHARDS, shard_prefix
from shared.adapters.jobs import Job
from shared.adapters.mailer import Fate
from shared.domain import lifecycle
from shared.domain.address import Address
from shared.domain.audience import Audience
from shared.domain.campaigns import Campaign, CampaignStatus, PauseReason, check_content
from shared.domain.contact import Contact
from shared.domain.eligibility import judge
from shared.domain.errors import Conflict, FieldProblem, NotFound, Unavailable, Unprocessable
from shared.domain.events import event_id
from shared.domain.figures import progress
from shared.domain.links import NOBODY
from shared.mail.compose import Composer, Message
from shared.mail.content import Content
from shared.mail.lint import Finding, Severity, lint
from shared.telemetry import logger

router = Router()  # type: ignore[no-untyped-call]
_call = partial(call_of, router)
_SOON = timedelta(minutes=1)  # longer than any request takes


@router.get("/campaigns", summary="Every campaign", tags=["campaigns"])
def every() -> CampaignsOut:
    """The newest first, without figures."""
    call = _call()
    return CampaignsOut(campaigns=[CampaignOut.of(c) for c in call.deps.campaigns.all()])


@router.post("/campaigns", summary="Write a campaign", tags=["campaigns"])
def create(body: Annotated[CampaignIn, Body()]) -> CampaignOut:
    """A draft. The same request twice makes one campaign."""
    call = _call()
    audience = _checked(call.deps, body)
    campaign = Campaign(
        campaign_id=_new_id(call),
        subject=body.subject,
        body=body.body,
        text=body.text,
        audience=audience,
        created_by=call.operator,
        created_at=call.request.at,
    )
    call.deps.campaigns.create(campaign)
    return _said(call, "campaign created", campaign)


@router.get("/campaigns/<campaign_id>", summary="A campaign with figures", tags=["campaigns"])
def show(campaign_id: CampaignPath) -> CampaignOut:
    """How many were sent, skipped (by reason) or are still open, how it was received, and while
    it is being sent how far that is and how much longer it takes."""
    call = _call()
    campaign = call.deps.campaigns.get(campaign_id)
    counted = call.deps.figures.of(campaign_id)
    update: dict[str, object] = {
        "figures": counted.outcomes,
        "skipped": dict(counted.skipped),
        "eligible": counted.eligible,
        "received": counted.received,
    }
    if campaign.status in {CampaignStatus.SENDING, CampaignStatus.PAUSED}:
        digits = [shard_prefix(shard) for shard in call.deps.campaigns.open_shards(campaign_id)]
        reached = call.deps.figures.reached(campaign_id, digits)
        update["progress"] = ProgressOut.of(progress(counted, digits, reached, call.request.at))
    return CampaignOut.of(campaign).model_copy(update=update)


@router.put("/campaigns/<campaign_id>", summary="Edit a campaign", tags=["campaigns"])
def edit(campaign_id: CampaignPath, body: Annotated[CampaignEdit, Body()]) -> CampaignOut:
    """Before it is sent. Whatever was approved or scheduled is a draft again."""
    call = _call()
    audience = _checked(call.deps, body)
    campaign = _read(call, campaign_id, body.version)
    changed = lifecycle.edited(
        campaign,
        subject=body.subject,
        body=body.body,
        text=body.text,
        audience=audience,
        actor=call.operator,
    )
    return _said(call, "campaign edited", _save(call, campaign, changed))


@router.get(
    "/campaigns/<campaign_id>/lint", summary="What is wrong with a campaign", tags=["campaigns"]
)
def check(campaign_id: CampaignPath) -> FindingsOut:
    """Errors block approving and sending; warnings are for people to weigh.

    Where SES cannot be asked about the sender, that is a warning: the rest is still worth seeing.
    """
    call = _call()
    campaign = call.deps.campaigns.get(campaign_id)
    try:
        verified = _verified_domains(call.deps)
    except Unavailable as error:
        logger.warning("sender unchecked", extra={"code": error.code})
        verified = None
    return FindingsOut.of(_findings(call.deps, campaign, verified))


@router.post(
    "/campaigns/<campaign_id>/test", summary="Send one test mail of a campaign", tags=["campaigns"]
)
def test(campaign_id: CampaignPath, body: Annotated[CampaignTestIn, Body()]) -> CampaignOut:
    """To an address of our own; its content counts as tested once SES has the mail.

    An address that is on record gets a test only if it may get mail. The links in a test are
    nobody's: they unsubscribe no one.
    """
    call = _call()
    campaign = call.deps.campaigns.get(campaign_id)
    changed = lifecycle.tested(campaign)
    message = _test_message(call.deps.composer(), campaign, _tester(call.deps, body.to))
    answer = call.deps.mailer.send(message)
    logger.info(
        "test mail",
        extra={"campaign_id": campaign_id, "fate": answer.fate, "reason": answer.reason},
    )
    if answer.fate is Fate.REFUSED:
        raise Conflict(
            "test_refused",
            f"メールの送信サービスがテストメールを受け付けませんでした({answer.reason})。",
            f"SES refused the test mail ({answer.reason}).",
        )
    if answer.fate is not Fate.ACCEPTED:
        raise Unavailable(f"ses:{answer.reason}")
    return _said(call, "campaign tested", _save(call, campaign, changed))


@router.post(
    "/campaigns/<campaign_id>/approve", summary="Approve a campaign for sending",
    tags=["campaigns"],
)  # fmt: skip
def approve(
    campaign_id: CampaignPath, body: Annotated[ApprovalIn | None, Body()] = None
) -> CampaignOut:
    """By somebody who did not write it, after a test. Of two at once, one is told."""
    call = _call()
    campaign = _read(call, campaign_id, body.version if body else None)
    changed = lifecycle.approved(
        campaign,
        actor=call.operator,
        now=call.request.at,
        author_may_approve=call.deps.settings.author_may_approve,
    )
    _refuse_errors(call.deps, campaign)
    return _said(call, "campaign approved", _save(call, campaign, changed))


@router.post(
    "/campaigns/<campaign_id>/schedule", summary="Send a campaign later", tags=["campaigns"]
)
def schedule(campaign_id: CampaignPath, body: Annotated[ScheduleIn, Body()]) -> CampaignOut:
    """Within the coming year, to the minute. A moment without a zone is meant in Japan."""
    call = _call()
    campaign = call.deps.campaigns.get(campaign_id)
    changed = lifecycle.scheduled(campaign, at=body.at, now=call.request.at)
    _refuse_errors(call.deps, campaign)
    if changed == campaign:  # a repeated request: only make sure
        call.deps.schedules.put(campaign)
    else:
        call.deps.schedules.put(replace(changed, version=campaign.version + 1))
        campaign = _save(call, campaign, changed)
    wait = body.at - call.request.at
    if wait <= _SOON:
        # Its start may have come before it was saved, when there was nothing to start.
        start = Job(campaign_id, "")
        call.deps.jobs.put([start], delay_seconds=math.ceil(wait.total_seconds()))
    return _said(call, "campaign scheduled", campaign)


@router.post(
    "/campaigns/<campaign_id>/unschedule", summary="Take back a schedule", tags=["campaigns"]
)
def unschedule(campaign_id: CampaignPath) -> CampaignOut:
    """It stays approved."""
    call = _call()
    return _change(call, campaign_id, "campaign unscheduled", lifecycle.unscheduled)


@router.post("/campaigns/<campaign_id>/send", summary="Send a campaign, once", tags=["campaigns"])
def send(campaign_id: CampaignPath) -> CampaignOut:
    """Start sending. Repeating it while it runs changes nothing; once done it is refused."""
    call = _call()
    campaign = call.deps.campaigns.get(campaign_id)
    changed = lifecycle.started(campaign, now=call.request.at)
    if changed != campaign:
        _refuse_errors(call.deps, campaign)
        changed = _save(call, campaign, changed, begins=True)
    _queue_open_shards(call.deps, campaign_id)
    return _said(call, "campaign started", changed)


@router.post("/campaigns/<campaign_id>/pause", summary="Pause sending", tags=["campaigns"])
def pause(campaign_id: CampaignPath) -> CampaignOut:
    """Nobody further is claimed until it is resumed."""
    call = _call()
    by_staff = partial(lifecycle.paused, reason=PauseReason.STAFF)
    return _change(call, campaign_id, "campaign paused", by_staff)


@router.post("/campaigns/<campaign_id>/resume", summary="Resume sending", tags=["campaigns"])
def resume(campaign_id: CampaignPath) -> CampaignOut:
    """Go on where it stopped. Repeating it is harmless."""
    call = _call()
    out = _change(call, campaign_id, "campaign resumed", lifecycle.resumed)
    _queue_open_shards(call.deps, campaign_id)
    return out


@router.post("/campaigns/<campaign_id>/cancel", summary="Cancel a campaign", tags=["campaigns"])
def cancel(campaign_id: CampaignPath) -> CampaignOut:
    """For good: nobody further gets it. Repeating it is harmless."""
    call = _call()
    return _change(call, campaign_id, "campaign cancelled", lifecycle.cancelled)


@router.post(
    "/campaigns/<campaign_id>/clone", summary="A new draft with the same content",
    tags=["campaigns"],
)  # fmt: skip
def clone(campaign_id: CampaignPath) -> CampaignOut:
    """Of any campaign there is. The same request twice makes one."""
    call = _call()
    new = lifecycle.cloned(
        call.deps.campaigns.get(campaign_id),
        campaign_id=_new_id(call),
        actor=call.operator,
        now=call.request.at,
    )
    call.deps.campaigns.create(new)
    return _said(call, "campaign cloned", new)


# --- reading and saving


def _new_id(call: Call) -> str:
    return event_id(call.request.request_id, "campaign")[:12]


def _read(call: Call, campaign_id: str, version: int | None) -> Campaign:
    """The campaign, if it is still the one that the member of staff has seen."""
    campaign = call.deps.campaigns.get(campaign_id)
    if version not in {None, campaign.version}:
        raise Conflict(
            "changed_meanwhile",
            "ほかの担当者が先に変更しました。内容を確認して、もう一度お試しください。",
            "Somebody else changed this meanwhile. Please look again.",
        )
    return campaign


def _change(
    call: Call, campaign_id: str, what: str, transition: Callable[[Campaign], Campaign]
) -> CampaignOut:
    campaign = call.deps.campaigns.get(campaign_id)
    return _said(call, what, _save(call, campaign, transition(campaign)))


def _save(call: Call, read: Campaign, changed: Campaign, *, begins: bool = False) -> Campaign:
    """Save, then take away the schedule that the campaign no longer waits for."""
    saved = call.deps.campaigns.save(read, changed, open_shards=SHARDS if begins else None)
    if read.status is CampaignStatus.SCHEDULED and saved != read:
        try:
            call.deps.schedules.remove(read)
        except Unavailable as error:
            # What was asked for is done: the start that may still come will start nothing.
            logger.warning(
                "schedule left over", extra={"campaign_id": read.campaign_id, "code": error.code}
            )
    return saved


def _queue_open_shards(deps: Deps, campaign_id: str) -> None:
    deps.jobs.put([Job(campaign_id, shard) for shard in deps.campaigns.left(campaign_id)])


def _said(call: Call, what: str, campaign: Campaign) -> CampaignOut:
    logger.info(what, extra={"campaign_id": campaign.campaign_id, "operator": call.operator})
    return CampaignOut.of(campaign)


# --- content


def _checked(deps: Deps, content: CampaignIn) -> Audience:
    """The audience of a content that can be sent.

    Raises:
        Unprocessable: something cannot, or the audience names a campaign that does not exist.
    """
    check_content(content.subject, content.body, content.text)
    audience = content.audience.audience()
    problems: dict[str, FieldProblem] = {}
    for name in ("received", "not_received"):
        campaign_id = getattr(audience, name)
        try:
            if campaign_id:
                deps.campaigns.get(campaign_id)
        except NotFound as error:
            problems[f"audience.{name}"] = FieldProblem(error.code, error.ja, error.en)
    if problems:
        raise Unprocessable(problems)
    return audience


def _verified_domains(deps: Deps) -> frozenset[str]:
    domain = deps.settings.mail_domain
    return frozenset({domain} if deps.identities.verified(domain) else ())


def _findings(deps: Deps, campaign: Campaign, verified: frozenset[str] | None) -> list[Finding]:
    return lint(Content.of(campaign), deps.composer(), verified_domains=verified)


def _refuse_errors(deps: Deps, campaign: Campaign) -> None:
    """Nothing with an error goes further; ``…/lint`` has them all.

    Raises:
        Unprocessable: the first error of each field.
        Unavailable: SES could not be asked about the sender.
    """
    problems: dict[str, FieldProblem] = {}
    for found in _findings(deps, campaign, _verified_domains(deps)):
        if found.severity is Severity.ERROR:
            problems.setdefault(found.field, FieldProblem(found.rule, found.ja, found.en))
    if problems:
        raise Unprocessable(problems)


def _tester(deps: Deps, to: str) -> Address:
    """An address a test may go to. Never a way around eligibility.

    Raises:
        Unprocessable: not an address, or not of a domain for tests.
        Conflict: it belongs to somebody who may not get mail.
    """
    address = deps.address(to, field="to")
    if address.used.rpartition("@")[2].lower() not in deps.settings.test_mail_domains:
        allowed = "、".join(sorted(deps.settings.test_mail_domains))
        raise Unprocessable(
            {
                "to": FieldProblem(
                    "not_a_test_address",
                    f"テストメールは、社内のアドレス({allowed})にだけ送れます。",
                    f"A test goes to an address of our own only ({allowed}).",
                )
            }
        )
    contact = deps.contacts.get(deps.contact_id_of(to))
    verdict = judge(contact, deps.settings.eligibility_profile)
    if contact.version and not verdict.eligible:
        raise Conflict(
            "tester_not_eligible",
            "このアドレスには配信できない記録があるため、テストメールも送れません。",
            f"This address is on record and may not get mail ({verdict.reason}).",
        )
    return address


def _test_message(composer: Composer, campaign: Campaign, to: Address) -> Message:
    """The mail as recipients get it, marked as a test; its links and tags name nobody."""
    message = composer.compose(campaign, Contact(NOBODY))
    return replace(
        message,
        to=to.used,
        subject=f"【テスト】{message.subject}",
        tags={"test": campaign.campaign_id},
    )
