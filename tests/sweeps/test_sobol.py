"""Sobol indices of functions whose indices are known, and how too few samples are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from SALib.sample import sobol as sampling

from planner.errors import ScenarioError
from planner.sweeps.analysis.sobol import sobol_indices, unit_cube

Function = Callable[[Any], Any]


def cases_of(count: int, blocks: int, function: Function, seed: int) -> pd.DataFrame:
    """The cases of a design on the unit cube, with the value of a function as their profit."""
    names = [f"x{n + 1}" for n in range(count)]
    points = sampling.sample(unit_cube(names), blocks, calc_second_order=False, seed=seed)
    cases = pd.DataFrame(points, columns=names).assign(objective_cny=function(points))
    return cases.assign(case=range(len(cases)), status="optimal", message="")


def ishigami(points: Any) -> Any:
    x = np.pi * (2 * points - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


ISHIGAMI_FIRST = {"x1": 0.3139, "x2": 0.4424, "x3": 0.0}  # Saltelli et al. 2008, table 4.2
ISHIGAMI_TOTAL = {"x1": 0.5576, "x2": 0.4424, "x3": 0.2437}


def g_function(weights: list[float]) -> Function:
    """Sobol's g-function: the product of (|4x - 2| + a) / (1 + a)."""
    a = np.array(weights)
    return lambda points: np.prod((np.abs(4 * points - 2) + a) / (1 + a), axis=1)


def g_indices(weights: list[float]) -> tuple[list[float], list[float]]:
    """V_i = 1 / (3 (1 + a)²); V = prod(1 + V_i) - 1; total_i = V_i prod of the others / V."""
    parts = 1 / (3 * (1 + np.array(weights)) ** 2)
    whole = np.prod(1 + parts)
    first, total = parts / (whole - 1), parts * whole / (1 + parts) / (whole - 1)
    return first.tolist(), total.tolist()


@pytest.mark.few(1)
@pytest.mark.parametrize("seed", range(5))
def test_ishigami_has_its_published_indices(seed: int) -> None:
    cases = cases_of(3, 1024, ishigami, seed)
    indices = sobol_indices(cases, ["x1", "x2", "x3"])
    table = indices.table.set_index("axis")
    assert table["first"].to_dict() == pytest.approx(ISHIGAMI_FIRST, abs=0.04)
    assert table["total"].to_dict() == pytest.approx(ISHIGAMI_TOTAL, abs=0.04)
    assert indices.note == ""


@pytest.mark.few(1)
@pytest.mark.parametrize("seed", range(5))
def test_the_g_function_has_its_published_indices(seed: int) -> None:
    weights = [0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0]
    axes = [f"x{n + 1}" for n in range(8)]
    indices = sobol_indices(cases_of(8, 2048, g_function(weights), seed), axes)
    table = indices.table.set_index("axis").loc[axes]
    first, total = g_indices(weights)
    assert first[0] == pytest.approx(0.716, abs=0.001)  # as published
    assert table["first"].tolist() == pytest.approx(first, abs=0.04)
    assert table["total"].tolist() == pytest.approx(total, abs=0.04)
    assert indices.note == ""


@pytest.mark.parametrize("blocks", [2, 4, 8, 16])
def test_fewer_than_32_blocks_are_refused(blocks: int) -> None:
    cases = cases_of(3, blocks, ishigami, 1)
    with pytest.raises(ScenarioError, match=f"32 whole blocks of 5 cases .* there are {blocks}"):
        sobol_indices(cases, ["x1", "x2", "x3"])


def test_blocks_without_a_plan_do_not_count() -> None:
    cases = cases_of(3, 32, ishigami, 1)
    cases.loc[7, ["status", "objective_cny"]] = ["infeasible", np.nan]
    with pytest.raises(ScenarioError, match="there are 31"):
        sobol_indices(cases, ["x1", "x2", "x3"])


@pytest.mark.few(8)
@pytest.mark.parametrize("seed", range(50))
def test_what_is_far_off_is_flagged(seed: int) -> None:
    """One of twelve axes causes most of the variance: an index that is off by 0.1 has a note."""
    weights = [0.0, *[3.0] * 11]
    axes = [f"x{n + 1}" for n in range(12)]
    indices = sobol_indices(cases_of(12, 32, g_function(weights), seed), axes)
    found = indices.table.set_index("axis").loc[axes]
    totals = found["total"].sum()
    assert ("sum to" in indices.note) == (round(totals, 2) < 1)
    _, total = g_indices(weights)
    if abs(found.loc["x1", "total"] - total[0]) > 0.1:
        assert "take more samples" in indices.note


def test_columns_that_correlate_are_named() -> None:
    """With 32 blocks some of twelve axes move together; with 512 none do."""
    axes = [f"x{n + 1}" for n in range(12)]

    def most(blocks: int) -> tuple[float, str]:
        cases = cases_of(12, blocks, lambda points: points.sum(axis=1), 1)
        rows = cases[axes].to_numpy().reshape(blocks, 14, 12)
        joint = np.corrcoef(np.hstack([rows[:, 0], rows[:, -1]]), rowvar=False)
        np.fill_diagonal(joint, 0)
        return float(np.abs(joint).max()), sobol_indices(cases, axes).note

    (few, flagged), (many, clear) = most(32), most(512)
    assert few > 0.5
    assert f"correlate, by {few:.2f}" in flagged
    assert many < 0.15
    assert "correlate" not in clear


def test_labels_correlate_as_numbers_do() -> None:
    cases = cases_of(2, 64, lambda points: points.sum(axis=1), 1)
    cases["x1"] = np.where(cases["x1"] > 0.5, "dear", "cheap")
    assert "correlate" not in sobol_indices(cases, ["x1", "x2"]).note
