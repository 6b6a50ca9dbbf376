"""The auditor on tables, totals and files, whatever the kinds: only good plans pass.

What each kind of component promises is broken in the file of its name.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import planner
from planner.auditor.audit import Breach, audit, audit_files
from planner.auditor.plan_files import Files
from planner.auditor.reading import Line, Part, Plan
from planner.auditor.registry import KINDS
from planner.auditor.summary import check_summary
from planner.errors import PlanError
from tests.support import build
from tests.support.audited import (
    PLANS,
    audited_anew,
    both,
    coal,
    leaves,
    nodes,
    queue,
    rule,
    rules,
    said,
    solved,
    step,
    store,
    sun,
    with_figure,
)

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"
TINY = sorted(path.name for path in SCENARIOS.glob("tiny_*"))


@pytest.mark.parametrize("name", TINY)
def test_the_plans_of_the_tiny_scenarios_keep_their_promises(name: str, tmp_path: Path) -> None:
    planner.solve(planner.load(SCENARIOS / name)).write(tmp_path / "plan")
    assert audit(tmp_path / "plan") == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["huainan", "huainan_96", "huainan_winter", "article"])
def test_the_plans_of_the_large_scenarios_keep_their_promises(name: str, tmp_path: Path) -> None:
    planner.solve(planner.load(SCENARIOS / name)).write(tmp_path / "plan")
    assert audit(tmp_path / "plan") == []


@pytest.mark.parametrize("name", PLANS)
def test_the_plans_to_be_broken_are_good(name: str) -> None:
    assert said(PLANS[name]()) == []


# Tables and totals.


def ledger(files: Files, at: int, **to: object) -> Files:
    table = files.ledger.copy()
    for column, value in to.items():
        table[column] = table[column].astype(
            object if isinstance(value, str) else table[column].dtype
        )
        table.loc[at, column] = value
    return dataclasses.replace(files, ledger=table)


def test_every_amount_of_the_ledger_is_checked() -> None:
    for plan in (coal(), store(), sun(), nodes(), queue()):
        for i, row in enumerate(plan.ledger.itertuples()):
            changed = ledger(plan, i, amount_cny=row.amount_cny + 1)  # type: ignore[operator]
            breaches = [b for b in audit_files(changed) if b.component == row.component]
            assert [breach.rule for breach in breaches] == [row.line]
            assert breaches[0].time in ("", *str(row.period).split("T")) or "T" in breaches[0].time


def test_rows_of_the_ledger_may_not_be_doubled_renamed_or_called_cash() -> None:
    files = sun()
    at = int(files.ledger.index[files.ledger["line"] == "shed"][1])
    assert ("town", "shed.cash") in rules(ledger(files, at, cash=True))
    assert ("town", "lines") in rules(ledger(files, at, line="bonus"))
    assert ("town", "shed.rows") in rules(ledger(files, at, period="2026-07-15T09:00:00+08:00"))
    first = files.ledger["period"][0]
    assert ("town", "shed.rows") in rules(ledger(files, at, period=first))
    dropped = dataclasses.replace(files, ledger=files.ledger.drop(index=at))
    assert ("town", "shed") in rules(dropped)


def test_the_allocation_is_checked_row_by_row() -> None:
    files = store()
    for i, row in enumerate(files.allocation.itertuples()):
        table = files.allocation.copy()
        table.loc[i, "mwh"] += 0.1
        breaches = audit_files(dataclasses.replace(files, allocation=table))
        named = [b for b in breaches if b.rule == f"{row.origin}.{row.use}"]
        assert [breach.time[:16] for breach in named] == [str(row.time)[:16]]
        assert any(b.rule == f"{row.origin}.conserved" for b in breaches)


def test_rows_of_the_allocation_may_not_be_missing_or_strange() -> None:
    files, table = store(), store().allocation
    used = (table["use"] == "export") & (table["origin"] == "grid")
    for wrong, name in (
        (table.drop(index=3), "rows"),
        (table[~used], "grid.export"),
        (table.assign(use=table["use"].where(~used, "gift")), "rows"),
        (pd.concat([table, table.iloc[[3]]]), "rows"),
    ):
        broken = rules(dataclasses.replace(files, allocation=wrong))
        assert [rule for component, rule in broken if component == "allocation" and name in rule]


@pytest.mark.few(4)
@pytest.mark.parametrize("name", PLANS)
def test_every_figure_of_the_summary_is_checked(name: str) -> None:
    files = PLANS[name]()
    audit_summary = audited_anew(files, check_summary)
    assert len(leaves(files.summary)) > 20
    for path in leaves(files.summary):
        value: Any = functools.reduce(lambda tree, key: tree[key], path, files.summary)
        dotted = ".".join(str(key) for key in path if isinstance(key, str))
        for to in (value * 1.05 + 0.02, math.nan, "much", None):
            broken = [b.rule for b in audit_summary(with_figure(files, path, to))]
            if path[::2] == ("green", "load_share") and isinstance(to, float) and to == to:
                continue  # the meters bound the range of this share and do not determine it
            assert set(broken) & {dotted, path[0]} or path == ("bound_cny",), (path, to, broken)
            assert broken


def test_what_the_summary_repeats_of_the_scenario_must_be_the_same() -> None:
    for key in ("name", "description", "vat", "start", "components", "status"):
        assert ("plan", key) in rules(with_figure(store(), (key,), "other"))


def test_a_gap_wider_than_asked_for_is_not_optimal() -> None:
    files = store()
    wide = _with_gap(files, 0.01 * files.summary["turnover_cny"])
    assert rules(wide) == {("plan", "gap")}
    assert rules(with_figure(wide, ("status",), "time_limit")) == set()


def _with_gap(files: Files, difference: float) -> Files:
    """Return a plan whose bound is above its profit, with both gaps."""
    profit, turnover = (files.summary[name] for name in ("objective_cny", "turnover_cny"))
    gaps = {"gap": difference / turnover, "gap_of_profit": difference / abs(profit)}
    changes = gaps | {"bound_cny": profit + difference}
    return dataclasses.replace(files, summary=dict(files.summary) | changes)


@pytest.mark.parametrize("name", ["store", "sun"])  # a profit, a loss
def test_the_gap_of_profit_is_that_of_profit_and_bound(name: str) -> None:
    files = _with_gap(PLANS[name](), 0.001)
    assert rules(files) == set()
    right = files.summary["gap_of_profit"]
    for wrong in (0.0, -right, 1.1 * right, None, "small"):
        assert rules(with_figure(files, ("gap_of_profit",), wrong)) == {("plan", "gap_of_profit")}
    unknown = with_figure(with_figure(files, ("status",), "settled"), ("bound_cny",), None)
    assert rules(unknown) == {("plan", "gap"), ("plan", "gap_of_profit")}
    no_gap = with_figure(unknown, ("gap",), None)
    assert rules(with_figure(no_gap, ("gap_of_profit",), None)) == set()


def test_a_profit_of_nothing_has_no_gap_of_it() -> None:
    files = solved({"pv": build.renewable(8)}, 1)
    assert files.summary["gap_of_profit"] is None
    assert rules(files) == set()
    assert rules(with_figure(files, ("gap_of_profit",), 0.0)) == {("plan", "gap_of_profit")}


# What the schedule must look like, and what cannot be read.


def test_a_schedule_must_have_every_step_and_column() -> None:
    files = coal()
    table = files.schedule
    for wrong, name in (
        (table.drop(index=2), "time"),
        (pd.concat([table, table.iloc[[2]]]), "time"),
        (table.iloc[::-1], "time"),
        (table.drop(columns="coal.start_kind[1]"), "columns"),
        (table.assign(**{"coal.bonus_mw": 0.0}), "columns"),
        (table.assign(**{"wind.power_mw": 0.0}), "columns"),
        (table.assign(**{"coal.on": math.nan}), "number"),
        (table.assign(**{"coal.on": math.inf}), "number"),
    ):
        broken = rules(dataclasses.replace(files, schedule=wrong))
        assert [rule for _, rule in broken] == [name]


def test_a_breach_reads_as_a_sentence_and_breaches_are_sorted() -> None:
    slow = both(rule("coal", "ramp_up_mw_per_h", to=15), rule("coal", "ramp_down_mw_per_h", to=40))
    breaches = audit_files(slow(coal()))
    assert [str(breach) for breach in breaches] == [
        f"coal: ramp_down at {step(5)}: falls 50 MW, at most 40 MW (10 MW over)",
        f"coal: ramp_up at {step(2)}: rises 20 MW, at most 15 MW (5 MW over)",
        f"coal: ramp_up at {step(3)}: rises 40 MW, at most 15 MW (25 MW over)",
        f"coal: ramp_up at {step(4)}: rises 20 MW, at most 15 MW (5 MW over)",
    ]
    assert breaches[0] == Breach("coal", "ramp_down", step(5), 10.0, "MW", breaches[0].message)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parts = {"grid": build.market(10, 20), "pv": build.renewable(1, 2)}
    return build.solve(parts, 2).write(tmp_path_factory.mktemp("good") / "plan", page=False)


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "plan"))


def test_a_good_folder_passes(folder: Path) -> None:
    assert audit(folder) == audit(str(folder)) == []


@pytest.mark.parametrize(
    "file",
    ["scenario.yaml", "series.csv", "schedule.csv", "allocation.csv", "ledger.csv", "summary.json"],
)
@pytest.mark.parametrize(
    "content", [None, b"", b"\xff\xfe\x00", b"a: [", b"time\nyesterday\n", b"[]"]
)
def test_a_file_that_cannot_be_read_is_named(
    folder: Path, file: str, content: bytes | None
) -> None:
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content)
    with pytest.raises(
        PlanError, match=file.replace("series.csv", r"(series\.csv|scenario\.yaml)")
    ):
        audit(folder)


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("scenario.yaml", "capacity_mw: 100.0", "capacity_mw: big", "components.pv.capacity_mw"),
        ("scenario.yaml", "capacity_mw: 100.0\n", "\n", "components.pv.capacity_mw is missing"),
        ("scenario.yaml", "kind: renewable", "kind: reactor", "reactor"),
        ("scenario.yaml", "hours: 2.0", "hours: often", "horizon"),
        ("scenario.yaml", "trace: true", "trace: maybe", "trace"),
        ("scenario.yaml", "series.csv", "/etc/passwd", "series.csv"),
        ("series.csv", "T01:00", "T02:00", "not those of the horizon"),
        ("series.csv", "0.02", "much", "not a number"),
        ("schedule.csv", "2.0", "much", "not a number"),
        ("ledger.csv", "True", "perhaps", "ledger.csv"),
        ("ledger.csv", "amount_cny", "amount", "ledger.csv"),
        ("schedule.csv", "T01:00", "T99:00", "a time cannot be read"),
        ("allocation.csv", "T01:00", "T99:00", "a time cannot be read"),
    ],
)
def test_what_an_audit_needs_and_does_not_find_is_named(
    folder: Path, file: str, old: str, new: str, words: str
) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    with pytest.raises(PlanError, match=words):
        audit(folder)


def test_a_folder_without_a_plan_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="no plan folder"):
        audit(tmp_path)


def test_the_lines_of_a_ledger_are_derived_once(monkeypatch: pytest.MonkeyPatch) -> None:
    files, kind, asked = store(), KINDS["grid"], list[str]()

    def lines(plan: Plan, part: Part) -> Iterable[Line]:
        asked.append(part.name)
        return kind.lines(plan, part)

    monkeypatch.setitem(KINDS, "grid", dataclasses.replace(kind, lines=lines))
    assert said(files) == []
    assert asked == ["grid"]


def test_the_gap_of_a_year_is_checked_by_month() -> None:
    """All profit is earned in one month; what the gap of 3 CNY leaves out of it is shared."""
    files = _with_gap(store(), 3.0)
    earned = files.ledger.groupby(files.ledger["period"].str[:7])["amount_cny"].sum()
    months = [
        {"month": month, "profit_cny": profit, "missing_cny": 2.0}
        for month, profit in earned.items()
    ]
    assert len(months) == 1

    def broken(**year: Any) -> set[tuple[str, str]]:
        return {rule for rule in rules(with_figure(files, ("year",), year)) if "gap" not in rule}

    assert broken(months=months, shared_cny=1.0) == set()
    assert broken(months=months, shared_cny=2.0) == {("plan", "year.shared_cny")}
    other = [months[0] | {"profit_cny": months[0]["profit_cny"] + 1}]
    ((_, rule),) = broken(months=other, shared_cny=1.0)
    assert rule.startswith("year.months.")
    assert broken() == {("plan", "year.months")}
