"""The words of pages, workbooks and the console, in English or in Chinese as dispatchers write it.

English text is the key; `planner/language/zh.po` is the one catalogue, in the format of gettext:

    texts with named places             words("{n} steps differ", n=3)
    words of plans, context `word`      words.term("must_rest"); columns and figures with the unit
                                        that ends their name: energy, power and money differ
    messages, context `sentence`        words.sentence(Message("no fleet serves {name}", name="x"))
    descriptions, context `field`       words.described(schema): what editors say of fields

What a scenario names (components, nodes, models, cases) is never translated, and what the catalogue
lacks stays English. Kinds of component from other packages bring a catalogue of the same form.
`make words` brings ours in line with the sources.

Reasons, warnings and breaches are stored in plan folders as English text and read back by their
templates: see `stored_texts`.
"""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from planner.language.stored_texts import HOLDS, NUMBER, StoredTexts
from planner.message import Message, MessageList
from planner.outside import COMPONENTS, entry_named, packages
from planner.units import CNY, label, plain_words, unit

RANGE = re.compile(f"^({NUMBER}) to ({NUMBER})$")
MORE = re.compile(r" and (\d+) (?:times )?more$")
CHINESE = re.compile("[\u4e00-\u9fff]")
MONEY = re.compile("CNY|元")  # in the translation of a text with CNY
LANGUAGES = ("en", "zh")
STOPS = {"; ": "；", ": ": "：", ", ": "、", " or ": " 或 ", " and ": "，并且"}  # of MessageList
CATALOGUES = Path(__file__).parent
WORD, SENTENCE, FIELD = "word", "sentence", "field"
BY_ORIGIN = frozenset({
    "charge_mw", "discharge_mw", "energy_mwh", "export_mw", "draw_mw", "forward_mw", "backward_mw",
    "self_use_mw", "export", "self_use", "value_cny_per_mwh", "green_premium_cny_per_mwh",
})  # fmt: skip
"""Quantities indexed by the origin of energy; other indices are names, which stay."""
OF_COMPONENTS = ("components", "figures", "ledger_cny", "outside_objective_cny")
BARE = (*OF_COMPONENTS, "green", "carbon")  # heads of paths that need no label of their own
HEADS = (*BARE, "allocation_mwh", "value_cny_per_kwh", "value_by_use_cny_per_kwh", "solving")
PLAIN = ("gap", "gap_of_profit", "uplift")  # figures without a unit
NAMING = ("serves", "awake", "woken", "asleep", "slept")  # the next part of a path is a name


FIGURES = {
    "objective_cny": "profit", "bound_cny": "upper bound of the profit",
    "net_after_outside_cny": "profit after outside costs", "allocation_mwh": "energy",
    "value_cny_per_kwh": "value of a kWh", "value_by_use_cny_per_kwh": "value of a kWh",
    "green.load_share": "renewable share of load",
    "green.official_load_share": "official renewable share of load",
    "green.self_use_share": "share of renewable energy used on site",
    "green.export_share": "share of renewable energy exported",
    "green.curtailed_share": "share of renewable energy curtailed",
    "carbon.factor_tco2_per_mwh": "emission factor",
    "carbon.drawn_tco2_per_mwh": "emission factor of drawn energy",
    "carbon.compute_tco2_per_mwh": "emission factor of compute",
    "carbon.answered_tco2_per_mtok": "emission factor of tokens",
    "figures.on_h": "time on", "figures.gross_mwh": "gross generation",
    "figures.drawn_mwh": "energy drawn", "figures.discharged_mwh": "energy discharged",
    "figures.available_mwh": "energy available", "figures.curtailed_mwh": "energy curtailed",
    "figures.import_mwh": "energy imported", "figures.export_mwh": "energy exported",
}  # fmt: skip
"""Figures of a plan whose English names are not the words of their keys."""


@dataclass(frozen=True)
class Language:
    """One language: its texts, and how it writes money and energy."""

    code: str
    catalogue: gettext.NullTranslations
    templates: tuple[str, ...] = ()
    currency: str = CNY

    def in_currency(self, currency: str) -> Language:
        """Return the language as it labels the money of a scenario with this currency."""
        return self if currency == self.currency else _in_currency(self, currency)

    def money(self, currency: str) -> str:
        """Return what the language calls a currency: EUR, 欧元; its code where it has no name."""
        if self.code != "zh":
            return currency
        if currency == CNY:
            return "元"
        from babel.numbers import get_currency_name

        return get_currency_name(currency, locale=self.code)

    @cached_property
    def stored(self) -> StoredTexts:
        """Reads texts back that were stored in English."""
        return StoredTexts(self.templates, self.known)

    def __call__(self, text: str, /, **values: Any) -> str:
        """Return a text in this language, with its places filled; units in its currency."""
        if f"{text}/".startswith(f"{self.currency}/"):  # a unit from a table: EUR/MWh
            text = text.replace(self.currency, CNY, 1)
        translation = self.catalogue.gettext(text) if text else ""
        if CNY in text:
            translation = self._in_own_currency(translation)
        return translation.format(**values) if values else translation

    def _in_own_currency(self, translation: str) -> str:
        """Return a translation with the currency: 万欧元 for 万元, where it has no name 万 XAF."""
        if self.currency == CNY:
            return translation
        money = self.money(self.currency)
        if money.isascii():
            translation = translation.replace("万元", "万 元")
        return MONEY.sub(money, translation)

    def known(self, word: str) -> str | None:
        """Return the translation of a word of plans; None where the catalogue has none."""
        if not word or (translation := self.catalogue.pgettext(WORD, word)) == word:
            return None
        return translation

    def paragraph(self, sentences: Iterable[str]) -> str:
        """Return sentences one after the other; Chinese sets no spaces between them."""
        return ("" if self.code == "zh" else " ").join(sentences)

    def term(self, word: str) -> str:
        """Return the label of an origin, use, ledger line, kind, code or figure."""
        bare, _, index = word.removesuffix("]").partition("[")
        translation = self.known(bare)
        if translation is None:
            return self(word.replace("_", " "))
        origin = self.known(index) if bare in BY_ORIGIN else None
        return f"{translation}（{origin or index}）" if index else translation

    def label(self, column: str) -> str:
        """Return the label of a schedule column or figure, with its unit in brackets."""
        measured = unit(column)
        if self.code == "en":
            text = label(column)
        else:
            name, dot, quantity = column.partition(".")
            if not dot:
                name, quantity = "", column
            text = f"{name} {self.term(quantity)}".strip()
        return f"{text} [{self(measured)}]" if measured else text

    def path(self, name: str) -> str:
        """Return the label of an output, axis or field without its unit.

        Names stay, all else is in words; what follows the field that ends in a unit, as an origin
        or a use does, is in brackets.
        """
        head, *parts = name.split(".")
        if not parts:
            known = self.known(name) if unit(name) or name in PLAIN else None
            return known or FIGURES.get(name) or plain_words(name)
        if not head.isidentifier():
            return name
        labels: list[str] = []
        qualifiers: list[str] = []
        if head in OF_COMPONENTS:
            labels.append(parts.pop(0))
        elif head not in BARE:
            parts.insert(0, head)
        before, measured = "", False
        for part in parts:
            word = part if before in NAMING else self._part(head, part)
            (qualifiers if measured else labels).append(word)
            before, measured = part, measured or unit(part) is not None
        label = " ".join(labels)
        if not qualifiers:
            return label
        return (
            f"{label}（{'、'.join(qualifiers)}）"
            if self.code == "zh"
            else (f"{label} ({', '.join(qualifiers)})")
        )

    def _part(self, head: str, part: str) -> str:
        """Return one part of a path in words; below some heads a field means something else."""
        own = f"{head}.{part}"
        word = own if self.known(own) else part
        if self.known(word.partition("[")[0]):
            return self.term(word)
        bare, bracket, index = part.removesuffix("]").partition("[")
        label = FIGURES.get(own) or FIGURES.get(bare) or plain_words(bare)
        if not bracket:
            return label
        return f"{label} ({index})" if bare in BY_ORIGIN else f"{label} [{index}]"

    def sentence(self, text: str) -> str:
        """Return a message, or a stored text of one, in this language; figures and names stay."""
        if self.code == "en":
            return text
        message = text if isinstance(text, Message) else self.stored.read(text)
        if message is None:
            return text
        if isinstance(message, MessageList):
            separator = STOPS.get(message.separator, message.separator)
            return separator.join(map(self._whole, message.places.values()))
        translation = self.catalogue.pgettext(SENTENCE, message.template)
        places = {name: self._filled(name, value) for name, value in message.places.items()}
        for name, value in places.items():
            if isinstance(message.places[name], Message) and CHINESE.match(value):
                before, space, after = translation.partition(f" {{{name}}}")
                left = places.get(before[before.rfind("{") + 1 : -1], before)  # a place, or text
                if space and not left[-1:].isascii():
                    translation = f"{before}{{{name}}}{after}"
        return Message(translation, **places)

    def _whole(self, part: str) -> str:
        return self.sentence(part) if isinstance(part, Message) else part

    def _filled(self, name: str, value: str) -> str:
        """Return what a place of a translation holds."""
        if isinstance(value, Message):
            return self.sentence(value)
        if name in ("origin", "kind"):
            return self.known(value) or value
        if name == "currency":
            return self.money(value)
        if name == "words":
            return "、".join(self.known(word) or word for word in value.split(", "))
        if name == "names":
            return value.replace(" and ", "、").replace(", ", "、")
        if name == "when":
            return MORE.sub(r" 等，另有 \1 处", value.replace(" to ", " 至 "))
        return RANGE.sub(r"\1 至 \2", value) if name not in HOLDS else value

    def described(self, part: Any) -> Any:
        """Return a JSON Schema, or a part of one, with its descriptions in this language."""
        if self.code == "en":
            return part
        if isinstance(part, list):
            return [self.described(item) for item in part]
        if not isinstance(part, dict):
            return part
        inside = {key: self.described(value) for key, value in part.items()}
        if isinstance(text := part.get("description"), str):
            inside["description"] = self.catalogue.pgettext(FIELD, " ".join(text.split()))
        return inside

    def scale(self, unit: str, largest: float) -> tuple[float, str]:
        """Return the divisor and the unit in which to show amounts of a unit up to `largest`."""
        if self.code == "zh":
            for of, factor, name in LARGE:
                if of == unit and abs(largest) >= factor:
                    return factor, self._in_own_currency(name)
        return 1.0, self(unit)

    def amount(self, value: float | None, unit: str) -> str:
        """Return a value with its unit: 23,701,714 CNY, 2,370.2 万元, 12/day."""
        if value is None or value != value:
            return "–"
        divisor, name = self.scale(unit, value)
        return f"{number(value / divisor)} {name}".replace(" 1/", "/")


@cache
def _in_currency(words: Language, currency: str) -> Language:
    """Return a language in a currency, made once, for it keeps the texts that it has read."""
    return replace(words, currency=currency)


# Chinese units count by 10^4 and 10^8: unit, least amount, name; the largest of a unit first.
LARGE = (
    ("CNY", 1e4, "万元"), ("MWh", 10.0, "万kWh"), ("Mtok", 1e6, "万亿Token"),
    ("Mtok", 1e2, "亿Token"),
)  # fmt: skip


def number(value: float) -> str:
    """Return a number with at least five significant digits and with thousands separators."""
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    if abs(value) >= 1e-4:
        text = f"{value:,.5g}" if abs(value) < 1000 else f"{value:,.1f}"
        return text.removesuffix(".0")
    return f"{value:.6f}".rstrip("0") if abs(value) >= 5e-6 else "0"


@cache
def language(code: str) -> Language:
    """Return a language by its code, en or zh."""
    if code == "en":
        return Language(code, gettext.NullTranslations())
    catalogue, templates = _read(CATALOGUES / f"{code}.po")
    for kind in packages():  # of other packages: ours, where both have an entry
        entry = entry_named(COMPONENTS, kind)
        folder = getattr(entry and entry.value, "words", None)
        if not isinstance(folder, Path):
            continue
        with suppress(OSError, ValueError):  # its texts stay English
            fallback, more = _read(folder / f"{code}.po")
            catalogue.add_fallback(fallback)
            templates += more
    return Language(code, catalogue, templates)


def _read(path: Path) -> tuple[gettext.NullTranslations, tuple[str, ...]]:
    """Return a catalogue, and the templates of the messages that it has."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with path.open("rb") as source:
        entries = read_po(source, locale=path.stem)
    compiled = io.BytesIO()
    write_mo(compiled, entries)
    templates = (
        str(message.id) for message in entries if message.context == SENTENCE and message.string
    )
    return gettext.GNUTranslations(io.BytesIO(compiled.getvalue())), tuple(templates)


ENGLISH = language("en")
