"""A scenario file checked part by part, so that every problem is found at once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from planner.components.component import Component, Site
from planner.components.registry import KINDS
from planner.errors import Key, PlannerError, Problem, ScenarioError, as_written, did_you_mean
from planner.fields import Frozen
from planner.files.yaml_document import Document, read_yaml, texts_in
from planner.scenario.continuation import continued
from planner.scenario.forecast_fields import read_forecasts
from planner.scenario.paths import override
from planner.scenario.scenario_file import ScenarioFile
from planner.scenario.validation_messages import explain
from planner.timeseries.csv_table import CsvTable
from planner.timeseries.forms import Context
from planner.timeseries.horizon import Calendar
from planner.timeseries.schedule import read_schedule

NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
BELOW_TOP = ("components", "forecast")  # checked after the top fields, which they rest on
MAX_HORIZONS = 64  # different horizons whose parts are held at once

# What components are checked against while the real horizon is wrong; only their form counts then.
STAND_IN = {
    "name": "unnamed", "horizon": {"start": "2026-01-01T00:00:00+08:00", "hours": 24}
}  # fmt: skip

Tables = dict[tuple[str, str], CsvTable]


class _WholeFile(ScenarioFile):
    """All that may stand at the top of a file, for messages about what may not."""

    components: Any
    """Components by name."""
    forecast: Any
    """Forecasts by the path of their series."""


@dataclass(frozen=True)
class SharedParts:
    """What variants of a scenario share on one horizon.

    context: what series are read with.
    components: those found valid that no change touches, by name.
    digests: their hashes, where they have been asked for.
    """

    context: Context
    components: dict[str, Component] = field(default_factory=dict)
    digests: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Shared:
    """What variants of a scenario file share: the same change is never read or validated twice.

    folder: where the file stands.
    tables: CSV files, by offset of the local time.
    top: the top fields where no change touches them.
    parts: what rests on the horizon, by horizon and calendar.
    """

    folder: Path
    tables: dict[str, Tables] = field(default_factory=dict)
    top: ScenarioFile | None = None
    parts: dict[str, SharedParts] = field(default_factory=dict)

    def on_horizon(self, top: ScenarioFile) -> SharedParts:
        """Return what is shared on the horizon of a scenario."""
        key = f"{top.horizon!r}{top.holidays}{top.workdays}"
        if key not in self.parts:
            if len(self.parts) >= MAX_HORIZONS:
                self.parts.clear()
            tables = self.tables.setdefault(str(top.horizon.zone), {})
            calendar = Calendar(top.holidays, top.workdays)
            self.parts[key] = SharedParts(Context(top.horizon, calendar, self.folder, tables))
        return self.parts[key]


class Checker:
    """Checks one document; what no change touches is taken from variants checked before.

    Args:
        document: the file, with its changes.
        shared: what its variants share.
        changes: the paths at which the document is another than what `shared` belongs to.
    """

    def __init__(self, document: Document, shared: Shared, changes: tuple[Key, ...] = ()) -> None:
        self.document = document
        self.shared = shared
        self.top_changed = any(path[0] not in BELOW_TOP for path in changes)
        self.changed = {path[1:2] for path in changes if path[0] == "components"}  # () is all
        self.problems: list[Problem] = []

    def fields(self) -> dict[str, Any]:
        """Return the fields of the scenario. Raises ScenarioError with every problem found."""
        data = dict(self.document.data)
        parts = data.pop("components", None)
        forecasts = data.pop("forecast", None)
        top, settled = self._top(data)
        components: dict[str, Component] = {}
        forecast = {}
        if parts is None:
            self._say(("components",), "is required: a mapping of names to components")
        elif not isinstance(parts, dict) or not parts:
            message = "must be a mapping of names to components, with one at least"
            self._say(("components",), message)
        else:
            components = self._components(parts, top, settled)
        if settled and isinstance(parts, dict):
            context = self.shared.on_horizon(top).context
            forecast = read_forecasts(forecasts, parts, components, context, self._say)
        if self.problems:
            raise ScenarioError(self.problems)
        return {
            **{name: getattr(top, name) for name in ScenarioFile.model_fields},
            "initial_from": None,  # its state is in the components now
            "components": dict(sorted(components.items())),  # order has no meaning
            "forecast": forecast,
        }

    def _top(self, data: dict[str, Any]) -> tuple[ScenarioFile, bool]:
        """Return the top fields, and whether all that components depend on is right."""
        if self.shared.top is not None and not self.top_changed:
            return self.shared.top, True
        wrong: set[Any] = set()
        try:
            top = ScenarioFile.model_validate(data)
        except ValidationError as error:
            self._explain(error, (), _WholeFile)
            wrong = {detail["loc"][0] for detail in error.errors() if detail["loc"]}
            good = (data.keys() & ScenarioFile.model_fields.keys()) - wrong
            top = ScenarioFile.model_validate(STAND_IN | {key: data[key] for key in good})
        for i, date in enumerate(top.workdays):
            if date in top.holidays:
                self._say(("workdays", i), f"{date} is one of the holidays too")
        if not self.top_changed and not self.problems:
            self.shared.top = top
        return top, not wrong & {"horizon", "holidays", "workdays", "trace"}

    def _components(
        self, parts: dict[str, Any], top: ScenarioFile, settled: bool
    ) -> dict[str, Component]:
        shared = self.shared.on_horizon(top)
        components: dict[str, Component] = {}
        for name, data in parts.items():
            untouched = settled and not self.changed & {(), (name,)}
            component = shared.components.get(name) if untouched else None
            if component is None:
                component = self._component(name, data, shared.context, settled)
            if component is None:
                continue
            components[name] = component
            if untouched:
                shared.components[name] = component
        if not settled:
            return components
        if top.initial_from is not None:
            components = self._continued(components, top, shared.context)
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
        folder = self.shared.folder / str(top.initial_from)
        try:
            # The scenario of a plan holds its state: one that would go on from itself is no plan's.
            earlier, _ = override(read_yaml(folder / "scenario.yaml"), {"initial_from": None})
            fields = Checker(earlier, Shared(folder)).fields()
            before, past = fields["components"], fields["horizon"]
            schedule = read_schedule(folder, past)
        except PlannerError as error:
            first = str(error).splitlines()[0]
            message = f"must name a plan folder; {folder} is none: {first}"
            self._say(("initial_from",), message)
            return components
        try:
            return continued(components, before, past, schedule, folder, context)
        except ValueError as error:
            self._say(("initial_from",), str(error))
            return components

    def _unmet(self, name: str, component: Component, site: Site) -> None:
        """Say what nobody supplies; a broken component may still supply what it mentions."""
        for key, demanding in component.demands().items():
            if not site.supply(key) and key[1] not in site.mentioned:
                what, which = key
                known = sorted({k for c in site.components.values() for k in c.supplies()})
                others = ", ".join(repr(k[1]) for k in known if k[0] == what)
                text = {
                    "power": f"nothing feeds node {which!r}",
                    "model": f"no fleet serves model {which!r}",
                }.get(what, f"nothing supplies {what} {which!r}")
                has = f" (there is {others})" if others else ""
                self._say(("components", name, demanding), text + has)

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


def _unknown_kind(kind: Any) -> str:
    known = ", ".join(sorted(KINDS))
    if kind is None:
        return f"is required: one of {known}"
    return f"must be one of {known}, is {as_written(kind)}{did_you_mean(kind, KINDS)}"
