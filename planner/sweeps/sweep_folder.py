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

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from planner.errors import PlanError, ScenarioError
from planner.fields import Frozen
from planner.files.output_folder import Content, replace_file, sync
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
Result = dict[str, Any]


class Store:
    """The results in a sweep folder that this run has claimed."""

    def __init__(self, folder: Path, *, fresh: bool, file: str = RESULTS) -> None:
        self.folder = folder
        self.results: dict[str, Result] = {}
        self.earlier_s: dict[str, float] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / file
            self.results, whole = read_results(path)
            for result in self.results.values():
                self.earlier_s[result["at"]] = float(result["seconds"])
            if path.exists() and whole < path.stat().st_size:
                os.truncate(path, whole)
            if fresh:
                self.results = {}
                path.unlink(missing_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            sync(folder)
        except OSError as error:
            raise PlanError(f"{folder} cannot be written: {error.strerror or error}") from None

    def finished(self, key: str) -> bool:
        """Say whether a case with this key need not be solved."""
        return key in self.results and self.results[key]["status"] in FINISHED

    def add(self, result: Result) -> None:
        """Append a result; it is on disk when this returns. Raises PlanError."""
        line = json.dumps(result, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        content = line.encode() + b"\n"
        try:
            while content:
                content = content[os.write(self._file, content) :]
            os.fsync(self._file)
        except OSError as error:
            said = error.strerror or error
            raise PlanError(f"{self.folder} cannot be written: {said}") from None
        self.results[result["key"]] = result

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def read_results(path: Path) -> tuple[dict[str, Result], int]:
    """Read results by key, and how many bytes of the file are whole: a killed run tears the last.

    Raises:
        PlanError: a line before the last is broken.
    """
    results: dict[str, Result] = {}
    whole = 0
    if not path.exists():
        return results, whole
    with path.open("rb") as handle:
        for number, line in enumerate(handle, 1):
            result = _result(line)
            if result is None:
                if handle.read(1):
                    said = f"{path}:{number}: is no result of a sweep; remove the line"
                    raise PlanError(said)
                break
            whole += len(line)
            results[result["key"]] = result
    return results, whole


def _result(line: bytes) -> Result | None:
    try:
        result = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    needed = {"key", "at", "status", "gap", "message", "seconds", "figures"}
    return result if isinstance(result, dict) and needed <= result.keys() else None


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


def flat_figures(summary: Mapping[str, Any], leave_out: Iterable[str]) -> dict[str, float]:
    """Return the numbers of a summary by dotted path."""
    found: dict[str, float] = {}

    def below(path: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, item in value.items():
                below(f"{path}.{key}" if path else str(key), item)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[path] = value

    below("", {key: value for key, value in summary.items() if key not in set(leave_out)})
    return found
