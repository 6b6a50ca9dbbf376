"""The best plan of a window where part of it is decided already, and what is done if there is none.

1. What is decided (commitments, declarations) is pinned and the rest is dispatched: an LP, where no
   other integers are left. Rules over the horizon count on what a relaxation of it does after the
   window, firmly if that can be (`lookaheads`).
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

from planner.diagnosis.breaches import breaches
from planner.scenario.scenario import Scenario
from planner.scenario.scenario_file import SolverSettings
from planner.solver.compiler import compile_program
from planner.solver.elastic import least_miss, row_sizes
from planner.solver.model import Model, assemble
from planner.solver.pinning import Pinned, pin
from planner.solver.program import Indices, Program
from planner.solver.rounds import InfeasibleProgramError, optimise
from planner.studies.window import Lookahead, lookaheads
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
    scenario: Scenario, window: Window, lookahead: Lookahead, planned: pd.DataFrame | None = None
) -> Operated:
    """Find the most profitable schedule of a window that keeps to what is decided.

    Args:
        scenario: at the state before the window, with what is known or believed of its series.
        window: the steps.
        lookahead: what rules over the horizon may count on after the window.
        planned: the schedule that what is decided is taken from; None where nothing is.

    Raises:
        NoPlanError: the time limit struck.
        InfeasibleError: a row contradicts itself without any decision in it, or the profit of the
            scenario has no bound.
    """
    ways: list[tuple[str, ...]] = [()]
    if planned is not None:
        ways = [(COMMITMENT, DECLARATION), (DECLARATION,)]
    for pinned_kinds in ways:
        for counting in lookaheads(scenario, window, lookahead):
            model = assemble(counting, window)
            pinned = Pinned(compile_program(model), ())
            if planned is not None:
                decided = decided_columns(scenario, planned)
                columns = [column for kind in pinned_kinds for column in decided[kind]]
                pinned = pin(pinned.program, planned[columns])
            changed = planned is not None and COMMITMENT not in pinned_kinds
            if not pinned.misfits:
                with suppress(InfeasibleProgramError):
                    return Operated(dispatch(pinned.program, scenario.solver), changed)
    with suppress(InfeasibleProgramError):
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
    if not rows.size:
        return None
    size = row_sizes(program)[rows]
    point = least_miss(program, rows, 1 / size, program.scenario.solver.time_limit_s)
    if point is None:
        return None
    _, below, above = point
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    lower[rows] -= below * (1 + ROOM) + ROOM * size
    upper[rows] += above * (1 + ROOM) + ROOM * size
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
    return program.schedule_at(solution.x)
