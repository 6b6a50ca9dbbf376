"""Whether a message in Chinese still holds English words."""

from __future__ import annotations

import re

from planner.language.language import language
from planner.message import Message, MessageList

ZH = language("zh")
WORD = re.compile(r"[A-Za-z]{2,}")
AS_WRITTEN = re.compile(r"`[^`]*`|[\w.]+_[\w.]+|\w+\.\w+(\.\w+)*")  # fields, commands, paths
LATIN = {
    "min", "MB", "MW", "ms", "CSV", "YAML", "ISO", "UTF", "Excel", "yyyy", "mm", "dd", "hh", "true",
    "false", "csv", "column", "hours", "calendar", "scale", "sigma", "kind", "nodes", "error", "ar",
    "bootstrap", "quantile", "gb", "utf", "zip", "gzip", "XML", "PDF", "Parquet", "AEMO",
    "SETTLEMENTDATE",
}  # fmt: skip
"""What stays in Latin letters in Chinese: units, formats, fields and what they may hold."""


def english_words(message: str) -> set[str]:
    """Return the English words of a message in Chinese, besides the values in its places."""
    assert isinstance(message, Message)
    text = AS_WRITTEN.sub(" ", ZH.sentence(_without_values(message)))
    return set(WORD.findall(text)) - LATIN


def _without_values(message: str) -> str:
    """Return a message whose places are empty, those that hold messages of their own aside."""
    if not isinstance(message, Message):
        return "…"
    places = {name: _without_values(value) for name, value in message.places.items()}
    if isinstance(message, MessageList):
        return MessageList(message.separator, places.values())
    return Message(message.template, **places)
