"""The table of a simulation as people see it on a terminal: a column a policy."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from planner.language import Language, number
from planner.report.template import percent
from planner.studies.simulated import Simulation


def show_simulation(found: Simulation, console: Console, words: Language) -> None:
    """Print the table, what the rates refer to, and what a reader must know."""
    plain: dict[str, Any] = {"highlight": False, "soft_wrap": True}
    table = Table()
    table.add_column("")
    for policy in found.table["policy"]:
        table.add_column(escape(words.term(policy)), justify="right", overflow="fold")
    for name, text in _rows(words).items():
        cells = (_cell(name, value) for value in found.table[name].tolist())
        table.add_row(escape(text), *cells)
    console.print(table)
    if found.bound_cny is not None:
        bound = words("LP bound of the profit: {bound} CNY", bound=number(found.bound_cny))
        console.print(escape(bound), **plain)
    if found.baseline is not None:
        base = words("baseline: {policy}", policy=words.term(found.baseline))
        console.print(escape(base), **plain)
    for note in found.notes:
        console.print(f"[yellow]{escape(words('note'))}[/] {escape(words.sentence(note))}", **plain)
    if found.folder is not None:
        console.print(escape(words("folder: {folder}", folder=found.folder)), **plain)


def _rows(words: Language) -> dict[str, str]:
    """Return what each row of the table is called."""
    return {
        "profit_cny": words("profit [CNY]"),
        "cash_profit_cny": words("of it cash [CNY]"),
        "capture_share": words("share of perfect foresight"),
        "above_baseline_share": words("share of it above the baseline"),
        "of_bound_share": words("share of the LP bound"),
        "unserved_mtok": words("tokens not served [Mtok]"),
        "load_share": words("renewable part of the load"),
        "self_use_share": words("own use of renewable energy"),
        "starts": words("starts of thermal units"),
        "cycles": words("cycles of storage"),
        "curtailed_mwh": words("curtailed [MWh]"),
        "commitment_changes": words("changes of commitment"),
        "forced_steps": words("steps without a possible dispatch"),
        "breaches": words("rules broken"),
    }


def _cell(name: str, value: Any) -> str:
    if value is None or value != value:
        return "–"
    if name.endswith("_share"):
        return percent(round(float(value), 6))  # what is left of a rounding reads as nothing
    return number(float(value))
