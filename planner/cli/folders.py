"""Commands on files: audit, compare and report read folders, schema describes inputs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import planner
from planner.cli.options import IN_ENGLISH, Quiet, Unaudited, Words
from planner.cli.outcome import JsonDocument, Outcome
from planner.cli.terminal import say, warn
from planner.errors import PlanError, wrong
from planner.files.output_folder import replace_file
from planner.message import Message
from planner.plan_tables.files import INFEASIBLE, SUMMARY

if TYPE_CHECKING:
    from rich.console import Console

    from planner.language.language import Language


def audit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Plan folder.")],
    words: Words = IN_ENGLISH,  # noqa: ARG001
    quiet: Quiet = False,  # noqa: ARG001
) -> Outcome:
    """Audit a plan folder, independently of the model that made it."""
    from planner.auditor.audit import describe_breaches
    from planner.report.cautions import earlier_run

    breaches = planner.audit(folder)
    error = None
    if breaches:
        head = Message("{path} breaks promises: {n}", path=folder, n=len(breaches))
        error = PlanError(describe_breaches(head, breaches))
    warnings = [*filter(None, [earlier_run(folder)])]

    def document() -> JsonDocument:
        from planner.cli.document_builders import audit_document

        return audit_document(folder, breaches, warnings)

    def show(console: Console, words: Language) -> None:
        if not breaches:
            warn(console, words, warnings)
            say(console, words("{folder}: every rule and every figure holds", folder=folder))

    return Outcome(document, show, error=error)


def compare(
    first: Annotated[Path, typer.Argument(metavar="DIR", help="Plan folder A, or a sweep folder.")],
    second: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="Plan folder B.")] = None,
    case: Annotated[
        list[int] | None, typer.Option(metavar="N", help="Two cases of a sweep folder, instead.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Rows of each table.")] = 15,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write it as a page (.html) too."),
    ] = None,
    unaudited: Unaudited = False,
    words: Words = IN_ENGLISH,
) -> Outcome:
    """Compare two plans: inputs, money, figures and hours."""
    from planner.report.comparison.compare_cases import compare_cases
    from planner.report.comparison.tables import show_comparison

    cases = case or []
    if len(cases) != (2 if second is None else 0):
        message = Message("needs two plan folders, or a sweep folder and --case twice")
        raise wrong("planner compare", message)
    if out is not None:
        from planner.report.comparison.page import compared_pages

        comparison, page = compared_pages(first, second, cases, words, out, unaudited=unaudited)
        replace_file(out, page)
    elif second is None:
        comparison = compare_cases(first, *cases)
    else:
        comparison = planner.compare(first, second, unaudited=unaudited)

    def document() -> JsonDocument:
        from planner.cli.document_builders import compare_document

        return compare_document(comparison, out)

    def show(console: Console, words: Language) -> None:
        warn(console, words, comparison.cautions)
        show_comparison(comparison, console, top, words)
        if out is not None:
            say(console, str(out))

    return Outcome(document, show, out)


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that was written.")],
    unaudited: Unaudited = False,
    words: Words = IN_ENGLISH,
    quiet: Quiet = False,  # noqa: ARG001
) -> Outcome:
    """Write the pages of a plan, sweep or simulation folder again; print a sweep's analyses."""
    from planner.report.whole_page import report_whole
    from planner.sweeps.analysis.analyses import read_analyses

    cautions: list[Message] = []
    analyses = None
    if plans := _plans_in(folder):
        cautions, written = _report_plans(folder, plans, words, unaudited=unaudited)
    elif not (written := report_whole(folder, words)):
        written = _report_sweep(folder, words)
        analyses = read_analyses(folder)

    def document() -> JsonDocument:
        from planner.cli.document_builders import report_document

        return report_document(folder, written, analyses, cautions)

    def show(console: Console, words: Language) -> None:
        from planner.report.sweep_page.report_sweep import show_sweep

        warn(console, words, cautions)
        if analyses is not None:
            show_sweep(analyses, console, words)
        for path in written:
            say(console, str(path))

    return Outcome(document, show, folder)


def schema(
    what: Annotated[
        str, typer.Argument(metavar="[scenario|sweep|json]", help="Kind of file, or --json.")
    ] = "scenario",
    words: Words = IN_ENGLISH,
) -> Outcome:
    """Print the JSON Schema of scenario or sweep files, for editors, or of what --json prints."""
    from planner.cli.documents import SchemaDocument, documents_schema
    from planner.scenario.json_schema import scenario_schema
    from planner.sweeps.sweep_file import sweep_schema

    schemas = {"scenario": scenario_schema, "sweep": sweep_schema, "json": documents_schema}
    if what not in schemas:
        message = Message("must be scenario, sweep or json, is {value!r}", value=what)
        raise wrong("planner schema", message)
    described = words.described(schemas[what]())

    def show(*_: object) -> None:
        sys.stdout.write(json.dumps(described, indent=2) + "\n")

    return Outcome(lambda: SchemaDocument(schema=described), show)


def _plans_in(folder: Path) -> list[Path]:
    """Return the plan folders in a folder: itself, or those of its members or policies."""
    from planner.plan_tables.simulation import FACTS, PLANS
    from planner.plan_tables.stochastic import MEMBERS, STOCHASTIC

    if (folder / SUMMARY).is_file():
        return [folder]
    for mark, inside in ((STOCHASTIC, MEMBERS), (FACTS, PLANS)):
        if (folder / mark).is_file():
            return sorted(path.parent for path in (folder / inside).glob(f"*/{SUMMARY}"))
    return []


def _report_plans(
    folder: Path, plans: Sequence[Path], words: Language, *, unaudited: bool
) -> tuple[list[Message], list[Path]]:
    """Write the pages of plans and of their whole again, once all have passed their audit.

    Returns:
        What must be known first, and the pages.

    Raises:
        PlanError: one has not, or a file cannot be read or written.
    """
    from planner.plan_tables.simulation import FACTS
    from planner.plan_tables.stochastic import STOCHASTIC
    from planner.report.cautions import cautions_of, cautions_of_simulation
    from planner.report.plan_page.page import report_plan
    from planner.report.whole_page import report_whole

    of_members = (folder / STOCHASTIC).is_file()  # its audit is theirs too
    audited = [folder] if of_members else plans
    cautions = {path: cautions_of(path, unaudited=unaudited) for path in audited}
    texts = [text for of_plan in cautions.values() for text in of_plan]
    if (folder / FACTS).is_file():
        texts += cautions_of_simulation(folder, unaudited=unaudited)
    written = report_whole(folder, words, texts)
    for plan in plans:
        written += report_plan(plan, words, cautions.get(plan, cautions.get(folder)))
    return texts, written


def _report_sweep(folder: Path, words: Language) -> list[Path]:
    """Write the page and the analyses of a sweep again. Raises PlanError."""
    from planner.report.sweep_page.report_sweep import report_sweep
    from planner.sweeps.result import SWEEP

    if not (folder / SWEEP).is_file():
        if (folder / INFEASIBLE).is_file():
            message = Message(
                "{path} holds no plan: see {file} in it", path=folder, file=INFEASIBLE
            )
            raise PlanError(message)
        raise PlanError(
            Message(
                "{path} is neither a plan folder nor a sweep folder: it has no {summary} and no"
                " {sweep}",
                path=folder, summary=SUMMARY, sweep=SWEEP,
            )
        )  # fmt: skip
    return report_sweep(folder, words)
