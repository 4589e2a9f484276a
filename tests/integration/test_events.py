"""Every payload in events/ is one its function answers well."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from functions import (
    campaign_sender,
    case_worker,
    form_intake,
    mail_intake,
    ses_feedback,
    unsubscribe,
)
from functions.staff_api import app as staff_api
from shared.adapters.ledger import Candidate
from shared.domain import lifecycle
from shared.domain.campaigns import Campaign, CampaignStatus, Outcome
from shared.domain.cases import CaseKind, CaseState, Task
from shared.domain.events import EventKind, Source
from shared.domain.figures import Fate
from tests.integration.cases import a_case, a_mail_nobody_answered
from tests.integration.fakes import START
from tests.integration.world import (
    EVENTS,
    INBOUND,
    Answer,
    LambdaContext,
    World,
    fact,
    id_of,
    letter,
    payload,
)

EMAIL = "hanako.yamada@example.jp"
CAMPAIGN = "5f2b8c0d9e71"
NAMES = sorted(file.stem for file in EVENTS.glob("*.json"))
# What the campaign has to be for it; a tested draft otherwise.
NEEDS = {
    "staff_campaign_schedule": CampaignStatus.APPROVED,
    "staff_campaign_unschedule": CampaignStatus.APPROVED,
    "staff_campaign_send": CampaignStatus.APPROVED,
    "staff_campaign_pause": CampaignStatus.SENDING,
    "staff_campaign_resume": CampaignStatus.PAUSED,
}
# What the request has to be for it; a disclosure just received otherwise.
NEEDS_OF_REQUESTS: dict[str, dict[str, Any]] = {
    "staff_request_approve": {"kind": CaseKind.ERASURE, "state": CaseState.VERIFIED},
    "staff_request_new_address": {"kind": CaseKind.CORRECTION, "state": CaseState.VERIFIED},
    "staff_request_finish": {"kind": CaseKind.INQUIRY, "holds": True},
}
STATUS = {"form_post": 303, "form_post_json": 201, "form_options": 204}
HTTP: dict[str, Any] = {
    "form": (form_intake.handler, World.form_intake),
    "health": (form_intake.handler, World.form_intake),
    "unsubscribe": (unsubscribe.handler, World.unsubscribe),
    "staff": (staff_api.handler, World.staff_api),
}


@pytest.fixture
def lived_in(world: World) -> World:
    """Hanako has opted in and waits for an advisor; a campaign is written."""
    submission = payload("staff_registration_confirm")["body"]
    opted_in = fact(id_of(EMAIL), EventKind.OPTED_IN, START, email=EMAIL)
    object.__setattr__(opted_in, "event_id", submission.split('"')[7])
    world.contacts.record(opted_in)
    world.contacts.record(fact(id_of(EMAIL), EventKind.BOUNCED, START, source=Source.SES))
    written = Campaign(CAMPAIGN, "件名", "本文", "cs-sato", START)
    world.campaigns.create(lifecycle.tested(written))
    return world


@pytest.mark.parametrize("name", [name for name in NAMES if name.partition("_")[0] in HTTP])
def test_http_payload(lived_in: World, name: str) -> None:
    if needed := NEEDS.get(name):
        draft = lived_in.campaigns.get(CAMPAIGN)
        lived_in.campaigns.save(draft, replace(draft, status=needed))
    a_case(lived_in, **NEEDS_OF_REQUESTS.get(name, {}))
    a_mail_nobody_answered(lived_in)
    handler, deps = HTTP[name.partition("_")[0]]
    answer = Answer.of(handler(payload(name), LambdaContext(), deps(lived_in)))
    assert answer.status == STATUS.get(name, 200), answer.text


def test_campaign_sender_payload(lived_in: World) -> None:
    draft = lived_in.campaigns.get(CAMPAIGN)
    sending = replace(draft, status=CampaignStatus.SENDING)
    lived_in.campaigns.save(draft, sending, open_shards=["09"])
    event = payload("campaign_sender")
    answer = campaign_sender.handler(event, LambdaContext(), lived_in.campaign_sender())
    assert answer == {"batchItemFailures": []}
    assert lived_in.campaigns.get(CAMPAIGN).status == "done"


def test_ses_feedback_payload(lived_in: World) -> None:
    candidate = Candidate(lived_in.contacts.get(id_of(EMAIL)))
    batch = payload("ses_feedback")["detail"]["mail"]["tags"]["batch"][0].partition(".")[0]
    lived_in.ledger.claim(CAMPAIGN, batch, [candidate], lived_in.clock.now())
    ses_feedback.handler(payload("ses_feedback"), LambdaContext(), lived_in.ses_feedback())
    [entry] = lived_in.ledger.recipients(CAMPAIGN)
    assert entry.outcome is Outcome.SENT


def test_mail_intake_payload(lived_in: World) -> None:
    event = payload("mail_intake")
    receipt = mail_intake.receipt_of(event["Records"][0]["body"])
    raw = letter("個人情報を削除してください。")
    lived_in.s3.put_object(Bucket=INBOUND, Key=receipt.object_key, Body=raw)
    answer = mail_intake.handler(event, LambdaContext(), lived_in.mail_intake())
    assert answer == {"batchItemFailures": []}
    [case] = lived_in.cases.of_contact(id_of(EMAIL))
    assert case.task is Task.ASK_IDENTITY


def test_case_worker_payload(lived_in: World) -> None:
    case_id = json.loads(payload("case_worker")["Records"][0]["body"])["case_id"]
    case = lived_in.cases.get(lived_in.mail_in(letter("会場はどこですか。")).case_id)
    lived_in.cases.create(replace(case, case_id=case_id, kind=CaseKind.CORRECTION))
    event = payload("case_worker")
    answer = case_worker.handler(event, LambdaContext(), lived_in.case_worker())
    assert answer == {"batchItemFailures": []}
    assert lived_in.cases.get(case_id).task is Task.NONE


@pytest.mark.parametrize(
    ("name", "fate"),
    [
        ("ses_feedback_bounce", Fate.BOUNCED),
        ("ses_feedback_complaint", Fate.COMPLAINED),
        ("ses_feedback_delivery", Fate.DELIVERED),
    ],
)
def test_ses_feedback_payloads(lived_in: World, name: str, fate: Fate) -> None:
    ses_feedback.handler(payload(name), LambdaContext(), lived_in.ses_feedback())
    assert lived_in.figures.of(CAMPAIGN).fates == {fate: 1}
