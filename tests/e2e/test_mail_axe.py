"""The HTML part in a real browser, as a mail program shows it: no script, no pictures loaded.

axe-core finds nothing in light and in dark, nothing scrolls sideways on the narrowest phone,
and the unsubscribe link is as large as a thumb.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.test_pages_axe import AXE
from tests.unit.test_compose import CAMPAIGN, COMPOSER, contact
from tests.unit.test_mail_markdown import LETTER

# A mail is shown inside the mail program's page, so rules about whole pages are not its own.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OF_PAGES = ["bypass", "region", "landmark-one-main", "page-has-heading-one"]
LONG = "https://example.jp/" + "とても長い住所" * 20
CAMPAIGNS = {
    "letter": replace(CAMPAIGN, body=LETTER.replace("![](", "![地図](")),
    "plain": replace(CAMPAIGN, body="{{name|ご担当者}} 様\n\nお知らせです。\n続き"),
    "wide": replace(
        CAMPAIGN,
        body=f"# {'x' * 300}\n\n<{LONG}>\n\n    {'y' * 300}\n\n`{'z' * 300}`\n\n"
        f"> > - - 1. {'w' * 99}",
    ),
}


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 375, "height": 700})
    page.route("**/*", lambda route: route.abort())  # nothing comes from outside
    yield page
    page.close()


def _show(page: Page, name: str, scheme: str = "light") -> Page:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_content(COMPOSER.compose(CAMPAIGNS[name], contact(), {"name": "山田 太郎"}).html)
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", CAMPAIGNS)
def test_axe_finds_nothing(tab: Page, name: str, scheme: str) -> None:
    if not AXE.is_file():
        pytest.skip("node_modules is not installed: make setup")
    page = _show(tab, name, scheme)
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(
        "([tags, off]) => axe.run({runOnly: tags,"
        " rules: Object.fromEntries(off.map(id => [id, {enabled: false}]))})"
        ".then(r => ({told: [...r.violations, ...r.incomplete], passed: r.passes.length}))",
        [RULES, OF_PAGES],
    )
    told = [
        (rule["id"], node["html"][:200], node["failureSummary"])
        for rule in found["told"]
        for node in rule["nodes"]
    ]
    assert told == []
    assert found["passed"] > 10


def test_dark_is_dark(tab: Page) -> None:
    """The style sheet that stays wins over the styles in the elements."""
    ground = "getComputedStyle(document.querySelector('.mail')).backgroundColor"
    link = "getComputedStyle(document.querySelector('.stop')).color"
    page = _show(tab, "letter")
    assert page.evaluate(f"[{ground}, {link}]") == ["rgb(255, 255, 255)", "rgb(0, 17, 143)"]
    page = _show(tab, "letter", "dark")
    assert page.evaluate(f"[{ground}, {link}]") == ["rgb(26, 26, 26)", "rgb(197, 215, 251)"]


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_nothing_scrolls_sideways_at_320_pixels(tab: Page, name: str) -> None:
    page = _show(tab, name)
    page.set_viewport_size({"width": 320, "height": 640})
    try:
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        # Some programs drop style sheets: then too.
        page.evaluate("document.querySelectorAll('style').forEach(e => e.remove())")
        assert page.evaluate("document.documentElement.scrollWidth") == 320
    finally:
        page.set_viewport_size({"width": 375, "height": 700})


def test_it_reads_without_pictures(tab: Page) -> None:
    """What a picture shows is said in words where it is not loaded."""
    page = _show(tab, "letter")
    assert page.get_by_role("img", name="会場").count() == 1
    assert page.get_by_role("article").get_attribute("aria-label") == CAMPAIGN.subject


@pytest.mark.parametrize("name", ["配信停止の手続きへ", "Unsubscribe"])
def test_the_unsubscribe_link_is_large_enough_for_a_thumb(tab: Page, name: str) -> None:
    box = _show(tab, "plain").get_by_role("link", name=name).bounding_box()
    assert box
    assert box["height"] >= 40
