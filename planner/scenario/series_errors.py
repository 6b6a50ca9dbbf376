"""Series that err: errors that fade (autoregressive, order 1), and the limits of a field.

    error[t] = r error[t-1] + shock[t]

What a series may become is what its field may hold, so that a value drawn is a value that could be
written. A value beyond a limit is set to the limit; a limit that may not be reached (a price that
must be above 0) is kept away from by a hundredth of the mean. Where a field cannot be below 0, what
is 0 stays 0: the sun at night, a service that rests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, get_args

import numpy as np

from planner.errors import Key
from planner.scenario.paths import value_at
from planner.timeseries.series import Array, SeriesBounds

LEAST = 1e-2  # of its mean: how far a series stays above a limit that it may not reach


@dataclass(frozen=True)
class ErringSeries:
    """A series of a scenario that errs; shape (T,).

    limits: the values that its field may hold.
    """

    values: Array
    limits: SeriesBounds

    @classmethod
    def at(cls, holder: Any, path: Key) -> ErringSeries:
        """Return the series at a path below a checked value.

        Raises:
            ValueError: there is no series.
        """
        values = value_at(holder, path)
        if not isinstance(values, np.ndarray):
            raise ValueError("is no series, and only a series can err")
        field = type(value_at(holder, path[:-1])).model_fields[str(path[-1])]
        return cls(values, next(_bounds((*field.metadata, field.annotation)), SeriesBounds()))

    @property
    def size(self) -> float:
        """What an error is measured against: 1 for a series of 0..1, else the mean amount."""
        return 1.0 if self.limits.le == 1.0 else float(np.abs(self.values).mean())

    def with_error(self, error: Array) -> Array:
        """Return the series with an error, within its limits."""
        return self.within_limits(self.values + error)

    def within_limits(self, values: Array, around: Array | None = None) -> Array:
        """Return other values of the series within its limits.

        What is 0 in the series (or in `around`, the values of the same steps that erred) stays 0
        where the field cannot be below 0.
        """
        low, high = self._range()
        inside = np.clip(values, low, high)
        centre = self.values if around is None else around
        return inside if low != 0 else np.where(centre == 0, centre, inside)

    def _range(self) -> tuple[float, float]:
        """Return the least and the largest value."""
        high = np.inf if self.limits.le is None else self.limits.le
        if self.limits.gt is not None:
            return self.limits.gt + LEAST * self.size, high
        return -np.inf if self.limits.ge is None else self.limits.ge, high


def autoregressive(shocks: Array, keep: float) -> Array:
    """Return errors that fade: each is `keep` times the one before it and its own shock.

    Args:
        shocks: one a step; shape (T,) or (members, T), as the errors.
        keep: correlation of two steps that follow each other.
    """
    rows = accumulate(shocks.T, lambda before, shock: keep * before + shock)
    return np.array(list(rows)).T


def _bounds(parts: tuple[Any, ...]) -> Iterator[SeriesBounds]:
    for part in parts:
        if isinstance(part, SeriesBounds):
            yield part
        yield from _bounds(get_args(part))
