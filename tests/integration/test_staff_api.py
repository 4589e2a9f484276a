"""The staff API: who may do what, and what each route does (manual A3, D2, S3)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.staff_api import app as staff_api
from functions.staff_api.schemas import Region
from shared import words
from shared.adapters.contacts import SHARDS
from shared.adapters.jobs import JobQueue
from shared.adapters.ledger import Candidate, Result, Skip
from shared.domain import cases as rules
from shared.domain import lifecycle
from shared.domain.calendar import gdpr_month, japan_date
from shared.domain.campaigns import Campaign, CampaignStatus, Outcome
from shared.domain.cases import CaseKind, CaseState
from shared.domain.eligibility import Profile, judge
from shared.domain.errors import Conflict
from shared.domain.events import EventKind, Source
from shared.domain.teams import Permission
from tests.integration.cases import CASE, MAIL, a_case, a_mail_nobody_answered
from tests.integration.fakes import Meanwhile
from tests.integration.world import (
    EVENTS,
    MUNICIPAL,
    Answer,
    LambdaContext,
    World,
    fact,
    held,
    id_of,
    payload,
    projected,
    with_body,
)

EMAIL = "hanako.yamada@example.jp"
ME = id_of(EMAIL)
NOBODY = id_of("nobody@example.jp")
CAMPAIGN = "5f2b8c0d9e71"
SUBMISSION = "5c9d0f4ab3e1276890aa41bd"
IDS = f"{ME}|{CAMPAIGN}|{CASE}|{MAIL}"
FORM = json.loads(payload("staff_form_create")["body"])


def check_problem(answer: Answer, status: int, fields: set[str] | None = None) -> None:
    assert answer.status == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert re.search("[ぁ-ん]", answer.json["detail"])
    if fields is not None:
        assert {error["field"] for error in answer.json["errors"]} == fields


@pytest.fixture
def campaign(world: World) -> str:
    """Written by somebody, tested, and approved by somebody else."""
    written = Campaign(CAMPAIGN, "件名", "本文", "it-someone", world.clock.now())
    approved = replace(
        lifecycle.tested(written), status=CampaignStatus.APPROVED, approved_by="gs-another"
    )
    world.campaigns.create(approved)
    return CAMPAIGN


# --- permissions

ALL, ADVISORS, FORM_EDITORS = {"CS", "GS", "IT"}, {"CS", "GS"}, {"GS", "IT"}
HANDLERS = {"CS", "IT"}
ROUTES: list[tuple[str, str, Any, set[str]]] = [
    ("POST", "/contacts/lookup", {"email": EMAIL}, ALL),
    ("GET", f"/contacts/{ME}", None, ALL),
    ("POST", f"/contacts/{ME}/lift-bounce", {"reason": "お電話"}, ADVISORS),
    ("POST", f"/contacts/{ME}/residence", {"region": "EU"}, HANDLERS),
    ("GET", f"/contacts/{ME}/proof", None, ALL),
    ("POST", "/contacts/proof", {"email": EMAIL}, ALL),
    ("GET", "/registrations", None, ALL),
    ("POST", "/registrations", {"contact_id": ME, "submission_id": SUBMISSION}, ADVISORS),
    ("POST", "/unsubscriptions", {"email": EMAIL, "reason": "電話", "channel": "phone"}, ALL),
    ("GET", "/forms", None, ALL),
    ("GET", f"/forms/{MUNICIPAL}", None, ALL),
    ("POST", "/forms", FORM, FORM_EDITORS),
    ("PUT", f"/forms/{MUNICIPAL}", {k: v for k, v in FORM.items() if k != "form_id"}, FORM_EDITORS),
    ("GET", "/campaigns", None, ALL),
    ("POST", "/campaigns", {"subject": "件名", "body": "本文"}, ADVISORS),
    ("GET", f"/campaigns/{CAMPAIGN}", None, ALL),
    ("GET", f"/campaigns/{CAMPAIGN}/recipients/{ME}", None, ALL),
    ("POST", f"/campaigns/{CAMPAIGN}/recipients/lookup", {"email": EMAIL}, ALL),
    ("POST", "/audience/dry-run", {}, ALL),
    ("POST", f"/campaigns/{CAMPAIGN}/dry-run", None, ALL),
    ("PUT", f"/campaigns/{CAMPAIGN}", {"subject": "件名", "body": "本文"}, ADVISORS),
    ("GET", f"/campaigns/{CAMPAIGN}/lint", None, ALL),
    ("POST", f"/campaigns/{CAMPAIGN}/test", {"to": "tester@mail.example.jp"}, ADVISORS),
    ("POST", f"/campaigns/{CAMPAIGN}/approve", None, ADVISORS),
    ("POST", f"/campaigns/{CAMPAIGN}/schedule", {"at": "2026-12-01T10:00"}, ADVISORS),
    ("POST", f"/campaigns/{CAMPAIGN}/unschedule", None, ADVISORS),
    ("POST", f"/campaigns/{CAMPAIGN}/send", None, ADVISORS),
    ("POST", f"/campaigns/{CAMPAIGN}/pause", None, ADVISORS),
    ("POST", f"/campaigns/{CAMPAIGN}/resume", None, ADVISORS),
    ("POST", f"/campaigns/{CAMPAIGN}/cancel", None, ADVISORS),
    ("POST", f"/campaigns/{CAMPAIGN}/clone", None, ADVISORS),
    ("GET", "/requests", None, ALL),
    ("POST", "/requests", {"kind": "erasure", "email": EMAIL, "words": "削除"}, HANDLERS),
    ("GET", f"/requests/{CASE}", None, ALL),
    ("POST", f"/requests/{CASE}/kind", {"version": 1, "kind": "inquiry"}, HANDLERS),
    ("POST", f"/requests/{CASE}/ask-identity", {"version": 1}, HANDLERS),
    ("POST", f"/requests/{CASE}/verify", {"version": 1, "reason": "免許証"}, HANDLERS),
    ("POST", f"/requests/{CASE}/approve", {"version": 1}, {"IT"}),
    ("POST", f"/requests/{CASE}/new-address", {"version": 1, "email": "b@example.jp"}, HANDLERS),
    ("POST", f"/requests/{CASE}/refuse", {"version": 1, "reason": "別人のため"}, HANDLERS),
    ("POST", f"/requests/{CASE}/finish", {"version": 1}, HANDLERS),
    ("POST", f"/requests/{CASE}/reply", {"version": 1, "text": "返信"}, HANDLERS),
    ("POST", f"/requests/{CASE}/note", {"version": 1, "text": "メモ"}, HANDLERS),
    ("GET", f"/requests/{CASE}/mails/{MAIL}/raw", None, HANDLERS),
    ("GET", "/received", None, ALL),
    ("POST", f"/received/{MAIL}/open", {"kind": "inquiry"}, HANDLERS),
]
# What the request has to be for it; a disclosure just received otherwise.
NEEDS_OF_REQUESTS: dict[str, dict[str, Any]] = {
    "approve": {"kind": CaseKind.ERASURE, "state": CaseState.VERIFIED},
    "new-address": {"kind": CaseKind.CORRECTION, "state": CaseState.VERIFIED},
    "finish": {"kind": CaseKind.INQUIRY},
}
# What the campaign has to be for it; approved otherwise.
NEEDS = {
    "approve": CampaignStatus.DRAFT,
    "pause": CampaignStatus.SENDING,
    "resume": CampaignStatus.PAUSED,
}


def _named(value: object) -> str:
    """The same in every process: a set is written in any order."""
    return " ".join(sorted(value)) if isinstance(value, set | frozenset) else str(value)[:32]


@pytest.mark.parametrize("team", ["CS", "GS", "IT", "SALES", "", "CSX", "cs", "SALES CS"])
@pytest.mark.parametrize(("method", "path", "body", "allowed"), ROUTES, ids=_named)
def test_permission_matrix(
    *,
    world: World,
    campaign: str,
    logged: Callable[[], str],
    team: str,
    method: str,
    path: str,
    body: Any,
    allowed: set[str],
) -> None:
    opted_in = fact(ME, EventKind.OPTED_IN, world.clock.tick(), email=EMAIL)
    object.__setattr__(opted_in, "event_id", SUBMISSION)
    world.contacts.record(opted_in)
    world.contacts.record(fact(ME, EventKind.BOUNCED, world.clock.tick(), source=Source.SES))
    action = path.rpartition("/")[2]
    a_case(world, **(NEEDS_OF_REQUESTS.get(action, {}) if CASE in path else {}))
    a_mail_nobody_answered(world)
    if needed := NEEDS.get(action):
        approved = world.campaigns.get(campaign)
        world.campaigns.save(approved, replace(approved, status=needed))
    before = world.tables()
    answer = world.ask_staff(method, path, body, team=team)
    if allowed & set(team.split()):
        assert answer.status in {200, 201}, answer.text
    else:
        check_problem(answer, 403)
        assert answer.json["code"] == "wrong_team"
        assert world.tables() == before
        assert not world.queue.messages
        assert not world.case_queue.messages
        assert not world.schedules()
        assert not world.ses.mails
        assert '"denied"' in logged()


@pytest.mark.parametrize(
    ("method", "path"),
    [(method, path) for method, path, _, _ in ROUTES],
)
def test_permission_is_asked_before_anything_is_judged(
    world: World, logged: Callable[[], str], method: str, path: str
) -> None:
    """Who may not use a route learns nothing about what it takes."""
    wrong = re.sub(IDS, "x", path)
    for body in ('{"more": 1}', "{", "[]"):
        answer = world.ask_staff(method, wrong, body, team="SALES")
        check_problem(answer, 403)
        assert answer.json["code"] == "wrong_team"
    assert logged().count('"denied"') == 3


def test_the_description_names_each_routes_permission_and_teams() -> None:
    described = json.loads(staff_api.openapi_json())
    for method, path, _, allowed in ROUTES:
        known = re.sub(f"(?<=contacts/){ME}|(?<=recipients/){ME}", "{contact_id}", path)
        known = re.sub(CAMPAIGN, "{campaign_id}", known)
        known = re.sub(CASE, "{case_id}", re.sub(MAIL, "{mail_id}", known))
        known = re.sub(f"(?<=/forms/){MUNICIPAL}", "{form_id}", known)
        operation = described["paths"][known][method.lower()]
        assert set(operation["x-teams"]) == allowed
        assert operation["x-permission"] in set(Permission)


def test_the_matrix_above_covers_every_route() -> None:
    described = json.loads(staff_api.openapi_json())
    known = {
        (method.lower(), re.sub(f"{IDS}|(?<=/forms/){MUNICIPAL}", "*", path))
        for method, path, _, _ in ROUTES
    }
    routes = {
        (method, re.sub(r"\{\w+\}", "*", path))
        for path, methods in described["paths"].items()
        for method in methods
    }
    assert routes == known


def test_nobody_without_claims(world: World) -> None:
    event = world.staff("GET", "/forms")
    del event["requestContext"]["authorizer"]
    answer = Answer.of(staff_api.handler(event, LambdaContext(), world.staff_api()))  # type: ignore[arg-type]
    check_problem(answer, 403)


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml"],
)
def test_only_json_is_read(world: World, kind: str) -> None:
    event = with_body(world.staff("POST", "/contacts/lookup"), f"email={EMAIL}", kind)
    answer = Answer.of(staff_api.handler(event, LambdaContext(), world.staff_api()))  # type: ignore[arg-type]
    check_problem(answer, 415)


# --- contacts


def test_lookup_explains_the_verdict_with_the_whole_history(world: World) -> None:
    world.confirmed(EMAIL)
    world.happened(EMAIL, EventKind.UNSUBSCRIBED, source=Source.LINK, details={"campaign_id": "ab"})
    world.campaigns.create(Campaign(CAMPAIGN, "件名", "本文", "cs-someone", world.clock.now()))
    world.ledger.skip(CAMPAIGN, [Skip(ME, "unsubscribed")], world.clock.now())
    found = world.ask_staff(
        "POST", "/contacts/lookup", {"email": "HANAKO.yamada＠example.jp "}
    ).json
    assert (found["contact_id"], found["address"]) == (ME, EMAIL)
    assert [event["kind"] for event in found["history"]] == [
        "opted_in", "registered", "unsubscribed",
    ]  # fmt: skip
    assert found["history"][0]["wording"]["text"].startswith("当社からの情報")
    verdict = found["verdict"]
    assert (verdict["eligible"], verdict["reason"]) == (False, "unsubscribed")
    assert all(
        re.search("[ぁ-ん]", condition["sentence_ja"]) for condition in verdict["conditions"]
    )
    assert all(condition["clause"] for condition in verdict["conditions"])
    [refusal] = [condition for condition in verdict["conditions"] if not condition["met"]]
    assert refusal["evidence"]["kind"] == "unsubscribed"
    assert [(line["campaign_id"], line["outcome"]) for line in found["campaigns"]] == [
        (CAMPAIGN, "skipped")
    ]
    assert world.ask_staff("GET", f"/contacts/{ME}").json == found


def test_lookup_of_the_unknown_and_of_what_is_no_address(world: World) -> None:
    check_problem(world.ask_staff("POST", "/contacts/lookup", {"email": EMAIL}), 404)
    check_problem(world.ask_staff("GET", f"/contacts/{NOBODY}"), 404)
    check_problem(world.ask_staff("POST", "/contacts/lookup", {"email": "x@"}), 422, {"email"})
    check_problem(world.ask_staff("GET", "/contacts/xyz"), 422)
    check_problem(world.ask_staff("GET", "/nothing/here"), 404)


def live(world: World, region: str, email: str = EMAIL, **more: Any) -> Answer:
    path = f"/contacts/{id_of(email)}/residence"
    return world.ask_staff("POST", path, {"region": region}, **more)


def test_where_somebody_lives_gives_open_requests_gdprs_month(world: World) -> None:
    world.happened(EMAIL, EventKind.NOTIFIED)
    case, done = a_case(world), "d0" * 16
    a_case(world, case_id=done, kind=CaseKind.ERASURE, state=CaseState.DONE, mail_id="9" * 24)
    answer = live(world, "EU")
    assert answer.status == 200, answer.text
    assert answer.json["requests"] == [CASE]
    assert answer.json["verdict"]["reason"] == "overseas_no_yes"
    now = world.cases.get(CASE)
    assert now.legal_on == gdpr_month(japan_date(case.opened_at))
    assert now.due_on == case.due_on
    assert world.cases.get(done).legal_on is None
    event = world.contacts.history(ME)[-1]
    assert (event.kind, event.source) == (EventKind.RESIDENCE_STATED, Source.STAFF)
    assert event.details["region"] == "EU"
    assert event.details["operator"] == "cs-someone"
    assert world.contacts.get(ME).region == "EU"
    assert live(world, "EU").json["requests"] == []
    elsewhere = live(world, "other", team="IT")
    assert elsewhere.json["requests"] == [CASE]
    assert elsewhere.json["verdict"]["eligible"]
    assert world.cases.get(CASE).legal_on is None
    assert held(world.tables()) == projected(world.tables())


def test_where_a_stranger_who_asked_lives_is_recorded_too(world: World) -> None:
    a_case(world)
    assert live(world, "EU").json["requests"] == [CASE]
    assert live(world, "EU", "nobody@example.jp").status == 404


def test_only_two_regions_matter(world: World) -> None:
    a_case(world)
    check_problem(live(world, "DE"), 422, {"region"})


def test_a_request_that_changes_meanwhile_gets_its_days_all_the_same(world: World) -> None:
    case = a_case(world)

    def note() -> None:
        world.cases.save(case, rules.noted(case, by="it-a", now=world.clock.now()))

    deps = world.staff_api(Meanwhile("transact_write_items", note).wrap)
    event = world.staff("POST", f"/contacts/{ME}/residence", {"region": "EU"})
    answer = Answer.of(staff_api.handler(event, LambdaContext(), deps))  # type: ignore[arg-type]
    assert answer.json["requests"] == [CASE]
    now = world.cases.get(CASE)
    assert (now.legal_on is not None, len(now.steps)) == (True, 3)


def test_a_request_that_never_stays_still_is_unavailable(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_case(world)
    deps = world.staff_api()

    def never(*_: object) -> None:
        raise Conflict("changed_meanwhile", "", "")

    monkeypatch.setattr(deps.cases, "save", never)
    event = world.staff("POST", f"/contacts/{ME}/residence", {"region": "EU"})
    answer = Answer.of(staff_api.handler(event, LambdaContext(), deps))  # type: ignore[arg-type]
    check_problem(answer, 503)


def test_every_region_has_its_words() -> None:
    assert words.REGIONS.keys() == set(Region)


# --- registrations


def test_pending_list_is_paged_the_longest_waiting_first(world: World) -> None:
    people = [f"p{n}@example.jp" for n in range(7)]
    submissions = [world.happened(email, EventKind.OPTED_IN).event_id for email in people]
    world.happened("unticked@example.jp", EventKind.BOX_LEFT_UNTICKED)
    world.happened(people[3], EventKind.UNSUBSCRIBED, source=Source.LINK)
    seen: list[dict[str, Any]] = []
    query = {"status": "pending", "limit": "3"}
    pages = 0
    while True:
        page = world.ask_staff("GET", "/registrations", query=query).json
        seen += page["registrations"]
        pages += 1
        if not page["next"]:
            break
        query["after"] = page["next"]
    assert pages in {2, 3}
    expected = [pair for n, pair in enumerate(zip(people, submissions, strict=True)) if n != 3]
    assert [(line["address"], line["submission_id"]) for line in seen] == expected
    assert {line["municipality"] for line in seen} == {"さくら市"}


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"status": "done"}, {"after": "x"},
     {"after": "@"}, {"after": "\x00"}, {"after": f"{ME}@"}],
    ids=str,
)  # fmt: skip
def test_pending_list_with_a_bad_query(world: World, query: dict[str, str]) -> None:
    check_problem(world.ask_staff("GET", "/registrations", query=query), 422)


def confirm(world: World, submission: str, contact: str = ME) -> Answer:
    body = {"contact_id": contact, "submission_id": submission}
    return world.ask_staff("POST", "/registrations", body)


def test_confirming_puts_the_address_on_the_list_once(world: World) -> None:
    opted_in = world.happened(EMAIL, EventKind.OPTED_IN)
    first = confirm(world, opted_in.event_id)
    assert first.status == 200
    assert first.json["confirmed_by"] == "cs-someone"
    assert first.json["verdict"]["eligible"] is True
    stored = world.tables()
    assert confirm(world, opted_in.event_id).json == first.json
    assert world.tables() == stored
    assert [event.kind for event in world.contacts.history(ME)] == ["opted_in", "registered"]
    assert not world.contacts.pending(limit=9).contacts


def test_confirming_is_refused_with_the_reason(world: World) -> None:
    unticked = world.happened(EMAIL, EventKind.BOX_LEFT_UNTICKED)
    opted_in = world.happened(EMAIL, EventKind.OPTED_IN)
    world.happened(EMAIL, EventKind.UNSUBSCRIBED, source=Source.PHONE)
    before = world.tables()
    for submission, contact, status, code in (
        (unticked.event_id, ME, 409, "no_opt_in"),
        (opted_in.event_id, ME, 409, "refused_since"),
        ("0" * 24, ME, 404, "unknown_submission"),
        (opted_in.event_id, NOBODY, 404, "unknown_submission"),
    ):
        answer = confirm(world, submission, contact)
        check_problem(answer, status)
        assert answer.json["code"] == code
    assert world.tables() == before


def test_a_late_confirmation_never_overrides_a_refusal(world: World) -> None:
    """Confirmed in good faith while the refusal was still on its way."""
    opted_in = world.happened(EMAIL, EventKind.OPTED_IN)
    refused_at = world.clock.tick()
    assert confirm(world, opted_in.event_id).json["verdict"]["eligible"] is True
    world.contacts.record(fact(ME, EventKind.UNSUBSCRIBED, refused_at, source=Source.LINK))
    assert not judge(world.contacts.get(ME), Profile.MANUAL).eligible


def _handle(world: World, event: dict[str, Any], meanwhile: Meanwhile) -> Answer:
    deps = world.staff_api(meanwhile.wrap)
    return Answer.of(staff_api.handler(event, LambdaContext(), deps))  # type: ignore[arg-type]


def test_two_advisors_at_once_make_one_registration(world: World) -> None:
    opted_in = world.happened(EMAIL, EventKind.OPTED_IN)
    body = {"contact_id": ME, "submission_id": opted_in.event_id}
    mine = world.staff("POST", "/registrations", body, team="CS")
    theirs: list[Answer] = []
    other = Meanwhile(
        "transact_write_items",
        lambda: theirs.append(world.ask_staff("POST", "/registrations", body, team="GS")),
    )
    answer = _handle(world, mine, other)
    assert answer.status == 200
    assert answer.json["confirmed_by"] == theirs[0].json["confirmed_by"] == "gs-someone"
    assert [event.kind for event in world.contacts.history(ME)] == ["opted_in", "registered"]


def test_a_refusal_between_reading_and_confirming_wins(world: World) -> None:
    opted_in = world.happened(EMAIL, EventKind.OPTED_IN)
    event = world.staff(
        "POST", "/registrations", {"contact_id": ME, "submission_id": opted_in.event_id}
    )
    refusal = Meanwhile(
        "transact_write_items",
        lambda: world.happened(EMAIL, EventKind.UNSUBSCRIBED, source=Source.LINK),
    )
    check_problem(_handle(world, event, refusal), 409)
    assert not judge(world.contacts.get(ME), Profile.MANUAL).eligible


# --- unsubscriptions


@pytest.mark.parametrize("who", [{"email": "HANAKO.YAMADA@example.jp"}, {"contact_id": ME}])
def test_staff_unsubscribe(world: World, who: dict[str, str]) -> None:
    world.confirmed(EMAIL)
    body = {**who, "reason": "お電話で", "channel": "phone"}
    answer = world.ask_staff("POST", "/unsubscriptions", body, team="IT")
    assert answer.status == 200
    assert answer.json["contact_id"] == ME
    stored = world.contacts.history(ME)[-1]
    assert (stored.kind, stored.source) == (EventKind.UNSUBSCRIBED, Source.PHONE)
    assert (stored.details["operator"], stored.details["reason"]) == ("it-someone", "お電話で")
    assert not judge(world.contacts.get(ME), Profile.MANUAL).eligible


def test_staff_unsubscribe_of_an_unknown_address_suppresses_it_without_keeping_it(
    world: World,
) -> None:
    body = {"email": EMAIL, "reason": "お電話で"}
    assert world.ask_staff("POST", "/unsubscriptions", body).status == 200
    assert "hanako" not in repr(world.tables()).lower()
    world.happened(EMAIL, EventKind.NOTIFIED)
    assert not judge(world.contacts.get(ME), Profile.MANUAL).eligible


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"reason": "x"}, 422),
        ({"email": EMAIL, "contact_id": ME, "reason": "x"}, 422),
        ({"email": EMAIL}, 422),
        ({"email": EMAIL, "reason": ""}, 422),
        ({"email": EMAIL, "reason": "x" * 201}, 422),
        ({"email": EMAIL, "reason": "x", "channel": "telepathy"}, 422),
        ({"email": "x@", "reason": "x"}, 422),
        ({"email": "a" * 1_000_000, "reason": "x"}, 422),
        ({"contact_id": "x", "reason": "x"}, 422),
        ({"email": EMAIL, "reason": "x", "more": 1}, 422),
        ({"email": ["x"], "reason": "x"}, 422),
        ([], 422),
        ("{", 400),
        ('{"email": "\\ud800@example.jp", "reason": "x"}', 422),
        (None, 422),
    ],
    ids=lambda value: str(value)[:40],
)
def test_staff_unsubscribe_with_bad_input(
    world: World, logged: Callable[[], str], body: Any, status: int
) -> None:
    before = world.tables()
    check_problem(world.ask_staff("POST", "/unsubscriptions", body), status)
    assert world.tables() == before
    assert "hanako" not in logged().lower()


# --- forms


def form_body(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**FORM, **changes}.items() if value is not None}


def test_forms_are_created_once_listed_and_replaced(world: World) -> None:
    created = world.ask_staff("POST", "/forms", FORM, team="GS")
    assert created.status == 200
    assert created.json["consent_ja"].startswith("当社からの情報")
    check_problem(world.ask_staff("POST", "/forms", FORM, team="GS"), 409)
    listed = world.ask_staff("GET", "/forms").json["forms"]
    assert [form["form_id"] for form in listed] == ["midori-town", MUNICIPAL, "seminar"]
    assert world.ask_staff("GET", "/forms/midori-town").json == created.json
    changed = form_body(form_id=None, title_ja="新しい見出し")
    assert world.ask_staff("PUT", "/forms/midori-town", changed, team="IT").status == 200
    assert world.ask_staff("GET", "/forms/midori-town").json["title_ja"] == "新しい見出し"
    check_problem(world.ask_staff("PUT", "/forms/unknown", changed, team="IT"), 404)
    check_problem(world.ask_staff("GET", "/forms/unknown"), 404)
    check_problem(world.ask_staff("GET", "/forms/" + "a" * 4000), 404)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"consent_version": 99}, "consent_version"),
        ({"consent_version": 0}, "consent_version"),
        ({"kind": "web_form", "consent_version": 99}, "consent_version"),
        ({"purpose_version": 99}, "purpose_version"),
        ({"municipality": " "}, "municipality"),
        ({"title_ja": ""}, "title_ja"),
        ({"title_en": "x" * 101}, "title_en"),
        ({"form_id": "Bad Id"}, "form_id"),
        ({"form_id": "a" * 65}, "form_id"),
        ({"allowed_origins": ["https://a.jp/path"]}, "allowed_origins"),
        ({"allowed_origins": ["*"]}, "allowed_origins"),
        ({"thanks_url": "javascript:alert(1)"}, "thanks_url"),
        ({"fields": [{"name": "email", "label_ja": "x"}]}, "fields"),
        ({"fields": [{"name": "Name", "label_ja": "x"}]}, "fields"),
        ({"fields": [{"name": "a", "label_ja": "x"}] * 2}, "fields"),
        ({"fields": [{"name": "a", "label_ja": "x", "max_length": 0}]}, "fields"),
    ],
    ids=str,
)
def test_a_form_that_would_break_the_manual_cannot_be_saved(
    world: World, changes: dict[str, Any], field: str
) -> None:
    before = world.tables()
    answer = world.ask_staff("POST", "/forms", form_body(**changes), team="GS")
    check_problem(answer, 422, {field})
    if changes == {"consent_version": 99}:
        assert "A1" in answer.json["errors"][0]["detail"]
    assert world.tables() == before
    if "form_id" not in changes:
        body = form_body(form_id=None, **changes)
        check_problem(world.ask_staff("PUT", f"/forms/{MUNICIPAL}", body, team="GS"), 422, {field})
    assert world.tables() == before


def test_a_form_never_switches_the_checkbox_off_by_leaving_things_out(world: World) -> None:
    body = form_body(consent_version=None, purpose_version=None)
    created = world.ask_staff("POST", "/forms", body, team="GS").json
    assert (created["consent_version"], created["purpose_version"]) == (1, 1)


# --- campaigns


def test_a_campaign_is_written_sent_once_and_counted(world: World) -> None:
    created = world.ask_staff("POST", "/campaigns", {"subject": "件名", "body": "本文"}).json
    name = created["campaign_id"]
    assert (created["status"], created["created_by"]) == ("draft", "cs-someone")
    assert [c["campaign_id"] for c in world.ask_staff("GET", "/campaigns").json["campaigns"]] == [
        name
    ]
    assert world.ask_staff("GET", f"/campaigns/{name}").json["progress"] is None
    world.approved(name)
    assert world.ask_staff("POST", f"/campaigns/{name}/send").json["status"] == "sending"
    jobs = [json.loads(message.body) for message in world.queue.messages]
    assert sorted(job["shard"] for job in jobs) == sorted(SHARDS)
    assert {job["campaign_id"] for job in jobs} == {name}

    people = [f"p{number}@example.jp" for number in range(3)]
    for email in people:
        world.confirmed(email)
    candidates = [Candidate(world.contacts.get(id_of(email))) for email in people]
    world.ledger.claim(name, "b1", candidates, world.clock.now())
    results = [Result(Outcome.SENT), Result(Outcome.SENT), Result(Outcome.REJECTED)]
    world.ledger.record(name, "b1", results, world.clock.now())
    world.ledger.skip(name, [Skip(ME, "unsubscribed")], world.clock.now())
    shown = world.ask_staff("GET", f"/campaigns/{name}").json
    assert shown["figures"] == {"sent": 2, "rejected": 1, "skipped": 1}
    assert shown["skipped"] == {"unsubscribed": 1}
    assert shown["eligible"] == 3
    assert set(shown["received"].values()) == {0}
    assert 0 < shown["progress"]["fraction"] < 1

    for shard in SHARDS:
        world.campaigns.close_shard(name, shard)
    assert world.campaigns.get(name).status is CampaignStatus.DONE
    check_problem(world.ask_staff("POST", f"/campaigns/{name}/send"), 409)
    assert len(world.queue.messages) == len(SHARDS)


def test_sending_again_while_it_runs_is_harmless(world: World, campaign: str) -> None:
    for _ in range(2):
        assert world.ask_staff("POST", f"/campaigns/{campaign}/send").status == 200
    assert world.campaigns.get(campaign).status is CampaignStatus.SENDING


def test_a_queue_that_takes_only_some_jobs_is_not_taken_for_success(
    world: World, campaign: str
) -> None:
    world.queue.refuse_from = 3
    check_problem(world.ask_staff("POST", f"/campaigns/{campaign}/send"), 503)
    world.queue.refuse_from = None
    assert world.ask_staff("POST", f"/campaigns/{campaign}/send").status == 200
    shards = {json.loads(message.body)["shard"] for message in world.queue.messages}
    assert shards == set(SHARDS)


def test_jobs_reach_a_real_queue(world: World, campaign: str) -> None:
    """The fake queue takes what SQS takes: the same call against moto's."""
    deps = world.staff_api()
    object.__setattr__(deps, "jobs", JobQueue(world.sqs, world.moto_queue_url))
    event = world.staff("POST", f"/campaigns/{campaign}/send")
    assert staff_api.handler(event, LambdaContext(), deps)["statusCode"] == 200  # type: ignore[arg-type]
    number = world.sqs.get_queue_attributes(
        QueueUrl=world.moto_queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert number["Attributes"]["ApproximateNumberOfMessages"] == str(len(SHARDS))
    world.sqs.purge_queue(QueueUrl=world.moto_queue_url)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"subject": "", "body": "本文"}, "subject"),
        ({"subject": "件\r\nBcc: a@b.jp", "body": "本文"}, "subject"),
        ({"subject": "件" * 101, "body": "本文"}, "subject"),
        ({"subject": "件名", "body": " "}, "body"),
        ({"subject": "件名", "body": "a\x00"}, "body"),
        ({"subject": "件名", "body": "あ" * 20_001}, "body"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_campaign_that_cannot_be_sent_is_refused(
    world: World, body: dict[str, str], field: str
) -> None:
    check_problem(world.ask_staff("POST", "/campaigns", body), 422, {field})
    assert not world.table("campaigns")


def test_unknown_campaigns(world: World) -> None:
    for method, path in (("GET", ""), ("POST", "/send")):
        check_problem(world.ask_staff(method, f"/campaigns/{'0' * 12}{path}"), 404)
        check_problem(world.ask_staff(method, f"/campaigns/x{path}"), 422)
    assert not world.queue.messages


# --- the description


def test_openapi_is_3_1_and_describes_every_route(world: World) -> None:
    event = world.stamped(payload("staff_openapi"))
    answer = Answer.of(staff_api.handler(event, LambdaContext(), world.staff_api()))  # type: ignore[arg-type]
    assert answer.status == 200
    described = answer.json
    assert described["openapi"].startswith("3.1.")
    routes = {(m.upper(), p) for p, methods in described["paths"].items() for m in methods}
    served = {
        (method, re.sub(r"<(\w+)>", r"{\1}", route.path))
        for route in staff_api.app._static_routes + staff_api.app._dynamic_routes
        for method in [route.method]
        if route.path != "/openapi.json"
    }
    assert routes == served
    assert all(
        operation.get("summary") and operation.get("tags")
        for methods in described["paths"].values()
        for operation in methods.values()
    )


def test_every_route_has_a_payload_in_events() -> None:
    described = json.loads(staff_api.openapi_json())["paths"]
    patterns = {
        (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path)))
        for path, methods in described.items()
        for method in methods
    }
    called = [payload(file.stem)["requestContext"]["http"] for file in EVENTS.glob("staff_*.json")]
    for method, pattern in patterns:
        assert any(
            http["method"] == method and pattern.fullmatch(http["path"]) for http in called
        ), (method, pattern.pattern)


# --- fuzz

_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from([EMAIL, ME, SUBMISSION, "municipal_lp"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["email", "contact_id", "submission_id", "reason", "channel", "subject",
                         "body", "kind", "form_id", "fields", "title_ja", "title_en", "version",
                         "words", "text", "unsubscribe", "answer_to", "language"]),
        inner, max_size=5),
    max_leaves=8,
)  # fmt: skip
_BODIES = _ANY.map(json.dumps) | st.text(max_size=30) | st.just('{"\\ud800": "\\ud800"}')
_QUERY = st.dictionaries(st.sampled_from(["after", "limit", "status"]), st.text(max_size=9))


@settings(
    max_examples=150,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    route=st.sampled_from(ROUTES),
    body=st.none() | _BODIES,
    query=_QUERY,
    team=st.sampled_from(["CS", "GS", "IT", "X"]),
)
def test_the_staff_api_survives_anything(
    *,
    small_world: World,
    cases: Callable[[str, int], None],
    route: tuple[str, str, Any, set[str]],
    body: str | None,
    query: dict[str, str],
    team: str,
) -> None:
    world = small_world
    world.begin()
    world.happened(EMAIL, EventKind.OPTED_IN)
    a_case(world)
    before = world.tables()
    answer = world.ask_staff(route[0], route[1], body, query=query, team=team)
    cases(f"random requests to the staff API, answered {answer.status // 100}xx", 1)
    assert 200 <= answer.status < 500, answer.text
    if answer.status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert world.tables() == before
    assert held(world.tables()) == projected(world.tables())
