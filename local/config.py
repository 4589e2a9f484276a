"""What one copy of the local stack is called and where it listens."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
REGION: Final = "ap-northeast-1"
ACCOUNT = "000000000000"
MAIL_DOMAIN = "mail.example.jp"
AWS_KEY = "test"  # the emulator's root key; not a secret

_SERVICES = ("emulator", "ses", "smtp_out", "smtp_in")


@dataclass(frozen=True, slots=True)
class Config:
    """One copy of the stack: its state folder and its ports."""

    state: Path
    port: int
    emulator_port: int
    ses_port: int
    smtp_out_port: int
    smtp_in_port: int

    @property
    def public_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def aws_url(self) -> str:
        return f"http://{HOST}:{self.emulator_port}"

    @property
    def ses_url(self) -> str:
        return f"http://{HOST}:{self.ses_port}"

    @property
    def mailbox_url(self) -> str:
        return f"{self.public_url}/mailbox"

    @property
    def stack_file(self) -> Path:
        return self.state / "stack.json"

    @property
    def context(self) -> dict[str, str]:
        """The context keys that make the CDK app deploy to this machine."""
        return {
            "target": "local",
            "public_url": self.public_url,
            "console_url": f"{self.public_url}/console",
            "staff_api_url": f"{self.public_url}/staff",
            "cognito_domain_url": self.public_url,
            "mail_domain": MAIL_DOMAIN,
            "ses_endpoint": self.ses_url,
        }


def load(*, state: Path, port: int) -> Config:
    """Choose the ports: the ones of last time where they are still free, else new ones."""
    if not _is_free(port):
        raise SystemExit(
            f"Port {port} is in use. Stop what uses it, or choose another: make run PORT=8090"
        )
    file = state / "ports.json"
    remembered: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    ports: dict[str, int] = {}
    for service in _SERVICES:
        wanted = remembered.get(service, 0)
        taken = {port, *ports.values()}
        usable = wanted and wanted not in taken and _is_free(wanted)
        ports[service] = wanted if usable else free_port(avoid=taken)
    write_atomically(file, json.dumps(ports, indent=1))
    return Config(
        state=state,
        port=port,
        emulator_port=ports["emulator"],
        ses_port=ports["ses"],
        smtp_out_port=ports["smtp_out"],
        smtp_in_port=ports["smtp_in"],
    )


def write_atomically(file: Path, text: str) -> None:
    """A reader sees the old content or the new, never half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(*, avoid: Collection[int] = ()) -> int:
    """A port nobody listens on now."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port: int = probe.getsockname()[1]
        if port not in avoid:
            return port
