"""Messages kept as .eml files, read back after a restart."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Literal

Box = Literal["sent", "received"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message as people and tests read it."""

    id: str
    sender: str
    to: str
    subject: str
    headers: dict[str, str]
    text: str
    html: str
    at: datetime


class Mailbox:
    """``sent`` is what the product mailed out; ``received`` is what was mailed to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._messages: dict[Box, dict[str, Message]] = {"sent": {}, "received": {}}
        for box, messages in self._messages.items():
            self._path(box).mkdir(parents=True, exist_ok=True)
            for file in sorted(self._path(box).glob("*.eml")):
                messages[file.stem] = _read(file.stem, file.read_bytes())

    def add(self, box: Box, raw: bytes) -> Message:
        """Keep one message; names sort by time of arrival."""
        message_id = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        message = _read(message_id, raw)
        (self._path(box) / f"{message_id}.eml").write_bytes(raw)
        self._messages[box][message_id] = message
        return message

    def newest_first(self, box: Box = "sent") -> Iterator[Message]:
        return reversed(list(self._messages[box].values()))  # others may come meanwhile

    def find(self, message_id: str) -> Message | None:
        for messages in self._messages.values():
            if message_id in messages:
                return messages[message_id]
        return None

    def raw(self, message_id: str) -> bytes:
        """The bytes as they came over the wire. Only for an id that `find` knows."""
        for box, messages in self._messages.items():
            if message_id in messages:
                return (self._path(box) / f"{message_id}.eml").read_bytes()
        raise KeyError(message_id)

    def _path(self, box: Box) -> Path:
        return self._folder / box


def _read(message_id: str, raw: bytes) -> Message:
    """Shown as well as it can be: whatever was sent is kept."""
    try:
        return _message(message_id, message_from_bytes(raw, policy=policy.default))
    except Exception:  # noqa: BLE001 (the library fails in many ways on mail made to break it)
        headers = raw.partition(b"\r\n\r\n")[0][:10_000]
        mail = EmailMessage()
        mail["Subject"] = "(broken)"
        mail.set_content(headers.decode("utf-8", "replace"))
        return _message(message_id, mail)


def _message(message_id: str, mail: EmailMessage) -> Message:
    headers: dict[str, str] = {}
    for name, value in mail.items():
        headers.setdefault(_shown(name), _shown(value))
    return Message(
        id=message_id,
        sender=headers.get("From", ""),
        to=headers.get("To", ""),
        subject=headers.get("Subject", ""),
        headers=headers,
        text=_shown(_part(mail, "plain")),
        html=_shown(_part(mail, "html")),
        at=datetime.fromtimestamp(int(message_id.split("-", 1)[0]) / 1e9, UTC),
    )


def _shown(text: object) -> str:
    """Without bytes that no character set explained."""
    return str(text).encode("utf-8", "replace").decode()


def _part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body(preferencelist=(kind,))
    if body is None:
        return ""
    try:
        return str(body.get_content())
    except (LookupError, UnicodeError):  # an unknown or wrongly named character set
        payload = body.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
