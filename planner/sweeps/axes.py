"""What one axis of a sweep may be.

    components.battery.capacity_mwh: [200, 400, 800]            # values, one after the other
    components.chat.price_cny_per_mtok: {scale: [0.5, 1, 2]}    # factors on what the base says
    components.coal_1.fuel_price_cny_per_gj: {low: 25, high: 45}            # a range
    components.grid.import_price_cny_per_mwh: {scale: {low: 0.8, high: 1.2}}
    coal_world: {bundle: {cheap: {PATH: value, ...}, dear: {PATH: value, ...}}}
    efficiency: {low: 22, high: 28}                             # no path: derived axes use it
    components.pv.cost_cny_per_mwh: {expression: "231 * 0.93**(efficiency - 22)",
                                     from: [efficiency]}

An axis whose key begins with a field of the scenario is a path; any other key is a name.
`base` is the value an axis has where others are varied, in one_at_a_time; where it is left out it
is what the base scenario says.

Arithmetic that a sweep file may hold: numbers, names, + - * / ** and a few functions.

Read with `ast` and a list of what is allowed; nothing else of Python can be reached.
"""

from __future__ import annotations

import ast
import math
import operator
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from planner.errors import shown
from planner.fields import Frozen

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
        _demand_arithmetic(node)
    return tree


def _demand_arithmetic(node: ast.AST) -> None:
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
    found = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called]
    return list(dict.fromkeys(found))


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


Scalar = bool | int | float | str
Number = int | float


def _scalar(value: Any) -> Any:
    if isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ValueError(f"must be a number, a text, true or false, is {shown(value)}")


AnyScalar = Annotated[Scalar, BeforeValidator(_scalar)]


class Bounds(Frozen):
    """A range of numbers."""

    low: float
    """Lower end."""
    high: float
    """Upper end."""

    @model_validator(mode="after")
    def _in_order(self) -> Bounds:
        if not self.low < self.high:
            raise ValueError(f"high must be above low, {self.low:g}, is {self.high:g}")
        return self


class Axis(Frozen):
    """What all axes have in common."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """Return values, range, scale, scale_range, bundle or expression."""

    @property
    def levels(self) -> tuple[Scalar, ...] | None:
        """Return the values one after the other; None for a range or an expression."""
        return None

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Return the ends of a range; None for axes with levels and for expressions."""
        return None


class Values(Axis):
    """Values, one after the other."""

    values: Annotated[tuple[AnyScalar, ...], Field(min_length=1, strict=False)]
    """The values."""
    base: AnyScalar | None = None
    """Value while other axes are varied one at a time [what the base scenario says]."""

    @property
    def kind(self) -> str:
        """Return values."""
        return "values"

    @property
    def levels(self) -> tuple[Scalar, ...]:
        """Return the values."""
        return self.values


class Range(Bounds, Axis):
    """A range: sampled, or its two ends one at a time."""

    whole: bool = False
    """Take whole numbers only."""
    base: float | None = None
    """Value while other axes are varied one at a time [what the base scenario says]."""

    @property
    def kind(self) -> str:
        """Return range."""
        return "range"

    @property
    def bounds(self) -> tuple[float, float]:
        """Return the ends."""
        return self.low, self.high


def _factors(value: Any) -> str:
    return "=range" if isinstance(value, dict | Bounds) else "=list"


class Scale(Axis):
    """Factors on what the base scenario says, in whatever form a number or series is written."""

    scale: Annotated[
        Annotated[tuple[float, ...], Field(min_length=1, strict=False), Tag("=list")]
        | Annotated[Bounds, Tag("=range")],
        Discriminator(_factors),
    ]
    """The factors, or the range they are taken from."""
    base: float = 1.0
    """Factor while other axes are varied one at a time."""

    @property
    def kind(self) -> str:
        """Return scale for a list of factors, scale_range for a range."""
        return "scale_range" if isinstance(self.scale, Bounds) else "scale"

    @property
    def levels(self) -> tuple[Scalar, ...] | None:
        """Return the factors of a list."""
        return None if isinstance(self.scale, Bounds) else self.scale

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Return the ends of a range."""
        return (self.scale.low, self.scale.high) if isinstance(self.scale, Bounds) else None


class Bundle(Axis):
    """Named sets of changes, each moving several paths together."""

    bundle: Annotated[
        dict[Annotated[str, Field(min_length=1)], dict[str, Any]], Field(min_length=1)
    ]
    """Changes by label; the label stands in the case table."""
    base: str | None = None
    """Label while other axes are varied one at a time [none of them: the base scenario]."""

    @property
    def kind(self) -> str:
        """Return bundle."""
        return "bundle"

    @model_validator(mode="after")
    def _has_base(self) -> Bundle:
        if self.base is not None and self.base not in self.bundle:
            labels = ", ".join(self.bundle)
            raise ValueError(f"base must be one of {labels}, is {self.base!r}")
        return self

    @property
    def levels(self) -> tuple[Scalar, ...]:
        """Return the labels."""
        return tuple(self.bundle)


def _named(value: Any) -> Any:
    """Read [a, b] as {a: a, b: b}: names that stand for axes of the same name."""
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return {name: name for name in value}
    if isinstance(value, Mapping):
        return dict(value)
    raise ValueError(f"must be a list of axes, or names with the axes they mean, is {shown(value)}")


class Expression(Axis):
    """Follows from other axes; not an axis of the design."""

    expression: str
    """Arithmetic on the names in `from`: + - * / ** ( ) min max abs sqrt exp log."""
    inputs: Annotated[
        dict[str, str], BeforeValidator(_named), Field(alias="from", validation_alias="from")
    ]
    """The axes it follows from: a list of names, or {name: axis} where the axis is a path."""
    scales: bool = False
    """The result multiplies what the base scenario says, instead of replacing it."""

    @property
    def kind(self) -> str:
        """Return expression."""
        return "expression"

    @model_validator(mode="after")
    def _fits(self) -> Expression:
        try:
            names = names_in(parse(self.expression))
        except ValueError as error:
            raise ValueError(f"expression {error}") from None
        missing = [name for name in names if name not in self.inputs]
        if missing:
            raise ValueError(f"expression uses {missing[0]}, which `from` does not name")
        spare = [name for name in self.inputs if name not in names]
        if spare:
            raise ValueError(f"expression does not use {spare[0]}, which `from` names")
        return self


def _form(value: Any) -> str:
    if isinstance(value, Mapping):
        for key in ("scale", "bundle", "expression", "values"):
            if key in value:
                return f"={key}"
    elif isinstance(value, Axis):
        return "=range" if isinstance(value, Range) else f"={value.kind.removesuffix('_range')}"
    return "=range"


def _lists_are_values(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return {"values": list(value)}
    if not isinstance(value, Mapping | Axis):
        raise ValueError(
            "must be a list of values, or a mapping with low and high, scale, bundle or"
            f" expression, is {shown(value)}"
        )
    return value


AnyAxis = Annotated[
    Annotated[Values, Tag("=values")]
    | Annotated[Range, Tag("=range")]
    | Annotated[Scale, Tag("=scale")]
    | Annotated[Bundle, Tag("=bundle")]
    | Annotated[Expression, Tag("=expression")],
    Discriminator(_form),
    BeforeValidator(_lists_are_values),
]
