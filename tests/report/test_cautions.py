"""What a stored plan that is shown says first: it fails its audit, or is of an earlier run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.errors import PlanError
from planner.files.format_mark import marked
from planner.plan_tables.folder import write_diagnosis
from planner.report.cautions import cautions_of
from tests.support.build import grid, load, scenario, solve


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.output


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return solve({"grid": grid(), "city": load(1, 1)}, 2).write(tmp_path / "good", ("csv", "xlsx"))


@pytest.fixture
def wrong(good: Path, tmp_path: Path) -> Path:
    folder = planner.read_plan(good).write(tmp_path / "wrong", ("csv", "xlsx"))
    falsify(folder)
    return folder


def falsify(folder: Path) -> None:
    """Let a plan earn a million more than its tables say."""
    path = folder / "summary.json"
    summary = json.loads(path.read_text())
    path.write_text(json.dumps(summary | {"objective_cny": summary["objective_cny"] + 1e6}))


FAILS = "wrong fails its audit and is not to be relied on"
FIRST = "broken promises: 2; the first is: plan: bound_cny: is -80 CNY, below the objective"


def test_report_refuses_a_folder_that_fails_its_audit(wrong: Path) -> None:
    before = (wrong / "report.html").read_bytes()
    code, text = run("report", wrong)
    assert (code, FAILS in text, "objective_cny: is" in text) == (5, True, True)
    assert "`--unaudited` (`unaudited=True`) shows it, and says so at the top" in text
    assert code == run("audit", wrong)[0]
    assert (wrong / "report.html").read_bytes() == before


@pytest.mark.parametrize(
    ("lang", "words"), [("en", FAILS), ("zh", "wrong 未通过核查，不可采信；不符合约定")]
)
def test_unaudited_says_so_at_the_top_of_every_page_and_table(
    lang: str, words: str, wrong: Path, good: Path, tmp_path: Path
) -> None:
    code, text = run("report", wrong, "--unaudited", "--lang", lang)
    assert (code, words in text) == (0, True)
    page = (wrong / "report.html").read_text()
    assert words in page[page.index("<body>") : page.index("<header>")]
    assert FAILS not in page or lang == "en"
    assert '<div class="status warn">' in page
    first = load_workbook(wrong / "schedule.xlsx").worksheets[0]
    assert words in first["A2"].value
    out = tmp_path / "page.html"
    code, text = run("compare", good, wrong, "--unaudited", "--lang", lang, "--out", out)
    assert code == 0
    assert words in text.partition("A: " if lang == "en" else "A：")[0]
    page = out.read_text()
    assert words in page[page.index("<body>") : page.index("<header>")]


def test_compare_refuses_either_side_that_fails_its_audit(
    good: Path, wrong: Path, tmp_path: Path
) -> None:
    for sides in ((good, wrong), (wrong, good), (wrong, wrong)):
        out = tmp_path / "page.html"
        for more in ([], ["--out", out]):
            code, text = run("compare", *sides, *more)
            assert (code, FAILS in text) == (5, True)
        assert not out.exists()
        with pytest.raises(PlanError, match=FAILS):
            planner.compare(*sides)
        said = planner.compare(*sides, unaudited=True).cautions
        assert len(said) == 1
        assert FIRST in said[0]
    assert planner.compare(planner.read_plan(wrong), good).cautions == ()  # a plan in hand is ours
    assert planner.compare(good, good).cautions == ()


def test_a_plan_that_passes_says_nothing_though_it_was_allowed_to_fail(good: Path) -> None:
    before = (good / "report.html").read_bytes()
    assert run("report", good, "--unaudited")[0] == 0
    assert (good / "report.html").read_bytes() == before


def test_a_folder_that_cannot_be_audited_or_shown_is_told(wrong: Path) -> None:
    (wrong / "why.csv").write_text("time\n")
    for more in ([], ["--unaudited"]):
        code, text = run("report", wrong, *more)
        assert (code, "why.csv" in text) == (5, True)
    summary = json.loads((wrong / "summary.json").read_text())
    (wrong / "why.csv").unlink()
    del summary["green"]
    (wrong / "summary.json").write_text(json.dumps(summary))
    code, text = run("report", wrong, "--unaudited")
    assert (code, "cannot be shown: " in text, "bug" in text) == (5, True, False)


@pytest.mark.few(1)
@pytest.mark.parametrize("of", ["members", "policies"])
def test_one_wrong_plan_of_several_refuses_all_of_them(of: str, tmp_path: Path) -> None:
    members = {"members": [{"name": name, "probability": 0.5} for name in "ab"]}
    site, out = scenario({"grid": grid(), "city": load(1, 1)}, 2), tmp_path / "out"
    if of == "members":
        parts = {"grid": grid(), "city": load(1, 1)}
        planner.solve_stochastic(scenario(parts, 2, uncertainty=members)).write(out)
        first, second = out / "members" / "a", out / "members" / "b"
    else:
        planner.simulate(site, out, every_h=1, window_h=1, policies=("perfect", "grid_first"))
        first, second = out / "plans" / "grid_first", out / "plans" / "perfect"
    falsify(second)
    (first / "report.html").unlink()
    code, text = run("report", out)
    assert (code, "fails its audit" in text) == (5, True)
    assert not (first / "report.html").exists()
    assert run("report", out, "--unaudited")[0] == 0
    assert "fails its audit" in (second / "report.html").read_text()
    assert ("fails its audit" in (first / "report.html").read_text()) == (of == "members")


# ---- formats


def of_before(folder: Path) -> None:
    """Let a plan folder be one of before there was a mark."""
    path = folder / "summary.json"
    summary = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in summary.items() if k not in marked({})}))


def lacks_a_field(folder: Path) -> None:
    """... and of before components had the fields that they have now."""
    of_before(folder)
    path = folder / "scenario.yaml"
    path.write_text(re.sub(r"\n +max_swing_share:.*", "", path.read_text()))


def of_later(folder: Path) -> None:
    path = folder / "summary.json"
    text = path.read_text().replace('"planner_format": 1', '"planner_format": 2', 1)
    path.write_text(text.replace(f'"planner": "{planner.__version__}"', '"planner": "9.0"', 1))


READS: dict[str, Callable[[Path], object]] = {
    "audit": planner.audit,
    "cautions": cautions_of,
    "compare": lambda folder: planner.compare(folder, folder),
    "read": planner.read_plan,
    "replan": lambda folder: planner.replan(folder, "2026-07-15T01:00"),
}


@pytest.mark.parametrize("read", READS)
def test_an_earlier_format_is_read_and_a_later_one_is_refused_by_its_number(
    read: str, good: Path
) -> None:
    of_before(good)
    READS[read](good)
    planner.read_plan(good).write(good)  # such a folder is ours and may be replaced
    of_later(good)
    words = "good was written in format 2 by planner 9.0, and this planner reads format 1: use that"
    with pytest.raises(PlanError, match=words):
        READS[read](good)


def test_an_earlier_format_that_cannot_be_audited_is_refused_by_its_number(good: Path) -> None:
    lacks_a_field(good)
    for command in (("audit", good), ("report", good), ("compare", good, good)):
        code, text = run(*command)
        assert code == 5
        assert "good was written in format 0 by planner" in text
        assert "and this planner reads format 1: use that planner, or solve again" in text
        assert "components.grid.max_swing_share is missing" in text
    assert run("report", good, "--unaudited")[0] == 0
    assert "good cannot be audited: " in (good / "report.html").read_text()


# ---- an earlier run


def test_the_plan_of_an_earlier_run_is_told_as_such(good: Path, tmp_path: Path) -> None:
    write_diagnosis({"status": "infeasible", "conflict": [], "changes": []}, good)
    words = r"the run of 20\d\d-\d\d-\d\d \d\d:\d\d found no plan, see infeasible.json; the plan in"
    code, text = run("report", good)
    assert code == 0
    assert re.search(words, text)
    page = (good / "report.html").read_text()
    assert re.search(words, page[page.index("<body>") : page.index("<header>")])
    assert re.search(words, run("audit", good)[1])
    assert re.search(words, run("compare", good, good)[1])
    assert len(planner.compare(good, good).cautions) == 1
    assert "未找到计划，见 infeasible.json" in run("audit", good, "--lang", "zh")[1]
    planner.read_plan(good).write(good)
    assert planner.compare(good, good).cautions == ()


FAILING = """\
name: tight
horizon: {start: 2026-07-15T00:00:00+08:00, hours: 2, step_min: 60}
components:
  grid: {kind: grid, import_limit_mw: 1, export_limit_mw: 0, import_price_cny_per_mwh: 500,
         export_price_cny_per_mwh: 300}
  city: {kind: load, demand_mw: 2}
"""


@pytest.mark.few(3)
@pytest.mark.parametrize("command", ["solve", "prices", "roll", "year"])
def test_a_run_without_a_plan_says_that_the_plan_there_is_of_an_earlier_one(
    command: str, good: Path, tmp_path: Path
) -> None:
    (tmp_path / "tight.yaml").write_text(FAILING)
    code, text = run(command, tmp_path / "tight.yaml", "--out", good)
    assert code == 3
    assert f"the plan in {good} is that of an earlier run" in text
    code, text = run(command, tmp_path / "tight.yaml", "--out", tmp_path / "none")
    assert (code, "earlier run" in text) == (3, False)


def test_a_ledger_changed_by_hand_fails(wrong: Path) -> None:
    """The audit finds a ledger that was changed by hand; no page shows its sum as a profit."""
    ledger = pd.read_csv(wrong / "ledger.csv")
    ledger.loc[0, "amount_cny"] += 1e6
    ledger.to_csv(wrong / "ledger.csv", index=False)
    with pytest.raises(PlanError, match="fails its audit"):
        cautions_of(wrong)
