"""The words of pages, workbooks and the console, in English or in Chinese as dispatchers write it.

English text is the key; `planner/languages/zh.po` is the one catalogue, in the format of gettext:

    texts with named places             words("{n} steps differ", n=3)
    words of plans, context `word`      words.term("must_rest"); columns and figures with the unit
                                        that ends their name: energy, power and money differ
    sentences, context `sentence`       words.sentence(reason); see `planner.phrases`

What a scenario names (components, nodes, models, cases) is never translated, and what the catalogue
lacks stays English. `make words` brings the catalogue in line with the sources.
"""

from __future__ import annotations

import gettext
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from planner.phrases import Phrase, in_order, phrase, translated
from planner.units import label, unit

LANGUAGES = ("en", "zh")
CATALOGUES = Path(__file__).parent / "languages"
WORD, SENTENCE = "word", "sentence"
BY_ORIGIN = frozenset({
    "charge_mw", "discharge_mw", "energy_mwh", "export_mw", "draw_mw", "forward_mw", "backward_mw",
    "self_use_mw", "export", "self_use", "value_cny_per_mwh", "green_premium_cny_per_mwh",
})  # fmt: skip
"""What is indexed by the origin of energy; other indices are names and stay as they are."""
OF_COMPONENTS = ("components", "figures", "ledger_cny", "outside_objective_cny")
BARE = (*OF_COMPONENTS, "green", "carbon")  # what heads a path and says nothing by itself
HEADS = (*BARE, "allocation_mwh", "value_cny_per_kwh", "value_by_use_cny_per_kwh", "solving")
PLAIN = ("gap", "uplift")  # figures without a unit
NAMING = ("serves", "awake", "woken")  # the next part of a path is a name


@dataclass(frozen=True)
class Language:
    """One language: its texts, and how it writes money and energy."""

    code: str
    catalogue: gettext.NullTranslations
    phrases: tuple[Phrase, ...] = ()

    def __call__(self, text: str, /, **values: Any) -> str:
        """Return a text in this language, with its places filled."""
        said = self.catalogue.gettext(text) if text else ""
        return said.format(**values) if values else said

    def known(self, word: str) -> str | None:
        """Return the translation of a word of plans; None where the catalogue has none."""
        if not word or (said := self.catalogue.pgettext(WORD, word)) == word:
            return None
        return said

    def term(self, word: str) -> str:
        """Return a word of plans (origin, use, ledger line, kind, code, figure) for people."""
        bare, bracket, index = word.partition("[")
        said = self.known(bare)
        if said is None:
            return self(word.replace("_", " "))
        return f"{said}{self._index(bare, index.removesuffix(']'))}" if bracket else said

    def label(self, column: str) -> str:
        """Return the label of a schedule column or figure, with its unit."""
        if self.code == "en":
            return label(column)
        name, dot, quantity = column.partition(".")
        if not dot:
            name, quantity = "", column
        said = f"{name} {self.term(quantity)}".strip()
        measured = unit(column)
        return f"{said} [{self(measured)}]" if measured else said

    def path(self, name: str) -> str:
        """Return an output or axis of a sweep for people: names stay, the parts around them not."""
        if self.code == "en":
            return name.removeprefix("components.")
        head, _, rest = name.partition(".")
        parts = rest.split(".") if rest else []
        if not parts or head not in HEADS:
            return (self.known(name) if unit(name) or name in PLAIN else None) or name
        said = [] if head in BARE else [self.known(head) or head]
        if head in OF_COMPONENTS:
            said.append(parts.pop(0))
        before, known = "", self.known
        for part in parts:
            named, field = before in NAMING, f"{head}.{part}"  # a field may mean something else
            bare = field if known(field) else part
            said.append(self.term(bare) if known(bare.partition("[")[0]) and not named else part)
            before = part
        return " ".join(said)

    def sentence(self, text: str) -> str:
        """Return a reason of why.csv or a warning, whose figures and names stay as they are."""
        if not self.phrases:
            return text
        return translated(text, self.phrases, self.known, "；") or text

    def scale(self, unit: str, largest: float) -> tuple[float, str]:
        """Return the divisor and the unit in which amounts up to `largest` of a unit are read."""
        if self.code == "zh":
            for of, factor, name in LARGE:
                if of == unit and abs(largest) >= factor:
                    return factor, name
        return 1.0, self(unit)

    def amount(self, value: float | None, unit: str) -> str:
        """Return a value with its unit as people read it: 23,701,714 CNY or 2,370.2 万元."""
        if value is None or value != value:
            return "–"
        divisor, name = self.scale(unit, value)
        return f"{number(value / divisor)} {name}"

    def _index(self, quantity: str, index: str) -> str:
        said = self.known(index) if quantity in BY_ORIGIN else None
        return f"（{said or index}）"


# Chinese counts by 10^4 and 10^8: unit, from which amount on, name; the largest of a unit first.
LARGE = (
    ("CNY", 1e4, "万元"), ("MWh", 10.0, "万kWh"), ("Mtok", 1e6, "万亿Token"),
    ("Mtok", 1e2, "亿Token"),
)  # fmt: skip


def number(value: float) -> str:
    """Return a number with five significant digits at least and thousands set apart."""
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    if abs(value) >= 1e-4:
        shown = f"{value:,.5g}" if abs(value) < 1000 else f"{value:,.1f}"
        return shown.removesuffix(".0")
    return f"{value:.6f}".rstrip("0") if abs(value) >= 5e-6 else "0"


@cache
def language(code: str) -> Language:
    """Return a language by its code, en or zh."""
    if code == "en":
        return Language(code, gettext.NullTranslations())
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with (CATALOGUES / f"{code}.po").open("rb") as source:
        found = read_po(source, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, found)
    phrases = [
        phrase(str(message.id), str(message.string))
        for message in found
        if message.context == SENTENCE and message.string
    ]
    catalogue = gettext.GNUTranslations(io.BytesIO(compiled.getvalue()))
    return Language(code, catalogue, in_order(phrases))


ENGLISH = language("en")
