"""The life of a campaign: written, tested, approved by somebody else, begun, stopped, gone on."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.jobs import Job
from tests.e2e.product import TESTER, Json, Product, Staff, eventually, settings, unique

pytestmark = pytest.mark.e2e


@pytest.fixture
def author(product: Product) -> Staff:
    return product.staff("CS")


@pytest.fixture
def approver(product: Product) -> Staff:
    return product.staff("GS")


def content(campaign: Json, **changed: object) -> Json:
    return {
        **{name: campaign[name] for name in ("subject", "body", "text", "audience", "version")},
        **changed,
    }


def arrived(product: Product, addresses: list[str], subject: str) -> Counter[str]:
    """How many mails of a campaign each person has."""
    return Counter(a for a in addresses for _ in product.mails(a, subject))


# ---- approval ----


def test_nobody_approves_what_they_wrote(product: Product, author: Staff, approver: Staff) -> None:
    """Written and approved by two people, after a test of exactly this content."""
    campaign_id = author.write_campaign(unique("承認"))
    path = f"/campaigns/{campaign_id}"
    assert author.post_json(f"{path}/send", {}).problem(409)["code"] == "cannot_send"
    assert approver.post_json(f"{path}/approve", {}).problem(409)["code"] == "not_tested"
    author.try_out(campaign_id)
    refused = author.post_json(f"{path}/approve", {}).problem(403)
    assert refused["code"] == "author_cannot_approve"
    product.staff("IT").post_json(f"{path}/approve", {}).problem(403)
    approved = approver.act(campaign_id, "approve")
    assert (approved["status"], approved["approved_by"]) == (
        "approved",
        product.user("GS")["username"],
    )

    # Edited, it is a draft again, and who edits it is an author too.
    changed = approver.put_json(path, content(approved, body="書き直しました。"))
    assert changed.status == 200
    assert (changed.json()["status"], changed.json()["tested"]) == ("draft", False)
    author.try_out(campaign_id)
    for staff in (author, approver):
        staff.post_json(f"{path}/approve", {}).problem(403)
    [_, second] = [user for user in product.stack["users"] if user["team"] == "CS"]
    third = product.sign_in(second["username"], second["password"])
    assert third.act(campaign_id, "approve")["status"] == "approved"


def test_of_two_who_decide_at_once_one_is_told(author: Staff, approver: Staff) -> None:
    campaign_id = author.write_campaign(unique("同時"))
    author.try_out(campaign_id)
    seen = author.show(campaign_id)
    path = f"/campaigns/{campaign_id}"
    with ThreadPoolExecutor(2) as both:
        approved = both.submit(approver.post_json, f"{path}/approve", {"version": seen["version"]})
        edited = both.submit(author.put_json, path, content(seen, body="別の本文です。"))
        statuses = sorted([approved.result().status, edited.result().status])
    assert statuses == [200, 409]
    shown = author.show(campaign_id)
    assert shown["status"] == ("approved" if approved.result().status == 200 else "draft")


@pytest.mark.parametrize(
    ("changed", "field", "rule"),
    [
        ({"subject": "{{nmae|お客様}}へ"}, "subject", "variable-unknown"),
        ({"body": "{{name|ご担当者様"}, "body", "variable-unknown"),
        ({"body": "[詳しく](http://example.jp/)"}, "body", "link-insecure"),
    ],
)
def test_what_breaks_a_rule_is_neither_approved_nor_sent(
    author: Staff, approver: Staff, changed: dict[str, str], field: str, rule: str
) -> None:
    subject, body = changed.get("subject", unique("誤り")), changed.get("body", "こんにちは。")
    campaign_id = author.write_campaign(subject, body)
    path = f"/campaigns/{campaign_id}"
    found = author.get(f"{path}/lint").json()
    assert found["blocks"]
    [wrong] = [each for each in found["findings"] if each["severity"] == "error"]
    assert (wrong["rule"], wrong["field"]) == (rule, field)
    tested = author.post_json(f"{path}/test", {"to": TESTER})
    assert tested.status == (422 if rule == "variable-unknown" else 200)
    approver.post_json(f"{path}/approve", {}).problem(422 if tested.status == 200 else 409)
    author.post_json(f"{path}/send", {}).problem(409)
    assert author.show(campaign_id)["status"] == "draft"


def test_an_unverified_sender_blocks_approval(
    product: Product, author: Staff, approver: Staff
) -> None:
    campaign_id = author.write_campaign(unique("未認証"))
    author.try_out(campaign_id)
    path = f"/campaigns/{campaign_id}"
    domain = product.stack["mail_domain"]
    # A fresh process: it does not remember the domain as verified.
    with settings(product, "staff_api", FRESH=unique("process")):
        product.tell_ses(verified=False)
        try:
            found = author.get(f"{path}/lint").json()
            assert found["blocks"]
            [wrong] = [each for each in found["findings"] if each["severity"] == "error"]
            assert (wrong["rule"], wrong["field"]) == ("sender-unverified", "sender")
            refused = approver.post_json(f"{path}/approve", {}).problem(422)
            [error] = refused["errors"]
            assert error["code"] == "sender-unverified"
            assert error["detail"] == f"差出人のドメインが SES で認証されていません: {domain}"
            assert author.show(campaign_id)["status"] == "draft"
        finally:
            product.tell_ses(verified=True)
        # As soon as it is repaired: a no is not remembered.
        assert approver.act(campaign_id, "approve")["status"] == "approved"


def test_a_test_goes_to_our_own_and_stops_nobody(product: Product, author: Staff) -> None:
    subject = unique("お試し")
    campaign_id = author.write_campaign(subject)
    path = f"/campaigns/{campaign_id}/test"
    author.post_json(path, {"to": product.note("somebody@example.com")}).problem(422)
    stopped = product.subscriber("stopped")
    author.post_json("/unsubscriptions", {"email": stopped, "reason": "お電話"})
    author.post_json(path, {"to": stopped}).problem(409)
    tester = product.address("tester")
    assert author.post_json(path, {"to": tester}).json()["tested"] is True
    mail = product.mail(tester, f"【テスト】{subject}")
    link = product.link_in(mail)
    assert product.site.post_form(link, {"List-Unsubscribe": "One-Click"}).status in (200, 404)
    assert author.contact(tester) is None
    assert author.show(campaign_id)["received"]["unsubscribed"] == 0


# ---- the dry run ----


def test_a_dry_run_says_whom_and_why_not(product: Product, author: Staff) -> None:
    """Counted without touching anyone; sending then reaches just those."""
    form_id = product.new_form()
    eligible, unticked, waiting, stopped = (
        [product.address(who) for _ in range(number)]
        for who, number in (("ok", 2), ("unticked", 2), ("waiting", 1), ("stopped", 1))
    )
    for address in [*eligible, *waiting, *stopped]:
        product.submit(form_id, address, ticked=True)
    for address in unticked:
        product.submit(form_id, address)
    for address in [*eligible, *stopped]:
        author.confirm(address)
    stop = {"email": stopped[0], "reason": "お電話", "channel": "phone"}
    assert author.post_json("/unsubscriptions", stop).status == 200
    audience = {"form_ids": [form_id]}
    subject = unique("事前確認")
    campaign_id = author.write_campaign(subject, audience=audience)

    expected = {"box_left_unticked": 2, "opt_in_unconfirmed": 1, "unsubscribed": 1}

    def counted() -> Json | None:
        found = author.act(campaign_id, "dry-run")
        counts = {rest["reason"]: rest["count"] for rest in found["rest"]}
        return found if counts == expected else None

    found = eventually(counted, "the counts")  # they follow the changes
    assert (found["eligible"], found["eligible_is_exact"]) == (2, True)
    assert found["not_eligible"] == 4
    assert found == {**author.dry_run(audience), "notes": found["notes"]}
    for rest in found["rest"]:
        assert rest["reason_ja"]
        assert len(rest["samples"]) == rest["count"]
        assert all("***" in sample["address"] for sample in rest["samples"])
    for address in [*eligible, *unticked, *waiting, *stopped]:
        assert author.held(address)["campaigns"] == []
    empty = author.dry_run({"form_ids": ["no-such-form"]})
    assert empty["eligible"] == 0
    assert "nobody_eligible" in [note["code"] for note in empty["notes"]]

    author.try_out(campaign_id)
    product.staff("GS").act(campaign_id, "approve")
    author.act(campaign_id, "send")
    assert author.done(campaign_id)["figures"]["sent"] == found["eligible"]
    everybody = [*eligible, *unticked, *waiting, *stopped]
    assert arrived(product, everybody, subject) == dict.fromkeys(eligible, 1)

    # Whom to write to next, by what they got.
    late = product.address("late")
    product.submit(form_id, late, ticked=True)
    author.confirm(late)
    assert author.dry_run({**audience, "received": campaign_id})["eligible"] == 2
    assert author.dry_run({**audience, "not_received": campaign_id})["eligible"] == 1
    reminder = unique("再案内")
    author.campaign(reminder, audience={**audience, "not_received": campaign_id})
    assert arrived(product, [*everybody, late], reminder) == {late: 1}


# ---- a start to come ----


def test_a_scheduled_campaign_begins_by_itself_and_no_other_does(
    product: Product, author: Staff
) -> None:
    """Once, at its moment; not if it was taken back, edited or cancelled in time."""
    audience, [reader] = product.readers(1)
    subjects = {what: unique(what) for what in ("予約", "取消", "編集", "中止")}
    ids = {
        what: author.approved_campaign(subject, audience=audience)
        for what, subject in subjects.items()
    }
    past = {"at": (datetime.now(UTC) - timedelta(minutes=5)).isoformat()}
    author.post_json(f"/campaigns/{ids['予約']}/schedule", past).problem(422)
    assert author.show(ids["予約"])["status"] == "approved"
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    for campaign_id in ids.values():
        shown = author.act(campaign_id, "schedule", at=moment.isoformat())
        assert (shown["status"], datetime.fromisoformat(shown["scheduled_for"])) == (
            "scheduled",
            moment,
        )
    assert author.act(ids["取消"], "unschedule")["status"] == "approved"
    edited = author.show(ids["編集"])
    assert author.put_json(f"/campaigns/{ids['編集']}", content(edited)).status == 200
    assert author.act(ids["中止"], "cancel")["status"] == "cancelled"

    done = author.done(ids["予約"])
    assert datetime.fromisoformat(done["started_at"]) >= moment
    assert done["figures"] == {"sent": 1}
    product.mail(reader, subjects["予約"])
    statuses = {what: author.show(campaign_id)["status"] for what, campaign_id in ids.items()}
    assert statuses == {"予約": "done", "取消": "approved", "編集": "draft", "中止": "cancelled"}
    for what in ("取消", "編集", "中止"):
        assert product.mails(reader, subjects[what]) == []
    scheduler = product.root.client("scheduler", endpoint_url=product.stack["aws"]["endpoint_url"])

    def gone() -> bool:
        # The one that was in time is carried out a moment later and starts nothing twice.
        left = [each["Name"] for each in scheduler.list_schedules()["Schedules"]]
        return not any(one in name for name in left for one in ids.values())

    eventually(gone, "no schedule left")


# ---- pause, resume, cancel ----


def test_a_campaign_stops_within_seconds_and_goes_on_where_it_stopped(
    product: Product, author: Staff
) -> None:
    audience, readers = product.readers(8)
    subject = unique("一時停止")
    campaign_id = author.approved_campaign(subject, audience=audience)
    author.post_json(f"/campaigns/{campaign_id}/pause", {}).problem(409)
    with product.slow_mail():
        author.act(campaign_id, "send")
        eventually(lambda: arrived(product, readers, subject), "the first mail")
        running = author.show(campaign_id)
        assert running["status"] == "sending"
        assert 0 <= running["progress"]["fraction"] < 1
        paused = author.act(campaign_id, "pause")
        assert (paused["status"], paused["pause_reason"]) == ("paused", "staff")
        time.sleep(2)  # what was claimed by then is on its way
        before = arrived(product, readers, subject)
        time.sleep(3)
        assert arrived(product, readers, subject) == before
        assert before.total() < len(readers)
        author.post_json(f"/campaigns/{campaign_id}/send", {}).problem(409)
        # Who stops meanwhile gets nothing when it goes on.
        stopped = next(reader for reader in readers if reader not in before)
        stop = {"email": stopped, "reason": "お電話", "channel": "phone"}
        assert author.post_json("/unsubscriptions", stop).status == 200
    author.act(campaign_id, "resume")
    author.act(campaign_id, "resume")
    done = author.done(campaign_id)
    expected = {reader: 1 for reader in readers if reader != stopped}
    assert arrived(product, readers, subject) == expected
    assert done["figures"]["sent"] == len(expected)
    answer = author.became_of(stopped, campaign_id)
    assert answer["finding"] in {"skipped", "not_eligible"}
    assert answer["reason"] == "unsubscribed"


def test_a_cancelled_campaign_reaches_nobody_further_and_a_clone_does(
    product: Product, author: Staff
) -> None:
    audience, readers = product.readers(6)
    subject = unique("中止")
    campaign_id = author.approved_campaign(subject, audience=audience)
    with product.slow_mail():
        author.act(campaign_id, "send")
        eventually(lambda: arrived(product, readers, subject), "the first mail")
        for _ in range(2):
            assert author.act(campaign_id, "cancel")["status"] == "cancelled"
        time.sleep(2)  # what was claimed by then is on its way
        before = arrived(product, readers, subject)
        assert 0 < before.total() < len(readers)
    for action in ("send", "resume", "approve"):
        refused = author.post_json(f"/campaigns/{campaign_id}/{action}", {}).problem(409)
        assert refused["code"] == "already_sent"
    missed = [reader for reader in readers if reader not in before]
    assert author.became_of(missed[0], campaign_id)["finding"] == "cancelled"

    clone = author.act(campaign_id, "clone")
    assert (clone["status"], clone["cloned_from"]) == ("draft", campaign_id)
    assert clone["audience"] == author.show(campaign_id)["audience"]
    rest = {**clone["audience"], "not_received": campaign_id}
    changed = author.put_json(f"/campaigns/{clone['campaign_id']}", content(clone, audience=rest))
    assert changed.status == 200
    author.try_out(clone["campaign_id"])
    product.staff("GS").act(clone["campaign_id"], "approve")
    author.act(clone["campaign_id"], "send")
    author.done(clone["campaign_id"])
    assert arrived(product, readers, subject) == dict.fromkeys(readers, 1)
    author.post_json(f"/campaigns/{'0' * 12}/clone", {}).problem(404)


# ---- what goes wrong ----


def test_what_goes_wrong_for_one_harms_nobody_else(product: Product, author: Staff) -> None:
    """A poisoned message, one address that SES refuses, an outage in between."""
    audience, readers = product.readers(4)
    subject = unique("障害")
    campaign_id = author.approved_campaign(subject, audience=audience)
    for body in ("no job", json.dumps(asdict(Job(campaign_id, "zz"))), "{}"):
        product.aws.sqs.send_message(QueueUrl=product.output("CampaignQueueUrl"), MessageBody=body)
    outage = {"status": 500, "type": "InternalServiceErrorException"}
    product.tell_ses(status_next=["MESSAGE_REJECTED", "ACCOUNT_THROTTLED"], fail_next=[outage])
    author.act(campaign_id, "send")
    done = author.done(campaign_id)
    assert done["figures"] == {"sent": 3, "rejected": 1}
    findings = {reader: author.became_of(reader, campaign_id)["finding"] for reader in readers}
    [refused] = [reader for reader, finding in findings.items() if finding == "rejected"]
    expected = {reader: 1 for reader in readers if reader != refused}
    assert arrived(product, readers, subject) == expected


def test_nobody_to_send_to_is_done_at_once(author: Staff) -> None:
    empty = {"municipalities": [unique("ない町")]}
    done = author.campaign(unique("空"), audience=empty)
    assert (done["eligible"], done["figures"]) == (0, {})
