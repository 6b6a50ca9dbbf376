"""The auditor on batteries: each promise broken by hand is found where it was broken."""

from __future__ import annotations

from planner.auditor.audit import audit_files
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
]  # fmt: skip

# changes that these plans survive: the auditor must not cry wolf
KEPT: list[Kept] = [
    (store, rule("store", "ending", to={"value_cny_per_mwh": 1})),
    (store, rule("store", "charge_power_mw", to=5)),
    (store, rule("store", "min_energy_mwh", to=0)),
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
