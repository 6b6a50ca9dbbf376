"""The parts of the documents of --json: summaries, and rows of tables."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from planner.cli.outcome import Record

Amounts = dict[str, dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class Summary(Record):
    """What the summary of every plan has; docs/reference.md describes its keys."""

    name: str
    description: str
    status: str
    start: dt.datetime
    hours: float
    step_min: int
    vat: str
    objective_cny: float
    bound_cny: float | None
    gap: float | None
    gap_of_profit: float | None
    turnover_cny: float
    warnings: list[str]
    solving: dict[str, Any]
    runtimes_s: dict[str, float]
    versions: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class PlanSummary(Summary):
    """What the summary of every plan of one future has."""

    cash_profit_cny: float
    non_cash_cny: float
    net_after_outside_cny: float
    ledger_cny: Amounts
    outside_objective_cny: Amounts
    components: dict[str, str]
    figures: Amounts
    allocation_mwh: Amounts
    value_cny_per_kwh: Amounts
    value_by_use_cny_per_kwh: dict[str, float | None]
    uplift: float | None
    green: dict[str, Any]
    carbon: dict[str, Any]
    worst_hours: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class StochasticSummary(Summary):
    """What the summary of every stochastic plan has."""

    expected_cny: float
    cvar_cny: float | None
    risk: dict[str, Any] | None
    vss_cny: float | None
    evpi_cny: float | None
    here_and_now: list[str]
    members: list[dict[str, Any]]
    notes: list[str]


@dataclass(frozen=True, kw_only=True)
class SimulationSummary(Record):
    """What the summary of every simulation has."""

    every_h: float
    window_h: float
    members: int
    seed: int
    forecasts: list[str]
    bound_cny: float | None
    baseline: str | None
    notes: list[str]
    policies: list[dict[str, Any]]
    forecast_errors: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Span(Record):
    """A horizon."""

    start: dt.datetime
    hours: float
    step_min: int
    steps: int
    timezone: str | None


@dataclass(frozen=True, kw_only=True)
class CheckedComponent(Record):
    """A component of a valid scenario."""

    name: str
    kind: str
    title: str | None
    node: str | None


@dataclass(frozen=True, kw_only=True)
class NodeEnd(Record):
    """A component at a node."""

    node: str
    role: str
    """`supply`, `storage`, `use`, `connection` or `line`."""
    component: str
    sizes: dict[str, float]
    """Its most power and energy, MW and MWh."""
    to: str | None
    """The other node of a line."""


@dataclass(frozen=True, kw_only=True)
class ShippedOne(Record):
    """A scenario that comes with the planner."""

    name: str
    description: str


@dataclass(frozen=True, kw_only=True)
class CheckedMember(Record):
    """A member of a scenario with uncertainty."""

    name: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class BindingLimit(Record):
    """A limit with a price, and for how long it is in force."""

    component: str
    code: str
    """As in `why.csv`."""
    hours: float


@dataclass(frozen=True, kw_only=True)
class PriceRow(Record):
    """A marginal price."""

    time: dt.datetime | None
    """Start of the step; null over the horizon."""
    component: str
    quantity: str
    index: str
    value: float
    unit: str


@dataclass(frozen=True, kw_only=True)
class ChangedInput(Record):
    """An input that differs."""

    path: str
    a: str
    b: str


@dataclass(frozen=True, kw_only=True)
class ChangedLine(Record):
    """A ledger line that differs."""

    component: str
    line: str
    a_cny: float
    b_cny: float
    difference_cny: float


@dataclass(frozen=True, kw_only=True)
class ChangedFigure(Record):
    """A figure that differs; null where a side has none."""

    figure: str
    a: float | None
    b: float | None
    difference: float | None


@dataclass(frozen=True, kw_only=True)
class ChangedHour(Record):
    """A step whose money or schedule differs."""

    time: dt.datetime
    a_cny: float
    b_cny: float
    difference_cny: float
    moved_cny: float
    columns: int


@dataclass(frozen=True, kw_only=True)
class ChangedColumn(Record):
    """A column of the schedule that differs."""

    column: str
    steps: int
    moved: float
    time: dt.datetime
    a: float
    b: float


@dataclass(frozen=True, kw_only=True)
class Differences(Record):
    """The differences between A and B; every difference is B less A."""

    a: str
    b: str
    equal: bool
    profit_a_cny: float
    profit_b_cny: float
    change_cny: float
    bound_a_cny: float | None
    bound_b_cny: float | None
    open_cny: float | None
    """Sum of both gaps between profit and bound."""
    proven: bool
    """Whether the difference in profit exceeds it."""
    inputs: list[ChangedInput]
    money: list[ChangedLine]
    figures: list[ChangedFigure]
    hours: list[ChangedHour] | None
    """Null where there are no steps of both."""
    columns: list[ChangedColumn] | None
    """Null likewise."""
    notes: list[str]


@dataclass(frozen=True, kw_only=True)
class SolvingTime(Record):
    """An estimate of the time that a sweep takes."""

    waiting: int
    """Different cases without a result."""
    case_s: float
    """Seconds a case."""
    source: str
    """Origin of that figure."""
    workers: int
    left_s: float
    """Seconds until all are solved."""


@dataclass(frozen=True, kw_only=True)
class DryRun(Record):
    """What a sweep would solve."""

    design: str
    distinct: int
    """Different cases."""
    invalid: int
    """Cases that are no valid scenarios."""
    first: list[dict[str, Any]]
    """Number and axes of the first cases."""
    estimate: SolvingTime | None
    """Null where no case is a valid scenario."""


@dataclass(frozen=True, kw_only=True)
class BrokenPromise(Record):
    """A rule that a plan breaks."""

    component: str
    rule: str
    time: str | None
    """Start of the step, or a period; null over the whole horizon."""
    amount: float | None
    unit: str
    message: str
