"""The fields of a thermal unit, and what their values must satisfy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from planner.components.completion import FOLLOWS
from planner.components.component import Component
from planner.components.thermal.commitment import (
    FuelCurve,
    FuelPoint,
    Startup,
    ThermalInitial,
    check_startups,
)
from planner.components.thermal.duty import Duty
from planner.components.thermal.ramps import check_edges
from planner.field_types import Listed
from planner.fields import (
    SWITCHES,
    AtLeastZero,
    Count,
    FieldError,
    Hours,
    Name,
    Positive,
    exceeds,
    too_large,
)
from planner.message import Message, template
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Above0, NonNegative, PerUnit

SLOWEST_H = 24  # from the least to the most power
GJ_PER_T_STANDARD_COAL = 29.3076  # 7,000 kcal/kg
IDLE_SHARE = 1 / 15  # RTS-GMLC, coal unit of 350 MW: 12,106 Btu/kWh at 40 % load, 10,998 at 100 %
LEAST_GJ_PER_MWH = 1.0  # of a plain example; a MWh holds 3.6 GJ
LIKELY_GCE_PER_KWH = (123, 800)  # 123 g hold a kWh; small old units burn 600


def _word(ending: Any) -> Any:
    """Return on and off where YAML 1.1 has read them as true and false."""
    return SWITCHES[ending] if isinstance(ending, bool) else ending


class ThermalFields(Component):
    """The fields of a thermal unit; all powers are gross."""

    kind: Literal["thermal"] = "thermal"
    follows: ClassVar[Mapping[str, str]] = {
        "curve": "coal_gce_per_kwh",
        "ramp_up_mw_per_h": "max_power_mw",
        "ramp_down_mw_per_h": "max_power_mw",
    }
    also_called: ClassVar[str] = (
        "coal gas unit generator ccgt gas_turbine power_plant steam 火电 燃煤"
    )
    remedies: ClassVar[Mapping[str, str]] = {
        "fuel_price_cny_per_gj": template(
            "fuel without a price would be burnt for nothing; for free fuel write 0.01"
        ),
        "ramp_up_mw_per_h": template("a unit with no limit has a large one, such as 1e5"),
        "ramp_down_mw_per_h": template("a unit with no limit has a large one, such as 1e5"),
        "max_up_h": template("leave it out where there is no limit"),
        "auxiliary_share": template("it is part of the gross power: 0.06 for 6 %"),
        "ending": template("`free` requires nothing"),
    }
    node: Name = "site"
    """Electrical node."""
    min_power_mw: NonNegative
    """Least power when on."""
    max_power_mw: NonNegative
    """Most power when on."""
    coal_gce_per_kwh: Positive | None = None
    """Grams of standard coal (29.3076 MJ/kg) burnt per kWh sent out, auxiliary_share deducted, at
    the highest max_power_mw; the curve follows, a line to the lowest min_power_mw."""
    min_power_coal_gce_per_kwh: Positive | None = None
    """The same at the lowest min_power_mw; unless given, a unit burns 1/15 of its fuel at full load
    for nothing: 10 % more per kWh at 40 % load, as the coal unit of 350 MW of RTS-GMLC does."""
    curve: Annotated[Listed[FuelPoint], Field(min_length=1)] = FOLLOWS
    """Fuel against power, piecewise linear over the whole range."""
    fuel_price_cny_per_gj: Above0
    """Price of fuel."""
    variable_cost_cny_per_mwh: AtLeastZero = 0.0
    """Other cost per gross MWh."""
    ramp_up_mw_per_h: Positive = FOLLOWS
    """Fastest rise; the highest max_power_mw in an hour, 1.7 % a minute, unless given."""
    ramp_down_mw_per_h: Positive = FOLLOWS
    """Fastest fall; the highest max_power_mw in an hour unless given."""
    startup_ramp_mw: AtLeastZero | None = None
    """Most power in the step of a start; the minimum power or one step of ramp_up_mw_per_h, whichever is more, unless given."""  # noqa: E501
    shutdown_ramp_mw: AtLeastZero | None = None
    """Most power in the step before a stop; the minimum power or one step of ramp_down_mw_per_h, whichever is more, unless given."""  # noqa: E501
    min_up_h: Hours
    """Minimum time on."""
    min_down_h: Hours
    """Minimum time off."""
    max_up_h: Annotated[float, Field(gt=0, le=26352)] | None = None
    """Most time on, a whole number of steps: a unit that has been on for so long, initial.hours included, must go off."""  # noqa: E501
    max_starts_per_day: Count | None = None
    """Most starts in a local day, a whole number; initial.starts_today counts for the first."""
    startups: Annotated[Listed[Startup], Field(min_length=1)]
    """Start costs by hours off, hot first; the entry with the largest off_h up to the hours off applies."""  # noqa: E501
    shutdown_cost_cny: AtLeastZero = 0.0
    """Cost of a stop."""
    emission_tco2_per_gj: AtLeastZero = 0.0
    """Emission per GJ of fuel; reported, and priced or limited by a carbon component."""
    allowance_tco2_per_mwh: AtLeastZero = 0.0
    """Free allowance per net MWh; reported, and deducted by a carbon component."""
    auxiliary_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Part of the gross power that the unit itself consumes."""
    available: PerUnit = 1.0  # type: ignore[assignment]  # validated into a series
    """Part of the maximum power available; 0 forces the unit off and overrides every other rule."""
    must_run: bool = False
    """Whether it must be on whenever it is available."""
    initial: ThermalInitial
    """State when the horizon begins."""
    ending: Annotated[Literal["free", "same_as_start", "on", "off"], BeforeValidator(_word)] = (
        "free"
    )
    """State required at the end: on, off, or that of the start."""

    def following(self) -> dict[str, Any]:
        low, high = float(self.min_power_mw.min()), float(self.max_power_mw.max())
        ramp, gce = high or 1.0, self.coal_gce_per_kwh
        values: dict[str, Any] = {"ramp_up_mw_per_h": ramp, "ramp_down_mw_per_h": ramp}
        if gce is not None:
            least, sent_out = self.min_power_coal_gce_per_kwh, 1 - self.auxiliary_share
            values["curve"] = coal_line(gce, least, (low, high), sent_out)
        return values

    def written_after(self, steps: int) -> Self:
        powers = ("min_power_mw", "max_power_mw")
        left = self.revised({name: getattr(self, name)[steps:] for name in powers}).following()
        given = self.model_fields_set
        kept = {
            name: getattr(self, name)
            for name, value in left.items()
            if name not in given and value != getattr(self, name)
        }
        if "curve" in kept:
            kept |= {"coal_gce_per_kwh": None, "min_power_coal_gce_per_kwh": None}
        return self.revised(kept)

    @model_validator(mode="after")
    def _coal_fits(self) -> Self:
        if self.min_power_coal_gce_per_kwh is not None:
            if self.coal_gce_per_kwh is None:
                message = Message("needs {name}", name="coal_gce_per_kwh")
                raise FieldError(message, "min_power_coal_gce_per_kwh")
            if not self.min_power_mw.min():
                message = Message("has no effect where the lowest min_power_mw is 0")
                raise FieldError(message, "min_power_coal_gce_per_kwh")
        return self

    @model_validator(mode="after")
    def _powers_fit(self) -> Self:
        low, high = self.min_power_mw, self.max_power_mw
        if (over := exceeds(low, high)).any():
            step = int(np.flatnonzero(over)[0])
            raise too_large("min_power_mw", low[step], "max_power_mw", high[step])
        return self

    @model_validator(mode="after")
    def _curve_fits(self) -> Self:
        low, high = float(self.min_power_mw.min()), float(self.max_power_mw.max())
        FuelCurve(self.curve).check(low, high)
        return self

    @model_validator(mode="after")
    def _edges_fit(self) -> Self:
        least = float(self.min_power_mw.max())
        check_edges(self.startup_ramp_mw, self.shutdown_ramp_mw, least)
        return self

    @model_validator(mode="after")
    def _duty_fits(self) -> Self:
        self.duty.check(self.min_up_h)
        return self

    @model_validator(mode="after")
    def _startups_fit(self) -> Self:
        check_startups(self.startups)
        return self

    @model_validator(mode="after")
    def _initial_fits(self) -> Self:
        self.initial.check_power(float(self.min_power_mw[0]), float(self.max_power_mw[0]))
        return self

    @property
    def duty(self) -> Duty:
        """Its longest run and its starts in a day, with the past that counts."""
        return Duty(self.max_up_h, self.max_starts_per_day, self.initial)


def coal_line(
    gce_per_kwh: float,
    low_gce_per_kwh: float | None,
    powers_mw: tuple[float, float],
    share: float,
) -> tuple[FuelPoint, ...]:
    """Return the fuel curve of a coal unit: a line between its lowest and its highest power.

    Args:
        gce_per_kwh: grams of standard coal per kWh sent out at the highest power.
        low_gce_per_kwh: the same at the lowest; where None, `IDLE_SHARE` of the fuel at the
            highest power is burnt whatever the power.
        powers_mw: lowest and highest gross power.
        share: part of the gross power that is sent out.
    """
    low, high = powers_mw
    per_gce = GJ_PER_T_STANDARD_COAL / 1000 * share  # GJ per gross MWh
    most = gce_per_kwh * per_gce * high
    full = FuelPoint(power_mw=high, fuel_gj_per_h=most)
    if low >= high:
        return (full,)
    if low_gce_per_kwh is None:
        least = most * (IDLE_SHARE + (1 - IDLE_SHARE) * low / high)
    else:
        least = low_gce_per_kwh * per_gce * low
    return FuelPoint(power_mw=low, fuel_gj_per_h=least), full


def warn_of_limits(
    unit: ThermalFields, horizon: Horizon, edges_mw: Mapping[str, float]
) -> Iterator[Message]:
    """Warn of limits that do something else than they seem to.

    edges_mw: the most power in the step of a start and before a stop, by field.
    """
    low, high = unit.min_power_mw, unit.max_power_mw * unit.available
    derated = np.flatnonzero((unit.available > 0) & exceeds(low, high))
    if derated.size:
        also = Message(", although must_run is true") if unit.must_run else ""
        yield Message(
            "max_power_mw x available falls to {most:g} MW, below min_power_mw {least:g} MW, in"
            " {hours:g} h, first at {when}: the unit is off there{text}; for one that runs derated,"
            " lower min_power_mw too",
            most=high[derated[0]], least=low[derated[0]], hours=derated.size * horizon.step_h,
            when=horizon.at(int(derated[0]) + 1), text=also,
        )  # fmt: skip
    for name, ramp in (
        ("startup_ramp_mw", unit.ramp_up_mw_per_h), ("shutdown_ramp_mw", unit.ramp_down_mw_per_h)
    ):  # fmt: skip
        reached = float(unit.min_power_mw.max()) + ramp * horizon.step_h
        if exceeds(edges_mw[name], reached):
            yield Message(
                "{name} {value:g} MW is never reached: a step allows min_power_mw and a ramp of"
                " {minutes} min, {most:g} MW",
                name=name, value=edges_mw[name], minutes=horizon.step_min, most=reached,
            )  # fmt: skip
    span = float((unit.max_power_mw - unit.min_power_mw).max())
    for name in ("ramp_up_mw_per_h", "ramp_down_mw_per_h"):
        ramp = getattr(unit, name)
        if span > SLOWEST_H * ramp:
            yield Message(
                "{name} {ramp:g} MW/h takes {hours:.3g} h from min_power_mw to max_power_mw; if it"
                " is in MW per minute, write {meant:g}",
                name=name, ramp=ramp, hours=span / ramp, meant=60 * ramp,
            )  # fmt: skip
    least_gce, most_gce = LIKELY_GCE_PER_KWH
    for name in ("coal_gce_per_kwh", "min_power_coal_gce_per_kwh"):
        gce = getattr(unit, name)
        if gce is not None and not least_gce <= gce <= most_gce:
            yield Message(
                "{name} {value:g} g of standard coal for a kWh sent out, where units need 270 to"
                " 600 g and the kWh itself is worth 123 g",
                name=name, value=gce,
            )  # fmt: skip
    full = unit.curve[-1]
    by_hand = unit.coal_gce_per_kwh is None
    if by_hand and 0 < full.fuel_gj_per_h < LEAST_GJ_PER_MWH * full.power_mw:
        yield Message(
            "curve burns {fuel:g} GJ/h at {power:g} MW, {rate:.2g} GJ for a MWh, where units need 6"
            " to 12; if fuel_gj_per_h is in tonnes of coal, multiply it by about 25",
            fuel=full.fuel_gj_per_h, power=full.power_mw, rate=full.fuel_gj_per_h / full.power_mw,
        )  # fmt: skip
