"""Operating points of a node, and how it serves a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, field_validator

from planner.field_types import Listed
from planner.fields import AtLeastZero, FieldError, Frozen, Positive
from planner.message import Message

MTOK_PER_H = 0.0036  # of one token/s
Limits = tuple[float | None, float | None]  # ms: between tokens, and to the first; None is no limit


class OperatingPoint(Frozen):
    """A measured operating point of a node."""

    tokens_per_s: Annotated[float, Field(ge=0, le=1e7)]
    """Output tokens decoded; 0 is the awake idle point."""
    node_kw: AtLeastZero
    """Power of the whole server, before PUE."""
    inter_token_ms: Positive | None = None
    """Inter-token latency; not needed at the idle point."""
    first_token_ms: Positive | None = None
    """Time to the first token, as measured with the whole answer: on nodes that read the input too,
    and with it on the `prefill` of nodes of its own."""

    @property
    def key(self) -> str:
        """The name of the point in columns."""
        return f"{self.tokens_per_s:g}"

    @property
    def mtok_per_h(self) -> float:
        """Decode throughput of a node."""
        return MTOK_PER_H * self.tokens_per_s

    def meets(self, limits: Limits) -> bool:
        """Whether its latencies are known, and within limits."""
        latencies = self.inter_token_ms, self.first_token_ms
        return all(
            limit is None or (ms is not None and ms <= limit)
            for ms, limit in zip(latencies, limits, strict=True)
        )


class Prefill(Frozen):
    """The prefill of a node: reading input tokens."""

    tokens_per_s: Annotated[float, Field(gt=0, le=1e7)]
    """Input tokens that are not in the cache."""
    node_kw: AtLeastZero
    """Power of the whole server, before PUE."""

    @property
    def mtok_per_h(self) -> float:
        """Prefill throughput of a node."""
        return MTOK_PER_H * self.tokens_per_s


class Serving(Frozen):
    """How a node of the fleet serves one model."""

    points: Listed[OperatingPoint]
    """Operating points, among them the awake idle point (tokens_per_s: 0)."""
    prefill: Prefill | None = None
    """Prefill on nodes of its own; without it the points are taken to include prefill."""

    @field_validator("points")
    @classmethod
    def _points(cls, points: tuple[OperatingPoint, ...]) -> tuple[OperatingPoint, ...]:
        points = tuple(sorted(points, key=lambda point: point.tokens_per_s))
        speeds = [point.tokens_per_s for point in points]
        if not speeds or speeds[0] != 0:
            raise FieldError(Message("must hold the awake idle point, tokens_per_s: 0"))
        if len(speeds) < 2:
            raise FieldError(Message("must hold a point that decodes tokens"))
        if len({point.key for point in points}) < len(points):
            raise FieldError(Message("no two points may have the same tokens_per_s"))
        return points

    @property
    def decoding(self) -> tuple[OperatingPoint, ...]:
        """The points that decode tokens."""
        return self.points[1:]

    def within(self, limits: Limits) -> list[OperatingPoint]:
        """Return the decoding points that meet latency limits."""
        return [point for point in self.decoding if point.meets(limits)]


def prefill_by_model(serves: Mapping[str, Serving]) -> dict[str, Prefill]:
    """Return the prefill of the models that have nodes of their own for it."""
    return {m: serving.prefill for m, serving in serves.items() if serving.prefill}
