"""Measurement of a model server: its tokens at each load, and the power of its GPUs meanwhile."""
