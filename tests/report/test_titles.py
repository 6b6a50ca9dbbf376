"""Titles in any script: shown instead of names wherever people read, never in keys.

A title is one line, of printable characters, cut at 36 Latin letters or 18 Chinese characters in
tables and charts. Names stay in files, CSV columns, paths and messages.
"""

from __future__ import annotations

import io
import random
import unicodedata
import zipfile
from dataclasses import replace
from html import escape, unescape
from pathlib import Path
from typing import Any

import jsonschema
import openpyxl
import pytest
from rich.console import Console

import planner
from planner.errors import ScenarioError
from planner.language.language import language
from planner.language.titles import HEADING, LABEL, shortened, title_of, titles_of, width
from planner.report.plan_page.page import plan_page
from planner.report.terminal.plan import show
from planner.scenario.json_schema import scenario_schema
from planner.scenario.scenario import members_of
from planner.sweeps.sweep_file import SweepFile
from tests.report.test_charts import strings
from tests.report.test_plan_page import Page
from tests.support.build import battery, grid, load, renewable, scenario

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
READ = [
    "Battery no. 2", "Speicher Süd ßäöü", "2 号储能", "淮南潘集储能电站一期工程", "محطة البطارية",
    "סוללה צפון", "batería ½", "バッテリー", "배터리", "แบตเตอรี่", "🔋", f"{FAMILY} house",
    "a" * 35, "a" * 36, "a" * 37, "储" * 18, "储" * 19, "e\u0301" * 60, FAMILY * 30, "x " * 90,
    "=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "<script>alert(1)</script>", "</script><!--",
    "{{ 7*7 }}", "%{y} %{x}", "[bold]b[/]", "a & b", '"quoted"', "'single'", "two\nlines",
    "tab\there", "\u3000wide", "no\u00a0break", "zero\u200bwidth", "\ufeffmark",
    "\U000e0001tag", "100 % & more", "#1", "a: b", "- list", "null", "1e3", "true", "2027-07-15",
    "~", "@", "`", "|", "* [x](y)", "\\n", "battery", "grid",
]  # fmt: skip
SPELT = ["\u202ereversed", "bell\x07", "\x1b[31mred", "line\u2028end", "null\x00", "del\x7f"]
"""Texts that somebody may write, or that something may take for more than a text; files may not
hold the characters of `SPELT`."""


def test_there_are_titles_enough() -> None:
    assert len(set(READ)) >= 50


def site(title: str) -> dict[str, Any]:
    prices = {"import_price_cny_per_mwh": [10, 50], "export_price_cny_per_mwh": [10, 50]}
    return {
        "grid": grid(resale=True, **prices),
        "store": battery(title=title),
        "sun": renewable(1, 1),
        "town": load(1, 1),
    }


@pytest.fixture(scope="module")
def solved() -> planner.Plan:
    return planner.solve(scenario(site("plain"), 2))


def titled(plan: planner.Plan, title: str) -> planner.Plan:
    """The plan as if the scenario and its battery had a title."""
    values = {"title": title, "components.store.title": title}
    return replace(plan, scenario=plan.scenario.with_values(values))


@pytest.mark.parametrize("title", READ)
def test_any_title_is_read_back(solved: planner.Plan, title: str, tmp_path: Path) -> None:
    plan = titled(solved, title)
    folder = tmp_path / "plan"
    folder.mkdir()
    plan.write_tables(folder)
    assert planner.load(folder).components["store"].title == title
    assert planner.load(folder) == plan.scenario
    assert "store.energy_mwh[renewable]" in (folder / "schedule.csv").read_text()
    if title not in ("grid", "plain"):
        assert title not in (folder / "ledger.csv").read_text()


@pytest.mark.few(9)
@pytest.mark.parametrize("title", [*SPELT, *READ])
def test_any_title_is_shown(solved: planner.Plan, title: str) -> None:
    plan = titled(solved, title)
    shown = shortened(title, LABEL)
    shown = f"{shown} (store)" if shown in plan.scenario.components else shown
    assert plan.titled("store") == shown
    assert shown.isprintable() or "\u200d" in shown
    page = plan_page(plan, language("en"))
    assert "<script>alert(1)" not in page
    assert escape(plan.title) in page.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")
    assert any(shown in text for text in Page(page).texts)

    console = Console(file=io.StringIO(), width=250)
    show(plan, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert plan.title in text
    assert f"│ {shown} " in text
    assert "\x1b" not in text
    for chart in ("storage", "commitment"):
        figure = getattr(plan.figures, chart)().to_dict()
        texts = [text.replace("<br>", "").replace("%&#123;", "%{") for text in strings(figure)]
        without_spaces = ["".join(unescape(text).split()) for text in texts]
        assert any("".join(shown.split()) in text for text in without_spaces), chart


@pytest.mark.few(3)
@pytest.mark.parametrize("title", ["=1+1", "2 号储能", "two\nlines", "a" * 300, "محطة", FAMILY])
def test_a_workbook_shows_titles_beside_names(
    solved: planner.Plan, title: str, tmp_path: Path
) -> None:
    plan = titled(solved, title)
    plan.write(tmp_path / "plan", ("csv", "xlsx"))
    book = openpyxl.load_workbook(tmp_path / "plan" / "schedule.xlsx")
    shown = plan.titled("store")
    labels = {str(row[1].value) for row in book["2026-07-15"].iter_rows()}
    assert any(label.lstrip("'").startswith(f"{shown}: net power") for label in labels)
    assert any(label.lstrip("'") == f"{shown} (battery)" for label in labels)
    assert {row[0].value for row in book["2026-07-15"].iter_rows()} >= {"store.power_mw"}
    assert not [
        cell for sheet in book for row in sheet.iter_rows() for cell in row
        if cell.data_type == "f" and not str(cell.value).startswith(("=SUM(", "=SUBTOTAL("))
    ]  # fmt: skip
    heads = [str(cell.value) for cell in book["Schedule"][2]]
    assert any(head.lstrip("'").startswith(f"{shown} charge [renewable]") for head in heads)
    with zipfile.ZipFile(tmp_path / "plan" / "schedule.xlsx") as parts:
        assert parts.testzip() is None
    assert planner.audit(tmp_path / "plan") == []


@pytest.mark.parametrize("title", [*READ, *SPELT])
def test_a_title_is_cut_where_letters_end(title: str) -> None:
    line = " ".join(title.split())
    short = shortened(title, LABEL)
    assert width(short) <= LABEL
    assert (short == line or "\\" in short) if width(line) <= LABEL else short.endswith("…")
    assert width(shortened(title * 50, HEADING)) <= HEADING


def test_a_cut_leaves_composed_characters_whole() -> None:
    short = shortened(FAMILY * 30, LABEL)
    assert short.removesuffix("…").replace(FAMILY, "") == ""
    accents = shortened("e\u0301" * 60, LABEL)
    assert accents.removesuffix("…").replace("e\u0301", "") == ""


def test_titles_that_mislead_have_the_name_too() -> None:
    """Two of the same title, two that are cut alike, and one that is the name of another."""
    parts = {
        "a": "sun", "b": "sun", "c": "x" * 50 + "1", "d": "x" * 50 + "2", "e": "a", "f": None,
        "g": "g", "h": "moon",
    }  # fmt: skip
    shown = titles_of({name: battery_of(title) for name, title in parts.items()})
    cut = "x" * 35 + "…"
    assert shown == {
        "a": "sun (a)", "b": "sun (b)", "c": f"{cut} (c)", "d": f"{cut} (d)", "e": "a (e)",
        "f": "f", "g": "g", "h": "moon",
    }  # fmt: skip


def battery_of(title: str | None) -> Any:
    return scenario({"store": battery(title=title), "sun": renewable(1)}).components["store"]


@pytest.mark.parametrize("title", ["", " ", "\n\t"])
@pytest.mark.parametrize("where", ["title", "components.sun.title"])
def test_an_empty_title_is_refused(title: str, where: str) -> None:
    plain = scenario({"sun": renewable(1)})
    with pytest.raises(ScenarioError, match=f"{where}.*may not be empty"):
        plain.with_values({where: title})
    assert plain.with_values({where: None}) == plain
    with pytest.raises(ScenarioError, match=f"{where}.*must be a text, is 2"):
        plain.with_values({where: 2})


def test_without_a_title_the_name_is_read() -> None:
    plain = scenario({"sun": renewable(1)}, name="day one")
    assert title_of(plain) == "day one"
    assert title_of(plain.with_values({"title": "第一天"})) == "第一天"
    sweep = {
        "name": "s",
        "base": "b",
        "axes": {"components.a.capacity_mw": {"values": [1]}},
        "title": "一组 算例",
    }
    assert title_of(SweepFile.model_validate(sweep)) == "一组 算例"


def test_the_schema_knows_titles() -> None:
    schema = scenario_schema()
    plain = {
        "name": "s", "title": "站", "horizon": {"start": "2026-07-15T00:00:00+08:00", "hours": 1},
        "components": {"sun": renewable(1) | {"title": "光伏 ☀"}},
    }  # fmt: skip
    validator = jsonschema.Draft202012Validator(schema)
    assert [*validator.iter_errors(plain)] == []
    assert [*validator.iter_errors(plain | {"title": "  "})] != []
    assert [*validator.iter_errors(plain | {"title": 3})] != []


def test_members_have_the_title_with_their_name() -> None:
    members = [
        {"name": "low", "probability": 0.5},
        {"name": "high", "probability": 0.5, "set": {"components.sun.capacity_mw": {"scale": 2}}},
    ]
    parts = {"sun": renewable(1), "town": load(1)}
    uncertain = scenario(parts, title="站", uncertainty={"members": members})
    assert [title_of(site) for _, site in members_of(uncertain).values()] == [
        "站 (low)",
        "站 (high)",
    ]
    untitled = uncertain.with_values({"title": None})
    assert [title_of(site) for _, site in members_of(untitled).values()] == [
        "test (low)",
        "test (high)",
    ]


ALIKE = ("A", "a", "Ａ", "A (a)", "A (b)", "A (a) (c)", "a", "b", "c", "d", None)


@pytest.mark.parametrize("seed", range(60))
def test_no_two_components_are_shown_alike(seed: int) -> None:
    draw = random.Random(seed)
    shown = titles_of({name: battery_of(draw.choice(ALIKE)) for name in "abcd"})
    assert len({unicodedata.normalize("NFKC", text).casefold() for text in shown.values()}) == 4
