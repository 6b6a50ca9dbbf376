"""The worth of stored energy and waiting work at the end of a step, and plans that end with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import planner
from planner.components.battery.battery import Battery
from planner.components.terms import AtEnd
from planner.language.language import language
from planner.plan.plan import plan_as
from planner.studies.prices import with_prices
from planner.studies.solve import solve_program
from tests.support import compute
from tests.support.build import battery, column, grid, load, renewable, reserve, scenario, solve

ENERGY, WORK = "ending.value_cny_per_mwh", "ending.value_cny_per_mtok"
ZH = language("zh")


def year(components: Mapping[str, Any], hours: float, **more: Any) -> planner.Plan:
    """A plan with end values."""
    return planner.prices(scenario(components, hours, **more)).plan


def worth(plan: planner.Plan, component: str = "cell", index: str = "grid") -> list[float]:
    assert plan.end_values is not None
    rows = plan.end_values.query("component == @component and index == @index")
    return [round(value, 6) for value in rows["value"]]


def stored(**fields: Any) -> dict[str, Any]:
    """A battery with 1 MWh that cannot be charged and is emptied."""
    given = {"initial": {"energy_mwh": 1}, "ending": {"at_least_mwh": 0}} | fields
    return battery(charge_power_mw=0, **given)


def bought(*prices: float, **fields: Any) -> dict[str, Any]:
    """A grid that sells at these prices and buys nothing."""
    return grid(import_price_cny_per_mwh=list(prices), export_price_cny_per_mwh=0) | fields


def test_stored_energy_is_worth_what_it_saves_later() -> None:
    """A MWh stored at the end of the first hour saves 0.8 MWh at 50 in the second."""
    site = {"grid": bought(10, 50), "city": load(4, 4), "cell": stored(discharge_efficiency=0.8)}
    assert worth(year(site, 2)) == [40, 0]


def test_a_leak_and_shorter_steps_count() -> None:
    """Of what is stored half is left half an hour later, when it saves 10 or 50."""
    site = {"grid": bought(10, 10, 50, 50), "city": load(4, 4, 4, 4),
            "cell": stored(leak_per_h=0.75)}  # fmt: skip
    assert worth(year(site, 2, step_min=30)) == [12.5, 25, 25, 0]


def test_the_end_is_worth_what_the_scenario_says() -> None:
    """3 MWh are kept for 70, the rest of the 4 MWh is used at 90 within the 1 MW of the load."""
    cell = stored(initial={"energy_mwh": 4}, ending={"value_cny_per_mwh": 70})
    assert worth(year({"grid": bought(90), "city": load(1), "cell": cell}, 1)) == [70]


def test_a_full_store_is_worth_more_than_it_cost() -> None:
    """It has room for 1 MWh, bought at 10; one more would save 50."""
    cell = battery(capacity_mwh=1, initial={"energy_mwh": 0}, ending={"at_least_mwh": 0})
    assert worth(year({"grid": bought(10, 50), "city": load(4, 4), "cell": cell}, 2)) == [50, 0]


def test_an_empty_store_is_worth_what_the_first_mwh_in_it_would_bring() -> None:
    """All is used at 90; a MWh kept would save 20 in the second hour, 10 in the third."""
    site = {"grid": bought(90, 20, 10), "city": load(4, 4, 4), "cell": stored()}
    assert worth(year(site, 3)) == [20, 10, 0]
    site["cell"] = stored(min_energy_mwh=1, initial={"energy_mwh": 2})
    site["grid"] |= {"resale": True}
    assert worth(year(site, 3, trace=False), index="pooled") == [20, 10, 0]


def test_waiting_work_is_worth_its_price_less_its_cost_later() -> None:
    """A node answers 9 Mtok with a MWh: one more earns 20 and costs 10/9 in the second hour."""
    site = compute.site([100, 10], fleet=compute.fleet(10),
                        work=compute.batch([9, 0], 20, deadline_h=2))  # fmt: skip
    plan = year(site, 2)
    assert column(plan, "work.waiting_mtok") == [9, 0]
    assert worth(plan, "work", "")[0] == pytest.approx(20 - 10 / 9)
    first = planner.solve(scenario(site | {
        "grid": site["grid"] | {"import_price_cny_per_mwh": 100},
        "work": compute.batch(9, 20, deadline_h=2),
    }, 1), end_values=plan)  # fmt: skip
    assert column(first, "work.waiting_mtok") == [9]
    ending = first.scenario.components["work"].ending
    assert ending.at_most_mtok == 9
    assert ending.value_cny_per_mtok == pytest.approx(20 - 10 / 9)


PRICES = [31.0, 18, 47, 90, 12, 66, 25, 83, 54, 9, 71, 38]
SUN = [0.0, 2, 5, 9, 7, 1, 0, 0, 3, 8, 4, 0]
WORK = [20.0, 0, 30, 9, 28, 4, 0, 25, 17, 2, 0, 0]


def first_hours(hours: int) -> dict[str, Any]:
    """The first hours of a site with two batteries and work that waits; energy may be sold."""
    prices = PRICES[:hours]
    ending = {"value_cny_per_mtok": 6, "at_most_mtok": 40}
    return {
        "grid": grid(import_limit_mw=9, export_limit_mw=4, import_price_cny_per_mwh=prices,
                     export_price_cny_per_mwh=[0.6 * price for price in prices]),
        "sun": renewable(*SUN[:hours]),
        "city": load(*[3] * hours),
        "cell": battery(min_energy_mwh=1, initial={"energy_mwh": 2}, charge_efficiency=0.9,
                        leak_per_h=0.02, wear_cny_per_mwh=2),
        "spare": battery(capacity_mwh=3, charge_power_mw=1, initial={"energy_mwh": 2}),
        "safe": reserve(up_mw=1),
        "nodes": compute.fleet(4),
        "work": compute.batch(WORK[:hours], 14, 4, refusal_cost_cny_per_mtok=1, ending=ending),
    }  # fmt: skip


@pytest.fixture(scope="module")
def whole() -> planner.Plan:
    """The plan of all of its hours."""
    return year(first_hours(12), 12)


@pytest.mark.few(1)
@pytest.mark.parametrize("hours", [3, 5, 7, 10])
def test_the_first_hours_are_a_best_plan_for_their_end_values(
    whole: planner.Plan, hours: int
) -> None:
    """They earn what the whole does until then, and the worth of what has come into stores."""
    begun = planner.solve(scenario(first_hours(hours), hours), end_values=whole)
    until = f"{whole.schedule.index[hours]:%Y-%m-%dT%H}"
    expected = whole.ledger.loc[whole.ledger["period"] < until, "amount_cny"].sum()
    at_end = whole.schedule.iloc[hours - 1]
    for name, field, carried, start in (
        ("cell", "value_cny_per_mwh", "energy_mwh", 2),
        ("spare", "value_cny_per_mwh", "energy_mwh", 2),
        ("work", "value_cny_per_mtok", "waiting_mtok", 0),
    ):
        value = getattr(begun.scenario.components[name].ending, field)
        expected += value * (at_end.filter(like=f"{name}.{carried}").sum() - start)
    assert begun.summary["objective_cny"] == pytest.approx(expected, abs=1e-3)


def test_energy_of_several_origins_gets_their_mean_as_stored() -> None:
    site = scenario({"cell": battery(), "grid": grid()})
    cell = site.components["cell"]
    assert isinstance(cell, Battery)
    at_end = {"renewable": AtEnd(3, 100), "grid": AtEnd(1, 60), "thermal": AtEnd(0, 500)}
    assert cell.with_end_values(at_end, site.horizon).ending.value_cny_per_mwh == 90
    empty = {origin: AtEnd(0, carried.worth_cny) for origin, carried in at_end.items()}
    assert cell.with_end_values(empty, site.horizon).ending.value_cny_per_mwh == 500


def test_limits_of_the_ending_stay(tmp_path: Path) -> None:
    """Without its limit the battery would be emptied at 90, for a MWh is worth nothing later."""
    site = {"grid": bought(90, 0), "city": load(4, 4), "cell": stored(initial={"energy_mwh": 4})}
    plan = year(site, 2)
    day = {"grid": bought(90), "city": load(4),
           "cell": stored(initial={"energy_mwh": 4}, ending={"at_least_mwh": 3})}  # fmt: skip
    kept = planner.solve(scenario(day), end_values=plan, out=tmp_path / "day")
    assert column(kept, "cell.energy_mwh[grid]") == [3]
    assert planner.audit(tmp_path / "day") == []
    cell = planner.read_plan(tmp_path / "day").scenario.components["cell"]
    assert cell.ending.value_cny_per_mwh == 0
    assert [target.at_least_mwh for target in cell.energy_targets] == [3]


def test_a_folder_gives_them_and_the_plan_says_so(tmp_path: Path) -> None:
    """The year counts hours, the day half hours in another zone; its second store is new."""
    site = {"grid": bought(10, 50), "city": load(4, 4), "cell": stored()}
    plan = year(site, 2)
    folder = plan.write(tmp_path / "year")
    assert planner.read_plan(folder) == plan
    day = {"grid": bought(10, 10), "city": load(4, 4), "cell": stored(), "new": battery()}
    start = "2026-07-14T16:00:00+00:00"
    first = planner.solve(scenario(day, 1, 30, start), end_values=folder)
    assert column(first, "cell.energy_mwh[grid]") == [1, 1]
    value, stays = first.summary["warnings"][-2:]
    assert value == (
        f"components.cell.{ENERGY} is 50 CNY/MWh: the worth at 2026-07-14T17:00+00:00 in {folder}"
    )
    assert stays == f"components.new.ending stays: {folder} has no end value of it"
    assert all(ZH.sentence(text) != text for text in (value, stays))


def test_a_plan_without_them_is_an_error() -> None:
    site = {"grid": grid(), "cell": battery()}
    with pytest.raises(planner.ScenarioError, match="end_values: test holds no end values"):
        planner.with_end_values(scenario(site), solve(site))
    assert year({"grid": grid(), "city": load(1)}, 1).end_values is None


def test_an_end_that_is_none_of_the_year_is_an_error() -> None:
    plan = year({"grid": grid(), "cell": battery()}, 2)
    day = scenario({"grid": grid(), "cell": battery()}, 3)
    text = re.escape(
        "horizon: ends at 2026-07-15T03:00+08:00; test has end values from"
        " 2026-07-15T01:00+08:00 to 2026-07-15T02:00+08:00, every 60 min"
    )
    with pytest.raises(planner.ScenarioError, match=text):
        planner.with_end_values(day, plan)


def test_prices_without_further_solves_are_the_same_where_work_is_done() -> None:
    site = compute.site([100, 80], fleet=compute.fleet(10), chat=compute.chat([18, 27], 20))
    priced = scenario(site | {"cell": battery(charge_power_mw=0)}, 2)
    solved = solve_program(priced)
    full, quick = (
        plan_as(planner.Prices, with_prices(*solved, further_solves=further))
        for further in (True, False)
    )
    assert len(full.first_units)
    assert quick.first_units.empty
    pd.testing.assert_frame_equal(full.totals, quick.totals, atol=1e-4)
    pd.testing.assert_frame_equal(full.hourly, quick.hourly, atol=1e-4)
