"""The fields of a battery, what their values must satisfy, and the limits that follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from planner.components.battery.commitment import START_SHARE, WAYS, check_ramp
from planner.components.battery.state import BatteryInitial, Ending, EndLimits, EndValue
from planner.components.battery.targets import EnergyTarget, Reach, wrong_limits
from planner.components.component import ORIGINS, Complaint, Component, Site
from planner.field_types import Listed
from planner.fields import AtLeastZero, Efficiency, FieldError, Name, exceeds, raise_all, too_large
from planner.message import Message, template
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array, PerUnit

Origin = Literal["renewable", "thermal", "grid"]
MOST_POWER_PER_H = 10  # MW per MWh: a battery that is full in less than 6 min is none of this kind
MOST_HOURS = 300  # at full power; the longest stores last days, a slip of kWh makes hundreds


class BatteryFields(Component):
    """The fields of a battery."""

    row_units: ClassVar[Mapping[str, str]] = {"cycles": "MWh", "reserve_energy": "MWh"}
    kind: Literal["battery"] = "battery"
    also_called: ClassVar[str] = "storage bess store accumulator ess 储能 电池"
    remedies: ClassVar[Mapping[str, str]] = {
        "ending": template(
            "where any energy may be left, write {{at_least_mwh: 0}}, or what it is worth:"
            " {{value_cny_per_mwh: 300}}"
        ),
        "charge_power_mw": template("powers in and out are both positive"),
        "discharge_power_mw": template("powers in and out are both positive"),
        "capacity_mwh": template("leave the battery out where there is none"),
        "cycles_per_day": template("leave it out where there is no limit"),
    }
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
    min_charge_power_mw: AtLeastZero = 0.0
    """Least power in where it charges; in a step it charges with at least this or not at all."""
    min_discharge_power_mw: AtLeastZero = 0.0
    """Least power out where it discharges."""
    available: PerUnit = 1.0  # type: ignore[assignment]  # validated into a series
    """Part of the powers that is available, of the least powers too."""
    ramp_mw_per_h: AtLeastZero | None = None
    """Most that the power (discharge less charge) may change in an hour; where `available` falls it
    may fall with it. A step must lead from 0 to the least powers."""
    charge_efficiency: Efficiency
    """Energy stored per MWh charged."""
    discharge_efficiency: Efficiency
    """Energy delivered per MWh taken out of the store."""
    leak_per_h: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Part of the stored energy that is lost in an hour."""
    wear_cny_per_mwh: AtLeastZero = 0.0
    """Cost of wear per MWh discharged."""
    start_cost_cny: AtLeastZero = 0.0
    """Cost of each start of charging and of discharging. With it the least power is 0.1 % of the
    most or more, so that a pause is one."""
    cycles_per_day: AtLeastZero | None = None
    """Most full cycles in a local day."""
    charge_from: Annotated[Listed[Origin], Field(min_length=1)] = ORIGINS  # type: ignore[assignment]
    """Origins of the energy it may be charged with, all unless given; `trace: false` does not tell
    them apart."""
    discharge_to_grid: bool = True
    """Whether what it discharges may be exported; if not, loads and compute use it, at its node or
    beyond lines, step by step and origin by origin."""
    energy_targets: Listed[EnergyTarget] = ()  # type: ignore[assignment]
    """Limits on the stored energy at given times."""
    initial: BatteryInitial
    """State when the horizon begins."""
    ending: Ending
    """Terminal constraint or value; without either, a plan would sell the battery empty."""

    @model_validator(mode="after")
    def _energies_fit(self) -> Self:
        raise_all(self._wrong_energies())
        return self

    @model_validator(mode="after")
    def _charge_power_fits(self) -> Self:
        return self._power_fits("charge_power_mw", self.charge_power_mw)

    @model_validator(mode="after")
    def _discharge_power_fits(self) -> Self:
        return self._power_fits("discharge_power_mw", self.discharge_power_mw)

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        raise_all(self._wrong_targets())
        return self

    def _wrong_energies(self) -> Iterator[FieldError]:
        low, start, high = self.min_energy_mwh, self.initial.total(), self.capacity_mwh
        if exceeds(low, high):
            yield too_large("min_energy_mwh", low, "capacity_mwh", high)
        elif exceeds(low, start) or exceeds(start, high):
            message = Message(
                "must lie between min_energy_mwh {low:g} and capacity_mwh {high:g}, is {value:g}",
                low=low, high=high, value=start,
            )  # fmt: skip
            yield FieldError(message, "initial.energy_mwh")

    def _power_fits(self, name: str, most: float) -> Self:
        if exceeds(least := getattr(self, f"min_{name}"), most):
            raise too_large(f"min_{name}", least, name, most)
        return self

    def _wrong_targets(self) -> Iterator[FieldError]:
        low, high = self.min_energy_mwh, self.capacity_mwh
        if isinstance(self.ending, EndLimits):
            yield from wrong_limits(self.ending, "ending", low, high)
        for i, target in enumerate(self.energy_targets):
            start_mwh = None if target.point else self.start_mwh
            yield from wrong_limits(target, f"energy_targets[{i}]", low, high, start_mwh)

    @property
    def start_mwh(self) -> float:
        """Energy stored when the horizon begins, of all origins."""
        return min(max(self.initial.total(), self.min_energy_mwh), self.capacity_mwh)

    @property
    def min_end_mwh(self) -> float | None:
        """Energy that must be stored at the end; None without such a limit."""
        if isinstance(self.ending, EndValue):
            return None
        least = self.ending.at_least_mwh if isinstance(self.ending, EndLimits) else self.start_mwh
        # by rounding it may exceed the capacity
        return None if least is None else min(least, self.capacity_mwh)

    @property
    def max_end_mwh(self) -> float | None:
        """Most energy that may be stored at the end; None without such a limit."""
        return self.ending.at_most_mwh if isinstance(self.ending, EndLimits) else None

    def check(self, site: Site) -> Iterator[Complaint]:
        limit, discharged = self.daily_limit_mwh(), self.initial.discharged_today_mwh
        if limit is not None and exceeds(discharged, limit):
            message = Message(
                "exceeds the {limit:g} MWh that cycles_per_day allows, is {value:g}",
                limit=limit,
                value=discharged,
            )
            yield ("initial", "discharged_today_mwh"), message
        least = {f"min_{way}_power_mw": self.least_mw_of(way) for way in WAYS}
        yield from check_ramp(self.ramp_mw_per_h, least, site)
        if not site.trace and set(self.charge_from) != set(ORIGINS):
            yield ("charge_from",), Message("needs `trace: true`, which tells origins apart")

    def impossible(self, site: Site) -> Iterator[Message]:
        targets, ending = self.energy_targets, (self.min_end_mwh, self.max_end_mwh)
        yield from self.reach(site.horizon).impossible(
            self.start_mwh, targets, site.horizon, ending
        )

    def max_draw_mw(self, horizon: Horizon) -> dict[str, Array]:
        return {self.node: self.charge_power_mw * self.available}

    def max_supply_mw(self, horizon: Horizon) -> dict[str, Array]:
        return {self.node: self.discharge_power_mw * self.available}

    def reach(self, horizon: Horizon) -> Reach:
        """Return what it reaches at full power."""
        gained = self.charge_efficiency * self.charge_power_mw * horizon.step_h
        given = self.discharge_power_mw * horizon.step_h / self.discharge_efficiency
        return Reach(
            self.min_energy_mwh,
            self.capacity_mwh,
            (1 - self.leak_per_h) ** horizon.step_h,
            gained * self.available,
            given * self.available,
        )

    def daily_limit_mwh(self) -> float | None:
        """Return the most energy discharged in a local day; None without such a limit."""
        if self.cycles_per_day is None:
            return None
        return self.cycles_per_day * (self.capacity_mwh - self.min_energy_mwh)

    def least_mw_of(self, way: str) -> float:
        """Return the least power where it charges, or discharges; 0 if any will do."""
        least: float = getattr(self, f"min_{way}_power_mw")
        hidden: float = START_SHARE * getattr(self, f"{way}_power_mw")
        return max(least, hidden) if self.start_cost_cny else least


def warn_of_sizes(battery: BatteryFields) -> Iterator[Message]:
    """Warn of powers and energies that no battery combines: a unit may be wrong."""
    powers = ("charge_power_mw", "discharge_power_mw")
    mw, name = max((getattr(battery, name), name) for name in powers)
    if mw > MOST_POWER_PER_H * battery.capacity_mwh:
        yield Message(
            "{name} {mw:g} MW is more than {ratio} times capacity_mwh {mwh:g} MWh, which would last"
            " {minutes:.3g} min; if the power is in kW, write {meant:g}",
            name=name, mw=mw, ratio=MOST_POWER_PER_H, mwh=battery.capacity_mwh,
            minutes=60 * battery.capacity_mwh / mw, meant=mw / 1000,
        )  # fmt: skip
    elif 0 < MOST_HOURS * mw < battery.capacity_mwh:
        yield Message(
            "capacity_mwh {mwh:g} MWh lasts {hours:g} h at {name} {mw:g} MW; if it is in kWh, write"
            " {meant:g}",
            mwh=battery.capacity_mwh, hours=battery.capacity_mwh / mw, name=name, mw=mw,
            meant=battery.capacity_mwh / 1000,
        )  # fmt: skip
