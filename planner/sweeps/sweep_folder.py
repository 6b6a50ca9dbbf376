"""The folder of a sweep: results appended one by one, tables written whole from them.

sweep.yaml       the sweep as resolved; again a sweep file
results.jsonl    a line a solved case, appended and synced before the next is counted as done
cases.parquet    a row a case, also of those still waiting; cases.csv holds the same
plans/NUMBER     plan folders, on request
report.html      the page

A run that is killed leaves at most a torn last line in results.jsonl, which the next run drops.
Results are found by the key of their scenario: a sweep that is run again, or run with other axes
under the same name, solves only what is new.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from planner.errors import PlanError, ScenarioError
from planner.fields import Frozen
from planner.files.output_folder import Content, replace_file
from planner.files.records import Record
from planner.files.yaml_document import read_yaml
from planner.sweeps.sweep_file import SweepFile, check_sweep

SWEEP, RESULTS, CASES_CSV, CASES_PARQUET = (
    "sweep.yaml", "results.jsonl", "cases.csv", "cases.parquet"
)  # fmt: skip
PLANS = "plans"
FINISHED = frozenset({"optimal", "relaxed", "time_limit", "no_plan", "infeasible", "unbounded"})
"""What need not be tried again; a case that failed is, in the next run."""

SWEEP_FOLDER = Content(  # by its results, for a file called sweep.yaml may be the user's own
    mark=RESULTS, foreign="exists and is no sweep folder"
)
DAMAGE = "is no result of a sweep; remove the line"
Result = Record


def finished(result: Result | None) -> bool:
    """Say whether a case with this result need not be solved again."""
    return result is not None and result["status"] in FINISHED


def write_description(sweep: SweepFile, folder: Path) -> None:
    """Write sweep.yaml. Raises PlanError."""
    text = yaml.safe_dump(_plain(sweep), sort_keys=False, allow_unicode=True, width=100)
    replace_file(folder / SWEEP, text)


def _plain(value: Any) -> Any:
    """Turn a sweep file into plain data; fields without a value are left out."""
    if isinstance(value, Frozen):
        fields = type(value).model_fields.items()
        pairs = ((field.alias or name, getattr(value, name)) for name, field in fields)
        return {name: _plain(item) for name, item in pairs if item is not None}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def read_description(folder: Path) -> SweepFile:
    """Read sweep.yaml back.

    Raises:
        PlanError: the folder is no sweep folder, or sweep.yaml cannot be read.
    """
    if not (folder / SWEEP).is_file():
        raise PlanError(f"{folder} is no sweep folder: it has no {SWEEP}")
    try:
        return check_sweep(read_yaml(folder / SWEEP))[0]
    except ScenarioError as error:
        raise PlanError(f"{folder} cannot be read: {error}") from None
