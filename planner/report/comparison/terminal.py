"""A comparison of two plans as people see it on a terminal."""

from __future__ import annotations

from rich.console import Console

from planner.language.language import ENGLISH, Language
from planner.report.comparison.compare import Comparison
from planner.report.comparison.tables import lines_section, tables_of
from planner.report.terminal.tables import print_frame, print_notes, safe, table

TOP = 15  # rows of a table, unless all are asked for


def show_comparison(
    comparison: Comparison, console: Console, top: int = TOP, words: Language = ENGLISH
) -> None:
    """Print what differs between two plans; `top` rows of each table."""

    def say(text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True)

    say(f"A: {safe(comparison.a)}")
    say(f"B: {safe(comparison.b)}")
    print_notes(comparison.notes, console, words)
    if comparison.equal:
        say(words("the two plans are equal in inputs, money, figures and hours"))
        return
    say(words("profit {a} in A, {b} in B: {change} CNY", a=f"{comparison.profit_a_cny:,.2f}",
              b=f"{comparison.profit_b_cny:,.2f}",
              change=f"[bold]{comparison.change_cny:+,.2f}[/]"))  # fmt: skip
    if count := len(comparison.money):
        more = words("and {n} more", n=count - top) if count > top else None
        console.print(table(lines_section(comparison, words, top), words, more))
    else:
        say(words("no ledger line differs"))
    for _, title, frame, none in tables_of(comparison, words):
        if len(frame):
            print_frame(title, frame, console, words, top)
        else:
            say(none)
