"""A program in the units it is solved in: its own, unless its figures are far from 1.

A solver's tolerances are absolute: it misses a row by up to 1e-7, which is nothing to a site of
100 MW and much to one of 100 W. A program whose typical figures lie outside `PLAIN` is therefore
solved in other units, powers of two that change no digit:

    column = size * solved column       of MW, MWh, Mtok and nodes; states and shares stay
    solved row = row / size             of rows that hold such a column
    solved cost = money * cost          of the objective and the ledger

The units are those of the program as compiled: what is made of it later, with slacks and values
pinned, keeps them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from planner.solver.program import OWN_UNITS, Duals, Flags, Program, Units
from planner.timeseries.series import Array

PLAIN = 2.0**-10, 2.0**20  # typical figures (medians) between these stay as they are
TYPICAL = 2.0**6  # the median of others
ROUNDING = 1e-9  # of a value in solved units


def with_units(program: Program) -> Program:
    """Return a program with the units it is to be solved in."""
    sized, in_rows = _sized(program)
    bounds = program.column_lower[sized], program.column_upper[sized]
    sides = program.row_lower[in_rows], program.row_upper[in_rows]
    size = 1 / plain_factor(np.concatenate([*bounds, *sides]))
    return replace(program, units=Units(size, plain_factor(program.cost[sized] * size)))


def plain_factor(figures: Array) -> float:
    """Return the power of two that makes the typical figure plain; 1 where it is."""
    sizes = np.abs(figures[(figures != 0) & np.isfinite(figures)])
    typical = float(np.median(sizes)) if sizes.size else 1.0
    if PLAIN[0] <= typical <= PLAIN[1]:
        return 1.0
    return math.ldexp(1.0, round(math.log2(TYPICAL / typical)))


def _sized(program: Program) -> tuple[Flags, Flags]:
    """Return the columns that have a size, and the rows that hold one."""
    state = program.all_integer | ((program.column_lower == 0) & (program.column_upper == 1))
    return ~state, abs(program.matrix) @ (~state).astype(float) > 0


@dataclass(frozen=True)
class Rescaled:
    """A program, the same as it is solved, and the way back.

    columns, rows: the factors of both; shapes (columns,) and (rows,).
    """

    original: Program
    program: Program
    columns: Array | float = 1.0
    rows: Array | float = 1.0

    def point(self, x: Array) -> Array:
        """Return a point as one of the original, within the bounds that a solver may miss.

        A value of the solver's rounding, which the size would make an amount, is 0.
        """
        if self.program is self.original:
            return x
        x = np.where(np.abs(x) < ROUNDING, 0.0, x)
        return np.clip(x * self.columns, self.original.column_lower, self.original.column_upper)

    def energy(self, mwh: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        """Return ranges of energy in MWh."""
        size = self.original.units.size
        return {name: (low * size, high * size) for name, (low, high) in mwh.items()}

    def duals(self, duals: Duals) -> Duals:
        """Return duals as those of the original."""
        money = self.original.units.money
        return replace(
            duals,
            x=self.point(duals.x),
            rows=duals.rows * self.rows / money,
            columns=duals.columns / self.columns / money,
        )


def rescaled(program: Program) -> Rescaled:
    """Return a program in the units to solve it in."""
    size, money = program.units
    if size == money == 1:
        return Rescaled(program, program)
    sized, in_rows = _sized(program)
    columns, rows = np.where(sized, size, 1.0), np.where(in_rows, 1 / size, 1.0)
    reports = np.full(len(program.report_offset), 1 / size)
    reports[program.ledger_rows] = money
    by_row, by_column, by_report = map(sparse.diags_array, (rows, columns, reports))
    moves = [
        move._replace(before_mw=None if move.before_mw is None else move.before_mw / size)
        for move in program.moves
    ]
    solved = replace(
        program,
        matrix=sparse.csc_array(by_row @ program.matrix @ by_column),
        row_lower=program.row_lower * rows,
        row_upper=program.row_upper * rows,
        column_lower=program.column_lower / columns,
        column_upper=program.column_upper / columns,
        cost=program.cost * columns * money,
        offset=program.offset * money,
        reports=sparse.csr_array(by_report @ program.reports @ by_column),
        report_offset=program.report_offset * reports,
        moves=tuple(moves),
    )
    return Rescaled(program, replace(solved, units=OWN_UNITS), columns, rows)
