"""The auditor learns a kind from its `KindAudit` alone: a boiler that stores heat, written here.

It draws 4 and 2 MW of sun and gives 1 and 5 MW of heat for 100 CNY/MWh: 3 MWh are stored between
the two hours, and 100 + 500 CNY are earned.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from planner.auditor.audit import audit_files
from planner.auditor.findings import Array, Notes
from planner.auditor.plan_files import Files
from planner.auditor.reading import (
    Codes,
    KindAudit,
    Line,
    Part,
    Plan,
    by_step,
    columns_by_origin,
    drawn_flows,
    drawn_mw,
)
from planner.auditor.registry import KINDS
from planner.components.registry import KINDS as COMPONENTS
from planner.errors import PlanError
from tests.support.audited import Edit, cell, must_find, rules, said, step, with_figure


def columns(plan: Plan, _: Part) -> set[str]:
    return columns_by_origin(plan, "draw_mw", "heat_mw", "stored_mwh")


def stored(plan: Plan, part: Part) -> dict[str, Array]:
    return {o: np.diff(part.column("stored_mwh", o), prepend=0.0) for o in plan.origins}


def heat(plan: Plan, part: Part) -> dict[str, Array]:
    return {o: plan.clock.step_h * part.column("heat_mw", o) for o in plan.origins}


def check(plan: Plan, part: Part, note: Notes) -> None:
    for o in plan.origins:
        gained = part.column("draw_mw", o) - part.column("heat_mw", o)
        right = plan.clock.step_h * np.cumsum(gained)
        note.equal("stored", f"{o} heat is", part.column("stored_mwh", o), right, "MWh")
    most = part.number("capacity_mwh")
    note.at_most("capacity", "heat is", np.asarray(part.total("stored_mwh")), most, "MWh")


def lines(plan: Plan, part: Part) -> Iterator[Line]:
    delivered = np.asarray(part.total("heat_mw"))
    yield by_step(plan, part, "heat", part.number("price_cny_per_mwh"), delivered)


def codes(_: Plan, part: Part) -> dict[str, Codes]:
    drawn, delivered = np.asarray(part.total("draw_mw")), np.asarray(part.total("heat_mw"))
    return {"fire": {"fills": drawn > delivered, "empties": drawn < delivered}}


BOILER = KindAudit(
    columns=columns,
    checks=(check,),
    lines=lines,
    flows=drawn_flows,
    uses={"heat": heat, "storage": stored},
    drawn={"heat"},
    meters={"drawn_mw": drawn_mw},
    figures=lambda plan, part: {"heat_mwh": sum(mwh.sum() for mwh in heat(plan, part).values())},
    codes=codes,
)

STAMPS = ["2026-07-15T00:00:00+08:00", "2026-07-15T01:00:00+08:00"]
NONE = {"thermal": [0.0, 0.0], "grid": [0.0, 0.0]}


def site() -> Files:
    """The plan: a plant of 4 MW, the boiler, and a rule that asks for renewable energy."""
    mwh = {"available_mwh": 0, "used_mwh": 0, "exported_mwh": 0, "load_mwh": 0}
    period = mwh | {"load_renewable_mwh": 0}
    components: dict[str, dict[str, Any]] = {
        "sun": {
            "kind": "renewable", "node": "site", "capacity_mw": 4, "must_take_pu": 0,
            "availability_pu": {"csv": "series.csv", "column": "sun"},
            "cost_cny_per_mwh": 0, "levelized_cost_cny_per_mwh": None,
        },
        "boiler": {
            "kind": "boiler", "node": "site", "price_cny_per_mwh": 100, "capacity_mwh": 3,
        },
        "green": {
            "kind": "green_rule", "min_self_use_share": None, "max_export_share": None,
            "min_load_share": 1, "so_far": period, "ahead": period, "penalty_cny_per_mwh": None,
        },
    }  # fmt: skip
    schedule = {
        "sun.power_mw": [4, 2], "sun.curtailed_mw": [0, 0],
        "green.available_mw": [4, 2], "green.taken_mw": [4, 2], "green.exported_mw": [0, 0],
        "green.load_mw": [4, 2], "green.load_renewable_mw": [4, 2],
        "green.load_mwh": [4, 6], "green.load_renewable_mwh": [4, 6],
    }  # fmt: skip
    for quantity, values in {"draw_mw": [4, 2], "heat_mw": [1, 5], "stored_mwh": [3, 0]}.items():
        by_origin = {"renewable": values, **NONE}
        schedule |= {f"boiler.{quantity}[{o}]": by_origin[o] for o in by_origin}
    allocation = [
        (stamp, "renewable", use, mwh)
        for use, values in (("heat", [1, 5]), ("storage", [3, -3]), ("curtailed", [0, 0]))
        for stamp, mwh in zip(STAMPS, values, strict=True)
    ]
    ledger = [
        ("boiler", "heat", STAMPS[0], True, 100.0),
        ("boiler", "heat", STAMPS[1], True, 500.0),
    ]
    why = [(STAMPS[0], "boiler", "fire", "fills", ""), (STAMPS[1], "boiler", "fire", "empties", "")]
    share = {"self_use_share": 1.0, "load_share": 1.0, "export_share": 0.0}
    shares = share | {"official_load_share": 1.0}
    money = {"objective_cny": 600, "turnover_cny": 600, "cash_profit_cny": 600, "non_cash_cny": 0}
    summary = money | {
        "name": "warm", "description": "", "vat": "excluded", "start": STAMPS[0],
        "hours": 2, "step_min": 60, "components": {n: c["kind"] for n, c in components.items()},
        "status": "optimal", "net_after_outside_cny": 600, "bound_cny": 600, "gap": 0,
        "gap_of_profit": 0,
        "ledger_cny": {"boiler": {"heat": 600}}, "outside_objective_cny": {}, "worst_hours": [],
        "allocation_mwh": {"renewable": {"heat": 6, "storage": 0, "curtailed": 0}},
        "figures": {
            "sun": {"available_mwh": 6, "curtailed_mwh": 0}, "boiler": {"heat_mwh": 6},
            "green": {"load_share": 1.0, "official_load_share": 1.0, "self_use_share": 1.0,
                      "export_share": 0.0, "load_share_short_mwh": 0.0},
        },
        "value_cny_per_kwh": {o: {} for o in ("renewable", *NONE)},
        "value_by_use_cny_per_kwh": dict.fromkeys(("compute", "export", "compute_at_sale_price")),
        "uplift": None, "green": shares | {"curtailed_share": 0.0}, "carbon": {},
    }  # fmt: skip
    horizon = {"start": STAMPS[0], "hours": 2, "step_min": 60}
    top = {"name": "warm", "description": "", "vat": "excluded", "trace": True}
    return Files(
        folder=Path("plan"),
        scenario=top | {"horizon": horizon, "solver": {"gap": 0}, "components": components},
        series=pd.DataFrame({"time": STAMPS, "sun": [1.0, 0.5]}),
        schedule=pd.DataFrame({"time": STAMPS} | schedule),
        allocation=pd.DataFrame(allocation, columns=["time", "origin", "use", "mwh"]),
        ledger=pd.DataFrame(ledger, columns=["component", "line", "period", "cash", "amount_cny"]),
        summary=summary,
        why=pd.DataFrame(why, columns=["time", "component", "decision", "code", "reason"]),
    )


def without(column: str) -> Edit:
    """Leave out a column of the schedule."""
    return lambda files: dataclasses.replace(files, schedule=files.schedule.drop(columns=column))


def figure(path: tuple[str, ...], to: object) -> Edit:
    """Change a figure of the summary."""
    return lambda files: with_figure(files, path, to)


def changed(table: str, at: int | slice, column: str, to: object) -> Edit:
    """Change a cell of a table, or some."""

    def edit(files: Files) -> Files:
        rows = getattr(files, table).copy()
        rows[column] = rows[column].astype(object if isinstance(to, str) else float)
        rows.loc[at, column] = to
        return dataclasses.replace(files, **{table: rows})

    return edit


# edit, component, rule, time of a breach that must be among those found
BROKEN: list[tuple[Edit, str, str, str]] = [
    (cell("boiler.stored_mwh[renewable]", 1, 2), "boiler", "stored", step(1)),
    (cell("boiler.stored_mwh[renewable]", 1, 4), "boiler", "capacity", step(1)),
    (cell("boiler.stored_mwh[grid]", 2, 1), "allocation", "grid.storage", step(2)),
    (cell("boiler.heat_mw[renewable]", 2, 4), "boiler", "heat", step(2)),
    (cell("boiler.heat_mw[renewable]", 2, 4), "allocation", "renewable.heat", step(2)),
    (cell("boiler.heat_mw[renewable]", 2, 4), "plan", "figures.boiler.heat_mwh", ""),
    (cell("boiler.draw_mw[renewable]", 1, 3), "site", "balance[renewable]", step(1)),
    (cell("boiler.draw_mw[grid]", 1, 1), "site", "balance[grid]", step(1)),
    (cell("boiler.draw_mw[grid]", 1, 1), "green", "flows", step(1)),
    (cell("boiler.heat_mw[grid]", 1, -1), "boiler", "not_negative", step(1)),
    (without("boiler.heat_mw[renewable]"), "boiler", "columns", ""),
    (changed("allocation", 1, "mwh", 4), "allocation", "renewable.heat", step(2)),
    (changed("allocation", 1, "mwh", 4), "allocation", "renewable.conserved", step(2)),
    (changed("allocation", 2, "mwh", 2), "allocation", "renewable.storage", step(1)),
    (changed("allocation", slice(0, 1), "use", "warmth"), "allocation", "rows", ""),
    (changed("allocation", slice(0, 1), "use", "warmth"), "allocation", "renewable.heat", step(1)),
    (changed("ledger", 1, "amount_cny", 400), "boiler", "heat", step(2)),
    (changed("ledger", 1, "line", "warmth"), "boiler", "lines", ""),
    (changed("why", 0, "code", "empties"), "boiler", "why.empties", step(1)),
    (changed("why", 0, "code", "cools"), "boiler", "why", step(1)),
    (changed("why", 0, "decision", "cool"), "boiler", "why", ""),
    (figure(("green", "load_share"), None), "plan", "green.load_share", ""),
    (figure(("figures", "boiler"), {}), "plan", "figures.boiler.heat_mwh", ""),
]  # fmt: skip


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "boiler", BOILER)


def test_both_registries_have_the_same_kinds() -> None:
    assert KINDS.keys() - {"boiler"} == COMPONENTS.keys()


def test_a_good_plan_of_a_new_kind_passes() -> None:
    assert said(site()) == []


@pytest.mark.parametrize(("edit", "component", "name", "when"), BROKEN)
def test_a_wrong_number_of_a_new_kind_is_found(
    edit: Edit, component: str, name: str, when: str
) -> None:
    must_find(edit(site()), component, name, when)


@pytest.mark.parametrize(
    ("left_out", "breach"),
    [
        ({"lines": lambda *_: ()}, ("boiler", "lines")),
        ({"flows": lambda *_: ()}, ("site", "balance[renewable]")),
        ({"uses": {"storage": stored}}, ("allocation", "rows")),
        ({"drawn": ()}, ("plan", "green.load_share")),
        ({"meters": {}}, ("green", "flows")),
        ({"codes": lambda *_: {}}, ("boiler", "why")),
        ({"figures": lambda *_: {}}, ("plan", "figures.boiler.heat_mwh")),
    ],
)
def test_what_an_audit_leaves_out_is_no_silent_pass(
    monkeypatch: pytest.MonkeyPatch, left_out: dict[str, Any], breach: tuple[str, str]
) -> None:
    monkeypatch.setitem(KINDS, "boiler", dataclasses.replace(BOILER, **left_out))
    assert breach in rules(site())


def test_a_kind_that_the_auditor_does_not_know_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(KINDS, "boiler")
    with pytest.raises(PlanError, match=r"boiler\.kind 'boiler' is not known to the audit"):
        audit_files(site())
