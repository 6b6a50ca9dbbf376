"""A sweep: many cases of one base scenario, solved by workers, each result kept as it comes.

1. Read the sweep file and the base, design the cases, check every one of them in full.
2. Claim the folder; cases whose key has a result already are finished, equal cases are one.
3. Workers solve the rest, those that took longest in earlier runs first; each result is appended
   and synced to disk, and the table of all cases is written again from time to time.
4. The cases that `refine` names are solved again, more exactly.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from planner.errors import PlanError
from planner.files.output_folder import claim, file_name, replace_folder
from planner.files.records import Records
from planner.plan_tables.files import PLAN_FOLDER
from planner.studies.sweep_case import pack
from planner.studies.sweep_plan import Prepared, at_of, chosen, prepare
from planner.studies.sweep_workers import Task, cluster, solve_all
from planner.sweeps.result import (
    DAMAGE,
    PLANS,
    RESULTS,
    SWEEP,
    SWEEP_FOLDER,
    Sweep,
    case_table,
    finished,
    read_description,
    write_cases,
    write_description,
)
from planner.sweeps.sweep_file import SweepFile

TABLE_S = 10.0  # least seconds between two writings of the table
TABLE_SHARE = 0.05  # most of the driver's time that goes into them
SOLVER = {"gap", "time_limit_s"}

Progress = Callable[[int, int], None]
"""Told the number of distinct cases finished and their total."""


def sweep(
    sweep: str | Path | SweepFile,
    out: str | Path | None = None,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Sweep:
    """Solve every case of a sweep and write its folder.

    Args:
        sweep: a sweep file, or one in memory whose paths are relative to the working folder.
        out: the sweep folder [sweeps/NAME]; what it holds of this sweep is used again.
        workers: processes of the local cluster [one a core].
        scheduler: address of a Dask scheduler to use instead.
        fresh: forget earlier results.
        progress: is told how far it is.

    Returns:
        The table of cases. After Ctrl-C, as far as it came, with `interrupted`.

    Raises:
        ScenarioError: the sweep, its base or one of its cases is wrong; nothing was solved.
        PlanError: the folder holds something else or cannot be written.
        SolveError: the scheduler or its workers were lost.
    """
    return run(prepare(sweep), out, workers, scheduler, fresh=fresh, progress=progress)


def default_folder(description: SweepFile) -> Path:
    """Return where a sweep is written unless told otherwise."""
    return Path("sweeps") / file_name(description.name)


def run(
    prepared: Prepared,
    out: str | Path | None,
    workers: int | None,
    scheduler: str | None,
    *,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Sweep:
    """Solve a prepared sweep. Returns and raises as `sweep`."""
    folder = Path(out) if out is not None else default_folder(prepared.description)
    with claim(folder, SWEEP_FOLDER) as target:
        _require_same(prepared, target)
        interrupted = False
        with Records(target / RESULTS, DAMAGE, fresh=fresh) as records:
            write_description(prepared.description, target)
            crew = _Crew(prepared, records, workers, scheduler, progress)
            try:
                with crew.hired:
                    crew.solve_cases()
                    crew.refine()
            except KeyboardInterrupt:
                interrupted = True
            finally:
                crew.write_table()
        return Sweep(crew.table(), prepared.description, folder, interrupted)


def _require_same(prepared: Prepared, target: Path) -> None:
    """Refuse a folder that holds another sweep."""
    if not (target / SWEEP).exists():
        return
    there = read_description(target).name
    if there != prepared.description.name:
        raise PlanError(
            f"{target} holds the sweep {there!r}, not {prepared.description.name!r};"
            " choose another folder"
        )


@dataclass
class _Crew:
    """The driver: hands cases to workers and keeps what they return."""

    prepared: Prepared
    records: Records
    workers: int | None
    scheduler: str | None
    progress: Progress | None
    hired: ExitStack = field(default_factory=ExitStack)
    client: Any = None
    written: float = -TABLE_S
    pause: float = TABLE_S

    def solve_cases(self) -> None:
        """Solve every distinct case without a result."""
        plans = self.prepared.description.plans == "all"
        self._solve(
            [Task(key, at_of(case), case.changes, plans)
             for key, case in self.prepared.distinct.items()]
        )  # fmt: skip

    def refine(self) -> None:
        """Solve the best cases again, more exactly."""
        refine = self.prepared.description.refine
        if refine is None:
            return
        exact = self.prepared.base.exact | refine.model_dump(include=SOLVER, exclude_none=True)
        solver = {f"solver.{name}": value for name, value in exact.items()}
        tasks = []
        for case in chosen(self.prepared, self.records.by_key):
            changes = {**case.changes, **solver}
            key = self.prepared.base.key(self.prepared.base.scenario(changes))
            self.prepared.refined[case.number] = key
            tasks.append(Task(key, at_of(case), changes, self.prepared.description.plans != "none"))
        self._solve(list({task.key: task for task in tasks}.values()))

    def _solve(self, tasks: Sequence[Task]) -> None:
        todo = [task for task in tasks if not self._finished(task)]
        known = [*self.records.forgotten.values(), *self.records.by_key.values()]
        seconds = {result["at"]: float(result["seconds"]) for result in known}
        todo.sort(key=lambda task: -seconds.get(task.at, 0.0))
        total = len(tasks)
        done = total - len(todo)
        self._tell(done, total)
        if not todo:
            return
        name = self.prepared.name
        if self.client is None:
            packed = pack(self.prepared.base)
            crew = cluster(name, packed, self.workers, self.scheduler)
            self.client = self.hired.enter_context(crew)
        for result, files in solve_all(self.client, name, todo):
            if files:
                self._write_plan(result["key"], files)
            self.records.add(result)
            self.records.by_key[result["key"]] = result
            done += 1
            self._tell(done, total)
            if time.monotonic() - self.written > self.pause:
                self.write_table()

    def _finished(self, task: Task) -> bool:
        plans = self.plan_folders(task.key) if task.wants_plan else []
        figures = self.records.by_key.get(task.key, {}).get("figures")
        return finished(self.records.by_key.get(task.key)) and not (
            figures and any(not folder.exists() for folder in plans)
        )

    def plan_folders(self, key: str) -> list[Path]:
        """Return where the plan with this key goes: a folder for every case that has it."""
        numbers = [c.number for k, c in zip(self.prepared.keys, self.prepared.cases, strict=True)
                   if k == key]  # fmt: skip
        numbers += [number for number, k in self.prepared.refined.items() if k == key]
        return [self.records.path.parent / PLANS / str(number) for number in sorted(set(numbers))]

    def _write_plan(self, key: str, files: dict[str, bytes]) -> None:
        def fill(folder: Path) -> None:
            for name, content in files.items():
                (folder / name).write_bytes(content)

        for folder in self.plan_folders(key):
            folder.parent.mkdir(exist_ok=True)
            replace_folder(folder, PLAN_FOLDER, fill)

    def _tell(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(done, total)

    def table(self) -> Any:
        """Return the table of cases as it stands."""
        p = self.prepared
        return case_table(p.cases, p.keys, p.wrong, self.records.by_key, p.refined)

    def write_table(self) -> None:
        """Write cases.parquet and cases.csv; a large table is written less often."""
        began = time.monotonic()
        write_cases(self.table(), self.records.path.parent)
        self.written = time.monotonic()
        self.pause = max(TABLE_S, (self.written - began) / TABLE_SHARE)
