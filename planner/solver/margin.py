"""Duals at the margin: of the LP of a plan, with a little more of something than the plan has.

Where nothing flows and where a store is empty the duals are not unique: they lie anywhere between
what one more is worth and what one less would cost. With a little more they are those of one more.
"""

from __future__ import annotations

from typing import Any

from planner.solver.highs import LP_ITERATIONS
from planner.solver.program import Duals, Flags, Program
from planner.solver.scaling import rescaled
from planner.solver.session import Session
from planner.timeseries.series import Array

EXTRA = 1e-5  # MWh, Mtok, or Mtok/h: a little


def with_more_required(program: Program, duals: Duals, rows: Flags) -> Duals:
    """Return the duals where some rows require a little more; where they cannot, those given."""
    lower, upper = program.row_lower[rows] + EXTRA, program.row_upper[rows] + EXTRA
    at_margin = _of_lp(_fixed(program, duals).with_row_bounds(rows, lower, upper))
    return at_margin or duals


def rows_with_gifts(program: Program, duals: Duals, gifts: Any, cost: Array) -> Array:
    """Return the duals of rows where a little may be added to some of them at a cost.

    gifts: what one adds to each row, sparse; shape (rows, gifts).
    """
    given = _fixed(program, duals).with_columns(gifts, 0.0, EXTRA, cost)
    return (_of_lp(given) or duals).rows


def _fixed(program: Program, duals: Duals) -> Program:
    at = duals.x[duals.fixed]
    return program.with_bounds(duals.fixed, at, at)


def _of_lp(program: Program) -> Duals | None:
    """Return the duals of a program without its integers; None where it has no optimum."""
    solved = rescaled(program)
    session = Session(solved.program)
    result = session.run(iterations=LP_ITERATIONS)
    duals = session.duals() if result.status == "optimal" else None
    return None if duals is None else solved.duals(duals)
