"""The unsubscribe routes: at once, by one click, undone only by an explicit yes (S1, S4)."""

from __future__ import annotations

from typing import Any

import pytest

from functions import unsubscribe
from shared.domain.eligibility import Profile, judge
from shared.domain.events import EventKind, Source
from shared.domain.links import Link, LinkKeys, sign
from tests.integration.fakes import Faults
from tests.integration.world import (
    Answer,
    LambdaContext,
    World,
    held,
    id_of,
    projected,
    with_body,
)

EMAIL = "hanako.yamada@example.jp"
ME = id_of(EMAIL)
MULTIPART = (
    '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
)


def ask(world: World, event: dict[str, Any], deps: unsubscribe.Deps | None = None) -> Answer:
    made = deps or world.unsubscribe()
    return Answer.of(unsubscribe.handler(event, LambdaContext(), made))


def eligible(world: World) -> bool:
    return judge(world.contacts.get(ME), Profile.MANUAL).eligible


def test_get_shows_the_masked_address_and_changes_nothing(world: World) -> None:
    world.confirmed(EMAIL)
    before = world.tables()
    page = ask(world, world.unsubscribe_event("get", ME))
    assert page.status == 200
    assert EMAIL not in page.text
    assert "h***@***.jp" in page.text
    assert "set-cookie" not in page.headers
    assert world.tables() == before
    assert eligible(world)


@pytest.mark.parametrize(
    ("body", "content_type", "source"),
    [
        ("List-Unsubscribe=One-Click", "application/x-www-form-urlencoded", Source.ONE_CLICK),
        (
            MULTIPART,
            "multipart/form-data; boundary=b",
            Source.ONE_CLICK,
        ),
        ("", "application/x-www-form-urlencoded", Source.LINK),
        ("", None, Source.LINK),
        ("\xff\x00garbage", "image/png", Source.LINK),
        ("x" * 200_000, "text/plain", Source.LINK),
    ],
)
def test_post_stops_whatever_its_body(
    world: World, body: str, content_type: str | None, source: Source
) -> None:
    world.confirmed(EMAIL)
    event = world.unsubscribe_event("post", ME)
    del event["headers"]["content-type"]
    faults = Faults()
    answer = ask(world, with_body(event, body, content_type), world.unsubscribe(faults.wrap))
    assert answer.status == 200
    assert not {"set-cookie", "location"} & answer.headers.keys()
    assert not eligible(world)
    stored = world.contacts.history(ME)[-1]
    assert (stored.kind, stored.source) == (EventKind.UNSUBSCRIBED, source)
    assert stored.details["campaign_id"] == "5f2b8c0d9e71"
    assert faults.calls == ["get_secret_value", "transact_write_items"]
    assert held(world.tables()) == projected(world.tables())


def test_post_without_body_or_headers_stops(world: World) -> None:
    world.confirmed(EMAIL)
    event = world.unsubscribe_event("post", ME)
    del event["body"], event["headers"]
    event["isBase64Encoded"] = False
    assert ask(world, event).status == 200
    assert not eligible(world)


def test_repeated_posts_are_harmless(world: World) -> None:
    world.confirmed(EMAIL)
    event = world.unsubscribe_event("post", ME)
    first = ask(world, event)
    stored = world.tables()
    assert ask(world, event) == first
    assert world.tables() == stored
    assert ask(world, world.unsubscribe_event("post", ME)) == first
    assert not eligible(world)


def test_an_unsubscribe_that_arrives_late_still_wins_over_what_was_before_it(world: World) -> None:
    world.confirmed(EMAIL)
    late = world.unsubscribe_event("post", ME)
    world.happened(EMAIL, EventKind.NOTIFIED)
    assert ask(world, late).status == 200
    assert not eligible(world)
    assert held(world.tables()) == projected(world.tables())


def test_undo_needs_an_explicit_yes_and_is_recorded_as_one(world: World) -> None:
    world.confirmed(EMAIL)
    ask(world, world.unsubscribe_event("post", ME))
    before = world.tables()
    for body in ("", "opt_in=", "opt_in=no", "wording=notice%2F1%2Fja&opt_in=on"):
        event = with_body(world.unsubscribe_event("undo", ME), body)
        event["headers"]["accept"] = "application/json"
        refused = ask(world, event)
        assert refused.status == 422
        assert [error["field"] for error in refused.json["errors"]] == ["opt_in"]
    assert world.tables() == before
    assert ask(world, world.unsubscribe_event("undo", ME)).status == 200
    stored = world.contacts.history(ME)[-1]
    assert stored.kind is EventKind.RESUBSCRIBED
    assert stored.wording is not None
    assert stored.wording.ref == "optin_checkbox/1/ja"
    assert eligible(world)


def test_a_reason_gates_nothing(world: World) -> None:
    world.confirmed(EMAIL)
    ask(world, world.unsubscribe_event("post", ME))
    assert ask(world, world.unsubscribe_event("reason", ME)).status == 200
    assert world.contacts.history(ME)[-1].details["reason"] == "too_many"
    before = world.tables()
    event = with_body(world.unsubscribe_event("reason", ME), "reason=because")
    assert ask(world, event).status == 422
    assert world.tables() == before
    assert not eligible(world)


def test_an_erased_contact_has_nothing_to_show_or_undo_but_can_be_refused(world: World) -> None:
    world.happened(EMAIL, EventKind.ERASED, source=Source.STAFF)
    assert ask(world, world.unsubscribe_event("get", ME)).status == 404
    assert ask(world, world.unsubscribe_event("undo", ME)).status == 409
    assert ask(world, world.unsubscribe_event("post", ME)).status == 200


def test_links_of_an_older_key_and_of_one_added_just_now_work(world: World) -> None:
    world.confirmed(EMAIL)
    deps = world.unsubscribe()
    ask(world, world.unsubscribe_event("get", ME), deps)  # its keys are in memory now
    newer = LinkKeys("k2", {"k2": b"another-link-key-0123456789abcdefghij"})
    secret = {
        "current": "k2",
        "k1": world.keys.keys["k1"].decode(),
        "k2": newer.keys["k2"].decode(),
    }
    with world.secret(world.link_keys_arn, secret):
        event = world.unsubscribe_event("post", ME)
        event["pathParameters"]["token"] = sign(Link(ME, "5f2b8c0d9e71"), newer)
        assert ask(world, event, deps).status == 200
        assert ask(world, world.unsubscribe_event("post", ME), deps).status == 200


def test_forged_key_ids_do_not_ask_for_the_keys_every_time(world: World) -> None:
    """Else anybody could exhaust Secrets Manager's rate, and real links would fail with it."""
    faults = Faults()
    deps = world.unsubscribe(faults.wrap)
    forged = LinkKeys("zz", {"zz": b"not-one-of-ours-0123456789abcdefghij"})
    for _ in range(20):
        event = world.unsubscribe_event("post", ME)
        event["pathParameters"]["token"] = sign(Link(ME, "5f2b8c0d9e71"), forged)
        assert ask(world, event, deps).status == 404
    assert faults.calls.count("get_secret_value") <= 2
