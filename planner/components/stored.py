"""What a battery holds when the horizon begins, and what it must hold or is worth at the end."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Tag

from planner.components.base import AtLeastZero, form
from planner.horizon import Frozen


class EnergyByOrigin(Frozen):
    """Stored energy by where it came from."""

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
    """What was discharged since local midnight; counts toward `cycles_per_day`."""

    def by_origin(self) -> dict[str, float]:
        """Return the stored energy of every origin."""
        energy = self.energy_mwh
        if isinstance(energy, EnergyByOrigin):
            return {"renewable": energy.renewable, "thermal": energy.thermal, "grid": energy.grid}
        return {"renewable": 0.0, "thermal": 0.0, "grid": energy}


class AtLeast(Frozen):
    """The battery must hold so much at the end."""

    at_least_mwh: AtLeastZero
    """Least energy stored at the end."""


class EndValue(Frozen):
    """Energy left at the end is worth so much."""

    value_cny_per_mwh: AtLeastZero
    """Value of a MWh stored at the end."""


Ending = Annotated[
    Annotated[AtLeast, Tag("=at_least")]
    | Annotated[EndValue, Tag("=value")]
    | Annotated[Literal["same_as_start"], Tag("=same")],
    form(at_least="at_least_mwh", value="value_cny_per_mwh", same=""),
]
