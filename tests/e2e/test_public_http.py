"""The public routes as programs use them, by the contract."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from tests.e2e.product import BROWSER, URLENCODED, Http, Product, Reply, settings, unique

pytestmark = pytest.mark.e2e

Post = Callable[[Http, str, dict[str, str]], Reply]
POSTS: dict[str, Post] = {
    "json": lambda http, path, fields: http.post_json(path, fields),
    "urlencoded": lambda http, path, fields: http.post_form(path, fields),
    "multipart": lambda http, path, fields: http.post_multipart(path, fields),
}


@pytest.fixture(scope="module")
def form_id(product: Product) -> str:
    """A municipal form of this module's own."""
    return product.new_form()


# ---- forms ----


def test_health(product: Product) -> None:
    assert product.site.get("/health").status == 200


def test_head_is_answered_like_get(product: Product, form_id: str) -> None:
    for path in ("/health", f"/forms/{form_id}"):
        answer = product.site.send("HEAD", path, headers=BROWSER)
        assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("post", POSTS.values(), ids=POSTS)
@pytest.mark.parametrize("ticked", [True, False], ids=["ticked", "unticked"])
def test_a_post_of_each_type_is_answered_and_stored(
    product: Product, form_id: str, post: Post, *, ticked: bool
) -> None:
    address = product.address("post")
    answer = post(product.site, f"/forms/{form_id}", product.entry(form_id, address, ticked=ticked))
    assert (answer.status, answer.type) == (201, "application/json")
    content = answer.json()
    assert content.keys() == {"submission_id", "status"}
    assert content["status"] == ("opted_in" if ticked else "not_opted_in")
    [stored] = product.staff("IT").held(address)["history"]
    assert stored["event_id"] == content["submission_id"]
    assert stored["kind"] == ("opted_in" if ticked else "box_left_unticked")


def test_json_may_say_true_or_false(product: Product, form_id: str) -> None:
    for ticked, status in ((True, "opted_in"), (False, "not_opted_in"), (None, "not_opted_in")):
        content = {"email": product.address("bool"), "opt_in": ticked}
        answer = product.site.post_json(f"/forms/{form_id}", content)
        assert (answer.status, answer.json()["status"]) == (201, status)


def test_another_form_only_tells(product: Product) -> None:
    address = product.address("told")
    assert product.submit(product.form("web_form"), address)["status"] == "notified"
    assert product.staff("IT").eligible(address)


def test_a_browser_is_led_to_the_thanks_page(product: Product, form_id: str) -> None:
    entry = product.entry(form_id, product.address("browser"), ticked=True)
    answer = product.site.post_form(f"/forms/{form_id}", entry, BROWSER)
    assert answer.status == 303
    assert answer.headers["Set-Cookie"] is None
    assert answer.headers["Location"] == f"{form_id}/thanks?status=opted_in"
    thanks = product.site.get(f"/forms/{answer.headers['Location']}", BROWSER)
    assert (thanks.status, thanks.type) == (200, "text/html")


def test_the_municipality_may_have_its_own_thanks_page(product: Product) -> None:
    own = "https://www.city.momiji.example.jp/thanks"
    form_id = product.new_form(thanks_url=own)
    entry = product.entry(form_id, product.address("thanks"))
    answer = product.site.post_form(f"/forms/{form_id}", entry, BROWSER)
    assert (answer.status, answer.headers["Location"]) == (303, own)


def test_the_answer_does_not_tell_whether_an_address_is_known(
    product: Product, form_id: str
) -> None:
    known, unknown = product.address("known"), product.address("unknown")
    product.submit(form_id, known, ticked=True)
    product.staff("CS").confirm(known)
    for headers in ({}, BROWSER):
        first, second = (
            product.site.post_form(
                f"/forms/{form_id}", product.entry(form_id, address, ticked=True), headers
            )
            for address in (known, unknown)
        )
        assert _without_ids(first) == _without_ids(second)


def _without_ids(answer: Reply) -> tuple[object, ...]:
    body = re.sub(r'"submission_id": "[0-9a-f]{24}"', "", answer.text)
    headers = {
        name: "" if name.lower() in {"date", "apigw-requestid"} else value
        for name, value in answer.headers.items()
    }
    return answer.status, headers, body


# ---- what a form refuses; {email} stands for an address of the test's own ----

BAD = {
    "no JSON": (400, b'{"email": ', "application/json"),
    "a JSON list": (400, b'["{email}"]', "application/json"),
    "deep JSON": (400, b"[" * 30_000, "application/json"),
    "not UTF-8": (400, b"email={email}&opt_in=on&x=%ff", URLENCODED),
    # The gateway hands JSON on as text, so what was no letter arrives as one that is refused.
    "not UTF-8, JSON": (422, b'{"email": "{email}\xff"}', "application/json"),
    "multipart without a boundary": (400, b"{email}", "multipart/form-data"),
    "multipart cut off": (
        400,
        b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n{email}',
        "multipart/form-data; boundary=x",
    ),
    "too large": (413, b"email={email}&x=" + b"a" * 70_000, URLENCODED),
    "a megabyte": (413, b"email=" + b"a" * 1_000_000 + b"@example.jp", URLENCODED),
    "more than the gateway takes": (413, b"email={email}&x=" + b"a" * 11_000_000, URLENCODED),
    "text": (415, b"{email}", "text/plain"),
    "no type": (415, b"email={email}", ""),
    "nothing": (422, b"", URLENCODED),
    "no address": (422, b"email=&opt_in=on", URLENCODED),
    "no address at all": (422, b'{"email": "taro"}', "application/json"),
    "a number": (422, b'{"email": 1}', "application/json"),
    "an address twice": (422, b"email={email}&email={email}", URLENCODED),
    "an address twice, JSON": (
        422,
        b'{"email": "{email}", "email": "{email}"}',
        "application/json",
    ),
    "a NUL": (422, b"email={email}%00", URLENCODED),
    "half a letter": (422, b'{"email": "{email}\\ud800"}', "application/json"),
    "an odd tick": (422, b"email={email}&opt_in=perhaps", URLENCODED),
    "another wording": (422, b"email={email}&wording=notice/1/ja", URLENCODED),
    "the trap": (422, b"email={email}&website=x", URLENCODED),
    "too fast": (422, b"email={email}&rendered_at=2999-01-01T00:00:00.000Z", URLENCODED),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_and_nothing_is_stored(product: Product, form_id: str, case: str) -> None:
    status, body, media_type = BAD[case]
    address = product.address("bad")
    body = body.replace(b"{email}", address.encode())
    headers = {"Content-Type": media_type} if media_type else {}
    told = product.site.send("POST", f"/forms/{form_id}", body, headers).problem(status)
    if status == 422:
        assert told["errors"], told
        for wrong in told["errors"]:
            assert re.search("[ぁ-ん]", wrong["detail"]), wrong
        named = {wrong["field"] for wrong in told["errors"]}
        assert named <= {"email", "opt_in", "wording", "website", "rendered_at"}
    assert product.staff("IT").contact(address) is None
    in_browser = product.site.send("POST", f"/forms/{form_id}", body, {**headers, **BROWSER})
    assert in_browser.status == status
    if len(body) < 10_000_000:  # beyond, the gateway answers by itself
        assert in_browser.type == "text/html"
        assert "</form>" in in_browser.text
    assert product.staff("IT").contact(address) is None


def test_declared_fields_are_checked_and_others_are_not_kept(product: Product) -> None:
    field = {"name": "nickname", "label_ja": "ニックネーム", "required": True, "max_length": 5}
    form_id = product.new_form(fields=[field])
    address = product.address("fields")
    for value in ("", "123456"):
        told = product.site.post_json(f"/forms/{form_id}", {"email": address, "nickname": value})
        [wrong] = told.problem(422)["errors"]
        assert wrong["field"] == "nickname"
        assert "ニックネーム" in wrong["detail"]
    assert product.staff("IT").contact(address) is None
    kept = product.note(unique("あ")[:5])
    stray = product.note(unique("stray"))
    content = {"email": address, "nickname": kept, "undeclared": stray}
    assert product.site.post_json(f"/forms/{form_id}", content).status == 201
    contact = product.staff("IT").held(address)
    assert contact["history"][0]["personal"]["field.nickname"] == kept
    assert stray not in json.dumps(contact, ensure_ascii=False)


def test_a_likely_correction_is_offered(product: Product, form_id: str) -> None:
    typed = product.address("typo").replace("@example.jp", "@docomo.ne.j")
    product.note(typed)
    told = product.site.post_json(f"/forms/{form_id}", {"email": typed}).problem(422)
    [wrong] = told["errors"]
    assert wrong["suggestion"] == f"{typed}p"


def test_an_address_is_folded_and_what_was_typed_is_kept(product: Product, form_id: str) -> None:
    address = product.address("fold")
    typed = product.note(
        "  " + "".join(chr(ord(c) + 0xFEE0) for c in address).replace("．ｊｐ", "。ｊｐ")
    )
    answer = product.site.post_json(f"/forms/{form_id}", {"email": typed})
    assert answer.status == 201
    contact = product.staff("IT").held(address)
    assert (contact["address"], contact["typed"]) == (address, typed)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/forms/{form_id}", 405),
        ("DELETE", "/forms/{form_id}", 405),
        ("POST", "/forms/{form_id}/thanks", 405),
        ("POST", "/forms/{form_id}/embed", 405),
        ("POST", "/health", 405),
        ("PUT", "/u/x", 405),
        ("GET", "/u/x/undo", 405),
        ("GET", "/u/x/reason", 405),
        ("GET", "/forms/no-such-form", 404),
        ("POST", "/forms/no-such-form", 404),
        ("GET", "/forms/no-such-form/thanks", 404),
        ("GET", "/forms/no-such-form/embed", 404),
        ("GET", "/forms/{form_id}/thanks?status=notified", 404),
        ("GET", "/forms/%00%ff", 404),
        ("GET", "/forms/" + "x" * 3000, 404),
        ("GET", "/forms", 404),
        ("GET", "/", 404),
        ("GET", "/favicon.ico", 404),
    ],
)
def test_wrong_ways(product: Product, form_id: str, method: str, path: str, status: int) -> None:
    path = path.format(form_id=form_id)
    fields = {"email": product.address("wrong-way")}
    for headers in ({}, BROWSER):
        if method == "POST":
            answer = product.site.post_form(path, fields, headers)
        else:
            answer = product.site.send(method, path, headers=headers)
        if status == 405:
            assert method not in (answer.headers["Allow"] or method).split(", ")
        if headers:
            assert (answer.status, answer.type) == (status, "text/html")
        else:
            answer.problem(status)
    assert product.staff("IT").contact(fields["email"]) is None


# ---- other origins ----


def test_scripts_of_an_allowed_origin_may_post_and_no_others(product: Product) -> None:
    allowed, other = "https://www.city.momiji.example.jp", "https://www.example.com"
    form_id = product.new_form(allowed_origins=[allowed])
    path = f"/forms/{form_id}"
    asked = {"Access-Control-Request-Method": "POST"}

    preflight = product.site.send("OPTIONS", path, headers={"Origin": allowed, **asked})
    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == allowed
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "content-type" in preflight.headers["Access-Control-Allow-Headers"].lower()
    assert "Origin" in preflight.headers["Vary"]
    address = product.address("origin")
    posted = product.site.post_json(path, {"email": address}, {"Origin": allowed})
    assert posted.status == 201
    assert posted.headers["Access-Control-Allow-Origin"] == allowed
    wrong = product.site.post_json(path, {"email": "x"}, {"Origin": allowed})
    assert wrong.headers["Access-Control-Allow-Origin"] == allowed, "scripts must read the error"
    wrong.problem(422)

    preflight = product.site.send("OPTIONS", path, headers={"Origin": other, **asked})
    assert preflight.status == 403
    assert preflight.headers["Access-Control-Allow-Origin"] is None
    address = product.address("origin")
    posted = product.site.post_json(path, {"email": address}, {"Origin": other})
    posted.problem(403)
    assert posted.headers["Access-Control-Allow-Origin"] is None
    assert product.staff("IT").contact(address) is None


# ---- throttling ----


def test_at_least_600_posts_a_minute_are_allowed_here(product: Product) -> None:
    config = product.aws.functions.get_function_configuration(
        FunctionName=product.function("form_intake")
    )
    assert int(config["Environment"]["Variables"]["POSTS_PER_MINUTE_PER_SOURCE"]) >= 600


def test_too_many_posts_of_a_source(product: Product, form_id: str) -> None:
    path = f"/forms/{form_id}"
    with settings(product, "form_intake", POSTS_PER_MINUTE_PER_SOURCE="2"):
        # A minute may end in between, so five posts are surely two too many in one of them.
        posts = [(a := product.address("many"), product.site.post_json(path, {"email": a}))
                 for _ in range(5)]  # fmt: skip
        refused = [(address, answer) for address, answer in posts if answer.status != 201]
        assert refused
        for address, answer in refused:
            answer.problem(429)
            assert 0 < int(answer.headers["Retry-After"]) <= 60
            assert product.staff("IT").contact(address) is None
        form = product.site.post_form(path, product.entry(form_id, refused[0][0]), BROWSER)
        if form.status != 303:
            assert (form.status, form.type) == (429, "text/html")
            assert int(form.headers["Retry-After"]) > 0
            assert "しばらく待ってから" in form.text
    answer = product.site.post_json(path, {"email": refused[0][0]})
    assert answer.status == 201, answer.text


def test_too_many_posts_of_one_address(product: Product, form_id: str) -> None:
    path, address = f"/forms/{form_id}", product.address("often")
    with settings(product, "form_intake", POSTS_PER_HOUR_PER_ADDRESS="2"):
        answers = [product.site.post_json(path, {"email": address}) for _ in range(5)]
        refused = [answer for answer in answers if answer.status != 201]
        assert refused
        for answer in refused:
            answer.problem(429)
            assert 0 < int(answer.headers["Retry-After"]) <= 3600
        other = product.site.post_json(path, {"email": product.address("seldom")})
        assert other.status == 201
    assert len(product.staff("IT").kinds(address)) == len(answers) - len(refused)


# ---- unsubscribing ----


def test_getting_the_link_changes_nothing(product: Product) -> None:
    address, link = product.subscriber_with_link()
    for _ in range(2):
        page = product.site.get(link, BROWSER)
        assert (page.status, page.type) == (200, "text/html")
        assert address not in page.text
        assert page.headers["Cache-Control"] == "no-store"
    assert product.site.get(link).json() == {
        "address": "h***@***.jp",
        "already_unsubscribed": False,
    }
    assert product.staff("IT").kinds(address) == ["notified"]


ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.mark.parametrize(
    ("post", "source"),
    [
        pytest.param(lambda s, u: s.post_form(u, ONE_CLICK), "one_click", id="urlencoded"),
        pytest.param(lambda s, u: s.post_multipart(u, ONE_CLICK), "one_click", id="multipart"),
        pytest.param(lambda s, u: s.post_form(u, ONE_CLICK, BROWSER), "one_click", id="browser"),
        pytest.param(lambda s, u: s.send("POST", u), "link", id="nothing"),
        pytest.param(lambda s, u: s.post_form(u, {"lang": "ja"}), "link", id="form"),
        pytest.param(lambda s, u: s.send("POST", u, b"\xff" * 100_000), "link", id="rubbish"),
    ],
)
def test_one_post_unsubscribes(
    product: Product, post: Callable[[Http, str], Reply], source: str
) -> None:
    address, link = product.subscriber_with_link()
    for _ in range(3):
        answer = post(product.site, link)
        assert answer.status == 200
        assert answer.headers["Set-Cookie"] is None
        assert answer.headers["Location"] is None
    verdict = product.staff("IT").held(address)["verdict"]
    assert (verdict["eligible"], verdict["reason"]) == (False, "unsubscribed")
    refusal = next(c for c in verdict["conditions"] if c["name"] == "refusal")
    assert refusal["evidence"]["source"] == source
    told = product.site.get(link).json()
    assert told["already_unsubscribed"] is True


def test_only_a_ticked_box_starts_it_again(product: Product) -> None:
    address, link = product.subscriber_with_link()
    product.site.post_form(link, ONE_CLICK)
    told = product.site.post_form(f"{link}/undo", {}).problem(422)
    assert [wrong["field"] for wrong in told["errors"]] == ["opt_in"]
    product.submit(product.form("web_form"), address)
    assert product.staff("IT").held(address)["verdict"]["reason"] == "unsubscribed"
    assert product.site.post_form(f"{link}/undo", {"opt_in": "on"}).status == 200
    assert product.staff("IT").eligible(address)
    assert product.site.post_form(f"{link}/reason", {"reason": "because"}).problem(422)
    product.site.post_form(f"{link}/reason", {"reason": "other"})
    assert product.staff("IT").eligible(address), "a reason gates nothing"


def test_forged_links_open_nothing(product: Product) -> None:
    address, link = product.subscriber_with_link()
    token = link.rpartition("/")[2]
    turned = "B" if token[20] == "A" else "A"
    forged = [
        token[:-1],
        token + "A",
        token[:20] + turned + token[21:],
        token[::-1],
        token.swapcase(),
        "A" * len(token),
        "%00",
        "..%2f..",
        "x" * 5000,
    ]
    for wrong in forged:
        product.site.get(f"/u/{wrong}").problem(404)
        product.site.post_form(f"/u/{wrong}", ONE_CLICK).problem(404)
        product.site.post_form(f"/u/{wrong}/undo", {"opt_in": "on"}).problem(404)
        page = product.site.get(f"/u/{wrong}", BROWSER)
        assert (page.status, page.type) == (404, "text/html")
    assert product.staff("IT").kinds(address) == ["notified"]
