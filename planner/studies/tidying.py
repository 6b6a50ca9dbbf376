"""Several plans can earn the same: LPs on the optimal face of the settled one pick the tidiest.

Renewable energy to compute first, then least storage throughput, fewest wake-ups, least fuel.
"""

from __future__ import annotations

from planner.program import Program
from planner.series import Array
from planner.solver import Session

SETTLE_LIMIT_S = 60.0  # for an LP with every integer fixed


def tidy(session: Session, program: Program, x: Array) -> Array:
    """Pick the tidiest of the plans that earn as much as the one just settled."""
    for row in program.tidy_rows:
        session.stay_optimal()
        session.cost(program.reports[[row]].toarray().ravel(), 0.0)
        result = session.run(time_limit_s=SETTLE_LIMIT_S)
        if result.status != "optimal" or result.x is None:
            break
        x = result.x
    return x
