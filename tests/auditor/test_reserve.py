"""The auditor on requirements for reserve: broken promises are found where they were broken."""

from __future__ import annotations

from tests.support.audited import (
    Broken,
    backup,
    both,
    cell,
    each_is_found,
    rule,
    spinning,
    step,
    store,
)

# plan, edit, component, rule, time of a breach that must be among those found
BROKEN: list[Broken] = [
    (store, cell("grid.reserve_mw[hold]", 2, 3), "hold", "provided", step(2)),
    (store, rule("hold", "up_mw", to=5), "hold", "required", step(2)),
    (store, both(rule("hold", "up_mw", to=5), cell("hold.required_mw", 1, 5)),
     "hold", "reserve", step(1)),
    (store, rule("hold", "largest_unit", to=True), "hold", "largest_unit", step(1)),
    # nothing is lost in step 2, but the 4 MW held are the grid's own
    (store, rule("hold", "largest_unit", to=True), "hold", "largest_unit", step(2)),
    # 5 MW short cover an import of 4 MW, not 2 MW of reserve beside it
    (store, both(rule("hold", "largest_unit", to=True), rule("hold", "up_mw", to=2),
                 cell("hold.shortfall_mw", 1, 5)), "hold", "largest_unit", step(1)),
    (spinning, rule("coal", "auxiliary_share", to=0.1), "hold", "provided", step(1)),
    (spinning, rule("hold", "providers", to=["town"]), "hold", "provided", step(1)),
    (backup, rule("hold", "load_share", to=0.5), "hold", "required", step(1)),
]  # fmt: skip


test_a_broken_promise_is_found = each_is_found(BROKEN)
