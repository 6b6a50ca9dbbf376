"""The origin of energy by a stated rule, and the range that plans of the same meters leave to it.

Meters are totals by component and step, whatever the origin: what a battery charges, a fleet draws,
a grid exports. With all of them and the profit held, how energy is attributed to its origins is an
LP of its own. `renewable_first`: the most renewable energy to loads and compute and in what is
stored at the end; weights by name and step choose among what is left. Four LPs more give the least
and the most of the renewable energy exported and drawn over all attributions, whether or not they
keep the rules on its shares.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from planner.components.registry import uses_of
from planner.scenario.scenario_file import SolverSettings
from planner.solver.meter_totals import meter_of
from planner.solver.program import NO_INDICES, NO_STEP, Flags, Indices, Program
from planner.solver.session import Session
from planner.solver.tidying import weights_by
from planner.timeseries.series import Array

METER_TOLERANCE = 1e-10  # MW or MWh that a meter may move; 1e-7 has moved money
STORED_WEIGHT = 1.01  # of energy stored at the end: it is not drained for a better share today


Ranges = dict[str, tuple[float, float]]
"""The least and the most renewable energy that is exported (exported_mwh), and that loads and
compute draw (drawn_mwh), over all attributions of the same meters that earn the same."""


def attribute(face: Program, x: Array, settings: SolverSettings) -> tuple[Array, Ranges] | None:
    """Attribute the energy of a plan to its origins by the rule.

    Args:
        face: the program with the bounds of the plans that earn the same.
        x: the plan's point.
        settings: of the solver.

    Returns:
        The point with its energy attributed, and the ranges; None where an LP has no optimum.
    """
    free = _free_columns(face)
    program = _with_meters_held(face, x, free)
    session = Session(program, threads=settings.threads, seed=settings.seed)
    uses, step_h = uses_of(face.scenario.components.values()), face.scenario.horizon.step_h
    drawn_uses = [use for use in uses if uses[use].drawn]
    exported, drawn = (
        step_h * program.total(program.uses.get((use, "renewable"), NO_INDICES) for use in counted)
        for counted in (["export"], drawn_uses)
    )
    ranges, open_ended = {}, program.with_row_bounds(program.end_rows, -np.inf, np.inf)
    session.row_bounds(open_ended.row_lower, open_ended.row_upper)
    for name, mwh in (("exported_mwh", exported), ("drawn_mwh", drawn)):
        least, most = session.minimise(mwh), session.minimise(-mwh)
        if least is None or most is None:
            return None
        ranges[name] = float(mwh @ least), float(mwh @ most)
    session.row_bounds(program.row_lower, program.row_upper)
    if session.minimise(-drawn - STORED_WEIGHT * _stored(face)[free]) is None:
        return None
    session.stay_optimal()
    parts = session.minimise(weights_by(str, face)[free])
    if parts is None:
        return None
    attributed = x.copy()
    attributed[free] = parts
    return attributed, ranges


def origins_are_given(program: Program, x: Array) -> bool:
    """Return whether any part of a meter by origin is fixed, as where a schedule is pinned."""
    fixed = program.column_lower == program.column_upper
    return any((fixed[part] & (x[part] != 0)).any() for _, part in _parts(program))


def _parts(program: Program) -> Iterator[tuple[str, Indices]]:
    """Yield the meter and the columns of each part by origin."""
    for name in program.schedule:
        if (meter := meter_of(name)) != name:
            yield meter, program.variables(name)


def _free_columns(program: Program) -> Flags:
    """Return the columns that an attribution may change: parts of meters, and what sums them up."""
    free: Flags = program.column_steps == NO_STEP
    for _, columns in _parts(program):
        free[columns] = True
    for name, component in program.scenario.components.items():
        for counter in component.counters:
            free[program.variables(f"{name}.{counter}")] = True
    return free


def _with_meters_held(program: Program, x: Array, free: Flags) -> Program:
    """Return the program over the free columns with a row for each meter and step."""
    point = x[free]
    part = program.part(free, x).covering(point)  # rounding may have it outside
    number, row_of = np.cumsum(free) - 1, dict[tuple[str, int], int]()
    rows, columns = list[int](), list[int]()
    for meter, by_step in _parts(program):
        for column in by_step.tolist():
            step = int(program.column_steps[column])
            rows.append(row_of.setdefault((meter, step), len(row_of)))
            columns.append(int(number[column]))
    shape = len(row_of), len(point)
    meters = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    total = meters @ point
    return part.with_rows(meters, total - METER_TOLERANCE, total + METER_TOLERANCE)


def _stored(program: Program) -> Array:
    """Return 1 for each column that is renewable energy stored at the end of the window."""
    stored = np.zeros(len(program.cost))
    for name, component in program.scenario.components.items():
        if component.storage() is not None:
            columns, _ = program.schedule[f"{name}.energy_mwh[renewable]"]
            stored[columns[-1:][columns[-1:] >= 0]] = 1.0
    return stored
