"""The sums of docs/proof.md: the unit of two hours, and two units for a load of 5 MW."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import planner
from planner.solver.capacity_rows import capacity_rows
from planner.solver.compiler import program_of
from planner.solver.copies import Copies
from planner.solver.hull import Hull
from planner.solver.program import Program
from planner.solver.session import Session
from tests.support import build

PAGE = Path(__file__).parent.parent.parent / "docs" / "proof.md"


@pytest.fixture
def two_hours(tmp_path: Path) -> Program:
    file = tmp_path / "two_hours.yaml"
    text = PAGE.read_text(encoding="utf-8")
    file.write_text(text.partition("```yaml file=two_hours.yaml\n")[2].partition("```")[0])
    return program_of(planner.load(file))


def test_the_relaxation_has_a_quarter_of_the_unit(two_hours: Program) -> None:
    assert Session(two_hours).run().objective == pytest.approx(2 * 10 + 2 * 40 / 4 + 80 / 4)


@pytest.mark.parametrize(("on", "cost"), [(None, 100), (0, 140), (1, 140)])
def test_all_copies_have_a_whole_hour_and_half_a_start(
    two_hours: Program, on: int | None, cost: float
) -> None:
    (state,) = two_hours.states
    if on is not None:
        two_hours = two_hours.with_bounds(state[:1], float(on), float(on))
    hull, session = Hull(two_hours, [state], Session(two_hours)), Session(two_hours)
    Copies(session, hull, np.zeros(2, dtype=int)).add(np.ones((2, 2), dtype=bool))
    assert session.run().objective == pytest.approx(cost)
    duals = session.duals()
    assert duals is not None
    bound = hull.bound(duals.rows, two_hours.column_lower, two_hours.column_upper)
    assert bound.value == pytest.approx(cost)


@pytest.mark.parametrize("shed", [{}, {"shed_cost_cny_per_mwh": 9000}])
def test_two_units_of_4_mw_for_5_mw(shed: dict[str, float]) -> None:
    start = [{"off_h": 0, "cost_cny": 100}]
    curve = [{"power_mw": mw, "fuel_gj_per_h": 10 * mw} for mw in (2, 4)]
    unit = build.thermal(min_power_mw=2, max_power_mw=4, curve=curve, startups=start)
    program = program_of(build.scenario({"town": build.load(5, **shed), "a": unit, "b": unit}))
    x = Session(program).run().x
    assert x is not None
    matrix, lower = capacity_rows(program, x)
    assert matrix.shape[0] == 1
    assert sorted(matrix.data[matrix.data != 0]) == [*([1] if shed else []), 4, 4]
    assert lower == pytest.approx([5])
