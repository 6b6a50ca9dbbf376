"""Two plans, or two cases of a sweep, side by side: inputs, money, figures and hours that differ.

Amounts that differ by less than half a fen, and quantities by less than 1e-6, are the same.
Of two cases the table of cases says what differs in axes, ledger lines and figures; hours are in
plan folders, which a sweep keeps with `plans: all`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import Problem, ScenarioError, shown
from planner.plan_tables.folder import plain_scenario, read_tables
from planner.plan_tables.tables import PlanTables
from planner.sweeps.analysis.case_table import SOLVED
from planner.sweeps.analysis.condition import flat
from planner.sweeps.design import value_text
from planner.sweeps.result import read_cases

FEN = 0.005
TINY = 1e-6
LEDGER = "ledger_cny."
OUTSIDE = ("versions", "runtimes_s", "solving", "components", "name", "description", "status")
"""Parts of a summary that are no figures of the plan; the ledger has a table of its own."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """What differs between two plans, A and B; every difference is B - A.

    inputs: path, a, b (words; empty where a side has no such field).
    money: component, line, a, b, difference_cny; the largest difference first.
    figures: figure, a, b, difference.
    hours: time, a, b, difference_cny (profit of the hour), moved_cny (the sum of what its lines
        differ by), columns (those of the schedule that differ); the most moved first.
    columns: column, steps (how many differ), moved (their mean absolute difference), time, a, b
        (where it differs most); the largest difference relative to the column's size first.
    notes: what cannot be compared, in words.
    hours_unknown: the two sides have no schedules to compare.
    bound_a_cny, bound_b_cny: what no plan of the side can earn more than; NaN where not known.
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
    notes: tuple[str, ...] = ()
    hours_unknown: bool = False
    bound_a_cny: float = float("nan")
    bound_b_cny: float = float("nan")

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        tables = (self.inputs, self.money, self.figures, self.hours, self.columns)
        return all(table.empty for table in tables) and not self.notes

    @property
    def change_cny(self) -> float:
        """What B earns more than A."""
        return self.profit_b_cny - self.profit_a_cny

    @property
    def open_cny(self) -> float | None:
        """What the proofs of both plans leave open; None where a bound is not known."""
        open_cny = max(self.bound_a_cny - self.profit_a_cny, 0.0) + max(
            self.bound_b_cny - self.profit_b_cny, 0.0
        )
        return None if np.isnan(open_cny) else open_cny

    @property
    def proven(self) -> bool:
        """Whether the difference is more than what the proofs leave open."""
        return self.open_cny is not None and abs(self.change_cny) >= self.open_cny


def compare(a: PlanTables | str | Path, b: PlanTables | str | Path) -> Comparison:
    """Say what differs between two plans, given as plans or as plan folders.

    Raises:
        PlanError: a folder is no plan folder, or cannot be read.
    """
    one, two = (plan if isinstance(plan, PlanTables) else read_tables(plan) for plan in (a, b))
    times = one.schedule.index.intersection(two.schedule.index)
    lost = len(one.schedule) + len(two.schedule) - 2 * len(times)
    note = f"{lost} steps stand in one of the two schedules only; hours leave them out"
    return Comparison(
        a=one.summary["name"] if isinstance(a, PlanTables) else str(a),
        b=two.summary["name"] if isinstance(b, PlanTables) else str(b),
        profit_a_cny=float(one.summary["objective_cny"]),
        profit_b_cny=float(two.summary["objective_cny"]),
        inputs=_inputs(plain_scenario(one.scenario), plain_scenario(two.scenario)),
        money=_money(one.ledger, two.ledger),
        figures=_figures(one.summary, two.summary),
        hours=_hours(one, two, times),
        columns=_columns(one, two, times),
        notes=(note,) if lost else (),
        bound_a_cny=_bound(one.summary),
        bound_b_cny=_bound(two.summary),
    )


def _bound(summary: Mapping[str, Any]) -> float:
    """Return what no plan can earn more than; NaN where a given schedule has no bound."""
    bound = summary["bound_cny"]
    return float("nan") if bound is None else float(bound)


def _inputs(a: Mapping[str, Any], b: Mapping[str, Any]) -> pd.DataFrame:
    rows = [(path, *_words(x, y)) for path, x, y in _differing(a, b, "")]
    return pd.DataFrame(rows, columns=["path", "a", "b"])


ABSENT = object()


def _differing(a: Any, b: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the paths whose values differ, as deep as both sides reach."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in [*a, *(key for key in b if key not in a)]:
            below = f"{path}.{key}" if path else str(key)
            yield from _differing(a.get(key, ABSENT), b.get(key, ABSENT), below)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b) and not _is_series(a):
        for position, (x, y) in enumerate(zip(a, b, strict=True)):
            yield from _differing(x, y, f"{path}[{position}]")
    elif a is ABSENT or b is ABSENT or a != b:
        yield path, a, b


def _is_series(value: Any) -> bool:
    return (
        isinstance(value, list) and bool(value) and all(isinstance(x, int | float) for x in value)
    )


def _words(a: Any, b: Any) -> tuple[str, str]:
    """Return both values in words; series by how many of their steps differ."""
    texts = []
    for one, other in ((a, b), (b, a)):
        if one is ABSENT:
            texts.append("")
        elif _is_series(one):
            text = f"{len(one)} values, mean {np.mean(one):.6g}"
            if _is_series(other) and len(other) == len(one):
                text += f", {sum(x != y for x, y in zip(one, other, strict=True))} differ"
            texts.append(text)
        elif isinstance(one, Mapping) and "kind" in one:
            texts.append(f"a {one['kind']}")
        else:
            texts.append(shown(one) if not isinstance(one, list) else f"a list of {len(one)}")
    return texts[0], texts[1]


def _money(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    table = _side_by_side(a, b, ["component", "line"])
    table["difference_cny"] = table["b"] - table["a"]
    table = table[table["difference_cny"].abs() >= FEN].reset_index()
    return _largest_first(table)


def _largest_first(money: pd.DataFrame) -> pd.DataFrame:
    order = money["difference_cny"].abs().sort_values(ascending=False, kind="stable").index
    return money.loc[order].reset_index(drop=True)


def _side_by_side(a: pd.DataFrame, b: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the sums of two ledgers by `keys`, columns a and b; 0 where a side has no line."""
    sums = [ledger.groupby(keys, sort=False)["amount_cny"].sum() for ledger in (a, b)]
    return pd.concat({"a": sums[0], "b": sums[1]}, axis=1).fillna(0.0)


def _figures(a: Mapping[str, Any], b: Mapping[str, Any]) -> pd.DataFrame:
    sides = [
        {name: value for name, value in flat(summary) if _is_figure(name)} for summary in (a, b)
    ]
    rows = []
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        x, y = (np.nan if (v := side.get(name)) is None else float(v) for side in sides)
        if np.isnan(x) and np.isnan(y):
            continue
        if not abs(y - x) <= max(TINY, FEN if name.endswith("_cny") else 0.0):
            rows.append((name, x, y, y - x))
    return pd.DataFrame(rows, columns=["figure", "a", "b", "difference"])


def _is_figure(name: str) -> bool:
    first = name.partition(".")[0]
    return first not in (*OUTSIDE, "ledger_cny") and name not in ("hours", "step_min")


def _hours(a: PlanTables, b: PlanTables, times: pd.Index) -> pd.DataFrame:
    """Return the steps whose ledger lines or schedules differ, the most moved money first."""
    both = _side_by_side(a.ledger, b.ledger, ["period", "component", "line"])
    both["moved"] = (both["b"] - both["a"]).abs()
    by_period = both.groupby(level="period").sum()
    rows = []
    columns = a.schedule.columns.intersection(b.schedule.columns)
    apart = (b.schedule.loc[times, columns] - a.schedule.loc[times, columns]).abs() > TINY
    counts = apart.sum(axis=1)
    for time in times:
        period = time.isoformat()
        x, y, moved = by_period.loc[period] if period in by_period.index else (0.0, 0.0, 0.0)
        count = int(counts[time])
        if moved >= FEN or count:
            rows.append((time, float(x), float(y), float(y - x), float(moved), count))
    names = ["time", "a", "b", "difference_cny", "moved_cny", "columns"]
    table = pd.DataFrame(rows, columns=names)
    table = table.sort_values(["moved_cny", "columns"], ascending=False, kind="stable")
    return table.reset_index(drop=True)


def _columns(a: PlanTables, b: PlanTables, times: pd.Index) -> pd.DataFrame:
    """Return the schedule columns that differ; a column that one side lacks counts as zero."""
    names = [*a.schedule.columns, *b.schedule.columns.difference(a.schedule.columns, sort=False)]
    rows = []
    for name in names:
        x, y = (
            plan.schedule.loc[times, name].to_numpy(dtype=float)
            if name in plan.schedule
            else np.zeros(len(times))
            for plan in (a, b)
        )
        off = np.abs(y - x)
        if not len(times) or off.max() <= TINY:
            continue
        most = int(off.argmax())
        size = max(float(np.abs(x).max()), float(np.abs(y).max()))
        steps = int((off > TINY).sum())
        rows.append(
            (name, steps, float(off.mean()), times[most], x[most], y[most], off[most] / size)
        )
    table = pd.DataFrame(rows, columns=["column", "steps", "moved", "time", "a", "b", "share"])
    table = table.sort_values(["share", "moved"], ascending=False, kind="stable")
    return table.drop(columns="share").reset_index(drop=True)


def compare_cases(folder: str | Path, first: int, second: int) -> Comparison:
    """Say what differs between two cases of a sweep folder.

    Raises:
        PlanError: the folder is no sweep folder.
        ScenarioError: there is no such case, or it has no plan.
    """
    sweep = read_cases(folder)
    one, two = (_row(sweep.cases, number) for number in (first, second))
    inputs = [
        (axis, value_text(one[axis]), value_text(two[axis]))
        for axis in sweep.description.axes
        if one[axis] != two[axis] and not (pd.isna(one[axis]) and pd.isna(two[axis]))
    ]
    names = list(map(str, sweep.cases.columns))
    figures = [
        name
        for name in names[names.index("refined") + 1 :]
        if pd.api.types.is_float_dtype(sweep.cases[name])
    ]
    money, others = [], []
    for name in figures:
        a, b = one[name], two[name]
        if name.startswith(LEDGER):
            a, b = (0.0 if np.isnan(amount) else amount for amount in (a, b))
            component, _, line = name.removeprefix(LEDGER).partition(".")
            if abs(b - a) >= FEN:
                money.append((component, line, a, b, b - a))
        elif not (np.isnan(a) and np.isnan(b)) and not abs(b - a) <= TINY:
            others.append((name, a, b, b - a))
    lines = pd.DataFrame(money, columns=["component", "line", "a", "b", "difference_cny"])
    return Comparison(
        a=f"{folder}, case {first}",
        b=f"{folder}, case {second}",
        profit_a_cny=float(one["objective_cny"]),
        profit_b_cny=float(two["objective_cny"]),
        inputs=pd.DataFrame(inputs, columns=["path", "a", "b"]),
        money=_largest_first(lines),
        figures=pd.DataFrame(others, columns=["figure", "a", "b", "difference"]),
        hours=pd.DataFrame(),
        columns=pd.DataFrame(columns=["column"]),
        notes=("a table of cases holds no hours; `plans: all` keeps plan folders to compare",),
        hours_unknown=True,
        bound_a_cny=float(one.get("bound_cny", np.nan)),
        bound_b_cny=float(two.get("bound_cny", np.nan)),
    )


def _row(cases: pd.DataFrame, number: int) -> dict[str, Any]:
    rows = cases[cases["case"] == number].to_dict("records")
    if not rows:
        message = f"there is no case {number}; the last is {len(cases) - 1}"
        raise ScenarioError([Problem(message, path="--case")])
    if rows[0]["status"] not in SOLVED:
        message = f"case {number} has no plan: its status is {rows[0]['status']}"
        raise ScenarioError([Problem(message, path="--case")])
    return {str(key): value for key, value in rows[0].items()}
