"""The console's pages on requests, in front of the real staff API and an AWS made of moto."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from functions.console.app import Deps
from shared.adapters.cases import CaseMail
from shared.domain import cases
from shared.domain.cases import Case, CaseKind, CaseState, Task
from shared.domain.errors import Conflict, Unavailable
from shared.domain.events import EventKind
from shared.domain.links import NOBODY
from tests.integration.cases import CASE, EMAIL, MAIL, a_case, a_mail_nobody_answered
from tests.integration.test_console import (
    Answer,
    Json,
    Outside,
    Tab,
    check_page,
    deps_at,
    hidden,
    serving,
)
from tests.integration.world import World, id_of

ME = id_of(EMAIL)
PATH = f"/requests/{CASE}"
NEW = "hanako.new@example.jp"
HOSTILE = '"><script>alert(1)</script>'


@dataclass
class Front(Outside):
    """Cognito as ever; the staff API is the product's own."""

    world: World | None = None
    username: str = "cs-someone"
    canned: dict[str, Json] = field(default_factory=dict)

    def staff(self, method: str, path: str, authorization: str, body: Json) -> tuple[int, Json]:
        assert self.world is not None
        if authorization.removeprefix("Bearer ") not in self.tokens:
            return 401, {"message": "Unauthorized"}
        if f"{method} {path}" in self.canned:
            return 200, self.canned[f"{method} {path}"]
        answer = self.world.ask_staff(
            method, path, body or None, team=self.teams[0], query=self.query
        )
        return answer.status, answer.json


@pytest.fixture
def outside(world: World) -> Front:
    return Front(world=world)


@pytest.fixture
def deps(outside: Front) -> Iterator[Deps]:
    with serving(outside) as address:
        yield deps_at("http://127.0.0.1:8080/console", address)


def of_team(deps: Deps, outside: Front, team: str) -> Tab:
    """Signed in as ``cs-someone`` and so on; whoever acts next is of this team."""
    outside.teams, outside.username = (team,), f"{team.lower()}-someone"
    tab = Tab(deps, outside)
    tab.sign_in()
    return tab


@pytest.fixture
def tab(deps: Deps, outside: Front) -> Tab:
    return of_team(deps, outside, "CS")


def become(world: World, **changes: Any) -> Case:
    """The request moves on, as the system or the person would have it."""
    case = world.cases.get(CASE)
    return world.cases.save(case, replace(case, **changes))


def with_mail(world: World, mail: CaseMail) -> None:
    case = world.cases.get(CASE)
    world.cases.save(case, case, mail)


def by_two(case: Case, now: datetime) -> Case:
    """Verified by hand; what follows is done."""
    for by in ("cs-a", "cs-b"):
        case = cases.by_hand(case, by=by, reason="来社", now=now, erasure_runs_by_itself=False)
    return replace(case, task=Task.NONE)


def forms(page: Answer) -> list[str]:
    """What the page offers to do with the request."""
    return re.findall(rf'action="/console{PATH}/([a-z-]+)"', page.html)


def shown_first(page: Answer) -> str:
    """What the page says is to be done next."""
    section = re.search(r'<section class="panel consent next".*?</section>', page.html, re.DOTALL)
    assert section
    return section[0]


def act(tab: Tab, step: str, **fields: str) -> Answer:
    """Press a button of the page as it is now."""
    return tab.post(f"{PATH}/{step}", **hidden(tab.get(PATH), f"{CASE}/{step}") | fields)


def done(tab: Tab, answer: Answer, step: str) -> Answer:
    """Where the browser is led after it; the page says that it was done."""
    assert (answer.status, answer.location) == (303, f"/console{PATH}?done={step}"), answer.text
    page = tab.get(PATH, done=step)
    assert '<div class="banner success"' in page.html
    check_page(step, page)
    return page


# ---- lists ----


def many(world: World) -> None:
    """Three open ones of people of their own, due three days ago, tomorrow and in a fortnight."""
    for number, (kind, days) in enumerate(
        [(CaseKind.INQUIRY, -3), (CaseKind.ERASURE, 1), (CaseKind.DISCLOSURE, 14)], start=1
    ):
        a_case(
            world,
            case_id=f"{number:032x}",
            contact_id=id_of(f"p{number}@example.jp"),
            reply_to=f"p{number}@example.jp",
            kind=kind,
            due_on=date(2026, 11, 24) + timedelta(days=days),
        )


def test_the_list_says_what_is_due_and_what_is_next(tab: Tab, world: World) -> None:
    many(world)
    page = tab.get("/requests")
    text = page.text
    check_page("requests", page)
    places = [
        text.index(said)
        for said in ("期限を3日過ぎています", "期限まであと1日", "期限まであと14日")
    ]
    assert places == sorted(places)
    assert "お問い合わせ: p***@***.jp" in text
    assert "返信して、完了にしてください。" in text
    assert "2026年11月21日(土)" in text
    assert page.html.count("is-late") == 1
    assert "p1@example.jp" not in page.html


def test_the_list_by_team_and_state(tab: Tab, world: World) -> None:
    many(world)
    cs = tab.get("/requests", team="CS")
    assert "お問い合わせ:" in cs.text
    assert "開示:" not in cs.text
    assert 'team=CS" aria-current="true">CS</a>' in cs.html
    it = tab.get("/requests", team="IT")
    assert "開示:" in it.text
    assert "お問い合わせ:" not in it.text
    assert "終了した依頼は、まだありません。" in tab.get("/requests", state="closed").text
    case = world.cases.get(f"{1:032x}")
    world.cases.save(case, replace(case, state=CaseState.DONE))
    closed = tab.get("/requests", state="closed")
    assert "お問い合わせ: p***@***.jp" in closed.text
    assert "日過ぎています" not in closed.text
    assert "お問い合わせ:" not in tab.get("/requests").text
    for odd in ({"team": "SALES"}, {"state": "lost"}):
        assert "開示:" in tab.get("/requests", **odd).text


def test_the_list_goes_on(tab: Tab, world: World) -> None:
    for number in range(1, 53):
        a_case(
            world,
            case_id=f"{number:032x}",
            contact_id=id_of(f"p{number}@example.jp"),
            kind=CaseKind.INQUIRY,
        )
    first = tab.get("/requests", team="CS")
    assert first.html.count('<li class="card') == 50
    link = re.search(r'requests\?state=open&amp;team=CS&amp;after=([\w%-]+)"', first.html)
    assert link
    second = tab.get("/requests", team="CS", after=link[1])
    assert second.html.count('<li class="card') == 2
    assert "最初から見る" in second.text
    assert "続きを見る" not in second.text
    assert tab.get("/requests", after="x").status == 422


def test_an_empty_list_and_home(tab: Tab, world: World) -> None:
    page = tab.get("/requests")
    check_page("empty", page)
    assert "対応が必要な依頼はありません。" in page.text
    assert "対応中の依頼はありません。" in tab.get("/").text
    many(world)
    check_page("home", tab.get("/"))
    home = tab.get("/").text
    assert "Privacy requests 3 件" in home
    assert "期限を過ぎたものが 1 件あります。" in home


def test_a_page_may_have_none_of_the_team(tab: Tab, outside: Front) -> None:
    """The API filters closed ones page by page."""
    outside.canned["GET /requests"] = {"requests": [], "next": "bW9yZQ"}
    page = tab.get("/requests", state="closed", team="IT")
    assert "続きに、あるかもしれません。" in page.text
    assert "after=bW9yZQ" in page.html


# ---- one request ----


def test_everything_about_a_request(tab: Tab, world: World) -> None:
    world.confirmed(EMAIL)
    a_case(world, subject="開示のお願い", legal_on=date(2026, 12, 24))
    page = tab.get(PATH)
    check_page("request", page)
    for said in (
        "開示: h***@***.jp",
        "期限まであと13日",
        "登録内容を開示してください。",
        "件名: 開示",
        "確からしさ 95%",
        "法律上の期限(GDPR) 2026年12月24日(木)",
        EMAIL,
        "まだです : 確認のリンクは送っていません。",
        "一斉メール 送れます",
        "これまでの経過",
        "ご本人 受付",
    ):
        assert said in page.text, said
    assert f'href="/console/contacts/{ME}"' in page.html
    assert "確認のリンクを送る" in shown_first(page)
    assert forms(page)[0] == "ask-identity"
    assert page.html.count("/ask-identity") == 1


def test_what_could_not_be_read_is_said(tab: Tab, world: World) -> None:
    a_case(world)
    mail = replace(
        world.cases.mails(CASE)[0],
        mail_id="ab" * 12,
        words="",
        attachments=2,
        unread=("no_text", "new_code"),
    )
    with_mail(world, mail)
    page = tab.get(PATH)
    check_page("unread", page)
    for said in (
        "読み取れなかったもの",
        "添付ファイルだけで、文章が",
        "new_code",
        "添付ファイル 2件",
    ):
        assert said in page.text


def test_what_people_write_is_shown_as_text(tab: Tab, world: World) -> None:
    a_case(world, subject=HOSTILE, hand_by="it-someone", hand_reason=HOSTILE, new_address=HOSTILE)
    become(world, refusal=HOSTILE)
    mail = replace(world.cases.mails(CASE)[0], mail_id="ab" * 12, words=HOSTILE, subject=HOSTILE)
    with_mail(world, mail)
    for page in (tab.get(PATH), act(tab, "refuse", reason=HOSTILE * 100)):
        assert "<script" not in page.html
        assert "&lt;script&gt;" in page.html


def test_the_identity_is_asked_and_confirmed(tab: Tab, world: World) -> None:
    world.confirmed(EMAIL)
    a_case(world)
    page = done(tab, act(tab, "ask-identity"), "ask-identity")
    assert "システムが処理しています" in shown_first(page)
    assert "確認のリンクをメールで送ります。" in shown_first(page)
    assert "ask-identity" not in forms(page)
    world.work()
    asked = tab.get(PATH)
    assert "ご本人がメールのリンクを開くのを待っています" in shown_first(asked)
    assert "リンクを送った日時 2026年11月24日(火)" in asked.text
    assert "リンクの期限 2026年11月27日(金)" in asked.text
    assert "ask-identity" in forms(asked)
    assert "<form" not in shown_first(asked)
    tab.now += timedelta(hours=80)
    assert "送ったリンクの期限が切れました。" in tab.get(PATH).text
    world.clock.advance(hours=80)
    world.sweep()
    expired = tab.get(PATH)
    assert "ご本人確認のリンクが期限切れ" in expired.text
    assert "リンクをもう一度送る" in shown_first(expired)


def test_two_people_verify_by_hand(tab: Tab, world: World, deps: Deps, outside: Front) -> None:
    a_case(world, kind=CaseKind.ERASURE)
    page = done(tab, act(tab, "verify", reason="来社し、免許証で確認"), "verify")
    assert "もう一人の担当者の同意が必要です" in page.text
    assert "あなたの確認だけでは足りません" in shown_first(page)
    assert "verify" not in forms(page)
    version = str(world.cases.get(CASE).version)
    refused = tab.post(f"{PATH}/verify", version=version, reason="自分で")
    assert refused.status == 403
    assert "別の担当者の同意が必要です" in refused.text
    other = of_team(deps, outside, "IT")
    first = other.get(PATH)
    assert "cs-someone さんの理由: 「来社し、免許証で確認」" in first.text
    page = done(other, act(other, "verify"), "verify")
    assert "ご本人と確認しました" in page.text
    assert "1人目 cs-someone" in page.text
    assert "2人目 it-someone" in page.text
    assert "削除の確認へ進む" in shown_first(page)


def test_an_erasure_is_approved_by_it_after_a_last_look(
    tab: Tab, world: World, deps: Deps, outside: Front
) -> None:
    world.confirmed(EMAIL)
    a_case(world, kind=CaseKind.ERASURE)
    assert tab.get(f"{PATH}/approve").location == f"/console{PATH}"
    become(world, state=CaseState.VERIFIED)
    assert "承認できるのは IT の担当者です。" in shown_first(tab.get(PATH))
    look = tab.get(f"{PATH}/approve")
    check_page("approve", look)
    assert "<button" not in look.html.partition("<main")[2]
    it = of_team(deps, outside, "IT")
    assert f'href="/console{PATH}/approve"' in shown_first(it.get(PATH))
    look = it.get(f"{PATH}/approve")
    check_page("approve", look)
    assert "削除は取り消せません" in look.text
    assert EMAIL in look.text
    page = done(it, it.post(f"{PATH}/approve", **hidden(look, "approve")), "approve")
    assert "個人情報を削除して、ご本人に知らせます。" in shown_first(page)
    world.work()
    after = it.get(PATH)
    assert "終了しています。" in shown_first(after)
    assert EMAIL not in after.html
    assert forms(after) == ["note"]


def test_an_approval_is_of_what_was_seen(world: World, deps: Deps, outside: Front) -> None:
    it = of_team(deps, outside, "IT")
    a_case(world, kind=CaseKind.ERASURE, state=CaseState.VERIFIED)
    seen = hidden(it.get(f"{PATH}/approve"), "approve")
    become(world, subject="変わった")
    refused = it.post(f"{PATH}/approve", **seen)
    assert refused.status == 409
    assert "この依頼の内容が変わりました。" in refused.text
    assert world.cases.get(CASE).task is Task.NONE


def test_a_new_address_is_entered(tab: Tab, world: World) -> None:
    world.confirmed(EMAIL)
    a_case(world, kind=CaseKind.CORRECTION, state=CaseState.VERIFIED)
    assert "/new-address" in shown_first(tab.get(PATH))
    wrong = act(tab, "new-address", email="hanako@gmail,com")
    check_page("mistyped", wrong)
    assert wrong.status == 422
    assert "もしかして: hanako@gmail.com" in wrong.text
    assert 'value="hanako@gmail,com"' in wrong.html
    page = done(tab, act(tab, "new-address", email=NEW), "new-address")
    assert f"新しいアドレス {NEW}" in page.text
    world.work()
    assert "新しいアドレスの確認のリンク" in tab.get(PATH).text


def test_what_may_mean_stop_is_decided(tab: Tab, world: World) -> None:
    world.confirmed(EMAIL)
    for choice, state in (
        ("配信停止にして完了する", "yes"),
        ("配信を続けることにして完了する", "no"),
    ):
        world.begin()
        world.confirmed(EMAIL)
        a_case(world, kind=CaseKind.INQUIRY, holds=True)
        page = tab.get(PATH)
        check_page("held", page)
        assert "配信停止のご希望かどうか" in shown_first(page)
        assert choice in shown_first(page)
        assert "配信を保留しています" in page.text
        answer = act(tab, "finish", unsubscribe=state)
        done(tab, answer, "finish")
        kinds = {event.kind for event in world.contacts.history(ME)}
        assert (EventKind.UNSUBSCRIBED in kinds) is (state == "yes")


def test_an_end_of_use_that_holds_is_ended_by_a_decision_too(tab: Tab, world: World) -> None:
    world.confirmed(EMAIL)
    a_case(world, kind=CaseKind.STOP_USE, holds=True)
    page = tab.get(PATH)
    check_page("held", page)
    assert "この方は、配信停止をご希望ですか。" in page.text
    assert forms(page).count("finish") == 2
    done(tab, act(tab, "finish", unsubscribe="yes"), "finish")
    assert world.contacts.history(ME)[-1].kind is EventKind.UNSUBSCRIBED


def test_a_decision_on_a_held_one_has_to_be_made(tab: Tab, world: World) -> None:
    a_case(world, kind=CaseKind.INQUIRY, holds=True)
    version = hidden(tab.get(PATH), f"{CASE}/finish")["version"]
    refused = tab.post(f"{PATH}/finish", version=version)
    assert refused.status == 422
    assert "配信停止のご希望かどうかを選んでください。" in refused.text
    assert world.cases.get(CASE).is_open


def test_an_inquiry_is_answered_noted_and_finished(tab: Tab, world: World) -> None:
    world.confirmed(EMAIL)
    a_case(world, kind=CaseKind.INQUIRY)
    page = tab.get(PATH)
    assert "/reply" in shown_first(page)
    assert page.html.count(f"{CASE}/reply") == 1
    page = done(tab, act(tab, "reply", text="お答えします。\r\nよろしく。"), "reply")
    assert "cs-someone の返信" in page.text
    assert len(world.ses.mails) == 1
    assert "/finish" in shown_first(page)
    page = done(tab, act(tab, "note", text="折り返しは午前に。"), "note")
    assert "折り返しは午前に。" in page.text
    page = done(tab, act(tab, "finish"), "finish")
    assert "終了しています。" in shown_first(page)
    assert "期限 2026年12月7日(月)" in page.text
    assert "あと" not in page.text.partition("次にすること")[0]
    assert set(forms(page)) == {"reply", "note"}


def test_a_refusal_is_told_in_the_words_of_staff(tab: Tab, world: World) -> None:
    world.confirmed(EMAIL)
    a_case(world)
    page = done(tab, act(tab, "refuse", reason="確認できませんでした。"), "refuse")
    assert "お断りの理由 確認できませんでした。" in page.text
    assert "お断りの理由を、ご本人にメールで知らせます。" in shown_first(page)
    assert forms(page)[-1] == "note"


def test_another_kind_goes_to_another_team(tab: Tab, world: World) -> None:
    a_case(world, kind=CaseKind.INQUIRY)
    page = tab.get(PATH)
    assert "確認は必要ありません" in page.text
    assert "verify" not in forms(page)
    page = done(tab, act(tab, "kind", kind="correction"), "kind")
    assert "いまは「変更・訂正」です。担当は IT です。" in page.text
    wrong = act(tab, "kind", kind="gift")
    assert wrong.status == 422
    check_page("wrong kind", wrong)


def test_of_another_kind_the_identity_is_no_longer_confirmed(tab: Tab, world: World) -> None:
    world.confirmed(EMAIL)
    a_case(world)
    world.cases.save(world.cases.get(CASE), by_two(world.cases.get(CASE), world.clock.now()))
    assert "確認済み : 担当者2人で確認しました。" in tab.get(PATH).text
    done(tab, act(tab, "kind", kind="correction"), "kind")
    world.work()
    page = tab.get(PATH)
    assert "担当者2人で確認しました。" not in page.text
    assert "まだです : ご本人がリンクを開くのを待っています。" in page.text


def test_where_nobody_knows_who_wrote(tab: Tab, world: World) -> None:
    a_case(world, contact_id=NOBODY, reply_to="", kind=CaseKind.INQUIRY)
    page = tab.get(PATH)
    check_page("nobody", page)
    assert "差出人がわかりません。" in shown_first(page)
    assert "差出人がわからないため、対象外です。" in page.text
    assert f"/contacts/{NOBODY}" not in page.html
    assert "差出人不明" in tab.get("/requests").text
    assert not {"reply", "ask-identity", "verify"} & set(forms(page))
    done(tab, act(tab, "finish"), "finish")


def test_two_people_at_once(tab: Tab, world: World) -> None:
    """The second is told, sees what is new, and has not lost what they wrote."""
    a_case(world, kind=CaseKind.INQUIRY)
    page = tab.get(PATH)
    old = hidden(page, f"{CASE}/note")
    done(tab, act(tab, "reply", text="先の返信"), "reply")
    refused = tab.post(f"{PATH}/note", **old, text="大事なメモ")
    check_page("conflict", refused)
    assert refused.status == 409
    assert "ほかの担当者、またはご本人の操作で、この依頼の内容が変わりました。" in refused.text
    assert "先の返信" in refused.text
    assert ">\n大事なメモ</textarea>" in refused.html
    assert hidden(refused, f"{CASE}/note")["version"] != old["version"]
    assert len(world.cases.mails(CASE)) == 2
    for version in ("", "x", "٣"):
        assert tab.post(f"{PATH}/note", version=version, text="メモ").status == 422


def test_an_uncertain_answer_is_not_offered_again(tab: Tab, world: World) -> None:
    a_case(world, kind=CaseKind.INQUIRY)
    world.ses.loses[EMAIL] = 1
    refused = act(tab, "reply", text="お答えします。")
    assert refused.status == 409
    assert "二重に送らないよう" in refused.text
    assert ">\nお答えします。</textarea>" not in refused.html
    assert "cs-someone の返信" in refused.text


def test_what_was_not_done_is_not_said_to_be(tab: Tab, world: World) -> None:
    a_case(world)
    for step in ("opened", "joined", "kind", "ask-identity", "verify", "approve", "new-address",
                 "refuse", "finish", "reply", "note", "other"):  # fmt: skip
        assert "banner success" not in tab.get(PATH, done=step).html, step


def test_the_original_is_fetched_by_a_link_of_minutes(tab: Tab, world: World) -> None:
    a_mail_nobody_answered(world)
    a_case(world)
    assert f'href="/console{PATH}/mails/{MAIL}"' in tab.get(PATH).html
    answer = tab.get(f"{PATH}/mails/{MAIL}")
    assert answer.status == 303
    assert re.search(r"(Expires|X-Amz-Expires)=", answer.location)
    gone = tab.get(f"{PATH}/mails/{'0' * 24}")
    check_page("gone", gone)
    assert gone.status == 404
    assert "このメールは見つかりません。" in gone.text


# ---- who sees what ----


@pytest.mark.parametrize("kind", CaseKind)
@pytest.mark.parametrize("state", CaseState)
def test_every_request_can_be_shown_and_offers_only_what_the_api_would_do(
    tab: Tab, world: World, kind: CaseKind, state: CaseState
) -> None:
    """Each button that a page shows is one that the API takes."""
    words: Mapping[str, dict[str, str]] = {
        "verify": {"reason": "来社"},
        "new-address": {"email": NEW},
        "refuse": {"reason": "できません。"},
        "finish": {"unsubscribe": "no"},
        "reply": {"text": "返信"},
        "note": {"text": "メモ"},
        "kind": {"kind": str(next(each for each in CaseKind if each is not kind))},
    }
    a_case(world, kind=kind, state=state)
    page = tab.get(PATH)
    check_page(f"{kind} {state}", page)
    assert "note" in forms(page)
    saved = world.saved()
    for step in forms(page):
        answer = tab.post(f"{PATH}/{step}", **hidden(page, f"{CASE}/{step}") | words.get(step, {}))
        assert answer.status == 303, (step, answer.text)
        world.restore(saved)
    assert world.cases.get(CASE).state is state


def test_gs_reads_and_has_no_button(world: World, deps: Deps, outside: Front) -> None:
    a_case(world)
    a_mail_nobody_answered(world)
    gs = of_team(deps, outside, "GS")
    for path in (PATH, "/requests", "/received", "/requests/new"):
        page = gs.get(path)
        check_page(path, page)
        assert "<button" not in page.html.partition("<main")[2], path
        assert "/mails/" not in page.html
    assert "対応できるのは CS・IT の担当者です。" in gs.get(PATH).text
    assert gs.post(f"{PATH}/note", version="1", text="メモ").status == 403


# ---- taking a request ----


def test_a_request_is_opened_from_a_contact(tab: Tab, world: World) -> None:
    world.confirmed(EMAIL)
    contact = tab.get(f"/contacts/{ME}")
    assert "この方からの依頼は、まだありません。" in contact.text
    assert f'href="/console/requests/new?contact={ME}"' in contact.html
    page = tab.get("/requests/new", contact=ME)
    check_page("new", page)
    assert f'name="email" value="{EMAIL}"' in page.html
    taken = {"email": EMAIL, "kind": "erasure", "words": "消して\r\nほしい", "language": "ja"}
    answer = tab.post("/requests", **taken, answer_to="")
    match = re.fullmatch(r"/console(/requests/[0-9a-f]{32})\?done=opened", answer.location)
    assert match
    opened = tab.get(match[1], done="opened")
    check_page("opened", opened)
    assert "依頼を開きました" in opened.text
    assert "cs-someone の聞き取り" in opened.text
    assert "/mails/" not in opened.html
    assert "社内での受付" in opened.text
    joined = tab.post("/requests", **taken, answer_to="")
    assert joined.location == f"/console{match[1]}?done=joined"
    assert "すでにある依頼に加えました" in tab.get(match[1], done="joined").text
    contact = tab.get(f"/contacts/{ME}")
    check_page("contact", contact)
    assert f'href="/console{match[1]}"' in contact.html
    assert "配信を保留中" in contact.text


def test_for_who_lost_the_mailbox_answers_go_elsewhere(tab: Tab, world: World) -> None:
    answer = tab.post(
        "/requests", email=EMAIL, kind="disclosure", words="電話", language="en", answer_to=NEW
    )
    page = tab.get(answer.location.removeprefix("/console").partition("?")[0])
    assert f"返信先 {NEW}" in page.text
    assert "言語 英語" in page.text
    assert "メールのリンクでは確認できない" in shown_first(page)
    assert "/verify" in shown_first(page)
    assert "/ask-identity" not in page.html
    assert f"/contacts/{ME}" not in page.html  # there is nothing to see


def test_an_incomplete_request_keeps_what_was_entered(tab: Tab, world: World) -> None:
    check_page("blank", tab.get("/requests/new"))
    page = tab.post(
        "/requests", email="x@", kind="erasure", words="消してほしい", language="en", answer_to=NEW
    )
    check_page("incomplete", page)
    assert page.status == 422
    assert 'aria-invalid="true"' in page.html
    assert 'value="erasure" required checked' in page.html
    assert 'value="en" required checked' in page.html
    assert ">\n消してほしい</textarea>" in page.html
    assert "<details open>" in page.html
    assert not world.cases.queue(team=None, limit=10).cases
    check_page("nothing", tab.post("/requests"))
    assert tab.get("/requests/new", contact="0" * 31 + "1").status == 404


# ---- mail nobody answered ----


def test_mail_that_nobody_answered_becomes_a_request(tab: Tab, world: World) -> None:
    page = tab.get("/received")
    check_page("nothing", page)
    assert "返信しなかったメールはありません。" in page.text
    a_mail_nobody_answered(world, text="開示してください。")
    page = tab.get("/received")
    check_page("received", page)
    assert "プログラムが自動で送ったメールです。" in page.text
    assert "一斉メールへの返信" in page.text
    answer = tab.post(f"/received/{MAIL}/open", kind="disclosure")
    match = re.fullmatch(r"/console(/requests/[0-9a-f]{32})\?done=opened", answer.location)
    assert match
    assert "開示してください。" in tab.get(match[1], done="opened").text
    again = tab.post(f"/received/{MAIL}/open", kind="disclosure")
    check_page("again", again)
    assert again.status == 409
    assert "このメールからの依頼はすでにあります。" in again.text
    assert tab.post(f"/received/{MAIL}/open", kind="gift").status == 422


def test_the_list_of_mails_goes_on(tab: Tab, world: World) -> None:
    for number in range(52):
        a_mail_nobody_answered(world, mail_id=f"{number:024x}")
    first = tab.get("/received")
    link = re.search(r'received\?after=([\w%-]+)"', first.html)
    assert link
    second = tab.get("/received", after=link[1])
    assert second.html.count('<li class="card') == 2
    assert "最初から見る" in second.text


def test_an_erased_mail_is_only_a_line(tab: Tab, world: World, outside: Front) -> None:
    a_mail_nobody_answered(world)
    listed = world.ask_staff("GET", "/received").json
    listed["mails"][0] |= {"readable": False, "mailbox": None, "contact_id": NOBODY}
    outside.canned["GET /received"] = listed
    page = tab.get("/received")
    assert "メールの内容は削除されています。" in page.text
    assert "宛先不明" in page.text
    assert "<form" not in page.html.partition("<main")[2]
    assert "/contacts/" not in page.html


# ---- when the API cannot ----


def test_what_was_written_is_not_lost_with_the_api(tab: Tab, world: World, outside: Front) -> None:
    a_case(world, kind=CaseKind.INQUIRY)
    outside.faults[f"POST {PATH}/reply"] = [lambda: Unavailable("ses:down")]
    page = act(tab, "reply", text="長い返信")
    assert page.status == 503
    assert ">\n長い返信</textarea>" in page.html
    outside.faults[f"POST {PATH}/reply"] = [lambda: b"drop"]
    unsure = act(tab, "reply", text="長い返信")
    assert "操作は完了しているかもしれません。" in unsure.text
    outside.faults["POST /requests"] = [lambda: Conflict("x", "いまはできません。", "No.")]
    assert "いまはできません。" in tab.post("/requests", email=EMAIL, words="話").text


def test_no_words_and_no_address_reach_the_log(
    tab: Tab, world: World, logged: Callable[[], str]
) -> None:
    a_case(world, kind=CaseKind.INQUIRY)
    act(tab, "reply", text="秘密の返信")
    tab.post("/requests", email=NEW, kind="erasure", words="秘密の話", language="ja")
    said = logged()
    assert "request answered" in said
    for personal in ("秘密", NEW, EMAIL):
        assert personal not in said
