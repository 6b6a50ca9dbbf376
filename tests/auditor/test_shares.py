"""The auditor on rules on renewable energy and on emissions: broken ones are found."""

from __future__ import annotations

import pytest

from planner.auditor.audit import audit_files
from tests.support.audited import Edit, both, cell, must_find, rule, shares, step

# edit, component, rule, time of a breach that must be among those found; the sums of two hours are
# 10 MWh available, 3 exported, 7 of the 10 drawn renewable, 1.5 tCO2 and 1 before
BROKEN: list[tuple[Edit, str, str, str]] = [
    (rule("green", "min_self_use_share", to=0.75), "green", "self_use", ""),
    (rule("green", "min_load_share", to=0.75), "green", "load_share", ""),
    (rule("green", "max_export_share", to=0.25), "green", "export", ""),
    (rule("green", "so_far", "available_mwh", to=10), "green", "self_use", ""),
    (rule("green", "so_far", "load_mwh", to=10), "green", "load_share", ""),
    (rule("green", "so_far", "exported_mwh", to=10), "green", "export", ""),
    (rule("green", "ahead", "available_mwh", to=10), "green", "self_use", ""),
    (rule("green", "ahead", "load_mwh", to=10), "green", "load_share", ""),
    (rule("green", "ahead", "exported_mwh", to=10), "green", "export", ""),
    (rule("green", "so_far", "load_mwh", to=1), "green", "totals", step(1)),
    (cell("green.taken_mwh", 2, 11), "green", "totals", step(2)),
    (cell("green.available_mw", 1, 9), "green", "flows", step(1)),
    (cell("green.taken_mw", 1, 9), "green", "flows", step(1)),
    (cell("green.exported_mw", 1, 2), "green", "flows", step(1)),
    (cell("green.load_mw", 1, 6), "green", "flows", step(1)),
    (cell("green.load_renewable_mw", 2, 3), "green", "flows", step(2)),
    (rule("ets", "budget_tco2", to=2), "ets", "budget", step(2)),
    (rule("ets", "so_far_tco2", to=2), "ets", "emitted", step(1)),
    (cell("ets.emitted_tco2", 2, 2), "ets", "emitted", step(2)),
    (cell("ets.import_tco2", 2, 1), "ets", "imported", step(2)),
    (cell("ets.gross_tco2", 2, 1), "ets", "gross", step(2)),
    (cell("ets.free_tco2", 2, 1), "ets", "free", step(2)),
    (rule("ets", "price_cny_per_tco2", to=11), "ets", "carbon", step(2)),
    (rule("ets", "price_imports", to=False), "ets", "carbon", step(2)),
    (rule("grid", "import_emission_tco2_per_mwh", to=0.6), "ets", "imported", step(2)),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "component", "name", "when"), BROKEN)
def test_a_broken_rule_is_found(edit: Edit, component: str, name: str, when: str) -> None:
    must_find(edit(shares()), component, name, when)


def test_what_comes_after_the_horizon_may_make_good() -> None:
    """7 MWh of 10 are too little for 0.75, and enough with 3 MWh more of 3 drawn."""
    ahead = both(
        rule("green", "ahead", "load_mwh", to=3), rule("green", "ahead", "load_renewable_mwh", to=3)
    )
    files = both(rule("green", "min_load_share", to=0.75), ahead)(shares())
    assert not [b for b in audit_files(files) if b.rule == "load_share"]
