"""The program with copies: by hand, as strong as the best prices, and never above the optimum."""

from __future__ import annotations

import numpy as np
import pytest

from planner.solver.copies import Copies
from planner.solver.highs import Result
from planner.solver.hull import Hull
from planner.solver.program import Flags, Indices, Program
from planner.solver.session import Session
from tests.support.committed import (
    LIMIT_S,
    SITES,
    UNITS,
    bound_of,
    exact,
    program_named,
    relaxed,
    room,
    unit_beside_import,
)


def hull_of(program: Program, units: int = 2) -> Hull:
    return Hull(program, program.states[:units], Session(program))


def every_mode(hull: Hull) -> Flags:
    return np.ones((hull.modes, hull.length), dtype=bool)


def planned_modes(hull: Hull, x: np.ndarray) -> Indices:
    modes = np.zeros(hull.length, dtype=int)
    for unit, state in enumerate(hull.states):
        on = np.where(state >= 0, np.round(x[state]), 0).astype(int)
        modes += on << unit
    return modes


def copied(hull: Hull, planned: Indices, *wanted: Flags) -> tuple[Session, Result]:
    session = Session(hull.program)
    copies = Copies(session, hull, planned)
    for modes in wanted:
        copies.add(modes)
    return session, session.run(time_limit_s=LIMIT_S)


@pytest.mark.parametrize("planned", [[0, 0], [0, 1], [1, 1]])
def test_two_steps_by_hand(planned: list[int]):
    """As in test_hull: the unit of 4 MWh is worth 280/3 at the price that makes on and off equal.

    It is on for two thirds of both steps, at 3 MW.
    """
    hull = hull_of(unit_beside_import(energy_mwh=4))
    _, result = copied(hull, np.array(planned), every_mode(hull))
    assert result.objective == pytest.approx(280 / 3)


def test_without_copies_it_is_the_relaxation():
    """3/4 on in both steps, for 37.5 each."""
    hull = hull_of(unit_beside_import())
    _, result = copied(hull, np.array([1, 1]), ~every_mode(hull))
    assert result.objective == pytest.approx(75)


def test_copies_of_one_step_count_in_this_step():
    """40 in the step with copies, 37.5 in the other."""
    hull = hull_of(unit_beside_import())
    first = every_mode(hull)
    first[:, 1] = False
    _, result = copied(hull, np.array([1, 1]), first)
    assert result.objective == pytest.approx(77.5)


def test_those_added_are_active_and_added_once():
    hull = hull_of(unit_beside_import())
    copies = Copies(Session(hull.program), hull, np.array([1, 0]))
    off = np.array([[True, True], [False, False]])
    assert copies.add(off)  # of the first step; the second is planned off
    assert copies.active.tolist() == [[True, False], [True, False]]
    assert copies.covered.tolist() == [True, False]
    assert not copies.add(off)


def test_a_step_with_some_of_its_modes_is_confined_to_them():
    """Of two units, none or the first may be on: that is no relaxation; with all four it is."""
    hull = hull_of(program_named("units 1"))
    copies = Copies(Session(hull.program), hull, np.zeros(hull.length, dtype=int))
    assert copies.relaxes
    copies.add(every_mode(hull) & (np.arange(4) == 1)[:, None])
    assert not copies.relaxes
    copies.add(every_mode(hull))
    assert copies.relaxes


@pytest.mark.few(2)
@pytest.mark.parametrize("name", [*UNITS, *SITES])
def test_it_is_as_strong_as_the_best_prices_and_valid(name: str):
    program = program_named(name)
    hull, best, (_, plain) = hull_of(program), exact(program), relaxed(program)
    planned = np.random.default_rng(5).integers(0, hull.modes, hull.length)
    session, result = copied(hull, planned, every_mode(hull))
    assert result.status == best.status == "optimal"
    assert result.objective <= best.objective + room(best.objective)
    assert result.objective >= plain.objective - room(plain.objective)
    by_prices = bound_of(hull, session.duals().rows)
    assert by_prices == pytest.approx(result.objective, abs=10 * room(result.objective))


@pytest.mark.parametrize("name", ["units 1", "units 7", "units 13", "any 15", "any 22"])
def test_they_may_be_added_in_several_calls(name: str):
    hull = hull_of(program_named(name))
    rng = np.random.default_rng(2)
    planned, every = rng.integers(0, hull.modes, hull.length), every_mode(hull)
    some = [rng.random(every.shape) < share for share in (0.2, 0.5)]
    _, at_once = copied(hull, planned, every)
    _, in_turn = copied(hull, planned, *some, every)
    assert in_turn.objective == pytest.approx(at_once.objective, abs=room(at_once.objective))


@pytest.mark.parametrize("name", ["units 0", "units 3", "units 18", "any 3", "any 14"])
def test_with_one_unit_copies_of_some_steps_lie_between(name: str):
    hull = hull_of(program_named(name), 1)
    planned = np.zeros(hull.length, dtype=int)
    values = [
        copied(hull, planned, every_mode(hull) & (np.arange(hull.length) < steps))[1].objective
        for steps in range(0, hull.length + 1, 3)
    ]
    assert (np.diff(values) >= -room(values[0])).all()


@pytest.mark.parametrize("name", ["units 1", "units 14", "units 26", "any 15", "any 37"])
def test_the_states_of_a_plan_leave_its_value(name: str):
    """Of its integers too: they are whole where the states are."""
    program = program_named(name)
    hull, best = hull_of(program), exact(program)
    for planned in (planned_modes(hull, best.x), np.zeros(hull.length, dtype=int)):
        session, _ = copied(hull, planned, every_mode(hull))
        columns = np.flatnonzero(program.integer)
        session.bounds(columns, np.round(best.x[columns]), np.round(best.x[columns]))
        result = session.run(time_limit_s=LIMIT_S)
        assert result.objective == pytest.approx(best.objective, abs=room(best.objective))
        assert program.violation(result.x[: len(program.cost)]) < 1e-6
