"""Deploys the CDK app to the emulator, and only when something it depends on has changed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import ClientError

from local import differences
from local.aws import Aws
from local.config import ACCOUNT, AWS_KEY, REGION, ROOT, Config, write_atomically

Outputs = dict[str, dict[str, str]]

_SOURCES = ("functions", "shared", "infra", "cdk.json", "requirements/lambda.txt", "package.json")
_NOT_SOURCES = {"__pycache__", ".mypy_cache", ".ruff_cache"}


class DeployError(RuntimeError):
    """`cdk deploy` failed; the message ends with its last lines."""


async def deploy(config: Config, aws: Aws, say: Callable[[str], None]) -> Outputs:
    """The stacks' outputs, of the deployment that stands or of a new one."""
    record = config.state / "deployed.json"
    fingerprint = _fingerprint(config)
    if record.exists():
        last = json.loads(record.read_text())
        outputs: Outputs = last["outputs"]
        if last["fingerprint"] == fingerprint and _stands(aws, outputs):
            say("Nothing changed since the last deployment: it is used as it is.")
            return outputs
    record.unlink(missing_ok=True)
    outputs = await _cdk_deploy(config, aws, say)
    await asyncio.to_thread(differences.make_up_for, config, aws)
    write_atomically(record, json.dumps({"fingerprint": fingerprint, "outputs": outputs}, indent=1))
    return outputs


def output(outputs: Outputs, name: str) -> str:
    """An output by its name alone; they are unique over the stacks. Empty if there is none."""
    return next((values[name] for values in outputs.values() if name in values), "")


def _fingerprint(config: Config) -> str:
    digest = hashlib.sha256(json.dumps(config.context, sort_keys=True).encode())
    digest.update(sys.version.encode())
    for source in _SOURCES:
        path = ROOT / source
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and not _NOT_SOURCES.intersection(file.parts):
                digest.update(str(file.relative_to(ROOT)).encode() + b"\0")
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _stands(aws: Aws, outputs: Outputs) -> bool:
    """Whether the emulator still has it all: it loses what it could not save."""
    try:
        for stack in outputs:
            status = aws.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
            if not status.endswith("_COMPLETE"):
                return False
        aws.apigateway.get_api(ApiId=output(outputs, "PublicApiId"))
    except ClientError:
        return False
    return True


async def _cdk_deploy(config: Config, aws: Aws, say: Callable[[str], None]) -> Outputs:
    _asset_bucket(aws)
    outputs_file = config.state / "cdk-outputs.json"
    outputs_file.unlink(missing_ok=True)
    log = config.state / "cdk.log"
    context = [f"--context={key}={value}" for key, value in config.context.items()]
    process = await asyncio.create_subprocess_exec(
        str(ROOT / "node_modules" / ".bin" / "cdk"),
        "deploy",
        "--all",
        "--require-approval=never",
        "--progress=events",
        "--no-notices",
        "--no-version-reporting",
        "--no-color",
        f"--output={config.state.absolute() / 'cdk.out'}",
        f"--outputs-file={outputs_file.absolute()}",
        *context,
        cwd=ROOT,
        env=_environment(config),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        tail = await _follow(process, log, say)
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if code != 0 or not outputs_file.exists():
        raise DeployError(f"cdk deploy failed (exit {code}); all of it is in {log}\n{tail}")
    outputs: Outputs = json.loads(outputs_file.read_text())
    return outputs


async def _follow(
    process: asyncio.subprocess.Process, log: Path, say: Callable[[str], None]
) -> str:
    """Keep everything in the log; tell a person where it has got to, not each resource."""
    if process.stdout is None:
        raise DeployError("cdk has no output")
    lines: list[str] = []
    created = 0
    with log.open("w", encoding="utf-8") as file:
        async for raw in process.stdout:
            line = raw.decode("utf-8", "replace").rstrip()
            file.write(f"{line}\n")
            file.flush()
            lines.append(line)
            if "_COMPLETE" in line and " | " in line:
                created += 1
                if created % 25 == 0:
                    say(f"  {created} resources so far")
            elif line.rstrip(".").endswith((": deploying", ": creating CloudFormation changeset")):
                say(f"  {line.split(':', 1)[0]}")
            elif line.startswith("✨  Synthesis time"):
                say(f"  synthesised ({line.split(': ', 1)[-1]})")
    return "\n".join(lines[-40:])


def _environment(config: Config) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))
    }
    return {
        **inherited,
        "PATH": os.pathsep.join(
            [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
        ),
        "AWS_ENDPOINT_URL": config.aws_url,
        "AWS_ENDPOINT_URL_S3": config.aws_url,
        "AWS_ACCESS_KEY_ID": AWS_KEY,
        "AWS_SECRET_ACCESS_KEY": AWS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "1",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def _asset_bucket(aws: Aws) -> None:
    """All that `cdk bootstrap` would give to a synthesizer using the CLI's own keys."""
    bucket = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
    try:
        aws.s3.head_bucket(Bucket=bucket)
    except ClientError:
        aws.s3.create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
