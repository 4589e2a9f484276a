"""An advisor confirms an opt-in, or is told why not (A3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.contact import project
from shared.domain.eligibility import Profile, judge
from shared.domain.errors import Conflict, NotFound
from shared.domain.events import Event, EventKind, Source
from shared.domain.registration import confirmation
from shared.texts import consent

START = datetime(2026, 12, 1, tzinfo=UTC)
ADDRESS = {"address": "a@example.jp", "typed": "a@example.jp", "address_kind": "standard"}
WORDING = consent.by_ref("optin_checkbox/1/ja")


def event(kind: EventKind, hour: int, event_id: str | None = None) -> Event:
    return Event(
        "c" * 32,
        event_id or f"{kind}-{hour}",
        kind,
        START + timedelta(hours=hour),
        Source.MUNICIPAL_LP,
        details={"form_id": "city-a", "municipality": "A市", "page_url": "https://x"},
        personal=ADDRESS,
        wording=WORDING,
    )


def confirm(history: list[Event], submission_id: str = "tick", hour: int = 9) -> Event:
    return confirmation(
        project("c" * 32, history),
        history,
        submission_id,
        operator="cs-1",
        now=START + timedelta(hours=hour),
    )


TICK = event(EventKind.OPTED_IN, 1, "tick")


def test_confirmed() -> None:
    """A3, A2: the fact names the advisor, the submission and the very wording."""
    fact = confirm([TICK])
    assert fact.kind is EventKind.REGISTERED
    assert fact.at == START + timedelta(hours=9)
    assert fact.consent_at == TICK.at
    assert fact.wording is WORDING
    assert fact.details == {
        "submission_id": "tick", "operator": "cs-1", "form_id": "city-a", "municipality": "A市",
    }  # fmt: skip
    assert not fact.personal, "a registration repeats no personal data"
    assert judge(project("c" * 32, [TICK, fact]), Profile.STATUTE).eligible


def test_repeating_gives_the_first_confirmation() -> None:
    first = confirm([TICK])
    assert confirm([TICK, first], hour=20) is first
    # A second opt-in is another submission and has its own.
    other = event(EventKind.OPTED_IN, 3, "other")
    assert confirm([TICK, other, first], "other").details["submission_id"] == "other"


@pytest.mark.parametrize(
    "kind", [EventKind.BOX_LEFT_UNTICKED, EventKind.NOTIFIED, EventKind.UNSUBSCRIBED]
)
def test_no_opt_in_no_list(kind: EventKind) -> None:
    """A3: refused with the reason."""
    with pytest.raises(Conflict) as refused:
        confirm([event(kind, 1, "tick")])
    assert refused.value.code == "no_opt_in"
    assert "A3" in refused.value.ja


def test_unknown_submission() -> None:
    with pytest.raises(NotFound):
        confirm([TICK], "elsewhere")


@pytest.mark.parametrize(
    "kind",
    [EventKind.UNSUBSCRIBED, EventKind.PHONE_REFUSED, EventKind.COMPLAINED, EventKind.ERASED],
)
@pytest.mark.parametrize("hour", [1, 2])
def test_refused_since(kind: EventKind, hour: int) -> None:
    """S4: a refusal after the tick, or in its very moment, wins over a late confirmation."""
    with pytest.raises(Conflict) as refused:
        confirm([TICK, event(kind, hour)])
    assert refused.value.code == "refused_since"
    assert "S4" in refused.value.ja


def test_a_tick_after_a_refusal_can_be_confirmed() -> None:
    """Rule 3: a new explicit yes."""
    history = [event(EventKind.UNSUBSCRIBED, 0), TICK]
    assert judge(project("c" * 32, [*history, confirm(history)]), Profile.MANUAL).eligible


def test_repeating_after_a_refusal_restores_nothing() -> None:
    history = [TICK, confirm([TICK], hour=2), event(EventKind.UNSUBSCRIBED, 5)]
    again = confirm(history, hour=8)
    assert again is history[1]
    assert not judge(project("c" * 32, [*history, again]), Profile.MANUAL).eligible
