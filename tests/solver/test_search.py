"""The search over states: as good as the solver's own, its bounds hold, whatever the clock."""

from __future__ import annotations

import time

import pytest

import planner
from planner.solver import hull_nodes
from planner.solver import search as searching
from planner.solver.compiler import program_of
from planner.solver.highs import Result
from planner.solver.program import Program
from planner.solver.rounds import optimise
from planner.solver.search import search
from planner.solver.session import Session
from tests.support import build
from tests.support.committed import (
    LIMIT_S,
    SITES,
    UNITS,
    exact,
    program_named,
    relaxed,
    room,
)

EVERY_UNIT = [f"units {seed}" for seed in range(44)]


def searched(program: Program, gap: float = 0.0, limit_s: float = LIMIT_S) -> Result | None:
    session, result = relaxed(program)
    return search(session, program, result, gap, time.perf_counter() + limit_s)


def require_honest(program: Program, result: Result, gap: float) -> None:
    """Require a bound below the optimum, and within the gap a plan that is one."""
    best = exact(program)
    assert result.bound <= best.objective + room(best.objective)
    if result.x is None:
        return
    assert program.violation(result.x) < 1e-6
    assert program.objective(result.x) >= best.objective - room(best.objective)
    if result.status == "optimal" and not program.overlaps(result.x).any():
        allowed = gap * program.turnover(result.x) + room(best.objective)
        assert program.objective(result.x) == pytest.approx(result.objective)
        assert result.objective - result.bound <= allowed
        assert result.objective <= best.objective + allowed


def test_a_site_by_hand():
    """100 MW in the first and third hour, 1000 CNY each from the unit; a start costs 100 CNY.

    To stay on in between takes 20 MW for 200 CNY and 200 more to be rid of them: it starts twice.
    """
    parts = {
        "unit": build.thermal(startups=[{"off_h": 0, "cost_cny": 100}]),
        "grid": build.grid(export_price_cny_per_mwh=-10),
        "town": build.load(100, 0, 100),
    }
    result = searched(program_of(build.scenario(parts, 3)))
    assert result.status == "optimal"
    assert (result.objective, result.bound) == pytest.approx((2200, 2200))


@pytest.mark.few(3)
@pytest.mark.parametrize("name", EVERY_UNIT)
def test_it_finds_the_optimum_of_one_to_three_units(name: str):
    program = program_named(name)
    result = searched(program)
    if result is not None:
        require_honest(program, result, 0.0)


@pytest.mark.few(2)
@pytest.mark.parametrize("name", [*UNITS, *SITES])
def test_the_gap_is_kept(name: str):
    program = program_named(name)
    result = searched(program, 1e-2)
    if result is not None:
        require_honest(program, result, 1e-2)


@pytest.mark.few(2)
@pytest.mark.parametrize("name", [*UNITS, *SITES])
def test_the_hull_is_honest_too(name: str, monkeypatch: pytest.MonkeyPatch):
    """All nodes but the first have copies, a few at a time: their points are of some modes only."""
    monkeypatch.setattr(searching, "PLAIN_NODES", 0)
    monkeypatch.setattr(searching, "LEAST_GAIN", 0.0)
    monkeypatch.setattr(hull_nodes, "MOST_NEW", 3)
    program = program_named(name)
    result = searched(program)
    if result is not None:
        require_honest(program, result, 0.0)


@pytest.mark.slow
def test_a_hull_below_the_bound_of_plain_nodes_is_still_branched_on(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(searching, "PLAIN_NODES", 8)
    program = program_named("units 26")
    result = searched(program)
    assert result.status == "optimal"
    require_honest(program, result, 0.0)


@pytest.mark.few(2)
@pytest.mark.parametrize("name", ["units 1", "units 14", "units 26", "any 2", "any 15", "any 37"])
def test_plans_are_optimal_whose_directions_are_too(name: str):
    program = program_named(name)
    settings = program.scenario.solver.revised({"tidy": False})
    solution = optimise(program, settings)
    session = Session(program)
    session.integrality(program.all_integer)
    best = session.run(time_limit_s=LIMIT_S)
    assert solution.status == "optimal"
    assert solution.settled
    assert program.objective(solution.x) == pytest.approx(best.objective, abs=room(best.objective))
    assert solution.bound == pytest.approx(best.objective, abs=room(best.objective))


@pytest.mark.parametrize("name", ["units 1", "any 14", "any 15"])
def test_the_session_has_its_bounds_again(name: str):
    program = program_named(name)
    session, result = relaxed(program)
    search(session, program, result, 0.0, time.perf_counter() + LIMIT_S)
    bounded = session.bounded(program)
    assert (bounded.column_lower == program.column_lower).all()
    assert (bounded.column_upper == program.column_upper).all()
    assert session.run(time_limit_s=LIMIT_S).objective == pytest.approx(result.objective)


def test_without_states_there_is_nothing_to_search():
    parts = {"grid": build.grid(), "battery": build.battery(), "town": build.load(5, 5)}
    assert searched(program_of(build.scenario(parts, 2))) is None


@pytest.mark.parametrize("name", ["units 4", "units 11", "any 32"])
def test_an_infeasible_site_has_no_plan(name: str):
    program = program_named(name)
    assert exact(program).status == "infeasible"
    assert searched(program) is None
    with pytest.raises(planner.InfeasibleError):
        optimise(program, program.scenario.solver)


def test_a_deadline_in_the_past_leaves_the_bound_of_the_relaxation():
    program = program_named("units 14")
    result = searched(program, limit_s=-1.0)
    assert result is None or (result.x is None and result.status == "work_limit")


def test_ctrl_c_ends_it_with_the_plan_so_far(monkeypatch: pytest.MonkeyPatch):
    program = program_named("units 37")
    session, result = relaxed(program)
    run, runs = Session.run, []

    def interrupted(self: Session, **limits: float) -> Result:
        runs.append(self)
        session.spent.stopped = len(runs) > 3
        return run(self, **limits)

    monkeypatch.setattr(Session, "run", interrupted)
    ended = search(session, program, result, 0.0, time.perf_counter() + LIMIT_S)
    assert len(runs) < 9
    if ended is not None and ended.status != "optimal":
        assert ended.status == "interrupted"
        assert ended.x is not None


@pytest.mark.parametrize("name", ["units 2", "units 13", "units 26", "any 15", "any 18"])
def test_the_clock_decides_nothing(name: str, monkeypatch: pytest.MonkeyPatch):
    """The same plan and bound twice, and where every second lasts 50."""
    program = program_named(name)
    first, again = searched(program), searched(program)
    clock = time.perf_counter
    monkeypatch.setattr("time.perf_counter", lambda: 50 * clock())
    slow = searched(program)
    for other in (again, slow):
        assert (other.status, other.objective, other.bound) == (
            first.status, first.objective, first.bound,
        )  # fmt: skip
        assert (other.x == first.x).all()
