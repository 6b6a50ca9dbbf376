"""One reader of paths, and one way to a changed scenario."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import planner
from planner.fields import Frozen
from planner.files.yaml_document import Document, read_yaml
from planner.scenario.paths import (
    override,
    places,
    reach,
    replaced,
    resolve,
    value_at,
    with_value,
)
from planner.scenario.scenario import Variants
from planner.scenario.scenario_key import scenario_key
from tests.support import full_site
from tests.support.build import grid, load, renewable, scenario

SITE = {"sun": renewable(5), "grid": grid(), "city": load(3)}
SUN = "components.sun.capacity_mw"


class Point(Frozen):
    """A point of a curve."""

    mw: float


class Fleet(Frozen):
    """A value with a mapping whose keys have dots."""

    serves: dict[str, tuple[Point, ...]]
    other: Point | None = None


FLEET = Fleet(serves={"m": (Point(mw=1.0),), "m.5": (Point(mw=2.0), Point(mw=3.0))})
PLAIN: dict[str, Any] = {"serves": {"m": [{"mw": 1.0}], "m.5": [{"mw": 2.0}, {"mw": 3.0}]}}


@pytest.mark.parametrize("holder", [FLEET, PLAIN])
@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("serves.m[0].mw", ("serves", "m", 0, "mw"), 1),
        ("serves.m.5[1].mw", ("serves", "m.5", 1, "mw"), 3),  # a name with a dot in it
        ("serves.m.6[0]", ("serves", "m", "6", 0), None),
        ("serves.m[1]", ("serves", "m", 1), None),
        ("serves[0]", ("serves", 0), None),
        ("other.mw", ("other", "mw"), None),
        ("serves.m.mw", ("serves", "m", "mw"), None),
    ],
)
def test_a_path_is_read_alike_in_a_file_and_in_what_was_checked(
    holder: Any, text: str, path: Any, value: Any
):
    assert resolve(holder, text) == path
    assert value_at(holder, path) == value


def test_a_path_reaches_as_far_as_something_stands():
    assert reach(FLEET, "serves.m.5[1].mw") == ("serves", "m.5", 1, "mw")
    assert reach(FLEET, "serves.m.5[2].mw") == ("serves", "m.5")
    assert reach(FLEET, "other.mw") == ("other",)
    assert reach(FLEET, "nothing.mw") == ()


@pytest.mark.parametrize("holder", [FLEET, PLAIN])
def test_a_change_shares_what_it_leaves_as_it_is(holder: Any):
    changed = with_value(holder, ("serves", "m.5", 1, "mw"), 4.0)
    assert value_at(changed, ("serves", "m.5", 1, "mw")) == 4
    assert value_at(holder, ("serves", "m.5", 1, "mw")) == 3
    assert value_at(changed, ("serves", "m")) is value_at(holder, ("serves", "m"))
    assert value_at(changed, ("serves", "m.5", 0)) is value_at(holder, ("serves", "m.5", 0))
    assert type(value_at(changed, ("serves", "m.5"))) is type(value_at(holder, ("serves", "m.5")))
    nowheres = ("serves", "x", "mw"), ("serves", "m", "mw"), ("other", "mw"), ("serves", "m", 1)
    for nowhere in nowheres:
        with pytest.raises(LookupError):
            with_value(holder, nowhere, 1)


def test_a_checked_value_has_no_other_fields_than_its_own():
    with pytest.raises(LookupError):
        with_value(FLEET, ("nodes",), 1)


def test_a_star_stands_for_every_entry():
    assert list(places(FLEET, "serves.*.*.mw")) == [
        ("m|0", ("serves", "m", 0, "mw")),
        ("m.5|0", ("serves", "m.5", 0, "mw")),
        ("m.5|1", ("serves", "m.5", 1, "mw")),
    ]
    assert list(places(FLEET, "other.mw")) == []


def test_changes_of_a_file_follow_each_other_and_make_what_is_missing():
    data = {"a": {"b": 2}}
    changes = {"a.b": {"scale": 3}, "a.c.d.e": 1, "a.c.d": {"scale": 2}, "f": None}
    made, paths = replaced(data, changes)
    assert made == {"a": {"b": 6, "c": {"d": {"e": 2}}}, "f": None}
    assert paths == (("a", "b"), ("a", "c", "d", "e"), ("a", "c", "d"), ("f",))
    assert data == {"a": {"b": 2}}
    document, _ = override(Document("x", data, {("a",): 1, ("a", "b"): 2}), {"a.b": 5})
    assert str(document.problem(("a", "b", "c"), "no")) == "override: a.b.c: no"
    assert str(document.problem(("a",), "no")) == "x:1: a: no"


def test_a_scenario_with_other_values_is_the_one_a_file_with_them_would_give():
    base = scenario(SITE)
    changed = base.with_values({SUN: 8, "components.city.demand_mw": {"scale": 2}})
    assert changed.components["sun"].capacity_mw == 8
    assert changed.components["city"].demand_mw.tolist() == [6]
    assert changed.components["grid"] is base.components["grid"]  # not validated again
    assert base.components["sun"].capacity_mw != 8
    sun = dict(renewable(5)) | {"capacity_mw": 8}
    assert changed == scenario(SITE | {"sun": sun, "city": load(6)})
    array = base.with_values({"components.city.demand_mw": np.array([4.0])})
    assert array.components["city"].demand_mw.tolist() == [4]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({SUN: -1}, "override: components.sun.capacity_mw: must be 0 or more, is -1"),
        ({"components.sun.node": "far", SUN: -1}, "must be 0 or more"),
        ({"components.moon.capacity_mw": 1}, "there is no component 'moon'"),
        ({"components.city.node": "far"}, "components.city.node: nothing feeds node 'far'"),
        ({"horizon.hours": 0.5}, "horizon.hours: must be a whole number of 60 min steps"),
    ],
)
def test_other_values_are_checked_with_the_whole_site(values: dict[str, Any], message: str):
    with pytest.raises(planner.ScenarioError) as caught:
        scenario(SITE).with_values(values)
    assert message in str(caught.value)


def test_other_values_reach_every_member():
    members = [{"probability": 1, "set": {"components.sun.capacity_mw": 7}}]
    base = scenario(SITE, uncertainty={"members": members})
    changed = base.with_values({"components.city.demand_mw": 9})
    assert changed.components["city"].demand_mw.tolist() == [9]
    assert changed.uncertainty == base.uncertainty


def test_variants_share_what_no_change_touches(tmp_path: Path):
    text = full_site.write(tmp_path)
    base = planner.load(text)
    variants = Variants(read_yaml(text), tmp_path)
    first = variants.scenario({"components.pv.capacity_mw": 50})
    second = variants.scenario({"components.coal.min_up_h": 2})
    assert first.components["battery"] is second.components["battery"]
    assert second.components["pv"] == base.components["pv"] != first.components["pv"]
    assert variants.scenario() == base  # nothing of a variant stays
    for whole in (5, None, {"pv": 3}):
        with pytest.raises(planner.ScenarioError, match="components"):
            variants.scenario({"components": whole})
    later = variants.scenario({"horizon.start": "2026-07-15T06:00:00+08:00"})
    assert later.components["pv"].availability_pu[0] == 0.06  # another horizon, another series
    assert later == planner.load(text, {"horizon.start": "2026-07-15T06:00:00+08:00"})


def test_variants_travel_to_a_worker_as_data(tmp_path: Path):
    file = full_site.write(tmp_path)
    variants = Variants(read_yaml(file), tmp_path)
    changes = {"components.pv.capacity_mw": 50}
    here = variants.scenario(changes)
    (tmp_path / "data" / "site.csv").unlink()  # the tables travel with it
    there = pickle.loads(pickle.dumps(variants)).scenario(changes)
    assert there == here
    assert scenario_key(there) == scenario_key(here)
    assert scenario_key(there) != scenario_key(variants.scenario())
