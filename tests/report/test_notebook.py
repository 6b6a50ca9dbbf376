"""What a notebook shows of plans and sweeps, and the example notebook, run from top to bottom."""

from __future__ import annotations

import ast
import os
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

import planner
from planner.files.yaml_document import parse_yaml
from planner.sweeps.result import Sweep
from planner.sweeps.sweep_file import check_sweep
from tests.support.build import HANGS_S, battery, grid, renewable, solve

ROOT = Path(__file__).parent.parent.parent
NOTEBOOK = ROOT / "docs" / "first_plan.ipynb"


class Reader(HTMLParser):
    """Every table as rows of texts; complains of a tag that is closed in the wrong place."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.rows: list[list[str]] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def plan() -> planner.Plan:
    """4 MWh bought at 10 are sold at 50, and 3 MWh of sun beside them at 10 and 50."""
    prices = {"import_price_cny_per_mwh": [10, 50], "export_price_cny_per_mwh": [10, 50]}
    parts = {"grid": grid(resale=True, **prices), "battery": battery(), "sun": renewable(0, 3)}
    return solve(parts, 2, name="<b>a & b</b>")


def test_a_plan_shows_how_good_it_is_and_where_its_energy_went(plan: planner.Plan) -> None:
    found = Reader(plan._repr_html_())
    assert ["status", "optimal"] in found.rows
    assert ["profit", f"{4 * 40 + 3 * 50} CNY"] in found.rows
    assert ["proven gap, share of turnover", "0.0000%"] in found.rows
    assert ["proven gap, share of profit", "0.0000%"] in found.rows
    assert ["average of grid sale", "0.050 CNY/kWh"] in found.rows
    head = next(row for row in found.rows if row[0] == "origin")
    sun = next(row for row in found.rows if row[0] == "renewable")
    assert dict(zip(head, sun, strict=True)) | {"export": "3", "total": "3"} == dict(
        zip(head, sun, strict=True)
    )
    assert next(row for row in found.rows if row[0] == "total")[-1] == "7"


def test_what_is_shown_is_plain_and_escaped(plan: planner.Plan) -> None:
    html = plan._repr_html_()
    found = Reader(html)
    assert "&lt;b&gt;a &amp; b&lt;/b&gt;" in html
    assert not found.tags & {"script", "style", "b", "img", "link"}
    assert found.attributes == {"scope"}


def test_a_plan_without_energy_still_shows(plan: planner.Plan) -> None:
    summary = plan.summary | {"allocation_mwh": {}, "uplift": 19.06}
    bare = Reader(replace(plan, summary=summary)._repr_html_())
    assert ["compute over grid sale", "19.1 times"] in bare.rows
    assert ["renewable", "3", "0", "0", "0", "3"] not in bare.rows


def test_the_language_is_that_of_the_command_line(
    plan: planner.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANNER_LANG", "zh")
    assert "元" in plan._repr_html_()
    monkeypatch.setenv("PLANNER_LANG", "fr")
    assert "310 CNY" in plan._repr_html_()


def sweep(cases: dict[str, list[Any]], **more: Any) -> Sweep:
    text = """
name: a <sweep>
base: x.yaml
axes:
  components.battery.capacity_mwh: [1, 2, 3]
  kind: {bundle: {old: {vat: included}, new: {vat: excluded}}}
outputs: [carbon.emission_tco2]
"""
    return Sweep(pd.DataFrame(cases), check_sweep(parse_yaml(text, "sweep")), Path("x"), **more)


CASES: dict[str, list[Any]] = {
    "case": [0, 1, 2],
    "components.battery.capacity_mwh": [1, 2, 3],
    "kind": ["old", "<new>", "old"],
    "status": ["optimal", "infeasible", "optimal"],
    "carbon.emission_tco2": [7.5, float("nan"), 5.25],
    "objective_cny": [10.0, float("nan"), 30.0],
}


def test_a_sweep_shows_how_it_ended_its_best_cases_and_ranges() -> None:
    found = Reader(sweep(CASES)._repr_html_())
    assert ["optimal", "2"] in found.rows
    assert ["infeasible", "1"] in found.rows
    # the least emission is best
    assert [row for row in found.rows if row[0] in "012"] == [
        ["2", "3", "old", "5.25"],
        ["0", "1", "old", "7.5"],
    ]
    assert ["components.battery.capacity_mwh", "1", "3"] in found.rows
    assert ["kind", "old, <new>", ""] in found.rows
    assert ["objective_cny", "10", "30"] in found.rows
    assert found.attributes == {"scope"}


def test_a_sweep_without_a_plan_and_an_interrupted_one_show_too() -> None:
    none = sweep({**CASES, "status": ["infeasible", "waiting", "wrong_input"]}, interrupted=True)
    html = none._repr_html_()
    assert "interrupted" in html
    assert "a &lt;sweep&gt;" in html
    assert "Best cases" not in html
    assert ["wrong input", "1"] in Reader(html).rows


# ---- the example


def example() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_the_example_holds_no_outputs_and_is_python() -> None:
    notebook = example()
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
            ast.parse(cell.source)


@pytest.mark.slow
def test_the_example_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from nbclient import NotebookClient

    for name in ("HOME", "TMPDIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    where = {"metadata": {"path": str(NOTEBOOK.parent)}}
    done = NotebookClient(
        example(), timeout=HANGS_S, kernel_name="python3", resources=where
    ).execute()
    outputs = [output for cell in done.cells for output in cell.get("outputs", [])]
    shown = [output["data"] for output in outputs if "data" in output]
    tables = "".join(data.get("text/html", "") for data in shown)
    assert "Where the energy went" in tables
    assert "Best cases by profit" in tables
    assert any("application/vnd.plotly.v1+json" in data for data in shown)
    assert any("schedule.xlsx" in data.get("text/plain", "") for data in shown)
