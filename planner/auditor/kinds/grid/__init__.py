"""Audit of the grid connection."""
