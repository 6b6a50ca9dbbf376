"""The command line.

Exit codes: 0 success, 2 wrong input, 3 infeasible, 4 no plan, 5 a stored plan, 130 Ctrl-C.

Heavy imports stay inside the commands that need them, so that `planner --help` answers at once.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import typer

from planner.cli import folders as reading
from planner.cli import roll as beyond
from planner.cli import settle as settling
from planner.cli import simulate as simulating
from planner.cli import solve as planning
from planner.cli import sweep as cases

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Plan, hour by hour, what a site does with every megawatt: sell, store or compute.",
    epilog="Example: planner solve scenarios/huainan/scenario.yaml",
)
EXAMPLES: dict[Callable[..., None], str] = {
    planning.check: "planner check scenarios/huainan/scenario.yaml",
    planning.solve: "planner solve scenarios/huainan/scenario.yaml --out plans/huainan",
    planning.prices: "planner prices scenarios/huainan/scenario.yaml --out plans/huainan",
    settling.settle: "planner settle scenarios/tiny_market --schedule yesterday.csv",
    beyond.roll: "planner roll scenarios/huainan/scenario.yaml --set horizon.hours=168 --gap 5e-3",
    simulating.simulate: "planner simulate scenarios/huainan/scenario.yaml --days 7",
    cases.sweep: "planner sweep sweeps/token_price.yaml --workers 4 --dry-run",
    reading.audit: "planner audit plans/huainan",
    cases.compare: "planner compare plans/huainan plans/huainan_winter",
    reading.report: "planner report sweeps/token_price",
    reading.schema: "planner schema > planner.scenario.json_schema.json",
}
for command, example in EXAMPLES.items():
    app.command(epilog=f"Example: {example}")(command)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):  # a name in Chinese must not fail on a narrow terminal
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app()
