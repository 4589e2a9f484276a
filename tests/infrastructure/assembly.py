"""Questions to a synthesised app."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
CONTEXT: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]

Resource = dict[str, Any]


@dataclass(frozen=True)
class Assembly:
    """What one synthesis wrote, and questions to it."""

    folder: Path

    @cached_property
    def templates(self) -> dict[str, dict[str, Any]]:
        return {
            file.name.removesuffix(".template.json"): json.loads(file.read_text("utf-8"))
            for file in sorted(self.folder.glob("*.template.json"))
        }

    def of_type(self, kind: str) -> dict[str, Resource]:
        """Resources by their readable name (logical id without its hash)."""
        return {name: found for name, found in self._resources() if found["Type"] == kind}

    def properties(self, kind: str) -> dict[str, dict[str, Any]]:
        return {name: found.get("Properties", {}) for name, found in self.of_type(kind).items()}

    def outputs(self) -> dict[str, str]:
        """Outputs for people and programs, by name, their values spelt out."""
        return {
            name: self.spell(output["Value"])
            for template in self.templates.values()
            for name, output in template.get("Outputs", {}).items()
            if "Export" not in output
        }

    def spell(self, value: Any) -> str:
        """A template's value as text: references as the readable name of what they mean."""
        match value:
            case str():
                return value
            case {"Fn::ImportValue": name}:
                return self.spell(self._exports[name])
            case {"Ref": name} | {"Fn::GetAtt": [name, "Arn" | "Id"]}:
                return _readable(name)
            case {"Fn::GetAtt": [name, attribute]}:
                return f"{_readable(name)}.{attribute}"
            case {"Fn::Join": [glue, parts]}:
                return str(glue).join(map(self.spell, parts))
        raise AssertionError(f"cannot spell {value}")

    def _resources(self) -> Iterator[tuple[str, Resource]]:
        for template in self.templates.values():
            for logical_id, resource in template["Resources"].items():
                yield _readable(logical_id), resource

    @cached_property
    def _exports(self) -> Mapping[str, Any]:
        return {
            output["Export"]["Name"]: output["Value"]
            for template in self.templates.values()
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        }


def _readable(logical_id: str) -> str:
    return re.sub(r"[0-9A-F]{8}$", "", logical_id)


Synthesise = Callable[..., Assembly]
