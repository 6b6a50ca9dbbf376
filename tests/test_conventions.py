"""Rules of the house that matter, as tests."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from planner.components.component import Component
from planner.components.registry import KINDS, Kind
from planner.field_docstrings import field_docstrings
from planner.fields import Frozen
from planner.units import SUFFIXES, unit
from planner.version import DISTRIBUTION
from tests.support.sources import nodes, tree
from tests.support.words import messages
from tests.test_layers import dotted, imports, room

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "planner"
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def test_reports_never_import_the_model() -> None:
    for path in (PACKAGE / "report").rglob("*.py"):
        assert "pyomo" not in path.read_text()


def test_every_package_that_a_message_asks_for_is_an_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = [path.read_text(encoding="utf-8") for path in MODULES]
    extras = {extra for text in texts for extra in re.findall(r'install_line\("(\w+)"\)', text)}
    assert len(extras) == 4
    assert extras <= {*project["optional-dependencies"]}
    assert project["name"] == DISTRIBUTION
    assert not [text for text in messages() if "pip install" in text]  # but by install_line


def test_one_module_imports_highspy_and_one_pyomo() -> None:
    for path in MODULES:
        for node in nodes(path):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            if any(name.startswith("highspy") for name in names):
                assert dotted(path) == "solver.highs"
            if any(name.startswith("pyomo") for name in names):
                assert dotted(path) == "modelling.in_pyomo"


def component_classes() -> list[type[Component]]:
    return [kind.component for kind in KINDS.values()]


def sources(cls: type[Component]) -> list[Any]:
    """The modules that build a component: its own and the component modules it imports."""
    own = inspect.getmodule(cls)
    assert own is not None
    path = Path(own.__file__ or "")
    helpers = [name for name in imports(path) if name.startswith("components.")]
    kinds = {inspect.getmodule(other) for other in component_classes() if other is not cls}
    modules = [importlib.import_module(f"planner.{name}") for name in helpers]
    return [own, *(m for m in modules if m not in kinds and not m.__name__.endswith(".base"))]


@pytest.mark.parametrize("cls", component_classes(), ids=lambda cls: cls.__name__)
def test_every_row_stands_in_the_docstring(cls: type[Component]) -> None:
    modules = sources(cls)
    text = "\n".join(module.__doc__ or "" for module in modules)
    for module in modules:
        source = inspect.getsource(module)
        names = re.findall(r"\bb\.(\w+) = pyo\.Constraint", source)
        names += re.findall(r"add_component\(\s*\"(\w+)\"", source)
        for name in names:
            assert re.search(rf"\b{name}\b", text), f"{module.__name__}: {name}"


def frozen_classes() -> list[type[Frozen]]:
    def below(cls: type[Frozen]) -> list[type[Frozen]]:
        return [cls, *(found for sub in cls.__subclasses__() for found in below(sub))]

    return [cls for cls in below(Frozen)[1:] if cls.__module__.startswith("planner.")]


@pytest.mark.parametrize("cls", frozen_classes(), ids=lambda cls: cls.__name__)
def test_every_field_has_a_description(cls: type[Frozen]) -> None:
    if cls.__name__ != "Scenario":
        assert cls.model_fields.keys() - {"kind"} <= field_docstrings(cls).keys()


UNITLESS = {
    # words
    "kind", "node", "technology", "model", "initial", "ending", "curve", "startups", "serves",
    "points", "prefill", "sleep", "market", "waiting", "providers", "fleet", "from_node", "to_node",
    "grid", "declaration", "response", "so_far", "ahead", "charge_from", "energy_targets", "time",
    "title", "host",
    # switches and states
    "resale", "must_run", "whole_nodes", "largest_unit", "on", "both_ways", "mandatory",
    "price_imports", "discharge_to_grid",
    # counts and ratios named by themselves
    "nodes", "spare_nodes", "available", "pue", "awake", "woken", "input_per_output", "hours",
    "demand_hours",
}  # fmt: skip


@pytest.mark.parametrize("cls", component_classes(), ids=lambda cls: cls.__name__)
def test_every_quantity_ends_in_its_unit(cls: type[Component]) -> None:
    for name in cls.model_fields:
        assert unit(name) or name in UNITLESS, f"{cls.__name__}.{name}"


PER_TIME = {
    "leak_per_h",
    "correlation_per_h",
    "cycles_per_day",
    "max_starts_per_day",
    "ramp_nodes_per_h",
}  # a share or a count by the hour or the day


@pytest.mark.parametrize("cls", frozen_classes(), ids=lambda cls: cls.__name__)
def test_no_unit_is_part_of_another(cls: type[Frozen]) -> None:
    """A price in CNY/kg is not in kg and a demand in kg/h not in 1/h: add the whole suffix."""
    for name in cls.model_fields:
        assert whole_unit(name), f"{cls.__name__}.{name} reads as {unit(name)}: see units.py"


def whole_unit(name: str) -> bool:
    """Return whether the unit of a name, if it has one, is no end of a longer one."""
    if unit(name) in ("1/h", "1/day"):
        return name in PER_TIME
    suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), "")
    return not (suffix and name.removesuffix(suffix).endswith("_per"))


@pytest.mark.parametrize("cls", component_classes(), ids=lambda cls: cls.__name__)
def test_initial_and_after_come_together(cls: type[Component]) -> None:
    states = [name for name in cls.model_fields if name == "initial" or "so_far" in name]
    assert bool(states) == ("after" in cls.__dict__)


@pytest.mark.parametrize("cls", component_classes(), ids=lambda cls: cls.__name__)
def test_no_module_but_the_registry_names_a_kind(cls: type[Component]) -> None:
    """The next component costs one file and one word."""
    allowed = {"components", *(m.__name__.removeprefix("planner.") for m in sources(cls))}
    for path in MODULES:
        me = dotted(path)
        if me not in allowed and not me.startswith("components."):
            names = {node.id for node in nodes(path) if isinstance(node, ast.Name)}
            assert cls.__name__ not in names, f"{me} names {cls.__name__}"


def test_a_new_component_costs_one_class_and_one_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """A burner that eats power at a profit, written here, works like the shipped ones."""
    from typing import Literal

    import planner
    from planner.components.component import Site, Supply
    from planner.components.terms import Balance, Line, Meter, Terms, Use
    from planner.modelling import pyo

    class Burner(Component):
        """Sells heat."""

        kind: Literal["burner"]
        uses = {"heat": Use(drawn=True)}  # noqa: RUF012
        power_mw: float
        """Most power."""
        price_cny_per_mwh: float
        """Price of heat."""

        def demands(self) -> dict[Supply, str]:
            return {("power", "site"): "kind"}

        def build(self, b: Any, site: Site) -> Terms:
            time, origins = site.clock, site.origins
            b.draw_mw = pyo.Var(origins, time.steps, domain=pyo.NonNegativeReals)
            b.most = pyo.Constraint(
                time.steps, rule=lambda b, t: sum(b.draw_mw[o, t] for o in origins) <= self.power_mw
            )
            price = self.price_cny_per_mwh * time.step_h
            return Terms(
                flows={
                    Balance("power", "site", o): lambda t, o=o: -b.draw_mw[o, t] for o in origins
                },
                costs={
                    Line("heat"): {
                        t: -price * sum(b.draw_mw[o, t] for o in origins) for t in time.steps
                    }
                },
                uses={("heat", o): lambda t, o=o: b.draw_mw[o, t] for o in origins},
                meters={
                    Meter("drawn_mw", "site", o): lambda t, o=o: b.draw_mw[o, t] for o in origins
                },
            )

    monkeypatch.setitem(KINDS, "burner", Kind(Burner))
    # The auditor learns a new kind from somebody else than its author: it is the second opinion.
    monkeypatch.setattr("planner.studies.solve.publish", lambda *_: None)
    scenario = planner.Scenario.from_mapping(
        {
            "name": "burner",
            "horizon": {"start": "2026-07-15T00:00:00+08:00", "hours": 2},
            "components": {
                "pv": {
                    "kind": "renewable", "technology": "pv",
                    "capacity_mw": 10, "availability_pu": [0.5, 1],
                },
                "burner": {"kind": "burner", "power_mw": 7, "price_cny_per_mwh": 100},
            },
        }
    )  # fmt: skip
    plan = planner.solve(scenario)
    assert plan.summary["objective_cny"] == pytest.approx((5 + 7) * 100)
    assert plan.summary["allocation_mwh"]["renewable"]["curtailed"] == pytest.approx(3)
    assert list(plan.uses) == ["curtailed", "heat"]
    assert plan.summary["green"]["load_share"] == 1.0


def test_class_names_are_unique_outside_the_auditor() -> None:
    places: dict[str, list[str]] = {}
    for path in MODULES:
        if room(dotted(path)) != "auditor":
            for node in tree(path).body:
                if isinstance(node, ast.ClassDef):
                    places.setdefault(node.name.lstrip("_"), []).append(dotted(path))
    assert not {name: modules for name, modules in places.items() if len(modules) > 1}


SAYS_NOTHING = {"found", "said", "held", "mine", "there", "odd", "than", "told", "gone"}


def test_names_say_what_they_hold() -> None:
    """Not that something exists, but what: rows, message, by_component."""
    vague = set()
    for path in MODULES:
        for node in nodes(path):
            name = next(
                filter(None, (getattr(node, k, None) for k in ("id", "arg", "attr", "name"))), ""
            )
            if isinstance(name, str) and name.strip("_") in SAYS_NOTHING:
                vague.add(f"{dotted(path)}: {name}")
    assert not vague


OF_PYTHON = {"AttributeError", "TypeError", "RuntimeError"}  # for programmers, not users


def test_errors_hold_messages() -> None:
    """A text that no template stands for could not be rendered in another language."""
    plain = []
    for path in MODULES:
        for node in nodes(path):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                text, name = node.exc.args[0], ast.unparse(node.exc.func)
                is_plain = isinstance(text, ast.JoinedStr | ast.Constant | ast.BinOp)
                if is_plain and name.endswith("Error") and name not in OF_PYTHON:
                    plain.append(f"{path}:{node.lineno}: {name}")
    assert not plain
