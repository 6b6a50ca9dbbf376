"""Instances for other solvers: what is written is the program, and what is submitted is checked."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import highspy
import numpy as np
import pytest

import planner
from benchmarks import instances, mps
from planner.solver.compiler import program_of
from planner.solver.program import Program
from planner.solver.session import Session
from tests.support.build import HANGS_S
from tests.support.programs import program

ROOT = Path(__file__).parent.parent.parent


def tiny() -> Program:
    return mps.exact(program_of(planner.load(ROOT / "scenarios" / "tiny_start")))


def optimum(one: Program) -> np.ndarray:
    session = Session(one)
    session.integrality(one.integer)
    x = session.run(time_limit_s=HANGS_S).x
    assert x is not None
    return x


def test_a_written_instance_has_the_same_optimum(tmp_path: Path) -> None:
    one = tiny()
    file, _ = mps.write_mps(one, "tiny_start", tmp_path)
    text = gzip.decompress(file.read_bytes())
    (tmp_path / "read.mps").write_bytes(text)
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.readModel(str(tmp_path / "read.mps"))
    highs.run()
    assert highs.getInfo().objective_function_value == pytest.approx(2900)  # as expected.yaml
    assert b" coal.on[1]  balance[power|site|thermal,1]  " in text


def test_the_same_program_is_written_with_the_same_hash(tmp_path: Path) -> None:
    first = mps.write_mps(tiny(), "tiny_start", tmp_path / "first")
    second = mps.write_mps(tiny(), "tiny_start", tmp_path / "second")
    assert first[1] == second[1]
    assert first[0].read_bytes() == second[0].read_bytes()


def test_names_are_unique() -> None:
    one = tiny()
    assert len({*mps.row_names(one)}) == len(one.row_lower)
    assert len({*mps.column_names(one)}) == len(one.cost)


def test_a_file_that_reads_otherwise_does_not_appear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mps, "differences", lambda *_: ["rows"])
    with pytest.raises(SystemExit, match="read back with other rows"):
        mps.write_mps(tiny(), "tiny_start", tmp_path)
    assert not list(tmp_path.iterdir())


def test_every_difference_is_seen(tmp_path: Path) -> None:
    one = tiny()
    file, _ = mps.write_mps(one, "tiny_start", tmp_path)
    (tmp_path / "read.mps").write_bytes(gzip.decompress(file.read_bytes()))
    lp = mps.read_mps(tmp_path / "read.mps")
    assert not mps.differences(one, lp)
    for other in (
        replace(one, integer=~one.integer),
        replace(one, cost=one.cost * (1 + 1e-9)),
        replace(one, offset=one.offset + 1),
        one.with_bounds([0], 0.5),
        one.with_row_bounds([0], upper=12345.0),
        replace(one, matrix=one.matrix * 1.001),
        one.with_rows(np.ones((1, len(one.cost))), 0, 1),
    ):
        assert mps.differences(other, lp)


def named(cost: list[float]) -> Program:
    """Two columns a.x[1] and a.x[2] with 1 <= their sum, of which the first is integer."""
    one = program(cost, [([1, 1], 1, np.inf)], [1, 1], integer=[0])
    return replace(
        one,
        column_families=np.zeros(2, dtype=int),
        column_steps=np.array([1, 2]),
        variable_families=(("a", "x", ()),),
        families={("a", "sum", ()): 0},
    )


@pytest.mark.parametrize(
    ("lines", "accepted", "objective"),
    [
        (["# mine", "=obj= 5", "", "a.x[1] 1.0 (obj:3)"], True, 3),
        (["a.x[1] 0.9999999", "a.x[2] 0.5"], True, 5),
        (["a.x[2] 0.9999995"], True, 4 * 0.9999995),
        (["a.x[2] 0.99"], False, 3.96),  # misses the row
        (["a.x[1] 0.5", "a.x[2] 1"], False, 4),  # not whole
        (["a.x[1] 2"], False, 6),  # above its bound
    ],
)
def test_points_are_checked(
    lines: list[str], accepted: bool, objective: float, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    file = tmp_path / "point.sol"
    file.write_text("\n".join(lines))
    assert instances.verify("none", named([3, 4]), file) == accepted
    assert f"objective {objective!r}" in capsys.readouterr().out.replace(".0 CNY", " CNY")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.y[1] 1", "point.sol:1: a.y[1] is no column"),
        ("a.x[1] 1\na.x[1] 0", "point.sol:2: a.x[1] comes twice"),
        ("a.x[1]", "has no value"),
        ("a.x[1] one", "has no value"),
        ("a.x[1] nan", "is not finite"),
        ("a.x[1] inf", "is not finite"),
    ],
)
def test_files_that_are_no_point_are_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "point.sol").write_text(text)
    with pytest.raises(SystemExit) as caught:
        mps.read_point(named([3, 4]), tmp_path / "point.sol")
    assert message in str(caught.value)


def test_a_point_is_read_as_it_was_written(tmp_path: Path) -> None:
    one = tiny()
    x = optimum(one) / 3
    mps.write_point(one, x, tmp_path / "point.sol")
    assert np.array_equal(mps.read_point(one, tmp_path / "point.sol"), x)


def test_a_solution_file_of_highs_is_a_point(tmp_path: Path) -> None:
    columns = ["# Columns 2", "a.x[1] 1", "a.x[2] 0.5", "# Rows 1", "a.sum[1] 1.5"]
    lines = ["Model status", "Optimal", "", "Objective 5", *columns, "", "# Dual solution values"]
    (tmp_path / "point.sol").write_text("\n".join(lines))
    assert mps.read_point(named([3, 4]), tmp_path / "point.sol").tolist() == [1, 0.5]


# The table of best known values.


def test_the_table_knows_every_instance_and_its_bound_holds() -> None:
    table = instances.read_table()
    assert list(table) == list(instances.INSTANCES)
    for name, known in table.items():
        assert known.what == instances.INSTANCES[name].what
        assert known.bound_cny <= known.objective_cny
        assert known.relaxation_cny <= known.bound_cny + 1e-6 * abs(known.bound_cny)


@pytest.mark.parametrize("name", ["huainan_24", "kazarlis_10"])
def test_the_table_has_the_sizes_of_today(name: str) -> None:
    """If not, the instance is another: run `instances.py NAME --solve 300`, then make docs."""
    one = mps.exact(program_of(instances.INSTANCES[name].scenario()))
    assert instances.read_table()[name].sizes == mps.sizes(one)


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    table = instances.read_table()
    instances.write_table(table, tmp_path / "table.csv")
    assert instances.read_table(tmp_path / "table.csv") == table
    assert (tmp_path / "table.csv").read_bytes() == instances.TABLE.read_bytes()


def test_better_values_of_the_same_instance_are_kept() -> None:
    known = replace(
        instances.read_table()["huainan_24"], objective_cny=-100.0, bound_cny=-110.0, bound_by="a"
    )
    later = replace(known, objective_by="b", bound_by="b", date="2030-01-01")
    worse = replace(later, objective_cny=-99.0, bound_cny=-111.0)
    assert instances.bettered(known, worse) == known
    mixed = instances.bettered(known, replace(later, objective_cny=-99.0, bound_cny=-105.0))
    assert (mixed.objective_cny, mixed.bound_cny) == (-100.0, -105.0)
    assert (mixed.objective_by, mixed.bound_by) == (known.objective_by, "b")
    assert instances.bettered(known, replace(worse, sha256="other")).objective_cny == -99.0
    assert mixed.gap == pytest.approx(0.05)


def test_the_page_shows_the_table() -> None:
    page = (ROOT / "docs" / "instances.md").read_text(encoding="utf-8")
    for known in instances.read_table().values():
        assert f"| `{known.name}` | {known.what} | {known.rows:,} |" in page
        assert f"| {known.objective_cny:,.2f} | {known.bound_cny:,.2f} |" in page
