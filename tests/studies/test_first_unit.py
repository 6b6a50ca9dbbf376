"""The worth of a first unit and of a MW of line, by sums in the head."""

from __future__ import annotations

import io
import random
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

import planner
from planner.language.language import language
from planner.plan_tables.tables import by_part
from planner.report.terminal.plan import show_prices
from tests.support.build import battery, grid, load, renewable, scenario, thermal


def buyer(*prices: float, node: str = "site", **fields: Any) -> dict[str, Any]:
    return grid(
        import_price_cny_per_mwh=list(prices), export_limit_mw=0, resale=True, node=node, **fields
    )


def value_of(rows: pd.DataFrame, component: str, quantity: str) -> float:
    of_both = (rows["component"] == component) & (rows["quantity"] == quantity)
    return float(rows[of_both]["value"].iloc[0])


def first_megawatt(**fields: Any) -> dict[str, Any]:
    """Bought at 10, a MWh saves 500 of the load's one MW, and sells for 490 beyond it."""
    trading = grid(
        import_limit_mw=20, export_limit_mw=20, resale=True,
        import_price_cny_per_mwh=[10, 500], export_price_cny_per_mwh=[5, 490],
    )  # fmt: skip
    cell = battery(charge_power_mw=0, discharge_power_mw=5) | fields
    return {"grid": trading, "load": load(1, 1), "bat": cell}


def test_the_first_megawatt_of_charging_power() -> None:
    found = planner.prices(scenario(first_megawatt(), 2))
    assert value_of(found.totals, "bat", "power_mw") == 0  # at the directions of the plan
    assert value_of(found.first_units, "bat", "power_mw") == 490
    assert found.plan.summary["prices"]["first_unit"] == {
        "bat": {"power_mw": {"worth": 490.0, "within": 0.0}}
    }


def test_a_power_that_is_not_zero_has_its_price_only() -> None:
    found = planner.prices(scenario(first_megawatt(charge_power_mw=3), 2))
    assert value_of(found.totals, "bat", "power_mw") == 480  # one more MWh from 10 to 490
    assert found.first_units.empty
    assert found.plan.summary["prices"]["first_unit"] == {}


def test_an_idle_battery_and_one_that_is_no_use() -> None:
    """A full store that may not be emptied: the power is worth nothing."""
    cell = battery(
        initial={"energy_mwh": 10}, ending={"at_least_mwh": 10}, discharge_efficiency=0.5
    )
    site = {"grid": buyer(50, 60), "load": load(1, 1), "bat": cell}
    found = planner.prices(scenario(site, 2))
    assert value_of(found.totals, "bat", "power_mw") == 0


def test_a_connection_closed_both_ways_has_no_price_but_a_first_unit() -> None:
    """Coal at 10; a MW of export earns 30 - 10, a MW of import nothing."""
    closed = grid(import_limit_mw=0, export_limit_mw=0)
    found = planner.prices(scenario({"grid": closed, "coal": thermal(), "city": load(50)}))
    priced = found.totals[found.totals["component"] == "grid"]["quantity"].tolist()
    assert "export_limit_mw" not in priced
    assert value_of(found.first_units, "grid", "export_limit_mw") == 20
    assert value_of(found.first_units, "grid", "import_limit_mw") == 0


def test_capacities_of_zero_that_directions_do_not_multiply() -> None:
    """A MW of a plant that is not there saves half a MWh for 40; a first MW of load costs 40.

    At no load the plan has a kink: one MW less is none, and any price between 0 and -40 is right.
    """
    sun = renewable(50, capacity_mw=0)
    found = planner.prices(scenario({"grid": buyer(40), "sun": sun, "town": load(0), "t": load(9)}))
    for rows in (found.first_units, found.totals):
        assert value_of(rows, "sun", "capacity_mw") == 20
    assert value_of(found.first_units, "town", "demand_mw") == -40
    assert -40 <= value_of(found.totals, "town", "demand_mw") <= 0


def test_a_unit_more_that_leaves_no_plan_has_no_worth() -> None:
    site = {"grid": buyer(40, import_limit_mw=9), "town": load(0), "t": load(9)}
    assert "town" not in set(planner.prices(scenario(site)).first_units["component"])


def test_a_relaxation_holds_no_directions() -> None:
    found = planner.prices(scenario(first_megawatt(), 2, solver={"relax": True}))
    assert found.first_units.empty


def test_the_gap_bounds_the_worth() -> None:
    found = planner.prices(scenario(first_megawatt(), 2, solver={"gap": 0.01}))
    entry = found.plan.summary["prices"]["first_unit"]["bat"]["power_mw"]
    assert abs(entry["worth"] - 490) <= entry["within"] + 1e-6


def test_terminal_and_folder_have_both_values(tmp_path: Any) -> None:
    found = planner.prices(scenario(first_megawatt(), 2))
    text = io.StringIO()
    show_prices(found.plan, Console(file=text, width=150))
    (line,) = [row for row in text.getvalue().splitlines() if "bat" in row]
    cells = [cell.strip() for cell in line.strip("│").split("│")]
    assert cells == ["bat", "power_mw", "0", "0", "0", "490.00", "CNY/MW"]
    assert "known to within 0" in text.getvalue()
    text = io.StringIO()
    show_prices(found.plan, Console(file=text, width=150), language("zh"))
    assert "首个单位（重新决策）" in text.getvalue()
    again = planner.read_plan(found.plan.write(tmp_path / "plan"))
    assert "bat,power_mw,first,490.0,CNY/MW" in (tmp_path / "plan" / "prices.csv").read_text()
    assert again.summary["prices"] == found.plan.summary["prices"]


def test_a_model_named_like_a_part_of_a_price_is_none() -> None:
    index = ["at-first", "at-first|first", "once-more|once", "first"]
    table = by_part(pd.DataFrame({"index": index}))
    assert table["index"].tolist() == ["at-first", "at-first", "once-more", ""]
    assert table["part"].tolist() == ["", "first", "once", "first"]


SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 10))]


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_the_first_megawatt_of_many_batteries(seed: int) -> None:
    """Six nodes with prices of their own: 1 MWh from the first hour saves one of the second.

    0.8 of it, with losses; nothing if that does not pay.
    """
    rnd = random.Random(seed)
    prices = [(rnd.randint(0, 60), rnd.randint(0, 60)) for _ in range(6)]
    site: dict[str, Any] = {}
    for k, pair in enumerate(prices):
        node = f"n{k}"
        site[f"grid_{k}"] = buyer(*pair, node=node)
        site[f"load_{k}"] = load(1, 1, node=node)
        site[f"bat_{k}"] = battery(charge_power_mw=0, charge_efficiency=0.8, node=node)
    found = planner.prices(scenario(site, 2, trace=False))
    for k, (early, late) in enumerate(prices):
        worth = max(0.0, 0.8 * late - early)
        first = value_of(found.first_units, f"bat_{k}", "power_mw")
        assert first == pytest.approx(worth, abs=1e-3), k


# lines


def two_nodes(
    k: int, west: float, east: float, capacity: float, loss: float
) -> dict[str, dict[str, Any]]:
    """Two nodes that buy 20 MW each, and a line between them."""
    return {
        f"west_{k}": buyer(west, node=f"w{k}"), f"home_{k}": load(20, node=f"w{k}"),
        f"east_{k}": buyer(east, node=f"e{k}"), f"town_{k}": load(20, node=f"e{k}"),
        f"line_{k}": {
            "kind": "line", "from_node": f"w{k}", "to_node": f"e{k}", "capacity_mw": capacity,
            "loss_share": loss,
        },
    }  # fmt: skip


def test_a_megawatt_of_line_between_two_prices() -> None:
    """Bought at 100 in the west, 0.9 of it saves 300 in the east: 170 in the first hour.

    In the second hour both cost 200, and the loss is all there is to gain: 0.
    """
    site = two_nodes(0, 100, 300, 5, 0.1)
    site["west_0"] |= {"import_price_cny_per_mwh": [100, 200]}
    site["east_0"] |= {"import_price_cny_per_mwh": [300, 200]}
    site |= {name: load(20, 20, node=site[name]["node"]) for name in ("home_0", "town_0")}
    found = planner.prices(scenario(site, 2))
    assert found.hourly["line_0.capacity_mw"].round(6).tolist() == [170, 0]
    assert value_of(found.totals, "line_0", "capacity_mw") == pytest.approx(170)
    one_way = site | {"line_0": site["line_0"] | {"both_ways": False}}
    assert value_of(planner.prices(scenario(one_way, 2)).totals, "line_0", "capacity_mw") == 170


def test_a_line_that_is_wide_enough_is_worth_no_more() -> None:
    found = planner.prices(scenario(two_nodes(0, 100, 300, 50, 0)))
    assert value_of(found.totals, "line_0", "capacity_mw") == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_lines_between_many_prices(seed: int) -> None:
    """Six pairs of nodes; every third line is still to be built."""
    rnd = random.Random(seed)
    cases = [
        (rnd.randint(0, 90), rnd.randint(0, 90), 0 if k % 3 == 0 else 5, rnd.choice([0, 0.1]))
        for k in range(6)
    ]
    site: dict[str, Any] = {}
    for k, case in enumerate(cases):
        site |= two_nodes(k, *case)
    found = planner.prices(scenario(site, trace=False))
    firsts = set(found.first_units["component"])
    for k, (west, east, capacity, loss) in enumerate(cases):
        worth = max((1 - loss) * east - west, (1 - loss) * west - east, 0.0)
        name = f"line_{k}"
        if capacity:
            assert value_of(found.totals, name, "capacity_mw") == pytest.approx(worth, abs=1e-6), k
        assert name in firsts or capacity
        if name in firsts:
            first = value_of(found.first_units, name, "capacity_mw")
            assert first == pytest.approx(worth, abs=1e-6), k
