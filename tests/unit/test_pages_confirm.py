"""The pages on which a person confirms a request, read as a program reads HTML."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from shared import pages
from shared.domain.cases import CaseKind
from shared.pages import Lang
from shared.pages.strings import STRINGS, strings
from tests.unit.test_pages import COMPANY, read

UNTIL = datetime(2026, 11, 27, 8, 5, tzinfo=UTC)
AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
DUE = date(2026, 12, 4)
MASKED = "h***@***.jp"
FIRST = ("confirm_", "confirmed_", "already_confirmed_", "over_")


def confirm_page(
    what: str, language: Lang, *, by_itself: bool = False, masked: str = MASKED
) -> str:
    return pages.confirm_page(
        COMPANY,
        language=language,
        what=what,
        masked=masked,
        until=UNTIL,
        due=DUE,
        by_itself=by_itself,
    )


def confirmed_page(what: str, language: Lang, *, by_itself: bool = False) -> str:
    return pages.confirmed_page(COMPANY, language=language, what=what, due=DUE, by_itself=by_itself)


def every_confirm_page() -> Iterator[tuple[str, Lang, str]]:
    """Each page in each of its states and languages: (name, language, HTML)."""
    for language in Lang:
        for name, page in _pages(language):
            yield f"{name}-{language}", language, page


def _pages(language: Lang) -> Iterator[tuple[str, str]]:
    for what in pages.CONFIRMATIONS:
        yield f"confirm-{what}", confirm_page(what, language)
    for what in pages.CONFIRMATIONS:
        if what != pages.FILE:
            yield f"confirmed-{what}", confirmed_page(what, language)
    yield "confirm-erasure-by-itself", confirm_page(CaseKind.ERASURE, language, by_itself=True)
    yield "confirmed-erasure-by-itself", confirmed_page("erasure", language, by_itself=True)
    yield "confirm-nameless", confirm_page(CaseKind.STOP_USE, language, masked="")
    yield "already", pages.already_confirmed_page(COMPANY, language=language, at=AT)
    for code in pages.OVER:
        yield code, pages.link_over_page(COMPANY, language=language, code=code, at=AT)
    yield (
        "void-timeless",
        pages.link_over_page(COMPANY, language=language, code="link_void", at=None),
    )


ALL = [pytest.param(language, html, id=name) for name, language, html in every_confirm_page()]


@pytest.mark.parametrize(("language", "html"), ALL)
def test_a_page_is_whole_in_its_language_and_without_script(language: Lang, html: str) -> None:
    page = read(html)
    assert page.one("html")["lang"] == language
    name = COMPANY.name if language is Lang.JA else COMPANY.name_en
    assert page.one("title").text == f"{page.one('h1').text} | {name}"
    assert page.one("meta", name="robots")["content"] == "noindex"
    assert page.one("meta", name="referrer")["content"] == "same-origin"
    forbidden = {"script", "link", "img", "iframe", "object", "embed", "base"}
    assert not forbidden & {element.tag for element in page.elements}
    assert not [n for e in page.elements for n in e.attributes if n.startswith("on")]
    switch = page.one("a", class_="switch")
    assert switch["href"] == ("?lang=en" if language is Lang.JA else "?lang=ja")
    ids = [element["id"] for element in page.elements if "id" in element]
    assert len(set(ids)) == len(ids)
    for element in page.elements:
        assert set(element["aria-labelledby"].split()) <= set(ids)
    assert not re.search(r"\{\w*\}", page.one("main").text)
    japanese = re.search(r"[ぁ-ん]", page.one("main").text)
    assert bool(japanese) is (language is Lang.JA)


@pytest.mark.parametrize("language", Lang)
@pytest.mark.parametrize("what", pages.CONFIRMATIONS)
def test_one_button_says_what_it_does_and_until_when(what: str, language: Lang) -> None:
    page = read(confirm_page(what, language))
    t = strings(language)
    form = page.one("form")
    assert form["method"] == "post"
    assert "action" not in form
    button = page.one("button", class_="wide")
    assert button.text == t[f"confirm_{what}_button"]
    assert [(each["type"], each["name"]) for each in page.all("input")] == [("hidden", "lang")]
    assert page.one("dd", class_="address").text == MASKED
    main = page.one("main").text
    assert (COMPANY.name if language is Lang.JA else COMPANY.name_en) in main
    until = "2026年11月27日(金) 午後5時05分(日本時間)まで"
    assert (until if language is Lang.JA else "until Friday, 27 November 2026, 17:05") in main
    due = "2026年12月4日(金)までに" if language is Lang.JA else "by Friday, 4 December 2026"
    assert (due in main) is (what != pages.FILE)
    nothing = "何も変わりません" if language is Lang.JA else "othing changes"
    assert (nothing in main) or what == pages.FILE
    assert len(page.all("li")) >= 2


def test_an_erasure_says_who_decides_and_what_stays() -> None:
    asked, runs = (
        read(confirm_page("erasure", Lang.JA, by_itself=by_itself)).one("main").text
        for by_itself in (False, True)
    )
    for text in (asked, runs):
        assert "ご案内メールの配信を、すぐに停止します" in text
        assert "元に戻せません" in text
        assert "同意を証明するための記録" in text
    assert "担当者が確認したうえで" in asked
    assert "担当者が確認したうえで" not in runs
    done = read(confirmed_page("erasure", Lang.JA, by_itself=True)).one("main").text
    assert "ご案内メールの配信を停止しました" in done
    assert "担当者" not in done


@pytest.mark.parametrize("language", Lang)
@pytest.mark.parametrize("what", [each for each in pages.CONFIRMATIONS if each != pages.FILE])
def test_afterwards_it_says_what_happens_next_and_by_when(what: str, language: Lang) -> None:
    page = read(confirmed_page(what, language))
    assert page.one("h1").text == strings(language)["confirmed_title"]
    assert strings(language)[f"confirmed_{what}_1"] in page.one("main").text
    assert ("12月4日(金)までに" if language is Lang.JA else "4 December") in page.one("main").text
    assert not page.all("form")
    page.one("div", class_="banner success")


def test_a_link_used_before_says_when() -> None:
    page = read(pages.already_confirmed_page(COMPANY, language=Lang.JA, at=AT))
    assert "2026年11月25日(水) 午前0時00分(日本時間)に確認" in page.one("main").text
    assert not page.all("button")


@pytest.mark.parametrize("language", Lang)
@pytest.mark.parametrize("code", pages.OVER)
def test_a_link_that_is_over_says_why_and_what_to_do(code: str, language: Lang) -> None:
    page = read(pages.link_over_page(COMPANY, language=language, code=code, at=AT))
    main = page.one("main").text
    assert page.one("h1").text == strings(language)[f"over_{code}_title"]
    assert ("返信してお知らせください" if language is Lang.JA else "reply to the e-mail") in main
    page.one("div", class_="banner warning")
    assert not page.all("button")
    told = "午前0時00分" if language is Lang.JA else "00:00"
    assert (told in main) is (code in {"link_used", "link_expired"})


def test_no_sentence_is_never_shown() -> None:
    shown = [
        re.sub(r"\s+", " ", read(html).one("main").text) for _, _, html in every_confirm_page()
    ]
    for key in (key for key in STRINGS if key.startswith(FIRST)):
        for text in STRINGS[key]:
            pieces = [piece for piece, *_ in string.Formatter().parse(text) if piece]
            assert any(all(piece in page for piece in pieces) for page in shown), key


def test_every_kind_of_request_has_its_words() -> None:
    assert [*pages.CONFIRMATIONS] == [*CaseKind, "new_address", pages.FILE]
