"""The worth of stored energy and of waiting work at the end of each step of a solved program.

A component that `carries` energy or work over the end of a step leaves it to the rows of later
steps. One more of it changes the minimum of what comes later by the duals y of these rows,

    worth[t] = sum_i y_i A_ij        over the rows i of steps after t, and of no step,

for j the column of the state at the end of step t; at the end of the horizon less its cost, which
is the end value that the scenario gives. The dual of the state's own row is another number where
the store is full: what one more MWh put in would bring. Of a store that is empty, or as low as it
may be, the duals say anything up to what a MWh would cost to bring; the LP is therefore solved
again with a little more in it, for free.

Given to a shorter scenario that ends with one of the steps, the worth is the value of its `ending`:
a day is planned for what comes after it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from planner.components.component import Component
from planner.components.terms import AtEnd
from planner.errors import wrong
from planner.fields import NOTHING
from planner.message import Message
from planner.plan.plan import Plan, read_plan
from planner.plan_tables.tables import clean
from planner.scenario.scenario import Scenario, ScenarioLike, scenario_of
from planner.scenario.uncertainty.members import require_one_member
from planner.solver.margin import rows_with_gifts
from planner.solver.model import column_name
from planner.solver.program import NO_STEP, Duals, Flags, Indices, Program
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array
from planner.units import unit


def end_values(program: Program, duals: Duals) -> pd.DataFrame | None:
    """Return the worth of what components carry over the end of each step; None if none does.

    Long: time (start of the step), component, quantity (the field of a value at the end), index,
    value, unit.
    """
    states = list(_carried(program))
    if not states:
        return None
    columns = np.concatenate([state.columns for state in states])
    left, cost = _left_for_later(program, columns)
    rows, empty = duals.rows, _at_least(program, duals.x, columns)
    if empty.any():
        rows = rows_with_gifts(program, duals, left[:, empty], cost[empty])
    worth = clean(left.T @ rows - cost)
    parts = [
        pd.DataFrame({
            "time": program.times, "component": state.component, "quantity": state.field,
            "index": state.index, "value": by_step, "unit": unit(state.field),
        })
        for state, by_step in zip(states, np.split(worth, len(states)), strict=True)
    ]  # fmt: skip
    texts = dict.fromkeys(("component", "quantity", "index", "unit"), "str")
    return pd.concat(parts, ignore_index=True).astype(texts)


@dataclass(frozen=True)
class _Carried:
    """What a component carries: the field of its value at the end, and its columns by step."""

    component: str
    field: str
    index: str
    columns: Indices


def _carried(program: Program) -> Iterator[_Carried]:
    for key, (columns, _) in program.schedule.items():
        name, _, quantity = key.partition(".")
        column, _, index = quantity.partition("[")
        field = program.scenario.components[name].carries.get(column)
        if field and (columns >= 0).all():
            yield _Carried(name, field, index.removesuffix("]"), columns)


def _left_for_later(program: Program, columns: Indices) -> tuple[Any, Array]:
    """Return what columns put into the rows of later steps, sparse, and what they cost at the end.

    Shapes (rows, columns) and (columns,).
    """
    entries, later = _entries(program, columns)
    places = entries.row[later], entries.col[later]
    left = sparse.csc_array((entries.data[later], places), entries.shape)
    at_end = program.column_steps[columns] == program.window.last
    return left, np.where(at_end, program.cost[columns], 0.0)


def _at_least(program: Program, x: Array, columns: Indices) -> Flags:
    """Return which columns are 0, or as low as a row of their step lets them be."""
    entries, later = _entries(program, columns)
    lower, upper = program.row_lower[entries.row], program.row_upper[entries.row]
    holds = np.where(entries.data > 0, np.isfinite(lower), np.isfinite(upper)) & (lower < upper)
    raised = entries.col[~later & holds & program.binds(x)[entries.row]]
    return (x[columns] <= NOTHING) | (np.bincount(raised, minlength=len(columns)) > 0)


def _entries(program: Program, columns: Indices) -> tuple[Any, Flags]:
    """Return the coefficients of columns, and which stand in rows of later steps or of none."""
    entries = sparse.coo_array(program.matrix[:, columns])
    steps = program.row_steps[entries.row]
    return entries, (steps == NO_STEP) | (steps > program.column_steps[columns[entries.col]])


def with_end_values(scenario: ScenarioLike, year: Plan | str | Path) -> Scenario:
    """Return a scenario whose stores and batch work are worth at its end what they are in a year.

    Each `ending` is replaced by the value at that time. Energy of several origins gets their mean
    as stored then, or that of the origin worth most if nothing is; limits of an `ending` stay, in
    `energy_targets`. As much work may wait as `ending` allows, or as waits then.

    Args:
        scenario: of a day, say; its steps may have another length than those of the year.
        year: a plan with end values, or its folder.

    Raises:
        ScenarioError: the plan has no end values, or none of its steps ends with the scenario; or
            the scenario has several members.
        PlanError: the folder cannot be read.
    """
    scenario = scenario_of(scenario)
    require_one_member(scenario)
    plan = year if isinstance(year, Plan) else read_plan(year)
    source = plan.scenario.name if plan is year else str(year)
    if plan.end_values is None:
        message = Message("{path} holds no end values; `planner prices` writes them", path=source)
        raise wrong("end_values", message)
    at = _step_that_ends(plan, scenario, source)
    components, notes = dict[str, Component](), list[Message]()
    for name, component in scenario.components.items():
        components[name] = component
        for column, field in component.carries.items():
            if not field:
                continue
            at_end = _at_end(plan, at, name, column, field)
            if at_end:
                valued = component.with_end_values(at_end, scenario.horizon)
                components[name] = valued
                notes.append(Message(
                    "components.{component}.{field} is {value:.6g} {unit}: the worth at {time} in"
                    " {path}",
                    component=name, field=field, value=attrgetter(field)(valued), unit=unit(field),
                    time=_written(_end(scenario.horizon)), path=source,
                ))  # fmt: skip
            elif component.resolved_ending() is not None:
                notes.append(Message(
                    "components.{component}.ending stays: {path} has no end value of it",
                    component=name, path=source,
                ))  # fmt: skip
    return scenario.with_components(components, notes)


def _end(horizon: Horizon) -> dt.datetime:
    return horizon.end_of(horizon.steps)


def _step_that_ends(plan: Plan, scenario: Scenario, source: str) -> int:
    """Return the place of the plan's step that ends with a scenario."""
    year, end = plan.scenario.horizon, _end(scenario.horizon)
    places = np.flatnonzero(year.starts + pd.Timedelta(minutes=year.step_min) == end)
    if not places.size:
        message = Message(
            "ends at {time}; {path} has end values from {first} to {last}, every {minutes} min",
            time=_written(end), path=source, minutes=year.step_min,
            first=_written(year.end_of(1)), last=_written(_end(year)),
        )  # fmt: skip
        raise wrong("horizon", message)
    return int(places[0])


def _written(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="minutes")


def _at_end(plan: Plan, at: int, name: str, column: str, field: str) -> dict[str, AtEnd]:
    """Return what a component carries over the end of a step of a plan, by index."""
    table = plan.end_values
    assert table is not None
    own = table[
        (table["time"] == plan.schedule.index[at])
        & (table["component"] == name)
        & (table["quantity"] == field)
    ]
    return {
        index: AtEnd(
            float(plan.schedule[column_name(name, column, (index,) if index else ())].iloc[at]),
            float(value),
        )
        for index, value in zip(own["index"], own["value"], strict=True)
    }
