"""What a table of cases says: pure functions of the table, no solver.

tornado, grid_map, sobol_indices, pareto, ranking and cost_curve each take the DataFrame `cases` of
a sweep; `failures` counts the cases without a plan. `gather` gives every answer that a sweep's
design supports, `answer` writes them into a sweep folder.
"""

from planner.answers.cases import failures
from planner.answers.cost_curve import cost_curve
from planner.answers.gathered import Answers, answer, gather
from planner.answers.indices import Indices, MissingExtraError, sobol_indices
from planner.answers.maps import Map, grid_map
from planner.answers.pareto import pareto
from planner.answers.ranking import ranking
from planner.answers.tornado import tornado

__all__ = [
    "Answers",
    "Indices",
    "Map",
    "MissingExtraError",
    "answer",
    "cost_curve",
    "failures",
    "gather",
    "grid_map",
    "pareto",
    "ranking",
    "sobol_indices",
    "tornado",
]
