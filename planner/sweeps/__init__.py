"""Sweep files: their axes, the design of their cases, and the folder of their results."""
