"""Linear expressions by step, and the relations that rules write between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.modelling.vectors import RefusedError, Vector, plain

Part = tuple[Any, Any]  # numbers of columns, and their coefficients: one, or one by step


class Linear(Vector):
    """A linear expression by step, or one: a sum of columns times coefficients, and a constant.

    sums: vectors of columns and coefficients that belong to the one row of a sum over steps.
    owner: the variable, of one column.
    added: whether an addition made it.
    """

    __slots__ = ("added", "constant", "owner", "parts", "sums")

    def __init__(
        self,
        parts: tuple[Part, ...],
        constant: Any = 0.0,
        owner: Any = None,
        sums: tuple[Part, ...] = (),
        *,
        added: bool = False,
    ) -> None:
        self.parts, self.constant, self.owner, self.sums = parts, constant, owner, sums
        self.added = added

    def fix(self, value: float) -> None:
        """Fix a variable, as Pyomo does."""
        self.owner.fixed[self._place] = value

    def setlb(self, value: float | None) -> None:
        """Set the lower bound of a variable, as Pyomo does."""
        self.owner.set_lower(self._place, value)

    def setub(self, value: float | None) -> None:
        """Set the upper bound of a variable, as Pyomo does."""
        self.owner.set_upper(self._place, value)

    @property
    def _place(self) -> int:
        ((column, _),) = self.parts
        return int(column) - int(self.owner.first)

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Linear):
            parts, sums = self.parts + other.parts, self.sums + other.sums
            if other.added and len(self.parts) == 1:  # it goes to the end of a sum, as in Pyomo
                parts = other.parts + self.parts
            return Linear(parts, self.constant + other.constant, sums=sums, added=True)
        value = plain(other)
        if value is None:
            return NotImplemented
        return Linear(self.parts, self.constant + value, sums=self.sums)

    __radd__ = __add__

    def __neg__(self) -> Any:
        return self * -1.0

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, factor: Any) -> Any:
        value = plain(factor)
        if value is None or (self.sums and isinstance(value, np.ndarray)):
            raise RefusedError

        def scaled(parts: tuple[Part, ...]) -> tuple[Part, ...]:
            return tuple((columns, coefficient * value) for columns, coefficient in parts)

        return Linear(scaled(self.parts), self.constant * value, sums=scaled(self.sums))

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> Any:
        return self * (1 / divisor)

    def __le__(self, other: Any) -> Any:
        if isinstance(other, Linear):
            return Relation(self - other, None, 0.0)
        value = plain(other)
        return NotImplemented if value is None else Relation(self, None, value)

    def __ge__(self, other: Any) -> Any:
        if isinstance(other, Linear):
            return other <= self
        value = plain(other)
        return NotImplemented if value is None else Relation(self, value, None)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, Linear):
            return Relation(self - other, 0.0, 0.0)
        value = plain(other)
        return NotImplemented if value is None else Relation(self, value, value)

    __lt__ = __gt__ = __ne__ = Vector.refuse
    __bool__ = __hash__ = Vector.refuse


class Relation(Vector):
    """Limits on a linear expression; None where there is none."""

    def __init__(self, body: Linear, low: Any, high: Any) -> None:
        self.body, self.low, self.high = body, low, high

    __bool__ = Vector.refuse
