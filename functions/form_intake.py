"""``/forms/{form_id}``: shows a form and turns a post into evidence (manual A1, A2, A4, A6).

A post costs one DynamoDB transaction, plus a form definition read at most once a minute.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from functions.public import served
from shared.adapters import aws
from shared.adapters.contacts import ContactStore, Counter
from shared.adapters.forms import FormStore
from shared.adapters.http import (
    Request,
    error_headers,
    html_response,
    json_response,
    problem,
    respond,
)
from shared.adapters.secrets import Secrets
from shared.domain.address import suggest
from shared.domain.errors import (
    NotAllowed,
    NotFound,
    OptinError,
    Unprocessable,
)
from shared.domain.events import stamp
from shared.domain.forms import Form, FormKind
from shared.domain.intake import (
    RequestEvidence,
    Submission,
    SubmissionStatus,
    ask_about_typo,
    read_submission,
    submission_event,
)
from shared.settings import FormIntakeSettings, load
from shared.telemetry import count, logger, refused
from shared.texts.consent import Language


@dataclass(frozen=True)
class Deps:
    """What the handler works with."""

    settings: FormIntakeSettings
    contacts: ContactStore
    forms: FormStore
    secrets: Secrets


@cache
def _deps() -> Deps:
    settings = load(FormIntakeSettings, os.environ)
    dynamodb = aws.dynamodb()
    return Deps(
        settings,
        ContactStore(
            dynamodb, settings.contacts_table, settings.events_table, settings.throttle_table
        ),
        FormStore(dynamodb, settings.forms_table),
        Secrets(aws.secretsmanager()),
    )


@logger.inject_lambda_context
def handler(event: Mapping[str, Any], _context: object, deps: Deps | None = None) -> dict[str, Any]:
    """Answer one request of the public form routes."""
    request = Request(event)
    deps = deps or _deps()
    return served(
        request,
        _ROUTES,
        lambda route: route(request, deps),
        company=deps.settings.company,
        language=_language(request),
    )


def _post_form(request: Request, deps: Deps) -> dict[str, Any]:
    form = deps.forms.get(request.path.get("form_id", ""), request.at)
    cors = _cors(request, form)
    fields: Mapping[str, str] = {}
    try:
        fields = request.fields()
        referer = request.headers.get("referer", "")
        submission = read_submission(form, fields, referer=referer, now=request.at)
        if request.wants_html:
            ask_about_typo(submission, fields)
        submission_id = _store(submission, request, deps)
    except OptinError as error:
        refused(error.code, error.status)
        if request.wants_html:
            return _form_again(request, deps, form, fields, error)
        answer = problem(error)
        answer["headers"].update(cors)
        return answer
    logger.info("submission", extra={"form_id": form.form_id, "result": submission.status})
    count(f"Submission_{submission.status}")
    if request.wants_html:
        return respond(303, headers={"Location": _thanks(form, submission.status, fields)})
    likely = suggest(submission.address.used)
    return json_response(
        201,
        {
            "submission_id": submission_id,
            "status": submission.status.value,
            **({"suggestion": likely} if likely else {}),
        },
        cors,
    )


def _store(submission: Submission, request: Request, deps: Deps) -> str:
    evidence = RequestEvidence(
        request.request_id, request.at, request.source_ip, request.headers.get("user-agent", "")
    )
    key = deps.secrets.contact_key(deps.settings.contact_key_secret)
    event = submission_event(submission, evidence, key)
    deps.contacts.record(event, _counters(event.contact_id, event.event_id, request, deps))
    return event.event_id


def _counters(contact_id: str, event_id: str, request: Request, deps: Deps) -> list[Counter]:
    """Limits per source and per address from one source.

    The second counts the pair, so that the answer to one visitor never depends on what others
    posted: it cannot tell whether an address is known. The first is spread over several
    counters, since one busy counter would make concurrent posts wait for each other; each has
    room for the unevenness of chance (5 sigma), so that the limit is never reached early.
    """
    at, settings = request.at, deps.settings
    source = hashlib.sha256(request.source_ip.encode()).hexdigest()[:16]
    per_minute = settings.posts_per_minute_per_source
    lanes = max(1, per_minute // 60)
    lane = int(event_id, 16) % lanes
    share = per_minute // lanes
    room = 5 * math.isqrt(share) if lanes > 1 else 0
    return [
        Counter(
            key=f"source#{source}#{at:%Y%m%d%H%M}#{lane}",
            limit=share + room,
            expires=at + timedelta(minutes=2),
            retry_after=60,
        ),
        Counter(
            key=f"address#{contact_id}#{source}#{at:%Y%m%d%H}",
            limit=settings.posts_per_hour_per_address,
            expires=at + timedelta(hours=2),
            retry_after=3600,
        ),
    ]


def _get_form(request: Request, deps: Deps) -> dict[str, Any]:
    form = deps.forms.get(request.path.get("form_id", ""), request.at)
    if request.wants_html:
        return _form_page(request, deps, form)
    return json_response(200, _description(form), _cors(request, form))


def _get_thanks(request: Request, deps: Deps) -> dict[str, Any]:
    form = deps.forms.get(request.path.get("form_id", ""), request.at)
    statuses = (
        {SubmissionStatus.OPTED_IN, SubmissionStatus.NOT_OPTED_IN}
        if form.kind is FormKind.MUNICIPAL_LP
        else {SubmissionStatus.NOTIFIED}
    )
    status = request.query.get("status", "")
    if status not in statuses:
        raise NotFound("unknown_page", "このページは見つかりません。", "There is no such page.")
    from shared import pages  # noqa: PLC0415 (templates are loaded only where a page is shown)

    page = pages.thanks_page(
        form, deps.settings.company, language=_language(request), status=status
    )
    return html_response(200, page, pages.style_hash())


def _get_embed(request: Request, deps: Deps) -> dict[str, Any]:
    form = deps.forms.get(request.path.get("form_id", ""), request.at)
    from shared import pages  # noqa: PLC0415

    page = pages.embed_page(
        form,
        deps.settings.company,
        language=_language(request),
        action_url=f"{deps.settings.public_url}/forms/{form.form_id}",
    )
    return html_response(200, page, pages.style_hash())


def _preflight(request: Request, deps: Deps) -> dict[str, Any]:
    form = deps.forms.get(request.path.get("form_id", ""), request.at)
    return respond(
        204,
        headers={
            **_cors(request, form),
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "Content-Type, Accept",
            "Access-Control-Max-Age": "600",
        },
    )


def _health(_request: Request, _deps: Deps) -> dict[str, Any]:
    return json_response(200, {"status": "ok"})


_ROUTES = {
    "GET /forms/{form_id}": _get_form,
    "POST /forms/{form_id}": _post_form,
    "OPTIONS /forms/{form_id}": _preflight,
    "GET /forms/{form_id}/thanks": _get_thanks,
    "GET /forms/{form_id}/embed": _get_embed,
    "GET /health": _health,
}


def _cors(request: Request, form: Form) -> dict[str, str]:
    """CORS headers for an allowed origin, none for a request without one.

    Raises:
        NotAllowed: a browser posts from a page this form is not meant for.
    """
    origin = request.headers.get("origin", "")
    if origin in form.allowed_origins:
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    same_site = request.headers.get("sec-fetch-site", "") in {"same-origin", "none"}
    own = origin.partition("://")[2] == request.headers.get("host", "-")
    if origin in {"", "null"} or same_site or own:
        return {}
    raise NotAllowed(
        "origin_not_allowed",
        "このサイトからの送信は許可されていません。",
        "Posts from this site are not allowed.",
    )


def _description(form: Form) -> dict[str, Any]:
    consent, purpose = form.consent, form.purpose
    checkbox = (
        [{"name": "opt_in", "type": "checkbox", "required": False, "label_ja": consent.ja,
          "label_en": consent.en}]
        if form.kind is FormKind.MUNICIPAL_LP
        else []
    )  # fmt: skip
    return {
        "form_id": form.form_id,
        "kind": form.kind.value,
        "title": {"ja": form.title_ja, "en": form.title_en},
        "municipality": form.municipality,
        "wording": {"ja": consent.ja, "en": consent.en},
        "wording_id": consent.text_id.value,
        "wording_sha256": {lang.value: consent.wording(lang).sha256 for lang in Language},
        "version": consent.version,
        "purpose": {"ja": purpose.ja, "en": purpose.en, "version": purpose.version},
        "fields": [
            {"name": "email", "type": "email", "required": True, "label_ja": "メールアドレス",
             "label_en": "E-mail address"},
            *checkbox,
            *(
                {"name": extra.name, "type": "text", "required": extra.required,
                 "max_length": extra.max_length, "label_ja": extra.label_ja,
                 "label_en": extra.label_en}
                for extra in form.fields
            ),
        ],
    }  # fmt: skip


def _thanks(form: Form, status: SubmissionStatus, fields: Mapping[str, str]) -> str:
    """The municipality's page, or ours; relative, so that it works behind any prefix."""
    if form.thanks_url:
        return form.thanks_url
    english = "&lang=en" if fields.get("lang") == Language.EN else ""
    return f"{form.form_id}/thanks?status={status}{english}"


def _form_page(
    request: Request,
    deps: Deps,
    form: Form,
    *,
    status: int = 200,
    fields: Mapping[str, str] | None = None,
    error: OptinError | None = None,
) -> dict[str, Any]:
    from shared import pages  # noqa: PLC0415

    language = _language(request, fields)
    fields = fields or {}
    general = isinstance(error, Unprocessable) or error is None
    page = pages.form_page(
        form,
        deps.settings.company,
        language=language,
        rendered_at=stamp(request.at),
        values=fields,
        opt_in=bool(fields.get("opt_in")),
        problems=error.fields if isinstance(error, Unprocessable) else {},
        notice="" if general or error is None else _in(language, error),
    )
    thanks = urlsplit(form.thanks_url)
    target = f"{thanks.scheme}://{thanks.netloc}" if thanks.netloc else ""
    return html_response(status, page, pages.style_hash(), target)


def _form_again(
    request: Request, deps: Deps, form: Form, fields: Mapping[str, str], error: OptinError
) -> dict[str, Any]:
    """A browser gets its form back, with what it entered and the message beside the field."""
    answer = _form_page(request, deps, form, status=error.status, fields=fields, error=error)
    answer["headers"].update(error_headers(error, _ROUTES, request))
    return answer


def _language(request: Request, fields: Mapping[str, str] | None = None) -> Language:
    """English where asked for by the switch or the form; Japanese first otherwise."""
    asked = request.query.get("lang") or (fields or {}).get("lang")
    return Language.EN if asked == Language.EN else Language.JA


def _in(language: Language, error: OptinError) -> str:
    return error.en if language is Language.EN else error.ja
