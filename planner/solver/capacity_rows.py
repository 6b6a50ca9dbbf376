"""Capacity rows: how much must be committed in a step, as rows over states.

The most that the units that are on can give, with what is shed or falls short, covers what a step
asks for beyond the most that everything else can give:

    sum over units of most output x state  +  shed  +  shortfall  >=  load + reserve - the others

The LP relaxation keeps these rows, so that its bound stays; but over binary states they are
knapsacks, from which a search over integers cuts what the relaxation is too good by.

No component is known here. Every step stands alone: its rows, with the columns of other steps at
the bounds that help most. With all states and slacks 0 the least shortage of what units deliver is
an LP, and its duals y combine the rows A x >= b of a step to

    y A x >= y b    where every column but states and slacks then goes to the bound that helps most

This is a nonnegative combination of rows and bounds: it is valid whatever y is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from planner.solver.highs import LP_ITERATIONS, Spent
from planner.solver.implied_bounds import Bounds, confined, entries_of, extremes
from planner.solver.program import BINDING, NO_INDICES, NO_STEP, Flags, Program
from planner.solver.session import Session
from planner.timeseries.series import Array

NEGLIGIBLE = 1e-9  # a dual, a value or a coefficient of this size is 0, as for the solver


def capacity_rows(
    program: Program, x: Array, spent: Spent | None = None
) -> tuple[sparse.csr_array, Array]:
    """Return rows that every plan keeps, matrix @ x >= lower, where the relaxation needs states.

    These are the rows without room to spare at x; none where others can cover every step.

    Args:
        program: in the units it is solved in.
        x: an optimum of the LP relaxation; shape (columns,).
        spent: of the session that the rows are for [none].
    """
    state = np.isin(np.arange(len(x)), np.concatenate([NO_INDICES, *program.states]))
    kept = state | _slacks(program, state, x)
    alone = _steps_alone(program)
    y = _prices(alone, state, kept, spent)
    count, step = connected_components(abs(alone.matrix) @ abs(alone.matrix).T, directed=False)
    rows = sparse.coo_array(
        sparse.csr_array((y, (step, np.arange(len(y)))), shape=(count, len(y))) @ alone.matrix
    )
    asked = y * np.where(y > 0, alone.row_lower, np.where(y < 0, alone.row_upper, 0.0))
    _, most = extremes(rows.col, rows.data, _bounds(program))
    nothing = kept[rows.col] | (np.isinf(most) & _negligible(rows.data))
    given = np.bincount(rows.row, np.where(nothing, 0.0, most), count)
    lower = np.bincount(step, asked, count) - given
    matrix = sparse.csr_array(rows @ sparse.diags_array(kept.astype(float)))
    needed = np.isfinite(lower) & (lower > NEGLIGIBLE)
    needed &= matrix @ x - lower <= BINDING * np.maximum(1.0, lower)
    return matrix[needed], lower[needed]


def _slacks(program: Program, state: Flags, x: Array) -> Flags:
    """Return the columns that have a cost and are 0 at a point, but those of units with states."""
    names = [component for component, _, _ in program.variable_families]
    owner = np.unique([*names, ""], return_inverse=True)[1][program.column_families]
    of_units = np.isin(owner, owner[state])
    return (program.cost > 0) & _negligible(x) & ~program.all_integer & ~of_units


def _steps_alone(program: Program) -> Program:
    """Return the rows of steps over the columns of their own step, without an objective."""
    entries = entries_of(program.matrix, program.row_lower, program.row_upper)
    step = program.row_steps[entries.rows]
    own = (step == program.column_steps[entries.columns]) & (step != NO_STEP)
    row, column, values, lower, upper = confined(entries, own, _bounds(program))
    matrix = sparse.csr_array((values, (row, column)), program.matrix.shape)
    rows = (np.isfinite(lower) | np.isfinite(upper)) & (np.diff(matrix.indptr) > 0)
    return replace(
        program.feasibility,
        matrix=sparse.csc_array(matrix[rows]),
        row_lower=lower[rows],
        row_upper=upper[rows],
        row_steps=program.row_steps[rows],
        row_families=program.row_families[rows],
    )


def _prices(alone: Program, state: Flags, kept: Flags, spent: Spent | None) -> Array:
    """Return the duals of rows where shortage is least and all kept columns are 0.

    Units deliver the columns that rows bound by a state. Every row that wants more of what is
    delivered can fall short.
    """
    entries, count = sparse.coo_array(alone.matrix), len(alone.row_lower)
    row, column, rises = entries.row, entries.col, entries.data > 0
    below, above = np.isfinite(alone.row_lower[row]), np.isfinite(alone.row_upper[row])
    helps, hurts = np.where(rises, below, above), np.where(rises, above, below)
    bounding = np.isin(row, row[state[column] & helps & ~hurts])
    delivered = np.isin(column, column[bounding & hurts & ~helps & ~kept[column]])
    wanting, side = np.unique(np.array([row, rises])[:, helps & delivered], axis=1)
    signs = (2.0 * side - 1, (wanting, np.arange(len(wanting))))
    shortage = sparse.csc_array(signs, (count, len(wanting)))
    limited = alone.with_bounds(kept, 0.0, 0.0).with_columns(shortage, 0.0, np.inf, 1.0)
    session = Session(limited, spent=spent)
    best, duals = session.run(iterations=LP_ITERATIONS), session.duals()
    if best.status != "optimal" or duals is None:
        return np.zeros(count)
    possible = np.isfinite(np.where(duals.rows > 0, alone.row_lower, alone.row_upper))
    return np.where(possible & ~_negligible(duals.rows), duals.rows, 0.0)


def _bounds(program: Program) -> Bounds:
    return Bounds(program.column_lower, program.column_upper)


def _negligible(values: Array) -> Flags:
    return np.asarray(np.abs(values) <= NEGLIGIBLE)
