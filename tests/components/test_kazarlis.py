"""The published ten-unit instance against its proven optimum."""

from __future__ import annotations

import numpy as np
import pytest

import planner
from tests.support.kazarlis import LOAD, OPTIMUM, UNITS, exact_cost, scenario_data


def test_commitment_costs_the_proven_optimum():
    plan = planner.solve(planner.Scenario.from_mapping(scenario_data(gap=1e-7)))
    names = [f"unit_{i:02d}" for i in range(1, len(UNITS) + 1)]
    on = np.array([plan.schedule[f"{name}.on"].round().astype(bool) for name in names])
    starts = -plan.ledger.loc[plan.ledger["line"] == "start", "amount_cny"].sum()
    assert plan.summary["status"] == "optimal"
    assert plan.summary["gap"] <= 1e-7
    assert exact_cost(on, starts) == pytest.approx(OPTIMUM, abs=0.01)


def test_relaxation_is_as_tight_as_it_was():
    data = scenario_data()
    data["solver"] |= {"relax": True}
    plan = planner.solve(planner.Scenario.from_mapping(data))
    assert plan.summary["objective_cny"] == pytest.approx(-559_406.827, abs=0.01)


def test_instance_is_keyed_in_as_published():
    # figures sum up as in the paper's tables: capacity, minimum, load of the day
    assert sum(unit.high for unit in UNITS) == 1662
    assert sum(unit.low for unit in UNITS) == 440
    assert sum(LOAD) == 27_100
