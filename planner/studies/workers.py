"""Workers for many tasks: a local cluster of processes, or an existing Dask scheduler.

Each worker is set up once, when it joins: a sweep sends its base then, which all cases share.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from planner.errors import SolveError, wrong
from planner.log import logger
from planner.message import Message
from planner.outside import packages
from planner.scenario.scenario_key import versions
from planner.version import install_line

if TYPE_CHECKING:
    from distributed import Client

LOG = logger(__name__)
TASKS_PER_WORKER = 2  # one runs, one waits, so that the worker is never idle
MAX_DEATHS = 1  # of workers that run a task before it is tried alone
WORKER_TIMEOUT_S = 60  # for the first worker to join, and for all to end
SCHEDULER_TIMEOUT_S = 10.0
COUNT_EVERY_S = 2.0  # how often workers are counted
TRACKER_WARNING = "ignore::UserWarning:multiprocessing.resource_tracker"

Setup = Callable[[], AbstractContextManager[Any]]
"""Called by each worker; the context is entered when it joins, left when the work is over."""


class Keyed(Protocol):
    """A task that workers can be given: it can be pickled, and its key is its own."""

    @property
    def key(self) -> str:
        """Return the key, different for each task."""


AnyTask = TypeVar("AnyTask", bound=Keyed)
R = TypeVar("R")


def cores() -> int:
    """Return the cores this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def cluster(
    name: str, workers: int | None, scheduler: str | None, setup: Setup = nullcontext
) -> Iterator[Client]:
    """Yield a client whose workers run the same planner and have been set up for the work `name`.

    Raises:
        ScenarioError: Dask is not installed, or no scheduler answers.
        SolveError: no worker joins, or one runs another planner.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError:
        message = Message("workers need Dask: {line}", line=install_line("cluster"))
        raise wrong("", message) from None
    settings = {
        "distributed.scheduler.allowed-failures": MAX_DEATHS,
        "distributed.comm.timeouts.connect": f"{SCHEDULER_TIMEOUT_S}s",
        "distributed.admin.large-graph-warning-threshold": "1GB",  # a task may hold a program
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
            _set_up(client, name, setup, own=local is not None)
            yield client
        finally:
            if client is not None:
                with suppress(OSError, TimeoutError, RuntimeError):
                    if local is None:
                        client.unregister_worker_plugin(name)
                with suppress(OSError, TimeoutError, RuntimeError):
                    client.close(timeout=5)
            if local is not None:
                with suppress(OSError, TimeoutError):  # the system ends those that are late
                    local.close(timeout=WORKER_TIMEOUT_S)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the cluster's own log off the terminal; the planner reports what matters."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    before = [log.level for log in loggers]
    for log in loggers:
        log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for log, level in zip(loggers, before, strict=True):
            log.setLevel(level)


@contextmanager
def _quiet_children() -> Iterator[None]:
    """Start processes that ignore Ctrl-C, which is meant for the driver alone.

    The driver hears it once they have started. Python's resource tracker does not warn of what a
    killed worker left.

    Raises:
        KeyboardInterrupt: Ctrl-C has come meanwhile.
    """
    main, pressed = threading.current_thread() is threading.main_thread(), list[int]()
    handler = signal.signal(signal.SIGINT, lambda n, _: pressed.append(n)) if main else None
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # children inherit it
    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [before, TRACKER_WARNING]))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if main:
            signal.signal(signal.SIGINT, handler)
        if before is None:
            os.environ.pop("PYTHONWARNINGS", None)  # another cluster may have ended first
        else:
            os.environ["PYTHONWARNINGS"] = before
    if pressed:
        raise KeyboardInterrupt


def _set_up(client: Client, name: str, setup: Setup, *, own: bool) -> None:
    from distributed import WorkerPlugin

    expected, packed = versions() | dict(packages().values()), pickle.dumps(setup)

    class SetupPlugin(WorkerPlugin):
        """Sets up a worker when it joins, also one that replaces a dead one."""

        def setup(self, worker: Any) -> None:  # noqa: ARG002
            self.resources = ExitStack()
            if own:  # our own worker that replaces a dead one ignores Ctrl-C too
                with suppress(ValueError):  # not in the main thread
                    signal.signal(signal.SIGINT, signal.SIG_IGN)
            from planner.outside import packages  # the worker's own modules
            from planner.scenario.scenario_key import versions

            if (running := versions() | dict(packages().values())) != expected:
                raise ValueError(running)
            self.resources.enter_context(pickle.loads(packed)())

        def teardown(self, worker: Any) -> None:  # noqa: ARG002
            self.resources.close()

    try:
        client.wait_for_workers(1, timeout=WORKER_TIMEOUT_S)
        client.register_plugin(SetupPlugin(), name=name)
    except TimeoutError:
        message = Message("no worker joined the scheduler in {n} s", n=WORKER_TIMEOUT_S)
        raise SolveError(message) from None
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        message = Message("a worker cannot start: does it run the same planner? ({text})",
                          text=error)  # fmt: skip
        raise SolveError(message) from None


def run_tasks(
    client: Client,
    name: str,
    function: Callable[[AnyTask], R],
    tasks: Iterable[AnyTask],
    timeout_s: float | None = None,
) -> Iterator[tuple[AnyTask, R | Exception]]:
    """Run a function of a module on tasks in their order; yield results as they come.

    A task is taken from `tasks` when a worker is about to need it. The result is what the function
    returned, or the exception it raised. A task whose worker dies is tried again; one that saw
    several deaths is tried alone at the end, for a neighbour may have been the cause, and if it
    kills again its result is a SolveError. Tasks that have begun when the caller stops are
    cancelled; `name` and key together must be new to the client.

    Raises:
        SolveError: the scheduler was lost.
        TimeoutError: `timeout_s` has passed; what runs is cancelled.
    """
    from distributed import as_completed

    waiting, suspects = iter(tasks), deque[AnyTask]()
    running: dict[str, tuple[Any, AnyTask]] = {}
    done = as_completed(raise_errors=False, timeout=timeout_s)
    count, counted_at, alone = 0, 0.0, False

    def submit(task: AnyTask) -> None:
        key = f"planner-task-{name}-{task.key}-{alone}"
        with _reached(client):
            future = client.submit(function, task, key=key, pure=False)
        running[key] = (future, task)
        done.add(future)

    try:
        while True:
            if time.monotonic() - counted_at > COUNT_EVERY_S:
                with _reached(client):
                    count, counted_at = max(1, len(client.nthreads())), time.monotonic()
            for task in islice(waiting, max(0, TASKS_PER_WORKER * count - len(running))):
                submit(task)
            if not running:
                if not suspects:
                    return
                alone = True
                submit(suspects.popleft())
            future = next(done)
            _, task = running.pop(future.key)
            with _reached(client):
                result: R | Exception
                try:
                    result = future.result()
                except Exception as error:
                    if future.status != "error":
                        raise
                    result = error
            future.release()
            if type(result).__name__ == "KilledWorker":
                if not alone:
                    LOG.warning(Message(
                        "a worker died on task {case}; it is tried again at the end", case=task.key
                    ))  # fmt: skip
                    suspects.append(task)
                    continue
                result = SolveError(Message("every worker that tried it died: not enough memory?"))
            yield task, result
    finally:
        with suppress(Exception):  # the scheduler may be gone
            client.cancel([future for future, _ in running.values()], force=True)


@contextmanager
def _reached(client: Client) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError | CancelledError) or client.status != "running":
            raise SolveError(Message(
                "the scheduler was lost; what is finished is stored: run it again"
            )) from None  # fmt: skip
        raise
