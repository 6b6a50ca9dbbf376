"""One plan: relax, solve with direction switches only where they matter, then tidy.

1. The LP relaxation gives a bound and the turnover that the gap is relative to.
2. Charging against discharging, import against export: their switches start continuous. Where a plan
   overlaps by more than 1e-6 MW the switch of that step becomes binary and the program is solved
   again, until none overlaps. The last round's plan is optimal for the full program, because each
   round is a relaxation of it.
3. Several plans can earn the same. With integers and directions fixed, one LP polishes the profit
   and a few more pick the tidiest plan that earns it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from planner.errors import InfeasibleError, NoPlanError
from planner.model import Model, Program, assemble
from planner.plan import Plan, build_plan
from planner.scenario import Scenario, SolverSettings
from planner.series import Array
from planner.solver import Result, Session

OVERLAP_MW = 1e-6
ROUNDS_SHARE = 0.8  # of the time limit; the rest is for one solve with every switch binary


@dataclass
class Solution:
    """A point that satisfies the program, what it earns and what is proven about it."""

    x: Array
    status: str
    bound: float
    tidied: bool = False
    rounds: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


def solve(scenario: Scenario) -> Plan:
    """Find the most profitable plan of a scenario.

    Returns:
        The plan, with its status, bound and gap in `summary`.

    Raises:
        InfeasibleError: no plan satisfies the scenario, or its profit is unbounded.
        NoPlanError: the time limit struck before a first plan.
    """
    began = time.perf_counter()
    model = assemble(scenario)
    built = time.perf_counter()
    program = model.compile()
    compiled = time.perf_counter()
    solution = optimise(program, scenario.solver)
    seconds = {"build_s": built - began, "compile_s": compiled - built} | solution.seconds
    return to_plan(model, program, solution, seconds)


def to_plan(
    model: Model, program: Program, solution: Solution, seconds: dict[str, float]
) -> Plan:
    """Turn a solution into the tables and the summary of a plan."""
    return build_plan(
        model,
        program,
        solution.x,
        status=solution.status,
        bound_cny=-solution.bound,
        tidied=solution.tidied,
        rounds=solution.rounds,
        seconds=seconds,
    )


def optimise(program: Program, settings: SolverSettings) -> Solution:
    """Solve a program within its settings. Raises as `solve`."""
    session = Session(program, threads=settings.threads, seed=settings.seed)
    deadline = time.perf_counter() + settings.time_limit_s
    relaxed = session.run(time_limit_s=settings.time_limit_s)
    _demand_answer(relaxed)
    seconds = {"relaxation_s": session.seconds}
    if settings.relax:
        if relaxed.x is None or relaxed.status != "optimal":
            raise NoPlanError(_out_of_time(settings))
        bound = relaxed.objective
        return Solution(relaxed.x, "relaxed", bound, seconds=seconds | {"solver_s": session.seconds})
    solution = _rounds(session, program, settings, relaxed, deadline)
    before = session.seconds
    x = tidy(session, program, solution.x)
    if x is not None:
        solution.x, solution.tidied = x, True
    solution.bound = min(solution.bound, _objective(program, solution.x))
    solution.seconds = seconds | {
        "tidy_s": session.seconds - before,
        "solver_s": session.seconds,
    }
    return solution


def _rounds(
    session: Session,
    program: Program,
    settings: SolverSettings,
    relaxed: Result,
    deadline: float,
) -> Solution:
    """Solve until no pair of exclusive flows overlaps."""
    if relaxed.x is None:
        raise NoPlanError(_out_of_time(settings))
    turnover = program.turnover(relaxed.x)
    integer = program.integer.copy()
    bound, rounds = relaxed.bound, 0
    rounds_end = deadline - (1 - ROUNDS_SHARE) * settings.time_limit_s
    result = relaxed
    fresh = not integer.any()  # without integers the relaxation is the first round
    while True:
        rounds += 1
        everything = bool(integer[program.switches].all())
        if not fresh:
            session.integrality(integer)
            until = deadline if everything else rounds_end
            result = session.run(
                time_limit_s=until - time.perf_counter(), absolute_gap=settings.gap * turnover
            )
            _demand_answer(result)
            bound = max(bound, result.bound)
        fresh = False
        overlapping = _overlaps(program, result.x)
        if result.status != "optimal":
            if result.x is not None and not overlapping.any():
                return Solution(result.x, result.status, bound, rounds=rounds)
            if everything or result.status == "interrupted":
                raise NoPlanError(_out_of_time(settings))
            integer[program.switches] = True
            continue
        assert result.x is not None
        if overlapping.any():
            integer[program.switches[overlapping]] = True
            continue
        earned = program.turnover(result.x)
        if result.objective - bound <= settings.gap * earned + 1e-6 or turnover <= earned:
            return Solution(result.x, "optimal", bound, rounds=rounds)
        turnover = 0.999 * earned  # the relaxation turned over more: ask for the exact gap


def tidy(session: Session, program: Program, x: Array) -> Array | None:
    """Pick the tidiest plan that earns the same; None where the plan cannot be fixed exactly."""
    directions = program.switches
    values = program.values(x)
    first, second = values[program.first_flow], values[program.second_flow]
    switched = np.where(first > OVERLAP_MW, 1.0, np.where(second > OVERLAP_MW, 0.0, -1.0))
    switched = np.where(switched < 0, np.round(x[directions]), switched)
    columns = np.concatenate([np.flatnonzero(program.integer), directions])
    fixed = np.concatenate([np.round(x[program.integer]), switched])
    session.integrality(np.zeros(len(x), dtype=bool))
    session.bounds(columns, fixed, fixed)
    best = session.run(time_limit_s=60.0)
    if best.status != "optimal" or best.x is None:
        return None
    if best.objective > _objective(program, x) + max(1e-6, 1e-9 * program.turnover(x)):
        return None
    for row in program.tidy_rows:
        session.stay_optimal()
        session.cost(program.reports[[row]].toarray().ravel(), 0.0)
        result = session.run(time_limit_s=60.0)
        if result.status != "optimal" or result.x is None:
            break
        best = result
    return best.x


def _objective(program: Program, x: Array) -> float:
    return float(program.cost @ x + program.offset)


def _overlaps(program: Program, x: Array | None) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if x is None:
        return np.zeros(len(program.switches), dtype=bool)
    values = program.values(x)
    both = np.minimum(values[program.first_flow], values[program.second_flow])
    return np.asarray(both > OVERLAP_MW)


def _demand_answer(result: Result) -> None:
    if result.status == "infeasible":
        raise InfeasibleError("no plan satisfies every rule of the scenario")
    if result.status == "unbounded":
        raise InfeasibleError("the profit has no bound: something can be sold without limit")


def _out_of_time(settings: SolverSettings) -> str:
    return (
        f"no plan was found within {settings.time_limit_s:g} s;"
        " try a longer --time-limit or a looser --gap"
    )
