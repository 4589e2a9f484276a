"""The advisor's side of the story, in a browser: hosted sign-in, confirm, write, send, look up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from shared.domain.zones import TOKYO
from tests.e2e.browsing import complaints
from tests.e2e.product import Product, eventually, unique

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


def step(page: Page) -> Locator:
    """Where a campaign stands."""
    return page.locator("[aria-current=step]")


def next_year() -> str:
    """A moment in Japan as a date field takes it."""
    return (datetime.now(TOKYO) + timedelta(days=300)).strftime("%Y-%m-%dT%H:%M")


@pytest.fixture
def desk(browser: Browser) -> Iterator[Page]:
    """A member of staff's browser."""
    context = browser.new_context(locale="ja-JP")
    yield context.new_page()
    context.close()


def test_advisors_confirm_write_approve_send_and_look_up(
    page: Page, desk: Page, product: Product
) -> None:
    """CS writes and tests without JavaScript, GS approves and sends; nothing goes by the API."""
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
    page.get_by_label("本文", exact=False).first.fill(
        "{{name|ご担当者}} 様\n\n秋のセミナーを**開きます**。"
    )
    page.get_by_role("group", name="同意の経路").get_by_label("自治体LP").check()
    page.get_by_role("button", name="下書きを保存する").click()
    expect(step(page)).to_contain_text("テスト送信")

    tester = product.address("test-mail")
    page.get_by_label("テストメールの宛先").fill(tester)
    page.get_by_role("button", name="テストメールを送る").click()
    expect(step(page)).to_contain_text("承認")
    expect(page.get_by_role("main")).to_contain_text("作成者本人は承認できません")
    product.mail(tester, f"【テスト】{subject}")

    sign_in(desk, product, "GS")
    desk.goto(page.url)
    desk.get_by_role("link", name="送れる人数を確かめる").click()
    expect(desk.get_by_role("main")).to_contain_text("送れる人数")
    desk.go_back()
    desk.get_by_role("button", name="承認する", exact=True).click()
    expect(desk.get_by_role("status")).to_contain_text("承認しました")
    desk.get_by_label("送信を始める日時").fill(next_year())
    desk.get_by_role("button", name="この日時に予約する").click()
    expect(desk.get_by_role("status")).to_contain_text("予約しました")
    desk.get_by_role("button", name="予約を取り消す").click()
    desk.get_by_role("link", name="送信の確認へ進む").click()
    assert product.mails(taro, subject) == []
    desk.get_by_role("button", name="送信する").click()
    mail = product.mail(taro, subject)
    assert "秋のセミナーを開きます。" in mail["text"]
    assert product.site.post_form(product.link_in(mail), {}).status == 200
    expect(step(desk)).to_have_count(0, timeout=30_000)  # the page keeps itself fresh
    desk.get_by_role("main").get_by_label("メールアドレス").fill(taro)
    desk.get_by_role("button", name="調べる").click()
    expect(desk.get_by_role("region", name="Answer")).to_contain_text("」")
    assert taro not in desk.url

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


def test_an_advisor_stops_a_draft_and_makes_another_of_it(page: Page, product: Product) -> None:
    draft = product.staff("CS").write_campaign(product.note(unique("下書き")))
    sign_in(page, product, "CS")
    page.goto(f"{product.stack['console_url']}/campaigns/{draft}")
    page.get_by_role("link", name="中止の確認へ").click()
    page.get_by_role("button", name="中止する").click()
    expect(page.get_by_role("status")).to_contain_text("中止しました")
    page.get_by_role("button", name="複製して新しく作る").click()
    expect(page.get_by_role("status")).to_contain_text("複製しました")
    page.get_by_role("link", name="編集する").click()
    page.get_by_label("件名").fill("")
    page.get_by_label("件名").fill(product.note(unique("書き直し")))
    page.get_by_role("button", name="保存する").click()
    expect(page.get_by_role("status")).to_contain_text("保存しました")


def test_a_bounce_is_lifted_with_a_reason(desk: Page, product: Product) -> None:
    staff = product.staff("CS")
    bounces = product.note(f"bounce+{unique('console').split()[1]}@simulator.amazonses.com")
    product.submit(product.form("web_form"), bounces)
    staff.campaign(product.note(unique("届かない")))
    eventually(lambda: not staff.eligible(bounces), "the bounce")
    sign_in(desk, product, "CS")
    desk.goto(f"{product.stack['console_url']}/contacts/{staff.held(bounces)['contact_id']}")
    region = desk.get_by_role("region", name="不達の解除")
    region.get_by_text("不達を解除する").first.click()
    region.get_by_label("解除する理由").fill("電話で、届くことを確認。")
    assert complaints(desk) == []
    region.get_by_role("button", name="不達を解除する").click()
    expect(desk.get_by_role("status")).to_contain_text("不達を解除しました")
    assert staff.eligible(bounces)
    desk.get_by_role("link", name="送った・送らなかった理由").first.click()
    expect(desk.get_by_role("region", name="Answer")).to_contain_text("届か")


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
    staff = product.staff("CS")
    draft = staff.write_campaign(product.note(unique("下書き")))
    approved = staff.approved_campaign(product.note(unique("承認済み")))
    done = staff.campaign(product.note(unique("送信済み")))["campaign_id"]
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
        f"/campaigns/{draft}/edit",
        f"/campaigns/{draft}/dry-run",
        f"/campaigns/{draft}/cancel",
        f"/campaigns/{approved}",
        f"/campaigns/{approved}/send",
        f"/campaigns/{done}",
        f"/campaigns/{done}/recipients/{contact}",
        "/forms",
        "/no/such/page",
    ):
        desk.goto(f"{console}{path}")
        assert complaints(desk) == [], path
