"""The steps of a window, as components declare their variables and rows over them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from planner.components.terms import ByStep, Expression
from planner.modelling.rules import total
from planner.modelling.vectors import Known, Labels, StepSet
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array


class Time:
    """The steps and points of a window; steps keep their number in the horizon.

    A rule may be called with a vector of steps: it reads series with `of`, the labels of steps with
    `labels`, asks whether steps are `among` others, and sums with `total`.
    """

    def __init__(self, horizon: Horizon, window: Window) -> None:
        self.horizon, self.window = horizon, window
        self.first, self.last = window.first, window.last
        self.step_h = horizon.step_h
        self.steps = self.back(0)
        self.points = self.back(1)

    def back(self, steps: int) -> StepSet:
        """Return the steps of the window preceded by `steps` more, in which variables are fixed."""
        return StepSet(range(self.first - steps, self.last + 1))

    def among(self, steps: Iterable[int]) -> StepSet:
        """Return the steps of the window that are among others."""
        return StepSet(sorted({*steps}.intersection(self.steps)))

    def of(self, series: Array, *before: float) -> Known:
        """Return the part of a series inside the window by step, with values just before it."""
        inside = np.asarray(series[self.first - 1 : self.last], dtype=float)
        return Known(self.first - len(before), np.concatenate([before, inside]))

    def labels(self, labels: Sequence[str]) -> Labels:
        """Return the labels of the steps of the window by step."""
        return Labels(self.first, labels)

    def total(self, amount: ByStep, steps: Sequence[int] | None = None) -> Expression:
        """Return the sum of an amount over steps, all of the window by default."""
        return total(amount, self.steps if steps is None else steps)

    def cost(self, price: Array | float, amount: ByStep) -> ByStep:
        """Return what an amount per hour costs at a price, by step."""
        rate = self.of(np.broadcast_to(price * self.step_h, self.horizon.steps))
        return lambda t: rate[t] * amount(t)

    def days(self) -> list[list[int]]:
        """Return the steps of each local day inside the window."""
        return [steps for day in self.horizon.days if (steps := self._inside(day))]

    def months(self) -> dict[str, list[int]]:
        """Return the steps of each local month inside the window."""
        months = self.horizon.months.items()
        return {month: inside for month, steps in months if (inside := self._inside(steps))}

    def _inside(self, steps: Sequence[int]) -> list[int]:
        return list(range(max(steps[0], self.first), min(steps[-1], self.last) + 1))
