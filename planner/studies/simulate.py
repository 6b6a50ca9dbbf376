"""A simulation: how much a way of planning earns when forecasts err, beside others.

Each policy runs the whole horizon day by day (`chain`, `policy`), on the same actuals and
forecasts. What happened is then settled once over the horizon on the actuals, so that months,
deviations from the declaration and breaches count as they would, and audited; the table holds
nothing else.

Every finished day of a policy is appended to `days.jsonl` and found again by its content: a
simulation that is killed goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from planner.errors import InfeasibleError, NoPlanError, Problem, ScenarioError
from planner.files.output_folder import claim, file_name, replace_file
from planner.files.records import Records
from planner.plan.plan import Plan
from planner.plan_tables.files import json_text
from planner.plan_tables.simulation import (
    DAYS,
    FACTS,
    PLANS,
    SIMULATION_FOLDER,
    TABLE,
    SimulationTable,
    table_of,
)
from planner.scenario.plain_data import plain_scenario
from planner.scenario.scenario import Scenario, load
from planner.scenario.scenario_key import scenario_key
from planner.studies.chain import Chain, Cut, Progress, cut, run
from planner.studies.policy import (
    DETERMINISTIC,
    PERFECT,
    POLICIES,
    STOCHASTIC,
    DayPolicy,
    believed,
    forecasts,
)
from planner.studies.rules_of_thumb import RULES
from planner.studies.settle import settle
from planner.studies.window import Lookahead, length_problems, relaxation
from planner.timeseries.horizon import Horizon
from planner.timeseries.schedule import without_counters

DAMAGE = "is no day of a simulation; remove the line or use --fresh"


@dataclass(frozen=True, eq=False)
class Simulation(SimulationTable):
    """What several policies earned on the same actuals, and the settled plan of each.

    plans: by policy.
    """

    plans: dict[str, Plan]


def simulate(
    scenario: Scenario | str | Path,
    out: str | Path | None = None,
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
    """Plan again and again on forecasts, operate on the actuals, and compare ways to do it.

    Args:
        scenario: a scenario or its file; its series are the actuals, its `forecast` what is
            believed of them.
        out: the folder to write; what it holds of this very simulation is used again [nothing].
        days: how many days, with the file of a scenario, whose series must reach [its horizon].
        every_h: hours between two plannings.
        window_h: hours that are planned each time.
        policies: some of perfect, deterministic, stochastic, grid_first, compute_first,
            tariff_battery.
        members: draws that the stochastic policy plans on.
        seed: of the forecasts, beside those of the scenario.
        workers: processes; one policy keeps one busy.
        fresh: forget what the folder holds.
        progress: is told how far it is.

    Raises:
        ScenarioError: the scenario or an option is wrong.
        InfeasibleError: the profit has no bound.
        NoPlanError: the time limit of the scenario's solver struck before a first plan.
        PlanError: the folder holds something else, or a settled plan fails its audit.
        KeyboardInterrupt: Ctrl-C; finished days are kept.
    """
    site = _loaded(scenario, days)
    _require_options(site.horizon, every_h, window_h, policies, members, seed, workers)
    names = [name for name in POLICIES if name in policies]
    cuts = cut(site.horizon, window_h, every_h)
    options = {
        "every_h": float(every_h), "window_h": float(window_h), "policies": names,
        "members": members, "seed": seed, "forecasts": sorted(site.forecast),
    }  # fmt: skip
    with ExitStack() as stack:
        target, records = None, None
        if out is not None:
            target = stack.enter_context(claim(out, SIMULATION_FOLDER))
            records = stack.enter_context(Records(target / DAYS, DAMAGE, fresh=fresh))
        bound, lookaheads = _outlooks(site, names, seed, window_h)
        chains = [
            _days(site, cuts, DayPolicy(name, seed, members, lookaheads[name])) for name in names
        ]
        run(chains, records, progress, workers)
        plans = {chain.name: _settled(site, chain, bound) for chain in chains}
        counts = {c.name: (c.total("changes"), c.total("forced")) for c in chains}
        baseline = next((name for name in plans if name in RULES), None)
        table = table_of(plans, counts, bound, perfect=PERFECT, baseline=baseline)
        written = None if out is None else Path(out)
        simulation = Simulation(table, options, bound, baseline, written, plans)
        if target is not None:
            write_simulation(simulation, target)
        return simulation


def _require_options(
    horizon: Horizon,
    every_h: float,
    window_h: float,
    policies: Sequence[str],
    members: int,
    seed: int,
    workers: int,
) -> None:
    """Raise ScenarioError with every option that is wrong."""
    problems = length_problems(horizon, every_h=every_h, window_h=window_h)
    if window_h < every_h:
        text = f"must be every_h {every_h:g} or more, is {window_h:g}"
        problems.append(Problem(text, "window_h"))
    known = f"must be some of {', '.join(POLICIES)}"
    unknown = [policy for policy in dict.fromkeys(policies) if policy not in POLICIES]
    problems += [Problem(f"{known}, is {policy!r}", "policies") for policy in unknown]
    if not policies:
        problems.append(Problem(f"{known}, is empty", "policies"))
    numbers = {"members": (members, 1), "workers": (workers, 1), "seed": (seed, 0)}
    for name, (number, least) in numbers.items():
        if number < least:
            problems.append(Problem(f"must be {least} or more, is {number}", name))
    if problems:
        raise ScenarioError(problems)


def _days(scenario: Scenario, cuts: Sequence[Cut], policy: DayPolicy) -> Chain:
    """Return the days of a policy, none of them planned yet."""
    forecast = json.dumps(plain_scenario(scenario)["forecast"], sort_keys=True)
    options = [policy.name, policy.seed, cuts[0]]
    options += [policy.members] if policy.name == STOCHASTIC else []
    content = f"{scenario_key(scenario)} {forecast} {options}"
    return Chain(policy.name, scenario, cuts, policy, content, counted=("changes", "forced"))


def default_folder(scenario: Scenario) -> Path:
    """Return where a simulation is written unless told otherwise."""
    return Path("simulations") / file_name(scenario.name)


def _outlooks(
    scenario: Scenario, names: Sequence[str], seed: int, window_h: float
) -> tuple[float | None, dict[str, Lookahead]]:
    """Return the LP bound of the horizon, and what the windows of each policy count on."""
    bound, known = _outlook(scenario)
    guessed = known
    plans_on_forecasts = {DETERMINISTIC, STOCHASTIC} & set(names)
    if scenario.forecast and plans_on_forecasts and window_h < scenario.horizon.hours:
        expected = believed(scenario, forecasts(scenario, 0, seed), 0)
        guessed = _outlook(expected)[1]
    return bound, {name: known if name == PERFECT else guessed for name in names}


def _outlook(scenario: Scenario) -> tuple[float | None, Lookahead]:
    """Return the LP bound of a horizon and what its relaxation does; nothing where it has none.

    Raises:
        InfeasibleError: the profit has no bound.
    """
    try:
        return relaxation(scenario)
    except InfeasibleError as error:
        if error.diagnosis["status"] == "unbounded":
            raise
    except NoPlanError:
        pass
    return None, Lookahead()


def _loaded(scenario: Scenario | str | Path, days: int | None) -> Scenario:
    if not isinstance(scenario, Scenario):
        if days is not None and days < 1:
            raise _wrong("days", f"must be 1 or more, is {days}")
        found = load(scenario, None if days is None else {"horizon.hours": 24 * days})
    elif days is not None:
        raise _wrong("days", "needs the file of a scenario: its series are read for that horizon")
    else:
        found = scenario
    if found.uncertainty is not None:
        raise _wrong("uncertainty", "cannot go with a simulation; what errs stands in `forecast`")
    exact = found.solver.model_copy(update={"relax": False})
    return found.model_copy(update={"solver": exact})


def _wrong(path: str, message: str) -> ScenarioError:
    return ScenarioError([Problem(message, path)])


def _settled(scenario: Scenario, chain: Chain, bound: float | None) -> Plan:
    rows = without_counters(chain.schedule, scenario.components)
    plan = settle(scenario, rows, bound_cny=bound).plan
    facts = {
        "policy": chain.name,
        "commitment_changes": chain.total("changes"),
        "forced": chain.total("forced"),
    }
    return replace(plan, summary=plan.summary | {"simulation": facts})


def write_simulation(simulation: Simulation, folder: Path) -> None:
    """Write the table, the facts and the plans into the folder of a simulation.

    Raises:
        PlanError: they cannot be written.
    """
    for name, plan in simulation.plans.items():
        plan.write(folder / PLANS / name)
    rows = json.loads(simulation.table.to_json(orient="records", double_precision=15))
    facts = simulation.settings | {
        "bound_cny": simulation.bound_cny,
        "baseline": simulation.baseline,
        "notes": simulation.notes,
        "policies": rows,
    }
    replace_file(folder / TABLE, simulation.table.to_csv(index=False))
    replace_file(folder / FACTS, json_text(facts))
