"""What a plan comes to, in sections; terminal, page, notebook and workbook render them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pandas as pd

from planner.language.language import Language
from planner.language.section import SHARE, Quantity, Row, Section
from planner.plan_tables.tables import PlanTables
from planner.units import unit

ONCE = "once"
Amounts = dict[str, dict[str, float]]  # by component and line


def status_text(status: str, words: Language) -> str:
    """Return how a solve ended, in words."""
    if status == "relaxed":
        return words("LP relaxation: a bound, not a schedule that can be run")
    if status == "settled":
        return words("settled as given")
    return words.term(status)


def outcome(plan: PlanTables, words: Language) -> Section:
    """Return status, proof and profit."""
    summary = plan.summary
    return _facts(
        words("Result"),
        (words("status"), status_text(summary["status"], words)),
        (words("proven gap, of turnover"), Quantity(summary["gap"], SHARE, 4)),
        (words("profit"), Quantity(summary["objective_cny"], "CNY")),
        (words("profit, at most"), Quantity(summary["bound_cny"], "CNY")),
    )


def accounts(plan: PlanTables, words: Language) -> Section:
    """Return what the profit consists of, and the conventions of all amounts."""
    summary = plan.summary
    start = pd.Timestamp(summary["start"])
    offset = f"{start:%z}"
    outside = words("cash after costs outside the plan's reach")
    after = (outside, Quantity(summary["net_after_outside_cny"], "CNY"))
    vat = words("included") if summary["vat"] == "included" else words.term(summary["vat"])
    return _facts(
        "",
        (words("of it cash"), Quantity(summary["cash_profit_cny"], "CNY")),
        (words("of it penalties, no cash"), Quantity(summary["non_cash_cny"], "CNY")),
        *([after] if summary["outside_objective_cny"] else []),
        (words("turnover"), Quantity(summary["turnover_cny"], "CNY")),
        (words("value added tax in prices"), vat),
        (words("start, local time {offset}", offset=f"{offset[:3]}:{offset[3:]}"), start),
        (words("length"), Quantity(summary["hours"], "h")),
        (words("length of a step"), Quantity(summary["step_min"], "min", 0)),
    )


def worth(plan: PlanTables, words: Language) -> Section:
    """Return what a kWh earns by its use."""
    by_use, uplift = plan.summary["value_by_use_cny_per_kwh"], plan.summary["uplift"]
    return _facts(
        words("What a kWh earns"),
        (words("a kWh in compute earns, gross"), _rate(by_use["compute"])),
        (words("a kWh sold to the grid earns"), _rate(by_use["export"])),
        (words("the compute kWh would earn on the grid"), _rate(by_use["compute_at_sale_price"])),
        (words("uplift of compute over grid sale"), Quantity(uplift, words("times"), 1)),
    )


def energy(plan: PlanTables, words: Language) -> Section:
    """Return MWh by origin and use."""
    by_origin: dict[str, dict[str, float]] = plan.summary["allocation_mwh"]
    uses = list(plan.uses)
    totals = [sum(by_use.get(use, 0.0) for by_use in by_origin.values()) for use in uses]
    return Section(
        words("Where the energy went"),
        (words("origin"), *map(words.term, uses), words("total")),
        tuple(
            (words.term(origin), *map(by_use.get, uses), sum(by_use.values()))
            for origin, by_use in by_origin.items()
        ),
        "MWh",
        total=(words("total"), *totals, sum(totals)),
        across=True,
    )


def earned(plan: PlanTables, words: Language) -> Section:
    """Return what a kWh earned by origin and use, in the columns of `energy`."""
    by_origin, uses = plan.summary["value_cny_per_kwh"], list(plan.uses)
    return Section(
        words("What a kWh earned"),
        (words("origin"), *map(words.term, uses), ""),
        tuple(
            (
                words.term(origin),
                *(Quantity(by_use[use], "", 3) if use in by_use else None for use in uses),
                None,
            )
            for origin, by_use in by_origin.items()
        )
        if any(by_origin.values())
        else (),
        "CNY/kWh",
    )


def ledger(plan: PlanTables, words: Language, least_cny: float = 0.0) -> Section:
    """Return the profit by line; costs outside the objective stand below it.

    Lines of less than `least_cny` are left out of the rows, not of their sum.
    """

    def rows(by_component: Amounts, label: Callable[[str], str]) -> tuple[Row, ...]:
        return tuple(
            (component, label(line), amount)
            for component, by_line in by_component.items()
            for line, amount in by_line.items()
            if abs(amount) >= least_cny
        )

    def outside(line: str) -> str:
        return words("{line} (outside the plan)", line=words.term(line))

    lines = rows(plan.summary["ledger_cny"], words.term)
    profit = sum(
        amount for by_line in plan.summary["ledger_cny"].values() for amount in by_line.values()
    )
    return Section(
        words("Profit by line"),
        (words("component"), words("line"), words("amount")),
        lines,
        "CNY",
        labels=2,
        total=("", words("profit"), profit) if lines else None,
        after=rows(plan.summary["outside_objective_cny"], outside),
    )


def figures(plan: PlanTables, words: Language) -> Section:
    """Return the key figures by component."""
    rows = (
        (component, *_figure(name, value, words))
        for component, by_name in plan.summary["figures"].items()
        for name, value in by_name.items()
    )
    return Section(words("Key figures"), (), tuple(rows), labels=2)


def green(plan: PlanTables, words: Language) -> Section:
    """Return shares of renewable energy and what each divides by what."""
    texts = {
        "self_use_share": words("own use / available"),
        "load_share": words("renewable drawn / drawn by load and compute"),
        "official_load_share": words("own use / drawn (official formula)"),
        "export_share": words("exported / available"),
        "curtailed_share": words("curtailed / available"),
    }
    shares = plan.summary["green"]
    rows = [(texts[name], Quantity(share, SHARE)) for name, share in shares.items()]
    known = any(share is not None for share in shares.values())
    return _facts(words("Renewable energy"), *(rows if known else ()))


def carbon(plan: PlanTables, words: Language) -> Section:
    """Return emission and its factors."""
    rows = (
        _figure(name, value, words)
        for name, value in plan.summary["carbon"].items()
        if isinstance(value, int | float)
    )
    return _facts(words("Carbon"), *rows)


def scarce(plan: PlanTables, words: Language) -> Section:
    """Return the costliest penalties by step, which say what was scarce."""
    heads = (words("component"), words("line"), words("cost"), words("time"))
    rows = (
        (row["component"], words.term(row["line"]), row["cost_cny"], pd.Timestamp(row["time"]))
        for row in plan.summary["worst_hours"]
    )
    return Section(words("What was scarce, at worst"), heads, tuple(rows), "CNY", labels=2)


def prices(plan: PlanTables, words: Language) -> tuple[Section, Section]:
    """Return prices of amounts, and what one more unit of a limit would earn, over the horizon."""
    rates, limits = [], []
    keys = ["component", "quantity", "index", "unit"]
    table = plan.prices
    assert table is not None
    by_step = table[~table["index"].str.endswith(ONCE)]
    for (component, quantity, index, per), by_time in by_step.groupby(keys, sort=False):
        steps = by_time.loc[by_time["time"].notna(), "value"]
        total = float(by_time.loc[by_time["time"].isna(), "value"].iloc[0])
        name = f"{quantity}[{index}]" if index else f"{quantity}"
        ends = (float(steps.min()), float(steps.max())) if len(steps) else (None, None)
        name = name if words.code == "en" else words.term(name)  # in English the field's own
        row: Row = (str(component), name, *_in_line((total, *ends)), words(str(per)))
        if "_cny_per_" in str(quantity):
            rates.append(row)
        elif total or steps.any():
            limits.append(row)
    cny = words("CNY")
    worth = words("What a MWh is worth and a Mtok costs [{money}]", money=cny)
    more = words("What one more unit would earn [{money}]", money=cny)
    tables = ((worth, words("mean"), rates), (more, words("horizon"), limits))
    first, second = (
        Section(
            title,
            ("", words("quantity"), over, words("lowest step"), words("highest step"),
             words("unit")),
            tuple(rows),
            labels=2,
        )
        for title, over, rows in tables
    )  # fmt: skip
    return first, second


def quantity_label(name: str, words: Language) -> str:
    """Return the label of a column or figure without its unit, which has a place of its own."""
    return words.label(name).rpartition(" [")[0] if unit(name) else words.label(name)


def _in_line(values: tuple[float | None, ...]) -> Iterator[Quantity]:
    """Yield amounts of money with cents, or with as many decimals as show three digits of one."""
    largest = max((abs(value) for value in values if value), default=1.0)
    decimals = min(max(2, 2 - math.floor(math.log10(largest))), 6)
    return (Quantity(value, "", decimals) for value in values)


def _facts(title: str, *rows: Row) -> Section:
    return Section(title, (), rows)


def _figure(name: str, value: float, words: Language) -> Row:
    """Return label and amount of a figure, whose name ends in its unit."""
    measured = unit(name) or ""
    label = words.term(name) if name.endswith("_share") else quantity_label(name, words)
    return label, Quantity(value, measured)


def _rate(value: float | None) -> Quantity:
    return Quantity(value, "CNY/kWh", 3)
