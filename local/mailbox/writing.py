"""What a person's mail program does: write a mail to the product, or answer one of its mails."""

from __future__ import annotations

import smtplib
from datetime import UTC, datetime, timedelta, timezone
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr

from local.config import HOST
from local.mailbox.store import Message

_JAPAN = timezone(timedelta(hours=9))


def answer_to(message: Message) -> tuple[str, str, str]:
    """Sender, recipient and subject of an answer to a message."""
    to = message.headers.get("Reply-To") or message.sender
    subject = message.subject if message.subject.startswith("Re: ") else f"Re: {message.subject}"
    return parseaddr(message.to)[1], parseaddr(to)[1], subject


def compose(
    *, sender: str, to: str, subject: str, words: str, answering: Message | None = None
) -> EmailMessage:
    """The mail, with what is answered quoted below, as Japanese mail programs do.

    Raises:
        ValueError, IndexError, MessageError: something of it cannot stand in a header.
    """
    mail = EmailMessage()
    mail["From"] = Address(addr_spec=sender)
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = subject
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = make_msgid(domain="mailbox.example.jp")
    if answering is not None:
        if message_id := answering.headers.get("Message-ID"):
            mail["In-Reply-To"] = mail["References"] = message_id
        when = answering.at.astimezone(_JAPAN).strftime("%Y年%-m月%-d日 %H:%M")
        quoted = "\n".join(f"> {line}" for line in answering.text.splitlines())
        words = f"{words}\n\n{when} {parseaddr(answering.sender)[1]}:\n\n{quoted}\n"
    mail.set_content(words)
    return mail


def post(mail: EmailMessage, port: int) -> None:
    """Give it to the server that takes what is mailed to the product.

    Raises:
        smtplib.SMTPException: it was not taken.
    """
    # The name is given, or smtplib would ask the network for this machine's.
    with smtplib.SMTP(HOST, port, local_hostname="localhost", timeout=60) as smtp:
        smtp.send_message(mail)
