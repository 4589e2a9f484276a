"""Requests: what people asked for, what has to be done next, and when it is due."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime

from functions.console.api import ApiError, Json
from functions.console.render import redirect
from functions.console.views import Response, Visit, is_contact_id, with_due
from shared.domain import cases
from shared.domain.cases import Case, CaseKind, CaseState, LinkState, Step, StepKind, Task
from shared.domain.errors import OptinError
from shared.domain.links import Purpose
from shared.texts.consent import Language

# What the pages post for a request, beside the approval, which has a page of its own.
STEPS = ("kind", "ask-identity", "verify", "new-address", "refuse", "finish", "reply", "note")
_PAGE = 50
_LONGEST_PLACE = 300
_TEAMS = ("CS", "IT")  # those that requests go to
_STATES = ("open", "closed")
_FIELDS: Mapping[str, str] = {
    "kind": "kind",
    "verify": "reason",
    "new-address": "email",
    "refuse": "reason",
    "reply": "text",
    "note": "text",
}
_CHOICES: Mapping[str, bool | None] = {"yes": True, "no": False}
# An address in the browser proves nothing: what is said to be done must be so.
_DONE: Mapping[str, Callable[[Json], bool]] = {
    "opened": lambda r: r["steps"][0]["by"] != cases.PERSON,
    "joined": lambda r: _has(r, StepKind.MAIL_JOINED),
    "kind": lambda r: _has(r, StepKind.KIND_CHANGED),
    "ask-identity": lambda r: any(
        detail["value"] == "link_asked_for" for step in r["steps"] for detail in step["details"]
    ),
    "verify": lambda r: bool(r["hand_by"]),
    "approve": lambda r: bool(r["approved_by"]),
    "new-address": lambda r: _has(r, StepKind.NEW_ADDRESS_GIVEN),
    "refuse": lambda r: bool(r["state"] == CaseState.REFUSED),
    "finish": lambda r: bool(r["state"] == CaseState.DONE),
    "reply": lambda r: _has(r, StepKind.REPLIED),
    "note": lambda r: any(mail["direction"] == "note" for mail in r["mails"]),
}


# ---- the lists ----


def every(visit: Visit) -> Response:
    """The open requests, the first due first; or the closed ones, the newest first."""
    query = visit.request.query
    team = query.get("team", "") if query.get("team") in _TEAMS else ""
    state = query.get("state", "") if query.get("state") in _STATES else "open"
    after = query.get("after", "")[:_LONGEST_PLACE]
    page = visit.api.requests(limit=_PAGE, team=team, state=state, after=after)
    return visit.page(
        "requests.html",
        requests=[with_due(visit, each) for each in page["requests"]],
        next=page["next"],
        team=team,
        state=state,
        after=after,
    )


def unanswered(visit: Visit) -> Response:
    """The mails that nobody answered, and why."""
    return _unanswered(visit)


def open_received(visit: Visit) -> Response:
    """Make a request of such a mail."""
    kind = visit.request.fields().get("kind", "")
    try:
        made = visit.api.open_received(visit.path["mail_id"], kind)
    except ApiError as error:
        return _unanswered(visit, refused=error)
    return _opened(visit, made)


def _unanswered(visit: Visit, *, refused: ApiError | None = None) -> Response:
    after = visit.request.query.get("after", "")[:_LONGEST_PLACE]
    page = visit.api.received(limit=_PAGE, after=after)
    return visit.page(
        "received.html",
        status=refused.status if refused else 200,
        mails=page["mails"],
        next=page["next"],
        after=after,
        refused=refused,
    )


# ---- taking one ----


def new(visit: Visit) -> Response:
    """The form for a request made on the phone or in person; from a contact, with its address."""
    contact_id = visit.request.query.get("contact", "")
    email = visit.api.contact(contact_id)["address"] if is_contact_id(contact_id) else ""
    return _form(visit, {"email": email, "language": Language.JA.value})


def take(visit: Visit) -> Response:
    """Open it, or join the words to the open one of this person and kind."""
    fields = visit.request.fields()
    answer_to = fields.get("answer_to", "").strip()
    try:
        made = visit.api.open_request(
            {
                "kind": fields.get("kind", ""),
                "email": fields.get("email", ""),
                "words": _lines(fields.get("words", "")),
                "language": fields.get("language", ""),
                "answer_to": answer_to or None,
            }
        )
    except ApiError as error:
        return _form(visit, fields, refused=error)
    return _opened(visit, made)


def _form(visit: Visit, fields: Mapping[str, str], *, refused: ApiError | None = None) -> Response:
    return visit.page(
        "request_form.html",
        status=refused.status if refused else 200,
        fields=fields,
        refused=refused,
        problems=refused.fields if refused else {},
    )


def _opened(visit: Visit, made: Json) -> Response:
    mark = "joined" if _has(made, StepKind.MAIL_JOINED) else "opened"
    return visit.go(f"/requests/{made['case_id']}?done={mark}")


# ---- one request ----


def show(visit: Visit) -> Response:
    """A request, with what has to be done next and what else can be."""
    found = visit.api.request(visit.path["case_id"])
    return _page(visit, found, done=visit.request.query.get("done", ""))


def check(visit: Visit) -> Response:
    """Asked once more before an erasure, which cannot be taken back."""
    found = visit.api.request(visit.path["case_id"])
    if "approve" not in _possible(found, visit.person.username):
        return visit.go(f"/requests/{found['case_id']}")
    return visit.page("request_approve.html", request=found)


def approve(visit: Visit) -> Response:
    """The erasure may run."""
    return _moved(visit, "approve", {})


def move(visit: Visit) -> Response:
    """One decision, or words; a refusal is shown on the request as it is now, with what was
    entered.
    """
    step, fields = visit.path["step"], visit.request.fields()
    wanted: dict[str, object] = {}
    if step in _FIELDS:
        name = _FIELDS[step]
        wanted[name] = _lines(fields.get(name, "")).strip()
    elif step == "finish":
        wanted["unsubscribe"] = _CHOICES.get(fields.get("unsubscribe", ""))
    return _moved(visit, step, wanted)


def raw(visit: Visit) -> Response:
    """On to the mail as it came; the link is good for a few minutes."""
    return redirect(visit.api.raw_mail(visit.path["case_id"], visit.path["mail_id"]))


def _moved(visit: Visit, step: str, wanted: Mapping[str, object]) -> Response:
    case_id, fields = visit.path["case_id"], visit.request.fields()
    seen = fields.get("version", "")
    version = int(seen) if seen.isascii() and seen.isdigit() else None
    try:
        visit.api.move_request(case_id, step, {"version": version, **wanted})
    except ApiError as error:
        found = visit.api.request(case_id)
        return _page(visit, found, refused=error, step=step, fields=fields)
    return visit.go(f"/requests/{case_id}?done={step}")


def _page(
    visit: Visit,
    found: Json,
    *,
    done: str = "",
    refused: ApiError | None = None,
    step: str = "",
    fields: Mapping[str, str] | None = None,
) -> Response:
    entered = dict(fields or {})
    if _was_sent(found, entered.get("text", "")):  # it is not offered for sending a second time
        entered.pop("text")
    person = visit.person
    return visit.page(
        "request.html",
        status=refused.status if refused else 200,
        request=with_due(visit, found),
        possible=_possible(found, person.username) if person.may("handle_requests") else set(),
        is_proposer=person.username == found["hand_by"],
        identity=_identity(found, visit.request.at),
        done=done if done in _DONE and _DONE[done](found) else "",
        refused=refused,
        problems=refused.fields if refused else {},
        step=step,
        fields=entered,
    )


def _was_sent(request: Json, text: str) -> bool:
    sent = {mail["words"] for mail in request["mails"] if mail["direction"] != "in"}
    return bool(text) and _lines(text).strip() in sent


def _identity(request: Json, now: datetime) -> Json:
    """How it is known, or is to be known, that this is the person."""
    last: dict[str, Json] = {}
    for each in request["steps"]:
        # What was confirmed was confirmed of the kind it was then.
        last = {} if each["kind"] == StepKind.KIND_CHANGED else {**last, each["kind"]: each}
    link = request["links"].get("identity")
    return {
        "confirmed": last.get(StepKind.IDENTITY_CONFIRMED),
        "proposed": last.get(StepKind.HAND_VERIFICATION_PROPOSED) if request["hand_by"] else None,
        "agreed": last.get(StepKind.HAND_VERIFIED),
        "asked": last.get(StepKind.IDENTITY_ASKED) if link else None,
        "link": link,
        "expired": bool(link) and datetime.fromisoformat(link["expires_at"]) <= now,
    }


def _possible(request: Json, by: str) -> set[str]:
    """What the person could do with the request now, by the API's own rules."""
    case, now = _case(request), datetime.fromisoformat(request["opened_at"])
    other = next(kind for kind in CaseKind if kind is not case.kind)
    steps: Mapping[str, Callable[[], Case]] = {
        "kind": lambda: cases.with_kind(case, other, by=by, why="", own_mailbox=False, now=now),
        "ask-identity": lambda: cases.ask_identity(case, by=by, now=now),
        "verify": lambda: cases.by_hand(
            replace(case, hand_by=""), by=by, reason="", now=now, erasure_runs_by_itself=False
        ),
        "approve": lambda: cases.approved(case, by=by, now=now),
        "new-address": lambda: cases.new_address(case, "", by=by, now=now),
        "refuse": lambda: cases.refused(case, by=by, reason="", now=now),
        "finish": lambda: cases.finished(case, by=by, note_code="", now=now),
    }
    found = {"note"} | {step for step, act in steps.items() if _goes(act)}
    if case.task is Task.ERASE:  # what is written now would outlive the erasure
        found.discard("note")
    elif case.reply_to:
        found.add("reply")
    if case.kind is CaseKind.INQUIRY:  # nothing is given out: who asks does not matter
        found.discard("verify")
    # No link proves anything, or the system writes just now.
    if request["next"]["code"] == "verify_by_hand" or case.task is not Task.NONE:
        found.discard("ask-identity")
    return found


def _goes(act: Callable[[], Case]) -> bool:
    try:
        act()
    except OptinError:
        return False
    return True


def _case(request: Json) -> Case:
    """The request as the rules see it, as far as the API tells of it."""
    opened_at = datetime.fromisoformat(request["opened_at"])
    due_on = date.fromisoformat(request["due_on"])
    return Case(
        case_id=request["case_id"],
        kind=CaseKind(request["kind"]),
        state=CaseState(request["state"]),
        contact_id=request["contact_id"],
        language=Language(request["language"]),
        mailbox=None,
        opened_at=opened_at,
        due_on=due_on,
        warn_on=due_on,
        legal_on=None,
        reason="",
        confidence=request["confidence"],
        reply_to=request["address"],
        holds=request["holds"],
        task=Task(request["task"]),
        links={
            Purpose[name.upper()].value: LinkState("", datetime.fromisoformat(link["expires_at"]))
            for name, link in request["links"].items()
        },
        hand_by=request["hand_by"],
        new_address=request["new_address"],
        steps=tuple(
            Step(opened_at, StepKind(each["kind"]), each["by"]) for each in request["steps"]
        ),
    )


def _has(request: Json, kind: StepKind) -> bool:
    return any(step["kind"] == kind for step in request["steps"])


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")
