"""Whole populations by chance, and whom an audience means, said again from the plain events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from shared.domain.audience import Audience
from shared.domain.contact import Contact, project
from shared.domain.events import Event, EventKind, Source

START = datetime(2026, 9, 1, tzinfo=UTC) - timedelta(hours=9)  # a month begins, in Japan
FORMS = {"sakura-city": "さくら市", "ume-town": "うめ町", "seminar": ""}
CAME_BY_FORM = {
    EventKind.OPTED_IN: Source.MUNICIPAL_LP,
    EventKind.BOX_LEFT_UNTICKED: Source.MUNICIPAL_LP,
    EventKind.NOTIFIED: Source.WEB_FORM,
}
SAID_YES = (
    EventKind.REGISTERED,
    EventKind.PHONE_ACCEPTED,
    EventKind.IN_PERSON_ACCEPTED,
    EventKind.RESUBSCRIBED,
)
SOURCE_OF = {
    **CAME_BY_FORM,
    EventKind.REGISTERED: Source.STAFF,
    EventKind.PHONE_ACCEPTED: Source.PHONE,
    EventKind.PHONE_REFUSED: Source.PHONE,
    EventKind.IN_PERSON_ACCEPTED: Source.IN_PERSON,
    EventKind.IMPORTED_CONSENT: Source.IMPORT,
    EventKind.IMPORTED_NOTICE: Source.IMPORT,
    EventKind.UNSUBSCRIBED: Source.LINK,
    EventKind.RESUBSCRIBED: Source.LINK,
    EventKind.BOUNCED: Source.SES,
    EventKind.BOUNCE_LIFTED: Source.STAFF,
    EventKind.COMPLAINED: Source.SES,
    EventKind.HELD: Source.STAFF,
    EventKind.MOVED: Source.REPLY,
    EventKind.ERASED: Source.STAFF,
}
KINDS = (*CAME_BY_FORM, *(kind for kind in SOURCE_OF if kind not in CAME_BY_FORM))

draws = st.tuples(st.sampled_from(KINDS), st.sampled_from(sorted(FORMS)), st.integers(0, 90))
histories = st.lists(draws, min_size=1, max_size=6)
audiences = st.builds(
    Audience,
    sources=st.frozensets(st.sampled_from([*Source][:5]), max_size=3),
    form_ids=st.frozensets(st.sampled_from(sorted(FORMS)), max_size=2),
    municipalities=st.frozensets(st.sampled_from(["さくら市", "うめ町"]), max_size=1),
    registered_from=st.none() | st.integers(0, 60).map(lambda n: START + timedelta(days=n)),
    registered_until=st.none() | st.integers(30, 91).map(lambda n: START + timedelta(days=n)),
)


def events_of(
    contact_id: str, drawn: Sequence[tuple[EventKind, str, int]], email: str = "a@example.jp"
) -> list[Event]:
    """What a list of draws tells of one contact, in its own time."""
    events: list[Event] = []
    for number, (kind, form_id, day) in enumerate(sorted(drawn, key=lambda each: each[2])):
        opt_ins = [event for event in events if event.kind is EventKind.OPTED_IN]
        if kind is EventKind.REGISTERED and not opt_ins:
            kind = EventKind.OPTED_IN  # noqa: PLW2901 (nothing to confirm yet)
        values: dict[str, Any] = {"details": {}}
        if kind in {*CAME_BY_FORM, EventKind.IMPORTED_CONSENT, EventKind.IMPORTED_NOTICE}:
            values["details"] = {"form_id": form_id, "municipality": FORMS[form_id]}
        if kind is EventKind.MOVED:
            values["details"] = {"to": "f" * 32} if day % 2 else {"from": "f" * 32}
        arrives = "from" in values["details"]
        brings = {*CAME_BY_FORM, EventKind.PHONE_ACCEPTED, EventKind.IMPORTED_CONSENT}
        if kind in brings or arrives:
            values["personal"] = {"address": email, "typed": email, "address_kind": "standard"}
        if kind is EventKind.REGISTERED:
            values["details"] = {**opt_ins[-1].details, "submission_id": opt_ins[-1].event_id}
            values["consent_at"] = opt_ins[-1].at
        at = START + timedelta(days=day, milliseconds=number)
        events.append(
            Event(contact_id, f"{number:024x}", kind, at, source=SOURCE_OF[kind], **values)
        )
    return events


def contact_of_draws(contact_id: str, drawn: Sequence[tuple[EventKind, str, int]]) -> Contact:
    return project(contact_id, events_of(contact_id, drawn))


def naive_matches(history: Iterable[Event], audience: Audience) -> bool:
    """Whether a contact is meant, without registers: sources, forms, places, dates."""
    facts = sorted(history, key=lambda event: event.consent_key)

    def last(*kinds: EventKind) -> Event | None:
        return next((fact for fact in reversed(facts) if fact.kind in kinds), None)

    notices = (EventKind.NOTIFIED, EventKind.IMPORTED_NOTICE)
    permission = last(*SAID_YES) or last(EventKind.IMPORTED_CONSENT) or last(*notices)
    came = permission
    if permission is None or permission.kind is EventKind.RESUBSCRIBED:
        came = (
            last(*CAME_BY_FORM, EventKind.IMPORTED_CONSENT, EventKind.IMPORTED_NOTICE) or permission
        )
    if came is None:
        return audience == Audience()
    source = Source.MUNICIPAL_LP if came.kind is EventKind.REGISTERED else came.source
    since = permission or came
    at = since.consent_at or since.at
    return not (
        (audience.sources and source not in audience.sources)
        or (audience.form_ids and came.details.get("form_id", "") not in audience.form_ids)
        or (
            audience.municipalities
            and came.details.get("municipality", "") not in audience.municipalities
        )
        or (audience.registered_from is not None and at < audience.registered_from)
        or (audience.registered_until is not None and at >= audience.registered_until)
    )
