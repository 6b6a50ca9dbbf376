"""Rounding is no error: what exceeds a limit by it is at the limit; what is refused reads so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import annotated_types
import numpy as np
import pytest
from pydantic import ValidationError, create_model

import planner
from planner.auditor import findings
from planner.components.registry import KINDS
from planner.fields import LARGEST, LEAST_MWH, NOTHING, ROUNDING, Frozen, measurable
from planner.message import Message, set_apart
from planner.scenario.validation_messages import explain
from planner.timeseries.forms import Context
from planner.timeseries.horizon import Calendar, Horizon
from planner.timeseries.series import SeriesBounds
from tests.support.build import battery, grid, load, scenario, solve, thermal

START = "2026-07-15T00:00:00+08:00"
HORIZON = Horizon.model_validate({"start": START, "hours": 2})
CONTEXT = Context(HORIZON, Calendar((), ()), Path(), {})
FIGURE = re.compile(r"-?\d+\.?\d*(?:e[+-]?\d+)?")


class Limit(NamedTuple):
    """A limit of a field: what is beyond it lies to this side, 1 above or -1 below."""

    place: str
    annotation: Any
    limit: float
    side: int

    def beyond(self, by: float) -> float:
        return self.limit + self.side * by * max(1.0, abs(self.limit))


def models(model: type[Frozen]) -> Iterator[type[Frozen]]:
    """Yield a model and those in its fields."""
    yield model
    for field in model.model_fields.values():
        for part in parts(field.annotation):
            if isinstance(part, type) and issubclass(part, Frozen):
                yield from models(part)


def parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from parts(part)


def marks(annotation: Any) -> Iterator[Any]:
    """Yield what bounds a number or series; numbers in lists and mappings are left out."""
    if get_origin(annotation) is Annotated:
        yield from get_args(annotation)[1:]
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            yield from marks(part)


def limits() -> Iterator[Limit]:
    for kind, entry in KINDS.items():
        for model in dict.fromkeys(models(entry.component)):
            for name, field in model.model_fields.items():
                annotation = field.rebuild_annotation()
                if not any(part in (float, np.ndarray) for part in parts(annotation)):
                    continue
                for mark in marks(annotation):
                    place = f"{kind}.{model.__name__}.{name}"
                    for limit, side in bounds(mark):
                        yield Limit(place, annotation, limit, side)


def bounds(mark: Any) -> Iterator[tuple[float, int]]:
    low, high = None, None
    if isinstance(mark, SeriesBounds):
        low, high = mark.ge, mark.le
    for part in getattr(mark, "metadata", (mark,)):  # a Field holds its own
        low = float(part.ge) if isinstance(part, annotated_types.Ge) else low
        high = float(part.le) if isinstance(part, annotated_types.Le) else high
    yield from ((limit, side) for limit, side in ((low, -1), (high, 1)) if limit is not None)


LIMITS = list(limits())


def model_of(limit: Limit) -> Any:
    return create_model("Small", __base__=Frozen, value=(limit.annotation, ...))


def test_many_limits_are_checked() -> None:
    assert len(LIMITS) >= 50
    kinds = {limit.place.partition(".")[0] for limit in LIMITS}
    assert set(KINDS) - kinds == {"contract"}, "its prices have no limits"


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: f"{limit.place}:{limit.limit:g}")
def test_a_value_beyond_a_limit_by_rounding_is_at_it(limit: Limit) -> None:
    read = model_of(limit).model_validate({"value": limit.beyond(1e-12)}, context=CONTEXT)
    assert np.all(read.value == limit.limit)


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: f"{limit.place}:{limit.limit:g}")
@pytest.mark.parametrize("by", [1e-3, 1e-7])
def test_what_is_refused_reads_unlike_the_limit(limit: Limit, by: float) -> None:
    small = model_of(limit)
    with pytest.raises(ValidationError) as caught:
        small.model_validate({"value": limit.beyond(by)}, context=CONTEXT)
    for _, message in explain(caught.value, small):
        first, second = FIGURE.findall(message)[:2]
        assert float(first) != float(second), message


def test_a_series_read_with_a_scale_may_end_at_its_limit(tmp_path: Path) -> None:
    (tmp_path / "mw.csv").write_text("time,mw\n2026-07-15 00:00,1.5\n2026-07-15 01:00,3\n")
    pu = {"csv": "mw.csv", "column": "mw", "scale": 0.3333333333333334}
    sun = {"kind": "renewable", "technology": "pv", "capacity_mw": 3, "availability_pu": pu}
    horizon = {"start": START, "hours": 2}
    data = {"name": "s", "horizon": horizon, "components": {"sun": sun}}
    site = planner.Scenario.from_mapping(data, tmp_path)
    assert site.components["sun"].availability_pu.tolist() == pytest.approx([0.5, 1.0])
    assert site.components["sun"].availability_pu.max() == 1.0


@pytest.mark.parametrize("size", [10.0, 1e4, 1e6])
@pytest.mark.parametrize("ending", ["same_as_start", {"at_least_mwh": 1}])
def test_a_store_as_full_as_rounding_makes_it_has_a_plan(size: float, ending: Any) -> None:
    full = size * (1 + 1e-11)
    if isinstance(ending, dict):
        ending = {"at_least_mwh": full}
    store = battery(capacity_mwh=size, initial={"energy_mwh": full}, ending=ending, available=0)
    plan = solve({"store": store, "grid": grid()}, 2)
    assert plan.schedule["store.energy_mwh[grid]"].to_numpy() == pytest.approx(size)


def test_everything_wrong_with_a_store_is_told_at_once() -> None:
    store = battery(initial={"energy_mwh": 12}, ending={"at_least_mwh": 11})
    with pytest.raises(planner.ScenarioError) as caught:
        scenario({"store": store, "grid": grid(), "load": load(1, 2, 3)}, 2)
    assert [problem.path for problem in caught.value.problems] == [
        "components.load.demand_mw",
        "components.store.ending.at_least_mwh",
        "components.store.initial.energy_mwh",
    ]


def test_a_store_that_is_too_full_says_by_how_much() -> None:
    store = battery(capacity_mwh=10, initial={"energy_mwh": 10.000001})
    with pytest.raises(planner.ScenarioError, match=r"capacity_mwh 10, is 10\.000001"):
        scenario({"store": store, "grid": grid()}, 2)


@pytest.mark.parametrize("seed", range(60))
def test_numbers_that_differ_read_differently(seed: int) -> None:
    draw = np.random.default_rng(seed)
    first = float(draw.uniform(-1, 1) * 10 ** draw.uniform(-6, 9))
    second = first * (1 + float(draw.choice([-1, 1])) * 10 ** draw.uniform(-9, 0))
    a, b = set_apart((first, second))
    assert a != b
    text = Message("must be {a:g} or less, is {b:g}", a=first, b=second)
    assert text.places["a"] != text.places["b"]
    assert set_apart((first, first)) == [f"{first:g}", f"{first:g}"]


def test_the_largest_number_reads_unlike_a_larger_one() -> None:
    with pytest.raises(planner.ScenarioError, match=r"within 1e\+12 in size, is 1.00001e\+12"):
        scenario({"load": load(1, 1, shed_cost_cny_per_mwh=LARGEST * 1.00001)}, 2)


def test_a_minimum_above_the_maximum_by_rounding_is_no_error() -> None:
    scenario({"unit": thermal(min_power_mw=100 * (1 + 1e-12), max_power_mw=100)}, 2)


def test_the_planner_and_its_auditor_mean_the_same_by_nothing() -> None:
    """The auditor shares no code, only the numbers of the reference."""
    text = (Path(__file__).parents[2] / "docs" / "reference.md").read_text()
    table = text.split("### Rounding and nothing")[1].split("###")[0]
    first = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| 1e")]
    assert [float(number) for number in first] == [ROUNDING, NOTHING, LEAST_MWH]
    assert (findings.NOTHING, findings.LEAST_MWH) == (NOTHING, LEAST_MWH)
    for mwh in (0.0, 1e-9, 1e-3 - 1e-9, 1e-3, 1e-3 + 1e-12, 1e-3 + 1e-9, 1.0):
        assert measurable(mwh) == findings.measurable(mwh) == (mwh > 1e-3 + 1e-10)
