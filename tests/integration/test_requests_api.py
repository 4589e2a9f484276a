"""Requests through the staff API: reading, deciding, answering (manual R1)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from functions.staff_api import app as staff_api
from shared.adapters.cases import CaseMail
from shared.domain.cases import Case, CaseKind, CaseState, LinkState, StepKind, Task
from shared.domain.eligibility import Profile, judge
from shared.domain.events import Event, EventKind, Source
from shared.domain.links import NOBODY
from shared.domain.reception import Outcome
from tests.integration.cases import CASE, MAIL, a_case, a_mail_nobody_answered
from tests.integration.fakes import Meanwhile
from tests.integration.world import Answer, LambdaContext, World, id_of

EMAIL = "hanako.yamada@example.jp"
ME = id_of(EMAIL)
OTHER = "hanako.elsewhere@example.com"
NEW = "hanako.new@example.jp"
UNKNOWN = "0" * 31 + "1"
PATH = f"/requests/{CASE}"
# Every change of a request, with what it takes beside the version.
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "kind": {"kind": "inquiry"},
    "ask-identity": {},
    "verify": {"reason": "来社し、運転免許証で確認"},
    "approve": {},
    "new-address": {"email": NEW},
    "refuse": {"reason": "ご本人と確認できなかったため。"},
    "finish": {},
    "reply": {"text": "ご連絡ありがとうございます。"},
    "note": {"text": "平日の午前に折り返し。"},
}


def check_problem(answer: Answer, status: int, code: str = "") -> None:
    assert answer.status == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert re.search("[ぁ-ん]", answer.json["detail"])
    assert code in {"", answer.json["code"]}


def act(world: World, action: str, *, version: int = 1, team: str = "IT", **fields: Any) -> Answer:
    """A change of the request, of this version."""
    body = {"version": version, **(fields or CHANGES[action])}
    return world.ask_staff("POST", f"{PATH}/{action}", body, team=team)


def done(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def queued(world: World) -> list[dict[str, Any]]:
    """The jobs for the case worker."""
    return [json.loads(message.body) for message in world.case_queue.messages]


def eligible(world: World) -> bool:
    return judge(world.contacts.get(ME), Profile.MANUAL).eligible


def told(world: World) -> str:
    """The text of the one mail that was sent."""
    [mail] = world.ses.mails
    return mail.raw.decode("ascii", "replace")


# --- lists


def many(world: World, count: int, **changes: Any) -> list[Case]:
    """Open requests of different people, the first due first."""
    return [
        a_case(
            world,
            case_id=f"{number:032x}",
            contact_id=id_of(f"p{number}@example.jp"),
            reply_to=f"p{number}@example.jp",
            due_on=date(2026, 12, 1) + timedelta(days=number),
            **changes,
        )
        for number in range(1, count + 1)
    ]


def pages(world: World, path: str, **query: str) -> list[dict[str, Any]]:
    """Everything in a list, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        page = done(world.ask_staff("GET", path, query=query))
        items = page["requests"] if "requests" in page else page["mails"]
        assert len(items) <= int(query.get("limit", "50"))
        found += items
        if not page["next"]:
            return found
        query["after"] = page["next"]


def test_open_requests_the_first_due_first_by_team_and_page(world: World) -> None:
    many(world, 5)
    a_case(world, kind=CaseKind.INQUIRY, due_on=date(2026, 11, 30))
    everything = pages(world, "/requests", limit="2")
    assert [line["due_on"] for line in everything] == sorted(line["due_on"] for line in everything)
    assert everything[0]["case_id"] == CASE
    assert len(everything) == 6
    assert len(pages(world, "/requests", team="IT", limit="3")) == 5
    [inquiry] = pages(world, "/requests", team="CS")
    assert (inquiry["kind"], inquiry["team"]) == ("inquiry", "CS")
    assert pages(world, "/requests", team="GS") == []


def test_a_list_shows_addresses_only_masked(world: World) -> None:
    a_case(world, subject="個人的な件名")
    answer = world.ask_staff("GET", "/requests")
    [line] = answer.json["requests"]
    assert line["writer"] == "h***@***.jp"
    assert "hanako" not in answer.text
    assert "個人的な" not in answer.text
    assert re.search("[ぁ-ん]", line["next"]["ja"])
    assert line["next"]["code"]
    assert line["next"]["en"].isascii()


def test_closed_requests_the_newest_first(world: World) -> None:
    for case in many(world, 3):
        changed = replace(
            case,
            state=CaseState.DONE,
            steps=(*case.steps, replace(case.steps[0], at=world.clock.tick())),
        )
        world.cases.save(case, changed)
    closed = pages(world, "/requests", state="closed", limit="2")
    assert [int(line["case_id"], 16) for line in closed] == [3, 2, 1]
    assert not any(line["overdue"] for line in closed)
    assert pages(world, "/requests", state="closed", team="CS") == []
    assert pages(world, "/requests") == []


def test_what_is_overdue_is_marked(world: World) -> None:
    """The day promised still counts, in Japan."""
    today = date(2026, 11, 24)
    for number, (due, late) in enumerate([(today, False), (today - timedelta(days=1), True)]):
        a_case(world, case_id=f"{number + 1:032x}", contact_id=f"{number:032x}", due_on=due)
        line = world.ask_staff("GET", f"/requests/{number + 1:032x}").json
        assert line["overdue"] is late


@pytest.mark.parametrize(
    "query",
    [
        {"team": "SALES"}, {"state": "lost"}, {"limit": "0"}, {"limit": "101"}, {"limit": "x"},
        {"after": "%"}, {"after": "x"}, {"after": "a" * 301}, {"after": "AAAA"},
        {"after": base64.urlsafe_b64encode("あ".encode()).decode().rstrip("=")},
        {"after": base64.urlsafe_b64encode(b"2026-12-01#x\x00").decode().rstrip("=")},
    ],
    ids=str,
)  # fmt: skip
def test_lists_with_a_bad_query(world: World, query: dict[str, str]) -> None:
    for path in ("/requests", "/received"):
        if not (path == "/received" and query.keys() & {"team", "state"}):
            check_problem(world.ask_staff("GET", path, query=query), 422)
    check_problem(world.ask_staff("GET", "/requests", query={"state": "closed"} | query), 422)


# --- one request


def test_a_request_is_shown_with_everything(world: World, logged: Callable[[], str]) -> None:
    world.confirmed(EMAIL)
    a_case(world, subject="開示のお願い")
    shown = done(world.ask_staff("GET", PATH))
    assert (shown["address"], shown["subject"], shown["version"]) == (EMAIL, "開示のお願い", 1)
    assert shown["team"] == "IT"
    assert shown["why"]["code"] == "says_disclose"
    [step] = shown["steps"]
    assert (step["kind"], step["kind_ja"], step["by"]) == ("opened", "受付", "person")
    [mail] = shown["mails"]
    assert (mail["words"], mail["direction"]) == ("登録内容を開示してください。", "in")
    assert shown["verdict"]["eligible"] is True
    [line] = [each for each in logged().splitlines() if '"request viewed"' in each]
    assert json.loads(line)["operator"] == "cs-someone"
    assert json.loads(line)["case_id"] == CASE
    assert "hanako" not in line


def test_the_link_that_counts_is_shown_without_what_makes_it_one(world: World) -> None:
    until = world.clock.now() + timedelta(hours=72)
    a_case(world, state=CaseState.IDENTITY_ASKED, links={"i": LinkState("5ec2e7" * 4, until)})
    answer = world.ask_staff("GET", PATH)
    link = answer.json["links"]["identity"]
    assert datetime.fromisoformat(link["expires_at"]) == until
    assert link["used_at"] is None
    assert "5ec2e7" not in answer.text
    assert answer.json["next"]["code"] == "wait_for_person"


def test_who_wrote_may_be_unknown(world: World) -> None:
    a_case(world, contact_id=NOBODY, reply_to="", kind=CaseKind.INQUIRY)
    shown = done(world.ask_staff("GET", PATH))
    assert (shown["verdict"], shown["writer"], shown["address"]) == (None, "", "")
    check_problem(act(world, "reply"), 409, "no_address")
    check_problem(act(world, "ask-identity"), 409, "nobody_known")
    check_problem(act(world, "finish", unsubscribe=True), 409, "nobody")
    assert done(act(world, "finish"))["state"] == "done"


def test_a_contact_lists_its_requests(world: World) -> None:
    world.confirmed(EMAIL)
    a_case(world)
    shown = done(world.ask_staff("GET", f"/contacts/{ME}"))
    assert [each["case_id"] for each in shown["requests"]] == [CASE]
    proof = world.ask_staff("GET", f"/contacts/{ME}/proof", query={"format": "json"}).json
    assert [each["case_id"] for each in proof["requests"]] == [CASE]
    assert "開示してください" not in json.dumps(proof, ensure_ascii=False)


def test_a_request_with_very_many_words_is_still_shown(world: World) -> None:
    """An answer of the staff API holds 6 MB."""
    a_case(world)
    for number in range(60):
        mail = CaseMail(f"{number:032x}", world.clock.tick(), "削" * 20_000)
        read = world.cases.get(CASE)
        world.cases.save(read, read, mail)
    answer = world.ask_staff("GET", PATH)
    assert len(answer.text.encode()) < 5_000_000
    first, *_, last = done(answer)["mails"]
    assert (first["words"], first["unread"]) == ("登録内容を開示してください。", [])
    assert (last["words"], last["unread"]) == ("", ["text_cut"])


def test_what_is_not_there_is_404_and_what_cannot_be_422(world: World) -> None:
    for path, body in [
        ("", None),
        *((f"/{action}", {"version": 1, **more}) for action, more in CHANGES.items()),
    ]:
        method = "GET" if body is None else "POST"
        answer = world.ask_staff(method, f"/requests/{UNKNOWN}{path}", body, team="IT")
        check_problem(answer, 404, "unknown_request")
        check_problem(world.ask_staff(method, f"/requests/x{path}", body, team="IT"), 422)
    check_problem(world.ask_staff("GET", f"/requests/{UNKNOWN}/mails/{MAIL}/raw"), 404)
    check_problem(world.ask_staff("POST", f"/received/{'0' * 24}/open"), 404, "unknown_mail")


@pytest.mark.parametrize("action", CHANGES)
def test_a_change_names_the_version_that_was_seen(world: World, action: str) -> None:
    a_case(world)
    before = world.tables()
    answer = act(world, action, version=0)
    check_problem(answer, 409, "changed_meanwhile")
    assert "ほかの担当者" in answer.json["detail"]
    check_problem(world.ask_staff("POST", f"{PATH}/{action}", CHANGES[action], team="IT"), 422)
    assert world.tables() == before
    assert not queued(world)
    assert not world.ses.mails


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("kind", {"kind": "complaint"}),
        ("kind", {}),
        ("verify", {"reason": " "}),
        ("verify", {"reason": "x" * 501}),
        ("new-address", {"email": "x@"}),
        ("new-address", {"email": f"{NEW}\r\nBcc: a@b.jp"}),
        ("refuse", {"reason": ""}),
        ("finish", {"unsubscribe": "perhaps"}),
        ("reply", {"text": "\n"}),
        ("reply", {"text": "あ" * 20_001}),
        ("note", {"text": ""}),
        ("note", {"text": "x", "more": 1}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_changes(world: World, action: str, fields: dict[str, Any]) -> None:
    kind = CaseKind.CORRECTION if action == "new-address" else CaseKind.INQUIRY
    a_case(world, kind=kind, state=CaseState.VERIFIED)
    before = world.tables()
    body = {"version": 1, **fields}
    check_problem(world.ask_staff("POST", f"{PATH}/{action}", body, team="IT"), 422)
    assert world.tables() == before


# --- taking a request


PHONE = {"kind": "disclosure", "email": EMAIL, "words": "お電話で、登録内容の開示をご希望。"}


def by_phone(world: World, **changes: Any) -> Answer:
    return world.ask_staff("POST", "/requests", {**PHONE, **changes})


def test_by_phone_the_mailbox_itself_is_asked_to_confirm(
    world: World, logged: Callable[[], str]
) -> None:
    world.confirmed(EMAIL)
    made = done(by_phone(world, email=" HANAKO.yamada＠example.jp"))
    assert (made["state"], made["task"], made["mailbox"]) == ("received", "ask_identity", None)
    assert (made["contact_id"], made["address"].lower()) == (ME, EMAIL)
    assert made["steps"][0]["by"] == "cs-someone"
    assert [(mail["words"], mail["by"]) for mail in made["mails"]] == [
        (PHONE["words"], "cs-someone")
    ]
    assert queued(world) == [{"case_id": made["case_id"]}]
    assert eligible(world)
    assert "hanako" not in logged().lower()


def test_an_erasure_by_phone_keeps_the_address_from_mailing(world: World) -> None:
    world.confirmed(EMAIL)
    made = done(by_phone(world, kind="erasure"))
    assert made["holds"]
    assert made["verdict"]["reason"] == "held"
    held = world.contacts.history(ME)[-1]
    assert (held.kind, held.details["case_id"]) == (EventKind.HELD, made["case_id"])


def test_of_somebody_nobody_knows(world: World) -> None:
    made = done(by_phone(world, kind="disclosure"))
    assert (made["verdict"]["eligible"], made["contact_known"]) == (False, False)
    held = done(by_phone(world, kind="stop_use"))
    assert (held["verdict"]["eligible"], held["contact_known"]) == (False, True)
    assert "hanako" not in repr(world.table("contacts")).lower()


def test_who_lost_the_mailbox_is_verified_by_two(world: World) -> None:
    """No link goes to an address that proves nothing."""
    world.confirmed(EMAIL)
    made = done(by_phone(world, answer_to=OTHER))
    assert (made["task"], made["address"]) == ("none", OTHER)
    assert not queued(world)
    path = f"/requests/{made['case_id']}"
    asked = world.ask_staff("POST", f"{path}/ask-identity", {"version": 1})
    check_problem(asked, 409, "not_their_mailbox")
    listed = world.ask_staff("GET", "/requests").json["requests"]
    of_contact = world.ask_staff("GET", f"/contacts/{ME}").json["requests"]
    for shown in [made, *listed, *of_contact]:
        assert shown["next"]["code"] == "verify_by_hand"
    proof = {"version": 1, "reason": "来社し、運転免許証で確認"}
    proposed = done(world.ask_staff("POST", f"{path}/verify", proof))
    assert (proposed["state"], proposed["hand_by"]) == ("received", "cs-someone")
    again = {**proof, "version": proposed["version"]}
    check_problem(world.ask_staff("POST", f"{path}/verify", again), 403)
    verified = done(world.ask_staff("POST", f"{path}/verify", again, team="IT"))
    assert verified["task"] == "disclose"
    assert verified["steps"][-1]["kind"] == "hand_verified"
    assert queued(world) == [{"case_id": made["case_id"]}]


def test_an_erasure_verified_by_two_ends_all_mail_at_once(world: World) -> None:
    """Before IT approves, and whatever becomes of the rest."""
    world.confirmed(EMAIL)
    made = done(by_phone(world, kind="erasure", answer_to=OTHER))
    path = f"/requests/{made['case_id']}/verify"
    proof = {"version": made["version"], "reason": "来社し、運転免許証で確認"}
    proposed = done(world.ask_staff("POST", path, proof))
    assert judge(world.contacts.get(ME), Profile.MANUAL).reason == "held"
    again = {**proof, "version": proposed["version"]}
    assert done(world.ask_staff("POST", path, again, team="IT"))["state"] == "verified"
    assert judge(world.contacts.get(ME), Profile.MANUAL).reason == "unsubscribed"


def test_a_hold_does_not_outlast_a_request_closed_meanwhile(world: World) -> None:
    """Somebody refuses it between its being saved and the hold."""
    world.confirmed(EMAIL)
    a_case(world)
    deps = world.staff_api()
    record = deps.contacts.record

    def after_the_refusal(fact: Event) -> None:
        version = world.cases.get(CASE).version
        done(act(world, "refuse", version=version, reason="別の窓口へ"))
        world.work()
        record(fact)

    deps.contacts.record = after_the_refusal  # type: ignore[method-assign,assignment]
    asks = world.staff("POST", f"{PATH}/kind", {"version": 1, "kind": "erasure"})
    done(Answer.of(staff_api.handler(asks, LambdaContext(), deps)))  # type: ignore[arg-type]
    world.work()
    assert eligible(world)


def test_more_of_the_same_joins_the_open_request(world: World) -> None:
    first = done(by_phone(world))
    second = done(by_phone(world, words="もう一度お電話。"))
    assert second["case_id"] == first["case_id"]
    assert [mail["words"] for mail in second["mails"]] == [PHONE["words"], "もう一度お電話。"]
    assert done(by_phone(world, kind="erasure"))["case_id"] != first["case_id"]


def test_an_erasure_that_is_open_without_a_hold_gets_one(world: World) -> None:
    world.confirmed(EMAIL)
    a_case(world, kind=CaseKind.ERASURE)
    joined = done(by_phone(world, kind="erasure"))
    assert (joined["case_id"], joined["holds"]) == (CASE, True)
    assert not eligible(world)


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "x@"}, {"email": ""}, {"answer_to": "x@"}, {"answer_to": ""}, {"words": " "},
        {"words": "あ" * 20_001}, {"kind": "gift"}, {"language": "fr"}, {"more": 1}, {"kind": None},
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_a_request_that_cannot_be_taken(world: World, changes: dict[str, Any]) -> None:
    before = world.tables()
    check_problem(by_phone(world, **changes), 422)
    assert world.tables() == before
    assert not queued(world)


# --- deciding


def test_another_kind_goes_to_its_team(world: World) -> None:
    world.confirmed(EMAIL)
    a_case(world, kind=CaseKind.INQUIRY)
    changed = done(act(world, "kind", kind="disclosure", team="CS"))
    assert (changed["kind"], changed["team"], changed["version"]) == ("disclosure", "IT", 2)
    assert changed["steps"][-1]["by"] == "cs-someone"
    assert eligible(world)
    erasure = done(act(world, "kind", kind="erasure", version=2))
    assert erasure["holds"]
    assert not eligible(world)


def test_what_the_person_confirmed_cannot_be_made_an_erasure(world: World) -> None:
    """Neither by one member of staff, who would approve it, nor by a link for something else."""
    world.confirmed(EMAIL)
    a_case(world, state=CaseState.VERIFIED)
    erasure = done(act(world, "kind", kind="erasure"))
    assert (erasure["state"], erasure["task"]) == ("received", "ask_identity")
    assert queued(world) == [{"case_id": CASE}]
    check_problem(act(world, "approve", version=2), 409, "not_verified")
    world.work()
    assert len(world.ses.to(EMAIL)) == 1
    assert world.cases.get(CASE).state is CaseState.IDENTITY_ASKED
    inquiry = done(act(world, "kind", kind="inquiry", version=world.cases.get(CASE).version))
    assert inquiry["state"] == "received"


def test_who_was_verified_by_two_is_verified_anew_for_another_kind(world: World) -> None:
    """No link goes to the agent, and one alone stops nobody."""
    world.confirmed(EMAIL)
    a_case(world, reply_to=OTHER)
    done(act(world, "verify", version=1))
    verified = done(act(world, "verify", version=2, team="CS"))
    case = world.cases.get(CASE)
    world.cases.save(case, replace(case, task=Task.NONE))  # the file could not be mailed
    use = done(act(world, "kind", kind="stop_use", version=verified["version"] + 1))
    assert (use["state"], use["task"], use["next"]["code"]) == (
        "received",
        "none",
        "verify_by_hand",
    )
    proposed = done(act(world, "verify", version=use["version"]))
    assert proposed["next"]["code"] == "agree_by_hand"
    assert proposed["verdict"]["reason"] == "held"
    agreed = done(act(world, "verify", version=proposed["version"], team="CS"))
    assert (agreed["task"], agreed["verdict"]["reason"]) == ("stop", "unsubscribed")


def test_a_kind_of_which_one_is_open_already(world: World) -> None:
    a_case(world)
    a_case(world, case_id="ab" * 16, kind=CaseKind.INQUIRY)
    answer = world.ask_staff(
        "POST", f"/requests/{'ab' * 16}/kind", {"version": 1, "kind": "disclosure"}
    )
    check_problem(answer, 409, "already_open")


def test_identity_is_asked_again(world: World) -> None:
    a_case(world)
    asked = done(act(world, "ask-identity", team="CS"))
    assert asked["task"] == "ask_identity"
    assert queued(world) == [{"case_id": CASE}]


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (CaseKind.ERASURE, CaseState.VERIFIED),
        (CaseKind.STOP_USE, CaseState.IN_PROGRESS),
        (CaseKind.DISCLOSURE, CaseState.DONE),
        (CaseKind.INQUIRY, CaseState.RECEIVED),
    ],
)
def test_where_no_link_is_waited_for_none_is_mailed(
    world: World, kind: CaseKind, state: CaseState
) -> None:
    a_case(world, kind=kind, state=state)
    check_problem(act(world, "ask-identity"), 409)
    assert not queued(world)


def test_the_link_to_the_file_is_mailed_again(world: World) -> None:
    a_case(world, state=CaseState.IN_PROGRESS, reply_to=OTHER)
    assert done(act(world, "ask-identity"))["task"] == "disclose"
    assert queued(world) == [{"case_id": CASE}]


def test_an_erasure_is_approved_by_it(world: World) -> None:
    a_case(world, kind=CaseKind.ERASURE)
    check_problem(act(world, "approve"), 409)
    verified = replace(world.cases.get(CASE), state=CaseState.VERIFIED)
    version = world.cases.save(world.cases.get(CASE), verified).version
    for team in ("CS", "GS"):
        check_problem(act(world, "approve", team=team, version=version), 403, "wrong_team")
    approved = done(act(world, "approve", version=version))
    assert (approved["task"], approved["approved_by"]) == ("erase", "it-someone")
    assert queued(world) == [{"case_id": CASE}]


@pytest.mark.parametrize("by_itself", [False, True])
def test_a_verified_erasure_waits_for_approval_unless_it_runs_by_itself(
    world: World, *, by_itself: bool
) -> None:
    world.settings["erasure_runs_by_itself"] = by_itself
    a_case(world, kind=CaseKind.ERASURE)
    act(world, "verify", team="CS")
    verified = done(act(world, "verify", version=2))
    assert verified["task"] == ("erase" if by_itself else "none")


def test_a_new_address_is_asked_to_confirm(world: World) -> None:
    a_case(world, kind=CaseKind.CORRECTION, state=CaseState.VERIFIED)
    check_problem(act(world, "new-address", email=EMAIL), 409, "same_address")
    given = done(act(world, "new-address", team="CS"))
    assert (given["new_address"], given["task"]) == (NEW, "verify_new_address")
    assert queued(world) == [{"case_id": CASE}]
    assert NEW not in json.dumps(given["steps"])


def test_a_refusal_is_told(world: World) -> None:
    world.confirmed(EMAIL)
    a_case(world)
    refused = done(act(world, "refuse", team="CS"))
    assert (refused["state"], refused["task"]) == ("refused", "tell_refused")
    assert refused["refusal"] == CHANGES["refuse"]["reason"]
    assert queued(world) == [{"case_id": CASE}]
    assert eligible(world)
    check_problem(act(world, "finish", version=2), 409)


@pytest.mark.parametrize("kind", [CaseKind.ERASURE, CaseKind.STOP_USE])
def test_whoever_surely_wanted_no_mail_gets_none_even_if_the_rest_is_refused(
    world: World, kind: CaseKind
) -> None:
    world.confirmed(EMAIL)
    a_case(world, kind=kind, state=CaseState.VERIFIED)
    done(act(world, "refuse"))
    stop = world.contacts.history(ME)[-1]
    assert (stop.kind, stop.details["case_id"]) == (EventKind.UNSUBSCRIBED, CASE)
    assert not eligible(world)


def test_a_forged_erasure_that_is_refused_stops_nobody(world: World) -> None:
    world.confirmed(EMAIL)
    made = done(by_phone(world, kind="erasure"))
    assert not eligible(world)
    reason = {"version": made["version"], "reason": "ご本人のご依頼ではないため。"}
    done(world.ask_staff("POST", f"/requests/{made['case_id']}/refuse", reason))
    world.work()
    assert eligible(world)


def test_an_erasure_from_the_call_to_the_certificate(world: World) -> None:
    """By staff alone, for somebody who lost the mailbox; afterwards no query finds them."""
    world.confirmed(EMAIL)
    made = done(by_phone(world, kind="erasure", answer_to=OTHER))
    path = f"/requests/{made['case_id']}"
    noted = {"version": made["version"], "text": f"{EMAIL} の方。来社予定。"}
    version = done(world.ask_staff("POST", f"{path}/note", noted))["version"]
    for team in ("CS", "IT"):
        proof = {"version": version, "reason": "来社し、運転免許証で確認"}
        version = done(world.ask_staff("POST", f"{path}/verify", proof, team=team))["version"]
    assert world.ask_staff("GET", path).json["next"]["code"] == "approve_erasure"
    done(world.ask_staff("POST", f"{path}/approve", {"version": version}, team="IT"))
    world.work()
    assert len(world.ses.to(OTHER)) == 1
    shown = world.ask_staff("GET", path)
    assert (shown.json["state"], shown.json["address"]) == ("done", "")
    assert [mail["words"] for mail in shown.json["mails"]] == ["", ""]
    for page in (shown, world.ask_staff("GET", "/requests", query={"state": "closed"})):
        assert "hanako" not in page.text.lower()
        assert "運転免許証" not in page.text
    assert "hanako" not in repr(world.tables()).lower()
    details = [detail for step in shown.json["steps"] for detail in step["details"]]
    assert {detail["name"] for detail in details} >= {"kind", "reason", "events"}
    assert all(re.search("[ぁ-んァ-ヶ一-龠]", detail["name_ja"]) for detail in details)


def held_inquiry(world: World) -> None:
    world.confirmed(EMAIL)
    a_case(world, kind=CaseKind.INQUIRY, holds=True)
    world.happened(EMAIL, EventKind.HELD, source=Source.REPLY, details={"case_id": CASE})


def test_a_held_inquiry_has_to_be_decided(world: World) -> None:
    held_inquiry(world)
    answer = act(world, "finish")
    check_problem(answer, 422)
    assert [error["field"] for error in answer.json["errors"]] == ["unsubscribe"]
    assert world.cases.get(CASE).is_open


def test_a_held_inquiry_that_meant_stop(world: World) -> None:
    held_inquiry(world)
    finished = done(act(world, "finish", unsubscribe=True, team="CS"))
    assert finished["state"] == "done"
    assert finished["verdict"]["reason"] == "unsubscribed"
    stop = world.contacts.history(ME)[-1]
    assert (stop.kind, stop.source) == (EventKind.UNSUBSCRIBED, Source.STAFF)
    assert stop.details == {"operator": "cs-someone", "case_id": CASE}
    assert queued(world) == [{"case_id": CASE}]


def test_what_is_decided_is_decided_for_whom_the_link_named_too(world: World) -> None:
    held_inquiry(world)
    world.confirmed(OTHER)
    case = world.cases.get(CASE)
    world.cases.save(case, replace(case, also=(id_of(OTHER),)))
    done(act(world, "finish", version=2, unsubscribe=True))
    for email in (EMAIL, OTHER):
        verdict = judge(world.contacts.get(id_of(email)), Profile.MANUAL)
        assert verdict.reason == "unsubscribed"


def test_a_held_inquiry_that_meant_something_else(world: World) -> None:
    """The worker, told of the closed request, takes the hold away."""
    held_inquiry(world)
    assert not eligible(world)
    finished = done(act(world, "finish", unsubscribe=False, team="CS"))
    assert finished["state"] == "done"
    assert queued(world) == [{"case_id": CASE}]
    world.work()
    assert eligible(world)
    assert not world.cases.get(CASE).holds


def test_what_is_decided_stands_although_the_queue_is_away(
    world: World, logged: Callable[[], str]
) -> None:
    """The hourly sweep takes it up."""
    a_case(world)
    world.case_queue.refuse_from = 0
    assert done(act(world, "ask-identity"))["task"] == "ask_identity"
    assert '"case left over"' in logged()


# --- two people at once


@pytest.mark.parametrize("action", [each for each in CHANGES if each != "approve"])
def test_of_two_people_at_once_one_is_told(world: World, action: str) -> None:
    kind = {"new-address": CaseKind.CORRECTION, "finish": CaseKind.INQUIRY}.get(
        action, CaseKind.DISCLOSURE
    )
    state = CaseState.VERIFIED if action == "new-address" else CaseState.RECEIVED
    a_case(world, kind=kind, state=state)
    mine = world.staff("POST", f"{PATH}/{action}", {"version": 1, **CHANGES[action]}, team="CS")
    theirs: list[Answer] = []
    other = Meanwhile(
        "transact_write_items", lambda: theirs.append(act(world, "note", text="先に。"))
    )
    deps = world.staff_api(other.wrap)
    answer = Answer.of(staff_api.handler(mine, LambdaContext(), deps))  # type: ignore[arg-type]
    check_problem(answer, 409, "changed_meanwhile")
    assert theirs[0].status == 200
    case = world.cases.get(CASE)
    assert [step.kind for step in case.steps] == [StepKind.OPENED, StepKind.NOTED]
    assert not world.ses.mails
    assert not queued(world)


# --- words of staff


def test_an_answer_is_mailed_at_once_and_kept(world: World, logged: Callable[[], str]) -> None:
    a_case(world, in_reply_to="<question@example.jp>")
    answered = done(act(world, "reply", text="お調べします。\nしばらくお待ちください。"))
    [mail] = world.ses.to(EMAIL)
    assert b"<question@example.jp>" in mail.raw
    assert mail.tags["case"] == CASE
    sent = answered["mails"][-1]
    assert (sent["direction"], sent["by"]) == ("out", "it-someone")
    assert sent["words"].startswith("お調べします。")
    assert sent["subject"]
    assert answered["steps"][-1]["kind"] == "replied"
    assert "お調べします" not in logged()


@pytest.mark.parametrize(
    ("trouble", "status", "code"),
    [("rejects", 409, "reply_refused"), ("throttles", 503, "ses:TooManyRequestsException")],
)
def test_an_answer_that_was_not_sent_is_none(
    world: World, trouble: str, status: int, code: str
) -> None:
    a_case(world)
    if trouble == "rejects":
        world.ses.rejects.add(EMAIL)
    else:
        world.ses.throttles[EMAIL] = 9
    check_problem(act(world, "reply"), status, code)
    case = world.cases.get(CASE)
    assert StepKind.REPLIED not in {step.kind for step in case.steps}
    assert len(world.cases.mails(CASE)) == 1
    world.ses.rejects.clear()
    world.ses.throttles.clear()
    done(act(world, "reply", version=case.version))
    assert len(world.ses.mails) == 1


def test_what_colleagues_did_meanwhile_is_not_undone_by_an_answer_that_failed(
    world: World, logged: Callable[[], str]
) -> None:
    a_case(world)
    world.ses.rejects.add(EMAIL)
    mine = world.staff("POST", f"{PATH}/reply", {"version": 1, **CHANGES["reply"]})
    other = Meanwhile("send_email", lambda: done(act(world, "note", version=2)))
    deps = world.staff_api(other.wrap)
    answer = Answer.of(staff_api.handler(mine, LambdaContext(), deps))  # type: ignore[arg-type]
    check_problem(answer, 409, "reply_refused")
    assert world.cases.get(CASE).steps[-1].kind is StepKind.NOTED
    assert [mail.direction for mail in world.cases.mails(CASE)] == ["in", "note"]
    assert '"step left over"' in logged()


def test_an_erasure_while_the_answer_is_sent_takes_its_words_too(world: World) -> None:
    world.confirmed(EMAIL)
    a_case(world, kind=CaseKind.ERASURE, state=CaseState.VERIFIED)
    mine = world.staff("POST", f"{PATH}/reply", {"version": 1, **CHANGES["reply"]})

    def erase() -> None:
        done(act(world, "approve", version=2))
        world.work()

    deps = world.staff_api(Meanwhile("send_email", erase).wrap)
    done(Answer.of(staff_api.handler(mine, LambdaContext(), deps)))  # type: ignore[arg-type]
    assert len(world.ses.to(EMAIL)) == 2
    assert world.cases.get(CASE).state is CaseState.DONE
    assert CHANGES["reply"]["text"] not in repr(world.table("cases"))


def test_nothing_is_written_about_who_is_being_erased(world: World) -> None:
    a_case(world, kind=CaseKind.ERASURE, state=CaseState.IN_PROGRESS, task=Task.ERASE)
    check_problem(act(world, "note", team="CS"), 409, "erased")
    check_problem(act(world, "reply", team="CS"), 409, "under_way")
    assert len(world.cases.mails(CASE)) == 1
    assert not world.ses.mails


def test_an_answer_of_which_nobody_knows_is_not_sent_twice_unawares(world: World) -> None:
    a_case(world)
    world.ses.loses[EMAIL] = 9
    answer = act(world, "reply")
    check_problem(answer, 409, "reply_uncertain")
    assert "二重" in answer.json["detail"]
    assert world.cases.get(CASE).steps[-1].kind is StepKind.REPLIED
    assert len(world.cases.mails(CASE)) == 2


def test_a_note_is_for_colleagues(world: World, logged: Callable[[], str]) -> None:
    a_case(world)
    noted = done(act(world, "note", team="CS"))
    assert noted["mails"][-1]["direction"] == "note"
    assert noted["mails"][-1]["words"] == CHANGES["note"]["text"]
    assert noted["mails"][-1]["by"] == "cs-someone"
    assert CHANGES["note"]["text"] not in logged()
    assert not world.ses.mails


def test_nothing_is_noted_about_who_was_erased(world: World) -> None:
    a_case(world, state=CaseState.DONE, reply_to="")
    check_problem(act(world, "note", team="CS"), 409, "erased")
    assert len(world.cases.mails(CASE)) == 1


# --- mail as it came


def test_the_raw_message_for_five_minutes(world: World, logged: Callable[[], str]) -> None:
    a_case(world)
    a_mail_nobody_answered(world)
    answer = done(world.ask_staff("GET", f"{PATH}/mails/{MAIL}/raw"))
    assert answer["url"].startswith("https://")
    assert "response-content-disposition=attachment" in answer["url"]  # never a page
    left = datetime.fromisoformat(answer["expires_at"]) - world.clock.now()
    assert timedelta(seconds=299) < left <= timedelta(seconds=300)
    assert '"raw mail viewed"' in logged()
    assert answer["url"] not in logged()


@pytest.mark.parametrize("team", ["GS", "SALES"])
def test_the_raw_message_is_for_those_who_decide(world: World, team: str) -> None:
    a_case(world)
    a_mail_nobody_answered(world)
    answer = world.ask_staff("GET", f"{PATH}/mails/{MAIL}/raw", team=team)
    check_problem(answer, 403, "wrong_team")


def test_a_raw_message_that_is_gone(world: World) -> None:
    a_case(world)
    path = f"{PATH}/mails/{MAIL}/raw"
    check_problem(world.ask_staff("GET", path), 404, "unknown_mail")  # it has no line
    check_problem(world.ask_staff("GET", f"{PATH}/mails/{'1' * 24}/raw"), 404, "unknown_mail")
    check_problem(world.ask_staff("GET", f"{PATH}/mails/x/raw"), 422)
    a_mail_nobody_answered(world)
    world.s3.delete_object(Bucket="inbound", Key=f"object-{MAIL}")
    check_problem(world.ask_staff("GET", path), 404, "raw_mail_gone")
    world.received.erase([world.received.get(MAIL)])
    check_problem(world.ask_staff("GET", path), 404, "raw_mail_gone")


def test_a_mail_of_another_request_is_not_shown(world: World) -> None:
    a_case(world)
    a_mail_nobody_answered(world)
    a_case(world, case_id="ab" * 16, contact_id=id_of(OTHER), mail_id="9" * 24)
    answer = world.ask_staff("GET", f"/requests/{'ab' * 16}/mails/{MAIL}/raw")
    check_problem(answer, 404, "unknown_mail")


# --- mail that nobody answered


def test_unanswered_mail_is_listed_with_the_reason(world: World) -> None:
    for number in range(1, 6):
        a_mail_nobody_answered(world, mail_id=f"{number:024x}", reason="auto_reply")
    found = pages(world, "/received", limit="2")
    assert [int(each["mail_id"], 16) for each in found] == [5, 4, 3, 2, 1]
    assert {each["outcome"] for each in found} == {Outcome.FILTERED}
    assert {each["why"]["code"] for each in found} == {"auto_reply"}
    assert re.search("[ぁ-ん]", found[0]["why"]["ja"])
    assert "hanako" not in json.dumps(found)


def test_a_request_is_made_of_unanswered_mail(world: World, logged: Callable[[], str]) -> None:
    """What the person wrote is read again from the message."""
    a_mail_nobody_answered(world, subject="資料について", text="髙山の資料を送ってください①。")
    answer = world.ask_staff("POST", f"/received/{MAIL}/open", {"kind": "inquiry"})
    made = done(answer)
    assert (made["kind"], made["contact_id"], made["address"]) == ("inquiry", ME, EMAIL)
    assert (made["mailbox"], made["subject"]) == ("reply", "資料について")
    [mail] = made["mails"]
    assert (mail["mail_id"], mail["direction"], mail["by"]) == (MAIL, "in", "")
    assert "髙山の資料を送ってください" in mail["words"]
    assert made["task"] == "none"
    assert not queued(world)
    assert pages(world, "/received") == []
    assert world.received.get(MAIL).case_id == made["case_id"]
    check_problem(world.ask_staff("POST", f"/received/{MAIL}/open"), 409, "already_opened")
    assert "資料" not in logged()
    assert "hanako" not in logged()


def test_what_is_made_of_unanswered_mail_holds_like_any_other(world: World) -> None:
    world.confirmed(EMAIL)
    a_mail_nobody_answered(world)
    made = done(world.ask_staff("POST", f"/received/{MAIL}/open", {"kind": "erasure"}))
    assert made["holds"]
    assert not eligible(world)


def test_two_people_open_the_same_mail(world: World) -> None:
    a_mail_nobody_answered(world)
    mine = world.staff("POST", f"/received/{MAIL}/open")
    theirs: list[Answer] = []
    other = Meanwhile(
        "transact_write_items",
        lambda: theirs.append(world.ask_staff("POST", f"/received/{MAIL}/open", team="IT")),
    )
    deps = world.staff_api(other.wrap)
    answer = Answer.of(staff_api.handler(mine, LambdaContext(), deps))  # type: ignore[arg-type]
    assert done(answer)["case_id"] == done(theirs[0])["case_id"]
    assert len(done(answer)["mails"]) == 1


def test_unanswered_mail_whose_message_is_gone(world: World) -> None:
    a_mail_nobody_answered(world)
    world.s3.delete_object(Bucket="inbound", Key=f"object-{MAIL}")
    before = world.tables()
    check_problem(world.ask_staff("POST", f"/received/{MAIL}/open"), 404, "raw_mail_gone")
    assert world.tables() == before
