"""The pages and actions: ask the API, show what it says."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from functions.console import strings
from functions.console.api import ApiError, FieldError, Json, StaffApi
from functions.console.render import page, redirect
from functions.console.session import Person
from functions.console.settings import ConsoleSettings
from shared.adapters.http import Request, respond
from shared.domain.calendar import japan_date
from shared.domain.cases import CaseState
from shared.domain.contact import Register, project
from shared.domain.errors import Conflict
from shared.domain.events import Event, EventKind, Source
from shared.domain.feedback import liftings

Response = dict[str, Any]

_PAGE = 50
_COUNTED = 100
_RECENT = 5


@dataclass(frozen=True)
class Visit:
    """One request of a signed-in person. ``path`` holds the ids in the address."""

    settings: ConsoleSettings
    request: Request
    person: Person
    api: StaffApi
    path: Mapping[str, str]

    def page(self, template: str, *, status: int = 200, **context: object) -> Response:
        """A page in the person's frame."""
        return page(template, self.settings, self.person, status=status, **context)

    def go(self, path: str) -> Response:
        """On to another page of the console."""
        return redirect(f"{self.settings.prefix}{path}")


# ---- home ----


def home(visit: Visit) -> Response:
    """What waits, what is due, and what was sent lately."""
    waiting = visit.api.pending(limit=_COUNTED)
    asked = visit.api.requests(limit=_COUNTED)
    return visit.page(
        "home.html",
        waiting=len(waiting["registrations"]),
        more=bool(waiting["next"]),
        requests=len(asked["requests"]),
        more_requests=bool(asked["next"]),
        overdue=sum(each["overdue"] for each in asked["requests"]),
        campaigns=visit.api.campaigns()[:_RECENT],
        email="",
        error=None,
    )


# ---- registrations ----


def pending(visit: Visit) -> Response:
    """The opt-ins that wait; after a registration, what it came to."""
    return _pending(visit, registered=visit.request.query.get("registered", ""))


def confirm(visit: Visit) -> Response:
    """Put an address on the list, then back to where the button was."""
    fields = visit.request.fields()
    contact_id = fields.get("contact_id", "")
    from_contact = fields.get("from", "") == "contact"
    try:
        visit.api.confirm(contact_id, fields.get("submission_id", ""))
    except ApiError as error:
        if error.status == 422:  # ids that no button of ours sends
            raise
        if from_contact:
            return _contact(visit, contact_id, refused=error)
        return _pending(visit, refused=error)
    if from_contact:
        return visit.go(f"/contacts/{contact_id}?done=registered")
    return visit.go(f"/pending?registered={contact_id}")


def _pending(visit: Visit, *, registered: str = "", refused: ApiError | None = None) -> Response:
    waiting = visit.api.pending(limit=_PAGE, after=visit.request.query.get("after", "")[:80])
    done = visit.api.contact(registered) if is_contact_id(registered) else None
    return visit.page(
        "pending.html",
        status=refused.status if refused else 200,
        registrations=waiting["registrations"],
        next=waiting["next"],
        done=done if done and _was_registered(done) else None,
        refused=refused,
    )


def _was_registered(contact: Json) -> bool:
    """An address in the browser proves nothing: what is said to be done is looked up."""
    return any(event["kind"] == EventKind.REGISTERED for event in contact["history"])


# ---- contacts ----


def lookup(visit: Visit) -> Response:
    """The form for an address."""
    return visit.page("lookup.html", email="", error=None, unknown=False, refused=None, fields={})


def find(visit: Visit) -> Response:
    """The contact of an address; the address itself stays out of the browser's history."""
    email = visit.request.fields().get("email", "")
    try:
        found = visit.api.lookup(email)
    except ApiError as error:
        if error.status not in (404, 422):
            raise
        return visit.page(
            "lookup.html",
            status=error.status,
            email=email,
            error=error.fields.get("email", FieldError(error.ja)) if error.status == 422 else None,
            unknown=error.status == 404,
            refused=None,
            fields={},
        )
    return visit.go(f"/contacts/{found['contact_id']}")


def contact(visit: Visit) -> Response:
    """May this address get mail, and why; its history; what can be done."""
    return _contact(visit, visit.path["contact_id"], done=visit.request.query.get("done", ""))


def proof(visit: Visit) -> Response:
    """The proof file, byte for byte as the API made it: its hash is of these bytes."""
    kind = "json" if visit.request.query.get("format") == "json" else "html"
    reply = visit.api.proof(visit.path["contact_id"], kind)
    passed_on = {name: reply.headers[name] for name in _FILE_HEADERS if name in reply.headers}
    file = respond(200, base64.b64encode(reply.body).decode(), headers=passed_on)
    return {**file, "isBase64Encoded": True}


_FILE_HEADERS = ("content-type", "content-disposition", "content-security-policy")


def unsubscribe(visit: Visit) -> Response:
    """Record that the person wants no more mail."""
    fields = visit.request.fields()
    contact_id = visit.path["contact_id"]
    try:
        visit.api.unsubscribe({"contact_id": contact_id, **_stop(fields)})
    except ApiError as error:
        return _contact(visit, contact_id, refused=error, fields=fields)
    return visit.go(f"/contacts/{contact_id}?done=unsubscribed")


def unsubscribe_unknown(visit: Visit) -> Response:
    """The same for an address of which nothing is held: it is suppressed from now on."""
    fields = visit.request.fields()
    email = fields.get("email", "")
    try:
        done = visit.api.unsubscribe({"email": email, **_stop(fields)})
    except ApiError as error:
        return visit.page(
            "lookup.html",
            status=error.status,
            email=email,
            error=error.fields.get("email"),
            unknown=True,
            refused=error,
            fields=fields,
        )
    return visit.go(f"/contacts/{done['contact_id']}?done=unsubscribed")


def lift_bounce(visit: Visit) -> Response:
    """Record that mail arrives after all."""
    contact_id, reason = visit.path["contact_id"], visit.request.fields().get("reason", "").strip()
    try:
        lifted = visit.api.lift_bounce(contact_id, reason)["lifted"]
    except ApiError as error:
        return _contact(visit, contact_id, refused=error, fields={"lift_reason": reason})
    return visit.go(f"/contacts/{contact_id}?done={lifted[-1]}")


def residence(visit: Visit) -> Response:
    """Record where the person lives."""
    contact_id, region = visit.path["contact_id"], visit.request.fields().get("region", "")
    try:
        visit.api.residence(contact_id, region)
    except ApiError as error:
        return _contact(visit, contact_id, refused=error, fields={"region": region})
    return visit.go(f"/contacts/{contact_id}?done=residence_stated")


def _stop(fields: Mapping[str, str]) -> dict[str, str]:
    return {
        "reason": fields.get("reason", "").strip(),
        "channel": fields.get("channel", ""),
    }


def _contact(
    visit: Visit,
    contact_id: str,
    *,
    done: str = "",
    refused: ApiError | None = None,
    fields: Mapping[str, str] | None = None,
) -> Response:
    found = visit.api.contact(contact_id)
    return visit.page(
        "contact.html",
        status=refused.status if refused else 200,
        contact=found,
        verdict=found["verdict"],
        unmet=[each for each in found["verdict"]["conditions"] if not each["met"]],
        waiting=_waiting_submission(found),
        can_lift=_can_lift(found),
        region=project(contact_id, _events(found)).region,
        history=[_told(event) for event in reversed(found["history"])],
        requests=[with_due(visit, each) for each in reversed(found["requests"])],
        campaigns=found["campaigns"],
        subjects=_subjects(visit) if found["campaigns"] else {},
        done=done if _is_true(done, found) else "",
        refused=refused,
        fields=fields or {},
    )


def _is_true(done: str, contact: Json) -> bool:
    """The newest event is what the address in the browser says was done."""
    newest = contact["history"][-1]["kind"] if contact["history"] else ""
    return bool(done) and done == newest


def _waiting_submission(contact: Json) -> str:
    """The submission an advisor may confirm, by the same rule as the list of them."""
    projected = project(contact["contact_id"], _events(contact))
    opted_in = projected.get(Register.OPTED_IN)
    return opted_in.event_id if opted_in and projected.is_pending else ""


def _can_lift(contact: Json) -> bool:
    """Whether a bounce stands that staff may lift, by the API's own rule."""
    try:
        liftings(
            contact["contact_id"],
            _events(contact),
            operator="",
            reason="",
            request_id="",
            now=datetime.now(UTC),
        )
    except Conflict:
        return False
    return True


def _events(contact: Json) -> list[Event]:
    return [
        Event(
            contact_id=contact["contact_id"],
            event_id=event["event_id"],
            kind=EventKind(event["kind"]),
            at=datetime.fromisoformat(event["at"]),
            source=Source(event["source"]),
            details=event["details"],
            consent_at=datetime.fromisoformat(event["consent_at"]) if event["consent_at"] else None,
        )
        for event in contact["history"]
    ]


def _told(event: Json) -> Json:
    """An event as the time line shows it: the story, and the evidence in a fold."""
    values = {name: value for name, value in event["details"].items() if value}
    if event["source"] == Source.LINK and "reason" in values:  # chosen from a list by the person
        values["reason"] = strings.UNSUBSCRIBE_REASONS.get(values["reason"], values["reason"])
    if event["source"] == Source.SES and "reason" in values:
        values["reason"] = strings.REPORTED_REASONS.get(values["reason"], values["reason"])
    if "region" in values:
        values["region"] = strings.REGIONS.get(values["region"], values["region"])
    personal = {
        name: value
        for name, value in event["personal"].items()
        if value and not (name == "typed" and value == event["personal"].get("address"))
    }
    if "address_kind" in personal:
        kind = personal["address_kind"]
        personal["address_kind"] = strings.ADDRESS_KINDS.get(kind, kind)
    return {
        **event,
        "story": [(_label(name), values[name]) for name in strings.TOLD if name in values],
        "evidence": [
            (_label(name), value)
            for name, value in {**values, **personal}.items()
            if name not in strings.TOLD
        ],
    }


def _label(name: str) -> str:
    if name.startswith("field."):
        return f"入力欄 {name.removeprefix('field.')}"
    return strings.DETAILS.get(name, name)


def _subjects(visit: Visit) -> dict[str, str]:
    try:
        return {each["campaign_id"]: each["subject"] for each in visit.api.campaigns()}
    except ApiError:  # the ids will do
        return {}


def is_contact_id(text: str) -> bool:
    """Whether it could be one; what is none the API need not be asked for."""
    return len(text) == 32 and all(letter in "0123456789abcdef" for letter in text)


# ---- requests ----


def with_due(visit: Visit, request: Json) -> Json:
    """A request with the days left until it is due; negative after it."""
    left = date.fromisoformat(request["due_on"]) - japan_date(visit.request.at)
    return {**request, "days": left.days, "open": request["state"] not in _CLOSED}


_CLOSED = frozenset({CaseState.DONE, CaseState.REFUSED})


# ---- forms ----


def forms(visit: Visit) -> Response:
    """The forms, with where they are."""
    return visit.page("forms.html", forms=visit.api.forms(), public_url=visit.settings.public_url)
