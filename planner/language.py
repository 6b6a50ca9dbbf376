"""The words of pages, workbooks and the console, in English or in Chinese as dispatchers write it.

English text is the key; `planner/languages/zh.po` is the one catalogue, in the format of gettext.
Texts carry named places: `words("{n} steps differ", n=3)`. What a scenario names (components,
nodes, models) is never translated.
"""

from __future__ import annotations

import gettext
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from planner.units import label

LANGUAGES = ("en", "zh")
CATALOGUES = Path(__file__).parent / "languages"


@dataclass(frozen=True)
class Language:
    """One language: its texts, and how it writes money and energy."""

    code: str
    catalogue: gettext.NullTranslations

    def __call__(self, text: str, **values: Any) -> str:
        """Return a text in this language, with its places filled."""
        said = self.catalogue.gettext(text) if text else ""
        return said.format(**values) if values else said

    def term(self, word: str) -> str:
        """Return a word of plans (origin, use, ledger line, kind, code, figure) for people."""
        return self(word.replace("_", " "))

    def label(self, column: str) -> str:
        """Return the label of a schedule column or figure, with its unit."""
        return label(column)

    def sentence(self, text: str) -> str:
        """Return a reason of why.csv or a warning, whose figures and names stay as they are."""
        return text

    def scale(self, unit: str, largest: float) -> tuple[float, str]:
        """Return the divisor and the unit in which amounts up to `largest` of a unit are read."""
        if self.code == "zh":
            for of, factor, name in LARGE:
                if of == unit and abs(largest) >= factor:
                    return factor, name
        return 1.0, self(unit)

    def amount(self, value: float | None, unit: str) -> str:
        """Return a value with its unit as people read it: 23,701,714 CNY or 2,370.17 万元."""
        if value is None or value != value:
            return "–"
        divisor, name = self.scale(unit, value)
        return f"{number(value / divisor)} {name}"


# Chinese counts money and large energies by ten thousands: unit, from which amount on, name.
LARGE = (("CNY", 1e4, "万元"), ("MWh", 10.0, "万kWh"))


def number(value: float) -> str:
    """Return a number with five significant digits at least and thousands set apart."""
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    if abs(value) >= 5e-5:
        shown = f"{value:,.5g}" if abs(value) < 1000 else f"{value:,.1f}"
        return shown.removesuffix(".0")
    return "0"


@cache
def language(code: str) -> Language:
    """Return a language by its code, en or zh."""
    if code == "en":
        return Language(code, gettext.NullTranslations())
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with (CATALOGUES / f"{code}.po").open("rb") as source:
        compiled = io.BytesIO()
        write_mo(compiled, read_po(source, locale=code))
    return Language(code, gettext.GNUTranslations(io.BytesIO(compiled.getvalue())))
