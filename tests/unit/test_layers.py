"""The house rules: imports go one way, everything public is explained, cold starts stay lean."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Every clause of the manual, as ``requirements.md`` numbers them.
CLAUSES = {
    "A1", "A2", "A3", "A4", "A5", "A6", "U1", "U2", "S1", "S2", "S3", "S4", "R1",
    "D1", "D2", "D3", "D4", "D5", "G1", "G2", "G3", "G4", "G5", "L1",
}  # fmt: skip

# What each layer may import of ours. Whatever is not named here may import none of it.
MAY_IMPORT: dict[str, set[str]] = {
    "shared.texts": {"shared.texts"},
    "shared.domain": {"shared.domain", "shared.texts"},
    "shared.settings": {"shared.domain"},
    "shared.telemetry": set(),
    "shared.mail": {"shared.mail", "shared.domain", "shared.texts"},
    "shared.inbox": {"shared.inbox", "shared.domain", "shared.texts"},
    "shared.words": {"shared.domain", "shared.texts"},
    "shared.proof": {
        "shared.proof", "shared.domain", "shared.texts", "shared.words", "shared.pages",
    },
    "shared.pages": {"shared.pages", "shared.domain", "shared.texts"},
    "shared.adapters": {
        "shared.adapters", "shared.domain", "shared.texts", "shared.mail", "shared.telemetry",
    },
    "functions": {"functions", "shared"},
    "infra": {"infra"},
    "local": {"local", "infra"},
    "local.seed": {"local", "shared.adapters", "shared.domain", "shared.texts"},
}  # fmt: skip
OURS = ("functions", "shared", "infra", "local", "tests", "bench")
# The clock, the environment, chance and the network are passed in.
IMPURE = {
    "aws_lambda_powertools", "boto3", "botocore", "http", "logging", "os", "pathlib", "random",
    "secrets", "socket", "subprocess", "time", "urllib.request", "uuid",
}  # fmt: skip
CLOCKS = {"now", "utcnow", "today"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules(*packages: str) -> list[Path]:
    found = [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]
    assert found
    return found


def imports(path: Path) -> Iterator[str]:
    """Every module imported, also inside functions and for types only."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "absolute imports only"
            base = node.module or ""
            yield from (f"{base}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def layer_of(module: str) -> str:
    return max((layer for layer in MAY_IMPORT if within(module, layer)), key=len, default="")


@pytest.mark.parametrize("path", modules("functions", "shared", "infra", "local"), ids=module_of)
def test_imports_go_one_way(path: Path) -> None:
    """functions → shared.adapters → shared.domain → shared.texts; infra and local apart."""
    allowed = MAY_IMPORT.get(layer_of(module_of(path)), set())
    ours = [name for name in imports(path) if name.split(".")[0] in OURS]
    assert [name for name in ours if not any(within(name, a) for a in allowed)] == []


@pytest.mark.parametrize("path", modules("functions", "shared"), ids=module_of)
def test_only_adapters_import_boto3(path: Path) -> None:
    aws = [n for n in imports(path) if n.split(".")[0].startswith(("boto", "mypy_boto3", "moto"))]
    assert within(module_of(path), "shared.adapters") or not aws


@pytest.mark.parametrize("path", modules("shared/domain", "shared/texts"), ids=module_of)
def test_rules_are_pure(path: Path) -> None:
    """No environment, no clock, no chance, no input or output: whatever is needed is passed in."""
    assert [n for n in imports(path) if any(within(n, impure) for impure in IMPURE)] == []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute):
            assert node.attr not in CLOCKS, f"{module_of(path)}:{node.lineno} reads a clock"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"open", "print", "input", "__import__", "exec", "eval"}
        assert not isinstance(node, ast.Global)


def public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name.startswith("_"):
                continue
            yield f"{prefix}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{node.name}.")


@pytest.mark.parametrize("path", modules("functions", "shared"), ids=module_of)
def test_everything_public_says_what_it_is(path: Path) -> None:
    if path.name == "__init__.py" and not path.read_text("utf-8").strip():
        return
    assert ast.get_docstring(tree(path)), "the module has no docstring"
    silent = [
        name
        for name, node in public(tree(path).body)
        if not ast.get_docstring(node)  # type: ignore[arg-type]
    ]
    assert silent == []


def test_only_clauses_that_exist_are_cited() -> None:
    """Comments and sentences cite the manual by ``requirements.md``'s numbers."""
    cited: dict[str, str] = {}
    for path in modules("functions", "shared"):
        for citation in re.findall(
            r"(?:manual|マニュアル) ((?:[A-Z]\d(?:, | and | to |[-、・])?)+)",
            path.read_text("utf-8"),
        ):
            cited |= dict.fromkeys(re.findall(r"[A-Z]\d", citation), module_of(path))
    assert cited
    assert {clause: where for clause, where in cited.items() if clause not in CLAUSES} == {}


@pytest.mark.parametrize("handler", ["functions.form_intake", "functions.unsubscribe"])
def test_cold_start_imports_only_what_it_uses(handler: str) -> None:
    """What would cost most of a cold start stays out until a request needs it."""
    heavy = ["pydantic", "jinja2", "multipart", "aws_xray_sdk", "email_validator", "requests"]
    code = (
        f"import sys, {handler}; print(*[name for name in {heavy} if name in sys.modules], sep=',')"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (answer.stdout.strip(), answer.returncode) == ("", 0), answer.stderr
