"""The least changes of a scenario's fields that make a plan possible.

An elastic program finds the least change of a field, step by step, that makes the program feasible.
Switches are turned, and numbers that change the shape of the program (hours, latency limits) are
searched by bisection. Where no single field is enough, the elastic program changes several.
Every proposal is checked by finding a feasible point of the changed scenario.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.diagnosis.wording import MAX_SPANS, spans, time_span
from planner.errors import Key, PlannerError, dotted
from planner.fields import Frozen, is_number, value_text
from planner.message import Message, MessageList, template
from planner.scenario.paths import places, value_at, with_value
from planner.scenario.scenario import Scenario
from planner.solver.budget import Budget
from planner.solver.compiler import program_of
from planner.solver.elastic import MIN_EFFECT, Slack, effects_of, least_slack
from planner.solver.program import Program
from planner.solver.scaling import rescaled
from planner.solver.session import Session
from planner.timeseries.horizon import Window
from planner.timeseries.series import Array
from planner.units import unit

MAX_PROPOSALS = 5
DIGITS = (4, 8)  # significant digits of a new value, the fewest first
MAX_FACTORS = (4.0, 1000.0)  # of the old value: how far up a number is searched
SEARCH_TOLERANCE = 1e-3  # of the value: the width at which the bisection ends
SWITCH_SIZE = 0.5  # of turning a switch, as a relative change
ABOVE = template("≥ {value} at {when} (is {old})")
BELOW = template("≤ {value} at {when} (is {old})")
MORE = template("{path} ≥ {value:g} (not given, so {old:g})")
LESS = template("{path} ≤ {value:g} (not given, so {old:g})")


@dataclass(frozen=True)
class Change:
    """A proposal: new values by dotted path, its text, and its size relative to the old values."""

    values: Mapping[str, Any]
    text: Message
    size: float


@dataclass(frozen=True)
class Choice:
    """A field that somebody may choose, and its value; `given`: whether the scenario has it.

    other: of a switch or a list of words the other value.
    """

    path: Key
    value: Any
    given: bool = True
    other: Any = None

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
        """The size of its value, that changes are relative to."""
        return float(np.max(np.abs(self.value))) or 1.0

    @property
    def is_series(self) -> bool:
        """Whether it has a value for every step."""
        return isinstance(self.value, np.ndarray)

    @property
    def level(self) -> float:
        """Its value, of a series the scale: what a search changes."""
        return self.scale if self.is_series else float(self.value)

    @property
    def max_value(self) -> float:
        """The largest value that makes sense."""
        share = self.unit == "0..1" or self.path[-1] == "available"
        return max(1.0, self.scale) if share else np.inf


class Repair:
    """A search for changes of a scenario that make a plan possible, within a budget of work."""

    def __init__(
        self,
        scenario: Scenario,
        program: Program | None,
        budget: Budget,
        window: Window | None = None,
    ) -> None:
        self.scenario, self.program, self.budget, self.window = scenario, program, budget, window
        self.slacks: list[tuple[Choice, Slack]] = []

    def single(self, components: Sequence[str]) -> list[Change]:
        """Return the smallest changes of one field of these components that work."""
        choices = [choice for name in components for choice in self._choices(name)]
        shaping: list[Choice] = []
        candidates: list[tuple[float, str, Choice, Any]] = []
        for choice in choices:
            if self.budget.is_spent:
                break
            if choice.other is not None:
                candidates.append((SWITCH_SIZE, choice.dotted, choice, None))
            elif (slack := self._slack(choice)) is not None:
                self.slacks.append((choice, slack))
                (change,) = self._least_changes([slack]) or [np.zeros(1)]
                if change.any():
                    size = float(np.abs(change).max()) / choice.scale
                    candidates.append((size, choice.dotted, choice, change))
            else:
                shaping.append(choice)
        changes: list[Change] = []
        for size, path, choice, change in sorted(candidates, key=lambda one: one[:2]):
            if len(changes) == MAX_PROPOSALS or self.budget.is_spent:
                break
            if change is not None:
                changes += self._rounded([(choice, change)], size)
            elif self.possible({path: choice.other}):
                listed = isinstance(choice.other, tuple)
                other = f"[{', '.join(choice.other)}]" if listed else value_text(choice.other)
                text = Message("{path}: {value}", path=path, value=other)
                changes.append(Change({path: choice.other}, text, size))
        for choice in sorted(shaping, key=lambda choice: choice.is_series):
            if not (self.budget.is_spent or (choice.is_series and changes)):
                changes += self._searched(choice)
        return sorted(changes, key=lambda change: (change.size, change.text))[:MAX_PROPOSALS]

    def _choices(self, name: str) -> Iterator[Choice]:
        """Yield the numbers, series and switches of a component that somebody may choose."""
        component = self.scenario.components[name]
        defaults = component.defaults(self.scenario.horizon)
        for field in type(component).model_fields:
            value = getattr(component, field)
            if field in component.facts or _is_money(field):
                continue
            path: Key = ("components", name, field)
            if field in defaults:
                yield Choice(path, defaults[field], given=False)
            parts: dict[Key, Any] = {path: value}
            if isinstance(value, Frozen):
                parts = {(*path, part): getattr(value, part) for part in type(value).model_fields}
            for below, part in parts.items():
                if isinstance(part, bool):
                    yield Choice(below, part, other=not part)
                elif isinstance(part, int | float | np.ndarray) and not _is_money(str(below[-1])):
                    yield Choice(below, float(part) if type(part) is int else part)
            every = type(component).model_fields[field].default
            if isinstance(every, tuple) and every and value != every:  # such as charge_from
                yield Choice(path, value, other=every)
        for listed in (
            path for paths in component.priced.values() for path in paths if "*" in path
        ):
            for _, key in places(component, listed):  # limits in lists, such as energy_targets
                if is_number(value := value_at(component, key)):
                    yield Choice(("components", name, *key), float(value))

    def together(self) -> list[Change]:
        """Return the least change of several fields at once, of those that `single` tried."""
        if not self.slacks or self.budget.is_spent:
            return []
        self.slacks.sort(key=lambda pair: pair[0].dotted)
        least = self._least_changes([slack for _, slack in self.slacks])
        changed = [
            (choice, change)
            for (choice, _), change in zip(self.slacks, least, strict=False)
            if change.any()
        ]
        size = sum(float(np.abs(change).max()) / choice.scale for choice, change in changed)
        return self._rounded(changed, size) if changed else []

    def possible(self, values: Mapping[str, Any]) -> bool:
        """Return whether the scenario with some values changed is valid and has a plan."""
        try:
            program = program_of(self.scenario.with_values(values), self.window)
        except PlannerError:
            return False
        solved, threads = rescaled(program).program, self.scenario.solver.threads
        session = Session(solved.feasibility, threads=threads, seed=0)
        return self.budget.point(session, solved.all_integer) is not None

    def _least_changes(self, slacks: Sequence[Slack]) -> list[Array]:
        """Return the least changes that make the program feasible, none if nothing does."""
        assert self.program is not None
        return least_slack(self.program, slacks, self.budget) or []

    def _slack(self, choice: Choice) -> Slack | None:
        """Return the slack of a field; None where its effect is not constant."""
        if self.program is None or choice.unit == "h":
            return None
        amount = 1e-3 * choice.scale
        try:
            base = self.program if choice.given else self._with(choice, choice.value)
            perturbed = self._with(choice, choice.value + amount)
        except PlannerError:
            return None
        effects = effects_of(base, perturbed, amount)
        if effects is None:
            return None
        value = np.atleast_1d(np.asarray(choice.value, dtype=float))
        return Slack(effects, value, choice.max_value, 1 / choice.scale)

    def _with(self, choice: Choice, value: Any) -> Program:
        """Return the program with another value of a field."""
        changed = with_value(self.scenario, choice.path, value)
        return program_of(changed, self.window)

    def _rounded(self, changed: Sequence[tuple[Choice, Array]], size: float) -> list[Change]:
        """Round away from the old values to the fewest digits that work."""
        for digits in DIGITS:
            values = {
                choice.dotted: _round(choice.value + (c if choice.is_series else c[0]), c, digits)
                for choice, c in changed
            }
            if self.possible(values):
                texts = [self._text(choice, values[choice.dotted]) for choice, _ in changed]
                return [Change(values, MessageList(" and ", texts), size)]
        return []

    def _searched(self, choice: Choice) -> list[Change]:
        """Return the least change of a number, or of the scale of a series, down or up."""
        value = choice.level
        shape = choice.value / value if choice.is_series else 1.0
        tops = [min(choice.max_value, value * factor) for factor in MAX_FACTORS]
        if choice.unit == "h":
            tops = [value + self.scenario.horizon.hours]
        least: list[float] = []
        for ends in ([0.0], [top for top in tops if top > value]):
            infeasible = value
            for end in ends:
                if not self.budget.is_spent and self.possible({choice.dotted: shape * end}):
                    least.append(self._bisected(choice, shape, infeasible, end))
                    break
                infeasible = end
        if not least:
            return []
        new = min(least, key=lambda one: abs(one - value))
        size = abs(new - value) / max(value, self.scenario.horizon.step_h)
        return [Change({choice.dotted: shape * new}, self._text(choice, shape * new), size)]

    def _bisected(self, choice: Choice, shape: Any, infeasible: float, feasible: float) -> float:
        """Return the feasible value next to the infeasible ones, to three digits."""
        step_h = self.scenario.horizon.step_h
        while abs(feasible - infeasible) > SEARCH_TOLERANCE * max(choice.level, feasible):
            middle = (infeasible + feasible) / 2
            if choice.unit == "h":
                middle = round(middle / step_h) * step_h
            middle = float(f"{middle:.3g}")
            between = min(infeasible, feasible) < middle < max(infeasible, feasible)
            if self.budget.is_spent or not between:
                break
            if self.possible({choice.dotted: shape * middle}):
                feasible = middle
            else:
                infeasible = middle
        return feasible

    def _text(self, choice: Choice, new: Any) -> Message:
        """Return a change as text: of a series by the times of its changes."""
        old, path, horizon = choice.value, choice.dotted, self.scenario.horizon
        if not choice.is_series:
            if not choice.given:
                form = MORE if new > old else LESS
                return Message(form, path=path, value=new, old=old)
            if new > old:
                return Message("{path} ≥ {value:g} (is {old:g})", path=path, value=new, old=old)
            return Message("{path} ≤ {value:g} (is {old:g})", path=path, value=new, old=old)
        parts: list[Message] = []
        for sign, form in ((1, ABOVE), (-1, BELOW)):
            changed = np.flatnonzero(sign * (new - old) > MIN_EFFECT) + 1
            for first, last in spans(changed.tolist()):
                steps, when = range(first, last + 1), time_span(horizon, first, last)
                value, before = value_text(new, steps), value_text(old, steps)
                parts.append(Message(form, value=value, when=when, old=before))
        more, parts = len(parts) - MAX_SPANS, parts[:MAX_SPANS]
        if more > 0:
            parts[-1] = Message("{sentence} and {more} more", sentence=parts[-1], more=more)
        return Message("{name} {sentence}", name=path, sentence=MessageList(", ", parts))


def _is_money(name: str) -> bool:
    return "CNY" in (unit(name) or "")


def _round(value: Any, slack: Array, digits: int) -> Any:
    """Round what has changed away from its old value: 99.99999 becomes 100."""
    largest = float(np.max(np.abs(value))) or 1.0
    grain = 10.0 ** (np.floor(np.log10(largest)) + 1 - digits)
    away = np.where(slack > 0, np.ceil(value / grain - 0.01), np.floor(value / grain + 0.01))
    rounded = np.where(slack != 0, np.maximum(away, 0.0) * grain, value)
    rounded = np.round(rounded, 10)
    return rounded if isinstance(value, np.ndarray) else float(rounded[0])
