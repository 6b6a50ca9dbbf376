"""Simpler forms of fields, and fields that follow from others: sums, and what they replace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import planner
from tests.support.build import battery, grid, load, profit, scenario, solve, thermal

COAL = {"coal_gce_per_kwh": 300, "fuel_price_cny_per_gj": 30}
RAMPS = ("ramp_up_mw_per_h", "ramp_down_mw_per_h")
EACH = ("charge_efficiency", "discharge_efficiency")
POINTS = [{"tokens_per_s": 0, "node_kw": 1.8}, {"tokens_per_s": 5000, "node_kw": 5.5}]


def without(part: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name not in names}


def coal(**fields: Any) -> dict[str, Any]:
    """A unit of 40 to 100 MW that burns 300 g of standard coal per kWh sent out at full load."""
    return without(thermal(**{"min_power_mw": 40} | COAL | fields), "curve", *RAMPS)


def curve_of(**fields: Any) -> list[tuple[float, float]]:
    points = scenario({"unit": coal(**fields), "grid": grid()}).components["unit"].curve
    return [(point.power_mw, point.fuel_gj_per_h) for point in points]


def test_the_curve_of_a_coal_unit_by_hand() -> None:
    # 300 g/kWh at 100 MW = 30 t/h, and 29.3076 GJ/t make 879.2 GJ/h. A fifteenth of it is burnt for
    # nothing, 58.6 GJ/h, so that 40 MW burn 58.6 + 0.4 x (879.2 - 58.6) = 386.9, 330 g/kWh.
    assert curve_of() == [(40, pytest.approx(386.860)), (100, pytest.approx(879.228))]
    assert curve_of()[0][1] == pytest.approx(330 * 40 * 0.0293076)
    # 6 % own use: 94 MW are sent out, 28.2 t/h; at 40 MW 350 g x 37.6 MW = 13.16 t/h
    own = curve_of(auxiliary_share=0.06, min_power_coal_gce_per_kwh=350)
    assert own == [(40, pytest.approx(385.688)), (100, pytest.approx(826.474))]
    assert curve_of(max_power_mw=40) == [(40, pytest.approx(351.691))]


def test_simple_and_full_forms_give_the_same_plan(tmp_path: Path) -> None:
    efficiencies = dict.fromkeys(EACH, 0.9)
    store = without(battery(wear_cny_per_mwh=1), *EACH, "ending")
    trade = without(grid(export_limit_mw=0), "export_price_cny_per_mwh", "export_limit_mw")
    prices = {"import_price_cny_per_mwh": [200, 400]}
    fuel = [{"power_mw": mw, "fuel_gj_per_h": gj} for mw, gj in curve_of()]
    simple = {
        "unit": coal(), "store": store | {"round_trip_efficiency": 0.81}, "town": load(50, 70),
        "grid": trade | prices,
    }  # fmt: skip
    full = {
        "unit": without(coal(), "coal_gce_per_kwh") | {"curve": fuel} | dict.fromkeys(RAMPS, 100),
        "store": store | efficiencies | {"ending": "same_as_start"}, "town": load(50, 70),
        "grid": grid(export_limit_mw=0, export_price_cny_per_mwh=0) | prices,
    }  # fmt: skip
    plan = solve(simple, 2)
    assert plan.summary["objective_cny"] == pytest.approx(profit(full, 2), abs=1e-6)
    # a plan folder holds both forms, and its scenario follows a change of the simple one
    read = planner.read_plan(plan.write(tmp_path / "plan")).scenario
    assert read == plan.scenario
    change = {"components.store.round_trip_efficiency": 1}
    for site in (plan.scenario.with_values(change), read.with_values(change),
                 planner.load(tmp_path / "plan", change)):  # fmt: skip
        assert [getattr(site.components["store"], name) for name in EACH] == [1, 1]
    assert plan.scenario.with_values({"components.unit.coal_gce_per_kwh": 330}).components[
        "unit"
    ].curve[-1].fuel_gj_per_h == pytest.approx(967.151)


def test_a_node_asleep_saves_nothing_unless_it_is_said() -> None:
    fleet = {"kind": "fleet", "nodes": 1, "pue": 1, "serves": {"model": {"points": POINTS}}}
    assert scenario({"gpu": fleet, "grid": grid()}).components["gpu"].sleep_kw == 1.8


@pytest.mark.parametrize(
    ("name", "part", "messages"),
    [
        ("unit", without(coal(), "coal_gce_per_kwh"),
         ["unit.curve: is required, or coal_gce_per_kwh instead"]),
        ("unit", coal(max_power_mw=40) | {"curve": [{"power_mw": 40, "fuel_gj_per_h": 1}]},
         ["unit.curve: does not go with coal_gce_per_kwh 300; leave one of the two out"]),
        ("unit", without(coal(min_power_coal_gce_per_kwh=330), "coal_gce_per_kwh"),
         ["unit.curve: is required, or", "unit.min_power_coal_gce_per_kwh: needs coal_gce"]),
        ("unit", coal(min_power_coal_gce_per_kwh=330, min_power_mw=0),
         ["unit.min_power_coal_gce_per_kwh: has no effect where the lowest min_power_mw is 0"]),
        ("unit", coal(max_power_mw="x", min_up_h=-1),
         ["unit.max_power_mw: must be a number", "unit.min_up_h: must be 0 or more"]),
        ("store", without(battery(capacity_mwh=-1), *EACH),
         ["store.capacity_mwh: must be above 0",
          "store.charge_efficiency: is required, or round_trip_efficiency instead"]),
        ("store", battery(round_trip_efficiency=0.9),
         ["store.charge_efficiency: does not go with", "store.discharge_efficiency: does not"]),
        ("grid", without(grid(), "export_price_cny_per_mwh"),
         ["grid.export_price_cny_per_mwh: is required with export_limit_mw"]),
    ],
)  # fmt: skip
def test_what_is_missing_or_contradicts(
    name: str, part: dict[str, Any], messages: list[str]
) -> None:
    with pytest.raises(planner.ScenarioError) as caught:
        scenario({"grid": grid(), name: part})
    texts = [str(problem) for problem in caught.value.problems]
    assert len(texts) == len(messages), texts
    assert all(f"components.{m}" in text for m, text in zip(messages, texts, strict=True)), texts


def test_coal_in_the_wrong_unit_is_a_caution() -> None:
    (caution,) = scenario({"unit": coal(coal_gce_per_kwh=3000), "grid": grid()}).warnings()
    assert "coal_gce_per_kwh 3000 g of standard coal for a kWh sent out" in caution


def test_a_replan_keeps_the_curve_of_powers_that_have_passed() -> None:
    on = {"on": True, "power_mw": 70}
    unit = coal(initial=on, min_power_mw=[40, 50], max_power_mw=[100, 80])
    parts = {"unit": unit, "grid": grid(), "town": load(70, 70)}
    day = solve(parts, 2)
    rest = planner.replan(day, "2026-07-15T01:00:00+08:00").plan.scenario.components["unit"]
    whole = day.scenario.components["unit"]
    assert rest.curve == whole.curve
    assert rest.ramp_up_mw_per_h == 100
    assert rest.coal_gce_per_kwh is None
