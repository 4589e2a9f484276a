"""The mailbox page and its JSON, mounted by the gateway under /mailbox."""

from __future__ import annotations

from datetime import timedelta, timezone
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader

from local.mailbox.store import Box, Mailbox, Message

_JAPAN = timezone(timedelta(hours=9))
_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
# A mail's HTML is shown as a stranger's: no scripts, no forms, no access to this page; its links
# open in a tab of their own.
_FRAME_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data: http: https:"
)
_PAGE_LENGTH = 200


def routes(mailbox: Mailbox, *, url: str) -> web.Application:
    """An application to mount at the path of ``url``."""
    app = web.Application()
    pages = _Pages(mailbox, url)
    app.add_routes(
        [
            web.get("", pages.index),
            web.get("/", pages.index),
            web.get("/api/messages", pages.api),
            web.get("/messages/{id}", pages.message),
            web.get("/messages/{id}/html", pages.html),
            web.get("/messages/{id}/raw", pages.raw),
        ]
    )
    return app


class _Pages:
    def __init__(self, mailbox: Mailbox, url: str) -> None:
        self._mailbox = mailbox
        self._url = url

    async def index(self, request: web.Request) -> web.Response:
        box = _box(request)
        wanted = request.query.get("to", "").strip()
        found = list(self._search(box, wanted))
        return self._page(
            "index.html",
            box=box,
            wanted=wanted,
            total=len(found),
            messages=[(message, _when(message)) for message in found[:_PAGE_LENGTH]],
        )

    async def message(self, request: web.Request) -> web.Response:
        message = self._found(request)
        return self._page("message.html", message=message, when=_when(message))

    async def html(self, request: web.Request) -> web.Response:
        return web.Response(
            text=f'<base target="_blank">{self._found(request).html}',
            content_type="text/html",
            headers={"Content-Security-Policy": _FRAME_POLICY},
        )

    async def raw(self, request: web.Request) -> web.Response:
        return web.Response(
            body=self._mailbox.raw(self._found(request).id),
            content_type="text/plain",
            charset="utf-8",
            headers={"X-Content-Type-Options": "nosniff"},
        )

    async def api(self, request: web.Request) -> web.Response:
        """All mail sent, newest first; ?to= narrows it, ?box=received shows the other side."""
        found = self._search(_box(request), request.query.get("to", "").strip())
        return web.json_response([self._described(message) for message in found])

    def _search(self, box: Box, to: str) -> list[Message]:
        return [
            message
            for message in self._mailbox.newest_first(box)
            if to.lower() in message.to.lower()
        ]

    def _described(self, message: Message) -> dict[str, object]:
        return {
            "id": message.id,
            "from": message.sender,
            "to": message.to,
            "subject": message.subject,
            "at": message.at.isoformat(timespec="milliseconds"),
            "headers": message.headers,
            "text": message.text,
            "html": message.html,
            "raw_url": f"{self._url}/messages/{message.id}/raw",
        }

    def _found(self, request: web.Request) -> Message:
        message = self._mailbox.find(request.match_info["id"])
        if message is None:
            raise web.HTTPNotFound(text="このメールはありません。 No such message.")
        return message

    def _page(self, template: str, **values: object) -> web.Response:
        return web.Response(
            text=_PAGES.get_template(template).render(base=self._url, **values),
            content_type="text/html",
        )


def _box(request: web.Request) -> Box:
    return "received" if request.query.get("box") == "received" else "sent"


def _when(message: Message) -> str:
    return message.at.astimezone(_JAPAN).strftime("%Y-%m-%d %H:%M:%S")
