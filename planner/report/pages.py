"""The page and the workbook of a plan folder, written again from its tables."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from planner.auditor.audit import demand_whole
from planner.errors import PlanError
from planner.files.output_folder import claim, replace_file
from planner.language.language import Language
from planner.plan_tables.files import PAGE, WORKBOOK
from planner.plan_tables.folder import read_tables
from planner.plan_tables.tables import PlanTables
from planner.report.plan_page.page import plan_page


def report_plan(folder: str | Path, words: Language) -> list[Path]:
    """Write report.html of a plan folder again, and schedule.xlsx where the folder has one.

    Each file is replaced whole, and none before all are made; other files stay as they are, also
    those that are no part of a plan.

    Returns:
        The files written.

    Raises:
        PlanError: it is no plan folder, another run is writing to it, or a file cannot be read or
            written.
    """
    with claim(folder, None) as target:
        plan = read_tables(target)
        demand_whole(target)
        made: dict[str, str | bytes] = {PAGE: _page(plan, target, words)}
        if (target / WORKBOOK).is_file():
            from planner.report.workbook.workbook import write_workbook

            with TemporaryDirectory() as scratch:
                path = Path(scratch) / WORKBOOK
                write_workbook(plan, path, words)
                made[WORKBOOK] = path.read_bytes()
        for name, content in made.items():
            replace_file(target / name, content)
    return [Path(folder) / name for name in made]


def _page(plan: PlanTables, folder: Path, words: Language) -> str:
    """Return the page; where what it needs is not in the folder, the audit says what was changed.

    Raises:
        PlanError: the folder breaks a promise of plan folders.
    """
    try:
        return plan_page(plan, words)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        from planner.auditor.audit import audit

        breaches = audit(folder)
        if not breaches:
            raise  # then the mistake is not that of the folder
        raise PlanError(
            f"{folder} cannot be shown, for it breaks {len(breaches)} promises: {breaches[0]}"
        ) from error
