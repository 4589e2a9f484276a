"""What reading a 10 MB mail costs, beside the standard library's parser on the same bytes.

Each in a process of its own, in turns: ``python -m bench.mail_read WHAT FILE`` is such a process.
"""

from __future__ import annotations

import base64
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.memory import peak_megabytes

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5
ATTACHMENT = 7_500_000  # 10 MB in base64
WORDS = "お世話になっております。\n個人情報の開示をお願いします。\n"


@dataclass(frozen=True)
class Figure:
    """One measurement, as ``bench.__main__.Result`` has it."""

    name: str
    value: float
    unit: str
    goal: float
    compare: str
    against: str
    samples: int


def measure() -> list[Figure]:
    """All of ``mail.*``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mail"
        path.write_bytes(_mail())
        ours, floor = [], []
        for _ in range(ROUNDS):
            ours.append(_run("ours", path))
            floor.append(_run("floor", path))
    found = {
        key: (
            statistics.median(one[key] for one in ours),
            statistics.median(one[key] for one in floor),
        )
        for key in ("cpu", "megabytes")
    }
    cpu, megabytes = found["cpu"], found["megabytes"]
    return [
        Figure(
            "mail.read_10mb_cpu", round(cpu[0], 3), "s", 1, "<=",
            f"the standard library's parser, which only takes it apart: {cpu[1]:.2f} s", ROUNDS,
        ),
        Figure(
            "mail.read_10mb_memory", round(megabytes[0], 1), "MB", 200, "<=",
            f"the whole process's peak; with the standard library's parser {megabytes[1]:.0f} MB",
            ROUNDS,
        ),
    ]  # fmt: skip


def _mail() -> bytes:
    """Text, HTML and an attachment of noise."""
    noise = base64.encodebytes(random.Random(4).randbytes(ATTACHMENT))  # noqa: S311 (noise)
    noise = noise.replace(b"\n", b"\r\n")
    html = f"<div>{WORDS}</div>" + "<p>秋のお知らせ</p>" * 500
    head = (
        "From: =?utf-8?B?5bGx55Sw?= <taro@example.jp>\r\nMessage-ID: <1@example.jp>\r\n"
        "Subject: =?iso-2022-jp?B?GyRCMys8KBsoQg==?=\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\n"
        "Content-Type: multipart/alternative; boundary=inner\r\n\r\n--inner\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{WORDS}\r\n--inner\r\n"
        f"Content-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n--inner--\r\n--outer\r\n"
        "Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + noise + b"--outer--\r\n"


def _run(what: str, path: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.mail_read", what, str(path)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise AssertionError(f"{what} failed:\n{done.stderr}")
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _probe(what: str, path: str) -> None:
    """Read it once, as a function does whose process has just started."""
    raw = Path(path).read_bytes()
    if what == "floor":
        from email import message_from_bytes

        start = time.process_time()
        message_from_bytes(raw)
        cpu = time.process_time() - start
    else:
        from shared.inbox import read

        start = time.process_time()
        found = read(raw)
        cpu = time.process_time() - start
        if (found.words, found.attachments, found.unread) != (WORDS.strip(), 1, ()):
            raise AssertionError(f"read {found}")
    print(json.dumps({"cpu": cpu, "megabytes": peak_megabytes()}))


if __name__ == "__main__":
    _probe(*sys.argv[1:])
