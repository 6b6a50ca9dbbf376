"""Rules called once with a vector of steps: the steps, and numbers by step.

A rule such as `lambda b, t: b.on[t] - b.on[t - 1] == b.start[t] - b.stop[t]` is called with `Steps`
in place of a step. What it writes then stands for a row in each of them. Where a truth differs
between steps (`if rise`, `max(x, 0)`, `t < time.last`), `Split` is raised, and the rule is called
again for each part. What no vector can answer, such as a hash or a text of the step, is refused,
and the rule is called step by step. Both are no subclass of Exception, so that no rule swallows
them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, overload

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Whole = np.ndarray[Any, np.dtype[np.integer[Any]]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


class NotForVectors(BaseException):
    """A vector of steps is not answered with one value."""


class Split(NotForVectors):
    """A truth that differs between steps: the steps in which it holds, as flags."""

    def __init__(self, where: Flags) -> None:
        super().__init__()
        self.where = where


class RefusedError(NotForVectors):
    """A question that a vector of steps cannot answer."""


class Vector:
    """What no vector answers: a text, a hash, a single number."""

    __array_ufunc__ = None  # so that numpy leaves arithmetic with a vector to it

    def refuse(self, *_: Any) -> NoReturn:
        """Refuse to answer."""
        raise RefusedError

    __hash__ = __str__ = __repr__ = __format__ = refuse
    __int__ = __float__ = __index__ = __round__ = __iter__ = __len__ = refuse


class Truths(Vector):
    """A truth by step: true or false where it is the same in all."""

    def __init__(self, values: Flags) -> None:
        self.values = values

    def __bool__(self) -> bool:
        if self.values.all():
            return True
        if self.values.any():
            raise Split(self.values)
        return False


def _compared(relation: Callable[[Any, Any], Flags]) -> Callable[[Any, Any], Any]:
    def compare(self: Any, other: Any) -> Any:
        value = plain(other)
        if value is not None:
            return Truths(relation(self.values, value))
        if isinstance(other, Vector):
            return NotImplemented
        raise RefusedError  # an array, say, would equal nothing

    return compare


def plain(value: Any) -> Any:
    """Return the number, or the numbers by step, of a value; None if it is an expression."""
    if isinstance(value, (int, float, np.number)):
        return value
    return value.values if isinstance(value, (Numbers, Steps)) else None


class _Compared(Vector):
    """Values by step that compare to truths."""

    values: Any
    __lt__, __le__ = _compared(operator.lt), _compared(operator.le)
    __gt__, __ge__ = _compared(operator.gt), _compared(operator.ge)
    __eq__, __ne__ = _compared(operator.eq), _compared(operator.ne)
    __hash__ = Vector.refuse


class Steps(_Compared):
    """A vector of steps, in place of one; shape (n,).

    refusals: questions refused, also by steps calculated from these; some code swallows them.
    """

    def __init__(self, values: Whole, refusals: list[bool] | None = None) -> None:
        self.values = values
        self.refusals: list[bool] = [] if refusals is None else refusals

    def refuse(self, *_: Any) -> NoReturn:
        """Refuse to answer, and remember it."""
        self.refusals.append(True)
        raise RefusedError

    __hash__ = __str__ = __repr__ = __format__ = __bool__ = refuse
    __int__ = __float__ = __index__ = __round__ = __iter__ = __len__ = refuse

    def __add__(self, steps: Any) -> Steps:
        return Steps(self.values + operator.index(steps), self.refusals)

    __radd__ = __add__

    def __sub__(self, steps: Any) -> Steps:
        return Steps(self.values - operator.index(steps), self.refusals)


def _divided(dividend: Any, divisor: Any) -> Any:
    zero = np.asarray(divisor) == 0
    if zero.all():
        raise ZeroDivisionError
    if zero.any():
        raise Split(zero)
    return dividend / divisor


def _calculated(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def calculate(self: Numbers, other: Any) -> Any:
        value = plain(other)
        return NotImplemented if value is None else Numbers(operation(self.values, value))

    return calculate


def _reflected(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return _calculated(lambda own, other: operation(other, own))


class Numbers(_Compared):
    """A number by step; shape (n,)."""

    def __init__(self, values: Floats) -> None:
        self.values = values

    __add__, __radd__ = _calculated(operator.add), _reflected(operator.add)
    __sub__, __rsub__ = _calculated(operator.sub), _reflected(operator.sub)
    __mul__, __rmul__ = _calculated(operator.mul), _reflected(operator.mul)
    __truediv__, __rtruediv__ = _calculated(_divided), _reflected(_divided)

    def __neg__(self) -> Numbers:
        return Numbers(-self.values)

    def __abs__(self) -> Numbers:
        return Numbers(abs(self.values))

    def __bool__(self) -> bool:
        return bool(Truths(self.values != 0))


def numbers_of(value: Any) -> Any:
    """Return the numbers by step of a value that has them, else the value itself."""
    return value.values if isinstance(value, Numbers) else value


class Known(Mapping[int, Any]):
    """Known values by step: a number in a step, numbers in a vector of steps."""

    def __init__(self, first: int, values: Floats) -> None:
        self._first, self._values = first, values

    @overload
    def __getitem__(self, step: int) -> float: ...
    @overload
    def __getitem__(self, step: Steps) -> Numbers: ...
    def __getitem__(self, step: int | Steps) -> float | Numbers:
        if isinstance(step, Steps):
            return Numbers(self._values[places_in(step.values, self._first, len(self._values))])
        return float(self._values[place_in(step, self._first, len(self._values))])

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._first, self._first + len(self._values)))

    def __len__(self) -> int:
        return len(self._values)


class Labels:
    """A label by step, such as a month; in a vector of steps the label of all."""

    def __init__(self, first: int, labels: Sequence[str]) -> None:
        self._first = first
        self._names: list[str] = list(dict.fromkeys(labels))
        number = {name: i for i, name in enumerate(self._names)}
        self._numbers = np.array([number[label] for label in labels], dtype=np.int64)

    def __getitem__(self, step: int | Steps) -> str:
        if not isinstance(step, Steps):
            return self._names[int(self._numbers[place_in(step, self._first, len(self._numbers))])]
        numbers = self._numbers[places_in(step.values, self._first, len(self._numbers))]
        low, high = int(numbers.min()), int(numbers.max())
        if low != high:
            raise Split(np.asarray(numbers <= (low + high) // 2))
        return self._names[low]


def place_in(step: int, first: int, count: int) -> int:
    """Return the place of a step in a range of them. KeyError: it is not in it."""
    if not 0 <= (place := step - first) < count:
        raise KeyError(step)
    return place


def places_in(steps: Whole, first: int, count: int) -> Whole:
    """Return the places of steps in a range of them.

    Raises:
        KeyError: no step is in it.
        Split: some are.
    """
    places = steps - first
    if places.size and (places.min() < 0 or places.max() >= count):
        _outside(steps, np.asarray((places >= 0) & (places < count)))
    return places


def places_of(steps: Whole, among: Whole) -> Whole:
    """Return the places of steps among others, which ascend, likewise."""
    if without_gap(among):
        return places_in(steps, int(among[0]), len(among))
    if not among.size:
        raise KeyError(steps.tolist())
    places = np.asarray(np.minimum(np.searchsorted(among, steps), len(among) - 1))
    inside = among[places] == steps
    if not inside.all():
        _outside(steps, inside)
    return places


def _outside(steps: Whole, inside: Flags) -> NoReturn:
    if inside.any():
        raise Split(inside)
    raise KeyError(steps.tolist())


def place_of(step: int, among: Whole) -> int:
    """Return the place of one step among others, which ascend, likewise."""
    if without_gap(among):
        return place_in(step, int(among[0]), len(among))
    place = int(np.searchsorted(among, step))
    if place == len(among) or among[place] != step:
        raise KeyError(step)
    return place


def without_gap(steps: Whole) -> bool:
    """Return whether steps, which ascend, leave none out."""
    return bool(steps.size) and int(steps[-1]) - int(steps[0]) == len(steps) - 1


class StepSet(Sequence[int]):
    """Steps in ascending order: an index of variables and rows whose rules take a vector."""

    def __init__(self, steps: Iterable[int]) -> None:
        self.values = np.fromiter(steps, dtype=np.int64)

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> StepSet: ...
    def __getitem__(self, place: int | slice) -> int | StepSet:
        values = self.values[place]
        return StepSet(values) if isinstance(place, slice) else int(values)

    def __iter__(self) -> Iterator[int]:
        return iter(self.values.tolist())

    def __len__(self) -> int:
        return len(self.values)

    def __contains__(self, step: object) -> bool:
        if isinstance(step, Steps):
            return bool(Truths(np.isin(step.values, self.values)))
        if not isinstance(step, int):
            return False
        place = int(np.searchsorted(self.values, step))
        return place < len(self.values) and int(self.values[place]) == step
