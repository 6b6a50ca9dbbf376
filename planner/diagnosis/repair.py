"""The cheapest change of a scenario that makes a plan possible, in its own fields and numbers.

An elastic copy of the program buys the effect of a field, step by step, at the least total change.
Switches are turned, and numbers that alter the shape of the program (hours, latency limits) are
searched by halves. Where no field can do it alone, the elastic copy may buy several together.
Every proposal is checked by looking for a plan of the changed scenario.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.components.component import Component
from planner.diagnosis.wording import SPANS, spans, time_span
from planner.errors import Key, PlannerError, dotted
from planner.fields import Frozen, value_text
from planner.scenario.paths import with_value
from planner.scenario.scenario import Scenario
from planner.solver.compiler import compile_program
from planner.solver.elastic import FINE, Slack, effects_of, least_slack
from planner.solver.highs import Session
from planner.solver.model import assemble
from planner.solver.program import Program
from planner.timeseries.horizon import Window
from planner.timeseries.series import Array
from planner.units import unit

SHOWN = 5  # proposals at most
SOLVE_LIMIT_S = 10.0
DIGITS = (4, 8)  # significant digits of a new value, the fewest first
FAR = (4.0, 1000.0)  # times the old value: how far up a number is searched
NEAR = 1e-3  # of the value: how near to the least change the search ends
FLIPPED = 0.5  # the size of turning a switch


@dataclass(frozen=True)
class Change:
    """A proposal: new values by dotted path, in words, and how much of the old values is moved."""

    values: Mapping[str, Any]
    said: str
    size: float


@dataclass(frozen=True)
class Choice:
    """A field that somebody may choose, and its value."""

    path: Key
    value: Any

    @property
    def dotted(self) -> str:
        """Its path in the scenario file."""
        return dotted(self.path)

    @property
    def unit(self) -> str | None:
        """The unit that its name ends in."""
        return unit(str(self.path[-1]))

    @property
    def scale(self) -> float:
        """What a change of it is measured against."""
        return float(np.max(np.abs(self.value))) or 1.0

    @property
    def most(self) -> float:
        """The largest value that can be meant."""
        share = self.unit == "0..1" or self.path[-1] == "available"
        return max(1.0, self.scale) if share else np.inf


class Repair:
    """Looks for changes of one scenario that make a plan possible, until a time."""

    def __init__(
        self,
        scenario: Scenario,
        program: Program | None,
        until: float,
        window: Window | None = None,
    ) -> None:
        self.scenario, self.program, self.until, self.window = scenario, program, until, window
        self.slacks: list[tuple[Choice, Slack]] = []

    def late(self) -> bool:
        """Whether the time is over."""
        return time.perf_counter() > self.until

    def limit_s(self) -> float:
        """How long one run of the solver may take."""
        return min(SOLVE_LIMIT_S, max(self.until - time.perf_counter(), 0.1))

    def single(self, components: Sequence[str]) -> list[Change]:
        """Return changes of one field each, of these components: the smallest that work."""
        choices = [c for name in components for c in _choices(name, self.scenario.components[name])]
        shaping: list[Choice] = []
        wanted: list[tuple[float, str, Choice, Any]] = []
        for choice in choices:
            if self.late():
                break
            if isinstance(choice.value, bool):
                wanted.append((FLIPPED, choice.dotted, choice, None))
            elif (slack := self._slack(choice)) is not None:
                self.slacks.append((choice, slack))
                (found,) = self._bought([slack]) or [np.zeros(1)]
                if found.any():
                    size = float(np.abs(found).max()) / choice.scale
                    wanted.append((size, choice.dotted, choice, found))
            else:
                shaping.append(choice)
        done: list[Change] = []
        for size, _, choice, slack in sorted(wanted, key=lambda found: found[:2]):
            if len(done) == SHOWN or self.late():
                break
            if slack is not None:
                done += self._rounded([(choice, slack)], size)
            elif self.possible({choice.dotted: not choice.value}):
                said = f"{choice.dotted}: {str(not choice.value).lower()}"
                done.append(Change({choice.dotted: not choice.value}, said, size))
        for choice in sorted(shaping, key=_series):
            if not (self.late() or (_series(choice) and done)):
                done += self._searched(choice)
        return sorted(done, key=lambda change: (change.size, change.said))[:SHOWN]

    def together(self) -> list[Change]:
        """Return the cheapest change of several fields at once, of those that `single` tried."""
        if not self.slacks or self.late():
            return []
        self.slacks.sort(key=lambda pair: pair[0].dotted)
        found = self._bought([slack for _, slack in self.slacks])
        choices = (choice for choice, _ in self.slacks)
        moved = [
            (choice, slack) for choice, slack in zip(choices, found, strict=False) if any(slack)
        ]
        size = sum(float(np.abs(slack).max()) / choice.scale for choice, slack in moved)
        return self._rounded(moved, size) if moved else []

    def possible(self, values: Mapping[str, Any]) -> bool:
        """Whether the scenario with some values changed is valid and has a plan."""
        try:
            program = compile_program(assemble(self.scenario.with_values(values), self.window))
        except PlannerError:
            return False
        session = Session(program.feasibility, threads=self.scenario.solver.threads, seed=0)
        session.integrality(program.all_integer)
        return session.run(time_limit_s=self.limit_s()).x is not None

    def _bought(self, slacks: Sequence[Slack]) -> list[Array]:
        """Return the cheapest changes that leave a point, none where nothing does."""
        assert self.program is not None
        return least_slack(self.program, slacks, self.limit_s()) or []

    def _slack(self, choice: Choice) -> Slack | None:
        """Measure what a field does; None where that is no constant effect."""
        if self.program is None or choice.unit == "h":
            return None
        amount = 1e-3 * choice.scale
        try:
            changed = with_value(self.scenario, choice.path, choice.value + amount)
            moved = compile_program(assemble(changed, self.window))
        except PlannerError:
            return None
        effects = effects_of(self.program, moved, amount)
        if effects is None:
            return None
        value = np.atleast_1d(np.asarray(choice.value, dtype=float))
        return Slack(effects, value, 0.0, choice.most, 1 / choice.scale)

    def _rounded(self, moved: Sequence[tuple[Choice, Array]], size: float) -> list[Change]:
        """Round away from the old values to the fewest digits that work."""
        for digits in DIGITS:
            values = {
                choice.dotted: _round(choice.value + (s if _series(choice) else s[0]), s, digits)
                for choice, s in moved
            }
            if self.possible(values):
                said = [_said(self.scenario, choice, values[choice.dotted]) for choice, _ in moved]
                return [Change(values, " and ".join(said), size)]
        return []

    def _searched(self, choice: Choice) -> list[Change]:
        """Find the smallest change of a number, or scale of a series, by halves, down and up."""
        value = choice.scale if _series(choice) else choice.value
        shape = choice.value / value if _series(choice) else 1.0
        hours = choice.unit == "h"
        step_h, horizon_h = self.scenario.horizon.step_h, self.scenario.horizon.hours
        tops = [value + horizon_h] if hours else [min(choice.most, value * far) for far in FAR]
        ends = [[0.0], [top for top in tops if top > value]]
        best: list[float] = []
        for way in ends:
            inside = value
            for end in way:
                if self.late() or not self.possible({choice.dotted: shape * end}):
                    inside = end
                    continue
                while abs(end - inside) > NEAR * max(value, end) and not self.late():
                    middle = (inside + end) / 2
                    if hours:
                        middle = round(middle / step_h) * step_h
                    middle = float(f"{middle:.3g}")
                    if not min(inside, end) < middle < max(inside, end):
                        break
                    if self.possible({choice.dotted: shape * middle}):
                        end = middle
                    else:
                        inside = middle
                best.append(end)
                break
        if not best:
            return []
        new = min(best, key=lambda found: abs(found - value))
        said = _said(self.scenario, choice, shape * new)
        size = abs(new - value) / max(value, step_h)
        return [Change({choice.dotted: shape * new}, said, size)]


def _choices(name: str, component: Component) -> Iterator[Choice]:
    """Yield the numbers, series and switches of a component that somebody may choose."""
    for field in type(component).model_fields:
        value = getattr(component, field)
        if field in component.facts or _is_money(field):
            continue
        path: Key = ("components", name, field)
        parts: dict[Key, Any] = {path: value}
        if isinstance(value, Frozen):
            parts = {(*path, inner): getattr(value, inner) for inner in type(value).model_fields}
        for place, part in parts.items():
            if isinstance(part, bool | int | float | np.ndarray) and not _is_money(str(place[-1])):
                yield Choice(place, float(part) if type(part) is int else part)


def _is_money(name: str) -> bool:
    return "CNY" in (unit(name) or "")


def _series(choice: Choice) -> bool:
    return isinstance(choice.value, np.ndarray)


def _round(value: Any, slack: Array, digits: int) -> Any:
    """Round what has changed away from its old value: 99.99999 is meant to be 100."""
    largest = float(np.max(np.abs(value))) or 1.0
    grain = 10.0 ** (np.floor(np.log10(largest)) + 1 - digits)
    away = np.where(slack > 0, np.ceil(value / grain - 0.01), np.floor(value / grain + 0.01))
    rounded = np.where(slack != 0, np.maximum(away, 0.0) * grain, value)
    rounded = np.round(rounded, 10)
    return rounded if isinstance(value, np.ndarray) else float(rounded[0])


def _said(scenario: Scenario, choice: Choice, new: Any) -> str:
    old, text = choice.value, choice.dotted
    if not _series(choice):
        return f"{text} {'≥' if new > old else '≤'} {new:g} (is {old:g})"
    parts = []
    for sign, word in ((1, "≥"), (-1, "≤")):
        for first, last in spans((np.flatnonzero(sign * (new - old) > FINE) + 1).tolist()):
            steps = range(first, last + 1)
            when = time_span(scenario.horizon, first, last)
            parts.append(f"{word} {value_text(new, steps)} at {when} (is {value_text(old, steps)})")
    more = len(parts) - SPANS
    return f"{text} {', '.join(parts[:SPANS])}" + (f" and {more} times more" if more > 0 else "")
