"""The projection: what a contact's registers hold after each kind of event (A2, D4)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.audience import variables_of
from shared.domain.contact import Contact, Register, apply, marks_of, newer, project
from shared.domain.events import Event, EventKind, Source

START = datetime(2026, 12, 1, tzinfo=UTC)
PERSONAL = {
    "address": "taro@example.jp",
    "typed": "ｔａｒｏ＠example.jp",
    "address_kind": "standard",
    "source_ip": "192.0.2.1",
    "user_agent": "agent",
    "field.name": "山田",
}


def event(
    kind: EventKind,
    hour: int = 0,
    *,
    source: Source = Source.WEB_FORM,
    details: Mapping[str, str] | None = None,
    personal: Mapping[str, str] | None = None,
    consent_hour: int | None = None,
) -> Event:
    return Event(
        "c" * 32,
        f"{kind}-{hour}",
        kind,
        START + timedelta(hours=hour),
        source,
        details=details or {},
        personal=personal or {},
        consent_at=None if consent_hour is None else START + timedelta(hours=consent_hour),
    )


def state(*events: Event) -> Contact:
    return project("c" * 32, events)


def test_nobody() -> None:
    nobody = Contact("c" * 32)
    assert nobody == state()
    assert nobody.get(Register.ADDRESS) is None
    assert (nobody.address, nobody.typed, nobody.address_kind, nobody.region) == ("", "", "", "")
    assert not nobody.is_pending
    assert not nobody.is_listed


def test_address_and_what_was_typed() -> None:
    """A2; beside the marks only the address and what a campaign may address people by."""
    contact = state(event(EventKind.NOTIFIED, personal=PERSONAL))
    assert (contact.address, contact.typed) == ("taro@example.jp", "ｔａｒｏ＠example.jp")
    assert contact.address_kind == "standard"
    assert contact.name == "山田"
    assert "192.0.2.1" not in repr(contact)


def test_erasure_removes_the_address_and_a_late_older_post_does_not_bring_it_back() -> None:
    """R1: also when the post arrives after the erasure it precedes."""
    post = event(EventKind.NOTIFIED, 0, personal=PERSONAL)
    erased = event(EventKind.ERASED, 1, personal=PERSONAL)
    for contact in (state(post, erased), state(erased, post)):
        assert contact.address == ""
        assert "taro" not in repr(contact.registers)
        assert not contact.is_listed
    assert state(erased, event(EventKind.NOTIFIED, 2, personal=PERSONAL)).address


def test_an_opt_in_waits_for_an_advisor_until_confirmed_or_refused() -> None:
    """A3."""
    ticked = event(EventKind.OPTED_IN, 0, source=Source.MUNICIPAL_LP, personal=PERSONAL)
    assert state(ticked).is_pending
    assert not state(ticked).is_listed
    confirmed = state(ticked, event(EventKind.REGISTERED, 1, consent_hour=0))
    assert not confirmed.is_pending
    assert confirmed.is_listed
    for kind in (EventKind.UNSUBSCRIBED, EventKind.COMPLAINED, EventKind.ERASED):
        assert not state(ticked, event(kind, 1)).is_pending
    assert state(event(EventKind.UNSUBSCRIBED, -1), ticked).is_pending


def test_a_registration_counts_from_the_tick() -> None:
    """A3, S4: the mark of the yes stands where the box was ticked."""
    contact = state(event(EventKind.REGISTERED, 5, consent_hour=1))
    mark = contact.get(Register.EXPLICIT_YES)
    assert mark is not None
    assert mark.at == START + timedelta(hours=1)
    assert mark.event_id == "registered-5"
    assert mark.source is Source.WEB_FORM


def test_the_index_never_hides_a_later_yes_where_clocks_disagree() -> None:
    """A confirmation stamped before the tick it confirms does not fall behind a refusal."""
    contact = state(
        event(EventKind.UNSUBSCRIBED, 3), event(EventKind.REGISTERED, 1, consent_hour=4)
    )
    assert contact.is_listed


@pytest.mark.parametrize("source", list(Source))
def test_a_notice_suffices_only_on_a_web_form_or_in_person(source: Source) -> None:
    """A1, A4, A5: a municipal form needs the box, the phone an answer."""
    noted = state(event(EventKind.NOTIFIED, source=source)).get(Register.NOTIFIED)
    assert (noted is not None) == (source in {Source.WEB_FORM, Source.IN_PERSON})


def test_an_unticked_box_takes_nothing_away() -> None:
    """Rule 3: neither a yes nor a refusal."""
    before = state(event(EventKind.PHONE_ACCEPTED, 0))
    after = apply(before, event(EventKind.BOX_LEFT_UNTICKED, 1))
    assert Register.UNTICKED in after.registers
    assert {**after.registers, Register.UNTICKED: None} == {
        **before.registers, Register.UNTICKED: None,
    }  # fmt: skip


def test_an_optional_reason_changes_nothing() -> None:
    """規8: gates nothing."""
    assert marks_of(event(EventKind.UNSUBSCRIBE_REASON, details={"reason": "x"})) == {}


def test_only_the_values_that_rules_need_are_kept() -> None:
    details = {"region": "EU", "request_id": "r", "operator": "cs-1", "page_url": "https://x"}
    contact = state(event(EventKind.RESIDENCE_STATED, details=details))
    assert contact.region == "EU"
    assert contact.registers[Register.RESIDENCE].values == {"region": "EU", "operator": "cs-1"}


def test_the_latest_write_wins_and_versions_count_events() -> None:
    early, late = event(EventKind.BOUNCED, 1), event(EventKind.BOUNCED, 2)
    assert state(late, early).registers == state(early, late).registers
    assert state(late, early, late, early).version == 2
    known = state(late)
    assert newer(known, marks_of(early)) == {}
    assert newer(known, marks_of(late)) == {}
    assert newer(state(early), marks_of(late)) == marks_of(late)


def test_each_hold_has_registers_of_its_own() -> None:
    """S2, U1: whichever arrives first, only what placed a hold ends it; at once, it stands."""
    case, other = {"case_id": "1" * 32}, {"case_id": "2" * 32}
    held = event(EventKind.HELD, 1, details=case)
    by_bounces = event(EventKind.HELD, 2, details={"reason": "soft_bounces"})
    for facts in itertools.permutations([held, by_bounces]):
        assert set(state(*facts).holds) == {"1" * 32, "soft_bounces"}
        assert not state(*facts).is_listed
    assert set(state(held, event(EventKind.RELEASED, 3, details=other)).holds) == {"1" * 32}
    assert set(state(held, event(EventKind.RELEASED, 1, details=case)).holds) == {"1" * 32}
    released = state(event(EventKind.RELEASED, 2, details=case), held)
    assert not released.holds
    assert released.is_listed


def test_a_move_takes_the_address_away_from_one_and_brings_it_to_the_other() -> None:
    """R1."""
    given = event(EventKind.PHONE_ACCEPTED, 0, personal=PERSONAL)
    away = event(EventKind.MOVED, 1, details={"to": "d" * 32})
    assert state(given).moved_to == ""
    for contact in (state(given, away), state(away, given)):
        assert (contact.address, contact.name, contact.moved_to) == ("", "", "d" * 32)
        assert not contact.is_listed
    back = event(EventKind.MOVED, 2, details={"from": "d" * 32}, personal=PERSONAL)
    again = state(given, away, back)
    assert (again.address, again.name, again.moved_to) == ("taro@example.jp", "山田", "")
    assert again.is_listed


def test_every_kind_is_projected() -> None:
    """A new kind of event must be given a register, or be named here as having none."""
    none = {EventKind.UNSUBSCRIBE_REASON, EventKind.SOFT_BOUNCED}
    assert {kind for kind in EventKind if not marks_of(event(kind))} == none


def test_a_campaign_may_say_what_people_said_of_themselves_until_they_are_erased() -> None:
    personal = {
        "address": "taro@example.jp", "typed": "taro@example.jp", "address_kind": "standard",
        "field.name": "山田太郎", "field.company": "山田商店",
    }  # fmt: skip
    at = datetime(2026, 11, 24, tzinfo=UTC)
    posted = Event(
        "ab" * 16, "0" * 24, EventKind.NOTIFIED, at, Source.WEB_FORM,
        {"municipality": "さくら市"}, personal,
    )  # fmt: skip
    erased = Event("ab" * 16, "1" * 24, EventKind.ERASED, at + timedelta(days=1), Source.STAFF)
    assert variables_of(project("ab" * 16, [posted])) == {
        "name": "山田太郎",
        "organization": "山田商店",
        "municipality": "さくら市",
    }
    nothing = {"name": "", "organization": "", "municipality": ""}
    assert variables_of(project("ab" * 16, [posted, erased])) == nothing
    assert variables_of(project("ab" * 16, [])) == nothing


def test_what_is_older_than_an_erasure_may_not_be_kept() -> None:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    erased = Event("ab" * 16, "1" * 24, EventKind.ERASED, at, Source.STAFF)
    contact = project("ab" * 16, [erased])
    moments = (at - timedelta(days=1), at, at + timedelta(milliseconds=1))
    assert [contact.erased_since(moment) for moment in moments] == [True, True, False]
    assert not project("ab" * 16, []).erased_since(at)
