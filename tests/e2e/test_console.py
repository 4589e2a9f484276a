"""The advisor's side of the story, in a browser: hosted sign-in, confirm, write, send, look up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browsing import complaints
from tests.e2e.product import Product, unique

pytestmark = pytest.mark.e2e


def sign_in(page: Page, product: Product, team: str) -> None:
    """From the console's first page over Cognito's and back."""
    user = product.user(team)
    page.goto(product.stack["console_url"])
    page.get_by_role("main").locator("a.button, button").first.click()
    page.locator("input[name=username]").fill(user["username"])
    page.locator("input[name=password]").fill(user["password"])
    page.locator("button[type=submit], input[type=submit]").first.click()
    expect(page.get_by_role("banner")).to_contain_text(user["username"])
    assert page.url.startswith(product.stack["console_url"])


@pytest.fixture
def desk(browser: Browser) -> Iterator[Page]:
    """A member of staff's browser."""
    context = browser.new_context(locale="ja-JP")
    yield context.new_page()
    context.close()


def test_an_advisor_confirms_writes_sends_and_looks_up(page: Page, product: Product) -> None:
    """In the fixture's browser, without JavaScript; nothing is done through the API."""
    taro = product.address("taro")
    product.submit(product.form("municipal_lp"), taro, ticked=True)
    console = product.stack["console_url"]
    sign_in(page, product, "CS")
    menu = page.get_by_role("navigation")

    menu.get_by_role("link", name="確認待ち").click()
    card = page.get_by_role("listitem").filter(has_text=taro)
    while not card.count():  # a page of those who wait longer
        page.get_by_role("link", name="次の").click()
    card.get_by_role("button", name="登録する").click()
    expect(page.get_by_role("status")).to_contain_text(taro)
    assert product.staff("CS").eligible(taro)

    subject = product.note(unique("秋の空き家セミナー"))
    menu.get_by_role("link", name="一斉メール").click()
    page.get_by_role("link", name="新しい一斉メール").click()
    page.get_by_label("件名").fill(subject)
    page.get_by_label("本文").fill("こんにちは。\n\n秋のセミナーを開きます。")
    page.get_by_role("button", name="下書きを保存する").click()
    page.get_by_role("link", name="送信の確認へ進む").click()
    assert product.mails(taro, subject) == []
    page.get_by_role("button", name="送信する").click()
    mail = product.mail(taro, subject)
    assert "秋のセミナーを開きます。" in mail["text"]
    assert product.site.post_form(product.link_in(mail), {}).status == 200

    menu.get_by_role("link", name="アドレスを調べる").click()
    page.get_by_role("main").get_by_label("メールアドレス").fill(taro)
    page.get_by_role("button", name="調べる").click()
    expect(page.get_by_role("main")).to_contain_text("送れません")
    expect(page.get_by_role("main")).to_contain_text("配信停止のお申し出があり")
    expect(page.get_by_role("main")).to_contain_text(subject)
    assert taro not in page.url

    page.get_by_role("button", name="サインアウト").click()
    page.goto(f"{console}/pending")
    expect(page.locator("input[name=password]")).to_be_visible()


def test_who_may_not_confirm_sees_no_button(page: Page, product: Product) -> None:
    product.submit(product.form("municipal_lp"), product.address("taro"), ticked=True)
    sign_in(page, product, "IT")
    page.goto(f"{product.stack['console_url']}/pending")
    expect(page.get_by_role("main").get_by_role("listitem")).not_to_have_count(0)
    expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)


def test_axe_finds_nothing(desk: Page, product: Product) -> None:
    taro = product.address("taro")
    product.submit(product.form("municipal_lp"), taro, ticked=True)
    contact = product.staff("CS").held(taro)["contact_id"]
    draft = product.staff("CS").write_campaign(product.note(unique("下書き")))
    console = product.stack["console_url"]
    desk.goto(console)
    assert complaints(desk) == []
    sign_in(desk, product, "CS")
    for path in (
        "/",
        "/pending",
        f"/contacts/{contact}",
        "/lookup",
        "/campaigns",
        "/campaigns/new",
        f"/campaigns/{draft}",
        f"/campaigns/{draft}/send",
        "/forms",
        "/no/such/page",
    ):
        desk.goto(f"{console}{path}")
        assert complaints(desk) == [], path
