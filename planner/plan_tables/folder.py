"""The plan folder: self-contained, and read back equal to the tables that were written."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from planner.errors import PlanError, PlannerError, as_written, cause
from planner.files.csv_file import as_typed, read_csv, write_csv
from planner.files.format_mark import of_another_format, require_readable, unmarked
from planner.files.output_folder import claim, replace_file, replace_folder
from planner.files.yaml_document import scalar
from planner.message import Message, MessageList
from planner.outside import packages
from planner.plan_tables import files
from planner.plan_tables.files import INFEASIBLE, PLAN_FOLDER, SUMMARY, marked_json
from planner.plan_tables.summary import KINDS_FROM
from planner.plan_tables.tables import LEDGER_TYPES, WHY, PlanTables
from planner.scenario.plain_data import plain_data
from planner.scenario.scenario import Scenario, load

if TYPE_CHECKING:
    from planner.timeseries.series import Array


def write_diagnosis(diagnosis: Mapping[str, Any], folder: str | Path) -> Path:
    """Write the diagnosis of a scenario without a plan as infeasible.json; an older plan stays.

    Raises:
        PlanError: the folder holds something else, or cannot be written.
    """
    text = marked_json(diagnosis)
    with claim(folder, PLAN_FOLDER) as target:
        if (target / SUMMARY).exists():
            replace_file(target / INFEASIBLE, text)
            return Path(folder)
        return replace_folder(folder, PLAN_FOLDER, lambda new: replace_file(new / INFEASIBLE, text))


def read_tables(folder: str | Path) -> PlanTables:
    """Read the tables of a plan folder back.

    Raises:
        PlanError: the folder is no plan folder, or a file of it cannot be read.
    """
    folder = Path(folder)
    if not (folder / SUMMARY).is_file():
        message = Message("{path} is no plan folder: it has no {file}", path=folder, file=SUMMARY)
        raise PlanError(message)
    if PLAN_FOLDER.mark.format_in(folder) is None:
        message = Message(
            "{path} is no plan folder: its {file} is not one of the planner",
            path=folder,
            file=SUMMARY,
        )
        raise PlanError(message)
    require_readable(folder / SUMMARY)
    with reading(folder):
        return _read(folder)


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Raise what goes wrong with the files of a folder as a PlanError that names the folder."""
    try:
        yield
    except PlannerError as error:
        text: str = error.message
    except (OSError, ValueError, OverflowError, RecursionError) as error:
        text = cause(error)
    else:
        return
    message = Message("{path} cannot be read: {text}", path=folder, text=text)
    if PLAN_FOLDER.mark.format_in(folder) == 0:
        message = MessageList("\n", (of_another_format(folder / SUMMARY, 0), message))
    raise PlanError(message)


def read_facts(path: Path, *names: str) -> dict[str, Any]:
    """Read a JSON file that must hold a mapping with some keys; its mark is left out."""
    facts = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(facts, dict):
        raise PlanError(Message("{file} is not a mapping", file=path.name))
    for name in names:
        if name not in facts:
            raise PlanError(Message("{file} has no key {name!r}", file=path.name, name=name))
    return unmarked(facts)


def _read(folder: Path) -> PlanTables:
    summary = read_facts(folder / SUMMARY)
    for kind, package in summary.get(KINDS_FROM, {}).items():
        if kind not in packages():
            raise PlanError(Message(
                "the package {name} is not installed, which brings the kind {other}",
                name=package, other=kind,
            ))  # fmt: skip
    scenario = load(folder / files.SCENARIO)
    schedule = read_schedule(folder / files.SCHEDULE, scenario)
    allocation = read_table(folder / files.ALLOCATION, "time", "origin", "use", "mwh")
    ledger = read_table(folder / files.LEDGER, *LEDGER_TYPES).astype(LEDGER_TYPES)
    allocation["time"] = times_of(allocation["time"], scenario)
    columns = ("time", "component", "quantity", "index", "value", "unit")
    prices, end_values = (
        _read_texts(folder / name, scenario, columns) for name in (files.PRICES, files.END_VALUES)
    )
    plan = PlanTables(
        scenario,
        schedule,
        allocation,
        ledger,
        summary,
        prices=prices,
        end_values=end_values,
    )
    reasons = _read_texts(folder / files.WHY, scenario, WHY)
    return plan if reasons is None else dataclasses.replace(plan, reasons=reasons)


def fill_folder(plan: PlanTables, folder: Path, formats: Sequence[str]) -> None:
    """Write the files of a plan into an existing empty folder."""
    write_scenario(plan.scenario, folder)
    files.write_tables(plan, folder, formats)


def read_schedule(path: Path, scenario: Scenario) -> pd.DataFrame:
    """Read a table of numbers that must have a row for each step of the horizon."""
    schedule = read_table(path, "time").set_index("time").astype(float)
    schedule.index = times_of(schedule.index, scenario)
    if not schedule.index.equals(scenario.horizon.starts):
        raise PlanError(
            Message("{file} has not one row for each step of the horizon", file=path.name)
        )
    return schedule


def read_table(path: Path, *names: str, **options: Any) -> pd.DataFrame:
    """Read a table that must have some columns."""
    table = read_csv(path, **options)
    table.columns = table.columns.map(as_typed)
    for column, kind in table.dtypes.items():
        if pd.api.types.is_string_dtype(kind):
            table[column] = table[column].map(_as_typed)
    for name in names:
        if name not in table:
            raise PlanError(Message("{file} has no column {name!r}", file=path.name, name=name))
    return table


def _as_typed(cell: Any) -> Any:
    return as_typed(cell) if isinstance(cell, str) else cell


def _read_texts(path: Path, scenario: Scenario, names: Sequence[str]) -> pd.DataFrame | None:
    """Read a table of texts, times and one column of numbers; None if there is no such file."""
    if not path.is_file():
        return None
    table = read_table(path, *names, dtype="str", keep_default_na=False)
    table["time"] = times_of(table["time"], scenario)
    return table.astype({"value": float}) if "value" in table else table


def times_of(texts: Any, scenario: Scenario) -> pd.DatetimeIndex:
    """Return times as they are written, in the zone of the horizon; a PlanError if one is none."""
    texts = pd.Series(texts)
    moments = pd.to_datetime(texts.astype("str"), format="ISO8601", utc=True, errors="coerce")
    for text in texts[moments.isna() & texts.notna() & (texts != "")]:  # the first one
        raise PlanError(Message("a time cannot be read: {text}", text=as_written(text)))
    index = pd.DatetimeIndex(moments, name="time")
    return index.tz_convert(scenario.horizon.zone).as_unit(scenario.horizon.starts.unit)


def write_scenario(scenario: Scenario, folder: Path) -> None:
    """Write scenario.yaml with every default, and series.csv if a series varies."""
    series: dict[str, Array] = {}

    def move_to_csv(values: Array, path: str) -> Any:
        column = path.removeprefix("components.")
        series[column] = values
        return {"csv": files.SERIES, "column": column}

    data = plain_data(scenario, move_to_csv)
    if series:
        write_csv(pd.DataFrame(series, index=scenario.horizon.starts), folder / files.SERIES)
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    (folder / files.SCENARIO).write_text(text, encoding="utf-8")


_BASE: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_BASE):  # type: ignore[misc]  # whichever is there
    """Writes YAML that our own reader reads back to the same values."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: Any, text: str) -> yaml.Node:
    style = None if isinstance(scalar(text), str) else '"'
    node: yaml.Node = dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)
    return node


_Dumper.add_representer(str, _text)
