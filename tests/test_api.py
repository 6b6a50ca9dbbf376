"""The public names: they are what the README says, also after a solve has loaded everything."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import planner

ROOT = Path(__file__).parent.parent
TINY = ROOT / "scenarios" / "tiny_arbitrage"
PRICE = "components.grid.export_price_cny_per_mwh"


def test_no_module_hides_a_public_name_and_every_function_works(tmp_path: Path):
    """A module that is imported becomes an attribute of its package: `planner.roll`, say."""
    for module in pkgutil.walk_packages(planner.__path__, "planner."):
        importlib.import_module(module.name)
    for name in planner.__all__:
        public = getattr(planner, name)
        assert callable(public), name
        assert not isinstance(public, ModuleType), name
    assert set(planner.__all__) <= set(dir(planner))

    scenario = planner.load(TINY)
    assert isinstance(scenario, planner.Scenario)
    plan = planner.solve(scenario)
    assert isinstance(plan, planner.Plan)
    folder = plan.write(tmp_path / "plan")
    assert planner.audit(folder) == []
    assert planner.read_plan(folder) == plan
    assert planner.compare(folder, folder).equal
    assert isinstance(planner.prices(scenario), planner.Prices)
    settlement = planner.settle(scenario, plan)
    assert isinstance(settlement, planner.Settlement)
    assert settlement.breaches == ()
    assert planner.rule_of_thumb(scenario, "grid_first").summary["status"] == "settled"
    assert planner.roll(scenario, 24, 24).summary["rolling"]["windows"] == 1
    simulation = planner.simulate(scenario, policies=["perfect"])
    assert isinstance(simulation, planner.Simulation)
    members = {"members": [{"name": "as_it_is", "probability": 1, "set": {}}]}
    stochastic = planner.solve_stochastic(planner.load(TINY, {"uncertainty": members}))
    assert isinstance(stochastic, planner.StochasticPlan)
    condition = "objective_cny = 1e9"
    even = planner.break_even(TINY, PRICE, condition, 0, 1, scale=True)
    assert even.status == "not_bracketed"
    with pytest.raises(planner.ScenarioError, match="cannot be read"):
        planner.sweep(tmp_path / "none.yaml")


def test_type_checkers_see_the_names_that_are_imported_when_first_used():
    tree = ast.parse((ROOT / "planner" / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.asname: (node.module or "").removeprefix("planner.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == alias.asname
    }
    assert seen == planner._MODULES


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = planner.no_such_name


def test_a_plan_that_fails_its_audit_is_not_returned(monkeypatch: pytest.MonkeyPatch):
    from planner.auditor.audit import Breach

    breach = Breach("coal_1", "ramp_up", "2026-07-15T17:00+08:00", 20.0, "MW", "rises too fast")
    monkeypatch.setattr("planner.studies.to_plan.audit", lambda _: [breach])
    with pytest.raises(planner.PlanError, match="coal_1: ramp_up"):
        planner.solve(planner.load(ROOT / "scenarios" / "tiny_arbitrage"))


def test_errors_travel_between_processes() -> None:
    """A process pool pickles what a worker raises; the message must arrive."""
    import copy
    import pickle

    from planner.errors import InfeasibleError, PlanError, Problem, ScenarioError
    from planner.message import Message

    problem = Problem(Message("must be {value:g}", value=2), "solver.gap", "a.yaml", 3)
    for error in (
        ScenarioError([problem, Problem(Message("is required"), "name")]),
        InfeasibleError(Message("no plan"), {"status": "infeasible"}),
        PlanError(Message("{path} cannot be read", path="x")),
    ):
        for arrived in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
            assert str(arrived) == str(error)
            assert arrived.message.template == error.message.template
            assert vars(arrived) == vars(error)


def test_every_error_pickles() -> None:
    import copy
    import pickle

    from planner.errors import PlannerError, Problem, ScenarioError
    from planner.message import Message

    def below(cls: type[PlannerError]) -> list[type[PlannerError]]:
        return [cls, *(one for sub in cls.__subclasses__() for one in below(sub))]

    for module in pkgutil.walk_packages(planner.__path__, "planner."):
        importlib.import_module(module.name)
    for cls in below(PlannerError):
        message = Message("must be {value:g}", value=2)
        error = cls([Problem(message)]) if issubclass(cls, ScenarioError) else cls(message)
        for arrived in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
            assert (type(arrived), str(arrived), vars(arrived)) == (cls, str(error), vars(error))


def test_a_value_cannot_forge_lines_of_an_error() -> None:
    from planner.message import Message

    assert (
        str(Message("there is no file {file}", file="a\nb: fine")) == r"there is no file a\nb: fine"
    )


def test_a_separator_of_messages_may_hold_braces() -> None:
    import pickle

    from planner.message import MessageList

    texts = MessageList(" {x} ", ["a", "{b}"])
    assert texts == "a {x} {b}" == pickle.loads(pickle.dumps(texts))
