"""The results of a simulation as sections: policies, their lines and days, and the forecasts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from planner.language.language import Language
from planner.language.section import SHARE, Cell, Quantity, Row, Section
from planner.plan_tables.simulation import SimulationTable, forecast_errors
from planner.plan_tables.summary import HALF_FEN
from planner.plan_tables.tables import PlanTables
from planner.report.charts.view import View
from planner.report.plan_sections import line_label
from planner.report.sweep_page.words import measured
from planner.timeseries.series import Array

OFF_DECLARATION = ("deviation", "over", "under")  # ledger lines of a declaration
ALWAYS = ("profit_cny", "capture_share")


def policies_section(simulation: SimulationTable, words: Language) -> Section:
    """Return a column for each policy; shares are rounded to six decimals, so that zero is zero."""
    values = simulation.table
    return Section(
        "",
        ("", *map(words.term, values["policy"])),
        tuple((label, *_cells(values[name])) for name, label in _labels(words).items()),
    )


def policy_rows(simulation: SimulationTable, words: Language) -> pd.DataFrame:
    """Return a row for each policy, without the columns that are zero or unknown for all."""
    values = simulation.table
    names = [
        name for name in _labels(words)
        if name in ALWAYS or values[name].astype(float).fillna(0.0).any()
    ]  # fmt: skip
    columns = {_labels(words)[name]: list(_cells(values[name])) for name in names}
    return pd.DataFrame({words("policy"): list(map(words.term, values["policy"])), **columns})


def _cells(values: pd.Series) -> Iterator[Cell]:
    for value in values.astype(float):
        yield Quantity(round(value, 6), SHARE) if str(values.name).endswith("_share") else value


def _labels(words: Language) -> dict[str, str]:
    """Return the label of each figure of a policy."""
    return {
        "profit_cny": words("profit [CNY]"),
        "cash_profit_cny": words("of which cash [CNY]"),
        "capture_share": words("share of perfect foresight"),
        "above_baseline_share": words("the same, of the profit above the baseline"),
        "of_bound_share": words("share of the LP bound"),
        "unserved_mtok": words("tokens not served [Mtok]"),
        "load_share": words("renewable part of the load"),
        "self_use_share": words("own use of renewable energy"),
        "starts": words("starts of thermal units"),
        "cycles": words("cycles of storage"),
        "curtailed_mwh": words("curtailed [MWh]"),
        "commitment_changes": words("changes of commitment"),
        "forced_steps": words("steps without a feasible dispatch"),
        "breaches": words("rules broken"),
    }


def deviations(simulation: SimulationTable, words: Language) -> Section:
    """Return what each policy did otherwise than planned, without columns that are zero for all.

    The money is that of declarations: deviations at the real-time price and beyond the band.
    """
    table = simulation.table
    settled = [off_declaration_cny(plan) for plan in simulation.plans.values()]
    kept: dict[str, list[float]] = {}
    if any(map(any, settled)):
        kept[words("deviations from the declaration [CNY]")] = [sum(parts) for parts in settled]
    for name in ("commitment_changes", "forced_steps", "breaches"):
        if table[name].any():
            kept[_labels(words)[name]] = [float(count) for count in table[name]]
    rows = zip(map(words.term, table["policy"]), *kept.values(), strict=True) if kept else ()
    return Section(words("Otherwise than planned"), (words("policy"), *kept), tuple(rows))


def off_declaration_cny(plan: PlanTables) -> list[float]:
    """Return the lines of deviating from declarations, below zero where it cost."""
    by_component = plan.summary["ledger_cny"].values()
    return [float(lines.get(name, 0.0)) for lines in by_component for name in OFF_DECLARATION]


def lines_section(simulation: SimulationTable, words: Language) -> Section:
    """Return the ledger lines that are not zero for all policies, and the profits."""
    ledgers = [plan.summary["ledger_cny"] for plan in simulation.plans.values()]
    lines = dict.fromkeys(
        (component, line)
        for ledger in ledgers
        for component in ledger
        for line in ledger[component]
    )
    rows = (
        (component, line, [ledger.get(component, {}).get(line, 0.0) for ledger in ledgers])
        for component, line in lines
    )
    profits = (plan.summary["objective_cny"] for plan in simulation.plans.values())
    return Section(
        words("Profit by line"),
        (words("component"), words("line"), *map(words.term, simulation.plans)),
        tuple(
            (component, line_label(line, words), *amounts)
            for component, line, amounts in rows
            if max(map(abs, amounts)) > HALF_FEN
        ),
        "CNY",
        labels=2,
        total=("", words("profit"), *profits),
    )


def profit_by_day(plan: PlanTables) -> pd.Series:
    """Return the profit of each local day by its date, without amounts that belong to no step."""
    days = pd.DatetimeIndex(plan.schedule.index).strftime("%Y-%m-%d")
    return pd.Series(View(plan).earned()).groupby(np.asarray(days), sort=False).sum()


def days_section(simulation: SimulationTable, words: Language) -> Section:
    """Return the profit by policy, its part that belongs to no day, and that of each day."""
    by_policy = {name: profit_by_day(plan) for name, plan in simulation.plans.items()}
    profits = [plan.summary["objective_cny"] for plan in simulation.plans.values()]
    days = next(iter(by_policy.values())).index
    rows: list[Row] = [(words("profit"), *profits)]
    beside: Array = np.array(profits) - [float(of.sum()) for of in by_policy.values()]
    if np.abs(beside).max() > HALF_FEN:
        rows.append((words("of a month or the whole horizon"), *map(float, beside)))
    rows += [(str(day), *(float(of[day]) for of in by_policy.values())) for day in days]
    heads = (words("day"), *map(words.term, simulation.plans))
    return Section(words("Profit of each day"), heads, tuple(rows), "CNY")


def errors_section(forecasts: pd.DataFrame, words: Language) -> Section:
    """Return the errors of each forecast."""
    heads = (
        words("series"), words("unit"), words("mean of the actuals"), words("mean absolute error"),
        words("bias"), words("largest error"),
    )  # fmt: skip
    rows = (
        (
            words.path(str(row["path"])), words(measured(str(row["path"]))),
            Quantity(row["mean"]),
            Quantity(row["mean_absolute_error"]), Quantity(row["bias"], signed=True),
            Quantity(row["largest_error"]),
        )
        for row in forecast_errors(forecasts).to_dict("records")
    )  # fmt: skip
    return Section(words("Errors of the forecasts"), heads, tuple(rows), labels=2)
