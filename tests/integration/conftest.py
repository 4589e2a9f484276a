"""Integration tests: the handlers, their adapters and an AWS made of moto."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.telemetry import logger
from tests.integration.world import World, small_aws

_CASES = pytest.StashKey[dict[str, int]]()


@pytest.fixture(autouse=True)
def _telemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "optin")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "test")


@pytest.fixture(scope="module")
def small_world() -> Iterator[World]:
    """Shared by a module's tests; whoever uses it begins with ``begin()``."""
    with small_aws() as made:
        yield made


@pytest.fixture
def world(small_world: World) -> World:
    """A world with the two forms in it and nobody else."""
    small_world.begin()
    return small_world


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Everything written so far: the log as CloudWatch would have it, and standard output."""
    written = io.StringIO()
    listener = logging.StreamHandler(written)
    listener.setFormatter(logger.handlers[0].formatter)
    logger.addHandler(listener)
    root = logging.StreamHandler(written)
    logging.getLogger().addHandler(root)

    def everything() -> str:
        captured = capsys.readouterr()
        return written.getvalue() + captured.out + captured.err

    yield everything
    logging.getLogger().removeHandler(root)
    logger._logger.removeHandler(listener)


@pytest.fixture
def cases(request: pytest.FixtureRequest) -> Callable[[str, int], None]:
    """Say how many cases a test ran; the summary prints them."""
    counts = request.config.stash.setdefault(_CASES, {})

    def say(what: str, number: int) -> None:
        counts[what] = counts.get(what, 0) + number

    return say


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Tests run in several processes: what each counted comes together here."""
    config, told = node.config, getattr(node, "workeroutput", {})
    counts = config.stash.setdefault(_CASES, {})
    for what, number in told.get("cases", {}).items():
        counts[what] = counts.get(what, 0) + number


def pytest_sessionfinish(session: pytest.Session) -> None:
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["cases"] = session.config.stash.get(_CASES, {})


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    counts = config.stash.get(_CASES, {})
    if counts:
        terminalreporter.section("cases")
        for what, number in counts.items():
            terminalreporter.write_line(f"{number:6,} {what}")
        terminalreporter.write_line(f"{sum(counts.values()):6,} in all")
