"""Pages of several plans: that of a stochastic plan and of a simulation, and the way back to them.

Members and policies have plan folders of their own inside the folder of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import UndefinedError

from planner.auditor.audit import audit
from planner.errors import PlanError
from planner.files.output_folder import claim, replace_file
from planner.language.language import Language
from planner.message import Message
from planner.plan_tables.files import PAGE
from planner.plan_tables.simulation import DAYS, FACTS, PLANS, read_simulation
from planner.plan_tables.stochastic import MEMBERS, STOCHASTIC, read_stochastic

WHOLES = {STOCHASTIC: MEMBERS, DAYS: PLANS}
"""The mark of the folder of a whole, and the folder in it that holds those of its plans."""


def whole_of(folder: Path) -> Path | None:
    """Return the folder of the whole that a plan folder is part of; None where there is none."""
    whole = folder.resolve().parent.parent
    parts = (mark for mark, inside in WHOLES.items() if folder.resolve().parent.name == inside)
    return whole if any((whole / mark).is_file() for mark in parts) else None


def report_whole(folder: Path, words: Language, cautions: Sequence[Message] = ()) -> list[Path]:
    """Write the page of a stochastic plan or of a simulation again, from the tables of its folder.

    `cautions` are said at its top.

    Returns:
        The page; nothing for the folder of a single plan.

    Raises:
        PlanError: another run is writing to the folder, or a file cannot be read or written.
    """
    if not any((folder / mark).is_file() for mark in (STOCHASTIC, DAYS, FACTS)):
        return []
    with claim(folder, None) as target:
        replace_file(target / PAGE, _page(target, words, cautions))
    return [folder / PAGE]


def _page(folder: Path, words: Language, cautions: Sequence[Message]) -> str:
    """Return the page of a folder.

    Raises:
        PlanError: the page cannot be made, because the files do not fit together.
    """
    try:
        if (folder / STOCHASTIC).is_file():
            from planner.report.stochastic_page.page import stochastic_page

            return stochastic_page(read_stochastic(folder), words, cautions)
        from planner.report.simulation_page.page import simulation_page

        return simulation_page(read_simulation(folder), words, cautions)
    except (LookupError, TypeError, ValueError, AttributeError, UndefinedError) as error:
        breaches = audit(folder) if (folder / STOCHASTIC).is_file() else []
        text = breaches[0].with_place() if breaches else Message("its files do not fit together")
        raise PlanError(
            Message("{path} cannot be shown: {sentence}", path=folder, sentence=text)
        ) from error
