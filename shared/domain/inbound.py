"""A mail that came in, as rules see it: who wrote, what they wrote themselves, what vouches for it.

``shared.inbox`` makes it from the raw message; nothing here parses. What could not be read is
named in ``unread`` and never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from shared.texts.consent import Language


class Mailbox(StrEnum):
    """The addresses of the mail domain that people write to, by their local part."""

    REQUESTS = "optin"  # privacy requests (manual R1)
    REPLY = "reply"  # answers to a campaign (S2)
    STOP = "stop"  # ``stop+{token}``: the mailto of List-Unsubscribe (S2, RFC 2369)


class Verdict(StrEnum):
    """What SES found. ``NONE`` where it could not tell."""

    PASS = "PASS"  # noqa: S105 (a verdict)
    FAIL = "FAIL"
    GRAY = "GRAY"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Verdicts:
    """SES's judgements on one message (law-and-mail D11)."""

    spam: Verdict = Verdict.NONE
    virus: Verdict = Verdict.NONE
    spf: Verdict = Verdict.NONE
    dkim: Verdict = Verdict.NONE
    dmarc: Verdict = Verdict.NONE


@dataclass(frozen=True, slots=True)
class Receipt:
    """What SES says about the delivery. It is SES's word, not the message's.

    ``recipients`` are the addresses of our domain it was delivered to; ``envelope_sender`` is
    empty for the null return path (bounces, RFC 5321 4.5.5).
    """

    object_key: str
    received_at: datetime
    recipients: tuple[str, ...]
    envelope_sender: str
    verdicts: Verdicts


class ReportKind(StrEnum):
    """Machine-made reports about mail of ours."""

    BOUNCE = "bounce"  # RFC 3464, permanent failure
    SOFT_BOUNCE = "soft_bounce"  # RFC 3464, transient failure
    DELAY = "delay"  # RFC 3464, still trying
    COMPLAINT = "complaint"  # RFC 5965
    OTHER = "other"  # delivered, relayed, read (RFC 8098), not-spam


@dataclass(frozen=True, slots=True)
class Report:
    """A delivery or feedback report. ``recipient`` is whom it names; ``status`` like 5.1.1.

    ``tokens``: unsubscribe tokens found in the returned part of our message. Only they prove
    that the report is about a mail of ours.
    """

    kind: ReportKind
    recipient: str = ""
    status: str = ""
    diagnostic: str = ""
    tokens: tuple[str, ...] = ()


# Headers that tell whether a person wrote (RFC 3834 and what programs really send).
SIGNAL_HEADERS = (
    "auto-submitted",
    "precedence",
    "list-id",
    "list-unsubscribe",
    "return-path",
    "x-auto-response-suppress",
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-loop",
    "x-optin-loop",
    "feedback-id",
    "x-failed-recipients",
    "content-type",
)


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """One message.

    ``mail_id`` depends only on Message-ID (Date, where there is none) and content, so a second
    delivery has the same.
    ``senders`` are the addresses of From as parsed, none or several where it is malformed.
    ``words`` is what the person wrote, without quotations and signature; ``quoted`` the rest.
    ``tokens`` are unsubscribe tokens found anywhere in the text, quotations included.
    """

    mail_id: str
    message_id: str
    references: str
    senders: tuple[str, ...]
    subject: str
    words: str
    quoted: str = ""
    language: Language = Language.JA
    tokens: tuple[str, ...] = ()
    attachments: int = 0
    report: Report | None = None
    unread: tuple[str, ...] = ()
    signals: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def sender(self) -> str:
        """The one address it claims to come from, or empty."""
        return self.senders[0] if len(self.senders) == 1 else ""
