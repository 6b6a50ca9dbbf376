"""A scenario file checked part by part, so that every problem is found at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from planner.components.component import Component, Site
from planner.components.registry import KINDS
from planner.errors import Key, Problem, ScenarioError, as_written, did_you_mean
from planner.fields import NAME, FieldError, Frozen
from planner.files.yaml_document import Document, read_yaml, texts_in
from planner.message import Message
from planner.scenario.continuation import changed_endings, continued
from planner.scenario.forecast_fields import read_forecasts
from planner.scenario.paths import override
from planner.scenario.scenario_file import ScenarioFile
from planner.scenario.validation_messages import explain
from planner.timeseries.csv_table import CsvTable
from planner.timeseries.forms import Context, CsvSeries
from planner.timeseries.horizon import Calendar
from planner.timeseries.schedule import read_schedule

BELOW_TOP = ("components", "forecast")  # checked after the top fields, which they depend on
MAX_HORIZONS = 64  # different horizons whose parts are kept at once

# Stands in for top fields that are wrong; then only the form of the components is checked.
STAND_IN = {
    "name": "unnamed", "horizon": {"start": "2026-01-01T00:00:00+08:00", "hours": 24}
}  # fmt: skip

Tables = dict[tuple[str, str], CsvTable]


class _WholeFile(ScenarioFile):
    """Every field at the top of a file, for messages about those that are none."""

    components: Any
    """Components by name."""
    forecast: Any
    """Forecasts by the path of their series."""


@dataclass(frozen=True)
class SharedParts:
    """What variants of a scenario share on one horizon.

    context: what series are read with.
    components: valid ones that no change touches, by name.
    digests: their hashes, as far as they have been computed.
    """

    context: Context
    components: dict[str, Component] = field(default_factory=dict)
    digests: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Shared:
    """What variants of a scenario file share: the same change is never read or validated twice.

    folder: the folder of the file.
    tables: CSV files, by offset of the local time.
    top: the top fields where no change touches them.
    parts: what depends on the horizon, by horizon and calendar.
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
        changes: the paths at which the document differs from the one `shared` belongs to.
    """

    def __init__(self, document: Document, shared: Shared, changes: tuple[Key, ...] = ()) -> None:
        self.document = document
        self.shared = shared
        self.top_changed = any(path[0] not in BELOW_TOP for path in changes)
        self.changed = {path[1:2] for path in changes if path[0] == "components"}  # () is all
        self.problems: list[Problem] = []
        self.warnings: list[Message] = []

    def fields(self) -> dict[str, Any]:
        """Return the fields of the scenario. Raises ScenarioError with every problem found."""
        data = dict(self.document.data)
        parts = data.pop("components", None)
        forecasts = data.pop("forecast", None)
        top, horizon_valid = self._top(data)
        components: dict[str, Component] = {}
        forecast = {}
        if parts is None:
            self._report(("components",), Message("is required: a mapping of names to components"))
        elif not isinstance(parts, dict) or not parts:
            message = Message("must be a mapping of names to components, with one at least")
            self._report(("components",), message)
        else:
            components = self._components(parts, top, horizon_valid)
        if horizon_valid and isinstance(parts, dict):
            context = self.shared.on_horizon(top).context
            forecast = read_forecasts(forecasts, parts, components, context, self._report)
        if self.problems:
            raise ScenarioError(self.problems)
        notes = self.shared.on_horizon(top).context.notes
        keys = [CsvSeries.model_construct(**spec).key for spec in _columns_in(self.document.data)]
        self.warnings += dict.fromkeys(note for key in keys for note in notes.get(key, ()))
        return {
            **{name: getattr(top, name) for name in ScenarioFile.model_fields},
            "initial_from": None,  # its state is in the components now
            "components": dict(sorted(components.items())),  # order has no meaning
            "forecast": forecast,
        }

    def _top(self, data: dict[str, Any]) -> tuple[ScenarioFile, bool]:
        """Return the top fields, and whether those that components depend on are valid."""
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
                message = Message("{date} is one of the holidays too", date=date)
                self._report(("workdays", i), message)
        if not self.top_changed and not self.problems:
            self.shared.top = top
        return top, not wrong & {"horizon", "holidays", "workdays", "trace"}

    def _components(
        self, parts: dict[str, Any], top: ScenarioFile, horizon_valid: bool
    ) -> dict[str, Component]:
        shared = self.shared.on_horizon(top)
        components: dict[str, Component] = {}
        for name, data in parts.items():
            untouched = horizon_valid and not self.changed & {(), (name,)}
            component = shared.components.get(name) if untouched else None
            if component is None:
                component = self._component(name, data, shared.context, horizon_valid)
            if component is None:
                continue
            components[name] = component
            if untouched:
                shared.components[name] = component
        if not horizon_valid:
            return components
        if top.initial_from is not None:
            components = self._continued(components, top, shared.context)
        broken = {name: data for name, data in parts.items() if name not in components}
        mentioned = frozenset({"site", *broken, *texts_in(broken)} if broken else ())
        for name, component in components.items():
            site = Site(name, top.horizon, components, top.trace, mentioned=mentioned)
            for path, message in component.check(site):
                self._report(("components", name, *path), message)
            self._unmet(name, component, site)
        return components

    def _continued(
        self, components: dict[str, Component], top: ScenarioFile, context: Context
    ) -> dict[str, Component]:
        """Return the components in the state that the plan of `initial_from` leaves them in."""
        folder = self.shared.folder / str(top.initial_from)
        try:
            # A plan's scenario holds its state; without this one that names itself would recurse.
            earlier, _ = override(read_yaml(folder / "scenario.yaml"), {"initial_from": None})
            fields = Checker(earlier, Shared(folder)).fields()
            before, past = fields["components"], fields["horizon"]
            schedule = read_schedule(folder, past)
            after = continued(components, before, past, schedule, folder, context)
            self.warnings += changed_endings(components, after)
            return after
        except ScenarioError as error:
            message = Message(
                "must be a plan folder; {path} is not: {text}",
                path=folder,
                text=error.problems[0].with_place(),
            )
        except FieldError as error:
            message = error.message
        self._report(("initial_from",), message)
        return components

    def _unmet(self, name: str, component: Component, site: Site) -> None:
        """Report demands that nobody supplies; a broken component may supply what it mentions."""
        for key, field_name in component.demands().items():
            if site.supply(key) or key[1] in site.mentioned:
                continue
            supplied = sorted({k for c in site.components.values() for k in c.supplies()})
            others = ", ".join(repr(k[1]) for k in supplied if k[0] == key[0])
            hint = Message(" (there is {names})", names=others) if others else ""
            if key[0] == "model":
                message = Message("no fleet serves model {name!r}{hint}", name=key[1], hint=hint)
            else:
                message = Message("nothing feeds node {name!r}{hint}", name=key[1], hint=hint)
            self._report(("components", name, field_name), message)

    def _component(
        self, name: str, data: Any, context: Context, horizon_valid: bool
    ) -> Component | None:
        path: Key = ("components", name)
        kind = data.get("kind") if isinstance(data, dict) else None
        if not isinstance(name, str) or not re.fullmatch(NAME, name):
            message = Message("name must be small letters, digits and _, beginning with a letter")
            self._report(path, message)
        elif not isinstance(data, dict):
            self._report(path, Message("must be a mapping with a `kind`"))
        elif not isinstance(kind, str) or kind not in KINDS:
            self._report((*path, "kind"), _unknown_kind(kind))
        else:
            model = KINDS[kind].component
            try:
                return model.model_validate(data, context=context)
            except ValidationError as error:
                self._explain(error, path, model, form_only=not horizon_valid)
        return None

    def _explain(
        self, error: ValidationError, path: Key, model: type[Frozen], *, form_only: bool = False
    ) -> None:
        for below, message in explain(error, model, form_only=form_only):
            self._report((*path, *below), message)

    def _report(self, path: Key, message: Message) -> None:
        self.problems.append(self.document.problem(path, message))


def _columns_in(data: Any) -> Iterator[dict[str, Any]]:
    """Yield every column of a CSV that plain data names as a series."""
    if isinstance(data, dict):
        if {"csv", "column"} <= data.keys():
            yield data
        for value in data.values():
            yield from _columns_in(value)
    elif isinstance(data, list):
        for value in data:
            yield from _columns_in(value)


def _unknown_kind(kind: Any) -> Message:
    known = ", ".join(sorted(KINDS))
    if kind is None:
        return Message("is required: one of {names}", names=known)
    return Message(
        "must be one of {names}, is {text}{hint}",
        names=known,
        text=as_written(kind),
        hint=did_you_mean(kind, KINDS),
    )
