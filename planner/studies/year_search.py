"""The search for the plan of a year and its bound, by windows.

1. Rules over the horizon: long windows offer plans at some prices of the rules, which settle where
   the offers keep the rules together.
2. Prices: long windows that overlap with their neighbours give the prices of their own rows.
3. Bounds: short windows are searched with their seams priced. The sum is a bound of the year
   whatever the prices are, and the states found are those of a first plan.
4. Plan: one LP of the year with the integers fixed.
5. Refinement: where the plan costs most above the bounds, two windows become one with a bound of
   its own, and are planned anew between their neighbours, until the gap is reached or nothing gains.

Every stage waits for all of its windows and takes them in order, so that a plan does not depend on
the number of workers, nor on when a run was interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from planner.scenario.scenario_file import SolverSettings
from planner.solver.highs import LP_ITERATIONS
from planner.solver.program import NO_INDICES, NO_STEP, Duals, Indices, Program
from planner.solver.rule_prices import RulePrices
from planner.solver.scaling import rescaled
from planner.solver.session import Session
from planner.solver.state_schedule import StateSchedule
from planner.solver.window_solutions import relaxed_value
from planner.solver.windows import WindowProgram, Windows
from planner.studies.year_task import WindowResult, WindowTask
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array

OVERLAP_H = 24.0  # of the windows that give prices, on both sides
FIRST_SHARE = 0.4  # of the gap that windows may have at first
FINER = 0.4  # of the gap of a window searched further
LEAST_GAP = 1e-6
LONGER = 2.8  # times the length of the windows that are bounded: those that give prices
LEAST_PROGRESS = 0.02  # of the gap, by which a refinement has to narrow it
ROUNDING_CNY = 1e-6
SAME = 1e-8  # of a window's cost: plans whose costs differ by less earn the same
WORST = 0.7  # of the excess over the bounds, which the windows refined at once hold
MOST_OFFERS = 8  # rounds
SPREAD = 1.0, 0.6, 1.5  # of the prices of rules that offers are asked for
SETTLED = 1e-5  # of the costs: what more offers could gain
LEAST_WINDOW = 0.4  # of the length of a window: a shorter rest joins the window before

Solve = Callable[[Iterator[WindowTask], int], Mapping[int, WindowResult]]
"""Works on a number of tasks, which are made as they are needed; returns the results by window.

Where the run was stopped, those of unfinished windows are missing.
"""


def cut(horizon: Horizon, window_h: float) -> list[Window]:
    """Cut a horizon into windows of about a length, at midnights and within months.

    Where a month is shorter than a day or two windows, at any step.
    """
    windows: list[Window] = []
    for steps in horizon.months.values():
        first, last = steps[0], steps[-1]
        count = max(1, round((last - first + 1) * horizon.step_h / window_h))
        midnights = np.array([day[0] for day in horizon.days if first < day[0] <= last], dtype=int)
        wanted = first + (last - first + 1) * np.arange(1, count) / count
        if midnights.size:
            wanted = midnights[np.abs(midnights[:, None] - wanted).argmin(axis=0)]
        starts = np.unique(np.append(first, wanted.astype(int)))
        windows += map(Window, starts.tolist(), [*(starts[1:] - 1).tolist(), last])
    least = LEAST_WINDOW * window_h / horizon.step_h
    merged: list[Window] = []
    for window in windows:
        if merged and min(len(window), len(merged[-1])) < least:
            window = Window(merged.pop().first, window.last)
        merged.append(window)
    return merged


@dataclass
class YearPlan:
    """The best plan so far: a point of the program, its value, and the duals of its LP."""

    x: Array
    value: float
    duals: Duals


class YearSearch:
    """The search over a program without running totals.

    cuts: the windows that are bounded. prices: of all rows. bounds: of each window, and `gaps`
    within which it was searched. points: the best known point of each window's own columns, joined
    to one of the program.
    """

    def __init__(self, program: Program, window_h: float, gap: float, solve: Solve) -> None:
        self.program, self.gap = program, gap
        horizon = program.scenario.horizon
        self.cuts, self._long = cut(horizon, window_h), cut(horizon, LONGER * window_h)
        self.windows = Windows(program)
        self.prices = np.zeros(len(program.row_lower))
        self.bounds = np.full(len(self.cuts), -np.inf)
        self.gaps = np.full(len(self.cuts), max(FIRST_SHARE * gap, LEAST_GAP))
        self.points = np.zeros(len(program.cost))
        self.plan: YearPlan | None = None
        self._solve, self._settings = solve, program.scenario.solver
        self._lp = PlanProgram(program)

    @property
    def bound(self) -> float:
        """The proven bound of the cost; -inf before every window has one."""
        return float(self.windows.constant(self.prices) + self.bounds.sum())

    def excess(self, x: Array) -> Array:
        """Return by how much the cost of each window at a point may exceed the least, CNY."""
        parts = (self.windows.priced(window, self.prices) for window in self.cuts)
        costs = np.array([part.program.objective(x[part.columns]) for part in parts])
        return np.asarray(costs - self.bounds)

    def find_prices(self) -> None:
        """Find the prices of all rows but rules, from windows that overlap."""
        prices = self.prices.copy()
        for window, result in self._work("prices", self._long, self._wide):
            part = self._wide(window)
            own = self.windows.rows_of(window)[part.rows]
            prices[part.rows[own]] = result.arrays["rows"][own]
            own = self.windows.columns_of(window)[part.columns]
            self.points[part.columns[own]] = result.arrays["x"][own]
        self.prices = self.windows.affordable(prices)

    def price_rules(self) -> None:
        """Find the prices of the rules over the horizon, at which windows keep them together."""
        rules, program = self.windows.rules, self.program
        of_rules = sparse.csr_array(program.matrix)[rules]
        master = RulePrices(len(self._long), program.row_lower[rules], program.row_upper[rules])
        self.prices[rules], prices = 0.0, np.zeros((1, len(rules)))
        for _ in range(MOST_OFFERS):
            before, asked = master.value, partial(_asked, of_rules, prices)
            for window, result in self._work("rules", self._long, self._wide, arrays=asked):
                part = self._wide(window)
                inside = self.windows.columns_of(window)[part.columns]
                own = part.columns[inside]
                for x in result.arrays["x"].reshape(-1, len(part.columns)):
                    cost, added = program.cost[own] @ x[inside], of_rules[:, own] @ x[inside]
                    master.offer(self._long.index(window), float(cost), added)
            self.prices[rules] = master.price()
            prices = np.array([share * self.prices[rules] for share in SPREAD])
            if before - master.value <= SETTLED * abs(master.value) or not prices.any():
                break

    def bound_windows(self, windows: Sequence[Window]) -> None:
        """Search windows with their seams priced, each within its gap."""

        def settings(window: Window) -> SolverSettings:
            gap = float(self.gaps[self.cuts.index(window)])
            return self._settings.model_copy(update={"gap": gap})

        for window, result in self._work("bounds", windows, self._alone, settings):
            part, n = self._alone(window), self.cuts.index(window)
            self.bounds[n] = max(self.bounds[n], result.figures["bound"])
            own = part.own_columns
            self.points[part.columns[own]] = result.arrays["x"][own]

    def bound_rest(self) -> None:
        """Bound the windows that have no bound yet by their relaxation."""
        for n in np.flatnonzero(np.isinf(self.bounds)).tolist():
            part = self._alone(self.cuts[n])
            self.bounds[n] = relaxed_value(part.program, self._settings)

    def tidy(self) -> None:
        """Choose the tidiest of the plans that earn the same, window by window."""
        assert self.plan is not None
        integer = self.program.integer.copy()
        integer[self.program.switches] = False
        held = integer | (self.program.column_steps == NO_STEP)
        for parity in range(2):
            x = self.plan.x

            def between(window: Window, x: Array = x) -> WindowProgram:
                part = self.windows.between(window, x)
                fixed = held[part.columns]
                point = x[part.columns][fixed]
                return replace(part, program=part.program.with_bounds(fixed, point, point))

            tidied = x.copy()
            for window, result in self._work("tidying", self.cuts[parity::2], between):
                part = between(window)
                own = part.own_columns
                least = part.program.objective(x[part.columns])
                if result.figures["value"] <= least + SAME * max(abs(least), 1.0):
                    tidied[part.columns[own]] = result.arrays["x"][own]
            value = self.program.objective(tidied)
            self.plan = replace(self.plan, x=tidied, value=value)

    def plan_year(self) -> bool:
        """Plan the year with the integers of the windows; return whether it is the best so far."""
        plan = self._lp.best(self.points, self.windows.rules)
        if plan is None or (self.plan is not None and plan.value >= self.plan.value):
            return False
        self.plan = plan
        return True

    def is_proven(self) -> bool:
        """Return whether the best plan is within the gap."""
        if self.plan is None:
            return False
        allowed = self.gap * self.program.turnover(self.plan.x)
        return self.plan.value - self.bound <= allowed + ROUNDING_CNY

    def refine(self) -> bool:
        """Narrow the gap where it is widest; return whether that gained."""
        assert self.plan is not None
        before = self.plan.value - self.bound
        merged = self._merge_worst()
        self.points = self.plan.x.copy()
        self.bound_windows(merged)
        self.plan_year()
        if not self.is_proven():
            self._replan(merged)
        return before - (self.plan.value - self.bound) > LEAST_PROGRESS * before

    def _merge_worst(self) -> list[Window]:
        """Make one window of two neighbours where the plan costs most above their bounds."""
        assert self.plan is not None
        excess = self.excess(self.plan.x)
        of_pairs, left = excess[:-1] + excess[1:], WORST * excess.sum()
        taken: set[int] = set()
        for n in np.argsort(-of_pairs, kind="stable").tolist():
            if left <= 0:
                break
            if not {n, n + 1} & taken and not {n - 1, n + 2} & taken:
                taken |= {n, n + 1}
                left -= of_pairs[n]
        firsts = [n for n in sorted(taken) if n + 1 in taken and n - 1 not in taken]
        merged = []
        for n in reversed(firsts):
            window = Window(self.cuts[n].first, self.cuts[n + 1].last)
            self.cuts[n : n + 2] = [window]
            gap = max(FINER * min(self.gaps[n : n + 2]), LEAST_GAP)
            self.bounds = np.insert(
                np.delete(self.bounds, [n, n + 1]), n, self.bounds[n : n + 2].sum()
            )
            self.gaps = np.insert(np.delete(self.gaps, [n, n + 1]), n, gap)
            merged.append(window)
        return merged[::-1]

    def _replan(self, windows: Sequence[Window]) -> None:
        """Plan windows anew, a day longer on both sides, at the plan's prices of the rules.

        No two of them are neighbours.
        """
        assert self.plan is not None
        x, prices = self.plan.x, self.plan.duals.rows

        def between(window: Window) -> WindowProgram:
            return self.windows.between(self._around(window), x, prices)

        gap = max(FINER * FIRST_SHARE * self.gap, LEAST_GAP)
        finer = self._settings.model_copy(update={"gap": gap})
        self.points = x.copy()
        for window, result in self._work("refinement", windows, between, lambda _: finer):
            part = between(window)
            own = part.own_columns
            self.points[part.columns[own]] = result.arrays["x"][own]
        self.plan_year()

    def _around(self, window: Window) -> Window:
        """Return a window with a day more on both sides."""
        overlap = round(OVERLAP_H / self.program.scenario.horizon.step_h)
        whole = self.program.window
        return Window(
            max(window.first - overlap, whole.first), min(window.last + overlap, whole.last)
        )

    def _wide(self, window: Window) -> WindowProgram:
        return self.windows.priced(self._around(window), self.prices)

    def _alone(self, window: Window) -> WindowProgram:
        return self.windows.priced(window, self.prices)

    def _work(
        self,
        work: str,
        windows: Sequence[Window],
        part_of: Callable[[Window], WindowProgram],
        settings: Callable[[Window], SolverSettings] | None = None,
        arrays: Callable[[WindowProgram], Mapping[str, Any]] = lambda _: {},
    ) -> Iterator[tuple[Window, WindowResult]]:
        """Yield windows with the results of some work on them."""

        def task(numbered: tuple[int, Window]) -> WindowTask:
            number, window = numbered
            part = part_of(window)
            chosen = self._settings if settings is None else settings(window)
            return WindowTask(work, number, window, part.program, chosen, arrays(part))

        results = self._solve(map(task, enumerate(windows)), len(windows))
        return ((windows[number], results[number]) for number in sorted(results))


def _asked(of_rules: Any, prices: Array, part: WindowProgram) -> Mapping[str, Any]:
    """Return what a window that is asked for offers needs to know of rules."""
    return {"rules": of_rules[:, part.columns], "prices": prices}


class PlanProgram:
    """The LP of a whole program with its integers fixed, solved again and again."""

    def __init__(self, program: Program) -> None:
        self._solved = rescaled(program)
        self._session: Session | None = None

    def best(self, points: Array, rules: Indices = NO_INDICES) -> YearPlan | None:
        """Return the best plan with the integers of a point, made to fit together; None if none.

        Directions are fixed only where flows overlap.

        Raises:
            KeyboardInterrupt: Ctrl-C.
        """
        solved, program = self._solved, self._solved.program
        wanted = points / solved.columns
        if self._session is None:
            settings = program.scenario.solver
            self._session = Session(program, threads=settings.threads, seed=settings.seed)
            self._schedule = StateSchedule(program, program.states, self._session)
        fixed = self._integers(wanted)
        if fixed is None:
            return None
        columns, values = fixed
        session, held = self._session, np.zeros(len(program.switches), dtype=bool)
        lower, upper = program.column_lower.copy(), program.column_upper.copy()
        lower[columns] = upper[columns] = values
        session.bounds(np.arange(len(lower)), lower, upper)
        if not session.iterations and rules.size:  # an LP without its dense rows is a good start
            free = program.with_row_bounds(rules, -np.inf, np.inf)
            session.row_bounds(free.row_lower, free.row_upper)
            session.run(iterations=LP_ITERATIONS)
            session.row_bounds(program.row_lower, program.row_upper)
        while True:
            session.bounds(np.arange(len(lower)), lower, upper)
            result = session.run(iterations=LP_ITERATIONS)
            if session.spent.stopped:
                raise KeyboardInterrupt
            if result.x is None or result.status != "optimal":
                return None
            x, overlapping = result.x, program.overlaps(result.x) & ~held
            if not overlapping.any():
                break
            held |= overlapping
            switches = program.switches[held]
            lower[switches] = upper[switches] = program.directions(x)[held]
        duals = session.duals()
        if duals is None:
            return None
        duals.fixed[columns] = duals.fixed[program.switches[held]] = True
        x[program.switches] = program.directions(x)
        whole = solved.duals(replace(duals, x=x))
        return YearPlan(whole.x, program.objective(x) / solved.original.units.money, whole)

    def _integers(self, wanted: Array) -> tuple[Indices, Array] | None:
        """Return the integer columns to fix and their values; None where states do not fit."""
        program, schedule = self._solved.program, self._schedule
        bounds = program.column_lower, program.column_upper
        states = np.array([np.where(index >= 0, wanted[index], 0.0) for index in program.states])
        columns, values = [NO_INDICES], [np.zeros(0)]
        if program.states:
            nearest = schedule.nearest(np.round(states), 0.5, *bounds)
            if nearest is None:
                return None
            for index, on in zip(program.states, nearest, strict=True):
                columns.append(index[index >= 0])
                values.append(on[index >= 0])
        others = program.integer & ~schedule.committed
        others[program.switches] = False
        columns.append(np.flatnonzero(others))
        values.append(np.round(wanted[others]))
        return np.concatenate(columns), np.concatenate(values)
