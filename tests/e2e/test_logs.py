"""After everything the other tests have typed: none of it stands in a log (architecture: privacy).

Runs last, and does a little of everything itself.
"""

from __future__ import annotations

import re
import time
from functools import partial

import pytest

from tests.e2e.product import BROWSER, FUNCTIONS, Product, eventually, unique

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
    product.aws.functions.invoke(FunctionName=product.function("console"), Payload=b"{}")
    for function in FUNCTIONS:
        eventually(partial(product.log, function, began), f"the log of {function}")
    return {group: "\n".join(product.log_lines(group)) for group in product.log_groups()}


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
