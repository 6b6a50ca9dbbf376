"""The initial and final energy of a battery, and the reserve that it can offer.

reserve_power     sum_j reserve_mw[j,t] <= discharge_power_mw available[t] - discharge + charge
reserve_energy    Δ sum_j reserve_mw[j,t] <= discharge_efficiency (stored[t] - min_energy_mwh)
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Tag

from planner.components.component import Time, Values, steps_today, summed
from planner.components.late import pyo
from planner.components.terms import ByStep, sum_of
from planner.fields import AtLeastZero, Frozen, form
from planner.timeseries.horizon import Horizon, Window

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
    "reserve_energy": "offers as reserve only what its stored energy can feed",
}


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


def discharged_today(
    values: Values, executed: Window, horizon: Horizon, initial: BatteryInitial
) -> float:
    """Return the energy discharged in the local day of the step after the executed ones, MWh."""
    steps, all_today = steps_today(executed, horizon)
    discharged = float(summed("discharge_mw", values)[len(executed) - steps :].sum())
    mwh = horizon.step_h * max(discharged, 0.0)  # a solver's 0 may be -1e-9
    return mwh + (initial.discharged_today_mwh if all_today else 0.0)


def offer_reserve(
    b: pyo.Block, time: Time, reserves: list[str], *, free_mw: ByStep, free_mwh: ByStep
) -> None:
    """Declare b.reserve_mw, limited by free discharge power and by deliverable stored energy."""
    b.reserve_mw = pyo.Var(reserves, time.steps, domain=pyo.NonNegativeReals)
    offered = sum_of(b.reserve_mw, reserves)
    b.reserve_power = pyo.Constraint(time.steps, rule=lambda _, t: offered(t) <= free_mw(t))
    b.reserve_energy = pyo.Constraint(
        time.steps, rule=lambda _, t: time.step_h * offered(t) <= free_mwh(t)
    )


def ending_of_window(
    ending: Ending, min_end_mwh: float | None, values: Values, window: Window, *, firm: bool
) -> Ending:
    """Return the terminal constraint of a window: at most the energy a relaxation stores there.

    None where the window has no plan otherwise (not `firm`).
    """
    if isinstance(ending, EndValue) or min_end_mwh is None or (firm and not values):
        return ending
    stored = 0.0
    if firm:
        at_end = {name: column[[window.last - 1]] for name, column in values.items()}
        stored = float(summed("energy_mwh", at_end)[0])
    return AtLeast(at_least_mwh=min(min_end_mwh, max(stored, 0.0)))
