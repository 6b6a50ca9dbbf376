"""Messages: English texts that keep the template and the values they were made from.

A message is a string, so that English output prints and stores it as it is; `Language.sentence`
renders it in another language by the translation of its template. Places are named and may carry a
format, as in `str.format`: `Message("must be {least:g} MW or more", least=5)`. A place may hold
another message. Numbers of one message that differ read differently (`set_apart`), and none reads
-0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from itertools import repeat
from string import Formatter
from typing import Any, Self

_FORMATTER = Formatter()
_GENERAL = re.compile(r"(?:\.(\d+))?g")
_SIGNED_ZERO = re.compile(r"[+-](?=0[.,0]*(?:[^\d.,:]|$))")
DIGITS = 6  # of a number in a message, unless it needs more to differ from another
JOINERS = "\u200c\u200d"  # between letters of some scripts, and in composed emoji
MOST_DIGITS = 12  # numbers that agree in as many are equal

Part = tuple[str, str | None, str | None, str | None]
"""The text before a place, its whole name (`initial.hours` is one), format and conversion."""


class Message(str):
    """An English text made from a template.

    template: with places such as {name}, without formats; the key of its translations.
    places: what each place holds as English text; messages stay messages.
    """

    __slots__ = ("places", "template")
    template: str
    places: dict[str, str]

    def __new__(cls, template: str, /, **values: Any) -> Self:
        """Fill the places of a template. Raises KeyError for a place without a value."""
        key, parts = _parsed(template)
        apart = _numbers_set_apart(parts, values)
        places: dict[str, str] = {}
        text = ""
        for literal, name, form, conversion in parts:
            text += literal
            if name is not None:
                value = _FORMATTER.convert_field(values[name], conversion)
                if name in apart:
                    value = apart[name]
                elif not isinstance(value, Message):
                    value = printable(unsigned_zero(format(value, form or "")))
                places[name] = value
                text += places[name]
        assert values.keys() == places.keys(), f"{template!r} has no place for all of {values}"
        message = super().__new__(cls, text)
        message.template, message.places = key, places
        return message

    def __reduce__(self) -> tuple[Any, ...]:
        return _refilled, (self.template, self.places)


def _refilled(template: str, places: dict[str, str]) -> Message:
    return Message(template, **places)


def set_apart(numbers: Iterable[float], least: Iterable[int] = repeat(DIGITS)) -> list[str]:
    """Return numbers as texts, with the digits that make those that differ read differently.

    `least` has the digits of each where it needs no more.
    """
    values = [(float(number), digits) for number, digits in zip(numbers, least, strict=False)]
    different = len({f"{value:.{MOST_DIGITS}g}" for value, _ in values})
    for more in range(MOST_DIGITS + 1):
        texts = [f"{value:.{max(digits, more)}g}" for value, digits in values]
        if len(set(texts)) >= different:
            break
    return [unsigned_zero(text) for text in texts]


def unsigned_zero(text: str) -> str:
    """Return a formatted number, with its unit or without; a zero loses its sign."""
    return text[1:] if text.startswith(("+", "-")) and _SIGNED_ZERO.match(text) else text


def _numbers_set_apart(parts: Iterable[Part], values: dict[str, Any]) -> dict[str, str]:
    """Return the numbers in the general format as texts that differ, where two are compared."""
    general = {
        name: match[1]
        for _, name, form, _ in parts
        if name is not None and (match := _GENERAL.fullmatch(form or ""))
    }
    if len(general) < 2:
        return {}
    digits = (int(precision or DIGITS) for precision in general.values())
    texts = set_apart((values[name] for name in general), digits)
    return dict(zip(general, texts, strict=True))


def printable(text: str) -> str:
    """Spell out control characters, which a terminal would obey and a name may hold."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in JOINERS else ascii(c)[1:-1] for c in text)


@cache
def _parsed(template: str) -> tuple[str, tuple[Part, ...]]:
    """Return a template without the formats of its places, and its parts."""
    parts = tuple(_FORMATTER.parse(template))
    key = "".join(
        _escaped(literal) + ("" if name is None else f"{{{name}}}") for literal, name, *_ in parts
    )
    return key, parts


def catalogue_key(template: str) -> str:
    """Return a template as catalogues hold it: without the formats of its places."""
    return _parsed(template)[0]


def places_of(template: str) -> list[str]:
    """Return the names of the places of a template."""
    return [name for _, name, *_ in _parsed(template)[1] if name is not None]


def template(text: str, /) -> str:
    """Mark a text as a template of messages that are made elsewhere, so that catalogues hold it."""
    return text


class MessageList(Message):
    """Messages, names or figures set apart by a separator, as one message."""

    __slots__ = ("separator",)
    separator: str

    def __new__(cls, separator: str, parts: Iterable[str]) -> Self:
        """Set parts apart; those that are no messages stay as they are in every language."""
        places = {str(i): part for i, part in enumerate(parts)}
        template = _escaped(separator).join(f"{{{i}}}" for i in places)
        message_list = super().__new__(cls, template, **places)
        message_list.separator = separator
        return message_list

    def __reduce__(self) -> tuple[Any, ...]:
        return MessageList, (self.separator, tuple(self.places.values()))


def plain_message(text: str) -> Any:
    """Return a text as plain data, which `message_of` makes the same message again."""
    if isinstance(text, MessageList):
        return {"separator": text.separator, "parts": [*map(plain_message, text.places.values())]}
    if isinstance(text, Message):
        places = {name: plain_message(value) for name, value in text.places.items()}
        return {"template": text.template, "places": places}
    return text


def message_of(data: Any) -> str:
    """Return the text that `plain_message` was given.

    Raises:
        ValueError: the data is nothing that it returns.
    """
    match data:
        case str():
            return data
        case {"separator": str(separator), "parts": list(parts)}:
            return MessageList(separator, map(message_of, parts))
        case {"template": str(text), "places": dict(places)}:
            try:
                return Message(text, **{name: message_of(part) for name, part in places.items()})
            except (KeyError, AssertionError, RecursionError):
                pass
    raise ValueError(data)


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
