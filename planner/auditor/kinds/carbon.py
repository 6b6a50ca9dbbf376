"""Audit of carbon: emissions, their price and their budget.

gross, imported, free   by step they are those of the units and grids
emitted      the running total begins with so_far_tco2 and grows by gross emission and import
budget       its last point is within budget_tco2
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.auditor.findings import Array, Notes, column_is
from planner.auditor.reading import KindAudit, Line, Part, Plan, at_start_of_steps
from planner.message import Message


def _columns(_: Plan, part: Part) -> set[str]:
    columns = {"gross_tco2", "import_tco2", "free_tco2"}
    return columns | ({"emitted_tco2"} if part["budget_tco2"] is not None else set())


def _check(plan: Plan, part: Part, note: Notes) -> None:
    gross, imported, free = _emissions(plan)
    for rule, column, expected in (
        ("gross", "gross_tco2", gross),
        ("imported", "import_tco2", imported),
        ("free", "free_tco2", free),
    ):
        note.equal(rule, column_is(column), part.column(column), expected, "tCO2")
    if part["budget_tco2"] is None:
        return
    total = part.column("emitted_tco2")
    expected = at_start_of_steps(part.number("so_far_tco2"), total) + gross + imported
    note.equal("emitted", column_is("emitted_tco2"), total, expected, "tCO2")
    budget, last = part.number("budget_tco2"), plan.clock.times[-1]
    note.at_most("budget", Message("emitted:"), total[-1:], budget, "tCO2", when=last)


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    """Yield the cost of emissions; an allowance left over earns."""
    price = part.series("price_cny_per_tco2")
    max_price = float(price.max()) * len(plan.parts)
    yield Line(part.name, "carbon", -price * _charged(plan, part), plan.clock.stamps, max_price)


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    gross, imported, free = (float(tco2.sum()) for tco2 in _emissions(plan))
    figures = {
        "emission_tco2": gross,
        "import_emission_tco2": imported,
        "allowance_tco2": free,
        "to_be_paid_tco2": float(_charged(plan, part).sum()),
    }
    if part["budget_tco2"] is not None:
        so_far = part.number("so_far_tco2")
        figures["budget_left_tco2"] = part.number("budget_tco2") - so_far - gross - imported
    return figures


def _emissions(plan: Plan) -> tuple[Array, Array, Array]:
    """Return gross emission, that of imports, and the allowance, tCO2 by step."""
    gross, imported = plan.total("emission_tco2"), plan.total("import_emission_tco2")
    return gross, imported, plan.total("allowance_tco2")


def _charged(plan: Plan, part: Part) -> Array:
    gross, imported, free = _emissions(plan)
    return gross - free + (imported if part["price_imports"] else 0.0)


AUDIT = KindAudit(columns=_columns, checks=(_check,), lines=_lines, figures=_figures)
