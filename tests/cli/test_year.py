"""The command `planner year`: what it asks of `plan_year`, what it prints, how it exits."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import planner
from planner.cli.app import app
from planner.errors import NoPlanError
from planner.message import Message
from planner.studies.year import YearProgress
from tests.support.years import as_year

TINY = Path(__file__).parent.parent.parent / "scenarios" / "tiny_arbitrage"


Calls = list[dict[str, Any]]
Planning = Callable[..., planner.Plan]


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Callable[[Planning], Calls]:
    """Let a function plan the year; return the arguments it got."""

    def let(planning: Planning) -> Calls:
        calls: Calls = []

        def plan_year(scenario: planner.Scenario, out: Any = None, **options: Any) -> planner.Plan:
            calls.append({"scenario": scenario, "out": out, **options})
            return planning(scenario, out, options["progress"] or (lambda _: None))

        monkeypatch.setattr("planner.studies.year.plan_year", plan_year)
        return calls

    return let


def year(folder: Path, *arguments: object, scenario: Path = TINY) -> Result:
    words = ["year", scenario, "--out", folder / "plan", *arguments]
    return CliRunner().invoke(app, [str(word) for word in words])


def ending(status: str) -> Planning:
    def planning(scenario: planner.Scenario, out: Any, report: Any) -> planner.Plan:
        plan = as_year(planner.solve(scenario), {"2026-07": 2.0})
        plan = plan.settled(162.0, {"status": status, "year": plan.summary["year"]})
        if out is not None:
            out.write(plan)
        return plan

    return planning


def failing(error: BaseException) -> Planning:
    def planning(*_: object) -> planner.Plan:
        raise error

    return planning


def improving(scenario: planner.Scenario, out: Any, report: Any) -> planner.Plan:
    """Plan and bound improve three times; one report is no better than those before it."""
    for now in (
        YearProgress("prices", 1, 2),
        YearProgress("bounds", 2, 2, None, 400.0),
        YearProgress("plan", 1, 1, 300.0, 400.0),
        YearProgress("refinement", 1, 2, 300.0, 450.0),
        YearProgress("refinement", 2, 2, 320.0, 352.0),
        YearProgress("tidying", 1, 1, 320.0, 352.0),
    ):
        report(now)
    return ending("work_limit")(scenario, out, report)


def test_options_reach_the_year_and_what_changes_the_scenario_is_in_it(
    tmp_path: Path, planned: Any
) -> None:
    calls = planned(ending("optimal"))
    result = year(tmp_path, "--hours", 2, "--gap", "1e-4", "--workers", 3, "--time-limit", 60,
                  "--fresh", "--no-page", "--formats", "csv,parquet", "--prices",
                  "--set", "components.battery.capacity_mwh=5")  # fmt: skip
    assert result.exit_code == 0, result.output
    (call,) = calls
    site = call["scenario"]
    assert (site.horizon.hours, site.solver.gap) == (2, 1e-4)
    assert site.components["battery"].capacity_mwh == 5
    assert site.solver.time_limit_s == planner.load(TINY).solver.time_limit_s
    assert (call["workers"], call["scheduler"], call["time_limit_s"]) == (3, None, 60)
    assert call["fresh"]
    assert call["prices"]
    assert call["out"] == planner.Output(tmp_path / "plan", ("csv", "parquet"), "en", page=False)
    assert year(tmp_path, "--scheduler", "tcp://1.2.3.4:5", "--quiet").exit_code == 0
    assert (calls[1]["scheduler"], calls[1]["workers"]) == ("tcp://1.2.3.4:5", None)
    assert (calls[1]["fresh"], calls[1]["time_limit_s"]) == (False, None)


def test_a_line_is_printed_each_time_plan_or_bound_improves(tmp_path: Path, planned: Any) -> None:
    planned(improving)
    result = year(tmp_path)
    assert result.exit_code == 0, result.output
    times = re.compile(r"^\d\d:\d\d:\d\d (.*)$", re.MULTILINE)
    assert times.findall(result.stdout) == [
        "bounds of windows 2/2, bound 400 CNY",
        "plan of the year 1/1, profit >= 300 CNY, bound 400 CNY, gap 33.3333% of the profit",
        "refinement 2/2, profit >= 320 CNY, bound 352 CNY, gap 10.0000% of the profit",
    ]
    assert "Gap by month" in result.stdout
    assert times.findall(year(tmp_path, "--lang", "zh").stdout)[2] == (
        "细化 2/2，利润 >= 320 元，上界 352 元，间隙为利润的 10.0000%"
    )


def test_quiet_prints_nothing(tmp_path: Path, planned: Any) -> None:
    calls = planned(improving)
    result = year(tmp_path, "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    assert calls[0]["progress"] is None


@pytest.mark.parametrize(
    ("planning", "code", "text"),
    [
        (ending("optimal"), 0, "optimal"),
        (ending("work_limit"), 0, "work limit"),
        (ending("time_limit"), 0, "time limit"),
        (ending("interrupted"), 130, "interrupted"),
        (failing(NoPlanError(Message("no plan was found"))), 4, "no plan was found"),
    ],
)
def test_it_exits_as_the_plan_ended(
    tmp_path: Path, planned: Any, planning: Planning, code: int, text: str
) -> None:
    planned(planning)
    result = year(tmp_path)
    assert result.exit_code == code
    assert text in result.output
    assert (tmp_path / "plan" / "summary.json").exists() == (code in (0, 130))


def test_ctrl_c_without_a_plan_is_exit_130(
    tmp_path: Path, planned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    exits: list[int] = []
    monkeypatch.setattr("os._exit", exits.append)
    planned(failing(KeyboardInterrupt()))
    kept = "finished windows are kept: the same command goes on with them"
    plan = tmp_path / "plan"
    assert year(tmp_path).stderr == f"interrupted; {plan} was not written; {kept}\n"
    assert exits == [130]


WRONG: list[tuple[list[str], str]] = [
    (["--workers", "2", "--scheduler", "tcp://a:1"], "--workers: cannot go with --scheduler"),
    (["--time-limit", "0"], "--time-limit: must be above 0, is 0"),
    (["--time-limit", "nan"], "--time-limit: must be above 0, is nan"),
    (["--hours", "x"], "--hours: horizon.hours: must be a number, is 'x'"),
    (["--hours", "-3"], "--hours: horizon.hours: must be above 0, is -3"),
    (["--hours", "2", "--set", "horizon.hours=2"], "--hours: horizon.hours: is set twice"),
    (["--hours", "8760"], "import_price_cny_per_mwh: needs one value per step, 8760, and has 2"),
    (["--formats", "xls"], "--formats: must be some of"),
]


@pytest.mark.parametrize(("arguments", "text"), WRONG)
def test_wrong_arguments_are_exit_2(
    tmp_path: Path, planned: Any, arguments: list[str], text: str
) -> None:
    calls = planned(ending("optimal"))
    result = year(tmp_path, *arguments)
    assert result.exit_code == 2
    assert text in result.stderr
    assert (result.stdout, calls) == ("", [])
