"""The floors of the package: imports point down, no file imports itself in a circle."""

from __future__ import annotations

import ast
import graphlib
from functools import cache
from pathlib import Path

import pytest

from tests.support.sources import nodes

PACKAGE = Path(__file__).parent.parent / "planner"
MODULES = sorted(PACKAGE.rglob("*.py"))
ROOT_NAME = "planner"

# Lowest first. A package imports itself and packages of lower floors; those of one floor do not
# import each other.
FLOORS = [
    {"field_docstrings", "field_types", "log", "message", "units", "version"},
    {"errors", "outside"},
    {"fields"},
    {"local_time"},
    {"files", "language", "timeseries", "modelling", "auditor"},
    {"fleets"},
    {"components"},
    {"scenario"},
    {"solver", "plan_tables", "sweeps"},
    {"diagnosis", "report"},
    {"plan"},
    {"studies"},
    {"cli", ""},
    {"__main__"},
]
FACE = ("cli", "")  # the command line calls the public names of `planner`, as users do


def dotted(path: Path) -> str:
    """The name of a module below `planner`; empty for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


NAMES = {dotted(path) for path in MODULES}


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module of ours that a file imports: at the top, in functions, for types alone."""
    imported = set()
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == ROOT_NAME:
            base = (node.module or "").removeprefix(ROOT_NAME).lstrip(".")
            for alias in node.names:
                deeper = f"{base}.{alias.name}".lstrip(".")
                imported.add(deeper if deeper in NAMES else base)
        elif isinstance(node, ast.Import):
            imported |= {
                alias.name.removeprefix(ROOT_NAME).lstrip(".")
                for alias in node.names
                if alias.name.split(".")[0] == ROOT_NAME
            }
    return frozenset(imported)


def room(module: str) -> str:
    """The first part of a module's name: what stands on a floor."""
    return module.split(".")[0]


def floor(module: str) -> int:
    """The number of a module's floor."""
    for number, rooms in enumerate(FLOORS):
        if room(module) in rooms:
            return number
    raise AssertionError(f"planner.{room(module)} stands on no floor: add it to FLOORS")


def test_packages_import_only_lower_floors() -> None:
    for path in MODULES:
        module = dotted(path)
        for other in imports(path):
            if room(other) != room(module) and (room(module), room(other)) != FACE:
                assert floor(other) < floor(module), f"planner.{module} imports planner.{other}"


def test_no_file_imports_itself_in_a_circle() -> None:
    graph = {dotted(path): imports(path) for path in MODULES}
    graphlib.TopologicalSorter(graph).prepare()


def test_the_auditor_imports_only_errors_and_their_messages() -> None:
    for path in (PACKAGE / "auditor").rglob("*.py"):
        others = {room(name) for name in imports(path)} - {"auditor"}
        assert others <= {"errors", "message"}, path
        assert "pyomo" not in path.read_text().replace("pyomo_version", "")


def test_relative_imports_are_not_used() -> None:
    for path in MODULES:
        for node in nodes(path):
            assert not (isinstance(node, ast.ImportFrom) and node.level), path


def test_root_holds_at_most_twelve_modules() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= 12


def test_no_module_is_longer_than_350_lines() -> None:
    for path in MODULES:
        assert len(path.read_text().splitlines()) <= 350, dotted(path)


# A kind may import another kind only where it names what it stands on.
STANDS_ON = {"contract": {"grid"}, "fleet": {"service", "job"}}


@pytest.mark.parametrize("path", sorted((PACKAGE / "components").rglob("*.py")), ids=dotted)
def test_kinds_are_independent(path: Path) -> None:
    _, *inside = dotted(path).split(".")
    if not inside or inside[0] in ("registry", "kind"):
        return
    shared = {"", "completion", "reasons", "terms", "time"}
    if inside[0] not in shared | {"component", "reserve"}:
        shared |= {"reserve"}  # which other kinds offer
    if inside[0] not in {"", "completion", "reasons", "terms", "time", "component"}:
        shared |= {"component", "local_day", "running_total", inside[0]} | STANDS_ON.get(
            inside[0], set()
        )
    for other in imports(path):
        if room(other) == "components":
            kind = other.removeprefix("components").lstrip(".").split(".")[0]
            assert kind in shared, f"planner.{dotted(path)} imports planner.{other}"


# The order inside a package, lowest first; what is named by no entry stands on top.
INSIDE = {
    "auditor": ["findings", "plan_files", "amounts", "reading", "kinds", "registry", "*", "audit"],
    "studies": [
        "to_plan",
        "window",
        "end_values",
        "settle",
        "two_stage",
        "solve_stochastic",
        "solve",
        "*",
    ],
    "report": [
        "plan_texts",
        "plan_sections",
        "year_sections",
        "charts",
        "template",
        "declaration",
        "*",
    ],
}


@pytest.mark.parametrize("path", [p for p in MODULES if room(dotted(p)) in INSIDE], ids=dotted)
def test_the_order_inside_packages(path: Path) -> None:
    package, *inside = dotted(path).split(".")
    order = INSIDE[package]
    if not inside:
        return

    def place(part: str) -> int:
        return order.index(part if part in order else "*")

    for other in imports(path):
        if room(other) == package and "." in other:
            part = other.split(".")[1]
            assert place(part) <= place(inside[0]), f"planner.{dotted(path)} imports {other}"
