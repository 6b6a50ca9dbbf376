"""The work that a search may do, counted rather than timed: it ends alike on every machine."""

from __future__ import annotations

from dataclasses import dataclass

from planner.solver.highs import Result
from planner.solver.program import Flags
from planner.solver.session import Session
from planner.timeseries.series import Array

SOLVE_ITERATIONS = 100_000  # of the simplex, of an LP
ROWS_AN_ITERATION = 100  # a solve costs one iteration more for so many rows
INTEGRAL_COST = 3  # of an iteration within a search over integers
SOLVE_NODES = 20_000  # of a search over integers
LARGE_NODES = 4e9  # divided by the square of the rows: fewer where a node takes long


@dataclass
class Budget:
    """The work that a search may still do, each solve within limits of its own.

    left: simplex iterations; those of a search over integers, and rows, cost some more.
    """

    left: float

    @property
    def is_spent(self) -> bool:
        """Whether the search ends here."""
        return self.left <= 0

    def run(self, session: Session, absolute_gap: float = 0.0) -> Result:
        """Solve what a session holds, within the limits of one solve.

        Raises:
            KeyboardInterrupt: Ctrl-C.
        """
        before, rows = session.iterations, max(1, len(session.program.row_lower))
        result = session.run(
            iterations=SOLVE_ITERATIONS,
            nodes=max(1, min(SOLVE_NODES, int(LARGE_NODES / rows**2))),
            absolute_gap=absolute_gap,
        )
        cost = INTEGRAL_COST if session.has_integers else 1
        self.left -= cost * (session.iterations - before) + rows / ROWS_AN_ITERATION
        if session.spent.stopped:
            raise KeyboardInterrupt
        return result

    def point(self, session: Session, integer: Flags, absolute_gap: float = 0.0) -> Array | None:
        """Return the best point of a new session with some columns integer, None if none is known.

        Its LP comes first: nothing limits the one at the root of a search over integers.
        """
        result = self.run(session)
        if result.status != "optimal":
            return None
        if integer.any():
            session.search_without_restarts()  # most of the time of a week goes into them
            session.integrality(integer)
            result = self.run(session, absolute_gap)
        return result.x
