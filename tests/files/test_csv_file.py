"""Cells of CSV files begin no formula, and are read back as they were."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planner.files.csv_file import as_typed, csv_text, harmless, write_csv

MARKS = "=+-@\t\r＝＋－＠"
RESTS = ("cmd|' /C calc'!A0", "1+1", "SUM(A1:A9)", "", "x", "-5")
FORMULAS = [mark + rest for mark in MARKS for rest in RESTS if (mark + rest) not in ("--5", "+-5")]
NAMES = [
    *FORMULAS, *(f"'{text}" for text in FORMULAS[:9]), "''=x", "--5", "+-5", "-5+cmd|'x'!A0",
    "-1-1", "'quoted'", "'", "plain", "站点", " =x", "a=b", "a,b", 'a"b', "a\nb",
    "-", "+", "=", "@", "-inf",
]  # fmt: skip
NUMBERS = ["-5", "+5", "-0.25", "-1e-9", "-.5", "+3.", "5", "0", "-12345678901234567890"]


def cells_of(text: str) -> list[str]:
    rows = list(csv.reader(io.StringIO(text, newline="")))
    return [cell for row in rows for cell in row]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_begins_no_formula_and_is_read_back(name: str) -> None:
    table = pd.DataFrame({name: [name, "x"], "value": [-1.5, 2.0]})
    text = csv_text(table)
    cells = cells_of(text)
    assert not [cell for cell in cells if cell[:1] in {*MARKS} and cell not in ("-1.5",)]
    assert [as_typed(cell) for cell in cells] == [name, "value", name, "-1.5", "x", "2.0"]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_text_that_reads_as_a_number_stays(number: str) -> None:
    assert harmless(number) == number == as_typed(number)


def test_numbers_stay_numbers(tmp_path: Path) -> None:
    table = pd.DataFrame({
        "a": [-1.0, 2.5, np.nan], "b": [-1, 2, 3], "c": [True, False, True], "d": ["=x", None, "-"],
    })  # fmt: skip
    write_csv(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes().decode() == csv_text(table)
    again = pd.read_csv(tmp_path / "t.csv")
    assert again["a"].tolist()[:2] == [-1.0, 2.5]
    assert again["b"].tolist() == [-1, 2, 3]
    assert again["c"].tolist() == [True, False, True]
    assert again["d"].tolist()[::2] == ["'=x", "'-"]
