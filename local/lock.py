"""One state folder belongs to one running stack."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(state: Path) -> Iterator[int]:
    """Hold ``state``, or explain who holds it; yields the open file.

    The kernel lets go when this process has ended, and every other that was given the file.
    """
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(
                f"A local stack is running on {state}. Stop it first (Ctrl-C where it runs), "
                "or use another folder: make run STATE=.local-2 PORT=8090"
            ) from None
        yield file.fileno()
