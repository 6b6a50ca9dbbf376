"""Break-even searches whose answer one can compute in the head."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.errors import ScenarioError
from planner.language.language import language
from planner.studies import break_even as breakeven
from planner.studies.break_even import BreakEven, search, write_break_even
from planner.studies.sweep_plan import prepare
from planner.sweeps.analysis.condition import Condition, Reading, parse_condition
from tests.support.build import grid, renewable, scenario
from tests.support.compute import chat, fleet, market
from tests.support.compute import grid as supply

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"
TOKENS = "profit by compute = profit by export"


def sun(**parts: Any) -> dict[str, Any]:
    """1 MWh of sun, which a grid buys for 30 CNY and one node turns into 9 Mtok."""
    sale = grid(import_limit_mw=0, export_price_cny_per_mwh=30)
    return {"pv": renewable(1), "grid": sale, "fleet": fleet(1), **parts}


def found(make: Any, where: str, low: float, high: float, **more: Any) -> BreakEven:
    return search(make, "price", where, low, high, **{"tolerance": 1e-6} | more)


def test_the_token_price_at_which_compute_earns_what_the_grid_pays() -> None:
    """9 Mtok at p CNY against 30 CNY: p = 10/3. Below, all is sold; above, all is computed."""
    result = found(lambda p: scenario(sun(chat=chat(9, p))), TOKENS, 0, 20)
    assert result.status == "found"
    assert result.value == pytest.approx(10 / 3, abs=3e-5)
    assert result.bracket is not None
    assert result.bracket[0] <= 10 / 3 <= result.bracket[1]
    first, second = result.points[:2]
    assert (first.left, first.right) == (None, 0.03)  # 0 CNY/Mtok: nothing is computed
    assert (second.left, second.right) == (0.18, None)  # 9 x 20 CNY for 1000 kWh
    assert "the figures jump there" in result.text


def test_the_sale_price_at_which_a_smooth_figure_meets_a_number() -> None:
    """Profit 1 MWh x p = 12.5 CNY; p = 12.5 is met exactly by the third middle of 0..100."""
    parts = {"pv": renewable(1)}
    result = found(
        lambda p: scenario(parts | {"grid": grid(import_limit_mw=0, export_price_cny_per_mwh=p)}),
        "profit = 12.5", 0, 100,
    )  # fmt: skip
    assert (result.status, result.value, result.bracket) == ("found", 12.5, (12.5, 12.5))
    assert [point.value for point in result.points] == [0, 100, 50, 25, 12.5]


def test_a_root_at_an_end_is_found_there() -> None:
    parts = {"pv": renewable(1)}
    result = found(
        lambda p: scenario(parts | {"grid": grid(import_limit_mw=0, export_price_cny_per_mwh=p)}),
        "objective_cny = 100", 0, 100,
    )  # fmt: skip
    assert (result.status, result.value, len(result.points)) == ("found", 100, 2)


def test_ends_that_do_not_bracket_are_told_with_their_figures() -> None:
    result = found(lambda p: scenario(sun(chat=chat(9, p))), TOKENS, 5, 20)
    assert (result.status, result.value, result.bracket) == ("not_bracketed", None, None)
    assert "left is above right at both ends" in result.text
    assert "at 5: 0.045 against nothing; at 20: 0.18 against nothing" in result.text


def test_ends_without_a_plan_or_without_both_figures_are_told() -> None:
    served = chat(90, 20, min_served_share=1)  # ten nodes of work for one node
    result = found(lambda p: scenario(sun(chat=served | {"price_cny_per_mtok": p})), TOKENS, 0, 9)
    assert result.status == "no_plan"
    assert "0: infeasible" in result.text
    nothing = found(
        lambda p: scenario({"grid": grid(import_price_cny_per_mwh=40 + p)}), TOKENS, 0, 1
    )
    assert nothing.status == "no_figure"


def test_a_middle_without_a_plan_ends_the_search_with_its_bracket() -> None:
    """1 MW must be served; the plan fails for 3 < p < 7 only, where demand is set to 2 MW."""

    def make(p: float) -> planner.Scenario:
        demand = 2 if 3 < p < 7 else 1
        parts = {"grid": grid(import_limit_mw=1, import_price_cny_per_mwh=10 * p)}
        return scenario(parts | {"load": {"kind": "load", "demand_mw": demand}})

    result = found(make, "profit = -25", 0, 10)
    assert (result.status, result.bracket) == ("no_plan", (0, 10))
    assert result.text == (
        "price: there is no plan at 5; at 5: infeasible; the break-even lies between 0 and 10;"
        " at 0: 0 against -25; at 10: -100 against -25"
    )


def test_a_gap_that_hides_the_sign_ends_the_search_with_its_bracket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The plan at p earns p - 5 and may earn up to 1 more: between 4 and 5 the sign is open."""

    class Found:
        def __init__(self, p: float) -> None:
            self.summary = {
                "status": "optimal",
                "objective_cny": p - 5,
                "bound_cny": p - 4,
                "gap": 0.1,
            }

    monkeypatch.setattr(breakeven, "solve_single", Found)
    result = found(lambda p: p, "profit = 0", 1, 8)  # 4.5 is the first middle
    assert (result.status, result.value, result.bracket) == ("hidden_by_gap", None, (1, 8))
    assert "ask for a smaller gap" in result.text
    wide = found(lambda p: p, "profit = 0", 0, 80, tolerance=0.2)  # 40, 20, 10: never in doubt
    assert (wide.status, wide.bracket) == ("found", (0, 10))
    assert "plans have a gap of up to 1.0e-01" in wide.text


@pytest.mark.slow
def test_the_search_reads_a_scenario_file_and_scales_its_series(tmp_path: Path) -> None:
    """Offers of 9 Mtok at 2 CNY times the factor: 18 f = 30, f = 5/3."""
    data = sun(chat=market((9, 2)))
    text = {"name": "s", "horizon": {"start": "2026-07-15T00:00:00+08:00", "hours": 1},
            "solver": {"gap": 0}, "components": data}  # fmt: skip
    file = tmp_path / "scenario.yaml"
    file.write_text(json.dumps(text))
    path = "components.chat.market[0].price_cny_per_mtok"
    result = planner.break_even(file, path, TOKENS, 0.5, 3, scale=True, tolerance=1e-5)
    assert result.value == pytest.approx(5 / 3, abs=3e-5)
    plain = json.loads(json.dumps(result.plain(), allow_nan=False))
    assert plain["status"] == "found"
    assert plain["points"][0] == {
        "value": 0.5, "status": "optimal", "left": None, "right": 0.03,
        "objective_cny": 30, "gap": 0, "message": "",
    }  # fmt: skip
    with pytest.raises(ScenarioError, match="there is no component 'chatt'"):
        planner.break_even(file, "components.chatt.price_cny_per_mtok", TOKENS, 0, 1)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("profit", "must be LEFT = RIGHT"),
        ("a = b = c", "must be LEFT = RIGHT"),
        ("profit = ", "must be LEFT = RIGHT"),
        ("profit by computer = 1", "did you mean profit by compute"),
        ("profit = nan", "is not a number"),
        ("profit = profit", "both sides are the same"),
    ],
)
def test_a_condition_that_cannot_be_read_is_refused(where: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        parse_condition(where)


def test_a_figure_that_no_plan_has_is_refused_with_the_closest_one() -> None:
    with pytest.raises(ScenarioError, match="did you mean objective_cny"):
        found(lambda p: scenario(sun(chat=chat(9, p))), "objectiv_cny = 3", 0, 20)


def test_names_and_paths_mean_the_same_figure() -> None:
    path = "value_by_use_cny_per_kwh.compute=value_by_use_cny_per_kwh.export"
    assert parse_condition(TOKENS) == parse_condition(path)
    assert parse_condition(" 3  = cash  profit") == Condition(3.0, "cash_profit_cny")


def test_a_use_without_energy_counts_as_earning_less() -> None:
    by_origin = Condition("value_cny_per_kwh.renewable.compute", 1.0)
    none = {"value_cny_per_kwh": {"renewable": {}}}
    assert by_origin.read(none).sign == -1
    assert by_origin.unknown(none) == []
    assert Condition("value_cny_per_kwh.thermal.compute", 1.0).unknown(none)
    assert Condition("uplift", 1.0).read({"uplift": None}).sign is None


@pytest.mark.slow
def test_an_import_price_at_which_serving_pays_nothing() -> None:
    """9 Mtok for 45 CNY must be served and take 1 MWh: profit 0 at 45 CNY/MWh."""
    served = chat(9, 5, min_served_share=1)
    result = found(
        lambda p: scenario({"grid": supply(p), "fleet": fleet(1), "chat": served}),
        "profit = 0", 1, 100, tolerance=1e-4,
    )  # fmt: skip
    assert result.value == pytest.approx(45, abs=0.01)
    assert "jump" not in result.text


@pytest.mark.slow
def test_a_sweep_file_moves_an_axis_and_what_follows_from_it(tmp_path: Path) -> None:
    """The market's 2 CNY/Mtok and nothing else follow the factor f: 18 f = 30, f = 5/3."""
    data = {"name": "s", "horizon": {"start": "2026-07-15T00:00:00+08:00", "hours": 1},
            "solver": {"gap": 0}, "components": sun(chat=market((9, 2)))}  # fmt: skip
    (tmp_path / "scenario.yaml").write_text(json.dumps(data))
    path = "components.chat.market[0].price_cny_per_mtok"
    size = {"components.pv.capacity_mw": {"values": [100, 50], "base": 100}}
    follows = {"expression": "f", "from": ["f"], "scales": True}
    asked = {"path": "f", "where": TOKENS, "low": 0.5, "high": 3}
    for named, base in (({"f": {"values": [1, 2]}, path: follows}, "f"),
                        ({path: {"scale": [1, 2]}}, path)):  # fmt: skip
        text = {"name": "s", "base": "scenario.yaml", "axes": named | size,
                "find": asked | {"path": base}}  # fmt: skip
        (tmp_path / "sweep.yaml").write_text(json.dumps(text))
        result = breakeven.find(prepare(tmp_path / "sweep.yaml"))
        assert result is not None
        assert result.value == pytest.approx(5 / 3, abs=3e-3)
        written = write_break_even(result, tmp_path)
        assert json.loads(written.read_text())["value"] == result.value
    text.pop("find")
    (tmp_path / "sweep.yaml").write_text(json.dumps(text))
    assert breakeven.find(prepare(tmp_path / "sweep.yaml")) is None


def test_a_wrong_condition_is_told_before_the_first_case_is_solved(tmp_path: Path) -> None:
    text = {"name": "s", "base": str(SCENARIOS / "tiny_arbitrage"),
            "axes": {"components.grid.resale": [True, False]},
            "find": {"path": "components.battery.capacity_mwh", "where": "profit", "low": 1,
                     "high": 2}}  # fmt: skip
    (tmp_path / "sweep.yaml").write_text(json.dumps(text))
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["sweep", str(tmp_path / "sweep.yaml"), "--out", str(out)])
    assert done.exit_code == 2
    assert "must be LEFT = RIGHT" in done.output
    assert not out.exists()


def point(value: float) -> breakeven.Point:
    """A plan that has `value` on the left and 3 on the right."""
    reading = Reading(value, 3.0, value - 3, value - 3)
    return breakeven.Point(value, "optimal", value, 3.0, value, 0.0, reading=reading)


def test_bisection_solves_both_ends_then_middles() -> None:
    points = list(breakeven.bisected(point, 0, 8, width=2))
    assert [p.value for p in points] == [0, 8, 4, 2]
    status, text, bracket, value = breakeven.verdict(points, "a = 3")
    assert (status, bracket, value) == ("found", (2, 4), 3)
    assert text.startswith("break-even between 2 and 4 for a = 3; the figures jump there; at 2: 2")


def lacking(value: float) -> breakeven.Point:
    """A value without a plan."""
    return breakeven.Point(value, "infeasible", message="no plan satisfies every rule")


@pytest.mark.parametrize(
    ("points", "chinese"),
    [
        ([point(0), point(3)], "x：盈亏平衡点为 3（a = 3）"),
        ([point(0), point(8), point(4)],
         "x：盈亏平衡点介于 0 与 4 之间（a = 3）；指标在此处跳变；取值 0：左侧 0，右侧 3；"
         "取值 4：左侧 4，右侧 3"),
        ([point(0), lacking(8)],
         "x：取值 8 时没有计划；取值 0：左侧 0，右侧 3；取值 8：无可行解"),
        ([point(5), point(8)],
         "x：区间内无盈亏平衡点：两端均为左侧大于右侧；取值 5：左侧 5，右侧 3；"
         "取值 8：左侧 8，右侧 3"),
        ([point(0), point(8), lacking(4)],
         "x：取值 4 时没有计划；取值 4：无可行解；盈亏平衡点介于 0 与 8 之间；"
         "取值 0：左侧 0，右侧 3；取值 8：左侧 8，右侧 3"),
    ],
)  # fmt: skip
def test_a_stored_result_is_read_back_in_chinese(
    points: list[breakeven.Point], chinese: str
) -> None:
    _, text, _, _ = breakeven.verdict(points, "a = 3")
    stored = f"x: {text}"
    assert language("zh").sentence(stored) == chinese
    assert language("zh").sentence(text) == chinese.removeprefix("x：")


def test_bisection_ends_at_the_value_itself_and_where_the_ends_agree() -> None:
    points = list(breakeven.bisected(point, 0, 6, width=1e-6))
    assert [p.value for p in points] == [0, 6, 3]
    assert breakeven.verdict(points, "a = 3") == ("found", "break-even at 3 for a = 3", (3, 3), 3)
    same = list(breakeven.bisected(point, 4, 6, width=1e-6))
    assert [p.value for p in same] == [4, 6]
    assert breakeven.verdict(same, "a = 3")[0] == "not_bracketed"
