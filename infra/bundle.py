"""The one Lambda asset, built without Docker: build/lambda-{target}/.

`functions/` and `shared/`, the wheels of requirements/lambda.txt for the machine that runs them
(AWS: Python 3.13 on arm64; local: this interpreter), only the service models in use, and
bytecode where an interpreter of the same version is at hand. Equal input gives equal content,
and an unchanged input is not built again.
"""

import fcntl
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Target = Literal["aws", "local"]

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = "requirements/lambda.txt"
SOURCES = ("functions", "shared")

AWS_PYTHON = "3.13"
AWS_PLATFORM = "aarch64-manylinux_2_28"

SHIPPED = frozenset(
    {".css", ".html", ".j2", ".jinja", ".js", ".json", ".py", ".svg", ".toml", ".txt"}
)
LEFT = frozenset({".md", ".pyc", ".pyi", ".typed"})
"""A file of ours is of either kind, or the build stops: nothing is left out in silence."""

SERVICES = frozenset({"dynamodb", "s3", "scheduler", "secretsmanager", "sesv2", "sqs"})
"""The service models kept of botocore's data; loading hundreds costs cold start."""

ENDPOINTS = frozenset({"dynamodb", "email", "s3", "scheduler", "secretsmanager", "sqs", "sts"})
"""The entries kept of botocore's list of endpoints (SES is ``email`` there)."""

JUNK_FOLDERS = frozenset({"__pycache__", "bin", "examples", "test", "tests"})
JUNK_SUFFIXES = frozenset({".pyc", ".pyi", ".typed", ".pyx", ".pxd", ".pxi", ".c", ".h", ".rst"})
# A package may ask for its version at run time: METADATA (and licences) stay in .dist-info.
JUNK_NAMES = frozenset({"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", ".lock"})


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """Where one target's asset comes from and goes to."""

    target: Target
    root: Path
    build: Path

    @property
    def asset(self) -> Path:
        """What Lambda gets."""
        return self.build / f"lambda-{self.target}"

    @property
    def wheels(self) -> Path:
        """The installed requirements as they came, kept while the requirements stay."""
        return self.build / f"wheels-{self.target}"

    @property
    def python(self) -> str:
        """The version of Python that runs it."""
        if self.target == "aws":
            return AWS_PYTHON
        return f"{sys.version_info.major}.{sys.version_info.minor}"


def build(target: Target, *, root: Path = ROOT, into: Path | None = None) -> Path:
    """Brings build/lambda-{target}/ up to date and returns it."""
    bundle = Bundle(target=target, root=root, build=into or root / "build")
    bundle.build.mkdir(parents=True, exist_ok=True)
    with _locked(bundle.build / ".lock"):
        _once(bundle.wheels, _wheels_fingerprint(bundle), lambda to: _install(bundle, to))
        compiler = find_python(bundle.python)
        if _once(
            bundle.asset,
            _asset_fingerprint(bundle, compiler),
            lambda to: assemble(root, bundle.wheels, to, compiler=compiler),
        ):
            _report(bundle, compiler)
    return bundle.asset


def assemble(root: Path, wheels: Path, to: Path, *, compiler: str | None) -> None:
    """Puts the asset together from installed wheels and our sources."""
    to.mkdir(parents=True)
    for file in _wheel_files(wheels):
        if file.parts[:2] == ("botocore", "data"):
            _slim(wheels / file, to / file)
        else:
            _copy(wheels / file, to / file)
    for file in _own_files(root):
        _copy(root / file, to / file)
    if compiler:
        _compile(to, compiler)


def find_python(version: str) -> str | None:
    """An interpreter of this version, whose bytecode that version's Lambda can run."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}")]
    candidates += [str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python{version}"))]
    return next((python for python in candidates if python and _runs(python)), None)


def _runs(python: str) -> bool:
    """False for a shim of pyenv whose version is not selected."""
    return subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode == 0  # noqa: S603


# ---- what goes in ----


def _own_files(root: Path) -> list[Path]:
    files = []
    for folder in SOURCES:
        for path in sorted((root / folder).rglob("*")):
            relative = path.relative_to(root)
            if path.is_dir() or "__pycache__" in relative.parts or path.suffix in LEFT:
                continue
            if path.suffix not in SHIPPED or path.name.startswith("."):
                raise ValueError(
                    f"{relative}: is it for Lambda? Name its kind in SHIPPED or LEFT of {__name__}"
                )
            files.append(relative)
    return files


def _wheel_files(wheels: Path) -> Iterator[Path]:
    for path in sorted(wheels.rglob("*")):
        relative = path.relative_to(wheels)
        if path.is_file() and not _is_junk(relative) and not _is_unused_model(relative):
            yield relative


def _is_junk(file: Path) -> bool:
    return (
        not JUNK_FOLDERS.isdisjoint(file.parts[:-1])
        or file.suffix in JUNK_SUFFIXES
        or file.name in JUNK_NAMES
    )


def _is_unused_model(file: Path) -> bool:
    """True for botocore's data about services and examples that no function uses."""
    match file.parts:
        case ("botocore", "data", service, *_, name):
            return service not in SERVICES or name.startswith("examples-")
    return False


def _wheels_fingerprint(bundle: Bundle) -> str:
    machine = AWS_PLATFORM if bundle.target == "aws" else sys.implementation.cache_tag
    return _digest(
        [
            bundle.python,
            str(machine),
            _content(bundle.root / REQUIREMENTS),
            _content(Path(__file__)),
        ]
    )


def _asset_fingerprint(bundle: Bundle, compiler: str | None) -> str:
    own = _own_files(bundle.root)
    return _digest(
        [_wheels_fingerprint(bundle), "compiled" if compiler else "sources"]
        + [f"{file} {_content(bundle.root / file)}" for file in own]
    )


def _content(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256(json.dumps(list(parts)).encode()).hexdigest()


# ---- how it is made ----


def _install(bundle: Bundle, to: Path) -> None:
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-config"]
    command += ["--python", sys.executable, "--python-version", bundle.python]
    if bundle.target == "aws":
        command += ["--python-platform", AWS_PLATFORM]
    command += ["--only-binary", ":all:", "--require-hashes", "--link-mode", "copy"]
    command += ["--target", str(to), "-r", str(bundle.root / REQUIREMENTS)]
    subprocess.run(command, check=True)  # noqa: S603


def _copy(source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, to)


def _slim(source: Path, to: Path) -> None:
    """Service models without prose, endpoints of the services in use, nothing to unzip.

    A new client reads these on every cold start; the prose is most of them.
    """
    raw = source.read_bytes()
    data = json.loads(gzip.decompress(raw) if source.suffix == ".gz" else raw)
    if source.name == "endpoints.json":
        for partition in data["partitions"]:
            services = partition["services"]
            partition["services"] = {
                name: services[name] for name in sorted(ENDPOINTS & services.keys())
            }
    to = to.with_name(to.name.removesuffix(".gz"))
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(json.dumps(_without_prose(data), separators=(",", ":")), "utf-8")


def _without_prose(data: Any) -> Any:
    if isinstance(data, dict):
        kept = {
            key: _without_prose(value)
            for key, value in data.items()
            if not (key == "documentation" and isinstance(value, str))
        }
        # There, and only there, botocore reads it with every call.
        for parameter in kept.get("clientContextParams", {}).values():
            parameter["documentation"] = ""
        return kept
    if isinstance(data, list):
        return [_without_prose(value) for value in data]
    return data


def _compile(asset: Path, python: str) -> None:
    """Bytecode that is never checked against its source: nobody edits it in Lambda."""
    command = [python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(asset), "-p", "/var/task", str(asset)]
    # The seed fixes the order of sets in the bytecode.
    environment = {"PATH": os.defpath, "PYTHONHASHSEED": "0"}
    subprocess.run(command, check=True, env=environment)  # noqa: S603


def _once(to: Path, fingerprint: str, make: Callable[[Path], None]) -> bool:
    """Makes `to` unless it already is what this fingerprint made; never leaves half of it."""
    mark = to.with_name(f"{to.name}.fingerprint")
    if to.is_dir() and mark.is_file() and mark.read_text() == fingerprint:
        return False
    draft = to.with_name(f"{to.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    mark.unlink(missing_ok=True)
    make(draft)
    shutil.rmtree(to, ignore_errors=True)
    draft.rename(to)
    mark.write_text(fingerprint)
    return True


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """One build at a time: two local stacks may start side by side."""
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _report(bundle: Bundle, compiler: str | None) -> None:
    size = sum(file.stat().st_size for file in bundle.asset.rglob("*") if file.is_file())
    text = f"optin: built {bundle.asset.name}, {size / 1e6:.1f} MB"
    if not compiler:
        text += f"; no python{bundle.python} here, so without bytecode: cold starts will be slower"
    sys.stderr.write(text + "\n")
