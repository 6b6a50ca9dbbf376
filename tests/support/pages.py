"""A site whose first screen one can sum in the head, and long plans that nobody solved."""

from __future__ import annotations

import dataclasses
import html
import re
from typing import Any

import numpy as np
import pandas as pd

import planner
from planner.fields import Frozen
from planner.timeseries.horizon import Horizon
from tests.support import compute
from tests.support.build import green_rule, grid, load, renewable, scenario

CELL = "<t[hd][^>]*>(.*?)</t[hd]>"
NASTY = '<script>alert("x")</script> & {{ 7*7 }} \' </script><!-- \u202eمحطة 淮南'


def site(**more: Any) -> dict[str, Any]:
    """10 MW of sun at 10 CNY/MWh; two nodes take 2 MW, a city 3 and a grid that pays 30 the rest.

    Answers earn 20 a Mtok, 18 Mtok an hour; what is not answered costs 2. The rule on export is
    kept, the one on own use is missed and costs 1 a MWh.
    """
    chat = compute.chat([18, 27], unserved_cost_cny_per_mtok=2, min_served_share=0.75)
    rule = green_rule(min_self_use_share=0.8, max_export_share=0.6, penalty_cny_per_mwh=1)
    return {
        "sun": renewable(10, 10, cost_cny_per_mwh=10),
        "city": load(3, 3),
        "grid": grid(import_limit_mw=0),
        "fleet": compute.fleet(2),
        "chat": chat,
        "rule": rule,
    } | more


def small(**top: Any) -> planner.Plan:
    """The plan of `site` for two hours."""
    return planner.solve(scenario(site(), 2, **top))


def tiled(plan: planner.Plan, hours: int, step_min: Any) -> planner.Plan:
    """Repeat the tables of a plan until they fill a horizon, each step a little different.

    The summary stays that of the plan: such a plan is good for looking at only.
    """
    chance = np.random.default_rng(1)
    before = plan.scenario.horizon
    horizon = Horizon(start=before.start, hours=float(hours), step_min=step_min)
    copies = -(-horizon.steps // before.steps)
    place = pd.Series(range(before.steps), index=before.starts)
    starts = horizon.starts

    def long(table: pd.DataFrame | None) -> Any:
        if table is None:
            return None
        timed = table[table["time"].notna()]
        parts = []
        at = timed["time"].map(place)
        for copy in range(copies):
            steps = at + copy * before.steps
            kept = steps < horizon.steps
            part = timed[kept]
            parts.append(part.assign(time=starts[steps[kept]]))
        return pd.concat([*parts, table[table["time"].isna()]], ignore_index=True)

    schedule = pd.concat([plan.schedule] * copies).iloc[: horizon.steps].set_axis(starts, axis=0)
    by_step = pd.Series(chance.uniform(0.9, 1, horizon.steps).round(4), starts)
    schedule = schedule.mul(by_step, axis=0)
    reasons, prices = long(plan.reasons), long(plan.prices)
    reasons["reason"] += [f" ({factor:.4f})" for factor in chance.uniform(0.9, 1, len(reasons))]
    if prices is not None:
        prices["value"] *= chance.uniform(0.9, 1, len(prices)).round(4)
    components = {
        name: _stretched(part, before.steps, horizon.steps)
        for name, part in plan.scenario.components.items()
    }
    allocation = long(plan.allocation)
    allocation["mwh"] *= allocation["time"].map(by_step) * step_min / before.step_min
    return dataclasses.replace(
        plan,
        scenario=plan.scenario.revised({"horizon": horizon, "components": components}),
        schedule=schedule,
        allocation=allocation,
        reasons=reasons,
        prices=prices,
        summary=plan.summary | {"hours": float(hours), "step_min": step_min},
    )


def _stretched(value: Any, before: int, steps: int) -> Any:
    """Return a value of a scenario with every series as long as the new horizon."""
    if isinstance(value, np.ndarray) and value.shape == (before,):
        return np.resize(value, steps)
    if isinstance(value, Frozen):  # made anew: a copy would carry what the old one has computed
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        return type(value).unchecked(**_stretched(fields, before, steps))
    if isinstance(value, dict):
        return {key: _stretched(item, before, steps) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_stretched(item, before, steps) for item in value)
    return value


def cells_of(page: str, table_id: str) -> list[list[str]]:
    """Return the texts of a table of a page, row by row, with its heads."""
    table = re.search(rf'<table id="{table_id}">(.*?)</table>', page, re.DOTALL)
    assert table is not None, table_id
    return [
        [html.unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall(CELL, row, re.DOTALL)]
        for row in re.findall("<tr>(.*?)</tr>", table[1], re.DOTALL)
    ]


def texts_of(page: str) -> str:
    """Return what a page says, without its scripts and styles, in one line."""
    bare = re.sub("<(script|style).*?</\\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", bare)).split())
