"""Models built with vectors of steps are the models that Pyomo builds."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import planner
from planner.components.registry import KINDS
from planner.modelling.arrays import Variable
from planner.modelling.linear import Linear
from planner.scenario.scenario import Scenario
from planner.solver import model
from planner.solver.compiler import compile_program
from planner.solver.model import assemble, assemble_in_pyomo
from planner.timeseries.horizon import Window
from tests.support import full_site
from tests.support.any_site import any_site
from tests.support.same_program import differences

SHIPPED = sorted(str(path.parent) for path in Path("scenarios").glob("*/scenario.yaml"))


@pytest.fixture(autouse=True)
def no_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that asks for vectors may not be given the model of Pyomo instead."""

    def refuse(*_: Any) -> None:
        raise AssertionError("the model was built in Pyomo")

    monkeypatch.setattr(model, "assemble_in_pyomo", refuse)


def unlike(scenario: Scenario, window: Window | None = None) -> list[str]:
    return differences(
        compile_program(assemble(scenario, window)),
        compile_program(assemble_in_pyomo(scenario, window)),
    )


@pytest.mark.few(2)
@pytest.mark.parametrize("folder", SHIPPED)
def test_of_every_shipped_scenario(folder: str) -> None:
    assert not unlike(planner.load(folder))


def test_of_every_kind_with_every_field(tmp_path: Path) -> None:
    scenario = planner.load(full_site.write(tmp_path))
    assert {part.kind for part in scenario.components.values()} == set(KINDS)
    assert not unlike(scenario)
    assert not unlike(scenario, Window(4, 9))


@pytest.mark.few(4)
@pytest.mark.parametrize("seed", range(120))
def test_of_random_sites_and_windows(seed: int) -> None:
    """Names and integers alike, figures but for the order of sums."""
    scenario, rnd = any_site(seed), random.Random(seed)
    first = rnd.randint(1, scenario.horizon.steps)
    assert not unlike(scenario)
    assert not unlike(scenario, Window(first, rnd.randint(first, scenario.horizon.steps)))


def test_that_sites_with_a_difference_are_told_apart() -> None:
    scenario = any_site(0)
    bound = {"components.grid.import_limit_mw": 59.0}
    other = compile_program(assemble(scenario.with_values(bound)))
    program = compile_program(assemble(scenario))
    assert any("import" in line for line in differences(program, other))


def look_ups(scenario: Scenario, window: Window, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many single columns the rules of a window name."""
    count: Counter[bool] = Counter()
    look_up = Variable.__getitem__

    def counted(self: Variable, index: Any) -> Linear:
        column = look_up(self, index)
        count[column.owner is not None] += 1
        return column

    with monkeypatch.context() as patch:
        patch.setattr(Variable, "__getitem__", counted)
        assemble(scenario, window)
    return count[True]


def test_own_kinds_hardly_ever_need_single_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More steps, of the same day, take hardly more single look-ups."""
    scenario = planner.load(full_site.write(tmp_path))
    few, all_steps = (look_ups(scenario, Window(1, last), monkeypatch) for last in (6, 12))
    assert all_steps - few < 0.1 * few
