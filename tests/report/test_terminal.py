"""What a terminal shows of plans and simulations."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

import planner
from planner.language.language import language
from planner.plan_tables.simulation import SimulationTable
from planner.report.terminal.plan import show, show_prices
from planner.report.terminal.studies import show_simulation
from tests.support.build import battery, grid, renewable, solve

WORDS = language("en")


@pytest.fixture(scope="module")
def plan() -> planner.Plan:
    """4 MWh bought at 10 are sold at 50, and 3 MWh of sun beside them at 10 and 50."""
    prices = {"import_price_cny_per_mwh": [10, 50], "export_price_cny_per_mwh": [10, 50]}
    parts = {"grid": grid(resale=True, **prices), "battery": battery(), "sun": renewable(0, 3)}
    return solve(parts, 2)


def shown(print_on: Callable[[Console], None]) -> str:
    console = Console(file=io.StringIO(), width=120)
    print_on(console)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def rows(text: str) -> list[list[str]]:
    """The cells of all tables, row by row."""
    lines = [line for line in text.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines]


def test_energy_and_the_income_of_a_kwh_are_tables_of_one_unit_each(plan: planner.Plan) -> None:
    text = shown(lambda console: show(plan, console, WORDS))
    assert text.index("Where the energy went [MWh]") < text.index("What a kWh earned [CNY/kWh]")
    energy, earned = (row for row in rows(text) if row[0] == "renewable")
    assert (energy[1], energy[-1]) == ("3.000", "3.000")
    assert earned[1:] == ["0.050"]
    assert ["total", "7.000"] in [[row[0], row[-1]] for row in rows(text)]


def test_rates_do_not_read_as_two_numbers(plan: planner.Plan) -> None:
    text = shown(lambda console: show(plan, console, WORDS))
    assert "cycles 4.8/day" in text  # 4 of 10 MWh in 2 h
    chinese = shown(lambda console: show(plan, console, language("zh")))
    assert "4.8 次/日" in chinese


def test_prices_line_up_to_the_cent_and_small_ones_show_three_digits(plan: planner.Plan) -> None:
    keys = ("component", "quantity", "index", "unit", "time", "value")
    times = (*plan.schedule.index[:2], pd.NaT)
    values = {"power_mw": (0.0, 5336.9251, 5336.9251), "demand_mtok_per_h": (0.0, 0.013994, 0.009)}
    table = pd.DataFrame(
        [
            dict(zip(keys, ("x", quantity, "", "CNY/MW", time, value), strict=True))
            for quantity, of_times in values.items()
            for time, value in zip(times, of_times, strict=True)
        ]
    )
    summary = plan.summary | {"prices": {"hold": "unbounded"}}
    priced = replace(plan, prices=table, summary=summary)
    text = shown(lambda console: show_prices(priced, console, WORDS))
    assert [row[2:5] for row in rows(text)] == [
        ["5,336.93", "0", "5,336.93"],
        ["0.0090", "0", "0.0140"],
    ]


def test_a_use_that_no_kind_declares_is_not_lost(plan: planner.Plan) -> None:
    heat = plan.allocation.assign(use=plan.allocation["use"].replace("export", "heat"))
    mwh = {
        origin: {"heat" if use == "export" else use: amount for use, amount in by_use.items()}
        for origin, by_use in plan.summary["allocation_mwh"].items()
    }
    other = replace(plan, allocation=heat, summary=plan.summary | {"allocation_mwh": mwh})
    text = shown(lambda console: show(other, console, WORDS))
    (total,) = [row for row in rows(text) if row[0] == "total"]
    assert "heat ┃ total ┃" in text
    assert total[-2:] == ["7.000", "7.000"]


def test_the_ledger_adds_up_and_leaves_out_what_is_nothing(plan: planner.Plan) -> None:
    """4 MWh are bought for 40; 7 MWh are sold for 350."""
    lines = {"grid": {"import": -40.0, "export[renewable]": 350.0, "nothing": 0.004}}
    outside = {"sun": {"levelized": -1234.0}}
    summary = plan.summary | {"ledger_cny": lines, "outside_objective_cny": outside}
    text = shown(lambda console: show(replace(plan, summary=summary), console, WORDS))
    at = next(i for i, row in enumerate(rows(text)) if row[:2] == ["grid", "import"])
    assert rows(text)[at : at + 4] == [
        ["grid", "import", "-40"],
        ["grid", "export from renewable", "350"],
        ["", "profit", "310"],
        ["sun", "levelized (outside the plan)", "-1,234"],  # amounts line up with the largest
    ]


def test_figures_stand_beside_their_unit(plan: planner.Plan) -> None:
    text = shown(lambda console: show(plan, console, WORDS))
    (sun,) = [row for row in rows(text) if row[0] == "sun"]
    assert sun[1] == "available 3 MWh,  curtailed 0 MWh"
    assert ["exported / available", "100.0%", "100.0%", "100.0%"] in rows(text)


def test_a_simulation_has_a_column_a_policy() -> None:
    """What only rounding keeps from nothing reads as nothing; what is not known is a dash."""
    counts = ("starts", "cycles", "commitment_changes", "forced_steps", "breaches")
    amounts = ("profit_cny", "cash_profit_cny", "unserved_mtok", "curtailed_mwh")
    shares: dict[str, Any] = {
        "capture_share": -1e-12, "above_baseline_share": None, "of_bound_share": float("nan"),
        "load_share": -0.25, "self_use_share": 0.5,
    }  # fmt: skip
    values = dict.fromkeys(counts, 1) | dict.fromkeys(amounts, 1234.5) | shares
    table = pd.DataFrame([{"policy": "grid_first", **values}])
    simulation = SimulationTable(table, {"forecasts": []}, 200.0, "grid_first", None, {}, None)
    text = shown(lambda console: show_simulation(simulation, console, WORDS))
    cells = {row[0]: row[1] for row in rows(text)}
    assert "┃ grid first ┃" in text
    assert cells["profit [CNY]"] == "1,234.5"
    assert cells["share of perfect foresight"] == "0.0%"
    assert (
        cells["the same, of the profit above the baseline"] == cells["share of the LP bound"] == "–"
    )
    assert cells["renewable part of the load"] == "-25.0%"
    assert cells["starts of thermal units"] == "1"
    assert "LP bound of the profit: 200 CNY\nbaseline: grid first\nnote the scenario has" in text
