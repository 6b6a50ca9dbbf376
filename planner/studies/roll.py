"""A long horizon in overlapping windows: plan one, keep its first steps, go on from there.

1. The LP relaxation of the whole horizon gives a bound, and what the rules over it may count on
   after a window (`counting_on`).
2. Each window is planned on its own from the state that the steps before it left (`after`); the
   last one reaches the end of the horizon. One that has no plan with what it counts on is asked for
   no more than the later ones cannot make up for, and named in the summary.
3. The steps kept are settled once over the whole horizon, by its own rules and money, and audited:
   the peak of a month is paid once, and minimum times, deadlines and cycles hold across windows.

A horizon cut into overlapping windows.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from planner.diagnosis.infeasible import infeasible, obvious_contradictions, unbounded
from planner.diagnosis.wording import time_span
from planner.errors import (
    InfeasibleError,
    NoPlanError,
    PlanError,
    Problem,
    ScenarioError,
    SolveError,
)
from planner.files.output_folder import claim
from planner.plan.plan import Plan
from planner.plan_tables.summary import gap_of
from planner.scenario.scenario import Scenario
from planner.scenario.scenario_key import scenario_key
from planner.scenario.uncertainty.members import demand_one_future
from planner.solver.model import assemble
from planner.solver.program import compile_program
from planner.solver.rounds import UnboundedError
from planner.studies.kept import Kept
from planner.studies.settle import settle
from planner.studies.window import (
    Ahead,
    Part,
    advance,
    counting,
    relaxation,
    solve_window,
    uncounted,
)
from planner.timeseries.horizon import Horizon, Window


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


Progress = Callable[[str, int, int], None]
"""Told what is being done (relaxation, windows, settlement), how many are done and of how many."""

WINDOW = {"steps", "status", "gap", "left_open", "schedule"}


def roll(
    scenario: Scenario,
    window_h: float = 48.0,
    advance_h: float = 24.0,
    out: str | Path | None = None,
    *,
    bound: bool = True,
    fresh: bool = False,
    formats: tuple[str, ...] = ("csv",),
    lang: str = "en",
    progress: Progress | None = None,
) -> Plan:
    """Plan a long horizon in overlapping windows.

    Args:
        scenario: the site and its horizon; its solver settings hold for each window.
        window_h: hours planned at once.
        advance_h: hours kept of each window.
        out: plan folder to write. Finished windows are kept beside it until it is written, and a
            run with the same scenario and lengths goes on with them.
        bound: solve the LP relaxation of the whole horizon first. Without it the plan has no bound,
            and rules over the horizon only see what came before each window.
        fresh: forget finished windows.
        formats: schedule files to write, as `Plan.write`.
        lang: language of what is shown in the folder.
        progress: is told how far it is.

    Returns:
        The plan of the whole horizon, settled and audited: status "settled", a bound from the
        relaxation, and `rolling` in its summary.

    Raises:
        ScenarioError: the lengths do not fit the horizon.
        InfeasibleError: no plan satisfies the scenario, or a window has none after those before it.
        NoPlanError: the time limit struck before a first plan of a window.
        PlanError: the folder cannot be written, or the plan fails its audit.
        KeyboardInterrupt: Ctrl-C; finished windows stay beside the folder.
    """
    demand_one_future(scenario)
    cuts = cut(scenario.horizon, window_h, advance_h)
    if scenario.solver.relax:
        said = "must be false: a relaxation leaves no state that a window could begin with"
        raise ScenarioError([Problem(said, "solver.relax")])
    if contradictions := obvious_contradictions(scenario):
        raise infeasible(scenario, contradictions)
    tell = progress or (lambda *_: None)
    with ExitStack() as held:
        target = None if out is None else held.enter_context(claim(out))
        key = run_key(scenario, window_h, advance_h, bound=bound)
        kept = Kept(target, key, fresh=fresh)
        held.callback(kept.leave)
        began = time.perf_counter()
        bound_cny: float | None = None
        ahead: Ahead = {}
        if bound:
            tell("relaxation", 0, 1)
            bound_cny, ahead = relaxation(scenario, kept)
        relaxed = time.perf_counter()
        schedule, windows = plan_windows(scenario, cuts, ahead, kept, tell)
        rolled = time.perf_counter()
        tell("settlement", 0, 1)
        plan = _settled(scenario, schedule, bound_cny)
        rolling = {"window_h": float(window_h), "advance_h": float(advance_h), **windows}
        seconds = {"bound_s": round(relaxed - began, 4), "windows_s": round(rolled - relaxed, 4)}
        notes = uncounted(scenario) if not bound and len(cuts) > 1 else []
        more = {
            "rolling": rolling,
            "warnings": [*plan.summary["warnings"], *notes],
            "runtimes_s": plan.summary["runtimes_s"] | seconds,
        }
        plan = replace(plan, summary=plan.summary | more)
        if out is not None:
            plan.write(out, formats, lang)
            kept.remove()
        return plan


def run_key(scenario: Scenario, window_h: float, advance_h: float, *, bound: bool) -> str:
    """Return what the finished windows of a run go by: all that they depend on."""
    ahead = "bound" if bound else "no_bound"
    return f"{scenario_key(scenario)}-{window_h:g}-{advance_h:g}-{ahead}"


def plan_windows(
    scenario: Scenario, cuts: list[Cut], ahead: Ahead, kept: Kept, tell: Progress
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Plan every window that is not kept; return the schedule and what to say of the windows."""
    horizon, now = scenario.horizon, scenario
    parts: list[pd.DataFrame] = []
    gaps, limited, left_open = [0.0], 0, []
    for number, part in enumerate(cuts, 1):
        name = f"{number:05d}"
        record = kept.read(name, WINDOW)
        if record is None:
            tell("windows", number - 1, len(cuts))
            record = _planned(now, part, ahead, f"window {number} of {len(cuts)}")
            kept.add(name, record)
        times = horizon.starts[part.kept.first - 1 : part.kept.last]
        parts.append(pd.DataFrame(record["schedule"], index=times))
        now = advance(now, parts[-1], part.kept)
        gaps.append(record["gap"])
        limited += record["status"] != "optimal"
        if record["left_open"]:
            left_open.append(time_span(horizon, part.window.first, part.window.last))
    tell("windows", len(cuts), len(cuts))
    said = {
        "windows": len(cuts),
        "at_time_limit": limited,
        "largest_window_gap": max(gaps),
        "left_open": left_open,
    }
    return pd.concat(parts), said


def _planned(scenario: Scenario, part: Cut, ahead: Ahead, name: str) -> dict[str, Any]:
    """Plan a window; return the schedule of its kept steps as plain data."""
    horizon, window, kept = scenario.horizon, part.window, part.kept
    name = f"{name}, {time_span(horizon, window.first, window.last)}"
    firm = counting(scenario, window, ahead, firm=True)
    tries = [firm]
    if window.last < horizon.steps:
        tries.append(counting(scenario, window, ahead, firm=False))
    for trial in tries:
        try:
            found = solve_window(trial, window)
        except UnboundedError:
            raise unbounded(compile_program(assemble(trial, window))) from None
        except InfeasibleError:
            continue
        except NoPlanError as error:
            raise NoPlanError(f"{name}: {error}") from None
        if found.solution.status == "interrupted":
            raise KeyboardInterrupt
        return _record(found, kept, left_open=trial is not firm)
    why = infeasible(tries[-1], window=window)
    said = f"{name}, has no plan after what the windows before it decided; longer ones see more"
    raise InfeasibleError(f"{said}\n{why}", why.diagnosis | {"window": name})


def _record(found: Part, kept: Window, *, left_open: bool) -> dict[str, Any]:
    solution, program = found.solution, found.program
    steps = kept.last - kept.first + 1
    gap = gap_of(found.profit_cny, -solution.bound, program.turnover(solution.x))
    schedule = found.schedule.iloc[:steps]
    return {
        "steps": [kept.first, kept.last],
        "status": solution.status,
        "gap": gap,
        "left_open": left_open,
        "schedule": {str(name): schedule[name].tolist() for name in schedule.columns},
    }


def _settled(scenario: Scenario, schedule: pd.DataFrame, bound_cny: float | None) -> Plan:
    """Settle the schedule over the whole horizon and audit it.

    Raises:
        PlanError: the windows together break a rule, or the plan fails its audit.
    """
    sums = [
        f"{name}.{column}"
        for name, component in scenario.components.items()
        for column in component.counters
    ]
    found = settle(scenario, schedule.drop(columns=sums, errors="ignore"))
    if found.breaches:
        lines = "\n".join(f"  - {breach.text}" for breach in found.breaches)
        raise PlanError(f"the windows together break rules that each of them keeps:\n{lines}")
    plan = found.plan
    if bound_cny is None:
        return plan
    objective, turnover = plan.summary["objective_cny"], plan.summary["turnover_cny"]
    if objective - bound_cny > max(1e-3, 1e-6 * turnover):
        raise SolveError("the plan beats the bound of its relaxation; neither is believed")
    return plan.settled(max(bound_cny, objective), {})
