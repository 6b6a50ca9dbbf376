"""A sweep before its first solve: designed, every case checked, its time estimated."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from planner.errors import ScenarioError
from planner.files.records import read_records
from planner.files.yaml_document import Document
from planner.studies.sweep_case import pack, solve_case, unpack
from planner.studies.sweep_workers import cores
from planner.sweeps.design import Case, design
from planner.sweeps.result import DAMAGE, RESULTS, Result, finished
from planner.sweeps.sweep_file import SweepFile, read_sweep
from planner.sweeps.variants import Base, check_cases, read_base


@dataclass
class Prepared:
    """A sweep whose every case has been checked; nothing is solved yet."""

    description: SweepFile
    document: Document
    base: Base
    cases: list[Case]
    keys: list[str]
    wrong: dict[int, str]
    refined: dict[int, str] = field(default_factory=dict)
    name: str = field(default_factory=lambda: f"planner-{uuid.uuid4().hex[:12]}")  # on workers

    @property
    def distinct(self) -> dict[str, Case]:
        """Return the first case of every key, in order."""
        found: dict[str, Case] = {}
        for key, case in zip(self.keys, self.cases, strict=True):
            if key:
                found.setdefault(key, case)
        return found


def prepare(sweep: str | Path | SweepFile) -> Prepared:
    """Read a sweep, design its cases and check each of them; solve nothing.

    Raises:
        ScenarioError: with every problem found.
    """
    if isinstance(sweep, SweepFile):
        document, folder = Document("sweep", {}), Path()
    else:
        sweep, document = read_sweep(sweep)
        folder = Path(document.file).parent
    base = read_base(sweep, document, folder)
    description, cases = design(sweep, document, folder, base.at)
    keys, wrong = check_cases(sweep, document, base, cases)
    if sweep.refine is not None:
        for number in sweep.refine.cases:
            if number >= len(cases):
                said = f"there is no case {number}; the last is {len(cases) - 1}"
                raise ScenarioError([document.problem(("refine", "cases"), said)])
    places = {"base": str(Path(base.document.file).resolve())}
    if sweep.cases is not None:
        places["cases"] = str((folder / sweep.cases).resolve())
    description = description.model_copy(update=places)
    return Prepared(description, document, base, cases, keys, wrong)


def at_of(case: Case) -> str:
    """Return what the axes of a case are at, as a text that later runs find again."""
    return json.dumps(case.values, ensure_ascii=False)


def chosen(prepared: Prepared, results: dict[str, Result]) -> list[Case]:
    """Return the cases that `refine` names: the best by a figure, and those named."""
    refine = prepared.description.refine
    assert refine is not None
    ranked: list[tuple[float, int]] = []
    for key, case in prepared.distinct.items():
        figure = results.get(key, {}).get("figures", {}).get(refine.by)
        if figure is not None:
            ranked.append((figure if refine.lowest else -figure, case.number))
    if refine.best is not None and not ranked and results:
        said = f"no case has a figure {refine.by!r}"
        raise ScenarioError([prepared.document.problem(("refine", "by"), said)])
    best = [number for _, number in sorted(ranked)[: refine.best or 0]]
    numbers = dict.fromkeys([*best, *refine.cases])
    return [prepared.cases[number] for number in numbers if prepared.keys[number]]


@dataclass(frozen=True)
class Estimate:
    """How long a sweep may take."""

    waiting: int
    """Different cases without a result."""
    case_s: float
    """Seconds of one of them."""
    source: str
    """Where that figure comes from."""
    workers: int
    """Workers that share them."""

    @property
    def left_s(self) -> float:
        """Return seconds until all of them are solved."""
        return self.waiting * self.case_s / min(self.workers, max(1, self.waiting))


def first_seconds(prepared: Prepared, folder: Path, workers: int | None) -> Estimate:
    """Estimate from the cases solved before, else by solving the first one.

    Raises:
        PlanError: the results in the folder cannot be read.
    """
    (results, _), distinct = read_records(folder / RESULTS, DAMAGE), prepared.distinct
    waiting = sum(not finished(results.get(key)) for key in distinct)
    crew = workers or cores()
    earlier = [result["seconds"] for result in results.values() if result["figures"]]
    if earlier:
        source = f"the mean of {len(earlier)} solved before"
        return Estimate(waiting, sum(earlier) / len(earlier), source, crew)
    key, case = next(iter(distinct.items()))
    unpack(prepared.name, pack(prepared.base))
    for _ in range(2):  # the first pays for imports, as each worker does once
        result, _ = solve_case(prepared.name, key, "", case.changes, False)
    return Estimate(waiting, float(result["seconds"]), f"case {case.number} solved once", crew)
