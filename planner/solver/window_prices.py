"""The prices of a window: the duals of its rows where its states are relaxed to their hull."""

from __future__ import annotations

import numpy as np

from planner.scenario.scenario_file import SolverSettings
from planner.solver.program import Duals, Program
from planner.solver.rounds import require_point
from planner.solver.scaling import rescaled
from planner.solver.search import MOST_STATES, Search
from planner.solver.session import Session

PRECISION = 1e-4  # of a window's objective: how far the bound of its prices is from the hull's


def window_prices(program: Program, settings: SolverSettings) -> Duals:
    """Return the duals of the rows of a program in the LP of its hull, with its point.

    With too many states, or none, those of its relaxation. There are no reduced costs.

    Raises:
        InfeasibleProgramError, UnboundedError: the relaxation is infeasible or unbounded.
        KeyboardInterrupt: Ctrl-C.
    """
    solved = rescaled(program)
    session = Session(solved.program, threads=settings.threads, seed=settings.seed)
    relaxed = session.run()
    require_point(relaxed)
    if session.spent.stopped:
        raise KeyboardInterrupt
    search = Search(session, solved.program, relaxed, settings.gap, np.inf)
    rows, x = search.nodes.prices(), relaxed.x
    if 0 < len(program.states) <= MOST_STATES and not settings.relax:
        rows, x = search.hull_prices(PRECISION)
    assert x is not None
    none = np.zeros(len(x))
    return solved.duals(Duals(x, rows, none, none.astype(bool)))
