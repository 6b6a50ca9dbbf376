"""The LP of a whole program with its integers fixed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from planner.solver.highs import LP_ITERATIONS
from planner.solver.program import NO_INDICES, Duals, Indices, Program
from planner.solver.rounds import MAX_VIOLATION
from planner.solver.scaling import rescaled
from planner.solver.session import Session
from planner.solver.state_schedule import StateSchedule
from planner.timeseries.series import Array

PRECISE = MAX_VIOLATION / 2  # up to which a point is taken


@dataclass
class ProgramPlan:
    """A plan: a point of the program, what it costs in CNY, and the duals of its LP.

    rounds: solves of the LP until no exclusive flows overlapped.
    """

    x: Array
    value: float
    duals: Duals
    rounds: int


class PlanProgram:
    """The LP of a whole program with its integers fixed, solved again and again."""

    def __init__(self, program: Program, rules: Indices) -> None:
        """Take a program; `rules` are the rows that join all steps."""
        self._solved, self._rules = rescaled(program), rules

    @cached_property
    def _session(self) -> Session:
        program, settings = self._solved.program, self._solved.program.scenario.solver
        return Session(program, threads=settings.threads, seed=settings.seed)

    @cached_property
    def _schedule(self) -> StateSchedule:
        program = self._solved.program
        return StateSchedule(program, program.states, self._session)

    def best(self, points: Array) -> ProgramPlan | None:
        """Return the best plan with the integers of a point, made to fit together; None if none.

        Directions are fixed only where flows overlap.

        Raises:
            KeyboardInterrupt: Ctrl-C.
        """
        solved, program = self._solved, self._solved.program
        fixed = self._integers(points / solved.columns)
        if fixed is None:
            return None
        columns, values = fixed
        session, directed = self._session, np.zeros(len(program.switches), dtype=bool)
        lower, upper = program.column_lower.copy(), program.column_upper.copy()
        lower[columns] = upper[columns] = values
        whole = program.integer.copy()  # the states decide them all, but for rounding
        whole[program.switches] = False
        whole[columns] = True
        rounds, is_fresh = 0, False
        while True:
            session.bounds(np.arange(len(lower)), lower, upper)
            if not session.iterations:
                session.run_without(self._rules)
            result = session.run(iterations=LP_ITERATIONS)
            if session.spent.stopped:
                raise KeyboardInterrupt
            if result.x is None or result.status != "optimal":
                return None
            x, overlapping = result.x, program.overlaps(result.x) & ~directed
            if rounds and not overlapping.any():
                if is_fresh or program.violation(x) <= PRECISE:
                    break
                session.start_afresh()  # after many hot runs rows may be missed by more
                is_fresh = True
            rounds += 1
            lower[whole] = upper[whole] = np.round(x[whole])
            directed |= overlapping
            switches = program.switches[directed]
            lower[switches] = upper[switches] = program.directions(x)[directed]
        duals = session.duals()
        if duals is None:
            return None
        duals.fixed[whole] = duals.fixed[program.switches[directed]] = True
        x[program.switches] = program.directions(x)
        duals = solved.duals(replace(duals, x=x))
        value = program.objective(x) / solved.original.units.money
        return ProgramPlan(duals.x, value, duals, rounds)

    def _integers(self, wanted: Array) -> tuple[Indices, Array] | None:
        """Return the integer columns to fix and their values; None where states do not fit."""
        program, schedule = self._solved.program, self._schedule
        bounds = program.column_lower, program.column_upper
        states = np.array([np.where(index >= 0, wanted[index], 0.0) for index in program.states])
        columns, values = [NO_INDICES], [np.zeros(0)]
        if program.states:
            nearest = schedule.nearest(np.round(states), 0.5, *bounds)
            if nearest is None:
                return None
            for index, on in zip(program.states, nearest, strict=True):
                columns.append(index[index >= 0])
                values.append(on[index >= 0])
        others = program.integer & ~schedule.committed
        others[program.switches] = False
        columns.append(np.flatnonzero(others))
        values.append(np.round(wanted[others]))
        return np.concatenate(columns), np.concatenate(values)
