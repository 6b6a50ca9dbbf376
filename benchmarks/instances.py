"""Real mixed-integer programs for authors of solvers, as MPS files with best known values.

Every direction is a binary, so the file is the exact problem; docs/instances.md says how to take
part. `instances.csv` holds sizes, the SHA-256 of the uncompressed file, and the best values known.
Without options the instances are written, each read back by HiGHS and compared with that table.

    python benchmarks/instances.py                                   # write all
    python benchmarks/instances.py huainan_24 --check                # still those of the table?
    python benchmarks/instances.py huainan_24 --verify my_point.sol  # a point of yours
    python benchmarks/instances.py huainan_24 --solve 300            # search, better the table
"""

from __future__ import annotations

import argparse
import csv
import datetime
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import planner
from benchmarks.mps import (
    Sizes,
    column_names,
    exact,
    read_point,
    row_names,
    sizes,
    write_mps,
    write_point,
)
from benchmarks.rules import rules
from planner.files.yaml_document import read_yaml
from planner.scenario.scenario import Scenario
from planner.solver.compiler import program_of
from planner.solver.highs import version
from planner.solver.program import Program
from planner.solver.rounds import optimise
from planner.solver.session import Session
from planner.timeseries.series import Array
from tests.support import kazarlis

ROOT = Path(__file__).parent.parent
SCENARIOS = ROOT / "scenarios"
TABLE = Path(__file__).with_suffix(".csv")
WEEK_H, MONTH_H = 168, 720
HALF_TCO2 = 11_776.0  # half of what the week emits without a budget
TOLERANCE = 1e-6  # by which a point may miss a row, a bound or a whole number
BETTER = 1e-9  # of its size: a change of a best known value below this is rounding
GAP = 1e-10  # of turnover, to which `--solve` searches
RELAXATION_LIMIT_S = 600.0


def shipped(name: str) -> Scenario:
    return planner.load(SCENARIOS / name)


def huainan(hours: int, changes: Mapping[str, Any] | None = None) -> Scenario:
    return planner.load(SCENARIOS / "huainan", {"horizon.hours": hours} | dict(changes or {}))


def every_rule() -> dict[str, Any]:
    return {path: value for part in rules(WEEK_H).values() for path, value in part.items()}


def half_carbon() -> dict[str, Any]:
    return {"components.cap": {"kind": "carbon", "budget_tco2": HALF_TCO2}}


def coal_units(count: int) -> dict[str, Any]:
    """Return the changes for more coal units, copies of the first, which hold reserve too."""
    components = read_yaml(SCENARIOS / "huainan" / "scenario.yaml").data["components"]
    names = [f"coal_{number}" for number in range(2, count + 1)]
    copies = {f"components.{name}": components["coal_1"] for name in names}
    return copies | {"components.spinning.providers": components["spinning"]["providers"] + names}


def kazarlis_units(times: int) -> Scenario:
    """Return the ten units of Kazarlis so many times, with as many times the load."""
    data = kazarlis.scenario_data()
    components = data["components"]
    units = [part for part in components.values() if part["kind"] == "thermal"]
    copies = {f"unit_{number:02d}": unit for number, unit in enumerate(units * times, 1)}
    demand_mw = [times * mw for mw in components["city"]["demand_mw"]]
    city = components["city"] | {"demand_mw": demand_mw}
    return Scenario.from_mapping(data | {"components": components | copies | {"city": city}})


class Recipe(NamedTuple):
    """What an instance is, and how its scenario is made."""

    what: str
    scenario: Callable[[], Scenario]


INSTANCES = {
    "islanded": Recipe(
        "an island for two days: coal, battery, reserve, a town", partial(shipped, "islanded")
    ),
    "huainan_24": Recipe("a day of Huainan: one coal unit, two GPU fleets", partial(huainan, 24)),
    "huainan_48": Recipe("two days of it", partial(huainan, 48)),
    "huainan_96": Recipe("a day in 96 steps of 15 min", partial(shipped, "huainan_96")),
    "huainan_winter": Recipe("two days in January", partial(shipped, "huainan_winter")),
    "green_direct_supply": Recipe(
        "two days under shares of renewable energy", partial(shipped, "green_direct_supply")
    ),
    "two_sites": Recipe(
        "two sites for two days, joined by a weak line", partial(shipped, "two_sites")
    ),
    "huainan_168": Recipe("a week of Huainan", partial(huainan, WEEK_H)),
    "huainan_168_two_units": Recipe(
        "a week with two equal coal units", lambda: huainan(WEEK_H, coal_units(2))
    ),
    "huainan_168_three_units": Recipe(
        "a week with three equal coal units", lambda: huainan(WEEK_H, coal_units(3))
    ),
    "huainan_168_rules": Recipe(
        "a week with every rule of `rules.py`, jobs included",
        lambda: huainan(WEEK_H, every_rule()),
    ),
    "huainan_168_half_carbon": Recipe(
        "a week with half of its emission", lambda: huainan(WEEK_H, half_carbon())
    ),
    "huainan_720": Recipe("thirty days of Huainan", partial(huainan, MONTH_H)),
    "kazarlis_10": Recipe(
        "ten units for a day, Kazarlis et al. 1996, curves of 13 points", partial(kazarlis_units, 1)
    ),
    "kazarlis_20": Recipe("the ten units twice, with twice the load", partial(kazarlis_units, 2)),
}


@dataclass(frozen=True)
class Known:
    """A row of the table: an instance and the best values known of its minimum, CNY.

    relaxation_cny: the optimum of its LP relaxation.
    objective_by, bound_by: with what, and within which limits, each was obtained.
    date: of the last change.
    """

    name: str
    what: str
    rows: int
    columns: int
    nonzeros: int
    integers: int
    relaxation_cny: float
    objective_cny: float
    objective_by: str
    bound_cny: float
    bound_by: str
    date: str
    sha256: str

    @property
    def gap(self) -> float:
        """The distance of both values, relative to the objective."""
        return (self.objective_cny - self.bound_cny) / max(1.0, abs(self.objective_cny))

    @property
    def sizes(self) -> Sizes:
        return Sizes(self.rows, self.columns, self.nonzeros, self.integers)


def read_table(path: Path = TABLE) -> dict[str, Known]:
    with path.open(encoding="utf-8", newline="") as file:
        known = {}
        for row in csv.DictReader(file):
            counts = {name: int(row[name]) for name in Sizes._fields}
            amounts = {name: float(row[name]) for name in row if name.endswith("_cny")}
            known[row["name"]] = Known(**{**row, **counts, **amounts})
    return known


def write_table(known: Mapping[str, Known], path: Path = TABLE) -> None:
    newer = path.with_name(f".{path.name}.new")
    with newer.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Known)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(known[name]) for name in INSTANCES if name in known)
    newer.replace(path)


def bettered(earlier: Known | None, latest: Known) -> Known:
    """Return the better objective and bound of the same instance; those of another do not count."""
    if earlier is None or earlier.sha256 != latest.sha256:
        return latest
    least = BETTER * max(1.0, abs(earlier.objective_cny))
    changes: dict[str, Any] = {}
    if latest.objective_cny < earlier.objective_cny - least:
        changes |= {"objective_cny": latest.objective_cny, "objective_by": latest.objective_by}
    if latest.bound_cny > earlier.bound_cny + least:
        changes |= {"bound_cny": latest.bound_cny, "bound_by": latest.bound_by}
    return replace(earlier, **changes, date=latest.date) if changes else earlier


@dataclass(frozen=True)
class Check:
    """A point of an instance: its objective, and the largest misses, each with the name of it."""

    objective_cny: float
    row: tuple[float, str]
    bound: tuple[float, str]
    whole: tuple[float, str]

    @property
    def accepted(self) -> bool:
        return max(self.row[0], self.bound[0], self.whole[0]) <= TOLERANCE


def check_point(program: Program, x: Array) -> Check:
    """Return what a point misses; rows and objective are those of its integers rounded.

    Misses are absolute, in the unit of the row or the column.
    """
    whole = np.where(program.integer, np.round(x), x)
    activity = program.matrix @ whole
    rows = np.maximum(program.row_lower - activity, activity - program.row_upper)
    bounds = np.maximum(program.column_lower - whole, whole - program.column_upper)
    columns = column_names(program)
    return Check(
        objective_cny=program.objective(whole),
        row=_largest(rows, row_names(program)),
        bound=_largest(bounds, columns),
        whole=_largest(np.abs(x - whole), columns),
    )


def _largest(misses: Array, names: Sequence[str]) -> tuple[float, str]:
    worst = int(np.argmax(misses)) if len(misses) else 0
    return (float(misses[worst]), names[worst]) if len(misses) and misses[worst] > 0 else (0.0, "")


def verify(name: str, program: Program, file: Path) -> bool:
    """Print what a point misses and how it compares; return whether it counts."""
    check = check_point(program, read_point(program, file))
    for what, (miss, where) in (
        ("a row", check.row), ("a bound", check.bound), ("a whole number", check.whole),
    ):  # fmt: skip
        print(f"{name}: misses {what} by at most {miss:.1e}" + f" ({where})" * bool(where))
    print(f"{name}: objective {check.objective_cny!r} CNY")
    known = read_table().get(name)
    if known is not None and check.accepted:
        change = check.objective_cny - known.objective_cny
        best = change < -BETTER * max(1.0, abs(known.objective_cny))
        print(f"{name}: {change:+.6g} CNY against the best known" + ": a new best" * best)
        if check.objective_cny < known.bound_cny - TOLERANCE * max(1.0, abs(known.bound_cny)):
            print(f"{name}: below the bound known, {known.bound_cny!r}: one of the two is wrong")
    print(f"{name}: {'accepted' if check.accepted else f'refused: more than {TOLERANCE:g}'}")
    return check.accepted


def solve(
    name: str, scenario: Scenario, program: Program, folder: Path, sha256: str, limit_s: float
) -> None:
    """Search for a time, write the point, and better the table."""
    settings = scenario.solver.revised({"gap": GAP, "time_limit_s": limit_s})
    # Without a schedule nothing is tidied, which may cost 1e-7 of turnover.
    solution = optimise(replace(program_of(scenario), schedule={}), settings)
    by = f"the planner with HiGHS {version()}, {limit_s:g} s"
    known = record(name, program, folder, sha256, solution.x, by, solution.bound, by)
    print(f"{name}: {program.objective(solution.x)!r} found, bound {solution.bound!r}; gap in the"
          f" table {known.gap:.1e}", flush=True)  # fmt: skip


def record(
    name: str, program: Program, folder: Path, sha256: str, x: Array, objective_by: str,
    bound: float, bound_by: str,
) -> Known:  # fmt: skip
    """Write a point, and keep what is better than the table; return its row."""
    relaxed = Session(program).run(time_limit_s=RELAXATION_LIMIT_S)
    check = check_point(program, x)
    if not check.accepted or relaxed.status != "optimal":
        raise SystemExit(f"{name}: {check}, relaxation {relaxed.status}")
    write_point(program, x, folder / f"{name}.sol")
    table = read_table() if TABLE.exists() else {}
    table[name] = bettered(table.get(name), Known(
        name, INSTANCES[name].what, *sizes(program), relaxation_cny=relaxed.objective,
        objective_cny=check.objective_cny, objective_by=objective_by,
        bound_cny=min(bound, check.objective_cny), bound_by=bound_by,
        date=datetime.date.today().isoformat(), sha256=sha256,
    ))  # fmt: skip
    write_table(table)
    return table[name]


def compared(known: Known | None, written: Sizes, sha256: str) -> str:
    """Return in words whether an instance is the one of the table, empty if it is."""
    if known is None:
        return "not in the table"
    if known.sizes != written:
        return f"the table has {known.sizes}"
    return "" if known.sha256 == sha256 else "the sizes of the table, but other figures"


def main() -> None:
    """Write, check, verify or solve instances."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(INSTANCES)} [all]")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "instances")
    parser.add_argument("--check", action="store_true", help="keep no file; fail if one differs")
    parser.add_argument("--verify", type=Path, metavar="FILE", help="a point of the one instance")
    parser.add_argument("--solve", type=float, metavar="SECONDS", help="search, better the table")
    given = parser.parse_args()
    if unknown := set(given.names) - INSTANCES.keys():
        parser.error(f"no instance is called {', '.join(sorted(unknown))}")
    if given.verify and len(given.names) != 1:
        parser.error("--verify needs the name of one instance")
    if given.verify and not given.verify.is_file():
        parser.error(f"{given.verify} is no file")
    table, as_known = read_table() if TABLE.exists() else {}, True
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) if given.check else given.folder
        for name in given.names or INSTANCES:
            scenario = INSTANCES[name].scenario()
            program = exact(program_of(scenario))
            if given.verify:
                sys.exit(not verify(name, program, given.verify))
            file, sha256 = write_mps(program, name, folder)
            if given.solve:
                solve(name, scenario, program, folder, sha256, given.solve)
                continue
            written = sizes(program)
            differing = compared(table.get(name), written, sha256)
            as_known &= not differing
            counts = ", ".join(f"{count:,} {size}" for size, count in written._asdict().items())
            print(f"{name if given.check else file}: {counts}; {differing or 'as in the table'}",
                  flush=True)  # fmt: skip
    sys.exit(given.check and not as_known)


if __name__ == "__main__":
    main()
