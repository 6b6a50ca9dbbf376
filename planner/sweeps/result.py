"""The folder of a sweep, and its table of cases: a row a case, with axes and figures.

Results are appended one by one, tables are written whole from them:

sweep.yaml       the sweep as resolved; again a sweep file
results.jsonl    a line a solved case, appended and synced before the next counts as done
cases.parquet    a row a case, also of those still waiting; cases.csv holds the same
plans/NUMBER     plan folders, on request
report.html      the page

A run that is killed leaves at most a torn last line in results.jsonl, which the next run drops.
Results have the key of their scenario: a sweep that is run again, or run with other axes under the
same name, solves only what is new.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from planner.errors import PlanError, ScenarioError
from planner.fields import Frozen
from planner.files.csv_file import csv_text
from planner.files.format_mark import require_readable
from planner.files.output_folder import Content, Mark, replace_file
from planner.files.records import KEYS, Record, read_records
from planner.files.yaml_document import read_yaml
from planner.language.language import Language
from planner.language.section import Section, reader_language, section_html, table_html, text
from planner.message import Message, message_of, template
from planner.sweeps.analysis.case_table import OUTPUT, SOLVED, canonical
from planner.sweeps.analysis.pareto import ranking
from planner.sweeps.axes import Scalar
from planner.sweeps.design import Case
from planner.sweeps.sweep_file import RESERVED, SweepFile, check_sweep

SWEEP, RESULTS, CASES_CSV, CASES_PARQUET = (
    "sweep.yaml", "results.jsonl", "cases.csv", "cases.parquet"
)  # fmt: skip
PLANS = "plans"
FINISHED = frozenset({"optimal", "relaxed", "time_limit", "no_plan", "infeasible", "unbounded"})
"""Statuses that are final; a case that failed is tried again in the next run."""

SWEEP_FOLDER = Content(  # by its results, for a file called sweep.yaml may be the user's own
    mark=Mark(RESULTS, KEYS),
    foreign=template("{path} exists and is no sweep folder; choose another"),
)
DAMAGE = template("{path} is no result of a sweep; remove the line")
Result = Record
MESSAGE_PARTS = "message_parts"  # of a result: its message, for other languages


def finished(result: Result | None) -> bool:
    """Return whether a case with this result need not be solved again."""
    return result is not None and result["status"] in FINISHED


def write_description(sweep: SweepFile, folder: Path) -> None:
    """Write sweep.yaml. Raises PlanError."""
    text = yaml.safe_dump(_plain(sweep), sort_keys=False, allow_unicode=True, width=100)
    replace_file(folder / SWEEP, text)


def _plain(value: Any) -> Any:
    """Return a sweep file as plain data; fields without a value are left out."""
    if isinstance(value, Frozen):
        fields = type(value).model_fields.items()
        pairs = ((field.alias or name, getattr(value, name)) for name, field in fields)
        return {name: _plain(item) for name, item in pairs if item is not None}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value if isinstance(value, Scalar | None) else str(value)  # a series of Python


def read_description(folder: Path) -> SweepFile:
    """Read sweep.yaml back.

    Raises:
        PlanError: the folder is no sweep folder, one of a later format, or sweep.yaml cannot be
            read.
    """
    require_readable(folder / RESULTS)
    if not (folder / SWEEP).is_file():
        message = Message("{path} is no sweep folder: it has no {name}", path=folder, name=SWEEP)
        raise PlanError(message)
    try:
        return check_sweep(read_yaml(folder / SWEEP))
    except ScenarioError as error:
        raise unreadable(folder, error.message) from None


def unreadable(folder: Path, reason: object) -> PlanError:
    """Return the error of a sweep folder that cannot be read."""
    return PlanError(Message("{path} cannot be read: {text}", path=folder, text=reason))


BEST = 3  # cases that a notebook shows
MAX_LABELS = 6  # of an axis of texts


@dataclass(frozen=True)
class Sweep:
    """The cases of a sweep and their folder.

    `cases` has a row a case: `case`, a column per axis, `key`, `status`, `gap`, `message`,
    `seconds`, `refined`, then figures by their path in summary.json. `description` is the sweep
    file with the base value of every axis. `interrupted`: Ctrl-C ended the run early.
    """

    cases: pd.DataFrame
    description: SweepFile
    folder: Path
    interrupted: bool = False

    def _repr_html_(self) -> str:
        return sweep_html(self)


def read_cases(folder: str | Path) -> Sweep:
    """Read a sweep folder; values of an axis that differ by rounding alone become one value.

    Raises:
        PlanError: the folder is no sweep folder, or its table cannot be read.
    """
    folder = Path(folder)
    description = read_description(folder)
    try:
        cases = pd.read_parquet(folder / CASES_PARQUET)
    except (OSError, ValueError) as error:
        raise unreadable(folder, error) from None
    for name, axis in description.axes.items():
        if name in cases:
            cases[name] = canonical(cases[name], getattr(axis, "base", None))
    if {"key", "message"} <= set(cases):
        cases["message"] = _messages(cases, folder)
    return Sweep(cases, description, folder)


def _messages(cases: pd.DataFrame, folder: Path) -> pd.Series[Any]:
    """Return the messages of cases, as far as their results hold more than the English text."""
    results: dict[str, Result] = {}
    with suppress(PlanError, OSError):  # the table holds the English text
        results, _ = read_records(folder / RESULTS, DAMAGE)
    messages = {}
    for key, result in results.items():
        with suppress(ValueError):
            message = message_of(result.get(MESSAGE_PARTS))
            if message == result["message"]:
                messages[key] = message
    if not messages:
        return cases["message"]
    texts = [
        messages.get(key, text) for key, text in zip(cases["key"], cases["message"], strict=True)
    ]
    return pd.Series(texts, index=cases.index, dtype=object)


def case_table(
    cases: Sequence[Case],
    keys: Sequence[str],
    wrong: Mapping[int, Message],
    results: Mapping[str, Result],
    refined: Mapping[int, str],
) -> pd.DataFrame:
    """Return a row a case, with the results so far.

    `keys` has the key of each case, empty where it is no valid scenario; `wrong` has the problems
    of such a case, `refined` the key of a case solved again more exactly, both by number.
    """
    rows: list[dict[str, Any]] = []
    figures: list[Mapping[str, float]] = []
    for case, key in zip(cases, keys, strict=True):
        result, exact = results.get(key), results.get(refined.get(case.number, ""))
        better = exact is not None and bool(exact["figures"])
        if better:
            result = exact
        row = {"key": key, "gap": None, "seconds": None, "message": str(wrong.get(case.number, "")),
               "status": "waiting" if key else "wrong_input"}  # fmt: skip
        if result is not None:
            row |= {name: result[name] for name in ("key", "status", "gap", "message", "seconds")}
        rows.append(row | {"refined": better})
        figures.append({} if result is None else result["figures"])
    left = {"case": pd.Series([case.number for case in cases], dtype="int64")}
    for name in cases[0].values if cases else ():
        left[name] = _column([case.values[name] for case in cases])
    ended = pd.DataFrame(rows, columns=list(RESERVED[1:]))
    ended = ended.astype({"gap": float, "seconds": float, "refined": bool})
    right = pd.DataFrame(figures, dtype=float).drop(columns=list(left), errors="ignore")
    return pd.concat([pd.DataFrame(left), ended, right], axis=1)


def _column(values: list[Any]) -> pd.Series[Any]:
    """Return the values of an axis as a column: numbers, or texts where any is no number."""
    kinds = set(map(type, values))
    if kinds in ({bool}, {int}):
        return pd.Series(values, dtype="bool" if kinds == {bool} else "int64")
    if kinds & {bool, str}:
        texts = [None if v is None else str(v).lower() if isinstance(v, bool) else str(v)
                 for v in values]  # fmt: skip
        return pd.Series(texts, dtype="str")
    return pd.Series(values, dtype=float)


def write_cases(table: pd.DataFrame, folder: Path) -> None:
    """Write cases.parquet and cases.csv, each whole. Raises PlanError."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    replace_file(folder / CASES_PARQUET, buffer.getvalue())
    replace_file(folder / CASES_CSV, csv_text(table))


def design_text(design: str, words: Language) -> str:
    """Return the name of a design in a language; in English as in the sweep file."""
    return words.known(f"design.{design}") or design


def sweep_html(sweep: Sweep) -> str:
    """Return the statuses, the best cases and the ranges of a sweep as HTML for notebooks."""
    words, cases, description = reader_language(), sweep.cases, sweep.description
    design = design_text(description.design, words)
    sentence = words("{n} cases by {design}", n=len(cases), design=design)
    if sweep.interrupted:
        sentence = words("{sentence}; interrupted", sentence=sentence)
    counts = tuple((words.term(str(status)), int(count))
                   for status, count in cases["status"].value_counts().items())  # fmt: skip
    sections = [Section("", (), counts)]
    axes = [name for name in description.axes if name in cases]
    solved = cases[cases["status"].isin(SOLVED)]
    outputs = [n for n in dict.fromkeys((*description.outputs, OUTPUT)) if n in solved]
    if outputs and len(solved):
        columns = ("case", *axes, outputs[0])
        best = ranking(solved, outputs[0], description.better(outputs[0]))
        rows = best[list(columns)].head(BEST).astype(object).itertuples(index=False, name=None)
        title = words("Best cases by {output}", output=words.path(outputs[0]))
        sections.append(Section(title, columns, tuple(rows)))
    ranges = [(name, *_range(cases[name])) for name in axes]
    ranges += [(name, *_range(solved[name])) for name in outputs]
    if ranges:
        heads = (words("quantity"), words("from"), words("to"))
        sections.append(Section(words("Ranges"), heads, tuple(ranges)))
    return section_html(description.name, sentence, *(table_html(s, words) for s in sections))


def _range(column: pd.Series[Any]) -> tuple[str, str]:
    """Return the ends of a column of numbers; the first labels of one of texts."""
    known = column.dropna()
    if known.empty:
        return "–", "–"
    if pd.api.types.is_numeric_dtype(known) and not pd.api.types.is_bool_dtype(known):
        return text(float(known.min())), text(float(known.max()))
    labels = [str(value) for value in known.unique()]
    more = ", …" if len(labels) > MAX_LABELS else ""
    return ", ".join(labels[:MAX_LABELS]) + more, ""
