"""All that a kind of component is made of: one import for packages that bring kinds of their own.

These names are stable, and docs/outside_kinds.md lists them. The audit of a kind takes none of
them: its names are in `planner.auditor.kind`.
"""

from __future__ import annotations

from planner.components.battery.state import Ending, EndLimits, EndValue
from planner.components.completion import FOLLOWS
from planner.components.component import Complaint, Component, Site, Supply, Values, summed
from planner.components.reasons import (
    LIMIT,
    PriceComparison,
    PricePair,
    Reason,
    StepPrices,
    first_that_holds,
    money,
)
from planner.components.registry import Kind
from planner.components.terms import (
    COMPUTE,
    DISPATCHABLE,
    EXCHANGE,
    WEATHER,
    Amounts,
    AtEnd,
    Balance,
    ByStep,
    Connection,
    Exclusive,
    Expression,
    Line,
    Link,
    Meter,
    Meters,
    Moves,
    Source,
    State,
    Storage,
    Target,
    Terms,
    Use,
    minus,
    of,
    sum_of,
)
from planner.components.time import Time
from planner.field_types import Listed, ListedOrNone
from planner.fields import (
    NOTHING,
    AtLeastZero,
    Efficiency,
    FieldError,
    Fraction,
    Frozen,
    Hours,
    Name,
    Positive,
    raise_all,
    too_large,
    too_small,
)
from planner.message import Message, MessageList, template
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import (
    Above0,
    Array,
    NonNegative,
    NonNegativeOrNone,
    PerUnit,
    Series,
    SeriesBounds,
    SeriesOrNone,
)

__all__ = [
    "COMPUTE", "DISPATCHABLE", "EXCHANGE", "FOLLOWS", "LIMIT", "NOTHING", "WEATHER", "Above0",
    "Amounts", "Array", "AtEnd", "AtLeastZero", "Balance", "ByStep", "Complaint", "Component",
    "Connection", "Efficiency", "EndLimits", "EndValue", "Ending", "Exclusive", "Expression",
    "FieldError", "Fraction", "Frozen", "Horizon", "Hours", "Kind", "Line", "Link", "Listed",
    "ListedOrNone", "Message", "MessageList", "Meter", "Meters", "Moves", "Name", "NonNegative",
    "NonNegativeOrNone", "PerUnit", "Positive", "PriceComparison", "PricePair", "Reason", "Series",
    "SeriesBounds", "SeriesOrNone", "Site", "Source", "State", "StepPrices", "Storage", "Supply",
    "Target", "Terms", "Time", "Use", "Values", "Window", "first_that_holds", "minus", "money",
    "of", "pyo", "raise_all", "sum_of", "summed", "template", "too_large", "too_small",
]  # fmt: skip
