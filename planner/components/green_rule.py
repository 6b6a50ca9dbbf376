"""A rule on renewable energy over a period: own use, renewable part of the load, or export.

Expressions by step: available_mw, taken_mw (of it not curtailed), exported_mw (of renewable
origin), load_mw (drawn by loads and compute), load_renewable_mw (of it renewable).
Variables: the running totals taken_mwh, exported_mwh, load_mwh and load_renewable_mwh on points,
those that the shares given need; short_mwh[rule] where there is a penalty.

    X_mwh_rises   X_mwh[t] = X_mwh[t-1] + Δ X_mw[t]     X_mwh[0] from so_far; X: taken, exported,
                  load, load_renewable

With X^ = so_far + ahead + Δ sum_t X[t], where taken^ = used^ + exported^:

    self_use      taken^ - exported^ + short_mwh >= min_self_use_share available^
    load_share    load_renewable^ + short_mwh >= min_load_share load^
    export        exported^ <= max_export_share available^ + short_mwh

The official formula: own use = available - exported - curtailed, so losses of storage count as use
(NDRC/NEA 650, 2025); in an hour in which stored energy is exported it is below zero. `load_share`
is the stricter reading, renewable energy drawn; own use over load is reported beside it. Energy
keeps its origin in storage. Certificates are never counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from planner.components.component import Complaint, Component, Site, Values, later, running_total
from planner.components.late import pyo
from planner.components.terms import Amounts, Expression, Line, Meters, Target, Terms
from planner.fields import AtLeastZero, Fraction, Frozen, value_text
from planner.message import Message
from planner.timeseries.horizon import Horizon, Window

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
MONTH_H = 28 * 24
NOTHING = 1e-9  # MWh: a share of less is none
SHORT_MWH, SHORT_SHARE = 1e-3, 1e-6  # a share missed by less than either is a rounding
STEERING_CNY_PER_MWH = 1e4  # for a MWh missed where a rule cannot be kept: dearer than energy


class GreenEnergy(Frozen):
    """Renewable energy and load of a part of the period outside the horizon."""

    available_mwh: AtLeastZero = 0.0
    """Renewable energy that was or will be available."""
    used_mwh: float = 0.0
    """Own use of it: what is available, less what is exported and curtailed. Below zero where more
    was exported from storage than used."""
    exported_mwh: AtLeastZero = 0.0
    """Renewable energy exported."""
    load_mwh: AtLeastZero = 0.0
    """Energy drawn by loads and compute."""
    load_renewable_mwh: AtLeastZero = 0.0
    """Renewable energy in it."""

    @model_validator(mode="after")
    def _consistent(self) -> GreenEnergy:
        taken, slack = self.taken_mwh, 1e-6 * (1 + self.available_mwh)
        if not -slack <= taken <= self.available_mwh + slack:
            raise ValueError(
                f"used_mwh and exported_mwh must sum to 0 to available_mwh"
                f" {self.available_mwh:g}, sum to {taken:g}"
            )
        if self.load_renewable_mwh > self.load_mwh + 1e-6 * (1 + self.load_mwh):
            raise ValueError(
                f"load_renewable_mwh may not exceed load_mwh {self.load_mwh:g}, is"
                f" {self.load_renewable_mwh:g}"
            )
        return self

    @property
    def taken_mwh(self) -> float:
        """What was not curtailed."""
        return self.used_mwh + self.exported_mwh

    def plus(self, other: GreenEnergy) -> GreenEnergy:
        """Return the sums of both."""
        fields = type(self).model_fields
        return self.model_copy(
            update={name: getattr(self, name) + getattr(other, name) for name in fields}
        )

    def short(self, rule: str, share: float) -> float:
        """Return by how many MWh it misses a rule; below zero where it keeps it."""
        if rule == "self_use":
            return share * self.available_mwh - self.used_mwh
        if rule == "load_share":
            return share * self.load_mwh - self.load_renewable_mwh
        return self.exported_mwh - share * self.available_mwh


class GreenRule(Component):
    """A rule on renewable energy over a period that the horizon is a part of."""

    kind: Literal["green_rule"]
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
    end_rows: ClassVar[frozenset[str]] = frozenset(FIELDS)
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
    """What is expected of the period after the horizon."""
    penalty_cny_per_mwh: AtLeastZero | None = None
    """Penalty for every MWh that a share is missed by; without it none may be missed."""

    @model_validator(mode="after")
    def _some(self) -> GreenRule:
        if not self._given():
            raise ValueError(f"needs one or more of {', '.join(FIELDS.values())}")
        return self

    def _given(self) -> dict[str, float]:
        """Return the rules that are given, with their shares."""
        shares = {rule: getattr(self, field) for rule, field in FIELDS.items()}
        return {rule: share for rule, share in shares.items() if share is not None}

    def describe_rule(self, rule: str, horizon: Horizon, steps: Sequence[int]) -> Message:
        asked = super().describe_rule(rule, horizon, steps)
        counted = ", ".join(
            f"{part}.{name} {value_text(getattr(energy, name))}"
            for part, energy in (("so_far", self.so_far), ("ahead", self.ahead))
            for name in GreenEnergy.model_fields
            if getattr(energy, name)
        )
        if not counted:
            return asked
        return Message("{sentence} (counting {text})", sentence=asked, text=counted)

    def check(self, site: Site) -> Iterator[Complaint]:
        if not site.trace:
            yield (), "needs the origin of energy, which `trace: false` pools"

    def warn(self, site: Site) -> Iterator[str]:
        hard, alone = self.penalty_cny_per_mwh is None, self.so_far == self.ahead == GreenEnergy()
        if hard and alone and site.horizon.hours < MONTH_H:
            yield (
                f"{site.horizon.hours:g} h must meet by themselves shares that are meant for a"
                " year: give so_far and ahead, or penalty_cny_per_mwh"
            )

    def impossible(self, site: Site) -> Iterator[str]:
        if self.penalty_cny_per_mwh is not None:
            return
        horizon, parts = site.horizon, site.components.values()
        available = sum(part.renewable_mwh(horizon) for part in parts)
        stored = sum(part.stored_renewable_mwh() for part in parts)
        owed = sum(
            horizon.step_h * float(mw.sum())
            for part in parts
            for mw in part.must_draw_mw(horizon).values()
        )
        green = available + stored
        best = self.so_far.plus(self.ahead).plus(
            GreenEnergy(
                available_mwh=available,
                used_mwh=available,
                load_mwh=max(owed, green),
                load_renewable_mwh=green,
            )
        )
        for rule, share in self._given().items():
            short = best.short(rule, share)
            if short > 1e-6 * (1 + best.available_mwh + best.load_mwh):
                yield (
                    f"{FIELDS[rule]} {share:g} is missed by {short:.6g} MWh over the period even if"
                    f" all {green:.6g} MWh of renewable energy in the horizon are used on site"
                )

    def couple(self, b: pyo.Block, site: Site, meters: Meters) -> Terms:
        time, given = site.clock, self._given()
        flows = {
            "available": meters.total("renewable_available_mw"),
            "taken": meters.total("renewable_mw"),
            "exported": meters.total("exported_mw", origin="renewable"),
            "load": meters.total("drawn_mw"),
            "load_renewable": meters.total("drawn_mw", origin="renewable"),
        }
        for name, flow in flows.items():
            by_step = pyo.Expression(time.steps, rule=lambda _, t, flow=flow: flow(t))
            b.add_component(f"{name}_mw", by_step)
        needed = [name for name in flows if any(name in TOTALS[rule] for rule in given)]
        total: dict[str, Expression] = {}
        for name in needed:
            added = lambda t, flow=flows[name]: time.step_h * flow(t)  # noqa: E731
            start = max(getattr(self.so_far, f"{name}_mwh"), 0.0)
            points = running_total(b, time, f"{name}_mwh", start, added)
            total[name] = points[time.last] + getattr(self.ahead, f"{name}_mwh")
        total["available"] = (
            self.so_far.available_mwh
            + self.ahead.available_mwh
            + time.step_h * sum(flows["available"](t) for t in time.steps)
        )
        costs: dict[Line, Amounts] = {}
        if self.penalty_cny_per_mwh is not None:
            b.short_mwh = pyo.Var(list(given), domain=pyo.NonNegativeReals)
            for rule in given:
                cost = self.penalty_cny_per_mwh * b.short_mwh[rule]
                costs[Line(LINES[rule], cash=False)] = {None: cost}
        for rule, share in given.items():
            slack = b.short_mwh[rule] if costs else 0.0
            row = pyo.Constraint(expr=_margin(rule, share, total) + slack >= 0)
            b.add_component(rule, row)
        return Terms(costs=costs)

    def added(self, values: Values, step_h: float) -> GreenEnergy:
        """Return what the steps of a schedule add."""
        mwh = {  # a solver's 0 may be -1e-9
            name: step_h * max(0.0, float(np.sum(values[f"{name}_mw"])))
            for name in ("available", "taken", "exported", "load", "load_renewable")
        }
        return GreenEnergy().model_copy(
            update={
                "available_mwh": mwh["available"],
                "used_mwh": mwh["taken"] - mwh["exported"],
                "exported_mwh": mwh["exported"],
                "load_mwh": mwh["load"],
                "load_renewable_mwh": mwh["load_renewable"],
            }
        )

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        added = self.added(values, horizon.step_h)
        whole = self.so_far.plus(added).plus(self.ahead)
        shares = {
            "self_use_share": (whole.used_mwh, whole.available_mwh),
            "load_share": (whole.load_renewable_mwh, whole.load_mwh),
            "official_load_share": (whole.used_mwh, whole.load_mwh),
            "export_share": (whole.exported_mwh, whole.available_mwh),
        }
        figures = {name: a / b for name, (a, b) in shares.items() if b > NOTHING}
        for rule, share in self._given().items():
            figures[f"{LINES[rule]}_mwh"] = max(whole.short(rule, share), 0.0)
        return figures

    def targets(self, figures: Mapping[str, float]) -> Iterator[Target]:
        counts_more = any(any(dict(part).values()) for part in (self.so_far, self.ahead))
        for rule, wanted in self._given().items():
            field, most = FIELDS[rule], rule == "export"
            figure = field.partition("_")[2]
            reached = figures.get(figure)
            short = 0.0 if reached is None else (reached - wanted if most else wanted - reached)
            kept = figures.get(f"{LINES[rule]}_mwh", 0.0) <= SHORT_MWH or short <= SHORT_SHARE
            yield Target(field, figure, "energy", wanted, reached, most, kept, counts_more)

    def after(self, values: Values, kept: Window, horizon: Horizon) -> Self:
        so_far = self.so_far.plus(self.added(values, horizon.step_h))
        return self.model_copy(update={"so_far": so_far})

    def with_lookahead(
        self, values: Values, window: Window, horizon: Horizon, *, firm: bool
    ) -> Self:
        changes: dict[str, Any] = {}
        if values:
            changes["ahead"] = self.ahead.plus(self.added(later(values, window), horizon.step_h))
        if not firm and self.penalty_cny_per_mwh is None:
            changes["penalty_cny_per_mwh"] = STEERING_CNY_PER_MWH
        return self.model_copy(update=changes)


def _margin(rule: str, share: float, total: Mapping[str, Expression]) -> Expression:
    """Return by how many MWh a rule is kept."""
    if rule == "self_use":
        return total["taken"] - total["exported"] - share * total["available"]
    if rule == "load_share":
        return total["load_renewable"] - share * total["load"]
    return share * total["available"] - total["exported"]
