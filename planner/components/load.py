"""An electrical load: served, or shed at a price.

Variables: draw_mw[o,t], and shed_mw[t] where shedding has a price.

    demand    sum_o draw_mw[o,t] = demand_mw[t] - shed_mw[t]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from planner.components.component import Component, Site, Supply, Values
from planner.components.terms import (
    Balance,
    Expression,
    Line,
    Meter,
    Terms,
    Use,
    minus,
    of,
    sum_of,
)
from planner.fields import AtLeastZero, Name
from planner.message import Message, template
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array, NonNegative


class Load(Component):
    """Consumers whose demand does not depend on the plan."""

    kind: Literal["load"] = "load"
    also_called: ClassVar[str] = "demand consumer consumption town 负荷"
    rules: ClassVar[Mapping[str, str]] = {
        "demand": "takes demand_mw {demand_mw} MW, neither more nor less",
    }
    less_is_better: ClassVar[tuple[str, ...]] = ("shed_mwh",)
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {"demand_mw": ("demand_mw",)}
    uses: ClassVar[Mapping[str, Use]] = {"load": Use(order=3, drawn=True)}
    remedies: ClassVar[Mapping[str, str]] = {
        "demand_mw": template(
            "a load draws power; what feeds the site is of `kind: renewable`, `thermal` or `grid`"
        ),
    }
    node: Name = "site"
    """Electrical node."""
    demand_mw: NonNegative
    """Power demand."""
    shed_cost_cny_per_mwh: AtLeastZero | None = None
    """Cost of a MWh not served; without it the load must be served."""

    def demands(self) -> dict[Supply, str]:
        return {("power", self.node): "node"}

    def describe_rule(self, rule: str, horizon: Horizon, steps: Sequence[int]) -> Message:
        if self.shed_cost_cny_per_mwh is not None:
            return self.filled(template("takes demand_mw {demand_mw} MW at most"), steps)
        return super().describe_rule(rule, horizon, steps)

    def max_draw_mw(self, horizon: Horizon) -> dict[str, Array]:
        return {self.node: self.demand_mw}

    def must_draw_mw(self, horizon: Horizon) -> dict[str, Array]:
        return {self.node: self.demand_mw} if self.shed_cost_cny_per_mwh is None else {}

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        shed = float(values["shed_mw"].sum() * horizon.step_h) if "shed_mw" in values else 0.0
        return {"demand_mwh": float(self.demand_mw.sum() * horizon.step_h), "shed_mwh": shed}

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time, origins = site.clock, site.origins
        demand = time.of(self.demand_mw)
        costs = {}
        b.draw_mw = pyo.Var(origins, time.steps, domain=pyo.NonNegativeReals)
        if self.shed_cost_cny_per_mwh is not None:
            # no upper bound, which would have a dual of its own: draw_mw >= 0 limits it already
            b.shed_mw = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
            costs[Line("shed", cash=False)] = time.cost(self.shed_cost_cny_per_mwh, of(b.shed_mw))

        def served(t: int) -> Expression:
            return demand[t] if self.shed_cost_cny_per_mwh is None else demand[t] - b.shed_mw[t]

        drawn = sum_of(b.draw_mw, origins)
        b.demand = pyo.Constraint(time.steps, rule=lambda _, t: drawn(t) == served(t))
        return Terms(
            flows={Balance("power", self.node, o): minus(b.draw_mw, o) for o in origins},
            costs=costs,
            uses={("load", o): of(b.draw_mw, o) for o in origins},
            meters={Meter("drawn_mw", self.node, o): of(b.draw_mw, o) for o in origins}
            | {Meter("load_mw", self.node): served},
        )
