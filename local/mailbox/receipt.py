"""What SES says of a mail it received, and what it writes on it: its part of the stand-in.

SES's verdicts come from DNS and scanners, which nobody has here. An honest mail comes from the
domain it says it comes from; the test strings of spam and virus scanners mean themselves; and
headers of the given mail may make a verdict worse, as a test likes, never better.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email import message_from_bytes, policy
from email.message import Message
from email.utils import format_datetime, getaddresses
from typing import Any

from local.config import REGION

GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

_MOST_HEADERS = 10_240  # characters SES tells of
_WORSE = ("PASS", "GRAY", "FAIL")
_HELO = "sender.example"


@dataclass(frozen=True, slots=True)
class Verdicts:
    """SES's words: PASS, GRAY or FAIL."""

    spam: str
    virus: str
    spf: str
    dkim: str
    dmarc: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """One delivery. ``sender`` is the envelope's, empty for the null return path."""

    message_id: str
    at: datetime
    sender: str
    recipients: Sequence[str]
    verdicts: Verdicts


def judge(raw: bytes, sender: str) -> Verdicts:
    """The verdicts on a mail whose envelope names this sender."""
    head = _head(raw)
    aligned = "GRAY" if not sender else "PASS" if _is_aligned(sender, head) else "FAIL"
    found = Verdicts(
        spam="FAIL" if _holds(raw, GTUBE) else "PASS",
        virus="FAIL" if _holds(raw, EICAR) else "PASS",
        spf=aligned,
        dkim="GRAY",  # nobody signs here
        dmarc=aligned,
    )
    said = " ".join(_all(head, "Authentication-Results"))
    return replace(
        found,
        spam=_worst(found.spam, *_all(head, "X-SES-Spam-Verdict")),
        virus=_worst(found.virus, *_all(head, "X-SES-Virus-Verdict")),
        spf=_worst(found.spf, _result(said, "spf")),
        dkim=_worst(found.dkim, _result(said, "dkim")),
        dmarc=_worst(found.dmarc, _result(said, "dmarc")),
    )


def stamped(raw: bytes, receipt: Receipt) -> bytes:
    """The mail as SES stores it: with its own headers before the sender's."""
    domain = receipt.sender.rpartition("@")[2] or _HELO
    verdicts = receipt.verdicts
    spf = f"{_word(verdicts.spf)} (spfCheck) client-ip=127.0.0.1;"
    lines = (
        f"Return-Path: <{receipt.sender}>",
        f"Received: from {_HELO} ({_HELO} [127.0.0.1])",
        f" by inbound-smtp.{REGION}.amazonaws.com with SMTP id {receipt.message_id}",
        f" for {receipt.recipients[0]};",
        f" {format_datetime(receipt.at)} (UTC)",
        f"X-SES-Spam-Verdict: {verdicts.spam}",
        f"X-SES-Virus-Verdict: {verdicts.virus}",
        f"Received-SPF: {spf} envelope-from={receipt.sender or '<>'}; helo={_HELO};",
        "Authentication-Results: amazonses.com;",
        f" spf={spf}",
        f" dkim={_word(verdicts.dkim)};",
        f" dmarc={_word(verdicts.dmarc)} header.from={domain};",
    )
    return "".join(f"{line}\r\n" for line in lines).encode() + raw


def notification(
    raw: bytes, receipt: Receipt, *, bucket: str, key: str, topic: str
) -> dict[str, Any]:
    """What SES publishes once the mail is in the bucket."""
    at = receipt.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    headers, truncated = _told(_head(raw))
    verdicts = receipt.verdicts
    return {
        "notificationType": "Received",
        "mail": {
            "timestamp": at,
            "source": receipt.sender,
            "messageId": receipt.message_id,
            "destination": list(receipt.recipients),
            "headersTruncated": truncated,
            "headers": headers,
            "commonHeaders": _common(headers),
        },
        "receipt": {
            "timestamp": at,
            "processingTimeMillis": 1,
            "recipients": list(receipt.recipients),
            "spamVerdict": {"status": verdicts.spam},
            "virusVerdict": {"status": verdicts.virus},
            "spfVerdict": {"status": verdicts.spf},
            "dkimVerdict": {"status": verdicts.dkim},
            "dmarcVerdict": {"status": verdicts.dmarc},
            **({"dmarcPolicy": "none"} if verdicts.dmarc == "FAIL" else {}),
            "action": {
                "type": "S3",
                "topicArn": topic,
                "bucketName": bucket,
                "objectKeyPrefix": "",
                "objectKey": key,
            },
        },
    }


def _head(raw: bytes) -> Message:
    """The headers alone; compat32 reads anything."""
    end = re.search(rb"\r?\n\r?\n", raw)
    return message_from_bytes(raw[: end.start()] if end else raw, policy=policy.compat32)


def _all(head: Message, name: str) -> list[str]:
    return [_plain(value) for value in head.get_all(name, [])]


def _plain(value: object) -> str:
    """A header's text, whatever bytes it was made of."""
    return str(value).encode("utf-8", "replace").decode()


def _is_aligned(sender: str, head: Message) -> bool:
    """One domain is the other's, or stands below it."""
    addresses = [address for _, address in getaddresses(_all(head, "From"))]
    if len(addresses) != 1:
        return False
    one, other = (text.rpartition("@")[2].lower() for text in (sender, addresses[0]))
    if "." not in one or "." not in other:
        return False
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _holds(raw: bytes, needle: bytes) -> bool:
    """As it is, or as the beginning of an attachment in base64."""
    return needle in raw or base64.b64encode(needle)[:60] in raw


def _result(said: str, method: str) -> str:
    """One method's result in an Authentication-Results header as a verdict."""
    found = re.search(rf"\b{method}=(\w+)", said)
    if found is None or found[1] == "pass":
        return "PASS"
    return "GRAY" if found[1] in ("none", "neutral", "temperror") else "FAIL"


def _worst(*verdicts: str) -> str:
    return max((verdict for verdict in verdicts if verdict in _WORSE), key=_WORSE.index)


def _word(verdict: str) -> str:
    return {"PASS": "pass", "GRAY": "none"}.get(verdict, "fail")


def _told(head: Message) -> tuple[list[dict[str, str]], bool]:
    headers: list[dict[str, str]] = []
    left = _MOST_HEADERS
    for name, value in head.items():
        text = _plain(value)
        left -= len(name) + len(text)
        if left < 0:
            return headers, True
        headers.append({"name": _plain(name), "value": text})
    return headers, False


def _common(headers: Sequence[dict[str, str]]) -> dict[str, Any]:
    first: dict[str, str] = {}
    for header in headers:
        first.setdefault(header["name"].lower(), header["value"])
    common: dict[str, Any] = {
        name: [first[header]]
        for name, header in (("from", "from"), ("to", "to"))
        if header in first
    }
    return common | {
        name: first[header]
        for name, header in (
            ("returnPath", "return-path"),
            ("date", "date"),
            ("messageId", "message-id"),
            ("subject", "subject"),
        )
        if header in first
    }
