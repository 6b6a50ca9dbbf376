"""`currency: EUR` is a label: what says CNY of another scenario says EUR, in 元 欧元, nothing else.

Names of columns, fields and files keep their cny.
"""

from __future__ import annotations

import base64
import dataclasses
import gzip
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from rich.console import Console

import planner
from planner.auditor.audit import audit
from planner.language.language import language
from planner.report.comparison.page import comparison_page
from planner.report.comparison.tables import show_comparison
from planner.report.plan_page.page import plan_page
from planner.report.simulation_page.page import simulation_page
from planner.report.stochastic_page.page import stochastic_page
from planner.report.sweep_page.page import sweep_page
from planner.report.sweep_page.report_sweep import show_sweep
from planner.report.terminal.plan import show
from planner.report.terminal.studies import show_simulation, show_stochastic
from planner.report.workbook.workbook import write_workbook
from planner.sweeps.analysis.analyses import analyse
from tests.report.test_sweep_page import OUTPUTS, made
from tests.studies.test_solve_stochastic import coal_or_not
from tests.support.build import battery, grid, load, scenario, thermal
from tests.support.pages import site

WORDS = {code: language(code) for code in ("en", "zh")}
OTHER_MONEY = re.compile(r"(?<![A-Za-z_])CNY|(?<![单欧])元")
PACKED = re.compile("H4sI[A-Za-z0-9+/=]+")  # gzip in base64
PLOTLY = 1_000_000  # characters of the script, which is not ours


def money_of(text: str, code: str) -> str:
    """Return what a text says around money in CNY; it must say the euro somewhere."""
    packed = (base64.b64decode(part) for part in PACKED.findall(text) if len(part) < PLOTLY)
    whole = "\n".join([PACKED.sub("", text), *(gzip.decompress(part).decode() for part in packed)])
    assert ("EUR" if code == "en" else "欧元") in whole
    return "\n".join(whole[m.start() - 40 : m.end() + 20] for m in OTHER_MONEY.finditer(whole))


def printed(show_on: Callable[..., None], what: Any, code: str) -> str:
    console = Console(file=io.StringIO(), width=150)
    show_on(what, console, words=WORDS[code])
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def cells_of(plan: planner.Plan, path: Path, code: str) -> str:
    write_workbook(plan, path, WORDS[code])
    book = openpyxl.load_workbook(path, read_only=True)
    cells = (cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row)
    return "\n".join(cell for cell in cells if isinstance(cell, str))


@pytest.fixture(scope="module")
def plan() -> planner.Plan:
    """A site in euros with every label of money: of tokens, energy and limits."""
    return planner.prices(scenario(site(), 2, currency="EUR")).plan


@pytest.mark.few(1)
@pytest.mark.parametrize("code", ["zh", "en"])
def test_a_plan_says_its_currency_wherever_it_is_shown(
    plan: planner.Plan, tmp_path: Path, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANNER_LANG", code)
    shown = {
        "page": plan_page(plan, WORDS[code]),
        "terminal": printed(show, plan, code),
        "workbook": cells_of(plan, tmp_path / "plan.xlsx", code),
        "notebook": plan._repr_html_(),
        "chart": plan.figures.ledger(code).to_plotly_json(),
    }
    wrong = {where: text for where, said in shown.items() if (text := money_of(str(said), code))}
    assert not wrong


def test_the_folder_says_it_too_and_passes_its_audit(plan: planner.Plan, tmp_path: Path) -> None:
    folder = plan.write(tmp_path / "plan", page=False)
    assert audit(folder) == []
    assert planner.read_plan(folder) == plan
    assert {symbol[:4] for symbol in plan.prices["unit"]} == {"EUR/"}
    texts = [path.read_text("utf-8") for path in folder.iterdir()]
    assert "currency: EUR" in (folder / "scenario.yaml").read_text("utf-8")
    assert not [text for text in texts if "CNY" in text]
    figures = json.loads((folder / "summary.json").read_text("utf-8"))
    (folder / "summary.json").write_text(json.dumps(figures | {"objective_cny": 1.0}))
    assert " is 1 EUR, should be " in str([str(breach) for breach in audit(folder)])


@pytest.mark.few(1)
@pytest.mark.parametrize("code", ["zh", "en"])
def test_a_comparison_of_two_currencies_says_so_first(plan: planner.Plan, code: str) -> None:
    same = planner.compare(plan, plan)
    assert (same.currency, same.cautions) == ("EUR", ())
    other = plan.scenario.revised({"currency": "CNY"})
    comparison = planner.compare(dataclasses.replace(plan, scenario=other), plan)
    (caution,) = comparison.cautions
    assert "two currencies" in caution
    page = comparison_page(comparison, WORDS[code])
    assert WORDS[code].sentence(caution) in page
    terminal = printed(show_comparison, comparison, code)
    assert "CNY|EUR" in terminal
    assert "元" not in terminal


@pytest.mark.slow
@pytest.mark.parametrize("code", WORDS)
def test_sweeps_and_studies_say_their_currency(code: str) -> None:
    sweep = analyse(*made("grid", f"set: {{currency: EUR}}\n{OUTPUTS}"))
    members = planner.solve_stochastic(coal_or_not(currency="EUR"))
    town = scenario({"grid": grid(), "town": load(1, 1)}, 2, currency="EUR")
    simulation = planner.simulate(town, every_h=2, window_h=2, policies=["perfect", "grid_first"])
    shown = {
        "sweep": sweep_page(sweep, WORDS[code]),
        "sweep terminal": printed(show_sweep, sweep, code),
        "members": stochastic_page(members, WORDS[code]),
        "members terminal": printed(show_stochastic, members.summary, code),
        "simulation": simulation_page(simulation, WORDS[code]),
        "simulation terminal": printed(show_simulation, simulation, code),
    }
    wrong = {where: text for where, said in shown.items() if (text := money_of(said, code))}
    assert not wrong


def test_the_cases_of_a_sweep_share_a_currency(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE)
    text = "name: two\nbase: site.yaml\naxes: {currency: [CNY, EUR]}\n"
    (tmp_path / "sweep.yaml").write_text(text)
    with pytest.raises(planner.ScenarioError, match="currency: is the same in all cases"):
        planner.sweep(tmp_path / "sweep.yaml", tmp_path / "out")


SITE = """\
name: town
horizon: {start: 2026-07-15T00:00:00+08:00, hours: 1}
currency: EUR
components:
  grid:
    kind: grid
    import_limit_mw: 10
    export_limit_mw: 0
    export_price_cny_per_mwh: 0
    import_price_cny_per_mwh: 0.4
  town: {kind: load, demand_mw: 5}
"""


def test_warnings_speak_of_the_currency(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE)
    (warning,) = planner.load(tmp_path / "site.yaml").warnings()
    assert "is 0.4 EUR/MWh at most; if it is in EUR/kWh" in warning
    assert "0.4 欧元/MWh；若单位是 欧元/kWh" in WORDS["zh"].sentence(str(warning))


@pytest.mark.parametrize("value", ["eur", "€", "EURO", "''"])
def test_a_currency_is_a_code(tmp_path: Path, value: str) -> None:
    (tmp_path / "site.yaml").write_text(SITE.replace("EUR", value))
    with pytest.raises(planner.ScenarioError, match=r"site.yaml:3: currency: must be the code of"):
        planner.load(tmp_path / "site.yaml")


def test_end_values_of_another_currency_are_refused() -> None:
    parts = {"grid": grid(), "battery": battery(), "unit": thermal()}
    year = planner.prices(scenario(parts, 2, currency="EUR")).plan
    with pytest.raises(planner.ScenarioError, match="is in EUR, the scenario in CNY"):
        planner.with_end_values(scenario(parts, 2), year)
    noted = planner.with_end_values(year.scenario, year).warnings()
    assert any(" EUR/MWh: the worth at" in note for note in noted)
