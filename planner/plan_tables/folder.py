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
from planner.files.output_folder import claim, replace_file, replace_folder
from planner.files.yaml_document import scalar
from planner.plan_tables import files
from planner.plan_tables.files import INFEASIBLE, PLAN_FOLDER, SUMMARY, json_text, write_csv
from planner.plan_tables.tables import LEDGER_TYPES, PlanTables
from planner.scenario.plain_data import plain_data
from planner.scenario.scenario import Scenario, load

if TYPE_CHECKING:
    from planner.timeseries.series import Array


def write_diagnosis(diagnosis: Mapping[str, Any], folder: str | Path) -> Path:
    """Write why there is no plan as infeasible.json; an older plan in the folder stays.

    Raises:
        PlanError: the folder holds something else, or cannot be written.
    """
    text = json_text(diagnosis)
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
        raise PlanError(f"{folder} is no plan folder: it has no {SUMMARY}")
    try:
        scenario = load(folder / files.SCENARIO)
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        if not isinstance(summary, dict):
            raise ValueError(f"{SUMMARY} is no mapping")
        schedule = _read(folder / files.SCHEDULE).set_index("time").astype(float)
        allocation = _read(folder / files.ALLOCATION)
        _require_columns(allocation, files.ALLOCATION, "origin", "use", "mwh")
        ledger = _read(folder / files.LEDGER).astype(LEDGER_TYPES)
        schedule.index = _times(schedule.index, scenario)
        if not schedule.index.equals(scenario.horizon.starts):
            raise ValueError(f"{files.SCHEDULE} has not one row for each step of the horizon")
        allocation["time"] = _times(allocation["time"], scenario)
        why = _beside(folder / files.WHY, scenario, "component", "decision", "code", "reason")
        prices = _beside(
            folder / files.PRICES, scenario, "component", "quantity", "index", "value", "unit"
        )
    except ScenarioError as error:
        raise PlanError(f"{folder} cannot be read: {error}") from None
    except KeyError as error:
        raise PlanError(f"{folder} cannot be read: a table has no column {error}") from None
    except (OSError, ValueError, OverflowError, RecursionError) as error:
        raise PlanError(f"{folder} cannot be read: {error}") from None
    tables = PlanTables(scenario, schedule, allocation, ledger, summary, prices=prices)
    return tables if why is None else dataclasses.replace(tables, reasons=why)


def fill_folder(plan: PlanTables, folder: Path, formats: tuple[str, ...]) -> None:
    """Write the files of a plan into an existing empty folder."""
    write_scenario(plan.scenario, folder)
    files.write_tables(plan, folder, formats)


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path)


def _require_columns(table: pd.DataFrame, file: str, *names: str) -> None:
    missing = [name for name in names if name not in table]
    if missing:
        raise ValueError(f"{file} has no column {missing[0]!r}")


def _beside(path: Path, scenario: Scenario, *names: str) -> pd.DataFrame | None:
    """Read a table of texts, times and one column of numbers; None where it is not there."""
    if not path.is_file():
        return None
    table = pd.read_csv(path, dtype="str", keep_default_na=False)
    _require_columns(table, path.name, "time", *names)
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
        return {"csv": files.SERIES, "column": path.removeprefix("components.")}

    data = plain_data(scenario, beside)
    if series:
        write_csv(pd.DataFrame(series, index=scenario.horizon.starts), folder / files.SERIES)
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    (folder / files.SCENARIO).write_text(text, encoding="utf-8")


class _Dumper(yaml.SafeDumper):
    """Writes YAML that our own reader reads back to the same values."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = None if isinstance(scalar(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
