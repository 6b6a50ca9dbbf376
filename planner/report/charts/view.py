"""The tables of a plan for charts: columns by component, energy by origin and use, prices."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from planner.components.component import Component
from planner.components.terms import Connection, Source
from planner.fields import NOTHING
from planner.plan_tables.shares import by_pair
from planner.plan_tables.tables import PlanTables
from planner.report.charts.clock import Clock
from planner.report.charts.style import SUPPLY_STYLES, USE_STYLES, Style, styles_of
from planner.timeseries.schedule import columns_by_component
from planner.timeseries.series import Array

LEAST = NOTHING  # less counts as zero


class PriceSeries(NamedTuple):
    """A marginal price: its unit, and its value in each step, NaN in steps without one."""

    unit: str
    values: Array


@dataclass(frozen=True, eq=False)
class View:
    """The tables of a plan, indexed for charts."""

    plan: PlanTables

    @cached_property
    def clock(self) -> Clock:
        """The time axis."""
        times = pd.DatetimeIndex(self.plan.schedule.index)
        step_min = self.plan.scenario.horizon.step_min
        return Clock(times[0], len(times), step_min)

    @cached_property
    def step_h(self) -> float:
        """Length of a step in hours."""
        return float(self.plan.scenario.horizon.step_h)

    @cached_property
    def values(self) -> dict[str, dict[str, Array]]:
        """The columns of the schedule by component and quantity; each of shape (T,)."""
        columns = columns_by_component(self.plan.schedule.astype(float))
        return {name: columns.get(name, {}) for name in self.components}

    @property
    def components(self) -> Mapping[str, Component]:
        """The components of the plan, by name."""
        return self.plan.scenario.components

    @cached_property
    def sources(self) -> dict[str, Source]:
        """The sources of energy, by component."""
        return {name: source for name, part in self.components.items() if (source := part.source())}

    @cached_property
    def connections(self) -> dict[str, Connection]:
        """The connections to markets, by component."""
        return {
            name: connection
            for name, part in self.components.items()
            if (connection := part.connection())
        }

    def followed(self, origin: str) -> str:
        """Return the origin that the plan traces for energy of an origin: itself, or the pool."""
        return self.plan.scenario.site().origin(origin)

    def has(self, name: str, quantity: str) -> bool:
        """Return whether a component has a column of a quantity, indexed or not."""
        return bool(self.by_index(quantity, [name]))

    def total(self, name: str, quantity: str) -> Array:
        """Return a quantity of a component summed over its indices; shape (T,)."""
        return sum(self.by_index(quantity, [name]).values(), np.zeros(self.clock.steps))

    def every(self, quantity: str) -> Array:
        """Return a quantity summed over all components; shape (T,)."""
        return sum((self.total(name, quantity) for name in self.values), np.zeros(self.clock.steps))

    def by_index(self, quantity: str, names: Iterable[str]) -> dict[str, Array]:
        """Return a quantity summed over components, by its index."""
        by_index: dict[str, Array] = {}
        for name in names:
            for column, values in self.values[name].items():
                bare, _, bracketed = column.partition("[")
                if bare == quantity:
                    index = bracketed.removesuffix("]")
                    by_index[index] = by_index.get(index, 0.0) + values
        return by_index

    @cached_property
    def used_mw(self) -> dict[tuple[str, str], Array]:
        """The allocation by origin and use as MW by step."""
        energy = by_pair(self.plan.allocation, "origin", "use", "mwh")
        return {key: mwh / self.step_h for key, mwh in energy.items()}

    @cached_property
    def origins(self) -> list[str]:
        """The origins of the allocation, in its order."""
        return list(dict.fromkeys(origin for origin, _ in self.used_mw))

    @cached_property
    def use_styles(self) -> dict[str, Style]:
        """The look of each use of energy."""
        return USE_STYLES | styles_of(self.plan.uses, USE_STYLES)

    @cached_property
    def source_styles(self) -> dict[str, Style]:
        """The look of each source of energy."""
        sources = (*(source.name for source in self.sources.values()), "other")
        return SUPPLY_STYLES | styles_of(sources, SUPPLY_STYLES)

    def used(self, use: str | None = None, origin: str | None = None) -> Array:
        """Return MW by step of one use or all, and of one origin or all."""
        parts = [
            power for (o, u), power in self.used_mw.items()
            if origin in (None, o) and use in (None, u)
        ]  # fmt: skip
        return sum(parts, np.zeros(self.clock.steps))

    def series(self, values: Any) -> Array:
        """Return a series of a component, also a constant one, with a value for every step."""
        full = np.broadcast_to(np.asarray(values, dtype=float), (self.plan.scenario.horizon.steps,))
        if len(full) == self.clock.steps:
            return full
        starts = self.plan.scenario.horizon.starts
        return full[starts.get_indexer(pd.DatetimeIndex(self.plan.schedule.index))]

    @cached_property
    def priced(self) -> dict[tuple[str, str, str], PriceSeries]:
        """The marginal prices by component, quantity and index."""
        table = self.plan.prices
        if table is None:
            return {}
        timed = table[table["time"].notna()].fillna({"index": ""}).set_index("time")
        grouped: Any = timed.groupby(["component", "quantity", "index"], sort=False)
        return {
            key: PriceSeries(
                str(part["unit"].iloc[0]),
                part["value"].astype(float).reindex(self.plan.schedule.index).to_numpy(),
            )
            for key, part in grouped
        }

    def prices(self, quantity: str) -> dict[tuple[str, str], Array]:
        """Return the marginal prices of a quantity by component and index; empty without prices."""
        return {(c, i): price.values for (c, q, i), price in self.priced.items() if q == quantity}

    def earned(self, lines: Collection[str] | None = None) -> Array:
        """Return the sum of ledger lines, or of all, in each step, CNY; shape (T,)."""
        ledger = self.plan.ledger
        if lines is not None:
            ledger = ledger[ledger["line"].isin(lines)]
        starts = pd.DatetimeIndex(self.plan.schedule.index)
        periods = pd.Index([start.isoformat() for start in starts])
        step = periods.get_indexer(pd.Index(ledger["period"]))
        timed = step >= 0  # not of a month or the whole horizon
        amounts = ledger["amount_cny"].to_numpy(dtype=float)[timed]
        return np.asarray(np.bincount(step[timed], weights=amounts, minlength=len(starts)), float)
