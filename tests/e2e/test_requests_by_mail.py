"""People write, in Japanese and English, honestly and in others' names; each gets what is theirs.

Real SMTP in, the deployed stack, real mails out; a link in a mail is opened and pressed as a
person does.
"""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from tests.e2e.product import BROWSER, Json, Product, Staff, eventually, unique
from tests.e2e.writing import answer, forge, letter, post, write

pytestmark = pytest.mark.e2e

ASK = {"ja": "ご本人確認のお願い", "en": "Please confirm that it was you"}
STOPPED = {"ja": "配信を停止しました", "en": "stopped our e-mails"}


def link_in(product: Product, mail: Json) -> str:
    """The path of the one link a person is asked to press."""
    address = re.escape(product.stack["public_url"]) + r"(/v/[\w-]+)"
    [link] = {str(found[1]) for found in re.finditer(address, mail["text"])}
    return link


def press(product: Product, mail: Json) -> str:
    """Open the link, which changes nothing, and press the button; what the page says then."""
    link = link_in(product, mail)
    product.note(link.rpartition("/")[2])
    shown = product.site.get(link, BROWSER)
    assert (shown.status, shown.type) == (200, "text/html")
    assert 'method="post"' in shown.text
    pressed = product.site.post_form(link, {}, BROWSER)
    assert pressed.status == 200, pressed.text
    return pressed.text


def requests_of(staff: Staff, address: str) -> list[Json]:
    """Every request of an address, by its contact page."""
    contact = staff.contact(address)
    lines = contact["requests"] if contact else []
    return [staff.get(f"/requests/{line['case_id']}").json() for line in lines]


def request_of(staff: Staff, address: str, kind: str, state: str) -> Json:
    """The request of this kind, once it has come so far."""

    def look() -> Json | None:
        found = [r for r in requests_of(staff, address) if r["kind"] == kind]
        return next((r for r in found if r["state"] == state), None)

    return eventually(look, f"{kind} {state}")


def open_request(staff: Staff, address: str, kind: str) -> Json:
    """The newest open request of somebody who may be no contact, by their masked address."""
    masked = f"{address[0]}***@***.jp"

    def look() -> Json | None:
        page = staff.get("/requests?limit=100").json()
        for line in page["requests"]:
            if line["kind"] == kind and line["writer"] == masked:
                full: Json = staff.get(f"/requests/{line['case_id']}").json()
                if full["address"] == address:
                    return full
        return None

    return eventually(look, f"an open {kind}")


def change(staff: Staff, request: Json, action: str, **content: Any) -> Json:
    """Take a request on as it is now."""
    now = staff.get(f"/requests/{request['case_id']}").json()
    done = staff.post_json(
        f"/requests/{request['case_id']}/{action}", {"version": now["version"], **content}
    )
    assert done.status == 200, done.text
    return done.json()


def steps(request: Json) -> list[str]:
    return [step["kind"] for step in request["steps"]]


# ---- stopping


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("配信停止してください。", "ja"),
        ("もうメールは不要です", "ja"),
        ("Please unsubscribe me from this list. Thank you.", "en"),
    ],
)
def test_a_reply_that_says_stop_stops_at_once(product: Product, words: str, language: str) -> None:
    reader, staff = product.subscriber("stopper"), product.staff("CS")
    assert staff.eligible(reader)
    write(product, reader, "reply", words)
    told = answer(product, reader, STOPPED[language])
    assert "unsubscribed" in staff.kinds(reader)
    assert not staff.eligible(reader)
    assert told["headers"]["Auto-Submitted"] == "auto-replied"
    assert requests_of(staff, reader) == []


def test_the_mailto_of_list_unsubscribe_stops_whoever_it_names(product: Product) -> None:
    """From any sender, without words: mail programs send it by themselves (RFC 2369)."""
    reader, link = product.subscriber_with_link()
    token = link.rpartition("/")[2]
    mail = letter(product, product.address("other"), f"stop+{token}", " ", subject="unsubscribe")
    post(product, mail, envelope_from="program@elsewhere.example.com")
    staff = product.staff("CS")
    eventually(lambda: "unsubscribed" in staff.kinds(reader), "stopped")
    assert not staff.eligible(reader)


def test_an_answer_from_another_mailbox_stops_the_one_that_got_the_mail(product: Product) -> None:
    """A forwarded mail is quoted with its link: whoever has that may press it too."""
    audience, [reader] = product.readers(1)
    subject = product.note(unique("お知らせ"))
    staff = product.staff("CS")
    staff.campaign(subject, audience=audience)
    got = product.mail(reader, subject)
    product.note(product.link_in(got).rpartition("/")[2])
    write(product, product.address("work"), "reply", "停止してください", answering=got)
    eventually(lambda: "unsubscribed" in staff.kinds(reader), "stopped")


def test_a_stop_in_somebodys_name_asks_them_first(product: Product) -> None:
    victim, staff = product.subscriber("victim"), product.staff("CS")
    forge(product, victim, "reply", "配信を停止して")
    asked = answer(product, victim, "配信停止のご確認")
    assert "unsubscribed" not in staff.kinds(victim)
    assert staff.held(victim)["verdict"]["reason"] == "held"  # until it is known who wrote
    press(product, asked)
    answer(product, victim, STOPPED["ja"])
    assert "unsubscribed" in staff.kinds(victim)
    done = request_of(staff, victim, "stop_use", "done")
    assert "identity_confirmed" in steps(done)


def test_what_may_mean_stop_holds_until_somebody_has_read_it(product: Product) -> None:
    reader, staff = product.subscriber("doubtful"), product.staff("CS")
    write(product, reader, "reply", "メールの配信は止められますか?")
    answer(product, reader, "受け付けました")
    request = request_of(staff, reader, "inquiry", "received")
    assert request["team"] == "CS"
    assert not staff.eligible(reader)
    change(staff, request, "finish", unsubscribe=False)
    eventually(lambda: staff.eligible(reader), "the hold is over")


@pytest.mark.parametrize(
    ("words", "headers"),
    [
        ("配信停止しないでください。いつも楽しみにしています。", []),
        ("ただいま休暇中です。配信停止", [("Auto-Submitted", "auto-replied")]),
        ("停止", [("Precedence", "bulk")]),
    ],
)
def test_what_does_not_mean_stop_stops_nobody(
    product: Product, words: str, headers: list[tuple[str, str]]
) -> None:
    reader, staff = product.subscriber("keeper"), product.staff("CS")
    write(product, reader, "reply", words, headers=headers)
    later = product.subscriber("later")
    write(product, later, "reply", "停止")  # by the time this is done, so is the one before
    answer(product, later, STOPPED["ja"])
    if headers:
        assert product.mails(reader) == []
    else:
        answer(product, reader, "受け付けました")
    assert staff.eligible(reader)


# ---- asking


def test_disclosure(product: Product) -> None:
    person, staff = product.subscriber("asker"), product.staff("IT")
    words = product.note(unique("私について登録されている情報の開示をお願いします。"))
    write(product, person, "optin", words)
    request = request_of(staff, person, "disclosure", "identity_asked")
    assert request["team"] == "IT"
    press(product, answer(product, person, ASK["ja"]))
    ready = answer(product, person, "ファイル")
    link = link_in(product, ready)
    product.note(link.rpartition("/")[2])
    assert person not in ready["text"].replace(ready["to"], "")
    assert product.site.get(link, BROWSER).status == 200
    file = product.site.post_form(link, {}, BROWSER)
    assert file.status == 200
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert person in file.text
    assert words in file.text
    assert product.site.post_form(link, {}, BROWSER).status == 409  # once
    assert "fetched" in steps(request_of(staff, person, "disclosure", "done"))


def test_disclosure_where_nothing_is_held(product: Product) -> None:
    """The same first mail as for everybody: a stranger learns nothing about an address."""
    nobody = product.address("nobody")
    write(product, nobody, "optin", "Please send me all data you hold about me.")
    asked = answer(product, nobody, ASK["en"])
    press(product, asked)
    told = eventually(
        lambda: [m for m in product.mails(nobody) if m["id"] != asked["id"]], "the answer"
    )
    assert "/v/" not in told[0]["text"]


def test_disclosure_in_somebodys_name_gives_nothing_away(product: Product) -> None:
    victim, staff = product.subscriber("victim"), product.staff("IT")
    forge(product, victim, "optin", "個人情報の開示を請求します。")
    request_of(staff, victim, "disclosure", "identity_asked")
    assert len(product.mails(victim)) == 1  # to the victim, and nothing to anybody else
    assert product.mails("attacker@elsewhere.example.com") == []


def test_correction(product: Product) -> None:
    old, new, staff = product.subscriber("old"), product.address("new"), product.staff("IT")
    write(product, old, "optin", "メールアドレスが変わりました。登録の変更をお願いします。")
    request = request_of(staff, old, "correction", "identity_asked")
    press(product, answer(product, old, ASK["ja"]))
    request = request_of(staff, old, "correction", "verified")
    change(staff, request, "new-address", email=new)
    press(product, answer(product, new, "確認"))
    eventually(lambda: (staff.contact(new) or {}).get("verdict", {}).get("eligible"), "moved")
    assert not staff.eligible(old)
    request_of(staff, old, "correction", "done")


def test_erasure(product: Product) -> None:
    """Gone from every query, table, bucket and log; suppressed for good; the consent provable."""
    form_id, staff, began = product.new_form("web_form"), product.staff("IT"), time.time()
    person = product.address("forgetme")
    product.submit(form_id, person)
    contact_id = staff.held(person)["contact_id"]
    words = product.note(unique("私の個人情報をすべて削除してください。"))
    write(product, person, "optin", words)
    request = request_of(staff, person, "erasure", "identity_asked")
    assert staff.held(person)["verdict"]["reason"] == "held"
    press(product, answer(product, person, ASK["ja"]))
    request = request_of(staff, person, "erasure", "verified")
    assert "unsubscribed" in staff.kinds(person)

    denied = product.staff("CS").post_json(
        f"/requests/{request['case_id']}/approve", {"version": request["version"]}
    )
    assert denied.problem(403)
    change(staff, request, "approve")
    certificate = answer(product, person, "削除")
    eventually(
        lambda: staff.get(f"/requests/{request['case_id']}").json()["state"] == "done", "done"
    )
    assert "保" in certificate["text"]  # what is kept, and why

    kept = stored_anywhere(product) | logged_anywhere(product, since=began)
    for typed in (person, person.partition("@")[0], words):
        assert [place for place, text in kept.items() if typed in text] == []
    held = staff.held(person)  # found by its keyed hash: kinds and times only
    assert held["contact_id"] == contact_id
    assert held["address"] == held["typed"] == ""
    assert person not in staff.get(f"/contacts/{contact_id}").text
    proof = staff.post_json("/contacts/proof", {"email": person, "format": "json"})
    assert proof.status == 200
    assert "notified" in proof.text
    assert person not in proof.text

    product.submit(form_id, person)  # a notice brings nobody back
    assert not staff.eligible(person)


def stored_anywhere(product: Product) -> dict[str, str]:
    """Everything in every table, bucket and queue of failures, as text."""
    found: dict[str, str] = {}
    for table in product.aws.dynamodb.list_tables()["TableNames"]:
        pages = product.aws.dynamodb.get_paginator("scan").paginate(TableName=table)
        found[table] = "\n".join(str(item) for page in pages for item in page["Items"])
    for bucket in product.aws.s3.list_buckets()["Buckets"]:
        if "asset" in bucket["Name"]:
            continue
        listing = product.aws.s3.get_paginator("list_objects_v2")
        for objects in listing.paginate(Bucket=bucket["Name"]):
            for each in objects.get("Contents", []):
                body = product.aws.s3.get_object(Bucket=bucket["Name"], Key=each["Key"])["Body"]
                found[f"{bucket['Name']}/{each['Key']}"] = body.read().decode("utf-8", "replace")
    for name, url in failure_queues(product).items():
        found[name] = "\n".join(waiting(product, url))
    assert len(found) > 12
    return found


def failure_queues(product: Product) -> dict[str, str]:
    """Every queue of what could not be done, by the name of its output."""
    outputs = {key.partition(".")[2]: value for key, value in product.stack["outputs"].items()}
    found = {name: url for name, url in outputs.items() if name.endswith("FailuresUrl")}
    assert len(found) == 5
    return found


def waiting(product: Product, url: str) -> list[str]:
    """The messages of a queue, which stay where they are."""
    seen: dict[str, str] = {}
    while True:
        # Nothing is hidden or deleted, so the same come again: until there is none that is new.
        got = product.aws.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0
        ).get("Messages", [])
        new = {message["MessageId"]: message["Body"] for message in got}
        if new.keys() <= seen.keys():
            return list(seen.values())
        seen |= new


def logged_anywhere(product: Product, since: float) -> dict[str, str]:
    """What stands in every log group, as text."""
    groups = product.log_groups()
    assert len(groups) > 8
    return {group: "\n".join(product.log_lines(group, since)) for group in groups}


def test_erasure_in_somebodys_name_erases_nothing(product: Product) -> None:
    victim, staff = product.subscriber("victim"), product.staff("IT")
    forge(product, victim, "optin", "Delete all my data now.")
    request_of(staff, victim, "erasure", "identity_asked")
    assert staff.held(victim)["address"] == victim
    request = request_of(staff, victim, "erasure", "identity_asked")
    denied = staff.post_json(
        f"/requests/{request['case_id']}/approve", {"version": request["version"]}
    )
    assert denied.problem(409)


def test_stop_of_use_by_mail(product: Product) -> None:
    person, staff = product.subscriber("user"), product.staff("CS")
    write(product, person, "optin", "個人情報の利用停止を求めます。")
    done = request_of(staff, person, "stop_use", "done")
    assert done["team"] == "CS"
    assert not staff.eligible(person)


def test_an_inquiry_in_an_old_encoding_is_read_and_answered(product: Product) -> None:
    """ISO-2022-JP with characters the standard does not have, as Japanese programs send it."""
    person, staff = product.address("inquirer"), product.staff("CS")
    words = "①髙橋㈱です。セミナーの会場を教えてください。"
    body = words.encode("cp932")
    raw = (
        f"From: {person}\r\nTo: optin@{product.stack['mail_domain']}\r\n"
        f"Message-ID: <{unique('id').replace(' ', '')}@example.jp>\r\n"
        "Subject: =?iso-2022-jp?B?GyRCPEFMZBsoQg==?=\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=shift_jis\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    ).encode() + body
    post(product, raw, envelope_from=person, to=[f"optin@{product.stack['mail_domain']}"])
    request = open_request(staff, person, "inquiry")
    assert words in request["mails"][0]["words"]
    assert request["subject"] == "質問"
    answer(product, person, "受け付けました")
    said = product.note(unique("会場は市役所です。"))
    change(staff, request, "reply", text=said)
    assert said in answer(product, person, "", since=1)["text"]
    change(staff, request, "finish")


def test_two_who_act_at_once(product: Product) -> None:
    person = product.address("twice")
    write(product, person, "optin", "質問があります。よろしくお願いします。")
    cs, it = product.staff("CS"), product.staff("IT")
    request = open_request(cs, person, "inquiry")
    change(cs, request, "note", text="電話します")
    late = it.post_json(
        f"/requests/{request['case_id']}/refuse",
        {"version": request["version"], "reason": "対象外です。"},
    )
    assert late.problem(409)["code"] == "changed_meanwhile"
