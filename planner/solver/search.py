"""A small branch and bound over the states of units, on hot LPs.

States are branched on first: with all of them whole, an LP has the rest but a few other integers,
which are branched on after them. A node fixes states; its bound is the LP relaxation or, where that
is too weak, the hull of the states (`hull`), in which steps get copies as they turn out to need
them. Plans are schedules of states near a relaxation, with what minimum times ask for, settled by
an LP. The branch is in the middle of the longest run of equal fractions. Limits are counted in
nodes: the result does not depend on the clock, unless the user's time limit strikes.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from planner.errors import SolveError
from planner.solver.copies import Copies
from planner.solver.highs import Result, Session
from planner.solver.hull import TIGHT, Hull, ModeBound
from planner.solver.program import Flags, Indices, Program
from planner.solver.state_schedule import StateSchedule
from planner.timeseries.series import Array

MOST_STATES = 4  # with more, the solver's own search is better
MOST_OTHERS = 50  # integers that are no part of the schedule of the states
THRESHOLDS = 0.5, 0.25  # of a state in the relaxation, from which a plan has it
PLAIN_ITERATIONS = 5000  # of the simplex for the relaxation; above, the hull is better
PLAIN_NODES = 40
PLANLESS_NODES = 8  # after which a search without a plan ends
HULL_NODES = 60
MOST_COPIED = 2  # states that get copies
ALSO_COPIED = 0.25  # of the most fractional state: others that are as fractional get copies too
MOST_COPIES = 8  # rounds of copies in a node
HOT_GROWTH = 1.3  # columns by which a program grows without losing its basis
MOST_NEW = 24  # copies at once
WIDENED = 2  # steps around those that need a copy


def search(
    session: Session, program: Program, relaxed: Result, gap: float, deadline: float
) -> Result | None:
    """Return the best plan within limits of work, and the proven bound; None where it cannot help.

    The session keeps bounds of states and switches, and no integers.

    Args:
        session: one whose relaxation was just solved.
        program: its program; switches are continuous.
        relaxed: the result.
        gap: of turnover, within which the search may end.
        deadline: of `time.perf_counter`.
    """
    if not 0 < len(program.states) <= MOST_STATES or relaxed.x is None:
        return None
    searching = Search(session, program, relaxed, gap, deadline)
    return searching.run() if len(searching.others) <= MOST_OTHERS else None


@dataclass(order=True)
class Node:
    """A part of the search: bounds of columns, of which states may differ from the program's.

    column: the column to branch on. value: its own.
    """

    bound: float
    number: int
    lower: Array = field(compare=False)
    upper: Array = field(compare=False)
    column: int = field(compare=False)
    value: float = field(compare=False)


Evaluate = Callable[[Array, Array], tuple[float, Array | None]]


class Search:
    """A search for a plan within a gap of its bound.

    best: the best plan so far, its directions settled; None before the first.
    overlapping: a point with whole states that is better than its settled plan, beyond the gap.
    """

    def __init__(
        self, session: Session, program: Program, relaxed: Result, gap: float, deadline: float
    ) -> None:
        assert relaxed.x is not None
        self.session, self.program, self.relaxed = session, program, relaxed
        self.gap, self.deadline = gap, deadline
        self.prices = self._prices(session)
        settings = program.scenario.solver
        self.settings = {
            "threads": settings.threads, "seed": settings.seed, "spent": session.spent
        }  # fmt: skip
        self.schedule = StateSchedule(program, program.states, self.settings)
        self.others = np.flatnonzero(program.integer & ~self.schedule.committed)
        states = [state[state >= 0] for state in program.states]
        self.branched = np.concatenate([*states, self.others])
        self.best: Array | None = None
        self.overlapping: Array | None = None
        self.value, self.target = np.inf, np.inf
        self.bound = relaxed.bound
        self.tried: dict[bytes, bool] = {}
        self.modes = np.zeros(len(program.window), dtype=int)
        self.lps = 0
        self._stopped = False

    def run(self) -> Result | None:
        """Search; return the best plan and the proven bound, None without a plan."""
        try:
            self._search()
        except KeyboardInterrupt:
            if self.best is None:
                raise
            self.session.spent.stopped = True
        if self.bound < self.target and self.overlapping is not None:
            return Result("optimal", self.overlapping, self.value, self.bound)
        if self.best is None:
            return None
        proven = self.bound >= self.target
        status = "optimal" if proven else "interrupted" if self.session.spent.stopped else "work_limit"
        return Result(status, self.best, self.value, self.bound)

    def _search(self) -> None:
        small = self.session.iterations <= PLAIN_ITERATIONS
        self._branch_and_bound(self._plain, PLAIN_NODES if small else 0)
        if not (self._is_over() or self.best is None) and self._open_hull():
            self._branch_and_bound(self._with_copies, HULL_NODES)

    def _is_over(self) -> bool:
        return self.bound >= self.target or self.overlapping is not None or self._out_of_time()

    def _branch_and_bound(self, evaluate: Evaluate, most: int) -> None:
        program, numbers = self.program, count()
        lower, upper = program.column_lower.copy(), program.column_upper.copy()
        open_nodes: list[Node] = []
        closed = np.inf  # the least bound of a node that is not branched on

        def consider(lower: Array, upper: Array, least: float) -> None:
            nonlocal closed
            bound, x = evaluate(lower, upper)
            bound = max(bound, least)
            column = None if x is None else self._to_branch_on(x)
            if bound >= self.target or x is None or column is None:
                closed = min(closed, bound)
                if x is not None and column is None:
                    self._try(self._states(x, program.states))
                    if bound < self.target:
                        self.overlapping = x
                return
            node = Node(bound, next(numbers), lower, upper, column, float(x[column]))
            heapq.heappush(open_nodes, node)
            for threshold in THRESHOLDS if not evaluated else THRESHOLDS[:1]:
                self._try_near(x, threshold, lower, upper)

        evaluated = 0
        consider(lower, upper, self.bound)
        while open_nodes and open_nodes[0].bound < self.target:
            if evaluated >= (most if self.best is not None else min(most, PLANLESS_NODES)):
                break
            if self._out_of_time() or self.overlapping is not None:
                break
            node = heapq.heappop(open_nodes)
            for is_up in (False, True):
                lower, upper = node.lower.copy(), node.upper.copy()
                if is_up:
                    lower[node.column] = np.ceil(node.value)
                else:
                    upper[node.column] = np.floor(node.value)
                consider(lower, upper, node.bound)
                evaluated += 1
        least = open_nodes[0].bound if open_nodes else np.inf
        self.bound = max(self.bound, min(least, closed, self.value))

    def _plain(self, lower: Array, upper: Array) -> tuple[float, Array | None]:
        result = self._solve(self.session, lower, upper)
        if result is None:
            return -np.inf, None
        return result.objective, result.x

    def _solve(self, session: Session, lower: Array, upper: Array) -> Result | None:
        """Return the optimum of a session's LP, None where it is not known; inf if infeasible."""
        session.bounds(self.branched, lower[self.branched], upper[self.branched])
        switches = self.program.switches
        session.bounds(
            switches, self.program.column_lower[switches], self.program.column_upper[switches]
        )
        self.lps += 1
        try:
            result = session.run(time_limit_s=self.deadline - time.perf_counter())
        except SolveError:
            return None
        return result if result.status in ("optimal", "infeasible") else None

    def _open_hull(self) -> bool:
        """Prepare the program with copies, the best plan's modes as those planned.

        Returns whether there is a state to copy steps for.
        """
        assert self.best is not None and self.relaxed.x is not None
        program, x = self.program, self.relaxed.x
        weights = [np.minimum(x[state], 1 - x[state])[state >= 0].sum() for state in program.states]
        chosen = sorted(range(len(weights)), key=lambda unit: -weights[unit])[:MOST_COPIED]
        states = [program.states[unit] for unit in chosen if weights[unit] > max(TIGHT, ALSO_COPIED * max(weights))]
        if not states:
            return False
        self.hull = Hull(program, states, self.settings)
        self.modes = self._modes(self._states(self.best, states))
        self.nodes = Session(program, **self.settings)
        self._solve_best()
        self.nodes.start_from(self.session)
        self.prices = self._prices(self.session)
        self.copies = Copies(self.nodes, self.hull, self.modes)
        return True

    def _with_copies(self, lower: Array, upper: Array) -> tuple[float, Array | None]:
        """Return the bound of the hull in a node, and its point."""
        hull, program = self.hull, self.program
        best, x = -np.inf, None
        bound = hull.bound(self.prices, lower, upper, self.modes)
        for number in range(MOST_COPIES):
            best = max(best, bound.value)
            wanted = self._most_wanted(bound)
            before = self.nodes.columns
            added = self.copies.add(wanted)
            if self.nodes.columns > HOT_GROWTH * before:
                self.nodes.start_afresh()
            if best >= self.target or (number and not added) or self._out_of_time():
                break
            low, high = lower.copy(), upper.copy()
            for unit, state in enumerate(hull.states):
                fixed = (state >= 0) & ~self.copies.covered
                planned = (self.modes >> unit & 1)[fixed].astype(float)
                low[state[fixed]] = np.maximum(low[state[fixed]], planned)
                high[state[fixed]] = np.minimum(high[state[fixed]], planned)
            result = self._solve(self.nodes, low, high)
            if result is None or result.x is None:
                result = self._solve(self.nodes, lower, upper)
                if result is None or result.x is None:
                    infeasible = result is not None and result.status == "infeasible"
                    return (np.inf if infeasible else best), x
                best = max(best, result.objective)
            x = result.x[: len(program.cost)]
            self.prices = self._prices(self.nodes)
            bound = hull.bound(self.prices, lower, upper, self.modes)
        return best, x

    def _most_wanted(self, bound: ModeBound) -> Flags:
        """Return the modes by step of a bound that gain most over those planned, and around them."""
        wanted = (bound.weights > TIGHT) & ~self.copies.active
        wanted[self.modes, np.arange(wanted.shape[1])] = False
        gain = bound.values[self.modes, np.arange(wanted.shape[1])] - bound.values
        at = np.flatnonzero(wanted)
        late = at[np.argsort(-gain.ravel()[at], kind="stable")[MOST_NEW:]]
        wanted.ravel()[late] = False
        wide = wanted.copy()
        for distance in range(1, WIDENED + 1):
            wide[:, distance:] |= wanted[:, :-distance]
            wide[:, :-distance] |= wanted[:, distance:]
        return wide & ~self.hull.excluded

    def _prices(self, session: Session) -> Array:
        duals = session.duals()
        return np.zeros(len(self.program.row_lower)) if duals is None else duals.rows

    def _states(self, x: Array, states: Sequence[Indices]) -> Array:
        return np.round([np.where(state >= 0, x[state], 0.0) for state in states])

    def _modes(self, states: Array) -> Indices:
        units = 1 << np.arange(len(states))
        return np.asarray(units @ states.astype(int))

    def _to_branch_on(self, x: Array) -> int | None:
        """Return the state in the middle of the longest run of equal fractions, weighed by them.

        With all states whole, the most fractional of the other integers; None if these are whole.
        """
        best, column = TIGHT, None
        for state in self.program.states:
            values = x[state[state >= 0]]
            ends = np.flatnonzero(np.abs(np.diff(values)) > TIGHT) + 1
            for run in np.split(np.arange(len(values)), ends):
                weight = len(run) * min(values[run[0]], 1 - values[run[0]])
                if weight > best:
                    best, column = weight, int(state[state >= 0][run[(len(run) - 1) // 2]])
        if column is None and self.others.size:
            fractions = np.abs(x - np.round(x))[self.others]
            if fractions.max() > TIGHT:
                return int(self.others[fractions.argmax()])
        return column

    def _try_near(self, x: Array, threshold: float, lower: Array, upper: Array) -> None:
        """Try the schedule of states nearest to a point."""
        wanted = np.array([np.where(state >= 0, x[state], 0.0) for state in self.program.states])
        states = self.schedule.nearest(wanted, threshold, lower, upper)
        if states is not None:
            self._try(states)

    def _try(self, states: Array) -> None:
        """Settle the plan of a schedule of states, unless it was tried before."""
        key = states.tobytes()
        if key in self.tried or self._out_of_time():
            return
        self.tried[key] = True
        program = self.program
        lower, upper = program.column_lower.copy(), program.column_upper.copy()
        for state, on in zip(program.states, states, strict=True):
            present = state >= 0
            lower[state[present]] = upper[state[present]] = on[present]
        result = self._solve(self.session, lower, upper)
        if self.others.size and result is not None and result.x is not None:
            lower[self.others] = upper[self.others] = np.round(result.x[self.others])
            result = self._solve(self.session, lower, upper)
        if result is None or result.x is None or result.objective >= self.value:
            return
        if program.overlaps(result.x).any():
            directions = program.directions(result.x)
            self.session.bounds(program.switches, directions, directions)
            self.lps += 1
            result = self.session.run(time_limit_s=self.deadline - time.perf_counter())
            if result.status != "optimal" or result.x is None or result.objective >= self.value:
                return
        whole = program.integer
        if np.abs(result.x - np.round(result.x))[whole].max(initial=0.0) > TIGHT:
            return
        self.best, self.value = result.x, result.objective
        allowed = self.gap * program.turnover(result.x)
        self.target = self.value - allowed * (1 - TIGHT)

    def _solve_best(self) -> None:
        """Solve the LP of the best plan's integers once more, for its prices."""
        assert self.best is not None
        lower, upper = self.program.column_lower.copy(), self.program.column_upper.copy()
        lower[self.branched] = upper[self.branched] = np.round(self.best[self.branched])
        self._solve(self.session, lower, upper)

    def _out_of_time(self) -> bool:
        self._stopped = self.session.spent.stopped or time.perf_counter() > self.deadline
        return self._stopped

