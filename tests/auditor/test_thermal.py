"""The auditor on thermal units: each promise broken by hand is found where it was broken."""

from __future__ import annotations

import dataclasses

from planner.auditor.audit import audit_files
from tests.support import build
from tests.support.audited import (
    Broken,
    Kept,
    bent,
    both,
    cell,
    coal,
    each_is_found,
    each_is_kept,
    half_hours,
    must_find,
    rising,
    rule,
    said,
    solved,
    spinning,
    step,
)

# plan, edit, component, rule, time of a breach that must be among those found
BROKEN: list[Broken] = [
    (coal, rule("coal", "ramp_up_mw_per_h", to=30), "coal", "ramp_up", step(3)),
    (coal, rule("coal", "ramp_down_mw_per_h", to=40), "coal", "ramp_down", step(5)),
    (coal, rule("coal", "startup_ramp_mw", to=30), "coal", "start_ramp", step(2)),
    (coal, rule("coal", "shutdown_ramp_mw", to=45), "coal", "stop_ramp", step(5)),
    (coal, rule("coal", "max_power_mw", to=90), "coal", "ceiling", step(4)),
    # 40 and 60 MW, and 10 MW of reserve above them
    (spinning, rule("coal", "max_power_mw", to=65), "coal", "ceiling", step(2)),
    (spinning, rule("coal", "ramp_up_mw_per_h", to=25), "coal", "reserve_ramp", step(2)),
    # 10 MW at 25 MW/h take 24 minutes, and beside the rise of 20 MW in the step 2 hours
    (spinning, both(rule("coal", "ramp_up_mw_per_h", to=25), rule("hold", "response_min", to=20)),
        "coal", "reserve_response", step(1)),
    (spinning, rule("coal", "startup_ramp_mw", to=45), "coal", "start_ramp", step(1)),
    (spinning, rule("coal", "shutdown_ramp_mw", to=65), "coal", "stop_ramp", step(2)),
    # 20 MW more, though as much above the least power as before
    (rising, rule("coal", "ramp_up_mw_per_h", to=15), "coal", "ramp_up", step(2)),
    (half_hours, rule("coal", "ramp_up_mw_per_h", to=35), "coal", "ramp_up",
        "2026-07-15T00:30+08:00"),
    (half_hours, rule("coal", "ramp_down_mw_per_h", to=55), "coal", "ramp_down",
        "2026-07-15T01:30+08:00"),
    (coal, cell("coal.on", 3, 2), "coal", "states", step(3)),
    (rising, rule("coal", "ending", to="off"), "coal", "ending", step(2)),
    (rising, both(rule("coal", "initial", "power_mw", to=20),
                  rule("coal", "ramp_up_mw_per_h", to=15)),
        "coal", "ramp_up", step(1)),
    (rising, both(rule("coal", "initial", "power_mw", to=90),
                  rule("coal", "ramp_down_mw_per_h", to=45)),
        "coal", "ramp_down", step(1)),
    (coal, rule("coal", "min_power_mw", to=45), "coal", "power", step(2)),
    (coal, rule("coal", "min_up_h", to=5), "coal", "stay_on", step(6)),
    (coal, rule("coal", "min_down_h", to=7), "coal", "stay_off", step(2)),
    (coal, rule("coal", "max_up_h", to=3), "coal", "max_up", step(5)),
    (coal, rule("coal", "max_starts_per_day", to=0), "coal", "day_starts", step(1)),
    (coal, both(rule("coal", "max_starts_per_day", to=1),
                rule("coal", "initial", "starts_today", to=1)), "coal", "day_starts", step(1)),
    (rising, rule("coal", "max_up_h", to=9), "coal", "max_up", step(1)),
    (coal, both(rule("coal", "startup_ramp_mw", to=None), rule("coal", "ramp_up_mw_per_h", to=30)),
     "coal", "start_ramp", step(2)),
    (coal, both(rule("coal", "shutdown_ramp_mw", to=None),
                rule("coal", "ramp_down_mw_per_h", to=45)), "coal", "stop_ramp", step(5)),
    (coal, rule("coal", "startups", 1, "off_h", to=6.5), "coal", "start_cost", step(2)),
    (coal, both(cell("coal.start_kind[0]", 2, 1), cell("coal.start_kind[1]", 2, 0)),
     "coal", "kind_window", step(2)),
    (coal, cell("coal.start_kind[1]", 2, 0), "coal", "one_kind", step(2)),
    (coal, rule("coal", "must_run", to=True), "coal", "must_run", step(1)),
    (coal, rule("coal", "ending", to="on"), "coal", "ending", step(6)),
    (coal, rule("coal", "available", to=0), "coal", "outage", step(3)),
    (coal, rule("coal", "available", to=0.95), "coal", "ceiling", step(4)),
    (coal, cell("coal.on", 3, 0.9), "coal", "states", step(3)),
    (coal, cell("coal.on", 3, 0), "coal", "switching", step(3)),
    (coal, cell("coal.start", 4, 1), "coal", "switching", step(4)),
    (coal, both(rule("coal", "initial", "on", to=True), rule("coal", "initial", "power_mw", to=50),
                rule("coal", "shutdown_ramp_mw", to=30), cell("coal.stop", 1, 1)),
     "coal", "stop_ramp", step(1)),
    (coal, cell("coal.fuel_gj_per_h", 3, 90), "coal", "fuel", step(3)),
    (coal, cell("coal.power_mw", 3, 81), "coal", "power", step(3)),
    (coal, cell("coal.power_above_min_mw", 3, -1), "coal", "not_negative", step(3)),
    (coal, cell("coal.emission_tco2", 3, 8.1), "coal", "emission", step(3)),
    (coal, cell("coal.allowance_tco2", 3, 65), "coal", "allowance", step(3)),
    (coal, rule("coal", "auxiliary_share", to=0.1), "site", "balance[thermal]", step(3)),
    (coal, rule("coal", "fuel_price_cny_per_gj", to=11), "coal", "fuel", step(3)),
    (coal, rule("coal", "shutdown_cost_cny", to=7), "coal", "shutdown", step(6)),
    (coal, rule("coal", "variable_cost_cny_per_mwh", to=7), "coal", "variable", step(3)),
    (bent, cell("coal.segment_mw[1]", 3, 21), "coal", "power_segments", step(3)),
    (bent, cell("coal.segment_full[0]", 3, 0), "coal", "segment_open", step(3)),
    (bent, cell("coal.segment_full[0]", 2, 1), "coal", "segment_closed", step(2)),
    (bent, cell("coal.segment_full[0]", 2, 0.3), "coal", "states", step(2)),
    (bent, rule("coal", "curve", 1, "fuel_gj_per_h", to=130), "coal", "fuel_segments", step(3)),
]  # fmt: skip

# changes that these plans survive: the auditor must not cry wolf
KEPT: list[Kept] = [
    (coal, rule("coal", "ramp_up_mw_per_h", to=40)),
    (coal, rule("coal", "startup_ramp_mw", to=40)),
    (coal, rule("coal", "min_up_h", to=4)),
    (coal, rule("coal", "max_up_h", to=4)),
    (coal, rule("coal", "max_starts_per_day", to=1)),
    (coal, rule("coal", "startup_ramp_mw", to=None)),
    (coal, rule("coal", "shutdown_ramp_mw", to=None)),
]  # fmt: skip


test_a_broken_promise_is_found = each_is_found(BROKEN)
test_what_keeps_every_promise_is_no_breach = each_is_kept(KEPT)


def test_an_outage_holds_whatever_else_does() -> None:
    """A unit trips in step 3 from 80 MW, 2 h after its start: no ramp or least time is broken."""
    unit = build.thermal(
        available=[1, 1, 0, 1], ramp_down_mw_per_h=20, min_up_h=3, must_run=True,
        shutdown_ramp_mw=20, ending="on", initial={"on": False, "hours": 9}, min_down_h=1,
    )  # fmt: skip
    town = build.load(80, 80, 80, 80, shed_cost_cny_per_mwh=500)
    files = solved({"coal": unit, "town": town}, 4)
    assert files.schedule["coal.on"].tolist() == [1, 1, 0, 1]
    assert said(files) == []
    late = rule("coal", "available", to=1)(files)
    rules = {breach.rule for breach in audit_files(late)}
    assert rules == {"stay_on", "ramp_down", "stop_ramp", "must_run"}


def test_a_relaxed_plan_owes_no_whole_states() -> None:
    """Half a unit serves 10 MW in the relaxation; its sums must still be right."""
    unit = build.thermal(initial={"on": True, "power_mw": 20, "hours": 9})
    parts = {"coal": unit, "town": build.load(10, 90)}
    files = solved(parts, 2, solver={"relax": True})
    assert 0 < files.schedule["coal.on"][0] < 1
    assert said(files) == []
    summary = dict(files.summary) | {"status": "optimal"}
    claimed = dataclasses.replace(files, summary=summary)
    assert {b.rule for b in audit_files(claimed)} == {"states", "status"}
    breaches = audit_files(cell("coal.on", 1, 0.2)(files))
    assert {"switching", "power"} <= {breach.rule for breach in breaches}
    must_find(cell("coal.fuel_gj_per_h", 1, 9)(files), "coal", "fuel", step(1))
