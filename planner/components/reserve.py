"""Upward reserve: power that is available when a unit, a line or a forecast fails.

Variables: shortfall_mw[t] where a shortfall has a price.
Expressions: required_mw[t], provided_mw[t].

    reserve         sum_i r_i[t] + shortfall_mw[t] >= required_mw[t]
                    required_mw = up_mw + load_share Σ load + renewable_share Σ renewable power
    largest_unit    for each unit or import j:
                    sum_{i≠j} r_i[t] + shortfall_mw[t] >= power_j[t] + required_mw[t]

r_i is what provider i offers in step t: it can be called at any time in the step, is delivered
within response_min, and lasts for duration_h. Each provider limits it by rows of its own, whose
meaning does not depend on the length of a step: thermal headroom and the ramp times response_min,
battery power and the energy of duration_h, unused import, compute that may pause for duration_h.
One call is planned for: what comes after it is a new plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from planner.components.component import Complaint, Component, Site, Values
from planner.components.reasons import StepPrices
from planner.components.terms import Expression, Line, Meters, Terms, of
from planner.errors import did_you_mean
from planner.field_types import ListedOrNone
from planner.fields import AtLeastZero, Hours
from planner.message import Message
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import NonNegative


class Reserve(Component):
    """A requirement for upward reserve."""

    kind: Literal["reserve"] = "reserve"
    also_called: ClassVar[str] = "spinning spinning_reserve reserves"
    rules: ClassVar[Mapping[str, str]] = {
        "reserve": (
            "asks for up_mw {up_mw} MW + load_share {load_share} x load + renewable_share"
            " {renewable_share} x renewable power (a shortfall needs shortfall_cost_cny_per_mwh)"
        ),
        "largest_unit": (
            "must cover the loss of any one unit or of the import, largest_unit true (a shortfall"
            " needs shortfall_cost_cny_per_mwh)"
        ),
    }
    less_is_better: ClassVar[tuple[str, ...]] = ("shortfall_mwh",)
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {"up_mw": ("up_mw",)}
    affects_exchange: ClassVar[bool] = True
    up_mw: NonNegative = 0.0  # type: ignore[assignment]  # validated into a series
    """Fixed requirement."""
    load_share: AtLeastZero = 0.0
    """Requirement per MW of load served."""
    renewable_share: AtLeastZero = 0.0
    """Requirement per MW of renewable power used."""
    largest_unit: bool = False
    """Whether the loss of any one thermal unit or of the import must be covered as well."""
    shortfall_cost_cny_per_mwh: AtLeastZero | None = None
    """Penalty for a shortfall; without it no shortfall is allowed."""
    providers: ListedOrNone[str] = None  # type: ignore[assignment]
    """Components that may provide it; where not given, all that can."""
    duration_h: Hours = 1.0
    """Time for which it is delivered once it is called."""
    response_min: Annotated[float, Field(gt=0, le=1440)] = 60.0
    """Time within which it is delivered in full."""

    def asks(self, name: str, component: Component) -> bool:
        """Return whether a component may provide it."""
        return component.offers_reserve and (self.providers is None or name in self.providers)

    def check(self, site: Site) -> Iterator[Complaint]:
        able = [name for name, part in site.components.items() if part.offers_reserve]
        for i, name in enumerate(self.providers or ()):
            if name not in site.components:
                if name not in site.mentioned:
                    hint = did_you_mean(name, able)
                    message = Message("there is no component {name!r}{hint}", name=name, hint=hint)
                    yield ("providers", i), message
            elif name not in able:
                hint = Message(" (there is {names})", names=", ".join(map(repr, able)))
                message = Message(
                    "{name!r} cannot provide reserve{hint}", name=name, hint=hint if able else ""
                )
                yield ("providers", i), message

    def impossible(self, site: Site) -> Iterator[Message]:
        required = self.up_mw.any() and self.shortfall_cost_cny_per_mwh is None
        if required and not any(self.asks(*item) for item in site.components.items()):
            yield Message(
                "asks for up to {most:g} MW and no component can provide reserve",
                most=self.up_mw.max(),
            )

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        shortfall = values.get("shortfall_mw", np.zeros(1))
        return {
            "required_mean_mw": float(values["required_mw"].mean()),
            "provided_mean_mw": float(values["provided_mw"].mean()),
            "shortfall_mwh": float(shortfall.sum() * horizon.step_h),
        }

    def couple(self, b: pyo.Block, site: Site, meters: Meters) -> Terms:
        time = site.clock
        up, reserve = time.of(self.up_mw), f"reserve_mw[{site.name}]"
        load, renewable = meters.total("load_mw"), meters.total("renewable_mw")
        provided, by_provider = meters.total(reserve), meters.by_component(reserve)
        b.required_mw = pyo.Expression(
            time.steps,
            rule=lambda _, t: (
                up[t] + self.load_share * load(t) + self.renewable_share * renewable(t)
            ),
        )
        b.provided_mw = pyo.Expression(time.steps, rule=lambda _, t: provided(t))
        costs = {}
        if self.shortfall_cost_cny_per_mwh is not None:
            b.shortfall_mw = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
            price = self.shortfall_cost_cny_per_mwh
            costs[Line("shortfall", cash=False)] = time.cost(price, of(b.shortfall_mw))

        def shortfall(t: int) -> Expression:
            return b.shortfall_mw[t] if costs else 0.0

        b.reserve = pyo.Constraint(
            time.steps, rule=lambda b, t: b.provided_mw[t] + shortfall(t) >= b.required_mw[t]
        )
        if self.largest_unit:
            units = meters.by_component("contingency_mw")

            def largest_unit(b: pyo.Block, unit: str, t: int) -> Expression:
                others = (parts for name, parts in by_provider.items() if name != unit)
                remaining = sum(part(t) for parts in others for part in parts)
                lost = sum(part(t) for part in units[unit])
                return remaining + shortfall(t) >= lost + b.required_mw[t]

            b.largest_unit = pyo.Constraint(list(units), time.steps, rule=largest_unit)
        return Terms(costs=costs)


def reserves_for(site: Site | StepPrices) -> dict[str, Reserve]:
    """Return the requirements that ask a component for reserve; without any it offers none."""
    component = site.components[site.name]
    return {
        name: reserve
        for name, reserve in site.components.items()
        if isinstance(reserve, Reserve) and reserve.asks(site.name, component)
    }
