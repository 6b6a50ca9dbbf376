"""Mutants of real scenarios: each must end in a plan or in an error that a user can act on.

python -m tests.support.fuzz 10000           # the mutants 0..9999
python -m tests.support.fuzz 1 4711          # mutant 4711 again, with its files kept and told

A mutant is made from its number alone. It is loaded, checked for warnings, solved and sometimes
written and read back. Allowed are a plan, no plan (exit 3 or 4) and refusal (exit 2), where every
problem names a path or a line. Warnings of libraries count as failures, as in the tests.
"""

from __future__ import annotations

import faulthandler
import math
import re
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import planner
from planner.errors import InfeasibleError, PlannerError, ScenarioError
from tests.support.mutants import Files, mutant

LIMIT_S = 60  # for one mutant of `make fuzz`, all told; a test has no limit in seconds
SOLVER_S = 5
MOST_STEPS = 60  # longer horizons are loaded, not solved
WHOLE_FILE = ("is empty", "is not a UTF-8 text file", "cannot be read", "is too large")
JARGON = re.compile(
    r"[Ii]nput should|after validation|Value error|NoneType|dtype|<class|ndarray|pydantic|Traceback"
)


class TooSlowError(BaseException):
    """The limit of a mutant struck."""


class WrongError(Exception):
    """An outcome that is not allowed."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TooSlowError in the body after so many seconds; never where they are 0."""

    def strike(*_: object) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def write(folder: Path, files: Files) -> Path:
    """Write the files of a mutant; return the scenario file."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / "scenario.yaml"


def outcome(files: Files, folder: Path, *, keep: bool = False) -> str:
    """Put one mutant through the planner; return how it ended.

    Raises:
        WrongError: it ended in a way that is not allowed; so does any other exception.
    """
    try:
        scenario = planner.load(write(folder, files))
        scenario.warnings()
    except ScenarioError as error:
        _check_problems(error)
        return "refused"
    if scenario.horizon.steps > MOST_STEPS:
        return "too long to solve here"
    settings = scenario.solver.revised({"time_limit_s": SOLVER_S, "threads": 1})
    try:
        plan = planner.solve(scenario.revised({"solver": settings}))
    except ScenarioError as error:
        raise WrongError(f"refused only while solving: {error}") from error
    except PlannerError as error:
        if error.exit_code not in (3, 4) or not str(error).strip():
            raise WrongError(f"exit {error.exit_code}: {error}") from error
        known = isinstance(error, InfeasibleError) or "no plan was found within" in str(error)
        return {3: "infeasible", 4: "no plan in time"}[error.exit_code] if known else str(error)
    _check_plan(plan)
    if keep:
        _check_folder(plan, folder / "plan")
    return str(plan.summary["status"])


def _check_problems(error: ScenarioError) -> None:
    if not error.problems:
        raise WrongError("refused without a problem") from error
    for problem in error.problems:
        whole = problem.file and problem.message.startswith(WHOLE_FILE)
        if not (problem.path or whole or (problem.file and problem.line)):
            raise WrongError(f"no path and no line: {problem}") from error
        if JARGON.search(problem.message):
            raise WrongError(f"jargon: {problem}") from error


def _check_plan(plan: planner.Plan) -> None:
    summary = plan.summary
    figures = [summary[name] for name in ("objective_cny", "bound_cny", "gap", "turnover_cny")]
    if not all(map(math.isfinite, figures)):
        raise WrongError(f"figures are not finite: {figures}")
    missed = abs(float(plan.ledger["amount_cny"].sum()) - summary["objective_cny"])
    if missed > 1e-4 + 1e-6 * summary["turnover_cny"]:
        raise WrongError(f"the ledger misses the objective by {missed}")
    if plan.schedule.isna().any(axis=None):
        raise WrongError("the schedule has holes")


def _check_folder(plan: planner.Plan, folder: Path) -> None:
    plan.write(folder, ("csv", "parquet", "xlsx"))
    if planner.read_plan(folder) != plan:
        raise WrongError("the plan read back is not the plan written")


def run(
    numbers: range, report: Any = None, limit_s: float = 0.0
) -> tuple[Counter[str], dict[int, str]]:
    """Try mutants, each for `limit_s` at most where it is given.

    Returns how often each outcome came, and what failed by number.
    """
    counts: Counter[str] = Counter()
    failed: dict[int, str] = {}
    for number in numbers:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="fuzz") as name, warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                with limited(limit_s):
                    counts[outcome(mutant(number), Path(name), keep=number % 10 == 0)] += 1
            except TooSlowError:
                failed[number] = f"took more than {limit_s} s\n{traceback.format_exc()}"
            except Exception:
                failed[number] = traceback.format_exc()
        if report:
            report(number, time.perf_counter() - began, failed.get(number))
    return counts, failed


def main() -> int:
    """Try as many mutants as the command line says and tell what came of them."""
    faulthandler.enable()
    count, first = (int(text) for text in [*sys.argv[1:], "1000", "0"][:2])
    if len(sys.argv) == 2:
        first = 0
    slowest: list[tuple[float, int]] = []

    def report(number: int, seconds: float, wrong: str | None) -> None:
        slowest.append((round(seconds, 1), number))
        if wrong:
            sys.stdout.write(f"--- mutant {number} ({seconds:.1f} s)\n{wrong}\n")
        if (number - first + 1) % 500 == 0:
            sys.stdout.write(f"{number - first + 1} of {count}\n")
        sys.stdout.flush()

    if count == 1:
        file = write(Path(tempfile.mkdtemp(prefix="mutant")), mutant(first))
        sys.stdout.write(f"{file}\n")
    counts, failed = run(range(first, first + count), report, LIMIT_S)
    for text, times in counts.most_common():
        sys.stdout.write(f"{times:6} {text}\n")
    sys.stdout.write(f"{len(failed):6} failed: {sorted(failed)}\n")
    sys.stdout.write(f"slowest (s, mutant): {sorted(slowest)[-5:]}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
