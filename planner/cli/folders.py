"""Commands on files: audit, compare and report read folders, schema describes inputs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

import planner
from planner.cli.options import IN_ENGLISH, Quiet, Unaudited, Words
from planner.cli.streams import require_written
from planner.cli.terminal import open_console, say, warn
from planner.errors import PlanError, wrong
from planner.files.output_folder import replace_file
from planner.language.language import Language
from planner.message import Message
from planner.plan_tables.files import INFEASIBLE, SUMMARY


def audit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Plan folder.")],
    words: Words = IN_ENGLISH,
    quiet: Quiet = False,
) -> None:
    """Audit a plan folder, independently of the model that made it."""
    from planner.auditor.audit import describe_breaches
    from planner.report.cautions import earlier_run

    if breaches := planner.audit(folder):
        head = Message("{path} breaks {n} promises", path=folder, n=len(breaches))
        raise PlanError(describe_breaches(head, breaches))
    if not quiet:
        if (text := earlier_run(folder)) is not None:
            warn(open_console(), words, [text])
        say(open_console(), words("{folder}: every rule and every figure holds", folder=folder))


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
) -> None:
    """Compare two plans: inputs, money, figures and hours."""
    from planner.report.comparison.compare import compare_cases
    from planner.report.comparison.tables import show_comparison

    cases, console = case or [], open_console()
    if len(cases) != (2 if second is None else 0):
        message = Message("needs two plan folders, or a sweep folder and --case twice")
        raise wrong("planner compare", message)
    if out is None:
        if second is None:
            comparison = compare_cases(first, *cases)
        else:
            comparison = planner.compare(first, second, unaudited=unaudited)
        warn(console, words, comparison.cautions)
        show_comparison(comparison, console, top, words)
        require_written()
        return
    from planner.report.comparison.page import compared_pages

    comparison, page = compared_pages(first, second, cases, words, out, unaudited=unaudited)
    warn(console, words, comparison.cautions)
    show_comparison(comparison, console, top, words)
    replace_file(out, page)
    say(console, str(out))


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that was written.")],
    unaudited: Unaudited = False,
    words: Words = IN_ENGLISH,
    quiet: Quiet = False,
) -> None:
    """Write the pages of a plan, sweep or simulation folder again; print a sweep's analyses."""
    from planner.report.whole_page import report_whole

    if plans := _plans_in(folder):
        _report_plans(folder, plans, words, unaudited=unaudited, quiet=quiet)
    elif whole := report_whole(folder, words):
        _say_written(whole, quiet)
    else:
        _report_sweep(folder, words, quiet)


def schema(
    what: Annotated[
        str, typer.Argument(metavar="[scenario|sweep]", help="Kind of file.")
    ] = "scenario",
    words: Words = IN_ENGLISH,  # noqa: ARG001  # of its errors
) -> None:
    """Print the JSON Schema of scenario or sweep files, for editors."""
    if what not in ("scenario", "sweep"):
        message = Message("must be scenario or sweep, is {value!r}", value=what)
        raise wrong("planner schema", message)
    from planner.scenario.json_schema import scenario_schema
    from planner.sweeps.sweep_file import sweep_schema

    described = scenario_schema() if what == "scenario" else sweep_schema()
    sys.stdout.write(json.dumps(described, indent=2) + "\n")
    require_written()


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
    folder: Path, plans: Sequence[Path], words: Language, *, unaudited: bool, quiet: bool
) -> None:
    """Write the pages of plans and of their whole again, once all have passed their audit.

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
    if not quiet:
        warn(open_console(), words, texts)
    _say_written(report_whole(folder, words, texts), quiet)
    for plan in plans:
        _say_written(report_plan(plan, words, cautions.get(plan, cautions.get(folder))), quiet)


def _report_sweep(folder: Path, words: Language, quiet: bool) -> None:
    """Write the page and the analyses of a sweep again, and print them. Raises PlanError."""
    from planner.report.sweep_page.report_sweep import report_sweep, show_sweep
    from planner.sweeps.analysis.analyses import read_analyses
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
    written = report_sweep(folder, words)
    if not quiet:
        show_sweep(read_analyses(folder), open_console(), words)
    _say_written(written, quiet)


def _say_written(paths: list[Path], quiet: bool) -> None:
    if not quiet:
        for path in paths:
            say(open_console(), str(path))
