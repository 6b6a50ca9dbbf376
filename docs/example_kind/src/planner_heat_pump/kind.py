"""The kind that the entry point names: its class, what explains its decisions, its translations."""

from pathlib import Path

from planner.components.kind import Kind
from planner_heat_pump.heat_pump import HeatPump
from planner_heat_pump.reasons import LIMITS, reasons

KIND = Kind(HeatPump, reasons, LIMITS, words=Path(__file__).parent)
