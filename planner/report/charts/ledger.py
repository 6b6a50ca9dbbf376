"""The waterfall of the profit: ledger lines in cash first, then the lines that are not cash."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from planner.language.language import Language
from planner.language.section import Quantity, money_decimals
from planner.language.section import text as cell_text
from planner.report.charts.chart import Chart
from planner.report.charts.style import (
    BLUE,
    GREY,
    ORANGE,
    YELLOW,
    axis,
    chart_scale,
    frame,
    marker,
    text,
)
from planner.report.charts.view import View
from planner.report.plan_sections import line_label

SMALL = 0.004  # of the turnover: smaller lines are combined
LEAST_CNY = 1e-6
ROW_PX = 30


@dataclass(frozen=True)
class ProfitBar:
    """A bar of a waterfall, in CNY, of a kind that has a style and an entry in the legend."""

    name: str
    amount: float
    kind: str
    base: float = 0.0


class LineSum(NamedTuple):
    """The sum of a ledger line over the horizon, in CNY."""

    component: str
    line: str
    cash: bool
    amount: float


def ledger_chart(view: View, words: Language) -> Chart | None:
    """The profit by ledger line, CNY."""
    sums = _sums(view.plan.ledger)
    if not sums:
        return None
    kinds = {
        "income": (words("income"), BLUE, ""),
        "cost": (words("costs"), ORANGE, "/"),
        "not_cash": (words("not cash"), YELLOW, "x"),
        "total": (words("sum"), GREY, ""),
    }
    return Chart(
        key="ledger",
        title=words("Composition of the profit"),
        figure=waterfall(_bars(words, sums), kinds, words),
        table=_table(words, sums, float(view.plan.summary["objective_cny"])),
        caption=words(
            "From top to bottom: income, costs, the profit in cash, then penalties and values of"
            " stored amounts, which are not cash. Lines below {share} of the turnover are combined;"
            " the table lists all of them.",
            share=f"{SMALL:.1%}",
        ),
    )


def waterfall(
    bars: Sequence[ProfitBar],
    kinds: dict[str, tuple[str, str, str]],
    words: Language,
    *,
    signed: Collection[str] = (),
    from_zero: bool = True,
) -> dict[str, Any]:
    """Return bars from top to bottom, each beginning where the one above ends.

    Args:
        bars: from top to bottom.
        kinds: kind -> its name, colour and pattern, in the order of the legend.
        words: the language of the unit.
        signed: kinds whose amounts have a sign.
        from_zero: whether the axis begins at zero, also where the bars lie far from it.
    """
    lines = [abs(bar.amount) for bar in bars if bar.kind != "total"]
    divisor, unit = chart_scale("CNY", max(abs(bar.base + bar.amount) for bar in bars), words)
    decimals = money_decimals(divisor, max(lines, default=0.0))
    data = []
    for kind, (name, colour, shape) in kinds.items():
        rows = [row for row, bar in enumerate(bars) if bar.kind == kind]
        of_kind = [bars[row] for row in rows]
        amounts = [
            cell_text(Quantity(bar.amount / divisor, "", decimals, kind in signed), words)
            for bar in of_kind
        ]
        if of_kind:
            data.append({
                "type": "bar", "orientation": "h", "width": 0.7, "name": name,
                "marker": marker((colour, shape)), "y": rows,
                "x": np.array([bar.amount for bar in of_kind]) / divisor,
                "base": np.array([bar.base for bar in of_kind]) / divisor,
                "text": amounts, "textposition": "outside", "cliponaxis": False,
                "textfont": {"size": 12},
                "customdata": [
                    [text(bar.name), amount] for bar, amount in zip(of_kind, amounts, strict=True)
                ],
                "hovertemplate": f"%{{customdata[0]}}<br>%{{customdata[1]}} {unit}<extra></extra>",
            })  # fmt: skip
    layout = frame(70 + ROW_PX * len(bars), len(data))
    layout |= {
        "barmode": "overlay", "bargap": 0.3, "hovermode": "closest",
        "xaxis": axis(
            unit, zeroline=True, nticks=6, exponentformat="none", separatethousands=True,
            range=[edge / divisor for edge in _span(bars, from_zero)],
        ),
        "yaxis": axis(
            tickmode="array", tickvals=list(range(len(bars))),
            ticktext=[text(bar.name) for bar in bars],
            range=[len(bars) - 0.5, -0.5], showgrid=False, fixedrange=True, zeroline=False,
        ),
    }  # fmt: skip
    layout["margin"]["t"] = 8
    return {"data": data, "layout": layout}


def _span(bars: Sequence[ProfitBar], from_zero: bool) -> tuple[float, float]:
    """Return the ends of the axis, with room for the amounts beside the bars."""
    ends = [bar.base + bar.amount for bar in bars]
    low, high = min(ends), max(ends)
    room = 0.35 * (high - low)
    if not from_zero and room and not low - room <= 0 <= high + 2 * room:
        return low - room, high + 2 * room
    low, high = min(low, 0.0), max(high, 0.0)
    room = 0.22 * (high - low)
    return low - (room if low < 0 else 0), high + room


def _sums(ledger: pd.DataFrame) -> list[LineSum]:
    """Return the sum of every ledger line that is not 0."""
    grouped: Any = ledger.groupby(["component", "line", "cash"], sort=False)["amount_cny"].sum()
    return [
        LineSum(str(component), str(line), bool(cash), float(amount))
        for (component, line, cash), amount in grouped.items()
        if abs(amount) > LEAST_CNY
    ]


def _bars(words: Language, sums: list[LineSum]) -> list[ProfitBar]:
    """Return the bars from top to bottom, each beginning where the one above ends."""
    least = SMALL * sum(abs(one.amount) for one in sums)
    groups = (
        ("income", words("other income"), [one for one in sums if one.cash and one.amount > 0]),
        ("cost", words("other costs"), [one for one in sums if one.cash and one.amount < 0]),
        ("not_cash", words("other, not cash"), [one for one in sums if not one.cash]),
    )
    bars: list[ProfitBar] = []
    reached = 0.0
    for kind, rest, lines in groups:
        if kind == "not_cash" and lines:
            bars.append(ProfitBar(words("profit in cash"), reached, "total"))
        large = [line for line in lines if abs(line.amount) >= least]
        small = [line for line in lines if abs(line.amount) < least]
        if len(small) == 1:
            large, small = lines, []
        named = [
            (f"{line.component}{words(': ')}{line_label(line.line, words)}", line.amount)
            for line in sorted(large, key=lambda line: -abs(line.amount))
        ]
        if small:
            label = words("{label} ({n})", label=rest, n=len(small))
            named.append((label, sum(line.amount for line in small)))
        for name, amount in named:
            bars.append(ProfitBar(name, amount, kind, reached))
            reached += amount
    return [*bars, ProfitBar(words("profit"), reached, "total")]


def _table(words: Language, sums: list[LineSum], objective: float) -> pd.DataFrame:
    order = sorted(sums, key=lambda one: (not one.cash, one.amount < 0, -abs(one.amount)))
    cash = {True: words("cash"), False: words("not cash")}
    lines = [
        (one.component, line_label(one.line, words), cash[one.cash], one.amount) for one in order
    ]
    lines.append((words("profit"), "", "", objective))
    amount = f"{words('amount')} [{words('CNY')}]"
    return pd.DataFrame(lines, columns=[words("component"), words("line"), words("kind"), amount])
