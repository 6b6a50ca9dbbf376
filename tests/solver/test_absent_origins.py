"""In an LP relaxation what only energy of an absent origin could flow in is a constant of 0."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pytest

import planner
from planner.solver.compiler import compile_program, program_of
from planner.solver.model import assemble, assemble_in_pyomo
from planner.solver.rounds import optimise
from tests.support.build import battery, grid, load, renewable, scenario, solve, thermal
from tests.support.same_program import differences
from tests.support.variants import first_of

HOURS = 6
RELAX = {"relax": True}
SOURCES = ("sun", "coal", "grid")


def random_site(seed: int) -> dict[str, Any]:
    """Return two nodes with a line, a store at each, a load, and one or two kinds of source."""
    rnd = random.Random(seed)

    def series(low: int, high: int) -> list[float]:
        return [float(rnd.randint(low, high)) for _ in range(HOURS)]

    def store(origin: str, mwh: float, node: str, **fields: Any) -> dict[str, Any]:
        losses = {"charge_efficiency": rnd.choice([0.9, 1]), "discharge_efficiency": 0.95}
        return battery(node=node, initial={"energy_mwh": {origin: mwh}}, **losses, **fields)

    green = rnd.choice([True, False])
    sources = {
        "sun": renewable(*series(0, 12)),
        "coal": thermal(min_power_mw=2, max_power_mw=9, auxiliary_share=0.1,
                        curve=[{"power_mw": mw, "fuel_gj_per_h": mw} for mw in (2, 9)],
                        startup_ramp_mw=9, shutdown_ramp_mw=9),
        "grid": grid(import_limit_mw=6, export_limit_mw=rnd.choice([0, 5]),
                     resale=rnd.random() < 0.5, import_price_cny_per_mwh=series(10, 50),
                     export_price_cny_per_mwh=series(0, 40)),
    }  # fmt: skip
    some = rnd.sample(SOURCES, rnd.choice([1, 2]))
    return {name: sources[name] for name in some} | {
        "cell": store("renewable", rnd.choice([0, 3]), "site", discharge_to_grid=green),
        "far": store("grid", rnd.choice([0, 0, 2]), "east", ending={"at_least_mwh": 0}),
        "tie": {"kind": "line", "from_node": "site", "to_node": "east", "capacity_mw": 7,
                "loss_share": rnd.choice([0, 0.05]), "both_ways": rnd.random() < 0.7},
        "town": load(*series(1, 8), shed_cost_cny_per_mwh=200),
        "farm": load(*series(0, 3), shed_cost_cny_per_mwh=150) | {"node": "east"},
    }  # fmt: skip


@pytest.mark.parametrize("seed", first_of(list(range(40)), 12))
def test_the_optimum_is_that_of_the_whole_program(seed: int) -> None:
    site = random_site(seed)
    plan = solve(site, HOURS, solver=RELAX)  # audited
    whole, relaxed = scenario(site, HOURS), scenario(site, HOURS, solver=RELAX)
    solution = optimise(program_of(whole), relaxed.solver)
    least = program_of(whole).objective(solution.x)
    assert plan.summary["objective_cny"] == pytest.approx(-least, abs=1e-5)
    assert list(plan.schedule) == list(program_of(whole).columns(solution.x))


def test_only_the_origins_of_sources_and_of_stored_energy_have_columns() -> None:
    site = {"sun": renewable(9, 0), "cell": battery(initial={"energy_mwh": {"thermal": 1}}),
            "town": load(4, 4)}  # fmt: skip
    program = program_of(scenario(site, 2, solver=RELAX))
    for quantity in ("cell.charge_mw", "cell.discharge_mw", "cell.energy_mwh", "town.draw_mw"):
        assert program.variables(f"{quantity}[renewable]").size == 2
        assert program.variables(f"{quantity}[thermal]").size == 2
        assert not program.variables(f"{quantity}[grid]").size
    steps = {balance.origin for balance, number in program.balances.items()
             if (program.row_families == number).any()}  # fmt: skip
    assert steps == {"renewable", "thermal"}
    assert not planner.solve(scenario(site, 2, solver=RELAX)).schedule["town.draw_mw[grid]"].any()


def test_pyomo_has_the_same_constants() -> None:
    site = scenario(random_site(4), HOURS, solver=RELAX)
    arrays, reference = (compile_program(build(site)) for build in (assemble, assemble_in_pyomo))
    assert differences(arrays, reference) == []


def test_a_demand_that_cannot_be_met_is_the_fault_of_the_same_rules() -> None:
    conflicts = []
    for relax in (True, False):
        site = {"sun": renewable(1, 1), "cell": battery(), "town": load(4, 4)}
        with pytest.raises(planner.InfeasibleError) as error:
            solve(site, 2, solver={"relax": relax})
        conflicts.append(str(error.value))
    assert conflicts[0] == conflicts[1]


def test_a_given_schedule_is_judged_by_the_whole_program() -> None:
    site = scenario(
        {"sun": renewable(9, 9), "cell": battery(), "town": load(4, 4)}, 2, solver=RELAX
    )
    given = pd.DataFrame({"town.draw_mw[grid]": [0.0, 1.0]}, index=site.horizon.starts)
    texts = [str(breach.text) for breach in planner.settle(site, given).breaches]
    assert texts == ["site: the balance of grid power does not add up, at 01:00-02:00;"
                     " largest deviation 1"]  # fmt: skip
