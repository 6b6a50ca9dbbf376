"""What a sweep folder says: gathered answers, the page, the tables on a terminal."""

from __future__ import annotations

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

from planner.answers import Answers, answer, gather
from planner.answers.gathered import direction, read_answers
from planner.cli import app
from planner.errors import PlanError, ScenarioError
from planner.report import figures_sweep as figures
from planner.report.comparison_cases import compare_cases
from planner.report.sweep import report_sweep, show_sweep
from planner.report.sweep_page import sweep_page
from planner.sweeps.design import design
from planner.sweeps.file import SweepFile, parse_sweep
from planner.sweeps.result import write_cases
from planner.sweeps.store import write_description

ROOT = Path(__file__).parent.parent
PRICE, SIZE = "components.chat.price_cny_per_mtok", "components.battery.capacity_mwh"
GREEN = "components.rule.min_load_share"
OUTPUTS = "outputs: [objective_cny, carbon.emission_tco2]\n"

AXES = f"""
  {PRICE}: {{scale: [0.5, 1, 2]}}
  {SIZE}: {{values: [100, 200, 400], base: 200}}
"""
SWEEPS = {
    "grid": f"design: grid\naxes:{AXES}",
    "one_at_a_time": f"design: one_at_a_time\naxes:{AXES}",
    "latin_hypercube": f"design: latin_hypercube\nsamples: 12\naxes:{AXES}",
    "sobol": f"design: sobol\nsamples: 8\naxes:\n  {PRICE}: {{scale: {{low: 0.5, high: 2}}}}\n"
    f"  {SIZE}: {{low: 100, high: 400}}",
    "one axis": f"axes:\n  {GREEN}: [0.2, 0.4, 0.6]",
    "labels": "axes:\n  world: {bundle: {cheap: {components.coal_1.fuel_price_cny_per_gj: 20},"
    f" dear: {{components.coal_1.fuel_price_cny_per_gj: 40}}}}}}\n  {SIZE}: [100, 200]",
}


def made(kind: str, top: str = OUTPUTS, name: str = "demo") -> tuple[pd.DataFrame, SweepFile]:
    """Cases of a design with profit = 100 price + size / 10, falling emissions, by arithmetic."""
    text = f"name: {json.dumps(name)}\nbase: huainan\n{top}{SWEEPS[kind]}\n"
    sweep, document = parse_sweep(text)
    described, cases = design(sweep, document, Path(), lambda _: None)
    table = pd.DataFrame([{"case": case.number, **case.values} for case in cases])
    price = pd.to_numeric(table.get(PRICE, pd.Series(1.0, table.index)))
    size = pd.to_numeric(table.get(SIZE, pd.Series(200.0, table.index)))
    rule = pd.to_numeric(table.get(GREEN, pd.Series(0.0, table.index)))
    profit = 100 * price + size / 10 - 1000 * rule**2
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


def answers(kind: str) -> Answers:
    return gather(*made(kind))


def test_each_design_gives_the_answers_it_supports() -> None:
    grid = answers("grid")
    assert list(grid.maps) == ["objective_cny", "carbon.emission_tco2"]
    assert grid.maps["objective_cny"].values.loc[400, 2] == 240
    tornado = grid.tornados["objective_cny"].set_index("axis")
    assert tornado.loc[PRICE, ["output_low", "output_high"]].tolist() == [70, 220]
    assert grid.baseline["objective_cny"] == 120
    assert grid.curve is None

    alone = answers("one_at_a_time")
    assert alone.tornados["objective_cny"]["swing"].tolist() == [150, 30]
    assert not alone.maps

    sobol = answers("sobol")
    assert list(sobol.indices) == ["objective_cny", "carbon.emission_tco2"]
    assert not sobol.tornados
    assert not sobol.notes

    sampled = answers("latin_hypercube")
    assert not sampled.maps
    assert not sampled.indices

    one = answers("one axis")
    assert "no case has every axis at its base value" in one.notes[0]
    assert one.curve is not None
    assert one.curve["objective_cny"].tolist() == pytest.approx([80, -40, -240])
    assert one.cost_curve is not None
    assert one.cost_curve["cost_cny_per_mwh"].tolist() == pytest.approx([120 / 200, 200 / 200])

    labels = answers("labels")
    assert labels.maps["objective_cny"].values.columns.tolist() == ["cheap", "dear"]


def test_the_front_takes_directions_from_the_names_of_outputs() -> None:
    found = answers("grid")
    assert found.directions == {"objective_cny": "max", "carbon.emission_tco2": "min"}
    assert found.front is not None
    assert found.front[[PRICE, SIZE]].values.tolist() == [[2, 400]]
    assert direction("figures.campus.shed_mwh") == "min"
    assert direction("figures.import_station.cycles") == "max"


@pytest.mark.parametrize("kind", SWEEPS)
@pytest.mark.parametrize("broken", [False, True])
def test_pages_and_tables_hold_for_every_design(kind: str, broken: bool) -> None:
    cases, sweep = made(kind)
    found = gather(lost(cases, [0]) if broken else cases, sweep)
    check(sweep_page(found))
    text = printed(found)
    assert "demo" in text
    assert ("too green" in text) == broken
    assert json.loads(json.dumps(found.plain(), allow_nan=False))["cases"] == len(cases)


def printed(found: Answers) -> str:
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
        self.text = ""
        self.tables = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [str(v) for k, v in attrs if k in ("src", "href", "data", "action")]
        self.tables += tag == "table"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)
        if "script" not in self.open:
            self.text += data


def check(text: str) -> Page:
    page = Page()
    page.feed(text)
    assert not page.open
    assert not page.loads  # everything is in the file
    assert "default-src 'none'" in text
    assert "<script>" in text
    return page


def test_each_chart_has_its_table_behind_it() -> None:
    page = check(sweep_page(answers("grid")))
    wanted = ["Base case", "Tornado: objective_cny", "Map: objective_cny", "Pareto front"]
    assert all(title in page.headings for title in wanted)
    assert page.tables >= len(page.headings)
    assert "chat.price_cny_per_mtok [CNY/Mtok]" in page.text


def test_cases_without_a_plan_are_told_on_the_page() -> None:
    cases, sweep = made("grid")
    page = check(sweep_page(gather(lost(cases, [0, 8]), sweep)))
    assert "2 cases have no plan" in page.text
    assert "too green" in page.text
    assert "2 of 9 places are empty" in page.text


def test_a_sweep_without_any_plan_still_has_a_page() -> None:
    cases, sweep = made("grid")
    found = gather(lost(cases, list(cases.index)), sweep)
    assert found.solved == 0
    check(sweep_page(found))
    assert "0 with a plan" in printed(found)


def test_texts_of_files_cannot_become_markup() -> None:
    evil = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
    cases, sweep = made("grid", name=evil)
    text = sweep_page(gather(lost(cases, [1], f"{evil}[bold]"), sweep))
    page = check(text)
    assert page.text.count("<img src=x") >= 2  # shown as text: the name and the message
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL)
    assert not any("alert(2)" in script for script in scripts)
    assert "[bold]" in printed(gather(lost(cases, [1], f"{evil}[bold]"), sweep))
    labels = figures.titled("components.<b>.price_cny_per_mwh")
    assert labels == "&lt;b&gt;.price_cny_per_mwh [CNY/MWh]"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("objective_cny", "objective_cny [CNY]"),
        ("value_by_use_cny_per_kwh.compute", "value_by_use_cny_per_kwh.compute [CNY/kWh]"),
        ("ledger_cny.coal_mw.fuel", "ledger_cny.coal_mw.fuel [CNY]"),
        ("figures.hall_mw.cycles", "figures.hall_mw.cycles"),
        ("allocation_mwh.renewable.compute", "allocation_mwh.renewable.compute [MWh]"),
        ("components.coal_mw.fuel_price_cny_per_gj", "coal_mw.fuel_price_cny_per_gj [CNY/GJ]"),
        ("components.grid.export_price_cny_per_mwh.thermal",
         "grid.export_price_cny_per_mwh.thermal [CNY/MWh]"),
        ("efficiency", "efficiency"),
    ],
)  # fmt: skip
def test_axis_titles_carry_the_unit_of_their_name(name: str, title: str) -> None:
    assert figures.titled(name) == title
    assert figures.titled(name, factor=True).endswith("[times the base]")


def test_an_end_without_a_plan_is_named_in_the_chart() -> None:
    cases, sweep = made("one_at_a_time")
    found = gather(lost(cases, [3]), sweep)  # the high end of the price
    table = found.tornados["objective_cny"]
    figure = figures.tornado_figure(table, "objective_cny")
    texts = [text for bar in figure.data for text in bar.text]
    assert "2: infeasible" in texts
    assert all(np.isfinite(bar.x).all() for bar in figure.data)


def folder(path: Path, kind: str = "grid") -> Path:
    cases, sweep = made(kind)
    path.mkdir()
    base = ROOT / "scenarios" / "huainan" / "scenario.yaml"
    write_description(sweep.model_copy(update={"base": str(base)}), path)
    write_cases(cases, path)
    return path


def test_a_sweep_folder_is_answered_and_reported(tmp_path: Path) -> None:
    target = folder(tmp_path / "demo")
    point = {"value": 1.0, "status": "optimal", "left": 2.0, "right": None,
             "objective_cny": 3.0, "gap": 0.0, "message": ""}  # fmt: skip
    found = {"path": PRICE, "where": "profit = 5", "low": 0, "high": 1, "status": "found",
             "value": 0.5, "bracket": [0.4, 0.6], "text": "there", "points": [point]}  # fmt: skip
    (target / "breakeven.json").write_text(json.dumps(found))
    assert [path.name for path in answer(target)] == ["answers.json"]
    assert [path.name for path in report_sweep(target)] == ["answers.json", "report.html"]
    plain = json.loads((target / "answers.json").read_text())
    assert plain["break_even"] == found
    assert plain["map"]["objective_cny"]["values"][2][2] == 240
    page = check((target / "report.html").read_text(encoding="utf-8"))
    assert "Break-even" in page.headings
    assert "break-even: there" in printed(read_answers(target))


def test_two_cases_of_a_sweep_are_compared(tmp_path: Path) -> None:
    """From price 0.5, size 100 to price 1, size 200: 50 + 10 CNY more, 100 tCO2 less."""
    target = folder(tmp_path / "demo")
    found = compare_cases(target, 0, 4)
    assert found.inputs.values.tolist() == [[PRICE, "0.5", "1"], [SIZE, "100", "200"]]
    figures = found.figures.set_index("figure")["difference"]
    assert figures["objective_cny"] == 60
    assert figures["carbon.emission_tco2"] == -100
    assert found.money.values.tolist() == [["coal", "fuel", -50, -100, -50]]
    run = CliRunner().invoke(app, ["compare", str(target), "--case", "0", "--case", "4"])
    assert run.exit_code == 0, run.output
    assert "profit 60.00 in A, 120.00 in B: +60.00 CNY" in run.output
    for wrong, said in (
        (["--case", "0"], "and --case twice"),
        (["--case", "0", "--case", "9"], "there is no case 9; the last is 8"),
        ([str(target), "--case", "0", "--case", "1"], "needs two plan folders"),
        ([], "needs two plan folders"),
    ):
        run = CliRunner().invoke(app, ["compare", str(target), *wrong])
        assert run.exit_code == 2
        assert said in run.output


def test_a_folder_that_is_no_sweep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="is no sweep folder"):
        answer(tmp_path)
    cases, sweep = made("grid")
    with pytest.raises(ScenarioError, match="no such column"):
        gather(cases.drop(columns=PRICE), sweep)


def test_an_output_that_no_plan_has_is_told_and_the_others_are_answered() -> None:
    cases, sweep = made("grid", top="outputs: [objectiv_cny, carbon.emission_tco2]\n")
    found = gather(cases, sweep)
    assert found.notes == ["no plan has a figure objectiv_cny; did you mean objective_cny?"]
    assert list(found.tornados) == ["carbon.emission_tco2"]
    assert found.best["carbon.emission_tco2"].is_monotonic_increasing  # less is better
