"""A thermal unit: tight unit commitment with a past, start kinds, ramps, and any fuel curve.

Its rows are in three modules, each with its formulas: `commitment` (on, start, stop, start_kind,
fuel_gj_per_h), `duty` (limits of on and start) and `ramps` (power_above_min_mw, reserve_mw).
Knueven, Ostrowski & Watson (2020) show that the formulation is tight.

Expressions:

    power_mw[t]       = min_power_mw[t] on[t] + power_above_min_mw[t]             gross
    emission_tco2[t]  = Δ emission_tco2_per_gj fuel_gj_per_h[t]
    allowance_tco2[t] = Δ allowance_tco2_per_mwh (1 - auxiliary_share) power_mw[t]

An outage (available too small for the minimum power) overrides every other rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from planner.components.component import Complaint, Site, Supply, Values
from planner.components.reserve import Reserve, reserves_for
from planner.components.terms import (
    DISPATCHABLE,
    Amounts,
    Balance,
    Expression,
    Line,
    Meter,
    Moves,
    Source,
    State,
    Terms,
    of,
)
from planner.components.thermal.commitment import (
    COMMITMENT_RULES,
    NOTHING_BURNT,
    OBLIGED_OFF,
    OBLIGED_ON,
    OUTAGE,
    Commitment,
    FuelCurve,
    ThermalInitial,
    obliged_until,
)
from planner.components.thermal.duty import DUTY_RULES, OBLIGED_TO_STOP, run_of_rule
from planner.components.thermal.fields import ThermalFields, warn_of_limits
from planner.components.thermal.ramps import RAMP_RULES, Ramps, left_mw
from planner.components.time import Time
from planner.fields import exceeds, value_text
from planner.message import Message
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array


class Thermal(ThermalFields):
    """A thermal unit; all powers are gross, the node receives (1 - auxiliary_share) of them."""

    remembers: ClassVar[tuple[str, ...]] = ("max_starts_per_day",)
    offers_reserve: ClassVar[bool] = True
    rules: ClassVar[Mapping[str, str]] = COMMITMENT_RULES | DUTY_RULES | RAMP_RULES
    less_is_better: ClassVar[tuple[str, ...]] = ("fuel_gj",)
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {"max_power_mw": ("max_power_mw",)}
    states: ClassVar[tuple[State, ...]] = (
        State(
            "on", "on", zero_without_first=("power_mw", "fuel_gj_per_h", "reserve_mw"),
            whole=True, begins="start_kind", order=1,
        ),
    )  # fmt: skip
    end_rows: ClassVar[Mapping[str, str]] = {"ending": "state at the end"}
    facts: ClassVar[frozenset[str]] = frozenset({"initial", "auxiliary_share"})

    def supplies(self) -> dict[Supply, float]:
        return {("power", self.node): float(self.max_power_mw.max())}

    def describe_rule(self, rule: str, horizon: Horizon, steps: Sequence[int]) -> Message:
        if rule == "on" and any(self.forced_off()[step - 1] for step in steps):
            return self.filled(OUTAGE, steps)
        on = self.initial.on
        if rule == "go_off" and steps and (when := self.duty.must_stop_at(horizon, steps[0])):
            return self.filled(OBLIGED_TO_STOP, steps, when=when)
        if rule == ("stay_on" if on else "stay_off") and steps:
            min_h = self.min_up_h if on else self.min_down_h
            if until := obliged_until(self.initial, horizon, min_h, steps[-1]):
                return self.filled(OBLIGED_ON if on else OBLIGED_OFF, steps, when=until)
        most = {
            name: value_text(np.maximum(self.min_power_mw, mw), steps)
            for name, mw in self._start_and_stop_mw(horizon.step_h).items()
        }
        return self.filled(self.rules[rule], steps, text=self.ending, **most)

    def given(self, rule: str, values: Values, horizon: Horizon, places: Sequence[int]) -> str:
        return run_of_rule(rule, values["on"], places, horizon.step_h, self.initial)

    def max_supply_mw(self, horizon: Horizon) -> dict[str, Array]:
        return {self.node: (1 - self.auxiliary_share) * self.max_power_mw * self.available}

    def source(self) -> Source:
        return Source("thermal", "thermal")

    def warn(self, site: Site) -> Iterator[Message]:
        if self.min_up_h > site.horizon.hours / 2:
            yield Message("min_up_h is more than half the horizon: the unit can hardly cycle")
        if self.min_down_h > site.horizon.hours / 2:
            yield Message("min_down_h is more than half the horizon: the unit can hardly cycle")
        yield from self.duty.warn(site.horizon)
        yield from warn_of_limits(self, site.horizon, self._start_and_stop_mw(site.horizon.step_h))

    def check(self, site: Site) -> Iterator[Complaint]:
        if exceeds(site.horizon.step_h, self.initial.hours):
            message = Message("must be a step, {hours:g} h, or more", hours=site.horizon.step_h)
            yield ("initial", "hours"), message
        yield from self.duty.check_steps(site.horizon)

    def impossible(self, site: Site) -> Iterator[Message]:
        if self.must_run:
            window = site.horizon.window
            longest = self._commitment(site, window).longest_run(window)
            yield from self.duty.impossible(longest, site.horizon)

    def _start_and_stop_mw(self, step_h: float) -> dict[str, float]:
        """Return the most power in the step of a start and before a stop, if above the minimum."""
        ramps = {
            "startup_ramp_mw": (self.startup_ramp_mw, self.ramp_up_mw_per_h),
            "shutdown_ramp_mw": (self.shutdown_ramp_mw, self.ramp_down_mw_per_h),
        }
        return {
            name: ramp * step_h if given is None else given for name, (given, ramp) in ramps.items()
        }

    def defaults(self, horizon: Horizon) -> dict[str, float]:
        least = float(self.min_power_mw.max())
        ramps = self._start_and_stop_mw(horizon.step_h).items()
        return {name: max(most, least) for name, most in ramps if getattr(self, name) is None}

    def highest_mw(self) -> Array:
        """Return the most power of a unit that is on, no less than the minimum; shape (T,)."""
        return np.asarray(np.maximum(self.max_power_mw * self.available, self.min_power_mw))

    def forced_off(self) -> Array:
        """Return 1 in the steps in which the unit cannot run, else 0; shape (T,)."""
        too_small = exceeds(self.min_power_mw, self.max_power_mw * self.available)
        return np.asarray((self.available == 0) | too_small, dtype=float)

    def here_and_now(self, *, awake: bool = False) -> tuple[str, ...]:
        return "on", "start", "stop", "start_kind"

    def stays(self, *, last: bool) -> tuple[str, ...]:
        stops = self.duty.used_up or (last and self.ending == "off")
        return ("on",) if self.initial.on and not stops else ()

    def resolved_ending(self) -> str:
        if self.ending == "same_as_start":
            return "on" if self.initial.on else "off"
        return self.ending

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time, reserves = site.clock, reserves_for(site)
        commitment = self._commitment(site, time.window)
        commitment.build(b, time)
        self.duty.build(b, time)
        ramps = self._ramps(time, commitment)
        ramps.build(b, time, reserves)
        b.power_mw = pyo.Expression(
            time.steps, rule=lambda b, t: ramps.low[t] * b.on[t] + b.power_above_min_mw[t]
        )
        b.fuel_gj_per_h = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        FuelCurve(self.curve).build(b, time)
        emission = self.emission_tco2_per_gj * time.step_h
        allowance = self.allowance_tco2_per_mwh * (1 - self.auxiliary_share) * time.step_h
        b.emission_tco2 = pyo.Expression(
            time.steps, rule=lambda b, t: emission * b.fuel_gj_per_h[t]
        )
        b.allowance_tco2 = pyo.Expression(time.steps, rule=lambda b, t: allowance * b.power_mw[t])
        return self._terms(b, site, reserves)

    def _terms(self, b: pyo.Block, site: Site, reserves: Mapping[str, Reserve]) -> Terms:
        time, net, origin = site.clock, 1 - self.auxiliary_share, site.origin("thermal")
        costs: dict[Line, Amounts] = {
            Line("fuel"): time.cost(self.fuel_price_cny_per_gj, of(b.fuel_gj_per_h)),
            Line("start"): lambda t: sum(
                kind.cost_cny * b.start_kind[s, t] for s, kind in enumerate(self.startups)
            ),
        }
        if self.variable_cost_cny_per_mwh:
            costs[Line("variable")] = time.cost(self.variable_cost_cny_per_mwh, of(b.power_mw))
        if self.shutdown_cost_cny:
            costs[Line("shutdown")] = lambda t: self.shutdown_cost_cny * b.stop[t]

        def power(t: int) -> Expression:
            return net * b.power_mw[t]

        return Terms(
            flows={Balance("power", self.node, origin): power},
            costs=costs,
            injected={origin: power},
            meters={
                Meter("contingency_mw", self.node): power,
                Meter("emission_tco2", self.node): of(b.emission_tco2),
                Meter("allowance_tco2", self.node): of(b.allowance_tco2),
            }
            | {
                Meter(f"reserve_mw[{j}]"): lambda t, j=j: net * b.reserve_mw[j, t] for j in reserves
            },
            moves=[Moves(DISPATCHABLE, of(b.power_mw), self.initial.power_mw)],
        )

    def _commitment(self, site: Site, window: Window) -> Commitment:
        horizon, forced_off = site.horizon, self.forced_off()
        ends_on = {"on": True, "off": False} if window.last == horizon.steps else {}
        idles = not self.min_power_mw.any() and self.curve[0] == NOTHING_BURNT
        stops = forced_off.any() or self.max_up_h or self.resolved_ending() == "off"
        return Commitment(
            on=self.initial.on,
            age=horizon.steps_up(self.initial.hours),
            up=max(1, horizon.steps_up(self.min_up_h)),
            down=max(1, horizon.steps_up(self.min_down_h)),
            kinds=tuple(horizon.steps_up(startup.off_h) for startup in self.startups),
            off=frozenset(t for t in window if forced_off[t - 1]),
            must_run=self.must_run,
            ends_on=ends_on.get(self.resolved_ending()),
            past=self.duty.max_up(horizon),
            stays=site.relaxed and self.initial.on and idles and not stops,
        )

    def _ramps(self, time: Time, commitment: Commitment) -> Ramps:
        before, most = max(time.first - 2, 0), self._start_and_stop_mw(time.step_h)
        low = time.of(self.min_power_mw, float(self.min_power_mw[before]))
        high = time.of(self.highest_mw(), float(self.max_power_mw[before]))
        before_mw = self.initial.power_mw - low[time.first - 1]
        return Ramps(
            low=low,
            high=high,
            rise=self.ramp_up_mw_per_h * time.step_h,
            fall=self.ramp_down_mw_per_h * time.step_h,
            startup_mw=most["startup_ramp_mw"],
            shutdown_mw=most["shutdown_ramp_mw"],
            before_mw=max(before_mw, 0.0) if self.initial.on else 0.0,
            reserve_before_mw=self.initial.reserve_mw,
            commitment=commitment,
        )

    def totals(self) -> dict[str, dict[str, float]]:
        return {"net_mw": {"power_mw": 1 - self.auxiliary_share}}

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        return {
            "starts": float(values["start"].sum()),
            "on_h": float(values["on"].sum() * horizon.step_h),
            "gross_mwh": float(values["power_mw"].sum() * horizon.step_h),
            "fuel_gj": float(values["fuel_gj_per_h"].sum() * horizon.step_h),
            "emission_tco2": float(values["emission_tco2"].sum()),
            "allowance_tco2": float(values["allowance_tco2"].sum()),
        }

    def after(self, values: Values, executed: Window, horizon: Horizon) -> Self:
        on = np.round(values["on"]).astype(bool)
        state = bool(on[-1])
        changes = np.flatnonzero(on != state)
        hours = (len(on) - 1 - int(changes[-1]) if changes.size else len(on)) * horizon.step_h
        if not changes.size and state == self.initial.on:
            hours += self.initial.hours
        low, high = self.min_power_mw[executed.last - 1], self.max_power_mw[executed.last - 1]
        initial = ThermalInitial(
            on=state,
            hours=hours,
            starts_today=self.duty.started_today(values, executed, horizon),
            **(left_mw(values, float(low), float(high)) if state else {}),
        )
        ending = self.resolved_ending()  # the start is that of the first window
        return self.revised({"initial": initial, "ending": ending})
