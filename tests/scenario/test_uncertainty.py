"""What a scenario may say of its futures: members as written or drawn, and what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import planner
from planner import ScenarioError
from planner.scenario.scenario import members_of
from planner.scenario.uncertainty.draws import between
from tests.support.build import START, grid, load, market, renewable, scenario, thermal
from tests.support.chinese import english_words

SUN = "components.sun.availability_pu"
CITY = "components.city.demand_mw"
PRICE = "components.grid.export_price_cny_per_mwh"
BRIGHT = [0.0, 30.0, 60.0, 60.0, 30.0, 0.0] * 40  # MW of 100: 240 hours, a third of them dark


def drawn(hours: int = 240, **members: Any) -> planner.Scenario:
    """A site of which some series err; the price is 30, below 0 now and then."""
    price = np.where(np.arange(hours) % 5, 30.0, -2.0)
    site = {
        "sun": renewable(*BRIGHT[:hours]),
        "grid": market(*price.tolist()),
        "city": load(*[10.0] * hours),
    }
    return scenario(site, hours, uncertainty={"members": members})


def ar1(count: int = 100, seed: int = 3, **fields: Any) -> dict[str, Any]:
    """Autoregressive members; fields: sun, price, city with the error of each."""
    paths = {"sun": SUN, "price": PRICE, "city": CITY}
    errors = {paths[name]: error for name, error in fields.items()}
    return {"method": "ar1", "count": count, "seed": seed, "fields": errors}


def series(found: planner.Scenario, path: str) -> np.ndarray:
    """Return a series of all members; shape (members, steps)."""
    assert found.uncertainty is not None
    return np.array([member.set[path] for member in found.uncertainty.checked_members])


def lagged(errors: np.ndarray, steps: int) -> float:
    return float(np.corrcoef(errors[:, :-steps].ravel(), errors[:, steps:].ravel())[0, 1])


def test_drawn_errors_have_the_size_and_the_memory_that_is_stated():
    found = drawn(**ar1(city={"error_share": 0.1, "hourly_correlation": 0.8}))
    errors = series(found, CITY) / 10 - 1  # 24 000 errors of a tenth; no limit is near
    assert errors.mean() == pytest.approx(0, abs=0.005)
    assert errors.std() == pytest.approx(0.1, rel=0.03)
    assert lagged(errors, 1) == pytest.approx(0.8, abs=0.02)
    assert lagged(errors, 3) == pytest.approx(0.8**3, abs=0.03)
    assert {m.probability for m in found.uncertainty.checked_members} == {0.01}  # type: ignore[union-attr]


def test_memory_is_by_the_hour_whatever_the_step():
    site = {"city": load(*[10.0] * 960), "grid": grid()}
    error = {"sigma": 1.0, "hourly_correlation": 0.8}
    members = {"method": "ar1", "count": 50, "seed": 1, "fields": {CITY: error}}
    found = scenario(site, 240, 15, uncertainty={"members": members})
    assert lagged(series(found, CITY), 4) == pytest.approx(0.8, abs=0.02)


def test_a_common_driver_makes_errors_go_together():
    sizes = {"sigma": 1.0, "hourly_correlation": 0.5}
    found = drawn(
        **ar1(city=sizes | {"common_correlation": 0.8}, price=sizes | {"common_correlation": -0.5})
    )
    price = series(found, PRICE)
    both = np.corrcoef((series(found, CITY) - 10).ravel(), (price - price.mean(axis=0)).ravel())
    assert both[0, 1] == pytest.approx(-0.4, abs=0.02)


def test_drawn_values_keep_the_limits_of_their_field():
    sizes = {"hourly_correlation": 0.5}
    found = drawn(**ar1(sun=sizes | {"sigma": 0.5}, price=sizes | {"sigma": 50.0},
                        city=sizes | {"error_share": 2.0}))  # fmt: skip
    sun, bright = series(found, SUN), np.array(BRIGHT) > 0
    assert sun.min() == 0
    assert sun.max() == 1
    assert not sun[:, ~bright].any()  # nights stay dark
    assert series(found, CITY).min() == 0
    assert series(found, PRICE).min() < -50


def test_the_seed_decides():
    sizes = {"sun": {"error_share": 0.3, "hourly_correlation": 0.9}}
    one, same, other = (drawn(**ar1(count=3, seed=seed, **sizes)) for seed in (1, 1, 2))
    assert np.array_equal(series(one, SUN), series(same, SUN))
    assert not np.array_equal(series(one, SUN), series(other, SUN))
    members = members_of(one)
    assert list(members) == ["draw_1", "draw_2", "draw_3"]
    assert np.array_equal(members["draw_2"][1].components["sun"].availability_pu,
                          series(one, SUN)[1])  # fmt: skip


# Members from files.

HERE = "name: past\nhorizon: {start: 2026-07-15T00:00:00+08:00, hours: 48}\n"
PARTS: dict[str, Any] = {
    "sun": {"kind": "renewable", "technology": "pv", "capacity_mw": 100, "availability_pu": 0.5},
    "grid": market(30.0) | {"export_price_cny_per_mwh": 30, "import_price_cny_per_mwh": 30},
    "coal": thermal(),
}


def past(folder: Path, members: dict[str, Any], days: int = 5) -> planner.Scenario:
    """A scenario beside a CSV of past days: on day d the error is d / 100, the price's is -d."""
    times = pd.date_range("2026-07-01", periods=24 * days, freq="h", tz="+08:00")
    day = np.arange(len(times)) // 24 + 1
    table = pd.DataFrame({"forecast": 40.0, "actual": 40.0 + day, "ahead": 50.0 + 0 * day,
                          "spot": 50.0 - day, "p10": 0.2, "p50": 0.5, "p90": 1.7},
                         index=times.rename("time"))  # fmt: skip
    table.to_csv(folder / "past.csv")
    text = yaml.safe_dump({"components": PARTS, "uncertainty": {"members": members}})
    (folder / "scenario.yaml").write_text(HERE + text)
    return planner.load(folder)


def test_past_errors_are_drawn_by_whole_days_the_same_for_all_fields(tmp_path: Path):
    fields = {
        SUN: {"csv": "past.csv", "forecast": "forecast", "actual": "actual", "scale": 0.01},
        PRICE: {"csv": "past.csv", "forecast": "ahead", "actual": "spot"},
    }
    found = past(tmp_path, {"method": "bootstrap", "count": 40, "seed": 5, "fields": fields})
    days = (series(found, SUN) - 0.5).reshape(40, 2, 24) * 100
    assert np.allclose(days, days[:, :, :1])  # one past day each
    assert {round(day) for day in days[:, :, 0].ravel()} == {1, 2, 3, 4, 5}
    assert not np.array_equal(days[:, 0], days[:, 1])  # days of a member are drawn one by one
    assert np.allclose(series(found, PRICE).reshape(40, 2, 24), 30 - days)


def test_a_past_that_is_not_whole_is_refused(tmp_path: Path):
    field = {"csv": "past.csv", "forecast": "forecast", "actual": "actual"}
    members = {"method": "bootstrap", "count": 2, "seed": 5, "fields": {SUN: field}}
    with pytest.raises(ScenarioError, match="no whole day has both forecast and actual"):
        past(tmp_path, members | {"fields": {SUN: field | {"stamp": "end"}}}, days=1)
    with pytest.raises(ScenarioError, match=r"no column 'actuals'; did you mean actual\?"):
        past(tmp_path, members | {"fields": {SUN: field | {"actual": "actuals"}}})


def test_quantiles_become_members_as_probable_as_what_lies_nearest(tmp_path: Path):
    assert between([0.1, 0.5, 0.9]) == pytest.approx([0.3, 0.4, 0.3])
    assert between([0.5]) == [1.0]
    columns = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
    field = {"csv": "past.csv", "columns": columns}
    text = {"method": "quantile", "fields": {SUN: field}}
    found = past(tmp_path, text, days=20)
    listed = found.uncertainty.checked_members  # type: ignore[union-attr]
    assert [member.name for member in listed] == ["p10", "p50", "p90"]
    assert [member.probability for member in listed] == pytest.approx([0.3, 0.4, 0.3])
    assert series(found, SUN)[:, 0].tolist() == [0.2, 0.5, 1.0]  # 1.7 is clipped
    with pytest.raises(ScenarioError, match=r"must have the levels of .*0\.1, 0\.5, 0\.9"):
        past(tmp_path, {"method": "quantile", "fields": {
            PRICE: field, SUN: field | {"columns": {"p10": 0.2}}}}, days=20)  # fmt: skip


# What is wrong with listed members.


def wrong(*members: Any, **more: Any) -> list[str]:
    """Return the problems of a scenario with these members."""
    site = {"sun": renewable(5), "grid": grid(), "city": load(3), "coal": thermal()}
    top = {name: more.pop(name) for name in ("solver",) if name in more}
    with pytest.raises(ScenarioError) as raised:
        scenario(site, uncertainty={"members": list(members)} | more, **top)
    return chinese_too(raised.value)


def chinese_too(error: ScenarioError) -> list[str]:
    """Return the problems of an error; each has Chinese."""
    left = [english_words(problem.message) for problem in error.problems]
    assert not any(left), left
    return [str(problem) for problem in error.problems]


def one(**changes: Any) -> dict[str, Any]:
    """A member that is certain; `changes` are paths with __ for the dots."""
    return {"probability": 1, "set": {k.replace("__", "."): v for k, v in changes.items()}}


@pytest.mark.parametrize(
    ("members", "more", "said"),
    [
        ([{"probability": 0.5}], {}, "probabilities must sum to 1, sum to 0.5"),
        ([{"probability": 1.5}], {}, "probability: must be 1 or less"),
        ([{"probability": 0.5, "name": "a"}] * 2, {}, "two members have the name 'a'"),
        ([{"probability": 1, "name": "../a"}], {}, "must be small letters"),
        ([], {}, "must have 1 or more entries"),
        ([one()], {"risk": {"cvar_share": 0, "weight": 0.1}}, "cvar_share: must be above 0"),
        ([one()], {"risk": {"cvar_share": 0.1, "weight": 2}}, "weight: must be 1 or less"),
        ([one()], {"awake": "later"}, "must be 'here_and_now' or 'recourse'"),
        ([one()], {"solver": {"relax": True}}, "solver.relax: must be false"),
        ([one(horizon__hours=3)], {}, "may change fields of components only"),
        ([one(name="x")], {}, "may change fields of components only"),
        ([one(components__sun={"kind": "load"})], {}, "may change fields of components only"),
        ([one(components__moon__capacity_mw=3)], {}, "there is no component 'moon'"),
        ([one(components__sun__capacity=3)], {}, "is not a field here; did you mean capacity_mw?"),
        ([one(components__sun__capacity_mw=-3)], {}, "must be 0 or more, is -3"),
        ([one(components__city__shed_cost_cny_per_mwh={"scale": 2})], {}, "nothing to scale"),
        ([one(components__coal__kind="load")], {}, "is not a field here"),
        ([one(components__coal__node="far")], {}, "must be at the same nodes in every member"),
        (
            [one(components__grid__declaration={"exchange_mw": "decide"},
                 components__grid__real_time_price_cny_per_mwh=3)], {},
            "must have the same decisions before the future is known in every member",
        ),
        ([one(**{"components..x": 3})], {}, "is not a path"),
    ],
)  # fmt: skip
def test_wrong_members_are_told_in_words(members: Any, more: Any, said: str):
    problems = wrong(*members, **more)
    assert any(said in problem for problem in problems), problems


def test_all_members_are_checked_at_once_and_told_by_line(tmp_path: Path):
    (tmp_path / "scenario.yaml").write_text(
        "name: lines\n"
        "horizon: {start: 2026-07-15T00:00:00+08:00, hours: 1}\n"
        "components:\n"
        "  grid: {kind: grid, import_limit_mw: 1, export_limit_mw: 1,\n"
        "    import_price_cny_per_mwh: 1, export_price_cny_per_mwh: 1}\n"
        "uncertainty:\n"
        "  members:\n"
        "    - {name: a, probability: 0.5, set: {components.grid.import_limit_mw: -1}}\n"
        "    - {probability: 0.5, set: {components.gird.import_limit_mw: 1}}\n"
    )
    with pytest.raises(ScenarioError) as raised:
        planner.load(tmp_path)
    first, second = chinese_too(raised.value)
    assert "scenario.yaml:8: uncertainty.members[0].set: member a: components.grid" in first
    assert "scenario.yaml:9: uncertainty.members[1].set: member member_2: components.gird" in second


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ("draws", "must be a list of members, or a mapping with `method`"),
        ({"method": "dice"}, "must be a list of members, or a mapping with `method`"),
        (ar1(sun={"hourly_correlation": 0.5}), "needs one of error_share"),
        (ar1(sun={"sigma": 1, "hourly_correlation": 1}), "hourly_correlation: must be below 1"),
        (ar1(sun={"sigma": 1}), "hourly_correlation: is required"),
        (ar1(), "must have 1 or more entries"),
        ({"method": "ar1", "count": 2, "seed": 1, "fields": {
            "components.sun.capacity_mw": {"sigma": 1, "hourly_correlation": 0}}},
         "is not a series; only series have forecast errors"),
        ({"method": "ar1", "count": 2, "seed": 1, "fields": {
            "components.sun.availability": {"sigma": 1, "hourly_correlation": 0}}},
         "there is nothing at components.sun.availability"),
        ({"method": "ar1", "count": 2, "seed": 1, "fields": {
            "horizon.hours": {"sigma": 1, "hourly_correlation": 0}}},
         "may change fields of components only"),
    ],
)  # fmt: skip
def test_wrong_methods_are_told_in_words(members: Any, said: str):
    site = {"sun": renewable(5), "grid": grid()}
    with pytest.raises(ScenarioError) as raised:
        scenario(site, uncertainty={"members": members})
    assert said in str(raised.value)


def test_a_member_may_reach_into_lists_and_into_the_forms_of_series(tmp_path: Path):
    data = {
        "name": "deep",
        "horizon": {"start": START, "hours": 1},
        "components": {
            "coal": thermal(startups=[{"off_h": 0, "cost_cny": 5}]),
            "grid": grid(export_price_cny_per_mwh={"calendar": [{"value": 3}]}),
        },
        "uncertainty": {
            "members": [
                one(
                    **{"components.coal.startups[0].cost_cny": 7.0},
                    components__grid__export_price_cny_per_mwh__calendar=[{"value": 8}],
                )
            ]
        },
    }
    found = planner.Scenario.from_mapping(data, tmp_path)
    ((_, changed),) = members_of(found).values()
    assert changed.components["coal"].startups[0].cost_cny == 7
    assert changed.components["grid"].export_price_cny_per_mwh.tolist() == [8]
    assert found.components["coal"].startups[0].cost_cny == 5


def test_a_member_may_have_what_the_file_has_not():
    declared = one(
        components__grid__declaration__exchange_mw=5,
        components__grid__declaration__over_cost_cny_per_mwh=7,
        components__grid__real_time_price_cny_per_mwh=3,
    )
    found = scenario({"grid": grid(), "city": load(3)}, uncertainty={"members": [declared]})
    ((_, changed),) = members_of(found).values()
    assert changed.components["grid"].declaration.exchange_mw.tolist() == [5]
    assert changed.components["grid"].declaration.over_cost_cny_per_mwh == 7
    assert found.components["grid"].declaration is None
