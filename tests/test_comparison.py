"""Two plans side by side."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

import planner
from planner.cli import app
from planner.report.comparing import show_comparison
from tests.build import grid, load, renewable, solve


def plan(sale: float = 30, *, hours: float = 2, sun: float = 4, **more: object) -> planner.Plan:
    """4 MW of sun in hour one: 1 MW is used, 3 are sold at 30; then 1 MW is bought at 40."""
    parts = {
        "pv": renewable(*[sun, 0, 0][: int(hours)]),
        "grid": grid(export_price_cny_per_mwh=sale),
        "campus": load(*[1] * int(hours)),
    }
    return solve(parts | more, hours)  # type: ignore[operator]


def test_equal_plans_say_so(tmp_path: Path) -> None:
    for name in ("a", "b"):
        plan().write(tmp_path / name)
    assert planner.compare(tmp_path / "a", tmp_path / "b").equal
    done = CliRunner().invoke(app, ["compare", str(tmp_path / "a"), str(tmp_path / "b")])
    assert done.exit_code == 0, done.output
    assert "the two plans are equal" in done.output


def test_inputs_money_figures_and_hours_that_differ_are_told() -> None:
    """Sold for 35 instead of 30: 3 MWh earn 15 CNY more; 5 MW of sun: one MWh more, 35 CNY."""
    found = planner.compare(plan(), plan(35, sun=5))
    assert not found.equal
    assert found.inputs.set_index("path")["a"].to_dict() == {
        "components.pv.availability_pu": "2 values, mean 0.02, 1 differ",
        "components.grid.export_price_cny_per_mwh": "30.0",
    }
    assert found.money.values.tolist() == [["grid", "export[renewable]", 90, 140, 50]]
    figures = found.figures.set_index("figure")["difference"]
    assert figures["objective_cny"] == pytest.approx(50)
    assert figures["allocation_mwh.renewable.export"] == pytest.approx(1)
    assert figures["value_by_use_cny_per_kwh.export"] == pytest.approx(0.005)
    assert found.hours[["a", "b", "difference_cny", "columns"]].values.tolist() == [
        [90, 140, 50, 2]
    ]
    assert sorted(found.columns["column"]) == ["grid.export_mw[renewable]", "pv.power_mw"]
    sold = found.columns.set_index("column").loc["grid.export_mw[renewable]"]
    assert (sold["steps"], sold["moved"], sold["a"], sold["b"]) == (1, 0.5, 3, 4)


def test_components_that_one_side_lacks_are_told() -> None:
    found = planner.compare(plan(), plan(wind=renewable(0, 1) | {"technology": "wind"}))
    assert found.inputs.values.tolist() == [["components.wind", "", "a renewable"]]
    assert "wind.power_mw" in found.columns["column"].tolist()
    assert found.money["difference_cny"].tolist() == [40]  # the MWh bought at 40 is not needed


def test_other_horizons_are_compared_where_they_meet() -> None:
    found = planner.compare(plan(), plan(hours=3))
    assert "1 steps stand in one of the two schedules only" in found.notes[0]
    assert found.hours.empty
    assert not found.equal
    assert "horizon.hours" in found.inputs["path"].tolist()


def test_the_tables_show_what_differs() -> None:
    console = Console(width=150, record=True, file=io.StringIO())
    show_comparison(planner.compare(plan(), plan(35)), console, top=1)
    text = console.export_text()
    assert "profit 50.00 in A, 65.00 in B: +15.00 CNY" in text
    assert "components.grid.export_price_cny_per_mwh" in text
    assert "and 6 more" in text


def test_a_folder_that_is_no_plan_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["compare", str(tmp_path), str(tmp_path)])
    assert done.exit_code == 5
    assert "is no plan folder" in done.output
