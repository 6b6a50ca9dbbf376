"""The stochastic plan of a scenario with its members settled, VSS and EVPI.

1. The here-and-now decisions are those of the joint plan (`two_stage`).
2. Each member is settled: planned with these decisions pinned.
3. VSS, the value of the stochastic solution, is the planned profit (mean, or mean and CVaR) less
   EEV, the profit of the base scenario's decisions in the same members: plan the scenario without
   its uncertainty, pin its here-and-now decisions, settle every member. They may leave a member
   without any plan; then VSS has no limit. Where they earn more than the joint plan, within its
   gap, they replace it.
4. EVPI, the expected value of perfect information, is WS less the planned profit; WS (wait and see)
   is the profit of planning each member alone.

WS >= profit >= EEV. Every solve has its own gap; a note marks a difference within the gaps.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from planner.diagnosis.infeasible import infeasible, obvious_contradictions
from planner.errors import InfeasibleError, NoPlanError, wrong
from planner.message import Message
from planner.plan.plan import Plan
from planner.plan.stochastic_plan import StochasticPlan, member_table
from planner.plan_tables.summary import proof
from planner.scenario.scenario import Scenario, ScenarioLike, members_of, scenario_of
from planner.scenario.uncertainty.fields import Uncertainty, cvar, mean, worth
from planner.solver.compiler import program_of
from planner.solver.joint_program import MemberProgram, shared_columns
from planner.solver.pinning import best_kept, pin
from planner.solver.rounds import optimise_uninterrupted
from planner.solver.solution import Solution
from planner.studies.to_plan import Out, publish, to_plan
from planner.studies.two_stage import JointPlan, of_member, plan_window

TOLERANCE = 1e-5  # of pinned decisions: the rounding of printed values
MIN_DIFFERENCE_CNY = 0.01


@dataclass(frozen=True)
class Outcomes:
    """The profits of the members and their bounds, CNY."""

    profits: tuple[float, ...]
    bounds: tuple[float, ...]


def solve_stochastic(scenario: ScenarioLike, out: Out = None) -> StochasticPlan:
    """Find the plan of a scenario with `uncertainty`: decide now, settle every member.

    `out` is the folder to write: an `Output`, or its path.

    `solver.time_limit_s` and `solver.gap` hold for each solve: the joint one, the base scenario,
    and three of each member.

    Raises:
        ScenarioError: the scenario has no uncertainty.
        InfeasibleError: a member has no plan, or no here-and-now decisions serve all of them.
        NoPlanError: the time limit struck before a first joint plan.
        PlanError: the plan of a member fails its own audit, or the folder cannot be written.
        KeyboardInterrupt: Ctrl-C before a first joint plan; later the plan so far is returned.
    """
    scenario = scenario_of(scenario)
    uncertainty = scenario.uncertainty
    if uncertainty is None:
        raise wrong("uncertainty", Message("is required for a plan of several members"))
    members, awake = members_of(scenario), uncertainty.awake == "here_and_now"
    for name, (_, member) in members.items():
        if contradictions := obvious_contradictions(member):
            raise of_member(name, infeasible(member, contradictions))
    began = time.perf_counter()
    pairs, names = list(members.values()), list(members)
    joint_plan = plan_window(scenario, pairs, risk=uncertainty.risk, awake=awake, names=names)
    joint = time.perf_counter()
    study = _Study(scenario, joint_plan, uncertainty)
    try:
        study.settle()
        study.compare()
    except KeyboardInterrupt:
        study.status = "interrupted"
        study.notes.append(Message("interrupted before VSS and EVPI were known"))
    seconds = {"joint_s": joint - began, "members_s": time.perf_counter() - joint}
    plan = study.plan(seconds)
    publish(plan, out)
    return plan


class _Study:
    """A stochastic plan in the making: its members are settled, then compared."""

    def __init__(self, scenario: Scenario, joint_plan: JointPlan, uncertainty: Uncertainty) -> None:
        self.scenario, self.joint_plan, self.uncertainty = scenario, joint_plan, uncertainty
        self.probabilities = [member.probability for member in joint_plan.members]
        self.here_and_now = joint_plan.here_and_now
        self.points: list[Solution] = list(joint_plan.points)
        self.alone: Outcomes | None = None
        self.base: Outcomes | None = None
        self.base_profits: list[float | None] = [None] * len(joint_plan.members)
        self.notes: list[Message] = []
        self.status = joint_plan.solution.status

    def settle(self) -> None:
        """Plan every member with the here-and-now decisions pinned; never worse than jointly."""
        if self.status == "interrupted":
            raise KeyboardInterrupt
        for i, member in enumerate(self.joint_plan.members):
            try:
                point = solve_member(member, self.here_and_now)
            except NoPlanError:
                continue
            if point is not None and member.profit(point.x) > member.profit(self.points[i].x):
                self.points[i] = point

    def compare(self) -> None:
        """Find the profits of the base scenario's decisions, and of planning each member alone."""
        self._compare_base()
        pairs = []
        for member, point in zip(self.joint_plan.members, self.points, strict=True):
            try:
                solution = optimise_uninterrupted(member.program)
            except NoPlanError:
                note = Message(
                    "no plan for member {name} alone within the time limit", name=member.name
                )
                self.notes.append(note)
                return
            pairs.append((max(member.profit(solution.x), member.profit(point.x)), -solution.bound))
        self.alone = _outcomes(pairs)

    def _compare_base(self) -> None:
        base = self.scenario.revised({"uncertainty": None})
        try:
            program = program_of(base)
            solution = optimise_uninterrupted(program)
        except InfeasibleError:
            self.notes.append(
                Message("the base scenario has no plan of its own, so that VSS is not known")
            )
            return
        except NoPlanError:
            self.notes.append(Message("no plan for the base scenario within the time limit"))
            return
        awake = self.uncertainty.awake == "here_and_now"
        decisions = program.schedule_at(solution.x, shared_columns(program, awake=awake))
        points: list[Solution] = []
        infeasible_members = []
        for i, member in enumerate(self.joint_plan.members):
            try:
                point = solve_member(member, decisions)
            except NoPlanError:
                self.notes.append(
                    Message("no plan for member {name} within the time limit", name=member.name)
                )
                return
            if point is None:
                infeasible_members.append(member.name)
                continue
            self.base_profits[i] = member.profit(point.x)
            points.append(point)
        if infeasible_members:
            self.notes.append(
                Message(
                    "what is best for the base scenario leaves no plan in {names}:"
                    " VSS has no limit",
                    names=", ".join(infeasible_members),
                )
            )
            return
        bounds = [-point.bound for point in points]
        self.base = _outcomes(zip(self._profits(points), bounds, strict=True))
        if self._worth(self.base.profits) > self._worth(self._profits(self.points)):
            self.here_and_now, self.points = decisions, points

    def _profits(self, points: Sequence[Solution]) -> list[float]:
        pairs = zip(self.joint_plan.members, points, strict=True)
        return [member.profit(point.x) for member, point in pairs]

    def _worth(self, profits: Sequence[float]) -> float:
        return worth(self.probabilities, profits, self.uncertainty.risk)

    def plan(self, seconds: Mapping[str, float]) -> StochasticPlan:
        """Return the plan, to be published."""
        plans: dict[str, Plan] = {}
        pairs = zip(self.joint_plan.members, self.points, strict=True)
        for i, (member, point) in enumerate(pairs):
            bound = None if self.alone is None else self.alone.bounds[i]
            plan = to_plan(member.program, replace(point, duals=None), point.seconds)
            plans[member.name] = plan.settled(bound, {"breaches": []})
        alone = None if self.alone is None else self.alone.profits
        table = member_table(plans, self.probabilities, alone, self.base_profits)
        summary = self._summary(plans, table, seconds)
        return StochasticPlan(self.scenario, self.here_and_now, plans, table, summary)

    def _summary(
        self, plans: Mapping[str, Plan], table: pd.DataFrame, seconds: Mapping[str, float]
    ) -> dict[str, Any]:
        profits = [plan.summary["objective_cny"] for plan in plans.values()]
        objective = self._worth(profits)
        solution = self.joint_plan.solution
        bound = max(-solution.bound, objective)
        turnovers = [plan.summary["turnover_cny"] for plan in plans.values()]
        turnover = mean(self.probabilities, turnovers)
        risk = self.uncertainty.risk
        return {
            "name": self.scenario.name,
            "description": self.scenario.description,
            "status": self.status,
            "objective_cny": round(objective, 6) + 0.0,
            **proof(objective, bound, turnover),
            "turnover_cny": round(turnover, 6) + 0.0,
            "expected_cny": round(mean(self.probabilities, profits), 6) + 0.0,
            "cvar_cny": risk and round(cvar(self.probabilities, profits, risk.cvar_share), 6) + 0.0,
            "risk": risk and risk.model_dump(),
            **self._comparison(objective, bound),
            "vat": self.scenario.vat,
            **self.scenario.horizon.summary,
            "here_and_now": list(self.here_and_now.columns),
            "members": table.astype(object).where(table.notna(), None).to_dict("records"),
            "notes": self.notes,
            "warnings": self.scenario.warnings(),
            "solving": {
                "rounds": solution.rounds,
                "columns": len(solution.x),
                "members": len(plans),
            },
            "runtimes_s": {name: round(value, 4) for name, value in seconds.items()},
            "versions": next(iter(plans.values())).summary["versions"],
        }

    def _comparison(self, objective: float, bound: float) -> dict[str, float | None]:
        """Return VSS and EVPI with EEV and WS; note those within the gaps."""
        figures: dict[str, float | None] = {}
        values = ("vss", "eev", self.base, 1), ("evpi", "ws", self.alone, -1)
        for name, other, outcomes, sign in values:
            if outcomes is None:
                figures |= dict.fromkeys((f"{name}_cny", f"{other}_cny", f"{name}_open_cny"))
                continue
            worth_cny, worth_bound = self._worth(outcomes.profits), self._worth(outcomes.bounds)
            difference = max(sign * (objective - worth_cny), 0.0)  # rounding
            slack = max(bound - objective, worth_bound - worth_cny)
            figures |= {
                f"{name}_cny": round(difference, 6) + 0.0,
                f"{other}_cny": round(worth_cny, 6) + 0.0,
                f"{name}_open_cny": round(max(slack, 0.0), 6),
            }
            if slack > MIN_DIFFERENCE_CNY and difference <= slack:
                self.notes.append(Message(
                    "{name} of {value:,.2f} CNY is not more than the gaps leave open, {open:,.2f}"
                    " CNY: it may be none",
                    name=name.upper(), value=difference, open=slack,
                ))  # fmt: skip
        return figures


def solve_member(member: MemberProgram, decisions: pd.DataFrame) -> Solution | None:
    """Return the best plan of a member with here-and-now decisions pinned; None if it has none.

    Raises:
        NoPlanError: the time limit struck before a first plan.
    """
    pinned = pin(member.program, decisions, TOLERANCE)
    _, solution = best_kept(pinned, TOLERANCE) or (None, None)
    if solution is not None and solution.status == "interrupted":
        raise KeyboardInterrupt
    return solution


def _outcomes(pairs: Iterable[tuple[float, float]]) -> Outcomes:
    """Gather the profit and bound of every member; a bound is never below the profit."""
    outcomes = list(pairs)
    return Outcomes(tuple(profit for profit, _ in outcomes), tuple(map(max, outcomes)))
