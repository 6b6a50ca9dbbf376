"""Sentences of plans (reasons, warnings, notes) as patterns of a catalogue.

A sentence is English with figures and names in it. The catalogue holds its pattern, in the context
`sentence`: `{than}` is <, = or >, and what a place may hold follows from its name:

    {name} {names} {other} {path} {when} {text}   anything, left as it is; only {text} may hold ": "
    {origin} {kind}                        a word of plans, translated
    {words}                                words set apart by commas, each translated where known
    {sentence}                             a sentence of its own
    any other                              a figure, which keeps its digits

The pattern with the longest fixed text that fits is taken; a sentence that none fits is taken apart
at its semicolons; where a part is not known either, the whole stays English.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

PLACE = re.compile(r"\{(\w+)\}")
FREE = ("name", "names", "other", "path", "when", "text", "origin", "kind", "words", "sentence")
WHOLE = ("text", "sentence")
ONE = "(?:(?!: ).)+?(?<!,)"  # a name ends before the colon of a path and before a comma
FIGURE = r"[-+]?[0-9][0-9.,eE+:%-]*|[-+]?inf|nan|nothing"
Word = Callable[[str], str | None]


@dataclass(frozen=True)
class Phrase:
    """A pattern of sentences and its translation."""

    fits: re.Pattern[str]
    said: str
    fixed: int


def phrase(pattern: str, said: str) -> Phrase:
    """Return the phrase of a pattern and its translation."""
    parts, end = [], 0
    for place in PLACE.finditer(pattern):
        name = place.group(1)
        holds = (
            ".+?"
            if name in WHOLE
            else ONE
            if name in FREE
            else "[<=>]"
            if name == "than"
            else FIGURE
        )
        parts += [re.escape(pattern[end : place.start()]), f"(?P<{name}>{holds})"]
        end = place.end()
    parts.append(re.escape(pattern[end:]))
    return Phrase(re.compile("".join(parts)), said, len(PLACE.sub("", pattern)))


def in_order(phrases: Iterable[Phrase]) -> tuple[Phrase, ...]:
    """Return phrases with the longest fixed text first."""
    return tuple(sorted(phrases, key=lambda one: -one.fixed))


def translated(text: str, phrases: tuple[Phrase, ...], word: Word, stop: str) -> str | None:
    """Return a sentence in the language of the phrases; None where a part of it is not known.

    Args:
        text: the English sentence.
        phrases: in the order in which they are tried.
        word: returns the translation of a word of plans, None where there is none.
        stop: what sets the parts of a sentence apart.
    """
    for one in phrases:
        found = one.fits.fullmatch(text)
        if found is None:
            continue
        places = _places(found.groupdict(), phrases, word, stop)
        if places is not None:
            return one.said.format(**places)
    parts = text.split("; ")
    if len(parts) == 1:
        return None
    said = [translated(part, phrases, word, stop) for part in parts]
    return None if None in said else stop.join(part for part in said if part is not None)


def _places(
    found: dict[str, str], phrases: tuple[Phrase, ...], word: Word, stop: str
) -> dict[str, str] | None:
    """Return what fills the places of a translation; None where a word of it is not known."""
    filled: dict[str, str] = {}
    for name, held in found.items():
        said: str | None = held
        if name in ("origin", "kind"):
            said = word(held)
        elif name == "words":
            said = "、".join(word(one) or one for one in held.split(", "))
        elif name == "sentence":
            said = translated(held, phrases, word, stop)
        elif name == "names":
            said = held.replace(" and ", "、")
        if said is None:
            return None
        filled[name] = said
    return filled
