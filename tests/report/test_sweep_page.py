"""What a sweep folder says: its analyses, the page, the tables on a terminal."""

from __future__ import annotations

import dataclasses
import html
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner

from planner.cli.app import app
from planner.errors import PlanError, ScenarioError
from planner.files.yaml_document import parse_yaml
from planner.language.language import language
from planner.language.section import text
from planner.report.comparison.compare_cases import compare_cases
from planner.report.sweep_page.bars import tornado_figure
from planner.report.sweep_page.curves import curve_figure
from planner.report.sweep_page.maps import map_figure, matrix_figure, of_matrix, thinned
from planner.report.sweep_page.page import (
    base_and_best,
    best_axes,
    sweep_page,
    varied,
    what_matters,
)
from planner.report.sweep_page.report_sweep import report_sweep, show_sweep
from planner.report.sweep_page.words import titled
from planner.sweeps.analysis.analyses import Analyses, analyse, read_analyses
from planner.sweeps.analysis.case_table import Analysis, AxisCurve
from planner.sweeps.analysis.cost_curve import CostCurve
from planner.sweeps.analysis.maps import Map
from planner.sweeps.analysis.pareto import Front
from planner.sweeps.analysis.sobol import Indices
from planner.sweeps.analysis.tornado import Tornado
from planner.sweeps.design import design
from planner.sweeps.result import write_cases, write_description
from planner.sweeps.sweep_file import SweepFile, check_sweep
from tests.support.documents import document

ROOT = Path(__file__).parent.parent.parent
PRICE, SIZE = "components.chat.price_cny_per_mtok", "components.battery.capacity_mwh"
GREEN = "components.rule.min_load_share"
CARBON = "components.carbon.price_cny_per_tco2"
OUTPUTS = "outputs: [objective_cny, carbon.emission_tco2]\n"

AXES = f"""
  {PRICE}: {{scale: [0.5, 1, 2]}}
  {SIZE}: {{values: [100, 200, 400], base: 200}}
"""
SWEEPS = {
    "grid": f"design: grid\naxes:{AXES}",
    "one_at_a_time": f"design: one_at_a_time\naxes:{AXES}",
    "latin_hypercube": f"design: latin_hypercube\nsamples: 12\naxes:{AXES}",
    "sobol": f"design: sobol\nsamples: 32\naxes:\n  {PRICE}: {{scale: {{low: 0.5, high: 2}}}}\n"
    f"  {SIZE}: {{low: 100, high: 400}}",
    "one axis": f"axes:\n  {GREEN}: [0.2, 0.4, 0.6]",
    "far apart": f"axes:\n  {CARBON}: {{values: [-100, 0, 1, 10, 100, 1000], base: 10}}",
    "labels": "axes:\n  world: {bundle: {cheap: {components.coal_1.fuel_price_cny_per_gj: 20},"
    f" dear: {{components.coal_1.fuel_price_cny_per_gj: 40}}}}}}\n  {SIZE}: [100, 200]",
}


def made(kind: str, top: str = OUTPUTS, name: str = "demo") -> tuple[pd.DataFrame, SweepFile]:
    """Cases of a design with profit = 100 price + size / 10, falling emissions, by arithmetic."""
    text = f"name: {json.dumps(name)}\nbase: huainan\n{top}{SWEEPS[kind]}\n"
    document = parse_yaml(text, "sweep")
    sweep = check_sweep(document)
    described, cases = design(sweep, document, Path(), lambda _: None)
    table = pd.DataFrame([{"case": case.number, **case.values} for case in cases])
    price = pd.to_numeric(table.get(PRICE, pd.Series(1.0, table.index)))
    size = pd.to_numeric(table.get(SIZE, pd.Series(200.0, table.index)))
    carbon = pd.to_numeric(table.get(CARBON, pd.Series(0.0, table.index)))
    rule = pd.to_numeric(table.get(GREEN, pd.Series(0.0, table.index)))
    profit = 100 * price + size / 10 - 1000 * rule**2 - carbon
    figures = {
        "status": "optimal", "gap": 1e-4, "message": "", "refined": False, "objective_cny": profit,
        "bound_cny": profit, "carbon.emission_tco2": 500 - size - 100 * rule,
        "carbon.import_emission_tco2": 0.0, "green.load_share": rule,
        "allocation_mwh.renewable.compute": 1000 * rule,
        "allocation_mwh.grid.compute": 1000 * (1 - rule),
        "ledger_cny.coal.fuel": -size / 2,
    }  # fmt: skip
    return table.assign(**figures), described


def lost(cases: pd.DataFrame, rows: list[int], message: str = "too green") -> pd.DataFrame:
    cases = cases.copy()
    cases.loc[rows, ["status", "message"]] = ["infeasible", message]
    cases.loc[rows, ["objective_cny", "carbon.emission_tco2"]] = np.nan
    return cases


def analysed(kind: str) -> Analyses:
    return analyse(*made(kind))


def by_output(kind: type[Analysis], analyses: Analyses) -> dict[str, pd.DataFrame]:
    """The tables of one kind of analysis."""
    return {analysis.output: analysis.table for analysis in analyses.of(kind)}


def only(kind: type[Analysis], analyses: Analyses) -> pd.DataFrame:
    (analysis,) = analyses.of(kind)
    return analysis.table


def test_each_design_gives_the_analyses_it_supports() -> None:
    grid = analysed("grid")
    assert list(by_output(Map, grid)) == ["objective_cny", "carbon.emission_tco2"]
    assert by_output(Map, grid)["objective_cny"].loc[400, 2] == 240
    tornado = by_output(Tornado, grid)["objective_cny"].set_index("axis")
    assert tornado.loc[PRICE, ["output_low", "output_high"]].tolist() == [70, 220]
    assert grid.baseline["objective_cny"] == 120
    assert not grid.of(AxisCurve)

    alone = analysed("one_at_a_time")
    assert by_output(Tornado, alone)["objective_cny"]["swing"].tolist() == [150, 30]
    assert not alone.of(Map)

    sobol = analysed("sobol")
    assert list(by_output(Indices, sobol)) == ["objective_cny", "carbon.emission_tco2"]
    assert not sobol.of(Tornado)
    assert not sobol.notes

    sampled = analysed("latin_hypercube")
    assert not sampled.of(Map)
    assert not sampled.of(Indices)

    one = analysed("one axis")
    assert one.notes == ("no tornado: no case has every axis at its base value",)
    assert only(AxisCurve, one)["objective_cny"].tolist() == pytest.approx([80, -40, -240])
    cost = only(CostCurve, one)["cost_cny_per_mwh"].tolist()
    assert cost == pytest.approx([120 / 200, 200 / 200])

    labels = analysed("labels")
    assert by_output(Map, labels)["objective_cny"].columns.tolist() == ["cheap", "dear"]


def test_the_front_takes_directions_from_the_names_of_outputs() -> None:
    (front,) = analysed("grid").of(Front)
    assert front.ways == {"objective_cny": "most", "carbon.emission_tco2": "least"}
    assert front.table[[PRICE, SIZE]].values.tolist() == [[2, 400]]


@pytest.mark.parametrize("kind", SWEEPS)
@pytest.mark.parametrize("broken", [False, True])
def test_pages_and_tables_hold_for_every_design(kind: str, broken: bool) -> None:
    cases, sweep = made(kind)
    found = analyse(lost(cases, [0]) if broken else cases, sweep)
    check(sweep_page(found))
    text = printed(found)
    assert "demo" in text
    assert ("too green" in text) == broken
    assert json.loads(json.dumps(found.plain(), allow_nan=False))["cases"] == len(cases)


def printed(found: Analyses) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    show_sweep(found, console)
    return console.export_text()


class Page(HTMLParser):
    """Checks that tags close in order, and keeps what a browser would load."""

    VOID = frozenset({"meta", "br", "hr", "img", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.loads: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.tables = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [str(v) for k, v in attrs if k in ("src", "data", "action")]
        self.links += [str(v) for k, v in attrs if k == "href" and not str(v).startswith("#")]
        self.tables += tag == "table"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("h2", "h3"):
            self.headings.append(data)
        if not {"script", "style"} & {*self.open}:
            self.text += data


def check(text: str) -> Page:
    page = Page()
    page.feed(text)
    assert not page.open
    assert not page.loads  # everything is in the file
    assert "default-src 'none'" in html.unescape(text)
    assert "<script>" in text
    return page


def test_each_chart_has_its_table_behind_it() -> None:
    page = check(sweep_page(analysed("grid")))
    wanted = ["Tornado: profit", "Map: profit", "Contours: profit",
              "Pareto front", "Axes and outputs, each against each"]  # fmt: skip
    assert all(title in page.headings for title in wanted)
    assert (
        page.text.count("The table behind it") == 8
    )  # two outputs: tornado, map and contours each
    assert page.tables == 8 + 2  # the base and best case, the cases
    assert "chat price [times the base]" in page.text
    assert not page.links


def test_cases_without_a_plan_are_told_on_the_page() -> None:
    cases, sweep = made("grid")
    page = check(sweep_page(analyse(lost(cases, [0, 8]), sweep)))
    assert "2 of 9 cases have no plan" in page.text
    assert "too green" in page.text
    assert "2 of 9 places are empty" in page.text


def test_a_sweep_without_any_plan_still_has_a_page() -> None:
    cases, sweep = made("grid")
    found = analyse(lost(cases, list(cases.index)), sweep)
    assert found.solved == 0
    check(sweep_page(found))
    assert "0 with a plan" in printed(found)


def test_texts_of_files_cannot_become_markup() -> None:
    evil = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
    cases, sweep = made("grid", name=evil)
    text = sweep_page(analyse(lost(cases, [1], f"{evil}[bold]"), sweep))
    page = check(text)
    assert page.text.count("<img src=x") >= 2  # shown as text: the name and the message
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL)
    assert not any("alert(2)" in script for script in scripts)
    assert "[bold]" in printed(analyse(lost(cases, [1], f"{evil}[bold]"), sweep))
    axes = {"components.<b>.price_cny_per_mwh": [1.0, 2.0]}
    table = pd.DataFrame({"case": [0, 1], **axes, "status": "optimal", "objective_cny": [1.0, 2.0]})
    drawn = curve_figure(AxisCurve(table=table, axis=next(iter(axes))), ["objective_cny"])
    title = drawn["layout"]["xaxis"]["title"]["text"]
    assert title == "&lt;b&gt; price [CNY/MWh]"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("objective_cny", "profit [CNY]"),
        ("value_by_use_cny_per_kwh.compute", "value of a kWh (compute) [CNY/kWh]"),
        ("ledger_cny.coal_mw.fuel", "coal_mw fuel [CNY]"),
        ("figures.hall_mw.cycles", "hall_mw cycles"),
        ("allocation_mwh.renewable.compute", "energy (renewable, compute) [MWh]"),
        ("components.coal_mw.fuel_price_cny_per_gj", "coal_mw fuel price [CNY/GJ]"),
        ("components.grid.export_price_cny_per_mwh.thermal",
         "grid export price (thermal) [CNY/MWh]"),
        ("efficiency", "efficiency"),
    ],
)  # fmt: skip
def test_axis_titles_carry_the_unit_of_their_name(name: str, title: str) -> None:
    assert titled(name) == title
    assert titled(name, factor=True).endswith("[times the base]")


def test_an_end_without_a_plan_is_named_in_the_chart() -> None:
    cases, sweep = made("one_at_a_time")
    found = analyse(lost(cases, [3]), sweep)  # the high end of the price
    figure = tornado_figure(found.of(Tornado)[0])
    assert "2: infeasible" in [text for bar in figure["data"] for text in bar["text"]]
    assert all(np.isfinite(bar["x"]).all() for bar in figure["data"])


def test_bars_of_a_tornado_reach_from_the_base_to_each_end() -> None:
    """Profit is 100 price + size / 10: 120 at the base, 70 and 220 at the ends of the price."""
    tornado = analysed("grid").of(Tornado)[0]
    figure = tornado_figure(tornado)
    low, high = figure["data"]
    assert (low["base"], low["x"].tolist(), high["x"].tolist()) == (120, [-50, -10], [100, 20])
    beside = dataclasses.replace(tornado, table=tornado.table.assign(change_low=5.0))
    both = tornado_figure(beside)["data"]
    assert (both[0]["offset"] < both[1]["offset"]).all()  # none hides the other


def test_the_matrix_draws_each_pair_once_and_thins_many_cases() -> None:
    cases, sweep = made("latin_hypercube")
    shown, left = of_matrix(cases, tuple(sweep.axes), ["objective_cny", "gap"])
    assert shown == ["objective_cny", PRICE, SIZE]  # the gap is the same in every case
    assert left == 0
    figure = matrix_figure(cases, shown, tuple(sweep.axes))
    pairs = [(trace["xaxis"], trace["yaxis"]) for trace in figure["data"]]
    assert pairs == [("x", "y"), ("x", "y2"), ("x2", "y2")]
    assert figure["data"][1]["x"] == cases["objective_cny"].tolist()
    assert figure["data"][1]["y"] == cases[SIZE].tolist()
    many = pd.concat([cases] * 100, ignore_index=True)
    assert len(thinned(many)) == 400
    assert of_matrix(cases.assign(**{f"o{i}": cases[SIZE] for i in range(9)}), tuple(sweep.axes),
                     [f"o{i}" for i in range(9)])[1] == 4  # fmt: skip  # seven are shown


def test_a_map_says_where_there_is_no_plan() -> None:
    cases, sweep = made("grid")
    grid = analyse(lost(cases, [0]), sweep).of(Map)[0]
    heat, missing = map_figure(grid)["data"]
    assert heat["z"][2].tolist() == [90, 140, 240]
    assert np.isnan(heat["z"][0][0])
    assert (missing["x"], missing["y"], missing["text"]) == (["0.5"], ["100"], ["✗ infeasible"])


def test_the_first_screen_of_a_sweep_tells_what_came_out() -> None:
    """The best case is 2 x 100 + 400 / 10 = 240, the base case 120."""
    grid, words = analysed("grid"), language("en")
    assert [value for _, value in best_axes(grid, words)] == ["2", "400"]
    assert [value for _, value in varied(grid, words)] == [
        "0.5, 1, 2; base 1",
        "100, 200, 400; base 200",
    ]
    both = base_and_best(grid, words)
    assert both is not None
    name, *values = both.rows[0]
    assert (name, *map(text, values)) == ("profit", "120 CNY", "240 CNY", "120 CNY")
    assert [value for _, value in what_matters(grid, words)] == ["150 CNY", "30 CNY"]
    page = check(sweep_page(analysed("grid"))).text
    assert "+120 CNY" in page
    assert "The largest gaps left are 0.0100% of the turnover; smaller" in page


def test_the_gap_of_profit_stands_beside_the_gap() -> None:
    """The worst case earns 60 CNY, with no gap known, the next 70, of which 0.07 CNY are 0.1%."""
    cases, description = made("grid")
    cases["gap_of_profit"] = (0.07 / cases["objective_cny"]).where(cases["objective_cny"] > 60)
    found = analyse(cases, description)
    assert "The largest gaps left are 0.0100% of the turnover, 0.1000% of" in printed(found)
    for lang, left, head in (
        ("en", "0.0100% of the turnover, 0.1000% of the profit; smaller", "gap of profit"),
        ("zh", "收支总额的 0.0100%、利润的 0.1000%；小于", "利润间隙"),
    ):
        page = sweep_page(found, language(lang))
        assert left in check(page).text
        assert f'<th scope="col" class="number">{head}</th>' in page


def test_cases_with_a_plan_page_are_linked(tmp_path: Path) -> None:
    target = folder(tmp_path / "demo")
    plan = target / "plans" / "8"
    plan.mkdir(parents=True)
    (plan / "report.html").write_text("a page")
    report_sweep(target)
    text = (target / "report.html").read_text(encoding="utf-8")
    assert {link for link in check(text).links if "plans" in link} == {"plans/8/report.html"}
    assert '<script type="application/json" id="page-links">{"8": "plans/8/report.html"}' in text
    assert "Click a point" in check(text).text


def folder(path: Path, kind: str = "grid") -> Path:
    cases, sweep = made(kind)
    path.mkdir()
    base = ROOT / "scenarios" / "huainan" / "scenario.yaml"
    write_description(sweep.revised({"base": str(base)}), path)
    write_cases(cases, path)
    return path


def test_a_sweep_folder_is_answered_and_reported(tmp_path: Path) -> None:
    target = folder(tmp_path / "demo")
    point = {"value": 1.0, "status": "optimal", "left": 2.0, "right": None,
             "objective_cny": 3.0, "gap": 0.0, "message": ""}  # fmt: skip
    found = {"path": PRICE, "where": "profit = 5", "low": 0, "high": 1, "status": "found",
             "value": 0.5, "bracket": [0.4, 0.6], "text": "there", "points": [point]}  # fmt: skip
    (target / "breakeven.json").write_text(json.dumps(found))
    assert report_sweep(target)[0].name == "answers.json"
    assert [path.name for path in report_sweep(target)] == ["answers.json", "report.html"]
    plain = json.loads((target / "answers.json").read_text())
    assert plain["break_even"] == found
    assert plain["map"]["objective_cny"]["values"][2][2] == 240
    page = check((target / "report.html").read_text(encoding="utf-8"))
    assert "Break-even of chat price" in page.headings
    shown = printed(read_analyses(target)).splitlines()
    assert "there" in shown[shown.index(next(x for x in shown if x.startswith("Break-even"))) :]


def test_two_cases_of_a_sweep_are_compared(tmp_path: Path) -> None:
    """From price 0.5, size 100 to price 1, size 200: 50 + 10 CNY more, 100 tCO2 less."""
    target = folder(tmp_path / "demo")
    found = compare_cases(target, 0, 4)
    assert found.inputs.values.tolist() == [[PRICE, "0.5", "1"], [SIZE, "100", "200"]]
    figures = found.figures.set_index("figure")["difference"]
    assert figures["objective_cny"] == 60
    assert figures["carbon.emission_tco2"] == -100
    assert found.money.values.tolist() == [["coal", "fuel", -50, -100, -50]]
    asked = ["compare", str(target), "--case", "0", "--case", "4"]
    assert document(CliRunner().invoke(app, [*asked, "--json"]))["comparison"]["hours"] is None
    run = CliRunner().invoke(app, asked)
    assert run.exit_code == 0, run.output
    assert "profit 60.00 CNY in A, 120.00 CNY in B: +60.00 CNY" in run.output
    for wrong, said in (
        (["--case", "0"], "and --case twice"),
        (["--case", "0", "--case", "9"], "there is no case 9; the last is 8"),
        ([str(target), "--case", "0", "--case", "1"], "needs two plan folders"),
        ([], "needs two plan folders"),
    ):
        run = CliRunner().invoke(app, ["compare", str(target), *wrong])
        assert run.exit_code == 2
        assert said in run.output


def test_an_axis_left_as_in_the_base_is_compared_as_such(tmp_path: Path) -> None:
    target = folder(tmp_path / "demo")
    cases = read_analyses(target).cases
    cases.loc[[0, 4], PRICE] = np.nan
    write_cases(cases, target)
    assert compare_cases(target, 0, 1).inputs.values.tolist() == [
        [PRICE, "as in the base", "0.5"],
        [SIZE, "100", "200"],
    ]
    assert compare_cases(target, 0, 4).inputs["path"].tolist() == [SIZE]


def test_the_terminal_shows_the_first_output_as_the_page_does() -> None:
    shown = printed(analysed("grid"))
    for title in ("Pareto front", "Tornado: profit", "Map: profit; across:"):
        assert title in shown
    assert "Contours" not in shown
    assert "Tornado: emission" not in shown
    assert "tables of emission: report.html" in shown
    assert "and 4 more" in shown  # of nine cases the best five
    assert "optimal" not in shown  # a column that says it of every row is left out
    assert "Along rule min load share" in printed(analysed("one axis"))


def test_a_folder_that_is_no_sweep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="is no sweep folder"):
        read_analyses(tmp_path)
    cases, sweep = made("grid")
    with pytest.raises(ScenarioError, match="no such column"):
        analyse(cases.drop(columns=PRICE), sweep)


def test_an_output_that_no_plan_has_is_told_and_the_others_are_answered() -> None:
    cases, sweep = made("grid", top="outputs: [objectiv_cny, carbon.emission_tco2]\n")
    found = analyse(cases, sweep)
    assert found.notes == ("no plan has a figure objectiv_cny; did you mean objective_cny?",)
    assert list(by_output(Tornado, found)) == ["carbon.emission_tco2"]
    assert found.best["carbon.emission_tco2"].is_monotonic_increasing  # less is better
