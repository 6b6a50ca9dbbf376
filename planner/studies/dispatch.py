"""The best plan of a window where part of it is decided already, and what is done if there is none.

1. What is decided (commitments, declarations) is pinned and the rest is dispatched: an LP, where no
   other integers are left. Rules over the horizon count on what a relaxation of it does after the
   window, firmly if that can be (`ahead`).
2. If no plan has these commitments they are decided anew for the rest of the window; declarations
   stand, they cannot be taken back.
3. If there is no plan at all, the rules of the horizon (`end_rows`) give way by as little as can
   be; where that is not enough any rows do. Settlement names what that breaks.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from planner.diagnosis.breaches import breaches
from planner.scenario.scenario import Scenario, SolverSettings
from planner.solver.elastic import every_integer
from planner.solver.highs import Session
from planner.solver.model import Model, assemble
from planner.solver.pinning import Pinned, pin
from planner.solver.program import Indices, Program, compile_program
from planner.solver.rounds import PointlessError, optimise
from planner.studies.window import Ahead, counting, schedule_of
from planner.timeseries.horizon import Window

ROOM = 1e-6  # of its size: how much further a row gives way than it is missed
COMMITMENT, DECLARATION = "commitment", "declaration"


@dataclass(frozen=True, eq=False)
class Operated:
    """The schedule of a window, a row a step.

    changed: whether commitments had to be decided anew.
    forced: whether rows had to give way because no plan keeps them all.
    """

    schedule: pd.DataFrame
    changed: bool = False
    forced: bool = False


def given(scenario: Scenario, schedule: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of several windows as they can be settled: without what each counts anew."""
    sums = {
        f"{name}.{column}"
        for name, component in scenario.components.items()
        for column in component.counters
    }
    return schedule.drop(columns=[column for column in schedule.columns if column in sums])


def decided_columns(scenario: Scenario, schedule: pd.DataFrame) -> dict[str, list[str]]:
    """Return the columns of a schedule that are decided when it is planned, of either kind."""
    found: dict[str, list[str]] = {COMMITMENT: [], DECLARATION: []}
    for column in map(str, schedule.columns):
        name, _, quantity = column.partition(".")
        bare = quantity.partition("[")[0]
        if bare in scenario.components[name].here_and_now():
            found[DECLARATION if bare.startswith("declar") else COMMITMENT].append(column)
    return found


def operate(
    scenario: Scenario, window: Window, ahead: Ahead, planned: pd.DataFrame | None = None
) -> Operated:
    """Find the most profitable schedule of a window that keeps to what is decided.

    Args:
        scenario: at the state before the window, with what is known or believed of its series.
        window: the steps.
        ahead: what rules over the horizon may count on after the window.
        planned: the schedule that what is decided is taken from; None where nothing is.

    Raises:
        NoPlanError: the time limit struck.
        InfeasibleError: a row contradicts itself without any decision in it, or the profit of the
            scenario has no bound.
    """
    ways: list[tuple[str, ...]] = [()]
    if planned is not None:
        ways = [(COMMITMENT, DECLARATION), (DECLARATION,)]
    firmly = (True,) if window.last == scenario.horizon.steps else (True, False)
    for held in ways:
        for firm in firmly:
            model = assemble(counting(scenario, window, ahead, firm=firm), window)
            pinned = Pinned(compile_program(model), ())
            if planned is not None:
                decided = decided_columns(scenario, planned)
                columns = [column for kind in held for column in decided[kind]]
                pinned = pin(pinned.program, planned[columns])
            changed = planned is not None and COMMITMENT not in held
            if not pinned.misfits:
                with suppress(PointlessError):
                    return Operated(dispatch(pinned.program, scenario.solver), changed)
    with suppress(PointlessError):
        if (relieved := without_ends_missed(pinned.program)) is not None:
            return Operated(dispatch(relieved, scenario.solver), changed, forced=True)
    return Operated(least_broken(model, pinned), changed, forced=True)


def end_rows(program: Program) -> Indices:
    """Return the rows that hold at the end of the horizon, or of the window planned."""
    components = program.scenario.components
    ends = [
        number
        for (component, row, _), number in program.families.items()
        if component and row in components[component].end_rows
    ]
    return np.flatnonzero(np.isin(program.row_families, ends) & (program.row_steps == 0))


def without_ends_missed(program: Program) -> Program | None:
    """Return the program whose rules of the horizon give way by as little as can be.

    None where it has none, or no plan without them either.
    """
    rows = end_rows(program)
    height, width = program.matrix.shape
    size = np.maximum(1e-12, abs(program.matrix).max(axis=1).toarray().ravel()[rows])
    slack = sparse.csc_array(
        (np.ones(len(rows)), (rows, np.arange(len(rows)))), (height, len(rows))
    )
    none, free = np.zeros(2 * len(rows)), np.full(2 * len(rows), np.inf)
    elastic = replace(
        program,
        matrix=sparse.csc_array(sparse.hstack([program.matrix, slack, -slack])),
        column_lower=np.concatenate([program.column_lower, none]),
        column_upper=np.concatenate([program.column_upper, free]),
        cost=np.concatenate([0.0 * program.cost, 1 / size, 1 / size]),
        offset=0.0,
    )
    session = Session(elastic, threads=1, seed=0)
    session.integrality(np.concatenate([every_integer(program), none.astype(bool)]))
    x = session.run(time_limit_s=program.scenario.solver.time_limit_s).x if rows.size else None
    if session.stopped:
        raise KeyboardInterrupt
    if x is None:
        return None
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    lower[rows] -= x[width : width + len(rows)] * (1 + ROOM) + ROOM * size
    upper[rows] += x[width + len(rows) :] * (1 + ROOM) + ROOM * size
    return replace(program, row_lower=lower, row_upper=upper)


def least_broken(model: Model, pinned: Pinned) -> pd.DataFrame:
    """Return the schedule of a program without a plan that misses its rows by as little as can be.

    Raises:
        NoPlanError: the time limit struck.
    """
    settings = model.scenario.solver
    _, loose = breaches(model, pinned, settings.time_limit_s)
    return dispatch(loose, settings)


def dispatch(program: Program, settings: SolverSettings) -> pd.DataFrame:
    """Return the best schedule of a program; integers that are fixed cost nothing. Raises as solve.

    Raises:
        KeyboardInterrupt: Ctrl-C, also where a plan was found before.
    """
    free = program.column_upper > program.column_lower
    solution = optimise(replace(program, integer=program.integer & free), settings)
    if solution.status == "interrupted":
        raise KeyboardInterrupt
    return schedule_of(program, solution.x)
