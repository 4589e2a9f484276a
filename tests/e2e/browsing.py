"""What a person does with the pages, and what axe-core says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page

from tests.e2e.product import eventually
from tests.e2e.test_pages_axe import AXE, RULES

FILL_TIME = timedelta(seconds=2)  # a form sent sooner is taken for a robot's


def fill_in(page: Page, entry: Mapping[str, str]) -> None:
    """Enter everything but the box."""
    for name, value in entry.items():
        if name != "opt_in":
            page.locator(f'[name="{name}"]').fill(value)
    take_time(page)


def take_time(page: Page) -> None:
    """As long as a person takes."""
    rendered = datetime.fromisoformat(page.locator("[name=rendered_at]").input_value())
    eventually(lambda: datetime.now(UTC) - rendered > FILL_TIME, "time to fill in the form")


def send(page: Page) -> None:
    """Press the form's one button."""
    with page.expect_navigation():
        page.locator("main button[type=submit]").click()


def complaints(page: Page, rules: Sequence[str] = RULES) -> list[tuple[str, str, str]]:
    """What axe-core finds wrong, or cannot decide, on the page as it is served."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(
        # A mail's frame runs no script, so axe cannot look inside from here.
        "tags => axe.run({exclude: 'iframe'}, {runOnly: tags})"
        ".then(r => ({told: [...r.violations, ...r.incomplete], passed: r.passes.length}))",
        rules,
    )
    assert found["passed"] > 10
    return [
        (rule["id"], node["html"][:200], node["failureSummary"])
        for rule in found["told"]
        for node in rule["nodes"]
    ]
