"""Breaches in Chinese: every one of them, with only names, columns, codes and units in English."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from planner.auditor.audit import audit, audit_files, describe_breaches
from planner.auditor.findings import Breach
from planner.auditor.plan_files import Files
from planner.auditor.summary import STATUS, check_summary
from planner.errors import PlanError
from planner.language.language import language
from planner.message import Message
from tests.auditor import (
    test_battery,
    test_fleet,
    test_grid,
    test_line_and_job,
    test_load_and_renewable,
    test_prices,
    test_reserve,
    test_service,
    test_shares,
    test_thermal,
)
from tests.auditor.test_prices import files as priced  # noqa: F401  a fixture
from tests.support import build
from tests.support.audited import audited_anew, both, coal, leaves, rule, shares, store, with_figure

ZH = language("zh")
UNITS = {"MW", "MWh", "GJ", "kW", "tCO2", "Token", "h", "ms", "s", "nan", "null", "CNY"}
WORD = re.compile(r"[A-Za-z][\w.]*")
FIGURE = re.compile(r"(?<![\w.])-?\d[\d.]*(?:e[-+]?\d+)?")
KINDS = (
    test_battery, test_fleet, test_grid, test_line_and_job, test_load_and_renewable, test_reserve,
    test_service, test_thermal,
)  # fmt: skip


def names(files: Files) -> set[str]:
    """Return what a plan names: components, models, columns, lines, codes and fields."""
    tables = (files.schedule, files.allocation, files.ledger, files.green, files.prices, files.why)
    texts = [str(files.scenario), json.dumps(files.summary)]
    for table in tables:
        if table is not None:
            texts.append(table.to_csv(index=False))
    return {part for text in texts for word in WORD.findall(text) for part in word.split(".")}


def must_be_chinese(breaches: list[Breach], named: set[str]) -> None:
    """Check that breaches read in Chinese, with every figure and no English word but names."""
    assert breaches
    known = {*UNITS, *STATUS, *named}
    for breach in breaches:
        text = ZH.sentence(breach.message)
        assert re.search(r"[\u4e00-\u9fff]", text), breach
        assert all(number in text for number in FIGURE.findall(breach.message)), (text, breach)
        words = {word for word in WORD.findall(FIGURE.sub("", text)) if not {*"._"} & {*word}}
        assert words <= known, (text, breach)


@pytest.mark.few(1)
@pytest.mark.parametrize("tests", KINDS, ids=lambda tests: tests.__name__.rpartition(".")[2])
def test_breaches_of_every_kind_read_in_chinese(tests: Any) -> None:
    for plan, edit, *_ in tests.BROKEN:
        files = edit(plan())
        must_be_chinese(audit_files(files), names(files))


def test_breaches_of_shares_and_emissions_read_in_chinese() -> None:
    for edit, *_ in test_shares.BROKEN:
        files = edit(shares())
        must_be_chinese(audit_files(files), names(files))


def test_breaches_of_prices_read_in_chinese(priced: Files) -> None:  # noqa: F811
    for edit, _ in test_prices.BROKEN:
        files = edit(priced)
        must_be_chinese(audit_files(files), names(files))


def test_breaches_of_tables_and_totals_read_in_chinese() -> None:
    files = store()
    audit_summary, named = audited_anew(files, check_summary), names(files)
    for path in leaves(files.summary):
        for to in (17.5, None, "much", {}):
            must_be_chinese(audit_summary(with_figure(files, path, to)), {"much", *named})
    schedule, allocation, ledger = files.schedule, files.allocation, files.ledger
    assert files.green is not None
    for table in (
        {"schedule": schedule.drop(index=2)},
        {"schedule": schedule.assign(**{"wind.power_mw": 0.0, "grid.extra": 0.0})},
        {"schedule": schedule.assign(**{"grid.import_mw": float("nan")})},
        {"allocation": allocation.drop(index=3)},
        {"allocation": allocation.assign(use="gift")},
        {"ledger": ledger.assign(line="bonus")},
        {"ledger": ledger.assign(cash=False)},
        {"ledger": ledger.assign(period="2026-07-16T00:00:00+08:00")},
        {"green": files.green.assign(load_share=0.3)},
        {"green": files.green.drop(columns="load_share")},
        {"summary": dict(files.summary) | {"status": "good", "components": {}, "worst_hours": []}},
        {"summary": dict(files.summary) | {"gap": 0.5, "bound_cny": 0.0, "prices": {}}},
    ):
        changed = dataclasses.replace(files, **table)
        must_be_chinese(audit_files(changed), names(changed))


def test_a_breach_is_a_message_with_its_place() -> None:
    files = both(rule("coal", "ramp_down_mw_per_h", to=40))(coal())
    breaches = [breach for breach in audit_files(files) if breach.rule == "ramp_down"]
    place = "ramp_down at 2026-07-15T04:00+08:00"
    assert str(breaches[0]) == f"coal: {place}: falls 50 MW, at most 40 MW (10 MW over)"
    assert ZH.sentence(breaches[0].with_place()) == (
        "coal：ramp_down（2026-07-15T04:00+08:00）：出力下降 50 MW，至多 40 MW（超出 10 MW）"
    )


def test_the_first_breaches_are_described_below_a_head() -> None:
    breach = Breach("coal", "on", "", 1.0, "MW", Message("is missing"))
    head = Message("the plan fails its own audit and is not to be used")
    text = describe_breaches(head, [breach] * 22)
    assert text.split("\n") == [f"{head}:", *["  - coal: on: is missing"] * 20, "  and 2 more"]
    assert ZH.sentence(text).split("\n")[-2:] == ["  - coal：on：缺失", "  另有 2 项"]


def test_errors_of_reading_read_in_chinese(tmp_path: Path) -> None:
    folder = build.solve({"grid": build.market(10, 20)}, 2).write(tmp_path / "plan")
    schedule = folder / "schedule.csv"
    text = schedule.read_text()
    schedule.write_text(text.replace("grid.import_mw", "grid.extra_mw"))
    text = describe_breaches(
        Message("{path} fails its audit and is not to be relied on", path="x"), audit(folder)
    )
    assert ZH.sentence(text).split("\n") == [
        "x 未通过核查，不可采信：",
        "  - grid：columns：grid.extra_mw 不是本场景的列",
        "  - grid：columns：缺少 grid.import_mw：未再检查其他内容",
    ]
    (folder / "ledger.csv").write_text("component,line\n")
    with pytest.raises(PlanError) as caught:
        audit(folder)
    assert ZH.sentence(caught.value.message).startswith(f"{folder / 'ledger.csv'} 无法读取：")
