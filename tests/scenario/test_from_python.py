"""Scenarios from Python values: what a program holds, matched and checked as a file is."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import planner
import planner.components as kinds
from planner.components import (
    Battery,
    BatteryInitial,
    ByOrigin,
    EndValue,
    EnergyTarget,
    Grid,
    Horizon,
    Load,
    Renewable,
)
from planner.errors import PlannerError
from planner.fields import Frozen

ROOT = Path(__file__).parent.parent.parent
START = "2026-07-15T00:00:00+08:00"
TIMES = pd.date_range("2026-07-14 22:00", periods=8, freq="h")  # two steps of it before the horizon
SERIES = pd.Series(np.arange(8.0), index=TIMES)
PATH = "components.town.demand_mw"


def site(demand_mw: Any = 5, **more: Any) -> dict[str, Any]:
    """4 h with a grid at 10, 20, 30, 40 CNY/MWh and a town."""
    price = np.array([10, 20, 30, 40])
    grid = {"kind": "grid", "import_limit_mw": 10, "export_limit_mw": 0}
    grid |= {"import_price_cny_per_mwh": price, "export_price_cny_per_mwh": 0}
    town = {"kind": "load", "demand_mw": demand_mw}
    horizon = {"start": START, "hours": 4}
    return {"name": "site", "horizon": horizon, "components": {"grid": grid, "town": town}} | more


def demand(scenario: planner.Scenario) -> list[float]:
    return list(scenario.components["town"].demand_mw)


def test_a_series_is_matched_by_time_and_a_plan_costs_what_the_head_says() -> None:
    """2, 3, 4, 5 MW at 10, 20, 30, 40 CNY/MWh cost 20 + 60 + 120 + 200 = 400."""
    plan = planner.solve(site(SERIES))
    assert plan.summary["objective_cny"] == pytest.approx(-400)


@pytest.mark.parametrize(
    "series",
    [
        SERIES,
        SERIES[::-1],
        SERIES.tz_localize("Asia/Shanghai"),
        SERIES.tz_localize("Asia/Shanghai").tz_convert("UTC"),
        SERIES.astype(int),
        SERIES.astype("Float64"),
        np.array([2, 3, 4, 5]),
        np.float32([2, 3, 4, 5]),
        [np.longdouble(2), 3, 4, 5],
        (np.int64(2), 3.0, 4, 5),
        range(2, 6),
    ],
)
def test_what_is_a_series(series: Any) -> None:
    scenario = planner.Scenario.from_mapping(site(series))
    assert demand(scenario) == [2, 3, 4, 5]
    assert demand(planner.Scenario.from_mapping(site()).with_values({PATH: series})) == [2, 3, 4, 5]
    typed = Load(demand_mw=series)
    assert demand(scenario.with_values({"components.town": typed})) == [2, 3, 4, 5]


WRONG: dict[str, tuple[Any, str]] = {
    "missing": (SERIES.drop(TIMES[4]), "no row for 2026-07-15T02:00:00+08:00; it covers"),
    "short": (SERIES[:3], "no row for 2026-07-15T01:00:00+08:00 and 2 later times"),
    "twice": (pd.concat([SERIES, SERIES[3:4]]), "time 2026-07-15 01:00:00 appears twice"),
    "unordered": (SERIES.iloc[[1, 0, *range(2, 8)]], "times must ascend"),
    "irregular": (
        pd.Series(1.0, TIMES + pd.to_timedelta([0, 7, 2, 9, 4, 1, 8, 3], unit="min")),
        "Series at 2026-07-14 23:07:00: is the first of rows at irregular times, 55, 67, 55",
    ),
    "aside": (
        SERIES.set_axis(TIMES + pd.Timedelta("7min")),
        "its rows begin at 00:07:00, which falls on no 60 min step of the horizon",
    ),
    "ends": (
        SERIES[3:].set_axis(TIMES[3:]).reindex(TIMES[3:7]),
        "subtract pd.Timedelta(minutes=60) from its index",
    ),
    "finer": (SERIES.resample("30min").ffill(), "series.resample('60min').mean()"),
    "coarser": (SERIES.resample("2h").mean(), "series.resample('60min').ffill()"),
    "nan": (SERIES.where(SERIES != 4), "Series at 2026-07-15 02:00:00: must hold a finite number"),
    "text": (SERIES.astype(object).replace(4.0, "4"), "is '4'"),
    "untimed": (SERIES.reset_index(drop=True), "has RangeIndex"),
    "period": (SERIES.to_period("h"), "series.to_timestamp()"),
    "empty": (SERIES[:0], "has no rows"),
    "frame": (pd.DataFrame({"mw": SERIES}), "give one of them, such as frame['mw']"),
    "array": (np.array([1, 2, np.nan, 4]), "is nan at 07-15 02:00"),
    "length": (np.ones(3), "needs one value per step, 4, and has 3"),
    "negative": (-SERIES, "must be 0 or more, is -2 at 07-15 00:00"),
    "object": (object(), "is of the type object"),
    "set": ({1, 2}, "is of the type set"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_series_is_an_error_with_its_path(case: str) -> None:
    value, text = WRONG[case]
    for read in (
        lambda: planner.Scenario.from_mapping(site(value)),
        lambda: planner.Scenario.from_mapping(site()).with_values({PATH: value}),
    ):
        with pytest.raises(planner.ScenarioError) as caught:
            read()
        (problem,) = caught.value.problems
        assert problem.path == PATH
        assert text in problem.message


def test_local_times_that_a_clock_shows_twice_or_never_are_refused() -> None:
    clock = {"start": "2026-10-25T00:00+02:00", "hours": 4, "timezone": "Europe/Berlin"}
    local = pd.date_range("2026-10-25", periods=8, freq="h")
    with pytest.raises(planner.ScenarioError, match="occurs twice in Europe/Berlin"):
        planner.solve(site(pd.Series(1.0, index=local), horizon=clock))
    aware = pd.Series(range(8), index=pd.date_range("2026-10-24T22:00Z", periods=8, freq="h"))
    assert demand(planner.Scenario.from_mapping(site(aware, horizon=clock))) == [0, 1, 2, 3]


def test_columns_of_a_frame_are_series_by_origin() -> None:
    prices = pd.DataFrame({"renewable": SERIES, "thermal": 2 * SERIES})
    path = "components.grid.export_price_cny_per_mwh"
    scenario = planner.Scenario.from_mapping(site()).with_values({path: prices})
    sold = scenario.components["grid"].export_price_cny_per_mwh
    assert list(sold.thermal) == [4, 6, 8, 10]
    with pytest.raises(planner.ScenarioError, match="solar: is not a field here"):
        scenario.with_values({path: prices.rename(columns={"thermal": "solar"})})


def test_data_of_plain_yaml_is_read_as_its_file(tmp_path: Path) -> None:
    """PyYAML reads `on` as true, also as a key, and times as objects."""
    file = ROOT / "scenarios" / "tiny_arbitrage" / "scenario.yaml"
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    data["components"]["coal"] = yaml.safe_load("""
        kind: thermal
        min_power_mw: 1
        max_power_mw: 2
        curve: [{power_mw: 1, fuel_gj_per_h: 10}, {power_mw: 2, fuel_gj_per_h: 20}]
        fuel_price_cny_per_gj: 1
        ramp_up_mw_per_h: 9
        ramp_down_mw_per_h: 9
        min_up_h: 1
        min_down_h: 1
        startups: [{off_h: 0, cost_cny: 1}]
        initial: {on: yes, hours: 5, power_mw: 1}
        ending: on
    """)
    assert {True} < data["components"]["coal"]["initial"].keys() | {True}
    before = copy.deepcopy(data)
    scenario = planner.Scenario.from_mapping(data, file.parent)
    assert data == before
    assert scenario.components["coal"].initial.on
    assert scenario.components["coal"].ending == "on"
    day = dt.date(2026, 7, 15)
    more = {"holidays": (day,), "horizon": {"start": dt.datetime.fromisoformat(START), "hours": 4}}
    assert planner.Scenario.from_mapping(site(**more)).holidays == (day,)


def test_nothing_is_kept_by_reference() -> None:
    values, series = np.ones(4), SERIES.copy()
    data = site(values)
    scenario = planner.Scenario.from_mapping(data)
    load, timed = Load(demand_mw=values), Load(demand_mw=series)
    values[:] = 7
    series[:] = 7.0
    data["components"]["town"]["demand_mw"] = "nonsense"
    assert demand(scenario) == [1, 1, 1, 1]
    assert demand(scenario.with_values({"components.town": load})) == [1, 1, 1, 1]
    assert demand(scenario.with_values({"components.town": timed})) == [2, 3, 4, 5]


def test_changes_are_told_all_at_once() -> None:
    scenario = planner.Scenario.from_mapping(site())
    with pytest.raises(planner.ScenarioError) as caught:
        scenario.with_values({
            "components.twon.demand_mw": 5, PATH: -4, "components.grid.import_pric": 3, "a..b": 1,
            "solver.gap": object(), "horizon.hours": SERIES,
        })  # fmt: skip
    assert {problem.path for problem in caught.value.problems} == {
        "components.twon.demand_mw", PATH, "components.grid.import_pric", "a..b", "solver.gap",
        "horizon.hours",
    }  # fmt: skip
    with pytest.raises(planner.ScenarioError, match="must be a mapping of paths to values"):
        scenario.with_values([PATH])  # type: ignore[arg-type]


def test_series_are_scaled_and_reach_members_and_forecasts() -> None:
    members = [
        {"name": "more", "probability": 0.5, "set": {PATH: SERIES + 1}},
        {"name": "less", "probability": 0.5, "set": {PATH: SERIES.to_numpy()[2:6]}},
    ]
    data = site(SERIES, uncertainty={"members": members}, forecast={PATH: 2 * SERIES})
    scenario = planner.Scenario.from_mapping(data).with_values({"solver.gap": 0.01})
    more, less = scenario.uncertainty.checked_members  # type: ignore[union-attr]
    assert list(more.set[PATH]) == [3, 4, 5, 6]
    assert list(less.set[PATH]) == [2, 3, 4, 5]
    assert list(scenario.forecast[PATH]) == [4, 6, 8, 10]
    certain = scenario.with_values({PATH: SERIES, "uncertainty": None})
    assert demand(certain.with_values({PATH: {"scale": 2}})) == [4, 6, 8, 10]
    twice = planner.Scenario.from_mapping(site(SERIES)).with_values({PATH: {"scale": 2}})
    assert demand(twice) == [4, 6, 8, 10]


def test_a_sweep_from_python_takes_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from planner.studies.sweep_plan import prepare

    bundles = {"low": {PATH: SERIES}, "high": {PATH: 2 * SERIES}}
    (tmp_path / "base.yaml").write_text(
        yaml.safe_dump(site([1, 1, 1, 1]) | {"components": {
            "grid": site()["components"]["grid"] | {"import_price_cny_per_mwh": 1},
            "town": {"kind": "load", "demand_mw": 1}}})
    )  # fmt: skip
    monkeypatch.chdir(tmp_path)
    base = {"name": "s", "base": Path("base.yaml"), "design": "grid"}
    checked = prepare(base | {"axes": {"town": {"bundle": bundles}}})
    high = checked.base.scenario(checked.cases[1].changes)
    assert demand(high) == [4, 6, 8, 10]
    with pytest.raises(planner.ScenarioError, match="is not a field here"):
        prepare(base | {"axis": {}})
    with pytest.raises(planner.ScenarioError, match="a sweep is given as"):
        prepare(5)  # type: ignore[arg-type]


BATTERY: dict[str, Any] = {
    "capacity_mwh": 8, "charge_power_mw": 4, "discharge_power_mw": 4, "charge_efficiency": 1,
    "discharge_efficiency": 1, "initial": BatteryInitial(energy_mwh=0),
    "ending": EndValue(value_cny_per_mwh=0),
}  # fmt: skip


def test_a_site_of_typed_classes_is_the_site_of_their_words() -> None:
    """2 MW for 4 h at 10, 20, 30, 40, at most 6 MW bought: 6 MWh at 10 and 2 MWh at 20."""
    target = EnergyTarget(time=dt.datetime(2026, 7, 15, 2), at_least_mwh=1)
    parts = {
        "grid": Grid(import_limit_mw=6, export_limit_mw=0,
                     import_price_cny_per_mwh=10 * (SERIES - 1),
                     export_price_cny_per_mwh=ByOrigin(renewable=SERIES, thermal=0)),
        "town": Load(demand_mw=2, title="城"),
        "store": Battery(**BATTERY, energy_targets=[target], available=np.ones(4)),
    }  # fmt: skip
    horizon = Horizon(start=START, hours=4)
    scenario = planner.Scenario(name="site", horizon=horizon, components=parts)
    assert scenario.components["store"].capacity_mwh == 8
    assert list(scenario.components["town"].demand_mw) == [2, 2, 2, 2]
    assert planner.solve(scenario).summary["objective_cny"] == pytest.approx(-(6 * 10 + 2 * 20))
    grid = {"kind": "grid", "import_limit_mw": 6, "export_limit_mw": 0}
    grid |= {"import_price_cny_per_mwh": [10, 20, 30, 40]}
    grid |= {"export_price_cny_per_mwh": {"renewable": [2, 3, 4, 5], "thermal": 0}}
    assert scenario.with_values({"components.grid": grid}) == scenario


def test_a_typed_value_is_checked_at_once_as_far_as_it_needs_no_horizon() -> None:
    with pytest.raises(planner.ScenarioError) as caught:
        Battery(**BATTERY | {"initial": BatteryInitial(energy_mwh=9), "available": [1, 2],
                             "capacity": 5})  # fmt: skip
    assert str(caught.value).splitlines() == [
        "Battery: available: must be 1 or less, is 2 at [1]",
        "Battery: capacity: is not a field here; did you mean capacity_mwh?",
        "Battery: initial.energy_mwh: must lie between min_energy_mwh 0 and capacity_mwh 8, is 9",
    ]
    with pytest.raises(planner.ScenarioError, match="Load: demand_mw: must be 0 or more, is -5"):
        Load(demand_mw=-5)
    with pytest.raises(planner.ScenarioError, match="at_least_mwh, at_most_mwh or both"):
        EnergyTarget(time="2026-07-15 02:00")
    with pytest.raises(planner.ScenarioError) as caught:
        planner.Scenario(name="site", horizon=Horizon(start=START, hours=4),
                         components={"town": Load(demand_mw=np.ones(3))})  # fmt: skip
    assert [problem.path for problem in caught.value.problems] == [PATH, "components.town.node"]


def test_every_class_is_there_by_name() -> None:
    import ast

    tree = ast.parse((ROOT / "planner" / "components" / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    shown = {
        alias.asname: (node.module or "").removeprefix("planner.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert shown == kinds._MODULES
    from planner.components.registry import KINDS

    classes = {getattr(kinds, name) for name in kinds.__all__}
    assert {kind.component for kind in KINDS.values()} <= classes
    assert set(kinds.__all__) <= set(dir(kinds))
    for cls in classes:
        for info in cls.model_fields.values():
            assert _models(info.annotation) <= classes, cls
    with pytest.raises(AttributeError, match="no_such"):
        _ = kinds.no_such


def _models(annotation: Any) -> set[Any]:
    from typing import get_args

    own = {annotation} if isinstance(annotation, type) and issubclass(annotation, Frozen) else set()
    return own.union(*map(_models, get_args(annotation)))


def test_copies_are_checked_and_values_never_change() -> None:
    scenario = planner.Scenario.from_mapping(site())
    town = scenario.components["town"]
    assert scenario.model_copy(update={"name": "new"}).name == "new"
    assert scenario.model_copy() == scenario
    assert list(town.model_copy(update={"demand_mw": 6}).demand_mw) == [6]
    grid = Grid(
        import_limit_mw=6, export_limit_mw=6, import_price_cny_per_mwh=SERIES,
        export_price_cny_per_mwh={"hours": [2] * 24},
    ).model_copy(update={"export_limit_mw": 1})  # fmt: skip
    joined = scenario.with_values({"components.grid": grid}).components["grid"]
    assert list(joined.import_limit_mw) == [6, 6, 6, 6]
    assert list(joined.export_limit_mw) == [1, 1, 1, 1]
    for attempt in (
        lambda: scenario.model_copy(update={"solver": 5}),
        lambda: scenario.copy(update={"components": {"town": 5}}),
        lambda: town.model_copy(update={"demand_mw": -5}),
        lambda: planner.Scenario.model_construct(name="new"),
        lambda: Load.model_construct(demand_mw=-5),
        lambda: setattr(town, "demand_mw", 6),
        lambda: setattr(scenario, "name", "new"),
    ):
        with pytest.raises(PlannerError, match="with_values"):
            attempt()
    with pytest.raises(planner.ScenarioError, match="is required"):
        planner.Scenario.model_validate({"name": "new"})


TAKE_SCENARIOS: dict[str, Any] = {
    "solve": planner.solve, "solve_stochastic": planner.solve_stochastic, "roll": planner.roll,
    "prices": planner.prices, "plan_year": planner.plan_year, "simulate": planner.simulate,
    "settle": lambda it: planner.settle(it, "x"),
    "rule_of_thumb": lambda it: planner.rule_of_thumb(it, "grid_first"),
    "with_end_values": lambda it: planner.with_end_values(it, "x"),
    "break_even": lambda it: planner.break_even(it, PATH, "objective_cny = 0", 1, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKE_SCENARIOS)
def test_studies_take_a_scenario_its_path_or_its_content(name: str, tmp_path: Path) -> None:
    study = TAKE_SCENARIOS[name]
    with pytest.raises(planner.ScenarioError, match=r"given as planner\.Scenario.*this is int"):
        study(5)
    with pytest.raises(planner.ScenarioError, match="cannot be read"):
        study(tmp_path / "none.yaml")
    with pytest.raises(planner.ScenarioError, match="name: is required"):
        study({"components": {"town": Load(demand_mw=1)}})


def test_everything_pickles() -> None:
    scenario = planner.Scenario.from_mapping(site(SERIES))
    for value in (
        scenario,
        scenario.components["town"],
        Load(demand_mw=SERIES),
        Renewable(technology="pv", capacity_mw=1, availability_pu=[0, 1]),
        planner.solve(scenario),
    ):
        assert pickle.loads(pickle.dumps(value)) == value
        assert copy.deepcopy(value) == value


RIGHT = """
import pandas as pd
import planner
from planner.components import (
    Battery, BatteryInitial, CsvSeries, EndValue, FuelPoint, Grid, Horizon, Load, Startup,
    Thermal, ThermalInitial,
)

series = pd.Series([1.0, 2.0], index=pd.date_range("2026-07-15", periods=2, freq="h"))
town = Load(demand_mw=5)
towns = [Load(demand_mw=series), Load(demand_mw=[1, 2]), Load(demand_mw={"csv": "a.csv"}),
         Load(demand_mw=CsvSeries(csv="a.csv", column="mw"), shed_cost_cny_per_mwh=9)]
mean_mw: float = float(town.demand_mw.mean())
battery = Battery(
    capacity_mwh=20, charge_power_mw=5, discharge_power_mw=5.0, charge_efficiency=0.9,
    discharge_efficiency=0.9, initial=BatteryInitial(energy_mwh=1), charge_from=["grid"],
    ending=EndValue(value_cny_per_mwh=300), available=series, node="site", title="B",
)
capacity: float = battery.capacity_mwh
frame = pd.DataFrame({"renewable": series, "thermal": series})
grid = Grid(
    import_limit_mw=5, export_limit_mw=0, import_price_cny_per_mwh=series,
    export_price_cny_per_mwh=frame, demand_hours=["8-12"], real_time_price_cny_per_mwh=None,
)
coal = Thermal(
    min_power_mw=1, max_power_mw=2, curve=[FuelPoint(power_mw=1, fuel_gj_per_h=9)],
    fuel_price_cny_per_gj=1, ramp_up_mw_per_h=9, ramp_down_mw_per_h=9, min_up_h=1, min_down_h=1,
    startups=[Startup(off_h=0, cost_cny=1)], initial=ThermalInitial(on=True, hours=5, power_mw=1),
)
scenario = planner.Scenario(
    name="site", horizon=Horizon(start="2026-07-15T00:00+08:00", hours=2),
    solver=planner.SolverSettings(gap=0.01), components={"town": town, "battery": battery},
)
again = planner.Scenario.from_mapping({"name": "site"}, folder=".")
other = planner.load("x").with_values({"components.town.demand_mw": series})
plan = planner.solve(other)
plans = [planner.solve("x"), planner.solve({"name": "site"}), planner.roll("x"), plan]
schedule: pd.DataFrame = plan.schedule
prices: planner.Prices = planner.prices(scenario)
"""
WRONG_LINES = """
Battery(capacity=20)
Load()
Load(demand_mw=object())
planner.solve(5)
"""


@pytest.mark.slow
def test_type_checkers_without_our_plugin_accept_what_is_right(tmp_path: Path) -> None:
    """A strict mypy, from outside: the wrong lines are errors, and nothing else is."""
    script = tmp_path / "use.py"
    script.write_text(RIGHT + WRONG_LINES, encoding="utf-8")
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nstrict = True\nmypy_path = {ROOT}\n"
                                       "[mypy-planner.*]\nfollow_imports = silent\n")  # fmt: skip
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "use.py"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    first = RIGHT.count("\n") + 2
    lines = [line.split(":")[1] for line in result.stdout.splitlines() if ": error:" in line]
    assert set(lines) == {str(first + i) for i in range(4)}, result.stdout
