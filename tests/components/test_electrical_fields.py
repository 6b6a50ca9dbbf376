"""Every field of the electrical components matters: a change of it changes the plan.

A field that enters the mathematics changes the best profit; a field that is only reported changes
the summary and leaves the profit. A field without a case fails `test_every_field_has_a_case`.
"""
# ruff: noqa: E501  # the table of cases reads better in rows

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from planner.components.registry import KINDS
from tests.support.build import (
    START,
    battery,
    grid,
    load,
    market,
    renewable,
    reserve,
    solve,
    thermal,
)

Site = dict[str, dict[str, Any]]

NOON = "2026-07-15T12:00:00+08:00"
SHORT = {"shortfall_cost_cny_per_mwh": 500}
ON = {"on": True, "power_mw": 20, "hours": 100}
TWO_STARTS = [{"off_h": 0, "cost_cny": 10}, {"off_h": 50, "cost_cny": 90}]
CURVE = [{"power_mw": 20, "fuel_gj_per_h": 20}, {"power_mw": 100, "fuel_gj_per_h": 100}]


@dataclass(frozen=True)
class Case:
    """A site, and the component `x` in it before and after a change of one field."""

    path: str  # kind.field, with the field's own fields after a dot
    before: dict[str, Any]
    after: dict[str, Any]
    beside: Site = field(default_factory=dict)
    hours: float = 2
    reported: bool = False
    start: str = START
    step_min: int = 60


def of_thermal(path: str, *prices: float, reported: bool = False, **change: Any) -> Case:
    """A unit that sells at some prices; `change` gives (before, after) by field."""
    return Case(
        f"thermal.{path}",
        thermal(**{name: pair[0] for name, pair in change.items()}),
        thermal(**{name: pair[1] for name, pair in change.items()}),
        {"grid": market(*prices), "keeper": renewable(*[0] * len(prices), node="far")},
        len(prices),
        reported,
    )


def of_battery(path: str, **change: Any) -> Case:
    """A battery that buys at 10 and sells at 50, and owes its grid energy nothing."""
    prices: list[float] = [10, 50]
    trade = grid(import_price_cny_per_mwh=prices, export_price_cny_per_mwh=prices, resale=True)
    return Case(
        f"battery.{path}",
        battery(**{name: pair[0] for name, pair in change.items()}),
        battery(**{name: pair[1] for name, pair in change.items()}),
        {"grid": trade, "keeper": renewable(0, 0, node="far")},
    )


def of_grid(
    path: str, *, reported: bool = False, start: str = START, step_min: int = 60, **change: Any
) -> Case:
    """A grid that buys 5 MW of surplus and sells 5 MW of what is missing."""
    return Case(
        f"grid.{path}",
        grid(**{name: pair[0] for name, pair in change.items()}),
        grid(**{name: pair[1] for name, pair in change.items()}),
        {"sun": renewable(9, 2), "city": load(4, 7, shed_cost_cny_per_mwh=999)},
        hours=step_min / 30,
        reported=reported,
        start=start,
        step_min=step_min,
    )


def declared(before: dict[str, Any], after: dict[str, Any], **both: Any) -> dict[str, Any]:
    """Fields of a grid with two declarations; the exchange of `of_grid` is -5 and then 5 MW."""
    pair = tuple({"exchange_mw": 3} | both | change for change in (before, after))
    return {"declaration": pair, "real_time_price_cny_per_mwh": (50, 50)}


def event(**change: Any) -> list[dict[str, Any]]:
    """An event in the second hour, when `of_grid` imports 5 MW."""
    return [{"hours": ["1-2"], "baseline_mw": 6, "reward_cny_per_mwh": 9, "max_mw": 5} | change]


def of_contract(path: str, **change: Any) -> Case:
    """A contract beside two grids of different prices."""
    deal = {"kind": "contract", "mw": 4, "price_cny_per_mwh": 35, "grid": "near"}
    return Case(
        f"contract.{path}",
        deal | {name: pair[0] for name, pair in change.items()},
        deal | {name: pair[1] for name, pair in change.items()},
        {"near": grid(), "far": grid(node="far", export_price_cny_per_mwh=20)},
    )


def of_renewable(path: str, price: float, *, reported: bool = False, **change: Any) -> Case:
    return Case(
        f"renewable.{path}",
        renewable(8) | {name: pair[0] for name, pair in change.items()},
        renewable(8) | {name: pair[1] for name, pair in change.items()},
        {"grid": market(price), "keeper": renewable(0, node="far")},
        1,
        reported,
    )


def of_load(path: str, **change: Any) -> Case:
    return Case(
        f"load.{path}",
        load(5) | {name: pair[0] for name, pair in change.items()},
        load(5) | {name: pair[1] for name, pair in change.items()},
        {"grid": grid(), "far": renewable(9, node="far")},
        1,
    )


def of_reserve(path: str, **change: Any) -> Case:
    """A requirement on a grid with 10 MW of import, 4 of them drawn, and a unit at full power."""
    return Case(
        f"reserve.{path}",
        reserve(**(SHORT | {name: pair[0] for name, pair in change.items()})),
        reserve(**(SHORT | {name: pair[1] for name, pair in change.items()})),
        {
            "grid": grid(import_limit_mw=10, export_limit_mw=0),
            "unit": thermal(min_power_mw=20, available=0.3, must_run=True),
            "city": load(31),
            "sun": renewable(1),
        },
        1,
    )


def initial(**change: Any) -> dict[str, Any]:
    return {"initial": (ON, ON | change)}


def simple(case: Case, *left_out: str) -> Case:
    """Leave fields out, in whose place others stand."""
    before, after = (
        {name: value for name, value in part.items() if name not in left_out}
        for part in (case.before, case.after)
    )
    return replace(case, before=before, after=after)


CASES = [
    simple(of_thermal("coal_gce_per_kwh", 300, coal_gce_per_kwh=(300, 330)), "curve"),
    simple(of_thermal("min_power_coal_gce_per_kwh", 300, coal_gce_per_kwh=(300, 300), max_power_mw=(60, 60),
                      available=(0.7, 0.7), min_power_coal_gce_per_kwh=(None, 330)), "curve"),
    of_thermal("node", 30, node=("site", "far")),
    of_thermal("min_power_mw", 30, 0, 30, min_power_mw=(20, 40), must_run=(True, True)),
    of_thermal("max_power_mw", 30, max_power_mw=(100, 90)),
    of_thermal("curve", 30, curve=(CURVE, [CURVE[0], CURVE[1] | {"fuel_gj_per_h": 110}])),
    of_thermal("curve.power_mw", 30, curve=(CURVE, [CURVE[0], CURVE[1] | {"power_mw": 110}])),
    of_thermal("curve.fuel_gj_per_h", 30, curve=(CURVE, [{**CURVE[0], "fuel_gj_per_h": 9}, CURVE[1]]),
               max_power_mw=(60, 60)),
    of_thermal("fuel_price_cny_per_gj", 30, fuel_price_cny_per_gj=(10, 12)),
    of_thermal("variable_cost_cny_per_mwh", 30, variable_cost_cny_per_mwh=(0, 1)),
    of_thermal("ramp_up_mw_per_h", 30, 30, ramp_up_mw_per_h=(1000, 10)),
    of_thermal("ramp_down_mw_per_h", 30, 0, ramp_down_mw_per_h=(1000, 10), must_run=(True, True)),
    of_thermal("startup_ramp_mw", 30, startup_ramp_mw=(100, 40)),
    of_thermal("shutdown_ramp_mw", 30, -99, shutdown_ramp_mw=(100, 40)),
    of_thermal("min_up_h", 30, -9, min_up_h=(1, 2)),
    of_thermal("min_down_h", 30, -99, 30, min_down_h=(1, 2), initial=(ON, ON)),
    of_thermal("max_up_h", 30, 30, max_up_h=(None, 1)),
    of_thermal("max_starts_per_day", 30, max_starts_per_day=(None, 0)),
    of_thermal("initial.starts_today", 30, max_starts_per_day=(1, 1),
               initial=({"on": False, "hours": 9}, {"on": False, "hours": 9, "starts_today": 1})),
    of_thermal("startups", 30, startups=(TWO_STARTS, TWO_STARTS[:1])),
    of_thermal("startups.off_h", 30, startups=(TWO_STARTS, [TWO_STARTS[0], {**TWO_STARTS[1], "off_h": 200}])),
    of_thermal("startups.cost_cny", 30, startups=(TWO_STARTS, [TWO_STARTS[0], {**TWO_STARTS[1], "cost_cny": 95}])),
    of_thermal("shutdown_cost_cny", 30, -99, shutdown_cost_cny=(0, 50)),
    of_thermal("emission_tco2_per_gj", 30, reported=True, emission_tco2_per_gj=(0, 0.1)),
    of_thermal("allowance_tco2_per_mwh", 30, reported=True, allowance_tco2_per_mwh=(0, 0.8)),
    of_thermal("auxiliary_share", 30, auxiliary_share=(0, 0.1)),
    of_thermal("available", 30, available=(1, 0.9)),
    of_thermal("must_run", 5, must_run=(False, True)),
    of_thermal("initial", -99, min_down_h=(3, 3), min_up_h=(3, 3), initial=({"on": False, "hours": 1}, ON | {"hours": 1})),
    of_thermal("initial.on", -99, min_up_h=(3, 3), initial=({"on": False, "hours": 1}, ON | {"hours": 1})),
    of_thermal("initial.power_mw", 30, ramp_up_mw_per_h=(10, 10), **initial(power_mw=70)),
    of_thermal("initial.reserve_mw", -99, -99, shutdown_ramp_mw=(20, 20), **initial(reserve_mw=5)),
    of_thermal("initial.hours", -99, -99, min_up_h=(3, 3), **initial(hours=2)),
    of_thermal("ending", -99, ending=("free", "on")),
    of_battery("node", node=("site", "far")),
    of_battery("capacity_mwh", capacity_mwh=(10, 3)),
    of_battery("min_energy_mwh", min_energy_mwh=(0, 2), initial=({"energy_mwh": 8}, {"energy_mwh": 8}),
               ending=({"at_least_mwh": 0}, {"at_least_mwh": 0}), discharge_power_mw=(20, 20)),
    of_battery("charge_power_mw", charge_power_mw=(4, 3)),
    of_battery("discharge_power_mw", discharge_power_mw=(4, 3)),
    of_battery("available", available=(1, 0.9)),
    simple(of_battery("round_trip_efficiency", round_trip_efficiency=(1, 0.9)),
           "charge_efficiency", "discharge_efficiency"),
    of_battery("charge_efficiency", charge_efficiency=(1, 0.9)),
    of_battery("discharge_efficiency", discharge_efficiency=(1, 0.9)),
    of_battery("leak_per_h", leak_per_h=(0, 0.1)),
    of_battery("wear_cny_per_mwh", wear_cny_per_mwh=(0, 5)),
    of_battery("cycles_per_day", cycles_per_day=(None, 0.1)),
    of_battery("initial", initial=({"energy_mwh": 0}, {"energy_mwh": 3}), ending=({"at_least_mwh": 0}, {"at_least_mwh": 0})),
    of_battery("initial.energy_mwh", initial=({"energy_mwh": 0}, {"energy_mwh": 3}), ending=({"at_least_mwh": 0}, {"at_least_mwh": 0})),
    *(
        Case(
            f"battery.initial.energy_mwh.{origin}",
            battery(initial={"energy_mwh": {origin: 1}}, ending={"at_least_mwh": 0}),
            battery(initial={"energy_mwh": {origin: 2}}, ending={"at_least_mwh": 0}),
            {
                "grid": grid(resale=True, import_limit_mw=0, export_price_cny_per_mwh={"renewable": 9, "thermal": 8, "grid": 7}),
            },
        )
        for origin in ("renewable", "thermal", "grid")
    ),
    of_battery("initial.discharged_today_mwh", cycles_per_day=(0.3, 0.3),
               initial=({"energy_mwh": 0}, {"energy_mwh": 0, "discharged_today_mwh": 2})),
    of_battery("ending", ending=("same_as_start", {"value_cny_per_mwh": 60})),
    of_battery("ending.at_least_mwh", ending=({"at_least_mwh": 0}, {"at_least_mwh": 1})),
    of_battery("ending.value_cny_per_mwh", ending=({"value_cny_per_mwh": 60}, {"value_cny_per_mwh": 70})),
    of_battery("ending.at_most_mwh", initial=({"energy_mwh": 5}, {"energy_mwh": 5}),
               ending=({"at_least_mwh": 5, "at_most_mwh": 9}, {"at_least_mwh": 3, "at_most_mwh": 3}), available=(0.5, 0.5)),
    of_battery("min_charge_power_mw", capacity_mwh=(3, 3), min_charge_power_mw=(0, 4)),
    of_battery("min_discharge_power_mw", capacity_mwh=(3, 3), min_discharge_power_mw=(0, 4)),
    of_battery("ramp_mw_per_h", ramp_mw_per_h=(None, 2)),
    of_battery("initial.power_mw", ramp_mw_per_h=(2, 2), initial=({"energy_mwh": 0}, {"energy_mwh": 0, "power_mw": 2})),
    of_battery("start_cost_cny", start_cost_cny=(0, 5)),
    of_battery("charge_from", charge_from=(["renewable", "grid"], ["renewable"])),
    of_battery("discharge_to_grid", discharge_to_grid=(True, False)),
    of_battery("energy_targets", energy_targets=([], [{"time": "2026-07-15 01:00", "at_most_mwh": 1}])),
    of_battery("energy_targets.time", energy_targets=([{"time": "2026-07-15 00:00", "at_most_mwh": 1}],
                                                      [{"time": "2026-07-15 01:00", "at_most_mwh": 1}])),
    of_battery("energy_targets.at_most_mwh", energy_targets=([{"time": "2026-07-15 01:00", "at_most_mwh": 1}],
                                                             [{"time": "2026-07-15 01:00", "at_most_mwh": 2}])),
    of_battery("energy_targets.at_least_mwh", ending=({"at_least_mwh": 0}, {"at_least_mwh": 0}),
               energy_targets=([{"time": "2026-07-15 02:00", "at_least_mwh": 1}], [{"time": "2026-07-15 02:00", "at_least_mwh": 2}])),
    Case("grid.node", grid(), grid(node="far"),
         {"a": load(5, shed_cost_cny_per_mwh=99), "sun": renewable(1), "wind": renewable(1, node="far")}, 1),
    of_grid("import_limit_mw", import_limit_mw=(9, 1)),
    of_grid("export_limit_mw", export_limit_mw=(9, 1)),
    of_grid("import_price_cny_per_mwh", import_price_cny_per_mwh=(40, 41)),
    of_grid("export_price_cny_per_mwh", export_price_cny_per_mwh=(30, 31)),
    of_grid("export_price_cny_per_mwh.renewable",
            export_price_cny_per_mwh=({"renewable": 30, "thermal": 1}, {"renewable": 31, "thermal": 1})),
    Case("grid.export_price_cny_per_mwh.thermal",
         grid(export_price_cny_per_mwh={"renewable": 1, "thermal": 30}),
         grid(export_price_cny_per_mwh={"renewable": 1, "thermal": 31}), {"unit": thermal()}),
    Case("grid.export_price_cny_per_mwh.grid",
         grid(resale=True, export_price_cny_per_mwh={"renewable": 1, "thermal": 1, "grid": 30}),
         grid(resale=True, export_price_cny_per_mwh={"renewable": 1, "thermal": 1, "grid": 31}),
         {"cell": battery(initial={"energy_mwh": 3}, ending={"at_least_mwh": 0})}),
    Case("grid.resale", grid(export_price_cny_per_mwh=[30, 99]), grid(export_price_cny_per_mwh=[30, 99], resale=True),
         {"cell": battery()}),
    of_grid("self_use_charge_cny_per_mwh", self_use_charge_cny_per_mwh=(0, 5)),
    of_grid("self_use_charge_cny_per_mwh.renewable", self_use_charge_cny_per_mwh=({"thermal": 0}, {"renewable": 5})),
    Case("grid.self_use_charge_cny_per_mwh.thermal", grid(self_use_charge_cny_per_mwh={"thermal": 1}),
         grid(self_use_charge_cny_per_mwh={"thermal": 2}), {"unit": thermal(must_run=True), "city": load(9, 9)}),
    of_grid("self_use_charge_cny_per_mwh.grid",
            self_use_charge_cny_per_mwh=({"renewable": 1}, {"renewable": 1, "grid": 5})),
    of_grid("demand_charge_cny_per_mw_month", demand_charge_cny_per_mw_month=(0, 9)),
    of_grid("demand_interval_min", demand_charge_cny_per_mw_month=(9, 9), demand_interval_min=(15, 60), step_min=15),
    of_grid("demand_hours", demand_charge_cny_per_mw_month=(9, 9), demand_hours=(None, ["0-1"])),
    of_grid("initial.interval_mwh", demand_charge_cny_per_mw_month=(9, 9), start="2026-07-15T00:05:00+08:00", step_min=5,
            initial=({}, {"interval_mwh": 2})),
    of_grid("peak_so_far_mw", demand_charge_cny_per_mw_month=(9, 9), peak_so_far_mw=(0, 2)),
    of_grid("expected_peak_mw", demand_charge_cny_per_mw_month=(9, 9), expected_peak_mw=(0, 2)),
    of_grid("ramp_mw_per_h", ramp_mw_per_h=(None, 6)),
    of_grid("max_swing_share", max_swing_share=(None, 0.5)),
    of_grid("initial", ramp_mw_per_h=(6, 6), initial=({}, {"exchange_mw": 9})),
    of_grid("initial.exchange_mw", ramp_mw_per_h=(20, 20), initial=({"exchange_mw": 15}, {"exchange_mw": 18})),
    of_grid("initial.highest_today_mw", max_swing_share=(0.5, 0.5), start=NOON,
            initial=({"highest_today_mw": 6, "lowest_today_mw": 4}, {"highest_today_mw": 8, "lowest_today_mw": 4})),
    of_grid("initial.lowest_today_mw", max_swing_share=(0.5, 0.5), start=NOON,
            initial=({"highest_today_mw": 4, "lowest_today_mw": 2}, {"highest_today_mw": 4, "lowest_today_mw": 2.5})),
    of_grid("declaration", declaration=(None, {"exchange_mw": 3}), real_time_price_cny_per_mwh=(None, 50)),
    of_grid("declaration.exchange_mw", **declared({}, {"exchange_mw": 4})),
    of_grid("declaration.band_share", **declared({}, {"band_share": 0.5}, over_cost_cny_per_mwh=5)),
    of_grid("declaration.over_cost_cny_per_mwh", **declared({}, {"over_cost_cny_per_mwh": 5})),
    of_grid("declaration.under_cost_cny_per_mwh", **declared({}, {"under_cost_cny_per_mwh": 5})),
    of_grid("real_time_price_cny_per_mwh", declaration=({"exchange_mw": 3}, {"exchange_mw": 3}),
            real_time_price_cny_per_mwh=(50, 60)),
    of_grid("response", response=([], event())),
    of_grid("response.hours", response=(event(), event(hours=["0-1"]))),
    of_grid("response.months", response=(event(months=[7]), event(months=[8]))),
    of_grid("response.dates", response=(event(dates=["07-15"]), event(dates=["07-16"]))),
    of_grid("response.days", response=(event(days="workday"), event(days="weekend"))),
    of_grid("response.baseline_mw", response=(event(), event(baseline_mw=7))),
    of_grid("response.reward_cny_per_mwh", response=(event(), event(reward_cny_per_mwh=10))),
    of_grid("response.max_mw", response=(event(), event(max_mw=0.5))),
    of_contract("mw", mw=(4, 5)),
    of_contract("price_cny_per_mwh", price_cny_per_mwh=(35, 36)),
    of_contract("grid", grid=("near", "far")),
    of_contract("reference_price_cny_per_mwh", reference_price_cny_per_mwh=(None, 31)),
    of_grid("import_emission_tco2_per_mwh", reported=True, import_emission_tco2_per_mwh=(0, 0.5)),
    of_grid("fixed_cny_per_month", reported=True, fixed_cny_per_month=(0, 9000)),
    of_renewable("node", 30, node=("site", "far")),
    of_renewable("capacity_mw", 30, capacity_mw=(100, 90)),
    of_renewable("availability_pu", 30, availability_pu=(0.5, 0.4)),
    of_renewable("cost_cny_per_mwh", 30, cost_cny_per_mwh=(0, 4)),
    of_renewable("levelized_cost_cny_per_mwh", 30, reported=True, levelized_cost_cny_per_mwh=(None, 200)),
    of_renewable("must_take_pu", -5, must_take_pu=(0, 0.05)),
    of_load("node", node=("site", "far")),
    of_load("demand_mw", demand_mw=(5, 6)),
    of_load("shed_cost_cny_per_mwh", shed_cost_cny_per_mwh=(None, 30)),
    of_reserve("up_mw", up_mw=(50, 51)),
    of_reserve("load_share", up_mw=(7, 7), load_share=(0, 0.1)),
    of_reserve("renewable_share", up_mw=(10, 10), renewable_share=(0, 0.5)),
    of_reserve("largest_unit", largest_unit=(False, True)),
    of_reserve("shortfall_cost_cny_per_mwh", up_mw=(50, 50), shortfall_cost_cny_per_mwh=(500, 501)),
    of_reserve("providers", up_mw=(7, 7), providers=(None, ["unit"])),
    Case(
        "reserve.duration_h",  # 9 MWh feed 4 MW for an hour or two, and 3 MW for three
        reserve(up_mw=4, providers=["cell"], **SHORT),
        reserve(up_mw=4, providers=["cell"], duration_h=3, **SHORT),
        {"grid": grid(), "cell": battery(initial={"energy_mwh": 9}), "city": load(5)},
        1,
    ),
    Case(
        "reserve.response_min",  # 30 MW/h give 15 MW in half an hour
        reserve(up_mw=30, providers=["unit"], **SHORT),
        reserve(up_mw=30, providers=["unit"], response_min=30, **SHORT),
        {"grid": grid(), "city": load(25), "unit": thermal(
            must_run=True, ramp_up_mw_per_h=30, initial={"on": True, "power_mw": 20, "hours": 9})},
        1,
    ),
]  # fmt: skip

ONLY_WRITTEN = {"renewable.technology"}  # a word for readers, kept in the plan's scenario


@cache
def summary_of(parts: str, hours: int, start: str, step_min: int) -> dict[str, Any]:
    """The summary of the plan of parts, written as JSON: many cases begin with the same ones."""
    return solve(json.loads(parts), hours, start=start, step_min=step_min).summary


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path)
def test_field_matters(case: Case):
    before, after = (
        summary_of(
            json.dumps({"x": component, **case.beside}), case.hours, case.start, case.step_min
        )
        for component in (case.before, case.after)
    )
    same = before["objective_cny"] == pytest.approx(after["objective_cny"], abs=1e-6)
    assert same == case.reported
    if case.reported:
        shown = ("figures", "outside_objective_cny")
        assert any(before[part] != after[part] for part in shown)


def test_every_field_has_a_case():
    covered = {case.path for case in CASES} | ONLY_WRITTEN
    kinds = ("thermal", "battery", "grid", "contract", "load", "renewable", "reserve")
    fields = {path for kind in kinds for path in _fields(KINDS[kind].component, kind)}
    assert fields - covered == set()
    assert covered - fields == set()


def _fields(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """Yield the paths of all fields, those of nested values included."""
    for name, info in model.model_fields.items():
        if name not in ("kind", "title"):
            yield f"{prefix}.{name}"
            for nested in _models(info.annotation):
                yield from _fields(nested, f"{prefix}.{name}")


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        if part is not annotation:
            yield from _models(part)
