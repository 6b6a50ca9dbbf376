"""The auditor on batteries: each promise broken by hand is found where it was broken."""

from __future__ import annotations

import functools

from planner.auditor.audit import audit_files
from planner.auditor.plan_files import Files
from tests.support import build
from tests.support.audited import (
    Broken,
    Kept,
    backup,
    both,
    cell,
    each_is_found,
    each_is_kept,
    half_hours,
    rule,
    said,
    solved,
    step,
    store,
)


@functools.cache
def ruled() -> Files:
    """Charges 2 MW (1 of them sun) and 1 MW, then discharges 1 and 2 MW to a town: two starts."""
    cell = build.battery(
        ramp_mw_per_h=2, start_cost_cny=1, min_charge_power_mw=1, min_discharge_power_mw=1,
        discharge_to_grid=False, energy_targets=[{"time": "2026-07-15 02:00", "at_least_mwh": 3}],
        ending={"at_least_mwh": 0, "at_most_mwh": 0},
    )  # fmt: skip
    parts = {
        "grid": build.grid(import_price_cny_per_mwh=[10, 20, 50, 50]), "store": cell,
        "sun": build.renewable(1, 0, 0, 0), "town": build.load(0, 0, 1, 2),
    }  # fmt: skip
    return solved(parts, 4)


# plan, edit, component, rule, time of a breach that must be among those found
BROKEN: list[Broken] = [
    (store, rule("store", "capacity_mwh", to=3), "store", "capacity", step(1)),
    (store, rule("store", "min_energy_mwh", to=1), "store", "capacity", step(2)),
    (store, rule("store", "charge_power_mw", to=3), "store", "charge_limit", step(3)),
    (store, rule("store", "discharge_power_mw", to=3), "store", "discharge_limit", step(4)),
    (store, rule("store", "available", to=0.9), "store", "charge_limit", step(1)),
    (store, rule("store", "leak_per_h", to=0.1), "store", "energy", step(2)),
    (store, rule("store", "charge_efficiency", to=0.9), "store", "energy", step(1)),
    (store, rule("store", "discharge_efficiency", to=0.9), "store", "energy", step(2)),
    (store, rule("store", "initial", "energy_mwh", to=1), "store", "energy", step(1)),
    (store, rule("store", "cycles_per_day", to=0.5), "store", "cycles", step(1)),
    # 8 MWh are discharged in the day, of 10 MWh less the least energy: 0.9 * (10 - 2) is too little
    (store, both(rule("store", "cycles_per_day", to=0.9), rule("store", "min_energy_mwh", to=2)),
        "store", "cycles", step(1)),
    (store, both(rule("store", "cycles_per_day", to=1),
                 rule("store", "initial", "discharged_today_mwh", to=3)),
        "store", "cycles", step(1)),
    (store, rule("store", "ending", to={"at_least_mwh": 1}), "store", "ending", step(4)),
    (store, rule("store", "initial", "energy_mwh", to=1), "store", "ending", step(4)),
    (store, rule("store", "available", to=0.9), "store", "discharge_limit", step(2)),
    (store, cell("store.charging", 1, 2), "store", "direction", step(1)),
    (store, cell("store.charging", 1, 0), "store", "charge_limit", step(1)),
    (store, cell("store.charging", 2, 1), "store", "discharge_limit", step(2)),
    (backup, rule("store", "available", to=0.9), "store", "reserve_power", step(1)),
    # 8 MWh are left for 3 MW in an hour: 3.75 MWh at an efficiency of 0.8, and 3.5 may be taken
    (backup, both(rule("store", "discharge_efficiency", to=0.8),
                  rule("store", "min_energy_mwh", to=4.5)),
        "store", "reserve_energy", step(2)),
    # 9 and 8 MWh are left after the steps; 3 MW for 2.8 hours take 8.4
    (backup, rule("hold", "duration_h", to=2.8), "store", "reserve_energy", step(2)),
    (backup, rule("store", "initial", "energy_mwh", to=2), "store", "reserve_energy", step(1)),
    (store, rule("store", "wear_cny_per_mwh", to=1), "store", "wear", step(2)),
    (store, cell("store.charging", 1, 0.9), "store", "direction", step(1)),
    (store, both(cell("store.charge_mw[grid]", 2, 1), cell("store.discharge_mw[grid]", 2, 5)),
     "store", "direction", step(2)),
    (backup, rule("store", "discharge_power_mw", to=3.5), "store", "reserve_power", step(1)),
    (backup, rule("store", "min_energy_mwh", to=6), "store", "reserve_energy", step(2)),
    (store, rule("store", "ending", to={"value_cny_per_mwh": 1, "at_least_mwh": 9}),
     "store", "ending", step(4)),
    (store, rule("store", "ending", to={"at_most_mwh": -1}), "store", "ending", step(4)),
    (ruled, rule("store", "ramp_mw_per_h", to=1.5), "store", "ramp", step(1)),
    (ruled, rule("store", "initial", "power_mw", to=0.5), "store", "ramp", step(1)),
    (ruled, rule("store", "initial", "power_mw", to=-0.5), "store", "charge_start", step(1)),
    (ruled, rule("store", "min_charge_power_mw", to=1.5), "store", "charge_on", step(2)),
    (ruled, rule("store", "min_discharge_power_mw", to=1.5), "store", "discharge_on", step(3)),
    (ruled, cell("store.charge_on", 2, 0), "store", "charge_on", step(2)),
    (ruled, cell("store.charge_on", 4, 1), "store", "charge_on", step(4)),
    (ruled, cell("store.discharge_start", 3, 0), "store", "discharge_start", step(3)),
    (ruled, cell("store.charge_start", 3, 1), "store", "charge_start", step(3)),
    (ruled, rule("store", "start_cost_cny", to=2), "store", "start", step(1)),
    (ruled, rule("store", "charge_from", to=["grid"]), "store", "charge_from", step(1)),
    (ruled, rule("store", "energy_targets", 0, "at_least_mwh", to=3.5), "store", "target", step(2)),
    (ruled, rule("store", "energy_targets", 0, "time", to="2026-07-15 01:00"),
     "store", "target", step(1)),
    (ruled, rule("store", "energy_targets", 0, "time", to="2026-07-15 01:30"),
     "store", "target", ""),
    (ruled, rule("store", "energy_targets", 0, to={"time": "2026-07-15", "at_least_mwh": 1}),
     "store", "target", step(1)),
    (ruled, rule("town", "node", to="far"), "store", "own_use", step(3)),
]  # fmt: skip

# changes that these plans survive: the auditor must not cry wolf
KEPT: list[Kept] = [
    (store, rule("store", "ending", to={"value_cny_per_mwh": 1})),
    (store, rule("store", "charge_power_mw", to=5)),
    (store, rule("store", "min_energy_mwh", to=0)),
    (ruled, rule("store", "ramp_mw_per_h", to=None)),
    (ruled, rule("store", "charge_from", to=["grid", "renewable"])),
    (ruled, rule("store", "discharge_to_grid", to=True)),
    (ruled, rule("store", "energy_targets", 0, "time", to="2026-07-14T18:00:00+00:00")),
    (half_hours, rule("store", "cycles_per_day", to=0.4)),  # 1.8 MWh twice
]  # fmt: skip


test_a_broken_promise_is_found = each_is_found(BROKEN)
test_what_keeps_every_promise_is_no_breach = each_is_kept(KEPT)


def test_pooled_energy_is_checked_as_one_origin() -> None:
    parts = {
        "grid": build.grid(resale=True, export_price_cny_per_mwh=[10, 60]),
        "store": build.battery(),
    }
    files = solved(parts, 2, trace=False)
    assert said(files) == []
    breaches = audit_files(cell("store.energy_mwh[pooled]", 1, 3)(files))
    assert ("store", "energy", step(1)) in [(b.component, b.rule, b.time) for b in breaches]
