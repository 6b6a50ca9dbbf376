"""A battery that keeps the origin of its stored energy.

Variables: charge_mw[o,t], discharge_mw[o,t], energy_mwh[o,t] on points, charging[t] (binary only
where needed), reserve_mw[j,t] per reserve j.

    energy            energy_mwh[o,t] = (1 - leak_per_h)^Δ energy_mwh[o,t-1]
                                + Δ (charge_efficiency charge_mw[o,t] - discharge_mw[o,t] / discharge_efficiency)
    capacity          min_energy_mwh <= sum_o energy_mwh[o,t] <= capacity_mwh
    charge_limit      sum_o charge_mw[o,t] <= charge_power_mw available[t] charging[t]
    discharge_limit   sum_o discharge_mw[o,t] <= discharge_power_mw available[t] (1 - charging[t])
    reserve_power     sum_j reserve_mw[j,t] <= discharge_power_mw available[t] - discharge + charge
    reserve_energy    sum_j duration_h_j reserve_mw[j,t] <= discharge_efficiency (stored - min_energy_mwh)
                      with the energy stored at the start of the step, and at its end
    charge_origin     charge_mw[o,t] <= 0                    where charge_from does not list o
    cycles            Δ sum discharge_mw over a local day <= cycles_per_day (capacity_mwh - min_energy_mwh)
                      less initial.discharged_today_mwh on the first day
    ending            sum_o energy_mwh[o,T] >= at_least_mwh, or >= sum_o energy_mwh[o,0]
    ending_most       sum_o energy_mwh[o,T] <= at_most_mwh

The end value is value_cny_per_mwh times the change of the stored total; it is not cash. Ramp, starts
and least powers are rows of `commitment`, targets of `targets`, `discharge_to_grid` of `own_use`.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple, Self

from planner.components.battery.commitment import WAYS, Way, commit, limit_ramp
from planner.components.battery.fields import BatteryFields, warn_of_sizes
from planner.components.battery.own_use import (
    UNSOLD,
    keep_from_grid,
    unsaleable,
    unsold_nodes,
    warn_of_own_use,
)
from planner.components.battery.state import (
    BOTH,
    PRICED,
    RULES,
    BatteryInitial,
    Ending,
    EndLimits,
    EndValue,
    EnergyByOrigin,
)
from planner.components.battery.targets import EnergyTarget, hold_targets, limits_at, time_text
from planner.components.component import ORIGINS, POOLED, Site, Supply, Values, summed
from planner.components.local_day import limit_by_day, so_far_today
from planner.components.reasons import FLOW
from planner.components.reserve import reserves_for
from planner.components.terms import (
    DISPATCHABLE,
    Amounts,
    AtEnd,
    Balance,
    ByStep,
    Exclusive,
    Expression,
    Line,
    Meter,
    Meters,
    Moves,
    PowerStore,
    State,
    Storage,
    Terms,
    Use,
    of,
    sum_of,
)
from planner.fields import NOTHING, value_text
from planner.message import Message
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon, Window


class _Sums(NamedTuple):
    """Charge, discharge and stored energy, summed over origins."""

    charged: ByStep
    discharged: ByStep
    stored: ByStep

    def net(self, t: int) -> Expression:
        """Return discharge less charge, MW."""
        return self.discharged(t) - self.charged(t)


class Battery(BatteryFields):
    """A battery."""

    remembers: ClassVar[tuple[str, ...]] = ("cycles_per_day", "ramp_mw_per_h", "start_cost_cny")
    offers_reserve: ClassVar[bool] = True
    rules: ClassVar[Mapping[str, str]] = RULES
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = PRICED
    uses: ClassVar[Mapping[str, Use]] = {"storage": Use(order=4), "loss": Use(order=5, lost=True)}
    states: ClassVar[tuple[State, ...]] = (
        State("charging", "charging", "discharging", ("charge_mw",), ("discharge_mw",), order=2),
    )
    end_rows: ClassVar[Mapping[str, str]] = {
        "ending": "state at the end", "ending_most": "state at the end, at most"
    }  # fmt: skip
    carries: ClassVar[Mapping[str, str]] = {"energy_mwh": "ending.value_cny_per_mwh"}
    facts: ClassVar[frozenset[str]] = frozenset(
        {"initial", "charge_efficiency", "discharge_efficiency", "leak_per_h"}
    )

    def resolved_ending(self) -> Ending:
        if self.ending == "same_as_start":
            return EndLimits(at_least_mwh=self.start_mwh)
        return self.ending

    def demands(self) -> dict[Supply, str]:
        return {("power", self.node): "node"}

    def describe_rule(self, rule: str, horizon: Horizon, steps: Sequence[int]) -> Message:
        point = steps[0] if steps else 0
        values = {
            "text": ", ".join(self.charge_from),
            "mwh": value_text(limits_at(self.energy_targets, point)[rule == "target_most"]),
            "when": time_text(point, horizon),
        }
        return self.filled(self.rules[rule], steps, **values)

    def storage(self) -> Storage:
        losses = self.leak_per_h, self.charge_efficiency, self.discharge_efficiency
        power_store = PowerStore(self.node, *losses, self.min_end_mwh or 0.0)
        return Storage(self.capacity_mwh, self.min_energy_mwh, self._start_by_origin(), power_store)

    def _start_by_origin(self) -> dict[str, float]:
        part = self.start_mwh / (self.initial.total() or 1.0)  # 1 but for rounding
        by_origin = {o: part * mwh for o, mwh in self.initial.by_origin().items()}
        return {POOLED[0]: self.start_mwh, **by_origin}

    def warn(self, site: Site) -> Iterator[Message]:
        limited = isinstance(self.ending, EndLimits)
        least_mwh = max(self.min_end_mwh or 0.0, self.min_energy_mwh)
        stuck = unsaleable(site, self.initial.by_origin()["grid"])
        if stuck is not None and self.start_mwh > least_mwh:
            yield stuck
        elif limited and least_mwh <= self.min_energy_mwh:
            yield Message("energy left at the end has no value: the plan will empty the battery")
        yield from warn_of_sizes(self)
        power_mw = self.initial.power_mw
        if not -self.charge_power_mw <= power_mw <= self.discharge_power_mw:
            yield Message(
                "initial.power_mw {power:g} MW is beyond charge_power_mw {most_in:g} or"
                " discharge_power_mw {most_out:g}",
                power=power_mw, most_in=self.charge_power_mw, most_out=self.discharge_power_mw,
            )  # fmt: skip
        if not self.discharge_to_grid:
            yield from warn_of_own_use(site, self.node)

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time, origins, start = site.clock, site.origins, self._start_by_origin()
        b.charge_mw = pyo.Var(origins, time.steps, domain=pyo.NonNegativeReals)
        b.discharge_mw = pyo.Var(origins, time.steps, domain=pyo.NonNegativeReals)
        b.energy_mwh = pyo.Var(origins, time.points, domain=pyo.NonNegativeReals)
        b.charging = pyo.Var(time.steps, bounds=(0, 1))
        for o in origins:
            b.energy_mwh[o, time.first - 1].fix(start[o])
        charged, discharged = sum_of(b.charge_mw, origins), sum_of(b.discharge_mw, origins)
        sums = _Sums(charged, discharged, sum_of(b.energy_mwh, origins))
        self._rows(b, site, sums)
        hold_targets(b, time, self.energy_targets, sums.stored)
        return self._terms(b, site, sums, self._commit(b, site, sums))

    def _commit(self, b: pyo.Block, site: Site, sums: _Sums) -> ByStep | None:
        """Declare ramp, least powers and starts; return the cost of the starts."""
        time, before_mw = site.clock, self.initial.power_mw
        into, out = self.charge_power_mw, self.discharge_power_mw
        limits = into * self.available, out * self.available
        limit_ramp(b, time, self.ramp_mw_per_h, sums.net, before_mw, limits)
        least_in, least_out = map(self.least_mw_of, WAYS)
        discharging = lambda t: 1 - b.charging[t]  # noqa: E731
        ways = (
            Way("charge", sums.charged, into, least_in, before_mw < 0, of(b.charging)),
            Way("discharge", sums.discharged, out, least_out, before_mw > 0, discharging),
        )
        return commit(b, time, ways, self.available, self.start_cost_cny)

    def _rows(self, b: pyo.Block, site: Site, sums: _Sums) -> None:
        time, origins, reserves = site.clock, site.origins, reserves_for(site)
        retained, available = (1 - self.leak_per_h) ** time.step_h, time.of(self.available)
        power = time.of(self.discharge_power_mw * self.available)
        into, out = self.charge_efficiency, self.discharge_efficiency
        low = min(self.min_energy_mwh, self.capacity_mwh)  # which it exceeds by rounding at most

        def gained(o: str, t: int) -> Expression:
            return into * b.charge_mw[o, t] - b.discharge_mw[o, t] * (1 / out)

        b.energy = pyo.Constraint(
            origins,
            time.steps,
            rule=lambda b, o, t: (
                b.energy_mwh[o, t] == retained * b.energy_mwh[o, t - 1] + time.step_h * gained(o, t)
            ),
        )
        b.capacity = pyo.Constraint(
            time.steps, rule=lambda _, t: (low, sums.stored(t), self.capacity_mwh)
        )
        b.charge_limit = pyo.Constraint(
            time.steps,
            rule=lambda b, t: (
                sums.charged(t) <= self.charge_power_mw * available[t] * b.charging[t]
            ),
        )
        b.discharge_limit = pyo.Constraint(
            time.steps, rule=lambda b, t: sums.discharged(t) <= power[t] * (1 - b.charging[t])
        )
        if barred := [o for o in origins if o not in (*self.charge_from, *POOLED)]:
            b.charge_origin = pyo.Constraint(
                barred, time.steps, rule=lambda b, o, t: b.charge_mw[o, t] <= 0
            )
        if (limit_mwh := self.daily_limit_mwh()) is not None:
            discharged_mwh = lambda t: time.step_h * sums.discharged(t)  # noqa: E731
            today_mwh = self.initial.discharged_today_mwh
            b.cycles = limit_by_day(time, discharged_mwh, limit_mwh, today_mwh)
        if reserves:
            b.reserve_mw = pyo.Var(list(reserves), time.steps, domain=pyo.NonNegativeReals)
            offered = sum_of(b.reserve_mw, list(reserves))
            b.reserve_power = pyo.Constraint(
                time.steps,
                rule=lambda _, t: offered(t) <= power[t] - sums.discharged(t) + sums.charged(t),
            )
            points = {"start": -1, "end": 0}  # of a step: the state after the one before, its own
            b.reserve_energy = pyo.Constraint(
                list(points),
                time.steps,
                rule=lambda b, point, t: (
                    sum(reserve.duration_h * b.reserve_mw[j, t] for j, reserve in reserves.items())
                    <= (sums.stored(t + points[point]) - self.min_energy_mwh) * out
                ),
            )
        if self.min_end_mwh is not None:
            b.ending = pyo.Constraint(rule=sums.stored(time.last) >= self.min_end_mwh)
        if self.max_end_mwh is not None:
            b.ending_most = pyo.Constraint(rule=sums.stored(time.last) <= self.max_end_mwh)

    def _terms(self, b: pyo.Block, site: Site, sums: _Sums, starts: ByStep | None) -> Terms:
        time, origins = site.clock, site.origins
        costs: dict[Line, Amounts] = {}
        if self.wear_cny_per_mwh:
            costs[Line("wear")] = time.cost(self.wear_cny_per_mwh, sums.discharged)
        if starts:
            costs[Line("start")] = starts
        if isinstance(self.ending, EndValue):
            removed = self.start_mwh - sums.stored(time.last)
            cost = self.ending.value_cny_per_mwh * removed
            costs[Line("end_value", cash=False)] = {None: cost}

        def flow(o: str, t: int) -> Expression:
            return b.discharge_mw[o, t] - b.charge_mw[o, t]

        def storage(o: str, t: int) -> Expression:
            return (b.energy_mwh[o, t] - b.energy_mwh[o, t - 1]) * (1 / time.step_h)

        def loss(o: str, t: int) -> Expression:
            return b.charge_mw[o, t] - b.discharge_mw[o, t] - storage(o, t)

        unsold = not self.discharge_to_grid
        return Terms(
            flows={Balance("power", self.node, o): partial(flow, o) for o in origins},
            costs=costs,
            uses={("storage", o): partial(storage, o) for o in origins}
            | {("loss", o): partial(loss, o) for o in origins},
            meters={Meter(f"reserve_mw[{j}]"): of(b.reserve_mw, j) for j in reserves_for(site)}
            | {Meter(UNSOLD, self.node, o): partial(flow, o) for o in origins if unsold},
            exclusive=[Exclusive(b.charging, sums.charged, sums.discharged, BOTH)],
            moves=[Moves(DISPATCHABLE, sums.net, self.initial.power_mw)],
        )

    def couple(self, b: pyo.Block, site: Site, meters: Meters) -> Terms:
        unsold = unsold_nodes(site)
        if site.name == next(iter(unsold), None):
            keep_from_grid(b, site, unsold.values(), meters)
        return Terms()

    def totals(self) -> dict[str, dict[str, float]]:
        return {"power_mw": {"discharge_mw": 1.0, "charge_mw": -1.0}}

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        discharged = summed("discharge_mw", values)
        mwh = float(discharged.sum() * horizon.step_h)
        span = max(self.capacity_mwh - self.min_energy_mwh, 1e-9)
        return {
            "discharged_mwh": mwh,
            "cycles": mwh / span,
            "cycles_per_day": mwh / span / (horizon.hours / 24),
            "energy_at_end_mwh": float(summed("energy_mwh", values)[-1]),
        }

    def with_end_values(self, at_end: Mapping[str, AtEnd], horizon: Horizon) -> Self:
        stored_mwh = sum(stored.amount for stored in at_end.values())
        value = max(stored.worth_cny for stored in at_end.values())
        if stored_mwh > NOTHING:
            value = sum(stored.amount * stored.worth_cny for stored in at_end.values()) / stored_mwh
        changes: dict[str, Any] = {"ending": EndValue(value_cny_per_mwh=value)}
        if isinstance(self.ending, EndLimits):
            limits = self.ending.at_least_mwh, self.ending.at_most_mwh
            target = EnergyTarget.at(horizon.steps, horizon, *limits)
            changes["energy_targets"] = (*self.energy_targets, target)
        return self.revised(changes)

    def after(self, values: Values, executed: Window, horizon: Horizon) -> Self:
        last = {
            o: max(0.0, float(values[f"energy_mwh[{o}]"][-1]))
            for o in (*ORIGINS, *POOLED)
            if f"energy_mwh[{o}]" in values
        }
        energy = last[POOLED[0]] if POOLED[0] in last else EnergyByOrigin(**last)
        charged, discharged = summed("charge_mw", values), summed("discharge_mw", values)
        past = self.initial.discharged_today_mwh, self.daily_limit_mwh()
        power_mw = float(discharged[-1] - charged[-1])
        power_mw = min(max(power_mw, -self.charge_power_mw), self.discharge_power_mw)
        initial = BatteryInitial(
            energy_mwh=energy,
            discharged_today_mwh=so_far_today(
                horizon.step_h * discharged, *past, executed, horizon
            ),
            power_mw=0.0 if abs(power_mw) <= FLOW else power_mw,
        )
        ahead = tuple(target for target in self.energy_targets if target.point > executed.last)
        changes = {
            "initial": initial, "ending": self.resolved_ending(), "energy_targets": ahead
        }  # fmt: skip
        return self.revised(changes)

    def with_lookahead(
        self, values: Values, window: Window, horizon: Horizon, *, firm: bool
    ) -> Self:
        firm_mwh = None
        if firm and values:
            firm_mwh = max(float(summed("energy_mwh", values)[window.last - 1]), 0.0)
        changes: dict[str, Any] = {}
        loose = not isinstance(self.ending, EndValue) and bool(values or not firm)
        if loose:
            end_mwh = min(self.min_end_mwh or 0.0, firm_mwh or 0.0)
            changes["ending"] = EndLimits(at_least_mwh=end_mwh)
        later = self.energy_targets, self.max_end_mwh if loose else None
        least, most = self.reach(horizon).limits_before(window.last, *later, firm_mwh)
        if least is not None or most is not None:
            target = EnergyTarget.at(window.last, horizon, least, most)
            changes["energy_targets"] = (*self.energy_targets, target)
        return self.revised(changes)
