"""From the form to the last mail, as a person, an advisor and a mailbox see it.

The person's browser has JavaScript off throughout.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import fill_in, send
from tests.e2e.mail import check_mail
from tests.e2e.product import Json, Product, unique

pytestmark = pytest.mark.e2e


def answer_form(
    page: Page, product: Product, form_id: str, address: str, *, tick: bool = False
) -> None:
    page.goto(f"{product.stack['public_url']}/forms/{form_id}")
    fill_in(page, product.entry(form_id, address))
    if tick:
        page.get_by_role("checkbox").check()
    send(page)


def follow_link(context: BrowserContext, product: Product, mail: Json) -> Page:
    """Read a mail in the mailbox page and press its unsubscribe link."""
    page = context.new_page()
    page.goto(f"{product.stack['mailbox_url']}?to={mail['to']}")
    page.get_by_role("link", name=mail["subject"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(mail["subject"])
    # By the key: a click just after scrolling may miss what is inside a sandboxed frame.
    with context.expect_page() as opened:
        page.frame_locator("iframe").get_by_role("link", name="配信停止").press("Enter")
    return opened.value


def test_from_the_form_to_the_last_mail(
    context: BrowserContext, page: Page, product: Product
) -> None:
    advisor = product.staff("CS")
    form_id = product.new_form()
    form = product.describe(form_id)
    audience = {"form_ids": [form_id]}
    taro = product.address("taro")

    # The box may be left alone: nothing is granted.
    page.goto(f"{product.stack['public_url']}/forms/{form_id}")
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    expect(page.get_by_role("heading", level=1)).to_have_text(form["title"]["ja"])
    expect(page.get_by_text(form["purpose"]["ja"])).to_be_visible()
    box = page.get_by_role("checkbox", name=form["wording"]["ja"])
    expect(box).not_to_be_checked()
    expect(box).not_to_have_attribute("required", re.compile(""))
    answer_form(page, product, form_id, taro)
    expect(page.get_by_role("main")).to_contain_text("今回は同意していません")
    assert advisor.held(taro)["verdict"]["reason"] == "box_left_unticked"

    # Ticked, it waits for an advisor, with the evidence the manual asks for (A2).
    answer_form(page, product, form_id, taro, tick=True)
    expect(page.get_by_role("main")).to_contain_text("同意しました")
    assert advisor.kinds(taro) == ["box_left_unticked", "opted_in"]
    yes = advisor.held(taro)["history"][-1]
    assert yes["wording"]["text"] == form["wording"]["ja"]
    assert yes["wording"]["version"] == form["version"]
    assert yes["wording"]["sha256"] == form["wording_sha256"]["ja"]
    assert yes["details"]["form_id"] == form_id
    assert yes["details"]["municipality"] == form["municipality"]
    assert yes["details"]["page_url"] == f"{product.stack['public_url']}/forms/{form_id}"
    assert yes["personal"]["source_ip"]
    assert "Chrome" in yes["personal"]["user_agent"]
    assert taro in [waiting["address"] for waiting in advisor.pending()]
    assert not advisor.eligible(taro)

    # An advisor confirms; repeating it is harmless.
    assert advisor.confirm(taro) == advisor.confirm(taro)
    assert taro not in [waiting["address"] for waiting in advisor.pending()]
    assert advisor.eligible(taro)

    # A campaign to everybody reaches them once.
    first = unique("秋の空き家セミナー")
    advisor.campaign(first, "こんにちは。\n\n秋のセミナーを開きます。")
    mail = product.mail(taro, first)
    check_mail(product, mail, body="秋のセミナーを開きます。")

    # The link shows what will happen, for a masked address, and changes nothing.
    stop = follow_link(context, product, mail)
    expect(stop.get_by_role("heading", level=1)).to_have_text("メールの配信を停止しますか?")
    expect(stop.locator(".address")).to_have_text("t***@***.jp")
    assert taro not in stop.content()
    expect(stop.get_by_role("button")).to_have_count(1)
    assert advisor.eligible(taro)
    assert advisor.kinds(taro)[-1] == "registered"

    # One button stops it, at once.
    send(stop)
    expect(stop.get_by_role("heading", level=1)).to_have_text("配信を停止しました")
    verdict = advisor.held(taro)["verdict"]
    assert (verdict["eligible"], verdict["reason"]) == (False, "unsubscribed")
    refusal = next(c for c in verdict["conditions"] if c["name"] == "refusal")
    assert refusal["evidence"]["source"] == "link"
    assert refusal["clause"]
    assert refusal["sentence_ja"]
    second = unique("冬の空き家セミナー")
    sent = advisor.campaign(second, audience=audience)
    assert product.mails(taro, second) == []
    entries = {e["campaign_id"]: e for e in advisor.held(taro)["campaigns"]}
    entry = entries.get(sent["campaign_id"])
    assert entry is None or (entry["outcome"], entry["reason"]) == ("skipped", "unsubscribed")

    # A reason is welcome and gates nothing.
    stop.get_by_label("メールの回数が多い").check()
    with stop.expect_navigation():
        stop.get_by_role("button", name="理由を送る").click()
    expect(stop.get_by_role("main")).to_contain_text("理由をお聞かせいただき")
    assert advisor.kinds(taro)[-1] == "unsubscribe_reason"

    # Stopping again is harmless; starting again takes a ticked box.
    stop = follow_link(context, product, mail)
    expect(stop.get_by_role("heading", level=1)).to_have_text("メールの配信は停止しています")
    send(stop)
    stop.get_by_role("button", name="配信を再開する").click()
    assert not advisor.eligible(taro)
    stop.get_by_role("checkbox", name=form["wording"]["ja"]).check()
    with stop.expect_navigation():
        stop.get_by_role("button", name="配信を再開する").click()
    expect(stop.get_by_role("heading", level=1)).to_have_text("ご同意を受け付けました")
    again = advisor.held(taro)["history"][-1]
    assert (again["kind"], again["source"]) == ("resubscribed", "link")
    assert again["wording"]["text"] == form["wording"]["ja"]
    assert advisor.eligible(taro)
    third = unique("春の空き家セミナー")
    advisor.campaign(third, audience=audience)
    product.mail(taro, third)
    assert context.cookies() == []


def test_in_english(page: Page, product: Product) -> None:
    form_id = product.form("municipal_lp")
    form = product.describe(form_id)
    erika = product.address("erika")
    page.goto(f"{product.stack['public_url']}/forms/{form_id}")
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("heading", level=1)).to_have_text(form["title"]["en"])
    fill_in(page, product.entry(form_id, erika))
    page.get_by_role("checkbox", name=form["wording"]["en"]).check()
    send(page)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("main")).to_contain_text("You agreed")
    evidence = product.staff("CS").held(erika)["history"][-1]["wording"]
    assert (evidence["language"], evidence["text"]) == ("en", form["wording"]["en"])
    page.get_by_role("link", name="日本語").click()
    expect(page.get_by_role("main")).to_contain_text("同意しました")


def test_a_form_that_only_tells(page: Page, product: Product) -> None:
    form_id = product.form("web_form")
    form = product.describe(form_id)
    jiro = product.address("jiro")
    page.goto(f"{product.stack['public_url']}/forms/{form_id}")
    expect(page.get_by_text(form["wording"]["ja"])).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(0)
    answer_form(page, product, form_id, jiro)
    expect(page.get_by_role("main")).to_contain_text("お送りする場合があります")
    assert product.staff("CS").eligible(jiro)


def test_a_mistake_is_said_beside_its_field_and_nothing_is_lost(
    page: Page, product: Product
) -> None:
    form_id = product.form("municipal_lp")
    hana = product.address("hana")
    wrong = hana.replace("@example.jp", "@docomo.ne.j")
    product.note(wrong)
    entry = product.entry(form_id, wrong)
    page.goto(f"{product.stack['public_url']}/forms/{form_id}")
    fill_in(page, entry)
    page.get_by_role("checkbox").check()
    send(page)
    field = page.get_by_role("main").get_by_label("メールアドレス")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("もしかして: hana.*@docomo.ne.jp"))
    expect(field).to_have_value(wrong)
    expect(page.get_by_role("checkbox")).to_be_checked()
    for name, value in entry.items():
        expect(page.locator(f'[name="{name}"]')).to_have_value(value)
    assert product.staff("CS").contact(wrong.replace("ne.j", "ne.jp")) is None
    fill_in(page, {"email": hana})
    send(page)
    expect(page.get_by_role("main")).to_contain_text("同意しました")
    assert product.staff("CS").kinds(hana) == ["opted_in"]


def test_a_form_sent_the_moment_it_opens_is_given_back(page: Page, product: Product) -> None:
    form_id = product.new_form()
    page.goto(f"{product.stack['public_url']}/forms/{form_id}")
    kenji = product.address("kenji")
    page.get_by_role("main").get_by_label("メールアドレス").fill(kenji)
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("送信が早すぎました")
    assert product.staff("CS").contact(kenji) is None
    fill_in(page, {"email": kenji})
    send(page)
    expect(page.get_by_role("main")).to_contain_text("今回は同意していません")
