"""However a rule is written, a vector of steps gives what it says step by step."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from threading import Thread
from typing import Any

import numpy as np
import pyomo.environ as pyomo
import pytest

from planner.components.time import Time
from planner.modelling import pyo
from planner.modelling.arrays import ArrayDeclared
from planner.modelling.declared import Declared, Entries
from planner.modelling.in_pyomo import PyomoDeclared, building
from planner.modelling.index_sets import UnsupportedError
from planner.modelling.vectors import Known, NotForVectors, Steps
from planner.timeseries.horizon import Horizon, Window

HORIZON = Horizon(start="2026-07-15T00:00:00+08:00", hours=30)  # type: ignore[arg-type]
SERIES = np.array([1.0, -2, 0, 3, 0.5] * 6)
BY_STEP = {t: float(SERIES[t - 1]) for t in HORIZON.window}

Rule = Callable[[Any, Time, Any], Any]


def with_branch(b: Any, time: Time, t: Any) -> Any:
    known = time.of(SERIES)
    return b.x[t] <= (2.0 if known[t] > 0 else known[t] * b.x[t - 1])


def by_day(b: Any, time: Time, t: Any) -> Any:
    day = ["a"] * 24 + ["b"] * 6
    return b.x[t] >= (3.0 if time.labels(day)[t] == "a" else 4.0)


def asks_for_an_int(b: Any, _: Time, t: Any) -> Any:
    return b.x[t] <= (7.0 if isinstance(t, int) else 8.0)


def catches_everything(b: Any, _: Time, t: Any) -> Any:
    try:
        most = BY_STEP[t]
    except Exception:
        most = 99.0
    return b.x[t] <= most


def names_the_step(b: Any, _: Time, t: Any) -> Any:
    return b.x[t] <= {f"{t}": float(t) for t in HORIZON.window}.get(f"{t}", 55.0)


def only_in_some(b: Any, _: Time, t: Any) -> Any:
    try:
        return b.x[t] <= b.w[t]
    except KeyError:
        return b.x[t] <= 5


def reads_a_list(b: Any, _: Time, t: Any) -> Any:
    try:
        most = SERIES.tolist()[t - 1]
    except Exception:
        most = 9.0
    return b.x[t] <= most


def divides(b: Any, time: Time, t: Any) -> Any:
    try:
        return b.x[t] / time.of(SERIES)[t] <= 6 / time.of(SERIES)[t]
    except ZeroDivisionError:
        return b.x[t] <= 9


def keeps_a_counter() -> Rule:
    calls: list[int] = []

    def rule(b: Any, _: Time, t: Any) -> Any:
        calls.append(1)
        return b.x[t] <= float(len(calls) > 0)

    return rule


STYLES: dict[str, Rule] = {
    "series": lambda b, time, t: b.x[t] <= time.of(SERIES)[t],
    "coefficient": lambda b, time, t: time.of(SERIES)[t] * b.x[t] - b.x[t - 1] / 4 >= -3,
    "maximum": lambda b, time, t: b.x[t] <= max(time.of(SERIES)[t], 0.5),
    "minimum": lambda b, time, t: b.x[t] + min(time.of(SERIES)[t], 1) <= 4,
    "absolute": lambda b, time, t: b.x[t] <= abs(time.of(SERIES)[t]),
    "last step": lambda b, time, t: b.x[t] <= (b.y[t + 1] if t < time.last else 0.0) + 1,
    "first step": lambda b, time, t: b.x[t] - (b.x[t - 1] if t > time.first else 5.0) <= 2,
    "clipped step": lambda b, time, t: b.x[t] <= b.y[min(t + 3, time.last)],
    "among": lambda b, time, t: b.x[t] <= (1.0 if t in time.among([2, 3, 9]) else 2.0),
    "earlier steps": lambda b, _, t: sum(b.y[max(t - i, 1)] for i in range(4)) <= b.x[t],
    "sum over steps": lambda b, time, t: b.x[t] <= time.total(lambda s: 2 * b.y[s]),
    "range": lambda b, time, t: (-1, b.x[t] - time.of(SERIES)[t], time.last),
    "numpy": lambda b, _, t: np.float64(2) * b.x[t] <= SERIES[t - 1],
    "in an array": lambda b, _, t: b.x[t] <= (0.0 if t in np.array([9, 12]) else 99.0),
    "any of an array": lambda b, _, t: b.x[t] <= (0.0 if np.any(np.array([9, 12]) == t) else 9.0),
    "number in an array": lambda b, time, t: b.x[t] <= 1.0 * (time.of(SERIES)[t] in SERIES[:2]),
    "a list": lambda b, _, t: b.x[t] <= (0.0 if t in [9, 12] else 99.0),
    "dictionary": lambda b, _, t: b.x[t] <= BY_STEP[t],
    "hour of the day": lambda b, _, t: b.x[t] <= (1.0 if t % 24 == 3 else 2.0),
    "whole number": lambda b, _, t: b.x[t] <= int(t),
    "ranges of steps": lambda b, _, t: b.x[t] <= sum(0.5 for _ in range(t)),
    "truth": lambda b, time, t: b.x[t] <= (time.of(SERIES)[t] or 6.0),
    "constant first": lambda b, time, t: time.of(SERIES)[t] <= b.x[t],
    "constants only": lambda b, time, t: 0 * b.x[t] <= abs(time.of(SERIES)[t]),
    "both sides": lambda b, _, t: b.x[t] >= b.y[t] + 1,
    "equal": lambda b, time, t: b.x[t] == b.y[t] * time.of(SERIES)[t],
    "expression": lambda b, time, t: b.x[t] <= (b.z[t - 1] if t > time.first else 0.0) + b.z[t],
    "no vector of one": lambda b, _, t: b.x[t] <= (3.0 if t == 7 else 1.0),
    "with_branch": with_branch, "by_day": by_day, "asks_for_an_int": asks_for_an_int,
    "catches_everything": catches_everything, "names_the_step": names_the_step,
    "keeps_a_counter": keeps_a_counter(), "only_in_some": only_in_some,
    "reads_a_list": reads_a_list, "divides": divides,
    "less the mean": lambda b, time, t: (
        b.x[t] <= time.total(lambda s: b.y[s] - time.total(lambda r: b.y[r]) / 30)
    ),
}  # fmt: skip


def rows(declared: Declared, rule: Rule) -> tuple[Any, Any, Any, Any]:
    time = Time(HORIZON, Window(1, 30))
    b = declared.block("unit")
    b.x = pyo.Var(time.points)
    b.y = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
    b.w = pyo.Var(time.among([5, 6, 9]))
    b.z = pyo.Expression(time.steps, rule=lambda b, t: max(time.of(SERIES)[t], 0.0) * b.y[t] + 1)
    b.row = pyo.Constraint(time.steps, rule=lambda b, t: rule(b, time, t))
    width = len(declared.columns().fixed)
    part = declared.rows()
    return dense(part.entries, width), part.entries.constants, part.low, part.high


def dense(entries: Entries, width: int) -> Any:
    matrix = np.zeros((len(entries.constants), width))
    np.add.at(matrix, (entries.rows, entries.columns), entries.coefficients)
    return matrix


@pytest.mark.parametrize("style", STYLES)
def test_rows_are_those_of_pyomo(style: str) -> None:
    ours, reference = (
        rows(ArrayDeclared(), STYLES[style]),
        rows(PyomoDeclared(["unit"]), STYLES[style]),
    )
    for here, there_is in zip(ours, reference, strict=True):
        np.testing.assert_allclose(here, there_is, rtol=0, atol=1e-12)


def test_a_rule_that_vectors_suit_is_called_with_few() -> None:
    calls: list[Any] = []

    def rule(b: Any, time: Time, t: Any) -> Any:
        calls.append(t)
        return b.x[t] <= max(time.of(SERIES)[t], 0.0)

    rows(ArrayDeclared(), rule)
    assert len(calls) == 9  # all steps, then those above 0 and the others, with three checks each


def bounds(declared: Declared) -> list[tuple[float, float]]:
    b = declared.block("unit")
    steps = Time(HORIZON, Window(1, 4)).steps
    b.on = pyo.Var(steps, domain=pyo.Binary)
    b.mw = pyo.Var(
        steps, domain=pyo.NonNegativeReals, bounds=lambda _, t: (1, 9 if t < 3 else None)
    )
    b.on[1].setub(7)
    b.on[2].setub(0)
    b.mw[1].setlb(-4)
    b.mw[2].setub(None)
    b.mw[3].setlb(2)
    columns = declared.columns()
    return list(zip(columns.lower.tolist(), columns.upper.tolist(), strict=True))


def test_bounds_stay_within_the_domain_as_in_pyomo() -> None:
    assert bounds(ArrayDeclared()) == bounds(PyomoDeclared(["unit"]))


STEPS = Time(HORIZON, Window(1, 30)).steps
WRONG: dict[str, Any] = {
    "steps in another order": pyo.Var([3, 1, 2]),
    "no number as a bound": pyo.Var(STEPS, bounds=(0, float("nan"))),
    "nothing is that much": pyo.Constraint(STEPS, rule=lambda b, t: b.x[t] >= float("inf")),
    "of Pyomo": pyomo.Var(list(STEPS)),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_arrays_cannot_realise_is_left_to_pyomo(name: str) -> None:
    declared = ArrayDeclared()
    b = declared.block("unit")
    b.x = pyo.Var(STEPS)

    def declare() -> None:
        b.add_component("part", WRONG[name])
        declared.rows()

    with pytest.raises(UnsupportedError):
        declare()


def test_a_name_is_declared_once() -> None:
    b = ArrayDeclared().block("unit")
    b.x = pyo.Var(STEPS)
    with pytest.raises(UnsupportedError):
        b.x = pyo.Var(STEPS)


def test_models_built_in_threads_leave_the_collector_on() -> None:
    def build() -> None:
        with building():
            time.sleep(0.001)

    threads = [Thread(target=build) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gc.isenabled()


def test_pyomo_itself_may_be_nested_switched_off_and_aliased() -> None:
    declared, steps = PyomoDeclared(["unit"]), Time(HORIZON, Window(1, 3)).steps
    b = declared.block("unit")
    b.heat = pyomo.Var(list(steps))
    b.inside = pyomo.Block()
    b.inside.cap = pyomo.Constraint(list(steps), rule=lambda _, t: b.heat[t] <= t)
    b.off = pyomo.Constraint(list(steps), rule=lambda _, t: b.heat[t] <= 0)
    b.off.deactivate()
    b.inside.cap[2].deactivate()
    b.alias = pyomo.Reference(b.heat)
    assert len(declared.columns().fixed) == 3
    assert declared.rows().high.tolist() == [1, 3]
    b.sets = pyomo.SOSConstraint(var=b.heat, sos=1)
    with pytest.raises(TypeError, match="SOSConstraint"):
        declared.rows()


def test_vectors_answer_no_question_about_one_step() -> None:
    steps = Steps(np.arange(1, 4))
    known = Known(1, np.array([1.0, 2.0, 3.0]))
    questions: list[Callable[[], Any]] = [
        lambda: hash(steps), lambda: f"{steps}", lambda: int(steps), lambda: bool(steps),
        lambda: list(steps), lambda: len(steps), lambda: bool(steps > 2), lambda: str(known[steps]),
        lambda: float(known[steps]),
    ]  # fmt: skip
    for question in questions:
        with pytest.raises(NotForVectors):
            question()


def test_steps_outside_have_no_label_and_no_number() -> None:
    time = Time(HORIZON, Window(5, 9))
    for by_step in (time.labels(list("aabbb")), time.of(SERIES)):
        for outside in (4, 10):
            with pytest.raises(KeyError):
                by_step[outside]
    assert time.labels(list("aabbb"))[5] == "a"


@pytest.mark.parametrize("index", [("a", 0), ("a", 31), ("b", 3)])
def test_an_index_that_is_not_declared_is_an_error(index: Any) -> None:
    b = ArrayDeclared().block("unit")
    b.x = pyo.Var(["a"], Time(HORIZON, Window(1, 30)).steps)
    with pytest.raises(KeyError):
        b.x[index]
    with pytest.raises(KeyError):
        b.x[index[0], Steps(np.array([index[1], 31]))]
