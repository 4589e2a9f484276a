"""What all tests share: no network for the unit tests, one deployed stack for those end to end."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from local.config import free_port

ROOT = Path(__file__).resolve().parent.parent
UNIT = ROOT / "tests" / "unit"
Stack = dict[str, Any]


class _ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """In several processes the one deployed stack stays in one, and a file's fixtures too."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        folder = path.split("/")[1]
        return folder if folder in {"e2e", "infrastructure"} else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _ByFile(config, log)


@pytest.fixture(autouse=True)
def _no_sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test that opens a connection is no unit test."""
    if not request.path.is_relative_to(UNIT) or request.node.get_closest_marker("network"):
        return

    def refuse(_self: socket.socket, address: object) -> None:
        raise AssertionError(f"a unit test connects to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)


@pytest.fixture(autouse=True)
def _no_real_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may reach anyone's AWS account, whatever this machine is signed in to."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session")
def apart() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine in a thread of its own: the browser keeps a loop running in this one."""

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(asyncio.run, work).result()

    return run


@pytest.fixture(scope="session")
def event() -> Callable[[str], dict[str, Any]]:
    """`event("form_post")` is a fresh copy of events/form_post.json."""

    def load(name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text("utf-8"))
        return found

    return load


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """`stack.json` of the whole product deployed to the local stand-in, IAM enforced.

    OPTIN_STACK=.local/stack.json uses one that is running already, which is quicker to work with.
    """
    if running := os.environ.get("OPTIN_STACK"):
        yield json.loads(Path(running).read_text("utf-8"))
        return
    state = tmp_path_factory.mktemp("stack")
    command = [sys.executable, "-m", "local.run", f"--port={free_port()}", f"--state={state}"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            yield _when_ready(process, state / "stack.json")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=90)
    shutil.rmtree(state, ignore_errors=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        pytest.fail("Chromium is missing; `make browser` installs it")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-background-networking", "--disable-dev-shm-usage"],
        )
        yield launched
        launched.close()


def _when_ready(process: subprocess.Popen[str], stack_file: Path) -> Stack:
    """Read its progress until it says that it serves; keep reading, or it would block."""
    said: list[str] = []
    if process.stdout is None:
        raise AssertionError("no output to read")
    for line in process.stdout:
        said.append(line)
        if line.rstrip().endswith("] Ready"):
            threading.Thread(target=process.stdout.read, daemon=True).start()
            found: Stack = json.loads(stack_file.read_text("utf-8"))
            return found
    raise AssertionError("the local stack did not start:\n" + "".join(said))
