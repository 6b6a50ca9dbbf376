"""Warnings about a whole scenario: likely slips of a unit, and energy that nothing can use.

They go by the names of fields, which end in a unit, and by what components say of themselves
(`Component.max_supply_mw`, `max_draw_mw`), so that a new kind needs no entry here. Each field
counts with its largest value, for a small value of a series (dawn) does no harm.

- A plant or load of more than `OVERSIZED` times what the site can do with it, or supply to it.
- A value outside the plain range of its unit (`PLAIN`), which another unit would explain.
- Energy prices per kWh among prices per MWh.
- Figures of one quantity a billion apart: a solver works with about nine digits.
- A node that is fed and has no use for the energy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from planner.components.component import ORIGINS, Component
from planner.fields import Frozen, is_number
from planner.message import Message, places_of, template
from planner.scenario.paths import value_at
from planner.timeseries.horizon import Horizon

MAX_RATIO = 1e9
QUANTITIES = {
    "prices and costs": re.compile(r".*_cny(_per_.*)?"),
    "powers and energies": re.compile(r"(?!.*_(cny|tco2)_).*_mwh?"),
    "tokens": re.compile(r"(?!.*_cny_).*mtok(_per_h)?"),
}
OVERSIZED = 20  # times what the site can sell, store or use
TOO_MUCH_SUPPLY = template(
    "components.{name}.{field} {value:g} MW is more than {ratio} times the {most:g} MW that the"
    " site can sell, store or use; if it is in kW, write {meant:g}"
)
TOO_MUCH_DRAW = template(
    "components.{name}.{field} {value:g} MW is more than {ratio} times the {most:g} MW that can be"
    " supplied; if it is in kW, write {meant:g}"
)
ENERGY_PRICE = re.compile(r"(.*_)?price_cny_per_mwh")
PER_KWH = 3.0  # CNY/MWh: a price of energy below it is most likely one per kWh
PER_MWH = 100.0  # CNY/MWh: a price of energy above it is certainly none per kWh


class Plain(NamedTuple):
    """The plain range of the fields of a name, and the units that explain values outside it.

    units: templates, each with its factor; the first that leads into the range is the likely one.
    besides: what is right all the same outside the range, up to `most`.
    """

    name: re.Pattern[str]
    low: float
    high: float
    units: Mapping[str, float]
    besides: str = ""
    most: float = 0.0


PLAIN = (
    Plain(
        re.compile(r"(.*_)?price(_.*)?_cny_per_mtok"), 0.01, 1e5,
        {template("{currency} per 1000 tokens"): 1e3, template("{currency} per token"): 1e6},
    ),
    Plain(
        re.compile(r"fuel_price_cny_per_gj"), 0.0, 400.0,
        {template("{currency} per tonne of coal"): 1 / 25},
    ),
    Plain(re.compile(r".*_gce_per_kwh"), 100.0, 1000.0, {template("kg per kWh"): 1e3}),
    Plain(re.compile(r".*_tco2_per_mwh"), 0.0, 3.0, {template("kg per MWh"): 1e-3}),
    Plain(re.compile(r".*_tco2_per_gj"), 0.0, 0.4, {template("kg per GJ"): 1e-3}),
    Plain(re.compile(r"gpu_idle_kw"), 0.0, 2.0, {template("watts"): 1e-3}),
    Plain(
        re.compile(r"(node|gpu|sleep|idle)_kw"), 0.0, 30.0, {template("watts"): 1e-3},
        template("; right as it is for a whole rack as one node, such as an NVL72, 120 to 140 kW"),
        1000.0,
    ),
)  # fmt: skip


def likely_units(
    components: Mapping[str, Component], horizon: Horizon, currency: str
) -> Iterator[Message]:
    """Yield a warning for each field that another unit would explain."""
    yield from _oversized(components, horizon)
    sizes = [(size, path) for size, path in _all_sizes(components) if size > 0]
    prices = [pair for pair in sizes if ENERGY_PRICE.fullmatch(_named(pair[1]))]
    yield from _per_kwh(prices, currency)
    given = [(size, path) for size, path in _all_sizes(components, following=False) if size > 0]
    for plain in PLAIN:
        largest: dict[str, tuple[float, str]] = {}  # of each field of a list
        for size, path in given:
            if plain.name.fullmatch(_named(path)) and not plain.low <= size <= plain.high:
                field = re.sub(r"\[\d+\]", "", path)
                largest[field] = max(largest.get(field, (0.0, "")), (size, path))
        for size, path in largest.values():
            yield from _in_another_unit(path, size, plain, currency)


def _oversized(components: Mapping[str, Component], horizon: Horizon) -> Iterator[Message]:
    """Yield a warning for each plant or load that the rest of the site cannot match by far."""
    ends = {name: part for name, part in components.items() if not part.links()}
    supply = {name: _most(part.max_supply_mw(horizon)) for name, part in ends.items()}
    draw = {name: _most(part.max_draw_mw(horizon)) for name, part in ends.items()}
    for name, part in ends.items():
        field = next((f for fs in part.priced.values() for f in fs if f.endswith("_mw")), None)
        if field is None or part.connection() is not None or part.storage() is not None:
            continue
        produces = part.source() is not None
        size = supply[name] if produces else draw[name]
        others = draw if produces else supply
        most = sum(mw for other, mw in others.items() if other != name)
        if size > OVERSIZED * most > 0:
            value = float(np.max(value_at(part, (field,))))
            yield Message(
                TOO_MUCH_SUPPLY if produces else TOO_MUCH_DRAW,
                name=name, field=field, value=value, ratio=OVERSIZED, most=most, meant=value / 1000,
            )  # fmt: skip


def _most(by_node: Mapping[str, Any]) -> float:
    return float(sum(np.max(mw) for mw in by_node.values()))


def _per_kwh(prices: list[tuple[float, str]], currency: str) -> Iterator[Message]:
    """Yield a warning for each price of energy that is most likely one per kWh.

    Where all prices are small, a broken number tells: whole ones may be an example's.
    """
    highest, path_of_highest = max(prices, default=(0.0, ""))
    for price, path in prices:
        among_others = highest >= PER_MWH
        if price < PER_KWH and (among_others or (highest < PER_KWH and price != round(price))):
            beside = Message(
                " beside {other} {most:g}", other=path_of_highest, most=highest
            )  # fmt: skip
            yield Message(
                "{path} is {value:g} {currency}/MWh at most{more}; if it is in {currency}/kWh,"
                " multiply it by 1000: {meant:g}",
                path=path,
                currency=currency,
                value=price,
                more=beside if among_others else "",
                meant=1000 * price,
            )


def _in_another_unit(path: str, size: float, plain: Plain, currency: str) -> Iterator[Message]:
    """Yield the warning of a value outside the plain range of its unit."""
    high = max(plain.high, plain.most)
    fitting = {u: f for u, f in plain.units.items() if plain.low <= size * f <= high}
    if fitting:
        name, factor = next(iter(fitting.items()))
        yield Message(
            "{path} is {value:g} at most, outside the usual {low:g} to {high:g}; if it is in"
            " {unit}, write {meant:g}{besides}",
            path=path,
            value=size,
            low=plain.low,
            high=plain.high,
            unit=Message(name, **dict.fromkeys(places_of(name), currency)),
            meant=size * factor,
            besides=Message(plain.besides) if size <= plain.most else "",
        )


def mixed_scales(components: Mapping[str, Frozen]) -> Iterator[Message]:
    """Yield a warning for each quantity whose fields differ by more than a billion."""
    sizes = [(size, path) for size, path in _all_sizes(components) if size > 0]
    for quantity, unit in QUANTITIES.items():
        same_unit = [(size, path) for size, path in sizes if unit.fullmatch(_named(path))]
        if not same_unit:
            continue
        (least, small), (most, large) = min(same_unit), max(same_unit)
        if most / least > MAX_RATIO:
            yield Message(
                "{path} ({least:g}) and {other} ({most:g}) differ by more than {widest:g}:"
                " {kind} so far apart make the solver inexact; is a unit wrong?",
                path=small,
                least=least,
                other=large,
                most=most,
                widest=MAX_RATIO,
                kind=quantity,
            )


def _all_sizes(
    components: Mapping[str, Frozen], *, following: bool = True
) -> Iterator[tuple[float, str]]:
    """Yield the sizes in components; `following`: also of fields that follow from others."""
    for name, component in components.items():
        yield from _sizes(component, f"components.{name}", following=following)


def _sizes(value: Any, path: str, *, following: bool) -> Iterator[tuple[float, str]]:
    """Yield the largest size of every number below a value, and its path."""
    if isinstance(value, Frozen):
        left_out = set() if following else value.follows.keys() - value.model_fields_set
        for name in type(value).model_fields:
            if name not in left_out:
                yield from _sizes(getattr(value, name), f"{path}.{name}", following=following)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _sizes(item, f"{path}.{key}", following=following)
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from _sizes(item, f"{path}[{i}]", following=following)
    elif isinstance(value, np.ndarray):
        yield float(np.abs(value).max(initial=0.0)), path
    elif is_number(value):
        yield abs(float(value)), path


def _named(path: str) -> str:
    """Return the part of a path that ends in a unit: by origin and by month it is the one above."""
    parts = path.split(".")
    above = parts[-1] in ORIGINS or parts[-1][:4].isdigit()
    return parts[-2 if above and len(parts) > 3 else -1]


def unsold_energy(components: Mapping[str, Component]) -> Iterator[Message]:
    """Yield a warning for each node that is fed where nothing can use or sell the energy."""
    fed = {key[1] for c in components.values() for key in c.supplies() if key[0] == "power"}
    used = {node for c in components.values() for node in c.absorbs()}
    for node in sorted(fed - used):
        yield Message(
            "node {name!r} is fed, but nothing there can use or sell the energy", name=node
        )
