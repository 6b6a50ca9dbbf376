"""The auditor on the grid and its tariff: broken promises are found where they were broken."""

from __future__ import annotations

import functools

from planner.auditor.plan_files import Files
from tests.support import build
from tests.support.audited import (
    Broken,
    Kept,
    both,
    cell,
    each_is_found,
    each_is_kept,
    fees,
    half_hours,
    rule,
    solved,
    step,
    store,
)


@functools.cache
def metered() -> Files:
    """Imports 6, 0, 6, 0, 0 MW in steps of 5 min from 0:05, after 0.25 MWh; the peak is 3 MW."""
    grid = build.grid(demand_charge_cny_per_mw_month=90, initial={"interval_mwh": 0.25})
    parts = {"grid": grid, "town": build.load(6, 0, 6, 0, 0)}
    return solved(parts, 5 / 12, step_min=5, start="2026-07-15T00:05:00+08:00")


# plan, edit, component, rule, time of a breach that must be among those found
BROKEN: list[Broken] = [
    (store, rule("grid", "import_limit_mw", to=3), "grid", "import_limit", step(1)),
    (store, rule("grid", "export_limit_mw", to=3), "grid", "export_limit", step(2)),
    (store, cell("grid.importing", 2, 0.5), "grid", "direction", step(2)),
    (store, cell("grid.import_mw", 2, 1), "grid", "direction", step(2)),
    (store, cell("grid.import_mw", 1, 3), "site", "balance[grid]", step(1)),
    (store, rule("grid", "export_price_cny_per_mwh", to=51), "grid", "export[grid]", step(2)),
    (store, rule("grid", "demand_charge_cny_per_mw_month", to=2),
     "grid", "demand_charge", "2026-07"),
    (store, rule("grid", "expected_peak_mw", to=2), "grid", "demand_charge", "2026-07"),
    (store, rule("grid", "peak_so_far_mw", to={"2026-07": 2}), "grid", "demand_charge", "2026-07"),
    (store, rule("grid", "demand_hours", to=["1-2", "3-4"]), "grid", "demand_charge", "2026-07"),
    (store, rule("grid", "demand_hours", to=["1-2"]), "plan", "figures.grid.billed_peak_mw", ""),
    (store, rule("grid", "initial", "interval_mwh", to=0.1), "grid", "demand_charge", "2026-07"),
    (metered, rule("grid", "demand_interval_min", to=30), "grid", "demand_charge", "2026-07"),
    (metered, rule("grid", "demand_interval_min", to=5), "plan", "figures.grid.billed_peak_mw", ""),
    (metered, rule("grid", "demand_hours", to=["0:15-1"]), "grid", "demand_charge", "2026-07"),
    (metered, rule("grid", "initial", "interval_mwh", to=0.3), "grid", "demand_charge", "2026-07"),
    (metered, rule("grid", "peak_so_far_mw", to=1), "grid", "demand_charge", "2026-07"),
    (store, cell("grid.import_emission_tco2", 1, 3), "grid", "import_emission", step(1)),
    (store, both(rule("grid", "import_limit_mw", to=3), cell("grid.reserve_mw[hold]", 2, 8)),
     "grid", "spare_import", step(2)),
    (store, cell("grid.reserve_mw[hold]", 1, 1), "grid", "spare_import", step(1)),
    (store, cell("grid.importing", 1, 2), "grid", "direction", step(1)),
    (store, cell("grid.importing", 1, 0), "grid", "import_limit", step(1)),
    (store, cell("grid.importing", 2, 1), "grid", "export_limit", step(2)),
    # the exchange is 4, -4, 4, -4
    (store, rule("grid", "ramp_mw_per_h", to=7), "grid", "exchange_ramp", step(2)),
    (store, both(rule("grid", "ramp_mw_per_h", to=9),
                 rule("grid", "initial", "exchange_mw", to=-6)),
        "grid", "exchange_ramp", step(1)),
    (half_hours, rule("grid", "ramp_mw_per_h", to=12), "grid", "exchange_ramp",
     "2026-07-15T00:30+08:00"),
    (store, rule("grid", "max_swing_share", to=0.5), "grid", "swing", step(2)),
    (store, both(rule("grid", "max_swing_share", to=0.8),
                 rule("grid", "initial", "highest_today_mw", to=30)),
        "grid", "swing", step(1)),
    (store, both(rule("grid", "max_swing_share", to=0.5),
                 rule("grid", "initial", "highest_today_mw", to=6),
                 rule("grid", "initial", "lowest_today_mw", to=1)),
        "grid", "swing", step(1)),
    (store, rule("grid", "resale", to=False), "grid", "columns", ""),
    (fees, cell("grid.self_use_mw[renewable]", 1, 4), "grid", "self_use", step(1)),
    (fees, cell("grid.self_use_mw[thermal]", 1, 1), "grid", "self_use", step(1)),
    (fees, rule("grid", "self_use_charge_cny_per_mwh", "renewable", to=8),
     "grid", "self_use[renewable]", step(1)),
    (fees, rule("grid", "self_use_charge_cny_per_mwh", "renewable", to=8),
     "plan", "figures.grid.self_use_cny_per_kwh", ""),
    (fees, rule("grid", "fixed_cny_per_month", to=8000),
     "plan", "figures.grid.fixed_cny_per_kwh", ""),
]  # fmt: skip

# changes that these plans survive: the auditor must not cry wolf
KEPT: list[Kept] = [
    (store, rule("grid", "import_price_cny_per_mwh", to=10)),
    (store, rule("grid", "demand_interval_min", to=60)),
    (store, rule("grid", "demand_hours", to=["0-1"])),
    (store, rule("grid", "demand_hours", to=["2:15-2:30"])),
    (metered, rule("grid", "demand_hours", to=["23:45-0:15"])),
]  # fmt: skip


test_a_broken_promise_is_found = each_is_found(BROKEN)
test_what_keeps_every_promise_is_no_breach = each_is_kept(KEPT)
