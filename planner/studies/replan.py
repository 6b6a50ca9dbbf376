"""The rest of a plan that has begun, planned again from what has happened.

    executed   the steps of the plan before the given time happened as planned
    state      they advance every component (`Component.remaining`); what was measured then
               replaces the state that follows from them
    promises   endings, rules over the horizon, peaks, declarations and jobs count from the start
               of the plan: what is left of them is given for the rest
    rest       the remaining steps are a scenario of their own, and so is their plan

What the executed steps cost and earned is no part of the new plan.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Any

from planner.components.component import ORIGINS, Component
from planner.errors import Key, Problem, ScenarioError, as_written, did_you_mean, dotted, wrong
from planner.fields import is_number, value_text
from planner.files.yaml_document import Document, read_yaml
from planner.message import Message
from planner.plan.folder import single_plan
from planner.plan.plan import Plan, plan_as
from planner.scenario.continuation import is_state
from planner.scenario.plain_data import plain_scenario
from planner.scenario.scenario import Scenario, Variants
from planner.studies.settle import settle_executed
from planner.studies.solve import solve_program
from planner.studies.to_plan import Out, publish
from planner.timeseries.csv_table import step_start
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.schedule import columns_by_component

Components = Mapping[str, Component]


@dataclass(frozen=True, eq=False, repr=False)
class Replan(Plan):
    """The new plan of the rest of a plan, and the rest as it was planned.

    `summary["replanned"]` tells what it goes on from.

    as_planned: the remaining steps of the old plan, in the state that it would have left.
    """

    _: KW_ONLY
    as_planned: Plan

    @property
    def plan(self) -> Plan:
        """The new plan itself."""
        return self


def replan(
    plan: Plan | str | Path,
    at: str | dt.datetime,
    state: Mapping[str, Any] | str | Path | None = None,
    *,
    set: Mapping[str, Any] | None = None,  # noqa: A002
    out: Out = None,
) -> Replan:
    """Plan the rest of a plan again, from what has happened.

    Args:
        plan: the plan that is being executed, or its folder.
        at: the start of the first step to plan.
        state: what was measured then, or a YAML file of it: fields of `initial` and those named
            `so_far`, by component. What is not given follows from the plan.
        set: new values in the scenario of the rest by path; CSV paths are relative to the working
            folder.
        out: the plan folder to write the rest into: an `Output`, or its path.

    Example:
        `planner.replan("plans/day", "2026-07-15T10:00", {"battery": {"energy_mwh": 22}}).plan`

    Raises:
        ScenarioError: the time, the state or a new value is wrong; with every problem found.
        InfeasibleError: no plan keeps the promises, as `solve`.
        PlanError: a folder cannot be read or written, or a plan fails its audit.
        NoPlanError, KeyboardInterrupt: as `solve`.
    """
    old, source = single_plan(plan)
    if old.summary["status"] == "relaxed":
        message = Message("is that of an LP relaxation, which leaves no state to go on from")
        raise wrong("plan", message)
    horizon = old.scenario.horizon
    first = step_start([*horizon.starts], at, horizon.zone, "at")
    executed = Window(1, int((horizon.starts < first).sum()))
    measured = _read_state(state)
    began = old.scenario.components
    left = _remaining(old, began, executed)
    rest = _rest(old, left, executed, measured, set)
    if set:  # with new limits the state may have to hold more of the past
        later = {
            name: component.with_memory_of(rest.components.get(name, component))
            for name, component in began.items()
        }
        rest = _rest(old, _remaining(old, later, executed), executed, measured, set)
    as_planned = _as_planned(old, left, executed)
    new, _, _ = solve_program(rest)
    replanned = {
        "plan": source,
        "at": rest.horizon.starts[0].isoformat(),
        "executed_h": len(executed) * horizon.step_h,
        "state": measured.data,
        "promised": dict(_promises(began, left, executed, horizon)),
        "as_planned_cny": as_planned.summary["objective_cny"],
    }
    summary = new.summary | {"replanned": replanned}
    rest_of_plan = plan_as(Replan, replace(new, summary=summary), as_planned=as_planned)
    publish(rest_of_plan, out)
    return rest_of_plan


def _read_state(state: Mapping[str, Any] | str | Path | None) -> Document:
    if state is None or isinstance(state, Mapping):
        return Document("state", dict(state or {}))
    document = read_yaml(Path(state))
    if document.problems:
        raise ScenarioError(document.problems)
    return document


def _remaining(old: Plan, components: Components, executed: Window) -> dict[str, Component]:
    horizon, columns = old.scenario.horizon, columns_by_component(old.schedule)
    return {
        name: component.remaining(columns.get(name, {}), executed, horizon)
        for name, component in components.items()
    }


def _promises(
    began: Components, left: Components, executed: Window, horizon: Horizon
) -> Iterator[tuple[str, str]]:
    """Yield the fields that were given for the horizon of the plan, as they are for the rest."""
    steps = range(executed.last + 1, horizon.steps + 1)
    for name, component in left.items():
        for field in (field for field in type(component).model_fields if not is_state(field)):
            before, value = getattr(began[name], field), getattr(component, field)
            text = value_text(value, steps)
            if value is not before and text != value_text(before):
                yield f"components.{name}.{field}", text


def _as_planned(old: Plan, left: Components, executed: Window) -> Plan:
    """Return the remaining steps of the plan, settled in the state that they begin in."""
    rest = _rest(old, left, executed, Document("state", {}), None)
    given = [  # decided in the plan, and given for its rest
        f"{name}.{column}"
        for name, component in old.scenario.components.items()
        for column in component.here_and_now()
        if column not in left[name].here_and_now()
    ]
    rows = old.schedule.iloc[len(executed) :].drop(columns=given)
    plan = settle_executed(rest, rows).plan
    publish(plan)
    return plan


def _rest(
    old: Plan,
    left: Components,
    executed: Window,
    measured: Document,
    changes: Mapping[str, Any] | None,
) -> Scenario:
    """Return the scenario of the steps after the executed ones, in the measured state.

    Raises:
        ScenarioError: with every problem of the state and of the changes.
    """
    horizon, first = old.scenario.horizon, len(executed)
    written = {name: component.written_after(first) for name, component in left.items()}
    data = plain_scenario(old.scenario.revised({"components": written}), first)
    data["horizon"] |= {
        "start": horizon.starts[first].isoformat(),
        "hours": (horizon.steps - first) * horizon.step_h,
    }
    places, problems = _put_in_state(data["components"], left, measured)
    document = Document(old.scenario.name, data)
    try:
        rest = Variants(document, Path()).scenario(changes)
    except ScenarioError as error:
        problems += (_in_state(problem, places, measured) for problem in error.problems)
    if problems:
        raise ScenarioError(problems)
    return rest


def _put_in_state(
    data: dict[str, Any], components: Components, measured: Document
) -> tuple[dict[str, Key], list[Problem]]:
    """Replace the state of components in their data by what was measured.

    Returns:
        The places of the measured values in their file by path in the scenario, and the problems.
    """
    places: dict[str, Key] = {}
    problems = []
    for name, fields in measured.data.items():
        if name not in components:
            hint = did_you_mean(name, components)
            message = Message("there is no component {name!r}{hint}", name=name, hint=hint)
            problems.append(measured.problem((name,), message))
        elif not isinstance(fields, dict):
            text, rule = as_written(fields), Message("must be a mapping")
            message = Message("{sentence}, is {text}{hint}", sentence=rule, text=text, hint="")
            problems.append(measured.problem((name,), message))
        else:
            places[f"components.{name}.initial"] = (name,)
            known, mistakes = _state_fields(data[name]), [*_missing(name, components, fields)]
            for field, value in fields.items():
                if field in known:
                    *above, last = known[field]
                    holder = data[name]["initial"] if above else data[name]
                    holder[last] = _combined(value, holder[last])
                    places[dotted(("components", name, *known[field]))] = (name, field)
                else:
                    message = Message("is not a field here{hint}", hint=did_you_mean(field, known))
                    mistakes.append(((name, field), message))
            problems += (measured.problem(*problem) for problem in mistakes)
    return places, problems


def _state_fields(data: Mapping[str, Any]) -> dict[str, Key]:
    """Return the fields of the state of a component by name, each with its path."""
    initial = data.get("initial") or {}
    fields: dict[str, Key] = {name: ("initial", name) for name in initial}
    return fields | {name: (name,) for name in data if is_state(name) and name != "initial"}


def _missing(
    name: str, components: Components, fields: Mapping[str, Any]
) -> Iterator[tuple[Key, Message]]:
    """Yield what the plan cannot tell of a component that is on and not off, or off and not on."""
    initial: Any = getattr(components[name], "initial", ())
    planned = dict(initial)
    switches = [field for field, value in planned.items() if isinstance(value, bool)]
    since = getattr(initial, "since_switch", ())
    for switch in switches:
        if fields.get(switch, planned[switch]) == planned[switch]:
            continue
        for field, described in type(initial).model_fields.items():
            if (described.is_required() or field in since) and field not in fields:
                message = Message("is required where {name} is not as planned", name=switch)
                yield (name, field), message


def _combined(measured: Any, planned: Any) -> Any:
    """Return a measured value with what it leaves open as planned.

    A total has the origins of the planned amount, in proportion; amounts by origin are complete.
    """
    if not isinstance(planned, dict):
        return measured
    by_origin = set(planned) == {*ORIGINS}
    if isinstance(measured, dict):
        return measured if by_origin else planned | measured
    total = sum(planned.values()) if by_origin else 0.0
    if not total or not is_number(measured):
        return measured
    return {origin: amount / total * measured for origin, amount in planned.items()}


def _in_state(problem: Problem, places: Mapping[str, Key], measured: Document) -> Problem:
    """Return a problem of the scenario at its place in the state, if it is there."""
    above = [path for path in places if f"{problem.path}.".startswith((f"{path}.", f"{path}["))]
    if not above:
        return problem
    path = max(above, key=len)
    key = places[path]
    place = f"{dotted(key)}{problem.path.removeprefix(path)}"
    return Problem(problem.message, place, measured.file, measured.line(key))
