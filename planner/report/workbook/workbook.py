"""The workbook of a plan: summary, charts, schedule, allocation, ledger, and a sheet a day.

Numbers are those of the CSV, in the same units; only how they are shown differs. The same plan
gives the same bytes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from planner.report.workbook.cells import Book, local_times
from planner.report.workbook.charts import write_charts
from planner.report.workbook.summary import Summary
from planner.report.workbook.tables import (
    ledger_fits,
    write_allocation,
    write_days,
    write_ledger,
    write_schedule,
)

if TYPE_CHECKING:
    from planner.language.language import Language
    from planner.plan_tables.tables import PlanTables


def write_workbook(plan: PlanTables, path: Path, words: Language) -> None:
    """Write a plan as a workbook, in a language.

    Raises:
        OSError: the file cannot be written.
    """
    made = local_times(plan.schedule.index[:1])[0]
    with tempfile.TemporaryDirectory(prefix="planner-") as scratch:
        book = Book(str(path), words, plan.summary["name"], made, scratch)
        Summary(book, plan).write()
        charts = book.sheet(words("Charts"))
        schedule = write_schedule(book, plan)
        allocation = write_allocation(book, plan)
        if ledger_fits(plan):
            write_ledger(book, plan)
        write_days(book, plan)
        write_charts(book, plan, charts, schedule, allocation)
        book.close()
