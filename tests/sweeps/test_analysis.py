"""Analyses of tables of cases whose figures one can compute in the head."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from SALib.sample import sobol as sampling

from planner.errors import ScenarioError
from planner.sweeps.analysis.case_table import canonical, failures
from planner.sweeps.analysis.cost_curve import cost_curve
from planner.sweeps.analysis.maps import grid_map
from planner.sweeps.analysis.pareto import pareto, ranking
from planner.sweeps.analysis.sobol import sobol_indices
from planner.sweeps.analysis.tornado import tornado


def table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Cases that are all optimal unless a row says otherwise."""
    plain = [{"case": n, "status": "optimal", "message": ""} | row for n, row in enumerate(rows)]
    return pd.DataFrame(plain)


def one_at_a_time() -> pd.DataFrame:
    """Profit = 100 + 10 (price - 1) - 2 (cost - 5) around price 1, cost 5."""
    points = [(1, 5), (0, 5), (3, 5), (1, 4), (1, 9)]
    return table(
        [{"price": p, "cost": c, "objective_cny": 100 + 10 * (p - 1) - 2 * (c - 5)}
         for p, c in points]
    )  # fmt: skip


def test_a_tornado_has_the_widest_swing_first() -> None:
    found = tornado(one_at_a_time(), ["cost", "price"]).table
    assert found["axis"].tolist() == ["price", "cost"]
    assert found["swing"].tolist() == [30, 10]  # 120 - 90; 102 - 92
    assert found[["change_low", "change_high"]].values.tolist() == [[-10, 20], [2, -8]]
    assert found[["low", "base", "high"]].values.tolist() == [[0, 1, 3], [4, 5, 9]]


def test_a_tornado_keeps_an_end_without_a_plan_and_its_status() -> None:
    cases = one_at_a_time()
    cases.loc[4, ["status", "objective_cny"]] = ["infeasible", np.nan]
    cost = tornado(cases, ["price", "cost"]).table.set_index("axis").loc["cost"]
    assert cost["status_high"] == "infeasible"
    assert np.isnan(cost["change_high"])
    assert cost["swing"] == 2
    assert cost["without_plan"] == 1


def test_figures_of_a_case_that_has_no_plan_are_not_believed() -> None:
    cases = one_at_a_time()
    cases.loc[2, "status"] = "failed"  # its row still holds 120
    assert tornado(cases, ["price", "cost"]).table["swing"].tolist() == [10, 10]


def test_a_tornado_of_a_grid_takes_only_cases_in_which_one_axis_moves() -> None:
    rows = [{"a": a, "b": b, "objective_cny": a * b} for a in (1, 2, 3) for b in (10, 20)]
    found = tornado(table(rows), ["a", "b"], base={"a": 2, "b": 10}).table.set_index("axis")
    assert found.loc["a", ["output_low", "output_high"]].tolist() == [10, 30]  # b stays at 10
    assert found.loc["b", ["output_low", "output_high"]].tolist() == [20, 40]  # a stays at 2
    assert found["cases"].to_dict() == {"a": 3, "b": 2}


def test_a_tornado_of_labels_takes_the_labels_beside_the_base() -> None:
    rows = [{"cell": name, "objective_cny": value}
            for name, value in (("today", 5), ("topcon", 7), ("perovskite", 11))]  # fmt: skip
    found = tornado(table(rows), ["cell"]).table.iloc[0]
    assert (found["low"], found["high"], found["change_high"]) == ("topcon", "perovskite", 6)


def test_a_tornado_without_a_base_case_is_refused() -> None:
    with pytest.raises(ScenarioError, match="no case has every axis at its base"):
        tornado(one_at_a_time(), ["price", "cost"], base={"price": 7, "cost": 7})
    cases = one_at_a_time()
    cases.loc[0, ["status", "objective_cny"]] = ["time_limit", np.nan]
    with pytest.raises(ScenarioError, match="the base case has no objective_cny: its status is t"):
        tornado(cases, ["price", "cost"])
    with pytest.raises(ScenarioError, match="did you mean objective_cny"):
        tornado(one_at_a_time(), ["price", "cost"], "objective")


def test_a_map_pivots_two_axes_and_counts_places_without_a_plan() -> None:
    rows = [{"a": a, "b": b, "c": c, "objective_cny": 100 * a + 10 * b + c}
            for a in (2, 1) for b in (1, 2, 3) for c in (0, 5, 9)]  # fmt: skip
    rows[1] |= {"status": "infeasible", "objective_cny": np.nan}
    found = grid_map(table(rows[:-3]), ["a", "b", "c"], "b", "a")
    assert found.at == {"c": 5}
    assert found.table.index.tolist() == [1, 2]
    assert found.table.columns.tolist() == [1, 2, 3]
    expected = np.array([[115, 125, np.nan], [np.nan, 225, 235]])  # (1, 3) was not run
    np.testing.assert_array_equal(found.table.to_numpy(), expected)
    assert found.statuses.values.tolist() == [
        ["optimal", "optimal", ""],
        ["infeasible"] + 2 * ["optimal"],
    ]
    assert found.missing == 2
    assert found.numeric


def test_a_map_takes_the_middle_of_other_axes_and_refuses_two_cases_in_one_place() -> None:
    rows = [{"a": a, "b": b, "c": c, "objective_cny": c}
            for a in (1, 2) for b in (1, 2) for c in (7, 8, 9)]  # fmt: skip
    found = grid_map(table(rows), ["a", "b", "c"], "a", "b")
    assert found.at == {"c": 8}
    assert (found.table == 8).all(axis=None)
    with pytest.raises(ScenarioError, match="several cases have a = 1, b = 1"):
        grid_map(table(rows), ["a", "b"], "a", "b")


def sobol_cases(count: int, blocks: int, function: Any) -> pd.DataFrame:
    bounds = [[-np.pi, np.pi]] * count
    names = [f"x{n + 1}" for n in range(count)]
    problem = {"num_vars": count, "names": names, "bounds": bounds}
    points = sampling.sample(problem, blocks, calc_second_order=False, seed=3)
    cases = pd.DataFrame(points, columns=names)
    cases["objective_cny"] = function(points)
    return cases.assign(case=range(len(cases)), status="optimal", message="")


def ishigami(x: Any) -> Any:
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def test_the_indices_of_ishigami_are_those_of_its_closed_form() -> None:
    """With a = 7, b = 0.1: V1 = (1 + b π⁴/5)²/2, V2 = a²/8, V13 = b² π⁸ (1/18 - 1/50)."""
    v1, v2 = (1 + 0.1 * np.pi**4 / 5) ** 2 / 2, 49 / 8
    v13 = 0.01 * np.pi**8 * (1 / 18 - 1 / 50)
    whole = v1 + v2 + v13
    cases = sobol_cases(3, 1024, ishigami)
    found = sobol_indices(cases, ["x1", "x2", "x3"]).table.set_index("axis")
    first = {"x1": v1 / whole, "x2": v2 / whole, "x3": 0.0}
    total = {"x1": (v1 + v13) / whole, "x2": v2 / whole, "x3": v13 / whole}
    for axis in first:
        assert found.loc[axis, "first"] == pytest.approx(first[axis], abs=0.03)
        assert found.loc[axis, "total"] == pytest.approx(total[axis], abs=0.03)
        for kind, true in (("first", first[axis]), ("total", total[axis])):
            within = 1.5 * found.loc[axis, f"{kind}_confidence"] + 1e-3
            assert abs(found.loc[axis, kind] - true) <= within


def test_the_indices_of_a_sum_are_shares_of_squares() -> None:
    """Y = 1 x1 + 2 x2 + 3 x3 + 0 x4 over equal ranges: shares 1, 4, 9, 0 of 14, no interaction."""
    cases = sobol_cases(4, 512, lambda x: x @ np.array([1, 2, 3, 0]))
    found = sobol_indices(cases, ["x1", "x2", "x3", "x4"])
    assert found.table["axis"].tolist() == ["x3", "x2", "x1", "x4"]
    for kind in ("first", "total"):
        shares = found.table[kind].to_numpy()
        np.testing.assert_allclose(shares, np.array([9, 4, 1, 0]) / 14, atol=0.01)
    assert (found.blocks, found.left_out, found.note) == (512, 0, "")


def test_the_order_of_rows_does_not_matter_but_that_of_cases_does() -> None:
    cases = sobol_cases(3, 64, ishigami)
    axes = ["x1", "x2", "x3"]
    again = sobol_indices(cases.sample(frac=1, random_state=1), axes).table
    pd.testing.assert_frame_equal(again, sobol_indices(cases, axes).table)
    mixed = cases.assign(case=cases["case"].sample(frac=1, random_state=1).to_numpy())
    for wrong in (mixed, cases.iloc[:-1], cases.iloc[:0]):
        with pytest.raises(ScenarioError, match="no whole Sobol design"):
            sobol_indices(wrong, axes)


def test_a_few_blocks_without_a_plan_are_left_out_and_told_but_many_are_refused() -> None:
    cases = sobol_cases(3, 64, ishigami)
    axes = ["x1", "x2", "x3"]
    cases.loc[[0, 1, 7], ["status", "message", "objective_cny"]] = [
        "infeasible",
        "too green",
        np.nan,
    ]
    found = sobol_indices(cases, axes)
    assert (found.blocks, found.left_out) == (62, 2)  # cases 0 and 1 share a block of five
    assert "2 of 64 blocks are left out, since 3 cases have no objective_cny" in found.note
    cases.loc[0:40, ["status", "message", "objective_cny"]] = ["infeasible", "too green", np.nan]
    with pytest.raises(ScenarioError, match="9 of 64 blocks hold a case without objective_cny"):
        sobol_indices(cases, axes)


def test_indices_of_an_output_that_never_moves_are_refused() -> None:
    cases = sobol_cases(3, 32, lambda x: np.full(len(x), 5.0))
    with pytest.raises(ScenarioError, match="is the same in every case"):
        sobol_indices(cases, ["x1", "x2", "x3"])


def test_labels_of_bundles_have_indices_too() -> None:
    """Two labels worth 0 or 2 and an even range of width √12: variance 1 each, so a half each."""
    cases = sobol_cases(2, 1024, lambda x: 0 * x[:, 0])
    high = cases["x1"] > 0
    cases["objective_cny"] = 2.0 * high + cases["x2"] * np.sqrt(12) / (2 * np.pi)
    cases["x1"] = np.where(high, "dear", "cheap")
    found = sobol_indices(cases, ["x1", "x2"]).table
    np.testing.assert_allclose(found[["first", "total"]], 0.5, atol=0.02)


def test_a_case_that_leaves_an_axis_as_in_the_base_is_its_base() -> None:
    cases = one_at_a_time().astype({"price": object})
    cases.loc[[0, 3, 4], "price"] = None  # the price is a series in the base
    found = tornado(cases, ["price", "cost"]).table.set_index("axis").loc["price"]
    assert (found["low"], found["high"], found["swing"]) == (0, 3, 30)
    assert pd.isna(found["base"])


def test_without_salib_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "SALib.analyze", None)
    with pytest.raises(ScenarioError, match=r"planner\[sensitivity\]"):
        sobol_indices(sobol_cases(3, 8, ishigami), ["x1", "x2", "x3"])


def test_a_front_holds_what_no_other_case_beats_in_both() -> None:
    pairs = [(10, 5), (8, 3), (9, 6), (8, 4), (5, 1), (5, 1), (11, 9), (3, 2)]
    cases = table([{"profit": p, "tco2": e} for p, e in pairs])
    front = pareto(cases, {"profit": "most", "tco2": "least"})
    # 9 for 6 is beaten by 10 for 5, 8 for 4 by 8 for 3, 3 for 2 by 5 for 1; the twins both stay.
    assert front.table["case"].tolist() == [6, 0, 1, 4, 5]
    assert pareto(cases, {"profit": "most", "tco2": "most"}).table["case"].tolist() == [6]
    cases.loc[6, "status"] = "failed"
    assert 6 not in pareto(cases, {"profit": "most", "tco2": "least"}).table["case"].tolist()


def test_a_ranking_keeps_cases_without_a_plan_at_its_end() -> None:
    cases = one_at_a_time()
    cases.loc[0, "status"] = "infeasible"
    assert ranking(cases, "objective_cny", "most")["case"].tolist() == [
        2,
        3,
        4,
        1,
        0,
    ]  # 120, 102, 92, 90
    assert ranking(cases, "objective_cny", "least")["case"].tolist() == [1, 4, 3, 2, 0]


def test_failures_are_counted_by_status_and_message() -> None:
    cases = one_at_a_time()
    assert failures(cases).empty
    cases.loc[[1, 3], ["status", "message"]] = ["infeasible", "too green\nmore"]
    cases.loc[4, ["status", "message"]] = ["failed", None]
    assert failures(cases).values.tolist() == [
        ["infeasible", "too green", 2, 1],
        ["failed", "", 1, 4],
    ]


def green() -> pd.DataFrame:
    rows = [
        # rule, profit, bound, share, green MWh computed, tCO2
        (0.4, 1000, 1000, 0.40, 400, 300),
        (0.3, 1000, 1001, 0.40, 400, 300),
        (0.6, 700, 700, 0.60, 600, 100),
        (0.5, 900, 900, 0.50, 500, 200),
    ]
    return table(
        [{"rule": r, "objective_cny": p, "bound_cny": b, "green.load_share": s,
          "allocation_mwh.renewable.compute": m, "allocation_mwh.grid.load": 1000.0 - m,
         "allocation_mwh.grid.export": 55.0, "carbon.emission_tco2": e,
          "carbon.import_emission_tco2": 0.0} for r, p, b, s, m, e in rows]
    )  # fmt: skip


def test_a_cost_curve_prices_each_further_point_of_green_supply() -> None:
    found = cost_curve(green(), "rule").table
    assert found["to_value"].tolist() == [0.4, 0.5, 0.6]
    assert found["cost_cny"].tolist() == [0, 100, 200]
    # 1000 MWh drawn: 100 CNY for 10 points, 100 MWh and 100 tCO2; then 200 CNY for the same.
    for name, step in (("point", 10.0), ("mwh", 1.0), ("tco2", 1.0)):
        values = found[f"cost_cny_per_{name}"].tolist()
        assert np.isnan(values[0])  # nothing grew: the rule did not bind
        assert values[1:] == pytest.approx([step, 2 * step])
    assert found["hidden"].tolist() == [True, False, False]


def test_a_cost_curve_steps_over_cases_without_a_plan_and_says_so() -> None:
    cases = green()
    cases.loc[3, "status"] = "infeasible"
    found = cost_curve(cases, "rule").table
    assert found["to_value"].tolist() == [0.4, 0.6]
    assert found["cost_cny_per_point"].iloc[1] == pytest.approx(15)  # 300 CNY for 20 points
    assert found["skipped"].tolist() == [0, 1]
    with pytest.raises(ScenarioError, match="several cases have one value"):
        cost_curve(pd.concat([cases, cases]), "rule")
    with pytest.raises(ScenarioError, match="holds texts"):
        cost_curve(cases.assign(rule="strict"), "rule")


def test_a_cost_below_the_solvers_gap_is_marked() -> None:
    cases = green()
    cases.loc[3, "bound_cny"] = 1000  # the true profit may be 1000 as well
    assert cost_curve(cases, "rule").table["hidden"].tolist() == [True, True, False]


def test_values_that_differ_by_rounding_are_one_value() -> None:
    column = pd.Series([0.1 + 0.2, 0.3, 1.0, np.nan, 1.0 + 1e-12, 2.0])
    assert canonical(column, None).dropna().tolist() == [0.3, 0.3, 1, 1, 2]
    assert canonical(column, 0.1 + 0.2).iloc[:2].tolist() == [0.1 + 0.2] * 2
    assert canonical(pd.Series(["a", "b"]), None).tolist() == ["a", "b"]


def test_a_case_that_leaves_an_axis_as_in_the_base_has_no_place_in_a_map() -> None:
    rows = [{"a": a, "b": b, "c": None, "objective_cny": 10 * a + b}
            for a, b in ((1, 1), (1, 2), (2, 1), (2, 2), (np.nan, 1))]  # fmt: skip
    found = grid_map(table(rows), ["a", "b", "c"], "a", "b")
    assert found.table.values.tolist() == [[11, 21], [12, 22]]
    assert found.at == {}  # nobody moves c
