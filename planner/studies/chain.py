"""The days of a simulation, policy by policy: those that are finished are taken from the store.

A policy is a chain: a day begins where the one before it has ended. With several workers the chains
run beside each other, a day at a time; only the driver writes.
"""

from __future__ import annotations

import hashlib
import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from importlib.metadata import version
from multiprocessing import get_context
from typing import Any

import pandas as pd

from planner.errors import Problem, ScenarioError, SolveError
from planner.scenario.plain_data import plain_scenario
from planner.scenario.scenario import Scenario
from planner.studies.policy import POLICIES, STOCHASTIC, Day, Task, run_day
from planner.studies.window import Ahead, advance
from planner.sweeps.sweep_folder import Store
from planner.timeseries.horizon import Window

VERSIONS = ("planner", "highspy")

Progress = Callable[[int, int], None]
"""Told the number of days finished, of all policies, and their total."""


@dataclass(frozen=True)
class Settings:
    """The options of a simulation, in steps."""

    every: int
    window: int
    policies: tuple[str, ...]
    members: int
    seed: int
    workers: int
    step_h: float

    @classmethod
    def checked(
        cls,
        scenario: Scenario,
        every_h: float,
        window_h: float,
        policies: Sequence[str],
        members: int,
        seed: int,
        workers: int,
    ) -> Settings:
        """Return the options. Raises ScenarioError with every one that is wrong."""
        step_h, problems = scenario.horizon.step_h, []
        for name, hours in (("every_h", every_h), ("window_h", window_h)):
            if not step_h <= hours <= 26352 or abs(hours / step_h - round(hours / step_h)) > 1e-9:
                said = f"must be a whole number of {scenario.horizon.step_min} min steps, in hours"
                problems.append(Problem(f"{said}, is {hours:g}", name))
        if window_h < every_h:
            said = f"must be every_h {every_h:g} or more, is {window_h:g}"
            problems.append(Problem(said, "window_h"))
        known = ", ".join(POLICIES)
        problems += [
            Problem(f"must be some of {known}, is {policy!r}", "policies")
            for policy in dict.fromkeys(policies)
            if policy not in POLICIES
        ]
        if not policies:
            problems.append(Problem(f"must be some of {known}, is empty", "policies"))
        for name, number, least in (
            ("members", members, 1),
            ("workers", workers, 1),
            ("seed", seed, 0),
        ):
            if number < least:
                problems.append(Problem(f"must be {least} or more, is {number}", name))
        if problems:
            raise ScenarioError(problems)
        ordered = tuple(policy for policy in POLICIES if policy in policies)
        every, window = round(every_h / step_h), round(window_h / step_h)
        return cls(every, window, ordered, members, seed, workers, step_h)

    def told(self) -> dict[str, Any]:
        """Return the options as people gave them."""
        return {
            "every_h": self.every * self.step_h, "window_h": self.window * self.step_h,
            "policies": list(self.policies), "members": self.members, "seed": self.seed,
        }  # fmt: skip


@dataclass
class Chain:
    """The days of one policy, one after the other."""

    policy: str
    scenario: Scenario
    settings: Settings
    content: str
    ahead: Ahead
    rows: list[pd.DataFrame] = field(default_factory=list)
    changes: int = 0
    forced: int = 0
    state: Scenario = field(init=False)
    done: int = 0

    def __post_init__(self) -> None:
        self.state = self.scenario

    def task(self) -> Task | None:
        """Return the next day; None after the last."""
        steps = self.scenario.horizon.steps
        first = self.done + 1
        if first > steps:
            return None
        last = min(self.done + self.settings.every, steps)
        until = min(self.done + self.settings.window, steps)
        day = round(24 / self.settings.step_h)
        past = pd.concat(self.rows).iloc[-day:] if self.rows else pd.DataFrame()
        return Task(
            self.policy, self.state, past, first, last, until,
            self.settings.seed, self.settings.members, self.ahead,
        )  # fmt: skip

    def key(self) -> str:
        """Return what tells the next day from any other, whenever it is simulated."""
        more = [self.settings.seed, self.settings.every, self.settings.window, self.done]
        more += [self.settings.members] if self.policy == STOCHASTIC else []
        return hashlib.sha256(f"{self.content}{self.policy}{more}".encode()).hexdigest()[:32]

    def take(self, day: Day) -> None:
        """Go on after a day."""
        kept = Window(self.done + 1, self.done + len(day.rows))
        self.state = advance(self.state, day.rows, kept)
        self.rows.append(day.rows)
        self.changes += day.changes
        self.forced += day.forced
        self.done = kept.last


def run(
    scenario: Scenario,
    settings: Settings,
    ahead: Mapping[str, Ahead],
    store: Store | None,
    progress: Progress | None,
) -> dict[str, Chain]:
    """Simulate every policy to the end; days that the store holds are taken from it.

    `ahead` is what the windows of each policy count on.
    """
    plain = json.dumps(plain_scenario(scenario), sort_keys=True)
    content = plain + repr([(name, version(name)) for name in VERSIONS])
    chains = {p: Chain(p, scenario, settings, content, ahead[p]) for p in settings.policies}
    count = -(-scenario.horizon.steps // settings.every) * len(chains)
    finished = 0

    def tell(more: int = 0) -> None:
        nonlocal finished
        finished += more
        if progress is not None:
            progress(finished, count)

    for chain in chains.values():
        while store is not None and chain.task() is not None and store.finished(chain.key()):
            chain.take(_read_day(store.results[chain.key()], scenario, chain.done))
            tell(1)
    tell()
    began = {name: time.perf_counter() for name in chains}
    for chain, day in _simulated(list(chains.values()), settings.workers):
        if store is not None:
            seconds = time.perf_counter() - began[chain.policy]
            store.add(_result(chain, day, seconds))
        chain.take(day)
        began[chain.policy] = time.perf_counter()
        tell(1)
    return chains


def _simulated(chains: list[Chain], workers: int) -> Iterator[tuple[Chain, Day]]:
    """Yield days as they are finished; each is taken by its chain before the next is asked for."""
    if workers == 1 or len(chains) == 1:
        for chain in chains:
            while (task := chain.task()) is not None:
                yield chain, run_day(task)
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(chains)), context, _deaf) as pool:
        running: dict[Future[Day], Chain] = {}

        def submit(chain: Chain) -> None:
            if (task := chain.task()) is not None:
                running[pool.submit(run_day, task)] = chain

        try:
            for chain in chains:
                submit(chain)
            while running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    chain = running.pop(future)
                    yield chain, future.result()
                    submit(chain)
        except BrokenProcessPool:
            said = "a worker died, for want of memory perhaps; finished days are kept: run it again"
            raise SolveError(said) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _deaf() -> None:
    """Do not hear Ctrl-C, which is meant for the driver."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _result(chain: Chain, day: Day, seconds: float) -> dict[str, Any]:
    rows = {str(name): day.rows[name].tolist() for name in day.rows.columns}
    return {
        "key": chain.key(), "at": f"{chain.policy} {chain.done + 1}", "status": "optimal",
        "gap": None, "message": "", "seconds": round(seconds, 4),
        "figures": {"changes": day.changes, "forced": day.forced}, "rows": rows,
    }  # fmt: skip


def _read_day(result: dict[str, Any], scenario: Scenario, done: int) -> Day:
    rows = pd.DataFrame(result["rows"])
    rows.index = scenario.horizon.starts[done : done + len(rows)]
    figures = result["figures"]
    return Day(rows, int(figures["changes"]), int(figures["forced"]))
