"""A plan for several futures, its members settled, and what it is worth to plan so.

1. The here-and-now decisions are those of the joint plan (`two_stage`).
2. Each member is settled: planned with these decisions held.
3. VSS, the value of the stochastic solution, is the profit planned for (mean, or mean and CVaR)
   above what the decisions of the base scenario alone earn in the same futures (EEV): plan what the
   file says without its uncertainty, hold its here-and-now decisions, settle every member. They may
   leave a member without any plan; then VSS has no limit. Should they earn more than the joint plan
   does, within its gap, they are taken.
4. EVPI, the expected value of perfect information, is what planning for each member alone would
   earn (WS) above the profit planned for.

WS >= profit >= EEV. Every solve keeps its own gap, and a difference smaller than what the gaps
leave open is told as such.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from planner.diagnosis.infeasible import infeasible, obvious_contradictions
from planner.errors import InfeasibleError, NoPlanError, Problem, ScenarioError
from planner.plan.plan import Plan
from planner.plan.stochastic_plan import StochasticPlan, member_table
from planner.plan_tables.summary import gap_of
from planner.scenario.scenario import Scenario, members_of
from planner.scenario.scenario_file import SolverSettings
from planner.scenario.uncertainty.fields import Risk, cvar, mean, worth
from planner.solver.joint_program import Branch, shared_columns
from planner.solver.pinning import pin
from planner.solver.program import Program
from planner.solver.rounds import InfeasibleProgramError, Solution, UnboundedError, optimise
from planner.studies.to_plan import require_filled_audit, to_plan
from planner.studies.two_stage import Decided, compiled, named, plan_window

TOLERANCES = (0.0, 1e-5)  # how far a decision that is held may move: what printing it rounded
CNY = 0.01  # differences of money below this are none


@dataclass(frozen=True)
class Outcomes:
    """What the members earn and at most could, CNY, each with the same probability as before."""

    profits: tuple[float, ...]
    bounds: tuple[float, ...]


def solve_stochastic(scenario: Scenario) -> StochasticPlan:
    """Find the plan of a scenario with `uncertainty`: decide now, settle every future.

    `solver.time_limit_s` and `solver.gap` hold for each solve: the joint one, the base scenario,
    and three of each member.

    Raises:
        ScenarioError: the scenario has no uncertainty.
        InfeasibleError: a member has no plan, or no here-and-now decisions serve all of them.
        NoPlanError: the time limit struck before a first joint plan.
        PlanError: the plan of a member fails its own audit.
        KeyboardInterrupt: Ctrl-C before a first joint plan; later what is found is returned.
    """
    said = scenario.uncertainty
    if said is None:
        problem = Problem("is required to plan for several futures", "uncertainty")
        raise ScenarioError([problem])
    members, awake = members_of(scenario), said.awake == "here_and_now"
    for name, (_, member) in members.items():
        if contradictions := obvious_contradictions(member):
            raise named(name, infeasible(member, contradictions))
    began = time.perf_counter()
    pairs = list(members.values())
    decided = plan_window(scenario, pairs, risk=said.risk, awake=awake, names=list(members))
    joint = time.perf_counter()
    study = _Study(scenario, decided, [p for p, _ in pairs], said.risk, awake)
    try:
        study.settle()
        study.compare()
    except KeyboardInterrupt:
        study.interrupted()
    seconds = {"joint_s": joint - began, "members_s": time.perf_counter() - joint}
    return study.plan(seconds)


class _Study:
    """What is known of a plan for several futures, in the order in which it is found."""

    def __init__(
        self,
        scenario: Scenario,
        decided: Decided,
        probabilities: list[float],
        risk: Risk | None,
        awake: bool,
    ) -> None:
        self.scenario, self.decided, self.risk, self.awake = scenario, decided, risk, awake
        self.settings: SolverSettings = scenario.solver
        self.probabilities = probabilities
        self.here_and_now = decided.here_and_now
        self.points: list[Solution] = list(decided.points)
        self.alone: Outcomes | None = None
        self.base: Outcomes | None = None
        self.base_profits: list[float | None] = [None] * len(decided.branches)
        self.notes: list[str] = []
        self.status = decided.solution.status

    def interrupted(self) -> None:
        """Note that the rest is not known."""
        self.status = "interrupted"
        self.notes.append("interrupted before VSS and EVPI were known")

    def settle(self) -> None:
        """Plan every member with the here-and-now decisions held; never worse than jointly."""
        if self.status == "interrupted":
            raise KeyboardInterrupt
        for i, branch in enumerate(self.decided.branches):
            try:
                found = held(branch, self.here_and_now, self.settings)
            except NoPlanError:
                continue
            if found is not None and earned(branch, found) > earned(branch, self.points[i]):
                self.points[i] = found

    def compare(self) -> None:
        """Find what the base scenario's decisions earn, and what each member alone would."""
        self._compare_base()
        found = []
        for branch, point in zip(self.decided.branches, self.points, strict=True):
            try:
                solution = _solved(branch.program, self.settings)
            except NoPlanError:
                self.notes.append(f"no plan for member {branch.name} alone within the time limit")
                return
            found.append((max(earned(branch, solution), earned(branch, point)), -solution.bound))
        self.alone = _outcomes(found)

    def _compare_base(self) -> None:
        base = self.scenario.model_copy(update={"uncertainty": None})
        try:
            program = compiled("of the base scenario", base)
            solution = _solved(program, self.settings)
        except (InfeasibleProgramError, UnboundedError, InfeasibleError):
            self.notes.append("the base scenario has no plan of its own, so that VSS is not known")
            return
        except NoPlanError:
            self.notes.append("no plan for the base scenario within the time limit")
            return
        given = program.schedule_at(solution.x, shared_columns(program, awake=self.awake))
        branches, points, lost = self.decided.branches, [], []
        for i, branch in enumerate(branches):
            try:
                found = held(branch, given, self.settings)
            except NoPlanError:
                self.notes.append(f"no plan for member {branch.name} within the time limit")
                return
            if found is None:
                lost.append(branch.name)
                continue
            self.base_profits[i] = earned(branch, found)
            points.append(found)
        if lost:
            self.notes.append(
                f"what is best for the base scenario leaves no plan in {', '.join(lost)}:"
                " VSS has no limit"
            )
            return
        self.base = _outcomes(
            [(earned(b, point), -point.bound) for b, point in zip(branches, points, strict=True)]
        )
        if self._worth(self.base.profits) > self._worth(self._profits()):
            self.here_and_now, self.points = given, points

    def _profits(self) -> list[float]:
        pairs = zip(self.decided.branches, self.points, strict=True)
        return [earned(branch, point) for branch, point in pairs]

    def _worth(self, profits: Sequence[float]) -> float:
        return worth(self.probabilities, profits, self.risk)

    def plan(self, seconds: Mapping[str, float]) -> StochasticPlan:
        """Gather the plan, which must pass its audit."""
        plans: dict[str, Plan] = {}
        for i, (branch, point) in enumerate(zip(self.decided.branches, self.points, strict=True)):
            point = replace(point, duals=None)
            bound = None if self.alone is None else self.alone.bounds[i]
            plan = to_plan(branch.program, point, dict(point.seconds))
            plans[branch.name] = plan.settled(bound, {"breaches": []})
        alone = None if self.alone is None else self.alone.profits
        table = member_table(plans, self.probabilities, alone, self.base_profits)
        summary = self._summary(plans, table, seconds)
        found = StochasticPlan(self.scenario, self.here_and_now, plans, table, summary)
        require_filled_audit(found.fill)
        return found

    def _summary(
        self, plans: Mapping[str, Plan], table: pd.DataFrame, seconds: Mapping[str, float]
    ) -> dict[str, Any]:
        profits = [plan.summary["objective_cny"] for plan in plans.values()]
        objective = self._worth(profits)
        solution = self.decided.solution
        bound = max(-solution.bound, objective)
        turnovers = [plan.summary["turnover_cny"] for plan in plans.values()]
        turnover = mean(self.probabilities, turnovers)
        risk = self.risk
        return {
            "name": self.scenario.name,
            "description": self.scenario.description,
            "status": self.status,
            "objective_cny": round(objective, 6),
            "bound_cny": round(bound, 6),
            "gap": gap_of(objective, bound, turnover),
            "turnover_cny": round(turnover, 6),
            "expected_cny": round(mean(self.probabilities, profits), 6),
            "cvar_cny": risk and round(cvar(self.probabilities, profits, risk.cvar_share), 6),
            "risk": risk and risk.model_dump(),
            **self._comparison(objective, bound),
            "vat": self.scenario.vat,
            "start": self.scenario.horizon.starts[0].isoformat(),
            "hours": float(self.scenario.horizon.hours),
            "step_min": self.scenario.horizon.step_min,
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
        """Return VSS and EVPI with what they rest on; note those that the gaps may explain."""
        found: dict[str, float | None] = {}
        known = ("vss", "eev", self.base, 1), ("evpi", "ws", self.alone, -1)
        for name, which, other, sign in known:
            if other is None:
                found |= {f"{name}_cny": None, f"{which}_cny": None, f"{name}_open_cny": None}
                continue
            profit, most = self._worth(other.profits), self._worth(other.bounds)
            difference = max(sign * (objective - profit), 0.0)  # rounding
            slack = max(bound - objective, most - profit)
            found |= {
                f"{name}_cny": round(difference, 6),
                f"{which}_cny": round(profit, 6),
                f"{name}_open_cny": round(max(slack, 0.0), 6),
            }
            if slack > CNY and difference <= slack:
                self.notes.append(
                    f"{name.upper()} of {difference:,.2f} CNY is not more than the gaps leave open,"
                    f" {slack:,.2f} CNY: it may be none"
                )
        return found


def held(branch: Branch, given: pd.DataFrame, settings: SolverSettings) -> Solution | None:
    """Return the best plan of a member with here-and-now decisions held; None where none has them.

    Raises:
        NoPlanError: the time limit struck before a first plan.
    """
    for tolerance in TOLERANCES:
        pinned = pin(branch.program, given, tolerance)
        if not pinned.misfits:
            try:
                return _solved(pinned.program, settings)
            except InfeasibleProgramError:
                continue
    return None


def _solved(program: Program, settings: SolverSettings) -> Solution:
    """Optimise; Ctrl-C ends this study, also where a plan had been found by then."""
    found = optimise(program, settings)
    if found.status == "interrupted":
        raise KeyboardInterrupt
    return found


def earned(branch: Branch, point: Solution) -> float:
    """Return the profit of a member at a solution, CNY."""
    return 0.0 - float(branch.program.cost @ point.x + branch.program.offset)


def _outcomes(pairs: Sequence[tuple[float, float]]) -> Outcomes:
    """Gather (profit, bound) of every member; a bound is never below what is earned."""
    return Outcomes(
        tuple(profit for profit, _ in pairs), tuple(max(profit, most) for profit, most in pairs)
    )
