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
from planner.model import assemble
from planner.program import Program, compile_program

FOLDER = Path(__file__).parent / "golden"


def text(scenario: planner.Scenario) -> str:
    """Return the compiled program of a scenario as text."""
    model = assemble(scenario)
    program = compile_program(model)
    names = [_short(column.name) for column in model.columns]
    balances = {
        index: name
        for name, index in zip(_balance_names(model), range(len(model.columns)), strict=False)
    }
    lines = ["minimise", f"    {_sum(program.cost, names)}{_offset(program)}", "", "rows"]
    matrix = program.matrix.toarray()
    for i, (row, _) in enumerate(model.rows):
        low, high = program.row_lower[i], program.row_upper[i]
        name = _row_name(_short(row.name), balances)
        lines.append(f"    {name}: {_between(_sum(matrix[i], names), low, high)}")
    lines += ["", "columns"]
    switches = set(program.switches.tolist())
    for i, name in enumerate(names):
        kind = "  integer" if program.integer[i] else "  switch" if i in switches else ""
        low, high = program.column_lower[i], program.column_upper[i]
        lines.append(f"    {_between(name, low, high)}{kind}")
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


def _balance_names(model: Any) -> list[str]:
    keys = dict.fromkeys(
        key for parts in model.terms.values() for part in parts for key in part.flows
    )
    return [".".join(word for word in key if word is not None) for key in keys]


def _short(name: str) -> str:
    return re.sub(r"^part\[(\w+)\]\.", r"\1.", name)


def _row_name(name: str, balances: dict[int, str]) -> str:
    match = re.fullmatch(r"balance\[(\d+),(\d+)\]", name)
    return f"balance[{balances[int(match[1])]},{match[2]}]" if match else name


def _sum(coefficients: np.ndarray, names: list[str]) -> str:
    parts = []
    for i in np.flatnonzero(coefficients).tolist():
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
