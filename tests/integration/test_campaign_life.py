"""Life of a campaign through the staff API: two people, one sending, and schedules that hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions import unsubscribe
from functions.staff_api import app as staff_api
from shared.adapters.campaigns import CampaignStore
from shared.adapters.contacts import SHARDS
from shared.adapters.jobs import Job
from shared.adapters.mailer import Identities
from shared.domain import lifecycle
from shared.domain.campaigns import Campaign, CampaignStatus, PauseReason
from shared.domain.events import EventKind, Source
from shared.domain.links import NOBODY
from tests.integration.fakes import Died, Faults, Meanwhile, Mode, client_error, read
from tests.integration.test_staff_api import check_problem
from tests.integration.world import (
    FAILURES_ARN,
    QUEUE_ARN,
    STARTS_ROLE_ARN,
    Answer,
    LambdaContext,
    World,
)

TESTER = "tester@mail.example.jp"
S = CampaignStatus


def act(world: World, campaign: str, action: str, body: Any = None, **more: Any) -> Answer:
    return world.ask_staff("POST", f"/campaigns/{campaign}/{action}", body, **more)


def done(world: World, campaign: str, action: str, body: Any = None, **more: Any) -> Any:
    answer = act(world, campaign, action, body, **more)
    assert answer.status == 200, answer.text
    return answer.json


def refused(answer: Answer, status: int, code: str) -> None:
    check_problem(answer, status)
    assert answer.json["code"] == code


def interrupted(world: World, event: dict[str, Any], wrap: Callable[[Any], Any]) -> Answer:
    deps = world.staff_api(wrap)
    return Answer.of(staff_api.handler(event, LambdaContext(), deps))  # type: ignore[arg-type]


def later(world: World, **by: float) -> str:
    return (world.clock.now() + timedelta(**by)).replace(microsecond=0).isoformat()


def status(world: World, campaign: str) -> CampaignStatus:
    return world.campaigns.get(campaign).status


def starts(world: World, schedule: dict[str, Any]) -> bool:
    """Whether the campaign is begun when this schedule's time comes, as the sender asks."""
    job = Job.parse(schedule["Target"]["Input"])
    zone = {"Asia/Tokyo": timedelta(hours=9)}[schedule["ScheduleExpressionTimezone"]]
    wall = datetime.fromisoformat(schedule["ScheduleExpression"][3:-1])
    arrives = wall.replace(tzinfo=UTC) - zone
    return lifecycle.is_due(world.campaigns.get(job.campaign_id), now=arrives)


# --- writing


CONTENT: dict[str, Any] = {
    "subject": "秋のご案内",
    "body": "# 秋\n\n相談会を開きます。",
    "text": "相談会を開きます。",
    "audience": {
        "sources": ["web_form", "municipal_lp"],
        "form_ids": ["seminar"],
        "municipalities": ["さくら市"],
        "registered_from": "2026-04-01T00:00:00+09:00",
        "registered_until": "2026-10-01T00:00:00+09:00",
        "received": "",
        "not_received": "",
    },
}


def test_everything_written_is_shown_again(world: World) -> None:
    campaign = world.written(**CONTENT)
    shown = world.ask_staff("GET", f"/campaigns/{campaign}").json
    assert {name: shown[name] for name in ("subject", "body", "text")} == {
        name: CONTENT[name] for name in ("subject", "body", "text")
    }
    audience = shown["audience"]
    assert set(audience.pop("sources")) == {"web_form", "municipal_lp"}
    assert datetime.fromisoformat(audience.pop("registered_from")) == datetime(
        2026, 3, 31, 15, tzinfo=UTC
    )
    assert audience.pop("registered_until")
    assert audience == {
        "form_ids": ["seminar"],
        "municipalities": ["さくら市"],
        "received": "",
        "not_received": "",
    }
    assert (shown["status"], shown["tested"], shown["approved_by"]) == ("draft", False, "")


@pytest.mark.parametrize("name", ["received", "not_received"])
def test_an_audience_names_campaigns_that_exist(world: World, name: str) -> None:
    earlier = world.written()
    known = {**CONTENT, "audience": {name: earlier}}
    assert world.ask_staff("POST", "/campaigns", known).status == 200
    unknown = {**CONTENT, "audience": {name: "0" * 12}}
    for method, path in (("POST", "/campaigns"), ("PUT", f"/campaigns/{earlier}")):
        check_problem(world.ask_staff(method, path, unknown), 422, {f"audience.{name}"})


def test_an_edit_withdraws_approval_and_deletes_the_schedule(world: World) -> None:
    campaign = world.approved(world.written())
    done(world, campaign, "schedule", {"at": later(world, hours=2)})
    [stale] = world.schedules()
    edited = world.ask_staff("PUT", f"/campaigns/{campaign}", CONTENT, team="GS").json
    assert (edited["status"], edited["approved_by"], edited["scheduled_for"]) == ("draft", "", None)
    assert (edited["edited_by"], edited["tested"]) == ("gs-someone", False)
    assert edited["subject"] == CONTENT["subject"]
    assert not world.schedules()
    assert not starts(world, stale)
    refused(act(world, campaign, "send"), 409, "cannot_send")
    # Who edited is an author from now on: of both teams somebody else has to approve.
    done(world, campaign, "test", {"to": TESTER})
    for team in ("CS", "GS"):
        refused(act(world, campaign, "approve", team=team), 403, "author_cannot_approve")


def test_an_edit_of_what_somebody_else_changed_is_refused(world: World) -> None:
    campaign = world.written()
    seen = world.ask_staff("GET", f"/campaigns/{campaign}").json["version"]
    path = f"/campaigns/{campaign}"
    first = world.ask_staff("PUT", path, {"subject": "一", "body": "本文", "version": seen})
    assert first.json["version"] == seen + 1
    second = world.ask_staff("PUT", path, {"subject": "二", "body": "本文", "version": seen})
    refused(second, 409, "changed_meanwhile")
    assert world.campaigns.get(campaign).subject == "一"


def test_an_edit_needs_content_that_can_be_sent(world: World) -> None:
    campaign = world.written()
    for wrong in ({"subject": ""}, {"body": " "}, {"text": "a\0"}):
        answer = world.ask_staff("PUT", f"/campaigns/{campaign}", {**CONTENT, **wrong})
        check_problem(answer, 422, set(wrong))


def test_nothing_is_edited_once_it_is_sent(world: World) -> None:
    campaign = world.approved(world.written())
    done(world, campaign, "send")
    before = world.campaigns.get(campaign)
    refused(world.ask_staff("PUT", f"/campaigns/{campaign}", CONTENT), 409, "cannot_edit")
    assert world.campaigns.get(campaign) == before


# --- test mails


def test_a_test_mail_is_the_campaign_but_for_its_subject_and_its_links(world: World) -> None:
    campaign = world.written(**CONTENT)
    assert done(world, campaign, "test", {"to": f" {TESTER}"})["tested"] is True
    [mail] = world.ses.mails
    assert mail.recipients == (TESTER,)
    assert dict(mail.tags) == {"test": campaign}
    message = read(mail)
    assert message["Subject"] == "【テスト】秋のご案内"
    text = message.get_body(("plain",))
    assert text is not None
    assert "相談会を開きます。" in text.get_content()
    assert world.token(NOBODY, campaign) in message["List-Unsubscribe"]
    assert not world.table("ledger")
    assert not world.table("contacts")


@pytest.mark.parametrize(
    ("name", "body"), [("get", None), ("post", "List-Unsubscribe=One-Click"), ("undo", "opt_in=on")]
)
def test_the_links_of_a_test_touch_nobody(world: World, name: str, body: str | None) -> None:
    event = world.unsubscribe_event(name, NOBODY)
    event["headers"]["accept"] = "application/json"
    answer = Answer.of(unsubscribe.handler(event, LambdaContext(), world.unsubscribe()))
    refused(answer, 404, "test_mail")
    assert not world.table("contacts")
    assert not world.table("events")


@pytest.mark.parametrize(
    "to",
    ["hanako@example.jp", "a@sub.mail.example.jp", "a@mail.example.jp.evil.example", "", "tester",
     "a@mail.example.jp, b@example.jp", "a@mail.example.jp\nBcc: b@example.jp"],
)  # fmt: skip
def test_tests_go_to_ourselves_only(world: World, to: str) -> None:
    campaign = world.written()
    check_problem(act(world, campaign, "test", {"to": to}), 422, {"to"})
    assert not world.ses.mails
    assert world.campaigns.get(campaign).tested_hash == ""


def test_a_colleague_who_said_stop_gets_no_test_either(world: World) -> None:
    campaign = world.written()
    world.confirmed(TESTER)
    done(world, campaign, "test", {"to": TESTER})
    world.happened(TESTER, EventKind.UNSUBSCRIBED, source=Source.LINK)
    refused(act(world, campaign, "test", {"to": TESTER}), 409, "tester_not_eligible")
    assert len(world.ses.mails) == 1


def test_only_a_test_that_ses_took_counts(world: World) -> None:
    campaign = world.written()
    world.ses.rejects = {TESTER}
    refused(act(world, campaign, "test", {"to": TESTER}), 409, "test_refused")
    world.ses.rejects = set()
    for trouble in (world.ses.throttles, world.ses.breaks, world.ses.loses):
        trouble[TESTER] = 1
        check_problem(act(world, campaign, "test", {"to": TESTER}), 503)
        trouble[TESTER] = 0
    refused(act(world, campaign, "approve", team="GS"), 409, "not_tested")
    done(world, campaign, "test", {"to": TESTER})
    done(world, campaign, "approve", team="GS")


def test_an_edit_during_the_test_is_not_taken_for_tested(world: World) -> None:
    campaign = world.written()
    event = world.staff("POST", f"/campaigns/{campaign}/test", {"to": TESTER})

    def edit() -> None:
        assert world.ask_staff("PUT", f"/campaigns/{campaign}", CONTENT).status == 200

    answer = interrupted(world, event, Meanwhile("send_email", edit).wrap)
    refused(answer, 409, "changed_meanwhile")
    assert world.ask_staff("GET", f"/campaigns/{campaign}").json["tested"] is False


# --- the linter


BAD = {"subject": "件名", "body": "[こちら](http://example.jp/)"}
UNKNOWN_VARIABLE = {"subject": "件名", "body": "{{nmae|様}}"}


@pytest.mark.parametrize(
    ("content", "rule"), [(BAD, "link-insecure"), (UNKNOWN_VARIABLE, "variable-unknown")]
)
def test_what_is_wrong_is_shown_and_blocks(
    world: World, content: dict[str, str], rule: str
) -> None:
    campaign = world.written(**content)
    shown = world.ask_staff("GET", f"/campaigns/{campaign}/lint", team="IT").json
    assert shown["blocks"] is True
    first = shown["findings"][0]
    assert (first["rule"], first["severity"], first["field"]) == (rule, "error", "body")
    assert first["sentence_ja"]
    assert first["sentence_en"]
    held = world.campaigns.get(campaign)
    world.campaigns.save(held, lifecycle.tested(held))
    answer = act(world, campaign, "approve", team="GS")
    check_problem(answer, 422, {"body"})
    [error] = answer.json["errors"]
    assert error["code"] == rule
    assert status(world, campaign) is S.DRAFT


def test_approved_content_is_looked_at_again_before_it_is_sent(world: World) -> None:
    """Settings and rules may have changed since the approval."""
    campaign = world.written(**BAD)
    held = world.campaigns.get(campaign)
    tested = world.campaigns.save(held, lifecycle.tested(held))
    world.campaigns.save(
        tested,
        lifecycle.approved(
            tested, actor="gs-someone", now=world.clock.now(), author_may_approve=False
        ),
    )
    check_problem(act(world, campaign, "send"), 422, {"body"})
    check_problem(act(world, campaign, "schedule", {"at": later(world, days=1)}), 422, {"body"})
    assert status(world, campaign) is S.APPROVED
    assert not world.schedules()
    assert not world.queue.messages


def test_warnings_do_not_block(world: World) -> None:
    campaign = world.written(subject="長い件名" * 11)
    shown = world.ask_staff("GET", f"/campaigns/{campaign}/lint").json
    assert shown["blocks"] is False
    assert [finding["rule"] for finding in shown["findings"]] == ["subject-long"]
    assert status(world, world.approved(campaign)) is S.APPROVED


def gates(world: World) -> dict[str, Callable[[], Answer]]:
    """What an unverified sender has to stop, each on a campaign that is ready for it."""
    tested, approved = world.written(), world.approved(world.written())
    done(world, tested, "test", {"to": TESTER})
    return {
        "approve": lambda: act(world, tested, "approve", team="GS"),
        "schedule": lambda: act(world, approved, "schedule", {"at": later(world, days=1)}),
        "send": lambda: act(world, approved, "send"),
    }


@pytest.mark.parametrize("error", ["", "NotFoundException"])
@pytest.mark.parametrize("gate", ["approve", "schedule", "send"])
def test_an_unverified_sender_blocks(world: World, gate: str, error: str) -> None:
    """Also a domain that SES has never heard of."""
    go = gates(world)[gate]
    world.ses.verified, world.ses.silent = False, error
    answer = go()
    check_problem(answer, 422, {"sender"})
    [problem] = answer.json["errors"]
    assert problem["code"] == "sender-unverified"
    assert problem["detail"] == ("差出人のドメインが SES で認証されていません: mail.example.jp")
    assert not world.queue.messages
    assert not world.schedules()
    world.ses.verified, world.ses.silent = True, ""
    assert go().status == 200


@pytest.mark.parametrize("error", ["AccessDeniedException", "TooManyRequestsException"])
@pytest.mark.parametrize("gate", ["approve", "schedule", "send"])
def test_a_sender_that_cannot_be_checked_blocks(world: World, gate: str, error: str) -> None:
    go = gates(world)[gate]
    world.ses.silent = error
    check_problem(go(), 503)
    assert not world.queue.messages
    assert not world.schedules()
    world.ses.silent = ""
    assert go().status == 200


def test_who_writes_sees_the_checks_though_the_sender_cannot_be_checked(world: World) -> None:
    campaign = world.written(**BAD)
    world.ses.silent = "TooManyRequestsException"
    shown = world.ask_staff("GET", f"/campaigns/{campaign}/lint").json
    assert shown["blocks"] is True
    assert [finding["rule"] for finding in shown["findings"]] == [
        "link-insecure",
        "sender-unchecked",
    ]
    world.ses.silent, world.ses.verified = "", False
    shown = world.ask_staff("GET", f"/campaigns/{campaign}/lint").json
    assert {finding["rule"] for finding in shown["findings"]} == {
        "link-insecure",
        "sender-unverified",
    }


def test_that_a_sender_is_verified_is_remembered_some_minutes_and_that_it_is_not_never(
    world: World,
) -> None:
    faults = Faults()
    identities = Identities(faults.wrap(world.ses), clock=lambda: world.clock.now().timestamp())
    world.ses.verified = False
    assert not identities.verified("mail.example.jp")
    world.ses.verified = True
    assert identities.verified("mail.example.jp")
    world.ses.verified = False
    world.clock.advance(minutes=4)
    assert identities.verified("mail.example.jp")
    assert faults.calls == ["get_email_identity"] * 2
    assert not identities.verified("example.jp")
    world.clock.advance(minutes=1)
    assert not identities.verified("mail.example.jp")


# --- approving


def test_the_author_may_approve_where_the_setting_says_so(world: World) -> None:
    campaign = world.written()
    done(world, campaign, "test", {"to": TESTER})
    refused(act(world, campaign, "approve"), 403, "author_cannot_approve")
    world.settings["author_may_approve"] = True
    assert done(world, campaign, "approve")["approved_by"] == "cs-someone"


def test_of_two_who_approve_at_once_one_is_told(world: World) -> None:
    campaign = world.written()
    done(world, campaign, "test", {"to": TESTER})
    event = world.staff("POST", f"/campaigns/{campaign}/approve", team="GS")
    claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
    claims["username"] = "gs-another"
    first = Meanwhile("update_item", lambda: done(world, campaign, "approve", team="GS"))
    refused(interrupted(world, event, first.wrap), 409, "changed_meanwhile")
    assert world.campaigns.get(campaign).approved_by == "gs-someone"
    # Once more, after having looked: it is approved already.
    refused(interrupted(world, event, lambda client: client), 409, "cannot_approve")
    # The first one's retry is the same approval.
    assert done(world, campaign, "approve", team="GS")["approved_by"] == "gs-someone"


def test_one_approves_what_one_has_seen(world: World) -> None:
    campaign = world.written()
    seen = done(world, campaign, "test", {"to": TESTER})["version"]
    world.ask_staff("PUT", f"/campaigns/{campaign}", CONTENT)
    now = done(world, campaign, "test", {"to": TESTER})["version"]
    old = act(world, campaign, "approve", {"version": seen}, team="GS")
    refused(old, 409, "changed_meanwhile")
    assert done(world, campaign, "approve", {"version": now}, team="GS")["status"] == "approved"


# --- schedules


def test_a_schedule_is_one_message_to_the_queue_on_japans_clock(world: World) -> None:
    campaign = world.approved(world.written())
    answer = done(world, campaign, "schedule", {"at": "2026-12-01T10:00"})
    assert answer["status"] == "scheduled"
    assert datetime.fromisoformat(answer["scheduled_for"]) == datetime(2026, 12, 1, 1, tzinfo=UTC)
    [schedule] = world.schedules()
    assert schedule["Name"].startswith(f"optin-{campaign}-")
    assert len(schedule["Name"]) <= 64
    assert schedule["GroupName"] == "default"
    assert schedule["ScheduleExpression"] == "at(2026-12-01T10:00:00)"
    assert schedule["ScheduleExpressionTimezone"] == "Asia/Tokyo"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["ActionAfterCompletion"] == "DELETE"
    target = schedule["Target"]
    assert (target["Arn"], target["RoleArn"]) == (QUEUE_ARN, STARTS_ROLE_ARN)
    assert target["DeadLetterConfig"] == {"Arn": FAILURES_ARN}
    assert Job.parse(target["Input"]) == Job(campaign, "")
    assert starts(world, schedule)


@pytest.mark.parametrize(
    ("at", "moment"),
    [
        ("2026-12-01T10:00:30.5", "2026-12-01T10:00:30"),
        ("2026-12-01T01:00:00Z", "2026-12-01T10:00:00"),
        ("2026-11-30T20:00:00-05:00", "2026-12-01T10:00:00"),
        ("2026-12-01 10:00", "2026-12-01T10:00:00"),
    ],
)
def test_moments_may_be_written_in_any_zone(world: World, at: str, moment: str) -> None:
    campaign = world.approved(world.written())
    done(world, campaign, "schedule", {"at": at})
    assert [each["ScheduleExpression"] for each in world.schedules()] == [f"at({moment})"]


@pytest.mark.parametrize(
    "at",
    ["2026-11-24T09:39", "2020-01-01T00:00", "0001-01-01T00:00:00", "9999-12-31T23:59:59-12:00",
     "2027-11-25T00:00", "2026-12-01", "tomorrow", "", 1795479000, "1795479000.0", None, "+02:00"],
)  # fmt: skip
def test_a_schedule_in_the_past_or_no_moment_at_all(world: World, at: object) -> None:
    campaign = world.approved(world.written())
    check_problem(act(world, campaign, "schedule", {"at": at}), 422, {"at"})
    assert status(world, campaign) is S.APPROVED
    assert not world.schedules()


def test_only_what_is_approved_can_be_scheduled(world: World) -> None:
    campaign = world.written()
    answer = act(world, campaign, "schedule", {"at": later(world, days=1)})
    refused(answer, 409, "cannot_schedule")
    assert not world.schedules()


def test_scheduling_again_is_harmless_and_heals(world: World) -> None:
    campaign = world.approved(world.written())
    at = {"at": later(world, days=1)}
    first = done(world, campaign, "schedule", at)
    [schedule] = world.schedules()
    world.scheduler.delete_schedule(Name=schedule["Name"])
    assert done(world, campaign, "schedule", at) == first
    assert done(world, campaign, "schedule", at) == first
    assert [each["Name"] for each in world.schedules()] == [schedule["Name"]]


def test_moved_taken_back_and_set_again(world: World) -> None:
    campaign = world.approved(world.written())
    done(world, campaign, "schedule", {"at": later(world, days=1)})
    [old] = world.schedules()
    done(world, campaign, "schedule", {"at": later(world, days=2)})
    [new] = world.schedules()
    assert (starts(world, old), starts(world, new)) == (False, True)
    for _ in range(2):
        assert done(world, campaign, "unschedule")["status"] == "approved"
    assert not world.schedules()
    assert not starts(world, new)
    done(world, campaign, "schedule", {"at": later(world, days=2)})
    [again] = world.schedules()
    assert starts(world, again)


@pytest.mark.parametrize("action", ["send", "cancel"])
def test_what_needs_no_schedule_any_more_has_none(world: World, action: str) -> None:
    campaign = world.approved(world.written())
    done(world, campaign, "schedule", {"at": later(world, days=1)})
    [stale] = world.schedules()
    for _ in range(2):
        done(world, campaign, action)
    assert not world.schedules()
    assert not starts(world, stale)


def test_of_two_who_schedule_at_once_the_winners_moment_counts(world: World) -> None:
    for first, second in ((1, 2), (2, 1)):
        campaign = world.approved(world.written())
        slow = {"at": later(world, days=first)}
        event = world.staff("POST", f"/campaigns/{campaign}/schedule", slow)
        quick = {"at": later(world, days=second)}
        meanwhile = Meanwhile(
            "update_item",
            lambda campaign=campaign, quick=quick: done(world, campaign, "schedule", quick),  # type: ignore[misc]
        )
        refused(interrupted(world, event, meanwhile.wrap), 409, "changed_meanwhile")
        effective = [each for each in world.schedules() if campaign in each["Name"]]
        moment = world.campaigns.get(campaign).scheduled_for
        assert moment is not None
        at_moment = [each for each in effective if starts(world, each)]
        wall = (moment + timedelta(hours=9)).replace(tzinfo=None).isoformat()
        assert f"at({wall})" in [each["ScheduleExpression"] for each in at_moment]


def test_a_start_that_comes_before_the_campaign_is_saved_is_not_lost(world: World) -> None:
    campaign = world.approved(world.written())
    event = world.staff("POST", f"/campaigns/{campaign}/schedule", {"at": later(world, seconds=1)})

    def too_early() -> None:
        [schedule] = world.schedules()
        assert not starts(world, schedule)

    answer = interrupted(world, event, Meanwhile("update_item", too_early).wrap)
    assert answer.json["status"] == S.SCHEDULED
    message = world.queue.receive()
    assert message is not None
    assert Job.parse(message.body) == Job(campaign, "")
    assert lifecycle.is_due(world.campaigns.get(campaign), now=world.clock.now())


MODES = sorted(set(Mode) - {Mode.CONFLICT})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("action", ["schedule", "reschedule", "unschedule", "edit", "cancel"])
def test_no_fault_leaves_a_start_that_is_not_meant_or_loses_one_that_is(
    world: World, action: str, mode: Mode, cases: Callable[[str, int], None]
) -> None:
    """Every call of every action fails in every way; then what arrives starts only what waits."""
    number = 0
    while True:
        campaign = world.approved(world.written())
        if action != "schedule":
            done(world, campaign, "schedule", {"at": later(world, days=1)})
        held = [each for each in world.schedules() if campaign in each["Name"]]
        method, path, body = {
            "schedule": ("POST", "/schedule", {"at": later(world, days=2)}),
            "reschedule": ("POST", "/schedule", {"at": later(world, days=2)}),
            "unschedule": ("POST", "/unschedule", None),
            "edit": ("PUT", "", CONTENT),
            "cancel": ("POST", "/cancel", None),
        }[action]
        event = world.staff(method, f"/campaigns/{campaign}{path}", body)
        faults = Faults({number: mode})
        with suppress(Died):
            interrupted(world, event, faults.wrap)
        now = world.campaigns.get(campaign)
        left = [each for each in world.schedules() if campaign in each["Name"]]
        due = [each for each in [*held, *left] if starts(world, each)]
        if now.status is S.SCHEDULED:
            assert [each for each in left if starts(world, each)], faults.calls
        else:
            assert not due
        # The same request again finishes what was begun.
        event = world.staff(method, f"/campaigns/{campaign}{path}", body)
        assert interrupted(world, event, lambda client: client).status == 200
        if not faults.struck:
            assert number >= 2
            break
        number += 1
    cases(f"{action} of a campaign, {mode}", number)


def test_a_schedule_that_cannot_be_taken_away_is_logged_and_starts_nothing(
    world: World, logged: Callable[[], str]
) -> None:
    campaign = world.approved(world.written())
    done(world, campaign, "schedule", {"at": later(world, days=1)})

    class Broken:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.scheduler, name)

        def delete_schedule(self, **_request: Any) -> None:
            raise client_error("InternalServerException", 500)

    event = world.staff("POST", f"/campaigns/{campaign}/cancel")
    wrap: Callable[[Any], Any] = lambda c: Broken() if c is world.scheduler else c  # noqa: E731
    assert interrupted(world, event, wrap).status == 200
    assert "schedule left over" in logged()
    [stale] = world.schedules()
    assert not starts(world, stale)


# --- sending


def test_an_unapproved_campaign_is_not_sent(world: World) -> None:
    campaign = world.written()
    refused(act(world, campaign, "send"), 409, "cannot_send")
    assert not world.queue.messages


def test_pause_resume_and_the_shards_that_are_left(world: World) -> None:
    campaign = world.approved(world.written())
    done(world, campaign, "send")
    for _ in range(2):
        paused = done(world, campaign, "pause")
        assert (paused["status"], paused["pause_reason"]) == ("paused", PauseReason.STAFF)
    for shard in SHARDS[2:]:
        world.campaigns.close_shard(campaign, shard)
    refused(act(world, campaign, "send"), 409, "cannot_send")
    for _ in range(2):
        world.queue.messages.clear()
        resumed = done(world, campaign, "resume")
        assert (resumed["status"], resumed["pause_reason"]) == ("sending", None)
        jobs = [Job.parse(message.body) for message in world.queue.messages]
        assert jobs == [Job(campaign, shard) for shard in SHARDS[:2]]


def test_resuming_what_has_nothing_left_to_send_ends_it(world: World) -> None:
    """The last shard was closed by a sender that died before saying that the campaign is done."""
    campaign = world.approved(world.written())
    done(world, campaign, "send")
    for shard in SHARDS[1:]:
        world.campaigns.close_shard(campaign, shard)
    dying = CampaignStore(Faults({1: Mode.DIES_BEFORE}).wrap(world.dynamodb), "campaigns")
    with pytest.raises(Died):
        dying.close_shard(campaign, SHARDS[0])
    done(world, campaign, "pause")
    world.queue.messages.clear()
    done(world, campaign, "resume")
    assert not world.queue.messages
    assert status(world, campaign) is S.DONE


def test_cancelled_is_for_good(world: World) -> None:
    campaign = world.approved(world.written())
    done(world, campaign, "send")
    for _ in range(2):
        assert done(world, campaign, "cancel")["status"] == "cancelled"
    for action in ("send", "resume", "approve"):
        refused(act(world, campaign, action, team="GS"), 409, "already_sent")
    refused(act(world, campaign, "pause"), 409, "cannot_pause")


def test_done_is_not_cancelled(world: World) -> None:
    campaign = world.approved(world.written())
    done(world, campaign, "send")
    for shard in SHARDS:
        world.campaigns.close_shard(campaign, shard)
    refused(act(world, campaign, "cancel"), 409, "cannot_cancel")


# --- clones


def test_a_clone_is_a_draft_of_whoever_made_it(world: World) -> None:
    campaign = world.approved(world.written(**CONTENT))
    done(world, campaign, "send")
    clone = done(world, campaign, "clone", team="GS")
    assert clone["campaign_id"] != campaign
    assert (clone["status"], clone["created_by"], clone["cloned_from"]) == (
        "draft",
        "gs-someone",
        campaign,
    )
    original = world.ask_staff("GET", f"/campaigns/{campaign}").json
    for name in ("subject", "body", "text", "audience"):
        assert clone[name] == original[name]
    assert (clone["tested"], clone["approved_by"], clone["started_at"]) == (False, "", None)
    refused(act(world, clone["campaign_id"], "send"), 409, "cannot_send")


def test_the_same_request_makes_one_clone(world: World) -> None:
    campaign = world.written()
    event = world.staff("POST", f"/campaigns/{campaign}/clone")
    answers = [interrupted(world, json.loads(json.dumps(event)), lambda c: c) for _ in range(2)]
    assert answers[0].json == answers[1].json
    assert len(world.table("campaigns")) == 2


@pytest.mark.parametrize(
    ("method", "action", "body"),
    [
        ("PUT", "", {"subject": "件名", "body": "本文"}),
        ("GET", "/lint", None),
        ("POST", "/test", {"to": TESTER}),
        ("POST", "/approve", None),
        ("POST", "/schedule", {"at": "2026-12-01T10:00"}),
        *(("POST", f"/{action}", None) for action in ("unschedule", "send", "pause", "resume")),
        *(("POST", f"/{action}", None) for action in ("cancel", "clone")),
    ],
)
def test_a_campaign_that_does_not_exist(world: World, method: str, action: str, body: Any) -> None:
    unknown = f"/campaigns/{'0' * 12}{action}"
    refused(world.ask_staff(method, unknown, body), 404, "unknown_campaign")
    check_problem(world.ask_staff(method, f"/campaigns/x{action}", body), 422)
    assert not world.table("campaigns")
    assert not world.ses.mails
    assert not world.schedules()


def test_a_campaign_of_an_older_version_can_still_be_read(world: World) -> None:
    """Stored before there were audiences, tests and approvals."""
    world.dynamodb.put_item(
        TableName="campaigns",
        Item={
            "campaign_id": {"S": "5f2b8c0d9e71"},
            "subject": {"S": "件名"},
            "body": {"S": "本文"},
            "created_by": {"S": "cs-someone"},
            "created_at": {"S": "2026-11-01T00:00:00.000Z"},
            "status": {"S": "done"},
        },
    )
    assert world.campaigns.get("5f2b8c0d9e71") == Campaign(
        "5f2b8c0d9e71", "件名", "本文", "cs-someone", datetime(2026, 11, 1, tzinfo=UTC), S.DONE
    )
    assert world.ask_staff("GET", "/campaigns").status == 200
