"""OPTIONS as API Gateway treats it: without CORS configured, it is a request like any other.

The emulator answers OPTIONS itself, always, so a route's function is found and called here, with
the event API Gateway would give it.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.aws import Aws
from local.config import ACCOUNT, HOST


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Route:
    key: str
    open: bool
    function: str

    def match(self, path: str) -> tuple[tuple[int, ...], dict[str, str]] | None:
        """(how specific, path parameters), if this route takes OPTIONS of the path."""
        if self.key == "$default":
            return (0,), {}
        method, _, template = self.key.partition(" ")
        if method not in ("ANY", "OPTIONS"):
            return None
        parameters: dict[str, str] = {}
        rank: list[int] = []
        wanted, given = template.strip("/").split("/"), path.strip("/").split("/")
        for index, part in enumerate(wanted):
            if part.endswith("+}"):
                parameters[part[1:-2]] = unquote("/".join(given[index:]))
                return (*rank, 1, method == "OPTIONS"), parameters
            if index >= len(given) or (not part.startswith("{") and part != given[index]):
                return None
            if part.startswith("{"):
                parameters[part[1:-1]] = unquote(given[index])
            rank.append(2 if part.startswith("{") else 3)
        if len(given) != len(wanted):
            return None
        return (*rank, method == "OPTIONS"), parameters


class OptionsRequests:
    """Reads the deployed routes once; `answer` is called for each OPTIONS request."""

    def __init__(self, aws: Aws, api_ids: tuple[str, ...]) -> None:
        self._aws = aws
        self._routes = {api_id: self._read(api_id) for api_id in api_ids}

    def _read(self, api_id: str) -> list[_Route]:
        apis = self._aws.apigateway
        if apis.get_api(ApiId=api_id).get("CorsConfiguration"):
            return []  # API Gateway answers these itself, and so does the emulator
        integrations = {
            item["IntegrationId"]: item.get("IntegrationUri", "")
            for item in apis.get_integrations(ApiId=api_id, MaxResults="100")["Items"]
        }
        return [
            _Route(
                key=route["RouteKey"],
                open=route.get("AuthorizationType", "NONE") == "NONE",
                function=_function(integrations.get(_last(route.get("Target", "")), "")),
            )
            for route in apis.get_routes(ApiId=api_id, MaxResults="100")["Items"]
        ]

    def answer(
        self, api_id: str, path: str, query: str, headers: Mapping[str, str]
    ) -> Answer | None:
        """None where the emulator may answer: CORS is configured, or a sign-in is asked for."""
        found = [
            (match[0], route, match[1])
            for route in self._routes[api_id]
            if (match := route.match(path)) is not None
        ]
        if not found:
            return None
        _, route, parameters = max(found, key=lambda candidate: candidate[0])
        if not route.open:
            return None
        event = _event(
            api_id=api_id,
            route_key=route.key,
            path=path,
            query=query,
            headers=headers,
            parameters=parameters,
        )
        result = self._aws.functions.invoke(
            FunctionName=route.function, Payload=json.dumps(event).encode()
        )
        payload: dict[str, Any] = json.loads(result["Payload"].read() or b"{}")
        if result.get("FunctionError") or "statusCode" not in payload:
            return Answer(500, {"content-type": "application/json"}, b'{"message":"Internal"}')
        body = str(payload.get("body") or "")
        return Answer(
            status=int(payload["statusCode"]),
            headers={
                str(name): str(value) for name, value in (payload.get("headers") or {}).items()
            },
            body=base64.b64decode(body) if payload.get("isBase64Encoded") else body.encode(),
        )


def _event(
    *,
    api_id: str,
    route_key: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    parameters: Mapping[str, str],
) -> dict[str, Any]:
    now = datetime.now(UTC)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": unquote(path),
        "rawQueryString": query,
        "headers": dict(headers),
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": api_id,
            "domainName": f"{api_id}.execute-api.localhost",
            "domainPrefix": api_id,
            "http": {
                "method": "OPTIONS",
                "path": unquote(path),
                "protocol": "HTTP/1.1",
                "sourceIp": HOST,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": uuid.uuid4().hex[:16],
            "routeKey": route_key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(time.time() * 1000),
        },
        "isBase64Encoded": False,
    }
    if parameters:
        event["pathParameters"] = dict(parameters)
    if query:
        event["queryStringParameters"] = dict(parse_qsl(query, keep_blank_values=True))
    return event


def _function(integration_uri: str) -> str:
    """The function's ARN, also out of `arn:…:path/2015-03-31/functions/<arn>/invocations`."""
    _, found, rest = integration_uri.partition("/functions/")
    return rest.removesuffix("/invocations") if found else integration_uri


def _last(target: str) -> str:
    return target.rsplit("/", 1)[-1]
