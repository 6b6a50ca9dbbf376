"""What a plan is: plain tables whose columns are the names the components chose.

Values are rounded to 1e-9 (MW, MWh, Mtok, nodes) and money to 1e-6 CNY when a plan is made, so that
a plan read back equals the plan written; nothing else is done to them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from planner.components.component import uses_of
from planner.components.terms import Use
from planner.plan_tables.shares import green_table
from planner.scenario.scenario import Scenario

MONEY_DECIMALS = 6

ONCE = "horizon"
WHY = ("time", "component", "decision", "code", "reason")
LEDGER_TYPES = {
    "component": "str", "line": "str", "period": "str", "cash": "bool", "amount_cny": "float64"
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class PlanTables:
    """An hourly dispatch plan and its accounts, as tables.

    schedule: a row a step, indexed by `time` (its start); columns `component.quantity_unit[index]`.
    allocation: long; time, origin, use, mwh.
    ledger: long; component, line, period, cash, amount_cny (revenue positive).
    summary: status, objective, bound, gap, totals and key figures; plain values. Bound and gap are
        None where a given schedule was settled and no bound is known.
    reasons: long; time, component, decision, code, reason. Empty where the plan has no prices.
    prices: long; time, component, quantity, index, value, unit. None unless asked for.
    """

    scenario: Scenario
    schedule: pd.DataFrame
    allocation: pd.DataFrame
    ledger: pd.DataFrame
    summary: dict[str, Any]
    reasons: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=list(WHY), dtype="str")
    )
    prices: pd.DataFrame | None = None

    @cached_property
    def uses(self) -> dict[str, Use]:
        """The uses of its energy in their order; those that no kind declares come last."""
        allocated = set(self.allocation["use"])
        uses = uses_of(self.scenario.components.values())
        in_order = [*uses, *sorted(allocated - set(uses))]
        return {name: uses.get(name, Use()) for name in in_order if name in allocated}

    @cached_property
    def green(self) -> pd.DataFrame:
        """Renewable energy and its shares by step, from the allocation; no rows where pooled."""
        times = pd.DatetimeIndex(self.schedule.index)
        return green_table(self.allocation, times, self.uses, trace=self.scenario.trace)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, PlanTables)
            and self.scenario == other.scenario
            and self.schedule.equals(other.schedule)
            and self.allocation.equals(other.allocation)
            and self.ledger.equals(other.ledger)
            and self.summary == other.summary
            and _same(self.reasons, other.reasons)
            and _same(self.prices, other.prices)
        )

    __hash__ = None  # type: ignore[assignment]  # a plan holds tables


def _same(a: pd.DataFrame | None, b: pd.DataFrame | None) -> bool:
    if a is None or b is None:
        return a is b
    return a.equals(b) or (a.empty and b.empty)  # what has no rows has no types
