"""Programs without running totals: rows in one's head, the same optimum, points and duals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import planner
from planner.solver.compiler import program_of
from planner.solver.program import NO_STEP, Duals, Program
from planner.solver.session import Session
from planner.solver.totals import WithoutTotals, without_totals
from tests.support import build, compute
from tests.support.committed import SITES, UNITS, exact, program_named, room
from tests.support.full_site import write

SHED, BOUGHT = 100.0, 40.0  # CNY/MWh


def budget_of_three_hours(budget_tco2: float = 4.0) -> Program:
    """A town of 12 MWh whose import emits 0.5 t/MWh; 1 t of the budget is spent before."""
    parts = {
        "town": build.load(2, 4, 6, shed_cost_cny_per_mwh=SHED),
        "grid": build.grid(import_emission_tco2_per_mwh=0.5, import_price_cny_per_mwh=BOUGHT),
        "ets": build.carbon(budget_tco2=budget_tco2, so_far_tco2=1),
    }
    return program_of(build.scenario(parts, 3))


def optimum(program: Program) -> Duals:
    """Return the optimum of the LP and its duals."""
    session = Session(program)
    session.run()
    duals = session.duals()
    assert duals is not None
    return duals


def rows_named(program: Program, component: str, row: str) -> list[int]:
    families = [
        n for (name, family, _), n in program.families.items() if (name, family) == (component, row)
    ]
    return np.flatnonzero(np.isin(program.row_families, families)).tolist()


def as_text(program: Program, row: int) -> str:
    """Return a row as the schedule columns it holds, summed over their steps, and its limits."""
    name_of = {
        int(column): f"{name} {step}"
        for name, (columns, _) in program.schedule.items()
        for step, column in enumerate(columns, 1)
        if column >= 0
    }
    entries = program.matrix[[row]].tocoo()
    terms = [f"{value:g} {name_of[j]}" for j, value in zip(entries.col, entries.data, strict=True)]
    lower, upper = program.row_lower[row] + 0.0, program.row_upper[row] + 0.0
    return f"{lower:g} <= " + " + ".join(sorted(terms, key=lambda t: t[-1])) + f" <= {upper:g}"


# --- by hand


def test_a_budget_of_three_hours_is_a_sum_of_its_imports():
    without = without_totals(budget_of_three_hours())
    (row,) = rows_named(without.program, "ets", "budget")
    assert as_text(without.program, row) == (
        "-inf <= 0.5 grid.import_mw 1 + 0.5 grid.import_mw 2 + 0.5 grid.import_mw 3 <= 3"
    )
    assert not rows_named(without.program, "ets", "emitted_tco2_rises")
    assert "ets.emitted_tco2" not in without.program.schedule


def test_its_total_comes_back_with_its_duals():
    original = budget_of_three_hours()
    without = without_totals(original)
    duals = without.duals(optimum(without.program))
    # 3 t are 6 MWh of import, 6 MWh are shed; a tonne more is 2 MWh less shed, at 60 each
    assert original.objective(duals.x) == pytest.approx(6 * BOUGHT + 6 * SHED)
    emitted = duals.x[original.variables("ets.emitted_tco2")]
    assert emitted[-1] == pytest.approx(4)
    assert (np.diff(emitted, prepend=1) >= -1e-9).all()
    (budget,) = rows_named(original, "ets", "budget")
    rises = rows_named(original, "ets", "emitted_tco2_rises")
    assert duals.rows[budget] == pytest.approx(-2 * (SHED - BOUGHT))
    assert np.abs(duals.rows[rises]) == pytest.approx(120)
    assert duals.rows == pytest.approx(optimum(original).rows)  # unique here


def test_a_budget_to_spare_has_no_price():
    without = without_totals(budget_of_three_hours(budget_tco2=9))
    duals = without.duals(optimum(without.program))
    assert without.original.objective(duals.x) == pytest.approx(12 * BOUGHT)
    assert duals.x[without.original.variables("ets.emitted_tco2")] == pytest.approx([2, 4, 7])
    rows = rows_named(without.original, "ets", "emitted_tco2_rises")
    assert duals.rows[rows] == pytest.approx(0)


@pytest.mark.parametrize("change", ["upper", "lower", "cost", "report"])
def test_a_total_with_a_limit_or_a_price_of_its_own_stays(change: str):
    original = budget_of_three_hours()
    point = original.variables("ets.emitted_tco2")[1]
    changed = {
        "upper": lambda: original.with_bounds(point, upper=3.5),
        "lower": lambda: original.with_bounds(point, lower=1.5),
        "cost": lambda: replace(original, cost=np.where(np.arange(len(original.cost)) == point, 1.0,
                                                        original.cost)),
        "report": lambda: replace(original, reports=_with_entry(original.reports, point)),
    }[change]()  # fmt: skip
    without = without_totals(changed)
    assert not without.totals
    assert without.program.matrix.shape == changed.matrix.shape


def test_a_least_value_that_a_total_never_falls_below_is_no_limit():
    original = budget_of_three_hours()
    points = original.variables("ets.emitted_tco2")
    assert len(without_totals(original.with_bounds(points, lower=1.0)).totals) == 1
    assert not without_totals(original.with_bounds(points, lower=1.01)).totals


def _with_entry(matrix: Any, column: int) -> Any:
    changed = matrix.tolil()
    changed[0, column] = 1.0
    return changed.tocsr()


def test_a_deadline_of_two_hours_is_a_row_over_two_steps():
    """What waits at the end of an hour came in the last two: nothing waited before."""
    parts = compute.site(gpu=compute.fleet(9), night=compute.batch(18, deadline_h=2))
    without = without_totals(program_of(build.scenario(parts, 4)))
    program = without.program
    rows = [as_text(program, row) for row in rows_named(program, "night", "deadline")]
    came = "-1 night.accepted_mtok_per_h"
    assert rows == [
        f"-inf <= {came} 1 + 1 night.waiting_mtok 1 <= 0",
        f"-inf <= {came} 1 + {came} 2 + 1 night.waiting_mtok 2 <= 0",
        f"-inf <= {came} 2 + {came} 3 + 1 night.waiting_mtok 3 <= 0",
        f"-inf <= {came} 3 + {came} 4 + 1 night.waiting_mtok 4 <= 0",
    ]


# --- equivalences


@pytest.mark.parametrize("name", [*UNITS, *SITES])
def test_optimum_points_and_duals_are_those_of_the_original(name: str):
    original = program_named(name)
    without = without_totals(original)
    solved, same = optimum(without.program), optimum(original)
    duals = without.duals(solved)
    value = without.program.objective(solved.x)
    assert value == pytest.approx(original.objective(same.x), abs=room(value))
    assert original.objective(duals.x) == pytest.approx(value, abs=room(value))
    relaxed = replace(original, integer=np.zeros(len(original.cost), dtype=bool))
    assert relaxed.violation(duals.x) < 1e-7
    reduced = original.cost - original.matrix.T @ duals.rows
    assert reduced == pytest.approx(duals.columns, abs=1e-6)
    assert worth(original, duals) == pytest.approx(value, abs=room(value))


def worth(program: Program, duals: Duals) -> float:
    """Return the value of the dual program: at an optimum it is that of the program."""
    sides = np.where(duals.rows > 0, program.row_lower, program.row_upper)
    ends = np.where(duals.columns > 0, program.column_lower, program.column_upper)
    priced, reduced = np.abs(duals.rows) > 1e-7, np.abs(duals.columns) > 1e-7
    return float(
        program.offset + duals.rows[priced] @ sides[priced] + duals.columns[reduced] @ ends[reduced]
    )


@pytest.mark.parametrize("name", [*UNITS[:4], *SITES[:4]])
def test_the_integer_optimum_stays(name: str):
    original = program_named(name)
    without = without_totals(original)
    value = exact(original).objective
    assert exact(without.program).objective == pytest.approx(value, abs=room(value))


@pytest.mark.parametrize("name", [*UNITS[:4], *SITES[:4]])
def test_reports_and_schedule_are_those_of_the_restored_point(name: str):
    without = without_totals(program_named(name))
    x = optimum(without.program).x
    whole = without.point(x)
    assert without.program.values(x) == pytest.approx(without.original.values(whole), abs=1e-6)
    schedule = without.original.columns(whole)
    for column, values in without.program.columns(x).items():
        assert values == pytest.approx(schedule[column], abs=1e-6)
    for state, original in zip(without.program.states, without.original.states, strict=True):
        known = state >= 0
        assert np.array_equal(known, original >= 0)
        assert x[state[known]] == pytest.approx(whole[original[known]])


# --- invariances


def test_no_total_of_any_kind_is_left(tmp_path: Path):
    original = program_of(planner.load(write(tmp_path)))
    totals = {
        f"{name}.{counter}"
        for name, component in original.scenario.components.items()
        for counter in component.counters
    } & {*original.schedule}
    without = without_totals(original)
    assert len(totals) == len(without.totals) > 3
    assert not totals & {*without.program.schedule}


def test_a_program_without_totals_is_as_it_was():
    original = program_of(build.scenario({"grid": build.grid(), "town": build.load(3)}, 1))
    without = without_totals(original)
    assert without.totals == ()
    assert (without.program.matrix != original.matrix).nnz == 0
    x = np.arange(len(original.cost), dtype=float)
    assert np.array_equal(without.point(x), x)


def test_a_second_time_there_is_nothing_to_substitute():
    once: WithoutTotals = without_totals(program_named("any 2"))
    assert once.totals
    assert without_totals(once.program).totals == ()
    assert (once.program.column_steps != NO_STEP).any()
