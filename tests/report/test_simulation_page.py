"""The page of a simulation: what it says is what its folder holds.

Of the wind of `one_hour`, 50 MW are forecast and 20 come. Known ahead they earn 20 x 30 = 600. On
the forecast 50 are declared: 30 are bought back at 35 and fined 10 each, which leaves 1500 - 1050 -
300 = 150: deviating costs 450. Nothing declared, 20 x 35 - 20 x 10 = 500 are left.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.errors import PlanError
from planner.language.language import language
from planner.language.section import Quantity, percent, text
from planner.plan_tables.simulation import (
    FORECAST_COLUMNS,
    SimulationTable,
    facts_of,
    forecast_errors,
    read_simulation,
)
from planner.report.charts.view import View
from planner.report.simulation_page.charts import days_chart, forecast_charts, operation_chart
from planner.report.simulation_page.page import simulation_page
from planner.report.simulation_page.sections import (
    days_section,
    deviations,
    errors_section,
    lines_section,
    off_declaration_cny,
)
from planner.report.whole_page import report_whole
from planner.studies.policy import POLICIES, forecasts
from tests.report.test_sweep_page import check
from tests.studies.test_simulate import ERRING, random_site
from tests.support import build
from tests.support.pages import cells_of, texts_of

EN, ZH = language("en"), language("zh")
WIND = "components.wind.availability_pu"
SITE = """\
name: one hour
horizon: {start: 2026-07-15T00:00:00+08:00, hours: 1}
components:
  wind: {kind: renewable, technology: wind, capacity_mw: 100, availability_pu: 0.2}
  grid:
    kind: grid
    import_limit_mw: 0
    export_limit_mw: 100
    import_price_cny_per_mwh: 30
    export_price_cny_per_mwh: 30
    real_time_price_cny_per_mwh: 35
    declaration: {exchange_mw: decide, over_cost_cny_per_mwh: 10, under_cost_cny_per_mwh: 10}
forecast: {components.wind.availability_pu: 0.5}
"""


@pytest.fixture(scope="module")
def one_hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the command writes, of all policies."""
    target = tmp_path_factory.mktemp("simulation")
    (target / "site.yaml").write_text(SITE)
    command = ["simulate", str(target / "site.yaml"), "--every-h", "1", "--window-h", "1", "-q"]
    run = CliRunner().invoke(app, [*command, "--lang", "zh", "--out", str(target / "out")])
    assert run.exit_code == 0, run.output
    return target / "out"


@pytest.fixture(scope="module")
def two_days() -> planner.Simulation:
    """All policies from 20:00 to 04:00, planned twice."""
    site = build.scenario(random_site(), 8, start="2026-07-15T20:00:00+08:00", forecast=ERRING)
    return planner.simulate(site, every_h=4, window_h=8, members=2)


@pytest.fixture
def folder(one_hour: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(one_hour, tmp_path / "out"))


def test_the_run_writes_its_page_in_its_language(one_hour: Path) -> None:
    page = (one_hour / "report.html").read_text("utf-8")
    below = (one_hour / "plans" / "perfect" / "report.html").read_text("utf-8")
    assert 'lang="zh"' in page
    assert 'lang="zh"' in below
    links = check(page).links
    assert {f"plans/{name}/report.html" for name in POLICIES} <= {*links}
    assert all((one_hour / link).is_file() for link in links)
    assert "../../report.html" in check(below).links


def test_a_run_without_pages_writes_none(tmp_path: Path) -> None:
    site = build.scenario({"grid": build.grid()}, 1)
    output = planner.Output(tmp_path / "out", page=False)
    options: dict[str, Any] = {"every_h": 1, "window_h": 1, "policies": ["perfect"]}
    planner.simulate(site, tmp_path / "out", **options)
    assert len([*tmp_path.rglob("*.html")]) == 2
    planner.simulate(site, output, **options)  # nor does an earlier one stay
    assert not [*tmp_path.rglob("*.html")]


def test_the_first_screen_says_what_forecasts_cost(folder: Path) -> None:
    assert report_whole(folder, EN) == [folder / "report.html"]
    page = (folder / "report.html").read_text("utf-8")
    check(page)
    says = texts_of(page)
    assert "Captured of perfect foresight 25.0% by deterministic" in says
    assert "⚠ A rule of thumb earns more than planning on forecasts" in says
    assert "deterministic: 25.0% of perfect foresight. grid first: 500 CNY." in says
    assert "deviations from the declaration [CNY] perfect 0 deterministic -450" in says
    head, *rows = cells_of(page, "table-policies")
    assert head[:2] == ["policy", "profit [CNY]"]
    assert [row[:2] for row in rows] == [
        ["perfect", "600"], ["deterministic", "150"], ["stochastic", "150"],
        ["grid first", "500"], ["compute first", "500"], ["tariff battery", "500"],
    ]  # fmt: skip
    assert "wind availability 0..1 0.2 0.3 +0.3 0.3" in says
    assert "grid export from renewable 600.00 600.00" in says


def test_the_forecast_is_the_one_that_was_planned_on(one_hour: Path) -> None:
    table = pd.read_csv(one_hour / "forecasts.csv")
    assert list(table) == list(FORECAST_COLUMNS)
    assert table[["path", "forecast", "actual"]].values.tolist() == [[WIND, 0.5, 0.2]]
    facts = json.loads((one_hour / "simulation.json").read_text("utf-8"))
    assert facts["forecast_errors"] == [
        {"path": WIND, "mean": 0.2, "mean_absolute_error": 0.3, "bias": 0.3, "largest_error": 0.3}
    ]
    planned = planner.read_plan(one_hour / "plans" / "deterministic")
    assert planned.schedule["grid.declared_export_mw"].tolist() == [50]


def test_each_window_has_the_forecast_of_its_start(two_days: planner.Simulation) -> None:
    issues = two_days.forecasts
    site = two_days.plans["perfect"].scenario
    assert issues is not None
    for path in ERRING:
        rows = issues[issues["path"] == path]
        first, second = forecasts(site, 0, 0)[path], forecasts(site, 4, 0)[path]
        assert rows["forecast"].tolist() == [*first[:4], *second[4:]]
        assert (
            rows["issued"].tolist() == [site.horizon.starts[0]] * 4 + [site.horizon.starts[4]] * 4
        )
        assert list(rows["time"]) == list(site.horizon.starts)


@pytest.mark.few(6)
@pytest.mark.parametrize("seed", range(50))
def test_errors_are_what_one_computes_by_hand(seed: int) -> None:
    chance = np.random.default_rng(seed)
    steps = int(chance.integers(1, 30))
    values = {
        name: chance.normal(0, 10.0 ** int(chance.integers(-2, 5)), (2, steps)).round(3)
        for name in ("one", "two")
    }
    table = pd.DataFrame([
        {"path": name, "forecast": forecast, "actual": actual}
        for name, both in values.items() for forecast, actual in both.T
    ])  # fmt: skip
    for row in forecast_errors(table).to_dict("records"):
        pairs = values[row["path"]].T.tolist()
        errors = [forecast - actual for forecast, actual in pairs]
        assert row["bias"] == pytest.approx(sum(errors) / steps, abs=1e-6)
        assert row["mean_absolute_error"] == pytest.approx(sum(map(abs, errors)) / steps, abs=1e-6)
        assert row["largest_error"] == pytest.approx(max(map(abs, errors)), abs=1e-6)
        assert row["mean"] == pytest.approx(sum(actual for _, actual in pairs) / steps, abs=1e-6)
    shown = [row[2:] for row in errors_section(table, EN).rows]
    assert [[text(cell).removeprefix("+") for cell in row] for row in shown] == [
        [
            text(Quantity(row[name]))
            for name in ("mean", "mean_absolute_error", "bias", "largest_error")
        ]
        for row in forecast_errors(table).to_dict("records")
    ]


def test_days_and_lines_add_up_to_the_profit(two_days: planner.Simulation) -> None:
    profits = two_days.table["profit_cny"].tolist()
    whole, *parts = days_section(two_days, EN).rows
    assert list(whole[1:]) == pytest.approx(profits)
    assert np.array([row[1:] for row in parts], float).sum(0) == pytest.approx(profits)
    assert [row[0] for row in parts][-2:] == ["2026-07-15", "2026-07-16"]
    lines = lines_section(two_days, EN)
    assert lines.total is not None
    assert list(lines.total[2:]) == pytest.approx(profits)
    assert np.array([row[2:] for row in lines.rows], float).sum(0) == pytest.approx(profits)


def test_charts_hold_what_was_executed(two_days: planner.Simulation) -> None:
    views = {name: View(plan) for name, plan in two_days.plans.items()}
    table = operation_chart(views, EN).table
    schedule = two_days.plans["deterministic"].schedule
    stored = schedule.filter(regex="energy_mwh").sum(axis=1)
    assert table["stored energy: deterministic [MWh]"].tolist() == pytest.approx(stored.tolist())
    (chart, other) = forecast_charts(two_days, views["perfect"], EN)
    assert (chart.title, other.title) == (
        "Forecast and actual: grid export price",
        "Forecast and actual: wind availability",
    )
    wind = two_days.plans["perfect"].scenario.components["wind"]
    assert other.table["actual [0..1]"].tolist() == wind.availability_pu.tolist()  # type: ignore[attr-defined]
    days = days_chart(two_days, EN)
    assert days is not None
    assert [trace["x"] for trace in days.figure["data"]] == [["2026-07-15", "2026-07-16"]] * 6


def test_a_single_day_has_no_chart_by_day(folder: Path) -> None:
    simulation = read_simulation(folder)
    assert days_chart(simulation, EN) is None
    assert sum(off_declaration_cny(simulation.plans["deterministic"])) == -450


def test_deviations_that_cancel_are_shown(folder: Path) -> None:
    simulation = read_simulation(folder)
    plan = simulation.plans["deterministic"]
    lines = {"grid": {"deviation": 100.0, "over": -100.0}}
    plans = {
        "deterministic": dataclasses.replace(plan, summary=plan.summary | {"ledger_cny": lines})
    }
    table = simulation.table[simulation.table["policy"] == "deterministic"]
    changed = dataclasses.replace(simulation, plans=plans, table=table)
    assert deviations(changed, EN).rows == (("deterministic", 0.0),)
    nothing = dataclasses.replace(plan, summary=plan.summary | {"ledger_cny": {"grid": {}}})
    changed = dataclasses.replace(changed, plans={"deterministic": nothing})
    assert deviations(changed, EN).rows == ()


def test_it_is_read_back_as_it_was_written(two_days: planner.Simulation, tmp_path: Path) -> None:
    site = two_days.plans["perfect"].scenario
    out = tmp_path / "out"
    written = planner.simulate(site, out, every_h=4, window_h=8, policies=["perfect"])
    read = read_simulation(out)
    assert facts_of(read) == json.loads(json.dumps(facts_of(written)))
    assert read.plans["perfect"] == written.plans["perfect"]
    assert simulation_page(read, EN) == simulation_page(written, EN)
    assert (out / "report.html").read_text("utf-8") == simulation_page(read, EN)


def test_a_folder_of_an_earlier_version_gets_the_page(folder: Path) -> None:
    (folder / "forecasts.csv").unlink()
    (folder / "report.html").unlink()
    facts = json.loads((folder / "simulation.json").read_text("utf-8"))
    del facts["forecast_errors"]
    (folder / "simulation.json").write_text(json.dumps(facts))
    run = CliRunner().invoke(app, ["report", str(folder)])
    assert run.exit_code == 0, run.output
    page = (folder / "report.html").read_text("utf-8")
    assert "forecasts.csv" not in check(page).links
    assert "the folder is of an earlier version, which did not keep the forecasts" in texts_of(page)


def test_an_unfinished_simulation_is_said_to_be_so(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != "days.jsonl":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for lang, wording in (("en", "is not finished: run it again"), ("zh", "请重新运行")):
        run = CliRunner().invoke(app, ["report", str(folder), "--lang", lang])
        assert run.exit_code == PlanError.exit_code
        assert wording in run.output


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("simulation.json", "{", "[", "cannot be read"),
        ("simulation.json", '"every_h"', '"each_h"', "simulation.json has no key 'every_h'"),
        ("simulation.json", '"policy"', '"name"', "simulation.json has no key 'policy'"),
        ("simulation.json", '"perfect"', '"perfekt"', "perfekt is no plan folder"),
        ("simulation.json", '"profit_cny"', '"profit"', "its files do not fit together"),
        ("forecasts.csv", "actual", "true", "forecasts.csv has no column 'actual'"),
        ("forecasts.csv", "0.5", "half", "cannot be read"),
    ],
)
def test_a_damaged_folder_is_named(
    folder: Path, file: str, old: str, new: str, message: str
) -> None:
    path = folder / file
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(PlanError, match=message) as caught:
        report_whole(folder, EN)
    assert ZH.sentence(caught.value.message) != caught.value.message


def varied(simulation: planner.Simulation, seed: int) -> SimulationTable:
    """Some of the policies, with figures drawn that a simulation may have."""
    chance = np.random.default_rng(seed)
    choices = [c for n in range(1, 7) for c in itertools.combinations(POLICIES, n)]
    names = choices[int(chance.integers(len(choices)))]
    table = simulation.table[simulation.table["policy"].isin(names)].reset_index(drop=True)
    for name in ("commitment_changes", "forced_steps", "breaches"):
        table[name] = chance.integers(0, 2, len(table)) * int(chance.integers(0, 9))
    if "perfect" not in names:
        table[["capture_share", "above_baseline_share"]] = None
    bound = simulation.bound_cny if seed % 3 else None
    baseline = next((name for name in names if name == "grid_first"), None)
    issues: Any = [simulation.forecasts, pd.DataFrame(columns=list(FORECAST_COLUMNS)), None][
        seed % 3
    ]
    settings = simulation.settings | {"policies": list(names)}
    if seed % 3 == 1:
        settings["forecasts"] = []
    plans = {name: simulation.plans[name] for name in names}
    return SimulationTable(table, settings, bound, baseline, None, plans, issues)


@pytest.mark.few(6)
@pytest.mark.parametrize("seed", range(50))
def test_what_a_page_says_is_what_the_facts_hold(two_days: planner.Simulation, seed: int) -> None:
    simulation = varied(two_days, seed)
    words = (EN, ZH)[seed % 2]
    page = simulation_page(simulation, words)
    check(page)
    says = texts_of(page)
    facts = json.loads(json.dumps(facts_of(simulation)))
    _, *rows = cells_of(page, "table-policies")
    for row, policy in zip(rows, facts["policies"], strict=True):
        assert row[:2] == [words.term(policy["policy"]), text(policy["profit_cny"])]
        known = policy["capture_share"] is not None
        assert (percent(policy["capture_share"]) if known else "–") in row
        for name in ("commitment_changes", "forced_steps", "breaches"):
            assert text(float(policy[name])) in row or not any(p[name] for p in facts["policies"])
    for row in facts.get("forecast_errors", ()):
        assert text(Quantity(row["mean_absolute_error"])) in says
        assert text(Quantity(row["bias"], signed=True)) in says
    broken = any(row["breaches"] or row["forced_steps"] for row in facts["policies"])
    assert ('<div class="status good">' in page) <= (not broken)
    for note in facts["notes"]:
        assert words.sentence(note) in says


def test_nothing_captured_is_said_so(two_days: planner.Simulation) -> None:
    losing = two_days.table.assign(capture_share=None, above_baseline_share=None)
    page = simulation_page(dataclasses.replace(two_days, table=losing), EN)
    assert "Not known: perfect foresight earns nothing." in texts_of(page)


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("name", "value"), [("profit_cny", 77.0), ("capture_share", 0.9), ("starts", 3), ("cycles", 2)]
)
def test_a_table_that_is_not_that_of_its_plans_is_not_shown(
    folder: Path, name: str, value: float
) -> None:
    """The figures of simulation.json follow from the plans, which are audited."""
    facts = json.loads((folder / "simulation.json").read_text())
    facts["policies"][1][name] = value
    (folder / "simulation.json").write_text(json.dumps(facts))
    run = CliRunner().invoke(app, ["report", str(folder)])
    assert run.exit_code == 5
    assert f"{name} of deterministic is {value:g}, by its plan" in run.output
    run = CliRunner().invoke(app, ["report", str(folder), "--unaudited", "--lang", "zh"])
    assert run.exit_code == 0
    assert "不可采信" in run.output
    assert "不可采信" in (folder / "report.html").read_text()
