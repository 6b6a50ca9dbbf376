"""One plan: relax, solve with binary directions only where they matter, settle, then tidy.

1. The LP relaxation gives a bound and the turnover that the gap is relative to.
2. Charging against discharging, import against export: their switches start continuous, so each
   round solves a relaxation of the full program, and its bound holds for the full program. An LP
   with integers and directions fixed then settles the plan without overlaps. If that plan is within
   the gap of the bound it is the answer; else the switches of the steps that overlapped (by more
   than 1e-6 MW) become binary and the next round begins. Where the time limit strikes first, all
   switches become binary for a last round.
3. Several plans can earn the same. A few LPs on the optimal face of the settled one pick the
   tidiest: renewable energy to compute first, least storage throughput, fewest wake-ups, least
   fuel.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np

from planner.errors import InfeasibleError, NoPlanError, SolveError
from planner.scenario.scenario_file import SolverSettings
from planner.solver.highs import Result, Session
from planner.solver.program import Duals, Flags, Program
from planner.timeseries.series import Array

OVERLAP_MW = 1e-6
SETTLE_LIMIT_S = 60.0  # for an LP with every integer fixed
ROUNDS_SHARE = 0.8  # of the time limit; the rest is for one solve with every switch binary
MAX_VIOLATION = 1e-6  # largest miss of a row, bound or integer, relative to its size


class InfeasibleProgramError(InfeasibleError):
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
    _require_point(relaxed)
    if session.stopped:
        raise KeyboardInterrupt
    if relaxed.x is None or (settings.relax and relaxed.status != "optimal"):
        raise _out_of_time(settings)
    seconds = {"relaxation_s": session.seconds}
    if settings.relax:
        solution = Solution(relaxed.x, "relaxed", relaxed.objective, duals=session.duals())
    else:
        solution = Rounds(session, program, settings, deadline, relaxed).solve()
        before = session.seconds
        if solution.tidied:
            _tidy(session, program, settings, solution)
        seconds["tidy_s"] = session.seconds - before
        objective = _objective(program, solution.x)
        if solution.bound - objective > max(1e-3, 1e-6 * program.turnover(solution.x)):
            raise SolveError(
                "the solver claims a bound that its own plan beats; it is not believed"
            )
        solution.bound = min(solution.bound, objective)  # rounding
    solution.seconds = seconds | {"solver_s": session.seconds}
    exact = replace(program, integer=program.integer & (not settings.relax))
    if (miss := exact.violation(solution.x)) > MAX_VIOLATION:
        raise SolveError(
            f"the solver's plan breaks its own rules by {miss:.1e}; it is not believed"
        )
    return solution


class Rounds:
    """The rounds of a program after its relaxation: what is binary by now, and what is proven.

    result: of the round's program, the relaxation before the first.
    bound: the best bound proven so far.
    turnover: what the gap is relative to, CNY: the relaxation's, until a plan turns over less.
    integer: the integer columns of the round, with the switches that are binary by now.
    opening: the switches that overlap and are not binary yet; all of those where no point is known.
    """

    def __init__(
        self, session: Session, program: Program, settings: SolverSettings, deadline: float,
        relaxed: Result,
    ) -> None:  # fmt: skip
        assert relaxed.x is not None
        self.session, self.program, self.settings = session, program, settings
        self.deadline = deadline
        self.result, self.bound = relaxed, relaxed.bound
        self.turnover = program.turnover(relaxed.x)
        self.integer = program.integer.copy()
        self.opening = np.zeros(len(program.switches), dtype=bool)
        self.number = 0

    def solve(self) -> Solution:
        """Solve rounds until a plan is the answer, and leave its LP in the session.

        Raises:
            InfeasibleProgramError, UnboundedError: the program has no point, or no best one.
            NoPlanError: the time limit struck before a first plan.
            KeyboardInterrupt: Ctrl-C before a first plan.
        """
        while True:
            self._solve_round()
            plan = self._settled_plan()
            if plan is None:
                self._require_another_round()
            elif self._is_answer(plan):
                return plan
            elif not self.opening.any():  # the relaxation turned over more: ask for the exact gap
                self.turnover = 0.999 * self.program.turnover(plan.x)
            self._open_switches()

    def _solve_round(self) -> None:
        """Solve with the switches that are binary by now; the relaxation may be the first round."""
        self.number += 1
        if self.integer.any():
            self.session.integrality(self.integer)
            everything = self.integer[self.program.switches].all()
            reserved_s = 0.0 if everything else (1 - ROUNDS_SHARE) * self.settings.time_limit_s
            left_s = self.deadline - reserved_s - time.perf_counter()
            gap_cny = self.settings.gap * self.turnover
            self.result = self.session.run(time_limit_s=left_s, absolute_gap=gap_cny)
            _require_point(self.result)
            self.bound = max(self.bound, self.result.bound)
        continuous = ~self.integer[self.program.switches]
        x = self.result.x
        self.opening = continuous if x is None else continuous & overlaps(self.program, x)

    def _settled_plan(self) -> Solution | None:
        """Return the best plan with the round's integers and directions; None where none has them.

        A point that no LP settles is a plan itself, where none of its flows overlap.
        """
        x, duals = self.result.x, None
        if x is None:
            return None
        settled = settle(self.session, self.program, x)
        if settled is not None:
            x, duals = settled
        elif overlaps(self.program, x).any():
            return None
        else:
            x = x.copy()
            x[self.program.switches] = directions(self.program, x)
        status = "interrupted" if self.session.stopped else self.result.status
        if self._within_gap(x):
            status = "optimal"
        return Solution(x, status, self.bound, settled is not None, self.number, duals=duals)

    def _is_answer(self, plan: Solution) -> bool:
        """Whether a plan is within the gap, or no other round could bring it any nearer."""
        if self.session.stopped or self._within_gap(plan.x):
            return True
        if self.opening.any():
            return False
        exact = self.turnover <= self.program.turnover(plan.x)
        return exact or self.result.status != "optimal"

    def _within_gap(self, x: Array) -> bool:
        return _within_gap(self.program, self.settings, x, self.bound)

    def _require_another_round(self) -> None:
        """Raise where the last round that there can be has brought no plan."""
        if self.session.stopped:
            raise KeyboardInterrupt
        if not self.opening.any():
            raise _out_of_time(self.settings)

    def _open_switches(self) -> None:
        """Make more switches binary: those that overlap; all of them after a time limit."""
        switches = self.program.switches
        self.integer[switches[self.opening] if self.result.status == "optimal" else switches] = True
        every = np.arange(len(self.integer))
        self.session.bounds(every, self.program.column_lower, self.program.column_upper)


def directions(program: Program, x: Array) -> Array:
    """Return 0 or 1 for every switch: the way the larger of its flows goes, or as it stands."""
    values = program.values(x)
    first, second = values[program.first_flow], values[program.second_flow]
    idle = np.maximum(first, second) <= OVERLAP_MW
    return np.where(idle, np.round(x[program.switches]), first > second)


def overlaps(program: Program, x: Array) -> Flags:
    """Return the switches whose flows go both ways at once."""
    values = program.values(x)
    both = np.minimum(values[program.first_flow], values[program.second_flow])
    return np.asarray(both > OVERLAP_MW)


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


def _tidy(session: Session, program: Program, settings: SolverSettings, solution: Solution) -> None:
    """Replace a plan just settled by the tidiest of those that earn as much.

    Tidying keeps the profit and may turn over less: the gap asked for must still hold.
    """
    x = solution.x
    for row in program.tidy_rows:
        session.stay_optimal()
        session.cost(program.reports[[row]].toarray().ravel(), 0.0)
        result = session.run(time_limit_s=SETTLE_LIMIT_S)
        if result.status != "optimal" or result.x is None:
            break
        x = result.x
    if solution.status != "optimal" or _within_gap(program, settings, x, solution.bound):
        solution.x = x


def _within_gap(program: Program, settings: SolverSettings, x: Array, bound: float) -> bool:
    """Whether a plan is as near to the bound as asked for: the gap is relative to its turnover."""
    return _objective(program, x) - bound <= settings.gap * program.turnover(x) + 1e-6


def _objective(program: Program, x: Array) -> float:
    return float(program.cost @ x + program.offset)


def _require_point(result: Result) -> None:
    if result.status == "infeasible":
        raise InfeasibleProgramError("no plan satisfies every rule of the scenario")
    if result.status == "unbounded":
        raise UnboundedError("the profit has no bound: something can be sold without limit")


def _out_of_time(settings: SolverSettings) -> NoPlanError:
    return NoPlanError(
        f"no plan was found within {settings.time_limit_s:g} s;"
        " try a longer --time-limit or a looser --gap"
    )
