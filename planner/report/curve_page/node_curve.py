"""A curve on a node of a host, and tables of curves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from planner.components.fleet.operating_points import MTOK_PER_H
from planner.fleets.curve import Curve, CurvePoint
from planner.fleets.hosts import Host
from planner.language.language import Language
from planner.language.section import Quantity, Row, Section, decimals_of
from planner.message import Message


@dataclass(frozen=True)
class NodePoint:
    """A point of a curve, and what a node of a host answers and draws there.

    The node has as many replicas as its GPUs hold; None where no host is known, or power is not.
    """

    point: CurvePoint
    node_tokens_per_s: float | None = None
    node_kw: float | None = None
    replicas: int = 1

    @property
    def kwh_per_mtok(self) -> float | None:
        """Energy at the wall for a million tokens."""
        if not self.node_tokens_per_s or self.node_kw is None:
            return None
        return self.node_kw / (MTOK_PER_H * self.node_tokens_per_s)


def node_points(curve: Curve, host: Host | None) -> list[NodePoint]:
    """Return the points of a curve on a node of a host, where one is known."""
    if host is None or host.gpus % curve.gpus:
        return [NodePoint(point) for point in curve.points]
    n = host.gpus // curve.gpus

    def node_kw(point: CurvePoint) -> float | None:
        if curve.measured == "gpu":
            return None if point.gpu_kw is None else host.node_kw(n * point.gpu_kw)
        return None if point.node_kw is None else n * point.node_kw

    return [NodePoint(point, n * point.tokens_per_s, node_kw(point), n) for point in curve.points]


def node_cautions(curve: Curve, host: Host | None) -> Iterator[Message]:
    """Yield what is unusual about a curve, and why nothing is shown of a node of a host."""
    yield from curve.cautions()
    if host is not None and host.gpus % curve.gpus:
        yield Message(
            "a replica takes {n} GPUs, and a node of {gpus} does not hold a whole number: nothing"
            " is shown of a node",
            n=curve.gpus, gpus=host.gpus,
        )  # fmt: skip


def replica_kw(point: CurvePoint) -> float | None:
    """Return the measured power of a replica: at its GPUs, or at the wall."""
    return point.gpu_kw if point.node_kw is None else point.node_kw


def span(values: Iterable[float | None]) -> list[float] | None:
    """Return the least and the most of values, None where there are none."""
    known = [value for value in values if value is not None]
    return [min(known), max(known)] if known else None


def span_text(values: Iterable[float | None]) -> str:
    """Return the range of values as text."""
    if (ends := span(values)) is None:
        return "–"
    decimals = decimals_of(ends[1])
    low, high = (f"{end:,.{decimals}f}" for end in ends)
    return low if low == high else f"{low}–{high}"


def list_sections(curves: Mapping[str, Curve], words: Language) -> list[Section]:
    """Return a table for each source of curves by name, apart where power is at the wall."""
    by_source: dict[tuple[str, str], list[Row]] = {}
    for name, curve in curves.items():
        row: Row = (
            name, Quantity(curve.gpus, "", 0),
            span_text(point.tokens_per_s for point in curve.points if point.tokens_per_s),
            span_text(map(replica_kw, curve.points)),
            span_text(point.inter_token_ms for point in curve.points),
        )  # fmt: skip
        by_source.setdefault((curve.source.title, power_head(curve, words)), []).append(row)
    return [
        Section(source, (
            words("curve"), words("GPUs"), words("tokens/s"), kw, words("ms between tokens"),
        ), tuple(rows))
        for (source, kw), rows in sorted(by_source.items())
    ]  # fmt: skip


def power_head(curve: Curve, words: Language) -> str:
    """Return the head of the measured power of a replica."""
    return words("kW at the wall") if curve.measured == "wall" else words("GPU kW")


def points_section(curve: Curve, points: list[NodePoint], words: Language) -> Section:
    """Return the table of the points of a curve; columns without a value are left out."""
    columns: dict[str, list[float | None]] = {
        words("requests"): [row.point.concurrency for row in points],
        words("tokens/s"): [row.point.tokens_per_s for row in points],
        power_head(curve, words): [replica_kw(row.point) for row in points],
        words("ms between tokens"): [row.point.inter_token_ms for row in points],
        words("ms to the first token"): [row.point.first_token_ms for row in points],
        words("tokens/s of the node"): [row.node_tokens_per_s for row in points],
        words("node kW"): [row.node_kw for row in points],
        words("kWh/Mtok"): [row.kwh_per_mtok for row in points],
    }
    known = {head: values for head, values in columns.items() if span(values) is not None}
    cells = [
        [Quantity(value, "", decimals_of(max(v or 0.0 for v in values))) for value in values]
        for values in known.values()
    ]
    return Section(
        words("Points of a replica"), tuple(known), tuple(zip(*cells, strict=True)), labels=0
    )


def facts_section(name: str, curve: Curve, words: Language) -> Section:
    """Return what a curve is and where it is from."""
    measured = {
        "gpu": words("power of the GPUs"), "wall": words("power at the wall"),
        "none": words("no power"),
    }  # fmt: skip
    parallel = ", ".join(
        f"{kind} {n}" for kind in ("tensor", "expert", "data")
        if (n := getattr(curve.parallel, kind)) is not None
    )  # fmt: skip
    facts = {
        words("curve"): name,
        words("hardware"): f"{curve.gpus} x {curve.hardware}",
        words("model"): curve.model,
        words("precision"): curve.precision,
        words("parallel"): parallel,
        words("task"): curve.task,
        words("measured"): measured[curve.measured],
        words("host"): curve.host or "",
        words("source"): ", ".join(
            filter(None, (curve.source.title, curve.source.version, curve.date.isoformat()))
        ),
        words("address"): curve.source.url or "",
        words("licence"): curve.licence,
        words("note"): curve.note,
    }
    return Section("", (), tuple((label, text) for label, text in facts.items() if text))
