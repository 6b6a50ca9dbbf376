"""Demand response: what the site is paid for importing less than a stated baseline.

Variables: responded_mw[i,t] <= max_mw of event i in its hours, 0 elsewhere; responding[i,t], binary
where an event holds and import_limit_mw > baseline_mw, 0 elsewhere.

    responded       responded_mw[i,t] <= max_mw responding[i,t]
    response_room   responded_mw[i,t] + import_mw[t]
                        <= baseline_mw[t] + (import_limit_mw[t] - baseline_mw[t]) (1 - responding[i,t])

Where the import can never exceed the baseline no binary is needed:

    response_room   responded_mw[i,t] + import_mw[t] <= baseline_mw[t]

Without the binary, responded_mw >= 0 would hold the import down to the baseline. Events may not
overlap: a MW is not sold twice.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationInfo, model_validator

from planner.components.base import Amounts, AtLeastZero, Complaint, Line, Positive, Time
from planner.forms import CalendarTimes, Context, read_hours
from planner.horizon import Horizon
from planner.series import Array, NonNegative

if TYPE_CHECKING:
    import pyomo.environ as pyo


class Response(CalendarTimes):
    """An event of demand response, and when it holds."""

    hours: Annotated[
        tuple[Annotated[str, BeforeValidator(read_hours)], ...], Field(min_length=1, strict=False)
    ]
    """Local hours, end exclusive: "18-20"."""
    baseline_mw: NonNegative
    """Import that counts as none saved."""
    reward_cny_per_mwh: Positive
    """Paid per MWh imported less than the baseline."""
    max_mw: AtLeastZero
    """Most that is paid for."""
    _steps: frozenset[int] = PrivateAttr(default=frozenset())

    @model_validator(mode="after")
    def _find_steps(self, info: ValidationInfo) -> Self:
        if not isinstance(info.context, Context):
            raise ValueError("hours can only be read as part of a scenario")
        found = self.matches(info.context).nonzero()[0] + 1
        self._steps = frozenset(map(int, found))
        return self

    @property
    def steps(self) -> frozenset[int]:
        """The steps of the horizon in which the event holds."""
        return self._steps


def check_events(events: Sequence[Response], horizon: Horizon) -> Iterator[Complaint]:
    """Yield the events that overlap earlier ones."""
    for i, event in enumerate(events):
        for j, other in enumerate(events[:i]):
            if both := event.steps & other.steps:
                at = horizon.at(min(both))
                yield ("response", i, "hours"), f"overlaps response[{j}] at {at}; only one may hold"


def warn_of_events(events: Sequence[Response], import_limit: Array) -> Iterator[str]:
    """Yield what a careful colleague would ask about."""
    for i, event in enumerate(events):
        steps = [t - 1 for t in sorted(event.steps)]
        over = (event.baseline_mw - import_limit)[steps]
        if event.max_mw and (over > 1e-9).any():
            yield (
                f"response[{i}].baseline_mw lies up to {over.max():g} MW above import_limit_mw:"
                " so much is paid for whatever the plan"
            )


def respond(
    b: pyo.Block, time: Time, events: Sequence[Response], import_limit: Mapping[int, float]
) -> dict[Line, Amounts]:
    """Declare what each event is answered with; return what it costs, which is below zero."""
    import pyomo.environ as pyo

    if not events:
        return {}
    every = range(len(events))
    base = [time.of(event.baseline_mw) for event in events]
    held = [(i, t) for i in every for t in time.steps if t in events[i].steps]
    chosen = [(i, t) for i, t in held if import_limit[t] > base[i][t]]
    free = set(held) - set(chosen)
    b.responded_mw = pyo.Var(
        every,
        time.steps,
        bounds=lambda _, i, t: (0, events[i].max_mw if t in events[i].steps else 0),
    )
    b.responding = pyo.Var(every, time.steps, domain=pyo.Binary)
    b.responded = pyo.Constraint(
        chosen, rule=lambda b, i, t: b.responded_mw[i, t] <= events[i].max_mw * b.responding[i, t]
    )
    b.response_room = pyo.Constraint(
        held,
        rule=lambda b, i, t: (
            b.responded_mw[i, t] + b.import_mw[t]
            <= base[i][t]
            + (0.0 if (i, t) in free else (import_limit[t] - base[i][t]) * (1 - b.responding[i, t]))
        ),
    )
    rate = [-event.reward_cny_per_mwh * time.step_h for event in events]
    return {Line("response"): {t: rate[i] * b.responded_mw[i, t] for i, t in held}}
