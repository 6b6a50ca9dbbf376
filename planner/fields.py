"""Frozen values, and the types of their fields: bounds that many components share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Self, TypeGuard

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, model_validator

from planner.message import Message

NAME = r"^[a-z][a-z0-9_]*$"  # of components, nodes and members
LARGEST = 1e12  # in size, of any number: beyond it a solver's arithmetic means nothing


class FieldError(ValueError):
    """A value that a validator rejects: `path` is the field at fault, below the value checked."""

    def __init__(self, message: Message, path: str = "") -> None:
        super().__init__(f"{path} {message}" if path else message)
        self.message, self.path = message, path


class Frozen(BaseModel):
    """An immutable, strict value: unknown fields, coercion and non-finite numbers are errors."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        validate_default=True,
        arbitrary_types_allowed=True,
        use_attribute_docstrings=True,
    )

    @model_validator(mode="after")
    def _not_too_large(self) -> Self:
        for name in type(self).model_fields:
            value = getattr(self, name)
            if is_number(value) and abs(value) > LARGEST:
                message = Message(
                    "must be within {most:g} in size, is {value:g}", most=LARGEST, value=value
                )
                raise FieldError(message, name)
        return self

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(
            _same(getattr(self, name), getattr(other, name)) for name in type(self).model_fields
        )

    __hash__ = None  # type: ignore[assignment]  # values hold arrays


def is_number(value: object) -> TypeGuard[int | float]:
    """Return whether a value of a scenario is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def value_text(value: Any, steps: Sequence[int] = ()) -> str:
    """Return a value of a scenario as text; a series as its range in some steps, or in all."""
    if isinstance(value, np.ndarray):
        part = value[np.array(steps, dtype=int) - 1] if len(steps) else value
        low, high = (f"{float(edge) + 0.0:.6g}" for edge in (part.min(), part.max()))
        return low if low == high else f"{low} to {high}"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Frozen):
        parts = ((name, getattr(value, name)) for name in type(value).model_fields)
        return ", ".join(f"{name} {value_text(part, steps)}" for name, part in parts)
    return f"{value:.6g}" if isinstance(value, float | int) else str(value)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return bool(np.array_equal(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def _whole(value: float) -> float:
    if value != int(value):
        raise FieldError(Message("must be a whole number, is {value:g}", value=value))
    return value


Fraction = Annotated[float, Field(ge=0, le=1)]
Efficiency = Annotated[float, Field(ge=0.01, le=1)]
Hours = Annotated[float, Field(ge=0, le=26352)]  # three years
Positive = Annotated[float, Field(gt=0)]
AtLeastZero = Annotated[float, Field(ge=0)]
Count = Annotated[float, Field(ge=0), AfterValidator(_whole)]
Name = Annotated[str, Field(pattern=NAME)]


def form(**keys: str) -> Discriminator:
    """Distinguish the forms of a field: a mapping with one of the keys named, or the rest.

    `form(by_origin="renewable thermal grid", series="")`: tags begin with =, so that the paths in
    error messages can leave them out; the tag without keys is for everything else.
    """
    rest = next(tag for tag, words in keys.items() if not words)
    known = ", ".join(word for words in keys.values() for word in words.split())

    def which(value: Any) -> str | None:
        present = set(value) if isinstance(value, dict) else set()
        for tag, words in keys.items():
            if isinstance(value, BaseModel) and tag != rest:
                return f"={tag}"
            if present & set(words.split()):
                return f"={tag}"
        return None if isinstance(value, dict) and rest != "series" else f"={rest}"

    message = Message("must hold one or more of {names} where it is a mapping", names=known)
    return unknown_form(which, message)


def unknown_form(which: Callable[[Any], str | None], message: Message) -> Discriminator:
    """Return a discriminator of forms by tag; a value of no form is an error with the message."""
    return Discriminator(
        which,
        custom_error_type="form",
        custom_error_message="{message}",
        custom_error_context={"message": message},
    )
