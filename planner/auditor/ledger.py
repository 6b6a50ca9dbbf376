"""Whether every amount of the ledger follows from the schedule and the prices of the scenario.

    LINE         the amount of a line in a step (a month, or once) is quantity times price; revenue
                 is positive
    LINE.cash    end values and penalties (shed, unserved, refused, shortfall) are not cash
    LINE.rows    a line has one row for each of its periods; one that is not there counts as zero
    lines        the ledger has no line that the scenario does not know

Lines outside the objective (levelized cost, amortisation, fixed
payments) are not in the ledger; the summary shows them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import Array, Findings
from planner.auditor.plan_files import groups
from planner.auditor.reading import ONCE, Line, Plan

ROUNDED = 2e-9  # what a product may be off per unit of price: both plan and amount are rounded


def check_ledger(plan: Plan, found: Findings) -> None:
    """Note where the ledger is not what the schedule and the prices make it."""
    table = plan.files.ledger
    right = {(line.component, line.name): line for line in lines(plan)}
    amounts, periods = table["amount_cny"].to_numpy(), table["period"].to_numpy()
    cash = table["cash"].to_numpy()
    by_step = {stamp: i for i, stamp in enumerate(plan.clock.stamps)}
    for (component, name), rows in groups(table, "component", "line").items():
        line, note = right.pop((component, name), None), found.of(component)
        if line is None:
            note.add("lines", f"{name} is no line of this scenario")
            continue
        known = by_step
        if line.periods is not plan.clock.stamps:
            known = {period: i for i, period in enumerate(line.periods)}
        at = np.array([known.get(period, -1) for period in periods[rows]])
        count = np.bincount(at[at >= 0], minlength=len(line.periods))
        if (at < 0).any() or (count > 1).any():
            note.add(f"{name}.rows", "rows of no period, or more than one of a period")
            continue
        if (cash[rows] != line.cash).any():
            right_word = "cash" if line.cash else "an end value or a penalty, which is not cash"
            note.add(f"{name}.cash", f"should be {right_word} in every row")
        booked = np.zeros(len(line.periods))
        booked[at] = amounts[rows]
        _compare(plan, line, booked, "is", found)
    for line in right.values():
        _compare(plan, line, np.zeros(len(line.periods)), "has no rows: is", found)


def _compare(plan: Plan, line: Line, booked: Array, what: str, found: Findings) -> None:
    when = plan.clock.times if line.periods is plan.clock.stamps else line.periods
    if line.periods == [ONCE]:
        when = ""
    found.of(line.component).equal(line.name, f"amount {what}", booked, line.amounts, "CNY",
                when=when, slack=ROUNDED * line.price)  # fmt: skip


def lines(plan: Plan) -> Iterator[Line]:
    """Yield every line that the ledger must have."""
    for part in plan.parts.values():
        yield from plan.audit(part).lines(plan, part)


def outside(plan: Plan) -> dict[str, dict[str, float]]:
    """Return the money that is shown but never optimised, CNY by component and line."""
    money = {name: plan.audit(part).outside(plan, part) for name, part in plan.parts.items()}
    return {name: dict(amounts) for name, amounts in money.items() if amounts}
