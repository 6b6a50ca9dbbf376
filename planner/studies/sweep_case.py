"""One case of a sweep, solved by a worker: the base stays there, only changes are sent.

Any error of a case becomes a result with a status and a message.
"""

from __future__ import annotations

import os
import pickle
import resource
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from planner.errors import InfeasibleError, NoPlanError, PlannerError
from planner.files.records import record_of
from planner.message import Message, MessageList, plain_message
from planner.plan.output import Output
from planner.plan.plan import Plan
from planner.scenario.plain_data import flat
from planner.scenario.scenario import Scenario
from planner.studies.solve import solve_single
from planner.sweeps.result import MESSAGE_PARTS, Result
from planner.sweeps.variants import Base

MOST_OF_ERROR = 500  # characters of an error that is not ours
NOT_FIGURES = ("solving", "runtimes_s", "versions", "gap", "hours", "step_min")
BASES: dict[str, Base] = {}
"""The base scenarios of this process, by the name of their sweep."""


@dataclass(frozen=True)
class Task:
    """A case to solve: the key and changes of its scenario, and the values of its axes.

    wants_plan: whether its plan folder is kept. wants_page: with its page.
    """

    key: str
    at: str
    changes: dict[str, Any]
    wants_plan: bool = False
    wants_page: bool = False


def pack(base: Base) -> bytes:
    """Return a base as it is sent to a worker, once."""
    return zlib.compress(pickle.dumps(base, protocol=pickle.HIGHEST_PROTOCOL))


@contextmanager
def unpacked(name: str, packed: bytes) -> Iterator[None]:
    """Hold a base for the cases that follow."""
    BASES[name] = pickle.loads(zlib.decompress(packed))
    try:
        yield
    finally:
        BASES.pop(name, None)


def solve_case(sweep: str, task: Task) -> tuple[Result, dict[str, bytes]]:
    """Return the result of a case, and the files of its plan folder on request."""
    began = time.perf_counter()
    result: Result = {
        "key": task.key, "at": task.at, "status": "failed", "gap": None, "message": "",
    }  # fmt: skip
    figures: dict[str, float] = {}
    files: dict[str, bytes] = {}
    try:
        base = BASES[sweep]
        scenario = base.scenario(task.changes)
        if base.key(scenario) != task.key:
            message = Message("the worker reads another scenario: does it run the same planner?")
            raise PlannerError(message)
        plan, files = _solved(scenario, task)
        result |= {"status": plan.summary["status"], "gap": plan.summary["gap"]}
        summary = {name: part for name, part in plan.summary.items() if name not in NOT_FIGURES}
        figures = {path: value for path, value in flat(summary) if value is not None}
    except InfeasibleError as error:
        rules = MessageList("; ", (rule["text"] for rule in error.diagnosis.get("conflict", ())))
        result |= {"status": error.diagnosis["status"]} | _message(rules or _in_one_line(error))
    except NoPlanError as error:
        result |= {"status": "no_plan"} | _message(_in_one_line(error))
    except Exception as error:  # a case must never end the sweep
        result |= _message(_in_one_line(error))
    result |= {
        "seconds": round(time.perf_counter() - began, 4),
        "process": os.getpid(),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "figures": figures,
    }
    return result, files


def failed(task: Task, error: Exception) -> tuple[Result, dict[str, bytes]]:
    """Return the result of a case whose worker ended, or could not send it."""
    return record_of(task.key, task.at, "failed", 0.0) | _message(_in_one_line(error)), {}


def _message(message: Message) -> Result:
    """Return a message as results hold it: its text, and what other languages make it from."""
    return {"message": str(message), MESSAGE_PARTS: plain_message(message)}


def _in_one_line(error: Exception) -> Message:
    """Return what an error says, its lines set apart by semicolons."""
    if isinstance(error, PlannerError):
        return MessageList("; ", _lines(error.message))
    text = " ".join(str(error).split())[:MOST_OF_ERROR]
    return Message("ended with an error: {text}", text=f"{type(error).__name__}: {text}")


def _lines(message: str) -> Iterator[str]:
    """Yield the lines of a message, those of a list without their marks."""
    if isinstance(message, MessageList) and message.separator in ("\n", ""):
        for part in message.places.values():
            yield from _lines(part)
    elif isinstance(message, Message):
        yield message.places.get("head", message)  # without its colon
    elif line := message.strip(" -"):
        yield line


def _solved(scenario: Scenario, task: Task) -> tuple[Plan, dict[str, bytes]]:
    if not task.wants_plan:
        return solve_single(scenario), {}
    with TemporaryDirectory(prefix="planner-case-") as scratch:
        folder = Path(scratch) / "plan"
        plan = solve_single(scenario, out=Output(folder, page=task.wants_page))
        return plan, {path.name: path.read_bytes() for path in folder.iterdir()}
