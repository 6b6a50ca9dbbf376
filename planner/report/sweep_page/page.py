"""report.html of a sweep folder: one file that opens without a network, each chart with its table.

Where cases have left plan folders, the numbers of cases and the points of charts lead to them.

What the page of a sweep says before anybody scrolls: what was varied, and what came out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from planner.language.language import ENGLISH, Language
from planner.plan_tables.files import PAGE
from planner.language.section import percent
from planner.report.charts.chart import Chart
from planner.report.sweep_page.charts import groups_of, moved_outputs
from planner.report.sweep_page.words import (
    amount,
    design_text,
    ended,
    failed,
    heading,
    short,
    status_text,
    titled,
)
from planner.report.template import MOST_ROWS, drawn, fill, rows_of
from planner.sweeps.analysis.analyses import Answers
from planner.sweeps.analysis.case_table import SOLVED, direction, is_number, levels
from planner.sweeps.sweep_folder import CASES_CSV, CASES_PARQUET, PLANS, SWEEP

MOST_VARIED, MOST_MATTER, MOST_VALUES = 8, 5, 8


@dataclass(frozen=True)
class Line:
    """A line of a card: what it is, and its value in words."""

    name: str
    said: str


@dataclass(frozen=True)
class Row:
    """An output in the base case and in the best one, in words; the difference may be unknown."""

    name: str
    base: str
    best: str
    difference: str


class Screen:
    """The facts of the first screen in words."""

    def __init__(self, found: Answers, words: Language) -> None:
        self.found, self.words = found, words
        self.output = found.outputs[0] if found.outputs else "objective_cny"
        self.factors = {n for n, a in found.sweep.varied.items() if a.kind.startswith("scale")}

    @property
    def all_good(self) -> bool:
        """Whether every case has a proven plan."""
        return bool((self.found.cases["status"] == "optimal").all())

    def word(self) -> str:
        """Return in a few words how the sweep ended."""
        if self.all_good:
            return self.words("Every case has its best plan, proven")
        lost = len(self.found.cases) - self.found.solved
        if lost:
            return self.words("{n} of {of} cases have no plan", n=lost, of=len(self.found.cases))
        return self.words("Every case has a plan, not every one is proven")

    def proof(self) -> str:
        """Return in a sentence what the gaps leave open."""
        gaps = self.found.cases.loc[self.found.cases["status"].isin(SOLVED), "gap"].dropna()
        if gaps.empty:
            return ""
        if not gaps.max():
            return self.words("No gap is left in any of them.")
        return self.words(
            "The largest gap left is {gap} of the turnover; smaller differences say nothing.",
            gap=percent(float(gaps.max()), 2),
        )

    def span(self) -> str:
        """Return how many cases there are, of what and by which design."""
        return self.words(
            "{n} cases of {base}, by design {design}",
            n=len(self.found.cases),
            base="/".join(Path(self.found.sweep.base).parts[-2:]),
            design=design_text(self.found.sweep.design, self.words),
        )

    def statuses(self) -> list[tuple[str, int, bool]]:
        """Return every status in words, how many cases ended so, and whether they have a plan."""
        counts = self.found.cases["status"].value_counts(sort=False)
        return [(ended(s, self.words), int(n), s in SOLVED) for s, n in counts.items()]

    def varied(self) -> list[Line]:
        """Return every axis with the values tried."""
        lines = []
        for name in self.found.axes:
            tried = levels(self.found.cases[name])
            if not tried:
                continue
            if len(tried) <= MOST_VALUES:
                said = self.words(", ").join(short(value, self.words) for value in tried)
            else:
                low, high = short(tried[0], self.words), short(tried[-1], self.words)
                said = self.words("{n} values, {low} to {high}", n=len(tried), low=low, high=high)
            if name in self.found.baseline and len(tried) > 1:
                base = short(self.found.baseline[name], self.words)
                said += self.words("; base {base}", base=base)
            lines.append(Line(self._axis(name), said))
        return lines

    def _axis(self, name: str) -> str:
        return titled(name, self.words, factor=name in self.factors)

    @property
    def best(self) -> dict[str, Any] | None:
        """The best case; None where no case has the first output."""
        if not len(self.found.best):
            return None
        row = {str(key): value for key, value in self.found.best.iloc[0].items()}
        return row if row.get(self.output) == row.get(self.output) else None

    def way(self) -> str:
        """Return which way the first output is better."""
        output = heading(self.output, self.words)
        if direction(self.output) == "min":
            return self.words("smallest {output}", output=output)
        return self.words("largest {output}", output=output)

    def big(self) -> str:
        """Return the first output of the best case."""
        return amount(self.output, (self.best or {}).get(self.output), self.words)

    def best_at(self) -> list[Line]:
        """Return the axes of the best case."""
        best = self.best or {}
        return [Line(self._axis(n), short(best[n], self.words)) for n in self.found.axes]

    def rows(self) -> list[Row]:
        """Return every output in the base case and in the best."""
        best, base = self.best, self.found.baseline
        if best is None:
            return []
        rows = []
        for name in self.found.outputs:
            one, other = base.get(name), best[name]
            known = is_number(one) and one == one and other == other
            change = amount(name, other - one, self.words) if known else "–"
            signed = f"+{change}" if known and other > one else change
            rows.append(Row(heading(name, self.words), amount(name, one, self.words),
                            amount(name, other, self.words), signed.replace("-", "−")))  # fmt: skip
        return rows

    def matters(self) -> list[Line]:
        """Return the axes that move the first output most, by swing or by total-order index."""
        words, found = self.words, self.found
        if self.output in found.indices:
            table = found.indices[self.output].table.head(MOST_MATTER)
            return [Line(self._axis(str(axis)), f"{total:.0%}")
                    for axis, total in zip(table["axis"], table["total"], strict=True)]  # fmt: skip
        if self.output not in found.tornados:
            return []
        table = found.tornados[self.output].head(MOST_MATTER)
        return [Line(self._axis(str(axis)), amount(self.output, swing, words))
                for axis, swing in zip(table["axis"], table["swing"], strict=True)]  # fmt: skip

    def still(self) -> str:
        """Return which outputs no case changes; empty where each is changed by some."""
        names = [n for n in self.found.outputs if n not in moved_outputs(self.found)]
        if not names or self.found.solved < 2:
            return ""
        names = [heading(name, self.words) for name in names]
        return self.words(
            "{names}: the same in every case, so without a chart.",
            names=self.words(", ").join(names),
        )

    def matters_said(self) -> str:
        """Return what the figures of `matters` are."""
        output = heading(self.output, self.words)
        if self.output in self.found.indices:
            return self.words(
                "share of the variance of {output}, interactions included", output=output
            )
        return self.words("swing of {output} over the values of each axis alone", output=output)

    def break_even(self) -> tuple[str, str] | None:
        """Return the value that was found, if any, and the sentence that tells it."""
        found = self.found.break_even
        if found is None:
            return None
        value = "" if found["value"] is None else amount(found["path"], found["value"], self.words)
        return value, self.words.sentence(found["text"])


FILES = (CASES_CSV, CASES_PARQUET, SWEEP, "answers.json", "breakeven.json")
CASES = ("case", "from_case", "to_case", "first_case", "first")
"""Columns of tables that hold numbers of cases; `first` is one in the table of failures only."""


def sweep_page(found: Answers, words: Language = ENGLISH, folder: Path | None = None) -> str:
    """Return the page of a sweep.

    Args:
        found: what the sweep says.
        words: the language of the page.
        folder: where the page will lie; what lies beside it is linked.
    """
    links = {} if folder is None else dict(_links(found, folder))
    factors = [name for name, axis in found.sweep.varied.items() if axis.kind.startswith("scale")]
    groups = [
        (key, title, [_chart(chart, links, words, factors) for chart in charts])
        for key, title, charts in groups_of(found, words)
    ]
    there = ["case", *found.axes, "status", "gap", *found.outputs]
    cases = found.best if found.solved else found.cases
    cases = cases[[name for name in dict.fromkeys(there) if name in cases]]
    said = Screen(found, words)
    lost = failed(found.failures, words)
    return fill(
        "sweep.html",
        words,
        found.sweep.name,
        sweep=found.sweep,
        said=said,
        groups=groups,
        notes=[*(words.sentence(note) for note in found.notes), *filter(None, [said.still()])],
        lost=_rows(lost, links, words, factors) if len(lost) else None,
        cases=_rows(cases, links, words, factors),
        count=len(cases),
        most_rows=MOST_ROWS,
        links=links,
        files=[name for name in FILES if folder is not None and (folder / name).is_file()],
    )


def _links(found: Answers, folder: Path) -> Iterator[tuple[int, str]]:
    """Yield the number of every case whose plan has a page, and the way there."""
    for number in map(int, found.cases["case"]):
        if (folder / PLANS / str(number) / PAGE).is_file():
            yield number, f"{PLANS}/{number}/{PAGE}"


def _chart(
    chart: Chart, links: dict[int, str], words: Language, factors: Collection[str]
) -> dict[str, Any]:
    """Return a chart as the template takes it."""
    cased = any("customdata" in trace and "text" in trace for trace in chart.figure["data"])
    leads = bool(links) and cased and not chart.key.startswith("tornado")
    said = [chart.said, words("Click a point to open the plan of the case.") if leads else ""]
    return drawn(chart, _rows(chart.table, links, words, factors)) | {
        "said": " ".join(text for text in said if text),
        "broad": chart.key == "matrix",
        "rest": words(
            "The first {shown} of {n} rows; cases.csv beside this page holds every case.",
            shown=MOST_ROWS,
            n=len(chart.table),
        ),
    }


def _rows(
    table: pd.DataFrame, links: dict[int, str], words: Language, factors: Collection[str]
) -> Any:
    """Return the head and the first rows of a table, headed by words, with links to plans."""
    shown = table.head(MOST_ROWS)
    said = {True: words("yes"), False: words("no")}
    texts: dict[str, Any] = {
        str(name): [said.get(v) if v in (True, False) else status_text(str(name), v, words)
               for v in shown[name]]
        for name in shown.columns
        if str(name).startswith("status") or pd.api.types.is_bool_dtype(shown[name])
    }  # fmt: skip
    shown = shown.assign(**texts)
    leading = {
        place: [links.get(value) for value in shown[name]]
        for place, name in enumerate(shown.columns)
        if name in CASES and pd.api.types.is_integer_dtype(shown[name])
    }
    named = shown.set_axis(
        [titled(str(n), words, factor=n in factors) for n in shown.columns], axis=1
    )
    return rows_of(named, leading)
