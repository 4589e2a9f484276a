"""What a person gets who asked for something, in a real browser: the mails, and the pages behind
their links. axe-core finds nothing, nothing scrolls sideways on the narrowest phone, one press of
one large button does it, without a script.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from shared import pages
from shared.mail.replies import WITH_LINK, ReplyKind
from shared.pages import Lang
from shared.pages.strings import STRINGS
from tests.e2e.browsing import complaints
from tests.e2e.product import Product
from tests.e2e.test_mail_axe import OF_PAGES
from tests.e2e.test_pages_axe import RULES, Site
from tests.unit.test_pages_confirm import confirm_page, every_confirm_page
from tests.unit.test_replies import LINK, made

PAGES = [pytest.param(html, id=name) for name, _, html in every_confirm_page()]
MAILS = [
    pytest.param(made(kind, language).html, id=f"{kind}-{language}")
    for kind in ReplyKind
    for language in Lang
]
WIDTH = "document.documentElement.scrollWidth"


@pytest.fixture(scope="module")
def phone(browser: Browser) -> Iterator[Site]:
    """The narrowest phone."""
    page = browser.new_page(viewport={"width": 320, "height": 640})
    yield Site(page)
    page.close()


@pytest.fixture(scope="module")
def letter(browser: Browser) -> Iterator[Page]:
    """Where a mail is read; nothing comes from outside."""
    page = browser.new_page(viewport={"width": 320, "height": 640})
    page.route("**/*", lambda route: route.abort())
    yield page
    page.close()


@pytest.fixture
def plain(browser: Browser) -> Iterator[Site]:
    """A fresh tab in which JavaScript is off."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 375, "height": 700})
    yield Site(context.new_page())
    context.close()


# ---- the pages ----
@pytest.mark.parametrize("html", PAGES)
def test_axe_finds_nothing_and_the_policy_lets_the_page_be(phone: Site, html: str) -> None:
    phone.complaints.clear()
    page = phone.show(html, "/stage/v/TOKEN")
    assert complaints(page) == []
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == (
        "rgb(26, 26, 26)"
    )
    assert phone.complaints == []


@pytest.mark.parametrize("html", PAGES)
def test_nothing_scrolls_sideways_at_320_pixels(phone: Site, html: str) -> None:
    page = phone.show(html, "/stage/v/TOKEN")
    assert page.evaluate(WIDTH) == 320
    # WCAG 1.4.12: people may space text out.
    page.evaluate(
        "for (const e of document.body.querySelectorAll('*')) { e.style.lineHeight = '1.5';"
        " e.style.letterSpacing = '0.12em'; e.style.wordSpacing = '0.16em' }"
    )
    assert page.evaluate(WIDTH) == 320


@pytest.mark.parametrize("language", Lang)
@pytest.mark.parametrize("what", pages.CONFIRMATIONS)
def test_confirming_is_one_press_of_one_large_button(
    plain: Site, what: str, language: Lang
) -> None:
    page = plain.show(confirm_page(what, language), "/stage/v/TOKEN?lang=x")
    label = STRINGS[f"confirm_{what}_button"][0 if language is Lang.JA else 1]
    button = page.get_by_role("button", name=label)
    expect(button).to_have_count(1)
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 64
    assert box["width"] >= 300
    assert plain.posts == []
    with page.expect_navigation():
        button.press("Enter")
    assert plain.posts == [("/stage/v/TOKEN?lang=x", {"lang": str(language)})]


def test_the_other_language_is_one_press_away(plain: Site) -> None:
    page = plain.show(confirm_page("erasure", Lang.JA), "/stage/v/TOKEN")
    with page.expect_navigation():
        page.get_by_role("link", name="English").click()
    assert page.url.endswith("/stage/v/TOKEN?lang=en")


# ---- the mails ----
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("html", MAILS)
def test_axe_finds_nothing_in_the_mail(letter: Page, html: str, scheme: str) -> None:
    letter.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    letter.set_content(html)
    assert [told for told in complaints(letter, RULES) if told[0] not in OF_PAGES] == []
    assert letter.evaluate(WIDTH) == 320


@pytest.mark.parametrize("kind", sorted(WITH_LINK))
def test_the_mails_button_is_as_large_as_a_thumb_and_leads_to_the_page(
    letter: Page, kind: ReplyKind
) -> None:
    letter.set_content(made(kind).html)
    button = letter.locator(".button")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 48
    assert button.get_attribute("href") == LINK


# ---- as it is served ----
@pytest.mark.e2e
@pytest.mark.parametrize("lang", ["ja", "en"])
def test_a_broken_link_is_explained(product: Product, browser: Browser, lang: str) -> None:
    page = browser.new_page(locale="ja-JP", viewport={"width": 320, "height": 640})
    answer = page.goto(f"{product.stack['public_url']}/v/cut-off?lang={lang}")
    assert answer is not None
    assert answer.status == 404
    assert answer.headers["cache-control"] == "no-store"
    assert complaints(page) == []
    assert page.evaluate(WIDTH) == 320
    page.close()
