"""Variants of one base scenario: read once, changed by path, each checked in full.

What a case leaves as it is (tables read, components) is shared with the base, so that a case
costs what it changes. A scenario's key is a hash of all its values and of the versions that solve
it: equal keys have equal plans.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from planner.components.component import Component
from planner.errors import Key, Problem, ScenarioError
from planner.fields import Frozen
from planner.files.yaml_document import Document, read_yaml
from planner.scenario.paths import override, parse_path, replaced
from planner.scenario.scenario import Checker, Scenario, ScenarioFile, SolverSettings
from planner.sweeps.axes import Bundle
from planner.sweeps.design import Case
from planner.sweeps.sweep_file import SweepFile
from planner.timeseries.forms import Context
from planner.timeseries.horizon import Calendar

MOST_CONTEXTS = 64  # different horizons whose series are held at once
BELOW = {"components", "forecast"}  # what is checked after the top fields, which it rests on
VERSIONS = ("planner", "highspy")
MOST_TOLD = 20  # different problems of cases that one message lists


class Base:
    """A base scenario that cases are made from; the file and its tables are read once."""

    def __init__(self, document: Document, folder: Path) -> None:
        self.document = document
        self.folder = folder
        self._tables: dict[str, dict[Any, Any]] = {}
        self._contexts: dict[str, tuple[Context, dict[str, Component]]] = {}
        self._shared: dict[int, tuple[Component, bytes | None]] = {}
        self.exact: dict[str, Any] = {}
        """Solver limits of the base itself, where the sweep explores with others."""
        self.top: tuple[ScenarioFile, bool] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what a worker needs: the document and the tables it rests on."""
        return {"document": self.document, "folder": self.folder, "tables": self._tables}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["document"], state["folder"])  # type: ignore[misc]
        self._tables = state["tables"]

    def at(self, path: str) -> Any:
        """Return what the base says at a path, None where it says nothing."""
        here: Any = self.document.data
        for part in self.path(path):
            try:
                here = here[part]
            except (LookupError, TypeError):
                return None
        return here

    def path(self, text: str) -> Key:
        """Return the parts of a path, of which one may be a model's name with dots in it."""
        try:
            _, (found, *_) = replaced(self.document.data, {text: None})
        except ScenarioError:
            return parse_path(text)
        return found

    def scenario(self, changes: Mapping[str, Any]) -> Scenario:
        """Return the base with changes, checked in full.

        Raises:
            ScenarioError: with every problem found.
        """
        data, _ = replaced(self.document.data, changes)
        return _Sharing(Document(self.document.file, data, self.document.lines), self).scenario()

    def key(self, scenario: Scenario) -> str:
        """Return the content of a scenario and of the versions that solve it, as a hash."""
        return scenario_key(scenario, self._hash)

    def _hash(self, component: Component) -> bytes:
        held = self._shared.get(id(component))
        if held is not None and held[1] is not None:
            return held[1]
        found = _digest(component)
        if held is not None:
            self._shared[id(component)] = (component, found)
        return found

    def context_of(self, top: ScenarioFile) -> tuple[Context, dict[str, Component]]:
        """Return what series are read with on a horizon, and the base components valid there."""
        key = f"{top.horizon!r}{top.holidays}{top.workdays}"
        if key not in self._contexts:
            if len(self._contexts) >= MOST_CONTEXTS:
                self._contexts.clear()
                self._shared.clear()
            tables = self._tables.setdefault(str(top.horizon.zone), {})
            calendar = Calendar(top.holidays, top.workdays)
            self._contexts[key] = (Context(top.horizon, calendar, self.folder, tables), {})
        return self._contexts[key]

    def share(self, name: str, component: Component, known: dict[str, Component]) -> None:
        """Keep a component of the base for the cases that follow."""
        known[name] = component
        self._shared[id(component)] = (component, None)


class _Sharing(Checker):
    """Checks a variant; components that are the base's very own are checked once."""

    def __init__(self, document: Document, base: Base) -> None:
        super().__init__(document, base.folder)
        self.base = base
        parts = base.document.data.get("components")
        self.own: dict[str, Any] = parts if isinstance(parts, dict) else {}
        self.shared: dict[str, Component] = {}

    def _top(self, data: dict[str, Any]) -> tuple[ScenarioFile, bool]:
        whole = self.base.document.data
        own = whole.keys() - BELOW
        if data.keys() != own or any(data[k] is not whole.get(k) for k in data):
            return super()._top(data)
        if self.base.top is None:
            self.base.top = super()._top(data)
        return self.base.top

    def context_of(self, top: ScenarioFile) -> Context:
        context, self.shared = self.base.context_of(top)
        return context

    def known(self, name: str, data: dict[str, Any], context: Context) -> Component | None:  # noqa: ARG002
        return self.shared.get(name) if data is self.own.get(name) else None

    def _component(self, name: str, data: Any, context: Context, settled: bool) -> Component | None:
        component = super()._component(name, data, context, settled)
        if component is not None and settled and data is self.own.get(name):
            self.base.share(name, component, self.shared)
        return component


def _digest(component: Component) -> bytes:
    total = hashlib.sha256()
    _feed(total, component)
    return total.digest()


@cache
def _versions() -> bytes:
    return repr([(name, version(name)) for name in VERSIONS]).encode()


def scenario_key(scenario: Scenario, digest: Callable[[Component], bytes] = _digest) -> str:
    """Return the content of a scenario and of the versions that solve it, as a hash."""
    total = hashlib.sha256(_versions())
    for name in ScenarioFile.model_fields:
        total.update(repr(getattr(scenario, name)).encode() + b";")
    for name, component in scenario.components.items():
        total.update(name.encode() + b"\0" + digest(component))
    return total.hexdigest()[:32]


def _feed(total: Any, value: Any) -> None:
    """Feed every value below a value to a hash, with marks that keep neighbours apart."""
    if isinstance(value, np.ndarray):
        total.update(f"a{value.shape}".encode() + np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Frozen):
        total.update(f"<{type(value).__name__}".encode())
        for name in type(value).model_fields:
            total.update(f".{name}=".encode())
            _feed(total, getattr(value, name))
        total.update(b">")
    elif isinstance(value, Mapping):
        total.update(b"{")
        for key in sorted(value, key=str):  # order has no meaning
            total.update(repr(key).encode() + b":")
            _feed(total, value[key])
        total.update(b"}")
    elif isinstance(value, tuple | list):
        total.update(f"({len(value)}".encode())
        for item in value:
            _feed(total, item)
    else:
        total.update(repr(value).encode() + b";")


def read_base(sweep: SweepFile, document: Document, folder: Path) -> Base:
    """Read the base scenario of a sweep, with its `set` and solver settings.

    Raises:
        ScenarioError: the base cannot be read, or is no valid scenario.
    """
    path = folder / sweep.base
    if os.path.isdir(path):  # noqa: PTH112  # never raises, whatever the name
        path = path / "scenario.yaml"
    found = read_yaml(path)
    settings = sweep.solver.model_dump(exclude_none=True)
    wrong = [
        document.problem(("set", name), "belongs under `solver` of the sweep")
        for name in sweep.set
        if name.removeprefix("solver.") in settings and name != "solver"
    ]
    if wrong:
        raise ScenarioError(wrong)
    try:
        changed = override(found, sweep.set)
    except ScenarioError as error:
        problems = [document.problem(("set", p.path), p.message) for p in error.problems]
        raise ScenarioError(problems) from None
    base = Base(
        override(changed, {f"solver.{name}": v for name, v in settings.items()}), path.parent
    )
    if Checker(base.document, base.folder).scenario().uncertainty is not None:
        said = "holds several futures; each case is planned for one: add `set: {uncertainty: null}`"
        raise ScenarioError([document.problem(("base",), said)])
    own = changed.data.get("solver") or {}
    default = SolverSettings()
    base.exact = {name: own.get(name, getattr(default, name)) for name in ("gap", "time_limit_s")}
    return base


def check_cases(
    sweep: SweepFile, document: Document, base: Base, cases: Iterable[Case]
) -> tuple[list[str], dict[int, str]]:
    """Check every case in full, before anything is solved.

    Returns:
        The key of each case, empty where it is wrong; and what is wrong by number of the case,
        which there is only where the sweep keeps invalid cases.

    Raises:
        ScenarioError: some cases are no valid scenarios; each problem tells its first case.
    """
    keys: list[str] = []
    wrong: dict[int, str] = {}
    seen: dict[tuple[str, str], list[Any]] = {}
    for case in cases:
        try:
            keys.append(base.key(base.scenario(case.changes)))
        except ScenarioError as error:
            keys.append("")
            wrong[case.number] = "; ".join(f"{p.path}: {p.message}" for p in error.problems)
            for problem in error.problems:
                same = seen.setdefault((problem.path, problem.message), [case, 0])
                same[1] += 1
    if not wrong or sweep.invalid == "row":
        return keys, wrong
    problems = []
    for (path, message), (case, count) in list(seen.items())[:MOST_TOLD]:
        more = f" (and in {count - 1} other cases)" if count > 1 else ""
        line = document.line(("axes", _mover(sweep, path)))
        problems.append(Problem(f"{message}, in {case}{more}", path, document.file, line))
    if len(seen) > MOST_TOLD:
        problems.append(Problem(f"{len(wrong)} cases are wrong in all", "axes", document.file))
    raise ScenarioError(problems)


def _mover(sweep: SweepFile, path: str) -> str:
    """Return the axis that moves a path, or what stands above or below it; else nothing."""
    for name, axis in sweep.axes.items():
        moved = (
            {p for part in axis.bundle.values() for p in part}
            if isinstance(axis, Bundle)
            else {name}
        )
        if any(path.startswith(p) or p.startswith(path) for p in moved):
            return name
    return ""
