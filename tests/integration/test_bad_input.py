"""Bad input: the contract's answer, nothing stored, nothing personal logged, no 5xx."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from functions import form_intake, unsubscribe
from shared.domain.events import EventKind
from shared.domain.links import TOKEN_LENGTH
from tests.integration.world import (
    MUNICIPAL,
    WEB,
    Answer,
    LambdaContext,
    World,
    id_of,
    payload,
    with_body,
)

EMAIL = "hanako.yamada@example.jp"
TYPED = "Hanako.Yamada＠example.jp"
IP = "203.0.113.24"
FIREFOX = "Mozilla/5.0"
URLENCODED = "application/x-www-form-urlencoded"
JSON = "application/json"
Logged = Callable[[], str]
Event = dict[str, Any]


def ask_form(world: World, event: Event) -> Answer:
    return Answer.of(form_intake.handler(event, LambdaContext(), world.form_intake()))


def ask_link(world: World, event: Event) -> Answer:
    return Answer.of(unsubscribe.handler(event, LambdaContext(), world.unsubscribe()))


def check_problem(answer: Answer, status: int, fields: set[str] | None = None) -> None:
    """RFC 9457 with a Japanese sentence; a 422 names the fields, each with a sentence."""
    assert answer.status == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json
    assert problem["status"] == status
    assert problem["title"]
    assert re.search("[ぁ-ん]", problem["detail"])
    assert ("errors" in problem) == (status == 422)
    if fields is not None:
        assert {error["field"] for error in problem.get("errors", [])} == fields
    assert all(re.search("[ぁ-ん]", error["detail"]) for error in problem.get("errors", []))


def check_log(log: str) -> None:
    assert "refused" in log
    for personal in ("hanako", "yamada", TYPED, "example.jp", IP, FIREFOX, "花子"):
        assert personal.lower() not in log.lower()


@dataclass(frozen=True)
class Bad:
    """One bad body of a form post and what it gets."""

    name: str
    body: str | bytes
    status: int
    fields: frozenset[str] = frozenset()
    content_type: str | None = URLENCODED
    form_id: str = MUNICIPAL


def _form(**fields: str) -> str:
    return "&".join(f"{name}={quote_plus(value)}" for name, value in fields.items())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _part(name: str, value: str, more: str = "") -> bytes:
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n{more}\r\n'
    return f"{head}{value}\r\n".encode()


EMAIL_FIELD = frozenset({"email"})
OPT_IN_FIELD = frozenset({"opt_in"})
NAME_FIELD = frozenset({"name"})
WORDING_FIELD = frozenset({"wording"})
TWICE = f'{{"email": "{EMAIL}", "email": "{EMAIL}"}}'
MULTIPART = "multipart/form-data; boundary=x"
BAD = (
    # 400: it cannot be read
    Bad("urlencoded, not UTF-8", b"email=\xff\xfe%40example.jp", 400),
    Bad("urlencoded, escapes not UTF-8", f"email={EMAIL}&name=%ff%fe", 400),
    Bad("urlencoded, Shift_JIS", f"email={EMAIL}&name=".encode() + "花子".encode("cp932"), 400),
    Bad("urlencoded, too many fields", f"email={EMAIL}&" + "a=1&" * 100, 400),
    Bad("JSON, cut off", '{"email": "hanako.yamada@exa', 400, content_type=JSON),
    Bad("JSON, empty", "", 400, content_type=JSON),
    Bad("JSON, not UTF-8", b'{"email": "\xff"}', 400, content_type=JSON),
    Bad("JSON, UTF-16", _json({"email": EMAIL}).encode("utf-16"), 400, content_type=JSON),
    Bad("JSON, nested deep", "[" * 60_000, 400, content_type=JSON),
    Bad("JSON, nested deep objects", '{"email":' * 6_000, 400, content_type=JSON),
    Bad("JSON, huge number", '{"email": ' + "9" * 20_000 + "}", 400, content_type=JSON),
    *(
        Bad(f"JSON, {value!r}", value, 400, content_type=JSON)
        for value in ("null", "[]", f'["{EMAIL}"]', "17", f'"{EMAIL}"', "true")
    ),
    Bad("multipart, cut off", _part("email", EMAIL), 400, content_type=MULTIPART),
    Bad("multipart, no boundary", _part("email", EMAIL), 400, content_type="multipart/form-data"),
    Bad("multipart, not multipart", f"email={EMAIL}", 400, content_type=MULTIPART),
    Bad(
        "multipart, unknown charset",
        _part("email", EMAIL, "Content-Type: text/plain; charset=klingon\r\n") + b"--x--\r\n",
        400,
        content_type=MULTIPART,
    ),
    Bad(
        "multipart, a charset that is none",
        _part("email", EMAIL, "Content-Type: text/plain; charset=hex\r\n") + b"--x--\r\n",
        400,
        content_type=MULTIPART,
    ),
    # 404
    Bad("unknown form", _form(email=EMAIL), 404, form_id="no-such-form"),
    Bad("a form's id longer than any", _form(email=EMAIL), 404, form_id="a" * 5000),
    Bad("form id with NUL", _form(email=EMAIL), 404, form_id="a\x00b"),
    Bad("empty form id", _form(email=EMAIL), 404, form_id=""),
    # 413
    Bad("70 kB", _form(email=EMAIL, message="あ" * 8000), 413),
    Bad("a megabyte of address", _form(email="a" * 1_000_000 + "@example.jp"), 413),
    Bad("a megabyte of JSON", _json({"email": "a" * 1_000_000}), 413, content_type=JSON),
    Bad("a megabyte of multipart", b"x" * 1_000_000, 413, content_type=MULTIPART),
    # 415
    *(
        Bad(f"type {kind}", _form(email=EMAIL), 415, content_type=kind)
        for kind in (None, "", "text/plain", "application/xml", "image/png", "text/html", ";", "é")
    ),
    # 422: readable, but a field is wrong
    Bad("nothing", "", 422, EMAIL_FIELD),
    Bad("no address", _form(opt_in="on"), 422, EMAIL_FIELD),
    Bad("blank address", _form(email=" 　"), 422, EMAIL_FIELD),
    Bad("60 kB of address", _form(email="a" * 60_000 + "@example.jp"), 422, EMAIL_FIELD),
    Bad("NUL in the address", _form(email="hanako\x00.yamada@example.jp"), 422, EMAIL_FIELD),
    Bad("newline in the address", _form(email=f"{EMAIL}\r\nBcc: a@b.jp"), 422, EMAIL_FIELD),
    Bad("two addresses", _form(email=f"{EMAIL}, jiro@example.jp"), 422, EMAIL_FIELD),
    Bad("no domain", _form(email="hanako.yamada@"), 422, EMAIL_FIELD),
    Bad("address repeated", f"email={EMAIL}&email={EMAIL}", 422, EMAIL_FIELD),
    Bad("box repeated", f"email={EMAIL}&opt_in=on&opt_in=off", 422, OPT_IN_FIELD),
    Bad("box with an odd value", _form(email=EMAIL, opt_in="vielleicht"), 422, OPT_IN_FIELD),
    Bad("NUL in an extra field", _form(email=EMAIL, name="a\x00"), 422, NAME_FIELD),
    Bad("extra field too long", _form(email=EMAIL, name="花子" * 200), 422, NAME_FIELD),
    Bad("required field absent", _form(email=EMAIL), 422, NAME_FIELD, form_id=WEB),
    Bad("unknown wording", _form(email=EMAIL, wording="x/1/ja"), 422, WORDING_FIELD),
    Bad("another's wording", _form(email=EMAIL, wording="notice/1/ja"), 422, WORDING_FIELD),
    Bad("JSON, address repeated", TWICE, 422, EMAIL_FIELD, JSON),
    *(
        Bad(f"JSON, address {value!r}", _json({"email": value}), 422, EMAIL_FIELD, JSON)
        for value in (None, 17, 1.5, True, [EMAIL], {"address": EMAIL}, "\ud800@example.jp".encode(
            "utf-8", "surrogatepass").decode("latin-1"))
    ),
    Bad("JSON, lone surrogate", '{"email": "\\ud800@example.jp"}', 422, EMAIL_FIELD, JSON),
    Bad("JSON, box a list", _json({"email": EMAIL, "opt_in": []}), 422, OPT_IN_FIELD, JSON),
    Bad("JSON, NUL", '{"email": "a\\u0000@example.jp"}', 422, EMAIL_FIELD, JSON),
)  # fmt: skip


@pytest.mark.parametrize("html", [False, True], ids=["program", "browser"])
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_form_post(world: World, logged: Logged, bad: Bad, html: bool) -> None:
    event = world.post(form_id=bad.form_id, html=html)
    with_body(event, bad.body)
    del event["headers"]["content-type"]
    if bad.content_type is not None:
        event["headers"]["content-type"] = bad.content_type
    before = world.tables()
    answer = ask_form(world, event)
    if html:
        assert answer.status == bad.status
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
    else:
        check_problem(answer, bad.status, set(bad.fields))
    assert world.tables() == before
    check_log(logged())


def test_a_field_s_name_may_be_anything(world: World) -> None:
    """Names come back in ``errors``: what cannot be written there must not break the answer."""
    for name in ("\\ud800", "\\u0000", "<script>", "a" * 5000):
        event = with_body(world.post(), f'{{"{name}": 1, "email": "{EMAIL}"}}', JSON)
        answer = ask_form(world, event)
        assert answer.status in {400, 422}


def test_body_that_is_not_base64_is_malformed(world: World) -> None:
    for text in ("%%%", "a", "é"):
        event = world.post()
        event["body"] = text
        check_problem(ask_form(world, event), 400)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW"])
@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/forms/{form_id}", {"form_id": MUNICIPAL}),
        ("/forms/{form_id}/thanks", {"form_id": MUNICIPAL}),
        ("/forms/{form_id}/embed", {"form_id": MUNICIPAL}),
        ("/health", {}),
        ("/u/{token}", None),
        ("/u/{token}/undo", None),
        ("/u/{token}/reason", None),
    ],
)
def test_wrong_method(
    world: World, logged: Logged, method: str, path: str, params: Mapping[str, str] | None
) -> None:
    before = world.tables()
    event = world.post({"email": EMAIL, "opt_in": "on"})
    event["routeKey"] = f"ANY {path}"
    event["requestContext"]["http"]["method"] = method
    event["pathParameters"] = params or {"token": world.token(id_of(EMAIL))}
    answer = ask_link(world, event) if params is None else ask_form(world, event)
    check_problem(answer, 405)
    assert "allow" in answer.headers
    assert world.tables() == before
    check_log(logged())


def test_unknown_paths(world: World) -> None:
    for route in ("$default", "GET /", "POST /forms"):
        event = world.post({"email": EMAIL})
        event["routeKey"] = route
        del event["pathParameters"]
        check_problem(ask_form(world, event), 404)


def _forgeries(token: str) -> list[str]:
    """Cut off, one bit flipped, respelt, and what people and programs make of links."""
    raw = base64.urlsafe_b64decode(token + "==")
    flipped = [
        base64.urlsafe_b64encode(bytes(b ^ (1 << bit) * (n == at) for n, b in enumerate(raw)))
        for at in range(len(raw))
        for bit in (0, 7)
    ]
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    respelt = [token[:-1] + letter for letter in last if letter != token[-1]]
    return [
        *(token[:length] for length in range(TOKEN_LENGTH)),
        *(text.decode().rstrip("=") for text in flipped),
        *respelt,
        token + "=",
        token + "A",
        token.lower(),
        token.swapcase(),
        token.replace("-", "+").replace("_", "/") + "==",
        "\x00" * TOKEN_LENGTH,
        "é" * TOKEN_LENGTH,
        "あ" * 18,
        "x" * 1_000_000,
        f"{token}%0d%0a",
        "..%2f" * 10,
        "{token}",
        EMAIL,
    ]


@pytest.mark.parametrize("name", ["get", "post", "undo", "reason"])
def test_forged_and_truncated_tokens(
    world: World, logged: Logged, cases: Callable[[str, int], None], name: str
) -> None:
    world.confirmed(EMAIL)
    before = world.tables()
    deps = world.unsubscribe()
    forgeries = _forgeries(world.token(id_of(EMAIL)))
    for forged in forgeries:
        event = world.stamped(payload(f"unsubscribe_{name}"))
        event["pathParameters"] = {"token": forged}
        event["headers"]["accept"] = "*/*"
        answer = Answer.of(unsubscribe.handler(event, LambdaContext(), deps))
        check_problem(answer, 404)
    cases("forged and truncated tokens", len(forgeries))
    assert world.tables() == before
    check_log(logged())


@pytest.mark.parametrize("name", ["undo", "reason"])
@pytest.mark.parametrize("bad", [bad for bad in BAD if bad.status in {400, 413, 415}],
                         ids=lambda bad: bad.name)  # fmt: skip
def test_undo_and_reason(world: World, logged: Logged, name: str, bad: Bad) -> None:
    world.confirmed(EMAIL)
    before = world.tables()
    event = with_body(world.unsubscribe_event(name, id_of(EMAIL)), bad.body)
    event["headers"]["accept"] = "application/json"
    del event["headers"]["content-type"]
    if bad.content_type is not None:
        event["headers"]["content-type"] = bad.content_type
    check_problem(ask_link(world, event), bad.status)
    assert world.tables() == before
    check_log(logged())


def test_an_accepted_post_and_an_unsubscribe_log_nothing_personal(
    world: World, logged: Logged
) -> None:
    for html in (False, True):
        ask_form(world, world.post({"email": TYPED, "opt_in": "on", "name": "花子"}, html=html))
    for name in ("get", "post", "undo", "reason"):
        assert ask_link(world, world.unsubscribe_event(name, id_of(EMAIL))).status == 200
    log = logged()
    assert "submission" in log
    assert "unsubscribed" in log
    check_log(log + "refused")
    assert world.token(id_of(EMAIL)) not in log


# --- fuzz

_FIELD_NAMES = st.sampled_from(
    ["email", "opt_in", "name", "message", "lang", "wording", "page_url", "rendered_at", "website"]
)
_NAMES = _FIELD_NAMES | st.text(max_size=8)
_VALUES = st.text(max_size=30) | st.sampled_from(
    [EMAIL, TYPED, "on", "", "a..b@docomo.ne.jp", "optin_checkbox/1/en", "2026-11-24T00:00:00Z",
     "0001-01-01", "9999-12-31T23:59:59+23:59", "https://[", "http://a\x00b/"]
)  # fmt: skip
_FIELDS = st.lists(st.tuples(_NAMES, _VALUES), max_size=6)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | _VALUES
_ANY_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=6,
)


def _urlencode(fields: list[tuple[str, str]]) -> bytes:
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields).encode()


def _multipart(fields: list[tuple[str, str]]) -> bytes:
    return b"".join(_part(name, value) for name, value in fields) + b"--x--\r\n"


_BODIES = (
    st.binary(max_size=200)
    | _FIELDS.map(_urlencode)
    | _FIELDS.map(_multipart)
    | st.dictionaries(_NAMES, _VALUES | st.booleans(), max_size=6).map(
        lambda fields: json.dumps(fields).encode()
    )
    | _ANY_JSON.map(lambda value: json.dumps(value).encode())
    | st.just(b"") | st.just(b"x" * 100_000)
)  # fmt: skip
_TYPES = st.sampled_from(
    [URLENCODED, JSON, MULTIPART, "multipart/form-data; boundary=", "multipart/form-data; boundary",
     f"{URLENCODED}; charset=shift_jis", "Application/JSON;charset=utf-8", None]
) | st.text(max_size=20)  # fmt: skip
_HEADERS = st.dictionaries(
    st.sampled_from(
        ["accept", "origin", "referer", "user-agent", "host", "sec-fetch-site", "cookie",
         "accept-language", "x-forwarded-for"]
    ),
    st.text(max_size=20) | st.sampled_from(
        ["text/html", "*/*", "null", "https://www.city.sakura.example.jp", "https://[", "http://a:b"]
    ),
    max_size=4,
)  # fmt: skip
_METHODS = st.sampled_from(["POST"] * 8 + ["GET", "OPTIONS", "HEAD", "PUT", "X"])


@dataclass(frozen=True)
class Noise:
    """A request nobody would send."""

    method: str
    body: bytes | None
    content_type: str | None
    headers: Mapping[str, str]
    query: Mapping[str, str]
    in_base64: bool

    def put_into(self, event: Event, path: str) -> Event:
        event["routeKey"] = f"{self.method if self.method != 'X' else 'ANY'} {path}"
        event["requestContext"]["http"]["method"] = self.method
        event["headers"] = dict(self.headers)
        if self.content_type is not None:
            event["headers"]["content-type"] = self.content_type
        event["queryStringParameters"] = dict(self.query)
        del event["body"]
        if self.body is not None and self.in_base64:
            event["body"] = base64.b64encode(self.body).decode()
        elif self.body is not None:
            event["body"] = self.body.decode("latin-1")
        event["isBase64Encoded"] = self.in_base64
        return event


_NOISE = st.builds(
    Noise,
    _METHODS,
    st.none() | _BODIES,
    _TYPES,
    _HEADERS,
    st.dictionaries(st.sampled_from(["lang", "status", "email"]), st.text(max_size=9), max_size=2),
    st.booleans(),
)
_FUZZ = settings(
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def check_noise(world: World, answer: Answer, before: Any) -> None:
    """Never a 5xx, and whatever is no success leaves no trace."""
    assert 200 <= answer.status < 500
    if answer.status >= 400:
        assert world.tables() == before
        assert answer.headers["content-type"].startswith(("application/problem+json", "text/html"))


@settings(_FUZZ, max_examples=600)
@given(
    noise=_NOISE,
    form_id=st.sampled_from([MUNICIPAL, WEB]) | st.text(max_size=12),
    tail=st.sampled_from(["", "", "", "/thanks", "/embed"]),
)
@example(noise=Noise("POST", b'{"\\ud800": 1}', JSON, {}, {}, True), form_id=MUNICIPAL, tail="")
def test_form_intake_survives_anything(
    small_world: World, cases: Callable[[str, int], None], noise: Noise, form_id: str, tail: str
) -> None:
    world = small_world
    world.begin()
    before = world.tables()
    event = noise.put_into(world.post(form_id=form_id), "/forms/{form_id}" + tail)
    answer = ask_form(world, event)
    check_noise(world, answer, before)
    cases(f"random requests to form_intake, answered {answer.status // 100}xx", 1)


@settings(_FUZZ, max_examples=150)
@given(
    noise=_NOISE,
    token=st.none() | st.none() | st.text(max_size=60) | st.binary(min_size=40, max_size=40),
    tail=st.sampled_from(["", "/undo", "/reason"]),
)
def test_unsubscribe_survives_anything(
    small_world: World,
    cases: Callable[[str, int], None],
    noise: Noise,
    token: str | bytes | None,
    tail: str,
) -> None:
    world = small_world
    world.begin()
    world.happened(EMAIL, EventKind.OPTED_IN)
    before = world.tables()
    event = world.unsubscribe_event("post", id_of(EMAIL))
    if isinstance(token, bytes):
        token = base64.urlsafe_b64encode(token).decode().rstrip("=")
    if token is not None:
        event["pathParameters"] = {"token": token}
    noise.put_into(event, "/u/{token}" + tail)
    answer = ask_link(world, event)
    check_noise(world, answer, before)
    cases(f"random requests to unsubscribe, answered {answer.status // 100}xx", 1)
