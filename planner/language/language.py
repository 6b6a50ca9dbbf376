"""The words of pages, workbooks and the console, in English or in Chinese as dispatchers write it.

English text is the key; `planner/language/zh.po` is the one catalogue, in the format of gettext:

    texts with named places             words("{n} steps differ", n=3)
    words of plans, context `word`      words.term("must_rest"); columns and figures with the unit
                                        that ends their name: energy, power and money differ
    sentences, context `sentence`       words.sentence(reason)

What a scenario names (components, nodes, models, cases) is never translated, and what the catalogue
lacks stays English. `make words` brings the catalogue in line with the sources.

A sentence of a plan (a reason, a warning, a note) is English with figures and names in it; the
catalogue holds its pattern. What a place of a pattern may hold follows from its name:

    {name} {names} {other} {path} {when} {text}   anything, left as it is; only {text} may hold ": "
    {origin} {kind}                        a word of plans, translated
    {words}                                words set apart by commas, each translated where known
    {sentence}                             a sentence of its own
    {than}                                 <, = or >
    any other                              a figure, which keeps its digits

The pattern with the longest fixed text that fits is taken; a sentence that none fits is split at
its semicolons; where a part is not known either, the whole stays English.
"""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from planner.units import label, unit


def printable(text: str) -> str:
    """Spell out control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


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


LANGUAGES = ("en", "zh")
CATALOGUES = Path(__file__).parent
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
        """Return a value with its unit as people read it: 23,701,714 CNY, 2,370.2 万元, 12/day."""
        if value is None or value != value:
            return "–"
        divisor, name = self.scale(unit, value)
        return f"{number(value / divisor)} {name}".replace(" 1/", "/")

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
