"""What SES reports, through the handler to the tables and back to people (S4, U1)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from functions import ses_feedback, unsubscribe
from local.ses.events import describe
from local.ses.message import Outgoing
from shared.adapters.figures import Figures
from shared.adapters.ledger import Candidate, Result, Skip
from shared.domain import lifecycle
from shared.domain.campaigns import Campaign, CampaignStatus, Entry, Outcome, PauseReason
from shared.domain.eligibility import Profile, judge
from shared.domain.errors import BadRequest, Conflict
from shared.domain.events import EventKind, Source, stamp
from shared.domain.figures import Fate
from tests.integration.world import LambdaContext, World, held, id_of, payload, projected

HANAKO, TARO = "hanako.yamada@example.jp", "taro@example.jp"
CAMPAIGN = "5f2b8c0d9e71"
BATCH = "07abc"


def told(
    world: World,
    kind: str,
    *to: str,
    slot: str = f"{BATCH}.0",
    message: str = "m1",
    minutes: float = 0,
    **part: Any,
) -> dict[str, Any]:
    """An event about a mail to Hanako, or without her tag, about one to several people."""
    event = payload("ses_feedback")
    detail = event["detail"]
    detail["eventType"] = kind
    detail["mail"] |= {"messageId": message, "destination": list(to) or [HANAKO]}
    detail["mail"]["tags"] |= {
        "campaign": [CAMPAIGN],
        "contact": [id_of(to[0] if to else HANAKO)],
        "batch": [slot],
    }
    at = stamp(world.clock.now() + timedelta(minutes=minutes))
    names = {"Bounce": "bouncedRecipients", "Complaint": "complainedRecipients"}
    people = [{"emailAddress": address} for address in to or (HANAKO,)]
    listed = {names[kind]: people} if kind in names else {}
    detail[kind[:1].lower() + kind[1:]] = {"timestamp": at, **listed, **part}
    return event


def as_notification(event: dict[str, Any]) -> dict[str, Any]:
    """The older shape: another key for the kind, and no tags."""
    detail = event["detail"]
    detail["notificationType"] = detail.pop("eventType")
    del detail["mail"]["tags"]
    return event


def tell(world: World, *events: dict[str, Any]) -> None:
    for event in events:
        ses_feedback.handler(event, LambdaContext(), world.ses_feedback())


@pytest.fixture
def sent(world: World) -> World:
    """A running campaign whose only batch has gone to Hanako and Taro."""
    started = world.clock.now()
    world.campaigns.create(
        Campaign(CAMPAIGN, "件名", "本文", "cs-a", started, status=CampaignStatus.SENDING)
    )
    for email in (HANAKO, TARO):
        world.confirmed(email)
    claim(world, HANAKO, TARO)
    record(world, "ss")
    return world


def claim(world: World, *emails: str) -> None:
    judged = [Candidate(world.contacts.get(id_of(email))) for email in emails]
    assert world.ledger.claim(CAMPAIGN, BATCH, judged, world.clock.now()) is None


def record(world: World, codes: str, batch: str = BATCH) -> None:
    outcomes = {"s": Outcome.SENT, "?": Outcome.CLAIMED}
    results = [Result(outcomes[code], f"m{n}") for n, code in enumerate(codes, 1)]
    world.ledger.record(CAMPAIGN, batch, results, world.clock.now())


def reason(world: World, email: str = HANAKO) -> str:
    return judge(world.contacts.get(id_of(email)), Profile.MANUAL).reason


def kinds(world: World, email: str = HANAKO) -> list[EventKind]:
    found = world.contacts.history(id_of(email))
    return [event.kind for event in found if event.source is Source.SES]


def in_step(world: World) -> bool:
    return projected(world.tables()) == held(world.tables())


# --- each kind


def test_a_permanent_bounce_makes_the_address_undeliverable(sent: World) -> None:
    tell(sent, told(sent, "Bounce", bounceType="Permanent", bounceSubType="General"))
    assert reason(sent) == "bounced"
    assert reason(sent, TARO) == "eligible"
    [bounce] = [e for e in sent.contacts.history(id_of(HANAKO)) if e.source is Source.SES]
    assert bounce.details["campaign_id"] == CAMPAIGN
    figures = sent.figures.of(CAMPAIGN)
    assert (figures.sent, figures.bounced, figures.complained) == (2, 1, 0)
    assert in_step(sent)


def test_a_complaint_stops_and_is_no_bounce(sent: World) -> None:
    tell(sent, told(sent, "Complaint", complaintFeedbackType="abuse"))
    assert reason(sent) == "complained"
    assert kinds(sent) == [EventKind.COMPLAINED]
    figures = sent.figures.of(CAMPAIGN)
    assert (figures.bounced, figures.complained) == (0, 1)
    assert sent.campaigns.get(CAMPAIGN).status is CampaignStatus.SENDING  # one of two is no rate


def test_not_spam_is_no_complaint(sent: World) -> None:
    before = sent.tables()
    tell(sent, told(sent, "Complaint", complaintFeedbackType="not-spam"))
    assert sent.tables() == before
    assert reason(sent) == "eligible"


def test_deliveries_and_delays_change_nobody(sent: World) -> None:
    contacts = sent.table("contacts")
    tell(sent, told(sent, "Delivery"), told(sent, "DeliveryDelay", delayType="MailboxFull"))
    assert sent.table("contacts") == contacts
    assert sent.figures.of(CAMPAIGN).delivered == 1
    entries = list(sent.ledger.of_contact(id_of(HANAKO), [CAMPAIGN, "0" * 12]))
    assert sent.figures.fates(entries) == [frozenset({Fate.DELIVERED})]
    nobody = list(sent.ledger.of_contact(id_of("nobody@example.jp"), [CAMPAIGN]))
    assert sent.figures.fates(nobody) == []


@pytest.mark.parametrize("kind", ["Send", "Delivery", "Bounce", "Complaint", "DeliveryDelay"])
def test_every_proof_of_sending_settles_what_the_sender_could_not_know(
    world: World, kind: str
) -> None:
    world.confirmed(HANAKO)
    claim(world, HANAKO)
    tell(world, told(world, kind, bounceType="Transient"))
    [entry] = world.ledger.recipients(CAMPAIGN)
    assert (entry.outcome, entry.message_id) == (Outcome.SENT, "m1")
    assert world.figures.of(CAMPAIGN).sent == 1


@pytest.mark.parametrize(
    ("kind", "why"),
    [("Reject", "ses_reject"), ("Rendering Failure", "ses_rendering_failure")],
)
def test_what_ses_takes_and_does_not_send_is_rejected(sent: World, kind: str, why: str) -> None:
    event = told(sent, kind)
    tell(sent, event, event)
    entries = {entry.contact_id: entry for entry in sent.ledger.recipients(CAMPAIGN)}
    assert entries[id_of(HANAKO)].outcome is Outcome.REJECTED
    assert entries[id_of(HANAKO)].reason == why
    figures = sent.figures.of(CAMPAIGN)
    assert (figures.sent, figures.rejected, figures.undecided) == (1, 1, 0)
    tell(sent, told(sent, kind, slot="other.1"))  # of a slot that is not this line's


# --- both shapes, everybody


@pytest.mark.parametrize("shape", [lambda event: event, as_notification])
@pytest.mark.parametrize(
    ("kind", "part", "expected"),
    [
        ("Complaint", {"complaintFeedbackType": "abuse"}, "complained"),
        ("Bounce", {"bounceType": "Permanent"}, "bounced"),
    ],
)
def test_everybody_a_notice_names_in_both_shapes(
    sent: World,
    shape: Callable[[dict[str, Any]], dict[str, Any]],
    kind: str,
    part: dict[str, Any],
    expected: str,
) -> None:
    tell(sent, shape(told(sent, kind, "Hanako.Yamada@example.jp", TARO, "not an address", **part)))
    assert reason(sent) == reason(sent, TARO) == expected
    assert in_step(sent)


def test_the_two_shapes_of_one_fact_are_one_fact(sent: World) -> None:
    part: dict[str, Any] = {"bounceType": "Permanent"}
    both = told(sent, "Bounce", **part), as_notification(told(sent, "Bounce", **part))
    tell(sent, *both)
    assert kinds(sent) == [EventKind.BOUNCED]


def test_an_unknown_person_is_suppressed_by_the_id_alone(world: World) -> None:
    event = as_notification(told(world, "Complaint", "stranger@example.jp"))
    tell(world, event, event)
    assert kinds(world, "stranger@example.jp") == [EventKind.COMPLAINED]
    world.confirmed("stranger@example.jp")
    world.clock.advance(minutes=-5)
    assert in_step(world)


def test_a_mail_of_no_batch_reaches_the_person_and_no_ledger(world: World) -> None:
    event = told(world, "Bounce", slot="", bounceType="Permanent")
    del event["detail"]["mail"]["tags"]["batch"]
    tell(world, event)
    assert kinds(world) == [EventKind.BOUNCED]
    # Only the count of the campaign, which it names.
    assert [item["contact_id"]["S"] for item in world.table("ledger")] == ["~feedback"]


# --- not ours


def test_foreign_events_change_nothing(sent: World) -> None:
    before = sent.tables()
    foreign = told(sent, "Complaint")
    foreign["detail"]["mail"]["tags"]["ses:configuration-set"] = ["another-system"]
    forged = told(sent, "Complaint") | {"source": "com.example"}
    other_domain = as_notification(told(sent, "Complaint"))
    other_domain["detail"]["mail"]["sourceArn"] = (
        "arn:aws:ses:ap-northeast-1:123456789012:identity/example.org"
    )
    opened = told(sent, "Open")
    tell(sent, foreign, forged, other_domain, opened, {}, {"source": "aws.ses", "detail": {}})
    assert sent.tables() == before


def test_one_that_cannot_be_read_is_not_passed_over(sent: World) -> None:
    """It fails, is tried again, and ends in the dead-letter queue, where an alarm tells of it."""
    event = told(sent, "Bounce", bounceType="Permanent", timestamp="gestern")
    with pytest.raises(BadRequest):
        tell(sent, event)


def test_nothing_personal_is_logged(sent: World, logged: Callable[[], str]) -> None:
    events = [
        told(sent, "Bounce", bounceType="Permanent"),
        as_notification(told(sent, "Complaint", HANAKO, "not an address")),
    ]
    tell(sent, *events)
    written = logged()
    assert "recorded" in written
    assert "no address" in written
    assert "example.jp" not in written.replace("mail.example.jp", "").lower()


# --- any order, duplicates


def test_any_order_and_duplicates_end_the_same(sent: World) -> None:
    events = [
        told(sent, "Send"),
        told(sent, "Delivery", minutes=1),
        told(sent, "Bounce", minutes=2, bounceType="Permanent"),
        told(sent, "Complaint", minutes=3, complaintFeedbackType="abuse"),
    ]
    saved, ends = sent.saved(), []
    for order in itertools.permutations(events):
        sent.restore(saved)
        tell(sent, *order, *order)
        tables = sent.tables()
        # A version counts recorded events; the mark of each register is the same.
        ends.append((tables, sent.figures.of(CAMPAIGN)))
    assert all(end == ends[0] for end in ends)
    figures = ends[0][1]
    assert (figures.sent, figures.delivered, figures.bounced, figures.complained) == (2, 1, 1, 1)


def test_three_soft_bounces_hold_until_staff_lift(sent: World) -> None:
    part: dict[str, Any] = {"bounceType": "Transient", "bounceSubType": "MailboxFull"}
    events = [
        told(sent, "Bounce", message=f"m{day}", minutes=-1440 * day, **part) for day in (1, 2, 3)
    ]
    tell(sent, events[0], events[2], events[0])
    assert reason(sent) == "eligible"
    tell(sent, events[1])
    assert reason(sent) == "held"
    assert kinds(sent) == [EventKind.SOFT_BOUNCED] * 3 + [EventKind.HELD]
    assert sent.figures.of(CAMPAIGN).soft_bounced == 1  # all of one slot
    assert sent.figures.of(CAMPAIGN).bounced == 0
    assert in_step(sent)
    assert lift(sent).json["lifted"] == ["released"]
    tell(sent, *events)
    assert reason(sent) == "eligible"


# --- staff lift


def lift(world: World, email: str = HANAKO, **more: Any) -> Any:
    body = {"reason": "受信拒否を解除されたとのお電話"}
    return world.ask_staff("POST", f"/contacts/{id_of(email)}/lift-bounce", body, **more)


def test_a_filter_of_a_carrier_is_lifted_with_a_reason(world: World) -> None:
    """law-and-mail E5."""
    carrier = "hanako@docomo.ne.jp"
    world.confirmed(carrier)
    said = {"emailAddress": carrier, "diagnosticCode": "smtp; 550 Unknown user", "status": "5.1.1"}
    event = told(world, "Bounce", carrier, bounceType="Permanent", bouncedRecipients=[said])
    tell(world, event)
    assert reason(world, carrier) == "bounced"
    [bounced] = [e for e in world.contacts.history(id_of(carrier)) if e.source is Source.SES]
    assert bounced.details["reason"] == "unknown_or_filtered"
    world.clock.advance(hours=1)
    answer = lift(world, carrier)
    assert answer.status == 200, answer.text
    assert answer.json["lifted"] == ["bounce_lifted"]
    assert answer.json["verdict"]["eligible"] is True
    lifted = world.contacts.history(id_of(carrier))[-1]
    assert lifted.details["reason"] == "受信拒否を解除されたとのお電話"
    assert lifted.details["operator"] == "cs-someone"
    tell(world, event)  # the old bounce again
    assert reason(world, carrier) == "eligible"
    tell(world, told(world, "Bounce", carrier, message="m2", minutes=9, bounceType="Permanent"))
    assert reason(world, carrier) == "bounced"


def test_lifting_is_refused_where_nothing_stands_or_to_the_wrong_team(sent: World) -> None:
    answer = lift(sent)
    assert (answer.status, answer.json["code"]) == (409, "no_bounce_stands")
    assert lift(sent, team="IT").status == 403
    empty = sent.ask_staff("POST", f"/contacts/{id_of(HANAKO)}/lift-bounce", {"reason": " "})
    assert empty.status == 422


def test_lifting_lifts_no_complaint(sent: World) -> None:
    tell(sent, told(sent, "Complaint"), told(sent, "Bounce", bounceType="Permanent"))
    sent.clock.advance(hours=1)
    answer = lift(sent)
    assert answer.json["verdict"]["reason"] == "complained"


# --- figures


def test_figures_of_a_campaign(sent: World) -> None:
    for number in range(3):
        sent.ledger.skip(CAMPAIGN, [_skip(number)], sent.clock.now())
    for name in ("post", "post"):
        event = sent.unsubscribe_event(name, id_of(TARO))
        _unsubscribe(sent, event)
    figures = sent.figures.of(CAMPAIGN)
    assert (figures.lines, figures.eligible, figures.sent) == (5, 2, 2)
    assert figures.skipped == {"unsubscribed": 2, "bounced": 1}
    assert figures.unsubscribed == 1  # one person, however often they press
    assert sent.figures.of("0" * 12).lines == 0
    reached = sent.figures.reached(CAMPAIGN, [id_of(HANAKO)[0], "0"])
    assert reached[id_of(HANAKO)[0]][0] == id_of(HANAKO)[0]


def test_figures_do_not_end_with_the_first_page(sent: World) -> None:
    class OneByOne:
        """DynamoDB that answers one item at a time."""

        def query(self, **request: Any) -> Any:
            return sent.dynamodb.query(**{**request, "Limit": 1})

    many(sent, 130)
    tell(sent, told(sent, "Delivery"), told(sent, "Delivery", TARO, slot=f"{BATCH}.1"))
    sent.ledger.skip(CAMPAIGN, [_skip(number) for number in range(3)], sent.clock.now())
    for email in (HANAKO, TARO):
        _unsubscribe(sent, sent.unsubscribe_event("post", id_of(email)))
    slowly = Figures(OneByOne(), "ledger", "events").of(CAMPAIGN)  # type: ignore[arg-type]
    assert slowly == sent.figures.of(CAMPAIGN)
    assert (slowly.sent, slowly.delivered, slowly.unsubscribed, slowly.lines) == (132, 2, 2, 5)


def test_fates_of_many_mails(sent: World) -> None:
    tell(sent, told(sent, "Delivery", slot="b119.7"))
    at = sent.clock.now()
    mails = [Entry(CAMPAIGN, "c", Outcome.SENT, at, slot=f"b{n}.7") for n in range(120)]
    found = sent.figures.fates(mails)
    assert found == [frozenset()] * 119 + [{Fate.DELIVERED}]


def _skip(number: int) -> Skip:
    return Skip(f"{number:032x}", "bounced" if number == 0 else "unsubscribed")


def _unsubscribe(world: World, event: dict[str, Any]) -> None:
    answer = unsubscribe.handler(event, LambdaContext(), world.unsubscribe())
    assert answer["statusCode"] == 200


# --- reputation


def many(world: World, count: int, batch: str = "07big") -> None:
    """As if so many had got it: batches of fifty, whose lines do not matter here."""
    for start in range(0, count, 50):
        record(world, "s" * min(50, count - start), f"{batch}{start}")


def strangers(world: World, kind: str, numbers: range, **part: Any) -> None:
    for number in numbers:
        to = f"s{number}@example.jp"
        tell(world, told(world, kind, to, slot="07big0.1", message=f"s{number}", **part))


def status(world: World, campaign: str = CAMPAIGN) -> CampaignStatus:
    return world.campaigns.get(campaign).status


def test_too_many_bounces_pause_every_running_campaign(
    sent: World, logged: Callable[[], str]
) -> None:
    many(sent, 198)  # and the two: 200
    other, draft = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
    now = sent.clock.now()
    sent.campaigns.create(Campaign(other, "a", "b", "c", now, status=CampaignStatus.SENDING))
    sent.campaigns.create(Campaign(draft, "a", "b", "c", now))
    strangers(sent, "Bounce", range(10), bounceType="Permanent")
    assert status(sent) is CampaignStatus.SENDING
    assert "ReputationBreach" not in logged()
    strangers(sent, "Bounce", range(10, 11), bounceType="Permanent")
    assert status(sent) is status(sent, other) is CampaignStatus.PAUSED
    assert sent.campaigns.get(other).pause_reason is PauseReason.REPUTATION
    assert status(sent, draft) is CampaignStatus.DRAFT
    written = logged()
    assert '"ReputationBreach"' in written
    assert '"service":"test"' in written  # the alarm's dimension
    assert reason(sent) == "eligible"


def test_who_resumes_is_not_paused_again_by_the_same_bounces(sent: World) -> None:
    many(sent, 198)
    strangers(sent, "Bounce", range(11), bounceType="Permanent")
    resume(sent)
    strangers(sent, "Bounce", range(11), bounceType="Permanent")  # duplicates
    strangers(sent, "Bounce", range(20, 25), bounceType="Permanent")
    assert status(sent) is CampaignStatus.SENDING
    strangers(sent, "Bounce", range(25, 26), bounceType="Permanent")
    assert status(sent) is CampaignStatus.PAUSED


def resume(world: World) -> None:
    campaign = world.campaigns.get(CAMPAIGN)
    world.campaigns.save(campaign, lifecycle.resumed(campaign))


def test_complaints_have_a_limit_of_their_own(sent: World) -> None:
    many(sent, 1998)
    strangers(sent, "Complaint", range(2))
    assert status(sent) is CampaignStatus.SENDING
    strangers(sent, "Complaint", range(2, 3))
    assert status(sent) is CampaignStatus.PAUSED


def test_soft_bounces_count_towards_neither(sent: World) -> None:
    strangers(sent, "Bounce", range(30), bounceType="Transient")
    assert status(sent) is CampaignStatus.SENDING


def test_the_pause_gives_way_to_whoever_saves_meanwhile(sent: World) -> None:
    """Somebody cancels, or saves something else, between our reading and our saving."""
    deps = sent.ses_feedback()
    campaign = sent.campaigns.get(CAMPAIGN)
    saves: list[int] = []
    real = deps.campaigns.save

    def save(read: Campaign, changed: Campaign) -> Campaign:
        saves.append(1)
        if len(saves) == 1:
            raise Conflict("changed_meanwhile", "")
        return real(read, changed)

    deps.campaigns.save = save  # type: ignore[method-assign,assignment]
    ses_feedback._pause(campaign, deps)
    assert status(sent) is CampaignStatus.PAUSED
    saves.clear()
    ses_feedback._pause(campaign, deps)  # is not sending any more
    assert len(saves) == 1


# --- the stand-in's own events


@pytest.mark.parametrize(("kind", "expected"), [("Bounce", "bounced"), ("Complaint", "complained")])
def test_what_the_local_stand_in_reports_arrives(sent: World, kind: str, expected: str) -> None:
    """Mail to bounce@ and complaint@simulator.amazonses.com ends here when run locally."""
    tags = {"campaign": CAMPAIGN, "contact": id_of(HANAKO), "batch": f"{BATCH}.0"}
    raw = b"From: news@mail.example.jp\r\nTo: hanako.yamada@example.jp\r\nSubject: x\r\n\r\nx"
    mail = Outgoing("m1", "news@mail.example.jp", (HANAKO,), "optin", tags=tags, raw=raw)
    for name in ("Send", "Delivery", kind):
        tell(sent, describe(mail, name, sent.clock.now()))
    assert reason(sent) == expected
    figures = sent.figures.of(CAMPAIGN)
    assert figures.fates == {Fate.DELIVERED: 1, Fate(expected): 1}
