"""The mailbox: mail in by SMTP, out by page and JSON, kept over a restart, safe to look at."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Awaitable, Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from botocore.exceptions import EndpointConnectionError

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


def pages(mailbox: Mailbox, smtp_port: int = 1) -> web.Application:
    return routes(mailbox, url="http://localhost/mailbox", smtp_port=smtp_port)


Browse = Callable[[Mailbox, Callable[[Client], Awaitable[Any]]], Any]


@pytest.fixture
def browse(apart: Callable[..., Any]) -> Browse:
    async def visit(mailbox: Mailbox, look: Callable[[Client], Awaitable[Any]]) -> Any:
        app = web.Application()
        app.add_subapp("/mailbox", pages(mailbox))
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


class Kept:
    """Takes mail in place of the product, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.taken: list[tuple[bytes, str, list[str]]] = []
        self._error = error

    def accepts(self, address: str) -> bool:
        return address != "sales@mail.example.jp"

    async def take(self, raw: bytes, sender: str, recipients: list[str]) -> None:
        if self._error:
            raise self._error
        self.taken.append((raw, sender, recipients))


Post = Callable[..., Any]


@pytest.fixture
def post(tmp_path: Path, apart: Callable[..., Any]) -> Post:
    """`post(mailbox, inbound, raw, to…)`: gives a server of ours one mail by SMTP."""

    def give(mailbox: Mailbox, inbound: Any, raw: bytes, *to: str, sender: str = "a@x.jp") -> None:
        def send(port: int) -> None:
            with smtplib.SMTP("127.0.0.1", port, local_hostname="localhost") as smtp:
                smtp.sendmail(sender, to, raw)

        async def exchange() -> None:
            server = await serve_smtp(mailbox, port=free_port(), inbound=inbound)
            async with server:
                await asyncio.to_thread(send, server.sockets[0].getsockname()[1])

        apart(exchange())

    return give


RAW = mail().replace(b"\n", b"\r\n")


def test_what_is_sent_is_kept_byte_for_byte(tmp_path: Path, post: Post) -> None:
    mailbox = Mailbox(tmp_path)
    post(mailbox, None, RAW, "taro@example.jp")
    (kept,) = mailbox.newest_first("sent")
    assert mailbox.raw(kept.id) == RAW


def test_what_comes_in_is_handed_on_with_its_envelope_and_kept(tmp_path: Path, post: Post) -> None:
    mailbox, inbound = Mailbox(tmp_path), Kept()
    to = ["optin@mail.example.jp", "stop+abc@mail.example.jp"]
    post(mailbox, inbound, RAW, *to)
    assert inbound.taken == [(RAW, "a@x.jp", to)]
    (kept,) = mailbox.newest_first("received")
    assert mailbox.raw(kept.id) == RAW


def test_bounces_come_from_nobody(tmp_path: Path, post: Post) -> None:
    inbound = Kept()
    post(Mailbox(tmp_path), inbound, RAW, "reply@mail.example.jp", sender="")
    assert inbound.taken[0][1] == ""


def test_mail_to_nobody_of_ours_is_refused(tmp_path: Path, post: Post) -> None:
    mailbox, inbound = Mailbox(tmp_path), Kept()
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        post(mailbox, inbound, RAW, "sales@mail.example.jp")
    assert refused.value.recipients["sales@mail.example.jp"][0] == 550
    assert (inbound.taken, list(mailbox.newest_first("received"))) == ([], [])


@pytest.mark.parametrize(
    "error", [TimeoutError(), EndpointConnectionError(endpoint_url="http://127.0.0.1")]
)
def test_mail_that_cannot_be_handed_on_shall_come_again(
    tmp_path: Path, post: Post, error: Exception
) -> None:
    mailbox = Mailbox(tmp_path)
    with pytest.raises(smtplib.SMTPDataError) as refused:
        post(mailbox, Kept(error), RAW, "optin@mail.example.jp")
    assert refused.value.smtp_code == 450
    assert list(mailbox.newest_first("received")) == []


def test_long_lines_are_taken(tmp_path: Path, post: Post) -> None:
    inbound = Kept()
    post(Mailbox(tmp_path), inbound, RAW + b"a" * 100_000 + b"\r\n", "optin@mail.example.jp")
    assert len(inbound.taken[0][0]) > 100_000


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: \x1b$B3+<(\x1b(B \xff\r\n\r\n\xff",
        b"no header at all",
        b"",
        b"".join(
            b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n)
            for n in range(1_000)
        ),
        b"From: <<<@>>>, [\r\nTo: @,@\r\nDate: 99\r\nContent-Type: text/plain; charset=x\r\n\r\na",
    ],
    ids=["bytes", "headless", "empty", "nested", "malformed"],
)
def test_broken_mail_is_kept_and_shown(tmp_path: Path, browse: Browse, raw: bytes) -> None:
    mailbox = Mailbox(tmp_path)
    kept = mailbox.add("received", raw)
    assert Mailbox(tmp_path).raw(kept.id) == raw

    async def look(client: Client) -> Any:
        pages = ("/mailbox/api/messages?box=received", f"/mailbox/messages/{kept.id}")
        return [(await client.get(page)).status for page in pages]

    assert browse(mailbox, look) == [200, 200]


def test_an_answer_is_written_on_the_page_and_goes_by_smtp(
    tmp_path: Path, apart: Callable[..., Any]
) -> None:
    """As the person's mail program would: from their address, with our mail quoted."""
    mailbox, inbound = Mailbox(tmp_path), Kept()
    ours = mailbox.add("sent", mail(subject="ご案内"))

    async def look() -> Any:
        async with await serve_smtp(mailbox, port=free_port(), inbound=inbound) as server:
            app = web.Application()
            app.add_subapp("/mailbox", pages(mailbox, server.sockets[0].getsockname()[1]))
            async with TestClient(TestServer(app)) as client:
                return await write(client)

    async def write(client: Client) -> Any:
        path = "/mailbox/write"
        form = await (await client.get(f"{path}?answer={ours.id}")).text()
        filled = {"from": "taro@example.jp", "to": "optin@mail.example.jp", "subject": "Re: 一"}
        filled |= {"words": "停止してください", "answer": ours.id}
        sent = await client.post(path, data=filled, allow_redirects=False)
        elsewhere = {"Origin": "https://elsewhere.example"}
        foreign = await client.post(path, data=filled, headers=elsewhere)
        wrong = [
            await client.post(path, data={**filled, name: value})
            for name, value in (
                ("from", "<x"),
                ("to", "sales@mail.example.jp"),
                ("subject", "a\nb"),
            )
        ]
        told = {await answer.text() for answer in wrong}
        return form, sent.status, foreign.status, [each.status for each in wrong], told

    form, sent, foreign, wrong, told = apart(look())
    for value in ("taro@example.jp", "optin@mail.example.jp", "Re: ご案内"):
        assert f'value="{value}"' in form
    assert (sent, foreign, wrong) == (303, 403, [422] * 3)
    assert all("送れませんでした" in page and "停止してください" in page for page in told)
    [(raw, sender, to)] = inbound.taken
    assert (sender, to) == ("taro@example.jp", ["optin@mail.example.jp"])
    text = message_from_bytes(raw, policy=policy.default).get_content()
    assert text.startswith("停止してください")
    assert "> 配信停止: http://127.0.0.1/u/abc" in text
