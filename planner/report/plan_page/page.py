"""report.html of a plan folder: one file that opens without a network.

A content security policy keeps the page from loading anything from outside. Figures and reasons are
packed in it (see `template`) and drawn when they come near the screen; every chart has its table.
`report_plan` writes the page and the workbook of a folder again from its tables.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from planner.auditor.audit import audit, require_complete
from planner.components.terms import Target
from planner.errors import PlanError
from planner.files.output_folder import claim, replace_file
from planner.language.language import Language
from planner.language.section import Section
from planner.message import Message
from planner.plan_tables import files
from planner.plan_tables.files import PAGE, WORKBOOK
from planner.plan_tables.folder import read_tables
from planner.plan_tables.tables import PlanTables
from planner.report import plan_sections
from planner.report.charts.registry import charts_of
from planner.report.plan_page.reasons import packed_reasons
from planner.report.template import MOST_ROWS, drawn, fill, page_clock
from planner.report.whole_page import whole_of
from planner.report.year_sections import year_sections


def plan_page(plan: PlanTables, words: Language, *, part: bool = False) -> str:
    """Return the page of a plan in a language; `part` links that of the whole it is part of."""
    summary, horizon = plan.summary, plan.scenario.horizon
    reasons, explained = packed_reasons(plan, words)
    steps, scarce = scarce_steps(plan), plan_sections.scarce(plan, words).scaled(words)
    return fill(
        "page.html",
        words,
        summary["name"],
        summary=summary,
        whole=f"../../{PAGE}" if part else None,
        span=plan_sections.span_text(summary, words),
        vat=plan_sections.vat_text(summary["vat"], words),
        profit=profit_section(plan, words),
        worth=plan_sections.worth(plan, words),
        green=plan_sections.share_ranges(plan),
        targets=targets(plan, "energy"),
        services=targets(plan, "tokens"),
        energy=plan_sections.energy(plan, words).scaled(words),
        earned=plan_sections.earned(plan, words),
        scarce=scarce,
        scarce_steps=list(zip(steps, scarce.rows, strict=True)),
        year=[section.scaled(words) for section in year_sections(plan, words)],
        charts=[drawn(chart) for chart in charts_of(plan, words)],
        most_rows=MOST_ROWS,
        reasons=reasons,
        explained_until=None if explained in (0, horizon.steps) else horizon.starts[explained],
        files=_files(plan),
        clock=page_clock(horizon.starts[0], horizon.step_min, horizon.steps, explained, *steps[:1]),
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
        (name, target)
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


def report_plan(folder: str | Path, words: Language) -> list[Path]:
    """Write report.html of a plan folder again, and schedule.xlsx where the folder has one.

    Each file is replaced as a whole, and none before all are ready; other files stay as they are,
    including those that are not part of a plan.

    Returns:
        The files written.

    Raises:
        PlanError: the folder is no plan folder, another run is writing to it, or a file cannot be
            read or written.
    """
    with claim(folder, None) as target:
        plan = read_tables(target)
        require_complete(target)
        whole = whole_of(target)
        part = whole is not None and (whole / PAGE).is_file()
        contents: dict[str, str | bytes] = {PAGE: _page(plan, target, words, part=part)}
        if (target / WORKBOOK).is_file():
            from planner.report.workbook.workbook import write_workbook

            with TemporaryDirectory() as scratch:
                path = Path(scratch) / WORKBOOK
                write_workbook(plan, path, words)
                contents[WORKBOOK] = path.read_bytes()
        for name, content in contents.items():
            replace_file(target / name, content)
    return [Path(folder) / name for name in contents]


def _page(plan: PlanTables, folder: Path, words: Language, *, part: bool) -> str:
    """Return the page of a folder.

    Raises:
        PlanError: the page cannot be made, because the folder breaks promises of plan folders; the
            message holds the first that the audit finds.
    """
    try:
        return plan_page(plan, words, part=part)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        breaches = audit(folder)
        if not breaches:
            raise  # an error of this package, not of the folder
        raise PlanError(
            Message(
                "{path} cannot be shown; promises of plan folders that it breaks: {n}; the first"
                " is: {sentence}",
                path=folder,
                n=len(breaches),
                sentence=breaches[0].with_place(),
            )
        ) from error
