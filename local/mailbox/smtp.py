"""The two SMTP servers: one takes what the product sends, one what is mailed to it."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from aiosmtpd.smtp import SMTP, Envelope, Session
from botocore.exceptions import BotoCoreError, ClientError

from local.config import HOST
from local.mailbox.store import Mailbox

_MAX_BYTES = 40 * 1024 * 1024  # SES's own limit
_LOG = logging.getLogger(__name__)


class Delivery(Protocol):
    """Where mail to the product goes."""

    def accepts(self, address: str) -> bool: ...

    async def take(self, raw: bytes, sender: str, recipients: list[str]) -> None: ...


class _Smtp(SMTP):
    """SES takes longer lines than the standard's 1,000 bytes."""

    line_length_limit = 1024 * 1024


class _Keeper:
    """Accepts mail, delivers it where it is for the product, and keeps it."""

    def __init__(self, mailbox: Mailbox, inbound: Delivery | None) -> None:
        self._mailbox = mailbox
        self._inbound = inbound

    async def handle_RCPT(  # noqa: N802 (the library's name)
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if self._inbound and not self._inbound.accepts(address):
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 (the library's name)
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        if self._inbound:
            sender = (envelope.mail_from or "").strip("<>")  # "<>" is the null return path
            try:
                await self._inbound.take(raw, sender, envelope.rcpt_tos)
            except (BotoCoreError, ClientError, TimeoutError) as error:
                _LOG.warning("mail was not taken: %s", error)
                return "450 4.3.0 Not taken; please try again later"
        await asyncio.to_thread(self._mailbox.add, "received" if self._inbound else "sent", raw)
        return "250 OK"


async def serve_smtp(
    mailbox: Mailbox, *, port: int, inbound: Delivery | None = None
) -> asyncio.Server:
    """Serve until the returned server is closed: what is sent, or what comes in."""

    def connection() -> SMTP:
        return _Smtp(
            _Keeper(mailbox, inbound),
            hostname="localhost",
            data_size_limit=_MAX_BYTES,
            enable_SMTPUTF8=True,
            loop=asyncio.get_running_loop(),
        )

    return await asyncio.get_running_loop().create_server(connection, HOST, port)
