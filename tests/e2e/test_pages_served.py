"""Every page as it is really served: axe-core finds nothing, and its own policy lets it be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from tests.e2e.browsing import complaints, fill_in, send
from tests.e2e.product import Product
from tests.e2e.test_pages_axe import RULES

pytestmark = pytest.mark.e2e


class Tour:
    """How to get to each page. Returns the answer of the last navigation."""

    def __init__(self, page: Page, product: Product) -> None:
        self.page, self.product = page, product
        self.said: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        self.base = product.stack["public_url"]
        self.lp, self.web = product.form("municipal_lp"), product.form("web_form")

    def go(self, url: str) -> Response:
        answer = self.page.goto(url)
        assert answer is not None
        return answer

    def form(self) -> Response:
        return self.go(f"{self.base}/forms/{self.lp}")

    def form_en(self) -> Response:
        return self.go(f"{self.base}/forms/{self.lp}?lang=en")

    def form_that_tells(self) -> Response:
        return self.go(f"{self.base}/forms/{self.web}")

    def form_with_errors(self) -> Response:
        self.form()
        return self._send()

    def form_with_errors_en(self) -> Response:
        self.form_en()
        return self._send()

    def thanks_opted_in(self) -> Response:
        self.form()
        fill_in(self.page, self.product.entry(self.lp, self.product.address("axe")))
        self.page.get_by_role("checkbox").check()
        return self._send()

    def thanks_not_opted_in(self) -> Response:
        return self.go(f"{self.base}/forms/{self.lp}/thanks?status=not_opted_in")

    def thanks_notified(self) -> Response:
        return self.go(f"{self.base}/forms/{self.web}/thanks?status=notified")

    def embed(self) -> Response:
        return self.go(f"{self.base}/forms/{self.lp}/embed")

    def embed_en(self) -> Response:
        return self.go(f"{self.base}/forms/{self.web}/embed?lang=en")

    def unknown(self) -> Response:
        return self.go(f"{self.base}/forms/no-such-form")

    def broken_link(self) -> Response:
        return self.go(f"{self.base}/u/cut-off")

    @cached_property
    def link(self) -> str:
        """One subscriber's link, for all pages behind it."""
        return self.product.subscriber_with_link()[1]

    def unsubscribe(self) -> Response:
        self.product.site.post_form(f"{self.link}/undo", {"opt_in": "on"})
        return self.go(f"{self.base}{self.link}")

    def unsubscribe_en(self) -> Response:
        self.unsubscribe()
        return self._navigate(self.page.get_by_role("link", name="English").click)

    def done(self) -> Response:
        self.unsubscribe()
        return self._send()

    def reason_noted(self) -> Response:
        self.done()
        self.page.get_by_label("その他").check()
        return self._navigate(self.page.get_by_role("button", name="理由を送る").click)

    def already(self) -> Response:
        self.done()
        return self.go(self.page.url)

    def resubscribed(self) -> Response:
        self.done()
        self.page.get_by_role("checkbox").check()
        return self._navigate(self.page.get_by_role("button", name="配信を再開する").click)

    def mailbox(self) -> Response:
        assert self.link
        return self.go(self.product.stack["mailbox_url"])

    def mailbox_mail(self) -> Response:
        self.mailbox()
        return self._navigate(self.page.locator("td a").first.click)

    def _send(self) -> Response:
        return self._navigate(lambda: send(self.page))

    def _navigate(self, action: Callable[[], None]) -> Response:
        with self.page.expect_navigation() as navigation:
            action()
        return navigation.value


PAGES: dict[Callable[[Tour], Response], int] = {
    Tour.form: 200,
    Tour.form_en: 200,
    Tour.form_that_tells: 200,
    Tour.form_with_errors: 422,
    Tour.form_with_errors_en: 422,
    Tour.thanks_opted_in: 200,
    Tour.thanks_not_opted_in: 200,
    Tour.thanks_notified: 200,
    Tour.embed: 200,
    Tour.embed_en: 200,
    Tour.unknown: 404,
    Tour.broken_link: 404,
    Tour.unsubscribe: 200,
    Tour.unsubscribe_en: 200,
    Tour.done: 200,
    Tour.reason_noted: 200,
    Tour.already: 200,
    Tour.resubscribed: 200,
    Tour.mailbox: 200,
    Tour.mailbox_mail: 200,
}


@pytest.fixture(scope="module")
def tour(browser: Browser, product: Product) -> Iterator[Tour]:
    """One tab for all of them."""
    page = browser.new_page(locale="ja-JP")
    yield Tour(page, product)
    page.close()


@pytest.mark.parametrize("reach", PAGES, ids=lambda reach: reach.__name__)
def test_axe_finds_nothing(tour: Tour, reach: Callable[[Tour], Response]) -> None:
    tour.said.clear()
    assert reach(tour).status == PAGES[reach]
    assert complaints(tour.page) == []
    # The console mentions an answer of 404 or 422; nothing else is worth mentioning.
    assert [line for line in tour.said if "status of 4" not in line] == []


def test_axe_finds_nothing_in_the_mail(tour: Tour) -> None:
    tour.mailbox_mail()
    mail = tour.page.frame_locator("iframe")
    html = mail.locator("html").evaluate("document => document.outerHTML")
    tour.page.set_content(html)
    expect(tour.page.get_by_role("link", name="配信停止")).to_be_visible()
    # A mail is no page: it needs no landmarks, and its subject is its heading.
    rules = [rule for rule in RULES if rule != "best-practice"]
    assert [told for told in complaints(tour.page, rules) if told[0] != "bypass"] == []


def test_pages_ask_for_nothing_else(product: Product, browser: Browser) -> None:
    """One request, one page: no script, no font, no image from anywhere; not even an icon."""
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    url = f"{product.stack['public_url']}/forms/{product.form('municipal_lp')}"
    page.goto(url, wait_until="networkidle")
    page.close()
    assert asked == [url]
