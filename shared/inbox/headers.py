"""Header fields as they come: folded, raw, encoded, mislabelled, twice.

A field's value stays bytes until somebody asks for its text. Addresses are taken apart before
encoded words are decoded, so a name can never become an address.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

from shared.inbox.charsets import clean, decoded

MAX_HEADERS = 256_000  # bytes of one header block
MAX_VALUE = 10_000  # bytes of one field
MAX_FROM = 2_000  # bytes of one From field
MAX_ADDRESS = 320
MAX_ADDRESSES = 10

_FIELD = re.compile(rb"([!-9;-~]{1,100})[ \t]*:")
_BLANK = re.compile(rb"\r?\n[ \t]*\r?\n")
_LINE = re.compile(rb"\r?\n")
_SPACE = re.compile(r"\s+")
_PARAMETER = re.compile(r';\s*([^\s=;"]{1,60})\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SECTION = re.compile(r"\*\d*\*?$")
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_NOT_BASE64 = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
)
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|<[^<>]*>|[,;:()"<>]|[^,;:()"<>]+', re.DOTALL)
_QUOTED_LOCAL = re.compile(r'^"((?:[^"\\]|\\.)*)"@')
_ROUTE = re.compile(r"(?:^|[<,:;])\s*@[^<>]*:")  # of which address, programs do not agree
_NO_ASCII = re.compile(rb"\x1b(?!\([BJ])[^\x1b]*")
_LIKE_AN_ADDRESS = re.compile(rb"<[^<>]*@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+\s*>")


@dataclass(frozen=True, slots=True)
class Headers:
    """One block of fields, names in lower case, in their order."""

    fields: tuple[tuple[str, bytes], ...]

    def all(self, name: str) -> list[bytes]:
        """Every value of a field, unfolded."""
        return [value for found, value in self.fields if found == name]

    def raw(self, name: str) -> bytes:
        """The first value, or nothing."""
        return next(iter(self.all(name)), b"")

    def text(self, name: str) -> str:
        """The first value for people to read: decoded, on one line."""
        return one_line(words(decoded(self.raw(name))))

    def plain(self, name: str) -> str:
        """The first value for programs: on one line, encoded words as they are."""
        return one_line(decoded(self.raw(name)))

    def parameters(self, name: str, default: str = "") -> tuple[str, dict[str, str]]:
        """The value before the first semicolon in lower case, and the parameters (RFC 2045)."""
        text = self.raw(name).decode("latin-1")
        value = text.partition(";")[0].strip().lower()
        found: dict[str, str] = {}
        for key, given in _PARAMETER.findall(text[len(text.partition(";")[0]) :]):
            plain = (
                _ESCAPED.sub(r"\1", given[1:-1])
                if given.startswith('"') and len(given) > 1
                else given
            )
            # RFC 2231: only whether there is one matters for file names, which these are.
            found.setdefault(_SECTION.sub("", key.lower()), plain)
        return value or default, found

    def message_ids(self, name: str) -> list[str]:
        """The message ids in a field, and nothing else of it."""
        return [
            found
            for value in self.all(name)
            for found in _MESSAGE_ID.findall(one_line(decoded(value)))
        ]


def parse(raw: bytes, start: int, end: int) -> tuple[Headers, int, bool]:
    """The header block at ``start``, where the body begins, and whether the block was whole."""
    blank = re.compile(rb"[ \t]*\r?\n").match(raw, start, end)
    if blank:
        return Headers(()), blank.end(), True
    limit = min(end, start + MAX_HEADERS)
    found = _BLANK.search(raw, start, limit)
    stop, body = (found.start(), found.end()) if found else (limit, limit)
    fields: list[tuple[str, list[bytes]]] = []
    at = start
    for line in _LINE.split(raw[start:stop]):
        field = _FIELD.match(line)
        if field:
            fields.append((field[1].decode("ascii").lower(), [line[field.end() :]]))
        elif line[:1] in {b" ", b"\t"} and fields:
            fields[-1][1].append(line)
        elif at > start or not line.startswith((b"From ", b">From ")):
            body = min(at, stop)  # whoever forgot the empty line
            break
        at = _after(raw, at + len(line))
    values = tuple((name, b"".join(lines)[:MAX_VALUE]) for name, lines in fields)
    return Headers(values), body, found is not None or limit == end


def _after(raw: bytes, at: int) -> int:
    return at + (2 if raw[at : at + 2] == b"\r\n" else 1)


def one_line(text: str) -> str:
    """Clean, with every run of white space as one space."""
    return _SPACE.sub(" ", clean(text)).strip()


def words(text: str) -> str:
    """RFC 2047 decoded. Neighbours of one charset are joined first: many cut characters in two."""
    out: list[str] = []
    label, held, at = "", b"", 0
    for found in _WORD.finditer(text):
        gap = text[at : found.start()]
        charset = found[1].lower()
        if gap.strip() or charset != label:
            out += [decoded(held, label), gap if gap.strip() or not label else ""]
            held = b""
        label, at = charset, found.end()
        held += _payload(found[2], found[3])
    return "".join([*out, decoded(held, label), text[at:]])


def _payload(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if encoding in "bB":
        return base64_bytes(data)
    return binascii.a2b_qp(data, header=True)


def base64_bytes(data: bytes) -> bytes:
    """What is decodable up to the first padding; the rest is left."""
    data = data.translate(None, _NOT_BASE64).partition(b"=")[0]
    if len(data) % 4 == 1:
        data = data[:-1]
    return binascii.a2b_base64(data + b"=" * (-len(data) % 4))


def addresses(values: list[bytes]) -> tuple[str, ...]:
    """The distinct addresses of From fields (RFC 5322 3.4, read kindly).

    None where SES may have seen another one and judged that: a verdict is worth nothing then.
    """
    if any(len(value) > MAX_FROM or _is_disguised(value) for value in values):
        return ()
    texts = [one_line(decoded(value)) for value in values[:MAX_ADDRESSES]]
    if any(map(_ROUTE.search, texts)):
        return ()
    found: dict[str, str] = {}
    for text in texts:
        for address in _mailboxes(text):
            found.setdefault(address.casefold(), address)
    return tuple(found.values())[:MAX_ADDRESSES]


def _is_disguised(value: bytes) -> bool:
    """Raw ISO-2022-JP spells kanji with ASCII's bytes: to others a name may be an address."""
    return any(map(_LIKE_AN_ADDRESS.search, _NO_ASCII.findall(value)))


def _mailboxes(text: str) -> list[str]:
    """Names, comments and group names are dropped; an address in <> counts before any outside."""
    found: list[str] = []
    bare, angles = "", list[str]()
    for piece in [*_uncommented(_TOKEN.findall(text)), ","]:
        if piece in {",", ";"}:
            found += angles or _bare(bare)
            bare, angles = "", []
        elif piece == ":":  # a group's name
            found += _bare(bare)
            bare = ""
        elif len(piece) > 1 and piece[0] == "<":
            angles += _valid(piece[1:-1])
        else:
            bare += piece
    return found


def _uncommented(pieces: list[str]) -> list[str]:
    """Without (comments), which nest. One that never ends is no comment."""
    if pieces.count("(") != pieces.count(")"):
        return [piece for piece in pieces if piece not in {"(", ")"}]
    kept, depth = [], 0
    for piece in pieces:
        depth += (piece == "(") - (piece == ")")
        if depth <= 0 and piece not in {"(", ")"}:
            kept.append(piece)
    return kept


def _bare(text: str) -> list[str]:
    """Without <>: quoted text is a name, unless an @ follows, as old docomo addresses have it."""
    text = re.sub(r'"((?:[^"\\]|\\.)*)"(?!@)', " ", text)
    text = re.sub(r"\s*@\s*", "@", text)
    return [address for word in text.split() for address in _valid(word)]


def _valid(text: str) -> list[str]:
    text = _QUOTED_LOCAL.sub(lambda quoted: _ESCAPED.sub(r"\1", quoted[1]) + "@", text.strip())
    local, _, domain = text.rpartition("@")
    whole = local and domain and len(text) <= MAX_ADDRESS and not re.search(r"\s", text)
    return [text] if whole else []
