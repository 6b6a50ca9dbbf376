"""What people read instead of names: titles in any script, on one line, short and told apart.

Names are keys and paths: files, CSV columns and messages keep them. Pages, charts, workbooks and
terminals show a title where one is given, and the name otherwise.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from itertools import accumulate
from typing import Protocol

from planner.message import JOINERS, printable

HEADING, LABEL = 120, 36  # the width of a title alone and in tables and charts, as `width` counts
CUT = "…"


class Titled(Protocol):
    """What may have a title."""

    @property
    def title(self) -> str | None:
        """The title, if it has one."""


class Named(Titled, Protocol):
    """What has a name and may have a title."""

    @property
    def name(self) -> str:
        """The name."""


def title_of(named: Named) -> str:
    """Return what people read of a scenario or a sweep: its title, or its name."""
    return named.name if named.title is None else shortened(named.title, HEADING)


def titles_of(parts: Mapping[str, Titled]) -> dict[str, str]:
    """Return what people read of each part by name; titles that mislead have the name too."""
    shown = {
        name: name if part.title is None else shortened(part.title, LABEL)
        for name, part in parts.items()
    }
    misleading = set[str]()
    while True:  # until a name that is added makes no title like another
        texts = {
            name: f"{title} ({name})" if name in misleading else title
            for name, title in shown.items()
        }
        alike = Counter(map(_as_seen, texts.values()))
        more = {
            name
            for name, text in texts.items()
            if parts[name].title is not None
            and (alike[_as_seen(text)] > 1 or text in parts.keys() - {name})
        }
        if more <= misleading:
            return texts
        misleading |= more


def _as_seen(text: str) -> str:
    """Return what looks the same in different letters in one form."""
    return unicodedata.normalize("NFKC", text).casefold()


def shortened(title: str, widest: int) -> str:
    """Return a title on one line, its control characters spelt out, its end cut off if too wide."""
    line = printable(" ".join(title.split()))
    if width(line) <= widest:
        return line
    length = sum(total < widest for total in accumulate(map(width, line)))
    while length > 1 and (_joins(line[length]) or line[length - 1] in JOINERS):
        length -= 1  # what belongs together is not cut apart
    return line[:length].rstrip() + CUT


def _joins(character: str) -> bool:
    """Return whether a character belongs to the one before it, as accents do."""
    return character in JOINERS or unicodedata.category(character).startswith("M")


def width(text: str) -> int:
    """Return the width of a text in Latin letters; Chinese characters count twice."""
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)
