"""The mailbox page and its JSON, mounted by the gateway under /mailbox."""

from __future__ import annotations

import asyncio
import smtplib
from datetime import timedelta, timezone
from email.errors import MessageError
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from jinja2 import Environment, FileSystemLoader

from local.config import MAIL_DOMAIN
from local.mailbox import writing
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


def routes(mailbox: Mailbox, *, url: str, smtp_port: int) -> web.Application:
    """An application to mount at the path of ``url``; what is written there goes by SMTP."""
    app = web.Application()
    pages = _Pages(mailbox, url, smtp_port)
    app.add_routes(
        [
            web.get("", pages.index),
            web.get("/", pages.index),
            web.get("/api/messages", pages.api),
            web.get("/write", pages.write),
            web.post("/write", pages.send),
            web.get("/messages/{id}", pages.message),
            web.get("/messages/{id}/html", pages.html),
            web.get("/messages/{id}/raw", pages.raw),
        ]
    )
    return app


class _Pages:
    def __init__(self, mailbox: Mailbox, url: str, smtp_port: int) -> None:
        self._mailbox = mailbox
        self._url = url
        self._smtp_port = smtp_port

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

    async def write(self, request: web.Request) -> web.Response:
        answering = self._mailbox.find(request.query.get("answer", ""))
        sender, to, subject = (
            writing.answer_to(answering) if answering else ("", f"optin@{MAIL_DOMAIN}", "")
        )
        return self._page(
            "write.html",
            answering=answering, sender=sender, to=to, subject=subject, words="",
            domain=MAIL_DOMAIN, problem="",
        )  # fmt: skip

    async def send(self, request: web.Request) -> web.Response:
        origin = request.headers.get("Origin", "")
        if origin and urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text="ほかのサイトからは送れません。 Not from another site.")
        fields = {name: str(value) for name, value in (await request.post()).items()}
        answering = self._mailbox.find(fields.get("answer", ""))
        wanted = {
            "sender": fields.get("from", "").strip(),
            "to": fields.get("to", "").strip(),
            "subject": fields.get("subject", "").strip(),
            "words": fields.get("words", ""),
        }
        try:
            mail = writing.compose(**wanted, answering=answering)
            await asyncio.to_thread(writing.post, mail, self._smtp_port)
        except (ValueError, IndexError, MessageError, smtplib.SMTPException, OSError):
            page = self._page(
                "write.html",
                answering=answering, domain=MAIL_DOMAIN, **wanted,
                problem="送れませんでした。差出人と宛先をご確認ください。 It could not be sent.",
            )  # fmt: skip
            page.set_status(422)
            return page
        raise web.HTTPSeeOther(f"{self._url}?box=received")

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
