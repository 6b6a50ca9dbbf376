"""The fuel curve of a thermal unit: convex stays linear, any other shape is exact with binaries.

Variables: fuel_gj_per_h[t] (declared by the unit); segment_mw[k,t] and segment_full[k,t] (binary)
for curves that are not convex. With the curve's points (P_k, F_k), and of the segment from point k
on its slope_k, length_k and intercept_k = F_k - slope_k P_k:

    fuel            one point: fuel_gj_per_h[t] = F_1 on[t]
                    convex:    fuel_gj_per_h[t] >= slope_k power_mw[t] + intercept_k on[t], every k
    fuel_segments   else:      fuel_gj_per_h[t] = F_1 on[t] + sum_k slope_k segment_mw[k,t]
    power_segments             power_mw[t] = P_1 on[t] + sum_k segment_mw[k,t]
    segment_open               segment_mw[k,t] <= length_k segment_full[k-1,t]  (first: on[t])
    segment_closed             segment_mw[k,t] >= length_k segment_full[k,t]
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from planner.components.component import Time
from planner.fields import AtLeastZero, Frozen

if TYPE_CHECKING:
    import pyomo.environ as pyo


class FuelPoint(Frozen):
    """A point of the fuel curve."""

    power_mw: AtLeastZero
    """Gross power."""
    fuel_gj_per_h: AtLeastZero
    """Fuel burnt at that power."""


class FuelCurve:
    """A piecewise linear curve through points of ascending power."""

    def __init__(self, points: tuple[FuelPoint, ...]) -> None:
        self.power = [point.power_mw for point in points]
        self.fuel = [point.fuel_gj_per_h for point in points]

    def check(self, low: float, high: float) -> None:
        """Raise ValueError unless the curve ascends in power and covers low..high."""
        if any(b <= a for a, b in pairwise(self.power)):
            raise ValueError("curve: power_mw must ascend")
        if self.power[0] > low + 1e-9 or self.power[-1] < high - 1e-9:
            raise ValueError(
                f"curve covers {self.power[0]:g} to {self.power[-1]:g} MW and must cover"
                f" {low:g} to {high:g} MW"
            )

    def lengths(self) -> list[float]:
        """Return the length of every segment, MW."""
        return [b - a for a, b in pairwise(self.power)]

    def slopes(self) -> list[float]:
        """Return the slope of every segment, GJ/MWh."""
        rises = [b - a for a, b in pairwise(self.fuel)]
        return [rise / length for rise, length in zip(rises, self.lengths(), strict=True)]

    def build(self, b: pyo.Block, time: Time) -> None:
        """Tie b.fuel_gj_per_h to b.power_mw and b.on."""
        import pyomo.environ as pyo

        slopes = self.slopes()
        if not slopes:
            b.fuel = pyo.Constraint(
                time.steps, rule=lambda b, t: b.fuel_gj_per_h[t] == self.fuel[0] * b.on[t]
            )
        elif all(y >= x - 1e-12 for x, y in pairwise(slopes)):
            cuts = [f - s * p for f, s, p in zip(self.fuel, slopes, self.power, strict=False)]
            b.fuel = pyo.Constraint(
                range(len(slopes)),
                time.steps,
                rule=lambda b, k, t: (
                    b.fuel_gj_per_h[t] >= slopes[k] * b.power_mw[t] + cuts[k] * b.on[t]
                ),
            )
        else:
            self._build_segments(b, time, slopes)

    def _build_segments(self, b: pyo.Block, time: Time, slopes: list[float]) -> None:
        import pyomo.environ as pyo

        lengths, every = self.lengths(), range(len(slopes))
        b.segment_mw = pyo.Var(every, time.steps, bounds=lambda _, k, t: (0, lengths[k]))  # noqa: ARG005
        b.segment_full = pyo.Var(every[:-1], time.steps, domain=pyo.Binary)
        b.fuel_segments = pyo.Constraint(
            time.steps,
            rule=lambda b, t: (
                b.fuel_gj_per_h[t]
                == self.fuel[0] * b.on[t] + sum(slopes[k] * b.segment_mw[k, t] for k in every)
            ),
        )
        b.power_segments = pyo.Constraint(
            time.steps,
            rule=lambda b, t: (
                b.power_mw[t] == self.power[0] * b.on[t] + sum(b.segment_mw[k, t] for k in every)
            ),
        )
        b.segment_open = pyo.Constraint(
            every,
            time.steps,
            rule=lambda b, k, t: (
                b.segment_mw[k, t] <= lengths[k] * (b.segment_full[k - 1, t] if k else b.on[t])
            ),
        )
        b.segment_closed = pyo.Constraint(
            every[:-1],
            time.steps,
            rule=lambda b, k, t: b.segment_mw[k, t] >= lengths[k] * b.segment_full[k, t],
        )
