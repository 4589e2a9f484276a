"""What cases owe is done, once, whatever happens meanwhile; and no case is forgotten (R1)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions import case_worker
from shared.adapters.jobs import CaseJob, JobQueue
from shared.domain import cases as rules
from shared.domain import holds
from shared.domain.address import parse_address
from shared.domain.cases import Case, CaseKind, CaseState, Step, StepKind, Task
from shared.domain.contact import SOFT_BOUNCES
from shared.domain.eligibility import Profile, judge
from shared.domain.events import EventKind, Source
from shared.domain.links import CaseLink, verify_case
from tests.integration.fakes import Meanwhile, read
from tests.integration.world import (
    LambdaContext,
    World,
    held,
    id_of,
    letter,
    payload,
    projected,
)

HANAKO, NEW = "hanako.yamada@example.jp", "hanako.new@example.jp"
WORDS = {
    CaseKind.DISCLOSURE: "私の個人情報を開示してください。",
    CaseKind.CORRECTION: "アドレスが変わりました。変更をお願いします。",
    CaseKind.ERASURE: "個人情報を削除してください。",
    CaseKind.STOP_USE: "個人情報の利用を停止してください。",
    CaseKind.INQUIRY: "会場はどこですか。",
}
STOP = "配信を停止してください。"


def reason(world: World, email: str = HANAKO) -> str:
    return judge(world.contacts.get(id_of(email)), Profile.MANUAL).reason


def mailed(world: World, email: str = HANAKO) -> str:
    """The text of the last mail to an address."""
    part = read(world.ses.to(email)[-1]).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def link(world: World, email: str = HANAKO) -> CaseLink:
    """What the link in the last mail says."""
    found = re.search(r"https://optin\.example\.jp/v/([\w-]+)", mailed(world, email))
    assert found
    return verify_case(found[1], world.keys)


def kinds(case: Case) -> list[StepKind]:
    return [step.kind for step in case.steps]


def asked(world: World, kind: CaseKind, *, dmarc: str = "PASS") -> str:
    """A request by Hanako, and the first mail to her. Its case."""
    line = world.mail_in(letter(WORDS[kind]), dmarc=dmarc)
    world.work()
    return line.case_id


def moved(world: World, case_id: str, change: Callable[[Case], Case]) -> Case:
    """Somebody acts on a case, and the worker does what follows."""
    case = world.cases.get(case_id)
    world.cases.save(case, change(case))
    put(world, case_id)
    world.work()
    return world.cases.get(case_id)


def put(world: World, case_id: str) -> None:
    JobQueue(world.case_queue, world.case_queue.url).put([CaseJob(case_id)])  # type: ignore[arg-type]


def confirm(world: World, case_id: str) -> Case:
    """The person follows the link in the mail and confirms."""
    found, now = link(world), world.clock.advance(minutes=3)
    runs = bool(world.settings["erasure_runs_by_itself"])
    return moved(
        world,
        case_id,
        lambda case: rules.confirmed(case, found, now=now, erasure_runs_by_itself=runs),
    )


@pytest.fixture
def hanako(world: World) -> World:
    """Hanako gets our mail."""
    world.confirmed(HANAKO)
    return world


# --- each kind to its end


@pytest.mark.parametrize("kind", [CaseKind.STOP_USE, CaseKind.ERASURE])
def test_who_wants_no_mail_wants_none_at_the_mailbox_that_is_forwarded(
    hanako: World, kind: CaseKind
) -> None:
    hanako.confirmed(NEW)
    case_id = asked(hanako, kind, dmarc="FAIL")
    case = hanako.cases.get(case_id)
    also = (id_of(NEW),)
    hanako.cases.save(case, rules.held(case, now=hanako.clock.now(), by="system", also=also))
    hanako.settings["erasure_runs_by_itself"] = True
    assert confirm(hanako, case_id).state is CaseState.DONE
    assert reason(hanako, NEW) == "unsubscribed"


def test_a_confirmed_stop(hanako: World) -> None:
    line = hanako.mail_in(letter(STOP), dmarc="FAIL")
    hanako.work()
    assert reason(hanako) == "held"
    case = confirm(hanako, line.case_id)
    assert (case.state, case.task, case.holds) == (CaseState.DONE, Task.NONE, False)
    assert reason(hanako) == "unsubscribed"
    [stop] = [
        event
        for event in hanako.contacts.history(id_of(HANAKO))
        if event.kind is EventKind.UNSUBSCRIBED
    ]
    assert stop.source is Source.REPLY
    assert stop.details["case_id"] == line.case_id
    assert holds.standing(hanako.contacts.history(id_of(HANAKO))) == frozenset()
    assert len(hanako.ses.to(HANAKO)) == 2


def test_a_vouched_stop_of_use_is_done_at_once(hanako: World) -> None:
    case = hanako.cases.get(asked(hanako, CaseKind.STOP_USE))
    assert case.state is CaseState.DONE
    assert reason(hanako) == "unsubscribed"
    assert len(hanako.ses.to(HANAKO)) == 1


def test_a_disclosure_is_a_link_and_no_attachment(hanako: World) -> None:
    case_id = asked(hanako, CaseKind.DISCLOSURE)
    case = confirm(hanako, case_id)
    assert (case.state, case.task) == (CaseState.IN_PROGRESS, Task.NONE)
    found = link(hanako)
    assert found.nonce == case.links[found.purpose].nonce
    assert not list(read(hanako.ses.to(HANAKO)[-1]).iter_attachments())


def test_a_stop_beside_a_disclosure_is_still_decided_by_staff(hanako: World) -> None:
    """She confirmed who she is; nobody has decided yet whether she gets mail."""
    words = f"登録データを開示してください。あわせて{STOP}"
    line = hanako.mail_in(letter(words), dmarc="GRAY")
    hanako.work()
    confirm(hanako, line.case_id)
    found, now = link(hanako), hanako.clock.advance(hours=1)
    case = moved(hanako, line.case_id, lambda case: rules.fetched(case, found, now=now))
    assert (case.is_open, rules.needs(case), reason(hanako)) == (True, "decide_stop", "held")
    fields = {"version": case.version, "unsubscribe": True}
    answer = hanako.ask_staff("POST", f"/requests/{case.case_id}/finish", fields)
    assert answer.status == 200, answer.text
    hanako.work()
    assert (hanako.cases.get(case.case_id).is_open, reason(hanako)) == (False, "unsubscribed")


def test_where_nothing_is_held_that_is_said(world: World) -> None:
    case_id = asked(world, CaseKind.DISCLOSURE)
    case = confirm(world, case_id)
    assert (case.state, case.task) == (CaseState.DONE, Task.NONE)
    assert "/v/" not in mailed(world)
    assert len(world.ses.to(HANAKO)) == 2


def test_a_hold_by_the_request_itself_is_nothing_held(world: World) -> None:
    words = f"登録データを開示してください。あわせて{STOP}"
    line = world.mail_in(letter(words), dmarc="GRAY")
    world.work()
    assert holds.standing(world.contacts.history(id_of(HANAKO))) == {line.case_id}
    confirm(world, line.case_id)
    assert "/v/" not in mailed(world)


def test_another_request_is_something_held(world: World) -> None:
    """Of a stranger too: what they wrote is in the file."""
    asked(world, CaseKind.INQUIRY)
    world.clock.advance(days=1)
    case = confirm(world, asked(world, CaseKind.DISCLOSURE))
    assert case.state is CaseState.IN_PROGRESS
    assert "/v/" in mailed(world)


def test_a_mail_that_nobody_answered_is_something_held(world: World) -> None:
    away = letter("ただいま不在です。", Auto_Submitted="auto-replied")
    assert world.mail_in(away).outcome == "filtered"
    case = confirm(world, asked(world, CaseKind.DISCLOSURE))
    assert case.state is CaseState.IN_PROGRESS


def test_a_correction_moves_everything_that_counts(hanako: World) -> None:
    case_id = asked(hanako, CaseKind.CORRECTION)
    case = confirm(hanako, case_id)
    assert case.state is CaseState.VERIFIED
    now = hanako.clock.advance(hours=1)
    moved(hanako, case_id, lambda case: rules.new_address(case, NEW, by="it-a", now=now))
    found, now = link(hanako, NEW), hanako.clock.advance(hours=1)
    case = moved(hanako, case_id, lambda case: rules.new_address_confirmed(case, found, now=now))
    assert case.state is CaseState.DONE
    assert (reason(hanako), reason(hanako, NEW)) == ("moved", "eligible")
    assert hanako.contacts.get(id_of(NEW)).address == NEW
    assert projected(hanako.tables()) == held(hanako.tables())
    assert len(hanako.ses.to(NEW)) == 2
    before = hanako.tables()
    put(hanako, case_id)
    hanako.work()
    assert hanako.tables() == before


def test_a_correction_to_the_same_address_moves_nothing(hanako: World) -> None:
    case_id = asked(hanako, CaseKind.CORRECTION)
    confirm(hanako, case_id)
    same = parse_address("Hanako.Yamada@Example.JP").used
    assert id_of(same) == id_of(HANAKO)
    now = hanako.clock.advance(hours=1)
    moved(hanako, case_id, lambda case: rules.new_address(case, same, by="it-a", now=now))
    found = link(hanako, same)
    now = hanako.clock.advance(hours=1)
    case = moved(hanako, case_id, lambda case: rules.new_address_confirmed(case, found, now=now))
    assert case.state is CaseState.DONE
    assert reason(hanako) == "eligible"


def test_staff_refuse_and_finish(hanako: World) -> None:
    refused = asked(hanako, CaseKind.ERASURE)
    now = hanako.clock.advance(days=1)
    assert reason(hanako) == "held"
    case = moved(
        hanako,
        refused,
        lambda case: rules.refused(case, by="it-a", reason="法令により保存", now=now),
    )
    assert (case.state, case.task, case.holds) == (CaseState.REFUSED, Task.NONE, False)
    assert "法令により保存" in mailed(hanako)
    assert reason(hanako) == "eligible"
    asked_something = asked(hanako, CaseKind.INQUIRY)
    case = moved(
        hanako,
        asked_something,
        lambda case: rules.finished(case, by="cs-a", note_code="answered", now=now),
    )
    assert (case.state, case.task) == (CaseState.DONE, Task.NONE)


# --- holds


def test_a_hold_ends_with_its_case_and_no_other(hanako: World) -> None:
    erasure = asked(hanako, CaseKind.ERASURE)
    hanako.clock.advance(days=1)
    line = hanako.mail_in(letter("停止できますか?"))
    hanako.work()
    now = hanako.clock.advance(hours=1)
    moved(
        hanako,
        line.case_id,
        lambda case: rules.finished(case, by="cs-a", note_code="no_stop", now=now),
    )
    assert holds.standing(hanako.contacts.history(id_of(HANAKO))) == {erasure}
    assert reason(hanako) == "held"
    moved(hanako, erasure, lambda case: rules.refused(case, by="it-a", reason="x", now=now))
    assert reason(hanako) == "eligible"
    assert projected(hanako.tables()) == held(hanako.tables())


def test_a_hold_for_bounces_outlasts_a_case(hanako: World) -> None:
    case_id = asked(hanako, CaseKind.ERASURE)
    details = {"reason": SOFT_BOUNCES}
    hanako.happened(HANAKO, EventKind.HELD, source=Source.SES, details=details)
    now = hanako.clock.advance(hours=1)
    moved(hanako, case_id, lambda case: rules.refused(case, by="a", reason="x", now=now))
    assert reason(hanako) == "held"
    assert holds.standing(hanako.contacts.history(id_of(HANAKO))) == {SOFT_BOUNCES}


def test_a_hold_whose_job_was_lost_ends_by_the_sweep(hanako: World) -> None:
    case = hanako.cases.get(asked(hanako, CaseKind.ERASURE))
    now = hanako.clock.now()
    hanako.cases.save(case, rules.refused(case, by="it-a", reason="x", now=now))
    hanako.sweep()
    assert reason(hanako) == "held"  # its own job may still come
    hanako.clock.advance(hours=1)
    hanako.sweep()
    assert reason(hanako) == "eligible"
    assert hanako.cases.owed(limit=9).cases == ()


# --- SES


def run(world: World, job: CaseJob, wrap: Any = lambda client: client) -> Any:
    event = payload("campaign_sender")
    event["Records"][0]["body"] = job.body
    return case_worker.handler(event, LambdaContext(), world.case_worker(wrap))


def test_an_address_that_cannot_be_mailed_is_the_staffs(hanako: World) -> None:
    hanako.ses.rejects = {HANAKO}
    case = hanako.cases.get(asked(hanako, CaseKind.DISCLOSURE))
    assert (case.state, case.task) == (CaseState.RECEIVED, Task.NONE)
    assert case.steps[-1].details == {"code": "not_mailable"}


@pytest.mark.parametrize("kind", [CaseKind.STOP_USE, CaseKind.ERASURE])
def test_what_is_done_is_done_also_where_nobody_can_be_told(hanako: World, kind: CaseKind) -> None:
    hanako.settings["erasure_runs_by_itself"] = True
    case_id = asked(hanako, kind, dmarc="FAIL")
    found, now = link(hanako), hanako.clock.advance(hours=1)
    hanako.ses.rejects = {HANAKO}
    case = moved(
        hanako,
        case_id,
        lambda case: rules.confirmed(case, found, now=now, erasure_runs_by_itself=True),
    )
    assert case.state is CaseState.DONE
    assert {"code": "not_mailable"} in [dict(step.details) for step in case.steps]


def test_what_ses_does_not_take_now_it_takes_later(hanako: World) -> None:
    hanako.ses.throttles = {HANAKO: 3}
    began = hanako.clock.now()
    case = hanako.cases.get(asked(hanako, CaseKind.ERASURE))
    assert case.state is CaseState.IDENTITY_ASKED
    assert len(hanako.ses.mails) == 1
    assert hanako.clock.now() - began > timedelta(minutes=5)


def test_what_ses_never_takes_is_taken_up_every_hour(
    hanako: World, logged: Callable[[], str]
) -> None:
    hanako.ses.throttles = {HANAKO: 10}
    case_id = asked(hanako, CaseKind.ERASURE)
    assert hanako.cases.get(case_id).task is Task.ASK_IDENTITY
    assert "CaseMailsStuck" in logged()
    for _ in range(2):
        hanako.clock.advance(hours=1)
        hanako.sweep()
    assert hanako.cases.get(case_id).state is CaseState.IDENTITY_ASKED
    assert len(hanako.ses.mails) == 1


def test_an_answer_that_ses_never_takes_ends_with_the_failures(hanako: World) -> None:
    hanako.ses.throttles = {HANAKO: 99}
    job = CaseJob(answer="stopped", contact_id=id_of(HANAKO), mail_id="m", language="ja", day="d")
    assert run(hanako, replace(job, tries=4)) == {"batchItemFailures": []}
    assert run(hanako, replace(job, tries=5))["batchItemFailures"]


def test_a_lost_answer_may_mean_a_second_mail(hanako: World) -> None:
    """SES has no idempotency key: what nobody knows is sent again, with the same link."""
    hanako.ses.loses = {HANAKO: 1}
    case = hanako.cases.get(asked(hanako, CaseKind.ERASURE))
    assert len(hanako.ses.to(HANAKO)) == 2
    second = link(hanako)
    hanako.ses.mails.pop()
    assert link(hanako) == second
    assert case.state is CaseState.IDENTITY_ASKED


# --- others at work


def test_a_note_between_mailing_and_saving_costs_no_second_mail(hanako: World) -> None:
    line = hanako.mail_in(letter(WORDS[CaseKind.ERASURE]))

    def meanwhile() -> None:
        case = hanako.cases.get(line.case_id)
        step = Step(hanako.clock.now(), StepKind.NOTED, "cs-a")
        hanako.cases.save(case, replace(case, steps=(*case.steps, step)))

    assert not run(
        hanako, CaseJob(line.case_id), Meanwhile("transact_write_items", meanwhile).wrap
    )["batchItemFailures"]
    case = hanako.cases.get(line.case_id)
    assert kinds(case)[-2:] == [StepKind.NOTED, StepKind.IDENTITY_ASKED]
    assert len(hanako.ses.mails) == 1


def test_who_refuses_meanwhile_has_the_last_word(hanako: World) -> None:
    line = hanako.mail_in(letter(WORDS[CaseKind.ERASURE]))

    def meanwhile() -> None:
        case = hanako.cases.get(line.case_id)
        now = hanako.clock.now()
        hanako.cases.save(case, rules.refused(case, by="it-a", reason="重複", now=now))

    run(hanako, CaseJob(line.case_id), Meanwhile("transact_write_items", meanwhile).wrap)
    hanako.work()
    case = hanako.cases.get(line.case_id)
    assert case.state is CaseState.REFUSED
    assert StepKind.IDENTITY_ASKED not in kinds(case)
    assert "重複" in mailed(hanako)


def test_a_job_that_comes_twice_mails_once(hanako: World) -> None:
    line = hanako.mail_in(letter(WORDS[CaseKind.INQUIRY]))
    put(hanako, line.case_id)
    hanako.work()
    assert len(hanako.ses.mails) == 1


def test_staff_may_ask_again_after_the_limit(hanako: World) -> None:
    hanako.mail_in(letter(WORDS[CaseKind.INQUIRY]))
    line = hanako.mail_in(letter(WORDS[CaseKind.DISCLOSURE]))
    hanako.work()
    assert len(hanako.ses.mails) == 1
    now = hanako.clock.now()
    moved(hanako, line.case_id, lambda case: rules.ask_identity(case, by="it-a", now=now))
    assert hanako.cases.get(line.case_id).state is CaseState.IDENTITY_ASKED


def test_a_job_of_no_case_goes_to_the_failures(world: World) -> None:
    assert run(world, CaseJob("f" * 32))["batchItemFailures"]
    event = payload("campaign_sender")
    event["Records"][0]["body"] = "?"
    answer = case_worker.handler(event, LambdaContext(), world.case_worker())
    assert answer["batchItemFailures"]


# --- every hour


def metric(written: str, name: str) -> list[int]:
    """The values of a metric in the log."""
    lines = [json.loads(line) for line in written.splitlines() if f'"{name}"' in line]
    return [int(line[name][0] if isinstance(line[name], list) else line[name]) for line in lines]


def test_the_sweep_warns_once_then_marks_overdue_once(
    hanako: World, logged: Callable[[], str]
) -> None:
    case_id = asked(hanako, CaseKind.CORRECTION)
    due = hanako.cases.get(case_id).due_on
    for _ in range(3):
        hanako.sweep()
    assert StepKind.WARNED not in kinds(hanako.cases.get(case_id))
    hanako.clock.advance(days=11)
    for _ in range(2):
        hanako.sweep()
    assert kinds(hanako.cases.get(case_id)).count(StepKind.WARNED) == 1
    while hanako.clock.now().date() <= due:
        hanako.clock.advance(days=1)
    for _ in range(2):
        hanako.sweep()
    assert kinds(hanako.cases.get(case_id)).count(StepKind.OVERDUE) == 1
    assert metric(logged(), "CasesOverdue")[-2:] == [1, 1]


def test_the_sweep_voids_a_link_that_was_not_used(hanako: World) -> None:
    case_id = asked(hanako, CaseKind.ERASURE)
    hanako.clock.advance(hours=73)
    hanako.sweep()
    assert StepKind.IDENTITY_EXPIRED in kinds(hanako.cases.get(case_id))


def test_the_sweep_sees_every_page(
    world: World, logged: Callable[[], str], monkeypatch: Any
) -> None:
    monkeypatch.setattr(case_worker, "_PAGE", 2)
    for number in range(5):
        world.mail_in(letter(WORDS[CaseKind.INQUIRY], sender=f"p{number}@example.jp"))
    world.case_queue.messages.clear()  # lost
    world.clock.advance(hours=1)
    world.sweep()
    assert len(world.ses.mails) == 5
    world.clock.advance(days=60)
    world.sweep()
    assert metric(logged(), "CasesOverdue")[-1] == 5


def test_a_sweep_gives_way_to_whoever_saves_meanwhile(hanako: World) -> None:
    case_id = asked(hanako, CaseKind.CORRECTION)
    hanako.clock.advance(days=40)

    def meanwhile() -> None:
        case = hanako.cases.get(case_id)
        step = Step(hanako.clock.now(), StepKind.NOTED, "cs-a")
        hanako.cases.save(case, replace(case, steps=(*case.steps, step)))

    run(hanako, CaseJob(sweep=True), Meanwhile("transact_write_items", meanwhile).wrap)
    assert StepKind.OVERDUE not in kinds(hanako.cases.get(case_id))
    hanako.sweep()
    assert StepKind.OVERDUE in kinds(hanako.cases.get(case_id))
