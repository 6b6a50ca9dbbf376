"""The prices and the bound of a window: a relaxation to the hull of its states, and a search."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from planner.scenario.scenario_file import SolverSettings
from planner.solver.highs import Result
from planner.solver.program import Program
from planner.solver.rounds import optimise_uninterrupted, require_point
from planner.solver.scaling import Rescaled, rescaled
from planner.solver.search import MOST_STATES, Search, search
from planner.solver.session import Session
from planner.solver.solution import Solution
from planner.timeseries.series import Array

PRECISION = 1e-4  # of a window's objective: how far the bound of its prices is from the hull's


def window_prices(program: Program, settings: SolverSettings) -> tuple[Array, Array]:
    """Return the duals of the rows of a program in the LP of its hull, and a plan near it.

    With too many states, or none, the duals of its relaxation. Without a plan, a point of that.
    Shapes (rows,) and (columns,).

    Raises:
        InfeasibleProgramError, UnboundedError: the relaxation is infeasible or unbounded.
        KeyboardInterrupt: Ctrl-C.
    """
    solved, session, relaxed = _relaxed(program, settings)
    search = Search(session, solved.program, relaxed, settings.gap, np.inf)
    rows = search.prices
    if 0 < len(program.states) <= MOST_STATES:
        rows = search.hull_prices(PRECISION)
    x = relaxed.x if search.best is None else search.best
    assert x is not None
    return rows * solved.rows / program.units.money, solved.point(x)


def relaxed_value(program: Program, settings: SolverSettings) -> float:
    """Return the optimum of the relaxation of a window, CNY. Raises as `window_prices`."""
    _, _, relaxed = _relaxed(program, settings)
    return relaxed.bound / program.units.money


def window_bound(program: Program, settings: SolverSettings) -> Solution:
    """Return the best plan of a window that a search with limits of work finds, and its bound.

    Raises:
        NoPlanError: the time limit struck before a first plan.
        Else as `window_prices`.
    """
    solved, session, relaxed = _relaxed(program, settings)
    deadline = time.perf_counter() + settings.time_limit_s
    result = search(session, solved.program, relaxed, settings.gap, deadline)
    if result is None or result.x is None:
        return optimise_uninterrupted(program, settings)
    if session.spent.stopped:
        raise KeyboardInterrupt
    best = result.x if result.best is None else result.best
    return Solution(solved.point(best), result.status, result.bound / program.units.money)


def _relaxed(program: Program, settings: SolverSettings) -> tuple[Rescaled, Session, Result]:
    """Return a program as it is solved, and its session with the result of the relaxation."""
    solved, session = _session(program, settings)
    return solved, session, _optimum(session)


def _session(program: Program, settings: SolverSettings) -> tuple[Rescaled, Session]:
    solved = rescaled(program)
    return solved, Session(solved.program, threads=settings.threads, seed=settings.seed)


def _optimum(session: Session) -> Result:
    """Return the result of the relaxation. Raises as `window_prices`."""
    relaxed = session.run()
    require_point(relaxed)
    if session.spent.stopped:
        raise KeyboardInterrupt
    return relaxed


def window_offers(
    program: Program, settings: SolverSettings, rules: Any, prices: Array
) -> list[Array | None]:
    """Return a good plan of a window for each of some prices of the rules over the horizon.

    Args:
        program: of the window, with these rules unpriced.
        settings: of the solver.
        rules: their coefficients; shape (rules, columns).
        prices: shape (prices, rules).

    Raises:
        As `window_prices`.
    """
    solved, session = _session(program, settings)
    factors = solved.columns * program.units.money
    points = list[Array | None]()
    for price in prices:
        cost = (program.cost - rules.T @ price) * factors
        session.cost(cost)
        relaxed = _optimum(session)
        priced = replace(solved.program, cost=cost, offset=0.0)
        x = Search(session, priced, relaxed, settings.gap, np.inf).plan_nearby()
        points.append(None if x is None else solved.point(x))
        every = np.arange(len(cost))
        session.bounds(every, priced.column_lower, priced.column_upper)
    return points
