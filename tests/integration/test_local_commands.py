"""What surrounds the local stack: its folder, its ports, `make reset`, `make deploy`."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from local import config as configuration
from local import preflight, receiving, reset
from local.differences import batch_actions
from local.lock import exclusive


def test_ports_are_remembered_and_replaced_when_taken(tmp_path: Path) -> None:
    port = configuration.free_port()
    first = configuration.load(state=tmp_path, port=port)
    assert configuration.load(state=tmp_path, port=port) == first
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first.ses_port))
        taken.listen()
        second = configuration.load(state=tmp_path, port=port)
    assert second.ses_port != first.ses_port
    assert second.emulator_port == first.emulator_port


def test_a_taken_gateway_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=f"Port {port} is in use"):
            configuration.load(state=tmp_path, port=port)


def test_reset_forgets_but_not_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    monkeypatch.setattr(sys, "argv", ["reset", "--state", str(state)])
    with exclusive(state):
        (state / "data").write_text("kept")
        with pytest.raises(SystemExit, match="is running"):
            reset.main()
    assert (state / "data").exists()
    reset.main()
    assert not state.exists()
    reset.main()
    assert "does not exist" in capsys.readouterr().out


def test_reset_leaves_a_folder_alone_that_is_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    monkeypatch.setattr(sys, "argv", ["reset", "--state", str(tmp_path)])
    with pytest.raises(SystemExit, match="left alone"):
        reset.main()
    assert (tmp_path / "thesis.txt").exists()


def test_deploy_names_every_setting_that_is_still_an_example() -> None:
    shipped = json.loads((configuration.ROOT / "cdk.json").read_text("utf-8"))["context"]
    missing = " ".join(preflight.missing_settings(preflight.context_of(shipped, [])))
    assert "mail_domain" in missing
    assert "company.address" in missing


def test_deploy_reads_settings_as_the_cdk_does() -> None:
    company = {"name": "甲", "name_en": "A", "address": "東京都千代田区1", "contact": "a@kou.jp"}
    arguments = ["-c", "mail_domain=m.kou.jp", f"--context=company={json.dumps(company)}"]
    context = preflight.context_of({"target": "aws", "mail_domain": "mail.example.jp"}, arguments)
    assert list(preflight.missing_settings(context)) == []


def test_deploy_says_what_the_domain_needs_for_mail_to_come_in() -> None:
    zone = preflight.zone({"mail_domain": "m.kou.jp", "region": "ap-northeast-1"})
    assert "m.kou.jp MX 10 inbound-smtp.ap-northeast-1.amazonaws.com" in zone


class RuleSets:
    """SES's receipt rule sets, of which one at most is active."""

    def __init__(self, active: str) -> None:
        self.active = active

    def describe_active_receipt_rule_set(self) -> dict[str, Any]:
        return {"Metadata": {"Name": self.active}} if self.active else {}

    def set_active_receipt_rule_set(self, *, RuleSetName: str) -> None:  # noqa: N803
        self.active = RuleSetName


@pytest.mark.parametrize(
    ("active", "joined"), [("", ""), ("optin", ""), ("company-mail", "company-mail")]
)
def test_deploy_lets_mail_come_in(active: str, joined: str) -> None:
    """Ours is activated where the account has none; a set of the company's is left to it."""
    ses = RuleSets(active)
    said = receiving.activate(ses, {"receipt_rule_set": joined, "region": "ap-northeast-1"})
    assert ses.active == (joined or "optin")
    assert said.startswith(f"Mail comes in: the receipt rule set {ses.active} is active")


@pytest.mark.parametrize(
    ("active", "joined", "advice"),
    [
        ("company-mail", "", 'make deploy ARGS="-c receipt_rule_set=company-mail"'),
        ("other", "company-mail", "set-active-receipt-rule-set --rule-set-name company-mail"),
        ("", "company-mail", "set-active-receipt-rule-set --rule-set-name company-mail"),
    ],
)
def test_deploy_takes_no_rule_set_from_anybody(active: str, joined: str, advice: str) -> None:
    ses = RuleSets(active)
    with pytest.raises(SystemExit, match="no mail comes in") as told:
        receiving.activate(ses, {"receipt_rule_set": joined, "region": "ap-northeast-1"})
    assert advice in str(told.value)
    assert ses.active == active


def test_batches_are_allowed_where_aws_allows_them() -> None:
    allow = {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:GetQueueUrl"], "Resource": "q"}
    assert batch_actions(allow) == ["sqs:SendMessageBatch"]
    assert batch_actions(allow | {"Effect": "Deny"}) == []
    assert batch_actions(allow | {"Action": "dynamodb:PutItem"}) == []
