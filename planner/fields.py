"""Frozen values, and the types of their fields: bounds that many components share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeGuard

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from planner import errors
from planner.errors import PlannerError, Problem, ScenarioError
from planner.field_docstrings import field_docstrings
from planner.message import Message

NAME = r"^[a-z][a-z0-9_]*$"  # of components, nodes and members
TITLE = r"\S"  # of a scenario, a component or a sweep, in any script
LARGEST = 1e12  # in size, of any number: beyond it a solver's arithmetic means nothing
ROUNDING = 1e-9  # of a limit, and of 1 at least: a value that is beyond the limit by less is at it
NOTHING = 1e-6  # MW, MWh, nodes, Mtok, tCO2: less is none, as a solver is no more exact
SWITCHES = {True: "on", False: "off"}  # words that YAML 1.1 reads as these
LEAST_MWH = 1e-3  # or Mtok: of a kWh or less no share and no value per kWh is reported


class FieldError(ValueError):
    """A value that a validator rejects: `path` is the field at fault, below the value checked.

    others: what the same validator rejects besides.
    """

    def __init__(self, message: Message, path: str = "") -> None:
        super().__init__(f"{path} {message}" if path else message)
        self.message, self.path = message, path
        self.others: tuple[FieldError, ...] = ()


class LimitError(FieldError):
    """A value beyond the limits of its field."""


class HorizonNeededError(FieldError):
    """A value that can only be read with the horizon of a scenario, which is not known yet."""

    def __init__(self, path: str = "") -> None:
        super().__init__(Message("can only be read as part of a scenario"), path)


def raise_all(errors: Iterable[FieldError]) -> None:
    """Raise the errors of one validator together, if there are any."""
    together: list[FieldError] = []
    try:
        together.extend(errors)
    except AttributeError:  # of a value with wrong fields: those before it count all the same
        if not together:
            raise
    if together:
        together[0].others = tuple(together[1:])
        raise together[0]


def exceeds(value: Any, limit: Any, slack: float = ROUNDING) -> Any:
    """Return whether a number, or each of an array, is above a limit by more than rounding."""
    return value > limit + slack * np.maximum(1.0, np.abs(limit))


def too_large(path: str, value: float, limit: str, most: float) -> FieldError:
    """Return the error of a field that exceeds another, the field `limit`."""
    message = Message(
        "may not exceed {name} {most:g}, is {value:g}", name=limit, most=most, value=value
    )
    return FieldError(message, path)


def too_small(path: str, value: float, limit: str, least: float) -> FieldError:
    """Return the error of a field that is less than another, the field `limit`."""
    message = Message(
        "must be {name} {least:g} or more, is {value:g}", name=limit, least=least, value=value
    )
    return FieldError(message, path)


def measurable(amount: Any) -> Any:
    """Return whether MWh or Mtok, as a plan rounds them, are enough for a share or a value."""
    return np.round(amount, 9) > LEAST_MWH


def at_limits(values: Any, low: float | None, high: float | None) -> Any:
    """Return a number, or an array, with what is beyond a limit by rounding at the limit."""
    if low is not None:
        values = np.where((values < low) & ~exceeds(-values, -low), low, values)[()]
    if high is not None:
        values = np.where((values > high) & ~exceeds(values, high), high, values)[()]
    return values


def _rounded_to_limits(schema: Any, cls: type) -> Any:
    """Return the core schema of a class whose numbers beyond a limit by rounding are at it."""
    if isinstance(schema, list | tuple):
        return type(schema)(_rounded_to_limits(part, cls) for part in schema)
    if not isinstance(schema, dict) or schema.get("cls", cls) is not cls:
        return schema  # a class inside has done so itself
    if schema.get("type") != "float" or not schema.keys() & {"ge", "le"}:
        return {
            key: part if key in ("default", "metadata") else _rounded_to_limits(part, cls)
            for key, part in schema.items()
        }
    low, high = schema.get("ge"), schema.get("le")

    def rounded(value: Any) -> Any:
        return float(at_limits(value, low, high)) if isinstance(value, float) else value

    return core_schema.no_info_before_validator_function(rounded, schema)


class Frozen(BaseModel):
    """An immutable, strict value: unknown fields, coercion and non-finite numbers are errors."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        validate_default=True,
        arbitrary_types_allowed=True,
        defer_build=True,  # most commands use few of the classes
    )
    follows: ClassVar[Mapping[str, str]] = {}
    """Fields that follow from another where they are not given: name -> the other field."""
    remedies: ClassVar[Mapping[str, str]] = {}
    """What to write instead of a value that a field refuses for its size or its form, by field."""

    if not TYPE_CHECKING:  # which knows the fields

        def __init__(self, /, **data: Any) -> None:
            with suppress(ValidationError, TypeError, ValueError):  # so that none shows before ours
                super().__init__(**data)
                return
            made = errors.read_outside(type(self), data)
            self.__setstate__(made.__getstate__())

        __init__.__pydantic_base_init__ = True  # data is validated without a call of it

        def __setattr__(self, name: str, value: Any) -> None:
            try:
                super().__setattr__(name, value)
            except ValidationError:
                message = _unchanging(f"{type(self).__name__}.{name}")
                raise PlannerError(message) from None

    def revised(self, update: Mapping[str, Any]) -> Self:
        """Return a copy with fields replaced by values that are known to be valid."""
        return super().model_copy(update=update)

    @classmethod
    def unchecked(cls, fields_set: set[str] | None = None, /, **values: Any) -> Self:
        """Return a value with fields that are known to be valid; `fields_set`: those given."""
        return super().model_construct(fields_set, **values)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy; what replaces a field is checked.

        Raises:
            ScenarioError: it is not valid.
        """
        if not update:
            return super().model_copy(deep=deep)
        try:
            return self._with_fields(update)
        except ScenarioError as error:
            name = f"{type(self).__name__}.model_copy"
            raise ScenarioError([*error.problems, Problem(_unchanging(name))]) from None

    def _with_fields(self, update: Mapping[str, Any]) -> Self:
        made: Self = errors.read_outside(type(self), update, self)
        return made

    def copy(self, **options: Any) -> Self:
        """Return a copy, as `model_copy`."""
        return self.model_copy(**options)

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **_: Any) -> Self:
        """Refuse to make a value that is not checked. Raises PlannerError."""
        raise PlannerError(_unchanging(f"{cls.__name__}.model_construct"))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: CoreSchema = _rounded_to_limits(handler(source), cls)
        return schema

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the fields by their docstrings, which are read from the source only here."""
        described = handler(schema)
        properties = handler.resolve_ref_schema(described).get("properties", {})
        texts = field_docstrings(cls)
        for name, field in cls.model_fields.items():
            if name in texts:
                properties[field.alias or name]["description"] = texts[name]
        for name in cls.follows:
            properties[name].pop("default", None)
        return described

    @model_validator(mode="after")
    def _not_too_large(self) -> Self:
        for name in type(self).model_fields:
            value = getattr(self, name, None)  # a value with wrong fields has none there
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


def _unchanging(name: str) -> Message:
    """Return the message of an attempt to change a value, or to make one, without its checks."""
    return Message(
        "{name}: a scenario and its parts never change, and are checked whole; write"
        " scenario.with_values({{path: value}}), which returns a changed scenario",
        name=name,
    )


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
        given = ((name, part) for name, part in parts if part is not None)
        return ", ".join(f"{name} {value_text(part, steps)}" for name, part in given)
    return f"{value + 0.0:.6g}" if isinstance(value, float | int) else str(value)


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
Title = Annotated[str, Field(pattern=TITLE)]


def form(**keys: str) -> Discriminator:
    """Distinguish the forms of a field: a mapping with one of the keys named, or the rest.

    `form(by_origin="renewable thermal grid", series="")`: tags begin with =, so that the paths in
    error messages can leave them out; the tag without keys is for everything else.
    """
    rest = next(tag for tag, words in keys.items() if not words)
    known = ", ".join(word for words in keys.values() for word in words.split())

    def which(value: Any) -> str | None:
        fields = type(value).model_fields if isinstance(value, BaseModel) else value
        present = set(fields) if isinstance(fields, dict) else set()
        for tag, words in keys.items():
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
