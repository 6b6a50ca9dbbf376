"""What is missed of a rule has a unit, whatever the rule."""

from __future__ import annotations

from pathlib import Path

import pytest

import planner
from planner.diagnosis.breaches import row_unit
from planner.diagnosis.conflict import rule_places
from planner.solver.compiler import program_of
from planner.units import unit
from tests.support.any_site import any_site
from tests.support.full_site import write

UNITS = {
    ("battery", "capacity"): "MWh", ("battery", "charge_limit"): "MW",
    ("battery", "cycles"): "MWh",
    ("battery", "reserve_energy"): "MWh", ("grid", "import_limit"): "MW",
    ("fleet", "count"): "nodes",
    ("fleet", "decode_burst"): "Mtok/h", ("service", "deadline"): "Mtok",
    ("carbon", "budget"): "tCO2",
    ("green_rule", "export"): "MWh", ("thermal", "ramp_up"): "MW",
}  # fmt: skip


def units_of(scenario: planner.Scenario) -> dict[tuple[str, str], str]:
    """The unit of every rule whose variables are not all switches, by kind and name."""
    program, units = program_of(scenario), {}
    matrix, families = program.matrix.tocsr(), program.column_families
    for rule, place in rule_places(program).items():
        columns = {*matrix[place.rows].tocoo().coords[1].tolist(), *place.columns}
        own = [c for c in columns if c < len(families)]
        if any(
            program.column_upper[c] > 1 or unit(program.variable_families[families[c]][1])
            for c in own
        ):
            kind = scenario.components[rule.component].kind
            units[kind, rule.name] = row_unit(program, place, rule)
    return units


@pytest.mark.few(8)
@pytest.mark.parametrize("seed", range(50))
def test_every_rule_of_a_site_has_a_unit(seed: int) -> None:
    units = units_of(any_site(seed))
    assert units
    assert not [rule for rule, own in units.items() if not own]
    assert {rule: own for rule, own in units.items() if rule in UNITS} == {
        rule: own for rule, own in UNITS.items() if rule in units
    }


def test_rules_of_every_kind(tmp_path: Path) -> None:
    units = units_of(planner.load(write(tmp_path)))
    assert not [rule for rule, own in units.items() if not own]
