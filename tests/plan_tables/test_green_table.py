"""green.csv: renewable energy and its shares by the hour, and what the audit says of it."""

from __future__ import annotations

import dataclasses
import functools
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import planner
from planner.auditor.audit import audit, audit_files
from planner.auditor.plan_files import Files
from planner.errors import PlanError
from planner.plan_tables.shares import COLUMNS
from tests.support.audited import rules, said, step, stored
from tests.support.build import battery, column, grid, load, renewable, solve
from tests.support.compute import chat, fleet


@functools.cache
def plan() -> planner.Plan:
    """10, 9 and 0 MW of sun; 4 are stored in the first hour, where a sale costs 1.

    Nodes draw 2 MW and a town 2; 3 MW may be sold. The last hour takes the 4 MWh stored.
    """
    site: dict[str, Any] = {
        "sun": renewable(10, 9, 0, must_take_pu=[0.1, 0, 0]),
        "battery": battery(available=[1, 0, 1]),
        "town": load(2, 2, 2),
        "fleet": fleet(2),
        "chat": chat(18),
        "grid": grid(export_limit_mw=3, export_price_cny_per_mwh=[-1, 30, 30]),
    }
    return solve(site, 3)


def test_energy_and_shares_of_every_hour() -> None:
    table = plan().green
    assert tuple(table.columns) == COLUMNS
    assert column(plan(), "battery.charge_mw[renewable]") == [4, 0, 0]
    first, second, third = table.drop(columns="time").to_dict("records")
    assert first == pytest.approx(
        {
            "available_mwh": 10, "self_use_mwh": 8, "exported_mwh": 2, "curtailed_mwh": 0,
            "drawn_mwh": 4, "renewable_drawn_mwh": 4, "self_use_share": 0.8, "load_share": 1,
            "official_load_share": 2, "export_share": 0.2,
        }
    )  # fmt: skip
    assert second["curtailed_mwh"] == pytest.approx(2)  # 9 less 4 drawn and 3 sold
    assert second["self_use_share"] == pytest.approx(4 / 9, abs=1e-9)
    assert third["renewable_drawn_mwh"] == pytest.approx(4)
    assert third["load_share"] == pytest.approx(1)
    assert math.isnan(third["self_use_share"])
    assert math.isnan(third["export_share"])


def test_the_hours_sum_to_the_shares_of_the_period() -> None:
    sums, shares = plan().green.drop(columns="time").sum(), plan().summary["green"]
    assert sums["self_use_mwh"] / sums["available_mwh"] == pytest.approx(
        shares["self_use_share"], abs=1e-6
    )
    assert sums["renewable_drawn_mwh"] / sums["drawn_mwh"] == pytest.approx(shares["load_share"])
    assert sums["self_use_mwh"] / sums["drawn_mwh"] == pytest.approx(shares["official_load_share"])
    assert sums["exported_mwh"] / sums["available_mwh"] == pytest.approx(
        shares["export_share"], abs=1e-6
    )


def test_a_share_of_nothing_is_an_empty_cell(tmp_path: Path) -> None:
    lines = (plan().write(tmp_path / "plan") / "green.csv").read_text().splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert lines[1].startswith("2026-07-15T00:00:00+0800,10.0,8.0,")
    assert lines[3].split(",")[7] == lines[3].split(",")[10] == ""


def test_a_plan_read_back_has_and_writes_the_same(tmp_path: Path) -> None:
    first = plan().write(tmp_path / "plan")
    again = planner.read_plan(first)
    pd.testing.assert_frame_equal(again.green, plan().green, check_freq=False)
    second = again.write(tmp_path / "again")
    assert (second / "green.csv").read_bytes() == (first / "green.csv").read_bytes()
    assert again == plan()


def test_pooled_energy_has_no_table(tmp_path: Path) -> None:
    pooled = solve({"sun": renewable(5), "town": load(3)}, trace=False)
    assert pooled.green.empty
    folder = pooled.write(tmp_path / "plan")
    assert not (folder / "green.csv").exists()
    assert audit(folder) == []
    (folder / "green.csv").write_bytes((plan().write(tmp_path / "b") / "green.csv").read_bytes())
    assert "pooled energy has no shares" in str(audit(folder)[0])


# the audit


def changed(files: Files, table: pd.DataFrame) -> Files:
    return dataclasses.replace(files, green=table)


@functools.cache
def files() -> Files:
    return stored(plan())


def test_every_cell_is_checked() -> None:
    table = files().green
    assert table is not None
    assert said(files()) == []
    for name in COLUMNS[1:]:
        for i, value in enumerate(table[name]):
            new = 0.5 if math.isnan(value) else value + 0.01 * max(value, 1)
            for to in (new, math.nan):
                wrong = table.copy()
                wrong[name] = wrong[name].astype(float)
                wrong.loc[i, name] = to
                found = audit_files(changed(files(), wrong))
                if math.isnan(value) and math.isnan(to):
                    assert found == []
                else:
                    assert [(b.component, b.rule, b.time) for b in found] == [
                        ("green", name, step(i + 1))
                    ]


def test_its_form_is_checked() -> None:
    table = files().green
    assert table is not None
    for wrong, rule in (
        (table.drop(index=1), "rows"),
        (table.iloc[::-1], "rows"),
        (pd.concat([table, table.iloc[[1]]]), "rows"),
        (table.drop(columns="load_share"), "columns"),
        (table.assign(bonus_share=1.0), "columns"),
    ):
        assert rules(changed(files(), wrong)) == {("green", rule)}


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b"time,x\n1,much\n", b"[]"])
def test_a_table_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    folder = plan().write(tmp_path / "plan")
    if content is None:
        (folder / "green.csv").unlink()
    else:
        (folder / "green.csv").write_bytes(content)
    with pytest.raises(PlanError, match=r"green\.csv"):
        audit(folder)
