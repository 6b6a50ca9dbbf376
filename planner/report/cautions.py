"""What is said first where a stored plan is shown: it fails its audit, or is of an earlier run."""

from __future__ import annotations

import time
from pathlib import Path

from planner.auditor.audit import audit, describe_breaches
from planner.errors import PlanError
from planner.message import Message, MessageList
from planner.plan_tables.files import INFEASIBLE, NO_PLAN, SUMMARY
from planner.plan_tables.simulation import contradictions, read_simulation

_HINT = Message("`--unaudited` (`unaudited=True`) shows it, and says so at the top")

TWO_CURRENCIES = Message(
    "the plans are in two currencies, and nothing is converted: differences of money say nothing"
)


def cautions_of(folder: Path, *, unaudited: bool = False) -> tuple[Message, ...]:
    """Audit a folder before it is shown; return what to say at the top of all that shows it.

    Args:
        folder: of a plan, or of a stochastic plan with its members.
        unaudited: show it though it fails its audit, and say so.

    Raises:
        PlanError: it fails its audit, or cannot be audited.
    """
    earlier = earlier_run(folder)
    others = () if earlier is None else (earlier,)
    try:
        breaches = audit(folder)
    except PlanError as error:
        if not unaudited:
            raise
        text = Message("{path} cannot be audited", path=folder)
        return (MessageList(": ", (text, error.message)), *others)
    if not breaches:
        return others
    head = Message("{path} fails its audit and is not to be relied on", path=folder)
    if not unaudited:
        raise PlanError(MessageList("\n", (describe_breaches(head, breaches), _HINT)))
    text = Message(
        "{head}; broken promises: {n}; the first is: {sentence}",
        head=head,
        n=len(breaches),
        sentence=breaches[0].with_place(),
    )
    return (text, *others)


def cautions_of_simulation(folder: Path, *, unaudited: bool = False) -> tuple[Message, ...]:
    """Compare the table of a simulation with its plans, which are audited by themselves.

    Returns and raises as `cautions_of`.
    """
    simulation = read_simulation(folder)
    try:
        wrong = contradictions(simulation)
    except (LookupError, TypeError, ValueError) as error:
        text = Message("its files do not fit together")
        raise PlanError(
            Message("{path} cannot be shown: {sentence}", path=folder, sentence=text)
        ) from error
    if not wrong:
        return ()
    head = Message("{path} fails its audit and is not to be relied on", path=folder)
    text = MessageList(": ", (head, wrong[0]))
    if not unaudited:
        raise PlanError(MessageList("\n", (text, _HINT)))
    return (text,)


def earlier_run(folder: Path) -> Message | None:
    """Return that the plan in a folder is of an earlier run, where the latest found no plan."""
    if NO_PLAN.format_in(folder) is None or not (folder / SUMMARY).is_file():
        return None
    return Message(
        "the run of {time} found no plan, see {file}; the plan in {path} is of an earlier run, of"
        " {when}",
        time=_written(folder / INFEASIBLE),
        file=INFEASIBLE,
        path=folder,
        when=_written(folder / SUMMARY),
    )


def _written(path: Path) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(path.stat().st_mtime))
