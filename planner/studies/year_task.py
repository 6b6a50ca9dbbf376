"""The work on a window of a year, done by a worker: prices, offers to rules, bounds, plans.

A task holds all that its result depends on: the program of the window and the settings. Its key is
a hash of them, so that a result recorded by an earlier run is used again only for the same task.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from planner.files.records import Record, record_of
from planner.scenario.scenario_file import SolverSettings
from planner.solver.program import Program
from planner.solver.rounds import optimise_uninterrupted
from planner.solver.window_solutions import window_bound, window_offers, window_prices
from planner.solver.windows import WindowProgram
from planner.timeseries.horizon import Window
from planner.timeseries.series import Array


@dataclass(frozen=True)
class WindowResult:
    """The result of work on a window: numbers and arrays by name."""

    status: str
    figures: Mapping[str, float]
    arrays: Mapping[str, Array]

    def record(self, key: str, at: str) -> Record:
        """Return the record of the result."""
        arrays = {name: _packed(array) for name, array in self.arrays.items()}
        return record_of(key, at, self.status, 0.0, figures=self.figures, arrays=arrays)


def recorded_result(record: Record) -> WindowResult:
    """Return the result in a record. Raises LookupError, TypeError or ValueError if broken."""
    arrays = {name: _unpacked(text) for name, text in record["arrays"].items()}
    return WindowResult(record["status"], record["figures"], arrays)


def _packed(array: Array) -> str:
    content = np.ascontiguousarray(array, dtype=float).tobytes()
    return base64.b85encode(zlib.compress(content, 1)).decode()


def _unpacked(text: str) -> Array:
    return np.frombuffer(zlib.decompress(base64.b85decode(text)), dtype=float)


@dataclass(frozen=True, eq=False)
class WindowTask:
    """A window to work on.

    work: one of `WORK`. number, window: of the window. arrays: what the work needs besides.
    """

    work: str
    number: int
    window: Window
    program: Program
    settings: SolverSettings
    arrays: Mapping[str, Any]

    @cached_property
    def key(self) -> str:
        """The hash of all that the result depends on, within one scenario."""
        program, total = self.program, hashlib.sha256(f"{self.work} {self.settings!r}".encode())
        parts = (
            program.matrix.indptr, program.matrix.indices, program.matrix.data,
            program.row_lower, program.row_upper, program.column_lower, program.column_upper,
            program.cost, np.array(program.offset), program.integer, program.column_steps,
            program.report_offset, *self.arrays.values(),
        )  # fmt: skip
        for part in parts:
            dense = part.toarray() if sparse.issparse(part) else part
            total.update(np.ascontiguousarray(dense).tobytes())
        return total.hexdigest()[:32]


@dataclass(frozen=True)
class WindowJob:
    """Some work on a window, on the program that `part_of` makes of it.

    gap: within which it is searched [that of the scenario]. arrays: what else the work needs.
    """

    work: str
    window: Window
    part_of: Callable[[Window], WindowProgram]
    gap: float | None = None
    arrays: Callable[[WindowProgram], Mapping[str, Any]] | None = None


Solve = Callable[[Iterator[WindowTask], int], Mapping[int, WindowResult]]
"""Works on a number of tasks, which are made as they are needed; returns the results by window.

Where the run was stopped, those of unfinished windows are missing.
"""


def work_on(task: WindowTask) -> WindowResult:
    """Return the result of a task. Raises as the functions of `window_solutions`."""
    return WORK[task.work](task)


def _prices(task: WindowTask) -> WindowResult:
    rows, x = window_prices(task.program, task.settings)
    return WindowResult("priced", {}, {"rows": rows, "x": x})


def _bound(task: WindowTask) -> WindowResult:
    solution = window_bound(task.program, task.settings)
    value = task.program.objective(solution.x)
    figures = {"bound": solution.bound, "value": value}
    return WindowResult(solution.status, figures, {"x": solution.x})


def _offers(task: WindowTask) -> WindowResult:
    offers = window_offers(task.program, task.settings, task.arrays["rules"], task.arrays["prices"])
    points = np.array([offer for offer in offers if offer is not None])
    return WindowResult("offered", {}, {"x": points.ravel()})


def _tidy(task: WindowTask) -> WindowResult:
    solution = optimise_uninterrupted(task.program, task.settings)
    value = task.program.objective(solution.x)
    return WindowResult(solution.status, {"value": value}, {"x": solution.x})


WORK: Mapping[str, Callable[[WindowTask], WindowResult]] = {
    "rules": _offers, "prices": _prices, "plan": _bound, "bounds": _bound, "refinement": _bound,
    "tidying": _tidy,
}  # fmt: skip
