"""What one axis of a sweep may be.

    components.battery.capacity_mwh: [200, 400, 800]            # values, one after the other
    components.chat.price_cny_per_mtok: {scale: [0.5, 1, 2]}    # factors on the base value
    components.coal_1.fuel_price_cny_per_gj: {low: 25, high: 45}            # a range
    components.grid.import_price_cny_per_mwh: {scale: {low: 0.8, high: 1.2}}
    coal_world: {bundle: {cheap: {PATH: value, ...}, dear: {PATH: value, ...}}}
    efficiency: {low: 22, high: 28}                             # no path: derived axes use it
    components.pv.cost_cny_per_mwh: {expression: "231 * 0.93**(efficiency - 22)",
                                     from: [efficiency]}

An axis whose key begins with a field of the scenario is a path; any other key is a name.
`base` is the value of the axis while others are varied in one_at_a_time, by default that of the
base scenario.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from planner.errors import as_written
from planner.fields import FieldError, Frozen
from planner.message import Message
from planner.sweeps.arithmetic import names_in, parse

Scalar = bool | int | float | str


def require_scalar(value: Any) -> Any:
    """Return a value that an axis may have. Raises FieldError for any other."""
    if isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise FieldError(
        Message("must be a number, a text, true or false, is {value}", value=as_written(value))
    )


AnyScalar = Annotated[Scalar, BeforeValidator(require_scalar)]


def require_order(low: float, high: float) -> None:
    """Raise FieldError unless `low` is below `high`."""
    if not low < high:
        message = Message("must be above low, {low:g}, is {high:g}", low=low, high=high)
        raise FieldError(message, "high")


class AxisBounds(Frozen):
    """A range of numbers."""

    low: float
    """Lower end."""
    high: float
    """Upper end."""

    @model_validator(mode="after")
    def _in_order(self) -> AxisBounds:
        require_order(self.low, self.high)
        return self


class Axis(Frozen):
    """One axis of a sweep, in any of its forms."""


class Values(Axis):
    """Values, one after the other."""

    values: Annotated[tuple[AnyScalar, ...], Field(min_length=1, strict=False)]
    """The values."""
    base: AnyScalar | None = None
    """Value while other axes are varied one at a time [that of the base scenario]."""


class Range(AxisBounds, Axis):
    """A range: sampled, or its two ends one at a time."""

    whole: bool = False
    """Take whole numbers only."""
    base: float | None = None
    """Value while other axes are varied one at a time [that of the base scenario]."""


def _factors(value: Any) -> str:
    return "=range" if isinstance(value, dict | AxisBounds) else "=list"


class Scale(Axis):
    """Factors on the value of the base scenario, in whatever form a number or series is written."""

    scale: Annotated[
        Annotated[tuple[float, ...], Field(min_length=1, strict=False), Tag("=list")]
        | Annotated[AxisBounds, Tag("=range")],
        Discriminator(_factors),
    ]
    """The factors, or the range they are taken from."""
    base: float = 1.0
    """Factor while other axes are varied one at a time."""


class Bundle(Axis):
    """Named sets of changes, each of several paths at once."""

    bundle: Annotated[
        dict[Annotated[str, Field(min_length=1)], dict[str, Any]], Field(min_length=1)
    ]
    """Changes by label; labels are the values in the case table."""
    base: str | None = None
    """Label while other axes are varied one at a time [none of them: the base scenario]."""

    @model_validator(mode="after")
    def _has_base(self) -> Bundle:
        if self.base is not None and self.base not in self.bundle:
            labels = ", ".join(self.bundle)
            message = Message("must be one of {names}, is {name!r}", names=labels, name=self.base)
            raise FieldError(message, "base")
        return self


def _named(value: Any) -> Any:
    """Return a mapping of names to axes; the list [a, b] means {a: a, b: b}."""
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return {name: name for name in value}
    if isinstance(value, Mapping):
        return dict(value)
    raise FieldError(
        Message(
            "must be a list of axes, or names with the axes they mean, is {value}",
            value=as_written(value),
        )
    )


class Formula(Axis):
    """A value computed from other axes; not an axis of the design."""

    expression: str
    """Arithmetic on the names in `from`: + - * / ** ( ) min max abs sqrt exp log."""
    inputs: Annotated[
        dict[str, str], BeforeValidator(_named), Field(alias="from", validation_alias="from")
    ]
    """The axes it is computed from: a list of names, or {name: axis} where the axis is a path."""
    scales: bool = False
    """The result multiplies the value of the base scenario, instead of replacing it."""

    @model_validator(mode="after")
    def _fits(self) -> Formula:
        try:
            names = names_in(parse(self.expression))
        except FieldError as error:
            raise FieldError(error.message, "expression") from None
        for name in (*names, *self.inputs):
            if name not in self.inputs:
                message = Message("uses {name}, which `from` does not name", name=name)
                raise FieldError(message, "expression")
            if name not in names:
                message = Message("does not use {name}, which `from` names", name=name)
                raise FieldError(message, "expression")
        return self


def base_values(axes: Mapping[str, Axis]) -> dict[str, Scalar | None]:
    """Return the base value that each axis has of its own; None: that of the base scenario."""
    return {name: getattr(axis, "base", None) for name, axis in axes.items()}


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
        raise FieldError(
            Message(
                "must be a list of values, or a mapping with low and high, scale, bundle or"
                " expression, is {value}",
                value=as_written(value),
            )
        )
    return value


AnyAxis = Annotated[
    Annotated[Values, Tag("=values")]
    | Annotated[Range, Tag("=range")]
    | Annotated[Scale, Tag("=scale")]
    | Annotated[Bundle, Tag("=bundle")]
    | Annotated[Formula, Tag("=expression")],
    Discriminator(_form),
    BeforeValidator(_lists_are_values),
]
