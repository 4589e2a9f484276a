"""cdk-nag (AwsSolutions): nothing found, and nothing acknowledged that was not found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from tests.infrastructure.assembly import Assembly, Synthesise


def test_nothing_is_found(aws: Assembly) -> None:
    report = json.loads((aws.folder / "validation-report.json").read_text())
    assert report["pluginReports"] == []


def test_every_acknowledgment_answers_a_finding_and_gives_its_reason(
    synthesise: Synthesise, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also proves that the rules run at all: without acknowledgments synthesis fails."""
    acknowledged: set[str] = set()

    def acknowledge(_self: cdk.Validations, *rules: cdk.Acknowledgment) -> None:
        for rule in rules:
            assert len(rule.reason) > 30
            acknowledged.add(rule.id)

    monkeypatch.setattr(cdk.Validations, "acknowledge", acknowledge)
    with pytest.raises(RuntimeError, match="ValidationFailed") as failure:
        synthesise()
    path = str(failure.value).rsplit(": ", 1)[-1].strip()
    report: dict[str, Any] = json.loads(Path(path).read_text("utf-8"))
    [nag] = report["pluginReports"]
    assert nag["pluginName"] == "AwsSolutions"
    assert {violation["ruleName"] for violation in nag["violations"]} == acknowledged
