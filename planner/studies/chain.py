"""The rolling horizon: plan a window, execute its first steps, go on from the state they leave.

    cut       the horizon is cut into overlapping windows, each with the steps that are executed
    state     a window begins at the state after the steps before it (`Component.after`)
    plan      a policy decides the executed steps of a window in view of all of it
    execute   their rows are the next ones of the schedule; the rest of the window is dropped
    advance   the state moves on to the end of the executed steps
    record    the executed steps are appended to a file, and a run that is killed resumes after them

A `Chain` is one pass over a horizon with one policy. A roll is a single chain of long windows. A
simulation is a chain of days for each policy, side by side; within a day, as under a rule of thumb,
a chain goes step by step.

A window's record is found by its key, a hash of the chain's `content` and the window's number: the
content must hold all that the windows of a chain depend on.
"""

from __future__ import annotations

import hashlib
import logging
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from planner.errors import SolveError
from planner.files.format_mark import mark_line
from planner.files.output_folder import Content, claim
from planner.files.records import Record, Records, is_foreign, record_of
from planner.files.scratch import beside
from planner.log import logger
from planner.message import Message
from planner.plan.output import Output
from planner.plan_tables.files import PLAN_FOLDER
from planner.scenario.scenario import Scenario
from planner.studies.window import advance
from planner.timeseries.horizon import Horizon, Window

LOG = logger(__name__)
Progress = Callable[[int, int], None]
"""Called with the number of finished windows of all chains, and of all windows."""


@dataclass(frozen=True)
class Cut:
    """A window to plan, and its steps that are executed."""

    window: Window
    executed: Window


def cut(horizon: Horizon, window_h: float, advance_h: float) -> list[Cut]:
    """Cut a horizon into windows that begin every `advance_h` hours and end within it.

    Lengths of whole days follow the clock where it changes (`Horizon.steps_after`).
    """
    cuts, first = [], 1
    while first <= horizon.steps:
        planned, executed = (
            Window(first, first + horizon.steps_after(first, hours) - 1)
            for hours in (window_h, advance_h)
        )
        cuts.append(Cut(planned, executed))
        first = executed.last + 1
    return cuts


def step_by_step(cut: Cut) -> list[Cut]:
    """Return a window for each executed step of another, from that step to the same end."""
    return [Cut(Window(t, cut.window.last), Window(t, t)) for t in cut.executed]


@dataclass(frozen=True, eq=False)
class ExecutedSteps:
    """The decisions of a policy for the executed steps of a window.

    rows: one per step, the columns of a plan's schedule.
    figures: what the policy counts, such as changes of commitment.
    """

    rows: pd.DataFrame
    status: str = "optimal"
    gap: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)


Policy = Callable[[Scenario, Cut, pd.DataFrame], ExecutedSteps]
"""Plans a window, from the scenario at the state before it and the rows of the day before it."""


@dataclass(eq=False)
class Chain:
    """The windows of a horizon, one after the other.

    recent: the rows of the day before the next window, as far as there are any.
    counted: the names of the figures that the policy counts in each window.
    """

    name: str
    state: Scenario
    cuts: Sequence[Cut]
    policy: Policy
    content: str = ""
    recent: pd.DataFrame = field(default_factory=pd.DataFrame)
    executed: list[ExecutedSteps] = field(default_factory=list)
    counted: Sequence[str] = ()

    @property
    def next_cut(self) -> Cut | None:
        """The window to plan next; None after the last."""
        return next(iter(self.cuts[len(self.executed) :]), None)

    @property
    def schedule(self) -> pd.DataFrame:
        """The rows of all executed steps."""
        return pd.concat([steps.rows for steps in self.executed])

    def total(self, figure: str) -> int:
        """Return the sum of a figure over the windows."""
        return int(sum(steps.figures[figure] for steps in self.executed))

    def execute(self, steps: ExecutedSteps) -> None:
        """Execute the steps decided in the next window, and advance the state."""
        horizon, last = self.state.horizon, self.cuts[len(self.executed)].executed.last
        step = pd.Timedelta(minutes=horizon.step_min)
        day = (horizon.end_of(last) - horizon.day_before(last)) // step
        self.state = advance(self.state, steps.rows, self.cuts[len(self.executed)].executed)
        self.recent = pd.concat([self.recent, steps.rows]).iloc[-day:]
        self.executed.append(steps)

    @property
    def key(self) -> str:
        """The key of the next window's record."""
        return hashlib.sha256(f"{self.content} {len(self.executed)}".encode()).hexdigest()[:32]

    def resume(self, records: Records) -> None:
        """Execute the recorded windows, up to the first without a record. Raises PlanError."""
        while self.next_cut is not None:
            if records.use(self.key, self._execute_recorded) is None:
                return

    def _execute_recorded(self, record: Record) -> ExecutedSteps:
        window = self.cuts[len(self.executed)].executed
        rows = recorded_rows(record, self.state.horizon.starts[window.first - 1 : window.last])
        figures = {name: record["figures"][name] for name in self.counted}
        steps = ExecutedSteps(rows, record["status"], record["gap"], figures)
        self.execute(steps)
        return steps

    def record(self, steps: ExecutedSteps, seconds: float) -> Record:
        """Return the record of the next window."""
        first = self.cuts[len(self.executed)].executed.first
        at, rows = f"{self.name} {first}", steps.rows.to_dict("list")
        return record_of(self.key, at, steps.status, seconds, steps.gap, steps.figures, rows=rows)


def recorded_rows(record: Record, steps: pd.Index[Any]) -> pd.DataFrame:
    """Return the rows of a record, one per step.

    Raises:
        LookupError, TypeError, ValueError: they are missing or incomplete.
    """
    rows = pd.DataFrame(record["rows"], index=steps, dtype=float)
    if rows.isna().any(axis=None):
        raise ValueError  # a number is missing
    return rows


@contextmanager
def recording(
    out: str | Path | None,
    content: Content,
    file_of: Callable[[Path], Path],
    damage: str,
    *,
    fresh: bool,
) -> Iterator[tuple[Path | None, Records | None]]:
    """Claim the folder of a run and open its records; both None without a folder.

    Where nothing is recorded, no file is left, nor its folder if there is nothing else in it.

    Args:
        out: the folder.
        content: what it may hold.
        file_of: returns the file of records of a claimed folder.
        damage: as in `read_records`.
        fresh: forget earlier records.
    """
    if out is None:
        yield None, None
        return
    with claim(out, content) as target:
        file = file_of(target)
        with Records(file, damage, fresh=fresh) as records:
            try:
                yield target, records
            finally:
                with suppress(OSError):  # removed with a finished run
                    if file.stat().st_size <= len(mark_line()) and [*file.parent.iterdir()] == [
                        file
                    ]:
                        file.unlink()
                        file.parent.rmdir()


@contextmanager
def window_records(
    output: Output | None, key: str, damage: str, *, fresh: bool
) -> Iterator[tuple[Records | None, Callable[[], None]]]:
    """Open `.NAME.windows/KEY.jsonl`, the records of windows beside a plan folder NAME.

    Yields them, None without a folder, and what removes them once the plan is written.
    """

    def file_of(target: Path) -> Path:
        return beside(target, "windows") / f"{key}.jsonl"

    folder = None if output is None else output.folder
    with recording(folder, PLAN_FOLDER, file_of, damage, fresh=fresh) as (target, records):

        def remove() -> None:
            if target is None:
                return
            windows = beside(target, "windows")
            with suppress(OSError):  # what others put there stays
                for file in windows.glob("*.jsonl"):
                    if not is_foreign(file):
                        file.unlink()
                windows.rmdir()

        yield records, remove


def run(
    chains: Sequence[Chain],
    records: Records | None = None,
    progress: Progress | None = None,
    workers: int = 1,
) -> None:
    """Run chains to their end; recorded windows are taken from their records.

    With several workers chains run in parallel, a window at a time; only this process writes.

    Raises:
        PlanError: a record cannot be written, or does not fit its window.
        SolveError: a worker died, or as the policies.
        KeyboardInterrupt: Ctrl-C; what is finished is recorded.
    """
    windows = sum(len(chain.cuts) for chain in chains)

    def report() -> None:
        if progress is not None:
            progress(sum(len(chain.executed) for chain in chains), windows)

    if records is not None:
        for chain in chains:
            chain.resume(records)
    report()
    for chain, steps, seconds in _planned(chains, workers):
        if records is not None:
            records.add(chain.record(steps, seconds))
        chain.execute(steps)
        report()
        LOG.log(
            logging.INFO if len(steps.rows) > 1 else logging.DEBUG,
            Message(
                "{name}: window {n} of {count}, {status} ({seconds:.1f} s)",
                name=chain.name, n=len(chain.executed), count=len(chain.cuts),
                status=steps.status, seconds=seconds,
            ),
        )  # fmt: skip


def plan_next(
    policy: Policy, state: Scenario, cut: Cut, recent: pd.DataFrame
) -> tuple[ExecutedSteps, float]:
    """Plan a window, here or in a worker; return its executed steps and the runtime in seconds."""
    began = time.perf_counter()
    return policy(state, cut, recent), time.perf_counter() - began


def _planned(chains: Sequence[Chain], workers: int) -> Iterator[tuple[Chain, ExecutedSteps, float]]:
    """Yield windows as they are finished; each must be executed before the chain's next one."""
    if workers == 1 or len(chains) == 1:
        for chain in chains:
            while (cut := chain.next_cut) is not None:
                yield chain, *plan_next(chain.policy, chain.state, cut, chain.recent)
        return
    with ProcessPoolExecutor(
        min(workers, len(chains)), get_context("spawn"), _ignore_interrupts
    ) as pool:
        running: dict[Future[tuple[ExecutedSteps, float]], Chain] = {}

        def submit(chain: Chain) -> None:
            if (cut := chain.next_cut) is not None:
                task = pool.submit(plan_next, chain.policy, chain.state, cut, chain.recent)
                running[task] = chain

        try:
            for chain in chains:
                submit(chain)
            while running:
                for task in wait(running, return_when=FIRST_COMPLETED).done:
                    chain = running.pop(task)
                    yield chain, *task.result()
                    submit(chain)
        except BrokenProcessPool:
            raise SolveError(
                Message(
                    "a worker died, perhaps out of memory; finished windows are kept: run it again"
                )
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _ignore_interrupts() -> None:
    """Ignore Ctrl-C in a worker: the driver handles it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
