"""The Lambda asset: what is in it, what is not, and when it is built."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra import bundle
from infra.functions import FUNCTIONS

ROOT = bundle.ROOT
MEGABYTE = 1_000_000


BOTOCORE_DATA = {
    "endpoints.json": {"partitions": [{"services": {"sqs": {"a": 1}, "email": {}, "ec2": {}}}]},
    "_retry.json": {},
    "dynamodb/2012-08-10/service-2.json.gz": {
        "documentation": "<p>Long prose</p>",
        "clientContextParams": {"Fast": {"documentation": "<p>Prose</p>", "type": "boolean"}},
        "shapes": {"documentation": {"type": "string", "documentation": "prose"}},
    },
}


# ---- with made-up wheels: no network ----


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project and its installed wheels."""
    _write(tmp_path, "functions/__init__.py")
    _write(tmp_path, "functions/hello.py", "from shared.words import WORDS\n")
    _write(tmp_path, "functions/notes.md")
    _write(tmp_path, "functions/__pycache__/hello.cpython-311.pyc")
    _write(tmp_path, "shared/words.py", "WORDS = {'b', 'a', 'c'}\n")
    _write(tmp_path, "shared/pages/form.html")
    _write(tmp_path, "requirements/lambda.txt")
    for file in (
        "botocore/__init__.py",
        "botocore/docs/docstring.py",
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "botocore/data/dynamodb/2012-08-10/examples-1.json",
        "botocore-1.0.dist-info/METADATA",
        "botocore-1.0.dist-info/RECORD",
        "jinja2/tests.py",
        "jinja2/tests/test_all.py",
        "jinja2/py.typed",
        "bin/tool",
        ".lock",
    ):
        _write(tmp_path / "wheels", file)
    for file, data in BOTOCORE_DATA.items():
        to = tmp_path / "wheels" / "botocore" / "data" / file
        to.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(data).encode()
        to.write_bytes(gzip.compress(text) if file.endswith(".gz") else text)
    return tmp_path


def _write(root: Path, name: str, text: str = "") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_what_is_kept(project: Path) -> None:
    bundle.assemble(project, project / "wheels", project / "out", compiler=None)
    assert _files(project / "out") == {
        "functions/__init__.py",
        "functions/hello.py",
        "shared/words.py",
        "shared/pages/form.html",
        "botocore-1.0.dist-info/METADATA",
        "botocore/__init__.py",
        "botocore/docs/docstring.py",
        "botocore/data/endpoints.json",
        "botocore/data/_retry.json",
        "botocore/data/dynamodb/2012-08-10/service-2.json",
        "jinja2/tests.py",
    }


def test_service_models_lose_their_prose_and_nothing_else(project: Path) -> None:
    bundle.assemble(project, project / "wheels", project / "out", compiler=None)
    data = project / "out" / "botocore" / "data"
    model = json.loads((data / "dynamodb/2012-08-10/service-2.json").read_text())
    assert model == {
        "clientContextParams": {"Fast": {"documentation": "", "type": "boolean"}},
        "shapes": {"documentation": {"type": "string"}},
    }
    endpoints = json.loads((data / "endpoints.json").read_text())
    assert endpoints == {"partitions": [{"services": {"email": {}, "sqs": {"a": 1}}}]}


def test_equal_input_gives_equal_bytes(project: Path) -> None:
    built = []
    for name in ("one", "two"):
        to = project / name
        bundle.assemble(project, project / "wheels", to, compiler=sys.executable)
        built.append({file: (to / file).read_bytes() for file in _files(to)})
    assert built[0] == built[1]
    [compiled] = [file for file in built[0] if file.startswith("shared/__pycache__/words")]
    unchecked_hash = b"\x01\x00\x00\x00"
    assert built[0][compiled][4:8] == unchecked_hash


@pytest.mark.parametrize("name", ["shared/photo.webp", "functions/.env", "shared/noextension"])
def test_a_file_of_unknown_kind_stops_the_build(project: Path, name: str) -> None:
    _write(project, name)
    with pytest.raises(ValueError, match=name.rsplit("/", 1)[1]):
        bundle.assemble(project, project / "wheels", project / "out", compiler=None)


def test_unchanged_input_is_not_built_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def install(_bundle: bundle.Bundle, to: Path) -> None:
        made.append("wheels")
        _write(to, "six.py")

    def assemble(root: Path, wheels: Path, to: Path, *, compiler: str | None) -> None:
        made.append("asset")
        _write(to, "six.py")

    monkeypatch.setattr(bundle, "_install", install)
    monkeypatch.setattr(bundle, "assemble", assemble)

    def build() -> list[str]:
        made.clear()
        asset = bundle.build("local", root=project)
        assert _files(asset) == {"six.py"}
        return list(made)

    assert build() == ["wheels", "asset"]
    assert build() == []
    _write(project, "shared/words.py", "WORDS = set()\n")
    assert build() == ["asset"]
    _write(project, "requirements/lambda.txt", "six==1.17.0")
    assert build() == ["wheels", "asset"]


def test_bytecode_is_made_only_by_the_version_that_runs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert bundle.find_python(here) == sys.executable
    assert bundle.find_python("3.99") is None
    shim = tmp_path / "python3.99"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    assert bundle.find_python("3.99") is None
    shim.write_text("#!/bin/sh\nexit 0\n")
    assert bundle.find_python("3.99") == str(shim)


# ---- the real one, for this interpreter: the wheels come from uv's cache or the registry ----


@pytest.fixture(scope="session")
def asset() -> Path:
    return bundle.build("local")


def test_every_handler_can_be_imported_from_the_bundle_alone(asset: Path) -> None:
    """`-S` hides every installed package: one missing from the bundle cannot hide."""
    handlers = sorted(spec.handler.removesuffix(".handler") for spec in FUNCTIONS.values())
    code = f"""
import importlib, json, sys
sys.path.insert(0, {str(asset)!r})
found = [name for name in {handlers!r} if callable(importlib.import_module(name).handler)]
outside = sorted(
    name for name, module in sys.modules.items()
    if "site-packages" in (getattr(module, "__file__", None) or "")
)
print(json.dumps([found, outside]))
"""
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", code]
    environment = {
        "AWS_DEFAULT_REGION": "ap-northeast-1",
        "POWERTOOLS_SERVICE_NAME": "test",
        "POWERTOOLS_METRICS_NAMESPACE": "test",
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [handlers, []]
    assert "functions.form_intake" in handlers


def test_every_service_can_be_called_with_what_the_bundle_knows_of_it(asset: Path) -> None:
    """As far as the wire: nobody listens there, and no model or rule is missed on the way."""
    code = f"""
import sys
sys.path.insert(0, {str(asset)!r})
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from botocore.session import get_session
calls = {{
    "dynamodb": lambda c: c.get_item(TableName="t", Key={{"k": {{"S": "v"}}}}),
    "s3": lambda c: c.get_object(Bucket="b", Key="k"),
    "scheduler": lambda c: c.delete_schedule(Name="s"),
    "secretsmanager": lambda c: c.get_secret_value(SecretId="s"),
    "sesv2": lambda c: c.get_account(),
    "sqs": lambda c: c.send_message(QueueUrl="http://127.0.0.1:9/q", MessageBody="m"),
}}
for service, call in calls.items():
    client = get_session().create_client(
        service,
        region_name="ap-northeast-1",
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={{"total_max_attempts": 1}}),
    )
    try:
        call(client)
    except EndpointConnectionError:
        print(service)
"""
    command = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    assert done.stdout.split() == sorted(bundle.SERVICES), done.stderr


def test_the_bundle_is_small(asset: Path) -> None:
    assert sum((asset / file).stat().st_size for file in _files(asset)) < 45 * MEGABYTE


def test_the_bundle_holds_only_the_services_in_use(asset: Path) -> None:
    services = {entry.name for entry in (asset / "botocore/data").iterdir() if entry.is_dir()}
    assert services == {"dynamodb", "s3", "scheduler", "secretsmanager", "sesv2", "sqs"}
    assert {"endpoints.json", "partitions.json", "sdk-default-configuration.json"} <= {
        file.name.removesuffix(".gz") for file in (asset / "botocore/data").iterdir()
    }


def test_the_bundle_holds_no_examples_and_no_tests(asset: Path) -> None:
    for file in map(Path, _files(asset)):
        assert not {"examples", "tests", "test", "bin"} & set(file.parts[:-1]), file
        assert not file.name.startswith("examples-"), file
        assert file.suffix not in (".pyi", ".rst", ".c", ".pxd", ".pxi", ".pyx"), file


def test_everything_of_ours_is_in_the_bundle_and_compiled(asset: Path) -> None:
    tag = sys.implementation.cache_tag
    for folder in ("functions", "shared"):
        for file in (ROOT / folder).rglob("*.py"):
            there = asset / file.relative_to(ROOT)
            assert there.read_bytes() == file.read_bytes()
            assert (there.parent / "__pycache__" / f"{file.stem}.{tag}.pyc").is_file()
