"""The command line.

Exit codes: 0 success, 1 a bug, 2 wrong input, 3 infeasible, 4 no plan within the limits, 5 a stored
plan cannot be read or fails its audit, or a schedule breaks rules, 130 Ctrl-C.

Heavy imports stay inside the commands that need them, so that `planner --help` answers at once.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import Annotated, Any

import typer

from planner.cli import streams
from planner.cli.command import Command, CommandGroup, runnable
from planner.cli.fleet import fleet_list, fleet_show
from planner.cli.fleet_import import fleet_import
from planner.cli.fleet_measure import fleet_measure
from planner.cli.folders import audit, compare, report, schema
from planner.cli.new import new
from planner.cli.options import parse_language
from planner.cli.outcome import Outcome
from planner.cli.replan import replan
from planner.cli.roll import roll
from planner.cli.settle import settle
from planner.cli.simulate import simulate
from planner.cli.solve import check, prices, solve
from planner.cli.sweep import sweep
from planner.cli.year import year
from planner.language.language import ENGLISH, LANGUAGES, Language, language
from planner.version import NOT_INSTALLED, planner_version

app = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Plan, hour by hour, what a site does with every megawatt: sell, store or compute.",
    epilog="Example: planner solve scenarios/huainan/scenario.yaml",
)


def speak(ctx: typer.Context, words: Language | None) -> Language | None:
    """Have the help after --lang in its language."""
    if words is not None:
        translate_help(ctx.command, words)
    return words


WordsBefore = Annotated[
    Language | None,
    typer.Option(
        "--lang",
        metavar="|".join(LANGUAGES),
        parser=parse_language,
        callback=speak,
        is_eager=True,
        help="Language of messages, tables, pages and workbooks.",
    ),
]


def print_version(ctx: typer.Context, wanted: bool) -> None:
    """Print the version and end."""
    if wanted:
        words: Language = ctx.params.get("words") or ENGLISH
        version = planner_version()
        text = words("(a source tree that is not installed)") if version == NOT_INSTALLED else ""
        typer.echo(f"planner {version} {text}".rstrip())
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", callback=print_version, is_eager=True, help="Print the version."),
]


@app.callback()
def program(words: WordsBefore = None, version: Version = False) -> None:
    """Plan, hour by hour, what a site does with every megawatt: sell, store or compute."""


COMMANDS: dict[Callable[..., Outcome], str] = {
    new: "planner new mysite",
    check: "planner check scenarios/huainan/scenario.yaml",
    solve: "planner solve scenarios/huainan/scenario.yaml --out plans/huainan",
    prices: "planner prices scenarios/huainan/scenario.yaml --out plans/huainan",
    settle: "planner settle scenarios/tiny_market --schedule yesterday.csv",
    replan: "planner replan plans/huainan --at 2026-07-15T10:00 --state now.yaml",
    roll: "planner roll scenarios/huainan/scenario.yaml --set horizon.hours=168 --gap 5e-3",
    year: "planner year scenarios/huainan_year/scenario.yaml --hours 744 --workers 4",
    simulate: "planner simulate scenarios/huainan/scenario.yaml --days 7",
    sweep: "planner sweep sweeps/token_price.yaml --workers 4 --dry-run",
    audit: "planner audit plans/huainan",
    compare: "planner compare plans/huainan plans/huainan_winter",
    report: "planner report sweeps/token_price",
    schema: "planner schema > planner.schema.json",
    fleet_list: "planner fleet list --hardware h100 --max-inter-token-ms 50",
    fleet_show: "planner fleet show h100_qwen3_235b_a22b_2507_fp8_8gpu",
    fleet_import: "planner fleet import benchmarks.json --power gpus.csv --precision fp8 --gpus 8",
    fleet_measure: (
        "planner fleet measure http://localhost:8000 --model Qwen/Qwen3-32B --power nvml"
        " --precision fp8 --out qwen3.yaml"
    ),
}
"""Every command and the example in its help; `fleet_list` is `list` in the group `fleet`."""
GROUPS: dict[str, tuple[str, str]] = {
    "fleet": ("Curves of GPUs that serve models, as measured, with their sources.",
              "planner fleet list"),
}  # fmt: skip
"""Every group of commands, what it is about, and an example."""
apps = {"": app}
for group, (about, example) in GROUPS.items():
    apps[group] = typer.Typer(
        cls=CommandGroup, no_args_is_help=True, help=about, epilog=f"Example: {example}"
    )
    app.add_typer(apps[group], name=group)
for command, example in COMMANDS.items():
    group, _, name = command.__name__.rpartition("_")
    apps[group].command(name, cls=Command, epilog=f"Example: {example}")(runnable(command))


def main() -> None:
    """Run the command line; its help is in the language that PLANNER_LANG names."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # of numpy and scipy: nothing here uses more
    gc.set_threshold(50_000, 5, 5)  # imports leave no garbage, and by default are searched for it
    streams.prepare()
    code = os.environ.get("PLANNER_LANG", "en")
    program: Any = typer.main.get_command(app)
    if code in LANGUAGES:
        translate_help(program, language(code))
    try:
        program()
    finally:
        gc.disable()  # the end of the process frees all memory without a last search


def translate_help(program: Any, words: Language) -> None:
    """Replace the help of a command, its parameters and its subcommands by that of a language."""
    program.help = words(program.help)
    program.epilog = (program.epilog or "").replace("Example: ", words("Example: "))
    for parameter in program.params:
        if getattr(parameter, "help", None):
            parameter.help = words(parameter.help)
        if isinstance(getattr(parameter, "show_default", None), str):
            parameter.show_default = words(parameter.show_default)
    for subcommand in getattr(program, "commands", {}).values():
        translate_help(subcommand, words)
