"""API Gateway's HTTP events as requests, answers as its responses, errors as problem+json.

Errors are mapped to HTTP here, once (RFC 9457).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from shared.domain.errors import (
    BadRequest,
    FieldProblem,
    MethodNotAllowed,
    OptinError,
    PayloadTooLarge,
    TooMany,
    Unprocessable,
    UnsupportedType,
)
from shared.domain.events import from_epoch_ms

MAX_BODY = 64 * 1024
_MAX_FIELDS = 60

_SECURITY = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True)
class Request:
    """One request as API Gateway (HTTP API, payload 2.0) hands it over.

    ``at`` and ``request_id`` are the gateway's: a retried event carries the same ones, which
    is what makes handlers idempotent.
    """

    event: Mapping[str, Any]

    @property
    def route(self) -> str:
        """``POST /forms/{form_id}``: the route the gateway matched, with the real method."""
        _, _, path = str(self.event["routeKey"]).partition(" ")
        return f"{self.method} {path}"

    @property
    def method(self) -> str:
        """The method in capitals; HEAD is answered like GET (RFC 9110 section 9.3.2)."""
        method = str(self._http["method"]).upper()
        return "GET" if method == "HEAD" else method

    @property
    def path(self) -> Mapping[str, str]:
        """Path parameters."""
        return self.event.get("pathParameters") or {}

    @property
    def query(self) -> Mapping[str, str]:
        """Query parameters; of repeated ones the gateway joins the values."""
        return self.event.get("queryStringParameters") or {}

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """Headers by lower-case name."""
        return {name.lower(): value for name, value in (self.event.get("headers") or {}).items()}

    @property
    def source_ip(self) -> str:
        """Where the request came from, as the gateway saw it."""
        return str(self._http.get("sourceIp", ""))

    @property
    def request_id(self) -> str:
        """The gateway's id of this request."""
        return str(self.event["requestContext"]["requestId"])

    @property
    def at(self) -> datetime:
        """When the gateway received it."""
        return from_epoch_ms(int(self.event["requestContext"]["timeEpoch"]))

    @property
    def _http(self) -> Mapping[str, Any]:
        http: Mapping[str, Any] = self.event["requestContext"]["http"]
        return http

    @property
    def wants_html(self) -> bool:
        """A browser navigates; programs ask for JSON or for nothing in particular."""
        return "text/html" in self.headers.get("accept", "")

    @property
    def media_type(self) -> str:
        """The body's media type in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def body(self) -> bytes:
        """The raw body.

        Raises:
            PayloadTooLarge: over ``MAX_BODY`` bytes.
            BadRequest: not the base64 it should be.
        """
        text = self.event.get("body") or ""
        if len(text) > MAX_BODY * 4 // 3 + 4:
            raise _too_large()
        try:
            raw = (
                base64.b64decode(text, validate=True)
                if self.event.get("isBase64Encoded")
                else text.encode("utf-8", "surrogatepass")
            )
        except ValueError as error:
            raise _malformed() from error
        if len(raw) > MAX_BODY:
            raise _too_large()
        return raw

    def fields(self) -> dict[str, str]:
        """The posted fields: urlencoded, multipart or JSON.

        JSON ``true`` and ``false`` become ``"true"`` and ``"false"``; ``null`` is absent.

        Raises:
            BadRequest: not valid UTF-8, or not what its type says.
            UnsupportedType: some other media type.
            PayloadTooLarge: over the limit.
            Unprocessable: a field is repeated, of a wrong type, or holds a NUL.
        """
        reader = _READERS.get(self.media_type)
        if reader is None:
            raise UnsupportedType(
                "unsupported_type",
                "この形式では受け付けられません。フォームまたはJSONで送信してください。",
                "Send a form or JSON.",
            )
        pairs = reader(self)
        fields: dict[str, str] = {}
        problems: dict[str, FieldProblem] = {}
        for name, value in pairs:
            if name in fields:
                problems[name] = FieldProblem(
                    "repeated", "同じ項目が2回送信されています。", "Sent more than once."
                )
            elif "\x00" in value or not _is_unicode(value):
                problems[name] = FieldProblem(
                    "characters", "使えない文字が含まれています。", "Holds unusable characters."
                )
            fields[name] = value
        if problems:
            raise Unprocessable(problems)
        return fields


def _urlencoded(request: Request) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            request.body.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError as error:
        raise _malformed() from error


def _json(request: Request) -> list[tuple[str, str]]:
    try:
        pairs = json.loads(request.body.decode(), object_pairs_hook=_JsonObject)
    except (ValueError, RecursionError) as error:
        raise _malformed() from error
    if not isinstance(pairs, _JsonObject) or len(pairs) > _MAX_FIELDS:
        raise _malformed()
    texts: list[tuple[str, str]] = []
    for name, value in pairs:
        if not _is_unicode(name):
            raise _malformed()
        if value is None:
            continue
        if isinstance(value, bool):
            texts.append((name, "true" if value else "false"))
        elif isinstance(value, str):
            texts.append((name, value))
        else:
            problem = FieldProblem("type", "文字列で送信してください。", "Send a string.")
            raise Unprocessable({name: problem})
    return texts


class _JsonObject(list[tuple[str, Any]]):
    """The members of a JSON object, repeated ones included."""


def _multipart(request: Request) -> list[tuple[str, str]]:
    # Imported only for the rare multipart post: the cold start of all others is spared it.
    from io import BytesIO  # noqa: PLC0415

    from multipart import (  # type: ignore[import-untyped]  # noqa: PLC0415
        MultipartError,
        MultipartParser,
        parse_options_header,
    )

    _, options = parse_options_header(request.headers["content-type"])
    try:
        parser = MultipartParser(
            BytesIO(request.body),
            options.get("boundary", ""),
            charset="utf8",
            strict=True,
            memory_limit=MAX_BODY,
            disk_limit=0,
            part_limit=_MAX_FIELDS,
        )
        return [(part.name, part.value) for part in parser if not part.filename]
    except (MultipartError, ValueError, LookupError) as error:  # LookupError: an unknown charset
        raise _malformed() from error


_READERS = {
    "application/x-www-form-urlencoded": _urlencoded,
    "application/json": _json,
    "multipart/form-data": _multipart,
}


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _malformed() -> BadRequest:
    return BadRequest(
        "malformed",
        "送信された内容を読み取れませんでした。",
        "The body could not be read.",
    )


def _too_large() -> PayloadTooLarge:
    return PayloadTooLarge(
        "too_large",
        f"送信された内容が大きすぎます({MAX_BODY // 1024}KBまで)。",
        f"The body is too large (at most {MAX_BODY // 1024} kB).",
    )


def respond(
    status: int, body: str = "", content_type: str = "", headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A response with the security headers every answer has."""
    typed = {"Content-Type": content_type} if content_type else {}
    return {
        "statusCode": status,
        "headers": {**_SECURITY, **typed, **(headers or {})},
        "body": body,
    }


def json_response(
    status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A JSON answer."""
    return respond(status, json.dumps(content, ensure_ascii=False), "application/json", headers)


def html_response(status: int, page: str, style: str, form_target: str = "") -> dict[str, Any]:
    """A page without script or foreign content; ``style`` is the CSP source of its stylesheet.

    ``form_target`` is a further origin the page's form may lead to: browsers hold the
    redirect after a post to ``form-action`` too.
    """
    policy = (
        f"default-src 'none'; style-src {style}; img-src 'self'; form-action 'self' {form_target}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return respond(
        status,
        page,
        "text/html; charset=utf-8",
        {"Content-Security-Policy": policy, "Vary": "Accept, Accept-Language"},
    )


def problem(error: OptinError) -> dict[str, Any]:
    """An error as ``application/problem+json`` (RFC 9457), Japanese first."""
    return respond(
        error.status,
        json.dumps(problem_content(error), ensure_ascii=False),
        "application/problem+json",
        error_headers(error),
    )


def error_headers(
    error: OptinError, routes: Iterable[str] = (), request: Request | None = None
) -> dict[str, str]:
    """What HTTP wants beside the status: when to come back, which methods there are."""
    if isinstance(error, TooMany):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, MethodNotAllowed) and request is not None:
        return {"Allow": ", ".join(allowed_methods(routes, request))}
    return {}


def allowed_methods(routes: Iterable[str], request: Request) -> list[str]:
    """The methods of the request's path among ``routes``."""
    path = request.route.partition(" ")[2]
    return [method for method, _, known in (r.partition(" ") for r in routes) if known == path]


def problem_content(error: OptinError) -> dict[str, Any]:
    """The members of a problem document; ``errors`` names the fields of a 422."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
        "detail": error.ja,
        "detail_en": error.en,
        "code": error.code,
    }
    if isinstance(error, Unprocessable):
        content["errors"] = [
            {
                "field": name,
                "code": field.code,
                "detail": field.ja,
                "detail_en": field.en,
                **({"suggestion": field.suggestion} if field.suggestion else {}),
            }
            for name, field in error.fields.items()
        ]
    return content
