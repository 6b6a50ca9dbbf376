"""Small tables in HTML for notebooks, without scripts or styles: the notebook's theme decides.

Texts are English, or of the language that the variable PLANNER_LANG names, as on the command line.
"""

from __future__ import annotations

import os
from html import escape

from planner.language.language import LANGUAGES, Language, language
from planner.language.section import Row, Section, text


def reader_language() -> Language:
    """Return the language that PLANNER_LANG names, English by default."""
    code = os.environ.get("PLANNER_LANG", "en")
    return language(code if code in LANGUAGES else "en")


def section_html(name: str, said: str, *parts: str) -> str:
    """Return a heading with a sentence, and what stands below it."""
    head = f"<p><strong>{escape(name)}</strong> {escape(said)}</p>"
    return f"<section>{head}{''.join(parts)}</section>"


def table_html(section: Section, words: Language) -> str:
    """Return a section as a table; the first cells of a row name it."""
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in section.heads)
    title = f"<caption>{escape(section.heading(words))}</caption>" if section.title else ""
    head = f"<thead><tr>{heads}</tr></thead>" if heads else ""
    rows = "".join(_row(row, section.labels, words) for row in section.every_row())
    return f"<table>{title}{head}<tbody>{rows}</tbody></table>"


def _row(row: Row, labels: int, words: Language) -> str:
    shown = [escape("" if cell is None else text(cell, words)) for cell in row]
    names = "".join(f'<th scope="row">{cell}</th>' for cell in shown[:labels])
    values = "".join(f"<td>{cell}</td>" for cell in shown[labels:])
    return f"<tr>{names}{values}</tr>".replace("\n", "<br>")
