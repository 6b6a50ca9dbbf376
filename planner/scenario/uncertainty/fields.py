"""The uncertainty of a scenario: its members, each a possible future, and the weight of risk.

Members are listed, or drawn from forecast errors. Listed ones replace values of the scenario by
path, as `--set` does. A method makes members that replace series of components, and every value it
makes keeps the limits of its field (`series_errors`): an availability lies in 0..1, a demand does
not fall below 0, a pue not below 1; prices of energy, temperatures, declarations and contracts may
fall below 0. Values beyond a limit are set to it; zeros stay 0 where the field cannot be below 0,
so that nights stay dark. That is part of the assumption: near a limit the errors are smaller than
stated, and their mean is not 0.

Risk is measured by CVaR, the mean profit of the worst share a of the members by probability:

    CVaR = max over eta of  eta - (1/a) sum_i p_i max(eta - profit_i, 0)

(Rockafellar & Uryasev 2000). Three members of probability 0.25, 0.25 and 0.5 that earn -10, 20 and
40: with a = 0.5 the worst half is the first two, (-10 + 20) / 2 = 5; with a = 0.25 it is -10; with
a = 1 it is the mean, 22.5. The objective is (1 - weight) mean + weight CVaR.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, Tag, model_validator

from planner.fields import (
    NOTHING,
    FieldError,
    Fraction,
    Frozen,
    Name,
    Positive,
    exceeds,
    unknown_form,
)
from planner.message import Message
from planner.timeseries.forms import CsvColumns


class Risk(Frozen):
    """The weight of the worst members in the objective."""

    cvar_share: Annotated[float, Field(gt=0, le=1)]
    """Share of the members, by probability, that counts as the worst: 0.1 is the worst tenth."""
    weight: Fraction
    """Weight of their mean profit; the mean profit of all members has the weight 1 - weight."""


def mean(probabilities: Sequence[float], profits: Sequence[float]) -> float:
    """Return the expected profit, CNY."""
    return float(np.dot(probabilities, profits))


def cvar(probabilities: Sequence[float], profits: Sequence[float], share: float) -> float:
    """Return the mean profit of the worst share of members by probability, CNY."""
    order = np.argsort(profits, kind="stable")
    sizes, ascending = np.asarray(probabilities)[order], np.asarray(profits)[order]
    before = np.concatenate([[0.0], np.cumsum(sizes)[:-1]])
    within = np.clip(share - before, 0.0, sizes)
    return float(np.dot(within, ascending) / within.sum())


def worth(probabilities: Sequence[float], profits: Sequence[float], risk: Risk | None) -> float:
    """Return the objective: the mean profit, or mean and CVaR by their weights, CNY."""
    expected = mean(probabilities, profits)
    if risk is None:
        return expected
    worst = cvar(probabilities, profits, risk.cvar_share)
    return (1 - risk.weight) * expected + risk.weight * worst


METHODS = ("ar1", "bootstrap", "quantile")
Count = Annotated[int, Field(ge=1, le=1000)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Member(Frozen):
    """A possible future."""

    name: Name | None = None
    """Name of its folder and its rows [member_1, member_2, ...]."""
    probability: Annotated[float, Field(gt=0, le=1)]
    """Its probability; those of all members sum to 1."""
    set: Annotated[dict[str, Any], Field(default_factory=dict)]
    """Values that differ in it: {path: value}, as in `--set`, fields of components only; a value
    {scale: 0.6} multiplies that of the scenario."""


class AutoregressiveError(Frozen):
    """Autoregressive forecast errors: error[t] = r error[t-1] + shock[t], Gaussian."""

    error_share: Positive | None = None
    """Standard deviation of the error as a share of the value in the same step. This or sigma."""
    sigma: Positive | None = None
    """Standard deviation of the error in the field's own unit. This or error_share."""
    hourly_correlation: Annotated[float, Field(ge=0, lt=1)]
    """Correlation of errors an hour apart; r is this to the power of the step in hours."""
    common_correlation: Annotated[float, Field(ge=-1, le=1)] = 0.0
    """Correlation of the shocks with a driver that all fields share; two fields correlate by the
    product, so that 0.8 for wind and -0.5 for a price make -0.4."""

    @model_validator(mode="after")
    def _one_size(self) -> AutoregressiveError:
        if (self.error_share is None) == (self.sigma is None):
            raise FieldError(
                Message("needs one of error_share (of the value) and sigma (in its unit)")
            )
        return self


class PastErrors(CsvColumns):
    """Past forecasts and actuals, in rows of the horizon's step."""

    forecast: str
    """Column of the forecasts."""
    actual: str
    """Column of the actuals; the error, actual - forecast, is added to the field."""
    scale: float = 1.0
    """Multiplies every error: 0.005 for MW of a plant of 200 MW where the field is per unit."""


class QuantileColumns(CsvColumns):
    """Columns of a CSV that hold quantiles of a forecast."""

    columns: Annotated[dict[str, Annotated[float, Field(gt=0, lt=1)]], Field(min_length=1)]
    """Column and its level: {wind_p10: 0.1, wind_p50: 0.5, wind_p90: 0.9}. Columns of the same
    level belong to the same member: pair a high price with little wind by naming it 0.1."""
    resample: Literal["hold", "mean"] | None = None
    """What to do when the file's step differs: hold a coarser value, or average finer ones."""


class Autoregressive(Frozen):
    """Members drawn from autoregressive Gaussian errors, all equally probable."""

    method: Literal["ar1"]
    """How members are made."""
    count: Count
    """Number of members."""
    seed: Seed
    """Random seed: the same one draws the same members."""
    fields: Annotated[dict[str, AutoregressiveError], Field(min_length=1)]
    """Series whose forecasts err, by path, and the size of the errors."""


class Bootstrap(Frozen):
    """Members drawn from past errors, whole local days at a time, the same day for all fields.

    All are equally probable.
    """

    method: Literal["bootstrap"]
    """How members are made."""
    count: Count
    """Number of members."""
    seed: Seed
    """Random seed: the same one draws the same members."""
    fields: Annotated[dict[str, PastErrors], Field(min_length=1)]
    """Series whose forecasts err, by path, and the files of their past."""


class Quantile(Frozen):
    """A member for each level; its probability is the part of 0..1 that is nearest to the level.

    That is 0.3, 0.4 and 0.3 for the levels 0.1, 0.5 and 0.9.
    """

    method: Literal["quantile"]
    """How members are made."""
    fields: Annotated[dict[str, QuantileColumns], Field(min_length=1)]
    """Series with their quantiles, by path; all have the same levels."""


def _method(value: Any) -> str | None:
    if isinstance(value, list | tuple):
        return "=listed"
    method = value.get("method") if isinstance(value, dict) else getattr(value, "method", None)
    return f"={method}" if method in METHODS else None


Members = Annotated[
    Annotated[tuple[Member, ...], Field(min_length=1, strict=False), Tag("=listed")]
    | Annotated[Autoregressive, Tag("=ar1")]
    | Annotated[Bootstrap, Tag("=bootstrap")]
    | Annotated[Quantile, Tag("=quantile")],
    unknown_form(
        _method,
        Message(
            "must be a list of members, or a mapping with `method`: ar1, bootstrap or quantile"
        ),
    ),
]


class Uncertainty(Frozen):
    """Possible futures that one plan must serve; some decisions come before the future is known."""

    members: Members
    """The members: a list, or a method that makes them."""
    risk: Risk | None = None
    """Weight of the worst members [only the mean counts]."""
    awake: Literal["here_and_now", "recourse"] = "recourse"
    """Whether the nodes awake of fleets are decided before the future is known, as the commitment
    of thermal units and chosen declarations always are, or afterwards."""

    @model_validator(mode="after")
    def _sums_to_one(self) -> Uncertainty:
        if isinstance(self.members, tuple):
            total = sum(member.probability for member in self.members)
            if exceeds(abs(total - 1), 0.0, NOTHING):
                message = Message("probabilities must sum to 1, sum to {total:g}", total=total)
                raise FieldError(message, "members")
            names = [member.name for member in self.members if member.name is not None]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise FieldError(
                    Message("two members have the name {name!r}", name=twice[0]), "members"
                )
        return self

    @property
    def checked_members(self) -> tuple[Member, ...]:
        """The members of a checked scenario, which lists them whatever method made them."""
        assert isinstance(self.members, tuple)
        return self.members
