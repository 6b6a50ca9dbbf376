"""The rest of a plan, planned again: what was promised is kept, what has happened counts."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

import planner
from tests.components.test_compute_after import random_site as compute_site
from tests.support.build import (
    battery,
    carbon,
    column,
    green_rule,
    grid,
    load,
    market,
    renewable,
    solve,
    thermal,
    total,
)
from tests.support.compute import fleet, site
from tests.support.sites import random_site

Parts = dict[str, Any]


def hour(h: int) -> str:
    return f"2026-07-15T{h:02d}:00:00+08:00"


def rest(parts: Parts, hours: int, at: int, state: Any = None, **more: Any) -> planner.Plan:
    """Return the rest of the best plan of some components from hour `at` on."""
    return planner.replan(solve(parts, hours), hour(at), state, **more).plan


def trading(*prices: float, **fields: Any) -> Parts:
    """A battery of 60 MWh and 40 MW that buys and sells at the same prices."""
    cell = {"capacity_mwh": 100, "charge_power_mw": 40, "discharge_power_mw": 40} | fields
    both = {"import_price_cny_per_mwh": list(prices), "export_price_cny_per_mwh": list(prices)}
    return {"cell": battery(**cell), "grid": grid(resale=True, **both)}


# Promises


def test_the_promised_ending_is_kept_whatever_is_stored_now():
    # 60 at the start and at the end: sell 40 at 50, buy them back at 20. But 22 are there and not
    # 20: of the 40 bought back 2 are sold at 30.
    parts = trading(50, 20, 30, initial={"energy_mwh": 60})
    again = planner.replan(solve(parts, 3), hour(1), {"cell": {"energy_mwh": 22}})
    assert again.as_planned.summary["objective_cny"] == pytest.approx(-40 * 20)
    assert again.plan.summary["objective_cny"] == pytest.approx(-40 * 20 + 2 * 30)
    assert column(again.plan, "cell.energy_mwh[grid]")[-1] == 60
    assert again.plan.summary["replanned"]["promised"] == {
        "components.cell.ending": "at_least_mwh 60"
    }
    assert again.plan.summary["replanned"]["as_planned_cny"] == pytest.approx(-40 * 20)


def test_a_day_that_begins_in_another_state_ends_as_promised():
    # 50 are there and not 60, and 60 have to be there at the end: 10 are bought at 20
    parts = trading(20, 20, initial={"energy_mwh": 60})
    again = rest(parts, 2, 0, {"cell": {"energy_mwh": 50}})
    assert again.summary["objective_cny"] == pytest.approx(-10 * 20)
    assert again.summary["replanned"]["executed_h"] == 0


def test_a_promise_that_no_plan_can_keep_is_told_with_what_would_help():
    parts = trading(50, 20, 30, initial={"energy_mwh": 60})
    with pytest.raises(planner.InfeasibleError) as caught:
        rest(parts, 3, 2, {"cell": {"energy_mwh": 10}})
    assert "cell must end with 60 MWh and can reach 50 MWh" in str(caught.value)
    assert "components.cell.ending.at_least_mwh ≤ 50 (is 60)" in str(caught.value)


def test_a_measured_total_has_the_origins_of_the_plan():
    parts = trading(50, 20, 30, initial={"energy_mwh": {"renewable": 30, "grid": 10}})
    parts["grid"] = grid(import_limit_mw=0, export_limit_mw=0)
    state = {"cell": {"energy_mwh": 20}}
    with pytest.raises(planner.InfeasibleError):
        rest(parts, 3, 1, state)
    parts["cell"] |= {"ending": {"at_least_mwh": 0}}
    by_origin = rest(parts, 3, 1, state).scenario.components["cell"].initial.by_origin()
    assert by_origin == {"renewable": 15, "thermal": 0, "grid": 5}
    state = {"cell": {"energy_mwh": {"renewable": 4}}}
    by_origin = rest(parts, 3, 1, state).scenario.components["cell"].initial.by_origin()
    assert by_origin == {"renewable": 4, "thermal": 0, "grid": 0}


def test_a_declaration_stays_declared():
    # 5 MW declared for each hour at 40. In the second hour only 3 are drawn: 2 are settled at 10.
    connection = grid(declaration={"exchange_mw": "decide"}, real_time_price_cny_per_mwh=[60, 60],
                      import_limit_mw=5, export_limit_mw=0)  # fmt: skip
    before = solve({"grid": connection, "town": load(5, 5)}, 2)
    assert column(before, "grid.declared_import_mw") == [5, 5]
    changes = {"components.town.demand_mw": 3, "components.grid.real_time_price_cny_per_mwh": 10}
    again = planner.replan(before, hour(1), set=changes)
    assert again.plan.scenario.components["grid"].declaration.exchange_mw.tolist() == [5]
    assert again.plan.summary["objective_cny"] == pytest.approx(-5 * 40 + 2 * 10)
    free = changes | {"components.grid.declaration.exchange_mw": "decide"}
    assert rest({"grid": connection, "town": load(5, 5)}, 2, 1, set=free).summary[
        "objective_cny"
    ] == (
        pytest.approx(-3 * 10)  # whoever may declare again declares nothing, and buys at 10
    )


# What has happened counts


def test_the_peak_that_is_set_stays_set():
    # 8 MW of peak are paid in the first hour: the second may import 8 too. 3 more cost 3 x 9.
    connection = grid(demand_charge_cny_per_mw_month=9, import_price_cny_per_mwh=0)
    parts = {"grid": connection, "town": load(8, 2)}
    again = rest(parts, 2, 1, set={"components.town.demand_mw": 11})
    assert again.summary["objective_cny"] == pytest.approx(-3 * 9)
    measured = rest(
        parts, 2, 1, {"grid": {"peak_so_far_mw": 10}}, set={"components.town.demand_mw": 11}
    )
    assert measured.summary["objective_cny"] == pytest.approx(-1 * 9)


def test_the_interval_of_the_meter_that_has_begun_goes_on():
    # 3 MW for 5 minutes are 0.25 MWh, an average of 1 MW in the quarter hour, which is paid. With
    # 0.5 MWh on the meter it is 2 MW: one more MW at 9.
    connection = grid(demand_charge_cny_per_mw_month=9, import_price_cny_per_mwh=0)
    before = solve({"grid": connection, "town": load(3, 0, 0)}, 0.25, step_min=5)
    at = "2026-07-15T00:05"
    assert planner.replan(before, at).plan.summary["objective_cny"] == pytest.approx(0)
    again = planner.replan(before, at, {"grid": {"interval_mwh": 0.5}}).plan
    assert again.summary["objective_cny"] == pytest.approx(-1 * 9)


def test_the_peak_of_a_month_that_is_over_is_left_behind():
    connection = grid(demand_charge_cny_per_mw_month=9)
    before = solve(
        {"grid": connection, "town": load(8, 2, 4)}, 3, start="2026-07-31T23:00:00+08:00"
    )
    again = planner.replan(before, "2026-08-01T01:00").plan
    assert again.scenario.components["grid"].peak_so_far_mw == {"2026-08": 2}
    assert total(again, "grid", "demand_charge") == pytest.approx(-2 * 9)


def test_a_share_counts_what_has_been_used_and_sold():
    # A fifth of 30 MWh may be exported. As planned 6 of them in the hour at 50; if 2 went in the
    # first hour 4 are left.
    parts = {
        "sun": renewable(10, 10, 10), "grid": market(20, 40, 50),
        "rule": green_rule(max_export_share=0.2), "town": load(4, 4, 4),
    }  # fmt: skip
    assert rest(parts, 3, 1).summary["objective_cny"] == pytest.approx(6 * 50)
    sold = {"rule": {"so_far": {"used_mwh": 4, "exported_mwh": 2}}}
    again = rest(parts, 3, 1, sold)
    assert again.summary["objective_cny"] == pytest.approx(4 * 50)
    assert again.scenario.components["rule"].so_far.available_mwh == 10  # as planned


def test_a_budget_of_carbon_and_the_cycles_of_a_day_are_used_up():
    # 100 GJ/h emit 1 t. A budget of 2 t lasts two hours, of which one is over.
    unit = thermal(emission_tco2_per_gj=0.01, initial={"on": True, "hours": 9, "power_mw": 50})
    parts = {"unit": unit, "grid": market(30, 20, 25), "cap": carbon(budget_tco2=2)}
    again = rest(parts, 3, 1)
    assert again.scenario.components["cap"].so_far_tco2 == pytest.approx(1)
    assert again.summary["figures"]["cap"]["emission_tco2"] == pytest.approx(1)
    assert rest(parts, 3, 1, {"cap": {"so_far_tco2": 2}}).summary["figures"]["cap"][
        "emission_tco2"
    ] == (pytest.approx(0))
    parts = trading(50, 20, 50, 20, initial={"energy_mwh": 60}, cycles_per_day=0.5)
    spent = rest(parts, 4, 1, {"cell": {"discharged_today_mwh": 50}})
    assert spent.summary["figures"]["cell"]["discharged_mwh"] == pytest.approx(0)


def jobs(**fields: Any) -> Parts:
    run = {"kind": "job", "fleet": "gpu", "nodes": 2, "node_kw": 1000, "duration_h": 2}
    run |= {"deadline_h": 4, "value_cny": 200} | fields
    return site([10, 10, 90, 90], gpu=fleet(2), run=run)


def test_a_job_that_has_begun_goes_on_and_one_that_is_done_is_not_run_again():
    begun = rest(jobs(), 4, 1)
    assert column(begun, "run.running") == [1, 0, 0]
    assert begun.summary["objective_cny"] == pytest.approx(100 - 2 * 10)
    assert column(rest(jobs(), 4, 2), "run.running") == [0, 0]
    done = rest(jobs(), 4, 1, {"run": {"hours_run": 2}})
    assert column(done, "run.running") == [0, 0, 0]


def test_a_job_that_did_not_begin_is_planned_again_while_there_is_time():
    # It has to end within 4 h of the morning: two hours are left at 02:00, one at 03:00.
    missed = {"run": {"hours_run": 0}}
    again = rest(jobs(mandatory=True), 4, 2, missed)
    assert column(again, "run.running") == [1, 1]
    assert again.scenario.components["run"].deadline_h == 2
    with pytest.raises(planner.InfeasibleError, match=r"must run .mandatory true.*deadline_h is 1"):
        rest(jobs(mandatory=True), 4, 3, missed)
    late = rest(jobs(), 4, 3, missed)
    assert column(late, "run.running") == [0]
    assert any("can never run" in text for text in late.summary["warnings"])


# The state that was measured


def test_every_mistake_of_a_state_is_told_at_its_line(tmp_path: Path):
    unit = thermal(initial={"on": True, "hours": 9, "power_mw": 50})
    parts = {"unit": unit, **trading(20, 30), "town": load(1, 1)}
    before = solve(parts, 2).write(tmp_path / "before")
    file = tmp_path / "now.yaml"
    file.write_text(
        "cell:\n  energy_mwh: 101\nunti: {}\nunit: {on: false}\ntown: {demand_mw: 1}\n"
        "grid: {peak_so_far: 3}\n"
    )
    with pytest.raises(planner.ScenarioError) as caught:
        planner.replan(before, hour(1), file)
    assert [text.removeprefix(f"{file}:") for text in str(caught.value).splitlines()] == [
        "2: cell.energy_mwh: must lie between min_energy_mwh 0 and capacity_mwh 100, is 101",
        "3: unti: there is no component 'unti'; did you mean unit?",
        "4: unit.hours: is required where on is not as planned",
        "4: unit.power_mw: must be 0 for a unit that is off, is 100",
        "5: town.demand_mw: is not a field here",
        "6: grid.peak_so_far: is not a field here; did you mean peak_so_far_mw?",
    ]


def test_a_unit_that_tripped_is_off():
    unit = thermal(initial={"on": True, "hours": 9, "power_mw": 50}, min_down_h=2)
    parts = {"unit": unit, "grid": market(30, 30, 30)}
    off = {"unit": {"on": False, "power_mw": 0, "hours": 1}}
    assert column(rest(parts, 3, 1, off), "unit.on") == [0, 1]


@pytest.mark.parametrize("at", ["noon", hour(3), "2026-07-15T00:30", "2026-07-16T01:00"])
def test_a_time_that_leaves_no_rest_is_told(at: str):
    with pytest.raises(planner.ScenarioError, match=r"^at: (must be the start of a step|time)"):
        planner.replan(solve(trading(1, 2, 3), 3), at)


def test_a_relaxed_plan_leaves_no_state():
    relaxed = solve(trading(1, 2, 3), 3, solver={"relax": True})
    with pytest.raises(planner.ScenarioError, match="LP relaxation"):
        planner.replan(relaxed, hour(1))


def test_a_new_limit_knows_the_past_that_it_needs():
    # 8 MW in the first hour; with a ramp of 7 MW/h any second hour may have 2.
    parts = {"grid": grid(export_limit_mw=0), "town": load(8, 2)}
    plan = solve(parts, 2)
    assert plan.scenario.components["grid"].initial.exchange_mw is None
    changes = {"components.grid.ramp_mw_per_h": 7}
    again = planner.replan(plan, hour(1), set=changes).plan
    assert again.scenario.components["grid"].initial.exchange_mw == pytest.approx(8)


def test_a_rest_has_a_rest():
    plan = solve(trading(50, 20, 30, 60, initial={"energy_mwh": 60}), 4)
    once = planner.replan(plan, hour(1)).plan
    twice, at_once = planner.replan(once, hour(2)).plan, planner.replan(plan, hour(2)).plan
    assert twice.summary["objective_cny"] == pytest.approx(at_once.summary["objective_cny"])
    assert twice.scenario.components["cell"].ending.at_least_mwh == 60


# In the state that the plan expects, the rest earns what it was to earn

TINY = sorted(path.parent.name for path in Path("scenarios").glob("tiny_*/scenario.yaml"))
HOURS = 5
STARTS = "2026-07-31T20:00:00+08:00"  # a day and a month end within the horizon


@cache
def planned(name: str) -> planner.Plan:
    if name.startswith("tiny"):
        return planner.solve(planner.load(f"scenarios/{name}", {"solver.gap": 0.0}))
    kind, seed = name.split()
    parts = random_site(int(seed), HOURS) if kind == "power" else compute_site(int(seed), HOURS, 60)
    return solve(parts, HOURS, start=STARTS)


LENGTHS = {name: planner.load(f"scenarios/{name}").horizon.steps for name in TINY}
LENGTHS |= {f"power {seed}": HOURS for seed in range(6)}
LENGTHS |= {f"compute {seed}": HOURS for seed in range(5)}
CASES = [(name, step) for step in range(max(LENGTHS.values())) for name in LENGTHS]
CASES = [(name, step) for name, step in CASES if step < LENGTHS[name]]


@pytest.mark.few(6)
@pytest.mark.parametrize(("name", "step"), CASES)
def test_a_rest_without_news_earns_what_was_planned(name: str, step: int):
    plan = planned(name)
    again = planner.replan(plan, plan.schedule.index[step].to_pydatetime())
    assert again.as_planned.summary["breaches"] == []
    profit, before = (p.summary["objective_cny"] for p in (again.plan, again.as_planned))
    if name.startswith("compute"):  # what a call before would have put off binds no longer
        assert profit >= before - 1e-3
    else:
        assert profit == pytest.approx(before, rel=1e-6, abs=1e-3)


def test_there_are_enough_rests():
    assert len(CASES) >= 50
