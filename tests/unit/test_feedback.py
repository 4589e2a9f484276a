"""What SES reports, read in both shapes, and what follows from it (S4, U1, law-and-mail E5)."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.contact import Contact, Register, project
from shared.domain.eligibility import Profile, judge
from shared.domain.errors import BadRequest, Conflict
from shared.domain.events import Event, EventKind, Source
from shared.domain.feedback import (
    Breach,
    Counts,
    Limits,
    Notice,
    NoticeKind,
    Recipient,
    breach,
    facts_of,
    hold_after,
    is_ours,
    liftings,
    read,
)

NOW = datetime(2026, 12, 1, tzinfo=UTC)
STAMP = "2026-12-01T00:00:00.000Z"
WHO = "a" * 32
CAMPAIGN = "5f2b8c0d9e71"
PARTS = {
    "Send": "send", "Delivery": "delivery", "Bounce": "bounce", "Complaint": "complaint",
    "Reject": "reject", "Rendering Failure": "failure", "DeliveryDelay": "deliveryDelay",
}  # fmt: skip


def detail(kind: str, *to: str, key: str = "eventType", **part: Any) -> dict[str, Any]:
    tags = {"ses:configuration-set": ["optin"], "campaign": [CAMPAIGN], "contact": [WHO]}
    mail: dict[str, Any] = {
        "timestamp": "2026-11-30T23:59:00.000Z",
        "messageId": "m1",
        "destination": list(to or ("a@example.jp",)),
        "sourceArn": "arn:aws:ses:ap-northeast-1:123456789012:identity/mail.example.jp",
    }
    if key == "eventType":
        mail["tags"] = {**tags, "batch": ["b1.7"]}
    return {key: kind, "mail": mail, PARTS.get(kind, "x"): part}


def envelope(**changes: Any) -> dict[str, Any]:
    return {"source": "aws.ses", "detail": detail("Send"), **changes}


# --- whose event it is


def test_ours_by_configuration_set_or_else_by_domain() -> None:
    assert is_ours(envelope(), "optin", "mail.example.jp")
    assert not is_ours(envelope(), "another", "mail.example.jp")
    assert not is_ours(envelope(source="com.example"), "optin", "mail.example.jp")
    without_tags = envelope(detail=detail("Bounce", key="notificationType"))
    assert is_ours(without_tags, "optin", "mail.example.jp")
    assert not is_ours(without_tags, "optin", "example.jp")
    odd_ones: list[dict[str, Any]] = [{}, {"detail": []}, {"detail": {}}, {"detail": {"mail": "x"}}]
    for odd in odd_ones:
        assert not is_ours({"source": "aws.ses", **odd}, "optin", "mail.example.jp")


# --- reading


@pytest.mark.parametrize("key", ["eventType", "notificationType"])
@pytest.mark.parametrize("name", PARTS)
def test_every_kind_in_both_shapes(name: str, key: str) -> None:
    notice = read(detail(name, key=key, timestamp=STAMP))
    assert notice is not None
    assert notice.kind.value.replace("_", " ") in {name.lower(), "delay"}
    assert (notice.message_id, notice.at) == ("m1", NOW)
    assert [r.address for r in notice.recipients] == ["a@example.jp"]
    tagged = key == "eventType"
    assert (notice.campaign_id, notice.contact_id, notice.slot) == (
        (CAMPAIGN, WHO, "b1.7") if tagged else ("", "", "")
    )


def test_a_notice_without_a_time_of_its_own_has_the_mails() -> None:
    notice = read(detail("Send"))
    assert notice is not None
    assert notice.at == NOW - timedelta(minutes=1)


def test_all_recipients_and_what_their_servers_said() -> None:
    people = [
        {"emailAddress": "a@example.jp", "status": "5.1.1", "diagnosticCode": "smtp; 550"},
        {"emailAddress": "b@example.jp"},
    ]
    both = ("a@example.jp", "b@example.jp")
    notice = read(detail("Bounce", *both, bounceType="Permanent", bouncedRecipients=people))
    assert notice is not None
    assert notice.recipients == (
        Recipient("a@example.jp", "5.1.1", "smtp; 550"),
        Recipient("b@example.jp"),
    )
    # A tag names one person; of a mail to two it says nothing.
    assert (notice.campaign_id, notice.contact_id, notice.slot) == (CAMPAIGN, "", "")


@pytest.mark.parametrize(
    ("name", "value"),
    [("campaign", ["../x"]), ("contact", ["A" * 32]), ("batch", ["b1"]), ("batch", ["b1.100"])],
)
def test_tags_that_are_not_ours_say_nothing(name: str, value: list[str]) -> None:
    told = detail("Send")
    told["mail"]["tags"][name] = value
    notice = read(told)
    assert notice is not None
    field = {"campaign": "campaign_id", "contact": "contact_id", "batch": "slot"}[name]
    assert getattr(notice, field) == ""


def test_unknown_kinds_mean_nothing_and_broken_ones_are_refused() -> None:
    assert read(detail("Open")) is None
    assert read({}) is None
    broken = detail("Bounce", timestamp="yesterday")
    with pytest.raises(BadRequest):
        read(broken)
    with pytest.raises(BadRequest):
        read({"eventType": "Bounce", "mail": {}})
    with pytest.raises(BadRequest):
        read({"eventType": "Bounce"})
    with pytest.raises(BadRequest):
        read(detail("Bounce", bouncedRecipients=["a@example.jp"]))
    with pytest.raises(BadRequest):
        read({**detail("Bounce"), "mail": []})


# --- facts


def fact(kind: NoticeKind, type_: str = "", sub_type: str = "", **recipient: str) -> Event | None:
    person = Recipient(**{"address": "a@example.jp", **recipient})
    notice = Notice(kind, "m1", NOW, (person,), type_, sub_type, CAMPAIGN)
    found = facts_of(notice, [(WHO, person)])
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("type_", "sub_type", "recipient", "kind", "reason"),
    [
        ("Permanent", "General", {}, EventKind.BOUNCED, "permanent"),
        ("Permanent", "NoEmail", {"status": "5.1.1"}, EventKind.BOUNCED, "permanent"),
        ("Permanent", "OnAccountSuppressionList", {}, EventKind.BOUNCED, "suppressed"),
        ("Permanent", "Suppressed", {}, EventKind.BOUNCED, "suppressed"),
        ("Transient", "MailboxFull", {}, EventKind.SOFT_BOUNCED, "MailboxFull"),
        ("Undetermined", "", {}, EventKind.SOFT_BOUNCED, "Undetermined"),
        ("", "", {}, EventKind.SOFT_BOUNCED, "transient"),
    ],
)
def test_bounces(
    type_: str, sub_type: str, recipient: dict[str, str], kind: EventKind, reason: str
) -> None:
    found = fact(NoticeKind.BOUNCE, type_, sub_type, **recipient)
    assert found is not None
    assert (found.kind, found.source, found.at) == (kind, Source.SES, NOW)
    assert found.details["reason"] == reason
    assert (found.details["campaign_id"], found.details["message_id"]) == (CAMPAIGN, "m1")
    assert not found.personal
    assert "example.jp" not in repr(found)


@pytest.mark.parametrize("sub_type", ["MessageTooLarge", "ContentRejected", "AttachmentRejected"])
def test_a_bounce_about_the_message_says_nothing_about_the_person(sub_type: str) -> None:
    assert fact(NoticeKind.BOUNCE, "Transient", sub_type) is None


@pytest.mark.parametrize(
    "domain",
    ["docomo.ne.jp", "ezweb.ne.jp", "au.com", "softbank.ne.jp", "i.softbank.jp",
     "t.vodafone.ne.jp", "Docomo.NE.jp"],
)  # fmt: skip
def test_carriers_say_unknown_for_filtered(domain: str) -> None:
    """law-and-mail E5: "User unknown" may be a filter there, and only there."""
    said = {"diagnostic": "smtp; 550 Unknown user taro", "status": "5.0.0"}
    found = fact(NoticeKind.BOUNCE, "Permanent", "General", address=f"taro@{domain}", **said)
    assert found is not None
    assert found.details["reason"] == "unknown_or_filtered"
    other = fact(NoticeKind.BOUNCE, "Permanent", "General", address=f"taro@{domain}")
    assert other is not None
    assert other.details["reason"] == "permanent"
    elsewhere = fact(
        NoticeKind.BOUNCE, "Permanent", "General", address=f"taro@{domain}.example.jp", **said
    )
    assert elsewhere is not None
    assert elsewhere.details["reason"] == "permanent"


def test_complaints_stop_and_are_never_bounces() -> None:
    found = fact(NoticeKind.COMPLAINT, "abuse")
    assert found is not None
    assert (found.kind, found.details["reason"]) == (EventKind.COMPLAINED, "abuse")
    silent = fact(NoticeKind.COMPLAINT, "", "OnAccountSuppressionList")
    assert silent is not None
    assert (silent.kind, silent.details["reason"]) == (EventKind.COMPLAINED, "complaint")
    # A type that belongs to bounces does not make it one.
    mixed = fact(NoticeKind.COMPLAINT, "Permanent")
    assert mixed is not None
    assert mixed.kind is EventKind.COMPLAINED
    assert fact(NoticeKind.COMPLAINT, "not-spam") is None


def test_other_kinds_are_no_facts_about_the_person() -> None:
    for kind in set(NoticeKind) - {NoticeKind.BOUNCE, NoticeKind.COMPLAINT}:
        assert fact(kind) is None


def test_a_duplicate_is_the_same_fact_and_another_person_another() -> None:
    person = Recipient("a@example.jp")
    notice = Notice(NoticeKind.COMPLAINT, "m1", NOW, (person,), "abuse")
    one, other = facts_of(notice, [(WHO, person), ("b" * 32, person), (WHO, person)])
    assert one == facts_of(notice, [(WHO, person)])[0]
    assert one.event_id != other.event_id
    assert "campaign_id" not in one.details


# --- soft bounces hold


def soft(day: float, message: str = "", kind: EventKind = EventKind.SOFT_BOUNCED) -> Event:
    at = NOW + timedelta(days=day)
    details = {"message_id": message or f"m{day}"}
    return Event(WHO, f"{kind}{day}", kind, at, Source.SES, details)


def hold(history: list[Event], bounce: Event) -> Event | None:
    return hold_after(history, bounce, bounces=3, within=timedelta(days=30))


def test_repeated_soft_bounces_hold_whatever_their_order() -> None:
    bounces = [soft(0), soft(10), soft(20)]
    for order in itertools.permutations(bounces):
        assert hold([], order[0]) is None
        assert hold([order[0]], order[1]) is None
        held = hold([*order[:2]], order[2])
        assert held is not None
        assert (held.kind, held.at) == (EventKind.HELD, NOW + timedelta(days=20))
        assert held == hold(list(order), order[2])
    held = hold(bounces, bounces[2])
    assert held is not None
    contact = project(WHO, [*bounces, held])
    condition = next(c for c in judge(contact, Profile.MANUAL).conditions if c.name == "hold")
    assert (condition.met, condition.reason, condition.clause) == (False, "held", "U1")
    assert "届かなかった" in condition.ja


def test_few_slow_or_old_soft_bounces_do_not_hold() -> None:
    assert hold([soft(0), soft(10)], soft(31)) is None
    assert hold([soft(0), soft(10)], soft(30)) is not None
    assert hold([soft(0), soft(1, "m0")], soft(2)) is None  # two notices about one mail
    released = soft(15, kind=EventKind.RELEASED)
    assert hold([soft(0), soft(10), released], soft(20)) is None
    assert hold([soft(0), released, soft(20), soft(21)], soft(22)) is not None
    decided = Event(WHO, "r", EventKind.RELEASED, released.at, Source.STAFF, {"case_id": "1" * 32})
    assert hold([soft(0), soft(10), decided], soft(20)) is not None, "a case says nothing of mail"
    # One that came late and completes nothing new.
    assert hold([soft(0), soft(1), soft(2)], soft(-40)) is None


# --- staff lift


def lift(*history: Event) -> list[Event]:
    return liftings(
        WHO, history, operator="cs-1", reason="本人と確認", request_id="r1",
        now=NOW + timedelta(days=99),
    )  # fmt: skip


def held_for(day: float, **details: str) -> Event:
    at = NOW + timedelta(days=day)
    return Event(WHO, f"held{day}", EventKind.HELD, at, Source.SES, details)


def test_staff_lift_a_bounce_with_a_reason() -> None:
    bounced = soft(0, kind=EventKind.BOUNCED)
    [lifted] = lift(bounced)
    assert (lifted.kind, lifted.source) == (EventKind.BOUNCE_LIFTED, Source.STAFF)
    assert lifted.details["reason"] == "本人と確認"
    assert lifted.details["operator"] == "cs-1"
    assert Register.BOUNCE_LIFTED in project(WHO, [bounced, lifted]).registers
    assert lift(bounced, lifted) == [lifted]  # the same request again
    assert lift(bounced, soft(1, kind=EventKind.BOUNCE_LIFTED), soft(2, kind=EventKind.BOUNCED))
    with pytest.raises(Conflict):
        lift(bounced, soft(1, kind=EventKind.BOUNCE_LIFTED))
    with pytest.raises(Conflict):
        lift()


def test_staff_lift_a_hold_for_soft_bounces_and_no_other() -> None:
    """S2: a message that may mean "stop" is decided by reading it."""
    for_bounces, for_reply = held_for(0, reason="soft_bounces"), held_for(1, case_id="1" * 32)
    [released] = lift(for_bounces)
    assert (released.kind, released.details["operator"]) == (EventKind.RELEASED, "cs-1")
    assert lift(for_bounces, released) == [released]  # the same request again
    bounced = soft(0, kind=EventKind.BOUNCED)
    both = {EventKind.BOUNCE_LIFTED, EventKind.RELEASED}
    assert {e.kind for e in lift(bounced, for_bounces)} == both
    history = [bounced, for_bounces, for_reply]
    assert {e.kind for e in lift(*history)} == both
    contact = project(WHO, [*history, *lift(*history)])
    assert set(contact.holds) == {"1" * 32}, "the case's hold stands"
    with pytest.raises(Conflict):
        lift(for_reply)
    with pytest.raises(Conflict):
        lift(for_reply, for_bounces, soft(2, kind=EventKind.RELEASED))


def test_the_sentence_names_the_filter() -> None:
    bounced = Event(WHO, "e", EventKind.BOUNCED, NOW, Source.SES, {"reason": "unknown_or_filtered"})
    conditions = judge(project(WHO, [bounced]), Profile.MANUAL).conditions
    condition = next(c for c in conditions if c.name == "deliverable")
    assert (condition.met, condition.reason) == (False, "bounced")
    assert "受信拒否" in condition.ja
    assert judge(Contact(WHO), Profile.MANUAL).reason == "no_address"


# --- reputation

LIMITS = Limits()


@pytest.mark.parametrize(
    ("sent", "bounced", "complained", "expected"),
    [
        (0, 0, 0, None),
        (1000, 50, 0, None),
        (1000, 51, 0, Breach.BOUNCES),
        (1000, 0, 1, None),
        (1000, 0, 2, Breach.COMPLAINTS),
        (999, 0, 1, Breach.COMPLAINTS),
        (1000, 51, 2, Breach.COMPLAINTS),
        (100, 5, 0, None),
        (100, 6, 0, Breach.BOUNCES),
        (100, 0, 1, Breach.COMPLAINTS),
        # Too few for a rate: numbers count.
        (10, 5, 0, None),
        (10, 6, 0, Breach.BOUNCES),
        (99, 0, 1, None),
        (99, 0, 2, Breach.COMPLAINTS),
        (1, 1, 1, None),
    ],
)
def test_breach(sent: int, bounced: int, complained: int, expected: Breach | None) -> None:
    assert breach(Counts(sent, bounced, complained), LIMITS) is expected


def test_counts_since_a_pause() -> None:
    assert Counts(10, 5, 1).since(Counts(4, 2, 1)) == Counts(6, 3, 0)
    assert Counts(3, 2, 0).since(Counts(4, 2, 1)) == Counts(0, 0, 0)
