"""Bounds by prices: by hand, below the optimum for any prices, and of modes that may be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.solver.compiler import program_of
from planner.solver.hull import Hull
from planner.solver.implied_bounds import implied_bounds
from planner.solver.joint_program import MemberProgram, join
from planner.solver.program import Program
from planner.solver.scaling import rescaled
from planner.solver.session import Session
from planner.timeseries.horizon import Window
from planner.timeseries.series import Array
from tests.support import build
from tests.support.committed import (
    SITES,
    UNITS,
    bound_of,
    exact,
    fixed_prices,
    program_named,
    relaxed,
    room,
    site_of_units,
    unit_beside_import,
)


def hull_of(program: Program, units: int = 9) -> Hull:
    return Hull(program, program.states[:units], Session(program))


def some_prices(program: Program, best: Array | None, seed: int = 0) -> list[Array]:
    """Zero, the duals of the relaxation and of the best plan, these disturbed, and any others."""
    rng, count = np.random.default_rng(seed), len(program.row_lower)
    prices = [np.zeros(count), rng.normal(0, 50, count)]
    session, _ = relaxed(program)
    duals = session.duals()
    assert duals is not None
    prices.append(duals.rows)
    if best is not None:
        prices.append(fixed_prices(program, best))
    return prices + [prices[-1] * rng.uniform(0.3, 1.7, count) for _ in range(2)]


def require_valid(program: Program, units: int = 2) -> None:
    """Require that no prices give a bound above the optimum."""
    best, hull = exact(program), hull_of(program, units)
    assert best.status == "optimal"
    for prices in some_prices(program, best.x):
        assert bound_of(hull, prices) <= best.objective + room(best.objective)


# A unit of 2 to 4 MW and an import serve 3 MW. In an hour it costs 10 and 3 * 10 to be on, 3 * 20
# to be off. The relaxation has 3/4 of it on, for 7.5 + 30.


def test_one_step_by_hand():
    """On for 40, in both of the steps; their relaxation has 37.5."""
    program = unit_beside_import()
    assert relaxed(program)[1].objective == pytest.approx(75)
    assert bound_of(hull_of(program), np.zeros(7)) == pytest.approx(80)
    assert exact(program).objective == pytest.approx(80)


@pytest.mark.parametrize(
    ("price", "bound"), [(0, 80), (-5, 90), (-20 / 3, 280 / 3), (-10, 80), (5, 80)]
)
def test_a_price_of_a_joining_row_by_hand(price: float, bound: float):
    """No more than 4 MWh in all, at a price of 0 or less.

    With p a MWh, a step costs 60 off, 40 + 3 p on at 3 MW and 50 + 2 p at 2 MW; the 4 MWh are worth
    4 p. The best price makes on and off equal: 40 + 3 p = 60. The relaxation has 90, the optimum is
    100. A price of the wrong sign is none.
    """
    program = unit_beside_import(energy_mwh=4)
    prices = np.append(np.zeros(6), price)
    assert bound_of(hull_of(program), prices) == pytest.approx(bound)
    assert relaxed(program)[1].objective == pytest.approx(90)
    assert exact(program).objective == pytest.approx(100)


def test_weights_say_which_modes_attain_it():
    program = unit_beside_import()
    low, high = program.column_lower, program.column_upper
    bound = hull_of(program).bound(np.zeros(7), low, high)
    assert bound.weights.tolist() == [[0, 0], [1, 1]]


def test_states_of_a_node_are_kept():
    """Off in the first step for 60, on in the second for 40."""
    program = unit_beside_import()
    high = program.column_upper.copy()
    high[0] = 0
    bound = hull_of(program).bound(np.zeros(7), program.column_lower, high)
    assert bound.value == pytest.approx(100)
    assert bound.weights.tolist() == [[1, 0], [0, 1]]


def test_a_mode_preferred_among_equals_costs_next_to_nothing():
    """At 20/3 a MWh on and off cost 60."""
    program = unit_beside_import(energy_mwh=4)
    prices, low, high = np.append(np.zeros(6), -20 / 3), program.column_lower, program.column_upper
    hull = hull_of(program)
    for modes in ([0, 1], [1, 0], [1, 1]):
        bound = hull.bound(prices, low, high, np.array(modes))
        assert bound.weights.argmax(axis=0).tolist() == modes
        assert bound.value <= 280 / 3 + 1e-9
        assert bound.value == pytest.approx(280 / 3)


def test_a_unit_that_must_run_is_on_in_every_mode():
    """Fixed on in step 1, the mode off of that step is excluded: 40 + 40, not 60."""
    program = unit_beside_import().with_bounds([0], 1.0)
    hull = hull_of(program)
    assert hull.excluded.tolist() == [[True, False], [False, False]]
    dear = replace(program, cost=np.array([90.0, 10, 20, 10, 10, 20]))
    assert bound_of(hull_of(dear), np.zeros(7)) == pytest.approx(120 + 40)


def test_a_mode_that_its_step_contradicts_is_excluded():
    """An import of 1 MW at most leaves 2 MW to the unit: it is on. With 9 MW of load nothing is."""
    program = unit_beside_import()
    small = program.with_bounds([2], upper=1.0)
    assert hull_of(small).excluded.tolist() == [[True, False], [False, False]]
    assert bound_of(hull_of(small), np.zeros(7)) == pytest.approx(80)
    short = small.with_row_bounds([2], 9.0, 9.0)
    assert bound_of(hull_of(short), np.zeros(7)) == np.inf


def test_two_units_have_four_modes():
    """Twins of the unit: one of them serves the 3 MW for 40, both would cost 50, none 60."""
    program = twins()
    bound = hull_of(program).bound(
        np.zeros(len(program.row_lower)), program.column_lower, program.column_upper
    )
    assert bound.weights.shape == (4, 1)
    assert bound.weights[1] + bound.weights[2] == pytest.approx(1)
    assert bound.value == pytest.approx(40)


def twins() -> Program:
    """Two units as of `unit_beside_import` in one step: on, power, import, on, power."""
    one = unit_beside_import(1)
    matrix = np.zeros((4, 2))
    matrix[2, 1] = 1
    both = one.with_columns(matrix, 0.0, [1.0, np.inf], [10.0, 10.0])
    both = both.with_rows([[0, 0, 0, -4, 1]], -np.inf, 0, 1)
    both = both.with_rows([[0, 0, 0, -2, 1]], 0, np.inf, 1)
    return replace(
        both,
        column_steps=np.ones(5, dtype=int),
        integer=np.array([1, 0, 0, 1, 0], dtype=bool),
        states=(np.array([0]), np.array([3])),
    )


def test_a_ceiling_that_falls_before_a_stop_is_a_ceiling():
    """power[1] <= 2 + 2 on[2] joins steps, and says 4 MW of the first by itself."""
    program = unit_beside_import().with_row_bounds([0], upper=np.inf)
    loose = implied_bounds(program).upper[1]
    stop = program.with_rows([[0, 1, 0, -2, 0, 0]], -np.inf, 2, 1)
    assert implied_bounds(stop).upper[1] <= 4 or loose <= 4
    require_valid(stop)


@pytest.mark.few(3)
@pytest.mark.parametrize("name", [*UNITS, *SITES])
def test_no_prices_give_a_bound_above_the_optimum(name: str):
    require_valid(program_named(name))


@pytest.mark.parametrize("name", ["units 2", "units 14", "units 26"])
def test_nor_do_three_units(name: str):
    require_valid(program_named(name), units=3)


@pytest.mark.parametrize("name", ["units 0", "units 1", "any 15", "any 22"])
def test_it_is_no_worse_than_the_relaxation_whose_prices_it_has(name: str):
    program = program_named(name)
    session, result = relaxed(program)
    value = bound_of(hull_of(program), session.duals().rows)
    assert value >= result.objective - room(result.objective)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_second_window_of_a_roll(seed: int):
    program = program_of(site_of_units(seed, 2), Window(3, 6))
    assert [len(state) for state in program.states] == [4, 4]
    require_valid(program)


@pytest.mark.parametrize("awake", [False, True])
@pytest.mark.parametrize("seed", [0, 3, 6])
def test_joint_programs_of_members(seed: int, awake: bool):
    members = [
        MemberProgram(f"m{k}", share, program_of(scenario))
        for k, (share, scenario) in enumerate(zip((0.5, 0.3, 0.2), futures(seed), strict=True))
    ]
    program, _ = join(members, awake=awake)
    require_valid(program)


def futures(seed: int) -> list:
    """Three sites that differ in what the sun gives and the town takes."""
    site = {
        "unit": build.thermal(min_up_h=2, startups=[{"off_h": 0, "cost_cny": 300}]),
        "battery": build.battery(ending={"value_cny_per_mwh": 9}),
        "grid": build.grid(),
    }
    rng = np.random.default_rng(seed)
    return [
        build.scenario(site | {
            "sun": build.renewable(*rng.integers(0, 60, 5)),
            "town": build.load(*rng.integers(9, 90, 5)),
        }, 5) for _ in range(3)
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["units 0", "units 7", "any 22"])
def test_scales_of_the_costs_scale_the_bound(name: str):
    program = program_named(name)
    session, _ = relaxed(program)
    prices = session.duals().rows
    value = bound_of(hull_of(program), prices)
    for factor in (2.0**-20, 2.0**10):
        scaled = replace(program, cost=program.cost * factor, offset=program.offset * factor)
        other = bound_of(hull_of(scaled), prices * factor)
        assert other / factor == pytest.approx(value, abs=room(value))


def test_units_of_the_program_change_nothing():
    program = program_named("units 1")
    resized = rescaled(replace(program, units=program.units._replace(size=2.0**-6, money=4.0)))
    session, _ = relaxed(program)
    value = bound_of(hull_of(program), session.duals().rows)
    other, _ = relaxed(resized.program)
    scaled_value = bound_of(hull_of(resized.program), other.duals().rows)
    assert scaled_value / 4 == pytest.approx(value, abs=1e3 * room(value))


@pytest.mark.parametrize("name", ["units 1", "any 15"])
def test_it_is_the_same_twice(name: str):
    program = program_named(name)
    session, _ = relaxed(program)
    hull, prices = hull_of(program), session.duals().rows
    first = bound_of(hull, prices)
    bound_of(hull, -prices)
    assert bound_of(hull, prices) == pytest.approx(first, abs=room(first) * 1e-3)
    assert bound_of(hull_of(program), prices) == first
