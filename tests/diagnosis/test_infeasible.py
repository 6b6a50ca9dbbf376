"""Why a scenario has no plan: the true cause, nothing else, and changes that work."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.diagnosis.conflict import Check, Rule, rule_places
from planner.diagnosis.infeasible import infeasible, unbounded
from planner.diagnosis.wording import spans, time_span, time_spans
from planner.fields import value_text
from planner.files.format_mark import unmarked
from planner.language.language import language
from planner.scenario.scenario import load
from planner.solver.budget import Budget
from planner.solver.compiler import program_of
from planner.studies.solve import solve
from tests.support import build
from tests.support.clock import UNLIMITED, make_the_clock_jump
from tests.support.infeasible_cases import CASES, Case

ROOT = Path(__file__).parent.parent.parent
BY_NAME = {case.name: case for case in CASES}
ZH = language("zh")


def explained(scenario: planner.Scenario) -> planner.InfeasibleError:
    with pytest.raises(planner.InfeasibleError) as caught:
        solve(scenario)
    return caught.value


def works(scenario: planner.Scenario, change: dict[str, Any]) -> bool:
    return bool(solve(scenario.with_values(change["set"])).summary["status"] == "optimal")


@pytest.mark.few(8)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_true_cause_is_named_and_every_change_works(case: Case) -> None:
    scenario = case.scenario()
    diagnosis = explained(scenario).diagnosis
    assert {
        (rule["components"][0], rule["rule"]) for rule in diagnosis["conflict"]
    } == case.conflict
    assert diagnosis["irreducible"]
    if case.when:
        assert case.when in [rule["when"] for rule in diagnosis["conflict"]]
    values = {path: new for change in diagnosis["changes"] for path, new in change["set"].items()}
    assert case.changes.items() <= values.items()
    assert diagnosis["changes"]
    for change in diagnosis["changes"]:
        assert works(scenario, change), change["text"]
        assert len(change["set"]) == 1


@pytest.mark.few(1)
@pytest.mark.parametrize("name", ["ramp", "integers", "time_dependent"])
def test_without_any_one_rule_the_others_can_be_kept(name: str) -> None:
    scenario = BY_NAME[name].scenario()
    program = program_of(scenario)
    by_rule = rule_places(program)
    conflict = explained(scenario).diagnosis["conflict"]
    horizon = scenario.horizon
    kept = [
        rule
        for rule in by_rule
        for part in conflict
        if (rule.component, rule.name) == (part["components"][0], part["rule"])
        and (rule.step is None or _inside(rule, part["when"], horizon))
    ]
    check = Check(program, by_rule, Budget(float("inf")))
    check.integral = True
    assert check.infeasible(kept)
    for rule in kept:
        assert not check.infeasible([other for other in kept if other != rule]), rule


def _inside(rule: Rule, when: str, horizon: Any) -> bool:
    """Return whether a step is within times such as 07-16 02:00-06:00."""
    assert rule.step is not None
    start = horizon.starts[rule.step - 1]
    day, _, clock = when.rpartition(" ")
    first, last = clock.split("-")
    return (not day or day == f"{start:%m-%d}") and first <= f"{start:%H:%M}" < last


def test_the_words_of_a_minimum_time() -> None:
    assert str(explained(BY_NAME["minimum_time"].scenario())) == (
        "no plan satisfies every rule of the scenario\n"
        "these rules contradict each other:\n"
        "  - city takes demand_mw 40 MW, neither more nor less, at 04:00-05:00\n"
        "  - coal_1 must stay on until 21:00 (min_up_h 24, on for 3 h), at min_power_mw 140 MW or"
        " more, at 04:00-05:00\n"
        "  - grid may export at most export_limit_mw 60 MW, at 04:00-05:00\n"
        "a plan becomes possible with\n"
        "  - components.coal_1.min_power_mw ≤ 100 at 04:00-08:00 (is 140)\n"
        "  - or components.city.demand_mw ≥ 80 at 04:00-08:00 (is 40)\n"
        "  - or components.grid.export_limit_mw ≥ 100 at 04:00-08:00 (is 60)\n"
        "  - or components.coal_1.min_up_h ≤ 7 (is 24)"
    )


def test_the_words_of_what_the_solver_need_not_see() -> None:
    assert str(explained(BY_NAME["capacity"].scenario())) == (
        "no plan satisfies every rule of the scenario\n"
        "this is impossible:\n"
        "  - city must get 150 MW and all supply of node 'site' (grid, sun) is at most 140"
        " MW, at 01:00-03:00\n"
        "a plan becomes possible with\n"
        "  - components.city.demand_mw ≤ 140 at 01:00-03:00 (is 150)\n"
        "  - or components.grid.import_limit_mw ≥ 110 at 01:00-03:00 (is 100)\n"
        "  - or components.sun.capacity_mw ≥ 125 (is 100)"
    )


def test_an_infeasibility_in_chinese() -> None:
    error = explained(BY_NAME["capacity"].scenario())
    assert ZH.sentence(error.message) == (
        "没有计划能满足场景的全部约束\n"
        "以下要求无法满足：\n"
        "  - city 的用电须满足 150 MW，而节点 'site' 的全部电源（grid, sun）最多供电 140 MW，"
        "时段 01:00-03:00\n"
        "作以下任一修改即有可行计划\n"
        "  - components.city.demand_mw：01:00-03:00 ≤ 140（现为 150）\n"
        "  - 或 components.grid.import_limit_mw：01:00-03:00 ≥ 110（现为 100）\n"
        "  - 或 components.sun.capacity_mw ≥ 125（现为 100）"
    )


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        ("site: the balance of grid power does not add up, at 07-15 22:00 to 07-16 02:00 and 3"
         " more; largest deviation 3",
         "site：电网功率不平衡，时段 07-15 22:00 至 07-16 02:00 等，另有 3 处；最大差值 3"),
        ("gpus: the balance of tokens does not add up, at 00:00-01:00; largest deviation 3e+05",
         "gpus：供需不平衡（输出 Token），时段 00:00-01:00；最大差值 3e+05"),
        ("battery: the schedule contradicts itself (energy), at 00:00-01:00; largest deviation 3",
         "battery：逐时计划自相矛盾（energy），时段 00:00-01:00；最大差值 3"),
        ("the schedule contradicts itself; largest deviation 3", "逐时计划自相矛盾；最大差值 3"),
        ("gpus.awake[chat] is -1 and must be 0 or more, at 05:00-06:00, 07:00-08:00",
         "gpus.awake[chat] 为 -1，不得小于 0，时段 05:00-06:00, 07:00-08:00"),
    ],
)  # fmt: skip
def test_stored_breaches_are_read_back_in_chinese(text: str, chinese: str) -> None:
    assert ZH.sentence(text) == chinese


def test_the_words_of_two_rules_and_of_a_second_day() -> None:
    text = str(explained(BY_NAME["two_rules"].scenario()))
    assert "unit must be on (must_run true), at min_power_mw 60 MW or more, at 00:00-01:00" in text
    assert "or components.unit.must_run: false" in text
    text = str(explained(BY_NAME["time_dependent"].scenario()))
    assert "grid may import at most import_limit_mw 2 MW, at 07-16 02:00-06:00" in text
    assert "components.grid.import_limit_mw ≥ 2.5 at 07-16 02:00-06:00 (is 2)" in text


def test_where_one_field_is_not_enough_several_are_changed() -> None:
    """Two nodes each lack energy, so no field heals both: 3 MWh at a and 4 at b."""
    scenario = build.scenario(
        {
            "sun": build.renewable(10, 10, node="a"),
            "town": build.load(8, 8, node="a"),
            "cell": build.battery(node="a", ending={"at_least_mwh": 7}),
            "grid": build.grid(node="b", import_limit_mw=10, export_limit_mw=0),
            "city": build.load(9, 9, node="b"),
            "store": build.battery(node="b", ending={"at_least_mwh": 6}),
        },
        2,
    )
    (change,) = explained(scenario).diagnosis["changes"]
    assert change["text"] == (
        "components.grid.import_limit_mw ≥ 12 at 00:00-02:00 (is 10) and"
        " components.sun.capacity_mw ≥ 115 (is 100)"
    )
    assert works(scenario, change)


def test_reserve_that_nobody_can_give() -> None:
    site = {"sun": build.renewable(10), "city": build.load(1), "hold": build.reserve(up_mw=3)}
    error = explained(build.scenario(site))
    assert "hold asks for up to 3 MW and no component can provide reserve" in str(error)
    assert [change["set"] for change in error.diagnosis["changes"]] == [
        {"components.hold.up_mw": 0}
    ]


def test_energy_that_cannot_reach_the_ending_needs_no_solver() -> None:
    site = {"grid": build.grid(), "cell": build.battery(ending={"at_least_mwh": 9})}
    error = explained(build.scenario(site, 2))
    assert "cell must end with 9 MWh and can reach 8 MWh, charging all the time" in str(error)
    assert {"components.cell.charge_power_mw": 4.5} in [
        change["set"] for change in error.diagnosis["changes"]
    ]


def test_a_profit_without_bound_is_named_by_its_ledger_lines() -> None:
    """No scenario can be unbounded, for its limits are finite: take them out of the program."""
    site = {"grid": build.grid(import_price_cny_per_mwh=10, resale=True), "city": build.load(5)}
    program = program_of(build.scenario(site))
    free = program.row_lower < program.row_upper
    endless = replace(
        program,
        row_upper=np.where(free, np.inf, program.row_upper),
        column_upper=np.full(len(program.column_upper), np.inf),
    )
    error = unbounded(endless)
    assert error.diagnosis == {"status": "unbounded", "lines": ["grid: export[grid]"]}
    assert str(error) == "the profit has no bound: grid: export[grid]; give it a limit"


def test_the_command_line_leaves_the_diagnosis_in_the_folder(tmp_path: Path) -> None:
    case = BY_NAME["export_cap"]
    data = {
        "name": "capped",
        "horizon": {"start": build.START, "hours": case.hours},
        "components": dict(case.components),
    }
    file, out = tmp_path / "capped.yaml", tmp_path / "plan"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    result = CliRunner().invoke(app, ["solve", str(file), "--out", str(out)])
    assert result.exit_code == 3
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    error = explained(load(file))
    assert result.stderr == f"{error}\n"
    assert unmarked(json.loads((out / "infeasible.json").read_text("utf-8"))) == error.diagnosis


def test_a_search_cut_short_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.diagnosis.infeasible.CONFLICT_WORK", 0.0)
    monkeypatch.setattr("planner.diagnosis.infeasible.CHANGE_WORK", 0.0)
    error = infeasible(BY_NAME["ramp"].scenario())
    assert not error.diagnosis["irreducible"]
    assert error.diagnosis["changes"] == []
    assert "some may not be needed" in str(error)


@pytest.mark.few(1)
@pytest.mark.parametrize("name", ["minimum_time", "energy", "integers", "two_rules"])
def test_no_clock_decides_what_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = BY_NAME[name].scenario()
    scenario = scenario.with_values({f"solver.{key}": to for key, to in UNLIMITED.items()})
    expected = explained(scenario).diagnosis
    assert expected["irreducible"]
    make_the_clock_jump(monkeypatch)
    assert explained(scenario).diagnosis == expected


def test_times_and_figures_are_said_shortly() -> None:
    one = build.scenario({"grid": build.grid()}, 24).horizon
    two = build.scenario({"grid": build.grid()}, 48).horizon
    assert time_span(one, 2, 3) == "01:00-03:00"
    assert time_span(one, 24, 24) == "23:00-24:00"
    assert time_span(two, 23, 26) == "07-15 22:00 to 07-16 02:00"
    assert time_span(two, 23, 24) == "07-15 22:00-24:00"
    assert time_spans(one, [1, 3, 5, 7, 9, 11]).endswith("06:00-07:00 and 2 more")
    assert list(spans([3, 1, 2, 7])) == [(1, 3), (7, 7)]
    series = np.array([1.0, 2.0, 5.0])
    assert [value_text(x) for x in (True, None, 0.25, series)] == ["true", "none", "0.25", "1 to 5"]
    assert value_text(series, [1, 2]) == "1 to 2"


@pytest.mark.slow
def test_a_site_of_two_days_is_explained_in_time() -> None:
    """Without coal and with 10 MW of grid the first night is too dark for campus and nodes."""
    scenario = planner.load(
        ROOT / "scenarios" / "huainan",
        set={
            "components.grid.import_limit_mw": 10,
            "components.campus.shed_cost_cny_per_mwh": None,
            "components.coal_1.available": 0,
        },
    )
    diagnosis = explained(scenario).diagnosis
    named = {rule["components"][0] for rule in diagnosis["conflict"]}
    assert {"campus", "coal_1", "grid", "wind"} <= named
    assert diagnosis["irreducible"]
    assert diagnosis["changes"]
    for change in diagnosis["changes"]:
        assert works(scenario, change), change["text"]
