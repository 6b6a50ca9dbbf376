"""The table of a simulation as people see it on a terminal: a column a policy."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from planner.language import Language, number
from planner.studies.simulated import Simulation

ROWS = {
    "profit_cny": "profit [CNY]",
    "cash_profit_cny": "of it cash [CNY]",
    "capture_share": "share of perfect foresight",
    "above_baseline_share": "share of it above the baseline",
    "of_bound_share": "share of the LP bound",
    "unserved_mtok": "tokens not served [Mtok]",
    "load_share": "renewable part of the load",
    "self_use_share": "own use of renewable energy",
    "starts": "starts of thermal units",
    "cycles": "cycles of storage",
    "curtailed_mwh": "curtailed [MWh]",
    "commitment_changes": "changes of commitment",
    "forced_steps": "steps without a possible dispatch",
    "breaches": "rules broken",
}
SHARES = frozenset(name for name in ROWS if name.endswith("_share"))


def show_simulation(found: Simulation, console: Console, words: Language) -> None:
    """Print the table, what the rates refer to, and what a reader must know."""
    plain: dict[str, Any] = {"highlight": False, "soft_wrap": True}
    table = Table()
    table.add_column("")
    for policy in found.table["policy"]:
        table.add_column(escape(words.term(policy)), justify="right", overflow="fold")
    for name, text in ROWS.items():
        cells = (_cell(name, value) for value in found.table[name].tolist())
        table.add_row(escape(words(text)), *cells)
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


def _cell(name: str, value: Any) -> str:
    if value is None or value != value:
        return "–"
    return f"{value:.1%}" if name in SHARES else number(float(value))
