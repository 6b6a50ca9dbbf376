"""Finished windows of a rolling plan, kept beside the folder that the plan will be written to.

.NAME.windows/KEY/relaxation.json   what the relaxation of the whole horizon earns and does
.NAME.windows/KEY/00001.json        a finished window: the schedule of its kept steps

KEY is a hash of the scenario, the lengths and the versions that solve it, so that a run goes on
with its own windows only. Each file appears whole and synced. Numbers survive it exactly.
"""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from planner.errors import PlanError
from planner.files.output_folder import beside, replace_file

Record = dict[str, Any]


class Kept:
    """The finished windows of one run; without a target nothing is kept."""

    def __init__(self, target: Path | None, key: str, *, fresh: bool) -> None:
        self.above = None if target is None else beside(target, "windows")
        self.folder = None if self.above is None else self.above / key
        if self.folder is None:
            return
        try:
            if fresh:
                shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PlanError(f"{self.folder} cannot be written: {error.strerror or error}") from None

    def read(self, name: str, needed: set[str]) -> Record | None:
        """Return a record by its name, None where there is none. Raises PlanError."""
        if self.folder is None:
            return None
        path = self.folder / f"{name}.json"
        try:
            found = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise PlanError(f"{path} cannot be read: {error}; remove it or use --fresh") from None
        if not isinstance(found, dict) or not needed <= found.keys():
            raise PlanError(f"{path} is no window of a plan; remove it or use --fresh")
        return found

    def add(self, name: str, record: Record) -> None:
        """Keep a record; it is on disk when this returns. Raises PlanError."""
        if self.folder is not None:
            text = json.dumps(record, allow_nan=False, separators=(",", ":"))
            replace_file(self.folder / f"{name}.json", text)

    def leave(self) -> None:
        """Remove the folders where nothing has come to be kept."""
        for folder in (self.folder, self.above):
            if folder is not None:
                with suppress(OSError):
                    folder.rmdir()

    def remove(self) -> None:
        """Remove everything kept beside the target: its plan is written."""
        if self.above is not None:
            shutil.rmtree(self.above, ignore_errors=True)
