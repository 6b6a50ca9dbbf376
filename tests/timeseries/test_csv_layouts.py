"""CSV files as they are in the world: layouts crossed with faults.

Each is read to the right numbers, or refused with its line and what to write.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import planner
from planner.message import Message
from planner.scenario.scenario import Scenario
from tests.support.chinese import english_words
from tests.timeseries.test_series import FILE

DAY = "2026-07-15"  # a Wednesday
VALUES = [-1.5, 1234.5, 2.0, 0.25] + [float(hour) for hour in range(4, 24)]
SEPARATORS = [",", ";", "\t", "|"]
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

Table = list[list[str]]


def prices(
    content: str | bytes,
    folder: Path,
    *,
    start: str = f"{DAY}T00:00:00+08:00",
    hours: float = 24,
    step_min: int = 60,
    **spec: Any,
) -> tuple[list[float], list[str]]:
    """Read a file as the import price of a grid: its values, and the warnings that name it."""
    (folder / "a.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    data = {
        "name": "x",
        "horizon": {"start": start, "hours": hours, "step_min": step_min},
        "components": {
            "town": {"kind": "load", "demand_mw": 1},
            "grid": {
                "kind": "grid", "import_limit_mw": 1, "export_limit_mw": 1,
                "import_price_cny_per_mwh": FILE | spec, "export_price_cny_per_mwh": -1,
            },
        },
    }  # fmt: skip
    scenario = Scenario.from_mapping(data, folder)
    values = scenario.components["grid"].import_price_cny_per_mwh
    notes = [message for message in scenario.warnings() if message.startswith("a.csv")]
    assert not any(english_words(message) for message in notes)
    return [float(value) for value in values], [str(message) for message in notes]


def refused(content: str | bytes, folder: Path, **more: Any) -> list[str]:
    """The problems of a file that is refused, each of which has Chinese."""
    with pytest.raises(planner.ScenarioError) as caught:
        prices(content, folder, **more)
    messages: list[Message] = [problem.message for problem in caught.value.problems]
    assert not any(english_words(message) for message in messages)
    return [str(message) for message in messages]


def rows() -> Table:
    return [[f"{DAY} {hour:02d}:00", f"{value:g}"] for hour, value in enumerate(VALUES)]


def written(table: Table, separator: str, header: str = "time,mw") -> str:
    def quoted(cell: str) -> str:
        return f'"{cell}"' if separator in cell else cell

    lines = [header.replace(",", separator), *(separator.join(map(quoted, row)) for row in table)]
    return "\n".join(lines) + "\n"


# ---- read: there is one honest reading


def with_numbers(form: Callable[[str], str]) -> Callable[[str], str]:
    """A file whose numbers are written in another form."""
    return lambda separator: written([[time, form(value)] for time, value in rows()], separator)


def grouped(mark: str, decimal: str) -> Callable[[str], str]:
    def form(value: str) -> str:
        text = f"{float(value):,.2f}"
        return text.replace(",", "x").replace(".", decimal).replace("x", mark)

    return form


def lines_with(position: int, *lines: str) -> Callable[[str], str]:
    def content(separator: str) -> str:
        text = written(rows(), separator).splitlines()
        return "\n".join([*text[:position], *lines, *text[position:]]) + "\n"

    return content


READ: dict[str, Callable[[str], str | bytes]] = {
    "plain": lambda separator: written(rows(), separator),
    "every cell quoted": lambda separator: "\n".join(
        separator.join(f'"{cell}"' for cell in row) for row in [["time", "mw"], *rows()]
    ),
    "comments above": lines_with(0, "# Source: a, b; c", '#a "quoted word, open', "# in UTC+8"),
    "comments inside": lines_with(5, "#2026-07-15 09:00,700", "# checked"),
    "empty lines": lines_with(3, "", ""),
    "header again": lambda separator: lines_with(9, separator.join(["time", "mw"]))(separator),
    "separator named": lambda separator: f"sep={separator}\n" + written(rows(), separator),
    "byte order mark": lambda separator: b"\xef\xbb\xbf" + written(rows(), separator).encode(),
    "utf-16": lambda separator: written(rows(), separator).encode("utf-16"),
    "an empty column at the end": lambda separator: written(
        [[*row, ""] for row in rows()], separator, "time,mw,"
    ),
    "empty cells at the ends of rows": lambda separator: written(
        [[*row, "", ""] for row in rows()], separator
    ),
    "latest first": lambda separator: written(rows()[::-1], separator),
    "typographic minus": with_numbers(lambda value: value.replace("-", "\u2212")),
    "full-width digits": with_numbers(
        lambda value: "".join(chr(ord(letter) + 0xFEE0) for letter in value)
    ),
    "decimal comma": with_numbers(lambda value: value.replace(".", ",")),
    "points between thousands": with_numbers(grouped(".", ",")),
    "commas between thousands": with_numbers(grouped(",", ".")),
    "spaces between thousands": with_numbers(grouped("\u202f", ",")),
    "apostrophes between thousands": with_numbers(grouped("'", ".")),
    "a finer stretch after the horizon": lambda separator: written(
        rows() + [[f"2026-07-16 {m // 60:02d}:{m % 60:02d}", "9"] for m in range(0, 1440, 15)],
        separator,
    ),
    "n/a after the horizon": lambda separator: written(
        [*rows(), ["2026-07-16 00:00", "n/a"]], separator
    ),
}  # fmt: skip


@pytest.mark.parametrize("separator", SEPARATORS, ids=NAMES.get)
@pytest.mark.parametrize("layout", READ)
def test_what_has_one_reading_is_read(layout: str, separator: str, tmp_path: Path) -> None:
    assert prices(READ[layout](separator), tmp_path) == (VALUES, [])


# ---- refused: what is wrong in a cell of the third row


def with_cell(column: int, text: str) -> Callable[[str], str]:
    def content(separator: str) -> str:
        table = rows()
        table[2][column] = text
        return written(table, separator)

    return content


CELLS = {
    "": "is ''; nothing is filled in where a value is missing",
    "n/a": "is 'n/a'; nothing is filled in where a value is missing",
    "-": "is '-'; nothing is filled in where a value is missing",
    "#N/A": "is '#N/A'; nothing is filled in where a value is missing",
    "缺": "is '缺'; nothing is filled in where a value is missing",
    "85%": "is '85%'; write 0.85, or the number alone with `scale: 0.01`",
    "12 MW": "is '12 MW'; write 12",
    "¥450.5": "is '¥450.5'; write 450.5",
    "\u20135": "is '\u20135'; write -5",
    "1,500": "is '1,500'; it may be 1500 or 1.5: write one of them",
    "0,5": "is '0,5'; write 0.5",  # the others have decimal points
    "1.234,5": "is '1.234,5'; write 1234.5",
    "12 34": "is '12 34'",
    "l5": "is 'l5'",
}


@pytest.mark.parametrize("separator", SEPARATORS, ids=NAMES.get)
@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_that_is_no_number_is_told(cell: str, separator: str, tmp_path: Path) -> None:
    (message,) = refused(with_cell(1, cell)(separator), tmp_path)
    assert message.startswith(
        f"a.csv:4: column mw must hold a finite number such as 0.5, {CELLS[cell]}"
    )


TIMES = {
    "15.07.2026 02:00": "day or month first is ambiguous: format the column as yyyy-mm-dd hh:mm",
    "7/15/2026 2:00 AM": "day or month first is ambiguous: format the column as yyyy-mm-dd hh:mm",
    "2026-07-15 2:00 AM": "write 2026-07-15 02:00",
    "2026/7/15 12:00 a.m.": "write 2026/7/15 00:00",
    "2026年7月15日 2:00": "write 2026-07-15 02:00",
    "2026年7月15日 2时": "write 2026-07-15 02:00",
    "20260715:0200": "write 2026-07-15 02:00",
    "1784052000": "it seems to count seconds from 1970: write 2026-07-14T18:00Z",
    "1784052000000": "it seems to count seconds from 1970: write 2026-07-14T18:00Z",
    "46218.0833": "this is Excel's day number: format the column as yyyy-mm-dd hh:mm",
    "2026-07-15 02:00 - 2026-07-15 03:00": "this is an interval: write its start alone",
    "15/07/2026 02:00:00 - 15/07/2026 03:00:00": "this is an interval: write its start alone",
    "02:00": "it has no date: write date and time in one cell",
    "02:00-03:00": "it has no date: write date and time in one cell",
    "3": "it has no date: write date and time in one cell",
    "2026-07-15 02:00 CST": "CST names no offset: write it as +08:00 at the end, or leave it out",
    "2026-07-15 02:00 Asia/Shanghai": "Asia/Shanghai names no offset: write it as +08:00",
    "合计": "a row that is no step, such as one of units or a total, must go or begin with #",
    "Total": "a row that is no step, such as one of units or a total, must go or begin with #",
    "(UTC)": "a row that is no step, such as one of units or a total, must go or begin with #",
}


@pytest.mark.parametrize("separator", SEPARATORS, ids=NAMES.get)
@pytest.mark.parametrize("text", TIMES)
def test_a_time_in_another_form_is_told(text: str, separator: str, tmp_path: Path) -> None:
    (message,) = refused(with_cell(0, text)(separator), tmp_path)
    assert message.startswith("a.csv:4: time must be ISO 8601 such as 2026-07-15T14:00+08:00")
    assert f"is {text!r}; {TIMES[text]}" in message


@pytest.mark.parametrize("cell", ["n/a", "5 MW"])
def test_wrong_cells_are_told_together(cell: str, tmp_path: Path) -> None:
    table = [[time, cell if hour % 2 else "1"] for hour, (time, _) in enumerate(rows())]
    (message,) = refused(written(table, ","), tmp_path)
    assert message.startswith("a.csv:3: ")
    assert message.endswith("; further such lines: 5, 7, 9, 11, 13, ... (11)")


# ---- refused: what stands around the table, and tables of another shape


def test_metadata_above_and_text_below_are_told_together(tmp_path: Path) -> None:
    content = (
        "Latitude (decimal degrees):\t32.6\nLongitude (decimal degrees):\t117.0\n\n"
        "time,P,mw\n20260715:0010,0.0,1\n20260715:0110,0.0,2\n\n"
        "P: PV system power (W)\nG(i): Global irradiance on the inclined plane\n"
    )
    above, time, below = sorted(refused(content, tmp_path))
    assert above.startswith(
        "a.csv:1: 'Latitude (decimal degrees):\\t32.6' stands before the header,"
    )
    assert "which is line 4: remove the lines above it or begin each with #; mind what" in above
    assert time.startswith("a.csv:5: time must be ISO 8601")
    assert time.endswith("; write 2026-07-15 00:10; further such times: 1")
    assert below == (
        "a.csv:8: the number of cells is 1, in the header 3; if 'P: PV system power (W)' is no row"
        " of the table, remove it or begin it with #; further such lines: 9"
    )


def quarters(count: int) -> str:
    names = [f"{m // 60:02d}:{m % 60:02d}" for m in range(15, 1441, 15)]
    if count != 96:
        names = [f"P{i}" for i in range(1, count + 1)]
    return ",".join(["date", *names]) + "\n" + ",".join(["2026-10-25", *("1" * count)]) + "\n"


HOURS = [f"{DAY} {hour:02d}:00" for hour in range(24)]
SHAPES: dict[str, tuple[str | bytes, str]] = {
    "ENTSO-E": (
        '"MTU (CET/CEST)","Area","Day-ahead Price (EUR/MWh)"\n'
        + "".join(
            f'"15/07/2026 {hour:02d}:00:00 - 15/07/2026 {hour + 1:02d}:00:00","BZN|{area}","5"\n'
            for area in ("AT", "DE-LU")
            for hour in range(23)
        ),
        "; column 'MTU (CET/CEST)' has times such as '15/07/2026 00:00:00 - 15/07/2026 01:00:00':"
        " call it `time`, and write yyyy-mm-dd hh:mm; the file holds several 'Area' ('BZN|AT',"
        " 'BZN|DE-LU'): keep the rows of one",
    ),
    "SMARD": (
        "\ufeffDatum von;Datum bis;Preis [€/MWh]\n15.07.2026 00:00;15.07.2026 01:00;1.234,50\n",
        "; column 'Datum von' has times such as '15.07.2026 00:00': call it `time`, and write"
        " yyyy-mm-dd hh:mm",
    ),
    "Energy-Charts": (
        f"Date (UTC+2),Load\n,Power (MW)\n{DAY}T00:00+02:00,5\n{DAY}T01:00+02:00,5\n",
        "; line 2 seems to hold units: remove it or begin it with #; column 'Date (UTC+2)' has"
        " times such as '2026-07-15T00:00+02:00': call it `time`",
    ),
    "CAISO": (
        "INTERVALSTARTTIME_GMT,OPR_HR,LMP_TYPE,MW\n"
        + "".join(
            f"{DAY}T0{hour}:00:00-00:00,{hour},{kind},1.5\n"
            for kind in ("LMP", "MCC")
            for hour in range(4)
        ),
        "; column 'INTERVALSTARTTIME_GMT' has times such as '2026-07-15T00:00:00-00:00': call it"
        " `time`; the file holds several 'LMP_TYPE' ('LMP', 'MCC'): keep the rows of one",
    ),
    "AEMO": (
        "C,NEMP.WORLD,DISPATCHIS,AEMO\nI,DISPATCH,PRICE,1,SETTLEMENTDATE,REGIONID,RRP\n"
        'D,DISPATCH,PRICE,1,"2026/07/15 00:05:00",NSW1,5\nC,END OF REPORT,4\n',
        "; its rows are marked C, I and D, as AEMO's are: keep one I row as the header and its D"
        " rows of one region, and call SETTLEMENTDATE `time` (it names the end: `stamp: end`)",
    ),
    "NSRDB": (
        "Source,Location ID\nNSRDB,123\nYear,Month,Day,Hour,Minute,GHI\n2026,7,15,0,30,0\n",
        "; its times are spread over Year, Month, Day, Hour, Minute: join them in a column `time`,"
        " such as 2026-07-15 14:00; its header seems to be line 3: remove the lines above it or"
        " begin each with #",
    ),
    "date and hour": (
        "日期,时段,出力\n2026-07-15,00:15,1\n2026-07-15,00:30,1\n",
        "; its times are spread over 日期, 时段: join them in a column `time`",
    ),
    "Chinese dates": (
        "时间,电价\n2026年7月15日 00:15,1\n2026年7月15日 00:30,1\n",
        "; column '时间' has times such as '2026年7月15日 00:15': call it `time`, and write"
        " 2026-07-15 00:15",
    ),
    "96 columns": (
        quarters(96),
        "; it has a row a day, with 96 values from '00:15' to '24:00': write a row a step, with its"
        " time in a column `time`",
    ),
    "92 columns": (quarters(92), "with 92 values from 'P1' to 'P92', as on a day on which the clock"
                   " changes: write a row a step, with its time in a column `time`"),
    "100 columns": (quarters(100), "with 100 values from 'P1' to 'P100', as on a day on which the"
                    " clock changes: write a row a step, with its time in a column `time`"),
    "25 columns": (
        "day,zone," + ",".join(f"H{i}" for i in range(1, 26)) + "\n2026-10-25,DE" + ",1" * 25,
        "with 25 values from 'H1' to 'H25', as on a day on which the clock changes",
    ),
    "times in a row": (
        f"name,{HOURS[0]},{HOURS[1]},{HOURS[2]}\nmw,1,2,3\n",
        "; its times stand in a row: turn the table, so that each has a row",
    ),
    "no header": (
        f"{HOURS[0]},1\n{HOURS[1]},1\n",
        "; it has no header: write one above its rows, such as `time,price`",
    ),
    "header behind a #": (
        f"#time,mw\n{HOURS[0]},1\n", "; line 1 seems to be the header: remove its #"
    ),
    "Excel": (b"PK\x03\x04\x14", "a.csv is an Excel workbook or another zip file, whatever its"
              " name: open it in a spreadsheet and save the sheet as CSV UTF-8"),
    "old Excel": (b"\xd0\xcf\x11\xe0\xa1", "is an old Excel workbook, whatever its name: open it"),
    "HTML": ("\n<table><tr>", "is a web page or XML, whatever its name: open it in a spreadsheet"),
    "JSON": ('[{"time": 1}]', "is JSON, whatever its name: export its table as CSV UTF-8"),
    "gzip": (b"\x1f\x8b\x08", "is a packed file (gzip), whatever its name: unpack it"),
    "PDF": (b"%PDF-1.7", "is a PDF or Parquet file, whatever its name: export its table"),
    "utf-16 without a mark": (
        written(rows(), ",").encode("utf-16-le"),
        "a.csv:1: holds a null character; is it `encoding: utf-16-le`?",
    ),
    "null characters": (
        f"time,mw\n{HOURS[0]},1\0\n", "a.csv:2: holds a null character; save it again as CSV UTF-8"
    ),
    "Chinese encoding": (
        "日期,电价\n".encode("gb18030"), "a.csv is not utf-8 text; is it `encoding: gb18030`?"
    ),
    "Western encoding": (
        "Zeit,€/MWh,Größe\n".encode("cp1252"), "is not utf-8 text; is it `encoding: cp1252`?"
    ),
    "areas one below the other": (
        "time,zone,mw\n" + "".join(f"{t},{zone},1\n" for zone in "ABCDEFG" for t in HOURS),
        "a.csv:26: time 2026-07-15 00:00 appears twice; the file holds several 'zone' ('A', 'B',"
        " 'C', 'D', 'E' and 2 more): keep the rows of one",
    ),
    "days": (
        f"time,mw\n{DAY},1\n{DAY},1\n",
        "a.csv:3: time 2026-07-15 appears twice; it is a day: write the time of the day too",
    ),
    "irregular times": (
        "time,mw\n" + "".join(f"{DAY} {t},1\n" for t in ("00:00", "00:58", "02:03", "03:01")),
        "a.csv:2: is the first of rows at irregular times, 58, 65, 58 min apart: give every step of"
        " 60 min a row",
    ),
    "drifting seconds": (
        "time,mw\n" + "".join(f"{DAY} {h:02d}:00:{7 * h % 5:02d},1\n" for h in range(24)),
        "a.csv:2: is the first of rows at irregular times, 60.03, 60.03, 59.95, 60.03 min apart",
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_no_table_of_times_is_told(shape: str, tmp_path: Path) -> None:
    content, words = SHAPES[shape]
    (message,) = refused(content, tmp_path)
    assert words in message
    assert message.startswith("a.csv")


def test_a_decimal_comma_is_no_empty_column(tmp_path: Path) -> None:
    """The header ends in a comma, the rows hold 0,5: not 0."""
    content = f"time,mw,\n{HOURS[0]},0,5\n{HOURS[1]},1,5\n"
    assert refused(content, tmp_path, hours=2) == [
        "a.csv:2: the number of cells is 3, in the header 2; write 0.5 where a number has a decimal"
        " comma; further such lines: 3"
    ]


@pytest.mark.parametrize("value", ["1.234", "12.500", "-123.456"])
def test_a_decimal_comma_in_quotes_leaves_a_point_open(value: str, tmp_path: Path) -> None:
    """12.500 beside "0,5" may be 12500, though commas part the cells."""
    table = [[f"{DAY} {hour:02d}:00", value, "0,5"] for hour in range(24)]
    (message,) = refused(written(table, ",", "time,mw,price"), tmp_path)
    assert "it may be" in message
    assert prices(written(table, ",", "time,x,mw"), tmp_path)[0] == [0.5] * 24
    for row in table:
        row[2] = "0.5"
    assert prices(written(table, ",", "time,mw,price"), tmp_path)[0] == [float(value)] * 24
