"""Two settlements: declared energy at the day-ahead price, deviations at the real-time price.

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
what leaves the band at its cost. The ledger values physical energy at day-ahead prices in the lines
`import` and `export[o]`, so that the value of a kWh by use stays right; the remainder is one line:

    deviation = -Δ [(import_mw - declared_import_mw) (real-time - import price)
                    - (sum_o export_mw - declared_export_mw) (real-time - export price)]

import + export + deviation = day-ahead + real-time settlement; `over` and `under` are added to it.
If prices are certain, `decide` arbitrages between them up to the limits of the connection; it is
meant for uncertain prices or a band with a cost. Where both prices agree and the band costs
nothing, every declaration earns the same and the choice is arbitrary.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Discriminator, Tag, model_validator

from planner.components.component import Complaint, Values
from planner.components.grid.exchange_limits import exchange_of
from planner.components.grid.tariff import ByOrigin
from planner.components.terms import (
    Amounts,
    ByStep,
    Connection,
    Exclusive,
    Expression,
    Line,
    Terms,
    of,
)
from planner.components.time import Time
from planner.field_types import Given
from planner.fields import AtLeastZero, FieldError, Fraction, Frozen
from planner.message import Message, template
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array, Series

BOTH = template("declares {first} MW of import and {second} MW of export at once")


if TYPE_CHECKING:
    from planner.timeseries.series import SeriesLike

    Exchange = Given[Array | Literal["decide"], SeriesLike | Literal["decide"]]
else:
    Exchange = Annotated[
        Annotated[Series, Tag("=series")] | Annotated[Literal["decide"], Tag("=decide")],
        Discriminator(lambda value: "=decide" if isinstance(value, str) else "=series"),
    ]


class Declaration(Frozen):
    """The exchange declared to the day-ahead market, and the cost of deviations."""

    exchange_mw: Exchange
    """Declared exchange, import positive: a series, or `decide` to choose it with the plan."""
    band_share: Fraction = 0.0
    """Deviation without a penalty, as a share of the declared power."""
    over_cost_cny_per_mwh: AtLeastZero = 0.0
    """Penalty on exchange above the band."""
    under_cost_cny_per_mwh: AtLeastZero = 0.0
    """Penalty on exchange below the band."""

    @model_validator(mode="after")
    def _band_matters(self) -> Declaration:
        if self.band_share and not (self.over_cost_cny_per_mwh or self.under_cost_cny_per_mwh):
            message = Message(
                "is only for over_cost_cny_per_mwh and under_cost_cny_per_mwh, which are 0"
            )
            raise FieldError(message, "band_share")
        return self

    @property
    def decides(self) -> bool:
        """Whether the declaration is chosen with the plan."""
        return isinstance(self.exchange_mw, str)

    def given(self, values: Values) -> Declaration:
        """Return the declaration with the exchange that a plan declares, by its columns."""
        if not self.decides:
            return self
        exchange = values["declared_import_mw"] - values["declared_export_mw"]
        return self.revised({"exchange_mw": exchange})

    def sides(self) -> list[tuple[str, int, float]]:
        """Return the sides of the band with a cost: name, sign of the deviation, CNY/MWh."""
        over, under = self.over_cost_cny_per_mwh, self.under_cost_cny_per_mwh
        return [side for side in (("over", 1, over), ("under", -1, under)) if side[2]]


def check_declaration(
    declaration: Declaration | None, real_time: Array | None, sold: Array | ByOrigin
) -> Iterator[Complaint]:
    """Yield what does not fit a declaration, or needs one."""
    path = ("real_time_price_cny_per_mwh",)
    if declaration is None:
        if real_time is not None:
            yield path, Message("is only for a declaration, which is not given")
        return
    if real_time is None:
        yield path, Message("is required with a declaration")
    if isinstance(sold, ByOrigin):
        message = Message("cannot differ by origin with a declaration, which settles the sum")
        yield ("export_price_cny_per_mwh",), message


def warn_of_declaration(declaration: Declaration | None) -> Iterator[Message]:
    """Warn of a declaration that is chosen with the plan."""
    if declaration is not None and declaration.decides:
        yield Message(
            "declaration.exchange_mw: decide arbitrages both prices where they are certain, up"
            " to the limits of the connection unless leaving the band costs more"
        )


def _prices(connection: Connection) -> tuple[Array, Array, Array]:
    """Return the import, export and real-time price of a connection that declares."""
    sold, real_time = connection.export_price_cny_per_mwh, connection.real_time_price_cny_per_mwh
    assert sold is not None
    assert real_time is not None
    return connection.import_price_cny_per_mwh, sold, real_time


def settle(
    b: pyo.Block, time: Time, declaration: Declaration, connection: Connection, exported: ByStep
) -> Terms:
    """Declare the declared exchange and the deviations from it; return their cost."""
    exclusive = []
    if isinstance(declaration.exchange_mw, np.ndarray):
        declared = time.of(declaration.exchange_mw)
        b.declared_import_mw = pyo.Expression(time.steps, rule=lambda _, t: max(declared[t], 0.0))
        b.declared_export_mw = pyo.Expression(time.steps, rule=lambda _, t: max(-declared[t], 0.0))
    else:
        exclusive.append(_decide(b, time, connection))
    bought, sold, real_time = map(time.of, _prices(connection))

    def more_import(t: int) -> Expression:
        return b.import_mw[t] - b.declared_import_mw[t]

    def more_export(t: int) -> Expression:
        return exported(t) - b.declared_export_mw[t]

    def deviation(t: int) -> Expression:
        return more_import(t) - more_export(t)

    def band(t: int) -> Expression:
        return declaration.band_share * (b.declared_import_mw[t] + b.declared_export_mw[t])

    def deviation_cost(t: int) -> Expression:
        of_import = (real_time[t] - bought[t]) * more_import(t)
        return time.step_h * (of_import - (real_time[t] - sold[t]) * more_export(t))

    costs: dict[Line, Amounts] = {Line("deviation"): deviation_cost}
    for side, sign, cost in declaration.sides():
        beyond = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        b.add_component(f"{side}_mw", beyond)

        def outside(_: Any, t: int, sign: int = sign, beyond: Any = beyond) -> Any:
            return beyond[t] >= sign * deviation(t) - band(t)

        b.add_component(f"{side}_band", pyo.Constraint(time.steps, rule=outside))
        costs[Line(side)] = time.cost(cost, of(beyond))
    return Terms(costs=costs, exclusive=exclusive)


def _decide(b: pyo.Block, time: Time, connection: Connection) -> Exclusive:
    import_limit = time.of(connection.import_limit_mw)
    export_limit = time.of(connection.export_limit_mw)
    b.declared_import_mw = pyo.Var(time.steps, bounds=lambda _, t: (0, import_limit[t]))
    b.declared_export_mw = pyo.Var(time.steps, bounds=lambda _, t: (0, export_limit[t]))
    b.declaring = pyo.Var(time.steps, bounds=(0, 1))
    b.declared_import = pyo.Constraint(
        time.steps, rule=lambda b, t: b.declared_import_mw[t] <= import_limit[t] * b.declaring[t]
    )
    b.declared_export = pyo.Constraint(
        time.steps,
        rule=lambda b, t: b.declared_export_mw[t] <= export_limit[t] * (1 - b.declaring[t]),
    )
    return Exclusive(b.declaring, of(b.declared_import_mw), of(b.declared_export_mw), BOTH)


def settlement_figures(
    declaration: Declaration, connection: Connection, values: Values, horizon: Horizon
) -> dict[str, float]:
    """Return the day-ahead and real-time revenue and the cost of the band, revenue positive."""
    import_price, export_price, real_time_price = _prices(connection)
    bought, sold = values["declared_import_mw"], values["declared_export_mw"]
    day_ahead = sold * export_price - bought * import_price
    deviation = exchange_of(values) - (bought - sold)
    sides = declaration.sides()
    band = sum((cost * values[f"{side}_mw"] for side, _, cost in sides), np.zeros(horizon.steps))
    return {
        "day_ahead_cny": float(day_ahead.sum() * horizon.step_h),
        "real_time_cny": float(-(deviation * real_time_price).sum() * horizon.step_h),
        "band_cny": float(-band.sum() * horizon.step_h),
    }
