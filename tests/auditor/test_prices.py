"""The audit of prices.csv and end_values.csv: each promise broken is found by its name."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import planner
from planner.auditor.audit import audit_files
from planner.auditor.plan_files import Files, read_files
from tests.support import compute
from tests.support.build import battery, renewable, scenario

Edit = Callable[[Files], Files]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Sun, a grid at two prices, ten nodes, and work that must be served by half at a loss."""
    folder = tmp_path_factory.mktemp("prices") / "plan"
    site = compute.site(
        [100, 80],
        fleet=compute.fleet(10),
        sun=renewable(0.5, 0.2),
        chat=compute.chat([18, 27], 20),
        loss=compute.chat([9, 9], 2, min_served_share=0.5),
    )
    site["cell"] = battery(charge_power_mw=0)
    planner.prices(scenario(site, 2)).plan.write(folder)
    return read_files(folder)


def row(component: str, quantity: str, index: str = "", step: int = 0, /, **to: Any) -> Edit:
    """Change a row of prices.csv, of a step counted from 1, or 0 for the horizon."""

    def edit(files: Files) -> Files:
        assert files.prices is not None
        table = files.prices.copy()
        rows = (
            (table["component"] == component)
            & (table["quantity"] == quantity)
            & (table["index"] == index)
            & ((table["time"] == "") == (step == 0))
        )
        at = np.flatnonzero(rows)[max(step - 1, 0)]
        for name, value in to.items():
            table.loc[at, name] = value
        return dataclasses.replace(files, prices=table)

    return edit


def end_value(step: int, /, **to: Any) -> Edit:
    """Change the worth of energy from the grid in `cell` at the end of a step."""

    def edit(files: Files) -> Files:
        assert files.end_values is not None
        table = files.end_values.copy()
        at = table.index[(table["component"] == "cell") & (table["index"] == "grid")][step - 1]
        for name, value in to.items():
            table.loc[at, name] = value
        return dataclasses.replace(files, end_values=table)

    return edit


def without_end_values(files: Files) -> Files:
    assert files.end_values is not None
    table = files.end_values
    left = table[table["index"] != "grid"].reset_index(drop=True)
    return dataclasses.replace(files, end_values=left)


def without_row(component: str, quantity: str, step: int) -> Edit:
    def edit(files: Files) -> Files:
        assert files.prices is not None
        table = files.prices
        rows = (table["component"] == component) & (table["quantity"] == quantity)
        rows &= (table["time"] == "") == (step == 0)
        left = table.drop(index=table.index[rows][max(step - 1, 0)]).reset_index(drop=True)
        return dataclasses.replace(files, prices=left)

    return edit


def summary_price(*path: str, to: Any) -> Edit:
    """Change the prices of the summary; None takes the entry away."""

    def edit(files: Files) -> Files:
        summary = copy.deepcopy(dict(files.summary))
        mapping = summary
        for key in path[:-1]:
            mapping = mapping[key]
        if to is None:
            del mapping[path[-1]]
        else:
            mapping[path[-1]] = to
        return dataclasses.replace(files, summary=summary)

    return edit


SITE, PREMIUM = "value_cny_per_mwh", "green_premium_cny_per_mwh"
BROKEN: list[tuple[Edit, tuple[str, str]]] = [
    (row("grid", "import_limit_mw", "", 1, time="2026-07-16T00:00+08:00"), ("plan", "prices.time")),
    (row("grid", "import_limit_mw", "", 1, value=np.nan), ("plan", "prices.number")),
    (row("grid", "import_limit_mw", "", 1, component="nobody"), ("nobody", "prices.component")),
    (row("site", SITE, "grid", 1, index="renewable"), ("plan", "prices.twice")),
    (row("sun", "capacity_mw", "", 1, value=7.0), ("sun", "capacity_mw.total")),
    (row("sun", "capacity_mw", value=7.0), ("sun", "capacity_mw.total")),
    (without_row("sun", "capacity_mw", 0), ("sun", "capacity_mw.total")),
    (row("site", SITE, "grid", value=91.0), ("site", f"{SITE}.total")),
    (row("loss", "demand_mtok_per_h", "once", value=0.0), ("loss", "demand_mtok_per_h.total")),
    (row("loss", "demand_mtok_per_h", value=0.0), ("loss", "demand_mtok_per_h.total")),
    # the mean of a service's prices counts what is answered: 18 and 27 Mtok
    (row("chat", "break_even_cny_per_mtok", value=10.0), ("chat", "break_even_cny_per_mtok.total")),
    (row("site", PREMIUM, "grid", 2, value=3.0), ("site", "green_premium")),
    (row("chat", "price_cny_per_mtok", "", 2, value=21.0), ("chat", "price")),
    (summary_price("prices", to=None), ("plan", "prices")),
    (summary_price("prices", "totals", to=None), ("plan", "summary.prices")),
    (summary_price("prices", "hold", to=""), ("plan", "summary.prices")),
    (summary_price("prices", "totals", "sun", "capacity_mw", to=7.0), ("sun", "summary.prices")),
    (summary_price("prices", "totals", "sun", "capacity_mw", to="7"), ("sun", "summary.prices")),
    (summary_price("prices", "totals", "sun", "capacity_mw", to=None), ("sun", "summary.prices")),
    (summary_price("prices", "totals", "sun", "height_m", to=7.0), ("sun", "summary.prices")),
    (row("cell", "power_mw", "first", value=7.0), ("cell", "summary.prices")),
    (row("cell", "power_mw", "first", time="2026-07-15T00:00+08:00"), ("cell", "power_mw.first")),
    (row("cell", "power_mw", "first", component="sun"), ("sun", "summary.prices")),
    (summary_price("prices", "first_unit", "cell", to=None), ("cell", "summary.prices")),
    (summary_price("prices", "first_unit", "cell", "power_mw", "worth", to=7.0),
     ("cell", "summary.prices")),
    (summary_price("prices", "first_unit", "cell", "power_mw", "within", to=-1.0),
     ("cell", "power_mw.first")),
    (lambda files: dataclasses.replace(files, prices=None), ("plan", "prices")),
    (end_value(1, time="2026-07-16T00:00+08:00"), ("cell", "end_values.time")),
    (end_value(2, time="2026-07-15T00:00+08:00"), ("cell", "end_values.time")),
    (end_value(1, value=np.nan), ("cell", "end_values.number")),
    (end_value(1, component="nobody"), ("nobody", "end_values")),
    (end_value(1, index=""), ("cell", "end_values")),
    (end_value(1, quantity="ending.value_cny_per_mtok"), ("cell", "end_values")),
    (without_end_values, ("cell", "end_values")),
]  # fmt: skip


def test_the_prices_to_be_broken_are_good(files: Files) -> None:
    assert files.prices is not None
    assert "once" in set(files.prices["index"])
    assert files.end_values is not None
    assert audit_files(files) == []


@pytest.mark.parametrize(
    ("edit", "expected"), BROKEN, ids=[f"{i}-{name[1]}" for i, (_, name) in enumerate(BROKEN)]
)
def test_a_broken_price_is_found(files: Files, edit: Edit, expected: tuple[str, str]) -> None:
    breaches = audit_files(edit(files))
    assert expected in {(b.component, b.rule) for b in breaches}, [str(b) for b in breaches]
