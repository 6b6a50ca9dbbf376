"""A program as an MPS file, written and read back by HiGHS, and points of it as text.

Free MPS, minimisation, with the constant as right-hand side of the objective. Columns and rows are
named as in the code: coal_1.on[12], balance[power|site|grid,12]. HiGHS writes 15 digits, so the
file is the instance to that precision.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import highspy
import numpy as np

from planner.solver.program import NO_STEP, Family, Indices, Program
from planner.timeseries.series import Array

SAME = 1e-13  # of its size: a figure of 15 digits read back


class Sizes(NamedTuple):
    """How large a program is."""

    rows: int
    columns: int
    nonzeros: int
    integers: int


def exact(program: Program) -> Program:
    """Return the program as it is written: every direction is a binary, none is left free."""
    return replace(program, integer=program.all_integer)


def sizes(program: Program) -> Sizes:
    rows, columns = program.matrix.shape
    return Sizes(rows, columns, program.matrix.nnz, int(program.integer.sum()))


def column_names(program: Program) -> list[str]:
    return _names(program.variable_families, program.column_families, program.column_steps)


def row_names(program: Program) -> list[str]:
    families = list(program.families)  # numbered in this order
    for balance, number in program.balances.items():
        families[number] = ("", "balance", tuple(part for part in balance if part is not None))
    return _names(families, program.row_families, program.row_steps)


def _names(families: Sequence[Family], numbers: Indices, steps: Indices) -> list[str]:
    """Return component.name[index,step] of each, followed by ~2 where a name comes again."""
    names, count = [], dict[str, int]()
    for number, step in zip(numbers.tolist(), steps.tolist(), strict=True):
        component, name, outer = families[number]
        index = ["|".join(map(str, outer))] * bool(outer) + [str(step)] * (step != NO_STEP)
        name = f"{component}.{name}".lstrip(".") + f"[{','.join(index)}]" * bool(index)
        name = "_".join(name.split())
        count[name] = count.get(name, 0) + 1
        names.append(name if count[name] == 1 else f"{name}~{count[name]}")
    return names


def write_mps(program: Program, name: str, folder: Path) -> tuple[Path, str]:
    """Write a program to NAME.mps.gz in a folder; the file appears whole or not at all.

    Returns:
        The file, and the SHA-256 of its uncompressed text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.mps.gz"
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}.") as temporary:
        plain, packed = Path(temporary) / f"{name}.mps", Path(temporary) / target.name
        _require_ok(_highs_with(program, name).writeModel(str(plain)), f"write {plain}")
        if differing := differences(program, read_mps(plain)):
            raise SystemExit(f"{name}: read back with other {', '.join(differing)}")
        text = plain.read_bytes()
        packed.write_bytes(gzip.compress(text, mtime=0))
        os.replace(packed, target)  # noqa: PTH105
    return target, hashlib.sha256(text).hexdigest()


def _highs_with(program: Program, name: str) -> highspy.Highs:
    kinds = highspy.HighsVarType
    lp = highspy.HighsLp()
    lp.model_name_ = name
    lp.num_row_, lp.num_col_ = program.matrix.shape
    lp.col_cost_, lp.offset_ = program.cost, program.offset
    lp.col_lower_, lp.col_upper_ = program.column_lower, program.column_upper
    lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = program.matrix.indptr
    lp.a_matrix_.index_ = program.matrix.indices
    lp.a_matrix_.value_ = program.matrix.data
    lp.integrality_ = [
        kinds.kInteger if integer else kinds.kContinuous for integer in program.integer
    ]
    lp.col_names_, lp.row_names_ = column_names(program), row_names(program)
    highs = _silent()
    _require_ok(highs.passModel(lp), f"take {name}")
    return highs


def read_mps(path: Path) -> highspy.HighsLp:
    highs = _silent()
    _require_ok(highs.readModel(str(path)), f"read {path}")
    return highs.getLp()


def _silent() -> highspy.Highs:
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    return highs


def _require_ok(status: highspy.HighsStatus, task: str) -> None:
    if status != highspy.HighsStatus.kOk:
        raise SystemExit(f"HiGHS does not {task}")


def differences(program: Program, lp: highspy.HighsLp) -> list[str]:
    """Return in what a model that was read is not the program, to the digits of the file."""
    integers = [kind == highspy.HighsVarType.kInteger for kind in lp.integrality_]
    counts = Sizes(lp.num_row_, lp.num_col_, len(lp.a_matrix_.value_), sum(integers))
    differing = [
        name for name, ours, theirs in zip(Sizes._fields, sizes(program), counts, strict=True)
        if ours != theirs
    ]  # fmt: skip
    if differing:
        return differing
    x = np.clip(np.linspace(0.1, 0.9, counts.columns), program.column_lower, program.column_upper)
    objective = float(np.dot(lp.col_cost_, x)) + lp.offset_
    figures = {
        "matrix": (program.matrix.data, lp.a_matrix_.value_),
        "row limits": (
            np.append(program.row_lower, program.row_upper), [*lp.row_lower_, *lp.row_upper_],
        ),
        "column bounds": (
            np.append(program.column_lower, program.column_upper),
            [*lp.col_lower_, *lp.col_upper_],
        ),
        "costs": (program.cost, lp.col_cost_),
        "objective": (program.objective(x), objective),
    }  # fmt: skip
    exactly = {
        "places": (program.matrix.indices, lp.a_matrix_.index_),
        "columns by place": (program.matrix.indptr, lp.a_matrix_.start_),
        "integer columns": (program.integer, integers),
        "names of columns": (column_names(program), lp.col_names_),
        "names of rows": (row_names(program), lp.row_names_),
    }
    differing = [
        name for name, (ours, theirs) in figures.items()
        if not np.allclose(ours, theirs, rtol=SAME, atol=0.0)
    ]  # fmt: skip
    return differing + [
        name for name, (ours, theirs) in exactly.items() if not np.array_equal(ours, theirs)
    ]


def write_point(program: Program, x: Array, path: Path) -> None:
    """Write a point as text: its objective, then a line with name and value for each column."""
    named = zip(column_names(program), x.tolist(), strict=True)
    lines = [f"=obj= {program.objective(x)!r}", *(f"{name} {value!r}" for name, value in named)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_point(program: Program, path: Path) -> Array:
    """Return the point in a file; columns that are not named are 0.

    A line is a name and a value; lines of `=obj=`, empty lines and those that begin with # are
    skipped, and what follows the value. Of a solution file of HiGHS only the columns are read.
    """
    place = {name: i for i, name in enumerate(column_names(program))}
    x, named = np.zeros(len(place)), set[str]()
    lines = path.read_text(encoding="utf-8").splitlines()
    begin = next((n for n, line in enumerate(lines) if line.startswith("# Columns")), 0)
    for number, line in enumerate(lines[begin:], begin + 1):
        if line.startswith("# Rows"):
            break
        words = line.split()
        if not words or words[0] == "=obj=" or words[0].startswith("#"):
            continue
        where = f"{path}:{number}"
        if words[0] not in place:
            raise SystemExit(f"{where}: {words[0]} is no column of the instance")
        if words[0] in named:
            raise SystemExit(f"{where}: {words[0]} comes twice")
        named.add(words[0])
        try:
            value = float(words[1])
        except (IndexError, ValueError):
            raise SystemExit(f"{where}: {words[0]} has no value") from None
        if not math.isfinite(value):
            raise SystemExit(f"{where}: {words[0]} is not finite")
        x[place[words[0]]] = value
    return x
