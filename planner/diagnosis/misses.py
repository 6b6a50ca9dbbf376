"""What a schedule misses: the rows that cannot be kept, by just what they are missed.

1. Every row of the program gets a slack (an elastic program, Chinneck 2008), at a low price for the
   rules of the scenario, a higher one for balances and the highest for physics and bookkeeping;
   given values may move within the tolerance. The rows with a slack are what the schedule breaks.
2. With these rows open, the least sum of moves that keeps all others (`planner.solver.pinning`);
   rows missed by no more than values can make up stay strict if that is possible.
3. With the moves held, the least slacks of these rows.

So a broken rule moves no value, and every other rule holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np
from scipy import sparse

from planner.diagnosis.conflict import Place, Rule, rule_places
from planner.errors import NoPlanError
from planner.message import Message
from planner.solver.elastic import least_miss, row_sizes
from planner.solver.pinning import Misfit, Pinned, PinnedValues, moves
from planner.solver.program import Indices, Program
from planner.timeseries.series import Array

RULE_PRICE, BOTH_WAYS_PRICE, BALANCE_PRICE, PHYSICS_PRICE = 1.0, 1e1, 1e2, 1e4  # of a slack
BOUND_FACTOR = 1.001  # of a rule that is a bound: a demand is missed before a plant exceeds its own
GIVEN_PRICE = 1e5  # of a given value that is not kept
MOVE_PRICE = 1e-3  # of a MW that a value moves
SOLVER_TOLERANCE = 1e-9  # a smaller slack is none
SMALL_MISS = 10.0  # of the tolerance: such a miss may be spared by moving values
MIN_BREACH = 1e-5  # of the size of a row: a smaller miss is no breach


@dataclass(frozen=True, eq=False)
class Misses:
    """A point that keeps a schedule and misses as few rows as that allows.

    program: with the values moved least; its rows are strict, bounds that are rules are rows.
    missed: by how much, of every row.
    places: the rows and columns of every rule.
    rules: the rule of a row, where it is one.
    given: the rows that pin values, and those values.
    """

    program: Program
    x: Array
    missed: Array
    places: Mapping[Rule, Place]
    rules: Mapping[int, Rule]
    given: Indices
    values: PinnedValues

    def broken(self, *, any_miss: bool) -> list[int]:
        """Return the rows missed by more than rounding; if `any_miss` and none is, all missed."""
        upper = self.program.row_upper
        size = np.maximum(1.0, np.where(np.isfinite(upper), abs(upper), 0.0))
        relative = self.missed / row_sizes(self.program) / np.minimum(size, 1e3)
        large = np.flatnonzero(relative > MIN_BREACH)
        return (large if large.size or not any_miss else np.flatnonzero(self.missed)).tolist()

    def relaxed(self) -> Program:
        """Return the program with the missed rows relaxed by just what is missed.

        The directions of flows in these rows, and of those that flow both ways, are fixed.
        """
        program, x = self.program, self.x
        rows = program.matrix[np.flatnonzero(self.missed)]
        decided = program.overlaps(x) | (abs(rows[:, program.switches]).sum(axis=0) > 0)
        columns = program.switches[decided]
        fixed = program.with_bounds(columns, np.round(x[columns]), np.round(x[columns]))
        return replace(
            fixed,
            switches=program.switches[~decided],
            first_flow=program.first_flow[~decided],
            second_flow=program.second_flow[~decided],
            pairs=tuple(compress(program.pairs, ~decided)),
        ).covering(x)

    def given_misfits(self, rows: Collection[int]) -> list[Misfit]:
        """Return the given values of some rows beside what the point has there."""
        reported, values = self.program.matrix[self.given] @ self.x, self.values
        could = values.values + reported - self.program.row_lower[self.given]
        return [
            Misfit(values.names[i], int(values.steps[i]), float(values.values[i]), only, only)
            for i, only in enumerate(could.tolist())
            if self.given[i] in rows
        ]


def misses(pinned: Pinned, tolerance: float) -> Misses:
    """Return what a schedule misses: with its values moved least, then its rows missed least.

    Raises:
        NoPlanError: the time limit struck.
    """
    places = rule_places(pinned.free)
    program, given, values = pinned.by_rows()
    strict = program.matrix.shape[0]
    program, rules = _opened(program, pinned, places)
    prices, limit_s = _prices(program, list(rules)), program.scenario.solver.time_limit_s
    prices[strict:] *= BOUND_FACTOR
    prices[given] = GIVEN_PRICE
    count = len(prices)
    point = least_miss(
        program,
        np.append(np.arange(count), given),
        np.append(prices, MOVE_PRICE * values.weights),
        limit_s,
        np.append(np.full(count, np.inf), np.full(len(given), tolerance)),
    )
    if point is None:
        raise NoPlanError(
            Message("the time limit struck before it was known what the schedule breaks")
        )
    x, below, above = point
    missed, moved = _missed(below[:count], above[:count]), moves(below[count:], above[count:])
    broken = np.flatnonzero(missed)
    if broken.size and moved.any():
        integer = np.flatnonzero(program.all_integer)
        settled = program.with_bounds(integer, np.round(x[integer]), np.round(x[integer]))
        for rows in (np.flatnonzero(missed > SMALL_MISS * tolerance), broken):
            least = _least_moves(settled, rows, given, values, tolerance)
            if least is None:
                continue
            point = least_miss(_moved(settled, given, least), rows, prices[rows], limit_s)
            if point is not None:
                moved, (x, below, above) = least, point
                missed = np.zeros(count)
                missed[rows] = _missed(below, above)
                break
    return Misses(_moved(program, given, moved), x, missed, places, rules, given, values)


def _missed(below: Array, above: Array) -> Array:
    missed = np.maximum(below, above)
    return np.where(missed > SOLVER_TOLERANCE, missed, 0.0)


def _prices(program: Program, rules: Sequence[int]) -> Array:
    """Return the price of a slack of every row."""
    price = np.full(program.matrix.shape[0], PHYSICS_PRICE)
    price[np.isin(program.row_families, list(program.balances.values()))] = BALANCE_PRICE
    price[rules] = RULE_PRICE
    of_switch = np.zeros(len(program.cost), dtype=bool)
    of_switch[program.switches] = True
    switched = abs(program.matrix[:, of_switch]).sum(axis=1) > 0
    price[switched] = BOTH_WAYS_PRICE  # rather than flows both ways at once
    flows = abs(program.matrix) @ sparse.diags_array(np.where(of_switch, 1e-9, 1.0))
    return np.asarray(price / row_sizes(replace(program, matrix=flows)))


def _least_moves(
    program: Program, broken: Indices, given: Indices, values: PinnedValues, tolerance: float
) -> Array | None:
    """Return the least moves of the given values with which all rows but the broken ones hold.

    None where no moves do.
    """
    moved, kept = np.zeros(len(given)), np.flatnonzero(~np.isin(given, broken))
    opened = program.with_row_bounds(broken, -np.inf, np.inf)
    limit_s = program.scenario.solver.time_limit_s
    point = least_miss(opened, given[kept], values.weights[kept], limit_s, tolerance)
    if point is None:
        return None
    _, below, above = point
    moved[kept] = moves(below, above)
    return moved


def _moved(program: Program, given: Indices, by: Array) -> Program:
    """Return the program with the values of the given rows moved."""
    values = program.row_lower[given] + by
    return program.with_row_bounds(given, values, values)


def _opened(
    program: Program, pinned: Pinned, by_rule: Mapping[Rule, Place]
) -> tuple[Program, dict[int, Rule]]:
    """Turn the bounds that are rules into rows; return the program and the rule of each row.

    Bounds of pinned columns, of integers (a unit in outage does not start to keep another rule),
    and lower bounds of 0 stay.
    """
    rules = {row: rule for rule, place in by_rule.items() for row in place.rows}
    upper, integer = program.column_upper, program.all_integer
    given = set(pinned.at.columns.tolist())
    bounded = [
        (column, rule)
        for rule, place in by_rule.items()
        for column in place.columns
        if column not in given and np.isfinite(upper[column]) and not integer[column]
    ]
    columns = np.array([column for column, _ in bounded], dtype=np.int64)
    rows = program.matrix.shape[0]
    rules |= {rows + k: rule for k, (_, rule) in enumerate(bounded)}
    low, high = program.column_lower[columns], upper[columns]
    pick = sparse.eye_array(len(upper), format="csr")[columns]
    opened = program.with_bounds(columns, np.minimum(low, 0.0), np.inf)
    return opened.with_rows(pick, low, high, program.column_steps[columns]), rules
