"""CSV files that a spreadsheet may open: none of their cells begins a formula.

A text that a spreadsheet would take for a formula has an apostrophe before it. So has one that
begins with an apostrophe before such a text, so that `as_typed` finds every text again. Numbers
stay numbers, also negative ones and texts that read as one.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
EXACT_PANDAS = (3, 1)  # the first whose reader gives the nearest number by itself
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def begins_formula(text: str) -> bool:
    """Return whether a spreadsheet could take a text, or one quoted for it, for a formula."""
    return FORMULA.match(text) is not None and NUMBER.fullmatch(text) is None


def harmless(text: str) -> str:
    """Return a text with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if begins_formula(text) else text


def as_typed(text: str) -> str:
    """Return the text that `harmless` was given."""
    return text[1:] if text.startswith("'") and begins_formula(text[1:]) else text


def read_csv(file: Path | IO[str], **options: Any) -> pd.DataFrame:
    """Read a table with pandas; every number is the one that was written."""
    import pandas as pd

    if tuple(map(int, pd.__version__.split(".")[:2])) < EXACT_PANDAS:
        options["float_precision"] = "round_trip"
    table: pd.DataFrame = pd.read_csv(file, **options)
    return table


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table; its index is a column where it has a name."""
    with path.open("w", encoding="utf-8", newline="") as file:
        _write(frame, file)


def csv_text(frame: pd.DataFrame) -> str:
    """Return what `write_csv` writes."""
    text = io.StringIO(newline="")
    _write(frame, text)
    return text.getvalue()


class _LineFeeds:
    """Rows that end in a line feed; the writer quotes what its own line end holds."""

    def __init__(self, file: io.TextIOBase) -> None:
        self._file = file

    def write(self, row: str) -> int:
        return self._file.write(row.removesuffix("\r\n") + "\n")


def _write(frame: pd.DataFrame, file: io.TextIOBase) -> None:
    table = frame if frame.index.name is None else frame.reset_index()
    writer = csv.writer(_LineFeeds(file), lineterminator="\r\n")
    writer.writerow(harmless(str(name)) for name in table.columns)
    writer.writerows(zip(*(_cells(values) for _, values in table.items()), strict=True))


def _cells(values: pd.Series) -> list[Any]:
    """Return a column as the texts and numbers of a CSV; what is missing is empty."""
    if values.dtype.kind == "M":  # tables repeat their times
        rows, moments = values.factorize()
        texts = [f"{moment:%Y-%m-%dT%H:%M:%S%z}" for moment in moments]
        texts.append("")  # of a missing time, whose row is -1
        return [texts[row] for row in rows.tolist()]
    cells: list[Any] = values.tolist()
    array = values.to_numpy()
    if array.dtype.kind in "iub":
        return cells
    lost = array != array if array.dtype.kind == "f" else values.isna().to_numpy()
    if lost.any():
        cells = ["" if missing else cell for cell, missing in zip(cells, lost, strict=True)]
    if array.dtype.kind != "f":
        formulas = {cell for cell in set(cells) if isinstance(cell, str) and begins_formula(cell)}
        if formulas:
            cells = [harmless(cell) if cell in formulas else cell for cell in cells]
    return cells
