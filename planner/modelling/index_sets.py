"""Index sets: what stands before the last index, and the last ones, which most often are steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, product
from typing import Any, NamedTuple

import numpy as np

from planner.modelling.vectors import StepSet, Whole


class UnsupportedError(Exception):
    """What arrays cannot realise."""


class Part(NamedTuple):
    """A part of an index set: what stands before the last index, and the last ones.

    steps: where they are steps, else None. keys: what follows `outer` where they are not.
    """

    outer: tuple[Any, ...]
    steps: Whole | None
    keys: Sequence[tuple[Any, ...]] = ()


def parts_of(sets: Sequence[Any]) -> Iterator[Part]:
    """Yield the parts of a product of sets, in its order; () for no sets at all.

    Raises:
        UnsupportedError: steps that do not ascend.
    """
    if not sets:
        yield Part((), None, [()])
        return
    *before, last = (s if isinstance(s, StepSet) else list(dict.fromkeys(s)) for s in sets)
    if not isinstance(last, StepSet) and all(type(key) is int for key in last):
        last = StepSet(last)
    for combined in product(*before):
        outer = tuple(index for key in combined for index in as_tuple(key))
        if isinstance(last, StepSet):
            if last:
                yield Part(outer, _ascending(last.values))
            continue
        for head, group in groupby(map(as_tuple, last), _before_step):
            keys = list(group)
            if head is None:
                yield Part(outer, None, keys)
            else:
                steps = np.array([key[-1] for key in keys], dtype=np.int64)
                yield Part((*outer, *head), _ascending(steps))


def _ascending(steps: Whole) -> Whole:
    if (np.diff(steps) <= 0).any():
        raise UnsupportedError
    return steps


def as_tuple(key: Any) -> tuple[Any, ...]:
    """Return an index as a tuple."""
    return key if isinstance(key, tuple) else (key,)


def _before_step(key: tuple[Any, ...]) -> tuple[Any, ...] | None:
    return key[:-1] if isinstance(key[-1], int) else None
