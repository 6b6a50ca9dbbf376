"""Contracts for difference: settled beside the grid, without moving the dispatch.

The grid sells at 40 and buys at 30 CNY/MWh (see `tests.support.build.grid`).
"""

from __future__ import annotations

from typing import Any

import pytest

import planner
from planner.auditor.audit import audit_files
from tests.support import golden
from tests.support.audited import cell, rule, said, step, stored
from tests.support.build import battery, column, grid, load, renewable, scenario, solve, total


def contract(mw: Any, price: Any, **fields: Any) -> dict[str, Any]:
    return {"kind": "contract", "mw": mw, "price_cny_per_mwh": price} | fields


def test_what_is_sold_is_settled_against_the_export_price():
    plan = solve({"grid": grid(), "deal": contract(4, 35)})
    assert total(plan, "deal", "difference") == 4 * (35 - 30)
    assert plan.summary["objective_cny"] == 20
    assert plan.summary["cash_profit_cny"] == 20


def test_what_is_bought_is_settled_against_the_import_price():
    plan = solve({"grid": grid(), "deal": contract(-4, 35)})
    assert total(plan, "deal", "difference") == -4 * (35 - 40)
    plan = solve({"grid": grid(), "deal": contract(-4, 45)})
    assert total(plan, "deal", "difference") == -4 * (45 - 40)


def test_a_reference_price_may_be_given():
    plan = solve({"grid": grid(), "deal": contract(4, 35, reference_price_cny_per_mwh=50)})
    assert total(plan, "deal", "difference") == 4 * (35 - 50)
    alone = {"deal": contract(4, 35, reference_price_cny_per_mwh=50)}
    assert solve(alone).summary["objective_cny"] == -60


def test_difference_and_sale_together_earn_the_contracted_price():
    # 4 MW at 35 and 3 more at the market price of 30
    site = {"grid": grid(), "sun": renewable(7), "deal": contract(4, 35)}
    assert solve(site).summary["objective_cny"] == 4 * 35 + 3 * 30


def test_a_contract_does_not_move_the_dispatch():
    prices = {"import_price_cny_per_mwh": [40, 90, 35], "export_price_cny_per_mwh": [30, 80, 25]}
    site = {
        "grid": grid(**prices), "battery": battery(), "sun": renewable(9, 2, 4),
        "city": load(4, 7, 5),
    }  # fmt: skip
    without = solve(site, 3)
    deal = solve(site | {"deal": contract([50, -60, 0], [99, 1, 70])}, 3)
    gained = 50 * (99 - 30) - 60 * (1 - 90)
    assert deal.summary["objective_cny"] == pytest.approx(without.summary["objective_cny"] + gained)
    shared = list(without.schedule)
    assert deal.schedule[shared].equals(without.schedule)
    assert deal.allocation.equals(without.allocation)
    figures = deal.summary["figures"]["deal"]
    assert figures == {"contract_mwh": -10, "difference_cny": gained}
    assert column(deal, "deal.received_cny") == [50 * 69, 60 * 89, 0]
    assert column(deal, "deal.paid_cny") == [0, 0, 0]


def test_quarters_of_an_hour_pay_a_quarter():
    plan = solve({"grid": grid(), "deal": contract(4, [35, 20])}, 0.5, step_min=15)
    assert total(plan, "deal", "difference") == (4 * 5 - 4 * 10) / 4
    assert column(plan, "deal.paid_cny") == [0, 10]


def test_one_of_several_grids_is_named():
    two = {"grid": grid(), "feed": grid(export_price_cny_per_mwh=10)}
    plan = solve(two | {"deal": contract(4, 35, grid="feed")})
    assert total(plan, "deal", "difference") == 4 * 25


BY_ORIGIN = {"renewable": 31, "thermal": 29}


@pytest.mark.parametrize(
    ("deal", "beside", "message"),
    [
        (contract(4, 35), {}, "reference_price_cny_per_mwh: is required where there is no grid"),
        (contract(4, 35), {"a": grid(), "b": grid()}, "grid: is required where there are several"),
        (contract(4, 35, grid="c"), {"a": grid()}, "deal.grid: there is no component 'c'"),
        (contract(4, 35, grid="city"), {"a": grid()}, "deal.grid: 'city' is no grid"),
        (
            contract(4, 35),
            {"a": grid(export_price_cny_per_mwh=BY_ORIGIN)},
            "reference_price_cny_per_mwh: is required, for the export price of the grid differs",
        ),
        (contract("x", 35), {"a": grid()}, "deal.mw: must be a number, a list"),
        ({"kind": "contract", "mw": 4}, {"a": grid()}, "price_cny_per_mwh: is required"),
    ],
)
def test_errors_name_the_field(deal: dict[str, Any], beside: dict[str, Any], message: str):
    site = {"deal": deal, "city": load(1), "sun": renewable(2)} | beside
    with pytest.raises(planner.ScenarioError, match=message):
        scenario(site)


def test_what_is_only_bought_needs_no_export_price():
    connection = grid(export_price_cny_per_mwh=BY_ORIGIN)
    plan = solve({"grid": connection, "deal": contract([-4, 0], 35)}, 2)
    assert total(plan, "deal", "difference") == 4 * 5


def test_the_audit_finds_what_is_wrong_with_a_contract():
    files = stored(solve({"grid": grid(), "deal": contract([4, -4], 35)}, 2))
    assert said(files) == []

    def rules(edit: Any) -> set[tuple[str, str, str]]:
        return {(b.component, b.rule, b.time) for b in audit_files(edit(files))}

    for edit in (
        rule("deal", "mw", to=5),
        rule("deal", "price_cny_per_mwh", to=36),
        rule("deal", "reference_price_cny_per_mwh", to=31),
        rule("grid", "export_price_cny_per_mwh", to=31),
        cell("deal.received_cny", 1, 21),
        cell("deal.paid_cny", 1, 1),
    ):
        assert ("deal", "difference", step(1)) in rules(edit)
    assert ("plan", "figures.deal.contract_mwh", "") in rules(rule("deal", "mw", to=5))
    at = int(files.ledger.index[files.ledger["line"] == "difference"][1])
    table = files.ledger.copy()
    table.loc[at, "amount_cny"] += 1
    changed = type(files)(**(vars(files) | {"ledger": table}))
    assert ("deal", "difference", step(2)) in {
        (b.component, b.rule, b.time) for b in audit_files(changed)
    }
    with pytest.raises(planner.PlanError, match="deal has no grid"):
        audit_files(rule("deal", "grid", to="none")(files))


def test_golden_contract():
    site = {"grid": grid(), "deal": contract([4, -4], 35), "city": load(6, 3)}
    golden.check("contract", scenario(site, 2))
