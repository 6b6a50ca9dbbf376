"""Where a plan is written, and as what; its tables are checked before the folder is published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from planner.errors import PlanError
from planner.files.formats import checked_formats
from planner.files.output_folder import Content, replace_folder
from planner.language.language import LANGUAGES, language
from planner.message import Message
from planner.plan_tables.files import EXPORTS, FORMATS, PAGE, WORKBOOK
from planner.plan_tables.tables import PlanTables


@dataclass(frozen=True)
class Output:
    """A folder for a plan: an older plan in it is replaced.

    formats: of the schedule: csv, which is always written, parquet, xlsx; several in a tuple, or in
        a text with commas between them.
    lang: the language of the page and the workbook, en or zh.
    page: whether it gets report.html; `planner report` makes it at any time.
    """

    folder: str | Path
    formats: Sequence[str] = ("csv",)
    lang: str = "en"
    page: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "formats", checked_formats(self.formats, FORMATS))
        if self.lang not in LANGUAGES:
            known = ", ".join(LANGUAGES)
            raise PlanError(
                Message("language {name!r} is not known; there are {names}",
                        name=self.lang, names=known)
            )  # fmt: skip

    def write(
        self, plan: Writable, check: Callable[[Path], Writable | None] = lambda _: None
    ) -> Path:
        """Write the folder, whole or not at all; return its path.

        `check` gets a folder with the tables, which is published only where it raises nothing. It
        may correct the summary there; the plan that it then returns is the one that is shown.

        Raises:
            PlanError: the folder holds something else, or cannot be written.
        """

        def fill(new: Path) -> None:
            plan.write_tables(new, self.formats)
            (check(new) or plan).write_views(new, self)

        return replace_folder(self.folder, plan.content, fill)


class Writable(Protocol):
    """What an `Output` writes: a plan, or that of several members."""

    content: ClassVar[Content]

    def write_tables(self, folder: Path, formats: Sequence[str] = ...) -> None:
        """Write the tables into an existing empty folder."""

    def write_views(self, folder: Path, output: Output) -> None:
        """Write the pages and workbooks beside the tables, as far as `output` has them."""


def write_views(plan: PlanTables, folder: Path, output: Output) -> None:
    """Write the page and the workbook of a plan, as far as `output` has them."""
    words = language(output.lang)
    if output.page:
        from planner.report.plan_page.page import plan_page
        from planner.report.whole_page import whole_of

        exports = [name for name, form in EXPORTS.items() if form in output.formats]
        part = any(map(whole_of, (folder, Path(output.folder))))  # now, or once it is published
        page = plan_page(plan, words, exports, part=part)
        (folder / PAGE).write_text(page, encoding="utf-8")
    if "xlsx" in output.formats:
        from planner.report.workbook.workbook import write_workbook

        write_workbook(plan, folder / WORKBOOK, words)
