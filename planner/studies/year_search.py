"""The search for the plan of a year and its bound, by windows.

1. Prices: windows that overlap with their neighbours give the prices of their own rows.
2. Rules over the horizon: windows offer plans at some prices of the rules; these settle where the
   offers keep the rules together. Then the prices of 1 are found once more, with the rules priced.
3. Bounds: each window is searched with its seams priced. The sum is a bound of the year whatever
   the prices are, and the states found are those of a first plan.
4. Plan: one LP of the year with the integers fixed.
5. Refinement: where a window's plan lies below its bound, the bound is searched further, and the
   window planned anew between its neighbours, until the gap is reached or nothing improves.

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
FINER = 0.25  # of the gap of a window searched further
LEAST_GAP = 1e-6
LEAST_PROGRESS = 0.02  # of the gap, by which a refinement has to narrow it
ROUNDING_CNY = 1e-6
SAME = 1e-8  # of a window's cost: plans whose costs differ by less earn the same
WORST = 1 / 3  # of the windows, that are refined at once
MOST_OFFERS = 8  # rounds
SPREAD = 1.0, 0.6, 1.5  # of the prices of rules that offers are asked for
SETTLED = 1e-5  # of the costs: what more offers could gain
LEAST_WINDOW = 0.4  # of the length of a window: a shorter rest joins the window before

Solve = Callable[[Iterator[WindowTask]], Mapping[int, WindowResult]]
"""Works on tasks, which are made as they are needed; returns the results by window.

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

    prices: of all rows. bounds: of each window, with `gaps`, within which it was searched.
    points: the best point of each window's own columns, joined to one of the program.
    """

    def __init__(self, program: Program, cuts: Sequence[Window], gap: float, solve: Solve) -> None:
        self.program, self.cuts, self.gap = program, list(cuts), gap
        self.windows = Windows(program)
        self.prices = np.zeros(len(program.row_lower))
        self.bounds, self.gaps = np.full(len(cuts), -np.inf), np.full(len(cuts), np.inf)
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
        for n, result in self._work("prices", range(len(self.cuts)), self._wide):
            part, window = self._wide(n), self.cuts[n]
            own = self.windows.rows_of(window)[part.rows]
            prices[part.rows[own]] = result.arrays["rows"][own]
            own = self.windows.columns_of(window)[part.columns]
            self.points[part.columns[own]] = result.arrays["x"][own]
        self.prices = self.windows.affordable(prices)

    def price_rules(self) -> None:
        """Find the prices of the rules over the horizon, at which windows keep them together."""
        rules, windows = self.windows.rules, len(self.cuts)
        of_rules = sparse.csr_array(self.program.matrix)[rules]
        lower, upper = self.program.row_lower[rules], self.program.row_upper[rules]
        self.prices[rules] = 0.0
        master, prices = RulePrices(windows, lower, upper), np.zeros((1, len(rules)))
        for _ in range(MOST_OFFERS):
            before = master.value
            asked = partial(_asked, of_rules, prices)
            for n, result in self._work("offers", range(windows), self._wide, arrays=asked):
                part = self._wide(n)
                own = part.columns[self.windows.columns_of(self.cuts[n])[part.columns]]
                inside = np.isin(part.columns, own)
                for x in result.arrays["x"].reshape(-1, len(part.columns)):
                    point = x[inside]
                    master.offer(n, float(self.program.cost[own] @ point), of_rules[:, own] @ point)
            if len({*master.window_of}) < windows:
                return  # stopped, or a window offers nothing: the rules stay unpriced
            found = master.price()
            if before - master.value <= SETTLED * abs(master.value):
                break
            prices = np.array([share * found for share in SPREAD])
            if not found.any():
                break
        self.prices[rules] = found

    def bound_windows(self, numbers: Sequence[int], gaps: Array) -> None:
        """Search windows with their seams priced, each within a gap of its turnover."""

        def settings(n: int) -> SolverSettings:
            return self._settings.model_copy(update={"gap": float(gaps[n])})

        for n, result in self._work("bound", numbers, self._alone, settings):
            part = self._alone(n)
            self.bounds[n] = max(self.bounds[n], result.figures["bound"])
            self.gaps[n] = gaps[n]
            own = part.own_columns
            self.points[part.columns[own]] = result.arrays["x"][own]

    def bound_rest(self) -> None:
        """Bound the windows that have no bound yet by their relaxation."""
        for n in np.flatnonzero(np.isinf(self.bounds)).tolist():
            self.bounds[n] = relaxed_value(self._alone(n).program, self._settings)

    def tidy(self) -> None:
        """Choose the tidiest of the plans that earn the same, window by window."""
        assert self.plan is not None
        integer = self.program.integer.copy()
        integer[self.program.switches] = False
        held = integer | (self.program.column_steps == NO_STEP)
        for parity in range(2):
            x = self.plan.x

            def between(n: int, x: Array = x) -> WindowProgram:
                part = self.windows.between(self.cuts[n], x)
                fixed = held[part.columns]
                point = x[part.columns][fixed]
                return replace(part, program=part.program.with_bounds(fixed, point, point))

            tidied = x.copy()
            for n, result in self._work("plan", range(parity, len(self.cuts), 2), between):
                part = between(n)
                own = part.own_columns
                least = part.program.objective(x[part.columns])
                if result.figures["value"] <= least + SAME * max(abs(least), 1.0):
                    tidied[part.columns[own]] = result.arrays["x"][own]
            value = self.program.objective(tidied)
            self.plan = replace(self.plan, x=tidied, value=value)

    def plan_year(self) -> bool:
        """Plan the year with the integers of the windows; return whether it is the best so far."""
        plan = self._lp.best(self.points)
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
        """Search the worst windows further and plan them anew; return whether that gained."""
        assert self.plan is not None
        before = self.plan.value - self.bound
        excess, most = self.excess(self.plan.x), max(1, round(WORST * len(self.cuts)))
        worst = np.argsort(-excess, kind="stable")[:most].tolist()
        finer = np.maximum(FINER * self.gaps, LEAST_GAP)
        self.bound_windows([n for n in worst if finer[n] < self.gaps[n]], finer)
        if not self.is_proven():
            self._replan(worst)
        return before - (self.plan.value - self.bound) > LEAST_PROGRESS * before

    def _replan(self, worst: Sequence[int]) -> None:
        """Plan windows anew that have no neighbour among them, a day longer on both sides."""
        assert self.plan is not None
        chosen: list[int] = []
        for n in worst:
            if not {n - 1, n + 1} & {*chosen}:
                chosen.append(n)
        x = self.plan.x
        self.points = x.copy()

        def between(n: int) -> WindowProgram:
            return self.windows.between(self._window_around(n), x)

        settings = self._settings.model_copy(update={"gap": max(LEAST_GAP, FINER * self.gap)})
        for n, result in self._work("plan", sorted(chosen), between, settings=lambda _: settings):
            part = between(n)
            own = part.own_columns
            self.points[part.columns[own]] = result.arrays["x"][own]
        self.plan_year()

    def _window_around(self, n: int) -> Window:
        """Return a window with a day more on both sides."""
        overlap = round(OVERLAP_H / self.program.scenario.horizon.step_h)
        window, whole = self.cuts[n], self.program.window
        return Window(
            max(window.first - overlap, whole.first), min(window.last + overlap, whole.last)
        )

    def _wide(self, n: int) -> WindowProgram:
        return self.windows.priced(self._window_around(n), self.prices)

    def _alone(self, n: int) -> WindowProgram:
        return self.windows.priced(self.cuts[n], self.prices)

    def _work(
        self,
        work: str,
        numbers: Sequence[int],
        part_of: Callable[[int], WindowProgram],
        settings: Callable[[int], SolverSettings] | None = None,
        arrays: Callable[[WindowProgram], Mapping[str, Any]] = lambda _: {},
    ) -> Iterator[tuple[int, WindowResult]]:
        """Yield windows with the results of some work on them."""

        def task(n: int) -> WindowTask:
            part = part_of(n)
            chosen = self._settings if settings is None else settings(n)
            return WindowTask(work, n, self.cuts[n], part.program, chosen, arrays(part))

        return iter(sorted(self._solve(map(task, numbers)).items()))


def _asked(of_rules: Any, prices: Array, part: WindowProgram) -> Mapping[str, Any]:
    """Return what a window that is asked for offers needs to know of rules."""
    return {"rules": of_rules[:, part.columns], "prices": prices}


class PlanProgram:
    """The LP of a whole program with its integers fixed, solved again and again."""

    def __init__(self, program: Program) -> None:
        self._solved = rescaled(program)
        self._session: Session | None = None

    def best(self, points: Array) -> YearPlan | None:
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
