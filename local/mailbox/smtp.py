"""The two SMTP servers: one takes what the product sends, one what is mailed to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiosmtpd.smtp import SMTP, Envelope, Session

from local.config import HOST
from local.mailbox.store import Box, Mailbox

_MAX_BYTES = 40 * 1024 * 1024  # SES's own limit


class _Keeper:
    """Accepts mail for the addresses `accepts` allows, and keeps it."""

    def __init__(self, mailbox: Mailbox, box: Box, accepts: Callable[[str], bool]) -> None:
        self._mailbox = mailbox
        self._box = box
        self._accepts = accepts

    async def handle_RCPT(  # noqa: N802 (the library's name)
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if not self._accepts(address):
            return "550 5.7.1 Not a mailbox of this domain"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 (the library's name)
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        self._mailbox.add(self._box, raw)
        return "250 OK"


async def serve_smtp(
    mailbox: Mailbox, *, box: Box, port: int, domain: str | None = None
) -> asyncio.Server:
    """Serve until the returned server is closed; with ``domain``, only its addresses."""

    def accepts(address: str) -> bool:
        return domain is None or address.lower().endswith(f"@{domain}")

    def connection() -> SMTP:
        return SMTP(
            _Keeper(mailbox, box, accepts),
            hostname="localhost",
            data_size_limit=_MAX_BYTES,
            enable_SMTPUTF8=True,
            loop=asyncio.get_running_loop(),
        )

    return await asyncio.get_running_loop().create_server(connection, HOST, port)
