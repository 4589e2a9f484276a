"""The staff routes: who may use them, and what they say to a mistake."""

from __future__ import annotations

import re

import pytest

from tests.e2e.product import Http, Product, Staff, unique

pytestmark = pytest.mark.e2e

SOMEBODY = "0" * 32
NOWHERE = "0" * 12
ACTIONS = (
    "test", "approve", "schedule", "unschedule", "send", "pause", "resume", "cancel", "clone",
    "dry-run",
)  # fmt: skip
ACTION_BODIES = {"test": {"to": "a@example.jp"}, "schedule": {"at": "2099-01-01T10:00"}}
REQUEST_ACTIONS: dict[str, dict[str, object]] = {
    "kind": {"kind": "inquiry"},
    "ask-identity": {},
    "verify": {"reason": "来社し、運転免許証で確認"},
    "approve": {},
    "new-address": {"email": "a@example.jp"},
    "refuse": {"reason": "ご本人と確認できなかったため。"},
    "finish": {},
    "reply": {"text": "ご連絡ありがとうございます。"},
    "note": {"text": "平日の午前に折り返し。"},
}
ROUTES = [
    ("POST", "/contacts/lookup"),
    ("GET", f"/contacts/{SOMEBODY}"),
    ("GET", "/registrations?status=pending"),
    ("POST", "/registrations"),
    ("POST", "/unsubscriptions"),
    ("GET", "/forms"),
    ("POST", "/forms"),
    ("PUT", "/forms/sakura-city"),
    ("GET", "/campaigns"),
    ("POST", "/campaigns"),
    ("PUT", f"/campaigns/{NOWHERE}"),
    *(("POST", f"/campaigns/{NOWHERE}/{action}") for action in ACTIONS),
    ("GET", f"/campaigns/{NOWHERE}/lint"),
    ("GET", f"/campaigns/{NOWHERE}/recipients/{SOMEBODY}"),
    ("POST", f"/campaigns/{NOWHERE}/recipients/lookup"),
    ("POST", "/audience/dry-run"),
    ("GET", f"/contacts/{SOMEBODY}/proof"),
    ("POST", "/contacts/proof"),
    ("POST", f"/contacts/{SOMEBODY}/lift-bounce"),
    ("POST", f"/contacts/{SOMEBODY}/residence"),
    ("GET", "/requests"),
    ("POST", "/requests"),
    ("GET", f"/requests/{SOMEBODY}"),
    *(("POST", f"/requests/{SOMEBODY}/{action}") for action in REQUEST_ACTIONS),
    ("GET", f"/requests/{SOMEBODY}/mails/{'0' * 24}/raw"),
    ("GET", "/received"),
    ("POST", f"/received/{'0' * 24}/open"),
    ("GET", "/no/such/route"),
]


@pytest.fixture
def advisor(product: Product) -> Staff:
    return product.staff("CS")


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("token", ["", "Bearer x", "Bearer {forged}", "Basic eDp4"])
def test_without_a_token_nothing(product: Product, method: str, path: str, token: str) -> None:
    real = product.staff("CS").headers["Authorization"].removeprefix("Bearer ")
    token = token.format(forged=real[:-8] + "AAAAAAAA")
    staff = Http(product.stack["staff_api_url"], {"Authorization": token} if token else {})
    body = "{}" if method in ("POST", "PUT") else None
    answer = staff.send(method, path, body, {"Content-Type": "application/json"})
    assert answer.status == 401


@pytest.mark.parametrize(
    ("team", "method", "path", "content"),
    [
        ("IT", "POST", "/registrations", {"contact_id": SOMEBODY, "submission_id": "0" * 24}),
        ("IT", "POST", "/campaigns", {"subject": "件名", "body": "本文"}),
        *(
            ("IT", "POST", f"/campaigns/{NOWHERE}/{action}", ACTION_BODIES.get(action, {}))
            for action in ACTIONS
            if action != "dry-run"  # reads only
        ),
        ("IT", "PUT", f"/campaigns/{NOWHERE}", {"subject": "件名", "body": "本文"}),
        ("IT", "POST", f"/contacts/{SOMEBODY}/lift-bounce", {"reason": "お電話"}),
        ("GS", "POST", f"/contacts/{SOMEBODY}/residence", {"region": "EU"}),
        *(("GS", "POST", f"/requests/{SOMEBODY}/{action}", {}) for action in REQUEST_ACTIONS),
        ("CS", "POST", f"/requests/{SOMEBODY}/approve", {"version": 1}),
        ("GS", "POST", "/requests", {}),
        ("GS", "POST", f"/received/{'0' * 24}/open", {}),
        (
            "CS",
            "POST",
            "/forms",
            {"form_id": "abc", "kind": "web_form", "title_ja": "題", "title_en": "t"},
        ),
        (
            "CS",
            "PUT",
            "/forms/{web_form}",
            {"kind": "web_form", "title_ja": "題", "title_en": "t"},
        ),
    ],
)
def test_the_wrong_team_is_refused_and_nothing_happens(
    product: Product, team: str, method: str, path: str, content: dict[str, str]
) -> None:
    web_form = product.form("web_form")
    before = product.describe(web_form)["title"]
    staff = product.staff(team)
    post = staff.put_json if method == "PUT" else staff.post_json
    told = post(path.format(web_form=web_form), content).problem(403)
    assert told["code"] == "wrong_team"
    assert product.staff("GS").get(f"/forms/{web_form}").json()["title_ja"] == before["ja"]


def test_whoever_is_in_no_team_is_refused(product: Product) -> None:
    """Signed in, but in none of the three groups (manual D2)."""
    cognito, pool = product.aws.cognito, product.output("UserPoolId")
    name, password = unique("stranger").replace(" ", "-"), "Stranger-2026-aZ7"
    cognito.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    try:
        cognito.admin_set_user_password(
            UserPoolId=pool, Username=name, Password=password, Permanent=True
        )
        stranger = product.sign_in(name, password)
        stranger.get("/forms").problem(403)
        stranger.get("/registrations").problem(403)
        stranger.post_json("/contacts/lookup", {"email": "a@example.jp"}).problem(403)
    finally:
        cognito.admin_delete_user(UserPoolId=pool, Username=name)


def test_the_description(product: Product) -> None:
    answer = Http(product.stack["staff_api_url"]).get("/openapi.json")
    assert (answer.status, answer.type) == (200, "application/json")
    described = answer.json()
    assert re.fullmatch(r"3\.1\.\d+", described["openapi"])
    nouns = {path.split("/")[1] for path in described["paths"]}
    assert nouns >= {
        "contacts",
        "registrations",
        "unsubscriptions",
        "forms",
        "campaigns",
        "audience",
    }
    for operations in described["paths"].values():
        for operation in operations.values():
            assert operation["summary"]


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("/contacts/lookup", {"email": "taro"}, 422),
        ("/contacts/lookup", {"email": 1}, 422),
        ("/contacts/lookup", {}, 422),
        ("/contacts/lookup", {"email": "a@example.jp", "more": "x"}, 422),
        ("/contacts/lookup", {"email": "x" * 100_000 + "@example.jp"}, 422),
        ("/contacts/lookup", [], 422),
        ("/registrations", {"contact_id": "x", "submission_id": "y"}, 422),
        ("/registrations", {"contact_id": SOMEBODY, "submission_id": "0" * 24}, 404),
        ("/unsubscriptions", {"reason": "電話で"}, 422),
        ("/unsubscriptions", {"email": "a@example.jp", "contact_id": SOMEBODY, "reason": "x"}, 422),
        ("/unsubscriptions", {"email": "a@example.jp", "reason": ""}, 422),
        ("/campaigns", {"subject": "", "body": "本文"}, 422),
        ("/campaigns", {"subject": "件名\nBcc: x@example.jp", "body": "本文"}, 422),
        ("/campaigns", {"subject": "件名", "body": "あ" * 20_001}, 422),
        (f"/campaigns/{NOWHERE}/send", {}, 404),
        ("/campaigns/x/send", {}, 422),
        (f"/campaigns/{NOWHERE}/clone", {}, 404),
        (f"/campaigns/{NOWHERE}/schedule", {"at": "2099-01-01"}, 422),
        (f"/campaigns/{NOWHERE}/schedule", {"at": "明日の朝"}, 422),
        (f"/campaigns/{NOWHERE}/recipients/lookup", {"email": "taro"}, 422),
        ("/audience/dry-run", {"received": NOWHERE}, 404),
        ("/audience/dry-run", {"received": "x"}, 422),
        ("/audience/dry-run", {"colour": "x"}, 422),
        ("/contacts/proof", {"email": "taro"}, 422),
        ("/contacts/proof", {"email": "a@example.jp", "format": "pdf"}, 422),
        (f"/contacts/{SOMEBODY}/lift-bounce", {"reason": " "}, 422),
        (f"/contacts/{SOMEBODY}/residence", {"region": "DE"}, 422),
        (f"/contacts/{SOMEBODY}/residence", {"region": "EU"}, 404),
        ("/requests", {"kind": "disclosure", "email": "taro", "words": "開示"}, 422),
        ("/requests", {"kind": "gift", "email": "a@example.jp", "words": "開示"}, 422),
        (f"/requests/{SOMEBODY}/note", {"text": "メモ"}, 422),
        (f"/requests/{SOMEBODY}/note", {"version": 1, "text": "メモ"}, 404),
        ("/requests/x/note", {"version": 1, "text": "メモ"}, 422),
        (f"/received/{'0' * 24}/open", {}, 404),
        ("/no/such/route", {}, 404),
    ],
)
def test_mistakes_are_told(advisor: Staff, path: str, content: object, status: int) -> None:
    told = advisor.post_json(path, content).problem(status)
    if status == 422:
        assert told["errors"]


def test_what_is_no_json_is_told(advisor: Staff) -> None:
    for body in (b'{"email": ', b"\xff\xfe", b"email=a@example.jp", b""):
        answer = advisor.send(
            "POST", "/contacts/lookup", body, {"Content-Type": "application/json"}
        )
        assert answer.status in (400, 422)
        answer.problem(answer.status)


@pytest.mark.parametrize("after", ["x", "x@y", "@", "%00", "%ff", "a" * 80, "0" * 32 + "@2026"])
def test_a_wrong_place_in_the_list_is_no_failure(advisor: Staff, after: str) -> None:
    for path in ("/registrations?status=pending", "/requests?state=open", "/received?limit=9"):
        advisor.get(f"{path}&after={after}").problem(422)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"consent_version": 99}, "consent_version"),
        ({"purpose_version": 99}, "purpose_version"),
        ({"municipality": ""}, "municipality"),
        ({"form_id": "A B"}, "form_id"),
        ({"allowed_origins": ["*"]}, "allowed_origins"),
        ({"thanks_url": "javascript:alert(1)"}, "thanks_url"),
        ({"fields": [{"name": "email", "label_ja": "メール"}]}, "fields"),
    ],
)
def test_a_form_that_breaks_the_manual_is_not_published(
    product: Product, changed: dict[str, object], field: str
) -> None:
    """A1: not without the checkbox wording; A6: not without the purpose of use."""
    form = {
        "form_id": unique("e2e").replace(" ", "-"),
        "kind": "municipal_lp",
        "title_ja": "もみじ市 空き家相談",
        "title_en": "Momiji City",
        "municipality": "もみじ市",
        **changed,
    }
    told = product.staff("GS").post_json("/forms", form).problem(422)
    assert [wrong["field"] for wrong in told["errors"]] == [field]
    product.staff("GS").get(f"/forms/{form['form_id']}".replace(" ", "%20")).problem(404)


def test_a_form_id_is_taken_once(product: Product) -> None:
    form_id = product.new_form()
    again = {"form_id": form_id, "kind": "web_form", "title_ja": "題", "title_en": "t"}
    product.staff("GS").post_json("/forms", again).problem(409)
    assert product.staff("GS").get(f"/forms/{form_id}").json()["kind"] == "municipal_lp"


def test_without_an_opt_in_nobody_is_registered(product: Product, advisor: Staff) -> None:
    """A3: no opt-in, no list; and none that was withdrawn since."""
    address = product.address("a3")
    submission = product.submit(product.form("municipal_lp"), address)["submission_id"]
    contact_id = advisor.held(address)["contact_id"]
    wish = {"contact_id": contact_id, "submission_id": submission}
    told = advisor.post_json("/registrations", wish).problem(409)
    assert "A3" in told["detail"]
    yes = product.submit(product.form("municipal_lp"), address, ticked=True)["submission_id"]
    advisor.post_json(
        "/unsubscriptions", {"email": address, "reason": "電話で停止のご希望", "channel": "phone"}
    )
    wish = {"contact_id": contact_id, "submission_id": yes}
    told = advisor.post_json("/registrations", wish).problem(409)
    assert "S4" in told["detail"]
    assert not advisor.eligible(address)
    assert advisor.kinds(address) == ["box_left_unticked", "opted_in", "unsubscribed"]


def test_staff_may_stop_mail_for_anybody(product: Product) -> None:
    """S3: by whoever hears it, also for an address nobody has given us yet."""
    for team in ("CS", "GS", "IT"):
        address = product.subscriber("s3")
        staff = product.staff(team)
        reason = product.note(unique("お電話"))
        stop = {"email": address, "reason": reason, "channel": "phone"}
        assert staff.post_json("/unsubscriptions", stop).status == 200
        last = staff.held(address)["history"][-1]
        assert (last["kind"], last["source"]) == ("unsubscribed", "phone")
        assert last["details"]["operator"] == product.user(team)["username"]
        assert last["details"]["reason"] == reason
        assert not staff.eligible(address)
    stranger = product.address("stranger")
    stop = {"email": stranger, "reason": "口頭で"}
    assert product.staff("CS").post_json("/unsubscriptions", stop).status == 200
    product.submit(product.form("web_form"), stranger)
    assert product.staff("CS").held(stranger)["verdict"]["reason"] == "unsubscribed"


def test_a_campaign_is_sent_once(product: Product, advisor: Staff) -> None:
    audience, [address] = product.readers(1)
    subject = unique("一度だけ")
    sent = advisor.campaign(subject, audience=audience)
    assert sent["figures"] == {"sent": 1}
    advisor.post_json(f"/campaigns/{sent['campaign_id']}/send", {}).problem(409)
    [mail] = product.mails(address, subject)
    [entry] = [
        e for e in advisor.held(address)["campaigns"] if e["campaign_id"] == sent["campaign_id"]
    ]
    assert entry["outcome"] == "sent"
    assert entry["message_id"] in mail["headers"]["Message-ID"]


def test_who_cannot_be_mailed_is_skipped_with_the_reason(product: Product, advisor: Staff) -> None:
    """An old docomo address is kept, matched, and never mailed."""
    address = product.note(product.address("a").replace("@example.jp", "..b@docomo.ne.jp"))
    form_id = product.new_form("web_form")
    product.submit(form_id, address)
    sent = advisor.campaign(unique("古い携帯電話"), audience={"form_ids": [form_id]})
    [entry] = advisor.held(address)["campaigns"]
    assert (entry["outcome"], entry["reason"]) == ("skipped", "legacy_address")
    assert sent["skipped"] == {"legacy_address": 1}
    assert product.mails(address) == []
