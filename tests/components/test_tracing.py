"""Energy keeps its origin from the node it enters to the use it ends in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import planner
from tests.support.build import column, profit, solve, used
from tests.support.compute import chat, fleet, grid, market

PV = {"kind": "renewable", "technology": "pv", "capacity_mw": 4}
COAL = {
    "kind": "thermal", "min_power_mw": 1, "max_power_mw": 4,
    "curve": [{"power_mw": 1, "fuel_gj_per_h": 1}, {"power_mw": 4, "fuel_gj_per_h": 4}],
    "fuel_price_cny_per_gj": 30, "ramp_up_mw_per_h": 9, "ramp_down_mw_per_h": 9,
    "min_up_h": 1, "min_down_h": 1, "startups": [{"off_h": 0, "cost_cny": 0}],
    "initial": {"on": True, "power_mw": 1, "hours": 9},
}  # fmt: skip
STORE = {
    "kind": "battery", "capacity_mwh": 10, "charge_power_mw": 4, "discharge_power_mw": 4,
    "charge_efficiency": 1, "discharge_efficiency": 1,
    "initial": {"energy_mwh": 0}, "ending": "same_as_start",
}  # fmt: skip
PREMIUM = {"renewable": 60, "thermal": 40}


def two_prices(**more: Any) -> dict[str, Any]:
    return grid(**({"export_limit_mw": 4, "export_price_cny_per_mwh": PREMIUM} | more))


def test_green_energy_stays_green_in_the_battery() -> None:
    """4 MWh of sun are stored, and sold in the next hour at the green price: 4 x 60.

    The battery then holds 3 more MWh from the grid, which may not be sold.
    """
    start = {"renewable": 0, "thermal": 0, "grid": 3}
    plan = solve(
        {
            "grid": two_prices(export_limit_mw=[0, 9]),
            "pv": PV | {"availability_pu": [1, 0]},
            "battery": STORE | {"initial": {"energy_mwh": start}, "ending": {"at_least_mwh": 0}},
        },
        hours=2,
    )
    assert plan.summary["objective_cny"] == pytest.approx(4 * 60)
    assert column(plan, "battery.energy_mwh[renewable]") == [4, 0]
    assert column(plan, "battery.energy_mwh[grid]") == [3, 3]
    assert used(plan, "export", "renewable") == 4


def test_stored_energy_of_each_origin_is_sold_at_its_own_price() -> None:
    """2 MWh each of green and coal energy: 2 x 60 + 2 x 40; with resale 2 from the grid at 10."""
    start = {"renewable": 2, "thermal": 2, "grid": 2}
    store = STORE | {"discharge_power_mw": 9, "initial": {"energy_mwh": start}}
    parts = {
        "grid": two_prices(export_limit_mw=9),
        "battery": store | {"ending": {"at_least_mwh": 0}},
    }
    assert profit(parts) == pytest.approx(200)
    prices = PREMIUM | {"grid": 10}
    parts["grid"] |= {"resale": True, "export_price_cny_per_mwh": prices}
    assert profit(parts) == pytest.approx(220)


def test_losses_keep_their_origin() -> None:
    """4 MWh charged at 0.5 leave 2 in store; 2 at 0.5 deliver 1: 3 MWh of green loss."""
    plan = solve(
        {
            "grid": two_prices(export_limit_mw=[0, 9]),
            "pv": PV | {"availability_pu": [1, 0]},
            "battery": STORE | {"charge_efficiency": 0.5, "discharge_efficiency": 0.5},
        },
        hours=2,
    )
    assert plan.summary["objective_cny"] == pytest.approx(60)
    assert used(plan, "loss", "renewable") == pytest.approx(3)
    assert used(plan, "loss", "grid") == 0


def test_compute_takes_the_energy_that_sells_for_least() -> None:
    """4 MW of sun sell at 60, coal power at 40 costs 30: compute takes the coal power.

    36 Mtok x 20 - 4 MWh of coal for 120 + 4 x 60.
    """
    plan = solve(
        {
            "grid": two_prices(), "pv": PV | {"availability_pu": 1}, "coal": COAL,
            "fleet": fleet(4), "chat": chat(36),
        }
    )  # fmt: skip
    assert plan.summary["objective_cny"] == pytest.approx(720 - 120 + 240)
    assert used(plan, "compute", "thermal") == 4
    assert used(plan, "export", "renewable") == 4


def test_among_equal_plans_compute_takes_green_energy() -> None:
    """Sun and coal power sell for the same 60: the tidy plan computes with sun."""
    same = {"renewable": 60, "thermal": 60}
    parts = {
        "grid": two_prices(export_price_cny_per_mwh=same), "pv": PV | {"availability_pu": 1},
        "coal": COAL, "fleet": fleet(4), "chat": chat(36),
    }  # fmt: skip
    plan = solve(parts)
    assert used(plan, "compute", "renewable") == 4
    assert used(plan, "export", "thermal") == 4


def test_a_step_values_the_energy_of_every_origin_alike() -> None:
    """2 MW of sun and 2 of grid power make 36 Mtok at 20: 720 CNY from 4 MWh, 0.18 a kWh each."""
    plan = solve(
        {
            "grid": grid(), "pv": PV | {"availability_pu": 0.5},
            "fleet": fleet(4), "chat": chat(36),
        }
    )  # fmt: skip
    values = plan.summary["value_cny_per_kwh"]
    assert values["renewable"]["compute"] == pytest.approx(0.18)
    assert values["grid"]["compute"] == pytest.approx(0.18)


def random_site(seed: int) -> dict[str, Any]:
    """Everything that makes, stores and uses power, with prices that know no origin."""
    rng = np.random.default_rng(seed)

    def series(low: float, high: float) -> list[float]:
        return rng.uniform(low, high, size=6).round(2).tolist()

    buy = series(50, 150)
    return {
        "grid": {
            "kind": "grid", "import_limit_mw": 6, "export_limit_mw": 6, "resale": True,
            "import_price_cny_per_mwh": buy,
            "export_price_cny_per_mwh": [price - 8 for price in buy],
        },
        "pv": PV | {"availability_pu": series(0, 1)},
        "coal": COAL | {"fuel_price_cny_per_gj": 70},
        "battery": STORE | {"charge_efficiency": 0.95, "discharge_efficiency": 0.95,
                            "leak_per_h": 0.01, "initial": {"energy_mwh": 2}},
        "load": {"kind": "load", "demand_mw": series(0, 2)},
        "fleet": fleet(5, pue=series(1, 1.3), sleep_kw=50, wake_cost_cny=5),
        "chat": chat(series(0, 30), series(8, 20)),
        "open": market((series(0, 9), 14)),
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_pooling_earns_the_same_where_nothing_depends_on_origin(seed: int) -> None:
    traced = profit(random_site(seed), hours=6)
    pooled = solve(random_site(seed), hours=6, trace=False)
    assert pooled.summary["objective_cny"] == pytest.approx(traced, abs=1e-4)
    assert set(pooled.allocation["origin"]) == {"pooled"}


@pytest.mark.parametrize("seed", range(4))
def test_what_is_injected_is_used_by_origin_and_step(seed: int) -> None:
    plan = solve(random_site(seed), hours=6)
    uses = plan.allocation.pivot_table(
        index="time", columns="origin", values="mwh", aggfunc="sum", sort=False
    )
    injected = {
        "renewable": 4 * np.array(random_site(seed)["pv"]["availability_pu"]),
        "thermal": plan.schedule["coal.power_mw"].to_numpy(),
        "grid": plan.schedule["grid.import_mw"].to_numpy(),
    }
    for origin, mw in injected.items():
        assert uses[origin].to_numpy() == pytest.approx(mw, abs=1e-7)


def test_prices_by_origin_need_traced_energy() -> None:
    parts = {"grid": two_prices(resale=True), "pv": PV | {"availability_pu": 1}}
    with pytest.raises(planner.ScenarioError, match="cannot differ by origin"):
        solve(parts, trace=False)
