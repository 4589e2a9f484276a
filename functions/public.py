"""What the public functions share: finding the route, and answering a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from shared.adapters.http import (
    Request,
    allowed_methods,
    error_headers,
    html_response,
    problem,
)
from shared.domain.company import Company
from shared.domain.errors import (
    FieldProblem,
    MethodNotAllowed,
    NotFound,
    OptinError,
    Unprocessable,
)
from shared.telemetry import refused
from shared.texts.consent import Language

Route = TypeVar("Route")


def served(
    request: Request,
    routes: Mapping[str, Route],
    call: Callable[[Route], dict[str, Any]],
    *,
    company: Company,
    language: Language,
) -> dict[str, Any]:
    """What ``call`` makes of the request's route, or the refusal it raises."""
    try:
        route = routes.get(request.route)
        if route is None:
            raise _no_route(request, routes)
        return call(route)
    except OptinError as error:
        refused(error.code, error.status)
        answer = _refusal(request, error, company, language)
        answer["headers"].update(error_headers(error, routes, request))
        return answer


def _no_route(request: Request, routes: Iterable[str]) -> OptinError:
    if allowed_methods(routes, request):
        return MethodNotAllowed(
            "method_not_allowed",
            "この操作(メソッド)には対応していません。",
            "This method is not supported here.",
        )
    return NotFound("unknown_page", "このページは見つかりません。", "There is no such page.")


def _refusal(
    request: Request, error: OptinError, company: Company, language: Language
) -> dict[str, Any]:
    if not request.wants_html:
        return problem(error)
    from shared import pages  # noqa: PLC0415 (templates are loaded only where a page is shown)

    said: OptinError | FieldProblem = error
    if isinstance(error, Unprocessable):
        said = next(iter(error.fields.values()))
    page = pages.problem_page(
        company,
        language=language,
        status=error.status,
        title_ja=error.title_ja,
        detail_ja=said.ja,
        detail_en=said.en,
    )
    return html_response(error.status, page, pages.style_hash())
