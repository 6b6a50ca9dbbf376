"""Dispatch plans for sites that put renewables, coal, storage, a grid and GPUs behind one fence.

import planner

scenario = planner.load("scenarios/huainan/scenario.yaml")
plan = planner.solve(scenario)
plan.write("plans/huainan")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.auditor import audit
    from planner.errors import (
        InfeasibleError,
        NoPlanError,
        PlanError,
        PlannerError,
        ScenarioError,
        SolveError,
    )
    from planner.folder import read_plan
    from planner.plan import Plan
    from planner.report.comparison import compare
    from planner.scenario import Scenario, load
    from planner.stochastic import StochasticPlan
    from planner.studies.breakeven import break_even
    from planner.studies.futures import solve_stochastic
    from planner.studies.prices import Prices, prices
    from planner.studies.rolling import roll
    from planner.studies.rules_of_thumb import rule_of_thumb
    from planner.studies.settle import Settlement, settle
    from planner.studies.simulate import simulate
    from planner.studies.simulated import Simulation
    from planner.studies.single import solve
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
    "Plan": "planner.plan",
    "audit": "planner.auditor",
    "Scenario": "planner.scenario",
    "Prices": "planner.studies.prices",
    "break_even": "planner.studies.breakeven",
    "compare": "planner.report.comparison",
    "load": "planner.scenario",
    "prices": "planner.studies.prices",
    "read_plan": "planner.folder",
    "roll": "planner.studies.rolling",
    "Settlement": "planner.studies.settle",
    "settle": "planner.studies.settle",
    "rule_of_thumb": "planner.studies.rules_of_thumb",
    "simulate": "planner.studies.simulate",
    "Simulation": "planner.studies.simulated",
    "StochasticPlan": "planner.stochastic",
    "solve": "planner.studies.single",
    "solve_stochastic": "planner.studies.futures",
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
