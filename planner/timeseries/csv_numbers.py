"""Numbers as files write them: with a decimal point or comma, with thousands marks or without.

A column is read by the marks that its own cells prove. 1.234,5 proves a decimal comma and points
between thousands, 0.5 a decimal point; 1,234 alone proves nothing and is refused. In a file whose
cells are separated by commas, a point is a decimal point unless a cell in quotes has a decimal
comma.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from planner.message import Message

_PLAIN = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_SIGN = r"[-+]?"
_BOTH = {
    ".": re.compile(rf"{_SIGN}\d{{1,3}}(,\d{{3}})+\.\d+"),  # 1,234.5
    ",": re.compile(rf"{_SIGN}\d{{1,3}}(\.\d{{3}})+,\d+"),  # 1.234,5
}
_GROUPS = {mark: re.compile(rf"{_SIGN}\d{{1,3}}(\{mark}\d{{3}}){{2,}}") for mark in ".,"}
_WEAK = {mark: re.compile(rf"{_SIGN}[1-9]\d{{0,2}}\{mark}\d{{3}}") for mark in ".,"}
_ONE = {
    ".": re.compile(rf"{_SIGN}(\d+\.\d*|\.\d+)([eE][-+]?\d+)?"),
    ",": re.compile(rf"{_SIGN}\d*,\d+([eE][-+]?\d+)?"),
}
_APART = re.compile(rf"({_SIGN}\d{{1,3}})(?:[ '’]\d{{3}})+([.,]\d+)?")
_OTHER = {".": ",", ",": "."}
# Full-width letters of Chinese and Japanese fonts, the minus of typesetting, unbreakable spaces.
_ASCII = {0xFF01 + i: 0x21 + i for i in range(94)} | {
    0x2212: "-", 0x3000: " ", 0xA0: " ", 0x202F: " ", 0x2009: " "
}  # fmt: skip
_MISSING = re.compile(r"(?i)|-+|–|—|/|\.+|n/?a|nan|null|none|nil|missing|x|\?|#\S+|无|缺|缺失")


def in_ascii(text: str) -> str:
    """Return a text with full-width letters, minus signs and spaces as plain ones."""
    return text if text.isascii() else text.translate(_ASCII).strip()


class NumberMarks:
    """The decimal and thousands marks that the cells of a column prove.

    Args:
        texts: the cells.
        separator: of the cells of a row.
    """

    def __init__(self, texts: Iterable[str], separator: str) -> None:
        self.decimal: set[str] = set()
        self.thousands: set[str] = set()
        self.separator = separator
        for text in texts:
            if separator == "," and _PLAIN.fullmatch(text):
                self.decimal |= {"."} & {*text}
            else:
                self._count(_joined(text))
        self.clear = len(self.decimal) < 2 and not self.decimal & self.thousands

    def _count(self, text: str) -> None:
        for mark in ".,":
            if _BOTH[mark].fullmatch(text):
                self.decimal.add(mark)
                self.thousands.add(_OTHER[mark])
            elif _GROUPS[mark].fullmatch(text):
                self.thousands.add(mark)
            elif _ONE[mark].fullmatch(text) and not self._weak(mark, text):
                self.decimal.add(mark)

    def _weak(self, mark: str, text: str) -> bool:
        """Return whether a cell alone does not tell a decimal mark from one of thousands."""
        documented = mark == "." and self.separator == ","
        return not documented and _WEAK[mark].fullmatch(text) is not None

    def plain(self, text: str) -> str | None:
        """Return a number as Python writes it; None where the text is none, or may be two."""
        if self.separator == "," and _PLAIN.fullmatch(text) and "." not in self.thousands:
            return text
        text = _joined(text)
        if self.clear:
            for mark in self.thousands:
                if any(
                    p.fullmatch(text) for p in (_GROUPS[mark], _WEAK[mark], _BOTH[_OTHER[mark]])
                ):
                    text = text.replace(mark, "")
            if not all(mark in self.decimal for mark in ".," if mark in text):
                return None
            text = text.replace(",", ".")
        elif self._weak(".", text) or ("." in self.thousands and _WEAK["."].fullmatch(text)):
            return None
        return text if _PLAIN.fullmatch(text) else None

    def number(self, text: str) -> float:
        """Return a cell as a number; NaN where it is no finite one, or may be two."""
        number = float(self.plain(text) or "nan")
        return number if math.isfinite(number) else math.nan


def numbers_of(texts: Sequence[str], separator: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the cells of a column as numbers; NaN where one is no finite one, or may be two."""
    if separator == "," and not any("_" in text for text in texts):
        try:  # as most files are
            numbers = np.array([float(text) for text in texts])
        except ValueError:
            pass
        else:
            return np.where(np.isfinite(numbers), numbers, np.nan)
    marks = NumberMarks(texts, separator)
    return np.array([marks.number(text) for text in texts], dtype=float)


def has_decimal_comma(text: str) -> bool:
    """Return whether a cell is a number whose comma can only be a decimal one."""
    if "," not in text:
        return False
    text = _joined(text)
    one = _ONE[","].fullmatch(text) and not _WEAK[","].fullmatch(text)
    return bool(one or _BOTH[","].fullmatch(text))


def number_hint(text: str) -> str:
    """Return what to write for a cell that is no number; empty where nothing is known."""
    text = _joined(text)
    if _MISSING.fullmatch(text):
        return Message("; nothing is filled in where a value is missing")
    if match := re.fullmatch(rf"({_PLAIN.pattern})\s*[%％]", text):
        return Message("; write {share:g}, or the number alone with `scale: 0.01`",
                       share=float(match[1]) / 100)  # fmt: skip
    if any(weak.fullmatch(text) for weak in _WEAK.values()):
        return Message(
            "; it may be {large:g} or {small:g}: write one of them",
            large=float(re.sub(r"[.,]", "", text)),
            small=float(text.replace(",", ".")),
        )
    if _BOTH["."].fullmatch(text) or _BOTH[","].fullmatch(text):
        return Message("; write {text}", text=re.sub(r"[.,](?=.*[.,])", "", text).replace(",", "."))
    if _ONE[","].fullmatch(text):
        return Message("; write {text}", text=text.replace(",", "."))
    if match := re.fullmatch(r"[–—]\s*(\d[\d.]*)", text):
        return Message("; write {text}", text=f"-{match[1]}")
    if match := re.fullmatch(rf"[^\d.,+-]*({_PLAIN.pattern})\s*[^\d.,]*", text):
        return Message("; write {text}", text=match[1])
    return ""


def _joined(text: str) -> str:
    """Return a cell in ASCII, without the spaces or apostrophes between thousands."""
    text = in_ascii(text)
    return re.sub(r"[ '’]", "", text) if _APART.fullmatch(text) else text
