"""Windows of a program: sums in one's head, their bound for any prices, and plans between."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import planner
from planner.solver.compiler import program_of
from planner.solver.program import NO_STEP, Duals, Program
from planner.solver.session import Session
from planner.solver.totals import without_totals
from planner.solver.windows import Windows
from planner.timeseries.horizon import Window
from planner.timeseries.series import Array
from tests.support import build
from tests.support.committed import LIMIT_S, SITES, UNITS, exact, program_named, room
from tests.support.full_site import write

NAMES = [*UNITS[:5], *SITES]
SHORT_H = 1.0  # a row that joins more is a rule, in some of these tests


def cut(program: Program, count: int) -> list[Window]:
    """Return windows of about the same length."""
    first, last = program.window.first, program.window.last
    ends = np.linspace(first - 1, last, count + 1).astype(int).tolist()
    return [Window(a + 1, b) for a, b in pairwise(ends) if b > a]


def optimum(program: Program) -> Duals:
    """Return the optimum of the LP and its duals."""
    session = Session(program)
    session.run(time_limit_s=LIMIT_S)
    duals = session.duals()
    assert duals is not None
    return duals


def least(program: Program, integer: bool = False) -> float:
    """Return the proven bound of the LP or of the integer program."""
    session = Session(program)
    session.integrality(program.integer & integer)
    result = session.run(time_limit_s=LIMIT_S)
    assert result.status == "optimal"
    return result.bound


def bound(windows: Windows, cuts: list[Window], prices: Array, integer: bool = False) -> float:
    parts = (windows.priced(window, prices).program for window in cuts)
    return windows.constant(prices) + sum(least(part, integer) for part in parts)


def allowed(windows: Windows, prices: Array) -> Array:
    """Return prices of the sign that their rows allow, which pay for no more than a column costs.

    Those of rows within windows may have any: they are equations between a window and its copies.
    """
    program, rules = windows.program, windows.rules
    prices = prices.copy()
    least_known, most_known = np.isfinite(program.row_lower), np.isfinite(program.row_upper)
    prices[rules] = np.clip(
        prices[rules], np.where(most_known, -np.inf, 0.0)[rules],
        np.where(least_known, np.inf, 0.0)[rules],
    )  # fmt: skip
    return windows.affordable(prices)


def limited(program: Program) -> Program:
    """Return the program with a limit on every column, which no plan is near to.

    Without one, prices may pay for more and more of a copy.
    """
    return program.with_bounds(slice(None), upper=np.minimum(program.column_upper, 1e5))


def reduced(name: str) -> Program:
    return without_totals(program_named(name)).program


# --- by hand


def battery_of_two_hours() -> Program:
    """4 MW are bought at 10 in the first hour and sold at 50 in the second."""
    prices = [10, 50]
    parts = {
        "cell": build.battery(),
        "grid": build.grid(
            resale=True, import_price_cny_per_mwh=prices, export_price_cny_per_mwh=prices
        ),
    }
    return program_of(build.scenario(parts, 2))


@pytest.mark.parametrize("value", [10.0, 30.0, 50.0, 70.0])
def test_a_battery_over_two_windows_of_an_hour(value: float):
    """At the seam a MWh has a value: the first window is paid it, the second pays it."""
    program = battery_of_two_hours()
    windows = Windows(program)
    prices = np.where(rows_named(program, "cell", "energy") & (program.row_steps == 2), -value, 0)
    first, second = (least(windows.priced(Window(t, t), prices).program) for t in (1, 2))
    assert first == pytest.approx(4 * 10 - 4 * value)
    assert second == pytest.approx(min(4 * value - 4 * 50, 0))
    assert windows.constant(prices) == 0
    best = 4 * 10 - 4 * 50
    assert least(program) == pytest.approx(best)
    assert first + second == pytest.approx(best - max(4 * (value - 50), 0))


def rows_named(program: Program, component: str, row: str) -> Array:
    families = [n for (*name, _), n in program.families.items() if name == [component, row]]
    return np.isin(program.row_families, families)


def test_without_prices_what_is_stored_is_given_away():
    program = battery_of_two_hours()
    windows = Windows(program)
    # the second window discharges 4 MWh that nobody has bought
    assert bound(windows, cut(program, 2), np.zeros(len(program.row_lower))) == -4 * 50


def test_a_peak_is_paid_by_the_windows_that_have_it():
    """A town of 4 and 6 MW: each window may pay a part of the 100 CNY/MW of the month's peak."""
    parts = {
        "town": build.load(4, 6),
        "grid": build.grid(import_price_cny_per_mwh=0, demand_charge_cny_per_mw_month=100),
    }
    program = program_of(build.scenario(parts, 2))
    windows = Windows(program)
    peaks = rows_named(program, "grid", "peak")
    (peak,) = np.flatnonzero((program.column_steps == NO_STEP) & (program.cost == 100))
    sign = np.sign(program.matrix[:, [peak]].toarray().sum())
    for paid, expected in (((0, 100), 600), ((30, 70), 540), ((50, 30), 380)):
        prices = np.zeros(len(peaks))
        prices[peaks] = sign * np.array(paid)
        first, second = (least(windows.priced(Window(t, t), prices).program) for t in (1, 2))
        assert (first, second) == pytest.approx((4 * paid[0], 6 * paid[1]))
        assert windows.constant(prices) == 0  # of what nobody pays the peak is 0 at least
        assert first + second == pytest.approx(expected)
    too_much = np.where(peaks, sign * 80.0, 0.0)
    affordable = windows.affordable(too_much)
    assert affordable[peaks] == pytest.approx(sign * 50)
    assert np.isfinite(windows.constant(affordable))
    assert windows.constant(too_much) == -np.inf  # the peak would be paid 60 a MW to grow


# --- the bound


@pytest.mark.few(2)
@pytest.mark.parametrize("most_span_h", [SHORT_H, 192.0])
@pytest.mark.parametrize("name", NAMES)
def test_at_the_duals_of_the_lp_the_windows_add_up_to_it(
    name: str, most_span_h: float, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("planner.solver.windows.MOST_SPAN_H", most_span_h)
    program = reduced(name)
    windows, duals = Windows(program), optimum(program)
    assert windows.rules.size or most_span_h != SHORT_H
    value = program.objective(duals.x)
    for count in (1, 2, 5):
        whole = bound(windows, cut(program, count), duals.rows)
        assert whole == pytest.approx(value, abs=10 * room(value))


@pytest.mark.few(4)
@pytest.mark.parametrize("integer", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_at_any_prices_the_windows_are_a_bound(
    name: str, integer: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("planner.solver.windows.MOST_SPAN_H", SHORT_H)
    program = limited(reduced(name))
    windows, duals = Windows(program), optimum(program)
    value = exact(program).objective if integer else program.objective(duals.x)
    rnd = np.random.default_rng(0)
    for spread in (0.0, 3.0):
        near = duals.rows * rnd.uniform(0.5, 1.5, len(duals.rows))
        prices = allowed(windows, near + spread * rnd.normal(size=len(near)))
        assert np.isfinite(windows.constant(prices))
        assert bound(windows, cut(program, 3), prices, integer) <= value + 10 * room(value)


def test_full_site_of_every_kind_adds_up(tmp_path: Path):
    program = without_totals(program_of(planner.load(write(tmp_path)))).program
    windows, duals = Windows(program), optimum(program)
    value = program.objective(duals.x)
    assert bound(windows, cut(program, 4), duals.rows) == pytest.approx(value, abs=10 * room(value))


def test_prices_that_pay_too_much_leave_no_column_a_rounding_below_nothing():
    """A column without a limit that is paid 1e-14 more than it costs has no bound."""
    for name in ("units 1", "units 3", "any 2", "any 37"):
        program = reduced(name)
        windows, duals = Windows(program), optimum(program)
        rnd = np.random.default_rng(1)
        for _ in range(20):
            factors = rnd.uniform(0.3, 2, len(duals.rows))
            prices = windows.affordable(duals.rows * factors)
            assert np.isfinite(windows.constant(prices))


# --- what windows hold


@pytest.mark.parametrize("name", NAMES)
def test_every_row_and_column_is_of_one_window_or_of_none(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("planner.solver.windows.MOST_SPAN_H", SHORT_H)
    program = reduced(name)
    windows, cuts = Windows(program), cut(program, 4)
    rows = sum(windows.rows_of(window).astype(int) for window in cuts)
    columns = sum(windows.columns_of(window).astype(int) for window in cuts)
    assert np.array_equal(rows == 0, np.isin(np.arange(len(rows)), windows.rules))
    assert np.array_equal(columns == 0, program.column_steps == NO_STEP)
    assert max(rows.max(), columns.max()) == 1
    for window in cuts:
        part = windows.priced(window, np.zeros(len(rows)))
        assert np.array_equal(np.flatnonzero(windows.columns_of(window)),
                              part.columns[part.own_columns])  # fmt: skip
        assert np.array_equal(np.flatnonzero(windows.rows_of(window)), part.rows[part.own_rows])
        whole = program.matrix.tocsr()[part.rows]
        inside = whole[:, part.columns]
        assert inside.nnz == whole.nnz  # its rows are whole
        assert (inside != part.program.matrix).nnz == 0


@pytest.mark.parametrize("name", NAMES)
def test_one_window_is_the_program(name: str):
    program = reduced(name)
    windows = Windows(program)
    prices = np.zeros(len(program.row_lower))
    rules = np.isin(np.arange(len(prices)), windows.rules)
    part = windows.priced(program.window, prices)
    assert np.array_equal(part.rows, np.flatnonzero(~rules))
    own = part.own_columns
    assert np.array_equal(part.program.cost[own], program.cost[part.columns[own]])
    assert not part.program.cost[~own].any()


@pytest.mark.parametrize("name", NAMES)
def test_the_turnover_of_windows_is_that_of_their_steps(name: str):
    """What is paid by the step is in the window of the step, to the coefficient."""
    program = reduced(name)
    windows, x = Windows(program), optimum(program).x
    steps = len(program.window)
    by_step = [
        cost.rows
        for cost in program.costs
        if not cost.reported and isinstance(cost.periods, range) and len(cost.rows) == steps
    ]
    amounts = np.abs(program.values(x))[np.array(by_step).reshape(-1, steps)].sum()
    parts = [windows.priced(window, np.zeros(len(program.row_lower))) for window in cut(program, 3)]
    turnover = sum(part.program.turnover(x[part.columns]) for part in parts)
    assert turnover == pytest.approx(amounts)


# --- between


@pytest.mark.parametrize("name", NAMES)
def test_between_holds_the_plan_and_whatever_is_best_in_it_fits(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("planner.solver.windows.MOST_SPAN_H", SHORT_H)
    program = reduced(name)
    windows = Windows(program)
    x = exact(program.feasibility).x
    assert x is not None
    for window in cut(program, 3):
        part = windows.between(window, x)
        assert part.program.violation(x[part.columns]) < 1e-6
        assert part.program.objective(x[part.columns]) == pytest.approx(program.objective(x))
        result = exact(part.program)
        assert result.x is not None
        joined = x.copy()
        joined[part.columns] = result.x
        assert program.violation(joined) < 1e-6
        assert result.objective == pytest.approx(
            program.objective(joined), abs=room(result.objective)
        )
        assert result.objective <= program.objective(x) + room(result.objective)
        before, after = (program.matrix[windows.rules] @ point for point in (x, joined))
        lower, upper = program.row_lower[windows.rules], program.row_upper[windows.rules]
        kept = np.isfinite(lower)
        assert (after[kept] >= before[kept] - 1e-6 * (1 + np.abs(before[kept]))).all()
        kept = np.isfinite(upper)
        assert (after[kept] <= before[kept] + 1e-6 * (1 + np.abs(before[kept]))).all()
        x = joined


def test_between_all_windows_is_the_program():
    program = reduced("units 0")
    value = exact(program).objective
    x = exact(program.feasibility).x
    assert x is not None
    part = Windows(program).between(program.window, x)
    assert exact(part.program).objective == pytest.approx(value, abs=room(value))


def test_a_move_in_a_window_begins_at_the_power_before_it():
    program = reduced("any 1")
    windows, x = Windows(program), exact(program).x
    assert x is not None
    assert program.moves
    half = len(program.window) // 2
    part = windows.between(Window(half + 1, program.window.last), x)
    for move, own in zip(program.moves, part.program.moves, strict=True):
        by_step = program.values(x)[move.rows]
        inside = part.program.values(x[part.columns])[own.rows]
        assert own.before_mw == pytest.approx(by_step[half - 1], abs=1e-9)
        assert inside == pytest.approx(by_step[half:], abs=1e-6)
    first = windows.between(Window(1, half), x).program
    assert [move.before_mw for move in first.moves] == [move.before_mw for move in program.moves]
