"""The main job from end to end: a post becomes a permission, a mail, and one click stops it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from functions import form_intake, unsubscribe
from tests.integration.fakes import read
from tests.integration.test_faults import Run, work_off
from tests.integration.world import WEB, Answer, LambdaContext, World, held, projected, with_body

HANAKO, JIRO, UME = "hanako.yamada@example.jp", "jiro@example.jp", "ume@example.jp"


def post(world: World, email: str, form_id: str = "sakura-city", **fields: str) -> str:
    event = world.post({"email": email, **fields}, form_id=form_id)
    answer = Answer.of(form_intake.handler(event, LambdaContext(), world.form_intake()))
    assert answer.status == 201
    return str(answer.json["submission_id"])


def send_campaign(world: World, subject: str) -> str:
    campaign = world.approved(world.written(subject, "本文です。"))
    assert world.ask_staff("POST", f"/campaigns/{campaign}/send", team="GS").status == 200
    work_off(Run(world))
    return campaign


def links_of(world: World, email: str) -> tuple[str, str]:
    """The token in the text part and the one in List-Unsubscribe of the newest mail."""
    mail = read(world.ses.to(email)[-1])
    part = mail.get_body(("plain",))
    assert part is not None
    in_text = re.search(r"https://\S+/u/\S+", part.get_content())
    in_header = re.match(r"<(https://[^>]+)>", mail["List-Unsubscribe"])
    assert in_text is not None
    assert in_header is not None
    return urlsplit(in_text[0]).path[3:], urlsplit(in_header[1]).path[3:]


def visit(world: World, name: str, token: str, body: str | None = None) -> Answer:
    event = world.unsubscribe_event(name, "0" * 32)
    event["pathParameters"]["token"] = token
    if body is not None:
        with_body(event, body)
    return Answer.of(unsubscribe.handler(event, LambdaContext(), world.unsubscribe()))


def test_the_story(world: World) -> None:
    # Hanako ticks the box, Ume does not, Jiro was only told that mail may come.
    submission = post(world, HANAKO, opt_in="on", name="花子")
    post(world, UME)
    post(world, JIRO, WEB, name="次郎")

    # Nobody has looked at Hanako's yet: only Jiro gets mail.
    send_campaign(world, "第1号")
    assert world.mails_per_person() == {JIRO: 1}

    # An advisor confirms what waits.
    [waiting] = world.ask_staff("GET", "/registrations").json["registrations"]
    assert (waiting["address"], waiting["submission_id"]) == (HANAKO, submission)
    confirmed = world.ask_staff(
        "POST",
        "/registrations",
        {"contact_id": waiting["contact_id"], "submission_id": waiting["submission_id"]},
    )
    assert confirmed.json["verdict"]["eligible"] is True
    second = send_campaign(world, "第2号")
    assert world.mails_per_person() == {JIRO: 2, HANAKO: 1}

    # Hanako looks at the page, and stops it; Jiro's mail program does it by one click.
    token, _ = links_of(world, HANAKO)
    assert "h***@***.jp" in visit(world, "get", token).text
    assert visit(world, "post", token, "").status == 200
    _, one_click = links_of(world, JIRO)
    assert visit(world, "post", one_click).status == 200
    third = send_campaign(world, "第3号")
    assert world.mails_per_person() == {JIRO: 2, HANAKO: 1}

    # Staff see why, for each.
    for email, source in ((HANAKO, "link"), (JIRO, "one_click")):
        found = world.ask_staff("POST", "/contacts/lookup", {"email": email}, team="IT").json
        assert found["verdict"]["reason"] == "unsubscribed"
        assert found["history"][-1]["source"] == source
        assert found["history"][-1]["details"]["campaign_id"] == second
        assert third not in {line["campaign_id"] for line in found["campaigns"]}
    assert world.ask_staff("GET", f"/campaigns/{third}").json["status"] == "done"

    # A notice does not bring Jiro back; Hanako's own explicit yes does.
    post(world, JIRO, WEB, name="次郎")
    assert visit(world, "undo", token).status == 200
    send_campaign(world, "第4号")
    assert world.mails_per_person() == {JIRO: 2, HANAKO: 2}
    assert UME not in world.mails_per_person()

    # All of it can be told again from the events alone.
    assert held(world.tables()) == projected(world.tables())
