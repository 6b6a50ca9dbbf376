"""Sweep files: what is varied, how cases are designed, and the folder their results go to."""
