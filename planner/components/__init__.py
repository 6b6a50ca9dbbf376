"""What a site is made of: each kind is a frozen value that knows its own mathematics.

import planner
from planner.components import Horizon, Load, Renewable

site = planner.Scenario(
    name="site",
    horizon=Horizon(start="2026-07-15T00:00+08:00", hours=24),
    components={
        "pv": Renewable(technology="pv", capacity_mw=20, availability_pu=0.5),
        "town": Load(demand_mw=8),
    },
)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for type checkers, which read no table; a test compares the two
    from planner.components.battery.battery import Battery as Battery
    from planner.components.battery.state import BatteryInitial as BatteryInitial
    from planner.components.battery.state import EndLimits as EndLimits
    from planner.components.battery.state import EndValue as EndValue
    from planner.components.battery.state import EnergyByOrigin as EnergyByOrigin
    from planner.components.battery.targets import EnergyTarget as EnergyTarget
    from planner.components.carbon import Carbon as Carbon
    from planner.components.contract import Contract as Contract
    from planner.components.fleet.fields import FleetInitial as FleetInitial
    from planner.components.fleet.fleet import Fleet as Fleet
    from planner.components.fleet.operating_points import OperatingPoint as OperatingPoint
    from planner.components.fleet.operating_points import Prefill as Prefill
    from planner.components.fleet.operating_points import Serving as Serving
    from planner.components.fleet.pue import PueByTemperature as PueByTemperature
    from planner.components.fleet.pue import PuePoint as PuePoint
    from planner.components.fleet.sleep_levels import SleepLevel as SleepLevel
    from planner.components.green_rule import GreenEnergy as GreenEnergy
    from planner.components.green_rule import GreenRule as GreenRule
    from planner.components.grid.declaration import Declaration as Declaration
    from planner.components.grid.exchange_limits import GridInitial as GridInitial
    from planner.components.grid.exchange_limits import Response as Response
    from planner.components.grid.grid import Grid as Grid
    from planner.components.grid.tariff import ByOrigin as ByOrigin
    from planner.components.grid.tariff import NonNegativeByOrigin as NonNegativeByOrigin
    from planner.components.job import Job as Job
    from planner.components.job import JobInitial as JobInitial
    from planner.components.line import PowerLine as PowerLine
    from planner.components.load import Load as Load
    from planner.components.renewable import Renewable as Renewable
    from planner.components.reserve import Reserve as Reserve
    from planner.components.service.queue import EndingValue as EndingValue
    from planner.components.service.queue import MarketStep as MarketStep
    from planner.components.service.queue import ServiceInitial as ServiceInitial
    from planner.components.service.queue import Waiting as Waiting
    from planner.components.service.service import Service as Service
    from planner.components.thermal.commitment import FuelPoint as FuelPoint
    from planner.components.thermal.commitment import Startup as Startup
    from planner.components.thermal.commitment import ThermalInitial as ThermalInitial
    from planner.components.thermal.thermal import Thermal as Thermal
    from planner.fleets.hosts import Host as Host
    from planner.timeseries.forms import CalendarEntry as CalendarEntry
    from planner.timeseries.forms import CalendarSeries as CalendarSeries
    from planner.timeseries.forms import CsvSeries as CsvSeries
    from planner.timeseries.forms import HoursSeries as HoursSeries
    from planner.timeseries.horizon import Horizon as Horizon

_MODULES = {
    "Battery": "components.battery.battery",
    "BatteryInitial": "components.battery.state",
    "ByOrigin": "components.grid.tariff",
    "CalendarEntry": "timeseries.forms",
    "CalendarSeries": "timeseries.forms",
    "Carbon": "components.carbon",
    "Contract": "components.contract",
    "CsvSeries": "timeseries.forms",
    "Declaration": "components.grid.declaration",
    "EndLimits": "components.battery.state",
    "EndValue": "components.battery.state",
    "EndingValue": "components.service.queue",
    "EnergyByOrigin": "components.battery.state",
    "EnergyTarget": "components.battery.targets",
    "Fleet": "components.fleet.fleet",
    "FleetInitial": "components.fleet.fields",
    "FuelPoint": "components.thermal.commitment",
    "GreenEnergy": "components.green_rule",
    "GreenRule": "components.green_rule",
    "Grid": "components.grid.grid",
    "GridInitial": "components.grid.exchange_limits",
    "Horizon": "timeseries.horizon",
    "Host": "fleets.hosts",
    "HoursSeries": "timeseries.forms",
    "Job": "components.job",
    "JobInitial": "components.job",
    "Load": "components.load",
    "MarketStep": "components.service.queue",
    "NonNegativeByOrigin": "components.grid.tariff",
    "OperatingPoint": "components.fleet.operating_points",
    "PowerLine": "components.line",
    "Prefill": "components.fleet.operating_points",
    "PueByTemperature": "components.fleet.pue",
    "PuePoint": "components.fleet.pue",
    "Renewable": "components.renewable",
    "Reserve": "components.reserve",
    "Response": "components.grid.exchange_limits",
    "Service": "components.service.service",
    "ServiceInitial": "components.service.queue",
    "Serving": "components.fleet.operating_points",
    "SleepLevel": "components.fleet.sleep_levels",
    "Startup": "components.thermal.commitment",
    "Thermal": "components.thermal.thermal",
    "ThermalInitial": "components.thermal.commitment",
    "Waiting": "components.service.queue",
}
"""Every class and the module that holds it."""
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    """Import classes when they are first used, so that a command loads what it needs."""
    if name not in _MODULES:
        raise AttributeError(f"module 'planner.components' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"planner.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
