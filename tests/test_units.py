"""Every name ends in its unit, and the unit can be read from it."""

from __future__ import annotations

import pytest

from planner.language.language import ENGLISH
from planner.units import SUFFIXES, unit

# the suffixes of the public contract
CONTRACT = (
    "_mw _mwh _mw_per_h _kw _pu _share _efficiency _h _min _ms _c _cny _cny_per_mwh"
    " _cny_per_mw_month _cny_per_mtok _cny_per_gj _cny_per_tco2 _cny_per_node_h _mtok _mtok_per_h"
    " _tokens_per_s _gj _gj_per_h _tco2 _tco2_per_mwh _tco2_per_gj _per_h _per_day"
)


@pytest.mark.parametrize("suffix", CONTRACT.split())
def test_every_suffix_of_the_contract_has_a_unit(suffix: str) -> None:
    assert suffix in SUFFIXES


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_suffix_is_taken_for_a_shorter_one(suffix: str) -> None:
    assert unit(f"some{suffix}" if suffix.startswith("_") else suffix) == SUFFIXES[suffix]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("charge_mw[grid]", "MW"), ("battery.energy_mwh[renewable]", "MWh"),
        ("price_cny_per_mwh", "CNY/MWh"), ("ramp_up_mw_per_h", "MW/h"), ("leak_per_h", "1/h"),
        ("tokens_per_s", "tokens/s"), ("inter_token_ms", "ms"), ("step_min", "min"),
        ("pue", "MW/MW"), ("nodes", None), ("on", None), ("starts", None), ("nodes[m_h]", None),
    ],
)  # fmt: skip
def test_units(name: str, text: str | None) -> None:
    assert unit(name) == text


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("battery.charge_mw[grid]", "battery charge [grid] [MW]"),
        ("battery.energy_mwh", "battery energy [MWh]"),
        ("coal_1.on", "coal 1 on"),
        ("gpus.nodes[qwen|450]", "gpus nodes [qwen|450]"),
        ("cycles_per_day", "cycles [1/day]"),
        ("tokens_per_s", "tokens per s [tokens/s]"),
    ],
)
def test_labels_for_people(column: str, text: str) -> None:
    assert ENGLISH.label(column) == text
