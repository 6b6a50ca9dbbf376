"""Solving in threads: side by side, independent of each other, silent, and stopped by Ctrl-C."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event, get_ident
from typing import Any

import numpy as np
import pytest

import planner
from planner.solver.highs import Result, version
from planner.solver.program import Program
from planner.solver.session import Session
from tests.support.build import HANGS_S
from tests.support.programs import program

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"
TINY = sorted(path.name for path in SCENARIOS.glob("tiny_*"))
THREADS = 4


def outcome(name: str) -> tuple[Any, ...]:
    plan = planner.solve(planner.load(SCENARIOS / name))
    exact = {key: value for key, value in plan.summary.items() if key != "runtimes_s"}
    return exact, plan.schedule.to_dict(), plan.ledger.to_dict(), plan.allocation.to_dict()


@pytest.mark.slow
def test_plans_made_in_threads_are_those_made_one_by_one():
    alone = {name: outcome(name) for name in TINY}
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(outcome, TINY * 2))
    assert together == [alone[name] for name in TINY * 2]
    assert gc.isenabled()


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]):
    version()
    outcome(TINY[0])
    with ThreadPoolExecutor(1) as pool:
        pool.submit(outcome, TINY[1]).result()
    assert capfd.readouterr() == ("", "")


def hard_program(seed: int = 0) -> Program:
    """Return a knapsack of 60 things with 40 limits, which takes minutes."""
    random = np.random.default_rng(seed)
    weights = random.integers(1, 100, (40, 60)).tolist()
    rows = [(weight, -np.inf, 0.4 * sum(weight)) for weight in weights]
    value = random.integers(1, 100, 60).tolist()
    return program([-v for v in value], rows, [1] * 60, integer=list(range(60)))


def easy_program(k: int) -> Program:
    """Minimise -x with x <= 3 + k."""
    return program([-1], [([1], -np.inf, 3 + k)], [np.inf])


def before_each_run(monkeypatch: pytest.MonkeyPatch, action: Callable[[Session], object]) -> None:
    """Take an action in the thread of the solver before it solves."""
    run = Session._run_here

    def acting(session: Session, *rest: Any) -> None:
        action(session)
        run(session, *rest)

    monkeypatch.setattr(Session, "_run_here", acting)


def solved(session: Session) -> Result:
    return session.run(time_limit_s=HANGS_S)


def test_solvers_run_at_the_same_time(monkeypatch: pytest.MonkeyPatch):
    """Each waits until all of them run."""
    all_run = Barrier(THREADS, timeout=HANGS_S)
    before_each_run(monkeypatch, lambda _: all_run.wait())
    sessions = [Session(easy_program(k), threads=1 + k % 2) for k in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(solved, sessions))
    assert [result.objective for result in results] == [-3, -4, -5, -6]


def ctrl_c(main: int) -> None:
    signal.pthread_kill(main, signal.SIGINT)


def test_ctrl_c_stops_the_solver_of_the_main_thread_alone(monkeypatch: pytest.MonkeyPatch):
    stopped, main = Session(hard_program()), get_ident()
    stopped.integrality(stopped.program.integer)
    other, interrupted = Session(easy_program(0)), Event()

    def action(session: Session) -> None:
        if session is stopped:
            ctrl_c(main)
            assert session._watch.stop.wait(HANGS_S)
            interrupted.set()
        else:
            assert interrupted.wait(HANGS_S)

    before_each_run(monkeypatch, action)
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(solved, other)
        assert solved(stopped).status == "interrupted"
        assert beside.result().status == "optimal"
    assert (stopped.spent.stopped, other.spent.stopped) == (True, False)


def test_a_run_after_ctrl_c_is_whole(monkeypatch: pytest.MonkeyPatch):
    session, main = Session(easy_program(0)), get_ident()
    with monkeypatch.context() as patch:
        before_each_run(patch, lambda s: (ctrl_c(main), s._watch.stop.wait(HANGS_S)))
        solved(session)
    assert session.spent.stopped
    assert (solved(session).status, solved(session).objective) == ("optimal", -3)


def test_a_second_ctrl_c_does_not_wait_for_the_solver(monkeypatch: pytest.MonkeyPatch):
    session, main, caught = Session(easy_program(0)), get_ident(), Event()

    def action(session: Session) -> None:
        ctrl_c(main)
        session._watch.stop.wait(HANGS_S)
        ctrl_c(main)
        caught.wait(HANGS_S)

    before_each_run(monkeypatch, action)
    with pytest.raises(KeyboardInterrupt):
        solved(session)
    caught.set()


def test_an_error_in_the_solver_reaches_the_caller(monkeypatch: pytest.MonkeyPatch):
    session = Session(easy_program(0))

    class Broken:
        """HiGHS, out of memory when it runs."""

        def __init__(self, highs: Any) -> None:
            self.highs = highs

        def __getattr__(self, name: str) -> Any:
            return getattr(self.highs, name)

        def run(self) -> None:
            raise MemoryError

    monkeypatch.setattr(session, "_highs", Broken(session._highs))
    with pytest.raises(MemoryError):
        solved(session)
