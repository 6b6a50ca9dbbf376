"""Two settlements: what is declared a day ahead at one price, what deviates at another.

With x[t] = import_mw - sum_o export_mw, d[t] = declared_import_mw - declared_export_mw (MW, import
positive) and |d| = declared_import_mw + declared_export_mw, of which one is zero:

Variables: declared_import_mw[t], declared_export_mw[t] and declaring[t] (binary only where needed)
with `exchange_mw: decide`; over_mw[t], under_mw[t] where they cost.
Expressions: declared_import_mw[t], declared_export_mw[t] where the declaration is given.

    declared_import   declared_import_mw[t] <= import_limit_mw[t] declaring[t]
    declared_export   declared_export_mw[t] <= export_limit_mw[t] (1 - declaring[t])
    over_band         over_mw[t] >= x[t] - d[t] - band_share |d|[t]
    under_band        under_mw[t] >= d[t] - x[t] - band_share |d|[t]

The settlement pays declared energy at the day-ahead price (import_price_cny_per_mwh for declared
import, export_price_cny_per_mwh for declared export), x - d at real_time_price_cny_per_mwh, and
what leaves the band at its cost. The ledger keeps physical energy at day-ahead prices in the
lines `import` and `export[o]`, so that the value of a kWh by use stays right, and one line takes
the rest:

    deviation = -Δ [(import_mw - declared_import_mw) (real-time - import price)
                    - (sum_o export_mw - declared_export_mw) (real-time - export price)]

import + export + deviation = day-ahead + real-time settlement, and `over` and `under` come on top.
When the exchange is known for certain, `decide` arbitrages the two prices up to the limits of the
connection; it earns its name with uncertain prices or with a band that costs. Where both prices
agree and no band costs, every declaration earns the same, and which one is chosen is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Discriminator, Tag, model_validator

from planner.components.component import Complaint, Time, Values
from planner.components.grid.exchange_limits import exchange_of
from planner.components.grid.tariff import ByOrigin
from planner.components.late import pyo
from planner.components.terms import ByStep, Exclusive, Line, Terms
from planner.fields import AtLeastZero, Fraction, Frozen
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array, Series


class Declaration(Frozen):
    """What is declared to the day-ahead market, and what leaving it costs."""

    exchange_mw: Annotated[
        Annotated[Series, Tag("=series")] | Annotated[Literal["decide"], Tag("=decide")],
        Discriminator(lambda value: "=decide" if isinstance(value, str) else "=series"),
    ]
    """Declared exchange, import positive: a series, or `decide` to choose it with the plan."""
    band_share: Fraction = 0.0
    """Part of the declared power that the exchange may be off without a penalty."""
    over_cost_cny_per_mwh: AtLeastZero = 0.0
    """Penalty on exchange above the band."""
    under_cost_cny_per_mwh: AtLeastZero = 0.0
    """Penalty on exchange below the band."""

    @model_validator(mode="after")
    def _band_matters(self) -> Declaration:
        if self.band_share and not (self.over_cost_cny_per_mwh or self.under_cost_cny_per_mwh):
            raise ValueError(
                "band_share is only for over_cost_cny_per_mwh and under_cost_cny_per_mwh, which"
                " are 0"
            )
        return self

    @property
    def decides(self) -> bool:
        """Whether the declaration is chosen with the plan."""
        return isinstance(self.exchange_mw, str)


@dataclass(frozen=True)
class Market:
    """What a market says of a connection: MW and CNY/MWh by step of the horizon."""

    import_limit: Array
    export_limit: Array
    import_price: Array
    export_price: Array
    real_time_price: Array


def check_declaration(
    declaration: Declaration | None, real_time: Array | None, sold: Array | ByOrigin
) -> Iterator[Complaint]:
    """Yield what does not fit a declaration, or needs one."""
    path = ("real_time_price_cny_per_mwh",)
    if declaration is None:
        if real_time is not None:
            yield path, "is only for a declaration, which is not given"
        return
    if real_time is None:
        yield path, "is required with a declaration"
    if isinstance(sold, ByOrigin):
        said = "cannot differ by origin with a declaration, which settles the sum"
        yield ("export_price_cny_per_mwh",), said


def settle(
    b: pyo.Block, time: Time, declaration: Declaration, market: Market, exported: ByStep
) -> Terms:
    """Declare what is declared and how far the exchange is off; return what that costs."""
    exclusive = []
    given = declaration.exchange_mw
    if isinstance(given, np.ndarray):
        declared = time.of(given)
        b.declared_import_mw = pyo.Expression(time.steps, rule=lambda _, t: max(declared[t], 0.0))
        b.declared_export_mw = pyo.Expression(time.steps, rule=lambda _, t: max(-declared[t], 0.0))
    else:
        exclusive.append(_decide(b, time, market))
    bought, sold = time.of(market.import_price), time.of(market.export_price)
    real_time = time.of(market.real_time_price)

    def more_import(t: int) -> Any:
        return b.import_mw[t] - b.declared_import_mw[t]

    def more_export(t: int) -> Any:
        return exported(t) - b.declared_export_mw[t]

    def off(t: int) -> Any:
        return more_import(t) - more_export(t)

    def band(t: int) -> Any:
        return declaration.band_share * (b.declared_import_mw[t] + b.declared_export_mw[t])

    costs: dict[Line, Any] = {
        Line("deviation"): {
            t: time.step_h
            * (
                (real_time[t] - bought[t]) * more_import(t)
                - (real_time[t] - sold[t]) * more_export(t)
            )
            for t in time.steps
        }
    }
    if declaration.over_cost_cny_per_mwh:
        b.over_mw = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        b.over_band = pyo.Constraint(time.steps, rule=lambda b, t: b.over_mw[t] >= off(t) - band(t))
        rate = declaration.over_cost_cny_per_mwh * time.step_h
        costs[Line("over")] = {t: rate * b.over_mw[t] for t in time.steps}
    if declaration.under_cost_cny_per_mwh:
        b.under_mw = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        b.under_band = pyo.Constraint(
            time.steps, rule=lambda b, t: b.under_mw[t] >= -off(t) - band(t)
        )
        rate = declaration.under_cost_cny_per_mwh * time.step_h
        costs[Line("under")] = {t: rate * b.under_mw[t] for t in time.steps}
    return Terms(costs=costs, exclusive=exclusive)


def _decide(b: pyo.Block, time: Time, market: Market) -> Exclusive:
    limits = time.of(market.import_limit), time.of(market.export_limit)
    b.declared_import_mw = pyo.Var(time.steps, bounds=lambda _, t: (0, limits[0][t]))
    b.declared_export_mw = pyo.Var(time.steps, bounds=lambda _, t: (0, limits[1][t]))
    b.declaring = pyo.Var(time.steps, bounds=(0, 1))
    b.declared_import = pyo.Constraint(
        time.steps, rule=lambda b, t: b.declared_import_mw[t] <= limits[0][t] * b.declaring[t]
    )
    b.declared_export = pyo.Constraint(
        time.steps,
        rule=lambda b, t: b.declared_export_mw[t] <= limits[1][t] * (1 - b.declaring[t]),
    )
    return Exclusive(
        b.declaring, lambda t: b.declared_import_mw[t], lambda t: b.declared_export_mw[t]
    )


def declared_ahead(declaration: Declaration | None) -> tuple[str, ...]:
    """Return the quantities that a chosen declaration settles before the future is known."""
    if declaration is None or not declaration.decides:
        return ()
    return "declared_import_mw", "declared_export_mw", "declaring"


def settlement_figures(
    declaration: Declaration, market: Market, values: Values, horizon: Horizon
) -> dict[str, float]:
    """Return the settlement statement, revenue positive."""
    into, out = values["declared_import_mw"], values["declared_export_mw"]
    ahead = out * market.export_price - into * market.import_price
    off = exchange_of(values) - (into - out)
    nothing = np.zeros(horizon.steps)
    band = declaration.over_cost_cny_per_mwh * values.get("over_mw", nothing)
    band = band + declaration.under_cost_cny_per_mwh * values.get("under_mw", nothing)
    return {
        "day_ahead_cny": float(ahead.sum() * horizon.step_h),
        "real_time_cny": float(-(off * market.real_time_price).sum() * horizon.step_h),
        "band_cny": float(-band.sum() * horizon.step_h),
    }


def warn_of_declaration(declaration: Declaration | None) -> Iterator[str]:
    """Yield what a careful colleague would ask about."""
    if declaration is not None and declaration.decides:
        yield (
            "declaration.exchange_mw: decide arbitrages both prices where they are certain, up to"
            " the limits of the connection unless leaving the band costs more"
        )
