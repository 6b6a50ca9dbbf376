"""Tables in long form: the schedule, the key figures of a summary, and tables of several plans.

A long table has one value a row, ready for `groupby`, `pivot` and plots; the unit of the value
stands beside it. Tables of several plans are one below the other, with a first column for the name
of the plan; the schedule, which is indexed by time, has a first level for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from planner.scenario.plain_data import flat
from planner.units import CNY, in_currency, unit

LONG_COLUMNS = ("time", "component", "quantity", "index", "value", "unit")
"""Those of the schedule in long form, and of prices and end values."""
FIGURE_COLUMNS = ("component", "figure", "value", "unit")
NOT_FIGURES = frozenset({"hours", "step_min"})
SHARED_FIGURES = ("value_cny_per_kwh", "value_by_use_cny_per_kwh", "green", "carbon")
"""The parts of a summary with figures of the whole site."""


def long_schedule(schedule: pd.DataFrame) -> pd.DataFrame:
    """Return a schedule with a row for each column and step, in the columns of `LONG_COLUMNS`."""
    names = [str(name).partition(".") for name in schedule.columns]
    parts = [(component, *rest.partition("[")) for component, _, rest in names]
    texts = {
        "component": [component for component, *_ in parts],
        "quantity": [quantity for _, quantity, *_ in parts],
        "index": [index.removesuffix("]") for *_, index in parts],
    }
    texts["unit"] = [unit(quantity) or "" for quantity in texts["quantity"]]
    steps = len(schedule)
    long: dict[str, Any] = {
        name: np.repeat(np.array(column, dtype=object), steps) for name, column in texts.items()
    }
    long["time"] = np.tile(np.arange(steps), len(parts))
    long["value"] = schedule.to_numpy(dtype=float).ravel(order="F")
    table = pd.DataFrame({name: long[name] for name in LONG_COLUMNS})
    table = table.astype(dict.fromkeys(texts, "str"))
    return table.assign(time=schedule.index.take(long["time"]))


def key_figures(summary: Mapping[str, Any]) -> pd.DataFrame:
    """Return the key figures of a summary, in the columns of `FIGURE_COLUMNS`.

    First those of the whole site, whose component is empty, by their path in the summary.
    """
    rows = [("", path, value) for path, value in _of_site(summary)]
    for component, figures in summary.get("figures", {}).items():
        rows += [(component, name, value) for name, value in figures.items()]
    currency = summary.get("currency", CNY)
    with_units = [(*row, in_currency(_unit_of(row[1]), currency)) for row in rows]
    table = pd.DataFrame(with_units, columns=list(FIGURE_COLUMNS))
    return table.astype({"component": "str", "figure": "str", "value": float, "unit": "str"})


def _of_site(summary: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    """Yield the numbers of the whole site by path; None for a figure that is not known."""
    for name, value in summary.items():
        if name in SHARED_FIGURES:
            yield from flat(value, name)
        elif name not in NOT_FIGURES:
            is_text = name in ("risk", "vat")
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if is_number or (value is None and not is_text):
                yield name, value


def _unit_of(path: str) -> str:
    """Return the unit that a part of a path ends in, the last one first; empty for a count."""
    return next(filter(None, map(unit, reversed(path.split(".")))), "")


def one_below_the_other(tables: Mapping[str, pd.DataFrame], level: str) -> pd.DataFrame:
    """Return tables of several plans as one, with the name of the plan as first column.

    Of tables indexed by time the name becomes the first level of the index.
    """
    if any(table.index.name is not None for table in tables.values()):
        return pd.concat(dict(tables), names=[level])
    named = [
        pd.DataFrame({level: pd.Series(name, table.index, dtype="str")}).join(table)
        for name, table in tables.items()
    ]
    return pd.concat(named, ignore_index=True)
