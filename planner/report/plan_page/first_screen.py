"""What the page of a plan says before anybody scrolls: plain values, from the summary.

Income by use: what tokens and jobs earn, what grid sale earns, and every other line that earns;
what the remaining lines cost makes up the profit. A line counts with its sum over the horizon.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from planner.plan_tables.tables import USES, PlanTables

COMPUTE_LINES = frozenset({"tokens", "input_tokens", "job"})
EXPORT_LINE = "export"
SHORT_MWH = 1e-3  # a share missed by less than this, or by LEAST_SHARE, is a rounding
LEAST_SHARE = 1e-6
# field of a rule, the figure it is measured by, the MWh it is missed by, most or least
RULES = (
    ("min_self_use_share", "self_use_share", "self_use_short_mwh", "min"),
    ("min_load_share", "load_share", "load_share_short_mwh", "min"),
    ("max_export_share", "export_share", "export_excess_mwh", "max"),
)


@dataclass(frozen=True)
class Target:
    """A share that was asked for, and what became of it.

    name: the component. figure: what it is a share of. wanted: None where nothing was asked.
    reached: None where there was nothing to have a share of. most: whether `wanted` is a ceiling.
    kept: whether it was kept. counts_more: whether energy outside the horizon counts too.
    """

    name: str
    figure: str
    wanted: float | None
    reached: float | None
    most: bool = False
    kept: bool = True
    counts_more: bool = False


@dataclass(frozen=True)
class Scarce:
    """A step in which something was scarce, what it was, and the penalty; `step` counts from 0."""

    time: pd.Timestamp
    step: int
    component: str
    line: str
    cost_cny: float


@dataclass(frozen=True)
class FirstScreen:
    """The facts of a plan; money in CNY, energy in MWh, shares 0..1.

    open_cny: what may be missing to the best plan. income: by use. costs: below zero.
    cells: MWh and CNY/kWh (None: not sold) by origin and use, for the uses in `uses`.
    """

    name: str
    description: str
    status: str
    start: pd.Timestamp
    end: pd.Timestamp
    hours: float
    step_min: int
    vat: str
    profit_cny: float
    bound_cny: float | None
    open_cny: float
    gap: float | None
    breaches: tuple[str, ...]
    windows: int
    cash_cny: float
    after_outside_cny: float | None
    income_cny: dict[str, float]
    costs_cny: float
    compute_cny_per_kwh: float | None
    export_cny_per_kwh: float | None
    sale_cny_per_kwh: float | None
    uplift: float | None
    green: dict[str, float]
    targets: tuple[Target, ...]
    services: tuple[Target, ...]
    scarce: tuple[Scarce, ...]
    warnings: tuple[str, ...]
    uses: tuple[str, ...]
    cells: dict[str, dict[str, tuple[float, float | None]]]

    def total(self, origin: str | None = None, use: str | None = None) -> float:
        """Return the MWh of an origin, of a use, or of all."""
        return sum(
            mwh
            for of, by_use in self.cells.items()
            for to, (mwh, _) in by_use.items()
            if origin in (None, of) and use in (None, to)
        )


def first_screen(plan: PlanTables) -> FirstScreen:
    """Gather what the page of a plan says first."""
    summary, horizon = plan.summary, plan.scenario.horizon
    profit, bound = float(summary["objective_cny"]), summary["bound_cny"]
    income, costs = _money(summary["ledger_cny"])
    by_use = summary["value_by_use_cny_per_kwh"]
    outside = summary["outside_objective_cny"]
    allocation: dict[str, dict[str, float]] = summary["allocation_mwh"]
    values = summary["value_cny_per_kwh"]
    return FirstScreen(
        name=summary["name"],
        description=summary["description"],
        status=summary["status"],
        start=horizon.starts[0],
        end=horizon.starts[-1] + pd.Timedelta(minutes=horizon.step_min),
        hours=float(summary["hours"]),
        step_min=horizon.step_min,
        vat=summary["vat"],
        profit_cny=profit,
        bound_cny=bound,
        open_cny=max(bound - profit, 0.0) if summary["gap"] else 0.0,
        gap=summary["gap"],
        windows=int(summary.get("rolling", {}).get("windows", 0)),
        breaches=tuple(str(breach["text"]) for breach in summary.get("breaches", ())),
        cash_cny=float(summary["cash_profit_cny"]),
        after_outside_cny=float(summary["net_after_outside_cny"]) if outside else None,
        income_cny=income,
        costs_cny=costs,
        compute_cny_per_kwh=by_use["compute"],
        export_cny_per_kwh=by_use["export"],
        sale_cny_per_kwh=by_use["compute_at_sale_price"],
        uplift=summary["uplift"],
        green={name: share for name, share in summary["green"].items() if share is not None},
        targets=tuple(_targets(plan)),
        services=tuple(_services(plan)),
        scarce=tuple(_scarce(plan)),
        warnings=tuple(summary["warnings"]),
        uses=tuple(u for u in USES if any(u in by_use for by_use in allocation.values())),
        cells={
            origin: {use: (mwh, values.get(origin, {}).get(use)) for use, mwh in by_use.items()}
            for origin, by_use in allocation.items()
        },
    )


def _money(ledger: dict[str, dict[str, float]]) -> tuple[dict[str, float], float]:
    income, costs = {"compute": 0.0, "export": 0.0, "other": 0.0}, 0.0
    for lines in ledger.values():
        for line, amount in lines.items():
            bare = line.split("[", 1)[0]
            if bare in COMPUTE_LINES:
                income["compute"] += amount
            elif bare == EXPORT_LINE:
                income["export"] += amount
            elif amount > 0:
                income["other"] += amount
            else:
                costs += amount
    return income, costs


def _targets(plan: PlanTables) -> Iterator[Target]:
    """Yield what rules on renewable energy ask for, over the whole period that they count."""
    for name, rule in plan.scenario.components.items():
        for field, figure, short, side in RULES:
            wanted = getattr(rule, field, None)
            if wanted is None:
                continue
            figures = plan.summary["figures"].get(name, {})
            reached, most = figures.get(figure), side == "max"
            beyond = 0.0 if reached is None else (reached - wanted) * (1 if most else -1)
            parts: Any = [getattr(rule, part, None) for part in ("so_far", "ahead")]
            more = any(part is not None and any(dict(part).values()) for part in parts)
            kept = figures.get(short, 0.0) <= SHORT_MWH or beyond <= LEAST_SHARE
            yield Target(name, figure, wanted, reached, most, kept, more)


def _services(plan: PlanTables) -> Iterator[Target]:
    """Yield what services answer of what is wanted, with what came before where that counts."""
    for name, service in plan.scenario.components.items():
        figures = plan.summary["figures"].get(name, {})
        if "served_share" not in figures:
            continue
        least = float(getattr(service, "min_served_share", 0.0)) or None
        past: Any = getattr(service, "initial", None)
        before = float(getattr(past, "wanted_so_far_mtok", 0.0))
        wanted = before + figures["wanted_mtok"]
        served = figures["served_share"] * figures["wanted_mtok"]
        served += float(getattr(past, "served_so_far_mtok", 0.0))
        share = served / wanted if wanted else None
        kept = least is None or share is None or share >= least - LEAST_SHARE
        yield Target(name, "served_share", least, share, kept=kept, counts_more=before > 0)


def _scarce(plan: PlanTables) -> Iterator[Scarce]:
    starts = plan.scenario.horizon.starts
    for row in plan.summary["worst_hours"]:
        time = pd.Timestamp(row["time"]).tz_convert(starts.tz)
        step = int(starts.get_indexer(pd.DatetimeIndex([time]))[0])
        yield Scarce(time, step, row["component"], row["line"], float(row["cost_cny"]))
