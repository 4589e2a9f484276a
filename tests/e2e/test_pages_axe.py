"""The public pages in a real browser, under the policy they are served with.

axe-core finds nothing; nothing scrolls sideways on the narrowest phone; every job can be done
with the keyboard alone and without JavaScript, behind any path prefix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, expect

from shared import pages
from shared.pages import Lang
from tests.unit.test_pages import (
    COMPANY,
    MUNICIPAL,
    PROBLEMS,
    every_page,
    form_page,
    unsubscribed_page,
)

ROOT = Path(pages.__file__).parents[2]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
SITE = "http://pages.test"
POLICY = (
    f"default-src 'none'; style-src {pages.style_hash()}; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALL = [pytest.param(html, id=name) for name, _, html in every_page()]


@dataclass
class Site:
    """A browser tab and the one page it is served, whatever the address; posts are kept."""

    page: Page
    html: str = ""
    posts: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.route("**/*", self._answer)
        self.page.on("console", self._console)

    def show(self, html: str, path: str = "/forms/x") -> Page:
        self.html = html
        self.page.goto(SITE + path)
        return self.page

    def _answer(self, route: Route) -> None:
        request = route.request
        if request.method == "POST":
            sent = dict(
                parse_qsl(request.post_data or "", keep_blank_values=True, strict_parsing=True)
            )
            self.posts.append((request.url.removeprefix(SITE), sent))
        route.fulfill(
            body=self.html,
            content_type="text/html; charset=utf-8",
            headers={"content-security-policy": POLICY},
        )

    def _console(self, message: ConsoleMessage) -> None:
        self.complaints.append(message.text)


@pytest.fixture(scope="module")
def shared_tab(browser: Browser) -> Iterator[Site]:
    page = browser.new_page(viewport={"width": 375, "height": 700})
    yield Site(page)
    page.close()


@pytest.fixture
def plain(browser: Browser) -> Iterator[Site]:
    """A fresh tab in which JavaScript is off."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 375, "height": 700})
    yield Site(context.new_page())
    context.close()


@pytest.mark.parametrize("html", ALL)
def test_axe_finds_nothing(shared_tab: Site, html: str) -> None:
    if not AXE.is_file():
        pytest.skip("node_modules is not installed: make setup")
    page = shared_tab.show(html)
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(
        "tags => axe.run({runOnly: tags}).then(r => ({violations: r.violations,"
        " unsure: r.incomplete, passed: r.passes.length}))",
        RULES,
    )
    told = [
        (rule["id"], node["html"][:200], node["failureSummary"])
        for rule in found["violations"] + found["unsure"]
        for node in rule["nodes"]
    ]
    assert told == []
    assert found["passed"] > 10


@pytest.mark.parametrize("html", ALL)
def test_the_policy_lets_the_style_through_and_has_nothing_to_complain_of(
    shared_tab: Site, html: str
) -> None:
    page = shared_tab.show(html)
    colour = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
    assert colour == "rgb(26, 26, 26)"
    assert shared_tab.complaints == []


@pytest.mark.parametrize("html", ALL)
def test_nothing_scrolls_sideways_at_320_pixels(shared_tab: Site, html: str) -> None:
    page = shared_tab.page
    page.set_viewport_size({"width": 320, "height": 640})
    try:
        shared_tab.show(html)
        width = "document.documentElement.scrollWidth"
        assert page.evaluate(width) == 320
        # WCAG 1.4.12: people may space text out.
        page.evaluate(
            "for (const e of document.body.querySelectorAll('*')) { e.style.lineHeight = '1.5';"
            " e.style.letterSpacing = '0.12em'; e.style.wordSpacing = '0.16em' }"
        )
        assert page.evaluate(width) == 320
    finally:
        page.set_viewport_size({"width": 375, "height": 700})


@pytest.mark.parametrize("html", ALL)
def test_targets_are_large_enough_for_a_thumb(shared_tab: Site, html: str) -> None:
    page = shared_tab.show(html)
    small = page.evaluate(
        "[...document.querySelectorAll('button, input[type=text]:not([tabindex]), textarea,"
        " label.choice, .switch')].filter(e => !e.closest('[inert]'))"
        ".map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect().height])"
        ".filter(([, height]) => height < 48)"
    )
    assert small == []


@pytest.mark.parametrize("ticked", [True, False], ids=["ticked", "unticked"])
def test_the_form_is_filled_in_with_the_keyboard_alone(plain: Site, *, ticked: bool) -> None:
    page = plain.show(form_page(MUNICIPAL, Lang.JA), "/stage/forms/akiya-soudan?lang=ja")
    keys = page.keyboard
    keys.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport(ratio=1)
    keys.press("Tab")
    expect(page.locator(".switch")).to_be_focused()
    for text in ("見本 太郎", "屋根の相談\nです", "taro@example.jp"):
        keys.press("Tab")
        keys.insert_text(text)
    keys.press("Tab")
    expect(page.get_by_role("checkbox")).to_be_focused()
    if ticked:
        keys.press("Space")
    keys.press("Tab")
    expect(page.get_by_role("button", name="送信する")).to_be_focused()
    with page.expect_navigation():
        keys.press("Enter")
    sent = {
        "lang": "ja",
        "wording": "optin_checkbox/1/ja",
        "rendered_at": "1764000000",
        "website": "",
        "name": "見本 太郎",
        "body": "屋根の相談\r\nです",
        "email": "taro@example.jp",
    }
    if ticked:
        sent["opt_in"] = "on"
    assert plain.posts == [("/stage/forms/akiya-soudan?lang=ja", sent)]


def test_full_width_letters_reach_the_server_as_typed(plain: Site) -> None:
    page = plain.show(form_page(MUNICIPAL, Lang.JA))
    page.get_by_label("メールアドレス").fill("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ")
    with page.expect_navigation():
        page.get_by_label("メールアドレス").press("Enter")
    assert plain.posts[0][1]["email"] == "ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ"


def test_the_skip_link_leads_past_the_header(plain: Site) -> None:
    page = plain.show(form_page(MUNICIPAL, Lang.JA))
    for key in ("Tab", "Enter", "Tab"):
        page.keyboard.press(key)
    expect(page.get_by_label("お名前")).to_be_focused()


def test_the_error_summary_leads_to_each_field(plain: Site) -> None:
    html = pages.form_page(
        MUNICIPAL, COMPANY, language=Lang.JA, rendered_at="1", opt_in=True, problems=PROBLEMS
    )
    page = plain.show(html)
    for label in ("お名前", "メールアドレス"):
        page.get_by_role("alert").get_by_role("link", name=label).press("Enter")
        expect(page.get_by_role("main").get_by_label(label)).to_be_focused()
    expect(page.get_by_label("メールアドレス")).to_have_accessible_description(
        "例: taro@example.jp エラー: メールアドレスの「@」より後ろ(gmial.com)をご確認ください。"
        " もしかして: taro@gmail.com 正しい場合は、上の欄をこのアドレスに直してください。"
    )
    expect(page.get_by_role("checkbox")).to_be_checked()


def test_the_focus_ring_is_seen(shared_tab: Site) -> None:
    page = shared_tab.show(form_page(MUNICIPAL, Lang.JA))
    for _ in range(6):
        page.keyboard.press("Tab")
        ring = page.evaluate(
            "(s => [s.outlineStyle, s.outlineWidth, s.outlineColor, s.boxShadow])"
            "(getComputedStyle(document.activeElement))"
        )
        assert ring[:3] == ["solid", "4px", "rgb(0, 0, 0)"]
        assert ring[3].startswith("rgb(255, 212, 61)")


def test_unsubscribing_is_one_press_of_one_button(plain: Site) -> None:
    html = pages.unsubscribe_page(COMPANY, language=Lang.JA, masked="t***o@x.jp", already=False)
    page = plain.show(html, "/stage/u/TOKEN")
    button = page.get_by_role("button")
    expect(button).to_be_in_viewport(ratio=1)
    with page.expect_navigation():
        button.press("Enter")
    assert plain.posts == [("/stage/u/TOKEN", {"lang": "ja"})]


def test_the_undo_needs_the_tick_and_the_reason_a_choice(plain: Site) -> None:
    page = plain.show(unsubscribed_page(Lang.JA), "/stage/u/TOKEN")
    page.get_by_role("button", name="配信を再開する").click()
    page.get_by_role("button", name="理由を送る").click()
    assert plain.posts == []
    page.get_by_label("登録した覚えがない").check()
    with page.expect_navigation():
        page.get_by_role("button", name="理由を送る").click()
    page = plain.show(unsubscribed_page(Lang.JA, "../TOKEN"), "/stage/u/TOKEN/reason")
    page.get_by_role("checkbox").check()
    with page.expect_navigation():
        page.get_by_role("button", name="配信を再開する").click()
    consent = {"lang": "ja", "wording": "optin_checkbox/1/ja", "opt_in": "on"}
    assert plain.posts == [
        ("/stage/u/TOKEN/reason", {"lang": "ja", "reason": "never_asked"}),
        ("/stage/u/TOKEN/undo", consent),
    ]


def test_the_preview_of_the_snippet_cannot_be_sent(plain: Site) -> None:
    page = plain.show(
        pages.embed_page(MUNICIPAL, COMPANY, language=Lang.JA, action_url=f"{SITE}/forms/x")
    )
    page.locator(".preview button").click(force=True)
    assert plain.posts == []
    page.get_by_role("main").get_by_role("link").last.focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("contentinfo").get_by_role("link")).to_be_focused()
