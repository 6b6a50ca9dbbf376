"""Fifty mistakes that beginners make, and what they must be told; some simply work.

A mistake in a scenario is a change of `SITE`, in the line where `at` is found; one on the command
line is its arguments, with `{file}` for the scenario.
"""
# ruff: noqa: E501  # a table: one case, one line

from __future__ import annotations

from typing import NamedTuple

SITE = """\
name: site
horizon: {start: 2026-07-15T00:00:00+08:00, hours: 4}
components:
  pv:
    kind: renewable
    technology: pv
    capacity_mw: 100
    availability_pu: [0.1, 0.5, 0.6, 0.2]
  coal:
    kind: thermal
    min_power_mw: 30
    max_power_mw: 60
    curve: [{power_mw: 30, fuel_gj_per_h: 300}, {power_mw: 60, fuel_gj_per_h: 560}]
    fuel_price_cny_per_gj: 40
    ramp_up_mw_per_h: 30
    ramp_down_mw_per_h: 30
    min_up_h: 2
    min_down_h: 2
    startups: [{off_h: 0, cost_cny: 20000}]
    initial: {on: true, power_mw: 30, hours: 10}
  battery:
    kind: battery
    capacity_mwh: 50
    charge_power_mw: 25
    discharge_power_mw: 25
    charge_efficiency: 0.95
    discharge_efficiency: 0.95
    initial: {energy_mwh: 20}
    ending: same_as_start
  grid:
    kind: grid
    import_limit_mw: 80
    export_limit_mw: 80
    import_price_cny_per_mwh: 600
    export_price_cny_per_mwh: 350
    resale: true
    demand_interval_min: 60
  town:
    kind: load
    demand_mw: 20
  gpus:
    kind: fleet
    nodes: 1000
    pue: 1.2
    sleep_kw: 0.5
    serves: {qwen: {points: [{tokens_per_s: 0, node_kw: 3}, {tokens_per_s: 5000, node_kw: 8}]}}
  chat:
    kind: service
    model: qwen
    price_cny_per_mtok: 8
    demand_mtok_per_h: 6
"""


class Mistake(NamedTuple):
    """A change of the site; what is said about it, nothing where it simply works."""

    old: str
    new: str
    words: str
    at: str = ""


WARNED = "warned"  # in place of a line: a caution, after which the scenario is read

IN_FILES: dict[str, Mistake] = {
    # how YAML is written
    "tab": Mistake("    capacity_mw: 100", "\tcapacity_mw: 100", "is indented with a tab, which YAML does not allow; write spaces"),
    "full-width colon": Mistake("capacity_mw: 100", "capacity_mw：100", "write `capacity_mw: ` with an ordinary colon"),
    "full-width commas": Mistake("[0.1, 0.5, 0.6, 0.2]", "[0.1，0.5，0.6，0.2]", "write a list as [0.1, 0.5, 0.6, ...]"),
    "full-width quotes": Mistake("technology: pv", "technology: “pv”", "must be 'pv' or 'wind', is '“pv”'; write pv"),
    "decimal comma": Mistake("capacity_mwh: 50", "capacity_mwh: 50,5", "must be a number, is '50,5'; write 50.5, with a point"),
    "decimal commas in a list": Mistake("[0.1, 0.5, 0.6, 0.2]", "[0,1, 0,5, 0,6, 0,2]", "a decimal comma parts two values: write 1.5, not 1,5"),
    "decimal comma in braces": Mistake("power_mw: 30, fuel_gj_per_h: 300}", "power_mw: 30, fuel_gj_per_h: 300,5}", "write 1.5, not 1,5"),
    "no space after a colon": Mistake("capacity_mw: 100", "capacity_mw:100", "needs a space after the colon: write `capacity_mw: `"),
    "equals sign": Mistake("capacity_mw: 100", "capacity_mw = 100", "is written with =; write `capacity_mw: ` with a colon"),
    "open quote": Mistake("name: site", "name: 'site", "a quote is opened and not closed"),
    "path of Windows": Mistake("[0.1, 0.5, 0.6, 0.2]", '{csv: "data\\site.csv", column: pv}', "write / between folders, or single quotes"),
    "list without spaces": Mistake("[0.1, 0.5, 0.6, 0.2]", "\n      -0.1\n      -0.5", "each value on a line of its own after `- `", "availability_pu"),
    "field written twice": Mistake("capacity_mw: 100", "capacity_mw: 100\n    capacity_mw: 80", "appears twice; first on line", "mw: 80"),
    "wrong indentation": Mistake("    capacity_mw: 100", "      capacity_mw: 100", "begins in column 7, where nothing above begins; fields of the same mapping begin in the same column, here perhaps 5"),
    "colon in a text": Mistake("name: site", "name: site\ndescription: Site: Huainan", "a text that holds a colon and a space needs quotes", "Site: H"),
    "component not indented": Mistake("  town:\n    kind: load\n    demand_mw: 20\n", "", "components are indented under `components:`", "town"),
    "components as a list": Mistake("  town:\n    kind: load", "  town:\n    - kind: load", "must be a mapping with a `kind`, is a list: `{kind: load, demand_mw: 5}`", "town:"),
    # values
    "negative load": Mistake("demand_mw: 20", "demand_mw: -20", "must be 0 or more, is -20; a load draws power; what feeds the site is of `kind: renewable`"),
    "number with its unit": Mistake("demand_mw: 20", "demand_mw: 20 MW", "write 20: the unit, MW, is part of the name"),
    "number with another unit": Mistake("demand_mw: 20", "demand_mw: 500 kW", "write 0.5: the unit, MW, is part of the name"),
    "percent": Mistake("charge_efficiency: 0.95", "charge_efficiency: 95%", "must be a number, is '95%'; write 0.95"),
    "percent without its sign": Mistake("charge_efficiency: 0.95", "charge_efficiency: 95", "must be 1 or less, is 95; for 95 % write 0.95"),
    "number in quotes": Mistake("demand_mw: 20", "demand_mw: '20'", "is '20'; write 20 without quotes"),
    "thousands mark": Mistake("nodes: 1000", "nodes: 1,000", "must be a number, is '1,000'; write 1000 or 1.000, without a comma"),
    "yes": Mistake("resale: true", "resale: yes", "must be true or false, is 'yes'; write true"),
    "a list for one number": Mistake("capacity_mw: 100", "capacity_mw: [100, 100, 100, 100]", "it is one number, the same in every step"),
    "free fuel": Mistake("fuel_price_cny_per_gj: 40", "fuel_price_cny_per_gj: 0", "must be above 0, is 0; fuel without a price would be burnt for nothing; for free fuel write 0.01"),
    "any energy at the end": Mistake("ending: same_as_start", "ending: free", "where any energy may be left, write {at_least_mwh: 0}"),
    "date with slashes": Mistake("start: 2026-07-15T00:00:00+08:00", "start: 2026/7/15 00:00", "for the time of China write 2026-07-15T00:00:00+08:00"),
    "24 values for 4 hours": Mistake("demand_mw: 20", f"demand_mw: [{', '.join(['20'] * 24)}]", "needs one value per step, 4, and has 24; 24 values that hold every day are written {hours: [...]}", "demand_mw"),
    "megawatts for availability": Mistake("[0.1, 0.5, 0.6, 0.2]", "[10, 50, 60, 20]", "it is per unit of capacity_mw: a column in MW needs `scale: ` 1 / capacity_mw"),
    "another word for a kind": Mistake("kind: renewable", "kind: solar", "is 'solar'; did you mean renewable?"),
    "misspelt field": Mistake("capacity_mw: 100", "capacty_mw: 100", "is not a field here; did you mean capacity_mw?"),
    "field one level too high": Mistake("initial: {energy_mwh: 20}", "energy_mwh: 20", "is not a field here; it belongs under initial"),
    "capital letters in a name": Mistake("  town:", "  Town-1:", "beginning with a letter; write town_1"),
    "no state to begin with": Mistake("    initial: {energy_mwh: 20}\n", "", "is required: a mapping of energy_mwh", "battery:"),
    # names that match nothing
    "unknown node": Mistake("kind: load", "kind: load\n    node: west", "nothing feeds node 'west' (there is 'site')", "node: west"),
    "unknown model": Mistake("model: qwen", "model: qwen3", "no fleet serves model 'qwen3' (there is 'qwen')"),
    "no such file": Mistake("[0.1, 0.5, 0.6, 0.2]", "{csv: data/site.csv, column: pv}", "there is no file data/site.csv"),
    "month of another year": Mistake("demand_interval_min: 60", "peak_so_far_mw: {2025-07: 9}", "is no month of the horizon, which covers 2026-07"),
    # orders of magnitude
    "plant in kW": Mistake("capacity_mw: 100", "capacity_mw: 100000", "components.pv.capacity_mw 100000 MW is more than 20 times the", WARNED),
    "price per kWh": Mistake("import_price_cny_per_mwh: 600", "import_price_cny_per_mwh: 0.6", "if it is in CNY/kWh, multiply it by 1000: 600", WARNED),
    "price per 1000 tokens": Mistake("price_cny_per_mtok: 8", "price_cny_per_mtok: 0.0008", "if it is in CNY per 1000 tokens, write 0.8", WARNED),
    "battery power in kW": Mistake("discharge_power_mw: 25", "discharge_power_mw: 25000", "if the power is in kW, write 25", WARNED),
    "energy given as a number": Mistake("    resale: true\n", "", "", ""),
    "start ramp beyond a step": Mistake("min_up_h: 2", "min_up_h: 2\n    startup_ramp_mw: 70", "startup_ramp_mw 70 MW is never reached", WARNED),
}  # fmt: skip

ON_THE_COMMAND_LINE: dict[str, tuple[list[str], str]] = {
    "path without components": (["check", "{file}", "--set", "pv.capacity_mw=3"], "--set: pv: is not a field here; did you mean components.pv?"),
    "entry of a list with a dot": (["check", "{file}", "--set", "components.coal.startups.0.cost_cny=1"], "an entry of a list is written components.coal.startups[0]"),
    "language before the command": (["--lang", "zh", "check", "{file}"], "site：有效"),
    "gap in percent": (["solve", "{file}", "--gap", "5%"], "--gap: solver.gap: must be a number, is '5%'; write 0.05"),
}  # fmt: skip

# change; warning
UNITS: dict[str, tuple[str, str, str]] = {
    # grid 80 + battery 25 + coal 60 + pv 60 MW; grid 80 + battery 25 + town 20 + 1000 nodes of 8 kW x 1.2
    "load in kW": ("demand_mw: 20", "demand_mw: 20000", "components.town.demand_mw 20000 MW is more than 20 times the 225 MW that can be supplied; if it is in kW, write 20"),
    "plant in kW": ("capacity_mw: 100", "capacity_mw: 100000", "components.pv.capacity_mw 100000 MW is more than 20 times the 134.6 MW that the site can sell, store or use; if it is in kW, write 100"),
    "power above energy": ("discharge_power_mw: 25", "discharge_power_mw: 499", ""),
    "power far above energy": ("discharge_power_mw: 25", "discharge_power_mw: 600", "discharge_power_mw 600 MW is more than 10 times capacity_mwh 50 MWh, which would last 5 min; if the power is in kW, write 0.6"),
    "energy in kWh": ("capacity_mwh: 50", "capacity_mwh: 50000", "capacity_mwh 50000 MWh lasts 2000 h at discharge_power_mw 25 MW; if it is in kWh, write 50"),
    "price per kWh": ("export_price_cny_per_mwh: 350", "export_price_cny_per_mwh: 0.35", "components.grid.export_price_cny_per_mwh is 0.35 CNY/MWh at most beside components.grid.import_price_cny_per_mwh 600; if it is in CNY/kWh, multiply it by 1000: 350"),
    "price that is low": ("export_price_cny_per_mwh: 350", "export_price_cny_per_mwh: 3.5", ""),
    "price of nothing": ("export_price_cny_per_mwh: 350", "export_price_cny_per_mwh: 0", ""),
    "price per token": ("price_cny_per_mtok: 8", "price_cny_per_mtok: 8.0e-6", "if it is in CNY per token, write 8"),
    "sleep above idle": ("sleep_kw: 0.5", "sleep_kw: 3.5", "sleep_kw 3.5 kW is above the idle point of model 'qwen', 3 kW"),
    "sleep at idle": ("sleep_kw: 0.5", "sleep_kw: 3", ""),
    "node in watts": ("node_kw: 8}", "node_kw: 8000}", "points[1].node_kw is 8000 at most, outside the usual 0 to 30; if it is in watts, write 8"),
    "node of a few kW in watts": ("node_kw: 3}, {tokens_per_s: 5000, node_kw: 8}", "node_kw: 900}, {tokens_per_s: 5000, node_kw: 1900}", "points[1].node_kw is 1900 at most, outside the usual 0 to 30; if it is in watts, write 1.9"),
    "rack in watts": ("node_kw: 8}", "node_kw: 132000}", "points[1].node_kw is 132000 at most, outside the usual 0 to 30; if it is in watts, write 132"),
    "rack as one node": ("node_kw: 8}", "node_kw: 132}", "; if it is in watts, write 0.132; right as it is for a whole rack as one node, such as an NVL72, 120 to 140 kW"),
    "host in watts": ("serves:", "host: {idle_kw: 1608, gpu_wall_factor: 1.16}\n    serves:", "components.gpus.host.idle_kw is 1608 at most, outside the usual 0 to 30; if it is in watts, write 1.608"),
    "idle GPU in watts": ("serves:", "host: {idle_kw: 1.6, gpu_wall_factor: 1.16, gpu_idle_kw: 115}\n    serves:", "components.gpus.host.gpu_idle_kw is 115 at most, outside the usual 0 to 2; if it is in watts, write 0.115"),
    "sleep in watts": ("sleep_kw: 0.5", "sleep: [{name: off, node_kw: 300}]", "components.gpus.sleep[0].node_kw is 300 at most, outside the usual 0 to 30; if it is in watts, write 0.3"),
    "job in watts": ("  town:", "  training: {kind: job, fleet: gpus, nodes: 1, node_kw: 700, duration_h: 1, deadline_h: 4, value_cny: 1}\n  town:", "components.training.node_kw is 700 at most, outside the usual 0 to 30; if it is in watts, write 0.7"),
    "fuel per tonne": ("fuel_price_cny_per_gj: 40", "fuel_price_cny_per_gj: 900", "if it is in CNY per tonne of coal, write 36"),
    "ramp per minute": ("ramp_up_mw_per_h: 30", "ramp_up_mw_per_h: 1", "ramp_up_mw_per_h 1 MW/h takes 30 h from min_power_mw to max_power_mw; if it is in MW per minute, write 60"),
    "fuel in tonnes": ("curve: [{power_mw: 30, fuel_gj_per_h: 300}, {power_mw: 60, fuel_gj_per_h: 560}]", "curve: [{power_mw: 30, fuel_gj_per_h: 12}, {power_mw: 60, fuel_gj_per_h: 23}]", "curve burns 23 GJ/h at 60 MW, 0.38 GJ for a MWh"),
    "derated below the minimum": ("min_up_h: 2", "must_run: true\n    available: [1, 0.4, 0.4, 1]\n    min_up_h: 1", "max_power_mw x available falls to 24 MW, below min_power_mw 30 MW, in 2 h, first at 07-15 01:00: the unit is off there, although must_run is true"),
    "derated to the minimum": ("min_up_h: 2", "must_run: true\n    available: [1, 0.5, 0.5, 1]\n    min_up_h: 1", ""),
    "outage": ("min_up_h: 2", "must_run: true\n    available: [1, 0, 0, 1]\n    min_up_h: 1", ""),
    "start ramp": ("min_up_h: 2", "startup_ramp_mw: 61\n    min_up_h: 2", "startup_ramp_mw 61 MW is never reached: a step allows min_power_mw and a ramp of 60 min, 60 MW"),
    "start ramp that a step reaches": ("min_up_h: 2", "startup_ramp_mw: 60\n    min_up_h: 2", ""),
}  # fmt: skip
