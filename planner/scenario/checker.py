"""A scenario file checked part by part, so that every problem is found at once.

A part with problems is checked as far as it goes (`reading`). Where the horizon is wrong, what does
not depend on it is told: the problems that components have whatever it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial as bound
from itertools import chain
from typing import Any

from planner.components.component import Component, Site
from planner.components.registry import every_kind, kind_named, kind_of_word, why_unusable
from planner.errors import (
    Key,
    Problem,
    ScenarioError,
    as_written,
    close_to,
    did_you_mean,
    dotted,
)
from planner.fields import NAME, FieldError
from planner.files.yaml_document import Document, read_yaml, texts_in
from planner.message import Message
from planner.scenario.continuation import changed_endings, continued
from planner.scenario.forecast_fields import Forecast, read_forecasts
from planner.scenario.paths import override
from planner.scenario.reading import DataReading, read
from planner.scenario.remedies import remedy
from planner.scenario.scenario_file import ScenarioFile
from planner.scenario.shared_parts import Shared
from planner.scenario.stand_ins import stand_ins
from planner.scenario.validation_messages import with_remedy
from planner.timeseries.forms import Context, CsvSeries
from planner.timeseries.schedule import read_schedule

BELOW_TOP = ("components", "forecast")  # checked after the top fields, which they depend on
BASIC = {"horizon", "holidays", "workdays", "trace"}  # top fields that components depend on


class _WholeFile(ScenarioFile):
    """Every field at the top of a file, for messages about those that are none."""

    components: Any
    """Components by name."""
    forecast: Any
    """Forecasts by the path of their series."""


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
        self.problems: list[Problem] = [*document.problems]
        self.warnings: list[Message] = []

    def fields(self) -> dict[str, Any]:
        """Return the fields of the scenario. Raises ScenarioError with every problem found."""
        data = dict(self.document.data)
        self._find_components(data)
        parts = data.pop("components", None)
        data.pop("forecast", None)
        top, horizon_valid = self._top(data)
        components: dict[str, Component] = {}
        forecast: dict[str, Forecast] = {}
        if parts is None:
            self._report(("components",), Message("is required: a mapping of names to components"))
        elif not isinstance(parts, dict) or not parts:
            message = Message(
                "must be a mapping of names to components, with one at least:"
                " `town: {{kind: load, demand_mw: 5}}`"
            )
            self._report(("components",), message)
        elif horizon_valid:
            components, forecast = self._parts(parts, top)
        else:
            self._whatever_the_horizon(parts, top)
        if self.problems:
            raise ScenarioError(self.problems)
        notes = self.shared.on_horizon(top).context.notes
        keys = [CsvSeries.unchecked(**spec).key for spec in _columns_in(self.document.data)]
        self.warnings += dict.fromkeys(note for key in keys for note in notes.get(key, ()))
        return {
            **{name: getattr(top, name) for name in ScenarioFile.model_fields},
            "initial_from": None,  # its state is in the components now
            "components": dict(sorted(components.items())),  # order has no meaning
            "forecast": forecast,
        }

    def _find_components(self, data: dict[str, Any]) -> None:
        """Report a key that was meant to be `components`, and put it in its place."""
        key = "" if "components" in data else close_to("components", data)
        if key:
            message = Message("is not a field here; did you mean {name}?", name="components")
            self._report((key,), message)
            data["components"] = data.pop(key)
            lines = {
                ("components", *path[1:]) if path[:1] == (key,) else path: line
                for path, line in self.document.lines.items()
            }
            self.document = replace(self.document, lines=lines)

    def _top(self, data: dict[str, Any]) -> tuple[ScenarioFile, bool]:
        """Return the top fields, and whether those that components depend on are clear."""
        if self.shared.top is not None and not self.top_changed:
            return self.shared.top, True
        reading = read(ScenarioFile, data, known=_WholeFile)
        for path, message in reading.problems:
            hint = self._misplaced(path)
            self._report(path, message if hint is None else hint)
        top = reading.value
        if top is None:
            valid = data.keys() & ScenarioFile.model_fields.keys() - reading.wrong
            needed = {"name": "unnamed", "horizon": stand_ins(None)[0]}
            top = read(ScenarioFile, needed | {key: data[key] for key in valid}).value
            assert top is not None
        for i, date in enumerate(top.workdays):
            if date in top.holidays:
                message = Message("{date} is one of the holidays too", date=date)
                self._report(("workdays", i), message)
        if not self.top_changed and not self.problems:
            self.shared.top = top
        return top, reading.value is not None or not reading.wrong & BASIC

    def _misplaced(self, path: Key) -> Message | None:
        """Return where a key at the top belongs that is or could be a component; else None."""
        parts, value = self.document.data.get("components"), self.document.data.get(str(path[0]))
        if path[0] in ScenarioFile.model_fields or len(path) > 1:
            return None
        if isinstance(parts, dict) and path[0] in parts:
            name = dotted(("components", *path))
            return Message("is not a field here; did you mean {name}?", name=name)
        if isinstance(value, dict) and "kind" in value:
            return Message("is not a field here; components are indented under `components:`")
        return None

    def _whatever_the_horizon(self, parts: dict[str, Any], top: ScenarioFile) -> None:
        """Report the problems that components have on different horizons alike."""
        alike: list[set[Problem]] = []
        for horizon in stand_ins(self.document.data.get("horizon")):
            stand_in = top.revised({"horizon": horizon})
            document = replace(self.document, problems=())
            checker = Checker(document, Shared(self.shared.folder, self.shared.tables))
            checker._parts(parts, stand_in.revised({"initial_from": None}))
            alike.append(set(checker.problems))
        self.problems += set.intersection(*alike)

    def _parts(
        self, parts: dict[str, Any], top: ScenarioFile
    ) -> tuple[dict[str, Component], dict[str, Forecast]]:
        """Return the components and the forecasts."""
        components = self._components(parts, top)
        forecasts, context = self.document.data.get("forecast"), self.shared.on_horizon(top).context
        return components, read_forecasts(forecasts, parts, components, context, self._report)

    def _components(self, parts: dict[str, Any], top: ScenarioFile) -> dict[str, Component]:
        shared = self.shared.on_horizon(top)
        components: dict[str, Component] = {}
        partial: dict[str, DataReading[Component]] = {}
        for name, data in parts.items():
            untouched = not self.changed & {(), (name,)}
            component = shared.components.get(name) if untouched else None
            if component is None:
                reading = self._component(name, data, shared.context)
                component = reading.value
                if component is None or reading.problems:
                    partial[name] = reading
                    untouched = False
            if component is None:
                continue
            components[name] = component
            if untouched:
                shared.components[name] = component
        if top.initial_from is not None:
            components = self._continued(components, top, shared.context)
        texts = {name: {"site", name, *texts_in(parts[name])} for name in partial}
        for name in parts:
            reading = partial.get(name, DataReading(components.get(name)))
            component = components.get(name) or reading.partial
            if component is None:
                continue
            mentioned = frozenset().union(*(texts[other] for other in texts if other != name))
            site = Site(name, top.horizon, components, top.trace, mentioned=mentioned)
            complaints = chain(
                reading.evaluable(bound(component.check, site)),
                reading.evaluable(bound(self._unmet, component, site)),
            )
            for path, message in complaints:
                self._report(("components", name, *path), message)
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

    @staticmethod
    def _unmet(component: Component, site: Site) -> Iterator[tuple[Key, Message]]:
        """Yield demands that nobody supplies; a broken component may supply what it mentions."""
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
            yield (field_name,), message

    def _component(self, name: str, data: Any, context: Context) -> DataReading[Component]:
        """Return a component as its data says, with its problems, which are reported."""
        path: Key = ("components", name)
        kind = data.get("kind") if isinstance(data, dict) else None
        if not isinstance(name, str) or not re.fullmatch(NAME, name):
            rule = Message("name must be small letters, digits and _, beginning with a letter")
            plain = remedy("string_pattern_mismatch", name, "", {"pattern": NAME})
            self._report(path, with_remedy(rule, plain and plain.message))
        if not isinstance(data, dict):
            message = Message(
                "must be a mapping with a `kind`, is {text}: `{{kind: load, demand_mw: 5}}`",
                text=as_written(data),
            )
            self._report(path, message)
            return DataReading()
        entry = kind_named(kind) if isinstance(kind, str) else None
        if entry is None:
            problem = why_unusable(kind) if isinstance(kind, str) else None
            self._report((*path, "kind"), problem or _unknown_kind(kind))
            meant = "" if problem else kind_of_word(kind) or close_to(kind, every_kind())
            entry = kind_named(meant)
            if entry is None:
                return DataReading()
            data = data | {"kind": meant}
        reading = read(entry.component, data, context)
        for below, message in reading.problems:
            self._report((*path, *below), message)
        return reading

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
    known = ", ".join(sorted(every_kind()))
    if kind is None:
        return Message("is required: one of {names}", names=known)
    meant = kind_of_word(kind)
    return Message(
        "must be one of {names}, is {text}{hint}",
        names=known,
        text=as_written(kind),
        hint=Message("; did you mean {name}?", name=meant)
        if meant
        else did_you_mean(kind, every_kind()),
    )
