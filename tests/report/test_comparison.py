"""Two plans side by side."""

from __future__ import annotations

import dataclasses
import io
import math
import re
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.language.language import ENGLISH, Language, language
from planner.language.section import text
from planner.report.charts.difference import columns_chart, common_clock, profit_chart
from planner.report.comparison.compare import Comparison
from planner.report.comparison.page import comparison_page
from planner.report.comparison.tables import lines_chart, show_comparison
from tests.support import compute
from tests.support.build import grid, load, renewable, scenario, solve


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


def test_entries_of_lists_are_told_by_their_names() -> None:
    """A level that only one side has, another order, and a field of a level that both have."""
    soft, off = ({"name": name, "node_kw": kw} for name, kw in (("soft", 100), ("off", 0)))
    common = plan()

    def inputs(*levels: dict[str, object]) -> list[list[str]]:
        two = (
            scenario(compute.site(fleet=compute.fleet(1) | {"sleep": list(part)}))
            for part in ((soft, off), levels)
        )
        plans = (dataclasses.replace(common, scenario=one) for one in two)
        rows: list[list[str]] = planner.compare(*plans).inputs.values.tolist()
        return rows

    sleep = "components.fleet.sleep"
    fields = "wake_min 0, wake_cost_cny 0, drain_min 0"
    assert inputs(off) == [[f"{sleep}[soft]", f"node_kw 100, {fields}", ""]]
    assert inputs(off, soft) == [[sleep, "soft, off", "off, soft"]]
    assert inputs(soft, off | {"node_kw": 5}) == [[f"{sleep}[1].node_kw", "0", "5"]]


def test_inputs_money_figures_and_hours_that_differ_are_told() -> None:
    """Sold for 35 instead of 30: 3 MWh earn 15 CNY more; 5 MW of sun: one MWh more, 35 CNY."""
    found = planner.compare(plan(), plan(35, sun=5))
    assert not found.equal
    assert found.inputs.set_index("path")["a"].to_dict() == {
        "components.pv.availability_pu": "2 values, mean 0.02, 1 differ",
        "components.grid.export_price_cny_per_mwh": "30",
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


def test_a_given_schedule_is_compared_though_no_bound_of_it_is_known(tmp_path: Path) -> None:
    """Sold is 1 MWh less, at 30 CNY."""
    best = plan()
    given = best.schedule.copy()
    given.loc[given.index[0], ["pv.power_mw", "grid.export_mw[renewable]"]] -= 1
    given.loc[given.index[0], "pv.curtailed_mw"] += 1
    settled = planner.settle(best.scenario, given).plan
    assert settled.summary["bound_cny"] is None
    found = planner.compare(best, settled)
    assert found.profit_b_cny - found.profit_a_cny == pytest.approx(-30)
    assert math.isnan(found.bound_b_cny)
    assert found.open_cny is None
    assert "At least one plan has no bound" in comparison_page(found)
    text = printed(found, language("zh"))
    assert "差价" not in text  # a difference is no settlement of a contract
    assert re.search(r"间隙 +│ +0\.0000% │ +– │", text)


def test_what_a_solver_leaves_behind_reads_as_nothing() -> None:
    one, other = plan(), plan()
    other.schedule.iloc[0] += 3
    one.schedule.iloc[0, 0] = 1.4e-8
    assert "e-0" not in printed(planner.compare(one, other), language("en"))


def printed(found: Comparison, words: Language) -> str:
    console = Console(width=150, record=True, file=io.StringIO())
    show_comparison(found, console, words=words)
    return console.export_text()


def test_other_horizons_are_compared_where_they_meet() -> None:
    found = planner.compare(plan(), plan(hours=3))
    assert "1 steps are in only one of the two schedules" in found.notes[0]
    assert found.hours.empty
    assert not found.equal
    assert "horizon.hours" in found.inputs["path"].tolist()


def test_plans_without_a_common_step_are_not_called_equal_by_the_hour() -> None:
    later = plan().scenario.with_values({"horizon.start": "2026-08-01T00:00:00+08:00"})
    comparison = planner.compare(plan(), planner.solve(later))
    assert comparison.hours_unknown
    assert comparison.notes == ("the two schedules have no step in common: hours are not compared",)
    text = printed(comparison, ENGLISH)
    assert "no hour differs" not in text
    assert "the schedules are equal" not in text


def test_the_tables_show_what_differs() -> None:
    console = Console(width=150, record=True, file=io.StringIO())
    show_comparison(planner.compare(plan(), plan(35)), console, top=1)
    text = console.export_text()
    assert "profit 50.00 CNY in A, 65.00 CNY in B: +15.00 CNY" in text
    assert re.search(r"grid export price \[CNY/MWh\] +│ 30 +│ 35 ", text)
    assert re.search(r"grid +│ export from renewable +│ 90\.00 +│ 105\.00 +│ +\+15\.00", text)
    assert re.search(r"profit +│ +│ 50\.00 +│ +65\.00 +│ +\+15\.00", text)
    assert "and 6 more" in text


def test_a_folder_that_is_no_plan_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["compare", str(tmp_path), str(tmp_path)])
    assert done.exit_code == 5
    assert "is no plan folder" in done.output


def test_the_lines_from_a_to_b_add_up_to_the_cent() -> None:
    """35 more for another MWh, 15 more for three: 50; a third of a fen more is rounding."""
    found = planner.compare(plan(), plan(35, sun=5))
    chart = lines_chart(found, ENGLISH)
    amounts = [cell.value for cell in chart.table.iloc[:, 4]]
    assert sum(amounts[:-1]) == pytest.approx(amounts[-1])
    total = [text(cell) for cell in chart.table.iloc[-1]]
    assert total == ["profit", "", "50.00", "100.00", "+50.00"]
    bars = [trace for trace in chart.figure["data"] if trace["name"] == "B earns more"]
    assert [x for bar in bars for x in bar["x"]] == [50]
    off = dataclasses.replace(found, profit_b_cny=found.profit_b_cny + 0.014)
    rounded = lines_chart(off, ENGLISH).table
    rounding = [text(cell) for cell in rounded.iloc[-2]]
    assert rounding[1:] == ["lines below half a fen, and rounding", "–", "–", "+0.01"]


def test_profit_is_compared_hour_by_hour_where_steps_meet() -> None:
    """Hour one earns 3 x 30 and 4 x 35, hour two costs 40 on both sides."""
    a, b = plan(), plan(35, sun=5)
    clock = common_clock(a, b)
    assert clock is not None
    table = profit_chart(a, b, *clock, ENGLISH).table
    assert table.iloc[:, 1:].values.tolist() == [[90, 140, 50, 50], [-40, -40, 0, 50]]
    names = planner.compare(a, b).columns["column"].tolist()
    drawn = columns_chart(a, b, names, *clock, ENGLISH)
    assert drawn is not None
    assert drawn.table["pv power [MW], A"].tolist() == [4, 0]
    assert drawn.table["pv power [MW], B"].tolist() == [5, 0]
    later = solve({"campus": load(1, 1), "grid": grid()}, 1, step_min=30)
    assert common_clock(a, later) is None


@pytest.mark.few(1)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_page_holds_the_whole_comparison(tmp_path: Path, lang: str) -> None:
    plan().write(tmp_path / "a")
    plan(35, sun=5).write(tmp_path / "b")
    out = tmp_path / "pages" / "c.html"
    out.parent.mkdir()
    arguments = ["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--lang", lang, "--out"]
    for _ in range(2):  # one that is there is replaced
        done = CliRunner().invoke(app, [*arguments, str(out)])
        assert done.exit_code == 0, done.output
    text = out.read_text(encoding="utf-8")
    assert 'href="../a/report.html"' in text
    assert 'id="packed-lines"' in text
    assert 'id="packed-profit"' in text
    assert 'id="table-figures"' in text
    assert "+50.00" in text
    assert text.count('src="') == 0
    assert [path.name for path in out.parent.iterdir()] == ["c.html"]
    for name, english, chinese in (
        ("c.pdf", "must end in .html", "扩展名须为 .html"),
        ("a/c.html", "may not lie in the plan folder", "不得放在计划文件夹内"),
        ("none/c.html", "there is no folder", "不存在"),
    ):
        done = CliRunner().invoke(app, [*arguments, str(tmp_path / name)])
        assert done.exit_code == 2
        assert {"en": english, "zh": chinese}[lang] in done.output
        assert not (tmp_path / name).exists()


def test_a_difference_that_the_gaps_do_not_prove_is_said_to_be_open() -> None:
    found = dataclasses.replace(planner.compare(plan(), plan(35)), bound_a_cny=60.0)
    assert found.proven  # 15 more, 10 open
    assert "less than the difference" in comparison_page(found)
    open_ = dataclasses.replace(found, bound_b_cny=80.0)
    assert not open_.proven  # 15 more, 25 open
    assert "not proven" in comparison_page(open_)


def test_equal_plans_have_a_page_too() -> None:
    found = planner.compare(plan(), plan())
    text = comparison_page(found, ENGLISH, (plan(), plan()))
    assert "The two plans are equal" in text
    assert 'id="packed-' not in text
