"""A scenario: an immutable horizon and its named components, read from YAML and checked once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from planner.components.component import Component, Site
from planner.components.registry import KINDS
from planner.errors import Key, PlannerError, Problem, ScenarioError, did_you_mean, shown
from planner.fields import Frozen
from planner.files.yaml_document import Document, read_yaml, texts_in
from planner.scenario.cautions import mixed_scales, unsold_energy
from planner.scenario.continuation import continued
from planner.scenario.forecast_fields import Forecast, read_forecasts
from planner.scenario.paths import override
from planner.scenario.uncertainty.fields import Uncertainty
from planner.scenario.uncertainty.members import pointless, resolved
from planner.scenario.validation_messages import explain
from planner.timeseries.forms import Context
from planner.timeseries.horizon import Calendar, Dates, Horizon
from planner.timeseries.schedule import read_schedule


class SolverSettings(Frozen):
    """How exactly and how long to solve."""

    gap: Annotated[float, Field(ge=0, lt=1)] = 1e-3
    """Largest gap between plan and bound, relative to turnover (the sum of absolute amounts)."""
    time_limit_s: Annotated[float, Field(gt=0)] = 120.0
    """Most seconds in the solver."""
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    """Threads of the solver."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Random seed of the solver."""
    relax: bool = False
    """Solve the LP relaxation: a bound, not a schedule that can be run."""


class ScenarioFile(Frozen):
    """The fields of a scenario file, components aside."""

    name: Annotated[str, Field(min_length=1)]
    """Short name."""
    description: str = ""
    """One sentence."""
    horizon: Horizon
    """When the plan begins and how long it lasts."""
    holidays: Dates = ()
    """Public holidays; calendars use them."""
    workdays: Dates = ()
    """Make-up working days on weekends."""
    vat: Literal["included", "excluded"] = "included"
    """Whether every price of the file holds value added tax; printed with results."""
    trace: bool = True
    """Follow energy by origin; false pools it."""
    solver: SolverSettings = SolverSettings()
    """Solver settings."""
    initial_from: Annotated[str, Field(min_length=1)] | None = None
    """Plan folder whose state at `horizon.start` takes the place of every `initial` and `so_far`
    of the components that it has too; a path relative to this file."""
    uncertainty: Uncertainty | None = None
    """Futures that one plan must serve; none where what the file says is certain."""


class Scenario(ScenarioFile):
    """A checked scenario. Make one with `planner.load` or `Scenario.from_mapping`."""

    components: dict[str, Any]
    """Components by name."""
    forecast: dict[str, Any] = Field(default_factory=dict)
    """Forecasts by the path of their series; `planner simulate` plans on them."""

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any], folder: str | Path = ".") -> Scenario:
        """Check plain data, as YAML would hold it; CSV paths are relative to `folder`.

        Raises:
            ScenarioError: with every problem found.
        """
        return Checker(Document("scenario", dict(data)), Path(folder)).scenario()

    def site(self, name: str = "") -> Site:
        """Return the view that the component `name` has of the scenario."""
        return Site(name, self.horizon, self.components, self.trace)

    def warnings(self) -> list[str]:
        """Return what a careful colleague would ask about, component by component."""
        found = [
            f"components.{name}: {text}"
            for name, component in self.components.items()
            for text in component.warn(self.site(name))
        ]
        found += [*unsold_energy(self.components), *mixed_scales(self.components)]
        return [*found, *pointless(self)]


def load(path: str | Path, set: Mapping[str, Any] | None = None) -> Scenario:  # noqa: A002
    """Read and check a scenario file; `set` replaces values by path before checking.

    Example:
        `planner.load("scenario.yaml", set={"components.pv.capacity_mw": {"scale": 1.2}})`

    Raises:
        ScenarioError: with every problem found, each with file, line and path.
    """
    path = Path(path)
    if os.path.isdir(path):  # noqa: PTH112  # never raises, whatever the name
        path = path / "scenario.yaml"
    document = read_yaml(path)
    if set:
        document = override(document, set)
    return Checker(document, path.parent).scenario()


NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)

# What components are checked against while the real horizon is wrong; only their form counts then.
STAND_IN = {
    "name": "unnamed", "horizon": {"start": "2026-01-01T00:00:00+08:00", "hours": 24}
}  # fmt: skip


class Checker:
    """Checks a document part by part, so that every problem is found at once.

    `context_of` and `known` let variants of one scenario share what is the same: the tables read,
    and the components whose fields are the very same object as before.
    """

    def __init__(self, document: Document, folder: Path) -> None:
        self.document = document
        self.folder = folder
        self.problems: list[Problem] = []

    def context_of(self, top: ScenarioFile) -> Context:
        """Return what series are read with."""
        return Context(top.horizon, Calendar(top.holidays, top.workdays), self.folder)

    def known(self, name: str, data: dict[str, Any], context: Context) -> Component | None:  # noqa: ARG002
        """Return a component found valid before."""
        return None

    def scenario(self) -> Scenario:
        """Return the scenario. Raises ScenarioError with every problem found."""
        data = dict(self.document.data)
        parts = data.pop("components", None)
        believed = data.pop("forecast", None)
        top, settled = self._top(data)
        forecast: dict[str, Forecast] = {}
        components: dict[str, Component] = {}
        if parts is None:
            self._say(("components",), "is required: a mapping of names to components")
        elif not isinstance(parts, dict) or not parts:
            said = "must be a mapping of names to components, with one at least"
            self._say(("components",), said)
        else:
            components = self._components(parts, top, settled)
        if settled and isinstance(parts, dict):
            context = self.context_of(top)
            forecast = read_forecasts(believed, parts, components, context, self._say)
        if self.problems:
            raise ScenarioError(self.problems)
        fields = {name: getattr(top, name) for name in type(top).model_fields}
        fields["initial_from"] = None  # its state is in the components now
        ordered = dict(sorted(components.items()))  # order has no meaning: solve in one order
        found = Scenario.model_construct(**fields, components=ordered, forecast=forecast)
        return found if top.uncertainty is None else self._uncertain(found, top)

    def _uncertain(self, found: Scenario, top: ScenarioFile) -> Scenario:
        """Return a scenario with its members listed and checked."""
        if top.solver.relax:
            said = "must be false: what is decided for several futures must be whole"
            raise ScenarioError([self.document.problem(("solver", "relax"), said)])

        def check(changed: Document) -> Scenario:
            return _Member(changed, self, found).scenario()

        more = resolved(self.document, found, self.context_of(top), check)
        return found.model_copy(update={"uncertainty": more})

    def _top(self, data: dict[str, Any]) -> tuple[ScenarioFile, bool]:
        """Return the top fields, and whether all that components depend on is right."""
        wrong: set[Any] = set()
        try:
            top = ScenarioFile.model_validate(data)
        except ValidationError as error:
            self._explain(error, (), Scenario)
            wrong = {detail["loc"][0] for detail in error.errors() if detail["loc"]}
            good = (data.keys() & ScenarioFile.model_fields.keys()) - wrong
            top = ScenarioFile.model_validate(STAND_IN | {key: data[key] for key in good})
        for i, date in enumerate(top.workdays):
            if date in top.holidays:
                self._say(("workdays", i), f"{date} is one of the holidays too")
        return top, not wrong & {"horizon", "holidays", "workdays", "trace"}

    def _components(
        self, parts: dict[str, Any], top: ScenarioFile, settled: bool
    ) -> dict[str, Component]:
        context = self.context_of(top)
        components: dict[str, Component] = {}
        for name, data in parts.items():
            component = self.known(name, data, context)
            if component is None:
                component = self._component(name, data, context, settled)
            if component is not None:
                components[name] = component
        if not settled:
            return components
        if top.initial_from is not None:
            components = self._continued(components, top, context)
        broken = {name: data for name, data in parts.items() if name not in components}
        mentioned = frozenset({"site", *broken, *texts_in(broken)} if broken else ())
        for name, component in components.items():
            site = Site(name, top.horizon, components, top.trace, mentioned=mentioned)
            for path, message in component.check(site):
                self._say(("components", name, *path), message)
            self._unmet(name, component, site)
        return components

    def _continued(
        self, components: dict[str, Component], top: ScenarioFile, context: Context
    ) -> dict[str, Component]:
        """Return the components in the state that the plan of `initial_from` leaves them in."""
        folder = self.folder / str(top.initial_from)
        try:
            before = load(folder / "scenario.yaml")
            schedule = read_schedule(folder, before.horizon)
        except PlannerError as error:
            first = str(error).splitlines()[0]
            message = f"must name a plan folder; {folder} is none: {first}"
            self._say(("initial_from",), message)
            return components
        past = before.horizon
        try:
            return continued(components, before.components, past, schedule, folder, context)
        except ValueError as error:
            self._say(("initial_from",), str(error))
            return components

    def _unmet(self, name: str, component: Component, site: Site) -> None:
        """Say what nobody supplies; a broken component may still supply what it mentions."""
        for key, field in component.demands().items():
            if not site.supply(key) and key[1] not in site.mentioned:
                what, which = key
                known = sorted({k for c in site.components.values() for k in c.supplies()})
                others = ", ".join(repr(k[1]) for k in known if k[0] == what)
                text = {
                    "power": f"nothing feeds node {which!r}",
                    "model": f"no fleet serves model {which!r}",
                }.get(what, f"nothing supplies {what} {which!r}")
                has = f" (there is {others})" if others else ""
                self._say(("components", name, field), text + has)

    def _component(self, name: str, data: Any, context: Context, settled: bool) -> Component | None:
        path: Key = ("components", name)
        if not isinstance(name, str) or not NAME.fullmatch(name):
            self._say(path, "name must be small letters, digits and _, beginning with a letter")
            return None
        if not isinstance(data, dict):
            self._say(path, "must be a mapping with a `kind`")
            return None
        kind = data.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            self._say((*path, "kind"), _unknown_kind(kind))
            return None
        try:
            return KINDS[kind].component.model_validate(data, context=context)
        except ValidationError as error:
            self._explain(error, path, KINDS[kind].component, form_only=not settled)
            return None

    def _explain(
        self, error: ValidationError, path: Key, model: type[Frozen], *, form_only: bool = False
    ) -> None:
        for where, message in explain(error, model, form_only=form_only):
            self._say((*path, *where), message)

    def _say(self, path: Key, message: str) -> None:
        self.problems.append(self.document.problem(path, message))


class _Member(Checker):
    """Checks a member of an uncertain scenario; what it leaves as it is has been checked."""

    def __init__(self, document: Document, of: Checker, base: Scenario) -> None:
        super().__init__(document, of.folder)
        self.of, self.base = of, base

    def context_of(self, top: ScenarioFile) -> Context:
        return self.of.context_of(top)

    def known(self, name: str, data: dict[str, Any], context: Context) -> Component | None:  # noqa: ARG002
        same = data is self.of.document.data["components"][name]
        return self.base.components[name] if same else None


def _unknown_kind(kind: Any) -> str:
    known = ", ".join(sorted(KINDS))
    if kind is None:
        return f"is required: one of {known}"
    return f"must be one of {known}, is {shown(kind)}{did_you_mean(kind, KINDS)}"
