"""A day of a simulation: plan a window on what is known, operate its first steps on the actuals.

Information: when a window is planned, the steps before it are known and the rest is the forecast
issued then. In step t its actuals are known too, and the steps after it still are that forecast.

1. The window is planned: on forecasts (deterministic), on several draws around them (stochastic),
   or on the actuals (perfect). What components decide here and now, commitment and declarations, is
   fixed for its steps.
2. Step by step the rest of the window is dispatched again, with the actuals of the step, and its
   first row is what happens. Where a step is as it was forecast the dispatch stands as it was.
   The rules of thumb go by the same: they have no plan, and see no more than the step and, of the
   tariff of the day, the forecast.
3. Where no dispatch keeps to the commitment it is decided anew from that step on, and counted;
   where nothing is possible, rows give way (see `operating`) and the step is counted as forced.

A scenario as it is believed at some moment: series that are forecast hold what is known so far,
then the forecast that was issued last.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.errors import InfeasibleError
from planner.scenario.forecast_fields import DrawnForecast, drawn_forecast
from planner.scenario.paths import resolve, value_at, with_value
from planner.scenario.scenario import Scenario
from planner.scenario.series_errors import ErringSeries
from planner.studies.dispatch import COMMITMENT, decided_columns, operate
from planner.studies.rules_of_thumb import RULES, thumb_step
from planner.studies.two_stage import plan_window
from planner.studies.window import Ahead, advance, counting
from planner.timeseries.horizon import Window
from planner.timeseries.series import Array


def forecasts(scenario: Scenario, issued: int, seed: int, member: int = 0) -> dict[str, Array]:
    """Return every forecast series as it is issued after so many steps, by path; shape (T,).

    Args:
        scenario: with the actuals.
        issued: the steps that are known when the forecasts are made.
        seed: of the simulation, beside those of the forecasts.
        member: 0 is the forecast, 1, 2, ... are draws of what may come around it. Series that are
            given have no error to draw from: they are the same in all members.
    """
    issue: dict[str, Array] = {}
    for text, forecast in scenario.forecast.items():
        series = ErringSeries.at(scenario, resolve(scenario, text))
        if not isinstance(forecast, DrawnForecast):
            issue[text] = np.concatenate([series.values[:issued], forecast[issued:]])
            continue
        drawn: Array | None = None
        for number in (0, member) if member else (0,):
            drawn = drawn_forecast(
                series, forecast, known=issued, step_h=scenario.horizon.step_h,
                path=text, key=(seed, number), around=drawn,
            )  # fmt: skip
        assert drawn is not None
        issue[text] = drawn
    return issue


def believed(scenario: Scenario, series: dict[str, Array], known: int) -> Scenario:
    """Return a scenario with its actuals for the first `known` steps and forecasts afterwards."""
    for text, forecast in series.items():
        path = resolve(scenario, text)
        values = np.concatenate([value_at(scenario, path)[:known], forecast[known:]])
        scenario = with_value(scenario, path, values)
    return scenario


def as_expected(scenario: Scenario, series: dict[str, Array], step: int) -> bool:
    """Say whether every series is in a step what the forecast was."""
    return all(
        value_at(scenario, resolve(scenario, text))[step - 1] == forecast[step - 1]
        for text, forecast in series.items()
    )


PERFECT, DETERMINISTIC, STOCHASTIC = "perfect", "deterministic", "stochastic"
POLICIES = (PERFECT, DETERMINISTIC, STOCHASTIC, *RULES)


@dataclass(frozen=True, eq=False)
class Task:
    """A day to simulate.

    state: the scenario before it, with its actuals.
    past: the rows of the day before, none on the first.
    first, last, until: its first and last step, and the last step it is planned to.
    ahead: what rules over the horizon count on after a window: a relaxation of the horizon, of what
        was believed of it when it began.
    """

    policy: str
    state: Scenario
    past: pd.DataFrame
    first: int
    last: int
    until: int
    seed: int
    members: int
    ahead: Ahead


@dataclass(frozen=True, eq=False)
class Day:
    """What happened: a row a step.

    changes: commitments (a unit in a step) that are other than planned.
    forced: steps in which rows gave way because no dispatch keeps them all.
    """

    rows: pd.DataFrame
    changes: int = 0
    forced: int = 0


def run_day(task: Task) -> Day:
    """Simulate a day.

    Raises:
        NoPlanError: the time limit struck before a first plan.
        InfeasibleError: the profit of the scenario has no bound.
        KeyboardInterrupt: Ctrl-C.
    """
    if task.policy in RULES:
        return _by_thumb(task)
    if task.policy == PERFECT:
        done = operate(task.state, Window(task.first, task.until), task.ahead)
        kept = task.last - task.first + 1
        return Day(done.schedule.iloc[:kept], forced=kept if done.forced else 0)
    return _on_forecasts(task)


def _by_thumb(task: Task) -> Day:
    state, rows = task.state, task.past
    series = forecasts(state, task.first - 1, task.seed)
    for t in range(task.first, task.last + 1):
        row = thumb_step(believed(state, series, t), task.policy, t, rows)
        rows = pd.concat([rows, row])
        state = advance(state, row, Window(t, t))
    return Day(rows.iloc[len(task.past) :])


def _on_forecasts(task: Task) -> Day:
    state, window = task.state, Window(task.first, task.until)
    series = forecasts(state, task.first - 1, task.seed)
    planned, intended = _planned(task, series)
    decided, rows, forced = planned, [], 0
    for t in range(task.first, task.last + 1):
        if intended is not None and as_expected(state, series, t):
            intended = intended.iloc[t - window.first :]
        else:
            now = believed(state, series, t)
            done = operate(now, Window(t, task.until), task.ahead, decided.iloc[t - task.first :])
            intended = done.schedule
            forced += done.forced
            if done.changed:
                decided = pd.concat([decided.iloc[: t - task.first], done.schedule])
        rows.append(intended.iloc[:1])
        window = Window(t, task.until)
        state = advance(state, rows[-1], Window(t, t))
    happened = pd.concat(rows)
    return Day(happened, _changes(state, planned, happened), forced)


def _planned(task: Task, series: dict[str, np.ndarray]) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return what is decided here and now, and the whole schedule where there is one."""
    state, window = task.state, Window(task.first, task.until)
    if task.policy == STOCHASTIC and state.forecast:
        draws = (
            forecasts(state, task.first - 1, task.seed, member)
            for member in range(1, task.members + 1)
        )
        members = [believed(state, draw, task.first - 1) for draw in draws]
        counted = [counting(member, window, task.ahead, firm=True) for member in members]
        with suppress(InfeasibleError):
            found = plan_window(state, [(1 / task.members, member) for member in counted], window)
            if found.solution.status == "interrupted":
                raise KeyboardInterrupt
            return found.here_and_now, None
    schedule = operate(believed(state, series, task.first - 1), window, task.ahead).schedule
    return schedule, schedule


def _changes(scenario: Scenario, planned: pd.DataFrame, happened: pd.DataFrame) -> int:
    """Return how many commitments are other than planned: a unit in a step counts one."""
    columns = [c for c in decided_columns(scenario, planned)[COMMITMENT] if c.endswith(".on")]
    before = planned.loc[happened.index, columns].to_numpy()
    return int((np.abs(before - happened[columns].to_numpy()) > 0.5).sum())
