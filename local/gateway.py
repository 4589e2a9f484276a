"""One address in front of everything: what the product's domain names do in AWS.

| path | goes to |
|---|---|
| /staff/… | the staff HTTP API |
| /console/… | the console's HTTP API |
| /mailbox/… | the mailbox page |
| /oauth2/…, /login, /logout, …/.well-known/… | Cognito's sign-in pages |
| anything else | the public HTTP API |

Where the emulator differs from API Gateway, the difference is made up for here and named.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from local.config import Config
from local.options_requests import OptionsRequests

MAX_BODY = 10 * 1024 * 1024  # API Gateway's own limit
_SIGN_IN = re.compile(r"/(?:oauth2/|login$|logout$|(?:[^/]+/)?\.well-known/)")
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(frozen=True, slots=True)
class Apis:
    """The deployed HTTP APIs, by the path they are mounted at ("" is the public one)."""

    by_prefix: Mapping[str, str]
    options: OptionsRequests

    def find(self, path: str) -> tuple[str, str]:
        """(API id, path inside that API)."""
        for prefix, api_id in self.by_prefix.items():
            if prefix and (path == prefix or path.startswith(f"{prefix}/")):
                return api_id, path.removeprefix(prefix) or "/"
        return self.by_prefix[""], path


class Gateway:
    """Answers 503 until `open_to` says what is deployed."""

    def __init__(self, config: Config, *, mailbox: web.Application) -> None:
        self._config = config
        self._mailbox = mailbox
        self._apis: Apis | None = None
        self._emulator: aiohttp.ClientSession | None = None

    def application(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY + 1)
        app.add_subapp("/mailbox", self._mailbox)
        app.router.add_route("*", "/{path:.*}", self._forward)
        app.on_startup.append(self._connect)
        app.on_cleanup.append(self._disconnect)
        return app

    def open_to(self, apis: Apis) -> None:
        self._apis = apis

    async def _connect(self, _app: web.Application) -> None:
        self._emulator = aiohttp.ClientSession(
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=60),
            connector=aiohttp.TCPConnector(limit=0),
        )

    async def _disconnect(self, _app: web.Application) -> None:
        if self._emulator is not None:
            await self._emulator.close()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        apis = self._apis
        if apis is None:
            return problem(
                503,
                "起動しています。少し待って、もう一度お試しください。",
                "Starting. Please wait.",
            )
        path, mark, query = request.raw_path.partition("?")
        if _SIGN_IN.match(path):
            return await self._to_emulator(request, f"{path}{mark}{query}")
        api_id, inner = apis.find(path)
        if not api_id:
            return problem(404, "このページはまだありません。", "There is no such page yet.")
        if request.method == "OPTIONS":
            # The emulator answers every OPTIONS itself; API Gateway only with CORS configured.
            answer = await asyncio.to_thread(
                apis.options.answer, api_id, inner, query, _headers(request.headers)
            )
            if answer is not None:
                return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
        return await self._to_emulator(
            request, f"/_aws/execute-api/{api_id}/$default{inner}{mark}{query}"
        )

    async def _to_emulator(self, request: web.Request, target: str) -> web.StreamResponse:
        try:
            body = await _body(request)
        except web.HTTPRequestEntityTooLarge:
            return problem(
                413,
                "送信された内容が大きすぎます(10MBまで)。",
                "The body is too large (at most 10 MB).",
            )
        if self._emulator is None:
            raise RuntimeError("The application is not running")
        try:
            async with self._emulator.request(
                request.method,
                URL(f"{self._config.aws_url}{target}", encoded=True),
                data=body or None,
                headers=_request_headers(request),
                skip_auto_headers=("Content-Type", "User-Agent", "Accept", "Accept-Encoding"),
                allow_redirects=False,
            ) as answer:
                return web.Response(
                    status=answer.status,
                    headers=_response_headers(answer.headers),
                    body=await answer.read(),
                )
        except (aiohttp.ClientError, TimeoutError):
            return problem(
                502,
                "手元のAWSの代わりが応答しません。",
                "The local stand-in for AWS does not answer.",
            )


def problem(status: int, detail: str, detail_en: str) -> web.Response:
    """RFC 9457, as the product's own answers look."""
    about = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "detail_en": detail_en,
    }
    return web.Response(
        status=status,
        body=json.dumps(about, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/problem+json"},
    )


async def _body(request: web.Request) -> bytes:
    if (request.content_length or 0) > MAX_BODY:
        raise web.HTTPRequestEntityTooLarge(MAX_BODY, request.content_length or 0)
    return await request.read()


def _request_headers(request: web.Request) -> CIMultiDict[str]:
    """What API Gateway hands on: one value per name, and who asked."""
    headers = CIMultiDict(_headers(request.headers))
    headers.pop("Content-Length", None)
    headers.pop("Host", None)
    peer = request.remote or ""
    seen = headers.get("X-Forwarded-For")
    headers["X-Forwarded-For"] = f"{seen}, {peer}" if seen else peer
    headers["X-Forwarded-Proto"] = "http"
    headers["X-Forwarded-Port"] = str(request.url.port)
    return headers


def _headers(received: CIMultiDictProxy[str]) -> dict[str, str]:
    """The emulator keeps the last of repeated headers; API Gateway joins them by commas."""
    joined: dict[str, str] = {}
    for name in dict.fromkeys(name.lower() for name in received):
        if name not in _HOP_BY_HOP:
            separator = "; " if name == "cookie" else ","
            joined[name] = separator.join(received.getall(name))
    return joined


def _response_headers(received: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    dropped = _HOP_BY_HOP | {"content-length", "date", "server"}
    kept: Iterable[tuple[str, str]] = (
        (name, value) for name, value in received.items() if name.lower() not in dropped
    )
    return CIMultiDict(kept)
