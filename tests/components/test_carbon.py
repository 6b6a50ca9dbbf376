"""Carbon: what a price turns around, what an allowance earns, what a budget leaves."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

import planner
from planner.report.terminal.plan import show
from tests.support import compute, golden
from tests.support.audited import cell, rule, said, solved
from tests.support.audited import rules as broken
from tests.support.build import *
from tests.support.windows import advance, best_of, earned_by_step


def coal(**fields: Any) -> dict[str, Any]:
    """A unit of 10 CNY/MWh that emits 0.9 tCO2/MWh."""
    return thermal(emission_tco2_per_gj=0.9, **fields)


def choice(**fields: Any) -> dict[str, Any]:
    """100 MW from coal at 10 CNY and 0.9 tCO2/MWh, or from the grid at 40 and 0.6."""
    connection = grid(export_limit_mw=0, import_emission_tco2_per_mwh=0.6)
    return {"coal": coal(), "grid": connection, "city": load(100), "ets": carbon(**fields)}


def bought(**fields: Any) -> dict[str, Any]:
    """10 MW for two hours from the grid at 40 CNY and 0.5 tCO2/MWh, or shed at 100."""
    connection = grid(export_limit_mw=0, import_emission_tco2_per_mwh=0.5)
    town = load(10, 10, shed_cost_cny_per_mwh=100)
    return {"grid": connection, "city": town, "ets": carbon(**fields)}


# the price


@pytest.mark.parametrize(
    ("price", "imports", "earned", "of_coal"),
    [
        # coal 10 + 0.9 p against import at 40: they cost the same at 30 / 0.9 = 33.3
        (33, False, -1000 - 90 * 33, 100),
        (34, False, -4000, 0),
        # ... against 40 + 0.6 p: at 30 / 0.3 = 100
        (99, True, -1000 - 90 * 99, 100),
        (101, True, -4000 - 60 * 101, 0),
    ],
)
def test_a_price_turns_coal_into_import(price: float, imports: bool, earned: float, of_coal: float):
    plan = solve(choice(price_cny_per_tco2=price, price_imports=imports))
    assert plan.summary["objective_cny"] == pytest.approx(earned)
    assert column(plan, "coal.power_mw") == [of_coal]


def test_a_price_holds_in_its_step():
    site = choice(price_cny_per_tco2=[20, 50]) | {"city": load(100, 100)}
    plan = solve(site, 2)
    assert column(plan, "coal.power_mw") == [100, 0]
    assert total(plan, "ets", "carbon") == pytest.approx(-90 * 20)


def test_an_allowance_is_taken_off_and_its_surplus_earns():
    # sold at 8, fuel at 10: a loss, but every MWh leaves 0.1 tCO2 of its allowance, worth 5
    site = {"coal": coal(allowance_tco2_per_mwh=1), "grid": market(8)}
    assert profit(site) == 0
    plan = solve(site | {"ets": carbon(price_cny_per_tco2=50)})
    assert plan.summary["objective_cny"] == pytest.approx(100 * (8 - 10 + 5))
    assert total(plan, "ets", "carbon") == pytest.approx(500)
    assert plan.ledger.loc[plan.ledger["component"] == "ets", "cash"].all()
    figures = plan.summary["figures"]["ets"]
    assert figures["emission_tco2"] == pytest.approx(90)
    assert figures["allowance_tco2"] == pytest.approx(100)
    assert figures["to_be_paid_tco2"] == pytest.approx(-10)


def test_half_an_hour_emits_half():
    site = choice(price_cny_per_tco2=10)
    assert profit(site, 0.5, step_min=30) == pytest.approx(-500 - 45 * 10)


def test_without_a_price_or_budget_emissions_are_only_counted():
    plan = solve(choice())
    assert plan.summary["objective_cny"] == -1000
    assert plan.summary["figures"]["ets"]["emission_tco2"] == pytest.approx(90)
    assert set(plan.ledger["component"]) == {"coal", "grid"}


def test_pooled_energy_is_priced_too():
    site = choice(price_cny_per_tco2=33)
    site["grid"] |= {"resale": True}
    assert profit(site, trace=False) == pytest.approx(-1000 - 90 * 33)


# the budget


def test_a_budget_counts_what_was_so_far():
    # 12 - 7 = 5 tCO2 are left, 10 MWh of import; the other 10 are shed
    plan = solve(bought(budget_tco2=12, so_far_tco2=7), 2)
    assert plan.summary["objective_cny"] == pytest.approx(-400 - 1000)
    assert column(plan, "ets.emitted_tco2")[-1] == pytest.approx(12)
    assert plan.summary["figures"]["ets"]["budget_left_tco2"] == 0
    assert profit(bought(budget_tco2=12), 2) == pytest.approx(-800)


def test_a_budget_counts_units_and_imports_gross():
    # 90 tCO2 of coal for 100 MWh, or 60 of import: 75 allow half of each, whatever the allowance
    site = choice(budget_tco2=75)
    site["coal"] |= {"allowance_tco2_per_mwh": 1}
    assert profit(site) == pytest.approx(-500 - 2000)


def test_two_windows_in_a_row_are_one_horizon():
    site = {
        "coal": coal(allowance_tco2_per_mwh=0.7),
        "grid": grid(
            import_price_cny_per_mwh=[40, 25, 60, 35, 80, 45],
            import_limit_mw=60,
            import_emission_tco2_per_mwh=0.3,
        ),
        "battery": battery(),
        "city": load(70, 90, 80, 60, 90, 70, shed_cost_cny_per_mwh=200),
        "ets": carbon(price_cny_per_tco2=[20, 30, 20, 40, 10, 30], budget_tco2=330, so_far_tco2=90),
    }
    plan = solve(site, 6)
    whole = plan.summary["objective_cny"]
    assert whole < profit(site | {"ets": site["ets"] | {"budget_tco2": None}}, 6) - 1
    for k in (1, 2, 4):
        advanced = advance(plan, 1, k)
        parts = earned_by_step(plan, k) + best_of(advanced, k + 1)
        assert parts == pytest.approx(whole, abs=1e-3), f"cut after step {k}"


def test_after_adds_what_was_emitted():
    plan = solve(bought(budget_tco2=100, so_far_tco2=7), 2)
    assert advance(plan, 1, 1).components["ets"].so_far_tco2 == pytest.approx(12)
    without = solve(bought(so_far_tco2=7), 2)
    assert advance(without, 1, 2).components["ets"].so_far_tco2 == pytest.approx(17)


def test_a_spent_budget_is_reported_without_a_solver():
    with pytest.raises(planner.InfeasibleError) as caught:
        solve(bought(budget_tco2=5, so_far_tco2=6), 2)
    diagnosis = caught.value.diagnosis
    assert [(r["components"], r["rule"]) for r in diagnosis["conflict"]] == [
        (["ets"], "impossible")
    ]
    assert diagnosis["changes"][0]["set"] == {"components.ets.budget_tco2": 6}


# input


def test_only_one_component_may_price():
    site = choice(price_cny_per_tco2=5) | {"again": carbon(price_cny_per_tco2=5)}
    with pytest.raises(planner.ScenarioError) as caught:
        scenario(site)
    (problem,) = caught.value.problems
    assert problem.path == "components.ets.price_cny_per_tco2"
    assert "'again' has a price already" in problem.message
    beside = scenario(choice(price_cny_per_tco2=5) | {"cap": carbon(budget_tco2=5)})
    assert beside.components["cap"].budget_tco2 == 5


# the audit


def test_a_broken_rule_is_found():
    site = choice(price_cny_per_tco2=60, budget_tco2=75, so_far_tco2=5, price_imports=True)
    site["coal"] |= {"allowance_tco2_per_mwh": 0.8}
    files = solved(site, 1)
    assert said(files) == []
    for edit, name in (
        (cell("ets.gross_tco2", 1, 9), "gross"),
        (cell("ets.import_tco2", 1, 9), "imported"),
        (cell("ets.free_tco2", 1, 9), "free"),
        (cell("ets.emitted_tco2", 1, 9), "emitted"),
        (rule("ets", "so_far_tco2", to=6), "emitted"),
        (rule("ets", "budget_tco2", to=74), "budget"),
        (rule("ets", "price_cny_per_tco2", to=61), "carbon"),
        (rule("ets", "price_imports", to=False), "carbon"),
        (rule("ets", "budget_tco2", to=None), "columns"),
        (rule("grid", "import_emission_tco2_per_mwh", to=0.5), "imported"),
    ):
        assert ("ets", name) in broken(edit(files)), name


# the summary


def in_summary(components: dict[str, Any], hours: float = 1, **more: Any) -> dict[str, Any]:
    totals: dict[str, Any] = solve(components, hours, **more).summary["carbon"]
    return totals


def test_the_summary_tells_what_energy_and_tokens_carry():
    # 1 MWh of sun and 1 from the grid answer 18 Mtok; a town draws 2 MWh of coal
    site = compute.site(
        fleet=compute.fleet(2),
        chat=compute.chat(18),
        sun=renewable(1),
        coal=coal(node="far", min_power_mw=1, max_power_mw=2, startup_ramp_mw=2, shutdown_ramp_mw=2)
        | {"curve": [{"power_mw": p, "fuel_gj_per_h": p} for p in (1, 2)]},
        town=load(2, node="far"),
    )
    site["grid"] |= {"import_emission_tco2_per_mwh": 0.5}
    site["coal"] |= {"allowance_tco2_per_mwh": 0.8}
    totals = in_summary(site)
    assert totals.pop("factor_tco2_per_mwh") == {"renewable": 0, "thermal": 0.9, "grid": 0.5}
    assert totals == pytest.approx(
        {
            "emission_tco2": 1.8,
            "import_emission_tco2": 0.5,
            "allowance_tco2": 1.6,
            "drawn_tco2_per_mwh": 2.3 / 4,
            "compute_tco2_per_mwh": 0.25,
            "answered_tco2_per_mtok": round(0.5 / 18, 9),
        }
    )


def test_factors_are_of_net_energy():
    # 20 MW gross, half of it for the unit itself: 18 tCO2 for 10 MWh
    unit = coal(auxiliary_share=0.5)
    totals = in_summary({"coal": unit, "city": load(10)})
    assert totals["factor_tco2_per_mwh"] == {"renewable": 0, "thermal": 1.8, "grid": None}
    assert totals["drawn_tco2_per_mwh"] == 1.8
    assert totals["compute_tco2_per_mwh"] is None
    assert totals["answered_tco2_per_mtok"] is None


def test_energy_carries_its_emission_through_the_battery():
    # 4 MWh of grid energy at 0.5 are charged with half lost: 2 MWh drawn carry 0.5 each
    site = {
        "grid": grid(import_limit_mw=[4, 0], import_emission_tco2_per_mwh=0.5, export_limit_mw=0),
        "battery": battery(charge_efficiency=0.5),
        "city": load(0, 2),
    }
    totals = in_summary(site, 2)
    assert totals["import_emission_tco2"] == 2
    assert totals["drawn_tco2_per_mwh"] == 0.5


def test_what_energy_carries_is_not_known_without_any_put_in():
    store = battery(initial={"energy_mwh": 2}, ending={"at_least_mwh": 0})
    site = {"coal": coal(must_run=True), "battery": store, "city": load(22)}
    totals = in_summary(site)
    assert totals["emission_tco2"] == 18
    assert totals["drawn_tco2_per_mwh"] is None


def test_pooled_energy_has_one_factor():
    # 3 MWh available, 1 curtailed, 2 imported at 0.5: 1 tCO2 for 4 MWh
    site = {
        "sun": renewable(3, 0),
        "grid": grid(import_emission_tco2_per_mwh=0.5, resale=True, export_limit_mw=0),
        "city": load(2, 2),
    }
    totals = in_summary(site, 2, trace=False)
    assert totals["factor_tco2_per_mwh"] == {"pooled": 0.25}
    assert totals["drawn_tco2_per_mwh"] == 0.25


def test_the_terminal_shows_carbon_in_one_line():
    console = Console(width=200, record=True, file=io.StringIO())
    show(solve(choice(price_cny_per_tco2=10)), console)
    (line,) = [text for text in console.export_text().splitlines() if text.startswith("Carbon:")]
    assert "emission 90 tCO2" in line
    assert "drawn 0.9 tCO2/MWh" in line
    show(solve({"sun": renewable(3), "city": load(2)}), console)
    assert "Carbon:" not in console.export_text()


def test_a_plan_without_emission_has_no_carbon():
    assert in_summary({"sun": renewable(3), "city": load(2)}) == {}


@pytest.mark.parametrize("trace", [True, False])
def test_carbon_in_the_summary_is_audited(trace: bool):
    site = choice() | {"gpus": compute.fleet(2), "chat": compute.chat(18)}
    site["grid"] |= {"resale": True}
    files = solved(site, 1, trace=trace)
    assert said(files) == []
    for key, value in files.summary["carbon"].items():
        wrong = {"thermal": 1.0} if isinstance(value, dict) else (value or 0.0) * 1.01 + 1e-6
        summary = dict(files.summary) | {"carbon": dict(files.summary["carbon"]) | {key: wrong}}
        changed = type(files)(**(files.__dict__ | {"summary": summary}))
        assert any(name.startswith(f"carbon.{key}") for _, name in broken(changed)), key


def test_golden_carbon():
    site = {
        "coal": coal(allowance_tco2_per_mwh=0.8),
        "grid": grid(import_emission_tco2_per_mwh=0.5),
        "city": load(3, 4),
        "ets": carbon(
            price_cny_per_tco2=[90, 95], price_imports=True, budget_tco2=60, so_far_tco2=9
        ),
    }
    golden.check("carbon", scenario(site, 2))


def test_tokens_do_not_carry_what_jobs_emit():
    """1 MW answers 9 Mtok an hour with 0.5 tCO2; a job of 5 MW beside it emits five times that."""
    job = {"kind": "job", "fleet": "gpu", "nodes": 5, "node_kw": 1000, "duration_h": 1,
           "deadline_h": 1, "value_cny": 0, "mandatory": True}  # fmt: skip
    parts = compute.site(gpu=compute.fleet(10), work=compute.chat(9, 1000), run=job)
    parts["grid"] |= {"import_emission_tco2_per_mwh": 0.5}
    totals = solve(parts).summary["carbon"]
    assert totals["compute_tco2_per_mwh"] == pytest.approx(0.5)
    assert totals["answered_tco2_per_mtok"] == pytest.approx(0.5 / 9)
