"""Marginal prices of a mixed-integer plan: of energy, of limits and of tokens.

They are the duals of the LP with the integers and directions of the plan fixed, and hold for these
commitments only: one more MW may start a unit that the plan leaves off, which no price shows.

    energy       value of a MWh by node, origin and hour: the dual of the power balance
    fields       for each field that a component lists as `priced`, the envelope theorem with a
                 measured effect: perturb the field, compile again, and the minimum changes by
                     d min = sum_i dual_i (d rhs_i - d matrix_i x) + sum_j reduced_j d bound_j
                             + d cost x + d offset
                 Every row and column has its step, which splits the price by hour.
    break-even   the marginal cost of a Mtok, less what it earns beside its price

A matrix entry may change where it multiplies a fixed column (a limit times a direction), as it is
then part of the right-hand side. Where one-sided derivatives differ, a price lies between them.
Where the fixed decisions may hide the worth of a field, `first_unit` adds that of a first unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import Key
from planner.message import Message
from planner.plan.plan import Plan, plan_as
from planner.plan_tables.tables import FIRST, by_part, clean
from planner.scenario.paths import places, value_at, with_raised
from planner.scenario.scenario import Scenario, ScenarioLike, scenario_of
from planner.solver.compiler import program_of
from planner.solver.elastic import Shift, aligned, shift_of
from planner.solver.margin import with_more_required
from planner.solver.program import Duals, Program
from planner.solver.solution import Solution
from planner.solver.step_prices import energy_values, token_costs
from planner.studies.end_values import end_values
from planner.studies.first_unit import first_unit
from planner.studies.marginal_price import (
    MarginalPrice,
    mean_of_steps,
    price_table,
    sum_of_steps,
)
from planner.studies.solve import solve_program
from planner.studies.to_plan import Out, publish
from planner.timeseries.schedule import columns_of
from planner.timeseries.series import Array
from planner.units import price_unit, unit

FIXED_INTEGERS = Message(
    "for the starts, stops and directions of this plan, one unit more or less at a time"
)
RELAXED = Message("for the LP relaxation, one unit more or less at a time")
NO_PRICES = Message(
    "there are no prices: with the integers of the plan fixed the LP has no optimum"
)
PERTURBATION = 2.0**-10  # of a field, relative to its largest value
PAST, SO_FAR = "initial", "so_far"  # fields of the past, by name or part of it


@dataclass(frozen=True, eq=False, repr=False)
class Prices(Plan):
    """A plan with its marginal prices, and what they hold for.

    The prices are also those of any plan: its table `prices` and `summary["prices"]`.
    """

    @property
    def plan(self) -> Plan:
        """The plan itself, with the prices in it."""
        return self

    @property
    def hold(self) -> str:
        """What the prices hold for, or the reason that there are none."""
        return str(self.summary["prices"]["hold"])

    @property
    def table(self) -> pd.DataFrame:
        """All prices, long: time (NaT for the horizon), component, quantity, index, value, unit."""
        assert self.prices is not None
        return self.prices

    @property
    def totals(self) -> pd.DataFrame:
        """The prices over the horizon: component, quantity, index, value, unit."""
        return self._without_time("")

    @property
    def first_units(self) -> pd.DataFrame:
        """The worth of the first unit, where decisions hide it: component, quantity, index, ..."""
        return self._without_time(FIRST)

    def _without_time(self, part: str) -> pd.DataFrame:
        table = by_part(self.table)
        rows = table[table["time"].isna() & (table["part"] == part)]
        return rows.drop(columns=["time", "part"]).reset_index(drop=True)

    @property
    def hourly(self) -> pd.DataFrame:
        """The prices by step: one row per step, columns such as `site.value_cny_per_mwh[grid]`."""
        table = self.table[self.table["time"].notna()]
        index = table["index"].map(lambda text: f"[{text}]" if text else "")
        names = table["component"] + "." + table["quantity"] + index
        wide = table.assign(name=names).pivot_table(
            index="time", columns="name", values="value", sort=False
        )
        wide.columns.name = None
        return wide


def prices(scenario: ScenarioLike, out: Out = None) -> Prices:
    """Solve a scenario and return the marginal prices of its plan, written to a folder `out`.

    Raises:
        PlannerError: as `planner.solve`.
    """
    plan, program, solution = solve_program(scenario_of(scenario))
    priced = plan_as(Prices, with_prices(plan, program, solution))
    publish(priced, out)
    return priced


def with_prices(
    plan: Plan, program: Program, solution: Solution, *, further_solves: bool = True
) -> Plan:
    """Return a plan with its marginal prices and end values, to be published.

    Args:
        plan: the plan of the solution.
        program: its program.
        solution: its duals are the prices; without them there are none.
        further_solves: whether the worth of first units is searched for, and the break-even price
            of work that is not done; that is the dual otherwise, which is not unique.

    Raises:
        PlannerError: as `planner.solve`, with `further_solves`.
    """
    duals = solution.duals
    lines = [*_lines(plan, program, solution, further_solves=further_solves)]
    hold = RELAXED if plan.scenario.solver.relax else FIXED_INTEGERS
    totals: dict[str, dict[str, float]] = {}
    first: dict[str, dict[str, dict[str, float]]] = {}
    for line in lines:
        name = f"{line.quantity}[{line.index}]" if line.index else line.quantity
        if np.isfinite(line.total):
            totals.setdefault(line.component, {})[name] = line.total
        if line.first is not None:
            first.setdefault(line.component, {})[name] = {
                "worth": float(clean(line.first.worth)),
                "within": float(clean(line.first.within)),
            }
    summary = {
        "hold": NO_PRICES if duals is None else hold,
        "totals": totals,
        "first_unit": first,
    }
    return replace(
        plan,
        prices=price_table(lines, plan.scenario.horizon.starts, plan.scenario.currency),
        end_values=None if duals is None else end_values(program, duals),
        summary=plan.summary | {"prices": summary},
    )


def _lines(
    plan: Plan, program: Program, solution: Solution, *, further_solves: bool
) -> Iterator[MarginalPrice]:
    """Yield every price; without duals none, nor of a balance without a row in any step."""
    duals = solution.duals
    if duals is None:
        return
    yield from (line for line in _energy(program, duals) if np.isfinite(line.steps).any())
    for name in program.scenario.components:
        yield from _fields(name, program, solution, duals, further_solves=further_solves)
    at_margin = _duals_at_margin(program, duals) if further_solves else duals
    break_even = _break_even(plan, program, at_margin)
    yield from (line for line in break_even if np.isfinite(line.steps).any())


def _energy(program: Program, duals: Duals) -> Iterator[MarginalPrice]:
    values = energy_values(program, duals)
    for node in dict.fromkeys(node for node, _ in values):
        origins = [o for o in program.scenario.site().origins if o in program.injected]
        by_origin = {o: values[node, o] for o in origins if (node, o) in values}
        for origin, value in by_origin.items():
            yield mean_of_steps(node, "value_cny_per_mwh", origin, value, "CNY/MWh")
        for other in ("thermal", "grid"):
            if "renewable" in by_origin and other in by_origin:
                premium = by_origin["renewable"] - by_origin[other]
                yield mean_of_steps(node, "green_premium_cny_per_mwh", other, premium, "CNY/MWh")


def _fields(
    name: str, program: Program, solution: Solution, duals: Duals, *, further_solves: bool
) -> Iterator[MarginalPrice]:
    """Yield the prices of the fields that a component lists."""
    component, step_h = program.scenario.components[name], program.scenario.horizon.step_h
    for quantity, paths in component.priced.items():
        per = unit(quantity) or quantity.removesuffix("s")
        by_token = per == "Mtok/h"
        per = "CNY/Mtok" if by_token else price_unit(per)
        by_index: dict[str, dict[Key, Any]] = {}
        for path in paths:
            for index, below in places(component, path):
                fields = by_index.setdefault(index, {})
                fields["components", name, *below] = value_at(component, below)
        for index, fields in by_index.items():
            if any(value is None for value in fields.values()):
                continue
            shift = _measured(program, duals.x, fields)
            past = any(part == PAST or SO_FAR in str(part) for path in fields for part in path)
            first = None
            if further_solves and not past:
                first = first_unit(program, solution, fields, shift)
            if first is not None and by_token:
                first = first.per(program.scenario.horizon.hours)
            if shift is None:
                if first is not None:
                    none = np.zeros(0)
                    yield MarginalPrice(name, quantity, index, none, np.nan, per, first=first)
                continue
            steps, once = gains(program, duals, shift)
            if past:
                steps, once = 0.0 * steps, once + float(steps.sum())  # it is no price of step 1
            if by_token:
                spread = once / (step_h * len(steps))
                line = mean_of_steps(name, quantity, index, steps / step_h, per, spread)
            else:
                line = sum_of_steps(name, quantity, index, steps, per, once)
            yield replace(line, first=first)


def _measured(program: Program, x: Array, fields: Mapping[Key, Any]) -> Shift | None:
    """Return the shift of the program per unit of some fields, perturbed together."""
    largest = max(float(np.max(np.abs(value))) for value in fields.values())
    amount = PERTURBATION * (largest or 1.0)
    raised = with_raised(program.scenario, fields, amount)
    perturbed = aligned(program, _like(program, raised), x)
    return None if perturbed is None else shift_of(program, perturbed, amount)


def _like(program: Program, scenario: Scenario) -> Program:
    return program_of(scenario, program.window, every_point=program.every_point)


def gains(program: Program, duals: Duals, shift: Shift) -> tuple[Array, float]:
    """Return the profit of a shift of the program in every step, and without a step, CNY."""
    limit = np.where(duals.rows > 0, shift.row_lower, shift.row_upper)
    rows = -duals.rows * (limit - shift.matrix @ duals.x)
    free = np.where(duals.fixed, 0.0, duals.columns)
    bound = np.where(free > 0, shift.column_lower, shift.column_upper)
    columns = -(free * bound + shift.cost * duals.x)
    last = program.window.last + 1
    by_step = np.asarray(np.bincount(program.row_steps, rows, last), dtype=float)
    by_step += np.bincount(program.column_steps, columns, last)
    return by_step[program.window.first :], float(by_step[0]) - shift.offset


def _break_even(plan: Plan, program: Program, duals: Duals) -> Iterator[MarginalPrice]:
    """Yield the break-even price of each service, and its price."""
    for name, cost in token_costs(program, duals).items():
        columns = columns_of(plan.schedule, name)
        sold = plan.scenario.components[name].sells(columns, plan.scenario.horizon)
        if sold is None:
            continue
        for quantity, price in (
            ("break_even_cny_per_mtok", cost - sold.beside),
            ("price_cny_per_mtok", sold.price),
        ):
            yield mean_of_steps(name, quantity, "", price, "CNY/Mtok", weights=sold.answered)


def _duals_at_margin(program: Program, duals: Duals) -> Duals:
    """Return the duals with a few more tokens required of the fleets than the services sell.

    Where nothing is answered the dual is not unique; here it is the cost of one more Mtok. Where
    the fleets cannot answer more, the duals stay.
    """
    families = [number for balance, number in program.balances.items() if balance.kind == "tokens"]
    return with_more_required(program, duals, np.isin(program.row_families, families))
