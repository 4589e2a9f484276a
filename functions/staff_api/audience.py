"""Dry runs: whom a campaign would reach, and why not the rest, without touching anyone (U1).

The eligible are judged one by one, now, along the mailing list: that costs in proportion to
them. The rest are never read: how many stand where is kept as counts (``functions.standings``),
a moment behind, and only the few contacts shown as samples are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.staff_api.context import Call, call_of
from functions.staff_api.schemas import (
    AudienceModel,
    CampaignPath,
    DryRunOut,
    NoteOut,
    RestOut,
    SampleOut,
)
from shared.adapters.contacts import SHARDS
from shared.domain.audience import Audience, matches
from shared.domain.campaigns import Outcome
from shared.domain.contact import Contact
from shared.domain.eligibility import judge
from shared.domain.standings import ELIGIBLE, Group, asks_for_whole_months, months, tally
from shared.words import REASONS, words_of

router = Router()  # type: ignore[no-untyped-call]
_call = partial(call_of, router)
_PAGE = 1_000  # as many as fit DynamoDB's page of 1 MB
_STOP_BEFORE_MS = 4_000  # leaves time to answer from the counts instead
_SAMPLES = 3


@router.post("/campaigns/<campaign_id>/dry-run", summary="Whom it would reach", tags=["campaigns"])
def of_campaign(campaign_id: CampaignPath) -> DryRunOut:
    """How many of the campaign's audience are eligible now, and why the rest are not."""
    call = _call()
    return _dry_run(call, call.deps.campaigns.get(campaign_id).audience)


@router.post("/audience/dry-run", summary="Whom a filter would reach", tags=["campaigns"])
def of_audience(body: Annotated[AudienceModel, Body()]) -> DryRunOut:
    """The same for an audience that no campaign has yet."""
    call = _call()
    return _dry_run(call, body.audience())


def _dry_run(call: Call, audience: Audience) -> DryRunOut:
    for campaign_id in _named(audience):
        call.deps.campaigns.get(campaign_id)  # an unknown one is a mistake, not an empty audience
    profile = call.deps.settings.eligibility_profile
    counts = tally(call.deps.standings.counts(*months(audience)), audience, profile)
    counted = sum(counts.pop(ELIGIBLE, {}).values())
    judged = _eligible(call, audience)
    rest = sorted(counts.items(), key=lambda each: (-sum(each[1].values()), each[0]))
    samples = _samples(call, audience, dict(rest))
    return DryRunOut(
        eligible=counted if judged is None else judged,
        eligible_is_exact=judged is not None,
        not_eligible=sum(sum(groups.values()) for _, groups in rest),
        rest=[
            RestOut(
                reason=reason,
                reason_ja=words_of(reason, REASONS).ja,
                reason_en=words_of(reason, REASONS).en,
                count=sum(groups.values()),
                samples=[SampleOut.of(contact) for contact in samples[reason]],
            )
            for reason, groups in rest
        ],
        notes=list(_notes(audience, judged)),
    )


def _named(audience: Audience) -> list[str]:
    """The earlier campaigns a filter asks about."""
    return sorted({audience.received, audience.not_received} - {""})


def _eligible(call: Call, audience: Audience) -> int | None:
    """How many of the audience may be mailed now; None where there are too many to judge here."""
    found = 0
    for shard in SHARDS:
        sent = {name: _sent(call, name, shard) for name in _named(audience)}
        after = ""
        while True:
            if router.lambda_context.get_remaining_time_in_millis() < _STOP_BEFORE_MS:
                return None
            page = call.deps.contacts.listed(shard, limit=_PAGE, after=after)
            for contact in page.contacts:
                received = [name for name, ids in sent.items() if contact.contact_id in ids]
                found += _is_eligible(call, contact) and matches(contact, audience, received)
            if not page.after:
                break
            after = page.after
    return found


def _is_eligible(call: Call, contact: Contact) -> bool:
    return judge(contact, call.deps.settings.eligibility_profile).eligible


def _sent(call: Call, campaign_id: str, shard: str) -> set[str]:
    entries = call.deps.ledger.recipients(campaign_id, shard)
    return {entry.contact_id for entry in entries if entry.outcome is Outcome.SENT}


def _samples(
    call: Call, audience: Audience, rest: Mapping[str, Mapping[Group, int]]
) -> dict[str, list[Contact]]:
    """A few contacts for each reason, as they are now; those that moved on are left out."""
    ids = {reason: _sample_ids(call, reason, groups) for reason, groups in rest.items()}
    wanted = [each for some in ids.values() for each in some]
    contacts = call.deps.contacts.get_many(wanted, consistent=False)
    profile = call.deps.settings.eligibility_profile
    dates = Audience(
        registered_from=audience.registered_from, registered_until=audience.registered_until
    )
    return {
        reason: [
            contact
            for contact_id in some
            if judge(contact := contacts[contact_id], profile).reason == reason
            and matches(contact, dates)
        ]
        for reason, some in ids.items()
    }


def _sample_ids(call: Call, reason: str, groups: Mapping[Group, int]) -> list[str]:
    """From the largest group on, until there are enough."""
    found: list[str] = []
    for group in sorted(groups, key=lambda group: (-groups[group], group)):
        found += call.deps.standings.some(group, reason, limit=_SAMPLES - len(found))
        if len(found) == _SAMPLES:
            break
    return found


def _notes(audience: Audience, judged: int | None) -> Iterator[NoteOut]:
    """What the numbers do and do not say."""
    if judged == 0:
        yield NoteOut(
            code="nobody_eligible",
            ja="この条件では、送れる相手がいません。",
            en="Nobody in this audience may be mailed.",
        )
    if judged is None:
        yield NoteOut(
            code="eligible_from_counts",
            ja="対象が多いため、送れる人数は集計値です。過去の配信による絞り込みは含みません。",
            en="There are too many to judge here: the number of eligible is from the counts, "
            "and earlier campaigns do not narrow it.",
        )
    if _named(audience):
        yield NoteOut(
            code="rest_ignores_campaigns",
            ja="送れない人の内訳は、過去の配信による絞り込みを含みません。",
            en="Earlier campaigns do not narrow the numbers of those who are not eligible.",
        )
    if not asks_for_whole_months(audience):
        yield NoteOut(
            code="rest_by_month",
            ja="送れない人の内訳は、登録日を月単位で数えています。",
            en="Those who are not eligible are counted by whole months (Japanese time).",
        )
    yield NoteOut(
        code="rest_may_lag",
        ja="送れない人の内訳は集計値で、直前の変更がまだ反映されていないことがあります。",
        en="Those who are not eligible are counted behind the changes, usually by a second.",
    )
