"""Sobol indices: the share of an output's variance that an axis causes, alone and with others.

    first order S1: the share the axis causes alone
    total order ST: the share that would be gone if the axis were known, interactions included

Estimated by SALib from cases in the order of Saltelli's scheme: blocks of D + 2 cases, a point A,
A with one axis after the other taken from a point B, and B. The order is checked, since indices of
a table in any other order would be meaningless. The confidence is that of resampling the blocks.

Fewer than 32 blocks are refused: with 16 the index of an axis that causes nine tenths of the
variance may read 0.1, and its confidence hides that. With more, the note says what shows that they
are still too few: total indices sum to 1 or more, and the values of different axes, in A and in B,
do not correlate.

A block in which a case has no plan is left out as a whole, and the result counts them; where more
than a tenth would be left out, indices are refused. The rest describes only the part of the space
that has plans.

Sources: Saltelli et al., Computer Physics Communications 181 (2010) 259-270;
Jansen, Computer Physics Communications 117 (1999) 35-43.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import wrong
from planner.message import Message, MessageList
from planner.sweeps.analysis.case_table import OUTPUT, Analysis, numbers, records, require_columns
from planner.sweeps.sweep_file import LEAST_BLOCKS
from planner.version import install_line

CONFIDENCE = 0.95  # level of the confidence intervals, which are plus and minus
LEFT_OUT = 0.1  # largest share of blocks that may be left out
CORRELATED = 0.3  # twelve axes: above it with 128 blocks, below it with 256
RESAMPLES = 1000
FLAT = 1e-12  # a spread below this, relative to the output's size, is none


@dataclass(frozen=True, eq=False, kw_only=True)
class Indices(Analysis):
    """Sobol indices of one output.

    table: axis, first, first_confidence, total, total_confidence; the largest total first.
    blocks: blocks used; left_out: blocks left out because a case in them has no plan.
    """

    blocks: int
    left_out: int

    def plain(self) -> Any:
        """Return the indices and how they were estimated as plain data."""
        return {
            "indices": records(self.table), "blocks": self.blocks, "left_out": self.left_out,
            "confidence": CONFIDENCE, "note": self.note,
        }  # fmt: skip


def sobol_indices(
    cases: pd.DataFrame,
    axes: Sequence[str],
    output: str = OUTPUT,
    *,
    seed: int = 1,
) -> Indices:
    """Return first- and total-order indices of every axis.

    `cases` are those of a `sobol` design, whole; `axes` are in the order of the sweep file; `seed`
    is that of the resampling.

    Raises:
        ScenarioError: unknown columns, cases that are no Sobol design, too few with a plan, or no
            SALib.
    """
    require_columns(cases, axes, "axes")
    try:
        from SALib.analyze import sobol
    except ImportError:
        message = Message("Sobol indices need SALib: {line}", line=install_line("sensitivity"))
        raise wrong("", message) from None
    table = cases.sort_values("case", kind="stable")
    _require_saltelli(table, axes)
    size = len(axes) + 2
    values = numbers(table, output).to_numpy().reshape(-1, size)
    whole = ~np.isnan(values).any(axis=1)
    blocks, left_out = int(whole.sum()), int((~whole).sum())
    if blocks < LEAST_BLOCKS:
        raise wrong("", Message(
            "{least} whole blocks of {size} cases are needed, there are {blocks}: sample more",
            least=LEAST_BLOCKS, size=size, blocks=blocks,
        ))  # fmt: skip
    if left_out > LEFT_OUT * len(whole):
        raise wrong("", Message(
            "{lost} of {all} blocks hold a case without {name}, more than a tenth",
            lost=left_out, all=len(whole), name=output,
        ))  # fmt: skip
    used = values[whole]
    notes = [] if not left_out else [Message(
        "{lost} of {all} blocks are left out, since {cases} cases have no {name}: the indices"
        " describe only the part of the space that has plans",
        lost=left_out, all=len(whole), cases=np.isnan(values).sum(), name=output,
    )]  # fmt: skip
    if float(np.ptp(used)) <= FLAT * max(1.0, float(np.abs(used).max())):
        raise wrong("", Message("{name} is the same in every case: there is no variance to share",
                                name=output))  # fmt: skip
    indices = sobol.analyze(
        unit_cube(axes), used.ravel(), calc_second_order=False, num_resamples=RESAMPLES,
        conf_level=CONFIDENCE, seed=seed,
    )  # fmt: skip
    columns = {
        "first": "S1", "first_confidence": "S1_conf", "total": "ST", "total_confidence": "ST_conf",
    }  # fmt: skip
    result = pd.DataFrame(
        {"axis": list(axes)}
        | {name: np.asarray(indices[key], dtype=float) for name, key in columns.items()}
    )
    notes += _cautions(result["total"].sum(), table[list(axes)], whole)
    return Indices(
        table=result.sort_values("total", ascending=False, kind="stable", ignore_index=True),
        output=output, blocks=blocks, left_out=left_out,
        note=MessageList("; ", notes) if notes else "",
    )  # fmt: skip


def _cautions(totals: float, points: pd.DataFrame, whole: np.ndarray) -> Iterator[Message]:
    """Yield what shows that there are too few blocks; `whole` says which of them are used."""
    if round(totals, 2) < 1:
        yield Message(
            "the total indices sum to {value:.2f}, and no true ones to less than 1: the estimate is"
            " too rough, take more samples",
            value=totals,
        )
    size = len(points.columns) + 2
    values = np.column_stack([_ranks(points[axis]) for axis in points])
    a, b = (values[first::size][whole] for first in (0, size - 1))
    with np.errstate(divide="ignore", invalid="ignore"):  # a column may be constant
        joint = np.abs(np.nan_to_num(np.corrcoef(np.hstack([a, b]), rowvar=False)))
    np.fill_diagonal(joint, 0.0)
    if joint.max() > CORRELATED:
        one, two = divmod(int(joint.argmax()), len(joint))
        names = [str(points.columns[column % len(points.columns)]) for column in (one, two)]
        yield Message(
            "the sample's columns of {name} and {other} correlate, by {value:.2f}: what one of them"
            " causes may be counted as the other's; take more samples",
            name=names[0], other=names[1], value=joint.max(),
        )  # fmt: skip


def _ranks(column: pd.Series) -> np.ndarray:
    """Return the values of an axis as numbers; labels in the order in which they appear."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float)
    return np.asarray(pd.factorize(column)[0], dtype=float)


def unit_cube(axes: Iterable[str]) -> dict[str, Any]:
    """Return SALib's description of axes from 0 to 1."""
    names = list(axes)
    return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}


def _require_saltelli(table: pd.DataFrame, axes: Sequence[str]) -> None:
    """Raise ScenarioError unless the cases are in the order of Saltelli's scheme."""
    count = len(axes)
    codes = [pd.factorize(table[axis])[0] for axis in axes]  # equal values, equal codes
    points = np.column_stack(codes)
    if len(points) and len(points) % (count + 2) == 0:
        blocks = points.reshape(-1, count + 2, count)
        scheme = np.where(np.eye(count, dtype=bool), blocks[:, -1:], blocks[:, :1])
        if np.array_equal(blocks[:, 1:-1], scheme):
            return
    raise wrong("", Message(
        "the cases are no whole Sobol design: each block must hold a point A, A with one axis at a"
        " time taken from a point B, and B"
    ))  # fmt: skip
