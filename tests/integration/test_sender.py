"""The campaign sender: exactly one mail to the eligible, a reason for everyone else (U1, U2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from functions import campaign_sender
from shared.adapters.campaigns import CampaignStore
from shared.adapters.contacts import SHARDS
from shared.domain import lifecycle
from shared.domain.audience import Audience
from shared.domain.campaigns import Campaign, CampaignStatus, Entry, Outcome, PauseReason
from shared.domain.eligibility import Profile
from shared.domain.events import EventKind, Source
from shared.texts import consent
from shared.texts.consent import TextId
from tests.integration.fakes import Died, Faults, Meanwhile, Mode, read
from tests.integration.test_faults import Run, work_off
from tests.integration.world import LambdaContext, World, id_of, payload, same_shard, unwrapped

CAMPAIGN = "5f2b8c0d9e71"


@pytest.fixture
def sending(world: World) -> World:
    """A campaign under way, with every shard's job queued."""
    world.under_way(CAMPAIGN, SHARDS, subject="空き家セミナー", body="一行目\n\n二段落目")
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
    world.happened("a..b@docomo.ne.jp", EventKind.NOTIFIED)
    world.happened("eu@example.jp", EventKind.NOTIFIED)
    world.happened("eu@example.jp", EventKind.RESIDENCE_STATED, details={"region": "EU"})
    work_off(Run(world))

    assert world.mails_per_person() == {
        "confirmed@example.jp": 1, "notified@example.jp": 1, "back@example.jp": 1,
    }  # fmt: skip
    for email in world.mails_per_person():
        assert outcome(world, email) == (Outcome.SENT, "")
    assert outcome(world, "a..b@docomo.ne.jp") == (Outcome.SKIPPED, "legacy_address")
    assert outcome(world, "eu@example.jp") == (Outcome.SKIPPED, "overseas_no_yes")
    assert world.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE


OFF_THE_LIST = {
    EventKind.UNSUBSCRIBED: (Source.LINK, "unsubscribed"),
    EventKind.BOUNCED: (Source.SES, "bounced"),
    EventKind.HELD: (Source.REPLY, "held"),
}


@pytest.mark.parametrize("kind", OFF_THE_LIST)
def test_who_is_off_the_list_is_not_even_judged(sending: World, kind: EventKind) -> None:
    """No ledger line; their contact says why."""
    sending.confirmed("stopped@example.jp")
    sending.happened("stopped@example.jp", kind, source=OFF_THE_LIST[kind][0])
    work_off(Run(sending))
    assert not sending.ses.mails
    assert not ledger(sending)


@pytest.mark.parametrize("kind", OFF_THE_LIST)
def test_who_falls_off_between_listing_and_claiming_has_a_line_that_says_why(
    sending: World, kind: EventKind
) -> None:
    email, other = same_shard(2)
    for someone in (email, other):
        sending.confirmed(someone)
    source, reason = OFF_THE_LIST[kind]
    change = Meanwhile("transact_write_items", lambda: sending.happened(email, kind, source=source))
    run_job(sending, "07", wrap=change.wrap)
    assert sending.mails_per_person() == {other: 1}
    assert outcome(sending, email) == (Outcome.SKIPPED, reason)


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
    world: World, in_shard: str, *, wrap: Callable[[Any], Any] = unwrapped, **more: Any
) -> list[Any]:
    """One invocation with one job; the failures it reports."""
    event = payload("campaign_sender")
    job = {"campaign_id": CAMPAIGN, "shard": in_shard, "after": "", "settling": False, **more}
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
    assert outcome(sending, one)[0] is Outcome.CLAIMED
    sending.happened(one, EventKind.UNSUBSCRIBED, source=Source.LINK)
    work_off(Run(sending))
    assert not sending.ses.mails
    assert outcome(sending, one) == (Outcome.SKIPPED, "unsubscribed")
    assert sending.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE


def test_silence_is_waited_out_before_a_second_try(sending: World, one: str) -> None:
    sending.ses.breaks[one] = 1
    began = sending.clock.now()
    assert run_job(sending, "07") == []
    assert len(queued(sending)) == 1
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
    assert outcome(sending, one)[0] is Outcome.CLAIMED
    work_off(Run(sending), late_events=True)
    assert sending.mails_per_person() == {one: 1}
    [entry] = ledger(sending).values()
    assert (entry.outcome, entry.message_id) == (Outcome.SENT, sending.ses.mails[0].message_id)
    assert sending.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE


def test_throttled_then_sent_soon(sending: World, one: str) -> None:
    sending.ses.throttles[one] = 2
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
    assert outcome(sending, people[1]) == (Outcome.REJECTED, "MESSAGE_REJECTED")
    assert sending.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE


@pytest.mark.parametrize("per_invocation", [1, 2, 3])
def test_goes_on_in_another_job_when_time_runs_out(sending: World, per_invocation: int) -> None:
    people = same_shard(5)
    sending.ses.rate = 1.0  # batches of one
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
    other = Meanwhile("send_bulk_email", lambda: run_job(sending, "07"))
    run_job(sending, "07", wrap=other.wrap)
    work_off(Run(sending))
    assert sending.mails_per_person() == dict.fromkeys(people, 1)
    assert {entry.outcome for entry in ledger(sending).values()} == {Outcome.SENT}


def test_pages_of_a_long_list(sending: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign_sender, "_PAGE", 2)
    monkeypatch.setattr(campaign_sender, "BATCH", 2)
    people = same_shard(5)
    for email in people:
        sending.confirmed(email)
    work_off(Run(sending))
    assert sending.mails_per_person() == dict.fromkeys(people, 1)


def test_a_draft_or_a_finished_campaign_is_not_sent(world: World) -> None:
    [email] = same_shard(1)
    world.confirmed(email)
    world.campaigns.create(
        Campaign("d1a0d1a0d1a0", "件名", "本文", "cs-someone", world.clock.now())
    )
    assert run_job(world, "07", campaign_id="d1a0d1a0d1a0") == []
    world.under_way(CAMPAIGN, ["07"])
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
    """Look, claim, send, record: four calls a batch, apart from what a job costs."""
    faults = Faults()
    run_job(sending, "07", wrap=faults.wrap)
    batch = ["get_item", "transact_write_items", "send_bulk_email", "put_item"]
    assert faults.calls[:5] == ["get_item", "get_secret_value", "get_account", "query", "query"]
    assert faults.calls[5] == "update_item"  # the pace, for several batches
    assert faults.calls[6:10] == batch
    assert one in sending.mails_per_person()
    assert faults.calls[10:] == ["query", "batch_get_item", "update_item", "update_item"]


def test_no_address_is_logged(sending: World, logged: Callable[[], str]) -> None:
    for email in same_shard(2):
        sending.confirmed(email)
    sending.ses.rejects = {same_shard(2)[0]}
    work_off(Run(sending))
    log = logged()
    assert "handed over" in log
    assert "example.jp" not in log


# --- batches


def only_shard_07(world: World, count: int) -> tuple[str, ...]:
    """So many eligible people, all in one shard, whose job alone is queued."""
    people = same_shard(count)
    for email in people:
        world.confirmed(email)
    world.queue.messages.clear()
    for shard in SHARDS:
        if shard != "07":
            world.campaigns.close_shard(CAMPAIGN, shard)
    queue_job(world, "07")
    return people


def test_a_batch_is_one_claim_one_call_and_one_record(sending: World) -> None:
    people = only_shard_07(sending, 120)
    faults = Faults()
    run_job(sending, "07", wrap=faults.wrap)
    assert sending.mails_per_person() == dict.fromkeys(people, 1)
    assert {entry.outcome for entry in ledger(sending).values()} == {Outcome.SENT}
    for call in ("transact_write_items", "send_bulk_email", "put_item"):
        assert faults.calls.count(call) == 3
    ids = {mail.message_id for mail in sending.ses.mails}
    assert {entry.message_id for entry in ledger(sending).values()} == ids
    assert {mail.tags["batch"] for mail in sending.ses.mails} == {
        entry.slot for entry in ledger(sending).values()
    }


def test_those_who_stop_just_before_the_claim_fall_out_and_the_others_go_on(
    sending: World,
) -> None:
    people = only_shard_07(sending, 60)

    def stop() -> None:
        for email in people[3:9]:
            sending.happened(email, EventKind.UNSUBSCRIBED, source=Source.LINK)
        sending.happened(people[20], EventKind.NOTIFIED)  # changed, and still eligible

    run_job(sending, "07", wrap=Meanwhile("transact_write_items", stop).wrap)
    assert sending.mails_per_person() == dict.fromkeys([*people[:3], *people[9:]], 1)
    assert {outcome(sending, email) for email in people[3:9]} == {(Outcome.SKIPPED, "unsubscribed")}


def test_a_throttled_entry_is_sent_later_and_nobody_twice(sending: World) -> None:
    people = only_shard_07(sending, 60)
    sending.ses.throttles = {people[4]: 3, people[50]: 1}
    sending.ses.statuses = {}
    work_off(Run(sending))
    assert sending.mails_per_person() == dict.fromkeys(people, 1)
    assert sending.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE


def test_an_answer_that_says_nothing_about_one_of_several_loses_nobody(sending: World) -> None:
    """Also at the second try, when only those are left whom SES put off."""
    people = only_shard_07(sending, 3)
    sending.ses.throttles = {people[0]: 1, people[1]: 1}
    for statuses in ({}, {people[1]: "A_NEW_STATUS"}):
        sending.ses.statuses = statuses
        message = sending.queue.receive()
        assert message is not None
        assert run_job(sending, "07", **json.loads(message.body)) == []
        sending.queue.delete(message)
    assert outcome(sending, people[1])[0] is Outcome.CLAIMED
    assert sending.campaigns.get(CAMPAIGN).status is CampaignStatus.SENDING
    sending.ses.statuses = {}
    work_off(Run(sending))
    assert sending.mails_per_person() == dict.fromkeys(people, 1)
    assert sending.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE


def test_whom_ses_fails_at_again_and_again_is_given_up(sending: World) -> None:
    people = only_shard_07(sending, 3)
    sending.ses.statuses = {people[1]: "FAILED"}
    faults = Faults()
    work_off(Run(sending, faults))
    assert sending.mails_per_person() == dict.fromkeys([people[0], people[2]], 1)
    assert outcome(sending, people[1]) == (Outcome.REJECTED, "ses_failed")
    assert faults.calls.count("send_bulk_email") == 8
    assert sending.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE


def test_ses_may_fail_at_everybody_for_a_while(sending: World) -> None:
    people = only_shard_07(sending, 3)
    sending.ses.statuses = dict.fromkeys(people, "FAILED")
    began = sending.clock.now()
    for _ in range(7):
        message = sending.queue.receive()
        assert message is not None
        assert run_job(sending, "07", **json.loads(message.body)) == []
        sending.queue.delete(message)
    assert sending.clock.now() - began >= timedelta(minutes=10)
    sending.ses.statuses = {}
    work_off(Run(sending))
    assert sending.mails_per_person() == dict.fromkeys(people, 1)


def test_one_bad_address_that_fails_the_whole_call_harms_nobody_else(sending: World) -> None:
    people = only_shard_07(sending, 30)
    sending.ses.bad = {people[11]}
    work_off(Run(sending))
    assert sending.mails_per_person() == dict.fromkeys([*people[:11], *people[12:]], 1)
    assert outcome(sending, people[11]) == (Outcome.REJECTED, "BadRequestException")


@pytest.mark.parametrize(
    "error", ["AccountSuspendedException", "SendingPausedException", "MessageRejected"]
)
def test_what_concerns_everybody_pauses_the_campaign_and_is_held_against_nobody(
    sending: World, error: str
) -> None:
    people = only_shard_07(sending, 8)
    sending.ses.refuses = error
    work_off(Run(sending))
    campaign = sending.campaigns.get(CAMPAIGN)
    assert (campaign.status, campaign.pause_reason) == (
        CampaignStatus.PAUSED, PauseReason.ACCOUNT,
    )  # fmt: skip
    assert {entry.outcome for entry in ledger(sending).values()} == {Outcome.RETRY}
    assert sending.campaigns.open_shards(CAMPAIGN) == ["07"]
    sending.ses.refuses = ""
    resume(sending)
    assert sending.mails_per_person() == dict.fromkeys(people, 1)
    assert sending.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE


def test_a_few_who_are_refused_together_do_not_hold_up_a_campaign_for_ever(
    sending: World,
) -> None:
    """It pauses once, because the fault may be ours; after that it is theirs."""
    people = only_shard_07(sending, 53)
    sending.ses.rejects = set(people[50:])
    work_off(Run(sending))
    assert sending.campaigns.get(CAMPAIGN).pause_reason is PauseReason.ACCOUNT
    resume(sending)
    assert sending.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE
    assert sending.mails_per_person() == dict.fromkeys(people[:50], 1)
    refused = (Outcome.REJECTED, "MESSAGE_REJECTED")
    assert {outcome(sending, email) for email in people[50:]} == {refused}


def test_many_who_are_refused_together_never_lose_their_turn(sending: World) -> None:
    people = only_shard_07(sending, 8)
    sending.ses.refuses = "MessageRejected"
    work_off(Run(sending))
    resume(sending)
    assert {entry.outcome for entry in ledger(sending).values()} == {Outcome.RETRY}
    sending.ses.refuses = ""
    resume(sending)
    assert sending.mails_per_person() == dict.fromkeys(people, 1)


def resume(world: World) -> None:
    paused = world.campaigns.get(CAMPAIGN)
    world.campaigns.save(paused, lifecycle.resumed(paused))
    for shard in world.campaigns.open_shards(CAMPAIGN):
        queue_job(world, shard)
    work_off(Run(world))


@pytest.mark.parametrize("status", ["ACCOUNT_SUSPENDED", "MAIL_FROM_DOMAIN_NOT_VERIFIED"])
def test_an_entry_that_concerns_the_account_pauses_too(sending: World, status: str) -> None:
    people = only_shard_07(sending, 3)
    sending.ses.statuses = {people[1]: status}
    work_off(Run(sending))
    assert sending.campaigns.get(CAMPAIGN).pause_reason is PauseReason.ACCOUNT
    sending.ses.statuses = {}
    resume(sending)
    assert sending.mails_per_person() == dict.fromkeys(people, 1)


pause = partial(lifecycle.paused, reason=PauseReason.STAFF)


@pytest.mark.parametrize("end", [lifecycle.cancelled, pause])
def test_pausing_and_cancelling_act_within_a_second(
    sending: World, end: Callable[[Campaign], Campaign]
) -> None:
    people = only_shard_07(sending, 120)

    def stop() -> None:
        campaign = sending.campaigns.get(CAMPAIGN)
        sending.campaigns.save(campaign, end(campaign))
        sending.clock.advance(seconds=1)

    run_job(sending, "07", wrap=Meanwhile("send_bulk_email", stop).wrap)
    assert len(sending.ses.mails) == 50  # the batch in hand
    work_off(Run(sending))
    assert len(sending.ses.mails) == 50
    assert len(ledger(sending)) == 50
    if end is pause:
        resume(sending)
        assert sending.mails_per_person() == dict.fromkeys(people, 1)


def test_a_full_quota_waits_and_goes_on_by_itself(sending: World) -> None:
    people = only_shard_07(sending, 30)
    sending.ses.quota = 20
    began = sending.clock.now()
    work_off(Run(sending), most=700)
    assert sending.mails_per_person() == dict.fromkeys(people, 1)
    assert sending.clock.now() - began >= timedelta(hours=24)
    assert sending.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE


def test_a_quota_that_others_use_up_meanwhile_drops_nobody(sending: World) -> None:
    """GetAccount promised more than SES then takes."""
    people = only_shard_07(sending, 30)
    sending.ses.quota = 40
    used = Meanwhile(
        "send_bulk_email",
        lambda: sending.ses.sent_at.extend([sending.clock.now()] * 25),
    )
    run_job(sending, "07", wrap=used.wrap)
    assert len(sending.ses.mails) == 15
    work_off(Run(sending), most=300)
    assert sending.mails_per_person() == dict.fromkeys(people, 1)


def test_senders_share_the_accounts_rate(sending: World) -> None:
    """Two jobs at a time, whatever they do, stay below what SES allows in a second."""
    for email in [f"r{number}@example.jp" for number in range(60)]:
        sending.confirmed(email)
    sending.ses.rate = 5.0
    began = sending.clock.now()
    work_off(Run(sending), most=2_000)
    assert len(sending.ses.mails) == 60
    for start in sending.ses.sent_at:
        within = [at for at in sending.ses.sent_at if start <= at < start + timedelta(seconds=1)]
        assert len(within) <= 10  # one batch, and the next at the second's end
    assert sending.clock.now() - began >= timedelta(seconds=11)


def test_senders_that_begin_at_once_are_all_told_the_quota(sending: World) -> None:
    """SES answers that once a second: eight senders, and this one is the last."""
    [email] = only_shard_07(sending, 1)
    faults = Faults(dict.fromkeys(range(2, 9), Mode.THROTTLED))
    assert run_job(sending, "07", wrap=faults.wrap) == []
    assert faults.calls[2:10] == ["get_account"] * 8
    assert sending.mails_per_person() == {email: 1}


def test_the_store_cannot_be_asked_so_nothing_is_sent(sending: World) -> None:
    only_shard_07(sending, 3)
    saved = sending.saved()
    for call in range(9):
        sending.restore(saved)
        sending.ses.mails.clear()
        faults = Faults({call: Mode.BROKEN})
        sending.queue.messages.clear()
        run_job(sending, "07", wrap=faults.wrap)
        if faults.calls[call] == "send_bulk_email":
            break
        if faults.calls[call] != "get_account":  # asked again
            assert not sending.ses.mails


# --- whom


def test_an_audience_by_earlier_campaigns(sending: World) -> None:
    people = only_shard_07(sending, 20)
    run_job(sending, "07")
    sending.ses.mails.clear()
    late = [email for email in same_shard(26) if email not in people]
    for email in late:
        sending.confirmed(email)
    for other, audience, meant in (
        ("aaaaaaaaaaaa", Audience(received=CAMPAIGN), list(people)),
        ("bbbbbbbbbbbb", Audience(not_received=CAMPAIGN), late),
    ):
        sending.under_way(other, ["07"], audience=audience)
        run_job(sending, "07", campaign_id=other)
        assert sorted(sending.mails_per_person()) == sorted(meant)
        lines = {entry.contact_id for entry in sending.ledger.recipients(other)}
        assert lines == {id_of(email) for email in meant}  # outside the audience: no line
        sending.ses.mails.clear()


def test_at_most_so_many_campaigns_in_so_many_days(sending: World) -> None:
    sending.settings |= {"frequency_cap_campaigns": 1, "frequency_cap_days": 7}
    people = only_shard_07(sending, 5)
    run_job(sending, "07")
    sending.clock.advance(days=6)
    sending.under_way("aaaaaaaaaaaa", ["07"])
    run_job(sending, "07", campaign_id="aaaaaaaaaaaa")
    assert sending.mails_per_person() == dict.fromkeys(people, 1)
    reasons = {(entry.outcome, entry.reason) for entry in sending.ledger.recipients("a" * 12)}
    assert reasons == {(Outcome.SKIPPED, "frequency_cap")}
    sending.clock.advance(days=1.1)
    sending.under_way("bbbbbbbbbbbb", ["07"])
    run_job(sending, "07", campaign_id="bbbbbbbbbbbb")
    assert sending.mails_per_person() == dict.fromkeys(people, 2)


# --- beginning


def test_a_start_that_finds_nothing_left_to_send_ends_the_campaign(sending: World) -> None:
    """Whoever closed the last shard died before saying that the campaign is done."""
    for shard in SHARDS[1:]:
        sending.campaigns.close_shard(CAMPAIGN, shard)
    dying = CampaignStore(Faults({1: Mode.DIES_BEFORE}).wrap(sending.dynamodb), "campaigns")
    with pytest.raises(Died):
        dying.close_shard(CAMPAIGN, SHARDS[0])
    assert run_job(sending, "") == []
    assert sending.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE


def test_a_scheduled_campaign_begins_when_its_time_has_come(world: World) -> None:
    [email] = same_shard(1)
    world.confirmed(email)
    at = world.clock.now() + timedelta(hours=1)
    world.campaigns.create(
        Campaign(
            CAMPAIGN, "件名", "本文", "cs-someone", world.clock.now(),
            status=CampaignStatus.SCHEDULED, scheduled_for=at,
        )
    )  # fmt: skip
    assert run_job(world, "") == []  # left behind by an earlier schedule
    assert world.campaigns.get(CAMPAIGN).status is CampaignStatus.SCHEDULED
    world.clock.time = at
    assert run_job(world, "") == []
    assert run_job(world, "") == []  # Scheduler may deliver it twice
    work_off(Run(world))
    assert world.mails_per_person() == {email: 1}
    assert world.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE
    assert run_job(world, "") == []
    assert not world.queue.messages
