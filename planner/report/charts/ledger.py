"""The waterfall of the profit: ledger lines in cash first, then the lines that are not cash."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from planner.language.language import Language
from planner.language.section import Quantity, money_decimals
from planner.language.section import text as cell_text
from planner.plan_tables.tables import LEAST_CNY, PlanTables
from planner.report.charts.chart import Chart
from planner.report.charts.style import (
    BLUE,
    GREY,
    ORANGE,
    PLAIN,
    YELLOW,
    axis,
    bar_share,
    chart_scale,
    folded,
    marker,
    named_rows,
)
from planner.report.charts.view import View
from planner.report.plan_sections import line_label

SMALL = 0.004  # of the turnover: smaller lines are combined
NAME_LETTERS = 46  # of a line of a name above its bar


class ProfitBar(NamedTuple):
    """A bar of a waterfall, in CNY, of a kind that has a style and an entry in the legend.

    Bars of the kind `total` begin at zero, all others where the one above ends.
    """

    name: str
    amount: float
    kind: str


def ledger_chart(view: View, words: Language) -> Chart | None:
    """The profit by ledger line, CNY."""
    sums = _sums(view.plan)
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
    """Return the figure of a waterfall.

    Args:
        bars: from top to bottom.
        kinds: kind -> its name, colour and pattern, in the order of the legend.
        words: the language of the unit.
        signed: kinds whose amounts have a sign.
        from_zero: whether the axis begins at zero, also where the bars lie far from it.
    """
    amounts = [abs(bar.amount) for bar in bars if bar.kind != "total"]
    bases, ends = [], [0.0]
    for bar in bars:
        bases.append(0.0 if bar.kind == "total" else ends[-1])
        ends.append(bases[-1] + bar.amount)
    divisor, unit = chart_scale("CNY", max(map(abs, ends)), words)
    decimals = money_decimals(divisor, max(amounts, default=0.0))
    names = [folded(bar.name, NAME_LETTERS) for bar in bars]
    thick = bar_share(names)
    data = []
    for kind, (name, colour, shape) in kinds.items():
        rows = [row for row, bar in enumerate(bars) if bar.kind == kind]
        of_kind = [bars[row] for row in rows]
        texts = [
            cell_text(Quantity(bar.amount / divisor, "", decimals, kind in signed), words)
            for bar in of_kind
        ]
        if of_kind:
            data.append({
                "type": "bar", "orientation": "h", "width": thick, "offset": 0, "name": name,
                "marker": marker((colour, shape)), "y": rows,
                "x": np.array([bar.amount for bar in of_kind]) / divisor,
                "base": np.array([bases[row] for row in rows]) / divisor,
                "text": texts, "textposition": "outside", "cliponaxis": False,
                "textfont": {"size": 12},
                "customdata": [
                    [names[row], amount] for row, amount in zip(rows, texts, strict=True)
                ],
                "hovertemplate": f"%{{customdata[0]}}<br>%{{customdata[1]}} {unit}<extra></extra>",
            })  # fmt: skip
    across = axis(
        unit, zeroline=True, nticks=6, **PLAIN,
        range=[edge / divisor for edge in _span(ends[1:], from_zero)],
    )  # fmt: skip
    layout = named_rows(names, across, len(data))
    layout["margin"]["t"] = 8
    return {"data": data, "layout": layout}


def _span(ends: Sequence[float], from_zero: bool) -> tuple[float, float]:
    """Return the ends of the axis, with room for the amounts beside the bars."""
    low, high = min(ends), max(ends)
    room = 0.35 * (high - low)
    if not from_zero and room and not low - room <= 0 <= high + 2 * room:
        return low - room, high + 2 * room
    low, high = min(low, 0.0), max(high, 0.0)
    room = 0.22 * (high - low)
    return low - (room if low < 0 else 0), high + room


def _sums(plan: PlanTables) -> list[Any]:
    """Return component, line, cash and amount_cny of every ledger line whose sum is not 0."""
    keys = ["component", "line", "cash"]
    sums = plan.ledger.groupby(keys, sort=False)["amount_cny"].sum()
    rows = sums[sums.abs() > LEAST_CNY].reset_index()
    rows["component"] = rows["component"].map(plan.titled)
    return list(rows.itertuples(index=False))


def _bars(words: Language, sums: list[Any]) -> list[ProfitBar]:
    """Return the bars from top to bottom; small lines are combined."""
    least = SMALL * sum(abs(one.amount_cny) for one in sums)

    def bars_of(kind: str, rest: str, lines: list[Any]) -> list[ProfitBar]:
        large = [line for line in lines if abs(line.amount_cny) >= least]
        small = [line.amount_cny for line in lines if abs(line.amount_cny) < least]
        if len(small) == 1:
            large, small = lines, []
        bars = [
            ProfitBar(f"{one.component}{words(': ')}{line_label(one.line, words)}",
                      one.amount_cny, kind)
            for one in sorted(large, key=lambda line: -abs(line.amount_cny))
        ]  # fmt: skip
        if small:
            label = words("{label} ({n})", label=rest, n=len(small))
            bars.append(ProfitBar(label, sum(small), kind))
        return bars

    in_cash = [one for one in sums if one.cash]
    cash = [
        *bars_of("income", words("other income"), [one for one in in_cash if one.amount_cny > 0]),
        *bars_of("cost", words("other costs"), [one for one in in_cash if one.amount_cny < 0]),
    ]
    profit = sum(bar.amount for bar in cash)
    not_cash = [one for one in sums if not one.cash]
    if not_cash:
        cash.append(ProfitBar(words("profit in cash"), profit, "total"))
    other = bars_of("not_cash", words("other, not cash"), not_cash)
    profit = sum((bar.amount for bar in other), profit)
    return [*cash, *other, ProfitBar(words("profit"), profit, "total")]


def _table(words: Language, sums: list[Any], objective: float) -> pd.DataFrame:
    order = sorted(sums, key=lambda one: (not one.cash, one.amount_cny < 0, -abs(one.amount_cny)))
    cash = {True: words("cash"), False: words("not cash")}
    lines = [
        (one.component, line_label(one.line, words), cash[one.cash], one.amount_cny)
        for one in order
    ]
    lines.append((words("profit"), "", "", objective))
    amount = f"{words('amount')} [{words('CNY')}]"
    return pd.DataFrame(lines, columns=[words("component"), words("line"), words("kind"), amount])
