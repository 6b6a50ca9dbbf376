"""The joint program of several members (deterministic equivalent), with shared first-stage columns.

Let member i have the probability p_i, the columns x_i and the profit P_i(x_i). Here-and-now columns
are the same column in every member, with the intersection of their bounds; all other rows and
columns stand side by side. The objective to be maximised is

    (1 - weight) sum_i p_i P_i + weight [eta - (1/share) sum_i p_i short_i]

    shortfall    short_i + P_i >= eta,  short_i >= 0        with a weight above 0

eta is free; at the optimum it is the profit that the worst `share` of the members does not exceed,
and the bracket is their mean profit, the CVaR (`uncertainty.risk`). Both are scaled by a power of
two CNY near the largest cost, as the solver's tolerance is absolute.

The ledger rows of a member are weighted by its probability, so that the turnover of the joint
program, which the gap is relative to, is the expected turnover.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from planner.errors import InfeasibleError, wrong
from planner.message import Message
from planner.scenario.uncertainty.fields import Risk
from planner.solver.program import NO_FAMILY, Indices, Program
from planner.timeseries.series import Array

BOUND_TOLERANCE = 1e-9  # relative: bounds of members that cross by less do not contradict


@dataclass(frozen=True)
class MemberProgram:
    """A member: its name, probability and program."""

    name: str
    probability: float
    program: Program

    def profit(self, x: Array) -> float:
        """Return the profit at a point of the program, CNY."""
        return 0.0 - self.program.objective(x)


def shared_columns(program: Program, *, awake: bool) -> list[str]:
    """Return the schedule columns that are decided here and now; `awake` adds the nodes awake."""
    here_and_now = {
        f"{name}.{quantity}"
        for name, component in program.scenario.components.items()
        for quantity in component.here_and_now(awake=awake)
    }
    return [name for name in program.schedule if name.partition("[")[0] in here_and_now]


def join(
    members: Sequence[MemberProgram], risk: Risk | None = None, *, awake: bool = False
) -> tuple[Program, list[Indices]]:
    """Return the joint program of members over the same window, and its columns of theirs.

    Raises:
        ScenarioError: a member has other here-and-now columns.
        InfeasibleError: the bounds of the members leave a shared column no value.
    """
    programs = [member.program for member in members]
    sizes = np.array([program.matrix.shape[1] for program in programs])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    target = np.arange(int(starts[-1]))
    low = np.concatenate([program.column_lower for program in programs])
    high = np.concatenate([program.column_upper for program in programs])
    for name in _names(members, awake=awake):
        _share(members, name, starts, target, low, high)
    representatives = np.flatnonzero(target == np.arange(len(target)))
    number = np.full(len(target), -1)
    number[representatives] = np.arange(len(representatives))
    places = [number[target[a:b]] for a, b in pairwise(starts)]
    program = _side_by_side(members, places, low[representatives], high[representatives])
    if risk is not None and risk.weight > 0:
        program = _with_risk(program, members, places, risk)
    return program, places


def _names(members: Sequence[MemberProgram], *, awake: bool) -> list[str]:
    names = shared_columns(members[0].program, awake=awake)
    for member in members[1:]:
        other = set(names) ^ set(shared_columns(member.program, awake=awake))
        if other:
            raise wrong("uncertainty.members", Message(
                "members {name} and {other} do not decide the same things before the future is"
                " known: {text} is in one of them only",
                name=members[0].name, other=member.name, text=min(other),
            ))  # fmt: skip
    return names


def _share(
    members: Sequence[MemberProgram],
    name: str,
    starts: Indices,
    target: Indices,
    low: Array,
    high: Array,
) -> None:
    """Merge the columns of a shared quantity in every step, with the intersection of bounds."""
    index, constant = map(np.array, zip(*(m.program.schedule[name] for m in members), strict=True))
    variable = index >= 0
    columns = np.where(variable, starts[:-1, None] + index, -1)
    lower = np.where(variable, low[columns], constant)
    upper = np.where(variable, high[columns], constant)
    least, most = lower.max(axis=0), upper.min(axis=0)
    for at in np.flatnonzero(least > most + BOUND_TOLERANCE * np.maximum(1.0, np.abs(most))):
        program = members[0].program
        raise InfeasibleError(Message(
            "no plan serves every member: {path} at {when} is the same in all of them, and"
            " must be {least:g} or more in member {name}, {most:g} or less in member {other}",
            path=name, when=program.scenario.horizon.at(int(at) + program.window.first),
            least=least[at], name=members[int(lower[:, at].argmax())].name,
            most=most[at], other=members[int(upper[:, at].argmin())].name,
        ))  # fmt: skip
    for step, shared in enumerate(columns.T):
        place = shared[variable[:, step]]
        target[place] = place[:1]
        low[place[:1]], high[place[:1]] = min(least[step], most[step]), most[step]


def _side_by_side(
    members: Sequence[MemberProgram], places: Sequence[Indices], low: Array, high: Array
) -> Program:
    """Stack the rows of all members over the joint columns."""
    programs = [member.program for member in members]
    width = len(low)
    cost, integer, steps = np.zeros(width), np.zeros(width, dtype=bool), np.zeros(width, int)
    reports, offsets, ledger, switches = [], [], [], []
    begin = 0
    for member, place in zip(members, places, strict=True):
        program = member.program
        np.add.at(cost, place, member.probability * program.cost)
        np.logical_or.at(integer, place, program.integer)
        steps[place] = program.column_steps
        weight = np.ones(program.reports.shape[0])
        weight[program.ledger_rows] = member.probability
        reports.append(sparse.diags_array(weight) @ _spread(program.reports, place, width))
        offsets.append(weight * program.report_offset)
        ledger.append(program.ledger_rows + begin)
        flows = program.first_flow + begin, program.second_flow + begin
        switches.append(np.column_stack([place[program.switches], *flows]))
        begin += len(weight)
    table = np.concatenate(switches)
    _, first = np.unique(table[:, 0], return_index=True)  # shared switches have shared flows
    table = table[np.sort(first)]
    rows = [_spread(p.matrix, place, width) for p, place in zip(programs, places, strict=True)]
    states = {
        tuple(np.where(state >= 0, place[state], -1))
        for p, place in zip(programs, places, strict=True)
        for state in p.states
    }
    return replace(
        programs[0],
        matrix=sparse.csc_array(sparse.vstack(rows)),
        row_lower=np.concatenate([program.row_lower for program in programs]),
        row_upper=np.concatenate([program.row_upper for program in programs]),
        column_lower=low,
        column_upper=high,
        integer=integer,
        cost=cost,
        offset=sum(member.probability * member.program.offset for member in members),
        switches=table[:, 0],
        first_flow=table[:, 1],
        second_flow=table[:, 2],
        reports=sparse.csr_array(sparse.vstack(reports)),
        report_offset=np.concatenate(offsets),
        ledger_rows=np.concatenate(ledger),
        moves=(),
        costs=(),
        uses={},
        injected={},
        row_steps=np.concatenate([program.row_steps for program in programs]),
        column_steps=steps,
        schedule={},
        schedule_rows={},
        row_families=np.full(sum(p.matrix.shape[0] for p in programs), NO_FAMILY),
        families={},
        balances={},
        column_families=np.full(width, NO_FAMILY),
        variable_families=(),
        pairs=(),
        states=tuple(np.array(state) for state in sorted(states)),
    )


def _spread(matrix: Any, place: Indices, width: int) -> Any:
    """Return a matrix over the columns of a member as one over the joint columns."""
    entries = sparse.coo_array(matrix)
    shape = matrix.shape[0], width
    return sparse.csr_array((entries.data, (entries.row, place[entries.col])), shape=shape)


def _with_risk(
    joint: Program, members: Sequence[MemberProgram], places: Sequence[Indices], risk: Risk
) -> Program:
    """Add eta, the shortfalls and their rows, and weight the objective."""
    count, width = len(members), joint.matrix.shape[1]
    largest = max(float(np.max(np.abs(b.program.cost), initial=1.0)) for b in members)
    unit = 2.0 ** np.ceil(np.log2(largest))
    costs = [
        _spread(sparse.csr_array(b.program.cost[None, :] / unit), place, width)
        for b, place in zip(members, places, strict=True)
    ]
    more = sparse.hstack([np.full((count, 1), -1.0), sparse.eye_array(count)])
    shortfall = sparse.hstack([-sparse.vstack(costs), more])
    unused = sparse.csc_array((len(joint.row_lower), count + 1))
    probabilities = np.array([member.probability for member in members])
    tail = np.concatenate([[-1.0], probabilities / risk.cvar_share]) * unit * risk.weight
    mean = 1 - risk.weight
    weighed = replace(joint, cost=mean * joint.cost, offset=mean * joint.offset)
    lowest = np.concatenate([[-np.inf], np.zeros(count)])
    earned = [member.program.offset / unit for member in members]
    return weighed.with_columns(unused, lowest, np.inf, tail).with_rows(shortfall, earned, np.inf)
