"""A rule on renewable energy over a period: own use, renewable part of the load, or export.

Expressions by step: available_mw, taken_mw (available and not curtailed), exported_mw (of renewable
origin), load_mw (drawn by loads and compute), load_renewable_mw (its renewable part).
Variables: the running totals taken_mwh, exported_mwh, load_mwh and load_renewable_mwh on points,
those that the given shares need; short_mwh[rule] where there is a penalty.

    X_mwh_rises   X_mwh[t] = X_mwh[t-1] + Δ X_mw[t]     X_mwh[0] from so_far; X: taken, exported,
                  load, load_renewable

With X^ = so_far + ahead + Δ sum_t X[t], where taken^ = used^ + exported^:

    self_use      taken^ - exported^ + short_mwh >= min_self_use_share available^
    load_share    load_renewable^ + short_mwh >= min_load_share load^
    export        exported^ <= max_export_share available^ + short_mwh

The official formula: own use = available - exported - curtailed, so storage losses count as own use
(NDRC/NEA 650, 2025); in an hour in which stored energy is exported it is negative. `load_share` is
the stricter definition, renewable energy drawn; own use over load is reported beside it. Energy
keeps its origin in storage. Certificates are never counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from planner.components.component import Complaint, Component, Site, Values
from planner.components.running_total import running_total
from planner.components.terms import (
    Amounts,
    ByStep,
    Expression,
    Line,
    Meters,
    Target,
    Terms,
    stored_at_start,
)
from planner.components.time import Time
from planner.fields import (
    LEAST_MWH,
    NOTHING,
    AtLeastZero,
    FieldError,
    Fraction,
    Frozen,
    exceeds,
    measurable,
    too_large,
    value_text,
)
from planner.message import Message
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.schedule import later

FIELDS = {
    "self_use": "min_self_use_share", "load_share": "min_load_share", "export": "max_export_share"
}  # fmt: skip
LINES = {"self_use": "self_use_short", "load_share": "load_share_short", "export": "export_excess"}
TOTALS = {
    "self_use": ("taken", "exported"),
    "load_share": ("load", "load_renewable"),
    "export": ("exported",),
}
COUNTED = ("taken", "exported", "load", "load_renewable")
FLOWS = ("available", *COUNTED)
MONTH_H = 28 * 24
STEERING_CNY_PER_MWH = 1e4  # penalty where a rule cannot be kept: more than energy costs


class GreenEnergy(Frozen):
    """Renewable energy and load of a part of the period outside the horizon."""

    available_mwh: AtLeastZero = 0.0
    """Renewable energy that was or will be available."""
    used_mwh: float = 0.0
    """Own use: what is available, less what is exported and curtailed. Negative where more was
    exported from storage than used."""
    exported_mwh: AtLeastZero = 0.0
    """Renewable energy exported."""
    load_mwh: AtLeastZero = 0.0
    """Energy drawn by loads and compute."""
    load_renewable_mwh: AtLeastZero = 0.0
    """Renewable part of load_mwh."""

    @model_validator(mode="after")
    def _consistent(self) -> GreenEnergy:
        taken, available = self.taken_mwh, self.available_mwh
        if exceeds(taken, available, NOTHING) or exceeds(-taken, 0.0, NOTHING * (1 + available)):
            message = Message(
                "plus exported_mwh must lie between 0 and available_mwh {most:g}, is {value:g}",
                most=self.available_mwh,
                value=self.taken_mwh,
            )
            raise FieldError(message, "used_mwh")
        if exceeds(self.load_renewable_mwh, self.load_mwh, NOTHING):
            renewable = self.load_renewable_mwh
            raise too_large("load_renewable_mwh", renewable, "load_mwh", self.load_mwh)
        return self

    @property
    def taken_mwh(self) -> float:
        """What was available and not curtailed, MWh."""
        return self.used_mwh + self.exported_mwh

    def plus(self, other: GreenEnergy) -> GreenEnergy:
        """Return the sums of both."""
        fields = type(self).model_fields
        return self.revised({name: getattr(self, name) + getattr(other, name) for name in fields})


def shortfall(rule: str, share: float, energy: Mapping[str, Expression]) -> Expression:
    """Return by how many MWh a rule is missed, negative where it is kept.

    `energy`: the fields of `GreenEnergy` over the whole period, figures or expressions.
    """
    if rule == "self_use":
        return share * energy["available_mwh"] - energy["used_mwh"]
    if rule == "load_share":
        return share * energy["load_mwh"] - energy["load_renewable_mwh"]
    return energy["exported_mwh"] - share * energy["available_mwh"]


class GreenRule(Component):
    """A rule on renewable energy over a period that the horizon is a part of."""

    kind: Literal["green_rule"] = "green_rule"
    also_called: ClassVar[str] = "green rule green_share"
    rules: ClassVar[Mapping[str, str]] = {
        "self_use": (
            "asks for min_self_use_share {min_self_use_share} of available renewable energy to be"
            " used on site"
        ),
        "load_share": (
            "asks for min_load_share {min_load_share} of what loads and compute draw to be"
            " renewable"
        ),
        "export": (
            "allows max_export_share {max_export_share} of available renewable energy to be"
            " exported"
        ),
    }
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {
        f"so_far_{name}": (f"so_far.{name}",)
        for name in ("used_mwh", "load_renewable_mwh", "exported_mwh")
    }
    counters: ClassVar[tuple[str, ...]] = tuple(f"{name}_mwh" for name in COUNTED)
    over_horizon: ClassVar[tuple[str, ...]] = tuple(FIELDS.values())
    end_rows: ClassVar[Mapping[str, str]] = {
        "self_use": "self use share", "load_share": "load share",
        "export": "export share",
    }  # fmt: skip
    facts: ClassVar[frozenset[str]] = frozenset({"so_far", "ahead"})
    affects_exchange: ClassVar[bool] = True
    min_self_use_share: Fraction | None = None
    """Least own use of the renewable energy available."""
    min_load_share: Fraction | None = None
    """Least renewable part of what loads and compute draw."""
    max_export_share: Fraction | None = None
    """Most export of renewable origin, of the renewable energy available."""
    so_far: GreenEnergy = GreenEnergy()
    """The period before the horizon."""
    ahead: GreenEnergy = GreenEnergy()
    """What is expected in the period after the horizon."""
    penalty_cny_per_mwh: AtLeastZero | None = None
    """Penalty for every MWh that a share is missed by; without it none may be missed."""

    @model_validator(mode="after")
    def _has_a_share(self) -> GreenRule:
        if not self._shares():
            names = ", ".join(FIELDS.values())
            raise FieldError(Message("needs one or more of {names}", names=names))
        return self

    def _shares(self) -> dict[str, float]:
        """Return the rules that are given, with their shares."""
        shares = {rule: getattr(self, field) for rule, field in FIELDS.items()}
        return {rule: share for rule, share in shares.items() if share is not None}

    def describe_rule(self, rule: str, horizon: Horizon, steps: Sequence[int]) -> Message:
        sentence = super().describe_rule(rule, horizon, steps)
        counted = ", ".join(
            f"{part}.{name} {value_text(getattr(energy, name))}"
            for part, energy in (("so_far", self.so_far), ("ahead", self.ahead))
            for name in GreenEnergy.model_fields
            if getattr(energy, name)
        )
        if not counted:
            return sentence
        return Message("{sentence} (counting {text})", sentence=sentence, text=counted)

    def check(self, site: Site) -> Iterator[Complaint]:
        if not site.trace:
            yield (), Message("needs the origin of energy, which `trace: false` pools")

    def warn(self, site: Site) -> Iterator[Message]:
        hard, alone = self.penalty_cny_per_mwh is None, self.so_far == self.ahead == GreenEnergy()
        if hard and alone and site.horizon.hours < MONTH_H:
            yield Message(
                "{hours:g} h must meet by themselves shares that are meant for a year: give so_far"
                " and ahead, or penalty_cny_per_mwh",
                hours=site.horizon.hours,
            )

    def impossible(self, site: Site) -> Iterator[Message]:
        if self.penalty_cny_per_mwh is not None:
            return
        horizon, parts = site.horizon, site.components.values()
        available = sum(part.renewable_mwh(horizon) for part in parts)
        green = available + stored_at_start((part.storage() for part in parts), "renewable")
        must_draw = sum(
            horizon.step_h * float(mw.sum())
            for part in parts
            for mw in part.must_draw_mw(horizon).values()
        )
        best = self.so_far.plus(self.ahead).plus(
            GreenEnergy(
                available_mwh=available,
                used_mwh=available,
                load_mwh=max(must_draw, green),
                load_renewable_mwh=green,
            )
        )
        for rule, share in self._shares().items():
            missing = shortfall(rule, share, dict(best))
            if missing > NOTHING * (1 + best.available_mwh + best.load_mwh):
                yield Message(
                    "{name} {share:g} is missed by {mwh:.6g} MWh over the period even if all"
                    " {green_mwh:.6g} MWh of renewable energy in the horizon are used on site",
                    name=FIELDS[rule],
                    share=share,
                    mwh=missing,
                    green_mwh=green,
                )

    def couple(self, b: pyo.Block, site: Site, meters: Meters) -> Terms:
        flows = {
            "available": meters.total("renewable_available_mw"),
            "taken": meters.total("renewable_mw"),
            "exported": meters.total("exported_mw", origin="renewable"),
            "load": meters.total("drawn_mw"),
            "load_renewable": meters.total("drawn_mw", origin="renewable"),
        }
        for name, flow in flows.items():
            by_step = pyo.Expression(site.clock.steps, rule=lambda _, t, flow=flow: flow(t))
            b.add_component(f"{name}_mw", by_step)
        energy, costs = self._totals(b, site.clock, flows), self._penalties(b)
        for rule, share in self._shares().items():
            slack = b.short_mwh[rule] if costs else 0.0
            row = pyo.Constraint(expr=-shortfall(rule, share, energy) + slack >= 0)
            b.add_component(rule, row)
        return Terms(costs=costs)

    def _totals(
        self, b: pyo.Block, time: Time, flows: Mapping[str, ByStep]
    ) -> dict[str, Expression]:
        """Declare the running totals that the shares need; return the energy of the period."""
        needed = {name for rule in self._shares() for name in TOTALS[rule]}
        totals: dict[str, Expression] = {}
        for name in (name for name in COUNTED if name in needed):
            added = lambda t, flow=flows[name]: time.step_h * flow(t)  # noqa: E731
            start = max(getattr(self.so_far, f"{name}_mwh"), 0.0)
            points = running_total(b, time, f"{name}_mwh", start, added)
            totals[f"{name}_mwh"] = points[time.last] + getattr(self.ahead, f"{name}_mwh")
        if "taken" in needed:
            totals["used_mwh"] = totals["taken_mwh"] - totals["exported_mwh"]
        totals["available_mwh"] = (
            self.so_far.available_mwh
            + self.ahead.available_mwh
            + time.step_h * time.total(flows["available"])
        )
        return totals

    def _penalties(self, b: pyo.Block) -> dict[Line, Amounts]:
        """Declare by how much each share is missed where that has a price; return what it costs."""
        if self.penalty_cny_per_mwh is None:
            return {}
        b.short_mwh = pyo.Var(list(self._shares()), domain=pyo.NonNegativeReals)
        return {
            Line(LINES[rule], cash=False): {None: self.penalty_cny_per_mwh * b.short_mwh[rule]}
            for rule in self._shares()
        }

    def added(self, values: Values, step_h: float) -> GreenEnergy:
        """Return the energy in the steps of a schedule."""
        mwh = {  # a solver's 0 may be -1e-9
            f"{name}_mwh": step_h * max(0.0, float(np.sum(values[f"{name}_mw"]))) for name in FLOWS
        }
        used_mwh = mwh.pop("taken_mwh") - mwh["exported_mwh"]
        return GreenEnergy().revised({**mwh, "used_mwh": used_mwh})

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        added = self.added(values, horizon.step_h)
        whole = self.so_far.plus(added).plus(self.ahead)
        shares = {
            "self_use_share": (whole.used_mwh, whole.available_mwh),
            "load_share": (whole.load_renewable_mwh, whole.load_mwh),
            "official_load_share": (whole.used_mwh, whole.load_mwh),
            "export_share": (whole.exported_mwh, whole.available_mwh),
        }
        figures = {name: a / b for name, (a, b) in shares.items() if measurable(b)}
        for rule, share in self._shares().items():
            figures[f"{LINES[rule]}_mwh"] = max(shortfall(rule, share, dict(whole)), 0.0)
        return figures

    def targets(self, figures: Mapping[str, float]) -> Iterator[Target]:
        counts_more = any(any(dict(part).values()) for part in (self.so_far, self.ahead))
        for rule, share in self._shares().items():
            field, most = FIELDS[rule], rule == "export"
            figure = field.partition("_")[2]
            reached = figures.get(figure)
            missing = 0.0 if reached is None else (reached - share if most else share - reached)
            kept = figures.get(f"{LINES[rule]}_mwh", 0.0) <= LEAST_MWH or missing <= NOTHING
            yield Target(field, figure, "energy", share, reached, most, kept, counts_more)

    def after(self, values: Values, executed: Window, horizon: Horizon) -> Self:
        so_far = self.so_far.plus(self.added(values, horizon.step_h))
        return self.revised({"so_far": so_far})

    def with_lookahead(
        self, values: Values, window: Window, horizon: Horizon, *, firm: bool
    ) -> Self:
        changes: dict[str, Any] = {}
        if values:
            changes["ahead"] = self.ahead.plus(self.added(later(values, window), horizon.step_h))
        if not firm and self.penalty_cny_per_mwh is None:
            changes["penalty_cny_per_mwh"] = STEERING_CNY_PER_MWH
        return self.revised(changes)
