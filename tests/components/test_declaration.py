"""Two settlements: the day-ahead declaration, the real-time rest, the band, and the file of it.

The grid sells at 40 and buys at 30 CNY/MWh day ahead (see `tests.support.build.grid`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

import planner
from planner.auditor.audit import audit_files
from planner.cli.app import app
from planner.errors import PlanError
from planner.report.declaration import declaration, write_declaration
from tests.support import build, golden
from tests.support.audited import both, cell, rule, said, step, stored
from tests.support.build import column, grid, load, profit, renewable, scenario, solve, total


def declaring(exchange_mw: Any, real_time: Any = 50, **fields: Any) -> dict[str, Any]:
    """A grid with a declaration; `band_share` and the costs go into it, the rest to the grid."""
    names = ("band_share", "over_cost_cny_per_mwh", "under_cost_cny_per_mwh")
    inside = {name: fields.pop(name) for name in names if name in fields}
    return grid(
        declaration={"exchange_mw": exchange_mw} | inside,
        real_time_price_cny_per_mwh=real_time,
        **fields,
    )


def test_what_deviates_is_settled_in_real_time():
    # declared 5 at 40; 7 are drawn, 2 more at 50
    plan = solve({"grid": declaring(5), "city": load(7)})
    assert plan.summary["objective_cny"] == -(5 * 40 + 2 * 50)
    assert total(plan, "grid", "import") == -7 * 40
    assert total(plan, "grid", "deviation") == -2 * (50 - 40)
    # 4 are drawn, 1 is sold back at 50
    assert profit({"grid": declaring(5), "city": load(4)}) == -(5 * 40 - 1 * 50)


def test_declared_export_has_the_price_of_export():
    # declared 5 out at 30; 7 go, 2 more at 20
    plan = solve({"grid": declaring(-5, 20), "sun": renewable(7)})
    assert plan.summary["objective_cny"] == 5 * 30 + 2 * 20
    assert total(plan, "grid", "export[renewable]") == 7 * 30
    assert total(plan, "grid", "deviation") == -2 * (30 - 20)
    # declared export, but 3 MW are drawn: 8 MW less than declared
    plan = solve({"grid": declaring(-5, 20), "city": load(3)})
    assert plan.summary["objective_cny"] == 5 * 30 - 8 * 20


def test_the_ledger_sums_to_the_settlement_statement():
    site = {
        "grid": declaring(
            [5, -4, 0, 6], [50, 10, 35, 45], over_cost_cny_per_mwh=3, under_cost_cny_per_mwh=2,
            import_price_cny_per_mwh=[40, 45, 50, 30], export_price_cny_per_mwh=[30, 20, 35, 25],
        ),
        "sun": renewable(0, 7, 4, 0),
        "city": load(7, 1, 1, 2),
    }  # fmt: skip
    plan = solve(site, 4)
    # exchange 7, -6, -3, 2 against 5, -4, 0, 6 declared: 2 over, 2 under, 3 under, 4 under
    ahead = -5 * 40 + 4 * 20 - 6 * 30
    real_time = -2 * 50 + 2 * 10 + 3 * 35 + 4 * 45
    figures = plan.summary["figures"]["grid"]
    assert figures["day_ahead_cny"] == ahead
    assert figures["real_time_cny"] == real_time
    assert figures["band_cny"] == -2 * 3 - 9 * 2
    lines = plan.summary["ledger_cny"]["grid"]
    assert lines["over"] == -2 * 3
    assert lines["under"] == -9 * 2
    energy = sum(lines.get(n, 0) for n in ("import", "export[renewable]", "export[thermal]"))
    assert energy + lines["deviation"] == pytest.approx(ahead + real_time)
    assert sum(lines.values()) == pytest.approx(plan.summary["objective_cny"])
    # a kWh sold keeps its day-ahead value: 6 MWh at 20, 3 at 35
    worth = plan.summary["value_cny_per_kwh"]["renewable"]["export"]
    assert worth == pytest.approx((6 * 20 + 3 * 35) / 9 / 1000, abs=1e-6)


def test_a_declaration_that_is_kept_costs_nothing_more():
    plan = solve({"grid": declaring(5, 99, over_cost_cny_per_mwh=7), "city": load(5)})
    assert plan.summary["objective_cny"] == profit({"grid": grid(), "city": load(5)})
    assert total(plan, "grid", "deviation") == 0


@pytest.mark.parametrize(
    ("drawn", "paid"), [(10, 0), (12, 0), (13, 1 * 7), (8, 0), (6, 2 * 3)]
)  # the band of 20 % of 10 MW is 8 to 12
def test_only_what_leaves_the_band_is_punished(drawn: float, paid: float):
    connection = declaring(
        10, 40, band_share=0.2, over_cost_cny_per_mwh=7, under_cost_cny_per_mwh=3
    )
    assert profit({"grid": connection, "city": load(drawn)}) == pytest.approx(-40 * drawn - paid)


def test_the_band_of_declared_export():
    connection = declaring(-10, 30, band_share=0.2, over_cost_cny_per_mwh=7)
    # 10 out; 7 go: 3 MW above the declared exchange, 1 beyond the band
    assert profit({"grid": connection, "sun": renewable(7)}) == pytest.approx(7 * 30 - 7)


def test_a_penalty_may_be_worth_avoiding():
    # 3 MW of sun more than declared would earn 5 each in real time and cost 7: curtailed
    connection = declaring(-2, 5, under_cost_cny_per_mwh=7)
    assert column(solve({"grid": connection, "sun": renewable(5)}), "grid.under_mw") == [0]
    assert profit({"grid": connection, "sun": renewable(5)}) == 2 * 30


def test_decide_declares_what_will_flow_where_leaving_it_costs():
    costs = {"over_cost_cny_per_mwh": 50, "under_cost_cny_per_mwh": 50}
    site = {
        "grid": declaring("decide", [60, 5], **costs),
        "sun": renewable(0, 9),
        "city": load(7, 2),
    }
    plan = solve(site, 2)
    assert column(plan, "grid.declared_import_mw") == [7, 0]
    assert column(plan, "grid.declared_export_mw") == [0, 7]
    assert plan.summary["objective_cny"] == -7 * 40 + 7 * 30


def test_decide_without_a_band_arbitrages_up_to_the_limits():
    # day-ahead 40, real time 60: declare 100 of import for a load of 7, sell 93 back
    connection = declaring("decide", 60, import_limit_mw=100)
    site = {"grid": connection, "city": load(7)}
    assert profit(site) == -100 * 40 + 93 * 60
    assert any("arbitrages" in text for text in scenario(site).warnings())
    assert not scenario({"grid": declaring(5), "city": load(7)}).warnings()


def test_decide_declares_one_way_at_a_time():
    # export at 50 and import at 40 day ahead: both at once would earn 10 a MW up to the limits
    connection = declaring(
        "decide", 45, import_limit_mw=9, export_limit_mw=9, export_price_cny_per_mwh=50
    )
    plan = solve({"grid": connection, "city": load(2)})
    into, out = column(plan, "grid.declared_import_mw"), column(plan, "grid.declared_export_mw")
    assert min(into[0], out[0]) == 0
    assert plan.summary["objective_cny"] == max(-9 * 40 + 7 * 45, 9 * 50 - 11 * 45)


def test_a_declaration_needs_no_traced_energy():
    connection = declaring([5, -4], 35, resale=True, over_cost_cny_per_mwh=1)
    plan = solve({"grid": connection, "city": load(7, 1)}, 2, trace=False)
    assert plan.summary["objective_cny"] == -5 * 40 - 2 * 35 - 2 + 4 * 30 - 5 * 35 - 5


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"real_time_price_cny_per_mwh": 1}, "real_time_price_cny_per_mwh: is only for a decl"),
        ({"declaration": {"exchange_mw": 1}}, "real_time_price_cny_per_mwh: is required with"),
        ({"declaration": {}}, "declaration.exchange_mw: is required"),
        (
            {"declaration": {"exchange_mw": "free"}},
            "exchange_mw: must be a number or a series, or 'decide', is 'free'",
        ),
        ({"declaration": {"exchange_mw": 1, "band_share": 2}}, "band_share: must be 1 or less"),
        ({"declaration": {"exchange_mw": 1, "band_share": 0.1}}, "band_share: is only for over_"),
        (
            {
                "declaration": {"exchange_mw": 1},
                "real_time_price_cny_per_mwh": 1,
                "export_price_cny_per_mwh": {"renewable": 1, "thermal": 2},
            },
            "export_price_cny_per_mwh: cannot differ by origin with a declaration",
        ),
    ],
)
def test_errors_name_the_field(fields: dict[str, object], message: str):
    with pytest.raises(planner.ScenarioError, match=message):
        scenario({"grid": grid(**fields), "city": load(1)})


# the audit

COSTS = {"band_share": 0.1, "over_cost_cny_per_mwh": 3, "under_cost_cny_per_mwh": 2}


def test_the_audit_finds_what_is_wrong_with_a_declaration():
    files = stored(
        solve(
            {"grid": declaring([5, -4], [50, 10], **COSTS),
             "sun": renewable(0, 7), "city": load(7, 1)},
            2,
        )
    )  # fmt: skip
    assert said(files) == []

    def rules(edit):
        return {(b.component, b.rule) for b in audit_files(edit(files))}

    assert ("grid", "declared") in rules(rule("grid", "declaration", "exchange_mw", to=5))
    assert ("grid", "declared") in rules(cell("grid.declared_import_mw", 1, 6))
    assert ("grid", "declared") in rules(cell("grid.declared_export_mw", 1, 1))
    assert ("grid", "over_band") in rules(cell("grid.over_mw", 1, 3))
    assert ("grid", "under_band") in rules(cell("grid.under_mw", 2, 1))
    assert ("grid", "under_band") in rules(rule("grid", "declaration", "band_share", to=0))
    assert ("grid", "deviation") in rules(rule("grid", "real_time_price_cny_per_mwh", to=9))
    assert ("grid", "over") in rules(rule("grid", "declaration", "over_cost_cny_per_mwh", to=4))
    assert ("grid", "columns") in rules(rule("grid", "declaration", "over_cost_cny_per_mwh", to=0))
    assert ("grid", "columns") in rules(rule("grid", "declaration", to=None))
    for i, row in enumerate(files.ledger.itertuples()):
        if row.line in ("deviation", "over", "under"):
            table = files.ledger.copy()
            table.loc[i, "amount_cny"] += 1
            changed = planner.auditor.audit.audit_files(  # type: ignore[attr-defined]
                type(files)(**(vars(files) | {"ledger": table}))
            )
            assert ("grid", row.line) in {(b.component, b.rule) for b in changed}


def test_the_audit_finds_what_is_wrong_with_a_chosen_declaration():
    connection = declaring("decide", [60, 10], import_limit_mw=20, export_limit_mw=20)
    files = stored(solve({"grid": connection, "city": load(7, 7)}, 2))
    assert said(files) == []
    assert files.schedule["grid.declared_import_mw"].tolist() == [20, 0]
    assert files.schedule["grid.declared_export_mw"].tolist() == [0, 20]

    def rules(*edits):
        return {(b.component, b.rule, b.time) for b in audit_files(both(*edits)(files))}

    narrow = rule("grid", "import_limit_mw", to=19), rule("grid", "export_limit_mw", to=19)
    assert ("grid", "declared_import", step(1)) in rules(*narrow)
    assert ("grid", "declared_export", step(2)) in rules(*narrow)
    assert ("grid", "declaring", step(1)) in rules(cell("grid.declared_export_mw", 1, 1))
    assert ("grid", "declaring", step(1)) in rules(cell("grid.declaring", 1, 0.5))


# the file


def write(folder: Path, components: dict[str, Any], **top: Any) -> Path:
    horizon = {"start": build.START, "hours": 24, "step_min": 60} | top
    data = {
        "name": "declared",
        "horizon": horizon,
        "solver": build.EXACT,
        "components": components,
    }
    file = folder / "scenario.yaml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    return file


def run(*words: object) -> Any:
    return CliRunner().invoke(app, ["solve", *map(str, words)])


DEMAND = [3, 2, 2, 2, 2, 3, 5, 8, 9, 9, 8, 7, 6, 5, 6, 7, 8, 9, 9, 8, 7, 6, 5, 4]
SUN = [0, 0, 0, 0, 0, 0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.2]
SITE = {
    "sun": renewable(0) | {"availability_pu": [*SUN, *reversed(SUN)]},
    "city": {"kind": "load", "demand_mw": DEMAND},
}
BOTH = {"over_cost_cny_per_mwh": 30, "under_cost_cny_per_mwh": 30}


def test_a_chosen_declaration_written_and_read_back_is_kept(tmp_path: Path):
    file = write(tmp_path, SITE | {"grid": declaring("decide", 42, **BOTH)})
    done = run(file, "--out", tmp_path / "first", "--declare", tmp_path / "day.csv", "-q")
    assert done.exit_code == 0, done.output
    lines = (tmp_path / "day.csv").read_text().splitlines()
    assert lines[0] == "time,grid.exchange_mw"
    assert len(lines) == 1 + 24
    assert lines[1].startswith("2026-07-15T01:00,3")
    assert lines[-1].startswith("2026-07-15T24:00,4")
    series = {"csv": "day.csv", "column": "grid.exchange_mw", "stamp": "end"}
    again = planner.solve(
        planner.load(file, set={"components.grid.declaration.exchange_mw": series})
    )
    first = planner.read_plan(tmp_path / "first")
    assert again.summary["objective_cny"] == pytest.approx(first.summary["objective_cny"])
    assert total(again, "grid", "deviation") == pytest.approx(0, abs=1e-6)
    assert again.summary["figures"]["grid"]["real_time_cny"] == pytest.approx(0, abs=1e-6)
    assert column(again, "grid.import_mw") == column(first, "grid.import_mw")


def test_ninety_six_points_for_quarters_of_an_hour_and_grids_that_do_not_declare(tmp_path: Path):
    two = {"grid": declaring(5), "feed": grid(node="hall"),
           "hall": {"kind": "load", "demand_mw": 4, "node": "hall"},
           "city": {"kind": "load", "demand_mw": 7}}  # fmt: skip
    file = write(tmp_path, two, hours=48, step_min=15)
    path = tmp_path / "days.xlsx"
    assert run(file, "--out", tmp_path / "plan", "--declare", path, "-q").exit_code == 0
    rows = list(openpyxl.load_workbook(path)["declaration"].iter_rows(values_only=True))
    assert rows[0] == ("time", "feed.exchange_mw", "grid.exchange_mw")
    assert len(rows) == 1 + 2 * 96
    assert rows[1] == ("2026-07-15T00:15", 4, 5)  # planned where nothing is declared
    assert rows[96][0] == "2026-07-15T24:00"
    assert rows[97][0] == "2026-07-16T00:15"


def test_a_declaration_may_lie_in_the_folder_that_is_made_for_the_plan(tmp_path: Path):
    file = write(tmp_path, {"grid": grid()})
    new = tmp_path / "plans" / "today"
    assert run(file, "--out", new / "plan", "--declare", new / "day.csv", "-q").exit_code == 0
    assert (new / "day.csv").is_file()
    assert (new / "plan" / "summary.json").is_file()


@pytest.mark.parametrize(
    ("components", "top", "name", "words"),
    [
        (SITE, {}, "day.csv", "--declare: there is no grid"),
        (SITE | {"grid": grid()}, {"step_min": 30, "hours": 12}, "day.csv", "horizon.step_min: mu"),
        (SITE | {"grid": grid()}, {}, "day.txt", "must end in .csv or .xlsx"),
        (SITE | {"grid": grid()}, {}, "none/day.csv", "there is no folder"),
        (SITE | {"grid": grid()}, {}, "folder.csv", "is a folder, not a file"),
        (SITE | {"grid": grid()}, {}, f"{'x' * 300}.csv", "File name too long"),
        (SITE | {"grid": grid()}, {}, "plan/none/day.csv", "may not lie in the plan folder"),
        (SITE | {"grid": grid()}, {}, "plan/day.csv", "may not lie in the plan folder"),
    ],
)
def test_what_cannot_be_declared_is_reported_before_solving(
    components: dict[str, Any], top: dict[str, Any], name: str, words: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    monkeypatch.setattr("planner.cli.solve._plan", lambda *_: pytest.fail("solved"))
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "plan").mkdir()
    if not any(part["kind"] == "grid" for part in components.values()):
        components = {"sun": SITE["sun"]}
    if top:
        components = {"grid": grid()}
    file = write(tmp_path, components, **top)
    done = run(file, "--out", tmp_path / "plan", "--declare", tmp_path / name)
    assert done.exit_code == 2, done.output
    assert words in done.stderr


def test_a_declaration_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    plan = solve({"grid": grid(), "city": load(5)})
    path = tmp_path / "day.csv"
    path.write_text("older")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("planner.files.output_folder.sync", full)
    with pytest.raises(PlanError, match="No space left on device"):
        write_declaration(plan, path)
    assert path.read_text() == "older"
    assert [path.name for path in tmp_path.iterdir()] == ["day.csv"]


def test_exports_are_negative_and_nothing_is_minus_zero():
    plan = solve({"grid": grid(), "sun": renewable(5, 0), "city": load(3, 0)}, 2)
    table = declaration(plan)
    assert table["grid.exchange_mw"].tolist() == [-2, 0]
    assert str(table["grid.exchange_mw"].iloc[1]) == "0.0"
    assert isinstance(table, pd.DataFrame)


def test_golden_declaration():
    connection = declaring(
        "decide", [50, 20], import_limit_mw=[9, 8], export_limit_mw=[5, 4], **COSTS
    )
    declared = declaring([4, -2], [50, 20], node="hall", under_cost_cny_per_mwh=2)
    site = {"grid": connection, "sun": renewable(4, 9), "city": load(6, 3), "feed": declared}
    golden.check("grid_declaration", scenario(site, 2))
