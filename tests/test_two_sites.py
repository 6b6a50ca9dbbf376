"""What the README of two_sites says: tokens move with the wind, the line carries the rest."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import planner
from tests.test_scenarios import plan_of

FOLDER = Path(__file__).parent.parent / "scenarios" / "two_sites"
CLOSED = 0.0


@functools.cache
def plan(capacity_mw: float | None = None) -> planner.Plan:
    if capacity_mw is None:
        return plan_of("two_sites")
    return planner.solve(planner.load(FOLDER, set={"components.tie.capacity_mw": capacity_mw}))


def over(name: str, quantity: str, found: planner.Plan) -> np.ndarray:
    columns = [c for c in found.schedule if c.startswith(f"{name}.{quantity}[")]
    return np.asarray(found.schedule[columns].sum(axis=1))


def wind_mw() -> np.ndarray:
    return 60 * pd.read_csv(FOLDER / "data" / "wind.csv")["wind_pu"].to_numpy()[:48]


def west_share(steps: np.ndarray, found: planner.Plan) -> float:
    west, east = (over(f"{side}_gpus", "answered_mtok_per_h", found) for side in ("west", "east"))
    return float(west[steps].sum() / (west + east)[steps].sum())


@pytest.mark.parametrize(("capacity_mw", "in_calm"), [(None, 0.24), (CLOSED, 0.03)])
def test_tokens_move_with_the_wind(capacity_mw: float | None, in_calm: float) -> None:
    windy, calm = wind_mw() >= 24, wind_mw() < 6
    assert (windy.sum(), calm.sum()) == (30, 14)
    assert west_share(windy, plan(capacity_mw)) == pytest.approx(0.8, abs=0.05)
    assert west_share(calm, plan(capacity_mw)) == pytest.approx(in_calm, abs=0.03)


def test_the_line_sends_one_way_and_less_than_the_tokens_take_with_them() -> None:
    ahead, back = (over("tie", f"{way}_mw", plan()) for way in ("forward", "backward"))
    assert np.minimum(ahead, back).max() <= 1e-6
    windy = wind_mw() >= 24
    assert ahead.max() == pytest.approx(10)
    assert back[windy].sum() == pytest.approx(0)
    assert over("west_gpus", "draw_mw", plan())[windy].sum() > 2.5 * ahead[windy].sum()


def test_a_closed_line_costs_what_the_readme_says() -> None:
    lost = plan().summary["objective_cny"] - plan(CLOSED).summary["objective_cny"]
    assert lost == pytest.approx(64_000, abs=2_500)
    assert over("tie", "forward_mw", plan(CLOSED)).sum() == 0


def test_every_token_is_answered_and_paid_at_the_price_of_its_hour() -> None:
    """Money of chat again, from the prices of the README alone."""
    shape = [218, 195.5, 150.5, 83, 68, 68, 83, 158, 248, *[278] * 15]
    double = [2 if 9 <= h < 12 or 14 <= h < 18 else 1 for h in range(24)]
    each = 2 + 3.6 * (0.437 * 1 + 0.563 * 0.02)
    wanted = 2 * sum(100 * mtok * factor * each for mtok, factor in zip(shape, double, strict=True))
    ledger = plan().ledger
    chat = ledger.loc[ledger["component"] == "chat", "amount_cny"].sum()
    assert chat == pytest.approx(wanted, rel=1e-6)


def test_the_tuning_job_draws_its_power_in_one_piece() -> None:
    found = plan().schedule["nightly_tuning.running"].to_numpy()
    hours = np.flatnonzero(found > 0.5)
    assert len(hours) == 8
    assert hours[-1] - hours[0] == 7
    assert hours[0] >= 10
    assert found @ plan().schedule["west_gpus.job_kw"].to_numpy() == pytest.approx(8 * 500 * 9)


def test_the_wind_is_what_the_script_makes(tmp_path: Path, monkeypatch: Any) -> None:
    spec = importlib.util.spec_from_file_location("build_wind", FOLDER / "build_data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(module, "__file__", str(tmp_path / "build_data.py"))
    module.main()
    made = (tmp_path / "data" / "wind.csv").read_text(encoding="utf-8")
    assert made == (FOLDER / "data" / "wind.csv").read_text(encoding="utf-8")
