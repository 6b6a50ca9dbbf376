"""Tasks on workers: taken as they are needed, every one answered, stage after stage."""

from __future__ import annotations

import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import pytest
from distributed import Client, Future, LocalCluster
from distributed.comm import CommClosedError

from planner.errors import InfeasibleError, SolveError
from planner.message import Message
from planner.studies.workers import TASKS_PER_WORKER, _quiet_children, cluster, run_tasks

SET_UP: list[str] = []


@dataclass(frozen=True)
class Square:
    key: str
    number: int
    content: bytes = b""


def squared(task: Square) -> int:
    if task.number < 0:
        raise InfeasibleError(Message("no root of {n}", n=task.number), {"status": "infeasible"})
    return task.number**2


@contextmanager
def listed(name: str) -> Iterator[None]:
    SET_UP.append(name)
    yield
    SET_UP.remove(name)


def broken() -> None:
    raise ValueError("another planner")


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """A scheduler with a worker in this process."""
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
    ) as local:
        yield local.scheduler_address


@pytest.fixture
def client(scheduler: str) -> Iterator[Client]:
    with cluster("squares", None, scheduler) as client:
        yield client


def test_ctrl_c_while_workers_start_is_heard_once_they_have() -> None:
    press = "[os.kill(to, signal.SIGINT) for to in (os.getpid(), os.getppid())]"
    child = [sys.executable, "-c", f"import os, signal; {press}; print('alive')"]
    heard_by, ended = signal.getsignal(signal.SIGINT), []

    def start() -> None:
        with _quiet_children():
            ended.append(subprocess.run(child, capture_output=True))

    with pytest.raises(KeyboardInterrupt):
        start()
    assert [process.stdout for process in ended] == [b"alive\n"]
    assert signal.getsignal(signal.SIGINT) is heard_by


def test_tasks_are_made_as_workers_need_them(client: Client) -> None:
    made = []

    def tasks() -> Iterator[Square]:
        for number in range(10):
            made.append(number)
            yield Square(str(number), number)

    ended = 0
    for task, result in run_tasks(client, "lazy", squared, tasks()):
        assert result == task.number**2
        assert len(made) <= ended + TASKS_PER_WORKER
        ended += 1
    assert ended == len(made) == 10


def test_an_error_of_a_task_is_its_result(client: Client) -> None:
    tasks = [Square("good", 2), Square("bad", -1), Square("better", 3)]
    results = {task.key: result for task, result in run_tasks(client, "error", squared, tasks)}
    error = results.pop("bad")
    assert results == {"good": 4, "better": 9}
    assert isinstance(error, InfeasibleError)
    assert error.message.template == "no root of {n}"
    assert error.diagnosis == {"status": "infeasible"}


def test_stages_follow_each_other_also_after_one_that_was_left(client: Client) -> None:
    tasks = [Square(str(number), number) for number in range(6)]
    for left in range(2):
        stage = run_tasks(client, f"left {left}", squared, tasks)
        next(stage)
        stage.close()
    for stage_number in range(2):
        stage = run_tasks(client, f"whole {stage_number}", squared, tasks)
        assert sorted(result for _, result in stage) == [0, 1, 4, 9, 16, 25]


def test_a_lost_scheduler_is_an_error(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(self: Future[int]) -> int:
        raise CommClosedError

    monkeypatch.setattr(Future, "result", lost)
    with pytest.raises(SolveError, match="the scheduler was lost"):
        next(run_tasks(client, "lost", squared, [Square("only", 1)]))


def test_a_large_task_is_sent_without_a_warning(client: Client) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        task = Square("large", 3, content=bytes(12_000_000))
        assert [result for _, result in run_tasks(client, "large", squared, [task])] == [9]


def test_no_tasks_are_no_results(client: Client) -> None:
    assert list(run_tasks(client, "none", squared, [])) == []


def test_an_error_while_tasks_are_made_is_the_callers(client: Client) -> None:
    def tasks() -> Iterator[Square]:
        yield Square("first", 1)
        raise KeyError("second")

    with pytest.raises(KeyError, match="second"):
        list(run_tasks(client, "made wrong", squared, tasks()))
    assert [r for _, r in run_tasks(client, "next", squared, [Square("first", 1)])] == [1]


def test_workers_are_set_up_and_left(scheduler: str) -> None:
    with cluster("setup", None, scheduler, partial(listed, "setup")):
        assert SET_UP == ["setup"]
    assert SET_UP == []


def test_a_worker_that_cannot_be_set_up_is_an_error(scheduler: str) -> None:
    with (
        pytest.raises(SolveError, match=r"does it run the same planner\? \(another planner\)"),
        cluster("broken", None, scheduler, broken),
    ):
        pass


def test_a_worker_with_another_version_is_an_error(
    scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planner.studies.workers.versions", lambda: {"planner": "0"})
    with pytest.raises(SolveError, match="highspy"), cluster("other", None, scheduler):
        pass
