"""The tables of a plan; the columns of its schedule are the variables of the components.

Values are rounded to 1e-9 (MW, MWh, Mtok, nodes) and money to 1e-6 CNY when a plan is made, so that
a plan read back equals the plan written; they are not changed otherwise.

The tables of a plan are its own: a plan made from another one, or from tables that a caller keeps,
does not change where those are changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from planner.components.registry import uses_of
from planner.components.terms import Use
from planner.language.titles import title_of, titles_of
from planner.plan_tables.long_tables import key_figures, long_schedule
from planner.plan_tables.shares import green_table, schedule_sum
from planner.scenario.scenario import Scenario

MONEY_DECIMALS = 6
LEAST_CNY = 10.0**-MONEY_DECIMALS  # less is rounding

ONCE = "horizon"
WITHOUT_STEP = "once"  # last part of the index of what of a price belongs to no step
FIRST = "first"  # and of the worth of a first unit, with decisions made anew
_PART = rf"(?:^|\|)({WITHOUT_STEP}|{FIRST})$"
WHY = ("time", "component", "decision", "code", "reason")
LEDGER_TYPES = {
    "component": "str", "line": "str", "period": "str", "cash": "bool", "amount_cny": "float64"
}  # fmt: skip


def clean(values: Any, decimals: int = MONEY_DECIMALS) -> Any:
    """Return values rounded as in plans, without negative zeros."""
    return np.round(values, decimals) + 0.0


@dataclass(frozen=True, eq=False, repr=False)
class PlanTables:
    """The tables of an hourly dispatch plan; `planner.Plan` documents them."""

    scenario: Scenario
    schedule: pd.DataFrame
    allocation: pd.DataFrame
    ledger: pd.DataFrame
    summary: dict[str, Any]
    reasons: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=list(WHY), dtype="str")
    )
    prices: pd.DataFrame | None = None
    end_values: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, pd.DataFrame):  # pandas copies what is shared when it is changed
                object.__setattr__(self, name, value.copy(deep=False))

    def __repr__(self) -> str:
        status, profit = self.summary["status"], self.summary["objective_cny"]
        money = f"{profit:,.2f} {self.scenario.currency}"
        return f"<{type(self).__name__} {self.scenario.name}: {status}, {money}>"

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields alone: what was derived from them is derived again."""
        return {f.name: vars(self)[f.name] for f in fields(self) if f.name in vars(self)}

    @property
    def members(self) -> Mapping[str, PlanTables]:
        """The plan of each future by name: of one future the plan itself, by its scenario's."""
        return {self.scenario.name: self}

    def long_schedule(self) -> pd.DataFrame:
        """Return the schedule with one value a row, ready for `groupby`, `pivot` and plots.

        Columns: time (start of the step, with its zone), component, quantity, index (empty where a
        quantity has none), value, unit (empty for a count); before them `member` in a plan of
        several futures.
        """
        return long_schedule(self.schedule)

    def key_figures(self) -> pd.DataFrame:
        """Return the key figures of the summary: component, figure, value, unit.

        Those of the whole site have an empty component and are named by their path in the summary:
        `objective_cny`, `green.load_share`. A figure that is not known is NaN. A plan of several
        futures has a first column `member`, empty for figures of all together.
        """
        return key_figures(self.summary)

    @property
    def title(self) -> str:
        """What people read of the plan: the title or the name of its scenario."""
        return title_of(self.scenario)

    @cached_property
    def _titles(self) -> dict[str, str]:
        return titles_of(self.scenario.components)

    def titled(self, component: str) -> str:
        """Return what people read of a component: its title or its name."""
        return self._titles.get(component, component)

    @cached_property
    def uses(self) -> dict[str, Use]:
        """The uses of its energy in their order; those that no kind declares come last."""
        allocated = set(self.allocation["use"].unique())
        uses = uses_of(self.scenario.components.values())
        in_order = [*uses, *sorted(allocated - set(uses))]
        return {name: uses.get(name, Use()) for name in in_order if name in allocated}

    def used_mwh(self, use: str) -> float:
        """Return the energy put to a use over the horizon."""
        by_origin = self.summary["allocation_mwh"].values()
        return float(sum(by_use.get(use, 0.0) for by_use in by_origin))

    def figure(self, name: str) -> float:
        """Return the sum of a key figure over the components that have it."""
        by_component = self.summary["figures"].values()
        return float(sum(figures.get(name, 0.0) for figures in by_component))

    @property
    def unserved_mtok(self) -> float:
        """Work that interactive services did not answer and batch services refused."""
        columns = ("unserved_mtok_per_h", "refused_mtok_per_h")
        step_h = self.scenario.horizon.step_h
        return step_h * sum(schedule_sum(self.schedule, column) for column in columns)

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
            and _same(self.end_values, other.end_values)
        )

    __hash__ = None  # type: ignore[assignment]  # a plan holds tables


def _same(a: pd.DataFrame | None, b: pd.DataFrame | None) -> bool:
    if a is None or b is None:
        return a is b
    return a.equals(b) or (a.empty and b.empty)  # the types of columns without rows may differ


def by_part(prices: pd.DataFrame) -> pd.DataFrame:
    """Return a table of prices with `once` and `first` in a column `part`, not in `index`."""
    part = prices["index"].str.extract(_PART)[0].fillna("")
    return prices.assign(index=prices["index"].str.replace(_PART, "", regex=True), part=part)
