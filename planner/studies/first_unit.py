"""The worth of the first unit of a field that is zero, or whose component stands idle.

A price holds the starts, stops and directions of the plan. Where a power is zero nothing flows, the
plan has no reason to choose a direction, and the price of the power may be zero only because the
direction held is the other one. For such a field the scenario is solved again:

    worth of the first unit = profit with one unit more in every step - profit of the plan

with every decision free in both: one MW, MWh, node, tonne or Mtok/h more of all fields that the
price is of. It is the worth of a whole unit, not a derivative, and has no part by step. Both
profits are known to within the gap of their solve, and so is the worth.

So it is where a limit is zero in a step: nothing flows within it, and any of many prices explains
that. A unit that is off has no price either, for it stays off.

Solved again are fields that are 0 in some step, if they are given or multiply a decision held by
the plan, and fields that multiply one and belong to a component whose power is zero throughout. In
a relaxation nothing is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.errors import InfeasibleError, Key, NoPlanError
from planner.scenario.paths import with_raised
from planner.solver.compiler import program_of
from planner.solver.elastic import MIN_EFFECT, Shift
from planner.solver.program import OVERLAP_MW, Program
from planner.solver.rounds import optimise_uninterrupted
from planner.solver.solution import Solution
from planner.units import unit

ONE_UNIT = 1.0


@dataclass(frozen=True)
class FirstUnit:
    """What one unit more in every step earns with decisions made anew, CNY.

    within: how far the gaps of the two solves let the true worth be from it.
    """

    worth: float
    within: float

    def per(self, amount: float) -> FirstUnit:
        """Return the worth for each of an amount."""
        return FirstUnit(self.worth / amount, self.within / amount)


def first_unit(
    program: Program, solution: Solution, fields: Mapping[Key, Any], shift: Shift | None
) -> FirstUnit | None:
    """Return the worth of the first unit of some fields that rise together.

    None where the plan's decisions do not hide it, or where one unit more leaves no plan.

    Args:
        program: the program of the scenario.
        solution: its solution, with duals.
        fields: their values by path; they belong to one component.
        shift: the effect of a small rise on the program; None where that has another structure.

    Raises:
        As `optimise_uninterrupted`.
    """
    if program.scenario.solver.relax or not _may_be_hidden(program, solution, fields, shift):
        return None
    try:
        changed = with_raised(program.scenario, fields, ONE_UNIT)
        raised = program_of(changed, program.window, every_point=program.every_point)
        anew = optimise_uninterrupted(raised)
    except (InfeasibleError, NoPlanError):
        return None
    costs = program.objective(solution.x), raised.objective(anew.x)
    gaps = costs[0] - solution.bound, costs[1] - anew.bound
    return FirstUnit(costs[0] - costs[1], max(gaps[0], 0.0) + max(gaps[1], 0.0))


def _may_be_hidden(
    program: Program, solution: Solution, fields: Mapping[Key, Any], shift: Shift | None
) -> bool:
    """Return whether the price of some fields may be another than the worth of a unit more."""
    (name,) = {str(path[1]) for path in fields}
    given = program.scenario.components[name].model_fields_set
    at_zero = any(np.any(np.asarray(value) == 0) for value in fields.values())
    if shift is not None:
        assert solution.duals is not None
        effect = shift.matrix.tocoo()
        acting = effect.col[np.abs(effect.data) > MIN_EFFECT]
        if not solution.duals.fixed[acting].any():
            return at_zero and any(path[2] in given for path in fields)
    return at_zero or _is_idle(program, solution, name)


def _is_idle(program: Program, solution: Solution, name: str) -> bool:
    """Return whether all power of a component is zero."""
    schedule = program.schedule_at(solution.x)
    own = [c for c in map(str, schedule) if c.partition(".")[0] == name]
    quantities = {c: c.partition(".")[2] for c in own}
    power = [c for c, quantity in quantities.items()
             if unit(quantity) == "MW" and not quantity.startswith("reserve")]  # fmt: skip
    return bool(power) and bool((schedule[power].abs() <= OVERLAP_MW).all(axis=None))
