"""A bounded number of mutants; `make fuzz` tries ten thousand."""

from __future__ import annotations

import pytest

import planner
from tests.support.fuzz import run
from tests.support.mutants import bases, mutant


def test_a_mutant_is_made_from_its_number_alone() -> None:
    assert mutant(17) == mutant(17)
    assert mutant(17) != mutant(18)


def test_what_is_mutated_is_good(tmp_path_factory: pytest.TempPathFactory) -> None:
    kinds = set()
    for files in bases():
        folder = tmp_path_factory.mktemp("base")
        for name, content in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        kinds |= {part.kind for part in planner.load(folder).components.values()}
    assert len(kinds) >= 7


def test_mutants_end_in_a_plan_or_in_words() -> None:
    counts, failed = run(range(30))
    assert not failed, "\n".join(f"mutant {number}: {text}" for number, text in failed.items())
    assert counts["refused"] > 10
    assert counts["optimal"] > 5


@pytest.mark.slow
def test_a_thousand_mutants_end_in_a_plan_or_in_words() -> None:
    _, failed = run(range(20_000, 21_000))
    assert not failed, "\n".join(f"mutant {number}: {text}" for number, text in failed.items())


def test_what_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("planner.load", fail)
    counts, failed = run(range(3))
    assert not counts
    assert ["ZeroDivisionError: by zero" in text for text in failed.values()] == [True] * 3
