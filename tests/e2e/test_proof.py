"""The proof file: one download that stands for itself (A2, D4)."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest

from tests.e2e.product import Product, Reply, eventually, unique

pytestmark = pytest.mark.e2e


def name_and_digest(file: Reply, kind: str) -> str:
    """The hash in the attachment's name; nobody keeps a copy on the way."""
    assert file.status == 200, file.text
    assert file.headers["Cache-Control"] == "no-store"
    disposition = file.headers["Content-Disposition"]
    named = re.fullmatch(
        rf'attachment; filename="optin-proof-([0-9a-f]{{16}})\.{kind}"', disposition
    )
    assert named is not None, disposition
    return named[1]


def test_a_proof_file_tells_everything_about_one_person(product: Product) -> None:
    advisor, form_id, taro = product.staff("CS"), product.new_form(), product.address("t")
    audience = {"form_ids": [form_id]}
    product.submit(form_id, taro, ticked=True)
    advisor.confirm(taro)
    earlier = advisor.campaign(unique("証拠"), audience=audience)
    stop = {"email": taro, "reason": product.note(unique("お電話")), "channel": "phone"}
    assert advisor.post_json("/unsubscriptions", stop).status == 200
    later = advisor.campaign(unique("停止の後"), audience=audience)
    eventually(
        lambda: advisor.became_of(taro, earlier["campaign_id"])["finding"] == "delivered", "it"
    )

    answer = advisor.post_json("/contacts/proof", {"email": taro, "format": "json"})
    digest = hashlib.sha256(answer.body).hexdigest()
    assert answer.type == "application/json"
    assert digest.startswith(name_and_digest(answer, "json"))
    record = answer.json()
    assert record["person"]["address"] == taro
    assert record["person"]["asked_for"] == "t***@***.jp"
    assert record["made"]["by"] == product.user("CS")["username"]
    assert record["verdict"]["reason"] == "unsubscribed"
    assert [event["kind"] for event in record["events"]] == advisor.kinds(taro)
    yes, shown = record["events"][0], product.describe(form_id)
    [box, purpose] = yes["wordings"]
    assert (box["text"], box["version"]) == (shown["wording"]["ja"], shown["version"])
    assert hashlib.sha256(box["text"].encode()).hexdigest() == box["sha256"]
    assert box["is_as_published"]
    assert purpose["text"] == shown["purpose"]["ja"]
    campaigns = {each["campaign_id"]: each for each in record["campaigns"]}
    assert campaigns[earlier["campaign_id"]]["finding"] == "delivered"
    assert campaigns[earlier["campaign_id"]]["subject"] == earlier["subject"]
    assert campaigns[later["campaign_id"]]["reason"] == "unsubscribed"
    assert record["retention"]["keep_until"]
    # Whoever made it can be held to it: the log has the hash.
    eventually(lambda: any(digest in line for line in product.log("staff_api")), "the hash")


def test_the_readable_file_carries_the_record_it_shows(product: Product) -> None:
    staff = product.staff("IT")
    address = product.subscriber("proof")
    contact_id = staff.held(address)["contact_id"]
    page = staff.get(f"/contacts/{contact_id}/proof")
    assert page.type == "text/html"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    embedded = re.search(r'"data:application/json;base64,([^"]+)"', page.text)
    assert embedded is not None
    record = base64.b64decode(embedded[1])
    digest = hashlib.sha256(record).hexdigest()
    assert digest.startswith(name_and_digest(page, "html"))
    assert digest in page.text
    assert json.loads(record)["person"]["address"] == address
    assert address in page.text
    assert "<script" not in page.text
    nobody = {"email": product.address("nobody")}
    staff.post_json("/contacts/proof", nobody).problem(404)
