"""README's promises: the clause table names every clause and only what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
CLAUSES = (
    "A1 A2 A3 A4 A5 A6 U1 U2 S1 S2 S3 S4 R1 D1 D2 D3 D4 D5 G1 G2 G3 G4 G5 L1".split()  # noqa: SIM905
)


def _rows() -> dict[str, str]:
    rows: dict[str, str] = {}
    for line in README.splitlines():
        if match := re.match(r"\| ([A-Z]\d[^|]*)\|", line):
            names = match[1].strip().replace("G1–G5", "G1, G2, G3, G4, G5")
            rows |= dict.fromkeys(names.split(", "), line)
    return rows


def test_every_clause_has_a_row() -> None:
    assert set(_rows()) == set(CLAUSES)


@pytest.mark.parametrize("clause", CLAUSES)
def test_what_a_row_names_exists(clause: str) -> None:
    named = re.findall(r"`([^`]+)`", _rows()[clause])
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
