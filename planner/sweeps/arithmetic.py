"""Arithmetic that a sweep file may hold: numbers, names, + - * / ** and a few functions.

The text is parsed with `ast` and every node checked against a list; no other Python can be reached.
Every operation is on floating-point numbers, so that powers end, and each of their values must be
real and finite.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
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
OF_SEVERAL = ("min", "max")
MAX_LENGTH = 500


def parse(text: str) -> ast.expr:
    """Return the syntax tree of an expression.

    Raises:
        FieldError: it is too long, or no arithmetic.
    """
    if len(text) > MAX_LENGTH:
        raise FieldError(Message("must have {max} characters or fewer", max=MAX_LENGTH))
    try:
        with warnings.catch_warnings(action="ignore"):  # of what is refused below
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        message = Message("must be arithmetic such as 2*x + 1, is {text!r}", text=text)
        raise FieldError(message) from None
    if not all(map(_is_arithmetic, ast.walk(tree))):
        known = ", ".join(FUNCTIONS)
        raise FieldError(
            Message("may use numbers, names, + - * / **, brackets and {names} only", names=known)
        )
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            _require_arguments(node.func.id, len(node.args))
    return tree


def _require_arguments(function: str, count: int) -> None:
    if function in OF_SEVERAL and count < 2:
        message = Message(
            "{name} takes two values or more, has {count}", name=function, count=count
        )
        raise FieldError(message)
    if function not in OF_SEVERAL and count != 1:
        raise FieldError(Message("{name} takes one value, has {count}", name=function, count=count))


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
        FieldError: a part has no finite value here, as after a division by zero.
    """
    try:
        return _value(tree, values)
    except (ArithmeticError, ValueError, RecursionError):
        pass
    point = ", ".join(f"{name} = {value}" for name, value in values.items())
    raise FieldError(
        Message("has no finite value at {text}", text=point) if point
        else Message("has no finite value")
    )  # fmt: skip


def _value(node: ast.expr, values: Mapping[str, float]) -> float:
    value: Any
    match node:
        case ast.Constant():
            value = float(node.value)  # type: ignore[arg-type]
        case ast.Name():
            value = float(values[node.id])
        case ast.UnaryOp():
            value = OPERATORS[type(node.op)](_value(node.operand, values))
        case ast.BinOp():
            value = OPERATORS[type(node.op)](_value(node.left, values), _value(node.right, values))
        case ast.Call(func=ast.Name(id=name)):
            value = FUNCTIONS[name](*(_value(part, values) for part in node.args))
        case _:
            raise AssertionError(node)
    if isinstance(value, complex) or not math.isfinite(value):
        raise ArithmeticError
    return float(value)
