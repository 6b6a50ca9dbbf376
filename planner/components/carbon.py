"""Emissions: their price, and a budget for them.

Expressions by step: gross_tco2 (emission of the units), import_tco2 (emission of imported energy),
free_tco2 (output-based allowance). Variable: emitted_tco2 on points where there is a budget.

    emitted_tco2_rises   emitted_tco2[t] = emitted_tco2[t-1] + gross_tco2[t] + import_tco2[t]
    budget               emitted_tco2[T] <= budget_tco2           emitted_tco2[0] = so_far_tco2

The cost is price[t] (gross_tco2[t] - free_tco2[t] [+ import_tco2[t] with price_imports]). The
allowance is proportional to the energy a unit delivers, and unused allowance is sold: a unit that
emits less than its benchmark earns money.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, Self

import numpy as np

from planner.components.component import Complaint, Component, Site, Values
from planner.components.reasons import StepPrices
from planner.components.running_total import running_total
from planner.components.terms import Expression, Line, Meters, Terms
from planner.fields import NOTHING, AtLeastZero, exceeds
from planner.message import Message
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.schedule import later
from planner.timeseries.series import Array, NonNegative


class Carbon(Component):
    """A price for emissions, a budget for them, or both."""

    kind: Literal["carbon"] = "carbon"
    also_called: ClassVar[str] = "co2 emission emissions ets"
    rules: ClassVar[Mapping[str, str]] = {
        "budget": (
            "allows units and imports to emit budget_tco2 {budget_tco2} tCO2, with so_far_tco2"
            " {so_far_tco2} tCO2 before the horizon"
        ),
    }
    less_is_better: ClassVar[tuple[str, ...]] = ("to_be_paid_tco2",)
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {"budget_tco2": ("budget_tco2",)}
    counters: ClassVar[tuple[str, ...]] = ("emitted_tco2",)
    over_horizon: ClassVar[tuple[str, ...]] = ("budget_tco2",)
    end_rows: ClassVar[Mapping[str, str]] = {"budget": "emission budget"}
    facts: ClassVar[frozenset[str]] = frozenset({"so_far_tco2"})
    price_cny_per_tco2: NonNegative = 0.0  # type: ignore[assignment]  # validated into a series
    """Price of emission above the allowance; an allowance left over is sold at it."""
    budget_tco2: AtLeastZero | None = None
    """Most gross emission of units plus import over the period that `so_far_tco2` began."""
    so_far_tco2: AtLeastZero = 0.0
    """Emission of the period before the horizon, for the budget."""
    price_imports: bool = False
    """Whether the emission of imports is paid too."""

    def check(self, site: Site) -> Iterator[Complaint]:
        components = site.components.items()
        carbon = {name: other for name, other in components if isinstance(other, Carbon)}
        priced = sorted(name for name, other in carbon.items() if other.price_cny_per_tco2.any())
        if site.name in priced[1:]:
            message = Message(
                "may be given once, and {name!r} has a price already: emissions would be paid"
                " twice",
                name=priced[0],
            )
            yield ("price_cny_per_tco2",), message

    def impossible(self, site: Site) -> Iterator[Message]:
        if self.budget_tco2 is not None and exceeds(self.so_far_tco2, self.budget_tco2, NOTHING):
            yield Message(
                "has a budget_tco2 of {budget_tco2:g} and so_far_tco2 is {so_far_tco2:g} already",
                budget_tco2=self.budget_tco2,
                so_far_tco2=self.so_far_tco2,
            )

    def couple(self, b: pyo.Block, site: Site, meters: Meters) -> Terms:
        time = site.clock
        gross = meters.total("emission_tco2")
        imported = meters.total("import_emission_tco2")
        allowance = meters.total("allowance_tco2")
        b.gross_tco2 = pyo.Expression(time.steps, rule=lambda _, t: gross(t))
        b.import_tco2 = pyo.Expression(time.steps, rule=lambda _, t: imported(t))
        b.free_tco2 = pyo.Expression(time.steps, rule=lambda _, t: allowance(t))
        if self.budget_tco2 is not None:
            emitted = running_total(
                b, time, "emitted_tco2", self.so_far_tco2, lambda t: gross(t) + imported(t)
            )
            b.budget = pyo.Constraint(expr=emitted[time.last] <= self.budget_tco2)

        def charged(t: int) -> Expression:
            return gross(t) - allowance(t) + (imported(t) if self.price_imports else 0.0)

        costs = {}
        if self.price_cny_per_tco2.any():
            price = time.of(self.price_cny_per_tco2)
            costs[Line("carbon")] = lambda t: price[t] * charged(t)
        return Terms(costs=costs)

    def tonne_price(self, prices: StepPrices, *, imported: bool) -> tuple[Array, Array]:
        paid = self.price_imports or not imported
        return paid * self.price_cny_per_tco2, -np.nan_to_num(prices.row("emitted_tco2_rises"))

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        gross, imported, allowance = (
            float(np.sum(values[f"{name}_tco2"])) for name in ("gross", "import", "free")
        )
        figures = {
            "emission_tco2": gross,
            "import_emission_tco2": imported,
            "allowance_tco2": allowance,
            "to_be_paid_tco2": gross - allowance + (imported if self.price_imports else 0.0),
        }
        if self.budget_tco2 is not None:
            figures["budget_left_tco2"] = self.budget_tco2 - self.so_far_tco2 - gross - imported
        return figures

    def after(self, values: Values, executed: Window, horizon: Horizon) -> Self:
        emitted = float(np.sum(values["gross_tco2"] + values["import_tco2"]))
        return self.revised({"so_far_tco2": self.so_far_tco2 + max(emitted, 0.0)})

    def with_lookahead(
        self, values: Values, window: Window, horizon: Horizon, *, firm: bool
    ) -> Self:
        if self.budget_tco2 is None or not values or not firm:
            return self
        after = later(values, window)
        emitted = float(np.sum(after["gross_tco2"] + after["import_tco2"]))
        return self.revised({"budget_tco2": max(self.budget_tco2 - max(emitted, 0.0), 0.0)})
