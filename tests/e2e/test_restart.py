"""A stack of its own, stopped and started again: what people told us is still there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local.config import ROOT, free_port
from tests.e2e.product import BROWSER, Http, Product, Staff, eventually, unique
from tests.e2e.test_requests_by_mail import ASK, press, request_of, requests_of
from tests.e2e.writing import answer, write

pytestmark = pytest.mark.e2e


@contextmanager
def running(state: Path, port: int) -> Iterator[Product]:
    """`make run`, until the end of the block; a clean stop is part of it."""
    file = state / "stack.json"
    with (state / "output.txt").open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.run", f"--port={port}", f"--state={state}"],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: file.exists() or process.poll() is not None, "the stack", 120)
        assert process.poll() is None, (state / "output.txt").read_text()
        yield Product(json.loads(file.read_text("utf-8")))
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    assert code == 0
    assert not file.exists()


def counted(staff: Staff, form_id: str, expected: dict[str, int]) -> None:
    """Of the people of a form who may not get mail, so many for each reason."""
    eventually(
        lambda: (
            {
                rest["reason"]: rest["count"]
                for rest in staff.dry_run({"form_ids": [form_id]})["rest"]
            }
            == expected
        ),
        f"the counts {expected}",
    )


def test_data_survive_a_restart(tmp_path: Path) -> None:
    port = free_port()
    subject = unique("再起動の前")
    with running(tmp_path, port) as before:
        address, stranger = before.address("restart"), before.address("restart")
        form_id = before.new_form()
        before.submit(form_id, address, ticked=True)
        before.submit(form_id, stranger, ticked=True)
        staff = before.staff("CS")
        staff.confirm(address)
        staff.campaign(subject)
        link = before.link_in(before.mail(address, subject))
        coming = staff.approved_campaign(unique("予約"), audience={"form_ids": [form_id]})
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        staff.act(coming, "schedule", at=tomorrow.isoformat())
        counted(staff, form_id, {"opt_in_unconfirmed": 1})
        write(before, address, "optin", "私について登録されている情報の開示をお願いします。")
        asked = answer(before, address, ASK["ja"])
        request = request_of(staff, address, "disclosure", "identity_asked")
        contact = staff.held(address)
    with running(tmp_path, port) as after:
        assert after.stack == before.stack
        staff = after.staff("CS")
        assert staff.held(address) == contact
        assert [waiting["address"] for waiting in staff.pending()] == [stranger]
        after.mail(address, subject)
        # A request goes on where it was, and the mail that made it is still there.
        assert requests_of(staff, address) == [request]
        [mail] = request["mails"]
        raw = staff.get(f"/requests/{request['case_id']}/mails/{mail['mail_id']}/raw").json()
        url = urlsplit(raw["url"])
        kept = Http(f"{url.scheme}://{url.netloc}").get(f"{url.path}?{url.query}")
        assert address in kept.text
        press(after, asked)
        assert "/v/" in answer(after, address, "ファイル")["text"]
        # The counts follow what changes now: their stream goes on.
        counted(staff, form_id, {"opt_in_unconfirmed": 1})
        after.submit(form_id, after.address("restart"), ticked=True)
        counted(staff, form_id, {"opt_in_unconfirmed": 2})
        # A start to come is still to come, and may be brought forward.
        assert staff.show(coming)["status"] == "scheduled"
        soon = datetime.now(UTC) + timedelta(seconds=2)
        staff.act(coming, "schedule", at=soon.isoformat())
        assert staff.done(coming)["figures"] == {"sent": 1}
        # A link mailed before still stops what is sent after.
        assert after.site.get(link, BROWSER).status == 200
        assert after.site.post_form(link, {"List-Unsubscribe": "One-Click"}).status == 200
        assert staff.held(address)["verdict"]["reason"] == "unsubscribed"
        staff.confirm(stranger)
        subject = unique("再起動の後")
        staff.campaign(subject)
        after.mail(stranger, subject)
        assert after.mails(address, subject) == []
