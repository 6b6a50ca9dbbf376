"""Compiles a Pyomo model to a program: its rows and columns as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pyomo.environ as pyo
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from scipy import sparse

from planner.errors import InfeasibleError
from planner.message import Message
from planner.solver.model import (
    Linear,
    Model,
    column_name,
    last_index,
    no_garbage_collection,
    outer_index,
)
from planner.solver.program import Family, Flags, Indices, Program
from planner.solver.scaling import with_units
from planner.timeseries.horizon import Window
from planner.timeseries.series import Array

Key = TypeVar("Key")


@no_garbage_collection()
def compile_program(model: Model) -> Program:
    """Compile a model; the Pyomo model may be dropped afterwards.

    The objective is the sum of the ledger's rows and no part of the Pyomo model.

    Raises:
        InfeasibleError: a row without any variable is violated.
    """
    reports = model.reports
    linear = [Linear(expression) for expression in reports.expressions]
    try:
        form = LinearStandardFormCompiler().write(model.pyomo, mixed_form=True)
    except InfeasibleConstraintException as error:
        raise InfeasibleError(Message("no plan exists: {text}", text=error)) from None
    columns, rows = list(form.columns), [row for row, _ in form.rows]
    at = {id(column): i for i, column in enumerate(columns)}
    for report in linear:  # a variable that no row holds is still a decision
        for variable in report.variables:
            if id(variable) not in at:
                at[id(variable)] = len(columns)
                columns.append(variable)
    model.columns, model.rows = columns, form.rows
    matrix = sparse.csc_array(form.A)
    matrix.resize((matrix.shape[0], len(columns)))
    report_rows, report_offset = _report_rows(linear, at, len(columns))
    ledger = np.array([i for i, c in reports.costs.items() if not c.reported], dtype=np.int64)
    kinds = np.array([row.bound_type for row in form.rows], dtype=int)
    rhs = np.asarray(form.rhs, dtype=float)
    lower, upper, integer = _bounds(columns)
    row_families, families = _families(rows)
    used = [(at[id(s)], a, b) for s, a, b in reports.switches if id(s) in at]
    switches = np.array(used, dtype=np.int64).reshape(-1, 3)
    return with_units(Program(
        scenario=model.scenario,
        window=model.window,
        matrix=matrix,
        row_lower=np.where(kinds == 1, -np.inf, rhs),
        row_upper=np.where(kinds == -1, np.inf, rhs),
        column_lower=lower,
        column_upper=upper,
        integer=integer,
        cost=np.asarray(report_rows[ledger].sum(axis=0)).ravel(),
        offset=float(report_offset[ledger].sum()),
        switches=switches[:, 0],
        first_flow=switches[:, 1],
        second_flow=switches[:, 2],
        reports=report_rows,
        report_offset=report_offset,
        ledger_rows=ledger,
        moves=tuple(reports.moves),
        costs=reports.costs,
        uses=_indices(reports.uses),
        injected=_indices(reports.injected),
        row_steps=_steps(rows, model.window),
        column_steps=_steps(columns, model.window),
        schedule=_schedule(model, at),
        schedule_rows=_indices(reports.schedule),
        row_families=row_families,
        families=families,
        balances={
            balance: families[key]
            for k, balance in enumerate(model.balances)
            if (key := ("", "balance", (k,))) in families
        },
    ))  # fmt: skip


def _report_rows(rows: list[Linear], at: dict[int, int], width: int) -> tuple[Any, Array]:
    sizes = [len(row.coefficients) for row in rows]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    count = int(starts[-1])
    data = np.fromiter((c for row in rows for c in row.coefficients.values()), float, count)
    index = np.fromiter((at[key] for row in rows for key in row.coefficients), np.int64, count)
    matrix = sparse.csr_array((data, index, starts), shape=(len(rows), width))
    return matrix, np.array([row.constant for row in rows], dtype=float)


def _bounds(columns: list[Any]) -> tuple[Array, Array, Flags]:
    pairs = [column.bounds for column in columns]
    lower = np.array([-np.inf if low is None else low for low, _ in pairs], dtype=float)
    upper = np.array([np.inf if high is None else high for _, high in pairs], dtype=float)
    integer = np.array([not column.is_continuous() for column in columns], dtype=bool)
    return lower, upper, integer


def _schedule(model: Model, at: dict[int, int]) -> dict[str, tuple[Indices, Array]]:
    """Return the program's column of each schedule column by step, or the constant there."""
    first, last, steps = model.window.first, model.window.last, len(model.window)
    result: dict[str, tuple[Indices, Array]] = {}
    for name in model.scenario.components:
        for variable in model.block(name).component_objects(pyo.Var, sort=False):
            for index, data in variable.items():
                t = last_index(index)
                if not isinstance(t, int):
                    break  # not by step, such as the peak of a month
                if not first <= t <= last:
                    continue
                column = column_name(name, variable.local_name, outer_index(index))
                if column not in result:
                    result[column] = np.full(steps, -1, dtype=np.int64), np.zeros(steps)
                place, constant = result[column]
                place[t - first] = at.get(id(data), -1)
                if place[t - first] < 0:
                    constant[t - first] = data.value if data.fixed else data.lb or 0.0
    return result


def _steps(parts: list[Any], window: Window) -> Indices:
    """Return the step at the end of the index of each row or column, 0 where there is none."""
    last = (last_index(part.index()) for part in parts)
    inside = range(window.first, window.last + 1)
    return np.array([t if isinstance(t, int) and t in inside else 0 for t in last], dtype=np.int64)


def _families(rows: list[Any]) -> tuple[Indices, dict[Family, int]]:
    """Return the number of the family of each row, and the families by component and name."""
    families: dict[Family, int] = {}
    family_of = np.empty(len(rows), dtype=np.int64)
    for i, row in enumerate(rows):
        owner = row.parent_component()
        family = owner.parent_block().index() or "", owner.local_name, outer_index(row.index())
        family_of[i] = families.setdefault(family, len(families))
    return family_of, families


def _indices(rows: Mapping[Key, Sequence[int]]) -> dict[Key, Indices]:
    return {key: np.array(numbers, dtype=np.int64) for key, numbers in rows.items()}
