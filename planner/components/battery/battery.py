"""A battery that keeps the origin of its stored energy.

Variables: charge_mw[o,t], discharge_mw[o,t], energy_mwh[o,t] on points, charging[t] (binary only
where needed), reserve_mw[j,t] per reserve j.

    energy            energy_mwh[o,t] = (1 - leak_per_h)^Δ energy_mwh[o,t-1]
                                + Δ (charge_efficiency charge_mw[o,t] - discharge_mw[o,t] / discharge_efficiency)
    capacity          min_energy_mwh <= sum_o energy_mwh[o,t] <= capacity_mwh
    charge_limit      sum_o charge_mw[o,t] <= charge_power_mw available[t] charging[t]
    discharge_limit   sum_o discharge_mw[o,t] <= discharge_power_mw available[t] (1 - charging[t])
    cycles            Δ sum discharge_mw over a local day <= cycles_per_day (capacity_mwh - min_energy_mwh)
    reserve_power     sum_j reserve_mw[j,t] <= discharge_power_mw available[t] - discharge + charge
    reserve_energy    sum_j duration_h_j reserve_mw[j,t] <= discharge_efficiency (stored - min_energy_mwh)
                      with the energy stored at the start of the step, and at its end
    ending            sum_o energy_mwh[o,T] >= at_least_mwh, or >= sum_o energy_mwh[o,0]

The end value is value_cny_per_mwh times the change of the stored total; it is not cash.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from planner.components.battery.state import (
    BOTH,
    PRICED,
    RULES,
    AtLeast,
    BatteryInitial,
    Ending,
    EndValue,
    EnergyByOrigin,
)
from planner.components.component import (
    ORIGINS,
    POOLED,
    Complaint,
    Component,
    Site,
    Supply,
    Time,
    Values,
    steps_today,
    summed,
)
from planner.components.late import pyo
from planner.components.reserve import reserves_for
from planner.components.terms import (
    UNITS,
    Amounts,
    Balance,
    ByStep,
    Exclusive,
    Expression,
    Line,
    Meter,
    Moves,
    PowerStore,
    State,
    Storage,
    Terms,
    Use,
    of,
    sum_of,
)
from planner.fields import NOTHING, AtLeastZero, Efficiency, FieldError, Name, exceeds, raise_all
from planner.message import Message
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array, PerUnit


class _Sums(NamedTuple):
    """Charge, discharge and stored energy, summed over origins."""

    charged: ByStep
    discharged: ByStep
    stored: ByStep


class Battery(Component):
    """A battery."""

    kind: Literal["battery"]
    remembers: ClassVar[tuple[str, ...]] = ("cycles_per_day",)
    offers_reserve: ClassVar[bool] = True
    rules: ClassVar[Mapping[str, str]] = RULES
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = PRICED
    uses: ClassVar[Mapping[str, Use]] = {"storage": Use(order=4), "loss": Use(order=5)}
    states: ClassVar[tuple[State, ...]] = (
        State("charging", "charging", "discharging", ("charge_mw",), ("discharge_mw",), order=2),
    )
    end_rows: ClassVar[frozenset[str]] = frozenset({"ending"})
    facts: ClassVar[frozenset[str]] = frozenset(
        {"initial", "charge_efficiency", "discharge_efficiency", "leak_per_h"}
    )
    node: Name = "site"
    """Electrical node."""
    capacity_mwh: Annotated[float, Field(gt=0)]
    """Most energy that may be stored."""
    min_energy_mwh: AtLeastZero = 0.0
    """Least energy that may be stored."""
    charge_power_mw: AtLeastZero
    """Most power in, measured at the node."""
    discharge_power_mw: AtLeastZero
    """Most power out, measured at the node."""
    available: PerUnit = 1.0  # type: ignore[assignment]  # validated into a series
    """Part of both powers that is available."""
    charge_efficiency: Efficiency
    """Energy stored per MWh charged."""
    discharge_efficiency: Efficiency
    """Energy delivered per MWh taken out of the store."""
    leak_per_h: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Part of the stored energy that is lost in an hour."""
    wear_cny_per_mwh: AtLeastZero = 0.0
    """Cost of wear per MWh discharged."""
    cycles_per_day: AtLeastZero | None = None
    """Most full cycles in a local day."""
    initial: BatteryInitial
    """State when the horizon begins."""
    ending: Ending
    """Terminal constraint or value; without either, a plan would sell the battery empty."""

    @model_validator(mode="after")
    def _consistent(self) -> Battery:
        raise_all(self._wrong())
        return self

    def _wrong(self) -> Iterator[FieldError]:
        low, start, high = self.min_energy_mwh, self.initial.total(), self.capacity_mwh
        if exceeds(low, high):
            yield FieldError(Message("may not exceed capacity_mwh"), "min_energy_mwh")
        elif exceeds(low, start) or exceeds(start, high):
            message = Message(
                "must lie between min_energy_mwh {low:g} and capacity_mwh {high:g}, is {value:g}",
                low=low, high=high, value=start,
            )  # fmt: skip
            yield FieldError(message, "initial.energy_mwh")
        if isinstance(self.ending, AtLeast) and exceeds(self.ending.at_least_mwh, high):
            yield FieldError(Message("may not exceed capacity_mwh"), "ending.at_least_mwh")

    @property
    def start_mwh(self) -> float:
        """Energy stored when the horizon begins, of all origins."""
        return min(max(self.initial.total(), self.min_energy_mwh), self.capacity_mwh)

    @property
    def min_end_mwh(self) -> float | None:
        """Energy that must be stored at the end; None where it has a value instead."""
        if isinstance(self.ending, EndValue):
            return None
        least = self.ending.at_least_mwh if isinstance(self.ending, AtLeast) else self.start_mwh
        return min(least, self.capacity_mwh)  # which it exceeds by rounding at most

    def demands(self) -> dict[Supply, str]:
        return {("power", self.node): "node"}

    def check(self, site: Site) -> Iterator[Complaint]:
        limit, discharged = self._daily_limit_mwh(), self.initial.discharged_today_mwh
        if limit is not None and exceeds(discharged, limit):
            message = Message(
                "exceeds the {limit:g} MWh that cycles_per_day allows, is {value:g}",
                limit=limit,
                value=discharged,
            )
            yield ("initial", "discharged_today_mwh"), message

    def max_supply_mw(self, horizon: Horizon) -> dict[str, Array]:
        return {self.node: self.discharge_power_mw * self.available}

    def storage(self) -> Storage:
        losses = self.leak_per_h, self.charge_efficiency, self.discharge_efficiency
        power_store = PowerStore(self.node, *losses, self.min_end_mwh or 0.0)
        return Storage(self.capacity_mwh, self.min_energy_mwh, self._start(), power_store)

    def _start(self) -> dict[str, float]:
        part = self.start_mwh / (self.initial.total() or 1.0)  # 1 but for rounding
        by_origin = {o: part * mwh for o, mwh in self.initial.by_origin().items()}
        return {POOLED[0]: self.start_mwh, **by_origin}

    def impossible(self, site: Site) -> Iterator[Message]:
        if self.min_end_mwh is None:
            return
        retained = (1 - self.leak_per_h) ** site.horizon.step_h
        charged = self.charge_efficiency * self.charge_power_mw * site.horizon.step_h
        reached = self.start_mwh
        for available in self.available.tolist():
            reached = min(retained * reached + charged * available, self.capacity_mwh)
        if exceeds(self.min_end_mwh, reached, NOTHING):
            yield Message(
                "must end with {least:g} MWh and can reach {most:g} MWh, charging all the time",
                least=self.min_end_mwh,
                most=reached,
            )

    def warn(self, site: Site) -> Iterator[Message]:
        if isinstance(self.ending, AtLeast) and self.ending.at_least_mwh <= self.min_energy_mwh:
            yield Message("energy left at the end has no value: the plan will empty the battery")

    def _daily_limit_mwh(self) -> float | None:
        if self.cycles_per_day is None:
            return None
        return self.cycles_per_day * (self.capacity_mwh - self.min_energy_mwh)

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time, origins, start = site.clock, site.origins, self._start()
        b.charge_mw = pyo.Var(origins, time.steps, domain=pyo.NonNegativeReals)
        b.discharge_mw = pyo.Var(origins, time.steps, domain=pyo.NonNegativeReals)
        b.energy_mwh = pyo.Var(origins, time.points, domain=pyo.NonNegativeReals)
        b.charging = pyo.Var(time.steps, bounds=(0, 1))
        for o in origins:
            b.energy_mwh[o, time.first - 1].fix(start[o])
        charged, discharged = sum_of(b.charge_mw, origins), sum_of(b.discharge_mw, origins)
        sums = _Sums(charged, discharged, sum_of(b.energy_mwh, origins))
        self._rows(b, site, sums)
        return self._terms(b, site, sums)

    def _rows(self, b: pyo.Block, site: Site, sums: _Sums) -> None:
        time, origins, reserves = site.clock, site.origins, reserves_for(site)
        retained, available = (1 - self.leak_per_h) ** time.step_h, time.of(self.available)
        power = {t: self.discharge_power_mw * part for t, part in available.items()}
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
        self._daily_cycles(b, time, sums.discharged)
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

    def _daily_cycles(self, b: pyo.Block, time: Time, discharged: ByStep) -> None:
        limit = self._daily_limit_mwh()
        if limit is None:
            return
        days = {day[-1]: day for day in time.days()}  # a day is indexed by its last step

        def left(day: Sequence[int]) -> float:
            so_far = self.initial.discharged_today_mwh if day[0] == time.first else 0.0
            return max(limit - so_far, 0.0)

        b.cycles = pyo.Constraint(
            list(days),
            rule=lambda _, t: time.step_h * sum(map(discharged, days[t])) <= left(days[t]),
        )

    def _terms(self, b: pyo.Block, site: Site, sums: _Sums) -> Terms:
        time, origins = site.clock, site.origins
        costs: dict[Line, Amounts] = {}
        if self.wear_cny_per_mwh:
            costs[Line("wear")] = time.cost(self.wear_cny_per_mwh, sums.discharged)
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

        def net(t: int) -> Expression:
            return sums.discharged(t) - sums.charged(t)

        return Terms(
            flows={Balance("power", self.node, o): partial(flow, o) for o in origins},
            costs=costs,
            uses={("storage", o): partial(storage, o) for o in origins}
            | {("loss", o): partial(loss, o) for o in origins},
            meters={Meter(f"reserve_mw[{j}]"): of(b.reserve_mw, j) for j in reserves_for(site)},
            exclusive=[Exclusive(b.charging, sums.charged, sums.discharged, BOTH)],
            moves=[Moves(UNITS, net, 0.0)],
        )

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

    def after(self, values: Values, executed: Window, horizon: Horizon) -> Self:
        last = {
            o: max(0.0, float(values[f"energy_mwh[{o}]"][-1]))
            for o in (*ORIGINS, *POOLED)
            if f"energy_mwh[{o}]" in values
        }
        energy = last[POOLED[0]] if POOLED[0] in last else EnergyByOrigin(**last)
        steps, all_today = steps_today(executed, horizon)
        discharged = float(summed("discharge_mw", values)[len(executed) - steps :].sum())
        mwh = horizon.step_h * max(discharged, 0.0)  # a solver's 0 may be -1e-9
        mwh += self.initial.discharged_today_mwh if all_today else 0.0
        if (limit := self._daily_limit_mwh()) is not None:
            mwh = min(mwh, limit)  # a rounded sum may exceed it
        initial = BatteryInitial(energy_mwh=energy, discharged_today_mwh=mwh)
        ending = self.ending
        if ending == "same_as_start":  # the start of the first window
            ending = AtLeast(at_least_mwh=self.start_mwh)
        return self.model_copy(update={"initial": initial, "ending": ending})

    def with_lookahead(
        self, values: Values, window: Window, horizon: Horizon, *, firm: bool
    ) -> Self:
        least = self.min_end_mwh
        if least is None or (firm and not values):
            return self
        stored = float(summed("energy_mwh", values)[window.last - 1]) if firm else 0.0
        ending = AtLeast(at_least_mwh=min(least, max(stored, 0.0)))
        return self.model_copy(update={"ending": ending})
