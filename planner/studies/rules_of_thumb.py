"""Rules of thumb: the operation of a site step by step, without lookahead.

In every step the goals of a rule are optimised in lexicographic order:

    all              least penalties outside the services: shed load, missing reserve
    grid_first       1. the revenue of renewable energy sold to the grid   2. the money of services
                     and jobs   3. the profit of the step
    compute_first    1. the money of services and jobs   2. the profit of the step
    tariff_battery   as compute_first; between 1 and 2 the battery charges, or discharges, as
                     much as it can

Batteries are idle under the first two. Under the third a battery charges in the valley, the steps
with an import price in the lowest third of the day's price range, discharges at the peak, the steps
in the highest third, and is idle in between and on days of one price. It does not discharge below
the energy required at the end of the horizon, and respects its cycles and the reserve. Under every
rule it charges in the last step what its ending lacks.

A coal unit that is on stays on until an outage, or until its ending requires it to be off. One that
is off starts when it may and a goal improves (the start cost is part of the last goal only). Power
follows the goals. Jobs start in the first step in which a goal improves. Batch work is accepted on
arrival, whether or not it can be answered in time, and answered first come, first served.

A grid that decides a declaration declares the exchange of the same hour of the day before, nothing
on the first day.

Rules over the horizon (endings, minimum shares, green rules, budgets: `end_rows`) apply in the last
step only; every other row in every step. Where no dispatch of a step follows the rule of thumb, the
most profitable one is taken. Where the last step cannot keep the rules over the horizon, it keeps
those that it can, one after the other; where a step has no dispatch at all, rows are relaxed by as
little as possible. Settlement reports the breaches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from planner.components.component import POOLED
from planner.components.grid.exchange_limits import exchange_of
from planner.components.terms import PowerStore, Storage
from planner.errors import did_you_mean, wrong
from planner.message import Message
from planner.plan.plan import Plan
from planner.scenario.scenario import Scenario, ScenarioLike, scenario_of
from planner.solver.compiler import program_of
from planner.solver.model import Cost
from planner.solver.pinning import pin
from planner.solver.program import Indices, Program
from planner.solver.scaling import plain_factor, rescaled
from planner.solver.session import Session
from planner.studies.chain import Chain, Cut, ExecutedSteps, run, step_by_step
from planner.studies.dispatch import least_broken
from planner.studies.settle import settle_executed
from planner.studies.to_plan import Out, publish
from planner.timeseries.horizon import Window
from planner.timeseries.schedule import columns_of
from planner.timeseries.series import Array

RELAXATION_TOLERANCE = 1e-6  # relative: of integers and directions in a relaxed solution
GOAL_TOLERANCE = 1e-9  # of its size: what a goal may lose to the next ones


def reach(program: Program, goals: list[Array]) -> Array | None:
    """Minimise goals in lexicographic order; None where the program is infeasible."""
    x: Array | None = None
    for goal in goals:
        if x is not None and not goal.any():
            continue
        optimum = _minimum(replace(program, cost=goal, offset=0.0))
        if optimum is None:
            return x
        x = optimum
        least = float(goal @ x)
        limit = least + GOAL_TOLERANCE * max(1.0, abs(least))
        factor = plain_factor(goal)
        program = program.with_rows(factor * goal[None, :], -np.inf, factor * limit)
    return x


def _minimum(program: Program) -> Array | None:
    """Return the optimal point; integers are enforced only where the relaxation misses some."""
    limit = program.scenario.solver.time_limit_s
    solved = rescaled(program)
    session = Session(solved.program)
    x = session.run(time_limit_s=limit).x
    if x is not None:
        x[program.switches] = solved.program.directions(x)
        if solved.program.violation(x) > RELAXATION_TOLERANCE:
            session.integrality(program.integer)
            x = session.run(time_limit_s=limit).x
    if session.spent.stopped:
        raise KeyboardInterrupt
    return x if x is None else solved.point(x)


RULES = ("grid_first", "compute_first", "tariff_battery")
THIRD = 1 / 3 + 1e-9


def rule_of_thumb(scenario: ScenarioLike, rule: str, out: Out = None) -> Plan:
    """Operate a scenario under a rule of thumb, one of `RULES`, settle it and write it to `out`.

    Returns:
        The settled plan; `summary["breaches"]` holds the rules of the scenario that it breaks.

    Raises:
        ScenarioError: there is no such rule.
        NoPlanError: the time limit struck.
        PlanError: the settled plan fails its audit although it breaks no rule.
    """
    scenario = scenario_of(scenario)
    if rule not in RULES:
        raise wrong("rule", Message(
            "must be one of {names}, is {value!r}{hint}",
            names=", ".join(RULES), value=rule, hint=did_you_mean(rule, RULES),
        ))  # fmt: skip
    whole = Cut(scenario.horizon.window, scenario.horizon.window)
    rows = thumb_steps(scenario, rule, whole, pd.DataFrame(), lambda state, _: state)
    plan = settle_executed(scenario, rows).plan
    publish(plan, out)
    return plan


def thumb_steps(
    state: Scenario,
    rule: str,
    cut: Cut,
    recent: pd.DataFrame,
    known: Callable[[Scenario, int], Scenario],
) -> pd.DataFrame:
    """Return the rows of the executed steps of a window under a rule of thumb, one by one.

    Args:
        state: the scenario before them.
        rule: one of `RULES`.
        cut: the window.
        recent: the rows of the day before it, as far as there are any.
        known: returns the scenario with what is known in a step.
    """

    def policy(state: Scenario, cut: Cut, recent: pd.DataFrame) -> ExecutedSteps:
        t = cut.executed.first
        return ExecutedSteps(thumb_step(known(state, t), rule, t, recent))

    steps = Chain(rule, state, step_by_step(cut), policy, recent=recent)
    run([steps])
    return steps.schedule


def thumb_step(state: Scenario, rule: str, t: int, past: pd.DataFrame) -> pd.DataFrame:
    """Return the row of step `t` under a rule of thumb, after the rows of the day before it."""
    program = program_of(state, Window(t, t))
    whole = _Step(rule, past, replace(program, integer=program.all_integer))
    ends = program.end_rows
    step = replace(whole, program=whole.program.with_row_bounds(ends, -np.inf, np.inf))
    if whole.is_last and ends.size:
        row = whole.operated()
        if row is None:
            row = step.with_possible(ends, program).operated()
    else:
        row = step.operated()
    nothing = pd.DataFrame(index=program.times)
    return least_broken(pin(step.program, nothing)) if row is None else row


@dataclass(frozen=True)
class _Step:
    """A step to be operated under a rule of thumb, after the rows of the `past`."""

    rule: str
    past: pd.DataFrame
    program: Program

    @property
    def state(self) -> Scenario:
        """The scenario before the step."""
        return self.program.scenario

    @property
    def t(self) -> int:
        """The number of the step."""
        return self.program.window.first

    @property
    def is_last(self) -> bool:
        """Whether the horizon ends with the step."""
        return self.t == self.state.horizon.steps

    def operated(self) -> pd.DataFrame | None:
        """Return the row of the step under the rule, else the most profitable; None if none is."""
        x = reach(self.ruled(), list(self.goals()))
        if x is None:
            x = reach(self.program, [self.program.cost])
        return None if x is None else self.program.schedule_at(x)

    def with_possible(self, rows: Indices, whole: Program) -> _Step:
        """Return the step with those of the rows, taken one by one, that the rule can keep."""
        step = self
        for row in rows:
            bounded = step.program.with_row_bounds(row, whole.row_lower[row], whole.row_upper[row])
            trial = replace(step, program=bounded)
            if reach(trial.ruled(), [self._sum()]) is not None:
                step = trial
        return step

    def goals(self) -> Iterator[Array]:
        """Yield the goals to minimise, in order."""
        costs = [c for c in self.program.costs if not c.reported]
        compute = {c.component for c in costs if c.line.use == "compute"}
        renewable = self.state.site().origin("renewable")
        yield self._money(lambda c: not c.line.cash and c.component not in compute)
        if self.rule == "grid_first":
            yield self._money(lambda c: c.line.use == "export" and c.line.origin == renewable)
        yield self._money(lambda c: c.component in compute)
        for name, (_, battery) in self._batteries().items():
            if direction := self._direction(battery.node):
                yield -self._flow(name, "charge" if direction > 0 else "discharge")
        yield self._sum(*(f"{name}.refused_mtok_per_h" for name in self.state.components))
        yield self.program.cost

    def _money(self, is_part: Callable[[Cost], bool]) -> Array:
        """Return the cost of the ledger rows of the step that are part of a goal."""
        rows = [
            row
            for cost in self.program.costs
            if not cost.reported and is_part(cost)
            for period, row in zip(cost.periods, cost.rows, strict=True)
            if period == self.t
        ]
        return np.asarray(self.program.reports[rows].sum(axis=0)).ravel()

    def ruled(self) -> Program:
        """Return the program with the decisions of the rule fixed."""
        lower, upper = self.program.column_lower.copy(), self.program.column_upper.copy()
        for name, component in self.state.components.items():
            for state in component.stays(last=self.is_last):
                at = self._at(f"{name}.{state}")
                lower[at] = upper[at]  # 0 in an outage
            if component.connection() is not None and component.here_and_now():
                import_mw = self._day_before(name)
                for direction, mw in (("import", import_mw), ("export", -import_mw)):
                    at = self._at(f"{name}.declared_{direction}_mw")
                    lower[at] = upper[at] = np.minimum(max(mw, 0.0), upper[at])
        program = self.program.with_bounds(slice(None), lower, upper)
        for name, (store, battery) in self._batteries().items():
            program = self._battery(name, store, battery, program)
        return program

    def _battery(self, name: str, store: Storage, battery: PowerStore, program: Program) -> Program:
        step_h, direction = self.state.horizon.step_h, self._direction(battery.node)
        stored = store.start_mwh[POOLED[0]] * (1 - battery.leak_per_h) ** step_h
        required = battery.min_end_mwh
        charge, discharge = (self._flow(name, flow)[None, :] for flow in ("charge", "discharge"))
        if self.is_last and stored < required:
            missing = (required - stored) / (step_h * battery.charge_efficiency)
            program = program.with_rows(charge, 0.0, missing * (1 + GOAL_TOLERANCE))
            return program.with_rows(discharge, 0.0, 0.0)
        if direction <= 0:
            program = program.with_rows(charge, 0.0, 0.0)
        spare = max(stored - max(required, store.least_mwh), 0.0)
        most = spare * battery.discharge_efficiency / step_h if direction < 0 else 0.0
        return program.with_rows(discharge, 0.0, most)

    def _direction(self, node: str) -> int:
        """Return 1 if a battery at a node charges, -1 if it discharges, 0 if it is idle."""
        connections = [part.connection() for part in self.state.components.values()]
        markets = [market for market in connections if market is not None]
        if self.rule != "tariff_battery" or not markets:
            return 0
        nearest = [market for market in markets if market.node == node] or markets
        price = np.min([market.import_price_cny_per_mwh for market in nearest], axis=0)
        today = next(day for day in self.state.horizon.days if self.t in day)
        prices = price[np.array(today) - 1]
        if not np.ptp(prices) > 0:
            return 0
        place = (price[self.t - 1] - prices.min()) / np.ptp(prices)
        return 1 if place <= THIRD else -1 if 1 - place <= THIRD else 0

    def _day_before(self, name: str) -> float:
        """Return import less export in the same hour of the day before, 0 on the first day."""
        horizon = self.state.horizon
        then = horizon.day_before(self.t - 1)
        if then < horizon.starts[0]:
            return 0.0
        return float(exchange_of(columns_of(self.past.loc[[then]], name))[0])

    def _batteries(self) -> dict[str, tuple[Storage, PowerStore]]:
        """Return the stores that return power, by component."""
        stores = {name: part.storage() for name, part in self.state.components.items()}
        return {
            name: (store, store.battery)
            for name, store in stores.items()
            if store and store.battery
        }

    def _at(self, column: str) -> Indices:
        """Return the program's columns of a schedule column; empty where it has none."""
        index, _ = self.program.schedule.get(column, (np.array([-1]), None))
        return index[index >= 0]

    def _sum(self, *columns: str) -> Array:
        """Return the weights of the sum of schedule columns, 0 without any."""
        weights = np.zeros(len(self.program.cost))
        for column in columns:
            weights[self._at(column)] = 1.0
        return weights

    def _flow(self, name: str, flow: str) -> Array:
        return self._sum(*(f"{name}.{flow}_mw[{origin}]" for origin in self.state.site().origins))
