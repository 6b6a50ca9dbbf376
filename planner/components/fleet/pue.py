"""Facility power over IT power: a series, or by outdoor temperature."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field, Tag, model_validator

from planner.field_types import Given, Listed
from planner.fields import FieldError, Frozen, exceeds, form
from planner.message import Message
from planner.timeseries.series import Array, Series, SeriesBounds


class PuePoint(Frozen):
    """PUE at a temperature."""

    temperature_c: float
    """Outdoor temperature."""
    pue: Annotated[float, Field(ge=1)]
    """Facility power over IT power."""


class PueByTemperature(Frozen):
    """PUE by outdoor temperature, linear between points."""

    temperature_c: Series
    """Outdoor temperature."""
    points: Annotated[Listed[PuePoint], Field(min_length=2)]
    """Points of ascending temperature, which cover the outdoor temperature of every step."""

    @model_validator(mode="after")
    def _covers(self) -> PueByTemperature:
        known = [point.temperature_c for point in self.points]
        if any(b <= a for a, b in pairwise(known)):
            raise FieldError(
                Message("temperature_c must ascend, the coldest point first"), "points"
            )
        low, high = float(self.temperature_c.min()), float(self.temperature_c.max())
        if exceeds(known[0], low) or exceeds(high, known[-1]):
            message = Message(
                "cover {first:g} to {last:g} °C, the weather goes from {low:g} to {high:g} °C; add"
                " measured points",
                first=known[0],
                last=known[-1],
                low=low,
                high=high,
            )
            raise FieldError(message, "points")
        return self

    def resolve(self) -> Array:
        """Return the PUE of every step; shape (T,)."""
        known = [point.temperature_c for point in self.points]
        return np.asarray(np.interp(self.temperature_c, known, [p.pue for p in self.points]))


if TYPE_CHECKING:
    from planner.timeseries.series import SeriesLike

    Pue = Given[Array | PueByTemperature, SeriesLike | PueByTemperature]
else:
    Pue = Annotated[
        Annotated[np.ndarray, SeriesBounds(ge=1.0), Tag("=series")]
        | Annotated[PueByTemperature, Tag("=by_temperature")],
        form(by_temperature="temperature_c points", series=""),
    ]
