"""Capacity rows: what must be on, computed in one's head, and that no plan is lost to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import planner
from planner.solver.capacity_rows import capacity_rows
from planner.solver.compiler import program_of
from planner.solver.highs import Spent
from planner.solver.program import Program
from planner.solver.scaling import rescaled
from planner.solver.session import Session
from planner.timeseries.series import Array
from tests.support import build
from tests.support.any_site import any_site
from tests.support.build import HANGS_S
from tests.support.kazarlis import LOAD, UNITS, scenario_data
from tests.support.programs import program

HOURS = 6
Rows = tuple[sparse.csr_array, Array]


def relaxation(program: Program) -> Array:
    x = Session(program).run(time_limit_s=HANGS_S).x
    assert x is not None
    return x


def rows_of(program: Program) -> Rows:
    return capacity_rows(program, relaxation(program))


def as_text(program: Program, rows: Rows) -> list[str]:
    """Each row as the schedule columns it holds, with their coefficients, and its limit."""
    name_of = {
        int(column): name
        for name, (columns, _) in program.schedule.items()
        for column in columns[columns >= 0]
    }
    matrix, lower = rows
    return [
        " + ".join(sorted(f"{matrix[row, j]:g} {name_of[j]}" for j in matrix[[row]].indices))
        + f" >= {lower[row]:g}"
        for row in range(len(lower))
    ]


def site(hours: int = 1, **components: Mapping[str, Any]) -> Program:
    """A town of 100 MW and units of 80 and 60 MW that cost something to start."""
    start = [{"off_h": 0, "cost_cny": 100}]
    units = {
        "big": build.thermal(max_power_mw=80, startups=start),
        "small": build.thermal(max_power_mw=60, startups=start),
    }
    return program_of(
        build.scenario({"town": build.load(*[100] * hours)} | units | components, hours)
    )


def test_units_cover_load_and_reserve():
    program = site(spin=build.reserve(load_share=0.1))
    assert as_text(program, rows_of(program)) == ["60 small.on + 80 big.on >= 110"]


def test_what_is_shed_or_falls_short_is_in_the_row():
    program = site(
        town=build.load(100, shed_cost_cny_per_mwh=9000),
        spin=build.reserve(load_share=0.1, shortfall_cost_cny_per_mwh=700),
    )
    shed = "1 spin.shortfall_mw + 1.1 town.shed_mw"  # what is shed asks for no reserve either
    assert as_text(program, rows_of(program)) == [f"{shed} + 60 small.on + 80 big.on >= 110"]


def test_others_give_what_they_can():
    cheap = {"import_price_cny_per_mwh": 1, "export_price_cny_per_mwh": 0}
    program = site(sun=build.renewable(30), grid=build.grid(import_limit_mw=10, **cheap))
    assert as_text(program, rows_of(program)) == ["60 small.on + 80 big.on >= 60"]


def test_what_others_can_cover_asks_for_no_unit():
    assert rows_of(site(grid=build.grid()))[0].shape[0] == 0
    assert rows_of(program_of(planner.load("scenarios/huainan")))[0].shape[0] == 0


def test_programs_without_states_or_steps_have_no_rows():
    matrix, lower = capacity_rows(program([1.0], [([1.0], 1.0, 2.0)], [3.0]), np.ones(1))
    assert matrix.shape == (0, 1)
    assert lower.shape == (0,)


def test_their_lp_is_work_of_the_session_that_ctrl_c_stops():
    program, spent = site(), Spent()
    capacity_rows(program, relaxation(program), spent)
    assert spent.seconds > 0


def test_every_node_has_a_row_of_its_own():
    east = {"node": "east"}
    program = site(
        far=build.load(70, **east),
        farm=build.thermal(startups=[{"off_h": 0, "cost_cny": 100}], **east),
    )
    rows = ["100 farm.on >= 70", "60 small.on + 80 big.on >= 100"]
    assert sorted(as_text(program, rows_of(program))) == rows


def test_published_units_cover_load_and_reserve_and_the_bound_stays():
    program = program_of(planner.Scenario.from_mapping(scenario_data()))
    x = relaxation(program)
    matrix, lower = capacity_rows(program, x)
    tight = Session(program.with_rows(matrix, lower, np.inf)).run(time_limit_s=HANGS_S)
    assert tight.objective == pytest.approx(program.objective(x), abs=1e-6)
    assert len(lower) == 18
    assert set(lower.round(6)) <= {round(1.1 * mw, 6) for mw in LOAD}
    highs = sorted(unit.high for unit in UNITS)
    assert all(sorted(matrix[[row]].data) == pytest.approx(highs) for row in range(18))


def short_site(seed: int) -> Program:
    """Two to four random units that grid, sun and battery cannot stand in for, six hours."""
    rnd = np.random.default_rng(seed)
    units = {f"unit_{i}": random_unit(rnd) for i in range(rnd.integers(2, 5))}
    most = sum(unit["max_power_mw"] for unit in units.values())
    town = (most * rnd.uniform(0.3, 0.9, HOURS)).round()
    others = {
        "town": build.load(*town, shed_cost_cny_per_mwh=9000),
        "spin": build.reserve(
            load_share=0.1,
            largest_unit=bool(rnd.random() < 0.3),
            shortfall_cost_cny_per_mwh=float(rnd.choice([100, 3000])),
        ),
        "sun": build.renewable(*rnd.uniform(0, 20, HOURS).round()),
        "cell": build.battery(initial={"energy_mwh": 2}, leak_per_h=0.01),
        "grid": build.grid(import_limit_mw=float(rnd.integers(1, 15)), export_limit_mw=20),
    }
    return program_of(build.scenario(units | others, HOURS))


def random_unit(rnd: np.random.Generator) -> dict[str, Any]:
    most = float(rnd.integers(20, 60))
    least = float(np.round(most * rnd.uniform(0.2, 0.6)))
    on = bool(rnd.random() < 0.5)
    return build.thermal(
        min_power_mw=least,
        max_power_mw=most,
        curve=[
            {"power_mw": least, "fuel_gj_per_h": 2 * least},
            {"power_mw": most, "fuel_gj_per_h": 2 * least + rnd.uniform(1, 3) * (most - least)},
        ],
        ramp_up_mw_per_h=float(rnd.integers(10, 60)),
        startup_ramp_mw=float(rnd.integers(least, most)),
        shutdown_ramp_mw=float(rnd.integers(least, most)),
        min_up_h=int(rnd.integers(0, 4)),
        min_down_h=int(rnd.integers(0, 4)),
        startups=[{"off_h": 0, "cost_cny": float(rnd.integers(50, 500))}],
        auxiliary_share=float(rnd.choice([0, 0.05])),
        available=[float(share) for share in rnd.choice([1, 1, 1, 0.9, 0], HOURS)],
        initial={"on": on, "power_mw": least if on else 0.0, "hours": 9},
    )


@pytest.mark.few(2)
@pytest.mark.parametrize("make", [short_site, lambda seed: program_of(any_site(seed))])
@pytest.mark.parametrize("seed", range(8))
def test_every_plan_keeps_all_rows(
    seed: int, make: Callable[[int], Program], monkeypatch: pytest.MonkeyPatch
):
    """The least activity of a row, even of the relaxation, is its limit or more."""
    monkeypatch.setattr("planner.solver.capacity_rows.BINDING", np.inf)
    program = rescaled(make(seed)).program
    matrix, lower = rows_of(program)
    assert len(lower) or make != short_site
    for row in range(len(lower)):
        activity = matrix[[row]].toarray()[0]
        least = Session(replace(program, cost=activity, offset=0.0)).run(time_limit_s=HANGS_S)
        assert least.objective >= lower[row] - 1e-6 * max(1.0, lower[row])


@pytest.mark.few(3)
@pytest.mark.parametrize("seed", range(12))
def test_bound_and_optimum_stay_where_they_are(seed: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("planner.solver.capacity_rows.BINDING", np.inf)
    program = short_site(seed)
    matrix, lower = rows_of(program)
    tighter = program.with_rows(matrix, lower, np.inf)
    for integer in (False, True):
        assert minimum(tighter, integer) == pytest.approx(minimum(program, integer), rel=1e-7)


def minimum(program: Program, integer: bool) -> float:
    session = Session(program)
    session.integrality(program.all_integer & integer)
    return session.run(time_limit_s=HANGS_S).objective
