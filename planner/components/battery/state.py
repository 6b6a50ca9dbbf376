"""The initial and final energy of a battery, and the texts of its rules."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Tag, model_validator

from planner.fields import AtLeastZero, FieldError, Frozen, form, too_large
from planner.message import Message, template

PRICED = {
    "power_mw": ("charge_power_mw", "discharge_power_mw"),
    "capacity_mwh": ("capacity_mwh",),
    "ramp_mw_per_h": ("ramp_mw_per_h",),
    "at_least_mwh": ("energy_targets.*.at_least_mwh",),
    "at_most_mwh": ("energy_targets.*.at_most_mwh",),
}
_CHARGE = "charges at charge_power_mw {charge_power_mw} MW x available {available} at most"
_RAMP = (
    "may change its power by ramp_mw_per_h {ramp_mw_per_h} MW/h at most, from initial.power_mw"
    " {initial.power_mw} MW"
)
_DISCHARGE = (
    "discharges at discharge_power_mw {discharge_power_mw} MW x available {available} at most"
)
RULES = {
    "capacity": "holds min_energy_mwh {min_energy_mwh} to capacity_mwh {capacity_mwh} MWh",
    "charge_limit": _CHARGE,
    "discharge_limit": _DISCHARGE,
    "cycles": "may run cycles_per_day {cycles_per_day} full cycles a day",
    "charge_on_limit": _CHARGE,
    "discharge_on_limit": _DISCHARGE,
    "charge_least": (
        "charges at min_charge_power_mw {min_charge_power_mw} MW x available {available} or more,"
        " or not at all"
    ),
    "discharge_least": (
        "discharges at min_discharge_power_mw {min_discharge_power_mw} MW x available {available}"
        " or more, or not at all"
    ),
    "ramp_up": _RAMP,
    "ramp_down": _RAMP,
    "charge_origin": "may be charged only with energy of charge_from {text}",
    "own_use": (
        "may not export what it discharges (`discharge_to_grid: false`): loads and"
        " compute must use it"
    ),
    "target_least": "must hold {mwh} MWh or more at {when} (energy_targets)",
    "target_most": "must hold {mwh} MWh or less at {when} (energy_targets)",
    "ending": (
        "must end with {min_end_mwh} MWh or more (`ending`) and begins with {start_mwh} MWh"
        " (initial.energy_mwh)"
    ),
    "ending_most": (
        "must end with {max_end_mwh} MWh or less (`ending`) and begins with {start_mwh} MWh"
        " (initial.energy_mwh)"
    ),
    "reserve_power": "offers as reserve only discharge power that is free",
    "reserve_energy": "offers as reserve only what its stored energy can feed for its duration_h",
}
BOTH = template("charges {first} MW and discharges {second} MW at once")


class EnergyByOrigin(Frozen):
    """Stored energy by origin."""

    renewable: AtLeastZero = 0.0
    """MWh of renewable origin."""
    thermal: AtLeastZero = 0.0
    """MWh of thermal origin."""
    grid: AtLeastZero = 0.0
    """MWh from the grid."""


class BatteryInitial(Frozen):
    """The battery when the horizon begins."""

    energy_mwh: Annotated[
        Annotated[AtLeastZero, Tag("=number")] | Annotated[EnergyByOrigin, Tag("=by_origin")],
        form(by_origin="renewable thermal grid", number=""),
    ]
    """Stored energy: a number (counted as energy from the grid) or by origin."""
    discharged_today_mwh: AtLeastZero = 0.0
    """Energy discharged since local midnight; counts toward `cycles_per_day`."""
    power_mw: float = 0.0
    """Power in the step before the horizon, out positive; for `ramp_mw_per_h` and
    `start_cost_cny`."""

    def by_origin(self) -> dict[str, float]:
        """Return the stored energy by origin, MWh."""
        energy = self.energy_mwh
        return dict(energy if isinstance(energy, EnergyByOrigin) else EnergyByOrigin(grid=energy))

    def total(self) -> float:
        """Return the stored energy of all origins, MWh."""
        return sum(self.by_origin().values())


class EndLimits(Frozen):
    """Limits on the energy stored at the end, one or both."""

    at_least_mwh: AtLeastZero | None = None
    """Least energy stored at the end."""
    at_most_mwh: AtLeastZero | None = None
    """Most energy stored at the end."""

    @model_validator(mode="after")
    def _one_or_both(self) -> Self:
        if self.at_least_mwh is None and self.at_most_mwh is None:
            raise FieldError(Message("must hold at_least_mwh, at_most_mwh or both"))
        least, most = self.at_least_mwh or 0.0, self.at_most_mwh
        if most is not None and least > most:
            raise too_large("at_least_mwh", least, "at_most_mwh", most)
        return self


class EndValue(Frozen):
    """A value of the energy stored at the end."""

    value_cny_per_mwh: float
    """Value of a MWh stored at the end; negative where an empty battery is worth more."""


Ending = Annotated[
    Annotated[EndLimits, Tag("=limits")]
    | Annotated[EndValue, Tag("=value")]
    | Annotated[Literal["same_as_start"], Tag("=same")],
    form(limits="at_least_mwh at_most_mwh", value="value_cny_per_mwh", same=""),
]
