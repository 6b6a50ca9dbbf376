"""Reserve: power that can be there at once when something fails.

Variables: shortfall_mw[t] where a shortfall has a price.
Expressions: required_mw[t], provided_mw[t].

    reserve         sum_i r_i[t] + shortfall_mw[t] >= required_mw[t]
                    required_mw = up_mw + load_share Σ load + renewable_share Σ renewable power
    largest_unit    for each unit or import j:
                    sum_{i≠j} r_i[t] + shortfall_mw[t] >= power_j[t] + required_mw[t]

The providers' own limits on r_i stand with them: thermal headroom, battery power and energy, unused
import, compute that may pause.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from planner.components.component import Complaint, Component, Site, Values
from planner.components.late import pyo
from planner.components.terms import Amounts, ByStep, Expression, Line, Meters, Terms
from planner.fields import AtLeastZero
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import NonNegative


class Reserve(Component):
    """A requirement for upward reserve."""

    kind: Literal["reserve"]
    rules: ClassVar[Mapping[str, str]] = {
        "reserve": (
            "asks for up_mw {up_mw} MW + load_share {load_share} + renewable_share"
            " {renewable_share} (shortfall_cost_cny_per_mwh {shortfall_cost_cny_per_mwh})"
        ),
        "largest_unit": (
            "must cover the loss of any one unit or of the import, largest_unit {largest_unit}"
            " (shortfall_cost_cny_per_mwh {shortfall_cost_cny_per_mwh})"
        ),
    }
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {"up_mw": ("up_mw",)}
    affects_exchange: ClassVar[bool] = True
    up_mw: NonNegative = 0.0  # type: ignore[assignment]  # validated into a series
    """Fixed requirement."""
    load_share: AtLeastZero = 0.0
    """Requirement per MW of load components served."""
    renewable_share: AtLeastZero = 0.0
    """Requirement per MW of renewable power used."""
    largest_unit: bool = False
    """Whether the loss of any one thermal unit or of the import must be covered as well."""
    shortfall_cost_cny_per_mwh: AtLeastZero | None = None
    """Penalty for reserve that is missing; without it none may be."""
    providers: Annotated[tuple[str, ...] | None, Field(strict=False, min_length=1)] = None
    """Components that may provide it; all that are able where not given."""

    def asks_reserve_of(self, components: Mapping[str, Component]) -> Collection[str]:
        able = [name for name, component in components.items() if component.offers_reserve]
        return able if self.providers is None else [n for n in able if n in self.providers]

    def check(self, site: Site) -> Iterator[Complaint]:
        for i, name in enumerate(self.providers or ()):
            if name not in site.components:
                if name not in site.mentioned:
                    yield ("providers", i), f"there is no component {name!r}"
            elif not site.components[name].offers_reserve:
                yield ("providers", i), f"{name!r} cannot provide reserve"

    def impossible(self, site: Site) -> Iterator[str]:
        asked = self.up_mw.any() and self.shortfall_cost_cny_per_mwh is None
        if asked and not self.asks_reserve_of(site.components):
            yield f"asks for up to {self.up_mw.max():g} MW and no component can provide reserve"

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        short = values.get("shortfall_mw")
        missing = 0.0 if short is None else float(short.sum() * horizon.step_h)
        return {
            "required_mean_mw": float(values["required_mw"].mean()),
            "provided_mean_mw": float(values["provided_mw"].mean()),
            "shortfall_mwh": missing,
        }

    def couple(self, b: pyo.Block, site: Site, meters: Meters) -> Terms:
        time = site.clock
        up = time.of(self.up_mw)
        load, renewable = meters.total("load_mw"), meters.total("renewable_mw")
        offered = meters.by_component(f"reserve_mw[{site.name}]")
        b.required_mw = pyo.Expression(
            time.steps,
            rule=lambda _, t: (
                up[t] + self.load_share * load(t) + self.renewable_share * renewable(t)
            ),
        )
        b.provided_mw = pyo.Expression(time.steps, rule=lambda _, t: _sum(offered, t, without=None))
        costs: dict[Line, Amounts] = {}
        if self.shortfall_cost_cny_per_mwh is not None:
            b.shortfall_mw = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
            rate = self.shortfall_cost_cny_per_mwh * time.step_h
            costs[Line("shortfall", cash=False)] = {t: rate * b.shortfall_mw[t] for t in time.steps}

        def short(t: int) -> Expression:
            return b.shortfall_mw[t] if costs else 0.0

        b.reserve = pyo.Constraint(
            time.steps, rule=lambda b, t: b.provided_mw[t] + short(t) >= b.required_mw[t]
        )
        if self.largest_unit:
            lost = meters.by_component("contingency_mw")
            b.largest_unit = pyo.Constraint(
                list(lost),
                time.steps,
                rule=lambda b, j, t: (
                    _sum(offered, t, without=j) + short(t)
                    >= _sum({j: lost[j]}, t, without=None) + b.required_mw[t]
                ),
            )
        return Terms(costs=costs)


def _sum(parts: Mapping[str, list[ByStep]], t: int, *, without: str | None) -> Expression:
    return sum(by_step(t) for name, steps in parts.items() if name != without for by_step in steps)
