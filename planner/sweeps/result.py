"""A sweep as a table: a row a case, with its axes, how it went and its figures."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from planner.errors import PlanError
from planner.files.output_folder import replace_file
from planner.language.section import Section, reader_language, section_html, table_html, text
from planner.sweeps.analysis.case_table import OUTPUT, SOLVED, canonical, direction
from planner.sweeps.analysis.pareto import ranking
from planner.sweeps.design import Case
from planner.sweeps.sweep_file import RESERVED, SweepFile
from planner.sweeps.sweep_folder import CASES_CSV, CASES_PARQUET, Result, read_description

BEST = 3  # cases that a notebook shows
MOST_VALUES = 6  # of an axis of words


@dataclass(frozen=True)
class Sweep:
    """The cases of a sweep and where they are kept.

    `cases` has a row a case: `case`, a column per axis, `key`, `status`, `gap`, `message`,
    `seconds`, `refined`, then figures by their path in summary.json. `description` is the sweep
    file with the base value of every axis. `interrupted` says that Ctrl-C ended the run early.
    """

    cases: pd.DataFrame
    description: SweepFile
    folder: Path
    interrupted: bool = False

    def _repr_html_(self) -> str:
        return sweep_html(self)


def read_cases(folder: str | Path) -> Sweep:
    """Read a sweep folder back; values of an axis that differ by rounding alone become one value.

    Raises:
        PlanError: the folder is no sweep folder, or its table cannot be read.
    """
    folder = Path(folder)
    description = read_description(folder)
    try:
        cases = pd.read_parquet(folder / CASES_PARQUET)
    except (OSError, ValueError) as error:
        raise PlanError(f"{folder} has no table of cases that can be read: {error}") from None
    for name, axis in description.axes.items():
        if name in cases:
            cases[name] = canonical(cases[name], getattr(axis, "base", None))
    return Sweep(cases, description, folder)


def case_table(
    cases: Sequence[Case],
    keys: Sequence[str],
    wrong: Mapping[int, str],
    results: Mapping[str, Result],
    refined: Mapping[int, str],
) -> pd.DataFrame:
    """Return a row a case, from whatever results there are.

    Args:
        cases: the cases, in order.
        keys: the key of each; empty where the case is no valid scenario.
        wrong: what is wrong with such a case, by number.
        results: results by key.
        refined: keys of the cases solved again more exactly, by number.
    """
    rows: list[dict[str, Any]] = []
    figures: list[Mapping[str, float]] = []
    for case, key in zip(cases, keys, strict=True):
        result, exact = results.get(key), results.get(refined.get(case.number, ""))
        better = exact is not None and bool(exact["figures"])
        if better:
            result = exact
        row = {"key": key, "gap": None, "seconds": None, "message": wrong.get(case.number, "")}
        row["status"] = "waiting" if key else "wrong_input"
        if result is not None:
            row |= {name: result[name] for name in ("key", "status", "gap", "message", "seconds")}
        rows.append(row | {"refined": better})
        figures.append({} if result is None else result["figures"])
    index = pd.RangeIndex(len(cases))
    left = {"case": pd.Series([case.number for case in cases], index=index, dtype="int64")}
    for name in cases[0].values if cases else ():
        left[name] = _column([case.values[name] for case in cases], index)
    how = pd.DataFrame(rows, index=index, columns=list(RESERVED[1:]))
    how = how.astype({"gap": float, "seconds": float, "refined": bool})
    names = dict.fromkeys(name for row in figures for name in row if name not in left)
    right = {
        name: pd.Series([row.get(name) for row in figures], index=index, dtype=float)
        for name in names
    }
    return pd.concat([pd.DataFrame(left, index=index), how, pd.DataFrame(right)], axis=1)


def _column(values: list[Any], index: pd.Index[Any]) -> pd.Series[Any]:
    """Return one column of axis values: numbers, or texts as soon as one is no number."""
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, bool) for value in values):
        return pd.Series(values, index=index, dtype=bool)
    if any(isinstance(value, bool | str) for value in known):
        texts = [None if v is None else str(v).lower() if isinstance(v, bool) else str(v)
                 for v in values]  # fmt: skip
        return pd.Series(texts, index=index, dtype="str")
    if known and len(known) == len(values) and all(isinstance(value, int) for value in values):
        return pd.Series(values, index=index, dtype="int64")
    return pd.Series(values, index=index, dtype=float)


def write_cases(table: pd.DataFrame, folder: Path) -> None:
    """Write cases.parquet and cases.csv, each whole. Raises PlanError."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    replace_file(folder / CASES_PARQUET, buffer.getvalue())
    replace_file(folder / CASES_CSV, table.to_csv(index=False))


def sweep_html(sweep: Sweep) -> str:
    """Return how the cases of a sweep ended, its best cases, and how far its axes reach."""
    words, cases, description = reader_language(), sweep.cases, sweep.description
    sentence = words("{n} cases by {design}", n=len(cases), design=words.term(description.design))
    if sweep.interrupted:
        sentence = f"{sentence}; {words('interrupted')}"
    counts = tuple((words.term(str(status)), int(count))
                   for status, count in cases["status"].value_counts().items())  # fmt: skip
    sections = [Section("", (), counts)]
    axes = [name for name in description.axes if name in cases]
    solved = cases[cases["status"].isin(SOLVED)]
    outputs = [n for n in dict.fromkeys((*description.outputs, OUTPUT)) if n in solved]
    if outputs and len(solved):
        columns = ("case", *axes, outputs[0])
        best = ranking(solved, outputs[0], smallest_first=direction(outputs[0]) == "min")
        rows = best[list(columns)].head(BEST).astype(object).itertuples(index=False, name=None)
        title = words("Best cases by {output}", output=outputs[0])
        sections.append(Section(title, columns, tuple(rows)))
    ranges = [(name, *_range(cases[name])) for name in axes]
    ranges += [(name, *_range(solved[name])) for name in outputs]
    if ranges:
        heads = (words("quantity"), words("from"), words("to"))
        sections.append(Section(words("Ranges"), heads, tuple(ranges)))
    return section_html(description.name, sentence, *(table_html(s, words) for s in sections))


def _range(column: pd.Series[Any]) -> tuple[str, str]:
    """Return the ends of a column of numbers; the first words and none for one of words."""
    known = column.dropna()
    if known.empty:
        return "–", "–"
    if pd.api.types.is_numeric_dtype(known) and not pd.api.types.is_bool_dtype(known):
        return text(float(known.min())), text(float(known.max()))
    values = [str(value) for value in known.unique()]
    more = ", …" if len(values) > MOST_VALUES else ""
    return ", ".join(values[:MOST_VALUES]) + more, ""
