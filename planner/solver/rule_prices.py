"""The prices of rules over the horizon, from plans of its windows.

Windows offer plans: what one costs, and what it adds to each rule. The master program weighs them,

    min sum_w,j cost[w,j] weight[w,j] + penalty shortage
    sum_j weight[w,j] = 1                       for each window w
    sum_w,j added[w,j] weight[w,j] + shortage >= side        for each rule, or <= with - shortage

and its duals are the prices at which windows are asked for further offers (Dantzig and Wolfe,
1960). With whole weights it chooses a plan for each window.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from planner.solver.highs import LP_ITERATIONS
from planner.solver.linear_program import LinearProgram
from planner.solver.program import Indices
from planner.solver.session import Session
from planner.timeseries.series import Array

DEARER = 10.0  # than what all offers cost per unit that they add to a rule
LEAST_ADDED = 1e-6  # to a rule, by all offers together
GAP, NODES = 1e-7, 10_000  # of the costs, and of the search: the choice of plans ends


@dataclass
class RulePrices:
    """Offers of windows and the rules that they have to keep together.

    lower, upper: of each rule. value, is_short: of the master program when it was last
    solved, and whether its plans miss a rule.
    """

    windows: int
    lower: Array
    upper: Array
    value: float = np.inf
    is_short: bool = False
    costs: list[float] = field(default_factory=list)
    added: list[Array] = field(default_factory=list)
    window_of: list[int] = field(default_factory=list)

    def offer(self, window: int, cost: float, added: Array) -> None:
        """Add a plan of a window: its cost and what it adds to each rule."""
        self.window_of.append(window)
        self.costs.append(cost)
        self.added.append(added)

    def price(self) -> Array:
        """Return the price of each rule."""
        session = Session(self._master())
        result = session.run(iterations=LP_ITERATIONS)
        assert result.x is not None
        self.value = result.objective
        self.is_short = bool(result.x[len(self.costs) :].any())
        duals = session.duals()
        assert duals is not None
        return duals.rows[self.windows :]

    @property
    def is_complete(self) -> bool:
        """Whether every window has offered a plan."""
        return len({*self.window_of}) == self.windows

    @property
    def _penalty(self) -> Array:
        """What missing a rule by a unit costs: more than any offer does per unit of its own."""
        added = np.abs(self.added).sum(axis=0)
        return np.asarray(DEARER * np.abs(self.costs).sum() / np.maximum(added, LEAST_ADDED))

    def choose(self) -> Indices:
        """Return the number of the offer to choose for each window, so that the rules are kept."""
        session = Session(self._master())
        integer = np.arange(self._count + 2 * len(self.lower)) < self._count
        session.integrality(integer)
        result = session.run(absolute_gap=GAP * float(np.abs(self.costs).sum()), nodes=NODES)
        assert result.x is not None
        return np.flatnonzero(result.x[: self._count] > 0.5)

    @property
    def _count(self) -> int:
        return len(self.costs)

    def _master(self) -> LinearProgram:
        count, rules = self._count, len(self.lower)
        one_each = sparse.csr_array(
            (np.ones(count), (self.window_of, np.arange(count))), shape=(self.windows, count)
        )
        each_rule = sparse.eye_array(rules)
        matrix = sparse.block_array([
            [one_each, None, None], [np.array(self.added).T, each_rule, -each_rule]
        ])  # fmt: skip
        once = np.ones(self.windows)
        columns = count + 2 * rules
        return LinearProgram(
            sparse.csc_array(matrix),
            np.append(once, self.lower), np.append(once, self.upper),
            np.zeros(columns), np.append(np.ones(count), np.full(2 * rules, np.inf)),
            np.concatenate([self.costs, self._penalty, self._penalty]),
        )  # fmt: skip
