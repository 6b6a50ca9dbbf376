"""The fields of a scenario file, components and forecasts aside, and where the file is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from planner.fields import Frozen, Title
from planner.scenario.uncertainty.fields import Uncertainty
from planner.timeseries.horizon import Dates, Horizon


class SolverSettings(Frozen):
    """The accuracy and the limits of the solver."""

    gap: Annotated[float, Field(ge=0, lt=1)] = 1e-3
    """Largest gap between plan and bound, relative to turnover (the sum of absolute amounts)."""
    time_limit_s: Annotated[float, Field(gt=0)] = 120.0
    """Time limit of the solver in seconds."""
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    """Threads of the solver."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Random seed of the solver."""
    tidy: bool = True
    """Among plans of the same profit, take one that moves little; false leaves the solver's."""
    smoothing_cost_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Part of turnover that less movement of units, batteries and exchange may cost."""
    relax: bool = False
    """Solve the LP relaxation: a bound, not a schedule that can be run."""


class ScenarioFile(Frozen):
    """The fields of a scenario file, components aside."""

    name: Annotated[str, Field(min_length=1)]
    """Short name."""
    title: Title | None = None
    """What people read instead of the name, in any script."""
    description: str = ""
    """One sentence."""
    horizon: Horizon
    """Start, length and steps of the plan."""
    holidays: Dates = ()  # type: ignore[assignment]  # as it takes it
    """Public holidays; calendars use them."""
    workdays: Dates = ()  # type: ignore[assignment]
    """Make-up working days on weekends."""
    vat: Literal["included", "excluded"] = "included"
    """Whether the prices of the file include value added tax; printed with results."""
    trace: bool = True
    """Follow energy by origin; false pools it."""
    origin_rule: Literal["renewable_first"] = "renewable_first"
    """How energy is attributed to its origin where neither a price nor a rule decides: renewable
    energy first to loads and compute, and to what is stored at the end."""
    solver: SolverSettings = SolverSettings()
    """Solver settings."""
    initial_from: Annotated[str, Field(min_length=1)] | None = None
    """Plan folder whose state at `horizon.start` replaces every `initial` and `so_far` of the
    components that it has too; a path relative to this file."""
    uncertainty: Uncertainty | None = None
    """Possible futures that one plan must serve; none where the scenario is certain."""


def scenario_path(path: str | os.PathLike[str]) -> Path:
    """Return the scenario file at a path; a folder means the scenario.yaml in it."""
    path = Path(path)
    is_folder = os.path.isdir(path)  # noqa: PTH112  # never raises, whatever the name
    return path / "scenario.yaml" if is_folder else path
