"""A schedule that breaks one rule: its values and the other rules stay; the rule is named."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import planner
from planner.diagnosis.breaches import breaches
from planner.solver.compiler import program_of
from planner.solver.pinning import pin
from tests.support.build import battery, grid, load, market, renewable, scenario, thermal

TOLERANCES = (0.0, 1e-5, 1e-3, 0.05)
Site = dict[str, dict[str, Any]]


def table(site: planner.Scenario, columns: dict[str, Any]) -> pd.DataFrame:
    steps = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=site.horizon.starts[:steps])


# One value over a limit


@pytest.mark.parametrize("tolerance", TOLERANCES)
def test_a_value_over_a_limit_is_missed_by_its_excess_and_pays_its_own_money(tolerance: float):
    # 4.1 MWh at 10, sold as 2 at 50 and 2.1 at 9000: -41 + 100 + 18900; 4 MW may be charged
    prices = [10, 50, 9000]
    ways = {"import_price_cny_per_mwh": prices, "export_price_cny_per_mwh": prices}
    limits = {"import_limit_mw": 4.5, "export_limit_mw": 4}
    site = scenario({"battery": battery(), "grid": grid(resale=True, **ways, **limits)}, 3)
    given = {
        "battery.charge_mw[grid]": [4.1, 0, 0],
        "battery.discharge_mw[grid]": [0, 2, 2.1],
        "grid.import_mw": [4.1, 0, 0],
        "grid.export_mw[grid]": [0, 2, 2.1],
    }
    settled = planner.settle(site, table(site, given), tolerance=tolerance)
    (breach,) = settled.breaches
    assert breach.text == (
        "battery charges at charge_power_mw 4 MW x available 1 at most, at 00:00-01:00;"
        " largest violation 0.1 MW"
    )
    assert breach.missed == pytest.approx(0.1, abs=1e-9)
    assert settled.plan.summary["objective_cny"] == pytest.approx(18959, abs=1e-5)
    for name, values in given.items():
        assert settled.plan.schedule[name].tolist() == pytest.approx(values, abs=1e-9)
    other = settled.plan.schedule.drop(columns=list(given)).filter(regex=r"renewable|thermal")
    assert not other.to_numpy().any()  # nothing comes from nowhere


def test_what_is_open_earns_most_beside_a_broken_rule():
    # 6 MW where 4 may be: 6 bought at 10, 2 sold at 50; then 4 bought at 20, 4 sold at 60 and at 70
    prices = [10, 50, 20, 60, 70]
    ways = {"import_price_cny_per_mwh": prices, "export_price_cny_per_mwh": prices}
    cell = battery(ending={"at_least_mwh": 0})
    site = scenario({"battery": cell, "grid": grid(resale=True, **ways)}, 5)
    settled = planner.settle(site, table(site, {"battery.charge_mw[grid]": [6]}))
    assert [breach.rule for breach in settled.breaches] == ["charge_limit"]
    best = -60 + 2 * 50 - 4 * 20 + 4 * 60 + 4 * 70
    assert settled.plan.summary["objective_cny"] == pytest.approx(best, abs=1e-6)


def trading(seed: int) -> Site:
    random = np.random.default_rng(seed)
    prices = (random.integers(5, 90, 6) * 10.0).tolist()
    return {
        "battery": battery(charge_efficiency=0.95, discharge_efficiency=0.9),
        "cable": {"kind": "line", "from_node": "site", "to_node": "town", "capacity_mw": 20},
        "grid": grid(
            resale=True, import_limit_mw=30, export_limit_mw=30,
            import_price_cny_per_mwh=prices,
            export_price_cny_per_mwh=[0.9 * price for price in prices],
        ),
        "pv": renewable(*random.integers(0, 15, 6).tolist()),
        "town": load(*random.integers(3, 12, 6).tolist(), node="town"),
    }  # fmt: skip


@cache
def traded(seed: int) -> planner.Plan:
    return planner.solve(scenario(trading(seed), 6))


LIMITS = [  # fields, and the power or energy that each limits
    ("battery", "charge_power_mw", "charge_mw"),
    ("battery", "discharge_power_mw", "discharge_mw"),
    ("battery", "capacity_mwh", "energy_mwh"),
    ("cable", "capacity_mw", "forward_mw"),
    ("grid", "import_limit_mw", "import_mw"),
    ("grid", "export_limit_mw", "export_mw"),
]


@pytest.mark.few(2)
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("name", "field", "limited"), LIMITS)
def test_a_limit_lowered_below_a_plan_is_missed_by_the_difference(
    name: str, field: str, limited: str, seed: int
):
    plan, excess = traded(seed), [0.02, 0.3, 1.0][seed % 3]
    reached = plan.schedule.filter(regex=rf"{name}\.{limited}").sum(axis=1)
    if reached.max() <= excess + 1.5:
        pytest.skip("the plan does not reach so far")
    lower = trading(seed)
    lower[name] = lower[name] | {field: round(float(reached.max()) - excess, 6)}
    site = scenario(lower, 6)
    tolerance = TOLERANCES[seed % 3]
    settled = planner.settle(site, plan, tolerance=tolerance)
    (breach,) = settled.breaches
    assert breach.components == (name,)
    assert field in breach.text
    assert breach.missed == pytest.approx(excess, abs=1e-5)
    profit = plan.summary["objective_cny"]
    assert settled.plan.summary["objective_cny"] == pytest.approx(profit, abs=1e-4)
    states = ["battery.charging", "grid.importing", "cable.forward"]
    pd.testing.assert_frame_equal(
        settled.plan.schedule.drop(columns=states), plan.schedule.drop(columns=states),
        rtol=0, atol=1e-7,
    )  # fmt: skip


@pytest.mark.few(2)
@pytest.mark.parametrize("seed", range(12))
def test_rounded_values_and_a_broken_limit_are_told_apart(seed: int):
    # rounded to 3 digits the balances miss up to 5e-4; the limit is missed by 0.5
    plan = traded(seed % 6)
    drawn = plan.schedule["cable.forward_mw[renewable]"] + plan.schedule["cable.forward_mw[grid]"]
    lower = trading(seed % 6)
    lower["cable"] = lower["cable"] | {"capacity_mw": round(float(drawn.max()) - 0.5, 3)}
    columns = [c for c in plan.schedule if "_mw[" in c or c.endswith("_mw")]
    given = plan.schedule[columns].round(3)
    settled = planner.settle(scenario(lower, 6), given, tolerance=1e-3)
    (breach,) = settled.breaches
    assert breach.rule == "forward_limit"
    assert breach.missed == pytest.approx(0.5, abs=2e-3)
    moved = (settled.plan.schedule[columns] - given).abs().to_numpy()
    assert moved.max() <= 1e-3 + 1e-9
    profit = plan.summary["objective_cny"]
    assert settled.plan.summary["objective_cny"] == pytest.approx(profit, abs=10)


# Values moved within the tolerance


def test_values_are_moved_least_before_money_counts():
    # 2.001 MW are bought and 2 are charged: 0.001 MW has to go, the smaller move is of one value;
    # selling more at 9000 would earn, by moving others too
    prices = {"import_price_cny_per_mwh": [10, 9000], "export_price_cny_per_mwh": [0, 9000]}
    ways = {"resale": True, "export_limit_mw": [0, 1000], "import_limit_mw": [1000, 0]}
    cell = battery(ending={"at_least_mwh": 0})
    site = scenario({"battery": cell, "grid": grid(**prices, **ways)}, 2)
    given = {
        "grid.import_mw": [2.001, 0],
        "battery.charge_mw[grid]": [2, 0],
        "battery.discharge_mw[grid]": [0, 2],
        "grid.export_mw[grid]": [0, 2],
    }
    for tolerance in (0.001, 0.05, 0.5):
        settled = planner.settle(site, table(site, given), tolerance=tolerance)
        assert settled.breaches == ()
        moved = settled.plan.schedule[list(given)] - table(site, given)
        assert moved.abs().to_numpy().sum() == pytest.approx(0.001, abs=1e-7)
        (note,) = [n for n in settled.plan.summary["warnings"] if "rounding" in n]
        assert note.startswith("1 given values are moved for their rounding, by 0.001 at most (")
        assert settled.plan.summary["objective_cny"] == pytest.approx(18000 - 20, abs=0.011)
    (breach,) = planner.settle(site, table(site, given), tolerance=2e-4).breaches
    assert breach.rule == "balance"
    assert breach.missed == pytest.approx(0.001, abs=1e-9)


# Directions


def both_ways(**given: Any) -> tuple[planner.Settlement, dict[str, Any]]:
    prices = {"import_price_cny_per_mwh": [10, 50], "export_price_cny_per_mwh": [10, 50]}
    cell = battery(capacity_mwh=20, initial={"energy_mwh": 8}, ending={"at_least_mwh": 7})
    site = scenario({"battery": cell, "grid": grid(resale=True, **prices)}, 2)
    columns = {f"battery.{name}_mw[grid]": [value] for name, value in given.items()}
    return planner.settle(site, table(site, columns)), columns


def test_charging_and_discharging_at_once_is_told_as_a_direction():
    settled, columns = both_ways(charge=1, discharge=1)
    (breach,) = settled.breaches
    assert breach.text == (
        "battery charges 1 MW and discharges 1 MW at once and may do one of the two, at 00:00-01:00"
    )
    assert (breach.rule, breach.missed) == ("direction", pytest.approx(1))
    assert settled.plan.schedule.iloc[0][list(columns)].tolist() == [1, 1]
    green = settled.plan.summary["green"]
    assert [green["self_use_share"], green["export_share"], green["curtailed_share"]] == [None] * 3
    assert settled.plan.summary["objective_cny"] == pytest.approx(50)  # 1 MWh is sold in hour 2


def test_a_relaxed_program_knows_what_its_free_switches_keep_apart():
    site = scenario({"battery": battery(), "grid": grid(resale=True)}, 2)
    given = {f"battery.{name}_mw[grid]": [1] for name in ("charge", "discharge")}
    program = program_of(site)
    _, relaxed = breaches(pin(program, table(site, given)))
    families = relaxed.column_families[relaxed.switches]
    components = [relaxed.variable_families[family][0] for family in families]
    assert components == [pair.component for pair in relaxed.pairs]
    assert 0 < len(components) < len(program.switches)


@pytest.mark.parametrize("charge", [0.5, 2, 3.5, 4.5, 6])
@pytest.mark.parametrize("discharge", [0.25, 2, 4, 5])
def test_a_direction_and_the_limits_beside_it_are_told_apart(charge: float, discharge: float):
    settled, columns = both_ways(charge=charge, discharge=discharge)
    broken = {breach.rule: breach.missed for breach in settled.breaches}
    expected = {"direction": min(charge, discharge)}
    expected |= {"charge_limit": charge - 4} if charge > 4 else {}
    expected |= {"discharge_limit": discharge - 4} if discharge > 4 else {}
    assert broken == pytest.approx(expected)
    first = settled.plan.schedule.iloc[0][list(columns)].tolist()
    assert first == pytest.approx([charge, discharge])


def declaring() -> planner.Scenario:
    prices = {"real_time_price_cny_per_mwh": 30, "declaration": {"exchange_mw": "decide"}}
    return scenario({"grid": grid(**prices), "town": load(5, 5)}, 2)


def lined() -> planner.Scenario:
    cable = {"kind": "line", "from_node": "site", "to_node": "far", "capacity_mw": 9}
    parts = {"cable": cable, "grid": grid(), "town": load(5, 5, node="far"), "sink": load(1, 1)}
    return scenario(parts, 2)


def exchanging() -> planner.Scenario:
    return scenario({"grid": grid(resale=True), "pv": renewable(9, 9), "town": load(5, 5)}, 2)


@pytest.mark.parametrize(
    ("site", "given", "text"),
    [
        (
            declaring,
            {"grid.declared_import_mw": [3.0], "grid.declared_export_mw": [2.0]},
            "grid declares 3 MW of import and 2 MW of export at once and may do one of the two",
        ),
        (
            lined,
            {"cable.forward_mw[grid]": [6.5], "cable.backward_mw[grid]": [1.5]},
            "cable carries 6.5 MW forward and 1.5 MW backward at once and may do one of the two",
        ),
        (
            exchanging,
            {"grid.import_mw": [2.0], "grid.export_mw[renewable]": [6.0]},
            "grid imports 2 MW and exports 6 MW at once and may do one of the two",
        ),
    ],
)
def test_every_pair_of_directions_is_told_with_both_powers(site: Any, given: Any, text: str):
    parts = site()
    (breach,) = planner.settle(parts, table(parts, given)).breaches
    assert breach.text.startswith(text)
    with pytest.raises(planner.InfeasibleError, match="at once"):
        planner.solve(parts, fixed=table(parts, given))


# Rules on switches


def test_a_minimum_time_is_told_with_the_time_it_was():
    unit = thermal(min_up_h=3, min_down_h=2, initial={"on": False, "power_mw": 0, "hours": 10})
    site = scenario({"unit": unit, "grid": grid()}, 6)
    (breach,) = planner.settle(site, table(site, {"unit.on": [0, 1, 0, 0, 0, 0]})).breaches
    assert breach.text == (
        "unit must stay on for min_up_h 3 h once started, at min_power_mw 20 MW or more, at"
        " 02:00-04:00; in the schedule it was on for 1 h"
    )
    (breach,) = planner.settle(site, table(site, {"unit.on": [1, 1, 1, 0, 1, 1]})).breaches
    assert breach.text == (
        "unit must stay off for min_down_h 2 h once stopped, at 04:00-05:00; in the schedule it was"
        " off for 1 h"
    )
    begun = thermal(min_up_h=3, initial={"on": True, "power_mw": 20, "hours": 1})
    site = scenario({"unit": begun, "grid": grid()}, 3)
    (breach,) = planner.settle(site, table(site, {"unit.on": [1, 0, 0]})).breaches
    assert breach.text.endswith("it was on for 2 h")
    site = scenario({"unit": thermal(max_up_h=2), "grid": grid()}, 4)
    (breach,) = planner.settle(
        site, table(site, {"unit.start": [1, 0, 0, 0], "unit.on": [1] * 4})
    ).breaches
    assert "max_up_h 2 h" in breach.text
    assert breach.text.endswith("it was on for 4 h")


def test_a_job_that_must_run_is_told_with_what_it_ran():
    from tests.support import compute

    job = {"kind": "job", "fleet": "gpu", "nodes": 1, "node_kw": 5, "duration_h": 2,
           "release_h": 0, "deadline_h": 4, "mandatory": True, "value_cny": 0}  # fmt: skip
    parts = compute.site(gpu=compute.fleet(4), chat=compute.chat([18] * 4), train=job)
    site = scenario(parts, 4)
    given = table(site, {"train.start": [0, 0, 0, 0]})
    (breach,) = planner.settle(site, given).breaches
    assert breach.text.endswith("mandatory true; in the schedule it runs 0 h in the horizon")


def test_a_broken_balance_loosens_no_other_rule():
    # 3 MW are sold of 2 available: 1 MW is missing, and nothing else is
    site = scenario({"pv": renewable(2, 2), "grid": market(50, 50)}, 2)
    given = table(site, {"grid.export_mw[renewable]": [3.0, 2.0], "pv.power_mw": [2.0, 2.0]})
    settled = planner.settle(site, given, tolerance=0.01)
    (breach,) = settled.breaches
    assert (breach.rule, breach.missed) == ("balance", pytest.approx(1, abs=1e-9))
    assert settled.plan.summary["objective_cny"] == pytest.approx(250, abs=1e-6)


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("unit.fuel_gj_per_h", 150.0, "fuel"),
        ("unit.fuel_gj_per_h", 100.5, "fuel"),
        ("battery.discharge_start", 1.0, "discharge_start"),
        ("battery.charge_start", 0.1, "charge_start"),
    ],
)
def test_more_than_follows_from_the_other_values_is_a_breach(column: str, value: float, rule: str):
    """Profit presses fuel and starts down, the rules of the program only hold them up."""
    curve = [{"power_mw": 0, "fuel_gj_per_h": 0}, {"power_mw": 100, "fuel_gj_per_h": 100}]
    unit = thermal(min_power_mw=0, curve=curve, initial={"on": True, "power_mw": 100, "hours": 9})
    parts = {"unit": unit, "battery": battery(start_cost_cny=5), "town": load(100, 100)}
    site = scenario(parts, 2)
    schedule = planner.solve(site).schedule
    schedule.loc[schedule.index[1], column] = value
    settlement = planner.settle(site, schedule)
    (breach,) = settlement.breaches
    assert (breach.components, breach.rule) == ((column.partition(".")[0],), rule)
    assert settlement.plan.summary["breaches"][0]["rule"] == rule
    assert settlement.plan.schedule[column].iloc[1] == value
