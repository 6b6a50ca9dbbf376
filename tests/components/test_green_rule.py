"""Green rules: what they force, what they cost, what they count."""

from __future__ import annotations

from typing import Any

import pytest

import planner
from planner.components.green_rule import GreenEnergy
from tests.support import golden
from tests.support.audited import cell, rule, said, solved
from tests.support.audited import rules as broken
from tests.support.build import *
from tests.support.windows import advance, best_of, earned_by_step


def two_sources(**fields: Any) -> dict[str, Any]:
    """100 MW for a city, from coal at 10 or from sun at 30 CNY/MWh, and a rule."""
    sun = renewable(100, cost_cny_per_mwh=30)
    return {"coal": thermal(), "sun": sun, "city": load(100), "rule": green_rule(**fields)}


def seller(**fields: Any) -> dict[str, Any]:
    """10 MW of sun; a city takes 4, a battery up to 4, the rest is sold at 30."""
    return {
        "sun": renewable(10),
        "city": load(4),
        "battery": battery(ending={"at_least_mwh": 0}),
        "grid": grid(import_limit_mw=0),
        "rule": green_rule(**fields),
    }


# the three rules


def test_a_load_share_takes_the_place_of_coal():
    # coal alone: 100 x 10; with 60 MW of sun 40 x 10 + 60 x 30
    assert profit(two_sources(min_load_share=0)) == -1000
    plan = solve(two_sources(min_load_share=0.6))
    assert plan.summary["objective_cny"] == pytest.approx(-400 - 1800)
    assert column(plan, "coal.power_mw") == [40]
    assert column(plan, "rule.load_renewable_mwh") == [60]


def test_an_export_share_forces_curtailment():
    # of 10 MWh 6 could be sold; with a half at most 5 are, and 1 is curtailed (or stored, later)
    site = seller(max_export_share=0.5)
    del site["battery"]
    assert profit(site | {"rule": green_rule(max_export_share=1)}) == 6 * 30
    plan = solve(site)
    assert plan.summary["objective_cny"] == pytest.approx(5 * 30)
    assert used(plan, "curtailed", "renewable") == pytest.approx(1)


def test_a_self_use_share_forces_own_use_rather_than_sale():
    # 6 could be sold; 7 of 10 are to be used: 4 in the city, 3 in the battery, and 3 are sold
    assert profit(seller(min_self_use_share=0.4)) == 6 * 30
    plan = solve(seller(min_self_use_share=0.7))
    assert plan.summary["objective_cny"] == pytest.approx(3 * 30)
    assert used(plan, "storage", "renewable") == pytest.approx(3)


def test_curtailed_energy_is_no_own_use():
    # a battery of 4 MW and a city of 4 can use 8 of 10: curtailing does not help
    assert profit(seller(min_self_use_share=0.8)) == pytest.approx(2 * 30)
    with pytest.raises(planner.InfeasibleError):
        solve(seller(min_self_use_share=0.81))


def test_losses_of_storage_count_as_own_use_but_not_as_load():
    # 4 MWh charged, 2 stored, 1 delivered: 8 of 8 used, 5 of 8 MWh of load renewable
    store = battery(charge_efficiency=0.5, discharge_efficiency=0.5)
    site = {
        "sun": renewable(8, 0),
        "city": load(4, 4),
        "battery": store,
        "grid": grid(),
        "rule": green_rule(min_self_use_share=1),
    }
    figures = solve(site, 2).summary["figures"]["rule"]
    assert figures["self_use_share"] == pytest.approx(1)
    assert figures["load_share"] == pytest.approx(5 / 8)
    assert figures["official_load_share"] == pytest.approx(1)


# the period


def test_what_was_so_far_counts():
    # 100 of 100 MWh so far: of 200 in all 120 must be renewable, 20 of them now: 80 x 10 + 20 x 30
    begun = {"available_mwh": 100, "used_mwh": 100, "load_mwh": 100, "load_renewable_mwh": 100}
    site = two_sources(min_load_share=0.6, so_far=begun)
    plan = solve(site)
    assert plan.summary["objective_cny"] == pytest.approx(-800 - 600)
    assert column(plan, "rule.load_mwh") == [200]
    assert plan.summary["figures"]["rule"]["load_share"] == pytest.approx(0.6)


def test_what_is_ahead_counts():
    # 40 of 100 MWh ahead: of 200 in all 120, 80 of them now: 20 x 10 + 80 x 30
    later = {"available_mwh": 50, "used_mwh": 50, "load_mwh": 100, "load_renewable_mwh": 40}
    site = two_sources(min_load_share=0.6, ahead=later)
    assert profit(site) == pytest.approx(-200 - 2400)


def test_export_and_own_use_count_what_was_so_far():
    # 6 of 10 were sold: of 20 at most 10 may be, 4 more; of 20 at least 8, and 4 were used
    begun = {"available_mwh": 10, "used_mwh": 4, "exported_mwh": 6}
    assert profit(seller(max_export_share=0.5, so_far=begun)) == pytest.approx(4 * 30)
    assert profit(seller(min_self_use_share=0.5, so_far=begun)) == pytest.approx(4 * 30)
    assert profit(seller(min_self_use_share=0.5, ahead=begun)) == pytest.approx(4 * 30)


def test_half_hours_count_half():
    site = two_sources(min_load_share=0.6, so_far={"load_mwh": 50})
    # 50 MWh in half an hour and 50 before: 60 of 100 are more than the sun has in half an hour
    with pytest.raises(planner.InfeasibleError):
        solve(site, 0.5, step_min=30)
    site["rule"]["min_load_share"] = 0.3  # 30 MWh of sun and 20 of coal
    assert profit(site, 0.5, step_min=30) == pytest.approx(-30 * 30 - 20 * 10)


# the penalty


@pytest.mark.parametrize(("penalty", "earned"), [(19, -1000 - 60 * 19), (21, -2200)])
def test_a_rule_is_broken_where_that_is_cheaper(penalty: float, earned: float):
    # a MWh of sun costs 20 more than one of coal, a MWh short the penalty
    plan = solve(two_sources(min_load_share=0.6, penalty_cny_per_mwh=penalty))
    assert plan.summary["objective_cny"] == pytest.approx(earned)
    short = 60 if penalty < 20 else 0
    assert plan.summary["figures"]["rule"]["load_share_short_mwh"] == pytest.approx(short)
    assert total(plan, "rule", "load_share_short") == pytest.approx(-penalty * short)
    assert plan.summary["non_cash_cny"] == pytest.approx(-penalty * short)


def test_each_rule_has_its_own_penalty_line():
    # sold at 30, at 12 for each of two rules: all 6 are sold. Own use 4 of 9 wanted, export 6 of 2
    fields = {"min_self_use_share": 0.9, "max_export_share": 0.2, "penalty_cny_per_mwh": 12}
    plan = solve(seller(**fields))
    assert total(plan, "rule", "self_use_short") == pytest.approx(-5 * 12)
    assert total(plan, "rule", "export_excess") == pytest.approx(-4 * 12)
    assert plan.summary["objective_cny"] == pytest.approx(180 - 60 - 48)
    assert set(plan.ledger["line"]) & {"load_share_short"} == set()


# origins


def stored(share: float) -> planner.Plan:
    """Grid energy costs 1 in the first hour, sun is there in the second, the load in the third."""
    site = {
        "grid": grid(import_price_cny_per_mwh=[1, 99, 99]),
        "sun": renewable(0, 4, 0),
        "battery": battery(),
        "city": load(0, 0, 4),
        "rule": green_rule(min_load_share=share),
    }
    return solve(site, 3)


@pytest.mark.parametrize(("share", "earned"), [(0, 120 - 4), (0.5, 60 - 2), (1, 0)])
def test_energy_from_the_battery_counts_by_where_it_came_from(share: float, earned: float):
    # the load takes from the battery: grid energy at 1, or sun that is then not sold at 30
    plan = stored(share)
    assert plan.summary["objective_cny"] == pytest.approx(earned)
    assert column(plan, "rule.load_renewable_mwh") == [0, 0, pytest.approx(4 * share)]
    assert column(plan, "battery.energy_mwh[grid]")[1] == pytest.approx(4 - 4 * share)
    assert plan.green["load_share"].tolist()[2] == pytest.approx(share)


def test_own_use_falls_where_stored_energy_is_exported():
    begun = {"available_mwh": 10, "used_mwh": 10}
    site = {
        "grid": grid(import_limit_mw=0),
        "battery": battery(initial={"energy_mwh": {"renewable": 4}}, ending={"at_least_mwh": 0}),
        "rule": green_rule(min_self_use_share=0.8, so_far=begun),
    }
    plan = solve(site)  # 2 of the 4 MWh may go
    assert plan.summary["objective_cny"] == pytest.approx(60)
    assert plan.green["self_use_mwh"].tolist() == [-2]
    after = advance(plan, 1, 1).components["rule"].so_far
    assert after.used_mwh == pytest.approx(8)
    assert after.exported_mwh == pytest.approx(2)


def test_coal_that_is_exported_is_no_renewable_export():
    site = {
        "coal": thermal(),
        "sun": renewable(10),
        "grid": grid(),
        "rule": green_rule(max_export_share=0),
    }
    assert profit(site) == pytest.approx(100 * 20)


# windows


def test_two_windows_in_a_row_are_one_horizon():
    site = {
        "grid": grid(
            import_price_cny_per_mwh=[40, 20, 50, 45, 30, 60],
            export_price_cny_per_mwh=[35, 10, 20, 40, 20, 50],
        ),
        "sun": renewable(3, 9, 12, 6, 2, 0),
        "battery": battery(),
        "city": load(5, 5, 4, 6, 5, 5),
        "rule": green_rule(
            min_self_use_share=0.75,
            min_load_share=0.65,
            max_export_share=0.15,
            so_far={"available_mwh": 8, "used_mwh": 5, "exported_mwh": 3, "load_mwh": 4},
            ahead={"load_mwh": 3, "load_renewable_mwh": 3},
        ),
    }
    free = profit({name: part for name, part in site.items() if name != "rule"}, 6)
    plan = solve(site, 6)
    whole = plan.summary["objective_cny"]
    assert whole < free - 1  # the rule matters
    for k in (1, 3, 5):
        advanced = advance(plan, 1, k)
        parts = earned_by_step(plan, k) + best_of(advanced, k + 1)
        assert parts == pytest.approx(whole, abs=1e-4), f"cut after step {k}"


def test_after_adds_the_executed_steps():
    begun = {"available_mwh": 100, "used_mwh": 90, "exported_mwh": 5, "load_mwh": 70}
    plan = solve(seller(max_export_share=0.5, so_far=begun))
    assert advance(plan, 1, 1).components["rule"].so_far == GreenEnergy(
        available_mwh=110, used_mwh=94, exported_mwh=11, load_mwh=74, load_renewable_mwh=4
    )


# input


def problem(**fields: Any) -> planner.errors.Problem:
    with pytest.raises(planner.ScenarioError) as caught:
        scenario(seller(**fields), trace=fields.pop("trace", True))
    return caught.value.problems[0]


@pytest.mark.parametrize(
    ("fields", "path", "words"),
    [
        ({}, "components.rule", "needs one or more of min_self_use_share, min_load_share"),
        ({"min_load_share": 1.2}, "components.rule.min_load_share", "must be 1 or less"),
        (
            {
                "min_load_share": 0.5,
                "so_far": {"available_mwh": 5, "used_mwh": 4, "exported_mwh": 2},
            },
            "components.rule.so_far.used_mwh",
            "plus exported_mwh must lie between 0 and available_mwh 5, is 6",
        ),
        (
            {"min_load_share": 0.5, "ahead": {"load_mwh": 5, "load_renewable_mwh": 6}},
            "components.rule.ahead.load_renewable_mwh",
            "may not exceed load_mwh 5, is 6",
        ),
    ],
)
def test_wrong_input_is_reported(fields: dict[str, Any], path: str, words: str):
    error = problem(**fields)
    assert error.path == path
    assert words in error.message


def test_pooled_energy_cannot_have_a_green_rule():
    pooled = {"grid": grid(resale=True), "rule": green_rule(max_export_share=0.2)}
    with pytest.raises(planner.ScenarioError, match=r"components.rule: needs the origin of energy"):
        scenario(pooled, trace=False)


@pytest.mark.parametrize(
    ("fields", "hours", "warned"),
    [
        ({}, 24, True),
        ({}, 24 * 28, False),
        ({"penalty_cny_per_mwh": 5}, 24, False),
        ({"so_far": {"load_mwh": 9}}, 24, False),
        ({"ahead": {"load_mwh": 9}}, 24, False),
    ],
)
def test_a_hard_rule_on_a_short_horizon_alone_is_warned_of(
    fields: dict[str, Any], hours: int, warned: bool
):
    parts = {"grid": grid(), "city": load(*[1] * hours)}
    parts["rule"] = green_rule(max_export_share=0.2, **fields)
    texts = scenario(parts, hours).warnings()
    assert any("by themselves shares that are meant for a year" in text for text in texts) == warned


# what cannot be


def explanation(components: dict[str, Any], hours: float = 1) -> dict[str, Any]:
    with pytest.raises(planner.InfeasibleError) as caught:
        solve(components, hours)
    diagnosis: dict[str, Any] = caught.value.diagnosis
    return diagnosis


def test_a_share_beyond_all_renewable_energy_is_reported_without_a_solver():
    site = two_sources(min_load_share=0.6) | {"sun": renewable(50)}
    diagnosis = explanation(site)
    assert [rule["rule"] for rule in diagnosis["conflict"]] == ["impossible"]
    assert "min_load_share 0.6 is missed by 10 MWh" in diagnosis["conflict"][0]["text"]
    # what the battery holds may be drawn too
    cell = battery(
        capacity_mwh=20,
        discharge_power_mw=20,
        initial={"energy_mwh": {"renewable": 10}},
        ending={"at_least_mwh": 0},
    )
    assert solve(site | {"battery": cell}).summary["status"] == "optimal"


def test_shares_missed_before_the_horizon_are_reported_without_a_solver():
    curtailed = {"available_mwh": 100, "used_mwh": 0}
    diagnosis = explanation(seller(min_self_use_share=0.5, so_far=curtailed))
    assert "min_self_use_share 0.5 is missed by 45 MWh" in diagnosis["conflict"][0]["text"]
    sold = {"available_mwh": 100, "exported_mwh": 60}
    diagnosis = explanation(seller(max_export_share=0.5, so_far=sold))
    assert "max_export_share 0.5 is missed by 5 MWh" in diagnosis["conflict"][0]["text"]
    assert diagnosis["changes"][0]["set"] == {
        "components.rule.max_export_share": 0.5455
    }  # 60 / 110


def test_a_conflict_names_what_is_counted_outside_the_horizon():
    later = {"load_mwh": 3, "load_renewable_mwh": 2}
    diagnosis = explanation(seller(min_self_use_share=0.9, ahead=later))
    texts = [rule["text"] for rule in diagnosis["conflict"] if rule["components"] == ["rule"]]
    assert texts == [
        "rule asks for min_self_use_share 0.9 of available renewable energy to be used on site"
        " (counting ahead.load_mwh 3, ahead.load_renewable_mwh 2)"
    ]


def test_with_a_penalty_nothing_is_impossible():
    site = two_sources(min_load_share=0.6, penalty_cny_per_mwh=1) | {"sun": renewable(0)}
    assert profit(site) == pytest.approx(-1000 - 60)


# the audit


HARD = {
    "min_self_use_share": 0.7,
    "min_load_share": 0.5,
    "max_export_share": 0.3,
    "so_far": {"available_mwh": 10, "used_mwh": 7, "exported_mwh": 3, "load_mwh": 1},
    "ahead": {"load_mwh": 2, "load_renewable_mwh": 1},
}


def test_a_broken_rule_is_found():
    files = solved(seller(**HARD), 1)
    assert said(files) == []
    for edit, name in (
        (rule("rule", "min_self_use_share", to=0.8), "self_use"),
        (rule("rule", "min_load_share", to=0.8), "load_share"),
        (rule("rule", "max_export_share", to=0.2), "export"),
        (rule("rule", "ahead", "exported_mwh", to=2), "export"),
        (rule("rule", "so_far", "load_mwh", to=2), "totals"),
        (rule("rule", "so_far", "used_mwh", to=6), "totals"),
        (cell("rule.taken_mwh", 1, 25), "totals"),
        (cell("rule.exported_mwh", 1, 5), "totals"),
        (cell("rule.load_renewable_mwh", 1, 5), "totals"),
        (cell("rule.available_mw", 1, 9), "flows"),
        (cell("rule.taken_mw", 1, 9), "flows"),
        (cell("rule.exported_mw", 1, 9), "flows"),
        (cell("rule.load_mw", 1, 9), "flows"),
        (cell("rule.load_renewable_mw", 1, 9), "flows"),
        (rule("rule", "max_export_share", to=None), "figures.rule.export_excess_mwh"),
        (rule("rule", "min_load_share", to=None), "columns"),
    ):
        assert name in {rule_name for _, rule_name in broken(edit(files))}, name


def test_a_wrong_penalty_is_found():
    fields = HARD | {"min_load_share": 0.9, "max_export_share": 0.2, "penalty_cny_per_mwh": 3}
    files = solved(seller(**fields), 1)
    assert said(files) == []
    for edit, name in (
        (rule("rule", "penalty_cny_per_mwh", to=4), "load_share_short"),
        (rule("rule", "min_load_share", to=0.8), "load_share_short"),
        (rule("rule", "min_self_use_share", to=0.8), "self_use_short"),
        (rule("rule", "max_export_share", to=0.1), "export_excess"),
    ):
        assert ("rule", name) in broken(edit(files)), name


def test_golden_green_rule():
    site = {
        "grid": grid(),
        "sun": renewable(5, 6),
        "battery": battery(),
        "city": load(3, 4),
        "hard": green_rule(**HARD),
        "soft": green_rule(min_load_share=0.5, max_export_share=0.1, penalty_cny_per_mwh=7),
    }
    golden.check("green_rule", scenario(site, 2))
