"""The tree of a message's parts, found by their boundaries without copying or decoding them.

Written for this instead of the standard library's parser: that one recurses with the sender's
nesting, compares every line with every open boundary, and copies attachments nobody reads.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.inbox import headers
from shared.inbox.charsets import REPLACED, clean, decoded
from shared.inbox.headers import Headers

MAX_DEPTH = 20
MAX_PARTS = 1_000
MAX_TEXT = 1_000_000  # bytes of one text part, as transferred
MAX_TEXTS = 2_000_000  # of all of them
MAX_HTML = 300_000  # characters of one HTML part
MAX_FIELDS = 100_000  # bytes of a report's fields

_MESSAGES = frozenset({"message/rfc822", "message/global", "message/news"})
_RETURNED_HEADERS = frozenset({"text/rfc822-headers", "message/global-headers"})
# The part of a multipart/report that programs read.
REPORTS = frozenset(
    {
        "message/delivery-status",
        "message/global-delivery-status",
        "message/feedback-report",
        "message/disposition-notification",
        "message/global-disposition-notification",
    }
)
_CMS = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_TEXTS = frozenset({"text/plain", "text/html", "text/enriched", "text"}) | _RETURNED_HEADERS
_PGP_MESSAGE = re.compile(
    r"-----BEGIN PGP MESSAGE-----.*?(?:-----END PGP MESSAGE-----|\Z)", re.DOTALL
)
_PGP_SIGNED = re.compile(r"-----BEGIN PGP SIGNED MESSAGE-----\n(?:Hash:.*\n)*\n?")
_PGP_SIGNATURE = re.compile(
    r"-----BEGIN PGP SIGNATURE-----.*?(?:-----END PGP SIGNATURE-----|\Z)", re.DOTALL
)
_NOT_IN_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n\t "


@dataclass(frozen=True, slots=True)
class Text:
    """A part that can be read, decoded. ``quoted``: it is of a message inside this one."""

    source: str
    html: bool
    quoted: bool


@dataclass(slots=True)
class Found:
    """What the walk through a message brings together."""

    texts: list[Text] = field(default_factory=list)  # what shows, in order
    sources: list[str] = field(default_factory=list)  # every text, shown or not
    attachments: int = 0
    unread: set[str] = field(default_factory=set)
    report: tuple[str, bytes] | None = None  # kind and fields
    returned: list[str] = field(default_factory=list)  # our message in a report, as far as it is


@dataclass(frozen=True, slots=True)
class _Part:
    """Where a part stands, and what stands around it."""

    start: int
    end: int
    depth: int = 0
    default: str = "text/plain"
    around: str = ""  # type of what contains it
    quoted: bool = False


def walk(raw: bytes) -> tuple[Headers, int, Found]:
    """The message's own headers, where its body begins, and what was found in it."""
    walker = _Walk(raw)
    top, body, whole = headers.parse(raw, 0, len(raw))
    if not whole:
        walker.found.unread.add("headers_cut")
    walker.found.texts = walker.texts(_Part(0, len(raw)))
    return top, body, walker.found


class _Walk:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.found = Found()
        self.parts = 0
        self.room = MAX_TEXTS

    def texts(self, part: _Part) -> list[Text]:
        """The texts of a part that show. It recurses no deeper than ``MAX_DEPTH``."""
        self.parts += 1
        fields, body, _ = headers.parse(self.raw, part.start, part.end)
        kind, parameters = fields.parameters("content-type", part.default)
        inner = _Part(body, part.end, part.depth + 1, "text/plain", kind, part.quoted)
        if kind.startswith("multipart/") and kind != "multipart/encrypted":
            return self._multipart(inner, parameters)
        if kind == "multipart/encrypted" or kind in _CMS:
            signed = parameters.get("smime-type") == "signed-data"
            self.found.unread.add("signed" if signed else "encrypted")
            return []
        if (
            part.around == "multipart/report"
            and part.depth == 1
            and self._reported(kind, inner, fields)
        ):
            return []
        encoding = fields.plain("content-transfer-encoding").lower()
        if kind in _MESSAGES and encoding not in {"base64", "quoted-printable"}:
            return self._message(inner)
        if kind in _TEXTS and not _is_file(fields, parameters):
            return self._text(inner, kind, parameters, encoding)
        self._attached(kind, part, fields)
        return []

    def _multipart(self, inside: _Part, parameters: dict[str, str]) -> list[Text]:
        if inside.depth > MAX_DEPTH:
            self.found.unread.add("too_deep")
            return []
        spans = self._spans(inside, parameters.get("boundary", ""))
        found: list[list[Text]] = []
        for number, (start, end) in enumerate(spans):
            if inside.around == "multipart/signed" and number:
                self.found.unread.add("signature")
                break
            if self.parts >= MAX_PARTS:
                self.found.unread.add("too_many_parts")
                break
            default = "message/rfc822" if inside.around == "multipart/digest" else "text/plain"
            found.append(
                self.texts(_Part(start, end, inside.depth, default, inside.around, inside.quoted))
            )
        if not found:
            self.found.unread.add("broken_mime")
            return self._text(inside, "text/plain", {}, "")
        texts = [text for part in found for text in part]
        # Of alternatives the plain one, unless it is empty.
        plain = any(not text.html and text.source.strip() for text in texts)
        if inside.around == "multipart/alternative" and plain:
            return [text for text in texts if not text.html]
        return texts

    def _spans(self, inside: _Part, boundary: str) -> Iterator[tuple[int, int]]:
        """Where the parts begin and end. The last needs no end: mail is cut off, or forgetful."""
        mark = b"--" + boundary.encode("latin-1", "replace").rstrip()
        if not 2 < len(mark) <= 202:
            return
        begun = -1
        at = inside.start
        while (at := self.raw.find(mark, at, inside.end)) >= 0:
            after = at + len(mark)
            if at > inside.start and self.raw[at - 1] != 0x0A:
                at = after  # not at the beginning of a line
                continue
            line = self.raw.find(b"\n", after, inside.end)
            line = inside.end if line < 0 else line
            closing = self.raw.startswith(b"--", after)
            rest = self.raw[after + 2 * closing : min(line, after + 200)]
            if rest.strip():  # a longer boundary
                at = after
                continue
            if begun >= 0:
                yield begun, max(begun, at - (2 if self.raw[at - 2 : at] == b"\r\n" else 1))
            if closing:
                return
            begun = at = min(line + 1, inside.end)
        if begun >= 0:
            yield begun, inside.end

    def _message(self, inside: _Part) -> list[Text]:
        """A message inside the message: what stands there is quoted, whoever wrote it."""
        if inside.depth > MAX_DEPTH:
            self.found.unread.add("too_deep")
            return []
        return self.texts(
            _Part(inside.start, inside.end, inside.depth, "text/plain", "", quoted=True)
        )

    def _reported(self, kind: str, inside: _Part, fields: Headers) -> bool:
        """In a report: keep the fields, and remember the returned message. True: all is done."""
        if kind in REPORTS:
            encoding = fields.plain("content-transfer-encoding").lower()
            self.found.report = (kind, self._bytes(inside, encoding, MAX_FIELDS))
            return True
        if kind in _MESSAGES | _RETURNED_HEADERS:
            known = len(self.found.sources)
            self._message(inside) if kind in _MESSAGES else self._text(inside, kind, {}, "")
            returned = self.raw[inside.start : min(inside.end, inside.start + MAX_TEXT)]
            self.found.returned = [returned.decode("latin-1"), *self.found.sources[known:]]
            return True
        return False

    def _text(
        self, inside: _Part, kind: str, parameters: dict[str, str], encoding: str
    ) -> list[Text]:
        limit = min(MAX_TEXT, self.room)
        if inside.end - inside.start > limit:
            self.found.unread.add("text_cut")
        data = self._bytes(inside, encoding, limit)
        self.room -= min(limit, inside.end - inside.start)
        source = clean(decoded(data, parameters.get("charset", "")))
        if REPLACED in source:
            self.found.unread.add("charset")
        html = kind == "text/html"
        if html and len(source) > MAX_HTML:
            self.found.unread.add("text_cut")
            source = source[:MAX_HTML]
        if not html:
            source = self._unsigned(_flowed(source, parameters))
        self.found.sources.append(source)
        quoted = inside.quoted or kind in _RETURNED_HEADERS
        return [Text(source, html, quoted)]

    def _unsigned(self, text: str) -> str:
        """Without PGP's armour in the text itself."""
        if "-----BEGIN PGP " not in text:
            return text
        bare, encrypted = _PGP_MESSAGE.subn("", text)
        bare, signed = _PGP_SIGNED.subn("", bare)
        self.found.unread |= {"encrypted"} if encrypted else set()
        self.found.unread |= {"signature"} if signed else set()
        return _PGP_SIGNATURE.sub("", bare)

    def _bytes(self, inside: _Part, encoding: str, limit: int) -> bytes:
        data = self.raw[inside.start : min(inside.end, inside.start + limit)]
        if encoding == "quoted-printable":
            return binascii.a2b_qp(data)
        if encoding == "base64":
            strange = len(data.translate(None, _NOT_IN_BASE64))
            if strange:
                self.found.unread.add("encoding")
            return data if strange * 10 > len(data) else headers.base64_bytes(data)
        if encoding not in {"", "7bit", "8bit", "binary"}:
            self.found.unread.add("encoding")
        return data

    def _attached(self, kind: str, part: _Part, fields: Headers) -> None:
        """Count it. A picture that a text shows is part of the text."""
        if kind == "application/ms-tnef":
            self.found.unread.add("tnef")
        shown = part.around == "multipart/related" and fields.raw("content-id")
        if not shown:
            self.found.attachments += 1


def _is_file(fields: Headers, parameters: dict[str, str]) -> bool:
    disposition, named = fields.parameters("content-disposition")
    return disposition == "attachment" or "filename" in named or "name" in parameters


def _flowed(text: str, parameters: dict[str, str]) -> str:
    """Lines as they were before they were broken for the way (RFC 3676)."""
    if parameters.get("format", "").lower() != "flowed":
        return text
    space = "" if parameters.get("delsp", "").lower() == "yes" else " "
    return re.sub(r"(?<=[^\n]) \n(?![ >\n]|-- ?\n|\Z)", space, text)
