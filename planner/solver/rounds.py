"""Solves a program in rounds: relax, make directions binary where they matter, settle, tidy.

1. The LP relaxation gives a bound and the turnover that the gap is relative to.
2. Integers are decided by `search` over states in the first round, where there are few; where that
   cannot help, reaches its limits or another round follows, by the search of HiGHS.
3. The switches of opposite flows (charge and discharge, import and export) start continuous, so
   each round solves a relaxation of the full program, whose bound holds for the full program. An LP
   with integers and directions fixed then settles a plan without overlaps. The plan is returned if
   it is within the gap of the bound; else the switches of the steps that overlapped (by more than
   1e-6 MW) become binary for the next round. If the time limit strikes first, all switches become
   binary for a last round.
4. Among plans of the same profit `tidying` chooses one, and `origins` attributes its energy.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from planner.errors import InfeasibleError, NoPlanError, SolveError
from planner.message import Message
from planner.scenario.scenario_file import SolverSettings
from planner.solver.capacity_rows import capacity_rows
from planner.solver.highs import LP_ITERATIONS, Result
from planner.solver.origins import attribute, origins_are_given
from planner.solver.program import Duals, Program
from planner.solver.progress import Progress
from planner.solver.scaling import rescaled
from planner.solver.search import MOST_STATES, search
from planner.solver.session import Session
from planner.solver.solution import Solution
from planner.solver.tidying import Tidying
from planner.timeseries.series import Array

ROUNDS_SHARE = 0.8  # of the time limit; the rest is for one solve with every switch binary
MIN_ROUNDING = 1e-3  # CNY that the tolerances of the LPs that tidy a plan may cost
ROUNDING = 1e-7  # or that part of turnover
LARGE = 100_000  # columns: rules over the horizon are added to an optimum without them
MAX_VIOLATION = 1e-6  # of a row, bound or integer, relative to its size


class InfeasibleProgramError(InfeasibleError):
    """The program is infeasible; the diagnosis is still to be made."""


class UnboundedError(InfeasibleError):
    """The program is unbounded; the diagnosis is still to be made."""


def optimise(program: Program, settings: SolverSettings) -> Solution:
    """Solve a program within its settings. Raises as `solve`."""
    solved, progress = rescaled(program), Progress(program)
    solution = _optimise(solved.program, settings, progress)
    solution = replace(
        solution,
        x=solved.point(solution.x),
        bound=solution.bound / program.units.money,
        duals=solution.duals and solved.duals(solution.duals),
        ranges=solution.ranges and solved.energy(solution.ranges),
    )
    progress.ended(solution, program.objective(solution.x))
    return solution


def _optimise(program: Program, settings: SolverSettings, progress: Progress) -> Solution:
    session = Session(program, threads=settings.threads, seed=settings.seed)
    limit_s = settings.time_limit_s
    deadline = time.perf_counter() + limit_s
    if len(program.cost) > LARGE:
        session.run_without(program.end_rows, limit_s)
        limit_s -= session.spent.seconds
    relaxed = session.run(time_limit_s=limit_s)
    require_point(relaxed)
    if session.spent.stopped:
        raise KeyboardInterrupt
    if relaxed.x is None or (settings.relax and relaxed.status != "optimal"):
        raise _out_of_time(settings)
    seconds = {"relaxation_s": session.spent.seconds}
    progress.relaxed(relaxed.bound)
    if settings.relax:
        solution = Solution(relaxed.x, "relaxed", relaxed.objective, duals=session.duals())
    else:
        solution = Rounds(session, program, settings, deadline, relaxed, progress).solve()
        if solution.settled and program.schedule:  # joint programs are settled member by member
            seconds |= _choose_among_equals(session, program, settings, solution)
        objective = program.objective(solution.x)
        if solution.bound - objective > max(1e-3, 1e-6 * program.turnover(solution.x)):
            text = Message("the plan is better than the solver's bound; neither can be trusted")
            raise SolveError(text)
        solution.bound = min(solution.bound, objective)  # rounding
    solution.seconds = seconds | {"solver_s": session.spent.seconds}
    exact = replace(program, integer=program.integer & (not settings.relax))
    if (violation := exact.violation(solution.x)) > MAX_VIOLATION:
        raise SolveError(Message(
            "the solver's plan violates its rows by {value:.1e}; it is not to be used",
            value=violation,
        ))  # fmt: skip
    return solution


def optimise_uninterrupted(program: Program, settings: SolverSettings | None = None) -> Solution:
    """Solve a program, with the settings of its scenario by default; Ctrl-C always ends it.

    Raises:
        KeyboardInterrupt: Ctrl-C; else as `optimise`.
    """
    solution = optimise(program, settings or program.scenario.solver)
    if solution.status == "interrupted":
        raise KeyboardInterrupt
    return solution


class Rounds:
    """The rounds of a program after its relaxation.

    result: of the last round, at first of the relaxation.
    bound: the best bound proven so far.
    turnover: what the gap is relative to, CNY: that of the relaxation, until a plan has less.
    integer: the integer columns of the round, including the switches that are binary by now.
    overlapping: the continuous switches whose flows overlap; all of them where no point is known.
    plan: the settled plan of the round before.
    searching: the session of the solver's own search.
    """

    def __init__(
        self, session: Session, program: Program, settings: SolverSettings, deadline: float,
        relaxed: Result, progress: Progress,
    ) -> None:  # fmt: skip
        assert relaxed.x is not None
        self.session, self.program, self.settings = session, program, settings
        self.deadline, self.progress = deadline, progress
        self.result, self.bound = relaxed, relaxed.bound
        self.turnover = program.turnover(relaxed.x)
        self.integer = program.integer.copy()
        self.overlapping = np.zeros(len(program.switches), dtype=bool)
        self.plan: Array | None = None
        self.searching: Session | None = None
        self.number = 0

    def solve(self) -> Solution:
        """Solve rounds until a plan is final, and leave its LP in the session.

        Raises:
            InfeasibleProgramError, UnboundedError: the program is infeasible or unbounded.
            NoPlanError: the time limit struck before a first plan.
            KeyboardInterrupt: Ctrl-C before a first plan.
        """
        while True:
            self._solve_round()
            plan = self._settled_plan()
            self.plan = None if plan is None else plan.x
            cost = None if plan is None else self.program.objective(plan.x)
            self.progress.round(self.number, cost, self.bound)
            if plan is None:
                self._require_another_round()
            elif self._is_final(plan):
                return plan
            elif not self.overlapping.any():  # the relaxation has a larger turnover than the plan
                self.turnover = 0.999 * self.program.turnover(plan.x)
            self._open_switches()

    def _solve_round(self) -> None:
        """Solve with the switches binary by now; without integers the relaxation stands."""
        self.number += 1
        if self.integer.any():
            all_binary = self.integer[self.program.switches].all()
            reserved_s = 0.0 if all_binary else (1 - ROUNDS_SHARE) * self.settings.time_limit_s
            deadline = self.deadline - reserved_s
            searched = None
            if self.number == 1:
                searched = search(
                    self.session, self.program, self.result, self.settings.gap, deadline
                )
            if searched is None or searched.status == "work_limit":
                self._search_further(deadline, searched)
            else:
                self.result = searched
            self.bound = max(self.bound, self.result.bound)
        continuous = ~self.integer[self.program.switches]
        x = self.result.x
        self.overlapping = continuous if x is None else continuous & self.program.overlaps(x)

    def _search_further(self, deadline: float, searched: Result | None) -> None:
        """Solve the round with the solver's own search, from the best plan of another."""
        if self.searching is None:
            self.searching = self._session_of_search()
        every, session = np.arange(len(self.integer)), self.searching
        if session.spent.stopped:  # before a first plan
            raise KeyboardInterrupt
        session.bounds(every, self.program.column_lower, self.program.column_upper)
        session.integrality(self.integer)
        session.report = self.progress.searching
        self.result = session.run(
            time_limit_s=deadline - time.perf_counter(),
            absolute_gap=self.settings.gap * self.turnover,
            start=self.plan if searched is None else searched.x,
        )
        require_point(self.result)
        if searched is not None:
            self.bound = max(self.bound, searched.bound)
            if self.result.x is None:
                self.result = replace(self.result, x=searched.x)

    def _session_of_search(self) -> Session:
        """Return the session that searches: one of its own, with capacity rows, for many states."""
        if len(self.program.states) <= MOST_STATES or self.result.x is None:
            return self.session
        matrix, lower = capacity_rows(self.program, self.result.x, self.session.spent)
        session = self.session.beside(self.program.with_rows(matrix, lower, np.inf))
        session.search_without_restarts()
        return session

    def _settled_plan(self) -> Solution | None:
        """Return the best plan with the round's integers and directions, None if there is none.

        A point that no LP settles is a plan itself if none of its flows overlap.
        """
        x, duals = self.result.x, None
        if x is None:
            return None
        settled, best = settle(self.session, self.program, x), self.result.best
        value = np.inf if settled is None else self.program.objective(settled[0])
        if best is not None and self.program.objective(best) < value:
            settled = settle(self.session, self.program, best)
        if settled is not None:
            x, duals = settled
        elif self.program.overlaps(x).any():
            return None
        else:
            x = x.copy()
            x[self.program.switches] = self.program.directions(x)
        status = "interrupted" if self.session.spent.stopped else self.result.status
        if _within_gap(self.program, self.settings.gap, x, self.bound):
            status = "optimal"
        return Solution(x, status, self.bound, settled is not None, self.number, duals=duals)

    def _is_final(self, plan: Solution) -> bool:
        """Return whether a plan is within the gap, or no further round can improve it."""
        within_gap = _within_gap(self.program, self.settings.gap, plan.x, self.bound)
        if self.session.spent.stopped or within_gap:
            return True
        if self.overlapping.any():
            return False
        exact = self.turnover <= self.program.turnover(plan.x)
        return exact or self.result.status != "optimal"

    def _require_another_round(self) -> None:
        """Raise if the last possible round has found no plan."""
        if self.session.spent.stopped:
            raise KeyboardInterrupt
        if not self.overlapping.any():
            raise _out_of_time(self.settings)

    def _open_switches(self) -> None:
        """Make more switches binary: those that overlap, after a time limit all of them."""
        switches = self.program.switches
        optimal = self.result.status == "optimal"
        self.integer[switches[self.overlapping] if optimal else switches] = True


def settle(session: Session, program: Program, x: Array) -> tuple[Array, Duals | None] | None:
    """Return the best point with the integers and directions of another fixed, and its duals.

    None where this LP has no optimum. It begins afresh: its duals do not depend on the search.
    """
    states = np.setdiff1d(np.flatnonzero(program.integer), program.switches)
    columns = np.concatenate([states, program.switches])
    fixed = np.concatenate([np.round(x[states]), program.directions(x)])
    session.integrality(np.zeros(len(x), dtype=bool))
    session.start_afresh()
    session.bounds(columns, fixed, fixed)
    best = session.run(iterations=LP_ITERATIONS)
    if best.status != "optimal" or best.x is None:
        return None
    duals = session.duals()
    if duals is not None:
        duals.fixed[columns] = True
    return best.x, duals


def _choose_among_equals(
    session: Session, program: Program, settings: SolverSettings, solution: Solution
) -> dict[str, float]:
    """Replace a plan just settled by the tidiest of the same profit, with origins by the rule.

    Returns the seconds of both.
    """
    began = time.perf_counter()
    face = _tidy(session, program, settings, solution) if settings.tidy else None
    solution.tidied = face is not None
    if face is None:
        session = session.beside(program)
        if settle(session, program, solution.x) is not None:
            session.stay_optimal()
            face = session.bounded(program)
    tidied = time.perf_counter()
    if face is not None and program.scenario.trace:
        attribution = attribute(face, solution.x, settings)
        if attribution is not None:
            given = origins_are_given(program, solution.x)
            solution.x, ranges = attribution
            solution.ranges = None if given else ranges
    return {"tidy_s": tidied - began, "origins_s": time.perf_counter() - tidied}


def _tidy(
    session: Session, program: Program, settings: SolverSettings, solution: Solution
) -> Program | None:
    """Replace a plan just settled by the tidiest of the same profit, and return its face.

    Its turnover may be less: the requested gap must still hold, but for what smoothing may cost.
    """
    share, proven = settings.smoothing_cost_share, solution.status == "optimal"

    def kept(x: Array) -> bool:
        bound = solution.bound + max(MIN_ROUNDING, ROUNDING * program.turnover(x))
        return not proven or _within_gap(program, settings.gap + share, x, bound)

    tidying = Tidying(session, program, solution.x)
    plan = tidying.tidy(share)
    if share and plan is not None and not kept(plan.x):  # the share is one of its own turnover
        part = program.turnover(plan.x) / program.turnover(solution.x)
        plan = tidying.tidy(share * part)
    if plan is None or not kept(plan.x):
        return None
    solution.x, solution.duals = plan.x, plan.duals
    return plan.face


def _within_gap(program: Program, gap: float, x: Array, bound: float) -> bool:
    """Return whether a plan is within a gap of the bound, relative to its turnover."""
    return program.objective(x) - bound <= gap * program.turnover(x) + 1e-6


def require_point(result: Result) -> None:
    """Raise InfeasibleProgramError or UnboundedError where the program is known to be that."""
    if result.status == "infeasible":
        raise InfeasibleProgramError(Message("no plan satisfies every rule of the scenario"))
    if result.status == "unbounded":
        text = Message("the profit has no bound: something can be sold without limit")
        raise UnboundedError(text)


def _out_of_time(settings: SolverSettings) -> NoPlanError:
    return NoPlanError(Message(
        "no plan was found within {limit:g} s; try a longer --time-limit or a looser --gap",
        limit=settings.time_limit_s,
    ))  # fmt: skip
