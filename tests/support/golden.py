"""Golden LPs: the rows and columns a scenario compiles to, as text a person can read.

A change of mathematics shows as a difference in `tests/golden/*.lp`; `make golden` (that is
GOLDEN=write) writes them again, and the difference is then read in review.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

import planner
from planner.solver.compiler import program_of
from planner.solver.program import Family, Program

FOLDER = Path(__file__).parent.parent / "golden"


def text(scenario: planner.Scenario) -> str:
    """Return the compiled program of a scenario as text, in the order of names."""
    program = program_of(scenario)
    balances = {k: balance for balance, k in program.balances.items()}
    families = dict(enumerate(program.families)) | {
        number: ("", "balance", tuple(word for word in balance if word is not None))
        for number, balance in balances.items()
    }
    variables = dict(enumerate(program.variable_families))
    names = _names(variables, program.column_families, program.column_steps)
    rows = _names(families, program.row_families, program.row_steps)
    matrix = program.matrix.toarray()
    switches = set(program.switches.tolist())
    lines = ["minimise", f"    {_sum(program.cost, names)}{_offset(program)}", "", "rows"]
    for i in sorted(range(len(rows)), key=lambda i: (_natural(rows[i]), program.row_lower[i])):
        low, high = program.row_lower[i], program.row_upper[i]
        lines.append(f"    {rows[i]}: {_between(_sum(matrix[i], names), low, high)}")
    lines += ["", "columns"]
    for i in sorted(range(len(names)), key=lambda i: _natural(names[i])):
        kind = "  integer" if program.integer[i] else "  switch" if i in switches else ""
        low, high = program.column_lower[i], program.column_upper[i]
        lines.append(f"    {_between(names[i], low, high)}{kind}")
    return "\n".join(lines) + "\n"


def check(name: str, scenario: planner.Scenario) -> None:
    """Compare a scenario's program with the golden one of that name, or write it."""
    path, found = FOLDER / f"{name}.lp", text(scenario)
    if os.environ.get("GOLDEN") == "write":
        FOLDER.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
        return
    wanted = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = difflib.unified_diff(
        wanted.splitlines(), found.splitlines(), str(path), "compiled now", lineterm="", n=0
    )
    difference = "\n".join(lines)
    assert not difference, f"the program changed; `make golden` if it should\n{difference}"


def _names(families: dict[int, Family], family_of: Any, steps: Any) -> list[str]:
    """Say `unit.on[1]` of a column, and name a balance by what it sums."""
    names = []
    for family, step in zip(family_of.tolist(), steps.tolist(), strict=True):
        component, name, outer = families[family]
        index = [".".join(outer)] if name == "balance" else list(map(_quoted, outer))
        index += [str(step)] if step else []
        inside = f"[{','.join(index)}]" if index else ""
        names.append(f"{component}.{name}{inside}" if component else f"{name}{inside}")
    return names


def _quoted(word: Any) -> str:
    """Quote what could be read as something else than a name."""
    return repr(word) if isinstance(word, str) and re.search(r"^\d+$|[.:]", word) else str(word)


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts step 2 before step 10."""
    parts = re.findall(r"\d+|\D+", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _sum(coefficients: np.ndarray, names: list[str]) -> str:
    parts = []
    for i in sorted(np.flatnonzero(coefficients).tolist(), key=lambda i: _natural(names[i])):
        value = coefficients[i]
        factor = "" if abs(value) == 1 else f"{abs(value):.9g} "
        parts.append(f"{'-' if value < 0 else '+'} {factor}{names[i]}")
    return " ".join(parts).removeprefix("+ ") or "0"


def _offset(program: Program) -> str:
    return (
        f" {'-' if program.offset < 0 else '+'} {abs(program.offset):.9g}" if program.offset else ""
    )


def _between(middle: str, low: float, high: float) -> str:
    if low == high:
        return f"{middle} = {low:.9g}"
    left = f"{low:.9g} <= " if np.isfinite(low) else ""
    right = f" <= {high:.9g}" if np.isfinite(high) else ""
    return f"{left}{middle}{right}" if left or right else f"{middle} free"
