"""The mailbox: mail in by SMTP, out by page and JSON, kept over a restart, safe to look at."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from local.config import free_port
from local.mailbox import Mailbox, routes
from local.mailbox.smtp import serve_smtp

Client = TestClient[web.Request, web.Application]


def mail(to: str = "taro@example.jp", subject: str = "ご案内") -> bytes:
    message = EmailMessage()
    message["From"] = "空き家活用 <optin@mail.example.jp>"
    message["To"] = to
    message["Subject"] = subject
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content("配信停止: http://127.0.0.1/u/abc\n")
    message.add_alternative("<script>alert(1)</script><p>こんにちは</p>", subtype="html")
    return message.as_bytes()


Browse = Callable[[Mailbox, Callable[[Client], Awaitable[Any]]], Any]


@pytest.fixture
def browse(apart: Callable[..., Any]) -> Browse:
    async def visit(mailbox: Mailbox, look: Callable[[Client], Awaitable[Any]]) -> Any:
        app = web.Application()
        app.add_subapp("/mailbox", routes(mailbox, url="http://localhost/mailbox"))
        async with TestClient(TestServer(app)) as client:
            return await look(client)

    return lambda mailbox, look: apart(visit(mailbox, look))


def test_json_lists_newest_first_with_the_contracts_fields(tmp_path: Path, browse: Browse) -> None:
    mailbox = Mailbox(tmp_path)
    mailbox.add("sent", mail(subject="一"))
    mailbox.add("sent", mail(to="hanako@example.jp", subject="二"))
    mailbox.add("received", mail(subject="別"))

    async def look(client: Client) -> Any:
        listed = await (await client.get("/mailbox/api/messages")).json()
        narrowed = await (await client.get("/mailbox/api/messages?to=TARO@")).json()
        return listed, narrowed

    listed, narrowed = browse(mailbox, look)
    assert [message["subject"] for message in listed] == ["二", "一"]
    assert [message["subject"] for message in narrowed] == ["一"]
    assert {"id", "from", "to", "subject", "headers", "text", "html", "raw_url"} <= set(listed[0])
    assert listed[0]["from"] == "空き家活用 <optin@mail.example.jp>"
    assert listed[0]["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "http://127.0.0.1/u/abc" in listed[0]["text"]


def test_mail_is_there_after_a_restart(tmp_path: Path) -> None:
    raw = mail()
    kept = Mailbox(tmp_path).add("sent", raw)
    again = Mailbox(tmp_path)
    assert list(again.newest_first()) == [kept]
    assert again.raw(kept.id) == raw


def test_pages_show_mail_and_never_run_it(tmp_path: Path, browse: Browse) -> None:
    mailbox = Mailbox(tmp_path)
    kept = mailbox.add("sent", mail(subject="<script>alert(2)</script>"))

    async def look(client: Client) -> Any:
        answers = {}
        for path in ("", f"/messages/{kept.id}", f"/messages/{kept.id}/html", "/messages/none"):
            answer = await client.get(f"/mailbox{path}")
            answers[path.rsplit("/", 1)[-1]] = (
                answer.status,
                await answer.text(),
                answer.headers.get("Content-Security-Policy", ""),
            )
        return answers

    answers = browse(mailbox, look)
    assert answers[""][0] == 200
    assert "<script>" not in answers[""][1]
    assert "<script>" not in answers[kept.id][1]
    assert 'href="http://127.0.0.1/u/abc"' in answers[kept.id][1]
    assert "sandbox allow-popups" in answers["html"][2]
    assert "allow-scripts" not in answers["html"][2]
    assert answers["none"][0] == 404


@pytest.mark.parametrize(("domain", "accepted"), [(None, True), ("mail.example.jp", False)])
def test_smtp_keeps_what_it_accepts_byte_for_byte(
    tmp_path: Path, apart: Callable[..., Any], domain: str | None, accepted: bool
) -> None:
    mailbox = Mailbox(tmp_path)
    raw = mail().replace(b"\n", b"\r\n")

    def send(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="localhost") as smtp:
            smtp.sendmail("a@example.jp", "taro@example.jp", raw)

    async def exchange() -> None:
        server = await serve_smtp(mailbox, box="received", port=free_port(), domain=domain)
        async with server:
            await asyncio.to_thread(send, server.sockets[0].getsockname()[1])

    if accepted:
        apart(exchange())
        (kept,) = mailbox.newest_first("received")
        assert mailbox.raw(kept.id) == raw
    else:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            apart(exchange())
        assert list(mailbox.newest_first("received")) == []
