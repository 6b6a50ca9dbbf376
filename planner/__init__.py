"""Dispatch plans for sites that put renewables, coal, storage, a grid and GPUs behind one fence.

import planner

scenario = planner.load("scenarios/huainan/scenario.yaml")
plan = planner.solve(scenario)
plan.write("plans/huainan")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner import errors

if TYPE_CHECKING:  # for type checkers, which read no table; a test compares the two
    from planner.auditor.audit import audit as audit
    from planner.errors import InfeasibleError as InfeasibleError
    from planner.errors import NoPlanError as NoPlanError
    from planner.errors import PlanError as PlanError
    from planner.errors import PlannerError as PlannerError
    from planner.errors import ScenarioError as ScenarioError
    from planner.errors import SolveError as SolveError
    from planner.plan.folder import read_plan as read_plan
    from planner.plan.output import Output as Output
    from planner.plan.plan import Plan as Plan
    from planner.plan.stochastic_plan import StochasticPlan as StochasticPlan
    from planner.report.comparison.compare import compare as compare
    from planner.scenario.scenario import Scenario as Scenario
    from planner.scenario.scenario import load as load
    from planner.scenario.scenario_file import SolverSettings as SolverSettings
    from planner.studies.break_even import break_even as break_even
    from planner.studies.end_values import with_end_values as with_end_values
    from planner.studies.prices import Prices as Prices
    from planner.studies.prices import prices as prices
    from planner.studies.replan import Replan as Replan
    from planner.studies.replan import replan as replan
    from planner.studies.roll import roll as roll
    from planner.studies.rules_of_thumb import rule_of_thumb as rule_of_thumb
    from planner.studies.settle import Settlement as Settlement
    from planner.studies.settle import settle as settle
    from planner.studies.simulate import Simulation as Simulation
    from planner.studies.simulate import simulate as simulate
    from planner.studies.solve import solve as solve
    from planner.studies.solve_stochastic import solve_stochastic as solve_stochastic
    from planner.studies.sweep import sweep as sweep
    from planner.studies.year import plan_year as plan_year
    from planner.sweeps.result import Sweep as Sweep
    from planner.timeseries.horizon import Horizon as Horizon

    __version__: str

_MODULES = {
    "Horizon": "timeseries.horizon",
    "InfeasibleError": "errors",
    "NoPlanError": "errors",
    "Output": "plan.output",
    "Plan": "plan.plan",
    "PlanError": "errors",
    "PlannerError": "errors",
    "Prices": "studies.prices",
    "Replan": "studies.replan",
    "Scenario": "scenario.scenario",
    "ScenarioError": "errors",
    "Settlement": "studies.settle",
    "Simulation": "studies.simulate",
    "SolveError": "errors",
    "SolverSettings": "scenario.scenario_file",
    "StochasticPlan": "plan.stochastic_plan",
    "Sweep": "sweeps.result",
    "audit": "auditor.audit",
    "break_even": "studies.break_even",
    "compare": "report.comparison.compare",
    "load": "scenario.scenario",
    "plan_year": "studies.year",
    "prices": "studies.prices",
    "read_plan": "plan.folder",
    "replan": "studies.replan",
    "roll": "studies.roll",
    "rule_of_thumb": "studies.rules_of_thumb",
    "settle": "studies.settle",
    "simulate": "studies.simulate",
    "solve": "studies.solve",
    "solve_stochastic": "studies.solve_stochastic",
    "sweep": "studies.sweep",
    "with_end_values": "studies.end_values",
}
"""Every public name and the module that holds it."""
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    """Import public names when they are first used, so that `planner --help` stays instant."""
    if name == "__version__":
        from planner.version import planner_version

        return planner_version()
    if name not in _MODULES:
        raise AttributeError(f"module 'planner' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"planner.{_MODULES[name]}"), name)


def _read_outside(*what: Any) -> Any:
    from planner.scenario.typed_values import read_outside

    return read_outside(*what)


errors.read_outside = _read_outside


def __dir__() -> list[str]:
    return sorted(__all__)
