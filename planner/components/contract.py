"""A contract for difference: energy sold or bought at a fixed price, settled financially.

Expressions: received_cny[t], paid_cny[t], of which one is zero. No variables, no rows:

    difference      received_cny[t] - paid_cny[t] = Δ mw[t] (price_cny_per_mwh[t] - reference[t])

mw is positive where the site has sold and negative where it has bought. The reference is
reference_price_cny_per_mwh, or else the grid's export price where mw > 0 and its import price where
mw < 0. The energy itself is settled by the grid; the difference is a constant of the objective and
does not change the dispatch. It counts as turnover, to which `solver.gap` is relative.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import numpy as np

from planner.components.component import Complaint, Component, Site, Values
from planner.components.grid.grid import Grid
from planner.components.terms import Line, Terms
from planner.errors import did_you_mean
from planner.fields import Name
from planner.message import Message
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array, Series, SeriesOrNone


class Contract(Component):
    """A contract for difference; it is settled beside the grid and does not change the dispatch."""

    kind: Literal["contract"] = "contract"
    also_called: ClassVar[str] = "cfd ppa"
    mw: Series
    """Contracted power: sold positive, bought negative."""
    price_cny_per_mwh: Series
    """Contracted price."""
    grid: Name | None = None
    """Grid whose prices are the reference; needed where there are several."""
    reference_price_cny_per_mwh: SeriesOrNone = None  # type: ignore[assignment]
    """Price that the contract is settled against; else the grid's export price for what is sold,
    its import price for what is bought."""

    def check(self, site: Site) -> Iterator[Complaint]:
        grids = _grids(site.components)
        if self.grid is not None and self.grid not in grids:
            if self.grid in site.components:
                hint = Message(" (there is {names})", names=", ".join(map(repr, grids)))
                message = Message(
                    "{name!r} is no grid{hint}", name=self.grid, hint=hint if grids else ""
                )
                yield ("grid",), message
            elif self.grid not in site.mentioned:
                close = did_you_mean(self.grid, grids)
                message = Message(
                    "there is no component {name!r}{hint}", name=self.grid, hint=close
                )
                yield ("grid",), message
        if self.reference_price_cny_per_mwh is not None:
            return
        if not grids and not site.mentioned:
            yield ("reference_price_cny_per_mwh",), Message("is required where there is no grid")
        if self.grid is None and len(grids) > 1:
            names = ", ".join(sorted(grids))
            yield ("grid",), Message("is required where there are several: {names}", names=names)
        grid = self._grid(site.components)
        if grid is not None and grid.common_export_price() is None and (self.mw > 0).any():
            message = Message("is required, for the export price of the grid differs by origin")
            yield ("reference_price_cny_per_mwh",), message

    def _grid(self, components: Mapping[str, Component]) -> Grid | None:
        grids = _grids(components)
        if self.grid is not None:
            return grids.get(self.grid)
        return next(iter(grids.values())) if len(grids) == 1 else None

    def _reference(self, site: Site) -> Array:
        if self.reference_price_cny_per_mwh is not None:
            return self.reference_price_cny_per_mwh
        grid = self._grid(site.components)
        assert grid is not None
        bought, sold = grid.import_price_cny_per_mwh, grid.common_export_price()
        return bought if sold is None else np.where(self.mw > 0, sold, bought)

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time = site.clock
        gained = time.of(time.step_h * self.mw * (self.price_cny_per_mwh - self._reference(site)))
        b.received_cny = pyo.Expression(time.steps, rule=lambda _, t: max(gained[t], 0.0))
        b.paid_cny = pyo.Expression(time.steps, rule=lambda _, t: max(-gained[t], 0.0))
        return Terms(costs={Line("difference"): lambda t: -gained[t]})

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        return {
            "contract_mwh": float(self.mw.sum() * horizon.step_h),
            "difference_cny": float(values["received_cny"].sum() - values["paid_cny"].sum()),
        }


def _grids(components: Mapping[str, Component]) -> dict[str, Grid]:
    return {name: part for name, part in components.items() if isinstance(part, Grid)}
