"""What variants of a scenario file share, so that nothing is read or validated twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from planner.components.component import Component
from planner.scenario.scenario_file import ScenarioFile
from planner.timeseries.csv_table import CsvTable
from planner.timeseries.forms import Context
from planner.timeseries.horizon import Calendar

MAX_HORIZONS = 64  # different horizons whose parts are kept at once

Tables = dict[tuple[str, str], CsvTable]


@dataclass(frozen=True)
class SharedParts:
    """What variants of a scenario share on one horizon.

    context: what series are read with.
    components: valid ones that no change touches, by name.
    digests: their hashes, as far as they have been computed.
    """

    context: Context
    components: dict[str, Component] = field(default_factory=dict)
    digests: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Shared:
    """What variants of a scenario file share: the same change is never read or validated twice.

    folder: the folder of the file.
    tables: CSV files, by offset of the local time.
    top: the top fields where no change touches them.
    parts: what depends on the horizon, by horizon and calendar.
    """

    folder: Path
    tables: dict[str, Tables] = field(default_factory=dict)
    top: ScenarioFile | None = None
    parts: dict[str, SharedParts] = field(default_factory=dict)

    def on_horizon(self, top: ScenarioFile) -> SharedParts:
        """Return what is shared on the horizon of a scenario."""
        key = f"{top.horizon!r}{top.holidays}{top.workdays}"
        if key not in self.parts:
            if len(self.parts) >= MAX_HORIZONS:
                self.parts.clear()
            tables = self.tables.setdefault(str(top.horizon.zone), {})
            calendar = Calendar(top.holidays, top.workdays)
            self.parts[key] = SharedParts(Context(top.horizon, calendar, self.folder, tables))
        return self.parts[key]
