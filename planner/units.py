"""The unit suffixes that end the names of quantities, and labels made of such names."""

from __future__ import annotations

CNY = "CNY"
"""Stands in units and in the names of quantities for the currency of a scenario."""

# Longest suffix first, so that `_cny_per_mwh` is not taken for `_mwh`.
SUFFIXES: dict[str, str] = {
    "_cny_per_mw_month": "CNY/(MW·month)",
    "_cny_per_node_h": "CNY/(node·h)",
    "_cny_per_month": "CNY/month",
    "_cny_per_mtok": "CNY/Mtok",
    "_tco2_per_mtok": "tCO2/Mtok",
    "_cny_per_tco2": "CNY/tCO2",
    "_tco2_per_mwh": "tCO2/MWh",
    "_cny_per_mwh": "CNY/MWh",
    "_cny_per_kwh": "CNY/kWh",
    "_gce_per_kwh": "gce/kWh",
    "_tco2_per_gj": "tCO2/GJ",
    "_tokens_per_s": "tokens/s",
    "tokens_per_s": "tokens/s",
    "_cny_per_gj": "CNY/GJ",
    "_mtok_per_h": "Mtok/h",
    "mtok_per_h": "Mtok/h",
    "_mw_per_h": "MW/h",
    "_gj_per_h": "GJ/h",
    "_efficiency": "0..1",
    "_per_day": "1/day",
    "_per_h": "1/h",
    "_share": "0..1",
    "_tco2": "tCO2",
    "_mtok": "Mtok",
    "mtok": "Mtok",
    "_mwh": "MWh",
    "_cny": "CNY",
    "_min": "min",
    "_mw": "MW",
    "mw": "MW",
    "_kw": "kW",
    "_pu": "0..1",
    "pue": "MW/MW",
    "_gj": "GJ",
    "_ms": "ms",
    "_h": "h",
    "_c": "°C",
}


def unit(name: str) -> str | None:
    """Return the unit that `name` ends in, such as "MW" for `charge_mw`; None for a count."""
    bare = name.split("[", 1)[0]
    return next((symbol for suffix, symbol in SUFFIXES.items() if bare.endswith(suffix)), None)


def _suffix(name: str) -> str:
    """Return the ending of a name that is its unit and no word of it; empty where there is none."""
    return next((end for end in SUFFIXES if end.startswith("_") and name.endswith(end)), "")


def plain_words(name: str) -> str:
    """Return a name in words, without the unit that ends it: `max_power_mw` is max power.

    Of a number without a unit, as a share is, the ending says what it is and stays.
    """
    end = _suffix(name)
    bare = name if SUFFIXES.get(end) == "0..1" and end != "_pu" else name.removesuffix(end)
    return bare.replace("_", " ")


def price_unit(per: str) -> str:
    """Return the unit of a price per unit: CNY/MW, CNY/(MW/h)."""
    return f"CNY/({per})" if "/" in per else f"CNY/{per}"


def in_currency(symbol: str, currency: str) -> str:
    """Return a unit with the currency of a scenario: EUR/MWh for CNY/MWh."""
    return symbol.replace(CNY, currency)


def label(column: str) -> str:
    """Return the English label, without unit, of a column such as `battery.charge_mw[grid]`."""
    bare, bracket, index = column.partition("[")
    text = bare.removesuffix(_suffix(bare)).replace(".", " ").replace("_", " ")
    return f"{text} [{index}" if bracket else text
