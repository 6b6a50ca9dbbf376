"""What meters show of each component by step: the first rows of day sheets, a table of the page.

The names are those that are accepted wherever a schedule is read (`solver/meter_totals.py`). The
exchange with the public grid comes first, then units and batteries, then what else has a sum over
the origins of its energy, such as the draw of a fleet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from planner.components.component import ORIGINS, POOLED
from planner.language.language import Language
from planner.language.section import Quantity
from planner.local_time import clock_texts
from planner.plan_tables.tables import PlanTables, clean
from planner.report.declaration import declaration
from planner.report.plan_sections import quantity_label
from planner.solver.meter_totals import schedule_sums
from planner.timeseries.series import Array
from planner.units import unit

DECIMALS = 3  # of MW and MWh


@dataclass(frozen=True, eq=False)
class NetRow:
    """A quantity that meters show: its name, its label without the unit, a value a step."""

    name: str
    label: str
    values: Array


def net_rows(plan: PlanTables, words: Language) -> list[NetRow]:
    """Return the net rows of a plan, those of grids first; what a grid declares precedes them."""
    components, columns = plan.scenario.components, [*map(str, plan.schedule.columns)]
    sums, rows = schedule_sums(columns, components), [*_declared(plan, words)]
    order = sorted(
        components,
        key=lambda name: (not components[name].connection(), not components[name].totals()),
    )
    for name in order:
        totals = [f"{name}.{total}" for total in components[name].totals()]
        within = {column for total in totals if total in sums for column in sums[total].factors}
        by_origin = [
            _bare(column) for column in columns if _is_of(column, name) and column not in within
        ]
        for total in dict.fromkeys((*totals, *by_origin)):
            if total in sums:
                values = sums[total].of(plan.schedule).to_numpy(dtype=float)
                label = f"{plan.titled(name)}{words(': ')}{_quantity_text(total, words)}"
                rows.append(NetRow(total, label, clean(values, 9)))
    return rows


def net_table(plan: PlanTables, words: Language, most: int) -> pd.DataFrame:
    """Return the first `most` steps of the net rows as a table with a row a step, to the kW."""
    times = clock_texts(pd.DatetimeIndex(plan.schedule.index)[:most], "%Y-%m-%d %H:%M")
    columns = {
        f"{row.label} [{words(unit(row.name) or '')}]": [
            Quantity(value, "", DECIMALS) for value in row.values[:most].tolist()
        ]
        for row in net_rows(plan, words)
    }
    return pd.DataFrame({words("time"): times, **columns})


def _declared(plan: PlanTables, words: Language) -> Iterator[NetRow]:
    for column, exchange_mw in declaration(plan).items():
        name = str(column).removesuffix(".exchange_mw")
        if f"{name}.declared_import_mw" in plan.schedule:
            label = words(
                "{name}: exchange declared day ahead, import positive", name=plan.titled(name)
            )
            yield NetRow(f"{name}.declared_exchange_mw", label, exchange_mw.to_numpy())


def _is_of(column: str, name: str) -> bool:
    """Return whether a column is a quantity of a component by the origin of its energy."""
    origin = column.removesuffix("]").partition("[")[2]
    return column.startswith(f"{name}.") and origin in (*ORIGINS, *POOLED)


def _bare(column: str) -> str:
    return column.partition("[")[0]


def _quantity_text(total: str, words: Language) -> str:
    quantity = total.partition(".")[2]
    signs = {
        "power_mw": words("net power, discharge positive"),
        "exchange_mw": words("exchange, import positive"),
        "net_mw": words("net power"),
    }
    return signs.get(quantity) or quantity_label(quantity, words)
