"""A kind of component that the package does not have: it turns power into heat and stores it.

Variables: charge_mw[o,t], discharge_mw[o,t] as heat, energy_mwh[o,t] on points; heating[t]
(binary).

    energy      energy_mwh[o,t] = energy_mwh[o,t-1] + Δ (charge_mw[o,t] - discharge_mw[o,t])
    capacity    sum_o energy_mwh[o,t] <= capacity_mwh
    most        sum_o charge_mw[o,t] <= power_mw heating[t]
    least       sum_o charge_mw[o,t] >= min_power_mw heating[t]
    demand      sum_o discharge_mw[o,t] = demand_mw[t]

Heat left at the end has no value.

Codes of the decision `heating`:

    heats    draws power, for this step or a later one
    rests    draws no power
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from planner.components.component import Component, Site, Supply, Values, summed
from planner.components.reasons import Reason, StepPrices, money
from planner.components.terms import (
    Balance,
    ByStep,
    Line,
    Meter,
    State,
    Storage,
    Terms,
    Use,
    minus,
    of,
    sum_of,
)
from planner.fields import AtLeastZero, Name
from planner.message import Message
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array, NonNegative


class HeatStore(Component):
    """A tank that is heated with power and serves a demand for heat."""

    kind: Literal["heat_store"]
    also_called: ClassVar[str] = "heat_tank boiler"
    rules: ClassVar[Mapping[str, str]] = {
        "demand": "delivers demand_mw {demand_mw} MW of heat, neither more nor less",
        "most": "takes power_mw {power_mw} MW at most",
    }
    uses: ClassVar[Mapping[str, Use]] = {"heat": Use(drawn=True), "storage": Use(order=4)}
    earns: ClassVar[Mapping[str, str]] = {"heat": "heat"}
    states: ClassVar[tuple[State, ...]] = (
        State("heating", "heating", zero_without_first=("charge_mw",), whole=True),
    )
    node: Name = "site"
    """Electrical node."""
    power_mw: AtLeastZero
    """Most power drawn."""
    min_power_mw: AtLeastZero = 0.0
    """Least power while heating."""
    capacity_mwh: AtLeastZero
    """Most heat stored."""
    demand_mw: NonNegative
    """Demand for heat."""
    price_cny_per_mwh: float = 0.0
    """Price of a MWh of heat."""
    initial: Annotated[dict[str, AtLeastZero], Field(default_factory=dict)]
    """Heat stored when the horizon begins, MWh by origin [none]."""

    def demands(self) -> dict[Supply, str]:
        return {("power", self.node): "node"}

    def storage(self) -> Storage:
        return Storage(self.capacity_mwh, 0.0, self.initial)

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time, origins, step_h = site.clock, site.origins, site.clock.step_h
        demand = time.of(self.demand_mw)
        b.charge_mw = pyo.Var(origins, time.steps, domain=pyo.NonNegativeReals)
        b.discharge_mw = pyo.Var(origins, time.steps, domain=pyo.NonNegativeReals)
        b.energy_mwh = pyo.Var(origins, time.points, domain=pyo.NonNegativeReals)
        b.heating = pyo.Var(time.steps, domain=pyo.Binary)
        for o in origins:
            b.energy_mwh[o, time.first - 1].fix(self.initial.get(o, 0.0))

        charged = sum_of(b.charge_mw, origins)
        stored = sum_of(b.energy_mwh, origins)
        delivered = sum_of(b.discharge_mw, origins)
        b.energy = pyo.Constraint(
            origins,
            time.steps,
            rule=lambda b, o, t: (
                b.energy_mwh[o, t]
                == b.energy_mwh[o, t - 1] + step_h * (b.charge_mw[o, t] - b.discharge_mw[o, t])
            ),
        )
        b.capacity = pyo.Constraint(time.steps, rule=lambda _, t: stored(t) <= self.capacity_mwh)
        b.most = pyo.Constraint(
            time.steps, rule=lambda b, t: charged(t) <= self.power_mw * b.heating[t]
        )
        b.least = pyo.Constraint(
            time.steps, rule=lambda b, t: charged(t) >= self.min_power_mw * b.heating[t]
        )
        b.demand = pyo.Constraint(time.steps, rule=lambda _, t: delivered(t) == demand[t])

        def growth(o: str) -> ByStep:
            return lambda t: b.charge_mw[o, t] - b.discharge_mw[o, t]

        def earned(o: str) -> dict[int, object]:
            return {t: -self.price_cny_per_mwh * step_h * b.discharge_mw[o, t] for t in time.steps}

        return Terms(
            flows={Balance("power", self.node, o): minus(b.charge_mw, o) for o in origins},
            costs={Line("heat", use="heat", origin=o): earned(o) for o in origins},
            uses={("heat", o): of(b.discharge_mw, o) for o in origins}
            | {("storage", o): growth(o) for o in origins},
            meters={Meter("drawn_mw", self.node, o): of(b.charge_mw, o) for o in origins},
        )

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        return {"discharge_mwh": float(summed("discharge_mw", values).sum() * horizon.step_h)}

    def after(self, values: Values, executed: Window, horizon: Horizon) -> Self:  # noqa: ARG002
        last = {
            name.removeprefix("energy_mwh[").removesuffix("]"): max(0.0, float(column[-1]))
            for name, column in values.items()
            if name.startswith("energy_mwh[")
        }
        return self.revised({"initial": last})


def reasons(
    store: HeatStore, values: Values, prices: StepPrices, horizon: Horizon
) -> Iterator[Reason]:
    """Yield the reason of every step."""
    price: Array = prices.at(store.node, "renewable")
    for t in range(horizon.steps):
        code = "heats" if values["heating"][t] > 0.5 else "rests"
        yield Reason(t + 1, "heating", code, Message("price {price}", price=money(price[t])))
