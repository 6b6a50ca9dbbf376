"""The plan folder: self-contained, and read back equal to the tables that were written."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from planner.errors import PlanError, ScenarioError
from planner.files.output_folder import INFEASIBLE, SUMMARY, claim, replace_file, write_whole
from planner.files.yaml_document import scalar
from planner.plan_tables.tables import LEDGER_TYPES, PlanTables
from planner.scenario.plain_data import plain_data
from planner.scenario.scenario import Scenario, load

if TYPE_CHECKING:
    from planner.timeseries.series import Array

WHY, PRICES = "why.csv", "prices.csv"
PAGE, WORKBOOK = "report.html", "schedule.xlsx"
FORMATS = ("csv", "parquet", "xlsx")


def write_diagnosis(diagnosis: Mapping[str, Any], folder: str | Path) -> Path:
    """Write why there is no plan as infeasible.json; an older plan in the folder stays.

    Raises:
        PlanError: the folder holds something else, or cannot be written.
    """
    text = json.dumps(diagnosis, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with claim(folder) as target:
        if (target / SUMMARY).exists():
            replace_file(target / INFEASIBLE, text)
            return Path(folder)
        return write_whole(folder, lambda new: replace_file(new / INFEASIBLE, text))


def read_tables(folder: str | Path) -> PlanTables:
    """Read the tables of a plan folder back.

    Raises:
        PlanError: the folder is no plan folder, or a file of it cannot be read.
    """
    folder = Path(folder)
    if not (folder / SUMMARY).is_file():
        raise PlanError(f"{folder} is no plan folder: it has no {SUMMARY}")
    try:
        scenario = load(folder / "scenario.yaml")
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        if not isinstance(summary, dict):
            raise ValueError(f"{SUMMARY} is no mapping")
        schedule = _read(folder / "schedule.csv").set_index("time").astype(float)
        allocation = _read(folder / "allocation.csv")
        _demand_columns(allocation, "allocation.csv", "origin", "use", "mwh")
        ledger = _read(folder / "ledger.csv").astype(LEDGER_TYPES)
        schedule.index = _times(schedule.index, scenario)
        if not schedule.index.equals(scenario.horizon.starts):
            raise ValueError("schedule.csv has not one row for each step of the horizon")
        allocation["time"] = _times(allocation["time"], scenario)
        why = _beside(folder / WHY, scenario, "component", "decision", "code", "reason")
        prices = _beside(
            folder / PRICES, scenario, "component", "quantity", "index", "value", "unit"
        )
    except ScenarioError as error:
        raise PlanError(f"{folder} cannot be read: {error}") from None
    except KeyError as error:
        raise PlanError(f"{folder} cannot be read: a table has no column {error}") from None
    except (OSError, ValueError, OverflowError, RecursionError) as error:
        raise PlanError(f"{folder} cannot be read: {error}") from None
    tables = PlanTables(scenario, schedule, allocation, ledger, summary, prices=prices)
    return tables if why is None else dataclasses.replace(tables, why=why)


def fill_folder(plan: PlanTables, folder: Path, formats: tuple[str, ...]) -> None:
    """Write the files of a plan into an existing empty folder."""
    write_scenario(plan.scenario, folder)
    _write_csv(plan.schedule, folder / "schedule.csv")
    _write_csv(plan.allocation, folder / "allocation.csv", index=False)
    _write_csv(plan.ledger, folder / "ledger.csv", index=False)
    _write_csv(plan.why, folder / WHY, index=False)
    if plan.prices is not None:
        _write_csv(plan.prices, folder / PRICES, index=False)
    if plan.scenario.trace:
        _write_csv(plan.green, folder / "green.csv", index=False)
    text = json.dumps(plan.summary, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / SUMMARY).write_text(text + "\n", encoding="utf-8")
    if "parquet" in formats:
        plan.schedule.to_parquet(folder / "schedule.parquet")


def _write_csv(frame: pd.DataFrame, path: Path, *, index: bool = True) -> None:
    frame.to_csv(path, index=index, date_format="%Y-%m-%dT%H:%M:%S%z")


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path)


def _demand_columns(table: pd.DataFrame, file: str, *names: str) -> None:
    missing = [name for name in names if name not in table]
    if missing:
        raise ValueError(f"{file} has no column {missing[0]!r}")


def _beside(path: Path, scenario: Scenario, *names: str) -> pd.DataFrame | None:
    """Read a table of texts, times and one column of numbers; None where it is not there."""
    if not path.is_file():
        return None
    table = pd.read_csv(path, dtype="str", keep_default_na=False)
    _demand_columns(table, path.name, "time", *names)
    table["time"] = _times(table["time"], scenario)
    return table.astype({"value": float}) if "value" in table else table


def _times(texts: Any, scenario: Scenario) -> pd.DatetimeIndex:
    moments = pd.to_datetime(texts.astype("str"), format="ISO8601", utc=True)
    index = pd.DatetimeIndex(moments, name="time")
    return index.tz_convert(scenario.horizon.zone).as_unit(scenario.horizon.starts.unit)


def write_scenario(scenario: Scenario, folder: Path) -> None:
    """Write scenario.yaml with every default, and series.csv beside it where a series varies."""
    series: dict[str, Array] = {}

    def beside(values: Array, path: str) -> Any:
        series[path.removeprefix("components.")] = values
        return {"csv": "series.csv", "column": path.removeprefix("components.")}

    data = plain_data(scenario, beside)
    if series:
        frame = pd.DataFrame(series, index=scenario.horizon.starts)
        _write_csv(frame, folder / "series.csv")
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")


class _Dumper(yaml.SafeDumper):
    """Writes YAML that our own reader reads back to the same values."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = None if isinstance(scalar(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
