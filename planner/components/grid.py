"""The connection to the public grid, with two prices.

Variables: import_mw[t], export_mw[o,t], importing[t] (binary only where needed),
peak_mw[m] per month where there is a demand charge, reserve_mw[j,t] per reserve j.

    import_limit     import_mw[t] <= import_limit_mw[t] importing[t]
    export_limit     sum_o export_mw[o,t] <= export_limit_mw[t] (1 - importing[t])
    peak             import_mw[t] <= peak_mw[m]             for t in month m
    spare_import     sum_j reserve_mw[j,t] <= import_limit_mw[t] - import_mw[t] + sum_o export_mw

Export takes renewable and thermal energy, and energy from the grid only with `resale`. The demand
charge of a month is paid on what its peak exceeds max(peak_so_far_mw, expected_peak_mw).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Discriminator, Field, Tag

from planner.components.base import (
    AtLeastZero,
    Balance,
    ByOrigin,
    ByStep,
    Complaint,
    Component,
    Exclusive,
    Expression,
    Line,
    Meter,
    Meters,
    Name,
    NonNegativeSeriesByOrigin,
    Period,
    SeriesByOrigin,
    Site,
    Supply,
    Terms,
    Time,
    Values,
)
from planner.horizon import Horizon, Window
from planner.series import Array, NonNegative, Series

if TYPE_CHECKING:
    import pyomo.environ as pyo

Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]


class Grid(Component):
    """A connection to the public grid."""

    kind: Literal["grid"]
    offers_reserve: ClassVar[bool] = True
    rules: ClassVar[Mapping[str, str]] = {
        "import_limit": "may import at most import_limit_mw {import_limit_mw} MW",
        "import_mw": "may import at most import_limit_mw {import_limit_mw} MW",
        "export_limit": "may export at most export_limit_mw {export_limit_mw} MW",
        "export_mw": "may export at most export_limit_mw {export_limit_mw} MW",
        "spare_import": (
            "offers as reserve only import that is free, of import_limit_mw {import_limit_mw} MW"
        ),
    }
    node: Name = "site"
    """Electrical node."""
    import_limit_mw: NonNegative
    """Most that may be drawn."""
    export_limit_mw: NonNegative
    """Most that may be delivered."""
    import_price_cny_per_mwh: Series
    """Price of energy drawn, all energy components in it."""
    export_price_cny_per_mwh: SeriesByOrigin
    """Price of energy delivered: a series, or one for each origin."""
    resale: bool = False
    """Whether energy from the grid may be delivered back, at once or through storage."""
    self_use_charge_cny_per_mwh: NonNegativeSeriesByOrigin = 0.0  # type: ignore[assignment]
    """Grid fees on own energy that loads and compute at this node draw."""
    demand_charge_cny_per_mw_month: AtLeastZero = 0.0
    """Price of the highest import of a month, per MW and month."""
    peak_so_far_mw: Annotated[
        Annotated[AtLeastZero, Tag("=number")]
        | Annotated[dict[Month, AtLeastZero], Tag("=months")],
        Discriminator(lambda value: "=months" if isinstance(value, dict) else "=number"),
    ] = 0.0
    """Peak already set: a number for the month that the horizon begins in, or one by month such as
    {2026-07: 80}."""
    expected_peak_mw: AtLeastZero = 0.0
    """Peak that will be paid anyway; below it a MW costs nothing."""
    import_emission_tco2_per_mwh: AtLeastZero = 0.0
    """Emission factor of energy drawn; reported, and what a carbon component limits or prices."""
    fixed_cny_per_month: AtLeastZero = 0.0
    """Fixed payments; reported, never optimised."""

    def supplies(self) -> dict[Supply, float]:
        return {("power", self.node): float(self.import_limit_mw.max())}

    def most_mw(self, horizon: Horizon) -> dict[str, Array]:  # noqa: ARG002
        return {self.node: self.import_limit_mw}

    def absorbs(self) -> set[str]:
        return {self.node} if self.export_limit_mw.any() else set()

    def check(self, site: Site) -> Iterator[Complaint]:
        if not site.trace:
            if not self.resale:
                yield ("resale",), "must be true when `trace: false` pools the energy"
            for name in ("export_price_cny_per_mwh", "self_use_charge_cny_per_mwh"):
                if isinstance(getattr(self, name), ByOrigin):
                    yield (name,), "cannot differ by origin when `trace: false` pools the energy"
            charge = self.self_use_charge_cny_per_mwh
            if not isinstance(charge, ByOrigin) and charge.any():
                yield (
                    ("self_use_charge_cny_per_mwh",),
                    "is paid on own energy, which `trace: false` cannot tell from the grid's",
                )
        prices = self.export_price_cny_per_mwh
        if isinstance(prices, ByOrigin) and self.resale and prices.grid is None:
            yield ("export_price_cny_per_mwh", "grid"), "is required when `resale` is true"

    def warn(self, site: Site) -> Iterator[str]:
        if self.demand_charge_cny_per_mw_month and site.horizon.step_min > 15:
            yield (
                "the demand charge is billed on 15 min averages; steps of"
                f" {site.horizon.step_min} min understate the peak"
            )

    def sale_price(self, origin: str) -> Array | None:
        if not self.export_limit_mw.any() or (origin == "grid" and not self.resale):
            return None
        prices = self.export_price_cny_per_mwh
        return prices.of(origin) if isinstance(prices, ByOrigin) else prices

    def _peaks_so_far(self, horizon: Horizon) -> dict[str, float]:
        """Return the peaks already set by month; a number is meant for the month that has begun."""
        so_far = self.peak_so_far_mw
        return dict(so_far) if isinstance(so_far, dict) else {next(iter(horizon.months)): so_far}

    def build(self, b: pyo.Block, site: Site) -> Terms:
        import pyomo.environ as pyo

        time, step_h = site.clock, site.clock.step_h
        sold = [o for o in site.origins if self.resale or o != "grid"]
        bought = site.origin("grid")
        import_limit = time.of(self.import_limit_mw)
        export_limit = time.of(self.export_limit_mw)
        import_price = time.of(self.import_price_cny_per_mwh)
        reserves = site.reserves()

        b.import_mw = pyo.Var(time.steps, bounds=lambda _, t: (0, import_limit[t]))
        b.export_mw = pyo.Var(sold, time.steps, bounds=lambda _, o, t: (0, export_limit[t]))  # noqa: ARG005
        b.importing = pyo.Var(time.steps, bounds=(0, 1))

        def exported(t: int) -> Expression:
            return sum(b.export_mw[o, t] for o in sold)

        b.import_limit = pyo.Constraint(
            time.steps, rule=lambda b, t: b.import_mw[t] <= import_limit[t] * b.importing[t]
        )
        b.export_limit = pyo.Constraint(
            time.steps, rule=lambda _, t: exported(t) <= export_limit[t] * (1 - b.importing[t])
        )
        if reserves:
            b.reserve_mw = pyo.Var(reserves, time.steps, domain=pyo.NonNegativeReals)
            b.spare_import = pyo.Constraint(
                time.steps,
                rule=lambda b, t: (
                    sum(b.reserve_mw[j, t] for j in reserves)
                    <= import_limit[t] - b.import_mw[t] + exported(t)
                ),
            )

        costs: dict[Line, Any] = {
            Line("import"): {t: import_price[t] * step_h * b.import_mw[t] for t in time.steps}
        }
        for o in sold:
            prices = self.export_price_cny_per_mwh
            series = prices.of(o) if isinstance(prices, ByOrigin) else prices
            assert series is not None
            price = time.of(series)
            line = Line("export", use="export", origin=o)
            costs[line] = {t: -price[t] * step_h * b.export_mw[o, t] for t in time.steps}
        if self.demand_charge_cny_per_mw_month:
            costs[Line("demand_charge")] = self._demand_charge(b, time)
        emission = self.import_emission_tco2_per_mwh * step_h
        if emission:
            b.import_emission_tco2 = pyo.Expression(
                time.steps, rule=lambda b, t: emission * b.import_mw[t]
            )

        def flow(o: str) -> ByStep:
            return lambda t: (
                (b.import_mw[t] if o == bought else 0) - (b.export_mw[o, t] if o in sold else 0)
            )

        def delivered(o: str) -> ByStep:
            return lambda t: b.export_mw[o, t]

        def reserve(j: str) -> ByStep:
            return lambda t: b.reserve_mw[j, t]

        return Terms(
            flows={Balance("power", self.node, o): flow(o) for o in site.origins},
            costs=costs,
            reported=self._fixed(time),
            uses={("export", o): delivered(o) for o in sold},
            injected={bought: lambda t: b.import_mw[t]},
            meters={Meter("contingency_mw", self.node): lambda t: b.import_mw[t]}
            | {Meter("import_emission_tco2", self.node): lambda t: emission * b.import_mw[t]}
            | {Meter("exported_mw", self.node, o): delivered(o) for o in sold}
            | {Meter(f"reserve_mw[{j}]"): reserve(j) for j in reserves},
            exclusive=[Exclusive(b.importing, lambda t: b.import_mw[t], exported)],
        )

    def _demand_charge(self, b: pyo.Block, time: Time) -> dict[Period, Expression]:
        import pyomo.environ as pyo

        months = time.months()
        month_of = {t: month for month, steps in months.items() for t in steps}
        so_far = self._peaks_so_far(time.horizon)
        paid = {month: max(so_far.get(month, 0.0), self.expected_peak_mw) for month in months}
        b.peak_mw = pyo.Var(list(months), bounds=lambda _, m: (paid[m], None))
        b.peak = pyo.Constraint(
            time.steps, rule=lambda b, t: b.import_mw[t] <= b.peak_mw[month_of[t]]
        )
        rate = self.demand_charge_cny_per_mw_month
        return {month: rate * (b.peak_mw[month] - paid[month]) for month in months}

    def _fixed(self, time: Time) -> dict[Line, dict[Period, float]]:
        if not self.fixed_cny_per_month:
            return {}
        shares = {
            month: len(steps) * time.step_h / (24 * pd.Period(month, "M").days_in_month)
            for month, steps in time.months().items()
        }
        return {Line("fixed"): {m: self.fixed_cny_per_month * share for m, share in shares.items()}}

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        exported = sum(values[name] for name in values if name.startswith("export_mw["))
        return {
            "import_mwh": float(values["import_mw"].sum() * horizon.step_h),
            "export_mwh": float(np.sum(exported) * horizon.step_h),
            "peak_import_mw": float(values["import_mw"].max()),
            "import_emission_tco2": self.import_emission_tco2_per_mwh
            * float(values["import_mw"].sum() * horizon.step_h),
        }

    def couple(self, b: pyo.Block, site: Site, meters: Meters) -> Terms:  # noqa: ARG002
        charge, time = self.self_use_charge_cny_per_mwh, site.clock
        costs = {}
        for o in site.origins:
            series = charge.of(o) if isinstance(charge, ByOrigin) else charge
            if o == "grid" and not isinstance(charge, ByOrigin):
                continue  # one number is meant for own energy; imports pay their fees in the price
            if series is None or not series.any():
                continue
            rate, drawn = time.of(series), meters.total("drawn_mw", node=self.node, origin=o)
            costs[Line("self_use", origin=o)] = {
                t: rate[t] * time.step_h * drawn(t) for t in time.steps
            }
        return Terms(costs=costs)

    def after(self, values: Values, kept: Window, horizon: Horizon) -> Self:
        peaks = self._peaks_so_far(horizon)
        for month, steps in horizon.months.items():
            inside = [t - kept.first for t in steps if kept.first <= t <= kept.last]
            if inside:
                peak = float(values["import_mw"][inside].max())
                peaks[month] = max(peaks.get(month, 0.0), peak)
        return self.model_copy(update={"peak_so_far_mw": peaks})
