"""Sentences on a plan: its horizon, its gap, of what it is the rest, its ranges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from planner.language.language import Language
from planner.language.section import percent, text
from planner.message import printable


def span_text(summary: Mapping[str, Any], words: Language) -> str:
    """Return the horizon in local time, with the length of its steps."""
    start = local_start(summary)
    end = start + pd.Timedelta(hours=summary["hours"])
    zone = summary.get("timezone")
    return words(
        "{start} to {end} ({zone}), {hours} h in steps of {step} min",
        start=text(start),
        end=text(end),
        zone=zone or f"UTC{clock_name(summary)}",
        hours=f"{summary['hours']:g}",
        step=summary["step_min"],
    )


def local_start(summary: Mapping[str, Any]) -> pd.Timestamp:
    """Return the start of the horizon of a plan, by its clock."""
    start, zone = pd.Timestamp(summary["start"]), summary.get("timezone")
    return start.tz_convert(zone) if zone else start


def clock_name(summary: Mapping[str, Any]) -> str:
    """Return the time zone of a plan, or its offset from UTC: +08:00."""
    return str(summary.get("timezone") or summary["start"][-6:])


def gap_text(words: Language, gap: float, of_profit: float | None, profit_cny: float) -> str:
    """Return how far a plan may be from the best, with the figures that terminals show."""
    of_turnover = words("{gap} of the turnover", gap=percent(gap, 4))
    if of_profit is None:
        return of_turnover
    share = profit_share_text(words, percent(of_profit, 4), profit_cny)
    return words("{of_turnover}, {of_profit}", of_turnover=of_turnover, of_profit=share)


def profit_share_text(words: Language, share: str, profit_cny: float) -> str:
    """Return a share of the profit or, below zero, of the loss, as text."""
    if profit_cny < 0:
        return words("{share} of the loss", share=share)
    return words("{share} of the profit", share=share)


def rest_text(summary: Mapping[str, Any], words: Language) -> str:
    """Return of which plan the plan is the rest, and since when; empty where it is a whole."""
    if (rest := summary.get("replanned")) is None:
        return ""
    return words(
        "The rest of plan {plan}, planned again from {time} on; the {hours} h before were executed."
        " As planned before, the rest would earn {amount}.",
        plan=printable(str(rest["plan"])),
        time=text(pd.Timestamp(rest["at"])),
        hours=f"{rest['executed_h']:g}",
        amount=words.amount(rest["as_planned_cny"], "CNY"),
    )


def range_text(words: Language) -> str:
    """Return what the least and the most of a share of renewable energy are."""
    return words(
        "Least and most: over all attributions of the same meter values to origins that earn the"
        " same. The share follows the rule: renewable energy first to loads and compute."
    )
