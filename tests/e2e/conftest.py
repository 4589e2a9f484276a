"""What the end-to-end tests share: the deployed product, and that its logs are read last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.product import Product

_LAST = Path(__file__).parent / "test_logs.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever the other tests typed is looked for in the logs."""
    items.sort(key=lambda item: item.path == _LAST)


@pytest.fixture(scope="session")
def product(stack: dict[str, Any]) -> Product:
    """The product, deployed to the local stand-in with IAM enforced."""
    return Product(stack)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A person's browser: a telephone, in Japanese, with JavaScript off."""
    opened = browser.new_context(
        java_script_enabled=False, locale="ja-JP", viewport={"width": 375, "height": 700}
    )
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab of it."""
    return context.new_page()
