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
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from planner.errors import as_written
from planner.fields import Frozen
from planner.sweeps.arithmetic import names_in, parse

Scalar = bool | int | float | str


def _scalar(value: Any) -> Any:
    if isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ValueError(f"must be a number, a text, true or false, is {as_written(value)}")


AnyScalar = Annotated[Scalar, BeforeValidator(_scalar)]


class AxisBounds(Frozen):
    """A range of numbers."""

    low: float
    """Lower end."""
    high: float
    """Upper end."""

    @model_validator(mode="after")
    def _in_order(self) -> AxisBounds:
        if not self.low < self.high:
            raise ValueError(f"high must be above low, {self.low:g}, is {self.high:g}")
        return self


class Axis(Frozen):
    """What all axes have in common."""


class Values(Axis):
    """Values, one after the other."""

    values: Annotated[tuple[AnyScalar, ...], Field(min_length=1, strict=False)]
    """The values."""
    base: AnyScalar | None = None
    """Value while other axes are varied one at a time [what the base scenario says]."""


class Range(AxisBounds, Axis):
    """A range: sampled, or its two ends one at a time."""

    whole: bool = False
    """Take whole numbers only."""
    base: float | None = None
    """Value while other axes are varied one at a time [what the base scenario says]."""


def _factors(value: Any) -> str:
    return "=range" if isinstance(value, dict | AxisBounds) else "=list"


class Scale(Axis):
    """Factors on what the base scenario says, in whatever form a number or series is written."""

    scale: Annotated[
        Annotated[tuple[float, ...], Field(min_length=1, strict=False), Tag("=list")]
        | Annotated[AxisBounds, Tag("=range")],
        Discriminator(_factors),
    ]
    """The factors, or the range they are taken from."""
    base: float = 1.0
    """Factor while other axes are varied one at a time."""


class Bundle(Axis):
    """Named sets of changes, each moving several paths together."""

    bundle: Annotated[
        dict[Annotated[str, Field(min_length=1)], dict[str, Any]], Field(min_length=1)
    ]
    """Changes by label; the label stands in the case table."""
    base: str | None = None
    """Label while other axes are varied one at a time [none of them: the base scenario]."""

    @model_validator(mode="after")
    def _has_base(self) -> Bundle:
        if self.base is not None and self.base not in self.bundle:
            labels = ", ".join(self.bundle)
            raise ValueError(f"base must be one of {labels}, is {self.base!r}")
        return self


def _named(value: Any) -> Any:
    """Read [a, b] as {a: a, b: b}: names that stand for axes of the same name."""
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return {name: name for name in value}
    if isinstance(value, Mapping):
        return dict(value)
    raise ValueError(
        f"must be a list of axes, or names with the axes they mean, is {as_written(value)}"
    )


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


def levels_of(axis: Axis) -> tuple[Scalar, ...] | None:
    """Return the values of an axis one after the other; None for a range or an expression."""
    match axis:
        case Values():
            return axis.values
        case Scale(scale=tuple() as factors):
            return factors
        case Bundle():
            return tuple(axis.bundle)
    return None


def range_of(axis: Axis) -> AxisBounds | None:
    """Return the range of an axis; None for axes with levels and for expressions."""
    match axis:
        case Range():
            return axis
        case Scale(scale=AxisBounds() as factors):
            return factors
    return None


def _form(value: Any) -> str:
    if isinstance(value, Mapping):
        forms = ("scale", "bundle", "expression", "values")
        return next((f"={form}" for form in forms if form in value), "=range")
    return f"={type(value).__name__.lower()}"


def _lists_are_values(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return {"values": list(value)}
    if not isinstance(value, Mapping | Axis):
        raise ValueError(
            "must be a list of values, or a mapping with low and high, scale, bundle or"
            f" expression, is {as_written(value)}"
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
