"""One plan for several futures: what is decided before the future is known, and the rest for each.

Two stages: the here-and-now decisions of components (`Component.here_and_now`: commitment of
thermal units, declarations to be chosen, nodes awake on request) are the same in all members;
everything else is recourse, decided in each member with the whole member known. `joint_program`
holds the joint program; `solve_stochastic` settles the members and tells what planning for all of
them is worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from planner.diagnosis.infeasible import infeasible, unbounded
from planner.errors import InfeasibleError
from planner.scenario.scenario import Scenario
from planner.scenario.uncertainty.fields import Risk
from planner.solver.compiler import compile_program
from planner.solver.joint_program import Branch, join, shared_columns
from planner.solver.model import assemble
from planner.solver.program import Program
from planner.solver.rounds import InfeasibleProgramError, Solution, UnboundedError, optimise
from planner.timeseries.horizon import Window


class Decided(NamedTuple):
    """The joint plan of a window.

    here_and_now: what is decided before the future is known; a row a step of the window, columns of
        a plan's schedule. It can be given to `solve_window`, `pin` or `settle` as it is.
    branches: the members with their programs.
    points: a solution of each member's program, with the joint status; its `bound` is -inf.
    solution: that of the joint program; its bound is of the weighed objective, as a cost.
    """

    here_and_now: pd.DataFrame
    branches: tuple[Branch, ...]
    points: tuple[Solution, ...]
    solution: Solution


def plan_window(
    scenario: Scenario,
    members: Sequence[tuple[float, Scenario]],
    window: Window | None = None,
    risk: Risk | None = None,
    *,
    awake: bool = False,
    names: Sequence[str] = (),
) -> Decided:
    """Find the here-and-now decisions of a window that are best over several futures.

    Args:
        scenario: gives the solver settings.
        members: probability (they sum to 1) and scenario of each future, on the same horizon.
        window: the steps to plan [all of the horizon].
        risk: how much the bad futures weigh [only the mean counts].
        awake: whether the nodes awake are decided before the future is known too.
        names: what errors call the members.

    Raises:
        InfeasibleError: a member has no plan, or no here-and-now decisions serve all of them.
        NoPlanError: the time limit struck before a first plan.
    """
    called = names or [str(number) for number in range(1, len(members) + 1)]
    branches = tuple(
        Branch(name, probability, compiled(name, member, window))
        for name, (probability, member) in zip(called, members, strict=True)
    )
    joined = join(branches, risk, awake=awake)
    try:
        solution = optimise(joined.program, scenario.solver)
    except (InfeasibleProgramError, UnboundedError):
        raise _why_none(branches) from None
    points = tuple(
        replace(solution, x=solution.x[place], bound=-np.inf, duals=None) for place in joined.places
    )
    shared = shared_columns(branches[0].program, awake=awake)
    here_and_now = branches[0].program.schedule_at(points[0].x, shared)
    return Decided(here_and_now, branches, points, solution)


def compiled(name: str, member: Scenario, window: Window | None = None) -> Program:
    """Return the program of a member. Raises InfeasibleError with the member's name."""
    try:
        return compile_program(assemble(member, window))
    except InfeasibleError as error:
        raise named(name, error) from None


def _why_none(branches: Sequence[Branch]) -> InfeasibleError:
    """Say which member has no plan of its own, or that they have none together."""
    for branch in branches:
        program = branch.program
        try:
            optimise(program, program.scenario.solver)
        except UnboundedError:
            return named(branch.name, unbounded(program))
        except InfeasibleProgramError:
            return named(branch.name, infeasible(program.scenario))
    return InfeasibleError(
        "no plan serves every future: each member has a plan of its own, and none of them share"
        " what is decided before the future is known"
    )


def named(member: str, error: InfeasibleError) -> InfeasibleError:
    """Return why there is no plan with the name of the member that has none."""
    said = f"member {member}: {error}"
    return InfeasibleError(said, error.diagnosis | {"member": member, "text": said})
