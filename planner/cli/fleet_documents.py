"""The documents of `planner fleet`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.cli.outcome import InputProblem, JsonDocument, Record

if TYPE_CHECKING:
    from planner.fleets.curve import Curve
    from planner.fleets.importing.curves import Imported
    from planner.fleets.measure.measurement import Measured
    from planner.message import Message
    from planner.report.curve_page.node_curve import NodePoint


@dataclass(frozen=True, kw_only=True)
class LibraryCurve(Record):
    """A curve of the library; ranges are those of its points within the limits asked for."""

    name: str
    hardware: str
    gpus: int
    """GPUs of a replica."""
    model: str
    precision: str
    task: str
    measured: str
    """Whether power is that of the GPUs, that at the wall, or not known: `gpu`, `wall`, `none`."""
    points: int
    """Number of points."""
    tokens_per_s: list[float]
    """The least and the most."""
    kw: list[float] | None
    """The least and the most power of a replica, as measured."""
    inter_token_ms: list[float] | None
    first_token_ms: list[float] | None
    source: str
    date: str
    licence: str


@dataclass(frozen=True, kw_only=True)
class FleetListDocument(JsonDocument):
    """Of `fleet list`."""

    curves: list[LibraryCurve]


@dataclass(frozen=True, kw_only=True)
class ShownPoint(Record):
    """A point of a replica, and of a node of the host."""

    concurrency: float | None
    tokens_per_s: float
    gpu_kw: float | None
    wall_kw: float | None
    """Measured at the wall."""
    inter_token_ms: float | None
    first_token_ms: float | None
    node_tokens_per_s: float | None
    node_kw: float | None
    """Power of a node at the wall."""
    kwh_per_mtok: float | None
    """Energy at the wall for a million tokens."""


@dataclass(frozen=True, kw_only=True)
class FleetShowDocument(JsonDocument):
    """Of `fleet show`."""

    curve: Mapping[str, Any]
    """Content of its file."""
    host: str | None
    """Kind of server of the node."""
    points: list[ShownPoint]
    file: Path | None
    """Page or curve file that was written."""


@dataclass(frozen=True, kw_only=True)
class FleetImportDocument(JsonDocument):
    """Of `fleet import`."""

    curves: list[LibraryCurve]
    files: list[Path]
    """The file of each curve."""
    left_out: list[InputProblem]
    """Points that could not be used, and why."""


@dataclass(frozen=True, kw_only=True)
class ServerSleep(Record):
    """A sleep of a model server."""

    level: int
    gpu_kw: float
    """Power of its GPUs asleep."""
    wake_s: float
    """From the call that wakes it to an answer."""


@dataclass(frozen=True, kw_only=True)
class FleetMeasureDocument(JsonDocument):
    """Of `fleet measure`."""

    file: Path | None
    """Null where it could not be written."""
    curve: Mapping[str, Any]
    """Its content."""
    sleep: ServerSleep | None


def list_document(curves: Mapping[str, Curve]) -> FleetListDocument:
    """Return the document of curves by name."""
    from planner.report.curve_page.node_curve import replica_kw, span

    return FleetListDocument(
        curves=[
            LibraryCurve(
                name=name, hardware=curve.hardware, gpus=curve.gpus, model=curve.model,
                precision=curve.precision, task=curve.task, measured=curve.measured,
                points=len(curve.points),
                tokens_per_s=span(point.tokens_per_s for point in curve.points) or [],
                kw=span(map(replica_kw, curve.points)),
                inter_token_ms=span(point.inter_token_ms for point in curve.points),
                first_token_ms=span(point.first_token_ms for point in curve.points),
                source=curve.source.title, date=curve.date.isoformat(), licence=curve.licence,
            )
            for name, curve in curves.items()
        ]
    )  # fmt: skip


def show_document(
    name: str,
    curve: Curve,
    host: str | None,
    points: list[NodePoint],
    cautions: list[Message],
    written: Path | None,
) -> FleetShowDocument:
    """Return the document of a curve."""
    from planner.fleets.library import plain_curve

    return FleetShowDocument(
        curve={"name": name, **plain_curve(curve)},
        host=host,
        points=[
            ShownPoint(
                concurrency=row.point.concurrency, tokens_per_s=row.point.tokens_per_s,
                gpu_kw=row.point.gpu_kw, wall_kw=row.point.node_kw,
                inter_token_ms=row.point.inter_token_ms, first_token_ms=row.point.first_token_ms,
                node_tokens_per_s=row.node_tokens_per_s, node_kw=row.node_kw,
                kwh_per_mtok=row.kwh_per_mtok,
            )
            for row in points
        ],
        file=written,
        warnings=[*cautions],
    )  # fmt: skip


def import_document(imported: Imported, written: Mapping[str, Path]) -> FleetImportDocument:
    """Return the document of imported curves and the file of each."""
    return FleetImportDocument(
        curves=list_document(imported.curves).curves,
        files=[*written.values()],
        left_out=[*map(InputProblem.of, imported.left_out)],
        warnings=[problem.with_place() for problem in imported.cautions],
    )  # fmt: skip


def measure_document(file: Path | None, curve: Curve, measured: Measured) -> FleetMeasureDocument:
    """Return the document of a measured curve."""
    from planner.fleets.library import plain_curve

    sleep = measured.sleep
    return FleetMeasureDocument(
        file=file,
        curve=plain_curve(curve),
        sleep=None if sleep is None else ServerSleep(**vars(sleep)),
        warnings=[*measured.cautions],
    )
