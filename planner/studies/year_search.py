"""The search for the plan of a year and its bound, by windows.

1. Rules over the horizon: long windows offer plans at some prices of the rules, which settle where
   the offers keep the rules together.
2. Prices: long windows that overlap with their neighbours give the prices of their own rows, and
   plans of their steps.
3. Plan: one LP of the year with the integers fixed; prices once more where it pays much for peaks.
4. Bounds: short windows are searched with their seams priced. The sum is a bound of the year
   whatever the prices are.
5. Refinement (`year_refinement`), until the gap is reached or nothing gains.

Every stage waits for all of its windows and takes them in order, so that a plan does not depend on
the number of workers, nor on when a run was interrupted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from planner.solver.plan_program import PlanProgram, ProgramPlan
from planner.solver.program import NO_STEP, Program
from planner.solver.rounds import MAX_VIOLATION, optimise_uninterrupted
from planner.solver.rule_prices import RulePrices
from planner.solver.window_solutions import relaxed_value
from planner.solver.windows import WindowProgram, Windows
from planner.studies.year_task import Solve, WindowJob, WindowResult, WindowTask
from planner.timeseries.horizon import Window, cut
from planner.timeseries.series import Array

OVERLAP_H = 24.0  # of the windows that give prices, on both sides
FIRST_SHARE = 0.3  # of the gap that windows may have at first
LEAST_GAP = 1e-6
LONGER = 2.8  # times the length of the windows that are bounded: those that give prices
RAISED = 0.2, 0.6, 1.5  # of the prices of rules, added where no plan keeps these
ROUNDING_CNY = 1e-6
SAME = 1e-8  # of a window's cost: plans whose costs differ by less earn the same
MOST_OFFERS = 8  # rounds
SPREAD = 1.0, 0.6  # of the prices of rules that offers are asked for
SETTLED = 1e-4  # of the costs: what more offers could gain

Finished = tuple[WindowJob, WindowProgram, WindowResult]


class YearSearch:
    """The search over a program without running totals.

    cuts: the windows that are bounded. prices: of all rows. bounds: of each window, and `gaps`
    within which it was searched. points: the best known point of each window's own columns, joined
    to one of the program.
    """

    def __init__(self, program: Program, window_h: float, solve: Solve) -> None:
        self.program, self.gap = program, program.scenario.solver.gap
        horizon = program.scenario.horizon
        self.cuts, self._long = cut(horizon, window_h), cut(horizon, LONGER * window_h)
        self.windows = Windows(program, LONGER * window_h)
        self.prices = np.zeros(len(program.row_lower))
        self.bounds = np.full(len(self.cuts), -np.inf)
        self.gaps = np.full(len(self.cuts), max(FIRST_SHARE * self.gap, LEAST_GAP))
        self.points = np.zeros(len(program.cost))
        self.plan: ProgramPlan | None = None
        self._solve, self._settings = solve, program.scenario.solver
        self._lp = PlanProgram(program, self.windows.rules)

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
        prices, shared = self.prices.copy(), self.windows.sharing
        jobs = [WindowJob("prices", window, self._wide) for window in self._long]
        for job, part, result in self.work(jobs):
            own = self.windows.rows_of(job.window)[part.rows]
            own &= ~shared[part.rows] | (self.prices[part.rows] == 0)
            prices[part.rows[own]] = result.arrays["rows"][own]
            self.take(job.window, part, result.arrays["x"])
        self.prices = self.windows.affordable(prices)

    def price_rules(self) -> None:
        """Find the prices of the rules over the horizon, at which windows keep them together."""
        program, of_rules, rules = self.program, self.windows.of_rules, self.windows.rules
        master = RulePrices(len(self._long), self.windows.rules_alone())
        rule_prices, prices = np.zeros(len(rules)), np.zeros((1, len(rules)))
        for _ in range(MOST_OFFERS):
            before = np.inf if master.is_short else master.value
            for number, part, points in self._offers(prices):
                inside = self.windows.columns_of(self._long[number])[part.columns]
                own = part.columns[inside]
                for x in points[:, inside]:
                    master.offer(number, float(program.cost[own] @ x), of_rules[:, own] @ x)
            if not master.is_complete:
                return  # stopped, or a window offers nothing: the rules stay unpriced
            rule_prices = master.price()
            shares = SPREAD[:1] if master.is_short else SPREAD
            prices = np.outer(shares, rule_prices)
            if master.is_short:
                master.raise_penalty()
            elif before - master.value <= SETTLED * abs(master.value) or not prices.any():
                break
        self.prices[rules] = rule_prices

    def _offers(self, prices: Array) -> Iterator[tuple[int, WindowProgram, Array]]:
        """Yield long windows with plans that they offer at more prices of the rules.

        Args:
            prices: besides those that the rules have; shape (prices, rules).
        """

        def arrays(part: WindowProgram) -> Mapping[str, Any]:
            return {"rules": self.windows.of_rules[:, part.columns], "prices": prices}

        jobs = [WindowJob("rules", window, self._wide, arrays=arrays) for window in self._long]
        for job, part, result in self.work(jobs):
            points = result.arrays["x"].reshape(-1, len(part.columns))
            yield self._long.index(job.window), part, points

    def bound_windows(self) -> None:
        """Search all windows with their seams priced, each within its gap.

        Where the plan costs too much, their own plans are taken.
        """
        finished = self.bound_each(self.cuts)
        if self.plan is not None:
            self.points = self.plan.x.copy()
        costly = self.costly()
        for job, part, result in finished:
            if job.window in costly:
                self.take(job.window, part, result.arrays["x"])

    def bound_each(self, windows: Sequence[Window]) -> list[Finished]:
        """Search some of the windows and raise their bounds; return the finished jobs."""
        finished = [*self.work([self._bounding(window) for window in windows])]
        for job, _, result in finished:
            n = self.cuts.index(job.window)
            self.bounds[n] = max(self.bounds[n], result.figures["bound"])
        return finished

    def _bounding(self, window: Window) -> WindowJob:
        gap = float(self.gaps[self.cuts.index(window)])
        return WindowJob("bounds", window, self._alone, gap)

    def bound_rest(self) -> None:
        """Bound the windows that have no bound yet by their relaxation."""
        for n in np.flatnonzero(np.isinf(self.bounds)).tolist():
            self.bounds[n] = relaxed_value(self._alone(self.cuts[n]).program, self._settings)

    def plan_with_rules(self) -> bool:
        """Plan windows at higher prices of the rules; return whether the year then has a plan."""
        for more in RAISED:
            added = more * self.prices[self.windows.rules]
            for number, part, points in self._offers(added[None]):
                if points.size:
                    self.take(self._long[number], part, points[0])
            if self.plan_year():
                return True
        return False

    def plan_in_order(self) -> bool:
        """Plan windows one after the other, each from the state that those before it leave.

        Returns whether the year then has a plan.
        """

        def after(window: Window) -> WindowProgram:
            part = self.windows.priced(Window(window.first, self.around(window).last), self.prices)
            steps = self.program.column_steps[part.columns]
            decided = (steps != NO_STEP) & (steps < window.first)
            point = self.points[part.columns][decided]
            return replace(part, program=part.program.with_bounds(decided, point, point))

        for window in self._long:
            finished = [*self.work([WindowJob("plan", window, after)])]
            if not finished:  # stopped, or the window has no plan after those before it
                return False
            ((_, part, result),) = finished
            self.take(window, part, result.arrays["x"])
        return self.plan_year()

    def plan_as_one(self) -> None:
        """Plan the whole horizon as one program; bound it too where it is one window.

        Raises:
            InfeasibleProgramError, UnboundedError, NoPlanError: it has no plan, or none in time.
            KeyboardInterrupt: Ctrl-C.
        """
        solution = optimise_uninterrupted(self.program)
        self.points = solution.x
        self.plan_year()
        if len(self.cuts) == 1:
            known = self.windows.constant(self.prices)
            self.bounds[0] = max(self.bounds[0], solution.bound - known)

    def take(self, window: Window, part: WindowProgram, x: Array) -> None:
        """Take a window's columns from a point of its program."""
        own = self.windows.columns_of(window)[part.columns]
        self.points[part.columns[own]] = x[own]

    def tidy(self) -> None:
        """Choose the tidiest of the plans that earn the same, window by window."""
        assert self.plan is not None
        integer = self.program.integer.copy()
        integer[self.program.switches] = False
        kept = integer | (self.program.column_steps == NO_STEP)
        for parity in range(2):
            x = self.plan.x

            def between(window: Window, x: Array = x) -> WindowProgram:
                part = self.windows.between(window, x)
                fixed = kept[part.columns]
                point = x[part.columns][fixed]
                return replace(part, program=part.program.with_bounds(fixed, point, point))

            tidied = x.copy()
            jobs = [WindowJob("tidying", window, between) for window in self.cuts[parity::2]]
            for _, part, result in self.work(jobs):
                own = part.own_columns
                least, tidier = part.program.objective(x[part.columns]), tidied.copy()
                tidier[part.columns[own]] = result.arrays["x"][own]
                keeps_rows = self.windows.violation(part.rows, tidier) <= MAX_VIOLATION
                if keeps_rows and result.figures["value"] <= least + SAME * max(abs(least), 1.0):
                    tidied = tidier
            value = self.program.objective(tidied)
            self.plan = replace(self.plan, x=tidied, value=value)

    def take_prices(self) -> bool:
        """Take prices from the plan's LP; return whether those of other rows are to be found anew.

        Windows alone do not know what their share of a column without a step costs, of the peak of
        a month; where the plan pays much for these, all prices depend on it. Without states to
        decide all prices of the LP are better than those of windows.
        """
        assert self.plan is not None
        program, prices = self.program, self.plan.duals.rows
        taken = self.windows.sharing if program.states else np.ones(len(prices), dtype=bool)
        self.prices = self.windows.affordable(np.where(taken, prices, self.prices))
        shared = program.column_steps == NO_STEP
        paid = program.cost[shared] @ (self.plan.x - program.column_lower)[shared]
        return bool(program.states) and paid > self.allowed

    @property
    def allowed(self) -> float:
        """How much more than its bound the best plan may cost."""
        assert self.plan is not None
        return self.gap * self.program.turnover(self.plan.x) + ROUNDING_CNY

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
        return self.plan.value - self.bound <= self.allowed

    def costly(self) -> list[Window]:
        """Return the windows whose plan costs more above their bounds than their share.

        Without a plan, all.
        """
        if self.plan is None:
            return [*self.cuts]
        x, costly = self.plan.x, list[Window]()
        for window, excess in zip(self.cuts, self.excess(x).tolist(), strict=True):
            part = self._alone(window)
            if excess > self.gap * part.program.turnover(x[part.columns]):
                costly.append(window)
        return costly

    def around(self, window: Window) -> Window:
        """Return a window with a day more on both sides."""
        overlap = round(OVERLAP_H / self.program.scenario.horizon.step_h)
        whole = self.program.window
        return Window(
            max(window.first - overlap, whole.first), min(window.last + overlap, whole.last)
        )

    def _wide(self, window: Window) -> WindowProgram:
        return self.windows.priced(self.around(window), self.prices)

    def _alone(self, window: Window) -> WindowProgram:
        return self.windows.priced(window, self.prices)

    def work(self, jobs: Sequence[WindowJob]) -> Iterator[Finished]:
        """Yield finished jobs in their order, with the programs of their windows."""

        def task(numbered: tuple[int, WindowJob]) -> WindowTask:
            number, job = numbered
            part = job.part_of(job.window)
            settings = self._settings
            if job.gap is not None:
                settings = settings.revised({"gap": job.gap})
            arrays = {} if job.arrays is None else job.arrays(part)
            return WindowTask(job.work, number, job.window, part.program, settings, arrays)

        results = self._solve(map(task, enumerate(jobs)), len(jobs))
        for number in sorted(results):
            yield jobs[number], jobs[number].part_of(jobs[number].window), results[number]
