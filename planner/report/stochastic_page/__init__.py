"""The page of a stochastic plan."""
