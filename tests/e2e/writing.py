"""People who write mails to the product, by SMTP as their mail programs do."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import make_msgid

from tests.e2e.product import Json, Product, eventually


def letter(
    product: Product,
    sender: str,
    to: str,
    words: str,
    *,
    subject: str = "",
    answering: Json | None = None,
    headers: Sequence[tuple[str, str]] = (),
) -> EmailMessage:
    """A mail in UTF-8; ``answering`` quotes a mail of ours below the words, as programs do."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = f"{to}@{product.stack['mail_domain']}"
    mail["Message-ID"] = make_msgid(domain="mail.example.jp")
    if answering is not None:
        subject = subject or f"Re: {answering['subject']}"
        mail["In-Reply-To"] = answering["headers"]["Message-ID"]
        quoted = "\n".join(f"> {line}" for line in answering["text"].splitlines())
        words = f"{words}\n\n2026年11月24日(火) 10:00 {answering['from']}:\n\n{quoted}\n"
    mail["Subject"] = subject
    for name, value in headers:
        mail[name] = value
    mail.set_content(words)
    return mail


def post(
    product: Product, mail: EmailMessage | bytes, *, envelope_from: str, to: Sequence[str] = ()
) -> None:
    """Give it to the mail server, which takes it or says why not."""
    server = product.stack["smtp_in"]
    raw = mail if isinstance(mail, bytes) else mail.as_bytes()
    recipients = list(to) or [str(mail["To"])] if isinstance(mail, EmailMessage) else list(to)
    with smtplib.SMTP(server["host"], server["port"], local_hostname="sender", timeout=30) as smtp:
        smtp.sendmail(envelope_from, recipients, raw)


def write(product: Product, sender: str, to: str, words: str, **more: object) -> None:
    """An honest mail: the envelope is the sender's, so DMARC passes."""
    post(product, letter(product, sender, to, words, **more), envelope_from=sender)  # type: ignore[arg-type]


def forge(product: Product, victim: str, to: str, words: str, **more: object) -> None:
    """A mail that says it is from ``victim`` and comes from somewhere else."""
    mail = letter(product, victim, to, words, **more)  # type: ignore[arg-type]
    post(product, mail, envelope_from="attacker@elsewhere.example.com")


def answer(product: Product, address: str, about: str, since: int = 0) -> Json:
    """The newest mail to ``address`` whose subject has ``about``, once there is one."""

    def look() -> Json | None:
        found = [mail for mail in product.mails(address) if about in mail["subject"]]
        return found[0] if len(found) > since else None

    return eventually(look, f"a mail about {about}")
