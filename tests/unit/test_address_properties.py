"""E-mail addresses by property: what must hold for every text anybody could send."""

from __future__ import annotations

import unicodedata
from unittest.mock import patch

import pytest
from hypothesis import assume, event, example, given, settings
from hypothesis import strategies as st

from shared.domain import address as module
from shared.domain.address import (
    MAX_ADDRESS,
    MAX_LOCAL,
    Address,
    AddressError,
    AddressKind,
    contact_id,
    parse_address,
    suggest,
)

settings.register_profile("address", print_blob=True, deadline=None)
PROPERTY = settings(settings.get_profile("address"), max_examples=300)

ATEXT = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+/=?^_`{|}~-"
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u180e\u200b\u200d\u200e\u202e\u2060\u2066\ufe0f\ufeff\U000e0041"
)
AWKWARD = '@@@...<>"(),;: \t\r\n\0-_%＠．。｡…‥ーたﾀ㏂℀⑴ßİς語ﷺ☃\ud800' + INVISIBLE

atoms = st.text(ATEXT, min_size=1, max_size=12)
locals_ = st.lists(atoms, min_size=1, max_size=3).map(".".join)
words = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=6)
labels = st.lists(words, min_size=1, max_size=2).map("-".join)
ascii_domains = st.builds(
    lambda parts, ending: "x" + ".".join([*parts, ending]),  # x: never a bare ne.jp
    st.lists(labels, min_size=1, max_size=3),
    st.sampled_from(["jp", "com", "co.jp", "ne.jp", "org", "xn--q9jyb4c"]),
)
japanese_domains = st.text("日本語テストがぱ々ー漢", min_size=1, max_size=8).map(
    lambda t: f"{t}.jp"
)
known_domains = st.sampled_from(["gmail.com", "gmial.com", "docomo.ne.jp", "au.com", "yahoo.co.jp"])
domains = st.one_of(ascii_domains, japanese_domains, known_domains)
addresses = st.builds("{}@{}".format, locals_, domains)
dot_patterns = st.sampled_from(["{}..{}", "{}...{}", "{}.{}.", ".{}.{}", "{}{}.", ".{}{}.."])
legacy_locals = st.builds(str.format, dot_patterns, atoms, atoms)


# Text near enough to an address to get past the first checks, and text that is nothing like it.
def with_noise(noise: str) -> st.SearchStrategy[str]:
    return st.builds(
        lambda text, extra, at: text[: at % (len(text) + 1)] + extra + text[at % (len(text) + 1) :],
        addresses,
        st.text(noise, max_size=6),
        st.integers(0, 60),
    )


near_addresses = with_noise(AWKWARD)
any_text = st.one_of(
    st.text(st.characters(codec=None), max_size=300),
    st.text(AWKWARD + "abcxn-jp", max_size=60),
    near_addresses,
)


def try_parse(text: str) -> Address | AddressError:
    try:
        return parse_address(text)
    except AddressError as error:
        return error


def widened(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


@PROPERTY
@given(any_text)
@example("a@" + "語" * 250 + ".jp")
@example("ﷺ" * 1_000)
@example("\ud800@\udfff.jp")
def test_any_text_gives_an_address_or_a_reason(text: str) -> None:
    result = try_parse(text)
    if isinstance(result, AddressError):
        assert result.ja.encode()
        assert result.en.encode()
        assert result.ja.endswith("。")
        if result.suggestion is not None:
            assert parse_address(result.suggestion).used == result.suggestion
        return
    assert result.typed == text
    local, _, domain = result.used.partition("@")
    assert result.used.isascii()
    assert result.used.isprintable()
    assert " " not in result.used
    assert domain == domain.lower()
    assert len(local) <= MAX_LOCAL
    assert len(result.used) <= MAX_ADDRESS


@PROPERTY
@given(st.one_of(addresses, with_noise(INVISIBLE + "ＡｂⅧ²ﬁ"), near_addresses))
def test_parsing_again_changes_nothing(text: str) -> None:
    first = try_parse(text)
    event(type(first).__name__)
    if isinstance(first, AddressError):
        return
    again = parse_address(first.used)
    assert (again.used, again.lookup, again.kind) == (first.used, first.lookup, first.kind)
    assert parse_address(first.lookup).lookup == first.lookup


@PROPERTY
@given(addresses)
def test_generated_addresses_are_accepted_as_they_are(text: str) -> None:
    address = parse_address(text)
    assert address.kind is AddressKind.STANDARD
    assert address.used.partition("@")[0] == text.partition("@")[0]


@PROPERTY
@given(addresses, st.data())
def test_every_way_of_typing_an_address_finds_the_same_person(
    text: str, data: st.DataObject
) -> None:
    expected = parse_address(text).lookup
    recase = data.draw(st.sampled_from(["strip", "upper", "lower", "swapcase"]))
    other: str = getattr(text, recase)()
    wide = data.draw(st.sets(st.integers(0, len(other) - 1)))
    other = "".join(widened(c) if i in wide else c for i, c in enumerate(other))
    if data.draw(st.booleans()):
        other = unicodedata.normalize("NFD", other)
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(other)))
        other = other[:at] + data.draw(st.sampled_from(INVISIBLE)) + other[at:]
    blank = st.text(" \t\u3000\u00a0", max_size=3)
    if data.draw(st.booleans()):
        before, after = data.draw(blank), data.draw(blank)
        other = other.replace("@", f"{before}@{after}").replace("＠", f"{before}＠{after}")
    other = data.draw(blank) + other + data.draw(st.sampled_from(["", "\n", "\r\n", "\u3000"]))
    wraps = ["{}", "<{}>", "山田 <{}>", "＜{}＞"]
    if "%" not in text:
        wraps.append("mailto:{}")
    wrap = data.draw(st.sampled_from(wraps))
    assert parse_address(wrap.format(other)).lookup == expected


@PROPERTY
@given(legacy_locals, st.sampled_from(["docomo.ne.jp", "ezweb.ne.jp", "au.com"]))
def test_legacy_addresses_keep_their_dots(local: str, domain: str) -> None:
    address = parse_address(widened(f"{local}@{domain}"))
    assert address.used == f"{local}@{domain}"
    assert address.lookup == address.used.lower()
    assert address.kind is AddressKind.LEGACY_CARRIER


@PROPERTY
@given(legacy_locals, ascii_domains)
def test_the_same_dots_are_refused_elsewhere(local: str, domain: str) -> None:
    result = try_parse(f"{local}@{domain}")
    assert isinstance(result, AddressError)
    assert result.code == "local_dots"


@PROPERTY
@given(addresses, atoms, atoms, st.binary(min_size=1, max_size=64))
def test_distinct_tags_are_distinct_contacts(text: str, one: str, two: str, key: bytes) -> None:
    assume(one.lower() != two.lower())
    local, _, domain = text.partition("@")
    ids = []
    for tag in (one, two):
        tagged = f"{local}+{tag}@{domain}"
        ids.append(contact_id(parse_address(tagged).lookup, key))
    assert ids[0] != ids[1]
    assert all(len(i) == 32 and set(i) <= set("0123456789abcdef") for i in ids)


@PROPERTY
@given(addresses)
def test_masked_hides_the_local_part_and_the_domain(text: str) -> None:
    address = parse_address(text.replace("*", "x"))  # asterisks would be their own mask
    local, _, domain = address.used.partition("@")
    shown_local, _, shown_domain = address.masked.partition("@")
    assert shown_local in ("***", local[0] + "***")
    assert local not in shown_local
    assert domain.endswith(shown_domain.removeprefix("***"))
    assert len(shown_domain.removeprefix("***.").split(".")) < len(domain.split("."))


@PROPERTY
@given(any_text)
def test_a_suggestion_is_a_different_valid_address_and_final(text: str) -> None:
    suggestion = suggest(text)
    if suggestion is not None:
        assert suggestion != text
        assert parse_address(suggestion).used == suggestion
        assert suggest(suggestion) is None


@PROPERTY
@given(st.text(AWKWARD + "ab.", min_size=1, max_size=20), st.integers(1_001, 1_000_000))
@example("@", 1_000_000)
@example(" ", 1_000_000)
@example("a@b.jp", 1_000_000)
def test_huge_input_is_refused_unread(unit: str, length: int) -> None:
    text = (unit * (length // len(unit) + 1))[:length]
    with (
        patch.object(module, "_fold", side_effect=AssertionError("the text was read")),
        pytest.raises(AddressError) as caught,
    ):
        parse_address(text)
    assert (caught.value.code, caught.value.suggestion) == ("too_long", None)
