"""A day of a simulation: plan a window on forecasts, operate its first steps on the actuals.

Information: when a window is planned, the steps before it are known and the rest is the forecast
issued then. In step t its actuals are known too, and the steps after it are still that forecast. So
a scenario with a forecast has the actuals known so far, then the forecast issued last.

1. The window is planned: on forecasts (deterministic), on several draws around them (stochastic),
   or on the actuals (perfect). Its here-and-now decisions, commitment and declarations, are fixed.
2. Step by step the rest of the window is dispatched again with the actuals of the step, and its
   first row is executed. Where a step is as forecast the last dispatch stands. The rules of thumb
   have no plan and see only the step and, for the tariff of the day, the forecast.
3. Where no dispatch keeps the commitment, it is decided anew from that step on, and counted; where
   there is no plan at all, rows are relaxed (see `dispatch`) and the step is counted as forced.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.errors import InfeasibleError
from planner.plan_tables.simulation import FORECAST_COLUMNS, PLANNING
from planner.scenario.forecast_fields import DrawnForecast, drawn_forecast
from planner.scenario.paths import resolve, value_at, with_value
from planner.scenario.scenario import Scenario
from planner.scenario.series_errors import ErringSeries
from planner.studies.chain import Chain, Cut, ExecutedSteps, run, step_by_step
from planner.studies.dispatch import COMMITMENT, decided_columns, operate
from planner.studies.rules_of_thumb import RULES, thumb_steps
from planner.studies.two_stage import plan_window
from planner.studies.window import Lookahead, with_lookahead
from planner.timeseries.horizon import Window
from planner.timeseries.series import Array


def forecasts(scenario: Scenario, issued: int, seed: int, member: int = 0) -> dict[str, Array]:
    """Return every forecast series as it is issued after so many steps, by path; shape (T,).

    Args:
        scenario: with the actuals.
        issued: the steps that are known when the forecasts are made.
        seed: of the simulation, beside those of the forecasts.
        member: 0 is the forecast, 1, 2, ... are draws around it. Forecasts that are given as
            series have no error to draw from: they are the same in all members.
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


def with_forecast(scenario: Scenario, series: dict[str, Array], known: int) -> Scenario:
    """Return a scenario with its actuals for the first `known` steps and forecasts afterwards."""
    for text, forecast in series.items():
        path = resolve(scenario, text)
        values = np.concatenate([value_at(scenario, path)[:known], forecast[known:]])
        scenario = with_value(scenario, path, values)
    return scenario


def as_expected(scenario: Scenario, series: dict[str, Array], step: int) -> bool:
    """Return whether every series is in a step as forecast."""
    return all(
        value_at(scenario, resolve(scenario, text))[step - 1] == forecast[step - 1]
        for text, forecast in series.items()
    )


def issued_forecasts(scenario: Scenario, cuts: Sequence[Cut], seed: int) -> pd.DataFrame:
    """Return the forecasts that the executed steps of windows are planned on, and the actuals.

    Returns:
        A row for each series and step, as `SimulationTable.forecasts`.
    """
    starts = scenario.horizon.starts
    actuals = {path: value_at(scenario, resolve(scenario, path)) for path in scenario.forecast}
    tables = []
    for cut in cuts if actuals else ():
        first, last = cut.executed.first - 1, cut.executed.last
        for path, forecast in forecasts(scenario, first, seed).items():
            columns = {"time": starts[first:last], "issued": starts[first], "path": path}
            values = {"forecast": forecast[first:last], "actual": actuals[path][first:last]}
            tables.append(pd.DataFrame(columns | values))
    if not tables:
        return pd.DataFrame(columns=list(FORECAST_COLUMNS))
    return pd.concat(tables).sort_values("path", kind="stable", ignore_index=True)


PERFECT, DETERMINISTIC, STOCHASTIC = PLANNING
POLICIES = (PERFECT, DETERMINISTIC, STOCHASTIC, *RULES)


@dataclass(frozen=True, eq=False)
class DayPolicy:
    """One of the policies that a simulation compares: plans and operates its days.

    name: one of `POLICIES`.
    seed: of the forecasts.
    members: draws that the stochastic policy plans on.
    lookahead: from a relaxation of the horizon, as forecast when it began.
    """

    name: str
    seed: int
    members: int
    lookahead: Lookahead

    def __call__(self, state: Scenario, cut: Cut, recent: pd.DataFrame) -> ExecutedSteps:
        """Simulate a day; count the changes of commitment and the forced steps.

        Raises:
            NoPlanError: the time limit struck before a first plan.
            InfeasibleError: the profit of the scenario has no bound.
            KeyboardInterrupt: Ctrl-C.
        """
        if self.name == PERFECT:
            operation = operate(state, cut.window, self.lookahead)
            rows = operation.schedule.iloc[: len(cut.executed)]
            return _day(rows, forced=len(cut.executed) if operation.forced else 0)
        series = forecasts(state, cut.window.first - 1, self.seed)
        if self.name in RULES:
            rows = thumb_steps(
                state, self.name, cut, recent, lambda s, t: with_forecast(s, series, t)
            )
            return _day(rows)
        planned, dispatch = self._planned(state, cut.window, series)
        operator = _Operator(self.lookahead, series, planned, dispatch)
        steps = Chain(self.name, state, step_by_step(cut), operator)
        run([steps])
        changes = _changes(state, planned, steps.schedule)
        return _day(steps.schedule, changes, steps.total("forced"))

    def _planned(
        self, state: Scenario, window: Window, series: dict[str, Array]
    ) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        """Return the here-and-now decisions, and the dispatch if it is planned with them."""
        issued = window.first - 1
        if self.name == STOCHASTIC and state.forecast:
            draws = (forecasts(state, issued, self.seed, 1 + k) for k in range(self.members))
            members = [
                with_lookahead(
                    with_forecast(state, draw, issued), window, self.lookahead, firm=True
                )
                for draw in draws
            ]
            with suppress(InfeasibleError):
                joint = plan_window(state, [(1 / self.members, m) for m in members], window)
                if joint.solution.status == "interrupted":
                    raise KeyboardInterrupt
                return joint.here_and_now, None
        expected = with_forecast(state, series, issued)
        schedule = operate(expected, window, self.lookahead).schedule
        return schedule, schedule


@dataclass(eq=False)
class _Operator:
    """Operates a day step by step: the dispatch stands while everything is as forecast.

    series: the forecasts the day was planned on.
    decided: what is decided here and now, from the next step on.
    dispatch: the schedule from the next step on; None before the first dispatch.
    """

    lookahead: Lookahead
    series: dict[str, Array]
    decided: pd.DataFrame
    dispatch: pd.DataFrame | None

    def __call__(self, state: Scenario, cut: Cut, _: pd.DataFrame) -> ExecutedSteps:
        """Operate a step."""
        t, forced = cut.executed.first, False
        if self.dispatch is None or not as_expected(state, self.series, t):
            expected = with_forecast(state, self.series, t)
            operation = operate(expected, cut.window, self.lookahead, self.decided)
            self.dispatch, forced = operation.schedule, operation.forced
            if operation.changed:
                self.decided = operation.schedule
        row = self.dispatch.iloc[:1]
        self.decided, self.dispatch = self.decided.iloc[1:], self.dispatch.iloc[1:]
        return ExecutedSteps(row, figures={"forced": forced})


def _day(rows: pd.DataFrame, changes: int = 0, forced: int = 0) -> ExecutedSteps:
    return ExecutedSteps(rows, figures={"changes": changes, "forced": forced})


def _changes(scenario: Scenario, planned: pd.DataFrame, happened: pd.DataFrame) -> int:
    """Return the number of changed commitments: of every unit, the steps other than planned."""
    columns = [c for c in decided_columns(scenario, planned)[COMMITMENT] if c.endswith(".on")]
    before = planned.loc[happened.index, columns].to_numpy()
    return int((np.abs(before - happened[columns].to_numpy()) > 0.5).sum())
