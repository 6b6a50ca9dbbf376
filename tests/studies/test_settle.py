"""A schedule that is given: its money and breaches; what is fixed of it; what came before it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.components.battery.state import BatteryInitial
from planner.scenario.continuation import is_state
from planner.studies.window import solve_window
from planner.timeseries.schedule import columns_of
from tests.support import compute
from tests.support.build import battery, grid, load, market, scenario, solve, thermal
from tests.support.sites import random_site
from tests.support.windows import advance

START = "2026-07-15T00:00:00+08:00"


def arbitrage() -> planner.Scenario:
    """Buy at 10, sell at 50, 4 MW each way, nothing lost."""
    prices = {"import_price_cny_per_mwh": [10, 50], "export_price_cny_per_mwh": [10, 50]}
    return scenario({"battery": battery(), "grid": grid(resale=True, **prices)}, 2)


def table(site: planner.Scenario, **columns) -> pd.DataFrame:
    named = {name.replace("__", "."): values for name, values in columns.items()}
    return pd.DataFrame(named, index=site.horizon.starts)


@pytest.mark.few(2)
@pytest.mark.parametrize("seed", range(4))
def test_settling_a_plan_returns_its_ledger_to_the_cent(seed: int):
    plan = solve(random_site(seed, 12), 12)
    settled = planner.settle(plan.scenario, plan)
    assert settled.breaches == ()
    pd.testing.assert_frame_equal(settled.plan.ledger, plan.ledger, rtol=0, atol=5e-6)
    pd.testing.assert_frame_equal(settled.plan.schedule, plan.schedule, rtol=0, atol=1e-6)
    assert settled.plan.summary["status"] == "settled"
    assert settled.plan.summary["bound_cny"] is None
    assert settled.plan.summary["gap"] is None
    assert settled.plan.summary["gap_of_profit"] is None


def test_a_settled_plan_is_written_shown_and_read_like_any_other(tmp_path: Path):
    site = arbitrage()
    settled = planner.settle(site, planner.solve(site)).plan
    folder = settled.write(tmp_path / "plan", formats=("csv", "parquet", "xlsx"))
    assert planner.read_plan(folder) == settled
    assert planner.audit(folder) == []
    assert "settled" in settled._repr_html_()


def test_what_is_left_open_is_planned_around_what_is_given():
    # 2 of 4 MW charged: buy 2 MWh at 10, sell 2 MWh at 50, earn 80
    site = arbitrage()
    settled = planner.settle(site, table(site, **{"battery__charge_mw[grid]": [2.0, 0.0]}))
    assert settled.plan.summary["objective_cny"] == pytest.approx(80)
    assert settled.breaches == ()


def test_an_empty_cell_is_not_given():
    site = arbitrage()
    given = table(site, **{"battery__charge_mw[grid]": [None, 0.0]})
    assert planner.settle(site, given).plan.summary["objective_cny"] == pytest.approx(160)


def test_values_as_printed_are_settled_within_their_rounding(tmp_path: Path):
    plan = solve(random_site(2, 12), 12)
    plan.schedule.round(5).to_csv(tmp_path / "printed.csv", date_format="%Y-%m-%dT%H:%M:%S%z")
    settled = planner.settle(plan.scenario, tmp_path / "printed.csv", tolerance=1e-4)
    assert settled.breaches == ()
    profit, size = plan.summary["objective_cny"], plan.summary["turnover_cny"]
    assert settled.plan.summary["objective_cny"] == pytest.approx(profit, abs=1e-5 * size + 1)


def test_a_known_bound_gives_the_settlement_a_gap():
    # it earns 80 of at most 160; turnover is 2 MWh x (10 + 50) = 120: gap 80 / 120,
    # and as much again as the profit
    site = arbitrage()
    given = table(site, **{"battery__charge_mw[grid]": [2.0, 0.0]})
    summary = planner.settle(site, given, bound_cny=160.0).plan.summary
    assert summary["gap"] == pytest.approx(80 / 120)
    assert summary["gap_of_profit"] == pytest.approx(1)


def test_a_limit_that_is_broken_is_named_with_hour_and_size():
    site = arbitrage()
    settled = planner.settle(site, table(site, **{"battery__charge_mw[grid]": [6.0, 0.0]}))
    (breach,) = settled.breaches
    assert breach.components == ("battery",)
    assert breach.rule == "charge_limit"
    assert breach.when == "00:00-01:00"
    assert breach.missed == pytest.approx(2, abs=1e-3)
    assert "charge_power_mw 4 MW" in breach.text
    # and the money is that of what happened: 6 MWh bought at 10, 4 MWh sold at 50 (discharge), 140;
    # the battery may keep what it has
    assert settled.plan.summary["objective_cny"] == pytest.approx(140, abs=0.01)
    assert settled.plan.summary["breaches"][0]["rule"] == "charge_limit"


def test_energy_from_nowhere_is_a_balance_that_does_not_add_up():
    site = arbitrage()
    given = {name: [0.0, 0.0] for name in solve_window(site, site.horizon.window).schedule}
    given["grid.export_mw[grid]"] = [0.0, 3.0]
    given["grid.importing"] = [1.0, 0.0]
    settled = planner.settle(site, pd.DataFrame(given, index=site.horizon.starts))
    assert [breach.rule for breach in settled.breaches] == ["balance"]
    assert settled.breaches[0].missed == pytest.approx(3, abs=1e-3)
    assert settled.plan.summary["objective_cny"] == pytest.approx(150, abs=0.01)


def test_a_schedule_that_breaks_the_balance_is_written_and_shown(tmp_path: Path):
    site = arbitrage()
    given = planner.solve(site).schedule[["battery.charge_mw[grid]"]].copy()
    given.iloc[0] = -5
    settlement = planner.settle(site, given)
    assert settlement.breaches
    settlement.plan.write(tmp_path / "plan")
    assert planner.read_plan(tmp_path / "plan").figures.supply() is not None


def test_a_minimum_time_that_operation_broke_is_named():
    site = scenario(
        {
            "unit": thermal(min_up_h=3, initial={"on": False, "power_mw": 0, "hours": 10}),
            "town": load(*[30] * 6),
            "grid": grid(),
        },
        6,
    )
    settled = planner.settle(site, table(site, unit__on=[0, 1, 0, 0, 0, 0]))
    assert any("min_up_h 3" in breach.text for breach in settled.breaches)


def test_a_column_of_another_site_is_an_error_with_a_hint():
    site = arbitrage()
    with pytest.raises(planner.ScenarioError, match=r"battry.*did you mean battery"):
        planner.settle(site, table(site, **{"battry__charge_mw[grid]": [0.0, 0.0]}))


def test_a_value_that_a_column_cannot_take_is_named_beside_other_breaches():
    # an outage at 05:00, and a run of one hour where two are the least
    times = {"min_up_h": 2, "available": [1, 1, 1, 1, 1, 0]}
    site = scenario({"unit": thermal(**times), "grid": grid()}, 6)
    short, outage = planner.settle(site, table(site, unit__on=[0, 1, 0, 0, 0, 1])).breaches
    assert "min_up_h 2" in short.text
    assert outage.text == "unit.on is 1 and can only be 0, at 05:00-06:00"
    site = arbitrage()
    below = planner.settle(site, table(site, **{"battery__charge_mw[grid]": [-1.0, 0.0]})).breaches
    assert [breach.text for breach in below] == [
        "battery.charge_mw[grid] is -1 and must be 0 or more, at 00:00-01:00"
    ]


@pytest.mark.parametrize("over", [0.002, 0.008, 1.0])
def test_a_small_miss_of_a_large_limit_is_named(over: float):
    # a tenth of 20000 MWh may be discharged in the day
    large = {"capacity_mwh": 20000, "charge_power_mw": 9000, "discharge_power_mw": 9000}
    ways = {"import_limit_mw": 9000, "export_limit_mw": 9000, "resale": True}
    parts = {"battery": battery(cycles_per_day=0.1, **large), "grid": grid(**ways)}
    site = scenario(parts, 2)
    given = table(site, **{"battery__discharge_mw[grid]": [0.0, 2000 + over]})
    (breach,) = planner.settle(site, given).breaches
    assert breach.rule == "cycles"
    assert breach.missed == pytest.approx(over, abs=1e-4)
    with pytest.raises(planner.InfeasibleError, match="it breaks\n  - battery may run cycles_per"):
        planner.solve(site, fixed=given)


def test_times_of_a_table_without_an_offset_are_local():
    site = arbitrage()
    given = table(site, **{"battery__charge_mw[grid]": [2.0, 0.0]})
    for times in (given.index.tz_localize(None), given.index.tz_convert("UTC")):
        plan = planner.settle(site, given.set_axis(times)).plan
        assert plan.summary["objective_cny"] == pytest.approx(80)  # not 160, with nothing given
    naive = given.set_axis(given.index.tz_localize(None))
    plan = planner.solve(site, fixed=naive, until="2026-07-15T01:00")
    assert plan.summary["objective_cny"] == pytest.approx(80)


def test_a_table_that_is_no_schedule_is_told():
    site = arbitrage()
    hours, name = site.horizon.starts, "battery.charge_mw[grid]"

    def made(*values: Any, index: Any = hours) -> pd.DataFrame:
        return pd.DataFrame({name: list(values)}, index=index)

    good = made(2.0, 0.0)
    for given, said in (
        (made(2.0, 0.0, index=[0, 1]), "must be indexed by the starts of steps"),
        (made(2.0, 0.0, index=[hours[0], pd.NaT]), "must be indexed by the starts of steps"),
        (made(2.0, 0.0, index=hours[[0, 0]]), "has 2026-07-15T00:00:00.* more than once"),
        (made(2.0, 0.0, index=hours + pd.Timedelta(days=9)), "no row lies in the horizon"),
        (
            made(2.0, 0.0, index=hours + pd.Timedelta(minutes=30)),
            "is not the start of a 60 min step",
        ),
        (pd.concat([good, good], axis=1), "has column .* more than once"),
        (made("much", 0.0), "must be a number .* is 'much' at 2026-07-15T00:00"),
        (made(float("inf"), 0.0), "must be a number .* is inf at 2026-07-15T00:00"),
    ):
        with pytest.raises(planner.ScenarioError, match=said):
            planner.settle(site, given)
    for tolerance in (float("nan"), -1.0):
        with pytest.raises(planner.ScenarioError, match="tolerance: must be 0 or more"):
            planner.settle(site, good, tolerance=tolerance)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "time,battery.charge_mw[grid]\n2027-01-01T00:00:00+08:00,1\n",
            "no row lies in the horizon",
        ),
        (
            "time,battery.charge_mw[grid]\n2026-07-15T00:30:00+08:00,1\n",
            "is not the start of a 60 min",
        ),
        (f"time,battery.charge_mw[grid]\n{START},many\n", "in size or empty, is 'many'"),
        (f"time,battery.charge_mw[grid]\n{START},1e300\n", "in size or empty, is '1e300'"),
        ("hour,x\n1,1\n", "has no column 'time'"),
        (f"time,x,x\n{START},1,1\n", "more than once"),
    ],
)
def test_a_file_that_is_no_schedule_is_told(tmp_path: Path, text: str, said: str):
    (tmp_path / "given.csv").write_text(text)
    with pytest.raises(planner.ScenarioError, match=said):
        planner.settle(arbitrage(), tmp_path / "given.csv")


@pytest.mark.parametrize(
    "text",
    [
        f"# as recorded\ntime,battery.charge_mw[grid]\n{START},2\n",
        f"time;battery.charge_mw[grid];\n{START};2,0;\n",
        f"time\tbattery.charge_mw[grid]\n{START}\t2\n",
        "time,battery.charge_mw[grid]\n2026-07-15 01:00,\n2026-07-15 00:00,2\n",  # latest first
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_schedule_is_read_as_spreadsheets_write_it(tmp_path: Path, text: str, encoding: str):
    (tmp_path / "given.csv").write_text(text, encoding=encoding)
    settled = planner.settle(arbitrage(), tmp_path / "given.csv")
    assert settled.plan.summary["objective_cny"] == pytest.approx(80)  # 2 MWh from 10 to 50


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\3\4", "given.csv is an Excel workbook or another zip file"),
        ("time,充电\n".encode("gb18030"), "given.csv is not utf-8 text; save it as CSV UTF-8"),
        (f"Report\ntime,a\n{START},1\n".encode(), "given.csv:1: 'Report' stands before the header"),
        (f"time,a\n{START},n/a\n".encode(), "in size or empty, is 'n/a'; nothing is filled in"),
        (f"time,a\n{START},\u22125\n".encode(), "a: is not a column of this scenario's schedule"),
    ],
)  # fmt: skip
def test_what_a_schedule_may_not_be_is_told(tmp_path: Path, content: bytes, words: str):
    (tmp_path / "given.csv").write_bytes(content)
    with pytest.raises(planner.ScenarioError) as caught:
        planner.settle(arbitrage(), tmp_path / "given.csv")
    assert words in str(caught.value)


def test_steps_between_the_rows_of_a_schedule_are_free_and_noted():
    """Hourly set points leave three quarters of each hour open: that is said."""
    site = scenario({"town": load(*[1.0] * 8), "grid": grid()}, hours=2, step_min=15)
    free = "the steps between its rows are free"
    for every, noted in ((1, False), (4, True)):
        given = pd.DataFrame({"grid.import_mw": 1.0}, index=site.horizon.starts[::every])
        notes = planner.settle(site, given).plan.summary["warnings"]
        assert any(free in note for note in notes) == noted
    assert "has a row every 60 min, for steps of 15 min" in notes[-1]


def test_the_command_prints_money_and_breaches_and_says_so_by_its_code(tmp_path: Path):
    path = tmp_path / "given.csv"
    path.write_text(f"time,battery.charge_mw[grid]\n{START},2\n")
    command = ["settle", "scenarios/tiny_arbitrage", "--schedule", str(path)]
    result = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "settled")])
    assert result.exit_code == 0, result.output
    assert "settled as given" in result.output
    assert "profit 80 CNY, of which" in result.output
    assert planner.audit(tmp_path / "settled") == []
    path.write_text(f"time,battery.charge_mw[grid]\n{START},9\n")
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 5
    assert "charge_power_mw 4 MW" in result.output


# What is fixed


def test_what_is_fixed_stays_and_the_rest_is_planned_anew(tmp_path: Path):
    plan = solve(random_site(1, 12), 12)
    folder = plan.write(tmp_path / "plan")
    half = plan.scenario.horizon.starts[6]
    again = planner.solve(plan.scenario, fixed=folder, until=half.isoformat())
    pd.testing.assert_frame_equal(
        again.schedule.iloc[:6], plan.schedule.iloc[:6], rtol=0, atol=1e-6
    )
    slack = plan.scenario.solver.gap * plan.summary["turnover_cny"] + 1e-3
    assert again.summary["objective_cny"] == pytest.approx(plan.summary["objective_cny"], abs=slack)
    assert again.summary["fixed"]["steps"] == 6


def test_fixing_a_worse_start_costs_what_it_must():
    # one MW charged in the first hour instead of four: 40 instead of 160
    site = arbitrage()
    given = table(site, **{"battery__charge_mw[grid]": [1.0, 4.0]})
    plan = planner.solve(site, fixed=given, until="2026-07-15T01:00")
    assert plan.summary["objective_cny"] == pytest.approx(40)
    assert plan.summary["status"] == "optimal"
    free = planner.solve(site, fixed=given, until="2026-07-14 24:00")  # as CSV files write midnight
    assert free.summary["objective_cny"] == pytest.approx(160)


def test_fixing_what_cannot_be_tells_the_rule():
    site = arbitrage()
    given = table(site, **{"battery__charge_mw[grid]": [6.0, 0.0]})
    with pytest.raises(planner.InfeasibleError, match="charge_power_mw 4 MW") as caught:
        planner.solve(site, fixed=given)
    assert caught.value.diagnosis["fixed_breaks"]


def test_a_time_that_is_no_step_is_told():
    site = arbitrage()
    given = table(site, **{"battery__charge_mw[grid]": [0.0, 0.0]})
    for until, said in (
        ("2026-07-15T00:30", "start of a step"),
        ("noon", "until: time must be ISO 8601"),
        ("07/15/2026 01:00", "day or month first is ambiguous"),
    ):
        with pytest.raises(planner.ScenarioError, match=said):
            planner.solve(site, fixed=given, until=until)


def test_options_on_what_is_fixed_must_go_together():
    alone = CliRunner().invoke(
        app, ["solve", "scenarios/tiny_market", "--until", "2026-07-15T03:00"]
    )
    assert alone.exit_code == 2
    assert "--until: needs --fix" in alone.output


# What came before


@pytest.mark.parametrize("seed", [1, 4])
def test_the_state_that_a_plan_leaves_is_where_the_next_begins(tmp_path: Path, seed: int):
    hours, cut = 14, 8
    before = solve(random_site(seed, hours), hours)
    folder = before.write(tmp_path / "before")
    begins = before.scenario.horizon.starts[cut].isoformat()
    data = {
        "name": "after",
        "horizon": {"hours": hours - cut, "start": begins},
        "initial_from": str(folder),
        "components": {n: _later(part, hours, cut) for n, part in random_site(seed, hours).items()},
    }
    after = planner.Scenario.from_mapping(data)
    advanced = advance(before, 1, cut).components
    for name, component in after.components.items():
        for field in [f for f in type(component).model_fields if is_state(f)]:
            assert getattr(component, field) == getattr(advanced[name], field), f"{name}.{field}"
    assert after.initial_from is None
    assert after.components["battery"].initial != before.scenario.components["battery"].initial


def _later(value: Any, hours: int, cut: int) -> Any:
    """Return fields with every series begun later."""
    if isinstance(value, dict):
        return {key: _later(part, hours, cut) for key, part in value.items()}
    return value[cut:] if isinstance(value, list) and len(value) == hours else value


@pytest.mark.parametrize(
    ("part", "later", "now", "in_file"),
    [
        (battery(initial={"energy_mwh": 6}), {}, "at_least_mwh 2", "at_least_mwh 6"),
        (battery(initial={"energy_mwh": 6}), {"ending": {"at_least_mwh": 6}}, "", ""),
        (battery(initial={"energy_mwh": 6}), {"initial": {"energy_mwh": 2}}, "", ""),
        (thermal(initial={"on": True, "power_mw": 50, "hours": 9}, ending="same_as_start"), {},
         "off", "on"),
        (thermal(initial={"on": True, "power_mw": 50, "hours": 9}), {}, "", ""),
    ],
)  # fmt: skip
def test_an_ending_as_at_the_start_that_another_state_changes_is_warned_of(
    tmp_path: Path, part: dict[str, Any], later: dict[str, Any], now: str, in_file: str
):
    # 4 MWh are sold at 50 and the unit is off; 6 MWh and on stand in the file of the next hours
    parts = {"part": part, "grid": market(5, 5)}
    if part["kind"] == "battery":
        parts["grid"] = grid(resale=True, import_price_cny_per_mwh=[50, 1],
                             export_price_cny_per_mwh=[50, 1])  # fmt: skip
    folder = solve(parts, 2).write(tmp_path / "before")
    begins = "2026-07-15T01:00:00+08:00"
    parts = {"part": part | later, "grid": grid()}
    after = scenario(parts, 1, start=begins, initial_from=str(folder))
    told = [text for text in after.warnings() if "initial_from" in text]
    assert told == ([] if not now else [
        "components.part.ending: same_as_start is the start in the plan of initial_from,"
        f" {now}, and not that of `initial` in this file, {in_file}; write out the one that is"
        " meant"
    ])  # fmt: skip
    assert (after.with_values({}).warnings() == after.warnings()) == (not now)


def test_a_plan_that_does_not_reach_the_horizon_is_told(tmp_path: Path):
    site = arbitrage()
    folder = planner.solve(site).write(tmp_path / "before")
    data = {"name": "next", "horizon": {"hours": 2, "start": "2026-07-15T02:00:00+08:00"}}
    data |= {"components": {"battery": battery(), "grid": grid()}, "initial_from": str(folder)}
    assert planner.Scenario.from_mapping(data).components["battery"].initial.total() == 0
    for change, said in (
        ({"horizon": {"hours": 2, "start": "2026-07-15T03:00:00+08:00"}}, "plan covers"),
        ({"horizon": data["horizon"] | {"step_min": 30}}, "has steps of 60 min"),
        ({"initial_from": str(tmp_path)}, "must be a plan folder"),
        ({"components": {"battery": thermal(), "grid": grid()}}, "is a battery in the plan"),
    ):
        with pytest.raises(planner.ScenarioError, match=said):
            planner.Scenario.from_mapping(data | change)


def test_a_scenario_does_not_go_on_from_itself(tmp_path: Path):
    data = {"name": "x", "horizon": {"hours": 2, "start": "2026-07-15T02:00:00+08:00"}}
    data |= {"components": {"grid": grid()}, "initial_from": "."}
    (tmp_path / "scenario.yaml").write_text(json.dumps(data))
    with pytest.raises(planner.ScenarioError, match="initial_from: must be a plan folder"):
        planner.load(tmp_path)


def test_a_state_that_does_not_fit_is_told(tmp_path: Path):
    prices = {"import_price_cny_per_mwh": [10, 50], "export_price_cny_per_mwh": [10, 50]}
    full = battery(ending={"at_least_mwh": 4})
    plan = solve({"battery": full, "grid": grid(resale=True, **prices)}, 2)
    data = {
        "name": "next",
        "horizon": {"hours": 2, "start": "2026-07-15T02:00:00+08:00"},
        "components": {"battery": battery(capacity_mwh=2), "grid": grid()},
        "initial_from": str(plan.write(tmp_path / "before")),
    }
    with pytest.raises(planner.ScenarioError, match="state of 'battery' in the plan does not fit"):
        planner.Scenario.from_mapping(data)


@pytest.mark.parametrize(
    ("before", "after", "least"),
    [
        ({}, {"ramp_mw_per_h": 5}, {"exchange_mw": 5}),
        ({"ramp_mw_per_h": 5}, {}, {}),
        ({}, {"max_swing_share": 0.5}, {"highest_today_mw": 5, "lowest_today_mw": 4}),
        ({"max_swing_share": 0.5}, {}, {}),
    ],
)
def test_the_past_is_kept_for_the_limits_of_the_next_day(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any], least: dict[str, float]
):
    def parts(**limits: Any) -> dict[str, Any]:
        return {"grid": grid(export_limit_mw=0, **limits), "town": load(4, 5)}

    folder = solve(parts(**before), 2).write(tmp_path / "before")
    next_day = scenario(parts(**after), 2, start="2026-07-15T02:00:00+08:00",
                        initial_from=str(folder))  # fmt: skip
    past = next_day.components["grid"].initial.model_dump(exclude_defaults=True)
    assert past == pytest.approx(least)


def test_cycles_and_waking_nodes_are_remembered_by_the_next_days_own_limits(tmp_path: Path):
    cell = {"initial": {"energy_mwh": 8}, "ending": {"at_least_mwh": 0}}
    parts = compute.site(
        gpu=compute.fleet(4), chat=compute.chat([18, 36]),
        cell=battery(**cell), sink=grid(node="site", resale=True, import_limit_mw=0),
    )  # fmt: skip
    folder = solve(parts, 2).write(tmp_path / "before")
    parts |= {"gpu": compute.fleet(4, wake_min=90), "cell": battery(cycles_per_day=0.5, **cell)}
    after = scenario(parts, 2, start="2026-07-15T02:00:00+08:00", initial_from=str(folder))
    assert after.components["gpu"].initial.woken == {"chatty": pytest.approx((2.0,))}
    assert after.components["cell"].initial.discharged_today_mwh == 5  # 8, and 5 are all it may


def test_a_plan_of_another_offset_is_told(tmp_path: Path):
    folder = planner.solve(arbitrage()).write(tmp_path / "before")
    parts = {"battery": battery(), "grid": grid()}
    with pytest.raises(planner.ScenarioError, match=r"another clock.* or the same offset"):
        scenario(parts, 2, start="2026-07-14T18:00:00+00:00", initial_from=str(folder))


def test_what_rounding_leaves_below_nothing_is_no_past():
    site = scenario(random_site(1, 4), 4)
    rows = solve_window(site, site.horizon.window).schedule
    of = {name: columns_of(rows, name) for name in ("battery", "green")}
    low = {n: {c: 0.0 * v - 1e-9 for c, v in values.items()} for n, values in of.items()}
    window = site.horizon.window
    cell = site.components["battery"].revised(
        {"initial": BatteryInitial(energy_mwh=9.0, discharged_today_mwh=0.0)}
    )
    assert cell.after(low["battery"], window, site.horizon).initial.discharged_today_mwh == 0
    added = site.components["green"].added(low["green"], 1.0)
    type(added).model_validate(added.model_dump())  # a state that can be given
