"""Compiles a model to a program: its rows and columns as one matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import TypeVar

import numpy as np
from scipy import sparse

from planner.modelling.declared import Columns, Entries, Rows, Run
from planner.scenario.scenario import Scenario
from planner.solver.model import Model, assemble, column_name
from planner.solver.program import NO_INDICES, Family, Indices, Program
from planner.solver.scaling import with_units
from planner.timeseries.horizon import Window
from planner.timeseries.series import Array

Key = TypeVar("Key")
EMPTY_ROW = 1e-9  # a row without a column that misses its limits by no more is left out


def program_of(
    scenario: Scenario, window: Window | None = None, *, every_point: bool = False
) -> Program:
    """Return the program of a window of a scenario as `assemble` builds it."""
    return compile_program(assemble(scenario, window, every_point=every_point))


def compile_program(model: Model) -> Program:
    """Compile a model; the objective is the sum of the ledger's rows.

    Fixed variables become constants. A row that is limited on both sides becomes two.
    """
    columns, reports, window = model.columns, model.reports, model.window
    entries, values = (_free(part, columns.fixed) for part in (model.rows.entries, model.values))
    order = _in_order(columns, entries, values)
    at = np.full(len(columns.fixed), -1, dtype=np.int32)
    at[order] = np.arange(len(order))
    matrix, lower, upper, numbers = _one_sided(model.rows, entries, at, len(order))
    families, row_families, row_steps = _names(model.rows.runs, len(model.rows.low), window)
    variable_families, column_families, column_steps = _names(columns.runs, len(at), window)
    report_rows = sparse.csr_array(_matrix(values, at, len(order)))
    booked = [cost.rows for cost in reports.costs if not cost.reported]
    ledger = np.concatenate([NO_INDICES, *booked])
    switches = np.concatenate([np.zeros((0, 3), dtype=np.int64), *reports.switches])
    switches[:, 0] = at[switches[:, 0]]
    used = switches[:, 0] >= 0
    schedule = _schedule(columns, at, window)
    return with_units(Program(
        scenario=model.scenario,
        window=window,
        matrix=matrix,
        row_lower=lower,
        row_upper=upper,
        column_lower=columns.lower[order],
        column_upper=columns.upper[order],
        integer=columns.integer[order],
        cost=np.asarray(report_rows[ledger].sum(axis=0)).ravel(),
        offset=float(values.constants[ledger].sum()),
        switches=switches[used, 0],
        first_flow=switches[used, 1],
        second_flow=switches[used, 2],
        reports=report_rows,
        report_offset=values.constants,
        ledger_rows=ledger,
        moves=tuple(reports.moves),
        costs=tuple(reports.costs),
        uses=_indices(reports.uses),
        injected=_indices(reports.injected),
        row_steps=row_steps[numbers],
        column_steps=column_steps[order],
        schedule=schedule,
        schedule_rows=reports.schedule,
        row_families=row_families[numbers],
        families=families,
        balances={
            balance: families[key]
            for k, balance in enumerate(model.balances)
            if (key := ("", "balance", (k,))) in families
        },
        column_families=column_families[order],
        variable_families=tuple(variable_families),
        pairs=tuple(compress(reports.pairs, used)),
        states=_states(model.scenario, schedule),
        every_point=model.every_point,
    ))  # fmt: skip


def _free(entries: Entries, fixed: Array) -> Entries:
    """Return expressions without fixed variables, whose values are in the constants."""
    value = fixed[entries.columns]
    is_fixed = ~np.isnan(value)
    spent = entries.coefficients[is_fixed] * value[is_fixed]
    known = np.bincount(entries.rows[is_fixed], spent, len(entries.constants))
    free = ~is_fixed & (entries.coefficients != 0)
    return Entries(
        entries.rows[free], entries.columns[free], entries.coefficients[free],
        entries.constants + known,
    )  # fmt: skip


def _in_order(columns: Columns, rows: Entries, reports: Entries) -> Indices:
    """Return the columns in use, variable by variable in the order in which rows hold them."""
    variables = {(run.component, run.name): None for run in columns.runs}
    number = {variable: i for i, variable in enumerate(variables)}
    variable_of = np.zeros(len(columns.fixed), dtype=np.int32)
    for run in columns.runs:
        variable_of[run.numbers] = number[run.component, run.name]
    used = np.zeros(len(variable_of), dtype=bool)
    in_order: list[int] = []
    for entries in (rows, reports):
        used[entries.columns] = True
        owners = variable_of[entries.columns]
        first_row = np.full(len(variables), len(entries.constants))
        np.minimum.at(first_row, owners, entries.rows)
        in_first = owners[entries.rows == first_row[owners]]
        new, term = np.unique(in_first, return_index=True)
        in_order += new[np.lexsort((term, first_row[new]))].tolist()
    place = np.zeros(len(variables), dtype=np.int64)
    for i, variable in enumerate(dict.fromkeys(in_order)):
        place[variable] = i
    numbers = np.flatnonzero(used)
    return numbers[np.argsort(place[variable_of[numbers]], kind="stable")]


def _matrix(entries: Entries, at: Indices, width: int) -> sparse.csc_array:
    places = entries.rows, at[entries.columns]
    shape = len(entries.constants), width
    matrix = sparse.csc_array((entries.coefficients, places), shape=shape)
    matrix.eliminate_zeros()
    return matrix


def _one_sided(
    rows: Rows, entries: Entries, at: Indices, width: int
) -> tuple[sparse.csc_array, Array, Array, Indices]:
    """Return rows, their limits and the number of each: one for each limit, the upper one first.

    Rows that hold no column and keep their limits are left out.
    """
    constants, count = entries.constants, len(rows.low)
    low, high = rows.low - constants, rows.high - constants
    missed = np.maximum(low, -high) > EMPTY_ROW * np.maximum(1.0, abs(constants))
    needed = (np.bincount(entries.rows, minlength=count) > 0) | missed
    has_high, has_low = needed & np.isfinite(high), needed & np.isfinite(low) & (low != high)
    sides = has_high.astype(np.int32) + has_low
    numbers, low_side = np.repeat(np.arange(count), sides), np.cumsum(sides, dtype=np.int32) - 1
    high_side = low_side - has_low
    is_high = np.zeros(len(numbers), dtype=bool)
    is_high[high_side[has_high]] = True
    on_high, on_low = (np.flatnonzero(side[entries.rows]) for side in (has_high, has_low))
    some = np.concatenate([on_high, on_low])
    rows_of = np.concatenate([high_side[entries.rows[on_high]], low_side[entries.rows[on_low]]])
    lower = np.where(is_high & (low != high)[numbers], -np.inf, low[numbers])
    upper = np.where(is_high, high[numbers], np.inf)
    sided = Entries(rows_of, entries.columns[some], entries.coefficients[some], lower)
    matrix = _matrix(sided, at, width)
    return matrix, lower, upper, numbers


def _names(
    runs: Sequence[Run], count: int, window: Window
) -> tuple[dict[Family, int], Indices, Indices]:
    """Return the families of rows or columns, the family of each, and its step or 0."""
    families: dict[Family, int] = {}
    family_of, steps = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    for run in runs:
        family = run.component, run.name, run.outer
        family_of[run.numbers] = families.setdefault(family, len(families))
        if run.steps is not None:
            inside = (run.steps >= window.first) & (run.steps <= window.last)
            steps[run.numbers] = np.where(inside, run.steps, 0)
    return families, family_of, steps


def _schedule(columns: Columns, at: Indices, window: Window) -> dict[str, tuple[Indices, Array]]:
    """Return the program's column of each schedule column by step, or the constant there."""
    result: dict[str, tuple[Indices, Array]] = {}
    lowest = np.where(np.isfinite(columns.lower), columns.lower, 0.0)
    constants = np.where(np.isnan(columns.fixed), lowest, columns.fixed)
    for run in columns.runs:
        if run.steps is None:
            continue  # not by step, such as the peak of a month
        name = column_name(run.component, run.name, run.outer)
        if name not in result:
            count = len(window)
            result[name] = np.full(count, -1, dtype=np.int64), np.zeros(count)
        place, constant = result[name]
        steps = run.steps - window.first
        inside = (steps >= 0) & (steps < len(place))
        place[steps[inside]] = at[run.numbers][inside]
        constant[steps[inside]] = constants[run.numbers][inside]
    return result


def _states(
    scenario: Scenario, schedule: Mapping[str, tuple[Indices, Array]]
) -> tuple[Indices, ...]:
    """Return the columns of each state that decides by itself what is 0, where it varies."""
    declared = {
        f"{name}.{state.column}"
        for name, component in scenario.components.items()
        for state in component.states
        if state.whole
    }
    columns = [index for name, (index, _) in schedule.items() if name.partition("[")[0] in declared]
    return tuple(index for index in columns if (index >= 0).any())


def _indices(rows: Mapping[Key, Sequence[Indices]]) -> dict[Key, Indices]:
    return {key: np.concatenate(numbers) for key, numbers in rows.items()}
