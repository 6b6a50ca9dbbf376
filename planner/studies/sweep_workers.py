"""Workers for a sweep: a local cluster of processes, or an existing Dask scheduler.

Each worker receives the base scenario once, when it joins; a case is a few changed values.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from planner.errors import SolveError, wrong
from planner.files.records import record_of
from planner.message import Message
from planner.studies.sweep_case import Task, solve_case
from planner.sweeps.result import Result

if TYPE_CHECKING:
    from distributed import Client

CASES_PER_WORKER = 2  # one runs, one waits, so that the worker is never idle
MAX_DEATHS = 1  # of workers that run a case before it is tried alone
WORKER_TIMEOUT_S = 60  # for the first worker
SCHEDULER_TIMEOUT_S = 10.0
COUNT_EVERY_S = 2.0  # how often workers are counted
TRACKER_WARNING = "ignore::UserWarning:multiprocessing.resource_tracker"


def cores() -> int:
    """Return the cores this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def cluster(
    name: str, packed: bytes, workers: int | None, scheduler: str | None
) -> Iterator[Client]:
    """Yield a client whose workers have the base of the sweep `name`.

    Raises:
        ScenarioError: Dask is not installed, or no scheduler answers.
        SolveError: no worker joins, or one runs another planner.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError:
        message = Message("a sweep needs Dask: pip install 'planner[cluster]'")
        raise wrong("planner sweep", message) from None
    settings = {
        "distributed.scheduler.allowed-failures": MAX_DEATHS,
        "distributed.comm.timeouts.connect": f"{SCHEDULER_TIMEOUT_S}s",
    }
    local: LocalCluster | None = None
    client: Client | None = None
    with dask.config.set(settings), _silent():
        try:
            with _quiet_children():
                if scheduler is None:
                    local = LocalCluster(
                        n_workers=workers or cores(),
                        threads_per_worker=1,
                        processes=True,
                        dashboard_address="127.0.0.1:0",
                        scheduler_kwargs={"dashboard": False},
                        memory_limit=0,
                        silence_logs=logging.CRITICAL,
                    )
                try:
                    address = scheduler if local is None else local
                    client = Client(address, timeout=SCHEDULER_TIMEOUT_S)
                except (OSError, ValueError, TimeoutError):
                    message = Message("no Dask scheduler answers at {text}", text=scheduler)
                    raise wrong("--scheduler", message) from None
            _send_base(client, name, packed, own=local is not None)
            yield client
        finally:
            with suppress(OSError, TimeoutError, RuntimeError):
                if client is not None and local is None:
                    client.unregister_worker_plugin(name)
                if client is not None:
                    client.close(timeout=5)
            if local is not None:
                local.close(timeout=10)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the cluster's own log off the terminal; the planner reports what matters."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _quiet_children() -> Iterator[None]:
    """Start processes that ignore Ctrl-C, which is meant for the driver alone.

    Python's resource tracker does not warn of what a killed worker left.
    """
    main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [before, TRACKER_WARNING]))
    try:
        yield
    finally:
        if main:
            signal.signal(signal.SIGINT, handler)
        if before is None:
            os.environ.pop("PYTHONWARNINGS", None)  # another sweep may have ended first
        else:
            os.environ["PYTHONWARNINGS"] = before


def _send_base(client: Client, name: str, packed: bytes, *, own: bool) -> None:
    from distributed import WorkerPlugin

    class BasePlugin(WorkerPlugin):
        """Unpacks the base on a worker when it joins, also on one that replaces a dead one."""

        def setup(self, worker: Any) -> None:  # noqa: ARG002
            if own:  # our own worker that replaces a dead one ignores Ctrl-C too
                with suppress(ValueError):  # not in the main thread
                    signal.signal(signal.SIGINT, signal.SIG_IGN)
            from planner.studies.sweep_case import unpack  # the worker's own module

            unpack(name, packed)

        def teardown(self, worker: Any) -> None:  # noqa: ARG002
            from planner.studies.sweep_case import BASES

            BASES.pop(name, None)

    try:
        client.wait_for_workers(1, timeout=WORKER_TIMEOUT_S)
        client.register_plugin(BasePlugin(), name=name)
    except TimeoutError:
        message = Message("no worker joined the scheduler in {n} s", n=WORKER_TIMEOUT_S)
        raise SolveError(message) from None
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        message = Message("a worker cannot read the base: does it run the same planner? ({text})",
                          text=error)  # fmt: skip
        raise SolveError(message) from None


def solve_all(
    client: Client, name: str, tasks: Iterable[Task]
) -> Iterator[tuple[Result, dict[str, bytes]]]:
    """Solve tasks in their order and yield results as they come.

    A task whose worker dies is tried again; one that saw several deaths is tried alone at the end,
    for a neighbour may have been the cause, and if it kills again it is a failed result.

    Raises:
        SolveError: the scheduler was lost.
    """
    from distributed import as_completed

    pending, suspects = deque(tasks), deque[Task]()
    running: dict[str, tuple[Any, Task]] = {}
    done = as_completed(raise_errors=False)
    count, counted_at, alone = 0, 0.0, False

    def submit(task: Task) -> None:
        key = f"planner-case-{name}-{task.key}-{len(suspects)}-{alone}"
        future = client.submit(solve_case, name, task, key=key, pure=False)
        running[key] = (future, task)
        done.add(future)

    try:
        while pending or running or suspects:
            if time.monotonic() - counted_at > COUNT_EVERY_S:
                count, counted_at = max(1, len(client.nthreads())), time.monotonic()
            while pending and len(running) < CASES_PER_WORKER * count:
                submit(pending.popleft())
            if not running:
                alone = True
                submit(suspects.popleft())
            future = next(done)
            _, task = running.pop(future.key)
            if future.status == "finished":
                yield future.result()
            elif future.status == "error":
                error = future.exception()
                if type(error).__name__ == "KilledWorker" and not alone:
                    suspects.append(task)
                else:
                    yield _failed(task, error), {}
            else:
                raise SolveError(Message(
                    "the scheduler was lost; finished cases are stored: run the sweep again"
                ))  # fmt: skip
            future.release()
    finally:
        with suppress(Exception):  # the scheduler may be gone
            client.cancel([future for future, _ in running.values()], force=True)


def _failed(task: Task, error: BaseException) -> Result:
    message = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
    if type(error).__name__ == "KilledWorker":
        message = Message("every worker that tried it died: not enough memory?")
    return record_of(task.key, task.at, "failed", 0.0) | {"message": message}
