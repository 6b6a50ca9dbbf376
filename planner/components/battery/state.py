"""The initial and final energy of a battery, and the texts of its rules."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Tag

from planner.fields import AtLeastZero, Frozen, form
from planner.message import template

PRICED = {"power_mw": ("charge_power_mw", "discharge_power_mw"), "capacity_mwh": ("capacity_mwh",)}
RULES = {
    "capacity": "holds min_energy_mwh {min_energy_mwh} to capacity_mwh {capacity_mwh} MWh",
    "charge_limit": (
        "charges at charge_power_mw {charge_power_mw} MW x available {available} at most"
    ),
    "discharge_limit": (
        "discharges at discharge_power_mw {discharge_power_mw} MW x available {available} at most"
    ),
    "cycles": "may run cycles_per_day {cycles_per_day} full cycles a day",
    "ending": (
        "must end with {min_end_mwh} MWh or more (`ending`) and begins with {start_mwh} MWh"
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

    def by_origin(self) -> dict[str, float]:
        """Return the stored energy by origin, MWh."""
        energy = self.energy_mwh
        return dict(energy if isinstance(energy, EnergyByOrigin) else EnergyByOrigin(grid=energy))

    def total(self) -> float:
        """Return the stored energy of all origins, MWh."""
        return sum(self.by_origin().values())


class AtLeast(Frozen):
    """A lower limit on the energy stored at the end."""

    at_least_mwh: AtLeastZero
    """Least energy stored at the end."""


class EndValue(Frozen):
    """A value of the energy stored at the end."""

    value_cny_per_mwh: AtLeastZero
    """Value of a MWh stored at the end."""


Ending = Annotated[
    Annotated[AtLeast, Tag("=at_least")]
    | Annotated[EndValue, Tag("=value")]
    | Annotated[Literal["same_as_start"], Tag("=same")],
    form(at_least="at_least_mwh", value="value_cny_per_mwh", same=""),
]
