"""The documents of --json, one class a command, and their JSON Schema.

`summary` is the content of summary.json, stochastic.json or simulation.json; `analyses` is that of
answers.json. Tables are lists of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.cli.document_parts import (
    BindingLimit,
    BrokenPromise,
    CheckedComponent,
    CheckedMember,
    Differences,
    DryRun,
    NodeEnd,
    PlanSummary,
    PriceRow,
    ShippedOne,
    SimulationSummary,
    Span,
    StochasticSummary,
)
from planner.cli.fleet_documents import (
    FleetImportDocument,
    FleetListDocument,
    FleetMeasureDocument,
    FleetShowDocument,
)
from planner.cli.outcome import JsonDocument


@dataclass(frozen=True, kw_only=True)
class CheckDocument(JsonDocument):
    """Of `check`."""

    scenario: str
    """Name of the scenario."""
    title: str | None
    horizon: Span
    components: list[CheckedComponent]
    nodes: list[NodeEnd]
    """What is connected to each node."""
    packages: Mapping[str, str]
    """The package of each kind that another one brings."""
    members: list[CheckedMember]


@dataclass(frozen=True, kw_only=True)
class NewDocument(JsonDocument):
    """Of `new`."""

    folder: Path | None
    """Folder that was made; null with --list."""
    source: str | None
    """Scenario that it was made from."""
    scenarios: list[ShippedOne]
    """With --list, those that come with the planner."""


@dataclass(frozen=True, kw_only=True)
class PlanDocument(JsonDocument):
    """Of `solve`, `settle`, `roll` and `year`."""

    scenario: str
    """Name of the scenario."""
    folder: Path | None
    """Folder that was written; null where none was."""
    summary: PlanSummary | StochasticSummary
    """Content of its `summary.json`, or `stochastic.json`."""
    binding: list[BindingLimit]
    """Limits that bind, longest first; of the members of a stochastic plan none."""


@dataclass(frozen=True, kw_only=True)
class PricesDocument(PlanDocument):
    """Of `prices`."""

    prices: list[PriceRow]
    """Rows of `prices.csv`."""
    end_values: list[PriceRow]
    """Rows of `end_values.csv`."""


@dataclass(frozen=True, kw_only=True)
class ReplanDocument(PlanDocument):
    """Of `replan`."""

    comparison: Differences
    """The rest as it was planned (A) and as planned now (B)."""


@dataclass(frozen=True, kw_only=True)
class SimulateDocument(JsonDocument):
    """Of `simulate`."""

    scenario: str
    """Name of the scenario."""
    folder: Path | None
    summary: SimulationSummary
    """Content of `simulation.json`."""


@dataclass(frozen=True, kw_only=True)
class SweepDocument(JsonDocument):
    """Of `sweep`."""

    sweep: str
    """Name of the sweep."""
    folder: Path | None
    """Sweep folder; null after a dry run."""
    cases: int
    statuses: dict[str, int]
    """Number of cases by status."""
    dry_run: DryRun | None
    best: list[dict[str, Any]]
    """The best cases: number, axes, status and outputs."""
    analyses: dict[str, Any] | None
    """Content of `answers.json`; null before the sweep has ended."""


@dataclass(frozen=True, kw_only=True)
class AuditDocument(JsonDocument):
    """Of `audit`."""

    folder: Path
    breaches: list[BrokenPromise]


@dataclass(frozen=True, kw_only=True)
class CompareDocument(JsonDocument):
    """Of `compare`: all rows, whatever --top."""

    comparison: Differences
    page: Path | None
    """Page that was written."""


@dataclass(frozen=True, kw_only=True)
class ReportDocument(JsonDocument):
    """Of `report`."""

    folder: Path
    written: list[Path]
    best: list[dict[str, Any]]
    """The best cases of a sweep; empty for other folders."""
    analyses: dict[str, Any] | None
    """Content of its `answers.json`."""


@dataclass(frozen=True, kw_only=True)
class SchemaDocument(JsonDocument):
    """Of `schema`."""

    schema: Mapping[str, Any]


DOCUMENTS: dict[str, type[JsonDocument]] = {
    "audit": AuditDocument,
    "check": CheckDocument,
    "compare": CompareDocument,
    "fleet-import": FleetImportDocument,
    "fleet-list": FleetListDocument,
    "fleet-measure": FleetMeasureDocument,
    "fleet-show": FleetShowDocument,
    "new": NewDocument,
    "prices": PricesDocument,
    "replan": ReplanDocument,
    "report": ReportDocument,
    "roll": PlanDocument,
    "schema": SchemaDocument,
    "settle": PlanDocument,
    "simulate": SimulateDocument,
    "solve": PlanDocument,
    "sweep": SweepDocument,
    "year": PlanDocument,
}
"""The document of every command that has a result."""


def documents_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of every document.

    `$defs` has one for each command by its name, and `JsonDocument` for a command without a result.
    """
    from pydantic import TypeAdapter

    kinds: Any = list(dict.fromkeys([JsonDocument, *DOCUMENTS.values()]))
    every: Any = tuple[*kinds]  # each is described once
    defs: dict[str, Any] = TypeAdapter(every).json_schema(mode="serialization")["$defs"]
    for kind in kinds:
        properties = defs[kind.__name__]["properties"]
        for base in kind.__mro__[1:]:  # pydantic reads the docstrings of a class alone
            properties |= defs.get(base.__name__, {}).get("properties", {})
        for part in properties.values():
            part.pop("default", None)  # no key is left out
    for command, kind in DOCUMENTS.items():
        named = {"properties": {"command": {"const": command}}}
        defs[command] = {"allOf": [{"$ref": f"#/$defs/{kind.__name__}"}, named]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Documents of planner --json",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in (*sorted(DOCUMENTS), "JsonDocument")],
        "$defs": dict(sorted(defs.items())),
    }
