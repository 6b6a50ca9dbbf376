"""The auditor on loads and renewable plants: broken promises are found where they were broken."""

from __future__ import annotations

from tests.support.audited import Broken, cell, each_is_found, rule, step, sun

# plan, edit, component, rule, time of a breach that must be among those found
BROKEN: list[Broken] = [
    (sun, rule("pv", "capacity_mw", to=10), "pv", "available", step(1)),
    (sun, rule("pv", "must_take_pu", to=0.06), "pv", "must_take", step(1)),
    (sun, cell("pv.curtailed_mw", 1, 4), "pv", "curtailed", step(1)),
    (sun, rule("pv", "cost_cny_per_mwh", to=1), "pv", "variable", step(1)),
    (sun, rule("town", "demand_mw", to=6), "town", "demand", step(1)),
    (sun, cell("town.shed_mw", 1, 1), "town", "demand", step(1)),
    (sun, rule("town", "shed_cost_cny_per_mwh", to=90), "town", "shed", step(2)),
]  # fmt: skip


test_a_broken_promise_is_found = each_is_found(BROKEN)
