"""The scale of a chart's axis that shows the values of a sweep axis.

    values that are near each other, or at equal steps       linear
    positive ones that are far apart                         logarithmic
    far apart with zero or negative ones among them          linear around zero, logarithmic beyond

Plotly has no axis of the third kind: values are drawn at their place on it, and its ticks have
their numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.language.language import Language
from planner.report.charts.style import PLAIN, text
from planner.report.sweep_page.words import axis_text
from planner.sweeps.analysis.case_table import is_number

WIDEST = 40  # of a line of the title of an axis
WIDE_RANGE = 20  # values this far apart are not drawn on a linear axis
MOST_TICKS = 12
NEAREST = 0.03  # of the axis, between two ticks


@dataclass(frozen=True)
class AxisScale:
    """How the values of an axis lie on a chart.

    kind: category, linear, log, or around_zero: linear up to `least` on both sides, log beyond.
    axis: the kind and the ticks of the axis for Plotly.
    least: the smallest magnitude of the values that are not zero.
    """

    kind: str
    axis: dict[str, Any]
    least: float = 1.0

    @property
    def room_px(self) -> int:
        """The margin that the last tick needs for its half beyond the end of the axis."""
        return 12 + 4 * max(map(len, self.axis.get("ticktext", [""])))

    def places(self, values: Sequence[Any], words: Language) -> list[Any]:
        """Return the values as the chart takes them."""
        if self.kind == "category":
            return [text(axis_text(value, words)) for value in values]
        if self.kind == "around_zero":
            return [self._place(value) for value in values]
        return list(values)

    def upright(self, value: float) -> float:
        """Return where a line across the chart marks a value."""
        return self._place(value) if self.kind == "around_zero" else value

    def annotated(self, value: float) -> float:
        """Return where a text marks a value: Plotly takes an exponent on a logarithmic axis."""
        return math.log10(value) if self.kind == "log" else self.upright(value)

    def sentence(self, name: str, words: Language) -> str:
        """Return what readers of the axis of a name must know; empty for the usual ones."""
        if self.kind == "log":
            return words("Logarithmic axis: {axis}.", axis=name)
        if self.kind == "around_zero":
            return words(
                "Axis {axis}: linear between −{least} and {least}, logarithmic beyond.",
                axis=name, least=_tick_text(self.least, words),
            )  # fmt: skip
        return ""

    def _place(self, value: float) -> float:
        """Return the place of a value, 1 at `least` and one more for each factor of ten."""
        size = abs(value) / self.least
        return float(math.copysign(size if size <= 1 else 1 + math.log10(size), value))


def axis_scale(values: Sequence[Any], words: Language, most_ticks: int = MOST_TICKS) -> AxisScale:
    """Return the scale that suits the values of an axis; it has at most `most_ticks` ticks."""
    if not all(is_number(value) and math.isfinite(value) for value in values):
        return AxisScale("category", {"type": "category"})
    levels = sorted(set(map(float, values)))
    sizes = [abs(value) for value in levels if value]
    linear = AxisScale("linear", {"type": "linear", "nticks": min(most_ticks, 6), **PLAIN})
    if not sizes or max(sizes) / min(sizes) < WIDE_RANGE or _even(levels):
        return linear
    scale = AxisScale("log" if levels[0] > 0 else "around_zero", {}, min(sizes))
    if len(levels) > MOST_TICKS and _off_middle(linear, levels) <= _off_middle(scale, levels):
        return linear  # drawn evenly from a range
    ticks = _ticks(scale, levels, most_ticks)
    axis = {
        "type": "log" if scale.kind == "log" else "linear",
        "tickvals": [scale.upright(value) for value in ticks],
        "ticktext": [_tick_text(value, words) for value in ticks],
    }
    return AxisScale(scale.kind, axis, scale.least)


def _tick_text(value: float, words: Language) -> str:
    """Return the number at a tick, to five digits; only zero reads 0."""
    return f"{value:.5g}" if 0 < abs(value) < 1e-4 else axis_text(value, words)


def _even(levels: Sequence[float]) -> bool:
    """Return whether three levels or more are at equal steps."""
    steps = np.diff(levels)
    return len(steps) > 1 and bool(np.allclose(steps, steps[0], rtol=1e-6, atol=0))


def _off_middle(scale: AxisScale, levels: Sequence[float]) -> float:
    """Return how far from the middle of the axis the middle one of the levels lies."""
    low, middle, high = (scale.annotated(levels[at]) for at in (0, len(levels) // 2, -1))
    return abs((middle - low) / (high - low) - 0.5)


def _ticks(scale: AxisScale, levels: Sequence[float], most: int) -> list[float]:
    """Return the values at which ticks stand: the levels, if they are few, or round numbers."""
    if len(levels) <= most:
        return list(_apart(scale, levels))
    for mantissas, decades in (((1, 2, 5), 1), ((1,), 1), ((1,), 2), ((1,), 3), ((1,), 6)):
        ticks = sorted(_round(levels, scale.least, mantissas, decades))
        if len(ticks) <= most:
            return ticks
    return [levels[0], levels[-1]]


def _apart(scale: AxisScale, levels: Sequence[float]) -> Iterator[float]:
    """Yield the levels that are far enough from each other for a tick, the last one always."""
    places = [scale.annotated(level) for level in levels]
    near = NEAREST * (places[-1] - places[0])
    last, kept = places[-1], -math.inf
    for level, place in zip(levels, places, strict=True):
        if place == last or (place - kept >= near and last - place >= near):
            yield level
            kept = place


def _round(
    levels: Sequence[float], least: float, mantissas: Sequence[int], decades: int
) -> Iterator[float]:
    """Yield round numbers within the levels, from the decade of `least` on, and zero."""
    low, high = levels[0], levels[-1]
    if low <= 0 <= high:
        yield 0.0
    first = math.floor(math.log10(least))
    last = math.floor(math.log10(max(abs(low), abs(high))))
    for exponent in range(first, last + 1, decades):
        for mantissa in mantissas:
            size = float(f"{mantissa}e{exponent}")
            if size >= least:
                yield from (value for value in (size, -size) if low <= value <= high)
