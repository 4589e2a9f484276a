"""``/v/{token}``: the person confirms what was asked for, or fetches the file, by a mailed link.

GET shows what will happen, for a masked address, and changes nothing: programs that look at
links before people do confirm nothing. POST needs nothing but the token. A link that was used
says so (200; the file: 409), one that no longer works says why (409), one that is not ours is
unknown (404).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.public import served
from shared.adapters import aws
from shared.adapters.campaigns import CampaignStore
from shared.adapters.cases import CaseStore
from shared.adapters.contacts import ContactStore
from shared.adapters.figures import Figures
from shared.adapters.http import (
    Request,
    html_response,
    json_response,
    problem,
    respond,
)
from shared.adapters.jobs import CaseJob, JobQueue
from shared.adapters.ledger import Ledger
from shared.adapters.received import ReceivedStore
from shared.adapters.secrets import Secrets
from shared.domain import cases
from shared.domain.address import AddressError, parse_address
from shared.domain.cases import Case, LinkState
from shared.domain.errors import Conflict, Unavailable
from shared.domain.events import Event, EventKind, Source, event_id, stamp
from shared.domain.links import CaseLink, LinkKeys, Purpose, UnknownKey, verify_case
from shared.settings import CaseLinkSettings, load
from shared.telemetry import logger, refused
from shared.texts.consent import Language

_TRIES = 5


@dataclass(frozen=True)
class Deps:
    """What the handler works with; from ``campaigns`` to ``received``: for the file."""

    settings: CaseLinkSettings
    contacts: ContactStore
    cases: CaseStore
    campaigns: CampaignStore
    ledger: Ledger
    figures: Figures
    received: ReceivedStore
    jobs: JobQueue
    secrets: Secrets


@cache
def _deps() -> Deps:
    settings = load(CaseLinkSettings, os.environ)
    dynamodb = aws.dynamodb()
    return Deps(
        settings,
        ContactStore(dynamodb, settings.contacts_table, settings.events_table),
        CaseStore(dynamodb, settings.cases_table),
        CampaignStore(dynamodb, settings.campaigns_table),
        Ledger(dynamodb, settings.ledger_table),
        Figures(dynamodb, settings.ledger_table, settings.events_table),
        ReceivedStore(dynamodb, settings.received_table),
        JobQueue(aws.sqs(), settings.case_queue_url),
        Secrets(aws.secretsmanager()),
    )


@logger.inject_lambda_context
def handler(event: Mapping[str, Any], _context: object, deps: Deps | None = None) -> dict[str, Any]:
    """Answer one request of the confirmation route."""
    request = Request(event)
    deps = deps or _deps()
    return served(
        request,
        _ROUTES,
        lambda route: route(request, deps, _read_link(request, deps)),
        company=deps.settings.company,
        language=_language(request),
    )


def _read_link(request: Request, deps: Deps) -> CaseLink:
    token = request.path.get("token", "")
    try:
        return verify_case(token, _keys(deps))
    except UnknownKey:
        # A key may have been added since this process read them.
        return verify_case(token, _keys(deps, fresh=True))


def _keys(deps: Deps, *, fresh: bool = False) -> LinkKeys:
    return deps.secrets.link_keys(deps.settings.link_keys_secret, fresh=fresh)


# --- what a link does


def _show(request: Request, deps: Deps, link: CaseLink) -> dict[str, Any]:
    case = deps.cases.get(link.case_id)
    try:
        # What a POST would make of it tells whether it would work.
        _used(request, deps, link, case)
    except Conflict as over:
        return _over(request, deps, link, case, over)
    until, masked = case.links[link.purpose].expires_at, _masked(link, case)
    if not request.wants_html:
        return json_response(
            200,
            {
                "purpose": link.purpose.name.lower(),
                "kind": case.kind,
                "address": masked,
                "expires_at": stamp(until),
                "due_on": case.due_on.isoformat(),
            },
        )
    from shared import pages  # noqa: PLC0415 (templates are loaded only where a page is shown)

    page = pages.confirm_page(
        deps.settings.company,
        language=_language(request, case),
        what=_what(link, case),
        masked=masked,
        until=until,
        due=case.due_on,
        by_itself=deps.settings.erasure_runs_by_itself,
    )
    return html_response(200, page, pages.style_hash())


def _press(request: Request, deps: Deps, link: CaseLink) -> dict[str, Any]:
    for _ in range(_TRIES):
        case = deps.cases.get(link.case_id)
        again = _was_this_request(request, link, case)
        try:
            changed = case if again else _used(request, deps, link, case)
        except Conflict as over:
            return _over(request, deps, link, case, over)
        # The file is made before its link is used up, and leaves only after that is saved.
        answer = _answer(request, deps, link, changed)
        if not again:
            _stop(request, deps, link, changed)
            try:
                deps.cases.save(case, changed)
            except Conflict:
                continue
        _hand_on(deps, changed)
        about = {"case_id": case.case_id, "contact_id": case.contact_id}
        logger.info("confirmed", extra={"purpose": link.purpose.name, "kind": case.kind, **about})
        return answer
    raise Unavailable("cases:contention")


def _used(request: Request, deps: Deps, link: CaseLink, case: Case) -> Case:
    """The case once the link is used now.

    Raises:
        Conflict: it does not work.
    """
    if link.purpose is Purpose.DISCLOSURE:
        return cases.fetched(case, link, now=request.at)
    if link.purpose is Purpose.NEW_ADDRESS:
        return cases.new_address_confirmed(case, link, now=request.at)
    return cases.confirmed(
        case,
        link,
        now=request.at,
        erasure_runs_by_itself=deps.settings.erasure_runs_by_itself,
    )


def _was_this_request(request: Request, link: CaseLink, case: Case) -> bool:
    """This very request was here before and its answer was lost: it gets the same one."""
    state = _state(link, case)
    return state is not None and state.used_at == request.at


def _state(link: CaseLink, case: Case) -> LinkState | None:
    """What the case says of this link and of no other."""
    state = case.links.get(link.purpose)
    return state if state is not None and state.nonce == link.nonce else None


def _stop(request: Request, deps: Deps, link: CaseLink, case: Case) -> None:
    """Who confirms an erasure or a stop gets no more mail from now on, whatever comes of it.

    Recorded first, and as the worker would: then nothing has to be made up for after a crash.
    """
    if link.purpose is not Purpose.IDENTITY or not case.stop_is_certain:
        return
    deps.contacts.record(
        Event(
            contact_id=case.contact_id,
            event_id=event_id(case.case_id, EventKind.UNSUBSCRIBED),
            kind=EventKind.UNSUBSCRIBED,
            at=request.at,
            source=Source.LINK,
            details={"case_id": case.case_id},
        )
    )


def _hand_on(deps: Deps, case: Case) -> None:
    """Let the worker go on. If it cannot be told, its sweep finds the case: the person is done."""
    try:
        deps.jobs.put([CaseJob(case.case_id)])
    except Unavailable as error:
        logger.warning("left to the sweep", extra={"case_id": case.case_id, "code": error.code})


# --- answers


def _answer(request: Request, deps: Deps, link: CaseLink, case: Case) -> dict[str, Any]:
    if link.purpose is Purpose.DISCLOSURE:
        return _file(request, deps, link, case)
    if not request.wants_html:
        due_on = case.due_on.isoformat()
        return json_response(200, {"status": "confirmed", "kind": case.kind, "due_on": due_on})
    from shared import pages  # noqa: PLC0415

    page = pages.confirmed_page(
        deps.settings.company,
        language=_language(request, case),
        what=_what(link, case),
        due=case.due_on,
        by_itself=deps.settings.erasure_runs_by_itself,
    )
    return html_response(200, page, pages.style_hash())


def _file(request: Request, deps: Deps, link: CaseLink, case: Case) -> dict[str, Any]:
    """The page with the record in it; the bare record for a program that asks for JSON."""
    from functions.proof_file import (  # noqa: PLC0415
        FileFormat,
        correspondence_of,
        proof_file,
    )

    wants_json = not request.wants_html and "json" in request.headers.get("accept", "")
    made = proof_file(
        deps,
        deps.contacts.get(case.contact_id),
        made_at=request.at,
        made_by=cases.PERSON,
        asked_for=_masked(link, case),
        newest=case,
        correspondence=correspondence_of(deps, case.contact_id),
    )
    logger.info(
        "proof made",
        extra={
            "contact_id": case.contact_id,
            "operator": cases.PERSON,
            "case_id": case.case_id,
            "sha256": made.sha256,
        },
    )
    served = made.served(FileFormat.JSON if wants_json else FileFormat.HTML)
    return respond(200, served.body, served.content_type, served.headers)


def _over(
    request: Request, deps: Deps, link: CaseLink, case: Case, over: Conflict
) -> dict[str, Any]:
    """The link was used, or does not work any more."""
    state = _state(link, case)
    used_at = state.used_at if state is not None else None
    confirmed_at = None if link.purpose is Purpose.DISCLOSURE else used_at
    if not request.wants_html:
        if confirmed_at is not None:
            answer = {"status": "already_confirmed", "confirmed_at": stamp(confirmed_at)}
            return json_response(200, answer)
        refused(over.code, over.status)
        return problem(over)
    from shared import pages  # noqa: PLC0415

    company, language = deps.settings.company, _language(request, case)
    if confirmed_at is not None:
        page = pages.already_confirmed_page(company, language=language, at=confirmed_at)
        return html_response(200, page, pages.style_hash())
    refused(over.code, over.status)
    at = used_at or (state.expires_at if state is not None else None)
    page = pages.link_over_page(company, language=language, code=over.code, at=at)
    return html_response(over.status, page, pages.style_hash())


def _what(link: CaseLink, case: Case) -> str:
    """Which of ``pages.CONFIRMATIONS``."""
    return {Purpose.DISCLOSURE: "file", Purpose.NEW_ADDRESS: "new_address"}.get(
        link.purpose, case.kind
    )


def _masked(link: CaseLink, case: Case) -> str:
    """The address the link was mailed to, and never the other one."""
    to = case.new_address if link.purpose is Purpose.NEW_ADDRESS else case.reply_to
    try:
        return parse_address(to).masked
    except AddressError:
        return ""


def _language(request: Request, case: Case | None = None) -> Language:
    """As the page's switch says, else as the person wrote."""
    asked = request.query.get("lang", "")
    if asked in set(Language):
        return Language(asked)
    return case.language if case is not None else Language.JA


_ROUTES = {"GET /v/{token}": _show, "POST /v/{token}": _press}
