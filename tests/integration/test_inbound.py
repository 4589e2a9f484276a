"""Mail that comes in, through the handler to contacts, cases and the worker's queue (R1, S2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest

from functions import mail_intake
from shared.adapters.jobs import CaseJob, JobQueue
from shared.domain import cases
from shared.domain.cases import CaseKind, CaseState, StepKind, Task
from shared.domain.eligibility import Profile, judge
from shared.domain.errors import BadRequest
from shared.domain.events import Event, EventKind, Source
from shared.domain.inbound import Mailbox, Verdict
from shared.domain.links import NOBODY, Link, LinkKeys, sign
from tests.integration.fakes import Meanwhile, read
from tests.integration.world import (
    INBOUND,
    LambdaContext,
    World,
    held,
    id_of,
    letter,
    projected,
)

HANAKO, TARO = "hanako.yamada@example.jp", "taro@example.jp"
REPLY = ("reply@mail.example.jp",)
CAMPAIGN = "5f2b8c0d9e71"
STOP = "配信を停止してください。"


def reason(world: World, email: str = HANAKO) -> str:
    return judge(world.contacts.get(id_of(email)), Profile.MANUAL).reason


def by_mail(world: World, email: str = HANAKO) -> list[Event]:
    """What mail has done to a contact."""
    found = world.contacts.history(id_of(email))
    return [event for event in found if event.source in {Source.REPLY, Source.SES}]


def subjects(world: World, email: str = HANAKO) -> list[str]:
    return [str(read(mail)["Subject"]) for mail in world.ses.to(email)]


def in_step(world: World) -> bool:
    return projected(world.tables()) == held(world.tables())


@pytest.fixture
def hanako(world: World) -> World:
    """Hanako gets our mail."""
    world.confirmed(HANAKO)
    return world


# --- stops


def test_a_vouched_reply_stops_at_once_and_is_told_once(hanako: World) -> None:
    line = hanako.mail_in(letter(STOP, to=REPLY[0]), recipients=REPLY)
    assert (line.outcome, line.case_id, line.mailbox) == ("unsubscribed", "", Mailbox.REPLY)
    assert reason(hanako) == "unsubscribed"
    [stop] = by_mail(hanako)
    assert (stop.kind, stop.source) == (EventKind.UNSUBSCRIBED, Source.REPLY)
    assert stop.at == line.received_at
    assert hanako.cases.queue(team=None, limit=9).cases == ()
    hanako.work()
    [mail] = hanako.ses.mails
    assert mail.recipients == (HANAKO,)
    assert read(mail)["Auto-Submitted"] == "auto-replied"
    assert in_step(hanako)


def test_a_forged_stop_is_asked_back_and_holds_meanwhile(hanako: World) -> None:
    line = hanako.mail_in(letter(STOP, to=REPLY[0]), recipients=REPLY, dmarc="FAIL")
    assert line.outcome == "confirm_stop"
    assert reason(hanako) == "held"
    case = hanako.cases.get(line.case_id)
    assert (case.kind, case.holds, case.task) == (CaseKind.STOP_USE, True, Task.ASK_IDENTITY)
    hanako.work()
    assert hanako.cases.get(line.case_id).state is CaseState.IDENTITY_ASKED
    [mail] = hanako.ses.to(HANAKO)
    part = read(mail).get_body(("plain",))
    assert part is not None
    assert "https://optin.example.jp/v/" in part.get_content()
    assert EventKind.UNSUBSCRIBED not in [event.kind for event in by_mail(hanako)]


def test_a_link_in_the_quotation_vouches(hanako: World) -> None:
    quoting = f"停止はこちら https://optin.example.jp/u/{hanako.token(id_of(HANAKO), CAMPAIGN)}"
    raw = letter(STOP, quoting=quoting)
    line = hanako.mail_in(raw, recipients=REPLY, dmarc="FAIL")
    assert line.outcome == "unsubscribed"
    [stop] = by_mail(hanako)
    assert stop.details["campaign_id"] == CAMPAIGN
    assert hanako.figures.of(CAMPAIGN).unsubscribed == 1


def test_a_forwarded_mailbox_stops_whom_the_link_names(hanako: World) -> None:
    hanako.confirmed(TARO)
    quoting = f"https://optin.example.jp/u/{hanako.token(id_of(HANAKO))}"
    raw = letter(STOP, sender=TARO, quoting=quoting)
    line = hanako.mail_in(raw, recipients=REPLY, dmarc="FAIL")
    assert line.outcome == "unsubscribed"
    assert (reason(hanako), reason(hanako, TARO)) == ("unsubscribed", "eligible")
    # Of both it is known that there is this mail.
    for email in (HANAKO, TARO):
        [found] = hanako.received.of_contact(id_of(email))
        assert found.mail_id == line.mail_id


@pytest.mark.parametrize("headers", [{}, {"Auto_Submitted": "auto-generated"}])
def test_the_mailto_token_stops_whoever_sends_it(hanako: World, headers: dict[str, str]) -> None:
    to = f"stop+{hanako.token(id_of(HANAKO), CAMPAIGN)}@mail.example.jp"
    raw = letter("", subject="unsubscribe", sender="someone@example.net", to=to, **headers)
    line = hanako.mail_in(raw, recipients=(to,), dmarc="FAIL")
    assert (line.outcome, line.mailbox) == ("unsubscribed", Mailbox.STOP)
    assert reason(hanako) == "unsubscribed"
    hanako.work()
    assert hanako.ses.mails == []
    assert [each.mail_id for each in hanako.received.of_contact(id_of(HANAKO))] == [line.mail_id]


def test_the_mailto_token_stops_although_the_same_mail_came_to_another_mailbox(
    hanako: World,
) -> None:
    """One mail to two of our addresses may come in two deliveries."""
    mail = letter("会場はどこですか。")
    assert hanako.mail_in(mail).outcome == "case"
    to_stop = (f"stop+{hanako.token(id_of(HANAKO))}@mail.example.jp",)
    hanako.mail_in(mail, recipients=to_stop)
    assert reason(hanako) == "unsubscribed"
    before = len(by_mail(hanako))
    hanako.mail_in(mail, recipients=to_stop)
    assert len(by_mail(hanako)) == before


def test_a_token_without_a_sender_is_kept_under_whom_it_names(hanako: World) -> None:
    to = f"stop+{hanako.token(id_of(HANAKO))}@mail.example.jp"
    line = hanako.mail_in(b"Subject: x\r\n\r\n", recipients=(to,), sender="")
    assert (line.outcome, line.contact_id) == ("unsubscribed", id_of(HANAKO))


def test_a_token_of_another_environment_stops_nobody_unasked(hanako: World) -> None:
    other = LinkKeys("k1", {"k1": b"another-environments-key-0123456789"})
    foreign = LinkKeys("z9", {"z9": b"a-key-that-is-not-known-here-at-all-"})
    for keys in (other, foreign):
        to = f"stop+{sign(Link(id_of(HANAKO), CAMPAIGN), keys)}@mail.example.jp"
        raw = letter("", subject="unsubscribe", sender=TARO, to=to)
        line = hanako.mail_in(raw, recipients=(to,), dmarc="FAIL")
        assert line.outcome == "confirm_stop"
    assert reason(hanako) == "eligible"
    assert hanako.contacts.get(id_of(TARO)).address == ""


def test_a_token_whose_key_was_added_just_now_counts(hanako: World) -> None:
    deps = hanako.mail_intake()
    deps.secrets.link_keys(hanako.link_keys_arn)
    ring = {"current": "k2", "k2": "a-second-key-of-this-environment-0123456789"}
    keys = LinkKeys("k2", {"k2": ring["k2"].encode()})
    to = f"stop+{sign(Link(id_of(HANAKO), CAMPAIGN), keys)}@mail.example.jp"
    with hanako.secret(hanako.link_keys_arn, ring):
        event = hanako.mail_event(letter("", to=to), recipients=(to,))
        mail_intake.handler(event, LambdaContext(), deps)
    assert reason(hanako) == "unsubscribed"


def test_the_link_of_a_test_mail_is_about_nobody(hanako: World) -> None:
    to = f"stop+{hanako.token(NOBODY)}@mail.example.jp"
    line = hanako.mail_in(letter("", to=to), recipients=(to,))
    assert line.outcome == "filtered"
    assert reason(hanako) == "eligible"


def test_an_out_of_office_reply_never_stops(hanako: World) -> None:
    raw = letter(
        "停止 不在のため返信できません。",
        subject="自動応答: お知らせ",
        Auto_Submitted="auto-replied",
    )
    line = hanako.mail_in(raw, recipients=REPLY)
    assert (line.outcome, line.reason) == ("filtered", "auto_reply")
    to = f"stop+{hanako.token(id_of(HANAKO))}@mail.example.jp"
    line = hanako.mail_in(letter("x", to=to, Auto_Submitted="auto-replied"), recipients=(to,))
    assert line.outcome == "filtered"
    assert reason(hanako) == "eligible"
    hanako.work()
    assert hanako.ses.mails == []


def test_what_may_mean_stop_is_held_and_read_by_cs(hanako: World) -> None:
    line = hanako.mail_in(letter("停止できますか?"), recipients=REPLY)
    assert line.outcome == "held"
    assert reason(hanako) == "held"
    case = hanako.cases.get(line.case_id)
    assert (case.kind, case.holds) == (CaseKind.INQUIRY, True)
    hanako.work()
    assert len(hanako.ses.to(HANAKO)) == 1
    assert StepKind.ACKNOWLEDGED in [step.kind for step in hanako.cases.get(line.case_id).steps]


def test_a_stop_by_somebody_unknown_is_kept_by_id_alone(world: World) -> None:
    world.mail_in(letter(STOP), recipients=REPLY)
    assert reason(world) == "no_address"
    world.work()
    assert world.ses.mails == []  # nothing is held, so nobody is written to
    world.happened(HANAKO, EventKind.NOTIFIED)
    assert reason(world) == "unsubscribed"


# --- cases


@pytest.mark.parametrize(
    ("words", "kind", "holds", "task"),
    [
        ("私の個人情報を開示してください。", CaseKind.DISCLOSURE, False, Task.ASK_IDENTITY),
        ("個人情報を削除してください。", CaseKind.ERASURE, True, Task.ASK_IDENTITY),
        ("アドレスの変更をお願いします。", CaseKind.CORRECTION, False, Task.ASK_IDENTITY),
        ("個人情報の利用を停止してください。", CaseKind.STOP_USE, True, Task.STOP),
        ("セミナーの会場はどこですか。", CaseKind.INQUIRY, False, Task.ACKNOWLEDGE),
        ("Please delete all my personal data.", CaseKind.ERASURE, True, Task.ASK_IDENTITY),
    ],
)  # fmt: skip
def test_a_request_becomes_a_case(
    hanako: World, words: str, kind: CaseKind, holds: bool, task: Task
) -> None:
    line = hanako.mail_in(letter(words, subject="お願い"))
    case = hanako.cases.get(line.case_id)
    assert (case.kind, case.holds, case.task) == (kind, holds, task)
    assert (case.contact_id, case.reply_to) == (id_of(HANAKO), HANAKO)
    assert case.opened_at == line.received_at
    [mail] = hanako.cases.mails(case.case_id)
    assert mail.words.strip() == words
    [job] = hanako.case_queue.messages
    assert json.loads(job.body) == {"case_id": case.case_id}
    assert (reason(hanako) == "held") is (holds and task is not Task.STOP)
    assert in_step(hanako)


def test_gdprs_month_counts_where_it_applies(hanako: World) -> None:
    hanako.happened(HANAKO, EventKind.RESIDENCE_STATED, details={"region": "EU"})
    line = hanako.mail_in(letter("Please delete my data."))
    assert hanako.cases.get(line.case_id).legal_on is not None


def test_gdprs_month_counts_where_the_mail_refers_to_it(hanako: World) -> None:
    """A claim, not a fact: where she lives is not recorded by it."""
    line = hanako.mail_in(letter("Please delete my data (Article 17 GDPR)."))
    assert hanako.cases.get(line.case_id).legal_on is not None
    kinds = [event.kind for event in hanako.contacts.history(id_of(HANAKO))]
    assert EventKind.RESIDENCE_STATED not in kinds
    other = hanako.mail_in(letter("会場はどこですか。"))
    assert hanako.cases.get(other.case_id).legal_on is None


def test_a_flood_leaves_a_case_that_can_be_decided(
    hanako: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes in her name again and again; what came first is what is kept with it."""
    monkeypatch.setattr(cases, "MOST_JOINED", 3)
    words = "個人情報を削除してください。"
    lines = [hanako.mail_in(letter(f"{words}{n}"), dmarc="FAIL") for n in range(8)]
    assert len({line.case_id for line in lines}) == 1
    case = hanako.cases.get(lines[0].case_id)
    assert len(hanako.cases.mails(case.case_id)) == 4
    assert case.steps[-1].details == {"code": "more_mails"}
    history = hanako.contacts.history(id_of(HANAKO))
    assert [event.kind for event in history].count(EventKind.HELD) == 1
    hanako.cases.save(case, cases.refused(case, by="it-a", reason="x", now=hanako.clock.tick()))


def test_however_the_sender_spells_it_the_address_itself_is_asked(hanako: World) -> None:
    """Else a forged mail would leave a case to which no link can be mailed."""
    raw = "From: ｈanako.ya\u200bmada@example.jp\r\n\r\n私の個人情報を開示してください。\r\n"
    line = hanako.mail_in(raw.encode(), dmarc="FAIL")
    assert hanako.cases.get(line.case_id).reply_to == HANAKO
    hanako.work()
    assert len(hanako.ses.to(HANAKO)) == 1


def test_a_second_mail_joins_and_is_not_answered_again(hanako: World) -> None:
    first = hanako.mail_in(letter("個人情報を削除してください。"))
    hanako.work()
    second = hanako.mail_in(letter("個人情報を削除してください!まだですか。"))
    hanako.work()
    assert second.case_id == first.case_id
    assert len(hanako.ses.to(HANAKO)) == 1
    assert len(hanako.cases.mails(first.case_id)) == 2


def test_an_inquiry_that_then_may_mean_stop_is_held(hanako: World) -> None:
    first = hanako.mail_in(letter("会場はどこですか。"))
    assert reason(hanako) == "eligible"
    second = hanako.mail_in(letter("停止できますか?"))
    assert second.case_id == first.case_id
    assert hanako.cases.get(first.case_id).holds
    assert reason(hanako) == "held"


def test_a_forwarded_mailbox_holds_whom_the_link_names(hanako: World) -> None:
    """Also where it joins a request that was open already, and until that is closed."""
    hanako.confirmed(TARO)
    first = hanako.mail_in(letter("会場はどこですか。", sender=TARO))
    assert (reason(hanako), reason(hanako, TARO)) == ("eligible", "eligible")
    quoting = f"https://optin.example.jp/u/{hanako.token(id_of(HANAKO))}"
    line = hanako.mail_in(letter("停止できますか?", sender=TARO, quoting=quoting))
    assert (line.outcome, line.case_id) == ("held", first.case_id)
    case = hanako.cases.get(line.case_id)
    assert (case.holds, case.also) == (True, (id_of(HANAKO),))
    assert (reason(hanako), reason(hanako, TARO)) == ("held", "held")
    hanako.work()
    case = hanako.cases.get(line.case_id)
    hanako.cases.save(
        case, cases.finished(case, by="cs-a", note_code="goes_on", now=hanako.clock.now())
    )
    hanako.clock.advance(days=1)
    hanako.sweep()
    hanako.work()
    assert (reason(hanako), reason(hanako, TARO)) == ("eligible", "eligible")
    assert in_step(hanako)


def test_many_links_of_ours_do_not_make_a_request_too_large(hanako: World) -> None:
    """What is not on the request is not held either, or nothing would release it."""
    line = hanako.mail_in(letter("停止できますか?"))
    case = hanako.cases.get(line.case_id)
    full = tuple(f"{number:032x}" for number in range(1, cases.MOST_ALSO + 1))
    hanako.cases.save(case, cases.held(case, now=hanako.clock.now(), by="system", also=full))
    hanako.confirmed(TARO)
    quoting = f"https://optin.example.jp/u/{hanako.token(id_of(TARO))}"
    again = hanako.mail_in(letter("停止できますか?もう一度。", quoting=quoting))
    assert (again.outcome, again.case_id) == ("held", line.case_id)
    assert reason(hanako, TARO) == "eligible"


def test_one_mailbox_is_not_flooded_by_forgers(world: World) -> None:
    """Nor under as many names as its provider delivers to it."""
    lines = [
        world.mail_in(letter("会場はどこですか。", sender=f"hanako+{n}@example.jp"), dmarc="FAIL")
        for n in range(5)
    ]
    world.work()
    assert len({world.cases.get(line.case_id).contact_id for line in lines}) == 5
    assert len(world.ses.mails) == 1
    last = world.cases.get(lines[-1].case_id)
    assert (last.task, last.steps[-1].details) == (Task.NONE, {"code": "answer_limit"})


def test_a_stop_is_told_once_to_a_mailbox_with_many_names(world: World) -> None:
    for n in range(3):
        world.confirmed(f"hanako+{n}@example.jp")
        world.mail_in(letter(STOP, sender=f"hanako+{n}@example.jp"))
    world.work()
    assert len(world.ses.mails) == 1


def test_nor_are_many_mailboxes(world: World) -> None:
    """Who is vouched for is answered all the same, and staff may always have the link mailed."""
    world.settings["answers_per_hour"] = 2
    forged = [
        world.mail_in(letter("開示してください。", sender=f"p{n}@example.jp"), dmarc="NONE")
        for n in range(4)
    ]
    world.mail_in(letter("会場はどこですか。", sender=TARO))
    world.work()
    assert len(world.ses.to(TARO)) == 1
    assert len(world.ses.mails) == 3
    left = [world.cases.get(line.case_id) for line in forged]
    left = [case for case in left if case.state is CaseState.RECEIVED]
    assert [case.steps[-1].details for case in left] == [{"code": "answer_limit"}] * 2
    asked = cases.ask_identity(left[0], by="cs-a", now=world.clock.now())
    world.cases.save(left[0], asked)
    JobQueue(world.case_queue, world.case_queue.url).put([CaseJob(asked.case_id)])  # type: ignore[arg-type]
    world.work()
    assert len(world.ses.mails) == 4
    world.clock.advance(hours=1)
    world.mail_in(letter("開示してください。", sender="p9@example.jp"), dmarc="NONE")
    world.work()
    assert len(world.ses.to("p9@example.jp")) == 1


def test_one_automatic_answer_a_day(hanako: World) -> None:
    hanako.mail_in(letter("会場はどこですか。"))
    second = hanako.mail_in(letter("個人情報を削除してください。"))
    hanako.work()
    assert len(hanako.ses.to(HANAKO)) == 1
    case = hanako.cases.get(second.case_id)
    assert (case.state, case.task) == (CaseState.RECEIVED, Task.NONE)
    assert case.steps[-1].details == {"code": "answer_limit"}
    third = hanako.mail_in(letter(STOP))
    hanako.work()
    assert (third.outcome, len(hanako.ses.to(HANAKO))) == ("unsubscribed", 1)
    hanako.clock.advance(days=1)
    hanako.mail_in(letter("開示してください。"))
    hanako.work()
    assert len(hanako.ses.to(HANAKO)) == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: hello\r\nMessage-ID: <a@b>\r\n\r\nWhere is the seminar?\r\n",
        b"From: a@example.jp\r\nFrom: b@example.jp\r\nMessage-ID: <c@d>\r\n\r\nDelete my data\r\n",
        b"From: a@example.jp, b@example.jp\r\nMessage-ID: <e@f>\r\n\r\nstop\r\n",
    ],
)
def test_without_one_sender_staff_read_it_and_nobody_is_answered(world: World, raw: bytes) -> None:
    line = world.mail_in(raw)
    case = world.cases.get(line.case_id)
    assert (line.outcome, case.kind, case.contact_id) == ("case", CaseKind.INQUIRY, NOBODY)
    assert (case.holds, case.task, case.reply_to) == (False, Task.NONE, "")
    world.work()
    assert world.ses.mails == []
    assert world.table("contacts") == []


# --- what is no person's


@pytest.mark.parametrize(
    ("how", "code"),
    [({"virus": "FAIL"}, "virus"), ({"spam": "FAIL"}, "spam")],
)
def test_filtered_mail_does_nothing_and_is_listed(
    hanako: World, how: dict[str, str], code: str
) -> None:
    line = hanako.mail_in(letter("個人情報を削除してください。"), **how)
    assert (line.outcome, line.reason) == ("filtered", code)
    assert reason(hanako) == "eligible"
    assert hanako.case_queue.messages == []
    assert [each.mail_id for each in hanako.received.filtered(limit=9).lines] == [line.mail_id]
    assert len(hanako.objects()) == 1


def report(
    world: World, action: str, status: str, *, email: str = HANAKO, token: str | None = None
) -> bytes:
    """A delivery report (RFC 3464) with our message's headers in it."""
    link = world.token(id_of(email), CAMPAIGN) if token is None else token
    return (
        (
            "From: MAILER-DAEMON@mx.example.jp\r\nTo: reply@mail.example.jp\r\n"
            "Subject: Undelivered Mail\r\nMessage-ID: <r{0}@mx.example.jp>\r\n"
            "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
            "--b\r\nContent-Type: text/plain\r\n\r\nfailed\r\n"
            "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
            "Reporting-MTA: dns; mx.example.jp\r\n\r\n"
            f"Final-Recipient: rfc822; {email}\r\nAction: {action}\r\nStatus: {status}\r\n"
            "Diagnostic-Code: smtp; 550 User unknown\r\n\r\n"
            "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
            f"List-Unsubscribe: <https://optin.example.jp/u/{link}>\r\n"
            "Subject: x\r\n\r\n--b--\r\n"
        )
        .replace("{0}", str(world.requests))
        .encode()
    )


def test_a_delivery_report_with_our_token_is_feedback(hanako: World) -> None:
    line = hanako.mail_in(report(hanako, "failed", "5.1.1"), recipients=REPLY, sender="")
    assert line.outcome == "feedback"
    assert reason(hanako) == "bounced"
    [bounce] = by_mail(hanako)
    assert (bounce.details["reason"], bounce.details["campaign_id"]) == ("permanent", CAMPAIGN)


def test_a_carriers_report_may_mean_a_filter(world: World) -> None:
    """law-and-mail E5: the rule is the one for SES's own notices."""
    email = "hanako@docomo.ne.jp"
    world.confirmed(email)
    raw = report(world, "failed", "5.1.1", email=email)
    world.mail_in(raw, recipients=REPLY, sender="")
    [bounce] = by_mail(world, email)
    assert bounce.details["reason"] == "unknown_or_filtered"


def test_a_report_that_proves_nothing_does_nothing(hanako: World) -> None:
    raw = report(hanako, "failed", "5.1.1", token="x" * 54)
    line = hanako.mail_in(raw, recipients=REPLY, sender="")
    assert (line.outcome, line.reason) == ("filtered", "unproven_report")
    assert reason(hanako) == "eligible"


def test_three_soft_bounces_by_mail_hold(hanako: World) -> None:
    for _ in range(3):
        assert reason(hanako) == "eligible"
        hanako.clock.advance(hours=20)
        hanako.mail_in(report(hanako, "failed", "4.2.2"), recipients=REPLY, sender="")
    assert reason(hanako) == "held"
    assert in_step(hanako)


def test_a_complaint_by_mail_stops(hanako: World) -> None:
    token = hanako.token(id_of(HANAKO), CAMPAIGN)
    raw = (
        "From: fbl@isp.example.jp\r\nTo: reply@mail.example.jp\r\nMessage-ID: <fbl1@isp>\r\n"
        "Subject: complaint\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nabuse report\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        "Feedback-Type: abuse\r\nUser-Agent: x/1\r\nVersion: 1\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"List-Unsubscribe: <https://optin.example.jp/u/{token}>\r\nSubject: x\r\n\r\nbody\r\n"
        "--b--\r\n"
    )
    line = hanako.mail_in(raw.encode(), recipients=REPLY)
    assert line.outcome == "feedback"
    assert reason(hanako) == "complained"


# --- twice, and what goes wrong


def test_the_same_notification_again_does_nothing(hanako: World) -> None:
    event = hanako.mail_event(letter("個人情報を削除してください。"))
    mail_intake.handler(event, LambdaContext(), hanako.mail_intake())
    before, jobs = hanako.tables(), len(hanako.case_queue.messages)
    mail_intake.handler(event, LambdaContext(), hanako.mail_intake())
    assert hanako.tables() == before
    assert len(hanako.case_queue.messages) == jobs


def test_one_mail_in_two_objects_is_one_mail(hanako: World) -> None:
    """Delivered to two of our mailboxes, or given to SES twice by a server that lost an answer."""
    raw = letter(STOP)
    first = hanako.mail_in(raw, recipients=REPLY)
    hanako.clock.advance(minutes=5)
    second = hanako.mail_in(raw)
    assert second.mail_id == first.mail_id
    assert (second.outcome, second.received_at) == (first.outcome, first.received_at)
    assert len(second.object_keys) == 2
    assert len(by_mail(hanako)) == 1
    hanako.work()
    assert len(hanako.ses.mails) == 1


def test_two_at_once_are_one_mail_too(hanako: World) -> None:
    raw = letter("個人情報を削除してください。")
    other = hanako.mail_event(raw)

    def meanwhile() -> None:
        mail_intake.handler(other, LambdaContext(), hanako.mail_intake())

    event = hanako.mail_event(raw)
    deps = hanako.mail_intake(Meanwhile("transact_write_items", meanwhile).wrap)
    answer = mail_intake.handler(event, LambdaContext(), deps)
    assert answer == {"batchItemFailures": []}
    [case] = hanako.cases.of_contact(id_of(HANAKO))
    assert len(hanako.cases.mails(case.case_id)) == 1
    assert len(by_mail(hanako)) == 1
    hanako.work()
    assert len(hanako.ses.mails) == 1


def fails(world: World, event: dict[str, Any]) -> bool:
    answer = mail_intake.handler(event, LambdaContext(), world.mail_intake())
    return bool(answer["batchItemFailures"])


def test_an_object_that_is_not_there_is_not_passed_over(hanako: World) -> None:
    event = hanako.mail_event(letter(STOP), key="a")
    hanako.s3.delete_object(Bucket=INBOUND, Key="a")
    assert fails(hanako, event)
    assert hanako.table("received") == []


def test_an_object_that_was_erased_may_be_missing(hanako: World) -> None:
    event = hanako.mail_event(letter("会場はどこですか。"), key="a")
    assert not fails(hanako, event)
    [line] = hanako.received.of_contact(id_of(HANAKO))
    hanako.s3.delete_object(Bucket=INBOUND, Key="a")
    hanako.received.erase([line])
    assert not fails(hanako, event)
    # The same mail once more, in an object of its own: that is erased too.
    again = hanako.mail_event(letter("会場はどこですか。"), key="b")
    assert not fails(hanako, again)
    assert hanako.objects() == {}
    assert not fails(hanako, again)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        '{"Message": "x"}',
        '{"Message": "{}"}',
        '{"Message": "[]"}',
        json.dumps({"Message": json.dumps({"mail": {}, "receipt": {"action": None}})}),
    ],
)
def test_what_is_no_notification_goes_to_the_failures(hanako: World, body: str) -> None:
    event = hanako.mail_event(letter(STOP))
    event["Records"][0]["body"] = body
    assert fails(hanako, event)
    with pytest.raises(BadRequest):
        mail_intake.receipt_of(body)


def test_one_bad_message_harms_no_other(hanako: World) -> None:
    good, bad = hanako.mail_event(letter(STOP)), hanako.mail_event(letter("x"))
    bad["Records"][0]["body"] = "?"
    good["Records"] += bad["Records"]
    answer = mail_intake.handler(good, LambdaContext(), hanako.mail_intake())
    [failure] = answer["batchItemFailures"]
    assert failure["itemIdentifier"] == bad["Records"][0]["messageId"]
    assert reason(hanako) == "unsubscribed"


def test_verdicts_that_say_nothing(hanako: World) -> None:
    event = hanako.mail_event(letter(STOP), dmarc="PROCESSING_FAILED")
    receipt = mail_intake.receipt_of(event["Records"][0]["body"])
    assert (receipt.verdicts.dmarc, receipt.verdicts.spam) == (Verdict.NONE, Verdict.PASS)


def test_a_huge_mail_is_read_from_its_beginning(hanako: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(mail_intake, "_MOST_BYTES", 20_000)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = HANAKO, "optin@mail.example.jp", "削除"
    mail["Message-ID"] = "<huge@example.jp>"
    mail.set_content("個人情報を削除してください。")
    mail.add_attachment(b"x" * 100_000, maintype="image", subtype="png", filename="a.png")
    line = hanako.mail_in(bytes(mail))
    assert hanako.cases.get(line.case_id).kind is CaseKind.ERASURE
    [kept] = hanako.cases.mails(line.case_id)
    assert kept.unread
    assert len(hanako.objects()[next(iter(line.object_keys))]) > 100_000


def test_nothing_personal_is_logged(hanako: World, logged: Callable[[], str]) -> None:
    hanako.mail_in(letter("山田花子です。個人情報を削除してください。", subject="山田の件"))
    hanako.mail_in(letter("山田です。" + STOP, sender="山田花子 <hanako.yamada@example.jp>"))
    hanako.mail_in(report(hanako, "failed", "5.1.1"), recipients=REPLY, sender="")
    hanako.work()
    written = logged()
    assert "taken in" in written
    assert "Mail_case" in written
    assert not any(secret in written.lower() for secret in (HANAKO, "yamada", "山田"))
