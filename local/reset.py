"""`make reset`: forget the local data. Needs the standard library only."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from local.lock import exclusive


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    state: Path = parser.parse_args().state
    if not state.exists():
        print(f"Nothing to forget: {state} does not exist.")
        return
    if any(state.iterdir()) and not (state / "lock").exists():
        raise SystemExit(f"{state} was not written by `make run`; it is left alone.")
    with exclusive(state):
        shutil.rmtree(state)
    print(f"Forgotten: {state}")


if __name__ == "__main__":
    main()
