"""Packages beside the planner, as an installer leaves them: a distribution with entry points."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from planner import outside
from planner.auditor import registry as audits
from planner.components import registry as components
from planner.language.language import language

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "docs" / "example_kind"
SOURCE = EXAMPLE / "src"
SITE = EXAMPLE / "example.yaml"
KINDS = {"heat_pump": "planner_heat_pump.kind:KIND"}
AUDITS = {"heat_pump": "planner_heat_pump.audit:AUDIT"}
CACHES = (
    outside._entry_points, outside.packages, outside.entry_named, components._outside,
    audits._outside, language,
)  # fmt: skip


@contextmanager
def beside(
    folder: Path, kinds: Mapping[str, str] = KINDS, audit: Mapping[str, str] = AUDITS,
    name: str = "planner-heat-pump", version: str = "0.1.0", code: Mapping[str, str] | None = None,
) -> Iterator[None]:  # fmt: skip
    """Install a distribution in a folder; `code` are the texts of its modules."""
    metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    groups = {"planner.components": kinds, "planner.audits": audit}
    lines = [
        line
        for group, entries in groups.items()
        for line in (f"[{group}]", *(f"{kind} = {place}" for kind, place in entries.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for module, text in (code or {}).items():
        (folder / f"{module}.py").write_text(text)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(SOURCE)
            patch.syspath_prepend(folder)
            _forget()
            yield
    finally:
        for module in code or ():
            sys.modules.pop(module, None)
        _forget()


def _forget() -> None:
    for cache in CACHES:
        cache.cache_clear()
