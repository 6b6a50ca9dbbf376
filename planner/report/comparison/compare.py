"""Two plans side by side: what differs in inputs, money, figures and hours.

Amounts that differ by less than half a fen, and quantities by less than 1e-6, are the same.

Two cases of a sweep side by side, from the table of cases: axes, ledger lines and figures.

Hours are in plan folders, which a sweep keeps with `plans: all`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import Problem, ScenarioError, shown
from planner.plan_tables.folder import read_tables
from planner.plan_tables.tables import PlanTables
from planner.scenario.plain_data import plain_scenario
from planner.sweeps.analysis.case_table import SOLVED, same
from planner.sweeps.design import told
from planner.sweeps.result import read_cases

FEN = 0.005
TINY = 1e-6
HOURS = 10  # shown
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


def compare(a: PlanTables | str | Path, b: PlanTables | str | Path) -> Comparison:
    """Say what differs between two plans, given as plans or as plan folders.

    Raises:
        PlanError: a folder is no plan folder, or cannot be read.
    """
    one, two = (plan if isinstance(plan, PlanTables) else read_tables(plan) for plan in (a, b))
    names = [
        plan.summary["name"] if isinstance(given, PlanTables) else str(given)
        for given, plan in ((a, one), (b, two))
    ]
    notes = []
    times = one.schedule.index.intersection(two.schedule.index)
    lost = len(one.schedule) + len(two.schedule) - 2 * len(times)
    if lost:
        notes.append(f"{lost} steps stand in one of the two schedules only; hours leave them out")
    columns = _columns(one, two, times)
    return Comparison(
        names[0],
        names[1],
        float(one.summary["objective_cny"]),
        float(two.summary["objective_cny"]),
        _inputs(plain_scenario(one.scenario), plain_scenario(two.scenario)),
        _money(one.ledger, two.ledger),
        _figures(one.summary, two.summary),
        _hours(one, two, times),
        columns,
        tuple(notes),
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
    elif _is_list(a) and _is_list(b) and len(a) == len(b) and not _is_series(a):
        for position, (x, y) in enumerate(zip(a, b, strict=True)):
            yield from _differing(x, y, f"{path}[{position}]")
    elif a is ABSENT or b is ABSENT or a != b:
        yield path, a, b


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_series(value: Any) -> bool:
    return _is_list(value) and bool(value) and all(isinstance(x, int | float) for x in value)


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
            texts.append(shown(one) if not _is_list(one) else f"a list of {len(one)}")
    return texts[0], texts[1]


def _money(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    table = _side_by_side(a, b, ["component", "line"])
    table["difference_cny"] = table["b"] - table["a"]
    table = table[table["difference_cny"].abs() >= FEN].reset_index()
    order = table["difference_cny"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _side_by_side(a: pd.DataFrame, b: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the sums of two ledgers by `keys`, columns a and b; 0 where a side has no line."""
    sums = [ledger.groupby(keys, sort=False)["amount_cny"].sum() for ledger in (a, b)]
    return pd.concat({"a": sums[0], "b": sums[1]}, axis=1).fillna(0.0)


def _figures(a: Mapping[str, Any], b: Mapping[str, Any]) -> pd.DataFrame:
    from planner.sweeps.analysis.condition import flat

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


LEDGER = "ledger_cny."


def compare_cases(folder: str | Path, first: int, second: int) -> Comparison:
    """Say what differs between two cases of a sweep folder.

    Raises:
        PlanError: the folder is no sweep folder.
        ScenarioError: there is no such case, or it has no plan.
    """
    sweep = read_cases(folder)
    rows = [_row(sweep.cases, number) for number in (first, second)]
    axes = list(sweep.description.axes)
    inputs = [
        (name, *(told(row[name]) for row in rows)) for name in axes if not same(*_both(rows, name))
    ]
    known = [str(n) for n in sweep.cases.columns if pd.api.types.is_float_dtype(sweep.cases[n])]
    start = list(sweep.cases.columns).index("refined") + 1
    figures = [name for name in known if list(sweep.cases.columns).index(name) >= start]
    money, other = [], []
    for name in figures:
        a, b = _both(rows, name)
        if name.startswith(LEDGER):
            a, b = (0.0 if np.isnan(x) else x for x in (a, b))
            component, _, line = name.removeprefix(LEDGER).partition(".")
            if abs(b - a) >= FEN:
                money.append((component, line, a, b, b - a))
        elif not (np.isnan(a) and np.isnan(b)) and not abs(b - a) <= TINY:
            other.append((name, a, b, b - a))
    table = pd.DataFrame(money, columns=["component", "line", "a", "b", "difference_cny"])
    order = table["difference_cny"].abs().sort_values(ascending=False, kind="stable").index
    return Comparison(
        f"{folder}, case {first}",
        f"{folder}, case {second}",
        float(rows[0]["objective_cny"]),
        float(rows[1]["objective_cny"]),
        pd.DataFrame(inputs, columns=["path", "a", "b"]),
        table.loc[order].reset_index(drop=True),
        pd.DataFrame(other, columns=["figure", "a", "b", "difference"]),
        pd.DataFrame(),
        pd.DataFrame(columns=["column"]),
        ("a table of cases holds no hours; `plans: all` keeps plan folders to compare",),
        hours_unknown=True,
        bound_a_cny=float(rows[0].get("bound_cny", np.nan)),
        bound_b_cny=float(rows[1].get("bound_cny", np.nan)),
    )


def _row(cases: pd.DataFrame, number: int) -> dict[str, Any]:
    found = cases[cases["case"] == number].to_dict("records")
    if not found:
        said = f"there is no case {number}; the last is {len(cases) - 1}"
        raise ScenarioError([Problem(said, path="--case")])
    if found[0]["status"] not in SOLVED:
        said = f"case {number} has no plan: its status is {found[0]['status']}"
        raise ScenarioError([Problem(said, path="--case")])
    return {str(key): value for key, value in found[0].items()}


def _both(rows: list[dict[str, Any]], name: str) -> tuple[Any, Any]:
    return rows[0][name], rows[1][name]
