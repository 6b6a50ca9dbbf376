"""The plan folder: written whole or not at all, self-contained, and read back equal."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml

from planner.document import scalar
from planner.errors import PlanError, ScenarioError
from planner.horizon import Frozen
from planner.plan import Plan
from planner.scenario import Scenario, load

if TYPE_CHECKING:
    from planner.series import Array

FORMATS = ("csv", "parquet", "xlsx")
SUMMARY = "summary.json"


def write_plan(plan: Plan, folder: Path, formats: tuple[str, ...]) -> Path:
    """Write `plan` into `folder` by way of a folder beside it that is then renamed.

    Raises:
        PlanError: the folder holds something that is no plan, or cannot be written.
    """
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise PlanError(f"format {unknown[0]!r} is not known; there are {', '.join(FORMATS)}")
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  # keep links as the user gave them
    if folder.exists() and not (folder / SUMMARY).is_file() and not _is_empty(folder):
        raise PlanError(f"{folder} exists and is no plan folder; choose another")
    beside = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        beside.chmod(0o755)
        _fill(plan, beside, formats)
        for file in beside.iterdir():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())
        _replace(folder, beside)
    except OSError as error:
        raise PlanError(f"{folder} cannot be written: {error.strerror or error}") from None
    finally:
        if beside is not None and beside.exists():
            shutil.rmtree(beside, ignore_errors=True)
    return folder


def read_plan(folder: str | Path) -> Plan:
    """Read a plan folder back.

    Raises:
        PlanError: the folder is no plan folder, or a file of it cannot be read.
    """
    folder = Path(folder)
    if not (folder / SUMMARY).is_file():
        raise PlanError(f"{folder} is no plan folder: it has no {SUMMARY}")
    try:
        scenario = load(folder / "scenario.yaml")
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        schedule = _read(folder / "schedule.csv").set_index("time")
        allocation = _read(folder / "allocation.csv")
        ledger = _read(folder / "ledger.csv")
        schedule.index = _times(schedule.index, scenario)
        allocation["time"] = _times(allocation["time"], scenario)
    except ScenarioError as error:
        raise PlanError(f"{folder} cannot be read: {error}") from None
    except (OSError, ValueError, KeyError) as error:
        raise PlanError(f"{folder} cannot be read: {error}") from None
    return Plan(scenario, schedule, allocation, ledger, summary)


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _replace(folder: Path, beside: Path) -> None:
    if not folder.exists():
        beside.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
    old.rmdir()
    folder.rename(old)
    try:
        beside.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _fill(plan: Plan, folder: Path, formats: tuple[str, ...]) -> None:
    write_scenario(plan.scenario, folder)
    plan.schedule.to_csv(folder / "schedule.csv", date_format="%Y-%m-%dT%H:%M:%S%z")
    plan.allocation.to_csv(folder / "allocation.csv", index=False, date_format="%Y-%m-%dT%H:%M:%S%z")
    plan.ledger.to_csv(folder / "ledger.csv", index=False)
    text = json.dumps(plan.summary, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / SUMMARY).write_text(text + "\n", encoding="utf-8")
    if "parquet" in formats:
        plan.schedule.to_parquet(folder / "schedule.parquet")
    if "xlsx" in formats:
        from planner.report.workbook import write_workbook

        write_workbook(plan, folder / "schedule.xlsx")


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path)


def _times(texts: Any, scenario: Scenario) -> pd.DatetimeIndex:
    index = pd.DatetimeIndex(pd.to_datetime(texts, format="ISO8601", utc=True), name="time")
    return index.tz_convert(scenario.horizon.zone).as_unit(scenario.horizon.starts.unit)


def write_scenario(scenario: Scenario, folder: Path) -> None:
    """Write scenario.yaml with every default, and series.csv beside it where a series varies."""
    series: dict[str, Array] = {}
    data = {
        name: _plain(getattr(scenario, name), name, series)
        for name in type(scenario).model_fields
        if name != "components"
    }
    data["components"] = {
        name: _plain(component, name, series) for name, component in scenario.components.items()
    }
    if series:
        frame = pd.DataFrame(series, index=scenario.horizon.starts)
        frame.to_csv(folder / "series.csv", date_format="%Y-%m-%dT%H:%M:%S%z")
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")


def _plain(value: Any, path: str, series: dict[str, Array]) -> Any:
    """Turn a value into what YAML can hold; series that vary go into `series`."""
    if isinstance(value, np.ndarray):
        if (value == value[0]).all():
            return float(value[0])
        series[path] = value
        return {"csv": "series.csv", "column": path}
    if isinstance(value, Frozen):
        return {
            name: _plain(getattr(value, name), f"{path}.{name}", series)
            for name in type(value).model_fields
        }
    if isinstance(value, dict):
        return {key: _plain(item, f"{path}.{key}", series) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item, f"{path}[{i}]", series) for i, item in enumerate(value)]
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return value


class _Dumper(yaml.SafeDumper):
    """Writes YAML that our own reader reads back to the same values."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = None if isinstance(scalar(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
