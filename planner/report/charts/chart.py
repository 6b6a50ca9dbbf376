"""A chart: a figure as plain data for Plotly, and the table of its numbers.

Pages draw it with plotly.js alone; Plotly's Python package is imported only for figures in Python:
`plan.figures.dispatch()`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True, eq=False)
class Chart:
    """One chart of a page.

    key: names the chart in the page and in `plan.figures`.
    title, caption: translated; the subject, and what readers must know.
    figure: `data` and `layout` as plotly.js takes them, plain values and NumPy arrays.
    table: the numbers drawn, headed by translated labels with units.
    drawing: translated; what readers of the figure must know, but not those of the table alone.
    over_time: whether its x axis is the time axis that the charts of a page share.
    broad: its least width in pixels, where it is moved sideways on small screens.
    """

    key: str
    title: str
    figure: dict[str, Any]
    table: pd.DataFrame
    caption: str = ""
    over_time: bool = False
    broad: int = 0
    drawing: str = ""
