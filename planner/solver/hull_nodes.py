"""The bounds of nodes by the hull: prices from an LP with copies, and copies that prices want.

Outside the steps that have copies the states are as planned. The LP is then no relaxation, but its
prices are those of the program with all copies as soon as the bound they give chooses the planned
states there: its optimum is that bound.
"""

from __future__ import annotations

import numpy as np

from planner.solver.copies import Copies
from planner.solver.hull import TIGHT, Hull, ModeBound
from planner.solver.node_program import NodeProgram
from planner.solver.program import Flags, Indices
from planner.solver.state_schedule import is_on
from planner.timeseries.series import Array

MOST_ROUNDS = 16  # of copies in a node
MOST_NEW = 24  # copies at once
WIDENED = 2  # steps around those that need a copy
HOT_GROWTH = 1.3  # of the columns: an LP that grows by more begins afresh


class HullNodes:
    """The nodes of a search over a program, bounded by the hull of some of its states.

    modes: the planned mode of each step.
    """

    def __init__(self, plain: NodeProgram, hull: Hull, planned: Array) -> None:
        """Begin at a plan.

        Args:
            plain: the nodes of the program as it is, just solved for the integers of the plan.
            hull: of the program.
            planned: a point of the plan.
        """
        program = plain.program
        self.program, self.hull = program, hull
        self.modes: Indices = np.zeros(self.hull.length, dtype=np.int64)
        for unit, state in enumerate(hull.states):
            on = np.where(state >= 0, np.round(planned[state]), 0.0)
            self.modes += on.astype(np.int64) << unit
        session = plain.session.beside(program)
        session.start_from(plain.session)
        self.nodes = NodeProgram(session, program, plain.integers, plain.deadline)
        self.prices = plain.prices()
        self.copies = Copies(session, self.hull, self.modes)

    def bound(
        self, lower: Array, upper: Array, target: float, tolerance: float | None = None
    ) -> tuple[float, Array | None]:
        """Return a bound of a node and the point of its LP; None where that is not known.

        The bound is improved until it reaches the target or the point shows that it cannot; with a
        tolerance, until it is as close to the point.
        """
        best, x = -np.inf, None
        bound = self.hull.bound(self.prices, lower, upper, self.modes)
        for number in range(MOST_ROUNDS):
            best = max(best, bound.value)
            has_new = self._add_copies(bound)
            if best >= target or self.nodes.is_over() or (number and not has_new):
                break
            result = self.nodes.solve(*self._as_planned(lower, upper))
            if result is None or result.x is None:  # the planned states may have no plan here
                result = self.nodes.solve(lower, upper)
                if result is not None and self.copies.relaxes:
                    best = max(best, result.objective)
                if result is None or result.x is None:
                    return best, None
            x = result.x[: len(self.program.cost)]
            self.prices = self.nodes.prices()
            bound = self.hull.bound(self.prices, lower, upper, self.modes)
            best = max(best, bound.value)
            enough = target - result.objective if tolerance is None else tolerance
            if result.objective - best < enough:  # no copies reach the target
                break
        return best, x

    def row_prices(self) -> Array:
        """Return the duals of the program's rows at the last bound."""
        prices, schedule = self.prices.copy(), self.hull.schedule
        prices[schedule.rows] = schedule.prices()
        return prices

    def _as_planned(self, lower: Array, upper: Array) -> tuple[Array, Array]:
        """Return bounds in which the states are as planned in steps without copies."""
        low, high = lower.copy(), upper.copy()
        for unit, state in enumerate(self.hull.states):
            without = (state >= 0) & ~self.copies.covered
            columns, planned = state[without], is_on(self.modes[without], unit)
            low[columns] = np.maximum(low[columns], planned)
            high[columns] = np.minimum(high[columns], planned)
        return low, high

    def _add_copies(self, bound: ModeBound) -> bool:
        """Add copies of what a bound wants; return whether any was missing."""
        columns = self.nodes.session.columns
        has_new = self.copies.add(self._most_wanted(bound))
        if self.nodes.session.columns > HOT_GROWTH * columns:
            self.nodes.session.start_afresh()
        return has_new

    def _most_wanted(self, bound: ModeBound) -> Flags:
        """Return the modes by step that gain most over the planned ones, and those around them."""
        steps = np.arange(self.hull.length)
        wanted = (bound.weights > TIGHT) & ~self.copies.active
        wanted[self.modes, steps] = False
        modes, at = np.nonzero(wanted)
        gain = bound.values[self.modes[at], at] - bound.values[modes, at]
        less = np.argsort(-gain, kind="stable")[MOST_NEW:]
        wanted[modes[less], at[less]] = False
        wide = wanted.copy()
        for distance in range(1, WIDENED + 1):
            wide[:, distance:] |= wanted[:, :-distance]
            wide[:, :-distance] |= wanted[:, distance:]
        return np.asarray(wide & ~self.hull.excluded)
