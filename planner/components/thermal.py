"""A coal unit: tight commitment with a past, start kinds, ramps, and any fuel curve.

Variables: on[t] and power_above_min_mw[t] on points, start[t], stop[t] (binary on and fixed past),
start_kind[s,t], fuel_gj_per_h[t], reserve_mw[j,t] per reserve j, segment_mw[k,t] and
segment_full[k,t] for curves that are not convex.  Expression: power_mw[t], gross.

With p = power_above_min_mw, r = sum_j reserve_mw[j], G[t] = max_power_mw[t] available[t] - min_power_mw[t],
UT and DT the minimum times in steps, SU and SD the start and stop ramps, RU and RD the ramps of a step:

    switching       on[t] - on[t-1] = start[t] - stop[t]
    stay_on         sum_{i<UT} start[t-i] <= on[t]                 (Rajan & Takriti 2005)
    stay_off        sum_{i<DT} stop[t-i] <= 1 - on[t]
    ceiling         UT >= 2: p[t] + r[t] <= G on[t] - (Pmax - SU) start[t] - (Pmax - SD) stop[t+1]
    ceiling_start   UT = 1:  p[t] + r[t] <= G on[t] - (Pmax - SU) start[t] - max(SU - SD, 0) stop[t+1]
    ceiling_stop    UT = 1:  p[t] + r[t] <= G on[t] - (Pmax - SD) stop[t+1] - max(SD - SU, 0) start[t]
                    (Morales-España, Latorre & Ramos 2013; no stop[T+1])
    first_stop      p[0] <= G on[0] - (Pmax - SD) stop[1]                 (the past is a fact: no start term)
    ramp_up         p[t] + r[t] - p[t-1] <= RU - (Pmin[t] - Pmin[t-1]) (on[t] - start[t])
    ramp_down       p[t-1] - p[t] <= RD + (Pmin[t] - Pmin[t-1]) (on[t] - start[t])
    one_kind        sum_s start_kind[s,t] = start[t]
    kind_window     start_kind[s,t] <= sum_{T_s <= i < T_(s+1)} stop[t-i]   for every s but the coldest
    fuel            convex: fuel_gj_per_h[t] >= slope_k power_mw[t] + intercept_k on[t]
    fuel_segments   else:   fuel_gj_per_h[t] = F_1 on[t] + sum_k slope_k segment_mw[k,t]
    power_segments          power_mw[t] = P_1 on[t] + sum_k segment_mw[k,t]
    segment_open            segment_mw[k,t] <= length_k segment_full[k-1,t]   (on[t] for the first)
    segment_closed          segment_mw[k,t] >= length_k segment_full[k,t]
    ending          on[T] = 1 or 0, as `ending` says

An outage (available too small for the minimum power) holds whatever else does: it fixes on[t] = 0,
and the rows that would forbid the trip (stay_on, ramp_down, the stop ramp) leave it out. The block
follows Knueven, Ostrowski & Watson (2020); they show it tight.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from planner.components.base import (
    AtLeastZero,
    Balance,
    Complaint,
    Component,
    Fraction,
    Line,
    Meter,
    Name,
    Positive,
    Site,
    Supply,
    Terms,
    Tidy,
    Values,
)
from planner.components.fuel import FuelCurve, FuelPoint
from planner.horizon import Frozen, Horizon, Window
from planner.series import Array, Bounds, NonNegative, PerUnit

if TYPE_CHECKING:
    import pyomo.environ as pyo


class Startup(Frozen):
    """What a start costs after so many hours off."""

    off_h: AtLeastZero
    """Hours off from which this cost holds."""
    cost_cny: AtLeastZero
    """Cost of the start."""


class ThermalInitial(Frozen):
    """The unit when the horizon begins."""

    on: bool
    """Whether it runs."""
    power_mw: AtLeastZero = 0.0
    """Its gross power."""
    hours: Positive
    """For how long it has been on or off."""


class Thermal(Component):
    """A thermal unit; all powers are gross, the node sees (1 - auxiliary_share) of them."""

    kind: Literal["thermal"]
    offers_reserve: ClassVar[bool] = True
    node: Name = "site"
    """Electrical node."""
    min_power_mw: NonNegative
    """Least power when on."""
    max_power_mw: NonNegative
    """Most power when on."""
    curve: Annotated[tuple[FuelPoint, ...], Field(min_length=1, strict=False)]
    """Fuel against power, piecewise linear over the whole range."""
    fuel_price_cny_per_gj: Annotated[np.ndarray, Bounds(gt=0.0)]
    """Price of fuel."""
    variable_cost_cny_per_mwh: AtLeastZero = 0.0
    """Other cost per gross MWh."""
    ramp_up_mw_per_h: Positive
    """Fastest rise."""
    ramp_down_mw_per_h: Positive
    """Fastest fall."""
    startup_ramp_mw: AtLeastZero | None = None
    """Most power in the step of a start; the minimum power where not given."""
    shutdown_ramp_mw: AtLeastZero | None = None
    """Most power in the step before a stop; the minimum power where not given."""
    min_up_h: AtLeastZero
    """Least time on."""
    min_down_h: AtLeastZero
    """Least time off."""
    startups: Annotated[tuple[Startup, ...], Field(min_length=1, strict=False)]
    """Start costs by hours off, hot first: the entry with the largest off_h not above the hours off."""  # noqa: E501
    shutdown_cost_cny: AtLeastZero = 0.0
    """Cost of a stop."""
    emission_tco2_per_gj: AtLeastZero = 0.0
    """Emission per GJ of fuel; reported."""
    allowance_tco2_per_mwh: AtLeastZero = 0.0
    """Free allowance per net MWh; reported."""
    auxiliary_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Part of the gross power the unit needs itself."""
    available: PerUnit = 1.0  # type: ignore[assignment]  # validated into a series
    """Part of the maximum power available; 0 forces the unit off, whatever else holds."""
    must_run: bool = False
    """Whether it must be on whenever it is available."""
    initial: ThermalInitial
    """State when the horizon begins."""
    ending: Literal["free", "same_as_start", "on", "off"] = "free"
    """Whether it must end on or off, or as it began."""

    @model_validator(mode="after")
    def _consistent(self) -> Thermal:
        low, high = self.min_power_mw, self.max_power_mw
        if (low > high).any():
            raise ValueError("min_power_mw may not exceed max_power_mw")
        FuelCurve(self.curve).check(float(low.min()), float(high.max()))
        for name in ("startup_ramp_mw", "shutdown_ramp_mw"):
            ramp = getattr(self, name)
            if ramp is not None and ramp < low.max():
                raise ValueError(f"{name} must be min_power_mw {low.max():g} or more, is {ramp:g}")
        hours = [startup.off_h for startup in self.startups]
        prices = [startup.cost_cny for startup in self.startups]
        if hours[0] != 0 or any(b <= a for a, b in zip(hours, hours[1:], strict=False)):
            raise ValueError("startups must begin with off_h: 0 and ascend")
        if any(b < a for a, b in zip(prices, prices[1:], strict=False)):
            raise ValueError("startups: costs may not fall with hours off")
        start = self.initial
        if start.on and not low[0] - 1e-6 <= start.power_mw <= high[0] + 1e-6:
            raise ValueError(
                f"initial.power_mw must lie between min_power_mw {low[0]:g} and max_power_mw"
                f" {high[0]:g} for a unit that is on, is {start.power_mw:g}"
            )
        if not start.on and start.power_mw:
            raise ValueError(f"initial.power_mw must be 0 for a unit that is off, is {start.power_mw:g}")
        return self

    def supplies(self) -> dict[Supply, float]:
        return {("power", self.node): float(self.max_power_mw.max())}

    def warn(self, site: Site) -> Iterator[str]:
        for name in ("min_up_h", "min_down_h"):
            if getattr(self, name) > site.horizon.hours / 2:
                yield f"{name} is more than half the horizon: the unit can hardly cycle"

    def check(self, site: Site) -> Iterator[Complaint]:
        if self.initial.hours < site.horizon.step_h - 1e-9:
            yield ("initial", "hours"), f"must be a step, {site.horizon.step_h:g} h, or more"

    def forced_off(self) -> np.ndarray:
        """Return the steps in which the unit cannot run; shape (T,), boolean."""
        return (self.available == 0) | (self.max_power_mw * self.available < self.min_power_mw - 1e-9)

    def build(self, b: pyo.Block, site: Site) -> Terms:
        import pyomo.environ as pyo

        time, step_h, horizon = site.clock, site.clock.step_h, site.horizon
        up, down = (max(1, horizon.steps_up(h)) for h in (self.min_up_h, self.min_down_h))
        kinds = [horizon.steps_up(startup.off_h) for startup in self.startups]
        past = max(up, down, kinds[-1] + 1)
        low, high = time.of(self.min_power_mw), time.of(self.max_power_mw * self.available)
        off = {t for t, forced in time.of(self.forced_off().astype(float)).items() if forced}
        before = time.first - 1
        low[before] = float(self.min_power_mw[max(before - 1, 0)])
        high[before] = float(self.max_power_mw[max(before - 1, 0)])

        b.on = pyo.Var(time.back(past), domain=pyo.Binary)
        b.start = pyo.Var(time.back(past), bounds=(0, 1))
        b.stop = pyo.Var(time.back(past), bounds=(0, 1))
        b.power_above_min_mw = pyo.Var(time.points, domain=pyo.NonNegativeReals)
        self._fix_past(b, horizon.steps_up(self.initial.hours), before, past, low[before])
        for t in time.steps:
            if t in off:
                b.on[t].setub(0)
            elif self.must_run:
                b.on[t].setlb(1)
        b.power_mw = pyo.Expression(
            time.steps, rule=lambda b, t: low[t] * b.on[t] + b.power_above_min_mw[t]
        )
        b.switching = pyo.Constraint(
            time.steps, rule=lambda b, t: b.on[t] - b.on[t - 1] == b.start[t] - b.stop[t]
        )

        def since_outage(t: int, steps: int) -> range:
            reach = next((i for i in range(steps) if t - i in off), steps)
            return range(reach)

        b.stay_on = pyo.Constraint(
            [t for t in time.steps if t not in off],
            rule=lambda b, t: sum(b.start[t - i] for i in since_outage(t, up)) <= b.on[t],
        )
        b.stay_off = pyo.Constraint(
            time.steps,
            rule=lambda b, t: sum(b.stop[t - i] for i in range(down)) <= 1 - b.on[t],
        )
        reserves = site.reserves()
        if reserves:
            b.reserve_mw = pyo.Var(reserves, time.steps, domain=pyo.NonNegativeReals)
        self._limits(b, site, up, low, high, off, reserves)
        self._start_kinds(b, site, kinds)
        b.fuel_gj_per_h = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        FuelCurve(self.curve).build(b, time)
        if self.ending != "free":
            b.ending = pyo.Constraint(expr=b.on[time.last] == int(self._ends_on()))

        net = 1 - self.auxiliary_share
        fuel_price = time.of(self.fuel_price_cny_per_gj * step_h)
        costs: dict[Line, Any] = {
            Line("fuel"): {t: fuel_price[t] * b.fuel_gj_per_h[t] for t in time.steps},
            Line("start"): {
                t: sum(
                    startup.cost_cny * b.start_kind[s, t] for s, startup in enumerate(self.startups)
                )
                for t in time.steps
            },
        }
        if self.variable_cost_cny_per_mwh:
            rate = self.variable_cost_cny_per_mwh * step_h
            costs[Line("variable")] = {t: rate * b.power_mw[t] for t in time.steps}
        if self.shutdown_cost_cny:
            rate = self.shutdown_cost_cny
            costs[Line("shutdown")] = {t: rate * b.stop[t] for t in time.steps}
        emission, allowance = self.emission_tco2_per_gj * step_h, self.allowance_tco2_per_mwh * net
        b.emission_tco2 = pyo.Expression(
            time.steps, rule=lambda b, t: emission * b.fuel_gj_per_h[t]
        )
        b.allowance_tco2 = pyo.Expression(
            time.steps, rule=lambda b, t: allowance * step_h * b.power_mw[t]
        )
        origin = site.origin("thermal")
        return Terms(
            flows={Balance("power", self.node, origin): lambda t: net * b.power_mw[t]},
            costs=costs,
            injected={origin: lambda t: net * b.power_mw[t]},
            meters={Meter("contingency_mw", self.node): lambda t: net * b.power_mw[t]}
            | {
                Meter(f"reserve_mw[{j}]"): lambda t, j=j: net * b.reserve_mw[j, t] for j in reserves
            },
            tidy={Tidy.FUEL: sum(b.fuel_gj_per_h[t] for t in time.steps)},
        )

    def _ends_on(self) -> bool:
        return self.initial.on if self.ending == "same_as_start" else self.ending == "on"

    def _fix_past(self, b: pyo.Block, steps: int, before: int, past: int, low: float) -> None:
        """State and age say all that matters: the last switch was so many steps before."""
        start = self.initial
        for t in range(before - past + 1, before + 1):
            switched = t == before - steps + 1
            held = t > before - steps
            b.on[t].fix(int(start.on == held))
            b.start[t].fix(int(switched and start.on))
            b.stop[t].fix(int(switched and not start.on))
        b.power_above_min_mw[before].fix(max(start.power_mw - low, 0.0) if start.on else 0.0)

    def _limits(
        self,
        b: pyo.Block,
        site: Site,
        up: int,
        low: dict[int, float],
        high: dict[int, float],
        off: set[int],
        reserves: list[str],
    ) -> None:
        import pyomo.environ as pyo

        time = site.clock
        rise, fall = self.ramp_up_mw_per_h * time.step_h, self.ramp_down_mw_per_h * time.step_h
        p = b.power_above_min_mw

        def held(t: int) -> Any:
            if reserves and t >= time.first:
                return p[t] + sum(b.reserve_mw[j, t] for j in reserves)
            return p[t]

        def capped(ramp: float | None, t: int) -> float:
            return min(low[t] if ramp is None else max(ramp, low[t]), max(high[t], low[t]))

        def room(t: int) -> tuple[float, float, float, Any, Any]:
            top = max(high[t], low[t])
            stop = b.stop[t + 1] if t < time.last and t + 1 not in off else 0.0
            begin, end = capped(self.startup_ramp_mw, t), capped(self.shutdown_ramp_mw, t)
            return top, begin, end, (top - low[t]) * b.on[t], stop

        def ceiling(b: pyo.Block, t: int) -> Any:
            top, begin, end, range_mw, stop = room(t)
            return held(t) <= range_mw - (top - begin) * b.start[t] - (top - end) * stop

        def ceiling_start(b: pyo.Block, t: int) -> Any:
            top, begin, end, range_mw, stop = room(t)
            return held(t) <= range_mw - (top - begin) * b.start[t] - max(begin - end, 0) * stop

        def ceiling_stop(b: pyo.Block, t: int) -> Any:
            top, begin, end, range_mw, stop = room(t)
            return held(t) <= range_mw - (top - end) * stop - max(end - begin, 0) * b.start[t]

        if up >= 2:
            b.ceiling = pyo.Constraint(time.steps, rule=ceiling)
        else:
            b.ceiling_start = pyo.Constraint(time.steps, rule=ceiling_start)
            b.ceiling_stop = pyo.Constraint(time.steps, rule=ceiling_stop)
        before = time.first - 1
        top, _, end, range_mw, stop = room(before)
        if self.initial.on and time.first not in off and top > end:
            b.first_stop = pyo.Constraint(expr=p[before] <= range_mw - (top - end) * stop)

        def shift(b: pyo.Block, t: int) -> Any:
            moved = low[t] - low[t - 1]
            return moved * (b.on[t] - b.start[t]) if moved else 0.0

        b.ramp_up = pyo.Constraint(
            time.steps, rule=lambda b, t: held(t) - p[t - 1] <= rise - shift(b, t)
        )
        b.ramp_down = pyo.Constraint(
            [t for t in time.steps if t not in off],
            rule=lambda b, t: p[t - 1] - p[t] <= fall + shift(b, t),
        )

    def _start_kinds(self, b: pyo.Block, site: Site, kinds: list[int]) -> None:
        import pyomo.environ as pyo

        time = site.clock
        b.start_kind = pyo.Var(range(len(kinds)), time.steps, bounds=(0, 1))
        b.one_kind = pyo.Constraint(
            time.steps,
            rule=lambda b, t: sum(b.start_kind[s, t] for s in range(len(kinds))) == b.start[t],
        )
        b.kind_window = pyo.Constraint(
            range(len(kinds) - 1),
            time.steps,
            rule=lambda b, s, t: b.start_kind[s, t]
            <= sum(b.stop[t - i] for i in range(max(kinds[s], 1), kinds[s + 1])),
        )

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        return {
            "starts": float(values["start"].sum()),
            "on_h": float(values["on"].sum() * horizon.step_h),
            "gross_mwh": float(values["power_mw"].sum() * horizon.step_h),
            "fuel_gj": float(values["fuel_gj_per_h"].sum() * horizon.step_h),
            "emission_tco2": float(values["emission_tco2"].sum()),
            "allowance_tco2": float(values["allowance_tco2"].sum()),
        }

    def after(self, values: Values, kept: Window, horizon: Horizon) -> Self:
        on = np.round(values["on"]).astype(bool)
        state = bool(on[-1])
        changes = np.flatnonzero(on != state)
        steps = len(on) - 1 - int(changes[-1]) if changes.size else len(on)
        hours = steps * horizon.step_h
        if not changes.size and state == self.initial.on:
            hours += self.initial.hours
        power = float(values["power_mw"][-1]) if state else 0.0
        low, high = self.min_power_mw[kept.last - 1], self.max_power_mw[kept.last - 1]
        initial = ThermalInitial(
            on=state, power_mw=min(max(power, low), high) if state else 0.0, hours=hours
        )
        ending = self.ending
        if ending == "same_as_start":  # the start meant is the first one
            ending = "on" if self.initial.on else "off"
        return self.model_copy(update={"initial": initial, "ending": ending})

