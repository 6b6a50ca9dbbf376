"""A good scenario file with every kind of component, for tests that break one thing in it.

file = write(tmp_path, ("capacity_mw: 100", "capacity_mw: x"))
planner.load(file)
"""

from __future__ import annotations

from pathlib import Path

GOOD = """\
name: full_site
description: Every component kind and every form of a series, on half a day.
horizon:
  start: 2026-07-15T00:00:00+08:00
  hours: 12
  step_min: 60
holidays: [2026-10-01]
workdays: [2026-10-10]
components:
  pv:
    kind: renewable
    technology: pv
    capacity_mw: 100
    availability_pu: {csv: data/site.csv, column: pv_pu}
    must_take_pu: 0
  coal:
    kind: thermal
    min_power_mw: 30
    max_power_mw: 60
    curve:
      - {power_mw: 30, fuel_gj_per_h: 300}
      - {power_mw: 60, fuel_gj_per_h: 560}
    fuel_price_cny_per_gj: 40
    ramp_up_mw_per_h: 30
    ramp_down_mw_per_h: 30
    min_up_h: 4
    min_down_h: 4
    max_up_h: 96
    max_starts_per_day: 2
    startups:
      - {off_h: 0, cost_cny: 20000}
      - {off_h: 12, cost_cny: 40000}
    initial: {on: true, power_mw: 30, hours: 10}
  battery:
    kind: battery
    capacity_mwh: 50
    min_energy_mwh: 5
    charge_power_mw: 25
    discharge_power_mw: 25
    charge_efficiency: 0.95
    discharge_efficiency: 0.95
    min_charge_power_mw: 1
    min_discharge_power_mw: 1
    ramp_mw_per_h: 40
    start_cost_cny: 50
    charge_from: [renewable, thermal]
    discharge_to_grid: false
    energy_targets: [{time: "2026-07-15 09:00", at_least_mwh: 18, at_most_mwh: 45}]
    cycles_per_day: 2
    initial:
      energy_mwh: {renewable: 10, grid: 5}
      power_mw: 0
    ending: {value_cny_per_mwh: 300}
  grid:
    kind: grid
    import_limit_mw: 80
    export_limit_mw: 80
    import_price_cny_per_mwh:
      calendar:
        - value: 600
        - value: 1000
          hours: ["9-11"]
    export_price_cny_per_mwh:
      renewable: 400
      thermal: 380
    demand_charge_cny_per_mw_month: 0
    demand_interval_min: 30
    demand_hours: ["8-22"]
    peak_so_far_mw: {2026-07: 20}
    ramp_mw_per_h: 60
    initial: {exchange_mw: 0}
    response: [{hours: ["8-10"], baseline_mw: 40, reward_cny_per_mwh: 900, max_mw: 20}]
  hedge:
    kind: contract
    mw: 10
    price_cny_per_mwh: 420
    reference_price_cny_per_mwh: 400
  town:
    kind: load
    demand_mw: [10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10]
  gpus:
    kind: fleet
    nodes: 1000
    pue:
      temperature_c: {csv: data/site.csv, column: temperature_c}
      points:
        - {temperature_c: -10, pue: 1.1}
        - {temperature_c: 45, pue: 1.4}
    sleep:
      - {name: soft, node_kw: 1.5, wake_min: 1}
      - {name: off, node_kw: 0.3, wake_min: 8, wake_cost_cny: 1, drain_min: 3}
    ramp_nodes_per_h: 900
    serves:
      qwen:
        points:
          - {tokens_per_s: 0, node_kw: 3}
          - {tokens_per_s: 5000, node_kw: 8, inter_token_ms: 20}
          - {tokens_per_s: 9000, node_kw: 10, inter_token_ms: 50}
        prefill: {tokens_per_s: 40000, node_kw: 9}
    initial: {awake: {qwen: 100}, asleep: {off: 300}}
  chat:
    kind: service
    model: qwen
    max_inter_token_ms: 50
    price_cny_per_mtok: 8
    demand_mtok_per_h:
      {hours: [1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6, 5, 4, 3, 2, 1]}
    headroom_share: 0.2
  batch:
    kind: service
    model: qwen
    price_cny_per_mtok: 3
    arrivals_mtok_per_h: 2
    deadline_h: 4
    initial:
      waiting:
        - {age_h: 1, mtok: 2}
  api:
    kind: service
    model: qwen
    market:
      - {mtok_per_h: 3, price_cny_per_mtok: 2}
      - {mtok_per_h: 3, price_cny_per_mtok: 1}
  spinning:
    kind: reserve
    up_mw: 5
    providers: [coal, battery]
    shortfall_cost_cny_per_mwh: 5000
    duration_h: 2
    response_min: 30
  training:
    kind: job
    fleet: gpus
    nodes: 40
    node_kw: 9
    duration_h: 3
    deadline_h: 12
    value_cny: 30000
    initial: {hours_run: 0}
  cable:
    kind: line
    from_node: site
    to_node: east
    capacity_mw: 20
    loss_share: 0.03
  farm:
    kind: load
    node: east
    demand_mw: 1
  green:
    kind: green_rule
    min_self_use_share: 0.6
    min_load_share: 0.3
    max_export_share: 0.2
    so_far: {available_mwh: 900, used_mwh: 700, exported_mwh: 90, load_mwh: 2000}
    ahead: {load_mwh: 1500, load_renewable_mwh: 600}
    penalty_cny_per_mwh: 250
  ets:
    kind: carbon
    price_cny_per_tco2: 95
    budget_tco2: 90000
    so_far_tco2: 12
"""

CSV = "time,pv_pu,temperature_c\n" + "".join(
    f"2026-07-15 {hour:02d}:00,{hour / 100},{20 + hour}\n" for hour in range(24)
)


def changed(*changes: tuple[str, str]) -> str:
    """Return the good text with each `(old, new)` replaced once."""
    text = GOOD
    for old, new in changes:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    return text


def write(folder: Path, *changes: tuple[str, str], csv: str | bytes = CSV) -> Path:
    """Write the good scenario with some changes, and its CSV; return the scenario file."""
    return write_text(folder, changed(*changes), csv)


def write_text(folder: Path, text: str, csv: str | bytes = CSV) -> Path:
    """Write a scenario file and the CSV beside it; return the scenario file."""
    (folder / "data").mkdir(exist_ok=True)
    content = csv if isinstance(csv, bytes) else csv.encode()
    (folder / "data" / "site.csv").write_bytes(content)
    file = folder / "scenario.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def line_of(text: str, needle: str) -> int:
    """Return the number of the first line that holds `needle`."""
    assert needle in text, needle
    return text[: text.index(needle)].count("\n") + 1
