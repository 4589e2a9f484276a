"""`make token TEAM=CS`: an access token for the staff API of the running local stack, for curl."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from local import seed
from local.aws import Aws


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--team", choices=("CS", "GS", "IT"), default="CS")
    arguments = parser.parse_args()
    file = arguments.state / "stack.json"
    if not file.exists():
        raise SystemExit(f"No local stack is running on {arguments.state}; start it: make run")
    stack = json.loads(file.read_text("utf-8"))
    user = next(user for user in stack["users"] if user["team"] == arguments.team)
    print(
        seed.access_token(
            Aws(stack["aws"]["endpoint_url"]),
            stack["outputs"]["OptinApp.UserPoolClientId"],
            seed.User(**user),
        )
    )


if __name__ == "__main__":
    main()
