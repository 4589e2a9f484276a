"""What becomes of mail comes back, through the stand-in for SES, its rule and the function."""

from __future__ import annotations

import pytest

from tests.e2e.product import BROWSER, Product, Staff, eventually, unique

pytestmark = pytest.mark.e2e

SIMULATOR = "simulator.amazonses.com"  # SES's: bounce+label@, complaint+label@


def reason_of(advisor: Staff, address: str) -> str:
    reason: str = advisor.held(address)["verdict"]["reason"]
    return reason


def test_what_becomes_of_mail_is_counted_for_its_campaign(product: Product) -> None:
    """S4, U1: each for what it is, in the figures and for each person; no opens, no clicks."""
    advisor = product.staff("CS")
    audience, [anna, bert] = product.readers(2)
    [form_id] = audience["form_ids"]
    bounces, complains = (
        product.note(product.address(kind).replace(".", "+", 1).replace("example.jp", SIMULATOR))
        for kind in ("bounce", "complaint")
    )
    legacy = product.note(product.address("a").replace("@example.jp", "..b@docomo.ne.jp"))
    for address in (bounces, complains, legacy):
        product.submit(form_id, address)
    subject = unique("不達と苦情")
    campaign_id = advisor.campaign(subject, audience=audience)["campaign_id"]
    eventually(lambda: reason_of(advisor, bounces) == "bounced", "the bounce")
    eventually(lambda: reason_of(advisor, complains) == "complained", "the complaint")

    # Only who stops by a link in this campaign is counted for it.
    link = product.link_in(product.mail(anna, subject))
    product.site.get(link, BROWSER)
    assert product.site.post_form(link, {"List-Unsubscribe": "One-Click"}).status == 200
    stop = {"email": bert, "reason": "お電話", "channel": "phone"}
    assert advisor.post_json("/unsubscriptions", stop).status == 200

    expected = {"delivered": 3, "bounced": 1, "soft_bounced": 0, "complained": 1, "unsubscribed": 1}
    shown = eventually(
        lambda: (
            found if (found := advisor.show(campaign_id))["received"]["delivered"] == 3 else None
        ),
        "three deliveries",
    )
    assert shown["received"] == expected
    assert shown["figures"] == {"sent": 4, "skipped": 1}
    assert shown["skipped"] == {"legacy_address": 1}
    assert shown["eligible"] == 4
    assert not {"opened", "clicked"} & (shown.keys() | shown["received"].keys())

    # The same, person by person.
    findings = {
        anna: "delivered",
        bert: "delivered",
        bounces: "bounced",
        complains: "complained",
        legacy: "skipped",
    }
    told = {address: advisor.became_of(address, campaign_id) for address in findings}
    assert {address: answer["finding"] for address, answer in told.items()} == findings
    assert told[legacy]["reason"] == "legacy_address"
    assert told[anna]["entry"]["message_id"] in product.mail(anna, subject)["headers"]["Message-ID"]
    assert all(condition["met"] for condition in told[anna]["conditions"])  # as of then

    # A bounce is lifted with a reason on record; a complaint is a refusal.
    answers = {
        address: advisor.post_json(
            f"/contacts/{advisor.held(address)['contact_id']}/lift-bounce",
            {"reason": product.note(unique("受信できるようになったとのお電話"))},
        )
        for address in (bounces, complains)
    }
    assert answers[bounces].json()["verdict"]["eligible"] is True
    answers[complains].problem(409)
    assert product.mails(bounces) == []


def test_why_somebody_did_not_get_it(product: Product) -> None:
    """Also where the sender never came to them."""
    advisor = product.staff("CS")
    audience, [reader] = product.readers(1)
    outside, stopped = product.subscriber("outside"), product.subscriber("stopped")
    stop = {"email": stopped, "reason": "お電話", "channel": "phone"}
    assert advisor.post_json("/unsubscriptions", stop).status == 200
    draft = advisor.write_campaign(unique("まだ"), audience=audience)
    assert advisor.became_of(reader, draft)["finding"] == "not_started"
    sent = advisor.campaign(unique("理由"), audience=audience)["campaign_id"]
    late = product.subscriber("late")
    findings = {outside: "outside_audience", stopped: "not_eligible", late: "unknown_then"}
    for address, finding in findings.items():
        answer = advisor.became_of(address, sent)
        assert (answer["finding"], answer["entry"]) == (finding, None)
        assert answer["sentence_ja"]
    assert advisor.became_of(stopped, sent)["reason"] == "unsubscribed"
    nobody = {"email": product.address("nobody")}
    advisor.post_json(f"/campaigns/{sent}/recipients/lookup", nobody).problem(404)
    advisor.post_json(f"/campaigns/{'0' * 12}/recipients/lookup", {"email": reader}).problem(404)
