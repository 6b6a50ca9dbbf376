"""Origins by the rule, and the range of shares, against sums in closed form."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.support import build


def tied_origins(wind: list[float], load: list[float], coal: float, **more: Any) -> dict[str, Any]:
    """Return a site whose export earns the same whatever its origin, with a unit that must run."""
    unit = build.thermal(
        min_power_mw=coal, max_power_mw=coal,
        curve=[{"power_mw": coal, "fuel_gj_per_h": 9 * coal}], must_run=True,
        ramp_up_mw_per_h=coal, ramp_down_mw_per_h=coal, startup_ramp_mw=coal,
        shutdown_ramp_mw=coal, min_up_h=1, min_down_h=1,
        startups=[{"off_h": 0, "cost_cny": 0}],
        initial={"on": True, "power_mw": coal, "hours": 24},
    )  # fmt: skip
    connection = build.grid(import_limit_mw=0, export_limit_mw=100, import_price_cny_per_mwh=600,
                            export_price_cny_per_mwh=300)  # fmt: skip
    return {
        "wind": build.renewable(*wind), "coal": unit, "grid": connection, "town": build.load(*load)
    } | more  # fmt: skip


@pytest.mark.few(7)
@pytest.mark.parametrize("seed", range(50))
def test_shares_and_their_ranges_are_those_of_the_sum(seed: int):
    """Of a load d, coal c can serve min(c, d) at most, wind a min(a, d): the rest is exported."""
    rnd = random.Random(seed)
    hours, coal = rnd.randint(1, 4), float(rnd.randint(1, 9))
    wind = [float(rnd.randint(0, 12)) for _ in range(hours)]
    load = [float(rnd.randint(0, round(coal + mw))) for mw in wind]
    green = build.solve(tied_origins(wind, load, coal), hours).summary["green"]
    drawn, available = sum(load), sum(wind)
    most = sum(min(a, d) for a, d in zip(wind, load, strict=True))
    least = sum(max(0.0, d - coal) for d in load)
    for whole, share in ((drawn, "load_share"), (available, "self_use_share")):
        if not whole:
            assert green[share] is None
            continue
        assert green[share] == pytest.approx(most / whole, abs=2e-6)
        assert green["least"][share] == pytest.approx(least / whole, abs=2e-6)
        assert green["most"][share] == pytest.approx(most / whole, abs=2e-6)
    if available:
        assert green["export_share"] == pytest.approx(1 - most / available, abs=2e-6)
        assert green["most"]["export_share"] == pytest.approx(1 - least / available, abs=2e-6)


def test_the_case_of_two_hours():
    """13 MWh of wind, 10 of coal, 15 of load: 13 of 13 by the rule, 5 to 13 by ties."""
    green = build.solve(tied_origins([5, 8], [6, 9], 5), 2).summary["green"]
    assert green["self_use_share"] == green["most"]["self_use_share"] == 1.0
    assert green["least"]["self_use_share"] == pytest.approx(5 / 13, abs=1e-6)


def test_stored_renewable_energy_counts_as_available():
    """4 MWh stored and 2 of wind; all is sold: 6 of 6 are exported, not 6 of 2."""
    site = {
        "wind": build.renewable(2),
        "grid": build.grid(import_limit_mw=0, export_limit_mw=20, export_price_cny_per_mwh=300),
        "battery": build.battery(
            capacity_mwh=4, charge_efficiency=1, discharge_efficiency=1,
            initial={"energy_mwh": {"renewable": 4}}, ending={"at_least_mwh": 0},
        ),
    }  # fmt: skip
    green = build.solve(site).summary["green"]
    assert (green["self_use_share"], green["export_share"]) == (0.0, 1.0)


def test_the_store_is_not_drained_for_a_share():
    """2 MWh of coal and 2 of wind are stored; of the 2 that are drawn, the wind stays."""
    battery = build.battery(
        capacity_mwh=4, charge_efficiency=1, discharge_efficiency=1,
        initial={"energy_mwh": {"renewable": 2, "grid": 2}}, ending={"at_least_mwh": 2},
    )  # fmt: skip
    site = {"town": build.load(2), "battery": battery, "grid": build.grid(import_limit_mw=0)}
    plan = build.solve(site)
    assert plan.schedule["battery.energy_mwh[renewable]"].iloc[-1] == pytest.approx(2)
    green = plan.summary["green"]
    assert (green["least"]["load_share"], green["most"]["load_share"]) == (0.0, 1.0)


def test_a_line_that_only_one_attribution_keeps_is_told():
    rule = build.green_rule(min_self_use_share=0.6)
    plan = build.solve(tied_origins([5, 8], [6, 9], 5, rule=rule), 2)
    (warning,) = (text for text in plan.summary["warnings"] if "attributed" in text)
    assert "rule: whether min_self_use_share 0.6 is kept" in warning
    assert "0.384615 to 1" in warning


def test_pooled_energy_has_no_shares():
    site = tied_origins([5], [6], 5)
    site["grid"] |= {"resale": True}
    assert build.solve(site, trace=False).summary["green"] == {}
