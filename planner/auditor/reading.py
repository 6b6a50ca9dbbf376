"""What the files of a plan folder mean: origins, components, and what is known of each kind.

A component is a `Part`: its fields and its columns of the schedule. All that the audit knows of its
kind stands in one `KindAudit`; every table asks that, and none compares kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.auditor.findings import Array, Flags, Notes
from planner.auditor.plan_files import (
    ALLOCATION,
    SCENARIO,
    SCHEDULE,
    SERIES,
    Clock,
    Files,
    as_times,
    clock_of,
)
from planner.errors import PlanError

TRACED, POOLED = ("renewable", "thermal", "grid"), ("pooled",)
ONCE = "horizon"


class Part:
    """A component: its fields as the scenario resolves them, its columns of the schedule."""

    def __init__(self, name: str, data: Mapping[str, Any], source: Source) -> None:
        self.name = name
        self._data = data
        self._source = source
        self.columns: dict[str, Array] = {}
        self.kind = str(data.get("kind"))

    def __getitem__(self, field: str) -> Any:
        """Return a field as the scenario has it."""
        if field not in self._data:
            raise self._source.wrong(f"components.{self.name}.{field} is missing")
        return self._data[field]

    def number(self, field: str) -> float:
        """Return a field that is a number."""
        return self._source.number(self[field], f"components.{self.name}.{field}")

    def series(self, field: str) -> Array:
        """Return a field that changes over time; shape (steps,)."""
        return self._source.series(self[field], f"components.{self.name}.{field}")

    def under(self, *path: str) -> Part:
        """Return the mapping at a path below this one, to read its fields."""
        found: Any = self._data
        where = ".".join((self.name, *path))
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        if not isinstance(found, Mapping):
            raise self._source.wrong(f"components.{where} is missing, or no mapping")
        return Part(where, found, self._source)

    def rows(self, field: str) -> list[Part]:
        """Return a field that is a list of mappings."""
        where, items = f"{self.name}.{field}", self[field]
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            raise self._source.wrong(f"components.{where} is no list of mappings")
        return [Part(f"{where}[{i}]", item, self._source) for i, item in enumerate(items)]

    @property
    def node(self) -> str:
        """The node at which it stands."""
        return str(self["node"])

    @property
    def fields(self) -> list[str]:
        """The names of its fields."""
        return [str(key) for key in self._data]

    def by_origin(self, path: str, origin: str) -> Array | None:
        """Return a field that is a series, or one for each origin; None where it gives none."""
        given = self[path]
        if isinstance(given, Mapping) and "csv" not in given:
            given = given.get(origin)
            if given is None:
                return None
        return self._source.series(given, f"components.{self.name}.{path}")

    def column(self, quantity: str, *index: object) -> Array:
        """Return a column of the schedule: charge_mw, grid is battery.charge_mw[grid]."""
        return self.columns[column_of(quantity, *index)]

    def total(self, quantity: str) -> Array | float:
        """Return the sum of the columns of a quantity over its index; 0.0 where there is none."""
        parts = [self.columns[name] for name in self.columns if name.startswith(f"{quantity}[")]
        return np.sum(parts, axis=0) if parts else 0.0


def column_of(quantity: str, *index: object) -> str:
    """Return the name of a column after that of its component: nodes[small|2500]."""
    return f"{quantity}[{'|'.join(map(str, index))}]" if index else quantity


@dataclass(frozen=True)
class Source:
    """The scenario file and the series beside it."""

    folder: Path
    steps: int
    table: pd.DataFrame | None

    def wrong(self, message: str) -> PlanError:
        """Return the error that says what is wrong with the scenario."""
        return PlanError(f"{self.folder / SCENARIO}: {message}")

    def number(self, value: Any, where: str) -> float:
        """Return a value that must be a number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(f"{where} is no number")
        return float(value)

    def series(self, value: Any, where: str) -> Array:
        """Return a series: a number, or a column of the file beside the scenario."""
        if not isinstance(value, Mapping):
            return np.full(self.steps, self.number(value, where))
        column = value.get("column")
        if value.get("csv") != SERIES or self.table is None or column not in self.table:
            raise self.wrong(f"{where} is neither a number nor a column of {SERIES}")
        return np.asarray(self.table[column], dtype=float)


@dataclass(frozen=True)
class Line:
    """A line of the ledger as it should be; `price` is the largest, for the tolerance.

    use, origin: which energy a revenue is earned with, where it is one of energy.
    """

    component: str
    name: str
    amounts: Array
    periods: Sequence[str]
    price: float = 0.0
    cash: bool = True
    use: str = ""
    origin: str = ""


def by_step(
    plan: Plan, part: Part, name: str, price: Array | float, flow: Array, *,
    cash: bool = True, use: str = "", origin: str = "",
) -> Line:  # fmt: skip
    """Return a line that pays a price for a flow in every step; negative prices are costs."""
    rate = np.asarray(price, dtype=float) * plan.clock.step_h
    largest = float(np.abs(rate).max())
    return Line(part.name, name, rate * flow, plan.clock.stamps, largest, cash, use, origin)


ByOrigin = Mapping[str, Array]  # by step; what has no origin stands under ""
Measure = Callable[["Plan", "Part"], ByOrigin]
Codes = Mapping[str, Flags]  # where each code may stand; shape (steps,)


def nothing(*_: object) -> dict[Any, Any]:
    """Say that a kind has none of these."""
    return {}


@dataclass(frozen=True)
class KindAudit:
    """All that the audit knows of a kind of component; flows are in MW, money is in CNY.

    columns: the columns of the schedule that a component must have.
    checks: note the rules that it breaks.
    lines: the lines of the ledger that it must have.
    outside: money that the summary shows and nothing optimises, by line.
    flows: node, origin and flow into the node; what it takes is below zero.
    injected: what it brings to the site, all that is available of sun and wind.
    uses: MWh by use, for the allocation. What is injected in all is what the uses sum to.
    drawn: those of its uses that consume energy, for the shares of renewable energy and emissions.
    meters: quantities that other kinds and the summary sum over all components: drawn_mw, load_mw,
        exported_mw, renewable_mw, renewable_available_mw, contingency_mw (its loss is one that
        `largest_unit` covers), emission_tco2, allowance_tco2 and import_emission_tco2 by step,
        answered_mtok_per_h, and jobs_mw (what of drawn_mw answers no tokens).
    figures: its key figures in the summary.
    codes: by decision, where each code of why.csv may stand.
    reserve_share: MW that a node sees of each MW of its reserve; None if it cannot provide any.
    sale_price: CNY/MWh for which it can buy energy of the site, by origin.
    token_price: CNY/Mtok, for prices.csv; None if it has none.
    here_and_now: what it decides before the future is known, where members of a stochastic plan
        share nodes awake (True) or not.
    """

    columns: Callable[[Plan, Part], set[str]]
    checks: Sequence[Callable[[Plan, Part, Notes], None]]
    lines: Callable[[Plan, Part], Iterable[Line]] = nothing
    outside: Callable[[Plan, Part], Mapping[str, float]] = nothing
    flows: Callable[[Plan, Part], Iterable[tuple[str, str, Array]]] = nothing
    injected: Measure = nothing
    uses: Mapping[str, Measure] = field(default_factory=dict)
    drawn: Collection[str] = ()
    meters: Mapping[str, Measure] = field(default_factory=dict)
    figures: Callable[[Plan, Part], Mapping[str, float]] = nothing
    codes: Callable[[Plan, Part], Mapping[str, Codes]] = nothing
    reserve_share: Callable[[Part], float] | None = None
    sale_price: Measure = nothing
    token_price: Callable[[Part], Array | None] = lambda _: None
    here_and_now: Callable[[Part, bool], Collection[str]] = nothing


@dataclass(frozen=True)
class Plan:
    """A plan as it lies in its folder, its components in the order of the scenario."""

    files: Files
    clock: Clock
    origins: tuple[str, ...]
    parts: dict[str, Part]
    kinds: Mapping[str, KindAudit]

    @property
    def relaxed(self) -> bool:
        """Whether the plan is only that of the LP relaxation."""
        return self.files.summary.get("status") == "relaxed"

    def of_kind(self, kind: str) -> list[Part]:
        """Return the components of a kind, for kinds that stand on another one."""
        return [part for part in self.parts.values() if part.kind == kind]

    def audit(self, part: Part) -> KindAudit:
        """Return how a component is audited."""
        return self.kinds[part.kind]

    def metered(self, quantity: str) -> Iterator[tuple[Part, str, Array]]:
        """Yield component, origin and values of every meter of a quantity."""
        for part in self.parts.values():
            measure: Measure = self.audit(part).meters.get(quantity, nothing)
            for origin, values in measure(self, part).items():
                yield part, origin, values

    def total(self, quantity: str, origin: str | None = None) -> Array:
        """Return what the meters of a quantity sum to, by step; None is every origin."""
        parts = (values for _, of, values in self.metered(quantity) if origin in (None, of))
        return np.asarray(sum(parts, np.zeros(self.clock.steps)))

    def injected(self, origin: str) -> Array:
        """Return what all components bring of an origin, MW; of sun and wind what is available."""
        parts = (self.audit(part).injected(self, part) for part in self.parts.values())
        brought = (by_origin[origin] for by_origin in parts if origin in by_origin)
        return np.asarray(sum(brought, np.zeros(self.clock.steps)))

    @cached_property
    def drawn_uses(self) -> set[str]:
        """The uses of the allocation that consume energy."""
        return {use for kind in self.kinds.values() for use in kind.drawn}

    @cached_property
    def allocation_steps(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The step of every row of the allocation, from 0 on, or -1 where it is none."""
        texts = pd.Index(self.files.allocation["time"])
        unique = texts.unique()
        steps = self.clock.index.get_indexer(as_times(unique, self.files.folder / ALLOCATION))
        rows: np.ndarray[Any, np.dtype[np.int64]] = np.asarray(steps)[unique.get_indexer(texts)]
        return rows

    def wrong(self, message: str) -> PlanError:
        """Return the error that says what is wrong with the scenario."""
        return PlanError(f"{self.files.folder / SCENARIO}: {message}")

    def origin(self, source: str) -> str:
        """Return the origin under which energy from a source is followed."""
        return source if self.origins == TRACED else POOLED[0]


def columns_by_origin(plan: Plan, *quantities: str) -> set[str]:
    """Return the columns of quantities that are followed by origin."""
    return {column_of(quantity, o) for quantity in quantities for o in plan.origins}


def drawn_flows(plan: Plan, part: Part) -> Iterator[tuple[str, str, Array]]:
    """Yield the flows of what draws power at its node."""
    for origin, mw in drawn_mw(plan, part).items():
        yield part.node, origin, -mw


def drawn_mw(plan: Plan, part: Part) -> dict[str, Array]:
    """Return what is drawn by origin, MW."""
    return {o: part.column("draw_mw", o) for o in plan.origins}


def drawn_mwh(plan: Plan, part: Part) -> dict[str, Array]:
    """Return what is drawn by origin, MWh."""
    return {o: plan.clock.step_h * mw for o, mw in drawn_mw(plan, part).items()}


def understand(files: Files, kinds: Mapping[str, KindAudit]) -> Plan:
    """Give the files their meaning: the clock, the origins, the components and their columns.

    Raises:
        PlanError: the scenario leaves out what an audit needs, or has a kind not in `kinds`.
    """
    clock = clock_of(files)
    series = files.series
    if series is not None:
        beside = files.folder / SERIES
        if not as_times(series["time"], beside).equals(clock.index):
            raise PlanError(f"{beside}: its times are not those of the horizon")
    source = Source(files.folder, clock.steps, series)
    components = files.scenario.get("components")
    if not isinstance(components, Mapping) or not components:
        raise source.wrong("components is missing")
    parts = {}
    for name, data in components.items():
        if not isinstance(data, Mapping):
            raise source.wrong(f"components.{name} is no mapping")
        parts[str(name)] = part = Part(str(name), data, source)
        if part.kind not in kinds:
            raise source.wrong(f"components.{name}.kind {part.kind!r} is not known to the audit")
    schedule = files.schedule.drop(columns="time")
    for column, numbers in zip(schedule.columns, schedule.to_numpy(float).T, strict=True):
        name, _, quantity = str(column).partition(".")
        if name in parts:
            parts[name].columns[quantity] = np.ascontiguousarray(numbers)
    traced = files.scenario.get("trace")
    if not isinstance(traced, bool):
        raise source.wrong("trace is neither true nor false")
    return Plan(files, clock, TRACED if traced else POOLED, parts, kinds)


def schedule_times(plan: Plan) -> pd.DatetimeIndex:
    """Return the times of the schedule, in the offset of the horizon."""
    return as_times(plan.files.schedule["time"], plan.files.folder / SCHEDULE)
