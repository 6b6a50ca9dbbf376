"""The differences between two plans: inputs, money, figures and hours.

Amounts are equal that differ by less than half a fen, and quantities that differ by less than 1e-6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import as_written
from planner.fields import NOTHING
from planner.message import Message
from planner.plan_tables.folder import read_tables
from planner.plan_tables.stochastic import require_single
from planner.plan_tables.tables import PlanTables
from planner.report.cautions import TWO_CURRENCIES, cautions_of
from planner.scenario.plain_data import flat, plain_scenario
from planner.units import CNY

FEN = 0.005
OUTSIDE = (
    "versions", "runtimes_s", "solving", "components", "name", "description", "status",
    "kinds_from", "ledger_cny", "replanned",
)  # fmt: skip
"""Parts of a summary that are not figures of the plan; the ledger has a table of its own."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """The differences between two plans, A and B; every difference is B - A.

    a, b: names or folders; of a case a message.
    inputs: path, a, b (texts or messages; empty where a side has no such field).
    money: component, line, a, b, difference_cny; the largest difference first.
    figures: figure, a, b, difference.
    hours: time, a, b, difference_cny (profit of the hour), moved_cny (the sum of the absolute
        differences of its lines), columns (number of schedule columns that differ); the largest
        moved_cny first.
    columns: column, steps (how many differ), moved (their mean absolute difference), time, a, b
        (where it differs most); the largest difference relative to the column's size first.
    notes: what cannot be compared.
    cautions: what is said first: two currencies, a side that fails its audit or is of an earlier
        run.
    hours_unknown: whether there are no schedules, or no steps of both, to compare.
    bound_a_cny, bound_b_cny: upper bounds of the profits; NaN where unknown.
    factors: the inputs of cases that are factors on the value of the base scenario.
    currency: of both plans; both codes, as CNY|EUR, where they differ.
    """

    a: str
    b: str
    profit_a_cny: float
    profit_b_cny: float
    inputs: pd.DataFrame
    money: pd.DataFrame
    figures: pd.DataFrame
    hours: pd.DataFrame
    columns: pd.DataFrame
    notes: tuple[Message, ...] = ()
    cautions: tuple[Message, ...] = ()
    hours_unknown: bool = False
    bound_a_cny: float = float("nan")
    bound_b_cny: float = float("nan")
    factors: frozenset[str] = frozenset()
    currency: str = CNY

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        tables = (self.inputs, self.money, self.figures, self.hours, self.columns)
        return all(table.empty for table in tables) and not self.notes

    @property
    def change_cny(self) -> float:
        """The profit of B less that of A."""
        return self.profit_b_cny - self.profit_a_cny

    @property
    def open_cny(self) -> float | None:
        """The sum of both gaps between profit and bound; None where a bound is unknown."""
        open_cny = max(self.bound_a_cny - self.profit_a_cny, 0.0) + max(
            self.bound_b_cny - self.profit_b_cny, 0.0
        )
        return None if np.isnan(open_cny) else open_cny

    @property
    def proven(self) -> bool:
        """Whether the difference in profit exceeds the gaps."""
        return self.open_cny is not None and abs(self.change_cny) >= self.open_cny


def compare(
    a: PlanTables | str | Path, b: PlanTables | str | Path, *, unaudited: bool = False
) -> Comparison:
    """Compare two plans, each a plan or a plan folder.

    Args:
        a: a plan or a folder.
        b: the same.
        unaudited: compare a folder that fails its audit too, and say so first.

    Raises:
        PlanError: a folder is no plan folder, cannot be read, or fails its audit; or a plan is of
            several members.
    """
    one, two = (plan if isinstance(plan, PlanTables) else read_tables(plan) for plan in (a, b))
    for plan in (one, two):
        require_single(plan, plan.title)
    folders = [Path(plan) for plan in (a, b) if not isinstance(plan, PlanTables)]
    currencies = dict.fromkeys(plan.scenario.currency for plan in (one, two))
    cautions = [] if len(currencies) == 1 else [TWO_CURRENCIES]
    cautions += [text for folder in folders for text in cautions_of(folder, unaudited=unaudited)]
    two = _by_the_clock_of(one, two)
    times = pd.DatetimeIndex(one.schedule.index.intersection(two.schedule.index))
    single = len(one.schedule) + len(two.schedule) - 2 * len(times)
    note = Message(
        "{steps} steps are in only one of the two schedules; hours leave them out", steps=single
    )
    if times.empty:
        note = Message("the two schedules have no step in common: hours are not compared")
    return Comparison(
        a=one.summary["name"] if isinstance(a, PlanTables) else str(a),
        b=two.summary["name"] if isinstance(b, PlanTables) else str(b),
        profit_a_cny=float(one.summary["objective_cny"]),
        profit_b_cny=float(two.summary["objective_cny"]),
        inputs=_inputs(plain_scenario(one.scenario), plain_scenario(two.scenario)),
        money=money_table(one.ledger, two.ledger),
        figures=figure_table(_summary_figures(one.summary), _summary_figures(two.summary)),
        hours=_hours(one, two, times),
        columns=_columns(one, two, times),
        notes=(note,) if single else (),
        cautions=tuple(dict.fromkeys(cautions)),
        hours_unknown=times.empty,
        bound_a_cny=_bound(one.summary),
        bound_b_cny=_bound(two.summary),
        currency="|".join(currencies),
    )


def _by_the_clock_of(one: PlanTables, two: PlanTables) -> PlanTables:
    """Return the second plan with the local times of the first: equal times are equal texts."""
    zone = one.scenario.horizon.zone
    if two.scenario.horizon.zone == zone:
        return two
    periods = two.ledger["period"]
    local = {
        period: pd.Timestamp(period).tz_convert(zone).isoformat() if "T" in period else period
        for period in periods.unique()
    }
    ledger = two.ledger.assign(period=periods.map(local))
    return replace(two, schedule=two.schedule.tz_convert(zone), ledger=ledger)


def _bound(summary: Mapping[str, Any]) -> float:
    """Return the upper bound of the profit; NaN where a given schedule has none."""
    bound = summary["bound_cny"]
    return float("nan") if bound is None else float(bound)


def _inputs(a: Mapping[str, Any], b: Mapping[str, Any]) -> pd.DataFrame:
    rows = [(path, _value(x, y), _value(y, x)) for path, x, y in _differing(a, b, "")]
    return pd.DataFrame(rows, columns=["path", "a", "b"], dtype=object)


ABSENT = object()


def _differing(a: Any, b: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the paths whose values differ, as deep as both sides reach."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in [*a, *(key for key in b if key not in a)]:
            below = f"{path}.{key}" if path else str(key)
            yield from _differing(a.get(key, ABSENT), b.get(key, ABSENT), below)
    elif _alike(a, b):
        for position, (x, y) in enumerate(zip(a, b, strict=True)):
            yield from _differing(x, y, f"{path}[{position}]")
    elif (one := _named(a)) is not None and (two := _named(b)) is not None:
        for name in [*one, *(name for name in two if name not in one)]:
            yield from _differing(one.get(name, ABSENT), two.get(name, ABSENT), f"{path}[{name}]")
        if [name for name in one if name in two] != [name for name in two if name in one]:
            yield path, a, b
    elif a is ABSENT or b is ABSENT or a != b:
        yield path, a, b


def _alike(a: Any, b: Any) -> bool:
    """Whether two values are lists whose entries are compared by their place."""
    if not (isinstance(a, list) and isinstance(b, list) and len(a) == len(b)) or _is_series(a):
        return False
    one, two = _named(a), _named(b)
    return one is None or two is None or [*one] == [*two]


def _named(value: Any) -> dict[str, Any] | None:
    """Return the entries of a list by their names; None where one has no name of its own."""
    if not isinstance(value, list):
        return None
    names = [str(item["name"]) for item in value if isinstance(item, Mapping) and "name" in item]
    return dict(zip(names, value, strict=True)) if len(set(names)) == len(value) else None


def _is_series(value: Any) -> bool:
    return (
        isinstance(value, list) and bool(value) and all(isinstance(x, int | float) for x in value)
    )


def _value(value: Any, other: Any) -> str:
    """Return a value as text; a series by its mean and the steps that differ from the other's."""
    if value is ABSENT:
        return ""
    if _is_series(value):
        figures: dict[str, Any] = {"values": len(value), "mean": np.mean(value)}
        if not _is_series(other) or len(other) != len(value):
            return Message("{values} values, mean {mean:.6g}", **figures)
        off = sum(x != y for x, y in zip(value, other, strict=True))
        return Message("{values} values, mean {mean:.6g}, {off} differ", off=off, **figures)
    if isinstance(value, Mapping) and "kind" in value:
        return Message("a {kind}", kind=value["kind"])
    if isinstance(value, Mapping) and "name" in value:
        fields = ((name, item) for name, item in value.items() if name != "name")
        return ", ".join(f"{name} {_value(item, ABSENT)}" for name, item in fields)
    if isinstance(value, list):
        if names := _named(value):
            return ", ".join(names)
        return Message("a list of {values}", values=len(value))
    return as_written(value).removesuffix(".0") if isinstance(value, float) else as_written(value)


def money_table(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Return the ledger lines that differ, the most money first."""
    table = _side_by_side(a, b, ["component", "line"])
    table["difference_cny"] = table["b"] - table["a"]
    table = table[table["difference_cny"].abs() >= FEN].reset_index()
    order = table["difference_cny"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _side_by_side(a: pd.DataFrame, b: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the sums of two ledgers by `keys`, columns a and b; 0 where a side has no line."""
    sums = [ledger.groupby(keys, sort=False)["amount_cny"].sum() for ledger in (a, b)]
    return pd.concat({"a": sums[0], "b": sums[1]}, axis=1).fillna(0.0)


def figure_table(a: Mapping[str, float | None], b: Mapping[str, float | None]) -> pd.DataFrame:
    """Return the figures that differ or that one side lacks, by path."""
    names = list(dict.fromkeys([*a, *b]))
    table = pd.DataFrame({"a": map(a.get, names), "b": map(b.get, names)}, index=names, dtype=float)
    table["difference"] = table["b"] - table["a"]
    small = [FEN if name.endswith("_cny") else NOTHING for name in names]
    equal = (table["difference"].abs() <= small) | table.isna().all(axis=1)
    return table[~equal].rename_axis("figure").reset_index()


def _summary_figures(summary: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the figures of a plan by path; those of the ledger have a table of their own."""
    return {
        path: value
        for path, value in flat(summary)
        if path.partition(".")[0] not in OUTSIDE and path not in ("hours", "step_min")
    }


def _hours(a: PlanTables, b: PlanTables, times: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the steps whose ledger lines or schedules differ, most money moved first."""
    both = _side_by_side(a.ledger, b.ledger, ["period", "component", "line"])
    both["moved_cny"] = (both["b"] - both["a"]).abs()
    periods = [time.isoformat() for time in times]
    table = both.groupby(level="period").sum().reindex(periods, fill_value=0.0)
    columns = a.schedule.columns.intersection(b.schedule.columns)
    apart = (b.schedule.loc[times, columns] - a.schedule.loc[times, columns]).abs() > NOTHING
    table = table.assign(
        time=times, difference_cny=table["b"] - table["a"], columns=apart.sum(axis=1).to_numpy()
    )
    table = table[(table["moved_cny"] >= FEN) | (table["columns"] > 0)]
    table = table.sort_values(["moved_cny", "columns"], ascending=False, kind="stable")
    names = ["time", "a", "b", "difference_cny", "moved_cny", "columns"]
    return table[names].reset_index(drop=True)


def _columns(a: PlanTables, b: PlanTables, times: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the schedule columns that differ; a column that one side lacks counts as zero."""
    names = [*a.schedule.columns, *b.schedule.columns.difference(a.schedule.columns, sort=False)]
    x, y = (
        plan.schedule.reindex(index=times, columns=names, fill_value=0.0).astype(float)
        for plan in (a, b)
    )
    off = (y - x).abs()
    off = off.loc[:, off.max() > NOTHING]
    most = off.idxmax()
    table = pd.DataFrame(
        {
            "column": off.columns,
            "steps": (off > NOTHING).sum().to_numpy(),
            "moved": off.mean().to_numpy(),
            "time": most.to_numpy(),
            "a": [x.at[time, name] for name, time in most.items()],
            "b": [y.at[time, name] for name, time in most.items()],
            "share": (off.max() / np.maximum(x.abs().max(), y.abs().max())[off.columns]).to_numpy(),
        }
    )
    table = table.sort_values(["share", "moved"], ascending=False, kind="stable")
    return table.drop(columns="share").reset_index(drop=True)
