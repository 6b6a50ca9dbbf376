"""The prices of rules over the horizon, from plans of its windows.

Windows offer plans: what one costs, and what it adds to each rule. The master program weighs them,

    min sum_w,j cost[w,j] weight[w,j] + c x + penalty shortage
    sum_j weight[w,j] = 1                                      for each window w
    sum_w,j added[w,j] weight[w,j] + A x + shortage >= side    for each rule, or <= with - shortage

where x are the columns of the rules that belong to no window, such as what a rule is missed by at a
price. Its duals are the prices at which windows are asked for further offers (Dantzig and Wolfe,
1960).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from planner.solver.highs import LP_ITERATIONS
from planner.solver.linear_program import LinearProgram
from planner.solver.session import Session
from planner.timeseries.series import Array

DEARER = 0.01  # of what all offers cost per unit that they add to a rule, at first
RAISED = 30.0  # times, while the offers miss a rule
MOST_DEARER = 1e5
LEAST_ADDED = 1e-6  # to a rule, by all offers together


@dataclass
class RulePrices:
    """Offers of windows and the rules that they have to keep together.

    rules: over the columns that belong to no window. value, is_short: of the master program when it
    was last solved, and whether its plans miss a rule. dearer: what missing costs, as `DEARER`.
    """

    windows: int
    rules: LinearProgram
    value: float = np.inf
    is_short: bool = False
    dearer: float = DEARER
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
        self.is_short = bool(result.x[len(self.costs) + len(self.rules.cost) :].any())
        duals = session.duals()
        assert duals is not None
        return duals.rows[self.windows :]

    def raise_penalty(self) -> None:
        """Make it dearer to miss a rule, so that offers are asked for at higher prices."""
        self.dearer = min(RAISED * self.dearer, MOST_DEARER)

    @property
    def is_complete(self) -> bool:
        """Whether every window has offered a plan."""
        return len({*self.window_of}) == self.windows

    @property
    def _penalty(self) -> Array:
        """What missing a rule by a unit costs: at first little, for prices that are not too far."""
        added = np.abs(self.added).sum(axis=0)
        return np.asarray(self.dearer * np.abs(self.costs).sum() / np.maximum(added, LEAST_ADDED))

    def _master(self) -> LinearProgram:
        count, rules = len(self.costs), self.rules
        one_each = sparse.csr_array(
            (np.ones(count), (self.window_of, np.arange(count))), shape=(self.windows, count)
        )
        short = sparse.eye_array(len(rules.row_lower))
        matrix = sparse.block_array([
            [one_each, None, None, None],
            [np.array(self.added).T, rules.matrix, short, -short],
        ])  # fmt: skip
        once, none = np.ones(self.windows), np.zeros(2 * len(rules.row_lower))
        return LinearProgram(
            sparse.csc_array(matrix),
            np.append(once, rules.row_lower), np.append(once, rules.row_upper),
            np.concatenate([np.zeros(count), rules.column_lower, none]),
            np.concatenate([np.ones(count), rules.column_upper, none + np.inf]),
            np.concatenate([self.costs, rules.cost, self._penalty, self._penalty]),
        )  # fmt: skip
