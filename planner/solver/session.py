"""A session with the solver: one model that changes between runs, and what its optima say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import sparse

from planner.solver.highs import LP_ITERATIONS, HighsModel, Spent, scale_of
from planner.solver.linear_program import LinearArrays
from planner.solver.program import Duals, Flags, Indices, Program
from planner.timeseries.series import Array

IRREDUCIBLE = 2  # strategy of getIis; the default finds nothing
MIN_DUAL = 1e-6  # a smaller dual or reduced cost counts as zero


class Session(HighsModel):
    """A model whose bounds, integrality, cost and rows can change between runs."""

    def __init__(
        self, program: LinearArrays, *, threads: int = 1, seed: int = 0, spent: Spent | None = None
    ) -> None:
        super().__init__(program, threads=threads, seed=seed, spent=spent)
        self._settings = {"threads": threads, "seed": seed}
        self._row_bounds = np.array([program.row_lower, program.row_upper])
        self._own_row_bounds = self._row_bounds
        self._column_bounds = np.array([program.column_lower, program.column_upper])
        self._own_column_bounds = self._column_bounds.copy()

    def beside(self, program: LinearArrays) -> Session:
        """Return a session of another program, with the same settings, that shares `spent`."""
        return Session(program, **self._settings, spent=self.spent)

    def integrality(self, integer: Flags) -> None:
        """Set which columns are integer.

        The state of an earlier run is dropped: HiGHS would take the old LP solution as a start and
        spend half of its time on completing it.
        """
        if not self.has_integers and not integer.any():
            return
        self._call("clearSolver")
        self.has_integers = bool(integer.any())
        columns = np.arange(self.columns, dtype=np.int32)
        self._call("changeColsIntegrality", self.columns, columns, integer.astype(np.uint8))

    def bounds(self, columns: Indices, lower: Array, upper: Array) -> None:
        """Change the bounds of some columns."""
        self._column_bounds[:, columns] = lower, upper
        self._call("changeColsBounds", len(columns), columns.astype(np.int32), lower, upper)

    def row_bounds(self, lower: Array, upper: Array) -> None:
        """Change the bounds of all rows."""
        earlier, self._row_bounds = self._row_bounds, np.array([lower, upper])
        rows = np.flatnonzero((self._row_bounds != earlier).any(axis=0))
        self._call("changeRowsBounds", len(rows), rows.astype(np.int32), lower[rows], upper[rows])

    def run_without(self, rows: Indices, time_limit_s: float = math.inf) -> None:
        """Solve without some rows: rows that join all steps are added faster to an optimum."""
        lower, upper = self._row_bounds
        without = self._row_bounds.copy()
        without[0, rows], without[1, rows] = -np.inf, np.inf
        self.row_bounds(*without)
        self.run(time_limit_s=time_limit_s)
        self.row_bounds(lower, upper)

    def bounded(self, program: Program) -> Program:
        """Return the session's program with the bounds of columns and rows as they are now."""
        columns, rows = len(program.cost), len(program.row_lower)
        bounded = program.with_bounds(slice(None), *self._column_bounds[:, :columns])
        return bounded.with_row_bounds(slice(None), *self._row_bounds[:, :rows])

    def reset(self, lower: Array, upper: Array) -> None:
        """Set the bounds of the program's columns; added columns and all rows get theirs again."""
        least, most = self._own_column_bounds[:, len(lower) :]
        every = np.arange(self.columns)
        self.bounds(every, np.append(lower, least), np.append(upper, most))
        self.row_bounds(*self._own_row_bounds)

    def extend(
        self, matrix: Any, lower: Array, upper: Array, into: Any = None, least: Array | float = 0.0
    ) -> None:
        """Add rows, and the columns without cost or upper bound that `matrix` has beyond its own.

        Args:
            matrix: the coefficients of the new rows, sparse by row.
            lower: their least activities.
            upper: their greatest.
            into: the coefficients of the new columns in the rows so far, sparse by column [none].
            least: the lower bounds of the new columns.
        """
        rows, columns = matrix.shape
        count = columns - self.columns
        into = sparse.csc_array((self._row_bounds.shape[1], count)) if into is None else into
        least, unlimited = np.broadcast_to(least, count).copy(), np.full(count, np.inf)
        self._call(
            "addCols", count, np.zeros(count), least, unlimited, into.nnz,
            into.indptr.astype(np.int32), into.indices.astype(np.int32), into.data.astype(float),
        )  # fmt: skip
        self._call(
            "addRows", rows, lower, upper, matrix.nnz, matrix.indptr.astype(np.int32),
            matrix.indices.astype(np.int32), matrix.data.astype(float),
        )  # fmt: skip
        self._column_bounds = np.hstack([self._column_bounds, [least, unlimited]])
        self._own_column_bounds = np.hstack([self._own_column_bounds, [least, unlimited]])
        self._row_bounds = np.hstack([self._row_bounds, [lower, upper]])
        self._own_row_bounds = np.hstack([self._own_row_bounds, [lower, upper]])
        self.columns = columns

    def search_without_restarts(self) -> None:
        """Search integer programs without restarts, and without sub-programs by reduced cost.

        With many units most of the time of a search goes into both.
        """
        self._option("mip_heuristic_run_root_reduced_cost", False)
        self._option("mip_allow_restart", False)

    def start_afresh(self) -> None:
        """Forget the basis: the next run begins with presolve."""
        self._call("clearSolver")

    def start_from(self, other: Session) -> None:
        """Start the next run from the basis of another session over the same rows and columns."""
        self._call("setBasis", other._highs.getBasis())

    def irreducible(self) -> tuple[set[int], set[int]]:
        """Return an irreducible infeasible set, rows and columns, of an LP found infeasible."""
        self._option("iis_strategy", IRREDUCIBLE)
        _, system = self._highs.getIis()
        return set(system.row_index_), set(system.col_index_)

    def minimise(self, cost: Array) -> Array | None:
        """Return the point of the program that is best for another cost, None without an optimum.

        Args:
            cost: of the program's columns and, if it is longer, of the added ones.
        """
        self.cost(np.append(cost, np.zeros(self.columns - len(cost))))
        result = self.run(iterations=LP_ITERATIONS)
        if result.status != "optimal" or result.x is None:
            return None
        return result.x[: len(self.program.cost)]

    def cost(self, cost: Array) -> None:
        """Change the objective, to one without an offset."""
        self._scale = scale_of(cost)
        columns = np.arange(self.columns, dtype=np.int32)
        self._call("changeColsCost", self.columns, columns, cost * self._scale)
        self._call("changeObjectiveOffset", 0.0)

    def stay_optimal(self) -> None:
        """Confine an LP to its optimal face: rows and columns with a dual are fixed at their bound.

        By complementary slackness every point of the remaining set is optimal for the cost just
        minimised, and every optimum (within the dual tolerance) is in it.
        """
        solution, (lower, upper) = self._highs.getSolution(), self._column_bounds
        reduced, price = np.array(solution.col_dual), np.array(solution.row_dual)
        at = np.where(reduced > 0, lower, upper)
        priced = np.flatnonzero((np.abs(reduced) > MIN_DUAL) & np.isfinite(at))
        self.bounds(priced, at[priced], at[priced])
        lower, upper = self._row_bounds
        at = np.where(price > 0, lower, upper)
        priced_rows = (np.abs(price) > MIN_DUAL) & np.isfinite(at)
        self.row_bounds(np.where(priced_rows, at, lower), np.where(priced_rows, at, upper))

    def duals(self) -> Duals | None:
        """Return the optimum of the LP just solved and its duals; None where it has none.

        Those of the program, without added rows and columns.
        """
        solution = self._highs.getSolution()
        if self.has_integers or not solution.dual_valid:
            return None
        columns, rows = len(self.program.cost), len(self.program.row_lower)
        return Duals(
            x=np.array(solution.col_value)[:columns],
            rows=np.array(solution.row_dual)[:rows] / self._scale,
            columns=np.array(solution.col_dual)[:columns] / self._scale,
            fixed=np.zeros(columns, dtype=bool),
        )
