"""The AWS emulator (ministack) as a child process: start, wait, stop.

It saves its state only when it is stopped by SIGTERM, so `stop` waits for that.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import sysconfig
from pathlib import Path

import aiohttp

from local.config import AWS_KEY, HOST, REGION, Config

# What AWS's own Python runtime offers beside the function's bundle. Everything else a function
# imports must be in its bundle: the emulator's own packages are hidden from it.
_RUNTIME_PACKAGES = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3")

# Functions run without this environment's packages, so that one missing from the bundle is missed.
# It ends, saving its state, when its standard input does: it never outlives the supervisor.
_LAUNCHER = """
import os, signal, sys, threading
def until_the_supervisor_is_gone():
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=until_the_supervisor_is_gone, daemon=True).start()
sys.executable = sys.argv.pop(1)
from ministack.app import main
main()
"""


class EmulatorError(RuntimeError):
    """The emulator did not start, or ended on its own."""


class Emulator:
    """One child process, its data under ``state/emulator``."""

    def __init__(self, config: Config, *, lock: int | None = None) -> None:
        """``lock`` is an open file it keeps open too: the state is in use until it has ended."""
        self._config = config
        self._inherited = () if lock is None else (lock,)
        self._data = config.state.absolute() / "emulator"
        self._temp = config.state.absolute() / "tmp"
        self.log = config.state / "emulator.log"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def _saved(self) -> Path:
        return self._data / "state"

    async def start(self) -> None:
        """Start it and return once it answers."""
        self._prepare_folders()
        with self.log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                _LAUNCHER,
                _bare_interpreter(),
                cwd=self._temp,
                env=self._environment(),
                stdin=asyncio.subprocess.PIPE,
                pass_fds=self._inherited,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops it in order
            )
        await self._answering()

    async def wait(self) -> None:
        """Return only by an error: it must not end before it is stopped."""
        process = self._running()
        code = await process.wait()
        raise EmulatorError(f"The AWS emulator ended by itself (exit {code}); see {self.log}")

    async def stop(self) -> None:
        """Let it save its state; then clear what its functions unpacked."""
        process = self._process
        if process is not None and process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 60)
            except TimeoutError:
                process.kill()
                await process.wait()
        if process is not None:
            _end_group(process.pid)  # functions' workers outlive it otherwise
        shutil.rmtree(self._temp, ignore_errors=True)

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise EmulatorError("The AWS emulator was not started")
        return self._process

    def _prepare_folders(self) -> None:
        shutil.rmtree(self._temp, ignore_errors=True)
        self._temp.mkdir(parents=True)
        if not (self._saved / "cloudformation.json").exists():
            # Killed before it ever saved: a bucket without its stack would be in the way.
            shutil.rmtree(self._data, ignore_errors=True)
        self._saved.mkdir(parents=True, exist_ok=True)
        _forget_stream_positions(self._saved / "lambda.json")
        runtime = self._data / "runtime"
        shutil.rmtree(runtime, ignore_errors=True)
        runtime.mkdir()
        packages = Path(sysconfig.get_path("purelib"))
        for name in _RUNTIME_PACKAGES:
            (runtime / name).symlink_to(packages / name)

    def _environment(self) -> dict[str, str]:
        """Functions inherit all of this, so it is kept as bare as Lambda's."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(self._temp),
            "TMPDIR": str(self._temp),
            "PYTHONPATH": str(self._data / "runtime"),
            "PYTHONUNBUFFERED": "1",
            "AWS_ACCESS_KEY_ID": AWS_KEY,
            "AWS_SECRET_ACCESS_KEY": AWS_KEY,
            "AUTH": "true",
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self._config.emulator_port),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._saved),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self._data / "s3"),
            "LOG_LEVEL": "INFO",
        }

    async def _answering(self) -> None:
        process = self._running()
        ended = asyncio.create_task(process.wait())
        try:
            async with aiohttp.ClientSession() as http, asyncio.timeout(60):
                while not ended.done():
                    try:
                        async with http.get(f"{self._config.aws_url}/_ministack/health") as answer:
                            if answer.status == 200:
                                return
                    except aiohttp.ClientError:
                        pass
                    await asyncio.wait([ended], timeout=0.1)
        except TimeoutError:
            raise EmulatorError(f"The AWS emulator does not answer; see {self.log}") from None
        finally:
            ended.cancel()
        raise EmulatorError(
            f"The AWS emulator ended at once; the end of {self.log}:\n"
            + self.log.read_text(errors="replace")[-2000:]
        )


def _bare_interpreter() -> str:
    """This interpreter as the machine has it, outside the virtual environment."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for base in (Path(sys.base_prefix) / "bin" / name, Path(sys.base_prefix) / "bin" / "python3"):
        if base.exists():
            return str(base)
    return str(Path(sys.executable).resolve())


def _forget_stream_positions(file: Path) -> None:
    """DynamoDB streams start empty after a restart; a kept position would wait for ever."""
    if not file.exists():
        return
    saved = json.loads(file.read_text())
    payload = saved.get("payload", saved)
    if payload.get("dynamodb_stream_positions"):
        payload["dynamodb_stream_positions"] = {}
        file.write_text(json.dumps(saved))


def _end_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGTERM)
    except ProcessLookupError:
        return
