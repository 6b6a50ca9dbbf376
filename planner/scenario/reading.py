"""Plain data read as a value of a class, with every problem that the data has at once.

A validation that fails ends before it looks at what depends on the field that is wrong: two fields
that contradict each other are not told beside an unknown one. So what was clearly meant is put in
the place of what was written (a field name with a letter missing, a number in quotes), and the
validation repeated. What remains is checked as far as it goes: a rule that needs a wrong field
cannot be evaluated, every other one can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from inspect import signature
from typing import Any, Generic, TypeVar, cast

from pydantic import ValidationError, create_model

from planner.errors import Key
from planner.fields import FieldError, Frozen
from planner.message import Message
from planner.scenario.paths import parse_path, value_at, with_value
from planner.scenario.remedies import UNCLEAR
from planner.scenario.validation_messages import Fault, KeyMeant, faults, place_of

MOST_ROUNDS = 5  # of putting right what is clear; each leaves less

Value = TypeVar("Value", bound=Frozen)


@dataclass
class DataReading(Generic[Value]):
    """What plain data was read as.

    value: the value. Where the data has problems, what was meant; None where that is unclear.
    partial: where there is no value, one that has no wrong fields at all.
    problems: each with its path below the value.
    wrong: the names of the fields that `partial` does not have.
    """

    value: Value | None = None
    partial: Value | None = None
    problems: list[tuple[Key, Message]] = field(default_factory=list)
    wrong: frozenset[str] = frozenset()

    def evaluable(self, rule: Callable[[], Iterator[Any]]) -> Iterator[Any]:
        """Yield what a function yields, as far as it needs no wrong field of the partial value."""
        try:
            yield from rule()
        except AttributeError as error:
            value = self.partial
            if value is None or error.obj is not value or error.name not in self.wrong:
                raise


def read(
    model: type[Value], data: Any, context: Any = None, known: type[Frozen] | None = None
) -> DataReading[Value]:
    """Read plain data as a value of a class; `known` has the fields that messages may suggest."""
    reading: DataReading[Value] = DataReading()
    for _ in range(MOST_ROUNDS):
        try:
            reading.value = model.model_validate(data, context=context)
        except ValidationError as error:
            wrong, before = faults(error, known or model, data), data
            reading.problems += [(fault.path, fault.message) for fault in wrong]
            reading.wrong = frozenset(
                str(path[0]) for path in map(place_of, error.errors(include_url=False)) if path
            )
            for fault in wrong:
                if not fault.path[1:] and isinstance(fault.meant, KeyMeant):
                    known_here = fault.meant.name in (*model.model_fields, None)
                    fault = fault if known_here else fault._replace(meant=KeyMeant())
                data = _mended(data, fault)
            if data is before:
                break
        else:
            return reading
    reading.partial = _partial(model, data, reading.wrong, context)
    for contradictions in _validators(model) if reading.partial is not None else ():
        reading.problems += reading.evaluable(partial(contradictions, reading.partial))
    return reading


def _mended(data: Any, fault: Fault) -> Any:
    """Return plain data as a fault in it was meant; the same where that is unclear."""
    if not fault.path or fault.meant is UNCLEAR:
        return data
    if not isinstance(fault.meant, KeyMeant):
        return with_value(data, fault.path, fault.meant)
    *above, key = fault.path
    before = value_at(data, tuple(above))
    if not isinstance(before, dict) or key not in before:
        return data  # an earlier fault replaced it
    holder = dict(before)
    value = holder.pop(key)
    if fault.meant.name is not None:
        holder[fault.meant.name] = value
    return with_value(data, tuple(above), holder)


def _validators(model: type[Frozen]) -> list[Callable[[Any], Iterator[tuple[Key, Message]]]]:
    """Return the validators of whole values of a class, each as a function that yields problems."""

    def problems(validate: Callable[[Any], Any], value: Any) -> Iterator[tuple[Key, Message]]:
        try:
            validate(value)
        except FieldError as error:
            for one in (error, *error.others):
                yield parse_path(one.path) if one.path else (), one.message

    decorators = model.__pydantic_decorators__.model_validators.values()
    return [
        partial(problems, decorator.func)
        for decorator in decorators
        if decorator.info.mode == "after" and len(signature(decorator.func).parameters) == 1
    ]


def _partial(model: type[Value], data: Any, wrong: frozenset[str], context: Any) -> Value | None:
    """Return a value without its wrong fields; None where the others cannot be read alone."""
    fields: dict[str, Any] = {
        name: (info.annotation, info)
        for name, info in model.model_fields.items()
        if name not in wrong
    }
    part = create_model("Part", __base__=Frozen, **fields)
    try:
        valid = part.model_validate({k: v for k, v in data.items() if k in fields}, context=context)
    except ValidationError:
        return None
    given = {name: getattr(valid, name) for name in fields}
    value: Value = cast("type[Any]", model).unchecked(**given)
    for name in wrong & vars(value).keys():
        del vars(value)[name]
    return value
