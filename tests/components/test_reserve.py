"""Reserve: what is required, who provides it, what a shortfall costs."""

from __future__ import annotations

import pytest

import planner
from tests.support import golden
from tests.support.build import *

SHORT = {"shortfall_cost_cny_per_mwh": 500}


def missing(components: dict[str, object], hours: float = 1) -> list[float]:
    """Return the shortfall in MW of the requirement `hold`."""
    return column(solve(components, hours), "hold.shortfall_mw")  # type: ignore[arg-type]


def test_fixed_requirement():
    site = {"sun": renewable(1, 1), "city": load(1, 1)}
    assert missing(site | {"hold": reserve(up_mw=[7, 3], **SHORT)}, 2) == [7, 3]


def test_share_of_loads_that_are_served():
    site = {"sun": renewable(9), "a": load(4), "b": load(5), "hold": reserve(load_share=0.1)}
    site["hold"] |= SHORT
    assert missing(site) == [pytest.approx(0.9)]
    site["b"] = load(9, shed_cost_cny_per_mwh=60)  # 4 MW must be shed: 9 remain
    assert missing(site) == [pytest.approx(0.9)]


def test_share_of_renewable_power_that_is_used():
    site = {"sun": renewable(50), "city": load(20), "hold": reserve(renewable_share=0.2) | SHORT}
    assert missing(site) == [pytest.approx(4)]


def test_shortfall_has_its_price():
    site = {"sun": renewable(1), "city": load(1), "hold": reserve(up_mw=7, **SHORT)}
    plan = solve(site)
    assert total(plan, "hold", "shortfall") == -3500
    assert plan.summary["cash_profit_cny"] == 0
    assert plan.summary["worst_hours"][0]["line"] == "shortfall"
    assert profit(site, 0.5, step_min=30) == -1750


def test_without_a_price_none_may_be_missing():
    site = {"sun": renewable(1), "city": load(1), "hold": reserve(up_mw=7)}
    with pytest.raises(planner.InfeasibleError):
        solve(site)


# providers


def test_thermal_headroom():
    # 100 MW could be sold at 30; holding 15 back loses 15 * 20
    site = {"unit": thermal(), "grid": market(30), "hold": reserve(up_mw=15, providers=["unit"])}
    assert profit(site) == 85 * 20


def test_thermal_headroom_is_net_of_auxiliaries():
    unit = thermal(auxiliary_share=0.5)
    site = {"unit": unit, "grid": market(30), "hold": reserve(up_mw=15, providers=["unit"])}
    plan = solve(site)
    assert column(plan, "unit.power_mw") == [70]  # 30 MW gross held back for 15 net


def test_a_unit_that_is_off_holds_nothing():
    site = {"unit": thermal(), "grid": market(5), "hold": reserve(up_mw=15, providers=["unit"])}
    plan = solve(site)
    assert column(plan, "unit.on") == [1]
    assert plan.summary["objective_cny"] == -20 * 5


@pytest.mark.parametrize(
    ("fields", "max_supply_mw"),
    [
        ({"ramp_up_mw_per_h": 30}, 30),
        ({"available": 0.6}, 40),
        ({"startup_ramp_mw": 35, "initial": {"on": False, "hours": 9}}, 15),
        ({}, 80),
    ],
)
def test_thermal_reserve_keeps_the_limits_of_the_unit(
    fields: dict[str, object], max_supply_mw: float
):
    on = {"initial": {"on": True, "power_mw": 20, "hours": 9}}
    unit = thermal(must_run=True, **(on | fields))
    hold = reserve(up_mw=100, providers=["unit"], **SHORT)
    assert missing({"unit": unit, "grid": market(0), "hold": hold}) == [100 - max_supply_mw]


def test_stopping_limits_the_reserve_of_the_step_before():
    unit = thermal(shutdown_ramp_mw=50, initial={"on": True, "power_mw": 20, "hours": 9})
    hold = reserve(up_mw=[100, 0], providers=["unit"], **SHORT)
    assert missing({"unit": unit, "grid": market(0, -9999), "hold": hold}, 2) == [100 - 30, 0]


def test_unused_import_and_stopped_export():
    connection = grid(import_limit_mw=10, export_limit_mw=50, import_price_cny_per_mwh=40)
    hold = reserve(up_mw=30, providers=["grid"], **SHORT)
    assert missing({"grid": connection, "city": load(4), "hold": hold}) == [30 - 6]
    assert missing({"grid": connection, "sun": renewable(9), "hold": hold}) == [30 - 19]


def test_providers_are_the_ones_named():
    site = {
        "grid": grid(import_limit_mw=10),
        "battery": battery(initial={"energy_mwh": 10}),
        "city": load(0),
        "hold": reserve(up_mw=100, **SHORT),
    }
    assert missing(site) == [100 - 10 - 4]
    assert missing(site | {"hold": site["hold"] | {"providers": ["battery"]}}) == [96]


def test_two_requirements_do_not_share_a_megawatt():
    site = {
        "grid": grid(import_limit_mw=10),
        "city": load(0),
        "hold": reserve(up_mw=7, **SHORT),
        "more": reserve(up_mw=7, **SHORT),
    }
    assert profit(site) == -500 * (14 - 10)


# the largest unit


def test_loss_of_a_thermal_unit_is_covered_by_the_others():
    # both run at 40; the loss of either needs 40 (+ 5) MW from the other, which has 60 left
    unit = thermal(must_run=True)
    site = {"a": unit, "b": unit, "city": load(80)}
    hold = reserve(largest_unit=True, up_mw=5, **SHORT)
    plan = solve(site | {"hold": hold})
    assert column(plan, "hold.shortfall_mw") == [0]
    # at 120 MW: a + b = 120, the loss of a needs a + 5 <= 100 - b
    plan = solve(site | {"city": load(120), "hold": hold})
    assert column(plan, "hold.shortfall_mw") == [25]


def test_loss_of_the_import_is_covered_by_the_site():
    site = {
        "grid": grid(),
        "battery": battery(initial={"energy_mwh": 9}),
        "city": load(6, shed_cost_cny_per_mwh=1000),
        "hold": reserve(largest_unit=True, **SHORT),
    }
    # 6 MW of load: x from the grid, 6 - x from the battery, whose 4 - (6 - x) must cover x
    assert missing(site) == [pytest.approx(2)]
    assert missing(site | {"hold": reserve(largest_unit=False, **SHORT)}) == [0]


def test_figures():
    site = {"grid": grid(import_limit_mw=10), "city": load(4, 8), "hold": reserve(up_mw=5)}
    figures = solve(site | {"hold": reserve(up_mw=5, **SHORT)}, 2).summary["figures"]["hold"]
    assert figures["required_mean_mw"] == 5
    assert figures["shortfall_mwh"] == 3


@pytest.mark.parametrize(
    ("providers", "message"),
    [(["sun"], "'sun' cannot provide reserve"), (["nobody"], "there is no component 'nobody'")],
)
def test_errors_name_the_provider(providers: list[str], message: str):
    with pytest.raises(planner.ScenarioError, match=message):
        scenario({"sun": renewable(1), "city": load(1), "hold": reserve(providers=providers)})


def test_golden_reserve():
    site = {
        "grid": grid(),
        "unit": thermal(),
        "battery": battery(),
        "sun": renewable(5, 6),
        "city": load(30, 31),
        "hold": reserve(
            up_mw=[3, 4], load_share=0.1, renewable_share=0.2, largest_unit=True, **SHORT
        ),
    }
    golden.check("reserve", scenario(site, 2))
