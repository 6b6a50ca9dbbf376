"""The connection to the public grid, with two prices.

Variables: import_mw[t], export_mw[o,t], reserve_mw[j,t], importing[t] (binary only where needed).

    import_limit     import_mw[t] <= import_limit_mw[t] importing[t]
    export_limit     sum_o export_mw[o,t] <= export_limit_mw[t] (1 - importing[t])
    spare_import     sum_j reserve_mw[j,t] <= import_limit_mw[t] - import_mw[t] + sum_o export_mw

Renewable and thermal energy may be exported, energy from the grid only with `resale`.
`demand_charge` and `tariff` have the other charges, `exchange_limits` the limits of the exchange
and demand response, `declaration` the two settlements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import ClassVar, Self

from planner.components.component import Complaint, Site, Values, summed
from planner.components.grid.declaration import (
    check_declaration,
    settle,
    settlement_figures,
    warn_of_declaration,
)
from planner.components.grid.exchange_limits import (
    BOTH,
    EXCHANGE_RULES,
    check_events,
    check_past,
    limit_ramp,
    limit_swing,
    past_after,
    respond,
    warn_of_events,
    warn_of_swing,
)
from planner.components.grid.fields import GridFields
from planner.components.grid.tariff import (
    ByOrigin,
    charge_figures,
    charges,
    check_charges,
    fixed_payments,
    self_use,
)
from planner.components.reserve import reserves_for
from planner.components.terms import (
    EXCHANGE,
    Amounts,
    Balance,
    ByStep,
    Exclusive,
    Expression,
    Line,
    Meter,
    Meters,
    Moves,
    State,
    Terms,
    Use,
    of,
    sum_of,
)
from planner.components.time import Time
from planner.message import Message
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array


class Grid(GridFields):
    """A connection to the public grid."""

    remembers: ClassVar[tuple[str, ...]] = (
        "ramp_mw_per_h", "max_swing_share", "demand_interval_min", "demand_hours",
    )  # fmt: skip
    offers_reserve: ClassVar[bool] = True
    rules: ClassVar[Mapping[str, str]] = {
        "import_limit": "may import at most import_limit_mw {import_limit_mw} MW",
        "import_mw": "may import at most import_limit_mw {import_limit_mw} MW",
        "export_limit": "may export at most export_limit_mw {export_limit_mw} MW",
        "export_mw": "may export at most export_limit_mw {export_limit_mw} MW",
        "spare_import": (
            "offers as reserve only import that is free, of import_limit_mw {import_limit_mw} MW"
        ),
        **EXCHANGE_RULES,
    }
    less_is_better: ClassVar[tuple[str, ...]] = ("import_mwh", "peak_import_mw", "billed_peak_mw")
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {
        name: (name,) for name in ("import_limit_mw", "export_limit_mw", "expected_peak_mw")
    }
    over_horizon: ClassVar[tuple[str, ...]] = ("demand_charge_cny_per_mw_month",)
    uses: ClassVar[Mapping[str, Use]] = {"export": Use(order=1)}
    earns: ClassVar[Mapping[str, str]] = {"export": "export"}
    states: ClassVar[tuple[State, ...]] = (
        State("importing", "importing", "exporting", ("import_mw",), ("export_mw",), order=3),
    )

    def check(self, site: Site) -> Iterator[Complaint]:
        prices, charge = self.export_price_cny_per_mwh, self.self_use_charge_cny_per_mwh
        if not site.trace:
            if not self.resale:
                yield ("resale",), Message("must be true when `trace: false` pools the energy")
            yield from check_charges(charge, prices)
        if isinstance(prices, ByOrigin) and self.resale and prices.grid is None:
            yield ("export_price_cny_per_mwh", "grid"), Message("is required when `resale` is true")
        grids = {name: other for name, other in site.components.items() if isinstance(other, Grid)}
        beside = {name: other for name, other in grids.items() if other.node == self.node}
        charging = sorted(name for name, other in beside.items() if other._charges(site))
        if site.name in charging[1:]:
            message = Message(
                "is charged by {name!r} already, on the same energy of node {other!r}",
                name=charging[0],
                other=self.node,
            )
            yield ("self_use_charge_cny_per_mwh",), message
        yield from check_declaration(self.declaration, self.real_time_price_cny_per_mwh, prices)
        yield from check_past(self.ramp_mw_per_h, self.max_swing_share, self.initial, site)
        yield from check_events(self.response, site.horizon)
        yield from self.demand_charge.check(site.horizon)

    def _charges(self, site: Site) -> dict[str, Array]:
        return charges(self.self_use_charge_cny_per_mwh, site.origins)

    def warn(self, site: Site) -> Iterator[Message]:
        yield from self.demand_charge.warn(site.horizon)
        yield from warn_of_swing(self.max_swing_share, self.export_limit_mw)
        yield from warn_of_declaration(self.declaration)
        yield from warn_of_events(self.response, self.import_limit_mw)

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time, sold = site.clock, [o for o in site.origins if self.resale or o != "grid"]
        reserves, exported = list(reserves_for(site)), self._exchange(b, time, sold)
        if reserves:
            b.reserve_mw = pyo.Var(reserves, time.steps, domain=pyo.NonNegativeReals)
            offered, limit = sum_of(b.reserve_mw, reserves), time.of(self.import_limit_mw)
            b.spare_import = pyo.Constraint(
                time.steps,
                rule=lambda b, t: offered(t) <= limit[t] - b.import_mw[t] + exported(t),
            )
        costs = self._costs(b, time, sold) | self.demand_charge.declare(b, time)
        exchange = lambda t: b.import_mw[t] - exported(t)  # noqa: E731
        limit_ramp(b, time, self.ramp_mw_per_h, exchange, self.initial.exchange_mw)
        limit_swing(b, time, self.max_swing_share, exchange, self.initial)
        exclusive = [Exclusive(b.importing, of(b.import_mw), exported, BOTH)]
        if self.declaration is not None:
            settlement = settle(b, time, self.declaration, self.connection(), exported)
            costs |= settlement.costs
            exclusive += settlement.exclusive
        costs |= respond(b, time, self.response, time.of(self.import_limit_mw))
        bought = site.origin("grid")
        if emission := self.import_emission_tco2_per_mwh * time.step_h:
            b.import_emission_tco2 = pyo.Expression(
                time.steps, rule=lambda b, t: emission * b.import_mw[t]
            )

        def flow(o: str, t: int) -> Expression:
            imported = b.import_mw[t] if o == bought else 0
            return imported - (b.export_mw[o, t] if o in sold else 0)

        return Terms(
            flows={Balance("power", self.node, o): partial(flow, o) for o in site.origins},
            costs=costs,
            reported=fixed_payments(self.fixed_cny_per_month, time.months(), time.horizon),
            uses={("export", o): of(b.export_mw, o) for o in sold},
            injected={bought: of(b.import_mw)},
            meters={Meter("contingency_mw", self.node): of(b.import_mw)}
            | {Meter("import_emission_tco2", self.node): lambda t: emission * b.import_mw[t]}
            | {Meter("exported_mw", self.node, o): of(b.export_mw, o) for o in sold}
            | {Meter(f"reserve_mw[{j}]"): of(b.reserve_mw, j) for j in reserves},
            exclusive=exclusive,
            moves=[Moves(EXCHANGE, exchange, self.initial.exchange_mw)],
        )

    def _exchange(self, b: pyo.Block, time: Time, sold: Sequence[str]) -> ByStep:
        """Declare import and export; return the sum of the export."""
        import_limit, export_limit = time.of(self.import_limit_mw), time.of(self.export_limit_mw)
        b.import_mw = pyo.Var(time.steps, bounds=lambda _, t: (0, import_limit[t]))
        b.export_mw = pyo.Var(sold, time.steps, bounds=lambda _, o, t: (0, export_limit[t]))  # noqa: ARG005
        b.importing, exported = pyo.Var(time.steps, bounds=(0, 1)), sum_of(b.export_mw, sold)
        b.import_limit = pyo.Constraint(
            time.steps, rule=lambda b, t: b.import_mw[t] <= import_limit[t] * b.importing[t]
        )
        b.export_limit = pyo.Constraint(
            time.steps, rule=lambda _, t: exported(t) <= export_limit[t] * (1 - b.importing[t])
        )
        return exported

    def _costs(self, b: pyo.Block, time: Time, sold: Sequence[str]) -> dict[Line, Amounts]:
        spent = time.cost(self.import_price_cny_per_mwh, of(b.import_mw))
        costs: dict[Line, Amounts] = {Line("import"): spent}
        for o in sold:
            price = self._export_price(o)
            assert price is not None
            costs[Line("export", use="export", origin=o)] = time.cost(-price, of(b.export_mw, o))
        return costs

    def here_and_now(self, *, awake: bool = False) -> tuple[str, ...]:
        declared = "declared_import_mw", "declared_export_mw", "declaring"
        return declared if self._decides else ()

    @property
    def _decides(self) -> bool:
        """Whether the declaration is chosen with the plan."""
        return self.declaration is not None and self.declaration.decides

    def totals(self) -> dict[str, dict[str, float]]:
        return {"exchange_mw": {"import_mw": 1.0, "export_mw": -1.0}}

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        imported = values["import_mw"]
        import_mwh = float(imported.sum() * horizon.step_h)
        figures = {
            "import_mwh": import_mwh,
            "export_mwh": float(summed("export_mw", values).sum()) * horizon.step_h,
            "peak_import_mw": float(imported.max()),
            "import_emission_tco2": self.import_emission_tco2_per_mwh * import_mwh,
        }
        figures |= self.demand_charge.figures(imported, horizon)
        charge = self.self_use_charge_cny_per_mwh
        figures |= charge_figures(charge, self.fixed_cny_per_month, values, horizon)
        if self.declaration is not None:
            figures |= settlement_figures(self.declaration, self.connection(), values, horizon)
        if self.response:
            figures["responded_mwh"] = float(summed("responded_mw", values).sum()) * horizon.step_h
        return figures

    def couple(self, b: pyo.Block, site: Site, meters: Meters) -> Terms:
        return Terms(costs=self_use(b, site.clock, self.node, self._charges(site), meters))

    def after(self, values: Values, executed: Window, horizon: Horizon) -> Self:
        peaks, begun_mwh = self.demand_charge.after(values["import_mw"], executed, horizon)
        limits = self.ramp_mw_per_h, self.max_swing_share
        initial = past_after(*limits, self.initial, values, executed, horizon)
        initial = initial.revised({"interval_mwh": begun_mwh})
        return self.revised({"peak_so_far_mw": peaks, "initial": initial})

    def remaining(self, values: Values, executed: Window, horizon: Horizon) -> Self:
        declared = {"declaration": self.declaration and self.declaration.given(values)}
        return super().remaining(values, executed, horizon).revised(declared)

    def with_lookahead(
        self, values: Values, window: Window, horizon: Horizon, *, firm: bool
    ) -> Self:
        charge, imported = self.demand_charge, values.get("import_mw")
        peaks = imported is not None and charge.peaks_ahead(imported, window, horizon)
        return self.revised({"peak_so_far_mw": peaks}) if peaks else self
