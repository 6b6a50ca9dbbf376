"""Photovoltaics or wind: available power is used or curtailed, except for a must-take part.

Variables: power_mw[t].  Expression: curtailed_mw[t] = capacity_mw availability_pu[t] - power_mw[t].

    bounds of power_mw     must_take_pu[t] capacity_mw <= power_mw[t]
                           power_mw[t] <= availability_pu[t] capacity_mw
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import numpy as np

from planner.components.component import Complaint, Component, Site, Supply, Values
from planner.components.terms import (
    WEATHER,
    Balance,
    Line,
    Meter,
    Moves,
    Source,
    Terms,
    Use,
    of,
)
from planner.fields import AtLeastZero, Name
from planner.message import Message, template
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array, PerUnit


class Renewable(Component):
    """Photovoltaics or wind."""

    kind: Literal["renewable"] = "renewable"
    also_called: ClassVar[str] = (
        "pv solar wind photovoltaic photovoltaics renewables wind_farm 光伏 风电"
    )
    rules: ClassVar[Mapping[str, str]] = {
        "power_mw": (
            "gives between must_take_pu {must_take_pu} and availability_pu {availability_pu} of"
            " capacity_mw {capacity_mw} MW"
        ),
    }
    less_is_better: ClassVar[tuple[str, ...]] = ("curtailed_mwh", "curtailed_share")
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {"capacity_mw": ("capacity_mw",)}
    uses: ClassVar[Mapping[str, Use]] = {"curtailed": Use(order=6, lost=True)}
    facts: ClassVar[frozenset[str]] = frozenset({"availability_pu"})
    remedies: ClassVar[Mapping[str, str]] = {
        "capacity_mw": template("a plant feeds the site; what draws power is of `kind: load`"),
        "availability_pu": template(
            "it is per unit of capacity_mw: a column in MW needs `scale: ` 1 / capacity_mw, one in"
            " percent `scale: 0.01`"
        ),
        "must_take_pu": template("it is per unit of capacity_mw, 0 to 1"),
        "technology": template(
            "it is only a word for reports; a thermal unit is of `kind: thermal`"
        ),
    }
    node: Name = "site"
    """Electrical node."""
    technology: Literal["pv", "wind"]
    """Technology; for reports."""
    capacity_mw: AtLeastZero
    """Rated power."""
    availability_pu: PerUnit
    """Available power per unit of capacity."""
    cost_cny_per_mwh: AtLeastZero = 0.0
    """Cost of a MWh used."""
    levelized_cost_cny_per_mwh: AtLeastZero | None = None
    """Cost of building it, per MWh available; reported, never optimised."""
    must_take_pu: PerUnit = 0.0  # type: ignore[assignment]  # validated into a series
    """Part of the capacity that may not be curtailed."""

    def supplies(self) -> dict[Supply, float]:
        return {("power", self.node): self.capacity_mw}

    def max_supply_mw(self, horizon: Horizon) -> dict[str, Array]:
        return {self.node: self.capacity_mw * self.availability_pu}

    def source(self) -> Source:
        return Source(self.technology, "renewable")

    def renewable_mwh(self, horizon: Horizon) -> float:
        return horizon.step_h * self.capacity_mw * float(self.availability_pu.sum())

    def check(self, site: Site) -> Iterator[Complaint]:
        over = np.flatnonzero(self.must_take_pu > self.availability_pu)
        if over.size:
            when = site.horizon.at(int(over[0]) + 1)
            message = Message("may not exceed availability_pu, and does at {when}", when=when)
            yield ("must_take_pu",), message

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        return {
            "available_mwh": float((values["power_mw"] + values["curtailed_mw"]).sum())
            * horizon.step_h,
            "curtailed_mwh": float(values["curtailed_mw"].sum() * horizon.step_h),
        }

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time = site.clock
        available = time.of(self.availability_pu * self.capacity_mw)
        must_take = time.of(self.must_take_pu * self.capacity_mw)
        b.power_mw = pyo.Var(time.steps, bounds=lambda _, t: (must_take[t], available[t]))
        b.curtailed_mw = pyo.Expression(time.steps, rule=lambda b, t: available[t] - b.power_mw[t])
        origin = site.origin("renewable")
        costs = {}
        if self.cost_cny_per_mwh:
            costs[Line("variable")] = time.cost(self.cost_cny_per_mwh, of(b.power_mw))
        reported = {}
        if self.levelized_cost_cny_per_mwh is not None:
            levelized = time.cost(self.levelized_cost_cny_per_mwh, of(available))
            reported[Line("levelized")] = levelized
        return Terms(
            flows={Balance("power", self.node, origin): of(b.power_mw)},
            costs=costs,
            reported=reported,
            uses={("curtailed", origin): of(b.curtailed_mw)},
            injected={origin: of(available)},
            meters={
                Meter("renewable_mw", self.node): of(b.power_mw),
                Meter("renewable_available_mw", self.node): of(available),
            },
            moves=[Moves(WEATHER, of(b.power_mw))],
        )
