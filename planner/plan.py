"""A plan: plain tables whose columns are the names the components chose.

Values are rounded to 1e-9 (MW, MWh, Mtok, nodes) and money to 1e-6 CNY when a plan is made, so that
a plan read back equals the plan written; nothing else is done to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planner.errors import SolveError
from planner.green import green_table
from planner.program import Program
from planner.scenario import Scenario
from planner.series import Array
from planner.summary import gap_of, summarise

if TYPE_CHECKING:
    from planner.report.figures import Figures

VALUE_DECIMALS = 9
MONEY_DECIMALS = 6

USES = ("export", "compute", "load", "storage", "loss", "curtailed")
ONCE = "horizon"
WHY = ("time", "component", "decision", "code", "reason")
LEDGER_TYPES = {
    "component": "str", "line": "str", "period": "str", "cash": "bool", "amount_cny": "float64"
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Plan:
    """An hourly dispatch plan and its accounts.

    schedule: a row a step, indexed by `time` (its start); columns `component.quantity_unit[index]`.
    allocation: long; time, origin, use, mwh.
    green: a row a step; renewable energy and its shares, derived from the allocation.
    ledger: long; component, line, period, cash, amount_cny (revenue positive).
    summary: status, objective, bound, gap, totals and key figures; plain values. Bound and gap are
        None where a given schedule was settled and no bound is known.
    why: long; time, component, decision, code, reason. Empty where the plan has no prices.
    prices: long; time, component, quantity, index, value, unit. None unless asked for.
    """

    scenario: Scenario
    schedule: pd.DataFrame
    allocation: pd.DataFrame
    ledger: pd.DataFrame
    summary: dict[str, Any]
    why: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(WHY), dtype="str"))
    prices: pd.DataFrame | None = None

    @cached_property
    def green(self) -> pd.DataFrame:
        """Renewable energy and its shares by step, from the allocation; no rows where pooled."""
        times = pd.DatetimeIndex(self.schedule.index)
        return green_table(self.allocation, times, trace=self.scenario.trace)

    @cached_property
    def figures(self) -> Figures:
        """The charts of the plan as Plotly figures: `plan.figures.supply()`."""
        from planner.report.figures import Figures

        return Figures(self)

    def write(
        self, folder: str | Path, formats: tuple[str, ...] = ("csv",), lang: str = "en"
    ) -> Path:
        """Write the plan folder, whole or not at all; an older plan there is replaced.

        `lang` is the language of the page and the workbook, en or zh.

        Raises:
            PlanError: the folder holds something else, or cannot be written.
        """
        from planner.folder import write_plan

        return write_plan(self, Path(folder), formats, lang)

    def settled(self, bound_cny: float | None, more: Mapping[str, Any]) -> Plan:
        """Return the plan as that of a given schedule, with more in its summary and no reasons.

        `bound_cny` is a proven upper bound of the profit; None where none is known.
        """
        objective, turnover = self.summary["objective_cny"], self.summary["turnover_cny"]
        bound = None if bound_cny is None else round(max(bound_cny, objective), 6)
        found = {
            "status": "settled",
            "bound_cny": bound,
            "gap": None if bound is None else gap_of(objective, bound, turnover),
        }
        nothing = self.why.iloc[:0]  # a given decision has no reasons
        return replace(self, summary=self.summary | found | dict(more), why=nothing)

    def _repr_html_(self) -> str:
        from planner.report.notebook import plan_html

        return plan_html(self)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Plan)
            and self.scenario == other.scenario
            and self.schedule.equals(other.schedule)
            and self.allocation.equals(other.allocation)
            and self.ledger.equals(other.ledger)
            and self.summary == other.summary
            and _same(self.why, other.why)
            and _same(self.prices, other.prices)
        )

    __hash__ = None  # type: ignore[assignment]  # a plan holds tables


def _same(a: pd.DataFrame | None, b: pd.DataFrame | None) -> bool:
    if a is None or b is None:
        return a is b
    return a.equals(b) or (a.empty and b.empty)  # what has no rows has no types


def build_plan(
    program: Program,
    x: Array,
    *,
    status: str,
    bound_cny: float,
    tidied: bool,
    rounds: int,
    seconds: Mapping[str, float],
    whole: bool = True,
) -> Plan:
    """Read the tables of a plan from a solution.

    Args:
        program: what was solved.
        x: the solution; shape (columns,).
        status: optimal, time_limit, interrupted or relaxed; `settled` makes it settled.
        bound_cny: proven upper bound of the profit.
        tidied: whether the tidying solves settled ties.
        rounds: solves until no exclusive flows overlapped.
        seconds: runtimes by part.
        whole: whether energy must add up; that of a schedule that breaks balances need not.
    """
    reports, scenario = program.values(x), program.scenario
    times = scenario.horizon.starts[program.window.first - 1 : program.window.last]
    columns = program.columns(x, reports)
    schedule = pd.DataFrame(
        {name: _clean(values, VALUE_DECIMALS) for name, values in columns.items()}, index=times
    )
    ledger, reported = _ledger(program, reports)
    allocation = _allocation(program, reports, times)
    if whole:
        _check_allocation(program, reports)
    objective = -float(program.cost @ x + program.offset)
    summary = summarise(
        scenario,
        schedule,
        allocation,
        ledger,
        reported,
        compute=_compute_revenue(program, reports),
        export=_export_revenue(program, reports),
        status=status,
        objective=objective,
        bound=bound_cny,
        solving={"tidied": tidied, "rounds": rounds, "columns": program.matrix.shape[1],
                 "rows": program.matrix.shape[0], "integers": int(program.integer.sum())},
        seconds=seconds,
    )  # fmt: skip
    return Plan(scenario, schedule, allocation, ledger, summary)


def _clean(values: Array, decimals: int) -> Array:
    return np.round(values, decimals) + 0.0  # no negative zeros


def _ledger(program: Program, reports: Array) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the ledger and the lines outside the objective, both revenue positive."""
    starts = [moment.isoformat() for moment in program.scenario.horizon.starts]
    periods = [
        ONCE
        if c.period is None
        else starts[c.period - 1]
        if isinstance(c.period, int)
        else c.period
        for c in program.costs.values()
    ]
    frame = pd.DataFrame(
        {
            "component": [cost.component for cost in program.costs.values()],
            "line": [str(cost.line) for cost in program.costs.values()],
            "period": periods,
            "cash": np.array([cost.line.cash for cost in program.costs.values()], dtype=bool),
            "amount_cny": _clean(-reports[list(program.costs)], MONEY_DECIMALS),
        }
    ).astype(LEDGER_TYPES)
    outside = np.array([cost.reported for cost in program.costs.values()], dtype=bool)
    return (
        frame[~outside].reset_index(drop=True),
        frame[outside].reset_index(drop=True),
    )


def _allocation(program: Program, reports: Array, times: pd.DatetimeIndex) -> pd.DataFrame:
    """Return MWh by time, origin and use, from the traced flows of the model."""
    steps, step_h = len(times), program.scenario.horizon.step_h
    parts = []
    for origin in program.scenario.site().origins:
        for use in USES:
            rows = program.uses.get((use, origin))
            if rows is not None:
                mwh = reports[rows].reshape(-1, steps).sum(axis=0) * step_h
                parts.append((origin, use, _clean(mwh, VALUE_DECIMALS)))
    if not parts:
        return pd.DataFrame({"time": times[:0], "origin": [], "use": [], "mwh": []})
    return pd.DataFrame(
        {
            "time": times.repeat(len(parts)),
            "origin": [origin for origin, _, _ in parts] * steps,
            "use": [use for _, use, _ in parts] * steps,
            "mwh": np.column_stack([mwh for _, _, mwh in parts]).ravel(),
        }
    )


def _check_allocation(program: Program, reports: Array) -> None:
    """Raise unless the uses of every origin sum to what was injected, in every step."""
    steps = len(program.window)
    for origin, rows in program.injected.items():
        injected = reports[rows].reshape(-1, steps).sum(axis=0)
        used = sum(
            reports[found].reshape(-1, steps).sum(axis=0)
            for (_, of), found in program.uses.items()
            if of == origin
        )
        wrong = np.abs(injected - used) > 1e-5 * np.maximum(1.0, np.abs(injected))
        if wrong.any():
            step = int(np.flatnonzero(wrong)[0]) + program.window.first
            when = program.scenario.horizon.at(step)
            raise SolveError(
                f"{origin} energy does not add up at {when}: a component leaves out one of its uses"
            )


def _compute_revenue(program: Program, reports: Array) -> Array:
    """Return the revenue of compute by step, CNY; shape (steps,)."""
    revenue = np.zeros(len(program.window))
    for row, cost in program.costs.items():
        if cost.line.use == "compute" and isinstance(cost.period, int):
            revenue[cost.period - program.window.first] -= reports[row]
    return revenue


def _export_revenue(program: Program, reports: Array) -> dict[str, float]:
    """Return the revenue of grid sale by origin, CNY."""
    revenue: dict[str, float] = {}
    for row, cost in program.costs.items():
        if cost.line.use == "export" and cost.line.origin is not None:
            revenue[cost.line.origin] = revenue.get(cost.line.origin, 0.0) - float(reports[row])
    return revenue
