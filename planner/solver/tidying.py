"""One plan among many that earn the same, chosen by a few LPs with the commitments held.

1. Directions are freed and the LP is solved once more, warm: directions that are held block what
   follows. One is held only where flows overlap and the overlap earns money.
2. The LP is confined to its optimal face, and on it are minimised, one after the other:
   the energy that loads and compute draw; movement, sum |q[t] - q[t-1]|, of thermal units and
   batteries before that of the exchange, of compute, and of renewables; both flows of what has two
   directions, and energy from elsewhere than renewables; and a sum over all meters with weights of
   their own, which leaves one plan.
3. Where flows overlap in the end their directions are held, and all is done again.

With `smoothing_cost_share` movement is minimised before, at a loss of at most that part of
turnover, and then the loss at that movement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from scipy import sparse

from planner.components.registry import uses_of
from planner.solver.meter_totals import meter_of
from planner.solver.program import Duals, Indices, Program
from planner.solver.session import Session
from planner.timeseries.series import Array

MOST_ROUNDS = 4  # that hold only the directions that overlap; after them all are held
ORDER_WEIGHT = 1 / 8  # of movement that costs, relative to that of the order before
NO_ROW = -1  # of the reports: before the window a power is a number
SAME = 1e-9  # of turnover: profits that differ by less are the same


@dataclass(frozen=True)
class TidyPlan:
    """A tidy plan.

    duals: of the LP with free directions. face: the program with the bounds of the plans that earn
    the same.
    """

    x: Array
    duals: Duals
    face: Program


class Tidying:
    """The tidying of a plan whose LP, with integers and directions fixed, was just solved.

    fixed: the columns that stay as they are: integers, and directions where they are held.
    movements: by order, the cost of each column in the sum of movements, the added ones last.
    """

    def __init__(self, session: Session, program: Program, x: Array) -> None:
        self.session, self.program, self.x = session, program, x.copy()
        self.x[program.switches] = program.directions(x)
        self.fixed = program.integer.copy()
        self.fixed[program.switches] = False
        self.movements: list[Array] = []

    def tidy(self, loss_share: float) -> TidyPlan | None:
        """Return the tidiest plan; None where one of the LPs has no optimum.

        Args:
            loss_share: how much of turnover less movement may cost.
        """
        switches, plan = self.program.switches, None
        for number in range(MOST_ROUNDS + 1):
            plan = self._attempt(loss_share)
            if plan is None or not (overlapping := self._overlapping(plan.x)).size:
                break
            self.fixed[overlapping if number + 1 < MOST_ROUNDS else switches] = True
        if plan is not None:
            plan.x[switches] = self.program.directions(plan.x)
        return plan

    def _overlapping(self, x: Array) -> Indices:
        """Return the free switches whose flows overlap."""
        switches = self.program.switches
        return np.asarray(switches[self.program.overlaps(x) & ~self.fixed[switches]])

    def _attempt(self, loss_share: float) -> TidyPlan | None:
        """Return the tidiest plan with the directions held by now; its flows may overlap."""
        x = self._best()
        if x is None or (duals := self.session.duals()) is None:
            return None
        duals.fixed[self.fixed] = True
        if loss_share:
            x = self._smoothed(x, loss_share)
        else:
            self.session.stay_optimal()
        face = self.session.bounded(self.program)
        for goal in self._goals():
            if x is None:
                return None
            x = self.session.minimise(goal)
            self.session.stay_optimal()
        return None if x is None else TidyPlan(x, duals, face)

    def _best(self) -> Array | None:
        """Return the best point with free directions, and hold those that may not be free."""
        least = self.program.objective(self.x) - SAME * max(self.program.turnover(self.x), 1.0)
        while True:
            lower, upper = self.program.column_lower.copy(), self.program.column_upper.copy()
            lower[self.fixed] = upper[self.fixed] = np.round(self.x[self.fixed])
            self.session.reset(lower, upper)
            x = self.session.minimise(self.program.cost)
            if x is None or self.program.objective(x) >= least:
                return x
            overlapping = self._overlapping(x)
            if not overlapping.size:  # another direction earns more
                return x
            self.fixed[overlapping] = True

    def _smoothed(self, x: Array, loss_share: float) -> Array | None:
        """Return the cheapest point of least movement that costs no more than a share of turnover.

        The LP stays at this movement and this cost.
        """
        cost = self.program.cost
        most = cost @ x + loss_share * self.program.turnover(x)
        movement = np.zeros(0)
        for order, goal in enumerate(self._movements()):
            movement = np.append(movement, np.zeros(len(goal) - len(movement)))
            movement += ORDER_WEIGHT**order * goal
        row = sparse.csr_array(np.append(cost, np.zeros(len(movement) - len(cost)))[None, :])
        self.session.extend(row, np.array([-np.inf]), np.array([most]))
        for goal in (movement, cost):
            smoothed = self.session.minimise(goal)
            self.session.stay_optimal()
        return smoothed

    def _goals(self) -> Iterator[Array]:
        """Yield the sums to be minimised, as costs of the columns, in their order."""
        program = self.program
        uses = uses_of(program.scenario.components.values()) if program.uses else {}
        drawn = [rows for (use, _), rows in program.uses.items() if uses[use].drawn]
        yield program.total(drawn)
        yield from self._movements()
        brought = [rows for origin, rows in program.injected.items() if origin != "renewable"]
        yield program.total([program.first_flow, program.second_flow, *brought])
        yield weights_by(meter_of, program)

    def _movements(self) -> Iterator[Array]:
        """Yield the sum of the movements of each order, as costs of the columns.

        Rows q[t] - q[t-1] = up[t] - down[t] join the LP when they are first needed.
        """
        orders = sorted({move.order for move in self.program.moves})
        for number, order in enumerate(orders):
            if number == len(self.movements):
                rows, constants = self._changes(order)
                added, present = len(constants), self.session.columns
                up = present + np.arange(added)  # and down[t] after all up[t]
                ends, both = np.repeat(rows.indptr[1:], 2), np.stack([up, up + added], axis=1)
                joined = sparse.csr_array(
                    (
                        np.insert(rows.data, ends, np.tile([-1.0, 1.0], added)),
                        np.insert(rows.indices, ends, both.ravel()),
                        rows.indptr + 2 * np.arange(added + 1),
                    ),
                    shape=(added, present + 2 * added),
                )
                self.session.extend(joined, constants, constants)
                self.movements.append(np.append(np.zeros(present), np.ones(2 * added)))
            yield self.movements[number]

    def _changes(self, order: int) -> tuple[Any, Array]:
        """Return q[t] - q[t-1] of the powers of an order: coefficients, and less the constants."""
        reports, offset = self.program.reports, self.program.report_offset
        later, earlier, constants = list[Indices](), list[Indices](), list[Array]()
        for move in self.program.moves:
            if move.order != order:
                continue
            later.append(move.rows[1:])
            earlier.append(move.rows[:-1])
            constants.append(offset[move.rows[:-1]] - offset[move.rows[1:]])
            if move.before_mw is not None:
                later.append(move.rows[:1])
                earlier.append(np.array([NO_ROW]))
                constants.append(move.before_mw - offset[move.rows[:1]])
        ends = np.stack([np.concatenate(later), np.concatenate(earlier)], axis=1)
        signs, known = np.broadcast_to([1.0, -1.0], ends.shape), ends != NO_ROW
        indptr = np.append(0, np.cumsum(known.sum(axis=1)))
        shape = len(ends), reports.shape[0]
        changes = sparse.csr_array((signs[known], ends[known], indptr), shape=shape) @ reports
        changes.sort_indices()
        return changes, np.concatenate(constants)


def weights_by(key_of: Callable[[str], str], program: Program) -> Array:
    """Return a weight of 1 to 1.5 for each schedule column and step, by a key of its name."""
    weights, window = np.zeros(len(program.cost)), program.window
    for name, (columns, _) in program.schedule.items():
        seed = crc32(key_of(name).encode())
        by_step = 1 + np.random.default_rng(seed).random(window.last) / 2
        variable = columns >= 0
        weights[columns[variable]] = by_step[window.first - 1 :][variable]
    return weights
