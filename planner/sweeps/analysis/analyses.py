"""Every analysis of its cases that the design of a sweep supports.

    one axis varies    the outputs along it
    green share        the cost curve of the axis that requires it
    a base case        tornado (any design: the cases in which one axis varies)
    sobol              first- and total-order indices
    grid, list         map of the first two axes with several values, others at their middle
    two outputs        Pareto front of the first two

An analysis that cannot be made is left out with a note.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from planner.errors import ScenarioError, did_you_mean
from planner.message import Message
from planner.sweeps.analysis.case_table import (
    OUTPUT,
    SOLVED,
    Analysis,
    AxisCurve,
    BreakEvenCurve,
    base_row,
    failures,
    is_number,
    levels,
    middles,
    plain_row,
    records,
    require_columns,
    standing_at,
)
from planner.sweeps.analysis.cost_curve import CostCurve, cost_curve
from planner.sweeps.analysis.maps import Map, grid_map
from planner.sweeps.analysis.pareto import Front, pareto, ranking
from planner.sweeps.analysis.sobol import Indices, sobol_indices
from planner.sweeps.analysis.tornado import Tornado, tornado
from planner.sweeps.axes import Scale, base_values
from planner.sweeps.result import read_cases, unreadable
from planner.sweeps.sweep_file import SAMPLED, SweepFile

GREEN = ("min_load_share", "min_self_use_share")
BREAK_EVEN, ANALYSES = "breakeven.json", "answers.json"

A = TypeVar("A", bound=Analysis)


@dataclass(frozen=True, eq=False)
class Analyses:
    """The analyses of a sweep.

    cases: in the order of their numbers. outputs: the figures explained, of those that a plan has.
    baseline: number, axes and outputs of the base case; empty where no case is it.
    notes: why analyses or outputs are left out.
    """

    sweep: SweepFile
    cases: pd.DataFrame
    outputs: tuple[str, ...]
    baseline: dict[str, Any]
    analyses: tuple[Analysis, ...] = ()
    notes: tuple[Message, ...] = ()

    @property
    def axes(self) -> tuple[str, ...]:
        """What the design varies, without what is computed from other axes."""
        return tuple(self.sweep.varied)

    @property
    def factors(self) -> frozenset[str]:
        """The axes whose values are factors on those of the base scenario."""
        return frozenset(n for n, axis in self.sweep.varied.items() if isinstance(axis, Scale))

    @property
    def solved(self) -> int:
        """The number of cases with a plan."""
        return int(self.cases["status"].isin(SOLVED).sum())

    @property
    def best(self) -> pd.DataFrame:
        """The cases, the best in the first output first; none where no case has a plan."""
        if not self.solved:
            return self.cases.iloc[:0]
        return ranking(self.cases, self.outputs[0], self.sweep.better(self.outputs[0]))

    def of(self, kind: type[A]) -> list[A]:
        """Return the analyses of one kind, in the order of the outputs."""
        return [analysis for analysis in self.analyses if isinstance(analysis, kind)]

    def plain(self) -> dict[str, Any]:
        """Return the analyses as plain data, ready for JSON; the cases are in their own file."""

        def by_output(kind: type[Analysis]) -> dict[str, Any]:
            return {analysis.output: analysis.plain() for analysis in self.of(kind)}

        def only(kind: type[Analysis]) -> Any:
            return next((analysis.plain() for analysis in self.of(kind)), None)

        return {
            "name": self.sweep.name,
            "design": self.sweep.design,
            "cases": len(self.cases),
            "with_plan": self.solved,
            "outputs": list(self.outputs),
            "baseline": plain_row(self.baseline),
            "failures": records(failures(self.cases).rename(columns={"first_case": "first"})),
            "tornado": by_output(Tornado),
            "map": by_output(Map),
            "sobol": by_output(Indices),
            "pareto": only(Front),
            "curve": only(AxisCurve),
            "cost_curve": only(CostCurve),
            "break_even": only(BreakEvenCurve),
            "notes": list(self.notes),
        }


def analyse(
    cases: pd.DataFrame, sweep: SweepFile, break_even: Mapping[str, Any] | None = None
) -> Analyses:
    """Return every analysis that the cases of a sweep support.

    An output that no plan has is left out with a note.

    Args:
        cases: the table of cases; values of an axis are the same only where they are equal.
        sweep: the sweep file with the base value of every axis.
        break_even: the content of breakeven.json, where a search was asked for.

    Raises:
        ScenarioError: the cases lack an axis.
    """
    cases = cases.sort_values("case", kind="stable", ignore_index=True)
    axes, outputs = tuple(sweep.varied), tuple(sweep.outputs)
    require_columns(cases, ["case", "status", *sweep.axes], "cases")
    made: list[Analysis] = []
    if break_even is not None:
        points = pd.DataFrame(break_even["points"])
        made.append(BreakEvenCurve(table=points, note=break_even["text"], search=break_even))
    if not cases["status"].isin(SOLVED).any():
        return Analyses(sweep, cases, outputs, {}, tuple(made))
    unknown = [name for name in outputs if name not in cases]
    notes = [
        Message("no plan has a figure {name}{hint}", name=name,
                hint=did_you_mean(name, map(str, cases)))
        for name in unknown
    ]  # fmt: skip
    outputs = tuple(name for name in outputs if name not in unknown) or (OUTPUT,)
    base = None if sweep.design == "one_at_a_time" else base_values(sweep.varied)
    row = base_row(cases, axes, base)
    baseline = {} if row is None else cases.loc[row, ["case", *axes, *outputs]].to_dict()
    for kind, make in _supported(cases, sweep, outputs, base, has_base=row is not None):
        try:
            made.append(make())
        except ScenarioError as error:
            notes.append(Message("no {kind}: {sentence}", kind=kind, sentence=error.message))
    return Analyses(sweep, cases, outputs, baseline, tuple(made), tuple(notes))


def _supported(
    cases: pd.DataFrame,
    sweep: SweepFile,
    outputs: tuple[str, ...],
    base: Mapping[str, Any] | None,
    *,
    has_base: bool,
) -> Iterator[tuple[str, Callable[[], Analysis]]]:
    """Yield the analyses that a design supports: the name of each, and a call that makes it."""
    axes, sampled = tuple(sweep.varied), sweep.design in SAMPLED
    varying = [axis for axis in axes if len(levels(cases[axis])) > 1]
    if len(varying) == 1:
        yield "curve", partial(_curve, cases, varying[0], outputs)
    green = [axis for axis in varying if axis.rpartition(".")[2] in GREEN]
    if green and not sampled:
        others = middles(cases, [axis for axis in varying if axis != green[0]])
        part = cases[standing_at(cases, others)].dropna(subset=green[:1])
        yield "cost curve", partial(cost_curve, part, green[0])
    if len(cases) > 1 and (has_base or not sampled):
        for output in outputs if has_base else outputs[:1]:  # one note that there is no base case
            yield "tornado", partial(tornado, cases, axes, output, base)
    if sweep.design == "sobol":
        for output in outputs:
            yield "Sobol indices", partial(sobol_indices, cases, axes, output, seed=sweep.seed or 1)
    if sweep.design in ("grid", "list") and len(varying) > 1:
        x, y = varying[:2]
        for output in outputs:
            yield "map", partial(grid_map, cases, axes, x, y, output)
    if len(outputs) > 1:
        ways = {name: sweep.better(name) for name in outputs[:2]}
        yield "Pareto front", partial(pareto, cases, ways)


def _curve(cases: pd.DataFrame, axis: str, outputs: tuple[str, ...]) -> AxisCurve:
    """Return the outputs along the only axis that varies."""
    table = cases[["case", axis, "status", *outputs]]
    if all(is_number(value) for value in cases[axis]):
        table = table.sort_values(axis, kind="stable")
    return AxisCurve(table=table, axis=axis)


def read_analyses(folder: str | Path) -> Analyses:
    """Analyse the cases of a sweep folder.

    Raises:
        PlanError: the folder is no sweep folder, or cannot be read.
    """
    sweep = read_cases(folder)
    path = Path(folder) / BREAK_EVEN
    try:
        search = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        return analyse(sweep.cases, sweep.description, search)
    except ScenarioError as error:
        raise unreadable(sweep.folder, error.message) from None
    except (OSError, ValueError) as error:
        raise unreadable(sweep.folder, error) from None
