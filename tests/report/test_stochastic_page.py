"""The page of a stochastic plan: what it says is what its folder holds.

The unit of `coal_or_not` earns 2000 where the price is dear and -1100 where it is cheap (see
`tests.studies.test_solve_stochastic`): 450 on average; planned alone 2000 and 0, so EVPI is 550;
the decisions of the base scenario earn nothing, so VSS is 450.
"""

from __future__ import annotations

import dataclasses
import json
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
from planner.language.section import text
from planner.plan_tables.stochastic import StochasticTables, read_stochastic
from planner.report.charts.flows import median
from planner.report.charts.view import View
from planner.report.stochastic_page.charts import decided_charts, profits_chart, spread_chart
from planner.report.stochastic_page.page import stochastic_page
from planner.report.stochastic_page.sections import decided_section
from planner.report.whole_page import report_whole
from tests.report.test_sweep_page import check
from tests.studies.test_solve_stochastic import coal_or_not, member, uncertain
from tests.support.build import grid, renewable
from tests.support.pages import cells_of, texts_of

EN, ZH = language("en"), language("zh")
RISK = {"cvar_share": 0.5, "weight": 0.25}


@pytest.fixture(scope="module")
def plan() -> planner.StochasticPlan:
    return planner.solve_stochastic(coal_or_not())


@pytest.fixture
def folder(plan: planner.StochasticPlan, tmp_path: Path) -> Path:
    return plan.write(tmp_path / "plan")


def test_the_first_screen_says_what_the_plan_is_worth(folder: Path) -> None:
    page = (folder / "report.html").read_text("utf-8")
    check(page)
    says = texts_of(page)
    assert "Expected profit 450 CNY in the best member 2,000 CNY in the worst member -1,100" in says
    assert "Value of the stochastic solution (VSS) 450 CNY" in says
    assert "Expected value of perfect information (EVPI) 550 CNY" in says
    assert "each member planned alone 1,000 CNY this plan 450 CNY" in says
    assert "component decision value coal on 1 h coal number of starts 1" in says
    head, dear, cheap = cells_of(page, "table-members")
    assert head[:3] == ["member", "probability", "profit [CNY]"]
    assert dear[:5] == ["dear", "0.5", "2,000", "2,000", "0"]
    assert cheap[:5] == ["cheap", "0.5", "-1,100", "0", "0"]


def test_members_are_linked_and_lead_back(folder: Path) -> None:
    page = check((folder / "report.html").read_text("utf-8"))
    for name in ("dear", "cheap"):
        assert f"members/{name}/report.html" in page.links
        below = check((folder / "members" / name / "report.html").read_text("utf-8"))
        assert "../../report.html" in below.links
    assert all((folder / link).is_file() for link in page.links)


def test_a_page_that_is_not_asked_for_is_not_linked(
    plan: planner.StochasticPlan, tmp_path: Path
) -> None:
    folder = plan.write(tmp_path / "plan", page=False)
    assert not [*folder.rglob("*.html")]
    alone = folder / "members" / "dear"
    assert CliRunner().invoke(app, ["report", str(alone)]).exit_code == 0
    assert "../../report.html" not in (alone / "report.html").read_text("utf-8")


def test_report_writes_all_pages_again_in_a_language(folder: Path) -> None:
    english = (folder / "report.html").read_text("utf-8")
    run = CliRunner().invoke(app, ["report", str(folder), "--lang", "zh"])
    assert run.exit_code == 0, run.output
    assert run.output.split() == [
        str(path / "report.html")
        for path in (folder, folder / "members" / "cheap", folder / "members" / "dear")
    ]
    page = (folder / "report.html").read_text("utf-8")
    check(page)
    assert 'lang="zh"' in page
    assert "随机解价值（VSS） 450 元" in texts_of(page)
    assert report_whole(folder, EN) == [folder / "report.html"]
    assert (folder / "report.html").read_text("utf-8") == english


def test_a_folder_of_an_earlier_version_gets_the_page(folder: Path) -> None:
    """Such a folder is the same but for the page, and a new plan may replace it."""
    page = (folder / "report.html").read_text("utf-8")
    (folder / "report.html").unlink()
    assert planner.audit(folder) == []
    report_whole(folder, EN)
    assert (folder / "report.html").read_text("utf-8") == page


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("stochastic.json", "{", "[", "cannot be read"),
        ("stochastic.json", '"members"', '"futures"', "stochastic.json has no key 'members'"),
        ("members.csv", "name", "who", "members.csv has no column 'name'"),
        ("members.csv", "cheap", "cheep", "cheep is no plan folder"),
        ("stochastic.json", '"vss_cny": 450.0', '"vss_cny": "much"', "cannot be shown"),
        ("here_and_now.csv", "T00:00", "T00:30", "not one row for each step"),
    ],
)
def test_a_damaged_folder_is_named(
    folder: Path, file: str, old: str, new: str, message: str
) -> None:
    path = folder / file
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(PlanError, match=message) as caught:
        report_whole(folder, EN)
    assert ZH.sentence(caught.value.message) != caught.value.message


def test_risk_is_shown_with_what_it_weighs() -> None:
    # the worst half is cheap: CVaR -1100, objective 0.75 x 450 - 0.25 x 1100 = 62.5
    says = texts_of(stochastic_page(planner.solve_stochastic(coal_or_not(risk=RISK)), EN))
    assert "mean of the worst 50% (CVaR) -1,100 CNY objective 62.5 CNY" in says
    assert "The objective is 75% of the expected profit and 25% of the CVaR." in says
    assert "No other plan has a larger objective." in says
    assert "No other plan earns more." not in says


def test_a_single_member_and_nothing_to_decide_look_sensible() -> None:
    parts = {"sun": renewable(10), "grid": grid(import_limit_mw=0)}
    one = planner.solve_stochastic(uncertain(parts, member(1, "only")))
    for words in (EN, ZH):
        check(stochastic_page(one, words))
    says = texts_of(stochastic_page(one, EN))
    assert "a single member." in says
    assert "Nothing: every decision can wait until the future is known." in says
    assert "in the worst member" not in says
    chart = spread_chart(one, {"only": View(one.members["only"])}, EN)
    assert [trace["name"] for trace in chart.figure["data"]] == ["only", "only"]


def test_what_is_not_known_is_said_so(plan: planner.StochasticPlan) -> None:
    names = ("vss", "eev", "vss_open", "evpi", "ws", "evpi_open")
    unknown = plan.summary | dict.fromkeys([f"{name}_cny" for name in names])
    table = plan.table.assign(alone_cny=np.nan, base_cny=np.nan)
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    changed = dataclasses.replace(plan, table=table, summary=unknown | {"members": rows})
    says = texts_of(stochastic_page(changed, EN))
    assert says.count("unknown or unlimited") == 2
    names = [trace["name"] for trace in profits_chart(changed, EN).figure["data"]]
    assert names == ["expected profit", "planned for all members"]


def test_states_nodes_and_power_decided_now_are_sums_of_the_first_stage() -> None:
    parts = {"wind": renewable(40, 60), "grid": declaring()}
    plan = planner.solve_stochastic(
        uncertain(parts, member(0.5, "calm", wind__availability_pu=0.2), member(0.5, "windy"),
                  hours=2)
    )  # fmt: skip
    decided = {row[1]: text(row[2]) for row in decided_section(plan, EN).rows}
    shared = plan.here_and_now
    assert decided == {
        "declared import": f"{shared['grid.declared_import_mw'].sum():g} MWh",
        "declared export": f"{shared['grid.declared_export_mw'].sum():g} MWh",
    }
    (chart,) = decided_charts(plan, View(plan.members["calm"]), EN)
    drawn = chart.table["grid: declared export [MW]"].tolist()
    assert drawn == shared["grid.declared_export_mw"].tolist()


def declaring() -> dict[str, Any]:
    return grid(
        import_limit_mw=0, import_price_cny_per_mwh=30, export_price_cny_per_mwh=30,
        real_time_price_cny_per_mwh=35,
        declaration={"exchange_mw": "decide", "over_cost_cny_per_mwh": 10,
                     "under_cost_cny_per_mwh": 10},
    )  # fmt: skip


def test_the_band_holds_every_member(plan: planner.StochasticPlan) -> None:
    """100 MW are exported where it is dear, 20 where it is cheap."""
    views = {name: View(one) for name, one in plan.members.items()}
    table = spread_chart(plan, views, EN).table
    of = "net import (export below zero)"
    assert table[f"{of}: lowest [MW]"].tolist() == [-100]
    assert table[f"{of}: highest [MW]"].tolist() == [-20]
    assert table["profit, cumulated from the start: lowest [CNY]"].tolist() == [-1100]
    assert table["profit, cumulated from the start: highest [CNY]"].tolist() == [2000]


@pytest.mark.few(6)
@pytest.mark.parametrize("seed", range(50))
def test_the_median_is_the_value_in_the_middle_of_all_of_them(seed: int) -> None:
    chance = np.random.default_rng(seed)
    values = chance.integers(-5, 5, (chance.integers(1, 9), 3)).astype(float)
    weights = chance.integers(1, 9, len(values))
    by_hand = [
        sorted(value for value, weight in zip(column, weights, strict=True) for _ in range(weight))
        for column in values.T
    ]
    middle = [column[(len(column) - 1) // 2] for column in by_hand]
    assert median(values, (weights / weights.sum()).tolist()).tolist() == middle


def drawn(plan: planner.StochasticPlan, seed: int) -> StochasticTables:
    """A stochastic plan with some members' profits drawn; its figures by their definitions."""
    chance = np.random.default_rng(seed)
    count = int(chance.integers(1, 12))
    shares = chance.dirichlet(np.ones(count))
    profits, gains = chance.normal(0, 10.0 ** chance.integers(1, 8), (2, count))
    table = pd.DataFrame({
        "name": [f"future_{i}" for i in range(count)], "probability": shares,
        "profit_cny": profits, "alone_cny": profits + abs(gains), "base_cny": profits - abs(gains),
        "unserved_mtok": 0.0, "shed_mwh": chance.integers(0, 2, count).astype(float),
        "export_mwh": 0.0, "starts": 1.0,
    })  # fmt: skip
    if seed % 5 == 0:
        table["base_cny"] = np.nan
    expected = float(shares @ profits)
    risk = {"cvar_share": 0.3, "weight": 0.2} if seed % 2 else None
    worst = float(profits.min())
    objective = 0.8 * expected + 0.2 * worst if risk else expected
    known = {
        "expected_cny": expected, "objective_cny": objective, "bound_cny": objective, "gap": 0.0,
        "gap_of_profit": None, "risk": risk, "cvar_cny": worst if risk else None,
        "vss_cny": None if seed % 5 == 0 else 0.8 * abs(objective), "eev_cny": objective,
        "vss_open_cny": 0.0, "evpi_cny": abs(objective), "ws_cny": objective, "evpi_open_cny": 3.5,
        "members": table.astype(object).where(table.notna(), None).to_dict("records"),
    }  # fmt: skip
    members = dict.fromkeys(table["name"], plan.members["dear"])
    return StochasticTables(plan.scenario, plan.summary | known, plan.here_and_now, table, members)


@pytest.mark.few(6)
@pytest.mark.parametrize("seed", range(50))
def test_what_a_page_says_is_what_the_summary_holds(
    plan: planner.StochasticPlan, seed: int
) -> None:
    changed = drawn(plan, seed)
    words = (EN, ZH)[seed // 2 % 2]
    page = stochastic_page(changed, words)
    check(page)
    says = texts_of(page)
    summary = json.loads(json.dumps(changed.summary))
    for name in ("expected_cny", "objective_cny", "bound_cny", "evpi_cny", "ws_cny"):
        assert words.amount(summary[name], "CNY") in says
    if summary["vss_cny"] is not None:
        assert words.amount(summary["vss_cny"], "CNY") in says
    if summary["risk"]:
        assert words.amount(summary["cvar_cny"], "CNY") in says
    _, *rows = cells_of(page, "table-members")
    names = ["name", "probability", "profit_cny", "alone_cny", "base_cny"]
    assert [row[:5] for row in rows] == [
        [text(float("nan") if row[name] is None else row[name]) for name in names]
        for row in summary["members"]
    ]


def test_it_is_read_back_as_it_was_written(folder: Path, plan: planner.StochasticPlan) -> None:
    tables = read_stochastic(folder)
    assert tables.summary == json.loads(json.dumps(plan.summary))
    assert tables.table.equals(plan.table)
    assert tables.here_and_now.equals(plan.here_and_now)
    assert stochastic_page(tables, EN) == stochastic_page(plan, EN)
