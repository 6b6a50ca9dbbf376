"""The state of a site when a horizon begins, from a plan or from operation that was settled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from planner.components.component import Component
from planner.scenario.validation_messages import explain
from planner.timeseries.forms import Context
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.schedule import values_of


def is_state(field: str) -> bool:
    """Whether a field of a component says what was before the horizon."""
    return field == "initial" or "so_far" in field


def continued(
    components: dict[str, Component],
    before: Mapping[str, Component],
    past: Horizon,
    schedule: pd.DataFrame,
    folder: Path,
    context: Context,
) -> dict[str, Component]:
    """Return components in the state in which an earlier plan leaves those of their names.

    Args:
        components: those of the new scenario.
        before: those of the plan.
        past: the horizon of the plan; it must hold the step before that of `context`.
        schedule: the plan's schedule.
        folder: where the plan was read from, for messages.
        context: the new horizon; its steps are as long as those of the plan.

    Raises:
        ValueError: the plan does not reach the horizon, or its state does not fit.
    """
    horizon = context.horizon
    if past.step_min != horizon.step_min:
        said = f"the plan has steps of {past.step_min} min, this scenario {horizon.step_min} min"
        raise ValueError(f"{said}; they must be the same")
    if past.zone != horizon.zone:
        said = "must have the same offset, for days and months are local"
        first = f"the plan begins at {past.starts[0].isoformat()}"
        raise ValueError(f"{first}, this scenario at {horizon.starts[0].isoformat()}; they {said}")
    passed = (horizon.starts[0] - past.starts[0]).total_seconds() / 60 / past.step_min
    steps = round(passed)
    if passed != steps or not 1 <= steps <= past.steps:
        end = past.starts[-1] + pd.Timedelta(minutes=past.step_min)
        raise ValueError(
            f"the plan covers {past.starts[0].isoformat()} to {end.isoformat()}; horizon.start must"
            f" be the end of one of its steps, is {horizon.starts[0].isoformat()}"
        )
    if len(schedule) < steps or schedule.isna().iloc[:steps].any(axis=None):
        raise ValueError(f"{folder} holds no whole schedule up to {horizon.starts[0].isoformat()}")
    return {
        name: _in_state(name, component, before.get(name), schedule.iloc[:steps], context, past)
        for name, component in components.items()
    }


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
        raise ValueError(f"{name!r} is a {earlier.kind} in the plan and a {component.kind} here")
    limits = {field: getattr(component, field) for field in type(component).remembers}
    earlier = earlier.model_copy(update=limits)
    reached = earlier.after(values_of(schedule, name), Window(1, len(schedule)), past)
    given = component.model_dump(warnings=False) | {
        field: value
        for field, value in reached.model_dump(warnings=False).items()
        if is_state(field)
    }
    try:
        return type(component).model_validate(given, context=context)
    except ValidationError as error:
        said = "; ".join(message for _, message in explain(error, type(component)))
        raise ValueError(f"the state of {name!r} in the plan does not fit: {said}") from None
