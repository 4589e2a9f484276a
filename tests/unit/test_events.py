"""Events: ids that survive a retry, times that sort as text (A2, D4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events import (
    Event,
    EventKind,
    Source,
    event_id,
    from_epoch_ms,
    parse_stamp,
    stamp,
)

JST = timezone(timedelta(hours=9))
moments = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001 (hypothesis adds the zone)
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(JST),
)


def test_stamp_is_utc_in_milliseconds() -> None:
    assert stamp(datetime(2026, 12, 1, 9, 0, 0, 1999, tzinfo=JST)) == "2026-12-01T00:00:00.001Z"


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        stamp(datetime(2026, 12, 1))  # noqa: DTZ001


@given(moments, moments)
def test_text_order_is_time_order(one: datetime, other: datetime) -> None:
    assert (stamp(one) < stamp(other)) == (parse_stamp(stamp(one)) < parse_stamp(stamp(other)))
    assert len(stamp(one)) == len(stamp(other))
    if one <= other:
        assert stamp(one) <= stamp(other)


@given(moments)
def test_stamp_round_trip(at: datetime) -> None:
    again = parse_stamp(stamp(at))
    assert timedelta(0) <= at - again < timedelta(milliseconds=1)
    assert stamp(again) == stamp(at)
    assert stamp(from_epoch_ms(round(again.timestamp() * 1000))) == stamp(at)


def test_event_id_names_the_fact() -> None:
    """A retry of the same request records the same fact, not a second one."""
    assert event_id("request-1", "opted_in") == event_id("request-1", "opted_in")
    assert event_id("request-1", "opted_in") != event_id("request-1", "notified")
    assert event_id("ab", "c") != event_id("a", "bc")
    assert len(event_id("x")) == 24


def test_keys() -> None:
    """A registration's yes counts from the moment the box was ticked (A3)."""
    at = datetime(2026, 12, 2, tzinfo=UTC)
    ticked = datetime(2026, 12, 1, tzinfo=UTC)
    event = Event("c", "e", EventKind.REGISTERED, at, Source.STAFF, consent_at=ticked)
    assert event.key == "2026-12-02T00:00:00.000Z#e"
    assert event.consent_key == "2026-12-01T00:00:00.000Z#e"
    assert Event("c", "e", EventKind.PHONE_ACCEPTED, at, Source.PHONE).consent_key == event.key
