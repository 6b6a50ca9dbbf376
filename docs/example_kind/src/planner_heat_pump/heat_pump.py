"""A heat pump with a hot-water tank.

Variables: draw_mw[o,t], on[t] on points (binary), heat_mw[t] delivered, tank_mwh[t] in the tank on
points; start[t] where a start has a cost, shed_mw[t] where shedding has one.

    tank        tank_mwh[t] = (1 - leak_per_h)^Δ tank_mwh[t-1] + Δ (cop[t] sum_o draw_mw[o,t] - heat_mw[t])
    capacity    tank_mwh[t] <= capacity_mwh
    demand      heat_mw[t] + shed_mw[t] = demand_mw[t]
    most        sum_o draw_mw[o,t] <= power_mw on[t]
    least       sum_o draw_mw[o,t] >= min_power_mw on[t]
    started     start[t] >= on[t] - on[t-1]
    ending      tank_mwh[T] >= at_least_mwh, or >= tank_mwh[0]
    ending_most tank_mwh[T] <= at_most_mwh

Energy is traced up to the pump: what it draws is the use `heat`. The heat itself has no origin. The
end value is value_cny_per_mwh times the change of tank_mwh; it is not cash, and neither is the cost
of heat that is not delivered.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from planner.components.kind import (
    DISPATCHABLE,
    Above0,
    Amounts,
    Array,
    AtEnd,
    AtLeastZero,
    Balance,
    Complaint,
    Component,
    Ending,
    EndLimits,
    EndValue,
    Frozen,
    Horizon,
    Line,
    Message,
    Meter,
    Moves,
    Name,
    NonNegative,
    Positive,
    Site,
    State,
    Supply,
    Terms,
    Use,
    Values,
    Window,
    minus,
    of,
    pyo,
    sum_of,
    summed,
)


class HeatPumpInitial(Frozen):
    """The heat pump when the horizon begins."""

    tank_mwh: AtLeastZero
    """Heat in the tank."""
    on: bool
    """Whether the pump is on."""


class HeatPump(Component):
    """A heat pump with a hot-water tank, which serves a demand for heat."""

    kind: Literal["heat_pump"] = "heat_pump"
    also_called: ClassVar[str] = "heatpump hot_water_tank 热泵"
    rules: ClassVar[Mapping[str, str]] = {
        "capacity": "holds capacity_mwh {capacity_mwh} MWh of heat at most",
        "demand": "delivers demand_mw {demand_mw} MW of heat, neither more nor less",
        "most": "draws power_mw {power_mw} MW at most",
        "least": "draws min_power_mw {min_power_mw} MW or more, or nothing",
        "ending": "must end with {least_end_mwh} MWh of heat or more (`ending`)",
        "ending_most": "must end with {most_end_mwh} MWh of heat or less (`ending`)",
    }
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "capacity_mwh": ("capacity_mwh",), "demand_mw": ("demand_mw",),
    }  # fmt: skip
    less_is_better: ClassVar[tuple[str, ...]] = ("shed_mwh",)
    facts: ClassVar[frozenset[str]] = frozenset({"cop", "demand_mw", "initial", "leak_per_h"})
    uses: ClassVar[Mapping[str, Use]] = {"heat": Use(drawn=True)}
    states: ClassVar[tuple[State, ...]] = (
        State("on", "heating", zero_without_first=("draw_mw",), whole=True),
    )
    carries: ClassVar[Mapping[str, str]] = {"tank_mwh": "ending.value_cny_per_mwh"}
    end_rows: ClassVar[Mapping[str, str]] = {
        "ending": "state at the end", "ending_most": "state at the end, at most",
    }  # fmt: skip
    node: Name = "site"
    """Electrical node."""
    power_mw: Positive
    """Most power drawn."""
    min_power_mw: AtLeastZero = 0.0
    """Least power drawn where it is on."""
    cop: Above0
    """Coefficient of performance: heat made per power drawn, MW/MW; less on cold days."""
    start_cost_cny: AtLeastZero = 0.0
    """Cost of each start."""
    demand_mw: NonNegative
    """Demand for heat."""
    shed_cost_cny_per_mwh: AtLeastZero | None = None
    """Cost of a MWh of heat not delivered; without it all must be."""
    capacity_mwh: AtLeastZero
    """Most heat in the tank; 0 without a tank."""
    leak_per_h: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Part of the heat in the tank that is lost in an hour."""
    initial: HeatPumpInitial
    """State when the horizon begins."""
    ending: Ending
    """Heat in the tank at the end: limits or a value; without either, a plan would empty it."""

    @property
    def least_end_mwh(self) -> float | None:
        """Heat that must be left at the end; None without such a limit."""
        if self.ending == "same_as_start":
            return self.initial.tank_mwh
        return self.ending.at_least_mwh if isinstance(self.ending, EndLimits) else None

    @property
    def most_end_mwh(self) -> float | None:
        """Most heat that may be left at the end; None without such a limit."""
        return self.ending.at_most_mwh if isinstance(self.ending, EndLimits) else None

    def check(self, site: Site) -> Iterator[Complaint]:
        if self.min_power_mw > self.power_mw:
            message = Message("may not exceed power_mw {most:g}", most=self.power_mw)
            yield ("min_power_mw",), message
        if self.initial.tank_mwh > self.capacity_mwh:
            message = Message("may not exceed capacity_mwh {most:g}", most=self.capacity_mwh)
            yield ("initial", "tank_mwh"), message
        if (self.least_end_mwh or 0.0) > self.capacity_mwh and self.ending != "same_as_start":
            message = Message("may not exceed capacity_mwh {most:g}", most=self.capacity_mwh)
            yield ("ending", "at_least_mwh"), message

    def demands(self) -> dict[Supply, str]:
        return {("power", self.node): "node"}

    def max_draw_mw(self, horizon: Horizon) -> dict[str, Array]:
        return {self.node: self.power_mw + 0.0 * self.demand_mw}

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time, origins = site.clock, site.origins
        cop, demand = time.of(self.cop), time.of(self.demand_mw)
        retained = (1 - self.leak_per_h) ** time.step_h
        b.draw_mw = pyo.Var(origins, time.steps, domain=pyo.NonNegativeReals)
        b.on = pyo.Var(time.points, domain=pyo.Binary)
        b.heat_mw = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        b.tank_mwh = pyo.Var(time.points, domain=pyo.NonNegativeReals)
        b.on[time.first - 1].fix(float(self.initial.on))
        b.tank_mwh[time.first - 1].fix(self.initial.tank_mwh)
        sheds = self.shed_cost_cny_per_mwh is not None
        if sheds:
            b.shed_mw = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        drawn = sum_of(b.draw_mw, origins)

        b.tank = pyo.Constraint(
            time.steps,
            rule=lambda b, t: (
                b.tank_mwh[t]
                == retained * b.tank_mwh[t - 1] + time.step_h * (cop[t] * drawn(t) - b.heat_mw[t])
            ),
        )
        b.capacity = pyo.Constraint(
            time.steps, rule=lambda b, t: b.tank_mwh[t] <= self.capacity_mwh
        )
        b.demand = pyo.Constraint(
            time.steps,
            rule=lambda b, t: b.heat_mw[t] + (b.shed_mw[t] if sheds else 0) == demand[t],
        )
        b.most = pyo.Constraint(time.steps, rule=lambda b, t: drawn(t) <= self.power_mw * b.on[t])
        b.least = pyo.Constraint(
            time.steps, rule=lambda b, t: drawn(t) >= self.min_power_mw * b.on[t]
        )
        if self.least_end_mwh is not None:
            b.ending = pyo.Constraint(rule=b.tank_mwh[time.last] >= self.least_end_mwh)
        if self.most_end_mwh is not None:
            b.ending_most = pyo.Constraint(rule=b.tank_mwh[time.last] <= self.most_end_mwh)

        costs: dict[Line, Amounts] = {}
        if self.start_cost_cny:
            b.start = pyo.Var(time.steps, bounds=(0, 1))
            b.started = pyo.Constraint(
                time.steps, rule=lambda b, t: b.start[t] >= b.on[t] - b.on[t - 1]
            )
            costs[Line("start")] = lambda t: self.start_cost_cny * b.start[t]
        if self.shed_cost_cny_per_mwh is not None:
            costs[Line("shed", cash=False)] = time.cost(self.shed_cost_cny_per_mwh, of(b.shed_mw))
        if isinstance(self.ending, EndValue):
            removed = self.initial.tank_mwh - b.tank_mwh[time.last]
            costs[Line("end_value", cash=False)] = {None: self.ending.value_cny_per_mwh * removed}
        return Terms(
            flows={Balance("power", self.node, o): minus(b.draw_mw, o) for o in origins},
            costs=costs,
            uses={("heat", o): of(b.draw_mw, o) for o in origins},
            meters={Meter("drawn_mw", self.node, o): of(b.draw_mw, o) for o in origins},
            moves=[Moves(DISPATCHABLE, drawn)],
        )

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        delivered, wanted = values["heat_mw"].sum(), self.demand_mw.sum()
        return {
            "drawn_mwh": float(summed("draw_mw", values).sum() * horizon.step_h),
            "heat_mwh": float(delivered * horizon.step_h),
            "shed_mwh": float((wanted - delivered) * horizon.step_h),
            "tank_at_end_mwh": float(values["tank_mwh"][-1]),
        }

    def resolved_ending(self) -> Ending:
        if self.ending == "same_as_start":
            return EndLimits(at_least_mwh=self.initial.tank_mwh)
        return self.ending

    def after(self, values: Values, executed: Window, horizon: Horizon) -> Self:
        tank_mwh = min(max(float(values["tank_mwh"][-1]), 0.0), self.capacity_mwh)
        initial = HeatPumpInitial(tank_mwh=tank_mwh, on=bool(values["on"][-1] > 0.5))
        return self.revised({"initial": initial, "ending": self.resolved_ending()})

    def with_lookahead(
        self, values: Values, window: Window, horizon: Horizon, *, firm: bool
    ) -> Self:
        if isinstance(self.ending, EndValue) or not (values or not firm):
            return self
        later_mwh = max(float(values["tank_mwh"][window.last - 1]), 0.0) if firm else 0.0
        least_mwh = min(self.least_end_mwh or 0.0, later_mwh)
        return self.revised({"ending": EndLimits(at_least_mwh=least_mwh)})

    def with_end_values(self, at_end: Mapping[str, AtEnd], horizon: Horizon) -> Self:
        (heat,) = at_end.values()
        return self.revised({"ending": EndValue(value_cny_per_mwh=heat.worth_cny)})
