"""Plans of small amounts pass their audit: a watt, a few kWh, exactly a kWh."""

import random
from typing import Any

import pytest

import planner
from tests.support.build import grid, renewable, solve

KINDS = ("load", "battery", "fleet", "green_rule", "thermal")
STEPS = 8
WATT = -6  # log10 of MW: a smaller limit of a machine is none


def tiny(draw: random.Random, least: int = -9) -> float:
    """Return an amount of up to 1e-2; some are powers of ten, at which thresholds lie."""
    if draw.random() < 0.3:
        return 10.0 ** draw.randint(least, -2)
    return float(10 ** draw.uniform(least, -2))


def small_site(seed: int) -> dict[str, Any]:
    """Return a site whose availabilities, loads, stores, exports and imports are tiny, or none."""
    draw = random.Random(seed)

    def series(most: float) -> list[float]:
        return [draw.choice((0.0, tiny(draw), tiny(draw), most)) for _ in range(STEPS)]

    def small() -> float:
        return draw.choice((0.0, 4.0)) if draw.random() < 0.5 else tiny(draw, WATT)

    parts: dict[str, Any] = {
        "grid": {
            "kind": "grid",
            "import_limit_mw": 20,
            "export_limit_mw": draw.choice((5, tiny(draw, WATT))),
            "import_price_cny_per_mwh": [draw.uniform(300, 600) for _ in range(STEPS)],
            "export_price_cny_per_mwh": draw.uniform(200, 500),
            "import_emission_tco2_per_mwh": 0.6,
            "self_use_charge_cny_per_mwh": draw.choice((0, 30)),
            "fixed_cny_per_month": draw.choice((0, 1000)),
            "resale": draw.random() < 0.5,
        },
        "pv": {
            "kind": "renewable",
            "technology": "pv",
            "capacity_mw": draw.choice((1, 30)),
            "availability_pu": series(tiny(draw)),
        },
        "load": {"kind": "load", "demand_mw": series(small())},
    }
    others = [name for name in KINDS if draw.random() < 0.4]
    if "battery" in others:
        parts["battery"] = {
            "kind": "battery",
            "capacity_mwh": max(small(), 1e-6),
            "charge_power_mw": small(),
            "discharge_power_mw": small(),
            "charge_efficiency": 0.9,
            "discharge_efficiency": 0.9,
            "initial": {"energy_mwh": 0},
            "ending": "same_as_start",
        }
    if "fleet" in others:
        point = {"tokens_per_s": 2500, "node_kw": 1000}
        parts["fleet"] = {
            "kind": "fleet",
            "nodes": 1,
            "pue": 1,
            "sleep_kw": 0,
            "serves": {"small": {"points": [{"tokens_per_s": 0, "node_kw": 0}, point]}},
        }
        parts["chat"] = {
            "kind": "service",
            "model": "small",
            "price_cny_per_mtok": 200,
            "demand_mtok_per_h": series(small()),
        }
    if "green_rule" in others:
        parts["rule"] = {
            "kind": "green_rule",
            "min_self_use_share": 0.9,
            "max_export_share": 0.1,
            "penalty_cny_per_mwh": 1000,
        }
    if "thermal" in others:
        parts["unit"] = {
            "kind": "thermal",
            "min_power_mw": 0,
            "max_power_mw": tiny(draw, WATT),
            "ramp_up_mw_per_h": 10,
            "ramp_down_mw_per_h": 10,
            "startup_ramp_mw": 1,
            "shutdown_ramp_mw": 1,
            "min_up_h": 1,
            "min_down_h": 1,
            "startups": [{"off_h": 0, "cost_cny": 0}],
            "curve": [{"power_mw": 0, "fuel_gj_per_h": 0}, {"power_mw": 1, "fuel_gj_per_h": 9}],
            "fuel_price_cny_per_gj": 20,
            "emission_tco2_per_gj": 0.1,
            "initial": {"on": False, "hours": 10},
        }
    return {
        "name": "small_amounts",
        "horizon": {"start": "2026-07-15T00:00:00+08:00", "hours": STEPS},
        "components": parts,
    }


@pytest.mark.parametrize("seed", range(50))
def test_a_plan_of_small_amounts_passes_its_audit(seed: int) -> None:
    planner.solve(planner.Scenario.from_mapping(small_site(seed)))


def test_thirty_watt_hours_are_exported_and_have_no_value_per_kwh() -> None:
    prices = {"import_price_cny_per_mwh": 500, "export_price_cny_per_mwh": 420.92}
    sun = {"kind": "renewable", "technology": "pv", "capacity_mw": 30}
    parts: dict[str, Any] = {
        "grid": {"kind": "grid", "import_limit_mw": 20, "export_limit_mw": 5} | prices,
        "pv": sun | {"availability_pu": [0, 1e-6]},
        "load": {"kind": "load", "demand_mw": [4, 0]},
    }
    horizon = {"start": "2026-07-15T00:00:00+08:00", "hours": 2}
    data = {"name": "night_spill", "horizon": horizon, "components": parts}
    summary = planner.solve(planner.Scenario.from_mapping(data)).summary
    assert summary["allocation_mwh"]["renewable"]["export"] == 3e-5
    assert summary["value_by_use_cny_per_kwh"]["export"] is None
    assert summary["green"]["export_share"] is None


def test_a_kwh_has_no_value_and_more_has() -> None:
    for kwh, value in ((1.0, None), (1.001, 0.03)):
        plan = solve({"sun": renewable(kwh / 1000), "grid": grid()})
        assert plan.summary["value_by_use_cny_per_kwh"]["export"] == value
        assert plan.summary["green"]["export_share"] == (1.0 if value else None)
