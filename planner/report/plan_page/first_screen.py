"""What the page of a plan says before anybody scrolls and no table of the plan holds.

Income by use: what tokens and jobs earn, what grid sale earns, and every other line that earns;
what the remaining lines cost makes up the profit. A line counts with its sum over the horizon.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from planner.plan_tables.tables import PlanTables

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


def income_and_costs(ledger: dict[str, dict[str, float]]) -> tuple[dict[str, float], float]:
    """Return the income by use and the costs, which are below zero, of the ledger of a summary."""
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


def targets(plan: PlanTables) -> Iterator[Target]:
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


def services(plan: PlanTables) -> Iterator[Target]:
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
