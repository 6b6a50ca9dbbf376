"""One engine over windows: plan a window, keep its first steps, go on from the state they leave.

    cut       the horizon is cut into windows that overlap, each with the steps of it that are kept
    state     a window begins at the state that the steps before it left (`Component.after`)
    plan      a policy says what happens in the steps kept; it sees the whole window
    keep      their rows are the next ones of the schedule, what is planned beyond them is dropped
    advance   the state moves on to the end of the steps kept
    record    the steps kept are appended to a file, and a run that is killed goes on after them

A `Chain` is one pass over a horizon with one policy. A roll is a single chain of long windows. A
simulation is a chain of days for each policy, side by side; within a day, as under a rule of thumb,
a chain goes step by step.

The record of a window is found again by its key, a hash of the chain's `content` and its number. So
the content must hold all that the windows of a chain depend on.
"""

from __future__ import annotations

import hashlib
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

import pandas as pd

from planner.errors import SolveError
from planner.files.records import Record, Records, record_of
from planner.scenario.scenario import Scenario
from planner.studies.window import advance
from planner.timeseries.horizon import Horizon, Window

Progress = Callable[[int, int], None]
"""Told how many windows are finished, of all chains, and how many there are."""


@dataclass(frozen=True)
class Cut:
    """A window to plan, and the steps of it that are kept."""

    window: Window
    kept: Window


def cut(horizon: Horizon, window_h: float, advance_h: float) -> list[Cut]:
    """Cut a horizon into windows, each so many hours after the last, none beyond its end."""
    window, advance = round(window_h / horizon.step_h), round(advance_h / horizon.step_h)
    return [
        Cut(
            Window(first, min(first + window - 1, horizon.steps)),
            Window(first, min(first + advance - 1, horizon.steps)),
        )
        for first in range(1, horizon.steps + 1, advance)
    ]


def step_by_step(cut: Cut) -> list[Cut]:
    """Cut again: each of the steps kept by itself, with all of the window that follows in view."""
    return [Cut(Window(t, cut.window.last), Window(t, t)) for t in cut.kept]


@dataclass(frozen=True, eq=False)
class KeptSteps:
    """What a policy decided for the steps kept of a window.

    rows: a row a step, the columns of a plan's schedule.
    figures: what is counted in them, such as changes of commitment.
    """

    rows: pd.DataFrame
    status: str = "optimal"
    gap: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)


Policy = Callable[[Scenario, Cut, pd.DataFrame], KeptSteps]
"""Plans a window; it is given the scenario at the state before it, and the rows of the last day."""


@dataclass(eq=False)
class Chain:
    """The windows of a horizon, one after the other.

    recent: the rows of the day before the next window, as far as there are any.
    counted: what the policy counts in each window, by name.
    """

    name: str
    state: Scenario
    cuts: Sequence[Cut]
    policy: Policy
    content: str = ""
    recent: pd.DataFrame = field(default_factory=pd.DataFrame)
    kept: list[KeptSteps] = field(default_factory=list)
    counted: Sequence[str] = ()

    @property
    def next_cut(self) -> Cut | None:
        """The window to plan next; None after the last."""
        return self.cuts[len(self.kept)] if len(self.kept) < len(self.cuts) else None

    @property
    def schedule(self) -> pd.DataFrame:
        """The rows of all steps kept."""
        return pd.concat([kept.rows for kept in self.kept])

    def total(self, figure: str) -> int:
        """Return the sum of a figure over the windows."""
        return int(sum(kept.figures[figure] for kept in self.kept))

    def keep(self, kept: KeptSteps) -> None:
        """Go on after a window."""
        day = round(24 / self.state.horizon.step_h)
        self.state = advance(self.state, kept.rows, self.cuts[len(self.kept)].kept)
        self.recent = pd.concat([self.recent, kept.rows]).iloc[-day:]
        self.kept.append(kept)

    @property
    def key(self) -> str:
        """What tells the next window from any other, whenever it is planned."""
        return hashlib.sha256(f"{self.content} {len(self.kept)}".encode()).hexdigest()[:32]

    def resume(self, records: Records) -> None:
        """Keep the windows that are recorded, up to the first that is not. Raises PlanError."""
        while self.next_cut is not None:
            kept = records.use(self.key, self._keep_recorded)
            if kept is None:
                return

    def _keep_recorded(self, record: Record) -> KeptSteps:
        steps = self.cuts[len(self.kept)].kept
        rows = recorded_rows(record, self.state.horizon.starts[steps.first - 1 : steps.last])
        figures = {name: record["figures"][name] for name in self.counted}
        kept = KeptSteps(rows, record["status"], record["gap"], figures)
        self.keep(kept)
        return kept

    def record(self, kept: KeptSteps, seconds: float) -> Record:
        """Return the record of the next window."""
        first = self.cuts[len(self.kept)].kept.first
        at, rows = f"{self.name} {first}", kept.rows.to_dict("list")
        return record_of(self.key, at, kept.status, seconds, kept.gap, kept.figures, rows=rows)


def recorded_rows(record: Record, steps: pd.Index[Any]) -> pd.DataFrame:
    """Return the rows of a record, one a step.

    Raises:
        LookupError, TypeError, ValueError: it holds no such rows.
    """
    rows = pd.DataFrame(record["rows"], index=steps, dtype=float)
    if rows.isna().any(axis=None):
        raise ValueError("a number is missing")
    return rows


def run(
    chains: Sequence[Chain],
    records: Records | None = None,
    progress: Progress | None = None,
    workers: int = 1,
) -> None:
    """Plan every window of some chains; those that are recorded are taken from their records.

    With several workers chains run beside each other, a window at a time; only this process writes.

    Raises:
        PlanError: a record cannot be written, or does not fit its window.
        SolveError: a worker died, or as the policies.
        KeyboardInterrupt: Ctrl-C; what is finished is recorded.
    """
    windows = sum(len(chain.cuts) for chain in chains)

    def tell() -> None:
        if progress is not None:
            progress(sum(len(chain.kept) for chain in chains), windows)

    if records is not None:
        for chain in chains:
            chain.resume(records)
    tell()
    for chain, kept, seconds in _planned(chains, workers):
        if records is not None:
            records.add(chain.record(kept, seconds))
        chain.keep(kept)
        tell()


def plan_next(
    policy: Policy, state: Scenario, cut: Cut, recent: pd.DataFrame
) -> tuple[KeptSteps, float]:
    """Plan a window, here or in a worker; return what is kept of it and the seconds it took."""
    began = time.perf_counter()
    return policy(state, cut, recent), time.perf_counter() - began


def _planned(chains: Sequence[Chain], workers: int) -> Iterator[tuple[Chain, KeptSteps, float]]:
    """Yield windows as they are finished; the chain keeps each before its next one is begun."""
    if workers == 1 or len(chains) == 1:
        for chain in chains:
            while (cut := chain.next_cut) is not None:
                yield chain, *plan_next(chain.policy, chain.state, cut, chain.recent)
        return
    with ProcessPoolExecutor(min(workers, len(chains)), get_context("spawn"), _deaf) as pool:
        running: dict[Future[tuple[KeptSteps, float]], Chain] = {}

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
            text = "a worker died, for want of memory perhaps; finished days are kept: run it again"
            raise SolveError(text) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _deaf() -> None:
    """Do not hear Ctrl-C, which is meant for the driver."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
