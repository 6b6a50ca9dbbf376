"""The registry: every kind of component. A new one costs its file and a line here.

Kinds of other packages come through their entry points (`outside`), by the same `Kind`. What kinds
declare together is here too: the uses of energy, and which way a figure is better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from planner.components.battery import reasons as battery
from planner.components.battery.battery import Battery
from planner.components.carbon import Carbon
from planner.components.component import Component, Values
from planner.components.contract import Contract
from planner.components.fleet import reasons as fleet
from planner.components.fleet.fleet import Fleet
from planner.components.green_rule import GreenRule
from planner.components.grid import reasons as grid
from planner.components.grid.grid import Grid
from planner.components.job import Job
from planner.components.line import PowerLine
from planner.components.load import Load
from planner.components.reasons import Reason, StepPrices
from planner.components.renewable import Renewable
from planner.components.reserve import Reserve
from planner.components.service import reasons as service
from planner.components.service.service import Service
from planner.components.terms import Use
from planner.components.thermal import reasons as thermal
from planner.components.thermal.thermal import Thermal
from planner.message import Message, template
from planner.outside import AUDITS, COMPONENTS, Package, entry_named, packages
from planner.timeseries.horizon import Horizon
from planner.units import SUFFIXES, unit

Way = Literal["least", "most"]
LEDGERS = ("ledger_cny.", "outside_objective_cny.")
EMISSION = "emission_tco2"
OF_SOLVING = frozenset({"gap", "gap_of_profit", "seconds"})

Reasons = Callable[[Any, Values, StepPrices, Horizon], Iterable[Reason]]


def no_reasons(*_: Any) -> list[Reason]:
    """Return no reasons, for a kind that takes no decisions."""
    return []


class Kind(NamedTuple):
    """A kind of component: its class, and what explains its decisions.

    `reasons(component, values, prices, horizon)` yields a reason for each main decision in every
    step; `values`: its schedule columns without the component's name, each of shape (steps,).
    `limits`: the codes of reasons that name a limit which is reached. `words`: of a kind from
    another package, the folder with its catalogue of each language, such as zh.po.
    """

    component: type[Component]
    reasons: Reasons = no_reasons
    limits: frozenset[str] = frozenset()
    words: Path | None = None


def kind_of(component: type[Component]) -> str:
    """Return the word that names a component class in scenario files."""
    annotation = component.model_fields["kind"].annotation
    assert get_args(annotation), annotation
    word: str = get_args(annotation)[0]
    return word


KINDS: dict[str, Kind] = {
    kind_of(kind.component): kind
    for kind in (
        Kind(Battery, battery.reasons, battery.LIMITS),
        Kind(Carbon),
        Kind(Contract),
        Kind(Fleet, fleet.reasons),
        Kind(GreenRule),
        Kind(Grid, grid.reasons, grid.LIMITS),
        Kind(Job),
        Kind(Load),
        Kind(PowerLine),
        Kind(Renewable),
        Kind(Reserve),
        Kind(Service, service.reasons, service.LIMITS),
        Kind(Thermal, thermal.reasons, thermal.LIMITS),
    )
}


@cache
def _outside(word: str) -> Kind | Message | None:
    """Return the kind that another package brings, or a message why it cannot be used."""
    entry, audit = entry_named(COMPONENTS, word), entry_named(AUDITS, word)
    if entry is None:
        return None if audit is None else Message(
            "{name} brings the audit of {other} without the kind: it needs an entry point {other}"
            " in the group {path}",
            name=audit.package, other=word, path=COMPONENTS,
        )  # fmt: skip
    if audit is None:
        return Message(
            "{name} brings the kind {other} without its audit: it needs an entry point {other} in"
            " the group {path}",
            name=entry.package, other=word, path=AUDITS,
        )  # fmt: skip
    kind, place = entry.value, {"name": entry.package, "other": word, "path": COMPONENTS}
    if problem := entry.problem or audit.problem:
        return problem
    if not isinstance(kind, Kind) or Component not in getattr(kind.component, "__mro__", ()):
        return Message("{name}: its entry point {other} in {path} must be a Kind", **place)
    own = get_args(kind.component.model_fields["kind"].annotation)
    if own != (word,):
        return Message(
            "{name}: its entry point {other} in {path} must be named as the `kind` of its class,"
            " {text}",
            **place, text=" or ".join(map(str, own)) or "str",
        )  # fmt: skip
    return kind


def kind_named(word: Any) -> Kind | None:
    """Return a kind by its word; None where there is none, or none that can be used."""
    if word in KINDS:
        return KINDS[word]
    kind = _outside(word)
    return kind if isinstance(kind, Kind) else None


def why_unusable(word: str) -> Message | None:
    """Return why a kind from another package cannot be used; None where nobody brings it."""
    problem = _outside(word)
    return problem if isinstance(problem, Message) else None


def every_kind() -> dict[str, Kind]:
    """Return all kinds that can be used, of this package and of others, by their words."""
    words = packages().keys() - KINDS.keys()
    outside = {word: kind for word in sorted(words) if (kind := kind_named(word)) is not None}
    return KINDS | outside


def packages_of(components: Iterable[Component]) -> dict[str, Package]:
    """Return the package of each kind that some components have from another package."""
    words = {component.kind for component in components} - KINDS.keys()
    return {word: packages()[word] for word in sorted(words) if word in packages()}


def warn_of_unused_kinds(components: Iterable[Component]) -> list[Message]:
    """Return a warning for each kind of some components that another package brings in vain."""
    taken = packages().keys() & KINDS.keys() & {component.kind for component in components}
    text = template("{name} brings a kind {other} too, which is not used: it needs another name")
    return [Message(text, name=packages()[word], other=word) for word in sorted(taken)]


def kind_of_word(word: Any) -> str:
    """Return the kind of component that another word for it stands for; "" where none is known."""
    spelt = str(word).strip().lower().replace("-", "_").replace(" ", "_")
    words = {name: (name, *k.component.also_called.split()) for name, k in every_kind().items()}
    return next((name for name, spellings in words.items() if spelt in spellings), "")


def limits_reached() -> frozenset[str]:
    """Return the codes of reasons that name a limit which is reached."""
    return frozenset().union(*(kind.limits for kind in every_kind().values()))


def every_use() -> dict[str, Use]:
    """Return the uses of energy of all kinds, in the order of their display."""
    return uses_of(kind.component for kind in every_kind().values())


def uses_of(components: Iterable[Component | type[Component]]) -> dict[str, Use]:
    """Return the uses of energy of some components, in the order of their display."""
    uses = {name: use for component in components for name, use in component.uses.items()}
    return dict(sorted(uses.items(), key=lambda item: (item[1].order, item[0])))


def better(figure: str) -> Way:
    """Return which way a figure is better, by its dotted path in summary.json.

    Less is better of what a kind lists in `less_is_better`, of energy put to a use that is lost,
    of emissions, also per MWh or Mtok, of a price or an amount called a cost (`capital_cost_cny`,
    `cost_cny_per_mwh`), of gaps and of the seconds of a solve; and more of everything else. The
    ledger counts income as positive, so more of each of its lines is better.
    """
    parts = figure.split(".")
    if figure.startswith(LEDGERS):
        return "most"
    kinds = (kind.component.less_is_better for kind in every_kind().values())
    lost = {use for use, meant in every_use().items() if meant.lost}
    if parts[-1] in OF_SOLVING.union(lost, *kinds):
        return "least"
    if any(part.endswith(EMISSION) or (unit(part) or "").startswith("tCO2/") for part in parts):
        return "least"
    return "least" if _is_cost(parts[-1]) else "most"


def _is_cost(name: str) -> bool:
    """Return whether a name without its unit ends in `cost`."""
    return any(name.removesuffix(suffix).endswith(("cost", "costs")) for suffix in ("", *SUFFIXES))
