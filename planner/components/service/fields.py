"""The fields of a token service, and what their values must satisfy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from planner.components.component import Component
from planner.components.service.queue import MarketStep, ServiceEnding, ServiceInitial
from planner.field_types import ListedOrNone
from planner.fields import AtLeastZero, FieldError, Fraction, Hours, Positive, exceeds, raise_all
from planner.message import Message, template
from planner.timeseries.series import NonNegative, NonNegativeOrNone, PerUnit, SeriesOrNone

EXCLUDES = {  # what is asked for -> fields of services that are asked for something else
    "demand_mtok_per_h": {"deadline_h", "refusal_cost_cny_per_mtok", "ending"},
    "arrivals_mtok_per_h": {"headroom_share", "unserved_cost_cny_per_mtok"},
    "market": {"headroom_share", "unserved_cost_cny_per_mtok", "deadline_h",
               "refusal_cost_cny_per_mtok", "ending", "price_cny_per_mtok"},
}  # fmt: skip


class ServiceFields(Component):
    """The fields of a token service."""

    kind: Literal["service"] = "service"
    also_called: ClassVar[str] = "model llm inference tokens api 服务"
    remedies: ClassVar[Mapping[str, str]] = {
        "ending": template(
            "where work may be left, write what it is worth and how much:"
            " {{value_cny_per_mtok: 0, at_most_mtok: 5}}"
        ),
        "cached_share": template("it is part of the input tokens: 0.3 for 30 %"),
    }
    model: str
    """Model that answers it; a fleet must serve it."""
    max_inter_token_ms: Positive | None = None
    """Longest inter-token latency the customer accepts."""
    max_first_token_ms: Positive | None = None
    """Longest time to the first token the customer accepts."""
    price_cny_per_mtok: SeriesOrNone = None  # type: ignore[assignment]
    """Price per million output tokens."""
    input_per_output: NonNegative = 0.0  # type: ignore[assignment]  # validated into a series
    """Input tokens that come with one output token."""
    cached_share: PerUnit = 0.0  # type: ignore[assignment]  # validated into a series
    """Part of the input tokens found in the cache: without prefill, at the cached price."""
    price_input_cny_per_mtok: NonNegative = 0.0  # type: ignore[assignment]
    """Price per million input tokens not in the cache."""
    price_cached_cny_per_mtok: NonNegative = 0.0  # type: ignore[assignment]
    """Price per million input tokens in the cache."""
    min_served_share: Fraction = 0.0
    """Least part of demand or market depth answered, or of arrivals accepted, over the horizon."""
    demand_mtok_per_h: NonNegativeOrNone = None  # type: ignore[assignment]
    """Interactive: demand, answered in its step or lost."""
    headroom_share: AtLeastZero = 0.0
    """Interactive: decode capacity kept above the mean for bursts."""
    unserved_cost_cny_per_mtok: AtLeastZero = 0.0
    """Interactive: penalty for work not answered."""
    arrivals_mtok_per_h: NonNegativeOrNone = None  # type: ignore[assignment]
    """Batch: work that comes in."""
    deadline_h: Hours | None = None
    """Batch: longest time from the end of the step of arrival."""
    refusal_cost_cny_per_mtok: AtLeastZero = 0.0
    """Batch: penalty for work refused."""
    initial: ServiceInitial = ServiceInitial()
    """State when the horizon begins."""
    ending: ServiceEnding = "same_as_start"
    """Batch: no more work waiting than at the start, or a value for it."""
    market: ListedOrNone[MarketStep] = None  # type: ignore[assignment]
    """Market: price steps, each with its depth."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        raise_all(self._wrong())
        return self

    def _wrong(self) -> Iterator[FieldError]:
        forms = [name for name in EXCLUDES if getattr(self, name) is not None]
        if len(forms) != 1:
            yield FieldError(
                Message(
                    "needs exactly one of {names}; has {other}",
                    names=", ".join(EXCLUDES),
                    other=", ".join(forms) or Message("none"),
                )
            )
            return
        (form,) = forms
        misplaced = [
            name
            for name in sorted(EXCLUDES[form] & self.model_fields_set)
            if not np.array_equal(getattr(self, name), type(self).model_fields[name].default)
        ]
        if self.initial.waiting and form != "arrivals_mtok_per_h":
            misplaced.append("initial.waiting")
        if misplaced:
            first, *rest = misplaced
            others = Message(", nor can {names}", names=", ".join(rest)) if rest else ""
            message = Message("cannot go with {name}{others}", name=form, others=others)
            yield FieldError(message, first)
        if form != "market" and self.price_cny_per_mtok is None:
            yield FieldError(Message("is required with {name}", name=form), "price_cny_per_mtok")
        if form == "arrivals_mtok_per_h" and self.deadline_h is None:
            yield FieldError(Message("is required with {name}", name=form), "deadline_h")
            return
        for i, work in enumerate(self.initial.waiting):
            if exceeds(work.age_h, self.deadline_h or 0.0):
                message = Message(
                    "must not exceed deadline_h {deadline_h:g}, is {value:g}",
                    deadline_h=self.deadline_h,
                    value=work.age_h,
                )
                yield FieldError(message, f"initial.waiting[{i}].age_h")
