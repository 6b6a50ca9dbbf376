"""Random sites with every electrical kind, the same for the same seed."""

from __future__ import annotations

import random
from typing import Any

from tests.support.build import battery, carbon, green_rule, grid, load, renewable, reserve, thermal

VALUE, CHARGE = 35.0, 150.0  # of a MWh at the end, of a MW of the month's peak


def random_site(seed: int, hours: int) -> dict[str, dict[str, Any]]:
    """Return a unit, a battery, a grid, a plant, a load, reserve and rules with seeded figures."""
    rnd = random.Random(seed)

    def series(low: float, high: float) -> list[float]:
        return [float(rnd.randint(round(low), round(high))) for _ in range(hours)]

    on = rnd.random() < 0.5
    unit = thermal(
        min_power_mw=30,
        curve=[
            {"power_mw": mw, "fuel_gj_per_h": gj}
            for mw, gj in ((20, 60), (60, 120), (100, rnd.choice([190, 170])))
        ],
        ramp_up_mw_per_h=rnd.choice([15, 40]),
        ramp_down_mw_per_h=rnd.choice([20, 50]),
        startup_ramp_mw=rnd.choice([30, 60]),
        shutdown_ramp_mw=rnd.choice([30, 60]),
        min_up_h=rnd.choice([1, 2, 5]),
        min_down_h=rnd.choice([1, 3, 4]),
        startups=[
            {"off_h": 0, "cost_cny": 200},
            {"off_h": 3, "cost_cny": 700},
            {"off_h": 6, "cost_cny": 1500},
        ],
        shutdown_cost_cny=30,
        emission_tco2_per_gj=0.05,
        allowance_tco2_per_mwh=0.08,
        available=[rnd.choice([1, 1, 1, 1, 1, 1, 0.8, 0]) for _ in range(hours)],
        initial={
            "on": on,
            "power_mw": 40 if on else 0,
            "hours": rnd.choice([1, 2, 7]),
        },
        **rnd.choice([{"must_run": True}, {"ending": "same_as_start"}, {}, {}]),
    )
    cell = battery(
        capacity_mwh=40,
        min_energy_mwh=5,
        charge_power_mw=20,
        discharge_power_mw=15,
        charge_efficiency=0.9,
        discharge_efficiency=0.95,
        leak_per_h=0.01,
        wear_cny_per_mwh=3,
        cycles_per_day=rnd.choice([0.5, 1]),
        initial={
            "energy_mwh": {"renewable": 6, "thermal": 5, "grid": 4},
            "discharged_today_mwh": rnd.choice([0, 10]),
        },
        ending=rnd.choice([{"value_cny_per_mwh": VALUE}, "same_as_start", {"at_least_mwh": 9}]),
    )
    connection = grid(
        import_limit_mw=60,
        export_limit_mw=70,
        import_price_cny_per_mwh=series(20, 90),
        export_price_cny_per_mwh={"renewable": series(0, 80), "thermal": series(0, 70)},
        self_use_charge_cny_per_mwh=4,
        demand_charge_cny_per_mw_month=CHARGE,
        peak_so_far_mw=rnd.choice([0, 12]),
        expected_peak_mw=rnd.choice([0, 20]),
        import_emission_tco2_per_mwh=0.2,
    )
    sun = [max(0.0, mw) for mw in series(-40, 60)]
    site = {
        "unit": unit,
        "battery": cell,
        "grid": connection,
        "sun": renewable(*sun),
        "city": load(*series(20, 70), shed_cost_cny_per_mwh=400),
        "hold": reserve(up_mw=4, load_share=0.05, shortfall_cost_cny_per_mwh=60),
    }
    site["green"] = green_rule(
        min_self_use_share=rnd.choice([0.5, 0.9]),
        min_load_share=rnd.choice([0.2, 0.6]),
        max_export_share=0.2,
        so_far={"available_mwh": 30, "used_mwh": 10, "exported_mwh": 12, "load_mwh": 40},
        ahead={"available_mwh": 9, "used_mwh": 9, "load_mwh": 9, "load_renewable_mwh": 4},
        penalty_cny_per_mwh=rnd.choice([5, 30]),
    )
    site["ets"] = carbon(
        price_cny_per_tco2=series(0, 40),
        price_imports=rnd.random() < 0.5,
        budget_tco2=400 if unit.get("must_run") else rnd.choice([150, 400]),
        so_far_tco2=50,
    )
    return site
