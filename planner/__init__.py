"""Dispatch plans for sites that put renewables, coal, storage, a grid and GPUs behind one fence.

import planner

scenario = planner.load("scenarios/huainan/scenario.yaml")
plan = planner.solve(scenario)
plan.write("plans/huainan")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.auditor.audit import audit
    from planner.errors import (
        InfeasibleError,
        NoPlanError,
        PlanError,
        PlannerError,
        ScenarioError,
        SolveError,
    )
    from planner.plan.plan import Plan, read_plan
    from planner.plan.stochastic_plan import StochasticPlan
    from planner.report.comparison.compare import compare
    from planner.scenario.scenario import Scenario, load
    from planner.studies.break_even import break_even
    from planner.studies.prices import Prices, prices
    from planner.studies.roll import roll
    from planner.studies.rules_of_thumb import rule_of_thumb
    from planner.studies.settle import Settlement, settle
    from planner.studies.simulate import Simulation, simulate
    from planner.studies.solve import solve
    from planner.studies.solve_stochastic import solve_stochastic
    from planner.studies.sweep import sweep
    from planner.sweeps.result import Sweep

__all__ = [
    "InfeasibleError",
    "NoPlanError",
    "Plan",
    "PlanError",
    "PlannerError",
    "Prices",
    "Scenario",
    "ScenarioError",
    "Settlement",
    "Simulation",
    "SolveError",
    "StochasticPlan",
    "Sweep",
    "audit",
    "break_even",
    "compare",
    "load",
    "prices",
    "read_plan",
    "roll",
    "rule_of_thumb",
    "settle",
    "simulate",
    "solve",
    "solve_stochastic",
    "sweep",
]

_WHERE = {
    "Plan": "planner.plan.plan",
    "audit": "planner.auditor.audit",
    "Scenario": "planner.scenario.scenario",
    "Prices": "planner.studies.prices",
    "break_even": "planner.studies.break_even",
    "compare": "planner.report.comparison.compare",
    "load": "planner.scenario.scenario",
    "prices": "planner.studies.prices",
    "read_plan": "planner.plan.plan",
    "roll": "planner.studies.roll",
    "Settlement": "planner.studies.settle",
    "settle": "planner.studies.settle",
    "rule_of_thumb": "planner.studies.rules_of_thumb",
    "simulate": "planner.studies.simulate",
    "Simulation": "planner.studies.simulate",
    "StochasticPlan": "planner.plan.stochastic_plan",
    "solve": "planner.studies.solve",
    "solve_stochastic": "planner.studies.solve_stochastic",
    "Sweep": "planner.sweeps.result",
    "sweep": "planner.studies.sweep",
}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used, so that `planner --help` stays instant."""
    if name not in __all__:
        raise AttributeError(f"module 'planner' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE.get(name, "planner.errors")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
