"""Arithmetic that a sweep file may hold: numbers, names, + - * / ** and a few functions.

Read with `ast` and a list of what is allowed; nothing else of Python can be reached.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.Pow: operator.pow,
    ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min, "max": max, "abs": abs, "sqrt": math.sqrt, "exp": math.exp, "log": math.log,
}  # fmt: skip
MAX_LENGTH = 500


def parse(text: str) -> ast.expr:
    """Read an expression.

    Raises:
        ValueError: it is no arithmetic, in the user's words.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"must have {MAX_LENGTH} characters or fewer")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"must be arithmetic such as 2*x + 1, is {text!r}") from None
    for node in ast.walk(tree):
        _require_arithmetic(node)
    return tree


def _require_arithmetic(node: ast.AST) -> None:
    known = ", ".join(FUNCTIONS)
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise ValueError(f"may hold numbers only, not {node.value!r}")
    elif isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
            raise ValueError(f"may call {known} only")
    elif isinstance(node, ast.BinOp | ast.UnaryOp):
        if type(node.op) not in OPERATORS:
            raise ValueError("may use + - * / ** and brackets only")
    elif not isinstance(node, ast.Name | ast.expr_context | ast.operator | ast.unaryop):
        raise ValueError("may use numbers, names, + - * / **, brackets and " + known + " only")


def names_in(tree: ast.expr) -> list[str]:
    """Return the names that an expression needs values for, in order of appearance."""
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    names = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called]
    return list(dict.fromkeys(names))


def evaluate(tree: ast.expr, values: Mapping[str, float]) -> float:
    """Return the value of an expression.

    Raises:
        ValueError: it has no finite value here, such as a division by zero.
    """
    try:
        value = _value(tree, values)
        if not isinstance(value, complex) and math.isfinite(value):
            return float(value)
    except (ArithmeticError, ValueError, TypeError):
        pass
    at = ", ".join(f"{name} = {value}" for name, value in values.items())
    raise ValueError(f"has no finite value at {at or 'any point'}")


def _value(node: ast.expr, values: Mapping[str, float]) -> Any:
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]  # whole powers would have no end
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.UnaryOp):
        return OPERATORS[type(node.op)](_value(node.operand, values))
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](_value(node.left, values), _value(node.right, values))
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    return FUNCTIONS[node.func.id](*(_value(part, values) for part in node.args))
