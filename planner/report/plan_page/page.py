"""report.html of a plan folder: one file that opens without a network.

A policy in the page keeps it from loading anything from outside. Figures and reasons lie packed in
it (`packed`) and are drawn when they come near the screen; every chart has its table.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import pandas as pd

from planner.language.language import Language, number
from planner.language.section import percent
from planner.plan_tables.folder import PRICES
from planner.plan_tables.tables import PlanTables
from planner.report.charts.registry import charts_of
from planner.report.plan_page.first_screen import FirstScreen, first_screen
from planner.report.plan_page.reasons import packed_reasons
from planner.report.template import MOST_ROWS, drawn, fill

NONE_MWH = 1e-6


def plan_page(plan: PlanTables, words: Language) -> str:
    """Return the page of a plan.

    Args:
        plan: what was planned.
        words: the language of the page.
    """
    first = first_screen(plan)
    reasons, told = packed_reasons(plan, words)
    charts = [drawn(chart) for chart in charts_of(plan, words)]
    steps = plan.scenario.horizon.steps
    return fill(
        "page.html",
        words,
        first.name,
        first=first,
        said=Said(words, first),
        charts=charts,
        most_rows=MOST_ROWS,
        reasons=reasons,
        told_until=None if told in (0, steps) else plan.scenario.horizon.starts[told],
        files=_files(plan),
        clock=_clock(plan, told, first.scarce[0].step if first.scarce else 0),
    )


def _files(plan: PlanTables) -> list[str]:
    """Return the tables beside the page."""
    names = ["schedule.csv", "allocation.csv", "ledger.csv", "why.csv"]
    if plan.prices is not None:
        names.append(PRICES)
    if plan.scenario.trace:
        names.append("green.csv")
    return [*names, "summary.json", "scenario.yaml"]


def _clock(plan: PlanTables, told: int, worst: int) -> dict[str, Any]:
    """Return the local time axis for the script of the page; milliseconds as if it were UTC."""
    horizon = plan.scenario.horizon
    first = horizon.starts[0].tz_localize(None) - pd.Timestamp("1970-01-01")
    return {
        "start": int(first / pd.Timedelta(milliseconds=1)),
        "step": horizon.step_min * 60_000,
        "steps": horizon.steps,
        "told": told,
        "first": worst if worst < told else 0,
    }


class Said:
    """The facts of the first screen in words."""

    def __init__(self, words: Language, first: FirstScreen) -> None:
        self.words, self.first = words, first

    @property
    def good(self) -> bool:
        """Whether the solver ended with a proof, or a given schedule keeps every rule."""
        first = self.first
        return first.status == "optimal" or (first.status == "settled" and not first.breaches)

    def status(self) -> str:
        """Return the status in a word or two."""
        words, first = self.words, self.first
        if first.status == "settled" and first.breaches:
            return words("A given schedule; it breaks {n} rules", n=len(first.breaches))
        if first.status == "settled" and first.windows:
            return words("{n} windows put together; they keep every rule", n=first.windows)
        if first.status == "optimal" and first.open_cny and first.gap is not None:
            return words(
                "Best plan, proven to within {gap} of the turnover", gap=percent(first.gap, 2)
            )
        return {
            "optimal": words("Best plan, proven"),
            "settled": words("A given schedule; it keeps every rule"),
            "time_limit": words("Stopped at the time limit"),
            "interrupted": words("Interrupted"),
            "relaxed": words("A bound, not a schedule that can be run"),
        }[first.status]

    def proof(self) -> str:
        """Return in a sentence what is proven."""
        words, first = self.words, self.first
        if first.status == "relaxed":
            return words(
                "Starts, directions and whole nodes were left fractional (relaxed): no plan can"
                " earn more than this, and this one cannot be run."
            )
        if first.bound_cny is None or first.gap is None:
            return words("Settled as it was given: nothing says that it is the best.")
        if not first.open_cny:
            return words("No other plan earns more.")
        more = words(
            "No plan can earn more than {bound}: {open} above this one, {gap} of the turnover.",
            bound=self.cny(first.bound_cny),
            open=self.cny(first.open_cny),
            gap=percent(first.gap, 2),
        )
        if first.status in ("optimal", "settled"):
            return more
        ended = words("The plan keeps every rule and can be run; the proof was not finished.")
        return f"{ended} {more}"

    def span(self) -> str:
        """Return when the plan begins and ends, and its steps."""
        first = self.first
        offset = f"{first.start:%z}"
        return self.words(
            "{start} to {end} (UTC{offset}), {hours} h in steps of {step} min",
            start=f"{first.start:%Y-%m-%d %H:%M}",
            end=f"{first.end:%Y-%m-%d %H:%M}",
            offset=f"{offset[:3]}:{offset[3:]}",
            hours=f"{first.hours:g}",
            step=first.step_min,
        )

    def vat(self) -> str:
        """Return the convention of every price."""
        if self.first.vat == "included":
            return self.words("All prices and amounts include VAT.")
        return self.words("All prices and amounts are without VAT.")

    def cny(self, value: float | None) -> str:
        """Return an amount of money."""
        return self.words.amount(value, "CNY")

    def per_kwh(self, value: float | None) -> str:
        """Return a price of a kWh; it is below a few CNY, so three decimals say enough."""
        return "–" if value is None else f"{value + 0.0:.3f} {self.words('CNY/kWh')}"

    @cached_property
    def energy(self) -> tuple[float, str]:
        """Divisor and unit of the energies of the allocation table."""
        return self.words.scale("MWh", self._largest)

    @property
    def _largest(self) -> float:
        cells = self.first.cells.values()
        return max((abs(mwh) for by_use in cells for mwh, _ in by_use.values()), default=0.0)

    def mwh(self, value: float) -> str:
        """Return an energy of the allocation table, all with the same decimals."""
        divisor, _ = self.energy
        decimals = min(max(3 - math.floor(math.log10(max(self._largest / divisor, 1e-6))), 0), 3)
        shown = value / divisor
        if abs(value) < NONE_MWH:
            return "0"
        return number(shown) if abs(shown) < 0.5 * 10.0**-decimals else f"{shown:,.{decimals}f}"

    def wanted(self, share: float, *, most: bool) -> str:
        """Return what a rule asks for."""
        text = self.words("at most {share}") if most else self.words("at least {share}")
        return text.format(share=percent(share))
