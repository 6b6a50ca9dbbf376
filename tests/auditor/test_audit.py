"""The auditor: good plans pass, and each promise broken by hand is found where it was broken.

Most plans here can be done in the head. A promise is broken either by a number in a table or by a
limit in the scenario that the plan, made before, does not keep.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import json
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import planner
from planner.auditor.audit import Breach, audit, audit_files
from planner.auditor.plan_files import Files, read_files
from planner.errors import PlanError
from tests.support import build, compute

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"
TINY = sorted(path.name for path in SCENARIOS.glob("tiny_*"))
Edit = Callable[[Files], Files]


def stored(plan: planner.Plan) -> Files:
    """Return the files of a plan, as an auditor reads them, why.csv aside: see test_why."""
    with tempfile.TemporaryDirectory() as folder:
        plan.write(Path(folder) / "plan")
        return dataclasses.replace(read_files(Path(folder) / "plan"), why=None)


def said(files: Files) -> list[str]:
    return [str(breach) for breach in audit_files(files)]


def step(number: int) -> str:
    """The start of a step of 1 h, counted from 1, as breaches give it."""
    return f"2026-07-15T{number - 1:02d}:00+08:00"


def rule(*path: object, to: Any) -> Edit:
    """Change a field of a component in the scenario."""

    def edit(files: Files) -> Files:
        scenario = copy.deepcopy(dict(files.scenario))
        found: Any = scenario["components"]
        for key in path[:-1]:
            found = found[key]
        found[path[-1]] = to
        return dataclasses.replace(files, scenario=scenario)

    return edit


def cell(column: str, at: int, to: float) -> Edit:
    """Change one number of the schedule."""

    def edit(files: Files) -> Files:
        schedule = files.schedule.copy()
        schedule[column] = schedule[column].astype(float)
        schedule.loc[at - 1, column] = to
        return dataclasses.replace(files, schedule=schedule)

    return edit


def both(*edits: Edit) -> Edit:
    return lambda files: functools.reduce(lambda done, edit: edit(done), edits, files)


def solved(components: dict[str, Any], hours: float, **more: Any) -> Files:
    return stored(build.solve(components, hours, **more))


@functools.cache
def coal() -> Files:
    """Runs 40, 80, 100, 50 MW in steps 2 to 5 because a load needs it; began after 5 h off."""
    unit = build.thermal(
        initial={"on": False, "hours": 5},
        startups=[{"off_h": 0, "cost_cny": 100}, {"off_h": 4, "cost_cny": 300}],
        emission_tco2_per_gj=0.1,
        allowance_tco2_per_mwh=0.8,
    )
    return solved({"coal": unit, "town": build.load(0, 40, 80, 100, 50, 0)}, 6)


@functools.cache
def bent() -> Files:
    """The same load on a curve that is not convex."""
    points = [(20, 60), (60, 120), (100, 150)]
    curve = [{"power_mw": mw, "fuel_gj_per_h": gj} for mw, gj in points]
    return solved(
        {"coal": build.thermal(curve=curve), "town": build.load(0, 40, 80, 100, 50, 0)}, 6
    )


@functools.cache
def store() -> Files:
    """Buys 4 MWh at 10, sells them at 50, and again; 4 MW of reserve are held in step 2."""
    grid = build.grid(
        import_price_cny_per_mwh=[10, 50, 10, 50],
        export_price_cny_per_mwh=[10, 50, 10, 50],
        resale=True,
        import_limit_mw=4,
        export_limit_mw=9,
        import_emission_tco2_per_mwh=0.5,
        demand_charge_cny_per_mw_month=1,
    )
    hold = build.reserve(up_mw=[0, 4, 0, 0], providers=["grid"], shortfall_cost_cny_per_mwh=5)
    return solved({"store": build.battery(), "grid": grid, "hold": hold}, 4)


@functools.cache
def sun() -> Files:
    """8 and 2 MW of sun for a load of 5: 3 are curtailed, 3 are shed."""
    town = build.load(5, 5, shed_cost_cny_per_mwh=100)
    return solved({"pv": build.renewable(8, 2), "town": town}, 2)


@functools.cache
def fees() -> Files:
    """3 MW of sun that pay a fee, and 2 MW from the grid, for a load of 5."""
    grid = build.grid(
        self_use_charge_cny_per_mwh={"renewable": 7}, fixed_cny_per_month=7000, export_limit_mw=0
    )
    return solved({"grid": grid, "pv": build.renewable(3), "town": build.load(5)}, 1)


@functools.cache
def backup() -> Files:
    """A battery of 10 MWh holds 3 MW of reserve beside 1 MW that it gives to a load."""
    store = build.battery(initial={"energy_mwh": 10}, ending={"at_least_mwh": 0})
    hold = build.reserve(up_mw=3, providers=["store"])
    nothing = build.grid(import_limit_mw=0, export_limit_mw=0)
    parts = {"store": store, "town": build.load(1, 1), "hold": hold, "grid": nothing}
    return solved(parts, 2)


@functools.cache
def nodes() -> Files:
    """9 Mtok of chat and 9 of market work: two nodes at work, one kept spare, one of ten asleep."""
    serves = {"chatty": compute.serving(prefill={"tokens_per_s": 5000, "node_kw": 1000})}
    fleet = compute.fleet(
        10, serves=serves, spare_nodes=1, wake_cost_cny=1, sleep_kw=100, wake_min=30
    )
    chat = compute.chat(9, 60, max_inter_token_ms=20, input_per_output=1, min_served_share=1)
    parts = compute.site(fleet=fleet, chat=chat, work=compute.market((9, 60)))
    hold = build.reserve(up_mw=0.5, providers=["fleet"])
    return solved(parts | {"hold": hold}, 2)


@functools.cache
def queue() -> Files:
    """Arrivals of 9 wait for the cheap hours 2 and 4; 4 Mtok waited at the start."""
    work = compute.batch(
        [9, 0, 9, 0], 60, 1, refusal_cost_cny_per_mtok=1,
        initial={"waiting": [{"age_h": 0, "mtok": 4}]}, min_served_share=0.9,
    )  # fmt: skip
    return solved(compute.site([300, 10, 300, 10], fleet=compute.fleet(10), work=work), 4)


PLANS = {f.__name__: f for f in (coal, bent, store, sun, fees, backup, nodes, queue)}  # type: ignore[attr-defined]

# plan, what is broken: component, rule and step of a breach that must be among those found
BROKEN: list[tuple[Any, Edit, tuple[str, str, int]]] = [
    (coal, rule("coal", "ramp_up_mw_per_h", to=30), ("coal", "ramp_up", 3)),
    (coal, rule("coal", "ramp_down_mw_per_h", to=40), ("coal", "ramp_down", 5)),
    (coal, rule("coal", "startup_ramp_mw", to=30), ("coal", "start_ramp", 2)),
    (coal, rule("coal", "shutdown_ramp_mw", to=45), ("coal", "stop_ramp", 5)),
    (coal, rule("coal", "max_power_mw", to=90), ("coal", "ceiling", 4)),
    (coal, rule("coal", "min_power_mw", to=45), ("coal", "power", 2)),
    (coal, rule("coal", "min_up_h", to=5), ("coal", "stay_on", 6)),
    (coal, rule("coal", "min_down_h", to=7), ("coal", "stay_off", 2)),
    (coal, rule("coal", "startups", 1, "off_h", to=6.5), ("coal", "start_cost", 2)),
    (coal, both(cell("coal.start_kind[0]", 2, 1), cell("coal.start_kind[1]", 2, 0)),
    ("coal", "kind_window", 2)),
    (coal, cell("coal.start_kind[1]", 2, 0), ("coal", "one_kind", 2)),
    (coal, rule("coal", "must_run", to=True), ("coal", "must_run", 1)),
    (coal, rule("coal", "ending", to="on"), ("coal", "ending", 6)),
    (coal, rule("coal", "available", to=0), ("coal", "outage", 3)),
    (coal, rule("coal", "available", to=0.95), ("coal", "ceiling", 4)),
    (coal, cell("coal.on", 3, 0.9), ("coal", "states", 3)),
    (coal, cell("coal.on", 3, 0), ("coal", "switching", 3)),
    (coal, cell("coal.start", 4, 1), ("coal", "switching", 4)),
    (coal, both(rule("coal", "initial", "on", to=True), rule("coal", "initial", "power_mw", to=50),
                rule("coal", "shutdown_ramp_mw", to=30), cell("coal.stop", 1, 1)),
    ("coal", "stop_ramp", 1)),
    (coal, cell("coal.fuel_gj_per_h", 3, 90), ("coal", "fuel", 3)),
    (coal, cell("coal.power_mw", 3, 81), ("coal", "power", 3)),
    (coal, cell("coal.power_above_min_mw", 3, -1), ("coal", "not_negative", 3)),
    (coal, cell("coal.emission_tco2", 3, 8.1), ("coal", "emission", 3)),
    (coal, cell("coal.allowance_tco2", 3, 65), ("coal", "allowance", 3)),
    (coal, rule("coal", "auxiliary_share", to=0.1), ("site", "balance[thermal]", 3)),
    (coal, rule("coal", "fuel_price_cny_per_gj", to=11), ("coal", "fuel", 3)),
    (coal, rule("coal", "shutdown_cost_cny", to=7), ("coal", "shutdown", 6)),
    (coal, rule("coal", "variable_cost_cny_per_mwh", to=7), ("coal", "variable", 3)),
    (bent, cell("coal.segment_mw[1]", 3, 21), ("coal", "power_segments", 3)),
    (bent, cell("coal.segment_full[0]", 3, 0), ("coal", "segment_open", 3)),
    (bent, cell("coal.segment_full[0]", 2, 1), ("coal", "segment_closed", 2)),
    (bent, cell("coal.segment_full[0]", 2, 0.3), ("coal", "states", 2)),
    (bent, rule("coal", "curve", 1, "fuel_gj_per_h", to=130), ("coal", "fuel_segments", 3)),
    (store, rule("store", "capacity_mwh", to=3), ("store", "capacity", 1)),
    (store, rule("store", "min_energy_mwh", to=1), ("store", "capacity", 2)),
    (store, rule("store", "charge_power_mw", to=3), ("store", "charge_limit", 3)),
    (store, rule("store", "discharge_power_mw", to=3), ("store", "discharge_limit", 4)),
    (store, rule("store", "available", to=0.9), ("store", "charge_limit", 1)),
    (store, rule("store", "leak_per_h", to=0.1), ("store", "energy", 2)),
    (store, rule("store", "charge_efficiency", to=0.9), ("store", "energy", 1)),
    (store, rule("store", "discharge_efficiency", to=0.9), ("store", "energy", 2)),
    (store, rule("store", "initial", "energy_mwh", to=1), ("store", "energy", 1)),
    (store, rule("store", "cycles_per_day", to=0.5), ("store", "cycles", 1)),
    (store, rule("store", "ending", to={"at_least_mwh": 1}), ("store", "ending", 4)),
    (store, rule("store", "wear_cny_per_mwh", to=1), ("store", "wear", 2)),
    (store, cell("store.charging", 1, 0.9), ("store", "direction", 1)),
    (store, both(cell("store.charge_mw[grid]", 2, 1), cell("store.discharge_mw[grid]", 2, 5)),
    ("store", "direction", 2)),
    (store, rule("grid", "import_limit_mw", to=3), ("grid", "import_limit", 1)),
    (store, rule("grid", "export_limit_mw", to=3), ("grid", "export_limit", 2)),
    (store, cell("grid.importing", 2, 0.5), ("grid", "direction", 2)),
    (store, cell("grid.import_mw", 2, 1), ("grid", "direction", 2)),
    (store, cell("grid.import_mw", 1, 3), ("site", "balance[grid]", 1)),
    (store, rule("grid", "export_price_cny_per_mwh", to=51), ("grid", "export[grid]", 2)),
    (store, rule("grid", "demand_charge_cny_per_mw_month", to=2), ("grid", "demand_charge", 0)),
    (store, rule("grid", "expected_peak_mw", to=2), ("grid", "demand_charge", 0)),
    (store, rule("grid", "peak_so_far_mw", to={"2026-07": 2}), ("grid", "demand_charge", 0)),
    (store, cell("grid.import_emission_tco2", 1, 3), ("grid", "import_emission", 1)),
    (store, both(rule("grid", "import_limit_mw", to=3), cell("grid.reserve_mw[hold]", 2, 8)),
    ("grid", "spare_import", 2)),
    (store, cell("grid.reserve_mw[hold]", 2, 3), ("hold", "provided", 2)),
    (store, rule("hold", "up_mw", to=5), ("hold", "required", 2)),
    (store, both(rule("hold", "up_mw", to=5), cell("hold.required_mw", 1, 5)),
    ("hold", "reserve", 1)),
    (store, rule("hold", "largest_unit", to=True), ("hold", "largest_unit", 1)),
    (store, rule("grid", "resale", to=False), ("grid", "columns", 0)),
    (fees, cell("grid.self_use_mw[renewable]", 1, 4), ("grid", "self_use", 1)),
    (fees, cell("grid.self_use_mw[thermal]", 1, 1), ("grid", "self_use", 1)),
    (fees, rule("grid", "self_use_charge_cny_per_mwh", "renewable", to=8),
     ("grid", "self_use[renewable]", 1)),
    (fees, rule("grid", "self_use_charge_cny_per_mwh", "renewable", to=8),
     ("plan", "figures.grid.self_use_cny_per_kwh", 0)),
    (fees, rule("grid", "fixed_cny_per_month", to=8000),
     ("plan", "figures.grid.fixed_cny_per_kwh", 0)),
    (sun, rule("pv", "capacity_mw", to=10), ("pv", "available", 1)),
    (sun, rule("pv", "must_take_pu", to=0.06), ("pv", "must_take", 1)),
    (sun, cell("pv.curtailed_mw", 1, 4), ("pv", "curtailed", 1)),
    (sun, rule("pv", "cost_cny_per_mwh", to=1), ("pv", "variable", 1)),
    (sun, rule("town", "demand_mw", to=6), ("town", "demand", 1)),
    (sun, cell("town.shed_mw", 1, 1), ("town", "demand", 1)),
    (sun, rule("town", "shed_cost_cny_per_mwh", to=90), ("town", "shed", 2)),
    (backup, rule("store", "discharge_power_mw", to=3.5), ("store", "reserve_power", 1)),
    (backup, rule("store", "min_energy_mwh", to=6), ("store", "reserve_energy", 2)),
    (backup, rule("hold", "load_share", to=0.5), ("hold", "required", 1)),
    (nodes, cell("fleet.nodes[chatty|0]", 1, 3), ("fleet", "total", 1)),
    (nodes, cell("fleet.awake[chatty]", 1, 3), ("fleet", "count", 1)),
    (nodes, cell("fleet.asleep", 1, 9), ("fleet", "count", 1)),
    (nodes, rule("fleet", "nodes", to=11), ("fleet", "count", 1)),
    (nodes, rule("fleet", "available_pu", to=0.9), ("fleet", "count", 2)),
    (nodes, cell("fleet.it_kw", 1, 3), ("fleet", "it_kw", 1)),
    (nodes, rule("fleet", "sleep_kw", to=50), ("fleet", "it_kw", 1)),
    (nodes, rule("fleet", "pue", to=1.1), ("fleet", "power", 1)),
    (nodes, rule("fleet", "whole_nodes", to=True), ("fleet", "whole", 1)),
    (nodes, rule("fleet", "spare_nodes", to=2), ("fleet", "spare", 2)),
    (nodes, cell("fleet.woken[chatty]", 1, 0), ("fleet", "waking_up", 1)),
    (nodes, both(rule("fleet", "wake_min", to=120), rule("fleet", "spare_nodes", to=0)),
    ("fleet", "waking", 2)),
    (nodes, rule("fleet", "wake_cost_cny", to=2), ("fleet", "wake", 1)),
    (nodes, rule("chat", "max_inter_token_ms", to=10), ("fleet", "decode", 1)),
    (nodes, rule("chat", "headroom_share", to=9), ("fleet", "decode_burst", 1)),
    (nodes, rule("chat", "input_per_output", to=2), ("fleet", "prefill", 1)),
    (nodes, rule("chat", "cached_share", to=-1), ("fleet", "prefill", 1)),
    (nodes, rule("chat", "headroom_share", to=0.8), ("fleet", "decode_burst_kept", 1)),
    (nodes, cell("fleet.paused[chatty|2500]", 1, 5), ("fleet", "paused_nodes", 1)),
    (nodes, cell("fleet.paused[chatty|2500]", 1, 1.5), ("fleet", "paused_work", 1)),
    (nodes, cell("fleet.paused[chatty|2500]", 1, 0.1), ("fleet", "reserve_power", 1)),
    (nodes, cell("fleet.paused_prefill[chatty]", 1, 3), ("fleet", "paused_readers", 1)),
    (nodes, cell("fleet.paused_prefill[chatty]", 1, 0.4), ("fleet", "paused_input", 1)),
    (nodes, cell("fleet.paused_prefill[chatty]", 1, 0.4), ("fleet", "prefill_kept", 1)),
    (nodes, cell("chat.answered_mtok_per_h", 1, 8), ("chat", "answered", 1)),
    (nodes, cell("chat.unserved_mtok_per_h", 1, 1), ("chat", "demand", 1)),
    (nodes, cell("chat.served_mtok", 2, 17), ("chat", "served", 2)),
    (nodes, cell("chat.served_mtok", 2, 17), ("chat", "least", 2)),
    (nodes, rule("work", "market", 0, "mtok_per_h", to=8), ("work", "market", 1)),
    (nodes, cell("work.sold_mtok_per_h[0]", 1, 8), ("work", "market", 1)),
    (nodes, rule("work", "market", 0, "price_cny_per_mtok", to=50), ("work", "tokens", 1)),
    (nodes, rule("chat", "price_cny_per_mtok", to=50), ("chat", "tokens", 1)),
    (nodes, rule("chat", "price_input_cny_per_mtok", to=1), ("chat", "input_tokens", 1)),
    (queue, cell("work.accepted_mtok_per_h", 1, 8), ("work", "arrivals", 1)),
    (queue, cell("work.waiting_mtok", 1, 8), ("work", "waiting", 1)),
    (queue, cell("work.taken_mtok", 1, 8), ("work", "taken", 1)),
    (queue, rule("work", "deadline_h", to=0), ("work", "deadline", 1)),
    (queue, rule("work", "initial", "waiting", 0, "mtok", to=3), ("work", "waiting", 1)),
    (queue, rule("work", "ending", to={"value_cny_per_mtok": 1, "at_most_mtok": 9}),
     ("work", "end_value", 0)),
    (queue, rule("work", "price_cny_per_mtok", to=5), ("work", "tokens", 2)),
    (queue, cell("work.served_mtok", 4, 19), ("work", "served", 4)),
    (store, rule("store", "ending", to={"value_cny_per_mwh": 1, "at_least_mwh": 9}),
     ("store", "ending", 4)),
]  # fmt: skip

# changes that these plans survive: the auditor must not cry wolf
KEPT: list[tuple[Any, Edit]] = [
    (store, rule("store", "ending", to={"value_cny_per_mwh": 1})),
    (store, rule("grid", "import_price_cny_per_mwh", to=10)),
    (nodes, rule("fleet", "initial", "awake", to={"chatty": 1})),
    (nodes, rule("fleet", "initial", "woken", to={"chatty": [9]})),
    (nodes, rule("fleet", "serves", "chatty", "points", 1, "tokens_per_s", to=2500.001)),
    (queue, rule("work", "initial", "waiting", 0, "age_h", to=1)),
    (queue, rule("work", "refusal_cost_cny_per_mtok", to=5)),
    (store, rule("store", "charge_power_mw", to=5)),
    (store, rule("store", "min_energy_mwh", to=0)),
    (coal, rule("coal", "ramp_up_mw_per_h", to=40)),
    (coal, rule("coal", "startup_ramp_mw", to=40)),
    (coal, rule("coal", "min_up_h", to=4)),
]  # fmt: skip


@pytest.mark.parametrize("name", TINY)
def test_the_plans_of_the_tiny_scenarios_keep_their_promises(name: str, tmp_path: Path) -> None:
    planner.solve(planner.load(SCENARIOS / name)).write(tmp_path / "plan")
    assert audit(tmp_path / "plan") == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["huainan", "huainan_96", "huainan_winter", "article"])
def test_the_plans_of_the_large_scenarios_keep_their_promises(name: str, tmp_path: Path) -> None:
    planner.solve(planner.load(SCENARIOS / name)).write(tmp_path / "plan")
    assert audit(tmp_path / "plan") == []


@pytest.mark.parametrize("name", PLANS)
def test_the_plans_to_be_broken_are_good(name: str) -> None:
    assert said(PLANS[name]()) == []


@pytest.mark.parametrize(
    ("plan", "edit", "expected"),
    BROKEN,
    ids=[f"{i}-{case[2][0]}-{case[2][1]}" for i, case in enumerate(BROKEN)],
)
def test_a_broken_promise_is_found(
    plan: Callable[[], Files], edit: Edit, expected: tuple[str, str, int]
) -> None:
    component, name, at = expected
    found = [b for b in audit_files(edit(plan())) if (b.component, b.rule) == (component, name)]
    assert found, said(edit(plan()))
    if at:
        assert step(at) in [breach.time for breach in found]


@pytest.mark.parametrize(("plan", "edit"), KEPT, ids=range(len(KEPT)))
def test_what_keeps_every_promise_is_no_breach(plan: Callable[[], Files], edit: Edit) -> None:
    assert said(edit(plan())) == []


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


def test_nodes_that_wake_for_more_than_a_step_idle_on() -> None:
    """Woken in step 1 for 90 min, 4 nodes idle through it and through half of step 2."""
    fleet = compute.fleet(4, wake_min=90)
    files = solved(compute.site(fleet=fleet, chat=compute.chat([0, 18, 36])), 3)
    assert said(files) == []
    early = audit_files(cell("fleet.nodes[chatty|0]", 2, 1)(files))
    assert ("fleet", "waking", step(2)) in [(b.component, b.rule, b.time) for b in early]


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
    found = audit_files(cell("coal.on", 1, 0.2)(files))
    assert {"switching", "power"} <= {breach.rule for breach in found}


def test_pooled_energy_is_checked_as_one_origin() -> None:
    parts = {
        "grid": build.grid(resale=True, export_price_cny_per_mwh=[10, 60]),
        "store": build.battery(),
    }
    files = solved(parts, 2, trace=False)
    assert said(files) == []
    found = audit_files(cell("store.energy_mwh[pooled]", 1, 3)(files))
    assert ("store", "energy", step(1)) in [(b.component, b.rule, b.time) for b in found]


# Tables and totals.


def ledger(files: Files, at: int, **to: object) -> Files:
    table = files.ledger.copy()
    for column, value in to.items():
        table[column] = table[column].astype(
            object if isinstance(value, str) else table[column].dtype
        )
        table.loc[at, column] = value
    return dataclasses.replace(files, ledger=table)


def test_every_amount_of_the_ledger_is_checked() -> None:
    for plan in (coal(), store(), sun(), nodes(), queue()):
        for i, row in enumerate(plan.ledger.itertuples()):
            changed = ledger(plan, i, amount_cny=row.amount_cny + 1)  # type: ignore[operator]
            found = [b for b in audit_files(changed) if b.component == row.component]
            assert [breach.rule for breach in found] == [row.line]
            assert found[0].time in ("", *str(row.period).split("T")) or "T" in found[0].time


def test_rows_of_the_ledger_may_not_be_doubled_renamed_or_called_cash() -> None:
    files = sun()
    at = int(files.ledger.index[files.ledger["line"] == "shed"][1])
    assert ("town", "shed.cash") in rules(ledger(files, at, cash=True))
    assert ("town", "lines") in rules(ledger(files, at, line="bonus"))
    assert ("town", "shed.rows") in rules(ledger(files, at, period="2026-07-15T09:00:00+08:00"))
    first = files.ledger["period"][0]
    assert ("town", "shed.rows") in rules(ledger(files, at, period=first))
    dropped = dataclasses.replace(files, ledger=files.ledger.drop(index=at))
    assert ("town", "shed") in rules(dropped)


def rules(files: Files) -> set[tuple[str, str]]:
    return {(breach.component, breach.rule) for breach in audit_files(files)}


def test_the_allocation_is_checked_row_by_row() -> None:
    files = store()
    for i, row in enumerate(files.allocation.itertuples()):
        table = files.allocation.copy()
        table.loc[i, "mwh"] += 0.1
        found = audit_files(dataclasses.replace(files, allocation=table))
        named = [b for b in found if b.rule == f"{row.origin}.{row.use}"]
        assert [breach.time[:16] for breach in named] == [str(row.time)[:16]]
        assert any(b.rule == f"{row.origin}.conserved" for b in found)


def test_rows_of_the_allocation_may_not_be_missing_or_strange() -> None:
    files, table = store(), store().allocation
    used = (table["use"] == "export") & (table["origin"] == "grid")
    for wrong, name in (
        (table.drop(index=3), "rows"),
        (table[~used], "grid.export"),
        (table.assign(use=table["use"].where(~used, "gift")), "rows"),
        (pd.concat([table, table.iloc[[3]]]), "rows"),
    ):
        found = rules(dataclasses.replace(files, allocation=wrong))
        assert [rule for component, rule in found if component == "allocation" and name in rule]


FREE = (
    "runtimes_s",
    "solving",
    "versions",
    "warnings",
)  # follow from nothing that is in the folder


def leaves(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all numbers of the summary that are checked."""
    if isinstance(tree, dict | list):
        items = tree.items() if isinstance(tree, dict) else enumerate(tree)
        return [
            leaf for key, item in items if key not in FREE for leaf in leaves(item, (*path, key))
        ]
    return [path] if isinstance(tree, int | float) and not isinstance(tree, bool) else []


def with_figure(files: Files, path: tuple[Any, ...], to: object) -> Files:
    summary: Any = json.loads(json.dumps(files.summary))
    found = summary
    for key in path[:-1]:
        found = found[key]
    found[path[-1]] = to
    return dataclasses.replace(files, summary=summary)


@pytest.mark.parametrize("name", PLANS)
def test_every_figure_of_the_summary_is_checked(name: str) -> None:
    files = PLANS[name]()
    assert len(leaves(files.summary)) > 20
    for path in leaves(files.summary):
        value: Any = functools.reduce(lambda tree, key: tree[key], path, files.summary)
        dotted = ".".join(str(key) for key in path if isinstance(key, str))
        for to in (value * 1.05 + 0.02, math.nan, "much", None):
            found = [b.rule for b in audit_files(with_figure(files, path, to))]
            assert set(found) & {dotted, path[0]} or path == ("bound_cny",), (path, to, found)
            assert found


def test_what_the_summary_repeats_of_the_scenario_must_be_the_same() -> None:
    for key in ("name", "description", "vat", "start", "components", "status"):
        assert ("plan", key) in rules(with_figure(store(), (key,), "other"))


def test_a_gap_wider_than_asked_for_is_not_optimal() -> None:
    files = store()
    turnover = files.summary["turnover_cny"]
    wide = with_figure(files, ("bound_cny",), files.summary["objective_cny"] + 0.01 * turnover)
    wide = with_figure(wide, ("gap",), 0.01)
    assert rules(wide) == {("plan", "gap")}
    assert rules(with_figure(wide, ("status",), "time_limit")) == set()


# What the schedule must look like, and what cannot be read.


def test_a_schedule_must_have_every_step_and_column() -> None:
    files = coal()
    table = files.schedule
    for wrong, name in (
        (table.drop(index=2), "time"),
        (pd.concat([table, table.iloc[[2]]]), "time"),
        (table.iloc[::-1], "time"),
        (table.drop(columns="coal.start_kind[1]"), "columns"),
        (table.assign(**{"coal.bonus_mw": 0.0}), "columns"),
        (table.assign(**{"wind.power_mw": 0.0}), "columns"),
        (table.assign(**{"coal.on": math.nan}), "number"),
        (table.assign(**{"coal.on": math.inf}), "number"),
    ):
        found = rules(dataclasses.replace(files, schedule=wrong))
        assert [rule for _, rule in found] == [name]


def test_a_breach_reads_as_a_sentence_and_breaches_are_sorted() -> None:
    slow = both(rule("coal", "ramp_up_mw_per_h", to=15), rule("coal", "ramp_down_mw_per_h", to=40))
    found = audit_files(slow(coal()))
    assert [str(breach) for breach in found] == [
        f"coal: ramp_down at {step(5)}: falls 50 MW, at most 40 MW (10 MW over)",
        f"coal: ramp_up at {step(2)}: rises 20 MW, at most 15 MW (5 MW over)",
        f"coal: ramp_up at {step(3)}: rises 40 MW, at most 15 MW (25 MW over)",
        f"coal: ramp_up at {step(4)}: rises 20 MW, at most 15 MW (5 MW over)",
    ]
    assert found[0] == Breach("coal", "ramp_down", step(5), 10.0, "MW", found[0].message)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return build.solve({"grid": build.market(10, 20), "pv": build.renewable(1, 2)}, 2).write(
        tmp_path / "plan"
    )


def test_a_good_folder_passes(folder: Path) -> None:
    assert audit(folder) == audit(str(folder)) == []


@pytest.mark.parametrize(
    "file",
    ["scenario.yaml", "series.csv", "schedule.csv", "allocation.csv", "ledger.csv", "summary.json"],
)
@pytest.mark.parametrize(
    "content", [None, b"", b"\xff\xfe\x00", b"a: [", b"time\nyesterday\n", b"[]"]
)
def test_a_file_that_cannot_be_read_is_named(
    folder: Path, file: str, content: bytes | None
) -> None:
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content)
    with pytest.raises(
        PlanError, match=file.replace("series.csv", r"(series\.csv|scenario\.yaml)")
    ):
        audit(folder)


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("scenario.yaml", "capacity_mw: 100.0", "capacity_mw: big", "components.pv.capacity_mw"),
        ("scenario.yaml", "capacity_mw: 100.0\n", "\n", "components.pv.capacity_mw is missing"),
        ("scenario.yaml", "kind: renewable", "kind: reactor", "reactor"),
        ("scenario.yaml", "hours: 2.0", "hours: often", "horizon"),
        ("scenario.yaml", "trace: true", "trace: maybe", "trace"),
        ("scenario.yaml", "series.csv", "/etc/passwd", "series.csv"),
        ("series.csv", "T01:00", "T02:00", "not those of the horizon"),
        ("series.csv", "0.02", "much", "no number"),
        ("schedule.csv", "2.0", "much", "no number"),
        ("ledger.csv", "True", "perhaps", "ledger.csv"),
        ("ledger.csv", "amount_cny", "amount", "ledger.csv"),
        ("schedule.csv", "T01:00", "T99:00", "a time cannot be read"),
        ("allocation.csv", "T01:00", "T99:00", "a time cannot be read"),
    ],
)
def test_what_an_audit_needs_and_does_not_find_is_named(
    folder: Path, file: str, old: str, new: str, words: str
) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    with pytest.raises(PlanError, match=words):
        audit(folder)


def test_a_folder_without_a_plan_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="no plan folder"):
        audit(tmp_path)
