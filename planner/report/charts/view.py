"""A plan as charts read it: columns by component, energy by origin and use, prices by step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from planner.plan_tables.tables import PlanTables
from planner.report.charts.panels import Clock
from planner.timeseries.schedule import columns_of
from planner.timeseries.series import Array

LEAST = 1e-6  # MW, nodes, Mtok/h: less is nothing


@dataclass(frozen=True, eq=False)
class View:
    """The tables of a plan by what charts ask for."""

    plan: PlanTables

    @cached_property
    def clock(self) -> Clock:
        """The time axis."""
        times = pd.DatetimeIndex(self.plan.schedule.index)
        step_min = self.plan.scenario.horizon.step_min
        return Clock(times[0].tz_localize(None), len(times), step_min)

    @cached_property
    def step_h(self) -> float:
        """Length of a step in hours."""
        return float(self.plan.scenario.horizon.step_h)

    @cached_property
    def values(self) -> dict[str, dict[str, Array]]:
        """The columns of the schedule by component and quantity; each of shape (T,)."""
        components = self.plan.scenario.components
        return {name: columns_of(self.plan.schedule, name) for name in components}

    def of_kind(self, kind: str) -> dict[str, Any]:
        """Return the components of a kind, by name."""
        parts = self.plan.scenario.components
        return {name: part for name, part in parts.items() if part.kind == kind}

    def having(self, quantity: str) -> list[str]:
        """Return the components with a column of a quantity, by origin or not."""
        return [
            name
            for name, columns in self.values.items()
            if any(_bare(column) == quantity for column in columns)
        ]

    def total(self, name: str, quantity: str) -> Array:
        """Return a quantity of a component summed over its indices; shape (T,)."""
        parts = [v for column, v in self.values[name].items() if _bare(column) == quantity]
        return np.asarray(np.sum(parts, axis=0)) if parts else np.zeros(self.clock.steps)

    def every(self, quantity: str) -> Array:
        """Return a quantity summed over all components; shape (T,)."""
        parts = [self.total(name, quantity) for name in self.having(quantity)]
        return np.asarray(np.sum(parts, axis=0)) if parts else np.zeros(self.clock.steps)

    def by_origin(self, quantity: str) -> dict[str, Array]:
        """Return a quantity summed over all components, by its index."""
        found: dict[str, Array] = {}
        for name in self.having(quantity):
            for column, values in self.values[name].items():
                if _bare(column) == quantity:
                    index = column.partition("[")[2].removesuffix("]")
                    found[index] = found.get(index, 0.0) + values
        return found

    @cached_property
    def used_mw(self) -> dict[tuple[str, str], Array]:
        """The allocation by origin and use as MW by step."""
        grouped: Any = self.plan.allocation.groupby(["origin", "use"], sort=False)["mwh"]
        return {key: part.to_numpy() / self.step_h for key, part in grouped}

    @cached_property
    def origins(self) -> list[str]:
        """The origins of the allocation, in its order."""
        return list(dict.fromkeys(origin for origin, _ in self.used_mw))

    def used(self, use: str, origin: str | None = None) -> Array:
        """Return the MW of a use by step, of one origin or of all."""
        parts = [v for (o, u), v in self.used_mw.items() if u == use and origin in (None, o)]
        return np.asarray(np.sum(parts, axis=0)) if parts else np.zeros(self.clock.steps)

    def injected(self, origin: str) -> Array:
        """Return the MW of an origin brought in by step: all its uses together."""
        parts = [v for (o, _), v in self.used_mw.items() if o == origin]
        return np.asarray(np.sum(parts, axis=0)) if parts else np.zeros(self.clock.steps)

    def series(self, values: Any) -> Array:
        """Return a series of a component as one value for every step of the plan."""
        full = np.broadcast_to(np.asarray(values, dtype=float), (self.plan.scenario.horizon.steps,))
        if len(full) == self.clock.steps:
            return full
        starts = self.plan.scenario.horizon.starts
        return full[starts.get_indexer(pd.DatetimeIndex(self.plan.schedule.index))]

    @cached_property
    def _priced(self) -> dict[tuple[str, str, str], Array]:
        table = self.plan.prices
        if table is None or table.empty:
            return {}
        hourly = table[table["time"].notna()]
        place = pd.DatetimeIndex(self.plan.schedule.index).get_indexer(
            pd.DatetimeIndex(hourly["time"])
        )
        hourly = hourly.assign(place=place, index=hourly["index"].fillna(""))
        found = {}
        grouped: Any = hourly.groupby(["component", "quantity", "index"], sort=False)
        for key, part in grouped:
            values = np.full(self.clock.steps, np.nan)
            values[part["place"].to_numpy()] = part["value"].to_numpy(dtype=float)
            found[key] = values
        return found

    def prices(self, quantity: str) -> dict[tuple[str, str], Array]:
        """Return the marginal prices of a quantity by component and index; none where unasked."""
        return {(c, i): v for (c, q, i), v in self._priced.items() if q == quantity}

    def earned(self, lines: tuple[str, ...]) -> Array:
        """Return what ledger lines brought in each step, CNY; shape (T,)."""
        ledger = self.plan.ledger
        mine = ledger[ledger["line"].isin(lines)]
        starts = pd.DatetimeIndex(self.plan.schedule.index)
        periods = pd.Index([moment.isoformat() for moment in starts])
        place = periods.get_indexer(pd.Index(mine["period"]))
        there = place >= 0
        weights = mine["amount_cny"].to_numpy(dtype=float)[there]
        earned = np.bincount(place[there], weights=weights, minlength=len(starts))
        return np.asarray(earned, dtype=float)


def _bare(column: str) -> str:
    return column.partition("[")[0]
