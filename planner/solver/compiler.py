"""Compiles a model to a program: its rows and columns as one matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from scipy import sparse

from planner.modelling.declared import Columns, Entries, Rows, Run
from planner.scenario.scenario import Scenario
from planner.solver.model import Model, assemble, column_name
from planner.solver.program import Family, Indices, Program
from planner.solver.scaling import with_units
from planner.timeseries.horizon import Window
from planner.timeseries.series import Array

Key = TypeVar("Key")
EMPTY_ROW = 1e-9  # a row without a column that misses its limits by no more is left out


def program_of(scenario: Scenario, window: Window | None = None) -> Program:
    """Return the program of a window of a scenario, the whole horizon by default."""
    return compile_program(assemble(scenario, window))


def compile_program(model: Model) -> Program:
    """Compile a model; the objective is the sum of the ledger's rows.

    Fixed variables become constants. A row that is limited on both sides becomes two.
    """
    columns, reports, window = model.columns, model.reports, model.window
    parts = [_without_fixed(rows.entries, columns.fixed) for rows in model.rows]
    values = _without_fixed(model.values, columns.fixed)
    order = _in_order(parts, values, columns)
    at = np.full(len(columns.fixed), -1, dtype=np.int64)
    at[order] = np.arange(len(order))
    blocks = [
        _one_sided(rows, part, at, len(order)) for rows, part in zip(model.rows, parts, strict=True)
    ]
    matrix = sparse.vstack([block for block, *_ in blocks], format="csr")
    lower, upper = (np.concatenate([block[k] for block in blocks]) for k in (1, 2))
    families: dict[Family, int] = {}
    names = [_names(rows.runs, len(rows.low), families, window) for rows in model.rows]
    row_families, row_steps = (
        np.concatenate([name[k][block[3]] for name, block in zip(names, blocks, strict=True)])
        for k in (0, 1)
    )
    column_families: dict[Family, int] = {}
    owners, column_steps = _names(columns.runs, len(at), column_families, window)
    report_rows = _matrix(values, at, len(order))
    ledger = np.array([i for i, c in reports.costs.items() if not c.reported], dtype=np.int64)
    switches = np.concatenate([np.zeros((0, 3), dtype=np.int64), *reports.switches])
    switches[:, 0] = at[switches[:, 0]]
    used = switches[:, 0] >= 0
    return with_units(Program(
        scenario=model.scenario,
        window=window,
        matrix=sparse.csc_array(matrix),
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
        costs=reports.costs,
        uses=_indices(reports.uses),
        injected=_indices(reports.injected),
        row_steps=row_steps,
        column_steps=column_steps[order],
        schedule=_schedule(columns, at, window),
        schedule_rows=reports.schedule,
        row_families=row_families,
        families=families,
        balances={
            balance: families[key]
            for k, balance in enumerate(model.balances)
            if (key := ("", "balance", (k,))) in families
        },
        column_families=owners[order],
        variable_families=tuple(column_families),
        pairs=tuple(pair for pair, is_used in zip(reports.pairs, used, strict=True) if is_used),
    ))  # fmt: skip


def _without_fixed(entries: Entries, fixed: Array) -> Entries:
    """Return expressions with the values of fixed variables in their constants."""
    value = fixed[entries.columns]
    is_fixed = ~np.isnan(value)
    known = np.bincount(
        entries.rows[is_fixed],
        entries.coefficients[is_fixed] * value[is_fixed],
        len(entries.constants),
    )
    kept = ~is_fixed & (entries.coefficients != 0)
    rows, columns = entries.rows[kept], entries.columns[kept]
    return Entries(rows, columns, entries.coefficients[kept], entries.constants + known)


def _in_order(rows: Sequence[Entries], reports: Entries, columns: Columns) -> Indices:
    """Return the columns in use: variables in the order in which rows hold them, then reports."""
    count = len(columns.fixed)
    variables = {(run.component, run.name): None for run in columns.runs}
    number = {variable: i for i, variable in enumerate(variables)}
    variable_of = np.zeros(count, dtype=np.int64)
    for run in columns.runs:
        variable_of[run.numbers] = number[run.component, run.name]
    in_rows = np.concatenate([part.columns for part in rows])
    used = np.unique(in_rows)
    variables_in_rows, first = np.unique(variable_of[in_rows], return_index=True)
    place = np.zeros(len(variables), dtype=np.int64)
    place[variables_in_rows] = first
    used = used[np.argsort(place[variable_of[used]], kind="stable")]
    more, first = np.unique(reports.columns, return_index=True)
    more = more[np.argsort(first)]
    return np.concatenate([used, more[~np.isin(more, used)]])


def _matrix(entries: Entries, at: Indices, width: int) -> sparse.csr_array:
    shape = len(entries.constants), width
    matrix = sparse.csr_array(
        (entries.coefficients, (entries.rows, at[entries.columns])), shape=shape
    )
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


def _one_sided(
    rows: Rows, entries: Entries, at: Indices, width: int
) -> tuple[sparse.csr_array, Array, Array, Indices]:
    """Return rows, their limits and the number of each: one for each limit, the upper one first.

    Rows that hold no column and keep their limits are left out.
    """
    matrix = _matrix(entries, at, width)
    low, high = rows.low - entries.constants, rows.high - entries.constants
    empty = np.diff(matrix.indptr) == 0
    needed = ~empty | (np.maximum(low, -high) > EMPTY_ROW * np.maximum(1.0, abs(entries.constants)))
    has_low, has_high = needed & np.isfinite(low), needed & np.isfinite(high)
    equal = low == high
    numbers = np.concatenate([np.flatnonzero(has_high), np.flatnonzero(has_low & ~equal)])
    of_high = np.arange(len(numbers)) < has_high.sum()
    order = np.argsort(numbers, kind="stable")
    numbers, of_high = numbers[order], of_high[order]
    lower = np.where(of_high & ~equal[numbers], -np.inf, low[numbers])
    return matrix[numbers], lower, np.where(of_high, high[numbers], np.inf), numbers


def _names(
    runs: Sequence[Run], count: int, families: dict[Family, int], window: Window
) -> tuple[Indices, Indices]:
    """Return the family of each row or column, added to `families`, and the step or 0."""
    family_of, steps = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    for run in runs:
        family = run.component, run.name, run.outer
        family_of[run.numbers] = families.setdefault(family, len(families))
        if run.steps is not None:
            inside = (run.steps >= window.first) & (run.steps <= window.last)
            steps[run.numbers] = np.where(inside, run.steps, 0)
    return family_of, steps


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


def _indices(rows: Mapping[Key, Sequence[Indices]]) -> dict[Key, Indices]:
    return {key: np.concatenate(numbers) for key, numbers in rows.items()}
