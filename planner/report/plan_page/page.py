"""report.html of a plan folder: one file that opens without a network.

A content security policy keeps the page from loading anything from outside. Figures and reasons are
packed in it (see `template`) and drawn when they come near the screen; every chart has its table.
`report_plan` writes the page and the workbook of a folder again from its tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from planner.components.terms import Target
from planner.errors import PlanError
from planner.files.output_folder import claim, replace_file
from planner.language.language import Language
from planner.language.section import Section
from planner.local_time import clock_text
from planner.message import Message, MessageList
from planner.plan_tables import files
from planner.plan_tables.files import PAGE, WORKBOOK
from planner.plan_tables.folder import read_tables
from planner.plan_tables.tables import PlanTables
from planner.report import plan_sections
from planner.report.cautions import cautions_of
from planner.report.charts.registry import charts_of
from planner.report.charts.view import View
from planner.report.net_rows import net_table
from planner.report.plan_page.reasons import packed_reasons
from planner.report.plan_texts import rest_text, span_text
from planner.report.template import MOST_ROWS, drawn, fill, page_clock, rows_of
from planner.report.whole_page import whole_of
from planner.report.year_sections import year_sections


def plan_page(
    plan: PlanTables,
    words: Language,
    exports: Sequence[str] = (),
    cautions: Sequence[Message] = (),
    *,
    part: bool = False,
) -> str:
    """Return the page of a plan in a language.

    Args:
        plan: the plan.
        words: the language.
        exports: the files beside its tables.
        cautions: what is said at its top.
        part: link the page of the whole that it is part of.
    """
    words = words.in_currency(plan.scenario.currency)
    summary, horizon = plan.summary, plan.scenario.horizon
    reasons, explained = packed_reasons(plan, words)
    steps, scarce = scarce_steps(plan), plan_sections.scarce(plan, words).scaled(words)
    return fill(
        "page.html",
        words,
        plan.title,
        cautions=cautions,
        summary=summary,
        whole=f"../../{PAGE}" if part else None,
        span=span_text(summary, words),
        rest=rest_text(summary, words),
        vat=plan_sections.vat_text(summary["vat"], words),
        profit=profit_section(plan, words),
        worth=plan_sections.worth(plan, words),
        green=plan_sections.share_ranges(plan),
        targets=targets(plan, "energy"),
        services=targets(plan, "tokens"),
        energy=plan_sections.energy(plan, words).scaled(words),
        earned=plan_sections.earned(plan, words),
        sources=plan_sections.sources(plan, words),
        scarce=scarce,
        binding=plan_sections.binding(plan, words),
        scarce_steps=list(zip(steps, scarce.rows, strict=True)),
        clock_text=clock_text,
        year=[section.scaled(words) for section in year_sections(plan, words)],
        charts=[drawn(chart) for chart in charts_of(plan, words)],
        net=rows_of(net_table(plan, words, MOST_ROWS)),
        most_rows=MOST_ROWS,
        reasons=reasons,
        explained_until=None if explained in (0, horizon.steps) else horizon.starts[explained],
        files=_files(plan),
        exports=[*exports],
        clock=page_clock(View(plan).clock, explained, *steps[:1]),
    )


def profit_section(plan: PlanTables, words: Language) -> Section:
    """Return the profit by income and costs, its bound, and what it leaves after fixed costs."""
    summary = plan.summary
    income, costs = income_and_costs(plan)
    rows = [
        (words("from compute"), income["compute"]),
        (words("from grid sale"), income["export"]),
        (words("other income"), income["other"]),
        (words("costs"), costs),
    ]
    if summary["bound_cny"] is not None:
        rows.append((words("no plan earns more than"), summary["bound_cny"]))
    if summary["outside_objective_cny"]:
        label = words("cash after amortisation, levelized and fixed costs")
        rows.append((label, summary["net_after_outside_cny"]))
    return Section("", (), tuple(rows), "CNY").scaled(words)


def income_and_costs(plan: PlanTables) -> tuple[dict[str, float], float]:
    """Return the income of compute, of grid sale and of all other lines, and the costs.

    Each line counts by its sum over the horizon; costs are below zero.
    """
    income, costs = {"compute": 0.0, "export": 0.0, "other": 0.0}, 0.0
    for name, by_line in plan.summary["ledger_cny"].items():
        earns = plan.scenario.components[name].earns
        for line, amount in by_line.items():
            use = earns.get(line.partition("[")[0], "")
            if use in income:
                income[use] += amount
            elif amount > 0:
                income["other"] += amount
            else:
                costs += amount
    return income, costs


def targets(plan: PlanTables, quantity: str) -> list[tuple[str, Target]]:
    """Return the required shares of energy or tokens, with the components that require them."""
    figures = plan.summary["figures"]
    return [
        (plan.titled(name), target)
        for name, component in plan.scenario.components.items()
        for target in component.targets(figures.get(name, {}))
        if target.quantity == quantity
    ]


def scarce_steps(plan: PlanTables) -> list[int]:
    """Return the steps, from 0, with the costliest penalties, the costliest first."""
    starts = plan.scenario.horizon.starts
    times = pd.to_datetime([row["time"] for row in plan.summary["worst_hours"]], utc=True)
    return [int(step) for step in starts.get_indexer(times.tz_convert(starts.tz))]


def _files(plan: PlanTables) -> list[str]:
    """Return the tables beside the page."""
    prices = [files.PRICES] if plan.prices is not None else []
    green = [files.GREEN] if plan.scenario.trace else []
    tables = (files.SCHEDULE, files.ALLOCATION, files.LEDGER, files.WHY)
    return [*tables, *prices, *green, files.SUMMARY, files.SCENARIO]


def report_plan(
    folder: str | Path, words: Language, cautions: Sequence[Message] | None = None
) -> list[Path]:
    """Write report.html of a plan folder again, and schedule.xlsx where the folder has one.

    Each file is replaced as a whole, and none before all are ready; other files stay as they are,
    including those that are not part of a plan.

    Args:
        folder: the plan folder.
        words: the language of the files.
        cautions: the `cautions` of the folder [those of the folder, which must pass its audit].

    Returns:
        The files written.

    Raises:
        PlanError: the folder is no plan folder, fails its audit, another run is writing to it, or a
            file cannot be read or written.
    """
    with claim(folder, None) as target:
        plan = read_tables(target)
        notes = cautions_of(target) if cautions is None else cautions
        try:
            contents = _views(plan, target, words, notes)
        except (LookupError, TypeError, ValueError, AttributeError):
            if not notes:
                raise  # an error of this package, not of the folder
            text = Message("{path} cannot be shown", path=folder)
            raise PlanError(MessageList(": ", (text, notes[0]))) from None
        for name, content in contents.items():
            replace_file(target / name, content)
    return [Path(folder) / name for name in contents]


def _views(
    plan: PlanTables, folder: Path, words: Language, notes: Sequence[Message]
) -> dict[str, str | bytes]:
    """Return the page, and the workbook where the folder has one, by name."""
    exports = [name for name in files.EXPORTS if (folder / name).is_file()]
    whole = whole_of(folder)
    part = whole is not None and (whole / PAGE).is_file()
    page = plan_page(plan, words, exports, notes, part=part)
    contents: dict[str, str | bytes] = {PAGE: page}
    if (folder / WORKBOOK).is_file():
        from planner.report.workbook.workbook import write_workbook

        with TemporaryDirectory() as scratch:
            path = Path(scratch) / WORKBOOK
            write_workbook(plan, path, words, notes)
            contents[WORKBOOK] = path.read_bytes()
    return contents
