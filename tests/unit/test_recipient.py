"""Did this person get this campaign, and why, or why not?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.audience import Audience
from shared.domain.campaigns import Campaign, CampaignStatus, Entry, Outcome
from shared.domain.eligibility import Profile
from shared.domain.events import Event, EventKind, Source
from shared.domain.figures import Fate
from shared.domain.recipient import Explanation, Finding, erased_at, explain, received_among
from shared.proof.sentences import SENTENCES, moment, sentence

NOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ME = "0" * 31 + "1"
DONE = Campaign(
    "5f2b8c0d9e71", "件名", "本文", "cs", NOON, CampaignStatus.DONE, started_at=NOON
)  # fmt: skip
PERSONAL = {"address": "taro@example.jp", "typed": "taro@example.jp", "address_kind": "standard"}


def event(kind: EventKind, at: datetime, **more: Any) -> Event:
    if kind is EventKind.NOTIFIED:
        more = {"source": Source.WEB_FORM, "personal": PERSONAL, **more}
    return Event(ME, f"{kind}-{at:%H%M}", kind, at, more.pop("source", Source.STAFF), **more)


TOLD = event(EventKind.NOTIFIED, NOON - HOUR)


def ask(
    campaign: Campaign = DONE,
    entry: Entry | None = None,
    history: Sequence[Event] = (TOLD,),
    now: datetime = NOON + 3 * HOUR,
    **more: Any,
) -> Explanation:
    return explain(campaign, entry, history, contact_id=ME, profile=Profile.MANUAL, now=now, **more)


def line(outcome: Outcome, reason: str = "") -> Entry:
    return Entry(DONE.campaign_id, ME, outcome, NOON, reason)


@pytest.mark.parametrize(
    ("outcome", "finding"),
    [
        (Outcome.SENT, Finding.SENT),
        (Outcome.CLAIMED, Finding.SENDING),
        (Outcome.RETRY, Finding.RETRY),
        (Outcome.SKIPPED, Finding.SKIPPED),
        (Outcome.REJECTED, Finding.REJECTED),
    ],
)
def test_the_ledgers_line_is_the_answer(outcome: Outcome, finding: Finding) -> None:
    found = ask(entry=line(outcome))
    assert (found.finding, found.as_of) == (finding, NOON)
    assert all(condition.met for condition in found.conditions)


def test_every_outcome_has_a_fate() -> None:
    for outcome in Outcome:
        ask(entry=line(outcome))


@pytest.mark.parametrize(
    ("reported", "finding"),
    [
        ({Fate.DELIVERED}, Finding.DELIVERED),
        ({Fate.SOFT_BOUNCED}, Finding.SOFT_BOUNCED),
        ({Fate.SOFT_BOUNCED, Fate.DELIVERED}, Finding.DELIVERED),
        ({Fate.DELIVERED, Fate.BOUNCED}, Finding.BOUNCED),
        ({Fate.COMPLAINED, Fate.DELIVERED}, Finding.COMPLAINED),
    ],
)
def test_what_the_mail_service_reported_says_more(reported: set[Fate], finding: Finding) -> None:
    assert ask(entry=line(Outcome.SENT), reported=reported).finding is finding
    assert ask(entry=line(Outcome.REJECTED), reported=reported).finding is Finding.REJECTED


def test_every_report_says_something() -> None:
    for fate in Fate:
        assert ask(entry=line(Outcome.SENT), reported={fate}).finding is not Finding.SENT


def test_a_bounce_of_this_campaign_says_it_did_not_arrive() -> None:
    bounce = event(
        EventKind.BOUNCED, NOON + HOUR, source=Source.SES, details={"campaign_id": DONE.campaign_id}
    )
    assert ask(entry=line(Outcome.SENT), history=[TOLD, bounce]).finding is Finding.BOUNCED
    other = replace(bounce, details={"campaign_id": "another"})
    assert ask(entry=line(Outcome.SENT), history=[TOLD, other]).finding is Finding.SENT


def test_conditions_are_those_of_the_moment_of_sending() -> None:
    stop = event(EventKind.UNSUBSCRIBED, NOON + HOUR)
    then = ask(entry=line(Outcome.SENT), history=[TOLD, stop])
    assert all(condition.met for condition in then.conditions)
    before = event(EventKind.UNSUBSCRIBED, NOON)
    skipped = ask(entry=line(Outcome.SKIPPED, "unsubscribed"), history=[TOLD, before])
    assert [each.reason for each in skipped.conditions if not each.met] == ["unsubscribed"]
    assert "配信停止のお申し出があり" in sentence(skipped).ja


def test_after_an_erasure_what_rested_on_the_address_is_left_out() -> None:
    """The address is gone from the event; that one was held then is not denied."""
    bare = replace(TOLD, personal={})
    erased = event(EventKind.ERASED, NOON + HOUR)
    found = ask(entry=line(Outcome.SENT), history=[bare, erased])
    assert {each.name for each in found.conditions} == {"refusal", "permission", "hold", "overseas"}
    assert all(condition.met for condition in found.conditions)
    later = ask(replace(DONE, started_at=NOON + 2 * HOUR), history=[bare, erased])
    assert later.finding is Finding.NOT_ELIGIBLE


@pytest.mark.parametrize(
    "status", [CampaignStatus.DRAFT, CampaignStatus.APPROVED, CampaignStatus.SCHEDULED]
)
def test_a_campaign_that_has_not_started(status: CampaignStatus) -> None:
    assert ask(replace(DONE, status=status, started_at=None)).finding is Finding.NOT_STARTED


def test_a_campaign_cancelled_before_the_start_or_the_turn() -> None:
    cancelled = replace(DONE, status=CampaignStatus.CANCELLED)
    assert ask(replace(cancelled, started_at=None)) == Explanation(Finding.CANCELLED)
    assert ask(cancelled).finding is Finding.CANCELLED
    assert ask(cancelled).as_of == NOON


@pytest.mark.parametrize("status", [CampaignStatus.SENDING, CampaignStatus.PAUSED])
def test_a_running_campaign_is_judged_now(status: CampaignStatus) -> None:
    running = replace(DONE, status=status)
    assert ask(running).finding is Finding.WAITING
    stop = event(EventKind.UNSUBSCRIBED, NOON + HOUR)
    found = ask(running, history=[TOLD, stop])
    assert (found.finding, found.reason) == (Finding.NOT_ELIGIBLE, "unsubscribed")
    assert found.as_of == NOON + 3 * HOUR


def test_nothing_was_on_record_then() -> None:
    late = event(EventKind.NOTIFIED, NOON + HOUR)
    assert ask(history=[late]).finding is Finding.UNKNOWN_THEN


def test_not_on_the_list_at_the_start() -> None:
    stop = event(EventKind.UNSUBSCRIBED, NOON - HOUR / 2)
    back = event(EventKind.RESUBSCRIBED, NOON + HOUR)
    found = ask(history=[TOLD, stop, back])
    assert (found.finding, found.reason, found.as_of) == (
        Finding.NOT_ELIGIBLE,
        "unsubscribed",
        NOON,
    )


def test_outside_the_audience() -> None:
    narrow = replace(DONE, audience=Audience(form_ids=frozenset({"another"})))
    assert ask(narrow).finding is Finding.OUTSIDE_AUDIENCE
    again = replace(DONE, audience=Audience(not_received="earlier"))
    assert ask(again, received={"earlier"}).finding is Finding.OUTSIDE_AUDIENCE


def test_stopped_between_the_start_and_the_turn() -> None:
    stop = event(EventKind.UNSUBSCRIBED, NOON + HOUR)
    found = ask(history=[TOLD, stop])
    assert (found.finding, found.reason) == (Finding.NOT_ELIGIBLE, "unsubscribed")


def test_what_nothing_explains_is_said_to_be_unexplained() -> None:
    assert ask().finding is Finding.UNEXPLAINED


def test_received_and_erased() -> None:
    sent, skipped = line(Outcome.SENT), replace(line(Outcome.SKIPPED), campaign_id="other")
    assert received_among([sent, skipped]) == {DONE.campaign_id}
    assert erased_at([TOLD]) is None
    twice = [event(EventKind.ERASED, NOON + HOUR), event(EventKind.ERASED, NOON)]
    assert erased_at(twice) == NOON + HOUR


@pytest.mark.parametrize("finding", Finding)
def test_every_fate_has_its_sentence(finding: Finding) -> None:
    told = sentence(Explanation(finding, "held", NOON))
    assert told.ja.endswith("。")
    assert told.en.endswith(".")
    assert "{" not in told.ja + told.en
    assert set(SENTENCES) == set(Finding)


def test_a_reason_without_a_condition_has_its_short_words() -> None:
    told = sentence(Explanation(Finding.REJECTED, "MessageRejected", NOON))
    assert told.ja == (
        "送信できませんでした。2026年11月24日(火) 12:00に配信サービスが受け付けませんでした。"
        "理由: メール配信サービスが拒否。"
    )
    assert told.en.endswith("2026-11-24 12:00 JST. Refused by the mail service.")
    assert moment(NOON).en == "2026-11-24 12:00 JST"
