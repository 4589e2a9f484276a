"""Consent wordings, as shown or spoken, versioned and never changed once published.

The first version of the four wordings is the manual's own appendix (文例 (1)-(4)), to the
letter. To change a wording, append a new version below and leave the old ones as they are:
evidence refers to them by version and SHA-256, and ``tests/unit/test_texts.py`` pins the
hash of every version ever published.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class TextId(StrEnum):
    """What a wording is for."""

    OPTIN_CHECKBOX = "optin_checkbox"
    NOTICE = "notice"
    PHONE_SCRIPT = "phone_script"
    UNSUBSCRIBE_NOTICE = "unsubscribe_notice"
    PURPOSE_OF_USE = "purpose_of_use"


class Language(StrEnum):
    """Languages a wording exists in; Japanese first."""

    JA = "ja"
    EN = "en"


@dataclass(frozen=True)
class Wording:
    """One version of a wording in one language: the exact words and their SHA-256."""

    text_id: TextId
    version: int
    language: Language
    text: str

    @cached_property
    def sha256(self) -> str:
        """Hex SHA-256 of the UTF-8 text: what an evidence record refers to."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def ref(self) -> str:
        """``optin_checkbox/1/ja``: the name by which evidence and forms refer to this wording."""
        return f"{self.text_id}/{self.version}/{self.language}"


@dataclass(frozen=True)
class ConsentText:
    """One published version of a wording in every language."""

    text_id: TextId
    version: int
    published: str
    ja: str
    en: str

    def wording(self, language: Language) -> Wording:
        """The words of this version in ``language``."""
        return Wording(
            self.text_id, self.version, language, self.ja if language is Language.JA else self.en
        )


PUBLISHED: tuple[ConsentText, ...] = (
    ConsentText(
        TextId.OPTIN_CHECKBOX,
        1,
        "2026-11-24",
        ja="当社からの情報(商品・サービス案内、イベント告知等)をメールで受け取ることに同意します。",
        en="I agree to receive information from the company (about products and services, "
        "events and the like) by e-mail.",
    ),
    ConsentText(
        TextId.NOTICE,
        1,
        "2026-11-24",
        ja="登録いただいたメールアドレス宛に、当社が提供するサービスや関連情報"
        "(セミナー情報、キャンペーン案内等)をお送りする場合がございます。",
        en="We may send information about our services and related matters (seminars, "
        "campaigns and the like) to the e-mail address you register.",
    ),
    ConsentText(
        TextId.PHONE_SCRIPT,
        1,
        "2026-11-24",
        ja="メールアドレスをお伺いしてもよろしいでしょうか? "
        "今後、当社から商品やサービスのご案内を差し上げることがございますが、よろしいですか?",
        en="May I ask for your e-mail address? We may send you information about our products "
        "and services from now on; is that all right?",
    ),
    ConsentText(
        TextId.UNSUBSCRIBE_NOTICE,
        1,
        "2026-11-24",
        ja="このメールの配信停止をご希望の場合は、以下のURLからお手続きいただくか、"
        "返信にてご連絡ください。",
        en="To stop receiving these e-mails, use the link below or reply to this message.",
    ),
    ConsentText(
        TextId.PURPOSE_OF_USE,
        1,
        "2026-11-24",
        ja="ご入力いただいた個人情報は、ご相談・お問い合わせへの対応、ならびに当社および"
        "自治体との連携事業に関する商品・サービス・イベントのご案内のために利用します。",
        en="We use the personal data you enter to answer your enquiry and to inform you about "
        "products, services and events of the company and of its projects with municipalities.",
    ),
)


_BY_KEY = {(text.text_id, text.version): text for text in PUBLISHED}
_LATEST = {text.text_id: text for text in sorted(PUBLISHED, key=lambda text: text.version)}


def current(text_id: TextId) -> ConsentText:
    """The newest published version of a wording."""
    return _LATEST[text_id]


def find(text_id: TextId, version: int) -> ConsentText | None:
    """Any version ever published, or None: an older one stays readable for ever."""
    return _BY_KEY.get((text_id, version))


def by_ref(ref: str) -> Wording | None:
    """The wording a reference like ``notice/1/en`` names, or None."""
    return _BY_REF.get(ref)


_BY_REF = {
    wording.ref: wording
    for text in PUBLISHED
    for wording in (text.wording(language) for language in Language)
}
