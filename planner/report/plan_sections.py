"""The results of a plan as sections, which terminal, page, notebook and workbook render."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pandas as pd

from planner.components.component import ORIGINS
from planner.components.reasons import EARNS_THE_SAME
from planner.components.registry import limits_reached
from planner.language.language import Language
from planner.language.section import SHARE, Quantity, Row, Section
from planner.plan_tables.summary import SOURCES
from planner.plan_tables.tables import FIRST, PlanTables, by_part
from planner.report.plan_texts import clock_name, local_start
from planner.units import unit

Amounts = dict[str, dict[str, float]]  # by component and line


def status_text(status: str, words: Language) -> str:
    """Return the status of a solve as text."""
    texts = {
        "relaxed": words("LP relaxation: a bound, not a schedule that can be run"),
        "settled": words("settled as given"),
    }
    return texts.get(status) or words.term(status)


def vat_text(vat: str, words: Language) -> str:
    """Return whether prices and amounts include value added tax, as a sentence."""
    return words(
        "All prices and amounts include VAT."
        if vat == "included"
        else "All prices and amounts are without VAT."
    )


def paragraph(words: Language, *sentences: str) -> str:
    """Return sentences one after the other, without those that are empty."""
    return ("" if words.code == "zh" else " ").join(filter(None, sentences))


def line_label(line: str, words: Language) -> str:
    """Return a ledger line for people: export[renewable] is export from renewable."""
    bare, _, index = line.removesuffix("]").partition("[")
    if index not in ORIGINS:
        return words.term(line)
    return words("{line} from {origin}", line=words.term(bare), origin=words.term(index))


def outcome(plan: PlanTables, words: Language) -> Section:
    """Return status, proof and profit."""
    summary = plan.summary
    return _facts(
        words("Result"),
        (words("status"), status_text(summary["status"], words)),
        (words("proven gap, share of turnover"), Quantity(summary["gap"], SHARE, 4)),
        (
            words("proven gap, share of profit")
            if summary["objective_cny"] >= 0
            else words("proven gap, share of loss"),
            Quantity(summary.get("gap_of_profit"), SHARE, 4),
        ),
        (words("profit"), Quantity(summary["objective_cny"], "CNY")),
        (words("upper bound of the profit"), Quantity(summary["bound_cny"], "CNY")),
    )


def accounts(plan: PlanTables, words: Language) -> Section:
    """Return the parts of the profit, and the conventions of all amounts."""
    summary = plan.summary
    start = local_start(summary)
    outside = words("cash after amortisation, levelized and fixed costs")
    after = (outside, Quantity(summary["net_after_outside_cny"], "CNY"))
    return _facts(
        "",
        (words("of which cash"), Quantity(summary["cash_profit_cny"], "CNY")),
        (words("of which not cash (penalties, end values)"),
         Quantity(summary["non_cash_cny"], "CNY")),
        *([after] if summary["outside_objective_cny"] else []),
        (words("turnover"), Quantity(summary["turnover_cny"], "CNY")),
        (words("value added tax in prices"), words.term(summary["vat"])),
        (words("start, local time {offset}", offset=clock_name(summary)), start),
        (words("horizon"), Quantity(summary["hours"], "h")),
        (words("length of a step"), Quantity(summary["step_min"], "min", 0)),
    )  # fmt: skip


def worth(plan: PlanTables, words: Language) -> Section:
    """Return the income of a kWh in compute and on the grid."""
    by_use, uplift = plan.summary["value_by_use_cny_per_kwh"], plan.summary["uplift"]
    return _facts(
        words("What a kWh earns"),
        (words("in compute (gross)"), _rate(by_use["compute"])),
        (words("the same kWh sold to the grid"), _rate(by_use["compute_at_sale_price"])),
        (words("average of grid sale"), _rate(by_use["export"])),
        (words("compute over grid sale"), Quantity(uplift, words("times"), 1)),
    )


def energy(plan: PlanTables, words: Language) -> Section:
    """Return the allocated energy by origin and use."""
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
    """Return the income of a kWh by origin and use, as far as uses earn."""
    by_origin: dict[str, dict[str, float]] = plan.summary["value_cny_per_kwh"]
    uses = [use for use in plan.uses if any(use in by_use for by_use in by_origin.values())]
    return Section(
        words("What a kWh earned"),
        (words("origin"), *map(words.term, uses)),
        tuple(
            (words.term(origin), *(Quantity(by_use.get(use), "", 3) for use in uses))
            for origin, by_use in by_origin.items()
            if by_use
        ),
        "CNY/kWh",
    )


def ledger(plan: PlanTables, words: Language, least_cny: float = 0.0) -> Section:
    """Return the profit by ledger line, and below it the costs outside the objective.

    Lines below `least_cny` are left out of the rows, not of their sum.
    """

    def rows(by_component: Amounts, label: Callable[[str, Language], str]) -> tuple[Row, ...]:
        return tuple(
            (plan.titled(component), label(line, words), amount)
            for component, by_line in by_component.items()
            for line, amount in by_line.items()
            if abs(amount) >= least_cny
        )

    def outside(line: str, words: Language) -> str:
        return words("{line} (outside the plan)", line=line_label(line, words))

    amounts: Amounts = plan.summary["ledger_cny"]
    lines = rows(amounts, line_label)
    profit = sum(amount for by_line in amounts.values() for amount in by_line.values())
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
        (plan.titled(component), *_figure(name, value, words))
        for component, by_name in plan.summary["figures"].items()
        for name, value in by_name.items()
    )
    return Section(words("Key figures"), (), tuple(rows), labels=2)


def sources(plan: PlanTables, words: Language) -> Section:
    """Return the published figures that the plan rests on, with their licences."""
    rows = (
        (name, source.get("title", words("not known")), source.get("licence", words("not known")))
        for name, source in plan.summary.get(SOURCES, {}).items()
    )
    heads = (words("measured curve"), words("source"), words("licence"))
    return Section(words("Where measured figures are from"), heads, tuple(rows), labels=3)


def green(plan: PlanTables, words: Language) -> Section:
    """Return the shares of renewable energy, each named by its fraction, with its range if known.

    The range is that of all attributions of the same meter values that earn the same.
    """
    texts = {
        "self_use_share": words("own use / available"),
        "load_share": words("renewable drawn / drawn by load and compute"),
        "official_load_share": words("own use / drawn (official formula)"),
        "export_share": words("exported / available"),
        "curtailed_share": words("curtailed / available"),
    }
    ranged = "least" in plan.summary["green"]
    rows: list[Row] = [
        (texts[name], *(Quantity(end, SHARE) for end in (ends if ranged else ends[:1])))
        for name, ends in share_ranges(plan).items()
    ]
    heads = ("", words("share"), words("least"), words("most")) if ranged else ()
    return Section(words("Renewable energy"), heads, tuple(rows))


def share_ranges(plan: PlanTables) -> dict[str, tuple[float, float, float]]:
    """Return each known share of renewable energy, its least and its most."""
    green = plan.summary["green"]
    return {  # what meters fix has no range
        name: (share, *(green.get(end, {}).get(name, share) for end in ("least", "most")))
        for name, share in green.items()
        if name.endswith("_share") and share is not None
    }


def carbon(plan: PlanTables, words: Language) -> Section:
    """Return emissions and emission factors."""
    rows = (
        _figure(name, value, words)
        for name, value in plan.summary["carbon"].items()
        if isinstance(value, int | float)
    )
    return _facts(words("Carbon"), *rows)


def scarce(plan: PlanTables, words: Language) -> Section:
    """Return the costliest penalties by step: what was scarce."""
    heads = (words("component"), words("line"), words("penalty"), words("time"))
    rows = (
        (
            plan.titled(row["component"]),
            line_label(row["line"], words),
            row["cost_cny"],
            pd.Timestamp(row["time"]).tz_convert(plan.scenario.horizon.zone),
        )
        for row in plan.summary["worst_hours"]
    )
    return Section(words("What was scarce"), heads, tuple(rows), "CNY", labels=2)


def binding(plan: PlanTables, words: Language) -> Section:
    """Return the limits that were reached and have a price, with the hours in which they bind."""
    heads = (words("component"), words("limit with a price"), words("in force for"))
    rows = tuple(
        (plan.titled(name), words.term(code), Quantity(hours, "h", 2))
        for (name, code), hours in binding_hours(plan).items()
    )
    return Section(words("Limits that bind"), heads, rows, labels=2)


def binding_hours(plan: PlanTables) -> dict[tuple[str, str], float]:
    """Return the hours in which limits bind, by component and code, those of most hours first.

    A limit that is merely reached, where one more unit would earn the same, is not among them; nor
    is one that another rule explains.
    """
    hours: dict[tuple[str, str], float] = {}
    why, limits = plan.reasons, limits_reached()
    for name, code, reason in zip(why["component"], why["code"], why["reason"], strict=True):
        free = reason.endswith(EARNS_THE_SAME) or "; also " in reason
        if code in limits and not free:
            hours[name, code] = hours.get((name, code), 0.0) + plan.scenario.horizon.step_h
    return dict(sorted(hours.items(), key=lambda item: -item[1]))


def prices(plan: PlanTables, words: Language) -> tuple[Section, Section]:
    """Return the marginal values over the horizon: of energy and tokens, and of limits.

    Where the worth of a first unit is known, it stands beside the value at the plan's decisions.
    """
    rates, limits = [], []
    keys = ["component", "quantity", "index", "unit"]
    assert plan.prices is not None
    table = by_part(plan.prices)
    decided_anew = (table["part"] == FIRST).any()
    for (component, quantity, index, per), rows in table.groupby(keys, sort=False):
        steps = rows.loc[rows["time"].notna(), "value"]
        total, first = (
            rows.loc[rows["time"].isna() & (rows["part"] == part), "value"] for part in ("", FIRST)
        )
        name = f"{quantity}[{index}]" if index else f"{quantity}"
        name = name if words.code == "en" else words.term(name)  # in English the field's own
        ends = (float(steps.min()), float(steps.max())) if len(steps) else (None, None)
        over, anew = (float(part.iloc[0]) if len(part) else None for part in (total, first))
        values = (over, *ends, anew) if decided_anew else (over, *ends)
        row: Row = (plan.titled(str(component)), name, *_aligned(values), words(str(per)))
        if "_cny_per_" in str(quantity):
            rates.append((*row[:5], row[-1]))
        elif over or anew or steps.any():
            limits.append(row)

    def section(title: str, over: str, rows: list[Row], *more: str) -> Section:
        steps = words("lowest step"), words("highest step")
        heads = ("", words("quantity"), over, *steps, *more, words("unit"))
        return Section(title, heads, tuple(rows), labels=2)

    first_heads = [words("first unit, decided anew")] if decided_anew else []
    return (
        section(words("Value of a MWh and cost of a Mtok"), words("mean"), rates),
        section(words("Value of one more unit"), words("horizon"), limits, *first_heads),
    )


def quantity_label(name: str, words: Language) -> str:
    """Return the label of a quantity or figure without its unit."""
    return without_unit(words.label(name), name)


def column_label(column: str, plan: PlanTables, words: Language) -> str:
    """Return the label of a schedule column with its unit, by the title of its component."""
    name, _, quantity = column.partition(".")
    title = plan.titled(name)
    return words.label(column) if title == name else f"{title} {words.label(quantity)}"


def without_unit(label: str, name: str) -> str:
    """Return the label of a name without its unit."""
    return label.rpartition(" [")[0] if unit(name) else label


def _aligned(values: tuple[float | None, ...]) -> Iterator[Quantity]:
    """Yield amounts of money with cents, or with the decimals that show three digits."""
    largest = max((abs(value) for value in values if value), default=1.0)
    decimals = min(max(2, 2 - math.floor(math.log10(largest))), 6)
    return (Quantity(value, "", decimals) for value in values)


def _facts(title: str, *rows: Row) -> Section:
    return Section(title, (), rows)


def _figure(name: str, value: float, words: Language) -> Row:
    """Return the label and the amount of a figure, whose name ends in its unit."""
    own = words.known(f"figures.{name}")  # as figures.starts: `starts` is also a code of reasons
    plain = words.term(name) if name.endswith("_share") else quantity_label(name, words)
    if name == "cycles":  # beside cycles_per_day
        own = words("cycles in all")
    return own or plain, Quantity(value, unit(name) or "")


def _rate(value: float | None) -> Quantity:
    return Quantity(value, "CNY/kWh", 3)
