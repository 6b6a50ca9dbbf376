"""Compares programs by the names of their rows and columns, and shows where they differ."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import numpy as np
from scipy import sparse

from planner.solver.program import Program

CLOSE = 1e-11  # of the size of a figure: sums in another order


def differences(program: Program, other: Program) -> list[str]:
    """Return what is not the same in two programs of a scenario."""
    rows, other_rows = row_names(program), row_names(other)
    columns, other_columns = column_names(program), column_names(other)
    wrong = [f"only in one: {name}" for name in sorted({*rows} ^ {*other_rows}, key=str)]
    wrong += [f"only in one: {name}" for name in sorted({*columns} ^ {*other_columns}, key=str)]
    if wrong:
        return wrong
    if list(rows) != list(other_rows):
        wrong.append("rows in another order")
    if list(columns) != list(other_columns):
        wrong.append("columns in another order")
    row = np.array([other_rows[name] for name in rows], dtype=int)
    column = np.array([other_columns[name] for name in columns], dtype=int)
    for name in ("row_lower", "row_upper"):
        wrong += _unlike(name, getattr(program, name), getattr(other, name)[row], list(rows))
    for name in ("column_lower", "column_upper", "integer", "cost"):
        here, elsewhere = getattr(program, name), getattr(other, name)[column]
        wrong += _unlike(name, here, elsewhere, list(columns))
    wrong += _unlike_matrix(program.matrix, sparse.csc_array(other.matrix)[:, column][row], rows)
    reports = sparse.csc_array(other.reports)[:, column]
    wrong += _unlike_matrix(program.reports, reports, range(len(program.report_offset)))
    wrong += _unlike("report_offset", program.report_offset, other.report_offset, None)
    for part in ("families", "balances", "pairs", "variable_families", "units"):
        if getattr(program, part) != getattr(other, part):
            wrong.append(f"{part} differ")
    costs, other_costs = (
        [(*astuple(cost)[:3], list(cost.periods), cost.rows.tolist()) for cost in one.costs]
        for one in (program, other)
    )
    if costs != other_costs:
        wrong.append("costs differ")
    for part in ("uses", "injected", "schedule_rows"):
        here, elsewhere = getattr(program, part), getattr(other, part)
        if list(here) != list(elsewhere) or any((here[k] != elsewhere[k]).any() for k in here):
            wrong.append(f"{part} differ")
    if list(program.schedule) != list(other.schedule):
        wrong.append("schedule differs")
    for name, (index, constant) in program.schedule.items():
        there_index, there_constant = other.schedule[name]
        same = np.where(index >= 0, column[index], -1) == there_index
        if not same.all() or not np.array_equal(constant, there_constant):
            wrong.append(f"schedule differs at {name}")
    switches = column[program.switches]
    for here, elsewhere in (
        (switches, other.switches), (program.first_flow, other.first_flow),
        (program.second_flow, other.second_flow), (program.ledger_rows, other.ledger_rows),
    ):  # fmt: skip
        if not np.array_equal(here, elsewhere):
            wrong.append("switches, flows or ledger rows differ")
    for move, same_move in zip(program.moves, other.moves, strict=True):
        if (move.order, move.before_mw) != (same_move.order, same_move.before_mw) or not (
            np.array_equal(move.rows, same_move.rows)
        ):
            wrong.append("moves differ")
    return wrong


def row_names(program: Program) -> dict[Any, int]:
    """Return the number of each row by family, step, and side of its limit."""
    families = list(program.families)
    names: dict[Any, int] = {}
    for i, (family, step) in enumerate(zip(program.row_families, program.row_steps, strict=True)):
        side = program.row_lower[i] == program.row_upper[i], np.isfinite(program.row_upper[i])
        names[(*families[family], int(step), *map(bool, side))] = i
    assert len(names) == len(program.row_families)
    return names


def column_names(program: Program) -> dict[Any, int]:
    """Return the number of each column by family and step."""
    parts = zip(program.column_families, program.column_steps, strict=True)
    names = {
        (*program.variable_families[family], int(step)): j for j, (family, step) in enumerate(parts)
    }
    assert len(names) == len(program.column_families)
    return names


def _unlike(what: str, here: Any, elsewhere: Any, names: Any) -> list[str]:
    size = np.maximum(1.0, np.where(np.isfinite(here), np.abs(here), 1.0))
    with np.errstate(invalid="ignore"):
        far = ~((here == elsewhere) | (np.abs(here * 1.0 - elsewhere) <= CLOSE * size))
    return [
        f"{what} of {names[i] if names else i}: {here[i]}, {elsewhere[i]}"
        for i in np.flatnonzero(far).tolist()
    ]


def _unlike_matrix(here: Any, elsewhere: Any, names: Any) -> list[str]:
    difference = sparse.coo_array(sparse.csr_array(here) - sparse.csr_array(elsewhere))
    names = list(names)
    return [
        f"coefficient in {names[i]}: {value}"
        for i, value in zip(difference.coords[0].tolist(), difference.data, strict=True)
        if abs(value) > CLOSE * max(1.0, abs(here).max())
    ]
