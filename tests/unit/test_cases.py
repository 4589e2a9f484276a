"""Cases: who asks, what is done and when, step by step (manual R1; 個人情報保護法 33-39条)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain import cases
from shared.domain.calendar import BusinessCalendar, Terms
from shared.domain.cases import Case, CaseKind, CaseState, Step, StepKind, Task
from shared.domain.errors import Conflict, NotAllowed
from shared.domain.inbound import Mailbox
from shared.domain.links import NOBODY, CaseLink, Purpose
from shared.domain.teams import Team
from shared.texts.consent import Language

K, S, T = CaseKind, CaseState, Task
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)  # a Tuesday
HOUR = timedelta(hours=1)
CASE_ID = "1" * 32
WHO = "a" * 32
NONCE, NEWER = "0" * 24, "f" * 24
IDENTITY = CaseLink(CASE_ID, NONCE, Purpose.IDENTITY)
NEW_ADDRESS = CaseLink(CASE_ID, NONCE, Purpose.NEW_ADDRESS)
FILE = CaseLink(CASE_ID, NONCE, Purpose.DISCLOSURE)


def opened(kind: CaseKind = K.ERASURE, task: Task = T.ASK_IDENTITY, **more: Any) -> Case:
    facts: dict[str, Any] = {
        "case_id": CASE_ID, "kind": kind, "contact_id": WHO, "language": Language.JA,
        "mailbox": Mailbox.REQUESTS, "now": NOW, "calendar": BusinessCalendar(),
        "terms": Terms(8), "region": "", "reason": "says_erase", "confidence": 90,
        "task": task, "holds": False, "reply_to": "taro@example.jp", "subject": "削除依頼",
        "in_reply_to": "<1@example.jp>",
    }  # fmt: skip
    return cases.opened(**{**facts, **more})


def asked(kind: CaseKind = K.ERASURE, **more: Any) -> Case:
    return cases.identity_asked(opened(kind, **more), nonce=NONCE, now=NOW)


def verified(kind: CaseKind = K.ERASURE, *, by_itself: bool = False, **more: Any) -> Case:
    return cases.confirmed(
        asked(kind, **more), IDENTITY, now=NOW + HOUR, erasure_runs_by_itself=by_itself
    )


def disclosed() -> Case:
    return cases.disclosed(verified(K.DISCLOSURE), nonce=NONCE, now=NOW)


def address_asked() -> Case:
    given_ = cases.new_address(verified(K.CORRECTION), "new@example.jp", by="it-1", now=NOW)
    return cases.new_address_asked(given_, nonce=NONCE, now=NOW)


def approved() -> Case:
    return cases.approved(verified(), by="it-1", now=NOW)


def steps(case: Case) -> list[StepKind]:
    return [step.kind for step in case.steps]


def conflicts(what: Callable[[], Any]) -> str:
    with pytest.raises(Conflict) as refused:
        what()
    assert refused.value.ja.endswith("。")
    assert refused.value.en.endswith(".")
    return refused.value.code


CLOSED = [
    cases.refused(opened(), by="it-1", reason="別の方のアドレスです。", now=NOW),
    cases.finished(opened(K.INQUIRY), by="cs-1", note_code="", now=NOW),
]


# ---- coming in


def test_every_kind_has_its_team() -> None:
    """R1: IT carries out, CS answers."""
    assert set(cases.TEAM_OF) == set(CaseKind)
    assert {kind for kind, team in cases.TEAM_OF.items() if team is Team.CS} == {
        K.STOP_USE, K.INQUIRY,
    }  # fmt: skip


def test_a_new_case_and_its_days() -> None:
    case = opened(holds=True)
    assert (case.state, case.task, case.is_open, case.version) == (
        S.RECEIVED, T.ASK_IDENTITY, True, 0,
    )  # fmt: skip
    assert (case.due_on, case.warn_on, case.legal_on) == (
        date(2026, 12, 4), date(2026, 12, 4), None,
    )  # fmt: skip
    assert [(s.kind, s.by, dict(s.details)) for s in case.steps] == [
        (StepKind.OPENED, "person",
         {"kind": "erasure", "reason": "says_erase", "confidence": "90"}),
        (StepKind.HELD, "system", {}),
    ]  # fmt: skip
    assert case.holds
    assert opened(by="cs-1").steps[0].by == "cs-1"
    assert steps(opened()) == [StepKind.OPENED]


def test_gdprs_month_where_it_applies_bounds_what_is_promised() -> None:
    case = opened(region="EU")
    assert (case.due_on, case.legal_on) == (date(2026, 12, 4), date(2026, 12, 24))
    slow = opened(region="EU", terms=Terms(60))
    assert slow.due_on == slow.legal_on == date(2026, 12, 24)
    assert opened(region="JP").legal_on is None


def test_gdprs_month_comes_with_the_residence_and_never_puts_off_what_was_promised() -> None:
    case, later = opened(terms=Terms(60)), NOW + timedelta(days=1)
    in_eu = cases.with_region(case, "EU", by="cs-1", now=later)
    assert in_eu.due_on == in_eu.legal_on == date(2026, 12, 24)
    assert in_eu.steps[-1] == Step(later, StepKind.NOTED, "cs-1", {"code": "gdpr_applies"})
    assert cases.with_region(in_eu, "EU", by="cs-1", now=later) is in_eu
    soon = cases.with_region(opened(), "EU", by="cs-1", now=later)
    assert (soon.due_on, soon.legal_on) == (date(2026, 12, 4), date(2026, 12, 24))
    elsewhere = cases.with_region(in_eu, "other", by="cs-1", now=later)
    assert (elsewhere.due_on, elsewhere.legal_on) == (in_eu.due_on, None)
    assert elsewhere.steps[-1].details == {"code": "gdpr_does_not_apply"}
    assert cases.with_region(case, "other", by="cs-1", now=later) is case


def test_where_they_live_changes_nothing_of_a_closed_case() -> None:
    done = cases.nothing_held(verified(K.DISCLOSURE), now=NOW)
    assert cases.with_region(done, "EU", by="cs-1", now=NOW) is done


def test_the_day_of_receipt_is_japans() -> None:
    late = opened(now=datetime(2026, 11, 24, 16, tzinfo=UTC), terms=Terms(1))
    assert late.due_on == date(2026, 11, 26)


def test_a_further_mail_joins_once_and_is_not_answered_by_itself() -> None:
    case = asked()
    joined = cases.joined(case, mail_id="m2", now=NOW + HOUR)
    assert (joined.task, joined.state) == (case.task, case.state)
    assert joined.steps[-1] == Step(NOW + HOUR, StepKind.MAIL_JOINED, "person", {"mail_id": "m2"})
    assert cases.joined(joined, mail_id="m2", now=NOW + 2 * HOUR) == joined
    for closed in CLOSED:
        assert conflicts(partial(cases.joined, closed, mail_id="m", now=NOW)) == "case_closed"


def test_a_flood_of_mails_does_not_fill_a_case() -> None:
    case = opened()
    for number in range(cases.MOST_JOINED + 50):
        case = cases.joined(case, mail_id=f"{number:032x}", now=NOW)
        case = cases.joined(case, mail_id=f"{number:032x}", now=NOW)
    assert steps(case).count(StepKind.MAIL_JOINED) == cases.MOST_JOINED
    assert case.steps[-1] == Step(NOW, StepKind.NOTED, "system", {"code": "more_mails"})
    assert steps(case).count(StepKind.NOTED) == 1
    assert cases.is_full(case)


def test_acknowledged() -> None:
    case = cases.acknowledged(opened(K.INQUIRY, T.ACKNOWLEDGE), now=NOW)
    assert (case.task, case.state, steps(case)[-1]) == (T.NONE, S.RECEIVED, StepKind.ACKNOWLEDGED)
    assert conflicts(lambda: cases.acknowledged(case, now=NOW)) == "not_owed"


# ---- another kind


def changed(case: Case, kind: CaseKind, *, own: bool = True) -> Case:
    return cases.with_kind(case, kind, by="cs-1", why="read_by_staff", own_mailbox=own, now=NOW)


def test_another_kind_is_on_record_and_the_same_is_nothing() -> None:
    case = changed(opened(), K.DISCLOSURE)
    assert (case.kind, case.steps[-1].kind, case.steps[-1].by) == (
        K.DISCLOSURE, StepKind.KIND_CHANGED, "cs-1",
    )  # fmt: skip
    assert dict(case.steps[-1].details) == {
        "from": "erasure", "to": "disclosure", "reason": "read_by_staff",
    }  # fmt: skip
    assert (case.due_on, case.warn_on) == (opened().due_on, opened().warn_on)
    assert changed(case, K.DISCLOSURE) == case


@pytest.mark.parametrize(
    ("before", "kind", "task"),
    [
        (asked(), K.DISCLOSURE, T.ASK_IDENTITY),  # the link said what it was about
        (asked(), K.INQUIRY, T.ACKNOWLEDGE),
        (opened(), K.INQUIRY, T.ACKNOWLEDGE),
        (opened(K.INQUIRY, T.ACKNOWLEDGE), K.ERASURE, T.ASK_IDENTITY),
        (opened(K.INQUIRY, T.NONE), K.ERASURE, T.NONE),  # may not be answered by itself
        (opened(K.STOP_USE, T.NONE), K.INQUIRY, T.NONE),
        (cases.replied(opened(K.INQUIRY, T.NONE), by="cs-1", now=NOW), K.ERASURE, T.NONE),
    ],
)
def test_unverified_it_begins_again(before: Case, kind: CaseKind, task: Task) -> None:
    after = changed(before, kind)
    assert (after.state, after.task, dict(after.links)) == (S.RECEIVED, task, {})


def test_nobody_confirms_what_they_were_not_shown() -> None:
    """The link said "disclosure"; meanwhile staff read the mail as an erasure."""
    after = changed(asked(K.DISCLOSURE), K.ERASURE)
    assert conflicts(lambda: confirm(after)) == "link_void"
    proposed = by_hand(opened(K.DISCLOSURE), "cs-1")
    after = changed(proposed, K.ERASURE)
    assert (after.hand_by, after.hand_reason) == ("", "")
    assert by_hand(after, "cs-2").state is S.RECEIVED


@pytest.mark.parametrize("kind", K)
@pytest.mark.parametrize("before", [K.DISCLOSURE, K.CORRECTION, K.ERASURE, K.INQUIRY])
def test_what_was_confirmed_was_that_kind(before: CaseKind, kind: CaseKind) -> None:
    """Else one member of staff could make an erasure of a disclosure, and approve it."""
    case = replace(verified(before), task=T.NONE)
    if kind is before:
        assert changed(case, kind) == case
        return
    after = changed(case, kind)
    task = T.NONE if kind is K.INQUIRY else T.ASK_IDENTITY
    assert (after.state, after.task, dict(after.links)) == (S.RECEIVED, task, {})
    assert conflicts(lambda: confirm(after)) == "link_void"
    if kind is K.ERASURE:
        assert conflicts(lambda: cases.approved(after, by="it-1", now=NOW)) == "not_verified"


@pytest.mark.parametrize("before", [asked(), opened(), replace(verified(), task=T.NONE)])
def test_no_link_that_proves_nothing_is_mailed_of_another_kind(before: Case) -> None:
    after = changed(before, K.DISCLOSURE, own=False)
    assert (after.state, after.task) == (S.RECEIVED, T.NONE)
    assert cases.needs(after, own_mailbox=False) == "verify_by_hand"


def test_no_other_kind_once_closed_or_under_way() -> None:
    for case, code in (
        (CLOSED[0], "case_closed"),
        (approved(), "under_way"),
        (verified(K.STOP_USE), "under_way"),
        (disclosed(), "under_way"),
    ):
        assert conflicts(partial(changed, case, K.INQUIRY)) == code


# ---- who asks: the link


def confirm(
    case: Case, link: CaseLink = IDENTITY, at: datetime = NOW, *, by_itself: bool = False
) -> Case:
    return cases.confirmed(case, link, now=at, erasure_runs_by_itself=by_itself)


def test_the_link_is_valid_for_72_hours_and_once() -> None:
    case = asked()
    assert (case.state, case.task, steps(case)[-1]) == (
        S.IDENTITY_ASKED, T.NONE, StepKind.IDENTITY_ASKED,
    )  # fmt: skip
    last = NOW + timedelta(hours=72, milliseconds=-1)
    cases.check_link(case, IDENTITY, now=last)
    done = confirm(case, at=last)
    assert (done.state, done.steps[-1].kind, done.steps[-1].by) == (
        S.VERIFIED, StepKind.IDENTITY_CONFIRMED, "person",
    )  # fmt: skip
    assert done.links["i"].used_at == last
    assert conflicts(lambda: confirm(done, at=last)) == "link_used"
    assert conflicts(lambda: confirm(case, at=NOW + timedelta(hours=72))) == "link_expired"


def test_an_older_link_is_void_once_a_newer_one_was_sent() -> None:
    again = cases.identity_asked(asked(), nonce=NEWER, now=NOW + HOUR)
    assert conflicts(lambda: confirm(again)) == "link_void"
    assert confirm(again, replace(IDENTITY, nonce=NEWER)).state is S.VERIFIED


def test_a_link_of_another_purpose_or_case_is_void() -> None:
    """Whatever its nonce: the token says what it is for, and so does the case."""
    assert conflicts(lambda: confirm(asked(), FILE)) == "link_void"
    assert conflicts(lambda: confirm(asked(), NEW_ADDRESS)) == "link_void"
    assert conflicts(lambda: confirm(asked(), replace(IDENTITY, case_id="2" * 32))) == "link_void"
    assert conflicts(lambda: confirm(opened())) == "link_void"
    assert conflicts(lambda: cases.fetched(disclosed(), IDENTITY, now=NOW)) == "link_void"
    assert (
        conflicts(lambda: cases.new_address_confirmed(address_asked(), IDENTITY, now=NOW))
        == "link_void"
    )


def test_a_link_of_a_case_closed_meanwhile() -> None:
    closed = cases.refused(asked(), by="it-1", reason="r", now=NOW)
    assert conflicts(lambda: confirm(closed)) == "case_closed"
    assert conflicts(lambda: confirm(closed, replace(IDENTITY, nonce=NEWER))) == "case_closed"
    done = cases.stopped(verified(K.STOP_USE), now=NOW, details={})
    assert conflicts(lambda: confirm(done)) == "link_used", "what the person did themselves"


def test_verified_by_hand_meanwhile() -> None:
    case = by_hand(by_hand(asked(), "cs-1"), "cs-2")
    assert conflicts(lambda: confirm(case)) == "already_verified"
    assert conflicts(lambda: cases.identity_asked(case, nonce=NEWER, now=NOW)) == "already_verified"


@pytest.mark.parametrize(
    ("kind", "by_itself", "state", "task"),
    [
        (K.STOP_USE, False, S.VERIFIED, T.STOP),
        (K.DISCLOSURE, False, S.VERIFIED, T.DISCLOSE),
        (K.ERASURE, False, S.VERIFIED, T.NONE),
        (K.ERASURE, True, S.IN_PROGRESS, T.ERASE),
        (K.CORRECTION, True, S.VERIFIED, T.NONE),
        (K.INQUIRY, True, S.VERIFIED, T.NONE),
    ],
)
def test_what_follows_from_being_verified(
    kind: CaseKind, by_itself: bool, state: CaseState, task: Task
) -> None:
    """By the link or by hand; an erasure waits for IT unless the setting lets it run."""
    by_link = confirm(asked(kind), by_itself=by_itself)
    two = by_hand(by_hand(opened(kind), "cs-1"), "cs-2", by_itself=by_itself)
    for case in (by_link, two):
        assert (case.state, case.task) == (state, task)
        assert case.approved_by == ("system" if task is T.ERASE else "")


def test_a_new_address_that_is_known_already_is_asked_next() -> None:
    case = cases.new_address(asked(K.CORRECTION), "new@example.jp", by="person", now=NOW)
    assert case.task is T.NONE
    assert confirm(case).task is T.VERIFY_NEW_ADDRESS


def test_nobody_is_asked_where_nobody_is_known() -> None:
    nobody = opened(contact_id=NOBODY)
    attempts = [
        partial(cases.identity_asked, nobody, nonce=NONCE, now=NOW),
        partial(ask, nobody),
        partial(by_hand, nobody, "cs-1"),
    ]
    for attempt in attempts:
        assert conflicts(attempt) == "nobody_known"
    for closed in CLOSED:
        assert (
            conflicts(partial(cases.identity_asked, closed, nonce=NONCE, now=NOW)) == "case_closed"
        )


# ---- who asks: by hand


def by_hand(case: Case, by: str, reason: str = "電話で確認", *, by_itself: bool = False) -> Case:
    return cases.by_hand(case, by=by, reason=reason, now=NOW, erasure_runs_by_itself=by_itself)


def test_two_people_verify_by_hand() -> None:
    proposed = by_hand(asked(), "cs-1")
    assert (proposed.state, proposed.hand_by, proposed.hand_reason) == (
        S.IDENTITY_ASKED, "cs-1", "電話で確認",
    )  # fmt: skip
    with pytest.raises(NotAllowed) as refused:
        by_hand(proposed, "cs-1")
    assert refused.value.code == "second_person_needed"
    agreed = by_hand(proposed, "it-1", "折り返しの電話で確認")
    assert agreed.state is S.VERIFIED
    assert agreed.hand_reason == "電話で確認", "the reason on record is the proposal's"
    assert [(s.kind, s.by) for s in agreed.steps[-2:]] == [
        (StepKind.HAND_VERIFICATION_PROPOSED, "cs-1"), (StepKind.HAND_VERIFIED, "it-1"),
    ]  # fmt: skip
    assert conflicts(lambda: by_hand(agreed, "cs-1")) == "already_verified"
    for closed in CLOSED:
        assert conflicts(partial(by_hand, closed, "cs-1")) == "case_closed"


# ---- asking again


def ask(case: Case) -> Case:
    return cases.ask_identity(case, by="cs-1", now=NOW)


@pytest.mark.parametrize(
    ("case", "task"),
    [
        (opened(task=T.NONE), T.ASK_IDENTITY),
        (asked(), T.ASK_IDENTITY),
        (disclosed(), T.DISCLOSE),
        (verified(K.DISCLOSURE), T.DISCLOSE),
        (address_asked(), T.VERIFY_NEW_ADDRESS),
    ],
)
def test_staff_have_the_link_mailed_that_the_case_waits_for(case: Case, task: Task) -> None:
    again = ask(case)
    assert (again.task, again.state) == (task, case.state)
    assert again.steps[-1] == Step(NOW, StepKind.NOTED, "cs-1", {"code": "link_asked_for"})


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (CLOSED[0], "case_closed"),
        (approved(), "under_way"),
        (opened(reply_to=""), "no_reply_address"),
        (opened(K.INQUIRY), "wrong_kind"),
        (verified(), "already_verified"),
        (verified(K.CORRECTION), "already_verified"),
    ],
)
def test_no_link_where_there_is_nothing_to_wait_for(case: Case, code: str) -> None:
    assert conflicts(lambda: ask(case)) == code


# ---- carrying out


def test_an_erasure_is_approved_carried_out_and_forgotten() -> None:
    case = approved()
    assert (case.state, case.task, case.approved_by) == (S.IN_PROGRESS, T.ERASE, "it-1")
    done = cases.erased(case, now=NOW, details={"events": "3"})
    assert (done.state, done.task, done.is_open) == (S.DONE, T.NONE, False)
    assert done.steps[-1] == Step(NOW, StepKind.ERASED, "system", {"events": "3"})
    assert personal(done) == set()
    assert "example.jp" not in repr(done)
    assert conflicts(lambda: cases.erased(done, now=NOW, details={})) == "not_owed"


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (opened(), "not_verified"),
        (asked(), "not_verified"),
        (approved(), "under_way"),
        (verified(K.DISCLOSURE), "wrong_kind"),
        (CLOSED[0], "case_closed"),
    ],
)
def test_only_a_verified_erasure_is_approved(case: Case, code: str) -> None:
    assert conflicts(lambda: cases.approved(case, by="it-1", now=NOW)) == code


def test_a_correction_waits_for_the_new_address_to_agree() -> None:
    case = cases.new_address(verified(K.CORRECTION), "new@example.jp", by="it-1", now=NOW)
    assert (case.new_address, case.task) == ("new@example.jp", T.VERIFY_NEW_ADDRESS)
    case = cases.new_address_asked(case, nonce=NONCE, now=NOW)
    assert (case.task, steps(case)[-1]) == (T.NONE, StepKind.NEW_ADDRESS_ASKED)
    assert (
        conflicts(lambda: cases.new_address_confirmed(case, NEW_ADDRESS, now=NOW + 72 * HOUR))
        == "link_expired"
    )
    case = cases.new_address_confirmed(case, NEW_ADDRESS, now=NOW + HOUR)
    assert (case.state, case.task, steps(case)[-1]) == (
        S.IN_PROGRESS, T.CORRECT, StepKind.NEW_ADDRESS_CONFIRMED,
    )  # fmt: skip
    assert conflicts(lambda: cases.new_address_confirmed(case, NEW_ADDRESS, now=NOW)) == "link_used"
    assert (
        conflicts(lambda: cases.new_address(case, "x@example.jp", by="it-1", now=NOW))
        == "under_way"
    )
    done = cases.corrected(case, now=NOW, details={})
    assert (done.state, done.task, steps(done)[-1]) == (S.DONE, T.NONE, StepKind.CORRECTED)


def test_another_new_address_voids_the_link_to_the_first() -> None:
    case = cases.new_address(address_asked(), "other@example.jp", by="it-1", now=NOW)
    assert case.task is T.VERIFY_NEW_ADDRESS
    assert conflicts(lambda: cases.new_address_confirmed(case, NEW_ADDRESS, now=NOW)) == "link_void"
    assert "i" in case.links, "that the person confirmed stays"
    assert (
        conflicts(lambda: cases.new_address(verified(), "x@example.jp", by="it-1", now=NOW))
        == "wrong_kind"
    )
    assert conflicts(lambda: cases.new_address_asked(opened(), nonce=NONCE, now=NOW)) == "not_owed"


def test_a_disclosure_is_fetched_once_within_a_week() -> None:
    case = disclosed()
    assert (case.state, case.task, steps(case)[-1]) == (S.IN_PROGRESS, T.NONE, StepKind.DISCLOSED)
    last = NOW + timedelta(hours=168, milliseconds=-1)
    done = cases.fetched(case, FILE, now=last)
    assert (done.state, done.steps[-1].kind, done.steps[-1].by) == (
        S.DONE, StepKind.FETCHED, "person",
    )  # fmt: skip
    assert conflicts(lambda: cases.fetched(done, FILE, now=last)) == "link_used"
    assert conflicts(lambda: cases.fetched(case, FILE, now=last + HOUR)) == "link_expired"
    again = cases.disclosed(ask(case), nonce=NEWER, now=NOW + HOUR)
    assert conflicts(lambda: cases.fetched(again, FILE, now=NOW + HOUR)) == "link_void"
    assert conflicts(lambda: cases.disclosed(case, nonce=NEWER, now=NOW)) == "not_owed"


def test_nothing_held_ends_a_disclosure() -> None:
    done = cases.nothing_held(verified(K.DISCLOSURE), now=NOW)
    assert (done.state, done.task) == (S.DONE, T.NONE)
    assert done.steps[-1] == Step(NOW, StepKind.DONE, "system", {"code": "nothing_held"})
    assert conflicts(lambda: cases.nothing_held(verified(), now=NOW)) == "not_owed"


def holding(case: Case) -> Case:
    return cases.held(case, now=NOW, by="system")


def corrected(case: Case) -> Case:
    case = cases.new_address(case, "new@example.jp", by="it-1", now=NOW)
    case = cases.new_address_asked(case, nonce=NONCE, now=NOW)
    link = CaseLink(case.case_id, NONCE, Purpose.NEW_ADDRESS)
    case = cases.new_address_confirmed(case, link, now=NOW)
    return cases.corrected(case, now=NOW, details={})


@pytest.mark.parametrize(
    ("case", "tells"),
    [
        (cases.fetched(holding(disclosed()), FILE, now=NOW), T.TELL_DONE),
        (cases.nothing_held(holding(verified(K.DISCLOSURE)), now=NOW), T.TELL_DONE),
        (corrected(holding(verified(K.CORRECTION))), T.NONE),
    ],
)
def test_a_stop_asked_for_beside_is_not_forgotten_with_the_rest(case: Case, tells: Task) -> None:
    """The hold stands until staff have decided what the mail meant."""
    assert (case.state, case.task, case.holds) == (S.IN_PROGRESS, T.NONE, True)
    assert cases.needs(case) == "decide_stop"
    assert cases.expired_links(case, NOW + timedelta(days=30)) is None
    done = finish(case, code="unsubscribed")
    assert (done.state, done.task) == (S.DONE, tells)


def test_who_has_moved_is_not_moved_again_by_the_same_request() -> None:
    case = corrected(holding(verified(K.CORRECTION)))
    assert conflicts(lambda: ask(case)) == "under_way"
    again = "other@example.jp"
    assert conflicts(lambda: cases.new_address(case, again, by="it-1", now=NOW)) == "under_way"


def test_a_stop_is_done_when_it_is_recorded() -> None:
    """Vouched for, it needs no link: the case is only its record."""
    for case in (verified(K.STOP_USE), opened(K.STOP_USE, T.STOP)):
        done = cases.stopped(case, now=NOW, details={"stops": "1"})
        assert (done.state, done.task) == (S.DONE, T.NONE)
        assert dict(done.steps[-1].details) == {"stops": "1"}
    assert conflicts(lambda: cases.stopped(opened(), now=NOW, details={})) == "not_owed"
    assert conflicts(lambda: cases.corrected(opened(), now=NOW, details={})) == "not_owed"


# ---- ending


def test_refused_with_a_reason_that_the_person_is_told() -> None:
    case = cases.refused(asked(), by="it-1", reason="別の方のアドレスです。", now=NOW)
    assert (case.state, case.task, case.refusal) == (
        S.REFUSED, T.TELL_REFUSED, "別の方のアドレスです。",
    )  # fmt: skip
    assert case.steps[-1] == Step(NOW, StepKind.REFUSED, "it-1", {})
    told = cases.told(case, now=NOW)
    assert told.task is T.NONE
    assert dict(told.steps[-1].details) == {"code": "told"}
    assert conflicts(lambda: cases.told(told, now=NOW)) == "not_owed"
    silent = cases.refused(opened(reply_to=""), by="it-1", reason="r", now=NOW)
    assert silent.task is T.NONE
    for closed, code in ((CLOSED[1], "case_closed"), (approved(), "under_way")):
        assert conflicts(partial(cases.refused, closed, by="it-1", reason="r", now=NOW)) == code


def finish(case: Case, by: str = "cs-1", code: str = "") -> Case:
    return cases.finished(case, by=by, note_code=code, now=NOW)


def test_finished_tells_the_person_unless_they_know() -> None:
    inquiry = opened(K.INQUIRY, T.NONE)
    done = finish(inquiry, code="not_a_stop")
    assert (done.state, done.task) == (S.DONE, T.TELL_DONE)
    assert done.steps[-1] == Step(NOW, StepKind.DONE, "cs-1", {"code": "not_a_stop"})
    assert cases.told(done, now=NOW).task is T.NONE
    answered = cases.replied(inquiry, by="cs-1", now=NOW)
    assert finish(answered).task is T.NONE
    assert finish(answered).steps[-1].details == {}
    assert finish(opened(K.INQUIRY, T.NONE, reply_to="")).task is T.NONE


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (opened(), "not_carried_out"),
        (verified(), "not_carried_out"),
        (verified(K.DISCLOSURE), "not_carried_out"),
        (approved(), "under_way"),
        (CLOSED[0], "case_closed"),
    ],
)
def test_nobody_calls_done_what_is_not(case: Case, code: str) -> None:
    assert conflicts(lambda: finish(case)) == code


def test_a_disclosure_that_was_never_fetched_may_be_finished() -> None:
    assert finish(disclosed()).state is S.DONE


def test_replies_and_notes() -> None:
    case = cases.replied(opened(K.INQUIRY, T.ACKNOWLEDGE), by="cs-1", now=NOW)
    assert (case.state, case.task) == (S.IN_PROGRESS, T.NONE), "the answer acknowledges"
    assert case.steps[-1] == Step(NOW, StepKind.REPLIED, "cs-1", {})
    stop = opened(K.INQUIRY, T.ASK_IDENTITY)
    assert cases.replied(stop, by="cs-1", now=NOW).task is T.ASK_IDENTITY
    other = cases.replied(asked(), by="it-1", now=NOW)
    assert (other.state, other.task) == (S.IDENTITY_ASKED, T.NONE)
    assert cases.replied(CLOSED[1], by="cs-1", now=NOW).state is S.DONE
    erasing = partial(cases.replied, approved(), by="cs-1", now=NOW)
    assert conflicts(erasing) == "under_way"
    noted = cases.noted(case, by="system", now=NOW, code="answer_limit")
    assert noted.steps[-1] == Step(NOW, StepKind.NOTED, "system", {"code": "answer_limit"})
    assert cases.noted(case, by="cs-1", now=NOW).steps[-1].details == {}


def test_a_case_holds_while_open_and_releases_also_afterwards() -> None:
    case = cases.held(opened(), now=NOW, by="cs-1")
    assert case.holds
    assert steps(case)[-1] is StepKind.HELD
    assert cases.held(case, now=NOW, by="cs-1") == case
    assert case.whom == (case.contact_id,)
    more = cases.held(case, now=NOW, by="system", also=("b" * 32, "c" * 32, "b" * 32))
    assert (more.also, more.steps) == (("b" * 32, "c" * 32), case.steps)
    assert cases.held(more, now=NOW, by="system", also=("c" * 32,)) == more
    assert more.whom == (case.contact_id, "b" * 32, "c" * 32)
    assert replace(more, contact_id=NOBODY).whom == more.also
    many = cases.held(more, now=NOW, by="system", also=tuple(map(str, range(200))))
    assert len(many.also) == cases.MOST_ALSO
    assert opened(holds=True, also=("b" * 32,)).also == ("b" * 32,)
    assert opened(also=("b" * 32,)).also == ()
    assert (opened(vouched=True).vouched, opened().vouched) == (True, False)
    closed = cases.refused(case, by="it-1", reason="r", now=NOW)
    assert closed.holds, "until the release is recorded"
    assert conflicts(lambda: cases.held(closed, now=NOW, by="cs-1")) == "case_closed"
    released = cases.released(closed, now=NOW, by="system")
    assert not released.holds
    assert steps(released)[-1] is StepKind.RELEASED
    assert cases.released(released, now=NOW, by="system") == released


# ---- time


def test_the_clock_warns_on_day_10_and_after_the_day_promised() -> None:
    case = opened(terms=Terms(9))
    assert (case.warn_on, case.due_on) == (date(2026, 12, 4), date(2026, 12, 7))
    assert cases.clock(case, date(2026, 12, 3)) is None
    assert cases.clock(case, date(2026, 12, 4)) is StepKind.WARNED
    case = cases.warned(case, now=NOW)
    assert cases.clock(case, date(2026, 12, 7)) is None
    assert cases.clock(case, date(2026, 12, 8)) is StepKind.OVERDUE
    case = cases.overdue(case, now=NOW)
    assert cases.clock(case, date(2027, 1, 1)) is None
    assert steps(case)[-2:] == [StepKind.WARNED, StepKind.OVERDUE]


def test_both_are_due_one_after_the_other_and_nothing_once_closed() -> None:
    case = opened(terms=Terms(1))
    late = date(2026, 12, 24)
    assert cases.clock(case, date(2026, 11, 26)) is StepKind.OVERDUE
    case = cases.overdue(case, now=NOW)
    assert cases.clock(case, late) is StepKind.WARNED
    assert cases.clock(CLOSED[0], late) is None


def test_a_link_that_was_never_used_expires_once() -> None:
    late = NOW + timedelta(hours=72)
    assert cases.expired_links(opened(), late) is None
    assert cases.expired_links(asked(), late - HOUR) is None
    back = cases.expired_links(asked(), late)
    assert back is not None
    assert (back.state, steps(back)[-1]) == (S.RECEIVED, StepKind.IDENTITY_EXPIRED)
    assert cases.expired_links(back, late) is None
    assert conflicts(lambda: confirm(back, at=late)) == "link_expired", "and says so"


@pytest.mark.parametrize(
    ("case", "purpose", "hours"),
    [(disclosed(), "disclosure", 168), (address_asked(), "new_address", 72)],
)
def test_so_do_the_links_to_the_file_and_to_the_new_address(
    case: Case, purpose: str, hours: int
) -> None:
    late = NOW + timedelta(hours=hours)
    assert cases.needs(case) == "wait_for_person"
    assert cases.expired_links(case, late - HOUR) is None
    expired = cases.expired_links(case, late)
    assert expired is not None
    assert expired.state is case.state
    assert expired.steps[-1] == Step(late, StepKind.LINK_EXPIRED, "system", {"purpose": purpose})
    assert cases.expired_links(expired, late + HOUR) is None
    assert cases.needs(expired) == "send_link_again"
    again = ask(expired)
    assert cases.expired_links(again, late + HOUR) is None, "a newer one is on its way"
    mailed = (cases.disclosed if purpose == "disclosure" else cases.new_address_asked)(
        again, nonce=NEWER, now=late + HOUR
    )
    assert cases.needs(mailed) == "wait_for_person"
    assert cases.expired_links(mailed, late + timedelta(hours=hours + 1)) is not None


def test_used_links_do_not_expire() -> None:
    late = NOW + timedelta(days=30)
    assert cases.expired_links(verified(), late) is None
    assert cases.expired_links(cases.fetched(disclosed(), FILE, now=NOW), late) is None


# ---- forgetting


def personal(case: Case) -> set[str]:
    names = ("reply_to", "subject", "in_reply_to", "new_address", "hand_reason")
    return {name for name in names if getattr(case, name)}


def test_forgetting_an_open_case_ends_it() -> None:
    case = by_hand(cases.held(asked(K.CORRECTION), now=NOW, by="system"), "cs-1")
    case = cases.new_address(case, "new@example.jp", by="it-1", now=NOW)
    assert personal(case) == {"reply_to", "subject", "in_reply_to", "new_address", "hand_reason"}
    gone = cases.forgotten(case, now=NOW + HOUR)
    assert (gone.state, gone.task, gone.refusal) == (S.REFUSED, T.NONE, "erased")
    assert gone.steps[-1] == Step(NOW + HOUR, StepKind.REFUSED, "system", {"code": "erased"})
    assert personal(gone) == set()
    assert gone.holds, "the release is still to be recorded"
    assert conflicts(lambda: confirm(gone)) == "case_closed"
    assert cases.forgotten(gone, now=NOW + 2 * HOUR) == gone


@pytest.mark.parametrize("case", CLOSED)
def test_forgetting_a_closed_case_changes_nothing_else(case: Case) -> None:
    gone = cases.forgotten(case, now=NOW + HOUR)
    assert personal(gone) == set()
    assert gone.refusal == "", "what staff wrote about the person"
    assert (gone.state, gone.steps, gone.task) == (case.state, case.steps, T.NONE)
    assert cases.forgotten(gone, now=NOW) == gone


# ---- what is next


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (opened(), "wait_for_system"),
        (opened(task=T.NONE), "ask_identity"),
        (opened(task=T.NONE, reply_to=""), "verify_by_hand"),
        (asked(), "wait_for_person"),
        (by_hand(asked(), "cs-1"), "agree_by_hand"),
        (verified(), "approve_erasure"),
        (verified(K.CORRECTION), "enter_new_address"),
        (replace(verified(K.DISCLOSURE), task=T.NONE), "send_link_again"),
        (opened(K.INQUIRY, T.NONE), "answer"),
        (verified(K.INQUIRY), "answer"),
        (opened(K.INQUIRY, T.NONE, holds=True), "decide_stop"),
        (cases.replied(opened(K.INQUIRY, T.NONE), by="cs-1", now=NOW), "finish"),
        (opened(K.INQUIRY, T.NONE, contact_id=NOBODY), "find_writer"),
        (CLOSED[0], "wait_for_system"),
        (cases.told(CLOSED[0], now=NOW), "nothing"),
    ],
)
def test_what_is_next(case: Case, code: str) -> None:
    assert cases.needs(case) == code


def test_what_is_next_is_said_in_both_languages() -> None:
    for ja, en in cases.NEXT.values():
        assert re.search(r"[ぁ-ん]", ja)
        assert ja.endswith("。")
        assert en.isascii()
        assert en.endswith(".")


# ---- whatever happens, in whatever order


def _open_link(case: Case, purpose: Purpose, *, older: bool) -> CaseLink:
    link = case.links.get(purpose)
    nonce = NEWER if link is None or older else link.nonce
    return CaseLink(CASE_ID, nonce, purpose)


PEOPLE = ("cs-1", "it-1")
Action = Callable[[Case, int, datetime], Case]
ACTIONS: dict[str, Action] = {
    "joined": lambda c, n, at: cases.joined(c, mail_id=str(n), now=at),
    "with_kind": lambda c, n, at: cases.with_kind(
        c, list(CaseKind)[n % 5], by=PEOPLE[n % 2], why="w", own_mailbox=n % 3 > 0, now=at
    ),
    "acknowledged": lambda c, n, at: cases.acknowledged(c, now=at),
    "ask_identity": lambda c, n, at: cases.ask_identity(c, by=PEOPLE[n % 2], now=at),
    "identity_asked": lambda c, n, at: cases.identity_asked(c, nonce=f"{n:024x}", now=at),
    "confirmed": lambda c, n, at: cases.confirmed(
        c, _open_link(c, Purpose.IDENTITY, older=n % 4 == 0), now=at,
        erasure_runs_by_itself=n % 2 == 0,
    ),
    "by_hand": lambda c, n, at: cases.by_hand(
        c, by=PEOPLE[n % 2], reason="r", now=at, erasure_runs_by_itself=False
    ),
    "approved": lambda c, n, at: cases.approved(c, by="it-1", now=at),
    "new_address": lambda c, n, at: cases.new_address(c, "n@example.jp", by="it-1", now=at),
    "new_address_asked": lambda c, n, at: cases.new_address_asked(c, nonce=f"{n:024x}", now=at),
    "new_address_confirmed": lambda c, n, at: cases.new_address_confirmed(
        c, _open_link(c, Purpose.NEW_ADDRESS, older=n % 4 == 0), now=at
    ),
    "disclosed": lambda c, n, at: cases.disclosed(c, nonce=f"{n:024x}", now=at),
    "fetched": lambda c, n, at: cases.fetched(
        c, _open_link(c, Purpose.DISCLOSURE, older=n % 4 == 0), now=at
    ),
    "stopped": lambda c, n, at: cases.stopped(c, now=at, details={}),
    "corrected": lambda c, n, at: cases.corrected(c, now=at, details={}),
    "erased": lambda c, n, at: cases.erased(c, now=at, details={}),
    "refused": lambda c, n, at: cases.refused(c, by="it-1", reason="r", now=at),
    "finished": lambda c, n, at: cases.finished(c, by=PEOPLE[n % 2], note_code="", now=at),
    "told": lambda c, n, at: cases.told(c, now=at),
    "replied": lambda c, n, at: cases.replied(c, by=PEOPLE[n % 2], now=at),
    "held": lambda c, n, at: cases.held(c, by="system", now=at),
    "released": lambda c, n, at: cases.released(c, by="system", now=at),
    "expired": lambda c, n, at: cases.expired_links(c, at) or c,
    "forgotten": lambda c, n, at: cases.forgotten(c, now=at),
}  # fmt: skip
LIKELY = [*ACTIONS, *["identity_asked", "confirmed", "by_hand", "approved"] * 3]


@settings(max_examples=800, deadline=None, print_blob=True)
@given(
    st.sampled_from(CaseKind),
    st.sampled_from([T.NONE, T.ASK_IDENTITY, T.ACKNOWLEDGE]),
    st.lists(
        st.tuples(
            st.sampled_from(LIKELY),
            st.integers(0, 99),
            st.integers(0, 50),
        ),
        max_size=30,
    ),
)
def test_no_order_of_events_gets_around_identity_and_approval(
    kind: CaseKind, task: Task, happens: Sequence[tuple[str, int, int]]
) -> None:
    """History only grows; what cannot be is refused; nothing runs for who was not verified."""
    case, at = opened(kind, task), NOW
    for name, number, hours in happens:
        at += hours * HOUR
        try:
            after = ACTIONS[name](case, number, at)
        except (Conflict, NotAllowed):
            continue
        assert after.steps[: len(case.steps)] == case.steps
        silent = after == case or name == "forgotten"
        assert silent or len(after.steps) > len(case.steps), name
        assert case.is_open or not after.is_open, "closed for good"
        assert cases.needs(after) in cases.NEXT
        case = after
        check(case)


def check(case: Case) -> None:
    kinds = steps(case)
    by_two = StepKind.HAND_VERIFIED in kinds
    was_verified = StepKind.IDENTITY_CONFIRMED in kinds or by_two
    outcomes = {
        StepKind.APPROVED, StepKind.ERASED, StepKind.DISCLOSED, StepKind.STOPPED,
        StepKind.CORRECTED, StepKind.FETCHED,
    }  # fmt: skip
    if outcomes & set(kinds):
        assert was_verified
    if StepKind.ERASED in kinds:
        assert StepKind.APPROVED in kinds
    if StepKind.CORRECTED in kinds:
        assert StepKind.NEW_ADDRESS_CONFIRMED in kinds
    if by_two:
        agreed = kinds.index(StepKind.HAND_VERIFIED)
        proposals = [
            step.by
            for step in case.steps[:agreed]
            if step.kind is StepKind.HAND_VERIFICATION_PROPOSED
        ]
        assert proposals[-1] != case.steps[agreed].by
    if not case.is_open:
        assert case.task in {T.NONE, T.TELL_DONE, T.TELL_REFUSED}
    assert not any("example.jp" in repr(step) for step in case.steps)


@pytest.mark.parametrize("kind", CaseKind)
@pytest.mark.parametrize("state", CaseState)
def test_a_stop_is_certain_once_who_asks_is(kind: CaseKind, state: CaseState) -> None:
    wanted = kind in {CaseKind.ERASURE, CaseKind.STOP_USE}
    verified = state in {CaseState.VERIFIED, CaseState.IN_PROGRESS}
    assert replace(opened(), kind=kind, state=state).stop_is_certain == (wanted and verified)
