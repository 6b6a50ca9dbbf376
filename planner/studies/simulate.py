"""The simulation of planning policies on forecasts that err.

Each policy runs the whole horizon day by day (`chain`, `policy`), on the same actuals and
forecasts. The executed steps are then settled once over the horizon on the actuals, with months,
deviations from the declaration and breaches, and audited; the table compares these settlements.

Every finished day of a policy is appended to `days.jsonl` and found by its content: a simulation
that is killed resumes where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from planner.errors import InfeasibleError, NoPlanError, Problem, ScenarioError, wrong
from planner.files.csv_file import csv_text
from planner.files.output_folder import file_name, replace_file
from planner.language.language import language
from planner.message import Message, template
from planner.plan.output import Output
from planner.plan.plan import Plan
from planner.plan_tables.files import PAGE, marked_json
from planner.plan_tables.simulation import (
    DAYS,
    FACTS,
    FORECASTS,
    PLANS,
    SIMULATION_FOLDER,
    TABLE,
    SimulationTable,
    facts_of,
    table_of,
)
from planner.scenario.plain_data import plain_scenario
from planner.scenario.scenario import Scenario, ScenarioLike, scenario_of
from planner.scenario.scenario_key import scenario_key
from planner.studies.chain import Chain, Cut, Progress, cut, recording, run
from planner.studies.policy import (
    DETERMINISTIC,
    PERFECT,
    POLICIES,
    STOCHASTIC,
    DayPolicy,
    forecasts,
    issued_forecasts,
    with_forecast,
)
from planner.studies.rules_of_thumb import RULES
from planner.studies.settle import settle_executed
from planner.studies.to_plan import Out, output_of, publish
from planner.studies.window import Lookahead, length_problems, relaxation
from planner.timeseries.horizon import Horizon

DAMAGE = template("{path} is no day of a simulation; remove the line or use --fresh")


@dataclass(frozen=True, eq=False)
class Simulation(SimulationTable):
    """The results of several policies on the same actuals, with the settled plan of each.

    plans: by policy.
    """

    plans: dict[str, Plan]


def simulate(
    scenario: ScenarioLike,
    out: Out = None,
    *,
    days: int | None = None,
    every_h: float = 24,
    window_h: float = 48,
    policies: Sequence[str] = POLICIES,
    members: int = 5,
    seed: int = 0,
    workers: int = 1,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Simulation:
    """Compare policies that plan a horizon window by window on forecasts and operate on actuals.

    Args:
        scenario: a scenario or its file; its series are the actuals, its `forecast` the forecasts.
        out: the folder to write, an `Output` or its path; finished days of the same simulation in
            it are used [nothing].
        days: how many days, with the file of a scenario, whose series must reach [its horizon].
        every_h: hours between two plannings.
        window_h: hours planned each time.
        policies: some of perfect, deterministic, stochastic, grid_first, compute_first,
            tariff_battery.
        members: draws that the stochastic policy plans on.
        seed: of the forecasts, beside those of the scenario.
        workers: processes; one policy keeps one busy.
        fresh: forget what the folder holds.
        progress: called as the days are finished.

    Raises:
        ScenarioError: the scenario or an option is wrong.
        InfeasibleError: the profit has no bound.
        NoPlanError: the time limit of the scenario's solver struck before a first plan.
        PlanError: the folder holds something else, or a settled plan fails its audit.
        KeyboardInterrupt: Ctrl-C; finished days are kept.
    """
    site, output = _loaded(scenario, days), output_of(out)
    numbers = {"members": members, "workers": workers, "seed": seed}
    _require_options(site.horizon, every_h, window_h, policies, **numbers)
    names = [name for name in POLICIES if name in policies]
    cuts = cut(site.horizon, window_h, every_h)
    options = {
        "every_h": float(every_h), "window_h": float(window_h), "policies": names,
        "members": members, "seed": seed, "forecasts": sorted(site.forecast),
    }  # fmt: skip
    where = None if output is None else output.folder
    recorded = recording(
        where, SIMULATION_FOLDER, lambda folder: folder / DAYS, DAMAGE, fresh=fresh
    )
    with recorded as (target, records):
        bound, lookaheads = _bound_and_lookaheads(site, names, seed, window_h)
        chains = [
            _days(site, cuts, DayPolicy(name, seed, members, lookaheads[name])) for name in names
        ]
        run(chains, records, progress, workers)
        plans = {chain.name: _settled(site, chain, bound) for chain in chains}
        counts = {c.name: (c.total("changes"), c.total("forced")) for c in chains}
        baseline = next((name for name in plans if name in RULES), None)
        table = table_of(plans, counts, bound, perfect=PERFECT, baseline=baseline)
        simulation = Simulation(
            table, options, bound, baseline, None if where is None else Path(where), plans,
            issued_forecasts(site, cuts, seed),
        )  # fmt: skip
        if output is not None and target is not None:
            write_simulation(simulation, replace(output, folder=target))
        return simulation


def _require_options(
    horizon: Horizon, every_h: float, window_h: float, policies: Sequence[str], **numbers: int
) -> None:
    """Raise ScenarioError with every option that is wrong."""
    problems = length_problems(horizon, every_h=every_h, window_h=window_h)
    if window_h < every_h:
        message = Message(
            "must be every_h {least:g} or more, is {value:g}", least=every_h, value=window_h
        )
        problems.append(Problem(message, "window_h"))
    unknown = [policy for policy in dict.fromkeys(policies) if policy not in POLICIES]
    for value in [repr(policy) for policy in unknown] if policies else [Message("empty")]:
        known = ", ".join(POLICIES)
        message = Message("must be some of {names}, is {value}", names=known, value=value)
        problems.append(Problem(message, "policies"))
    for name, number in numbers.items():
        if number < (least := 0 if name == "seed" else 1):
            message = Message("must be {least} or more, is {value}", least=least, value=number)
            problems.append(Problem(message, name))
    if problems:
        raise ScenarioError(problems)


def _days(scenario: Scenario, cuts: Sequence[Cut], policy: DayPolicy) -> Chain:
    """Return the chain of a policy, none of its days planned yet."""
    forecast = json.dumps(plain_scenario(scenario)["forecast"], sort_keys=True)
    options = [policy.name, policy.seed, len(cuts[0].window), len(cuts[0].executed)]
    options += [policy.members] if policy.name == STOCHASTIC else []
    content = f"{scenario_key(scenario)} {forecast} {options}"
    return Chain(policy.name, scenario, cuts, policy, content, counted=("changes", "forced"))


def default_folder(scenario: Scenario) -> Path:
    """Return the folder that a simulation is written to by default."""
    return Path("simulations") / file_name(scenario.name)


def _bound_and_lookaheads(
    scenario: Scenario, names: Sequence[str], seed: int, window_h: float
) -> tuple[float | None, dict[str, Lookahead]]:
    """Return the LP bound of the horizon, and the lookahead of each policy."""
    bound, perfect = _relaxed(scenario)
    expected = perfect
    plans_on_forecasts = {DETERMINISTIC, STOCHASTIC} & set(names)
    if scenario.forecast and plans_on_forecasts and window_h < scenario.horizon.hours:
        _, expected = _relaxed(with_forecast(scenario, forecasts(scenario, 0, seed), 0))
    return bound, {name: perfect if name == PERFECT else expected for name in names}


def _relaxed(scenario: Scenario) -> tuple[float | None, Lookahead]:
    """Return the LP bound and the lookahead of a horizon; none where its relaxation has no plan.

    Raises:
        InfeasibleError: the profit has no bound.
    """
    try:
        return relaxation(scenario)
    except (InfeasibleError, NoPlanError) as error:
        if isinstance(error, InfeasibleError) and error.diagnosis["status"] == "unbounded":
            raise
        return None, Lookahead()


def load_days(source: ScenarioLike, changes: Mapping[str, Any], days: int) -> Scenario:
    """Read a scenario for some days, which are days of the clock."""
    scenario, hours = scenario_of(source, {**changes, "horizon.hours": 24 * days}), 24.0 * days
    if (by_clock := scenario.horizon.days_h(days)) != hours:
        scenario = scenario_of(source, {**changes, "horizon.hours": by_clock})
    return scenario


def _loaded(source: ScenarioLike, days: int | None) -> Scenario:
    if days is not None and days < 1:
        raise wrong("days", Message("must be {least} or more, is {value}", least=1, value=days))
    if days is not None and isinstance(source, Scenario):
        raise wrong(
            "days", Message("needs the file of a scenario: its series are read for that horizon")
        )
    scenario = scenario_of(source) if days is None else load_days(source, {}, days)
    if scenario.uncertainty is not None:
        raise wrong(
            "uncertainty", Message("cannot go with a simulation; errors belong in `forecast`")
        )
    exact = scenario.solver.revised({"relax": False})
    return scenario.revised({"solver": exact})


def _settled(scenario: Scenario, chain: Chain, bound: float | None) -> Plan:
    plan = settle_executed(scenario, chain.schedule, bound).plan
    changes, forced = chain.total("changes"), chain.total("forced")
    facts = {"policy": chain.name, "commitment_changes": changes, "forced": forced}
    plan = replace(plan, summary=plan.summary | {"simulation": facts})
    publish(plan)
    return plan


def write_simulation(simulation: Simulation, output: Output) -> None:
    """Write the tables, the plans and the pages into the folder of a simulation.

    Raises:
        PlanError: they cannot be written.
    """
    folder = Path(output.folder)
    with suppress(OSError):
        (folder / PAGE).unlink()  # of an earlier run
    for name, plan in simulation.plans.items():
        replace(output, folder=folder / PLANS / name).write(plan)
    assert simulation.forecasts is not None
    replace_file(folder / TABLE, csv_text(simulation.table))
    replace_file(folder / FORECASTS, csv_text(simulation.forecasts))
    replace_file(folder / FACTS, marked_json(facts_of(simulation)))
    if output.page:
        from planner.report.simulation_page.page import simulation_page

        replace_file(folder / PAGE, simulation_page(simulation, language(output.lang)))
