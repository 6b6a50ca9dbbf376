"""Operating points that nothing can make useful are left out, and the profit stays the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import planner
from planner.components.fleet.operating_points import Serving
from planner.components.fleet.useful_points import useless_points
from planner.solver.compiler import program_of
from planner.solver.rounds import optimise
from tests.support.build import column, scenario, solve
from tests.support.compute import FAST, WORK, batch, chat, fleet, grid, serving, site

SLOW = {"tokens_per_s": 5000, "node_kw": 1000, "inter_token_ms": 40}
HOT = {"tokens_per_s": 1000, "node_kw": 1400, "inter_token_ms": 30}
ANY, QUICK, FIRST = (None, None), (20.0, None), (None, 300.0)


@pytest.mark.parametrize(
    ("points", "limits", "whole", "useless"),
    [
        ((FAST, WORK), {ANY}, False, {"1250"}),  # a quarter of the node idle: 1875 for 0.8 MW
        ((FAST, WORK), {(10.0, None), ANY}, False, set()),  # nothing else is as fast
        ((FAST, WORK), {ANY}, True, set()),  # no whole node can be shared
        ((WORK, SLOW), {ANY}, True, {"2500"}),  # twice the tokens for the same power
        ((WORK, SLOW), {QUICK}, False, set()),  # but too slow
        ((WORK, SLOW, HOT), {ANY}, False, {"2500"}),  # what draws most may pay at negative prices
        ((FAST, WORK, SLOW), {ANY}, False, {"1250", "2500"}),  # 1250 by 2500, and that by 5000
        ((WORK | {"first_token_ms": 200}, SLOW), {FIRST}, False, set()),
        ((WORK, SLOW), set(), False, {"2500"}),
    ],
)
def test_points_that_others_replace(
    points: tuple[dict[str, Any], ...], limits: set[Any], whole: bool, useless: set[str]
) -> None:
    served = Serving.model_validate(serving(*points))
    assert useless_points(served, limits, whole=whole) == useless


def any_points(seed: int, *, reserve: bool = False, late: bool = True) -> planner.Scenario:
    """A fleet on random points, services with and without limits, prices of both signs."""
    rng = np.random.default_rng(seed)
    whole = seed % 5 == 4
    powers = [500, 1000, 1500] if whole else np.arange(300, 1600, 100)
    points = [
        {
            "tokens_per_s": float(rate), "node_kw": float(rng.choice(powers)),
            "inter_token_ms": float(rng.choice([10, 20, 30])),
            "first_token_ms": float(rng.choice([100, 200, 300])),
        }
        for rate in rng.choice(np.arange(200, 6000, 100), size=7, replace=False)
    ]  # fmt: skip
    met = points[int(rng.integers(7))]
    limits = {"max_inter_token_ms": met["inter_token_ms"]}
    limits |= {"max_first_token_ms": met["first_token_ms"]} if seed % 2 else {}
    price = rng.uniform(-60, 150, size=3).round(1).tolist()
    nodes = fleet(
        6, sleep_kw=20, wake_min=30, wake_cost_cny=10, whole_nodes=whole, spare_nodes=0.5,
        serves={"chatty": {"points": [{"tokens_per_s": 0, "node_kw": 200}, *points]}},
    )  # fmt: skip
    demand = rng.uniform(5, 40, size=3).round(1).tolist()
    return scenario(
        {
            "grid": grid(price, import_limit_mw=4), "nodes": nodes,
            "chat": chat(demand, 25, headroom_share=0.3, **limits),
            "work": batch(demand, 12, 1) if late else chat(demand, 12),
        }
        | ({"ask": {"kind": "reserve", "up_mw": 1, "providers": ["nodes"],
                    "shortfall_cost_cny_per_mwh": 60}} if reserve else {}),
        hours=3,
    )  # fmt: skip


@pytest.mark.few(3)
@pytest.mark.parametrize("seed", range(25))
def test_the_profit_is_that_with_every_point(seed: int) -> None:
    site_of = any_points(seed)
    fewer, more = program_of(site_of), program_of(site_of, every_point=True)
    assert len(fewer.cost) < len(more.cost) or seed % 5 == 4
    assert fewer.matrix.shape[0] == more.matrix.shape[0]
    best, all_points = (p.objective(optimise(p, site_of.solver).x) for p in (fewer, more))
    assert best == pytest.approx(all_points, abs=1e-4)


@pytest.mark.parametrize("late", [True, False])
def test_with_reserve_every_point_of_work_that_may_pause_stays(*, late: bool) -> None:
    site_of = any_points(0, reserve=True, late=late)
    fewer, more = program_of(site_of), program_of(site_of, every_point=True)
    assert (len(fewer.cost) == len(more.cost)) == late
    best, all_points = (p.objective(optimise(p, site_of.solver).x) for p in (fewer, more))
    assert best == pytest.approx(all_points, abs=1e-4)


def test_a_schedule_may_use_a_point_that_is_left_out() -> None:
    """Two nodes at 1250 tokens/s: 9 x 20 - 1.6 x 100; the plan has one at 2500."""
    parts = site(fleet=fleet(serves={"chatty": serving(FAST, WORK)}), chat=chat(9))
    plan = solve(parts)
    assert column(plan, "fleet.nodes[chatty|1250]") == [0]
    given = plan.schedule[["fleet.nodes[chatty|1250]"]] + 2.0
    kept = planner.settle(scenario(parts), given)
    assert kept.plan is not None
    assert kept.plan.summary["objective_cny"] == pytest.approx(180 - 160)
