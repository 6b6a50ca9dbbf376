"""The schedule of states: its columns, and schedules near a wish that keep all times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from planner.solver.compiler import program_of
from planner.solver.program import Program
from planner.solver.session import Session
from planner.solver.state_schedule import StateSchedule
from planner.timeseries.horizon import Window
from tests.support import build, compute
from tests.support.committed import SITES, UNITS, program_named

KINDS = [{"off_h": 0, "cost_cny": 5}, {"off_h": 3, "cost_cny": 9}]
JOB = {
    "kind": "job", "fleet": "fleet", "nodes": 2, "node_kw": 700, "duration_h": 2, "deadline_h": 6,
    "value_cny": 900,
}  # fmt: skip


def site_of(hours: int = 6, **unit: Any) -> Program:
    parts = {"unit": build.thermal(**unit), "grid": build.grid(), "town": build.load(*[50] * hours)}
    return program_of(build.scenario(parts, hours))


def schedule_of(program: Program) -> StateSchedule:
    return StateSchedule(program, program.states, Session(program))


def families(program: Program, columns: Any) -> set[str]:
    names = [program.variable_families[family] for family in program.column_families[columns]]
    return {f"{component}.{name}" for component, name, _ in names}


def nearest(program: Program, wanted: list[float], threshold: float = 0.5) -> list[float] | None:
    low, high = program.column_lower, program.column_upper
    states = schedule_of(program).nearest(np.array([wanted]), threshold, low, high)
    return None if states is None else states[0].tolist()


def test_a_unit_has_its_states_starts_stops_and_kinds_of_starts():
    program = site_of(min_up_h=2, startups=KINDS)
    columns = schedule_of(program).columns
    assert families(program, columns) == {
        "unit.on", "unit.start", "unit.stop", "unit.start_kind"
    }  # fmt: skip


def test_the_segments_of_a_bent_curve_do_not():
    curve = [(20, 60), (60, 130), (100, 170)]
    bent = [{"power_mw": mw, "fuel_gj_per_h": gj} for mw, gj in curve]
    program = site_of(curve=bent)
    assert "unit.segment_full" in families(program, program.integer)
    assert "unit.segment_full" not in families(program, schedule_of(program).columns)


def test_a_job_has_its_start_and_whether_it_runs_and_no_nodes():
    fleet = compute.fleet(9, whole_nodes=True)
    parts = {"grid": compute.grid(), "fleet": fleet, "chat": compute.chat(), "train": JOB}
    program = program_of(build.scenario(parts, 6))
    columns = schedule_of(program).columns
    assert "train.running" in families(program, columns)
    assert families(program, columns) <= {"train.start", "train.started", "train.running"}
    assert "fleet.nodes" in families(program, program.integer)


def test_rows_hold_nothing_else():
    program = site_of(min_up_h=2, startups=KINDS)
    schedule = schedule_of(program)
    in_rows = np.diff(program.matrix[schedule.rows].tocsr().indptr)
    assert (in_rows > 0).all()
    assert not np.delete(program.matrix[schedule.rows].toarray(), schedule.columns, axis=1).any()


def test_a_wish_that_keeps_the_rules_is_the_schedule():
    assert nearest(site_of(), [0, 1, 0, 1, 1, 0]) == [0, 1, 0, 1, 1, 0]


@pytest.mark.parametrize(
    ("threshold", "on"), [(0.5, [0, 0, 0, 1, 1, 1]), (0.2, [0, 1, 1, 1, 1, 1])]
)
def test_a_state_is_1_above_the_threshold(threshold: float, on: list[float]):
    assert nearest(site_of(), [0.1, 0.3, 0.4, 0.6, 0.8, 1], threshold) == on


def test_a_run_is_as_long_as_the_minimum_time():
    """Off in step 3 costs 0.5 - 0.4, an hour alone in 2 or 4 earns nothing."""
    assert nearest(site_of(min_up_h=3), [0, 1, 0.4, 1, 0, 0]) == [0, 1, 1, 1, 0, 0]


def test_a_pause_is_as_long_as_the_minimum_time():
    """To stay on in step 3 costs 0.5, to rest one more hour as well as step 3 would cost 0."""
    assert nearest(site_of(min_down_h=3), [1, 1, 0.1, 1, 1, 1])[1:] == [1, 1, 1, 1, 1]


def test_an_outage_is_kept():
    assert nearest(site_of(available=[1, 1, 0, 1, 1, 1]), [1] * 6) == [1, 1, 0, 1, 1, 1]


def test_the_ending_is_kept():
    assert nearest(site_of(ending="off"), [0, 1, 1, 1, 1, 1])[-1] == 0


def test_the_past_is_kept():
    """Off for an hour of three, the unit may start in step 3; on for an hour, it stays two more."""
    rested = site_of(min_down_h=3, initial={"on": False, "hours": 1})
    assert nearest(rested, [1] * 6) == [0, 0, 1, 1, 1, 1]
    began = site_of(min_up_h=3, initial={"on": True, "power_mw": 20, "hours": 1})
    assert nearest(began, [0] * 6) == [1, 1, 0, 0, 0, 0]


def test_bounds_of_a_node_are_kept():
    program = site_of()
    low, high = program.column_lower.copy(), program.column_upper.copy()
    high[program.states[0][2]], low[program.states[0][4]] = 0, 1
    schedule = schedule_of(program)
    assert schedule.nearest(np.array([[0, 1, 1, 1, 0, 0]]), 0.5, low, high) is not None
    states = schedule.nearest(np.array([[0, 1, 1, 1, 0, 0]]), 0.5, low, high)
    assert states.tolist() == [[0, 1, 0, 1, 1, 0]]


def test_there_is_none_where_the_bounds_contradict_the_times():
    program = site_of(min_up_h=3)
    low, high = program.column_lower.copy(), program.column_upper.copy()
    state = program.states[0]
    low[state[2]], high[state[1]], high[state[3]] = 1, 0, 0
    assert schedule_of(program).nearest(np.array([[0, 0, 1, 0, 0, 0]]), 0.5, low, high) is None


def test_weights_of_modes_add_up_to_the_states():
    program = program_named("units 1")
    schedule = StateSchedule(program, program.states, Session(program), weighed=True)
    rng = np.random.default_rng(1)
    values = rng.normal(size=(schedule.modes, schedule.length))
    result, weights = schedule.best(
        rng.normal(size=len(program.cost)), values, program.column_lower, program.column_upper
    )
    x = np.zeros(len(program.cost))
    x[schedule.columns] = result.x[: len(schedule.columns)]
    assert weights.sum(axis=0) == pytest.approx(1)
    for unit, state in enumerate(program.states):
        on = weights[[mode for mode in range(schedule.modes) if mode >> unit & 1]].sum(axis=0)
        assert on[state >= 0] == pytest.approx(x[state[state >= 0]])


@pytest.mark.parametrize("name", [*UNITS, *SITES])
def test_the_schedule_of_a_wish_is_feasible_for_its_rows(name: str):
    program = program_named(name)
    schedule = schedule_of(program)
    low, high = program.column_lower.copy(), program.column_upper.copy()
    shape = len(program.states), len(program.window)
    states = schedule.nearest(np.random.default_rng(3).random(shape), 0.5, low, high)
    if states is None:  # a vertex that is not whole
        return
    for state, on in zip(program.states, states, strict=True):
        low[state[state >= 0]] = high[state[state >= 0]] = on[state >= 0]
    assert schedule.nearest(states, 0.5, low, high).tolist() == states.tolist()


def test_a_second_window_has_a_schedule_of_its_own():
    parts = {"unit": build.thermal(min_up_h=2), "grid": build.grid(), "town": build.load(*[50] * 6)}
    program = program_of(build.scenario(parts, 6), Window(4, 6))
    assert nearest(program, [0, 1, 1]) == [0, 1, 1]
