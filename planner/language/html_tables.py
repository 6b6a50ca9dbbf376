"""Small tables in HTML for notebooks, without scripts or styles: the notebook's theme decides.

Texts are English, or of the language that the variable PLANNER_LANG names, as on the command line.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from html import escape

from planner.language.language import LANGUAGES, Language, language


def reader_language() -> Language:
    """Return the language that PLANNER_LANG names, English by default."""
    code = os.environ.get("PLANNER_LANG", "en")
    return language(code if code in LANGUAGES else "en")


def section_html(name: str, said: str, *parts: str) -> str:
    """Return a heading with a sentence, and what stands below it."""
    head = f"<p><strong>{escape(name)}</strong> {escape(said)}</p>"
    return f"<section>{head}{''.join(parts)}</section>"


def facts_html(lines: Iterable[tuple[str, str]]) -> str:
    """Return a table of labels and values."""
    rows = (
        f'<tr><th scope="row">{escape(label)}</th><td>{escape(value)}</td></tr>'
        for label, value in lines
    )
    return f"<table><tbody>{''.join(rows)}</tbody></table>"


def table_html(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with a caption; the first cell of a row names it."""
    heads = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(text)}</td>" for text in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f"<table><caption>{escape(title)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )
