"""The look of charts: the colours of Okabe and Ito, patterns beside colours, one frame for all.

Plotly reads some HTML and fills `%{...}` in texts, so names from scenarios are escaped by `text`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any

from planner.language.language import Language
from planner.language.titles import width

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY, PALE, INK = "#777777", "#D9D9D9", "#333333"
MIXED = 0.35  # of white or black in the lightest and the darkest tone of a colour

Style = tuple[str, str]  # a colour and a pattern, "" for none

# An origin keeps its colour in every chart.
ORIGIN_COLOURS = {"renewable": GREEN, "thermal": VERMILLION, "grid": BLUE, "pooled": GREY}
# So does a use, which also has a pattern, for readers who do not see the colours.
USE_STYLES: dict[str, Style] = {
    "compute": (ORANGE, ""), "load": (SKY, "\\"), "charge": (PURPLE, "/"), "export": (BLUE, "."),
    "loss": (BLACK, "-"), "curtailed": (PALE, "x"), "storage": (PURPLE, "/"),
}  # fmt: skip
SUPPLY_STYLES: dict[str, Style] = {
    "pv": (YELLOW, ""), "wind": (GREEN, ""), "thermal": (VERMILLION, "|"), "import": (BLUE, ""),
    "discharge": (PURPLE, ""),
}  # fmt: skip
OTHER: Style = (GREY, "")  # for whatever has no style of its own
# Of uses and sources that no style above is for, in the order in which a plan has them.
MORE_STYLES: tuple[Style, ...] = (
    ("#8A4B08", "/"), ("#007A5A", "."), ("#9C4F7F", "x"), ("#4B5FA8", "\\"), ("#B8860B", "+"),
    ("#5A7D2A", "|"), ("#B0413E", "-"), ("#2F7F8F", "/"),
)  # fmt: skip
FROM_ZERO = {"rangemode": "tozero"}  # of an axis
PLAIN = {"exponentformat": "none", "separatethousands": True}  # numbers of an axis in full
CYCLE = (BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY, BLACK, GREY)
FONT = "system-ui, 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif"
NUMBER = ",.4~r"  # four significant digits, thousands set apart
LEGEND_ROW_PX = 20
CLOSING = " ，。、：；）】」…,.:;)"  # what begins no line
GRID_LINE = "rgba(127,127,127,0.25)"


def text(name: object) -> str:
    """Return a name escaped, so that Plotly shows it character by character."""
    return html.escape(str(name)).replace("%{", "%&#123;")


def folded(label: str, widest: int = 26) -> str:
    """Return a label escaped, in lines of a width, as letters are wide; its unit is not broken."""
    lines = [""]
    for word in re.findall(r"\[[^\]]*\]\s*|[^\s：]*：|\S+\s*", label):
        for part in _parts(word, widest):
            if lines[-1] and width((lines[-1] + part).rstrip(CLOSING)) > widest:
                lines.append("")
            lines[-1] += part
    return "<br>".join(text(line.rstrip()) for line in lines)


def _parts(word: str, widest: int) -> Iterator[str]:
    """Yield the parts of a word that fit into a line."""
    while width(word.rstrip(CLOSING)) > widest:
        length = next(n for n in range(1, len(word)) if width(word[: n + 1]) > widest)
        length += word[length] in CLOSING
        yield word[:length]
        word = word[length:]
    yield word


def frame(height: int, legend: int = 0) -> dict[str, Any]:
    """Return the layout that all charts share.

    Args:
        height: pixels of the plot with its axes.
        legend: number of legend entries below it; there is room for two in a row.
    """
    room = LEGEND_ROW_PX * ((legend + 1) // 2)
    return {
        "height": height + room,
        "autosize": True,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": INK},
        "margin": {"l": 12, "r": 12, "t": 28, "b": 12, "autoexpand": True},
        "showlegend": legend > 0,
        "legend": {
            "orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0,
            "xanchor": "left", "traceorder": "normal", "font": {"size": 12},
            "bgcolor": "rgba(0,0,0,0)", "maxheight": 0.9,
        },
        "hoverlabel": {"font": {"family": FONT, "size": 12}, "namelength": -1},
    }  # fmt: skip


def marker(style: Style, *, edge: str = BLACK, width: float = 0.5) -> dict[str, Any]:
    """Return the marker of bars of a style, with an edge of `width` pixels."""
    colour, shape = style
    line = {"width": width} | ({"color": edge} if width else {})
    return {"color": colour, "line": line} | ({"pattern": pattern(shape, colour)} if shape else {})


def nth(letter: str, number: int) -> str:
    """Return the name of an axis by its number, from 1: x, x2, x3."""
    return letter if number == 1 else f"{letter}{number}"


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """Return an axis; its title is escaped or translated already."""
    titled = {"title": {"text": title, "standoff": 6, "font": {"size": 12}}} if title else {}
    plain = {"automargin": True, "gridcolor": GRID_LINE, "zerolinecolor": GREY, "linecolor": GREY}
    return plain | titled | more


def pattern(shape: str, colour: str = "") -> dict[str, Any]:
    """Return the fill pattern of an area or a bar."""
    ink: dict[str, Any] = {"shape": shape, "size": 7, "solidity": 0.22, "fgcolor": INK}
    return ink | ({"bgcolor": colour} if colour else {}) | {"fillmode": "overlay"}


def menu(
    kind: str, direction: str, pad: Mapping[str, int], choices: Mapping[str, Sequence[bool]]
) -> dict[str, Any]:
    """Return buttons or a list above a plot: by label, which traces a choice makes visible."""
    return {
        "type": kind, "direction": direction, "x": 0, "xanchor": "left", "y": 1,
        "yanchor": "bottom", "pad": {**pad, "l": 0, "r": 0}, "showactive": True,
        "font": {"size": 12}, "bgcolor": "#F2F2F2", "bordercolor": PALE,
        "buttons": [
            {"label": label, "method": "restyle", "args": [{"visible": visible}]}
            for label, visible in choices.items()
        ],
    }  # fmt: skip


def note(label: str, *, x: float, y: float, **more: Any) -> dict[str, Any]:
    """Return an annotation without an arrow, in coordinates of the whole chart."""
    plain = {"text": label, "x": x, "y": y, "xref": "paper", "yref": "paper", "showarrow": False}
    return plain | {"xanchor": "left", "yanchor": "bottom", "align": "left"} | more


BAR_PX, LINE_PX = 22, 17  # of a bar, and of a line of the name above it


def bar_share(names: Sequence[str]) -> float:
    """Return the share of a row that its bar takes; the rest is for the lines of its name."""
    lines = 1 + max((name.count("<br>") for name in names), default=0)
    return BAR_PX / (BAR_PX + LINE_PX * lines + 6)


def named_rows(names: Sequence[str], across: dict[str, Any], legend: int) -> dict[str, Any]:
    """Return the layout of horizontal bars with their names above them, for narrow screens too.

    The bar of row k has its name above it, begins at k and is `bar_share` wide.
    """
    thick = bar_share(names)
    ends = [len(names) - 1 + thick + 0.1, thick - 1]
    return frame(90 + round(BAR_PX / thick) * len(names), legend) | {
        "barmode": "overlay", "hovermode": "closest", "xaxis": across,
        "yaxis": axis(range=ends, showticklabels=False, showgrid=False, zeroline=False,
                      fixedrange=True),
        "annotations": [
            note(name, x=0, y=row, yref="y", font={"size": 12}) for row, name in enumerate(names)
        ],
    }  # fmt: skip


def across_bars(x: float, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return a line at a value through every bar of `named_rows`; it leaves the names alone."""
    thick = bar_share(names)
    return [
        {"type": "line", "x0": x, "x1": x, "y0": row - 0.04, "y1": row + thick + 0.04,
         "line": {"color": INK, "width": 1.5}}
        for row in range(len(names))
    ]  # fmt: skip


def chart_scale(unit: str, largest: float, words: Language) -> tuple[float, str]:
    """Return the divisor and the unit of an axis up to `largest` of a unit.

    They are those of amounts in texts, except in English, where charts show millions of CNY.
    """
    divisor, own_unit = words.scale(unit, largest)
    if divisor == 1.0 and unit == "CNY" and largest >= 1e6:
        return 1e6, words("million CNY")
    return divisor, own_unit


def styles_of(names: Iterable[str], known: Mapping[str, Style]) -> dict[str, Style]:
    """Return the style of each name: the known ones, and those of `MORE_STYLES` in turn."""
    more = cycle(MORE_STYLES)
    return {name: known[name] if name in known else next(more) for name in dict.fromkeys(names)}


def tones(colour: str, count: int) -> list[str]:
    """Return `count` tones of a colour from light to dark, for what is of one kind."""
    if count < 2:
        return [colour] * count
    mixed = []
    for step in range(count):
        way = 2 * step / (count - 1) - 1  # from -1, part white, to 1, part black
        end, part = 255 * (way < 0), MIXED * abs(way)
        mixed.append([round(value + part * (end - value)) for value in rgb(colour)])
    return ["#" + bytes(one).hex().upper() for one in mixed]


def shades(colour: str, count: int) -> list[str]:
    """Return `count` shades of a colour from light to full, for what has an order."""
    parts = [0.3 + 0.7 * (i + 1) / count for i in range(count)]
    return [
        "#" + "".join(f"{round(255 - part * (255 - value)):02X}" for value in rgb(colour))
        for part in parts
    ]


def rgb(colour: str) -> list[int]:
    """Return red, green and blue of a colour #RRGGBB."""
    return list(bytes.fromhex(colour[1:]))
