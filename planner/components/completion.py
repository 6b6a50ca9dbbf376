"""Fields that follow from others: a simpler form, or a default that depends on another field.

A component names them in `follows`. What follows is not among the fields set, so that it follows
again where a component is read with other values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import Field

from planner.fields import FieldError, Frozen, is_number, raise_all
from planner.message import Message, template

FOLLOWS: Any = Field(default=None, validate_default=False)
"""The default of a field that follows from another one."""
INSTEAD = template("is required, or {name} instead")
WITH = template("is required with {name}")


def complete(
    value: Frozen, follows: Mapping[str, str], following: Callable[[], Mapping[str, Any]]
) -> None:
    """Give the fields that follow from others their values, as part of a validation.

    Raises:
        FieldError: one is required, or contradicts its simpler form.
    """
    values, derived = vars(value), dict[str, Any]()
    wrong = follows.keys() - values.keys()  # given, and not to be read here
    try:
        derived |= following()
    finally:
        for name in [name for name in follows if name in values and values[name] is None]:
            if name in derived:
                values[name] = derived[name]
            else:
                del values[name]  # it is missing, as a wrong field is
    raise_all(_wrong(value, {n: o for n, o in follows.items() if n not in wrong}, derived))


def is_simpler(model: type[Frozen], name: str) -> bool:
    """Return whether a field that others follow from is a simpler form of them."""
    return model.model_fields[name].default is None


def _wrong(
    value: Frozen, follows: Mapping[str, str], derived: Mapping[str, Any]
) -> Iterator[FieldError]:
    """Yield the fields that are required, and those that contradict their simpler form."""
    required: set[str] = set()
    for name, other in follows.items():
        simpler = is_simpler(type(value), other)
        if name not in value.model_fields_set:
            if name not in derived and other not in required:
                required.add(other)
                yield FieldError(Message(INSTEAD if simpler else WITH, name=other), name)
        elif simpler and name in derived:
            if not _same(getattr(value, name), derived[name]):
                message = Message(
                    "does not go with {name} {value:g}; leave one of the two out",
                    name=other, value=getattr(value, other),
                )  # fmt: skip
                yield FieldError(message, name)
            value.model_fields_set.discard(name)


def _same(given: Any, derived: Any) -> bool:
    return bool(math.isclose(given, derived) if is_number(given) else given == derived)
