"""The campaign sender: exactly one mail to the eligible, a reason for everyone else (U1, U2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from functions import campaign_sender
from shared.adapters.contacts import SHARDS
from shared.domain.campaigns import Campaign, CampaignStatus, Entry, Outcome
from shared.domain.eligibility import Profile
from shared.domain.events import EventKind, Source
from shared.texts import consent
from shared.texts.consent import TextId
from tests.integration.fakes import Faults, Meanwhile, read
from tests.integration.test_faults import Run, work_off
from tests.integration.world import LambdaContext, World, id_of, payload, same_shard, unwrapped

CAMPAIGN = "5f2b8c0d9e71"


@pytest.fixture
def sending(world: World) -> World:
    """A campaign under way, with every shard's job queued."""
    world.campaigns.create(
        Campaign(CAMPAIGN, "空き家セミナー", "一行目\n\n二段落目", "cs-someone", world.clock.now())
    )
    world.campaigns.start(CAMPAIGN, SHARDS)
    for shard in SHARDS:
        queue_job(world, shard)
    return world


def queue_job(world: World, shard: str, **more: Any) -> None:
    job = {"campaign_id": CAMPAIGN, "shard": shard, "after": "", "settling": False, **more}
    entry = {"Id": "0", "MessageBody": json.dumps(job), "DelaySeconds": 0}
    world.queue.send_message_batch(QueueUrl=world.queue.url, Entries=[entry])


def ledger(world: World) -> dict[str, Entry]:
    return {entry.contact_id: entry for entry in world.ledger.recipients(CAMPAIGN)}


def outcome(world: World, email: str) -> tuple[Outcome, str]:
    entry = ledger(world)[id_of(email)]
    return entry.outcome, entry.reason


def test_the_eligible_get_one_mail_and_the_others_a_line_that_says_why(sending: World) -> None:
    world = sending
    world.confirmed("confirmed@example.jp")
    world.happened("notified@example.jp", EventKind.NOTIFIED)
    world.happened("unticked@example.jp", EventKind.BOX_LEFT_UNTICKED)
    world.happened("waiting@example.jp", EventKind.OPTED_IN)
    world.confirmed("stopped@example.jp")
    world.happened("stopped@example.jp", EventKind.UNSUBSCRIBED, source=Source.LINK)
    world.confirmed("back@example.jp")
    world.happened("back@example.jp", EventKind.UNSUBSCRIBED, source=Source.LINK)
    world.happened("back@example.jp", EventKind.RESUBSCRIBED, source=Source.LINK)
    world.confirmed("bounced@example.jp")
    world.happened("bounced@example.jp", EventKind.BOUNCED, source=Source.SES)
    world.confirmed("held@example.jp")
    world.happened("held@example.jp", EventKind.HELD, source=Source.REPLY)
    world.happened("a..b@docomo.ne.jp", EventKind.NOTIFIED)
    world.happened("eu@example.jp", EventKind.NOTIFIED)
    world.happened("eu@example.jp", EventKind.RESIDENCE_STATED, details={"region": "EU"})
    work_off(Run(world))

    assert world.mails_per_person() == {
        "confirmed@example.jp": 1, "notified@example.jp": 1, "back@example.jp": 1,
    }  # fmt: skip
    for email in world.mails_per_person():
        assert outcome(world, email) == (Outcome.SENT, "")
    assert outcome(world, "bounced@example.jp") == (Outcome.SKIPPED, "bounced")
    assert outcome(world, "held@example.jp") == (Outcome.SKIPPED, "held")
    assert outcome(world, "a..b@docomo.ne.jp") == (Outcome.SKIPPED, "legacy_address")
    assert outcome(world, "eu@example.jp") == (Outcome.SKIPPED, "overseas_no_yes")
    assert world.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE


def test_who_refused_is_not_even_judged(sending: World) -> None:
    """They are off the mailing list: no ledger line; their contact says why."""
    sending.confirmed("stopped@example.jp")
    sending.happened("stopped@example.jp", EventKind.UNSUBSCRIBED, source=Source.LINK)
    work_off(Run(sending))
    assert not sending.ses.mails
    assert not ledger(sending)


def test_the_stricter_profile_is_obeyed(sending: World) -> None:
    sending.settings["eligibility_profile"] = Profile.STATUTE
    sending.happened("notified@example.jp", EventKind.NOTIFIED)
    sending.confirmed("confirmed@example.jp")
    work_off(Run(sending))
    assert sending.mails_per_person() == {"confirmed@example.jp": 1}
    assert outcome(sending, "notified@example.jp") == (Outcome.SKIPPED, "statute_no_consent")


def test_each_mail_says_who_sends_how_to_stop_and_names_nobody_else(sending: World) -> None:
    people = ["jiro@example.jp", "o'neil+news@example.jp"]
    for email in people:
        sending.confirmed(email)
    work_off(Run(sending))
    for email in people:
        [outgoing] = sending.ses.to(email)
        mail = read(outgoing)
        token = sending.token(id_of(email), CAMPAIGN)
        link = f"https://optin.example.jp/u/{token}"
        assert len(link) < 120
        assert mail["To"] == email
        assert mail["List-Unsubscribe"] == f"<{link}>, <mailto:stop+{token}@mail.example.jp>"
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert mail["Reply-To"] == "reply@mail.example.jp"
        for kind in ("plain", "html"):
            part = mail.get_body((kind,))
            assert part is not None
            text = part.get_content().replace("&#39;", "'")
            for needed in (
                "空き家活用株式会社", "東京都港区芝1-2-3", "03-0000-0000", link,
                "reply@mail.example.jp", consent.current(TextId.UNSUBSCRIBE_NOTICE).ja, "二段落目",
            ):  # fmt: skip
                assert needed in text, (kind, needed)
        [other] = [other for other in people if other != email]
        assert other.encode() not in outgoing.raw


@pytest.mark.parametrize("before", ["transact_write_items", "get_item"])
def test_an_unsubscribe_between_listing_and_claiming_prevents_the_mail(
    sending: World, before: str
) -> None:
    email, *others = same_shard(3)
    for someone in (email, *others):
        sending.confirmed(someone)
    stop = Meanwhile(
        before, lambda: sending.happened(email, EventKind.UNSUBSCRIBED, source=Source.LINK)
    )
    run_job(sending, "07", wrap=stop.wrap)
    assert sending.mails_per_person() == dict.fromkeys(others, 1)
    line = ledger(sending).get(id_of(email))
    assert before == "get_item" or line is not None
    assert line is None or (line.outcome, line.reason) == (Outcome.SKIPPED, "unsubscribed")


def test_a_new_yes_between_listing_and_claiming_is_judged_anew(sending: World) -> None:
    [email] = same_shard(1)
    sending.confirmed(email)
    change = Meanwhile("transact_write_items", lambda: sending.happened(email, EventKind.NOTIFIED))
    run_job(sending, "07", wrap=change.wrap)
    assert sending.mails_per_person() == {email: 1}


def run_job(
    world: World, shard: str, *, wrap: Callable[[Any], Any] = unwrapped, **more: Any
) -> list[Any]:
    """One invocation with one job; the failures it reports."""
    event = payload("campaign_sender")
    job = {"campaign_id": CAMPAIGN, "shard": shard, "after": "", "settling": False, **more}
    event["Records"][0]["body"] = json.dumps(job)
    answer = campaign_sender.handler(event, LambdaContext(), world.campaign_sender(wrap))
    return list(answer["batchItemFailures"])


def queued(world: World) -> list[dict[str, Any]]:
    return [json.loads(message.body) for message in world.queue.messages]


@pytest.fixture
def one(sending: World) -> str:
    """One recipient, and only the job of its shard is left."""
    [email] = same_shard(1)
    sending.confirmed(email)
    sending.queue.messages.clear()
    for shard in SHARDS:
        if shard != "07":
            sending.campaigns.close_shard(CAMPAIGN, shard)
    return email


def test_an_unsubscribe_while_ses_is_silent_prevents_the_second_try(
    sending: World, one: str
) -> None:
    """SES answered 500 and never had the mail; meanwhile the person stops it."""
    sending.ses.breaks[one] = 1
    assert run_job(sending, "07") == []
    assert outcome(sending, one) == (Outcome.CLAIMED, "")
    sending.happened(one, EventKind.UNSUBSCRIBED, source=Source.LINK)
    work_off(Run(sending))
    assert not sending.ses.mails
    assert outcome(sending, one) == (Outcome.SKIPPED, "unsubscribed")
    assert sending.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE


def test_silence_is_waited_out_before_a_second_try(sending: World, one: str) -> None:
    sending.ses.breaks[one] = 1
    began = sending.clock.now()
    assert run_job(sending, "07") == []
    [job] = queued(sending)
    assert job["settling"] is True
    assert not sending.ses.mails
    work_off(Run(sending))
    assert sending.mails_per_person() == {one: 1}
    assert (sending.clock.now() - began).total_seconds() >= 900
    assert outcome(sending, one) == (Outcome.SENT, "")


def test_a_lost_answer_is_settled_by_the_send_event_and_not_sent_twice(
    sending: World, one: str
) -> None:
    sending.ses.loses[one] = 1
    assert run_job(sending, "07") == []
    assert outcome(sending, one) == (Outcome.CLAIMED, "")
    work_off(Run(sending), late_events=True)
    assert sending.mails_per_person() == {one: 1}
    [entry] = ledger(sending).values()
    assert (entry.outcome, entry.message_id) == (Outcome.SENT, sending.ses.mails[0].message_id)
    assert sending.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE


def test_throttled_then_sent_soon(sending: World, one: str) -> None:
    sending.ses.throttles[one] = 5
    began = sending.clock.now()
    queue_job(sending, "07")
    work_off(Run(sending))
    assert sending.mails_per_person() == {one: 1}
    assert outcome(sending, one) == (Outcome.SENT, "")
    assert (sending.clock.now() - began).total_seconds() < 60


def test_one_that_ses_rejects_harms_nobody_else(sending: World) -> None:
    people = same_shard(4)
    for email in people:
        sending.confirmed(email)
    sending.ses.rejects = {people[1]}
    work_off(Run(sending))
    assert sending.mails_per_person() == dict.fromkeys([people[0], *people[2:]], 1)
    assert outcome(sending, people[1]) == (Outcome.REJECTED, "MessageRejected")
    assert sending.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE


@pytest.mark.parametrize("per_invocation", [1, 2, 3])
def test_goes_on_in_another_job_when_time_runs_out(sending: World, per_invocation: int) -> None:
    people = same_shard(5)
    for email in people:
        sending.confirmed(email)
    work_off(Run(sending), per_invocation=per_invocation)
    assert sending.mails_per_person() == dict.fromkeys(people, 1)
    assert sending.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE
    assert sending.queue.ever > len(SHARDS)


def test_a_job_delivered_twice_sends_once(sending: World) -> None:
    for email in same_shard(3):
        sending.confirmed(email)
    queue_job(sending, "07")
    queue_job(sending, "07", settling=True)
    work_off(Run(sending))
    assert set(sending.mails_per_person().values()) == {1}


def test_a_second_sender_of_the_same_shard_sends_nothing_twice(sending: World) -> None:
    """It starts while the first has claimed a recipient and not yet handed it over."""
    people = same_shard(3)
    for email in people:
        sending.confirmed(email)
    other = Meanwhile("send_email", lambda: run_job(sending, "07"))
    run_job(sending, "07", wrap=other.wrap)
    work_off(Run(sending))
    assert sending.mails_per_person() == dict.fromkeys(people, 1)
    assert {entry.outcome for entry in ledger(sending).values()} == {Outcome.SENT}


def test_pages_of_a_long_list(sending: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign_sender, "_PAGE", 2)
    people = same_shard(5)
    for email in people:
        sending.confirmed(email)
    work_off(Run(sending))
    assert sending.mails_per_person() == dict.fromkeys(people, 1)


def test_a_draft_or_a_finished_campaign_is_not_sent(world: World) -> None:
    [email] = same_shard(1)
    world.confirmed(email)
    world.campaigns.create(Campaign(CAMPAIGN, "件名", "本文", "cs-someone", world.clock.now()))
    assert run_job(world, "07") == []
    world.campaigns.start(CAMPAIGN, ["07"])
    world.campaigns.close_shard(CAMPAIGN, "07")
    assert run_job(world, "07") == []
    assert not world.ses.mails


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '{"campaign_id": "x"}', '{"campaign_id":"0","shard":"07"}']
)
def test_a_message_that_is_no_job_fails_and_ends_among_the_dead_letters(
    world: World, body: str
) -> None:
    event = payload("campaign_sender")
    event["Records"][0]["body"] = body
    answer = campaign_sender.handler(event, LambdaContext(), world.campaign_sender())
    assert len(answer["batchItemFailures"]) == 1


def test_a_job_of_an_unknown_campaign_fails(world: World) -> None:
    assert len(run_job(world, "07")) == 1


def test_what_it_costs(sending: World, one: str) -> None:
    """Claim, send, record: three calls a mail, apart from what a job costs."""
    faults = Faults()
    run_job(sending, "07", wrap=faults.wrap)
    assert faults.calls[3:6] == ["transact_write_items", "send_email", "update_item"]
    assert one in sending.mails_per_person()
    assert len(faults.calls) == 9


def test_no_address_is_logged(sending: World, logged: Callable[[], str]) -> None:
    for email in same_shard(2):
        sending.confirmed(email)
    sending.ses.rejects = {same_shard(2)[0]}
    work_off(Run(sending))
    log = logged()
    assert "handed over" in log
    assert "example.jp" not in log
