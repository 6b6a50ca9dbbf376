"""The page of a plan: its facts, its texts, its size, and writing it again."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.language.language import language
from planner.report.plan_page.page import income_and_costs, plan_page, scarce_steps, targets
from planner.report.plan_page.reasons import packed_reasons
from planner.report.template import MOST_ROWS, rows_of
from tests.report.test_sweep_page import folder as sweep_folder
from tests.support.build import green_rule, grid, load, renewable, scenario, solve
from tests.support.pages import NASTY, small, tiled

WORDS = language("en")


@pytest.fixture(scope="module")
def plan() -> planner.Plan:
    return small()


@pytest.fixture(scope="module")
def text(plan: planner.Plan) -> str:
    return plan_page(plan, WORDS)


class Page(HTMLParser):
    """The elements and the visible texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, _: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style") and data.strip():
            self.texts.append(data.strip())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


# The first screen


def test_the_first_screen_says_what_was_earned(plan: planner.Plan, text: str) -> None:
    """Two hours: 2 x 18 x 20 from tokens, 2 x 5 x 30 from the grid.

    Costs: 20 MWh of sun at 10, 9 Mtok unanswered at 2, and 6 MWh of own use missed at 1.
    """
    income, costs = income_and_costs(plan)
    assert income == pytest.approx({"compute": 720, "export": 300, "other": 0})
    assert costs == pytest.approx(-200 - 18 - 6)
    texts = Page(text).texts
    for name, shown in (
        ("Profit", f"{720 + 300 - 224} CNY"),
        ("costs", "-224.00 CNY"),
        # 360 CNY for 2 MWh an hour, which the grid would have bought at 30
        ("in compute (gross)", "0.180 CNY/kWh"),
        ("the same kWh sold to the grid", "0.030 CNY/kWh"),
        ("What a kWh earns", "6.0 ×"),
    ):
        assert texts[texts.index(name) + 1] == shown
    energy = texts[texts.index("Where the energy went [MWh]") :]
    assert energy[energy.index("renewable") + 1] == "10.00"
    earned = texts[texts.index("What a kWh earned [CNY/kWh]") : texts.index("What was scarce")]
    assert earned[earned.index("renewable") + 1] == "0.030"
    assert energy[: -len(earned)][energy.index("What a kWh earned [CNY/kWh]") - 1] == "20.00"


def test_the_money_of_the_first_screen_is_that_of_the_ledger(plan: planner.Plan) -> None:
    income, costs = income_and_costs(plan)
    assert sum(income.values()) + costs == pytest.approx(plan.ledger["amount_cny"].sum())
    by_use = plan.summary["value_by_use_cny_per_kwh"]
    for use in ("compute", "export"):
        mwh = plan.allocation.loc[plan.allocation["use"] == use, "mwh"].sum()
        assert income[use] == pytest.approx(by_use[use] * mwh * 1000, rel=1e-5)


def test_rules_say_what_was_asked_and_reached(plan: planner.Plan) -> None:
    """Half of 20 MWh is sold: at most 60 % may be; 80 % should be used on site."""
    (_, own), (_, export) = targets(plan, "energy")
    assert (own.wanted, own.reached, own.met, own.most) == (0.8, pytest.approx(0.5), False, False)
    assert (export.wanted, export.reached, export.met) == (0.6, pytest.approx(0.5), True)
    shown = plan_page(plan, WORDS)
    assert re.search(r"at least 80\.0%.*?✗</span> missed", shown, re.DOTALL)
    assert re.search(r"at most 60\.0%.*?✓</span> kept", shown, re.DOTALL)


def test_a_rule_counts_what_came_before() -> None:
    """10 MWh used of 10 before and 2 of 4 now are 12 of 14, which is above 0.8."""
    before = {"available_mwh": 10, "used_mwh": 10}
    parts: dict[str, Any] = {
        "sun": renewable(4),
        "city": load(2),
        "grid": grid(import_limit_mw=0),
        "rule": green_rule(min_self_use_share=0.8, so_far=before),
    }
    ((_, target),) = targets(solve(parts), "energy")
    assert target.reached == pytest.approx(12 / 14)
    assert target.met
    assert target.counts_more


def test_services_say_what_they_served(plan: planner.Plan) -> None:
    """36 of 45 Mtok, where three quarters had to be."""
    ((name, chat),) = targets(plan, "tokens")
    assert (name, chat.wanted, chat.reached, chat.met) == ("chat", 0.75, 0.8, True)


def test_scarce_hours_carry_their_step(plan: planner.Plan) -> None:
    assert scarce_steps(plan) == [1]
    shown = re.sub(r"\s+", " ", plan_page(plan, WORDS))
    assert 'data-step="1">07-15 01:00</button> <b>chat</b> unserved' in shown
    assert '<span class="amount">18.00 CNY</span>' in shown


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("optimal", "Best plan, proven to within 0.3215% of the turnover, 0.5025% of the profit"),
        ("settled", "Given schedule; it keeps every rule"),
        ("work_limit", "The work is done, the gap is not reached"),
        ("time_limit", "Stopped at the time limit"),
        ("interrupted", "Interrupted"),
        ("relaxed", "A bound, not a schedule that can be run"),
    ],
)
def test_every_status_is_said_plainly(plan: planner.Plan, status: str, said: str) -> None:
    gaps = {"gap": 4 / 1244, "gap_of_profit": 4 / 796}
    summary = plan.summary | {"status": status, "bound_cny": 800.0} | gaps
    page = plan_page(dataclasses.replace(plan, summary=summary), WORDS)
    sign = "✓" if status in ("optimal", "settled") else "⚠"
    assert f'<p class="word"><span aria-hidden="true">{sign}</span> {said}</p>' in page
    # what is left open is 800 - 796 of a turnover of 720 + 300 + 224
    gap = "" if status == "optimal" else ", 0.3215% of the turnover, 0.5025% of the profit"
    left_open = f"4 CNY above this one{gap}."  # the word of an optimal one has the gap
    assert (left_open in page) == (status != "relaxed")
    assert ("can be run; the proof was not finished. No plan" in page) == (
        status in ("time_limit", "interrupted")
    )
    assert ("the search could not narrow the gap further. No plan" in page) == (
        status == "work_limit"
    )


def test_a_plan_without_a_gap_of_profit_still_has_its_page(plan: planner.Plan) -> None:
    summary = plan.summary | {"bound_cny": 800.0, "gap": 4 / 1244, "gap_of_profit": None}
    earlier = {name: value for name, value in summary.items() if name != "gap_of_profit"}
    for each in (summary, earlier):
        page = plan_page(dataclasses.replace(plan, summary=each), WORDS)
        assert "Best plan, proven to within 0.3215% of the turnover</p>" in page


# The page as a file


def test_the_page_loads_nothing_from_outside(text: str) -> None:
    page = Page(text)
    policy = next(m["content"] for m in page.of("meta") if "http-equiv" in m)
    assert policy is not None
    assert "default-src 'none'" in policy
    assert not any("src" in attributes for _, attributes in page.elements)
    links = [attributes["href"] for attributes in page.of("a")]
    assert links
    assert all(re.fullmatch(r"#main|[a-z]+\.(csv|json|yaml)", str(link)) for link in links)


def test_headings_are_in_order_and_there_is_one_main(text: str) -> None:
    page = Page(text)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    assert len(page.of("main")) == 1
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "aria-controls"):
            assert attributes.get(name) in (None, *ids)


def unpacked(text: str, id_: str) -> Any:
    found = re.search(rf'id="{id_}">([^<]*)</script>', text)
    assert found is not None
    return json.loads(gzip.decompress(base64.b64decode(found[1])))


def test_every_chart_has_its_figure_and_its_table(text: str) -> None:
    page = Page(text)
    figures = [a for a in page.of("div") if "figure" in str(a.get("class"))]
    assert figures
    for figure in figures:
        packed = unpacked(text, str(figure["data-packed"]))
        assert packed["data"]
        table = str(figure["id"]).replace("figure-", "table-")
        assert any(a.get("id") == table for a in page.of("table"))


def test_texts_of_the_scenario_stay_texts() -> None:
    found = plan_page(small(name=NASTY, description=NASTY), WORDS)
    assert "<script>alert" not in found
    page = Page(found)
    assert page.texts.count(NASTY) == 3  # the title, the heading, the description
    opened = page.of("script")
    assert all(a.get("type") in (None, "text/plain", "application/json") for a in opened)
    assert sum("type" not in a for a in opened) == 1


def test_cells_of_tables_stay_texts() -> None:
    table = pd.DataFrame({NASTY: [NASTY], "x": [1.5]})
    found = Page(f"<table>{rows_of(table)}</table>")
    assert found.texts == [NASTY, "x", NASTY, "1.5"]


def test_a_table_without_rows_has_its_head() -> None:
    assert rows_of(pd.DataFrame(columns=["a", "b"])).count("<th ") == 2


def test_long_tables_are_cut_where_the_page_says_so() -> None:
    table = pd.DataFrame({"time": range(1000), "x": range(1000)})
    assert rows_of(table).count("<tr>") == MOST_ROWS + 1
    week = plan_page(tiled(small(), 168, 15), WORDS)
    assert f"The first {MOST_ROWS} of 672 rows" in week


def test_reasons_come_back_as_they_were(plan: planner.Plan, text: str) -> None:
    found = unpacked(text, "packed-reasons")
    told = {
        (component["name"], decision["decision"], step): (code, reason)
        for component in found["components"]
        for decision in component["decisions"]
        for step, (code, reason) in enumerate(zip(*summed(decision), strict=True))
    }
    steps = {time: step for step, time in enumerate(plan.schedule.index)}
    assert len(told) == len(plan.reasons) > 0
    for row in plan.reasons.itertuples():
        code, reason = told[row.component, WORDS.term(row.decision), steps[row.time]]
        assert found["texts"][code] == WORDS.term(row.code)
        assert found["texts"][reason] == row.reason


def summed(decision: dict[str, Any]) -> list[list[int]]:
    return [pd.Series(decision[name]).cumsum().tolist() for name in ("code", "reason")]


def test_values_around_a_step_are_those_of_the_schedule(text: str) -> None:
    chat = next(c for c in unpacked(text, "packed-reasons")["components"] if c["name"] == "chat")
    rows = {row["label"]: row for row in chat["rows"]}
    assert "Mtok/h" in {row["unit"] for row in rows.values()}
    unserved = next(row for label, row in rows.items() if "unserved" in label)
    assert [value / 10 ** unserved["decimals"] for value in unserved["values"]] == [0, 9]


def test_reasons_that_do_not_fit_are_left_off_and_said(
    plan: planner.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    week = tiled(plan, 168, 15)
    whole, explained = packed_reasons(week, WORDS)
    assert explained == 672
    monkeypatch.setattr("planner.report.plan_page.reasons.MOST", len(whole) - 1)
    shorter, explained = packed_reasons(week, WORDS)
    assert explained < 672
    assert len(shorter) < len(whole)
    assert "This page holds reasons up to 2026-07-2" in plan_page(week, WORDS)


def test_a_plan_without_reasons_or_rules_has_a_page() -> None:
    plain = solve({"sun": renewable(10), "city": load(4)})
    found = plan_page(dataclasses.replace(plain, reasons=plain.reasons.iloc[:0]), WORDS)
    assert 'id="why"' not in found
    assert "This site sells no tokens" in found
    assert "No rule asks for a share" in found


def test_a_pooled_plan_has_a_page() -> None:
    pooled = planner.solve(scenario({"sun": renewable(10), "city": load(4)}, trace=False))
    assert "the origin of energy is not traced" in plan_page(pooled, WORDS)


@pytest.mark.few(1)
@pytest.mark.parametrize(("hours", "step_min"), [(168, 15), (8760, 60)])
def test_a_page_stays_below_six_megabytes(plan: planner.Plan, hours: int, step_min: int) -> None:
    assert len(plan_page(tiled(plan, hours, step_min), WORDS).encode()) < 6_000_000


@pytest.mark.slow
def test_a_page_needs_nothing_of_plotly_in_python(tmp_path: Path) -> None:
    code = (
        "import sys, planner\n"
        "plan = planner.solve(planner.load('scenarios/tiny_arbitrage'))\n"
        f"plan.write({str(tmp_path / 'plan')!r})\n"
        "heavy = [m for m in sys.modules if m.startswith('plotly.')]\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent.parent
    )


# Writing it, and writing it again


@pytest.fixture(scope="module")
def written(plan: planner.Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plan.write(tmp_path_factory.mktemp("plans") / "small", ("csv", "xlsx"))


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["report", *arguments])


def test_every_plan_gets_a_page(written: Path, plan: planner.Plan, text: str) -> None:
    page = (written / "report.html").read_text(encoding="utf-8")
    assert page == plan_page(plan, WORDS, ["schedule.xlsx"]) != text
    assert planner.audit(written) == []
    named = {str(a["href"]) for a in Page(page).of("a")} - {"#main"}
    assert named == {f.name for f in written.iterdir()} - {"report.html", "series.csv"}


def test_a_page_is_in_the_language_asked_for(plan: planner.Plan, tmp_path: Path) -> None:
    plan.write(tmp_path / "zh", lang="zh")
    page = Page((tmp_path / "zh" / "report.html").read_text(encoding="utf-8"))
    assert page.of("html") == [{"lang": "zh"}]


def test_report_writes_page_and_workbook_again(written: Path, plan: planner.Plan) -> None:
    (written / "report.html").unlink()
    (written / "schedule.xlsx").write_bytes(b"torn")
    before = {f.name: f.read_bytes() for f in written.iterdir() if f.suffix in (".csv", ".json")}
    done = run(str(written), "--lang", "zh")
    assert done.exit_code == 0, done.output
    assert done.output.split() == [str(written / "report.html"), str(written / "schedule.xlsx")]
    assert '<html lang="zh">' in (written / "report.html").read_text(encoding="utf-8")
    openpyxl.load_workbook(written / "schedule.xlsx")
    assert planner.read_plan(written) == plan
    assert planner.audit(written) == []
    after = {f.name: f.read_bytes() for f in written.iterdir() if f.suffix in (".csv", ".json")}
    assert before == after
    assert run(str(written), "--quiet").output == ""
    assert '<html lang="en">' in (written / "report.html").read_text(encoding="utf-8")


def test_a_plan_read_back_has_the_same_page(written: Path, plan: planner.Plan) -> None:
    assert run(str(written)).exit_code == 0
    page = plan_page(plan, WORDS, ["schedule.xlsx"])
    assert (written / "report.html").read_text(encoding="utf-8") == page


def test_a_folder_without_a_workbook_has_no_link_to_one(tmp_path: Path, text: str) -> None:
    folder = small().write(tmp_path / "plan", ("csv",))
    assert (folder / "report.html").read_text(encoding="utf-8") == text
    assert "schedule.xlsx" not in text


def test_the_page_begins_hour_by_hour_with_what_meters_show(plan: planner.Plan, text: str) -> None:
    """The town's 3 MW, and what the 2 nodes draw; the sun gives 10, so 7 less that are sold."""
    table = text[text.index('id="table-net"') :]
    heads = re.findall(r"<th scope=\"col\"[^>]*>([^<]*)</th>", table[: table.index("</thead>")])
    assert heads == [
        "time", "grid: exchange, import positive [MW]", "city: draw [MW]", "fleet: draw [MW]"
    ]  # fmt: skip
    first = re.findall(r"<td[^>]*>([^<]*)</td>", table[: table.index("</tr>", table.index("<td"))])
    draws = float(first[1]) + float(first[2])
    assert float(first[0]) == pytest.approx(draws - 10, abs=1e-3)


def test_the_page_of_a_rest_says_so_and_since_when(tmp_path: Path) -> None:
    folder = small().write(tmp_path / "plan")
    rest = planner.replan(folder, "2026-07-15T01:00").plan
    page = " ".join(Page(plan_page(rest, WORDS)).texts)
    assert f"The rest of plan {folder}, planned again from 2026-07-15 01:00 on; the 1 h" in page
    chinese = "".join(Page(plan_page(rest, language("zh"))).texts)
    assert "的剩余部分，自 2026-07-15 01:00 起重新排定；此前 1 h 已执行" in chinese


def test_a_loss_is_no_profit(plan: planner.Plan) -> None:
    lost = {"objective_cny": -100.0, "bound_cny": -99.0, "gap": 1e-3, "gap_of_profit": 1e-2}
    page = " ".join(
        Page(plan_page(dataclasses.replace(plan, summary=plan.summary | lost), WORDS)).texts
    )
    assert "0.1000% of the turnover, 1.0000% of the loss" in page
    assert "of the profit." not in page


def test_report_keeps_what_it_does_not_know_and_the_page_it_cannot_replace(
    plan: planner.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = plan.write(tmp_path / "plan", ("csv", "xlsx"))
    (target / "notes.txt").write_text("kept")
    page = (target / "report.html").read_bytes()

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("planner.files.output_folder.sync", fail)
        done = run(str(target), "--lang", "zh")
    assert done.exit_code == 5
    assert "磁盘空间不足" in done.output
    assert (target / "report.html").read_bytes() == page
    assert run(str(target)).exit_code == 0
    assert (target / "notes.txt").read_text() == "kept"
    assert not list(target.glob(".*"))


def test_report_of_a_sweep_folder_still_answers_it(tmp_path: Path) -> None:
    target = sweep_folder(tmp_path / "demo")
    done = run(str(target))
    assert done.exit_code == 0, done.output
    assert "9 cases by design grid" in done.output
    assert str(target / "report.html") in done.output.replace("\n", "")


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({}, "is neither a plan folder nor a sweep folder: it has no summary.json"),
        ({"infeasible.json": "{}"}, "holds no plan: see infeasible.json in it"),
        ({"summary.json": "[]"}, "summary.json cannot be read: it is not a mapping"),
        ({"summary.json": "{}"}, "its summary.json is not one of the planner"),
    ],
)
def test_report_says_what_a_folder_is_not(held: dict[str, str], said: str, tmp_path: Path) -> None:
    for name, content in held.items():
        (tmp_path / name).write_text(content)
    done = run(str(tmp_path))
    assert done.exit_code == 5
    assert said in done.output
    assert {f.name for f in tmp_path.iterdir()} == set(held)


def test_report_refuses_a_folder_that_another_run_writes_to(written: Path) -> None:
    held = "from planner.files.output_folder import claim\nimport sys\n"
    held += "from planner.plan_tables.files import PLAN_FOLDER\n"
    held += (
        "with claim(sys.argv[1], PLAN_FOLDER):\n    print('held', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", held, str(written)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "held\n"
        done = run(str(written))
        other.stdin.close()
    assert done.exit_code == 5
    assert "another run" in done.output
    unknown = run(str(written), "--lang", "fr")
    assert unknown.exit_code == 2
    assert "must be one of en, zh" in unknown.output


def test_what_a_given_schedule_breaks_stands_at_the_top(plan: planner.Plan) -> None:
    breach = {"text": "unit must stay on for <b>3 h</b>"}
    summary = plan.summary | {"status": "settled", "bound_cny": None, "gap": None}
    settled = dataclasses.replace(plan, summary=summary | {"breaches": [breach]})
    page = plan_page(settled, WORDS)
    assert "⚠</span> Given schedule; rules broken: 1</p>" in page
    assert "<bdi>unit must stay on for &lt;b&gt;3 h&lt;/b&gt;</bdi>" in page
    assert "no plan earns more than" not in page


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("schedule.csv", r"sun\.available_mw|sun\.power_mw|fleet\.it_kw", "moon", "is missing"),
        ("schedule.csv", r"\n[^\n]+\n$", "\n", "1 missing and 0 of no step"),
        ("schedule.csv", r"\n(\S+?),[0-9.]+", r"\n\1,abc", "something that is not a number"),
        ("allocation.csv", "mwh", "gwh", "allocation.csv cannot be read: it has no column mwh"),
        ("why.csv", "reason", "because", "why.csv cannot be read: it has no column reason"),
        (
            "summary.json",
            '"green"',
            '"blue"',
            "relied on:   - plan: green: is missing",
        ),
    ],
)
def test_a_folder_that_was_changed_is_told_in_words(
    tmp_path: Path, file: str, old: str, new: str, said: str
) -> None:
    folder = small().write(tmp_path / "plan")
    text = (folder / file).read_text(encoding="utf-8")
    changed = re.sub(old, new, text, count=1)
    assert changed != text
    (folder / file).write_text(changed, encoding="utf-8")
    done = CliRunner().invoke(app, ["report", str(folder)])
    assert done.exit_code == 5, done.output
    assert said in done.output.replace("\n", " ")
