"""Programs with states: written out by hand, and of random sites with one to three units.

exact(program)      # the optimum of its integer program, by the solver's own search
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np

import planner
from planner.solver.compiler import program_of
from planner.solver.highs import Result
from planner.solver.hull import Hull
from planner.solver.program import Program
from planner.solver.session import Session
from planner.timeseries.horizon import Window
from planner.timeseries.series import Array
from tests.support import build
from tests.support.any_site import any_site
from tests.support.programs import program
from tests.support.sites import random_site

CLOSE = 1e-6  # relative, of two optima
UNITS = [f"units {seed}" for seed in (0, 1, 3, 7, 13, 14, 18, 26, 34)]
SITES = [f"any {seed}" for seed in (1, 2, 14, 15, 18, 19, 25, 37)]
LIMIT_S = 3600.0


def unit_beside_import(steps: int = 2, energy_mwh: float = np.inf) -> Program:
    """A unit of 2 to 4 MW and an import serve 3 MW in every step, each of an hour.

    The unit costs 10 CNY an hour and 10 CNY/MWh, the import 20 CNY/MWh; the unit gives no more than
    `energy_mwh` in all. Columns are on, power and import, step by step.
    """
    rows = []
    for t in range(steps):
        for on, power, bought, lower, upper in (
            (-4, 1, 0, -np.inf, 0), (-2, 1, 0, 0, np.inf), (0, 1, 1, 3, 3)
        ):  # fmt: skip
            row = np.zeros(3 * steps)
            row[3 * t : 3 * t + 3] = on, power, bought
            rows.append((list(row), lower, upper))
    limit = np.tile([0.0, 1.0, 0.0], steps)
    rows.append((list(limit), -np.inf, energy_mwh))
    plain = program([10, 10, 20] * steps, rows, [1, np.inf, np.inf] * steps)
    on = np.arange(0, 3 * steps, 3)
    return replace(
        plain,
        window=Window(1, steps),
        integer=np.isin(np.arange(3 * steps), on),
        column_steps=np.repeat(np.arange(1, steps + 1), 3),
        row_steps=np.append(np.repeat(np.arange(1, steps + 1), 3), 0),
        states=(on,),
    )


def site_of_units(seed: int, count: int, hours: int = 6) -> planner.Scenario:
    """Return a checked site with so many units: the same for the same seed."""
    rnd = random.Random(seed)
    site = random_site(seed, hours)
    for k in range(1, count):
        site[f"unit{k}"] = dict(site["unit"] if rnd.random() < 0.3 else _unit(seed, k, hours))
    for name in [name for name in site if name.startswith("unit")]:
        site[name] |= rnd.choice([{}, {}, {}, {"max_up_h": 6}, {"max_starts_per_day": 1}])
    for name in [name for name in site if name not in ("grid", "unit")]:
        if not name.startswith("unit") and rnd.random() < 0.15:
            del site[name]
    try:
        return build.scenario(site, hours)
    except planner.ScenarioError:
        return site_of_units(seed + 10_000, count, hours)


def _unit(seed: int, k: int, hours: int) -> dict[str, Any]:
    return random_site(seed + 500 * k, hours)["unit"]


def program_named(name: str) -> Program:
    """Return the program of "units SEED", one to three units, or of "any SEED", every kind."""
    kind, seed = name.split()
    if kind == "any":
        return program_of(any_site(int(seed)))
    return program_of(site_of_units(int(seed), 1 + int(seed) % 3))


def exact(program: Program) -> Result:
    """Return the optimum of an integer program by the solver's own search."""
    session = Session(program)
    session.integrality(program.integer)
    return session.run(time_limit_s=LIMIT_S)


def relaxed(program: Program) -> tuple[Session, Result]:
    """Return the relaxation of a program, and the session that has just solved it."""
    session = Session(program)
    return session, session.run(time_limit_s=LIMIT_S)


def fixed_prices(program: Program, x: Array) -> Array:
    """Return the duals of a plan's LP, its integers fixed."""
    session, columns = Session(program), np.flatnonzero(program.integer)
    session.bounds(columns, np.round(x[columns]), np.round(x[columns]))
    session.run(time_limit_s=LIMIT_S)
    duals = session.duals()
    assert duals is not None
    return duals.rows


def bound_of(hull: Hull, prices: Array) -> float:
    """Return the bound of a hull for prices, within the bounds of its program."""
    return hull.bound(prices, hull.program.column_lower, hull.program.column_upper).value


def room(value: float) -> float:
    """Return by how much two figures of this size may differ."""
    return CLOSE * max(1.0, abs(value))
