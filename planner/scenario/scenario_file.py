"""The fields of a scenario file, components and forecasts aside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from planner.fields import Frozen
from planner.scenario.uncertainty.fields import Uncertainty
from planner.timeseries.horizon import Dates, Horizon


class SolverSettings(Frozen):
    """How exactly and how long to solve."""

    gap: Annotated[float, Field(ge=0, lt=1)] = 1e-3
    """Largest gap between plan and bound, relative to turnover (the sum of absolute amounts)."""
    time_limit_s: Annotated[float, Field(gt=0)] = 120.0
    """Most seconds in the solver."""
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    """Threads of the solver."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Random seed of the solver."""
    relax: bool = False
    """Solve the LP relaxation: a bound, not a schedule that can be run."""


class ScenarioFile(Frozen):
    """The fields of a scenario file, components aside."""

    name: Annotated[str, Field(min_length=1)]
    """Short name."""
    description: str = ""
    """One sentence."""
    horizon: Horizon
    """When the plan begins and how long it lasts."""
    holidays: Dates = ()
    """Public holidays; calendars use them."""
    workdays: Dates = ()
    """Make-up working days on weekends."""
    vat: Literal["included", "excluded"] = "included"
    """Whether every price of the file holds value added tax; printed with results."""
    trace: bool = True
    """Follow energy by origin; false pools it."""
    solver: SolverSettings = SolverSettings()
    """Solver settings."""
    initial_from: Annotated[str, Field(min_length=1)] | None = None
    """Plan folder whose state at `horizon.start` takes the place of every `initial` and `so_far`
    of the components that it has too; a path relative to this file."""
    uncertainty: Uncertainty | None = None
    """Futures that one plan must serve; none where what the file says is certain."""
