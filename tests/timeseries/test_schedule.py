"""A schedule as a table: the columns of one component, and what is left out to settle it."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from planner.timeseries.schedule import columns_of, without_counters

TABLE = pd.DataFrame({"gas.on": [1.0], "gas_2.on": [0.0], "gas.power_mw": [7.0]})


def test_the_columns_of_a_component_lose_its_name():
    columns = columns_of(TABLE, "gas")
    assert {name: values.tolist() for name, values in columns.items()} == {
        "on": [1.0], "power_mw": [7.0]
    }  # fmt: skip
    assert columns_of(TABLE, "ga") == {}


def test_what_windows_count_anew_is_left_out():
    components = {
        "gas": SimpleNamespace(counters=("power_mw", "not_there_mw")),
        "gas_2": SimpleNamespace(counters=()),
    }
    assert list(without_counters(TABLE, components).columns) == ["gas.on", "gas_2.on"]
