"""From a SendEmail or SendBulkEmail request to the bytes on the wire, with SES's own refusals."""

from __future__ import annotations

import base64
import binascii
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses
from typing import Any

import chevron  # type: ignore[import-untyped]

# Python's own line length breaks a long List-Unsubscribe into encoded words.
WIRE = policy.SMTP.clone(max_line_length=998)

_HEADER_NAME = re.compile(r"[!-9;-~]{1,126}")
_HEADER_VALUE = re.compile(r"[ -~]{1,995}")
_TAG = re.compile(r"[A-Za-z0-9_.@-]{1,256}")
_MAX_HEADERS = 15
_MAX_RECIPIENTS = 50
_MAX_BYTES = 40 * 1024 * 1024
_OWN_HEADERS = frozenset(
    {
        "bcc",
        "cc",
        "content-disposition",
        "content-transfer-encoding",
        "content-type",
        "date",
        "from",
        "message-id",
        "mime-version",
        "reply-to",
        "return-path",
        "sender",
        "subject",
        "to",
    }
)


class BadRequest(ValueError):
    """What SES answers with 400 BadRequestException."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One accepted message."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    configuration_set: str
    tags: Mapping[str, str]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one recipient of a bulk request: a message, or SES's status for it."""

    status: str
    message: Outgoing | None = None
    error: str = ""


def build_bulk(
    request: Mapping[str, Any], *, message_ids: Callable[[], str], now: datetime
) -> list[Entry]:
    """Check one SendBulkEmail request and write the message of each entry.

    What concerns the whole request is refused as a whole; what concerns one entry is its status.
    """
    if not request.get("FromEmailAddress"):
        raise BadRequest("Missing required parameter FromEmailAddress")
    template = _object(_object(request, "DefaultContent"), "Template")
    content = _object(template, "TemplateContent")  # stored templates are not stood in for
    defaults = _template_data(template.get("TemplateData") or "{}")
    entries = request.get("BulkEmailEntries") or []
    if not 1 <= len(entries) <= _MAX_RECIPIENTS:
        raise BadRequest(f"A bulk request has 1 to {_MAX_RECIPIENTS} entries")
    tags = request.get("DefaultEmailTags") or ()
    return [
        _bulk_entry(request, content, defaults, tags, entry, message_id=message_ids(), now=now)
        for entry in entries
    ]


def _bulk_entry(
    request: Mapping[str, Any],
    content: Mapping[str, Any],
    defaults: Mapping[str, Any],
    tags: Sequence[Mapping[str, Any]],
    entry: Mapping[str, Any],
    *,
    message_id: str,
    now: datetime,
) -> Entry:
    try:
        replacement = (entry.get("ReplacementEmailContent") or {}).get("ReplacementTemplate") or {}
        data = {**defaults, **_template_data(replacement.get("ReplacementTemplateData") or "{}")}
        filled = {
            part: {"Data": _filled(str(content[part]), data)}
            for part in ("Subject", "Text", "Html")
            if content.get(part)
        }
        simple = {
            "Subject": filled.pop("Subject", None),
            "Body": filled,
            "Headers": _bulk_headers(request, entry),
        }
        message = build(
            {
                **request,
                "Destination": entry.get("Destination"),
                "Content": {"Simple": simple},
                "EmailTags": [*tags, *(entry.get("ReplacementTags") or ())],
            },
            message_id=message_id,
            now=now,
        )
    except BadRequest as problem:
        return Entry("INVALID_PARAMETER", error=str(problem))
    return Entry("SUCCESS", message)


def _bulk_headers(request: Mapping[str, Any], entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The template's headers, less those that the entry replaces, and the entry's."""
    own = entry.get("ReplacementHeaders") or []
    replaced = {str(header.get("Name", "")).lower() for header in own}
    template = request["DefaultContent"]["Template"]
    kept = [h for h in template.get("Headers") or () if str(h.get("Name")).lower() not in replaced]
    return [*kept, *own]


def _template_data(text: object) -> dict[str, Any]:
    try:
        data = json.loads(str(text))
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise BadRequest("Template data is not a JSON object")
    return data


class _Strict(dict[str, Any]):
    """Remembers what was asked for and is not there.

    SES accepts such an entry, sends nothing and reports a rendering failure. Here it is refused,
    so that a mistake is seen at once.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.missing: set[str] = set()

    def __missing__(self, key: str) -> str:
        self.missing.add(key)
        raise KeyError(key)


def _filled(template: str, data: Mapping[str, Any]) -> str:
    strict = _Strict(data)
    try:
        filled = str(chevron.render(template, strict, log_level=logging.ERROR))
    except chevron.ChevronError as problem:
        raise BadRequest(f"The template cannot be rendered: {problem}") from None
    if strict.missing:
        raise BadRequest(f"Not in the rendering data: {', '.join(sorted(strict.missing))}")
    return filled


def build(request: Mapping[str, Any], *, message_id: str, now: datetime) -> Outgoing:
    """Check one SendEmail request and write its message."""
    recipients = _recipients(request.get("Destination") or {})
    tags = _tags(request.get("EmailTags") or ())
    content = _object(request, "Content")
    if "Simple" in content:
        raw = _simple(request, _object(content, "Simple"), message_id=message_id, now=now)
    elif "Raw" in content:
        raw = _raw(_object(content, "Raw"), message_id=message_id, now=now)
        mail = message_from_bytes(raw, policy=policy.default)
        if not recipients:
            recipients = _addresses(mail.get_all("To", []) + mail.get_all("Cc", []))
    else:
        raise BadRequest("Content must have Simple or Raw (templates are not stood in for)")
    if not recipients:
        raise BadRequest("Missing required parameter Destination")
    if len(recipients) > _MAX_RECIPIENTS:
        raise BadRequest("Recipient count exceeds 50.")
    if len(raw) > _MAX_BYTES:
        raise BadRequest("Message length is more than 41943040 bytes long")
    sender = str(message_from_bytes(raw, policy=policy.default)["From"] or "")
    return Outgoing(
        message_id=message_id,
        sender=_addresses([sender])[0] if sender else "",
        recipients=recipients,
        configuration_set=str(request.get("ConfigurationSetName") or ""),
        tags=tags,
        raw=raw,
    )


def _simple(
    request: Mapping[str, Any], simple: Mapping[str, Any], *, message_id: str, now: datetime
) -> bytes:
    sender = request.get("FromEmailAddress")
    if not sender:
        raise BadRequest("Missing required parameter FromEmailAddress")
    _ascii("FromEmailAddress", sender)
    destination = request.get("Destination") or {}
    mail = EmailMessage(policy=WIRE)
    mail["From"] = sender
    for header, key in (("To", "ToAddresses"), ("Cc", "CcAddresses")):
        if addresses := destination.get(key):
            mail[header] = ", ".join(addresses)
    if reply_to := request.get("ReplyToAddresses"):
        mail["Reply-To"] = ", ".join(_ascii("ReplyToAddresses", address) for address in reply_to)
    mail["Subject"] = _data(simple, "Subject")
    mail["Message-ID"] = _wire_id(message_id)
    mail["Date"] = format_datetime(now)
    for name, value in _headers(simple.get("Headers") or ()):
        mail[name] = value
    body = _object(simple, "Body")
    text = _data(body, "Text") if "Text" in body else None
    html = _data(body, "Html") if "Html" in body else None
    if text is not None:
        mail.set_content(text, cte=_encoding(text))
        if html is not None:
            mail.add_alternative(html, subtype="html", cte=_encoding(html))
    elif html is not None:
        mail.set_content(html, subtype="html", cte=_encoding(html))
    else:
        raise BadRequest("Body must have Text or Html")
    return mail.as_bytes()


def _raw(content: Mapping[str, Any], *, message_id: str, now: datetime) -> bytes:
    """The caller's own bytes; SES only sets the Message-ID, and the Date if there is none."""
    try:
        raw = base64.b64decode(str(content.get("Data", "")), validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest("Raw.Data is not base64") from None
    head, separator, rest = raw.partition(b"\r\n\r\n")
    if not separator:
        head, separator, rest = raw.partition(b"\n\n")
    if not re.search(rb"(?im)^from:", head):
        raise BadRequest("Missing final '@domain'")
    line = b"\r\n" if b"\r\n" in head else b"\n"
    head = re.sub(rb"(?im)^(?:message-id|bcc):.*(?:\r?\n[ \t].*)*(?:\r?\n|\Z)", b"", head)
    added = [b"Message-ID: " + _wire_id(message_id).encode()]
    if not re.search(rb"(?im)^date:", head):
        added.append(b"Date: " + format_datetime(now).encode())
    return line.join([*added, head.rstrip(b"\r\n")]) + separator + rest


def _wire_id(message_id: str) -> str:
    return f"<{message_id}@ap-northeast-1.amazonses.com>"


def _recipients(destination: Mapping[str, Any]) -> tuple[str, ...]:
    listed = [
        _ascii("Destination", address)
        for key in ("ToAddresses", "CcAddresses", "BccAddresses")
        for address in destination.get(key) or ()
    ]
    found = _addresses(listed)
    if len(found) != len(listed) or any("@" not in address for address in found):
        raise BadRequest("Illegal address")
    return found


def _addresses(headers: Sequence[object]) -> tuple[str, ...]:
    pairs = getaddresses([str(header) for header in headers])
    return tuple(address for _, address in pairs if address)


def _headers(listed: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    if len(listed) > _MAX_HEADERS:
        raise BadRequest(f"The number of headers exceeds {_MAX_HEADERS}")
    checked = []
    for header in listed:
        name, value = str(header.get("Name", "")), str(header.get("Value", ""))
        if not _HEADER_NAME.fullmatch(name):
            raise BadRequest(f"Invalid header name {name!r}")
        if name.lower() in _OWN_HEADERS:
            raise BadRequest(f"Header {name} is set by SES")
        if not _HEADER_VALUE.fullmatch(value) or len(name) + len(value) > 996:
            raise BadRequest(f"Invalid value of header {name}")
        checked.append((name, value))
    return checked


def _tags(listed: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    tags = {str(tag.get("Name", "")): str(tag.get("Value", "")) for tag in listed}
    for name, value in tags.items():
        if not _TAG.fullmatch(name) or not _TAG.fullmatch(value):
            raise BadRequest(f"Invalid tag {name}={value}")
    return tags


def _data(parent: Mapping[str, Any], key: str) -> str:
    data = _object(parent, key).get("Data")
    if not isinstance(data, str):
        raise BadRequest(f"Missing required parameter {key}.Data")
    return data


def _object(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    if not isinstance(value, Mapping):
        raise BadRequest(f"Missing required parameter {key}")
    return value


def _ascii(what: str, value: object) -> str:
    text = str(value)
    if not text.isascii() or any(ord(char) < 32 for char in text):
        raise BadRequest(f"{what} contains non-ASCII or control characters")
    return text


def _encoding(text: str) -> str | None:
    return None if text.isascii() else "base64"
