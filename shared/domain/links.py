"""Links in mails: unforgeable, short, free of personal data (manual S1, R1).

The token of an unsubscribe link is base64url of
``key id (2) | contact (16) | campaign (6) | MAC (16)``: 54 characters, so that the whole link
stays under 120; it never expires. That of a case's link is
``key id (2) | case (16) | nonce (12) | purpose (1) | MAC (16)``: 63 characters; whether it still
counts stands in the case. The MAC is HMAC-SHA256 cut to 128 bits (RFC 2104 section 5), with a
context of its own for each kind. The key id lets keys rotate while old links go on working.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.errors import NotFound

TOKEN_LENGTH = 54
CASE_TOKEN_LENGTH = 63
# In the links of a test mail. No address has this id, so such a link is about nobody.
NOBODY = "0" * 32
_KEY_ID, _CONTACT, _CASE, _NONCE, _MAC = 2, 16, 16, 12, 16
# Keeps a MAC made for one thing from meaning anything where the same key signs something else.
_CONTEXT = b"optin unsubscribe link 1\x00"
_CASE_CONTEXT = b"optin case link 1\x00"
# One answer for whatever is wrong, so that nothing can be learned by trying.
_UNKNOWN_LINK = (
    "unknown_link",
    "このリンクは正しくないか、途中で切れています。メールのリンクをもう一度ご確認ください。",
    "This link is not valid or was cut off. Please check the link in the mail.",
)


@dataclass(frozen=True, slots=True)
class LinkKeys:
    """Every key a link was ever signed with, by two-character id, and the one that signs now.

    Raises:
        ValueError: an id is not two ASCII characters, a key is short, or the current is absent.
    """

    current: str
    keys: Mapping[str, bytes]

    def __post_init__(self) -> None:
        for key_id, key in self.keys.items():
            ascii_id = key_id.isascii() and len(key_id) == _KEY_ID
            if not ascii_id or len(key) < hashlib.sha256().digest_size:
                raise ValueError("link keys need a two-character id and at least 32 bytes")
        if self.current not in self.keys:
            raise ValueError("the current link key is missing")


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says: whom it unsubscribes and which campaign carried it."""

    contact_id: str
    campaign_id: str


class Purpose(StrEnum):
    """What a case's link is for."""

    IDENTITY = "i"  # it is really the person who asks
    DISCLOSURE = "d"  # the file, once
    NEW_ADDRESS = "n"  # mail to the new address arrives at the person


@dataclass(frozen=True, slots=True)
class CaseLink:
    """What a case's token says. The nonce tells the link from older ones of its purpose."""

    case_id: str
    nonce: str
    purpose: Purpose


class UnknownKey(NotFound):
    """The token names a key we do not have (yet): read the keys again before refusing."""


def sign(link: Link, keys: LinkKeys) -> str:
    """The token for a link, signed with the current key."""
    return _sign(bytes.fromhex(link.contact_id + link.campaign_id), _CONTEXT, keys)


def verify(token: str, keys: LinkKeys) -> Link:
    """What a genuine token says.

    Raises:
        NotFound: malformed, truncated or altered.
        UnknownKey: a NotFound too; signed with a key that is not among ``keys``.
    """
    said = _verify(token, TOKEN_LENGTH, _CONTEXT, keys)
    return Link(said[:_CONTACT].hex(), said[_CONTACT:].hex())


def sign_case(link: CaseLink, keys: LinkKeys) -> str:
    """The token for a case's link, signed with the current key."""
    said = bytes.fromhex(link.case_id + link.nonce) + link.purpose.encode()
    return _sign(said, _CASE_CONTEXT, keys)


def verify_case(token: str, keys: LinkKeys) -> CaseLink:
    """As ``verify``, for a case's token. Whether the link still counts, the case tells."""
    said = _verify(token, CASE_TOKEN_LENGTH, _CASE_CONTEXT, keys)
    case_id, nonce, purpose = said[:_CASE], said[_CASE : _CASE + _NONCE], said[_CASE + _NONCE :]
    try:
        return CaseLink(case_id.hex(), nonce.hex(), Purpose(purpose.decode()))
    except ValueError:  # signed by a later version
        raise NotFound(*_UNKNOWN_LINK) from None


def _sign(said: bytes, context: bytes, keys: LinkKeys) -> str:
    body = keys.current.encode() + said
    token = body + _mac(context + body, keys.keys[keys.current])
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def _verify(token: str, length: int, context: bytes, keys: LinkKeys) -> bytes:
    raw = _decode(token, length)
    body, mac = raw[:-_MAC], raw[-_MAC:]
    key = keys.keys.get(body[:_KEY_ID].decode("latin-1"))
    if key is None:
        raise UnknownKey(*_UNKNOWN_LINK)
    if not hmac.compare_digest(_mac(context + body, key), mac):
        raise NotFound(*_UNKNOWN_LINK)
    return body[_KEY_ID:]


def _decode(token: str, length: int) -> bytes:
    if len(token) != length:
        raise NotFound(*_UNKNOWN_LINK)
    try:
        raw = base64.b64decode(token + "=" * (-length % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise NotFound(*_UNKNOWN_LINK) from None
    # The last character carries spare bits: only the canonical spelling counts.
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != token:
        raise NotFound(*_UNKNOWN_LINK)
    return raw


def _mac(signed: bytes, key: bytes) -> bytes:
    return hmac.digest(key, signed, "sha256")[:_MAC]
