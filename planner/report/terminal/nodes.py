"""The nodes of a scenario on a terminal: a line each, with what is connected."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from planner.language.language import Language
from planner.scenario.nodes import Attached, at_no_node, attached
from planner.scenario.scenario import Scenario


def node_lines(scenario: Scenario, words: Language) -> Iterator[str]:
    """Yield a line for each node, then one for each kind of what is at none, rules last."""
    labels = {
        "supply": words("supply"), "storage": words("storage"), "use": words("use"),
        "connection": words("connection"), "line": words.term("line"),
    }  # fmt: skip
    for node, rows in groupby(attached(scenario), key=lambda row: row.node):
        parts = [
            f"{labels[role]} {words(', ').join(_sized(row, words) for row in of_role)}"
            for role, of_role in groupby(rows, key=lambda row: row.role)
        ]
        yield node + words(": ") + words("; ").join(parts)
    for kind, names in at_no_node(scenario).items():
        yield words.term(kind) + words(": ") + words(", ").join(names)


def _sized(row: Attached, words: Language) -> str:
    """Return the name of a component with its sizes."""
    mw = {key: f"{size:.4g} MW" for key, size in row.sizes.items()}
    if row.role == "storage":
        return " ".join((row.name, f"{row.sizes['capacity_mwh']:.4g} MWh", mw.get("supply_mw", "")))
    if row.role == "connection":
        limits = words("in {most_in}, out {most_out}", most_in=mw["import_mw"],
                       most_out=mw["export_mw"])  # fmt: skip
        return f"{row.name} {limits}"
    if row.role == "line":
        return words("{name} to {node} {size}", name=row.name, node=row.to, size=mw["supply_mw"])
    return " ".join((row.name, *mw.values()))
