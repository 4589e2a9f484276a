"""The wordings: the manual's own words, and nothing published ever changes (A2, A6)."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

from shared.texts import consent
from shared.texts.consent import PUBLISHED, ConsentText, Language, TextId

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "manual.ja.txt"

# Every version ever published, by reference. Append; never change a line: stored evidence
# names these hashes.
PINNED = {
    "optin_checkbox/1/ja": "aa5f67c0aaaa54e93d8f268ac964a879e2576af3cb7e42d623b4824f1e2a2d7f",
    "optin_checkbox/1/en": "447721e4e816d9b231cc0eb90274e86842f081ce68ac8f18d6e7c57688641168",
    "notice/1/ja": "7dfe765105362171063653fd859189827019f00ab132016f3d0ef8ff7a3e023f",
    "notice/1/en": "9bbd90167af473649eda1916be86080a2ff00bef439a3a84bf1d40b1df3a338d",
    "phone_script/1/ja": "f8fcd533df7cf2e91a550a7b12386ebc51c9231432f102783ac13349622d3d54",
    "phone_script/1/en": "1fa9b60eec17ceeb19c73e7f10977f188f45f2f756b2182d91cc0df898adf4a2",
    "unsubscribe_notice/1/ja": "7ce44505acf6bbf7443252f57e50e55ecf503c178861389f0170f02e55706726",
    "unsubscribe_notice/1/en": "a4376d307045ae2e015906b2356031447d5e08b0ebe4be87a1063ae24cd61bd0",
    "purpose_of_use/1/ja": "6375ef014880a9e4fae1542fb54784e03bd20717f834a5f291c55873db3461eb",
    "purpose_of_use/1/en": "ad9bdbe6b9ba2b470cd9a9632bfe14ec4689caa08a78b16238fa1a5445724cb8",
}


def test_published_versions_never_change() -> None:
    """A2: the exact wording, by version and hash."""
    published = {
        wording.ref: wording.sha256
        for text in PUBLISHED
        for wording in (text.wording(language) for language in Language)
    }
    assert published == PINNED


@pytest.mark.parametrize(
    "text_id",
    [TextId.OPTIN_CHECKBOX, TextId.NOTICE, TextId.PHONE_SCRIPT, TextId.UNSUBSCRIBE_NOTICE],
)
def test_first_version_is_the_manuals_own_wording(text_id: TextId) -> None:
    """A1, A4, A5, U2: 文例 (1) to (4), to the letter."""
    text = consent.find(text_id, 1)
    assert text is not None
    assert text.ja in MANUAL.read_text("utf-8")


@pytest.mark.parametrize("text", PUBLISHED, ids=lambda text: f"{text.text_id}/{text.version}")
def test_text_is_complete(text: ConsentText) -> None:
    """A6: in both languages, with the day it was published."""
    date.fromisoformat(text.published)
    assert any("ぁ" <= character <= "ヶ" for character in text.ja)
    assert text.en.isascii()
    for words in (text.ja, text.en):
        assert words == words.strip()
        assert "\n" not in words


def test_reference_round_trip() -> None:
    for text in PUBLISHED:
        for language in Language:
            wording = text.wording(language)
            assert wording.text == (text.ja if language is Language.JA else text.en)
            assert consent.by_ref(wording.ref) == wording
            assert wording.sha256 == hashlib.sha256(wording.text.encode()).hexdigest()


@pytest.mark.parametrize(
    "ref",
    ["", "notice", "notice/1", "notice/1/fr", "notice/0/ja", "notice/01/ja", "NOTICE/1/ja",
     "notice/1/ja/", "notice/1/ja\n", "../1/ja", "notice/１/ja"],
)  # fmt: skip
def test_unknown_reference(ref: str) -> None:
    assert consent.by_ref(ref) is None


def test_versions_count_up_from_one_and_the_last_is_current() -> None:
    for text_id in TextId:
        versions = [text.version for text in PUBLISHED if text.text_id is text_id]
        assert versions == list(range(1, len(versions) + 1))
        assert consent.current(text_id).version == versions[-1]
        assert consent.find(text_id, versions[-1]) is consent.current(text_id)
        assert consent.find(text_id, versions[-1] + 1) is None
        assert consent.find(text_id, 0) is None
