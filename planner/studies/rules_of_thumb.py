"""Rules of thumb: how a site is run step by step, without a look ahead.

In every step the goals of a rule are reached one after the other, each as far as it can be without
giving up the ones before it:

    all              what is fined outside the services: shed load, missing reserve, least of it
    grid_first       1. the money for renewable energy sold to the grid   2. the money of services
                     and jobs   3. the profit of the step
    compute_first    1. the money of services and jobs   2. the profit of the step
    tariff_battery   as compute_first; between 1 and 2 the battery charges, or discharges, as
                     much as it can

Batteries are idle in the first two. In the third a battery charges in steps of the valley, in which
the import price is in the lowest third of the span between the least and the highest price of the
local day, discharges in steps of its highest third, and is idle in between and on days of one
price. It does not discharge below what it must hold at the end of the horizon, and keeps its
cycles and the reserve. Whatever the rule, it charges in the very last step what its ending lacks.

A coal unit that is on stays on until an outage, or until an ending asks for it to be off. One that
is off starts when it may and one of the goals gains by it (the cost of the start is none of the
goals but the last). Power follows the goals. Jobs start in the first step in which the goals gain.
Batch work is taken on when it arrives, whether or not it can be answered in time, and answered
first come, first served.

A grid that decides a declaration declares the exchange of the same hour of the day before, nothing
on the first day.

Rules of a whole horizon (endings, least shares, green rules, budgets: `end_rows`) are seen in the
last step only; every other row holds in every step. Where no step keeps to the rule of thumb, it
gives way to the most profitable step. Where the last step cannot keep the rules of the horizon, it
keeps those that it can, one after the other; where a step is not possible at all, rows give way by
as little as can be. What is broken then is named when the schedule is settled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from planner.components.component import POOLED
from planner.components.grid.exchange_limits import exchange_of
from planner.components.terms import Storage
from planner.errors import Problem, ScenarioError, did_you_mean
from planner.plan.plan import Plan
from planner.scenario.scenario import Scenario
from planner.solver.compiler import compile_program
from planner.solver.highs import Session
from planner.solver.model import assemble
from planner.solver.pinning import Pinned
from planner.solver.program import Indices, Program
from planner.solver.rounds import directions
from planner.studies.chain import Chain, Cut, KeptSteps, run, step_by_step
from planner.studies.dispatch import end_rows, least_broken
from planner.studies.settle import settle
from planner.timeseries.horizon import Window
from planner.timeseries.schedule import columns_of, without_counters
from planner.timeseries.series import Array

WHOLE = 1e-6  # relative: how far a relaxed solution may miss integers and directions
HELD = 1e-9  # of its size: what a goal may lose to the next ones


def reach(program: Program, goals: list[Array]) -> Array | None:
    """Minimise goals one after the other; None where the program has no point."""
    x: Array | None = None
    for goal in goals:
        if x is not None and not goal.any():
            continue
        found = _least(replace(program, cost=goal, offset=0.0))
        if found is None:
            return x
        x = found
        most = float(goal @ x)
        program = program.with_rows(goal[None, :], -np.inf, most + HELD * max(1.0, abs(most)))
    return x


def _least(program: Program) -> Array | None:
    """Return where a program has its minimum; integers only where the relaxation misses some."""
    limit = program.scenario.solver.time_limit_s
    session = Session(program, threads=1, seed=0)
    x = session.run(time_limit_s=limit).x
    if x is not None:
        x[program.switches] = directions(program, x)
    if x is not None and program.violation(x) > WHOLE:
        session.integrality(program.integer)
        x = session.run(time_limit_s=limit).x
    if session.stopped:
        raise KeyboardInterrupt
    return x


RULES = {
    "grid_first": "sell renewable energy to the grid, compute gets the rest; battery idle",
    "compute_first": "tokens first with whatever supply, the rest is sold; battery idle",
    "tariff_battery": "as compute_first; battery charges in the valley, discharges at the peak",
}
THIRD = 1 / 3 + 1e-9


def rule_of_thumb(scenario: Scenario, rule: str) -> Plan:
    """Run a scenario by a rule of thumb, one of `RULES`, and settle it.

    Returns:
        The settled plan; `summary["breaches"]` holds the rules of the scenario that it breaks.

    Raises:
        ScenarioError: there is no such rule.
        NoPlanError: the time limit struck.
        PlanError: the settled plan fails its audit although it breaks no rule.
    """
    if rule not in RULES:
        text = f"must be one of {', '.join(RULES)}, is {rule!r}{did_you_mean(rule, RULES)}"
        raise ScenarioError([Problem(text, path="rule")])
    whole = Cut(scenario.horizon.window, scenario.horizon.window)
    rows = thumb_steps(scenario, rule, whole, pd.DataFrame(), lambda state, _: state)
    return settle(scenario, without_counters(rows, scenario.components)).plan


def thumb_steps(
    state: Scenario,
    rule: str,
    cut: Cut,
    recent: pd.DataFrame,
    known: Callable[[Scenario, int], Scenario],
) -> pd.DataFrame:
    """Return the rows of the steps kept of a window, run one by one by a rule of thumb.

    Args:
        state: the scenario before them.
        rule: one of `RULES`.
        cut: the window; nothing of what comes after a step is seen.
        recent: the rows of the day before it, as far as there are any.
        known: the scenario as it is known in a step.
    """

    def policy(state: Scenario, cut: Cut, recent: pd.DataFrame) -> KeptSteps:
        t = cut.kept.first
        return KeptSteps(thumb_step(known(state, t), rule, t, recent))

    steps = Chain(rule, state, step_by_step(cut), policy, recent=recent)
    run([steps])
    return steps.schedule


def thumb_step(state: Scenario, rule: str, t: int, past: pd.DataFrame) -> pd.DataFrame:
    """Return the row of a step by a rule of thumb.

    Args:
        state: the scenario before the step.
        rule: one of `RULES`.
        t: the step.
        past: the rows before it, those of the last 24 hours at least.
    """
    model = assemble(state, Window(t, t))
    program = compile_program(model)
    whole = _Step(state, rule, t, replace(program, integer=program.all_integer))
    ends = end_rows(whole.program)
    ways = [whole.without(ends)]
    if t == state.horizon.steps and ends.size:
        ways = [whole, *ways]
    for step in ways:
        if step is not whole and len(ways) > 1:
            step = step.with_possible(ends, whole.program, past)
        x = reach(step.ruled(past), list(step.goals()))
        if x is None:
            x = reach(step.program, [step.program.cost])
        if x is not None:
            return step.program.schedule_at(x)
    return least_broken(model, Pinned(ways[-1].program, ()))


@dataclass(frozen=True)
class _Step:
    """A step to be run by a rule."""

    state: Scenario
    rule: str
    t: int
    program: Program

    def without(self, rows: Indices) -> _Step:
        """Return the step with some rows free."""
        lower, upper = self.program.row_lower.copy(), self.program.row_upper.copy()
        lower[rows], upper[rows] = -np.inf, np.inf
        return replace(self, program=replace(self.program, row_lower=lower, row_upper=upper))

    def with_possible(self, rows: Indices, whole: Program, past: pd.DataFrame) -> _Step:
        """Return the step with those of the rows held, one by one, that the rule can keep."""
        step = self
        for row in rows:
            lower, upper = step.program.row_lower.copy(), step.program.row_upper.copy()
            lower[row], upper[row] = whole.row_lower[row], whole.row_upper[row]
            held = replace(step.program, row_lower=lower, row_upper=upper)
            trial = replace(step, program=held)
            if reach(trial.ruled(past), [self._none()]) is not None:
                step = trial
        return step

    def goals(self) -> Iterator[Array]:
        """Yield what is minimised, one after the other."""
        costs = [c for c in self.program.costs.values() if not c.reported]
        token = {c.component for c in costs if c.line.use == "compute"}
        renewable = self.state.site().origin("renewable")
        yield self._money(lambda c: not c.line.cash and c.component not in token)
        if self.rule == "grid_first":
            yield self._money(lambda c: c.line.use == "export" and c.line.origin == renewable)
        yield self._money(lambda c: c.component in token)
        for name, store in self._stores().items():
            way = self._way(store.battery.node) if store.battery is not None else 0
            if way:
                quantity = "charge_mw" if way > 0 else "discharge_mw"
                yield -self._sum(name, quantity)
        yield self._refused()
        yield self.program.cost

    def _refused(self) -> Array:
        """Return the work that is refused."""
        weights = self._none()
        for name in self.state.components:
            weights[self._at(f"{name}.refused_mtok_per_h")] = 1.0
        return weights

    def _money(self, wanted: Callable[[Any], bool]) -> Array:
        """Return the cost of the step's ledger rows that are wanted."""
        rows = [
            i
            for i, c in self.program.costs.items()
            if not c.reported and c.period == self.t and wanted(c)
        ]
        return np.asarray(self.program.reports[rows].sum(axis=0)).ravel() if rows else self._none()

    def ruled(self, past: pd.DataFrame) -> Program:
        """Return the program with what the rule decides held."""
        program = self.program
        lower, upper = program.column_lower.copy(), program.column_upper.copy()
        last = self.t == program.scenario.horizon.steps
        for name, component in self.state.components.items():
            for state in component.stays(last=last):
                for i in self._at(f"{name}.{state}"):
                    lower[i] = upper[i]  # 0 in an outage
            if component.connection() is not None and component.here_and_now():
                exchange = self._day_before(name, past)
                for quantity, mw in (
                    ("declared_import_mw", exchange),
                    ("declared_export_mw", -exchange),
                ):
                    for i in self._at(f"{name}.{quantity}"):
                        lower[i] = upper[i] = min(max(mw, 0.0), upper[i])
        program = replace(program, column_lower=lower, column_upper=upper)
        for name, store in self._stores().items():
            program = self._battery(name, store, program)
        return program

    def _battery(self, name: str, store: Storage, program: Program) -> Program:
        battery, step_h = store.battery, self.state.horizon.step_h
        assert battery is not None
        way = self._way(battery.node)
        held = store.start_mwh[POOLED[0]] * (1 - battery.leak_per_h) ** step_h
        level = battery.min_end_mwh
        into, out = (self._sum(name, f"{way}_mw")[None, :] for way in ("charge", "discharge"))
        if self.t == self.state.horizon.steps and held < level:
            lacks = (level - held) / (step_h * battery.charge_efficiency)
            program = program.with_rows(into, 0.0, lacks * (1 + HELD))
            return program.with_rows(out, 0.0, 0.0)
        if way <= 0:
            program = program.with_rows(into, 0.0, 0.0)
        spare = max(held - max(level, store.least_mwh), 0.0)
        most = spare * battery.discharge_efficiency / step_h if way < 0 else 0.0
        return program.with_rows(out, 0.0, most)

    def _way(self, node: str) -> int:
        """Return 1 where a battery at a node charges, -1 where it discharges, 0 where it rests."""
        declared = [part.connection() for part in self.state.components.values()]
        markets = [market for market in declared if market is not None]
        if self.rule != "tariff_battery" or not markets:
            return 0
        near = [market for market in markets if market.node == node] or markets
        price = np.min([market.import_price_cny_per_mwh for market in near], axis=0)
        today = next(day for day in self.state.horizon.days if self.t in day)
        prices, now = price[np.array(today) - 1], price[self.t - 1]
        low, high = prices.min(), prices.max()
        if high <= low:
            return 0
        place = (now - low) / (high - low)
        return 1 if place <= THIRD else -1 if 1 - place <= THIRD else 0

    def _day_before(self, name: str, past: pd.DataFrame) -> float:
        """Return import less export in the same hour of the day before, 0 on the first day."""
        starts = self.state.horizon.starts
        then = starts[self.t - 1] - pd.Timedelta(hours=24)
        if then < starts[0]:
            return 0.0
        return float(exchange_of(columns_of(past.loc[[then]], name))[0])

    def _stores(self) -> dict[str, Storage]:
        """Return the stores that give power back, by component."""
        declared = {name: part.storage() for name, part in self.state.components.items()}
        return {name: store for name, store in declared.items() if store and store.battery}

    def _none(self) -> Array:
        return np.zeros(len(self.program.cost))

    def _at(self, column: str) -> list[int]:
        """Return where the program holds a column of the schedule, if it does."""
        index, _ = self.program.schedule.get(column, (np.array([-1]), None))
        return [int(i) for i in index if i >= 0]

    def _sum(self, name: str, quantity: str) -> Array:
        weights = self._none()
        for origin in self.state.site().origins:
            weights[self._at(f"{name}.{quantity}[{origin}]")] = 1.0
        return weights
