"""Calls a rule for many steps, with a vector of them where that is possible."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from planner.modelling.linear import Linear, Relation
from planner.modelling.vectors import Numbers, RefusedError, Split, Steps, Whole, numbers_of

ByStep = Callable[[Any], Any]


def in_vectors(rule: ByStep, steps: Whole) -> Iterator[tuple[Whole, Any]]:
    """Yield what a rule of a step says, for vectors of steps: their places, and its value.

    A rule whose answers differ in kind between steps is called for each part. One that refuses a
    vector, or says something else than for its first, middle and last step alone, is called step by
    step.
    """
    pending = [np.arange(len(steps))]
    while pending:
        places = pending.pop()
        some = steps[places]
        if len(some) > 1:
            vector = Steps(some)
            try:
                value = rule(vector)
                checked = () if vector.refusals else {0, len(some) // 2, len(some) - 1}
                if checked and all(_same(value, i, rule(int(some[i]))) for i in checked):
                    yield places, value
                    continue
            except Split as split:
                pending += [places[~split.where], places[split.where]]
                continue
            except (RefusedError, Exception):
                pass  # what is wrong with the rule shows step by step
        for place, step in zip(places, some.tolist(), strict=True):
            yield np.array([place]), rule(step)


def _same(value: Any, place: int, single: Any) -> bool:
    """Return whether a value by step is that of a single step."""
    if isinstance(single, tuple):
        return isinstance(value, tuple) and all(map(_same, value, [place] * 3, single))
    if isinstance(single, Relation):
        return isinstance(value, Relation) and all(
            _same(getattr(value, part), place, getattr(single, part))
            for part in ("low", "body", "high")
        )
    if single is None or value is None:
        return single is value
    return _terms(value, place) == _terms(single, 0)


def _terms(value: Any, place: int) -> list[float]:
    """Return the columns, coefficients and constant of a value in a step, flat."""
    if isinstance(value, Linear):
        parts = [_at(number, place) for part in value.parts for number in part]
        sums = [float(number) for part in value.sums for numbers in part for number in numbers]
        return [*parts, *sums, _at(value.constant, place)]
    return [_at(numbers_of(value), place)]


def _at(number: Any, place: int) -> float:
    return float(number[place]) if isinstance(number, np.ndarray) and number.ndim else float(number)


def total(amount: ByStep, steps: Sequence[int]) -> Any:
    """Return the sum of an amount over steps."""
    result: Any = 0.0
    for places, value in in_vectors(amount, np.asarray(steps, dtype=np.int64)):
        result = result + _summed(value, len(places))
    return result


def _summed(value: Any, count: int) -> Any:
    if isinstance(value, Linear) and count > 1:
        parts = (
            (np.broadcast_to(columns, count), np.broadcast_to(coefficients, count))
            for columns, coefficients in value.parts
        )
        sums = ((columns, count * coefficients) for columns, coefficients in value.sums)
        constant = float(np.broadcast_to(value.constant, count).sum())
        return Linear((), constant, sums=(*parts, *sums))
    if isinstance(value, Numbers):
        return float(value.values.sum())
    return value * count if count > 1 else value
