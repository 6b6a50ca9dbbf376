"""The grid connection."""
