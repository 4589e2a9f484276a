"""Holds: a hold belongs to what placed it, and only that lifts it (manual S2, U1).

Several may stand at once: one for each case that is undecided, and one because mail does not
arrive. The address is held from mailing while any of them stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from shared.domain.contact import SOFT_BOUNCES, hold_of
from shared.domain.events import Event, EventKind, Source, event_id, stamp

_MOMENT = timedelta(milliseconds=1)


def standing(history: Iterable[Event]) -> frozenset[str]:
    """What holds a contact: case ids, and ``SOFT_BOUNCES``."""
    held, released = _last(history)
    return frozenset(
        hold
        for hold, at in held.items()
        if hold not in released or stamp(released[hold]) <= stamp(at)
    )


def held(contact_id: str, case_id: str, at: datetime, source: Source) -> Event:
    """The hold of a case."""
    return Event(
        contact_id=contact_id,
        event_id=event_id(case_id, EventKind.HELD, stamp(at)),
        kind=EventKind.HELD,
        at=at,
        source=source,
        details={"case_id": case_id},
    )


def released(
    history: Iterable[Event],
    hold: str,
    *,
    contact_id: str,
    at: datetime,
    source: Source,
    details: Mapping[str, str] = MappingProxyType({}),
) -> Event | None:
    """What ends one hold, whatever else holds; None where it does not stand.

    ``hold`` is a case id or ``SOFT_BOUNCES``. It counts even if the clock that dated the hold
    was ahead. A retry finds nothing standing.
    """
    history = list(history)
    if hold not in standing(history):
        return None
    since = _last(history)[0][hold]
    own = {} if hold == SOFT_BOUNCES else {"case_id": hold}
    return Event(
        contact_id=contact_id,
        event_id=event_id(hold, EventKind.RELEASED, stamp(since)),
        kind=EventKind.RELEASED,
        at=max(at, since + _MOMENT),
        source=source,
        details={**details, **own},
    )


def _last(history: Iterable[Event]) -> tuple[dict[str, datetime], dict[str, datetime]]:
    """When each hold was last placed, and last lifted."""
    held: dict[str, datetime] = {}
    released: dict[str, datetime] = {}
    for event in history:
        if event.kind in {EventKind.HELD, EventKind.RELEASED}:
            last = held if event.kind is EventKind.HELD else released
            hold = hold_of(event)
            last[hold] = max(event.at, last.get(hold, event.at))
    return held, released
