"""Every answer that the design of a sweep supports, gathered from its cases.

    one axis           the outputs along it; the cost curve where the axis asks for a green share
    base case there    tornado (any design: the cases in which one axis moves)
    grid, list         map of the first two axes with several values, others at their middle
    sobol              first- and total-order indices
    latin_hypercube    the outputs over each axis, as for every design with many cases
    two outputs        Pareto front of the first two

An answer that cannot be given is left out, and `notes` says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import PlanError, PlannerError, ScenarioError, did_you_mean
from planner.files.output_folder import replace_file
from planner.sweeps.analysis.case_table import (
    OUTPUT,
    SOLVED,
    base_row,
    demand_columns,
    direction,
    equal,
    failures,
    is_number,
    levels,
)
from planner.sweeps.analysis.cost_curve import cost_curve
from planner.sweeps.analysis.maps import Map, grid_map
from planner.sweeps.analysis.pareto import pareto, ranking
from planner.sweeps.analysis.sobol import Indices, sobol_indices
from planner.sweeps.analysis.tornado import tornado
from planner.sweeps.result import read_cases
from planner.sweeps.sweep_file import SAMPLED, SweepFile

MOST_PLACES = 10_000  # of a map; a finer one cannot be seen
GREEN = ("min_load_share", "min_self_use_share")
BREAK_EVEN, ANSWERS = "breakeven.json", "answers.json"


@dataclass(eq=False)
class Answers:
    """What a sweep says. Tables by output; empty or None where the design does not support one.

    axes: what the design moves, without what follows from others. outputs: what is explained.
    """

    sweep: SweepFile
    cases: pd.DataFrame
    axes: tuple[str, ...]
    outputs: tuple[str, ...]
    failures: pd.DataFrame
    best: pd.DataFrame
    baseline: dict[str, Any] = field(default_factory=dict)
    curve: pd.DataFrame | None = None
    cost_curve: pd.DataFrame | None = None
    cost_axis: str = ""
    tornados: dict[str, pd.DataFrame] = field(default_factory=dict)
    maps: dict[str, Map] = field(default_factory=dict)
    indices: dict[str, Indices] = field(default_factory=dict)
    front: pd.DataFrame | None = None
    directions: dict[str, str] = field(default_factory=dict)
    break_even: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def solved(self) -> int:
        """How many cases have a plan."""
        return int(self.cases["status"].isin(SOLVED).sum())

    def plain(self) -> dict[str, Any]:
        """Return the answers as plain data, ready for JSON; the cases are in their own file."""
        return {
            "name": self.sweep.name,
            "design": self.sweep.design,
            "cases": len(self.cases),
            "with_plan": self.solved,
            "outputs": list(self.outputs),
            "baseline": _clean(self.baseline),
            "failures": _records(self.failures),
            "tornado": {name: _records(table) for name, table in self.tornados.items()},
            "map": {name: _plain_map(found) for name, found in self.maps.items()},
            "sobol": {
                name: {
                    "indices": _records(found.table), "blocks": found.blocks,
                    "left_out": found.left_out, "confidence": found.confidence, "note": found.note,
                }
                for name, found in self.indices.items()
            },
            "pareto": None if self.front is None else {
                "directions": self.directions, "cases": [int(n) for n in self.front["case"]],
            },
            "curve": None if self.curve is None else _records(self.curve),
            "cost_curve": None if self.cost_curve is None else _records(self.cost_curve),
            "break_even": self.break_even,
            "notes": self.notes,
        }  # fmt: skip


def gather(cases: pd.DataFrame, sweep: SweepFile) -> Answers:
    """Return every answer the cases of a sweep support.

    An output that no plan has is left out, and told.

    Raises:
        ScenarioError: an axis that the cases do not have.
    """
    cases = cases.sort_values("case", kind="stable").reset_index(drop=True)
    axes, outputs = tuple(sweep.varied), tuple(dict.fromkeys(sweep.outputs))
    demand_columns(cases, ["case", "status", *sweep.axes], "cases")
    solved = bool(cases["status"].isin(SOLVED).any())
    lost = failures(cases)
    if not solved:
        return Answers(sweep, cases, axes, outputs, lost, cases.iloc[:0])
    unknown = [name for name in outputs if name not in cases]
    outputs = tuple(name for name in outputs if name not in unknown) or (OUTPUT,)
    first = outputs[0]
    best = ranking(cases, first, smallest_first=direction(first) == "min")
    found = Answers(sweep, cases, axes, outputs, lost, best)
    for name in unknown:
        found.notes.append(f"no plan has a figure {name}{did_you_mean(name, map(str, cases))}")
    base = _base_values(sweep)
    row = base_row(cases, axes, base)
    if row is not None:
        found.baseline = {str(k): v for k, v in cases.loc[row, ["case", *axes, *outputs]].items()}
    _curves(found)
    if row is not None and len(cases) > 1:
        for output in outputs:
            _try(
                found,
                "tornado",
                found.tornados,
                output,
                partial(tornado, cases, axes, output, base),
            )
    elif axes and sweep.design not in SAMPLED:
        found.notes.append("no tornado: no case has every axis at its base value")
    if sweep.design == "sobol":
        for output in outputs:
            make = partial(sobol_indices, cases, axes, output, seed=sweep.seed or 1)
            _try(found, "Sobol indices", found.indices, output, make)
    if sweep.design in ("grid", "list"):
        _maps(found)
    if len(outputs) > 1:
        found.directions = {name: direction(name) for name in outputs[:2]}
        found.front = pareto(cases, found.directions)
    return found


def answer(folder: str | Path) -> list[Path]:
    """Gather the answers of a sweep folder and write them as answers.json.

    Returns:
        The files written.

    Raises:
        PlanError: the folder is no sweep folder, or cannot be read or written.
    """
    target = Path(folder) / ANSWERS
    plain = read_answers(folder).plain()
    replace_file(target, json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    return [target]


def read_answers(folder: str | Path) -> Answers:
    """Gather the answers of a sweep folder.

    Raises:
        PlanError: the folder is no sweep folder, or cannot be read.
    """
    sweep = read_cases(folder)
    path = Path(folder) / BREAK_EVEN
    try:
        found = gather(sweep.cases, sweep.description)
        if path.is_file():
            found.break_even = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, ScenarioError) as error:
        raise PlanError(f"{folder} cannot be read: {error}") from None
    return found


def _base_values(sweep: SweepFile) -> dict[str, Any] | None:
    """Return the base value of every axis; None where case 0 is the base case."""
    if sweep.design == "one_at_a_time":
        return None
    return {name: getattr(axis, "base", None) for name, axis in sweep.varied.items()}


def _curves(found: Answers) -> None:
    """Add the outputs along the only axis, and the cost curve of a green share."""
    cases, axes = found.cases, found.axes
    moving = [axis for axis in axes if len(levels(cases[axis])) > 1]
    if len(moving) == 1:
        axis = moving[0]
        columns = ["case", axis, "status", *found.outputs]
        known = cases[columns]
        in_order = all(is_number(value) for value in cases[axis])
        found.curve = known.sort_values(axis, kind="stable") if in_order else known
    for axis in moving:
        if axis.rpartition(".")[2] in GREEN and found.sweep.design not in (
            "sobol",
            "latin_hypercube",
        ):
            alone = pd.Series(True, index=cases.index)
            for other in moving:
                if other != axis:
                    tried = levels(cases[other])
                    alone &= equal(cases[other], tried[(len(tried) - 1) // 2])
            part = cases[alone & cases[axis].notna()]
            made: dict[str, pd.DataFrame] = {}
            _try(found, "cost curve", made, axis, partial(cost_curve, part, axis))
            found.cost_curve, found.cost_axis = made.get(axis), axis
            return


def _maps(found: Answers) -> None:
    sizes = {axis: len(levels(found.cases[axis])) for axis in found.axes}
    several = [axis for axis, size in sizes.items() if size > 1]
    if len(several) < 2:
        return
    x, y = several[:2]
    if sizes[x] * sizes[y] > MOST_PLACES:
        found.notes.append(f"no map: {sizes[x]} x {sizes[y]} places are too many to be seen")
        return
    for output in found.outputs:
        make = partial(grid_map, found.cases, found.axes, x, y, output)
        _try(found, "map", found.maps, output, make)


def _try(
    found: Answers, what: str, into: dict[str, Any], key: str, make: Callable[[], Any]
) -> None:
    """Add an answer, or a note that says why it cannot be given."""
    try:
        into[key] = make()
    except PlannerError as error:
        found.notes.append(f"no {what}: {str(error).removeprefix(f'{what}: ')}")


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [_clean(row) for row in table.to_dict("records")]


def _clean(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): _value(value) for key, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _plain_map(found: Map) -> dict[str, Any]:
    return {
        "x": found.x,
        "y": found.y,
        "at": _clean(found.at),
        "x_values": [_value(v) for v in found.values.columns],
        "y_values": [_value(v) for v in found.values.index],
        "values": [[_value(v) for v in row] for row in found.values.to_numpy().tolist()],
        "missing": found.missing,
    }
