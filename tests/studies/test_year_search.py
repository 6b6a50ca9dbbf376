"""The search over windows: how a horizon is cut, tasks and their keys, the LP of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from planner.files.records import Record
from planner.solver.compiler import program_of
from planner.solver.plan_program import PlanProgram
from planner.solver.program import NO_INDICES, Program
from planner.solver.totals import without_totals
from planner.solver.window_solutions import (
    relaxed_value,
    window_bound,
    window_offers,
    window_prices,
)
from planner.solver.windows import Windows
from planner.studies.year_refinement import refine
from planner.studies.year_search import YearSearch
from planner.studies.year_task import Solve, WindowResult, WindowTask, recorded_result, work_on
from planner.timeseries.horizon import Window, cut
from tests.support import build
from tests.support.committed import exact, program_named, room
from tests.support.sites import random_site

DIRECTIONS = 1e-3  # of a profit: what a choice of directions by the larger flow may lose
NAMES = ["units 0", "units 1", "units 13", "any 2", "any 15"]


def horizon(hours: float, start: str = "2026-07-01T00:00:00+08:00", step_min: int = 60) -> Any:
    return build.scenario({"grid": build.grid()}, hours, step_min, start).horizon


def spans(*args: Any, window_h: float = 168, **more: Any) -> list[tuple[int, int]]:
    return [(w.first, w.last) for w in cut(horizon(*args, **more), window_h)]


def reduced(name: str) -> Program:
    return without_totals(program_named(name)).program


# --- how a horizon is cut


def test_a_month_in_windows_of_about_a_week():
    # 31 days in round(744 / 168) = 4 windows: 7.75 days each, at the nearest midnights
    days = [(first - 1) / 24 for first, _ in spans(31 * 24)]
    assert days == [0, 8, 15, 23]


def test_months_are_cut_apart():
    assert spans(48, "2026-07-31T00:00:00+08:00", window_h=48) == [(1, 24), (25, 48)]


def test_a_short_rest_of_a_month_joins_the_window_before():
    # 6 hours of August are less than 0.4 of 24
    assert spans(30, "2026-07-31T00:00:00+08:00", window_h=24) == [(1, 30)]
    assert spans(34, "2026-07-31T00:00:00+08:00", window_h=24) == [(1, 24), (25, 34)]


def test_hours_of_a_day_are_cut_evenly():
    assert spans(8, window_h=3) == [(1, 2), (3, 5), (6, 8)]
    assert spans(8, window_h=24) == [(1, 8)]
    assert spans(2, window_h=0.5, step_min=15) == [(1, 2), (3, 4), (5, 6), (7, 8)]


@pytest.mark.parametrize("start", ["2026-07-15T00:00:00+08:00", "2026-12-31T21:00:00+08:00",
                                   "2026-03-28T00:00:00+01:00"])  # fmt: skip
@pytest.mark.parametrize("step_min", [60, 20, 15])
@pytest.mark.parametrize("window_h", [24, 48, 168])
def test_windows_cover_every_step_once(start: str, step_min: int, window_h: float):
    line = horizon(24 * 40, start, step_min)
    windows = cut(line, window_h)
    steps = [step for window in windows for step in range(window.first, window.last + 1)]
    assert steps == list(range(1, line.steps + 1))
    lengths = [len(window) * line.step_h for window in windows]
    assert max(lengths) <= 1.9 * window_h
    assert {window.first for window in windows[1:]} <= {day[0] for day in line.days}


# --- windows solved


@pytest.mark.parametrize("name", NAMES)
def test_prices_bounds_and_relaxation_are_in_order(name: str):
    """The relaxation, the bound, the optimum and the plan, each no less than the one before."""
    program = reduced(name)
    settings = program.scenario.solver
    value = exact(program).objective
    lp, solution = relaxed_value(program, settings), window_bound(program, settings)
    slack = 10 * room(value)
    assert lp <= solution.bound + slack
    assert solution.bound <= value + slack
    assert program.objective(solution.x) >= value - slack
    assert program.violation(solution.x) < 1e-6
    prices, _ = window_prices(program, settings)
    assert prices.shape == program.row_lower.shape
    for signs, sides in ((prices > 1e-6, program.row_lower), (prices < -1e-6, program.row_upper)):
        assert np.isfinite(sides[signs]).all()  # a price is that of a side that there is


@pytest.mark.parametrize("name", NAMES)
def test_offers_are_plans_and_a_price_draws_them_away(name: str):
    program = reduced(name)
    rules = np.where(program.integer, 1.0, 0.0)[None]  # the hours that units run
    prices = np.array([[0.0], [-1e4]])
    offers = window_offers(program, program.scenario.solver, rules, prices)
    plans = [x for x in offers if x is not None]
    assert plans
    for x in plans:
        assert replace(program, switches=program.switches).violation(x) < 1e-6
    if len(plans) == 2:
        free, charged = (float((rules @ x)[0]) for x in plans)
        assert charged <= free + 1e-6


# --- tasks


def task(**changes: Any) -> WindowTask:
    program = reduced("units 1")
    parts = {"work": "bounds", "number": 0, "window": Window(1, 6), "program": program,
             "settings": program.scenario.solver, "arrays": {}}  # fmt: skip
    return WindowTask(**parts | changes)


def test_keys_differ_where_anything_differs():
    plain = task()
    program, settings = plain.program, plain.settings
    nudged = program.matrix.copy()
    nudged.data[0] *= 1.001
    column = np.arange(len(program.cost)) == 0
    others = [
        task(work="plan"),
        task(settings=settings.revised({"gap": 0.5})),
        task(settings=settings.revised({"seed": 7})),
        task(program=replace(program, matrix=nudged)),
        task(program=replace(program, cost=program.cost + column)),
        task(program=replace(program, offset=program.offset + 1)),
        task(program=replace(program, integer=program.integer ^ column)),
        task(program=program.with_bounds(0, upper=0.5)),
        task(program=program.with_bounds(0, lower=-0.5)),
        task(program=program.with_row_bounds(0, lower=-0.5)),
        task(program=program.with_row_bounds(0, upper=1e9)),
        task(arrays={"prices": np.ones((1, 2))}),
        task(arrays={"prices": np.zeros((1, 2))}),
    ]
    keys = [one.key for one in (plain, *others)]
    assert len({*keys}) == len(keys)
    assert plain.key == task().key


def test_windows_of_a_program_have_keys_of_their_own():
    program = reduced("units 1")
    windows = Windows(program)
    prices = np.zeros(len(program.row_lower))
    parts = [windows.priced(Window(t, t), prices).program for t in range(1, 7)]
    assert len({task(program=part).key for part in parts}) == 6


@pytest.mark.parametrize("work", ["prices", "bounds", "rules", "tidying"])
def test_a_result_survives_its_record(work: str):
    program = reduced("units 1")
    rules = {"rules": np.ones((1, len(program.cost))), "prices": np.zeros((1, 1))}
    one = task(work=work, arrays=rules if work == "rules" else {})
    result = work_on(one)
    record: Record = result.record(one.key, "here")
    again = recorded_result(record)
    assert again.status == result.status
    assert again.figures == result.figures
    assert {*again.arrays} == {*result.arrays}
    for name, array in result.arrays.items():
        assert np.array_equal(again.arrays[name], array)
    assert record["key"] == one.key


# --- the LP of a plan


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_with_the_integers_of_the_optimum_earns_as_much(name: str):
    """But for directions, which are settled one LP after the other."""
    program = reduced(name)
    best = exact(replace(program, integer=program.all_integer))
    assert best.x is not None
    lp = PlanProgram(program, NO_INDICES)
    for _ in range(2):  # hot the second time
        plan = lp.best(best.x)
        assert plan is not None
        assert plan.value == pytest.approx(best.objective, rel=DIRECTIONS)
        assert plan.value >= best.objective - room(best.objective)
        assert program.objective(plan.x) == pytest.approx(plan.value, abs=room(plan.value))
        assert replace(program, integer=program.all_integer).violation(plan.x) < 1e-6
        assert not program.overlaps(plan.x).any()
        reduced_costs = program.cost - program.matrix.T @ plan.duals.rows
        assert reduced_costs == pytest.approx(plan.duals.columns, abs=1e-5)
        for state in program.states:
            assert plan.duals.fixed[state[state >= 0]].all()


@pytest.mark.parametrize("name", NAMES)
def test_integers_near_a_plan_are_mended_to_fit(name: str):
    """Of the relaxation: where there is a plan it is one, and no better than the optimum."""
    program = reduced(name)
    best = exact(program)
    _, x = window_prices(program, program.scenario.solver)
    plan = PlanProgram(program, NO_INDICES).best(x)
    if plan is not None:
        assert program.violation(plan.x) < 1e-6
        assert plan.value >= best.objective - 10 * room(best.objective)


def test_no_plan_where_the_integers_fit_none():
    parts = {"unit": build.thermal(), "town": build.load(50)}
    program = program_of(build.scenario(parts, 1))
    assert PlanProgram(program, NO_INDICES).best(np.zeros(len(program.cost))) is None
    plan = PlanProgram(program, NO_INDICES).best(np.ones(len(program.cost)))
    assert plan is not None
    assert plan.value == pytest.approx(50 * 10)


# --- the search


def in_process(tasks: Iterator[WindowTask], count: int) -> Mapping[int, WindowResult]:
    return {one.number: work_on(one) for one in tasks}


def search_of(
    seed: int, hours: int, window_h: float, gap: float = 1e-3, solve: Solve = in_process
) -> YearSearch:
    site = build.scenario(random_site(seed, hours), hours, solver={"gap": gap})
    return YearSearch(without_totals(program_of(site)).program, window_h, solve)


def test_excess_of_windows_and_what_is_shared_are_the_gap():
    search = search_of(1, 8, 4)
    search.find_prices()
    assert search.bound == -np.inf
    search.bound_windows()
    assert search.plan_year()
    assert search.plan is not None
    excess = search.excess(search.plan.x)
    assert (excess >= -room(search.plan.value)).all()
    assert excess.sum() <= search.plan.value - search.bound + room(search.plan.value)
    best = exact(search.program).objective
    assert search.bound <= best + room(best)
    assert search.plan.value >= best - room(best)


def test_windows_are_costly_whose_plan_may_lose_more_than_the_gap():
    search = search_of(1, 8, 4)
    search.find_prices()
    assert search.costly() == search.cuts  # nothing is known yet
    search.bound_windows()
    assert search.plan_year()
    assert search.plan is not None
    part = search.windows.priced(search.cuts[1], search.prices)
    allowed = search.gap * part.program.turnover(search.plan.x[part.columns])
    for share, costly in ((0.9, []), (1.1, search.cuts[1:])):
        search.bounds[:] = 0.0
        search.bounds = search.excess(search.plan.x) - [0.0, share * allowed]
        assert search.costly() == costly


def test_what_a_refinement_proves_by_bounds_alone_is_not_planned_anew():
    works: list[str] = []

    def noting(tasks: Iterator[WindowTask], count: int) -> Mapping[int, WindowResult]:
        done = [*tasks]
        works.extend(one.work for one in done)
        return in_process(iter(done), count)

    search = search_of(2, 8, 2, gap=0.05, solve=noting)
    search.find_prices()
    search.bound_windows()
    assert search.plan_year()
    assert search.is_proven()
    search.bounds[1:3] -= search.allowed
    assert not search.is_proven()
    works.clear()
    assert refine(search)
    assert search.is_proven()
    assert works == ["bounds"]
    assert len(search.cuts) == 3


def test_windows_searched_or_relaxed_have_a_bound():
    search, relaxed = search_of(1, 8, 4), search_of(1, 8, 4)
    for one in (search, relaxed):
        one.find_prices()
    search.bound_windows()
    relaxed.bound_rest()
    best = exact(search.program).objective
    assert relaxed.bound <= search.bound + room(best)
    assert search.bound <= best + room(best)


def test_refining_never_loses_and_tidying_keeps_the_profit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("planner.studies.year_search.OVERLAP_H", 2.0)
    search = search_of(7, 12, 4, gap=1e-6)
    search.find_prices()
    search.gaps[:] = 1e-2
    search.bound_windows()
    assert search.plan_year()
    for _ in range(3):
        assert search.plan is not None
        value, bound = search.plan.value, search.bound
        if not refine(search):
            break
        assert search.plan.value <= value
        assert search.bound >= bound
    value = search.plan.value
    search.tidy()
    assert search.plan.value == pytest.approx(value, abs=10 * room(value))
    assert search.program.violation(search.plan.x) < 1e-6
