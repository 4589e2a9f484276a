"""Unsubscribe links: unforgeable, short, never expiring, free of personal data (manual S1).

A token is base64url of ``key id (2) | contact (16) | campaign (6) | MAC (16)``: 54 characters,
so that the whole link stays under 120. The MAC is HMAC-SHA256 cut to 128 bits
(RFC 2104 section 5). The key id lets keys rotate while old links go on working.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.errors import NotFound

TOKEN_LENGTH = 54
# In the links of a test mail. No address has this id, so such a link is about nobody.
NOBODY = "0" * 32
_KEY_ID, _CONTACT, _CAMPAIGN, _MAC = 2, 16, 6, 16
_SIGNED = _KEY_ID + _CONTACT + _CAMPAIGN
# Keeps a MAC made here from meaning anything where the same key might sign something else.
_CONTEXT = b"optin unsubscribe link 1\x00"
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


class UnknownKey(NotFound):
    """The token names a key we do not have (yet): read the keys again before refusing."""


def sign(link: Link, keys: LinkKeys) -> str:
    """The token for a link, signed with the current key."""
    body = keys.current.encode() + bytes.fromhex(link.contact_id) + bytes.fromhex(link.campaign_id)
    token = body + _mac(body, keys.keys[keys.current])
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def verify(token: str, keys: LinkKeys) -> Link:
    """What a genuine token says.

    Raises:
        NotFound: malformed, truncated or altered.
        UnknownKey: a NotFound too; signed with a key that is not among ``keys``.
    """
    raw = _decode(token)
    body, mac = raw[:_SIGNED], raw[_SIGNED:]
    key = keys.keys.get(body[:_KEY_ID].decode("latin-1"))
    if key is None:
        raise UnknownKey(*_UNKNOWN_LINK)
    if not hmac.compare_digest(_mac(body, key), mac):
        raise NotFound(*_UNKNOWN_LINK)
    return Link(
        body[_KEY_ID : _KEY_ID + _CONTACT].hex(),
        body[_KEY_ID + _CONTACT :].hex(),
    )


def _decode(token: str) -> bytes:
    if len(token) != TOKEN_LENGTH:
        raise NotFound(*_UNKNOWN_LINK)
    try:
        raw = base64.b64decode(token + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise NotFound(*_UNKNOWN_LINK) from None
    # 54 characters carry four spare bits: only the canonical spelling counts.
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != token:
        raise NotFound(*_UNKNOWN_LINK)
    return raw


def _mac(body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, _CONTEXT + body, "sha256")[:_MAC]
