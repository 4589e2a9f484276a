"""One state folder belongs to one running stack."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(state: Path) -> Iterator[None]:
    """Hold ``state`` for this process, or explain who holds it. The kernel drops it at exit."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(
                f"A local stack is running on {state}. Stop it first (Ctrl-C where it runs), "
                "or use another folder: make run STATE=.local-2 PORT=8090"
            ) from None
        yield
