"""Several programs as one: each a future, with the columns they share, and one objective.

Let member i have the probability p_i, the columns x_i and the profit P_i(x_i). Columns that are
decided before the future is known are the same column in every member, with the bounds of all of
them; all other rows and columns stand side by side. Maximised is

    (1 - weight) sum_i p_i P_i + weight [eta - (1/share) sum_i p_i short_i]

    shortfall    short_i + P_i >= eta,  short_i >= 0        with a weight above 0

eta is free and settles at the profit that the worst `share` of the futures does not exceed, so that
the bracket is their mean profit, the CVaR (`uncertainty.risk`). Both are held in units of a power
of two CNY near the largest cost, as the solver's tolerance is absolute.

The ledger rows of a member count by its probability: the turnover of the joint program, which the
gap is relative to, is the expected one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from planner.errors import InfeasibleError, Problem, ScenarioError
from planner.scenario.uncertainty.fields import Risk
from planner.solver.program import Indices, Program
from planner.timeseries.series import Array

NEAR = 1e-9  # bounds of members that are as near are the same


@dataclass(frozen=True)
class Branch:
    """A future: its name, its probability and its program."""

    name: str
    probability: float
    program: Program


@dataclass(frozen=True)
class Joined:
    """The joint program, and where it holds the columns of each member."""

    program: Program
    places: tuple[Indices, ...]


def shared_columns(program: Program, *, awake: bool) -> list[str]:
    """Return the schedule columns that are decided before the future is known."""
    first = {
        f"{name}.{quantity}"
        for name, component in program.scenario.components.items()
        for quantity in component.here_and_now(awake=awake)
    }
    return [name for name in program.schedule if name.partition("[")[0] in first]


def join(branches: Sequence[Branch], risk: Risk | None = None, *, awake: bool = False) -> Joined:
    """Join the programs of all futures; the window is the same in all.

    Raises:
        ScenarioError: one of them has other columns to decide before the future is known.
        InfeasibleError: their bounds leave a shared column no value.
    """
    programs = [branch.program for branch in branches]
    sizes = np.array([program.matrix.shape[1] for program in programs])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    target = np.arange(int(starts[-1]))
    low = np.concatenate([program.column_lower for program in programs])
    high = np.concatenate([program.column_upper for program in programs])
    for name in _names(branches, awake=awake):
        _share(branches, name, starts, target, low, high)
    kept = np.flatnonzero(target == np.arange(len(target)))
    number = np.full(len(target), -1)
    number[kept] = np.arange(len(kept))
    places = tuple(number[target[a:b]] for a, b in pairwise(starts))
    program = _side_by_side(branches, places, low[kept], high[kept])
    if risk is not None and risk.weight > 0:
        program = _with_risk(program, branches, places, risk)
    return Joined(program, places)


def _names(branches: Sequence[Branch], *, awake: bool) -> list[str]:
    names = shared_columns(branches[0].program, awake=awake)
    for branch in branches[1:]:
        other = set(names) ^ set(shared_columns(branch.program, awake=awake))
        if other:
            message = (
                f"members {branches[0].name} and {branch.name} do not decide the same things before"
                f" the future is known: {min(other)} is in one of them only"
            )
            raise ScenarioError([Problem(message, "uncertainty.members")])
    return names


def _share(
    branches: Sequence[Branch],
    name: str,
    starts: Indices,
    target: Indices,
    low: Array,
    high: Array,
) -> None:
    """Make one column of those that hold a shared quantity in a step, with the bounds of all."""
    parts = [branch.program.schedule[name] for branch in branches]
    for at in range(len(parts[0][0])):
        columns = [
            int(start + index[at]) if index[at] >= 0 else -1
            for start, (index, _) in zip(starts, parts, strict=False)
        ]
        bounds = [
            (low[column], high[column]) if column >= 0 else (constant[at], constant[at])
            for column, (_, constant) in zip(columns, parts, strict=True)
        ]
        lower = max(range(len(bounds)), key=lambda i: bounds[i][0])
        upper = min(range(len(bounds)), key=lambda i: bounds[i][1])
        (least, _), (_, most) = bounds[lower], bounds[upper]
        if least > most + NEAR * max(1.0, abs(most)):
            program = branches[0].program
            when = program.scenario.horizon.at(at + program.window.first)
            raise InfeasibleError(
                f"no plan serves every future: {name} at {when} is decided before it is known, and"
                f" must be {least:g} or more in member {branches[lower].name},"
                f" {most:g} or less in member {branches[upper].name}"
            )
        shared = [column for column in columns if column >= 0]
        if shared:
            target[shared] = shared[0]
            low[shared[0]], high[shared[0]] = min(least, most), most


def _side_by_side(
    branches: Sequence[Branch], places: Sequence[Indices], low: Array, high: Array
) -> Program:
    """Put the rows of all members under each other, over the joint columns."""
    programs = [branch.program for branch in branches]
    width = len(low)
    cost, integer, steps = np.zeros(width), np.zeros(width, dtype=bool), np.zeros(width, int)
    reports, offsets, ledger, switches = [], [], [], []
    begin = 0
    for branch, place in zip(branches, places, strict=True):
        program = branch.program
        np.add.at(cost, place, branch.probability * program.cost)
        np.logical_or.at(integer, place, program.integer)
        steps[place] = program.column_steps
        weight = np.ones(program.reports.shape[0])
        weight[program.ledger_rows] = branch.probability
        reports.append(sparse.diags_array(weight) @ _spread(program.reports, place, width))
        offsets.append(weight * program.report_offset)
        ledger.append(program.ledger_rows + begin)
        flows = program.first_flow + begin, program.second_flow + begin
        switches.append(np.column_stack([place[program.switches], *flows]))
        begin += len(weight)
    table = np.concatenate(switches)
    _, once = np.unique(table[:, 0], return_index=True)  # a shared switch keeps apart shared flows
    table = table[np.sort(once)]
    rows = [_spread(p.matrix, place, width) for p, place in zip(programs, places, strict=True)]
    return replace(
        programs[0],
        matrix=sparse.csc_array(sparse.vstack(rows)),
        row_lower=np.concatenate([program.row_lower for program in programs]),
        row_upper=np.concatenate([program.row_upper for program in programs]),
        column_lower=low,
        column_upper=high,
        integer=integer,
        cost=cost,
        offset=sum(branch.probability * branch.program.offset for branch in branches),
        switches=table[:, 0],
        first_flow=table[:, 1],
        second_flow=table[:, 2],
        reports=sparse.csr_array(sparse.vstack(reports)),
        report_offset=np.concatenate(offsets),
        ledger_rows=np.concatenate(ledger),
        tidy_rows=(),  # members are tidied one by one
        costs={},
        uses={},
        injected={},
        row_steps=np.concatenate([program.row_steps for program in programs]),
        column_steps=steps,
        schedule={},
        schedule_rows={},
        row_families=np.full(sum(p.matrix.shape[0] for p in programs), -1),
        families={},
        balances={},
    )


def _spread(matrix: Any, place: Indices, width: int) -> Any:
    """Return a matrix over the columns of a member as one over the joint columns."""
    entries = sparse.coo_array(matrix)
    shape = matrix.shape[0], width
    return sparse.csr_array((entries.data, (entries.row, place[entries.col])), shape=shape)


def _with_risk(
    joint: Program, branches: Sequence[Branch], places: Sequence[Indices], risk: Risk
) -> Program:
    """Add eta, the shortfalls and their rows, and weigh the objective."""
    count, width = len(branches), joint.matrix.shape[1]
    largest = max(float(np.max(np.abs(b.program.cost), initial=1.0)) for b in branches)
    unit = 2.0 ** np.ceil(np.log2(largest))
    costs = [
        _spread(sparse.csr_array(b.program.cost[None, :] / unit), place, width)
        for b, place in zip(branches, places, strict=True)
    ]
    more = sparse.hstack([np.full((count, 1), -1.0), sparse.eye_array(count)])
    shortfall = sparse.hstack([-sparse.vstack(costs), more])
    unused = sparse.csc_array((len(joint.row_lower), count + 1))
    probabilities = np.array([branch.probability for branch in branches])
    tail = np.concatenate([[-1.0], probabilities / risk.cvar_share]) * unit * risk.weight
    mean = 1 - risk.weight
    weighed = replace(joint, cost=mean * joint.cost, offset=mean * joint.offset)
    lowest = np.concatenate([[-np.inf], np.zeros(count)])
    earned = [branch.program.offset / unit for branch in branches]
    return weighed.with_columns(unused, lowest, np.inf, tail).with_rows(shortfall, earned, np.inf)
