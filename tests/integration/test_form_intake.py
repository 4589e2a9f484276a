"""The public form routes: what is answered and what is kept (manual A1, A2, A4, A6)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from functions import form_intake
from shared.domain.eligibility import Profile, judge
from shared.domain.events import EventKind
from shared.texts import consent
from shared.texts.consent import TextId
from tests.integration.fakes import Faults
from tests.integration.world import (
    MUNICIPAL,
    PERSONAL_TABLES,
    WEB,
    Answer,
    LambdaContext,
    World,
    held,
    id_of,
    payload,
    projected,
    with_body,
)

EMAIL = "hanako.yamada@example.jp"


def ask(world: World, event: dict[str, Any], deps: form_intake.Deps | None = None) -> Answer:
    made = deps or world.form_intake()
    return Answer.of(form_intake.handler(event, LambdaContext(), made))


@pytest.mark.parametrize(
    ("form_id", "fields", "status", "kind"),
    [
        (MUNICIPAL, {"opt_in": "on"}, "opted_in", EventKind.OPTED_IN),
        (MUNICIPAL, {"opt_in": "true"}, "opted_in", EventKind.OPTED_IN),
        (MUNICIPAL, {}, "not_opted_in", EventKind.BOX_LEFT_UNTICKED),
        (MUNICIPAL, {"opt_in": "false"}, "not_opted_in", EventKind.BOX_LEFT_UNTICKED),
        (WEB, {"name": "花子"}, "notified", EventKind.NOTIFIED),
        (WEB, {"name": "花子", "opt_in": "on"}, "notified", EventKind.NOTIFIED),
    ],
)
def test_a_post_is_kept_with_its_evidence(
    world: World, form_id: str, fields: dict[str, str], status: str, kind: EventKind
) -> None:
    event = world.post({"email": " Hanako.Yamada＠example.jp", **fields}, form_id=form_id)
    event["headers"]["referer"] = "https://www.city.sakura.example.jp/akiya/?visitor=7"
    answer = ask(world, event)
    assert answer.status == 201
    assert answer.json.keys() == {"submission_id", "status"}
    assert answer.json["status"] == status

    [stored] = world.contacts.history(id_of(EMAIL))
    assert (stored.kind, stored.event_id) == (kind, answer.json["submission_id"])
    assert stored.at == world.clock.now()
    assert stored.details["form_id"] == form_id
    assert stored.details["page_url"] == "https://www.city.sakura.example.jp/akiya/"
    assert stored.personal["typed"] == " Hanako.Yamada＠example.jp"
    assert stored.personal["address"] == "Hanako.Yamada@example.jp"
    assert stored.personal["source_ip"] == "203.0.113.24"
    text = consent.current(TextId.NOTICE if form_id == WEB else TextId.OPTIN_CHECKBOX)
    assert stored.wording is not None
    assert (stored.wording.text, stored.wording.version) == (text.ja, text.version)
    assert stored.details["purpose"] == "purpose_of_use/1/ja"
    assert held(world.tables()) == projected(world.tables())


def test_a_ticked_box_waits_for_an_advisor_and_a_notice_does_not(world: World) -> None:
    ask(world, world.post({"email": EMAIL, "opt_in": "on"}))
    ask(world, world.post({"email": "jiro@example.jp", "name": "次郎"}, form_id=WEB))
    assert [c.contact_id for c in world.contacts.pending(limit=9).contacts] == [id_of(EMAIL)]
    assert not judge(world.contacts.get(id_of(EMAIL)), Profile.MANUAL).eligible
    assert judge(world.contacts.get(id_of("jiro@example.jp")), Profile.MANUAL).eligible


def test_the_answer_does_not_tell_whether_an_address_is_known(world: World) -> None:
    """Nor do the calls it makes."""
    world.confirmed(EMAIL)
    seen = []
    for email in (EMAIL, "nobody.knows@example.jp"):
        faults = Faults()
        event = world.post({"email": email, "opt_in": "on"})
        answer = ask(world, event, world.form_intake(faults.wrap))
        shape = {**answer.json, "submission_id": len(answer.json["submission_id"])}
        seen.append((answer.status, answer.headers, shape, faults.calls))
    assert seen[0] == seen[1]


def test_a_post_is_one_write_and_at_most_one_read_that_is_cached(world: World) -> None:
    faults = Faults()
    deps = world.form_intake(faults.wrap)
    for email in (EMAIL, EMAIL, "jiro@example.jp"):
        ask(world, world.post({"email": email, "opt_in": "on"}), deps)
    assert faults.calls[:3] == ["get_item", "get_secret_value", "transact_write_items"]
    assert faults.calls[3:] == ["transact_write_items"] * 2


def test_the_same_event_twice_is_one_submission(world: World) -> None:
    event = world.post({"email": EMAIL, "opt_in": "on"})
    first = ask(world, event)
    stored = world.tables()
    assert ask(world, event) == first
    assert world.tables() == stored


def test_json_urlencoded_and_multipart_say_the_same(world: World) -> None:
    fields = {"email": EMAIL, "opt_in": "on", "name": "花子"}
    urlencoded = world.post(fields)
    by_json = with_body(
        world.post(), json.dumps({**fields, "opt_in": True}), "application/json; charset=utf-8"
    )
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    multipart = with_body(world.post(), f"{parts}--x--\r\n", "multipart/form-data; boundary=x")
    for event in (urlencoded, by_json, multipart):
        assert ask(world, event).json["status"] == "opted_in"
    kept = [dict(event.personal) for event in world.contacts.history(id_of(EMAIL))]
    assert len(kept) == 3
    assert kept[0] == kept[1] == kept[2]
    assert kept[0]["field.name"] == "花子"


def test_a_browser_is_sent_to_the_thanks_page(world: World) -> None:
    event = world.post({"email": EMAIL, "opt_in": "on", "lang": "en"}, html=True)
    answer = ask(world, event)
    assert (answer.status, answer.text) == (303, "")
    assert answer.headers["location"] == f"{MUNICIPAL}/thanks?status=opted_in&lang=en"
    [stored] = world.contacts.history(id_of(EMAIL))
    assert stored.wording is not None
    assert stored.wording.ref == "optin_checkbox/1/en"


def test_a_browser_gets_its_form_back_with_the_message_beside_the_field(world: World) -> None:
    before = world.tables()
    event = world.post({"email": "taro@docomo.ne.j", "opt_in": "on", "name": "花子"}, html=True)
    answer = ask(world, event)
    assert answer.status == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert "taro@docomo.ne.j" in answer.text
    assert "taro@docomo.ne.jp" in answer.text
    assert "花子" in answer.text
    assert world.tables() == before


def test_what_the_hosted_form_adds_only_makes_it_stricter(world: World) -> None:
    for more, field in (
        ({"website": "https://spam.example"}, "website"),
        ({"rendered_at": "2026-11-24T00:40:00.000Z"}, "rendered_at"),
        ({"rendered_at": "yesterday"}, "rendered_at"),
    ):
        answer = ask(world, world.post({"email": EMAIL, "opt_in": "on", **more}))
        assert answer.status == 422
        assert [error["field"] for error in answer.json["errors"]] == [field]
    world.clock.advance(seconds=5)
    passed = {"rendered_at": "2026-11-24T00:40:00.000Z", "website": ""}
    assert ask(world, world.post({"email": EMAIL, **passed})).status == 201
    assert ask(world, world.post({"email": EMAIL})).status == 201


def test_describes_itself_to_programs(world: World) -> None:
    event = world.stamped(payload("form_get"))
    event["headers"]["accept"] = "application/json"
    described = ask(world, event).json
    assert described["kind"] == "municipal_lp"
    assert described["wording"]["ja"] == consent.current(TextId.OPTIN_CHECKBOX).ja
    assert described["version"] == 1
    assert [field["name"] for field in described["fields"]] == [
        "email", "opt_in", "name", "message",
    ]  # fmt: skip
    assert not any("value" in field or "checked" in field for field in described["fields"])


def test_pages_answer_in_html_without_a_ticked_box(world: World) -> None:
    page = ask(world, world.stamped(payload("form_get")))
    assert page.status == 200
    boxes = re.findall(r'<input type="checkbox"[^>]*>', page.text)
    assert len(boxes) == 1
    assert "checked" not in boxes[0]
    assert consent.current(TextId.OPTIN_CHECKBOX).ja in page.text
    assert consent.current(TextId.PURPOSE_OF_USE).ja in page.text
    for name in ("form_thanks", "form_embed"):
        assert ask(world, world.stamped(payload(name))).status == 200
    assert ask(world, payload("health")).json == {"status": "ok"}


ORIGIN = "https://www.city.sakura.example.jp"


def test_a_municipality_s_own_page_may_post(world: World) -> None:
    preflight = ask(world, world.stamped(payload("form_options")))
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    answer = ask(world, world.stamped(payload("form_post_json")))
    assert answer.status == 201
    assert answer.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize("origin", [f"{ORIGIN}.evil.example", "https://[", "x", "http://:x@"])
@pytest.mark.parametrize("name", ["form_options", "form_post_json"])
def test_another_site_may_not(world: World, name: str, origin: str) -> None:
    before = world.tables()
    event = world.stamped(payload(name))
    event["headers"]["origin"] = origin
    answer = ask(world, event)
    assert answer.status == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert "access-control-allow-origin" not in answer.headers
    assert world.tables() == before


# --- throttling


def post_until_refused(world: World, deps: form_intake.Deps, post: Callable[[int], Any]) -> int:
    for number in range(100):
        before = world.tables()
        answer = ask(world, post(number), deps)
        if answer.status == 429:
            assert world.tables() == before
            assert int(answer.headers["retry-after"]) > 0
            return number
        assert answer.status == 201
    raise AssertionError("never refused")


def test_a_source_is_throttled_and_others_are_not(world: World) -> None:
    world.settings |= {"posts_per_minute_per_source": 10}
    deps = world.form_intake()
    posted = post_until_refused(world, deps, lambda n: world.post({"email": f"a{n}@example.jp"}))
    assert posted == 10
    other = world.post({"email": "a0@example.jp"}, ip="198.51.100.9")
    assert ask(world, other, deps).status == 201
    world.clock.advance(minutes=1)
    assert ask(world, world.post({"email": "b@example.jp"}), deps).status == 201


def test_an_address_from_one_source_is_throttled(world: World) -> None:
    """What others posted about it plays no part, so a 429 tells nothing about an address."""
    world.settings |= {"posts_per_hour_per_address": 3}
    deps = world.form_intake()
    for _ in range(3):
        ask(world, world.post({"email": EMAIL}, ip="198.51.100.9"), deps)
    posted = post_until_refused(world, deps, lambda _: world.post({"email": EMAIL}))
    assert posted == 3
    assert ask(world, world.post({"email": "jiro@example.jp"}), deps).status == 201
    world.clock.advance(hours=1)
    assert ask(world, world.post({"email": EMAIL}), deps).status == 201


def test_a_source_may_use_its_whole_minute(world: World) -> None:
    """contract.md: the local stack allows at least 600 posts a minute; here a fifth of it."""
    limit = 120
    world.settings |= {"posts_per_minute_per_source": limit, "posts_per_hour_per_address": limit}
    deps = world.form_intake()
    statuses = [
        ask(world, world.post({"email": f"a{n % 4}@example.jp"}), deps).status for n in range(limit)
    ]
    assert statuses == [201] * limit


def test_counters_keep_no_address_and_expire(world: World) -> None:
    ask(world, world.post({"email": EMAIL, "opt_in": "on"}))
    counters = world.table("throttle")
    assert len(counters) == 2
    assert "203.0.113" not in repr(counters)
    assert "hanako" not in repr(counters).lower()
    now = world.clock.now().timestamp()
    assert all(now < int(item["expires_at"]["N"]) <= now + 2 * 3600 for item in counters)


def test_addresses_stand_in_contacts_and_events_only(world: World) -> None:
    ask(world, world.post({"email": EMAIL, "opt_in": "on"}))
    tables = world.tables()
    holding = [name for name in PERSONAL_TABLES if EMAIL in repr(tables[name])]
    assert set(holding) <= {"contacts", "events"}
