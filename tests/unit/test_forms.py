"""Form definitions that would break the manual cannot be saved (A1, A4, A6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.errors import Unprocessable
from shared.domain.forms import RESERVED_FIELDS, ExtraField, Form, FormKind, check_form
from shared.texts.consent import TextId

CITY = Form(
    form_id="city-a",
    kind=FormKind.MUNICIPAL_LP,
    title_ja="A市 結婚相談",
    title_en="City A",
    consent_version=1,
    purpose_version=1,
    municipality="A市",
    allowed_origins=("https://www.city-a.example.jp",),
    thanks_url="https://www.city-a.example.jp/thanks?from=form",
    fields=(ExtraField("name", "お名前", "Name", required=True),),
)
PLAIN = Form("contact", FormKind.WEB_FORM, "お問い合わせ", "Contact", 1, 1)


def problems(form: Form) -> dict[str, str]:
    with pytest.raises(Unprocessable) as refused:
        check_form(form)
    for problem in refused.value.fields.values():
        assert problem.ja.endswith("。")
        assert problem.en.endswith(".")
    return {name: problem.code for name, problem in refused.value.fields.items()}


@pytest.mark.parametrize("form", [CITY, PLAIN], ids=["municipal_lp", "web_form"])
def test_sound_forms_are_returned_unchanged(form: Form) -> None:
    assert check_form(form) is form


def test_each_kind_carries_its_own_wording() -> None:
    """A1: the checkbox for a municipal form. A4: the notice for any other. A6: purpose."""
    assert CITY.consent.text_id is TextId.OPTIN_CHECKBOX
    assert PLAIN.consent.text_id is TextId.NOTICE
    assert CITY.purpose.text_id is PLAIN.purpose.text_id is TextId.PURPOSE_OF_USE


@pytest.mark.parametrize("version", [0, 2, -1])
def test_a_municipal_form_needs_the_checkbox_wording(version: int) -> None:
    """A1."""
    form = replace(CITY, consent_version=version)
    assert problems(form) == {"consent_version": "checkbox_wording_missing"}
    with pytest.raises(LookupError):
        _ = form.consent


def test_any_other_form_needs_the_notice() -> None:
    """A4."""
    assert problems(replace(PLAIN, consent_version=0)) == {"consent_version": "notice_missing"}


def test_no_form_without_a_purpose_of_use() -> None:
    """A6."""
    form = replace(PLAIN, purpose_version=0)
    assert problems(form) == {"purpose_version": "purpose_missing"}
    with pytest.raises(LookupError):
        _ = form.purpose


@pytest.mark.parametrize("name", ["", "  ", "　"])
def test_a_municipal_form_names_its_municipality(name: str) -> None:
    """A2."""
    assert problems(replace(CITY, municipality=name)) == {"municipality": "municipality_missing"}


@pytest.mark.parametrize(
    "form_id",
    ["", "ab", "A-city", "city_a", "city/a", "city a", "-city", "city-", "市役所", "a" * 65,
     "city-a\n", "../etc"],
)  # fmt: skip
def test_form_id(form_id: str) -> None:
    assert problems(replace(CITY, form_id=form_id)) == {"form_id": "form_id_format"}


@pytest.mark.parametrize("form_id", ["abc", "a" * 64, "0-9", "a--b"])
def test_sound_form_id(form_id: str) -> None:
    check_form(replace(CITY, form_id=form_id))


@pytest.mark.parametrize("title", ["", " ", "長" * 101])
def test_titles(title: str) -> None:
    assert problems(replace(CITY, title_ja=title)) == {"title_ja": "title_length"}
    assert problems(replace(CITY, title_en=title)) == {"title_en": "title_length"}


@pytest.mark.parametrize(
    "origin",
    ["https://a.example.jp", "https://a.example.jp:8443", "http://localhost:3000",
     "http://127.0.0.1:8000"],
)  # fmt: skip
def test_sound_origin(origin: str) -> None:
    check_form(replace(CITY, allowed_origins=(origin,)))


@pytest.mark.parametrize(
    "origin",
    ["", "*", "null", "a.example.jp", "http://a.example.jp", "https://", "https://a.example.jp/",
     "https://a.example.jp/form", "https://a.example.jp?x", "https://user@a.example.jp",
     "https://a.example.jp:99999", "https://[::1", "ftp://a.example.jp", "javascript:alert(1)",
     "http://localhost.evil.example", "http://localhost@evil.example",
     "https://a.example.jp#x", " https://a.example.jp", "https://A.example.jp", "https://市.jp",
     "https://a.example.jp\n", "https://a.example.jp;x", "https://a.jp 'unsafe-inline'"],
)  # fmt: skip
def test_unsound_origin(origin: str) -> None:
    form = replace(CITY, allowed_origins=("https://good.example.jp", origin))
    assert problems(form) == {"allowed_origins": "origin_format"}


@pytest.mark.parametrize(
    "url",
    ["http://a.example.jp/", "javascript:alert(1)", "//a.example.jp", "/thanks", "https://",
     "https://u:p@a.example.jp/", "data:text/html,x", "https://a.example.jp/\r\nSet-Cookie: a=b",
     "https://a.jp; script-src *", "https://a.example.jp/a b", "https://a.example.jp/完了"],
)  # fmt: skip
def test_unsound_thanks_url(url: str) -> None:
    assert problems(replace(CITY, thanks_url=url)) == {"thanks_url": "thanks_url_format"}


def test_thanks_url_is_optional_and_may_be_local() -> None:
    check_form(replace(CITY, thanks_url=""))
    check_form(replace(CITY, thanks_url="http://localhost:3000/thanks"))


@pytest.mark.parametrize(
    "fields",
    [
        *[(ExtraField(name, "名", "n"),) for name in sorted(RESERVED_FIELDS)],
        *[(ExtraField(n, "名", "n"),) for n in ("", "Name", "1st", "a-b", "名", "a" * 41, "a\n")],
        (ExtraField("a", "名", "n"), ExtraField("a", "他", "o")),
        (ExtraField("a", " ", "n"),),
        (ExtraField("a", "名", "n", max_length=0),),
        (ExtraField("a", "名", "n", max_length=2001),),
        tuple(ExtraField(f"f{n}", "名", "n") for n in range(21)),
    ],
)
def test_unsound_extra_fields(fields: tuple[ExtraField, ...]) -> None:
    assert problems(replace(PLAIN, fields=fields)) == {"fields": "fields_format"}


def test_every_problem_is_named_at_once() -> None:
    form = Form(
        "X", FormKind.MUNICIPAL_LP, "", "", 0, 0, "", ("*",), "x", (ExtraField("", "", ""),)
    )
    assert set(problems(form)) == {
        "form_id", "title_ja", "title_en", "consent_version", "purpose_version", "municipality",
        "allowed_origins", "thanks_url", "fields",
    }  # fmt: skip
