"""A small branch and bound over the states of units, on hot LPs.

Only states are branched on, and the few integers that are no part of their schedule: with all of
them whole an LP has the rest. The bound of a node is its LP relaxation or, where that is too weak,
the hull of the states (`hull_nodes`). Plans are schedules of states near a relaxation, with what
minimum times ask for, settled by an LP. The branch is in the middle of the longest run of equal
fractions. Limits are counted in nodes: the result does not depend on the clock, unless the user's
time limit strikes.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from planner.solver.highs import Result
from planner.solver.hull import TIGHT, Hull
from planner.solver.hull_nodes import HullNodes
from planner.solver.node_program import NodeProgram
from planner.solver.program import Indices, Program
from planner.solver.session import Session
from planner.solver.state_schedule import StateSchedule
from planner.timeseries.series import Array

MOST_STATES = 4  # with more, the solver's own search is better
MOST_OTHERS = 50  # integers that are no part of the schedule of the states
THRESHOLDS = 0.5, 0.25  # of a state in a relaxation, from which a plan has it
PLAIN_ITERATIONS = 5000  # of the simplex for the relaxation; above, the hull is better at once
PLAIN_NODES = 100
PLANLESS_NODES = 8  # after which a search without a plan ends
HULL_NODES = 60
MOST_COLUMNS = 200_000  # of a program whose steps get copies
LEAST_GAIN = 0.1  # of the relaxation's gap, that the hull must close to be worth its nodes
MOST_COPIED = 2  # states that get copies
ALSO_COPIED = 0.25  # of the most fractional state: another that is as fractional gets copies too
ROUNDING = 1e-8  # of turnover, by which optima of the same LP differ
TARGET = 0.99  # of the gap: the settled plan may turn over less than the one that is compared


def search(
    session: Session, program: Program, relaxed: Result, gap: float, deadline: float
) -> Result | None:
    """Return the best plan within limits of work, and the proven bound; None where it cannot help.

    The status is optimal where the gap is proven or only directions are left to decide, work_limit,
    time_limit or interrupted. The session has the program's bounds again, and no integers.

    Args:
        session: one whose relaxation was just solved.
        program: its program; where switches are integer the search cannot help.
        relaxed: the result.
        gap: of turnover, within which the search may end.
        deadline: of `time.perf_counter`.
    """
    if not 0 < len(program.states) <= MOST_STATES or relaxed.x is None:
        return None
    if program.integer[program.switches].any():
        return None
    searching = Search(session, program, relaxed, gap, deadline)
    if len(searching.others) > MOST_OTHERS:
        return None
    result = searching.run()
    columns = np.concatenate([searching.nodes.integers, program.switches])
    session.bounds(columns, program.column_lower[columns], program.column_upper[columns])
    return result


@dataclass(order=True)
class Node:
    """A part of the search: bounds of columns, and the column to branch on with its value."""

    bound: float
    number: int
    lower: Array = field(compare=False)
    upper: Array = field(compare=False)
    column: int = field(compare=False)
    value: float = field(compare=False)


Bound = Callable[[Array, Array], tuple[float, Array | None]]
"""Returns a bound within bounds of columns, and a point; None where none is known."""


class Search:
    """A search for a plan within a gap of its bound.

    best: the best plan so far, its directions settled; None before the first.
    value, target: its objective, and the bound that proves it.
    overlapping: a point with whole states whose directions, once decided, cost more than the gap.
    """

    def __init__(
        self, session: Session, program: Program, relaxed: Result, gap: float, deadline: float
    ) -> None:
        self.program, self.gap, self.relaxed = program, gap, relaxed
        self.schedule = StateSchedule(program, program.states, session)
        self.others = np.flatnonzero(program.integer & ~self.schedule.committed)
        states = [state[state >= 0] for state in program.states]
        self.nodes = NodeProgram(session, program, np.concatenate([*states, self.others]), deadline)
        self.prices = self.nodes.prices()
        self.best: Array | None = None
        self.value = self.target = np.inf
        self.overlapping: Array | None = None
        self.bound = relaxed.bound
        self.tried: set[bytes] = set()

    def run(self) -> Result | None:
        """Search; return as `search`."""
        try:
            self._search()
        except KeyboardInterrupt:
            if self.best is None:
                raise
            self.nodes.session.spent.stopped = True
        if self.best is None:
            return None
        if self.bound >= self.target:
            return Result("optimal", self.best, self.value, self.bound)
        if self.overlapping is not None:
            return Result("optimal", self.overlapping, self.value, self.bound, self.best)
        if self.nodes.session.spent.stopped:
            status = "interrupted"
        else:
            status = "time_limit" if self.nodes.is_over() else "work_limit"
        return Result(status, self.best, self.value, self.bound)

    def _search(self) -> None:
        small = self.nodes.session.iterations <= PLAIN_ITERATIONS
        self._branch_and_bound(self._plain_bound, PLAIN_NODES if small else 0)
        hull_nodes = None if self._is_over() else self._hull_nodes()
        if hull_nodes is None:
            return

        def hull_bound(lower: Array, upper: Array) -> tuple[float, Array | None]:
            bound, x = hull_nodes.bound(lower, upper, self.target)
            if x is not None and bound < self.target and self._to_branch_on(x) is None:
                relaxed, x = self._plain_bound(lower, upper)  # x is the best of some modes only
                bound = max(bound, relaxed)
            return bound, x

        gain = self._branch_and_bound(hull_bound, 0) - self.relaxed.bound
        if not self._is_over() and gain >= LEAST_GAIN * (self.target - self.relaxed.bound):
            self._branch_and_bound(hull_bound, HULL_NODES)

    def _hull_nodes(self) -> HullNodes | None:
        """Return the nodes bounded by the hull, from the best plan; None where they cannot help."""
        states = self._most_fractional()
        if self.best is None or not states:
            return None
        hull = Hull(self.program, states, self.nodes.session)
        self._try_best_of(hull)
        self.nodes.solve(*self._with_integers(self.best[self.nodes.integers]))  # for its prices
        return HullNodes(self.nodes, hull, self.best)

    def plan_nearby(self) -> Array | None:
        """Return the best of the plans near the relaxation; None where none of them is one."""
        self._branch_and_bound(self._plain_bound, 0)
        return self.best

    def hull_prices(self, share: float) -> Array:
        """Return the duals of rows in the LP of the hull, else of the relaxation; find a plan.

        Args:
            share: of the objective, within which the bound of the duals is the LP's optimum.
        """
        program = self.program
        self._branch_and_bound(self._plain_bound, 0)
        hull_nodes = self._hull_nodes()
        if hull_nodes is None:
            return self.prices
        bounds = program.column_lower, program.column_upper
        _, x = hull_nodes.bound(*bounds, np.inf, share * abs(self.relaxed.objective))
        if x is None:
            return self.prices
        self.prices = hull_nodes.row_prices()
        self._try_best_of(hull_nodes.hull)
        for threshold in THRESHOLDS:
            self._try_near(x, threshold, *bounds)
        return self.prices

    def _try_best_of(self, hull: Hull) -> None:
        """Try the states that the bound of a hull chooses at the prices of the relaxation."""
        assert self.best is not None
        program = self.program
        bound = hull.bound(self.prices, program.column_lower, program.column_upper)
        x = self.best.copy()
        for state, on in zip(hull.states, hull.states_of(bound.weights), strict=True):
            x[state[state >= 0]] = on[state >= 0]
        if self._to_branch_on(x) is None and np.isfinite(bound.value):
            self._try(self._states(x))

    def _is_over(self) -> bool:
        proven = self.bound >= self.target
        return proven or self.overlapping is not None or self.nodes.is_over()

    def _branch_and_bound(self, bound_of: Bound, most: int) -> float:
        """Branch on the node of least bound until the gap is proven, or `most` nodes are bounded.

        The root does not count. Returns its bound.
        """
        program = self.program
        open_nodes: list[Node] = []
        closed = np.inf  # the least bound of a node that is not branched on
        number = 0

        def consider(lower: Array, upper: Array, least: float) -> float:
            nonlocal closed
            own_bound, x = bound_of(lower, upper)
            bound = max(own_bound, least)
            column = None if x is None else self._to_branch_on(x)
            if x is not None and column is None:
                self._try(self._states(x), x[self.others])
            if bound >= self.target or x is None or column is None:
                closed = min(closed, bound)
                if x is not None and bound < self.target and program.overlaps(x).any():
                    self.overlapping = x
                return own_bound
            node = Node(bound, number, lower, upper, column, float(x[column]))
            heapq.heappush(open_nodes, node)
            for threshold in THRESHOLDS if not number else THRESHOLDS[:1]:
                self._try_near(x, threshold, lower, upper)
            return own_bound

        root = consider(program.column_lower.copy(), program.column_upper.copy(), self.bound)
        while open_nodes and open_nodes[0].bound < self.target and closed >= self.target:
            most = most if self.best is not None else min(most, PLANLESS_NODES)
            if number >= most or self.nodes.is_over():
                break
            node = heapq.heappop(open_nodes)
            for is_up in (False, True):
                lower, upper = node.lower.copy(), node.upper.copy()
                if is_up:
                    lower[node.column] = np.ceil(node.value)
                else:
                    upper[node.column] = np.floor(node.value)
                number += 1
                consider(lower, upper, node.bound)
        least = min((node.bound for node in open_nodes), default=np.inf)
        self.bound = max(self.bound, min(least, closed, self.value))
        return root

    def _plain_bound(self, lower: Array, upper: Array) -> tuple[float, Array | None]:
        result = self.nodes.solve(lower, upper)
        return (-np.inf, None) if result is None else (result.objective, result.x)

    def _most_fractional(self) -> list[Indices]:
        """Return the states that gain from copies: those that the relaxation splits most."""
        x, states = self.relaxed.x, self.program.states
        assert x is not None
        split = np.array([np.minimum(x[state], 1 - x[state])[state >= 0].sum() for state in states])
        least = max(TIGHT, ALSO_COPIED * float(split.max()))
        if len(x) > MOST_COLUMNS:
            return []
        chosen = np.argsort(-split, kind="stable")[:MOST_COPIED]
        return [states[unit] for unit in chosen if split[unit] > least]

    def _to_branch_on(self, x: Array) -> int | None:
        """Return the state in the middle of the longest run of equal fractions, weighed by them.

        With all states whole, the most fractional of the other integers; None if these are whole.
        """
        most, column = TIGHT, None
        for state in self.program.states:
            columns = state[state >= 0]
            values = x[columns]
            ends = np.flatnonzero(np.abs(np.diff(values)) > TIGHT) + 1
            for run in np.split(np.arange(len(values)), ends):
                weight = len(run) * min(values[run[0]], 1 - values[run[0]])
                if weight > most:
                    most, column = weight, int(columns[run[(len(run) - 1) // 2]])
        if column is None and self.others.size:
            fractions = np.abs(x - np.round(x))[self.others]
            if fractions.max() > TIGHT:
                column = int(self.others[fractions.argmax()])
        return column

    def _states(self, x: Array) -> Array:
        """Return the states of a point; shape (units, steps)."""
        return np.array([np.where(state >= 0, x[state], 0.0) for state in self.program.states])

    def _try_near(self, x: Array, threshold: float, lower: Array, upper: Array) -> None:
        """Try the schedule of states nearest to a point."""
        states = self.schedule.nearest(self._states(x), threshold, lower, upper)
        if states is not None:
            self._try(states)

    def _try(self, states: Array, others: Array | None = None) -> None:
        """Settle the plan of a schedule of states, unless it was tried before.

        others: the other integers where they are known [those nearest to the LP of the states].
        """
        states, program = np.round(states), self.program
        key = states.tobytes() + (b"" if others is None else np.round(others).tobytes())
        if key in self.tried or self.nodes.is_over():
            return
        self.tried.add(key)
        lower, upper = program.column_lower.copy(), program.column_upper.copy()
        for state, on in zip(program.states, states, strict=True):
            lower[state[state >= 0]] = upper[state[state >= 0]] = on[state >= 0]
        if others is not None:
            lower[self.others] = upper[self.others] = np.round(others)
        result = self.nodes.solve(lower, upper)
        if self.others.size and result is not None and result.x is not None:
            result = self.nodes.solve(*self._with_integers(result.x[self.nodes.integers]))
        if result is not None and result.x is not None and program.overlaps(result.x).any():
            result = self.nodes.settle(result.x)
        if result is None or result.x is None or result.objective >= self.value:
            return
        if np.abs(result.x - np.round(result.x))[program.integer].max(initial=0.0) > TIGHT:
            return
        self.best, self.value = result.x, result.objective
        allowed = max(TARGET * self.gap, ROUNDING) * program.turnover(result.x)
        self.target = self.value - allowed

    def _with_integers(self, values: Array) -> tuple[Array, Array]:
        """Return bounds that fix the integers of nodes."""
        lower, upper = self.program.column_lower.copy(), self.program.column_upper.copy()
        lower[self.nodes.integers] = upper[self.nodes.integers] = np.round(values)
        return lower, upper
