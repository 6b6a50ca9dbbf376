"""The LP of a node of a search: a session whose integers are confined to bounds."""

from __future__ import annotations

import time

import numpy as np

from planner.errors import SolveError
from planner.solver.highs import Result
from planner.solver.program import Indices, Program
from planner.solver.session import Session
from planner.timeseries.series import Array


class NodeProgram:
    """The LP of nodes, solved hot one after the other.

    session: of the program, perhaps with more rows and columns.
    integers: the columns that a node confines; directions are free in every node.
    deadline: of `time.perf_counter`.
    """

    def __init__(
        self, session: Session, program: Program, integers: Indices, deadline: float
    ) -> None:
        self.session, self.program = session, program
        self.integers, self.deadline = integers, deadline

    def solve(self, lower: Array, upper: Array) -> Result | None:
        """Return the optimum within bounds of the program's columns, or that there is none.

        None where neither is known: the solver stalled, or ran out of time.
        """
        program, switches = self.program, self.program.switches
        self.session.bounds(self.integers, lower[self.integers], upper[self.integers])
        self.session.bounds(
            switches, program.column_lower[switches], program.column_upper[switches]
        )
        return self._run()

    def settle(self, x: Array) -> Result | None:
        """Return the optimum with the directions of a point, and all else as it was solved."""
        directions = self.program.directions(x)
        self.session.bounds(self.program.switches, directions, directions)
        return self._run()

    def prices(self) -> Array:
        """Return the duals of the program's rows; 0 where the LP has no optimum."""
        duals = self.session.duals()
        return np.zeros(len(self.program.row_lower)) if duals is None else duals.rows

    def is_over(self) -> bool:
        """Return whether the time is over, or Ctrl-C has come."""
        return self.session.spent.stopped or time.perf_counter() > self.deadline

    def _run(self) -> Result | None:
        try:
            result = self.session.run(time_limit_s=self.deadline - time.perf_counter())
        except SolveError:
            return None
        return result if result.status in ("optimal", "infeasible") else None
