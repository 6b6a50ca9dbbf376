"""Types of fields that take more than they hold: a number where a series is stored, say.

Type checkers see a descriptor (PEP 681): its `__set__` is what a class takes by name, its `__get__`
what an attribute holds. When the program runs, the annotation is the type that is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Generic, Self, TypeVar, overload

from pydantic import Field

Item = TypeVar("Item")

if TYPE_CHECKING:
    Kept = TypeVar("Kept", covariant=True)
    Taken = TypeVar("Taken", contravariant=True)

    class Given(Generic[Kept, Taken]):
        """A field that holds one type and takes another."""

        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> Kept: ...
        def __get__(self, instance: object | None, owner: Any) -> Any: ...
        def __set__(self, instance: object, value: Taken) -> None: ...

    class Listed(Given[tuple[Item, ...], Sequence[Item]], Generic[Item]):
        """A field that holds a tuple and takes any sequence."""

    class ListedOrNone(Given[tuple[Item, ...] | None, Sequence[Item] | None], Generic[Item]):
        """A field that holds a tuple of one item at least, or nothing."""
else:

    class Given:
        """A field that holds one type and takes another."""

        def __class_getitem__(cls, types: tuple[Any, Any]) -> Any:
            return types[0]

    Listed = Annotated[tuple[Item, ...], Field(strict=False)]
    ListedOrNone = Annotated[tuple[Item, ...] | None, Field(strict=False, min_length=1)]
