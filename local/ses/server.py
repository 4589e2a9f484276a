"""The HTTP side of the stand-in: `POST /v2/email/outbound-emails`, and switches for tests."""

from __future__ import annotations

import asyncio
import json
import smtplib
import uuid
from collections import deque
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
from aiohttp import web

from local.aws import Aws
from local.config import HOST, Config
from local.ses.events import Feedback
from local.ses.message import BadRequest, Outgoing, build
from local.ses.permission import PATH, Permission

_MAX_BODY = 60 * 1024 * 1024
# The addresses of SES's mailbox simulator, and what becomes of a message to them.
_SIMULATED = {
    "bounce@simulator.amazonses.com": "Bounce",
    "complaint@simulator.amazonses.com": "Complaint",
}


class Ses:
    """The stand-in, for as long as its application runs."""

    def __init__(self, config: Config, aws: Aws, feedback: Feedback) -> None:
        self._config = config
        self._aws = aws
        self._feedback = feedback
        self._failures: deque[tuple[int, str]] = deque()
        self._permission: Permission | None = None

    def application(self) -> web.Application:
        app = web.Application(client_max_size=_MAX_BODY)
        app.add_routes([web.post(PATH, self._send_email), web.post("/_control", self._control)])
        app.cleanup_ctx.append(self._ask_the_emulator)
        return app

    async def _ask_the_emulator(self, _app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as http:
            self._permission = Permission(self._aws, http, self._config.aws_url)
            yield

    async def _control(self, request: web.Request) -> web.Response:
        """`{"fail_next": [{"status": 429, "type": "TooManyRequestsException"}, …]}`: in order."""
        wanted = await request.json()
        self._failures = deque(
            (int(failure["status"]), str(failure["type"])) for failure in wanted["fail_next"]
        )
        return web.json_response({"fail_next": len(self._failures)})

    async def _send_email(self, request: web.Request) -> web.Response:
        if self._failures:
            status, kind = self._failures.popleft()
            return _error(status, kind, "As asked for by /_control")
        if self._permission is None:
            raise RuntimeError("The application is not running")
        body = await request.read()
        try:
            wanted = json.loads(body)
        except ValueError:
            return _error(400, "BadRequestException", "Malformed request")
        refusal = await self._permission.refusal(request.headers, body, wanted)
        if refusal is not None:
            return web.Response(
                status=refusal.status,
                body=refusal.body,
                content_type="application/json",
                headers={"x-amzn-ErrorType": refusal.kind},
            )
        try:
            message = build(wanted, message_id=_message_id(), now=datetime.now(UTC))
        except BadRequest as problem:
            return _error(400, "BadRequestException", str(problem))
        await self._deliver(message)
        return web.json_response({"MessageId": message.message_id})

    async def _deliver(self, message: Outgoing) -> None:
        fates = {_SIMULATED.get(address.lower(), "Delivery") for address in message.recipients}
        if fates != {"Bounce"}:
            await asyncio.to_thread(_by_smtp, message, self._config.smtp_out_port)
        if "Complaint" in fates:
            self._feedback.report(message, "Send", "Delivery", "Complaint")
        else:
            self._feedback.report(message, "Send", *sorted(fates))


def _by_smtp(message: Outgoing, port: int) -> None:
    # The name is given, or smtplib would ask the network for this machine's.
    with smtplib.SMTP(HOST, port, local_hostname="localhost", timeout=30) as smtp:
        smtp.sendmail(message.sender, message.recipients, message.raw, mail_options=["SMTPUTF8"])


def _message_id() -> str:
    return f"0106{uuid.uuid4().hex[:12]}-{uuid.uuid4()}-000000"


def _error(status: int, kind: str, message: str) -> web.Response:
    return web.json_response(
        {"message": message}, status=status, headers={"x-amzn-ErrorType": kind}
    )
