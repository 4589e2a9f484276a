"""The HTTP side of the stand-in, with switches for tests.

SendEmail, SendBulkEmail, GetAccount, GetEmailIdentity.
"""

from __future__ import annotations

import asyncio
import json
import re
import smtplib
import uuid
from collections import deque
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web

from local.aws import Aws
from local.config import HOST, Config
from local.ses.events import Feedback
from local.ses.message import BadRequest, Entry, Outgoing, build, build_bulk
from local.ses.permission import (
    ACCOUNT_PATH,
    BULK_PATH,
    IDENTITIES_PATH,
    PATH,
    Permission,
    Refusal,
)

_MAX_BODY = 60 * 1024 * 1024
# The addresses of SES's mailbox simulator, and what becomes of a message to them. As with the
# real one, a label tells them apart: bounce+anything@.
_SIMULATOR = re.compile(r"(bounce|complaint)(?:\+[^@]*)?@simulator\.amazonses\.com", re.IGNORECASE)


class Ses:
    """The stand-in, for as long as its application runs."""

    def __init__(self, config: Config, aws: Aws, feedback: Feedback) -> None:
        self._config = config
        self._aws = aws
        self._feedback = feedback
        self._failures: deque[tuple[int, str]] = deque()
        self._statuses: deque[str] = deque()
        self._quota = {"Max24HourSend": 50_000.0, "MaxSendRate": 50.0}
        self._sent = 0
        self._verified = True
        self._permission: Permission | None = None

    def application(self) -> web.Application:
        app = web.Application(client_max_size=_MAX_BODY)
        app.add_routes(
            [
                web.post(PATH, self._send_email),
                web.post(BULK_PATH, self._send_bulk_email),
                web.get(ACCOUNT_PATH, self._get_account),
                web.get(f"{IDENTITIES_PATH}/{{identity}}", self._get_email_identity),
                web.post("/_control", self._control),
            ]
        )
        app.cleanup_ctx.append(self._ask_the_emulator)
        return app

    async def _ask_the_emulator(self, _app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as http:
            self._permission = Permission(self._aws, http, self._config.aws_url)
            yield

    async def _control(self, request: web.Request) -> web.Response:
        """What to do next, all optional.

        `fail_next`: `[{"status": 429, "type": "TooManyRequestsException"}, …]`, calls that fail.
        `status_next`: `["ACCOUNT_THROTTLED", "", …]`, statuses of the next entries of bulk calls;
        an empty one is carried out. `quota`: `{"MaxSendRate": 1, "Max24HourSend": 200}`.
        `verified`: whether GetEmailIdentity says so of every identity, until told otherwise.
        """
        wanted = await request.json()
        self._failures = deque(
            (int(failure["status"]), str(failure["type"]))
            for failure in wanted.get("fail_next", ())
        )
        self._statuses = deque(str(status) for status in wanted.get("status_next", ()))
        self._quota |= {name: float(value) for name, value in wanted.get("quota", {}).items()}
        self._verified = bool(wanted.get("verified", self._verified))
        return web.json_response({"fail_next": len(self._failures)})

    async def _send_email(self, request: web.Request) -> web.Response:
        wanted = await self._admitted(request, PATH)
        if isinstance(wanted, web.Response):
            return wanted
        try:
            message = build(wanted, message_id=_message_id(), now=datetime.now(UTC))
        except BadRequest as problem:
            return _error(400, "BadRequestException", str(problem))
        await self._deliver(message)
        return web.json_response({"MessageId": message.message_id})

    async def _send_bulk_email(self, request: web.Request) -> web.Response:
        wanted = await self._admitted(request, BULK_PATH)
        if isinstance(wanted, web.Response):
            return wanted
        try:
            entries = build_bulk(wanted, message_ids=_message_id, now=datetime.now(UTC))
        except BadRequest as problem:
            return _error(400, "BadRequestException", str(problem))
        results = [await self._bulk_result(entry) for entry in entries]
        return web.json_response({"BulkEmailEntryResults": results})

    async def _bulk_result(self, entry: Entry) -> dict[str, str]:
        asked_for = self._statuses.popleft() if self._statuses else ""
        if asked_for:
            return {"Status": asked_for, "Error": "As asked for by /_control"}
        if entry.message is None:
            return {"Status": entry.status, "Error": entry.error}
        if 0 <= self._quota["Max24HourSend"] <= self._sent:
            return {"Status": "ACCOUNT_DAILY_QUOTA_EXCEEDED", "Error": "Daily quota exceeded"}
        await self._deliver(entry.message)
        return {"Status": entry.status, "MessageId": entry.message.message_id}

    async def _get_account(self, request: web.Request) -> web.Response:
        if self._permission is None:
            raise RuntimeError("The application is not running")
        refusal = await self._permission.account_refusal(request.headers)
        if refusal is not None:
            return _refused(refusal)
        return web.json_response(
            {
                "DedicatedIpAutoWarmupEnabled": False,
                "EnforcementStatus": "HEALTHY",
                "ProductionAccessEnabled": True,
                "SendingEnabled": True,
                "SendQuota": {**self._quota, "SentLast24Hours": float(self._sent)},
            }
        )

    async def _get_email_identity(self, request: web.Request) -> web.Response:
        if self._permission is None:
            raise RuntimeError("The application is not running")
        identity = request.match_info["identity"]
        refusal = await self._permission.identity_refusal(request.headers, identity)
        if refusal is not None:
            return _refused(refusal)
        status = "SUCCESS" if self._verified else "FAILED"
        return web.json_response(
            {
                "IdentityType": "DOMAIN",
                "VerifiedForSendingStatus": self._verified,
                "VerificationStatus": status,
                "DkimAttributes": {"SigningEnabled": True, "Status": status},
            }
        )

    async def _admitted(self, request: web.Request, path: str) -> web.Response | dict[str, Any]:
        """The request's content, if its sender may send; else the refusal."""
        if self._failures:
            status, kind = self._failures.popleft()
            return _error(status, kind, "As asked for by /_control")
        if self._permission is None:
            raise RuntimeError("The application is not running")
        body = await request.read()
        try:
            wanted: dict[str, Any] = json.loads(body)
        except ValueError:
            return _error(400, "BadRequestException", "Malformed request")
        refusal = await self._permission.refusal(request.headers, body, wanted, path=path)
        return wanted if refusal is None else _refused(refusal)

    async def _deliver(self, message: Outgoing) -> None:
        self._sent += len(message.recipients)
        fates = {_fate(address) for address in message.recipients}
        if fates != {"Bounce"}:
            await asyncio.to_thread(_by_smtp, message, self._config.smtp_out_port)
        if "Complaint" in fates:
            self._feedback.report(message, "Send", "Delivery", "Complaint")
        else:
            self._feedback.report(message, "Send", *sorted(fates))


def _fate(address: str) -> str:
    simulated = _SIMULATOR.fullmatch(address)
    return simulated[1].capitalize() if simulated else "Delivery"


def _refused(refusal: Refusal) -> web.Response:
    return web.Response(
        status=refusal.status,
        body=refusal.body,
        content_type="application/json",
        headers={"x-amzn-ErrorType": refusal.kind},
    )


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
