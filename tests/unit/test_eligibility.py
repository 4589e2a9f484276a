"""The rule case by case: the verdict, its reason, clause, evidence and sentence (U1)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.address import AddressKind
from shared.domain.contact import project
from shared.domain.eligibility import Condition, Profile, Verdict, judge, refusal_stands
from shared.domain.events import Event, EventKind, Source

K = EventKind
ADDRESS = {"address": "a@example.jp", "typed": "a@example.jp", "address_kind": "standard"}
LEGACY = {**ADDRESS, "address_kind": AddressKind.LEGACY_CARRIER.value}
CASE, OTHER_CASE = ({"details": {"case_id": digit * 32}} for digit in "12")
AWAY = {"details": {"to": "d" * 32}}
BACK = {"details": {"from": "d" * 32}, "personal": ADDRESS}


def history(*kinds: EventKind | tuple[EventKind, dict[str, Any]]) -> list[Event]:
    """One event an hour; the first brings the address."""
    events = []
    for hour, item in enumerate(kinds):
        kind, more = item if isinstance(item, tuple) else (item, {})
        events.append(
            Event(
                "c" * 32,
                f"e{hour}",
                kind,
                datetime(2026, 12, 1, hour, tzinfo=UTC),
                more.pop("source", Source.WEB_FORM),
                **{"personal": ADDRESS if hour == 0 else {}, **more},
            )
        )
    return events


def verdict(
    *kinds: EventKind | tuple[EventKind, dict[str, Any]], profile: Profile = Profile.MANUAL
) -> Verdict:
    return judge(project("c" * 32, history(*kinds)), profile)


def condition(found: Verdict, name: str) -> Condition:
    return next(c for c in found.conditions if c.name == name)


EU: tuple[EventKind, dict[str, Any]] = (K.RESIDENCE_STATED, {"details": {"region": "EU"}})
JP: tuple[EventKind, dict[str, Any]] = (K.RESIDENCE_STATED, {"details": {"region": "JP"}})


def confirmed(hour: int) -> tuple[EventKind, dict[str, Any]]:
    """The registration of the opt-in of that hour."""
    return K.REGISTERED, {
        "source": Source.STAFF,
        "details": {"submission_id": f"e{hour}", "operator": "cs-1"},
        "consent_at": datetime(2026, 12, 1, hour, tzinfo=UTC),
    }


# (history, manual's reason, statute's reason)
CASES: list[tuple[str, tuple[Any, ...], str, str]] = [
    ("A1 nothing but an unticked box", (K.BOX_LEFT_UNTICKED,), "box_left_unticked", "="),
    ("A3 ticked, not confirmed", (K.OPTED_IN,), "opt_in_unconfirmed", "="),
    ("A3 ticked and confirmed", (K.OPTED_IN, confirmed(0)), "eligible", "eligible"),
    ("A4 notice", (K.NOTIFIED,), "eligible", "statute_no_consent"),
    ("A4 notice, refused", (K.NOTIFIED, K.IN_PERSON_REFUSED), "in_person_refused", "="),
    ("A4 yes in person", (K.IN_PERSON_ACCEPTED,), "eligible", "eligible"),
    ("A5 yes on the phone", (K.PHONE_ACCEPTED,), "eligible", "eligible"),
    ("A5 no on the phone", (K.PHONE_REFUSED,), "phone_refused", "="),
    ("A5 registered, then no on the phone",
     (K.OPTED_IN, confirmed(0), K.PHONE_REFUSED), "phone_refused", "="),
    ("A2 imported consent", (K.IMPORTED_CONSENT,), "eligible", "eligible"),
    ("A4 imported notice", (K.IMPORTED_NOTICE,), "eligible", "statute_no_consent"),
    ("rule 6 notice and a business relationship",
     (K.NOTIFIED, K.BASIS_RECORDED), "eligible", "eligible"),
    ("rule 1 a business relationship alone", ((K.BASIS_RECORDED, {}),), "no_permission", "="),
    ("rule 3 unticked later takes nothing away",
     (K.PHONE_ACCEPTED, K.BOX_LEFT_UNTICKED), "eligible", "eligible"),
    ("rule 3 unticked after a notice",
     (K.NOTIFIED, K.BOX_LEFT_UNTICKED), "eligible", "statute_no_consent"),
    ("S1 unsubscribed", (K.NOTIFIED, K.UNSUBSCRIBED), "unsubscribed", "="),
    ("S4 complaint", (K.PHONE_ACCEPTED, K.COMPLAINED), "complained", "="),
    ("rule 3 a notice never restores",
     (K.NOTIFIED, K.UNSUBSCRIBED, K.NOTIFIED), "unsubscribed", "="),
    ("rule 3 an import never restores",
     (K.NOTIFIED, K.UNSUBSCRIBED, K.IMPORTED_CONSENT), "unsubscribed", "="),
    ("rule 3 a new tick restores only once confirmed",
     (K.NOTIFIED, K.UNSUBSCRIBED, K.OPTED_IN), "unsubscribed", "="),
    ("rule 3 a new tick, confirmed, restores",
     (K.NOTIFIED, K.UNSUBSCRIBED, K.OPTED_IN, confirmed(2)), "eligible", "eligible"),
    ("rule 3 confirming a tick from before the refusal restores nothing",
     (K.OPTED_IN, K.UNSUBSCRIBED, confirmed(0)), "unsubscribed", "="),
    ("rule 3 yes on the phone restores",
     (K.NOTIFIED, K.COMPLAINED, K.PHONE_ACCEPTED), "eligible", "eligible"),
    ("S1 undo is an explicit yes",
     (K.NOTIFIED, K.UNSUBSCRIBED, K.RESUBSCRIBED), "eligible", "eligible"),
    ("rule 2 refused again",
     (K.NOTIFIED, K.UNSUBSCRIBED, K.RESUBSCRIBED, K.UNSUBSCRIBED), "unsubscribed", "="),
    ("R1 erased", (K.PHONE_ACCEPTED, K.ERASED), "no_address", "="),
    ("R1 erased, address given again with a notice",
     (K.PHONE_ACCEPTED, K.ERASED, (K.NOTIFIED, {"personal": ADDRESS})), "erased", "="),
    ("R1 erased, imported again",
     (K.PHONE_ACCEPTED, K.ERASED, (K.IMPORTED_CONSENT, {"personal": ADDRESS})), "erased", "="),
    ("R1 erased, then a new explicit yes with the address",
     (K.NOTIFIED, K.ERASED, (K.PHONE_ACCEPTED, {"personal": ADDRESS})), "eligible", "eligible"),
    ("rule 4 bounced", (K.PHONE_ACCEPTED, K.BOUNCED), "bounced", "="),
    ("rule 4 a yes does not lift a bounce",
     (K.NOTIFIED, K.BOUNCED, K.PHONE_ACCEPTED), "bounced", "="),
    ("rule 4 bounce lifted", (K.PHONE_ACCEPTED, K.BOUNCED, K.BOUNCE_LIFTED), "eligible", "="),
    ("rule 4 bounced again",
     (K.PHONE_ACCEPTED, K.BOUNCED, K.BOUNCE_LIFTED, K.BOUNCED), "bounced", "="),
    ("E1 old mobile address", ((K.PHONE_ACCEPTED, {"personal": LEGACY}),), "legacy_address", "="),
    ("S2 held", (K.PHONE_ACCEPTED, K.HELD), "held", "="),
    ("S2 released", (K.PHONE_ACCEPTED, K.HELD, K.RELEASED), "eligible", "="),
    ("S2 held again", (K.PHONE_ACCEPTED, K.HELD, K.RELEASED, K.HELD), "held", "="),
    ("S2 held by a case", (K.PHONE_ACCEPTED, (K.HELD, CASE)), "held", "="),
    ("S2 a case's hold is not ended by another",
     (K.PHONE_ACCEPTED, (K.HELD, CASE), K.RELEASED, (K.RELEASED, OTHER_CASE)), "held", "="),
    ("S2 two holds, one ended",
     (K.PHONE_ACCEPTED, (K.HELD, CASE), K.HELD, (K.RELEASED, CASE)), "held", "="),
    ("S2 two holds, both ended",
     (K.PHONE_ACCEPTED, (K.HELD, CASE), K.HELD, (K.RELEASED, CASE), K.RELEASED),
     "eligible", "="),
    ("R1 changed to another address", (K.PHONE_ACCEPTED, (K.MOVED, AWAY)), "moved", "="),
    ("R1 a notice or an import does not bring the old address back",
     (K.PHONE_ACCEPTED, (K.MOVED, AWAY), (K.NOTIFIED, {"personal": ADDRESS}),
      (K.IMPORTED_CONSENT, {"personal": ADDRESS})), "moved", "="),
    ("R1 a new yes at the old address does",
     (K.NOTIFIED, (K.MOVED, AWAY), (K.PHONE_ACCEPTED, {"personal": ADDRESS})), "eligible", "="),
    ("R1 and changing back does",
     (K.PHONE_ACCEPTED, (K.MOVED, AWAY), (K.MOVED, BACK)), "eligible", "="),
    ("L1 EU, notice only", (K.NOTIFIED, EU), "overseas_no_yes", "="),
    ("L1 EU, unconfirmed tick beside a notice", (K.NOTIFIED, K.OPTED_IN, EU),
     "overseas_no_yes", "="),
    ("L1 EU, yes", (K.NOTIFIED, EU, K.PHONE_ACCEPTED), "eligible", "eligible"),
    ("L1 EU, imported yes", (K.IMPORTED_CONSENT, EU), "eligible", "eligible"),
    ("L1 moved to Japan", (K.NOTIFIED, EU, JP), "eligible", "statute_no_consent"),
    ("L1 EU, business relationship", (K.NOTIFIED, EU, K.BASIS_RECORDED), "overseas_no_yes", "="),
]  # fmt: skip


@pytest.mark.parametrize(("case", "kinds", "manual", "statute"), CASES, ids=[c[0] for c in CASES])
def test_case(case: str, kinds: tuple[Any, ...], manual: str, statute: str) -> None:
    kinds = tuple((k[0], dict(k[1])) if isinstance(k, tuple) else k for k in kinds)
    copy = tuple((k[0], dict(k[1])) if isinstance(k, tuple) else k for k in kinds)
    assert verdict(*kinds).reason == manual
    assert verdict(*copy, profile=Profile.STATUTE).reason == (manual if statute == "=" else statute)


def test_never_heard_of() -> None:
    """U1: default deny."""
    nobody = judge(project("c" * 32, []), Profile.MANUAL)
    assert not nobody.eligible
    assert nobody.reason == "no_address"
    assert condition(nobody, "permission").reason == "no_permission"
    assert condition(nobody, "refusal").reason == "never_refused"


def test_a_refusal_in_the_same_moment_wins() -> None:
    """S4: whatever the order of ids within one millisecond."""
    at = datetime(2026, 12, 1, tzinfo=UTC)
    for yes_id, no_id in (("1", "2"), ("2", "1")):
        contact = project("c" * 32, [
            Event("c" * 32, yes_id, K.PHONE_ACCEPTED, at, Source.PHONE, personal=ADDRESS),
            Event("c" * 32, no_id, K.UNSUBSCRIBED, at + timedelta(microseconds=1), Source.LINK),
        ])  # fmt: skip
        assert refusal_stands(contact)
        assert judge(contact, Profile.MANUAL).reason == "unsubscribed"


def test_whether_a_refusal_stands() -> None:
    """What the unsubscribe page asks: may this person undo?"""
    assert not refusal_stands(project("c" * 32, []))
    assert refusal_stands(project("c" * 32, history(K.UNSUBSCRIBED)))
    assert not refusal_stands(project("c" * 32, history(K.UNSUBSCRIBED, K.RESUBSCRIBED)))


@pytest.mark.parametrize(
    ("kinds", "name", "clause", "evidence"),
    [
        ((K.OPTED_IN, confirmed(0)), "permission", "A3", "e1"),
        ((K.PHONE_ACCEPTED,), "permission", "A5", "e0"),
        ((K.IN_PERSON_ACCEPTED,), "permission", "A4", "e0"),
        ((K.NOTIFIED,), "permission", "A4", "e0"),
        ((K.NOTIFIED, K.UNSUBSCRIBED), "refusal", "S4", "e1"),
        ((K.NOTIFIED, K.UNSUBSCRIBED, K.RESUBSCRIBED), "refusal", "S4", "e2"),
        ((K.NOTIFIED, K.UNSUBSCRIBED, K.RESUBSCRIBED), "permission", "S1", "e2"),
        ((K.NOTIFIED, K.PHONE_REFUSED), "refusal", "A5", "e1"),
        ((K.NOTIFIED, K.ERASED), "refusal", "R1", "e1"),
        ((K.NOTIFIED, K.BOUNCED), "deliverable", "U1", "e1"),
        ((K.NOTIFIED, K.HELD), "hold", "U1", "e1"),
        ((K.NOTIFIED, (K.HELD, CASE)), "hold", "S2", "e1"),
        ((K.NOTIFIED, (K.HELD, CASE), (K.HELD, OTHER_CASE), K.HELD), "hold", "S2", "e2"),
        ((K.NOTIFIED, (K.HELD, CASE), K.HELD, (K.RELEASED, CASE)), "hold", "U1", "e2"),
        ((K.NOTIFIED, (K.MOVED, AWAY)), "address", "R1", "e1"),
        ((K.NOTIFIED, EU), "overseas", "L1", "e1"),
    ],
)
def test_the_evidence_is_the_fact_itself(
    kinds: tuple[Any, ...], name: str, clause: str, evidence: str
) -> None:
    """For any address: each condition with its evidence and the manual's article."""
    kinds = tuple((k[0], dict(k[1])) if isinstance(k, tuple) else k for k in kinds)
    found = condition(verdict(*kinds), name)
    assert found.clause == clause
    assert found.evidence is not None
    assert found.evidence.event_id == evidence


def test_statute_cites_the_law_and_manual_does_not_ask() -> None:
    found = condition(verdict(K.NOTIFIED, profile=Profile.STATUTE), "statute")
    assert "法3条" in found.clause
    assert "statute" not in {c.name for c in verdict(K.NOTIFIED).conditions}
    assert json.dumps(Profile.STATUTE) == '"statute"'
