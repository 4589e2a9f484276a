"""``make bench``: every measurement as a table and as ``bench/results.json``.

Machines are noisy: what counts is the ratio to a floor or peer measured in the same run, in
turns, and the median of those. A measurement that could not be made is left out.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from bench import dry_run, erase, mail_read, send
from infra import bundle

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).with_name("results.json")
COLD_ROUNDS = 25
WARM_ROUNDS = 12


@dataclass(frozen=True)
class Result:
    """One measurement; ``goal`` holds with ``compare``."""

    name: str
    value: float
    unit: str
    goal: float | None
    compare: str
    against: str
    samples: int

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.compare == "<=" else self.value >= self.goal


def main() -> None:
    """Measure everything, print it, write it."""
    asset = bundle.build("local")
    with tempfile.TemporaryDirectory() as folder, _stub() as endpoint:
        floor = _floor_site(Path(folder))
        lab = _Lab(asset, floor, endpoint)
        results = [*_cold_starts(lab), *_calls(lab), _warm(lab), _size(asset), _dry_run(), _erase()]
    results += [Result(**asdict(figure)) for figure in mail_read.measure()]
    results += [Result(**asdict(figure)) for figure in send.measure()]
    _print(results)
    RESULTS.write_text(
        json.dumps(
            {
                "machine": {
                    "system": platform.platform(),
                    "python": platform.python_version(),
                    "cores": os.cpu_count(),
                },
                "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "results": [asdict(result) for result in results],
            },
            indent=2,
            ensure_ascii=False,
        )
        + "\n",
        encoding="utf-8",
    )


@dataclass(frozen=True)
class _Lab:
    """Where measured processes run: with the bundle, or with plain boto3 for the floor."""

    asset: Path
    floor: Path
    endpoint: str

    def run(self, what: str, *arguments: str) -> dict[str, Any]:
        path = self.floor if what == "floor" else self.asset
        done = subprocess.run(
            [sys.executable, "-S", "-s", "-m", "bench.probe", what, *arguments],
            env=_ENVIRONMENT | {"PYTHONPATH": f"{path}:{ROOT}", "AWS_ENDPOINT_URL": self.endpoint},
            cwd=self.asset.parent,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise AssertionError(f"{what} failed:\n{done.stderr}")
        result: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])
        if result.get("status", 200) not in {200, 201}:
            raise AssertionError(f"{what} answered {result}")
        return result


_ENVIRONMENT = {
    "PATH": os.defpath,
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "ap-northeast-1",
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "POWERTOOLS_SERVICE_NAME": "bench",
    "POWERTOOLS_METRICS_NAMESPACE": "optin",
    "CONTACTS_TABLE": "contacts",
    "EVENTS_TABLE": "events",
    "FORMS_TABLE": "forms",
    "THROTTLE_TABLE": "throttle",
    "CONTACT_KEY_SECRET": "contact-key",
    "LINK_KEYS_SECRET": "link-keys",
    "PUBLIC_URL": "https://example.jp",
    "POSTS_PER_MINUTE_PER_SOURCE": "60",
    "POSTS_PER_HOUR_PER_ADDRESS": "20",
    "COMPANY_NAME": "bench",
    "COMPANY_NAME_EN": "bench",
    "COMPANY_ADDRESS": "bench",
    "COMPANY_CONTACT": "bench",
}


def _cold_starts(lab: _Lab) -> list[Result]:
    """Fresh process, import to first answer, beside the floor, in turns."""
    names = ("form_intake", "unsubscribe", "unsubscribe_page")
    for what in ("floor", *names):
        lab.run(what)
    ratios: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(COLD_ROUNDS):
        floor = lab.run("floor")["seconds"]
        for name in names:
            ratios[name].append(lab.run(name)["seconds"] / floor)
    return [
        Result(
            f"cold_start.{name}",
            round(statistics.median(found), 3),
            "ratio",
            1.25,
            "<=",
            "import boto3 and create one DynamoDB client, fresh process, same run",
            len(found),
        )
        for name, found in ratios.items()
    ]


def _calls(lab: _Lab) -> list[Result]:
    counted = lab.run("calls")
    return [
        Result(f"calls.{name}", sum(counted[key].values()), "AWS calls", goal, "<=", against, 1)
        for name, key, goal, against in (
            ("form_intake", "post", 1, "one transaction per warm post"),
            ("form_intake_first", "first_post", 3, "and once a process: form and key"),
            ("unsubscribe", "unsubscribe", 1, "one transaction per warm unsubscribe"),
            ("unsubscribe_first", "first_unsubscribe", 2, "and once a process: keys"),
        )
    ]


def _warm(lab: _Lab) -> Result:
    pairs = lab.run("warm", str(WARM_ROUNDS))["pairs"]
    ratios = [pair["ours"] / pair["bare"] for pair in pairs]
    return Result(
        "cpu.form_intake",
        round(statistics.median(ratios), 3),
        "ratio",
        1.6,
        "<=",
        "a bare handler making the same DynamoDB call, same process, in turns",
        len(ratios) * 100,
    )


def _size(asset: Path) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        archive = shutil.make_archive(f"{folder}/lambda", "zip", asset)
        size = Path(archive).stat().st_size / 1e6
    return Result(
        "bundle.zipped", round(size, 2), "MB", 50, "<=", "Lambda's limit for a direct upload", 1
    )


def _dry_run() -> Result:
    ratio, contacts = dry_run.cost_ratio()
    return Result(
        "dry_run.cost_ratio",
        round(ratio, 3),
        "ratio",
        1.5,
        "<=",
        "read units per eligible where all are eligible (rest: unconfirmed, refused, bounced …)",
        contacts,
    )


def _erase() -> Result:
    few, many = erase.calls()
    return Result(
        "erase.calls",
        many,
        "AWS calls",
        few,
        "<=",
        "the same address (ten events, two mails, one case) among 100 others; this is among 10,000",
        1,
    )


def _floor_site(folder: Path) -> Path:
    """boto3 as it comes, with every service model, and bytecode compiled like ours."""
    site = folder / "floor"
    installed = Path(boto3.__file__).parent.parent
    for name in ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3"):
        shutil.copytree(installed / name, site / name)
    shutil.copy(installed / "six.py", site)
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", site],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return site


@contextmanager
def _stub() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-m", "bench.stub"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        if process.stdout is None:
            raise AssertionError("no output to read")
        port = process.stdout.readline().strip()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _print(results: list[Result]) -> None:
    print(f"{'name':<28}{'value':>9}  {'unit':<10}{'goal':>9}  {'':<5}against")
    for result in results:
        goal = f"{result.compare} {result.goal:g}" if result.goal is not None else ""
        met = {True: "ok", False: "MISS", None: ""}[result.met]
        print(
            f"{result.name:<28}{result.value:>9g}  {result.unit:<10}{goal:>9}  {met:<5}"
            f"{result.against}"
        )


if __name__ == "__main__":
    main()
