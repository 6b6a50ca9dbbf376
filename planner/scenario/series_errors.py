"""Forecast errors of series: autoregressive (order 1), within the limits of the field.

    error[t] = r error[t-1] + shock[t]

A series with an error stays within the limits of its field, so that every drawn value is a valid
one. A value beyond a limit is set to the limit; from a limit that is excluded (a price that must be
above 0) it keeps a distance of a hundredth of the mean. Where a field cannot be below 0, zeros stay
0: the sun at night, a service without demand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, get_args

import numpy as np

from planner.errors import Key
from planner.fields import FieldError
from planner.message import Message
from planner.scenario.paths import value_at
from planner.timeseries.series import Array, SeriesBounds

MARGIN = 1e-2  # of the mean: the distance of a series from a limit that is excluded


@dataclass(frozen=True)
class ErringSeries:
    """A series of a scenario whose forecast errs; shape (T,).

    limits: the values that its field may hold.
    """

    values: Array
    limits: SeriesBounds

    @classmethod
    def at(cls, holder: Any, path: Key) -> ErringSeries:
        """Return the series at a path below a checked value.

        Raises:
            FieldError: there is no series.
        """
        values = value_at(holder, path)
        if not isinstance(values, np.ndarray):
            raise FieldError(Message("is not a series; only series have forecast errors"))
        field = type(value_at(holder, path[:-1])).model_fields[str(path[-1])]
        return cls(values, next(_bounds((*field.metadata, field.annotation)), SeriesBounds()))

    @property
    def size(self) -> float:
        """The amount that errors are relative to: 1 for a series of 0..1, else the mean size."""
        return 1.0 if self.limits.le == 1.0 else float(np.abs(self.values).mean())

    def with_error(self, error: Array) -> Array:
        """Return the series with an error, within its limits."""
        return self.within_limits(self.values + error)

    def within_limits(self, values: Array, around: Array | None = None) -> Array:
        """Return values for the series within its limits.

        Where the field cannot be below 0, zeros of the series stay 0 (or those of `around`, the
        values of the same steps before their error).
        """
        low, high = self._range()
        inside = np.clip(values, low, high)
        centre = self.values if around is None else around
        return inside if low != 0 else np.where(centre == 0, centre, inside)

    def _range(self) -> tuple[float, float]:
        """Return the least and the largest value."""
        high = np.inf if self.limits.le is None else self.limits.le
        if self.limits.gt is not None:
            return self.limits.gt + MARGIN * self.size, high
        return -np.inf if self.limits.ge is None else self.limits.ge, high


def autoregressive(shocks: Array, correlation: float) -> Array:
    """Return errors of an AR(1) process: each is `correlation` times the one before, plus a shock.

    Args:
        shocks: one a step; shape (T,) or (members, T), as the errors.
        correlation: of two consecutive steps.
    """
    rows = accumulate(shocks.T, lambda before, shock: correlation * before + shock)
    return np.array(list(rows)).T


def _bounds(parts: tuple[Any, ...]) -> Iterator[SeriesBounds]:
    for part in parts:
        if isinstance(part, SeriesBounds):
            yield part
        yield from _bounds(get_args(part))
