"""Linear expressions of Pyomo as plain numbers, quickly for the shapes our components write.

Pyomo's own walkers do the rest. A reported quantity is most often one variable, or a number times
one; those cost a dictionary entry here instead of a row of the compiled program.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyomo.core.expr.numeric_expr import LinearExpression, MonomialTermExpression, SumExpression
from pyomo.repn import generate_standard_repn


class Linear:
    """A constant and the coefficient of each variable that is not fixed."""

    __slots__ = ("coefficients", "constant", "variables")

    def __init__(self, expression: Any) -> None:
        self.constant = 0.0
        self.coefficients: dict[int, float] = {}
        self.variables: list[Any] = []
        self._add(expression, 1.0)

    def _add(self, expression: Any, factor: float) -> None:
        kind = expression.__class__
        if kind is float or kind is int:
            self.constant += factor * expression
        elif kind is MonomialTermExpression and expression.args[0].__class__ is float:
            self._variable(expression.args[1], factor * expression.args[0])
        elif kind is LinearExpression or kind is SumExpression:
            for part in expression.args:
                self._add(part, factor)
        elif expression.is_variable_type():
            self._variable(expression, factor)
        elif expression.is_named_expression_type():
            self._add(expression.expr, factor)
        else:
            form = generate_standard_repn(expression, compute_values=True)
            if not form.is_linear():
                raise TypeError(f"{expression} is not linear")
            self.constant += factor * form.constant
            for coefficient, variable in zip(form.linear_coefs, form.linear_vars, strict=True):
                self._variable(variable, factor * coefficient)

    def _variable(self, variable: Any, factor: float) -> None:
        if variable.fixed:
            self.constant += factor * variable.value
            return
        key = id(variable)
        if key not in self.coefficients:
            self.variables.append(variable)
            self.coefficients[key] = factor
        else:
            self.coefficients[key] += factor


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Work with the collector paused: a year builds in half the time, compiles in two thirds."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
