"""Limits of the exchange: how fast it may move, and how far within a local day.

The grid sells at 40 and buys at 30 CNY/MWh (see `tests.support.build.grid`); a load is served from
a sun that costs nothing, or from the grid.
"""

from __future__ import annotations

import pytest

import planner
from planner.auditor.audit import audit_files
from tests.support import golden
from tests.support.audited import both, cell, rule, said, step, stored
from tests.support.build import battery, column, grid, load, profit, renewable, scenario, solve
from tests.support.windows import advance, best_of, earned_by_step

SHED = {"shed_cost_cny_per_mwh": 500}


def test_the_exchange_rises_no_faster_than_its_ramp():
    site = {"grid": grid(ramp_mw_per_h=4), "city": load(2, 9, 9, **SHED)}
    plan = solve(site, 3)
    # free at first; then 4 MW more a step: 3 MWh of the second hour are shed
    assert column(plan, "grid.import_mw") == [2, 6, 9]
    assert plan.summary["objective_cny"] == -17 * 40 - 3 * 500


def test_the_exchange_falls_no_faster_than_its_ramp():
    # 3 MW of import, then a surplus of 8 MW: -1 and -5 can go out, the rest is curtailed
    site = {"grid": grid(ramp_mw_per_h=4), "sun": renewable(0, 9, 9), "city": load(3, 1, 1)}
    plan = solve(site, 3)
    assert column(plan, "grid.import_mw") == [3, 0, 0]
    assert column(plan, "grid.export_mw[renewable]") == [0, 1, 5]


def test_the_ramp_counts_minutes():
    fast = {"grid": grid(ramp_mw_per_h=8), "city": load(2, 9, **SHED)}
    assert column(solve(fast, 0.5, step_min=15), "grid.import_mw") == [2, 4]  # 2 MW in 15 min


def test_the_first_step_is_bound_where_the_past_is_given():
    site = {"grid": grid(ramp_mw_per_h=4), "city": load(9, **SHED)}
    assert column(solve(site), "grid.import_mw") == [9]
    for before, most in ((0, 4), (3, 7), (-2, 2)):
        site["grid"]["initial"] = {"exchange_mw": before}
        assert column(solve(site), "grid.import_mw") == [most]


def test_the_day_s_lowest_is_a_share_of_its_highest():
    # import of 10 and 2 for the load; with a share of 0.5 the battery must level: 8 and 4
    flat = grid(export_limit_mw=0)
    site = {"grid": flat, "battery": battery(initial={"energy_mwh": 5}), "city": load(10, 2)}
    assert column(solve(site, 2), "grid.import_mw") != [8, 4]
    site["grid"]["max_swing_share"] = 0.5
    plan = solve(site, 2)
    bought = column(plan, "grid.import_mw")
    assert sum(bought) == 12
    assert min(bought) >= 0.5 * max(bought) - 1e-6
    # without a battery the load itself decides: 10 and 2 cannot be
    with pytest.raises(planner.InfeasibleError, match="max_swing_share"):
        solve({"grid": site["grid"], "city": load(10, 2)}, 2)
    solve({"grid": site["grid"], "city": load(10, 5)}, 2)


def test_every_day_has_its_own_highest():
    connection = grid(max_swing_share=0.5, export_limit_mw=0)
    site = {"grid": connection, "city": load(10, 5, 2, 1)}
    start = "2026-07-15T22:00:00+08:00"
    assert column(solve(site, 4, start=start), "grid.import_mw") == [10, 5, 2, 1]


def test_with_a_swing_limit_nothing_is_exported_whatever_its_share():
    for share in (0, 0.3, 1):
        site = {"grid": grid(max_swing_share=share), "sun": renewable(5, 9)}
        assert profit(site, 2) == 0
        warnings = scenario(site, 2).warnings()
        assert any("leaves no room for exporting on any day" in text for text in warnings)


def test_a_swing_limit_of_one_only_forbids_export():
    assert profit({"grid": grid(max_swing_share=1), "city": load(10, 0)}, 2) == -400


def test_the_day_that_has_begun_counts():
    begun = {"highest_today_mw": 12, "lowest_today_mw": 6}
    connection = grid(max_swing_share=0.5, export_limit_mw=0, initial=begun)
    site = {"grid": connection, "sun": renewable(4), "city": load(9)}
    noon = {"start": "2026-07-15T12:00:00+08:00"}
    # the load could take 5 MW from the grid; half of 12 must come from there
    assert column(solve(site, **noon), "grid.import_mw") == [6]
    # 14 MW would make 6 too low
    with pytest.raises(planner.InfeasibleError, match="lowest_today_mw 6 MW"):
        solve({"grid": connection, "city": load(14)}, **noon)
    solve({"grid": connection, "city": load(12)}, **noon)


def test_an_infeasible_swing_is_explained_by_changes_that_work():
    site = {"grid": grid(max_swing_share=0.5, export_limit_mw=0), "city": load(10, 2)}
    with pytest.raises(planner.InfeasibleError) as caught:
        solve(site, 2)
    changes = {p: v for c in caught.value.diagnosis["changes"] for p, v in c["set"].items()}
    assert changes["components.grid.max_swing_share"] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"ramp_mw_per_h": -1}, "ramp_mw_per_h: must be 0 or more"),
        ({"max_swing_share": 1.1}, "max_swing_share: must be 1 or less"),
        ({"initial": {"exchange_mw": 3}}, "initial.exchange_mw: is only for ramp_mw_per_h"),
        (
            {"initial": {"highest_today_mw": 3, "lowest_today_mw": 1}},
            "initial.highest_today_mw: is only for max_swing_share",
        ),
        (
            {"max_swing_share": 0.3, "initial": {"highest_today_mw": 3}},
            "highest_today_mw: needs the other of",
        ),
        (
            {"max_swing_share": 0.3, "initial": {"highest_today_mw": 3, "lowest_today_mw": 4}},
            "initial.lowest_today_mw: may not exceed highest_today_mw 3",
        ),
    ],
)
def test_errors_name_the_field(fields: dict[str, object], message: str):
    with pytest.raises(planner.ScenarioError, match=message):
        scenario({"grid": grid(**fields), "city": load(1)}, start="2026-07-15T12:00:00+08:00")


def test_a_new_day_has_no_highest_yet():
    begun = {"highest_today_mw": 3, "lowest_today_mw": 1}
    connection = grid(max_swing_share=0.3, initial=begun)
    with pytest.raises(planner.ScenarioError, match="begins a new one at midnight"):
        scenario({"grid": connection, "city": load(1)})


# windows in a row

HOURS, BEGINS = 10, "2026-07-15T19:00:00+08:00"  # midnight after step 5
LIMITED = {
    "grid": grid(
        import_price_cny_per_mwh=[10, 70, 20, 90, 10, 80, 15, 60, 30, 50],
        import_limit_mw=40, export_limit_mw=0, ramp_mw_per_h=9, max_swing_share=0.6,
        initial={"exchange_mw": 12, "highest_today_mw": 14, "lowest_today_mw": 7},
    ),
    "battery": battery(
        capacity_mwh=30, charge_power_mw=12, discharge_power_mw=12, initial={"energy_mwh": 12}
    ),
    "sun": renewable(0, 3, 0, 5, 8, 9, 2, 0, 4, 6),
    "city": load(10, 12, 14, 9, 8, 15, 13, 9, 12, 10, shed_cost_cny_per_mwh=300),
}  # fmt: skip


@pytest.mark.few(3)
@pytest.mark.parametrize("last", range(1, HOURS))
def test_two_windows_earn_what_one_horizon_earns(last: int):
    plan = solve(LIMITED, HOURS, start=BEGINS)
    rest = best_of(advance(plan, 1, last), last + 1)
    whole = plan.summary["objective_cny"]
    assert earned_by_step(plan, last) + rest == pytest.approx(whole)


def test_the_limits_of_the_windows_bind():
    """Else the test above would show nothing: without each of them the site earns more."""
    best = profit(LIMITED, HOURS, start=BEGINS)
    for free in (
        {"ramp_mw_per_h": None, "initial": {"highest_today_mw": 14, "lowest_today_mw": 7}},
        {"max_swing_share": None, "initial": {"exchange_mw": 12}},
    ):
        site = LIMITED | {"grid": LIMITED["grid"] | free}
        assert profit(site, HOURS, start=BEGINS) > best + 1


def test_the_state_that_is_handed_over():
    plan = solve(LIMITED, HOURS, start=BEGINS)
    exchange = plan.schedule["grid.import_mw"].tolist()
    early = advance(plan, 1, 3).components["grid"].initial
    assert early.exchange_mw == exchange[2]
    assert early.highest_today_mw == max(14, *exchange[:3])
    assert early.lowest_today_mw == pytest.approx(min(7, *exchange[:3]))
    midnight = advance(plan, 1, 5).components["grid"].initial
    assert midnight.exchange_mw == exchange[4]
    assert midnight.highest_today_mw is None
    assert midnight.lowest_today_mw is None
    late = advance(plan, 1, 7).components["grid"].initial
    assert late.highest_today_mw == max(exchange[5:7])
    plain = solve({"grid": grid(), "city": load(1)})
    assert (
        advance(plain, 1, 1).components["grid"].initial == plain.scenario.components["grid"].initial
    )


# the audit


def test_the_audit_finds_a_ramp_and_a_swing_that_are_broken():
    files = stored(solve({"grid": grid(export_limit_mw=0), "city": load(10, 4, 6)}, 3))
    assert said(files) == []

    def breaches(*edits):
        findings = audit_files(both(*edits)(files))
        return {(b.component, b.rule, b.time) for b in findings}

    assert ("grid", "exchange_ramp", step(2)) in breaches(rule("grid", "ramp_mw_per_h", to=5))
    assert breaches(rule("grid", "ramp_mw_per_h", to=6)) == set()
    past = rule("grid", "initial", "exchange_mw", to=3)
    slow = rule("grid", "ramp_mw_per_h", to=6)
    assert breaches(slow, past) == {("grid", "exchange_ramp", step(1))}
    share = rule("grid", "max_swing_share", to=0.5)
    assert breaches(share) == {("grid", "swing", step(2))}
    assert breaches(rule("grid", "max_swing_share", to=0.6)) == set()
    begun = [
        rule("grid", "initial", "highest_today_mw", to=12),
        rule("grid", "initial", "lowest_today_mw", to=2),
    ]
    broken = breaches(rule("grid", "max_swing_share", to=0.6), *begun)
    assert broken == {("grid", "swing", step(1)), ("grid", "swing", step(2))}
    lifted = both(cell("grid.import_mw", 2, 5), share)(files)
    assert "swing" not in {b.rule for b in audit_files(lifted)}


def test_golden_exchange():
    connection = grid(
        import_limit_mw=9,
        export_limit_mw=[4, 5],
        ramp_mw_per_h=3,
        max_swing_share=0.4,
        initial={"exchange_mw": 2, "highest_today_mw": 5, "lowest_today_mw": 4},
    )
    site = {"grid": connection, "sun": renewable(4, 9), "city": load(6, 3)}
    golden.check("grid_exchange", scenario(site, 2, start="2026-07-15T23:00:00+08:00"))
