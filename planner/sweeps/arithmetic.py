"""Arithmetic that a sweep file may hold: numbers, names, + - * / ** and a few functions.

The text is parsed with `ast` and every node checked against a list; no other Python can be reached.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from planner.fields import FieldError
from planner.message import Message

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
    """Return the syntax tree of an expression.

    Raises:
        FieldError: it is too long, or no arithmetic.
    """
    if len(text) > MAX_LENGTH:
        raise FieldError(Message("must have {max} characters or fewer", max=MAX_LENGTH))
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        message = Message("must be arithmetic such as 2*x + 1, is {text!r}", text=text)
        raise FieldError(message) from None
    if not all(map(_is_arithmetic, ast.walk(tree))):
        known = ", ".join(FUNCTIONS)
        raise FieldError(
            Message("may use numbers, names, + - * / **, brackets and {names} only", names=known)
        )
    return tree


def _is_arithmetic(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int | float) and not isinstance(value, bool)
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            return name in FUNCTIONS
        case ast.BinOp() | ast.UnaryOp():
            return type(node.op) in OPERATORS
    return isinstance(node, ast.Name | ast.expr_context | ast.operator | ast.unaryop)


def names_in(tree: ast.expr) -> list[str]:
    """Return the names that an expression needs values for, in order of appearance."""
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    names = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called]
    return list(dict.fromkeys(names))


def evaluate(tree: ast.expr, values: Mapping[str, float]) -> float:
    """Return the value of an expression.

    Raises:
        FieldError: it has no finite value here, as after a division by zero.
    """
    try:
        value = _value(tree, values)
        if not isinstance(value, complex) and math.isfinite(value):
            return float(value)
    except (ArithmeticError, ValueError, TypeError):
        pass
    point = ", ".join(f"{name} = {value}" for name, value in values.items())
    raise FieldError(
        Message("has no finite value at {text}", text=point) if point
        else Message("has no finite value")
    )  # fmt: skip


def _value(node: ast.expr, values: Mapping[str, float]) -> Any:
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]  # whole powers would have no end
    if isinstance(node, ast.Name):
        return float(values[node.id])
    if isinstance(node, ast.UnaryOp):
        return OPERATORS[type(node.op)](_value(node.operand, values))
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](_value(node.left, values), _value(node.right, values))
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    return FUNCTIONS[node.func.id](*(_value(part, values) for part in node.args))
