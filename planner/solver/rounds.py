"""One plan: relax, solve with binary directions only where they matter, settle, then tidy.

1. The LP relaxation gives a bound and the turnover that the gap is relative to.
2. Charging against discharging, import against export: their switches start continuous, so each
   round solves a relaxation of the full program, and its bound holds for the full program. An LP
   with integers and directions fixed then settles the plan without overlaps. If that plan is within
   the gap of the bound it is the answer; else the switches of the steps that overlapped (by more
   than 1e-6 MW) become binary and the next round begins.
3. Several plans can earn the same. A few LPs on the optimal face of the settled one pick the
   tidiest: renewable energy to compute first, least storage throughput, fewest wake-ups, least
   fuel.

Which way the two-way flows of a point go, and where they go both ways at once.

Several plans can earn the same: LPs on the optimal face of the settled one pick the tidiest.

Renewable energy to compute first, then least storage throughput, fewest wake-ups, least fuel.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from planner.errors import InfeasibleError, NoPlanError, SolveError
from planner.scenario.scenario_file import SolverSettings
from planner.solver.highs import Result, Session
from planner.solver.program import Duals, Program
from planner.timeseries.series import Array

OVERLAP_MW = 1e-6


def directions(program: Program, x: Array) -> Array:
    """Return 0 or 1 for every switch: the way the larger of its flows goes, or as it stands."""
    values = program.values(x)
    first, second = values[program.first_flow], values[program.second_flow]
    idle = np.maximum(first, second) <= OVERLAP_MW
    return np.where(idle, np.round(x[program.switches]), first > second)


def overlaps(program: Program, x: Array | None) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return the switches whose flows go both ways at once."""
    if x is None:
        return np.zeros(len(program.switches), dtype=bool)
    values = program.values(x)
    both = np.minimum(values[program.first_flow], values[program.second_flow])
    return np.asarray(both > OVERLAP_MW)


SETTLE_LIMIT_S = 60.0  # for an LP with every integer fixed


def tidy(session: Session, program: Program, x: Array) -> Array:
    """Pick the tidiest of the plans that earn as much as the one just settled."""
    for row in program.tidy_rows:
        session.stay_optimal()
        session.cost(program.reports[[row]].toarray().ravel(), 0.0)
        result = session.run(time_limit_s=SETTLE_LIMIT_S)
        if result.status != "optimal" or result.x is None:
            break
        x = result.x
    return x


ROUNDS_SHARE = 0.8  # of the time limit; the rest is for one solve with every switch binary
BELIEVED = 1e-6  # largest miss of a row, bound or integer, relative to its size


class PointlessError(InfeasibleError):
    """The program has no point; why is still to be told."""


class UnboundedError(InfeasibleError):
    """The program has no best point; why is still to be told."""


@dataclass
class Solution:
    """A point that satisfies the program, what it earns and what is proven about it.

    `duals` are of the LP with its integers and directions fixed, the relaxation itself in a
    relaxed scenario; None where that LP has no optimum.
    """

    x: Array
    status: str
    bound: float
    tidied: bool = False
    rounds: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    duals: Duals | None = None


def optimise(program: Program, settings: SolverSettings) -> Solution:
    """Solve a program within its settings. Raises as `solve`."""
    session = Session(program, threads=settings.threads, seed=settings.seed)
    deadline = time.perf_counter() + settings.time_limit_s
    relaxed = session.run(time_limit_s=settings.time_limit_s)
    _demand_answer(relaxed)
    if session.stopped:
        raise KeyboardInterrupt
    if relaxed.x is None:
        raise NoPlanError(_out_of_time(settings))
    seconds = {"relaxation_s": session.seconds}
    if settings.relax:
        if relaxed.status != "optimal":
            raise NoPlanError(_out_of_time(settings))
        solution = Solution(relaxed.x, "relaxed", relaxed.objective, duals=session.duals())
    else:
        solution = _rounds(session, program, settings, relaxed, deadline)
        before = session.seconds
        if solution.tidied:
            tidied = tidy(session, program, solution.x)
            missed = _objective(program, tidied) - solution.bound
            # Tidying keeps the profit and may turn over less: the gap asked for must still hold.
            if solution.status != "optimal" or missed <= _allowed(program, settings, tidied):
                solution.x = tidied
        seconds["tidy_s"] = session.seconds - before
        objective = _objective(program, solution.x)
        if solution.bound - objective > max(1e-3, 1e-6 * program.turnover(solution.x)):
            raise SolveError(
                "the solver claims a bound that its own plan beats; it is not believed"
            )
        solution.bound = min(solution.bound, objective)  # rounding
    solution.seconds = seconds | {"solver_s": session.seconds}
    exact = replace(program, integer=program.integer & (not settings.relax))
    if (miss := exact.violation(solution.x)) > BELIEVED:
        raise SolveError(
            f"the solver's plan breaks its own rules by {miss:.1e}; it is not believed"
        )
    return solution


def _rounds(
    session: Session, program: Program, settings: SolverSettings, relaxed: Result, deadline: float
) -> Solution:
    """Solve until a plan without overlaps is within the gap; leave its LP in the session."""
    assert relaxed.x is not None
    turnover, bound, rounds = program.turnover(relaxed.x), relaxed.bound, 0
    integer = program.integer.copy()
    rounds_end = deadline - (1 - ROUNDS_SHARE) * settings.time_limit_s
    result = relaxed
    while True:
        rounds += 1
        everything = bool(integer[program.switches].all())
        if integer.any():  # else the relaxation is the first round
            session.integrality(integer)
            until = deadline if everything else rounds_end
            gap = settings.gap * turnover
            result = session.run(time_limit_s=until - time.perf_counter(), absolute_gap=gap)
            _demand_answer(result)
            bound = max(bound, result.bound)
        status = "interrupted" if session.stopped else result.status
        final = everything or session.stopped
        if result.x is None:
            if session.stopped:
                raise KeyboardInterrupt
            if final:
                raise NoPlanError(_out_of_time(settings))
            integer[program.switches] = True
            continue
        overlapping = overlaps(program, result.x)
        more = overlapping & ~integer[program.switches]
        settled = settle(session, program, result.x)
        point, duals = settled or (None, None)
        if settled is None and not overlapping.any():
            point = result.x.copy()
            point[program.switches] = directions(program, point)
        if point is not None:
            earned = program.turnover(point)
            solution = Solution(point, status, bound, settled is not None, rounds, duals=duals)
            if _objective(program, point) - bound <= _allowed(program, settings, point):
                solution.status = "optimal"
                return solution
            if status != "optimal" and (final or not more.any()):
                return solution
            if not more.any():
                if turnover <= earned:
                    return solution  # as close as the solver can tell
                turnover = 0.999 * earned  # the relaxation turned over more: ask for the exact gap
        elif session.stopped:
            raise KeyboardInterrupt
        elif final or not more.any():
            raise NoPlanError(_out_of_time(settings))
        session.bounds(np.arange(len(integer)), program.column_lower, program.column_upper)
        if result.status == "optimal":
            integer[program.switches[more]] = True
        else:
            integer[program.switches] = True


def settle(session: Session, program: Program, x: Array) -> tuple[Array, Duals | None] | None:
    """Fix the integers and directions of a point and find the best plan they allow, an LP.

    Returns the plan and the prices that hold for these commitments, None where no plan has these
    integers and directions.
    """
    states = np.setdiff1d(np.flatnonzero(program.integer), program.switches)
    columns = np.concatenate([states, program.switches])
    fixed = np.concatenate([np.round(x[states]), directions(program, x)])
    session.integrality(np.zeros(len(x), dtype=bool))
    session.bounds(columns, fixed, fixed)
    best = session.run(time_limit_s=SETTLE_LIMIT_S)
    if best.status != "optimal" or best.x is None:
        return None
    duals = session.duals()
    if duals is not None:
        duals.held[columns] = True
    return best.x, duals


def _allowed(program: Program, settings: SolverSettings, x: Array) -> float:
    """Return how far from its bound a plan may be, CNY: the gap is relative to its turnover."""
    return settings.gap * program.turnover(x) + 1e-6


def _objective(program: Program, x: Array) -> float:
    return float(program.cost @ x + program.offset)


def _demand_answer(result: Result) -> None:
    if result.status == "infeasible":
        raise PointlessError("no plan satisfies every rule of the scenario")
    if result.status == "unbounded":
        raise UnboundedError("the profit has no bound: something can be sold without limit")


def _out_of_time(settings: SolverSettings) -> str:
    return (
        f"no plan was found within {settings.time_limit_s:g} s;"
        " try a longer --time-limit or a looser --gap"
    )
