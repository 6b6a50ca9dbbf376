"""Quantities that change over time: fields that take any form of a series.

Each form resolves to a read-only array of one float per step of the horizon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    InstanceOf,
    Tag,
    TypeAdapter,
    ValidationInfo,
)
from pydantic_core import CoreSchema, core_schema

from planner.field_types import Given
from planner.fields import LARGEST, FieldError, HorizonNeededError, LimitError, at_limits
from planner.message import Message, set_apart
from planner.timeseries.forms import (
    Array,
    CalendarEntry,
    CalendarSeries,
    Context,
    CsvSeries,
    HoursSeries,
)
from planner.timeseries.horizon import Horizon
from planner.timeseries.timed_series import ArrayNumbers, Frame, TimedSeries

__all__ = [
    "CONSTANT",
    "SERIES_MARK",
    "SERIES_MODELS",
    "Above0",
    "Array",
    "NonNegative",
    "NonNegativeOrNone",
    "PerUnit",
    "Series",
    "SeriesBounds",
    "SeriesOrNone",
    "series_json_schema",
]  # fmt: skip


def _form(value: Any) -> str:
    """Return the tag of the form of a series; tags begin with =, so that paths can omit them."""
    for form, kinds in _FORMS.items():
        if isinstance(value, kinds):
            return form
    if isinstance(value, dict) and not isinstance(value, Frame):
        for key in ("csv", "hours", "calendar"):
            if key in value:
                return f"={key}"
    return CONSTANT


_FORMS: dict[str, type | tuple[type, ...]] = {
    "=array": (np.ndarray, ArrayNumbers),
    "=list": (list, tuple),
    "=timed": TimedSeries,
    "=csv": CsvSeries,
    "=hours": HoursSeries,
    "=calendar": CalendarSeries,
}


CONSTANT = "=constant"
SERIES_MODELS = (CsvSeries, HoursSeries, CalendarSeries, CalendarEntry)

SeriesSpec = Annotated[
    Annotated[float, Tag(CONSTANT)]
    | Annotated[tuple[float, ...], Field(strict=False), Tag("=list")]
    | Annotated[CsvSeries, Tag("=csv")]
    | Annotated[HoursSeries, Tag("=hours")]
    | Annotated[CalendarSeries, Tag("=calendar")]
    | Annotated[InstanceOf[TimedSeries], Tag("=timed")]
    | Annotated[np.ndarray, BeforeValidator(np.asarray), Tag("=array")],
    Discriminator(_form),
]


@dataclass(frozen=True)
class SeriesBounds:
    """Marks an array field as a series and holds the limits of its values."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_info_after_validator_function(
            self._resolve, handler.generate_schema(SeriesSpec)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        limits = {"minimum": self.ge, "exclusiveMinimum": self.gt, "maximum": self.le}
        return {SERIES_MARK: {name: limit for name, limit in limits.items() if limit is not None}}

    def _resolve(self, spec: Any, info: ValidationInfo) -> Array:
        context = info.context
        if not isinstance(context, Context):
            return self._constant(spec)
        steps = context.horizon.steps
        if isinstance(spec, int | float):
            values = np.full(steps, float(spec))
        elif isinstance(spec, tuple | np.ndarray):
            values = np.array(spec, dtype=float)
            if values.shape != (steps,):
                raise FieldError(
                    Message(
                        "needs one value per step, {steps}, and has {count}{hint}",
                        steps=steps,
                        count=values.size,
                        hint=_other_length(values, steps),
                    )
                )
        else:
            values = spec.resolve(context)
        values = np.array(at_limits(values, self.ge, self.le))
        self._check(values, context.horizon)
        values.flags.writeable = False
        return values

    def _constant(self, spec: Any) -> Array:
        """Return a number as a series of one step, whose horizon is not known yet.

        Raises:
            HorizonNeededError: it is no number; a list has been checked as far as it goes.
        """
        if not isinstance(spec, int | float | tuple | np.ndarray):
            raise HorizonNeededError
        values = np.array(at_limits(np.atleast_1d(np.array(spec, dtype=float)), self.ge, self.le))
        self._check(values, None)
        if not isinstance(spec, int | float):
            raise HorizonNeededError
        values.flags.writeable = False
        return values

    def _check(self, values: Array, horizon: Horizon | None) -> None:
        message = Message("must be finite and within {most:g} in size", most=LARGEST)
        wrong = [(~(abs(values) <= LARGEST), message, LARGEST)]
        if self.ge is not None:
            message = Message("must be {ge:g} or more", ge=self.ge)
            wrong.append((values < self.ge, message, self.ge))
        if self.gt is not None:
            message = Message("must be above {gt:g}", gt=self.gt)
            wrong.append((values <= self.gt, message, self.gt))
        if self.le is not None:
            message = Message("must be {le:g} or less", le=self.le)
            wrong.append((values > self.le, message, self.le))
        for steps, rule, limit in wrong:
            if steps.any():
                step = int(np.flatnonzero(steps)[0])
                _, text = set_apart((limit, values[step]))
                parts = {"sentence": rule, "text": text}
                if (values == values[step]).all():
                    raise LimitError(Message("{sentence}, is {text}", **parts))
                when = f"[{step}]" if horizon is None else horizon.at(step + 1)
                raise LimitError(Message("{sentence}, is {text} at {when}", **parts, when=when))


def _other_length(values: Array, steps: int) -> Message | str:
    """Return what a list with another length than the horizon was meant to be, where it shows."""
    if values.ndim > 1:
        return Message("; an array of one dimension is meant: give {text}", text="array.ravel()")
    if values.size == 24:
        return Message("; 24 values that hold every day are written {{hours: [...]}}")
    if values.size == 1:
        return Message("; a value that holds in every step is written without brackets")
    if values.size == 2 * steps and (values == np.round(values)).all():
        return Message("; a decimal comma parts two values: write 1.5, not 1,5")
    return ""


if TYPE_CHECKING:
    SeriesLike = (
        float
        | Sequence[float]
        | Mapping[str, Any]
        | np.ndarray[Any, Any]
        | pd.Series[Any]
        | CsvSeries
        | HoursSeries
        | CalendarSeries
    )
    Series = Given[Array, SeriesLike]
    NonNegative = Given[Array, SeriesLike]
    Above0 = Given[Array, SeriesLike]
    PerUnit = Given[Array, SeriesLike]
    SeriesOrNone = Given[Array | None, SeriesLike | None]
    NonNegativeOrNone = Given[Array | None, SeriesLike | None]
else:
    Series = Annotated[np.ndarray, SeriesBounds()]
    NonNegative = Annotated[np.ndarray, SeriesBounds(ge=0.0)]
    Above0 = Annotated[np.ndarray, SeriesBounds(gt=0.0)]
    PerUnit = Annotated[np.ndarray, SeriesBounds(ge=0.0, le=1.0)]
    SeriesOrNone = Series | None
    NonNegativeOrNone = NonNegative | None


SERIES_MARK = "x-series"  # marks a series in the JSON Schema of a component


def series_json_schema() -> dict[str, Any]:
    """Return the JSON Schema of every form of a series, with its own definitions inside."""
    form = float | list[float] | CsvSeries | HoursSeries | CalendarSeries
    return dict(TypeAdapter(form).json_schema(ref_template="#/$defs/{model}"))
