"""The staff API: one Lambda behind the JWT authorizer of the user pool.

Routes stand in the modules beside this one, by noun. Errors are mapped here, once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer, Server
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.staff_api import (
    audience,
    campaigns,
    contacts,
    feedback,
    forms,
    proof,
    registrations,
    requests,
    residence,
)
from functions.staff_api.context import Deps, call_of, default_deps
from functions.staff_api.permissions import OF_ROUTE
from shared.adapters.http import Request, problem
from shared.domain.errors import (
    BadRequest,
    FieldProblem,
    NotAllowed,
    NotFound,
    OptinError,
    Unprocessable,
    UnsupportedType,
)
from shared.domain.teams import MATRIX
from shared.telemetry import logger, refused

_ONLY_JSON = UnsupportedType(
    "unsupported_type", "JSONで送信してください。", "Send JSON (application/json)."
)
app = APIGatewayHttpResolver(
    enable_validation=True, serializer=partial(json.dumps, ensure_ascii=False)
)
for module in (
    contacts,
    feedback,
    residence,
    registrations,
    forms,
    campaigns,
    audience,
    proof,
    requests,
):
    app.include_router(module.router)


@app.get("/openapi.json", include_in_schema=False)
def openapi() -> Response[str]:
    """This API, described (OpenAPI 3.1). No sign-in: it says nothing about anybody."""
    return Response(200, "application/json", openapi_json())


def openapi_json() -> str:
    """The description as JSON text, with what each route asks of its caller."""
    described = json.loads(_openapi_json())
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            permission = OF_ROUTE[f"{method.upper()} {path}"]
            operation["x-permission"] = permission
            operation["x-teams"] = sorted(MATRIX[permission])
    return json.dumps(described, ensure_ascii=False)


def _openapi_json() -> str:
    return app.get_openapi_json_schema(
        title="optin staff API",
        version="1",
        description="Contacts, registrations, unsubscriptions, requests, forms and campaigns.",
        servers=[Server(url=".")],  # relative to this document
        security_schemes={"bearer": HTTPBearer(bearerFormat="JWT")},
        security=[{"bearer": []}],
    )


@app.exception_handler(OptinError)  # type: ignore[untyped-decorator]
def _known_error(error: OptinError) -> Response[str]:
    return _told(error)


@app.exception_handler(RequestValidationError)  # type: ignore[untyped-decorator]
def _invalid(error: RequestValidationError) -> Response[str]:
    """Powertools judges the body first; who may not use the route is told only that."""
    try:
        call_of(app)
    except NotAllowed as denied:
        return _told(denied)
    fields: dict[str, FieldProblem] = {}
    for found in error.errors():
        if found.get("type") == "json_invalid":
            return _problem(
                BadRequest("malformed", "JSONとして読み取れません。", "This is not JSON.")
            )
        names = [str(part) for part in found["loc"][1:]] or ["body"]
        fields[".".join(names)] = FieldProblem(
            str(found["type"]), "値が正しくありません。", str(found["msg"])
        )
    return _problem(Unprocessable(fields))


@app.not_found
def _no_route(_error: NotFoundError) -> Response[str]:
    return _problem(NotFound("unknown_route", "このAPIはありません。", "There is no such route."))


def _told(error: OptinError) -> Response[str]:
    refused(error.code, error.status)
    return _problem(error)


def _problem(error: OptinError) -> Response[str]:
    answer = problem(error)
    headers = dict(answer["headers"])
    return Response(error.status, headers.pop("Content-Type"), answer["body"], headers)


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, deps: Deps | None = None
) -> Mapping[str, Any]:
    """Answer one staff request."""
    request = Request(event)
    if event.get("body") and request.media_type not in {"", "application/json"}:
        # Powertools reads forms too, and fails at some of them.
        return problem(_ONLY_JSON)
    app.append_context(deps=deps or default_deps())  # type: ignore[no-untyped-call]
    return app.resolve(event, context)


if __name__ == "__main__":
    print(json.dumps(json.loads(openapi_json()), ensure_ascii=False, indent=2))  # noqa: T201
