"""The state of a site at the start of a horizon, from an earlier plan or settled operation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from planner.components.component import Component
from planner.fields import FieldError, value_text
from planner.message import Message, MessageList
from planner.scenario.validation_messages import explain
from planner.timeseries.forms import Context
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.schedule import columns_of


def is_state(field: str) -> bool:
    """Whether a field of a component holds the state before the horizon."""
    return field == "initial" or "so_far" in field


def continued(
    components: dict[str, Component],
    before: Mapping[str, Component],
    past: Horizon,
    schedule: pd.DataFrame,
    folder: Path,
    context: Context,
) -> dict[str, Component]:
    """Return components in the state that an earlier plan leaves those of the same names in.

    Args:
        components: those of the new scenario.
        before: those of the plan.
        past: the horizon of the plan; it must hold the step before that of `context`.
        schedule: the plan's schedule.
        folder: where the plan was read from, for messages.
        context: the new horizon; its steps are as long as those of the plan.

    Raises:
        FieldError: the plan does not reach the horizon, or its state does not fit.
    """
    horizon = context.horizon
    if past.step_min != horizon.step_min:
        raise FieldError(
            Message(
                "the plan has steps of {past} min, this scenario {minutes} min; they must be the"
                " same",
                past=past.step_min,
                minutes=horizon.step_min,
            )
        )
    start = horizon.starts[0].isoformat()
    by_its_clock, by_ours = (
        pd.DatetimeIndex([*past.starts, past.end_of(past.steps)]).tz_convert(zone).tz_localize(None)
        for zone in (past.zone, horizon.zone)
    )
    if not by_its_clock.equals(by_ours):
        raise FieldError(
            Message(
                "the plan begins at {past} and has another clock than this scenario, which begins"
                " at {start}; days and months are local: write the same `horizon.timezone` in both,"
                " or the same offset",
                past=past.starts[0].isoformat(),
                start=start,
            )
        )
    steps_between = (horizon.starts[0] - past.starts[0]).total_seconds() / 60 / past.step_min
    steps = round(steps_between)
    if steps_between != steps or not 1 <= steps <= past.steps:
        end = past.starts[-1] + pd.Timedelta(minutes=past.step_min)
        raise FieldError(
            Message(
                "the plan covers {first} to {last}; horizon.start must be the end of one of its"
                " steps, is {start}",
                first=past.starts[0].isoformat(),
                last=end.isoformat(),
                start=start,
            )
        )
    if len(schedule) < steps or schedule.isna().iloc[:steps].any(axis=None):
        raise FieldError(
            Message("{path} holds no whole schedule up to {start}", path=folder, start=start)
        )
    return {
        name: _in_state(name, component, before.get(name), schedule.iloc[:steps], context, past)
        for name, component in components.items()
    }


def changed_endings(
    before: Mapping[str, Component], after: Mapping[str, Component]
) -> Iterator[Message]:
    """Warn of each `ending: same_as_start` that requires something else in another state.

    Args:
        before: the components as their file describes them.
        after: those in the state of a plan.
    """
    for name, component in after.items():
        in_file, now = before[name].resolved_ending(), component.resolved_ending()
        if in_file != now:
            yield Message(
                "components.{component}.ending: same_as_start is the start in the plan of"
                " initial_from, {now}, and not that of `initial` in this file, {before}; write out"
                " the one that is meant",
                component=name,
                now=value_text(now),
                before=value_text(in_file),
            )


def _in_state(
    name: str,
    component: Component,
    earlier: Component | None,
    schedule: pd.DataFrame,
    context: Context,
    past: Horizon,
) -> Component:
    fields = type(component).model_fields
    if earlier is None or not any(is_state(field) for field in fields):
        return component
    if type(earlier) is not type(component):
        raise FieldError(
            Message(
                "{name!r} is a {text} in the plan and a {other} here",
                name=name,
                text=earlier.kind,
                other=component.kind,
            )
        )
    earlier = earlier.with_memory_of(component)
    advanced = earlier.after(columns_of(schedule, name), Window(1, len(schedule)), past)
    state = {
        field: value
        for field, value in advanced.model_dump(warnings=False).items()
        if is_state(field)
    }
    data = component.model_dump(warnings=False) | state
    try:
        return type(component).model_validate(data, context=context)
    except ValidationError as error:
        messages = (message for _, message in explain(error, type(component)))
        raise FieldError(
            Message(
                "the state of {name!r} in the plan does not fit: {text}",
                name=name,
                text=MessageList("; ", messages),
            )
        ) from None
