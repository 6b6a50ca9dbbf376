"""The best plan of a window where part of it is decided already, and what is done if there is none.

1. What is decided (commitments, declarations) is pinned and the rest is dispatched: an LP, where no
   other integers are left.
2. If no plan has these commitments they are decided anew for the rest of the window; declarations
   stand, they cannot be taken back.
3. If there is no plan at all, the rows that contradict each other give way by as little as can be,
   and the step is done as well as it can be. Settlement names what that breaks.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

import pandas as pd

from planner.errors import InfeasibleError
from planner.horizon import Window
from planner.model import Model, assemble
from planner.program import Program, compile_program
from planner.scenario import Scenario, SolverSettings
from planner.studies.breaches import breaches
from planner.studies.pinned import Pinned, pin
from planner.studies.single import optimise
from planner.studies.windows import schedule_of

COUNTED_ANEW = frozenset({"taken_mtok"})
"""Columns that begin at another value in every window; they follow from the rest."""
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


def given(schedule: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of several windows as they can be settled: without what each counts anew."""
    new = [c for c in schedule.columns if str(c).partition(".")[2] in COUNTED_ANEW]
    return schedule.drop(columns=new)


def decided_columns(scenario: Scenario, schedule: pd.DataFrame) -> dict[str, list[str]]:
    """Return the columns of a schedule that are decided when it is planned, of either kind."""
    found: dict[str, list[str]] = {COMMITMENT: [], DECLARATION: []}
    for column in map(str, schedule.columns):
        name, _, quantity = column.partition(".")
        bare = quantity.partition("[")[0]
        if bare in scenario.components[name].here_and_now():
            found[DECLARATION if bare.startswith("declar") else COMMITMENT].append(column)
    return found


def operate(scenario: Scenario, window: Window, planned: pd.DataFrame | None = None) -> Operated:
    """Find the most profitable schedule of a window that keeps to what is decided.

    Args:
        scenario: at the state before the window, with what is known or believed of its series.
        window: the steps.
        planned: the schedule that what is decided is taken from; None where nothing is.

    Raises:
        NoPlanError: the time limit struck.
        InfeasibleError: a row contradicts itself without any decision in it, or the profit of the
            scenario has no bound.
    """
    model = assemble(scenario, window)
    program = compile_program(model)
    pinned = Pinned(program, ())
    if planned is not None:
        decided = decided_columns(scenario, planned)
        for kinds in ((COMMITMENT, DECLARATION), (DECLARATION,)):
            columns = [column for kind in kinds for column in decided[kind]]
            pinned = pin(program, planned[columns])
            if not pinned.misfits:
                with suppress(InfeasibleError):
                    schedule = dispatch(pinned.program, scenario.solver)
                    return Operated(schedule, changed=COMMITMENT not in kinds)
    else:
        with suppress(InfeasibleError):
            return Operated(dispatch(program, scenario.solver))
    return Operated(least_broken(model, pinned), changed=planned is not None, forced=True)


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
