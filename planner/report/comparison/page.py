"""The page of a comparison: two plans, or two cases of a sweep, in one file without a network."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from planner.errors import Problem, ScenarioError
from planner.language.language import ENGLISH, Language
from planner.plan_tables.files import PAGE
from planner.plan_tables.folder import read_tables
from planner.plan_tables.tables import PlanTables
from planner.report.charts.chart import Chart
from planner.report.charts.difference import columns_chart, common_clock, profit_chart
from planner.report.comparison.compare import Comparison, compare, compare_cases
from planner.report.comparison.lines import lines_chart
from planner.report.declaration import unfit
from planner.report.sweep_page.words import titled
from planner.report.template import MOST_ROWS, drawn, fill, rows_of
from planner.sweeps.sweep_folder import PLANS

TOP = 5  # lines of a card
SUFFIX = ".html"


def check_page(path: Path, folders: Sequence[Path]) -> None:
    """Judge, before anything is read, whether a page can be written to a file.

    Args:
        path: the file to write; one that is there is replaced.
        folders: plan folders, which are replaced whole and may not hold the file.

    Raises:
        ScenarioError: it cannot.
    """
    problems = []
    if path.suffix.lower() != SUFFIX:
        problems.append(f"must end in {SUFFIX}, is {str(path)!r}")
    try:
        problems += list(dict.fromkeys(filter(None, (unfit(path, folder) for folder in folders))))
    except (OSError, RuntimeError) as error:
        problems.append(f"cannot be written: {getattr(error, 'strerror', None) or error}")
    if problems:
        raise ScenarioError([Problem(said, path="--out") for said in problems])


def comparison_page(
    found: Comparison,
    words: Language = ENGLISH,
    plans: tuple[PlanTables, PlanTables] | None = None,
    pages: tuple[str | None, str | None] = (None, None),
) -> str:
    """Return the page of a comparison.

    Args:
        found: what differs.
        words: the language of the page.
        plans: both plans, where there are schedules to draw.
        pages: where the pages of A and B are, seen from this one.
    """
    charts = [lines_chart(found, words)] if len(found.money) else []
    clock = None if plans is None else common_clock(*plans)
    over_time: list[Chart] = []
    if plans is not None and clock is not None:
        if len(found.hours):
            over_time.append(profit_chart(*plans, *clock, words))
        names = [str(name) for name in found.columns["column"]]
        if (made := columns_chart(*plans, names, *clock, words)) is not None:
            over_time.append(made)
    tables = _tables(found, words)
    return fill(
        "comparison.html",
        words,
        words("Comparison of two plans"),
        found=found,
        said=Said(found, words),
        pages=pages,
        charts=[_chart(chart, words) for chart in [*charts, *over_time]],
        apart=plans is not None and clock is None,
        over_time=bool(over_time),
        tables=[(key, title, rows_of(table), len(table)) for key, title, table in tables],
        most_rows=MOST_ROWS,
        clock=None
        if clock is None
        else {
            "start": int((clock[0].first - pd.Timestamp("1970-01-01")) / pd.Timedelta("1ms")),
            "step": clock[0].step_min * 60_000, "steps": clock[0].steps, "told": 0, "first": 0,
        },
    )  # fmt: skip


def compared_pages(
    first: Path, second: Path | None, cases: Sequence[int], words: Language, out: Path
) -> tuple[Comparison, str]:
    """Compare two plan folders, or two cases of a sweep folder, for a page in a file.

    Returns:
        What differs, and the page.

    Raises:
        PlanError: a folder cannot be read.
        ScenarioError: the file cannot be written, or there is no such case.
    """
    if second is None:
        folders = [first / PLANS / str(number) for number in cases]
        check_page(out, folders)
        if out.resolve() == (first / PAGE).resolve():
            said = f"{out} is the page of the sweep; choose another name"
            raise ScenarioError([Problem(said, path="--out")])
        found = compare_cases(first, *cases)
        plans = None
    else:
        folders = [first, second]
        check_page(out, folders)
        plans = read_tables(first), read_tables(second)
        found = dataclasses.replace(compare(*plans), a=str(first), b=str(second))
    one, two = (page_beside(out, folder) for folder in folders)
    return found, comparison_page(found, words, plans, (one, two))


def page_beside(path: Path, folder: Path) -> str | None:
    """Return the way from a page to that of a plan folder; None where that has none."""
    page = folder / PAGE
    if not page.is_file():
        return None
    return Path(os.path.relpath(page.resolve(), path.absolute().parent.resolve())).as_posix()


def _chart(chart: Chart, words: Language) -> dict[str, Any]:
    return drawn(chart) | {
        "rest": words(
            "The first {shown} of {n} rows; schedule.csv in the plan folders holds every step.",
            shown=MOST_ROWS,
            n=len(chart.table),
        ),
    }


def _tables(found: Comparison, words: Language) -> list[tuple[str, str, pd.DataFrame]]:
    """Return key, title and rows of every table that holds something."""
    cny = words("CNY")
    inputs = found.inputs
    if words.code != "en":
        inputs = inputs.assign(**{side: inputs[side].map(words.sentence) for side in ("a", "b")})
    inputs = inputs.assign(path=[words.path(str(path)) for path in inputs["path"]])
    figures = found.figures.assign(figure=[titled(str(n), words) for n in found.figures["figure"]])
    made = [
        ("inputs", words("Inputs that differ"), inputs, {"path": words("input")}),
        ("figures", words("Figures that differ"), figures, {"figure": words("figure")}),
    ]
    if not found.hours_unknown:
        columns = found.columns
        if len(columns):
            columns = columns.assign(column=[words.label(str(c)) for c in columns["column"]])
        made += [
            ("hours", words("Hours by money moved"), found.hours,
             {"time": words("time"), "difference_cny": f"{words('difference')} [{cny}]",
              "moved_cny": f"{words('moved')} [{cny}]", "columns": words("columns that differ"),
              "a": f"A [{cny}]", "b": f"B [{cny}]"}),
            ("columns", words("Schedule, where a column differs most"), columns,
             {"column": words("column"), "steps": words("steps"), "moved": words("moved"),
              "time": words("time")}),
        ]  # fmt: skip
    both = {"a": "A", "b": "B", "difference": words("difference")}
    return [(key, title, table.rename(columns={**both, **names}))
            for key, title, table, names in made if len(table)]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Said:
    """The facts of the first screen in words."""

    found: Comparison
    words: Language

    @property
    def change(self) -> float:
        """What B earns more than A, CNY."""
        return self.found.profit_b_cny - self.found.profit_a_cny

    def cny(self, value: float, sign: str = "") -> str:
        """Return money to the cent below a million, else as the page of a plan."""
        large = abs(value) >= 1e6 or self.words.scale("CNY", value)[0] > 1
        cents = f"{value + 0.0:,.2f} {self.words('CNY')}"
        text = self.words.amount(value, "CNY") if large else cents
        text = f"+{text}" if sign and value > 0 else text
        return text.replace("-", "−")

    def share(self) -> str:
        """Return the difference as a share of the profit of A."""
        base = abs(self.found.profit_a_cny)
        if not base or not self.change:
            return ""
        return self.words("{share} of the profit of A", share=f"{self.change / base:+.2%}")

    def word(self) -> str:
        """Return in a few words which plan earns more."""
        if self.found.equal:
            return self.words("The two plans are equal")
        if abs(self.change) < 0.005:
            return self.words("Both earn the same")
        return self.words("B earns more") if self.change > 0 else self.words("B earns less")

    @property
    def open_cny(self) -> float | None:
        """What the proofs of both plans leave open, CNY; None where it is not known."""
        gaps = [
            max(bound - profit, 0.0)
            for bound, profit in (
                (self.found.bound_a_cny, self.found.profit_a_cny),
                (self.found.bound_b_cny, self.found.profit_b_cny),
            )
        ]
        return None if any(gap != gap for gap in gaps) else sum(gaps)

    @property
    def sure(self) -> bool:
        """Whether the difference is more than what the proofs leave open."""
        return self.open_cny is not None and abs(self.change) >= self.open_cny

    def proof(self) -> str:
        """Return whether better plans of either side could turn the difference around."""
        if self.open_cny is None:
            return self.words(
                "Of one of them no bound is known: nothing says that a better plan of it would not"
                " turn this around."
            )
        if self.open_cny < 0.005:
            return self.words("Both are proven: the difference is that of the inputs.")
        opened = self.cny(self.open_cny)
        if self.sure:
            return self.words(
                "The proofs leave {open} open, less than the difference.", open=opened
            )
        return self.words(
            "The proofs leave {open} open, more than the difference:"
            " which is better is not proven.",
            open=opened,
        )

    def money(self) -> list[tuple[str, str]]:
        """Return the lines that differ most."""
        from planner.report.charts.ledger import said

        rows = self.found.money.head(TOP).itertuples()
        return [(f"{row.component} {said(self.words, str(row.line))}",
                 self.cny(float(str(row.difference_cny)), "+")) for row in rows]  # fmt: skip

    def inputs(self) -> list[tuple[str, str]]:
        """Return the first inputs that differ."""
        rows = self.found.inputs.head(TOP).itertuples()
        return [
            (
                self.words.path(str(row.path)),
                " → ".join(self.words.sentence(str(v)) or "–" for v in (row.a, row.b)),
            )
            for row in rows
        ]

    def energy(self) -> list[tuple[str, str]]:
        """Return the energies by origin and use that differ most, in MWh."""
        figures = self.found.figures
        mine = figures[figures["figure"].astype(str).str.startswith("allocation_mwh.")]
        order = mine["difference"].abs().sort_values(ascending=False, kind="stable").index
        found = []
        for row in mine.loc[order].head(TOP).itertuples():
            change = self.words.amount(float(str(row.difference)), "MWh").replace("-", "−")
            sign = "+" if float(str(row.difference)) > 0 else ""
            _, origin, use = str(row.figure).split(".")
            name = f"{self.words.term(origin)} → {self.words.term(use)}"
            found.append((name, f"{sign}{change}"))
        return found
