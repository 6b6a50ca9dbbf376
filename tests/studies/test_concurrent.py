"""Solves side by side, in threads and in processes, return what they return one by one."""

from __future__ import annotations

from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import planner
from tests.studies.test_solve_stochastic import coal_or_not
from tests.support import build

HERE = Path(__file__).parents[2]
PRICES = (20.0, 50.0)


def arbitrage(price: float) -> planner.Scenario:
    parts = {"grid": build.grid(), "battery": build.battery()}
    parts["grid"] |= {"import_price_cny_per_mwh": [10, price], "resale": True,
                      "export_price_cny_per_mwh": [10, price]}  # fmt: skip
    return build.scenario(parts, 2)


def outcome(plan: planner.Plan) -> Any:
    return plan.summary["objective_cny"], plan.schedule.to_numpy().tolist(), plan.ledger.to_dict()


def solved(scenario: planner.Scenario) -> planner.Plan:
    return planner.solve(scenario)


@pytest.mark.parametrize("pool", [
    lambda: ThreadPoolExecutor(4),
    pytest.param(lambda: ProcessPoolExecutor(2, get_context("spawn")), marks=pytest.mark.slow),
], ids=["threads", "processes"])  # fmt: skip
def test_a_pool_of_solves_returns_what_they_return_one_by_one(pool: Any) -> None:
    scenarios = [*map(arbitrage, PRICES), coal_or_not()]
    alone = [outcome(planner.solve(one)) for one in scenarios]
    town = build.scenario({"grid": build.grid(import_limit_mw=1), "town": build.load(2)}, 1)
    executor: Executor
    with pool() as executor:
        assert [outcome(plan) for plan in executor.map(solved, scenarios)] == alone
        error = executor.submit(solved, town).exception()
    assert isinstance(error, planner.InfeasibleError)
    assert error.diagnosis["status"] == "infeasible"
    assert error.diagnosis["conflict"]
