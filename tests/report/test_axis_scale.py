"""The scale on which a chart draws the values of a sweep axis."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest

from planner.language.language import language
from planner.report.sweep_page.axis_scale import NEAREST, AxisScale, axis_scale

WORDS = language("en")


def scale(*values: Any, most: int = 12) -> AxisScale:
    return axis_scale(values, WORDS, most)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0.01, 1, 2], "log"), ([1, 2], "linear"), ([-1, 2], "linear"), (["cheap", 2], "category"),
        ([0, 95, 200, 400], "linear"), ([0, 1, 10, 100], "around_zero"), ([0, 0], "linear"),
        ([-100, -1, 0, 1, 100], "around_zero"), ([-5, -100, -1000], "around_zero"),
        ([*range(0, 2001, 100)], "linear"), ([1, 20], "log"), ([1, 19], "linear"),
        ([1.0, float("nan")], "category"), ([5], "linear"), ([True, False], "category"),
    ],
)  # fmt: skip
def test_values_far_apart_are_not_drawn_on_a_linear_axis(values: list[Any], kind: str) -> None:
    assert axis_scale(values, WORDS).kind == kind


def test_zero_and_negative_values_have_a_place() -> None:
    """A place for each factor of ten beyond the smallest value, 1; zero is between -1 and 1."""
    made = scale(-100, -1, 0, 1, 10, 1000)
    assert made.places([-100, -1, 0, 0.5, 1, 10, 1000], WORDS) == [-3, -1, 0, 0.5, 1, 2, 4]
    assert made.axis["tickvals"] == [-3, -1, 0, 1, 2, 4]
    assert made.axis["ticktext"] == ["-100", "-1", "0", "1", "10", "1,000"]
    said = made.sentence("price", WORDS)
    assert said == "Axis price: linear between −1 and 1, logarithmic beyond."
    assert scale(0.01, 1, 2).sentence("price", WORDS) == "Logarithmic axis: price."
    assert scale(1, 2).sentence("price", WORDS) == ""


def test_a_text_on_a_logarithmic_axis_stands_at_an_exponent() -> None:
    assert scale(0.01, 1, 100).annotated(10) == 1
    assert scale(0.01, 1, 100).upright(10) == 10
    assert scale(0, 1, 100).annotated(10) == scale(0, 1, 100).upright(10) == 2


def test_samples_drawn_evenly_from_a_range_stay_on_a_linear_axis() -> None:
    chance = random.Random(1)
    assert scale(*(chance.uniform(1, 45) for _ in range(64))).kind == "linear"
    assert scale(*(chance.uniform(-100, 100) for _ in range(64))).kind == "linear"
    assert scale(*(10 ** chance.uniform(-2, 2) for _ in range(64))).kind == "log"


@pytest.mark.parametrize("seed", range(80))
def test_ticks_are_honest(seed: int) -> None:
    """Every tick says the value at its place, none twice; few, and all are on the axis."""
    chance = random.Random(seed)
    low, high = chance.uniform(-9, 2), chance.uniform(2, 9)
    values = [10 ** chance.uniform(low, high) for _ in range(chance.choice([2, 3, 7, 12, 40]))]
    if seed % 2:
        values = [value * chance.choice([1, -1]) for value in values] + [0.0]
    most = chance.choice([4, 6, 12])
    made = axis_scale(values, WORDS, most)
    places = made.places(sorted(values), WORDS)
    assert places == sorted(places)  # in order, and each where it belongs
    if "tickvals" not in made.axis:
        return
    at, texts = made.axis["tickvals"], made.axis["ticktext"]
    assert 2 <= len(at) <= most
    assert len(texts) == len(set(texts))
    for place, shown in zip(at, texts, strict=True):
        value = float(shown.replace(",", ""))
        assert made.upright(value) == pytest.approx(place, rel=1e-4, abs=1e-4)
    marks = [made.annotated(float(shown.replace(",", ""))) for shown in texts]
    span = made.annotated(max(values)) - made.annotated(min(values))
    near = [after - before for before, after in pairwise(marks)]
    assert min(near) >= NEAREST * span * 0.99
    assert made.annotated(min(values)) - 1e-4 * span <= min(marks)
    assert max(marks) <= made.annotated(max(values)) + 1e-4 * span
