"""Plans of sites whose clock changes: money, days, months, meters, files, by the local clock.

Berlin: 2026-03-29 has 23 hours (no 02:00), 2026-10-25 has 25 (02:00 twice). New York: 2026-11-01,
the first of a month, has 25.
"""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import openpyxl
import pandas as pd
import pytest

import planner
from planner import ScenarioError
from planner.auditor.audit import audit
from planner.language.language import ENGLISH
from planner.plan.folder import read_plan
from planner.report.charts.registry import charts_of
from planner.report.declaration import write_declaration
from planner.report.net_rows import net_table
from tests.support.build import battery, column, grid, load, market, scenario, thermal, total
from tests.timeseries.test_clock_changes import LONGEST, ZONES, changes

Parts = dict[str, dict[str, Any]]
AUTUMN, SPRING, NOVEMBER = (
    "2026-10-25T00:00:00+02:00", "2026-03-29T00:00:00+01:00", "2026-11-01T00:00:00-04:00",
)  # fmt: skip
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
NIGHT = {"calendar": [{"value": 0}, {"value": 100, "hours": ["2-3"]}]}


def at(start: str, hours: float, zone: str = BERLIN, step_min: int = 60) -> dict[str, Any]:
    return {"start": start, "hours": hours, "step_min": step_min, "timezone": zone}


def site(parts: Parts, horizon: dict[str, Any], **top: Any) -> planner.Scenario:
    return scenario(parts, horizon=horizon, **top)


def solve(parts: Parts, horizon: dict[str, Any], **top: Any) -> planner.Plan:
    return planner.solve(site(parts, horizon, **top))


def bought(price: Any, mw: float = 1, **fields: Any) -> Parts:
    city = {"kind": "load", "demand_mw": mw}
    return {"grid": grid(import_price_cny_per_mwh=price, **fields), "city": city}


# Sums in the head


@pytest.mark.parametrize(
    ("start", "hours", "step_min", "cny"),
    [(AUTUMN, 25, 60, 200), (AUTUMN, 25, 15, 200), (SPRING, 23, 60, 0), (SPRING, 23, 15, 0)],
)
def test_a_band_counts_as_often_as_the_clock_shows_it(
    start: str, hours: float, step_min: int, cny: float, tmp_path: Path
) -> None:
    """1 MW at 100 CNY/MWh from 02:00 to 03:00: twice in autumn, not at all in spring."""
    plan = solve(bought(NIGHT), at(start, hours, step_min=step_min))
    assert plan.summary["objective_cny"] == pytest.approx(-cny)
    assert len(plan.scenario.horizon.days) == 1
    plan.write(tmp_path / "plan")
    assert audit(tmp_path / "plan") == []
    back = read_plan(tmp_path / "plan")
    assert back.schedule.equals(plan.schedule)
    assert back.scenario.horizon == plan.scenario.horizon
    assert back.ledger.equals(plan.ledger)


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("null", "timezone: is 'Europe/Berlin', should be empty"),
        ("Europe/Rome", "timezone: is 'Europe/Berlin', should be 'Europe/Rome'"),
        ("Europe/London", "2026-10-25T00:00:00+02:00 is no time of Europe/London"),
        ("Europe/Nowhere", "there is no time zone Europe/Nowhere"),
    ],
)
def test_the_auditor_reads_the_clock_itself(zone: str, words: str, tmp_path: Path) -> None:
    folder = solve(bought(NIGHT), at(AUTUMN, 25)).write(tmp_path / "plan")
    file = folder / "scenario.yaml"
    file.write_text(file.read_text().replace("timezone: Europe/Berlin", f"timezone: {zone}"))
    try:
        told = " ".join(map(str, audit(folder)))
    except planner.PlanError as error:
        told = str(error)
    assert words in told


def test_a_day_of_25_hours_has_one_cycle_and_one_start() -> None:
    """Each hour but the last of two days pays; a day has 10 MWh, and a unit starts once a day."""
    cell = battery(initial={"energy_mwh": 10}, ending={"at_least_mwh": 0}, cycles_per_day=1)
    prices = [10, 50] * 24 + [10]
    both = {"import_price_cny_per_mwh": prices, "export_price_cny_per_mwh": prices}
    plan = solve({"cell": cell, "grid": grid(resale=True, **both)}, at(AUTUMN, 49))
    out = sum(plan.schedule[name] for name in plan.schedule if "cell.discharge_mw[" in name)
    assert out.groupby(out.index.date).sum().round(6).tolist() == [10, 10]
    unit = thermal(max_starts_per_day=1, startups=[{"off_h": 0, "cost_cny": 0}])
    paid = [30, -99] * 24 + [30]
    plan = solve({"unit": unit, "grid": market(*paid)}, at(AUTUMN, 49))
    starts = plan.schedule["unit.start"]
    assert starts.groupby(starts.index.date).sum().tolist() == [1, 1]


def test_a_month_that_begins_on_a_day_of_25_hours() -> None:
    """3 MW in October and 2 in November: each month pays its peak; 745 h are in October's fee."""
    parts = bought(0, demand_charge_cny_per_mw_month=100) | {"city": load(3, *[2] * 26)}
    plan = solve(parts, at("2026-10-31T23:00:00-04:00", 27, NEW_YORK))
    charged = plan.ledger[plan.ledger["line"] == "demand_charge"]
    assert dict(zip(charged["period"], charged["amount_cny"], strict=True)) == {
        "2026-10": pytest.approx(-300), "2026-11": pytest.approx(-200),
    }  # fmt: skip
    fee = solve(bought(0, fixed_cny_per_month=745), at(AUTUMN, 25))
    assert fee.summary["outside_objective_cny"]["grid"]["fixed"] == pytest.approx(-25)
    fee = solve(bought(0, fixed_cny_per_month=743), at(SPRING, 23))
    assert fee.summary["outside_objective_cny"]["grid"]["fixed"] == pytest.approx(-23)


def test_the_meter_tells_the_two_intervals_of_02_00_apart() -> None:
    """6 MW for 5 min in each of them: two averages of 2 MW, not one of 4."""
    mw = [6.0 if i in (0, 12) else 0.0 for i in range(24)]
    parts = bought(0, demand_charge_cny_per_mw_month=100) | {"city": load(*mw)}
    plan = solve(parts, at("2026-10-25T02:00:00+02:00", 2, step_min=5))
    assert total(plan, "grid", "demand_charge") == pytest.approx(-200)


def test_an_interval_that_the_clock_cuts_is_refused() -> None:
    """Lord Howe sets its clock by half an hour: hourly intervals are none of its hours."""
    horizon = at("2026-04-05T00:00:00+11:00", 12, "Australia/Lord_Howe", 30)
    parts = bought(0, demand_charge_cny_per_mw_month=1, demand_interval_min=60)
    with pytest.raises(ScenarioError, match="intervals of 60 min do not fit the clock of Austr"):
        site(parts, horizon)
    site(bought(0, demand_charge_cny_per_mw_month=1, demand_interval_min=30), horizon)


def test_the_past_of_a_day_is_that_of_its_clock() -> None:
    """At 06:00 on the day of 25 hours a unit that has run for 6.5 h started today."""
    unit = thermal(
        max_starts_per_day=1, initial={"on": True, "hours": 6.5, "power_mw": 50}, min_up_h=0
    )
    parts = {"unit": unit, "grid": market(*[30] * 4)}
    for start, today in (("2026-10-25T06:00:00+01:00", True), ("2026-10-26T06:00:00+01:00", False)):
        told = site(parts, at(start, 4)).warnings()
        assert any("initial.starts_today is 0" in text for text in told) == today


# Declarations, files


@pytest.mark.parametrize(("start", "hours", "points"), [(AUTUMN, 25, 100), (SPRING, 23, 92)])
def test_a_declaration_has_the_points_of_its_day(
    start: str, hours: float, points: int, tmp_path: Path
) -> None:
    mw = list(range(1, points + 1))
    plan = solve({"grid": grid(), "city": load(*mw)}, at(start, hours, step_min=15))
    write_declaration(plan, tmp_path / "day.csv")
    table = pd.read_csv(tmp_path / "day.csv")
    assert table["time"].is_unique
    assert table["time"].iloc[-1] == f"{start[:10]}T24:00{'+01:00' if points == 100 else '+02:00'}"
    series = {"csv": "day.csv", "column": "grid.exchange_mw", "stamp": "end"}
    data = {
        "name": "again",
        "horizon": at(start, hours, step_min=15),
        "components": {"grid": grid(), "city": {"kind": "load", "demand_mw": series}},
    }
    file = tmp_path / "scenario.yaml"
    file.write_text(planner_yaml(data))
    again = planner.load(file)
    assert again.components["city"].demand_mw.tolist() == mw  # type: ignore[attr-defined]
    plan.write(tmp_path / "plan", formats=("csv", "xlsx"))
    sheet = openpyxl.load_workbook(tmp_path / "plan" / "schedule.xlsx")[start[:10]]
    heads = [cell.value for cell in sheet[1]][3:]
    assert (len(heads), len(set(heads)), heads[-1]) == (points, points, "24:00")
    row = next(row for row in sheet.iter_rows(values_only=True) if row[0] == "grid.import_mw")
    assert row[3:] == tuple(mw)


@pytest.mark.parametrize(
    ("start", "ends"),
    [
        ("2026-10-25T01:00:00+02:00", ["2026-10-25T02:00+02:00"]),
        ("2026-10-25T02:00:00+02:00", ["2026-10-25T03:00+02:00"]),
        ("2026-10-25T02:00:00+01:00", ["2026-10-25T03:00+01:00"]),
        ("2026-10-25T03:00:00+01:00", ["2026-10-25T04:00"]),
    ],
)
def test_a_declared_time_that_the_clock_shows_twice_has_its_offset(
    start: str, ends: list[str], tmp_path: Path
) -> None:
    write_declaration(solve(bought(1), at(start, 1)), tmp_path / "hour.csv")
    assert pd.read_csv(tmp_path / "hour.csv")["time"].tolist() == ends


def planner_yaml(data: dict[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(data)


def test_charts_draw_the_hour_that_occurs_twice_twice() -> None:
    plan = solve(bought(NIGHT) | {"cell": battery()}, at(AUTUMN, 25))
    chart = next(c for c in charts_of(plan, ENGLISH) if c.key == "supply")
    assert chart.table["time"].tolist()[1:5] == [
        "2026-10-25 01:00", "2026-10-25 02:00+02:00", "2026-10-25 02:00+01:00", "2026-10-25 03:00",
    ]  # fmt: skip
    assert net_table(plan, ENGLISH, 5)["time"].tolist() == chart.table["time"].tolist()[:5]
    axis = chart.figure["layout"]["xaxis"]
    assert axis["range"] == ["2026-10-25T00:00", "2026-10-26T01:00"]
    labels = dict(zip(axis["tickvals"], axis["ticktext"], strict=True))
    assert list(labels)[:4] == [f"2026-10-25T0{hour}:00" for hour in (0, 2, 3, 5)]
    assert list(labels.values())[:4] == [
        "00:00<br>10-25", "02:00<br>+02:00", "02:00<br>+01:00", "04:00",
    ]  # fmt: skip
    for trace in chart.figure["data"]:
        assert len(trace["y"]) >= 25


# What goes on from a plan


def night_and_day() -> planner.Plan:
    return solve(bought([10.0] * 49) | {"cell": battery()}, at("2026-10-24T00:00:00+02:00", 49))


def test_a_plan_goes_on_across_the_change(tmp_path: Path) -> None:
    plan = night_and_day()
    plan.write(tmp_path / "plan")
    rest = planner.replan(plan, "2026-10-25T02:00+01:00").plan
    assert rest.scenario.horizon.starts[0].isoformat() == "2026-10-25T02:00:00+01:00"
    assert rest.scenario.horizon.hours == 49 - 24 - 3
    assert planner.replan(plan, "2026-10-25 01:00").plan.scenario.horizon.hours == 49 - 24 - 1
    with pytest.raises(ScenarioError, match="2026-10-25 02:00 occurs twice in Europe/Berlin"):
        planner.replan(plan, "2026-10-25 02:00")
    settled = planner.settle(plan.scenario, tmp_path / "plan").plan
    assert settled.summary["objective_cny"] == pytest.approx(plan.summary["objective_cny"])
    after = at("2026-10-26T00:00:00+01:00", 2)
    site(bought(0) | {"cell": battery()}, after, initial_from=str(tmp_path / "plan"))


def test_a_plan_of_another_clock_is_told(tmp_path: Path) -> None:
    """Before the change an offset has the clock of the zone; over it, it has not."""
    parts = bought(0) | {"cell": battery()}
    fixed = {"start": "2026-10-24T00:00:00+02:00", "hours": 24}
    planner.solve(scenario(parts, horizon=fixed)).write(tmp_path / "summer")
    site(parts, at(AUTUMN, 25), initial_from=str(tmp_path / "summer"))
    planner.solve(scenario(parts, horizon=fixed | {"hours": 48})).write(tmp_path / "over")
    with pytest.raises(ScenarioError, match=r"has another clock.*timezone"):
        site(parts, at("2026-10-25T23:00:00+01:00", 2), initial_from=str(tmp_path / "over"))
    with pytest.raises(ScenarioError, match="has another clock than this scenario"):
        site(parts, at(NOVEMBER, 2, NEW_YORK), initial_from=str(tmp_path / "over"))


def test_plans_of_two_clocks_are_compared_by_their_moments() -> None:
    """An hour of 100 CNY/MWh by the zone lies elsewhere by the offset of the start."""
    zoned = solve(bought(NIGHT), at(AUTUMN, 25))
    fixed = planner.solve(scenario(bought(NIGHT), horizon={"start": AUTUMN, "hours": 25}))
    for one, two in ((zoned, fixed), (fixed, zoned)):
        hours = planner.compare(one, two).hours
        assert hours["moved_cny"].tolist() == [100]
        assert hours["time"][0] == pd.Timestamp("2026-10-25T02:00+01:00")
        assert hours["time"][0].tzinfo == one.scenario.horizon.zone
    assert planner.compare(zoned, zoned).hours.empty


def test_the_times_of_targets_are_those_of_the_clock() -> None:
    def held(time: str) -> planner.Plan:
        target = {"time": time, "at_least_mwh": 4}
        return solve(bought(0) | {"cell": battery(energy_targets=[target])}, at(AUTUMN, 25))

    energy = column(held("2026-10-25T02:00+01:00"), "cell.energy_mwh[grid]")
    assert energy[2] == 4
    assert column(held("2026-10-25 03:00"), "cell.energy_mwh[grid]")[3] == 4
    with pytest.raises(ScenarioError, match="2026-10-25 02:00 occurs twice in Europe/Berlin"):
        held("2026-10-25 02:00")


def test_a_schedule_named_by_its_ends_is_told() -> None:
    plan = night_and_day()
    late = plan.schedule.copy()
    late.index += pd.Timedelta(hours=1)
    with pytest.raises(ScenarioError, match="seem to name the ends of the steps"):
        planner.settle(plan.scenario, late)
    planner.settle(plan.scenario, plan.schedule.iloc[1:])
    planner.settle(plan.scenario, late.iloc[:-1])  # recorded from the second step on


def test_a_schedule_without_offsets_is_told_apart_by_its_order() -> None:
    plan = night_and_day()
    naive = plan.schedule.tz_localize(None)
    settled = planner.settle(plan.scenario, naive).plan
    assert settled.schedule.index.equals(plan.schedule.index)
    with pytest.raises(ScenarioError, match="2026-10-25 02:00 occurs twice"):
        planner.settle(plan.scenario, naive[~naive.index.duplicated()])


@pytest.mark.slow
def test_windows_and_days_of_a_simulation_are_those_of_the_clock(tmp_path: Path) -> None:
    prices = {"hours": [10 + h for h in range(24)]}
    parts = bought(prices) | {"cell": battery(cycles_per_day=1)}
    whole = site(parts, at("2026-10-24T00:00:00+02:00", 73))
    rolled = planner.roll(whole, 48, 24)
    assert rolled.summary["objective_cny"] == pytest.approx(
        planner.solve(whole).summary["objective_cny"]
    )
    rolled.write(tmp_path / "rolled")
    assert audit(tmp_path / "rolled") == []
    file = tmp_path / "scenario.yaml"
    file.write_text(planner_yaml(
        {"name": "days", "horizon": at("2026-10-24T00:00:00+02:00", 24), "components": parts}
    ))  # fmt: skip
    done = planner.simulate(file, days=2, policies=["perfect", "tariff_battery", "grid_first"])
    assert done.plans["perfect"].scenario.horizon.hours == 49


# Any site in any zone


def variants() -> list[tuple[int, str, str]]:
    """Seed, zone and start, a few hours before each change of each zone in a year."""
    made = []
    for name in ZONES:
        for change in changes(name):
            rnd = random.Random(f"{name} {change}")
            begin = change - dt.timedelta(hours=rnd.randint(0, 20))
            start = begin.astimezone(ZoneInfo(name)).replace(minute=0)
            for _ in range(2):
                made.append((len(made), name, start.isoformat()))
    return made


@pytest.mark.few(3)
@pytest.mark.parametrize(("seed", "zone", "start"), variants())
def test_any_site_keeps_its_rules_by_the_clock(
    seed: int, zone: str, start: str, tmp_path: Path
) -> None:
    """Money, days and months are added up again by the calendar of pandas; the auditor agrees."""
    rnd = random.Random(seed)
    longest = LONGEST.get(zone, 60)
    step = rnd.choice([s for s in (15, 30, 60) if s <= longest])
    hours = rnd.choice([26, 30])
    band = f"{rnd.randint(0, 3)}-{rnd.randint(4, 9)}"
    prices = {"calendar": [{"value": 40}, {"value": 90, "hours": [band]},
                           {"value": 20, "days": "weekend", "hours": ["12-15"]}]}  # fmt: skip
    parts = {
        "grid": grid(
            import_price_cny_per_mwh=prices, export_price_cny_per_mwh=10,
            demand_charge_cny_per_mw_month=50, demand_interval_min=rnd.choice([15, 30]),
            fixed_cny_per_month=1000, max_swing_share=rnd.choice([None, 0.9]),
        ),
        "cell": battery(cycles_per_day=0.5),
        "unit": thermal(min_power_mw=2, max_power_mw=4, max_starts_per_day=1, initial={
            "on": False, "hours": 9}, curve=[{"power_mw": 2, "fuel_gj_per_h": 10},
                                             {"power_mw": 4, "fuel_gj_per_h": 18}],
        ),
        "city": {"kind": "load", "demand_mw": {"hours": [rnd.randint(3, 9) for _ in range(24)]}},
    }  # fmt: skip
    plan = solve(parts, at(start, hours, zone, step), solver={"gap": 0.01})
    folder = tmp_path / "plan"
    plan.write(folder)
    assert audit(folder) == []
    assert read_plan(folder).schedule.equals(plan.schedule)

    local = pd.date_range(pd.Timestamp(start).tz_convert("UTC"), periods=len(plan.schedule),
                          freq=f"{step}min").tz_convert(zone)  # fmt: skip
    clock = local.tz_localize(None)
    first, last = (int(part) * 60 for part in band.split("-"))
    minute = clock.hour * 60 + clock.minute
    price = np.where((minute >= first) & (minute < last), 90.0, 40.0)
    price[(clock.day_of_week >= 5) & (clock.hour >= 12) & (clock.hour < 15)] = 20.0
    step_h = step / 60
    paid = float(plan.schedule["grid.import_mw"].to_numpy() @ price) * step_h
    assert total(plan, "grid", "import") == pytest.approx(-paid, abs=1e-3)
    demand = np.array(parts["city"]["demand_mw"]["hours"], dtype=float)[clock.hour]
    assert plan.summary["figures"]["city"]["demand_mwh"] == pytest.approx(demand.sum() * step_h)
    day = pd.Index(clock.date)
    out = sum(plan.schedule[n] for n in plan.schedule if n.startswith("cell.discharge_mw["))
    assert (out.groupby(day).sum() * step_h <= 5 + 1e-6).all()
    assert (plan.schedule["unit.start"].groupby(day).sum() <= 1).all()
    months = plan.ledger.loc[plan.ledger["line"] == "demand_charge", "period"]
    assert set(months) == set(clock.strftime("%Y-%m"))
    first_of_month = {
        name: [
            dt.datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=ZoneInfo(zone)).timestamp()
            for day in (f"{name}-01", f"{pd.Period(name) + 1}-01")
        ]
        for name in set(months)
    }
    lengths = {name: (after - first) / 3600 for name, (first, after) in first_of_month.items()}
    fee = sum(1000 * step_h / lengths[name] for name in clock.strftime("%Y-%m"))
    assert plan.summary["outside_objective_cny"]["grid"]["fixed"] == pytest.approx(-fee)


def midnights() -> list[tuple[str, str]]:
    """A start 7 hours before each change, also of clocks that change at midnight."""
    return [
        (name, (change - dt.timedelta(hours=7)).astimezone(ZoneInfo(name)).isoformat())
        for name in ("America/Havana", "Africa/Cairo", "Europe/Berlin", "America/Santiago",
                     "Asia/Beirut", "Australia/Lord_Howe", "Atlantic/Azores")
        for change in changes(name)
    ]  # fmt: skip


@pytest.mark.few(1)
@pytest.mark.parametrize(("zone", "start"), midnights())
def test_windows_carry_the_day_over_a_change(zone: str, start: str, tmp_path: Path) -> None:
    """Windows of 4 h, 2 h executed: what is used of a day is known at each of their starts."""
    price = [10, 50] * 26
    cell = battery(initial={"energy_mwh": 10}, ending={"at_least_mwh": 0}, cycles_per_day=1)
    parts = {
        "grid": grid(
            import_price_cny_per_mwh=price, export_price_cny_per_mwh=5, max_swing_share=0.9,
            demand_charge_cny_per_mw_month=1,
        ),
        "cell": cell,
        "unit": thermal(min_power_mw=1, max_power_mw=2, max_starts_per_day=1, curve=[
            {"power_mw": 1, "fuel_gj_per_h": 1}, {"power_mw": 2, "fuel_gj_per_h": 8}]),
        "city": {"kind": "load", "demand_mw": 5},
    }  # fmt: skip
    plan = planner.roll(site(parts, at(start, 26, zone, 30)), 4, 2, bound=False)
    plan.write(tmp_path / "plan")
    assert audit(tmp_path / "plan") == []
    day = pd.Index(pd.DatetimeIndex(plan.schedule.index).date)
    out = sum(plan.schedule[n] for n in plan.schedule if n.startswith("cell.discharge_mw["))
    by_day = out.groupby(day).sum() / 2
    assert (by_day <= 10 + 1e-6).all()
    assert by_day.max() > 9  # the limit binds


# A horizon that is wrong itself


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"start": "2026-10-25T00:00:00+01:00"},
         "horizon.start: must be 2026-10-25T00:00:00+02:00 by the clock of Europe/Berlin"),
        ({"start": "2026-10-25 00:00"},
         "for the clock of Europe/Berlin write 2026-10-25T00:00:00+02:00"),
        ({"start": "2026-03-29 02:00"},
         "for the clock of Europe/Berlin write 2026-03-29T03:00:00+02:00"),
        ({"start": "2026-10-25 00:00", "timezone": "America/New_York"},
         "for the clock of America/New_York write 2026-10-25T00:00:00-04:00"),
        ({"timezone": "Berlin"}, "horizon.timezone: must be a time zone such as Europe/Berlin"),
        ({"hours": "25 h"}, "horizon.hours: must be a number, is '25 h'; write 25, without a unit"),
    ],
)  # fmt: skip
def test_the_times_of_a_file_are_not_blamed_for_the_horizon(
    changed: dict[str, Any], words: str, tmp_path: Path
) -> None:
    """An hour that occurs twice in a file is one problem only where no zone is named."""
    zone = changed.get("timezone", BERLIN)
    days = (("2026-10-25", "02:00"), ("2026-11-01", "01:00"))
    rows = [f"{day} {hour:02}:00" for day, _ in days for hour in range(24)]
    for day, twice in days[:1] if zone != NEW_YORK else days[1:]:
        rows.insert(rows.index(f"{day} {twice}"), f"{day} {twice}")
    (tmp_path / "price.csv").write_text("\n".join(["time,price", *(f"{r},1" for r in rows)]))
    parts = bought({"csv": "price.csv", "column": "price"})
    data = {"name": "site", "horizon": at(AUTUMN, 25) | changed, "components": parts}
    (tmp_path / "site.yaml").write_text(planner_yaml(data))
    with pytest.raises(ScenarioError) as error:
        planner.load(tmp_path / "site.yaml")
    problems = "\n".join(map(str, error.value.problems))
    assert words in problems
    assert "twice" not in problems
