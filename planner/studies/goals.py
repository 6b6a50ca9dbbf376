"""Goals reached one after the other, each as far as it can be without giving up those before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from planner.program import Program
from planner.series import Array
from planner.solver import Session
from planner.studies.directions import directions

WHOLE = 1e-6  # relative: how far a relaxed solution may miss integers and directions
HELD = 1e-9  # of its size: what a goal may lose to the next ones


def reach(program: Program, goals: list[Array]) -> Array | None:
    """Minimise goals one after the other; None where the program has no point."""
    x: Array | None = None
    for goal in goals:
        if x is not None and not goal.any():
            continue
        found = _least(replace(program, cost=goal, offset=0.0))
        if found is None:
            return x
        x = found
        most = float(goal @ x)
        program = with_row(program, goal, -np.inf, most + HELD * max(1.0, abs(most)))
    return x


def _least(program: Program) -> Array | None:
    """Return where a program has its minimum; integers only where the relaxation misses some."""
    limit = program.scenario.solver.time_limit_s
    session = Session(program, threads=1, seed=0)
    x = session.run(time_limit_s=limit).x
    if x is not None:
        x[program.switches] = directions(program, x)
    if x is not None and program.violation(x) > WHOLE:
        session.integrality(program.integer)
        x = session.run(time_limit_s=limit).x
    if session.stopped:
        raise KeyboardInterrupt
    return x


def with_row(program: Program, weights: Array, low: float, high: float) -> Program:
    """Return the program with one row more: low <= weights @ x <= high."""
    row = sparse.csr_array(weights.reshape(1, -1))
    return replace(
        program,
        matrix=sparse.csc_array(sparse.vstack([program.matrix, row])),
        row_lower=np.append(program.row_lower, low),
        row_upper=np.append(program.row_upper, high),
        row_steps=np.append(program.row_steps, 0),
        row_families=np.append(program.row_families, -1),
    )
