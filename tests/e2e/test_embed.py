"""The snippet on a municipality's own page: another origin, in a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browsing import take_time
from tests.e2e.product import Product

pytestmark = pytest.mark.e2e


@dataclass
class City:
    """A municipality's website: paths and the HTML found there."""

    origin: str
    pages: dict[str, str] = field(default_factory=dict)

    def show(self, path: str, body: str) -> str:
        """Put up a page; its address."""
        self.pages[path] = (
            f'<!doctype html><html lang="ja"><meta charset="utf-8"><title>もみじ市</title>{body}'
        )
        return f"{self.origin}{path}"


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    """On a port of its own, which is an origin of its own."""
    pages: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = pages.get(self.path.partition("?")[0])
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((found or "").encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield City(f"http://127.0.0.1:{server.server_port}", pages)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def form_id(product: Product, city: City) -> str:
    """A form that may be posted from the city's page."""
    field_ = {"name": "name", "label_ja": "お名前", "label_en": "Name", "required": True}
    return product.new_form(allowed_origins=[city.origin], fields=[field_])


@pytest.fixture(scope="module")
def snippet(product: Product, form_id: str, browser: Browser) -> str:
    """What the city's web person copies from the page that explains it."""
    page = browser.new_page()
    page.goto(f"{product.stack['public_url']}/forms/{form_id}/embed")
    copied = page.locator("pre code").inner_text()
    page.close()
    return copied


def enter(page: Page, entry: Mapping[str, str]) -> None:
    page.get_by_label("お名前").fill(entry["name"])
    page.get_by_label("メールアドレス", exact=False).first.fill(entry["email"])


def test_the_snippet_posts_and_the_page_is_evidence(
    page: Page, product: Product, city: City, form_id: str, snippet: str
) -> None:
    assert "<script" not in snippet
    form = product.describe(form_id)
    address = product.address("embed")
    page.goto(city.show("/akiya/soudan", snippet))
    expect(page.get_by_text(form["purpose"]["ja"])).to_be_visible()
    box = page.get_by_role("checkbox", name=form["wording"]["ja"])
    expect(box).not_to_be_checked()
    enter(page, product.entry(form_id, address))
    box.check()
    with page.expect_navigation():
        page.get_by_role("button").click()
    expect(page.get_by_role("main")).to_contain_text("同意しました")
    assert page.url.startswith(f"{product.stack['public_url']}/forms/{form_id}/thanks")
    [yes] = product.staff("CS").held(address)["history"]
    assert yes["kind"] == "opted_in"
    assert yes["wording"]["text"] == form["wording"]["ja"]
    # Browsers tell another site the origin only; the page itself where the snippet names it.
    assert yes["details"]["page_url"] == f"{city.origin}/"


def test_the_snippet_may_name_its_page(
    page: Page, product: Product, city: City, form_id: str, snippet: str
) -> None:
    address = product.address("embed")
    url = f"{city.origin}/akiya/event"
    named = f'<input type="hidden" name="page_url" value="{url}?visitor=1">'
    page.goto(city.show("/akiya/event", snippet.replace("</form>", f"{named}</form>")))
    enter(page, product.entry(form_id, address))
    with page.expect_navigation():
        page.get_by_role("button").click()
    expect(page.get_by_role("main")).to_contain_text("今回は同意していません")
    [event] = product.staff("CS").held(address)["history"]
    assert (event["kind"], event["details"]["page_url"]) == ("box_left_unticked", url)


def test_a_mistake_on_the_city_s_page_can_be_put_right(
    page: Page, product: Product, city: City, form_id: str, snippet: str
) -> None:
    address = product.address("embed")
    page.goto(city.show("/akiya/mistake", snippet))
    entry = product.entry(form_id, product.note(f"{address}@"))
    enter(page, entry)
    page.get_by_role("checkbox").check()
    with page.expect_navigation():
        page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("メールアドレス")
    expect(page.get_by_label("お名前")).to_have_value(entry["name"])
    expect(page.get_by_role("checkbox")).to_be_checked()
    page.get_by_role("main").get_by_label("メールアドレス").fill(address)
    take_time(page)
    with page.expect_navigation():
        page.get_by_role("button").click()
    expect(page.get_by_role("main")).to_contain_text("同意しました")
    assert product.staff("CS").kinds(address) == ["opted_in"]


def test_a_page_of_another_site_is_refused(
    page: Page, product: Product, city: City, snippet: str, form_id: str
) -> None:
    address = product.address("embed")
    elsewhere = product.new_form(allowed_origins=["https://www.example.com"])
    page.goto(city.show("/copied", snippet.replace(form_id, elsewhere)))
    enter(page, product.entry(form_id, address))
    with page.expect_navigation():
        page.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("許可されていません")
    assert product.staff("CS").contact(address) is None


POST = """async ([url, email]) => {
  const answer = await fetch(url, {
    method: 'POST', headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({email, name: 'x', opt_in: true}),
  })
  return [answer.status, (await answer.json()).status]
}"""


def test_a_script_of_the_city_s_page_may_post_and_no_other_s(
    browser: Browser, product: Product, city: City, form_id: str
) -> None:
    page = browser.new_page()
    page.goto(city.show("/script", ""))
    url = f"{product.stack['public_url']}/forms"
    address = product.address("script")
    assert page.evaluate(POST, [f"{url}/{form_id}", address]) == [201, "opted_in"]
    assert product.staff("CS").kinds(address) == ["opted_in"]
    stranger = product.address("script")
    elsewhere = product.new_form(allowed_origins=["https://www.example.com"])
    failed = "post => post().catch(error => String(error))"
    told = page.evaluate(
        f"args => ({failed})(() => ({POST})(args))", [f"{url}/{elsewhere}", stranger]
    )
    assert told == "TypeError: Failed to fetch"
    assert product.staff("CS").contact(stranger) is None
    page.close()
