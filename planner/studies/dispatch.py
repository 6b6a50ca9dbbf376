"""The dispatch of a window whose commitments and declarations are decided already.

1. Commitments and declarations are pinned and the rest is dispatched: an LP, where no other
   integers are left. Rules over the horizon use the lookahead of the window, a firm one if there is
   a plan with it (`lookaheads`).
2. If no plan has these commitments, they are decided anew for the rest of the window; declarations
   are binding.
3. If there is no plan at all, the rules of the horizon (`end_rows`) are relaxed by as little as
   possible, and where that is not enough any rows. Settlement reports the breaches.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

import pandas as pd

from planner.diagnosis.breaches import breaches
from planner.scenario.scenario import Scenario
from planner.solver.compiler import program_of
from planner.solver.elastic import least_miss, row_sizes
from planner.solver.pinning import Pinned, pin
from planner.solver.program import Program
from planner.solver.rounds import InfeasibleProgramError, optimise_uninterrupted
from planner.studies.window import Lookahead, lookaheads
from planner.timeseries.horizon import Window

EXTRA_SLACK = 1e-6  # of its size: how much further a row is relaxed than it is missed
COMMITMENT, DECLARATION = "commitment", "declaration"


@dataclass(frozen=True, eq=False)
class Operation:
    """The schedule of a window, one row per step.

    changed: whether commitments had to be decided anew.
    forced: whether rows had to be relaxed because no plan keeps them all.
    """

    schedule: pd.DataFrame
    changed: bool = False
    forced: bool = False


def decided_columns(scenario: Scenario, schedule: pd.DataFrame) -> dict[str, list[str]]:
    """Return the here-and-now columns of a schedule: commitments and declarations."""
    columns: dict[str, list[str]] = {COMMITMENT: [], DECLARATION: []}
    for column in map(str, schedule.columns):
        name, _, quantity = column.partition(".")
        bare = quantity.partition("[")[0]
        if bare in scenario.components[name].here_and_now():
            columns[DECLARATION if bare.startswith("declar") else COMMITMENT].append(column)
    return columns


def operate(
    scenario: Scenario, window: Window, lookahead: Lookahead, planned: pd.DataFrame | None = None
) -> Operation:
    """Find the most profitable schedule of a window with the commitments and declarations decided.

    Args:
        scenario: at the state before the window, with actuals and forecasts as known.
        window: the steps.
        lookahead: of the horizon.
        planned: the schedule with the commitments and declarations; None where nothing is decided.

    Raises:
        NoPlanError: the time limit struck.
        InfeasibleError: the profit is unbounded.
    """
    attempts: list[tuple[str, ...]] = [()]
    given = pd.DataFrame(index=scenario.horizon.starts)
    if planned is not None:
        attempts, given = [(COMMITMENT, DECLARATION), (DECLARATION,)], planned
    decided = decided_columns(scenario, given)
    for pinned_kinds in attempts:
        for window_scenario in lookaheads(scenario, window, lookahead):
            program = program_of(window_scenario, window)
            columns = [column for kind in pinned_kinds for column in decided[kind]]
            pinned = pin(program, given[columns])
            changed = planned is not None and COMMITMENT not in pinned_kinds
            if not pinned.misfits:
                with suppress(InfeasibleProgramError):
                    return Operation(dispatch(pinned.program), changed)
    with suppress(InfeasibleProgramError):
        if (relaxed := with_relaxed_ends(pinned.program)) is not None:
            return Operation(dispatch(relaxed), changed, forced=True)
    return Operation(least_broken(pinned), changed, forced=True)


def with_relaxed_ends(program: Program) -> Program | None:
    """Return the program with its rules of the horizon relaxed by as little as possible.

    None where it has none, or is infeasible without them too.
    """
    rows = program.end_rows
    if not rows.size:
        return None
    size = row_sizes(program)[rows]
    point = least_miss(program, rows, 1 / size, program.scenario.solver.time_limit_s)
    if point is None:
        return None
    _, below, above = point
    return program.with_row_bounds(
        rows,
        program.row_lower[rows] - (below * (1 + EXTRA_SLACK) + EXTRA_SLACK * size),
        program.row_upper[rows] + (above * (1 + EXTRA_SLACK) + EXTRA_SLACK * size),
    )


def least_broken(pinned: Pinned) -> pd.DataFrame:
    """Return the schedule of an infeasible program that misses its rows by the least amounts.

    Raises:
        NoPlanError: the time limit struck.
    """
    _, relaxed = breaches(pinned)
    return dispatch(relaxed)


def dispatch(program: Program) -> pd.DataFrame:
    """Return the best schedule of a program, an LP where all integers are fixed. Raises as `solve`.

    Raises:
        KeyboardInterrupt: Ctrl-C, also where a plan was found before.
    """
    free = program.column_upper > program.column_lower
    lp = replace(program, integer=program.integer & free)
    return program.schedule_at(optimise_uninterrupted(lp).x)
