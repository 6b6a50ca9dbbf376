"""What a table of cases says: pure functions of the table, no solver.

tornado, grid_map, sobol_indices, pareto, ranking and cost_curve each take the DataFrame `cases` of
a sweep; `failures` counts the cases without a plan. `gather` gives every answer that a sweep's
design supports, `answer` writes them into a sweep folder.
"""
