"""``/u/{token}``: stop by a signed link, by one click, at once (manual S1, S4; RFC 8058).

GET shows what will happen and changes nothing. POST unsubscribes in one transaction, needs
nothing but the token, and never redirects.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.public import served
from shared.adapters import aws
from shared.adapters.contacts import ContactStore
from shared.adapters.http import Request, html_response, json_response
from shared.adapters.secrets import Secrets
from shared.domain.address import parse_address
from shared.domain.eligibility import refusal_stands
from shared.domain.errors import (
    BadRequest,
    Conflict,
    FieldProblem,
    NotFound,
    PayloadTooLarge,
    Unprocessable,
)
from shared.domain.events import UNSUBSCRIBE_REASONS, Event, EventKind, Source, event_id
from shared.domain.intake import is_ticked
from shared.domain.links import NOBODY, Link, LinkKeys, UnknownKey, verify
from shared.settings import UnsubscribeSettings, load
from shared.telemetry import logger, seconds
from shared.texts import consent
from shared.texts.consent import Language, TextId, Wording


@dataclass(frozen=True)
class Deps:
    """What the handler works with. ``clock`` gives seconds since 1970, for measuring only."""

    settings: UnsubscribeSettings
    contacts: ContactStore
    secrets: Secrets
    clock: Callable[[], float] = time.time


@cache
def _deps() -> Deps:
    settings = load(UnsubscribeSettings, os.environ)
    return Deps(
        settings,
        ContactStore(aws.dynamodb(), settings.contacts_table, settings.events_table),
        Secrets(aws.secretsmanager()),
    )


@logger.inject_lambda_context
def handler(event: Mapping[str, Any], _context: object, deps: Deps | None = None) -> dict[str, Any]:
    """Answer one request of the unsubscribe routes."""
    request = Request(event)
    deps = deps or _deps()
    return served(
        request,
        _ROUTES,
        lambda route: route(request, deps, _read_link(request, deps)),
        company=deps.settings.company,
        language=_language(request),
    )


def _read_link(request: Request, deps: Deps) -> Link:
    token = request.path.get("token", "")
    try:
        link = verify(token, _keys(deps))
    except UnknownKey:
        # A key may have been added since this process read them.
        link = verify(token, _keys(deps, fresh=True))
    if link.contact_id == NOBODY:
        raise NotFound(
            "test_mail",
            "テストメールのリンクです。どなたの配信も停止されません。",
            "This is the link of a test mail. It unsubscribes nobody.",
        )
    return link


def _keys(deps: Deps, *, fresh: bool = False) -> LinkKeys:
    return deps.secrets.link_keys(deps.settings.link_keys_secret, fresh=fresh)


def _show(request: Request, deps: Deps, link: Link) -> dict[str, Any]:
    contact = deps.contacts.get(link.contact_id)
    if not contact.address:
        raise NotFound(
            "nothing_held",
            "このメールアドレスの情報はお預かりしていません。メールは送信されません。",
            "We hold nothing for this address; no mail will be sent.",
        )
    masked = parse_address(contact.address).masked
    already = refusal_stands(contact)
    if not request.wants_html:
        return json_response(200, {"address": masked, "already_unsubscribed": already})
    from shared import pages  # noqa: PLC0415 (templates are loaded only where a page is shown)

    page = pages.unsubscribe_page(
        deps.settings.company, language=_language(request), masked=masked, already=already
    )
    return html_response(200, page, pages.style_hash())


def _stop(request: Request, deps: Deps, link: Link) -> dict[str, Any]:
    source = Source.ONE_CLICK if _is_one_click(request) else Source.LINK
    deps.contacts.record(_event(request, link, EventKind.UNSUBSCRIBED, source))
    took = max(0.0, deps.clock() - request.at.timestamp())
    logger.info("unsubscribed", extra={"contact_id": link.contact_id, "seconds": round(took, 3)})
    seconds("UnsubscribeSeconds", took)
    if not request.wants_html:
        return json_response(200, {"status": "unsubscribed"})
    return _stopped_page(request, deps, reason_noted=False)


def _is_one_click(request: Request) -> bool:
    """Only evidence depends on it: a stop is honoured whatever the body says."""
    try:
        return b"One-Click" in request.body
    except (PayloadTooLarge, BadRequest):
        return False


def _undo(request: Request, deps: Deps, link: Link) -> dict[str, Any]:
    fields = request.fields()
    wording = _wording_agreed_to(fields)
    contact = deps.contacts.get(link.contact_id)
    if not contact.address:
        raise Conflict(
            "nothing_held",
            "メールアドレスをお預かりしていないため、再開できません。"
            "フォームからあらためてご登録ください。",
            "We hold no address any more. Please register again with a form.",
        )
    event = _event(request, link, EventKind.RESUBSCRIBED, Source.LINK, wording=wording)
    deps.contacts.record(event)
    logger.info("resubscribed", extra={"contact_id": link.contact_id})
    if not request.wants_html:
        return json_response(200, {"status": "resubscribed"})
    from shared import pages  # noqa: PLC0415

    page = pages.resubscribed_page(deps.settings.company, language=_language(request))
    return html_response(200, page, pages.style_hash())


def _wording_agreed_to(fields: Mapping[str, str]) -> Wording:
    """Only a ticked box under a known wording is an explicit yes."""
    ticked = is_ticked(fields.get("opt_in", ""))
    default = consent.current(TextId.OPTIN_CHECKBOX).wording(Language.JA).ref
    wording = consent.by_ref(fields.get("wording") or default)
    if not ticked or wording is None or wording.text_id is not TextId.OPTIN_CHECKBOX:
        raise Unprocessable(
            {
                "opt_in": FieldProblem(
                    "not_ticked",
                    "配信を再開するには、同意のチェックを入れてください。",
                    "To receive mail again, please tick the box.",
                )
            }
        )
    return wording


def _reason(request: Request, deps: Deps, link: Link) -> dict[str, Any]:
    reason = request.fields().get("reason", "")
    if reason not in UNSUBSCRIBE_REASONS:
        raise Unprocessable(
            {
                "reason": FieldProblem(
                    "unknown_reason", "理由をひとつ選んでください。", "Please choose a reason."
                )
            }
        )
    event = _event(request, link, EventKind.UNSUBSCRIBE_REASON, Source.LINK, reason=reason)
    deps.contacts.record(event)
    if not request.wants_html:
        return json_response(200, {"status": "noted"})
    return _stopped_page(request, deps, reason_noted=True)


_ROUTES = {
    "GET /u/{token}": _show,
    "POST /u/{token}": _stop,
    "POST /u/{token}/undo": _undo,
    "POST /u/{token}/reason": _reason,
}


def _event(
    request: Request,
    link: Link,
    kind: EventKind,
    source: Source,
    *,
    wording: Wording | None = None,
    reason: str = "",
) -> Event:
    return Event(
        contact_id=link.contact_id,
        event_id=event_id(request.request_id, kind),
        kind=kind,
        at=request.at,
        source=source,
        details={
            "campaign_id": link.campaign_id,
            "request_id": request.request_id,
            **({"reason": reason} if reason else {}),
        },
        wording=wording,
    )


def _stopped_page(request: Request, deps: Deps, *, reason_noted: bool) -> dict[str, Any]:
    from shared import pages  # noqa: PLC0415

    token = request.path["token"]
    page = pages.unsubscribed_page(
        deps.settings.company,
        language=_language(request),
        # Relative to the page shown, so that it works behind any path prefix.
        path=f"../{token}" if reason_noted else token,
        reason_noted=reason_noted,
    )
    return html_response(200, page, pages.style_hash())


def _language(request: Request) -> Language:
    return Language.EN if request.query.get("lang") == Language.EN else Language.JA
