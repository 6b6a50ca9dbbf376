"""Plans of small amounts pass their audit: a watt, a few kWh, exactly a kWh."""

import random
from typing import Any

import pytest

from tests.support.build import *
from tests.support.compute import chat, fleet

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
        "grid": grid(
            import_limit_mw=20,
            export_limit_mw=draw.choice((5, tiny(draw, WATT))),
            import_price_cny_per_mwh=[draw.uniform(300, 600) for _ in range(STEPS)],
            export_price_cny_per_mwh=draw.uniform(200, 500),
            import_emission_tco2_per_mwh=0.6,
            self_use_charge_cny_per_mwh=draw.choice((0, 30)),
            fixed_cny_per_month=draw.choice((0, 1000)),
            resale=draw.random() < 0.5,
        ),
        "pv": renewable(capacity_mw=draw.choice((1, 30)), availability_pu=series(tiny(draw))),
        "load": load(*series(small())),
    }
    others = [name for name in KINDS if draw.random() < 0.4]
    if "battery" in others:
        parts["battery"] = battery(
            capacity_mwh=max(small(), 1e-6),
            charge_power_mw=small(),
            discharge_power_mw=small(),
            charge_efficiency=0.9,
            discharge_efficiency=0.9,
        )
    if "fleet" in others:
        parts["fleet"] = fleet(1)
        parts["chat"] = chat(series(small()), 200)
    if "green_rule" in others:
        parts["rule"] = green_rule(
            min_self_use_share=0.9, max_export_share=0.1, penalty_cny_per_mwh=1000
        )
    if "thermal" in others:
        parts["unit"] = thermal(
            min_power_mw=0,
            max_power_mw=tiny(draw, WATT),
            curve=[{"power_mw": 0, "fuel_gj_per_h": 0}, {"power_mw": 1, "fuel_gj_per_h": 9}],
            fuel_price_cny_per_gj=20,
            emission_tco2_per_gj=0.1,
        )
    return parts


@pytest.mark.few(4)
@pytest.mark.parametrize("seed", range(50))
def test_a_plan_of_small_amounts_passes_its_audit(seed: int) -> None:
    solve(small_site(seed), STEPS)


def test_a_unit_as_large_as_its_minimum_but_for_rounding_may_run() -> None:
    """0.7 x 700 TW are 490 TW less 0.06 W."""
    unit = thermal(
        min_power_mw=4.9e8,
        max_power_mw=7e8,
        available=0.7,
        startup_ramp_mw=None,
        shutdown_ramp_mw=None,
        curve=[
            {"power_mw": 4.9e8, "fuel_gj_per_h": 4.9e8},
            {"power_mw": 7e8, "fuel_gj_per_h": 7e8},
        ],
    )
    plan = solve({"unit": unit, "town": load(4.9e8)})
    assert column(plan, "unit.on") == [1]


def test_thirty_watt_hours_are_exported_and_have_no_value_per_kwh() -> None:
    sun = renewable(capacity_mw=30, availability_pu=[0, 1e-6])
    prices = {"import_price_cny_per_mwh": 500, "export_price_cny_per_mwh": 420.92}
    summary = solve({"grid": grid(**prices), "pv": sun, "load": load(4, 0)}, 2).summary
    assert summary["allocation_mwh"]["renewable"]["export"] == 3e-5
    assert summary["value_by_use_cny_per_kwh"]["export"] is None
    assert summary["green"]["export_share"] is None


def test_a_kwh_has_no_value_and_more_has() -> None:
    for kwh, value in ((1.0, None), (1.001, 0.03)):
        plan = solve({"sun": renewable(kwh / 1000), "grid": grid()})
        assert plan.summary["value_by_use_cny_per_kwh"]["export"] == value
        assert plan.summary["green"]["export_share"] == (1.0 if value else None)
