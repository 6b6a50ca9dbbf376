"""Every shipped scenario solves to its expected figures and says where they come from.

`expected.yaml` beside a scenario holds
    objective_cny: 160
    tolerance: 1.0e-6          # relative to turnover; the scenario's gap where not given
    slow: true                 # only where solving takes more than a few seconds
    year: true                 # only where `planner year` plans it, in minutes
    figures:                   # by path into summary.json; three at least
      figures.battery.cycles: 0.4
      uplift: {value: 7.2, within: 0.1}    # within: absolute; else relative, by the tolerance
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import planner
from tests.support.build import HANGS_S

SCENARIOS = Path(__file__).parent.parent / "scenarios"
FOLDERS = sorted(p for p in SCENARIOS.iterdir() if p.is_dir() and p.name != "sweeps")
LEAST = 1e-6  # CNY, and the finest relative tolerance of a figure


def expected(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "expected.yaml").read_text(encoding="utf-8"))
    return found


def solvable() -> list[Any]:
    """Every folder with expected figures, the slow ones marked."""
    ready = [folder for folder in FOLDERS if (folder / "expected.yaml").exists()]
    return [pytest.param(folder, id=folder.name, marks=marks_of(folder)) for folder in ready]


def marks_of(folder: Path) -> list[pytest.MarkDecorator]:
    """Return the marks of what takes long."""
    marks = {"slow": pytest.mark.slow, "year": pytest.mark.year}
    return [mark for key, mark in marks.items() if expected(folder).get(key)]


def at(summary: dict[str, Any], path: str) -> Any:
    """Return the figure at a dotted path of a summary."""
    found: Any = summary
    for key in path.split("."):
        assert key in found, f"{path}: there is {', '.join(map(str, found))}"
        found = found[key]
    return found


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_scenario_comes_with_its_expected_figures_and_a_readme(folder: Path) -> None:
    for name in ("scenario.yaml", "expected.yaml", "README.md"):
        assert (folder / name).is_file(), f"{folder.name}/{name} is missing"
    keys = set(expected(folder))
    assert keys <= {"objective_cny", "tolerance", "slow", "year", "figures"}
    assert len(expected(folder)["figures"]) >= 3


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_scenario_is_named_and_described(folder: Path) -> None:
    scenario = planner.load(folder)
    assert scenario.name == folder.name
    assert scenario.description.endswith(".")


def unhurried(folder: Path) -> planner.Scenario:
    """Return a shipped scenario with a time limit that no busy machine reaches."""
    return planner.load(folder, set={"solver.time_limit_s": HANGS_S})


@functools.cache
def plan_of(name: str) -> planner.Plan:
    """Solve a shipped scenario, once for every test of this file."""
    return planner.solve(unhurried(SCENARIOS / name))


def summary_of(name: str) -> dict[str, Any]:
    """Return the summary of the plan for the futures of a scenario, or for what it says."""
    scenario = unhurried(SCENARIOS / name)
    if expected(SCENARIOS / name).get("year"):
        return planner.plan_year(scenario).summary
    if scenario.uncertainty is None:
        return plan_of(name).summary
    return planner.solve_stochastic(scenario).summary


@pytest.mark.parametrize("folder", solvable())
def test_a_scenario_solves_to_its_expected_figures(folder: Path) -> None:
    wanted, scenario = expected(folder), planner.load(folder)
    summary = summary_of(folder.name)
    tolerance = wanted.get("tolerance", scenario.solver.gap)
    assert summary["status"] == "optimal"
    assert summary["objective_cny"] == pytest.approx(
        wanted["objective_cny"], abs=max(LEAST, tolerance * summary["turnover_cny"]), rel=0
    )
    for path, figure in wanted["figures"].items():
        given = figure if isinstance(figure, dict) else {"value": figure}
        within = given.get("within", max(LEAST, tolerance * abs(given["value"])))
        assert at(summary, path) == pytest.approx(given["value"], abs=within, rel=0), path


def test_everything_at_huainan_is_active_in_some_hour() -> None:
    july = pd.concat(plan_of(name).schedule for name in ("huainan", "huainan_winter"))
    for column in (
        "coal_1.start",
        "b200.woken[server_off|deepseek_v31]",
        "chat_batch.refused_mtok_per_h",
        "chat.unserved_mtok_per_h",
        "pv.curtailed_mw",
        "grid.import_mw",
        "grid.export_mw[thermal]",
    ):
        assert (july[column] > 1e-3).any(), column
    used = [
        o
        for o in ("renewable", "thermal", "grid")
        if july[f"battery.discharge_mw[{o}]"].max() > 1e-3
    ]
    assert len(used) >= 2
    providers = [c for c in july if c.endswith("reserve_mw[spinning]")]
    assert len([c for c in providers if july[c].max() > 1e-3]) >= 2


def test_the_readme_answers_the_claim_with_the_figures_of_the_plan() -> None:
    summary = plan_of("huainan").summary
    by_use, outside = summary["value_by_use_cny_per_kwh"], summary["outside_objective_cny"]
    servers = -sum(outside[fleet]["amortisation"] for fleet in ("b200", "h100"))
    compute_mwh = sum(uses["compute"] for uses in summary["allocation_mwh"].values())
    answer = " ".join((SCENARIOS.parent / "README.md").read_text(encoding="utf-8").split())
    for text in (
        f"drawn by compute earned {by_use['compute']:.2f} CNY",
        f"would have earned {by_use['compute_at_sale_price']:.2f}",
        f"what was sold earned {by_use['export']:.2f}",
        f"earns {summary['objective_cny'] / 1e6:.1f} million CNY",
        f"cost {servers / 1e6:.1f} million in these two days",
        f"{servers / compute_mwh / 1e3:.1f} CNY for each kWh of compute",
        f"{summary['net_after_outside_cny'] / 1e6:.1f} million remain",
    ):
        assert text in answer


@pytest.mark.slow
def test_the_readme_names_the_token_prices_at_which_the_site_breaks_even() -> None:
    scenario = unhurried(SCENARIOS / "huainan")
    prices = [
        *(
            f"components.{service}.{price}"
            for service in ("chat", "chat_batch")
            for price in (
                "price_cny_per_mtok", "price_input_cny_per_mtok", "price_cached_cny_per_mtok",
            )
        ),
        "components.assistant.price_cny_per_mtok",
        *(f"components.open_market.market[{i}].price_cny_per_mtok" for i in range(4)),
    ]  # fmt: skip
    nets = [
        planner.solve(scenario.with_values({path: {"scale": scale} for path in prices})).summary
        for scale in (2.6, 2.65)
    ]
    assert nets[0]["net_after_outside_cny"] < 0 < nets[1]["net_after_outside_cny"]
    answer = " ".join((SCENARIOS.parent / "README.md").read_text(encoding="utf-8").split())
    earned = nets[0]["value_by_use_cny_per_kwh"]["compute"]
    assert f"At 2.6 times the token prices, where a kWh earns {earned:.1f} CNY" in answer


@pytest.mark.parametrize(
    ("folder", "path", "value", "objective"),
    [
        ("tiny_arbitrage", "components.grid.resale", False, 0),
        ("tiny_start", "components.coal.startups", [{"off_h": 0, "cost_cny": 1201}], -3000),
        ("tiny_deadline", "components.overnight.deadline_h", 0, 160),
        ("tiny_deadline", "components.overnight.deadline_h", 2, 280),
        ("tiny_reserve", "components.reserve.providers", ["coal", "grid"], -1200),
        ("tiny_wake", "components.fleet.wake_min", 0, 160),
    ],
)
def test_a_change_does_what_the_readme_says(
    folder: str, path: str, value: Any, objective: float
) -> None:
    changed = planner.load(SCENARIOS / folder, set={path: value})
    assert planner.solve(changed).summary["objective_cny"] == pytest.approx(objective, abs=LEAST)
