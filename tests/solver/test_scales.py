"""A site in other units has the same plan: a currency of small coins, a site of watts or of TW."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import planner
from planner.errors import InfeasibleError
from planner.solver.compiler import program_of
from planner.solver.program import Program
from planner.solver.rounds import optimise
from planner.solver.scaling import rescaled
from planner.solver.solution import Solution
from tests.support import build
from tests.support.scales import factor, scaled
from tests.support.sites import random_site

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"
TINY = sorted(path.name for path in SCENARIOS.glob("tiny_*"))
WHOLE_NODES = {"tiny_latency"}  # a millionth of a node is none
HOURS = 6
SCALES = [("money", 1e7), ("money", 1e-6), ("size", 1e7), ("size", 1e-6)]
# Free reserve, origins, directions where nothing flows, segments of a fuel curve that end where the
# power stands; the flows are compared.
TIED = {
    "reserve_mw", "load_renewable_mw", "load_renewable_mwh", "importing", "charging", "segment_full"
}  # fmt: skip
ROUNDED_CNY, ROUNDED = 1e-6, 1e-9  # as plans are


def assert_same(
    schedule: pd.DataFrame, expected: pd.DataFrame, money: float, size: float, rounded: float = 0.0
) -> None:
    """Compare what ties leave no choice in: the sums over origins."""

    def sums(table: pd.DataFrame) -> pd.DataFrame:
        return table.T.groupby(lambda name: name.partition("[")[0]).sum().T

    schedule, expected = sums(schedule), sums(expected)
    for column in expected:
        name = str(column).partition(".")[2]
        if name not in TIED:
            by = factor(name, money, size) or 1.0
            most = 1e-6 * max(1.0, np.abs(expected[column]).max()) + rounded / by
            assert np.abs(schedule[column] / by - expected[column]).max() <= most, column


@cache
def tiny(name: str) -> tuple[planner.Scenario, planner.Plan]:
    scenario = planner.load(SCENARIOS / name)
    return scenario, planner.solve(scenario)


@pytest.mark.few(3)
@pytest.mark.parametrize(("what", "by"), SCALES)
@pytest.mark.parametrize("name", TINY)
def test_a_scaled_scenario_has_the_same_plan(name: str, what: str, by: float):
    if what == "size" and name in WHOLE_NODES:
        pytest.skip("whole nodes")
    scenario, plan = tiny(name)
    scales = {"money": 1.0, "size": 1.0, what: by}
    other = planner.solve(scaled(scenario, **scales))
    assert other.summary["status"] == plan.summary["status"]
    profit = plan.summary["objective_cny"]
    assert other.summary["objective_cny"] == pytest.approx(by * profit, rel=1e-9, abs=ROUNDED_CNY)
    assert_same(other.schedule, plan.schedule, **scales, rounded=ROUNDED)
    if scales["size"] >= 1:  # reasons take a flow of 1 W for none
        assert other.reasons["code"].tolist() == plan.reasons["code"].tolist()


def solved(scenario: planner.Scenario) -> tuple[Program, Solution]:
    program = program_of(scenario)
    return program, optimise(program, scenario.solver)


@cache
def random(seed: int) -> tuple[planner.Scenario, float, pd.DataFrame]:
    scenario = build.scenario(random_site(seed, HOURS), HOURS)
    program, solution = solved(scenario)
    return scenario, program.objective(solution.x), program.schedule_at(solution.x)


@pytest.mark.parametrize(("what", "by"), SCALES)
@pytest.mark.few(3)
@pytest.mark.parametrize("seed", range(8))
def test_a_scaled_program_has_the_same_solution(seed: int, what: str, by: float):
    scenario, cost, schedule = random(seed)
    scales = {"money": 1.0, "size": 1.0, what: by}
    program, solution = solved(scaled(scenario, **scales))
    assert solution.status == "optimal"
    assert program.objective(solution.x) / by == pytest.approx(cost, rel=1e-7)
    assert solution.bound / by == pytest.approx(cost, rel=1e-6)
    columns = pd.DataFrame(program.columns(solution.x), index=schedule.index)
    assert_same(columns, schedule, **scales)


@pytest.mark.few(2)
@pytest.mark.parametrize(("what", "by"), SCALES)
def test_a_scaled_scenario_has_the_same_prices(what: str, by: float):
    scenario, _ = tiny("tiny_start")
    totals = planner.prices(scenario).totals.set_index(["component", "quantity", "index"])
    others = planner.prices(scaled(scenario, **{what: by})).totals
    money = by if what == "money" else 1.0
    values = others.set_index(["component", "quantity", "index"])["value"] / money
    pd.testing.assert_series_equal(values, totals["value"], atol=ROUNDED_CNY / min(money, 1.0))


def short_of_energy() -> planner.Scenario:
    """A battery of 10 MWh and 0.5 MW from the grid are to serve 4 MW for 3 hours."""
    cell = build.battery(capacity_mwh=10, discharge_power_mw=9, initial={"energy_mwh": 10})
    parts = {"battery": cell, "grid": build.grid(import_limit_mw=0.5), "town": build.load(4, 4, 4)}
    return build.scenario(parts, 3)


def conflict(scenario: planner.Scenario) -> list[tuple[Any, Any]]:
    with pytest.raises(InfeasibleError) as error:
        planner.solve(scenario)
    return [(rule["components"], rule["rule"]) for rule in error.value.diagnosis["conflict"]]


@pytest.mark.few(1)
@pytest.mark.parametrize(("what", "by"), SCALES)
def test_a_scaled_scenario_without_a_plan_has_the_same_conflict(what: str, by: float):
    assert conflict(scaled(short_of_energy(), **{what: by})) == conflict(short_of_energy())


def test_ordinary_programs_are_solved_as_they_are():
    for name in TINY:
        program = program_of(tiny(name)[0])
        assert rescaled(program).program is program
