"""A sweep: many cases of one base scenario, solved by workers, each result stored as it comes.

1. Read the sweep file and the base, design the cases, check every one of them in full.
2. Claim the folder; cases whose key has a result already are finished, equal cases are one.
3. Workers solve the rest, those that took longest in earlier runs first; each result is appended
   and synced to disk, and the table of all cases is rewritten from time to time.
4. The cases that `refine` names are solved again, more exactly.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from planner.errors import PlanError
from planner.files.formats import checked_formats
from planner.files.output_folder import claim, file_name, replace_folder
from planner.files.records import Records
from planner.log import logger
from planner.message import Message
from planner.plan_tables.files import PLAN_FOLDER
from planner.studies.sweep_case import Task, failed, pack, solve_case, unpacked
from planner.studies.sweep_plan import CheckedSweep, SweepLike, cases_to_refine, prepare
from planner.studies.workers import cluster, run_tasks
from planner.sweeps.result import (
    DAMAGE,
    PLANS,
    RESULTS,
    SWEEP,
    SWEEP_FOLDER,
    TABLE_FORMATS,
    Sweep,
    case_table,
    finished,
    read_description,
    write_cases,
    write_description,
)
from planner.sweeps.sweep_file import SweepFile

LOG = logger(__name__)
TABLE_S = 10.0  # minimum time between two writings of the table
TABLE_SHARE = 0.05  # maximum share of the driver's time for writing it
SOLVER = {"gap", "time_limit_s"}

Progress = Callable[[int, int], None]
"""Called with the number of distinct cases finished and their total."""


def sweep(
    sweep: SweepLike,
    out: str | Path | None = None,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    fresh: bool = False,
    formats: Sequence[str] = ("csv",),
    progress: Progress | None = None,
) -> Sweep:
    """Solve every case of a sweep and write its folder.

    Args:
        sweep: a sweep file, or a mapping such as one holds, whose paths are relative to the working
            folder.
        out: the sweep folder [sweeps/NAME]; results of this sweep in it are used again.
        workers: processes of the local cluster [one a core].
        scheduler: address of a Dask scheduler to use instead.
        fresh: forget earlier results.
        formats: of the table of cases: csv, which is always written, parquet; several as those of
            `Output`.
        progress: called whenever a case is finished.

    Returns:
        The table of cases; after Ctrl-C with the results so far, and `interrupted`.

    Raises:
        ScenarioError: the sweep, its base or one of its cases is wrong; nothing was solved.
        PlanError: the folder holds something else or cannot be written.
        SolveError: the scheduler or its workers were lost.
    """
    return run(
        prepare(sweep), out, workers, scheduler, fresh=fresh, formats=formats, progress=progress
    )


def default_folder(description: SweepFile) -> Path:
    """Return the folder that a sweep is written to by default."""
    return Path("sweeps") / file_name(description.name)


def run(
    checked_sweep: CheckedSweep,
    out: str | Path | None,
    workers: int | None,
    scheduler: str | None,
    *,
    fresh: bool = False,
    formats: Sequence[str] = ("csv",),
    progress: Progress | None = None,
) -> Sweep:
    """Solve a checked sweep. Returns and raises as `sweep`."""
    chosen = checked_formats(formats, TABLE_FORMATS)
    folder = Path(out) if out is not None else default_folder(checked_sweep.description)
    with claim(folder, SWEEP_FOLDER) as target:
        name, interrupted = checked_sweep.description.name, False
        if (target / SWEEP).exists() and (stored := read_description(target).name) != name:
            raise PlanError(Message(
                "{path} holds the sweep {other!r}, not {name!r}; choose another folder",
                path=target, other=stored, name=name,
            ))  # fmt: skip
        with Records(target / RESULTS, DAMAGE, fresh=fresh) as records:
            write_description(checked_sweep.description, target)
            driver = _Driver(
                checked_sweep,
                records,
                workers,
                scheduler,
                progress or (lambda *_: None),
                chosen,
            )
            try:
                with driver.resources:
                    driver.solve_cases()
                    driver.refine()
            except KeyboardInterrupt:
                interrupted = True
            finally:
                driver.write_table()
        return Sweep(driver.table(), checked_sweep.description, folder, interrupted)


@dataclass
class _Driver:
    """The driver of a sweep: sends cases to workers and stores their results."""

    sweep: CheckedSweep
    records: Records
    workers: int | None
    scheduler: str | None
    progress: Progress
    formats: tuple[str, ...]
    resources: ExitStack = field(default_factory=ExitStack)
    client: Any = None
    written: float = -TABLE_S
    pause: float = TABLE_S

    def solve_cases(self) -> None:
        """Solve every distinct case without a result."""
        plans = self.sweep.description.plans == "all"
        self._solve([
            Task(key, case.at, case.changes, plans) for key, case in self.sweep.distinct.items()
        ])  # fmt: skip

    def refine(self) -> None:
        """Solve the best cases again, more exactly."""
        refine, base = self.sweep.description.refine, self.sweep.base
        if refine is None:
            return
        exact = base.exact | refine.model_dump(include=SOLVER, exclude_none=True)
        solver = {f"solver.{name}": value for name, value in exact.items()}
        plans, tasks = self.sweep.description.plans != "none", {}
        for case in cases_to_refine(self.sweep, self.records.by_key):
            changes = {**case.changes, **solver}
            key = base.key(base.scenario(changes))
            self.sweep.refined[case.number] = key
            tasks[key] = Task(key, case.at, changes, plans, wants_page=plans)
        self._solve(list(tasks.values()))

    def _solve(self, tasks: Sequence[Task]) -> None:
        waiting = [task for task in tasks if not self._finished(task)]
        known = [*self.records.forgotten.values(), *self.records.by_key.values()]
        seconds = {result["at"]: float(result["seconds"]) for result in known}
        waiting.sort(key=lambda task: -seconds.get(task.at, 0.0))
        total = len(tasks)
        done = total - len(waiting)
        self.progress(done, total)
        if not waiting:
            return
        name = self.sweep.name
        if self.client is None:
            setup = partial(unpacked, name, pack(self.sweep.base))
            workers = cluster(name, self.workers, self.scheduler, setup)
            self.client = self.resources.enter_context(workers)
        for task, solved in run_tasks(self.client, name, partial(solve_case, name), waiting):
            result, files = failed(task, solved) if isinstance(solved, Exception) else solved
            if files:
                self._write_plan(result["key"], files)
            self.records.add(result)
            self.records.by_key[result["key"]] = result
            done += 1
            self.progress(done, total)
            LOG.info(Message(
                "{done} of {total} cases: {case}, {status} ({seconds:.1f} s)",
                done=done, total=total, case=result["at"], status=result["status"],
                seconds=result["seconds"],
            ))  # fmt: skip
            if time.monotonic() - self.written > self.pause:
                self.write_table()

    def _finished(self, task: Task) -> bool:
        result = self.records.by_key.get(task.key)
        lacks_plan = task.wants_plan and result is not None and result["figures"] and not all(
            folder.exists() for folder in self.plan_folders(task.key)
        )  # fmt: skip
        return finished(result) and not lacks_plan

    def plan_folders(self, key: str) -> list[Path]:
        """Return the folders of the plan with this key: one for every case that has it."""
        numbers = {c.number for k, c in zip(self.sweep.keys, self.sweep.cases, strict=True)
                   if k == key}  # fmt: skip
        numbers |= {number for number, k in self.sweep.refined.items() if k == key}
        return [self.records.path.parent / PLANS / str(number) for number in sorted(numbers)]

    def _write_plan(self, key: str, files: dict[str, bytes]) -> None:
        def fill(folder: Path) -> None:
            for name, content in files.items():
                (folder / name).write_bytes(content)

        for folder in self.plan_folders(key):
            folder.parent.mkdir(exist_ok=True)
            replace_folder(folder, PLAN_FOLDER, fill)

    def table(self) -> Any:
        """Return the table of cases with the results so far."""
        s = self.sweep
        return case_table(s.cases, s.keys, s.wrong, self.records.by_key, s.refined)

    def write_table(self) -> None:
        """Write the table of cases; a large one is written less often."""
        began = time.monotonic()
        write_cases(self.table(), self.records.path.parent, self.formats)
        self.written = time.monotonic()
        self.pause = max(TABLE_S, (self.written - began) / TABLE_SHARE)
