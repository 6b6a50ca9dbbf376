"""The fields of a grid connection, and the limits and prices that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from planner.components.completion import FOLLOWS
from planner.components.component import Component, Supply
from planner.components.grid.declaration import Declaration
from planner.components.grid.demand_charge import DemandCharge, PeakSoFar
from planner.components.grid.exchange_limits import EXCHANGE_REMEDIES, GridInitial, Response
from planner.components.grid.tariff import ByOrigin, NonNegativeSeriesByOrigin, SeriesByOrigin
from planner.components.terms import Connection, Source
from planner.field_types import Listed, ListedOrNone
from planner.fields import AtLeastZero, Fraction, Name
from planner.timeseries.forms import HoursOfDay
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array, NonNegative, Series, SeriesOrNone


class GridFields(Component):
    """The fields of a connection to the public grid."""

    kind: Literal["grid"] = "grid"
    follows: ClassVar[Mapping[str, str]] = {"export_price_cny_per_mwh": "export_limit_mw"}
    also_called: ClassVar[str] = "market network connection import export 电网"
    facts: ClassVar[frozenset[str]] = frozenset(
        {"initial", "peak_so_far_mw", "demand_interval_min"}
    )
    remedies: ClassVar[Mapping[str, str]] = EXCHANGE_REMEDIES
    node: Name = "site"
    """Electrical node."""
    import_limit_mw: NonNegative
    """Most that may be imported."""
    export_limit_mw: NonNegative = 0.0  # type: ignore[assignment]  # validated into a series
    """Most that may be exported."""
    import_price_cny_per_mwh: Series
    """Price of imported energy with all charges per MWh."""
    export_price_cny_per_mwh: SeriesByOrigin = FOLLOWS
    """Price of exported energy: a series, or one for each origin; 0 where nothing may be exported,
    else required."""
    resale: bool = False
    """Whether energy from the grid may be exported again, at once or through storage."""
    self_use_charge_cny_per_mwh: NonNegativeSeriesByOrigin = 0.0  # type: ignore[assignment]
    """Grid fees on own energy that loads and compute at this node draw."""
    demand_charge_cny_per_mw_month: AtLeastZero = 0.0
    """Price of the highest average import of a month, per MW and month."""
    demand_interval_min: Literal[5, 10, 15, 20, 30, 60] = 15
    """Interval of the local clock that the demand charge averages import over."""
    demand_hours: ListedOrNone[HoursOfDay] = None  # type: ignore[assignment]
    """Local hours, end exclusive: "8-12". Only intervals that begin in them count for the demand
    charge; without them all count."""
    peak_so_far_mw: PeakSoFar = 0.0
    """Peak already set: a number for the month that the horizon begins in, or one by month of the
    horizon such as {2026-07: 80}."""
    expected_peak_mw: AtLeastZero = 0.0
    """Peak that will be paid anyway; up to it a MW costs nothing."""
    ramp_mw_per_h: AtLeastZero | None = None
    """Most that the exchange (import less export) may change in an hour."""
    max_swing_share: Fraction | None = None
    """Most that the exchange of a local day may fall below its highest, as a share of the highest:
    the peak-valley rate of NDRC/NEA 650 (2025). With it nothing is exported on any day."""
    initial: GridInitial = GridInitial()
    """The exchange before the horizon, for limits and the demand charge."""
    declaration: Declaration | None = None
    """Exchange declared a day ahead; deviations are settled in real time."""
    real_time_price_cny_per_mwh: SeriesOrNone = None  # type: ignore[assignment]
    """Price of deviations from the declaration, in both directions."""
    response: Listed[Response] = ()  # type: ignore[assignment]
    """Events of demand response; they may not overlap."""
    import_emission_tco2_per_mwh: AtLeastZero = 0.0
    """Emission factor of imported energy; reported, and limited or priced by a carbon component."""
    fixed_cny_per_month: AtLeastZero = 0.0
    """Fixed payments; reported, not optimised."""

    def following(self) -> dict[str, Any]:
        no_export = not self.export_limit_mw.any()
        return {"export_price_cny_per_mwh": self.export_limit_mw} if no_export else {}

    def supplies(self) -> dict[Supply, float]:
        return {("power", self.node): float(self.import_limit_mw.max())}

    def max_supply_mw(self, horizon: Horizon) -> dict[str, Array]:
        return {self.node: self.import_limit_mw}

    def max_draw_mw(self, horizon: Horizon) -> dict[str, Array]:
        return {self.node: self.export_limit_mw}

    def absorbs(self) -> set[str]:
        return {self.node} if self.export_limit_mw.any() else set()

    @property
    def demand_charge(self) -> DemandCharge:
        """The demand charge, with its past."""
        return DemandCharge(
            self.demand_charge_cny_per_mw_month, self.demand_interval_min, self.demand_hours,
            self.peak_so_far_mw, self.expected_peak_mw, self.initial.interval_mwh,
        )  # fmt: skip

    def sale_price(self, origin: str) -> Array | None:
        unsold = not self.export_limit_mw.any() or (origin == "grid" and not self.resale)
        return None if unsold else self._export_price(origin)

    def common_export_price(self) -> Array | None:
        """Return the export price where it is one for all origins."""
        prices = self.export_price_cny_per_mwh
        return None if isinstance(prices, ByOrigin) else prices

    def _export_price(self, origin: str) -> Array | None:
        prices = self.export_price_cny_per_mwh
        return prices.of(origin) if isinstance(prices, ByOrigin) else prices

    def source(self) -> Source:
        return Source("import", "grid")

    def connection(self) -> Connection:
        return Connection(
            self.node, self.import_limit_mw, self.export_limit_mw, self.import_price_cny_per_mwh,
            self.common_export_price(), self.real_time_price_cny_per_mwh,
            declares=self.declaration is not None,
        )  # fmt: skip
