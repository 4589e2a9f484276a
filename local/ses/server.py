"""The HTTP side of the stand-in: `POST /v2/email/outbound-emails`, and switches for tests."""

from __future__ import annotations

import asyncio
import json
import smtplib
import uuid
from collections import deque
from datetime import UTC, datetime

import aiohttp
from aiohttp import web

from local.config import HOST, Config
from local.ses.events import Feedback
from local.ses.message import BadRequest, Outgoing, build

_PATH = "/v2/email/outbound-emails"
_MAX_BODY = 60 * 1024 * 1024
# The addresses of SES's mailbox simulator, and what becomes of a message to them.
_SIMULATED = {
    "bounce@simulator.amazonses.com": "Bounce",
    "complaint@simulator.amazonses.com": "Complaint",
}


class Ses:
    """The stand-in, for as long as its application runs."""

    def __init__(self, config: Config, feedback: Feedback) -> None:
        self._config = config
        self._feedback = feedback
        self._failures: deque[tuple[int, str]] = deque()
        self._emulator: aiohttp.ClientSession | None = None

    def application(self) -> web.Application:
        app = web.Application(client_max_size=_MAX_BODY)
        app.add_routes([web.post(_PATH, self._send_email), web.post("/_control", self._control)])
        app.cleanup_ctx.append(self._with_emulator)
        return app

    async def _with_emulator(self, _app: web.Application):  # type: ignore[no-untyped-def]
        async with aiohttp.ClientSession() as session:
            self._emulator = session
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
        body = await request.read()
        refusal = await self._refused_by_iam(request, body)
        if refusal is not None:
            return refusal
        now = datetime.now(UTC)
        try:
            message = build(json.loads(body), message_id=_message_id(), now=now)
        except ValueError as problem:  # BadRequest, or no JSON at all
            text = str(problem) if isinstance(problem, BadRequest) else "Malformed request"
            return _error(400, "BadRequestException", text)
        await self._deliver(message)
        return web.json_response({"MessageId": message.message_id})

    async def _refused_by_iam(self, request: web.Request, body: bytes) -> web.Response | None:
        """Ask the emulator with the caller's own signed request; it knows the policies.

        Its copy of the message goes nowhere. Only its "no" counts.
        """
        if self._emulator is None:
            raise RuntimeError("The application is not running")
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in {"content-length", "connection", "transfer-encoding"}
        }
        async with self._emulator.post(
            f"{self._config.aws_url}{_PATH}", data=body, headers=headers
        ) as answer:
            if answer.status < 400:
                return None
            return web.Response(
                status=answer.status,
                body=await answer.read(),
                content_type="application/json",
                headers={"x-amzn-ErrorType": answer.headers.get("x-amzn-ErrorType", "")},
            )

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
