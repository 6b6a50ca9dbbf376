"""A sweep before its first solve: its cases designed and checked, its time estimated."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from planner.errors import ScenarioError
from planner.files.records import read_records
from planner.files.yaml_document import Document
from planner.message import Message
from planner.scenario.python_values import document_of
from planner.studies.sweep_case import Task, pack, solve_case, unpacked
from planner.studies.workers import cores
from planner.sweeps.analysis.condition import parse_condition
from planner.sweeps.design import Case, design
from planner.sweeps.result import DAMAGE, RESULTS, Result, finished
from planner.sweeps.sweep_file import SweepFile, check_sweep, read_sweep
from planner.sweeps.variants import Base, check_cases, read_base

IN_MEMORY = "sweep"  # the file of problems with a sweep that no file holds
SweepLike = str | os.PathLike[str] | SweepFile | Mapping[str, Any]
"""A sweep file, or what one holds; in memory, paths are relative to the working folder."""


@dataclass
class CheckedSweep:
    """A sweep whose every case has been checked; nothing is solved yet."""

    description: SweepFile
    document: Document
    base: Base
    cases: list[Case]
    keys: list[str]
    wrong: dict[int, Message]
    refined: dict[int, str] = field(default_factory=dict)
    name: str = field(default_factory=lambda: f"planner-{uuid.uuid4().hex[:12]}")  # on workers

    @property
    def distinct(self) -> dict[str, Case]:
        """Return the first case of every key, in order."""
        first: dict[str, Case] = {}
        for key, case in zip(self.keys, self.cases, strict=True):
            if key:
                first.setdefault(key, case)
        return first


def prepare(sweep: SweepLike) -> CheckedSweep:
    """Read a sweep, design its cases and check each of them; solve nothing.

    Raises:
        ScenarioError: with every problem.
    """
    folder = Path()
    if isinstance(sweep, SweepFile):
        document = Document(IN_MEMORY, {})
    elif isinstance(sweep, Mapping):
        document = document_of(sweep, IN_MEMORY)
        sweep = check_sweep(document)
    else:
        sweep, document = read_sweep(sweep)
        folder = Path(document.file).parent
    if sweep.find is not None:
        parse_condition(sweep.find.where)
    base = read_base(sweep, document, folder)
    description, cases = design(sweep, document, folder, base.at)
    keys, wrong = check_cases(description, document, base, cases)
    number = max(sweep.refine.cases, default=-1) if sweep.refine is not None else -1
    if number >= len(cases):
        message = Message("there is no case {number}; the last is {last}",
                          number=number, last=len(cases) - 1)  # fmt: skip
        raise ScenarioError([document.problem(("refine", "cases"), message)])
    places = {"base": str(Path(base.document.file).resolve())}
    if sweep.cases is not None:
        places["cases"] = str((folder / sweep.cases).resolve())
    description = description.revised(places)
    return CheckedSweep(description, document, base, cases, keys, wrong)


def cases_to_refine(sweep: CheckedSweep, results: dict[str, Result]) -> list[Case]:
    """Return the cases that `refine` names: the best by a figure, and those by number."""
    refine = sweep.description.refine
    assert refine is not None
    ranked: list[tuple[float, int]] = []
    lowest = refine.lowest
    if lowest is None:
        lowest = sweep.description.better(refine.by) == "least"
    for key, case in sweep.distinct.items():
        figure = results.get(key, {}).get("figures", {}).get(refine.by)
        if figure is not None:
            ranked.append((figure if lowest else -figure, case.number))
    if refine.best is not None and not ranked and results:
        message = Message("no case has a figure {name!r}", name=refine.by)
        raise ScenarioError([sweep.document.problem(("refine", "by"), message)])
    best = [number for _, number in sorted(ranked)[: refine.best or 0]]
    numbers = dict.fromkeys([*best, *refine.cases])
    return [sweep.cases[number] for number in numbers if sweep.keys[number]]


@dataclass(frozen=True)
class Estimate:
    """An estimate of the time that a sweep takes."""

    waiting: int
    """Different cases without a result."""
    case_s: float
    """Seconds to solve one of them."""
    source: Message
    """The origin of that figure."""
    workers: int
    """Workers that share them."""

    @property
    def left_s(self) -> float:
        """Return seconds until all of them are solved."""
        return self.waiting * self.case_s / min(self.workers, max(1, self.waiting))


def first_seconds(sweep: CheckedSweep, folder: Path, workers: int | None) -> Estimate:
    """Estimate the time of a sweep from cases solved before, else by solving the first one.

    Raises:
        PlanError: the results in the folder cannot be read.
    """
    (results, _), distinct = read_records(folder / RESULTS, DAMAGE), sweep.distinct
    waiting = sum(not finished(results.get(key)) for key in distinct)
    workers = workers or cores()
    earlier = [result["seconds"] for result in results.values() if result["figures"]]
    if earlier:
        source = Message("the mean of {cases} solved before", cases=len(earlier))
        return Estimate(waiting, sum(earlier) / len(earlier), source, workers)
    key, case = next(iter(distinct.items()))
    task = Task(key, case.at, case.changes)
    with unpacked(sweep.name, pack(sweep.base)):
        for _ in range(2):  # the first run includes imports, which each worker does once
            result, _ = solve_case(sweep.name, task)
    source = Message("case {case} solved once", case=case.number)
    return Estimate(waiting, float(result["seconds"]), source, workers)
