"""Texts that were stored in English, read back as messages.

Reasons, warnings, breaches and notes stand in plan and sweep folders as English text. Each was made
from a template of the catalogue; the name of a place decides what the place may hold:

    {name} {names} {other} {path} {text}   anything, left as it is; only {text} may hold ": "
    {component}                            the name of a component
    {currency}                             the code of a currency: CNY, EUR
    {when}                                 times, such as 01:00-03:00, 07-16 00:00-01:00
    {origin} {kind}                        a word of plans, translated
    {words}                                words set apart by commas, each translated where known
    {sentence}                             a message of its own
    {hint} {more} {others}                 a message of its own, or nothing
    {value}                                a figure, a quoted text, true, false, or a message
    {than}                                 <, = or >
    any other                              a figure or a range of figures

Of several templates that fit, the one is taken whose fixed text covers most of the text, that of
nested messages included. A text may also be a list of messages set apart by semicolons. Where a
part cannot be read, the whole cannot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import chain, zip_longest

from planner.message import Message, MessageList

PLACE = re.compile(r"\{([^{}]+)\}")
ONE = "(?:(?![:;] ).)+?(?<!,)"  # ends before the colon of a path, a semicolon and a comma
NUMBER = r"(?:[-+]?[0-9][0-9.,eE+:%-]*|[-+]?inf|nan|nothing)"
FIGURE = f"{NUMBER}(?: to {NUMBER})?"
SCALAR = re.compile(f"{FIGURE}|'.*'|true|false", re.DOTALL)
NESTED = {"sentence": ".+", "value": ".+?", "hint": ".*?", "more": ".*?", "others": ".*?"}
WHEN = r"[0-9][0-9:.,TZ +-]*(?: to [0-9][0-9:.,TZ +-]*)*(?: and \d+ (?:times )?more)?"
HOLDS = {
    **dict.fromkeys(("name", "names", "other", "path", "origin", "kind", "words"), ONE), **NESTED,
    "currency": "[A-Z]{3}", "text": ".+?", "component": "[a-z][a-z0-9_]*", "when": WHEN,
    "than": "[<=>]",
}  # fmt: skip
WHOLE_WORD = re.compile(r"(?<![A-Za-z\0])[A-Za-z]+(?![A-Za-z\0])")
WITH_SUBJECT = "{name} {sentence}"  # a sentence has one subject


class Template:
    """A template, to find the texts that were made from it."""

    def __init__(self, template: str) -> None:
        parts = PLACE.split(template)
        fixed, self.names = parts[::2], parts[1::2]
        holds = (f"({HOLDS.get(name, FIGURE)})" for name in self.names)
        pairs = zip_longest(map(re.escape, fixed), holds, fillvalue="")
        self.template = template
        words = WHOLE_WORD.findall(PLACE.sub("\0", template))
        self.word = max(words, key=len, default="")  # stands in every text that fits
        self.fixed = len("".join(fixed))
        self._pattern = "".join(chain.from_iterable(pairs))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What its texts look like."""
        return re.compile(self._pattern, re.DOTALL)

    def places(self, text: str) -> dict[str, str] | None:
        """Return what the places of a text hold; None where it was not made from this template."""
        fit = self.pattern.fullmatch(text)
        return None if fit is None else dict(zip(self.names, fit.groups(), strict=True))


class StoredTexts:
    """Reads stored texts back.

    Args:
        templates: the templates they may have been made from.
        known: returns the translation of a word of plans, None where there is none.
    """

    def __init__(self, templates: Iterable[str], known: Callable[[str], str | None]) -> None:
        self._by_word: dict[str, list[Template]] = {}
        for template in map(Template, templates):
            self._by_word.setdefault(template.word, []).append(template)
        self._known = known
        self._read: dict[str, tuple[int, Message] | None] = {}

    def read(self, text: str) -> Message | None:
        """Return the message that a text was made from; None where a part cannot be read."""
        best = self._best(text)
        return None if best is None else best[1]

    def _best(self, text: str) -> tuple[int, Message] | None:
        """Return the best reading and how much of the text fixed text covers."""
        if text not in self._read:
            self._read[text] = None  # while it is read: nothing holds itself
            best = max(self._readings(text), key=lambda reading: reading[:2], default=None)
            self._read[text] = None if best is None else (best[0], best[2])
        return self._read[text]

    def _readings(self, text: str) -> Iterator[tuple[int, int, Message]]:
        """Yield what fixed text covers, nested messages included and without them; the message."""
        words = ("", *sorted(set(WHOLE_WORD.findall(text))))
        for template in chain.from_iterable(self._by_word.get(word, ()) for word in words):
            places = template.places(text)
            if places is None or not self._words_known(places):
                continue
            covered = template.fixed
            for name in (NESTED.keys() | {"text"}) & places.keys():
                nested = self._best(places[name])
                if nested is not None:
                    places[name] = nested[1]
                    covered += nested[0]
                elif not _stands_alone(name, places[name]):
                    break
            else:
                inner = places.get("sentence")
                subjects = isinstance(inner, Message) and inner.template == WITH_SUBJECT
                if not (subjects and template.template == WITH_SUBJECT):
                    yield covered, template.fixed, Message(template.template, **places)
        parts = text.split("; ")
        readings = [reading for part in parts if (reading := self._best(part)) is not None]
        if len(readings) == len(parts) > 1:
            covered = sum(fixed for fixed, _ in readings) + 2 * len(parts)
            yield covered, 0, MessageList("; ", [message for _, message in readings])

    def _words_known(self, places: dict[str, str]) -> bool:
        return all(self._known(places[name]) for name in ("origin", "kind") if name in places)


def _stands_alone(name: str, text: str) -> bool:
    """Return whether a place may hold a text that is no message."""
    if name == "value":
        return SCALAR.fullmatch(text) is not None
    return name == "text" or (name != "sentence" and not text)
