"""What sending costs: calls, time, processor, memory and money, beside the ways one would try.

Everything runs against the same stub (``send_stub``) in the same run, each in a process of its
own, in turns.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 3
LATENCY = 0.03
# ap-northeast-1, on demand, US dollars, as listed in November 2026: DynamoDB standard tables per
# million request units (aws.amazon.com/dynamodb/pricing/on-demand: half of what they were before
# November 2024); Lambda on arm64 per GB-second and per million requests; SQS per million
# requests. Units are those of the stub's own items, by their sizes (bench.units).
PRICES = {
    "write": 0.715,
    "read": 0.1425,
    "gb_second": 0.0000133334,
    "invocation": 0.20,
    "sqs": 0.40,
}
MEMORY_GB = 0.5
SENDERS = 8  # infra/jobs.py: as many at once


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
    """All of ``send.*``."""
    with _stub() as stub:
        return [*_beside_naive(stub), _beside_serial(stub), *_large(stub)]


def _beside_naive(stub: _Stub) -> list[Figure]:
    rates, cpus = [], []
    for _ in range(ROUNDS):
        naive = stub.run("naive", 1_600)
        ours = stub.run("ours", 16_000)
        rates.append((naive["seconds"] / 1_600) / (ours["seconds"] / 16_000))
        cpus.append((ours["cpu"] / 16_000) / (naive["cpu"] / 1_600))
    against = "scan all, check, build an EmailMessage, send one by one; per mail, same stub"
    rate, cpu = statistics.median(rates), statistics.median(cpus)
    return [
        Figure("send.rate_vs_naive", round(rate, 1), "ratio", 6, ">=", against, ROUNDS),
        Figure("send.cpu_vs_naive", round(cpu, 3), "ratio", 0.10, "<=", against, ROUNDS),
    ]


def _beside_serial(stub: _Stub) -> Figure:
    ratios = []
    for _ in range(ROUNDS):
        serial = stub.run("serial", 100, latency=LATENCY)
        ours = stub.run("ours_at_once", 16_000, latency=LATENCY)
        ratios.append((serial["seconds"] / 100) / (ours["seconds"] / 16_000))
    return Figure(
        "send.rate_vs_serial",
        round(statistics.median(ratios), 1),
        "ratio",
        40,
        ">=",
        "a serial send_email loop at 30 ms a call; ours: eight senders at once, as the queue feeds",
        ROUNDS,
    )


def _large(stub: _Stub) -> list[Figure]:
    small = stub.run("ours", 1_000)
    large = stub.run("ours", 100_000)
    counted = large["counted"]
    calls = sum(counted["calls"].values()) / 100_000
    slow = stub.run("ours_at_once", 16_000, latency=LATENCY)
    seconds = SENDERS * slow["seconds"] / 16_000  # of sender, per mail
    return [
        Figure(
            "send.calls_per_mail", round(calls, 4), "AWS calls", 0.10, "<=",
            "everything a job of 100,000 mails calls, counted by the stub", 1,
        ),
        Figure(
            "send.memory_growth", round(large["megabytes"] - small["megabytes"], 1), "MB", 10,
            "<=", "peak memory at 100,000 recipients less that at 1,000", 1,
        ),
        Figure(
            "send.usd_per_million", round(_dollars(counted["units"], 100_000, seconds), 2), "USD",
            3, "<=", "request units counted, list prices of ap-northeast-1; beside SES's own, "
            "feedback events apart", 1,
        ),
    ]  # fmt: skip


def _dollars(units: Mapping[str, float], mails: int, sender_seconds: float) -> float:
    """Per million mails: DynamoDB as counted, Lambda at 30 ms a call, SQS for the jobs."""
    store = sum(PRICES[kind] * units[kind] / mails for kind in ("write", "read"))
    run = sender_seconds * 1_000_000 * MEMORY_GB * PRICES["gb_second"]
    jobs = sender_seconds * 1_000_000 / 90  # a job gives way to the next after 90 s
    return store + run + jobs * (PRICES["invocation"] + 3 * PRICES["sqs"]) / 1_000_000


@dataclass(frozen=True)
class _Stub:
    endpoint: str

    def run(self, what: str, recipients: int, *, latency: float = 0.0) -> dict[str, Any]:
        """One process; what it took and what the stub counted."""
        self._ask("/control", {"recipients": recipients, "latency": latency})
        done = subprocess.run(
            [sys.executable, "-m", "bench.send_probe", what, str(recipients)],
            env=_ENVIRONMENT
            | {"AWS_ENDPOINT_URL": self.endpoint, "CAMPAIGN_QUEUE_URL": self.endpoint},
            cwd=ROOT,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise AssertionError(f"{what} failed:\n{done.stderr}")
        return {**json.loads(done.stderr.splitlines()[-1]), "counted": self._ask("/counts")}

    def _ask(self, path: str, content: object = None) -> Any:
        data = None if content is None else json.dumps(content).encode()
        with urllib.request.urlopen(f"{self.endpoint}{path}", data) as answer:
            return json.loads(answer.read())


@contextmanager
def _stub() -> Iterator[_Stub]:
    command = [sys.executable, "-m", "bench.send_stub"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        if process.stdout is None:
            raise AssertionError("no output to read")
        port = process.stdout.readline().strip()
        try:
            yield _Stub(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


_ENVIRONMENT = {
    "PATH": os.defpath,
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "ap-northeast-1",
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "POWERTOOLS_SERVICE_NAME": "bench",
    "POWERTOOLS_METRICS_NAMESPACE": "optin",
    "CONTACTS_TABLE": "contacts",
    "CAMPAIGNS_TABLE": "campaigns",
    "LEDGER_TABLE": "ledger",
    "THROTTLE_TABLE": "throttle",
    "LINK_KEYS_SECRET": "link-keys",
    "CONFIGURATION_SET": "optin",
    "PUBLIC_URL": "https://optin.example.jp",
    "MAIL_DOMAIN": "example.jp",
    "ELIGIBILITY_PROFILE": "manual",
    "SETTLE_SECONDS": "900",
    "FREQUENCY_CAP_CAMPAIGNS": "0",
    "FREQUENCY_CAP_DAYS": "7",
    "COMPANY_NAME": "bench",
    "COMPANY_NAME_EN": "bench",
    "COMPANY_ADDRESS": "bench",
    "COMPANY_CONTACT": "bench",
}
