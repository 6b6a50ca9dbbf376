"""Small plans that can be done in the head, and ways to break their promises.

A promise is broken by a number in a table, or by a limit in the scenario that the plan, made
before, does not keep.

files = cell("coal.on", 3, 0.9)(coal())
must_find(files, "coal", "states", step(3))
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import planner
from planner.auditor.audit import Breach, audit_files
from planner.auditor.findings import Findings
from planner.auditor.plan_files import Files, read_files
from planner.auditor.reading import Plan, understand
from planner.auditor.registry import KINDS
from tests.support import build, compute

Audit = Callable[[Files], list[Breach]]
Edit = Callable[[Files], Files]
Kept = tuple[Callable[[], Files], Edit]  # a plan, and a change that it survives
Broken = tuple[Callable[[], Files], Edit, str, str, str]  # ... and component, rule and step broken


def stored(plan: planner.Plan) -> Files:
    """Return the files of a plan as the auditor reads them, without why.csv: see test_reasons."""
    with tempfile.TemporaryDirectory() as folder:
        plan.write(Path(folder) / "plan")
        return dataclasses.replace(read_files(Path(folder) / "plan"), why=None)


def audited_anew(files: Files, check: Callable[[Plan, Findings], None]) -> Audit:
    """Return the audit of one table of a plan, of which only that table is changed.

    What follows from the other tables is derived once, as a whole audit would of each change.
    """
    plan = understand(files, KINDS)

    def audit(changed: Files) -> list[Breach]:
        vars(plan)["files"] = changed  # with all that has been derived so far
        findings = Findings(plan.clock.times, relaxed=plan.relaxed)
        check(plan, findings)
        return findings.sorted()

    assert audit(files) == []
    return audit


def said(files: Files) -> list[str]:
    """Return the breaches as texts."""
    return [str(breach) for breach in audit_files(files)]


def rules(files: Files) -> set[tuple[str, str]]:
    """Return component and rule of every breach."""
    return {(breach.component, breach.rule) for breach in audit_files(files)}


def must_find(files: Files, component: str, rule: str, when: str) -> None:
    """Check that the auditor finds a breach of a rule where it is; `when` is empty over all."""
    breaches = [(b.component, b.rule, b.time) for b in audit_files(files)]
    assert (component, rule, when) in breaches, breaches


def each_is_found(broken: Sequence[Broken]) -> Callable[..., None]:
    """Return a test that the auditor finds each broken promise where it is broken."""

    @pytest.mark.parametrize(("plan", "edit", "component", "name", "when"), broken)
    def test(plan: Callable[[], Files], edit: Edit, component: str, name: str, when: str) -> None:
        must_find(edit(plan()), component, name, when)

    return test


def each_is_kept(cases: Sequence[Kept]) -> Callable[..., None]:
    """Return a test that the auditor finds nothing in plans that keep every promise."""

    @pytest.mark.parametrize(("plan", "edit"), cases)
    def test(plan: Callable[[], Files], edit: Edit) -> None:
        assert said(edit(plan())) == []

    return test


def step(number: int) -> str:
    """Return the start of a step of 1 h, counted from 1, as in breaches."""
    return f"2026-07-15T{number - 1:02d}:00+08:00"


def rule(*path: object, to: Any) -> Edit:
    """Change a field of a component in the scenario."""

    def edit(files: Files) -> Files:
        scenario = copy.deepcopy(dict(files.scenario))
        value: Any = scenario["components"]
        for key in path[:-1]:
            value = value[key]
        value[path[-1]] = to
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
    """Do one edit after the other."""
    return lambda files: functools.reduce(lambda done, edit: edit(done), edits, files)


FREE = (
    "planner_format",
    "runtimes_s",
    "solving",
    "versions",
    "warnings",
)  # follow from nothing in the folder


def leaves(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all numbers of the summary that are checked."""
    if isinstance(tree, dict | list):
        items = tree.items() if isinstance(tree, dict) else enumerate(tree)
        return [
            leaf for key, item in items if key not in FREE for leaf in leaves(item, (*path, key))
        ]
    return [path] if isinstance(tree, int | float) and not isinstance(tree, bool) else []


def with_figure(files: Files, path: tuple[Any, ...], to: object) -> Files:
    """Change one figure of the summary."""
    summary: Any = json.loads(json.dumps(files.summary))
    value = summary
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = to
    return dataclasses.replace(files, summary=summary)


def solved(components: dict[str, Any], hours: float, **more: Any) -> Files:
    """Solve components; `more` as in `build.scenario`."""
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
def spinning() -> Files:
    """A unit starts at 40 MW, goes to 60 and stops from there; it holds 10 MW of reserve."""
    hold = build.reserve(up_mw=[10, 10, 0])
    return solved({"coal": build.thermal(), "town": build.load(40, 60, 0), "hold": hold}, 3)


@functools.cache
def rising() -> Files:
    """A unit that gives 40 and 60 MW stays 20 MW above its least power, which rises too."""
    unit = build.thermal(min_power_mw=[20, 40], initial={"on": True, "power_mw": 40, "hours": 9})
    return solved({"coal": unit, "town": build.load(40, 60)}, 2)


@functools.cache
def half_hours() -> Files:
    """Steps of half an hour: a unit of 40, 60, 80, 50 MW; a battery buys 2 MWh and sells 1.8."""
    grid = build.grid(
        node="east", import_price_cny_per_mwh=[10, 50, 10, 50], resale=True, import_limit_mw=4,
        export_price_cny_per_mwh=[10, 50, 10, 50],
    )  # fmt: skip
    store = build.battery(node="east", leak_per_h=0.19)  # 0.9 is left after half an hour
    parts = {"coal": build.thermal(), "town": build.load(40, 60, 80, 50), "grid": grid}
    return solved(parts | {"store": store}, 2, step_min=30)


@functools.cache
def shares() -> Files:
    """Sun of 8 and 2 MW for a load of 5: 3 MWh are exported, 3 come from the grid at 0.5 tCO2."""
    rule = build.green_rule(min_self_use_share=0.4, min_load_share=0.5, max_export_share=0.5)
    carbon = build.carbon(price_cny_per_tco2=10, budget_tco2=5, so_far_tco2=1, price_imports=True)
    grid = build.grid(import_emission_tco2_per_mwh=0.5)
    parts = {"pv": build.renewable(8, 2), "town": build.load(5, 5), "grid": grid}
    return solved(parts | {"green": rule, "ets": carbon}, 2)


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
def levels() -> Files:
    """Six nodes, two levels: two at work then off, one lost and returned, one on a job, all change.

    Of three nodes in soft sleep one is lost in step 4 and back in step 5; one runs the job.
    """
    soft = {"name": "soft", "node_kw": 50, "wake_cost_cny": 50}
    off = {"name": "off", "node_kw": 0, "wake_min": 60, "wake_cost_cny": 60, "drain_min": 30}
    fleet = {name: value for name, value in compute.fleet(6).items() if name != "sleep_kw"} | {
        "sleep": [soft, off], "ramp_nodes_per_h": 2, "available_pu": [1, 1, 1, 5 / 6, 1, 1, 1, 1],
        "initial": {"awake": {"chatty": 2}, "asleep": {"soft": 3, "off": 1}},
    }  # fmt: skip
    chat = compute.chat([18, 0, 0, 0, 0, 0, 0, 36], 60)
    job = {"kind": "job", "fleet": "fleet", "nodes": 1, "node_kw": 500, "duration_h": 2,
           "release_h": 1, "deadline_h": 3, "value_cny": 500}  # fmt: skip
    return solved(compute.site(fleet=fleet, chat=chat, job=job), 8)


@functools.cache
def queue() -> Files:
    """Arrivals of 9 wait for the cheap hours 2 and 4; 4 Mtok waited at the start."""
    work = compute.batch(
        [9, 0, 9, 0], 60, 1, refusal_cost_cny_per_mtok=1,
        initial={"waiting": [{"age_h": 0, "mtok": 4}]}, min_served_share=0.9,
    )  # fmt: skip
    return solved(compute.site([300, 10, 300, 10], fleet=compute.fleet(10), work=work), 4)


@functools.cache
def pausing() -> Files:
    """Nodes on 18 Mtok of batch work offer 2 MW in hour 1; hour 3 is for what is late."""
    work = compute.batch([18, 0, 0], 60, 2)
    hold = build.reserve(up_mw=[2, 0, 0], providers=["fleet"])
    parts = compute.site([0, 1000, 1000], fleet=compute.fleet(10), work=work, hold=hold)
    return solved(parts, 3)


PLANS = {
    plan.__name__: plan  # type: ignore[attr-defined]
    for plan in (
        coal, bent, store, sun, fees, backup, spinning, rising, half_hours, shares, nodes, levels,
        queue, pausing,
    )
}  # fmt: skip
