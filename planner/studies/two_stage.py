"""The two-stage stochastic plan of a window over several members.

The here-and-now decisions of components (`Component.here_and_now`: commitment of thermal units,
declarations to be chosen, nodes awake on request) are the same in all members; everything else is
recourse, decided in each member with the whole member known. `joint_program` makes the joint
program; `solve_stochastic` settles the members and values the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from planner.diagnosis.infeasible import optimise_or_explain
from planner.errors import InfeasibleError
from planner.message import Message
from planner.scenario.scenario import Scenario
from planner.scenario.uncertainty.fields import Risk
from planner.solver.compiler import program_of
from planner.solver.joint_program import MemberProgram, join, shared_columns
from planner.solver.rounds import InfeasibleProgramError, UnboundedError, optimise
from planner.solver.solution import Solution
from planner.timeseries.horizon import Window


class JointPlan(NamedTuple):
    """The joint plan of a window.

    here_and_now: the schedule of the here-and-now decisions, one row per step of the window; it can
        be pinned by `solve_window`, `pin` or `settle` as it is.
    members: the members with their programs.
    points: a solution of each member's program, with the joint status; its `bound` is -inf.
    solution: that of the joint program; its bound is that of the weighted objective, as a cost.
    """

    here_and_now: pd.DataFrame
    members: Sequence[MemberProgram]
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
) -> JointPlan:
    """Find the best here-and-now decisions of a window over several members.

    Args:
        scenario: for its solver settings.
        members: probability (they sum to 1) and scenario of each, on the same horizon.
        window: the steps to plan [all of the horizon].
        risk: the weight of the CVaR in the objective [the mean alone].
        awake: whether the nodes awake are decided here and now too.
        names: of the members, for messages [their numbers].

    Raises:
        InfeasibleError: a member has no plan, or no here-and-now decisions serve all of them.
        NoPlanError: the time limit struck before a first plan.
    """
    numbers = [str(number) for number in range(1, len(members) + 1)]
    programs = []
    for name, (probability, member) in zip(names or numbers, members, strict=True):
        try:
            program = program_of(member, window)
        except InfeasibleError as error:
            raise of_member(name, error) from None
        programs.append(MemberProgram(name, probability, program))
    joint, places = join(programs, risk, awake=awake)
    try:
        solution = optimise(joint, scenario.solver)
    except (InfeasibleProgramError, UnboundedError):
        raise _joint_infeasibility(programs) from None
    points = tuple(
        replace(solution, x=solution.x[place], bound=-np.inf, duals=None) for place in places
    )
    first = programs[0].program
    here_and_now = first.schedule_at(points[0].x, shared_columns(first, awake=awake))
    return JointPlan(here_and_now, programs, points, solution)


def _joint_infeasibility(members: Sequence[MemberProgram]) -> InfeasibleError:
    """Return the error of the first member without a plan of its own, or of all together."""
    for member in members:
        try:
            optimise_or_explain(member.program)
        except InfeasibleError as error:
            return of_member(member.name, error)
    return InfeasibleError(
        Message(
            "no plan serves every member: each has a plan of its own, but none with the same"
            " here-and-now decisions"
        )
    )


def of_member(name: str, error: InfeasibleError) -> InfeasibleError:
    """Return the error of a member with its name."""
    text = Message("member {name}: {sentence}", name=name, sentence=error.message)
    return InfeasibleError(text, error.diagnosis | {"member": name, "text": text})
