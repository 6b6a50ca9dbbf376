"""A comparison of two plans as people see it on a terminal."""

from __future__ import annotations

from rich.console import Console

from planner.language.language import ENGLISH, Language
from planner.report.comparison.compare import Comparison
from planner.report.comparison.lines import lines_section
from planner.report.comparison.tables import tables_of
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
    profits = (f"{profit:,.2f}" for profit in (comparison.profit_a_cny, comparison.profit_b_cny))
    change = f"[bold]{comparison.change_cny:+,.2f}[/]"
    a, b = profits
    say(words("profit {a} in A, {b} in B: {change} CNY", a=a, b=b, change=change))
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
