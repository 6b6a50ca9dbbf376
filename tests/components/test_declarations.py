"""What a kind declares of itself agrees with what it builds."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import planner
from planner.auditor.reading import understand
from planner.auditor.registry import KINDS as AUDITS
from planner.components.component import Component
from planner.components.registry import KINDS, every_use, uses_of
from planner.components.terms import Use
from planner.diagnosis.conflict import Rule, rule_places
from planner.diagnosis.infeasible import conflict_rule
from planner.language.language import language
from planner.scenario.scenario import Scenario
from planner.solver.compiler import compile_program
from planner.solver.model import Model, assemble
from planner.units import unit
from tests.support import build, compute, full_site
from tests.support.audited import stored
from tests.support.plan_words import codes_of
from tests.test_conventions import sources, whole_unit


def sites(folder: Path) -> list[Scenario]:
    """Scenarios that together hold every kind, with its optional parts."""
    service = compute.site(fleet=compute.fleet(), chat=compute.chat(min_served_share=0.5))
    band = {"exchange_mw": "decide", "over_cost_cny_per_mwh": 9, "under_cost_cny_per_mwh": 9}
    more = {
        "coal": build.thermal(ending="off"), "b": build.battery(), "c": build.carbon(),
        "declared": build.grid(declaration=band, real_time_price_cny_per_mwh=50),
    }  # fmt: skip
    return [
        planner.load(full_site.write(folder)),
        planner.load("scenarios/two_sites"),
        build.scenario(service | more, 2),
    ]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Model]:
    assembled = [assemble(site) for site in sites(tmp_path_factory.mktemp("sites"))]
    kinds = {part.kind for model in assembled for part in model.scenario.components.values()}
    assert kinds == set(KINDS)
    return assembled


@pytest.fixture(scope="module")
def full_plan(tmp_path_factory: pytest.TempPathFactory) -> planner.Plan:
    return planner.solve(planner.load(full_site.write(tmp_path_factory.mktemp("full"))))


def test_every_use_is_declared_by_the_kind(models: list[Model]) -> None:
    for model in models:
        for name, parts in model.terms.items():
            uses = {use for terms in parts for use, _ in terms.uses}
            assert uses == set(model.scenario.components[name].uses)


def test_kinds_that_share_a_use_mean_the_same() -> None:
    for kind in KINDS.values():
        for name, use in kind.component.uses.items():
            assert every_use()[name] == use


def test_another_word_means_one_kind() -> None:
    words = [w for kind in KINDS.values() for w in kind.component.also_called.split()]
    assert len(words) == len({*words, *KINDS}) - len(KINDS)


def test_uses_come_in_order_and_unknown_ones_last() -> None:
    ordered = [name for name, use in every_use().items() if use.order < Use().order]
    assert ordered == ["export", "compute", "load", "storage", "loss", "curtailed"]

    class Boiler(Component):
        uses = {"heat": Use(drawn=True), "ash": Use()}  # noqa: RUF012

    names = list(uses_of([Boiler, KINDS["battery"].component]))
    assert names == ["storage", "loss", "ash", "heat"]


def test_lines_that_earn_are_the_revenue_of_their_use(models: list[Model]) -> None:
    for model in models:
        for cost in model.reports.costs:
            earns = model.scenario.components[cost.component].earns
            assert earns.get(cost.line.name) == cost.line.use


def test_states_name_columns_of_the_schedule(models: list[Model]) -> None:
    """Of the state, of what is zero without it, and of its starts."""
    known: dict[str, set[str]] = {}
    for model in models:
        program = compile_program(model)
        for column in (*program.schedule, *program.schedule_rows):
            name, _, quantity = column.partition(".")
            bare = quantity.partition("[")[0]
            known.setdefault(model.scenario.components[name].kind, set()).add(bare)
    for kind, (component, *_) in KINDS.items():
        for state in component.states:
            zero = state.zero_without_first + state.zero_without_second
            begins = {state.begins} if state.begins else set()
            assert {state.column, *zero, *begins} <= known[kind]


COUNTS = {
    "asleep", "asleep_mean_nodes", "awake", "awake_mean_nodes", "charge_on",
    "charge_start", "charging", "cycles", "declaring", "discharge_on", "discharge_start",
    "finished", "forward", "importing", "job_nodes", "nodes", "on", "outage_nodes",
    "prefill_nodes", "responding", "running", "slept", "start", "start_kind", "started",
    "starts", "stop", "woken", "woken_for_jobs", "woken_nodes",
}  # fmt: skip


def test_columns_and_figures_end_in_their_unit_or_are_counts(
    models: list[Model], full_plan: planner.Plan
) -> None:
    figures = {name for part in full_plan.summary["figures"].values() for name in part}
    names = {name.partition("[")[0] for name in figures}
    for model in models:
        program = compile_program(model)
        columns = {*program.schedule, *program.schedule_rows}
        names |= {column.partition(".")[2].partition("[")[0] for column in columns}
    assert {name for name in names if unit(name) is None} - COUNTS == set()
    assert [name for name in sorted(names) if not whole_unit(name)] == []


def test_switches_are_states_and_rows_have_rules(models: list[Model]) -> None:
    """So that the chart of commitment is complete and a conflict can name every rule."""
    for model in models:
        program = compile_program(model)
        whole = {*np.flatnonzero(program.integer).tolist(), *program.switches.tolist()}
        switching = {
            column.partition(".")[0]
            for column, (numbers, _) in program.schedule.items()
            if whole & set(numbers.tolist())
        }
        assert switching
        for name, component in model.scenario.components.items():
            assert component.states or name not in switching, component.kind
            assert component.rules or name not in {of for of, _, _ in program.families}


def test_every_row_of_a_model_is_a_formula_in_a_docstring(models: list[Model]) -> None:
    """Rows made in a loop or by a helper too; a running total by the name of its variable."""
    rows: set[str] = set()
    for model in models:
        for name, row, _ in compile_program(model).families:
            if name:
                modules = sources(type(model.scenario.components[name]))
                text = "\n".join(module.__doc__ or "" for module in modules)
                assert re.search(rf"\b{row.removesuffix('_rises')}\b", text), f"{name}: {row}"
                rows.add(row)
    assert {"over_band", "under_band", "ceiling", "ceiling_start", "ceiling_stop"} <= rows


def test_rules_and_warnings_stored_in_english_are_read_back(models: list[Model]) -> None:
    """By their template: the Chinese of the stored text is that of the message itself."""
    chinese = language("zh")
    for model in models:
        scenario = model.scenario
        families: dict[tuple[str, str], list[Rule]] = {}
        for rule in rule_places(compile_program(model)):
            families.setdefault((rule.component, rule.name), []).append(rule)
        sentences = [conflict_rule(scenario, family).text for family in families.values()]
        for name, component in scenario.components.items():
            sentences += component.warn(scenario.site(name))
        for sentence in sentences:
            translation = chinese.sentence(str(sentence))
            assert translation == chinese.sentence(sentence) != str(sentence)


def test_what_a_state_rules_out_is_zero() -> None:
    site = {
        "coal": build.thermal(), "cell": build.battery(), "grid": build.grid(resale=True),
    }  # fmt: skip
    plan = build.solve(site, 6)
    for name, component in plan.scenario.components.items():
        for state in component.states:
            on = plan.schedule[f"{name}.{state.column}"].to_numpy() > 0.5
            for quantities, rest in (
                (state.zero_without_first, ~on), (state.zero_without_second, on)
            ):  # fmt: skip
                for column in map(str, plan.schedule):
                    if column.partition("[")[0] in {f"{name}.{q}" for q in quantities}:
                        assert np.abs(plan.schedule[column].to_numpy()[rest]).max(initial=0) < 1e-6


def test_rows_at_the_end_stand_once_in_a_window(models: list[Model]) -> None:
    for model in models:
        program = compile_program(model)
        for (name, row, _), number in program.families.items():
            if name and row in model.scenario.components[name].end_rows:
                rows = program.row_families == number
                assert rows.sum() == 1
                assert not program.row_steps[rows].any()


def test_what_lasts_a_window_is_declared(models: list[Model]) -> None:
    """Rows of the whole window, but for a job's last chance to start, and running totals."""
    for model in models:
        program = compile_program(model)
        for (name, row, _), number in program.families.items():
            component = model.scenario.components.get(name)
            if component is None:
                continue
            rows = program.row_families == number
            if rows.sum() == 1 and not program.row_steps[rows].any() and row != "mandatory":
                assert row in component.end_rows, f"{component.kind}: {row}"
            if row.endswith("_rises"):
                assert row.removesuffix("_rises") in component.counters, component.kind


@pytest.mark.parametrize("kind", KINDS)
def test_what_counts_asks_for_something_and_the_past_is_a_fact(kind: str) -> None:
    component = KINDS[kind].component
    assert component.over_horizon or not component.counters
    assert "with_lookahead" in component.__dict__ or not component.over_horizon
    past = {
        name for name in component.model_fields
        if name in ("initial", "ahead") or "so_far" in name
    }  # fmt: skip
    assert past <= component.facts


def test_the_auditor_knows_the_same_decisions_and_codes(full_plan: planner.Plan) -> None:
    audited = understand(stored(full_plan), AUDITS)
    codes: dict[str, set[str]] = {}
    for name, part in audited.parts.items():
        audit, component = AUDITS[part.kind], full_plan.scenario.components[name]
        for awake in (False, True):
            decided = set(component.here_and_now(awake=awake))
            assert set(audit.here_and_now(part, awake)) == decided, name
        checked = {code for by_code in audit.codes(audited, part).values() for code in by_code}
        codes.setdefault(part.kind, set()).update(checked)
    assert codes == {kind: codes_of(KINDS[kind]) for kind in codes}


@pytest.mark.parametrize("kind", KINDS)
def test_declared_fields_exist(kind: str) -> None:
    component = KINDS[kind].component
    declared = {*component.facts, *component.remembers, *component.over_horizon}
    assert declared <= set(component.model_fields)


def test_a_service_says_what_became_of_its_share() -> None:
    """Half of 10 Mtok before, 8 of 10 now: 13 of 20, and 0.7 was asked for."""
    past = {"wanted_so_far_mtok": 10, "served_so_far_mtok": 5}
    site = compute.site(
        fleet=compute.fleet(), chat=compute.chat(min_served_share=0.7, initial=past)
    )
    chat = build.scenario(site, 1).components["chat"]
    (target,) = chat.targets({"wanted_mtok": 10.0, "served_share": 0.8})
    assert (target.field, target.figure) == ("min_served_share", "served_share")
    assert (target.wanted, target.reached) == (0.7, pytest.approx(0.65))
    assert not target.met
    assert target.counts_more


def test_a_green_rule_says_what_became_of_its_shares() -> None:
    """0.5 of own use where 0.8 was asked for; export of 0.5 where 0.6 was allowed."""
    rule = build.scenario({"grid": build.grid(), "rule": build.green_rule(
        min_self_use_share=0.8, max_export_share=0.6
    )}, 1).components["rule"]  # fmt: skip
    figures = {"self_use_share": 0.5, "self_use_short_mwh": 3.0, "export_share": 0.5}
    own, export = rule.targets(figures)
    assert (own.field, own.wanted, own.reached) == ("min_self_use_share", 0.8, 0.5)
    assert (own.met, own.most, own.counts_more) == (False, False, False)
    assert (export.field, export.figure) == ("max_export_share", "export_share")
    assert (export.met, export.most) == (True, True)


def test_node_uses_name_columns_that_sum_to_all_nodes(full_plan: planner.Plan) -> None:
    uses = full_plan.scenario.components["gpus"].node_uses()
    assert [use.doing for use in uses] == [
        "decoding", "decoding", "idle", "reading", "job", "asleep", "asleep"
    ]  # fmt: skip
    columns = [f"gpus.{use.column}" for use in uses]
    np.testing.assert_allclose(full_plan.schedule[columns].sum(axis=1), 1000)


def test_what_a_service_is_asked_for() -> None:
    chat = build.scenario(compute.site(fleet=compute.fleet(), chat=compute.chat(18, 20)), 1)
    asked = chat.components["chat"].token_demand()
    assert asked.wanted_mtok_per_h.tolist() == [18]
    assert [price.tolist() for price in asked.prices_cny_per_mtok] == [[20]]
    assert not asked.market
