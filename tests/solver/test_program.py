"""Operations of a program: more rows, more columns, and what its solutions say."""

from __future__ import annotations

import numpy as np
import pytest

from planner.solver.compiler import program_of
from planner.solver.elastic import least_miss, row_sizes
from planner.solver.program import Program
from planner.solver.session import Session
from planner.timeseries.horizon import Window
from tests.support import build
from tests.support.build import HANGS_S
from tests.support.programs import program

INF = np.inf


def least(of: Program) -> list[float]:
    """The cheapest point."""
    session = Session(of, threads=1, seed=0)
    session.integrality(of.integer)
    x = session.run(time_limit_s=HANGS_S).x
    assert x is not None
    return [round(value, 6) + 0.0 for value in x.tolist()]


@pytest.fixture
def two() -> Program:
    """Two columns that cost 1 and 3 and give 4 or more together, the first at most 3."""
    return program([1, 3], [([1, 1], 4, INF)], [3, 10])


def test_rows_are_appended_without_a_step_or_a_name(two: Program):
    assert least(two) == [3, 1]
    more = two.with_rows([[1, 0], [0, 1]], [0, 2], INF)  # the second gives 2 or more
    assert least(more) == [2, 2]
    assert more.matrix.toarray().tolist() == [[1, 1], [1, 0], [0, 1]]
    assert (more.row_lower.tolist(), more.row_upper.tolist()) == ([4, 0, 2], [INF] * 3)
    assert (more.row_steps.tolist(), more.row_families.tolist()) == ([0] * 3, [0, -1, -1])
    assert two.matrix.shape == (1, 2)  # as it was


def test_rows_may_have_a_step(two: Program):
    assert two.with_rows([[1, 0], [0, 1]], 0, 1, np.array([3, 5])).row_steps.tolist() == [0, 3, 5]


def test_columns_are_appended_continuous_and_unseen_by_reports(two: Program):
    more = two.with_columns([[2]], 0, 0.25, 1)  # gives 2 a unit: 0.5 for 0.25
    assert least(more) == [3, 0.5, 0.25]
    assert more.reports.shape == (0, 3)
    assert (more.integer.tolist(), more.column_steps.tolist()) == ([False] * 3, [0] * 3)
    assert two.matrix.shape == (1, 2)


def test_what_is_only_to_be_possible_costs_nothing(two: Program):
    assert two.feasibility.cost.tolist() == [0, 0]
    assert two.feasibility.violation(np.array([2.0, 2.0])) == 0


def test_the_least_miss_is_paid_in_the_cheaper_row():
    """Of x at most 1 it is asked to be 3 or more, and 0.5 or less, which costs twice to miss."""
    of = program([5], [([1], 3, INF), ([-1], -0.5, INF)], [1])
    rows = np.array([0, 1])
    point = least_miss(of, rows, np.array([1.0, 2.0]), 10)
    assert point is not None
    x, below, above = (part.tolist() for part in point)
    assert (x, below, above) == ([0.5], [2.5, 0], [0, 0])  # not x = 1, which costs 2 + 2 * 0.5
    beyond = of.with_rows([[1]], 2, INF)  # x at least 2, which may not be missed
    assert least_miss(beyond, rows, np.array([1.0, 2.0]), 10) is None
    assert row_sizes(program([0, 0], [([1, -5], 0, 1)], [1, 1])).tolist() == [5]


def test_the_schedule_at_a_point_is_that_of_the_plan():
    """4 MWh bought at 10 are sold at 50 through a battery without losses."""
    grid = build.market(10, 50, import_limit_mw=4, resale=True)
    scenario = build.scenario({"battery": build.battery(), "grid": grid}, 2)
    of = program_of(scenario)
    assert of.all_integer[of.switches].all()
    assert not of.integer[of.switches].any()
    x = np.array(least(of))
    schedule = of.schedule_at(x)
    assert schedule.index.equals(scenario.horizon.starts)
    assert schedule["battery.charge_mw[grid]"].tolist() == [4, 0]
    names = ["battery.discharge_mw[grid]", "battery.charge_mw[grid]"]
    assert of.schedule_at(x, names).equals(schedule[names])
    last = program_of(scenario, Window(2, 2))
    assert last.times.equals(scenario.horizon.starts[1:])


def test_other_bounds_leave_the_program_as_it_was():
    one = program([1, 1], [([1, 1], 2.0, 2.0), ([1, 0], 0.0, 3.0)], [5, 5])
    changed = one.with_bounds([1], upper=4).with_row_bounds(np.array([True, False]), -np.inf, 9)
    assert (changed.column_lower.tolist(), changed.column_upper.tolist()) == ([0, 0], [5, 4])
    assert (changed.row_lower.tolist(), changed.row_upper.tolist()) == ([-np.inf, 0], [9, 3])
    assert (one.column_upper.tolist(), one.row_lower.tolist()) == ([5, 5], [2, 0])
