"""The words of plans: what fields, columns, figures, ledger lines, codes and uses are called.

Two tiny plans in which between them everything happens that has a word of its own, and the words
that the sources declare beside them.
"""

from __future__ import annotations

import ast
import re
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import planner
from planner.components.registry import KINDS, Kind, every_use, no_reasons
from planner.fields import Frozen
from planner.plan_tables.shares import COLUMNS as GREEN_COLUMNS
from planner.report.sweep_page.words import HEADINGS
from planner.studies.prices import prices
from planner.sweeps.result import FINISHED
from planner.sweeps.sweep_file import SweepFile
from tests.support.build import battery, grid, load, renewable, reserve, thermal
from tests.support.build import scenario as build
from tests.support.full_site import write
from tests.support.sources import nodes

PACKAGE = Path(planner.__file__).parent
EMITS = ("    min_power_mw: 30\n", "    min_power_mw: 30\n    emission_tco2_per_gj: 0.1\n")


@cache
def plans() -> tuple[planner.Plan, ...]:
    """Tiny plans in which between them everything happens that has a word of its own."""
    with tempfile.TemporaryDirectory() as folder:
        site = prices(planner.load(write(Path(folder), EMITS))).plan
    declared = grid(
        declaration={
            "exchange_mw": "decide", "band_share": 0.1,
            "over_cost_cny_per_mwh": 5, "under_cost_cny_per_mwh": 5,
        },
        real_time_price_cny_per_mwh=[35, 45], fixed_cny_per_month=1000,
        demand_charge_cny_per_mw_month=100, self_use_charge_cny_per_mwh={"renewable": 3},
    )  # fmt: skip
    parts = {
        "grid": declared, "sun": renewable(20, 30, levelized_cost_cny_per_mwh=100),
        "coal": thermal(shutdown_cost_cny=5), "town": load(20, 120), "store": battery(),
        "held": reserve(up_mw=2, providers=["coal", "store"], shortfall_cost_cny_per_mwh=100),
    }  # fmt: skip
    return site, prices(build(parts, hours=2)).plan


def fields(model: Any, seen: set[type]) -> Iterator[str]:
    """Every field of a component, as deep as fields go."""
    if not (isinstance(model, type) and issubclass(model, Frozen)):
        for part in get_args(model):
            yield from fields(part, seen)
    elif model not in seen:
        seen.add(model)
        for name, field in model.model_fields.items():
            yield name
            yield from fields(field.annotation, seen)


def ledger_lines() -> set[str]:
    """Every line that a component gives by name."""
    found = set()
    for path in (PACKAGE / "components").rglob("*.py"):
        for node in nodes(path):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Line":
                found |= {arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)}
    return found


def codes_of(kind: Kind) -> set[str]:
    """Every code that the docstring of the module of a kind's reasons explains."""
    said = sys.modules[kind.reasons.__module__].__doc__ or ""
    _, head, table = said.partition("\nCodes of the decision")
    assert head or kind.reasons is no_reasons, f"{kind.reasons.__module__} explains no codes"
    found = set()
    for line in table.splitlines():
        if listed := re.match(r"(?: {4})?([a-z_]+(?:, [a-z_]+)*) {2,}\S", line):
            found |= set(listed.group(1).split(", "))
    return found


def codes() -> set[str]:
    """Every code of every kind."""
    return {code for kind in KINDS.values() for code in codes_of(kind)}


PLAIN = {"kind", "node", "grid", "fleet", "model", "months", "dates", "days", "hours", "from_node",
         "to_node", "providers"}  # fmt: skip  # fields that hold names and dates: no axis has them


def words() -> set[str]:
    found = {*every_use(), *KINDS, "renewable", "thermal", "grid", "pooled", "pv", "wind"}
    found |= {
        "optimal",
        "work_limit",
        "time_limit",
        "interrupted",
        "relaxed",
        "included",
        "excluded",
    }
    found |= {*FINISHED, "failed", "wrong_input", "waiting", *ledger_lines(), *codes()}
    found |= {*GREEN_COLUMNS} - {"time"}
    found |= {name for kind in KINDS.values() for name in fields(kind.component, set())} - PLAIN
    found |= {f"design.{name}" for name in get_args(SweepFile.model_fields["design"].annotation)}
    found |= HEADINGS - {"points"}
    found |= {f"components.{name}" for name in ("cost_cny_per_mwh", "load_share", "waiting")}
    for plan in plans():
        summary = plan.summary
        found |= {str(c).partition(".")[2] for c in plan.schedule}
        found |= {name for part in summary["figures"].values() for name in part}
        found |= {line for part in summary["ledger_cny"].values() for line in part}
        found |= {line for part in summary["outside_objective_cny"].values() for line in part}
        found |= {
            *summary["green"],
            *summary["carbon"],
            *plan.reasons["decision"],
            *plan.reasons["code"],
        }
        assert plan.prices is not None
        found |= set(plan.prices["quantity"])
    return found
