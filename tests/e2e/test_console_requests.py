"""Requests in the staff console, in a browser: read, decide, answer, erase; without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browsing import complaints
from tests.e2e.product import Json, Product, eventually, unique
from tests.e2e.test_console import sign_in
from tests.e2e.writing import answer, write

pytestmark = pytest.mark.e2e


@pytest.fixture
def it_page(browser: Browser) -> Iterator[Page]:
    """The browser of a colleague of IT, without JavaScript too."""
    context = browser.new_context(java_script_enabled=False, locale="ja-JP")
    yield context.new_page()
    context.close()


@pytest.fixture
def desk(browser: Browser) -> Iterator[Page]:
    """A browser in which axe-core can run."""
    context = browser.new_context(locale="ja-JP", viewport={"width": 375, "height": 700})
    yield context.new_page()
    context.close()


def waiting(product: Product, address: str, code: str) -> Json:
    """The request of an address, once ``code`` is what it needs next."""

    def look() -> Json | None:
        found = product.staff("CS").held(address)["requests"]
        return next((each for each in found if each["next"]["code"] == code), None)

    return eventually(look, f"a request that needs {code}")


def at(product: Product, request: Json) -> str:
    """The address of its page."""
    return f"{product.stack['console_url']}/requests/{request['case_id']}"


def test_an_inquiry_is_read_answered_and_finished(page: Page, product: Product) -> None:
    taro = product.subscriber("taro")
    words = product.note(unique("セミナーの持ち物を教えてください。"))
    write(product, taro, "reply", words, subject="おたずね")
    request = waiting(product, taro, "answer")
    sign_in(page, product, "CS")
    page.goto(f"{product.stack['console_url']}/contacts/{request['contact_id']}")
    page.get_by_role("region", name="依頼").get_by_role("link", name="お問い合わせ").click()
    expect(page.get_by_role("region", name="書かれていること")).to_contain_text(words)
    reply = product.note(unique("筆記用具をお持ちください。"))
    following = page.get_by_role("region", name="次にすること")
    before = len(product.mails(taro))
    following.get_by_label("返信の文章").fill(reply)
    following.get_by_role("button", name="返信を送る").click()
    expect(page.get_by_role("status")).to_contain_text("返信を送りました")
    mails = product.mails(taro)
    assert len(mails) == before + 1
    assert any(reply in mail["text"] for mail in mails)
    following.get_by_role("button", name="完了にする").click()
    expect(page.get_by_role("status")).to_contain_text("完了にしました")
    assert taro not in page.url


def test_a_mail_that_may_mean_stop_is_decided(page: Page, product: Product) -> None:
    taro = product.subscriber("taro")
    write(product, taro, "reply", "このメールは停止できますか。", subject="メールについて")
    request = waiting(product, taro, "decide_stop")
    assert not product.staff("CS").eligible(taro)
    sign_in(page, product, "CS")
    page.goto(at(product, request))
    page.get_by_role("button", name="配信を続けることにして完了する").click()
    expect(page.get_by_role("status")).to_contain_text("完了にしました")
    eventually(lambda: product.staff("CS").eligible(taro) or None, "the hold to end")


def test_an_erasure_takes_two_people_and_is_approved_by_it(
    page: Page, it_page: Page, product: Product
) -> None:
    taro = product.subscriber("taro")
    write(product, taro, "optin", "個人情報を削除してください。", subject="削除のお願い")
    request = waiting(product, taro, "wait_for_person")
    sign_in(page, product, "CS")
    page.goto(at(product, request))
    page.get_by_text("担当者2人で確認する").click()
    page.get_by_label("どのように確認しましたか").fill("来社し、運転免許証で確認。")
    page.get_by_role("button", name="ご本人と確認した").click()
    expect(page.get_by_role("status")).to_contain_text("もう一人の担当者の同意が必要です")
    sign_in(it_page, product, "IT")
    it_page.goto(at(product, request))
    it_page.get_by_role("button", name="同意して、ご本人と確認する").click()
    expect(it_page.get_by_role("status")).to_contain_text("ご本人と確認しました")
    page.goto(at(product, request))
    expect(page.get_by_role("region", name="次にすること").get_by_role("link")).to_have_count(0)
    it_page.get_by_role("link", name="削除の確認へ進む").click()
    expect(it_page.get_by_role("main")).to_contain_text("削除は取り消せません")
    it_page.get_by_role("button", name="削除を承認する").click()
    expect(it_page.get_by_role("status")).to_contain_text("削除を承認しました")
    assert answer(product, taro, "削除証明書")
    eventually(lambda: product.staff("IT").held(taro)["address"] == "" or None, "the erasure")
    waiting(product, taro, "nothing")
    it_page.goto(at(product, request))
    expect(it_page.get_by_role("main")).not_to_contain_text(taro)
    expect(it_page.get_by_role("main")).to_contain_text("個人情報を削除")


def test_a_call_is_taken_and_a_program_s_mail_becomes_a_request(
    page: Page, product: Product
) -> None:
    taro = product.subscriber("taro")
    contact = product.staff("CS").held(taro)["contact_id"]
    console = product.stack["console_url"]
    sign_in(page, product, "CS")
    page.goto(f"{console}/contacts/{contact}")
    page.get_by_role("link", name="依頼を開く").click()
    expect(page.get_by_label("登録されているメールアドレス")).to_have_value(taro)
    page.get_by_label("自分の情報として何を持っているか").check()
    page.get_by_label("お話の内容").fill(product.note(unique("登録内容を知りたい")))
    page.get_by_role("button", name="依頼を開く").click()
    expect(page.get_by_role("status")).to_contain_text("依頼を開きました")
    waiting(product, taro, "wait_for_person")

    words = product.note(unique("住所を教えてください"))
    write(product, taro, "optin", words, headers=[("Auto-Submitted", "auto-generated")])

    def listed() -> bool | None:
        page.goto(f"{console}/received")
        card = page.get_by_role("listitem").filter(
            has=page.locator(f'a[href$="/contacts/{contact}"]')
        )
        return card.count() > 0 or None

    eventually(listed, "the mail that nobody answered")
    card = page.get_by_role("listitem").filter(has=page.locator(f'a[href$="/contacts/{contact}"]'))
    card.get_by_text("依頼として扱う").first.click()
    card.get_by_role("button", name="依頼として扱う").click()
    expect(page.get_by_role("status")).to_contain_text("依頼を開きました")
    expect(page.get_by_role("main")).to_contain_text(words)
    original = page.get_by_role("link", name="メールの原本を取り出す").get_attribute("href")
    assert b"auto-generated" in page.request.get(urljoin(page.url, original)).body()


def test_axe_finds_nothing(desk: Page, product: Product) -> None:
    taro = product.subscriber("taro")
    write(product, taro, "optin", "登録内容を開示してください。", subject="開示")
    request = waiting(product, taro, "wait_for_person")
    console = product.stack["console_url"]
    sign_in(desk, product, "CS")
    for path in (
        "/",
        "/requests",
        "/requests?state=closed&team=IT",
        "/requests/new",
        f"/requests/{request['case_id']}",
        "/received",
        f"/contacts/{request['contact_id']}",
    ):
        desk.goto(f"{console}{path}")
        desk.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        assert complaints(desk) == [], path
