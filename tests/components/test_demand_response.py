"""Demand response: paid for import below a baseline, in the hours of an event.

The grid sells at 40 CNY/MWh (see `tests.support.build.grid`); an event pays 100 CNY/MWh.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import planner
from planner.auditor.audit import audit, audit_files
from planner.auditor.plan_files import read_files
from tests.support import golden
from tests.support.audited import both, cell, rule, said, step, stored
from tests.support.build import battery, column, grid, load, scenario, solve, total


def event(hours: str = "0-1", baseline: Any = 8, **fields: Any) -> dict[str, Any]:
    return {
        "hours": [hours], "baseline_mw": baseline, "reward_cny_per_mwh": 100, "max_mw": 5,
    } | fields  # fmt: skip


SHED = {"shed_cost_cny_per_mwh": 120}


def test_what_is_imported_less_than_the_baseline_is_paid_for():
    plan = solve({"grid": grid(response=[event()]), "city": load(5)})
    assert column(plan, "grid.responded_mw[0]") == [3]
    assert total(plan, "grid", "response") == 3 * 100
    assert plan.summary["objective_cny"] == 3 * 100 - 5 * 40
    assert plan.summary["figures"]["grid"]["responded_mwh"] == 3


def test_no_more_than_the_most_is_paid_for():
    plan = solve({"grid": grid(response=[event(max_mw=2)]), "city": load(5)})
    assert total(plan, "grid", "response") == 2 * 100


def test_nothing_is_paid_above_the_baseline_and_nothing_is_forbidden():
    plan = solve({"grid": grid(response=[event()]), "city": load(11)})
    assert column(plan, "grid.import_mw") == [11]
    assert total(plan, "grid", "response") == 0
    assert column(plan, "grid.responding[0]") == [0]


def test_shedding_for_a_reward_pays_where_the_reward_is_high_enough():
    # each MW shed costs 120 and saves 40 + 100
    plan = solve({"grid": grid(response=[event()]), "city": load(5, **SHED)})
    assert column(plan, "city.shed_mw") == [2]  # 5 MW are the most that is paid for
    # from 11 MW on, 3 MW must be shed before the first MW is paid for: -3·80 + 2·20 < 0
    plan = solve({"grid": grid(response=[event()]), "city": load(11, **SHED)})
    assert column(plan, "city.shed_mw") == [0]


def test_a_limit_below_the_baseline_needs_no_binary():
    narrow = grid(import_limit_mw=7, response=[event()])
    plan = solve({"grid": narrow, "city": load(5)})
    assert plan.summary["solving"]["integers"] == 0
    assert total(plan, "grid", "response") == 3 * 100
    wide = solve({"grid": grid(import_limit_mw=9, response=[event()]), "city": load(5)})
    assert wide.summary["solving"]["integers"] == 1


def test_a_baseline_above_the_limit_is_asked_about():
    """With 5 MW of import at most, 3 of 8 MW are paid for whatever the plan."""
    site = {"grid": grid(import_limit_mw=5, response=[event()]), "city": load(5)}
    assert any("3 MW above import_limit_mw" in text for text in scenario(site).warnings())
    wide = {"grid": grid(import_limit_mw=8, response=[event()]), "city": load(5)}
    assert not any("baseline" in text for text in scenario(wide).warnings())


def test_an_event_holds_in_its_hours_only():
    connection = grid(response=[event("1-3", [9, 8, 7, 9])])
    plan = solve({"grid": connection, "city": load(5, 5, 5, 5)}, 4)
    assert column(plan, "grid.responded_mw[0]") == [0, 3, 2, 0]
    assert plan.ledger.loc[plan.ledger["line"] == "response", "amount_cny"].tolist() == [300, 200]


def test_a_battery_earns_the_reward():
    store = battery(initial={"energy_mwh": 4}, ending={"at_least_mwh": 4})
    connection = grid(response=[event("1-2", 5)], export_limit_mw=0)
    plan = solve({"grid": connection, "battery": store, "city": load(5, 5, 5)}, 3)
    assert column(plan, "grid.responded_mw[0]") == [0, 4, 0]


@pytest.mark.few(5)
# days and dates; 2026-07-15 is a Wednesday, 2026-07-18 a Saturday
@pytest.mark.parametrize(
    ("more", "days"),
    [
        ({}, [1, 1, 1, 1, 1]),
        ({"days": "workday"}, [1, 0, 1, 0, 1]),
        ({"days": "weekend"}, [0, 0, 0, 1, 0]),
        ({"days": "holiday"}, [0, 1, 0, 0, 0]),
        ({"dates": ["2026-07-16"]}, [0, 1, 0, 0, 0]),
        ({"dates": ["07-16/07-17", "07-19"]}, [0, 1, 1, 0, 1]),
        ({"dates": ["12-15/01-31"]}, [0, 0, 0, 0, 0]),
        ({"dates": ["07-17/07-15"]}, [1, 0, 1, 1, 1]),
        ({"months": [6, 8]}, [0, 0, 0, 0, 0]),
        ({"months": [7], "days": "workday", "dates": ["2026-07-17/2026-12-31"]}, [0, 0, 1, 0, 1]),
    ],
)
def test_an_event_may_name_days(more: dict[str, Any], days: list[int], tmp_path: Path):
    top = {"holidays": ["2026-07-16"], "workdays": ["2026-07-19"]}
    flat = {"kind": "load", "demand_mw": 5}
    site = {"grid": grid(response=[event("22-1", **more)]), "city": flat}
    plan = solve(site, 120, **top)
    paid = plan.schedule["grid.responded_mw[0]"].to_numpy().reshape(5, 24)
    assert paid[:, [0, 22, 23]].tolist() == [[3 * day] * 3 for day in days]
    assert paid[:, 1:22].sum() == 0
    # the folder reads back to the same events, and its audit knows them
    plan.write(tmp_path / "plan")
    again = planner.read_plan(tmp_path / "plan").scenario
    assert again == plan.scenario
    events = [s.components["grid"].response[0].steps for s in (again, plan.scenario)]
    assert events[0] == events[1]
    assert audit(tmp_path / "plan") == []


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([event(), event()], r"response\[1\].hours: overlaps response\[0\] at 07-15 00:00"),
        ([event("0-0:30")], r"response\[0\].hours: must fall on steps of 60 min"),
        ([event("25-26")], r"response\[0\].hours\[0\]: must lie between 0 and 24"),
        ([{**event(), "hours": []}], r"response\[0\].hours: must have 1 or more entries"),
        ([event(reward_cny_per_mwh=0)], "reward_cny_per_mwh: must be above 0"),
        ([event(max_mw=-1)], "max_mw: must be 0 or more"),
        ([event(baseline=-1)], "baseline_mw: must be 0 or more"),
        ([event(value=3)], "value: is not a field here"),
        ([{"hours": ["0-1"]}], "baseline_mw: is required"),
    ],
)
def test_errors_name_the_field(events: list[dict[str, Any]], message: str):
    with pytest.raises(planner.ScenarioError, match=message):
        scenario({"grid": grid(response=events), "city": load(1)})


def test_events_of_other_hours_may_stand_beside_each_other():
    two = [event("0-1"), event("1-2", reward_cny_per_mwh=50)]
    plan = solve({"grid": grid(response=two), "city": load(5, 5)}, 2)
    assert total(plan, "grid", "response") == 3 * 100 + 3 * 50


def test_the_audit_finds_what_is_wrong_with_demand_response():
    files = stored(solve({"grid": grid(response=[event("0-2")]), "city": load(5, 11, 5)}, 3))
    assert said(files) == []

    def rules(*edits: Any) -> set[tuple[str, str, str]]:
        return {(b.component, b.rule, b.time) for b in audit_files(both(*edits)(files))}

    first_event = ("grid", "response", 0)
    assert ("grid", "event", step(1)) in rules(rule(*first_event, "max_mw", to=2))
    assert ("grid", "event", step(1)) in rules(rule(*first_event, "hours", to=["1-2"]))
    assert ("grid", "event", step(1)) in rules(rule(*first_event, "months", to=[8]))
    assert ("grid", "event", step(1)) in rules(rule(*first_event, "days", to="weekend"))
    assert ("grid", "event", step(1)) in rules(rule(*first_event, "dates", to=["07-14"]))
    assert ("grid", "event", step(3)) in rules(cell("grid.responded_mw[0]", 3, 1))
    assert ("grid", "response", step(1)) in rules(rule(*first_event, "baseline_mw", to=7))
    assert ("grid", "responding", step(1)) in rules(cell("grid.responding[0]", 1, 0))
    assert ("grid", "responding", step(1)) in rules(cell("grid.responding[0]", 1, 0.5))
    assert ("grid", "response", step(2)) in rules(cell("grid.responding[0]", 2, 1))
    assert ("grid", "response", step(1)) in rules(rule(*first_event, "reward_cny_per_mwh", to=99))
    assert ("grid", "columns", "") in rules(rule("grid", "response", to=[]))


def test_a_relaxed_plan_may_respond_in_part():
    connection = grid(import_limit_mw=20, response=[event()])
    site = {"grid": connection, "city": load(11)}
    plan = solve(site, solver={"relax": True})
    assert 0 < plan.schedule["grid.responding[0]"].iloc[0] < 1


def test_plans_with_events_read_back(tmp_path: Path):
    plan = solve({"grid": grid(response=[event("0-1", dates=["2026-07-15"])]), "city": load(5)})
    assert planner.read_plan(plan.write(tmp_path / "plan")) == plan
    written = read_files(tmp_path / "plan").scenario["components"]["grid"]["response"]
    assert written[0]["hours"] == ["0-1"]


def test_golden_response():
    two = [event("0-1", 4), event("1-2", 9)]
    connection = grid(import_limit_mw=[9, 8], response=two)
    golden.check("grid_response", scenario({"grid": connection, "city": load(6, 3)}, 2))
