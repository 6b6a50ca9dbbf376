"""A horizon cut into overlapping windows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from planner.errors import Problem, ScenarioError
from planner.horizon import Horizon, Window


@dataclass(frozen=True)
class Cut:
    """A window, and the steps of it that are kept."""

    window: Window
    kept: Window


def cut(horizon: Horizon, window_h: float, advance_h: float) -> list[Cut]:
    """Cut a horizon into overlapping windows; the last one reaches its end.

    Raises:
        ScenarioError: a length is no whole number of steps, or they do not fit together.
    """
    step_h, problems, steps = horizon.step_h, [], []
    for name, hours in (("window_h", window_h), ("advance_h", advance_h)):
        if not (math.isfinite(hours) and hours > 0):
            problems.append(Problem(f"must be more than 0 hours, is {hours:g}", name))
        elif abs(hours / step_h - round(hours / step_h)) > 1e-9 or round(hours / step_h) < 1:
            said = f"must be a whole number of {horizon.step_min} min steps, is {hours:g}"
            problems.append(Problem(said, name))
        else:
            steps.append(round(hours / step_h))
    if len(steps) == 2 and steps[1] > steps[0]:
        said = f"must not exceed window_h {window_h:g}, is {advance_h:g}"
        problems.append(Problem(f"{said}: steps would be left out", "advance_h"))
    if problems:
        raise ScenarioError(problems)
    length, forward = steps
    cuts, first = [], 1
    while first + length <= horizon.steps:
        cuts.append(Cut(Window(first, first + length - 1), Window(first, first + forward - 1)))
        first += forward
    rest = Window(first, horizon.steps)
    return [*cuts, Cut(rest, rest)]
