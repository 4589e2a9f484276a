"""Unsubscribe links: unforgeable, compact, for ever, without personal data (S1)."""

from __future__ import annotations

import base64
import hmac
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.errors import NotFound
from shared.domain.links import (
    CASE_TOKEN_LENGTH,
    TOKEN_LENGTH,
    CaseLink,
    Link,
    LinkKeys,
    Purpose,
    UnknownKey,
    sign,
    sign_case,
    verify,
    verify_case,
)

ALPHABET = string.ascii_letters + string.digits + "-_"
LINK = Link("0123456789abcdef" * 2, "c0ffee123456")
KEYS = LinkKeys("k1", {"k1": bytes(range(32))})
ROTATED = LinkKeys("k2", {"k1": bytes(range(32)), "k2": bytes(range(32, 64))})
TOKEN = sign(LINK, KEYS)
CASE_LINK = CaseLink("0123456789abcdef" * 2, "abcdef" * 4, Purpose.IDENTITY)
CASE_TOKEN = sign_case(CASE_LINK, KEYS)
LONGEST_API = "https://abcdefghij.execute-api.ap-northeast-1.amazonaws.com"

links = st.builds(
    Link, st.binary(min_size=16, max_size=16).map(bytes.hex),
    st.binary(min_size=6, max_size=6).map(bytes.hex),
)  # fmt: skip


def decode(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@given(links)
def test_round_trip_and_size(link: Link) -> None:
    """Carries contact and campaign; the whole URL stays under 120 characters."""
    token = sign(link, KEYS)
    assert verify(token, KEYS) == link
    assert len(token) == TOKEN_LENGTH
    assert set(token) <= set(ALPHABET)
    assert len(f"{LONGEST_API}/u/{token}") < 120
    assert len(f"stop+{token}") <= 64, "the local part of the List-Unsubscribe mailto"


def test_nothing_personal_inside() -> None:
    """The bytes are key id, contact, campaign and MAC: no room for an address."""
    raw = decode(TOKEN)
    assert raw[:24] == b"k1" + bytes.fromhex(LINK.contact_id + LINK.campaign_id)
    assert len(raw) == 24 + 16


def test_every_single_bit_matters() -> None:
    raw = decode(TOKEN)
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(NotFound):
            verify(encode(bytes(changed)), KEYS)


def test_every_single_character_matters() -> None:
    """Also the last, whose four spare bits must be zero: one spelling per link."""
    for position in range(TOKEN_LENGTH):
        for character in ALPHABET + "=+/ \n.%":
            if character == TOKEN[position]:
                continue
            with pytest.raises(NotFound):
                verify(TOKEN[:position] + character + TOKEN[position + 1 :], KEYS)


def test_truncated_or_extended() -> None:
    for length in range(TOKEN_LENGTH):
        with pytest.raises(NotFound):
            verify(TOKEN[:length], KEYS)
    for longer in (TOKEN + "A", TOKEN + "==", TOKEN + "\n", " " + TOKEN, TOKEN * 2):
        with pytest.raises(NotFound):
            verify(longer, KEYS)


def test_swapped_parts() -> None:
    """A genuine MAC vouches for its own contact and campaign only."""
    other = Link("f" * 32, "0" * 12)
    mixed = decode(sign(other, KEYS))[:24] + decode(TOKEN)[24:]
    with pytest.raises(NotFound):
        verify(encode(mixed), KEYS)


def test_other_key_same_id() -> None:
    with pytest.raises(NotFound):
        verify(TOKEN, LinkKeys("k1", {"k1": bytes(32)}))


def test_unknown_key_id_is_told_apart_only_inside() -> None:
    """The handler may read the keys again; the visitor sees the same answer."""
    with pytest.raises(UnknownKey) as unknown:
        verify(sign(LINK, ROTATED), KEYS)
    with pytest.raises(NotFound) as forged:
        verify("A" * 53 + "A", LinkKeys("k1", {"k1": bytes(32), "\0\0": bytes(32)}))
    assert unknown.value.status == forged.value.status == 404
    assert (unknown.value.code, unknown.value.ja) == (forged.value.code, forged.value.ja)


def test_key_id_is_signed() -> None:
    """A token cannot be moved to another key of the ring by renaming its key id."""
    same = LinkKeys("k1", {"k1": bytes(32), "k2": bytes(32)})
    raw = decode(sign(LINK, same))
    with pytest.raises(NotFound):
        verify(encode(b"k2" + raw[2:]), same)


def test_rotation_keeps_old_links_working() -> None:
    assert verify(TOKEN, ROTATED) == LINK
    renewed = sign(LINK, ROTATED)
    assert renewed != TOKEN
    assert verify(renewed, ROTATED) == LINK


@given(st.one_of(st.text(max_size=80), st.text(min_size=TOKEN_LENGTH, max_size=TOKEN_LENGTH)))
@example("あ" * TOKEN_LENGTH)
@example("Ａ" * TOKEN_LENGTH)
@example("\0" * TOKEN_LENGTH)
@example("\ud800" * TOKEN_LENGTH)
@example("=" * TOKEN_LENGTH)
@example("-_" * (TOKEN_LENGTH // 2))
def test_any_text_is_answered_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        verify(text, KEYS)


@pytest.mark.parametrize("giant", ["A" * 1_000_000, TOKEN * 20_000, "語" * 1_000_000])
def test_giant_tokens_are_refused_unread(giant: str) -> None:
    with pytest.raises(NotFound):
        verify(giant, KEYS)


@given(st.binary(min_size=40, max_size=40))
def test_any_bytes_are_answered_not_found(raw: bytes) -> None:
    with pytest.raises(NotFound):
        verify(encode(raw), ROTATED)


@pytest.mark.parametrize(
    ("current", "keys"),
    [("k1", {}), ("k1", {"k2": bytes(32)}), ("k1", {"k1": bytes(31)}), ("k", {"k": bytes(32)}),
     ("k12", {"k12": bytes(32)}), ("é", {"é": bytes(32)}), ("あ", {"あ": bytes(32)}),
     ("", {"": bytes(32)})],
)  # fmt: skip
def test_unsound_key_rings_are_refused(current: str, keys: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="link key"):
        LinkKeys(current, keys)


# --- links of cases (R1)

case_links = st.builds(
    CaseLink, st.binary(min_size=16, max_size=16).map(bytes.hex),
    st.binary(min_size=12, max_size=12).map(bytes.hex), st.sampled_from(Purpose),
)  # fmt: skip


@given(case_links)
def test_a_cases_link_round_trip_and_size(link: CaseLink) -> None:
    token = sign_case(link, KEYS)
    assert verify_case(token, KEYS) == link
    assert len(token) == CASE_TOKEN_LENGTH == 63
    assert set(token) <= set(ALPHABET)
    assert len(f"{LONGEST_API}/v/{token}") < 128


def test_every_single_bit_of_a_cases_link_matters() -> None:
    raw = decode(CASE_TOKEN)
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(NotFound):
            verify_case(encode(bytes(changed)), KEYS)


def test_every_single_character_of_a_cases_link_matters() -> None:
    for position in range(CASE_TOKEN_LENGTH):
        for character in ALPHABET + "=+/ \n.%":
            if character == CASE_TOKEN[position]:
                continue
            with pytest.raises(NotFound):
                verify_case(CASE_TOKEN[:position] + character + CASE_TOKEN[position + 1 :], KEYS)


@given(st.binary(max_size=80))
def test_no_token_is_of_both_kinds(raw: bytes) -> None:
    """Neither as it is nor cut or filled up to the other's length, nor with the other's MAC."""
    for token in (CASE_TOKEN, encode(raw)):
        with pytest.raises(NotFound):
            verify(token, KEYS)
    for token in (TOKEN, encode(raw)):
        with pytest.raises(NotFound):
            verify_case(token, KEYS)
    with pytest.raises(NotFound):
        verify(encode(decode(CASE_TOKEN)[:40]), KEYS)
    with pytest.raises(NotFound):
        verify_case(encode((decode(TOKEN) + raw + bytes(47))[:47]), KEYS)
    body = decode(CASE_TOKEN)[:-16]
    borrowed = hmac.digest(KEYS.keys["k1"], b"optin unsubscribe link 1\x00" + body, "sha256")
    with pytest.raises(NotFound):
        verify_case(encode(body + borrowed[:16]), KEYS)


def test_a_cases_link_of_another_key_and_of_a_purpose_of_the_future() -> None:
    with pytest.raises(UnknownKey):
        verify_case(sign_case(CASE_LINK, ROTATED), KEYS)
    assert verify_case(CASE_TOKEN, ROTATED) == CASE_LINK
    for purpose in (b"z", b"\xff"):
        body = decode(CASE_TOKEN)[:30] + purpose
        mac = hmac.digest(KEYS.keys["k1"], b"optin case link 1\x00" + body, "sha256")
        with pytest.raises(NotFound):
            verify_case(encode(body + mac[:16]), KEYS)
