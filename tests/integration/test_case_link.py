"""The links of a request: shown without an effect, confirmed once, and clear when over (R1)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from functions import case_link
from shared.adapters.cases import CaseMail
from shared.adapters.jobs import CaseJob
from shared.domain import cases
from shared.domain.address import parse_address
from shared.domain.calendar import BusinessCalendar, Terms
from shared.domain.cases import Case, CaseKind, CaseState, StepKind, Task
from shared.domain.contact import Register
from shared.domain.eligibility import Profile, judge
from shared.domain.errors import Conflict
from shared.domain.events import EventKind, Source, event_id, stamp
from shared.domain.inbound import Mailbox
from shared.domain.links import CaseLink, LinkKeys, Purpose, sign_case
from shared.domain.moving import moves
from shared.pages.strings import STRINGS
from shared.proof.canonical import sha256
from shared.texts.consent import Language
from tests.integration.cases import a_case, a_mail_nobody_answered
from tests.integration.fakes import Died, Faults, Meanwhile, Mode
from tests.integration.world import (
    DAYS_OFF,
    Answer,
    LambdaContext,
    World,
    held,
    id_of,
    payload,
    projected,
)

EMAIL = "hanako.yamada@example.jp"
ME = id_of(EMAIL)
NEW_EMAIL = "hanako.new@example.com"
CASE_ID = "8c1f0e2d3b4a59687786a5b4c3d2e1f0"
NONCE = "3e5d7c9b1a0f2e4d6c8b0a1f"  # events/case_link_*.json carry the link made of these
OTHER_NONCE = "f" * 24
MASKED = "h***@***.jp"
# One for each thing a link can be for.
WHATS = (*CaseKind, "new_address", "file")
PURPOSES = {"new_address": Purpose.NEW_ADDRESS, "file": Purpose.DISCLOSURE}
KINDS = {"new_address": CaseKind.CORRECTION, "file": CaseKind.DISCLOSURE}


def purpose_of(what: str) -> Purpose:
    return PURPOSES.get(what, Purpose.IDENTITY)


def asked(world: World, what: str, *, language: Language = Language.JA) -> Case:
    """A request whose link was mailed just now."""
    now = world.clock.tick()
    case = cases.opened(
        case_id=CASE_ID,
        kind=KINDS.get(what) or CaseKind(what),
        contact_id=ME,
        language=language,
        mailbox=Mailbox.REQUESTS,
        now=now,
        calendar=BusinessCalendar(DAYS_OFF),
        terms=Terms(8),
        region="",
        reason="says_erase",
        confidence=90,
        task=Task.ASK_IDENTITY,
        holds=False,
        reply_to=EMAIL,
        subject="削除してください",
    )
    return world.cases.save(world.cases.create(case), _with_link(case, what, now))


def _with_link(case: Case, what: str, now: Any) -> Case:
    first = OTHER_NONCE if what in PURPOSES else NONCE
    case = cases.identity_asked(case, nonce=first, now=now)
    if what not in PURPOSES:
        return case
    link = CaseLink(CASE_ID, first, Purpose.IDENTITY)
    case = cases.confirmed(case, link, now=now, erasure_runs_by_itself=False)
    if what == "file":
        return cases.disclosed(case, nonce=NONCE, now=now)
    case = cases.new_address(case, NEW_EMAIL, by="it-someone", now=now)
    return cases.new_address_asked(case, nonce=NONCE, now=now)


def token(world: World, what: str, nonce: str = NONCE, keys: LinkKeys | None = None) -> str:
    return sign_case(CaseLink(CASE_ID, nonce, purpose_of(what)), keys or world.keys)


def event(
    world: World, method: str, what: str, *, accept: str = "text/html", **of: Any
) -> dict[str, Any]:
    """A request with the link, at the world's time."""
    made = world.stamped(payload(f"case_link_{'post' if method == 'POST' else 'get'}"))
    made["requestContext"]["http"]["method"] = method
    made["pathParameters"] = {"token": token(world, what, **of)}
    made["headers"]["accept"] = accept
    return made


def ask(world: World, asks: dict[str, Any], deps: case_link.Deps | None = None) -> Answer:
    return Answer.of(case_link.handler(asks, LambdaContext(), deps or world.case_link()))


def get(world: World, what: str, **of: Any) -> Answer:
    return ask(world, event(world, "GET", what, **of))


def post(world: World, what: str, **of: Any) -> Answer:
    return ask(world, event(world, "POST", what, **of))


def queued(world: World) -> list[CaseJob]:
    return [CaseJob.parse(message.body) for message in world.case_queue.messages]


def check_headers(answer: Answer) -> None:
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] in {"same-origin", "no-referrer"}
    assert not {"set-cookie", "location"} & answer.headers.keys()
    if answer.headers["content-type"].startswith("text/html"):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert '<meta name="robots" content="noindex">' in answer.text


# ---- looking changes nothing ----
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("what", WHATS)
def test_looking_shows_what_will_happen_and_changes_nothing(
    world: World, what: str, method: str
) -> None:
    world.confirmed(EMAIL)
    asked(world, what)
    before = world.tables()
    answer = ask(world, event(world, method, what))
    assert answer.status == 200
    check_headers(answer)
    assert ask(world, event(world, method, what)) == answer
    assert STRINGS[f"confirm_{what}_title"][0] in answer.text
    assert STRINGS[f"confirm_{what}_button"][0] in answer.text
    assert ("h***@***.com" if what == "new_address" else MASKED) in answer.text
    for secret in (EMAIL, NEW_EMAIL, "削除してください", ME, CASE_ID):
        assert secret not in answer.text
    assert world.tables() == before
    assert queued(world) == []


def test_the_new_address_is_not_shown_the_old_one(world: World) -> None:
    asked(world, "new_address")
    assert MASKED not in get(world, "new_address").text


@pytest.mark.parametrize("what", WHATS)
def test_programs_are_told_the_same(world: World, what: str) -> None:
    case = asked(world, what)
    answer = get(world, what, accept="application/json")
    assert answer.json == {
        "purpose": purpose_of(what).name.lower(),
        "kind": case.kind,
        "address": "h***@***.com" if what == "new_address" else MASKED,
        "expires_at": answer.json["expires_at"],
        "due_on": case.due_on.isoformat(),
    }
    check_headers(answer)


def test_the_language_is_the_persons_unless_they_ask_otherwise(world: World) -> None:
    asked(world, "erasure", language=Language.EN)
    assert '<html lang="en">' in get(world, "erasure").text
    japanese = event(world, "GET", "erasure")
    japanese["queryStringParameters"] = {"lang": "ja"}
    assert '<html lang="ja">' in ask(world, japanese).text
    assert '<html lang="en">' in post(world, "erasure").text


# ---- confirming ----
@pytest.mark.parametrize(
    ("what", "state", "task"),
    [
        (CaseKind.DISCLOSURE, CaseState.VERIFIED, Task.DISCLOSE),
        (CaseKind.CORRECTION, CaseState.VERIFIED, Task.NONE),
        (CaseKind.ERASURE, CaseState.VERIFIED, Task.NONE),
        (CaseKind.STOP_USE, CaseState.VERIFIED, Task.STOP),
        (CaseKind.INQUIRY, CaseState.VERIFIED, Task.NONE),
        ("new_address", CaseState.IN_PROGRESS, Task.CORRECT),
    ],
)
def test_confirming_moves_the_case_on(
    world: World, what: str, state: CaseState, task: Task
) -> None:
    world.confirmed(EMAIL)
    case = asked(world, what)
    answer = post(world, what)
    assert answer.status == 200
    check_headers(answer)
    assert STRINGS["confirmed_title"][0] in answer.text
    assert STRINGS[f"confirmed_{what}_1"][0] in answer.text
    due = case.due_on
    assert f"{due.year}年{due.month}月{due.day}日" in answer.text
    now = world.cases.get(CASE_ID)
    assert (now.state, now.task) == (state, task)
    assert now.links[purpose_of(what)].used_at == world.clock.now()
    assert queued(world) == [CaseJob(CASE_ID)]


def test_an_erasure_runs_by_itself_where_the_setting_says_so(world: World) -> None:
    world.settings["erasure_runs_by_itself"] = True
    asked(world, "erasure")
    assert "担当者" not in get(world, "erasure").text
    assert "担当者" not in post(world, "erasure").text
    now = world.cases.get(CASE_ID)
    assert (now.state, now.task) == (CaseState.IN_PROGRESS, Task.ERASE)


@pytest.mark.parametrize("what", WHATS)
def test_erasure_and_stop_of_use_stop_mailing_at_once_and_for_good(world: World, what: str) -> None:
    world.confirmed(EMAIL)
    asked(world, what)
    post(world, what)
    stops = what in {CaseKind.ERASURE, CaseKind.STOP_USE}
    assert judge(world.contacts.get(ME), Profile.MANUAL).eligible is not stops
    last = world.contacts.history(ME)[-1]
    if stops:
        assert (last.kind, last.source) == (EventKind.UNSUBSCRIBED, Source.LINK)
        assert last.details == {"case_id": CASE_ID}
        assert last.at == world.clock.now()
        assert last.event_id == event_id(CASE_ID, EventKind.UNSUBSCRIBED)
    else:
        assert last.kind is EventKind.REGISTERED
    assert held(world.tables()) == projected(world.tables())


def test_someone_we_know_nothing_of_can_stop_too(world: World) -> None:
    asked(world, "stop_use")
    assert post(world, "stop_use").status == 200
    assert Register.REFUSED in world.contacts.get(ME).registers


@pytest.mark.parametrize("body", [None, "", "\xff\x00", "x" * 200_000])
def test_nothing_is_needed_but_the_token(world: World, body: str | None) -> None:
    asked(world, "erasure")
    bare = event(world, "POST", "erasure")
    del bare["headers"], bare["body"]
    bare["isBase64Encoded"] = False
    if body is not None:
        bare["body"] = body
    answer = ask(world, bare)
    assert answer.status == 200
    assert answer.json == {"status": "confirmed", "kind": "erasure", "due_on": "2026-12-04"}
    assert world.cases.get(CASE_ID).due_on == date(2026, 12, 4)


@pytest.mark.parametrize("what", [each for each in WHATS if each != "file"])
def test_confirming_again_says_that_and_when_it_was(world: World, what: str) -> None:
    asked(world, what)
    post(world, what)
    at = world.clock.now()
    before = world.tables()
    jobs = queued(world)
    world.clock.advance(days=30)
    for again in (get(world, what), post(world, what)):
        assert again.status == 200
        assert STRINGS["already_confirmed_title"][0] in again.text
        assert "午前9時" in again.text
        check_headers(again)
    for again in (get(world, what, accept="*/*"), post(world, what, accept="*/*")):
        assert again.json["status"] == "already_confirmed"
        assert again.json["confirmed_at"][:16] == at.isoformat()[:16]
    assert world.tables() == before
    assert queued(world) == jobs


@pytest.mark.parametrize("what", WHATS)
def test_the_same_request_again_gets_the_same_answer(world: World, what: str) -> None:
    """The gateway's id and time are the request's: a lost answer is given again."""
    world.confirmed(EMAIL)
    asked(world, what)
    pressed = event(world, "POST", what)
    first = ask(world, pressed)
    stored = world.tables()
    assert ask(world, pressed) == first
    assert world.tables() == stored


@pytest.mark.parametrize("what", WHATS)
def test_whatever_fails_the_same_request_again_makes_it_good(world: World, what: str) -> None:
    """Every call fails in every way, once; then the client asks again."""
    world.confirmed(EMAIL)
    asked(world, what)
    saved, clock = world.saved(), world.clock.now()
    pressed = event(world, "POST", what)
    counting = Faults()
    expected = ask(world, pressed, world.case_link(counting.wrap))
    after = world.tables()
    for number, call in enumerate(counting.calls):
        for mode in Mode:
            if mode is Mode.CONFLICT and call != "transact_write_items":
                continue
            world.restore(saved)
            world.case_queue.messages.clear()
            world.clock.time = clock
            deps = world.case_link(Faults({number: mode}).wrap)
            answer = _until_answered(world, pressed, deps)
            assert answer == expected, (call, mode)
            assert world.tables() == after, (call, mode)
            assert queued(world) or call == "send_message_batch", (call, mode)


def _until_answered(world: World, pressed: dict[str, Any], deps: case_link.Deps) -> Answer:
    for _ in range(4):
        try:
            answer = ask(world, pressed, deps)
        except Died:
            continue
        if answer.status != 503:
            return answer
    raise AssertionError("no answer")


def test_without_a_queue_the_person_is_done_and_the_sweep_goes_on(
    world: World, logged: Callable[[], str]
) -> None:
    asked(world, "stop_use")
    world.case_queue.refuse_from = 0
    assert post(world, "stop_use").status == 200
    assert world.cases.get(CASE_ID).task is Task.STOP
    assert "left to the sweep" in logged()


@pytest.mark.parametrize("what", WHATS)
def test_two_presses_at_once_confirm_once(world: World, what: str) -> None:
    """The later one is told what the earlier one did."""
    world.confirmed(EMAIL)
    asked(world, what)
    first = event(world, "POST", what)
    second = event(world, "POST", what)
    answers: list[Answer] = []

    def overtake() -> None:
        answers.append(ask(world, first))

    save = "transact_write_items"
    deps = world.case_link(lambda client: _meanwhile(client, save, overtake, world))
    late = ask(world, second, deps)
    assert answers[0].status == 200
    assert late.status == (409 if what == "file" else 200)
    assert STRINGS[f"{'over_link_used' if what == 'file' else 'already_confirmed'}_title"][0] in (
        late.text
    )
    kinds = [step.kind for step in world.cases.get(CASE_ID).steps]
    assert len(kinds) == len(set(kinds))


def _meanwhile(client: Any, name: str, happens: Callable[[], None], world: World) -> Any:
    return Meanwhile(name, happens).wrap(client) if client is world.dynamodb else client


def test_staffs_change_meanwhile_is_seen(world: World) -> None:
    """Nobody confirms what they were not shown."""
    case = asked(world, "disclosure")

    def change() -> None:
        changed = cases.with_kind(
            case,
            CaseKind.ERASURE,
            by="it-someone",
            why="staff",
            own_mailbox=True,
            now=world.clock.now(),
        )
        world.cases.save(case, changed)

    deps = world.case_link(lambda client: _meanwhile(client, "transact_write_items", change, world))
    answer = ask(world, event(world, "POST", "disclosure"), deps)
    assert answer.status == 409
    assert STRINGS["over_link_void_title"][0] in answer.text
    assert world.cases.get(CASE_ID).kind is CaseKind.ERASURE
    assert world.cases.get(CASE_ID).state is CaseState.RECEIVED


def test_a_case_that_never_stays_still_is_unavailable(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(world, "erasure")
    deps = world.case_link()

    def never(*_: object) -> Case:
        raise Conflict("changed_meanwhile", "", "")

    monkeypatch.setattr(deps.cases, "save", never)
    assert ask(world, event(world, "POST", "erasure"), deps).status == 503


# ---- the file ----
def test_the_file_is_given_once_as_a_download(world: World, logged: Callable[[], str]) -> None:
    world.confirmed(EMAIL)
    asked(world, "file")
    answer = post(world, "file")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert re.fullmatch(
        r'attachment; filename="optin-proof-[0-9a-f]{16}\.html"',
        answer.headers["content-disposition"],
    )
    assert answer.headers["cache-control"] == "no-store"
    assert EMAIL in answer.text
    assert "data:application/json;base64," in answer.text
    assert "<dd>ご本人 " in answer.text
    assert "<script" not in answer.text
    now = world.cases.get(CASE_ID)
    assert (now.state, now.task) == (CaseState.DONE, Task.NONE)
    assert now.steps[-1].kind is StepKind.FETCHED
    told = logged()
    assert '"sha256"' in told
    assert EMAIL not in told
    for again in (post(world, "file"), get(world, "file")):
        assert again.status == 409
        assert STRINGS["over_link_used_title"][0] in again.text
        assert "午前9時" in again.text
        assert "content-disposition" not in again.headers
        assert EMAIL not in again.text
    assert post(world, "file", accept="application/json").json["code"] == "link_used"


def test_a_program_may_have_the_record_alone(world: World) -> None:
    world.confirmed(EMAIL)
    asked(world, "file")
    answer = post(world, "file", accept="application/json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["person"]["address"] == EMAIL
    assert answer.json["person"]["asked_for"] == MASKED
    assert answer.json["made"]["by"] == "person"
    [request] = answer.json["requests"]
    assert request["state"] == "done"
    assert request["steps"][-1]["kind"] == "fetched"
    assert sha256(answer.text)[:16] in answer.headers["content-disposition"]


def wrote(world: World, case: Case, words: str, direction: str = "in", **more: Any) -> None:
    mail = CaseMail(
        mail_id=hashlib.sha256(words.encode()).hexdigest()[:24],
        received_at=world.clock.tick(),
        words=words,
        subject=f"件名: {words}",
        direction=direction,
        **more,
    )
    read = world.cases.get(case.case_id)
    world.cases.save(read, read, mail)


def test_the_file_has_what_they_wrote_and_were_answered(world: World) -> None:
    """And no notes of staff's; of mail beside it when, where to and what became of it."""
    world.confirmed(EMAIL)
    case = asked(world, "file")
    wrote(world, case, "<b>開示</b>をお願いします", attachments=2)
    wrote(world, case, "承知いたしました", "out", by="it-tanaka")
    wrote(world, case, "気をつけること", "note", by="it-tanaka")
    a_mail_nobody_answered(world, text="自動返信の本文", subject="自動返信の件名")
    record = post(world, "file", accept="application/json").json
    mails = record["correspondence"]["mails"]
    assert [(m["direction"], m["words"], m["by"]) for m in mails] == [
        ("in", "<b>開示</b>をお願いします", ""),
        ("out", "承知いたしました", "it-tanaka"),
    ]
    assert (mails[0]["subject"], mails[0]["attachments"]) == (
        "件名: <b>開示</b>をお願いします",
        2,
    )
    [other] = record["correspondence"]["received"]
    assert (other["mailbox"], other["outcome"]) == ("reply", "filtered")
    assert record["correspondence"]["moved_from"] == []
    assert "メモは含みません" in record["correspondence"]["ja"]
    for left_out in ("気をつける", "自動返信の"):
        assert left_out not in json.dumps(record, ensure_ascii=False)


def test_staffs_own_file_has_none_of_anybodys_words(world: World) -> None:
    world.confirmed(EMAIL)
    wrote(world, asked(world, "file"), "お願いします")
    answer = world.ask_staff("GET", f"/contacts/{ME}/proof", query={"format": "json"}, team="IT")
    assert "correspondence" not in answer.json
    assert "お願いします" not in answer.text


def test_the_file_goes_back_to_the_address_they_moved_here_from(world: World) -> None:
    """Until the move: whoever has that address by now is somebody else."""
    old = "old@example.jp"
    before = world.confirmed(old)
    first = a_case(world, contact_id=id_of(old), reply_to=old, kind=CaseKind.CORRECTION)
    at = world.clock.tick()
    parsed = parse_address(EMAIL)
    for each in moves(
        world.contacts.history(id_of(old)),
        old_id=id_of(old),
        new_id=ME,
        address=parsed,
        at=at,
        case_id=first.case_id,
    ):
        world.contacts.record(each)
    wrote(world, first, "別人のメール")
    a_mail_nobody_answered(world)
    world.happened(old, EventKind.COMPLAINED)
    asked(world, "file")
    made = post(world, "file", accept="application/json").json["correspondence"]
    [earlier] = made["moved_from"]
    assert earlier["contact_id"] == id_of(old)
    assert [event["kind"] for event in earlier["events"]] == ["opted_in", "registered", "moved"]
    assert earlier["events"][0]["at"] == stamp(before.at)
    assert [(mail["case_id"], mail["words"]) for mail in made["mails"]] == [
        (first.case_id, "登録内容を開示してください。")
    ]


def test_the_page_shows_the_mails_as_texts(world: World) -> None:
    world.confirmed(EMAIL)
    wrote(world, asked(world, "file"), "1行目\n<script>2行目")
    page = post(world, "file").text
    assert "1行目\n&lt;script&gt;2行目</blockquote>" in page
    assert "<script" not in page


def test_other_clients_get_the_page(world: World) -> None:
    world.confirmed(EMAIL)
    asked(world, "file")
    assert post(world, "file", accept="*/*").headers["content-type"].startswith("text/html")


def test_a_file_that_cannot_be_made_does_not_use_the_link_up(world: World) -> None:
    world.confirmed(EMAIL)
    asked(world, "file")
    before = world.tables()
    counting = Faults()
    ask(world, event(world, "GET", "file"), world.case_link(counting.wrap))
    deps = world.case_link(Faults({len(counting.calls): Mode.BROKEN}).wrap)
    assert ask(world, event(world, "POST", "file"), deps).status == 503
    assert world.tables() == before
    assert post(world, "file").status == 200


def test_nothing_leaves_before_it_is_saved_that_it_left(world: World) -> None:
    world.confirmed(EMAIL)
    asked(world, "file")
    counting = Faults()
    pressed = event(world, "POST", "file")
    saved = world.saved()
    ask(world, pressed, world.case_link(counting.wrap))
    world.restore(saved)
    save = counting.calls.index("transact_write_items")
    answer = ask(world, pressed, world.case_link(Faults({save: Mode.BROKEN}).wrap))
    assert answer.status == 503
    assert EMAIL not in answer.text


# ---- links that do not work ----
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("what", WHATS)
def test_an_expired_link_changes_nothing_and_says_so(
    world: World, what: str, method: str, accept: str
) -> None:
    world.confirmed(EMAIL)
    asked(world, what)
    hours = cases.DISCLOSURE_HOURS if what == "file" else cases.IDENTITY_HOURS
    world.clock.advance(hours=hours)
    before = world.tables()
    answer = ask(world, event(world, method, what, accept=accept))
    assert answer.status == 409
    check_headers(answer)
    if accept == "text/html":
        assert STRINGS["over_link_expired_title"][0] in answer.text
        assert "まで使えるリンクでした" in answer.text
        assert MASKED not in answer.text
    else:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["code"] == "link_expired"
    assert world.tables() == before
    assert queued(world) == []


def test_until_the_last_moment_it_works(world: World) -> None:
    case = asked(world, "erasure")
    world.clock.time = case.links[Purpose.IDENTITY].expires_at - timedelta(seconds=2)
    assert post(world, "erasure").status == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("what", WHATS)
def test_an_older_link_is_void(world: World, what: str, method: str) -> None:
    asked(world, what)
    before = world.tables()
    answer = ask(world, event(world, method, what, nonce="0" * 24))
    assert answer.status == 409
    assert STRINGS["over_link_void_title"][0] in answer.text
    assert world.tables() == before
    told = ask(world, event(world, method, what, nonce="0" * 24, accept="*/*"))
    assert told.json["code"] == "link_void"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_is_for_its_own_purpose_only(world: World, method: str) -> None:
    asked(world, "erasure")
    for other in ("file", "new_address"):
        assert ask(world, event(world, method, other)).status == 409
    assert world.cases.get(CASE_ID).state is CaseState.IDENTITY_ASKED


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_link_of_a_closed_case_says_that_it_is_closed(world: World, method: str) -> None:
    case = asked(world, "erasure")
    refused = cases.refused(case, by="it-someone", reason="違う方でした", now=world.clock.now())
    world.cases.save(case, refused)
    answer = ask(world, event(world, method, "erasure"))
    assert answer.status == 409
    assert STRINGS["over_case_closed_title"][0] in answer.text
    assert "違う方" not in answer.text
    assert world.contacts.history(ME) == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_was_verified_by_hand_need_not_confirm(world: World, method: str) -> None:
    case = asked(world, "disclosure")
    verified = case
    for by in ("cs-one", "it-two"):
        verified = cases.by_hand(
            verified,
            by=by,
            reason="電話で本人確認",
            now=world.clock.now(),
            erasure_runs_by_itself=False,
        )
    world.cases.save(case, verified)
    answer = ask(world, event(world, method, "disclosure"))
    assert answer.status == 409
    assert STRINGS["over_already_verified_title"][0] in answer.text


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_no_link_of_ours_is_unknown(world: World, method: str, accept: str) -> None:
    asked(world, "erasure")
    before = world.tables()
    good = token(world, "erasure")
    other = LinkKeys("k1", {"k1": b"the-key-of-another-environment-0123456789"})
    swapped = good[:30] + ("A" if good[30] != "A" else "B") + good[31:]
    for wrong in (
        token(world, "erasure", keys=other),
        good[:-1],
        good + "A",
        swapped,
        "",
        "cut-off",
        world.token(ME),  # an unsubscribe link
        "é" * 63,
    ):
        asks = event(world, method, "erasure", accept=accept)
        asks["pathParameters"] = {"token": wrong}
        answer = ask(world, asks)
        assert answer.status == 404, wrong
        if accept == "text/html":
            assert "このリンクは正しくないか、途中で切れています" in answer.text
        else:
            assert answer.json["code"] == "unknown_link"
    assert world.tables() == before


def test_a_genuine_link_of_a_case_that_is_not_here_is_unknown(world: World) -> None:
    answer = get(world, "erasure")
    assert answer.status == 404
    assert "この依頼は見つかりません" in answer.text


def test_a_link_signed_with_a_key_added_just_now_works(world: World) -> None:
    asked(world, "erasure")
    deps = world.case_link()
    ask(world, event(world, "GET", "erasure"), deps)  # its keys are in memory now
    newer = LinkKeys("k2", {"k2": b"another-link-key-0123456789abcdefghij"})
    secret = {
        "current": "k2",
        "k1": world.keys.keys["k1"].decode(),
        "k2": newer.keys["k2"].decode(),
    }
    with world.secret(world.link_keys_arn, secret):
        assert ask(world, event(world, "POST", "erasure", keys=newer), deps).status == 200


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_other_methods_are_refused(world: World, accept: str) -> None:
    asked(world, "erasure")
    answer = ask(world, event(world, "DELETE", "erasure", accept=accept))
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, POST"


def test_an_address_that_cannot_be_shown_is_left_out(world: World) -> None:
    case = asked(world, "stop_use")
    world.cases.save(case, replace(case, reply_to=""))
    answer = get(world, "stop_use")
    assert answer.status == 200
    assert "対象のメールアドレス" not in answer.text


def test_logs_hold_nothing_personal(world: World, logged: Callable[[], str]) -> None:
    world.confirmed(EMAIL)
    asked(world, "erasure")
    get(world, "erasure")
    post(world, "erasure")
    post(world, "erasure", nonce="0" * 24)
    told = logged()
    assert CASE_ID in told
    assert NONCE not in told
    for secret in ("hanako", "削除してください", token(world, "erasure")):
        assert secret not in told


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_payloads_are_answered_well(world: World, method: str) -> None:
    asked(world, "erasure")
    sent = payload(f"case_link_{method}")
    assert sent["pathParameters"]["token"] == token(world, "erasure")
    assert sent["rawPath"].endswith(token(world, "erasure"))
    assert json.dumps(sent).count(token(world, "erasure")) == 3
    assert ask(world, sent).status == 200
