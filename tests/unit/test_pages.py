"""The public pages, read as a program reads HTML; ``tests/e2e/test_pages_axe.py`` as people do."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import string
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import pages
from shared.domain.company import Company
from shared.domain.errors import FieldProblem
from shared.domain.events import UNSUBSCRIBE_REASONS
from shared.domain.forms import ExtraField, Form, FormKind
from shared.domain.intake import LIKELY_TYPO
from shared.pages import Lang
from shared.pages.strings import STRINGS
from shared.texts.consent import TextId, current

ROOT = Path(pages.__file__).parents[2]
TEMPLATES = Path(pages.__file__).parent / "templates"

COMPANY = Company(
    name="株式会社見本",
    name_en="Mihon Inc.",
    address="東京都千代田区丸の内1-2-3 見本ビル5階",
    contact="https://www.example.co.jp/contact",
)
MUNICIPAL = Form(
    form_id="akiya-soudan",
    kind=FormKind.MUNICIPAL_LP,
    title_ja="空き家の相談申し込み",
    title_en="Vacant house consultation",
    consent_version=1,
    purpose_version=1,
    municipality="見本市",
    allowed_origins=("https://www.city.mihon.example.jp",),
    fields=(
        ExtraField("name", "お名前", "Name", required=True),
        ExtraField("body", "ご相談の内容", "", max_length=1000),
    ),
)
WEB = Form(
    form_id="otoiawase",
    kind=FormKind.WEB_FORM,
    title_ja="お問い合わせ",
    title_en="Contact us",
    consent_version=1,
    purpose_version=1,
)
PROBLEMS = {
    "email": FieldProblem(
        "domain_typo",
        "メールアドレスの「@」より後ろ(gmial.com)をご確認ください。",
        "Please check the part after the @ (gmial.com).",
        "taro@gmail.com",
    ),
    "name": FieldProblem("required", "お名前を入力してください。", "Enter your name."),
    "opt_in": FieldProblem("opt_in_value", "もう一度お選びください。", "Please choose again."),
    "wording": FieldProblem("wording_unknown", "画面を開き直してください。", "Reload the page."),
}
ACTION = "https://api.example.jp/x/forms/akiya-soudan"


def every_page() -> Iterator[tuple[str, Lang, str]]:
    """Each page in each of its states and languages: (name, language, HTML)."""
    for language in Lang:
        for name, page in _pages(language):
            yield f"{name}-{language}", language, page


def _pages(language: Lang) -> Iterator[tuple[str, str]]:
    yield "form-municipal", form_page(MUNICIPAL, language)
    yield "form-web", form_page(WEB, language)
    yield (
        "form-errors",
        pages.form_page(
            MUNICIPAL,
            COMPANY,
            language=language,
            rendered_at="1764000000",
            values={"email": "taro@gmial.com", "body": "\n<b>家</b>\n2行目"},
            opt_in=True,
            problems=PROBLEMS,
        ),
    )
    yield (
        "form-notice",
        pages.form_page(
            WEB, COMPANY, language=language, rendered_at="1", notice="しばらくお待ちください。"
        ),
    )
    for form, status in (
        (MUNICIPAL, "opted_in"),
        (MUNICIPAL, "not_opted_in"),
        (WEB, "notified"),
    ):
        page = pages.thanks_page(form, COMPANY, language=language, status=status)
        yield f"thanks-{status}", page
    for form in (MUNICIPAL, WEB):
        page = pages.embed_page(form, COMPANY, language=language, action_url=ACTION)
        yield f"embed-{form.kind}", page
    yield "problem", problem_page(language)
    for already in (False, True):
        page = pages.unsubscribe_page(
            COMPANY, language=language, masked="t***o@gmail.com", already=already
        )
        yield f"unsubscribe-{already}", page
    yield "unsubscribed", unsubscribed_page(language)
    yield (
        "reason-noted",
        pages.unsubscribed_page(COMPANY, language=language, path="../TOKEN", reason_noted=True),
    )
    yield "resubscribed", pages.resubscribed_page(COMPANY, language=language)


def form_page(form: Form, language: Lang) -> str:
    return pages.form_page(form, COMPANY, language=language, rendered_at="1764000000")


def problem_page(language: Lang, status: int = 404) -> str:
    return pages.problem_page(
        COMPANY,
        language=language,
        status=status,
        title_ja="見つかりません",
        detail_ja="このフォームは見つかりませんでした。",
        detail_en="There is no such form.",
    )


def unsubscribed_page(language: Lang, path: str = "TOKEN") -> str:
    return pages.unsubscribed_page(COMPANY, language=language, path=path, reason_noted=False)


# ---- reading a page ----
VOID = {"br", "input", "meta", "path"}  # path: written with a slash, in SVG


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    ancestors: tuple[str, ...]
    text: str = ""

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name) or ""

    def __contains__(self, name: str) -> bool:
        return name in self.attributes


@dataclass
class Page(HTMLParser):
    """A strict reader: every element is closed, in order."""

    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"attribute twice: {tag} {names}"
        element = Element(tag, dict(attrs), tuple(each.tag for each in self.open))
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> of nothing"
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        return [
            element
            for element in self.elements
            if tag in {"", element.tag}
            and all(element[name.rstrip("_")] == value for name, value in attributes.items())
        ]

    def one(self, tag: str = "", **attributes: str) -> Element:
        found = self.all(tag, **attributes)
        assert len(found) == 1, (tag, attributes, found)
        return found[0]


def read(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    assert not page.open, [element.tag for element in page.open]
    return page


ALL = [pytest.param(language, html, id=name) for name, language, html in every_page()]


# ---- every page ----
@pytest.mark.parametrize(("language", "html"), ALL)
def test_a_page_is_whole_and_says_who_sends(language: Lang, html: str) -> None:
    page = read(html)
    assert html.startswith("<!DOCTYPE html>\n")
    assert page.one("html")["lang"] == language
    name = COMPANY.name if language is Lang.JA else COMPANY.name_en
    assert page.one("title").text.endswith(f" | {name}")
    assert page.one("h1").text.strip()
    for landmark in ("header", "main", "footer"):
        page.one(landmark)
    skip = page.all("a")[0]
    assert skip["href"] == f"#{page.one('main')['id']}"
    footer = page.one("footer").text
    assert name in footer
    assert COMPANY.address in footer
    assert COMPANY.contact in footer


@pytest.mark.parametrize(("language", "html"), ALL)
def test_every_reference_in_a_page_has_its_target(language: Lang, html: str) -> None:
    page = read(html)
    ids = [element["id"] for element in page.elements if "id" in element]
    assert len(set(ids)) == len(ids)
    for element in page.elements:
        for name in ("for", "aria-describedby", "aria-labelledby"):
            assert set(element[name].split()) <= set(ids), (element.tag, element[name])
        if element["href"].startswith("#"):
            assert element["href"][1:] in ids


@pytest.mark.parametrize(("language", "html"), ALL)
def test_a_page_needs_no_script_and_loads_nothing(language: Lang, html: str) -> None:
    page = read(html)
    forbidden = {"script", "link", "img", "iframe", "object", "embed", "base"}
    assert not forbidden & {element.tag for element in page.elements}
    for element in page.elements:
        names = set(element.attributes)
        assert not {"style", "src", "srcset", "autofocus", "target"} & names
        assert not [name for name in names if name.startswith("on")]
    assert not re.search(r"url\(|@import", page.one("style").text)


@pytest.mark.parametrize(("language", "html"), ALL)
def test_the_style_hash_is_the_hash_of_the_one_style_sheet(language: Lang, html: str) -> None:
    text = html.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert pages.style_hash() == f"'sha256-{digest}'"


@pytest.mark.parametrize(("language", "html"), ALL)
def test_links_and_forms_work_behind_any_path_prefix(language: Lang, html: str) -> None:
    page = read(html)
    outside = {COMPANY.contact, ACTION}
    targets = [element["href"] or element["action"] for element in page.elements]
    assert not [each for each in targets if each not in outside and re.match(r"/|\w+:", each)]


@pytest.mark.parametrize(("language", "html"), ALL)
def test_no_box_or_choice_is_made_for_the_person(language: Lang, html: str) -> None:
    chosen = [element for element in read(html).elements if "checked" in element]
    kept = "<b>" in unescape(html)  # the one state in which the person ticked the box before
    assert len(chosen) == int(kept)


def test_the_other_language_is_one_link_away() -> None:
    for form in (MUNICIPAL, WEB):
        link = read(form_page(form, Lang.JA)).one("a", class_="switch")
        assert (link["href"], link["hreflang"], link["lang"]) == ("?lang=en", "en", "en")
    back = read(form_page(WEB, Lang.EN)).one("a", class_="switch")
    assert (back["href"], back.text) == ("?lang=ja", "日本語")
    thanks = pages.thanks_page(WEB, COMPANY, language=Lang.JA, status="notified")
    assert read(thanks).one("a", class_="switch")["href"] == "?status=notified&lang=en"


# ---- the form ----
@pytest.mark.parametrize("language", Lang)
def test_a_municipal_form_posts_the_contracts_fields(language: Lang) -> None:
    page = read(form_page(MUNICIPAL, language))
    form = page.one("form")
    assert form["method"] == "post"
    assert "action" not in form
    posted = {element["name"] for element in page.elements if "name" in element}
    extra = {"name", "body"}
    assert posted - {"viewport", "robots", "referrer"} == extra | {
        "email",
        "opt_in",
        "lang",
        "wording",
        "rendered_at",
        "website",
    }
    assert page.one("input", name="lang")["value"] == language
    assert page.one("input", name="wording")["value"] == f"optin_checkbox/1/{language}"
    assert page.one("input", name="rendered_at")["value"] == "1764000000"
    box = page.one("input", name="opt_in")
    assert (box["type"], box["value"]) == ("checkbox", "on")
    assert "required" not in box
    assert "required" not in page.one("textarea", name="body")
    assert page.one("input", name="name")["autocomplete"] == "name"


def test_the_address_is_a_text_field_that_takes_what_people_type() -> None:
    email = read(form_page(WEB, Lang.JA)).one("input", name="email")
    assert email["type"] == "text"
    assert (email["inputmode"], email["autocomplete"]) == ("email", "email")
    assert "required" in email


def test_the_honeypot_is_out_of_sight_and_out_of_reach() -> None:
    page = read(form_page(WEB, Lang.JA))
    trap = page.one("input", name="website")
    assert (trap["type"], trap["tabindex"], trap["autocomplete"]) == ("text", "-1", "off")
    assert page.one("div", class_="trap")["aria-hidden"] == "true"
    assert "入力しない" in page.one("label", for_="website").text


@pytest.mark.parametrize("language", Lang)
@pytest.mark.parametrize("form", [MUNICIPAL, WEB], ids=lambda form: str(form.kind))
def test_the_wordings_stand_in_the_form_to_the_letter(form: Form, language: Lang) -> None:
    page = read(form_page(form, language))
    wording = form.consent.wording(language).text
    if form.kind is FormKind.MUNICIPAL_LP:
        assert page.one("label", class_="choice").text.strip() == wording
    else:
        assert wording in page.one("section", class_="panel consent").text
        assert not page.all("input", type="checkbox")
        assert page.one("input", name="wording")["value"] == f"notice/1/{language}"
    assert form.purpose.wording(language).text in page.one("main").text


def test_the_box_says_that_it_is_optional() -> None:
    assert "チェックしなくても送信できます" in read(form_page(MUNICIPAL, Lang.JA)).one("main").text
    english = read(form_page(MUNICIPAL, Lang.EN)).one("main").text
    assert "without ticking" in english


def test_a_missing_english_label_is_japanese_and_says_so() -> None:
    page = read(form_page(MUNICIPAL, Lang.EN))
    assert [each.text for each in page.all("span", lang="ja")] == ["見本市", "ご相談の内容"]


@pytest.mark.parametrize("language", Lang)
def test_after_an_error_the_form_keeps_the_entries_and_names_each_mistake(language: Lang) -> None:
    html = {name: html for name, _, html in every_page()}[f"form-errors-{language}"]
    page = read(html)
    assert page.one("title").text.startswith(("エラー: ", "Error: "))
    summary = page.one("section", role="alert")
    links = [each["href"] for each in page.all("a") if "section" in each.ancestors]
    assert links == ["#f-name", "#f-email", "#f-opt_in"]
    for problem in PROBLEMS.values():
        assert (problem.ja if language is Lang.JA else problem.en) in summary.text
    email = page.one("input", name="email")
    assert email["value"] == "taro@gmial.com"
    assert email["aria-invalid"] == "true"
    assert "f-email-error" in email["aria-describedby"].split()
    beside = page.one(id="f-email-error").text
    assert "taro@gmail.com" in beside
    assert page.one("textarea", name="body").text == "\n\n<b>家</b>\n2行目"  # HTML drops the first
    assert "checked" in page.one("input", name="opt_in")
    assert "aria-invalid" not in page.one("textarea", name="body")


def test_a_mistake_in_a_field_the_page_does_not_show_is_told_without_a_link() -> None:
    html = pages.form_page(
        WEB,
        COMPANY,
        language=Lang.JA,
        rendered_at="1",
        problems={"opt_in": PROBLEMS["opt_in"]},
    )
    page = read(html)
    assert PROBLEMS["opt_in"].ja in page.one("section", role="alert").text
    assert not [each for each in page.all("a") if each["href"] == "#f-opt_in"]


def test_a_notice_stands_at_the_top() -> None:
    html = pages.form_page(
        WEB, COMPANY, language=Lang.JA, rendered_at="1", notice="しばらくお待ちください。"
    )
    assert "しばらくお待ちください。" in read(html).one("section", role="alert").text


# ---- thanks ----
@pytest.mark.parametrize("language", Lang)
@pytest.mark.parametrize("status", pages.STATUSES)
def test_the_thanks_page_shows_the_consent_state_and_the_words(status: str, language: Lang) -> None:
    form = WEB if status == "notified" else MUNICIPAL
    page = read(pages.thanks_page(form, COMPANY, language=language, status=status))
    column = 0 if language is Lang.JA else 1
    assert STRINGS[f"state_{status}"][column] in page.one("h2", id="state").text
    assert page.one("blockquote").text == form.consent.wording(language).text
    assert page.all("li")


def test_an_unknown_status_is_no_page() -> None:
    with pytest.raises(ValueError, match="subscribed"):
        pages.thanks_page(WEB, COMPANY, language=Lang.JA, status="subscribed")


# ---- embedding ----
@pytest.mark.parametrize("language", Lang)
@pytest.mark.parametrize("form", [MUNICIPAL, WEB], ids=lambda form: str(form.kind))
def test_the_snippet_is_the_same_form_in_plain_html(form: Form, language: Lang) -> None:
    snippet = pages.embed_snippet(form, language=language, action_url=ACTION, company=COMPANY)
    page = read(snippet)
    target = page.one("form")
    assert (target["method"], target["action"]) == ("post", ACTION)
    assert target["accept-charset"] == "UTF-8"
    hosted = read(form_page(form, language))
    names = [{each["name"] for each in p.all() if "form" in each.ancestors} for p in (page, hosted)]
    assert names[0] == names[1] - {"rendered_at", "website"}
    assert page.one("input", name="wording")["value"] == form.consent.wording(language).ref
    assert form.consent.wording(language).text in target.text
    assert form.purpose.wording(language).text in target.text
    assert (COMPANY.name if language is Lang.JA else COMPANY.name_en) in target.text
    for box in page.all("input", type="checkbox"):
        assert "checked" not in box
        assert "required" not in box
    assert not [each for each in page.elements if "class" in each or "style" in each]


def test_the_snippet_alone_names_no_company() -> None:
    snippet = pages.embed_snippet(WEB, language=Lang.JA, action_url=ACTION)
    assert "「当社」とは" not in snippet


def test_the_embed_page_shows_the_snippet_to_copy_and_an_inert_preview() -> None:
    html = pages.embed_page(MUNICIPAL, COMPANY, language=Lang.JA, action_url=ACTION)
    page = read(html)
    snippet = pages.embed_snippet(MUNICIPAL, language=Lang.JA, action_url=ACTION, company=COMPANY)
    assert page.one("pre").text == snippet
    preview = page.one("div", class_="preview")
    assert "inert" in preview
    assert snippet in html
    assert MUNICIPAL.allowed_origins[0] in page.one("main").text
    assert page.all("a", href="../akiya-soudan?lang=ja")


def test_a_form_without_origins_says_that_none_is_registered() -> None:
    html = pages.embed_page(WEB, COMPANY, language=Lang.JA, action_url=ACTION)
    assert "まだ登録がありません" in html


# ---- problems ----
def test_a_problem_is_told_in_both_languages_own_language_first() -> None:
    page = read(problem_page(Lang.JA))
    assert page.one("h1").text == "見つかりません"
    assert page.one("section", lang="en").text.split("\n")[1].strip() == "Not Found"
    page = read(problem_page(Lang.EN))
    assert page.one("h1").text == "Not Found"
    assert "見つかりませんでした" in page.one("section", lang="ja").text
    assert not page.all("a", class_="switch")


def test_a_status_without_a_name_is_an_error() -> None:
    assert read(problem_page(Lang.EN, status=599)).one("h1").text == "Error"


# ---- unsubscribe ----
def test_the_unsubscribe_page_is_one_button_and_one_masked_address() -> None:
    html = pages.unsubscribe_page(COMPANY, language=Lang.JA, masked="t***@x.jp", already=False)
    page = read(html)
    form = page.one("form")
    assert form["method"] == "post"
    assert "action" not in form
    assert page.one("button").text == "配信を停止する"
    assert [each["name"] for each in page.all("input")] == ["lang"]
    assert page.one("dd", class_="address").text == "t***@x.jp"
    assert COMPANY.name in page.one("main").text


def test_without_an_address_to_show_the_unsubscribe_page_still_works() -> None:
    page = read(pages.unsubscribe_page(COMPANY, language=Lang.JA, masked="", already=True))
    assert not page.one("main").text.count("*")
    assert page.one("button").text == "もう一度停止する"


@pytest.mark.parametrize("path", ["TOKEN", "../TOKEN"])
def test_after_unsubscribing_a_reason_and_an_undo_are_offered(path: str) -> None:
    page = read(unsubscribed_page(Lang.JA, path))
    assert [each["action"] for each in page.all("form")] == [f"{path}/reason", f"{path}/undo"]
    assert page.one("a", class_="switch")["href"] == f"{path}?lang=en"
    assert [each["value"] for each in page.all("input", type="radio")] == [*UNSUBSCRIBE_REASONS]
    box = page.one("input", name="opt_in")
    assert "required" in box
    assert "checked" not in box
    wording = current(TextId.OPTIN_CHECKBOX).wording(Lang.JA)
    assert page.one("input", name="wording")["value"] == wording.ref
    assert wording.text in [each.text.strip() for each in page.all("label", class_="choice")]


def test_a_noted_reason_is_not_asked_for_again() -> None:
    html = pages.unsubscribed_page(COMPANY, language=Lang.JA, path="../T", reason_noted=True)
    page = read(html)
    assert [each["action"] for each in page.all("form")] == ["../T/undo"]
    assert "ありがとうございました" in page.one("main").text


def test_starting_again_is_confirmed_in_both_languages() -> None:
    page = read(pages.resubscribed_page(COMPANY, language=Lang.JA))
    assert COMPANY.name in page.one("div", lang="ja").text
    assert COMPANY.name_en in page.one("div", lang="en").text


# ---- nothing anybody enters becomes markup ----
@given(text=st.text(st.sampled_from("<>&\"'/=-\n {}%#!aあ")))
def test_what_people_enter_stays_text(text: str) -> None:
    hostile = FieldProblem("x", text, text, text)
    company = Company(text, text, text, text)
    form = replace(
        MUNICIPAL,
        title_ja=text,
        municipality=text or "市",
        allowed_origins=(text,),
        fields=(ExtraField("name", text, text), ExtraField("body", text, text, max_length=999)),
    )
    page = read(
        pages.form_page(
            form,
            company,
            language=Lang.JA,
            rendered_at=text,
            values={"email": text, "name": text, "body": text},
            problems={"email": hostile, "name": hostile, "body": hostile, "opt_in": hostile},
            notice=text,
        )
    )
    assert page.one("input", name="email")["value"] == text
    assert page.one("textarea", name="body").text == "\n" + text
    assert page.one("h1").text == text
    read(pages.embed_page(form, company, language=Lang.JA, action_url=text))
    read(pages.thanks_page(form, company, language=Lang.JA, status="opted_in"))
    page = read(pages.unsubscribe_page(company, language=Lang.JA, masked=text, already=False))
    assert text in page.one("main").text


@pytest.mark.parametrize(
    ("contact", "href"),
    [
        ("https://www.example.co.jp/contact", "https://www.example.co.jp/contact"),
        ("info@example.co.jp", "mailto:info@example.co.jp"),
        ("03-1234-5678", "tel:0312345678"),
        ("javascript:alert(1)", ""),
        ("お客様窓口 03-1234-5678(平日9時〜17時)", ""),
    ],
)
def test_a_contact_is_a_link_where_it_is_one_thing(contact: str, href: str) -> None:
    html = pages.resubscribed_page(replace(COMPANY, contact=contact), language=Lang.JA)
    links = [each["href"] for each in read(html).all("a") if "footer" in each.ancestors]
    assert links == ([href] if href else [])


# ---- words and looks ----
def test_every_sentence_exists_in_both_languages_with_the_same_places() -> None:
    for key, (japanese, english) in STRINGS.items():
        assert japanese.strip(), key
        assert english.strip(), key
        places = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name}
            for text in (japanese, english)
        ]
        assert places[0] == places[1], key


def test_sentences_stand_in_one_place_and_each_is_used() -> None:
    sources = {path.name: path.read_text("utf-8") for path in TEMPLATES.glob("*.html")}
    sources["__init__.py"] = Path(pages.__file__).read_text("utf-8")
    for name, text in sources.items():
        if name.endswith(".html"):
            bare = re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)
            assert not re.search(r"[ぁ-んァ-ヶ一-龠]", bare), name
    everything = "\n".join(sources.values())
    # By status or code; the pages of test_pages_confirm show each of the last four.
    built = (
        "state_",
        "wording_",
        "next_",
        "reason_",
        "confirm_",
        "confirmed_",
        "already_confirmed_",
        "over_",
    )
    unused = [
        key
        for key in STRINGS
        if not re.search(rf"\b{key}\b", everything) and not key.startswith(built)
    ]
    assert not unused


def test_importing_the_pages_does_not_import_jinja() -> None:
    code = "import sys, shared.pages; sys.exit('jinja2' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_design_tokens_are_those_of_the_package() -> None:
    package = ROOT / "node_modules/@digital-go-jp/design-tokens"
    if not package.is_dir():
        pytest.skip("node_modules is not installed: make setup")
    assert json.loads((package / "package.json").read_text())["name"].endswith("design-tokens")
    declared = re.compile(r"(--(?:color|font|line|border)-[\w-]+):\s*([^;]+);")
    theirs = dict(declared.findall((package / "dist/tokens.css").read_text("utf-8")))
    ours = dict(declared.findall((TEMPLATES.parent / "style.css").read_text("utf-8")))
    assert ours
    assert ours == {name: theirs.get(name) for name in ours}


def test_the_style_sheet_names_its_tokens_and_uses_each() -> None:
    css = (TEMPLATES.parent / "style.css").read_text("utf-8")
    declared = set(re.findall(r"^\s*(--[\w-]+):", css, flags=re.MULTILINE))
    assert set(re.findall(r"var\((--[\w-]+)\)", css)) == declared


def test_a_likely_slip_is_asked_about_and_can_be_confirmed_by_sending_again() -> None:
    slip = {"email": FieldProblem(LIKELY_TYPO, "ご確認ください。", "Please check.", "a@gmail.com")}
    asked = pages.form_page(
        MUNICIPAL,
        COMPANY,
        language=Lang.JA,
        rendered_at="",
        values={"email": "a@gmial.com"},
        problems=slip,
    )
    assert 'name="confirmed_email" value="a@gmial.com"' in asked
    assert "a@gmail.com" in asked
    plain = pages.form_page(
        MUNICIPAL, COMPANY, language=Lang.JA, rendered_at="", values={"email": "a@gmial.com"}
    )
    assert "confirmed_email" not in plain
