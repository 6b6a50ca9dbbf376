"""How one GPU node behaves: measured operating points, reading of input, and cooling overhead."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import numpy as np
from pydantic import Field, field_validator, model_validator

from planner.fields import AtLeastZero, Frozen, Positive
from planner.timeseries.series import Array, Series

MTOK_PER_H = 0.0036  # of one token/s


class OperatingPoint(Frozen):
    """A measured way to run one node."""

    tokens_per_s: Annotated[float, Field(ge=0, le=1e7)]
    """Output tokens; 0 is the awake idle point."""
    node_kw: AtLeastZero
    """Power of the whole server, before PUE."""
    inter_token_ms: Positive | None = None
    """Inter-token latency; not needed where nothing is decoded."""

    @property
    def key(self) -> str:
        """How the point is named in columns."""
        return f"{self.tokens_per_s:g}"


class Prefill(Frozen):
    """How a node reads input."""

    tokens_per_s: Annotated[float, Field(gt=0, le=1e7)]
    """Input tokens that are not in the cache."""
    node_kw: AtLeastZero
    """Power of the whole server, before PUE."""


class Serving(Frozen):
    """How a node of the fleet serves one model."""

    points: Annotated[tuple[OperatingPoint, ...], Field(strict=False)]
    """Operating points, among them the awake idle point (tokens_per_s: 0)."""
    prefill: Prefill | None = None
    """Reading of input; without it the points are taken to include it."""

    @field_validator("points")
    @classmethod
    def _points(cls, points: tuple[OperatingPoint, ...]) -> tuple[OperatingPoint, ...]:
        points = tuple(sorted(points, key=lambda point: point.tokens_per_s))
        speeds = [point.tokens_per_s for point in points]
        if not speeds or speeds[0] != 0:
            raise ValueError("must hold the awake idle point, tokens_per_s: 0")
        if len(speeds) < 2:
            raise ValueError("must hold a point that decodes tokens")
        if len({point.key for point in points}) < len(points):
            raise ValueError("no two points may have the same tokens_per_s")
        return points

    @property
    def working(self) -> tuple[OperatingPoint, ...]:
        """The points that decode tokens."""
        return self.points[1:]

    def within(self, limit: float | None) -> list[OperatingPoint]:
        """Return the working points that meet a latency limit."""
        if limit is None:
            return list(self.working)
        return [p for p in self.working if p.inter_token_ms and p.inter_token_ms <= limit]


class PuePoint(Frozen):
    """PUE at a temperature."""

    temperature_c: float
    """Outdoor temperature."""
    pue: Annotated[float, Field(ge=1)]
    """Facility power over IT power."""


class PueByTemperature(Frozen):
    """PUE that follows the weather, linear between points."""

    temperature_c: Series
    """Outdoor temperature."""
    points: Annotated[tuple[PuePoint, ...], Field(min_length=2, strict=False)]
    """Points of ascending temperature; the weather may not leave them."""

    @model_validator(mode="after")
    def _covers(self) -> PueByTemperature:
        known = [point.temperature_c for point in self.points]
        if any(b <= a for a, b in pairwise(known)):
            raise ValueError("points: temperature_c must ascend")
        low, high = float(self.temperature_c.min()), float(self.temperature_c.max())
        if low < known[0] or high > known[-1]:
            raise ValueError(
                f"points cover {known[0]:g} to {known[-1]:g} °C, the weather goes from {low:g} to"
                f" {high:g} °C; add measured points"
            )
        return self

    def resolve(self) -> Array:
        """Return the PUE of every step; shape (T,)."""
        known = [point.temperature_c for point in self.points]
        found = np.interp(self.temperature_c, known, [point.pue for point in self.points])
        return np.asarray(found)
