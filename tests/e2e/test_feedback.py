"""What becomes of mail comes back, through the stand-in for SES, its rule and the function."""

from __future__ import annotations

import pytest

from tests.e2e.product import Product, eventually, unique

pytestmark = pytest.mark.e2e

# The addresses of SES's mailbox simulator, and what each makes of a contact.
SIMULATED = {
    "bounce@simulator.amazonses.com": "bounced",
    "complaint@simulator.amazonses.com": "complained",
}


def test_bounces_and_complaints_come_back_and_a_bounce_is_lifted(product: Product) -> None:
    """S4, U1: each for what it is, counted for its campaign; staff lift the bounce only."""
    advisor, form_id = product.staff("CS"), product.form("municipal_lp")
    for address in SIMULATED:
        product.submit(form_id, product.note(address), ticked=True)
        advisor.confirm(address)
        assert advisor.eligible(address)
    campaign = advisor.campaign(unique("不達と苦情"))
    for address, reason in SIMULATED.items():
        eventually(
            lambda address=address, reason=reason: (  # type: ignore[misc]
                advisor.held(address)["verdict"]["reason"] == reason or None
            ),
            f"{address} is {reason}",
        )
    path = f"/campaigns/{campaign['campaign_id']}"
    received = advisor.get(path).json()["received"]
    assert (received["bounced"], received["complained"]) == (1, 1)

    answers = {
        reason: advisor.post_json(
            f"/contacts/{advisor.held(address)['contact_id']}/lift-bounce",
            {"reason": "受信できるようになったとのお電話"},
        )
        for address, reason in SIMULATED.items()
    }
    assert answers["bounced"].json()["verdict"]["eligible"] is True
    answers["complained"].problem(409)
