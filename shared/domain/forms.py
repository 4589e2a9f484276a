"""Form definitions: which fields a form has and which wording it shows (manual A1, A4, A6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from shared.domain.errors import FieldProblem, Unprocessable
from shared.texts import consent
from shared.texts.consent import ConsentText, TextId


class FormKind(StrEnum):
    """Which clause of the manual a form falls under."""

    MUNICIPAL_LP = "municipal_lp"  # A1: checkbox required
    WEB_FORM = "web_form"  # A4: notice, no checkbox


@dataclass(frozen=True, slots=True)
class ExtraField:
    """A further field the form asks for. ``name`` is posted, labels are shown."""

    name: str
    label_ja: str
    label_en: str
    required: bool = False
    max_length: int = 200


@dataclass(frozen=True, slots=True)
class Form:
    """One published form.

    ``consent_version`` is the version of the wording the form carries: of the opt-in
    checkbox for a municipal form, of the notice for any other. ``allowed_origins`` are the
    web origins (``https://www.city.example.jp``) whose pages may post to it by script or form.
    """

    form_id: str
    kind: FormKind
    title_ja: str
    title_en: str
    consent_version: int
    purpose_version: int
    municipality: str = ""
    allowed_origins: tuple[str, ...] = ()
    thanks_url: str = ""
    fields: tuple[ExtraField, ...] = field(default=())

    @property
    def consent_id(self) -> TextId:
        """Which wording this kind of form must show."""
        return TextId.OPTIN_CHECKBOX if self.kind is FormKind.MUNICIPAL_LP else TextId.NOTICE

    @property
    def consent(self) -> ConsentText:
        """The wording the form shows; its version was checked when the form was saved."""
        return _published(self.consent_id, self.consent_version)

    @property
    def purpose(self) -> ConsentText:
        """The purpose of use the form shows (manual A6)."""
        return _published(TextId.PURPOSE_OF_USE, self.purpose_version)


RESERVED_FIELDS = frozenset(
    {"email", "opt_in", "lang", "wording", "page_url", "rendered_at", "website", "confirmed_email"}
)
_FORM_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,62}[a-z0-9]")
# What may stand in a Location or Content-Security-Policy header, and what browsers send as Origin.
_URL = re.compile(r"[!-~]+")
_HOST = re.compile(r"[a-z0-9.-]+(:[0-9]+)?", re.IGNORECASE)
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MAX_FIELDS = 20
_MAX_FIELD_LENGTH = 2000
_MAX_TITLE = 100


def is_form_id(text: str) -> bool:
    """Whether a form could have this id."""
    return _FORM_ID.fullmatch(text) is not None


def check_form(form: Form) -> Form:
    """Refuse a definition that would break the manual; return it unchanged otherwise.

    Raises:
        Unprocessable: naming each wrong field. A municipal form whose checkbox wording is
            not a published one cannot be saved (A1), nor any form without purpose and
            notice (A6).
    """
    problems = dict(_problems(form))
    if problems:
        raise Unprocessable(problems)
    return form


def _problems(form: Form) -> Mapping[str, FieldProblem]:
    found: dict[str, FieldProblem] = {}
    if not is_form_id(form.form_id):
        found["form_id"] = FieldProblem(
            "form_id_format",
            "フォームIDは半角の英小文字・数字・ハイフンで、3〜64文字にしてください。",
            "Use 3 to 64 lower-case letters, digits and hyphens.",
        )
    for name, title in (("title_ja", form.title_ja), ("title_en", form.title_en)):
        if not title.strip() or len(title) > _MAX_TITLE:
            found[name] = FieldProblem(
                "title_length",
                f"見出しを1〜{_MAX_TITLE}文字で入力してください。",
                f"Enter a title of 1 to {_MAX_TITLE} characters.",
            )
    if consent.find(form.consent_id, form.consent_version) is None:
        found["consent_version"] = _missing_wording(form)
    if consent.find(TextId.PURPOSE_OF_USE, form.purpose_version) is None:
        found["purpose_version"] = FieldProblem(
            "purpose_missing",
            "利用目的の文言がないフォームは公開できません(マニュアル A6)。",
            "A form cannot be published without a purpose of use (manual A6).",
        )
    if form.kind is FormKind.MUNICIPAL_LP and not form.municipality.strip():
        found["municipality"] = FieldProblem(
            "municipality_missing",
            "自治体LPには自治体名が必要です。",
            "A municipal form needs the municipality's name.",
        )
    if any(not _is_origin(origin) for origin in form.allowed_origins):
        found["allowed_origins"] = FieldProblem(
            "origin_format",
            "許可するサイトは「https://www.city.example.jp」の形で入力してください。",
            "Give allowed origins like https://www.city.example.jp.",
        )
    if form.thanks_url and not _is_https_url(form.thanks_url):
        found["thanks_url"] = FieldProblem(
            "thanks_url_format",
            "完了ページのURLは https:// で始まる半角のものにしてください。",
            "The thanks page must be an https:// address in ASCII.",
        )
    if not _fields_are_sound(form.fields):
        found["fields"] = FieldProblem(
            "fields_format",
            "追加項目の名前は半角英小文字で始め、重複や予約名(email、opt_in など)を避け、"
            f"{_MAX_FIELDS}個までにしてください。",
            "Extra field names start with a lower-case letter, are unique, not reserved, "
            f"and at most {_MAX_FIELDS}.",
        )
    return found


def _missing_wording(form: Form) -> FieldProblem:
    if form.kind is FormKind.MUNICIPAL_LP:
        return FieldProblem(
            "checkbox_wording_missing",
            "自治体LPは、オプトインのチェックボックスの文言がないと保存できません(マニュアル A1)。",
            "A municipal form cannot be saved without the opt-in checkbox wording (manual A1).",
        )
    return FieldProblem(
        "notice_missing",
        "「当社から案内をお送りする場合がある」旨の文言がないフォームは"
        "保存できません(マニュアル A4)。",
        "A form cannot be saved without the notice (manual A4).",
    )


def _fields_are_sound(fields: tuple[ExtraField, ...]) -> bool:
    names = [extra.name for extra in fields]
    return (
        len(names) <= _MAX_FIELDS
        and len(set(names)) == len(names)
        and not RESERVED_FIELDS.intersection(names)
        and all(_FIELD_NAME.fullmatch(name) for name in names)
        and all(0 < extra.max_length <= _MAX_FIELD_LENGTH for extra in fields)
        and all(extra.label_ja.strip() for extra in fields)
    )


def _is_origin(text: str) -> bool:
    parts = _split(text)
    return (
        parts is not None
        and (parts[0] == "https" or _is_loopback(parts[1]))
        and text == f"{parts[0]}://{parts[1]}".lower()
    )


def _is_https_url(text: str) -> bool:
    parts = _split(text)
    return parts is not None and (parts[0] == "https" or _is_loopback(parts[1]))


def _split(text: str) -> tuple[str, str] | None:
    """(scheme, host[:port]) of an http(s) URL in plain ASCII without credentials, else None."""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return None
    if url.scheme not in {"http", "https"} or not _HOST.fullmatch(url.netloc):
        return None
    if not _URL.fullmatch(text):
        return None
    return url.scheme, url.netloc


def _is_loopback(netloc: str) -> bool:
    """A municipality's developer tries the form on their own machine, over http."""
    return netloc.split(":", maxsplit=1)[0] in {"localhost", "127.0.0.1"}


def _published(text_id: TextId, version: int) -> ConsentText:
    text = consent.find(text_id, version)
    if text is None:
        raise LookupError(f"no published wording {text_id}/{version}")
    return text
