"""A campaign's pages: its life step by step, with what is possible now and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from functions.console import content, strings
from functions.console.api import ApiError, Json
from functions.console.views import Response, Visit
from shared.domain.campaigns import CampaignStatus
from shared.domain.zones import TOKYO

_SECONDS_TO_REFRESH = 5
_BEFORE = frozenset({"draft", "approved", "scheduled"})
_READY = frozenset({"approved", "scheduled"})
_ENDED = frozenset({"done", "cancelled"})
_CONFIRMED: Mapping[str, frozenset[str]] = {
    "resume": frozenset({"paused"}),
    "cancel": frozenset(CampaignStatus) - _ENDED,
}
# An address in the browser proves nothing: what is said to be done must be so.
_DONE: Mapping[str, Callable[[Json], bool]] = {
    "saved": lambda c: c["status"] == "draft",
    "cloned": lambda c: bool(c["cloned_from"]),
    "test": lambda c: bool(c["tested"]),
    "approve": lambda c: c["status"] == "approved",
    "schedule": lambda c: c["status"] == "scheduled",
    "unschedule": lambda c: c["status"] == "approved",
    "pause": lambda c: c["status"] == "paused",
    "resume": lambda c: c["status"] == "sending",
    "cancel": lambda c: c["status"] == "cancelled",
}
T = TypeVar("T")


# ---- the list, and writing ----


def every(visit: Visit) -> Response:
    """Every campaign."""
    return visit.page("campaigns.html", campaigns=visit.api.campaigns())


def new(visit: Visit) -> Response:
    """The form for a new one."""
    return _form(visit, content.empty())


def write(visit: Visit) -> Response:
    """Save it as a draft."""
    wanted = content.read(visit.request.fields())
    try:
        written = visit.api.write_campaign(wanted)
    except ApiError as error:
        return _form(visit, wanted, refused=error)
    return visit.go(f"/campaigns/{written['campaign_id']}?done=saved")


def edit(visit: Visit) -> Response:
    """The form for another content."""
    found = visit.api.campaign(visit.path["campaign_id"])
    if found["status"] not in _BEFORE:
        return visit.go(f"/campaigns/{found['campaign_id']}")
    return _form(visit, found, found)


def save(visit: Visit) -> Response:
    """Save it, if nobody else has saved meanwhile."""
    campaign_id, fields = visit.path["campaign_id"], visit.request.fields()
    wanted = content.read(fields)
    seen = fields.get("version", "")
    version = int(seen) if seen.isascii() and seen.isdigit() else None
    try:
        visit.api.edit_campaign(campaign_id, {**wanted, "version": version})
    except ApiError as error:
        nameless = {"campaign_id": campaign_id, "subject": wanted["subject"], "status": "draft"}
        found = _or(lambda: visit.api.campaign(campaign_id), nameless)
        # Seen and entered belong together: what others saved meanwhile is not overwritten.
        return _form(visit, wanted, {**found, "version": version}, refused=error)
    return visit.go(f"/campaigns/{campaign_id}?done=saved")


def _form(
    visit: Visit, shown: Json, found: Json | None = None, *, refused: ApiError | None = None
) -> Response:
    audience = shown["audience"]
    forms = _forms(visit)
    own_id = found["campaign_id"] if found else ""
    earlier = [
        each
        for each in _campaigns(visit)
        if each["campaign_id"] != own_id and (each["started_at"] or _names(audience, each))
    ]
    known = {each["campaign_id"] for each in earlier}
    named = {audience["received"], audience["not_received"]} - known - {""}
    places = {form["municipality"] for form in forms} | set(audience["municipalities"])
    titles = {form["form_id"]: form["title_ja"] for form in forms}
    return visit.page(
        "campaign_form.html",
        status=refused.status if refused else 200,
        shown=shown,
        campaign=found,
        sources={str(each): strings.SOURCES[each] for each in content.SOURCES}
        | {each: strings.SOURCES.get(each, each) for each in audience["sources"]},
        forms={**{each: each for each in audience["form_ids"]}, **titles},
        municipalities={each: each for each in sorted(places - {""})},
        registered_from=content.shown_moment(audience["registered_from"], last=False),
        registered_until=content.shown_moment(audience["registered_until"], last=True),
        earlier=[(each["campaign_id"], each["subject"]) for each in earlier]
        + [(each, each) for each in sorted(named)],
        refused=refused,
    )


def _names(audience: Json, campaign: Json) -> bool:
    return campaign["campaign_id"] in (audience["received"], audience["not_received"])


# ---- one campaign ----


def show(visit: Visit) -> Response:
    """A campaign with its figures. While it is being sent the page keeps itself fresh,
    unless the reader has stopped that (WCAG 2.2.1).
    """
    found = visit.api.campaign(visit.path["campaign_id"])
    watches = found["status"] == "sending" and visit.request.query.get("watch") != "off"
    response = _page(visit, found, watches=watches, done=visit.request.query.get("done", ""))
    if watches:
        response["headers"]["Refresh"] = str(_SECONDS_TO_REFRESH)
    return response


def move(visit: Visit) -> Response:
    """One step; a refusal is shown on the campaign's page with what was entered."""
    campaign_id, step = visit.path["campaign_id"], visit.path["step"]
    fields = visit.request.fields()
    wanted: dict[str, object] = {}
    if step == "test":
        wanted = {"to": fields.get("to", "").strip()}
    elif step == "schedule":
        wanted = {"at": fields.get("at", "").strip()}
    elif step == "approve" and fields.get("version", "").isdigit():
        wanted = {"version": int(fields["version"])}
    return _moved(visit, step, campaign_id, wanted, fields)


def send(visit: Visit) -> Response:
    """Send it, once."""
    return _moved(visit, "send", visit.path["campaign_id"], {}, {})


def _moved(
    visit: Visit,
    step: str,
    campaign_id: str,
    wanted: Mapping[str, object],
    fields: Mapping[str, str],
) -> Response:
    try:
        visit.api.move_campaign(campaign_id, step, wanted)
    except ApiError as error:
        found = visit.api.campaign(campaign_id)
        return _page(visit, found, refused=error, step=step, fields=fields)
    mark = f"?done={step}" if step in _DONE else ""
    return visit.go(f"/campaigns/{campaign_id}{mark}")


def clone(visit: Visit) -> Response:
    """A new draft with the same content."""
    campaign_id = visit.path["campaign_id"]
    try:
        made = visit.api.move_campaign(campaign_id, "clone")
    except ApiError as error:
        return _page(visit, visit.api.campaign(campaign_id), refused=error, step="clone")
    return visit.go(f"/campaigns/{made['campaign_id']}?done=cloned")


def _page(
    visit: Visit,
    found: Json,
    *,
    watches: bool = False,
    done: str = "",
    refused: ApiError | None = None,
    step: str = "",
    fields: Mapping[str, str] | None = None,
) -> Response:
    campaign_id, status = found["campaign_id"], found["status"]
    figures, received = found["figures"], found["received"]
    lint: Json | None = {"blocks": False, "findings": []}
    if status in _BEFORE:
        lint = _or(lambda: visit.api.lint(campaign_id), None)
    return visit.page(
        "campaign.html",
        status=refused.status if refused else 200,
        campaign=found,
        steps=_steps(found),
        lint=lint,
        is_author=visit.person.username in (found["created_by"], found["edited_by"]),
        audience=_told(visit, found["audience"]),
        figures=[(name, figures.get(name, 0)) for name in strings.OUTCOMES],
        received=[(name, received.get(name, 0)) for name in strings.RECEIVED],
        total=sum(figures.values()),
        skipped=sorted(found["skipped"].items(), key=lambda item: (-item[1], item[0])),
        earliest=visit.request.at.astimezone(TOKYO).strftime("%Y-%m-%dT%H:%M"),
        watches=watches,
        done=done if done in _DONE and _DONE[done](found) else "",
        refused=refused,
        problems=refused.fields if refused else {},
        step=step,
        fields=fields or {},
    )


def _steps(campaign: Json) -> list[Json]:
    """Where a campaign stands: what is done, what comes now, what comes later."""
    status = campaign["status"]
    is_done = {
        "draft": True,
        "test": campaign["tested"],
        "approve": bool(campaign["approved_at"]),
        "start": bool(campaign["started_at"]) and status not in ("sending", "paused"),
        "end": status in _ENDED,
    }
    steps = [
        {"key": key, "name": name, "state": "done" if is_done[key] else "open"}
        for key, name in strings.STEPS.items()
    ]
    if status == "cancelled":
        steps[-1] |= {"name": strings.STATUSES["cancelled"], "state": "stopped"}
    elif status != "done":
        next(each for each in steps if each["state"] == "open")["state"] = "current"
    return steps


def _told(visit: Visit, audience: Json) -> list[Json]:
    forms = _forms(visit) if audience["form_ids"] else []
    earlier = audience["received"] or audience["not_received"]
    return content.told(
        audience,
        {form["form_id"]: form["title_ja"] for form in forms},
        {each["campaign_id"]: each["subject"] for each in _campaigns(visit)} if earlier else {},
    )


def _forms(visit: Visit) -> list[Json]:
    nothing: list[Json] = []
    return _or(visit.api.forms, nothing)


def _campaigns(visit: Visit) -> list[Json]:
    nothing: list[Json] = []
    return _or(visit.api.campaigns, nothing)


def _or(ask: Callable[[], T], otherwise: T) -> T:
    """What the page can do without where the API cannot answer."""
    try:
        return ask()
    except ApiError:
        return otherwise


# ---- before it is sent, and looking closer ----


def check(visit: Visit) -> Response:
    """The last look before sending."""
    found = visit.api.campaign(visit.path["campaign_id"])
    if found["status"] not in _READY:
        return visit.go(f"/campaigns/{found['campaign_id']}")
    return visit.page(
        "campaign_send.html",
        campaign=found,
        audience=_told(visit, found["audience"]),
        reach=_or(lambda: visit.api.dry_run(found["campaign_id"]), None),
    )


def confirm(visit: Visit) -> Response:
    """Asked once more before what reaches people, or cannot be taken back."""
    found, step = visit.api.campaign(visit.path["campaign_id"]), visit.path["step"]
    if found["status"] not in _CONFIRMED[step]:
        return visit.go(f"/campaigns/{found['campaign_id']}")
    return visit.page("campaign_confirm.html", campaign=found, step=step)


def dry_run(visit: Visit) -> Response:
    """Whom it would reach now, and why not the rest. Nothing is sent, nothing changes."""
    found = visit.api.campaign(visit.path["campaign_id"])
    return visit.page(
        "campaign_reach.html",
        campaign=found,
        audience=_told(visit, found["audience"]),
        reach=visit.api.dry_run(found["campaign_id"]),
    )


def recipient(visit: Visit) -> Response:
    """Did this person get this campaign, and why, or why not."""
    campaign_id = visit.path["campaign_id"]
    found = visit.api.recipient(campaign_id, visit.path["contact_id"])
    return visit.page(
        "recipient.html",
        found=found,
        campaign=visit.api.campaign(campaign_id),
        contact=visit.api.contact(found["contact_id"]),
    )


def find_recipient(visit: Visit) -> Response:
    """The same by address, which stays out of the browser's history."""
    campaign_id, fields = visit.path["campaign_id"], visit.request.fields()
    try:
        found = visit.api.find_recipient(campaign_id, fields.get("email", ""))
    except ApiError as error:
        campaign = visit.api.campaign(campaign_id)
        return _page(visit, campaign, refused=error, step="recipient", fields=fields)
    return visit.go(f"/campaigns/{campaign_id}/recipients/{found['contact_id']}")
