"""The group `planner fleet`: curves of the library, as a list and one by one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.fleet_import import require_curve_file
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
        str | None, typer.Option(metavar="TEXT", help="Words of the name of the hardware: h100.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Words of the name of the model: qwen3 235b.")
    ] = None,
    with_power: Annotated[
        bool, typer.Option("--with-power", help="Curves with power only, which a fleet can serve.")
    ] = False,
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

    library = library_curves()
    curves = {
        name: curve.revised({"points": points})
        for name, curve in library.items()
        if matches(hardware, curve.hardware) and matches(model, curve.model)
        if not with_power or curve.measured != "none"
        if (points := curve.within(max_inter_token_ms, max_first_token_ms))
    }

    def show(console: Console, words: Language) -> None:
        from planner.report.curve_page.node_curve import list_sections
        from planner.report.terminal.tables import table

        for section in list_sections(curves, words):
            console.print(table(section, words))
        if curves:
            say(console, words("{n} curves, each of a replica; `planner fleet show NAME` has the"
                               " points and the source of one", n=len(curves)))  # fmt: skip
        else:
            known = sorted({curve.hardware for curve in library.values()})
            say(console, words("0 curves of {count}; their hardware: {names}",
                               count=len(library), names=words(", ").join(known)))  # fmt: skip

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
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a page (.html), or the curve file to edit (.yaml)."
        ),
    ] = None,
    words: Words = IN_ENGLISH,
) -> Outcome:
    """Show a curve: its points, what a node draws at the wall, its source and its licence."""
    from planner.cli.fleet_documents import show_document
    from planner.fields import FieldError
    from planner.fleets.hosts import host_named, known_hosts
    from planner.fleets.library import curve_named, is_path, write_curve
    from planner.report.curve_page.node_curve import (
        facts_section,
        node_cautions,
        node_points,
        points_section,
    )

    curve = curve_named(name)
    try:
        server = host_named(host) if host is not None else known_hosts().get(curve.host or "")
    except FieldError as error:
        raise wrong("--host", error.message) from None
    kind = None if server is None else host or curve.host
    points, cautions = node_points(curve, server), [*node_cautions(curve, server)]
    if out is not None and is_path(str(out).lower()):
        require_curve_file(out)
        write_curve(out, curve)
    elif out is not None:
        from planner.report.curve_page.page import curve_page

        replace_file(out, curve_page(name, curve, points, cautions, words, out))

    def show(console: Console, words: Language) -> None:
        from planner.report.terminal.tables import table

        for label, fact in facts_section(name, curve, words).rows:
            say(console, f"{label}{words(': ')}{fact}")
        if server is not None:
            node = words("node: {gpus} GPUs, as {kind}", gpus=server.gpus, kind=kind)
            wall = words("; kW = {idle:g} + {factor:g} x GPU kW", idle=server.idle_kw,
                         factor=server.gpu_wall_factor)  # fmt: skip
            say(console, f"{node}{wall if curve.measured == 'gpu' else ''}")
        console.print(table(points_section(curve, points, words), words))
        warn(console, words, cautions)
        if out is not None:
            say(console, str(out))

    return Outcome(lambda: show_document(name, curve, kind, points, cautions, out), show, out)


def matches(wanted: str | None, name: str) -> bool:
    """Return whether the words of a text each begin a word of a name: H100, qwen3-235b, llama3.1.

    What sets apart the letters and numbers of a word does not matter.
    """
    words = [
        re.findall(r"[^\W\d_]+|\d+(?:\.\d+)*", word) for word in (wanted or "").lower().split()
    ]
    patterns = [r"(?<![^\W_])(?<!\d\.)" + r"[\W_]*".join(map(re.escape, word)) for word in words]
    return wanted is None or (
        any(words) and all(re.search(pattern, name.lower()) for pattern in patterns)
    )
