"""The group `planner fleet`: curves of the library, as a list and one by one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.options import IN_ENGLISH, Quiet, Words
from planner.cli.outcome import Outcome
from planner.cli.terminal import say, warn
from planner.errors import wrong
from planner.files.output_folder import replace_file

if TYPE_CHECKING:
    from rich.console import Console

    from planner.language.language import Language


def fleet_list(
    hardware: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Part of the name of the hardware: h100.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Part of the name of the model: qwen3.")
    ] = None,
    max_inter_token_ms: Annotated[
        float | None,
        typer.Option(min=0, metavar="MS", help="Points within this time between tokens only."),
    ] = None,
    max_first_token_ms: Annotated[
        float | None,
        typer.Option(min=0, metavar="MS", help="Points within this time to the first token only."),
    ] = None,
    words: Words = IN_ENGLISH,  # noqa: ARG001
    quiet: Quiet = False,  # noqa: ARG001
) -> Outcome:
    """List the curves of the library: tokens per second, power and times of a replica."""
    from planner.cli.fleet_documents import list_document
    from planner.fleets.library import library_curves

    curves = {
        name: curve.revised({"points": points})
        for name, curve in library_curves().items()
        if matches(hardware, name, curve.hardware) and matches(model, name, curve.model)
        if (points := curve.within(max_inter_token_ms, max_first_token_ms))
    }

    def show(console: Console, words: Language) -> None:
        from planner.report.curve_page.node_curve import list_sections
        from planner.report.terminal.tables import table

        for section in list_sections(curves, words):
            console.print(table(section, words))
        say(console, words("{n} curves; `planner fleet show NAME` has the points and the source of"
                           " one", n=len(curves)))  # fmt: skip

    return Outcome(lambda: list_document(curves), show)


def fleet_show(
    name: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="Curve of the library, or a curve file.")
    ],
    host: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="Kind of server.", show_default="that of the curve"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it as a page (.html) too.")
    ] = None,
    words: Words = IN_ENGLISH,
) -> Outcome:
    """Show a curve: its points, what a node draws at the wall, its source and its licence."""
    from planner.cli.fleet_documents import show_document
    from planner.fields import FieldError
    from planner.fleets.hosts import host_named, known_hosts
    from planner.fleets.library import curve_named
    from planner.report.curve_page.node_curve import facts_section, node_points, points_section

    curve = curve_named(name)
    try:
        server = host_named(host) if host is not None else known_hosts().get(curve.host or "")
    except FieldError as error:
        raise wrong("--host", error.message) from None
    kind = None if server is None else host or curve.host
    points = node_points(curve, server)
    if out is not None:
        from planner.report.curve_page.page import curve_page

        replace_file(out, curve_page(name, curve, points, words, out))

    def show(console: Console, words: Language) -> None:
        from planner.report.terminal.tables import table

        for label, fact in facts_section(name, curve, words).rows:
            say(console, f"{label}{words(': ')}{fact}")
        if server is not None:
            say(console, words("node: {gpus} GPUs, {idle:g} kW + {factor:g} x GPU kW, as {kind}",
                               gpus=server.gpus, idle=server.idle_kw,
                               factor=server.gpu_wall_factor, kind=kind))  # fmt: skip
        console.print(table(points_section(curve, points, words), words))
        warn(console, words, curve.cautions())
        if out is not None:
            say(console, str(out))

    return Outcome(lambda: show_document(name, curve, kind, points, out), show, out)


def matches(wanted: str | None, *names: str) -> bool:
    """Return whether one of some names holds a text, as words are compared: h100, H100, `H 100`."""

    def plain(text: str) -> str:
        return "".join(filter(str.isalnum, text.lower()))

    return wanted is None or any(plain(wanted) in plain(name) for name in names)
