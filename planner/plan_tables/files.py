"""Every file of a plan folder: its name, how it is written, and which plans have it.

An export format is one entry with its `format`: the choices of `--formats` and the files that a new
plan may replace follow from the list. csv is always written, because plans are read back from it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.files.csv_file import write_csv
from planner.files.format_mark import marked
from planner.files.formats import PARQUET
from planner.files.output_folder import Content, Mark
from planner.message import template

if TYPE_CHECKING:  # the command line lists the formats without importing pandas
    from planner.plan_tables.tables import PlanTables

SCENARIO, SERIES = "scenario.yaml", "series.csv"
SCHEDULE, ALLOCATION, LEDGER = "schedule.csv", "allocation.csv", "ledger.csv"
WHY, PRICES, GREEN = "why.csv", "prices.csv", "green.csv"
END_VALUES = "end_values.csv"
SUMMARY, INFEASIBLE = "summary.json", "infeasible.json"
PAGE, WORKBOOK = "report.html", "schedule.xlsx"
READ_BACK = "csv"


Write = Callable[["PlanTables", Path], object]


@dataclass(frozen=True)
class PlanFile:
    """A file of a plan folder.

    write: writes it from the tables of a plan; None if other code writes it.
    format: its export format, if it is one.
    only_if: whether a plan has it.
    """

    name: str
    write: Write | None = None
    format: str | None = None
    only_if: Callable[[PlanTables], bool] = lambda _: True


def table(name: str) -> Write:
    """Return the function that writes a table of a plan as CSV."""
    return lambda plan, path: write_csv(getattr(plan, name), path)


def json_text(value: object) -> str:
    """Return plain data as the text of a JSON file."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def marked_json(value: Mapping[str, Any]) -> str:
    """Return plain data as the text of a JSON file that marks its folder as the planner's."""
    return json_text(marked(value))


def write_summary(plan: PlanTables, folder: Path) -> None:
    """Write the summary of a plan beside its other tables."""
    (folder / SUMMARY).write_text(marked_json(plan.summary), encoding="utf-8")


FILES = (
    PlanFile(SCENARIO),  # `write_scenario`, with every default
    PlanFile(SERIES),  # beside it where a series varies
    PlanFile(SCHEDULE, table("schedule"), format=READ_BACK),
    PlanFile(ALLOCATION, table("allocation")),
    PlanFile(LEDGER, table("ledger")),
    PlanFile(WHY, table("reasons")),
    PlanFile(PRICES, table("prices"), only_if=lambda plan: plan.prices is not None),
    PlanFile(END_VALUES, table("end_values"), only_if=lambda plan: plan.end_values is not None),
    PlanFile(GREEN, table("green"), only_if=lambda plan: plan.scenario.trace),
    PlanFile(SUMMARY, lambda plan, path: write_summary(plan, path.parent)),
    PlanFile("schedule.parquet", lambda p, path: p.schedule.to_parquet(path), format=PARQUET),
    PlanFile(WORKBOOK, format="xlsx"),  # `write_views`, from all tables
    PlanFile(PAGE),  # likewise
    PlanFile(INFEASIBLE),  # `write_diagnosis`, where there is no plan
)
EXPORTS = {file.name: file.format for file in FILES if file.format not in (None, READ_BACK)}
FORMATS = tuple(file.format for file in FILES if file.format is not None)

NO_PLAN = Mark(
    INFEASIBLE,
    (frozenset({"status", "conflict", "changes"}), frozenset({"status", "lines"})),
)
PLAN_FOLDER = Content(
    mark=Mark(SUMMARY, (frozenset({"status", "objective_cny", "ledger_cny"}),)),
    foreign=template("{path} exists and is no plan folder; choose another"),
    known=frozenset(file.name for file in FILES),
    surplus=template(
        "{path} holds more than a plan ({names}), which a new plan would remove;"
        " move that away or choose another folder"
    ),
    alone=NO_PLAN,
)


def write_tables(plan: PlanTables, folder: Path, formats: Sequence[str]) -> None:
    """Write every file that holds tables of a plan."""
    chosen = {None, READ_BACK, *formats}
    for file in FILES:
        if file.write is not None and file.format in chosen and file.only_if(plan):
            file.write(plan, folder / file.name)
