"""How the profit comes about: a waterfall of the ledger, cash first, then what is not cash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.style import (
    BLUE,
    GREY,
    ORANGE,
    YELLOW,
    axis,
    frame,
    marker,
    text,
)
from planner.report.charts.view import View

SMALL = 0.004  # of the turnover: less is gathered as other
LEAST_CNY = 1e-6
ROW_PX = 30


@dataclass(frozen=True)
class LedgerEntry:
    """A bar: what it is called, its amount in CNY, and where it begins."""

    name: str
    amount: float
    kind: str  # earned, spent, not_cash or total
    base: float = 0.0


def ledger_chart(view: View, words: Language) -> Chart | None:
    """How the profit comes about, CNY."""
    sums = _sums(view.plan.ledger)
    if not sums:
        return None
    entries = _entries(words, sums)
    kinds = {
        "earned": (words("earned"), BLUE, ""),
        "spent": (words("spent"), ORANGE, "/"),
        "not_cash": (words("not cash"), YELLOW, "x"),
        "total": (words("sum"), GREY, ""),
    }
    return Chart(
        key="ledger",
        title=words("How the profit comes about"),
        figure=waterfall(entries, kinds, words),
        table=_table(words, sums, float(view.plan.summary["objective_cny"])),
        caption=words(
            "From top to bottom: what is earned, what is spent, the sum in cash, then penalties and"
            " values of stored amounts, which are no cash. Lines below {share} of the turnover are"
            " gathered; the table has all of them.",
            share=f"{SMALL:.1%}",
        ),
    )


def waterfall(
    entries: list[LedgerEntry], kinds: dict[str, tuple[str, str, str]], words: Language
) -> dict[str, Any]:
    """Return bars from top to bottom, each from where the one above ends.

    Args:
        entries: the bars.
        kinds: kind -> its name, colour and pattern, in the order of the legend.
        words: the language of the unit.
    """
    reached = [entry.base + entry.amount for entry in entries] + [e.base for e in entries]
    largest = max(map(abs, reached))
    divisor, unit = words.scale("CNY", largest)
    if divisor == 1.0 and largest >= 1e6:
        divisor, unit = 1e6, words("million CNY")
    data = []
    for kind, (name, colour, shape) in kinds.items():
        of_kind = [(i, entry) for i, entry in enumerate(entries) if entry.kind == kind]
        if of_kind:
            amounts = [_amount(entry.amount / divisor, largest / divisor) for _, entry in of_kind]
            bars = _bars(of_kind, amounts, divisor, unit)
            data.append(bars | {"name": name, "marker": marker((colour, shape))})
    layout = frame(70 + ROW_PX * len(entries), len(data))
    span = (min(0.0, *reached) / divisor, max(0.0, *reached) / divisor)
    room = 0.22 * (span[1] - span[0])
    layout |= {
        "barmode": "overlay", "bargap": 0.3, "hovermode": "closest",
        "xaxis": axis(
            unit, zeroline=True, nticks=6, exponentformat="none", separatethousands=True,
            range=[span[0] - (room if span[0] < 0 else 0), span[1] + room],
        ),
        "yaxis": axis(
            tickmode="array", tickvals=list(range(len(entries))),
            ticktext=[text(entry.name) for entry in entries],
            range=[len(entries) - 0.5, -0.5], showgrid=False, fixedrange=True, zeroline=False,
        ),
    }  # fmt: skip
    layout["margin"]["t"] = 8
    return {"data": data, "layout": layout}


def _sums(ledger: pd.DataFrame) -> list[tuple[str, str, bool, float]]:
    """Return component, line, whether it is cash, and CNY of every line that is not 0."""
    grouped: Any = ledger.groupby(["component", "line", "cash"], sort=False)["amount_cny"].sum()
    return [
        (str(component), str(line), bool(cash), float(amount))
        for (component, line, cash), amount in grouped.items()
        if abs(amount) > LEAST_CNY
    ]


def _entries(words: Language, sums: list[tuple[str, str, bool, float]]) -> list[LedgerEntry]:
    """Return the bars from top to bottom; each begins where the one above ends."""
    least = SMALL * sum(abs(amount) for *_, amount in sums)
    groups = (
        ("earned", words("other income"), [s for s in sums if s[2] and s[3] > 0]),
        ("spent", words("other costs"), [s for s in sums if s[2] and s[3] < 0]),
        ("not_cash", words("other, not cash"), [s for s in sums if not s[2]]),
    )
    entries: list[LedgerEntry] = []
    reached = 0.0
    for kind, rest, lines in groups:
        if kind == "not_cash" and lines:
            entries.append(LedgerEntry(words("profit in cash"), reached, "total"))
        large = [line for line in lines if abs(line[3]) >= least]
        small = [line for line in lines if abs(line[3]) < least]
        if len(small) == 1:
            large, small = lines, []
        bars = [
            (f"{name}: {said(words, line)}", amount)
            for name, line, _, amount in sorted(large, key=lambda line: -abs(line[3]))
        ]
        if small:
            bars.append((f"{rest} ({len(small)})", sum(line[3] for line in small)))
        for name, amount in bars:
            entries.append(LedgerEntry(name, amount, kind, reached))
            reached += amount
    return [*entries, LedgerEntry(words("profit"), reached, "total")]


def said(words: Language, line: str) -> str:
    """Return a ledger line for people: export[renewable] is export of renewable."""
    bare, _, origin = line.removesuffix("]").partition("[")
    if not origin:
        return words.term(bare)
    return words("{line} from {origin}", line=words.term(bare), origin=words.term(origin))


def _bars(
    rows: list[tuple[int, LedgerEntry]], amounts: list[str], divisor: float, unit: str
) -> dict[str, Any]:
    names = [text(entry.name) for _, entry in rows]
    return {
        "type": "bar", "orientation": "h", "width": 0.7,
        "y": [row for row, _ in rows],
        "x": np.array([entry.amount for _, entry in rows]) / divisor,
        "base": np.array([entry.base for _, entry in rows]) / divisor,
        "text": amounts, "textposition": "outside", "cliponaxis": False, "textfont": {"size": 12},
        "customdata": [[name, amount] for name, amount in zip(names, amounts, strict=True)],
        "hovertemplate": "%{customdata[0]}<br>%{customdata[1]} " + unit + "<extra></extra>",
    }  # fmt: skip


def _amount(value: float, largest: float) -> str:
    """Return an amount with a true minus and the decimals that the largest one asks for."""
    decimals = 0 if largest >= 10_000 else 1 if largest >= 1000 else 2
    return f"{value:,.{decimals}f}".replace("-", "−")


def _table(
    words: Language, sums: list[tuple[str, str, bool, float]], objective: float
) -> pd.DataFrame:
    order = sorted(sums, key=lambda s: (not s[2], s[3] < 0, -abs(s[3])))
    cash = {True: words("cash"), False: words("not cash")}
    lines = [(name, said(words, line), cash[c], amount) for name, line, c, amount in order]
    lines.append((words("profit"), "", "", objective))
    labels = [
        words("component"),
        words("line"),
        words("kind"),
        f"{words('amount')} [{words('CNY')}]",
    ]
    return pd.DataFrame(lines, columns=labels)
