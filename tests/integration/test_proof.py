"""The proof file and the answer about one recipient, through the staff API (manual A2, D4, U1)."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.staff_api.proof_schemas import ProofOut
from shared.domain.campaigns import Campaign, CampaignStatus, Outcome
from shared.domain.events import EventKind, Source, stamp
from shared.proof.canonical import canonical_json, sha256
from tests.integration.world import Answer, World, id_of

EMAIL = "hanako.yamada@example.jp"
ME = id_of(EMAIL)
CAMPAIGN = "5f2b8c0d9e71"
NOBODY = "nobody@example.jp"
HOSTILE = "<script>alert(1)</script>\"'</style>"


def sent_campaign(
    world: World, outcome: Outcome | None, *, subject: str = "セミナーのご案内", **line: str
) -> datetime:
    """A campaign that is done, with its ledger line for Hanako."""
    at = world.clock.tick()
    world.campaigns.create(
        Campaign(CAMPAIGN, subject, "本文", "cs", at, CampaignStatus.DONE, started_at=at)
    )
    if outcome is not None:
        item: dict[str, Any] = {
            "campaign_id": CAMPAIGN,
            "contact_id": ME,
            "outcome": outcome,
            "at": stamp(at),
            **line,
        }
        world.dynamodb.put_item(
            TableName="ledger", Item={name: {"S": value} for name, value in item.items()}
        )
    return at


def proof(world: World, kind: str = "json", *, team: str = "CS") -> Answer:
    return world.ask_staff("GET", f"/contacts/{ME}/proof", query={"format": kind}, team=team)


def by_address(world: World, email: str, kind: str = "json") -> Answer:
    return world.ask_staff("POST", "/contacts/proof", {"email": email, "format": kind})


def check_is_private_file(answer: Answer, kind: str) -> None:
    """An attachment without anything personal in its name, kept by nobody on the way."""
    assert answer.status == 200, answer.text
    name = re.fullmatch(
        rf'attachment; filename="optin-proof-([0-9a-f]{{16}})\.{kind}"',
        answer.headers["content-disposition"],
    )
    assert name
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_json_file_is_the_canonical_record_as_described(world: World) -> None:
    world.confirmed(EMAIL)
    at = sent_campaign(world, Outcome.SENT, message_id="0100019a-ses")
    answer = proof(world)
    check_is_private_file(answer, "json")
    assert answer.headers["content-type"] == "application/json"
    assert canonical_json(answer.json) == answer.text
    assert f"proof-{sha256(answer.text)[:16]}." in answer.headers["content-disposition"]
    record = ProofOut.model_validate_json(answer.text)
    assert record.person.address == EMAIL
    assert record.made.by == "cs-someone"
    assert [event.kind for event in record.events] == ["opted_in", "registered"]
    assert record.events[0].wordings[0].is_as_published
    [campaign] = record.campaigns
    assert (campaign.finding, campaign.at, campaign.message_id) == ("sent", at, "0100019a-ses")
    assert record.verdict.eligible
    assert record.retention.keep_until is not None


def test_the_page_shows_the_hash_of_the_record_it_carries(world: World) -> None:
    world.confirmed(EMAIL)
    answer = proof(world, "html")
    check_is_private_file(answer, "html")
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.removesuffix("; frame-ancestors 'none'") in html.unescape(answer.text)
    name = re.search(r"proof-(\w{16})\.", answer.headers["content-disposition"])
    assert name
    assert re.search(rf">{name[1]}[0-9a-f]{{48}}<", answer.text)


def test_the_page_is_the_default(world: World) -> None:
    world.confirmed(EMAIL)
    answer = world.ask_staff("GET", f"/contacts/{ME}/proof")
    check_is_private_file(answer, "html")
    asked = world.ask_staff("POST", "/contacts/proof", {"email": EMAIL})
    check_is_private_file(asked, "html")


def test_the_same_by_address_names_it_only_masked(world: World) -> None:
    world.confirmed(EMAIL)
    record = by_address(world, f" {EMAIL} ").json
    assert record["person"]["contact_id"] == ME
    assert record["person"]["asked_for"] == "h***@***.jp"


@pytest.mark.parametrize("kind", ["json", "html"])
def test_of_an_erased_person_consent_is_proved_without_anything_personal(
    world: World, kind: str
) -> None:
    opted_in = world.confirmed(EMAIL)
    world.happened(EMAIL, EventKind.ERASED, source=Source.STAFF, details={"operator": "it-tanaka"})
    answer = by_address(world, EMAIL, kind)
    check_is_private_file(answer, kind)
    assert "hanako" not in answer.text.lower()
    assert opted_in.wording
    assert opted_in.wording.sha256 in answer.text
    assert stamp(opted_in.at) in answer.text
    assert "h***@***.jp" in answer.text
    if kind == "json":
        kinds = [event["kind"] for event in answer.json["events"]]
        assert kinds == ["opted_in", "registered", "erased"]
        assert all(event["personal"] == [] for event in answer.json["events"])
        assert answer.json["verdict"]["reason"] == "no_address"


def test_a_suppressed_stranger_has_a_record_too(world: World) -> None:
    body = {"email": EMAIL, "reason": "電話", "channel": "phone"}
    assert world.ask_staff("POST", "/unsubscriptions", body).status == 200
    record = by_address(world, EMAIL).json
    assert [event["kind"] for event in record["events"]] == ["unsubscribed"]
    assert not record["verdict"]["eligible"]


def test_nothing_on_record_is_404(world: World) -> None:
    sent_campaign(world, None)
    for answer in (
        world.ask_staff("GET", f"/contacts/{ME}/proof"),
        by_address(world, NOBODY),
        world.ask_staff("GET", f"/campaigns/{CAMPAIGN}/recipients/{ME}"),
        world.ask_staff("POST", f"/campaigns/{CAMPAIGN}/recipients/lookup", {"email": NOBODY}),
    ):
        assert answer.status == 404
        assert answer.json["code"] == "unknown_contact"
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "body", "query"),
    [
        ("GET", f"/contacts/{ME}/proof", None, {"format": "pdf"}),
        ("GET", "/contacts/XYZ/proof", None, {}),
        ("POST", "/contacts/proof", {"email": "not an address"}, {}),
        ("POST", "/contacts/proof", {"email": EMAIL, "format": "pdf"}, {}),
        ("POST", "/contacts/proof", {"email": EMAIL, "more": 1}, {}),
        ("POST", "/contacts/proof", {}, {}),
        ("GET", f"/campaigns/x/recipients/{ME}", None, {}),
        ("POST", f"/campaigns/{CAMPAIGN}/recipients/lookup", {"email": "x"}, {}),
    ],
)
def test_wrong_questions_are_named(
    world: World, method: str, path: str, body: Any, query: dict[str, str]
) -> None:
    answer = world.ask_staff(method, path, body, query=query)
    assert answer.status == 422
    assert answer.json["errors"]


def test_an_unknown_campaign_is_404(world: World) -> None:
    world.confirmed(EMAIL)
    answer = world.ask_staff("GET", f"/campaigns/{CAMPAIGN}/recipients/{ME}")
    assert answer.status == 404
    assert answer.json["code"] == "unknown_campaign"


@pytest.mark.parametrize("team", ["SALES", ""])
def test_only_who_may_read_contacts(world: World, team: str) -> None:
    world.confirmed(EMAIL)
    answer = proof(world, team=team)
    assert answer.status == 403
    assert EMAIL not in answer.text


def test_each_file_is_logged_with_its_hash_and_without_the_address(
    world: World, logged: Callable[[], str]
) -> None:
    world.confirmed(EMAIL)
    answer = by_address(world, EMAIL)
    [line] = [json.loads(each) for each in logged().splitlines() if '"proof made"' in each][:1]
    assert line["operator"] == "cs-someone"
    assert line["contact_id"] == ME
    assert line["sha256"] == sha256(answer.text)
    assert EMAIL not in json.dumps(line)


def test_hostile_texts_are_escaped(world: World) -> None:
    world.happened(
        EMAIL,
        EventKind.NOTIFIED,
        details={"form_id": HOSTILE, "municipality": HOSTILE},
        personal={
            "address": EMAIL,
            "typed": HOSTILE,
            "address_kind": "standard",
            "field.name": HOSTILE,
        },
    )
    sent_campaign(world, Outcome.REJECTED, subject=HOSTILE, reason=HOSTILE)
    page = proof(world, "html").text
    assert "<script" not in page
    assert page.count("</style>") == 1
    assert html.escape("<script>alert(1)</script>") in page
    assert proof(world).json["campaigns"][0]["subject"] == HOSTILE


# --- did this person get it?


def ask(world: World) -> dict[str, Any]:
    by_id = world.ask_staff("GET", f"/campaigns/{CAMPAIGN}/recipients/{ME}")
    path = f"/campaigns/{CAMPAIGN}/recipients/lookup"
    by_mail = world.ask_staff("POST", path, {"email": EMAIL})
    assert by_id.status == by_mail.status == 200, by_id.text
    assert by_id.json == by_mail.json
    answer: dict[str, Any] = by_id.json
    return answer


def test_who_got_it(world: World) -> None:
    world.confirmed(EMAIL)
    at = sent_campaign(world, Outcome.SENT, message_id="0100019a-ses")
    answer = ask(world)
    assert (answer["finding"], answer["entry"]["message_id"]) == ("sent", "0100019a-ses")
    assert datetime.fromisoformat(answer["as_of"]) == at
    assert answer["sentence_ja"].endswith("に送信しました。")
    assert all(condition["met"] for condition in answer["conditions"])


def test_a_bounce_is_part_of_the_answer(world: World) -> None:
    world.confirmed(EMAIL)
    sent_campaign(world, Outcome.SENT)
    world.happened(EMAIL, EventKind.BOUNCED, source=Source.SES, details={"campaign_id": CAMPAIGN})
    assert ask(world)["finding"] == "bounced"


def test_who_was_skipped_and_why_as_of_then(world: World) -> None:
    """That the person came back since does not change why they did not get it."""
    world.confirmed(EMAIL)
    world.happened(EMAIL, EventKind.UNSUBSCRIBED, source=Source.LINK)
    sent_campaign(world, Outcome.SKIPPED, reason="unsubscribed")
    world.happened(EMAIL, EventKind.RESUBSCRIBED, source=Source.LINK)
    answer = ask(world)
    assert (answer["finding"], answer["reason"]) == ("skipped", "unsubscribed")
    assert "配信停止のお申し出があり" in answer["sentence_ja"]
    unmet = [each for each in answer["conditions"] if not each["met"]]
    assert [each["name"] for each in unmet] == ["refusal"]
    assert unmet[0]["evidence"]["kind"] == "unsubscribed"


def test_whom_the_sender_never_came_to(world: World) -> None:
    """Somebody off the list has no ledger line; the reason is on record all the same."""
    world.confirmed(EMAIL)
    world.happened(EMAIL, EventKind.UNSUBSCRIBED, source=Source.LINK)
    sent_campaign(world, None)
    answer = ask(world)
    assert (answer["finding"], answer["reason"]) == ("not_eligible", "unsubscribed")
    assert answer["entry"] is None
    assert proof(world).json["campaigns"][0]["reason"] == "unsubscribed"


def test_whom_a_campaign_was_not_meant_for(world: World) -> None:
    world.confirmed(EMAIL)
    sent_campaign(world, None)
    campaign = world.campaigns.get(CAMPAIGN)
    audience = replace(campaign.audience, municipalities=frozenset({"すみれ市"}))
    world.campaigns.save(campaign, replace(campaign, audience=audience))
    assert ask(world)["finding"] == "outside_audience"


def test_a_draft_has_reached_nobody(world: World) -> None:
    world.confirmed(EMAIL)
    world.campaigns.create(Campaign(CAMPAIGN, "件名", "本文", "cs", world.clock.now()))
    answer = ask(world)
    assert (answer["finding"], answer["as_of"], answer["conditions"]) == ("not_started", None, [])
    assert proof(world).json["campaigns"] == []


def test_the_clock_of_the_question_is_the_gateways(world: World) -> None:
    world.confirmed(EMAIL)
    before = world.clock.now()
    made = datetime.fromisoformat(proof(world).json["made"]["at"])
    assert before <= made <= before + timedelta(minutes=1)
