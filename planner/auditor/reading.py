"""Meaning of the files of a plan folder: origins, components, and what is known of each kind.

A component is a `Part`: its fields and its columns of the schedule. All that the audit knows of its
kind is in one `KindAudit`; the checks of every table ask that, and none compares kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from planner.auditor.amounts import Amounts, allocation_of, ledger_of
from planner.auditor.findings import Array, Flags, Notes
from planner.auditor.plan_files import (
    SERIES,
    Clock,
    Files,
    Source,
    as_times,
    clock_of,
    columns_of,
)
from planner.errors import PlanError
from planner.message import Message

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
            raise self.wrong(Message("{path} is missing", path=self._path(field)))
        return self._data[field]

    def number(self, field: str) -> float:
        """Return a field that is a number."""
        return self._source.number(self[field], self._path(field))

    def series(self, field: str) -> Array:
        """Return a field that changes over time; shape (steps,)."""
        return self._source.series(self[field], self._path(field))

    def under(self, *path: str) -> Part:
        """Return the mapping at a path below this one, to read its fields."""
        value: Any = self._data
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        name = ".".join((self.name, *path))
        if not isinstance(value, Mapping):
            missing = f"components.{name}"
            raise self.wrong(Message("{path} is missing, or no mapping", path=missing))
        return Part(name, value, self._source)

    def rows(self, field: str) -> list[Part]:
        """Return a field that is a list of mappings."""
        items = self[field]
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            raise self.wrong(Message("{path} is no list of mappings", path=self._path(field)))
        return [Part(f"{self.name}.{field}[{i}]", x, self._source) for i, x in enumerate(items)]

    def is_mapping(self, field: str) -> bool:
        """Return whether a field is a mapping of its own, such as one by origin, and no series."""
        return isinstance(self[field], Mapping) and "csv" not in self[field]

    def _path(self, field: str) -> str:
        return f"components.{self.name}.{field}"

    def wrong(self, message: Message) -> PlanError:
        """Return the error of a field of the scenario."""
        return self._source.wrong(message)

    @property
    def node(self) -> str:
        """The node to which it is connected."""
        return str(self["node"])

    @property
    def fields(self) -> list[str]:
        """The names of its fields."""
        return [str(key) for key in self._data]

    def by_origin(self, field: str, origin: str) -> Array | None:
        """Return a field that is a series, or one for each origin; None where it has none."""
        value = self[field]
        if self.is_mapping(field):
            value = value.get(origin)
            if value is None:
                return None
        return self._source.series(value, self._path(field))

    def column(self, quantity: str, *index: object) -> Array:
        """Return a column of the schedule: charge_mw, grid is battery.charge_mw[grid]."""
        return self.columns[column_of(quantity, *index)]

    def optional(self, quantity: str, *index: object) -> Array:
        """Return a column that not every scenario calls for; zeros where it is not there."""
        return self.columns.get(column_of(quantity, *index), self.zeros)

    def total(self, quantity: str) -> Array:
        """Return the sum of the columns of a quantity over its index; zeros where there is none."""
        parts = [self.columns[name] for name in self.columns if name.startswith(f"{quantity}[")]
        return sum(parts, self.zeros)

    @property
    def zeros(self) -> Array:
        """A zero for every step."""
        return np.zeros(self._source.steps)


def column_of(quantity: str, *index: object) -> str:
    """Return the name of a column after that of its component: nodes[small|2500]."""
    return f"{quantity}[{'|'.join(map(str, index))}]" if index else quantity


@dataclass(frozen=True)
class Line:
    """A line of the ledger as it should be; `price` is the highest, for the tolerance.

    use, origin: the energy that earns a revenue, where it is one of energy.
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
    max_rate = float(np.abs(rate).max())
    return Line(part.name, name, rate * flow, plan.clock.stamps, max_rate, cash, use, origin)


def at_start_of_steps(initial: float, values: Array) -> Array:
    """Return a state at the start of each step, from its initial value and that after each step."""
    return np.concatenate([[initial], values[:-1]])


ByOrigin = Mapping[str, Array]  # by step; the key "" is for what has no origin
Measure = Callable[["Plan", "Part"], ByOrigin]
Codes = Mapping[str, Flags]  # the steps in which each code is possible; shape (steps,)


def nothing(*_: object) -> dict[Any, Any]:
    """Return no entries, for a kind that has none."""
    return {}


def of_source(source: str, values: Callable[[Plan, Part], Array]) -> Measure:
    """Return the measure of a quantity that comes from one source of energy alone."""
    return lambda plan, part: {plan.origin(source): values(plan, part)}


@dataclass(frozen=True)
class KindAudit:
    """All that the audit knows of a kind of component; flows are in MW, money is in CNY.

    columns: the columns of the schedule that a component must have.
    checks: each notes the rules that it breaks.
    lines: the lines of the ledger that it must have.
    outside: money that the summary shows and nothing optimises, by line.
    flows: node, origin and flow into the node; below zero where it takes power.
    injected: what it brings to the site; of sun and wind all that is available.
    uses: MWh by use, for the allocation. The uses sum to all that is injected.
    drawn: those of its uses that consume energy, for the shares of renewable energy and emissions.
    meters: quantities that other kinds and the summary sum over all components: drawn_mw, load_mw,
        exported_mw, renewable_mw, renewable_available_mw, contingency_mw (a loss that
        `largest_unit` covers), emission_tco2, allowance_tco2 and import_emission_tco2 by step,
        answered_mtok_per_h, and jobs_mw (the part of drawn_mw that answers no tokens).
    stored: MWh by origin that it holds when the horizon begins.
    figures: its key figures in the summary.
    codes: by decision, the steps in which each code of why.csv is possible.
    reserve_share: MW at the node for each MW of its reserve; None if it cannot provide any.
    sale_price: CNY/MWh for which it can buy energy of the site, by origin.
    token_price: CNY/Mtok, for prices.csv; None if it has none.
    carried: the columns of energy or work that it leaves for later steps, with the field of the
        value at the end, for end_values.csv.
    here_and_now: the columns that it decides before the future is known, where members of a
        stochastic plan share nodes awake (True) or not.
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
    stored: Callable[[Plan, Part], Mapping[str, float]] = nothing
    figures: Callable[[Plan, Part], Mapping[str, float]] = nothing
    codes: Callable[[Plan, Part], Mapping[str, Codes]] = nothing
    reserve_share: Callable[[Part], float] | None = None
    sale_price: Measure = nothing
    token_price: Callable[[Part], Array | None] = lambda _: None
    carried: Mapping[str, str] = field(default_factory=dict)
    here_and_now: Callable[[Part, bool], Collection[str]] = nothing


@dataclass(frozen=True)
class Plan:
    """A plan as its folder holds it, its components in the order of the scenario."""

    files: Files
    clock: Clock
    origins: tuple[str, ...]
    parts: dict[str, Part]
    kinds: Mapping[str, KindAudit]

    @property
    def relaxed(self) -> bool:
        """Whether the plan solves only the LP relaxation."""
        return self.files.summary.get("status") == "relaxed"

    def of_kind(self, kind: str) -> list[Part]:
        """Return the components of a kind, for kinds that depend on another one."""
        return [part for part in self.parts.values() if part.kind == kind]

    def audit(self, part: Part) -> KindAudit:
        """Return how a component is audited."""
        return self.kinds[part.kind]

    def sum(self, values: Iterable[Array]) -> Array:
        """Return the sum of series, by step; zeros where there is none."""
        return np.asarray(sum(values, np.zeros(self.clock.steps)))

    def metered(self, quantity: str) -> Iterator[tuple[Part, str, Array]]:
        """Yield component, origin and values of every meter of a quantity."""
        for part in self.parts.values():
            measure: Measure = self.audit(part).meters.get(quantity, nothing)
            for origin, values in measure(self, part).items():
                yield part, origin, values

    def total(self, quantity: str, origin: str | None = None) -> Array:
        """Return the sum of the meters of a quantity, by step; over all origins if None."""
        return self.sum(values for _, of, values in self.metered(quantity) if origin in (None, of))

    def injected(self, origin: str) -> Array:
        """Return what all components inject of an origin, MW; of sun and wind the available."""
        parts = (self.audit(part).injected(self, part) for part in self.parts.values())
        return self.sum(by_origin[origin] for by_origin in parts if origin in by_origin)

    @cached_property
    def drawn_uses(self) -> set[str]:
        """The uses of the allocation that consume energy."""
        return {use for kind in self.kinds.values() for use in kind.drawn}

    @cached_property
    def lines(self) -> list[Line]:
        """Every line that the ledger must have."""
        return [line for part in self.parts.values() for line in self.audit(part).lines(self, part)]

    @cached_property
    def ledger(self) -> Amounts:
        """The ledger by component and line, CNY."""
        return ledger_of(self.files, self.clock)

    @cached_property
    def allocation(self) -> Amounts:
        """The allocation by origin and use, MWh."""
        return allocation_of(self.files, self.clock)

    def origin(self, source: str) -> str:
        """Return the origin under which energy from a source is traced."""
        return source if self.origins == TRACED else POOLED[0]


def columns_by_origin(plan: Plan, *quantities: str) -> set[str]:
    """Return the columns of quantities that are traced by origin."""
    return {column_of(quantity, o) for quantity in quantities for o in plan.origins}


def drawn_flows(plan: Plan, part: Part) -> Iterator[tuple[str, str, Array]]:
    """Yield the flows of a component that draws power at its node."""
    for origin, mw in drawn_mw(plan, part).items():
        yield part.node, origin, -mw


def drawn_mw(plan: Plan, part: Part) -> dict[str, Array]:
    """Return the power that a component draws by origin, MW."""
    return {o: part.column("draw_mw", o) for o in plan.origins}


def drawn_mwh(plan: Plan, part: Part) -> dict[str, Array]:
    """Return the energy that a component draws by origin, MWh."""
    return {o: plan.clock.step_h * mw for o, mw in drawn_mw(plan, part).items()}


def understand(files: Files, kinds: Mapping[str, KindAudit]) -> Plan:
    """Return the plan that files hold: the clock, the origins, the components, their columns.

    Raises:
        PlanError: the scenario leaves out what an audit needs, or has a kind not in `kinds`.
    """
    clock = clock_of(files)
    series: dict[str, Array] = {}
    if files.series is not None:
        path = files.folder / SERIES
        if not as_times(files.series["time"], path).equals(clock.index):
            raise PlanError(Message("{path}: its times are not those of the horizon", path=path))
        series = columns_of(files.series)
    source = Source(files.folder, clock.steps, series)
    components = files.scenario.get("components")
    if not isinstance(components, Mapping) or not components:
        raise source.wrong(Message("{path} is missing", path="components"))
    parts = {}
    for name, data in components.items():
        if not isinstance(data, Mapping):
            raise source.wrong(Message("{path} is not a mapping", path=f"components.{name}"))
        parts[str(name)] = part = Part(str(name), data, source)
        if part.kind not in kinds:
            message = Message(
                "{path} {text} is not known to the audit",
                path=f"components.{name}.kind",
                text=repr(part.kind),
            )
            raise source.wrong(message)
    for column, values in columns_of(files.schedule).items():
        name, _, quantity = column.partition(".")
        if name in parts:
            parts[name].columns[quantity] = values
    traced = files.scenario.get("trace")
    if not isinstance(traced, bool):
        raise source.wrong(Message("trace is neither true nor false"))
    return Plan(files, clock, TRACED if traced else POOLED, parts, kinds)
